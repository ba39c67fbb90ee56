"""Lead-time demand from a stated distribution, from sample paths or from quantiles of a forecast, mixed over the lead time."""

from __future__ import annotations

import numpy as np

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import check_moments, count_pmf, smooth_pmf
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.pmf import compound_poisson, mix_pmfs, sum_over_times

FAMILIES = ("poisson", "negative_binomial", "gamma", "normal")
"""Distributions of which mean and variance are enough."""


def distribution_lead_time_demand(
    *, mean: np.ndarray, variance: np.ndarray, chances: np.ndarray, family: str, points: int = 1024
) -> LeadTimeDemand:
    """Return the demand over a random lead time when its mean and variance under each lead time are known.

    The mixture Σ_l P(L = l)·P(D(l) = x), each part of the stated family. The grid has whole units for Poisson and negative
    binomial, else equal steps up to twelve standard deviations above the longest lead time's mean; rounding to it moves the
    mean by less than 0.1 % of σ and raises the variance by about step²/12.

    Parameters
    ----------
    mean, variance : numpy.ndarray
        Of the demand under each lead time, items × lead times [units, units²]. The variance may carry forecast bias and parameter
        error.
    chances : numpy.ndarray
        Chances of the lead times [fraction].
    family : {"poisson", "negative_binomial", "gamma", "normal"}
        Distribution given the lead time; a negative binomial whose variance is not above the mean is Poisson.
    points : int
        Points of the grid.

    Raises
    ------
    InputError
        An unknown family, a negative mean, or counts too large for whole units on the grid.

    Examples
    --------
    Poisson demand of 10 a day, lead time 2 or 8 days: mean 50, variance 50 + 30² = 950.

    >>> demand = distribution_lead_time_demand(mean=np.array([[20.0, 80.0]]), variance=np.array([[20.0, 80.0]]),
    ...     chances=np.array([[0.5, 0.5]]), family="poisson")
    >>> float(demand.mean()[0].round(6)), float((demand.sd()[0] ** 2).round(3))
    (50.0, 950.0)
    """
    centre, square = np.atleast_2d(mean), np.atleast_2d(variance)
    if family not in FAMILIES:
        raise InputError(expected=f"one of {', '.join(FAMILIES)}", found=family, fix="Choose one of them.")
    check_moments(centre, square)
    reach = (centre + 12 * np.sqrt(np.maximum(square, centre))).max(axis=1) + 20
    whole = family in ("poisson", "negative_binomial")
    if whole and (reach > points * 4096).any():
        raise InputError(
            expected="counts that fit whole units", found=f"up to {reach.max():.0f} units", fix="Take gamma for them."
        )
    if whole:
        points = int(max(points, np.ceil(reach.max())))
    step = np.ones(len(centre)) if whole else np.maximum(reach / (points - 1), 1e-9)
    parts = []
    for place in range(centre.shape[1]):
        if whole:
            spread = None if family == "poisson" else square[:, place]
            parts.append(count_pmf(mean=centre[:, place], variance=spread, points=points))
        else:
            parts.append(smooth_pmf(mean=centre[:, place], variance=square[:, place], step=step, points=points, family=family))
    share = np.broadcast_to(np.atleast_2d(chances), centre.shape)
    return LeadTimeDemand(step[:, None] * np.arange(points), mix_pmfs(np.stack(parts, axis=1), share))


