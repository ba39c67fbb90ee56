"""What a short history says about an item's demand: draws of its possible parameters, learned with the other items' help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_sizes import SHAPES, size_likelihood

_CHANCES = scipy.special.expit(np.linspace(-5.5, 6.5, 121))
"""Chances of demand in a period that are kept apart; a last one of exactly 1 is added."""
_MEANS = scipy.special.ndtr(np.linspace(-3.2, 3.2, 13))
"""Levels at which the mean size is looked at, given its variation."""
_PRIOR_ITEMS = 2.0
"""Items that the prior before any data counts for."""


@dataclass(frozen=True)
class DemandPosterior:
    """Equally likely parameters of each item's demand in a period, items × draws.

    Attributes
    ----------
    chance : numpy.ndarray
        Chance that there is demand in a period [fraction].
    size_mean : numpy.ndarray
        Mean of the demand's size where there is any [units].
    size_shape : numpy.ndarray
        Place of the size's distribution in `cmi_analysis.inventory.demand_sizes.SHAPES`.
    unit : numpy.ndarray
        For each item the quantity of which every demand is a multiple; 1 unless five or more demands share a larger one [units].
    label : numpy.ndarray of str
        For each item: ``fitted``, ``one_demand``, ``no_demand`` (both lean on the other items) or ``outlier`` (a demand above
        100 times the median of the item's others stands in the history and is believed).
    """

    chance: np.ndarray
    size_mean: np.ndarray
    size_shape: np.ndarray
    unit: np.ndarray
    label: np.ndarray

    def mean(self) -> np.ndarray:
        """Return the expected demand of a period over the draws [units]."""
        return (self.chance * self.size_mean).mean(axis=1)


def fit_demand_posterior(history: np.ndarray, *, draws: int = 64, seed: int = 0, passes: int = 25) -> DemandPosterior:
    """Return draws of what each item's demand may be, given its history and those of the other items.

    A period has demand with chance p, of a size that is gamma or lognormal with mean m and coefficient of variation c in whole
    units of at least 1, or a count (in whole packs where all of an item's demands are multiples of one). Each item's chance and
    shape are on a grid; how often each pair occurs among items is learned from all items by expectation and maximisation
    (empirical Bayes: Robbins 1956; Laird 1978), stopped after `passes` so that it stays smooth; log m is normal over the items.
    Given that, an item's own history gives its posterior, of which equally likely draws are taken (quasi-random, Halton).

    Parameters
    ----------
    history : numpy.ndarray
        Items × periods [units]; a missing period (not in the assortment, no stock) is left out. Demand without season or trend:
        divide by the forecast's index first.
    draws : int
        Draws of each item [count].
    seed : int
        Seed of the shift of the quasi-random numbers.
    passes : int
        Passes of expectation and maximisation.

    Raises
    ------
    InputError
        A demand is below zero, an item has no known period, or no item has any demand.

    Examples
    --------
    >>> posterior = fit_demand_posterior(np.array([[3.0, 0.0, 2.0, 4.0, 0.0, 3.0]] * 5))
    >>> posterior.chance.shape, bool(abs(posterior.mean()[0] - 2.0) < 0.4)
    ((5, 64), True)
    """
    rows = np.atleast_2d(np.asarray(history, dtype="float64"))
    _check_history(rows)
    hits, periods = (rows > 0).sum(axis=1), np.isfinite(rows).sum(axis=1)
    sizes = np.maximum(np.round(np.where(rows > 0, rows, 0.0)), (rows > 0).astype("float64"))
    unit = _common_unit(sizes, hits)
    sizes = sizes / unit[:, None]
    centre, spread = _prior_of_size(sizes, hits)
    chances = np.append(_CHANCES, 1.0)
    by_chance = _chance_likelihood(chances, hits, periods)
    means, by_mean = _size_likelihood(sizes, hits, centre=centre, spread=spread)
    by_cv = np.log(np.exp(by_mean - by_mean.max(axis=(1, 2), keepdims=True)).sum(axis=2) + 1e-300)
    by_cv = np.exp(by_cv - by_cv.max(axis=1, keepdims=True))
    weights = _learn_weights(by_chance, by_cv, start=_start_weights(chances), passes=passes)
    points = _halton(draws, len(rows), seed=seed)
    chance, place = _draw_pairs(by_chance, by_cv, weights, chances, points[:2])
    size_mean = _draw_means(means, by_mean, place, points[2]) * unit[:, None]
    return DemandPosterior(chance=chance, size_mean=size_mean, size_shape=place, unit=unit, label=_label(rows, hits))


def _check_history(rows: np.ndarray) -> None:
    known = np.isfinite(rows)
    empty = ~known.any(axis=1)
    if (rows[known] < 0).any() or empty.any() or not (rows[known] > 0).any():
        raise InputError(
            expected="demand of zero or more in at least one known period of each item, and some demand in all",
            found=f"{int((rows[known] < 0).sum())} negative periods, {int(empty.sum())} items without any period",
            fix="Book returns as supply, leave out items that were never sold, and give new ones a like item's history.",
        )


def _label(rows: np.ndarray, hits: np.ndarray) -> np.ndarray:
    positive = np.where(rows > 0, rows, np.nan)
    top = np.nanmax(np.where(hits[:, None] > 0, np.nan_to_num(positive, nan=-1.0), 0.0), axis=1)
    middle = np.array([np.median(row[row > 0]) if (row > 0).any() else 0.0 for row in np.nan_to_num(rows)])
    return np.select([hits == 0, hits == 1, top > 100 * middle], ["no_demand", "one_demand", "outlier"], "fitted")


def _common_unit(sizes: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Return the greatest common divisor of each item's demands where five or more share it, else 1 [units]."""
    divisor = np.gcd.reduce(sizes.astype("int64"), axis=1)
    return np.where(hits >= 5, np.maximum(divisor, 1), 1).astype("float64")


def _prior_of_size(sizes: np.ndarray, hits: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of the log mean size over the items, without the noise of short histories in it.

    A deviation of 1 counts as five items more.
    """
    seen = hits > 0
    mean = sizes[seen].sum(axis=1) / hits[seen]
    second = (sizes[seen] ** 2).sum(axis=1) / hits[seen]
    logs = np.log(mean)
    noise = np.where(hits[seen] > 1, second / mean**2 - 1, 0.5) / np.maximum(hits[seen] - 1, 1)
    own = max(float(logs.var() - noise.mean()), 0.05)
    return float(logs.mean()), float(np.sqrt((len(logs) * own + 5.0) / (len(logs) + 5.0)))


def _chance_likelihood(chances: np.ndarray, hits: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return items × chances: binomial likelihood, at most 1."""
    logs = scipy.special.xlogy(hits[:, None], chances) + scipy.special.xlog1py((periods - hits)[:, None], -chances)
    return np.exp(logs - logs.max(axis=1, keepdims=True))


def _size_likelihood(sizes: np.ndarray, hits: np.ndarray, *, centre: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean sizes looked at and the log of likelihood × prior × width of each, items × shapes × means."""
    number = np.maximum(hits, 1)[:, None]
    mean_of_log = np.where(hits > 0, np.log(np.maximum(sizes.sum(axis=1) / np.maximum(hits, 1), 1e-12)), centre)[:, None]
    # log m given the shape is about normal with the sample's and the prior's weight; wide enough for rounding and skewness
    square = SHAPES["square"] + SHAPES["counted"] * np.exp(-mean_of_log)
    own = (square + 0.1 * np.exp(-2 * np.minimum(mean_of_log, 20.0))) / number * np.where(SHAPES["square"] > 1, 2.0, 1.0)
    own = np.where(hits[:, None] > 0, own, np.inf)
    precision = 1 / own + 1 / spread**2
    middle = (mean_of_log / own + centre / spread**2) / precision
    width = 1 / np.sqrt(precision)
    logs = middle[:, :, None] + width[:, :, None] * scipy.special.ndtri(_MEANS)
    means = np.exp(logs)
    prior = -0.5 * ((logs - centre) / spread) ** 2 + np.log(width[:, :, None])
    return means, size_likelihood(sizes, means) + prior


def _start_weights(chances: np.ndarray) -> np.ndarray:
    """Return the prior before any data, chances × variations: Beta(½, ½) in the chance, broad in the variation."""
    by_chance = np.sqrt(chances * (1 - chances))
    by_chance[-1] = by_chance[:-1].sum() * 0.1
    by_cv = SHAPES["weight"]
    weights = by_chance[:, None] * by_cv
    return weights / weights.sum()


def _learn_weights(by_chance: np.ndarray, by_cv: np.ndarray, *, start: np.ndarray, passes: int) -> np.ndarray:
    """Return how likely each pair is over the items: posterior weights averaged, with the start counting as some items."""
    weights = start
    for _ in range(passes):
        total = np.einsum("ip,pc,ic->i", by_chance, weights, by_cv, optimize=True)
        seen = weights * (by_chance.T @ (by_cv / total[:, None]))
        weights = (seen + _PRIOR_ITEMS * start) / (len(by_chance) + _PRIOR_ITEMS)
    return weights


def _halton(draws: int, items: int, *, seed: int) -> np.ndarray:
    """Return 3 × items × draws: Halton points, shifted at random for each item, mixed so that the axes are not tied."""
    points = scipy.stats.qmc.Halton(3, scramble=False).random(draws + 1)[1:].T
    shift = np.random.default_rng(seed).random((3, items, 1))
    return (points[:, None, :] + shift) % 1.0


def _draw_pairs(
    by_chance: np.ndarray, by_cv: np.ndarray, weights: np.ndarray, chances: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each item's draws of the chance of demand and of the place of its variation."""
    chance, place = np.empty(points[0].shape), np.empty(points[0].shape, dtype="int64")
    edges = np.append(np.arange(len(chances) - 1) - 0.5, len(chances) - 1.5)
    grid = np.arange(len(chances) - 1)
    for row in range(len(by_chance)):
        joint = by_chance[row][:, None] * weights * by_cv[row]
        of_cv = joint.sum(axis=0).cumsum()
        place[row] = np.minimum(np.searchsorted(of_cv, points[0][row] * of_cv[-1]), len(SHAPES["weight"]) - 1)
        given = joint.cumsum(axis=0)[:, place[row]]
        target = points[1][row] * given[-1]
        at = np.minimum((given < target).sum(axis=0), len(chances) - 1)
        columns = np.arange(len(target))
        before = np.where(at > 0, given[at - 1, columns], 0.0)
        share = (target - before) / np.maximum(given[at, columns] - before, 1e-300)
        logit = np.interp(edges[at] + np.clip(share, 0.0, 1.0), grid, scipy.special.logit(chances[:-1]))
        chance[row] = np.where(at == len(chances) - 1, 1.0, scipy.special.expit(logit))
    return chance, place


def _draw_means(means: np.ndarray, by_mean: np.ndarray, place: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return each item's draws of the mean size given its variation, between the means looked at in proportion."""
    rows = np.arange(len(place))[:, None]
    logs, weight = np.log(means)[rows, place], by_mean[rows, place]
    weight = np.exp(weight - weight.max(axis=2, keepdims=True))
    between = (weight[:, :, 1:] + weight[:, :, :-1]) / 2
    reached = between.cumsum(axis=2) / between.sum(axis=2, keepdims=True)
    at = np.minimum((reached < points[:, :, None]).sum(axis=2), between.shape[2] - 1)[:, :, None]
    upper = np.take_along_axis(reached, at, axis=2)
    lower = np.where(at > 0, np.take_along_axis(reached, np.maximum(at - 1, 0), axis=2), 0.0)
    share = (points[:, :, None] - lower) / np.maximum(upper - lower, 1e-300)
    low, high = np.take_along_axis(logs, at, axis=2), np.take_along_axis(logs, at + 1, axis=2)
    return np.exp(low + np.clip(share, 0.0, 1.0) * (high - low))[:, :, 0]
