"""Levels of many series as products of factors, and how much a series' own few values count: multiplicative credibility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# variance of a value grows with this power of its mean [exponent]
POWER = 1.5
# a factor needs the weight of so many series to count half [series]
FACTOR_PRIOR = 2.0
# a series counts half with so many periods [periods]
SERIES_PRIOR = 2.0
_ROUNDS = 12
# bounds of the variance between series around their expected level, relative to its square [ratio]
_BETWEEN = (0.02, 25.0)
# a level counts as at most so many times what the other factors say, a variance as so many times the usual one [ratio]
MOST_TIMES = 20.0


@dataclass(frozen=True)
class Levels:
    """What each series' level was, and what its kin say of it.

    Attributes
    ----------
    own, exposure : numpy.ndarray
        Mean demand per period of full exposure [sales units] (0 where nothing is known), and periods of exposure [periods].
    expected : numpy.ndarray
        Product of base and factors [sales units], NaN where there is no base.
    between : float or None
        Variance of a series' level around the expected one, relative to its square [ratio]; None with too few series to tell.
    noise : float
        Variance of a period's demand divided by its mean to the power `POWER`.
    launch : numpy.ndarray or float
        Variance of the first periods' level around the later one, relative to its square; 0 unless the product is new
        everywhere [ratio].
    """

    own: np.ndarray
    exposure: np.ndarray
    expected: np.ndarray
    between: float | None
    noise: float
    launch: np.ndarray | float = 0.0


def fit_levels(
    demand: np.ndarray,
    exposure: np.ndarray,
    *,
    ways: Mapping[str, np.ndarray],
    least_exposure: float,
    left_out: np.ndarray | None = None,
    silent: bool = False,
    launch: np.ndarray | None = None,
) -> Levels:
    """Return each series' own level in the columns given and the level expected from its groups.

    Parameters
    ----------
    demand : numpy.ndarray
        Series × periods, deseasonalised [sales units].
    exposure : numpy.ndarray
        What one period counts for, series × periods [periods], NaN where demand is not known.
    ways : mapping of str to numpy.ndarray
        Number of the group of each series for each way of grouping, −1 = none.
    least_exposure : float
        Series with less do not tell how far levels differ from the expected ones [periods].
    left_out : numpy.ndarray, optional
        Series that shape no factor (bool), to see what their kin alone say of them.
    silent : bool
        Whether series without any demand shape the factors too: what to expect of one that may never sell.
    launch : numpy.ndarray, optional
        As in `Levels`, above 0 for series whose product is new everywhere. The product's factor is then drawn to 1 by
        b / (b + launch), b the variance of the other products' factors: all its customers are at the same place of one launch.

    Notes
    -----
    expected_i = base · Π_k f_k(i). A group's factor is f = z · Σ w s^(1−p) y / Σ w s^(2−p) + 1 − z, y the own levels, s the
    product of base and the other factors, p = 1.5, w = e / (e + 2) with e periods of exposure, z = n / (n + 2) with n = Σ w;
    all factors in turn, twelve times. Between the ratio of sums (p = 1, the largest series decide) and the mean of ratios (p = 2,
    the oddest do). Source: Ohlsson (2008), Combining generalized linear models and credibility models in practice,
    Scandinavian Actuarial Journal 2008, 301–314, equation (3.6) with a fixed ratio of variances.
    """
    known = np.isfinite(exposure) & np.isfinite(demand)
    value, count = np.where(known, demand, 0.0), np.where(known, exposure, 0.0)
    total = count.sum(axis=1)
    own = np.divide(value.sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
    counted = (total > 0) & ((own > 0) | silent)
    weight = np.where(counted, total / (total + SERIES_PRIOR), 0.0)
    weight = weight if left_out is None else np.where(left_out, 0.0, weight)
    new = np.zeros(len(own)) if launch is None else launch
    expected = _expected(own, weight, ways, new)
    noise = _noise(value, count, known, own)
    least = np.where(counted, least_exposure, np.inf)
    between = _between(own, total, expected, weight, noise, least)
    return Levels(own, total, expected, between, noise, new)


def pair_credibility(levels: Levels, rows: np.ndarray, *, trust: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the level of some series from their kin and their own values, and the variances of level and of a period.

    Parameters
    ----------
    levels : Levels
        With a variance between series.
    rows : numpy.ndarray
        Numbers of the series.
    trust : float
        What the periods that the kin are worth are multiplied by, above 1 where kin told more than the variances say [ratio].

    Returns
    -------
    level : numpy.ndarray
        Z · own + (1 − Z) · expected [sales units].
    of_level, of_period : numpy.ndarray
        Variance of the true level around `level`, of a period's demand around its level [sales units²].

    Notes
    -----
    With m the expected level, τ² m² the variance between levels, φ m^p that of a period and λ that of launches:
    Z = e / (e (1 + λ / τ²) + φ m^(p−2) / τ²), and the variance that remains is m² (τ² (1 − Z) + λ). For Poisson demand,
    gamma-distributed levels (p = 1) and no launch this is the posterior mean.
    Source: Bühlmann and Gisler (2005), A Course in Credibility Theory and its Applications, theorems 4.2 and 4.3.

    Examples
    --------
    Kin say 4, two periods showed 10; with τ² = 1, φ = 4 and p = 1.5 a period's noise is worth 4 · 4^(−½) = 2 periods.

    >>> levels = Levels(np.array([10.0]), np.array([2.0]), np.array([4.0]), between=1.0, noise=4.0)
    >>> [part.tolist() for part in pair_credibility(levels, np.array([0]))][:2]
    [[7.0], [8.0]]
    """
    assert levels.between is not None
    expected = levels.expected[rows]
    worth = trust * levels.noise * np.maximum(expected, 1e-12) ** (POWER - 2) / levels.between
    launch = np.broadcast_to(levels.launch, levels.own.shape)[rows]
    share = levels.exposure[rows] / (levels.exposure[rows] * (1 + launch / levels.between) + worth)
    level = share * levels.own[rows] + (1 - share) * expected
    return level, (levels.between * (1 - share) + launch) * expected**2, levels.noise * level**POWER


