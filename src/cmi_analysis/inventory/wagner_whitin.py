"""Orders for known demand that differs from period to period: exact by dynamic programme, and two labelled heuristics.

Order of events in each period: the order arrives; demand is met from stock; what is left is held to the next period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.value_checks import check_not_negative

METHODS = ("wagner_whitin", "silver_meal", "least_unit_cost")
"""Exact (Wagner and Whitin 1958), and two heuristics (Silver and Meal 1973; least unit cost)."""


@dataclass(frozen=True)
class OrderPlan:
    """Orders by period and what they cost; every array but `cost` has the shape of the demand.

    Attributes
    ----------
    method : str
        One of `METHODS`, or ``milp`` (exact with a maximum).
    orders : numpy.ndarray
        Quantity that arrives at the start of each period [units].
    stock : numpy.ndarray
        Stock left at the end of each period [units].
    cost : numpy.ndarray
        Cost of ordering, buying and holding over all periods, of each item [money].
    """

    method: str
    orders: np.ndarray
    stock: np.ndarray
    cost: np.ndarray


def plan_known_demand(
    demand: ArrayLike,
    *,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    unit_cost: ArrayLike = 0.0,
    start_stock: ArrayLike = 0.0,
    method: str = "wagner_whitin",
) -> OrderPlan:
    """Return the orders that meet known demand in every period.

    ``wagner_whitin`` is exact, in O(T²): F(j) = min over i ≤ j of F(i − 1) + K_i + c_iΣd + Σ_t d_t·(h_i + … + h_{t−1}), the last
    order placed in i for all demand from i to j (Wagner and Whitin 1958; Snyder and Shen 2019, section 3.7). Of equal plans the
    one whose last order covers most. ``silver_meal`` extends an order while its cost per period does not rise,
    ``least_unit_cost`` while its cost per unit does not (Silver and Meal 1973; Nahmias 2009, section 7.2): heuristics.

    Parameters
    ----------
    demand : array_like
        Demand, periods or items × periods [units].
    order_cost, holding_cost, unit_cost : array_like
        K of an order, h of a unit held to the next period, c of a unit bought [money]: one number, one for each period, or
        items × periods (one for each item: a column).
    start_stock : array_like
        Stock before the first period, of all or each item [units]; below zero is a backlog that the first period must meet.
    method : str
        One of `METHODS`.

    Raises
    ------
    InputError
        No period, a demand or cost that is missing or below zero, or an unknown method.

    Returns
    -------
    OrderPlan

    Examples
    --------
    Snyder and Shen (2019), example 3.9.

    >>> plan = plan_known_demand([90, 120, 80, 70], order_cost=500, holding_cost=2)
    >>> plan.orders.tolist(), float(plan.cost)
    ([210.0, 0.0, 150.0, 0.0], 1380.0)
    """
    if method not in METHODS:
        raise InputError(expected=f"a method out of {', '.join(METHODS)}", found=f"{method!r}", fix="Take wagner_whitin.")
    wanted, order, holding, unit, start = _check(demand, order_cost, holding_cost, unit_cost, start_stock)
    net = _net_demand(wanted, start)
    last_order = _solve(net, order, holding, unit) if method == "wagner_whitin" else _extend(net, order, holding, unit, method)
    orders = np.zeros_like(net)
    rows = np.repeat(np.arange(len(net)), net.shape[1])
    np.add.at(orders, (rows, last_order.ravel()), net.ravel())
    return _price(method, orders, wanted, order, holding, unit, start, np.ndim(demand))


def plan_known_demand_within(
    demand: ArrayLike,
    *,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    maximum: ArrayLike,
    unit_cost: ArrayLike = 0.0,
    start_stock: float = 0.0,
) -> OrderPlan:
    """Return the orders of one item that meet known demand where an order cannot exceed a maximum.

    Exact as a mixed integer programme: least Σ K_t·y_t + c_t·x_t + h_t·s_t with s_t = s_{t−1} + x_t − d_t ≥ 0 and x_t ≤ C_t·y_t
    (Florian and Klein 1971; Pochet and Wolsey 2006).

    Parameters
    ----------
    demand, order_cost, holding_cost, unit_cost, start_stock
        As in `plan_known_demand`, of one item.
    maximum : array_like
        Largest order, one or one for each period [units].

    Raises
    ------
    InputError
        As in `plan_known_demand`, or demand that no order within the maximum can meet in time.

    Returns
    -------
    OrderPlan

    Examples
    --------
    Two orders, of 9 and, in the second period, of 15: 1 and 8 units are held.

    >>> plan = plan_known_demand_within([8, 8, 8], order_cost=50, holding_cost=1, maximum=15)
    >>> float(plan.orders.sum()), float(plan.cost)
    (24.0, 109.0)
    """
    wanted, order, holding, unit, start = _check(demand, order_cost, holding_cost, unit_cost, start_stock)
    if len(wanted) != 1:
        raise InputError(expected="the demand of one item", found=f"{len(wanted)} items", fix="Plan one item at a time.")
    most = np.broadcast_to(np.asarray(maximum, dtype="float64"), wanted.shape[1:])
    check_not_negative(maximum=np.where(np.isinf(most) & (most > 0), 0.0, most))
    net = _net_demand(wanted, start)[0]
    late = np.cumsum(net) > np.cumsum(np.minimum(most, net.sum())) * (1 + 1e-9) + 1e-9
    if late.any():
        raise InputError(
            expected="orders within the maximum that meet the demand of every period in time",
            found=f"{np.cumsum(net)[late][0] - np.cumsum(most)[late][0]:g} units short by period {int(late.argmax()) + 1}",
            fix="Raise the maximum, order earlier or agree on less.",
        )
    orders = _mixed_integer(net, order[0], holding[0], unit[0], np.minimum(most, net.sum()))
    return _price("milp", orders[None, :], wanted, order, holding, unit, start, np.ndim(demand))


def _check(
    demand: ArrayLike, order_cost: ArrayLike, holding_cost: ArrayLike, unit_cost: ArrayLike, start_stock: ArrayLike
) -> tuple[np.ndarray, ...]:
    """Return demand and costs as items × periods, and the start stock as a column."""
    wanted = np.atleast_2d(np.asarray(demand, dtype="float64"))
    if not wanted.shape[1]:
        raise InputError(expected="the demand of at least one period", found="none", fix="Give the periods to plan for.")
    check_not_negative(demand=wanted, order_cost=order_cost, holding_cost=holding_cost, unit_cost=unit_cost)
    start = np.asarray(start_stock, dtype="float64")
    if not np.isfinite(start).all():
        raise InputError(expected="a start_stock", found="a missing one", fix="Count the stock, or give 0.")
    if start.size not in (1, len(wanted)):
        raise _shape_error("start_stock", start, wanted)
    costs = {"order_cost": order_cost, "holding_cost": holding_cost, "unit_cost": unit_cost}
    spread = (_spread(name, np.asarray(cost, dtype="float64"), wanted) for name, cost in costs.items())
    return (wanted, *spread, np.broadcast_to(start.reshape(-1, 1), (len(wanted), 1)))


def _spread(name: str, cost: np.ndarray, demand: np.ndarray) -> np.ndarray:
    """Return a cost as items × periods."""
    try:
        return np.broadcast_to(cost, demand.shape)
    except ValueError:
        raise _shape_error(name, cost, demand) from None


def _shape_error(name: str, value: np.ndarray, demand: np.ndarray) -> InputError:
    return InputError(
        expected=f"a {name} for {demand.shape[0]} items × {demand.shape[1]} periods",
        found=f"shape {value.shape}",
        fix="Give one number, one for each period, or one for each item as a column.",
    )


def _net_demand(demand: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the demand that the start stock leaves to be ordered; a backlog adds to the first period."""
    missing = np.maximum(demand.cumsum(axis=1) - start, 0.0)
    net = np.diff(missing, axis=1, prepend=0.0)
    return np.where(net > 1e-12 * np.maximum(missing, 1.0), net, 0.0)


