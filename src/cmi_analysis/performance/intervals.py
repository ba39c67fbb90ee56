"""Intervals of shares: Wilson for independent things, cluster bootstrap for order lines."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

_Z95 = 1.959963984540054
_MOST_DRAWN = 2_000_000


def wilson_interval(successes: float, cases: float, *, z: float = _Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a share of independent cases (Wilson, 1927; Brown, Cai and DasGupta, 2001, eq. 4).

    Parameters
    ----------
    successes, cases : float
        Counts; no case gives (nan, nan).
    z : float
        Normal quantile; the default is that of 95 %.

    Examples
    --------
    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not cases > 0:
        return math.nan, math.nan
    share = successes / cases
    centre = (share + z * z / (2 * cases)) / (1 + z * z / cases)
    half = z / (1 + z * z / cases) * math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))
    return max(0.0, centre - half), min(1.0, centre + half)


def cluster_bootstrap(parts: pd.DataFrame, *, cluster: str, draws: int = 400, seed: int = 1) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of Σ numerator / Σ denominator, whole clusters drawn together.

    Lines of one order (or of one week) succeed and fail together, so the plain interval of a share is too narrow.

    Parameters
    ----------
    parts : DataFrame
        Columns numerator, denominator and `cluster`.
    cluster : str
        Column of the cluster.
    draws, seed : int
        Number of resamples (fewer for very many clusters) and their seed.

    Returns
    -------
    tuple of float
        (nan, nan) with fewer than two clusters.
    """
    sums = parts.groupby(cluster, sort=True)[["numerator", "denominator"]].sum().to_numpy(float)
    count = len(sums)
    if count < 2 or sums[:, 1].sum() <= 0:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    draws = max(100, min(draws, _MOST_DRAWN // count))
    drawn = np.empty(draws)
    for at in range(draws):
        total = sums[rng.integers(0, count, count)].sum(axis=0)
        drawn[at] = total[0] / total[1] if total[1] > 0 else np.nan
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)
