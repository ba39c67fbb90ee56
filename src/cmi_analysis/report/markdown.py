"""Markdown of the catalogue as HTML: no raw HTML, no address outside the page, heading ids that stay the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from mistune import HTMLRenderer, create_markdown

from cmi_analysis.displays.escaping import plain_text

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~])")


class _Renderer(HTMLRenderer):
    """Headings get ids, links stay inside the page, images become their words."""

    def __init__(self, ids: Mapping[str, str]) -> None:
        super().__init__(escape=True)
        self._ids = ids

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        name = self._ids.get(text, "")
        mark = f' id="{name}"' if name else ""
        return f"<h{level}{mark}>{text}</h{level}>\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return f'<a href="{escape(url)}">{text}</a>' if url.startswith("#") else text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return text


def escape_markdown(value: object) -> str:
    """Return `value` so that Markdown shows it as it is.

    Examples
    --------
    >>> print(escape_markdown("[a](b)"))
    \\[a\\]\\(b\\)
    """
    return _SPECIAL.sub(r"\\\1", " ".join(plain_text(value).split()))


def render_markdown(source: str, *, ids: Mapping[str, str] | None = None) -> str:
    """Return `source` as HTML.

    Parameters
    ----------
    source : str
        Markdown.
    ids : mapping of str to str
        HTML of a heading's text → its id.
    """
    return str(create_markdown(renderer=_Renderer(ids or {}), plugins=["table"])(source))
