"""Charts of the segmentation; every one takes a finished frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cmi_analysis.figures.style import (
    ACTUAL,
    BETTER,
    GREY,
    LAST_YEAR,
    PALE,
    WORSE,
    behind_text,
    direct_label,
    empty_note,
    new_axes,
    percent_ticks,
    safe_text,
    subtitle,
)
from cmi_analysis.labels import Language, format_value, has_text, text
from cmi_analysis.segmentation.rules import ORDER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELLED = 6
LONGEST_NAME = 26


def _word(kind: str, value: Any, lang: Language) -> str:
    key = f"segmentation.{kind}.{value}"
    return text(key, lang) if has_text(key) else str(value)


def _short(name: Any) -> str:
    words = safe_text(name)
    return words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1]}…"


def _bars(ax: Axes, names: list[str], values: pd.Series, labels: list[str], colors: list[str] | str) -> None:
    """Draw horizontal bars, the first on top, each with its label at the end."""
    places = np.arange(len(names))[::-1]
    ax.barh(places, values.to_numpy(dtype="float64"), color=colors, height=0.62)
    ax.set_yticks(places, names)
    top = float(np.nanmax(values.to_numpy(dtype="float64"), initial=0.0))
    ax.set_xlim(0, top * 1.22 if top > 0 else 1)
    for place, value, label in zip(places, values, labels, strict=True):
        direct_label(ax, max(value, 0.0), place, label, dx=5)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)


def _axes(ax: Axes | None, rows: int, *, grid: Any = "") -> Axes:
    return ax if ax is not None else new_axes(height=min(0.75 + 0.36 * max(rows, 1), 5.2), grid=grid)


def plot_value_growth(customers: pd.DataFrame, *, lang: Language = "en", currency: str = "", ax: Axes | None = None) -> Axes:
    """Draw value against its growth for each customer, the largest named; without growth the cumulative share of the value."""
    if customers.empty or not (customers["value"] > 0).any():
        return empty_note(_axes(ax, 3), text("segmentation.figure.empty", lang))
    known = customers.loc[customers["value_growth"].notna() & (customers["value"] > 0)]
    if known.empty:
        return _pareto(customers, lang=lang, ax=ax)
    axes = ax if ax is not None else new_axes(height=3.6, grid="y")
    growth = known["value_growth"].clip(-1.0, 1.5)
    axes.scatter(known["value"], growth, s=34, color=np.where(growth < 0, WORSE, BETTER), alpha=0.75, linewidths=0)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_xscale("log")
    axes.margins(x=0.1, y=0.12)
    _name_points(axes, known.assign(value_growth=growth).head(LABELLED))
    axes.yaxis.set_major_formatter(percent_ticks(signed=True))
    kind = "money" if currency else "quantity"
    axes.xaxis.set_major_formatter(lambda value, _: format_value(float(value), kind, lang, currency=currency))
    axes.xaxis.set_minor_formatter(lambda value, _: "")
    subtitle(axes, text("segmentation.figure.value", lang))
    return axes


def _name_points(axes: Axes, rows: pd.DataFrame) -> None:
    """Name the points, largest first, towards the middle; a name that would cover another one is left out."""
    low, high = (float(np.log10(edge)) for edge in axes.get_xlim())
    height = float(np.subtract(*axes.get_ylim()[::-1])) or 1.0
    named: list[tuple[float, float]] = []
    for name, value, growth in zip(rows["customer_name"], rows["value"], rows["value_growth"], strict=True):
        x, y = (float(np.log10(value)) - low) / (high - low or 1.0), float(growth) / height
        if all(abs(x - other_x) > 0.3 or abs(y - other_y) > 0.09 for other_x, other_y in named):
            named.append((x, y))
            direct_label(axes, value, growth, _short(name), dx=-7 if x > 0.5 else 7, dy=3, path_effects=behind_text())


def _pareto(customers: pd.DataFrame, *, lang: Language, ax: Axes | None) -> Axes:
    axes = ax if ax is not None else new_axes(height=3.4, grid="y")
    share = np.concatenate([[0.0], customers["cumulative_share"].to_numpy(dtype="float64")])
    place = np.linspace(0, 1, len(share))
    axes.plot(place, share, color=ACTUAL)
    axes.plot([0, 1], [0, 1], color=LAST_YEAR, linewidth=1)
    direct_label(axes, 0.62, 0.62, text("segmentation.figure.equal", lang), color=GREY, dx=6, dy=-4)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(percent_ticks())
    subtitle(axes, text("segmentation.figure.pareto", lang))
    return axes


def plot_segments(segments: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the share of the value of each segment with its number of customers."""
    axes = _axes(ax, len(segments))
    if segments.empty:
        return empty_note(axes, text("segmentation.figure.empty", lang))
    labels = [
        text(
            "segmentation.figure.share_customers",
            lang,
            share=format_value(s, "rate", lang),
            customers=format_value(n, "count", lang),
        )
        for s, n in zip(segments["value_share"], segments["customers"], strict=True)
    ]
    _bars(axes, [_word("segment", name, lang) for name in segments["segment"]], segments["value_share"], labels, BETTER)
    subtitle(axes, text("segmentation.figure.segments", lang))
    return axes


