"""The first screen: what it holds, whom it shows what, how changes read."""

from __future__ import annotations

import dataclasses
import re

import pytest

from cmi_analysis.displays.first_screen import first_screen_html, show_first_screen
from cmi_analysis.pages import Action, Card, Finding
from cmi_analysis.report.fragments import fragment_problems
from hostile import PAYLOADS
from report_samples import captured, sample_page


def words(html: str) -> str:
    """Return the visible words, spaces made single."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def card_words(card: Card, **page: object) -> str:
    """Return the words of one card."""
    html = first_screen_html(dataclasses.replace(sample_page(), cards=(card,), **page))
    found = re.search(r'<li class="cmi-card.*?</li>', html, re.S)
    assert found
    return words(found[0])


def test_who_when_headline_findings_and_strip_are_there() -> None:
    page = sample_page()
    shown = words(first_screen_html(page))
    for part in (page.group, page.period, page.as_of, page.run_id, page.tie_out, page.strip.coverage, "184,211", "312"):
        assert part in shown
    assert [f"#s-{finding.section}" for finding in page.findings] == re.findall(r'href="([^"]+)"', first_screen_html(page))


def test_at_most_six_cards_three_findings_and_five_actions_are_shown() -> None:
    page = sample_page()
    more = dataclasses.replace(page, cards=page.cards * 2, findings=page.findings * 2, actions=page.actions * 2)
    assert first_screen_html(more) == first_screen_html(page)


def test_fall_of_a_figure_that_should_be_low_is_called_better() -> None:
    card = Card("wape", 0.38, "rate", last_year=0.44, target=0.36, direction="lower")
    assert "▼ -6.0 pts better than last year" in card_words(card)
    assert "+2.0 pts against the target of 36.0%" in card_words(card)


def test_fall_of_a_figure_that_should_be_high_is_called_worse() -> None:
    assert "▼ -2.0 pts worse than last year" in card_words(Card("otif", 0.90, "rate", last_year=0.92))


def test_change_of_a_figure_that_should_stay_in_a_band_is_not_judged() -> None:
    shown = card_words(Card("dio", 50.0, "days", last_year=45.0, direction="band", change_kind="signed_quantity"))
    assert "▲ +5 days on last year" in shown
    assert "better" not in shown
    assert "worse" not in shown


def test_equal_figures_are_neither_better_nor_worse() -> None:
    shown = card_words(Card("otif", 0.9, "rate", last_year=0.9, target=0.9))
    assert "= as last year" in shown
    assert "on the target of 90.0%" in shown
    assert "0.0 pts" not in shown


def test_difference_that_rounds_to_nothing_is_not_judged() -> None:
    shown = card_words(Card("otif", 0.9499, "rate", last_year=0.9501, target=0.9502))
    assert "= as last year" in shown
    assert "worse" not in shown


def test_card_without_value_shows_a_dash_and_the_reason() -> None:
    shown = card_words(Card("otif", None, "rate", target=0.9, note="no promise dates"))
    assert "–" in shown
    assert "no promise dates" in shown
    assert "target" not in shown


def test_money_of_a_card_carries_the_currency_and_days_their_unit() -> None:
    assert "€1.2m" in card_words(Card("excess_value", 1.2e6, "money"), currency="EUR")
    assert "47.3 days" in card_words(Card("dio", 47.3, "days"))


def test_change_of_money_carries_the_currency() -> None:
    card = Card("excess_value", 49_600.0, "money", last_year=19_000.0, change_kind="signed_money", direction="lower")
    assert "▲ +€30.6k worse than last year" in card_words(card, currency="EUR")


def test_clients_see_their_own_cash_only() -> None:
    page = sample_page(audience="client")
    shown = words(first_screen_html(page))
    assert "Customer&#39;s cash" in shown
    assert "Our profit" not in shown
    assert "Our cash" not in shown
    assert "18.4k" not in shown
    assert "96.0k" not in shown


def test_money_columns_without_any_money_are_left_out() -> None:
    page = dataclasses.replace(sample_page(), actions=(Action("Call the buyer"),))
    shown = words(first_screen_html(page))
    assert "Call the buyer" in shown
    for name in ("Our profit", "Our cash", "Customer's cash", "Who decides", "If we do nothing"):
        assert name not in shown


def test_without_actions_the_screen_says_that_nothing_is_to_do() -> None:
    assert "Nothing has to be done now." in words(first_screen_html(dataclasses.replace(sample_page(), actions=())))


def test_language_of_the_page_is_the_language_of_every_word() -> None:
    assert re.findall(r"\b(Do next|than last year|Rows read|Act now|Period)\b", words(first_screen_html(sample_page("zh")))) == []


def test_nothing_but_a_style_sheet_and_the_screen_is_shown() -> None:
    style, screen = captured(lambda: show_first_screen(sample_page()))
    assert style.metadata == {"cmi": {"part": "style"}}
    assert screen.data["text/html"] == first_screen_html(sample_page())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stays_text_everywhere(payload: str) -> None:
    page = sample_page(group=payload, headline=payload, tie=payload, coverage=payload, f1=payload, note=payload, period=payload)
    page = dataclasses.replace(
        page,
        actions=(Action(payload, payload, payload, 1.0, 1.0, 1.0, payload),),
        findings=(Finding(payload, "gap"),),
        cards=(Card("otif", 0.9, "rate", note=payload, spark=((payload, 1.0), (payload, 2.0))),),
    )
    assert fragment_problems(first_screen_html(page)) == []
