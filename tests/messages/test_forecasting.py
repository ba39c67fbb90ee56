"""The forecasting page: numbers in sentences are the numbers of the tables."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pandas as pd
import pytest

from cmi_analysis.displays import forecasting as displays
from cmi_analysis.figures import forecasting as figures
from cmi_analysis.labels import format_value, has_text
from cmi_analysis.messages.forecasting import tell_forecasting
from cmi_analysis.pages import Page
from cmi_analysis.params.models import ForecastingParams
from cmi_analysis.stages.forecast_frames import with_moves
from cmi_analysis.stages.forecasting import forecast
from cmi_analysis.tables import DataSet, Settings, Slice

SECTIONS = [
    "next_periods",
    "movement",
    "levels",
    "accuracy",
    "customer_forecast",
    "drivers",
    "bias",
    "forecastability",
    "life_cycle",
]
SECTIONS += ["model_choice", "data"]


@pytest.fixture(scope="module")
def part(demo: Any) -> Slice:
    customers = demo.tables["customers"]
    biased = demo.truth["roles"].set_index("role").loc["biased_forecast", "id"]
    group = customers.set_index("customer_id").loc[biased, "customer_group"]
    members = set(customers.loc[customers["customer_group"] == group, "customer_id"])
    frames = {
        name: frame[frame["customer_id"].isin(members)] if "customer_id" in frame else frame
        for name, frame in demo.tables.frames.items()
    }
    as_of = (demo.tables["sales"]["date"].max() + pd.Timedelta(days=6)).date()
    return Slice(group, as_of, DataSet(frames, demo.tables.settings), rows_in=1000)


@pytest.fixture(scope="module")
def result(part: Slice) -> Any:
    return forecast(part, ForecastingParams(horizon=6))


def page(part: Slice, result: Any, lang: str = "en") -> Page:
    return tell_forecasting(result, part, ForecastingParams(horizon=6, lang=lang))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_whole(part, result, lang):
    told = page(part, result, lang)
    assert list(told.sections) == SECTIONS
    assert (len(told.findings), len(told.cards)) == (3, 6)
    assert 1 <= len(told.actions) <= 5
    assert {finding.section for finding in told.findings} <= set(SECTIONS)
    assert all(has_text(f"kpi.{card.key}.name") and has_text(f"kpi.{card.key}.formula") for card in told.cards)
    assert all(section.title or section.missing for section in told.sections.values())


def test_chinese_pages_have_no_english_sentence(part, result):
    told = page(part, result, "zh")
    names = {name for frame in (result.items, result.customers) for name in frame["customer_name"]} | set(
        result.items["product_name"]
    )
    texts = [told.headline, *(f.text for f in told.findings), *(a.text + a.otherwise for a in told.actions)]
    texts += [section.title + section.so_what + section.alt for section in told.sections.values()] + list(told.assumptions)
    for sentence in texts:
        for name in sorted(names, key=len, reverse=True):
            sentence = sentence.replace(name, "")
        assert not re.search(r"[a-z]{3,} [a-z]{3,}", sentence), sentence


def test_the_headline_holds_the_numbers_of_the_stairs(part, result):
    row = result.accuracy[
        (result.accuracy["scope"] == "all") & (result.accuracy["measure"] == "sum") & (result.accuracy["step"] == "chosen")
    ].iloc[0]
    headline = page(part, result).headline
    assert format_value(row["wape"], "rate") in headline
    assert format_value(row["value_added"], "points") in headline


def test_the_biased_customer_is_named_with_its_bias(part, result):
    row = result.customers.sort_values("bias_customer").iloc[-1]
    told = page(part, result)
    bias = format_value(abs(row["bias_customer"]), "rate")
    assert any(f"{row['customer_name']} forecasts {bias} more than it needs" in finding.text for finding in told.findings)
    assert any(row["customer_name"] in action.text and f"{bias} above what it needs" in action.text for action in told.actions)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_figures_that_the_review_shows_with_other_settings_name_their_lag(part, result, lang):
    cards = {card.key: card for card in page(part, result, lang=lang).cards}
    lag = str(result.decision_lag)
    assert all(lag in cards[key].label for key in ("wape", "fva", "customer_wape"))
    assert str(result.horizon) in cards["bias"].label


def test_title_counts_those_customers_that_the_table_calls_better(part, result):
    trusts = ["theirs", "unclear", "ours"]
    rows = pd.concat([result.customers.iloc[[0]]] * 3, ignore_index=True)
    rows = rows.assign(trust=trusts, wape_customer=0.1, wape_statistical=0.2, customer_name=["A", "B", "C"])
    told = page(part, dataclasses.replace(result, customers=rows))
    assert "the forecasts of 1 of 3 customers" in told.sections["customer_forecast"].title


def test_each_cards_value_is_the_tables(part, result):
    cards = {card.key: card for card in page(part, result).cards}
    table = result.accuracy[(result.accuracy["scope"] == "all") & (result.accuracy["step"] == "chosen")].set_index("measure")
    assert cards["wape"].value == table.loc["lag", "wape"]
    assert cards["fva"].value == table.loc["sum", "value_added"]
    living = result.items[result.items["state"] != "dead"]
    assert cards["unreliable_items"].value == (living["doubt"] != "").mean()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_section_on_bias_counts_what_its_second_table_lists(part, result, lang):
    reasons = ["level_up", "level_down", "drift_down", ""]
    rows = pd.concat([result.monitoring.iloc[[0]]] * 4, ignore_index=True).assign(
        reason=reasons, level_before=[1.0, 9.0, 5.0, 5.0]
    )
    rows = rows.assign(level_after=[3.0, 1.0, 5.0, 5.0], changed_on=pd.Timestamp("2024-05-06"))
    told = page(part, dataclasses.replace(result, monitoring=rows), lang).sections["bias"].so_what
    items = format_value(len(result.items), "count", lang)
    wanted = {"en": f"the level of 2 of {items} items changed of late, the forecasts of 1 drift off"}
    assert wanted.get(lang, f"{items} 个品项中 2 个近期需求水平改变，1 个预测持续偏离") in told
    shown = displays.table_monitoring(rows, lang=lang)
    assert shown.frame["reason"].tolist() == ["level_down", "level_up", "drift_down"]


def test_nothing_is_said_of_monitoring_where_nothing_happened(part, result):
    calm = dataclasses.replace(result, monitoring=result.monitoring.assign(reason=""))
    assert "drift off" not in page(part, calm).sections["bias"].so_what


def test_two_weeks_of_history_give_a_page_that_says_what_is_missing(part):
    sales = part.tables["sales"]
    short = {"sales": sales[sales["date"] > sales["date"].max() - pd.Timedelta(days=8)]}
    few = Slice(part.group, part.as_of, DataSet(short, Settings()))
    told = tell_forecasting(forecast(few, ForecastingParams()), few, ForecastingParams())
    assert told.status == "none"
    assert "too short to say how well" in told.headline
    assert told["accuracy"].missing.startswith("The history is shorter than half a year")
    assert told["customer_forecast"].missing.startswith("No customer sent a forecast of its own")
    assert any("Ask the customers of this group" in action.text for action in told.actions)


DRAWN = [
    ("totals", figures.plot_forecast_fan),
    ("accuracy", figures.plot_value_added),
    ("customers", figures.plot_customer_forecasts),
    ("seasons", figures.plot_seasons),
    ("customer_bias", figures.plot_forecast_bias),
    ("patterns", figures.plot_forecastability),
    ("models", figures.plot_model_scores),
]
TABLES = [
    ("items", displays.table_next_periods),
    ("accuracy", displays.table_value_added),
    ("customers", displays.table_customer_forecasts),
    ("drivers", displays.table_drivers),
    ("outliers", displays.table_outliers),
    ("monitoring", displays.table_monitoring),
    ("items", displays.table_doubtful),
    ("life", displays.table_life_cycle),
    ("coverage", displays.table_coverage),
]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "plot"), DRAWN)
def test_each_chart_draws_the_result_and_an_empty_frame(result, name, plot, lang):
    frame = getattr(result, name)
    assert plot(frame, lang=lang).has_data()
    assert plot(frame.head(0), lang=lang) is not None


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "make"), TABLES)
def test_each_table_shows_the_result_and_an_empty_frame(result, name, make, lang):
    frame = getattr(result, name)
    assert "<table" in make(frame, lang=lang).html
    assert "<tbody>" in make(frame.head(0), lang=lang).html


@pytest.fixture(scope="module")
def moved(part, result):
    said = result.forecasts.assign(mean=result.forecasts["mean"] * 0.8, as_of=pd.Timestamp("2024-01-01"), published_rank=1)
    return with_moves(result, dataclasses.replace(part, ledger={"forecasts": said}), lang="en")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_moved_since_the_last_run_is_a_finding_with_the_tables_numbers(part, moved, lang):
    told = page(part, moved, lang)
    now, then = (moved.moves[name].sum() for name in ("expected_now", "expected_then"))
    found = next(finding.text for finding in told.findings if finding.section == "movement")
    assert format_value(now - then, "quantity", lang) in found
    assert format_value(now, "quantity", lang) in found
    section = told.sections["movement"]
    assert not section.missing
    assert format_value(moved.move_periods["expected_now"].iloc[0], "quantity", lang) in section.so_what


def test_the_chart_of_moves_has_one_bar_a_cause_that_moved_it(moved):
    causes = pd.concat([moved.move_causes, moved.move_causes.iloc[[0]].assign(cause="unmoved", moved=0.0)])
    assert len(figures.plot_moves(causes).patches) == (causes["cause"] != "unmoved").sum() > 0


def test_a_forecast_that_hardly_moved_is_no_finding(part, result):
    said = result.forecasts.assign(mean=result.forecasts["mean"] * 1.001, as_of=pd.Timestamp("2024-01-01"), published_rank=1)
    same = with_moves(result, dataclasses.replace(part, ledger={"forecasts": said}), lang="en")
    told = page(part, same)
    assert all(finding.section != "movement" for finding in told.findings)
    assert "hardly moved" in told.sections["movement"].title


def test_the_breakdown_shows_the_next_the_decisions_and_the_last_lead(result):
    html = displays.table_breakdown(result.breakdown, frequency="week", lag=2).html
    for words in ("1 week", "2 weeks", "6 weeks", "smooth"):
        assert words in html
    assert "5 weeks" not in html
