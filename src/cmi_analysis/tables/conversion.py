"""Foreign values into the contract's types; what cannot be read is named, blanked or set aside, never guessed."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cmi_analysis.tables.columns import Column
from cmi_analysis.tables.dates_in_text import read_dates
from cmi_analysis.tables.issues import FILE, LINE, Finding, find_rows
from cmi_analysis.tables.numbers_in_text import MISSING_WORDS, Converted, read_numbers
from cmi_analysis.tables.schemas import SCHEMAS

_YES = frozenset({"true", "t", "yes", "y", "1", "1.0", "x", "是", "有", "对", "真"})
_NO = frozenset({"false", "f", "no", "n", "0", "0.0", "否", "无", "错", "假"})
_SHEET_ERRORS = frozenset({"#ref!", "#value!", "#n/a", "#name?", "#div/0!", "#null!", "#num!"})


@dataclass(frozen=True)
class Kept:
    """Rows that could be read, and those that could not.

    Attributes
    ----------
    frame : pandas.DataFrame
        Typed rows with ``__file__`` and ``__line__``.
    aside : pandas.DataFrame
        Rows set aside as they stood, with ``rule``.
    findings : list of Finding
        What was found.
    """

    frame: pd.DataFrame
    aside: pd.DataFrame
    findings: list[Finding]


def _word(value: object) -> tuple[str, bool, bool]:
    """Return `value` as an id or text, whether it was tidied, and whether it cannot be one."""
    if isinstance(value, str):
        if value.isascii() and value.isprintable() and value.strip() == value:  # nearly all
            return value, False, value.casefold() in _SHEET_ERRORS
        text = unicodedata.normalize("NFC", value).strip().strip("\ufeff\u200b\xa0\u3000")
        clean = "".join(" " if letter in "\r\n\t" else letter for letter in text if letter in "\r\n\t" or letter.isprintable())
        return clean, clean != value, clean.casefold() in _SHEET_ERRORS
    if isinstance(value, float | np.floating):
        return (str(int(value)) if float(value).is_integer() else repr(float(value))), False, False
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()[:10], True, False
    return str(value), False, False


def _tidy_texts(values: pd.Series) -> pa.Array | None:
    """Return a column's texts where each is plain already (printable ASCII, no space around it, no sheet error), else None."""
    if values.dtype != object or pd.api.types.infer_dtype(values, skipna=True) != "string":
        return None
    try:
        texts = pa.array(values.to_numpy(), type=pa.string(), from_pandas=True)
    except (pa.ArrowException, UnicodeError):
        return None
    spaced = pc.or_(pc.starts_with(texts, " "), pc.ends_with(texts, " "))
    doubtful = pc.or_(pc.or_(spaced, pc.starts_with(texts, "#")), pc.equal(texts, ""))
    return texts if pc.all(pc.and_not(pc.ascii_is_printable(texts), doubtful)).as_py() else None


def read_words(values: pd.Series) -> Converted:
    """Return `values` as strings: nothing but surrounding space and control characters is taken away.

    Examples
    --------
    >>> read_words(pd.Series(["007", " NA ", 17850.0, None, ""], dtype="object")).values.tolist()
    ['007', 'NA', '17850', None, None]
    """
    tidy = _tidy_texts(values)
    if tidy is not None:
        none = np.zeros(len(values), dtype=bool)
        return Converted(values.where(values.notna(), None) if tidy.null_count else values, none, none, "sheet_error")
    codes, uniques = pd.factorize(values.to_numpy(dtype=object))
    found = [_word(value) for value in uniques]
    words = np.array([word or None for word, _, _ in found] + [None], dtype=object)
    bad = np.array([wrong for _, _, wrong in found] + [False], dtype=bool)
    tidied = np.array([tidy and bool(word) for word, tidy, _ in found] + [False], dtype=bool)
    words[bad] = None
    return Converted(pd.Series(words[codes], index=values.index, dtype="object"), bad[codes], tidied[codes], "sheet_error")


