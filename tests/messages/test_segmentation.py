"""Sentences of the segmentation."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from functools import cache
from typing import Any

import pandas as pd
import pytest

from cmi_analysis import displays, figures
from cmi_analysis.demo import make_demo
from cmi_analysis.figures.style import png_of
from cmi_analysis.labels import format_value
from cmi_analysis.messages.segmentation import tell_segmentation
from cmi_analysis.pages import Page
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.stages.segmentation import SegmentationResult, segment
from cmi_analysis.tables import DataSet, Slice
from cmi_analysis.tables.dataset import Settings

AS_OF = dt.date(2026, 6, 28)
KEYS = [
    "value",
    "contribution",
    "segments",
    "behaviour",
    "service_geography",
    "life_cycle",
    "movement",
    "stability",
    "clusters",
    "leaving",
    "lifetime",
    "treatment",
    "data",
]


@cache
def whole() -> Slice:
    return Slice("all", AS_OF, make_demo(size="small", seed=1).tables)


@cache
def told(lang: str = "en", audience: str = "internal") -> tuple[SegmentationResult, Page]:
    params = SegmentationParams(lang=lang, audience=audience)  # type: ignore[arg-type]
    result = segment(whole(), params)
    return result, tell_segmentation(result, whole(), params)


@cache
def quiet() -> tuple[Slice, SegmentationResult, Page]:
    """Return a group of one weekly customer without prices and with half a year of history."""
    days = pd.date_range(end="2026-06-25", periods=26, freq="7D")
    orders = pd.DataFrame({"order_id": [f"O{i:02d}" for i in range(26)], "line": "1", "customer_id": "C1", "product_id": "P1"})
    orders = orders.assign(ordered_on=days, quantity_ordered=4.0)
    customers = pd.DataFrame({"customer_id": ["C1"], "customer_name": ["Only <one>"], "customer_group": "G"})
    products = pd.DataFrame({"product_id": ["P1"], "product_name": ["First"]})
    part = Slice("G", AS_OF, DataSet({"customers": customers, "products": products, "orders": orders}, Settings()))
    params = SegmentationParams()
    result = segment(part, params)
    return part, result, tell_segmentation(result, part, params)


def sentences(page: Page) -> list[str]:
    rows = [page.headline, *(finding.text for finding in page.findings), *(action.text for action in page.actions)]
    for section in page.sections.values():
        rows += [section.title, section.so_what, section.alt, section.missing]
    return [row for row in [*rows, *page.assumptions, *page.data_notes] if row]


def test_the_headline_names_value_share_and_the_first_customer() -> None:
    result, page = told()
    first = result.leaving.iloc[0]
    assert str(first["customer_name"]) in page.headline
    assert f"{len(result.leaving)} of 42 customers" in page.headline
    assert page.status in ("good", "warn", "bad")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("audience", ["internal", "client"])
def test_a_page_is_complete_in_both_languages_and_editions(lang: str, audience: str) -> None:
    _, page = told(lang, audience)
    assert list(page.sections) == KEYS
    assert len(page.cards) == 6
    assert len(page.findings) == 3
    assert len(page.actions) <= 5
    for key, section in page.sections.items():
        assert section.missing or (section.title and (section.alt or key == "data")), key
    for row in sentences(page):
        assert not re.search(r"\{\w+\}|\bnan\b|None|NaN", row), row
        assert lang == "en" or re.search(r"[一-鿿]", row), row
    json.dumps(dataclasses.asdict(page))


def test_actions_begin_with_the_customer_that_has_most_at_stake() -> None:
    result, page = told()
    assert page.actions[0].text.startswith(f"Call {result.leaving['customer_name'].iloc[0]}: silent for")
    assert page.actions[0].due_on == "2026-06-29"
    assert page.actions[0].effect is None, "value lost is no profit effect"


def test_a_client_reads_nothing_of_risk_priority_or_contribution() -> None:
    _, page = told("en", "client")
    told_words = " ".join([*sentences(page), *(card.key for card in page.cards)]).lower()
    for word in ("at risk of", "overdue", "priority", "contribution", "value_at_risk", "leaving is judged"):
        assert word not in told_words, word
    assert page.badness == 0.0


def test_sections_without_data_say_which_table_is_missing() -> None:
    _, _, page = quiet()
    assert "needs customers.region" in page.sections["service_geography"].missing
    assert "do not reach back far enough" in page.sections["movement"].missing
    assert page.sections["value"].missing == ""


def test_assumptions_say_what_was_used_instead() -> None:
    _, _, page = quiet()
    assert any("value is in units" in row for row in page.assumptions)
    assert any("this group's 1 customers alone" in row for row in page.assumptions)
    assert any("no sell-out" in row for row in page.assumptions)
    assert page.currency == ""


def test_nobody_overdue_is_good_news() -> None:
    _, _, page = quiet()
    assert page.status == "good"
    assert page.headline.startswith("Nobody is overdue: 1 of 1 customers active, worth 104")
    assert page.sections["leaving"].title == "No customer is silent for longer than its own rhythm explains"


def draw(result: Any, page: Page) -> None:
    look: dict[str, Any] = {"lang": page.lang, "audience": page.audience, "currency": page.currency}
    charts = [
        figures.plot_value_growth(result.customers, lang=page.lang, currency=page.currency),
        figures.plot_segments(result.segments, lang=page.lang),
        figures.plot_demand_patterns(result.patterns, lang=page.lang),
        figures.plot_regions(result.regions, lang=page.lang),
        figures.plot_life_stages(result.life_stages, lang=page.lang),
        figures.plot_movement(result.moves, lang=page.lang),
        figures.plot_segment_stability(result.segments, lang=page.lang),
        figures.plot_clusters(result.clusters, lang=page.lang),
    ]
    if page.audience == "internal":
        charts.append(figures.plot_leaving(result.leaving, lang=page.lang, currency=page.currency))
        charts.append(figures.plot_whale_curve(result.whale, lang=page.lang))
        charts.append(figures.plot_lifetime(result.lifetimes, lang=page.lang, currency=page.currency))
    for chart in charts:
        assert len(png_of(chart)) < 60_000
    tables = [
        displays.table_customer_value(result.customers, **look),
        displays.table_segments(result.segments, **look),
        displays.table_behaviour(result.behaviours, **look),
        displays.table_regions(result.regions, **look),
        displays.table_life_stages(result.products, **look),
        displays.table_movement(result.moves, **look),
        displays.table_segment_stability(result.segments, **look),
        displays.table_clusters(result.clusters, **look),
    ]
    if page.audience == "internal":
        tables += [displays.table_contribution(result.whale, **look), displays.table_lifetime(result.lifetimes, **look)]
        tables += [displays.table_leaving(result.leaving, **look), displays.table_treatment(result.treatment, **look)]
    for shown in tables:
        assert "<one>" not in shown.html
        assert not re.search(r"segmentation\.\w|column\.\w", shown.html)


@pytest.mark.parametrize(("lang", "audience"), [("en", "internal"), ("zh", "client")])
def test_charts_and_tables_can_be_drawn_for_both_editions(lang: str, audience: str) -> None:
    draw(*told(lang, audience))


def test_charts_and_tables_take_empty_frames() -> None:
    _, result, page = quiet()
    draw(result, page)
    names = [
        "customers",
        "segments",
        "patterns",
        "regions",
        "life_stages",
        "moves",
        "leaving",
        "behaviours",
        "products",
        "treatment",
        "whale",
        "lifetimes",
        "clusters",
    ]
    empty = {name: getattr(result, name).iloc[:0] for name in names}
    draw(dataclasses.replace(result, **empty), page)


def test_what_is_left_is_the_sum_of_the_table_and_the_dearest_customer_is_named() -> None:
    result, page = told()
    section = page.sections["contribution"]
    left = format_value(result.whale["contribution"].sum(), "money", "en", currency=page.currency)
    assert section.title.startswith(f"{left} is left")
    dear = result.whale.sort_values("cost_to_serve").iloc[-1]
    assert str(dear["customer_name"]) in section.so_what


def test_customers_that_cost_more_than_they_bring_are_counted() -> None:
    result, page = told()
    whale = result.whale.copy()
    whale.loc[whale.index[-2:], "contribution"] = [-100.0, -20.0]
    worse = tell_segmentation(dataclasses.replace(result, whale=whale), whole(), SegmentationParams())
    assert "2 customers cost more than they bring, €120 together" in worse.sections["contribution"].title
    assert "no customer costs more" in page.sections["contribution"].title


def test_the_lifetime_value_is_told_with_interval_horizon_and_where_it_comes_from() -> None:
    result, page = told()
    section, first = page.sections["lifetime"], result.lifetimes.iloc[0]
    low, high = (format_value(first[f"lifetime_value_{end}"], "money", "en", currency=page.currency) for end in ("low", "high"))
    assert section.title.endswith(f"most from {first['customer_name']}, between {low} and {high}")
    assert "in 24 months" in section.title
    assert "42 customers: a purchase model needs 200" in section.so_what


def test_clusters_are_a_second_opinion_with_their_likeness() -> None:
    result, page = told()
    likeness = result.clusters["cluster_likeness"].iloc[0]
    assert f"(index {likeness:.2f})" in page.sections["clusters"].title
    assert "only loosely" in page.sections["clusters"].title if likeness < 0.8 else "well" in page.sections["clusters"].title
    agree = int(result.clusters["most_customers"].sum())
    assert f"{agree} of 42 customers stand in the segment most common" in page.sections["clusters"].title


def test_moves_by_the_customers_and_by_thresholds_are_told_apart() -> None:
    result, page = told()
    causes = result.causes.set_index("move_cause")["customers"]
    assert causes.sum() == 42
    assert f"By what they did: {causes['customer']}; had the cut points moved" in page.sections["movement"].so_what


def test_a_book_of_one_customer_says_why_there_are_no_clusters_and_no_contribution() -> None:
    _, _, page = quiet()
    assert "at least 30 customers" in page.sections["clusters"].missing
    assert "products.unit_cost" in page.sections["contribution"].missing
    assert page.sections["lifetime"].missing == "", "26 weekly orders are a rhythm"
    assert "order value, not contribution" in page.sections["lifetime"].so_what


def test_the_replay_is_told_with_the_shares_of_the_first_rank() -> None:
    result, page = told()
    treatment = result.treatment
    first = treatment[(treatment["shortage_priority"] == 1) & (treatment["short_ordered"] > 0)]
    ordered = first["short_ordered"].sum()
    got = (first["served_share"] * first["short_ordered"]).sum() / ordered
    would = (first["served_by_priority"] * first["short_ordered"]).sum() / ordered
    told_shares = f"got {got:.1%} of what they ordered then; by these ranks it would have been {would:.1%}"
    assert told_shares in page.sections["treatment"].so_what
