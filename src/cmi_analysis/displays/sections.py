"""The parts of a report below the first screen, shown as notebook outputs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from cmi_analysis.displays.escaping import html_text, plain_text
from cmi_analysis.displays.table import Table
from cmi_analysis.errors import ReportError
from cmi_analysis.pages import Page


def show_html(html: str) -> None:
    """Show finished, escaped HTML as one output."""
    from IPython.display import display

    display({"text/html": html}, raw=True)


def show_figure(drawn: Any, *, alt: str) -> None:
    """Show a chart (Axes, list of Axes or Figure) as PNG with its alternative text.

    Raises
    ------
    ReportError
        The alternative text is empty.
    """
    from IPython.display import display

    from cmi_analysis.figures.style import page_width, png_of

    if not alt.strip():
        raise ReportError(
            expected="an alternative text for every chart",
            found="a chart without one",
            fix="Fill `Section.alt` with what the chart shows, its main numbers included.",
        )
    picture = png_of(drawn)
    about = {"image/png": {"alt": plain_text(alt), "width": page_width(picture)}}
    display({"image/png": base64.b64encode(picture).decode("ascii")}, raw=True, metadata=about)


def show_section(
    page: Page, key: str, figure: Callable[[], Any] | Any | None = None, table: Callable[[], Table] | Table | None = None
) -> None:
    """Show one section: message title, chart, table, and what follows from them.

    Parameters
    ----------
    page : Page
        The report; ``page.sections[key]`` holds the words.
    key : str
        Key of the section; findings of the first screen link to it.
    figure : Axes, list of Axes, Figure, or a callable that returns one
        The chart; its alternative text is ``Section.alt``.
    table : Table, or a callable that returns one
        The table.

    Notes
    -----
    Where ``Section.missing`` is set, only that sentence is shown and callables are not called; nor are those of a chart or table
    that ``Section.chart`` or ``Section.rows`` calls empty.
    """
    section = page.sections[key]
    anchor = f'id="s-{html_text(key)}"'
    if section.missing:
        show_html(f'<p class="cmi-missing" {anchor}>{html_text(section.missing)}</p>')
        return
    show_html(f'<h3 class="cmi-title" {anchor}>{html_text(section.title)}</h3>')
    if figure is not None and section.chart:
        show_figure(figure() if callable(figure) else figure, alt=section.alt)
    shown = table() if callable(table) and section.rows else table
    if shown is not None and section.rows:
        show_html(shown.html)
    if section.so_what:
        show_html(f'<p class="cmi-so-what">{html_text(section.so_what)}</p>')
