"""What past launches teach: the profile of demand after a launch, and how well kin foretold it at the same age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cmi_analysis.forecasting.credibility import Levels, fit_levels, pair_credibility

# a launch counts as seen when it lies more than so many periods after the data's beginning [periods]
SEEN_AFTER = 3
# how many launches the flat profile counts for, and a category's own profile the general one [series]
PROFILE_PRIOR = 30.0
# weights of kin that are tried, as multiples of what the variances say [ratio]
TRUSTS = (0.1, 0.3, 1.0)
USUAL_TRUST = 0.3
# one series in so many is forecast as if it were new
_EVERY = 3
# fewer trials than this teach nothing; what no trial says counts for so many [series]
LEAST_TRIALS, TRIAL_PRIOR = 20, 10.0
# a squared error counts as at most so many times its expectation [ratio]
_MOST_SQUARE = 400.0


@dataclass(frozen=True)
class Trial:
    """How kin foretold series as if these were new, by number of their own known periods.

    Attributes
    ----------
    lengths : numpy.ndarray
        Numbers of known periods tried.
    trust : float
        Multiple of the weight of kin with the lowest score [ratio].
    width : numpy.ndarray
        Mean squared error against the variance expected, series that had sold, by length [ratio].
    silent : numpy.ndarray
        The same of series that had sold nothing.
    """

    lengths: np.ndarray
    trust: float
    width: np.ndarray
    silent: np.ndarray

    def at(self, periods: np.ndarray) -> np.ndarray:
        """Return the place of the longest length that is no longer than each number of known periods."""
        return np.clip(np.searchsorted(self.lengths, periods, side="right") - 1, 0, len(self.lengths) - 1)


@dataclass(frozen=True)
class _Case:
    """Series as if they had been known for some periods only: their levels, and what followed (NaN unknown) with its exposure."""

    levels: Levels
    actual: np.ndarray
    exposure: np.ndarray


def launch_profile(demand: np.ndarray, *, start: np.ndarray, category: np.ndarray, year: int) -> np.ndarray:
    """Return demand by age relative to the level half a year to a year after launch, by category; the last row is for none.

    Parameters
    ----------
    demand : numpy.ndarray
        Series × known periods, deseasonalised [sales units].
    start, category : numpy.ndarray
        First column of each series; number of its category, −1 = none.
    year : int
        52 or 12.

    Returns
    -------
    numpy.ndarray
        Categories + 1 × (year / 2 + 1) [ratio]; the last column, for later ages, is 1.
    """
    ages = year // 2
    column = start[:, None] + np.arange(2 * ages)[None, :]
    inside = column < demand.shape[1]
    aligned = np.where(inside, np.take_along_axis(demand, np.minimum(column, demand.shape[1] - 1), axis=1), np.nan)
    late = np.isfinite(aligned[:, ages:])
    level = np.where(late, aligned[:, ages:], 0).sum(axis=1) / np.maximum(late.sum(axis=1), 1)
    used = (start > SEEN_AFTER) & (late.sum(axis=1) >= max(3, ages // 4)) & (level > 0)
    own, level, first = category[used], level[used], aligned[used, :ages]
    result = np.ones((int(category.max(initial=-1)) + 2, ages + 1))
    result[:, :ages] = _shrunk_profile(first, level, np.ones(ages))
    for number in np.unique(own[own >= 0]):
        here = own == number
        result[number, :ages] = _shrunk_profile(first[here], level[here], result[-1, :ages])
    return result


def _shrunk_profile(demand: np.ndarray, level: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Demand by age over level, both summed over series and neighbouring ages, as if more of them had followed `prior`."""
    if not len(level):
        return prior
    known = np.isfinite(demand)
    more = PROFILE_PRIOR * level.mean()
    width = max(len(prior) // 12, 1)
    seen, meant = np.where(known, demand, 0).sum(axis=0) + more * prior, (known * level[:, None]).sum(axis=0) + more
    near = np.abs(np.subtract.outer(np.arange(len(prior)), np.arange(len(prior)))) <= width
    return (near @ seen) / (near @ meant)


def try_kin(
    demand: np.ndarray,
    exposure: np.ndarray,
    *,
    start: np.ndarray,
    grown: np.ndarray,
    ways: Mapping[str, np.ndarray],
    year: int,
    shortest: int,
    horizon: int,
) -> Trial:
    """Return how kin foretell series of which only the first few periods are known.

    Parameters
    ----------
    demand, exposure : numpy.ndarray
        As in `fit_levels`, all known periods.
    start, grown : numpy.ndarray
        First column of each series, and whether it is old enough to be tried.
    ways : mapping of str to numpy.ndarray
        As in `fit_levels`.
    year, shortest, horizon : int
        Periods a year; known periods from which on a series is not short; periods foretold.

    Notes
    -----
    Every third grown series is left out of the factors and foretold for the next `horizon` periods from its first 1, 2, …
    periods, where enough launches were seen, else from as many before the last ones. The multiple of the kin's weight with the
    least (Σ|F − A| + |Σ(F − A)|) / ΣA is taken: what one knows of a level after a few periods depends on how demand starts.
    """
    launched = grown & (start > SEEN_AFTER) & (start + shortest + horizon <= demand.shape[1])
    tried = np.flatnonzero(launched if launched.sum() >= _EVERY * LEAST_TRIALS else grown)[::_EVERY]
    left_out = np.isin(np.arange(len(demand)), tried)
    recent = slice(-year, None)
    about = {"ways": ways, "least_exposure": shortest, "left_out": left_out}
    lengths = np.unique([1, 2, max(shortest // 2, 1), shortest - 1])
    plain = Trial(lengths, USUAL_TRUST, np.ones(len(lengths)), np.ones(len(lengths)))
    cases: dict[bool, list[_Case]] = {}
    for silent in (False, True):
        levels = fit_levels(demand[:, recent], exposure[:, recent], silent=silent, **about)
        if levels.between is None:
            return plain
        when = {"start": start, "horizon": horizon, "silent": silent}
        cases[silent] = [_case(demand, exposure, levels, tried, length=length, **when) for length in lengths]
    if min(len(case.actual) for case in cases[False]) < LEAST_TRIALS:
        return plain
    trust = min(TRUSTS, key=lambda value: (_score(cases[False], value), abs(np.log(value / USUAL_TRUST))))
    sold, silent_width = (
        np.array([_width(case, 1.0 if silent else trust) for case in cases[silent]]) for silent in (False, True)
    )
    return Trial(lengths, trust, sold, silent_width)


def _case(
    demand: np.ndarray,
    exposure: np.ndarray,
    levels: Levels,
    tried: np.ndarray,
    *,
    start: np.ndarray,
    length: int,
    horizon: int,
    silent: bool,
) -> _Case:
    """Those that had sold in their first `length` periods, or those that had not."""
    end = demand.shape[1]
    first = np.where(start > SEEN_AFTER, start, end - horizon - length)[tried]
    inside = (first >= start[tried]) & (first + length < end)
    rows, first = tried[inside], first[inside]
    column = first[:, None] + np.arange(length + horizon)[None, :]
    there = column < end
    value, count = (np.where(there, part[rows[:, None], np.minimum(column, end - 1)], np.nan) for part in (demand, exposure))
    told = np.isfinite(value) & np.isfinite(count)
    value, count = np.where(told, value, np.nan), np.where(told, count, 0.0)
    total = count[:, :length].sum(axis=1)
    own = np.divide(np.nansum(value[:, :length], axis=1), total, out=np.zeros(len(rows)), where=total > 0)
    kept = (own > 0) != silent
    seen = Levels(own[kept], total[kept], levels.expected[rows][kept], levels.between, levels.noise)
    return _Case(seen, value[kept, length:], count[kept, length:])


def _foretold(case: _Case, trust: float) -> tuple[np.ndarray, np.ndarray]:
    level, of_level, of_period = pair_credibility(case.levels, np.arange(len(case.actual)), trust=trust)
    return level[:, None] * case.exposure, of_level + of_period


def _score(cases: list[_Case], trust: float) -> float:
    total = error = actual = 0.0
    for case in cases:
        forecast, _ = _foretold(case, trust)
        used = np.isfinite(case.actual) & np.isfinite(forecast)
        gap = (forecast - case.actual)[used]
        total, error, actual = total + np.abs(gap).sum(), error + gap.sum(), actual + case.actual[used].sum()
    return (total + abs(error)) / max(actual, 1e-12)


def _width(case: _Case, trust: float) -> float:
    """Mean squared error against the variance expected, drawn to 1."""
    forecast, variance = _foretold(case, trust)
    known = np.isfinite(case.actual) & np.isfinite(forecast) & (variance > 0)[:, None]
    square = np.where(known, case.actual - forecast, 0) ** 2 / np.where(variance > 0, variance, 1.0)[:, None]
    each = np.minimum(square, _MOST_SQUARE).sum(axis=1)[known.any(axis=1)] / known.sum(axis=1)[known.any(axis=1)]
    return float((each.sum() + TRIAL_PRIOR) / (len(each) + TRIAL_PRIOR))
