"""The index of all reports: internal, worst first, on one scale, with what became of each in the last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cmi_analysis.displays.escaping import plain_text
from cmi_analysis.displays.first_screen import style_sheet
from cmi_analysis.labels import Language, format_value, has_text, text
from cmi_analysis.report.check_html import POLICY
from cmi_analysis.report.export import HTML_LANG

if TYPE_CHECKING:
    from jinja2 import Template

_MOST_FIGURES = 4


def _shown(value: Any) -> Any:
    """Return what the template prints: text without control signs; the template escapes it."""
    return value if not isinstance(value, str) or hasattr(value, "__html__") else plain_text(value)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown)
    folder = resources.files("cmi_analysis.report") / "templates"
    return environment.from_string((folder / "index_page.html.j2").read_text("utf-8"))


def _named(prefix: str, key: str, lang: Language) -> str:
    return text(f"{prefix}.{key}", lang) if has_text(f"{prefix}.{key}") else key


def _figures(row: Mapping[str, Any], lang: Language) -> list[tuple[str, str, str]]:
    """Return (name, value, status) of the group's first cards."""
    shown = []
    for card in list(row.get("cards") or [])[:_MOST_FIGURES]:
        value = format_value(card.get("value"), card.get("kind", "text"), lang, currency=row.get("currency", ""))
        if card.get("kind") == "days" and card.get("value") is not None:
            value = f"{value} {text('shell.unit.days', lang)}"
        name = text(f"kpi.{card['key']}.name", lang) if has_text(f"kpi.{card['key']}.name") else card["key"]
        shown.append((name, value, card.get("status", "none")))
    return shown


def _reports(row: Mapping[str, Any], lang: Language) -> list[dict[str, str]]:
    folder = quote(str(row["folder"]))
    return [
        {
            "name": _named("shell.notebook", report["notebook"], lang),
            "href": f"{folder}/{quote(report['notebook'])}.html" if report.get("published") else "",
            "as_of": str(report.get("as_of") or ""),
            "state": report.get("state", ""),
            "word": text(f"shell.run.{report.get('state') or 'kept'}", lang),
            "cause": str(report.get("cause") or ""),
        }
        for report in row.get("reports", [])
    ]


def _group(row: Mapping[str, Any], lang: Language) -> dict[str, Any]:
    status = row.get("status") or "none"
    return {
        "title": row.get("title") or row["group"],
        "status": status,
        "word": text(f"shell.status.{status}", lang),
        "headline": row.get("headline") or "",
        "edition": _named("shell.audience", row["audience"], lang) if row.get("audience") else "",
        "figures": _figures(row, lang),
        "reports": _reports(row, lang),
        "workbook": f"{quote(str(row['folder']))}/workbook.xlsx" if row.get("workbook") else "",
    }


def _seconds(run: Mapping[str, Any], lang: Language) -> list[tuple[str, str]]:
    return [(_named("shell.seconds", name, lang), f"{value:,.1f}") for name, value in dict(run.get("seconds") or {}).items()]


def render_index(rows: Sequence[Mapping[str, Any]], lang: Language = "en", run: Mapping[str, Any] | None = None) -> str:
    """Return the index as one HTML page.

    Parameters
    ----------
    rows : sequence of mapping
        One per group, in the order to be shown:
        ``group``, ``title``, ``folder``, ``status``, ``headline``, ``cards`` (as in Page),
        ``currency``, ``audience``, ``workbook`` (bool, optional) and ``reports`` (``notebook``, ``as_of``, ``published``,
        ``state``: new, unchanged, failed or kept, ``cause``).
    lang : {"en", "zh"}
        Language.
    run : mapping, optional
        ``name``, ``as_of``, ``counts`` (state → reports), ``seconds`` (step → seconds), ``summary`` (bool: the management
        summary is there), ``age_days`` (age of the newest data at the run, the only clock value).
    """
    run = dict(run or {})
    counts = dict(run.get("counts") or {})
    about = [(text("shell.about.run", lang), run.get("name", "")), (text("shell.about.as_of", lang), run.get("as_of", ""))]
    if run.get("age_days") is not None:
        about.append((text("shell.index.age", lang), format_value(run["age_days"], "count", lang)))
    about += [(text(f"shell.run.{state}", lang), format_value(number, "count", lang)) for state, number in counts.items()]
    return _template().render(
        html_lang=HTML_LANG[lang],
        policy=POLICY,
        style=style_sheet(),
        about=[(term, value) for term, value in about if value],
        groups=[_group(row, lang) for row in rows],
        summary="management_summary.html" if run.get("summary") else "",
        seconds=_seconds(run, lang),
        failed=int(counts.get("failed") or 0),
        say=lambda key, **fields: text(f"shell.{key}", lang, **fields),
    )
