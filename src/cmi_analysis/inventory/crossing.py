"""Base stock where orders overtake each other: the shortfall takes the place of lead-time demand."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import demand_over, trim
from cmi_analysis.inventory.pmf import check_pmf, sum_pmfs
from cmi_analysis.inventory.pmf_shortage import mean_of, shortage_at, shortage_curve
from cmi_analysis.inventory.value_checks import check_costs, check_rows

Measure = Literal["shelf_fill", "cycle_service"]
CROSSING_MATTERS = 0.05
"""Share of arrivals that overtook an earlier order from which the shortfall is the right object."""


def outstanding_orders(lead_time_pmf: ArrayLike, *, review_days: int = 1, day: int | None = None) -> np.ndarray:
    """Return the distribution of the number of earlier orders still on their way, with independent lead times.

    The order placed k reviews ago is outstanding on day τ after the last review if its lead time is k·R + τ days or more, so the
    number is a sum of independent chances P(L ≥ k·R + τ) (Zalkind 1978; Bradley and Robinson 2005).

    Parameters
    ----------
    lead_time_pmf : array_like
        Items × (0 … longest lead time in days) [fraction].
    review_days : int
        R [days].
    day : int, optional
        τ from 1 to R, the last review's order being k = 0; without it R, just before the next review.

    Returns
    -------
    numpy.ndarray
        Items × (0, 1, 2, … orders) [fraction].

    Examples
    --------
    Lead time 0 or 2 days, each with chance 1/2, an order a day: of the two last orders each is out with chance 1/2.

    >>> outstanding_orders([[0.5, 0.0, 0.5]]).tolist()
    [[0.25, 0.5, 0.25]]
    """
    lead = check_pmf(lead_time_pmf, name="lead_time_pmf")
    return _count(_chances(lead, review_days, review_days if day is None else day))


def _chances(lead: np.ndarray, review_days: int, day: int) -> np.ndarray:
    """Return P(L ≥ k·R + τ) of the orders k = 0, 1, … reviews ago, items × orders."""
    at_least = np.concatenate([lead[:, ::-1].cumsum(axis=1)[:, ::-1], np.zeros((len(lead), 1))], axis=1)
    days = np.arange(day, lead.shape[1], review_days)
    return np.minimum(at_least[:, days], 1.0)


def _count(chances: np.ndarray) -> np.ndarray:
    pmf = np.zeros((len(chances), chances.shape[1] + 1))
    pmf[:, 0] = 1.0
    for order in range(chances.shape[1]):
        chance = chances[:, order, None]
        pmf = pmf * (1 - chance) + np.concatenate([np.zeros((len(pmf), 1)), pmf[:, :-1] * chance], axis=1)
    return pmf


def fit_shortfall(daily_pmf: ArrayLike, *, lead_time_pmf: ArrayLike, review_days: int = 1, day: int | None = None) -> np.ndarray:
    """Return what is missing from the base-stock level after the demand of a day, exactly, when orders may cross.

    Shortfall = demand of the periods whose orders are outstanding + demand since the last review. With independent demand and
    lead times it is Σ_n P(N = n)·(demand of n periods) plus the demand of the days since (Robinson, Bradley and Thomas 2001;
    Bradley and Robinson 2005). Its mean equals that of lead-time demand, its variance is smaller: lead times vary,
    orders wait for nobody.

    Parameters
    ----------
    daily_pmf : array_like
        Items × points: demand of one day [fraction by grid step].
    lead_time_pmf : array_like
        Items × (0 … longest lead time in days) [fraction].
    review_days : int
        R [days].
    day : int, optional
        Day τ = 1 … R since the last review; without it R, just before the next review. 0: at the start of the first day.

    Returns
    -------
    numpy.ndarray
        Items × points.

    Examples
    --------
    One unit a day, lead time 0 or 2 days: one unit of the day itself and 0, 1 or 2 on their way.

    >>> fit_shortfall([[0.0, 1.0]], lead_time_pmf=[[0.5, 0.0, 0.5]]).round(3).tolist()
    [[0.0, 0.25, 0.5, 0.25]]
    """
    daily, lead = check_pmf(daily_pmf, name="daily_pmf"), check_pmf(lead_time_pmf, name="lead_time_pmf")
    check_rows(daily_pmf=len(daily), lead_time_pmf=len(lead))
    _check_days(review_days)
    after = review_days if day is None else day
    return _shortfall(daily, _chances(lead, review_days, max(after, 1)), review_days, after)


def _check_days(review_days: int) -> None:
    if review_days < 1 or review_days != int(review_days):
        raise InputError(
            expected="a review period of one or more whole days", found=f"{review_days}", fix="Take 1 for a review each day."
        )


def _shortfall(daily: np.ndarray, chances: np.ndarray, review_days: int, days: int) -> np.ndarray:
    """Return the outstanding orders' demand plus that of `days` days."""
    period, total = _days(daily, review_days), _days(daily, days)
    for order in range(chances.shape[1]):
        chance = chances[:, order, None]
        if np.all(chance <= 0):
            break
        mixed = chance * period
        mixed[:, 0] += 1 - chance[:, 0]
        total = trim(sum_pmfs(total, mixed))
    return total


