"""Distributions that the size of a demand may have: gamma, lognormal and count shapes, their likelihood and their pmf."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy

_GAMMA = np.exp(np.linspace(np.log(0.03), np.log(2.8), 48))
_HEAVY = np.exp(np.linspace(np.log(0.3), np.log(2.2), 24))
_COUNT = np.array([0.0, 0.05, 0.15, 0.4, 1.0, 2.5])
_FIRST_COUNT = len(_GAMMA) + len(_HEAVY)
_SMALL = 12
"""Sizes up to here are counted in whole units; above, a gamma or lognormal size is taken as continuous."""


def _shapes() -> dict[str, np.ndarray]:
    """Return for each shape its squared coefficient of variation, whether a count's 1/mean comes on top, and its first weight."""
    cvs = np.concatenate([_GAMMA, _HEAVY])
    weight = np.exp(-0.5 * ((np.log(cvs) - np.log(0.6)) / 0.9) ** 2)
    weight[len(_GAMMA) :] *= 0.1
    return {
        "square": np.concatenate([cvs**2, _COUNT]),
        "counted": np.concatenate([np.zeros(len(cvs)), np.ones(len(_COUNT))]),
        "weight": np.concatenate([weight, np.full(len(_COUNT), weight.sum() * 0.05)]),
    }


SHAPES = _shapes()
"""The shapes kept apart: gamma and lognormal sizes by coefficient of variation, rounded to whole units of at least 1; and zero-
truncated negative binomial counts by 1/r (0: Poisson, 1: geometric)."""


