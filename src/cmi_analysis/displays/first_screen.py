"""The first screen: who and when, headline, findings, six cards, what to do next, where the data come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from cmi_analysis.displays.escaping import plain_text
from cmi_analysis.figures.small import svg_bullet, svg_sparkline
from cmi_analysis.labels import Language, format_value, has_text, text
from cmi_analysis.pages import Action, Card, Page

if TYPE_CHECKING:
    from jinja2 import Template

MOST_CARDS = 6
MOST_FINDINGS = 3
MOST_ACTIONS = 5
_MONEY = ("effect", "cash_ours", "cash_customer")
_RATE_KINDS = ("rate", "points")
_RELATIVE = {"rate": "points", "money": "signed_money", "quantity": "signed_quantity", "count": "signed_quantity"}


@dataclass(frozen=True)
class _Change:
    """How far a value lies from another: the words around it, sign, words, and whether that is better."""

    before: str
    after: str
    text: str = ""
    arrow: str = ""
    state: str = "none"
    word: str = ""


@dataclass(frozen=True)
class _Cell:
    """One cell of the action table."""

    text: str
    header: str
    name: str = ""


def _shown(value: Any) -> Any:
    """Return what the template prints: text without control signs; the template escapes it."""
    return value if not isinstance(value, str) or hasattr(value, "__html__") else plain_text(value)


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown)
    folder = resources.files("cmi_analysis.displays") / "templates"
    return environment.from_string((folder / name).read_text("utf-8"))


@cache
def style_sheet() -> str:
    """Return the report's style sheet; the exporter puts it in the page's head, a notebook shows it with the first screen."""
    return (resources.files("cmi_analysis.displays") / "templates" / "report.css").read_text("utf-8")


def _around(key: str, lang: Language, **fields: str) -> tuple[str, str]:
    before, _, after = text(f"shell.card.{key}", lang, change="|", **fields).partition("|")
    return before, after


def _gap(card: Card, page: Page, *, to: str) -> _Change | None:
    """Return the distance from last year (`to` = ``year``) or target in words, None where a number is missing."""
    lang, value, other = page.lang, card.value, card.last_year if to == "year" else card.target
    if value is None or other is None or value != value or other != other:
        return None
    gap = value - other
    kind = "points" if card.kind in _RATE_KINDS else card.change_kind
    if kind == "points" and card.kind not in _RATE_KINDS:
        kind = _RELATIVE.get(card.kind, "signed_quantity")
    words = format_value(gap, kind, lang, currency=page.currency)
    fields = {"target": format_value(other, card.kind, lang, currency=page.currency)} if to == "target" else {}
    if not any(sign in "123456789∞" for sign in words):  # rounds to nothing: neither better nor worse
        return _Change(*_around(f"same_{to}", lang, **fields), arrow="=")
    if card.kind == "days":
        words = f"{words} {text('shell.unit.days', lang)}"
    arrow = "▲" if gap > 0 else "▼"
    if card.direction == "band":
        return _Change(*_around("on_last_year" if to == "year" else "to_target", lang, **fields), words, arrow)
    state = "good" if (gap > 0) == (card.direction == "higher") else "bad"
    around = _around("than_last_year" if to == "year" else "to_target", lang, **fields)
    return _Change(*around, words, arrow, state, text(f"shell.card.{state}", lang) if to == "year" else "")


def _card(card: Card, page: Page) -> dict[str, Any]:
    lang = page.lang

    def shown(value: float | None) -> str:
        return format_value(value, card.kind, lang, currency=page.currency)

    name = card.label or text(f"kpi.{card.key}.name", lang)
    points = [(label, value) for label, value in card.spark if value is not None and value == value]
    spark_label = ""
    if points:
        ends = {"first": shown(points[0][1]), "first_at": points[0][0], "last": shown(points[-1][1]), "last_at": points[-1][0]}
        spark_label = text("shell.card.spark", lang, name=name, **ends)
    return {
        "name": name,
        "value": shown(card.value),
        "unit": _unit(card, lang),
        "formula": text(f"kpi.{card.key}.formula", lang) if has_text(f"kpi.{card.key}.formula") else "",
        "note": card.note,
        "cases": "" if card.n is None else text("shell.card.cases", lang, n=format_value(card.n, "count", lang)),
        "status": card.status,
        "status_word": text(f"shell.status.{card.status}", lang) if card.status != "none" else "",
        "year": _gap(card, page, to="year"),
        "goal": _gap(card, page, to="target"),
        "bullet": svg_bullet(
            card.value,
            target=card.target,
            last_year=card.last_year,
            label=text("shell.card.bullet", lang, **_bullet_words(card, name, shown)),
            full=1.0 if card.kind == "rate" and (card.value or 0) <= 1 else None,
        ),
        "spark": svg_sparkline([value for _, value in card.spark], label=spark_label) if points else "",
    }


def _unit(card: Card, lang: Language) -> str:
    """Return the unit where the number does not say it itself."""
    if card.value is None:
        return ""
    if card.kind in ("count", "quantity", "ratio") and has_text(f"kpi.{card.key}.unit"):
        return text(f"kpi.{card.key}.unit", lang)
    return text("shell.unit.days", lang) if card.kind == "days" else ""


def _bullet_words(card: Card, name: str, shown: Any) -> dict[str, str]:
    return {"name": name, "value": shown(card.value), "target": shown(card.target), "last_year": shown(card.last_year)}


def _money_columns(page: Page) -> list[str]:
    """Return the money columns of the action table: those with a value, and none of ours for a client."""
    allowed = _MONEY if page.audience == "internal" else ("cash_customer",)
    return [name for name in allowed if any(getattr(action, name) is not None for action in page.actions)]


def _action_columns(page: Page) -> list[str]:
    said = [name for name in ("who", "due_on") if any(getattr(action, name) for action in page.actions)]
    otherwise = ["otherwise"] if any(action.otherwise for action in page.actions) else []
    return ["text", *said, *_money_columns(page), *otherwise]


def _class(column: str) -> str:
    return "num" if column in _MONEY else f"cmi-{column.removesuffix('_on')}"


def _action_row(action: Action, columns: list[str], page: Page) -> list[_Cell]:
    cells = []
    for name in columns:
        value = getattr(action, name)
        header = text(f"shell.action.{name}", page.lang)
        words = format_value(value, "signed_money", page.lang, currency=page.currency) if name in _MONEY else value
        empty = value is None or value == ""
        cells.append(_Cell(format_value(None) if empty else words, header, _class(name) + (" cmi-none" if empty else "")))
    return cells


def _strip(page: Page) -> list[tuple[str, str]]:
    strip, lang = page.strip, page.lang
    pairs = [
        ("rows_in", format_value(strip.rows_in, "count", lang)),
        ("rows_set_aside", format_value(strip.rows_set_aside, "count", lang)),
        ("newest_on", strip.newest_on),
        ("coverage", strip.coverage),
    ]
    return [(text(f"shell.strip.{name}", lang), value) for name, value in pairs if value]


def first_screen_html(page: Page) -> str:
    """Return the first screen of `page` as HTML; every word of the data is escaped.

    Parameters
    ----------
    page : Page
        The report. At most 6 cards, 3 findings and 5 actions are shown. For clients our profit effect and our cash are left out.
    """
    lang = page.lang
    columns = _action_columns(page)
    about = {
        "period": page.period,
        "as_of": page.as_of,
        "run": page.run_id,
        "audience": text(f"shell.audience.{page.audience}", lang),
    }
    return _template("first_screen.html.j2").render(
        page=page,
        about=[(text(f"shell.about.{name}", lang), value) for name, value in about.items() if value],
        status_word=text(f"shell.status.{page.status}", lang) if page.status != "none" else "",
        findings=page.findings[:MOST_FINDINGS],
        cards=[_card(card, page) for card in page.cards[:MOST_CARDS]],
        columns=[_Cell(text(f"shell.action.{name}", lang), "", _class(name)) for name in columns],
        rows=[_action_row(action, columns, page) for action in page.actions[:MOST_ACTIONS]],
        strip=_strip(page),
        say=lambda key, **fields: text(f"shell.{key}", lang, **fields),
    )


def show_first_screen(page: Page) -> None:
    """Show the first screen as a notebook output; JupyterLab gets the style sheet with it."""
    from IPython.display import display

    about = {"cmi": {"part": "first_screen"}}
    display({"text/html": f"<style>{style_sheet()}</style>"}, raw=True, metadata={"cmi": {"part": "style"}})
    display({"text/html": first_screen_html(page)}, raw=True, metadata=about)
