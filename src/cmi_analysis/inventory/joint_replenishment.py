"""Joint replenishment: several items in one order that has a cost of its own, each item in every m-th order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.value_checks import check_not_negative, check_positive

METHODS = ("exact", "power_of_two", "silver")
"""Ways to find the multiples: least cost, least cost among powers of two, Silver's (1976) heuristic."""
_MOST_BREAKPOINTS = 5_000_000


@dataclass(frozen=True)
class JointOrder:
    """When a group of items is ordered together.

    Attributes
    ----------
    method : str
        One of `METHODS`, or ``independent`` where an order has no cost of its own and each item keeps its own cycle.
    base_cycle : float
        Time T between orders [years]; 0 where there is no common cycle or nothing to order.
    multiples : numpy.ndarray
        Each item is in every m-th order; 0 for an item without demand or without a common cycle.
    order_quantities : numpy.ndarray
        mTλ of each item [units].
    yearly_cost : float
        Ordering and holding cost [money/year].
    """

    method: str
    base_cycle: float
    multiples: np.ndarray
    order_quantities: np.ndarray
    yearly_cost: float


def fit_joint_replenishment(
    demand_rate: ArrayLike,
    *,
    order_cost: float,
    item_cost: ArrayLike,
    holding_cost: ArrayLike,
    method: str = "exact",
    base_step: float | None = None,
) -> JointOrder:
    """Return the base cycle and the multiples of items that are ordered together.

    Cost (K + Σ k_i/m_i)/T + T/2·Σ h_i·λ_i·m_i. ``exact``: for a given T the best m_i is the smallest with
    m(m + 1) ≥ 2k_i/(h_iλ_iT²); every set of multiples met as T falls is tried, down to T = K/(best − Σ √(2k_ih_iλ_i)): below
    that no cycle can cost less (Goyal 1974; bound of Wildeman, Frenk and Dekker 1997). ``power_of_two``: the same among powers of
    two (Jackson, Maxwell and Muckstadt 1985). ``silver``: m_i = √(k_i/(h_iλ_i)·h_1λ_1/(K + k_1)) rounded, 1 the item with the
    least k/(hλ) (Silver 1976; Silver, Pyke and Thomas 2017, chapter 10).

    Parameters
    ----------
    demand_rate : array_like
        Demand λ of each item [units/year].
    order_cost : float
        Cost K of an order whatever is in it [money].
    item_cost : array_like
        Cost k of an item's being in the order [money].
    holding_cost : array_like
        Cost h of one unit held for a year [money/unit/year].
    method : str
        One of `METHODS`.
    base_step : float, optional
        The base cycle is a whole multiple of it [years], such as 1/52; with ``exact`` and ``power_of_two`` all are tried, with
        ``silver`` the nearest below and above.

    Raises
    ------
    InputError
        A demand or order cost is below zero, a holding cost or step is not above zero, an unknown method, or costs so far apart
        that the search has no reasonable end.

    Returns
    -------
    JointOrder

    Examples
    --------
    Two items, K 1, k 1 and 1, hλ 2 and 2: together every √(2·3/4) years at √(2·3·4).

    >>> order = fit_joint_replenishment([1, 1], order_cost=1, item_cost=1, holding_cost=2)
    >>> round(order.base_cycle, 4), order.multiples.tolist(), round(order.yearly_cost, 4)
    (1.2247, [1, 1], 4.899)
    """
    demand, minor, holding = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(value, dtype="float64")) for value in (demand_rate, item_cost, holding_cost))
    )
    check_not_negative(demand_rate=demand, order_cost=order_cost, item_cost=minor)
    check_positive(holding_cost=holding, **({} if base_step is None else {"base_step": base_step}))
    if method not in METHODS:
        raise InputError(expected=f"a method out of {', '.join(METHODS)}", found=f"{method!r}", fix="Take exact.")
    moves = demand > 0
    if not moves.any():
        return JointOrder(method, 0.0, np.zeros(len(demand), dtype="int64"), np.zeros(len(demand)), 0.0)
    if order_cost == 0 and base_step is None:
        return _apart(demand, minor, holding)
    weight, cost = (holding * demand)[moves], minor[moves]
    if method == "silver":
        best, cycle = _silver(order_cost, cost, weight), None
    else:
        best, cycle = _search(order_cost, cost, weight, doubling=method == "power_of_two", step=base_step)
    setup, load = order_cost + (cost / best).sum(), (weight * best).sum()
    if cycle is None:
        cycle = _round_cycle(float(np.sqrt(2 * setup / load)), setup, load, base_step)
    multiples = np.zeros(len(demand), dtype="int64")
    multiples[moves] = best
    return JointOrder(method, cycle, multiples, multiples * cycle * demand, float(setup / cycle + cycle * load / 2))


def _apart(demand: np.ndarray, minor: np.ndarray, holding: np.ndarray) -> JointOrder:
    """Return each item at its own economic order quantity."""
    nothing = np.zeros(len(demand), dtype="int64")
    yearly = float(np.sqrt(2 * minor * demand * holding).sum())
    return JointOrder("independent", 0.0, nothing, np.sqrt(2 * minor * demand / holding), yearly)


