"""Order quantity and base stock where the supplier is sometimes unable to deliver."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.value_checks import check_not_negative, check_positive

_GRID = 240
_SECTION = (np.sqrt(5.0) - 1) / 2


def disrupted_order_cost(
    order_quantity: ArrayLike,
    *,
    demand_rate: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    disruption_rate: ArrayLike,
    recovery_rate: ArrayLike,
    approximate: bool = False,
) -> np.ndarray:
    """Return the yearly cost of an order quantity where the supplier is sometimes down and unmet demand is lost.

    g(Q) = (K + hQ²/(2d) + pdψ/μ)/(Q/d + ψ/μ), ψ = λ/(λ + μ)·(1 − e^{−(λ+μ)Q/d}), the chance that the supplier is down when the
    stock runs out (Parlar and Berkin 1991, corrected by Berk and Arreola-Risa 1994; Snyder and Shen 2019, equation 9.5).
    Approximate: ψ = λ/(λ + μ) (Snyder 2014). Up and down times are exponential; an order arrives at once when the supplier is up.

    Parameters
    ----------
    order_quantity : array_like
        Q [units], above zero where there is demand.
    demand_rate : array_like
        d [units/year].
    order_cost, holding_cost : array_like
        K of an order [money], h of one unit held for a year [money/unit/year].
    shortage_cost : array_like
        p of one unit of demand lost [money/unit].
    disruption_rate, recovery_rate : array_like
        λ, one over the mean time up, and μ, one over the mean time down [1/year].
    approximate : bool
        With Snyder's (2014) approximation.

    Raises
    ------
    InputError
        A value is missing or out of range.

    Returns
    -------
    numpy.ndarray
        Cost [money/year]; 0 without demand.

    Examples
    --------
    Snyder and Shen (2019), example 9.1.

    >>> cost = disrupted_order_cost(700, demand_rate=1300, order_cost=8, holding_cost=0.225, shortage_cost=5,
    ...     disruption_rate=1.5, recovery_rate=14)
    >>> round(float(cost), 2)
    174.79
    """
    names = (order_quantity, demand_rate, order_cost, holding_cost, shortage_cost, disruption_rate, recovery_rate)
    values = _check(names)
    if np.any((values[0] <= 0) & (values[1] > 0)):
        raise InputError(expected="an order_quantity above zero", found="0 for an item with demand", fix="Give a quantity.")
    return _cost(*values, approximate=approximate)


def fit_disrupted_order(
    demand_rate: ArrayLike,
    *,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    disruption_rate: ArrayLike,
    recovery_rate: ArrayLike,
    approximate: bool = False,
) -> pd.DataFrame:
    """Return each item's order quantity with the least yearly cost where the supplier is sometimes down.

    Exact: least g(Q) of `disrupted_order_cost`, bracketed on a grid of quantities and closed in on by golden section. Approximate
    (Snyder 2014): Q = (√((ψdh)² + 2hμ(Kdμ + d²pψ)) − ψdh)/(hμ) with ψ = λ/(λ + μ), where the approximate cost is hQ.

    Parameters
    ----------
    demand_rate, order_cost, holding_cost, shortage_cost, disruption_rate, recovery_rate, approximate
        As in `disrupted_order_cost`.

    Raises
    ------
    InputError
        A value is missing or out of range.

    Returns
    -------
    pandas.DataFrame
        order_quantity [units], yearly_cost [money/year, of the same cost function], without_orders [money/year, of losing all
        demand], method (``exact``, ``approximate``, or ``not worth ordering`` where losing all demand costs less: quantity 0).

    Examples
    --------
    Snyder and Shen (2019), example 9.1.

    >>> fit_disrupted_order(1300, order_cost=8, holding_cost=0.225, shortage_cost=5, disruption_rate=1.5, recovery_rate=14
    ...     )[["order_quantity", "yearly_cost"]].round(2).to_numpy().tolist()
    [[772.81, 173.95]]
    """
    names = (0.0, np.atleast_1d(demand_rate), order_cost, holding_cost, shortage_cost, disruption_rate, recovery_rate)
    _, demand, order, holding, shortage, down, up = _check(names)
    moves = demand > 0
    safe = np.where(moves, demand, 1.0)
    psi = down / (down + up)
    root = np.sqrt((psi * safe * holding) ** 2 + 2 * holding * up * (order * safe * up + safe**2 * shortage * psi))
    start = (root - psi * safe * holding) / (holding * up)
    values = (safe, order, holding, shortage, down, up)
    quantity = start if approximate else _closest(start, values)
    cost = _cost(quantity, *values, approximate=approximate)
    lost = shortage * safe
    ordered = moves & (cost <= lost)
    method = np.where(moves & ~ordered, "not worth ordering", "approximate" if approximate else "exact")
    return pd.DataFrame(
        {
            "order_quantity": np.where(ordered, quantity, 0.0),
            "yearly_cost": np.where(moves, np.minimum(cost, lost), 0.0),
            "without_orders": np.where(moves, lost, 0.0),
            "method": method,
        }
    )


def fit_disrupted_base_stock(
    demand: ArrayLike,
    *,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    disruption_chance: ArrayLike,
    recovery_chance: ArrayLike,
) -> pd.DataFrame:
    """Return each item's base-stock level for known demand where the supplier may be down for some periods.

    S = d·(1 + n) with the smallest n ≥ 0 for which F(n) = 1 − α/(α + β)·(1 − β)ⁿ ≥ p/(p + h) (Güllü, Önol and Erkip 1997; Snyder
    and Shen 2019, section 9.3, equation 9.18). Each period: the order arrives unless the supplier is down, demand is met, unmet
    demand waits.

    Parameters
    ----------
    demand : array_like
        d [units/period].
    holding_cost, shortage_cost : array_like
        h of one unit left, p of one unit waiting at the end of a period [money/unit/period].
    disruption_chance, recovery_chance : array_like
        α that a supplier who is up is down in the next period, β that one who is down is up in the next [fraction], β above 0.

    Raises
    ------
    InputError
        A value is missing or out of range.

    Returns
    -------
    pandas.DataFrame
        level [units], cost [money/period], periods_covered (1 + n), critical_ratio [fraction].

    Examples
    --------
    Snyder and Shen (2019), example 9.3.

    >>> fit_disrupted_base_stock(2000, holding_cost=0.25, shortage_cost=3, disruption_chance=0.04, recovery_chance=0.25
    ...     )[["level", "cost"]].round(2).to_numpy().tolist()
    [[8000.0, 2737.07]]
    """
    values = _check_periods((0.0, np.atleast_1d(demand), holding_cost, shortage_cost, disruption_chance, recovery_chance))
    _, wanted, holding, shortage, fall, rise = values
    ratio = shortage / (shortage + holding)
    share, stay = fall / (fall + rise), 1 - rise
    spared = holding / (shortage + holding)
    rest = np.log(np.where(share > 0, spared / np.where(share > 0, share, 1.0), 1.0))
    with np.errstate(divide="ignore"):
        needed = np.where(rest >= 0, 0.0, np.where(stay > 0, rest / np.log(stay), 1.0))
    covered = 1 + np.maximum(np.ceil(needed - 1e-9), 0.0)
    level = wanted * covered
    cost = _period_cost(level, *values[1:])
    return pd.DataFrame({"level": level, "cost": cost, "periods_covered": covered.astype("int64"), "critical_ratio": ratio})


def disrupted_base_stock_cost(
    level: ArrayLike,
    *,
    demand: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    disruption_chance: ArrayLike,
    recovery_chance: ArrayLike,
) -> np.ndarray:
    """Return the expected cost of a period with any base-stock level where the supplier may be down.

    g(S) = Σ_n π_n·(h·(S − (n + 1)d)⁺ + p·((n + 1)d − S)⁺), π_n the chance that the supplier has been down for n periods (Snyder
    and Shen 2019, equation 9.14 and lemma 9.2), summed in closed form.

    Parameters
    ----------
    level : array_like
        S [units].
    demand, holding_cost, shortage_cost, disruption_chance, recovery_chance
        As in `fit_disrupted_base_stock`.

    Examples
    --------
    Snyder and Shen (2019), example 9.3 with S = 2,000.

    >>> cost = disrupted_base_stock_cost(2000, demand=2000, holding_cost=0.25, shortage_cost=3, disruption_chance=0.04,
    ...     recovery_chance=0.25)
    >>> round(float(cost), 2)
    3310.34
    """
    values = _check_periods((level, demand, holding_cost, shortage_cost, disruption_chance, recovery_chance))
    return _period_cost(*values)


def _cost(
    quantity: np.ndarray,
    demand: np.ndarray,
    order: np.ndarray,
    holding: np.ndarray,
    shortage: np.ndarray,
    down: np.ndarray,
    up: np.ndarray,
    *,
    approximate: bool,
) -> np.ndarray:
    safe = np.where(demand > 0, demand, 1.0)
    cycle = np.where(demand > 0, quantity, 1.0) / safe
    psi = down / (down + up) * (1.0 if approximate else -np.expm1(-(down + up) * cycle))
    cost = (order + holding * safe * cycle**2 / 2 + shortage * safe * psi / up) / (cycle + psi / up)
    return np.where(demand > 0, cost, 0.0)


def _closest(start: np.ndarray, values: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return the quantity with the least exact cost: the best of a grid around `start`, then golden section beside it."""
    powers = np.linspace(-4.0, 1.0, _GRID)
    spread = tuple(value[:, None] for value in values)
    grid = np.where(start > 0, start, 1e-9)[:, None] * 10.0**powers
    place = _cost(grid, *spread, approximate=False).argmin(axis=1)
    rows = np.arange(len(start))
    low, high = grid[rows, np.maximum(place - 1, 0)], grid[rows, np.minimum(place + 1, _GRID - 1)]
    for _ in range(70):
        inner, outer = high - _SECTION * (high - low), low + _SECTION * (high - low)
        left = _cost(inner, *values, approximate=False) <= _cost(outer, *values, approximate=False)
        low, high = np.where(left, low, inner), np.where(left, outer, high)
    return (low + high) / 2


