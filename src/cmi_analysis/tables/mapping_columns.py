"""Conditions and columns of a mapping file, applied to a foreign frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.tables.canonical import blank
from cmi_analysis.tables.conversion import read_words
from cmi_analysis.tables.dates_in_text import read_dates
from cmi_analysis.tables.mapping import ColumnRule, Condition
from cmi_analysis.tables.numbers_in_text import read_numbers


def _is_one_of(values: pd.Series, wanted: Sequence[Any]) -> pd.Series:
    numbers = [float(item) for item in wanted if isinstance(item, int | float) and not isinstance(item, bool)]
    words = [str(item) for item in wanted if not (isinstance(item, int | float) and not isinstance(item, bool))]
    found = read_words(values).values.isin(words) if words else pd.Series(False, index=values.index)
    return found | read_numbers(values).values.isin(numbers) if numbers else found


def _words(values: pd.Series) -> pd.Series:
    return read_words(values).values.fillna("").astype("str")


_TESTS: Mapping[str, Callable[[pd.Series, Any], pd.Series]] = {
    "equals": lambda values, wanted: _is_one_of(values, [wanted]),
    "not_equals": lambda values, wanted: ~_is_one_of(values, [wanted]),
    "startswith": lambda values, wanted: _words(values).str.startswith(wanted),
    "endswith": lambda values, wanted: _words(values).str.endswith(wanted),
    "contains": lambda values, wanted: _words(values).str.contains(wanted, regex=False),
    "missing": lambda values, wanted: blank(values) == wanted,
    "less": lambda values, wanted: read_numbers(values).values < wanted,
    "at_most": lambda values, wanted: read_numbers(values).values <= wanted,
    "more": lambda values, wanted: read_numbers(values).values > wanted,
    "at_least": lambda values, wanted: read_numbers(values).values >= wanted,
    "isin": _is_one_of,
    "not_in": lambda values, wanted: ~_is_one_of(values, wanted),
}


def meet_conditions(frame: pd.DataFrame, conditions: Sequence[Condition]) -> np.ndarray:
    """Tell for each row whether every condition holds."""
    holds = np.ones(len(frame), dtype=bool)
    for condition in conditions:
        name, wanted = condition.test
        holds &= _TESTS[name](frame[condition.column], wanted).to_numpy(dtype=bool)
    return holds


def _keep_unreadable(raw: pd.Series, read: pd.Series, bad: np.ndarray) -> pd.Series:
    """Return `read`, with the foreign value where it could not be read, so that the contract's check names it."""
    return read.astype("object").where(~bad, raw.astype("object")) if bad.any() else read


def _with_format(values: pd.Series, rule: ColumnRule) -> pd.Series:
    if rule.date_format:
        words = read_words(values).values
        days = pd.to_datetime(words, format=rule.date_format, errors="coerce")
        return _keep_unreadable(values, days, (days.isna() & words.notna()).to_numpy())
    found = read_dates(values, order=rule.date_order or "")
    return _keep_unreadable(values, found.values, found.bad)


def _from_column(frame: pd.DataFrame, rule: ColumnRule) -> pd.Series:
    values = frame[rule.source]
    if rule.missing:
        values = values.astype("object").mask(read_words(values).values.isin(rule.missing))
    if rule.values:
        words = read_words(values).values
        values = words.map(dict(rule.values)).where(words.isin(list(rule.values)), values.astype("object"))
    if rule.default_from:
        values = values.astype("object").mask(blank(values), frame[rule.default_from].astype("object"))
    if rule.date_format or rule.date_order:
        values = _with_format(values, rule)
    if rule.factor != 1.0:
        found = read_numbers(values)
        values = _keep_unreadable(values, found.values * rule.factor, found.bad)
    return values


def _from_year_and_month(frame: pd.DataFrame, rule: ColumnRule) -> pd.Series:
    assert rule.date_from is not None
    year, month = (read_numbers(frame[name]).values for name in (rule.date_from.year, rule.date_from.month))
    good = year.between(1900, 2200) & month.between(1, 12) & (year % 1 == 0) & (month % 1 == 0)
    text = (
        year.where(good, 1900).astype("int64").astype("str")
        + "-"
        + month.where(good, 1).astype("int64").astype("str").str.zfill(2)
    )
    days = pd.to_datetime(text + "-01", format="%Y-%m-%d").where(good)
    return days + pd.offsets.MonthEnd(0) if rule.date_from.day == "last" else days


def make_column(frame: pd.DataFrame, rule: ColumnRule) -> pd.Series:
    """Return one canonical column from a foreign frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        Foreign names and values.
    rule : ColumnRule
        Where the values come from. A value that a unit or date format does not fit stays as it is: the conversion names it.
    """
    if rule.source is not None:
        values = _from_column(frame, rule)
    elif rule.date_from is not None:
        values = _from_year_and_month(frame, rule)
    elif rule.concat is not None:
        words = [_words(frame[name]) for name in rule.concat]
        values = words[0].str.cat(words[1:], sep=rule.separator) if len(words) > 1 else words[0]
    elif rule.row_number_in is not None:
        values = (frame.groupby(rule.row_number_in, sort=False, dropna=False).cumcount() + 1).astype("str").astype("object")
    elif rule.row_number:
        values = pd.Series(np.arange(1, len(frame) + 1), index=frame.index).astype("str").astype("object")
    else:
        values = pd.Series([rule.constant] * len(frame), index=frame.index, dtype="object")
    if rule.prefix_from:
        values = _words(frame[rule.prefix_from]) + rule.separator + _words(values)
    if rule.shift_months:
        values = pd.to_datetime(values) + pd.DateOffset(months=rule.shift_months)
    return values
