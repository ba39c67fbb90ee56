"""Order quantities where the price falls with the quantity: all-units and incremental discounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.value_checks import check_not_negative, check_positive


def fit_all_units_discount(
    demand_rate: ArrayLike,
    *,
    order_cost: ArrayLike,
    holding_rate: ArrayLike,
    breaks: ArrayLike,
    prices: ArrayLike,
    other_holding_cost: ArrayLike = 0.0,
    maximum: ArrayLike = np.inf,
) -> pd.DataFrame:
    """Return each item's order quantity where the tier's price counts for every unit of the order.

    Of the largest tier whose own economic order quantity lies in the tier, and of every break above it, the one with the least
    g_j(Q) = c_jλ + Kλ/Q + (I·c_j + h)Q/2; holding cost at the price of the tier (Hadley and Whitin 1963, section 2.11; Nahmias
    2009, section 4.7; Snyder and Shen 2019, section 3.4). A maximum cuts the tiers off.

    Parameters
    ----------
    demand_rate : array_like
        Demand λ of each item [units/year].
    order_cost : array_like
        Cost K of one order [money].
    holding_rate : array_like
        Yearly cost I of holding one unit of money in stock [1/year].
    breaks : array_like
        Smallest quantity of each tier, tiers or items × tiers, the first 0 [units]; missing at the end: the item has fewer tiers.
    prices : array_like
        Price of a unit in each tier, shape of `breaks` [money/unit].
    other_holding_cost : array_like
        Yearly cost h of holding one unit beside the capital: space, insurance [money/unit/year].
    maximum : array_like
        Largest quantity of an order [units]; missing: none.

    Raises
    ------
    InputError
        The first break is not 0, breaks do not rise, prices do not fall or are not above zero; a cost or rate is out of range.

    Returns
    -------
    pandas.DataFrame
        order_quantity [units], tier (from 0), unit_price [money/unit], yearly_cost [money/year, with what is paid].

    Examples
    --------
    Nahmias (2009), example 4.4: 500 bags at 0.29.

    >>> fit_all_units_discount(600, order_cost=8, holding_rate=0.2, breaks=[0, 500, 1000], prices=[0.30, 0.29, 0.28]
    ...     )[["order_quantity", "yearly_cost"]].round(2).to_numpy().tolist()
    [[500.0, 198.1]]
    """
    names = (demand_rate, order_cost, holding_rate, other_holding_cost, maximum)
    items, low, price = _check_schedule(names, breaks, prices)
    demand, order, rate, other, most = items
    holding = rate * price + other
    ideal = np.sqrt(2 * order * demand / holding)
    quantity = np.minimum(np.maximum(ideal, low), _top(low, most))
    cost = price * demand + _ordering(order * demand, quantity) + holding * quantity / 2
    return _best(quantity, np.where(low <= most, cost, np.inf), price)


def fit_incremental_discount(
    demand_rate: ArrayLike,
    *,
    order_cost: ArrayLike,
    holding_rate: ArrayLike,
    breaks: ArrayLike,
    prices: ArrayLike,
    other_holding_cost: ArrayLike = 0.0,
    maximum: ArrayLike = np.inf,
) -> pd.DataFrame:
    """Return each item's order quantity where the tier's price counts for the units above its break only.

    An order of Q in tier j is paid with C(Q) = R_j + c_j·Q, R_j = Σ_{i<j} (c_i − c_{i+1})·b_{i+1}. Of the tiers whose own
    Q_j = √(2(K + R_j)λ/(I·c_j + h)) lies in the tier, the one with the least g(Q) = λC(Q)/Q + Kλ/Q + (I·C(Q)/Q + h)Q/2: holding
    cost at the average price paid. A break is never the best (Hadley and Whitin 1963, section 2.12; Nahmias 2009, section 4.7;
    Snyder and Shen 2019, section 3.4); only a maximum may be.

    Parameters
    ----------
    demand_rate, order_cost, holding_rate, breaks, prices, other_holding_cost, maximum
        As in `fit_all_units_discount`.

    Raises
    ------
    InputError
        As in `fit_all_units_discount`.

    Returns
    -------
    pandas.DataFrame
        As `fit_all_units_discount`; unit_price is the average price paid.

    Examples
    --------
    Nahmias (2009), example 4.5: the discount does not pay, 400 bags.

    >>> fit_incremental_discount(600, order_cost=8, holding_rate=0.2, breaks=[0, 500, 1000], prices=[0.30, 0.29, 0.28]
    ...     )[["order_quantity", "yearly_cost"]].round(2).to_numpy().tolist()
    [[400.0, 204.0]]
    """
    names = (demand_rate, order_cost, holding_rate, other_holding_cost, maximum)
    items, low, price = _check_schedule(names, breaks, prices)
    demand, order, rate, other, most = items
    finite = np.where(np.isfinite(low), low, 0.0)
    steps = np.concatenate([np.zeros_like(price[:, :1]), -np.diff(price, axis=1) * finite[:, 1:]], axis=1)
    extra = steps.cumsum(axis=1)
    holding = rate * price + other
    quantity = np.sqrt(2 * (order + extra) * demand / holding)
    top = _top(low, most)
    capped = (most <= top) & (quantity > most)
    quantity = np.where(capped, most, quantity)
    feasible = (low <= most) & (capped | ((quantity >= low) & (quantity <= top)))
    cost = price * demand + _ordering((order + extra) * demand, quantity) + holding * quantity / 2 + rate * extra / 2
    average = price + np.divide(extra, quantity, out=np.zeros_like(quantity), where=quantity > 0)
    return _best(quantity, np.where(feasible, cost, np.inf), average)


def _ordering(yearly: np.ndarray, quantity: np.ndarray) -> np.ndarray:
    """Return Kλ/Q; 0 where nothing is ordered because ordering is free or there is no demand."""
    return np.divide(yearly, quantity, out=np.zeros_like(quantity), where=quantity > 0)


def _top(low: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return the largest quantity of each tier: the next break or the maximum."""
    following = np.concatenate([low[:, 1:], np.full_like(low[:, :1], np.inf)], axis=1)
    return np.minimum(following, most)


