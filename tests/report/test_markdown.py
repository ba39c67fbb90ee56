"""Markdown of the notebooks: our wording, no markup of the data."""

from __future__ import annotations

import pytest

from cmi_analysis.report.fragments import fragment_problems
from cmi_analysis.report.markdown import escape_markdown, render_markdown
from hostile import PAYLOADS


def test_headings_lists_and_stress_are_rendered() -> None:
    assert (
        render_markdown("## Who?\n\n1. **A**\n", ids={"Who?": "h-1"})
        == '<h2 id="h-1">Who?</h2>\n<ol>\n<li><strong>A</strong></li>\n</ol>\n'
    )


def test_links_out_of_the_page_become_words() -> None:
    assert render_markdown("[a](https://example.com) [b](#s-x) ![c](x.png)").strip() == '<p>a <a href="#s-x">b</a> c</p>'


@pytest.mark.parametrize("payload", PAYLOADS)
def test_raw_markup_is_shown_as_text(payload: str) -> None:
    allowed = {"<h1>", "</h1> out of order", "<pre>", "</pre> out of order"}
    assert set(fragment_problems(render_markdown(payload))) <= allowed


@pytest.mark.parametrize("payload", PAYLOADS)
def test_escaped_name_is_one_paragraph_of_plain_words(payload: str) -> None:
    html = render_markdown(f"a {escape_markdown(payload)} b").strip()
    assert html.startswith("<p>a ")
    assert html.endswith(" b</p>")
    assert html.count("<") == 2
