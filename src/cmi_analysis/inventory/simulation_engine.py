"""The simulator's recursion over periods in NumPy, on arrays of paths × policies.

A path is one item's demand and lead times in one replication; every policy of the item meets the same path. The engine of
`simulation_fast` does the same operations on the same numbers in the same order, so the results are equal to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOTALS = ("filled", "on_hand", "backordered", "ready", "orders", "units", "short_cycles", "cycles")
"""Sums over the counted periods, the first axis of the totals."""
_LANES = 16384


@dataclass(frozen=True)
class Problem:
    """What one run needs, checked and brought to paths × policies.

    Attributes
    ----------
    demand : numpy.ndarray
        Paths × periods [units].
    lead : numpy.ndarray
        Lead time of an order placed in the period, paths × periods [periods].
    supply : numpy.ndarray or None
        Most that can arrive, paths × periods [units].
    keep_supply : bool
        Supply that is not taken is there in later periods.
    trigger, target, multiple : numpy.ndarray
        Paths × policies [units].
    every, phase : numpy.ndarray
        Review period and phase, paths × policies [periods].
    backorders, crossing : bool
        What is not met waits; orders may arrive in another order than they were placed.
    start, warm_up : int
        Number of the first period (for the phase), and periods that are not counted.
    """

    demand: np.ndarray
    lead: np.ndarray
    supply: np.ndarray | None
    keep_supply: bool
    trigger: np.ndarray
    target: np.ndarray
    multiple: np.ndarray
    every: np.ndarray
    phase: np.ndarray
    backorders: bool
    crossing: bool
    start: int
    warm_up: int


@dataclass(frozen=True)
class SimulationState:
    """Stock and pipeline of paths × policies between two periods.

    Attributes
    ----------
    net : numpy.ndarray
        On hand less backordered, paths × policies [units].
    due : numpy.ndarray
        Slots × paths × policies: due before the demand of the 1st, 2nd, … period from now [units].
    closes : numpy.ndarray
        Slots × paths × policies: 1 where the delivery of a review is due and ends its cycle.
    short : numpy.ndarray
        1 where the open cycle had a stock-out.
    waiting, available : numpy.ndarray
        Due but not supplied yet, and supply not taken, paths × policies [units]; zero without supply limits.
    """

    net: np.ndarray
    due: np.ndarray
    closes: np.ndarray
    short: np.ndarray
    waiting: np.ndarray
    available: np.ndarray

    @property
    def position(self) -> np.ndarray:
        """On hand + on order − backordered, paths × policies [units]."""
        position: np.ndarray = self.net + self.due.sum(axis=0) + self.waiting
        return position

    def rows(self, which: slice) -> SimulationState:
        """Return copies of the state of some paths."""
        last = {name: getattr(self, name)[:, which].copy() for name in ("due", "closes")}
        first = {name: getattr(self, name)[which].copy() for name in ("net", "short", "waiting", "available")}
        return SimulationState(**first, **last)


def run_numpy(problem: Problem, state: SimulationState) -> tuple[np.ndarray, SimulationState]:
    """Return the totals, 8 × paths × policies, and the state after the last period.

    Parameters
    ----------
    problem : Problem
        Paths, rules and settings.
    state : SimulationState
        At the start; it is not changed. `due` must have more slots than the longest lead time + 1.

    Returns
    -------
    tuple of (numpy.ndarray, SimulationState)
        Totals in the order of `TOTALS`, and the terminal state.
    """
    paths, policies = problem.trigger.shape
    totals = np.zeros((len(TOTALS), paths, policies))
    if totals.size == 0:
        return totals, state.rows(slice(None))
    step = max(_LANES // policies, 1)
    ends = []
    for first in range(0, paths, step):
        rows = slice(first, min(first + step, paths))
        ends.append(_run_rows(problem, rows, state.rows(rows), totals[:, rows]))
    axis = {"net": 0, "due": 1, "closes": 1, "short": 0, "waiting": 0, "available": 0}
    return totals, SimulationState(
        **{name: np.concatenate([getattr(end, name) for end in ends], axis=place) for name, place in axis.items()}
    )


def _run_rows(problem: Problem, rows: slice, state: SimulationState, totals: np.ndarray) -> SimulationState:
    demand, lead = np.ascontiguousarray(problem.demand[rows].T), np.ascontiguousarray(problem.lead[rows].T)
    supply = None if problem.supply is None else np.ascontiguousarray(problem.supply[rows].T)
    filled, on_hand, backordered, ready, _, _, short_cycles, cycles = totals
    net, position, short, slots = state.net, state.position, state.short, len(state.due)
    orders = _Orders(problem, rows, state, totals)
    wanted = np.empty_like(net)
    for t in range(len(demand)):
        slot = t % slots
        if t == problem.warm_up:
            totals[:] = 0.0
        closing = state.closes[slot]
        if closing.any():
            cycles += closing
            short_cycles += closing * short
            short *= 1.0 - closing
            closing[:] = 0.0
        net += state.due[slot] if supply is None else _supplied(state, slot, supply[t], keep=problem.keep_supply)
        state.due[slot] = 0.0
        np.copyto(wanted, demand[t][:, None])
        met = np.minimum(wanted, np.maximum(net, 0.0))
        filled += met
        short[wanted > net] = 1.0
        out = wanted if problem.backorders else met
        position -= out
        net -= out
        left = np.maximum(net, 0.0)
        on_hand += left
        backordered += left - net
        ready += net > 0.0
        orders.place(t, lead[t], position)
    turn = len(demand) % slots
    state.due[:], state.closes[:] = np.roll(state.due, -turn, axis=0), np.roll(state.closes, -turn, axis=0)
    return state


def _supplied(state: SimulationState, slot: int, supply: np.ndarray, *, keep: bool) -> np.ndarray:
    """Return what arrives where no more can than is supplied; the rest waits."""
    state.waiting[:] += state.due[slot]
    state.available[:] += supply[:, None]
    arrived = np.minimum(state.waiting, state.available)
    state.waiting[:] -= arrived
    state.available[:] = state.available - arrived if keep else 0.0
    return arrived


class _Orders:
    """Reviews of some paths: who is reviewed when, what is ordered and when it arrives."""

    def __init__(self, problem: Problem, rows: slice, state: SimulationState, totals: np.ndarray) -> None:
        self.trigger, self.target, self.size = problem.trigger[rows], problem.target[rows], problem.multiple[rows]
        self.inverse = 1.0 / self.size
        self.crossing, self.start, self.slots = problem.crossing, problem.start, len(state.due)
        pairs = np.stack([problem.every[rows].ravel(), problem.phase[rows].ravel()])
        self.schedules, which = np.unique(pairs, axis=1, return_inverse=True)
        self.which = which.reshape(self.trigger.shape)
        self.due, self.closes = state.due.reshape(self.slots, -1), state.closes.reshape(self.slots, -1)
        self.orders, self.units = totals[4], totals[5]
        self.lane = np.arange(self.trigger.size)
        self.last = last_arrival(state.due)

    def place(self, t: int, lead: np.ndarray, position: np.ndarray) -> None:
        """Review at the end of period t, order, and raise the position."""
        reviewed = (self.start + t - self.schedules[1]) % self.schedules[0] == 0
        if not reviewed.any():
            return
        count = np.ceil((self.target - position) * self.inverse - 1e-9)
        np.maximum(count, 0.0, out=count)
        count *= self.size
        count *= position <= self.trigger
        now = None if reviewed.all() else reviewed[self.which]
        if now is not None:
            count *= now
        self.orders += count > 0.0
        self.units += count
        position += count
        arrival = np.broadcast_to((t + 1 + lead)[:, None], position.shape)
        if not self.crossing:
            arrival = np.maximum(arrival, self.last)
            self.last = np.where(count > 0.0, arrival, self.last)
        self._send(arrival % self.slots, count, now)

    def _send(self, slot: np.ndarray, count: np.ndarray, now: np.ndarray | None) -> None:
        flat, first = count.ravel(), int(slot[0, 0])
        if slot.min() == slot.max():
            self.due[first] += flat
            self.closes[first] = 1.0 if now is None else np.maximum(self.closes[first], now.ravel())
            return
        place = slot.ravel()
        self.due[place, self.lane] += flat
        if now is None:
            self.closes[place, self.lane] = 1.0
        else:
            self.closes[place[now.ravel()], self.lane[now.ravel()]] = 1.0


def last_arrival(due: np.ndarray) -> np.ndarray:
    """Return the period before whose demand the last order under way is due, −1 where nothing is, paths × policies."""
    held = due > 0
    last: np.ndarray = np.where(held.any(axis=0), len(due) - 1 - held[::-1].argmax(axis=0), -1)
    return last