def _expected(own: np.ndarray, weight: np.ndarray, ways: Mapping[str, np.ndarray], launch: np.ndarray) -> np.ndarray:
    told = (weight > 0) & (own > 0)
    if not told.any():
        return np.full(len(own), np.nan)
    base = float(np.exp(np.average(np.log(own[told]), weights=weight[told])))
    numbers = {name: np.where(number < 0, number.max(initial=-1) + 1, number) for name, number in ways.items()}
    factors = {name: np.ones(len(own)) for name in ways}
    for _ in range(_ROUNDS):
        for name, number in numbers.items():
            rest = np.maximum(base * _product(factors, len(own), but=name), 1e-12)
            size = weight * rest ** (1 - POWER)
            seen, meant, count = (
                np.bincount(number, part) for part in (size * np.minimum(own, MOST_TIMES * rest), size * rest, weight)
            )
            share = count / (count + FACTOR_PRIOR)
            factor = share * np.divide(seen, meant, out=np.ones(len(seen)), where=meant > 0) + 1 - share
            factors[name] = np.where(ways[name] < 0, 1.0, factor[number])
        rest = np.maximum(_product(factors, len(own)), 1e-12)
        size = weight * rest ** (1 - POWER)
        base = float((size * np.minimum(own, MOST_TIMES * base * rest)).sum() / (size * rest).sum())
    if (launch > 0).any() and "product" in factors:
        grown = (launch <= 0) & (weight > 0)
        _, first = np.unique(numbers["product"][grown], return_index=True)
        between = max(float(((factors["product"][grown][first] - 1) ** 2).mean()), _BETWEEN[0]) if len(first) else 1.0
        factors["product"] = 1 + between / (between + launch) * (factors["product"] - 1)
    return base * _product(factors, len(own))


def _product(factors: Mapping[str, np.ndarray], count: int, *, but: str = "") -> np.ndarray:
    result = np.ones(count)
    for name, factor in factors.items():
        if name != but:
            result = result * factor
    return result


def _noise(value: np.ndarray, count: np.ndarray, known: np.ndarray, own: np.ndarray) -> float:
    """Variance of a period over its mean to the power `POWER`, pooled."""
    number = known.sum(axis=1)
    used = (number >= 2) & (own > 0)
    mean = count[used] * own[used, None]
    square = np.where(known[used], (value[used] - mean) ** 2, 0.0).sum(axis=1) * number[used] / (number[used] - 1)
    size = np.where(known[used], mean**POWER, 0.0).sum(axis=1)
    if not used.any():
        return 1.0
    each = square / size
    usual = float(np.median(each))
    return float(np.average(np.minimum(each, MOST_TIMES * usual) if usual > 0 else each, weights=number[used]))


def _between(
    own: np.ndarray, exposure: np.ndarray, expected: np.ndarray, weight: np.ndarray, noise: float, least: np.ndarray
) -> float | None:
    used = (exposure >= least) & (np.nan_to_num(expected) > 0)
    if used.sum() < 2:
        return None
    mean = expected[used]
    if weight[used].sum() <= 0:
        return None
    square = np.minimum((own[used] / mean - 1) ** 2, MOST_TIMES**2) - noise * mean ** (POWER - 2) / exposure[used]
    return float(np.clip(np.average(square, weights=weight[used]), *_BETWEEN))
