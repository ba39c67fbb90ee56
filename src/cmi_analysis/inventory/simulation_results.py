"""What a simulation found: sums by item, policy and replication, and the table of service, stock and cost made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.simulation_engine import SimulationState

_COSTS = ("holding_cost", "backorder_cost", "shortage_cost", "order_cost")


@dataclass(frozen=True)
class SimulationResult:
    """Sums over the counted periods, items × policies × replications.

    Attributes
    ----------
    demand, filled : numpy.ndarray
        Demand, and what of it was met from the shelf at once [units].
    on_hand, backordered : numpy.ndarray
        Sums of the stock on the shelf and of what waits at the end of each period [unit-periods].
    ready : numpy.ndarray
        Periods that ended with stock on the shelf [periods].
    orders, units : numpy.ndarray
        Orders placed, and units in them.
    cycles, short_cycles : numpy.ndarray
        Review cycles ended, and those of them with a stock-out (something lost or waiting at the end of a period). A cycle ends
        just before the delivery of a review is due, whether it ordered or not; two due at once end one.
    periods : int
        Counted periods.
    state : SimulationState
        After the last period; it can be given to the next run.
    engine : str
        ``numpy`` or ``numba``.
    """

    demand: np.ndarray
    filled: np.ndarray
    on_hand: np.ndarray
    backordered: np.ndarray
    ready: np.ndarray
    orders: np.ndarray
    units: np.ndarray
    cycles: np.ndarray
    short_cycles: np.ndarray
    periods: int
    state: SimulationState
    engine: str

    @property
    def shelf_fill(self) -> np.ndarray:
        """Share of demand met from the shelf over all replications, items × policies; 1 without demand [fraction]."""
        return _share(self.filled, self.demand)

    @property
    def cycle_service(self) -> np.ndarray:
        """Share of review cycles without a stock-out, items × policies; 1 where no cycle ended [fraction]."""
        return _share(self.cycles - self.short_cycles, self.cycles)

    @property
    def ready_rate(self) -> np.ndarray:
        """Share of periods that ended with stock on the shelf, items × policies [fraction]."""
        return self.ready.mean(axis=2) / self.periods

    @property
    def mean_on_hand(self) -> np.ndarray:
        """Mean of the stock after the arrivals and at the end of each period, items × policies [units]."""
        return (self.on_hand + self.filled / 2).mean(axis=2) / self.periods

    def terminal(self, name: str = "net") -> np.ndarray:
        """Return `net`, `position`, `waiting` or `available` of the terminal state as items × policies × replications [units]."""
        items, policies, replications = self.demand.shape
        value: np.ndarray = getattr(self.state, name).reshape(items, replications, policies)
        return value.transpose(0, 2, 1)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    total = whole.sum(axis=2)
    return np.where(total > 0, part.sum(axis=2) / np.where(total > 0, total, 1.0), 1.0)


def _share_error(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return the standard error of a ratio of sums over the replications."""
    total, runs = whole.sum(axis=2), whole.shape[2]
    residual = part - _share(part, whole)[:, :, None] * whole
    return np.sqrt((residual**2).sum(axis=2) / (runs - 1) * runs) / np.where(total > 0, total, 1.0)


def score_simulation(
    result: SimulationResult,
    *,
    holding_cost: ArrayLike | None = None,
    backorder_cost: ArrayLike = 0.0,
    shortage_cost: ArrayLike = 0.0,
    order_cost: ArrayLike = 0.0,
) -> pd.DataFrame:
    """Return service, stock and cost of each item and policy, one row each.

    Parameters
    ----------
    result : SimulationResult
        As from `simulate_policies`.
    holding_cost, backorder_cost : array_like, optional
        Of a unit on the shelf, and of a unit that waits, at the end of a period [money/unit/period]; without a holding cost no
        cost is shown.
    shortage_cost, order_cost : array_like
        Of a unit not met from the shelf, and of an order [money/unit, money]. All costs: one number or items.

    Returns
    -------
    pandas.DataFrame
        item, policy (their numbers), periods, demand, filled, unfilled (lost, or delivered late), orders, units_ordered (means
        over the replications), shelf_fill, cycle_service, ready_rate [fraction], on_hand_start (after arrivals), on_hand_end,
        mean_on_hand (of the two), backordered (at the end) [mean units], terminal_on_hand, terminal_backordered,
        terminal_on_order [units], cost [money/period] if costs are given. With two replications or more also shelf_fill_error,
        cycle_service_error, mean_on_hand_error and cost_error: standard errors over the replications.

    Raises
    ------
    InputError
        A cost is negative or missing.
    """
    items, policies, runs = result.demand.shape
    periods = result.periods
    net, position = result.terminal(), result.terminal("position")
    stock = result.on_hand + result.filled / 2
    columns = {
        "demand": result.demand.mean(axis=2),
        "filled": result.filled.mean(axis=2),
        "unfilled": (result.demand - result.filled).mean(axis=2),
        "orders": result.orders.mean(axis=2),
        "units_ordered": result.units.mean(axis=2),
        "shelf_fill": result.shelf_fill,
        "cycle_service": result.cycle_service,
        "ready_rate": result.ready_rate,
        "on_hand_start": (result.on_hand + result.filled).mean(axis=2) / periods,
        "on_hand_end": result.on_hand.mean(axis=2) / periods,
        "mean_on_hand": result.mean_on_hand,
        "backordered": result.backordered.mean(axis=2) / periods,
        "terminal_on_hand": np.maximum(net, 0.0).mean(axis=2),
        "terminal_backordered": np.maximum(-net, 0.0).mean(axis=2),
        "terminal_on_order": (position - net).mean(axis=2),
    }
    costs = None
    if holding_cost is not None:
        given = (holding_cost, backorder_cost, shortage_cost, order_cost)
        rates = [_cost(value, name=name, items=items) for name, value in zip(_COSTS, given, strict=True)]
        held, waits = rates[0] * result.on_hand, rates[1] * result.backordered
        costs = (held + waits + rates[2] * (result.demand - result.filled) + rates[3] * result.orders) / periods
        columns["cost"] = costs.mean(axis=2)
    if runs > 1:
        columns["shelf_fill_error"] = _share_error(result.filled, result.demand)
        columns["cycle_service_error"] = _share_error(result.cycles - result.short_cycles, result.cycles)
        columns["mean_on_hand_error"] = stock.std(axis=2, ddof=1) / np.sqrt(runs) / periods
        if costs is not None:
            columns["cost_error"] = costs.std(axis=2, ddof=1) / np.sqrt(runs)
    item, policy = np.indices((items, policies))
    table = pd.DataFrame({"item": item.ravel(), "policy": policy.ravel(), "periods": periods})
    return table.assign(**{name: values.ravel() for name, values in columns.items()})


def _cost(value: ArrayLike, *, name: str, items: int) -> np.ndarray:
    given = np.broadcast_to(np.asarray(value, dtype="float64").reshape(-1), (items,))
    if not np.all(np.isfinite(given) & (given >= 0)):
        raise InputError(
            expected=f"{name} of zero or more for each item",
            found=f"{given[~(np.isfinite(given) & (given >= 0))][0]:g}",
            fix="Correct the cost, or leave the item out.",
        )
    return given[:, None, None]
