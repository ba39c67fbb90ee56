"""The whole way: origins, back-test, choice, forecasts with quantiles, for single periods and for their sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import Settings, View, backtest_models, backtest_origins, view_at
from cmi_analysis.forecasting.demand import demand_panel, panel_frequency
from cmi_analysis.forecasting.distribution import QUANTILES, cumulate, fit_spread, forecast_quantiles, series_in_whole_units
from cmi_analysis.forecasting.grid import SERIES, Grid, panel_grid
from cmi_analysis.forecasting.models import MODELS, Model
from cmi_analysis.forecasting.seasons import seasonal_indices
from cmi_analysis.forecasting.selection import choose_for_view

FORECAST_COLUMNS = [*SERIES, "period", "lead", "model", "mean", "sd", *QUANTILES, "shape"]
SUM_COLUMNS = [*SERIES, "periods", "mean", "sd", *QUANTILES, "shape"]
ERROR_COLUMNS = [*SERIES, "pattern", "fallback", "origin", "period", "lead", "actual", "sold", "in_stock", "mean", "scale"]
_STEPS = ("statistical", "combined", "chosen")


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of a panel and how they were come by; every frame is sorted by its key.

    Attributes
    ----------
    forecasts : pandas.DataFrame
        ``customer_id, product_id, period, lead, model, mean, sd, q05 … q95, shape``: one row per series and period ahead.
    sums : pandas.DataFrame
        ``customer_id, product_id, periods, mean, sd, q05 … q95, shape``: demand added up over the next 1 … horizon periods; its
        quantiles come from back-test errors of sums, never from quantiles of single periods added up.
    choice : pandas.DataFrame
        ``customer_id, product_id, origin, state, pattern, periods, statistical, model, reason``: one row per series.
    backtest : pandas.DataFrame
        As `backtest_models` returns it, with the models ``statistical``, ``combined`` and ``chosen`` beside the single ones, and
        ``naive_mean, naive_rms``. The choice at each origin knew only errors of periods up to that origin.
    errors : pandas.DataFrame
        The model ``chosen`` alone: ``customer_id, product_id, pattern, fallback, origin, period, lead, actual, sold, in_stock,
        mean, scale, q05 … q95, shape``: what the method would have said at each origin and what came of it. Whole paths
        (``origin`` × ``lead``) of ``actual - mean`` may be drawn to simulate the demand of a protection interval.
    sum_errors : pandas.DataFrame
        The same for sums over the leads 1 … ``lead``.
    """

    forecasts: pd.DataFrame
    sums: pd.DataFrame
    choice: pd.DataFrame
    backtest: pd.DataFrame
    errors: pd.DataFrame
    sum_errors: pd.DataFrame


def forecast_panel(
    panel: pd.DataFrame,
    *,
    horizon: int,
    frequency: str,
    week_start: str = "Monday",
    folds: int = 4,
    categories: pd.Series | None = None,
    indices: pd.DataFrame | None = None,
    customer_forecasts: pd.DataFrame | None = None,
    ends: pd.DataFrame | None = None,
    models: Mapping[str, Model] = MODELS,
) -> Forecasts:
    """Return forecasts of each series, the model chosen by rolling origins, with quantiles from the errors of those origins.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it; at least one row.
    horizon, folds : int
        Periods ahead [periods], origins of the back-test [count].
    frequency : {"week", "month"}
        Length of a period.
    categories : pandas.Series, optional
        Category by product_id (index).
    indices : pandas.DataFrame, optional
        As `seasonal_indices` returns them; without them they are computed from the panel.
    customer_forecasts, ends : pandas.DataFrame, optional
        As in `view_at`.
    """
    settings = Settings(calendar_of(frequency), week_start, horizon)
    panel = panel.sort_values([*SERIES, "period"], kind="stable", ignore_index=True)
    periods = panel_grid(panel).periods
    origins = backtest_origins(periods, folds=folds, horizon=horizon, periods_per_year=settings.periods_per_year)
    named = pd.Series(dtype="object") if categories is None else categories
    if indices is None:
        marked = panel.assign(category=panel["product_id"].map(named).astype("object").fillna(""))
        indices = seasonal_indices(marked, origins=[*origins, periods[-1]], frequency=settings.frequency)
    shared = {"settings": settings, "indices": indices, "categories": named, "customer_forecasts": customer_forecasts}
    views = [view_at(panel, origin=origin, ends=ends, models=models, **shared) for origin in [*origins, periods[-1]]]
    single = backtest_models(panel, views[:-1])
    choices = [choose_for_view(single, view) for view in views]
    chosen = [_with_forecasts(view, made) for view, (_, made) in zip(views[:-1], choices[:-1], strict=True)]
    backtest = pd.concat([single, backtest_models(panel, chosen)], ignore_index=True) if chosen else single
    backtest = _with_naive_change(backtest, panel).sort_values(
        [*SERIES, "origin", "lead", "model"], kind="stable", ignore_index=True
    )
    whole = series_in_whole_units(panel)
    errors = backtest.loc[backtest["model"] == "chosen", ERROR_COLUMNS]
    totals = cumulate(errors, by=[*SERIES, "origin"], columns=["actual", "sold", "mean"])
    choice, made = choices[-1]
    ahead = _ahead(views[-1], choice, made["chosen"])
    sums = cumulate(ahead, by=SERIES, columns=["mean"])
    final = periods[-1]
    return Forecasts(
        forecasts=_quantiles(ahead, known=errors, until=final, whole=whole)[FORECAST_COLUMNS],
        sums=_quantiles(sums, known=totals, until=final, whole=whole).rename(columns={"lead": "periods"})[SUM_COLUMNS],
        choice=choice.sort_values(SERIES, kind="stable", ignore_index=True),
        backtest=backtest,
        errors=_held_out(errors, whole=whole),
        sum_errors=_held_out(totals, whole=whole),
    )


