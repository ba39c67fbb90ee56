"""Tables of the segmentation: order, names and format; the numbers come finished."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from cmi_analysis.displays.table import Table, table
from cmi_analysis.labels import Language, text

Audience = Literal["internal", "client"]
KINDS = {
    "value": "money",
    "contribution": "money",
    "value_at_risk": "money",
    "margin": "money",
    "handling_cost": "money",
    "cost_to_serve": "money",
    "lifetime_value": "money",
    "lifetime_value_low": "money",
    "lifetime_value_high": "money",
    "value_median": "money",
    "days_median": "days",
    "orders_median": "quantity",
    "expected_orders": "quantity",
    "alive_chance": "rate",
    "short_ordered": "quantity",
    "served_share": "rate",
    "served_by_priority": "rate",
    "cluster_keep_share": "rate",
    "cluster": "count",
    "customers_sure": "count",
    "customers_possible": "count",
    "value_tier": "word:segmentation.tier",
    "relation_stage": "word:segmentation.relation",
    "lifetime_method": "word:segmentation.method",
    "most_segment": "word:segmentation.segment",
    "value_share": "rate",
    "value_growth": "signed_rate",
    "change": "signed_rate",
    "share": "rate",
    "stay_share": "rate",
    "stay_month_share": "rate",
    "contract_level": "rate",
    "service_target": "rate",
    "customers": "count",
    "customers_at_risk": "count",
    "customers_under_contract": "count",
    "orders": "quantity",
    "orders_per_year": "quantity",
    "products": "quantity",
    "quantity": "quantity",
    "quantity_year_ago": "quantity",
    "days_since_last_order": "days",
    "median_interval_days": "days",
    "review_period_days": "days",
    "contact_days": "days",
    "regularity": "ratio",
    "order_size_cv": "ratio",
    "distance_km": "quantity",
    "shortage_priority": "count",
    "expected_by_on": "date",
    "last_use_on": "date",
    "segment": "word:segmentation.segment",
    "segment_from": "word:segmentation.segment",
    "segment_to": "word:segmentation.segment",
    "behaviour": "word:segmentation.behaviour",
    "leaving_status": "word:segmentation.status",
    "life_stage": "word:segmentation.stage",
    "next_step": "word:segmentation.step",
    "rule": "word:segmentation.rule",
}
CONFIDENTIAL = (
    "contribution",
    "value_at_risk",
    "customers_at_risk",
    "shortage_priority",
    "service_target",
    "expected_by_on",
    "relation_stage",
    "alive_chance",
)


def _table(
    frame: pd.DataFrame, columns: list[str], *, key: str, lang: Language, audience: str, currency: str, limit: int | None = 15
) -> Table:
    """Return the columns that the reader may see and that have a value, in the house form."""
    hidden = CONFIDENTIAL if audience == "client" else ()
    shown = [name for name in columns if name not in hidden and name in frame]
    kinds = KINDS if currency else {name: "quantity" if kind == "money" else kind for name, kind in KINDS.items()}
    caption = text(f"segmentation.table.{key}", lang)
    return table(frame, columns=shown, kinds=kinds, lang=lang, currency=currency, caption=caption, limit=limit)


def table_customer_value(
    customers: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return the customers by value with growth, class, tier and the stage of the relation."""
    columns = ["customer_name", "segment", "value_class", "value_tier", "value", "value_share", "value_growth", "relation_stage"]
    accounts = ["account_id", "account_class"] if _known(customers, "account_id") else []
    return _table(customers, [*columns, *accounts], key="value", lang=lang, audience=audience, currency=currency)


