"""Lead-time demand that knows how little a short history tells, and the interval within which a promised service will lie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_posterior import DemandPosterior
from cmi_analysis.inventory.demand_sizes import nearest_shape, size_pmf, size_square
from cmi_analysis.inventory.lead_time_demand import GRID, LeadTimeDemand

_ITEMS_AT_ONCE = 16


def predict_lead_time_demand(
    posterior: DemandPosterior,
    *,
    times: np.ndarray,
    chances: np.ndarray,
    review: np.ndarray | int,
    parts: int = 1,
    points: int = GRID,
) -> tuple[LeadTimeDemand, LeadTimeDemand]:
    """Return the demand over lead time + review period, and over the lead time alone, with the parameters' uncertainty in it.

    The posterior predictive distribution: the mean over the draws of the exact distribution under each draw (Aitchison and
    Dunsmore 1975, section 2.2). A level whose cycle service under it is 95 % keeps 95 % on average over all that the history
    allows, and the expected shortage divided by the expected demand is the shelf fill to expect of many such items together.

    Parameters
    ----------
    posterior : DemandPosterior
        As from `fit_demand_posterior`.
    times, chances : numpy.ndarray
        Lead times [parts of a period] and their chances [fraction], items × points.
    review : numpy.ndarray or int
        Review period of each item [parts of a period].
    parts : int
        Parts of a period: 7 for weekly history with lead times in days. Demand of a part has 1/parts of the period's mean and
        variance, and parts without demand as independent days would have them.
    points : int
        Points of the grid. The step between them is the smallest whole number of units that holds all but 1e-6 of the demand.

    Raises
    ------
    InputError
        A lead time is below zero or not whole, or no time is protected at all.
    """
    long, short = np.zeros((2, len(posterior.chance), points))
    steps = []
    for rows, over, lead, step in _each_chunk(posterior, times, chances, review, parts, points):
        long[rows], short[rows] = over.mean(axis=1), lead.mean(axis=1)
        steps.append(step)
    values = np.concatenate(steps)[:, None] * np.arange(points)
    return LeadTimeDemand(values, long), LeadTimeDemand(values, short)


def score_promise(
    posterior: DemandPosterior,
    *,
    stock: np.ndarray,
    times: np.ndarray,
    chances: np.ndarray,
    review: np.ndarray | int,
    parts: int = 1,
    measure: str = "shelf_fill",
    coverage: float = 0.95,
    points: int = GRID,
) -> pd.DataFrame:
    """Return the service to expect of each item's order-up-to level, and the interval in which it lies by the history.

    Under each draw the service is exact: 1 − [n_{D(L+R)}(S) − n_{D(L)}(S)]/(R·μ), or P(D(L+R) ≤ S). The promise is the draws'
    mean (shelf fill: weighted by their demand); the interval cuts (1 − coverage)/2 of the draws on each side.

    Parameters
    ----------
    posterior, times, chances, review, parts, points
        As in `predict_lead_time_demand`.
    stock : numpy.ndarray
        Order-up-to level of each item [units].
    measure : {"shelf_fill", "cycle_service"}
        Share of demand met from the shelf, or chance of no stock-out in a cycle.
    coverage : float
        Chance that the interval holds the true service [fraction].

    Returns
    -------
    pandas.DataFrame
        promised (adds up over items weighted by `demand`), expected (plain mean over the draws: for a mean over items that
        counts each alike), low, high [fraction], demand (expected over the review period) [units].
    """
    if measure not in ("shelf_fill", "cycle_service") or not 0 < coverage < 1:
        raise InputError(
            expected="shelf_fill or cycle_service and a coverage between 0 and 1",
            found=f"{measure}, {coverage}",
            fix="Correct it.",
        )
    service, demand = np.zeros((2, *posterior.chance.shape))
    level = np.asarray(stock, dtype="float64")
    for rows, over, lead, step in _each_chunk(posterior, times, chances, review, parts, points):
        values = step[:, None] * np.arange(points)
        demand[rows] = _expect(over, values) - _expect(lead, values)
        if measure == "cycle_service":
            service[rows] = _expect(over, (values <= level[rows, None] + 1e-9).astype("float64"))
            continue
        above = np.maximum(values - level[rows, None], 0.0)
        service[rows] = 1 - (_expect(over, above) - _expect(lead, above)) / np.maximum(demand[rows], 1e-12)
    weight = np.ones_like(demand) if measure == "cycle_service" else np.maximum(demand, 1e-12)
    service = np.clip(service, 0.0, 1.0)
    edge = (1 - coverage) / 2
    low, high = np.quantile(service, [edge, 1 - edge], axis=1)
    promised = (service * weight).sum(axis=1) / weight.sum(axis=1)
    expected = service.mean(axis=1)
    return pd.DataFrame({"promised": promised, "expected": expected, "low": low, "high": high, "demand": demand.mean(axis=1)})


def _expect(pmf: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the expectation of each item's values under each of its draws, items × draws."""
    return np.matmul(pmf, values[:, :, None])[:, :, 0]


