"""Tables of the notebook `inventory_policy`; confidential columns are left out of the customer's edition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cmi_analysis.displays.table import Table, table
from cmi_analysis.labels import Language, format_value, text

_CONFIDENTIAL = frozenset(
    [
        "effect",
        "stockout_value",
        "owner_cost",
        "economic_order_quantity",
        "priority",
        "choice_saving",
        "short_value",
        "supplier_id",
        "supplier_name",
        "benefit",
        "transfer_cost",
        "transfer_gain",
        "holding_saved",
        "pooling_cost",
    ]
)
_KINDS = {
    **dict.fromkeys(
        ["items", "items_under", "in_batches", "up_to_level", "lines", "open_lines", "products", "priority"], "count"
    ),
    **dict.fromkeys(["target", "promised", "expected", "in_stock_rate", "simulated", "simulated_low", "simulated_high"], "rate"),
    **dict.fromkeys(
        [
            "demand_share",
            "demand_noise_share",
            "lead_time_share",
            "bias_share",
            "parameter_share",
            "rounding_share",
            "late_share",
            "crossing_share",
            "share",
        ],
        "rate",
    ),
    **dict.fromkeys(["stock_value", "excess_value", "stockout_value", "order_value", "effect", "money", "model_value"], "money"),
    **dict.fromkeys(["safety_value", "short_value"], "money"),
    **{f"{name}_value": "money" for name in ("stock_now", "model_stock", "releasable", "on_order_excess", "missing")},
    **dict.fromkeys(["stock_now", "model_stock", "releasable", "on_order_excess", "missing", "quantity", "need"], "quantity"),
    **dict.fromkeys(["on_hand", "on_order", "position", "trigger", "stock_units", "safety_stock", "available"], "quantity"),
    **dict.fromkeys(["allocated", "short"], "quantity"),
    **dict.fromkeys(["cover_days", "mean_days", "p95_days"], "days"),
    **dict.fromkeys(["items_share_under", "customers_share_under"], "rate"),
    **dict.fromkeys(["benefit", "transfer_cost", "transfer_gain", "holding_saved", "pooling_cost"], "money"),
    **dict.fromkeys(["spare", "saved_units", "safety_apart", "safety_pooled", "safety_uncorrelated", "saved_stock"], "quantity"),
    **dict.fromkeys(["arrives_on", "next_delivery_on"], "date"),
    "sites": "count",
    "correlation": "ratio",
    "saving": "money",
    "held_value": "money",
    "choice_saving": "money",
    "wait_days": "days",
    "why": "word:inventory.why",
    "advice": "word:inventory.advice",
    **dict.fromkeys(["open_supply", "arriving", "demand", "expected_short", "stock"], "quantity"),
    "stock_out_chance": "rate",
    "starts_on": "date",
    "way": "word:inventory.way",
    "gap": "points",
    "chance": "rate",
    "cv": "ratio",
    "contract": "flag",
    "order_on": "date",
    "owner": "word:inventory.owner",
    "alert": "word:inventory.alert",
    "reason": "word:inventory.reason",
    "bound_by": "word:inventory.bound",
    "point": "word:inventory.point",
    "change": "word:inventory.change",
    "what": "word:inventory.what",
}


def _show(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    caption: str,
    lang: Language,
    audience: str,
    currency: str,
    limit: int = 15,
    kinds: dict[str, str] | None = None,
) -> Table:
    """Return the frame as a table without confidential and without wholly empty money columns."""
    shown = [name for name in columns if not (audience == "client" and name in _CONFIDENTIAL)]
    empty = [name for name in shown if _KINDS.get(name) == "money" and (name not in frame or not frame[name].notna().any())]
    shown = [name for name in shown if name not in empty]
    kinds = {name: _KINDS[name] for name in shown if name in _KINDS} | (kinds or {})
    title = text(f"inventory.caption.{caption}", lang)
    headers = {"effect": text("inventory.header.effect", lang)}
    return table(frame, columns=shown, kinds=kinds, lang=lang, currency=currency, caption=title, limit=limit, headers=headers)


def table_service(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return the service of each customer: target, promise, expectation, past in-stock rate, margin at risk."""
    columns = ["customer_name", "items", "items_under", "target", "promised", "expected", "gap", "in_stock_rate", "contract"]
    return _show(frame, [*columns, "stockout_value"], caption="service", lang=lang, audience=audience, currency=currency)


