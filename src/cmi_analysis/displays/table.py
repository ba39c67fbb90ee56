"""A frame as an HTML table: every cell, header and caption escaped, numbers written as a reader of the language writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cmi_analysis.displays.escaping import html_text, stays_inside
from cmi_analysis.errors import InputError
from cmi_analysis.labels import NOT_AVAILABLE, Language, format_value, has_text, text

_LEFT = ("text", "flag", "word")
_SHORT = 24  # characters: words up to this length are not broken
_WIDE = 8  # more columns than this are printed smaller
_NUMBER_CLASS = ' class="num"'
_MARKS = {"good": "▲", "bad": "▼", "warn": "●"}


@dataclass(frozen=True)
class Table:
    """A finished table: `html` for the report, `frame` with all rows for the workbook.

    Attributes
    ----------
    frame : pandas.DataFrame
        The columns of the table, every row, unformatted.
    html : str
        The table as HTML, already escaped.
    """

    frame: pd.DataFrame = field(repr=False)
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html

    def with_below(self, other: Table | None) -> Table:
        """Return this table with another one below it in the report; its own rows stay those of the workbook."""
        return self if other is None or other.frame.empty else Table(self.frame, self.html + other.html)


@dataclass(frozen=True)
class _Look:
    """How the cells of one table are written."""

    columns: Sequence[str]
    kinds: Mapping[str, str]
    lang: Language
    currency: str
    headers: Mapping[str, str]
    highlight: str | Mapping[str, str] | None
    links: Mapping[str, str]

    def header(self, column: str) -> str:
        return self.headers.get(column) or text(f"column.{column}", self.lang)

    def left(self, column: str) -> bool:
        return self.kinds.get(column, "text").split(":")[0] in _LEFT

    def cell(self, value: Any, column: str) -> str:
        kind = self.kinds.get(column, "text")
        if pd.api.types.is_scalar(value) and pd.isna(value):
            return NOT_AVAILABLE
        if kind == "flag":
            return text("shell.yes" if value else "shell.no", self.lang)
        if kind.startswith("word:"):
            key = f"{kind.removeprefix('word:')}.{value}"
            return text(key, self.lang) if has_text(key) else str(value)
        return format_value(value, kind, self.lang, currency=self.currency)


def table(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str],
    kinds: Mapping[str, str] | None = None,
    lang: Language = "en",
    currency: str = "",
    caption: str = "",
    limit: int | None = 15,
    highlight: str | Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> Table:
    """Return `frame` as a table for people.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per line of the table, in its order; may be empty.
    columns : sequence of str
        Columns shown, in this order; the first one names the row.
    kinds : mapping of str to str
        Column → kind of `labels.format_value` (missing: ``text``), or ``flag`` (yes, no), or ``word:<prefix>`` (the text
        ``<prefix>.<value>`` of the catalogue where there is one, else the value).
    lang, currency
        Language, and ISO 4217 code of the money columns.
    caption : str
        What the table shows, in which unit and period.
    limit : int or None
        Rows shown at most; a line below says how many there are.
    highlight : str or mapping of str to str
        Name of a column of `frame` with ``good``, ``warn``, ``bad`` or anything else for the whole row (True marks a row), or
        shown column → such a column for single cells. Marked by colour, sign and a word.
    headers : mapping of str to str
        Headers in place of the texts ``column.<name>``, for columns that are named by data.
    links : mapping of str to str
        Shown column → column of `frame` with the place it leads to: ``#…`` or a report beside or below this one; other
        addresses are left out.

    Raises
    ------
    InputError
        A column is not in the frame.
    """
    missing = [name for name in columns if name not in frame]
    if missing:
        raise InputError(
            expected=f"the columns {', '.join(columns)} in a table's frame",
            found=f"no {', '.join(missing)}",
            fix="Give every column that the table shows, empty where there is no value.",
        )
    look = _Look(columns, kinds or {}, lang, currency, headers or {}, highlight, links or {})
    shown = frame if limit is None else frame.head(limit)
    label = caption or text("shell.table.of", lang, what=look.header(columns[0]))
    name = "cmi-table is-wide" if len(columns) > _WIDE else "cmi-table"
    lines = [f'<div class="cmi-scroll" role="group" tabindex="0" aria-label="{html_text(label)}"><table class="{name}">']
    if caption:
        lines.append(f"<caption>{html_text(caption)}</caption>")
    lines.append(_head(look))
    lines.append(_body(shown, look))
    lines.append("</table></div>")
    if len(shown) < len(frame):
        counts = {"shown": format_value(len(shown), "count", lang), "all": format_value(len(frame), "count", lang)}
        lines.append(f'<p class="cmi-more">{html_text(text("shell.table.more", lang, **counts))}</p>')
    return Table(frame=frame.loc[:, list(columns)], html="\n".join(lines))


def _head(look: _Look) -> str:
    cells = [
        f'<th scope="col"{"" if look.left(name) else _NUMBER_CLASS}>{html_text(look.header(name))}</th>' for name in look.columns
    ]
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _body(shown: pd.DataFrame, look: _Look) -> str:
    if shown.empty:
        return f'<tbody><tr><td colspan="{len(look.columns)}">{html_text(text("shell.table.none", look.lang))}</td></tr></tbody>'
    row_state = shown[look.highlight].tolist() if isinstance(look.highlight, str) else [None] * len(shown)
    cell_states = {
        name: shown[source].tolist() for name, source in (look.highlight if isinstance(look.highlight, Mapping) else {}).items()
    }
    words = {name: [look.cell(value, name) for value in shown[name].tolist()] for name in look.columns}
    classes = {name: _column_class(look, name, words[name]) for name in look.columns}
    shown_words = {name: _linked(words[name], shown, look.links.get(name, "")) for name in look.columns}
    rows = []
    for number in range(len(shown)):
        states = {name: _state(cell_states[name][number]) if name in cell_states else "" for name in look.columns}
        cells = [
            _cell(shown_words[name][number], _sign(states[name], look.lang), (classes[name], states[name]), first=not place)
            for place, name in enumerate(look.columns)
        ]
        rows.append(_row(cells, row_state[number], look.lang))
    return f"<tbody>{''.join(rows)}</tbody>"


def _state(value: Any) -> str:
    """Return ``good``, ``warn``, ``bad``, ``mark`` or nothing."""
    if isinstance(value, str):
        return value if value in _MARKS else ""
    return "mark" if pd.api.types.is_scalar(value) and not pd.isna(value) and bool(value) else ""


def _sign(state: str, lang: Language) -> str:
    """Return the sign of a state with its word for those who do not see it."""
    if state not in _MARKS:
        return ""
    word = html_text(text(f"shell.state.{state}", lang))
    hidden = f'<span class="cmi-hidden">{word}</span>'
    return f'<span class="cmi-{state}"><span aria-hidden="true">{_MARKS[state]}</span>{hidden}</span> '


def _linked(words: list[str], shown: pd.DataFrame, source: str) -> list[str]:
    """Return the words of a column as HTML, those with a place to lead to as links."""
    safe = [html_text(word) for word in words]
    if not source:
        return safe
    places = [str(place) for place in shown[source].tolist()]
    return [f'<a href="{place}">{word}</a>' if stays_inside(place) else word for place, word in zip(places, safe, strict=True)]


def _column_class(look: _Look, name: str, words: list[str]) -> str:
    """Return ``num`` for numbers, ``nb`` for words so short that they stay on one line, else nothing."""
    if not look.left(name):
        return "num"
    return "nb" if max(map(len, words)) <= _SHORT else ""


def _cell(words: str, sign: str, look: tuple[str, str], *, first: bool) -> str:
    """Return one cell of escaped words; `look` holds its column's class and its own state."""
    column, state = look
    classes = " ".join(filter(None, (column, f"is-{state}" if state else "")))
    attribute = f' class="{classes}"' if classes else ""
    return f'<th scope="row"{attribute}>{sign}{words}</th>' if first else f"<td{attribute}>{sign}{words}</td>"


def _row(cells: list[str], flag: Any, lang: Language) -> str:
    state = _state(flag)
    if not state:
        return f"<tr>{''.join(cells)}</tr>"
    if state in _MARKS:
        opening, closing = cells[0].split(">", 1)
        cells = [f"{opening}>{_sign(state, lang)}{closing}", *cells[1:]]
    return f'<tr class="is-{state}">{"".join(cells)}</tr>'
