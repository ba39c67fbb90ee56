"""Segmentation: who the group's customers are, what each needs, who moved, who is leaving, and what we suggest."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.params.strategy import Strategy
from cmi_analysis.segmentation.life_cycle import classify_life_cycle
from cmi_analysis.segmentation.movement import table_migration
from cmi_analysis.segmentation.rfm import unreachable_scores
from cmi_analysis.segmentation.rules import ORDER
from cmi_analysis.segmentation.service import table_regions
from cmi_analysis.stages.plan_strategy import told_strategy
from cmi_analysis.stages.segment_book import pool_scores
from cmi_analysis.stages.segment_frames import (
    ALARM,
    CONFIDENTIAL,
    behaviour_summary,
    customer_frame,
    leaving_frame,
    life_stage_summary,
    month_frame,
    pattern_summary,
    product_frame,
    segment_frame,
    treatment_frame,
)
from cmi_analysis.stages.segment_inputs import Inputs, gather_inputs, pattern_frame
from cmi_analysis.stages.segment_kpis import kpi_frame
from cmi_analysis.stages.segment_replay import with_replay
from cmi_analysis.stages.segment_rules import order_of
from cmi_analysis.stages.segment_sections import cause_frame, cluster_frame, count_words, lifetime_frame, whale_frame
from cmi_analysis.tables import DataSet, Slice

BOOK_FRAMES = frozenset(
    {"customer_scores", "rfm_cuts", "segment_chances", "segment_rules", "value_tiers", "customer_clusters", "purchase_models"}
)


@dataclass(frozen=True)
class SegmentationResult:
    """What the segmentation found for one group; every frame sorted by its key.

    Attributes
    ----------
    customers : pandas.DataFrame
        One row a customer: profile, scores, ``segment``, classes, behaviour, leaving status, service need, distance.
    segments : pandas.DataFrame
        One row a segment that occurs: customers, value, ``value_share``, medians, ``stay_share`` (of resampled cut points),
        ``stay_month_share`` (same segment a month ago).
    products : pandas.DataFrame
        Life-cycle stage of each product used by the group.
    life_stages, behaviours : pandas.DataFrame
        Products by life-cycle stage; customers by behaviour.
    patterns : pandas.DataFrame
        Demand pattern: ``pattern``, ``series``, ``share`` of all series, ``value``, ``value_share``.
    series : pandas.DataFrame
        Demand pattern of each customer × product.
    seasons : pandas.DataFrame
        Seasons by product category over all customers (an aggregate of at least five).
    regions, moves, leaving, treatment : pandas.DataFrame
        Regions with distance bands; migration since the earlier date; overdue and silent customers; suggestions.
    whale, lifetimes, clusters : pandas.DataFrame
        What is left of each customer's value; what it will still bring, with intervals; clusters beside the segments.
    causes : pandas.DataFrame
        Why customers moved: what they did, or cut points that would have moved past them.
    models, tiers : pandas.DataFrame
        Fitted models and boundaries of the value tiers, over all groups (aggregates).
    cuts, unreachable : pandas.DataFrame
        Cut points of the scores and the scores that cannot occur.
    months : pandas.DataFrame
        Thirteen dates, the last one as_of: ``date``, ``customers_active``, ``value``, ``top20_value_share``,
        ``customers_overdue``, ``value_at_risk``.
    kpis : pandas.DataFrame
        ``kpi``, ``value``, ``last_year``, ``n``: the figures of the cards.
    facts : mapping
        Single values: what was used, from when, pooled or not.
    missing : mapping of str to str
        Section key to the text key of the sentence that says what is missing.
    """

    customers: pd.DataFrame
    segments: pd.DataFrame
    products: pd.DataFrame
    life_stages: pd.DataFrame
    behaviours: pd.DataFrame
    patterns: pd.DataFrame
    series: pd.DataFrame
    seasons: pd.DataFrame
    regions: pd.DataFrame
    moves: pd.DataFrame
    leaving: pd.DataFrame
    treatment: pd.DataFrame
    whale: pd.DataFrame
    lifetimes: pd.DataFrame
    clusters: pd.DataFrame
    causes: pd.DataFrame
    models: pd.DataFrame
    tiers: pd.DataFrame
    cuts: pd.DataFrame
    unreachable: pd.DataFrame
    months: pd.DataFrame
    kpis: pd.DataFrame
    facts: Mapping[str, Any]
    missing: Mapping[str, str]


def segment_book(
    tables: DataSet,
    *,
    as_of: dt.date,
    params: SegmentationParams,
    indices: pd.DataFrame | None = None,
    strategy: Strategy | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the book frames of the segmentation over all groups: see `segment_book.pool_scores`."""
    return pool_scores(tables, as_of=as_of, params=params, indices=indices, strategy=strategy)