def _best(quantity: np.ndarray, cost: np.ndarray, price: np.ndarray) -> pd.DataFrame:
    tier = cost.argmin(axis=1)
    rows = np.arange(len(cost))
    return pd.DataFrame(
        {
            "order_quantity": quantity[rows, tier],
            "tier": tier,
            "unit_price": price[rows, tier],
            "yearly_cost": cost[rows, tier],
        }
    )


def _check_schedule(
    names: tuple[ArrayLike, ...], breaks: ArrayLike, prices: ArrayLike
) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]:
    """Return the items' values as columns, and breaks and prices as items × tiers; a missing tier begins at infinity."""
    demand, order, rate, other, most = (np.asarray(value, dtype="float64") for value in names)
    check_not_negative(demand_rate=demand, order_cost=order, holding_rate=rate, other_holding_cost=other)
    most = np.where(np.isnan(most), np.inf, most)
    low, price = np.atleast_2d(np.asarray(breaks, dtype="float64")), np.atleast_2d(np.asarray(prices, dtype="float64"))
    if low.shape != price.shape or not low.size:
        raise InputError(
            expected="one price for each break",
            found=f"breaks of shape {low.shape}, prices of shape {price.shape}",
            fix="Give both by tier, or by item and tier.",
        )
    if not np.all(most > 0):
        raise InputError(expected="a maximum above zero", found=f"{most.min()}", fix="Leave the maximum out where there is none.")
    _check_tiers(low, price)
    there = np.isfinite(low)
    price = np.where(there, price, np.nanmin(price, axis=1, keepdims=True))
    check_positive(yearly_holding_cost=rate.reshape(-1, 1) * price + other.reshape(-1, 1))
    count = max(value.size for value in (demand, order, rate, other, most, low[:, 0]))
    columns = tuple(np.broadcast_to(value.reshape(-1, 1), (count, 1)) for value in (demand, order, rate, other, most))
    shape = (count, low.shape[1])
    return columns, np.broadcast_to(np.where(there, low, np.inf), shape), np.broadcast_to(price, shape)


def _check_tiers(low: np.ndarray, price: np.ndarray) -> None:
    there = np.isfinite(low) & np.isfinite(price)
    rising = ~there[:, 1:] | (np.diff(low, axis=1) > 0)
    falling = ~there[:, 1:] | (np.diff(price, axis=1) < 0)
    complete = ~np.any(there[:, 1:] & ~there[:, :-1]) and np.array_equal(np.isnan(low), np.isnan(price))
    checks = (
        (bool(complete), "a break and a price for every tier, missing only at the end"),
        (bool(np.all(there[:, 0])) and bool(np.all(low[:, 0] == 0)), "a first break of 0"),
        (bool(np.all(rising)), "breaks that rise from tier to tier"),
        (bool(np.all(falling)), "prices that fall from tier to tier"),
        (bool(np.all(price[there] > 0)), "prices above zero"),
    )
    for kept, wanted in checks:
        if not kept:
            fix = "Correct the supplier's price list; a dearer tier is never chosen and can be left out."
            raise InputError(expected=wanted, found=f"breaks {low.tolist()[:3]}, prices {price.tolist()[:3]}", fix=fix)