def size_likelihood(sizes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the log likelihood of each item's sizes, items × shapes × means.

    Parameters
    ----------
    sizes : numpy.ndarray
        Items × periods, whole; zeros are periods without demand [units].
    means : numpy.ndarray
        Mean sizes to look at, items × shapes × means [units].
    """
    values = np.empty_like(means)
    rounded = slice(0, _FIRST_COUNT)
    values[:, rounded] = _continuous_likelihood(np.where(sizes > _SMALL, sizes, 0.0), means[:, rounded])
    counted = np.where(sizes <= _SMALL, sizes, 0.0)
    for row in np.flatnonzero(counted.any(axis=1)):
        values[row, rounded] += _rounded_likelihood(counted[row], means[row, rounded])
    values[:, _FIRST_COUNT:] = _count_likelihood(sizes, means[:, _FIRST_COUNT:])
    return values


def _continuous_likelihood(sizes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the log likelihood of gamma and lognormal sizes taken as continuous; zeros are left out."""
    total, logs = sizes.sum(axis=1)[:, None, None], np.log(np.maximum(sizes, 1.0))
    first, second, count = (value.sum(axis=1)[:, None, None] for value in (logs, logs**2, sizes > 0))
    values = np.empty_like(means)
    gamma, heavy = slice(0, len(_GAMMA)), slice(len(_GAMMA), None)
    shape = (1 / _GAMMA**2)[None, :, None]
    rate = shape / means[:, gamma]
    values[:, gamma] = count * (shape * np.log(rate) - scipy.special.gammaln(shape)) + (shape - 1) * first - rate * total
    square = np.log1p(_HEAVY**2)[None, :, None]
    middle = np.log(means[:, heavy]) - square / 2
    values[:, heavy] = -(second - 2 * middle * first + count * middle**2) / (2 * square) - first
    values[:, heavy] -= count * np.log(2 * np.pi * square) / 2
    return values


def _rounded_likelihood(sizes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the log likelihood of one item's small whole sizes, shapes × means."""
    value, count = np.unique(sizes[sizes > 0], return_counts=True)
    place = np.arange(_FIRST_COUNT)[:, None, None]
    upper = _cumulative(place, (value + 0.5) / means[:, :, None])
    lower = _cumulative(place, np.where(value > 1, value - 0.5, 0.0) / means[:, :, None])
    return (count * np.log(np.maximum(upper - lower, 1e-30))).sum(axis=2)


def _count_likelihood(sizes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the log likelihood of zero-truncated counts, items × count shapes × means."""
    total, count = sizes.sum(axis=1)[:, None], (sizes > 0).sum(axis=1)[:, None]
    fixed = np.where(sizes > 0, scipy.special.gammaln(sizes + 1), 0.0).sum(axis=1)[:, None]
    values = np.empty_like(means)
    for place, inverse in enumerate(_COUNT):
        log_none, log_step = _count_terms(inverse, means[:, place])
        gathered = 0.0
        if inverse > 0:
            start = scipy.special.gammaln(1 / inverse)
            gathered = np.where(sizes > 0, scipy.special.gammaln(sizes + 1 / inverse) - start, 0.0).sum(axis=1)[:, None]
        values[:, place] = gathered - fixed + total * log_step + count * (log_none - np.log(-np.expm1(log_none)))
    return values


def _count_terms(inverse: float, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log P(0) and the log of the factor per unit of the count whose mean, given that it is not zero, is `mean`."""
    full = np.exp(np.interp(np.log(np.maximum(mean - 1, 1e-9)), *_full_means(inverse)))
    if inverse == 0:
        return -full, np.log(full)
    return -np.log1p(full * inverse) / inverse, np.log(full * inverse / (1 + full * inverse))


@lru_cache(maxsize=16)
def _full_means(inverse: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the logs of (mean given not zero) − 1 and of the mean over all, as a table."""
    logs = np.linspace(-22.0, 18.0, 4001)
    full = np.exp(logs)
    log_none = -full if inverse == 0 else -np.log1p(full * inverse) / inverse
    given = full / -np.expm1(log_none) - 1
    small = full < 1e-4
    given[small] = full[small] * (1 + inverse) / 2
    return np.log(given), logs


_TABLE_START, _TABLE_STEP, _TABLE_POINTS = -16.0, 0.0025, 8400


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    """Return the distribution function of size ÷ mean size, shapes × points evenly spaced in its logarithm."""
    logs = _TABLE_START + _TABLE_STEP * np.arange(_TABLE_POINTS)
    shape, spread = (1 / _GAMMA**2)[:, None], np.sqrt(np.log1p(_HEAVY**2))[:, None]
    heavy = scipy.special.ndtr((logs + spread**2 / 2) / spread)
    return np.concatenate([scipy.special.gammainc(shape, np.exp(logs) * shape), heavy]).ravel()


def _cumulative(place: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return P(size ÷ mean size ≤ x) of gamma and lognormal shapes, from a table, linear in log x.

    The error is at most 3e-4 at the smallest coefficient of variation and 1e-5 from 0.2 on, far below what a history can tell.
    """
    at = (np.log(np.maximum(x, 1e-300)) - _TABLE_START) / _TABLE_STEP
    at = np.clip(at, 0.0, _TABLE_POINTS - 1.001)
    low = at.astype("int64")
    share = at - low
    start = place * _TABLE_POINTS + low
    table = _table()
    return np.where(x > 0, table[start] * (1 - share) + table[start + 1] * share, 0.0)


def size_square(shape: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the squared coefficient of variation of sizes of some shape and mean (of counts: before zero is cut off) [ratio]."""
    return SHAPES["square"][shape] + SHAPES["counted"][shape] / np.maximum(mean, 1.0)


def nearest_shape(shape: np.ndarray, cv: np.ndarray) -> np.ndarray:
    """Return the lognormal shape (for lognormal ones) or else the gamma shape with the nearest coefficient of variation."""
    logs = np.log(np.clip(cv, 1e-6, None))
    gamma = np.round((logs - np.log(_GAMMA[0])) / np.log(_GAMMA[1] / _GAMMA[0]))
    heavy = np.round((logs - np.log(_HEAVY[0])) / np.log(_HEAVY[1] / _HEAVY[0]))
    is_heavy = (shape >= len(_GAMMA)) & (shape < _FIRST_COUNT) & (cv >= _HEAVY[0])
    top = len(_GAMMA) - 1
    return np.where(is_heavy, top + 1 + np.clip(heavy, 0, len(_HEAVY) - 1), np.clip(gamma, 0, top)).astype("int64")


def size_pmf(shape: np.ndarray, mean: np.ndarray, *, single: np.ndarray, points: int) -> np.ndarray:
    """Return the chance of sizes of 0, 1, 2, … steps; what lies beyond stands on the last point.

    Parameters
    ----------
    shape : numpy.ndarray
        Places in `SHAPES`, items × draws.
    mean : numpy.ndarray
        Mean sizes in steps, items × draws.
    single : numpy.ndarray of bool
        For each item: a step is one unit, so no size is 0 and counts are exact; elsewhere a count is taken as the gamma size with
        the same variation.
    points : int
        Points of the result.
    """
    count = (shape >= _FIRST_COUNT) & single[:, None]
    rounded = np.where(shape >= _FIRST_COUNT, nearest_shape(shape, np.sqrt(size_square(shape, mean))), shape)
    pmf = np.zeros((*shape.shape, points))
    below = _cumulative(rounded[~count][:, None], (np.arange(points) + 0.5) / mean[~count][:, None])
    part = np.diff(below, axis=1, prepend=0.0)
    part[:, -1] += 1 - below[:, -1]
    low = np.broadcast_to(single[:, None], shape.shape)[~count]
    part[low, 1] += part[low, 0]
    part[low, 0] = 0.0
    pmf[~count] = part
    units = np.arange(points)
    for place, inverse in enumerate(_COUNT):
        chosen = count & (shape == _FIRST_COUNT + place)
        if chosen.any():
            log_none, log_step = (value[:, None] for value in _count_terms(inverse, mean[chosen]))
            ways = -scipy.special.gammaln(units + 1)
            if inverse > 0:
                ways = ways + scipy.special.gammaln(units + 1 / inverse) - scipy.special.gammaln(1 / inverse)
            values = np.exp(ways + units * log_step + log_none - np.log(-np.expm1(log_none)))
            values[:, 0] = 0.0
            values[:, -1] += np.maximum(1 - values.sum(axis=1), 0.0)
            pmf[chosen] = values
    return pmf
