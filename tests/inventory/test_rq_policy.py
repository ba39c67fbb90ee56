"""Exact (r,Q) and (r,nQ) policies against loops over all pairs and a plain simulation with batches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import demand_over, fit_pmf
from cmi_analysis.inventory.pmf import sum_pmfs
from cmi_analysis.inventory.rq_policy import fit_rq, fit_rq_service, score_rq, score_rq_continuous

REVIEW, LEAD = fit_pmf([3.0], variance=[7.0], points=50)[0], fit_pmf([6.0], variance=[14.0], points=90)[0]
COSTS = {"order_cost": 20.0, "holding_cost": 1.0, "shortage_cost": 9.0}


def all_pairs(cost_of) -> dict[tuple[int, int], float]:  # type: ignore[no-untyped-def]
    return {(low, size): cost_of(low, size) for low in range(-8, 25) for size in range(1, 30)}


def test_no_pair_is_cheaper_under_periodic_review() -> None:
    protection = sum_pmfs(REVIEW, LEAD)
    found = fit_rq(protection, review_pmf=REVIEW, **COSTS).iloc[0]

    def cost_of(low: int, size: int) -> float:
        held = sum(
            chance * (max(level - demand, 0) + 9 * max(demand - level, 0))
            for level in range(low + 1, low + size + 1)
            for demand, chance in enumerate(protection[0])
        )
        orders = sum(chance * min(demand, size) for demand, chance in enumerate(REVIEW[0])) / size
        return held / size + 20 * orders

    chosen = (int(found["reorder_point"]), int(found["order_quantity"]))
    near = {(low, size): cost_of(low, size) for low in range(chosen[0] - 4, chosen[0] + 5) for size in range(6, 24)}
    assert found["cost"] == pytest.approx(near[chosen])
    assert near[chosen] == min(near.values())


def test_no_pair_is_cheaper_under_continuous_review() -> None:
    found = fit_rq(LEAD, demand_rate=3.0, **COSTS).iloc[0]
    policy = pd.DataFrame(
        [(low, size) for low in range(-8, 25) for size in range(1, 30)], columns=["reorder_point", "order_quantity"]
    )
    scores = score_rq_continuous(policy, lead_pmf=np.repeat(LEAD, len(policy), 0), customer_rate=3.0, **COSTS)
    assert found["cost"] == pytest.approx(scores["cost"].min())


def test_an_agreed_quantity_leaves_only_the_reorder_point() -> None:
    policy = fit_rq(LEAD, demand_rate=3.0, order_quantity=25, **COSTS).iloc[0]
    pairs = pd.DataFrame({"reorder_point": np.arange(-20.0, 20.0), "order_quantity": 25.0})
    scores = score_rq_continuous(pairs, lead_pmf=np.repeat(LEAD, 40, 0), customer_rate=3.0, **COSTS)
    assert policy["order_quantity"] == 25
    assert policy["reorder_point"] == pairs["reorder_point"][scores["cost"].argmin()]


def test_batches_come_in_whole_packs() -> None:
    free, packed = (fit_rq(LEAD, demand_rate=3.0, order_multiple=pack, **COSTS).iloc[0] for pack in (1, 12))
    assert packed["order_quantity"] == 12
    assert free["order_quantity"] % 12 != 0
    assert packed["cost"] >= free["cost"]


def test_no_order_cost_makes_batches_of_one() -> None:
    found = fit_rq(LEAD, demand_rate=3.0, order_cost=0.0, holding_cost=1.0, shortage_cost=9.0).iloc[0]
    assert found["order_quantity"] == 1
    assert found["reorder_point"] + 1 == (LEAD[0].cumsum() >= 0.9).argmax()


def test_items_do_not_see_each_other() -> None:
    lead, _ = fit_pmf(np.linspace(0.2, 30, 40), points=90)
    order = np.linspace(0, 90, 40)
    together = fit_rq(lead, demand_rate=5.0, order_cost=order, holding_cost=1.0, shortage_cost=9.0)
    for item in (0, 13, 39):
        one = fit_rq(lead[[item]], demand_rate=5.0, order_cost=order[item], holding_cost=1.0, shortage_cost=9.0)
        pd.testing.assert_frame_equal(one, together.iloc[[item]].reset_index(drop=True))


def simulated_fill(review: np.ndarray, low: int, size: int, days: int, count: int = 300_000) -> float:
    """Return the fill of (r,nQ) under daily review, lead time `days`, with loops."""
    drawn = np.random.default_rng(7).choice(len(review), size=count, p=review)
    stock = position = low + size
    coming, missed = [0] * (days + 1), 0
    for wanted in drawn.tolist():
        stock += coming.pop(0)
        missed += min(wanted, max(wanted - max(stock, 0), 0))
        stock, position = stock - wanted, position - wanted
        order = -(-(low + 1 - position) // size) * size if position <= low else 0
        position += order
        coming.append(order)
    return 1 - missed / drawn.sum()


def test_the_fill_of_a_batched_demand_is_the_simulated_one() -> None:
    # a customer now and then takes 1 … 20: the unit-demand formula would promise far more
    review = np.zeros(21)
    review[0], review[1], review[7], review[20] = 0.7, 0.1, 0.1, 0.1
    lead = demand_over(review[None, :], lead_time_pmf=np.array([[0, 0, 0, 1.0]]))
    policy = pd.DataFrame({"reorder_point": [14.0], "order_quantity": [30.0]})
    exact = score_rq(policy, review_pmf=review[None, :], lead_pmf=lead)["shelf_fill"].iloc[0]
    assert exact == pytest.approx(simulated_fill(review, 14, 30, 3), abs=0.005)
    unit_demand = 1 - sum(chance * (max(d - 14, 0) - max(d - 44, 0)) for d, chance in enumerate(lead[0])) / 30
    assert unit_demand - exact > 0.05


def test_the_least_reorder_point_keeps_the_target_and_one_less_does_not() -> None:
    found = fit_rq_service(REVIEW, lead_pmf=LEAD, order_quantity=10, target=0.95)
    less = found.assign(reorder_point=found["reorder_point"] - 1)
    kept, missed = (score_rq(policy, review_pmf=REVIEW, lead_pmf=LEAD)["shelf_fill"].iloc[0] for policy in (found, less))
    assert found["shelf_fill"].iloc[0] == pytest.approx(kept)
    assert missed < 0.95 <= kept


def test_a_low_target_goes_below_zero() -> None:
    found = fit_rq_service(REVIEW, lead_pmf=[[1.0]], order_quantity=40, target=0.3).iloc[0]
    assert found["reorder_point"] < -1
    assert found["shelf_fill"] >= 0.3


def test_cycle_service_counts_the_undershoot() -> None:
    # demand 5 at a time, none over the lead time but the trigger's own: r = 4 always ends its cycles at 0 or more
    review = np.eye(6)[[5]]
    policy = pd.DataFrame({"reorder_point": [4.0, 3.0], "order_quantity": [7.0, 7.0]})
    scores = score_rq(policy, review_pmf=np.repeat(review, 2, 0), lead_pmf=[[1.0], [1.0]])
    assert scores["cycle_service"].tolist() == [1.0, pytest.approx(0.8)]


def test_no_demand_is_labelled() -> None:
    assert fit_rq([[1.0, 0.0]], demand_rate=0.0, **COSTS).iloc[0].tolist() == [-1, 0, 0, 0, "no_demand"]
    assert fit_rq([[1.0, 0.0]], review_pmf=[[1.0]], **COSTS).iloc[0].tolist() == [-1, 0, 0, 0, "no_demand"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "either demand_rate"),
        ({"demand_rate": 3.0, "review_pmf": REVIEW}, "either demand_rate"),
        ({"demand_rate": -3.0}, "demand_rate of zero or more"),
        ({"demand_rate": 3.0, "holding_cost": 0.0}, "holding_cost above zero"),
        ({"demand_rate": 3.0, "order_quantity": 0}, "whole order_quantity"),
        ({"demand_rate": 3.0, "order_multiple": 2.5}, "whole order_multiple"),
    ],
)
def test_bad_input_is_told(change: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit_rq(LEAD, **{**COSTS, **change})


@pytest.mark.parametrize("target", [0.0, 1.0, np.nan])
def test_targets_that_no_stock_keeps_are_told(target: float) -> None:
    with pytest.raises(InputError, match="above 0 and below 1"):
        fit_rq_service(REVIEW, lead_pmf=LEAD, order_quantity=10, target=target)
