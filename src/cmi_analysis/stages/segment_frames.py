"""The frames of the segmentation's result: what one group's report shows, row by row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.params.strategy import Strategy
from cmi_analysis.segmentation.behaviour import classify_behaviour, score_promotion_share
from cmi_analysis.segmentation.leaving import classify_leaving, judge_silence
from cmi_analysis.segmentation.life_cycle import STAGES
from cmi_analysis.segmentation.profile import table_order_days, total_window
from cmi_analysis.segmentation.relations import classify_relations, classify_service_need, table_service_history
from cmi_analysis.segmentation.rules import SILENT
from cmi_analysis.segmentation.service import table_service_need
from cmi_analysis.segmentation.treatment import propose_treatment
from cmi_analysis.segmentation.value import top_share
from cmi_analysis.stages.plan_strategy import strategy_by_segment
from cmi_analysis.stages.segment_inputs import Inputs, customer_pattern
from cmi_analysis.stages.segment_market import distances, site_clusters
from cmi_analysis.stages.segment_sections import second_segments, sure_counts
from cmi_analysis.tables import DataSet, Slice

AT_RISK = ("overdue", "silent")
MONTHS = 13
CONFIDENTIAL = (
    "margin",
    "handling_cost",
    "cost_to_serve",
    "contribution",
    "contribution_class",
    "penalty_agreed",
    "alive_chance",
    "expected_orders",
    "lifetime_value",
    "lifetime_value_low",
    "lifetime_value_high",
    "lifetime_method",
    "relation_stage",
)
ALARM = ("value_at_risk", "leaving_status", "overdue_tail", "expected_by_on", "value_before_silence")
BEHAVIOURS = ("everyday", "seasonal", "sporadic", "new", "silent")
_NAMES = ["customer_id", "customer_name", "customer_group", "region", "country", "channel", "site_type"]


def customer_frame(
    part: Slice, inputs: Inputs, book: Mapping[str, pd.DataFrame], *, history: dt.date | None, params: SegmentationParams
) -> pd.DataFrame:
    """Return one row a customer of the group, those without any order included, largest value first."""
    listed = _listed(part.tables, inputs)
    scores = book["customer_scores"].drop(columns=[name for name in _NAMES[1:] if name in book["customer_scores"]])
    result = listed.merge(scores, on="customer_id", how="left")
    behaviour = classify_behaviour(
        inputs.purchases,
        as_of=part.as_of,
        use=inputs.use if inputs.use_basis == "sales" else None,
        window_days=params.window_days,
        history_from=history,
    )
    rhythm = classify_leaving(
        inputs.orders_only(),
        as_of=part.as_of,
        tail=params.overdue_tail,
        silent_days=params.silent_days,
        window_days=params.window_days,
        returns=inputs.returns,
    )
    result = result.merge(behaviour, on="customer_id", how="left")
    result = result.merge(rhythm.drop(columns="days_since_last_order"), on="customer_id", how="left")
    result = result.merge(_service(part.tables, as_of=part.as_of), on="customer_id", how="left")
    result = result.merge(_places(part.tables, listed, params=params), on="customer_id", how="left")
    result = result.merge(_habits(part, inputs, params=params), on="customer_id", how="left")
    result = result.merge(
        second_segments(book["segment_chances"], result[["customer_id", "segment"]]), on="customer_id", how="left"
    )
    result = _filled(result)
    gain = result["value"].clip(lower=0.0)
    result["value_share"] = gain / gain.sum() if gain.sum() > 0 else 0.0
    result = result.sort_values(["value", "customer_id"], ascending=[False, True], kind="stable", ignore_index=True)
    return result.assign(cumulative_share=result["value_share"].cumsum().clip(upper=1.0))


def _filled(result: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with words and zeros where a customer has no order, and with what follows from several sources."""
    counts = ["orders", "products", "active_months", "season_years", "intervals"]
    result[counts] = result[counts].fillna(0).astype("int64")
    result[["value", "units", "returned_value"]] = result[["value", "units", "returned_value"]].fillna(0.0)
    words = {"segment": SILENT, "behaviour": "silent", "order_style": "", "leaving_status": "no_orders", "value_class": "C"}
    words |= {"value_tier": "low", "market": "unknown", "lifetime_method": "none"}
    result = result.assign(
        **{name: result[name].astype(object).where(result[name].notna(), word) for name, word in words.items()}
    )
    at_risk = result["leaving_status"].isin(AT_RISK)
    result["value_at_risk"] = result["value_before_silence"].where(at_risk, 0.0).fillna(0.0).clip(lower=0.0)
    result["relation_stage"] = classify_relations(result)
    result["service_need"] = classify_service_need(result)
    result["cost_to_serve"] = result["handling_cost"] / result["orders"].where(result["orders"] > 0)
    return result


