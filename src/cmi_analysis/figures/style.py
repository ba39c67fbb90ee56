"""One look for every chart: sizes, colours, font, labels, and the same PNG bytes from the same chart.

Figures are plain `matplotlib.figure.Figure` objects; pyplot and its global list of figures are never touched.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any, Literal

from cmi_analysis.figures.fonts import FAMILIES, register_font

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008); told apart by every kind of colour vision and by grey value
BETTER = "#0072B2"
WORSE = "#B3470A"
ACTUAL = "#1F2933"
LAST_YEAR = "#A9B4BF"
PLAN = "#5B6770"
FORECAST = "#0072B2"
GREY = "#6B7680"
PALE = "#DDE3E8"
SERIES = ("#0072B2", "#B3470A", "#00785A", "#8A4A86", "#8F6400", "#1F2933")

DPI = 160
CSS_DPI = 96
WIDTHS = {"wide": 8.5, "half": 4.6}  # inches: 816 and 442 pixels on the page
LARGEST_PNG = 60_000  # bytes
LONGEST_LINE = 120  # characters of a text in a chart, its subtitle included
LONGEST_LABEL = 32  # characters of a label beside a point
_NUMBER = re.compile(r"\$\\mathdefault\{[-−0-9.^{}×\\times ]*\}\$")

_STYLE: dict[str, Any] = {
    "font.family": list(FAMILIES),
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlecolor": GREY,
    "axes.titlepad": 10,
    "axes.labelsize": 9.5,
    "axes.labelcolor": GREY,
    "axes.edgecolor": LAST_YEAR,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.unicode_minus": True,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0.8,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "text.color": ACTUAL,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "cmi",
}


def apply_style() -> None:
    """Set matplotlib's defaults to the house style; `new_axes` does it by itself."""
    import matplotlib as mpl

    register_font()
    mpl.rcParams.update(_STYLE)


def new_figure(*, width: Literal["wide", "half"] = "wide", height: float = 3.2) -> Figure:
    """Return an empty figure of the house style, `height` [inches] high."""
    from matplotlib.figure import Figure

    apply_style()
    return Figure(figsize=(WIDTHS[width], height), dpi=DPI, layout="constrained")


def new_axes(width: Literal["wide", "half"] = "wide", *, height: float = 3.2, grid: Literal["x", "y", ""] = "y") -> Axes:
    """Return the axes of a new figure.

    Parameters
    ----------
    width : {"wide", "half"}
        816 or 442 pixels on the page.
    height : float
        Height [inches of 96 pixels]; for bars one row takes about 0.3.
    grid : {"x", "y", ""}
        Direction of the values whose pale lines are drawn.
    """
    axes = new_figure(width=width, height=height).add_subplot()
    if grid:
        axes.grid(visible=True, axis=grid)
    return axes


def new_grid(rows: int, columns: int, *, height: float = 4.8, sharex: bool = True, sharey: bool = False) -> list[Axes]:
    """Return the axes of small multiples, row by row, in one wide figure `height` [inches] high."""
    panels = new_figure(height=height).subplots(rows, columns, sharex=sharex, sharey=sharey, squeeze=False)
    for axes in panels.flat:
        axes.grid(visible=True, axis="y")
    return list(panels.flat)


def subtitle(ax: Axes, text: str) -> None:
    """Write what is drawn, in which unit and period, above the axes; the message stands in the section's title."""
    ax.set_title(safe_text(text), loc="left")


def direct_label(ax: Axes, x: Any, y: Any, text: str, *, color: str = ACTUAL, dx: float = 6, dy: float = 0, **font: Any) -> None:
    """Write `text` beside the point (`x`, `y`), `dx` and `dy` [points] away; it takes the place of a legend."""
    align = "left" if dx > 0 else "right" if dx < 0 else "center"
    level = "center" if dy == 0 else "bottom" if dy > 0 else "top"
    options = {"ha": align, "va": level, "fontsize": 9.5, **font}
    words = safe_text(text)
    words = words if len(words) <= LONGEST_LABEL else words[: LONGEST_LABEL - 1] + "…"
    ax.annotate(words, (x, y), (dx, dy), textcoords="offset points", color=color, annotation_clip=False, **options)


def percent_ticks(*, signed: bool = False) -> Any:
    """Return a formatter of fractions as whole percents, with the sign of every other number of the page."""
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: f"{value * 100:+.0f}%" if signed and round(value * 100) else f"{value * 100:.0f}%")


def behind_text() -> list[Any]:
    """Return path effects that keep a line from running through a label: pass them as ``path_effects``."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground="white")]


def empty_note(ax: Axes, text: str) -> Axes:
    """Leave `ax` without scales and say in its middle why nothing is drawn."""
    ax.clear()
    ax.set_axis_off()
    ax.text(0.5, 0.5, safe_text(text), ha="center", va="center", color=GREY, transform=ax.transAxes, wrap=True)
    return ax


def safe_text(text: object) -> str:
    """Return `text` without control characters.

    Examples
    --------
    >>> safe_text("bolt\\x00 M6")
    'bolt  M6'
    """
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in str(text))


def figure_of(drawn: Any) -> Figure:
    """Return the figure of an Axes, a list of Axes or a Figure."""
    from matplotlib.figure import Figure

    if isinstance(drawn, Figure):
        return drawn
    if isinstance(drawn, list | tuple):
        drawn = drawn[0]
    figure = drawn.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def _cut(line: str) -> str:
    """Return a line that leaves room for the chart: names may have 300 letters."""
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def _dress(figure: Figure) -> None:
    """Give every text the house font, and let only matplotlib's own numbers (10³) be formulas: names hold dollar signs."""
    from matplotlib.text import Text

    for axes in figure.axes:
        axes.get_xticklabels(which="both")  # the tick labels exist only once they have been asked for
        axes.get_yticklabels(which="both")
    for words in figure.findobj(Text):
        assert isinstance(words, Text)
        words.set_fontfamily(list(FAMILIES))
        words.set_text("\n".join(_cut(line) for line in safe_text(words.get_text()).split("\n")))
        words.set_parse_math(bool(_NUMBER.fullmatch(words.get_text())))


def png_of(drawn: Any) -> bytes:
    """Return the chart as PNG: fixed size and resolution, at most 256 colours, no metadata, the house font in every text."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure = figure_of(drawn)
    register_font()
    with mpl.rc_context(_STYLE | {"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # names may hold signs no font has: an empty box
        _dress(figure)
        canvas = FigureCanvasAgg(figure)
        figure.set_dpi(DPI)
        canvas.draw()
        figure.set_layout_engine("none")  # a second drawing would move the axes by a fraction of a pixel
        size = canvas.get_width_height(physical=True)
        picture = Image.frombytes("RGBA", size, bytes(canvas.buffer_rgba())).convert("RGB")
    target = io.BytesIO()
    # few flat colours: a palette is a third of the size and cannot be told apart by eye
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(target, "PNG", optimize=True)
    return target.getvalue()


def page_width(png: bytes) -> int:
    """Return the width at which the page shows a PNG of `png_of` [CSS pixels]."""
    return round(int.from_bytes(png[16:20], "big") * CSS_DPI / DPI)
