"""Forecasting models behind one small interface: a window of history and a horizon in, series × periods ahead out.

A model is a function ``model(window, *, horizon) -> numpy.ndarray`` of shape (series, horizon) [sales units]; NaN means that it
has nothing to say of a series. Another model joins by its name in `MODELS`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Window:
    """What is known at one origin.

    Attributes
    ----------
    demand : numpy.ndarray
        Series × periods up to the origin, NaN before a series starts and where unknown [sales units].
    index_past, index_next : numpy.ndarray
        Seasonal index of each past period and of each period ahead (series × horizon) [ratio].
    periods_per_year : int
        52 or 12.
    """

    demand: np.ndarray
    index_past: np.ndarray
    index_next: np.ndarray
    periods_per_year: int

    @property
    def deseasonalised(self) -> np.ndarray:
        """Demand divided by its seasonal index."""
        return self.demand / self.index_past


Model = Callable[..., np.ndarray]
# exponential smoothing needs so many known values
LEAST_VALUES = 10
# of more series only the largest are fitted one by one
LARGEST_FITTED = 200


def forecast_naive(window: Window, *, horizon: int) -> np.ndarray:
    """Return the last known demand for each period ahead."""
    known = np.isfinite(window.demand)
    last = window.demand.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    value = np.where(known.any(axis=1), window.demand[np.arange(len(last)), last], np.nan)
    return np.repeat(value[:, None], horizon, axis=1)


def forecast_seasonal_naive(window: Window, *, horizon: int) -> np.ndarray:
    """Return the demand of the same period one year before; the last known demand where that is unknown."""
    year, periods = window.periods_per_year, window.demand.shape[1]
    source = periods - year + np.arange(horizon) % year
    value = np.full((len(window.demand), horizon), np.nan)
    inside = source >= 0
    value[:, inside] = window.demand[:, source[inside]]
    return np.where(np.isnan(value), forecast_naive(window, horizon=horizon), value)


def forecast_mean(window: Window, *, horizon: int) -> np.ndarray:
    """Return the mean of the last year's known deseasonalised demand, times the season ahead."""
    recent = window.deseasonalised[:, -window.periods_per_year :]
    known = np.isfinite(recent)
    count = known.sum(axis=1)
    level = np.divide(np.where(known, recent, 0).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)
    return _ahead(level[:, None], window, horizon)


def forecast_exponential_smoothing(window: Window, *, horizon: int) -> np.ndarray:
    """Return simple exponential smoothing of the deseasonalised demand, its weight fitted to each series by least squares.

    Engine: `statsmodels.tsa.holtwinters.SimpleExpSmoothing`, started from the mean of the first eight values; unknown periods are
    left out. In a panel of more than 200 series the 200 largest are fitted and the others take the median of their weights.
    Source: Hyndman and Athanasopoulos (2021), Forecasting: Principles and Practice, section 8.1.
    """
    values = window.deseasonalised
    total = np.where(np.isfinite(values), values, 0).sum(axis=1)
    largest = np.argsort(-total, kind="stable")[:LARGEST_FITTED]
    weights = np.full(len(values), np.nan)
    weights[largest] = _fitted_weights(values[largest])
    fitted = np.isfinite(weights)
    weights = np.where(fitted, weights, np.median(weights[fitted]) if fitted.any() else 0.2)
    level, _ = _smooth(values, level_weight=weights, trend_weight=np.zeros(len(values)), damping=1.0)
    return _ahead(np.where(_enough(values), level, np.nan)[:, None], window, horizon)


def forecast_damped_trend(window: Window, *, horizon: int) -> np.ndarray:
    """Return Holt's damped trend of the deseasonalised demand with fixed weights: level 0.2, trend 0.05, damping 0.9.

    Level and trend start from the mean of the first eight values and zero; unknown periods are left out. Equal to
    `statsmodels.tsa.holtwinters.Holt` with these weights. Source: Gardner and McKenzie (1985), Forecasting trends in time series,
    Management Science 31, p. 1237.
    """
    values, damping = window.deseasonalised, 0.9
    fixed = np.ones(len(values))
    level, trend = _smooth(values, level_weight=0.2 * fixed, trend_weight=0.05 * fixed, damping=damping)
    steps = np.cumsum(damping ** np.arange(1, horizon + 1))
    path = level[:, None] + trend[:, None] * steps[None, :]
    return _ahead(np.where(_enough(values)[:, None], path, np.nan), window, horizon)