def read_flags(values: pd.Series) -> Converted:
    """Return `values` as ``boolean``: true, yes, 1, 是 and their opposites.

    Examples
    --------
    >>> read_flags(pd.Series(["是", "no", "", "maybe"])).values.tolist()
    [True, False, <NA>, <NA>]
    """
    codes, uniques = pd.factorize(values.to_numpy(dtype=object))
    words = [unicodedata.normalize("NFKC", str(value)).strip().casefold() for value in uniques]
    flags = pd.array([True if word in _YES else False if word in _NO else pd.NA for word in words] + [pd.NA], dtype="boolean")
    silent = [word == "" or word in MISSING_WORDS for word in words]
    bad = np.array(
        [word not in _YES | _NO and not quiet for word, quiet in zip(words, silent, strict=True)] + [False], dtype=bool
    )
    return Converted(pd.Series(flags[codes], index=values.index), bad[codes], np.zeros(len(values), dtype=bool), "not_a_flag")


def _read_flags_or_rates(values: pd.Series) -> Converted:
    flags = read_flags(values)
    if not flags.bad.any():
        return flags
    words = flags.values.astype("Float64").astype("object")
    return read_numbers(values.where(flags.values.isna(), words))


_READERS: Mapping[str, Callable[[pd.Series], Converted]] = {
    "id": read_words,
    "text": read_words,
    "date": read_dates,
    "flag": read_flags,
    "flag_or_rate": _read_flags_or_rates,
}


def _convert(values: pd.Series, column: Column, factor: float) -> Converted:
    found = _READERS.get(column.kind, read_numbers)(values)
    if factor == 1.0:
        return found
    return Converted(found.values * factor, found.bad, found.repaired, found.rule, found.unclear)


def _column_findings(table: str, raw: pd.DataFrame, column: Column, found: Converted) -> list[Finding]:
    """Return the findings about one column: unreadable, unclear, and unusually written values."""
    findings = []
    drops = column.required and not column.nullable
    unclear = found.unclear if found.unclear is not None else np.zeros(len(raw), dtype=bool)
    for rule, broken in ((found.rule, found.bad & ~unclear), (f"unclear_{found.rule[6:]}", unclear)):
        if broken.any():
            rows = find_rows(raw, broken, column=column.name)
            done = "set aside" if drops else "repaired"
            findings.append(Finding(table, column.name, rule, done, rows, {"column": column.name}))
    if found.repaired.any():
        rule = "untidy_text" if column.kind in ("id", "text") else "unusual_notation"
        findings.append(
            Finding(
                table, column.name, rule, "repaired", find_rows(raw, found.repaired, column=column.name), {"column": column.name}
            )
        )
    return findings


def convert_table(raw: pd.DataFrame, *, table: str, factors: Mapping[str, float] | None = None) -> Kept:
    """Return the rows of `raw` in the contract's types.

    Parameters
    ----------
    raw : pandas.DataFrame
        Canonical column names, foreign values, ``__file__`` and ``__line__``.
    table : str
        Name of the table.
    factors : mapping of str to float, optional
        Column -> factor of its unit.

    Returns
    -------
    Kept
        A value that cannot be read is blanked where the contract allows a blank; else its row is set aside.
    """
    schema = SCHEMAS[table]
    typed: dict[str, pd.Series] = {}
    findings: list[Finding] = []
    reason = np.full(len(raw), "", dtype=object)
    for name, column in schema.columns.items():
        if name not in raw:
            continue
        found = _convert(raw[name], column, (factors or {}).get(name, 1.0))
        typed[name] = found.values
        findings += _column_findings(table, raw, column, found)
        if column.required and not column.nullable:
            blank = found.values.isna().to_numpy(dtype=bool) & ~found.bad
            reason[found.bad & (reason == "")] = found.rule
            if blank.any():
                findings.append(
                    Finding(table, name, "missing_value", "set aside", find_rows(raw, blank, column=name), {"column": name})
                )
                reason[blank & (reason == "")] = "missing_value"
    frame = pd.DataFrame({**typed, FILE: raw[FILE], LINE: raw[LINE]}, index=raw.index)
    good = reason == ""
    if good.all():
        return Kept(frame.reset_index(drop=True), raw.iloc[:0].assign(rule=reason[:0]), findings)
    return Kept(frame[good].reset_index(drop=True), raw[~good].assign(rule=reason[~good]).reset_index(drop=True), findings)
