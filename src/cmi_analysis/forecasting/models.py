"""Forecasting models behind one small interface: a window of history and a horizon in, series × periods ahead out.

A model is a function ``model(window, *, horizon) -> numpy.ndarray`` of shape (series, horizon) [sales units]; NaN means that it
has nothing to say of a series. Another model joins by its name in `MODELS`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.intermittent import smooth_croston_sba, smooth_imapa, smooth_tsb
from cmi_analysis.forecasting.smoothing import DAMPING, smooth_level, smooth_theta, smooth_trend


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
# Croston's recursion starts from the mean of so many demands: from the first alone it was 17 % too low on short monthly histories
CROSTON_START = 6
# exponential smoothing needs so many known values
LEAST_VALUES = 10


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
    """Return the mean of the last year's known deseasonalised demand, times the season ahead.

    A series of which the last year says nothing takes the mean of all that is known.
    """
    recent, whole = _mean_known(window.deseasonalised[:, -window.periods_per_year :]), _mean_known(window.deseasonalised)
    return _ahead(np.where(np.isfinite(recent), recent, whole)[:, None], window, horizon)


def forecast_exponential_smoothing(window: Window, *, horizon: int) -> np.ndarray:
    """Return simple exponential smoothing of the deseasonalised demand, its weight fitted to each series (`smooth_level`)."""
    level, _ = smooth_level(window.deseasonalised)
    return _ahead(np.where(_enough(window.deseasonalised), level, np.nan)[:, None], window, horizon)


def forecast_damped_trend(window: Window, *, horizon: int) -> np.ndarray:
    """Return Holt's damped trend of the deseasonalised demand, its weights fitted to each series (`smooth_trend`)."""
    level, trend = smooth_trend(window.deseasonalised)
    steps = np.cumsum(DAMPING ** np.arange(1, horizon + 1))
    path = level[:, None] + trend[:, None] * steps[None, :]
    return _ahead(np.where(_enough(window.deseasonalised)[:, None], path, np.nan), window, horizon)


def forecast_theta(window: Window, *, horizon: int) -> np.ndarray:
    """Return the Theta method on the deseasonalised demand (`smooth_theta`)."""
    path = smooth_theta(window.deseasonalised, horizon=horizon)
    return _ahead(np.where(_enough(window.deseasonalised)[:, None], path, np.nan), window, horizon)


def forecast_croston(window: Window, *, horizon: int) -> np.ndarray:
    """Return Croston's method for intermittent demand, weight 0.1: size of a demand over the interval between demands.

    Engine: `statsforecast.models.CrostonClassic`. Source: Croston (1972), Forecasting and stock control for intermittent demands,
    Operational Research Quarterly 23, p. 289.
    """
    return _flat(window, "CrostonClassic", horizon)


def forecast_croston_sba(window: Window, *, horizon: int) -> np.ndarray:
    """Return Croston's method with the Syntetos–Boylan correction on the deseasonalised demand, started from several demands."""
    return _level_ahead(smooth_croston_sba(window.deseasonalised, start=CROSTON_START), window, horizon)


def forecast_tsb(window: Window, *, horizon: int) -> np.ndarray:
    """Return the Teunter–Syntetos–Babai method on the deseasonalised demand, both weights 0.1 (`smooth_tsb`)."""
    return _level_ahead(smooth_tsb(window.deseasonalised), window, horizon)


def forecast_adida(window: Window, *, horizon: int) -> np.ndarray:
    """Return ADIDA: exponential smoothing of demand added up over its mean interval, split evenly again.

    Engine: `statsforecast.models.ADIDA`. Source: Nikolopoulos, Syntetos, Boylan, Petropoulos and Assimakopoulos (2011), An
    aggregate–disaggregate intermittent demand approach, Journal of the Operational Research Society 62, 544–554.
    """
    return _flat(window, "ADIDA", horizon)


def forecast_imapa(window: Window, *, horizon: int) -> np.ndarray:
    """Return IMAPA, smoothing at every level of aggregation in time, on the deseasonalised demand (`smooth_imapa`)."""
    return _level_ahead(smooth_imapa(window.deseasonalised), window, horizon)


def forecast_ets(window: Window, *, horizon: int) -> np.ndarray:
    """Return the exponential-smoothing model with the least AICc, without season, on the deseasonalised demand.

    Engine: `statsforecast.models.AutoETS` (ZZN); a hundred times slower than `forecast_exponential_smoothing`. Source: Hyndman,
    Koehler, Snyder and Grose (2002), A state space framework for automatic forecasting using exponential smoothing methods,
    International Journal of Forecasting 18, 439–454.
    """
    from statsforecast.models import AutoETS

    return _ahead(_statsforecast(window, AutoETS(season_length=1, model="ZZN", alias="level"), horizon), window, horizon)


