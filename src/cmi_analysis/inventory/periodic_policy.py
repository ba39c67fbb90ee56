"""Base stock, one-for-one and periodic review policies, and the review period of least cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import demand_over, trim
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.pmf import check_pmf
from cmi_analysis.inventory.pmf_shortage import mean_of, shortage_at, shortage_curve
from cmi_analysis.inventory.rq_policy import fit_rq, score_rq
from cmi_analysis.inventory.ss_policy import fit_ss, score_ss
from cmi_analysis.inventory.value_checks import check_costs, check_rows

Policy = Literal["base_stock", "ss", "rq"]


def grid_pmf(demand: LeadTimeDemand) -> tuple[np.ndarray, np.ndarray]:
    """Return the chances of a lead-time demand by whole grid steps, and the units of a step.

    Parameters
    ----------
    demand : LeadTimeDemand
        On an even grid from 0.

    Raises
    ------
    InputError
        The grid does not start at 0 or is not even, as with samples.

    Examples
    --------
    >>> pmf, step = grid_pmf(LeadTimeDemand(np.array([[0.0, 2.0, 4.0]]), np.array([[0.5, 0.25, 0.25]])))
    >>> pmf.tolist(), step.tolist()
    ([[0.5, 0.25, 0.25]], [2.0])
    """
    if demand.values.shape[1] < 2:
        return demand.probabilities, np.ones(len(demand.values))
    step = demand.values[:, 1] - demand.values[:, 0]
    even = step[:, None] * np.arange(demand.values.shape[1])
    if np.any(step <= 0) or not np.allclose(demand.values, even, rtol=1e-9, atol=1e-9):
        raise InputError(
            expected="a lead-time demand on an even grid from 0",
            found="uneven points, such as samples",
            fix="Take fit_lead_time_demand, or count the samples on a grid first.",
        )
    return demand.probabilities, step


def fit_base_stock(
    protection_pmf: ArrayLike, *, holding_cost: ArrayLike, shortage_cost: ArrayLike, step: ArrayLike = 1.0
) -> pd.DataFrame:
    """Return the base-stock level of least holding and shortage cost of each item.

    The least S with P(D ≤ S) ≥ p/(p + h), D over L + R under periodic review (Snyder and Shen 2019, section 4.3), over the lead
    time under continuous review, where each unit of demand orders one: (S − 1, S). There is no cost of an order.

    Parameters
    ----------
    protection_pmf : array_like
        Items × points [fraction by grid step].
    holding_cost, shortage_cost : array_like
        h and p of one unit on the shelf and one waiting [money/unit/period].
    step : array_like
        Units of one grid step.

    Returns
    -------
    pandas.DataFrame
        order_up_to_level [units], cost [money/period], ready_rate (P(D ≤ S)) [fraction], method (``exact`` or ``no_demand``).

    Examples
    --------
    Demand 0, 1, 2 or 3 with equal chance, p = h: one unit covers half. It costs 1/4 of holding and 3/4 of shortage.

    >>> fit_base_stock([[0.25] * 4], holding_cost=1, shortage_cost=1)[["order_up_to_level", "cost"]].iloc[0].tolist()
    [1.0, 1.0]
    """
    pmf = check_pmf(protection_pmf, name="protection_pmf")
    units, holding, shortage = check_costs(
        len(pmf), positive={"step": step, "holding_cost": holding_cost, "shortage_cost": shortage_cost}
    )
    reached = pmf.cumsum(axis=1) >= (shortage / (holding + shortage))[:, None] - 1e-12
    level = np.where(reached.any(axis=1), reached.argmax(axis=1), pmf.shape[1] - 1)
    short = shortage_at(level[:, None], curve=shortage_curve(pmf))[:, 0]
    active = mean_of(pmf) > 1e-12
    return pd.DataFrame(
        {
            "order_up_to_level": np.where(active, level * units, 0.0),
            "cost": np.where(active, units * (holding * (level - mean_of(pmf) + short) + shortage * short), 0.0),
            "ready_rate": np.minimum(pmf.cumsum(axis=1)[np.arange(len(pmf)), level], 1.0),
            "method": np.where(active, "exact", "no_demand"),
        }
    )


def score_review_periods(
    daily_pmf: ArrayLike,
    *,
    lead_time_pmf: ArrayLike,
    review_days: Sequence[int],
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    review_cost: ArrayLike = 0.0,
    policy: Policy = "base_stock",
) -> pd.DataFrame:
    """Return the best policy of each item at each review period, and mark the review period of least cost.

    Every period of the list is solved exactly: the levels of least cost, holding and shortage charged at the end of each day, so
    that long and short review periods compare. Just in time is the short end of the list: it is chosen where orders and reviews
    cost little.

    Parameters
    ----------
    daily_pmf : array_like
        Items × points: demand of one day, independent from day to day [fraction].
    lead_time_pmf : array_like
        Items × (0 … longest lead time in days), orders arriving in turn [fraction].
    review_days : sequence of int
        Candidates for R [days].
    order_cost, review_cost : array_like
        Of an order, and of a review whether or not it orders [money].
    holding_cost, shortage_cost : array_like
        Of one unit on the shelf, or waiting, for a day [money/unit/day].
    policy : {"base_stock", "ss", "rq"}
        (R,S), (R,s,S), or batches (R,r,nQ).

    Returns
    -------
    pandas.DataFrame
        One row an item and candidate: item (its place), review_days, reorder_point, order_up_to_level (r + Q with ``rq``)
        [units], cost [money/day], shelf_fill, cycle_service [fraction], mean_stock (at the end of a review
        period, before orders arrive) [units], orders_per_day [count], method, chosen (bool: least cost, the shorter of equals).

    Raises
    ------
    InputError
        A candidate is not a whole number of days from 1 up.

    Examples
    --------
    Certain demand of 1 a day from stock, K = 8, h = 1: every fourth day is best, as the economic order quantity says.

    >>> table = score_review_periods([[0.0, 1.0]], lead_time_pmf=[[1.0]], review_days=[1, 2, 4, 8], order_cost=8,
    ...     holding_cost=1, shortage_cost=1000)
    >>> table.loc[table["chosen"], ["review_days", "order_up_to_level", "cost"]].iloc[0].tolist()
    [4.0, 4.0, 3.5]
    """
    daily, lead = check_pmf(daily_pmf, name="daily_pmf"), check_pmf(lead_time_pmf, name="lead_time_pmf")
    check_rows(daily_pmf=len(daily), lead_time_pmf=len(lead))
    candidates = sorted({int(days) for days in review_days})
    if not candidates or candidates[0] < 1 or any(days != int(days) for days in review_days):
        raise InputError(
            expected="review periods of one or more whole days", found=f"{list(review_days)}", fix="Give such as [1, 7, 14]."
        )
    holding, shortage, order, review = check_costs(
        len(daily),
        positive={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost, "review_cost": review_cost},
    )
    parts = []
    for days in candidates:
        rows = _at(daily, lead, days, order, holding, shortage, policy)
        parts.append(rows.assign(cost=rows["cost"] + review / days, item=np.arange(len(daily)), review_days=days))
    table = pd.concat(parts, ignore_index=True).sort_values(["item", "review_days"], kind="stable").reset_index(drop=True)
    least = table.groupby("item")["cost"].transform("min")
    near = table["cost"] <= least * (1 + 1e-11) + 1e-12
    table["chosen"] = near & (near.groupby(table["item"]).cumsum() == 1)
    front = ["item", "review_days", "reorder_point", "order_up_to_level", "cost", "shelf_fill", "cycle_service"]
    return table[[*front, "mean_stock", "orders_per_day", "method", "chosen"]]


def _at(
    daily: np.ndarray,
    lead: np.ndarray,
    days: int,
    order: np.ndarray,
    holding: np.ndarray,
    shortage: np.ndarray,
    policy: Policy,
) -> pd.DataFrame:
    """Return each item's best policy at one review period, cost a day without the review's own."""
    none = np.ones((len(daily), 1))
    review, start = demand_over(daily, lead_time_pmf=none, days=days), demand_over(daily, lead_time_pmf=lead)
    ends = [demand_over(daily, lead_time_pmf=lead, days=day) for day in range(1, days + 1)]
    mixture = np.zeros((len(daily), max(end.shape[1] for end in ends)))
    for end in ends:
        mixture[:, : end.shape[1]] += end / days
    costs = {"order_cost": order, "holding_cost": holding * days, "shortage_cost": shortage * days}
    known = {"review_pmf": review, "lead_pmf": start, "protection_pmf": ends[-1]}
    if policy == "rq":
        found = fit_rq(trim(mixture), review_pmf=review, **costs)
        scored = found.assign(order_quantity=found["order_quantity"].clip(lower=1))
        service = score_rq(scored, **known)
        top = found["reorder_point"] + found["order_quantity"]
    elif policy == "ss":
        found = fit_ss(review, protection_pmf=trim(mixture), **costs)
        service, top = score_ss(found, **known), found["order_up_to_level"]
    else:
        level = fit_base_stock(trim(mixture), holding_cost=holding, shortage_cost=shortage)
        found = level.assign(reorder_point=level["order_up_to_level"] - 1)
        service, top = score_ss(found, **known), found["order_up_to_level"]
        found["cost"] = found["cost"] * days + order * service["orders_per_period"]
        found["orders_per_period"] = service["orders_per_period"]
    return pd.DataFrame(
        {
            "reorder_point": found["reorder_point"],
            "order_up_to_level": top,
            "cost": found["cost"] / days,
            "shelf_fill": service["shelf_fill"],
            "cycle_service": service["cycle_service"],
            "mean_stock": service["mean_stock"],
            "orders_per_day": found["orders_per_period"] / days,
            "method": found["method"],
        }
    )
