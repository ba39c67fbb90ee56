"""Dates as people write them: either order, month names, Chinese, Excel serial numbers, weeks."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Literal

import numpy as np
import pandas as pd

from cmi_analysis.tables.numbers_in_text import MISSING_WORDS, Converted

Order = Literal["", "dmy", "mdy", "ymd"]
_TIME = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:[AaPp][Mm])?\s*(?:Z|[+-]\d{2}:?\d{2})?)?\Z"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?" + _TIME)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")
_MONTH = re.compile(r"(\d{4})[-/.年](\d{1,2})月?\Z")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})\Z")
_DAY_NAME_YEAR = re.compile(r"(\d{1,2})[-/. ]*([A-Za-z]{3,9})[.,]?[-/. ,]*(\d{4}|\d{2})" + _TIME)
_NAME_DAY_YEAR = re.compile(r"([A-Za-z]{3,9})\.?[-/. ]*(\d{1,2})[, -/]+(\d{4})" + _TIME)
_NAME_YEAR = re.compile(r"([A-Za-z]{3,9})\.?[-/ ]*(\d{4})\Z")
_TWO_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})" + _TIME)
_SERIAL = re.compile(r"(\d{5})(\.\d+)?\Z")
_MONTHS = {
    name: at for at, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_SERIAL_START = dt.date(1899, 12, 30)
_SERIALS = range(18264, 73051)  # 1950 to 2099
_AMBIGUOUS = "ambiguous"


def _year(text: str) -> int:
    number = int(text)
    return number if len(text) == 4 else number + (2000 if number < 70 else 1900)


def _month(name: str) -> int:
    return _MONTHS.get(name[:3].casefold(), 0)


def _day(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _monday(year: int, week: int) -> dt.date | None:
    try:
        return dt.date.fromisocalendar(year, week, 1)
    except ValueError:
        return None


def _two_numbers(match: re.Match[str], order: Order) -> dt.date | str | None:
    first, second, year = int(match.group(1)), int(match.group(3)), _year(match.group(4))
    if order == "dmy" or (not order and match.group(2) == "."):
        return _day(year, second, first)
    if order == "mdy":
        return _day(year, first, second)
    if first <= 12 and second <= 12 and first != second:
        return _AMBIGUOUS
    return _day(year, second, first) if first > 12 else _day(year, first, second)


def _one(text: str, order: Order) -> tuple[dt.date | str | None, bool]:
    """Return (date, "ambiguous" or None) and whether the text was written in an unusual way."""
    for pattern in (_YEAR_FIRST, _COMPACT):
        if match := pattern.match(text):
            return _day(*(int(part) for part in match.groups()[:3])), False
    if match := _TWO_NUMBERS.match(text):
        return _two_numbers(match, order), False
    if match := _DAY_NAME_YEAR.match(text):
        return _day(_year(match.group(3)), _month(match.group(2)), int(match.group(1))), False
    if match := _NAME_DAY_YEAR.match(text):
        return _day(int(match.group(3)), _month(match.group(1)), int(match.group(2))), False
    if match := _MONTH.match(text):
        return _day(int(match.group(1)), int(match.group(2)), 1), False
    if match := _NAME_YEAR.match(text):
        return _day(int(match.group(2)), _month(match.group(1)), 1), False
    if match := _WEEK.match(text):
        return _monday(int(match.group(1)), int(match.group(2))), False
    if (match := _SERIAL.match(text)) and int(match.group(1)) in _SERIALS:
        return _SERIAL_START + dt.timedelta(days=int(match.group(1))), True
    return None, False


def _evidence(words: list[str]) -> Order:
    """Return the order that the unambiguous dates of a column prove, or nothing where they disagree or are silent."""
    pairs = [(int(match.group(1)), int(match.group(3))) for word in words if (match := _TWO_NUMBERS.match(word))]
    day_first, month_first = any(first > 12 for first, _ in pairs), any(second > 12 for _, second in pairs)
    return "" if day_first == month_first else "dmy" if day_first else "mdy"


def _typed(values: pd.Series) -> Converted:
    days = values if values.dtype.kind == "M" else pd.to_datetime(values)
    if days.dt.tz is not None:
        days = days.dt.tz_localize(None)
    none = np.zeros(len(values), dtype=bool)
    return Converted(days.astype("datetime64[ns]").dt.normalize(), none, none, "not_a_date", none)


def _to_word(value: object) -> str:
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat().replace("T00:00:00", "")
    return unicodedata.normalize("NFKC", str(value)).strip()


def _days(found: list[dt.date | str | None]) -> np.ndarray:
    """Return ``datetime64[ns]``; days outside its range (1678 to 2261) are kept as the nearest day inside it."""
    low, high = dt.date(1678, 1, 1), dt.date(2261, 12, 31)
    clipped = [min(max(day, low), high) if isinstance(day, dt.date) else None for day in found]
    return np.array([np.datetime64(day, "ns") if day else np.datetime64("NaT", "ns") for day in clipped], dtype="datetime64[ns]")


def read_dates(values: pd.Series, *, order: Order = "") -> Converted:
    """Return `values` as calendar dates (``datetime64[ns]``, no time).

    Parameters
    ----------
    values : pandas.Series
        Dates, or text: ISO, ``20240301``, ``2024年3月1日``, ``1-Sept-24``, ``3/14/2024``, ``2024-W05`` (its Monday),
        ``2024-03`` (its first day), Excel serial numbers.
    order : {"", "dmy", "mdy", "ymd"}
        Order of dates such as ``03/04/2024``; empty: proved by the column's other dates, else such a date is unclear and bad.

    Examples
    --------
    >>> days = read_dates(pd.Series(["03/04/2024", "28/02/2024", "1-Sept-24", "45352"])).values
    >>> days.dt.strftime("%Y-%m-%d").tolist()
    ['2024-04-03', '2024-02-28', '2024-09-01', '2024-03-01']
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _typed(values)
    codes, words = pd.factorize(values.to_numpy(dtype=object))
    texts = [_to_word(word) for word in words]
    order = order or _evidence(texts)
    found = [(dt.date.fromisoformat(text), False) if _ISO.match(text) and _valid(text) else _one(text, order) for text in texts]
    days = np.append(_days([day for day, _ in found]), np.datetime64("NaT", "ns"))
    blank = np.array([text == "" for text in texts] + [True], dtype=bool)
    missing = np.array([text.casefold() in MISSING_WORDS for text in texts] + [False], dtype=bool)
    unclear = np.array([day == _AMBIGUOUS for day, _ in found] + [False], dtype=bool)
    bad = np.isnat(days) & ~blank & ~missing
    repaired = np.array([odd for _, odd in found] + [False], dtype=bool) | missing
    return Converted(pd.Series(days[codes], index=values.index), bad[codes], repaired[codes], "not_a_date", unclear[codes])


def _valid(text: str) -> bool:
    return _day(int(text[:4]), int(text[5:7]), int(text[8:10])) is not None
