"""New, active, ending, dead: where a series stands in its life, judged by its own rhythm."""

from __future__ import annotations

import numpy as np

STATES = ("new", "active", "ending", "dead")
# chance a year that a living series with the same rhythm is called dead
FALSE_DEAD_RATE = 0.01
_LEAST_SILENCE = {52: 6, 12: 3}


def classify_life_cycle(
    quantity: np.ndarray, *, in_stock: np.ndarray, periods_per_year: int, ends_after: np.ndarray | None = None, horizon: int = 0
) -> np.ndarray:
    """Return the state of each series at its last column: new, active, ending or dead.

    Parameters
    ----------
    quantity : numpy.ndarray
        Sales by series and period, NaN before the series starts and where unknown [sales units].
    in_stock : numpy.ndarray
        Fraction of the period with stock, NaN = taken as 1.
    periods_per_year : int
        52 or 12.
    ends_after : numpy.ndarray, optional
        Periods of life left by agreement (an end date of product or assortment), NaN = none known; 0 or less = over [periods].
    horizon : int
        An agreed end within it makes a series "ending" [periods].

    Notes
    -----
    Dead: over by agreement; or silent, with stock, for longer than a living series of its rhythm would be more than once in a
    hundred years (`silence_limit`); or without demand and without stock for a year. Ending: an agreed end within the horizon, or
    more than half of that silence. New: first row within the last half year, and not at the data's beginning.
    """
    silent, limit = silence_limit(quantity, in_stock=in_stock, periods_per_year=periods_per_year)
    periods = quantity.shape[1]
    sold = quantity > 0
    since = np.where(sold.any(axis=1), sold[:, ::-1].argmax(axis=1), periods)
    carried = in_stock > 0
    since_stock = np.where(carried.any(axis=1), carried[:, ::-1].argmax(axis=1), periods)
    watched = np.isfinite(in_stock).sum(axis=1) >= periods_per_year
    uncarried = (since >= periods_per_year) & watched & (since_stock >= periods_per_year)
    left = np.full(len(quantity), np.inf) if ends_after is None else np.where(np.isnan(ends_after), np.inf, ends_after)
    present = np.isfinite(quantity)
    start = np.where(present.any(axis=1), present.argmax(axis=1), 0)
    dead = (left <= 0) | (sold.any(axis=1) & ((silent >= limit) | uncarried))
    ending = (left <= horizon) | (sold.any(axis=1) & (silent >= np.ceil(limit / 2)))
    new = (periods - start <= periods_per_year // 2) & (start > 3)
    return np.select([dead, new, ending], ["dead", "new", "ending"], default="active").astype(object)


def silence_limit(quantity: np.ndarray, *, in_stock: np.ndarray, periods_per_year: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how long each series has been silent while it had stock, and from what length on that means dead [periods].

    Notes
    -----
    With a chance p of demand in a period, a silence of z periods begins about p · n times in a year of n periods and comes
    true with chance (1 − p)^z: the limit is the least z with n · p · (1 − p)^z ≤ 0.01, but at least 6 weeks or 3 months and at
    most two years. p is (demands + ½) / (periods from first to last demand + 1); with fewer than three demands the limit is
    one year. Where nothing is known of stock, a silence may be a stock-out: then the limit is half a year at least.

    Examples
    --------
    Demand in every one of 20 weeks, then 8 silent ones: p = 20.5/21, z = ceil(log(0.01/50.8)/log(0.0238)) = 3, so 6 weeks.

    >>> weeks = np.array([[5.0] * 20 + [0.0] * 8])
    >>> [values.tolist() for values in silence_limit(weeks, in_stock=np.ones((1, 28)), periods_per_year=52)]
    [[8], [6.0]]
    """
    periods = quantity.shape[1]
    sold = quantity > 0
    counted = np.isfinite(quantity) & ~((in_stock <= 0) & ~sold)
    demands = sold.sum(axis=1)
    columns = np.arange(periods)
    first = np.where(demands > 0, sold.argmax(axis=1), periods)[:, None]
    last = np.where(demands > 0, periods - 1 - sold[:, ::-1].argmax(axis=1), -1)[:, None]
    life = (counted & (columns >= first) & (columns <= last)).sum(axis=1)
    silent = (counted & (columns > last)).sum(axis=1)
    chance = np.clip((demands + 0.5) / (life + 1), 1e-6, 1 - 1e-6)
    limit = np.ceil(np.log(FALSE_DEAD_RATE / (periods_per_year * chance)) / np.log1p(-chance))
    limit = np.clip(limit, _LEAST_SILENCE.get(periods_per_year, 6), 2 * periods_per_year)
    unwatched = ~np.isfinite(in_stock).any(axis=1)
    limit = np.where(unwatched, np.maximum(limit, periods_per_year // 2), limit)
    return silent, np.where(demands < 3, float(periods_per_year), limit)
