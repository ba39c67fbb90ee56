"""The performance review in words: headline, findings, actions, tie-out, notes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd

from cmi_analysis.labels import table_name
from cmi_analysis.messages.performance_cards import review_cards
from cmi_analysis.messages.performance_sections import review_sections
from cmi_analysis.messages.performance_words import Words, largest_cause, old_worth, score_row, stockout_span, surely_biased
from cmi_analysis.pages import Action, Finding, Page, Strip

if TYPE_CHECKING:
    from cmi_analysis.params.models import PerformanceReviewParams
    from cmi_analysis.tables import Slice

_NOTABLE_BIAS = 0.10
_POOR_SHARING = 0.90
_GOOD_IN_STOCK = 0.95


def tell_performance_review(result: Any, part: Slice, params: PerformanceReviewParams) -> Page:
    """Return the page of a performance review.

    Parameters
    ----------
    result : ReviewResult
        What the stage found.
    part : Slice
        The group's slice: its name, date, strip.
    params : PerformanceReviewParams
        Language and audience.
    """
    words = Words(params.lang, part.tables.settings.currency)
    headline, status, badness = _headline(result, words)
    about = result.settings
    newest = max((day for day in _newest_days(part)), default=pd.Timestamp(part.as_of))
    return Page(
        notebook="performance_review",
        group=part.group,
        lang=params.lang,
        audience=params.audience,
        period=words.say("card.span", start=about["window_start"], end=about["as_of"]),
        as_of=part.as_of.isoformat(),
        run_id="",
        headline=headline,
        findings=_findings(result, words),
        cards=review_cards(result, words, audience=params.audience),
        actions=_actions(result, part, words, audience=params.audience),
        strip=Strip(part.rows_in, part.rows_set_aside, newest.date().isoformat()),
        sections=review_sections(result, words, rows_in=part.rows_in),
        tie_out=_tie_out(result, words) if params.audience == "internal" else "",
        currency=part.tables.settings.currency,
        status=status,
        badness=badness,
        data_notes=_notes(result, words),
        assumptions=part.tables.settings.said(params.lang),
    )


def _newest_days(part: Slice) -> list[pd.Timestamp]:
    dated = {"sales": "date", "orders": "ordered_on", "stock": "date"}
    return [part.tables[table][column].max() for table, column in dated.items() if part.tables.has(table, column)]


def _driver(result: Any, words: Words) -> str:
    if result.fill_gap.empty:
        return words.say("driver.unknown")
    cause = largest_cause(result.fill_gap)
    if cause is None:
        return words.say("driver.none")
    return words.say("driver.cause", share=words.show(cause["share"], "rate"), cause=words.say(f"cause.{cause['cause']}"))


def _headline(result: Any, words: Words) -> tuple[str, Any, float]:
    """Verdict, number and driver of the most telling figure there is; badness is how far it misses its target [points]."""
    card = result.scorecard
    row = score_row(card, "otif")
    if row is not None:
        fields = {"name": words.kpi("otif"), "value": words.show(row["value"], "rate"), "driver": _driver(result, words)}
        if row["status"] == "none":
            few = row["n"] < 20
            said = words.say("headline.few", n=words.show(row["n"], "count"), name=fields["name"], driver=fields["driver"])
            return (said if few else words.say("headline.open", **fields)), "none", 0.0
        key = "headline.met" if row["status"] == "good" else "headline.missed"
        gap = 100 * (float(row["target"]) - float(row["value"]))
        return words.say(key, target=words.show(row["target"], "rate"), **fields), row["status"], gap
    for kpi, key in (("delivered_share", "received"), ("in_stock_rate", "in_stock"), ("return_rate", "returns")):
        row = score_row(card, kpi)
        if row is not None:
            stock = score_row(card, "in_stock_rate")
            gap = 0.0 if stock is None else 100 * (_GOOD_IN_STOCK - float(stock["value"]))
            status = "none" if stock is None else stock["status"]
            return words.say(f"headline.{key}", value=words.show(row["value"], "rate")), status, gap
    return words.say("headline.nothing"), "none", 0.0


def _findings(result: Any, words: Words) -> tuple[Finding, ...]:
    found: list[Finding] = []
    cause = largest_cause(result.fill_gap)
    if cause is not None:
        fields = {"share": words.show(cause["share"], "rate"), "units": words.show(cause["units"], "quantity")}
        found.append(Finding(words.say("finding.gap", cause=words.say(f"cause.{cause['cause']}"), **fields), "fill_gap"))
    sites = result.otif_sites
    if len(sites) > 1 and sites.iloc[0]["failed"] > 0:
        worst = sites.iloc[0]
        counts = {"failed": words.show(worst["failed"], "count"), "n": words.show(worst["n"], "count")}
        value = words.show(worst["value"], "rate")
        found.append(Finding(words.say("finding.site", site=worst["customer_name"], value=value, **counts), "otif"))
    biased = surely_biased(result.collaboration, least=_NOTABLE_BIAS)
    if biased is not None:
        key = "finding.bias_high" if biased["bias"] > 0 else "finding.bias_low"
        bias = words.show(abs(biased["bias"]), "rate")
        found.append(Finding(words.say(key, site=biased["customer_name"], bias=bias), "collaboration"))
    found += _stock_findings(result, words)
    found.append(Finding(words.say("finding.none"), "data"))
    return tuple(found[:3])


def _stock_findings(result: Any, words: Words) -> list[Finding]:
    found = []
    row = score_row(result.scorecard, "excess_value")
    if row is not None and len(result.ageing):
        known = row["basis"] != "units"
        amounts = {
            "excess": words.money(result.excess_items["excess"].sum(), known),
            "old": words.money(old_worth(result.ageing), known),
        }
        found.append(Finding(words.say("finding.excess" if known else "finding.excess_units", **amounts), "excess"))
    stock = score_row(result.scorecard, "in_stock_rate")
    if stock is not None:
        items = words.show(result.stockout_items, "count")
        fields = {"value": words.show(stock["value"], "rate"), "items": items, "span": stockout_span(result, words)}
        found.append(Finding(words.say("finding.in_stock", **fields), "scorecard"))
    back = score_row(result.scorecard, "return_rate")
    if back is not None:
        reason = result.returns.iloc[0]["reason"] if len(result.returns) else ""
        key = "finding.returns" if reason else "finding.returns_untold"
        known = {"reason": words.reason(reason)} if reason else {}
        found.append(Finding(words.say(key, rate=words.show(back["value"], "rate"), **known), "orders"))
    return found


def _actions(result: Any, part: Slice, words: Words, *, audience: str) -> tuple[Action, ...]:
    soon = (part.as_of + dt.timedelta(days=7)).isoformat()
    actions = [*_service_actions(result, words, soon), *_excess_actions(result, words, audience=audience)]
    biased = surely_biased(result.collaboration, least=_NOTABLE_BIAS)
    if biased is not None:
        said = words.say("action.bias", site=biased["customer_name"], bias=words.show(biased["bias"], "signed_rate"))
        actions.append(Action(said, words.say("who.planner"), otherwise=words.say("action.bias.otherwise")))
    table = result.collaboration
    slow = table[table["sharing"] < _POOR_SHARING] if len(table) else table
    if len(slow):
        worst = slow.loc[slow["sharing"].idxmin()]
        said = words.say("action.sharing", site=worst["customer_name"], value=words.show(worst["sharing"], "rate"))
        actions.append(Action(said, words.say("who.account"), otherwise=words.say("action.sharing.otherwise")))
    return tuple([*actions, *_data_actions(result, words)][:5])


def _data_actions(result: Any, words: Words) -> list[Action]:
    """Ask for the data without which service or stock cannot be judged."""
    asked = [("fill_gap", "record", "logistics"), ("turns", "share", "account")]
    return [
        Action(words.say(f"action.{name}"), words.say(f"who.{who}"), otherwise=words.say(f"action.{name}.otherwise"))
        for section, name, who in asked
        if section in result.missing
    ]


def _service_actions(result: Any, words: Words, soon: str) -> list[Action]:
    sites = result.otif_sites
    actions = []
    overdue = sites[sites["open_lines"] > 0] if len(sites) else sites
    if len(overdue):
        worst = overdue.loc[overdue["open_units"].idxmax()]
        fields = {"lines": words.show(worst["open_lines"], "count"), "units": words.show(worst["open_units"], "quantity")}
        said = words.say("action.overdue", site=worst["customer_name"], **fields)
        actions.append(Action(said, words.say("who.logistics"), soon, otherwise=words.say("action.overdue.otherwise")))
    if len(sites) and sites.iloc[0]["failed"] > 0:
        worst = sites.iloc[0]
        counts = {"failed": words.show(worst["failed"], "count"), "n": words.show(worst["n"], "count")}
        said = words.say("action.promise", site=worst["customer_name"], **counts)
        otherwise = words.say("action.promise.otherwise", value=words.show(worst["value"], "rate"))
        actions.append(Action(said, words.say("who.service"), otherwise=otherwise))
    return actions


def _excess_actions(result: Any, words: Words, *, audience: str) -> list[Action]:
    row = score_row(result.scorecard, "excess_value")
    known = row is not None and row["basis"] != "units"
    ours = result.settings["stock_owner"] == "supplier"
    if ours and audience == "client":
        return []
    actions = []
    for item in result.excess_items.head(2).itertuples():
        product = getattr(item, "product_name", item.product_id)
        key = "action.excess" if known else "action.excess_units"
        said = words.say(key, product=product, site=item.customer_name, excess=words.money(item.excess, known))
        cash = {"cash_ours" if ours else "cash_customer": float(item.excess)} if known else {}
        actions.append(Action(said, words.say("who.account"), otherwise=words.say("action.excess.otherwise"), **cash))
    return actions


def _tie_out(result: Any, words: Words) -> str:
    """Name the largest difference between the ledger system's totals and the tables, by its share."""
    off = result.tie_out
    if not result.tied:
        return words.say("tie_out.none")
    if off.empty:
        return words.say("tie_out.equal", compared=words.show(result.tied, "count"))
    worst = off.loc[off["share"].abs().astype(float).idxmax()]
    return words.say(
        "tie_out.differs" if worst["difference"] > 0 else "tie_out.less",
        different=words.show(len(off), "count"),
        compared=words.show(result.tied, "count"),
        table=table_name(worst["table"], words.lang),
        month=words.month(worst["period"]),
        difference=words.show(abs(worst["difference"]), "quantity"),
        measure=words.say(f"measure.{worst['measure']}"),
        share=words.show(abs(worst["share"]), "rate"),
    )


def _notes(result: Any, words: Words) -> tuple[str, ...]:
    bases = dict(zip(result.scorecard["kpi"], result.scorecard["basis"], strict=True)) if len(result.scorecard) else {}
    notes = [words.say("note.definition")]
    if "shelf_fill" in bases:
        notes.append(words.say("note.shelf"))
    if bases.get("delivered_share") == "received":
        notes.append(words.say("note.received"))
    if "excess_value" in bases:
        notes.append(words.say("note.excess"))
    if len(result.peers):
        notes.append(words.say("note.peers", k=words.show(result.peers["peers"].max(), "count")))
    return tuple(notes)
