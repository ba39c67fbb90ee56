"""How good a forecast was: pooled measures, each a ratio of sums; missing where the denominator is zero, never infinite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def wape(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Return the weighted absolute percentage error, Σ|A − F| / ΣA [ratio].

    Pairs with a missing value are left out; missing where nothing was wanted at all.

    Examples
    --------
    >>> wape([10, 0, 30], [12, 4, 26])
    0.25
    """
    a, f = _pairs(actual, forecast)
    return _ratio(np.abs(a - f).sum(), a.sum())


def bias(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Return Σ(F − A) / ΣA [ratio]; positive: too much was forecast.

    Examples
    --------
    >>> bias([10, 0, 30], [12, 4, 26])
    0.05
    """
    a, f = _pairs(actual, forecast)
    return _ratio((f - a).sum(), a.sum())


def mase(actual: ArrayLike, forecast: ArrayLike, scale: ArrayLike) -> float:
    """Return the mean of |A − F| / scale, the scale being each series' mean absolute one-step change in its history [ratio].

    Rows whose scale is zero or missing (a history of zeros) are left out; missing if none remains. Source: Hyndman and Koehler
    (2006), Another look at measures of forecast accuracy, International Journal of Forecasting 22, p. 685.

    Examples
    --------
    >>> mase([10, 5], [12, 6], [4, 0])
    0.5
    """
    a, f, s = (np.asarray(values, dtype=float) for values in (actual, forecast, scale))
    usable = np.isfinite(a) & np.isfinite(f) & (s > 0)
    return _ratio((np.abs(a - f)[usable] / s[usable]).sum(), usable.sum())


def rmsse(actual: ArrayLike, forecast: ArrayLike, scale: ArrayLike) -> float:
    """Return √ of the mean of (A − F)² / scale², the scale being each series' root mean square one-step change [ratio].

    Rows whose scale is zero or missing are left out. Source: Makridakis, Spiliotis and Assimakopoulos (2022), M5 accuracy
    competition, International Journal of Forecasting 38, p. 1350; here pooled over rows before the root.

    Examples
    --------
    >>> rmsse([10, 5], [13, 9], [3, 4])
    1.0
    """
    a, f, s = (np.asarray(values, dtype=float) for values in (actual, forecast, scale))
    usable = np.isfinite(a) & np.isfinite(f) & (s > 0)
    return float(np.sqrt(_ratio(((a - f)[usable] ** 2 / s[usable] ** 2).sum(), usable.sum())))


def pinball(actual: ArrayLike, quantile: ArrayLike, *, level: float) -> float:
    """Return the mean quantile loss: level · (A − Q) where A ≥ Q, else (1 − level) · (Q − A) [sales units].

    Examples
    --------
    One too low by 2, one too high by 10, at the 90 % quantile: (1.8 + 1)/2.

    >>> pinball([12, 0], [10, 10], level=0.9)
    1.4
    """
    a, q = _pairs(actual, quantile)
    return _ratio(np.where(a >= q, level * (a - q), (1 - level) * (q - a)).sum(), len(a))


def coverage(actual: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Return the share of actuals within [low, high], the bounds included [fraction].

    Examples
    --------
    >>> coverage([1, 5, 9, 12], [1, 1, 1, 1], [10, 10, 10, 10])
    0.75
    """
    a, lower, upper = (np.asarray(values, dtype=float) for values in (actual, low, high))
    usable = np.isfinite(a) & np.isfinite(lower) & np.isfinite(upper)
    return _ratio(((a >= lower) & (a <= upper))[usable].sum(), usable.sum())


def score_accuracy(frame: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Return the pooled measures of each group of forecasts.

    Parameters
    ----------
    frame : pandas.DataFrame
        `by`, ``actual``, ``mean`` [sales units]; optional ``naive_mean`` and ``naive_rms``: mean absolute and root mean square
        one-step change of the series' history [sales units].
    by : sequence of str
        Columns to group by; none: one row.

    Returns
    -------
    pandas.DataFrame
        `by`, ``n`` [forecasts scored], ``demand`` [sales units], ``wape, bias`` [ratio], ``mase, rmsse`` [ratio], ``unscaled``
        [forecasts left out of these two, because the history does not change], sorted by `by`.
    """
    rows = frame[frame["actual"].notna() & frame["mean"].notna()]
    keys = list(by)
    parts = rows[keys].assign(actual=rows["actual"].astype("float64"), error=rows["mean"] - rows["actual"], n=1)
    parts["absolute"] = parts["error"].abs()
    for name, scale, power in (("mase", "naive_mean", 1), ("rmsse", "naive_rms", 2)):
        size = rows[scale].where(rows[scale] > 0) if scale in rows else pd.Series(np.nan, index=rows.index)
        parts[name] = (parts["absolute"] / size) ** power
    parts["unscaled"] = parts["mase"].isna().astype("int64")
    if keys:
        grouped = parts.groupby(keys, sort=True, observed=True)
        sums = grouped[["n", "actual", "error", "absolute", "unscaled"]].sum()
        means = grouped[["mase", "rmsse"]].mean()
    else:
        sums = parts[["n", "actual", "error", "absolute", "unscaled"]].sum().to_frame().T
        means = parts[["mase", "rmsse"]].mean().to_frame().T
    demand = sums["actual"].where(sums["actual"] > 0)
    result = pd.DataFrame({"n": sums["n"].astype("int64"), "demand": sums["actual"]})
    result["wape"], result["bias"] = sums["absolute"] / demand, sums["error"] / demand
    result["mase"], result["rmsse"] = means["mase"], np.sqrt(means["rmsse"])
    result["unscaled"] = sums["unscaled"].astype("int64")
    return result.reset_index(drop=not keys)


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    usable = np.isfinite(one) & np.isfinite(two)
    return one[usable], two[usable]


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else float("nan")