def compound_lead_time_demand(
    *,
    rate: np.ndarray,
    sizes: np.ndarray,
    times: np.ndarray,
    chances: np.ndarray,
    review: np.ndarray | int = 0,
    points: int = 1024,
) -> tuple[LeadTimeDemand, LeadTimeDemand]:
    """Return compound Poisson demand over lead time + review period, and over the lead time alone.

    Exact: over a time t demand is compound Poisson with rate λ·t (Feeney and Sherbrooke 1966; "stuttering" Poisson is the case of
    geometric sizes), mixed over the lead times. Times need not be whole.

    Parameters
    ----------
    rate : numpy.ndarray
        Demands a unit of time λ of each item [count].
    sizes : numpy.ndarray
        Items × points: chance of a size of 0, 1, … units [fraction].
    times, chances : numpy.ndarray
        Lead times and their chances, items × lead times.
    review : numpy.ndarray or int
        Review period.
    points : int
        Points of the grid [units]; a chance above 1e-6 beyond it is an error.

    Examples
    --------
    One demand a day of 1 or 3 units alike, lead time 4 days: mean 4·2 = 8, variance 4·(1 + 9)/2 = 20.

    >>> _, lead = compound_lead_time_demand(rate=np.array([1.0]), sizes=np.array([[0, 0.5, 0, 0.5]]), times=np.array([[4]]),
    ...     chances=np.array([[1.0]]))
    >>> float(lead.mean()[0].round(6)), float((lead.sd()[0] ** 2).round(6))
    (8.0, 20.0)
    """
    number = np.atleast_1d(np.asarray(rate, dtype="float64"))
    lead, share = np.atleast_2d(np.asarray(times, dtype="float64")), np.atleast_2d(np.asarray(chances, dtype="float64"))
    if not (lead >= 0).all():
        raise InputError(expected="lead times of zero or more", found=f"{lead.min()}", fix="Correct the dates behind it.")
    values = np.broadcast_to(np.arange(points, dtype="float64"), (len(number), points))
    found = []
    for extra in (np.reshape(np.asarray(review, dtype="float64"), (-1, 1)), 0.0):
        total, lost = np.zeros((len(number), points)), np.zeros(len(number))
        over = np.broadcast_to(lead + extra, (len(number), lead.shape[1]))
        for place in range(over.shape[1]):
            pmf, beyond = compound_poisson(number * over[:, place], sizes, points=points)
            weight = np.broadcast_to(share, over.shape)[:, place]
            total, lost = total + weight[:, None] * pmf, lost + weight * beyond
        _check_reach(lost, points)
        found.append(LeadTimeDemand(values, total))
    return found[0], found[1]


def period_lead_time_demand(
    pmf: np.ndarray, *, times: np.ndarray, chances: np.ndarray, review: np.ndarray | int = 0, points: int = 1024
) -> tuple[LeadTimeDemand, LeadTimeDemand]:
    """Return demand over L + R and over L from any distribution of one period's demand, periods independent, times whole."""
    values = np.broadcast_to(np.arange(points, dtype="float64"), (len(np.atleast_2d(pmf)), points))
    found = []
    for extra in (review, 0):
        total, beyond = sum_over_times(pmf, times=times, chances=chances, points=points, extra=extra)
        _check_reach(beyond, points)
        found.append(LeadTimeDemand(values, total))
    return found[0], found[1]


def _check_reach(beyond: np.ndarray, points: int) -> None:
    if (beyond > 1e-6).any():
        raise InputError(
            expected="a grid that holds all demand but one part in a million",
            found=f"{beyond.max():.2g} beyond {points - 1} units",
            fix="Give more points, or measure demand in packs.",
        )


def path_lead_time_demand(
    paths: np.ndarray, *, times: np.ndarray, chances: np.ndarray, review: np.ndarray | int = 0, parts: int = 1
) -> tuple[LeadTimeDemand, LeadTimeDemand]:
    """Return demand over L + R and over L from a forecast's sample paths.

    Each path is summed from the first period over each lead time, and weighs that lead time's chance; what the forecast knows of
    season, trend and errors that go on from one period to the next stays in. A part of a period counts in proportion.

    Parameters
    ----------
    paths : numpy.ndarray
        Items × samples × periods [units]; below zero counts as zero.
    times, chances : numpy.ndarray
        Lead times [parts of a period] and their chances, items × lead times.
    review : numpy.ndarray or int
        Review period [parts of a period].
    parts : int
        Parts of a period: 7 for weekly paths with lead times in days.

    Raises
    ------
    InputError
        The paths are shorter than the longest protection interval.

    Examples
    --------
    >>> _, lead = path_lead_time_demand(np.array([[[1.0, 2.0], [3.0, 4.0]]]), times=np.array([[2]]), chances=np.array([[1.0]]))
    >>> lead.values.tolist()
    [[3.0, 7.0]]
    """
    known = np.clip(np.asarray(paths, dtype="float64"), 0.0, None)
    total = np.concatenate([np.zeros((*known.shape[:2], 1)), known.cumsum(axis=2)], axis=2)
    found = []
    for extra in (np.reshape(np.asarray(review), (-1, 1)), 0):
        over = np.broadcast_to((np.atleast_2d(times) + extra) / parts, (len(known), np.atleast_2d(times).shape[1]))
        if over.max() > known.shape[2] + 1e-9 or over.min() < 0:
            raise InputError(
                expected=f"protection intervals of 0 to {known.shape[2]} periods, as long as the paths",
                found=f"{over.min():g} to {over.max():g} periods",
                fix="Forecast further ahead.",
            )
        low = np.minimum(np.floor(over).astype("int64"), known.shape[2] - 1)
        rows = np.arange(len(known))[:, None]
        start, end = total[rows, :, low], total[rows, :, low + 1]
        sums = start + (over - low)[:, :, None] * (end - start)
        share = np.broadcast_to(np.atleast_2d(chances)[:, :, None] / known.shape[1], sums.shape)
        found.append(weigh_samples(sums.reshape(len(known), -1), share.reshape(len(known), -1)))
    return found[0], found[1]


