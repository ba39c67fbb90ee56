"""The sections of the performance review: title, what follows, alternative text; every number is one of the tables'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from cmi_analysis.messages.performance_words import (
    CAUSES,
    Words,
    largest_cause,
    missing_number,
    most_biased,
    old_worth,
    score_row,
)
from cmi_analysis.pages import Section

KEYS = ("scorecard", "fill_gap", "otif", "turns", "excess", "orders", "collaboration", "ledger", "data")


def review_sections(result: Any, words: Words, *, rows_in: int) -> dict[str, Section]:
    """Return the sections in the order of the notebook."""
    tell: dict[str, Callable[[Any, Words], Section]] = {
        "scorecard": _scorecard,
        "fill_gap": _fill_gap,
        "otif": _otif,
        "turns": _turns,
        "excess": _excess,
        "orders": _orders,
        "collaboration": _collaboration,
        "ledger": _ledger,
    }
    sections = {}
    for key in KEYS[:-1]:
        lacking = result.missing.get(key)
        sections[key] = (
            Section(key, missing=words.say(lacking.removeprefix("performance."))) if lacking else tell[key](result, words)
        )
    sections["data"] = Section("data", title=words.say("data.title", rows=words.show(rows_in, "count")))
    return sections


def _scorecard(result: Any, words: Words) -> Section:
    card = result.scorecard
    last_year = words.say("scorecard.so_what", last_year=f"{int(result.settings['as_of'][:4]) - 1}{result.settings['as_of'][4:]}")
    if card.empty:
        return Section("scorecard", title=words.say("scorecard.empty"), alt=words.say("alt.none"))
    rated = card[card["status"] != "none"]
    rates = card[card["unit"] == "rate"]
    labels = [(words.kpi(row.kpi, result.settings), words.show(row.value, row.unit)) for row in rates.itertuples()]
    missed = rated[rated["status"] != "good"]
    if rated.empty:
        title = words.say("scorecard.unrated")
    elif missed.empty:
        title = words.say("scorecard.met", rated=words.show(len(rated), "count"))
    else:
        off = (missed["value"] - missed["target"]).abs() / missed["target"].abs()
        worst = missed.loc[off.astype(float).idxmax()]
        title = words.say(
            "scorecard.missed",
            missed=words.show(len(missed), "count"),
            rated=words.show(len(rated), "count"),
            name=words.kpi(worst["kpi"], result.settings),
            value=words.show(worst["value"], worst["unit"]),
            target=words.show(worst["target"], worst["unit"]),
        )
    return Section("scorecard", title=title, so_what=last_year, alt=words.join(labels))


def _fill_gap(result: Any, words: Words) -> Section:
    gap = result.fill_gap.set_index("cause")["units"].astype(float)
    lost = float(gap[list(CAUSES)].sum())
    cause = largest_cause(result.fill_gap)
    ordered = words.show(gap["ordered"], "quantity")
    labels = [(words.say(f"bar.{name}"), words.show(units, "quantity")) for name, units in gap.items()]
    if cause is None:
        title = words.say("fill_gap.none", ordered=ordered)
    else:
        said = words.say(f"cause.{cause['cause']}")
        share = words.show(cause["units"] / lost, "rate")
        title = words.say("fill_gap.lost", gap=words.show(lost, "quantity"), ordered=ordered, share=share, cause=said)
    return Section("fill_gap", title=title, so_what=words.say("fill_gap.so_what"), alt=words.join(labels))


def _otif(result: Any, words: Words) -> Section:
    row, sites, about = score_row(result.scorecard, "otif"), result.otif_sites, result.settings
    if row is None or sites.empty:
        return Section("otif", missing=words.say("missing.due"))
    worst = sites.iloc[0]
    title = words.say(
        "otif.title",
        value=words.show(row["value"], "rate"),
        low=words.show(row["low"], "rate"),
        high=words.show(row["high"], "rate"),
        site=worst["customer_name"],
        failed=words.show(worst["failed"], "count"),
        n=words.show(worst["n"], "count"),
    )
    so_what = words.say(
        "otif.so_what",
        late=str(about["late_tolerance_days"]),
        early=str(about["early_tolerance_days"]),
        tolerance=words.show(about["quantity_tolerance"], "rate"),
    )
    labels = [(words.show(r.period, "date"), words.show(r.value, "rate")) for r in result.otif_weeks.itertuples()]
    return Section("otif", title=title, so_what=so_what, alt=words.join(labels))


def _turns(result: Any, words: Words) -> Section:
    row, turns = score_row(result.scorecard, "dio"), result.turns
    if row is None or turns.empty:
        return Section("turns", missing=words.say("missing.stock"))
    band = result.peers[result.peers["kpi"] == "dio"] if len(result.peers) else result.peers
    peers = words.say("turns.no_peers")
    if len(band):
        ends = {"low": words.show(band.iloc[0]["q25"], "days"), "high": words.show(band.iloc[0]["q75"], "days")}
        peers = words.say("turns.peers", k=words.show(band.iloc[0]["peers"], "count"), **ends)
    shown = {"dio": words.show(row["value"], "days"), "last_year": words.show(row["last_year"], "days")}
    known = turns.dropna(subset=["dio"])
    slowest = known.iloc[0] if len(known) else turns.iloc[0]
    basis = words.say("turns.units" if row["basis"] == "units" else "turns.cost")
    so_what = words.say("turns.so_what", site=slowest["customer_name"], days=words.show(slowest["dio"], "days"), basis=basis)
    labels = [(r.customer_name, words.show(r.dio, "days")) for r in turns.head(15).itertuples()]
    return Section("turns", title=words.say("turns.title", peers=peers, **shown), so_what=so_what, alt=words.join(labels))


def _excess(result: Any, words: Words) -> Section:
    ageing = result.ageing
    if ageing.empty:
        return Section("excess", missing=words.say("missing.stock_excess"))
    excess = float(result.excess_items["excess"].sum())
    amounts = {"excess": excess, "stock": float(ageing["worth"].sum()), "old": old_worth(ageing)}
    row = score_row(result.scorecard, "excess_value")
    known = row is None or row["basis"] != "units"
    owner = words.say(f"excess.{result.settings['stock_owner'] if known else 'units'}")
    labels = [(words.say(f"age.{r.bucket}"), words.money(r.worth, known)) for r in ageing.itertuples()]
    titled = {name: words.money(value, known) for name, value in amounts.items()}
    title = words.say("excess.title" if known else "excess.title_units", **titled)
    return Section("excess", title=title, so_what=words.say("excess.so_what", owner=owner), alt=words.join(labels))


def _orders(result: Any, words: Words) -> Section:
    times, card = result.order_times, result.scorecard
    rate, accuracy = score_row(card, "return_rate"), score_row(card, "order_accuracy")
    shown_rate = words.show(None if rate is None else rate["value"], "rate")
    whole = times[times["stage"] == "ordered_to_delivered"] if len(times) else times
    if len(whole):
        stages = times[times["stage"] != "ordered_to_delivered"]
        longest = (stages if len(stages) else whole).sort_values("mean", kind="stable").iloc[-1]
        fields = {"median": words.show(whole.iloc[0]["median"], "days"), "p90": words.show(whole.iloc[0]["p90"], "days")}
        title = words.say("orders.title", stage=words.say(f"stage.{longest['stage']}"), **fields)
    else:
        title = words.say("orders.untimed", rate=shown_rate) if rate is not None else words.say("orders.unknown")
    labels = [(words.say(f"stage.{r.stage}"), words.show(r.median, "days")) for r in times.itertuples()]
    so_what = _orders_so_what(result, words, rate=rate, accuracy=accuracy)
    drawn, listed = bool(len(times)), bool(len(result.returns))
    return Section("orders", title=title, so_what=so_what, alt=words.join(labels), chart=drawn, rows=listed)


def _orders_so_what(result: Any, words: Words, *, rate: pd.Series | None, accuracy: pd.Series | None) -> str:
    """Return what is known of accuracy and returns, and nothing of what is not."""
    said = []
    if accuracy is not None:
        said.append(words.say("orders.accuracy", accuracy=words.show(accuracy["value"], "rate")))
    if rate is not None:
        basis = words.say("orders.by_dates") if rate["basis"] == "dates" else ""
        basis += words.say("orders.provisional") if bool(rate["provisional"]) else ""
        shown = {"rate": words.show(rate["value"], "rate"), "basis": basis}
        reason = result.returns.iloc[0]["reason"] if len(result.returns) else ""
        said.append(
            words.say("orders.returned", reason=words.reason(reason), **shown)
            if reason
            else words.say("orders.returned_untold", **shown)
        )
    return ("" if words.lang == "zh" else " ").join(said)


def _months(settings: Any) -> str:
    """Return the length of the window in months."""
    days = (pd.Timestamp(settings["as_of"]) - pd.Timestamp(settings["window_start"])).days
    return str(round(days / 30.4375))


def _collaboration(result: Any, words: Words) -> Section:
    card, table = result.scorecard, result.collaboration
    wape, added, sharing = (score_row(card, kpi) for kpi in ("wape", "fva", "sharing"))
    biased = most_biased(table)
    if wape is not None and added is not None and biased is not None:
        title = words.say(
            "collaboration.better" if added["value"] >= 0 else "collaboration.worse",
            lag=str(result.settings["forecast_lag"]),
            months=_months(result.settings),
            wape=words.show(wape["value"], "rate"),
            gap=words.show(abs(added["value"]), "points").lstrip("+"),
            site=biased["customer_name"],
            bias=words.show(biased["bias"], "signed_rate"),
        )
    elif sharing is not None:
        title = words.say("collaboration.sharing", value=words.show(sharing["value"], "rate"))
    else:
        title = words.say("collaboration.neither")
    so_what = words.say("collaboration.so_what", lag=str(result.settings["forecast_lag"]))
    known = table.dropna(subset=["bias"]) if len(table) else table
    labels = [(r.customer_name, words.show(r.bias, "signed_rate")) for r in known.itertuples()]
    return Section("collaboration", title=title, so_what=so_what, alt=words.join(labels))


def _ledger(result: Any, words: Words) -> Section:
    past = result.past_forecasts
    whole = past[past["horizon"] == 0] if len(past) else past
    if whole.empty or missing_number(whole.iloc[-1]["wape"]):
        title = words.say("ledger.unscored")
    else:
        last = whole.iloc[-1]
        title = words.say(
            "ledger.better" if last["value_added"] >= 0 else "ledger.worse",
            day=words.show(last["said_on"], "date"),
            wape=words.show(last["wape"], "rate"),
            items=words.show(last["items"], "count"),
            gap=words.show(abs(last["value_added"]), "points").lstrip("+"),
        )
    shown = past[past["horizon"] > 0] if len(past) else past
    shown = shown[shown["said_on"] == shown["said_on"].max()] if len(shown) else shown
    labels = [(str(r.horizon), f"{words.show(r.wape, 'rate')} / {words.show(r.wape_naive, 'rate')}") for r in shown.itertuples()]
    return Section("ledger", title=title, so_what=_outcomes(result.outcomes, words), alt=words.join(labels))


def _outcomes(outcomes: pd.DataFrame, words: Words) -> str:
    def count(what: str, *names: str) -> str:
        rows = outcomes[(outcomes["what"] == what) & outcomes["outcome"].isin(names)] if len(outcomes) else outcomes
        return words.show(int(rows["cases"].sum()) if len(rows) else 0, "count")

    return words.say(
        "ledger.so_what",
        followed=count("proposals", "followed"),
        decided=count("proposals", "followed", "other_quantity", "not_ordered"),
        true=count("alerts", "came_true"),
        acted=count("alerts", "ordered_in_time"),
        idle=count("alerts", "did_not_come"),
    )
