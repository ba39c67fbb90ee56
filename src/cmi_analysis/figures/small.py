"""Word-sized charts of the KPI cards as inline SVG, each with its words for those who do not see it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def svg_sparkline(values: Sequence[float | None], *, label: str, width: int = 96, height: int = 26) -> str:
    """Return a line of `values`, oldest first, with a dot on the newest; gaps stay gaps.

    Parameters
    ----------
    values : sequence of float or None
        Values at equal distances.
    label : str
        What the line shows, for screen readers.
    width, height : int
        Size [CSS pixels].
    """
    known = [_known(value) for value in values]
    present = [value for value in known if value is not None]
    if not present:
        return ""
    low, high = min(present), max(present)
    step = (width - 8) / max(len(known) - 1, 1)
    rise = (height - 8) / (high - low) if high > low else 0.0
    parts, pen_up, dots = [], True, ""
    for place, value in enumerate(known):
        if value is None:
            pen_up = True
            continue
        x, y = 4 + place * step, (height - 4 - (value - low) * rise) if rise else height / 2
        parts.append(f"{'M' if pen_up else 'L'}{_number(x)} {_number(y)}")
        dots = f'<circle cx="{_number(x)}" cy="{_number(y)}" r="2.6" class="cmi-spark-dot"/>'
        pen_up = False
    line = f'<path d="{"".join(parts)}" class="cmi-spark-line" fill="none" stroke="currentColor" stroke-width="1.6"/>'
    return _svg(line + dots, label=label, width=width, height=height, name="cmi-spark")


def svg_bullet(
    value: float | None, *, target: float | None, last_year: float | None, label: str, full: float | None = None, width: int = 160
) -> str:
    """Return a bullet graph (Few, 2006): bar = value, long stroke = target, short pale stroke = last year, scale from nought.

    Parameters
    ----------
    value, target, last_year : float or None
        In one unit; without a value or without anything to hold it against nothing is drawn.
    label : str
        What it shows, for screen readers.
    full : float or None
        End of the scale, 1 for rates; None: a tenth beyond the largest.
    """
    now, aim, before = _known(value), _known(target), _known(last_year)
    if now is None or (aim is None and before is None):
        return ""
    present = [item for item in (now, aim, before) if item is not None]
    low = min(0.0, *present)
    high = max(full or 0.0, max(present) * (1.0 if full else 1.1), low + 1e-12)
    height = 14

    def place(item: float) -> float:
        return (item - low) / (high - low) * width

    start, end = sorted((place(0.0), place(now)))
    shapes = [
        f'<rect x="0" y="3" width="{width}" height="8" class="cmi-bullet-track" fill="#dde3e8"/>',
        f'<rect x="{_number(start)}" y="5" width="{_number(max(end - start, 1))}" height="4" class="cmi-bullet-bar"/>',
    ]
    if before is not None:
        shapes.append(_stroke(place(before), 3, 8, width, "cmi-bullet-before"))
    if aim is not None:
        shapes.append(_stroke(place(aim), 0, height, width, "cmi-bullet-target"))
    return _svg("".join(shapes), label=label, width=width, height=height, name="cmi-bullet")


def _stroke(x: float, top: float, height: float, width: int, name: str) -> str:
    left = min(max(x - 1, 0), width - 2)
    return f'<rect x="{_number(left)}" y="{top}" width="2" height="{height}" class="{name}"/>'


def _svg(shapes: str, *, label: str, width: int, height: int, name: str) -> str:
    stretch = ' preserveAspectRatio="none"' if name == "cmi-bullet" else ""
    return (
        f'<svg class="{name}" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"{stretch}>{shapes}</svg>'
    )