def weigh_samples(samples: np.ndarray, weights: np.ndarray) -> LeadTimeDemand:
    """Return the distribution of weighted samples, items × samples; the weights of an item sum to 1."""
    order = np.argsort(samples, axis=1, kind="stable")
    return LeadTimeDemand(np.take_along_axis(samples, order, axis=1), np.take_along_axis(weights, order, axis=1))


def quantile_lead_time_demand(quantiles: np.ndarray, *, levels: np.ndarray, points: int = 400) -> LeadTimeDemand:
    """Return a distribution through a forecast's quantiles of the demand over the protection interval.

    Between the quantiles linear; below the lowest down to 0 or, if nearer, as far as the lowest two would go on; above the
    highest an exponential tail with the steepness of the upper two, cut at a chance of 1e-5: P(X > x) falls by the factor that it
    fell by between them for each distance between them. Crossing quantiles are put in order.

    Parameters
    ----------
    quantiles : numpy.ndarray
        Items × levels [units]. Quantiles of single periods do not add up: give those of the sum.
    levels : numpy.ndarray
        Rising levels between 0 and 1, at least two [fraction].
    points : int
        Equally likely points between 0 and the highest level; the tail has 40 more.

    Examples
    --------
    >>> demand = quantile_lead_time_demand(np.array([[10.0, 20.0, 30.0]]), levels=np.array([0.1, 0.5, 0.9]))
    >>> float(demand.quantile(0.5)[0].round(1))
    20.0
    """
    level, rows = np.asarray(levels, dtype="float64"), np.maximum(np.sort(np.atleast_2d(quantiles), axis=1), 0.0)
    if len(level) < 2 or not ((level > 0) & (level < 1)).all() or (np.diff(level) <= 0).any() or not np.isfinite(rows).all():
        raise InputError(
            expected="two or more rising levels between 0 and 1 with a quantile for each",
            found=f"levels {level.tolist()}",
            fix="Leave out quantiles that are missing.",
        )
    slope = (rows[:, 1] - rows[:, 0]) / (level[1] - level[0])
    floor = np.maximum(rows[:, 0] - level[0] * slope, 0.0)
    known, at = np.concatenate([floor[:, None], rows], axis=1), np.concatenate([[0.0], level])
    middle = (np.arange(points) + 0.5) / points * level[-1]
    body = np.stack([np.interp(middle, at, row) for row in known])
    fall = np.log((1 - level[-2]) / (1 - level[-1]))
    scale = np.maximum(rows[:, -1] - rows[:, -2], 0.0) / fall
    edges = np.geomspace(1.0, 1e-5 / (1 - level[-1]), 41) if level[-1] < 1 - 1e-5 else np.array([1.0, 1e-9])
    mass = (edges[:-1] - edges[1:]) * (1 - level[-1])
    depth = 1 + (edges[1:] * np.log(edges[1:]) - edges[:-1] * np.log(edges[:-1])) / (edges[:-1] - edges[1:])
    tail = rows[:, -1:] + scale[:, None] * depth
    weights = np.concatenate([np.full(points, level[-1] / points), mass / mass.sum() * (1 - level[-1])])
    return LeadTimeDemand(np.concatenate([body, tail], axis=1), np.broadcast_to(weights, (len(rows), len(weights))).copy())
