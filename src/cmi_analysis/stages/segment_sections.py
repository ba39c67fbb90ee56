"""The frames behind the sections on contribution, lifetime value, clusters and the causes of moves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cmi_analysis.segmentation.movement import split_moves
from cmi_analysis.segmentation.relations import STAGES
from cmi_analysis.segmentation.tiers import TIERS, table_whale_curve

SURE, POSSIBLE = 0.9, 0.1
DOUBTFUL = 0.5
LIFETIMES = [
    "customer_id",
    "customer_name",
    "relation_stage",
    "alive_chance",
    "expected_orders",
    "lifetime_value",
    "lifetime_value_low",
    "lifetime_value_high",
    "lifetime_method",
]
WHALE = ["customer_id", "customer_name", "value_tier", "value", "margin", "handling_cost", "cost_to_serve", "contribution_class"]
CAUSES = ("none", "customer", "threshold", "both")


def whale_frame(customers: pd.DataFrame) -> pd.DataFrame:
    """Return what is left of each customer's value, most first, with the whale curve."""
    curve = table_whale_curve(customers)
    return curve.merge(customers[WHALE], on="customer_id", how="left")[[*WHALE, "contribution", "customers_share", "whale_share"]]


def lifetime_frame(customers: pd.DataFrame) -> pd.DataFrame:
    """Return the lifetime values with their intervals, largest first; customers without one last."""
    rows = customers[LIFETIMES]
    return rows.sort_values(
        ["lifetime_value", "customer_id"], ascending=[False, True], kind="stable", ignore_index=True, na_position="last"
    )


def cluster_frame(customers: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """Return the clusters that the group's customers are in, the segment most of them stand in, and medians over all groups.

    Medians of a cluster of fewer than five customers are missing.
    """
    rows = customers.loc[customers["cluster"].notna()]
    grouped = rows.groupby("cluster", observed=True, sort=True)
    result = grouped.agg(customers=("customer_id", "size"), cluster_keep_share=("cluster_keep_share", "mean")).reset_index()
    most = rows.groupby(["cluster", "segment"], observed=True).size().rename("most_customers").reset_index()
    most = most.sort_values(["cluster", "most_customers", "segment"], ascending=[True, False, True], kind="stable")
    result = result.merge(most.drop_duplicates("cluster").rename(columns={"segment": "most_segment"}), on="cluster", how="left")
    names = {"days_since_last_order": "days_median", "orders": "orders_median", "value": "value_median"}
    about = clusters.rename(columns=names)[["cluster", *names.values()]].astype({"cluster": "Int64"})
    likeness = float(clusters["cluster_likeness"].iloc[0]) if len(clusters) else float("nan")
    return result.astype({"cluster": "Int64"}).merge(about, on="cluster", how="left").assign(cluster_likeness=likeness)


def cause_frame(customers: pd.DataFrame, history: pd.DataFrame | None) -> pd.DataFrame:
    """Return how many customers moved by what they did, and how many the moving cut points alone would have moved."""
    if history is None or history.empty:
        return pd.DataFrame({"move_cause": pd.Series(dtype=object), "customers": pd.Series(dtype="int64"), "value": []})
    rows = customers[["customer_id", "segment", "orders", "value"]].merge(history, on="customer_id", how="inner")
    cause = split_moves(rows.assign(segment=rows["segment"].where(rows["orders"] > 0, "")))
    result = rows.assign(move_cause=cause).groupby("move_cause").agg(customers=("customer_id", "size"), value=("value", "sum"))
    result = result.reindex(pd.Index(CAUSES, name="move_cause")).reset_index()
    return result.assign(customers=result["customers"].fillna(0).astype("int64"), value=result["value"].fillna(0.0))


def sure_counts(customers: pd.DataFrame, chances: pd.DataFrame | None) -> pd.DataFrame:
    """Return by segment how many of the group's customers surely belong to it, and how many possibly do.

    Surely: in at least nine of ten resampled populations; possibly: in at least one of ten.
    """
    if chances is None or chances.empty:
        return pd.DataFrame({"segment": pd.Series(dtype=object), "customers_sure": [], "customers_possible": []})
    rows = chances.loc[chances["customer_id"].isin(customers["customer_id"])]
    flags = rows.assign(
        customers_sure=(rows["segment_chance"] >= SURE).astype("int64"),
        customers_possible=(rows["segment_chance"] >= POSSIBLE).astype("int64"),
    )
    return flags.groupby("segment", observed=True)[["customers_sure", "customers_possible"]].sum().reset_index()


def second_segments(chances: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Return ``customer_id``, ``second_segment``: where a customer most often lands when it does not land in its own."""
    rows = chances.merge(segments.rename(columns={"segment": "own"}), on="customer_id", how="inner")
    rows = rows.loc[(rows["segment"] != rows["own"]) & (rows["segment_chance"] >= POSSIBLE)]
    rows = rows.sort_values(["customer_id", "segment_chance", "segment"], ascending=[True, False, True], kind="stable")
    return rows.drop_duplicates("customer_id")[["customer_id", "segment"]].rename(columns={"segment": "second_segment"})


def count_words(customers: pd.DataFrame) -> dict[str, Mapping[str, int]]:
    """Return how many customers stand in each stage, tier, market, need, style, pattern and cluster of sites.

    Doubtful: not overdue by a rhythm of its own, but with a chance below one half to be still a customer.
    """
    kinds = {"relation_stage": STAGES, "value_tier": TIERS}
    found: dict[str, Mapping[str, int]] = {
        kind: {name: int((customers[kind] == name).sum()) for name in names} for kind, names in kinds.items()
    }
    for kind in ("market", "service_need", "order_style", "demand_pattern"):
        counts = customers.loc[customers[kind].notna() & (customers[kind] != ""), kind].value_counts()
        found[kind] = {str(name): int(count) for name, count in sorted(counts.items())}
    doubt = customers["leaving_status"].isin(["too_few", "on_time"]) & (customers["alive_chance"] < DOUBTFUL)
    found["doubtful"] = {"customers": int(doubt.sum())}
    sizes = customers["site_cluster"].dropna().value_counts()
    found["site_cluster"] = {"clusters": len(sizes), "largest": int(sizes.max()) if len(sizes) else 0}
    return found
