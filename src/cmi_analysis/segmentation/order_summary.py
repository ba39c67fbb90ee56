"""What a purchase model is fitted on: each customer's repeat orders, its age and its age at the last order."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

UNIT_DAYS = 7.0
SUMMARY = ("customer_id", "repeat_orders", "last_age", "age", "valued_orders", "mean_order_value")


def summarise_orders(orders: pd.DataFrame, *, as_of: dt.date, unit_days: float = UNIT_DAYS) -> pd.DataFrame:
    """Return one row a customer that ordered by `as_of`; several orders of one day are one.

    Parameters
    ----------
    orders : pandas.DataFrame
        ``customer_id``, ``date``, ``value`` [money]: frame of `table_order_days`, or order lines.
    as_of : datetime.date
        Reference date; nothing later counts.
    unit_days : float
        Unit of the ages [days].

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``repeat_orders`` [days with an order after the first], ``last_age`` [units from the first to the last
        order], ``age`` [units from the first order to `as_of`], ``valued_orders`` [order days with a value above 0],
        ``mean_order_value`` [money, mean of these; 0 without], sorted by ``customer_id``.

    Notes
    -----
    A customer's age counts from its first order *in the data*. Where the history is cut on the left that is a later one than its
    first ever; the models hold from any order on, as long as the customer was one then.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-01", "2025-01-15", "2025-01-15"])
    >>> orders = pd.DataFrame({"customer_id": "C1", "date": days, "value": [5.0, 6.0, 1.0]})
    >>> summarise_orders(orders, as_of=dt.date(2025, 1, 29)).values.tolist()
    [['C1', 1, 2.0, 4.0, 2, 6.0]]
    """
    end = pd.Timestamp(as_of)
    known = orders.loc[orders["date"] <= end]
    days = known.groupby(["customer_id", "date"], observed=True, sort=True)["value"].sum().reset_index()
    grouped = days.groupby("customer_id", observed=True, sort=True)
    result = grouped["date"].agg(first="min", last="max", days="size")
    result["repeat_orders"] = result["days"] - 1
    result["last_age"] = (result["last"] - result["first"]).dt.days / unit_days
    result["age"] = (end - result["first"]).dt.days / unit_days
    worth = days.loc[days["value"] > 0].groupby("customer_id", observed=True)["value"].agg(["size", "mean"]).reindex(result.index)
    result["valued_orders"] = worth["size"].fillna(0).astype("int64")
    result["mean_order_value"] = np.where(worth["mean"].notna(), worth["mean"].fillna(0.0), 0.0)
    return result.reset_index()[list(SUMMARY)]
