"""Frames as HTML tables: order, formats, marks, escaping."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.displays.table import table
from cmi_analysis.errors import InputError, ParameterError
from cmi_analysis.report.fragments import fragment_problems
from hostile import PAYLOADS


def cells(html: str) -> list[list[str]]:
    """Return the text of each row's cells."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.S)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows]


STOCK = pd.DataFrame({"product_id": ["007", "NA"], "on_hand": [1234.5, np.nan], "level": [0.935, 1.0], "open": [True, None]})


def test_numbers_are_written_by_their_kind_and_missing_ones_as_a_dash() -> None:
    shown = table(
        STOCK, columns=["product_id", "on_hand", "level", "open"], kinds={"on_hand": "count", "level": "rate", "open": "flag"}
    )
    assert cells(shown.html)[1:] == [["007", "1,234", "93.5%", "yes"], ["NA", "–", "100.0%", "–"]]


def test_headers_come_from_the_catalogue_in_the_language_of_the_report() -> None:
    assert cells(table(STOCK, columns=["on_hand"], lang="zh").html)[0] == ["现有库存"]
    assert cells(table(STOCK, columns=["on_hand"], headers={"on_hand": "A & B"}).html)[0] == ["A &amp; B"]


def test_header_that_nobody_has_worded_is_an_error() -> None:
    with pytest.raises(ParameterError, match=r"column\.nobody_worded_this"):
        table(pd.DataFrame({"nobody_worded_this": [1]}), columns=["nobody_worded_this"])


def test_column_that_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="no returns"):
        table(STOCK, columns=["product_id", "returns"])


def test_first_column_names_the_row_and_columns_say_so() -> None:
    html = table(STOCK, columns=["product_id", "on_hand"], kinds={"on_hand": "count"}).html
    assert html.count('<th scope="row" class="nb">') == 2
    assert html.count('<th scope="col"') == 2
    assert '<td class="num">1,234</td>' in html


def test_only_the_first_rows_are_shown_and_the_rest_is_counted() -> None:
    shown = table(pd.DataFrame({"product_id": [str(number) for number in range(1200)]}), columns=["product_id"], limit=3)
    assert len(cells(shown.html)) == 4
    assert "3 of 1,200 rows shown" in shown.html
    assert len(shown.frame) == 1200


def test_frame_without_rows_says_so() -> None:
    assert cells(table(STOCK.head(0), columns=["product_id", "on_hand"]).html)[1] == ["No rows."]


def test_state_of_a_cell_shows_as_sign_and_word_not_by_colour_alone() -> None:
    frame = pd.DataFrame({"product_id": ["a", "b", "c"], "level": [0.1, 0.2, 0.3], "state": ["bad", "good", None]})
    html = table(frame, columns=["product_id", "level"], kinds={"level": "rate"}, highlight={"level": "state"}).html
    assert [row[1] for row in cells(html)[1:]] == ["▼worse: 10.0%", "▲better: 20.0%", "30.0%"]
    assert html.count("is-bad") == html.count("is-good") == 1


def test_state_of_a_row_is_told_in_its_first_cell_and_a_flag_only_marks_it() -> None:
    frame = pd.DataFrame({"product_id": ["a", "b", "c"], "state": ["bad", "", "good"], "mine": [False, True, pd.NA]})
    assert [row[0] for row in cells(table(frame, columns=["product_id"], highlight="state").html)[1:]] == [
        "▼worse: a",
        "b",
        "▲better: c",
    ]
    assert re.findall(r'<tr class="([^"]+)"', table(frame, columns=["product_id"], highlight="mine").html) == ["is-mark"]


def test_words_of_a_code_come_from_the_catalogue_where_there_are_some() -> None:
    frame = pd.DataFrame({"status": ["bad", "strange"]})
    assert cells(table(frame, columns=["status"], kinds={"status": "word:shell.status"}).html)[1:] == [["Act now"], ["strange"]]


def test_cell_leads_to_a_report_below_and_to_no_other_address() -> None:
    frame = pd.DataFrame(
        {"product_id": ["a", "b", "c<"], "to": ["north-1a/forecasting.html", "https://example.com/x.html", None]}
    )
    html = table(frame, columns=["product_id"], links={"product_id": "to"}).html
    assert re.findall(r'<th scope="row" class="nb">(.*?)</th>', html) == [
        '<a href="north-1a/forecasting.html">a</a>',
        "b",
        "c&lt;",
    ]
    assert fragment_problems(html) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stays_text_in_cell_header_caption_and_label(payload: str) -> None:
    frame = pd.DataFrame({"a": [payload], "b": pd.Categorical([payload])})
    shown = table(frame, columns=["a", "b"], headers={"a": payload, "b": payload}, caption=payload)
    assert fragment_problems(shown.html) == []


def test_frame_stays_as_it_is() -> None:
    before = STOCK.copy(deep=True)
    table(
        STOCK,
        columns=["product_id", "on_hand"],
        kinds={"on_hand": "count"},
        highlight={"on_hand": "open"},
        links={"product_id": "product_id"},
    )
    pd.testing.assert_frame_equal(STOCK, before)
