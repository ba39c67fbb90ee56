"""Exact (s,S) policies under periodic review with backorders, for any stationary demand distribution."""

from __future__ import annotations

import importlib
from typing import Literal

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.pmf import check_pmf, sum_pmfs
from cmi_analysis.inventory.pmf_shortage import mean_of, shortage_curve
from cmi_analysis.inventory.position_service import Renewal, orders_per_period, position_weights, score_positions
from cmi_analysis.inventory.value_checks import check_costs, check_rows

Engine = Literal["auto", "numpy", "numba"]
TOLERANCE = 1e-11
"""Two costs nearer than this, relative to their size and the cost of holding a step, are equal."""
_CHUNK = 128


def fit_ss(
    review_pmf: ArrayLike,
    *,
    protection_pmf: ArrayLike,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    step: ArrayLike = 1.0,
    engine: Engine = "auto",
) -> pd.DataFrame:
    """Return the (s,S) policy of least long-run cost of each item.

    Order of events: orders due arrive, demand is met from stock, the rest waits; at the end of the review period, if the
    position is at or below s, it is ordered up to S; the order is on the shelf before the demand that follows its lead time, so
    it protects L + R. With the renewal density m(0) = 1/(1 − p₀), m(j) = Σ_{l=1..j} p_l·m(j − l)/(1 − p₀), M(n) = Σ_{j<n} m(j)
    and G(y) = h·E(y − D)⁺ + p·E(D − y)⁺,

    c(s, S) = [K + Σ_{j=0..S−s−1} m(j)·G(S − j)]/M(S − s)

    is least by the algorithm of Zheng and Federgruen (1991), exact for any pmf because G is convex. Their s is ours:
    order at s or below. Books that order *below* s print s + 1.

    Parameters
    ----------
    review_pmf : array_like
        Items × points: demand of one review period [fraction by grid step].
    protection_pmf : array_like
        Items × points: demand over L + R. Charging each day instead of the end of the period is the same call with the mixture of
        the demand over L + 1, …, L + R days, since G is linear in it.
    order_cost : array_like
        K of one order [money].
    holding_cost, shortage_cost : array_like
        h and p of one unit on the shelf, and one unit waiting, at the end of a review period [money/unit/period].
    step : array_like
        Units of one grid step.
    engine : {"auto", "numpy", "numba"}
        ``auto`` takes numba where it can be imported (extra ``fast``); both find the same policy.

    Returns
    -------
    pandas.DataFrame
        One row an item: reorder_point s, order_up_to_level S [units], cost [money/period], orders_per_period [count], method
        (``exact``, or ``no_demand``: nothing is ordered).

    Raises
    ------
    InputError
        Chances that do not sum to 1, a holding or shortage cost not above zero, an order cost below zero.

    Examples
    --------
    Zheng and Federgruen (1991), table 1: Poisson demand of mean 10, K = 64, h = 1, p = 9: s = 6, S = 40, cost 35.022.

    >>> from cmi_analysis.inventory.demand_pmf import fit_pmf
    >>> demand, _ = fit_pmf([10.0], points=60)
    >>> policy = fit_ss(demand, protection_pmf=demand, order_cost=64, holding_cost=1, shortage_cost=9)
    >>> policy[["reorder_point", "order_up_to_level", "cost"]].round(3).iloc[0].tolist()
    [6.0, 40.0, 35.022]
    """
    review, protection = _two_pmfs(review_pmf, protection_pmf)
    units = _check_step(step, len(review))
    holding, shortage, order = check_costs(
        len(review),
        positive={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost},
    )
    active = 1.0 - review[:, 0] > 1e-12
    reorder, top = np.full(len(review), -1, dtype="int64"), np.zeros(len(review), dtype="int64")
    cost, orders = np.zeros((2, len(review)))
    if active.any():
        found = _solve(
            review[active], protection[active], order[active], (holding * units)[active], (shortage * units)[active], engine
        )
        reorder[active], top[active], cost[active], orders[active] = found
    return pd.DataFrame(
        {
            "reorder_point": np.where(active, reorder * units, -1.0),
            "order_up_to_level": top * units,
            "cost": cost,
            "orders_per_period": orders,
            "method": np.where(active, "exact", "no_demand"),
        }
    )


def has_numba() -> bool:
    """Return whether the optional extra ``fast`` (numba) can be imported."""
    try:
        importlib.import_module("numba")
    except ImportError:
        return False
    return True


