"""Workbook and CSV: typed, readable, the same bytes, no text that runs."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cmi_analysis.report.workbook import sheet_names, write_csv, write_workbook
from hostile import PAYLOADS

FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x","y")', "=cmd|'/C calc'!A0", "\t=1+1", "\r=1+1", "\n=1+1"),
    *(
        " =1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "{=1+1}",
        '=IMPORTXML("http://x")',
        "http://example.com",
        "mailto:a@b",
        "file:///etc",
    ),
    *("internal:'x'!A1", "external:x.xlsx", "'=1+1", '"=1+1"', "=", "-", "--1", "=DDE(1)", "0x1F", "1e5", "007"),
)


def frame() -> pd.DataFrame:
    """Return one row of each type, and one of gaps."""
    return pd.DataFrame(
        {
            "customer_id": ["007", "NA"],
            "on_hand": [-1234.5, np.nan],
            "rows": pd.array([3, None], dtype="Int64"),
            "in_stock": pd.array([True, None], dtype="boolean"),
            "date": pd.to_datetime(["2025-12-28", None]),
            "cover": [np.inf, 0.0],
        }
    )


def read(path: Path) -> dict[str, list[list[object]]]:
    """Return the sheets of a workbook as lists of rows; no cell may be a formula."""
    book = openpyxl.load_workbook(path)
    for sheet in book:
        assert not [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f" or cell.hyperlink]
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def test_values_keep_their_types(tmp_path: Path) -> None:
    write_workbook({"stock": frame()}, tmp_path / "x.xlsx")
    rows = read(tmp_path / "x.xlsx")["stock"]
    assert rows[1] == ["007", -1234.5, 3, True, dt.datetime(2025, 12, 28), "∞"]
    assert rows[2] == ["NA", None, None, None, None, 0]


def test_headers_are_worded_and_the_first_sheet_explains_them(tmp_path: Path) -> None:
    write_workbook({"stock": frame()}, tmp_path / "x.xlsx", lang="zh", definitions={"准时率": "Σ"})
    sheets = read(tmp_path / "x.xlsx")
    assert list(sheets) == ["说明", "stock"]
    assert sheets["stock"][0][1] == "现有库存"
    assert ["on_hand", "现有库存"] in [row[:2] for row in sheets["说明"]]
    assert sheets["说明"][-1][1:] == ["准时率", "Σ"]


def test_money_is_named_by_its_currency(tmp_path: Path) -> None:
    write_workbook({"x": pd.DataFrame({"unit_price": [1.0]})}, tmp_path / "x.xlsx", currency="CNY")
    assert any("CNY per unit" in str(row[2]) for row in read(tmp_path / "x.xlsx")["Definitions"])


def test_header_row_stays_in_view_and_filters(tmp_path: Path) -> None:
    write_workbook({"stock": frame()}, tmp_path / "x.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx")["stock"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:F3"


def test_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook({"stock": frame(), "more": frame()}, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert b"2000-01-01" in book.read("docProps/core.xml")


@pytest.mark.parametrize("payload", [*FORMULAS, *PAYLOADS])
def test_text_never_becomes_a_formula_nor_a_link(tmp_path: Path, payload: str) -> None:
    write_workbook(
        {payload: pd.DataFrame({payload: [payload], "on_hand": [-5.0]})}, tmp_path / "x.xlsx", definitions={payload: payload}
    )
    rows = list(read(tmp_path / "x.xlsx").values())[1]
    assert rows[1][1] == -5
    if payload.isprintable() and payload.strip() == payload:
        assert rows[1][0] == payload
    write_csv(pd.DataFrame({payload: [payload], "on_hand": [-5.0]}), tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        header, row = list(csv.reader(file))
    for cell in (header[0], row[0]):
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert row[1] == "-5.0"


def test_empty_table_is_a_sheet_with_headers(tmp_path: Path) -> None:
    write_workbook({"stock": frame().head(0)}, tmp_path / "x.xlsx")
    assert len(read(tmp_path / "x.xlsx")["stock"]) == 1


def test_sheet_names_fit_and_differ() -> None:
    names = sheet_names(["a" * 40, "A" * 41, "x/y", "x:y", "", "'", "History", "中" * 40])
    assert len({name.lower() for name in names.values()}) == len(names)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names.values())
    assert all(name.lower() != "history" and name.strip("'") == name for name in names.values())


def test_csv_writes_dates_gaps_and_ids_as_they_are(tmp_path: Path) -> None:
    write_csv(frame(), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    rows = (tmp_path / "x.csv").read_text("utf-8-sig").splitlines()
    assert rows[1:] == ["007,-1234.5,3,True,2025-12-28,inf", "NA,,,,,0.0"]
