"""Sections, parameters, data and the end, as notebook outputs."""

from __future__ import annotations

import base64
import dataclasses
import re

import pandas as pd
import pytest

from cmi_analysis.displays.end import COMPLETE_MIME, show_end
from cmi_analysis.displays.escaping import html_text
from cmi_analysis.displays.params_table import show_data, show_params, table_issues, table_params
from cmi_analysis.displays.sections import show_figure, show_section
from cmi_analysis.errors import ReportError
from cmi_analysis.labels import has_text, text
from cmi_analysis.labels.catalogue import catalogue_keys
from cmi_analysis.pages import Section
from cmi_analysis.params.models import MODELS
from cmi_analysis.report.fragments import fragment_problems
from hostile import PAYLOADS
from report_samples import EN, captured, sample_axes, sample_page, sample_slice, sample_table


def never() -> object:
    raise AssertionError("called although the data are missing")


def test_section_shows_title_chart_table_and_what_follows_in_this_order() -> None:
    page = sample_page()
    title, chart, rows, so_what = captured(lambda: show_section(page, "gap", sample_axes(EN), sample_table(EN, "en")))
    assert title.data["text/html"].startswith('<h3 class="cmi-title" id="s-gap">Order fill lost 3.8 points')
    assert base64.b64decode(chart.data["image/png"]).startswith(b"\x89PNG")
    assert chart.metadata == {"image/png": {"alt": page["gap"].alt, "width": 816}}
    assert "<table" in rows.data["text/html"]
    assert "recovers 1.9 points" in so_what.data["text/html"]


def test_section_without_its_data_shows_one_sentence_and_calls_nothing() -> None:
    (only,) = captured(lambda: show_section(sample_page(), "returns", figure=never, table=never))
    assert only.data["text/html"].startswith('<p class="cmi-missing" id="s-returns">')


def test_chart_without_words_is_refused() -> None:
    with pytest.raises(ReportError, match="alternative text"):
        show_figure(sample_axes(EN), alt=" ")


def test_last_cell_says_which_report_is_complete() -> None:
    (said,) = captured(lambda: show_end(sample_page()))
    assert said.data[COMPLETE_MIME] == {"notebook": "performance_review", "run_id": "3f9a2c81d07e"}
    assert "3f9a2c81d07e" in said.data["text/html"]


def test_every_parameter_has_its_meaning_in_the_catalogue() -> None:
    assert [name for model in MODELS.values() for name in model.model_fields if not has_text(f"param.{name}")] == []


def test_clients_do_not_see_parameters_of_our_costs() -> None:
    page = dataclasses.replace(sample_page(), notebook="inventory_policy", params={"horizon": 13, "assumed_holding_rate": 0.2})
    assert table_params(page).frame["parameter"].tolist() == ["horizon", "assumed_holding_rate"]
    client = dataclasses.replace(page, audience="client")
    assert table_params(client).frame["parameter"].tolist() == ["horizon"]


def test_parameter_without_a_value_is_called_not_set() -> None:
    page = dataclasses.replace(sample_page(), params={"as_of": "", "assumed_lead_time_days": None, "group": "007"})
    assert table_params(page).frame["setting"].tolist() == ["not set", "not set", "007"]


def test_issues_come_with_most_rows_first() -> None:
    frame = table_issues(sample_slice()).frame
    assert frame["rows"].tolist() == [312, 4]


def test_data_section_lists_assumptions_rows_issues_and_formulas() -> None:
    (shown,) = captured(lambda: show_data(sample_page(), sample_slice()))
    html = shown.data["text/html"]
    for words in ("L = 30", "promised_on", "312", "Formulas of the key figures", sample_page()["returns"].missing.split("'")[0]):
        assert words in html


@pytest.mark.parametrize(
    "key", [key for key in catalogue_keys() if key.startswith("tables.fix.") and has_text(key.replace(".fix.", ".rule."))]
)
def test_what_to_do_about_an_issue_is_told_in_the_language_of_the_page(key: str) -> None:
    fields = {name: "" if name in ("nearest", "hint") else f"<{name} 1>" for name in re.findall(r"{(\w+)}", text(key, "en"))}
    rule = key.removeprefix("tables.fix.")
    part = sample_slice()
    issues = part.tables.issues.assign(rule=rule, fix=text(key, "en", **fields), done="set aside")
    part = dataclasses.replace(part, tables=dataclasses.replace(part.tables, issues=issues))
    html = table_issues(part, lang="zh").html
    assert html_text(text(key, "zh", **fields)) in html
    assert html_text(text(f"tables.rule.{rule}", "zh")) in html
    assert "已剔除" in html


def test_section_for_other_readers_is_not_told_as_lacking_data() -> None:
    hidden = Section("leaving", missing=text("segmentation.missing.internal", "en"))
    (shown,) = captured(lambda: show_data(dataclasses.replace(sample_page(), sections={"leaving": hidden}), sample_slice()))
    assert "internal readers" not in shown.data["text/html"]
    assert "Not shown for want of data" not in shown.data["text/html"]


def test_an_assumption_of_the_data_is_told_once_and_in_the_language_of_the_page() -> None:
    (shown,) = captured(lambda: show_data(sample_page("zh"), sample_slice()))
    html = shown.data["text/html"]
    assert html.count("提前期 30") == 1
    assert "L = 30" not in html


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stays_text_in_sections_parameters_and_data(payload: str) -> None:
    page = sample_page()
    section = Section("gap", payload, payload, alt=payload)
    missing = Section("returns", missing=payload)
    page = dataclasses.replace(
        page,
        sections={"gap": section, "returns": missing},
        params={"group": payload},
        data_notes=(payload,),
        assumptions=(payload,),
        as_of=payload,
        run_id=payload,
    )
    part = sample_slice()
    part.tables.issues["example"] = payload
    frame = pd.DataFrame({payload: [1]})
    part = dataclasses.replace(part, tables=dataclasses.replace(part.tables, frames={payload: frame}))
    for show in (
        lambda: show_section(page, "gap"),
        lambda: show_section(page, "returns"),
        lambda: show_params(page),
        lambda: show_data(page, part),
        lambda: show_end(page),
    ):
        for output in captured(show):
            assert fragment_problems(output.data["text/html"]) == []