def _listed(tables: DataSet, inputs: Inputs) -> pd.DataFrame:
    customers = tables.get("customers")
    if customers is None:
        customers = pd.DataFrame({"customer_id": sorted(set(inputs.purchases["customer_id"]))})
    listed = customers.drop_duplicates("customer_id").reset_index(drop=True)
    columns = {name: listed[name] if name in listed else pd.Series(None, index=listed.index, dtype="object") for name in _NAMES}
    result = pd.DataFrame(columns)
    return result.assign(customer_name=result["customer_name"].where(result["customer_name"].notna(), result["customer_id"]))


def _service(tables: DataSet, *, as_of: dt.date) -> pd.DataFrame:
    if tables.has("contracts"):
        return table_service_need(tables["contracts"], as_of=as_of)
    names = ["customer_id", "contract_measure", "contract_window", "penalty_agreed"]
    return pd.DataFrame({name: pd.Series(dtype="object") for name in names}).assign(
        contract_level=pd.Series(dtype="float64"), contracts=pd.Series(dtype="float64")
    )


def _places(tables: DataSet, listed: pd.DataFrame, *, params: SegmentationParams) -> pd.DataFrame:
    """Return distance and cluster of the sites."""
    found = listed[["customer_id"]].merge(distances(tables), on="customer_id", how="left")
    found["distance_band"] = found["distance_band"].astype(object).where(found["distance_band"].notna(), "")
    found["warehouse_assumed"] = found["warehouse_assumed"].astype("boolean").fillna(False).astype(bool)
    found["distance_km"] = found["distance_km"].astype("float64")
    return found.merge(site_clusters(tables, params), on="customer_id", how="left").drop(columns="site_cluster_sites")


def _habits(part: Slice, inputs: Inputs, *, params: SegmentationParams) -> pd.DataFrame:
    """Return demand pattern, share on promotion, and how each customer was served."""
    found = customer_pattern(inputs, part.tables, as_of=part.as_of, params=params)[["customer_id", "demand_pattern"]]
    if "promotion" in inputs.use:
        share = score_promotion_share(inputs.use, as_of=part.as_of, window_days=params.window_days)
    else:
        share = pd.DataFrame({"customer_id": pd.Series(dtype=object), "promotion_share": pd.Series(dtype="float64")})
    if inputs.basis == "orders":
        served = table_service_history(part.tables["orders"], as_of=part.as_of, window_days=params.window_days)
    else:
        names = ("requested_days", "rush_share", "delivered_share")
        served = pd.DataFrame({"customer_id": pd.Series(dtype=object), **{n: pd.Series(dtype="float64") for n in names}})
    return found.merge(share, on="customer_id", how="outer").merge(served, on="customer_id", how="outer")


