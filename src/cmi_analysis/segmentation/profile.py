"""One row per customer: when it ordered last, how often, and for how much, seen from one reference date."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

PROFILE = (
    "customer_id",
    "first_order_on",
    "last_order_on",
    "days_since_last_order",
    "tenure_days",
    "tenure_known",
    "orders",
    "products",
    "units",
    "value",
    "returned_value",
    "orders_previous",
    "value_previous",
    "value_growth",
    "orders_per_year",
)


def table_order_days(purchases: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Return one row per order known at `as_of`: ``order_id``, ``customer_id``, ``date``, ``products``, ``units``, ``value``.

    Orders whose quantity was taken off again by the customer are left out; sorted by ``customer_id``, ``date``, ``order_id``.
    """
    known = purchases.loc[(purchases["known_on"] <= pd.Timestamp(as_of)) & (purchases["date"] <= pd.Timestamp(as_of))]
    grouped = known.groupby(["customer_id", "date", "order_id"], observed=True, sort=True)
    orders = grouped.agg(products=("product_id", "nunique"), units=("quantity", "sum"), value=("value", "sum")).reset_index()
    return orders.loc[orders["units"] > 1e-9].reset_index(drop=True)


def profile_customers(
    purchases: pd.DataFrame,
    *,
    as_of: dt.date,
    window_days: int = 365,
    returns: pd.DataFrame | None = None,
    history_from: dt.date | None = None,
    settling_days: int = 90,
) -> pd.DataFrame:
    """Return what each customer that ever ordered did up to `as_of`.

    Parameters
    ----------
    purchases : pandas.DataFrame
        Frame of `table_purchases`.
    as_of : datetime.date
        The one reference date; nothing later is used.
    window_days : int
        Orders and money of this many days up to and with `as_of` [days].
    returns : pandas.DataFrame, optional
        Frame of `table_returns`: lowers money only, never the count of orders or the date of the last one.
    history_from : datetime.date, optional
        First date of the data; default: the first purchase of the frame. The data are cut on the left there.
    settling_days : int
        A first order later than this after `history_from` is taken as the customer's first ever; an earlier one says nothing
        about the customer's age [days].

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``first_order_on``, ``last_order_on``, ``days_since_last_order`` [days], ``tenure_days`` [days since the
        first order seen], ``tenure_known`` [bool], ``orders``, ``products`` [counts in the window], ``units`` [sales units],
        ``value`` [money less returns], ``returned_value`` [money], ``orders_previous``, ``value_previous`` (the window before;
        missing where the data do not reach back to its start), ``value_growth`` [fraction], ``orders_per_year`` [orders a year
        of the part of the window in which the customer was one], sorted by ``customer_id``.
    """
    end = pd.Timestamp(as_of)
    orders = table_order_days(purchases, as_of=as_of)
    start = pd.Timestamp(history_from) if history_from is not None else orders["date"].min()
    result = orders.groupby("customer_id", observed=True, sort=True)["date"].agg(first_order_on="min", last_order_on="max")
    now = _window(orders, returns, end=end, days=window_days)
    before = _window(orders, returns, end=end - pd.Timedelta(days=window_days), days=window_days)
    result = result.join(now).join(_breadth(purchases, end=end, days=window_days))
    counts = ["orders", "products"]
    result[counts] = result[counts].fillna(0).astype("int64")
    result[["units", "value", "returned_value"]] = result[["units", "value", "returned_value"]].fillna(0.0)
    reaches = bool(len(orders)) and start <= end - pd.Timedelta(days=2 * window_days - 1)
    previous = before.reindex(result.index)[["orders", "value"]].fillna(0.0)
    result["orders_previous"] = previous["orders"] if reaches else np.nan
    result["value_previous"] = previous["value"] if reaches else np.nan
    result["value_growth"] = result["value"] / result["value_previous"].where(result["value_previous"] > 0) - 1
    result["days_since_last_order"] = (end - result["last_order_on"]).dt.days.astype("float64")
    result["tenure_days"] = (end - result["first_order_on"]).dt.days.astype("float64")
    result["tenure_known"] = result["first_order_on"] > start + pd.Timedelta(days=settling_days)
    exposure = np.minimum(result["tenure_days"] + 1, window_days)
    result["orders_per_year"] = result["orders"] / exposure * 365
    return result.reset_index()[list(PROFILE)]


def total_window(
    orders: pd.DataFrame, *, as_of: dt.date, window_days: int = 365, returns: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return ``orders`` and ``value`` of the window up to `as_of`, as in `profile_customers`, by customer that ever ordered.

    Parameters
    ----------
    orders : pandas.DataFrame
        Frame of `table_order_days`.
    as_of, window_days, returns
        As in `profile_customers`.
    """
    found = _window(orders, returns, end=pd.Timestamp(as_of), days=window_days)
    return found.reindex(pd.Index(np.sort(orders["customer_id"].unique()), name="customer_id"))[["orders", "value"]].fillna(0.0)


def _window(orders: pd.DataFrame, returns: pd.DataFrame | None, *, end: pd.Timestamp, days: int) -> pd.DataFrame:
    inside = orders.loc[_within(orders["date"], end, days)]
    sums = inside.groupby("customer_id", observed=True).agg(
        orders=("order_id", "size"), units=("units", "sum"), bought=("value", "sum")
    )
    if returns is None or returns.empty:
        back = pd.Series(dtype="float64", name="returned_value")
    else:
        back = returns.loc[_within(returns["date"], end, days)].groupby("customer_id", observed=True)["value"].sum()
    sums = sums.join(back.rename("returned_value"), how="outer")
    sums[["orders", "units", "bought", "returned_value"]] = sums[["orders", "units", "bought", "returned_value"]].fillna(0.0)
    sums["value"] = sums["bought"] - sums["returned_value"]
    return sums[["orders", "units", "value", "returned_value"]]


def _breadth(purchases: pd.DataFrame, *, end: pd.Timestamp, days: int) -> pd.Series:
    inside = purchases.loc[_within(purchases["date"], end, days) & (purchases["quantity"] > 0)]
    return inside.groupby("customer_id", observed=True)["product_id"].nunique().rename("products")


def _within(dates: pd.Series, end: pd.Timestamp, days: int) -> pd.Series:
    return (dates > end - pd.Timedelta(days=days)) & (dates <= end)