def table_contribution(
    whale: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return what is left of each customer's value after goods and handling, most first."""
    columns = ["customer_name", "value", "margin", "handling_cost", "cost_to_serve", "contribution", "contribution_class"]
    return _table(whale, columns, key="contribution", lang=lang, audience=audience, currency=currency)


def table_lifetime(
    lifetimes: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return what each customer is expected to bring, with its interval."""
    columns = ["customer_name", "alive_chance", "expected_orders", "lifetime_value", "lifetime_value_low", "lifetime_value_high"]
    return _table(lifetimes, [*columns, "lifetime_method"], key="lifetime", lang=lang, audience=audience, currency=currency)


def table_clusters(
    clusters: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return the clusters with the segment that most of their customers stand in."""
    columns = ["cluster", "customers", "cluster_keep_share", "most_segment", "days_median", "orders_median", "value_median"]
    return _table(clusters, columns, key="clusters", lang=lang, audience=audience, currency=currency)


def table_segments(
    segments: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return the segments with their rules in words."""
    frame = segments.assign(rule=segments["segment"])
    columns = ["segment", "rule", "customers", "value", "value_share", "orders", "days_since_last_order"]
    return _table(frame, columns, key="segments", lang=lang, audience=audience, currency=currency, limit=None)


def table_behaviour(
    behaviours: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return the kinds of behaviour with their rules in words."""
    frame = behaviours.assign(rule=behaviours["behaviour"])
    columns = [
        "behaviour",
        "rule",
        "customers",
        "value",
        "value_share",
        "orders_per_year",
        "median_interval_days",
        "order_size_cv",
        "products",
    ]
    return _table(frame, columns, key="behaviour", lang=lang, audience=audience, currency=currency, limit=None)


def table_regions(regions: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = "") -> Table:
    """Return regions and distance bands with customers, value and promised service."""
    columns = [
        "region",
        "distance_band",
        "customers",
        "value",
        "value_share",
        "distance_km",
        "customers_under_contract",
        "contract_level",
    ]
    return _table(regions, columns, key="regions", lang=lang, audience=audience, currency=currency)


def table_life_stages(
    products: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return the products that are not mature, ending ones first."""
    order = {"ending": 0, "decline": 1, "launch": 2, "growth": 3}
    frame = products.loc[products["life_stage"].isin(list(order))]
    frame = frame.assign(place=frame["life_stage"].map(order)).sort_values(
        ["place", "quantity", "product_id"], ascending=[True, False, True], kind="stable", ignore_index=True
    )
    columns = ["product_name", "life_stage", "quantity", "quantity_year_ago", "change", "last_use_on"]
    return _table(frame, columns, key="life_cycle", lang=lang, audience=audience, currency=currency)


def table_movement(moves: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = "") -> Table:
    """Return the moves from one segment to another, most value first."""
    frame = moves.loc[moves["segment_from"] != moves["segment_to"]].sort_values(
        ["value", "segment_from", "segment_to"], ascending=[False, True, True], kind="stable", ignore_index=True
    )
    return _table(
        frame,
        ["segment_from", "segment_to", "customers", "value"],
        key="movement",
        lang=lang,
        audience=audience,
        currency=currency,
    )


def table_segment_stability(
    segments: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return how many customers of each segment stay in it."""
    columns = ["segment", "customers", "customers_sure", "customers_possible", "stay_share", "stay_month_share"]
    return _table(segments, columns, key="stability", lang=lang, audience=audience, currency=currency, limit=None)


def table_leaving(leaving: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = "") -> Table:
    """Return the overdue and silent customers, most value at risk first."""
    columns = ["customer_name", "leaving_status", "value_class", "days_since_last_order", "median_interval_days", "regularity"]
    return _table(
        leaving,
        [*columns, "alive_chance", "expected_by_on", "value_at_risk"],
        key="leaving",
        lang=lang,
        audience=audience,
        currency=currency,
    )


def table_treatment(
    treatment: pd.DataFrame, *, lang: Language = "en", audience: Audience = "internal", currency: str = ""
) -> Table:
    """Return the suggestion for each segment."""
    columns = [
        "segment",
        "next_step",
        "strategy_rule",
        "shortage_priority",
        "service_target",
        "review_period_days",
        "contact_days",
        "customers",
        "short_ordered",
        "served_share",
        "served_by_priority",
    ]
    return _table(treatment, columns, key="treatment", lang=lang, audience=audience, currency=currency, limit=None)


def _known(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and bool(frame[name].notna().any())
