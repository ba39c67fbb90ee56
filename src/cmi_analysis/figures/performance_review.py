"""Charts of the performance review; each takes a finished frame and returns its axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cmi_analysis.figures.style import (
    ACTUAL,
    BETTER,
    GREY,
    LAST_YEAR,
    PALE,
    PLAN,
    WORSE,
    direct_label,
    empty_note,
    new_axes,
    percent_ticks,
    safe_text,
    subtitle,
)
from cmi_analysis.labels import Language, format_value, kpi_name, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STATUS_COLOUR = {"good": BETTER, "warn": GREY, "bad": WORSE, "none": LAST_YEAR}
_MOST_BARS = 15


def _axes(ax: Axes | None, rows: int, grid: str = "x") -> Axes:
    return ax if ax is not None else new_axes(height=max(1.8, 0.32 * rows + 0.9), grid=grid)  # type: ignore[arg-type]


def _nothing(ax: Axes | None, lang: Language) -> Axes:
    return empty_note(ax if ax is not None else new_axes(height=1.4), text("performance.chart.empty", lang))


def _names(ax: Axes, labels: list[str]) -> None:
    """Write one label per row, the first row on top."""
    ax.set_yticks(range(len(labels)), [safe_text(label) for label in labels])
    ax.invert_yaxis()


def _percent(ax: Axes, axis: str) -> None:
    getattr(ax, f"{axis}axis").set_major_formatter(percent_ticks())


def plot_scorecard(
    scorecard: pd.DataFrame, *, lang: Language = "en", settings: dict | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the shares of the scorecard: actual as bar, last year as tick, target as line.

    Parameters
    ----------
    scorecard : DataFrame
        Columns kpi, unit, value, last_year, target, status.
    lang : {"en", "zh"}
        Language.
    settings : mapping, optional
        window_start and as_of, for the subtitle; forecast_lag, for the names.
    """
    rates = scorecard[(scorecard["unit"] == "rate") & (scorecard["value"] <= 1.5)] if len(scorecard) else scorecard
    if rates.empty:
        return _nothing(ax, lang)
    ax = _axes(ax, len(rates))
    for row, item in enumerate(rates.itertuples()):
        ax.barh(row, item.value, height=0.6, color=_STATUS_COLOUR.get(item.status, LAST_YEAR))
        if pd.notna(item.last_year):
            ax.plot([item.last_year] * 2, [row - 0.2, row + 0.2], color=PLAN, linewidth=1.5)
        if pd.notna(item.target):
            ax.plot([item.target] * 2, [row - 0.42, row + 0.42], color=ACTUAL, linewidth=2.2)
        ends = [float(str(end)) for end in (item.value, item.target, item.last_year) if pd.notna(end)]
        direct_label(ax, max(ends), row, format_value(item.value, "rate", lang))
    about = settings or {}
    _names(ax, [kpi_name(kpi, lang, lag=about.get("forecast_lag")) for kpi in rates["kpi"]])
    _percent(ax, "x")
    ax.set_xlim(0, max(1.12, float(rates["value"].max()) * 1.15))
    fields = {"start": str(about.get("window_start", "")), "end": str(about.get("as_of", ""))}
    subtitle(ax, text("performance.chart.scorecard", lang, **fields))
    return ax


def plot_fill_gap(fill_gap: pd.DataFrame, *, lang: Language = "en", settings: dict | None = None, ax: Axes | None = None) -> Axes:
    """Draw the waterfall from units ordered and due to units there in time; the parts sum exactly.

    Parameters
    ----------
    fill_gap : DataFrame
        Columns cause, units: ordered, the causes in order, in_time.
    lang, settings
        As in `plot_scorecard`.
    """
    if fill_gap.empty:
        return _nothing(ax, lang)
    ax = ax if ax is not None else new_axes(height=3.0)
    left = 0.0
    for place, item in enumerate(fill_gap.itertuples()):
        units = float(item.units)
        if item.cause in ("ordered", "in_time"):
            bottom, colour, left = 0.0, ACTUAL if item.cause == "ordered" else BETTER, units
        else:
            bottom, colour = left - units, WORSE
            left = bottom
        ax.bar(place, units, bottom=bottom, color=colour, width=0.65)
        direct_label(ax, place, bottom + units, format_value(units, "quantity", lang), dx=0, dy=3)
    ax.set_xticks(range(len(fill_gap)), [text(f"performance.bar.{cause}", lang) for cause in fill_gap["cause"]])
    ax.set_ylim(0, max(1.0, float(fill_gap["units"].max()) * 1.12))
    _short_numbers(ax, "y", lang)
    about = settings or {}
    fields = {"start": str(about.get("window_start", "")), "end": str(about.get("as_of", ""))}
    subtitle(ax, text("performance.chart.fill_gap", lang, **fields))
    return ax


