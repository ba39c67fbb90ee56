# mypy: disable-error-code="no-untyped-def, call-arg"
"""The simulator's recursion compiled by numba (optional extra ``fast``): the same results as NumPy's to the last bit.

Two loops do the work. Policies of one path that are reviewed together go through each period side by side, so that the demand is
read once for all and the processor takes several policies at a time. Everything else goes path by path and policy by policy.
"""

from __future__ import annotations

import numba
import numpy as np

from cmi_analysis.inventory.simulation_engine import TOTALS, Problem, SimulationState, last_arrival

_SIDE_BY_SIDE = 6
_STATE = ("net", "due", "closes", "short", "waiting", "available")


def run_numba(problem: Problem, state: SimulationState) -> tuple[np.ndarray, SimulationState]:
    """Return the totals, 8 × paths × policies, and the state after the last period.

    Parameters
    ----------
    problem : Problem
        Paths, rules and settings.
    state : SimulationState
        At the start; it is not changed.

    Returns
    -------
    tuple of (numpy.ndarray, SimulationState)
        Totals in the order of `TOTALS`, and the terminal state.
    """
    totals = np.zeros((len(TOTALS), *problem.trigger.shape))
    end, position = state.rows(slice(None)), state.position
    constant = problem.lead.size == 0 or problem.lead.min() == problem.lead.max()
    alike = bool((state.closes == state.closes[..., :1]).all())
    simple = problem.supply is None and alike and (problem.crossing or (constant and not state.due.any()))
    everything = [(np.arange(problem.trigger.shape[1]), False)]
    for columns, together in _groups(problem) if simple else everything:
        _run_columns(problem, end, position, totals, columns, together=together)
    return totals, end


def _groups(problem: Problem) -> list[tuple[np.ndarray, bool]]:
    """Return groups of policies that are reviewed together at every path (True), and the rest (False)."""
    schedules = np.concatenate([problem.every, problem.phase % problem.every])
    if (schedules == schedules[:, :1]).all():
        return [(np.arange(schedules.shape[1]), schedules.shape[1] >= _SIDE_BY_SIDE)]
    _, which = np.unique(schedules, axis=1, return_inverse=True)
    groups = [np.flatnonzero(which.ravel() == number) for number in range(int(which.max()) + 1)]
    large = [(group, True) for group in groups if len(group) >= _SIDE_BY_SIDE]
    rest = [group for group in groups if len(group) < _SIDE_BY_SIDE]
    return [*large, (np.sort(np.concatenate(rest)), False)] if rest else large


def _run_columns(
    problem: Problem, end: SimulationState, start: np.ndarray, totals: np.ndarray, columns: np.ndarray, *, together: bool
) -> None:
    every = len(columns) == problem.trigger.shape[1]

    def own(array: np.ndarray) -> np.ndarray:
        return array if every else np.ascontiguousarray(array[..., columns])

    rules = tuple(own(array) for array in (problem.trigger, problem.target, problem.multiple, 1.0 / problem.multiple))
    reviews = (own(problem.every), own(problem.phase))
    sums, states = own(totals), [own(getattr(end, name)) for name in _STATE]
    position = own(start)
    supply = problem.supply if problem.supply is not None else np.zeros((len(problem.demand), 0))
    if together:
        flags = (problem.backorders, problem.start, problem.warm_up)
        _side_by_side(problem.demand, problem.lead, *rules, *reviews, flags, position, *states[:4], sums)
    else:
        flags = (problem.backorders, problem.crossing, problem.supply is not None, problem.keep_supply)
        last = last_arrival(states[1])
        numbers = (problem.start, problem.warm_up)
        _one_by_one(problem.demand, problem.lead, supply, *rules, *reviews, flags, numbers, position, last, *states, sums)
    if not every:
        totals[..., columns] = sums
        for name, array in zip(_STATE, states, strict=True):
            getattr(end, name)[..., columns] = array


@numba.njit(cache=True, error_model="numpy")
def _one_by_one(
    demand, lead, supply, trigger, target, size, inverse, every, phase, flags, numbers, position, last,
    net, due, closes, short, waiting, available, sums,
):  # fmt: skip
    """Take every policy of every path through all periods."""
    slots, paths, policies = due.shape
    ring, closing, turn = np.zeros(slots), np.zeros(slots), demand.shape[1] % slots
    for i in range(paths):
        for p in range(policies):
            for k in range(slots):
                ring[k], closing[k] = due[k, i, p], closes[k, i, p]
            first = (phase[i, p] - numbers[0]) % every[i, p]
            rule = (trigger[i, p], target[i, p], size[i, p], inverse[i, p], every[i, p], first)
            state = (net[i, p], position[i, p], short[i, p], waiting[i, p], available[i, p], last[i, p])
            counted, state = _one_lane(demand[i], lead[i], supply[i], rule, flags, numbers[1], state, ring, closing)
            net[i, p], short[i, p], waiting[i, p], available[i, p] = state
            for k in range(8):
                sums[k, i, p] = counted[k]
            for k in range(slots):
                due[k, i, p], closes[k, i, p] = ring[(turn + k) % slots], closing[(turn + k) % slots]