def forecast_croston(window: Window, *, horizon: int) -> np.ndarray:
    """Return Croston's method for intermittent demand with the Syntetos–Boylan correction (SBA), weight 0.1.

    Engine: `statsforecast.models.CrostonSBA`. Source: Syntetos and Boylan (2005), The accuracy of intermittent demand estimates,
    International Journal of Forecasting 21, p. 303.
    """
    from statsforecast.models import CrostonSBA

    return _ahead(_statsforecast(window, CrostonSBA(alias="level"))[:, None], window, horizon)


def forecast_tsb(window: Window, *, horizon: int) -> np.ndarray:
    """Return the Teunter–Syntetos–Babai method, whose chance of demand falls in silent periods too; both weights 0.1.

    Engine: `statsforecast.models.TSB`. Source: Teunter, Syntetos and Babai (2011), Intermittent demand: linking forecasting to
    inventory obsolescence, European Journal of Operational Research 214, p. 606.
    """
    from statsforecast.models import TSB

    return _ahead(_statsforecast(window, TSB(alpha_d=0.1, alpha_p=0.1, alias="level"))[:, None], window, horizon)


MODELS: Mapping[str, Model] = {
    "naive": forecast_naive,
    "seasonal_naive": forecast_seasonal_naive,
    "mean": forecast_mean,
    "exponential_smoothing": forecast_exponential_smoothing,
    "damped_trend": forecast_damped_trend,
    "croston_sba": forecast_croston,
    "tsb": forecast_tsb,
}


def forecast_models(window: Window, *, horizon: int, models: Mapping[str, Model] = MODELS) -> dict[str, np.ndarray]:
    """Return each model's forecast, never negative; where a model has none, the mean of the last year stands in."""
    plain = forecast_mean(window, horizon=horizon)
    forecasts = {}
    for name, model in models.items():
        value = model(window, horizon=horizon)
        forecasts[name] = np.clip(np.where(np.isfinite(value), value, plain), 0, None)
    return forecasts


def _ahead(level: np.ndarray, window: Window, horizon: int) -> np.ndarray:
    return level * window.index_next[:, :horizon]


def _enough(values: np.ndarray) -> np.ndarray:
    return np.isfinite(values).sum(axis=1) >= LEAST_VALUES


def _fitted_weights(values: np.ndarray) -> np.ndarray:
    """Smoothing weight of each series by least squares, NaN for a short or constant one."""
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    weights = np.full(len(values), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row, series in enumerate(values):
            known = series[np.isfinite(series)]
            if len(known) < LEAST_VALUES or np.ptp(known) == 0:
                continue
            scaled = known / np.abs(known).mean()  # the optimiser's steps are absolute
            model = SimpleExpSmoothing(scaled, initialization_method="known", initial_level=float(scaled[:8].mean()))
            weights[row] = float(model.fit(use_brute=False).params["smoothing_level"])
    return weights


def _smooth(
    values: np.ndarray, *, level_weight: np.ndarray, trend_weight: np.ndarray, damping: float
) -> tuple[np.ndarray, np.ndarray]:
    """Run Holt's recursions over all series at once; an unknown period changes nothing."""
    known = np.isfinite(values)
    early = known & (np.cumsum(known, axis=1) <= 8)
    count = early.sum(axis=1)
    level = np.divide(np.where(early, values, 0).sum(axis=1), count, out=np.full(len(values), np.nan), where=count > 0)
    trend = np.zeros(len(values))
    for now in range(values.shape[1]):
        expected = level + damping * trend
        updated = expected + level_weight * (values[:, now] - expected)
        slope = damping * trend + trend_weight * (updated - level - damping * trend)
        level, trend = np.where(known[:, now], updated, level), np.where(known[:, now], slope, trend)
    return level, trend


def _statsforecast(window: Window, model: Any) -> np.ndarray:
    """Return a statsforecast model's flat forecast for each series with two or more known values, one of them above zero."""
    values = np.clip(window.deseasonalised, 0, None)
    known = np.isfinite(values)
    fit_for = (known.sum(axis=1) >= 2) & (np.nan_to_num(values) > 0).any(axis=1)
    result = np.full(len(values), np.nan)
    if not fit_for.any():
        return result
    from statsforecast import StatsForecast

    row, col = np.nonzero(known & fit_for[:, None])
    frame = pd.DataFrame({"unique_id": row, "y": values[row, col]})
    frame["ds"] = frame.groupby("unique_id").cumcount()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = StatsForecast(models=[model], freq=1, n_jobs=1).forecast(df=frame[["unique_id", "ds", "y"]], h=1)
    result[said["unique_id"].to_numpy()] = said["level"].to_numpy(dtype=float)
    return result
