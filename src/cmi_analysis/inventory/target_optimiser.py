"""Service targets by equal marginal cost: the most service for a budget of stock, or the least stock for an average service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.policy import fit_reorder_point, mean_stock, shelf_fill_at
from cmi_analysis.inventory.targets import HIGHEST_TARGET


@dataclass(frozen=True)
class ServiceCurves:
    """What service costs in stock: for each item rising levels with their money and service.

    Attributes
    ----------
    level : numpy.ndarray
        Items × points, reorder points; S − 1 of an order-up-to level [units].
    money : numpy.ndarray
        Mean stock at its unit cost, rising [money].
    service : numpy.ndarray
        Shelf fill or cycle service of each level [fraction].
    weight : numpy.ndarray
        What a full service of the item counts: its demand or the value of it [units or money a year].
    """

    level: np.ndarray
    money: np.ndarray
    service: np.ndarray
    weight: np.ndarray

    @property
    def gain(self) -> np.ndarray:
        """Return service × weight: units or value served a year, items × points."""
        return self.service * self.weight[:, None]


@dataclass(frozen=True)
class TargetPlan:
    """Targets chosen together.

    Attributes
    ----------
    items : pandas.DataFrame
        One row an item: target (the service of the level chosen) [fraction], floor [fraction], level [units], money, gain.
    totals : mapping of str to float
        money, service (weighted), shadow_price (weighted service bought by the next money; 0 where nothing more can be bought),
        bound (service that no choice of the same money can pass: the linear relaxation), least_money (of the floors alone),
        items_under, weight_under (share of items and of weight below the average service).
    status : str
        ``optimal``; ``floors_exceed_budget`` (the floors alone cost `least_money`; the plan holds just them);
        ``not_reachable`` (the service wanted is above what the highest levels give; the plan holds those);
        ``floors_not_reachable`` (a floor is above what the item's highest level gives; it gets that level).
    """

    items: pd.DataFrame
    totals: Mapping[str, float] = field(default_factory=dict)
    status: str = "optimal"


def fit_service_curves(
    *,
    protection: LeadTimeDemand,
    lead: LeadTimeDemand,
    batch: np.ndarray,
    unit_cost: np.ndarray,
    weight: np.ndarray,
    floor: np.ndarray | None = None,
    measure: str = "shelf_fill",
    points: int = 48,
) -> ServiceCurves:
    """Return what each item's service costs in stock, at up to `points` levels from no stock to a service of 99.9 %.

    All whole levels where there are no more than `points`, else equally spaced ones; the level of the item's floor is among them.

    Parameters
    ----------
    protection, lead : LeadTimeDemand
        Demand over L + R and over L.
    batch : numpy.ndarray
        Batch or pack of each item [units].
    unit_cost, weight : numpy.ndarray
        What a unit on the shelf cost [money/unit]; what full service counts [units or money a year].
    floor : numpy.ndarray, optional
        Service that a contract asks for [fraction]; 0: none.
    measure : {"shelf_fill", "cycle_service"}
        Service bought.
    points : int
        Most levels of an item.

    Raises
    ------
    InputError
        A unit cost or a weight is missing or below zero, or a floor is not below 1.
    """
    _check_numbers(unit_cost=unit_cost, weight=weight)
    floors = np.zeros(len(batch)) if floor is None else np.nan_to_num(np.asarray(floor, dtype="float64"))
    if not np.all((floors >= 0) & (floors < 1)):
        raise InputError(
            expected="floors from 0 up to but not including 1",
            found=f"{floors.max()}",
            fix="No finite stock keeps 1: take 0.999.",
        )

    def level_of(target: np.ndarray) -> np.ndarray:
        if measure == "cycle_service":
            return protection.quantile(target) - 1
        return fit_reorder_point(target, batch=batch, protection=protection, lead=lead)

    top, bottom = level_of(np.full(len(batch), HIGHEST_TARGET)), level_of(np.minimum(floors, HIGHEST_TARGET))
    spread = np.round(-1 + (top + 1)[:, None] * np.linspace(0, 1, points))
    whole = np.minimum(np.arange(points) - 1.0, top[:, None])
    level = np.where((top + 2 <= points)[:, None], whole, spread)
    level = np.sort(np.concatenate([level, bottom[:, None]], axis=1), axis=1)
    money, service = np.empty_like(level), np.empty_like(level)
    for place in range(level.shape[1]):
        here = level[:, place]
        held = mean_stock(here, protection=protection, lead=lead, batch=batch)
        money[:, place] = held * unit_cost
        service[:, place] = (
            1 - protection.chance_above(here + 1)
            if measure == "cycle_service"
            else shelf_fill_at(here, protection=protection, lead=lead, batch=batch)
        )
    idle = (protection.mean() <= 1e-9)[:, None]  # an item without demand is not ordered
    money, service = np.where(idle, 0.0, np.maximum.accumulate(money, axis=1)), np.maximum.accumulate(service, axis=1)
    return ServiceCurves(level, money, np.where(idle, 1.0, service), np.asarray(weight, dtype="float64"))


def optimise_targets(
    curves: ServiceCurves, *, budget: float | None = None, service: float | None = None, floor: np.ndarray | None = None
) -> TargetPlan:
    """Return the service targets that serve the most for a budget, or that keep an average service for the least money.

    Each item's curve is cut below its floor and replaced by its concave hull; the hulls' segments are bought by falling service
    per money until the budget is spent or the service reached. So every item stops where its next unit of money would buy no more
    service than anybody's: equal marginal cost (Everett 1963: such a choice is best among all that cost no more than it does;
    Silver, Pyke and Thomas 2017, section 6.9, for safety stock). Money left that the next segment does not fit into buys the next
    best that fits; `bound` says how much service that can cost at most.

    Parameters
    ----------
    curves : ServiceCurves
        As from `fit_service_curves`.
    budget : float, optional
        Money that the mean stock may tie up [money].
    service : float, optional
        Average service wanted, weighted [fraction]. One of `budget` and `service`.
    floor : numpy.ndarray, optional
        Service that each item must have [fraction]; missing or 0: none.

    Raises
    ------
    InputError
        Both or neither of budget and service, a budget below zero, a service not between 0 and 1.
    """
    check_aim(budget, service)
    floors = np.zeros(len(curves.weight)) if floor is None else np.nan_to_num(np.asarray(floor, dtype="float64"))
    first = first_at(curves.service, floors)
    rows = np.arange(len(first))
    base = float(curves.money[rows, first].sum())
    total = float(curves.weight.sum())
    if budget is not None and base > budget * (1 + 1e-12) + 1e-9:
        return _plan(curves, first, floors=floors, least=base, price=0.0, bound=np.nan, status="floors_exceed_budget")
    item, place, cost, gain = _segments(curves, first)
    room = np.inf if budget is None else budget - base
    wanted = np.inf if service is None else service * total - float(curves.gain[rows, first].sum())
    chosen = first.copy()
    whole, bound = _relaxed(cost, gain, room=room, wanted=wanted)
    np.maximum.at(chosen, item[:whole], place[:whole])
    price = float(gain[whole] / cost[whole]) if whole < len(cost) and cost[whole] > 0 else 0.0
    if budget is not None:
        chosen = _fill_rest(chosen, item[whole:], place[whole:], cost[whole:], room=room - float(cost[:whole].sum()))
    reached = float(curves.gain[rows, chosen].sum())
    short = service is not None and reached < service * total * (1 - 1e-9) - 1e-12
    best = (float(curves.gain[rows, first].sum()) + bound) / total if total > 0 else 1.0
    status = "not_reachable" if short else "floors_not_reachable" if _misses(curves, first, floors) else "optimal"
    return _plan(curves, chosen, floors=floors, least=base, price=price, bound=best, status=status)


def first_at(service: np.ndarray, floors: np.ndarray) -> np.ndarray:
    """Return the first point of each curve (items × points) at or above its floor, the last where none is."""
    enough = service >= np.reshape(floors, (-1, 1)) - 1e-9
    return np.where(enough.any(axis=1), enough.argmax(axis=1), service.shape[1] - 1)


def _misses(curves: ServiceCurves, first: np.ndarray, floors: np.ndarray) -> bool:
    return bool((curves.service[np.arange(len(first)), first] < floors - 1e-9).any())


def _segments(curves: ServiceCurves, first: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return item, end point, money and gain of every hull segment, the best per money first; those of an item stay in order."""
    hull, size = _hulls(curves.money, curves.gain, first)
    rows = np.arange(len(first))[:, None]
    steps = np.arange(hull.shape[1] - 1)
    start, end = hull[:, :-1], hull[:, 1:]
    used = steps < (size - 1)[:, None]
    cost = np.where(used, curves.money[rows, end] - curves.money[rows, start], 0.0)
    gain = np.where(used, curves.gain[rows, end] - curves.gain[rows, start], 0.0)
    used &= gain > 1e-15
    slope = np.where(cost > 0, gain / np.where(cost > 0, cost, 1.0), np.inf)
    item, step = np.nonzero(used)
    order = np.lexsort((step, item, -slope[item, step]))
    item, step = item[order], step[order]
    return item, end[item, step], cost[item, step], gain[item, step]