def _two_pmfs(review_pmf: ArrayLike, protection_pmf: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    review, protection = check_pmf(review_pmf, name="review_pmf"), check_pmf(protection_pmf, name="protection_pmf")
    check_rows(review_pmf=len(review), protection_pmf=len(protection))
    return review, protection


def _check_step(step: ArrayLike, count: int) -> np.ndarray:
    return check_costs(count, positive={"step": step})[0]


def _solve(
    review: np.ndarray,
    protection: np.ndarray,
    order: np.ndarray,
    holding: np.ndarray,
    shortage: np.ndarray,
    engine: Engine,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return s, S, cost and orders a period, items sorted by the batch that a certain demand would have."""
    if engine == "numba" or (engine == "auto" and has_numba()):
        from cmi_analysis.inventory.ss_fast import solve_ss

        return solve_ss(review, protection, order, holding, shortage)
    span = np.sqrt(2 * order * mean_of(review) * (holding + shortage) / (holding * shortage))
    reorder, top = np.zeros((2, len(review)), dtype="int64")
    cost, orders = np.zeros((2, len(review)))
    rank = np.argsort(span, kind="stable")
    while len(rank):
        widest = 4 * span[rank[min(_CHUNK, len(rank)) - 1]] + protection.shape[1]
        rows = rank[: max(1, min(_CHUNK, int(2e6 / widest)))]
        search = _Search(review[rows], protection[rows], order[rows], holding[rows], shortage[rows])
        reorder[rows], top[rows], cost[rows], orders[rows] = search.run()
        rank = rank[len(rows) :]
    return reorder, top, cost, orders


class _Search:
    """The search of Zheng and Federgruen over many items at once.

    Their lemma: S costs less than the best so far with some s if and only if it does with the present s. So for the present s the
    costs of all S are taken at once, as one convolution of m and G, the cheapest S is kept, s is raised to what suits it, and so
    on until no S improves.
    """

    def __init__(
        self, review: np.ndarray, protection: np.ndarray, order: np.ndarray, holding: np.ndarray, shortage: np.ndarray
    ) -> None:
        self.renewal = Renewal(review)
        self.order, self.holding, self.both = order, holding, holding + shortage
        self.mean, self.curve = mean_of(protection), shortage_curve(protection)
        reached = protection.cumsum(axis=1) >= (shortage / self.both)[:, None] - 1e-12
        last = protection.shape[1] - 1
        self.top = np.where(reached.any(axis=1), reached.argmax(axis=1), last).astype("int64")
        self.start, self.low = self.top.copy(), self.top.copy()
        self.size, self.wave = 0, np.zeros((len(review), 0))
        self.sum = np.zeros(len(review))
        self.best = np.zeros(len(review))

    def near(self, rows: np.ndarray, cost: np.ndarray) -> np.ndarray:
        """Return how far apart two costs may be and still count as equal."""
        return TOLERANCE * (self.holding[rows] + np.abs(cost))

    def period_cost(self, level: np.ndarray) -> np.ndarray:
        """Return G at whole levels, items × levels."""
        return self.cost_of(np.arange(len(level)), level)

    def cost_of(self, rows: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Return G of some items at whole levels, rows × levels."""
        place = np.clip(level, 0, self.curve.shape[1] - 1)
        short = self.curve[rows[:, None], place] - np.minimum(level, 0)
        return self.holding[rows, None] * (level - self.mean[rows, None]) + self.both[rows, None] * short

    def descend(self) -> None:
        """Lower s from S₀, the least point of G, to the first level where c(s, S₀) ≤ G(s)."""
        going, steps = np.arange(len(self.top)), 0
        while len(going):
            steps += 1
            self.renewal.extend(steps)
            self.sum[going] += (
                self.renewal.density[going, steps - 1] * self.cost_of(going, self.top[going, None] - steps + 1)[:, 0]
            )
            self.low[going] = self.top[going] - steps
            cost = (self.order[going] + self.sum[going]) / self.renewal.total[going, steps]
            self.best[going] = cost
            at_low = self.cost_of(going, self.low[going, None])[:, 0]
            going = going[cost > at_low + self.near(going, cost)]

    def raise_low(self, rows: np.ndarray) -> None:
        """Raise s while c(s, S) ≤ G(s + 1): each step lowers the cost."""
        while len(rows):
            above = self.cost_of(rows, self.low[rows, None] + 1)[:, 0]
            length = self.top[rows] - self.low[rows]
            gain = (length > 1) & (self.best[rows] <= above + self.near(rows, above))
            rows, above, length = rows[gain], above[gain], length[gain]
            self.sum[rows] -= self.renewal.density[rows, length - 1] * above
            self.low[rows] += 1
            self.best[rows] = (self.order[rows] + self.sum[rows]) / self.renewal.total[rows, length - 1]

    def sweep(self, rows: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Return c(s, S) of some items at S = s + 1, s + 2, …; infinite outside S₀ … reach."""
        longest = int((reach - self.low[rows]).max())
        self.renewal.extend(longest)
        size = scipy.fft.next_fast_len(2 * longest, real=True)
        if self.size != size:
            self.size, self.wave = size, np.fft.rfft(self.renewal.density[:, :longest], size, axis=1)
        place = np.arange(1, longest + 1)
        costs = self.cost_of(rows, self.low[rows, None] + place)
        total = np.fft.irfft(self.wave[rows] * np.fft.rfft(costs, size, axis=1), size, axis=1)[:, :longest]
        level = self.low[rows, None] + place
        inside = (level >= self.start[rows, None]) & (level <= reach[:, None])
        return np.where(inside, (self.order[rows, None] + total) / self.renewal.total[rows, 1 : longest + 1], np.inf)

    def evaluate(self) -> tuple[np.ndarray, np.ndarray]:
        """Return Σ m(j)·G(S − j) and c(s, S) of each item, summed term by term."""
        length = self.top - self.low
        back = np.arange(int(length.max()))
        density = np.where(back < length[:, None], self.renewal.density[:, : len(back)], 0.0)
        total = (density * self.period_cost(self.top[:, None] - back)).sum(axis=1)
        return total, (self.order + total) / self.renewal.total[np.arange(len(length)), length]

    def run(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return s, S, cost and orders a period."""
        self.descend()
        going = np.arange(len(self.top))
        while len(going):
            # G(S) ≥ h·(S − μ), so beyond this no S can cost less
            reach = np.floor(self.best[going] / self.holding[going] + self.mean[going]).astype("int64") + 1
            costs = self.sweep(going, np.maximum(reach, self.top[going]))
            least = costs.min(axis=1)
            near = costs <= (least + self.near(going, least))[:, None]
            better = least < self.best[going] - self.near(going, least)
            going = going[better]
            self.top[going] = self.low[going] + 1 + near[better].argmax(axis=1)
            if len(going):
                self.sum, self.best = self.evaluate()
                self.raise_low(going)
        _, cost = self.evaluate()
        return self.low, self.top, cost, 1.0 / self.renewal.total[np.arange(len(self.top)), self.top - self.low]


def score_ss(
    policy: pd.DataFrame,
    *,
    review_pmf: ArrayLike,
    lead_pmf: ArrayLike,
    protection_pmf: ArrayLike | None = None,
    order_cost: ArrayLike = 0.0,
    holding_cost: ArrayLike = 1.0,
    shortage_cost: ArrayLike = 1.0,
    step: ArrayLike = 1.0,
) -> pd.DataFrame:
    """Return what (s,S) policies cost and which service they keep, exactly.

    The position just after a review is S − j with chance m(j)/M(S − s). Given it is y, a period ends with n_{D(L+R)}(y) waiting
    and starts with n_{D(L)}(y); the difference is what the period's demand missed. A cycle is served if the demand over the lead
    time does not exceed the position just before its order.

    Parameters
    ----------
    policy : pandas.DataFrame
        reorder_point, order_up_to_level [units], whole grid steps, S above s.
    review_pmf, lead_pmf : array_like
        Items × points: demand of one review period, and over the lead time alone.
    protection_pmf : array_like, optional
        Demand over L + R; without it the sum of the two.
    order_cost, holding_cost, shortage_cost, step
        As in `fit_ss`.

    Returns
    -------
    pandas.DataFrame
        cost [money/period], shelf_fill, cycle_service, ready_rate (periods that end without backlog) [fraction], mean_stock,
        mean_backlog (at the end of a period) [units], orders_per_period [count], mean_order [units].

    Examples
    --------
    One unit of demand a period, no lead time, s = 0, S = 2: orders every second period, ends with 1 and 0 in stock in turn.

    >>> policy = pd.DataFrame({"reorder_point": [0.0], "order_up_to_level": [2.0]})
    >>> one = score_ss(policy, review_pmf=[[0.0, 1.0]], lead_pmf=[[1.0]], order_cost=3.0)
    >>> one[["cost", "shelf_fill", "mean_stock", "orders_per_period"]].iloc[0].tolist()
    [2.0, 1.0, 0.5, 0.5]
    """
    review, lead = check_pmf(review_pmf, name="review_pmf"), check_pmf(lead_pmf, name="lead_pmf")
    check_rows(policy=len(policy), review_pmf=len(review), lead_pmf=len(lead))
    units = _check_step(step, len(review))
    holding, shortage, order = check_costs(
        len(review),
        positive={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost},
    )
    top = np.round(policy["order_up_to_level"].to_numpy(dtype="float64") / units).astype("int64")
    low = np.round(policy["reorder_point"].to_numpy(dtype="float64") / units).astype("int64")
    if np.any(top <= low):
        raise InputError(expected="S above s", found=f"s = {low.max()}, S = {top.min()}", fix="Order up to a level above s.")
    protection = sum_pmfs(review, lead) if protection_pmf is None else check_pmf(protection_pmf, name="protection_pmf")
    weights = position_weights(review, length=top - low)
    scores = score_positions(top, weights, trigger=low, review=review, lead=lead, protection=protection)
    scores["orders_per_period"] = orders_per_period(review, length=top - low)
    cost = order * scores["orders_per_period"] + units * (holding * scores["mean_stock"] + shortage * scores["mean_backlog"])
    scores.insert(0, "cost", cost)
    per_order = np.where(scores["orders_per_period"] > 0, scores["orders_per_period"], 1.0)
    scores["mean_order"] = mean_of(review) / per_order * units
    scores["mean_stock"], scores["mean_backlog"] = scores["mean_stock"] * units, scores["mean_backlog"] * units
    return scores
