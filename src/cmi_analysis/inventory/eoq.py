"""Order quantities in closed form for steady demand: economic order quantity, backorders, production rate, powers of two."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.newsvendor import newsvendor_discrete, newsvendor_normal
from cmi_analysis.inventory.value_checks import check_fraction, check_not_negative, check_positive

__all__ = [
    "economic_order_quantity",
    "economic_order_quantity_with_backorders",
    "economic_production_quantity",
    "economic_production_quantity_with_backorders",
    "newsvendor_discrete",
    "newsvendor_normal",
    "order_quantity_cost",
    "power_of_two_quantity",
]


def economic_order_quantity(demand_rate: ArrayLike, *, order_cost: ArrayLike, holding_cost: ArrayLike) -> np.ndarray:
    """Return the order quantity with the least ordering and holding cost.

    Q = √(2Kλ/h) (Harris 1913; Snyder and Shen 2019, section 3.2).

    Parameters
    ----------
    demand_rate : array_like
        Demand λ [units/year].
    order_cost : array_like
        Cost K of one order [money].
    holding_cost : array_like
        Cost h of one unit held for a year [money/unit/year].

    Raises
    ------
    InputError
        A demand or order cost is below zero, or a holding cost is not above zero.

    Returns
    -------
    numpy.ndarray
        Order quantity [units]; 0 without demand or without order cost.

    Examples
    --------
    Snyder and Shen (2019), example 3.1.

    >>> round(float(economic_order_quantity(1300, order_cost=8, holding_cost=0.225)))
    304
    """
    return economic_production_quantity(demand_rate, production_rate=np.inf, order_cost=order_cost, holding_cost=holding_cost)


def economic_order_quantity_with_backorders(
    demand_rate: ArrayLike, *, order_cost: ArrayLike, holding_cost: ArrayLike, shortage_cost: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return the order quantity and the share of demand backordered where waiting is allowed at a cost.

    Q = √(2Kλ(h + p)/(hp)), x = h/(h + p) (Snyder and Shen 2019, section 3.5).

    Parameters
    ----------
    demand_rate, order_cost, holding_cost
        As in `economic_order_quantity`.
    shortage_cost : array_like
        Cost p of one unit backordered for a year [money/unit/year].

    Raises
    ------
    InputError
        As in `economic_order_quantity`, or a shortage cost is not above zero.

    Examples
    --------
    >>> quantity, share = economic_order_quantity_with_backorders(1300, order_cost=8, holding_cost=0.225, shortage_cost=5)
    >>> round(float(quantity), 2), round(float(share), 3)
    (310.81, 0.043)
    """
    return economic_production_quantity_with_backorders(
        demand_rate, production_rate=np.inf, order_cost=order_cost, holding_cost=holding_cost, shortage_cost=shortage_cost
    )


def economic_production_quantity(
    demand_rate: ArrayLike, *, production_rate: ArrayLike, order_cost: ArrayLike, holding_cost: ArrayLike
) -> np.ndarray:
    """Return the lot with the least set-up and holding cost where the lot comes in at a finite rate.

    Q = √(2Kλ/(h(1 − λ/μ))) (Taft 1918; Snyder and Shen 2019, section 3.6). An infinite rate gives the economic order quantity.

    Parameters
    ----------
    demand_rate, order_cost, holding_cost
        As in `economic_order_quantity`.
    production_rate : array_like
        Rate μ at which a lot comes in [units/year], above the demand.

    Raises
    ------
    InputError
        As in `economic_order_quantity`, or a production rate is not above the demand.

    Examples
    --------
    Snyder and Shen (2019), problem 3.22.

    >>> round(float(economic_production_quantity(80, production_rate=110, order_cost=4, holding_cost=0.08)), 2)
    171.27
    """
    check_positive(holding_cost=holding_cost)
    check_not_negative(demand_rate=demand_rate, order_cost=order_cost)
    demand, idle = _idle_share(demand_rate, production_rate)
    return np.sqrt(2 * np.asarray(order_cost, dtype="float64") * demand / (np.asarray(holding_cost, dtype="float64") * idle))