def _hulls(money: np.ndarray, gain: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of each item's upper concave hull from its first on, and how many (Andrew 1979, all items at once)."""
    count, points = money.shape
    hull, size = np.zeros((count, points), dtype="int64"), np.zeros(count, dtype="int64")
    for point in range(points):
        live = np.flatnonzero(first <= point)
        while len(live):
            top, before = hull[live, size[live] - 1], hull[live, np.maximum(size[live] - 2, 0)]
            run, rise = money[live, top] - money[live, before], gain[live, top] - gain[live, before]
            turn = run * (gain[live, point] - gain[live, before]) - rise * (money[live, point] - money[live, before])
            live = live[(size[live] >= 2) & (turn >= 0)]
            size[live] -= 1
        live = np.flatnonzero(first <= point)
        hull[live, size[live]] = point
        size[live] += 1
    return hull, size


def _relaxed(cost: np.ndarray, gain: np.ndarray, *, room: float, wanted: float) -> tuple[int, float]:
    """Return how many whole segments are bought, and the gain that the linear relaxation has for the same limit."""
    spent, got = cost.cumsum(), gain.cumsum()
    if np.isfinite(wanted):
        whole = int(np.searchsorted(got, wanted * (1 - 1e-12) - 1e-12, side="left")) + 1 if wanted > 0 else 0
        whole = min(whole, len(cost))
        return whole, float(got[whole - 1]) if whole else 0.0
    whole = int(np.searchsorted(spent, room * (1 + 1e-12) + 1e-12, side="right"))
    bought = float(got[whole - 1]) if whole else 0.0
    left = room - (float(spent[whole - 1]) if whole else 0.0)
    part = min(max(left, 0.0) / cost[whole], 1.0) * gain[whole] if whole < len(cost) and cost[whole] > 0 else 0.0
    return whole, bought + float(part)


def _fill_rest(chosen: np.ndarray, item: np.ndarray, place: np.ndarray, cost: np.ndarray, *, room: float) -> np.ndarray:
    """Return the choice with the money left over spent on the next segments that fit; an item left once is left for good."""
    filled, closed = chosen.copy(), np.zeros(len(chosen), dtype=bool)
    for which, end, price in zip(item.tolist(), place.tolist(), cost.tolist(), strict=True):
        if closed[which]:
            continue
        if price <= room:
            filled[which], room = end, room - price
        else:
            closed[which] = True
    return filled


def _plan(
    curves: ServiceCurves, chosen: np.ndarray, *, floors: np.ndarray, least: float, price: float, bound: float, status: str
) -> TargetPlan:
    rows = np.arange(len(chosen))
    items = pd.DataFrame(
        {
            "target": curves.service[rows, chosen],
            "floor": floors,
            "level": curves.level[rows, chosen],
            "money": curves.money[rows, chosen],
            "gain": curves.gain[rows, chosen],
        }
    )
    summed = score_service(items["target"].to_numpy(), money=items["money"].to_numpy(), weight=curves.weight)
    best = summed["service"] if np.isnan(bound) else bound
    totals = {**summed, "shadow_price": price, "bound": max(best, summed["service"]), "least_money": least}
    return TargetPlan(items, totals, status)


def score_service(
    service: np.ndarray, *, money: np.ndarray, weight: np.ndarray, aim: float | None = None, customers: np.ndarray | None = None
) -> dict[str, float]:
    """Return money, weighted service and who is below an aim: an average can hide a third of the items far below it.

    Parameters
    ----------
    service, money, weight : numpy.ndarray
        Of each item [fraction, money, units or money a year].
    aim : float, optional
        Service compared with [fraction]; the average itself where none is given.
    customers : numpy.ndarray, optional
        Customer of each item.

    Returns
    -------
    dict of str to float
        money, service, items_under (of the items with weight), weight_under [fractions]; customers_under where customers are
        given.

    Examples
    --------
    >>> found = score_service(np.array([1.0, 1.0, 0.8]), money=np.zeros(3), weight=np.array([5.0, 4.0, 1.0]), aim=0.95)
    >>> round(found["service"], 4), round(found["items_under"], 4)
    (0.98, 0.3333)
    """
    total, active = float(weight.sum()), weight > 0
    mean = float((service * weight).sum() / total) if total > 0 else 1.0
    under = active & (service < (mean if aim is None else aim) - 1e-9)
    found = {
        "money": float(money.sum()),
        "service": mean,
        "items_under": float(under.sum() / active.sum()) if active.any() else 0.0,
        "weight_under": float(weight[under].sum() / total) if total > 0 else 0.0,
    }
    if customers is not None:
        sums = pd.DataFrame({"customer": customers, "met": service * weight, "weight": weight}).groupby("customer").sum()
        sums = sums[sums["weight"] > 0]
        low = sums["met"] / sums["weight"] < (mean if aim is None else aim) - 1e-9
        found["customers_under"] = float(low.mean()) if len(sums) else 0.0
    return found


def _check_numbers(**values: np.ndarray) -> None:
    for name, numbers in values.items():
        wrong = ~(np.isfinite(numbers) & (np.asarray(numbers) >= 0))
        if wrong.any():
            raise InputError(
                expected=f"a {name} of zero or more for each item",
                found=f"{int(wrong.sum())} items without one, the first {np.asarray(numbers)[wrong][0]}",
                fix="Give the cost, or leave these items out of the optimisation.",
            )


def check_aim(budget: float | None, service: float | None) -> None:
    """Raise an InputError unless just one of budget [money] and service [fraction] is given and makes sense."""
    if (budget is None) == (service is None):
        raise InputError(expected="a budget or a service", found="both" if budget is not None else "neither", fix="Give one.")
    if budget is not None and not budget >= 0:
        raise InputError(expected="a budget of zero or more", found=f"{budget}", fix="Give the money that stock may tie up.")
    if service is not None and not 0 < service < 1:
        raise InputError(
            expected="a service between 0 and 1", found=f"{service}", fix="Give a fraction such as 0.95: no finite stock keeps 1."
        )
