"""What HTML a notebook's output may hold: the tags and attributes of our own tables and screens, nothing that acts or loads."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from cmi_analysis.displays.escaping import stays_inside

_TAGS = """
a b br caption circle code col colgroup dd details div dl dt em figcaption figure h2 h3 h4 header i li ol p path rect section
small span strong summary svg table tbody td tfoot th thead tr ul
"""
_ATTRIBUTES = """
aria-hidden aria-label aria-labelledby class colspan cx cy d fill height href id lang preserveaspectratio r role rowspan scope
stroke stroke-width tabindex viewbox width x y
"""
TAGS = frozenset(_TAGS.split())
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_VOID = frozenset({"br", "col"})
_SAFE_PAINT = re.compile(r"none|currentColor|#[0-9a-fA-F]{3,8}")


class _Reader(HTMLParser):
    """Collects what is not allowed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.problems.append(f"<{tag}>")
        if tag not in _VOID:
            self.open.append(tag)
        for name, value in attrs:
            wrong = (
                name not in ATTRIBUTES
                or (name == "href" and not stays_inside(value or ""))
                or (name in ("fill", "stroke") and not _SAFE_PAINT.fullmatch(value or ""))
            )
            if wrong:
                self.problems.append(f"{name} in <{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> out of order")

    def handle_comment(self, data: str) -> None:
        self.problems.append("a comment")

    def handle_decl(self, decl: str) -> None:
        self.problems.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.problems.append("a processing instruction")

    def unknown_decl(self, data: str) -> None:
        self.problems.append("a declaration")


def fragment_problems(html: str) -> list[str]:
    """Return what in `html` is not allowed in a report, empty where all is.

    Examples
    --------
    >>> fragment_problems('<p class="x">a &lt; b</p>'), fragment_problems('<img src=x onerror=alert(1)>')
    ([], ['<img>', 'src in <img>', 'onerror in <img>', '<img> not closed'])
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.problems + [f"<{tag}> not closed" for tag in reader.open]
