"""Numbers, money, dates and shares as a reader of either language writes them."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Literal

from babel import numbers

from cmi_analysis.labels.catalogue import Language

NOT_AVAILABLE = "–"
_LOCALES: dict[str, str] = {"en": "en", "zh": "zh_CN"}
Kind = Literal[
    "text",
    "count",
    "quantity",
    "money",
    "rate",
    "points",
    "days",
    "ratio",
    "date",
    "signed_rate",
    "signed_money",
    "signed_quantity",
]


def _is_missing(value: Any) -> bool:
    if value is None or value.__class__.__name__ in ("NaTType", "NAType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def _scaled(value: float, lang: Language) -> tuple[float, str]:
    """Return `value` in the language's everyday unit (thousand, million; 万, 亿) and that unit's sign."""
    steps = ((1e8, "亿"), (1e4, "万")) if lang == "zh" else ((1e9, "bn"), (1e6, "m"), (1e4, "k"))
    for size, sign in steps:
        if abs(value) >= size:
            return value / (1e3 if sign == "k" else size), sign
    return value, ""


def _short(value: float, lang: Language, *, signed: bool) -> str:
    scaled, sign = _scaled(value, lang)
    size = abs(scaled)
    # three significant digits, never a decimal of a whole thing above 100
    pattern = "#,##0" if size >= 100 or (size == round(size) and not sign) else "#,##0.0" if size >= 10 or sign else "#,##0.##"
    if signed:
        pattern = f"+{pattern};-{pattern}"
    return f"{numbers.format_decimal(scaled, format=pattern, locale=_LOCALES[lang])}{sign}"


def format_value(value: Any, kind: str = "text", lang: Language = "en", *, currency: str = "") -> str:
    """Return `value` as text.

    Parameters
    ----------
    value
        A number, date, string or a missing value (shown as an en dash). Rates are fractions, money is in `currency`.
    kind : str
        ``text``, ``count``, ``quantity`` [sales units], ``money``, ``rate`` [fraction, shown in %], ``points`` [fraction,
        shown in percentage points with its sign], ``days``, ``ratio``, ``date``; ``signed_rate``, ``signed_money`` and
        ``signed_quantity`` show the sign always.
    lang : {"en", "zh"}
        Language.
    currency : str
        ISO 4217 code of the data set; empty: money is shown as a bare number.

    Examples
    --------
    >>> format_value(0.935, "rate"), format_value(123456, "money", "zh", currency="CNY"), format_value(None, "days")
    ('93.5%', '¥12.3万', '–')
    """
    if _is_missing(value):
        return NOT_AVAILABLE
    if kind == "text":
        return str(value)
    if kind == "date":
        day = value.date() if isinstance(value, dt.datetime) else value
        return str(day.isoformat()) if isinstance(day, dt.date) else str(day)
    number = float(value)
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    locale = _LOCALES[lang]
    signed = kind.startswith("signed_")
    if kind in ("rate", "signed_rate"):
        return numbers.format_percent(number, format="+0.0%;-0.0%" if signed else "0.0%", locale=locale)
    if kind == "points":
        unit = " 个百分点" if lang == "zh" else " pts"
        return numbers.format_decimal(number * 100, format="+0.0;-0.0", locale=locale) + unit
    if kind in ("money", "signed_money"):
        body = _short(number, lang, signed=signed)
        symbol = numbers.get_currency_symbol(currency, locale=locale) if currency else ""
        return f"{body[0]}{symbol}{body[1:]}" if body[:1] in "+-" else f"{symbol}{body}"
    if kind == "count":
        return numbers.format_decimal(round(number), format="#,##0", locale=locale)
    if kind == "days":
        return numbers.format_decimal(number, format="#,##0.0" if abs(number) < 100 else "#,##0", locale=locale)
    if kind == "ratio":
        return numbers.format_decimal(number, format="#,##0.00", locale=locale)
    return _short(number, lang, signed=signed)
