"""Exact (s,S) policies against a plain loop over all pairs, against the Markov chain itself, and at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import fit_pmf
from cmi_analysis.inventory.pmf import sum_pmfs
from cmi_analysis.inventory.ss_policy import fit_ss, score_ss

COSTS = {"order_cost": 20.0, "holding_cost": 1.0, "shortage_cost": 9.0}


def random_pmfs(items: int, points: int, seed: int) -> np.ndarray:
    """Return ragged distributions with gaps: many points have no chance."""
    random = np.random.default_rng(seed)
    pmf = random.random((items, points)) * (random.random((items, points)) < 0.6)
    pmf[:, 1] += 0.1
    return pmf / pmf.sum(axis=1, keepdims=True)


def chain_cost(
    low: int, top: int, review: np.ndarray, protection: np.ndarray, order: float, holding: float, shortage: float
) -> float:
    """Return the long-run cost by the stationary distribution of the position, with loops."""
    size = top - low
    moves = np.zeros((size, size))
    orders = np.zeros(size)
    for place in range(size):
        for demand, chance in enumerate(review):
            end = place + demand
            moves[place, end if end < size else 0] += chance
            orders[place] += chance if end >= size else 0.0
    system = np.vstack([moves.T - np.eye(size), np.ones(size)])
    share = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    total = 0.0
    for place in range(size):
        period = sum(
            chance * (holding * max(top - place - demand, 0) + shortage * max(demand - top + place, 0))
            for demand, chance in enumerate(protection)
        )
        total += share[place] * (period + order * orders[place])
    return total


def test_no_pair_of_levels_is_cheaper_for_any_pmf() -> None:
    review, protection = random_pmfs(6, 5, seed=1), random_pmfs(6, 12, seed=2)
    order, shortage = np.array([0.0, 1.0, 5.0, 20.0, 60.0, 8.0]), np.array([9.0, 4.0, 30.0, 2.0, 9.0, 1.0])
    found = fit_ss(review, protection_pmf=protection, order_cost=order, holding_cost=1.0, shortage_cost=shortage, engine="numpy")
    for item in range(6):
        costs = {
            (low, top): chain_cost(low, top, review[item], protection[item], order[item], 1.0, shortage[item])
            for low in range(-8, 12)
            for top in range(max(low + 1, 0), 24)
        }
        levels = (int(found["reorder_point"][item]), int(found["order_up_to_level"][item]))
        assert found["cost"][item] == pytest.approx(costs[levels], abs=1e-8)
        assert costs[levels] <= min(costs.values()) + 1e-8


def test_no_order_cost_makes_the_newsvendors_base_stock() -> None:
    demand, _ = fit_pmf([3.0, 12.0], variance=[7.0, 12.0], points=90)
    found = fit_ss(demand, protection_pmf=demand, order_cost=0.0, holding_cost=1.0, shortage_cost=9.0)
    level = (demand.cumsum(axis=1) >= 0.9).argmax(axis=1)
    assert found["order_up_to_level"].tolist() == level.tolist()
    assert found["reorder_point"].tolist() == (level - 1).tolist()


def test_certain_demand_is_the_lot_size_that_a_loop_finds() -> None:
    demand = np.zeros((1, 4))
    demand[0, 3] = 1.0
    found = fit_ss(demand, protection_pmf=demand, order_cost=30.0, holding_cost=1.0, shortage_cost=1000.0).iloc[0]
    # n periods a lot of 3·n: K/n + 3·h·(n − 1)/2
    assert found["cost"] == pytest.approx(min(30 / n + 3 * (n - 1) / 2 for n in range(1, 20)))


def test_a_dear_shortage_holds_all_that_can_be_demanded() -> None:
    demand, _ = fit_pmf([4.0], points=30)
    found = fit_ss(demand, protection_pmf=demand, order_cost=1.0, holding_cost=1.0, shortage_cost=1e12).iloc[0]
    assert found["reorder_point"] >= 20
    assert np.isfinite(found["cost"])


def test_a_tiny_demand_is_ordered_one_at_a_time() -> None:
    demand = np.array([[1 - 1e-4, 1e-4]])
    found = fit_ss(demand, protection_pmf=demand, order_cost=5.0, holding_cost=1.0, shortage_cost=50.0).iloc[0]
    # with a unit on the shelf: h; without: p·10⁻⁴ and K·10⁻⁴ for each unit that comes late or not
    assert found["cost"] < 0.01
    assert found["order_up_to_level"] <= 1


@pytest.mark.parametrize("money", [1e-9, 1e6])
def test_the_currency_does_not_change_the_policy(money: float) -> None:
    demand, _ = fit_pmf([3.0, 20.0], variance=[7.0, 30.0], points=90)
    one = fit_ss(demand, protection_pmf=demand, **COSTS)
    other = fit_ss(demand, protection_pmf=demand, **{name: cost * money for name, cost in COSTS.items()})
    assert other["reorder_point"].equals(one["reorder_point"])
    assert other["order_up_to_level"].equals(one["order_up_to_level"])
    assert other["cost"].to_numpy() == pytest.approx(one["cost"].to_numpy() * money)


def test_one_demand_in_a_billion_periods_is_ordered_when_it_comes() -> None:
    demand = np.array([[1 - 1e-9, 1e-9]])
    found = fit_ss(demand, protection_pmf=demand, order_cost=5.0, holding_cost=1.0, shortage_cost=50.0).iloc[0]
    assert (found["reorder_point"], found["order_up_to_level"]) == (-1, 0)
    assert found["cost"] == pytest.approx(55e-9)


def test_a_large_batch_is_the_economic_order_quantity() -> None:
    demand, _ = fit_pmf([5.0], points=40)
    found = fit_ss(demand, protection_pmf=demand, order_cost=1e4, holding_cost=1.0, shortage_cost=1e4, engine="numpy").iloc[0]
    assert found["order_up_to_level"] - found["reorder_point"] == pytest.approx((2 * 1e4 * 5) ** 0.5, rel=0.02)


def test_no_demand_orders_nothing_and_says_so() -> None:
    demand = np.array([[1.0, 0.0], [0.5, 0.5]])
    found = fit_ss(demand, protection_pmf=demand, **COSTS)
    assert found["method"].tolist() == ["no_demand", "exact"]
    assert found.iloc[0][["reorder_point", "order_up_to_level", "cost", "orders_per_period"]].tolist() == [-1, 0, 0, 0]
    assert not found.isna().any(axis=None)


def test_larger_grid_steps_scale_levels_and_cost() -> None:
    demand, _ = fit_pmf([6.0], points=60)
    one = fit_ss(demand, protection_pmf=demand, **COSTS).iloc[0]
    ten = fit_ss(demand, protection_pmf=demand, order_cost=20.0, holding_cost=0.1, shortage_cost=0.9, step=10.0).iloc[0]
    assert ten["order_up_to_level"] == 10 * one["order_up_to_level"]
    assert ten["cost"] == pytest.approx(one["cost"])


def test_items_do_not_see_each_other() -> None:
    demand, _ = fit_pmf(np.geomspace(0.2, 60, 150), points=150)
    order = np.linspace(0, 300, 150)
    together = fit_ss(demand, protection_pmf=demand, order_cost=order, holding_cost=1.0, shortage_cost=9.0, engine="numpy")
    for item in (0, 17, 80, 149):
        one = slice(item, item + 1)
        alone = fit_ss(demand[one], protection_pmf=demand[one], order_cost=order[item], holding_cost=1.0, shortage_cost=9.0)
        pd.testing.assert_frame_equal(alone, together.iloc[one].reset_index(drop=True), rtol=1e-9)


def test_inputs_stay_as_they_were() -> None:
    demand, _ = fit_pmf([3.0], points=30)
    before = demand.copy()
    fit_ss(demand, protection_pmf=demand, **COSTS)
    assert np.array_equal(demand, before)


def test_scores_are_those_of_a_plain_simulation() -> None:
    demand, _ = fit_pmf([3.0], variance=[7.0], points=50)
    lead = sum_pmfs(demand, demand)
    policy = pd.DataFrame({"reorder_point": [8.0], "order_up_to_level": [20.0]})
    scores = score_ss(policy, review_pmf=demand, lead_pmf=lead, **COSTS).iloc[0]
    drawn = np.random.default_rng(5).choice(50, size=300_000, p=demand[0])
    stock, position, coming, missed, orders, held, waited, served = 20, 20, [0, 0, 0], 0, 0, 0, 0, 0
    for wanted in drawn.tolist():
        arrived = coming.pop(0)
        served += arrived > 0 and stock >= 0
        stock += arrived
        missed += min(wanted, max(wanted - max(stock, 0), 0))
        stock, position = stock - wanted, position - wanted
        held, waited = held + max(stock, 0), waited + max(-stock, 0)
        size = 20 - position if position <= 8 else 0
        orders, position = orders + (size > 0), position + size
        coming.append(size)
    count = len(drawn)
    assert scores["shelf_fill"] == pytest.approx(1 - missed / drawn.sum(), abs=0.002)
    assert scores["cycle_service"] == pytest.approx(served / orders, abs=0.006)
    assert scores["orders_per_period"] == pytest.approx(orders / count, abs=0.001)
    assert scores["mean_stock"] == pytest.approx(held / count, abs=0.05)
    assert scores["cost"] == pytest.approx((held + 9 * waited + 20 * orders) / count, rel=0.01)


def test_the_cost_of_the_optimum_is_what_the_score_says() -> None:
    demand, lead = fit_pmf([3.0, 0.4], variance=[7.0, 0.9], points=50)[0], fit_pmf([6.0, 1.0], points=50)[0]
    found = fit_ss(demand, protection_pmf=sum_pmfs(demand, lead), **COSTS)
    scores = score_ss(found, review_pmf=demand, lead_pmf=lead, **COSTS)
    assert scores["cost"].to_numpy() == pytest.approx(found["cost"].to_numpy(), rel=1e-9)
    assert scores["orders_per_period"].to_numpy() == pytest.approx(found["orders_per_period"].to_numpy())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"holding_cost": 0.0}, "holding_cost above zero"),
        ({"shortage_cost": -1.0}, "shortage_cost above zero"),
        ({"order_cost": -5.0}, "order_cost of zero or more"),
        ({"holding_cost": np.nan}, "holding_cost above zero"),
        ({"protection_pmf": [[0.5, 0.4]]}, "sum to 1"),
        ({"protection_pmf": [[1.5, -0.5]]}, "zero or more"),
        ({"protection_pmf": [[np.nan, 1.0]]}, "zero or more"),
        ({"protection_pmf": [[0.5, 0.5], [0.5, 0.5]]}, "one row an item"),
    ],
)
def test_bad_input_is_told(change: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit_ss([[0.5, 0.5]], **{"protection_pmf": [[0.5, 0.5]], **COSTS, **change})


def test_levels_the_wrong_way_round_are_told() -> None:
    policy = pd.DataFrame({"reorder_point": [5.0], "order_up_to_level": [5.0]})
    with pytest.raises(InputError, match="S above s"):
        score_ss(policy, review_pmf=[[0.5, 0.5]], lead_pmf=[[1.0]])
