"""Exponential smoothing of all series of a panel at once: level, damped trend and Theta, weights chosen on a grid.

A step in time is one array operation over series × candidate weights, so that thousands of series cost what one costs in a loop;
an unknown period (NaN) changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVEL_WEIGHTS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)
TREND_WEIGHTS = (0.0, 0.02, 0.05, 0.1)
DAMPING = 0.9
# the level starts from the mean of so many known values
START = 8
# series are taken in blocks of this many values (series × candidates), which bounds memory
_BLOCK = 2_000_000


def smooth_level(values: np.ndarray, *, weights: Sequence[float] = LEVEL_WEIGHTS) -> tuple[np.ndarray, np.ndarray]:
    """Return the last level of simple exponential smoothing and its weight, for each series.

    Parameters
    ----------
    values : numpy.ndarray
        Series × periods, NaN where unknown [sales units].
    weights : sequence of float
        Candidates [fraction].

    Returns
    -------
    level : numpy.ndarray
        One value a series [sales units]; NaN where nothing is known.
    weight : numpy.ndarray
        The one of `weights` with the least sum of squared one-step errors [fraction].

    Notes
    -----
    l_t = l_{t−1} + α (y_t − l_{t−1}), l_0 = mean of the first eight known values. Source: Hyndman and Athanasopoulos (2021),
    Forecasting: Principles and Practice, section 8.1.

    Examples
    --------
    >>> level, weight = smooth_level(np.array([[4.0, 4, 4, 4]]))
    >>> level.tolist(), weight.tolist()
    ([4.0], [0.02])
    """
    tried = np.asarray(weights)
    level, _, best = _smooth(values, level_weight=tried, trend_weight=np.zeros_like(tried), damping=0.0)
    return level, tried[best]


def smooth_trend(values: np.ndarray, *, damping: float = DAMPING) -> tuple[np.ndarray, np.ndarray]:
    """Return the last level and trend of Holt's damped method for each series, weights by the least squared one-step error.

    Notes
    -----
    l_t = l_{t−1} + φ b_{t−1} + α e_t, b_t = φ b_{t−1} + α β e_t, with e_t the one-step error. Source: Gardner and McKenzie
    (1985), Forecasting trends in time series, Management Science 31, p. 1237.
    """
    level, trend = (part.ravel() for part in np.meshgrid(LEVEL_WEIGHTS, TREND_WEIGHTS))
    last, slope, _ = _smooth(values, level_weight=level, trend_weight=trend, damping=damping)
    return last, slope


def smooth_theta(values: np.ndarray, *, horizon: int) -> np.ndarray:
    """Return forecasts of the Theta method, series × horizon.

    Notes
    -----
    Simple exponential smoothing with drift: ŷ_{n+h} = l_n + ½ b [h − 1 + (1 − (1 − α)^n)/α], b the slope of the straight line
    through the known values. Source: Hyndman and Billah (2003), Unmasking the Theta method, International Journal of Forecasting
    19, 287–290, equation 7. Forecasts are cut at zero.

    Examples
    --------
    A flat series has no drift.

    >>> smooth_theta(np.full((1, 12), 5.0), horizon=2).tolist()
    [[5.0, 5.0]]
    """
    level, weight = smooth_level(values)
    count = np.isfinite(values).sum(axis=1)
    lead = np.arange(horizon)[None, :]
    weight = weight[:, None]
    span = lead + (1 - (1 - weight) ** count[:, None]) / weight
    return np.clip(level[:, None] + 0.5 * line_slope(values)[:, None] * span, 0, None)


def line_slope(values: np.ndarray) -> np.ndarray:
    """Return the slope of the least-squares line through the known values of each series [sales units a period]."""
    known = np.isfinite(values)
    time = np.broadcast_to(np.arange(values.shape[1], dtype=float), values.shape)
    count = np.maximum(known.sum(axis=1), 1)[:, None]
    filled = np.where(known, values, 0.0)
    centred = np.where(known, time - np.where(known, time, 0).sum(axis=1, keepdims=True) / count, 0.0)
    around = np.where(known, filled - filled.sum(axis=1, keepdims=True) / count, 0.0)
    square = (centred**2).sum(axis=1)
    return np.divide((centred * around).sum(axis=1), square, out=np.zeros(len(values)), where=square > 0)


def first_level(values: np.ndarray) -> np.ndarray:
    """Return the mean of the first eight known values of each series, NaN where there is none."""
    known = np.isfinite(values)
    early = known & (np.cumsum(known, axis=1) <= START)
    count = early.sum(axis=1)
    return np.divide(np.where(early, values, 0).sum(axis=1), count, out=np.full(len(values), np.nan), where=count > 0)


def _smooth(
    values: np.ndarray, *, level_weight: np.ndarray, trend_weight: np.ndarray, damping: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run Holt's recursions for every pair of weights; return level, trend and number of the best pair by series."""
    size = max(1, _BLOCK // len(level_weight))
    if len(values) > size:
        parts = [
            _smooth(values[start : start + size], level_weight=level_weight, trend_weight=trend_weight, damping=damping)
            for start in range(0, len(values), size)
        ]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))  # type: ignore[return-value]
    level = np.repeat(first_level(values)[:, None], len(level_weight), axis=1)
    trend, squares = np.zeros_like(level), np.zeros_like(level)
    known = np.isfinite(values)
    for now in range(values.shape[1]):
        here = known[:, now][:, None]
        error = np.where(here, values[:, now][:, None] - level - damping * trend, 0.0)
        squares += error**2
        level = np.where(here, level + damping * trend, level) + level_weight * error
        trend = np.where(here, damping * trend, trend) + level_weight * trend_weight * error
    best = np.where(np.isfinite(squares), squares, np.inf).argmin(axis=1)
    row = np.arange(len(values))
    return level[row, best], trend[row, best], best
