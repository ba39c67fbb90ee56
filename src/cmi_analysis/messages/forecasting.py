"""The forecasting result in sentences: headline, findings, cards, actions, sections."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cmi_analysis.forecasting.demand import OTHERS
from cmi_analysis.forecasting.holidays import has_unnamed_calendars
from cmi_analysis.labels import Language, format_value, text
from cmi_analysis.messages.forecasting_sections import tell_forecast_sections
from cmi_analysis.messages.forecasting_words import Words
from cmi_analysis.pages import Action, Card, Finding, Page, Status, Strip
from cmi_analysis.params.models import ForecastingParams
from cmi_analysis.tables import Slice

# a bias beyond this is worth a word, beyond the second one the forecast is not to be relied on
NOTABLE_BIAS = 0.10
BAD_BIAS = 0.25
# a customer's forecast is called biased from here on
CUSTOMER_BIAS = 0.15
RISE = 0.20
# a move of the same periods' forecast since the run before that is worth a finding
NOTABLE_MOVE = 0.05


def tell_forecasting(result: Any, part: Slice, params: ForecastingParams) -> Page:
    """Return the page of the forecasting report.

    Parameters
    ----------
    result : ForecastResult
        As `stages.forecast` returns it.
    part : Slice
        What the report may see.
    params : ForecastingParams
        Language and audience.
    """
    words = Words(result, params.lang)
    status = _status(words)
    ahead = result.totals[result.totals["mean"].notna()]
    newest = part.tables["sales" if result.echelon == "site" else "orders"]
    dates = newest["date" if result.echelon == "site" else "ordered_on"]
    return Page(
        notebook="forecasting",
        group=part.group,
        lang=params.lang,
        audience=params.audience,
        period=text(
            "forecasting.page.period",
            params.lang,
            first=format_value(ahead["period"].min(), "date", params.lang),
            last=format_value(ahead["period"].max(), "date", params.lang),
        ),
        as_of=part.as_of.isoformat(),
        run_id="",
        headline=_headline(words, status),
        findings=_findings(words),
        cards=_cards(words, params),
        actions=_actions(words),
        strip=Strip(part.rows_in, part.rows_set_aside, format_value(dates.max(), "date", params.lang), words.coverage_words()),
        sections=tell_forecast_sections(words),
        currency=part.tables.settings.currency,
        status=status,
        badness=_badness(words),
        params=params.model_dump(mode="json"),
        assumptions=_assumptions(words, part, params),
    )


def _status(words: Words) -> Status:
    step = words.step("sum", "chosen")
    if step is None:
        return "none"
    bias = abs(words.bias)
    if step["value_added"] < 0 or bias > BAD_BIAS:
        return "bad"
    return "good" if step["low"] > 0 and bias <= NOTABLE_BIAS else "warn"


def _badness(words: Words) -> float:
    """Return the error of the sum up to the decision, the larger the worse; 0 where it is unknown."""
    step = words.step("sum", "chosen")
    return 0.0 if step is None or math.isnan(step["wape"]) else float(step["wape"])


def _headline(words: Words, status: Status) -> str:
    fields = {"horizon": words.horizon, "items": words.count(len(words.result.items))}
    step = words.step("sum", "chosen")
    if step is not None:
        fields |= {"lag": words.lag, "wape": words.rate(step["wape"]), "gain": words.points(step["value_added"])}
        fields |= {"bias": words.signed(words.bias), "doubt": words.count(len(words.doubtful))}
    change = words.change
    if status == "good" and change is None:
        status = "warn"
    fields["change"] = words.signed(change)
    return text(f"forecasting.headline.{status}", words.lang, **fields)


def _findings(words: Words) -> tuple[Finding, ...]:
    found = [Finding(_next_sentence(words), "next_periods")]
    moved = words.moved
    if moved is not None and abs(moved) >= NOTABLE_MOVE:
        found.append(
            Finding(tell_forecast_sections(words)["movement"].title + text("forecasting.full_stop", words.lang), "movement")
        )
    alone = words.step("lag", "chosen")
    if alone is not None:
        naive = words.step("lag", "naive")
        assert naive is not None
        fields = {
            "wape": words.rate(alone["wape"]),
            "naive": words.rate(naive["wape"]),
            "gain": words.points(alone["value_added"]),
        }
        fields |= {"lag": words.lag, "low": words.points(alone["low"]), "high": words.points(alone["high"])}
        found.append(Finding(text("forecasting.finding.added", words.lang, **fields), "accuracy"))
    biased = words.biased_customer(CUSTOMER_BIAS)
    if biased is not None:
        fields = {"n": words.count(biased["n"]), **words.bias_fields(biased)}
        key = f"forecasting.finding.customer_bias_{words.side(biased)}"
        found.append(Finding(text(key, words.lang, **fields), "customer_forecast"))
    dead = int((words.result.items["state"] == "dead").sum())
    counts = {"items": words.count(len(words.result.items))}
    if dead:
        found.append(Finding(text("forecasting.finding.dead", words.lang, n=words.count(dead), **counts), "life_cycle"))
    sentence = text("forecasting.finding.doubt", words.lang, n=words.count(len(words.doubtful)), **counts)
    found.append(Finding(sentence, "forecastability"))
    return tuple(found[:3])


def _next_sentence(words: Words) -> str:
    if words.change is None:
        return text("forecasting.finding.next_no_year", words.lang, horizon=words.horizon, total=words.quantity(words.total))
    low, high = words.last_bounds
    fields = {
        "horizon": words.horizon,
        "total": words.quantity(words.total),
        "low": words.quantity(low),
        "high": words.quantity(high),
    }
    return text("forecasting.finding.next", words.lang, change=words.signed(words.change), **fields)


def _cards(words: Words, params: ForecastingParams) -> tuple[Card, ...]:
    result, lang = words.result, words.lang
    alone, added, theirs = words.step("lag", "chosen"), words.step("sum", "chosen"), words.step("sum", "customer", scope="shared")
    ours = words.step("sum", "chosen", scope="shared")
    none = text("forecasting.note.no_backtest", lang)
    lag_key = "lag" if words.stock_known else "lag_plain"
    told = text(f"forecasting.note.{lag_key}", lang, lag=words.lag, folds=words.count(result.folds))
    lag_note = told if alone is not None else none
    living = result.items[result.items["state"] != "dead"]
    customer_note = text("forecasting.note.no_customer", lang)
    if theirs is not None and ours is not None:
        customer_note = text("forecasting.note.customer", lang, lag=words.lag, ours=words.rate(ours["wape"]))
    fva_note = none
    if added is not None:
        bounds = {"low": words.points(added["low"]), "high": words.points(added["high"])}
        fva_note = text("forecasting.note.fva", lang, lag=words.lag, **bounds)
    bias_note = text("forecasting.note.bias", lang, horizon=words.horizon) if alone is not None else none
    label = {key: text(f"forecasting.card.{key}", lang, lag=words.lag) for key in ("wape", "fva", "customer_wape")}
    spark, off = words.wape_by_origin(), text("forecasting.card.bias", lang, horizon=words.horizon)
    return (
        _card("wape", alone, "wape", kind="rate", note=lag_note, direction="lower", spark=spark, label=label["wape"]),
        _card("fva", added, "value_added", kind="points", note=fva_note, label=label["fva"]),
        Card("bias", _known(words.bias), "signed_rate", n=len(result.errors), direction="band", note=bias_note, label=off),
        _coverage_card(words, none),
        _card("customer_wape", theirs, "wape", kind="rate", note=customer_note, direction="lower", label=label["customer_wape"]),
        Card(
            "unreliable_items",
            len(words.doubtful) / len(living) if len(living) else None,
            "rate",
            n=len(living),
            direction="lower",
            note=text("forecasting.note.unreliable", lang, lag=words.lag),
        ),
    )


def _coverage_card(words: Words, none: str) -> Card:
    row, target = words.coverage_row("period"), words.result.interval
    if row is None:
        return Card("coverage", None, "rate", target=target, direction="band", note=none)
    note = text("forecasting.note.coverage", words.lang, share=words.rate(target))
    return Card("coverage", _known(row["coverage"]), "rate", n=int(row["n"]), target=target, direction="band", note=note)


def _card(
    key: str,
    step: pd.Series | None,
    column: str,
    *,
    kind: str,
    note: str,
    label: str,
    direction: str = "higher",
    spark: tuple = (),
) -> Card:
    value = None if step is None else _known(step[column])
    n = None if step is None else int(step["n"])
    return Card(key, value, kind, n=n, note=note, direction=direction, spark=spark, label=label)  # type: ignore[arg-type]


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _actions(words: Words) -> tuple[Action, ...]:
    made = [*_customer_actions(words), *_rise_action(words), *_dead_action(words), *_doubt_actions(words)]
    if words.result.missing.get("customer_forecast") == "forecasting.missing.customer_forecasts":
        made.append(_action("no_forecast", words.lang, who="account_manager"))
    return tuple(made[:5])


def _action(name: str, lang: Language, *, who: str, **fields: str) -> Action:
    return Action(
        text=text(f"forecasting.action.{name}", lang, **fields),
        who=text(f"forecasting.who.{who}", lang),
        otherwise=text(f"forecasting.action.{name}_otherwise", lang, **fields),
    )


def _customer_actions(words: Words) -> list[Action]:
    made = []
    biased = words.biased_customer(CUSTOMER_BIAS)
    if biased is not None:
        made.append(
            _action(f"customer_bias_{words.side(biased)}", words.lang, who="account_manager", **words.bias_fields(biased))
        )
    better = words.result.customers[words.result.customers["trust"] == "theirs"]
    better = better.sort_values(["demand", "customer_id"], ascending=[False, True], kind="stable")
    if not better.empty:
        row = better.iloc[0]
        fields = {"customer": row["customer_name"], "theirs": words.rate(row["wape_customer"]), "lag": words.lag}
        made.append(_action("customer_better", words.lang, who="planner", ours=words.rate(row["wape_statistical"]), **fields))
    return made


def _rise_action(words: Words) -> list[Action]:
    if words.change is None or words.change < RISE or _status(words) == "bad" or words.single_year:
        return []
    return [_action("rise", words.lang, who="planner", horizon=words.horizon, change=words.signed(words.change))]


def _dead_action(words: Words) -> list[Action]:
    dead = words.result.life[words.result.life["state"] == "dead"]
    if dead.empty:
        return []
    row = dead.iloc[0]
    fields = {"n": words.count(len(dead)), "customers": words.count(dead["customer_id"].nunique())}
    fields |= {"product": row["product_name"], "customer": row["customer_name"]}
    return [_action("dead", words.lang, who="account_manager", **fields)]


def _doubt_actions(words: Words) -> list[Action]:
    asked = words.doubtful[(words.doubtful["doubt"] == "error") & (words.doubtful["customer_id"] != OTHERS)]
    large = asked.head(2)
    made = []
    for row in large.to_dict("records"):
        fields = {"customer": row["customer_name"], "product": row["product_name"], "lag": words.lag}
        fields |= {"next": words.quantity(row["next"]), "wape": words.rate(row["wape"])}
        made.append(_action("doubt", words.lang, who="customer", **fields))
    return made


def _assumptions(words: Words, part: Slice, params: ForecastingParams) -> tuple[str, ...]:
    result, lang = words.result, words.lang
    said = [*part.tables.settings.said(lang)]
    if result.echelon == "warehouse":
        said.append(text("forecasting.data.warehouse", lang))
    alone = result.items["customer_id"] != OTHERS
    if not alone.all():
        counts = {"n": words.count(int(alone.sum())), "products": words.count(int((~alone).sum()))}
        said.append(text("forecasting.assumption.pooled", lang, **counts))
    said.append(text(f"forecasting.assumption.season_{result.season_source}", lang))
    if words.single_year:
        said.append(text("forecasting.assumption.single_year", lang))
    imputed = int(result.panel["imputed"].sum())
    if imputed:
        said.append(text("forecasting.assumption.stockouts", lang, n=words.count(imputed)))
    elif result.panel["in_stock"].isna().all():
        said.append(text("forecasting.assumption.no_stock", lang))
    if has_unnamed_calendars(part.tables.get("calendars"), customers=part.tables.get("customers")):
        said.append(text("forecasting.assumption.calendars", lang))
    learnt = "boosting" in set(result.models["model"])
    said.append(text("forecasting.assumption.global" if learnt else "forecasting.assumption.chosen", lang))
    if abs(result.interval - params.interval) > 1e-9:
        said.append(text("forecasting.assumption.interval", lang, share=words.rate(result.interval)))
    return tuple(said)
