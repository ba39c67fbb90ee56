"""Numbers as people write them: separators of either kind, 万 and 亿, full-width digits, brackets for negatives."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pandas as pd

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
_POINT_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?\Z")  # 1,234 or 1,234.5
_COMMA_DECIMAL = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+\Z")  # 1.234,5 or 12,5
_BRACKETS = re.compile(r"\((.+)\)\Z")
_CURRENCY = re.compile(r"(CNY|RMB|USD|EUR|GBP|JPY|人民币|美元|欧元|元|[¥$€£￥])", re.IGNORECASE)
_UNITS = {"万": 1e4, "亿": 1e8, "千": 1e3, "百万": 1e6, "千万": 1e7}
_UNIT_AT_END = re.compile(r"(百万|千万|万|亿|千)\Z")
_SPACES = re.compile(r"[\s'’\u00a0\u2009\u202f]")
MISSING_WORDS = frozenset(
    {"na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "–", "—", "?", "无", "缺失", "未知", "不详"}
)


@dataclass(frozen=True)
class Converted:
    """Values read from text.

    Attributes
    ----------
    values : pandas.Series
        The values; missing where there was none or it could not be read.
    bad : numpy.ndarray
        True where something stood there that could not be read.
    repaired : numpy.ndarray
        True where it was read although it was not written plainly.
    rule : str
        Id of the rule that bad values break.
    unclear : numpy.ndarray or None
        True where the value could mean two things (a part of `bad`).
    """

    values: pd.Series
    bad: np.ndarray
    repaired: np.ndarray
    rule: str
    unclear: np.ndarray | None = None


def _clean(text: str) -> tuple[str, float, bool]:
    """Return the bare number in `text`, the factor of its unit, and whether its decimal sign is surely a comma."""
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\uff0d", "-")
    text, factor = _SPACES.sub("", _CURRENCY.sub("", text)), 1.0
    brackets = _BRACKETS.match(text)
    if brackets:
        text, factor = brackets.group(1), -1.0
    if text.endswith("-") and len(text) > 1:
        text, factor = text[:-1], -factor
    if text.endswith("%"):
        text, factor = text[:-1], factor / 100
    unit = _UNIT_AT_END.search(text)
    if unit:
        text, factor = text[: unit.start()], factor * _UNITS[unit.group(1)]
    return text, factor, bool(_COMMA_DECIMAL.match(text)) and not _POINT_THOUSANDS.match(text)


def _number(text: str, *, comma_is_decimal: bool) -> float:
    if comma_is_decimal and "," in text:
        text = text.replace(".", "").replace(",", ".") if text.count(",") == 1 else text
    elif _POINT_THOUSANDS.match(text):
        text = text.replace(",", "")
    return float(text) if _PLAIN.match(text) else math.nan


def _from_text(words: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (value, bad, repaired, unclear) for distinct strings that are not plain numbers."""
    cleaned = [_clean(str(word)) for word in words]
    european = any(comma for _, _, comma in cleaned)
    english = any(_POINT_THOUSANDS.match(text) and ("." in text or text.count(",") > 1) for text, _, _ in cleaned)
    values = np.full(len(words), np.nan)
    unclear = np.zeros(len(words), dtype=bool)
    missing = np.zeros(len(words), dtype=bool)
    for place, (text, factor, comma) in enumerate(cleaned):
        if str(words[place]).strip().casefold() in MISSING_WORDS:
            missing[place] = True
            continue
        # 1,234 beside both 1.234,5 and 1,234.5 means nothing for sure
        unclear[place] = bool(_POINT_THOUSANDS.match(text)) and "." not in text and text.count(",") == 1 and european and english
        if not unclear[place]:
            values[place] = factor * _number(text, comma_is_decimal=comma or (european and not english))
    bad = ~np.isfinite(values) & ~missing
    return np.where(bad, np.nan, values), bad, ~bad, unclear


def read_numbers(values: pd.Series) -> Converted:
    """Return `values` as ``float64``, whatever way they are written.

    Parameters
    ----------
    values : pandas.Series
        Numbers, or text: ``1,234.5``, ``1.234,5``, ``１２``, ``3.5万``, ``(120)``, ``95%``, ``¥ 12``. Words for
        "nothing" (``NA``, ``-``, ``无``) become missing and count as repaired.

    Examples
    --------
    >>> read_numbers(pd.Series(["1,234", "3.5万", "(20)", "", "x"])).values.tolist()
    [1234.0, 35000.0, -20.0, nan, nan]
    """
    size = len(values)
    none = np.zeros(size, dtype=bool)
    if pd.api.types.is_numeric_dtype(values.dtype):
        plain = values.dtype == "float64"
        numbers = values.to_numpy() if plain else values.astype("Float64").to_numpy("float64", na_value=np.nan)
        endless = np.isinf(numbers)
        if plain and not endless.any():
            return Converted(values, endless, none, "not_a_number")
        return Converted(pd.Series(np.where(endless, np.nan, numbers), index=values.index), endless, none, "not_a_number")
    codes, words = pd.factorize(values.to_numpy(dtype=object))
    as_words = np.array([str(word).strip() if not isinstance(word, bool) else "?bool" for word in words], dtype=object)
    plain = np.array([bool(_PLAIN.match(word)) for word in as_words], dtype=bool)
    result = np.full(len(words) + 1, np.nan)
    bad, repaired, unclear = (np.zeros(len(words) + 1, dtype=bool) for _ in range(3))
    result[:-1][plain] = as_words[plain].astype("float64")
    empty = as_words == ""
    rest = np.flatnonzero(~plain & ~empty)
    if len(rest):
        result[rest], bad[rest], repaired[rest], unclear[rest] = _from_text(as_words[rest])
    bad[np.isinf(result)], result[np.isinf(result)] = True, np.nan
    return Converted(pd.Series(result[codes], index=values.index), bad[codes], repaired[codes], "not_a_number", unclear[codes])
