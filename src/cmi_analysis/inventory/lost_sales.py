"""Policies whose unmet demand is lost: exact by the Markov chain of stock and orders on their way where it is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_draws import draw_demand, draw_lead_times
from cmi_analysis.inventory.pmf import check_pmf
from cmi_analysis.inventory.pmf_shortage import shortage_at, shortage_curve
from cmi_analysis.inventory.policy_rules import set_rules
from cmi_analysis.inventory.simulation import simulate_policies
from cmi_analysis.inventory.simulation_results import score_simulation
from cmi_analysis.inventory.value_checks import check_costs, check_rows

MOST_STATES = 100_000
"""Largest chain that is solved exactly; beyond it the answer is simulated and labelled so."""
REPLICATIONS = 400
"""Replications of a simulated policy: the standard error of the fill is given beside it."""
_HIGHEST = 300
Terms = tuple[int, int, int]
"""Reorder point, highest position, and batch (0: order up to the highest)."""
Row = tuple[float, float, float, float, float, int, str]


@dataclass(frozen=True)
class _Chain:
    """One item's system: the order of k reviews ago arrives after `wait` days of the review period."""

    hold: np.ndarray
    lost: np.ndarray
    arrive: Callable[[int], np.ndarray]
    older: int


def score_lost_sales(
    policy: pd.DataFrame,
    *,
    daily_pmf: ArrayLike,
    lead_time_pmf: ArrayLike,
    review_days: int = 1,
    order_cost: ArrayLike = 0.0,
    holding_cost: ArrayLike = 1.0,
    shortage_cost: ArrayLike = 1.0,
    most_states: int = MOST_STATES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what policies cost and which service they keep when unmet demand is lost.

    Order of events: orders due arrive, demand is met from stock, the rest is lost; at the end of each R-th day, if stock and
    orders on their way are at or below the reorder point, it is ordered: up to S, or the fewest batches Q that pass it. What is
    ordered on day t with lead time L is on the shelf before the demand of day t + L + 1. Exact (``exact``) by the stationary
    distribution of (stock, orders on their way), for one lead time, or any lead times shorter than R, with up to `most_states`
    states (the state of Zipkin 2008, section 2). Else ``simulated``, 400 replications of at least 500 days with lead times drawn
    independently: orders may cross. Formulas for backorders do not apply: they understate the fill by up to 17 points.

    Parameters
    ----------
    policy : pandas.DataFrame
        reorder_point; order_up_to_level, or order_quantity (batches) [units], whole.
    daily_pmf : array_like
        Items × points: demand of one day [fraction].
    lead_time_pmf : array_like
        Items × (0 … longest lead time in days) [fraction].
    review_days : int
        R [days].
    order_cost, holding_cost, shortage_cost : array_like
        K of an order, h of a unit on the shelf at the end of a day, p of a unit of demand lost [money].
    most_states : int
        Largest chain to solve [count].
    seed : int
        Of the random numbers where it is simulated; the same for every policy of an item.

    Returns
    -------
    pandas.DataFrame
        cost [money/day], shelf_fill and its standard error shelf_fill_error (0 where exact) [fraction], lost_per_day, mean_stock
        (end of a day) [units], orders_per_day, states [count], method (``exact``, ``simulated``, ``no_demand``).

    Raises
    ------
    InputError
        S is not above s, a batch is below 1, or a reorder point is below −1 (stock is never below zero).

    Examples
    --------
    Demand 0 or 1 a day, lead time 0, S = 1: what was sold is back the next day, nothing is lost, half a unit stays on average.

    >>> policy = pd.DataFrame({"reorder_point": [0.0], "order_up_to_level": [1.0]})
    >>> one = score_lost_sales(policy, daily_pmf=[[0.5, 0.5]], lead_time_pmf=[[1.0]])
    >>> one[["shelf_fill", "mean_stock", "orders_per_day"]].round(6).iloc[0].tolist()
    [1.0, 0.5, 0.5]
    """
    daily, lead = check_pmf(daily_pmf, name="daily_pmf"), check_pmf(lead_time_pmf, name="lead_time_pmf")
    check_rows(policy=len(policy), daily_pmf=len(daily), lead_time_pmf=len(lead))
    holding, shortage, order = check_costs(
        len(daily),
        positive={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost},
    )
    low, top, batch = _levels(policy)
    if review_days < 1:
        raise InputError(expected="a review period of a day or more", found=f"{review_days}", fix="Take 1 for a daily review.")
    rows = [
        _score_one(daily[item], lead[item], review_days, (int(low[item]), int(top[item]), int(batch[item])), most_states, seed)
        for item in range(len(daily))
    ]
    names = ["shelf_fill", "shelf_fill_error", "lost_per_day", "mean_stock", "orders_per_day", "states", "method"]
    table = pd.DataFrame(rows, columns=names, index=policy.index)
    cost = order * table["orders_per_day"] + holding * table["mean_stock"] + shortage * table["lost_per_day"]
    table.insert(0, "cost", cost)
    return table


def _score_one(daily: np.ndarray, lead: np.ndarray, review_days: int, terms: Terms, most_states: int, seed: int) -> Row:
    if 1 - daily[0] <= 1e-12:
        return 1.0, 0.0, 0.0, float(max(terms[1], 0)), 0.0, 0, "no_demand"
    found = _exact(daily, lead, review_days, terms, most_states)
    return found or _simulate(daily, lead, review_days, terms, seed)


def _simulate(daily: np.ndarray, lead: np.ndarray, review_days: int, terms: Terms, seed: int) -> Row:
    """Return the long-run figures of one item by simulation, after a warm-up of four protection intervals."""
    low, top, batch = terms
    wait = 4 * (len(lead) + review_days)
    days = {"periods": wait + max(500, 20 * review_days), "replications": REPLICATIONS}
    result = simulate_policies(
        draw_demand(daily[None], seed=seed, **days),
        rules=set_rules("r_nQ", reorder_point=low, order_quantity=batch, review_period=review_days)
        if batch
        else set_rules("R_s_S", reorder_point=low, order_up_to_level=top, review_period=review_days),
        lead_time=draw_lead_times([np.arange(len(lead))], chances=lead[None], seed=seed + 1, **days),
        lost_sales=True,
        warm_up=wait,
        engine="numpy",
    )
    found = score_simulation(result).iloc[0]
    a_day = {name: float(found[name]) / result.periods for name in ("unfilled", "orders")}
    return (
        found["shelf_fill"],
        found["shelf_fill_error"],
        a_day["unfilled"],
        found["on_hand_end"],
        a_day["orders"],
        0,
        "simulated",
    )


def _levels(policy: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return s, the highest position, and the batch (0: order up to the highest)."""
    low = np.round(policy["reorder_point"].to_numpy(dtype="float64")).astype("int64")
    if "order_up_to_level" in policy:
        top = np.round(policy["order_up_to_level"].to_numpy(dtype="float64")).astype("int64")
        batch = np.zeros_like(top)
    else:
        batch = np.round(policy["order_quantity"].to_numpy(dtype="float64")).astype("int64")
        top = low + batch
    if np.any(top <= low) or np.any(low < -1):
        raise InputError(
            expected="a reorder point of −1 or more, a level above it or a batch of 1 or more",
            found=f"reorder points from {low.min()}, highest positions from {top.min()}",
            fix="Stock is never below zero where sales are lost: order at 0 or above.",
        )
    return low, top, batch


def _order(position: np.ndarray, terms: Terms) -> np.ndarray:
    low, top, batch = terms
    wanted = top - position if batch == 0 else -(-(low + 1 - position) // max(batch, 1)) * batch
    return np.where(position <= low, wanted, 0)


def _exact(daily: np.ndarray, lead: np.ndarray, review_days: int, terms: Terms, most_states: int) -> Row | None:
    """Return the long-run figures by the chain, or None where it is too large or has no exact form here."""
    chain = _build(daily, lead, review_days, terms[1]) if terms[1] <= _HIGHEST else None
    if chain is None:
        return None
    found = _enumerate(chain, terms, most_states)
    if found is None:
        return None
    states, quantity, matrix = found
    share = _stationary(matrix)
    arriving = states[:, -1] if chain.older else quantity
    stock, lost = states[:, 0], np.zeros(len(states))
    held = np.zeros(len(states))
    for size in np.unique(arriving):
        rows = arriving == size
        held[rows], lost[rows] = chain.hold[size][stock[rows]], chain.lost[size][stock[rows]]
    lost_mean, demand = float(share @ lost), float(daily @ np.arange(len(daily))) * review_days
    fill = min(max(1 - lost_mean / demand, 0.0), 1.0)
    orders = float(share @ (quantity > 0)) / review_days
    return fill, 0.0, lost_mean / review_days, float(share @ held) / review_days, orders, len(states), "exact"


def _build(daily: np.ndarray, lead: np.ndarray, review_days: int, top: int) -> _Chain | None:
    """Return transitions and rewards of one review period by the quantity that arrives in it."""
    days = np.flatnonzero(lead > 0)
    if len(days) > 1 and days[-1] >= review_days:
        return None
    older, wait = divmod(int(days[-1]), review_days)
    if len(days) == 1 and older and wait == 0:
        older, wait = older - 1, review_days
    waits = [(wait, 1.0)] if len(days) == 1 else [(int(day), float(lead[day])) for day in days]
    size = top + 1
    step = _one_day(daily, 2 * size)
    curve = shortage_curve(daily[None, :])
    miss = shortage_at(np.arange(2 * size)[None, :], curve=curve)[0]
    powers = [np.eye(2 * size)]
    for _ in range(review_days):
        powers.append(powers[-1] @ step)
    level = np.arange(2 * size, dtype="float64")
    hold = np.cumsum([np.zeros(2 * size), *(power @ level for power in powers[1:])], axis=0)
    lost = np.cumsum([np.zeros(2 * size), *(power @ miss for power in powers[:-1])], axis=0)

    def arrive(quantity: int) -> np.ndarray:
        parts = (chance * powers[w][:size, :size] @ powers[review_days - w][quantity : quantity + size] for w, chance in waits)
        return sum(parts, np.zeros((size, 2 * size)))

    def over(total: np.ndarray, quantity: int) -> np.ndarray:
        return sum(
            chance * (total[w][:size] + powers[w][:size, :size] @ total[review_days - w][quantity : quantity + size])
            for w, chance in waits
        )

    every = range(size)
    return _Chain(np.array([over(hold, q) for q in every]), np.array([over(lost, q) for q in every]), arrive, older)


def _one_day(daily: np.ndarray, size: int) -> np.ndarray:
    """Return the chance of each stock after a day, by the stock before it."""
    step = np.zeros((size, size))
    for stock in range(size):
        met = daily[: stock + 1]
        step[stock, stock - np.arange(len(met))] = met
        step[stock, 0] += daily[stock + 1 :].sum()
    return step


def _enumerate(chain: _Chain, terms: Terms, most_states: int) -> tuple[np.ndarray, np.ndarray, scipy.sparse.csr_array] | None:
    """Return the states reached from a full shelf, the order of each, and the transitions; None if too many."""
    base = terms[1] + 1
    weights = base ** np.arange(chain.older + 1, dtype="int64")
    tables: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    known = np.array([terms[1]], dtype="int64")
    seen, front, parts = {int(known[0])}, known, []
    codes: list[int] = [int(known[0])]
    while len(front):
        states = front[:, None] // weights % base
        quantity = _order(states.sum(axis=1), terms)
        arriving = states[:, -1] if chain.older else quantity
        rest = np.concatenate([quantity[:, None], states[:, 1:-1]], axis=1) if chain.older else states[:, :0]
        moved = (rest * weights[1 : 1 + rest.shape[1]]).sum(axis=1)
        for size in np.unique(arriving):
            if int(size) not in tables:
                table = chain.arrive(int(size))
                tables[int(size)] = [(row.nonzero()[0], row[row.nonzero()[0]]) for row in np.where(table > 1e-14, table, 0.0)]
        found = [tables[int(size)][int(stock)] for size, stock in zip(arriving, states[:, 0], strict=True)]
        length = np.array([len(places) for places, _ in found])
        target = np.concatenate([places for places, _ in found]) + np.repeat(moved, length)
        parts.append((np.repeat(front, length), target, np.concatenate([chances for _, chances in found])))
        fresh = [code for code in np.unique(target).tolist() if code not in seen]
        seen.update(fresh)
        codes.extend(fresh)
        if len(codes) > most_states:
            return None
        front = np.array(fresh, dtype="int64")
    order = np.array(sorted(codes), dtype="int64")
    source, target, chance = (np.concatenate([part[place] for part in parts]) for place in range(3))
    size = len(order)
    matrix = scipy.sparse.csr_array(
        (chance, (np.searchsorted(order, source), np.searchsorted(order, target))), shape=(size, size)
    )
    states = order[:, None] // weights % base
    return states, _order(states.sum(axis=1), terms), matrix


def _stationary(matrix: scipy.sparse.csr_array) -> np.ndarray:
    """Return the long-run share of time in each state: damped steps, which also settle chains with a period."""
    total = np.asarray(matrix.sum(axis=1)).ravel()
    back = (scipy.sparse.diags_array(1 / total) @ matrix).T.tocsr()
    share = np.full(matrix.shape[0], 1.0 / matrix.shape[0])
    for _ in range(200_000):
        moved = 0.3 * share + 0.7 * (back @ share)
        gap = np.abs(moved - share).sum()
        share = moved / moved.sum()
        if gap < 1e-13:
            break
    return share
