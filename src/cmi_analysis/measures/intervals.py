"""How sure a share or a ratio is: Wilson's interval, and a bootstrap over clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def wilson_interval(successes: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a share [fraction]; missing where there is no case.

    For independent cases only: order lines of one week or customer are not (use `bootstrap_ratio` with clusters). Source: Wilson
    (1927), Probable inference, Journal of the American Statistical Association 22, p. 211.

    Examples
    --------
    >>> [round(bound, 4) for bound in wilson_interval(8, 10)]
    [0.4902, 0.9433]
    """
    from scipy.special import ndtri

    if n <= 0:
        return float("nan"), float("nan")
    z, share = float(ndtri(0.5 + level / 2)), successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_ratio(
    numerator: ArrayLike, denominator: ArrayLike, *, clusters: ArrayLike, seed: int, draws: int = 999, level: float = 0.95
) -> tuple[float, float, float]:
    """Return Σ numerator / Σ denominator and its percentile interval, whole clusters drawn with replacement.

    Parameters
    ----------
    numerator, denominator : array-like
        One value a row; rows with a missing value are left out.
    clusters : array-like
        What is drawn: the series, customer or week of each row.
    seed : int
        Seed of the draws; the result does not depend on the order of the rows.
    draws, level
        Number of draws [count], share inside the interval [fraction].

    Returns
    -------
    tuple of float
        Value, lower and upper bound; the bounds are missing with fewer than five clusters.

    Notes
    -----
    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13 (percentile interval).
    """
    top, bottom = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    usable = np.isfinite(top) & np.isfinite(bottom)
    _, code = np.unique(np.asarray(clusters).astype(str)[usable], return_inverse=True)
    count = int(code.max()) + 1 if len(code) else 0
    if not count or bottom[usable].sum() == 0:
        return float("nan"), float("nan"), float("nan")
    tops, bottoms = (np.bincount(code, weights=values[usable], minlength=count) for values in (top, bottom))
    value = float(tops.sum() / bottoms.sum())
    if count < 5:
        return value, float("nan"), float("nan")
    weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws)
    drawn = weights @ bottoms
    ratios = np.divide(weights @ tops, drawn, out=np.full(draws, np.nan), where=drawn != 0)
    low, high = np.nanquantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return value, float(low), float(high)
