"""Word-sized charts: scale, gaps, words."""

from __future__ import annotations

import re

import pytest

from cmi_analysis.figures.small import svg_bullet, svg_sparkline


def test_sparkline_rises_from_the_lowest_to_the_highest_value() -> None:
    path = re.search(r' d="([^"]+)"', svg_sparkline([1.0, 3.0, 2.0], label="x", width=96, height=26))
    assert path
    assert path[1] == "M4 22L48 4L92 13"


def test_gap_breaks_the_line() -> None:
    path = re.search(r' d="([^"]+)"', svg_sparkline([1.0, None, 2.0, 2.0], label="x"))
    assert path
    assert path[1].count("M") == 2
    assert path[1].count("L") == 1


@pytest.mark.parametrize("values", [[], [None, None], [float("nan")], [float("inf")]])
def test_nothing_is_drawn_without_values(values: list[float | None]) -> None:
    assert svg_sparkline(values, label="x") == ""


def test_level_line_lies_in_the_middle() -> None:
    assert "M4 13L92 13" in svg_sparkline([5.0, 5.0], label="x")


def test_bullet_has_the_bar_at_its_share_and_the_target_at_its_place() -> None:
    drawn = svg_bullet(0.5, target=0.75, last_year=0.25, label="x", full=1.0, width=160)
    assert 'x="0" y="5" width="80"' in drawn
    assert 'x="119" y="0"' in drawn
    assert 'x="39" y="3"' in drawn


def test_bullet_of_a_negative_value_starts_at_nought() -> None:
    drawn = svg_bullet(-10.0, target=10.0, last_year=None, label="x", full=10.0, width=100)
    assert 'x="0" y="5" width="50"' in drawn


@pytest.mark.parametrize("value", [None, float("nan")])
def test_bullet_needs_a_value_and_something_to_hold_it_against(value: float | None) -> None:
    assert svg_bullet(value, target=1.0, last_year=None, label="x") == ""
    assert svg_bullet(1.0, target=None, last_year=value, label="x") == ""


def test_words_are_escaped() -> None:
    assert 'aria-label="&quot;&gt;&lt;b&gt;"' in svg_sparkline([1.0], label='"><b>')
