"""Published numbers on order terms, newsvendor levels and shared budgets; each number is also found by brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import scipy

from cmi_analysis.inventory.cost_levels import cost_rate, fit_cost_reorder_point
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand, sample_lead_time_demand
from cmi_analysis.inventory.loss import normal_shortage
from cmi_analysis.inventory.order_limits import limit_jointly
from cmi_analysis.inventory.public import propose_orders
from cmi_analysis.inventory.target_optimiser import ServiceCurves, optimise_targets
from cmi_analysis.inventory.targets import critical_ratio


def discrete(chances: dict[int, float]) -> LeadTimeDemand:
    values = np.arange(max(chances) + 1.0)
    return LeadTimeDemand(values[None, :], np.array([[chances.get(int(value), 0.0) for value in values]]))


def poisson(mean: float) -> dict[int, float]:
    return {k: math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(150)}


@pytest.mark.parametrize(("minimum", "multiple", "ordered"), [(50, 12, 60.0), (48, 12, 48.0), (0, 12, 24.0), (60, 0, 60.0)])
def test_minimum_fifty_in_packs_of_twelve_makes_sixty(minimum: int, multiple: int, ordered: float) -> None:
    weeks = pd.date_range("2024-07-01", periods=13, freq="W-MON")
    forecasts = pd.DataFrame({"customer_id": "c", "product_id": "p", "period": weeks, "mean": 7.0})
    stock = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"], "on_hand": [0.0]})
    terms = {"minimum": minimum, "multiple": multiple, "lead_time": 7, "review_period": 7, "cycle_service": 0.95}
    assert propose_orders(forecasts, position=stock, **terms)["quantity"].tolist() == [ordered]


@pytest.mark.parametrize(
    ("demand", "held", "short", "level", "cost"),
    [
        pytest.param(poisson(6.0), 1.0, 4.0, 8, 3.570106945770946, id="Snyder and Shen 2019, example 4.7 without fixed cost"),
        pytest.param(poisson(18.0), 200.0, 270.0, 19, 786.0884409351115, id="Snyder and Shen 2019, problem 4.8a"),
        pytest.param(
            {1: 0.25, 2: 0.05, 3: 0.10, 4: 0.20, 5: 0.15, 6: 0.10, 7: 0.10, 8: 0.05},
            500_000.0, 1_000_000.0, 5, 1_225_000.0, id="Snyder and Shen 2019, problem 4.7b",
        ),
    ],
)  # fmt: skip
def test_discrete_newsvendor(demand: dict[int, float], held: float, short: float, level: int, cost: float) -> None:
    protection, costs = discrete(demand), {"holding_cost": np.array([held]), "shortage_cost": np.array([short])}
    found = fit_cost_reorder_point(batch=np.ones(1), protection=protection, **costs)[0] + 1
    assert found == level
    assert float(protection.quantile(critical_ratio(shortage_cost=short, holding_cost=held))[0]) == level
    assert float(cost_rate(np.array([float(level)]), protection=protection, **costs)[0]) == pytest.approx(cost, rel=1e-7)
    by_hand = {s: sum(p * (held * max(s - d, 0) + short * max(d - s, 0)) for d, p in demand.items()) for s in range(60)}
    assert min(by_hand, key=lambda s: by_hand[s]) == level


@pytest.mark.parametrize(
    ("level", "cost"),
    [
        pytest.param(5.0, 6.590296024616344, id="Snyder and Shen 2019, example 4.7 at a level of 5"),
        pytest.param(8.0, 3.570106945770946, id="Snyder and Shen 2019, example 4.7 at a level of 8"),
    ],
)
def test_cost_of_a_level_that_is_given(level: float, cost: float) -> None:
    rate = cost_rate(np.array([level]), protection=discrete(poisson(6.0)), holding_cost=np.ones(1), shortage_cost=np.full(1, 4.0))
    assert float(rate[0]) == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize(
    ("mean", "sd", "held", "short", "level", "cost"),
    [
        pytest.param(50.0, 8.0, 0.18, 0.70, 56.603955927, 1.997605193, id="Snyder and Shen 2019, example 4.3"),
        pytest.param(900.0, 60.0, 43.0, 79.0, 922.7214038, 2718.196781782, id="Snyder and Shen 2019, problem 4.1"),
        pytest.param(250.0, 8.0 * math.sqrt(5), 0.18, 0.70, 264.7668943742, 4.466781004, id="Snyder and Shen 2019, example 4.4"),
        pytest.param(11.73, 4.74, 0.15, 0.50, 15.24, None, id="Nahmias 2009, example 5.1"),
    ],
)
def test_normal_newsvendor_ratio(mean: float, sd: float, held: float, short: float, level: float, cost: float | None) -> None:
    ratio = float(critical_ratio(shortage_cost=short, holding_cost=held))
    found = mean + sd * float(scipy.special.ndtri(ratio))
    assert found == pytest.approx(level, rel=1e-8 if cost else 2e-3)
    n = float(normal_shortage(found, mean=mean, sd=sd))
    if cost is not None:
        assert held * (found - mean + n) + short * n == pytest.approx(cost, rel=1e-8)
    around = [found - 0.5, found, found + 0.5]
    costs = [held * (s - mean) + (held + short) * float(normal_shortage(s, mean=mean, sd=sd)) for s in around]
    assert costs[1] == min(costs)


def test_newsvendor_of_wikipedia_price_7_cost_5_as_solved_by_newsvendormodel_jl() -> None:
    # unit cost 5, price 7, normal demand 50 ± 20: 39 units, 14.66 lost, 3.66 left over
    ratio = float(critical_ratio(shortage_cost=2.0, holding_cost=5.0))
    assert round(50 + 20 * float(scipy.special.ndtri(ratio))) == 39
    lost = float(normal_shortage(39.0, mean=50.0, sd=20.0))
    assert lost == pytest.approx(14.656, abs=5e-4)
    assert 39 - 50 + lost == pytest.approx(3.656120545715868, abs=1e-9)


def test_batched_reorder_point_is_least_cost_by_the_condition_of_federgruen_and_zheng_1992() -> None:
    demand, held, short, batch = poisson(12.0), 1.0, 9.0, 7
    found = fit_cost_reorder_point(
        batch=np.array([7.0]), protection=discrete(demand), holding_cost=np.array([held]), shortage_cost=np.array([short])
    )[0]

    def cost(level: int) -> float:
        return sum(p * (held * max(level - d, 0) + short * max(d - level, 0)) for d, p in demand.items())

    by_hand = {r: sum(cost(y) for y in range(r + 1, r + batch + 1)) for r in range(-1, 40)}
    assert min(by_hand, key=lambda r: by_hand[r]) == found


def uniform(top: int) -> np.ndarray:
    return np.arange(top, dtype="float64")[None, :]


def test_budgeted_newsvendor_meets_the_condition_of_hadley_and_whitin_1963() -> None:
    # demands uniform on 0 … 99; values 10 and 6, unit costs 2 and 1, budget 150. Equal marginal value a money,
    # 10(1 − q₁)/2 = 6(1 − q₂)/1 with 200q₁ + 100q₂ = 150, gives q₁ = 8/17 and q₂ = 19/34: 47 and 56 units
    demand = sample_lead_time_demand(np.repeat(uniform(100), 2, axis=0))
    orders = pd.DataFrame(
        {"quantity": 100.0, "position": 0.0, "minimum": np.nan, "multiple": np.nan, "value": [10.0, 6.0], "unit_cost": [2.0, 1.0]}
    )
    found = limit_jointly(orders, protection=demand, budget=150.0)
    assert found.status == "optimal"
    assert found.orders["quantity"].tolist() == [round(100 * 8 / 17), round(100 * 19 / 34)] == [47.0, 56.0]
    values = np.arange(100.0)
    saved = {
        (a, b): 10 * np.minimum(values, a).mean() + 6 * np.minimum(values, b).mean()
        for a, b in itertools.product(range(76), range(101))
        if 2 * a + b <= 150
    }
    assert max(saved, key=lambda choice: saved[choice]) == (47, 56)


def test_targets_under_a_budget_meet_the_same_condition_as_the_newsvendors() -> None:
    # the same two items as curves of service bought: the hull's last segments have the price 10(1 − 8/17)/2 = 2.647 a money
    levels = np.repeat(uniform(101), 2, axis=0)
    served = np.array([[np.minimum(np.arange(100.0), level).mean() for level in range(101)]] * 2)
    weight = np.array([10.0, 6.0])
    full = served[:, -1:]
    curves = ServiceCurves(levels, levels * np.array([[2.0], [1.0]]), served / full, weight * full[:, 0])
    plan = optimise_targets(curves, budget=150.0)
    assert plan.items["level"].tolist() == [47.0, 56.0]
    assert plan.totals["shadow_price"] == pytest.approx(5 * 9 / 17, abs=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_three_budgeted_newsvendors_against_every_combination(seed: int) -> None:
    random = np.random.default_rng(seed)
    means, value, cost = random.uniform(2, 8, 3), random.uniform(2, 20, 3), random.uniform(1, 5, 3)
    samples = random.poisson(means[:, None], size=(3, 300)).astype("float64")
    budget = float(0.7 * (means * cost).sum())
    orders = pd.DataFrame(
        {"quantity": 15.0, "position": 0.0, "minimum": np.nan, "multiple": np.nan, "value": value, "unit_cost": cost}
    )
    found = limit_jointly(orders, protection=sample_lead_time_demand(samples), budget=budget).orders["quantity"].to_numpy()
    gains = [[value[i] * np.minimum(samples[i], q).mean() for q in range(16)] for i in range(3)]
    best = max(
        sum(gains[i][q] for i, q in enumerate(choice))
        for choice in itertools.product(range(16), repeat=3)
        if np.dot(choice, cost) <= budget + 1e-9
    )
    assert sum(gains[i][int(q)] for i, q in enumerate(found)) == pytest.approx(best)
