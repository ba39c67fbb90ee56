"""The life of a customer relation, and what a customer's history says of the service it needs."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

STAGES = ("new", "returned", "growing", "stable", "shrinking", "unknown", "dormant", "left")


def classify_relations(customers: pd.DataFrame, *, change: float = 0.20, new_days: int = 180, left_days: int = 365) -> pd.Series:
    """Return the stage of each customer's relation; index as in `customers`.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``tenure_days``, ``tenure_known``, ``days_since_last_order`` [days], ``value_growth`` [fraction or missing], ``orders``,
        ``orders_previous`` [counts in the window and in the one before, the latter missing where the data do not reach],
        ``leaving_status``.
    change : float
        Change of value against the window before from which a relation grows or shrinks [fraction].
    new_days, left_days : int
        A customer known to be younger than this is new; one silent for longer than that has left [days].

    Notes
    -----
    Rules, the first that holds: left: no order for longer than `left_days`; dormant: overdue or silent; new: known to be younger
    than `new_days`; returned: orders now, none in the window before, older than both; growing and shrinking by at least `change`;
    stable: in between; unknown: no window before to compare with.
    """
    silence, growth = customers["days_since_last_order"], customers["value_growth"]
    rules = [
        silence.isna() | (silence > left_days),
        customers["leaving_status"].isin(["overdue", "silent"]),
        customers["tenure_known"].astype("boolean").fillna(False).astype(bool) & (customers["tenure_days"] <= new_days),
        (customers["orders_previous"] == 0) & (customers["orders"] > 0) & ~_young(customers, left_days),
        growth >= change,
        growth <= -change,
        growth.isna(),
    ]
    names = ["left", "dormant", "new", "returned", "growing", "shrinking", "unknown"]
    return pd.Series(np.select(rules, names, default="stable").astype(object), index=customers.index, name="relation_stage")


def _young(customers: pd.DataFrame, days: int) -> pd.Series:
    return ~(customers["tenure_days"] > days)


def table_service_history(orders: pd.DataFrame, *, as_of: dt.date, window_days: int = 365) -> pd.DataFrame:
    """Return how soon each customer wanted its goods, and how much of them it got.

    Parameters
    ----------
    orders : pandas.DataFrame
        Table ``orders``: ``customer_id``, ``order_id``, ``ordered_on``, ``quantity_ordered``; optional ``requested_on``,
        ``quantity_delivered``.
    as_of, window_days
        Reference date, and days up to it [days].

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``requested_days`` [median days from order to requested date, missing without], ``rush_share`` [fraction
        of the order lines wanted in less than half the median of all lines], ``delivered_share`` [fraction of the units ordered
        that came, of lines at least 30 days old], sorted by ``customer_id``.
    """
    end = pd.Timestamp(as_of)
    rows = orders.loc[(orders["ordered_on"] > end - pd.Timedelta(days=window_days)) & (orders["ordered_on"] <= end)]
    wanted = (
        (rows["requested_on"] - rows["ordered_on"]).dt.days if "requested_on" in rows else pd.Series(np.nan, index=rows.index)
    )
    wanted = wanted.astype("float64")
    usual = float(np.median(wanted.dropna())) if wanted.notna().any() else np.nan
    rush = (wanted < usual / 2).astype("float64").where(wanted.notna())
    grouped = pd.DataFrame({"customer_id": rows["customer_id"], "requested_days": wanted, "rush_share": rush})
    result = grouped.groupby("customer_id", observed=True, sort=True).agg(
        requested_days=("requested_days", "median"), rush_share=("rush_share", "mean")
    )
    due = rows.loc[rows["ordered_on"] <= end - pd.Timedelta(days=30)]
    if "quantity_delivered" in due and len(due):
        sums = (
            due.assign(came=due["quantity_delivered"].fillna(0.0))
            .groupby("customer_id", observed=True)[["came", "quantity_ordered"]]
            .sum()
        )
        result["delivered_share"] = (sums["came"] / sums["quantity_ordered"].where(sums["quantity_ordered"] > 0)).reindex(
            result.index
        )
    else:
        result["delivered_share"] = np.nan
    return result.reset_index()


def classify_service_need(customers: pd.DataFrame, *, high_level: float = 0.97, rush_share: float = 0.25) -> pd.Series:
    """Return "high", "normal" or "low" need of service for each customer; index as in `customers`.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``contract_level`` [fraction or missing], ``penalty_agreed`` [bool or missing], ``rush_share`` [fraction or missing].
    high_level, rush_share : float
        Promise, and share of rush lines, from which the need is high [fraction].

    Notes
    -----
    high: promised at least `high_level`, or with a penalty, or at least `rush_share` of its lines in a rush; normal: some
    promise, or some rush; low: neither.
    """
    level, rush = customers["contract_level"].astype("float64"), customers["rush_share"].astype("float64")
    penalty = customers["penalty_agreed"].astype("boolean").fillna(False).astype(bool)
    high = (level >= high_level) | penalty | (rush >= rush_share)
    some = level.notna() | (rush > 0)
    return pd.Series(
        np.select([high, some], ["high", "normal"], default="low").astype(object), index=customers.index, name="service_need"
    )