def plot_demand_patterns(patterns: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the share of customer × product series with each demand pattern."""
    axes = _axes(ax, len(patterns))
    if patterns.empty or not patterns["series"].sum():
        return empty_note(axes, text("segmentation.figure.empty", lang))
    labels = [
        text("segmentation.figure.share_series", lang, share=format_value(s, "rate", lang), series=format_value(n, "count", lang))
        for s, n in zip(patterns["share"], patterns["series"], strict=True)
    ]
    _bars(axes, [_word("pattern", name, lang) for name in patterns["pattern"]], patterns["share"], labels, BETTER)
    subtitle(axes, text("segmentation.figure.patterns", lang))
    return axes


def plot_regions(regions: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the share of the value of each region and distance band."""
    shown = regions.head(10)
    axes = _axes(ax, len(shown))
    if shown.empty:
        return empty_note(axes, text("segmentation.figure.empty", lang))
    names = [place_name(region, band, lang) for region, band in zip(shown["region"], shown["distance_band"], strict=True)]
    labels = [
        text(
            "segmentation.figure.share_customers",
            lang,
            share=format_value(s, "rate", lang),
            customers=format_value(n, "count", lang),
        )
        for s, n in zip(shown["value_share"], shown["customers"], strict=True)
    ]
    _bars(axes, names, shown["value_share"], labels, BETTER)
    subtitle(axes, text("segmentation.figure.regions", lang))
    return axes


def place_name(region: Any, band: Any, lang: Language) -> str:
    """Return a region and its distance band in words."""
    where = _short(region) if region else text("segmentation.region.none", lang)
    return f"{where}, {band} km" if band else where


def plot_life_stages(life_stages: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the number of products in each life-cycle stage."""
    axes = _axes(ax, len(life_stages))
    if life_stages.empty or not life_stages["products"].sum():
        return empty_note(axes, text("segmentation.figure.empty", lang))
    colors = [
        WORSE if stage in ("decline", "ending") else BETTER if stage in ("launch", "growth") else GREY
        for stage in life_stages["life_stage"]
    ]
    labels = [format_value(n, "count", lang) for n in life_stages["products"]]
    _bars(axes, [_word("stage", name, lang) for name in life_stages["life_stage"]], life_stages["products"], labels, colors)
    subtitle(axes, text("segmentation.figure.life_cycle", lang))
    return axes


def plot_movement(moves: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the migration matrix: from the rows to the columns, customers in the cells."""
    if moves.empty:
        return empty_note(_axes(ax, 3), text("segmentation.figure.empty", lang))
    grid = moves.pivot_table(index="segment_from", columns="segment_to", values="customers", aggfunc="sum", observed=True)
    order = {name: place for place, name in enumerate((*ORDER["western"], *ORDER["chinese"]))}
    grid = grid.reindex(index=sorted(grid.index, key=lambda name: (order.get(name, len(order)), name)))
    grid = grid.reindex(columns=sorted(grid.columns, key=lambda name: (order.get(name, len(order)), name)))
    counts = grid.to_numpy(dtype="float64")
    axes = ax if ax is not None else new_axes(height=min(1.6 + 0.36 * len(grid), 5.4), grid="")
    same = np.array([[a == b for b in grid.columns] for a in grid.index])
    for place, value in np.ndenumerate(counts):
        if not np.isnan(value):
            row, column = place
            color = PALE if same[place] else "#F3D9CB"
            axes.fill(
                [column - 0.48, column + 0.48, column + 0.48, column - 0.48],
                [row - 0.45, row - 0.45, row + 0.45, row + 0.45],
                color=color,
            )
            axes.text(column, row, format_value(value, "count", lang), ha="center", va="center", color=ACTUAL)
    axes.set_xticks(range(len(grid.columns)), [_word("segment", name, lang) for name in grid.columns], rotation=25, ha="right")
    axes.set_yticks(range(len(grid.index)), [_word("segment", name, lang) for name in grid.index])
    axes.set_xlim(-0.6, len(grid.columns) - 0.4)
    axes.set_ylim(len(grid.index) - 0.4, -0.6)
    subtitle(axes, text("segmentation.figure.movement", lang))
    return axes


def plot_segment_stability(segments: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw how firmly customers sit in each segment: share that stays when the population is drawn again."""
    shown = segments.loc[segments["stay_share"].notna()] if len(segments) else segments
    axes = _axes(ax, len(shown), grid="x")
    if shown.empty:
        return empty_note(axes, text("segmentation.figure.empty", lang))
    places = np.arange(len(shown))[::-1]
    axes.hlines(places, 0, shown["stay_share"], color=PALE, linewidth=5)
    axes.scatter(shown["stay_share"], places, s=46, color=BETTER, zorder=3)
    for place, value in zip(places, shown["stay_share"], strict=True):
        direct_label(axes, value, place, format_value(value, "rate", lang), dx=8)
    axes.set_yticks(places, [_word("segment", name, lang) for name in shown["segment"]])
    axes.set_xlim(0, 1.12)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xticks(np.arange(0, 1.01, 0.2))
    axes.xaxis.set_major_formatter(percent_ticks())
    subtitle(axes, text("segmentation.figure.stability", lang))
    return axes


def plot_whale_curve(whale: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the running share of the contribution over the share of the customers, the hump named."""
    axes = ax if ax is not None else new_axes(height=3.2, grid="y")
    if whale.empty or not whale["whale_share"].notna().any():
        return empty_note(axes, text("segmentation.figure.empty", lang))
    share = np.concatenate([[0.0], whale["whale_share"].to_numpy(dtype="float64")])
    place = np.concatenate([[0.0], whale["customers_share"].to_numpy(dtype="float64")])
    axes.plot(place, share, color=ACTUAL, marker="o", markersize=3)
    axes.axhline(1.0, color=GREY, linewidth=0.8)
    top = int(share.argmax())
    side = -7 if place[top] > 0.6 else 7
    direct_label(axes, place[top], share[top], format_value(float(share[top]), "rate", lang), dx=side, dy=8)
    axes.margins(y=0.14)
    axes.set_xlim(0, 1.04)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(percent_ticks())
    subtitle(axes, text("segmentation.figure.whale", lang))
    return axes


def plot_lifetime(lifetimes: pd.DataFrame, *, lang: Language = "en", currency: str = "", ax: Axes | None = None) -> Axes:
    """Draw the lifetime value of the customers with the largest ones, each with its interval."""
    shown = lifetimes.loc[lifetimes["lifetime_value"].notna()].head(12) if len(lifetimes) else lifetimes
    axes = _axes(ax, len(shown))
    if shown.empty:
        return empty_note(axes, text("segmentation.figure.empty", lang))
    kind, places = "money" if currency else "quantity", np.arange(len(shown))[::-1]
    low, high = (shown[name].to_numpy(dtype="float64") for name in ("lifetime_value_low", "lifetime_value_high"))
    axes.hlines(places, low, high, color=PALE, linewidth=7)
    axes.scatter(shown["lifetime_value"], places, s=46, color=BETTER, zorder=3)
    for place, value, end in zip(places, shown["lifetime_value"], high, strict=True):
        direct_label(axes, max(float(value), float(end)), place, format_value(value, kind, lang, currency=currency), dx=8)
    axes.set_yticks(places, [_short(name) for name in shown["customer_name"]])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xlim(min(0.0, float(np.nanmin(low))), float(np.nanmax(high)) * 1.22 or 1.0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    subtitle(axes, text("segmentation.figure.lifetime", lang))
    return axes


def plot_clusters(clusters: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw how many of the group's customers are in each cluster, with the segment that most of them stand in."""
    axes = _axes(ax, len(clusters))
    if clusters.empty:
        return empty_note(axes, text("segmentation.figure.empty", lang))
    names = [text("segmentation.figure.cluster", lang, number=format_value(n, "count", lang)) for n in clusters["cluster"]]
    labels = [
        text(
            "segmentation.figure.most_segment",
            lang,
            customers=format_value(row["customers"], "count", lang),
            most=format_value(row["most_customers"], "count", lang),
            segment=_word("segment", row["most_segment"], lang),
        )
        for _, row in clusters.iterrows()
    ]
    _bars(axes, names, clusters["customers"], labels, BETTER)
    axes.set_xlim(0, float(clusters["customers"].max()) * 1.7)
    subtitle(axes, text("segmentation.figure.clusters", lang))
    return axes


def plot_leaving(leaving: pd.DataFrame, *, lang: Language = "en", currency: str = "", ax: Axes | None = None) -> Axes:
    """Draw the value at risk of the overdue and silent customers with the days of their silence."""
    shown = leaving.head(12)
    axes = _axes(ax, len(shown))
    if shown.empty:
        return empty_note(axes, text("segmentation.figure.nobody", lang))
    kind = "money" if currency else "quantity"
    labels = [
        text(
            "segmentation.figure.silence",
            lang,
            value=format_value(row["value_at_risk"], kind, lang, currency=currency),
            days=format_value(row["days_since_last_order"], "count", lang),
        )
        for _, row in shown.iterrows()
    ]
    _bars(axes, [_short(name) for name in shown["customer_name"]], shown["value_at_risk"], labels, WORSE)
    subtitle(axes, text("segmentation.figure.leaving", lang))
    return axes