def _each_chunk(
    posterior: DemandPosterior, times: np.ndarray, chances: np.ndarray, review: np.ndarray | int, parts: int, points: int
) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield rows, demand over L + R and over L (items × draws × points), and steps, some items at a time."""
    count = len(posterior.chance)
    lead = np.broadcast_to(np.atleast_2d(np.asarray(times, dtype="float64")), (count, np.atleast_2d(times).shape[1]))
    share = np.broadcast_to(np.atleast_2d(np.asarray(chances, dtype="float64")), lead.shape)
    extra = np.broadcast_to(np.reshape(np.asarray(review, dtype="float64"), (-1, 1)), (count, 1))
    if (lead < 0).any() or (lead != np.round(lead)).any() or (extra < 0).any() or (extra != np.round(extra)).any():
        raise InputError(
            expected="whole lead times and review periods of zero or more",
            found=f"lead times from {lead.min()}, review from {extra.min()}",
            fix="Give them in whole parts of a period (days for weekly history with parts=7).",
        )
    steps = _steps(posterior, (lead + extra).max(axis=1) / parts, points)
    for start in range(0, count, _ITEMS_AT_ONCE):
        rows = slice(start, min(start + _ITEMS_AT_ONCE, count))
        waves, size = _waves(posterior, rows, steps[rows], parts, points)
        over = _over(waves, lead[rows] + extra[rows], share[rows], parts, points, size)
        yield rows, over, _over(waves, lead[rows], share[rows], parts, points, size), steps[rows]


def _steps(posterior: DemandPosterior, periods: np.ndarray, points: int) -> np.ndarray:
    """Return units between two points: whole, 1 where the grid holds the demand of nearly every draw."""
    mean = posterior.chance * posterior.size_mean * periods[:, None]
    square = size_square(posterior.size_shape, posterior.size_mean / posterior.unit[:, None])
    second = posterior.chance * posterior.size_mean**2 * (1 + square)
    variance = np.maximum(second - (posterior.chance * posterior.size_mean) ** 2, 1e-9) * np.maximum(periods, 1e-9)[:, None]
    safe = np.maximum(mean, 1e-9)
    far = scipy.special.gammainccinv(safe**2 / variance, 1e-5) * variance / safe
    far = np.maximum(far, safe + 5 * np.sqrt(variance))
    return posterior.unit * np.maximum(1.0, np.ceil(np.quantile(far, 0.99, axis=1) / posterior.unit / (points - 1)))


def _waves(
    posterior: DemandPosterior, rows: slice, step: np.ndarray, parts: int, points: int
) -> tuple[tuple[np.ndarray, np.ndarray | None], int]:
    """Return the Fourier transforms of the demand of a period and (where needed) of a part of one."""
    size = scipy.fft.next_fast_len(2 * points, real=True)
    chance, mean, place = posterior.chance[rows], posterior.size_mean[rows], posterior.size_shape[rows]
    unit = posterior.unit[rows]
    whole = _period_pmf(chance, mean / step[:, None], place, step == unit, points)
    if parts == 1:
        return (np.fft.rfft(whole, size, axis=2), None), size
    part_chance = -np.expm1(np.log1p(-np.minimum(chance, 1 - 1e-12)) / parts)
    demand = chance * mean
    part_mean = demand / parts / part_chance
    second = (chance * mean**2 * (1 + size_square(place, mean / unit[:, None])) - demand**2) / parts + (demand / parts) ** 2
    part_cv = np.sqrt(np.clip(second / part_chance / part_mean**2 - 1, 0.0, None))
    shape = nearest_shape(place, part_cv)
    part = _period_pmf(part_chance, part_mean / step[:, None], shape, step == unit, points)
    # sizes of at least one unit raise a small mean: scaled once so that the parts add up to the period
    ratio = (whole @ np.arange(points)) / parts / np.maximum(part @ np.arange(points), 1e-12)
    part = _period_pmf(part_chance, part_mean * ratio / step[:, None], shape, step == unit, points)
    return (np.fft.rfft(whole, size, axis=2), np.fft.rfft(part, size, axis=2)), size


def _period_pmf(chance: np.ndarray, mean: np.ndarray, shape: np.ndarray, single: np.ndarray, points: int) -> np.ndarray:
    """Return items × draws × points: no demand, or a size."""
    pmf = chance[:, :, None] * size_pmf(shape, mean, single=single, points=points)
    pmf[:, :, 0] += 1 - chance
    return pmf


def _over(
    waves: tuple[np.ndarray, np.ndarray | None], times: np.ndarray, share: np.ndarray, parts: int, points: int, size: int
) -> np.ndarray:
    """Return the demand over the random time, items × draws × points; what lies beyond stands on the last point."""
    whole, part = waves
    total = np.zeros_like(whole)
    for place in range(times.shape[1]):
        number, rest = np.divmod(times[:, place], parts)
        wave = whole ** number[:, None, None]
        if part is not None and rest.any():
            wave = wave * part ** rest[:, None, None]
        total += share[:, place, None, None] * wave
    pmf = np.maximum(np.fft.irfft(total, size, axis=2), 0.0)
    kept = pmf[:, :, :points]
    kept[:, :, -1] += pmf[:, :, points:].sum(axis=2)
    return kept / kept.sum(axis=2, keepdims=True)


def predict_poisson(*, total: np.ndarray, periods: np.ndarray, horizon: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of the predictive distribution of Poisson demand over a horizon: a negative binomial.

    With x units in n periods and the Jeffreys prior the rate is gamma with shape x + ½ and rate n, so demand over h periods is
    negative binomial with r = x + ½ and p = n/(n + h) (Gelman et al. 2013, section 2.6; Aitchison and Dunsmore 1975, table 2.3).

    Parameters
    ----------
    total : numpy.ndarray
        Units in the history of each item [units].
    periods, horizon : numpy.ndarray
        Periods of history and ahead [periods].

    Examples
    --------
    Nine and a half units' weight in 10 periods, 2 ahead: mean 1.9, variance 1.9·(1 + 2/10) = 2.28.

    >>> [float(value[0].round(3)) for value in predict_poisson(total=np.array([9]), periods=np.array([10]), horizon=2)]
    [1.9, 2.28]
    """
    seen, number = np.asarray(total, dtype="float64"), np.asarray(periods, dtype="float64")
    if not (seen >= 0).all() or not (number > 0).all():
        raise InputError(
            expected="units of zero or more in one or more periods",
            found=f"units from {seen.min()}, periods from {number.min()}",
            fix="Book returns as supply and leave out items without history.",
        )
    ahead = np.asarray(horizon, dtype="float64")
    mean = (seen + 0.5) / number * ahead
    return mean, mean * (1 + ahead / number)


