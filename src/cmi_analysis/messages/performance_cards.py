"""The six cards of the performance review."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cmi_analysis.messages.performance_words import Words, missing_number, score_row, stockout_span
from cmi_analysis.pages import Card

_NO_DATA = {"order_fill": "no_deliveries", "otif": "no_deliveries", "dio": "no_stock", "excess_value": "no_stock"}
_CHANGE = {"rate": "points", "days": "signed_quantity", "money": "signed_money", "quantity": "signed_quantity"}


def review_cards(result: Any, words: Words, *, audience: str) -> tuple[Card, ...]:
    """Return the cards: order fill, OTIF, days of stock, excess, forecast error, stock-outs at risk."""
    ours = result.settings["stock_owner"] == "supplier"
    cards = [_scored(result, words, kpi) for kpi in ("order_fill", "otif", "dio", "excess_value")]
    if audience == "client" and ours:
        cards[3] = Card("excess_value", None, "money", note=words.say("card.confidential"), direction="lower")
    return (*cards, _forecast_card(result, words), _risk_card(result, words, audience=audience))


def _scored(result: Any, words: Words, kpi: str) -> Card:
    row = score_row(result.scorecard, kpi)
    direction: Any = {"dio": "band", "excess_value": "lower"}.get(kpi, "higher")
    if row is None:
        kind = "rate" if kpi in ("order_fill", "otif") else "days" if kpi == "dio" else "money"
        note = words.say(f"card.{_NO_DATA[kpi]}")
        received = score_row(result.scorecard, "delivered_share")
        if kpi == "order_fill" and received is not None and received["basis"] == "received":
            note = f"{note}; {words.kpi('delivered_share')} {words.show(received['value'], 'rate')}"
        return Card(kpi, None, kind, direction=direction, note=note)
    return Card(
        key=kpi,
        value=float(row["value"]),
        kind=row["unit"],
        n=int(row["n"]),
        last_year=_number(row["last_year"]),
        target=_number(row["target"]),
        change_kind=_CHANGE.get(row["unit"], "signed_quantity"),
        direction=direction,
        status=row["status"],
        spark=_spark(result.months, kpi, words),
        note=_settings_note(row, result.settings, words),
        numerator=_number(row["numerator"]),
        denominator=_number(row["denominator"]),
    )


def _number(value: Any) -> float | None:
    return None if missing_number(value) else float(value)


def _spark(months: pd.DataFrame, kpi: str, words: Words) -> tuple[tuple[str, float | None], ...]:
    rows = months[months["kpi"] == kpi].sort_values("period", kind="stable").tail(13) if len(months) else months
    return tuple((words.month(row.period), _number(row.value)) for row in rows.itertuples())


def _settings_note(row: pd.Series, settings: Any, words: Words) -> str:
    span = {"start": settings["window_start"], "end": settings["as_of"]}
    if row["kpi"] == "excess_value":
        return words.say("card.units") if row["basis"] == "units" else ""
    note = (
        words.say("card.window", level=words.say(f"level.{row['level']}"), **span)
        if row["level"]
        else words.say("card.span", **span)
    )
    return f"{note}; {words.say('basis.units')}" if row["basis"] == "units" else note


def _forecast_card(result: Any, words: Words) -> Card:
    """Our own earlier forecasts where a run has come of age, else the customers' forecasts: the note names which."""
    past = result.past_forecasts
    whole = past[past["horizon"] == 0] if len(past) else past
    if len(whole):
        last = whole.iloc[-1]
        note = words.say("card.wape_ours", added=words.show(last["value_added"], "points"))
        return Card(
            "wape", _number(last["wape"]), "rate", n=int(last["items"]), direction="lower", note=note,
            label=words.say("card.name_ours", day=words.show(last["said_on"], "date")),
            numerator=_number(last["error"]), denominator=_number(last["actual"]),
        )  # fmt: skip
    row = score_row(result.scorecard, "wape")
    if row is None:
        return Card("wape", None, "rate", direction="lower", note=words.say("card.no_forecast"))
    added = score_row(result.scorecard, "fva")
    fields = {
        "start": result.settings["window_start"],
        "end": result.settings["as_of"],
        "added": words.show(None if added is None else added["value"], "points"),
    }
    return Card(
        "wape", float(row["value"]), "rate", n=int(row["n"]), last_year=_number(row["last_year"]), target=_number(row["target"]),
        direction="lower", status=row["status"], spark=_spark(result.months, "wape", words),
        note=words.say("card.wape_theirs", **fields),
        label=words.kpi("wape", result.settings),
        numerator=_number(row["numerator"]), denominator=_number(row["denominator"]),
    )  # fmt: skip


def _risk_card(result: Any, words: Words, *, audience: str) -> Card:
    if result.risk_value is not None and audience == "internal":
        value = float(result.risk_value)
        return Card("stockout_value", value, "money", direction="lower", note=words.say("card.risk"), numerator=value)
    if result.stockout_days is None:
        return Card("stockout_days", None, "days", direction="lower", note=words.say("card.no_stock"))
    span = stockout_span(result, words)
    note = words.say("card.stockout_days", items=words.show(result.stockout_items, "count"), span=span)
    days = float(result.stockout_days)
    return Card("stockout_days", days, "days", direction="lower", note=note, numerator=days)
