"""Service, stock and cost of policies by simulation, in arrays over items × policies × replications.

Order of events in a period: orders due arrive; demand is met from stock, the rest waits (backorders) or is lost; at the end of a
review period, where the position is at or below the trigger, an order is placed. What is ordered at the end of period t with lead
time L is on the shelf before the demand of period t + L + 1, so an order protects L + R periods.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.policy_rules import PolicyRules, make_rules
from cmi_analysis.inventory.simulation_engine import TOTALS, Problem, SimulationState, run_numpy
from cmi_analysis.inventory.simulation_results import SimulationResult

ENGINES = ("auto", "numpy", "numba")
_LARGE = 30_000_000
"""Item-periods from which on numba is worth its import."""


def simulate_policies(
    demand: np.ndarray,
    *,
    rules: PolicyRules,
    lead_time: ArrayLike,
    supply: np.ndarray | None = None,
    keep_supply: bool = True,
    lost_sales: bool = False,
    crossing: bool = True,
    start: SimulationState | ArrayLike | None = None,
    start_period: int = 0,
    warm_up: int = 0,
    engine: str = "auto",
) -> SimulationResult:
    """Return what each policy of each item does on given demand paths.

    All policies of an item meet the same demand and the same lead time of an order placed in the same period (common random
    numbers). Quantities that are whole numbers give exact sums; both engines do the same operations in the same order.

    Parameters
    ----------
    demand : numpy.ndarray
        Items × periods, or items × periods × replications [units].
    rules : PolicyRules
        Items × policies, as from `set_rules`.
    lead_time : array_like
        Of an order placed in the period: one number, items, items × periods, or items × periods × replications [periods].
    supply : numpy.ndarray, optional
        Most that can arrive before the demand of a period, shape as `demand`; what is due beyond it waits [units].
    keep_supply : bool
        Supply that nothing waits for stays available (else it is gone with its period).
    lost_sales : bool
        What is not met at once is lost; else it waits.
    crossing : bool
        An order may arrive before an earlier one; else it arrives no earlier than the one before it.
    start : SimulationState or array_like, optional
        State at the start, or the stock on hand less backordered with nothing on order: one number, items, items × policies.
        Without it the stock is at the order-up-to level, or the reorder point of batches (zero where that is below zero).
    start_period : int
        Number of the first period, which the review phase counts from.
    warm_up : int
        First periods that are not counted.
    engine : {"auto", "numpy", "numba"}
        ``auto``: numba where it is installed (extra ``fast``) and the run is large (3·10⁷ item-periods), else NumPy. The results
        are the same.

    Returns
    -------
    SimulationResult
        Sums by item, policy and replication, and the terminal state; `score_simulation` makes the table.

    Raises
    ------
    InputError
        Demand or supply is negative or missing, a lead time is negative or not whole, shapes do not fit, there is no counted
        period, or the engine is not known or not installed.

    Examples
    --------
    Base stock 5, lead time 1, demand 2, 2, 4, 1: stock after demand 3, 1, −1 (one waits), 0: 8 of 9 at once.

    >>> from cmi_analysis.inventory.policy_rules import set_rules
    >>> rules = set_rules("base_stock", order_up_to_level=[5])
    >>> result = simulate_policies(np.array([[2, 2, 4, 1]]), rules=rules, lead_time=1)
    >>> result.filled[0, 0].tolist(), result.on_hand[0, 0].tolist(), result.backordered[0, 0].tolist()
    ([8.0], [4.0], [1.0])
    """
    wanted, (items, periods, runs) = _paths(demand, name="demand")
    _check_run(rules, items=items, periods=periods, warm_up=warm_up, engine=engine)
    lead = _lead_paths(lead_time, shape=(items, periods, runs))
    problem = Problem(
        demand=wanted,
        lead=lead,
        supply=None if supply is None else _supply_paths(supply, shape=(items, periods, runs)),
        keep_supply=keep_supply,
        trigger=_spread(rules.trigger, runs),
        target=_spread(rules.target, runs),
        multiple=_spread(rules.multiple, runs),
        every=_spread(rules.review_period, runs),
        phase=_spread(rules.review_phase, runs),
        backorders=not lost_sales,
        crossing=crossing,
        start=start_period,
        warm_up=warm_up,
    )
    state = _state(start, problem, shape=(items, rules.shape[1], runs))
    name = _chosen(engine, item_periods=periods * problem.trigger.size)
    totals, end = _engine(name)(problem, state)
    shape = (items, runs, rules.shape[1])
    by_name = {key: totals[place].reshape(shape).transpose(0, 2, 1) for place, key in enumerate(TOTALS)}
    counted = wanted[:, warm_up:].sum(axis=1, dtype="float64").reshape(items, 1, runs)
    demanded = np.broadcast_to(counted, by_name["filled"].shape)
    return SimulationResult(demand=demanded, periods=periods - warm_up, state=end, engine=name, **by_name)


def _chosen(engine: str, *, item_periods: int) -> str:
    if engine != "auto":
        return engine
    return "numba" if item_periods >= _LARGE and importlib.util.find_spec("numba") else "numpy"


def _engine(name: str):  # type: ignore[no-untyped-def]
    if name == "numpy":
        return run_numpy
    if importlib.util.find_spec("numba") is None:
        raise InputError(
            expected="numba for engine='numba'", found="that it is not installed", fix="Install the extra 'fast', or take 'auto'."
        )
    from cmi_analysis.inventory.simulation_fast import run_numba

    return run_numba


def _check_run(rules: PolicyRules, *, items: int, periods: int, warm_up: int, engine: str) -> None:
    if engine not in ENGINES:
        raise InputError(expected=f"an engine of {', '.join(ENGINES)}", found=repr(engine), fix="Name one of them.")
    if rules.shape[0] != items:
        raise InputError(
            expected=f"rules of {items} items", found=f"{rules.shape[0]}", fix="Give one row of rules for each item."
        )
    if not 0 <= warm_up < periods:
        raise InputError(
            expected="at least one period after the warm-up",
            found=f"{periods} periods and a warm-up of {warm_up}",
            fix="Give longer paths or a shorter warm-up.",
        )


def _paths(values: np.ndarray, *, name: str) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return values as paths × periods, whole numbers as int32, and the numbers of items, periods and replications."""
    array = np.asarray(values)
    if array.ndim not in (2, 3) or array.dtype.kind not in "iufb":
        raise InputError(
            expected=f"{name} of items × periods [× replications] in numbers",
            found=f"{array.ndim} axes of type {array.dtype}",
            fix="Give an array of two or three axes.",
        )
    items, periods, runs = array.shape if array.ndim == 3 else (*array.shape, 1)
    flat = array if array.ndim == 2 else array.transpose(0, 2, 1).reshape(items * runs, periods)
    low, high = (float(flat.min()), float(flat.max())) if flat.size else (0.0, 0.0)
    if not low >= 0 or not high < np.inf:
        raise InputError(
            expected=f"{name} of zero or more, without gaps",
            found="a missing or infinite value" if not np.isfinite(low + high) else f"{low:g}",
            fix="Take returns out and impute unknown periods first.",
        )
    whole = high < 2**31 and (flat.dtype.kind in "iub" or bool((flat == np.floor(flat)).all()))
    return np.ascontiguousarray(flat, dtype="int32" if whole else "float64"), (items, periods, runs)


