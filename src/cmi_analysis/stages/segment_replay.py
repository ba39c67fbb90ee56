"""The suggested priorities held against history: who was served when stock was short, and who would have been."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd

from cmi_analysis.measures.calendar import period_start
from cmi_analysis.segmentation.replay import replay_shortages
from cmi_analysis.segmentation.rules import SILENT
from cmi_analysis.tables import DataSet

SETTLED_DAYS = 30  # younger lines may still be delivered
REPLAY = ["customer_id", "short_ordered", "short_delivered", "short_by_priority"]


def replay_frame(
    tables: DataSet, segments: pd.DataFrame, *, priorities: Mapping[str, int], as_of: dt.date, window_days: int
) -> pd.DataFrame:
    """Return what each customer ordered in past shortages, what came, and what strict priority would have given it.

    Parameters
    ----------
    tables : DataSet
        All groups' tables: short stock is shared over all of them.
    segments : pandas.DataFrame
        ``customer_id``, ``segment`` of today.
    priorities : mapping of str to int
        Rank of each segment, 1 is served first.
    as_of, window_days
        Reference date, and days up to it [days]; lines of the last 30 days are left out.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``short_ordered``, ``short_delivered``, ``short_by_priority`` [sales units], sorted; empty where
        deliveries are not known or nothing was short.

    Notes
    -----
    Lines of one product, week and warehouse compete; what came is what was delivered up to as_of, late or not. Lines cancelled by
    the customer are left out.
    """
    if not tables.has("orders", "quantity_delivered"):
        return pd.DataFrame({name: pd.Series(dtype="object" if name == "customer_id" else "float64") for name in REPLAY})
    end, orders = pd.Timestamp(as_of), tables["orders"]
    settled = (orders["ordered_on"] > end - pd.Timedelta(days=window_days)) & (
        orders["ordered_on"] <= end - pd.Timedelta(days=SETTLED_DAYS)
    )
    kept = settled & (orders["quantity_ordered"] > 0) & orders["quantity_delivered"].notna()
    if "cancelled_by" in orders:
        kept &= orders["cancelled_by"].astype(object).where(orders["cancelled_by"].notna(), "") != "customer"
    rows = orders.loc[kept]
    own = segments.drop_duplicates("customer_id").set_index("customer_id")["segment"]
    lines = pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "segment": rows["customer_id"].map(own).astype(object).fillna(SILENT),
            "product_id": rows["product_id"],
            "period": period_start(rows["ordered_on"], frequency="week", week_start=tables.settings.week_start),
            "ordered": rows["quantity_ordered"].astype("float64"),
            "delivered": rows["quantity_delivered"].astype("float64").clip(lower=0.0),
        }
    )
    if "warehouse_id" in rows:
        lines["warehouse_id"] = rows["warehouse_id"].astype(object).where(rows["warehouse_id"].notna(), "")
    shared = replay_shortages(lines, priorities=priorities)
    shared = shared.assign(delivered=shared[["delivered", "ordered"]].min(axis=1))
    sums = shared.groupby("customer_id", observed=True, sort=True)[["ordered", "delivered", "by_priority"]].sum().reset_index()
    return sums.set_axis(REPLAY, axis=1)


def with_replay(treatment: pd.DataFrame, customers: pd.DataFrame, replay: pd.DataFrame | None) -> pd.DataFrame:
    """Return the treatment with what the customers of each segment got in shortages and would have got."""
    if replay is None or replay.empty:
        return treatment.assign(short_ordered=0.0, served_share=float("nan"), served_by_priority=float("nan"))
    rows = customers[["customer_id", "segment"]].merge(replay, on="customer_id", how="inner")
    sums = rows.groupby("segment", observed=True)[REPLAY[1:]].sum()
    some = sums["short_ordered"].where(sums["short_ordered"] > 0)
    shares = pd.DataFrame(
        {
            "short_ordered": sums["short_ordered"],
            "served_share": sums["short_delivered"] / some,
            "served_by_priority": sums["short_by_priority"] / some,
        }
    ).reset_index()
    result = treatment.merge(shares, on="segment", how="left")
    return result.assign(short_ordered=result["short_ordered"].fillna(0.0))