def forecast_dotheta(window: Window, *, horizon: int) -> np.ndarray:
    """Return the dynamic optimised Theta model on the deseasonalised demand; a hundred times slower than `forecast_theta`.

    Engine: `statsforecast.models.DynamicOptimizedTheta`. Source: Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler (2016),
    Models for optimising the theta method and their relationship to state space models, International Journal of Forecasting 32,
    1151–1161.
    """
    from statsforecast.models import DynamicOptimizedTheta

    return _ahead(_statsforecast(window, DynamicOptimizedTheta(season_length=1, alias="level"), horizon), window, horizon)


MODELS: Mapping[str, Model] = {
    "naive": forecast_naive,
    "seasonal_naive": forecast_seasonal_naive,
    "mean": forecast_mean,
    "exponential_smoothing": forecast_exponential_smoothing,
    "damped_trend": forecast_damped_trend,
    "theta": forecast_theta,
    "croston_sba": forecast_croston_sba,
    "tsb": forecast_tsb,
    "imapa": forecast_imapa,
}
"""What is forecast by default, for every series at every origin."""

OPTIONAL: Mapping[str, Model] = {
    "croston": forecast_croston,
    "adida": forecast_adida,
    "ets": forecast_ets,
    "dotheta": forecast_dotheta,
}
"""More models that may be named: slow ones, and relatives of a default that a back-test hardly tells from it."""


COMBINATIONS: Mapping[str, Sequence[str]] = {
    "combination": ("mean", "theta", "croston_sba", "boosting"),
    "combination_plain": ("mean", "theta", "croston_sba"),
}
"""Equal means of models of different families: a year's memory, a recent level with its trend, sizes and intervals apart, and
what all series together teach. A member that has nothing to say of a series is left out."""


def combine_models(forecasts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the forecasts and their combinations, those whose members are there."""
    combined = dict(forecasts)
    for name, members in COMBINATIONS.items():
        parts = [forecasts[model] for model in members if model in forecasts]
        if len(parts) < 2 or (name != "combination" and len(parts) < len(members)):
            continue
        values = np.stack(parts)
        count = np.isfinite(values).sum(axis=0)
        total = np.nansum(values, axis=0)
        combined[name] = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return combined


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


def _mean_known(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    return np.divide(np.where(known, values, 0).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)


def _enough(values: np.ndarray) -> np.ndarray:
    return np.isfinite(values).sum(axis=1) >= LEAST_VALUES


def _level_ahead(level: np.ndarray, window: Window, horizon: int) -> np.ndarray:
    """Return a flat forecast times the season ahead, of series with two or more known values."""
    enough = np.isfinite(window.deseasonalised).sum(axis=1) >= 2
    return _ahead(np.where(enough, level, np.nan)[:, None], window, horizon)


def _flat(window: Window, model: str, horizon: int, **settings: float) -> np.ndarray:
    """Return the flat forecast of one of statsforecast's models, times the season ahead."""
    from statsforecast import models

    return _ahead(_statsforecast(window, getattr(models, model)(alias="level", **settings), 1), window, horizon)


def _statsforecast(window: Window, model: Any, horizon: int) -> np.ndarray:
    """Return a statsforecast model's forecast of each series with enough known values, one of them above zero."""
    values = np.clip(window.deseasonalised, 0, None)
    known = np.isfinite(values)
    fit_for = (known.sum(axis=1) >= (2 if horizon == 1 else LEAST_VALUES)) & (np.nan_to_num(values) > 0).any(axis=1)
    result = np.full((len(values), horizon), np.nan)
    if not fit_for.any():
        return result
    from statsforecast import StatsForecast

    row, col = np.nonzero(known & fit_for[:, None])
    frame = pd.DataFrame({"unique_id": row, "y": values[row, col]})
    frame["ds"] = frame.groupby("unique_id").cumcount()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = StatsForecast(models=[model], freq=1, n_jobs=1).forecast(df=frame[["unique_id", "ds", "y"]], h=horizon)
    lead = said.groupby("unique_id").cumcount().to_numpy()
    result[said["unique_id"].to_numpy(), lead] = said["level"].to_numpy(dtype=float)
    return result