def table_stock_money(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return stock now, model stock, what can be released and what is missing by owner, in money or in units."""
    names = ["stock_now", "model_stock", "releasable", "on_order_excess", "missing"]
    money = len(frame) > 0 and bool(frame["stock_now_value"].notna().any())
    columns = ["owner", "items", *(f"{name}_value" if money else name for name in names)]
    return _show(frame, columns, caption="money", lang=lang, audience=audience, currency=currency)


def table_proposals(
    frame: pd.DataFrame,
    *,
    held: pd.DataFrame | None = None,
    lang: Language = "en",
    audience: str = "internal",
    currency: str = "",
) -> Table:
    """Return the proposed orders, those that save most margin (or units) first, and below them those held back."""
    form: dict = {"lang": lang, "audience": audience, "currency": currency}
    by = "effect" if "effect" in frame and frame["effect"].notna().any() else "saved_units"
    ranked = frame.sort_values([by, "customer_id", "product_id"], ascending=[False, True, True], kind="stable")
    columns = ["customer_name", "product_name", "order_on", "quantity", "bound_by", "reason", "on_hand", "on_order", "trigger"]
    columns = [*columns, "cover_days", "order_value", "effect"]
    return _show(ranked, columns, caption="proposals", **form).with_below(
        None if held is None else table_held_orders(held, **form)
    )


def table_alerts(
    frame: pd.DataFrame,
    *,
    pipeline: pd.DataFrame | None = None,
    lang: Language = "en",
    audience: str = "internal",
    currency: str = "",
) -> Table:
    """Return the open alerts, most urgent first, and below them the pipeline of what is expected to be short."""
    form: dict = {"lang": lang, "audience": audience, "currency": currency}
    columns = ["customer_name", "product_name", "alert", "chance", "quantity", "money", "advice"]
    open_ones = frame[~frame["muted"].fillna(False).astype(bool)] if len(frame) else frame
    below = None if pipeline is None else table_pipeline(pipeline, **form)
    return _show(open_ones, columns, caption="alerts", **form).with_below(below)


def table_curve(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return stock and shelf fill at each target, in the plan and today."""
    columns = ["point", "target", "promised", "stock_units", "stock_value"]
    return _show(frame, columns, caption="curve", lang=lang, audience=audience, currency=currency)


def table_held_orders(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return orders that are needed and held back, with the rule that holds them."""
    columns = ["customer_name", "product_name", "need", "quantity", "why", "wait_days", "held_value", "choice_saving"]
    shown = frame.assign(wait_days=frame["wait_days"].where(frame["why"] == "wait")) if len(frame) else frame
    return _show(shown, columns, caption="held_orders", lang=lang, audience=audience, currency=currency, limit=8)


def table_pipeline(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return open supply, arrivals and stock by week of the items that are expected to be short the most."""
    key = ["customer_id", "product_id"]
    short = frame.groupby(key, sort=True)["expected_short"].transform("sum") if len(frame) else 0.0
    rows = frame.assign(total=short).sort_values(["total", *key, "week"], ascending=[False, True, True, True], kind="stable")
    shown = rows[rows["total"] > 0.5]
    columns = ["customer_name", "product_name", "starts_on", "open_supply", "arriving", "demand", "expected_short", "stock"]
    columns += ["stock_out_chance"]
    return _show(shown, columns, caption="pipeline", lang=lang, audience=audience, currency=currency)


def table_targets(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return stock, shelf fill and who is below the aim under each way to set targets."""
    columns = ["way", "stock_units", "stock_value", "promised", "items_share_under", "customers_share_under", "saving"]
    columns = [name for name in columns if name != "stock_units" or frame["stock_units"].notna().any()]
    kinds = {} if frame["stock_value"].notna().any() else {"saving": "quantity"}
    return _show(frame, columns, caption="targets", lang=lang, audience=audience, currency=currency, kinds=kinds)


def table_classes(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return items, policies, levels and promise of each ABC-XYZ class."""
    named = frame.assign(**{"class": frame["abc"].astype(str) + frame["xyz"].astype(str)}) if len(frame) else frame
    shown = named.assign(abc=named["class"]) if len(frame) else named
    columns = [
        "abc",
        "items",
        "demand_share",
        "in_batches",
        "up_to_level",
        "safety_stock",
        "model_stock",
        "model_value",
        "promised",
    ]
    return _show(shown, columns, caption="policies", lang=lang, audience=audience, currency=currency)


def table_promised(
    frame: pd.DataFrame,
    *,
    backtest: pd.DataFrame | None = None,
    lang: Language = "en",
    audience: str = "internal",
    currency: str = "",
) -> Table:
    """Return target, promise and simulated service by class, and below them the back-test."""
    form: dict = {"lang": lang, "audience": audience, "currency": currency}
    columns = ["abc", "items", "target", "promised", "simulated", "simulated_low", "simulated_high"]
    below = None if backtest is None else table_backtest(backtest, **form)
    return _show(_named_classes(frame, lang), columns, caption="promised", **form).with_below(below)


def table_backtest(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return what the policy would have had on history beside what was, each number in its measure's own format."""
    kinds = {"shelf_fill": "rate", "stockout_share": "rate", "mean_stock": "quantity", "cost": "money"}
    rows = frame[~((frame["measure"] == "cost") & (audience == "client"))] if len(frame) else frame
    shown = pd.DataFrame(
        {
            "supply": [text(f"inventory.supply.{name}", lang) for name in rows["supply"]],
            "measure": [text(f"inventory.tested.{name}", lang) for name in rows["measure"]],
        }
    )
    for name in ("was", "would_be_low", "would_be_high", "difference", "change_low", "change_high"):
        signed = name in ("difference", "change_low", "change_high")
        values = zip(rows[name], rows["measure"], strict=True)
        shown[name] = [_in_kind(value, kinds[measure], signed=signed, lang=lang, currency=currency) for value, measure in values]
    columns = ["supply", "measure", "was", "would_be_low", "would_be_high", "difference", "change_low", "change_high"]
    return _show(shown, columns, caption="backtest", lang=lang, audience=audience, currency=currency)


def _in_kind(value: float, kind: str, *, signed: bool, lang: Language, currency: str) -> str:
    if signed:
        kind = {"rate": "points", "quantity": "signed_quantity", "money": "signed_money"}[kind]
    return format_value(value, kind, lang, currency=currency)


def table_safety_stock(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return safety stock and the shares of the variance behind it by class."""
    columns = ["abc", "items", "safety_stock", "safety_value", "demand_noise_share", "bias_share", "lead_time_share"]
    columns += ["parameter_share", "rounding_share"]
    return _show(_named_classes(frame, lang), columns, caption="safety_stock", lang=lang, audience=audience, currency=currency)


def _named_classes(frame: pd.DataFrame, lang: Language) -> pd.DataFrame:
    return frame.assign(abc=[text(f"inventory.class.{name}", lang) for name in frame["abc"]])


def table_allocation(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return need and share of each customer for the products that are short; internal only."""
    columns = ["product_name", "customer_name", "priority", "need", "available", "allocated", "short", "short_value"]
    return _show(frame, columns, caption="allocation", lang=lang, audience=audience, currency=currency)


def table_sharing(
    frame: pd.DataFrame, *, pooling: pd.DataFrame, lang: Language = "en", audience: str = "internal", currency: str = ""
) -> Table:
    """Return the proposed transfers, and below them the safety stock apart and pooled; an empty one is left out."""
    form: dict[str, Any] = {"lang": lang, "audience": audience, "currency": currency}
    columns = ["product_name", "from_customer_name", "to_customer_name", "quantity", "spare", "saved_units"]
    columns = [*columns, "arrives_on", "next_delivery_on", "benefit", "transfer_cost"]
    shared = ["product_name", "sites", "correlation", "safety_apart", "safety_pooled", "safety_uncorrelated", "saved_stock"]
    if len(set(pooling["account_id"])) > 1:
        shared = ["product_name", "account_id", *shared[1:]]
    shared = [*shared, "holding_saved", "pooling_cost", "reason"]
    moved = _show(frame, columns, caption="transfers", **form)
    pooled = _show(pooling, shared, caption="pooling", **form)
    if pooling.empty or frame.empty:
        return moved if pooling.empty else pooled
    return Table(frame=moved.frame, html=f"{moved.html}\n{pooled.html}")


def table_lead_times(
    frame: pd.DataFrame,
    *,
    suppliers: pd.DataFrame | None = None,
    lang: Language = "en",
    audience: str = "internal",
    currency: str = "",
) -> Table:
    """Return the lead times of each customer, else of each supplier."""
    frame = suppliers if frame.empty and suppliers is not None and len(suppliers) else frame
    by_supplier = "supplier_name" in frame
    columns = ["supplier_name" if by_supplier else "customer_name", "lines", "open_lines", "mean_days", "cv", "p95_days"]
    caption = "suppliers" if by_supplier else "lead_time"
    return _show(
        frame, [*columns, "late_share", "crossing_share"], caption=caption, lang=lang, audience=audience, currency=currency
    )


def table_sensitivity(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return model stock and promise in each case."""
    columns = ["change", "stock_units", "stock_value", "promised"]
    return _show(frame, columns, caption="sensitivity", lang=lang, audience=audience, currency=currency)


def table_plan_data(frame: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return for how many items each piece of information was there."""
    return _show(frame, ["what", "items", "share"], caption="data", lang=lang, audience=audience, currency=currency)