def segment(part: Slice, params: SegmentationParams) -> SegmentationResult:
    """Return the segmentation of one group.

    Parameters
    ----------
    part : Slice
        The group's tables and book. Without the book's scores they are computed from the group alone, and the report says so.
    params : SegmentationParams
        Window, rule table, class boundaries, limits.
    """
    pooled = set(part.book) >= BOOK_FRAMES
    book = part.book if pooled else pool_scores(part.tables, as_of=part.as_of, params=params)
    inputs = gather_inputs(part.tables)
    history = _history(book["rfm_cuts"], inputs)
    series = pattern_frame(inputs, part.tables, as_of=part.as_of, params=params)
    customers = customer_frame(part, inputs, book, history=history, params=params)
    moves = _moves(customers, book.get("segment_history"))
    order = order_of(book["segment_rules"]) if params.segment_rules_file else ORDER[params.segment_names]
    products = _products(part, inputs, history)
    patterns = pattern_summary(series, inputs.purchases, as_of=part.as_of, window_days=params.window_days)
    months = month_frame(inputs, as_of=part.as_of, history=history, params=params)
    missing = _missing(part.tables, customers, moves, products) | _missing_values(customers)
    result = SegmentationResult(
        customers=customers,
        segments=segment_frame(customers, order=order, chances=book["segment_chances"]),
        products=products,
        life_stages=life_stage_summary(products),
        behaviours=behaviour_summary(customers),
        patterns=patterns,
        series=series,
        seasons=book["category_seasons"] if "category_seasons" in book else pd.DataFrame(),
        regions=table_regions(customers),
        moves=moves,
        leaving=leaving_frame(customers),
        treatment=_treatment(part, customers, order=order, replay=book.get("shortage_replay")),
        whale=whale_frame(customers),
        lifetimes=lifetime_frame(customers),
        clusters=cluster_frame(customers, book["customer_clusters"]),
        causes=cause_frame(customers, book.get("segment_history")),
        models=book["purchase_models"],
        tiers=book["value_tiers"],
        cuts=book["rfm_cuts"],
        unreachable=unreachable_scores(book["rfm_cuts"]),
        months=months,
        kpis=kpi_frame(customers, patterns=patterns, months=months),
        facts=_facts(part, inputs, book, customers, history=history, pooled=pooled, params=params),
        missing=missing,
    )
    return _client_edition(result) if params.audience == "client" else result


def _treatment(part: Slice, customers: pd.DataFrame, *, order: Sequence[str], replay: pd.DataFrame | None) -> pd.DataFrame:
    """Return what each segment gets by the strategy, and what that would have changed in past shortages."""
    return with_replay(treatment_frame(customers, order=order, strategy=told_strategy(part)), customers, replay)


def _client_edition(result: SegmentationResult) -> SegmentationResult:
    """Return the result without cost, contribution, our worry about losing the customer, and our rule for short stock."""
    hidden = dict.fromkeys(("leaving", "treatment", "contribution", "lifetime"), "segmentation.missing.internal")
    risky = ["customers_at_risk", "value_at_risk"]
    return dataclasses.replace(
        result,
        customers=result.customers.drop(
            columns=[*CONFIDENTIAL, "value_at_risk", "leaving_status", "overdue_tail", "expected_by_on"]
        ),
        segments=result.segments.drop(columns=risky),
        leaving=result.leaving.iloc[:0].drop(columns=[*CONFIDENTIAL, *ALARM]),
        treatment=result.treatment.iloc[:0][["segment", "customers"]],
        whale=result.whale.iloc[:0][["customer_id", "customer_name"]],
        lifetimes=result.lifetimes.iloc[:0][["customer_id", "customer_name"]],
        models=result.models.iloc[:0],
        kpis=result.kpis.loc[~result.kpis["kpi"].isin(["customers_overdue", "value_at_risk_share", *risky])].reset_index(
            drop=True
        ),
        months=result.months.drop(columns=["customers_overdue", "value_at_risk"]),
        missing={**result.missing, **hidden},
    )


