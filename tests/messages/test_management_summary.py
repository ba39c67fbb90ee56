from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from cmi_analysis.labels import LANGUAGES
from cmi_analysis.messages.management_summary import tell_management_summary
from cmi_analysis.pages import Page
from cmi_analysis.params.models import ManagementSummaryParams
from cmi_analysis.stages.management_summary import SummaryResult, summarise
from cmi_analysis.tables import DataSet, Settings, Slice

AS_OF = dt.date(2024, 6, 30)


def frames(**replaced: pd.DataFrame) -> dict[str, pd.DataFrame]:
    groups = pd.DataFrame(
        {"group": ["a", "b"], "title": ["Alpha", "Beta"], "notebook": "performance_review", "as_of": "2024-06-30", "key": "k",
         "status": ["good", "bad"], "badness": [0.0, 20.0], "headline": ["fine", "OTIF low"], "period": "", "currency": "EUR"}
    )  # fmt: skip
    cards = pd.DataFrame(
        {"group": ["a", "b"], "notebook": "performance_review", "key": "otif", "value": [0.9, 0.5], "kind": "rate",
         "n": [50.0, 150.0], "last_year": None, "target": [0.9, 0.8], "direction": "higher", "status": ["good", "bad"],
         "numerator": [45.0, 75.0],
         "denominator": [50.0, 150.0], "note": "", "spark": "[]"}
    )  # fmt: skip
    actions = pd.DataFrame(
        {"group": ["a", "b"], "notebook": "performance_review", "text": ["return stock", "order pumps"], "who": "", "due_on": "",
         "effect": [None, 120.0], "cash_ours": [900.0, None], "cash_customer": None, "otherwise": ""}
    )  # fmt: skip
    runs = pd.DataFrame({"group": ["a", "b"], "notebook": "performance_review", "state": ["new", "failed"],
                         "cause": ["", "no memory"], "as_of": "2024-06-30"})  # fmt: skip
    return {"groups": groups, "cards": cards, "actions": actions, "runs": runs, **replaced}


def told(book: dict[str, pd.DataFrame], **params: Any) -> tuple[SummaryResult, Page]:
    part = Slice("", AS_OF, DataSet({}, Settings(currency="EUR")), book=book)
    chosen = ManagementSummaryParams(**params)
    result = summarise(part, chosen)
    return result, tell_management_summary(result, part, chosen)


def test_the_worst_group_comes_first_and_totals_are_ratios_of_sums() -> None:
    result, page = told(frames())
    assert result.ranking["group"].tolist() == ["b", "a"]
    assert page.headline.startswith(
        "Beta needs attention first: its figures miss their targets by 37.5% on average; groups that miss at least one: 1 of 2"
    )
    otif = next(card for card in page.cards if card.key == "otif")
    assert otif.value == pytest.approx(120 / 200) and otif.target == pytest.approx((45 + 120) / 200) and otif.status == "bad"


def test_the_first_action_is_the_one_with_most_profit() -> None:
    _, page = told(frames())
    assert [action.text for action in page.actions] == ["Beta: order pumps", "Alpha: return stock"]
    assert "order pumps (Beta, +€120)" in page.findings[1].text


def test_failed_reports_are_named() -> None:
    result, page = told(frames())
    assert result.runs["state"].tolist() == ["failed", "new"]
    assert page.sections["health"].title == "1 of 2 reports failed; first: Beta, Performance review"


def test_customers_in_two_groups_count_once_and_the_report_says_which_group_is_out() -> None:
    members = pd.DataFrame({"group": ["a", "b", "b"], "customer_id": ["1", "1", "2"]})
    result, page = told(frames(members=members))
    assert result.left_out == ("Alpha",)
    assert result.totals["value"].tolist() == [0.5]
    assert any("Alpha" in note for note in page.data_notes)


def test_money_of_several_currencies_is_not_added() -> None:
    book = frames()
    money = book["cards"].assign(key="excess_value", kind="money", value=10.0, numerator=10.0, denominator=None, target=None)
    book["cards"] = pd.concat([book["cards"], money.astype(book["cards"].dtypes.to_dict(), errors="ignore")], ignore_index=True)
    result, _ = told(book)
    assert "excess_value" in set(result.totals["key"])
    book["groups"] = book["groups"].assign(currency=["EUR", "CNY"])
    result, page = told(book)
    assert "excess_value" not in set(result.totals["key"]) and page.currency == ""
    assert "several currencies" in page.sections["actions"].so_what


def test_changes_since_the_run_before_are_told() -> None:
    before = frames()["cards"].assign(value=[0.9, 0.4])
    _, page = told(frames(previous_cards=before))
    assert (
        page.sections["changes"].title == "1 figures changed: 1 better, 0 worse; most of these: OTIF of Beta, from 40.0% to 50.0%"
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_published_gives_a_page_of_honest_sentences(lang: str) -> None:
    _, page = told({}, lang=lang)
    assert [key for key, section in page.sections.items() if section.missing] == [
        "ranking",
        "kpis",
        "actions",
        "changes",
        "health",
    ]
    assert len(page.cards) == 6 and all(card.value is None for card in page.cards)
