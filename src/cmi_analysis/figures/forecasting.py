"""Charts of the forecasting report: fan, stairs of value added, the customers' forecasts, seasons, bias, patterns, models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cmi_analysis.figures import style
from cmi_analysis.labels import Language, format_value, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 0.34


def plot_forecast_fan(totals: pd.DataFrame, *, frequency: str = "week", lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the group's demand, the year before beside it, and the forecast with its interval.

    Parameters
    ----------
    totals : pandas.DataFrame
        ``period, actual, last_year, mean, low, high`` [sales units].
    frequency : {"week", "month"}
        Length of a period, for the subtitle.
    """
    axes = ax or style.new_axes()
    if totals.empty:
        return style.empty_note(axes, text("forecasting.plot.nothing", lang))
    days = pd.to_datetime(totals["period"])
    style.subtitle(axes, text("forecasting.plot.totals", lang, each=text(f"forecasting.each.{frequency}", lang)))
    axes.plot(days, totals["last_year"], color=style.LAST_YEAR)
    axes.plot(days, totals["actual"], color=style.ACTUAL)
    ahead = totals["mean"].notna().to_numpy()
    band = {"color": style.FORECAST, "alpha": 0.16, "hatch": "////", "linewidth": 0}
    axes.fill_between(days[ahead], totals["low"][ahead], totals["high"][ahead], **band)
    axes.plot(days[ahead], totals["mean"][ahead], color=style.FORECAST)
    axes.margins(x=0.02, y=0.12)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: format_value(value, "quantity", lang))
    _label_end(axes, days, totals["mean"], text("forecasting.plot.forecast", lang), style.FORECAST, dy=0)
    _label_start(axes, days, totals["actual"], text("forecasting.plot.actual", lang), style.ACTUAL)
    _label_start(axes, days, totals["last_year"], text("forecasting.plot.last_year", lang), style.GREY, above=False)
    return axes