def _supply_paths(supply: np.ndarray, *, shape: tuple[int, int, int]) -> np.ndarray:
    given = np.asarray(supply, dtype="float64")
    full = np.broadcast_to(given if given.ndim == 3 else given[..., None], shape)
    return np.ascontiguousarray(_paths(full, name="supply")[0], dtype="float64")


def _lead_paths(lead_time: ArrayLike, *, shape: tuple[int, int, int]) -> np.ndarray:
    given = np.asarray(lead_time)
    whole = given.dtype.kind in "iu" or bool(np.all(np.isfinite(given) & (given == np.round(given))))
    if not whole or given.min(initial=0) < 0:
        raise InputError(
            expected="lead times of zero or more whole periods",
            found="a negative, missing or broken one",
            fix="Correct the lead times; round them to periods, or simulate in days.",
        )
    if given.ndim > 3 or given.shape != shape[: given.ndim]:
        raise InputError(
            expected=f"lead times of {shape[0]} items [× {shape[1]} periods [× {shape[2]} replications]]",
            found=f"the shape {given.shape}",
            fix="Draw one for each item and period.",
        )
    full = np.broadcast_to(given.reshape(given.shape + (1,) * (3 - given.ndim)).astype("int32"), shape)
    return np.array(full.transpose(0, 2, 1), order="C").reshape(shape[0] * shape[2], shape[1])


def _spread(value: np.ndarray, runs: int) -> np.ndarray:
    """Return items × policies [× replications] as paths × policies."""
    full = value if value.ndim == 3 else value[:, :, None]
    full = np.broadcast_to(full, (*full.shape[:2], runs)).transpose(0, 2, 1)
    return np.array(full, order="C").reshape(full.shape[0] * runs, full.shape[2])


def _state(start: SimulationState | ArrayLike | None, problem: Problem, *, shape: tuple[int, int, int]) -> SimulationState:
    """Return the state at the start with room for the longest lead time."""
    lanes = problem.trigger.shape
    slots = int(problem.lead.max(initial=0)) + 1
    if isinstance(start, SimulationState):
        if start.net.shape != lanes:
            raise InputError(
                expected=f"a state of {lanes[0]} paths and {lanes[1]} policies", found=f"{start.net.shape}", fix="Start anew."
            )
        more = ((0, max(slots - len(start.due), 0)), (0, 0), (0, 0))
        due, closes = np.pad(start.due, more), np.pad(start.closes, more)
        return SimulationState(start.net, due, closes, start.short, start.waiting, start.available)
    net = np.maximum(np.round(problem.target, 3), 0.0) if start is None else _start_stock(start, shape=shape)
    nothing, none = np.zeros(lanes), np.zeros((slots, *lanes))
    return SimulationState(net, none, none.copy(), nothing, nothing.copy(), nothing.copy())


