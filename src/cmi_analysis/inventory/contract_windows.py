"""A contract counts by month: the chance that a month's fill keeps the target, and the long-run fill that this takes."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.policy import fit_reorder_point
from cmi_analysis.measures.intervals import wilson_interval

_ROWS = 1000  # items × runs simulated side by side


def normal_window_chance(long_run: float, *, target: float, sd: float) -> float:
    """Return the chance that a window's fill is at or above the target, with the fill taken for normal (an approximation).

    P(F ≥ t) ≈ Φ((f − t)/σ), f the long-run fill, σ the standard deviation of a window's fill.

    Examples
    --------
    A long-run fill of 95.8 % whose months vary by 1.53 points misses 95 % in 30 months of 100.

    >>> round(normal_window_chance(0.958, target=0.95, sd=0.0153), 2)
    0.7
    """
    _check_share(target=target, long_run=long_run)
    if sd <= 0:
        return float(long_run >= target)
    return float(scipy.special.ndtr((long_run - target) / sd))


def normal_long_run_fill(target: float, *, sd: float, chance: float) -> float:
    """Return the long-run fill with which a window keeps the target with the wanted chance (a normal approximation).

    t + σ·Φ⁻¹(chance); above 1 where no fill is enough.

    Examples
    --------
    >>> round(normal_long_run_fill(0.95, sd=0.0153, chance=0.9), 3)
    0.97
    """
    _check_share(target=target, chance=chance)
    return float(target + max(sd, 0.0) * scipy.special.ndtri(chance))


def simulate_windows(
    *,
    daily_mean: np.ndarray,
    daily_variance: np.ndarray,
    days: np.ndarray,
    chances: np.ndarray,
    review_days: np.ndarray,
    trigger: np.ndarray,
    batch: np.ndarray,
    seed: int,
    window_days: int = 30,
    windows: int = 240,
    warm_up: int = 91,
    lost_sales: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return demand and demand met from the shelf in each of many windows of each item under stationary demand.

    Order of events: orders due arrive; demand is met from stock, the rest waits (or is lost); at the end of a review day, if the
    position is below the trigger T, the fewest batches that bring it to T or above are ordered. What is ordered on day t with
    lead time L is on the shelf before the demand of day t + L + 1. Daily demand is independent, negative binomial (Poisson where
    the variance is not above the mean). The same seed gives the same demand whatever the policy.

    Parameters
    ----------
    daily_mean, daily_variance : numpy.ndarray
        Demand of one day [units, units²].
    days, chances : numpy.ndarray
        Lead times and their chances, items × points [days, fraction].
    review_days, trigger, batch : numpy.ndarray
        Policy of each item [days, units, units].
    seed : int
        Seed of the random numbers.
    window_days, windows, warm_up : int
        Length of a window, number of windows, days before the first of each run [days, count, days]. Few items are run many times
        over, each run with its own warm-up, and their windows put together; the windows of one place belong to one run in all
        items.
    lost_sales : bool
        Demand that is not met is lost.

    Returns
    -------
    tuple of numpy.ndarray
        Demand and demand met, items × windows [units].
    """
    runs = int(np.clip(_ROWS // max(len(daily_mean), 1), 1, windows))
    each = -(-windows // runs)
    length, wide = warm_up + each * window_days, partial(np.repeat, repeats=runs, axis=0)
    random = np.random.default_rng(seed)
    demand = _draw(random, wide(daily_mean), wide(daily_variance), length)
    lead = _draw_lead_times(random, wide(days), wide(chances), length)
    review = np.maximum(np.round(wide(review_days)), 1).astype("int64")
    phase = random.integers(0, 10**6, size=len(demand)) % review
    size, target = np.maximum(wide(batch).astype("float64"), 1.0), wide(trigger).astype("float64")
    met = _serve(demand, lead, review=review, phase=phase, target=target, size=size, lost_sales=lost_sales)
    shape = (len(daily_mean), runs * each, window_days)
    summed = [part[:, warm_up:].reshape(shape).sum(axis=2)[:, :windows] for part in (demand, met)]
    return summed[0], summed[1]


def _serve(
    demand: np.ndarray,
    lead: np.ndarray,
    *,
    review: np.ndarray,
    phase: np.ndarray,
    target: np.ndarray,
    size: np.ndarray,
    lost_sales: bool,
) -> np.ndarray:
    """Return what of each row's daily demand is met from the shelf."""
    due, rows = np.zeros((int(lead.max(initial=0)) + 2, len(demand))), np.arange(len(demand))
    net, position, met = np.maximum(target, 0.0), np.maximum(target, 0.0), np.zeros_like(demand)
    for day in range(demand.shape[1]):
        slot = day % len(due)
        net = net + due[slot]
        due[slot] = 0.0
        met[:, day] = np.minimum(demand[:, day], np.maximum(net, 0.0))
        gone = met[:, day] if lost_sales else demand[:, day]
        net, position = net - gone, position - gone
        short = np.maximum(target - position, 0.0)
        order = np.where((day + phase) % review == 0, np.ceil(short / size - 1e-9) * size, 0.0)
        due[(day + 1 + lead[:, day]) % len(due), rows] += order
        position = position + order
    return met


def _draw(random: np.random.Generator, mean: np.ndarray, variance: np.ndarray, length: int) -> np.ndarray:
    mean, variance = np.asarray(mean, dtype="float64")[:, None], np.asarray(variance, dtype="float64")[:, None]
    spread = variance > mean * (1 + 1e-9)
    shape = np.where(spread, mean**2 / np.where(spread, variance - mean, 1.0), 1.0)
    scale = np.where(spread, (variance - mean) / np.where(mean > 0, mean, 1.0), 1.0)
    rate = random.gamma(shape, scale, size=(len(mean), length))
    return random.poisson(np.where(spread, rate, mean)).astype("float64")


def _draw_lead_times(random: np.random.Generator, days: np.ndarray, chances: np.ndarray, length: int) -> np.ndarray:
    limits = chances.cumsum(axis=1)[:, None, :-1]
    place = (random.random((len(days), length))[:, :, None] > limits).sum(axis=2)
    return np.take_along_axis(days.astype("int64"), place, axis=1)


def score_windows(demand: np.ndarray, met: np.ndarray, *, group: np.ndarray, target: float) -> pd.DataFrame:
    """Return for each group of items (a contract's customer) how often a window keeps the target.

    Parameters
    ----------
    demand, met : numpy.ndarray
        Items × windows, as from `simulate_windows` [units].
    group : numpy.ndarray
        Whose contract each item is under.
    target : float
        Fill agreed for a window [fraction].

    Returns
    -------
    pandas.DataFrame
        group, windows [count], long_run [fraction], window_sd [fraction], chance, chance_low, chance_high [fraction: P(window's
        fill ≥ target) with its 95 % interval by Wilson 1927], method (``simulation``, ``no_demand``), items_under [fraction:
        share of the group's items with demand whose own long-run fill is below the target]. A window without demand keeps every
        target.

    Examples
    --------
    >>> score_windows(np.array([[10.0, 10.0]]), np.array([[9.0, 10.0]]), group=np.array(["a"]), target=0.95)["chance"].tolist()
    [0.5]
    """
    _check_share(target=target)
    own_demand = demand.sum(axis=1)
    own = np.where(own_demand > 0, met.sum(axis=1) / np.where(own_demand > 0, own_demand, 1.0), 1.0)
    rows = []
    for name in sorted(set(group.tolist())):
        chosen = group == name
        wanted, filled = demand[chosen].sum(axis=0), met[chosen].sum(axis=0)
        fill = np.where(wanted > 0, filled / np.where(wanted > 0, wanted, 1.0), 1.0)
        kept = int((fill >= target - 1e-12).sum())
        low, high = wilson_interval(kept, len(fill))
        active = own[chosen & (own_demand > 0)]
        rows.append(
            {
                "group": name,
                "windows": len(fill),
                "long_run": float(filled.sum() / wanted.sum()) if wanted.sum() > 0 else 1.0,
                "window_sd": float(fill.std()),
                "chance": kept / len(fill),
                "chance_low": low,
                "chance_high": high,
                "method": "simulation" if wanted.sum() > 0 else "no_demand",
                "items_under": float((active < target - 1e-12).mean()) if len(active) else 0.0,
            }
        )
    return pd.DataFrame(rows)


def find_long_run_target(
    target: float,
    *,
    chance: float,
    protection: LeadTimeDemand,
    lead: LeadTimeDemand,
    batch: np.ndarray,
    highest: float = 0.999,
    steps: int = 10,
    **simulation: np.ndarray | int | bool,
) -> dict[str, float | str]:
    """Return the long-run shelf fill to plan on so that a window's pooled fill keeps the target with the wanted chance.

    By bisection on one long-run target for all items, each fitted by `fit_reorder_point` and simulated on the same demand.

    Parameters
    ----------
    target, chance : float
        Fill agreed for a window, and P(window ≥ target) wanted [fraction].
    protection, lead : LeadTimeDemand
        Demand over L + R and over L.
    batch : numpy.ndarray
        Batch of each item [units].
    highest : float
        Highest long-run target looked at [fraction].
    steps : int
        Halvings of the interval [count].
    **simulation
        As in `simulate_windows`, without trigger and batch.

    Returns
    -------
    dict
        long_run_target [fraction], chance (reached), naive_chance (of planning on `target` itself), status (``found``,
        ``enough`` where `target` itself does, ``not_reachable`` where `highest` does not).
    """
    _check_share(target=target, chance=chance)
    if target > highest:
        raise InputError(
            expected=f"a window target up to {highest}", found=f"{target}", fix="No finite stock keeps 100 %: agree on less."
        )

    def reached(level: float) -> float:
        reorder = fit_reorder_point(np.full(len(batch), level), batch=batch, protection=protection, lead=lead)
        demand, met = simulate_windows(trigger=reorder + 1, batch=batch, **simulation)
        return float(score_windows(demand, met, group=np.zeros(len(batch), dtype="int64"), target=target)["chance"].iloc[0])

    naive = reached(target)
    if naive >= chance:
        return {"long_run_target": target, "chance": naive, "naive_chance": naive, "status": "enough"}
    low, high, best = target, highest, reached(highest)
    if best < chance:
        return {"long_run_target": highest, "chance": best, "naive_chance": naive, "status": "not_reachable"}
    for _ in range(steps):
        middle = (low + high) / 2
        found = reached(middle)
        low, high, best = (low, middle, found) if found >= chance else (middle, high, best)
    return {"long_run_target": high, "chance": best, "naive_chance": naive, "status": "found"}


def _check_share(**values: float) -> None:
    for name, value in values.items():
        if not (0 < value < 1 or (name == "long_run" and 0 <= value <= 1)):
            raise InputError(
                expected=f"a {name} between 0 and 1", found=f"{value}", fix="Give a fraction such as 0.95: no stock keeps 1."
            )
