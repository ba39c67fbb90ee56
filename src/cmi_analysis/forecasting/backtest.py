"""Rolling origins: what each model would have said, knowing only what was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.customer import customer_matrix
from cmi_analysis.forecasting.fallbacks import KIN, SCARCE, ZERO
from cmi_analysis.forecasting.grid import SERIES, Grid, Wide, widen
from cmi_analysis.forecasting.life_cycle import classify_life_cycle
from cmi_analysis.forecasting.models import MODELS, Model, Window, combine_models, forecast_models
from cmi_analysis.forecasting.seasons import index_matrix, season_of
from cmi_analysis.measures import calendar
from cmi_analysis.measures.demand_pattern import classify_matrix

# fewer known periods than this: too short for a model
SHORT = {52: 8, 12: 4}
# fewer demands than this: no model can be told from another
LEAST_DEMANDS = 3
# forecasts that are scored for every series; the others only where a model is used
ALWAYS = ("naive", "seasonal_naive", "customer", "statistical", "combined", "chosen")
BACKTEST_COLUMNS = [
    *SERIES,
    "origin",
    "period",
    "lead",
    "model",
    "actual",
    "sold",
    "in_stock",
    "mean",
    "scale",
    "pattern",
    "fallback",
]


@dataclass(frozen=True)
class Settings:
    """What all origins share: the length of a period, the horizon [periods], the first day of a week."""

    frequency: calendar.Frequency
    week_start: str
    horizon: int

    @property
    def periods_per_year(self) -> int:
        """52 or 12."""
        return calendar.periods_per_year(self.frequency)

    def ahead(self, origin: pd.Timestamp) -> pd.DatetimeIndex:
        """Return the first days of the periods after `origin`."""
        return pd.date_range(origin, periods=self.horizon + 1, freq=calendar.offset(self.frequency, self.week_start))[1:]


@dataclass(frozen=True)
class View:
    """What is known of every series at one origin, and what each model makes of it.

    Attributes
    ----------
    origin : pandas.Timestamp
        First day of the last known period.
    ahead : pandas.DatetimeIndex
        The periods forecast.
    series : pandas.DataFrame
        ``customer_id, product_id, state, pattern, periods`` [known periods], ``fallback`` (reason why no model is used: dead,
        all_zeros, short, few, nothing_known, not_started; empty: none; kin: forecast from kin in place of short, few and, of
        new series, all_zeros and nothing_known), ``scale`` [sales units], ``kin`` (code of the kin, or empty), ``kin_series``
        [count], ``shared`` (part of the error's variance that all leads have in common; 0 but for kin) [fraction], ``size``: mean
        demand above zero [sales units], ``ended`` (bool: its agreed end has passed).
    forecasts : mapping of str to numpy.ndarray
        Series × horizon [sales units] by model; ``customer`` is NaN where the customer had sent nothing for the period.
    """

    origin: pd.Timestamp
    ahead: pd.DatetimeIndex
    series: pd.DataFrame
    forecasts: Mapping[str, np.ndarray]
    index_next: np.ndarray


@dataclass(frozen=True)
class Fold:
    """One origin of the back-test: what was said then, and what came.

    Attributes
    ----------
    view : View
        What was known and forecast.
    actual, sold, in_stock : numpy.ndarray
        Demand (imputed where stock was out), sales [sales units] and share of the period in stock, series × horizon; NaN where
        unknown and for series that had not begun.
    """

    view: View
    actual: np.ndarray
    sold: np.ndarray
    in_stock: np.ndarray


def backtest_origins(periods: pd.DatetimeIndex, *, folds: int, horizon: int, periods_per_year: int) -> list[pd.Timestamp]:
    """Return the origins of the back-test, oldest first: the last known periods, a quarter of a year or the horizon apart.

    Origins with less than half a year of history are left out.

    Examples
    --------
    >>> weeks = pd.date_range("2024-01-01", periods=60, freq="W-MON")
    >>> [day.date().isoformat() for day in backtest_origins(weeks, folds=3, horizon=13, periods_per_year=52)]
    ['2024-08-19', '2024-11-18']
    """
    step = max(1, min(horizon, periods_per_year // 4))
    columns = [len(periods) - 1 - step * fold for fold in range(folds, 0, -1)]
    return [periods[column] for column in columns if column + 1 >= periods_per_year // 2]


def view_at(
    panel: pd.DataFrame | Wide,
    *,
    origin: pd.Timestamp,
    settings: Settings,
    indices: pd.DataFrame,
    categories: pd.Series,
    customer_forecasts: pd.DataFrame | None = None,
    ends: pd.DataFrame | None = None,
    boosting: np.ndarray | None = None,
    kin: pd.DataFrame | None = None,
    states: np.ndarray | None = None,
    models: Mapping[str, Model] = MODELS,
) -> View:
    """Return what is known at `origin` and each model's forecast from it.

    Parameters
    ----------
    panel : pandas.DataFrame or Wide
        As `demand_panel` or `widen` returns it; later periods are not looked at.
    origin : pandas.Timestamp
        Last known period.
    settings : Settings
        Period, horizon, week start.
    indices : pandas.DataFrame
        As `seasonal_indices` returns them; only those of origins up to this one are used.
    categories : pandas.Series
        Category by ``product_id`` (index); products that it does not hold have none.
    customer_forecasts : pandas.DataFrame, optional
        ``customer_id, product_id, issued_on, period, quantity``; those issued up to the end of the origin's period count.
    ends : pandas.DataFrame, optional
        ``customer_id, product_id, ends_on``: agreed last day.
    boosting : numpy.ndarray, optional
        Forecasts of the global model from this origin, series × horizon, NaN where it has none.
    kin : pandas.DataFrame, optional
        As `forecast_from_kin` returns it; only rows of this origin are used.
    states : numpy.ndarray, optional
        As `states_at` returns them for the whole panel, where this is a part of it.
    models : mapping
        Models by name.
    """
    wide = widen(panel)
    grid = Grid(wide.grid.series, wide.grid.periods[wide.grid.periods <= origin])
    ahead = settings.ahead(origin)
    if states is None:
        states = states_at(wide, origin=origin, settings=settings, indices=indices, categories=categories, ends=ends)
    past, following = (_season(days, grid, origin, settings, indices, categories) for days in (grid.periods, ahead))
    window = Window(wide.demand[:, : len(grid.periods)], past, following, settings.periods_per_year)
    left = _periods_left(ends, grid, origin, settings)
    series = _describe(wide, len(grid.periods), states, left, settings)
    series["scale"] = error_scale(window)
    series, alike = _with_kin(series, kin, grid, origin, settings)
    forecasts = forecast_models(window, horizon=settings.horizon, models=models)
    forecasts = combine_models(forecasts if boosting is None else forecasts | {"boosting": boosting})
    if boosting is not None:
        forecasts["boosting"] = np.where(np.isfinite(boosting), boosting, forecasts["combination"])
    over = np.arange(1, settings.horizon + 1)[None, :] > np.where(np.isnan(left), np.inf, left)[:, None]
    forecasts = {name: np.where(over, 0.0, values) for name, values in forecasts.items()}
    forecasts["customer"] = customer_matrix(customer_forecasts, grid=grid, ahead=ahead, settings=settings)
    return View(origin, ahead, series, _with_fallbacks(forecasts, series, alike), following)


def states_at(
    panel: pd.DataFrame | Wide,
    *,
    origin: pd.Timestamp,
    settings: Settings,
    indices: pd.DataFrame,
    categories: pd.Series,
    ends: pd.DataFrame | None = None,
) -> np.ndarray:
    """Return where each series stands in its life at `origin` (`classify_life_cycle`); same parameters as in `view_at`.

    Series of one product or one customer are judged together: over the whole panel, never over a part of it.
    """
    wide = widen(panel)
    grid = Grid(wide.grid.series, wide.grid.periods[wide.grid.periods <= origin])
    known = slice(0, len(grid.periods))
    return classify_life_cycle(
        wide.quantity[:, known],
        in_stock=wide.in_stock[:, known],
        periods_per_year=settings.periods_per_year,
        ends_after=_periods_left(ends, grid, origin, settings),
        horizon=settings.horizon,
        season=_season(grid.periods, grid, origin, settings, indices, categories),
        kin=[grid.series[name].to_numpy() for name in ("product_id", "customer_id")],
    )


def _season(
    days: pd.DatetimeIndex, grid: Grid, origin: pd.Timestamp, settings: Settings, indices: pd.DataFrame, categories: pd.Series
) -> np.ndarray:
    """Seasonal index by series and period."""
    category = grid.series["product_id"].map(categories).astype("object").fillna("")
    return index_matrix(indices, categories=category, seasons=season_of(days, frequency=settings.frequency), origin=origin)


def open_fold(panel: pd.DataFrame | Wide, view: View) -> Fold:
    """Return the view's forecasts beside what came of them.

    Parameters
    ----------
    panel : pandas.DataFrame or Wide
        As `demand_panel` or `widen` returns it, of the view's series.
    view : View
        As `view_at` returns it.
    """
    wide = widen(panel)
    row, col = wide.grid.rows(view.series), wide.grid.periods.get_indexer(view.ahead)
    there = (row >= 0)[:, None] & (col >= 0)[None, :]
    actual, sold, stock = (
        np.where(there, values[row[:, None], col[None, :]], np.nan) for values in (wide.demand, wide.quantity, wide.in_stock)
    )
    begun = (view.series["fallback"] != "not_started").to_numpy()[:, None]
    return Fold(view, np.where(begun, actual, np.nan), sold, stock)


def backtest_models(folds: Sequence[Fold], *, models: Sequence[str] | None = None) -> pd.DataFrame:
    """Return each model's forecast at each origin beside what came of it, one row per series, origin, lead and model.

    Parameters
    ----------
    folds : sequence of Fold
        One an origin.
    models : sequence of str, optional
        Only these.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, origin, period, lead`` [periods ahead], ``model, actual`` [demand, imputed where stock
        was out], ``sold, in_stock, mean, scale, pattern, fallback``; only known actuals of series that had begun, and only
        forecasts that exist; single models only for series that a model forecasts (no ``fallback``).
    """
    frames = []
    for fold in folds:
        view = fold.view
        shape = fold.actual.shape
        fixed = {"actual": fold.actual, "sold": fold.sold, "in_stock": fold.in_stock}
        fixed["lead"] = np.broadcast_to(np.arange(1, shape[1] + 1), shape)
        fixed |= {name: np.broadcast_to(view.series[name].to_numpy()[:, None], shape) for name in ("pattern", "fallback")}
        fixed["scale"] = view.series["scale"].to_numpy()[:, None] * view.index_next
        plain = (view.series["fallback"] == "").to_numpy()[:, None]
        for name in view.forecasts if models is None else models:
            mean = view.forecasts[name]
            scored = np.isfinite(fold.actual) & np.isfinite(mean) & (plain | (name in ALWAYS))
            frame = Grid(view.series[SERIES], view.ahead).long(fixed | {"mean": mean}, keep=scored)
            frames.append(frame.assign(model=name, origin=view.origin))
    if not frames:
        kinds = dict.fromkeys([*SERIES, "model", "pattern", "fallback"], "object")
        kinds |= dict.fromkeys(["origin", "period"], "datetime64[ns]") | {"lead": "int64"}
        return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in BACKTEST_COLUMNS})
    return pd.concat(frames, ignore_index=True)[BACKTEST_COLUMNS].sort_values(
        [*SERIES, "origin", "lead", "model"], kind="stable", ignore_index=True
    )


def error_scale(window: Window, *, smoothing: float = 0.2) -> np.ndarray:
    """Return the root mean square of the last year's one-step errors of a smoothed level, season taken out [sales units].

    At least a twentieth of the mean demand, so that no series has a scale of zero but one without demand.
    """
    values = window.deseasonalised
    known = np.isfinite(values)
    count = known.sum(axis=1)
    mean = np.divide(np.where(known, values, 0).sum(axis=1), count, out=np.zeros(len(count)), where=count > 0)
    level, errors = mean.copy(), np.full(values.shape, np.nan)
    for now in range(values.shape[1]):
        errors[:, now] = values[:, now] - level
        level = np.where(known[:, now], level + smoothing * errors[:, now], level)
    recent = errors[:, -window.periods_per_year :]
    seen = np.isfinite(recent)
    total = np.where(seen, recent**2, 0).sum(axis=1)
    size = np.sqrt(np.divide(total, seen.sum(axis=1), out=np.zeros(len(count)), where=seen.any(axis=1)))
    return np.maximum(size, 0.05 * mean)


def _describe(wide: Wide, periods: int, states: np.ndarray, left: np.ndarray, settings: Settings) -> pd.DataFrame:
    """What is known of each series after so many periods."""
    year = settings.periods_per_year
    demand, quantity, in_stock = (values[:, :periods] for values in (wide.demand, wide.quantity, wide.in_stock))
    series = wide.grid.series.assign(state=states, pattern=classify_matrix(quantity, in_stock=in_stock))
    series["periods"] = np.isfinite(demand).sum(axis=1)
    series["ended"] = left <= 0
    series["size"] = _usual_size(demand)
    series["fallback"] = np.select(
        [
            wide.first >= periods,
            (series["periods"] == 0).to_numpy(),
            states == "dead",
            ~(np.nan_to_num(demand) > 0).any(axis=1),
            (series["periods"] < SHORT[year]).to_numpy(),
            ((np.nan_to_num(quantity) > 0).sum(axis=1) < LEAST_DEMANDS),
        ],
        ["not_started", "nothing_known", "dead", "all_zeros", "short", "few"],
        default="",
    )
    return series


def _usual_size(demand: np.ndarray) -> np.ndarray:
    """Mean of a series' demands above zero, NaN without any."""
    sold = np.nan_to_num(demand) > 0
    count = sold.sum(axis=1)
    return np.divide(np.where(sold, demand, 0).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)


def _with_kin(
    series: pd.DataFrame, kin: pd.DataFrame | None, grid: Grid, origin: pd.Timestamp, settings: Settings
) -> tuple[pd.DataFrame, np.ndarray]:
    """Mark the series that are forecast from their kin; return these forecasts, series × horizon, NaN for the others."""
    count = len(series)
    mean = np.full((count, settings.horizon), np.nan)
    series = series.assign(kin=np.full(count, "", dtype=object), kin_series=np.zeros(count, dtype=np.int64), shared=0.0)
    if kin is None or kin.empty:
        return series, mean
    rows = kin[(kin["origin"] == origin) & (kin["lead"] <= settings.horizon)]
    number = grid.rows(rows)
    rows, number = rows[number >= 0], number[number >= 0]
    mean[number, rows["lead"].to_numpy() - 1] = rows["mean"].to_numpy()
    short = (series["periods"] < SHORT[settings.periods_per_year]) & series["fallback"].isin(["all_zeros", "nothing_known"])
    used = (series["fallback"].isin(SCARCE) | short).to_numpy() & np.isfinite(mean).all(axis=1)
    told = rows.assign(number=number)[used[number]].drop_duplicates("number")
    place = told["number"].to_numpy()
    for name in ("kin", "kin_series", "scale", "shared"):
        values = series[name].to_numpy(copy=True)
        values[place] = told[name].to_numpy()
        series[name] = values
    series["fallback"] = series["fallback"].mask(used, KIN)
    return series, np.where(used[:, None], mean, np.nan)


def _with_fallbacks(forecasts: dict[str, np.ndarray], series: pd.DataFrame, alike: np.ndarray) -> dict[str, np.ndarray]:
    """Put the rule's forecast where no model is used: zero for dead and never sold, kin or the mean for short ones."""
    reason = series["fallback"].to_numpy()[:, None]
    zero = np.isin(reason, ZERO)
    plain = np.where(np.isfinite(alike), alike, forecasts["mean"])
    result = {}
    for name, values in forecasts.items():
        if name in ("customer", "naive", "seasonal_naive"):  # the references stay what they are
            result[name] = values
        else:
            result[name] = np.where(zero, 0.0, np.where(np.isin(reason, [*SCARCE, KIN]), plain, values))
    return result


def _periods_left(ends: pd.DataFrame | None, grid: Grid, origin: pd.Timestamp, settings: Settings) -> np.ndarray:
    """Periods after the origin in which each series is still agreed, NaN where no end is known."""
    left = np.full(len(grid.series), np.nan)
    if ends is None or ends.empty:
        return left
    row = grid.rows(ends)
    start = pd.Series(origin, index=ends.index)
    count = calendar.count_periods(start, ends["ends_on"], frequency=settings.frequency, week_start=settings.week_start)
    inside = row >= 0
    left[row[inside]] = count.to_numpy()[inside]
    return left
