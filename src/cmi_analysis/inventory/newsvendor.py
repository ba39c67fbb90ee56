"""Quantities for a single period: one order, one selling season, what is left over loses value.

Order of events: the order arrives; demand of the period is met from stock; each unit left over costs `holding_cost`, each unit
short costs `shortage_cost`. A base-stock level with lead time L, reviewed every R days, is the same with demand over L + R.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.loss import gamma_shortage, normal_shortage, poisson_shortage
from cmi_analysis.inventory.value_checks import check_not_negative, check_positive

DISTRIBUTIONS = ("normal", "poisson", "gamma", "lognormal", "uniform")
"""Distributions of demand that are known by their mean and standard deviation."""


def newsvendor_normal(*, holding_cost: float, shortage_cost: float, mean: float, sd: float) -> float:
    """Return the level with the least expected holding and shortage cost for one period of normal demand.

    S = μ + σ·Φ⁻¹(p/(p + h)) (Snyder and Shen 2019, section 4.3).

    Examples
    --------
    Snyder and Shen (2019), example 4.3.

    >>> round(newsvendor_normal(holding_cost=0.18, shortage_cost=0.70, mean=50, sd=8), 1)
    56.6
    """
    check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    check_not_negative(sd=sd)
    return float(mean + sd * scipy.special.ndtri(shortage_cost / (shortage_cost + holding_cost)))


def newsvendor_discrete(probabilities: ArrayLike, *, holding_cost: float, shortage_cost: float) -> int:
    """Return the smallest whole level S with P(X ≤ S) ≥ p/(p + h).

    Snyder and Shen (2019), section 4.3. The base-stock level of a one-for-one policy is the same with lead-time demand.

    Parameters
    ----------
    probabilities : array_like
        Chance of demand 0, 1, 2, … [fraction].
    holding_cost, shortage_cost : float
        Of one unit left over and one unit short [money].

    Raises
    ------
    InputError
        A cost is not above zero, or the chances are below zero or do not sum to 1.

    Examples
    --------
    >>> newsvendor_discrete([0.25, 0.25, 0.25, 0.25], holding_cost=1, shortage_cost=1)
    1
    """
    check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    chances = _chances(probabilities)
    reached = np.cumsum(chances) >= shortage_cost / (shortage_cost + holding_cost) - 1e-12
    return int(np.argmax(reached)) if reached.any() else len(chances) - 1


def fit_newsvendor(
    mean: ArrayLike, *, sd: ArrayLike = 0.0, holding_cost: ArrayLike, shortage_cost: ArrayLike, distribution: str = "normal"
) -> pd.DataFrame:
    """Return each item's level with the least expected cost, what is left over, what is short and what it costs.

    S = F⁻¹(p/(p + h)), the smallest whole one for Poisson demand; cost h·E(S − X)⁺ + p·E(X − S)⁺ (Snyder and Shen 2019,
    section 4.3; lognormal and gamma by their quantiles).

    Parameters
    ----------
    mean, sd : array_like
        Mean and standard deviation of the period's demand itself (not of its logarithm) [units]; `sd` is not used for Poisson.
        Normal demand is not cut at zero.
    holding_cost, shortage_cost : array_like
        Of one unit left over and one unit short [money].
    distribution : str
        One of `DISTRIBUTIONS`.

    Raises
    ------
    InputError
        An unknown distribution, a cost not above zero, a mean or standard deviation below zero.

    Returns
    -------
    pandas.DataFrame
        level, leftover, short [units], cost [money], critical_ratio [fraction].

    Examples
    --------
    Snyder and Shen (2019), example 4.3.

    >>> fit_newsvendor(50, sd=8, holding_cost=0.18, shortage_cost=0.70)[["level", "cost"]].round(2).to_numpy().tolist()
    [[56.6, 2.0]]
    """
    check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    check_not_negative(mean=mean, sd=sd)
    names = (mean, sd, holding_cost, shortage_cost)
    middle, spread, over, under = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype="float64")) for value in names))
    level = _quantile(under / (under + over), mean=middle, sd=spread, distribution=distribution)
    return _outcome(level, mean=middle, sd=spread, over=over, under=under, distribution=distribution)


def newsvendor_outcome(
    level: ArrayLike,
    *,
    mean: ArrayLike,
    sd: ArrayLike = 0.0,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    distribution: str = "normal",
) -> pd.DataFrame:
    """Return what any level leaves over, leaves short and costs on average.

    Parameters
    ----------
    level : array_like
        S [units].
    mean, sd, holding_cost, shortage_cost, distribution
        As in `fit_newsvendor`.

    Returns
    -------
    pandas.DataFrame
        As `fit_newsvendor`.

    Examples
    --------
    Snyder and Shen (2019), example 4.3 with S = 40.

    >>> round(float(newsvendor_outcome(40, mean=50, sd=8, holding_cost=0.18, shortage_cost=0.70)["cost"].iloc[0]), 3)
    7.356
    """
    check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    check_not_negative(mean=mean, sd=sd)
    names = (level, mean, sd, holding_cost, shortage_cost)
    stock, middle, spread, over, under = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(value, dtype="float64")) for value in names)
    )
    return _outcome(stock, mean=middle, sd=spread, over=over, under=under, distribution=distribution)


def newsvendor_cost_discrete(
    level: ArrayLike, *, probabilities: ArrayLike, holding_cost: float, shortage_cost: float
) -> np.ndarray:
    """Return the expected cost of each level for demand with known chances of 0, 1, 2, … units.

    h·Σ(S − x)⁺f(x) + p·Σ(x − S)⁺f(x) (Snyder and Shen 2019, section 4.3).

    Parameters
    ----------
    level : array_like
        S [units].
    probabilities, holding_cost, shortage_cost
        As in `newsvendor_discrete`.

    Examples
    --------
    Demand 0 or 2 with equal chances, one unit in stock: one unit left over or one short.

    >>> float(newsvendor_cost_discrete(1, probabilities=[0.5, 0, 0.5], holding_cost=1, shortage_cost=4))
    2.5
    """
    check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    chances = _chances(probabilities)
    gap = np.asarray(level, dtype="float64")[..., None] - np.arange(len(chances))
    return (chances * (holding_cost * np.maximum(gap, 0.0) + shortage_cost * np.maximum(-gap, 0.0))).sum(axis=-1)


def fit_short_life(
    mean: ArrayLike,
    *,
    sd: ArrayLike = 0.0,
    price: ArrayLike,
    unit_cost: ArrayLike,
    salvage_value: ArrayLike = 0.0,
    goodwill_cost: ArrayLike = 0.0,
    distribution: str = "normal",
) -> pd.DataFrame:
    """Return the order for an item with one selling season, with its expected sales and profit.

    F(Q) = (p − c + g)/(p − v + g); profit (p − c)·E X − (c − v)·E(Q − X)⁺ − (p − c + g)·E(X − Q)⁺ (Silver, Pyke and Thomas 2017,
    chapter 9; Nahmias 2009, section 5.3).

    Parameters
    ----------
    mean, sd, distribution
        As in `fit_newsvendor`.
    price, unit_cost, salvage_value : array_like
        p, c and v of one unit [money]; a salvage value below zero is a cost of disposal.
    goodwill_cost : array_like
        g, lost beside the margin with each unit short [money].

    Raises
    ------
    InputError
        Not price above unit cost above salvage value.

    Returns
    -------
    pandas.DataFrame
        As `fit_newsvendor`, with sales [units] and profit [money].

    Examples
    --------
    Price 10, cost 4, salvage 1: ratio 6/9. Demand 100 ± 20: Q = 100 + 20·0.4307.

    >>> order = fit_short_life(100, sd=20, price=10, unit_cost=4, salvage_value=1)
    >>> round(float(order["level"].iloc[0]), 1)
    108.6
    """
    check_not_negative(goodwill_cost=goodwill_cost)
    sold, bought, saved, goodwill = (
        np.asarray(value, dtype="float64") for value in (price, unit_cost, salvage_value, goodwill_cost)
    )
    if not np.all((sold > bought) & (bought > saved)):
        raise InputError(
            expected="price above unit_cost above salvage_value",
            found=f"price {sold}, unit_cost {bought}, salvage_value {saved}",
            fix="An item that earns nothing is not ordered; one that loses nothing when left over has no limit.",
        )
    under, over = sold - bought + goodwill, bought - saved
    result = fit_newsvendor(mean, sd=sd, holding_cost=over, shortage_cost=under, distribution=distribution)
    expected = np.broadcast_to(np.asarray(mean, dtype="float64"), len(result))
    return result.assign(sales=expected - result["short"], profit=(sold - bought) * expected - result["cost"])


def _chances(probabilities: ArrayLike) -> np.ndarray:
    chances = np.asarray(probabilities, dtype="float64")
    if chances.ndim != 1 or not len(chances) or not np.all(chances >= 0) or abs(chances.sum() - 1) > 1e-6:
        raise InputError(
            expected="chances of demand 0, 1, 2, … of zero or more that sum to 1",
            found=f"shape {chances.shape}, sum {chances.sum():.6g}",
            fix="Give one chance for each whole demand, up to where the rest is negligible.",
        )
    return chances


def _outcome(
    level: np.ndarray, *, mean: np.ndarray, sd: np.ndarray, over: np.ndarray, under: np.ndarray, distribution: str
) -> pd.DataFrame:
    short = _shortage(level, mean=mean, sd=sd, distribution=distribution)
    leftover = np.maximum(level - mean + short, 0.0)
    cost = over * leftover + under * short
    return pd.DataFrame(
        {"level": level, "leftover": leftover, "short": short, "cost": cost, "critical_ratio": under / (under + over)}
    )


def _quantile(ratio: np.ndarray, *, mean: np.ndarray, sd: np.ndarray, distribution: str) -> np.ndarray:
    """Return the level at which the chance of no shortage is `ratio`; the mean where nothing varies."""
    _check_distribution(distribution)
    if distribution == "poisson":
        found = np.ceil(scipy.special.pdtrik(ratio, np.where(mean > 0, mean, 1.0)) - 1e-9)
        lower = np.maximum(found - 1, 0.0)
        reached = scipy.special.pdtr(lower, np.where(mean > 0, mean, 1.0)) >= ratio * (1 - 1e-12)
        return np.where(mean > 0, np.where(reached, lower, np.maximum(found, 0.0)), 0.0)
    varies = (sd > 0) & (mean > 0) if distribution != "normal" else sd > 0
    centre, spread = np.where(varies, mean, 1.0), np.where(varies, sd, 1.0)
    if distribution == "normal":
        level = centre + spread * scipy.special.ndtri(ratio)
    elif distribution == "gamma":
        level = scipy.special.gammaincinv(centre**2 / spread**2, ratio) * spread**2 / centre
    elif distribution == "uniform":
        level = centre + np.sqrt(3.0) * spread * (2 * ratio - 1)
    else:
        place, width = _logarithms(centre, spread)
        level = np.exp(place + width * scipy.special.ndtri(ratio))
    return np.where(varies, level, mean)


def _shortage(level: np.ndarray, *, mean: np.ndarray, sd: np.ndarray, distribution: str) -> np.ndarray:
    _check_distribution(distribution)
    if distribution == "normal":
        return normal_shortage(level, mean=mean, sd=sd)
    if distribution == "poisson":
        return poisson_shortage(level, mean=mean)
    if distribution == "gamma":
        return gamma_shortage(level, mean=mean, variance=sd**2)
    if distribution == "uniform":
        return _uniform_shortage(level, mean=mean, sd=sd)
    return _lognormal_shortage(level, mean=mean, sd=sd)


def _uniform_shortage(level: np.ndarray, *, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return n(y) = (b − y)²/(2(b − a)) between a and b, mean ± √3·sd."""
    half = np.sqrt(3.0) * sd
    inside = np.minimum(mean + half - level, 2 * half) ** 2 / np.where(half > 0, 4 * half, 1.0)
    return np.where(level >= mean + half, 0.0, np.where(level <= mean - half, mean - level, inside))


def _lognormal_shortage(level: np.ndarray, *, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return n(y) = μ·Φ((m + s² − ln y)/s) − y·Φ((m − ln y)/s), m and s those of the logarithm."""
    known = (mean > 0) & (sd > 0)
    place, width = _logarithms(np.where(known, mean, 1.0), np.where(known, sd, 1.0))
    log_level = np.log(np.maximum(level, 1e-300))
    above = (place - log_level) / width
    inside = mean * scipy.special.ndtr(above + width) - level * scipy.special.ndtr(above)
    return np.where(known & (level > 0), np.maximum(inside, 0.0), np.maximum(mean - level, 0.0))


def _logarithms(mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the logarithm of lognormal demand."""
    variance = np.log1p((sd / mean) ** 2)
    return np.log(mean) - variance / 2, np.sqrt(variance)


def _check_distribution(distribution: str) -> None:
    if distribution not in DISTRIBUTIONS:
        raise InputError(
            expected=f"a distribution out of {', '.join(DISTRIBUTIONS)}",
            found=repr(distribution),
            fix="For any other demand give its chances to newsvendor_discrete.",
        )