def plot_moves(causes: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw by how much each cause moved the forecast of the same periods since the run before.

    Parameters
    ----------
    causes : pandas.DataFrame
        ``cause, items, moved`` [sales units].
    """
    rows = causes[causes["cause"] != "unmoved"] if len(causes) else causes
    axes = ax or style.new_axes(height=0.9 + _ROW * max(len(rows), 2), grid="x")
    if rows.empty:
        return style.empty_note(axes, text("forecasting.plot.nothing", lang))
    place = np.arange(len(rows))[::-1]
    axes.barh(place, rows["moved"], color=[style.ACTUAL if value > 0 else style.GREY for value in rows["moved"]], height=0.62)
    for at, value, items in zip(place, rows["moved"], rows["items"], strict=True):
        words = format_value(value, "signed_quantity", lang) + "  " + _items(items, lang)
        style.direct_label(axes, value, at, words, dx=5 if value >= 0 else -5)
    _rows(axes, place, [text(f"forecasting.cause.{name}", lang) for name in rows["cause"]])
    axes.axvline(0, color=style.ACTUAL, linewidth=0.8)
    axes.xaxis.set_major_formatter(lambda value, _: format_value(value, "signed_quantity", lang) if value else "0")
    axes.margins(x=0.3)
    style.subtitle(axes, text("forecasting.plot.moves", lang))
    return axes


def _items(n: int, lang: Language) -> str:
    return text("forecasting.plot.items", lang, n=format_value(n, "count", lang))


def plot_value_added(accuracy: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the WAPE of each step from naive to the forecast used, on all items.

    Parameters
    ----------
    accuracy : pandas.DataFrame
        As `score_steps` returns it.
    """
    rows = accuracy[(accuracy["scope"] == "all") & (accuracy["measure"] == "sum")].dropna(subset=["wape"])
    names = [text(f"forecasting.model.{name}", lang) for name in rows["step"]]
    naive = rows.loc[rows["step"] == "naive", "wape"]
    base = float(naive.iloc[0]) if len(naive) else np.inf
    colours = [style.GREY if step == "naive" else style.BETTER if wape < base else style.WORSE for step, wape in _pairs(rows)]
    notes = [
        "" if step == "naive" else f"  {'▼' if added > 0 else '▲'} {format_value(-added, 'points', lang)}"
        for step, added in zip(rows["step"], rows["value_added"], strict=True)
    ]
    return _bars(names, rows["wape"].tolist(), colours=colours, notes=notes, title="forecasting.plot.stairs", lang=lang, ax=ax)


def plot_customer_forecasts(customers: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None, limit: int = 12) -> Axes:
    """Draw the WAPE of each customer's own forecast beside ours, largest customers first.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``customer_name, demand, wape_customer, wape_statistical``.
    """
    rows = customers.sort_values(["demand", "customer_id"], ascending=[False, True], kind="stable").head(limit)
    axes = ax or style.new_axes(height=0.9 + _ROW * max(len(rows), 2), grid="x")
    if rows.empty:
        return style.empty_note(axes, text("forecasting.plot.nothing", lang))
    place = np.arange(len(rows))[::-1]
    theirs, ours = rows["wape_customer"].to_numpy(), rows["wape_statistical"].to_numpy()
    colours = np.where(theirs < ours, style.BETTER, style.WORSE)
    axes.hlines(place, np.minimum(theirs, ours), np.maximum(theirs, ours), color=style.PALE, linewidth=3)
    axes.scatter(ours, place, color=style.ACTUAL, zorder=3, s=34)
    axes.scatter(theirs, place, facecolors="white", edgecolors=colours, linewidths=1.8, zorder=3, s=38)
    _rows(axes, place, rows["customer_name"].tolist())
    _percent(axes, "x", lang)
    axes.set_xlim(left=0)
    style.subtitle(axes, text("forecasting.plot.customers", lang))
    return axes


def plot_seasons(seasons: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the seasonal index of each category that has one.

    Parameters
    ----------
    seasons : pandas.DataFrame
        ``category, season`` (month), ``index, used``.
    """
    axes = ax or style.new_axes()
    used = seasons[seasons["used"].astype(bool)]
    own = used[used["category"] != ""]
    shown = own if not own.empty else used
    if shown.empty:
        return style.empty_note(axes, text("forecasting.plot.no_season", lang))
    axes.axhline(1, color=style.LAST_YEAR, linewidth=1)
    largest = shown.groupby("category")["index"].max().sort_values(ascending=False, kind="stable").index[: len(style.SERIES)]
    for colour, name in zip(style.SERIES, largest, strict=False):
        line = shown[shown["category"] == name].sort_values("season")
        axes.plot(line["season"], line["index"], color=colour)
        top = line.loc[line["index"].idxmax()]
        label = name or text("forecasting.all_categories", lang)
        style.direct_label(axes, top["season"], top["index"], label, color=colour, dx=0, dy=5)
    axes.margins(y=0.12)
    axes.set_xticks(range(1, 13), [text(f"forecasting.month_short.{month}", lang) for month in range(1, 13)])
    style.subtitle(axes, text("forecasting.plot.seasons", lang))
    return axes


def plot_forecast_bias(customer_bias: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None, limit: int = 12) -> Axes:
    """Draw our bias by customer, largest customers first.

    Parameters
    ----------
    customer_bias : pandas.DataFrame
        ``customer_name, demand, bias``.
    """
    rows = customer_bias.dropna(subset=["bias"]).sort_values(["demand", "customer_id"], ascending=[False, True], kind="stable")
    rows = rows.head(limit)
    colours = [style.WORSE if abs(value) > 0.1 else style.GREY for value in rows["bias"]]
    names = rows["customer_name"].tolist()
    axes = _bars(
        names, rows["bias"].tolist(), colours=colours, title="forecasting.plot.bias", lang=lang, ax=ax, kind="signed_rate"
    )
    if not rows.empty:
        axes.axvline(0, color=style.ACTUAL, linewidth=0.8)
    return axes


def plot_forecastability(patterns: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw WAPE by demand pattern with the number of items.

    Parameters
    ----------
    patterns : pandas.DataFrame
        ``pattern, items, wape``.
    """
    rows = patterns.dropna(subset=["wape"]).sort_values(["wape", "pattern"], kind="stable")
    names = [text(f"forecasting.pattern.{name}", lang) for name in rows["pattern"]]
    notes = [f"  {_items(n, lang)}" for n in rows["items"]]
    colours = [style.BETTER] * len(rows)
    return _bars(names, rows["wape"].tolist(), colours=colours, notes=notes, title="forecasting.plot.patterns", lang=lang, ax=ax)


def plot_model_scores(models: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the back-test score of each model, the forecast used in colour; not the customer's own, which has fewer periods.

    Parameters
    ----------
    models : pandas.DataFrame
        ``model, score``.
    """
    rows = models[models["model"] != "customer"].dropna(subset=["score"])
    names = [text(f"forecasting.model.{name}", lang) for name in rows["model"]]
    colours = [style.BETTER if name == "chosen" else style.LAST_YEAR for name in rows["model"]]
    return _bars(names, rows["score"].tolist(), colours=colours, title="forecasting.plot.models", lang=lang, ax=ax)


def _pairs(rows: pd.DataFrame) -> list[tuple[str, float]]:
    return list(zip(rows["step"], rows["wape"], strict=True))


def _bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    colours: Sequence[str],
    title: str,
    lang: Language,
    ax: Axes | None,
    notes: Sequence[str] = (),
    kind: str = "rate",
) -> Axes:
    """Draw one horizontal bar a row, each with its number at its end."""
    axes = ax or style.new_axes(height=0.9 + _ROW * max(len(names), 2), grid="x")
    if not names:
        return style.empty_note(axes, text("forecasting.plot.nothing", lang))
    place = np.arange(len(names))[::-1]
    axes.barh(place, values, color=list(colours), height=0.62)
    for row, value in enumerate(values):
        words = format_value(value, kind, lang) + (notes[row] if notes else "")
        style.direct_label(axes, value, place[row], words, dx=5 if value >= 0 else -5)
    _rows(axes, place, names)
    _percent(axes, "x", lang)
    axes.margins(x=0.22)
    if min(values) >= 0:
        axes.set_xlim(left=0)
    style.subtitle(axes, text(title, lang))
    return axes


def _rows(axes: Axes, place: np.ndarray, names: Sequence[str]) -> None:
    axes.set_yticks(place, [style.safe_text(name) for name in names])
    axes.set_ylim(-0.6, len(place) - 0.4)
    axes.spines["left"].set_visible(False)


def _percent(axes: Axes, which: str, lang: Language) -> None:
    axis: Any = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(style.percent_ticks())


def _label_end(axes: Axes, days: pd.Series, values: pd.Series, words: str, colour: str, *, dy: float) -> None:
    known = values.notna().to_numpy()
    if known.any():
        style.direct_label(axes, days[known].iloc[-1], values[known].iloc[-1], words, color=colour, dx=6, dy=dy)


def _label_start(axes: Axes, days: pd.Series, values: pd.Series, words: str, colour: str, *, above: bool = True) -> None:
    """Label a line at its highest (or lowest) point of the first half, where the forecast is not."""
    known = values.notna().to_numpy()
    half = values[known].iloc[: max(1, int(known.sum()) // 2)]
    if half.empty:
        return
    spot = half.idxmax() if above else half.idxmin()
    style.direct_label(
        axes, days.loc[spot], values.loc[spot], words, color=colour, dx=0, dy=5 if above else -5, path_effects=style.behind_text()
    )
