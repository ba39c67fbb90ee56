"""Limits of orders beyond the agreement: shelf life of each item, and budget and storage that all items share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.loss import expected_shortage

PIECES = 64
"""Most pieces of an item's benefit curve; with more packs than that a piece holds several (a lower bound of the curve)."""
_SECONDS = 30.0
_MANY, _GAPS = 100, (1e-9, 1e-4)  # orders; gap that is proven for fewer and for more


def expected_waste(quantity: np.ndarray, *, position: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return how much of an order is expected to be left when its shelf life ends, with what was there before used first.

    W(Q) = E(P + Q − D)⁺ − E(P − D)⁺, D the demand from now to the end of the order's shelf life, E(y − D)⁺ = y − μ + n(y).

    Parameters
    ----------
    quantity, position : numpy.ndarray
        Order Q, and on hand + on order − backordered P [units].
    mean, variance : numpy.ndarray
        Of D [units, units²].

    Examples
    --------
    Nothing in stock, geometric demand with mean 1, an order of 2: 2 − 1 + 0.25.

    >>> round(float(expected_waste(np.array(2.0), position=np.array(0.0), mean=np.array(1.0), variance=np.array(2.0))), 4)
    1.25
    """
    held, more = np.asarray(position, dtype="float64"), np.asarray(quantity, dtype="float64")

    def left(level: np.ndarray) -> np.ndarray:
        return np.maximum(level - mean + expected_shortage(level, mean=mean, variance=variance), 0.0)

    return np.clip(left(held + more) - left(held), 0.0, more)


def limit_by_shelf_life(position: np.ndarray, *, mean: np.ndarray, variance: np.ndarray, most_wasted: float = 0.05) -> np.ndarray:
    """Return the largest whole order of which at most a share is expected to expire.

    Largest Q with W(Q) ≤ most_wasted · Q (`expected_waste`); W is convex with W(0) = 0, so all smaller orders keep it too.

    Parameters
    ----------
    position : numpy.ndarray
        On hand + on order − backordered [units].
    mean, variance : numpy.ndarray
        Demand from now to the end of the order's shelf life: over lead time + shelf life [units, units²].
    most_wasted : float
        Share of an order that may expire [fraction].

    Raises
    ------
    InputError
        The share is not from 0 up to but not including 1.

    Examples
    --------
    A demand of 1,000 that hardly varies, 4 in stock: 996 are used, and 996/0.95 = 1,048.4.

    >>> limit_by_shelf_life(np.array([4.0]), mean=np.array([1e3]), variance=np.array([1e-9])).tolist()
    [1048.0]
    """
    if not 0 <= most_wasted < 1:
        raise InputError(
            expected="a share of waste from 0 up to but not including 1", found=f"{most_wasted}", fix="Take 0.05 for 5 %."
        )
    held, mean, variance = (np.atleast_1d(np.asarray(value, dtype="float64")) for value in (position, mean, variance))
    low = np.zeros(len(held))
    spread = 10 * np.sqrt(np.maximum(variance, 0.0)) + 10
    high = np.ceil((mean + spread) / (1 - most_wasted) + np.maximum(-held, 0.0)) + 1
    for _ in range(64):
        if np.all(high - low <= 1):
            break
        middle = np.floor((low + high) / 2)
        kept = expected_waste(middle, position=held, mean=mean, variance=variance) <= most_wasted * middle + 1e-9
        low, high = np.where(kept, middle, low), np.where(kept, high, middle)
    return low


@dataclass(frozen=True)
class JointLimits:
    """Orders cut to what all of them together may cost and take up.

    Attributes
    ----------
    orders : pandas.DataFrame
        Rows as the orders: quantity, cut [units], bound_by (``budget``, ``storage``, ``budget_and_storage``, ``no_benefit`` or
        empty), cut_money [money: what was cut at its unit cost], lost_benefit [money: shortage cost that the cut part would have
        saved].
    status : str
        ``not_binding`` (nothing had to be cut), ``optimal`` (proven up to the gap), ``time_limit`` (best found in half a minute).
    gap : float
        Share of the saved shortage cost by which a better choice could exceed this one at most [fraction].
    """

    orders: pd.DataFrame
    status: str
    gap: float = 0.0


def limit_jointly(
    orders: pd.DataFrame,
    *,
    protection: LeadTimeDemand,
    budget: float | None = None,
    storage: float | None = None,
) -> JointLimits:
    """Return the orders that save the most expected shortage within a budget and a storage volume that all share.

    Maximise Σ value·[n(P) − n(P + Q)] − order_cost·[Q > 0], n the expected shortage up to the end of the protection interval,
    over whole packs between the minimum and the quantity wanted, subject to Σ unit_cost·Q ≤ budget and Σ unit_volume·Q ≤ storage
    (Hadley and Whitin 1963, chapter 6, with whole packs). n is convex, so each pack saves less than the one before: an integer
    count of packs and one continuous piece a pack are exact (`scipy.optimize.milp`, HiGHS; of more than 100 orders proven to a
    ten-thousandth).

    Parameters
    ----------
    orders : pandas.DataFrame
        quantity (wanted after the agreement's own rules), position, minimum, multiple [units; missing: none], value (saved by a
        unit not short), unit_cost where there is a budget, unit_volume where there is storage, optional order_cost [money].
    protection : LeadTimeDemand
        Demand over L + R, rows as `orders`.
    budget, storage : float, optional
        What all orders together may cost, and take up [money, volume]; None: no such limit.

    Raises
    ------
    InputError
        A limit below zero, or an order without a value, cost or volume of zero or more.
    """
    _check_limits(orders, budget=budget, storage=storage)
    quantity = orders["quantity"].to_numpy(dtype="float64")
    cost, volume = _column(orders, "unit_cost"), _column(orders, "unit_volume")
    limits = {
        name: (use, limit) for name, use, limit in (("budget", cost, budget), ("storage", volume, storage)) if limit is not None
    }
    if all(float((use * quantity).sum()) <= limit * (1 + 1e-12) + 1e-9 for use, limit in limits.values()):
        chosen, status, gap = quantity, "not_binding", 0.0
    else:
        chosen, status, gap = _solve(orders, protection, list(limits.values()))
        chosen = _top_up(orders, protection, chosen, limits=list(limits.values()))
    cut = quantity - chosen
    position = orders["position"].to_numpy(dtype="float64")
    lost = (protection.shortage(position + chosen) - protection.shortage(position + quantity)) * orders["value"].to_numpy()
    frame = pd.DataFrame(
        {
            "quantity": chosen,
            "cut": cut,
            "bound_by": _bounds(orders, chosen, limits),
            "cut_money": cut * cost,
            "lost_benefit": np.maximum(lost, 0.0),
        },
        index=orders.index,
    )
    return JointLimits(frame, status, gap)


def _solve(
    orders: pd.DataFrame, protection: LeadTimeDemand, limits: list[tuple[np.ndarray, float]]
) -> tuple[np.ndarray, str, float]:
    """Return the quantities of the mixed-integer programme: columns are pieces, then packs and yes/no of each item."""
    pack, least, most = _packs(orders)
    item, width, saved = _pieces(orders, protection, pack=pack, most=most)
    count, pieces = len(orders), len(item)
    fixed = _column(orders, "order_cost")
    gain = np.concatenate([saved, np.zeros(count), -fixed])
    rows, columns = np.arange(count), pieces + np.arange(count)
    chosen = columns + count
    sparse = scipy.sparse.coo_array
    width_rows = sparse((width, (item, np.arange(pieces))), shape=(count, pieces + 2 * count))
    whole = sparse((np.ones(count), (rows, columns)), shape=width_rows.shape)
    yes_most = sparse((most, (rows, chosen)), shape=width_rows.shape)
    yes_least = sparse((least, (rows, chosen)), shape=width_rows.shape)
    constraint = scipy.optimize.LinearConstraint
    constraints = [
        constraint((width_rows - whole).tocsr(), 0.0, 0.0),
        constraint((whole - yes_most).tocsr(), -np.inf, 0.0),
        constraint((whole - yes_least).tocsr(), 0.0, np.inf),
    ]
    for use, limit in limits:
        used = sparse((use * pack, (np.zeros(count, dtype="int64"), columns)), shape=(1, pieces + 2 * count))
        constraints.append(constraint(used.tocsr(), -np.inf, limit))
    found = scipy.optimize.milp(
        -gain,
        integrality=np.concatenate([np.zeros(pieces), np.ones(2 * count)]),
        bounds=scipy.optimize.Bounds(0.0, np.concatenate([np.ones(pieces), most, (most > 0).astype("float64")])),
        constraints=constraints,
        options={"time_limit": _SECONDS, "mip_rel_gap": _GAPS[count > _MANY]},
    )
    if found.x is None:  # no order at all keeps every limit, so only the clock can be the reason
        return np.zeros(count), "time_limit", 1.0
    return np.round(found.x[columns]) * pack, "optimal" if found.status == 0 else "time_limit", max(float(found.mip_gap), 0.0)


def _top_up(
    orders: pd.DataFrame, protection: LeadTimeDemand, chosen: np.ndarray, *, limits: list[tuple[np.ndarray, float]]
) -> np.ndarray:
    """Return the quantities with what a solution short of the optimum has left spent on steps that still pay and fit."""
    pack, least, _ = _packs(orders)
    wanted, position = orders["quantity"].to_numpy(dtype="float64"), orders["position"].to_numpy(dtype="float64")
    value, fixed = orders["value"].to_numpy(dtype="float64"), _column(orders, "order_cost")
    filled, left = chosen.copy(), [limit - float((use * chosen).sum()) for use, limit in limits]

    def gain(rows: np.ndarray, step: np.ndarray) -> np.ndarray:
        part = LeadTimeDemand(protection.values[rows], protection.probabilities[rows])
        now = position[rows] + filled[rows]
        saved = (part.shortage(now) - part.shortage(now + step)) * value[rows]
        return saved - np.where(filled[rows] > 0, 0.0, fixed[rows])

    every = np.flatnonzero(filled < wanted - 1e-9)
    steps = np.where(filled > 0, 1.0, least) * pack
    for row in every[np.argsort(-gain(every, steps[every]), kind="stable")].tolist():
        while filled[row] < wanted[row] - 1e-9:
            step = (1.0 if filled[row] > 0 else least[row]) * pack[row]
            fits = all(step * use[row] <= room + 1e-9 for (use, _), room in zip(limits, left, strict=True))
            if not fits or gain(np.array([row]), np.array([step]))[0] <= 1e-9:
                break
            filled[row] += step
            left = [room - step * use[row] for (use, _), room in zip(limits, left, strict=True)]
    return filled


def _packs(orders: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pack [units], fewest and most packs of each order."""
    multiple = np.nan_to_num(_column(orders, "multiple"))
    pack = np.where(multiple > 0, multiple, 1.0)
    quantity = orders["quantity"].to_numpy(dtype="float64")
    most = np.floor(quantity / pack + 1e-9)
    least = np.ceil(np.maximum(np.nan_to_num(_column(orders, "minimum")), pack) / pack - 1e-9)
    return pack, np.minimum(least, most), most


def _pieces(
    orders: pd.DataFrame, protection: LeadTimeDemand, *, pack: np.ndarray, most: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return item, packs and saved shortage cost of each piece of the benefit curves."""
    position, value = orders["position"].to_numpy(dtype="float64"), orders["value"].to_numpy(dtype="float64")
    number = np.minimum(most, PIECES).astype("int64")
    item, width, saved = [], [], []
    before, short = np.zeros(len(orders)), protection.shortage(position)
    for piece in range(1, int(number.max(initial=0)) + 1):
        end = np.where(piece <= number, np.round(most * piece / np.maximum(number, 1)), before)
        after = protection.shortage(position + end * pack)
        rows = np.flatnonzero(end > before)
        item.append(rows)
        width.append((end - before)[rows])
        saved.append(((short - after) * value)[rows])
        before, short = end, after
    blank: list[np.ndarray] = [np.zeros(0)]
    return (
        np.concatenate(item or blank).astype("int64"),
        np.concatenate(width or blank),
        np.concatenate(saved or blank),
    )


def _bounds(orders: pd.DataFrame, chosen: np.ndarray, limits: dict[str, tuple[np.ndarray, float]]) -> np.ndarray:
    """Return which limit has no room for the next step of each order that was cut."""
    pack, least, _ = _packs(orders)
    step = np.where(chosen > 0, 1.0, least) * pack
    full = {name: step * use > limit - float((use * chosen).sum()) + 1e-9 for name, (use, limit) in limits.items()}
    none = np.zeros(len(orders), dtype=bool)
    budget, storage = full.get("budget", none), full.get("storage", none)
    cut = chosen < orders["quantity"].to_numpy(dtype="float64") - 1e-9
    return np.select(
        [~cut, budget & storage, budget, storage], ["", "budget_and_storage", "budget", "storage"], "no_benefit"
    ).astype(object)


def _column(orders: pd.DataFrame, name: str) -> np.ndarray:
    return orders[name].to_numpy(dtype="float64") if name in orders else np.zeros(len(orders))


def _check_limits(orders: pd.DataFrame, *, budget: float | None, storage: float | None) -> None:
    for name, limit, column in (("budget", budget, "unit_cost"), ("storage", storage, "unit_volume")):
        if limit is None:
            continue
        if not limit >= 0:
            raise InputError(expected=f"a {name} of zero or more", found=f"{limit}", fix="Give the limit, or leave it out.")
        values = _column(orders, column) if column in orders else np.full(len(orders), np.nan)
        if not np.all(values[orders["quantity"].to_numpy() > 0] >= 0):
            raise InputError(
                expected=f"a {column} of zero or more for each order, as there is a {name}",
                found=f"{int((~(values >= 0)).sum())} orders without one",
                fix=f"Give {column}, or leave the {name} out.",
            )
    if not np.all(orders["value"].to_numpy(dtype="float64") >= 0):
        raise InputError(
            expected="a value of zero or more for each unit not short", found="an order without one", fix="Give shortage_cost."
        )
