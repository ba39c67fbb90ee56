"""CSV files, read as text: nothing is guessed from the values, and every row keeps its line in the file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from cmi_analysis.errors import InputError
from cmi_analysis.tables.raw import LARGEST_HEADER, RawTable

_HEADER_BYTES = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")


def decode(data: bytes, *, file: str) -> tuple[str, str]:
    """Return the text of a file and the name of its encoding: UTF-8 (with or without BOM), UTF-16 with BOM, GB18030.

    Nearly every byte sequence is some valid GB18030, so bytes that are not UTF-8 count as Chinese only where nine in ten of
    their characters are common ones (the GB 2312 set).

    Raises
    ------
    InputError
        None of these.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16"), "UTF-16"
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    foreign = [letter for letter in text if letter > "\x7f"]
    common = sum(1 for letter in foreign if _is_gb2312(letter))
    if foreign and common >= 0.9 * len(foreign):
        return text, "GB18030"
    raise InputError(
        expected=f"{file} in UTF-8 or GB18030",
        found=f"bytes in line {line} that are neither",
        fix="Save the file as 'CSV UTF-8'.",
    )


def _is_gb2312(letter: str) -> bool:
    try:
        return len(letter.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def _check_header(data: bytes, *, file: str) -> None:
    """Refuse a header that cannot be one, before the file is read."""
    head = data[:_HEADER_BYTES].split(b"\n", 1)[0]
    columns = max(head.count(sign.encode()) for sign in _DELIMITERS) + 1
    if columns > LARGEST_HEADER or (len(head) == _HEADER_BYTES and len(data) > _HEADER_BYTES):
        raise InputError(
            expected=f"at most {LARGEST_HEADER:,} columns in {file}",
            found=f"a first line with {columns:,} columns or more",
            fix="Check that the file is a table with one header line.",
        )


def _header(text: str, *, file: str) -> tuple[list[str], str, int]:
    """Return the names in the first line that is not empty, the delimiter, and how many lines stand before the data."""
    start = len(text) - len(text.lstrip("\r\n"))
    if not text.strip():
        raise InputError(expected=f"a header line in {file}", found="an empty file", fix="Export the table again.")
    first = text[start:].split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text[start:], newline=""), delimiter=delimiter)
    names = [name.strip() for name in next(reader)]
    return names, delimiter, text[:start].count("\n") + reader.line_num


def _lines(text: str, frame: pd.DataFrame, *, before: int) -> np.ndarray:
    """Return the physical line on which each row starts; `before` lines stand above the first."""
    lines = np.arange(len(frame)) + before + 1
    if '"' not in text:
        return lines
    inside = np.zeros(len(frame), dtype=np.int64)
    for column in frame:
        inside += frame[column].str.count("\n").to_numpy(dtype=np.int64)
    return lines + np.concatenate([[0], np.cumsum(inside)[:-1]]) if len(frame) else lines


def _slow_rows(text: str, delimiter: str, names: list[str]) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Return rows, their lines, and the rows with too many or too few fields; for files that are not regular."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    good, lines, bad = [], [], []
    begun = False
    last = 0
    for row in reader:
        line, last = last + 1, reader.line_num
        if not any(field.strip() for field in row):
            continue
        if not begun:
            begun = True
        elif len(row) == len(names):
            good.append(row)
            lines.append(line)
        else:
            bad.append({"line": line, "value": delimiter.join(row)[:200], "fields": len(row)})
    frame = pd.DataFrame(good, columns=range(len(names)), dtype="object")
    return frame, np.array(lines, dtype=np.int64), pd.DataFrame(bad, columns=["line", "value", "fields"])


def _fast_rows(text: str, delimiter: str, names: list[str], *, before: int) -> tuple[pd.DataFrame, np.ndarray] | None:
    """Return rows and their lines, or None where a row has another number of fields or a line is blank."""
    columns = [str(place) for place in range(len(names))]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=columns, skip_rows=before),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in text, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    frame = table.to_pandas()
    frame.columns = range(len(names))
    if len(names) == 1 and bool((frame[0] == "").any()):
        return None
    return frame, _lines(text, frame, before=before)


def read_csv_table(path: Path, *, name: str) -> RawTable:
    """Return a CSV file as text.

    Parameters
    ----------
    path : pathlib.Path
        The file: comma, semicolon, tab or bar between fields; UTF-8, UTF-16 with BOM or GB18030.
    name : str
        Name of the table.

    Raises
    ------
    InputError
        Another encoding, no header, or a header with too many columns.
    """
    data = path.read_bytes()
    _check_header(data, file=path.name)
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(expected=f"text in {path.name}", found="a binary file", fix="Export the table as CSV, Excel or Parquet.")
    text, _ = decode(data, file=path.name)
    del data
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    names, delimiter, before = _header(text, file=path.name)
    quick = _fast_rows(text, delimiter, names, before=before) if text.count("\n") > before else None
    if quick is not None:
        return RawTable(name, path.name, tuple(names), quick[0], quick[1])
    frame, lines, bad = _slow_rows(text, delimiter, names)
    return RawTable(name, path.name, tuple(names), frame, lines, bad)