def _start_stock(start: ArrayLike, *, shape: tuple[int, int, int]) -> np.ndarray:
    given = np.asarray(start, dtype="float64")
    if not np.all(np.isfinite(given)) or given.ndim > 3:
        raise InputError(
            expected="a start stock in numbers", found="a missing or infinite one", fix="Give 0 where nothing is there."
        )
    full = np.broadcast_to(given.reshape(given.shape + (1,) * (3 - given.ndim)), shape)
    return np.ascontiguousarray(full.transpose(0, 2, 1)).reshape(-1, shape[1])


def simulate_policy(
    *,
    daily_mean: np.ndarray,
    daily_variance: np.ndarray,
    days: np.ndarray,
    chances: np.ndarray,
    review_days: np.ndarray,
    trigger: np.ndarray,
    batch: np.ndarray,
    seed: int,
    replications: int = 8,
    length: int = 364,
    warm_up: int = 91,
) -> pd.DataFrame:
    """Return the shelf fill and the mean stock that each item's policy keeps under stationary demand with backorders.

    Order of events on a day: orders due arrive; demand is met from stock, the rest waits; at the end of a review day, if the
    position (on hand + on order − backordered) is below the trigger T, the fewest batches Q are ordered that bring it to T or
    above. What is ordered on day t with lead time L arrives before the demand of day t + L + 1. An order-up-to level S is T = S,
    Q = pack; a reorder point r is T = r + 1. Daily demand is independent: negative binomial (Poisson where the variance is not
    above the mean), so that sums over days keep the distribution. Reviews start at a random day of the cycle.

    Parameters
    ----------
    daily_mean, daily_variance : numpy.ndarray
        Of each item's demand on one day [units, units²].
    days, chances : numpy.ndarray
        Lead times and their chances, items × points [days, fraction].
    review_days, trigger, batch : numpy.ndarray
        Policy of each item [days, units, units].
    seed : int
        Seed of the random numbers.
    replications, length, warm_up : int
        Runs of each item; days counted; days before that are not [count, days, days].

    Returns
    -------
    pandas.DataFrame
        One row an item: demand, filled [units], simulated [fraction; 1 without demand], mean_stock [units], and the standard
        error of `simulated` over the replications as simulated_error. The stock is the mean of each day's start and end.
    """
    random = np.random.default_rng(seed)
    shape = (len(daily_mean), replications)
    review = np.maximum(np.round(review_days), 1).astype("int64")[:, None]
    phase = -random.integers(0, 10**6, size=shape) % review
    small = float(np.max(daily_mean, initial=0.0)) < 1e5 and float(np.max(daily_variance, initial=0.0)) < 1e9
    demand = np.zeros((*shape, warm_up + length), dtype="int32" if small else "float64")
    lead = np.zeros(demand.shape, dtype="int32")
    limits = chances.cumsum(axis=1)
    item = np.arange(len(daily_mean))[:, None]
    for day in range(warm_up + length):
        demand[:, :, day] = _draw(random, daily_mean, daily_variance, shape)
        place = (random.random(shape)[:, :, None] > limits[:, None, :-1]).sum(axis=2)
        lead[:, :, day] = days[item, place].astype("int64")
    level = np.asarray(trigger, dtype="float64")[:, None]
    size = np.maximum(np.asarray(batch, dtype="float64"), 1.0)[:, None]
    rules = make_rules(level, target=level, multiple=size, review_period=review, review_phase=phase[:, None, :])
    paths, leads = demand.transpose(0, 2, 1), lead.transpose(0, 2, 1)
    result = simulate_policies(paths, rules=rules, lead_time=leads, warm_up=warm_up)
    held = (result.on_hand + result.filled / 2)[:, 0] / max(length, 1)
    return _summary(result.demand[:, 0], result.filled[:, 0], held)


def _draw(random: np.random.Generator, mean: np.ndarray, variance: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    spread = variance > mean * (1 + 1e-9)
    shape_of_rate = np.where(spread, mean**2 / np.where(spread, variance - mean, 1.0), 1.0)
    scale = np.where(spread, (variance - mean) / np.where(mean > 0, mean, 1.0), 1.0)
    rate = random.gamma(shape_of_rate[:, None], scale[:, None], size=shape)
    return random.poisson(np.where(spread[:, None], rate, mean[:, None])).astype("float64")


def _summary(demanded: np.ndarray, filled: np.ndarray, held: np.ndarray) -> pd.DataFrame:
    demand, met = demanded.sum(axis=1), filled.sum(axis=1)
    simulated = np.where(demand > 0, met / np.where(demand > 0, demand, 1.0), 1.0)
    residual = filled - simulated[:, None] * demanded
    runs = demanded.shape[1]
    error = np.sqrt((residual**2).sum(axis=1) / max(runs - 1, 1) * runs) / np.where(demand > 0, demand, 1.0)
    return pd.DataFrame(
        {"demand": demand, "filled": met, "simulated": simulated, "mean_stock": held.mean(axis=1), "simulated_error": error}
    )
