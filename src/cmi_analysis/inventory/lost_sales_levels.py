"""Levels for lost sales: the least that keeps a target, or those of least cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import demand_over
from cmi_analysis.inventory.lost_sales import MOST_STATES, score_lost_sales
from cmi_analysis.inventory.pmf import check_pmf
from cmi_analysis.inventory.pmf_shortage import mean_of, shortage_at, shortage_curve
from cmi_analysis.inventory.value_checks import check_costs, check_rows


def fit_lost_sales(
    daily_pmf: ArrayLike,
    *,
    lead_time_pmf: ArrayLike,
    review_days: int = 1,
    target: ArrayLike | None = None,
    order_quantity: ArrayLike | None = None,
    order_cost: ArrayLike = 0.0,
    holding_cost: ArrayLike = 1.0,
    shortage_cost: ArrayLike | None = None,
    most_states: int = MOST_STATES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the base-stock level, or the reorder point of given batches, of each item when unmet demand is lost.

    With `target` the least level that keeps the shelf fill, by bisection: a higher base stock never loses more. With
    `shortage_cost` the level of least cost, which is convex in a base stock (Janakiraman and Roundy 2004). Both start from the
    level that would do with backorders.

    Parameters
    ----------
    daily_pmf, lead_time_pmf, review_days, order_cost, holding_cost, most_states, seed
        As in `cmi_analysis.inventory.lost_sales.score_lost_sales`.
    target : array_like, optional
        Shelf fill [fraction, 0 < target < 1].
    order_quantity : array_like, optional
        Batch Q [units]: the reorder point is found; without it the base-stock level.
    shortage_cost : array_like, optional
        Of a unit of demand lost [money]; without `target`.

    Returns
    -------
    pandas.DataFrame
        reorder_point, order_up_to_level or order_quantity [units], and what `score_lost_sales` says of them.

    Raises
    ------
    InputError
        Neither or both of `target` and `shortage_cost`; a target not between 0 and 1.

    Examples
    --------
    Demand 0 or 1 a day, back on the shelf the next day: one unit loses nothing.

    >>> fit_lost_sales([[0.5, 0.5]], lead_time_pmf=[[1.0]], target=0.99)["order_up_to_level"].tolist()
    [1.0]
    """
    daily, lead = check_pmf(daily_pmf, name="daily_pmf"), check_pmf(lead_time_pmf, name="lead_time_pmf")
    check_rows(daily_pmf=len(daily), lead_time_pmf=len(lead))
    holding, penalty, goal = _check(target, shortage_cost, holding_cost, len(daily))
    batch = None if order_quantity is None else np.broadcast_to(np.asarray(order_quantity, dtype="float64"), (len(daily),))
    parts = []
    for item in range(len(daily)):
        one = slice(item, item + 1)

        def score(low: int, *, one: slice = one, item: int = item) -> pd.DataFrame:
            policy = pd.DataFrame({"reorder_point": [float(low)]})
            policy["order_up_to_level" if batch is None else "order_quantity"] = low + 1.0 if batch is None else batch[item]
            scores = score_lost_sales(
                policy,
                daily_pmf=daily[one],
                lead_time_pmf=lead[one],
                review_days=review_days,
                order_cost=np.broadcast_to(order_cost, (len(daily),))[one],
                holding_cost=holding[one],
                shortage_cost=penalty[one],
                most_states=most_states,
                seed=seed,
            )
            return pd.concat([policy, scores], axis=1)

        start = _with_backorders(daily[one], lead[one], review_days, goal[item])
        parts.append(score(_least(score, start, float(goal[item])) if target is not None else _cheapest(score, start)))
    return pd.concat(parts, ignore_index=True)


def _check(
    target: ArrayLike | None, shortage_cost: ArrayLike | None, holding_cost: ArrayLike, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return holding cost, shortage cost and the service to start the search from."""
    if (target is None) == (shortage_cost is None):
        raise InputError(
            expected="either a target or a shortage_cost",
            found="neither" if target is None else "both",
            fix="Give the shelf fill to keep, or what a lost unit costs.",
        )
    holding, penalty = check_costs(
        count, positive={"holding_cost": holding_cost, "shortage_cost": 1.0 if shortage_cost is None else shortage_cost}
    )
    if target is None:
        return holding, penalty, penalty / (penalty + holding)
    goal = np.broadcast_to(np.asarray(target, dtype="float64"), (count,))
    if not np.all((goal > 0) & (goal < 1)):
        raise InputError(expected="targets above 0 and below 1", found=f"{goal.min()} to {goal.max()}", fix="Take 0.999 at most.")
    return holding, penalty, goal


def _with_backorders(daily: np.ndarray, lead: np.ndarray, review_days: int, goal: float) -> int:
    """Return the reorder point S − 1 of the base stock that keeps the goal with backorders."""
    over, before = demand_over(daily, lead_time_pmf=lead, days=review_days), demand_over(daily, lead_time_pmf=lead)
    level = np.arange(over.shape[1])[None, :]
    missed = shortage_at(level, curve=shortage_curve(over)) - shortage_at(level, curve=shortage_curve(before))
    allowed = (1 - goal) * (mean_of(over) - mean_of(before))
    reached = (missed <= allowed[:, None] + 1e-12)[0]
    return max(int(reached.argmax()) if reached.any() else over.shape[1] - 1, 1) - 1


def _least(score: Callable[[int], pd.DataFrame], start: int, goal: float) -> int:
    """Return the least reorder point, from 0 up, whose fill is the goal or more."""
    low, high = -1, start
    while score(high)["shelf_fill"].iloc[0] < goal - 1e-10:
        low, high = high, 2 * high + 2
    while high - low > 1:
        middle = (low + high) // 2
        if score(middle)["shelf_fill"].iloc[0] >= goal - 1e-10:
            high = middle
        else:
            low = middle
    return high


def _cheapest(score: Callable[[int], pd.DataFrame], start: int) -> int:
    """Return the reorder point from which neither neighbour is cheaper, down from the start and up again."""
    known: dict[int, float] = {}

    def cost(low: int) -> float:
        if low not in known:
            known[low] = float(score(low)["cost"].iloc[0]) if low >= 0 else np.inf
        return known[low]

    here = max(start, 0)
    while cost(here - 1) <= cost(here):
        here -= 1
    while cost(here + 1) < cost(here):
        here += 1
    return here