def _period_cost(
    level: np.ndarray, demand: np.ndarray, holding: np.ndarray, shortage: np.ndarray, fall: np.ndarray, rise: np.ndarray
) -> np.ndarray:
    share, stay = fall / (fall + rise), 1 - rise
    safe = np.where(demand > 0, demand, 1.0)
    whole = np.floor(level / safe + 1e-9)
    powers = stay ** np.maximum(whole - 1, 0.0)
    summed = safe * (whole - 1 - share * (1 - powers) / rise) + (level - whole * safe) * (1 - share * powers)
    held = np.where(demand > 0, np.where(whole >= 1, summed, 0.0), level)
    later = np.where(whole >= 1, share * powers, 1.0)
    short = ((whole + 1) * safe - level) * later + safe * share * stay**whole / rise
    return holding * held + shortage * np.where(demand > 0, np.maximum(short, 0.0), 0.0)


def _check(names: tuple[ArrayLike, ...]) -> tuple[np.ndarray, ...]:
    values = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in names))
    quantity, demand, order, holding, shortage, down, up = values
    check_not_negative(order_quantity=quantity, demand_rate=demand, order_cost=order, disruption_rate=down)
    check_positive(holding_cost=holding, shortage_cost=shortage, recovery_rate=up)
    return tuple(values)


def _check_periods(names: tuple[ArrayLike, ...]) -> tuple[np.ndarray, ...]:
    values = np.broadcast_arrays(*(np.asarray(value, dtype="float64") for value in names))
    level, demand, holding, shortage, fall, rise = values
    check_not_negative(level=level, demand=demand)
    check_positive(holding_cost=holding, shortage_cost=shortage)
    if not np.all((fall >= 0) & (fall < 1) & (rise > 0) & (rise <= 1)):
        raise InputError(
            expected="a disruption_chance from 0 to below 1 and a recovery_chance above 0 up to 1",
            found=f"{fall.tolist()[:3]} and {rise.tolist()[:3]}",
            fix="Give chances a period; a supplier who never recovers has to be replaced.",
        )
    return tuple(values)