def _silver(order_cost: float, cost: np.ndarray, weight: np.ndarray) -> np.ndarray:
    ratio = cost / weight
    first = int(ratio.argmin())
    wanted = np.sqrt(ratio * weight[first] / (order_cost + cost[first])) if order_cost + cost[first] > 0 else np.ones(len(cost))
    multiples = np.maximum(np.floor(wanted + 0.5), 1).astype("int64")
    multiples[first] = 1
    return multiples


def _round_cycle(cycle: float, setup: float, load: float, step: float | None) -> float:
    """Return the better of the two whole multiples of the step around a cycle."""
    if step is None:
        return cycle
    below = max(np.floor(cycle / step + 1e-9), 1.0) * step
    return float(min((below, below + step), key=lambda time: setup / time + time * load / 2))


def _search(
    order_cost: float, cost: np.ndarray, weight: np.ndarray, *, doubling: bool, step: float | None
) -> tuple[np.ndarray, float | None]:
    """Return the multiples with the least cost, and the cycle where it is bound to a step."""
    shortest = _shortest_cycle(order_cost, cost, weight, doubling)
    if step is not None:
        return _on_steps(order_cost, cost, weight, doubling=doubling, step=step)
    at, item, saved, added = _breakpoints(cost, weight, shortest, doubling)
    order = np.argsort(-at, kind="stable")
    setup = order_cost + cost.sum() - np.concatenate([[0.0], saved[order].cumsum()])
    load = weight.sum() + np.concatenate([[0.0], added[order].cumsum()])
    taken = item[order][: int((setup * load).argmin())]
    count = np.bincount(taken, minlength=len(cost))
    return (2**count if doubling else 1 + count).astype("int64"), None


def _shortest_cycle(order_cost: float, cost: np.ndarray, weight: np.ndarray, doubling: bool) -> float:
    """Return a cycle below which no policy can cost less than one that is known."""
    least = np.sqrt(2 * cost * weight).sum()
    longest = np.sqrt(2 * (order_cost + cost.sum()) / weight.sum())
    times = longest * np.geomspace(1.0, 1e-4, 600)
    known = min(_cost_at(times, order_cost, cost, weight, doubling).min(), np.sqrt(2 * (order_cost + cost.sum()) * weight.sum()))
    return float(order_cost / (known - least)) if known > least * (1 + 1e-12) else float(longest)


def _best_multiples(times: np.ndarray, cost: np.ndarray, weight: np.ndarray, doubling: bool) -> np.ndarray:
    """Return the best multiple of each item for each cycle, cycles × items."""
    wanted = cost / weight / times[:, None] ** 2
    if doubling:
        return np.asarray(2.0 ** np.maximum(np.ceil(np.log2(np.maximum(wanted, 1e-300)) / 2 - 1e-12), 0.0))
    return np.asarray(np.maximum(np.ceil(-0.5 + np.sqrt(0.25 + 2 * wanted) - 1e-12), 1.0))


def _cost_at(times: np.ndarray, order_cost: float, cost: np.ndarray, weight: np.ndarray, doubling: bool) -> np.ndarray:
    multiples = _best_multiples(times, cost, weight, doubling)
    return (order_cost + (cost / multiples).sum(axis=1)) / times + times / 2 * (weight * multiples).sum(axis=1)


def _on_steps(
    order_cost: float, cost: np.ndarray, weight: np.ndarray, *, doubling: bool, step: float
) -> tuple[np.ndarray, float]:
    """Return the best of all cycles that are whole multiples of the step."""
    longest = max(np.sqrt(2 * (order_cost + cost.sum()) / weight.sum()), np.sqrt(2 * (cost / weight).max()))
    count = int(np.ceil(longest / step)) + 1
    if count * len(cost) > _MOST_BREAKPOINTS:
        raise _endless(f"{count:,} cycles of {step} years")
    times = step * np.arange(1, count + 1)
    place = int(_cost_at(times, order_cost, cost, weight, doubling).argmin())
    return _best_multiples(times[place : place + 1], cost, weight, doubling)[0].astype("int64"), float(times[place])


def _breakpoints(
    cost: np.ndarray, weight: np.ndarray, shortest: float, doubling: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return each cycle at which an item's multiple grows: cycle, item, order cost saved, holding weight added."""
    reach = np.sqrt(cost / weight) / shortest
    if doubling:
        counts = np.floor(np.log2(np.maximum(reach, 0.5)) + 1e-9).astype("int64") + 1
    else:
        counts = np.floor(np.sqrt(2.0) * reach).astype("int64")
    counts = np.where(cost > 0, np.maximum(counts, 0), 0)
    if counts.sum() > _MOST_BREAKPOINTS:
        raise _endless(f"{counts.sum():,} steps")
    item = np.repeat(np.arange(len(cost)), counts)
    number = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    now = 2.0**number if doubling else number + 1.0
    after = 2 * now if doubling else now + 1
    at = np.sqrt(2 * cost[item] / (weight[item] * now * after))
    return at, item, cost[item] * (1 / now - 1 / after), weight[item] * (after - now)


def _endless(found: str) -> InputError:
    return InputError(
        expected="order costs and demands of like size",
        found=f"a search over {found}",
        fix="Plan the items apart, or give a larger base_step.",
    )