def _solve(net: np.ndarray, order: np.ndarray, holding: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the period in which each period's demand is ordered, by the dynamic programme over all items at once."""
    items, periods = net.shape
    carried = np.cumsum(holding, axis=1) - holding
    total = np.concatenate([np.zeros((items, 1)), np.cumsum(net, axis=1)], axis=1)
    weighted = np.concatenate([np.zeros((items, 1)), np.cumsum(carried * net, axis=1)], axis=1)
    least = np.zeros((items, periods + 1))
    choice = np.zeros((items, periods), dtype="int64")
    for end in range(periods):
        units = total[:, end + 1, None] - total[:, : end + 1]
        held = weighted[:, end + 1, None] - weighted[:, : end + 1] - carried[:, : end + 1] * units
        setup = np.where(units > 0, order[:, : end + 1], 0.0)
        cost = least[:, : end + 1] + setup + unit[:, : end + 1] * units + held
        best = cost.min(axis=1, keepdims=True)
        choice[:, end] = (cost <= best + 1e-9 * np.abs(best)).argmax(axis=1)
        least[:, end + 1] = best[:, 0]
    ordered = np.zeros((items, periods), dtype="int64")
    reach = np.full(items, periods - 1)
    for period in range(periods - 1, -1, -1):
        start = np.take_along_axis(choice, reach[:, None], axis=1)[:, 0]
        ordered[:, period] = start
        reach = np.where(start == period, np.maximum(period - 1, 0), reach)
    return ordered


def _extend(net: np.ndarray, order: np.ndarray, holding: np.ndarray, unit: np.ndarray, method: str) -> np.ndarray:
    """Return the period in which each period's demand is ordered, extending each order while its average does not rise."""
    ordered = np.tile(np.arange(net.shape[1]), (len(net), 1))
    for row in range(len(net)):
        start = 0
        while start < net.shape[1]:
            end = _cover(net[row], order[row], holding[row], unit[row], start=start, by_unit=method == "least_unit_cost")
            ordered[row, start:end] = start
            start = end
    return ordered


def _cover(net: np.ndarray, order: np.ndarray, holding: np.ndarray, unit: np.ndarray, *, start: int, by_unit: bool) -> int:
    """Return the period after the last that an order in `start` covers."""
    if net[start] <= 0:
        return start + 1
    cost, units, carried, average = order[start], 0.0, 0.0, np.inf
    for period in range(start, len(net)):
        cost += net[period] * (carried + unit[start])
        units += net[period]
        now = cost / (units if by_unit else period - start + 1)
        if now > average * (1 + 1e-12):
            return period
        average = now
        carried += holding[period]
    return len(net)


def _mixed_integer(net: np.ndarray, order: np.ndarray, holding: np.ndarray, unit: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return the orders with the least cost within the maximum of each."""
    periods = len(net)
    late_holding = np.cumsum(holding[::-1])[::-1]
    costs = np.concatenate([unit + late_holding, order])
    summed = np.concatenate([np.tril(np.ones((periods, periods))), np.zeros((periods, periods))], axis=1)
    linked = np.concatenate([np.eye(periods), -np.diag(most)], axis=1)
    limits = (
        scipy.optimize.LinearConstraint(summed, np.cumsum(net), np.inf),
        scipy.optimize.LinearConstraint(linked, -np.inf, 0.0),
    )
    result = scipy.optimize.milp(
        costs,
        constraints=limits,
        integrality=np.repeat([0, 1], periods),
        bounds=scipy.optimize.Bounds(0.0, np.concatenate([most, np.ones(periods)])),
        options={"mip_rel_gap": 0.0},
    )
    if result.x is None:
        raise InputError(expected="a plan within the maximum", found=str(result.message), fix="Raise the maximum.")
    found = result.x[:periods]
    return np.where(found > 1e-7 * max(float(net.sum()), 1.0), np.round(found, 9), 0.0)


def _price(
    method: str,
    orders: np.ndarray,
    demand: np.ndarray,
    order: np.ndarray,
    holding: np.ndarray,
    unit: np.ndarray,
    start: np.ndarray,
    dimensions: int,
) -> OrderPlan:
    """Return the plan with the stock that its orders leave and what it costs, in the shape of the demand."""
    stock = start + np.cumsum(orders - demand, axis=1)
    stock = np.where(np.abs(stock) <= 1e-9 * (1 + np.abs(demand).sum(axis=1, keepdims=True)), 0.0, stock)
    cost = (np.where(orders > 0, order, 0.0) + unit * orders + holding * stock).sum(axis=1)
    if dimensions < 2:
        return OrderPlan(method, orders[0], stock[0], cost[0])
    return OrderPlan(method, orders, stock, cost)
