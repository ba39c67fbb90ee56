"""How the numbers came about: parameters, data read and set aside, assumptions, formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from cmi_analysis.displays.escaping import html_text
from cmi_analysis.displays.sections import show_html
from cmi_analysis.displays.table import Table, table
from cmi_analysis.labels import Language, has_text, table_name, text
from cmi_analysis.names import INTERNAL_TABLES, is_confidential, is_confidential_param
from cmi_analysis.pages import Page
from cmi_analysis.params.models import MODELS
from cmi_analysis.tables import Slice

_ISSUE_COLUMNS = ("table", "column", "rule", "rows", "example", "done", "fix")
_SHORT = 60  # characters of an example


def _headers(names: Iterable[str], lang: Language) -> dict[str, str]:
    return {name: text(f"shell.column.{name}", lang) for name in names}


def _meaning(notebook: str, name: str, lang: Language) -> str:
    """Return what a parameter means, its unit in brackets."""
    if has_text(f"param.{name}"):
        return text(f"param.{name}", lang)
    model = MODELS.get(notebook)
    found = model.model_fields.get(name) if model else None
    return (found.description or name) if found else name


def _shown(value: Any, lang: Language) -> str:
    if value is None or value == "" or value == []:
        return text("shell.params.empty", lang)
    if isinstance(value, bool):
        return text("shell.yes" if value else "shell.no", lang)
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def table_params(page: Page) -> Table:
    """Return the merged parameters of a report: name, meaning with unit, value; for clients without ours alone."""
    lang = page.lang
    kept = {name: value for name, value in page.params.items() if page.audience == "internal" or not is_confidential_param(name)}
    rows = {
        "parameter": list(kept),
        "meaning": [_meaning(page.notebook, name, lang) for name in kept],
        "setting": [_shown(value, lang) for value in kept.values()],
    }
    caption = text("shell.params.caption", lang)
    return table(pd.DataFrame(rows), columns=list(rows), headers=_headers(rows, lang), lang=lang, caption=caption, limit=None)


def show_params(page: Page) -> None:
    """Show the report's parameters with their units."""
    show_html(table_params(page).html)


def table_rows(part: Slice, *, lang: Language = "en", audience: str = "internal") -> Table:
    """Return how many rows of which table the report has read; for clients without the tables that are ours alone."""
    names = sorted(name for name in part.tables.frames if audience == "internal" or name not in INTERNAL_TABLES)
    rows = {
        "table": [table_name(name, lang) for name in names],
        "rows": [len(part.tables.frames[name]) for name in names],
    }
    caption = text("shell.data.rows", lang)
    return table(
        pd.DataFrame(rows),
        columns=list(rows),
        kinds={"rows": "count"},
        headers=_headers(rows, lang),
        lang=lang,
        caption=caption,
        limit=None,
    )


def _fix(rule: Any, words: Any, lang: Language) -> Any:
    """Return the advice on a rule in the page's language; it is kept in English, as the ingest wrote it."""
    key = f"tables.fix.{rule}"
    if lang == "en" or not has_text(key):
        return words
    fields = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*?)", re.escape(text(key, "en")))
    fields = re.sub(r"\(\?P<(\w+)>\.\*\?\)(?=.*\(\?P<\1>)", r"(?:.*?)", fields)  # of one that stands twice the last speaks
    pattern = fields.replace(".*?)(?P", ".*)(?P")  # of two side by side the first takes all
    found = re.fullmatch(pattern, str(words), re.S)
    return text(key, lang, **found.groupdict()) if found else words


def table_issues(part: Slice, *, lang: Language = "en", audience: str = "internal", limit: int | None = 15) -> Table:
    """Return what was found wrong with the report's own rows, most rows first; for clients nothing of confidential columns."""
    issues = part.tables.issues.reindex(columns=list(_ISSUE_COLUMNS))
    if audience == "client":
        ours = issues["table"].isin(INTERNAL_TABLES) | issues["column"].map(lambda name: is_confidential(str(name)))
        issues = issues[~ours.astype(bool)]
    counts = pd.to_numeric(issues["rows"], errors="coerce")
    names = issues["table"].astype(str).map(lambda name: table_name(name, lang))
    example = issues["example"].map(lambda value: value if pd.isna(value) else str(value)[:_SHORT])
    order = issues.assign(rows=counts, table=names, example=example)
    order = order.assign(done=order["done"].astype(str).str.replace(" ", "_"))
    order = order.assign(fix=[_fix(rule, words, lang) for rule, words in zip(order["rule"], order["fix"], strict=True)])
    order = order.sort_values(["rows", "table", "column", "rule"], ascending=[False, True, True, True], kind="stable")
    return table(
        order,
        columns=list(_ISSUE_COLUMNS),
        kinds={"rows": "count", "rule": "word:tables.rule", "done": "word:tables.done"},
        headers=_headers(_ISSUE_COLUMNS, lang),
        lang=lang,
        caption=text("shell.data.issues", lang),
        limit=limit,
    )


def table_definitions(page: Page) -> Table:
    """Return name, formula and settings of the KPIs on the first screen."""
    lang = page.lang
    keys = [card.key for card in page.cards]
    rows = {
        "figure": [card.label or text(f"kpi.{card.key}.name", lang) for card in page.cards],
        "formula": [text(f"kpi.{key}.formula", lang) if has_text(f"kpi.{key}.formula") else "–" for key in keys],
        "settings": [card.note or None for card in page.cards],
        "cases": [card.n for card in page.cards],
    }
    caption = text("shell.data.definitions", lang)
    frame = pd.DataFrame(rows).astype({"cases": "Float64"})
    kinds = {"cases": "count"}
    return table(frame, columns=list(rows), kinds=kinds, headers=_headers(rows, lang), lang=lang, caption=caption, limit=None)


def _list(title: str, sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{html_text(sentence)}</li>" for sentence in dict.fromkeys(sentences) if sentence)
    return f'<h3 class="cmi-title">{html_text(title)}</h3><ul class="cmi-list">{items}</ul>' if items else ""


def _missing(page: Page) -> list[str]:
    """Return the sentences on what the data lack; a section that is not for the reader does not lack data."""
    internal = text("segmentation.missing.internal", page.lang)
    return [section.missing for section in page.sections.values() if section.missing != internal]


def show_data(page: Page, part: Slice) -> None:
    """Show the report's data and limits: assumptions, notes, sections without data, rows, issues, formulas.

    Parameters
    ----------
    page : Page
        The report.
    part : Slice
        What it has read.
    """
    lang = page.lang
    parts = [
        _list(text("shell.data.assumed", lang), [*page.assumptions, *part.tables.settings.said(lang)]),
        _list(text("shell.data.notes", lang), page.data_notes),
        _list(text("shell.data.without", lang), _missing(page)),
        table_rows(part, lang=lang, audience=page.audience).html,
        table_issues(part, lang=lang, audience=page.audience).html,
        table_definitions(page).html if page.cards else "",
    ]
    show_html("\n".join(filter(None, parts)))
