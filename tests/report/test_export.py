"""Executed notebook to HTML: whole, small, the reader's language, no trace of the machine, no half reports."""

from __future__ import annotations

import copy
import dataclasses
import re

import nbformat
import pytest

from cmi_analysis.errors import ReportError
from cmi_analysis.report.check_html import SENTINEL, check_html
from cmi_analysis.report.export import export_report
from hostile import PAYLOADS
from report_samples import EN, sample_notebook, sample_page

PAGE = sample_page()
NOTEBOOK = sample_notebook(PAGE)


def changed(cell: int, **output: object) -> nbformat.NotebookNode:
    """Return the notebook with one more output in a code cell."""
    notebook = copy.deepcopy(NOTEBOOK)
    code = [item for item in notebook.cells if item.cell_type == "code"]
    code[cell].outputs.append(nbformat.v4.new_output(**output))
    return notebook


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_report_has_nothing_that_acts_or_loads_and_is_whole(lang: str) -> None:
    page = sample_page(lang)
    html = export_report(sample_notebook(page), page=page)
    assert check_html(html) == []
    assert SENTINEL.search(html)
    assert html.rstrip().endswith("<!-- cmi:complete performance_review 3f9a2c81d07e -->")
    assert f'<html lang="{"en" if lang == "en" else "zh-CN"}">' in html


def test_style_sheet_takes_at_most_20_kilobytes() -> None:
    style = re.search(r"<style>(.*?)</style>", export_report(NOTEBOOK, page=PAGE), re.S)
    assert style
    assert len(style[1].encode()) <= 20_000


def test_same_notebook_gives_the_same_bytes_whatever_its_cell_ids() -> None:
    html = export_report(NOTEBOOK, page=PAGE)
    other = copy.deepcopy(NOTEBOOK)
    for number, cell in enumerate(other.cells):
        cell.id = f"other{number}"
        cell.metadata["papermill"] = {"start_time": "2026-01-01T00:00:00", "duration": number}
        cell.metadata["execution"] = {"iopub.execute_input": "2026"}
    other.metadata["papermill"] = {"input_path": "/home/someone/x.ipynb"}
    assert export_report(other, page=PAGE) == html
    assert not re.search(r"papermill|/home|/secret", html)


def test_page_may_come_as_its_json() -> None:
    assert export_report(NOTEBOOK, page=dataclasses.asdict(PAGE)) == export_report(NOTEBOOK, page=PAGE)


def test_notebook_stays_as_it_is() -> None:
    before = copy.deepcopy(NOTEBOOK)
    export_report(NOTEBOOK, page=PAGE)
    assert before == NOTEBOOK


def test_markdown_takes_the_wording_of_its_key_in_the_language_of_the_report() -> None:
    notebook = copy.deepcopy(NOTEBOOK)
    notebook.cells[0].metadata["cmi"] = {"text": "shell.notebook.performance_review"}
    html = export_report(notebook, page=PAGE, lang="zh")
    assert "绩效回顾" in html
    assert "Performance review</h1>" not in html


def test_title_names_report_and_group() -> None:
    assert "<title>Performance review · East region</title>" in export_report(NOTEBOOK, page=PAGE)


def test_managers_see_no_code_and_analysts_see_it_folded() -> None:
    assert "<code>show()" not in export_report(NOTEBOOK, page=PAGE)
    html = export_report(NOTEBOOK, page=PAGE, show_code=True)
    assert '<details class="cmi-code"><summary>Code</summary><pre><code>show()</code></pre></details>' in html
    assert "/secret/path" not in html
    assert check_html(html) == []


def test_words_above_the_first_screen_open_on_a_click_and_sections_are_listed() -> None:
    html = export_report(NOTEBOOK, page=PAGE)
    assert re.search(r"<h1>Performance review</h1>\s*<details><summary>About this report</summary>", html)
    assert re.findall(r'<li><a href="#(h-\d)">', html) == ["h-1", "h-2", "h-3", "h-4"]
    assert f'<h2 id="h-1">{EN["question"]}</h2>' in html


def test_chart_without_alternative_text_fails_the_report() -> None:
    notebook = changed(2, output_type="display_data", data={"image/png": "iVBORw0KGgo="})
    with pytest.raises(ReportError, match="alternative text"):
        export_report(notebook, page=PAGE)


def test_failed_cell_fails_the_report() -> None:
    notebook = changed(2, output_type="error", ename="ValueError", evalue="no rows", traceback=[])
    with pytest.raises(ReportError, match="ValueError: no rows"):
        export_report(notebook, page=PAGE)


def test_notebook_that_did_not_come_to_its_end_fails() -> None:
    notebook = copy.deepcopy(NOTEBOOK)
    notebook.cells[-1].outputs = []
    with pytest.raises(ReportError, match="the last cell to say"):
        export_report(notebook, page=PAGE)


def test_completion_in_any_but_the_last_cell_does_not_count() -> None:
    notebook = copy.deepcopy(NOTEBOOK)
    notebook.cells.append(nbformat.v4.new_code_cell("print(1)"))
    with pytest.raises(ReportError, match="the last cell to say"):
        export_report(notebook, page=PAGE)


def test_warnings_go_and_prints_stay_as_text() -> None:
    warned = changed(2, output_type="stream", name="stderr", text="FutureWarning: /usr/lib/x.py")
    assert export_report(warned, page=PAGE) == export_report(NOTEBOOK, page=PAGE)
    printed = export_report(changed(2, output_type="stream", name="stdout", text="<b>5</b>"), page=PAGE)
    assert "<pre>&lt;b&gt;5&lt;/b&gt;</pre>" in printed


@pytest.mark.parametrize(
    "data",
    [
        {"text/html": "<script>alert(1)</script>", "text/plain": "<Styler>"},
        {"text/html": '<p style="x:url(//evil)">x</p>', "text/plain": "<Styler>"},
        {"image/svg+xml": "<svg onload=alert(1)>", "text/plain": "<Styler>"},
        {"application/javascript": "alert(1)", "text/plain": "<Styler>"},
        {"text/markdown": "<script>", "text/plain": "<Styler>"},
        {"text/latex": "$x$", "text/plain": "<Styler>"},
    ],
)
def test_output_of_any_other_kind_is_printed_as_text(data: dict[str, str]) -> None:
    html = export_report(changed(2, output_type="display_data", data=data), page=PAGE)
    assert "<pre>&lt;Styler&gt;</pre>" in html
    assert check_html(html) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_reach_no_channel_of_the_report(payload: str) -> None:
    page = sample_page(group=payload, headline=payload, f1=payload, title=payload, so=payload, missing=payload)
    words = {"group": payload, "sub": payload[:40], "caption": payload, "late": payload, "site": payload, "title": payload}
    notebook = sample_notebook(page, **words)
    notebook.cells[0].source = "# Report on {group}"
    notebook.cells[3 + 1].source = "## What of {group}?\n\n{group} is read here."
    html = export_report(notebook, page=page)
    assert check_html(html) == []
    assert "evil.example/p.png" not in re.sub(r"&[#\w]+;", "", html) or "<img src='http" not in html