def economic_production_quantity_with_backorders(
    demand_rate: ArrayLike,
    *,
    production_rate: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lot and the share of demand backordered where the lot comes in at a finite rate and waiting is allowed.

    Q = √(2Kλ(h + p)/(hp(1 − λ/μ))), x = h/(h + p) (Gallego 2004, lecture 2 of IEOR 4000; with μ → ∞ or p → ∞
    the formulas of Snyder and Shen 2019, sections 3.5 and 3.6).

    Parameters
    ----------
    demand_rate, production_rate, order_cost, holding_cost
        As in `economic_production_quantity`.
    shortage_cost : array_like
        Cost p of one unit backordered for a year [money/unit/year].

    Raises
    ------
    InputError
        As in `economic_production_quantity`, or a shortage cost is not above zero.

    Returns
    -------
    tuple of numpy.ndarray
        Lot [units], and share of demand that waits [fraction].

    Examples
    --------
    K 100, λ 200, μ 1,000, h 5, p 20: Q = √(2·100·200·25/(100·0.8)) = 111.8.

    >>> quantity, share = economic_production_quantity_with_backorders(
    ...     200, production_rate=1000, order_cost=100, holding_cost=5, shortage_cost=20)
    >>> round(float(quantity), 1), float(share)
    (111.8, 0.2)
    """
    check_positive(shortage_cost=shortage_cost)
    lot = economic_production_quantity(
        demand_rate, production_rate=production_rate, order_cost=order_cost, holding_cost=holding_cost
    )
    holding, shortage = np.asarray(holding_cost, dtype="float64"), np.asarray(shortage_cost, dtype="float64")
    return lot * np.sqrt((holding + shortage) / shortage), holding / (holding + shortage)


def order_quantity_cost(
    order_quantity: ArrayLike,
    *,
    demand_rate: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike = 0.0,
    backordered: ArrayLike = 0.0,
    production_rate: ArrayLike = np.inf,
) -> np.ndarray:
    """Return the yearly cost of ordering, holding and waiting with any order quantity.

    g = Kλ/Q + (1 − λ/μ)·Q·[h(1 − x)² + px²]/2 (Snyder and Shen 2019, sections 3.2, 3.5 and 3.6).

    Parameters
    ----------
    order_quantity : array_like
        Q [units]; zero only where there is no demand or no order cost.
    demand_rate, order_cost, holding_cost
        As in `economic_order_quantity`.
    shortage_cost : array_like
        Cost p of one unit backordered for a year [money/unit/year].
    backordered : array_like
        Share x of demand that waits [fraction].
    production_rate : array_like
        As in `economic_production_quantity`.

    Raises
    ------
    InputError
        A value is below zero, a share is not from 0 to 1, or there is demand and no quantity to meet it with.

    Returns
    -------
    numpy.ndarray
        Cost [money/year].

    Examples
    --------
    Snyder and Shen (2019), example 3.1 at Q = 400: 8·1300/400 + 0.225·400/2 = 26 + 45.

    >>> float(order_quantity_cost(400, demand_rate=1300, order_cost=8, holding_cost=0.225))
    71.0
    """
    check_positive(holding_cost=holding_cost)
    check_not_negative(order_quantity=order_quantity, demand_rate=demand_rate, order_cost=order_cost, shortage_cost=shortage_cost)
    check_fraction(backordered=backordered)
    demand, idle = _idle_share(demand_rate, production_rate)
    names = (order_quantity, order_cost, holding_cost, shortage_cost, backordered)
    quantity, order, holding, shortage, wait = (np.asarray(value, dtype="float64") for value in names)
    spent = order * demand
    if np.any((spent > 0) & (quantity == 0)):
        raise InputError(expected="an order_quantity above zero", found="0 for an item with demand", fix="Give a quantity.")
    ordering = np.divide(spent, quantity, out=np.zeros(np.broadcast_shapes(spent.shape, quantity.shape)), where=quantity > 0)
    return ordering + idle * quantity * (holding * (1 - wait) ** 2 + shortage * wait**2) / 2


def power_of_two_quantity(
    demand_rate: ArrayLike, *, order_cost: ArrayLike, holding_cost: ArrayLike, base_cycle: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best order cycle that is a base cycle times a power of two, and its order quantity.

    T = T_B·2^k with the smallest k that makes T ≥ T*/√2, T* = √(2K/(hλ)); at most 6.1 % above the least cost, 3/(2√2)
    (Jackson, Maxwell and Muckstadt 1985; Snyder and Shen 2019, section 3.3). k may be negative.

    Parameters
    ----------
    demand_rate, order_cost, holding_cost
        As in `economic_order_quantity`.
    base_cycle : array_like
        T_B [years].

    Raises
    ------
    InputError
        As in `economic_order_quantity`, or a base cycle is not above zero.

    Returns
    -------
    tuple of numpy.ndarray
        Cycle T [years] and order quantity λT [units]; both 0 without demand or without order cost.

    Examples
    --------
    K 8, λ 1,300, h 0.225: T* = 0.234 years; of 1/8, 1/4 and 1/2 year the best is 1/4.

    >>> cycle, quantity = power_of_two_quantity(1300, order_cost=8, holding_cost=0.225, base_cycle=0.125)
    >>> float(cycle), float(quantity)
    (0.25, 325.0)
    """
    check_positive(base_cycle=base_cycle)
    best = economic_order_quantity(demand_rate, order_cost=order_cost, holding_cost=holding_cost)
    demand, base = np.asarray(demand_rate, dtype="float64"), np.asarray(base_cycle, dtype="float64")
    used = (best > 0) & (demand > 0)
    ideal = np.where(used, best, 1.0) / np.where(used, demand, 1.0)
    power = np.ceil(np.log2(ideal / np.sqrt(2) / base) - 1e-12)
    cycle = np.where(used, base * 2.0**power, 0.0)
    return cycle, cycle * demand


def _idle_share(demand_rate: ArrayLike, production_rate: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the demand rate, and the share of its time that production at a higher rate stands still."""
    demand, rate = np.asarray(demand_rate, dtype="float64"), np.asarray(production_rate, dtype="float64")
    demand_of_each, rate_of_each = np.broadcast_arrays(demand, rate)
    slow = ~(rate_of_each > demand_of_each)
    if slow.any():
        raise InputError(
            expected="a production_rate above the demand_rate",
            found=f"{rate_of_each[slow][0]} for a demand of {demand_of_each[slow][0]}",
            fix="No lot size keeps up with this demand; give the true rates.",
        )
    return demand, 1 - demand / rate