def _short_numbers(ax: Axes, axis: str, lang: Language) -> None:
    from matplotlib.ticker import FuncFormatter

    getattr(ax, f"{axis}axis").set_major_formatter(FuncFormatter(lambda value, _: format_value(value, "quantity", lang)))


def plot_otif(otif_weeks: pd.DataFrame, *, target: float | None = None, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw OTIF by week due, with its target; a week not yet complete is hollow.

    Parameters
    ----------
    otif_weeks : DataFrame
        Columns period, value, partial.
    target : float, optional
        [fraction].
    lang : {"en", "zh"}
        Language.
    """
    if otif_weeks.empty:
        return _nothing(ax, lang)
    ax = ax if ax is not None else new_axes(height=2.9)
    ax.plot(otif_weeks["period"], otif_weeks["value"], color=ACTUAL, marker="o", markersize=4)
    partial = otif_weeks[otif_weeks["partial"].astype(bool)]
    ax.plot(partial["period"], partial["value"], linestyle="", marker="o", markersize=6, markerfacecolor="white", color=ACTUAL)
    for item in partial.itertuples():
        direct_label(ax, item.period, item.value, text("performance.chart.partial", lang), color=GREY, dx=-8)
    if target is not None and pd.notna(target):
        ax.axhline(target, color=PLAN, linestyle="--", linewidth=1.2)
        label = text("performance.chart.target", lang, value=format_value(target, "rate", lang))
        ax.margins(x=0.03)
        direct_label(ax, ax.get_xlim()[1], target, label, color=PLAN, dx=4)  # right of the plot, where no line runs
    _dates(ax)
    _percent(ax, "y")
    ax.set_ylim(0, 1.08)
    subtitle(ax, text("performance.chart.otif", lang))
    return ax


def _dates(ax: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, DateFormatter

    ax.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=7))
    ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))


def plot_turns(turns: pd.DataFrame, peers: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw days of stock by customer over the band of peers.

    Parameters
    ----------
    turns : DataFrame
        Columns customer_name, dio.
    peers : DataFrame
        Columns kpi, q25, q50, q75; may be empty.
    lang : {"en", "zh"}
        Language.
    """
    shown = turns.dropna(subset=["dio"]).head(_MOST_BARS) if len(turns) else turns
    if shown.empty:
        return _nothing(ax, lang)
    ax = _axes(ax, len(shown))
    band = peers[peers["kpi"] == "dio"] if len(peers) else peers
    for item in band.itertuples():
        ax.axvspan(item.q25, item.q75, color=PALE, zorder=0)
        ax.axvline(item.q50, color=LAST_YEAR, linewidth=1.2)
        direct_label(ax, item.q50, -0.75, text("performance.chart.peers", lang), color=GREY, dx=0)
    ax.barh(range(len(shown)), shown["dio"], height=0.55, color=ACTUAL)
    for row, days in enumerate(shown["dio"]):
        direct_label(ax, days, row, format_value(days, "days", lang))
    _names(ax, list(shown["customer_name"]))
    ax.set_ylim(len(shown) - 0.4, -1.1)
    ax.set_xlim(0, float(shown["dio"].max()) * 1.15)
    subtitle(ax, text("performance.chart.turns", lang))
    return ax


def plot_ageing(
    ageing: pd.DataFrame, *, lang: Language = "en", currency: str = "", money: bool = True, ax: Axes | None = None
) -> Axes:
    """Draw the stock by days since last use.

    Parameters
    ----------
    ageing : DataFrame
        Columns bucket, worth.
    lang, currency
        Language and currency.
    money : bool
        Whether worth is money; else units.
    """
    if ageing.empty:
        return _nothing(ax, lang)
    ax = _axes(ax, len(ageing))
    colours = [WORSE if bucket not in ("up_to_30", "31_to_90") else ACTUAL for bucket in ageing["bucket"]]
    ax.barh(range(len(ageing)), ageing["worth"], height=0.6, color=colours)
    for row, worth in enumerate(ageing["worth"]):
        direct_label(ax, worth, row, format_value(worth, "money" if money else "quantity", lang, currency=currency))
    _names(ax, [text(f"performance.age.{bucket}", lang) for bucket in ageing["bucket"]])
    ax.set_xlim(0, max(1.0, float(ageing["worth"].max()) * 1.15))
    if money:
        ax.xaxis.set_major_formatter(lambda value, _: format_value(value, "money", lang, currency=currency))
    else:
        _short_numbers(ax, "x", lang)
    subtitle(ax, text("performance.chart.excess", lang))
    return ax


def plot_order_times(order_times: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the median and the 90th percentile of the days of each stage.

    Parameters
    ----------
    order_times : DataFrame
        Columns stage, median, p90.
    lang : {"en", "zh"}
        Language.
    """
    if order_times.empty:
        return _nothing(ax, lang)
    ax = _axes(ax, len(order_times))
    ax.barh(range(len(order_times)), order_times["median"], height=0.55, color=ACTUAL)
    ax.plot(
        order_times["p90"], range(len(order_times)), linestyle="", marker="|", markersize=14, markeredgewidth=2.2, color=WORSE
    )
    for row, item in enumerate(order_times.itertuples()):
        label = f"{format_value(item.median, 'days', lang)} / {format_value(item.p90, 'days', lang)}"
        direct_label(ax, max(float(item.median), float(item.p90)), row, label)
    _names(ax, [text(f"performance.stage.{stage}", lang) for stage in order_times["stage"]])
    ax.set_xlim(0, max(1.0, float(order_times["p90"].max()) * 1.2))
    subtitle(ax, text("performance.chart.orders", lang))
    return ax


def plot_customer_bias(
    collaboration: pd.DataFrame, *, lang: Language = "en", lag: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the bias of each customer's forecasts, largest first.

    Parameters
    ----------
    collaboration : DataFrame
        Columns customer_name, bias [fraction of use].
    lang : {"en", "zh"}
        Language.
    lag : int, optional
        Lag of the forecasts [periods], for the subtitle.
    """
    known = collaboration.dropna(subset=["bias"]) if len(collaboration) else collaboration
    if known.empty:
        return _nothing(ax, lang)
    known = known.sort_values("bias", key=lambda bias: -bias.abs(), kind="stable").head(_MOST_BARS)
    ax = _axes(ax, len(known))
    ax.barh(range(len(known)), known["bias"], height=0.55, color=[WORSE if abs(b) > 0.1 else ACTUAL for b in known["bias"]])
    ax.axvline(0, color=GREY, linewidth=0.8)
    for row, bias in enumerate(known["bias"]):
        direct_label(ax, bias, row, format_value(bias, "signed_rate", lang), dx=6 if bias >= 0 else -6)
    _names(ax, list(known["customer_name"]))
    reach = max(0.1, float(known["bias"].abs().max())) * 1.25
    ax.set_xlim(-reach, reach)
    _percent(ax, "x")
    subtitle(ax, text("performance.chart.collaboration", lang, lag="–" if lag is None else str(lag)))
    return ax


def plot_past_forecasts(past_forecasts: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Draw the error of the newest scored run's forecasts by periods ahead, beside naive.

    Parameters
    ----------
    past_forecasts : DataFrame
        Columns said_on, horizon, wape, wape_naive; horizon 0 (all) is not drawn.
    lang : {"en", "zh"}
        Language.
    """
    shown = past_forecasts[past_forecasts["horizon"] > 0] if len(past_forecasts) else past_forecasts
    if shown.empty:
        return _nothing(ax, lang)
    shown = shown[shown["said_on"] == shown["said_on"].max()].sort_values("horizon", kind="stable")
    ax = ax if ax is not None else new_axes(height=2.8)
    for column, colour, key in (("wape_naive", LAST_YEAR, "naive"), ("wape", BETTER, "ours")):
        ax.plot(shown["horizon"], shown[column], color=colour, marker="o", markersize=4)
        label = text(f"performance.chart.{key}", lang)
        direct_label(ax, shown["horizon"].iloc[-1], shown[column].iloc[-1], label, color=GREY if key == "naive" else colour)
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0.18)
    ax.set_ylim(0, max(0.1, float(shown[["wape", "wape_naive"]].max().max()) * 1.15))
    _percent(ax, "y")
    subtitle(ax, text("performance.chart.ledger", lang))
    return ax
