"""Rules of thumb for (s,S) and (r,Q) levels, labelled so: for a first look, or where only mean and variance are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.loss import normal_shortage
from cmi_analysis.inventory.value_checks import check_costs


def power_approximation(
    *,
    review_mean: ArrayLike,
    protection_mean: ArrayLike,
    protection_sd: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    at_most_base_stock: bool = False,
) -> pd.DataFrame:
    """Return the (s,S) levels of the revised power approximation, from two moments.

    Q = 1.30·μ^0.494·(K/h)^0.506·(1 + σ²/μ²)^0.116, z = √(Q·h/(p·σ)), s = 0.973·M + σ·(0.183/z + 1.063 − 2.192·z), S = s + Q,
    with μ the mean of a review period, M and σ mean and standard deviation over L + R (Ehrhardt and Mosier 1984; Snyder and Shen
    2019, equations 4.77–4.80).
    On instances of Zheng and Federgruen (1991) it costs 0–12 % more than the optimum, 5 % on average (held by a test).

    Parameters
    ----------
    review_mean, protection_mean, protection_sd : array_like
        μ, M and σ [units].
    order_cost, holding_cost, shortage_cost : array_like
        K, h and p, all above zero [money, money/unit/period].
    at_most_base_stock : bool
        Whether s and S are at most M + σ·Φ⁻¹(p/(p + h)) where Q/μ ≤ 1.5, as Ehrhardt and Mosier add for small order costs.

    Returns
    -------
    pandas.DataFrame
        reorder_point, order_up_to_level [units, not rounded], method (``heuristic``).

    Examples
    --------
    Snyder and Shen (2019), example 4.8.

    >>> levels = power_approximation(review_mean=50, protection_mean=50, protection_sd=8, order_cost=2.5, holding_cost=0.18,
    ...     shortage_cost=0.7)
    >>> levels[["reorder_point", "order_up_to_level"]].round(2).iloc[0].tolist()
    [40.19, 74.29]
    """
    mean, over, sd, order, holding, shortage = _positive(
        review_mean=review_mean,
        protection_mean=protection_mean,
        protection_sd=protection_sd,
        order_cost=order_cost,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
    )
    quantity = 1.30 * mean**0.494 * (order / holding) ** 0.506 * (1 + (sd / mean) ** 2) ** 0.116
    z = np.sqrt(quantity / sd * holding / shortage)
    low = 0.973 * over + sd * (0.183 / z + 1.063 - 2.192 * z)
    level = over + sd * scipy.special.ndtri(shortage / (shortage + holding))
    few = (quantity / mean <= 1.5) & at_most_base_stock
    top = np.where(few, np.minimum(low + quantity, level), low + quantity)
    return pd.DataFrame(
        {"reorder_point": np.where(few, np.minimum(low, level), low), "order_up_to_level": top, "method": "heuristic"}
    )


def rq_heuristic(
    *,
    demand_rate: ArrayLike,
    lead_mean: ArrayLike,
    lead_sd: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    with_backorders: bool = False,
) -> pd.DataFrame:
    """Return "EOQ and safety stock": the economic order quantity beside a normal reorder point.

    Q = √(2Kλ/h), r = M + σ·Φ⁻¹(p/(p + h)) (Snyder and Shen 2019, example 5.5). With `with_backorders` the order quantity is
    that with backorders, Q = √(2Kλ(h + p)/(hp)), and r solves g(r) = g(r + Q) with g(y) = h·E(y − D)⁺ + p·E(D − y)⁺ of normal D
    (Zheng 1992; Snyder and Shen 2019, example 5.4); it costs at most 1/8 more than the optimum. For Poisson demand of 2–50 over
    the lead time, K = 20, h = 1, p = 9, the first costs 16–23 % more than the optimum, the second under 1 % (held by a test).

    Parameters
    ----------
    demand_rate : array_like
        λ [units/time].
    lead_mean, lead_sd : array_like
        M and σ of lead-time demand [units].
    order_cost, holding_cost, shortage_cost : array_like
        K, h and p, all above zero [money, money/unit/time].
    with_backorders : bool
        Whether the quantity allows for backorders and r for the quantity.

    Returns
    -------
    pandas.DataFrame
        reorder_point, order_quantity [units, not rounded], method (``heuristic``).

    Examples
    --------
    Snyder and Shen (2019), examples 5.5 and 5.4.

    >>> terms = {"demand_rate": 1300, "lead_mean": 1300 / 12, "lead_sd": 150 / 12**0.5, "order_cost": 8, "holding_cost": 0.225,
    ...     "shortage_cost": 7.5}
    >>> rq_heuristic(**terms)[["reorder_point", "order_quantity"]].round(2).iloc[0].tolist()
    [190.34, 304.05]
    >>> rq_heuristic(**terms, with_backorders=True)[["reorder_point", "order_quantity"]].round(2).iloc[0].tolist()
    [128.64, 308.57]
    """
    rate, mean, sd, order, holding, shortage = _positive(
        demand_rate=demand_rate,
        lead_mean=lead_mean,
        lead_sd=lead_sd,
        order_cost=order_cost,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
    )
    quantity = np.sqrt(2 * order * rate / holding)
    low = mean + sd * scipy.special.ndtri(shortage / (shortage + holding))
    if with_backorders:
        quantity = quantity * np.sqrt((holding + shortage) / shortage)
        low = _level_ends(quantity, mean, sd, holding, shortage)
    return pd.DataFrame({"reorder_point": low, "order_quantity": quantity, "method": "heuristic"})


def _level_ends(quantity: np.ndarray, mean: np.ndarray, sd: np.ndarray, holding: np.ndarray, shortage: np.ndarray) -> np.ndarray:
    """Return r with g(r) = g(r + Q), by bisection."""

    def cost(level: np.ndarray) -> np.ndarray:
        return holding * (level - mean) + (holding + shortage) * normal_shortage(level, mean=mean, sd=sd)

    under, above = mean - quantity - 40 * sd, mean + 40 * sd
    for _ in range(200):
        middle = (under + above) / 2
        falling = cost(middle) > cost(middle + quantity)
        under, above = np.where(falling, middle, under), np.where(falling, above, middle)
    return (under + above) / 2


def rq_iterated(
    *,
    demand_rate: ArrayLike,
    lead_mean: ArrayLike,
    lead_sd: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
) -> pd.DataFrame:
    """Return (r,Q) for a cost of each unit short, however long it waits, by turns for Q and r until both stay.

    Q = √(2λ(K + p·n(r))/h), P(D > r) = Q·h/(p·λ), D normal over the lead time (Hadley and Whitin 1963, section 4.2; Snyder and
    Shen 2019, example 5.2, the expected-inventory-level approximation). Here p is paid once a unit, not by the time it waits.

    Parameters
    ----------
    demand_rate, lead_mean, lead_sd, order_cost, holding_cost
        As in `rq_heuristic`.
    shortage_cost : array_like
        p of each unit short [money/unit].

    Returns
    -------
    pandas.DataFrame
        reorder_point, order_quantity [units, not rounded], cost (h·(r − M + Q/2) + Kλ/Q + pλ·n(r)/Q) [money/time], method
        (``heuristic``).

    Raises
    ------
    InputError
        Q·h ≥ p·λ: a shortage is cheaper than stock, there is no such r.

    Examples
    --------
    Snyder and Shen (2019), example 5.2.

    >>> levels = rq_iterated(demand_rate=1300, lead_mean=1300 / 12, lead_sd=150 / 12**0.5, order_cost=8, holding_cost=0.225,
    ...     shortage_cost=7.5)
    >>> levels[["reorder_point", "order_quantity", "cost"]].round(2).iloc[0].tolist()
    [213.97, 318.59, 95.45]
    """
    rate, mean, sd, order, holding, shortage = _positive(
        demand_rate=demand_rate,
        lead_mean=lead_mean,
        lead_sd=lead_sd,
        order_cost=order_cost,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
    )
    quantity = np.sqrt(2 * order * rate / holding)
    for _ in range(1000):
        chance = quantity * holding / (shortage * rate)
        if np.any(chance >= 1):
            raise InputError(
                expected="a shortage that costs more than holding a batch: Q·h below p·λ",
                found=f"Q·h/(p·λ) = {chance.max():.3g}",
                fix="Raise shortage_cost, or let demand wait by policy.",
            )
        low = mean - sd * scipy.special.ndtri(chance)
        short = normal_shortage(low, mean=mean, sd=sd)
        better = np.sqrt(2 * rate * (order + shortage * short) / holding)
        moved, quantity = np.abs(better - quantity).max(), better
        if moved < 1e-10 * quantity.max():
            break
    cost = holding * (low - mean + quantity / 2) + order * rate / quantity + shortage * rate * short / quantity
    return pd.DataFrame({"reorder_point": low, "order_quantity": quantity, "cost": cost, "method": "heuristic"})


def rq_loss_function(
    *,
    demand_rate: ArrayLike,
    lead_mean: ArrayLike,
    lead_sd: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
) -> pd.DataFrame:
    """Return (r,Q) for a cost of a waiting unit by the time it waits, by turns for r and Q until both stay.

    n(r) = Q·h/(h + p), Q = √(2[Kλ + (h + p)·n₂(r)]/h), D normal over the lead time, n₂(y) = E[(D − y)⁺]²/2; what
    waits when stock is highest is neglected (Hadley and Whitin 1963; Snyder and Shen 2019, example 5.6).

    Parameters
    ----------
    demand_rate, lead_mean, lead_sd, order_cost, holding_cost, shortage_cost
        As in `rq_heuristic`.

    Returns
    -------
    pandas.DataFrame
        reorder_point, order_quantity [units, not rounded], method (``heuristic``).

    Examples
    --------
    Snyder and Shen (2019), example 5.6.

    >>> levels = rq_loss_function(demand_rate=1300, lead_mean=1300 / 12, lead_sd=150 / 12**0.5, order_cost=8,
    ...     holding_cost=0.225, shortage_cost=7.5)
    >>> levels[["reorder_point", "order_quantity"]].round(2).iloc[0].tolist()
    [126.87, 328.45]
    """
    rate, mean, sd, order, holding, shortage = _positive(
        demand_rate=demand_rate,
        lead_mean=lead_mean,
        lead_sd=lead_sd,
        order_cost=order_cost,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
    )
    quantity = np.sqrt(2 * order * rate / holding)
    for _ in range(2000):
        low = _level_of_shortage(quantity * holding / (holding + shortage), mean, sd)
        z = (low - mean) / sd
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        second = sd**2 / 2 * ((z**2 + 1) * scipy.special.ndtr(-z) - z * density)
        better = np.sqrt(2 * (order * rate + (holding + shortage) * second) / holding)
        moved, quantity = np.abs(better - quantity).max(), better
        if moved < 1e-11 * quantity.max():
            break
    return pd.DataFrame({"reorder_point": low, "order_quantity": quantity, "method": "heuristic"})


def _level_of_shortage(short: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the level whose expected shortage is `short`, by bisection."""
    under, above = mean - short - 40 * sd, mean + 40 * sd
    for _ in range(200):
        middle = (under + above) / 2
        more = normal_shortage(middle, mean=mean, sd=sd) > short
        under, above = np.where(more, middle, under), np.where(more, above, middle)
    return (under + above) / 2


def _positive(**values: ArrayLike) -> list[np.ndarray]:
    count = max(np.size(np.asarray(value)) for value in values.values())
    return check_costs(count, positive=values)