def _products(part: Slice, inputs: Inputs, history: dt.date | None) -> pd.DataFrame:
    listed, frequency = part.tables.get("products"), part.tables.settings.frequency
    stages = classify_life_cycle(inputs.use, as_of=part.as_of, products=listed, history_from=history, frequency=frequency)
    return product_frame(stages, listed)


def _history(cuts: pd.DataFrame, inputs: Inputs) -> dt.date | None:
    if len(cuts) and pd.notna(cuts["history_from_on"].iloc[0]):
        return pd.Timestamp(cuts["history_from_on"].iloc[0]).date()
    return inputs.history_from()


def _moves(customers: pd.DataFrame, history: pd.DataFrame | None) -> pd.DataFrame:
    if history is None or history.empty:
        none = customers.iloc[:0].assign(segment_then="", first_order_known_then=False)
        return table_migration(none)
    then = history[["customer_id", "segment_then", "first_order_known_then"]]
    rows = customers[["customer_id", "segment", "orders", "value"]].merge(then, on="customer_id", how="left")
    known = rows["first_order_known_then"].astype("boolean").fillna(False).astype(bool)
    return table_migration(rows.assign(segment=rows["segment"].where(rows["orders"] > 0, ""), first_order_known_then=known))


def _facts(
    part: Slice,
    inputs: Inputs,
    book: Mapping[str, pd.DataFrame],
    customers: pd.DataFrame,
    *,
    history: dt.date | None,
    pooled: bool,
    params: SegmentationParams,
) -> dict[str, Any]:
    cuts = book["rfm_cuts"]
    scored_on = pd.Timestamp(cuts["cuts_on"].iloc[0]).date() if len(cuts) else part.as_of
    return {
        "basis": inputs.basis,
        "use_basis": inputs.use_basis,
        "priced": inputs.priced,
        "unpriced_share": inputs.unpriced_share,
        "contracts_known": part.tables.has("contracts"),
        "returns_known": inputs.returns is not None,
        "history_from": history.isoformat() if history else "",
        "pooled": pooled,
        "pool_customers": int(cuts["customers"].iloc[0]) if len(cuts) else 0,
        "as_of": part.as_of.isoformat(),
        "cuts_on": scored_on.isoformat(),
        "window_days": params.window_days,
        "movement_days": params.movement_days,
        "silent_days": params.silent_days,
        "cuts_version": str(cuts["cuts_version"].iloc[0]) if len(cuts) else "",
        "counts": count_words(customers),
        "lifetime_months": params.lifetime_months,
        "discount_rate": params.discount_rate,
        "least_model_customers": params.least_model_customers,
        "site_cluster_km": params.site_cluster_km,
        "currency": part.tables.settings.currency if inputs.priced else "",
        "frequency": part.tables.settings.frequency,
        "customers_listed": len(part.tables["customers"]) if part.tables.get("customers") is not None else 0,
    }


def _missing(tables: DataSet, customers: pd.DataFrame, moves: pd.DataFrame, products: pd.DataFrame) -> dict[str, str]:
    missing: dict[str, str] = {}
    if customers.empty or not (customers["orders"] > 0).any():
        for key in ("value", "segments", "behaviour", "stability", "leaving", "treatment"):
            missing[key] = "segmentation.missing.orders"
    if moves.empty:
        missing["movement"] = "segmentation.missing.history"
    if products.empty:
        missing["life_cycle"] = "segmentation.missing.use"
    if not (tables.has("customers", "region") or tables.has("contracts")):
        missing["service_geography"] = "segmentation.missing.geography"
    return missing


def _missing_values(customers: pd.DataFrame) -> dict[str, str]:
    columns = {"contribution": "contribution", "lifetime": "lifetime_value", "clusters": "cluster"}
    return {key: f"segmentation.missing.{key}" for key, name in columns.items() if not customers[name].notna().any()}
