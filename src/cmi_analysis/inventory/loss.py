"""Expected shortage n(y) = E(X − y)⁺ and chance of a shortage P(X > y), in closed form."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike


def normal_shortage(level: ArrayLike, *, mean: ArrayLike, sd: ArrayLike) -> np.ndarray:
    """Return the expected shortage of normal demand.

    n(y) = σ·[φ(z) − z·(1 − Φ(z))] with z = (y − μ)/σ (Silver, Pyke and Thomas 2017, appendix II; Zipkin 2000, section C.2).

    Examples
    --------
    The standard normal loss at z = 1 is 0.0833.

    >>> round(float(normal_shortage(1.0, mean=0.0, sd=1.0)), 4)
    0.0833
    """
    level, mean, sd = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in (level, mean, sd)))
    spread = np.where(sd > 0, sd, 1.0)
    z = (level - mean) / spread
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.where(sd > 0, spread * (density - z * scipy.special.ndtr(-z)), np.maximum(mean - level, 0.0))


def poisson_shortage(level: ArrayLike, *, mean: ArrayLike) -> np.ndarray:
    """Return the expected shortage of Poisson demand.

    n(y) = μ·P(X > y − 1) − y·P(X > y) for whole y, linear between (Zipkin 2000, section C.2.3).

    Examples
    --------
    With mean 1 and nothing in stock, one unit is short on average; with one unit, P(X = 0) = 0.3679 is.

    >>> [round(float(poisson_shortage(y, mean=1.0)), 4) for y in (0, 1)]
    [1.0, 0.3679]
    """
    level, mean = np.broadcast_arrays(np.asarray(level, dtype="float64"), np.asarray(mean, dtype="float64"))
    safe = np.maximum(mean, 1e-300)

    def whole(y: np.ndarray) -> np.ndarray:
        return mean * _poisson_above(y - 1, safe) - y * _poisson_above(y, safe)

    return _between(level, mean, whole)


def negative_binomial_shortage(level: ArrayLike, *, mean: ArrayLike, variance: ArrayLike) -> np.ndarray:
    """Return the expected shortage of negative binomial demand; Poisson where the variance does not exceed the mean.

    With r = μ²/(σ² − μ) and p = μ/σ²: n(y) = μ·P(X' > y − 1) − y·P(X > y), X' with r + 1 (Zipkin 2000, section C.2.3).

    Examples
    --------
    Geometric demand with mean 1 (r = 1, p = 1/2): n(y) = (1/2)^y.

    >>> [round(float(negative_binomial_shortage(y, mean=1.0, variance=2.0)), 4) for y in (0, 1, 2, 3)]
    [1.0, 0.5, 0.25, 0.125]
    """
    level, mean, variance = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in (level, mean, variance)))
    spread = variance > mean * (1 + 1e-9)
    shape, chance = _negative_binomial(mean, np.where(spread, variance, mean + 1.0))

    def whole(y: np.ndarray) -> np.ndarray:
        above = 1 - _nb_cdf(y, shape, chance)
        return mean * (1 - _nb_cdf(y - 1, shape + 1, chance)) - y * above

    return np.where(spread & (mean > 0), _between(level, mean, whole), poisson_shortage(level, mean=mean))


def gamma_shortage(level: ArrayLike, *, mean: ArrayLike, variance: ArrayLike) -> np.ndarray:
    """Return the expected shortage of gamma demand.

    With shape a = μ²/σ² and scale b = σ²/μ: n(y) = μ·P(X' > y) − y·P(X > y), X' with shape a + 1 (Burgin 1975; Zipkin 2000,
    section C.2.3).

    Examples
    --------
    Exponential demand with mean 2: n(y) = 2·exp(−y/2).

    >>> round(float(gamma_shortage(2.0, mean=2.0, variance=4.0)), 4)
    0.7358
    """
    level, mean, variance = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in (level, mean, variance)))
    known = (mean > 0) & (variance > 0)
    shape = np.where(known, mean**2 / np.where(known, variance, 1.0), 1.0)
    x = np.maximum(level, 0.0) / np.where(known, np.where(known, variance, 1.0) / np.where(known, mean, 1.0), 1.0)
    short = mean * scipy.special.gammaincc(shape + 1, x) - np.maximum(level, 0.0) * scipy.special.gammaincc(shape, x)
    inside = np.where(known, short, np.maximum(mean - np.maximum(level, 0.0), 0.0))
    return np.where(level < 0, mean - level, np.maximum(inside, 0.0))


def expected_shortage(level: ArrayLike, *, mean: ArrayLike, variance: ArrayLike) -> np.ndarray:
    """Return E(X − y)⁺ of demand with a known mean and variance: negative binomial up to 500 units on average, gamma above.

    Parameters
    ----------
    level : array_like
        Stock available [units]; below zero it is a backlog and everything is short.
    mean, variance : array_like
        Of the demand [units, units²].

    Returns
    -------
    numpy.ndarray
        Expected shortage [units].
    """
    level, mean, variance = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in (level, mean, variance)))
    small = negative_binomial_shortage(level, mean=np.minimum(mean, 500.0), variance=np.where(mean > 500, 1000.0, variance))
    return np.where(mean > 500, gamma_shortage(level, mean=mean, variance=variance), small)


def shortage_chance(level: ArrayLike, *, mean: ArrayLike, variance: ArrayLike) -> np.ndarray:
    """Return P(X > y) of demand with a known mean and variance: negative binomial up to 500 units on average, gamma above.

    Examples
    --------
    Geometric demand with mean 1: P(X > 2) = (1/2)³.

    >>> float(shortage_chance(2.0, mean=1.0, variance=2.0))
    0.125
    """
    level, mean, variance = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in (level, mean, variance)))
    positive = mean > 0
    safe_mean = np.where(positive, mean, 1.0)
    spread = variance > safe_mean * (1 + 1e-9)
    shape, chance = _negative_binomial(safe_mean, np.where(spread, variance, safe_mean + 1.0))
    y = np.floor(np.maximum(level, 0.0))
    discrete = np.where(spread, 1 - _nb_cdf(y, shape, chance), _poisson_above(y, safe_mean))
    safe_variance = np.where(variance > 0, variance, 1.0)
    smooth = scipy.special.gammaincc(safe_mean**2 / safe_variance, np.maximum(level, 0.0) * safe_mean / safe_variance)
    above = np.where(mean > 500, smooth, discrete)
    return np.where(level < 0, 1.0, np.where(positive, np.clip(above, 0.0, 1.0), 0.0))


def _poisson_above(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return P(X > y) of Poisson demand for whole y."""
    return np.where(y < 0, 1.0, scipy.special.gammainc(np.maximum(y, 0.0) + 1, mean))


def _negative_binomial(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    safe = np.maximum(mean, 1e-12)
    return safe**2 / np.maximum(variance - safe, 1e-12), np.clip(safe / np.maximum(variance, 1e-12), 1e-12, 1 - 1e-12)


def _nb_cdf(y: np.ndarray, shape: np.ndarray, chance: np.ndarray) -> np.ndarray:
    return np.where(y < 0, 0.0, scipy.special.betainc(shape, np.maximum(y, 0.0) + 1, chance))


def _between(level: np.ndarray, mean: np.ndarray, whole) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return n at any level: exact at whole levels, linear between, mean − level below zero."""
    held = np.maximum(level, 0.0)
    low = np.floor(held)
    at_low = whole(low)
    inside = at_low + (held - low) * (whole(low + 1) - at_low)
    return np.where(level < 0, mean - level, np.maximum(inside, 0.0))
