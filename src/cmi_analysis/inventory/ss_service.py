"""The (s,S) policy of least ordering and holding cost that keeps a service target, where no cost of a shortage is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.pmf import check_pmf, sum_pmfs
from cmi_analysis.inventory.pmf_shortage import chance_up_to, mean_of, shortage_at, shortage_curve
from cmi_analysis.inventory.position_service import Renewal
from cmi_analysis.inventory.value_checks import check_costs, check_rows

Measure = Literal["shelf_fill", "cycle_service", "ready_rate"]


def fit_ss_constrained(
    review_pmf: ArrayLike,
    *,
    lead_pmf: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    target: ArrayLike,
    measure: Measure = "shelf_fill",
    protection_pmf: ArrayLike | None = None,
    step: ArrayLike = 1.0,
) -> pd.DataFrame:
    """Return the (s,S) policy of each item with the least ordering and holding cost among those that keep the target.

    For each S − s the share of time at each position is m(j)/M(S − s) whatever s is, so service only rises with s: the least s
    that keeps the target is found for every S − s, and the cheapest pair is taken. That is the optimum itself; a
    shadow price found by bisection would leave a gap. The search ends once S − s is twice the best one found, and twice the
    economic order quantity over the target.

    Parameters
    ----------
    review_pmf, lead_pmf, protection_pmf, step
        As in `cmi_analysis.inventory.ss_policy.score_ss`.
    order_cost, holding_cost : array_like
        K of an order and h of one unit on the shelf at the end of a review period [money, money/unit/period].
    target : array_like
        Service to keep [fraction, 0 < target < 1].
    measure : {"shelf_fill", "cycle_service", "ready_rate"}
        Share of demand met from the shelf, chance that a cycle has no stock-out, share of periods that end without backlog.

    Returns
    -------
    pandas.DataFrame
        reorder_point, order_up_to_level [units], cost (ordering and holding) [money/period], service [fraction],
        implied_shortage_cost (h·A/(1 − A) with A the ready rate: the cost of a waiting unit that would choose the same s)
        [money/unit/period], method (``constrained``, or ``no_demand``).

    Raises
    ------
    InputError
        A target is not between 0 and 1; otherwise as `fit_ss`.

    Examples
    --------
    One unit a period, no lead time, K = 8, h = 1, everything from the shelf: the economic order quantity is 4, and it ends its
    periods with 3, 2, 1, 0 in stock: 8/4 + 6/4.

    >>> one = fit_ss_constrained([[0.0, 1.0]], lead_pmf=[[1.0]], order_cost=8, holding_cost=1, target=0.999)
    >>> one[["reorder_point", "order_up_to_level", "cost"]].iloc[0].tolist()
    [0.0, 4.0, 3.5]
    """
    review, lead = check_pmf(review_pmf, name="review_pmf"), check_pmf(lead_pmf, name="lead_pmf")
    check_rows(review_pmf=len(review), lead_pmf=len(lead))
    protection = sum_pmfs(review, lead) if protection_pmf is None else check_pmf(protection_pmf, name="protection_pmf")
    units, holding, order = check_costs(
        len(review), positive={"step": step, "holding_cost": holding_cost}, not_negative={"order_cost": order_cost}
    )
    goal = _check_target(target, len(review))
    active = 1.0 - review[:, 0] > 1e-12
    low, top = np.full(len(review), -1, dtype="int64"), np.zeros(len(review), dtype="int64")
    cost, service, ready = np.zeros(len(review)), np.ones(len(review)), np.zeros(len(review))
    rows = np.flatnonzero(active)
    rank = rows[np.argsort(np.sqrt(2 * order * mean_of(review) / (holding * units))[rows], kind="stable")]
    for start in range(0, len(rank), 64):
        part = rank[start : start + 64]
        search = _Sweep(review[part], lead[part], protection[part], goal[part], measure)
        low[part], top[part], cost[part], service[part], ready[part] = search.run(order[part], (holding * units)[part])
    short = np.maximum(1 - ready, 1e-9)
    return pd.DataFrame(
        {
            "reorder_point": np.where(active, low * units, -1.0),
            "order_up_to_level": top * units,
            "cost": cost,
            "service": service,
            "implied_shortage_cost": np.where(active, holding * ready / short, 0.0),
            "method": np.where(active, "constrained", "no_demand"),
        }
    )


def _check_target(target: ArrayLike, count: int) -> np.ndarray:
    goal = np.broadcast_to(np.asarray(target, dtype="float64"), (count,))
    good = (goal > 0) & (goal < 1)
    if not np.all(good):
        raise InputError(
            expected="service targets above 0 and below 1",
            found=f"{goal[~good][0]}",
            fix="Take 0.999 for 'as good as always': no finite stock keeps 1.",
        )
    return goal


@dataclass
class _Best:
    low: np.ndarray
    length: np.ndarray
    cost: np.ndarray
    service: np.ndarray
    ready: np.ndarray


class _Sweep:
    """All S − s = 1, 2, …: sums over the positions are carried along for every S of a grid at once."""

    def __init__(self, review: np.ndarray, lead: np.ndarray, protection: np.ndarray, goal: np.ndarray, measure: Measure) -> None:
        self.review, self.lead, self.protection, self.goal, self.measure = review, lead, protection, goal, measure
        self.renewal = Renewal(review)
        self.under = review[:, 1:] / (1.0 - review[:, :1])
        self.reach = protection.shape[1]
        self.least = np.zeros(len(goal), dtype="int64")
        self.below = np.concatenate([np.zeros((len(goal), self.under.shape[1])), np.minimum(lead.cumsum(axis=1), 1.0)], axis=1)

    def run(self, order: np.ndarray, holding: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return s, S, cost, service and ready rate."""
        mean = mean_of(self.review)
        plain = np.ceil(2 * np.sqrt(2 * order * mean / holding) / self.goal) + np.ceil(mean) + 20
        longest = int(plain.max())
        while True:
            best = self._sweep(longest, order, holding)
            if np.all(2 * best.length + 20 <= longest) or longest > 200_000:
                return best.low, best.low + best.length, best.cost, best.service, best.ready
            longest = int(2 * best.length.max()) + 21

    def _curves(self, longest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return service, stock and no backlog at the positions −2·longest … longest + reach, items × positions."""
        level = np.broadcast_to(np.arange(-2 * longest, longest + self.reach + 1), (len(self.goal), 3 * longest + self.reach + 1))
        after = shortage_at(level, curve=shortage_curve(self.protection))
        before = shortage_at(level, curve=shortage_curve(self.lead))
        demand = (mean_of(self.protection) - mean_of(self.lead))[:, None]
        ready = chance_up_to(level, pmf=self.protection)
        fill = 1 - (after - before) / np.where(demand > 1e-12, demand, 1.0)
        stock = np.maximum(level - mean_of(self.protection)[:, None] + after, 0.0)
        return (ready if self.measure == "ready_rate" else fill), stock, ready

    def _sweep(self, longest: int, order: np.ndarray, holding: np.ndarray) -> _Best:
        good, stock, ready = self._curves(longest)
        self.renewal.extend(longest)
        count, rows, size = len(self.goal), np.arange(len(self.goal)), 2 * longest + self.reach + 1
        sums = np.zeros((3, count, size))
        best = _Best(np.zeros(count, "int64"), np.ones(count, "int64"), np.full(count, np.inf), np.ones(count), np.ones(count))
        under = self.under
        for length in range(1, longest + 1):
            weight = self.renewal.density[:, length - 1, None]
            first = longest - length + 1  # grid place p is the order-up-to level p − longest
            for total, curve in zip(sums, (good, stock, ready), strict=True):
                total += weight * curve[:, first : first + size]
            time = self.renewal.total[:, length]
            if self.measure == "cycle_service":
                under = self._next_under(under) if length > 1 else under
                place, service = self._least_cycle(under, length, longest)
            else:
                kept = sums[0] >= (self.goal * time - 1e-10 * time)[:, None]
                place = np.where(kept.any(axis=1), kept.argmax(axis=1), size - 1)
                service = sums[0][rows, place] / time
            cost = order / time + holding * sums[1][rows, place] / time
            better = cost < best.cost - 1e-11 * (holding + np.abs(cost))
            found = _Best(place - longest - length, np.full(count, length), cost, service, sums[2][rows, place] / time)
            best = _Best(**{name: np.where(better, value, getattr(best, name)) for name, value in vars(found).items()})
        return best

    def _next_under(self, under: np.ndarray) -> np.ndarray:
        """Return the undershoot of S − s = n + 1 from that of n: what ended on the edge goes on by one more demand."""
        moved = np.concatenate([under[:, 1:], np.zeros((len(under), 1))], axis=1)
        return moved + under[:, :1] * self.under

    def _least_cycle(self, under: np.ndarray, length: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the place of S with the least s whose cycles keep the target, and their service."""
        rows, low = np.arange(len(under)), self.least.copy()
        service = self._cycle(under, rows, low)
        rows = np.flatnonzero(service < self.goal - 1e-10)
        while len(rows):
            low[rows] += 1
            service[rows] = self._cycle(under, rows, low[rows])
            rows = rows[service[rows] < self.goal[rows] - 1e-10]
        rows = np.flatnonzero(low == self.least)
        while len(rows):
            below = self._cycle(under, rows, low[rows] - 1)
            kept = below >= self.goal[rows] - 1e-10
            rows, below = rows[kept], below[kept]
            low[rows] -= 1
            service[rows] = below
        self.least = low
        return np.minimum(low + length + longest, 2 * longest + self.reach), service

    def _cycle(self, under: np.ndarray, rows: np.ndarray, low: np.ndarray) -> np.ndarray:
        """Return P(D(L) ≤ s − undershoot) of some items at their own s."""
        size = under.shape[1]
        place = np.clip(low[:, None] - np.arange(size) + size, 0, self.below.shape[1] - 1)
        return (under[rows] * self.below[rows[:, None], place]).sum(axis=1)
