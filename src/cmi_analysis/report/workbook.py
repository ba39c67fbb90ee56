"""Tables as a workbook and as CSV: real numbers and dates, no text that a spreadsheet would run as a formula, the same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter
from pandas.api import types

from cmi_analysis.labels import Language, has_text, text
from cmi_analysis.names import IN_RESULTS, find_name

_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
    "default_date_format": "yyyy-mm-dd",
}
_CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - the file says nothing of when it was made
_FORMATS = {"money": "#,##0.00", "rate": "0.0%", "quantity": "#,##0.##", "count": "#,##0", "number": "#,##0.###"}
_MOST_ROWS = 1_048_575  # below the header
_LONGEST = 32_767  # characters of a cell
_SHEET_LENGTH = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _header(name: str, lang: Language) -> str:
    return text(f"column.{name}", lang) if has_text(f"column.{name}") else name


def _plain(value: object) -> str:
    """Return text that fits a cell and can be written as UTF-8."""
    return str(value).encode("utf-8", "replace").decode("utf-8")[:_LONGEST]


def sheet_names(names: list[str]) -> dict[str, str]:
    """Return table → sheet name: at most 31 characters that a spreadsheet allows, no two alike.

    Examples
    --------
    >>> sheet_names(["a/b", "A:B", "history"])
    {'a/b': 'a_b', 'A:B': 'A_B 2', 'history': 'history_'}
    """
    given: dict[str, str] = {}
    for name in names:
        base = _FORBIDDEN.sub("_", _plain(name)).strip("' ")[:_SHEET_LENGTH] or "table"
        base = f"{base}_" if base.lower() == "history" else base
        candidate, number = base, 2
        while candidate.lower() in {taken.lower() for taken in given.values()}:
            tail = f" {number}"
            candidate, number = base[: _SHEET_LENGTH - len(tail)] + tail, number + 1
        given[name] = candidate
    return given


def write_workbook(
    tables: Mapping[str, pd.DataFrame],
    path: str | Path,
    *,
    lang: Language = "en",
    currency: str = "",
    definitions: Mapping[str, str] | None = None,
) -> None:
    """Write `tables` to an XLSX file: one sheet each, and a first sheet that says what the columns mean.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Name of the sheet → frame. Numbers stay numbers, dates dates, ids text (``007``).
    path : str or Path
        File to write; the same tables give the same bytes.
    lang : {"en", "zh"}
        Language of headers and definitions.
    currency : str
        ISO 4217 code, named in the definitions.
    definitions : mapping of str to str, optional
        More terms and their meaning, KPI formulas say.
    """
    names = sheet_names([text("shell.book.definitions", lang), *tables])
    with xlsxwriter.Workbook(str(path), _OPTIONS) as book:
        book.set_properties({"created": _CREATED, "author": "cmi_analysis"})
        looks = {kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()}
        looks["date"] = book.add_format({"num_format": "yyyy-mm-dd"})
        looks["head"] = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        looks["wrap"] = book.add_format({"text_wrap": True, "valign": "top"})
        first = book.add_worksheet(names[text("shell.book.definitions", lang)])
        _write_definitions(first, _definitions(tables, lang=lang, currency=currency, more=definitions or {}), looks, lang)
        for name, frame in tables.items():
            _write_sheet(book.add_worksheet(names[name]), frame, looks, lang)


def _definitions(
    tables: Mapping[str, pd.DataFrame], *, lang: Language, currency: str, more: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    """Return (column, name, meaning with unit) of every column, sorted, then the further terms."""
    rows = []
    for column in sorted({str(column) for frame in tables.values() for column in frame.columns}):
        known = find_name(column)
        meaning = IN_RESULTS.get(column, known.meaning) if known and lang == "en" else ""
        unit = (known.unit.replace("money", currency) if currency else known.unit) if known else ""
        rows.append((column, _header(column, lang), f"{meaning} [{unit}]".strip() if unit else meaning))
    cut = [name for name, frame in tables.items() if len(frame) > _MOST_ROWS]
    rows += [("", name, text("shell.book.cut", lang, rows=f"{_MOST_ROWS:,}")) for name in cut]
    return rows + [("", term, meaning) for term, meaning in more.items()]


def _write_definitions(sheet: Any, rows: list[tuple[str, str, str]], looks: Mapping[str, Any], lang: Language) -> None:
    for place, key in enumerate(("column", "name", "meaning")):
        sheet.write_string(0, place, text(f"shell.book.{key}", lang), looks["head"])
    for number, row in enumerate(rows, start=1):
        for place, words in enumerate(row):
            sheet.write_string(number, place, _plain(words), looks["wrap"])
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 2, 80)
    sheet.freeze_panes(1, 0)


def _look_of(column: str, values: pd.Series, looks: Mapping[str, Any]) -> Any:
    if types.is_datetime64_any_dtype(values):
        return looks["date"]
    if not types.is_numeric_dtype(values) or types.is_bool_dtype(values):
        return None
    known = find_name(column)
    return looks.get(known.kind if known else "number", looks["number"])


def _write_sheet(sheet: Any, frame: pd.DataFrame, looks: Mapping[str, Any], lang: Language) -> None:
    shown = frame.head(_MOST_ROWS)
    for place in range(len(shown.columns)):
        name, values = str(shown.columns[place]), shown.iloc[:, place]
        header = _plain(_header(name, lang))
        sheet.write_string(0, place, header, looks["head"])
        widest = max(len(header), _write_column(sheet, place, values, _look_of(name, values, looks)))
        sheet.set_column(place, place, min(max(widest + 2, 9), 40))
    sheet.freeze_panes(1, 0)
    if len(shown) and len(shown.columns):
        sheet.autofilter(0, 0, len(shown), len(shown.columns) - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{len(shown) + 1}"})


def _write_column(sheet: Any, place: int, values: pd.Series, look: Any) -> int:
    """Write the cells of one column and return how wide its widest is [characters]; a missing value leaves its cell empty."""
    known = values.notna().to_numpy()
    rows, kept = (known.nonzero()[0] + 1).tolist(), values[known].tolist()
    if not kept:
        return 0
    if types.is_float_dtype(values) or (types.is_integer_dtype(values) and not types.is_bool_dtype(values)):
        if not np.isinf(np.asarray(kept, dtype=float)).any():
            for row, value in zip(rows, kept, strict=True):
                sheet.write_number(row, place, value, look)
            return max(len(f"{end:,.2f}") for end in (min(kept), max(kept)))
    elif types.is_datetime64_any_dtype(values):
        for row, moment in zip(rows, pd.DatetimeIndex(values[known]).tz_localize(None).to_pydatetime(), strict=True):
            sheet.write_datetime(row, place, moment, look)
        return 10
    return max(_write_cell(sheet, row, place, value, look) for row, value in zip(rows, kept, strict=True))


def _write_cell(sheet: Any, row: int, place: int, value: Any, look: Any) -> int:
    """Write one cell of a mixed column and return how wide it is [characters]."""
    if isinstance(value, str):
        words = _plain(value)
        sheet.write_string(row, place, words)
        return len(words)
    if isinstance(value, bool):
        sheet.write_boolean(row, place, value)
        return 5
    if isinstance(value, dt.datetime | dt.date):
        sheet.write_datetime(row, place, pd.Timestamp(value).tz_localize(None).to_pydatetime(), look)
        return 10
    if isinstance(value, int | float):
        if math.isinf(value):
            sheet.write_string(row, place, "∞" if value > 0 else "-∞")
            return 2
        sheet.write_number(row, place, value, look)
        return len(f"{value:,.2f}")
    return _write_cell(sheet, row, place, str(value), look)


def _guarded(value: Any) -> Any:
    """Return text that would start a formula with an apostrophe before it, anything else as it is."""
    if not isinstance(value, str):
        return value
    words = _plain(value)
    return f"'{words}" if words.lstrip(" ").startswith(_FORMULA) or words.startswith(_FORMULA) else words


def write_csv(frame: pd.DataFrame, path: str | Path, *, lang: Language = "en") -> None:
    """Write `frame` as CSV (UTF-8 with BOM, so that Excel reads Chinese); text that would start a formula gets an apostrophe.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame; numbers are written unchanged.
    path : str or Path
        File to write.
    lang : {"en", "zh"}
        Language of the headers.
    """
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([_guarded(_header(str(name), lang)) for name in frame.columns])
        columns = [frame.iloc[:, place].tolist() for place in range(len(frame.columns))]
        for row in zip(*columns, strict=True):
            writer.writerow([_csv_value(value) for value in row])


def _csv_value(value: Any) -> Any:
    if types.is_scalar(value) and pd.isna(value):
        return ""
    return value.date().isoformat() if isinstance(value, dt.datetime) else _guarded(value)
