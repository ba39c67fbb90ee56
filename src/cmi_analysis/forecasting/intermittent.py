"""Methods for demand in few periods, for all series of a panel at once: Croston with its correction, TSB, IMAPA.

Unknown periods (NaN) are left out, as if the series had been written without them.
"""

from __future__ import annotations

import numpy as np

from cmi_analysis.forecasting.smoothing import smooth_level

# weights of exponential smoothing at each level of aggregation, as in statsforecast's IMAPA
IMAPA_WEIGHTS = (0.1, 0.15, 0.2, 0.25, 0.3)


def smooth_croston_sba(values: np.ndarray, *, weight: float = 0.1, start: int = 1) -> np.ndarray:
    """Return Croston's forecast with the Syntetos–Boylan correction, one value a series [sales units a period].

    Parameters
    ----------
    values : numpy.ndarray
        Series × periods, NaN where unknown [sales units].
    weight : float
        Of the newest demand and of the newest interval [fraction].
    start : int
        Demands whose mean size and interval the recursion starts from [count]; 1 as in the source, where a first demand by
        chance small or late stays in the forecast for long.

    Notes
    -----
    At a demand: z ← z + α (y − z), p ← p + α (q − p), q the periods since the last one; up to the demand number `start`, z and p
    are the means so far. Forecast (1 − α/2) z / p. Sources: Croston (1972), Operational Research Quarterly 23, p. 289; Syntetos
    and Boylan (2005), The accuracy of intermittent demand estimates, International Journal of Forecasting 21, p. 303.

    Examples
    --------
    Four units every second period: 0.95 · 4 / 2.

    >>> smooth_croston_sba(np.array([[0.0, 4, 0, 4, 0, 4]])).round(3).tolist()
    [1.9]
    """
    size, gap = (np.full(len(values), np.nan) for _ in range(2))
    since, demands = np.zeros((2, len(values)))
    for now in range(values.shape[1]):
        value = values[:, now]
        since = since + np.isfinite(value)
        sold = value > 0
        demands = demands + sold
        share = np.where(demands <= start, 1 / np.maximum(demands, 1), weight)
        first = sold & np.isnan(size)
        size = np.where(first, value, np.where(sold, size + share * (value - size), size))
        gap = np.where(first, since, np.where(sold, gap + share * (since - gap), gap))
        since = np.where(sold, 0.0, since)
    return (1 - weight / 2) * size / gap


def smooth_tsb(values: np.ndarray, *, size_weight: float = 0.1, chance_weight: float = 0.1) -> np.ndarray:
    """Return the Teunter–Syntetos–Babai forecast, one value a series: its chance of demand falls in silent periods too.

    Notes
    -----
    z as in Croston's method; chance of demand d ← d + β (1{y > 0} − d) in every period. Forecast d z. Source: Teunter, Syntetos
    and Babai (2011), Intermittent demand: linking forecasting to inventory obsolescence, European Journal of Operational Research
    214, p. 606.

    Examples
    --------
    One demand of 10, then a silent period: the chance falls from 1 to 0.9.

    >>> smooth_tsb(np.array([[10.0, 0]])).tolist()
    [9.0]
    """
    size, chance = (np.full(len(values), np.nan) for _ in range(2))
    for now in range(values.shape[1]):
        value = values[:, now]
        known, sold = np.isfinite(value), value > 0
        size = np.where(sold & np.isnan(size), value, np.where(sold, size + size_weight * (value - size), size))
        moved = np.where(np.isnan(chance), sold.astype(float), chance + chance_weight * (sold - chance))
        chance = np.where(known, moved, chance)
    return size * chance


def smooth_imapa(values: np.ndarray) -> np.ndarray:
    """Return IMAPA, one value a series: exponential smoothing at every level of aggregation in time, averaged.

    Notes
    -----
    For k = 1 … mean interval between demands (rounded): add up blocks of k periods from the newest back, smooth them with the
    best of the weights 0.1 … 0.3, divide by k; the mean over k. Source: Petropoulos and Kourentzes (2015), Forecast
    combinations for intermittent demand, Journal of the Operational Research Society 66, 914–924.

    Examples
    --------
    >>> smooth_imapa(np.full((1, 20), 3.0)).tolist()
    [3.0]
    """
    known = np.isfinite(values)
    packed = np.take_along_axis(values, np.argsort(known, axis=1, kind="stable"), axis=1)  # the known ones at the end
    levels = _mean_interval(packed)
    total, periods = np.zeros(len(values)), values.shape[1]
    for size in range(1, int(levels.max(initial=0)) + 1):
        rows = np.flatnonzero(levels >= size)
        blocks = packed[rows][:, periods % size :].reshape(len(rows), periods // size, size).sum(axis=2)
        level, _ = smooth_level(blocks, weights=IMAPA_WEIGHTS)
        total[rows] += level / size
    return np.divide(total, levels, out=np.full(len(values), np.nan), where=levels > 0)


def _mean_interval(packed: np.ndarray) -> np.ndarray:
    """Known periods up to the last demand, over the demands, rounded; 0 for a series without demand."""
    sold = packed > 0
    count = sold.sum(axis=1)
    last = packed.shape[1] - sold[:, ::-1].argmax(axis=1)
    until = last - (~np.isfinite(packed)).sum(axis=1)
    mean = np.divide(until, count, out=np.zeros(len(packed)), where=count > 0)
    return np.where(count > 0, np.maximum(np.round(mean), 1), 0).astype(np.int64)