def _days(daily: np.ndarray, count: int) -> np.ndarray:
    total = np.ones((len(daily), 1))
    for _ in range(count):
        total = trim(sum_pmfs(total, daily))
    return total


def score_crossing_base_stock(
    level: ArrayLike,
    *,
    daily_pmf: ArrayLike,
    lead_time_pmf: ArrayLike,
    review_days: int = 1,
    holding_cost: ArrayLike = 1.0,
    shortage_cost: ArrayLike = 1.0,
    order_cost: ArrayLike = 0.0,
) -> pd.DataFrame:
    """Return the service and the daily cost of base-stock levels when orders may cross, exactly.

    On each day τ of the review cycle, the demand missed is n of the shortfall after the day less n of the shortfall before it.

    Parameters
    ----------
    level : array_like
        Base-stock level S of each item [grid steps], whole.
    daily_pmf, lead_time_pmf, review_days
        As in `fit_shortfall`.
    holding_cost, shortage_cost, order_cost : array_like
        h and p of a unit at the end of a day, K of an order [money].

    Returns
    -------
    pandas.DataFrame
        cost [money/day], shelf_fill, cycle_service (no backlog at the end of a review period), ready_rate (days that end without
        backlog) [fraction], mean_stock, mean_backlog [grid steps, at the end of a day].

    Examples
    --------
    Certain demand of 1, lead time 0 or 2: with S = 2 a day misses its unit if both last orders are out (chance 1/4).

    >>> one = score_crossing_base_stock([2], daily_pmf=[[0.0, 1.0]], lead_time_pmf=[[0.5, 0.0, 0.5]])
    >>> one["shelf_fill"].round(4).tolist()
    [0.75]
    """
    daily, lead = check_pmf(daily_pmf, name="daily_pmf"), check_pmf(lead_time_pmf, name="lead_time_pmf")
    check_rows(daily_pmf=len(daily), lead_time_pmf=len(lead))
    _check_days(review_days)
    holding, shortage, order = check_costs(
        len(daily),
        positive={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost},
    )
    top = np.broadcast_to(np.round(np.asarray(level, dtype="float64")), (len(daily),)).astype("int64")[:, None]
    missed, backlog, ready, held, ended = np.zeros((5, len(daily)))
    for day in range(1, review_days + 1):
        chances = _chances(lead, review_days, day)
        after, before = (_shortfall(daily, chances, review_days, days) for days in (day, day - 1))
        short = shortage_at(top, curve=shortage_curve(after))[:, 0]
        missed += short - shortage_at(top, curve=shortage_curve(before))[:, 0]
        backlog += short
        ended = _up_to(top[:, 0], after)
        ready += ended
        held += top[:, 0] - mean_of(after) + short
    demand = mean_of(daily) * review_days
    used = demand > 1e-12
    orders = (1 - _days(daily, review_days)[:, 0]) / review_days
    stock, waiting = held / review_days, backlog / review_days
    return pd.DataFrame(
        {
            "cost": order * orders + holding * stock + shortage * waiting,
            "shelf_fill": np.where(used, np.clip(1 - missed / np.where(used, demand, 1.0), 0, 1), 1.0),
            "cycle_service": np.where(used, ended, 1.0),
            "ready_rate": np.where(used, ready / review_days, 1.0),
            "mean_stock": stock,
            "mean_backlog": waiting,
        }
    )


def _up_to(level: np.ndarray, pmf: np.ndarray) -> np.ndarray:
    below = pmf.cumsum(axis=1)
    place = np.clip(level, 0, pmf.shape[1] - 1)
    return np.where(level < 0, 0.0, np.where(level >= pmf.shape[1] - 1, 1.0, below[np.arange(len(level)), place]))


