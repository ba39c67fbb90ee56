"""The global model's forecasts as a frame: made once where all groups are seen, cut to a group like any other frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import Settings, backtest_origins
from cmi_analysis.forecasting.boosting import Run, boosting_forecasts, run_here
from cmi_analysis.forecasting.features import PanelArrays
from cmi_analysis.forecasting.grid import SERIES, Grid, panel_grid
from cmi_analysis.forecasting.holidays import holiday_calendar
from cmi_analysis.measures import calendar

GLOBAL_KINDS = dict.fromkeys(SERIES, "object") | {"origin": "datetime64[ns]", "lead": "int64", "mean": "float64"}


def forecast_globally(
    panel: pd.DataFrame,
    *,
    settings: Settings,
    folds: int,
    categories: pd.Series | None = None,
    prices: pd.DataFrame | None = None,
    promotions: pd.DataFrame | None = None,
    groups: pd.Series | None = None,
    holidays: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    seed: int = 1,
    run: Run = run_here,
) -> pd.DataFrame:
    """Return what the global boosting model forecasts from each origin of the back-test and from the last period.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it, of all groups.
    settings : Settings
        Period, horizon, week start.
    folds : int
        Origins of the back-test [count].
    categories : pandas.Series, optional
        Category by product_id (index).
    prices : pandas.DataFrame, optional
        ``customer_id, product_id, date, price`` [money a unit]; only past prices are looked at.
    promotions : pandas.DataFrame, optional
        ``starts_on, ends_on``; optional ``product_id, customer_id, customer_group, announced_on``: planned windows.
    groups : pandas.Series, optional
        Customer group by customer_id (index), for promotions of a group.
    holidays, customers : pandas.DataFrame, optional
        As in `holiday_calendar`; a calendar counts as always known.
    seed : int
        Of the model.
    run : callable
        Where forecasts of blocks of series are made (`forecast_boosting`); the model is trained here.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, origin, lead`` [periods], ``mean`` [sales units], sorted; no row where the model has nothing to
        say. Every origin's rows come from a model that saw nothing after it.
    """
    panel = panel.sort_values([*SERIES, "period"], kind="stable", ignore_index=True)
    grid = panel_grid(panel)
    origins = backtest_origins(grid.periods, folds=folds, horizon=settings.horizon, periods_per_year=settings.periods_per_year)
    days = [*origins, grid.periods[-1]]
    ends = [int(grid.periods.get_loc(day)) + 1 for day in days]
    arrays = panel_arrays(panel, grid, settings=settings, categories=categories, prices=prices)
    arrays = replace(arrays, holidays=holiday_calendar(holidays, grid, periods=arrays.periods, customers=customers))
    planned = {
        end: plan_matrix(promotions, grid, periods=arrays.periods, known_on=_end_of(day, settings), groups=groups)
        for day, end in zip(days, ends, strict=True)
    }
    made = boosting_forecasts(arrays, ends=ends, horizon=settings.horizon, seed=seed, planned=planned, run=run)
    frames = [_frame(grid, day, made[end]) for day, end in zip(days, ends, strict=True)]
    return pd.concat(frames, ignore_index=True).sort_values([*SERIES, "origin", "lead"], kind="stable", ignore_index=True)


def boosting_matrix(forecasts: pd.DataFrame | None, grid: Grid, origin: pd.Timestamp, settings: Settings) -> np.ndarray | None:
    """Return the global model's forecasts from `origin` as series × horizon, None where there are none at all."""
    if forecasts is None or forecasts.empty:
        return None
    part = forecasts[(forecasts["origin"] == origin) & (forecasts["lead"] <= settings.horizon)]
    values = np.full((len(grid.series), settings.horizon), np.nan)
    row = grid.rows(part)
    inside = row >= 0
    values[row[inside], part["lead"].to_numpy()[inside] - 1] = part["mean"].to_numpy()[inside]
    return values


def panel_arrays(
    panel: pd.DataFrame,
    grid: Grid,
    *,
    settings: Settings,
    categories: pd.Series | None = None,
    prices: pd.DataFrame | None = None,
) -> PanelArrays:
    """Return the panel as the arrays that the features are made of."""
    known = pd.Series(dtype="object") if categories is None else categories
    category = grid.series["product_id"].map(known).astype("object").fillna("")
    ways: Mapping[str, pd.Series] = {"customer": grid.series["customer_id"], "product": grid.series["product_id"]}
    groups = {name: pd.factorize(values, sort=True)[0] for name, values in ways.items()}
    if len(set(category)) > 1:
        groups["category"] = pd.factorize(category, sort=True)[0]
    groups["all"] = np.zeros(len(grid.series), dtype=np.int64)
    past = {}
    if panel["in_stock"].notna().any():
        past["in_stock"] = grid.matrix(panel, "in_stock")
    if prices is not None and not prices.empty:
        past["price"] = price_matrix(prices, grid, settings)
    periods = grid.periods.append(settings.ahead(grid.periods[-1]))
    return PanelArrays(grid.matrix(panel, "demand"), periods, settings.periods_per_year, groups, past)


def price_matrix(prices: pd.DataFrame, grid: Grid, settings: Settings) -> np.ndarray:
    """Return the mean price of each series and period, NaN where none is known: nothing is carried back in time."""
    rows = prices[prices["price"].notna() & prices["date"].notna()]
    start = calendar.period_start(rows["date"], frequency=settings.frequency, week_start=settings.week_start)
    rows = rows.assign(period=start, one=1.0)
    count = grid.sums(rows, "one")
    return np.divide(grid.sums(rows, "price"), count, out=np.full(grid.shape, np.nan), where=count > 0)


def plan_matrix(
    promotions: pd.DataFrame | None,
    grid: Grid,
    *,
    periods: pd.DatetimeIndex,
    known_on: pd.Timestamp,
    groups: pd.Series | None = None,
) -> np.ndarray | None:
    """Return where a promotion known on `known_on` touches a period, series × periods; None without any promotion."""
    if promotions is None or promotions.empty:
        return None
    told = promotions.get("announced_on", pd.Series(pd.NaT, index=promotions.index))
    windows = promotions[pd.to_datetime(told).isna() | (pd.to_datetime(told) <= known_on)]
    planned = np.zeros((len(grid.series), len(periods)), dtype=bool)
    last = periods[-1] + (periods[-1] - periods[-2])
    following = periods[1:].append(pd.DatetimeIndex([last]))
    own = {name: grid.series[name] for name in SERIES}
    own["customer_group"] = grid.series["customer_id"].map(pd.Series(dtype="object") if groups is None else groups)
    for window in windows.to_dict("records"):
        touched = (periods <= window["ends_on"]) & (following > window["starts_on"])
        rows = np.ones(len(grid.series), dtype=bool)
        for name, values in own.items():
            if isinstance(window.get(name), str) and window[name]:
                rows &= (values == window[name]).to_numpy()
        planned |= rows[:, None] & np.asarray(touched)[None, :]
    return planned


def _end_of(day: pd.Timestamp, settings: Settings) -> pd.Timestamp:
    return settings.ahead(day)[0] - pd.Timedelta(days=1)


def _frame(grid: Grid, origin: pd.Timestamp, values: np.ndarray) -> pd.DataFrame:
    row, lead = np.nonzero(np.isfinite(values))
    frame = grid.series.iloc[row].reset_index(drop=True)
    return frame.assign(origin=origin, lead=lead + 1, mean=values[row, lead])[list(GLOBAL_KINDS)]
