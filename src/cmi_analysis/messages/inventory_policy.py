"""The inventory plan in words: service against contract first, then stock, orders, alerts and what they rest on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cmi_analysis.labels import text
from cmi_analysis.measures.calendar import days_per_period
from cmi_analysis.messages.inventory_sections import PLAN_SECTIONS, tell_plan_section
from cmi_analysis.messages.inventory_words import PlanWords
from cmi_analysis.pages import Action, Card, Finding, Page, Status, Strip
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.tables import Slice

_GOOD_GAP = 0.005


def tell_inventory_policy(result: Any, part: Slice, params: InventoryPolicyParams) -> Page:
    """Return the page of the notebook `inventory_policy`.

    Parameters
    ----------
    result : PlanResult
        As from ``stages.plan``.
    part : Slice
        The group's slice, for names, currency and counts.
    params : InventoryPolicyParams
        Language and audience among them.
    """
    words = PlanWords(result, part, params)
    headline, status, badness = _headline(words)
    days = round(params.horizon * days_per_period(part.tables.settings.frequency))
    if status != "none" and words.assumed_days:
        headline = words.say("headline.assumed", headline=headline, days=words.assumed_days)
    return Page(
        notebook="inventory_policy",
        group=part.group,
        lang=params.lang,
        audience=params.audience,
        period=words.say("period", days=days),
        as_of=part.as_of.isoformat(),
        run_id="",
        headline=headline,
        findings=_findings(words),
        cards=_cards(words),
        actions=_actions(words),
        strip=_strip(words),
        sections={key: tell_plan_section(words, key) for key in PLAN_SECTIONS},
        currency=part.tables.settings.currency,
        status=status,
        badness=badness,
        assumptions=(*part.tables.settings.said(params.lang), *_assumptions(words)),
    )


def _headline(words: PlanWords) -> tuple[str, Status, float]:
    """Return the headline, its verdict and how bad it is (target less expected service; 0 where service is kept)."""
    target, promised, expected = words.total("target"), words.total("promised"), words.total("expected")
    if target is None or promised is None:
        reason = words.result.missing.get("service", "inventory.missing.forecast")
        return text(reason, words.params.lang), "none", 0.0
    values = {"what": words.target_word(), "target": words.show(target, "rate"), "promised": words.show(promised, "rate")}
    if expected is None:
        return words.say("headline.policy", **values), "none", 0.0
    under = words.total("items_under") or 0.0
    values |= {
        "expected": words.show(expected, "rate"),
        "gap": words.show(abs(expected - target), "points").lstrip("+"),
        "under": words.show(under, "count"),
        "items": words.show(words.total("items"), "count"),
    }
    if expected < target - _GOOD_GAP:
        return words.say("headline.below", **values), "bad", target - expected
    if under > 0:
        return words.say("headline.kept", **values), "warn", max(target - expected, 0.0)
    return words.say("headline.good", **values), "good", 0.0


def _findings(words: PlanWords) -> tuple[Finding, ...]:
    result, totals = words.result, words.result.totals
    found: list[Finding] = []
    if len(result.customers) and words.total("expected") is not None:
        worst = result.customers.iloc[0]
        values = {name: words.show(worst[name], kind) for name, kind in (("expected", "rate"), ("target", "rate"))}
        values |= {"under": words.show(worst["items_under"], "count"), "items": words.show(worst["items"], "count")}
        found.append(Finding(words.say("finding.customer", customer=worst["customer_name"], **values), "service"))
    if "stock_units" in totals:
        found.append(
            Finding(
                words.say(
                    "finding.stock",
                    now=words.stock("stock_value", "stock_units", totals),
                    model=words.stock("model_value", "model_units", totals),
                    excess=words.stock("excess_value", "excess_units", totals),
                ),
                "money",
            )
        )
        kinds = result.alerts["alert"].value_counts()
        counts = {"out": kinds.get("stocked_out", 0), "risk": kinds.get("will_stock_out", 0), "orders": len(result.proposals)}
        shown = {name: words.show(count, "count") for name, count in counts.items()}
        found.append(Finding(words.say("finding.orders", **shown), "actions"))
    if len(found) < 3 and len(result.policies):
        kinds = result.policies["policy"].value_counts()
        batch, level = kinds.get("reorder_point", 0), kinds.get("order_up_to", 0)
        shown = {"batch": words.show(batch, "count"), "level": words.show(level, "count")}
        found.append(Finding(words.say("finding.policy", **shown), "policies"))
    return tuple(found)


def _cards(words: PlanWords) -> tuple[Card, ...]:
    """Return the six cards; without money they are in units."""
    totals = words.result.totals
    money = "stock_value" in totals
    risk = "stockout_value" in totals
    promised, target, under = (totals.get(name) for name in ("promised", "target", "items_under"))
    items = int(totals["items"]) if "items" in totals else None
    assumed = words.say("assumed_lead", days=words.assumed_days) if words.assumed_days else ""
    no_stock = assumed if "stock_units" in totals else words.say("card.no_stock")
    kind, excess = ("money", "excess_value") if money else ("quantity", "excess_units")
    short = totals.get("stockout_value" if risk else "short")
    reached: Status = "none" if promised is None or target is None else "good" if promised >= target - _GOOD_GAP else "bad"
    unit = "" if money else "_units"
    held = "stock_units" in totals
    stock, model = totals.get("stock_value" if money else "stock_units"), totals.get("model_value" if money else "model_units")
    common: dict[str, Any] = {"n": items, "note": no_stock}
    band: dict[str, Any] = {**common, "direction": "band"}
    lower: dict[str, Any] = {**common, "direction": "lower"}
    over = totals.get(excess)
    until_note = [words.say("card.until"), assumed] if "stock_units" in totals else [no_stock]
    until = {**lower, "note": "; ".join(filter(None, until_note)), "status": _low(short)}
    promise_note = assumed if promised is not None else words.say("card.no_plan")
    risk_key, risk_kind = ("stockout_at_risk", "money") if risk else ("shortage_at_risk", "quantity")
    return (
        Card("shelf_fill_promised", promised, "rate", n=items, target=target, status=reached, note=promise_note),
        Card("items_under_target", under, "count", status=_low(under), **lower),
        Card(f"site_stock{unit}", stock, kind, target=model, change_kind=f"signed_{kind}", **band),
        Card("excess_over_policy" if money else "excess_units_over_policy", over, kind, status=_low(over), **lower),
        Card(risk_key, short, risk_kind, **until),
        Card("site_cover", totals.get("cover_days"), "days", n=items, direction="band", note="" if held else no_stock),
    )


def _low(value: float | None) -> Status:
    return "none" if value is None else "good" if value < 0.5 else "warn"


def _actions(words: PlanWords) -> tuple[Action, ...]:
    if words.result.missing.get("service") == "inventory.missing.sales":
        return (Action(words.say("action.share"), words.say("who.shared"), otherwise=words.say("otherwise.share")),)
    if "actions" in words.result.missing:
        return ()
    made = []
    for row in words.result.actions.head(5).to_dict("records"):
        values = {"items": words.show(row["items"], "count"), "quantity": words.show(row["quantity"], "quantity")}
        who = str(row["who"]) if row["who"] in ("customer", "shared", "supplier") else "customer"
        made.append(
            Action(
                text=words.say(f"action.{row['action']}", customer=row["customer_name"], product=row["product_name"], **values),
                who=words.say(f"who.{who}"),
                due_on=pd.Timestamp(row["due_on"]).date().isoformat(),
                effect=_number(row.get("effect")),
                cash_ours=_number(row.get("cash_ours")),
                cash_customer=_number(row.get("cash_customer")),
                otherwise=words.say(f"otherwise.{row['action']}", units=words.show(row["otherwise_units"], "quantity")),
            )
        )
    return tuple(made)


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _strip(words: PlanWords) -> Strip:
    part, coverage = words.part, words.result.coverage
    dates = [
        frame[column].max()
        for name, column in (("sales", "date"), ("stock", "date"), ("orders", "ordered_on"))
        if (frame := part.tables.get(name)) is not None and column in frame and frame[column].notna().any()
    ]
    newest = max(dates).date().isoformat() if dates else ""
    counts = dict(zip(coverage["what"], coverage["items"], strict=True))
    shown = {name: words.show(counts.get(name, 0), "count") for name in ("planned", "items")}
    return Strip(part.rows_in, part.rows_set_aside, newest, words.say("coverage", **shown) if counts else "")


def _assumptions(words: PlanWords) -> tuple[str, ...]:
    """Return the sentences on what was assumed, with their numbers."""
    params = words.params
    values = {
        "inventory.assumes.lead_time": {"days": words.show(params.assumed_lead_time_days, "days")},
        "inventory.assumes.holding_rate": {"rate": words.show(params.assumed_holding_rate, "rate")},
        "inventory.assumes.order_cost": {"cost": words.show(params.assumed_order_cost, "money")},
        "inventory.assumes.forgotten": {"units": words.show(words.total("forgotten"), "quantity")},
    }
    client_hides = ("inventory.assumes.holding_rate", "inventory.assumes.order_cost") if params.audience == "client" else ()
    return tuple(text(key, params.lang, **values.get(key, {})) for key in words.result.assumptions if key not in client_hides)
