"""Text of the data made safe to print: no markup, no control or direction signs, nothing that cannot be written as UTF-8."""

from __future__ import annotations

import re
from html import escape

# C0, C1, line separators, direction overrides and isolates, zero-width no-break space, lone surrogates, non-characters
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")


# a file beside the page or in a folder below it, or a place in the page; never another address
_INSIDE = re.compile(r"#[\w.:-]+|(?:[\w%~-][\w%.~-]*/)*[\w%~-][\w%.~-]*\.(?:html|xlsx|ipynb|json)(?:#[\w.:-]+)?")


def stays_inside(address: str) -> bool:
    """Tell whether a link leads to the page itself or to a report beside it.

    Examples
    --------
    >>> [stays_inside(address) for address in ("#s-gap", "north-1a/forecasting.html", "//x/y.html", "../y.html", "javascript:x")]
    [True, True, False, False, False]
    """
    return _INSIDE.fullmatch(address) is not None


def plain_text(value: object) -> str:
    """Return `value` as text without signs that cannot be seen but act.

    Examples
    --------
    >>> plain_text("bolt\\x00 M6")
    'bolt M6'
    """
    return _UNSEEN.sub("", str(value))


def html_text(value: object) -> str:
    """Return `value` as HTML that shows it as it is.

    Examples
    --------
    >>> html_text("<b>5</b>")
    '&lt;b&gt;5&lt;/b&gt;'
    """
    return escape(plain_text(value))