def inflate_variance(variance: np.ndarray, *, periods: np.ndarray, horizon: np.ndarray | float) -> np.ndarray:
    """Return the predictive variance of demand over a horizon when mean and variance come from n independent periods.

    σ̂²·h·(1 + h/n)·(n − 1)/(n − 3): the variance of Student's t of the normal model (Geisser 1993, section 2.2.1), a rule of
    thumb for other distributions. Below four periods there is none: pool the item with others.

    Parameters
    ----------
    variance : numpy.ndarray
        Sample variance of one period's demand, with divisor n − 1 [units²].
    periods, horizon : numpy.ndarray
        Periods of history and ahead [periods].

    Examples
    --------
    Variance 10 from 13 periods, 4 ahead: 10·4·(1 + 4/13)·12/10 = 62.77.

    >>> float(inflate_variance(np.array([10.0]), periods=np.array([13]), horizon=4)[0].round(2))
    62.77
    """
    number, ahead = np.asarray(periods, dtype="float64"), np.asarray(horizon, dtype="float64")
    if not (number >= 4).all() or not (np.asarray(variance) >= 0).all():
        raise InputError(
            expected="a variance of zero or more from four or more periods",
            found=f"periods from {number.min()}, variance from {np.min(variance)}",
            fix="Pool items with shorter histories: fit_demand_posterior.",
        )
    return np.asarray(variance, dtype="float64") * ahead * (1 + ahead / number) * (number - 1) / (number - 3)
