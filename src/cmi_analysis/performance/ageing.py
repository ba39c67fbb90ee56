"""Excess stock item by item, and stock by the time since it was last used."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

ITEM = ["customer_id", "product_id"]
AGE_BUCKETS = ("up_to_30", "31_to_90", "91_to_180", "181_to_365", "over_365")
_EDGES = (-np.inf, 30, 90, 180, 365, np.inf)


def score_ageing(
    stock: pd.DataFrame,
    sales: pd.DataFrame,
    *,
    values: pd.Series | None,
    excess: pd.DataFrame,
    as_of: dt.date,
    fresh_days: int = 91,
) -> pd.DataFrame:
    """Return each item's newest stock with the days since its last use, its worth and its excess.

    Without lots the age of units is not known; the time since the item was last used stands for it and is named so.

    Parameters
    ----------
    stock, sales : DataFrame
        Snapshots (customer_id, product_id, date, on_hand) and use (customer_id, product_id, date, quantity).
    values : Series or None
        Money per unit by product_id; None: worth in units.
    excess : DataFrame
        Parts of the KPI excess_value (customer_id, product_id, numerator).
    as_of : date
        Last day known.
    fresh_days : int
        Snapshots older than this are left out [days].

    Returns
    -------
    DataFrame
        Columns customer_id, product_id, on_hand, worth, excess, days_since_use (never used: inf), bucket, sorted by excess.
    """
    stop = pd.Timestamp(as_of)
    known = stock[(stock["date"] <= stop) & (stock["date"] > stop - pd.Timedelta(days=fresh_days)) & stock["on_hand"].notna()]
    rows = known.sort_values([*ITEM, "date"], kind="stable").groupby(ITEM, sort=True).tail(1)
    used = sales[(sales["quantity"] > 0) & (sales["date"] <= stop)].groupby(ITEM)["date"].max().rename("used_on")
    rows = rows.join(used, on=ITEM)
    days = (stop - rows["used_on"]).dt.days.astype(float).fillna(np.inf)
    rate = 1.0 if values is None else rows["product_id"].map(values)
    too_much = excess.groupby(ITEM)["numerator"].sum()
    own = too_much.reindex(pd.MultiIndex.from_frame(rows[ITEM])).fillna(0.0).to_numpy()
    bucket = pd.cut(days, bins=list(_EDGES), labels=list(AGE_BUCKETS)).astype(str)
    rows = rows.assign(worth=rows["on_hand"].clip(lower=0) * rate, days_since_use=days, bucket=bucket, excess=own)
    rows = rows.sort_values(["excess", *ITEM], ascending=[False, True, True], kind="stable")
    return rows[[*ITEM, "on_hand", "worth", "excess", "days_since_use", "bucket"]].reset_index(drop=True)


def sum_ageing(items: pd.DataFrame) -> pd.DataFrame:
    """Return the worth and number of items in stock by bucket of `score_ageing`, in their order: bucket, worth, share, items."""
    held = items[items["on_hand"] > 0]
    total = held.groupby("bucket").agg(worth=("worth", "sum"), items=("product_id", "size")).reindex(list(AGE_BUCKETS))
    total = total.fillna({"worth": 0.0, "items": 0}).reset_index(names="bucket")
    whole = total["worth"].sum()
    return total.assign(share=total["worth"] / whole if whole else np.nan, items=total["items"].astype(int))
