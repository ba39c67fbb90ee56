"""The index: worst first, what became of each report, nothing hostile."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from cmi_analysis.report.check_html import check_html
from cmi_analysis.report.index import worst_first
from cmi_analysis.report.index_page import render_index
from hostile import PAYLOADS
from report_samples import sample_page

RUN = {
    "name": "r1",
    "as_of": "2025-12-28",
    "counts": {"new": 3, "failed": 1},
    "seconds": {"book": 1.25},
    "summary": True,
    "age_days": 7,
}


def row(group: str, status: str = "bad", badness: float = 0.0, **changes: Any) -> dict[str, Any]:
    """Return one group's row."""
    page = dataclasses.asdict(sample_page())
    report = {"notebook": "forecasting", "as_of": "2025-12-28", "published": True, "state": "new", "cause": ""}
    plain = {
        "group": group,
        "title": group,
        "folder": "east-0a1b2c3d",
        "status": status,
        "badness": badness,
        "headline": page["headline"],
        "cards": page["cards"],
        "currency": "CNY",
        "audience": "internal",
        "reports": [report],
    }
    return {**plain, **changes}


def titles(html: str) -> list[str]:
    return re.findall(r"<h2>(\w+) <span", html)


def test_groups_stand_in_the_order_of_the_summary_and_without_one_worst_first() -> None:
    rows = [row("A", "good", 9), row("B", "bad", 1), row("C", "none"), row("D", "bad", 2), row("E", "warn")]
    assert titles(render_index(worst_first(rows, places={}))) == ["D", "B", "E", "A", "C"]
    assert titles(render_index(worst_first(rows, places={"C": 0, "A": 1}))) == ["C", "A", "D", "B", "E"]


def test_published_report_is_linked_and_a_missing_one_only_named() -> None:
    failed = {"notebook": "segmentation", "as_of": "", "published": False, "state": "failed", "cause": "Cell 3 did not run."}
    html = render_index([row("A", reports=[row("A")["reports"][0], failed])], "en", RUN)
    assert 'href="east-0a1b2c3d/forecasting.html"' in html
    assert "segmentation.html" not in html
    assert "Cell 3 did not run." in html
    assert "failed" in html


def test_run_is_told_with_its_counts_times_and_the_age_of_the_data() -> None:
    text = re.sub(r"<[^>]+>", " ", render_index([row("A")], "en", RUN))
    for words in (
        "r1",
        "Age of the data in days",
        "Calculations over all groups",
        "1.2",
        "Management summary",
        "failed in this run: 1",
    ):
        assert words in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_index_acts_on_nothing_and_loads_nothing(lang: str) -> None:
    html = render_index([row("A")], lang, RUN)  # type: ignore[arg-type]
    assert check_html(html, complete=False) == []
    assert check_html(render_index([], lang), complete=False) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_stay_text(payload: str) -> None:
    report = {"notebook": payload, "as_of": payload, "published": True, "state": "failed", "cause": payload}
    html = render_index([row(payload, headline=payload, reports=[report])], "en", {**RUN, "name": payload})
    problems = [
        problem for problem in check_html(html, complete=False) if not problem.startswith("an address in <a href>: east-")
    ]
    assert problems == []
