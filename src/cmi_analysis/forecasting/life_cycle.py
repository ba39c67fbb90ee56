"""New, active, ending, dead: where a series stands in its life, judged by its own rhythm and by that of its kin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STATES = ("new", "active", "ending", "dead")
# expected false alarms a year for a living series: by its own silence, and by that of each kind of kin (product, customer);
# together below one in a hundred
OWN_RATE, KIN_RATE = 0.004, 0.002
# a chance of demand moves with time, so that even a long life tells no more of it than so many periods
MOST_EVIDENCE = 26
_LEAST_SILENCE = {52: 6, 12: 3}


def classify_life_cycle(
    quantity: np.ndarray,
    *,
    in_stock: np.ndarray,
    periods_per_year: int,
    ends_after: np.ndarray | None = None,
    horizon: int = 0,
    season: np.ndarray | None = None,
    kin: Sequence[np.ndarray] = (),
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
    season : numpy.ndarray, optional
        Seasonal index by series and period (mean 1): a silent period of low season says less.
    kin : sequence of numpy.ndarray
        Labels by series (its product, its customer); series of one label end together where all of them fall silent.

    Notes
    -----
    Dead: over by agreement; or silent, with stock, for longer than a living series of its rhythm would be more than once in 250
    years (`silence_limit`); or all its kin silent for so long (`silent_kin`); or without demand and without stock for a
    year. Ending: an agreed end within the horizon, or more than half of the series' own limit of silence. New: first row within
    the last half year, and not at the data's beginning.
    """
    silent, limit = silence_limit(quantity, in_stock=in_stock, periods_per_year=periods_per_year, season=season)
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
    over = silent >= limit
    for labels in kin:
        over |= silent_kin(quantity, labels, in_stock=in_stock, periods_per_year=periods_per_year, season=season)
    dead = (left <= 0) | (sold.any(axis=1) & (over | uncarried))
    ending = (left <= horizon) | (sold.any(axis=1) & (silent >= np.ceil(limit / 2)))
    new = (periods - start <= periods_per_year // 2) & (start > 3)
    return np.select([dead, new, ending], ["dead", "new", "ending"], default="active").astype(object)


def silence_limit(
    quantity: np.ndarray, *, in_stock: np.ndarray, periods_per_year: int, season: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return how long each series has been silent while it had stock, and from what length on that means dead [periods].

    Parameters
    ----------
    quantity, in_stock, periods_per_year, season
        As in `classify_life_cycle`. A period whose index is below 1 counts as that share of a silent period.

    Notes
    -----
    With a chance p of demand in a period, a silence of z periods begins about p · n times in a year of n periods and comes
    true with chance (1 − p)^z. Of p is known what the series' life tells, a beta distribution with a = demands + ½ and
    b = periods from first to last demand − demands + ½, so that n · E[p · (1 − p)^z] = n · B(a + 1, b + z) / B(a, b). The limit
    is the least z at which this is 0.004 or less, but at least 6 weeks or 3 months and at most two years; with fewer than three
    demands it is one year. Where nothing is known of stock, a silence may be a stock-out: then it is half a year at least. A
    life of more than 26 periods tells as much as 26 of the same share with demand, because p moves with season and trend.
    Source: Fader and Hardie (2007), How to project customer retention, Journal of Interactive Marketing 21, 76–90 (the chance of
    a run whose rate is drawn from a beta distribution).

    Examples
    --------
    Demand in every one of 20 weeks, then 8 silent ones: the limit is the least there is.

    >>> weeks = np.array([[5.0] * 20 + [0.0] * 8])
    >>> [values.tolist() for values in silence_limit(weeks, in_stock=np.ones((1, 28)), periods_per_year=52)]
    [[8.0], [6.0]]
    """
    weight, last, alpha, beta = _rhythm(quantity, in_stock, season)
    silent = np.where(np.arange(quantity.shape[1]) > last[:, None], weight, 0.0).sum(axis=1)
    lengths = np.arange(1, 2 * periods_per_year + 1)
    begins = np.log(periods_per_year * alpha / (alpha + beta))
    step = np.log1p(-(alpha + 1)[:, None] / ((alpha + beta)[:, None] + lengths))  # B(a, b + 1) / B(a, b) = b / (a + b)
    few = begins[:, None] + np.cumsum(step, axis=1) <= np.log(OWN_RATE)
    limit = np.where(few.any(axis=1), lengths[few.argmax(axis=1)], lengths[-1]).astype(float)
    limit = np.maximum(limit, _LEAST_SILENCE.get(periods_per_year, 6))
    unwatched = ~np.isfinite(in_stock).any(axis=1)
    limit = np.where(unwatched, np.maximum(limit, periods_per_year // 2), limit)
    return silent, np.where((quantity > 0).sum(axis=1) < 3, float(periods_per_year), limit)


def silent_kin(
    quantity: np.ndarray, labels: np.ndarray, *, in_stock: np.ndarray, periods_per_year: int, season: np.ndarray | None = None
) -> np.ndarray:
    """Tell which series belong to a label whose series have all been silent for longer than living ones would be.

    Parameters
    ----------
    quantity, in_stock, periods_per_year, season
        As in `classify_life_cycle`.
    labels : numpy.ndarray
        What each series has in common with others, its product for example.

    Notes
    -----
    A product that ended is silent at all its customers at once, which is told much sooner than by each of them alone: with
    chances p_i, a common silence in which series i was in stock for z_i periods has the chance Π E[(1 − p_i)^z_i]
    = Π B(a_i, b_i + z_i) / B(a_i, b_i). Dead where n times this and the chance of its beginning, 1 − Π(1 − E p_i), is 0.002 or
    less, and the silence as long as the least limit of `silence_limit`. Series count whose stock is known and that were not
    silent beyond their own limit when the common silence began; two at least.
    """
    periods = quantity.shape[1]
    code = np.unique(np.asarray(labels).astype(str), return_inverse=True)[1]
    weight, last, alpha, beta = _rhythm(quantity, in_stock, season)
    silent, limit = silence_limit(quantity, in_stock=in_stock, periods_per_year=periods_per_year, season=season)
    newest = np.full(int(code.max(initial=-1)) + 1, -1)
    np.maximum.at(newest, code, last)
    common = np.where(np.arange(periods) > newest[code][:, None], weight, 0.0).sum(axis=1)
    told = (last >= 0) & np.isfinite(in_stock).any(axis=1) & (silent - common < limit)
    count = np.bincount(code, told, len(newest))
    chance = np.bincount(code, np.where(told, _log_silence(alpha, beta, common), 0.0), len(newest))
    begins = 1 - np.exp(np.bincount(code, np.where(told, np.log1p(-alpha / (alpha + beta)), 0.0), len(newest)))
    longest = np.zeros(len(newest))
    np.maximum.at(longest, code, np.where(told, common, 0.0))
    rare = np.log(np.maximum(periods_per_year * begins, 1e-300)) + chance <= np.log(KIN_RATE)
    return (rare & (count >= 2) & (longest >= _LEAST_SILENCE.get(periods_per_year, 6)))[code]


def _rhythm(
    quantity: np.ndarray, in_stock: np.ndarray, season: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weight of each period as a silent one, column of the last demand (−1: none), and what is known of the chance of demand."""
    sold = quantity > 0
    counted = np.isfinite(quantity) & ~((in_stock <= 0) & ~sold)
    weight = counted * (1.0 if season is None else np.clip(season, 0.0, 1.0))
    demands = sold.sum(axis=1)
    columns = np.arange(quantity.shape[1])
    first = np.where(demands > 0, sold.argmax(axis=1), len(columns))[:, None]
    last = np.where(demands > 0, len(columns) - 1 - sold[:, ::-1].argmax(axis=1), -1)
    life = (counted & (columns >= first) & (columns <= last[:, None])).sum(axis=1)
    worth = np.minimum(1.0, MOST_EVIDENCE / np.maximum(life, 1))
    return weight, last, worth * demands + 0.5, worth * (life - demands) + 0.5


def _log_silence(alpha: np.ndarray, beta: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return log E[(1 − p)^length] for p from a beta distribution."""
    from scipy.special import betaln

    return betaln(alpha, beta + length) - betaln(alpha, beta)