def fit_crossing_base_stock(
    daily_pmf: ArrayLike,
    *,
    lead_time_pmf: ArrayLike,
    review_days: int = 1,
    target: ArrayLike,
    measure: Measure = "cycle_service",
) -> pd.DataFrame:
    """Return the least base-stock level that keeps a target when orders may cross, beside that of lead-time demand.

    Parameters
    ----------
    daily_pmf, lead_time_pmf, review_days
        As in `fit_shortfall`.
    target : array_like
        Service [fraction, 0 < target < 1]. For a cost, take p/(p + h) with ``cycle_service`` and a daily review.
    measure : {"cycle_service", "shelf_fill"}
        No backlog at the end of a review period, or share of demand met from the shelf.

    Returns
    -------
    pandas.DataFrame
        order_up_to_level by the shortfall, without_crossing (the level for orders that arrive in turn: the mixture over lead
        times) [grid steps], shortfall_sd, lead_time_demand_sd [grid steps], method (``exact`` or ``no_demand``).

    Examples
    --------
    One unit a day, lead time 0 or 2 days: 2 units keep 75 % by the shortfall; the mixture says 50 % and asks for 3.

    >>> found = fit_crossing_base_stock([[0.0, 1.0]], lead_time_pmf=[[0.5, 0.0, 0.5]], target=0.75)
    >>> found[["order_up_to_level", "without_crossing"]].iloc[0].tolist()
    [2.0, 3.0]
    """
    daily, lead = check_pmf(daily_pmf, name="daily_pmf"), check_pmf(lead_time_pmf, name="lead_time_pmf")
    check_rows(daily_pmf=len(daily), lead_time_pmf=len(lead))
    _check_days(review_days)
    goal = np.broadcast_to(np.asarray(target, dtype="float64"), (len(daily),))
    if not np.all((goal > 0) & (goal < 1)):
        raise InputError(expected="targets above 0 and below 1", found=f"{goal.min()} to {goal.max()}", fix="Take 0.999 at most.")
    shortfall = fit_shortfall(daily, lead_time_pmf=lead, review_days=review_days)
    mixture = demand_over(daily, lead_time_pmf=lead, days=review_days)
    if measure == "cycle_service":
        level, plain = _quantile(shortfall, goal), _quantile(mixture, goal)
    else:
        curve = _missed_curve(daily, lead, review_days)
        level = _first(curve <= ((1 - goal) * mean_of(daily) * review_days + 1e-12)[:, None])
        start = demand_over(daily, lead_time_pmf=lead)
        grid = np.broadcast_to(np.arange(mixture.shape[1]), mixture.shape)
        missed = shortage_curve(mixture) - shortage_at(grid, curve=shortage_curve(start))
        plain = _first(missed <= ((1 - goal) * mean_of(daily) * review_days + 1e-12)[:, None])
    active = mean_of(daily) > 1e-12
    return pd.DataFrame(
        {
            "order_up_to_level": np.where(active, level, 0).astype("float64"),
            "without_crossing": np.where(active, plain, 0).astype("float64"),
            "shortfall_sd": _sd(shortfall),
            "lead_time_demand_sd": _sd(mixture),
            "method": np.where(active, "exact", "no_demand"),
        }
    )


def _missed_curve(daily: np.ndarray, lead: np.ndarray, review_days: int) -> np.ndarray:
    """Return the demand missed in a review cycle at S = 0, 1, …, items × levels."""
    parts = []
    for day in range(1, review_days + 1):
        chances = _chances(lead, review_days, day)
        parts.append([shortage_curve(_shortfall(daily, chances, review_days, days)) for days in (day, day - 1)])
    longest = max(curve.shape[1] for pair in parts for curve in pair)
    grid = np.broadcast_to(np.arange(longest), (len(daily), longest))
    return sum(shortage_at(grid, curve=after) - shortage_at(grid, curve=before) for after, before in parts)


def _first(reached: np.ndarray) -> np.ndarray:
    return np.where(reached.any(axis=1), reached.argmax(axis=1), reached.shape[1] - 1)


def _quantile(pmf: np.ndarray, goal: np.ndarray) -> np.ndarray:
    return _first(pmf.cumsum(axis=1) >= goal[:, None] - 1e-10)


def _sd(pmf: np.ndarray) -> np.ndarray:
    second = pmf @ np.arange(pmf.shape[1], dtype="float64") ** 2
    return np.sqrt(np.maximum(second - mean_of(pmf) ** 2, 0.0))


def number_outstanding_bound(lead_time_pmf: ArrayLike) -> np.ndarray:
    """Return the upper bound on the variance of the number of orders outstanding under a review each period.

    Var N ≤ min(E L, Var L, σ_L/√3) (Bradley and Robinson 2005).

    Examples
    --------
    Lead time 0 or 2: mean 1, variance 1, σ/√3 = 0.577; the variance itself is 0.5.

    >>> number_outstanding_bound([[0.5, 0.0, 0.5]]).round(3).tolist()
    [0.577]
    """
    lead = check_pmf(lead_time_pmf, name="lead_time_pmf")
    sd = _sd(lead)
    return np.minimum(np.minimum(mean_of(lead), sd**2), sd / np.sqrt(3))
