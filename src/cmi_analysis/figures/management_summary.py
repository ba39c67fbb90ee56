"""Charts of the management summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cmi_analysis.figures.style import (
    ACTUAL,
    BETTER,
    GREY,
    LAST_YEAR,
    WORSE,
    direct_label,
    empty_note,
    new_axes,
    new_grid,
    safe_text,
    subtitle,
)
from cmi_analysis.labels import Language, format_value, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"good": BETTER, "warn": GREY, "bad": WORSE, "none": LAST_YEAR}
_MOST_GROUPS = 25
_MOST_PANELS = 6


def plot_ranking(ranking: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the mean miss of targets of each group, worst first.

    Parameters
    ----------
    ranking : DataFrame
        Columns title, score [percent], status.
    lang : {"en", "zh"}
        Language.
    """
    shown = ranking.head(_MOST_GROUPS)
    if shown.empty:
        return empty_note(ax if ax is not None else new_axes(height=1.4), text("performance.chart.empty", lang))
    ax = ax if ax is not None else new_axes(height=max(1.8, 0.3 * len(shown) + 0.9), grid="x")
    score = shown["score"].astype(float)
    ax.barh(range(len(shown)), score.fillna(0.0), height=0.6, color=[_COLOURS.get(s, LAST_YEAR) for s in shown["status"]])
    for row, value in enumerate(score):
        known = not pd.isna(value)
        label = format_value(value / 100, "rate", lang) if known else text("management_summary.chart.unrated", lang)
        direct_label(ax, value if known else 0.0, row, label, color=ACTUAL if known else GREY)
    ax.set_yticks(range(len(shown)), [safe_text(title) for title in shown["title"]])
    ax.invert_yaxis()
    ax.set_xlim(0, max(1.0, float(score.max()) * 1.15) if score.notna().any() else 1.0)
    subtitle(ax, text("management_summary.chart.ranking", lang))
    return ax


def plot_group_kpis(group_kpis: pd.DataFrame, *, lang: Language = "en", currency: str = "") -> list[Axes]:
    """Draw one panel per KPI with a bar per group and its own target; at most six panels of 25 groups.

    Parameters
    ----------
    group_kpis : DataFrame
        Columns title, key, kind, value, target, status; groups in the order of the ranking.
    lang, currency
        Language and currency.
    """
    known = group_kpis.dropna(subset=["value"]) if len(group_kpis) else group_kpis
    keys = list(dict.fromkeys(known["key"])) if len(known) else []
    keys = keys[:_MOST_PANELS]
    if not keys:
        return [empty_note(new_axes(height=1.4), text("performance.chart.empty", lang))]
    titles = list(dict.fromkeys(group_kpis["title"]))[:_MOST_GROUPS]
    rows = -(-len(keys) // 3)
    axes = new_grid(rows, 3, height=rows * max(1.6, 0.26 * len(titles) + 0.7), sharex=False, sharey=True)
    for ax, key in zip(axes, keys, strict=False):
        part = known[known["key"] == key].drop_duplicates("title").set_index("title").reindex(titles)
        _panel(ax, part, key=key, lang=lang, currency=currency)
    for ax in axes[len(keys) :]:
        ax.set_axis_off()
    axes[0].set_yticks(range(len(titles)), [safe_text(title) for title in titles])
    axes[0].invert_yaxis()
    return axes


def _panel(ax: Axes, part: pd.DataFrame, *, key: str, lang: Language, currency: str) -> None:
    value = part["value"].astype(float)
    ax.barh(range(len(part)), value.fillna(0.0), height=0.6, color=[_COLOURS.get(s, LAST_YEAR) for s in part["status"]])
    for row, (number, target, kind) in enumerate(zip(value, part["target"], part["kind"], strict=True)):
        if pd.notna(target):
            ax.plot([target] * 2, [row - 0.42, row + 0.42], color=ACTUAL, linewidth=2)
        if pd.notna(number):
            ends = [float(end) for end in (number, target) if pd.notna(end)]
            direct_label(ax, max(ends), row, format_value(number, kind, lang, currency=currency), dx=4)
    most = max([*value.dropna(), *part["target"].dropna().astype(float), 0.0])
    ax.set_xlim(0, most * 1.4 if most > 0 else 1.0)
    ax.grid(visible=False)
    ax.set_xticks([])
    subtitle(ax, text(f"kpi.{key}.name", lang))