@numba.njit(cache=True, error_model="numpy")
def _one_lane(demand, lead, supply, rule, flags, warm_up, state, ring, closing):
    """Take one policy of one path through all periods."""
    trigger, target, size, inverse, every, wait = rule
    backorders, crossing, limited, keep = flags
    net, position, short, waiting, available, last = state
    filled = on_hand = backordered = ready = orders = units = short_cycles = cycles = 0.0
    slots, slot = len(ring), 0
    for t in range(len(demand)):
        if t == warm_up:
            filled = on_hand = backordered = ready = orders = units = short_cycles = cycles = 0.0
        if closing[slot] > 0.0:
            cycles, short_cycles, short, closing[slot] = cycles + 1.0, short_cycles + short, 0.0, 0.0
        arrived = ring[slot]
        ring[slot] = 0.0
        if limited:
            waiting, available = waiting + arrived, available + supply[t]
            arrived = waiting if waiting < available else available
            waiting, available = waiting - arrived, available - arrived if keep else 0.0
        net += arrived
        wanted = float(demand[t])
        held = net if net > 0.0 else 0.0
        met = wanted if wanted < held else held
        short = 1.0 if wanted > net else short
        out = wanted if backorders else met
        position, net, filled = position - out, net - out, filled + met
        left = net if net > 0.0 else 0.0
        on_hand, backordered, ready = on_hand + left, backordered + (left - net), ready + (1.0 if net > 0.0 else 0.0)
        if wait == 0:
            wait = every
            last, ordered = _order(t, lead[t], position, (trigger, target, size, inverse), crossing, last, ring, closing)
            orders, units, position = orders + (1.0 if ordered > 0.0 else 0.0), units + ordered, position + ordered
        wait -= 1
        slot = slot + 1 if slot + 1 < slots else 0
    return (filled, on_hand, backordered, ready, orders, units, short_cycles, cycles), (net, short, waiting, available)


@numba.njit(cache=True, error_model="numpy")
def _order(t, lead, position, rule, crossing, last, ring, closing):
    """Order at the review of period t and return the last arrival and the quantity."""
    trigger, target, size, inverse = rule
    count = np.ceil((target - position) * inverse - 1e-9)
    ordered = count * size if count > 0.0 and position <= trigger else 0.0
    arrival = t + 1 + lead
    if not crossing:
        arrival = arrival if arrival > last else last
        last = arrival if ordered > 0.0 else last
    place = arrival % len(ring)
    ring[place] += ordered
    closing[place] = 1.0
    return last, ordered


@numba.njit(cache=True, error_model="numpy")
def _side_by_side(
    demand, lead, trigger, target, size, inverse, every, phase, flags, position, net, due, closes, short, sums
):  # fmt: skip
    """Take all policies of each path through each period together; they are reviewed at the same time."""
    slots, paths, policies = due.shape
    ring, closing, rows = np.zeros((slots, policies)), np.zeros(slots), np.zeros((8, policies))
    turn = demand.shape[1] % slots
    for i in range(paths):
        for k in range(slots):
            ring[k], closing[k] = due[k, i], closes[k, i, 0]
        rows[:] = 0.0
        rule = (trigger[i], target[i], size[i], inverse[i])
        schedule = (every[i, 0], (phase[i, 0] - flags[1]) % every[i, 0])
        state = (net[i], position[i], short[i], ring, closing)
        cycles = _together(demand[i], lead[i], rule, schedule, flags[0], flags[2], state, rows)
        sums[:, i], sums[7, i] = rows, cycles
        for k in range(slots):
            due[k, i], closes[k, i] = ring[(turn + k) % slots], closing[(turn + k) % slots]


@numba.njit(cache=True, error_model="numpy")
def _together(demand, lead, rule, schedule, backorders, warm_up, state, rows):
    """Take the policies of one path through all periods and return the number of their review cycles."""
    net, position, short, ring, closing = state
    filled, on_hand, backordered, ready, orders, units = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5]
    short_cycles, ordered = rows[6], rows[7]
    (every, wait), cycles, slots, slot = schedule, 0, len(ring), 0
    for t in range(len(demand)):
        if t == warm_up:
            rows[:] = 0.0
            cycles = 0
        if closing[slot] > 0.0:
            closing[slot] = 0.0
            cycles += 1
            for p in range(len(net)):
                short_cycles[p] += short[p]
                short[p] = 0.0
        _meet(float(demand[t]), backorders, ring[slot], net, position, short, filled)
        for p in range(len(net)):
            left = net[p] if net[p] > 0.0 else 0.0
            on_hand[p] += left
            backordered[p] += left - net[p]
            ready[p] += 1.0 if net[p] > 0.0 else 0.0
        if wait == 0:
            wait = every
            place = (t + 1 + lead[t]) % slots
            closing[place] = 1.0
            _raise(rule, position, ordered, ring[place], orders, units)
        wait -= 1
        slot = slot + 1 if slot + 1 < slots else 0
    return cycles


@numba.njit(cache=True, error_model="numpy")
def _meet(wanted, backorders, arrived, net, position, short, filled):
    """Put away what arrives and meet the period's demand."""
    for p in range(len(net)):
        before = net[p] + arrived[p]
        arrived[p] = 0.0
        held = before if before > 0.0 else 0.0
        met = wanted if wanted < held else held
        filled[p] += met
        short[p] = 1.0 if wanted > before else short[p]
        out = wanted if backorders else met
        position[p] -= out
        net[p] = before - out


@numba.njit(cache=True, error_model="numpy")
def _raise(rule, position, ordered, arrives, orders, units):
    """Order for all policies of one path."""
    trigger, target, size, inverse = rule
    for p in range(len(position)):
        count = np.ceil((target[p] - position[p]) * inverse[p] - 1e-9)
        count = count if count > 0.0 else 0.0
        count = count * size[p]
        ordered[p] = count if position[p] <= trigger[p] else 0.0
    for p in range(len(position)):
        orders[p] += 1.0 if ordered[p] > 0.0 else 0.0
        units[p] += ordered[p]
        position[p] += ordered[p]
        arrives[p] += ordered[p]
