"""Order quantities and single-period quantities in closed form."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError


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

    Examples
    --------
    Snyder and Shen (2019), example 3.1.

    >>> round(float(economic_order_quantity(1300, order_cost=8, holding_cost=0.225)))
    304
    """
    _check_positive(holding_cost=holding_cost)
    _check_not_negative(demand_rate=demand_rate, order_cost=order_cost)
    return np.sqrt(2 * np.asarray(order_cost, dtype="float64") * np.asarray(demand_rate) / np.asarray(holding_cost))


def economic_order_quantity_with_backorders(
    demand_rate: float, *, order_cost: float, holding_cost: float, shortage_cost: float
) -> tuple[float, float]:
    """Return the order quantity and the share of demand backordered where waiting is allowed at a cost.

    Q = √(2Kλ(h + p)/(hp)), x = h/(h + p) (Snyder and Shen 2019, section 3.5).

    Parameters
    ----------
    demand_rate, order_cost, holding_cost
        As in `economic_order_quantity`.
    shortage_cost : float
        Cost p of one unit backordered for a year [money/unit/year].

    Examples
    --------
    >>> quantity, share = economic_order_quantity_with_backorders(1300, order_cost=8, holding_cost=0.225, shortage_cost=5)
    >>> round(quantity, 2), round(share, 3)
    (310.81, 0.043)
    """
    _check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    _check_not_negative(demand_rate=demand_rate, order_cost=order_cost)
    stretched = (holding_cost + shortage_cost) / (holding_cost * shortage_cost)
    return float(np.sqrt(2 * order_cost * demand_rate * stretched)), holding_cost / (holding_cost + shortage_cost)


def newsvendor_normal(*, holding_cost: float, shortage_cost: float, mean: float, sd: float) -> float:
    """Return the level with the least expected holding and shortage cost for one period of normal demand.

    S = μ + σ·Φ⁻¹(p/(p + h)) (Snyder and Shen 2019, section 4.3).

    Examples
    --------
    Snyder and Shen (2019), example 4.3.

    >>> round(newsvendor_normal(holding_cost=0.18, shortage_cost=0.70, mean=50, sd=8), 1)
    56.6
    """
    _check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    return float(mean + sd * scipy.special.ndtri(shortage_cost / (shortage_cost + holding_cost)))


def newsvendor_discrete(probabilities: ArrayLike, *, holding_cost: float, shortage_cost: float) -> int:
    """Return the smallest whole level S with P(X ≤ S) ≥ p/(p + h).

    Snyder and Shen (2019), section 4.3. The base-stock level of a one-for-one policy is the same with lead-time demand.

    Parameters
    ----------
    probabilities : array_like
        Chance of demand 0, 1, 2, … [fraction].
    holding_cost, shortage_cost : float
        Of one unit left over and one unit short [money].

    Examples
    --------
    >>> newsvendor_discrete([0.25, 0.25, 0.25, 0.25], holding_cost=1, shortage_cost=1)
    1
    """
    _check_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    reached = np.cumsum(np.asarray(probabilities, dtype="float64"))
    return int(np.argmax(reached >= shortage_cost / (shortage_cost + holding_cost) - 1e-12))


def _check_positive(**values: ArrayLike) -> None:
    for name, value in values.items():
        if not np.all(np.asarray(value, dtype="float64") > 0):
            raise InputError(
                expected=f"a {name} above zero", found=f"{np.min(np.asarray(value, dtype='float64'))}", fix="Give the true cost."
            )


def _check_not_negative(**values: ArrayLike) -> None:
    for name, value in values.items():
        if not np.all(np.asarray(value, dtype="float64") >= 0):
            raise InputError(
                expected=f"a {name} of zero or more",
                found=f"{np.min(np.asarray(value, dtype='float64'))}",
                fix="Correct the sign, or leave the item out.",
            )