def forecast_demand(
    sales: pd.DataFrame,
    *,
    horizon: int,
    frequency: str,
    as_of: dt.date | None = None,
    week_start: str = "Monday",
    stock: pd.DataFrame | None = None,
    attributes: pd.DataFrame | None = None,
    customer_forecasts: pd.DataFrame | None = None,
    folds: int = 4,
) -> pd.DataFrame:
    """Return a forecast with quantiles for each customer, product and period ahead.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``customer_id, product_id, date, quantity`` [sales units]; optional ``in_stock``, ``promotion``.
    horizon : int
        Periods ahead [periods].
    frequency : {"day", "week", "month"}
        Of the sales; days are forecast by the week.
    as_of : datetime.date, optional
        The last day known; default the end of the period of the last sale.
    stock : pandas.DataFrame, optional
        ``customer_id, product_id, date, on_hand``.
    attributes : pandas.DataFrame, optional
        ``product_id, category``: products whose season is estimated together.
    customer_forecasts : pandas.DataFrame, optional
        ``customer_id, product_id, issued_on, period, quantity``.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, period, lead, model, mean, sd, q05 … q95, shape``.
    """
    length = panel_frequency(frequency)
    if as_of is None:
        from cmi_analysis.measures.calendar import period_end

        as_of = period_end(sales["date"], frequency=length, week_start=week_start).max().date()
    panel = demand_panel(sales, as_of=as_of, frequency=frequency, week_start=week_start, stock=stock)
    if panel.empty:
        return pd.DataFrame(columns=FORECAST_COLUMNS)
    categories = None if attributes is None else attributes.set_index("product_id")["category"]
    told = {"categories": categories, "customer_forecasts": customer_forecasts}
    return forecast_panel(panel, horizon=horizon, frequency=length, week_start=week_start, folds=folds, **told).forecasts


def calendar_of(frequency: str) -> str:
    """Return the length of a period of the panel."""
    return panel_frequency(frequency)


def _with_forecasts(view: View, made: dict[str, np.ndarray]) -> View:
    return View(view.origin, view.ahead, view.series, {name: made[name] for name in _STEPS}, view.index_next)


def _with_naive_change(backtest: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """Add the mean absolute and root mean square one-step change of each series' history up to each origin."""
    grid = panel_grid(panel)
    demand = grid.matrix(panel, "demand")
    frames = []
    for origin in sorted(backtest["origin"].unique()):
        change = np.diff(demand[:, grid.periods <= origin], axis=1)
        known = np.isfinite(change)
        count = np.maximum(known.sum(axis=1), 1)
        sizes = {"naive_mean": np.abs(np.where(known, change, 0)).sum(axis=1) / count}
        sizes["naive_rms"] = np.sqrt((np.where(known, change, 0) ** 2).sum(axis=1) / count)
        frames.append(grid.series.assign(origin=origin, **sizes))
    if not frames:
        return backtest.assign(naive_mean=np.nan, naive_rms=np.nan)
    return backtest.merge(pd.concat(frames), on=[*SERIES, "origin"], how="left")


def _ahead(view: View, choice: pd.DataFrame, mean: np.ndarray) -> pd.DataFrame:
    shape = mean.shape
    lead = np.broadcast_to(np.arange(1, shape[1] + 1), shape)
    text = {name: choice[name].to_numpy() for name in ("pattern", "model")} | {"fallback": view.series["fallback"].to_numpy()}
    spread = {name: np.broadcast_to(values[:, None], shape) for name, values in text.items()}
    scale = view.series["scale"].to_numpy()[:, None] * view.index_next
    return Grid(view.series[SERIES], view.ahead).long({"lead": lead, "mean": mean, "scale": scale} | spread)


def _quantiles(rows: pd.DataFrame, *, known: pd.DataFrame, until: pd.Timestamp, whole: pd.DataFrame) -> pd.DataFrame:
    usable = known[(known["origin"] < until) & (known["period"] <= until) & known["fallback"].isin(["", "short", "few"])]
    marked = rows.merge(whole, on=SERIES, how="left")
    marked["whole"] = marked["whole"].astype("boolean").fillna(False).astype(bool)
    return forecast_quantiles(marked, spread=fit_spread(usable))


def _held_out(rows: pd.DataFrame, *, whole: pd.DataFrame) -> pd.DataFrame:
    """Give each origin's rows the quantiles that the errors known at that origin would have given."""
    frames = [
        _quantiles(part.reset_index(drop=True), known=rows, until=origin, whole=whole)
        for origin, part in rows.groupby("origin", sort=True)
    ]
    columns = [*rows.columns, "sd", *QUANTILES, "shape"]
    if not frames:
        return pd.DataFrame({name: rows[name] if name in rows else pd.Series(dtype="float64") for name in columns})
    ordered = pd.concat(frames, ignore_index=True)[columns]
    return ordered.sort_values([*SERIES, "origin", "lead"], kind="stable", ignore_index=True)
