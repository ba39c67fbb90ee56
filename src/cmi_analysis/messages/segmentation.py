"""The segmentation in sentences: headline, findings, cards, actions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cmi_analysis.labels import format_value
from cmi_analysis.messages.segmentation_sections import tell_segmentation_sections
from cmi_analysis.messages.segmentation_words import SegmentWords
from cmi_analysis.pages import Action, Card, Direction, Finding, Page, Status, Strip
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.tables import Slice

# share of the yearly value at risk from which the verdict is a warning, and from which it is bad
NOTABLE_RISK = 0.03
BAD_RISK = 0.10
FADING = -0.25
CALLS = 3
INTERNAL_CARDS: tuple[tuple[str, str, Direction], ...] = (
    ("customers_active", "count", "higher"),
    ("a_customers_value", "value", "higher"),
    ("value_at_risk", "value", "lower"),
    ("customers_overdue", "count", "lower"),
    ("top20_value_share", "rate", "band"),
    ("intermittent_share", "rate", "band"),
)
CLIENT_CARDS: tuple[tuple[str, str, Direction], ...] = (
    ("customers_active", "count", "higher"),
    ("a_customers_value", "value", "higher"),
    ("top20_value_share", "rate", "band"),
    ("everyday_share", "rate", "higher"),
    ("returned_share", "rate", "lower"),
    ("intermittent_share", "rate", "band"),
)


def tell_segmentation(result: Any, part: Slice, params: SegmentationParams) -> Page:
    """Return the page of the segmentation report.

    Parameters
    ----------
    result : SegmentationResult
        As `stages.segment` returns it.
    part : Slice
        What the report may see.
    params : SegmentationParams
        Language, audience, window.
    """
    words = SegmentWords(result, params.lang)
    client = params.audience == "client"
    sections = tell_segmentation_sections(words)
    days = words.count(params.window_days)
    return Page(
        notebook="segmentation",
        group=part.group,
        lang=params.lang,
        audience=params.audience,
        period=words.say("page.period", days=days, as_of=part.as_of.isoformat()),
        as_of=part.as_of.isoformat(),
        run_id="",
        headline=_headline(words, client=client),
        findings=_findings(words, {key: section.title for key, section in sections.items()}),
        cards=tuple(_card(words, *card, days=days) for card in (CLIENT_CARDS if client else INTERNAL_CARDS)),
        actions=() if _idle(words) else (_actions(words, part) if not client else _ending_action(words))[:5],
        strip=Strip(part.rows_in, part.rows_set_aside, _newest(part), _coverage(words)),
        sections=sections,
        currency=words.currency,
        status=_status(words, client=client),
        badness=0.0 if client else round((words.kpi("value_at_risk_share") or 0.0) * 100, 6),
        params=params.model_dump(mode="json"),
        data_notes=tuple(_notes(words)),
        assumptions=tuple(_assumptions(words)),
    )


def _idle(words: SegmentWords) -> bool:
    return not words.kpi("customers_active")


def _status(words: SegmentWords, *, client: bool) -> Status:
    if _idle(words) or client:
        return "none"
    share = words.kpi("value_at_risk_share") or 0.0
    return "bad" if share >= BAD_RISK else "warn" if share >= NOTABLE_RISK else "good"


def _headline(words: SegmentWords, *, client: bool) -> str:
    if _idle(words):
        return words.say("headline.none")
    customers = words.result.customers
    every = words.count(len(customers))
    if not client and len(words.result.leaving):
        return words.say(
            "headline.risk",
            value=words.value(words.kpi("value_at_risk")),
            share=words.rate(words.kpi("value_at_risk_share")),
            n=words.count(len(words.result.leaving)),
            all=every,
            name=str(words.result.leaving["customer_name"].iloc[0]),
        )
    return words.say(
        _quiet_headline(words, client=client),
        active=words.count(words.kpi("customers_active")),
        all=every,
        value=words.value(words.kpi("group_value")),
        share=words.rate(words.kpi("top20_value_share")),
        name=str(customers["customer_name"].iloc[0]),
        own=words.rate(customers["value_share"].iloc[0]),
        few=words.count(words.unjudged),
    )


def _quiet_headline(words: SegmentWords, *, client: bool) -> str:
    """Return the key of the headline where nobody is overdue; it claims no more than could be judged."""
    if not client and words.unjudged:
        return "headline.unjudged"
    return f"headline.{'client' if client else 'good'}{'_few' if words.few_customers else ''}"


def _findings(words: SegmentWords, titles: dict[str, str]) -> tuple[Finding, ...]:
    found = []
    if len(words.result.leaving):
        found.append(Finding(_call(words, words.result.leaving.iloc[0], "finding"), "leaving"))
    for key in ("value", "movement", "life_cycle", "behaviour", "segments"):
        if titles.get(key) and len(found) < 3:
            found.append(Finding(f"{titles[key]}{'。' if words.lang == 'zh' else '.'}", key))
    return tuple(found)


def _call(words: SegmentWords, row: pd.Series, kind: str) -> str:
    """Return the sentence on one overdue or silent customer, as a finding or an action."""
    fields = {"name": str(row["customer_name"]), "days": words.count(row["days_since_last_order"])}
    overdue = row["leaving_status"] == "overdue"
    if overdue:
        fields["median"] = words.count(row["median_interval_days"])
    if kind == "finding":
        return words.say("finding.at_risk" if overdue else "finding.silent", value=words.value(row["value_at_risk"]), **fields)
    return words.say("action.call" if overdue else "action.call_silent", **fields)


def _card(words: SegmentWords, key: str, kind: str, direction: Direction, *, days: str) -> Card:
    months = words.result.months
    sparks = ("customers_active", "customers_overdue", "value_at_risk", "top20_value_share")
    spark: tuple[tuple[str, float | None], ...] = ()
    if key in sparks and key in months:
        spark = tuple(
            (f"{date:%Y-%m}", None if pd.isna(value) else float(value))
            for date, value in zip(months["date"], months[key], strict=True)
        )
    shown = words.value_kind if kind == "value" else kind
    change = {"rate": "points", "money": "signed_money"}.get(shown, "signed_quantity")
    last_year = words.kpi(key, "last_year")
    note = words.say("card.two_years") if key == "intermittent_share" else words.say("card.window", days=days)
    if key == "a_customers_value" and not words.cases(key):
        note = words.join([note, words.say("card.no_class_a")])
    elif last_year is None and key not in ("intermittent_share", "everyday_share", "returned_share"):
        note = words.join([note, words.say("card.no_year")])
    return Card(
        key=key,
        value=words.kpi(key),
        kind=shown,
        n=words.cases(key),
        last_year=last_year,
        change_kind=change,
        direction=direction,
        status=_card_status(words, key),
        spark=spark,
        note=note,
    )


def _card_status(words: SegmentWords, key: str) -> Status:
    if key in ("value_at_risk", "customers_overdue") and words.kpi(key) is not None:
        return _status(words, client=False)
    return "none"


def _actions(words: SegmentWords, part: Slice) -> tuple[Action, ...]:
    monday = part.as_of + dt.timedelta(days=7 - part.as_of.weekday())
    account = words.say("who.account")
    calls = [
        Action(
            text=_call(words, row, "action"),
            who=account,
            due_on=monday.isoformat(),
            otherwise=words.say("otherwise.call", value=words.value(row["value_at_risk"])),
        )
        for _, row in words.result.leaving.head(CALLS).iterrows()
    ]
    review = Action(text=words.say("action.review"), who=words.say("who.sales"), otherwise=words.say("otherwise.review"))
    return (*calls, *_fading_action(words), *_contract_action(words, part), *_ending_action(words), review)


def _fading_action(words: SegmentWords) -> tuple[Action, ...]:
    customers = words.result.customers
    fading = customers.loc[
        (customers["value_growth"] <= FADING) & (customers["leaving_status"] == "on_time") & (customers["value_class"] != "C")
    ]
    if fading.empty:
        return ()
    row = fading.iloc[0]
    told = words.say("action.fading", name=str(row["customer_name"]), change=words.change(row["value_growth"]))
    return (Action(text=told, who=words.say("who.account"), otherwise=words.say("otherwise.fading")),)


def _contract_action(words: SegmentWords, part: Slice) -> tuple[Action, ...]:
    customers = words.result.customers
    open_ones = customers.loc[(customers["value_class"] == "A") & customers["contract_level"].isna() & (customers["orders"] > 0)]
    if not part.tables.has("contracts") or open_ones.empty:
        return ()
    row = open_ones.iloc[0]
    otherwise = words.say("otherwise.contract", value=words.value(row["value"]))
    return (
        Action(
            text=words.say("action.contract", name=str(row["customer_name"])), who=words.say("who.sales"), otherwise=otherwise
        ),
    )


def _ending_action(words: SegmentWords) -> tuple[Action, ...]:
    products = words.result.products
    ending = products.loc[(products["life_stage"] == "ending") & (products["quantity"] > 0)] if len(products) else products
    if ending.empty:
        return ()
    names = words.join([str(name) for name in ending["product_name"].head(3)])
    told = words.say("action.ending", n=words.count(len(ending)), names=names)
    return (Action(text=told, who=words.say("who.planner"), otherwise=words.say("otherwise.ending")),)


def _newest(part: Slice) -> str:
    dates = [
        part.tables[name][column].max() for name, column in (("orders", "ordered_on"), ("sales", "date")) if part.tables.has(name)
    ]
    return format_value(max(dates), "date") if dates else ""


def _coverage(words: SegmentWords) -> str:
    return words.say(
        "page.coverage",
        active=words.count(words.kpi("customers_active")),
        all=words.count(len(words.result.customers)),
        history=words.facts["history_from"] or "–",
    )


def _notes(words: SegmentWords) -> list[str]:
    facts = words.facts
    pool = words.count(facts["pool_customers"])
    notes = [words.say("basis.pooled", customers=pool, date=facts["cuts_on"])] if facts["pooled"] else []
    if facts["cuts_version"]:
        notes.append(words.say("basis.cuts", version=facts["cuts_version"], date=facts["cuts_on"]))
    scores = [words.say(f"score.{row.score_name}", score=str(row.score)) for row in words.result.unreachable.itertuples()]
    if scores:
        notes.append(words.say("basis.unreachable", scores=words.join(scores)))
    if facts["history_from"]:
        notes.append(words.say("basis.left", date=facts["history_from"]))
    return notes


def _assumptions(words: SegmentWords) -> list[str]:
    facts = words.facts
    told = [words.say(f"basis.{facts['basis']}")]
    if not facts["pooled"]:
        told.append(words.say("basis.alone", customers=words.count(facts["pool_customers"])))
    if not facts["priced"]:
        told.append(words.say("basis.units"))
    elif facts["unpriced_share"] > 0:
        told.append(words.say("basis.unpriced", share=words.rate(facts["unpriced_share"])))
    if facts["use_basis"] == "purchases":
        told.append(words.say("basis.patterns_orders"))
    if "leaving" not in words.result.missing:
        told.append(words.say("basis.leaving"))
    return told