def segment_frame(customers: pd.DataFrame, *, order: Sequence[str], chances: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return one row a segment that occurs, in the order given, customers without an order last."""
    moved = customers["segment_month_ago"].notna() & (customers["segment_month_ago"] != "")
    rows = customers.assign(
        stays=(customers["segment"] == customers["segment_month_ago"]).astype("float64").where(moved),
        at_risk=customers["leaving_status"].isin(AT_RISK),
    )
    result = rows.groupby("segment", observed=True, sort=True).agg(
        customers=("customer_id", "size"),
        value=("value", "sum"),
        days_since_last_order=("days_since_last_order", "median"),
        orders=("orders", "median"),
        customers_at_risk=("at_risk", "sum"),
        value_at_risk=("value_at_risk", "sum"),
        stay_share=("stay_share", "mean"),
        stay_month_share=("stays", "mean"),
    )
    total = customers["value"].clip(lower=0.0).sum()
    result["value_share"] = result["value"].clip(lower=0.0) / total if total > 0 else 0.0
    there = [name for name in (*order, SILENT) if name in result.index]
    result = result.reindex(pd.Index(there, name="segment")).reset_index()
    result = result.merge(sure_counts(customers, chances), on="segment", how="left")
    counts = ["customers_sure", "customers_possible"]
    return result.assign(**{name: result[name].fillna(0).astype("int64") for name in counts})


def behaviour_summary(customers: pd.DataFrame) -> pd.DataFrame:
    """Return customers and value by behaviour, all five of them."""
    grouped = customers.groupby("behaviour", observed=True)
    result = grouped.agg(
        customers=("customer_id", "size"),
        value=("value", "sum"),
        value_share=("value_share", "sum"),
        orders_per_year=("orders_per_year", "median"),
        median_interval_days=("median_interval_days", "median"),
        order_size_cv=("order_size_cv", "median"),
        products=("products", "median"),
    )
    result = result.reindex(pd.Index(BEHAVIOURS, name="behaviour")).reset_index()
    result["customers"] = result["customers"].fillna(0).astype("int64")
    return result.assign(value=result["value"].fillna(0.0), value_share=result["value_share"].fillna(0.0))


def life_stage_summary(products: pd.DataFrame) -> pd.DataFrame:
    """Return products and units of the last half year by life-cycle stage, all six of them."""
    result = products.groupby("life_stage", observed=True).agg(products=("product_id", "size"), quantity=("quantity", "sum"))
    result = result.reindex(pd.Index(STAGES, name="life_stage")).reset_index()
    return result.assign(products=result["products"].fillna(0).astype("int64"), quantity=result["quantity"].fillna(0.0))


def leaving_frame(customers: pd.DataFrame) -> pd.DataFrame:
    """Return the overdue and silent customers, most value at risk first."""
    rows = customers.loc[customers["leaving_status"].isin(AT_RISK)]
    return rows.sort_values(["value_at_risk", "customer_id"], ascending=[False, True], kind="stable", ignore_index=True)


def product_frame(stages: pd.DataFrame, products: pd.DataFrame | None) -> pd.DataFrame:
    """Return the life-cycle stages with names and categories, largest use of the last half year first."""
    result = stages
    for name in ("product_name", "category"):
        if products is not None and name in products:
            result = result.assign(
                **{name: result["product_id"].map(products.drop_duplicates("product_id").set_index("product_id")[name])}
            )
        else:
            result = result.assign(**{name: None})
    result["product_name"] = result["product_name"].where(result["product_name"].notna(), result["product_id"])
    return result.sort_values(["quantity", "product_id"], ascending=[False, True], kind="stable", ignore_index=True)


def pattern_summary(series: pd.DataFrame, purchases: pd.DataFrame, *, as_of: dt.date, window_days: int) -> pd.DataFrame:
    """Return how many customer × product series show each demand pattern, and the value they carry."""
    inside = purchases.loc[purchases["date"] > pd.Timestamp(as_of) - pd.Timedelta(days=window_days)]
    value = inside.groupby(["customer_id", "product_id"], observed=True)["value"].sum().rename("value").reset_index()
    rows = series.loc[series["demands"] > 0].merge(value, on=["customer_id", "product_id"], how="left")
    result = rows.groupby("pattern", observed=True, sort=True).agg(series=("demands", "size"), value=("value", "sum"))
    result = result.reindex(pd.Index(["smooth", "erratic", "intermittent", "lumpy", "too_few"], name="pattern")).reset_index()
    result["series"] = result["series"].fillna(0).astype("int64")
    result["value"] = result["value"].fillna(0.0)
    for name, share in (("series", "share"), ("value", "value_share")):
        total = float(result[name].sum())
        result[share] = result[name] / total if total > 0 else 0.0
    return result[["pattern", "series", "share", "value", "value_share"]]


def treatment_frame(customers: pd.DataFrame, *, order: Sequence[str], strategy: Strategy | None = None) -> pd.DataFrame:
    """Return the treatment of each segment with the customers and the value that it touches.

    Priority, target, review and contact are the strategy's for a usual item; without a strategy (and for the next step) they are
    suggestions.
    """
    sums = customers.groupby("segment", observed=True).agg(customers=("customer_id", "size"), value=("value", "sum"))
    proposed = propose_treatment(segments=order)
    if strategy is not None:
        given = strategy_by_segment(strategy, proposed["segment"].tolist())
        proposed = given.merge(proposed[["segment", "next_step"]], on="segment")
    result = proposed.merge(sums.reset_index(), on="segment", how="left")
    result["strategy_rule"] = result["strategy_rule"] if strategy is not None else ""
    result["customers"] = result["customers"].fillna(0).astype("int64")
    return result.assign(value=result["value"].fillna(0.0))


def month_frame(inputs: Inputs, *, as_of: dt.date, history: dt.date | None, params: SegmentationParams) -> pd.DataFrame:
    """Return the key figures at as_of and at the same day of the twelve months before it.

    A figure of a window that the data do not reach back to is missing.
    """
    orders = inputs.orders_only()
    rows = []
    for number in range(MONTHS - 1, -1, -1):
        day = (pd.Timestamp(as_of) - pd.DateOffset(months=number)).date()
        whole = history is not None and history <= day - dt.timedelta(days=params.window_days - 1)
        known = table_order_days(orders, as_of=day)
        window = {"window_days": params.window_days, "returns": inputs.returns}
        totals = total_window(known, as_of=day, **window)
        rhythm = judge_silence(known, as_of=day, tail=params.overdue_tail, silent_days=params.silent_days, **window)
        risky = rhythm["leaving_status"].isin(AT_RISK)
        figures = {
            "customers_active": float((totals["orders"] > 0).sum()),
            "value": float(totals["value"].sum()),
            "top20_value_share": top_share(totals["value"]),
            "customers_overdue": float((rhythm["leaving_status"] == "overdue").sum()),
            "value_at_risk": float(rhythm.loc[risky, "value_before_silence"].clip(lower=0.0).sum()),
        }
        rows.append({"date": pd.Timestamp(day), **{name: value if whole else np.nan for name, value in figures.items()}})
    return pd.DataFrame(rows)
