"""Excel workbooks, cell by cell, with the row of the sheet kept."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.tables.raw import LARGEST_HEADER, LARGEST_UNPACKED, RawTable


def _check_size(path: Path) -> None:
    """Refuse a workbook that unpacks to more than 1 GB, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile:
        raise InputError(
            expected=f"an Excel workbook (.xlsx) in {path.name}",
            found="a file that is none, or is cut short or protected by a password",
            fix="Save it again as .xlsx without a password.",
        ) from None
    if size > LARGEST_UNPACKED:
        raise InputError(
            expected=f"at most {LARGEST_UNPACKED / 1e9:.0f} GB unpacked in {path.name}",
            found=f"{size / 1e9:.1f} GB",
            fix="Export the table as Parquet or CSV.",
        )


def _sheet(rows: Any, *, name: str, file: str) -> RawTable | None:
    header: list[str] = []
    values: list[tuple[Any, ...]] = []
    lines: list[int] = []
    for line, row in enumerate(rows, 1):
        if all(cell is None or cell == "" for cell in row):
            continue
        if not header:
            if len(row) > LARGEST_HEADER:
                raise InputError(
                    expected=f"at most {LARGEST_HEADER:,} columns in {file}",
                    found=f"{len(row):,} in sheet {name}",
                    fix="Check that the sheet is a table with one header row.",
                )
            header = ["" if cell is None else str(cell).strip() for cell in row]
            continue
        values.append(row)
        lines.append(line)
    if not header:
        return None
    width = max([len(header), *(len(row) for row in values)])
    header += [""] * (width - len(header))
    frame = pd.DataFrame([row + (None,) * (width - len(row)) for row in values] or None, columns=range(width), dtype="object")
    used = [place for place in range(width) if header[place] or bool(frame[place].notna().any())]
    frame = frame[used].set_axis(range(len(used)), axis=1)
    return RawTable(name, f"{file}:{name}", tuple(header[place] for place in used), frame, np.array(lines, dtype=np.int64))


def read_workbook(path: Path) -> list[RawTable]:
    """Return the sheets of a workbook that hold a table: the first row that is not empty is the header.

    Parameters
    ----------
    path : pathlib.Path
        An ``.xlsx`` or ``.xlsm`` file. Formulas give their last computed value, macros are never run.

    Raises
    ------
    InputError
        Not a workbook, more than 1 GB unpacked, or a header with too many columns.
    """
    from openpyxl import load_workbook

    _check_size(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that it leaves out
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                found = [_sheet(sheet.iter_rows(values_only=True), name=sheet.title, file=path.name) for sheet in book.worksheets]
            finally:
                book.close()
    except (KeyError, ValueError, OSError, SyntaxError) as error:
        raise InputError(
            expected=f"a readable workbook in {path.name}", found=str(error)[:200], fix="Save it again as .xlsx."
        ) from None
    return [sheet for sheet in found if sheet is not None]
