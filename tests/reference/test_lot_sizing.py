"""Published numbers of lot sizing: each id names book or paper, and brute force over the cost itself confirms each optimum."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from cmi_analysis.inventory.discounts import fit_all_units_discount, fit_incremental_discount
from cmi_analysis.inventory.disruptions import (
    disrupted_base_stock_cost,
    disrupted_order_cost,
    fit_disrupted_base_stock,
    fit_disrupted_order,
)
from cmi_analysis.inventory.eoq import (
    economic_order_quantity,
    economic_order_quantity_with_backorders,
    economic_production_quantity,
    economic_production_quantity_with_backorders,
    order_quantity_cost,
    power_of_two_quantity,
)
from cmi_analysis.inventory.joint_replenishment import fit_joint_replenishment
from cmi_analysis.inventory.newsvendor import (
    fit_newsvendor,
    newsvendor_cost_discrete,
    newsvendor_discrete,
    newsvendor_outcome,
)
from cmi_analysis.inventory.wagner_whitin import plan_known_demand


@pytest.mark.parametrize(
    ("demand", "order", "holding", "quantity", "cost"),
    [
        pytest.param(1300, 8, 0.225, 304.0468, 68.4105, id="snyder-shen-2019-example-3.1"),
        pytest.param(500 * 365, 2250, 275, 1728.1098, 475230.2074, id="snyder-shen-2019-problem-3.1"),
        pytest.param(2400, 3.2, 0.24, 252.98, 60.72, id="rossi-2021-inventory-analytics-eoq"),
        pytest.param(8000, 12000, 0.3, 25298, 7589.5, id="hillier-lieberman-2001-speakers"),
    ],
)
def test_economic_order_quantity(demand: float, order: float, holding: float, quantity: float, cost: float) -> None:
    found = float(economic_order_quantity(demand, order_cost=order, holding_cost=holding))
    assert found == pytest.approx(quantity, rel=2e-5)
    yearly = order_quantity_cost(found * np.array([0.9, 1.0, 1.1]), demand_rate=demand, order_cost=order, holding_cost=holding)
    assert yearly[1] == pytest.approx(cost, rel=2e-4)
    assert yearly.argmin() == 1


@pytest.mark.parametrize(
    ("demand", "order", "holding", "shortage", "quantity", "share", "cost"),
    [
        pytest.param(1300, 8, 0.225, 5, 310.8126, 0.0430622, 66.92136, id="snyder-shen-2019-example-3.8"),
        pytest.param(2080, 40, 40.05, 60, 83.235448, 0.40029985, 1999.148244, id="snyder-shen-2019-problem-3.2b"),
    ],
)
def test_economic_order_quantity_with_backorders(
    demand: float, order: float, holding: float, shortage: float, quantity: float, share: float, cost: float
) -> None:
    terms = {"order_cost": order, "holding_cost": holding, "shortage_cost": shortage}
    found, waiting = economic_order_quantity_with_backorders(demand, **terms)
    assert (float(found), float(waiting)) == pytest.approx((quantity, share), rel=1e-6)
    lots, shares = np.meshgrid(quantity * np.linspace(0.8, 1.2, 41), np.linspace(0, 0.6, 61))
    yearly = order_quantity_cost(lots, demand_rate=demand, backordered=shares, **terms)
    best = float(order_quantity_cost(found, demand_rate=demand, backordered=waiting, **terms))
    assert best == pytest.approx(cost, rel=1e-6)
    assert best <= yearly.min() <= best * 1.001


@pytest.mark.parametrize(
    ("demand", "rate", "order", "holding", "quantity", "cost"),
    [
        pytest.param(80, 110, 4, 0.08, 171.26977, 3.7367949, id="snyder-shen-2019-problem-3.22"),
        pytest.param(1300, 2000, 8, 0.225, 513.93286, 40.4722127, id="snyder-shen-2019-example-3.1-with-rate-2000"),
        pytest.param(200, 1000, 100, 5, 100.0, 400.0, id="gallego-2004-production-management-lecture-2"),
    ],
)
def test_economic_production_quantity(
    demand: float, rate: float, order: float, holding: float, quantity: float, cost: float
) -> None:
    terms = {"production_rate": rate, "order_cost": order, "holding_cost": holding}
    found = economic_production_quantity(demand, **terms)
    assert float(found) == pytest.approx(quantity, rel=1e-6)
    assert float(order_quantity_cost(found, demand_rate=demand, **terms)) == pytest.approx(cost, rel=1e-6)


def test_production_with_backorders_of_the_inventorymodel_manual_2023() -> None:
    # example of EPQ(n = 3, a = 600, d, h, r = 600, b) in the manual of the R package Inventorymodel
    demand, holding, shortage = np.array([500, 300, 400]), np.array([9.6, 11, 10]), np.array([100, 150, 200])
    terms = {"production_rate": 600, "order_cost": 600, "holding_cost": holding, "shortage_cost": shortage}
    quantity, share = economic_production_quantity_with_backorders(demand, **terms)
    assert quantity == pytest.approx([641.0928, 265.0557, 388.8444], rel=1e-6)
    assert quantity * share * (1 - demand / 600) == pytest.approx([9.359019, 9.054699, 6.172134], rel=1e-6)
    assert order_quantity_cost(quantity, demand_rate=demand, backordered=share, **terms) == pytest.approx(
        [935.9019, 1358.2049, 1234.4268], rel=1e-6
    )


def test_a_power_of_two_costs_at_most_six_percent_more_as_jackson_maxwell_and_muckstadt_1985_prove() -> None:
    base = np.geomspace(0.05, 0.1, 200)
    _, quantity = power_of_two_quantity(1300, order_cost=8, holding_cost=0.225, base_cycle=base)
    ratio = order_quantity_cost(quantity, demand_rate=1300, order_cost=8, holding_cost=0.225) / 68.41052550594829
    assert ratio.max() == pytest.approx(3 / (2 * math.sqrt(2)), abs=1e-3)
    assert (ratio <= 3 / (2 * math.sqrt(2)) + 1e-12).all()


CANDY = {"demand_rate": 1300, "order_cost": 8, "holding_rate": 0.3, "breaks": [0, 400, 800], "prices": [0.75, 0.72, 0.68]}
BAGS = {"demand_rate": 600, "order_cost": 8, "holding_rate": 0.2, "breaks": [0, 500, 1000], "prices": [0.30, 0.29, 0.28]}
DELL = {"demand_rate": 200, "order_cost": 2500, "holding_rate": 0.2, "breaks": [0, 50, 90], "prices": [1400, 1100, 900]}


def discount_cost(quantity: np.ndarray, *, incremental: bool, other: float = 0.0, **terms: object) -> np.ndarray:
    """Return the yearly cost of each quantity by walking through the price list."""
    breaks, prices = np.array(terms["breaks"], dtype=float), np.array(terms["prices"], dtype=float)
    result = []
    for q in quantity:
        tier = int(np.searchsorted(breaks, q, side="right")) - 1
        paid = prices[tier] * q
        if incremental:
            tops = [*breaks[1:], math.inf]
            paid = sum(p * (min(q, top) - low) for p, low, top in zip(prices, breaks, tops, strict=True) if q > low)
        average = paid / q
        rate = float(terms["holding_rate"])
        demand, order = float(terms["demand_rate"]), float(terms["order_cost"])
        result.append(demand * average + order * demand / q + (rate * average + other) * q / 2)
    return np.array(result)


@pytest.mark.parametrize(
    ("terms", "other", "quantity", "cost"),
    [
        pytest.param(CANDY, 0.0, 800, 978.60, id="snyder-shen-2019-all-units-candy-bars"),
        pytest.param(BAGS, 0.0, 500, 198.10, id="nahmias-2009-example-4.4-trash-bags"),
        pytest.param(DELL, 0.0, 90, 193655.56, id="gandomi-2012-after-nahmias-2009"),
        pytest.param(
            {"demand_rate": 300, "order_cost": 200, "holding_rate": 0.2, "breaks": [0, 100], "prices": [100, 95]},
            5.0,
            100,
            30300.0,
            id="axsater-2015-example-4.2",
        ),
        pytest.param(
            {"demand_rate": 5000, "order_cost": 49, "holding_rate": 0.2, "breaks": [0, 1000, 2000], "prices": [5.0, 4.8, 4.75]},
            0.0,
            1000,
            24725.0,
            id="render-stair-hanna-race-cars",
        ),
    ],
)
def test_all_units_discount(terms: dict[str, object], other: float, quantity: float, cost: float) -> None:
    row = fit_all_units_discount(**terms, other_holding_cost=other).iloc[0]
    assert row["order_quantity"] == pytest.approx(quantity)
    assert row["yearly_cost"] == pytest.approx(cost, abs=0.01)
    tried = np.arange(2.0, 8 * quantity) / 2
    assert discount_cost(tried, incremental=False, other=other, **terms).min() == pytest.approx(cost, rel=1e-6)


@pytest.mark.parametrize(
    ("terms", "quantity", "cost"),
    [
        pytest.param(CANDY, 304.0468, 1043.41, id="snyder-shen-2019-incremental-candy-bars"),
        pytest.param(BAGS, 400.0, 204.00, id="nahmias-2009-example-4.5-trash-bags"),
    ],
)
def test_incremental_discount(terms: dict[str, object], quantity: float, cost: float) -> None:
    row = fit_incremental_discount(**terms).iloc[0]
    assert row["order_quantity"] == pytest.approx(quantity, abs=1e-3)
    assert row["yearly_cost"] == pytest.approx(cost, abs=0.01)
    assert discount_cost(np.arange(1, 4000) / 2, incremental=True, **terms).min() == pytest.approx(cost, abs=0.01)


def test_other_tiers_of_the_trash_bags_of_nahmias_2009_example_4_5_cost_more() -> None:
    # Q(1) = 519 and Q(2) = 702 are the other tiers' quantities
    for quantity in (519, 702):
        assert discount_cost(np.array([float(quantity)]), incremental=True, **BAGS)[0] > 204.5


ORIGINAL = {
    "demand": [69, 29, 36, 61, 61, 26, 34, 67, 45, 67, 79, 56],
    "order_cost": [85, 102, 102, 101, 98, 114, 105, 86, 119, 110, 98, 114],
    "holding_cost": 1,
}
BOXES = {"demand": [10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41], "order_cost": 54, "holding_cost": 0.4}
CASINGS = {"demand": [18, 30, 42, 5, 20], "order_cost": 80, "holding_cost": 2}


@pytest.mark.parametrize(
    ("terms", "cost", "orders"),
    [
        pytest.param(
            {"demand": [90, 120, 80, 70], "order_cost": 500, "holding_cost": 2},
            1380,
            [210, 0, 150, 0],
            id="snyder-shen-2019-example-3.9",
        ),
        pytest.param(
            {"demand": [150, 100, 80, 200], "order_cost": 120, "holding_cost": 0.8},
            424,
            [150, 180, 0, 200],
            id="snyder-shen-2019-problem-3.27",
        ),
        pytest.param(
            {"demand": [730, 580, 445, 650, 880], "order_cost": 100, "holding_cost": 0.1},
            423,
            [1310, 0, 1095, 0, 880],
            id="snyder-shen-2019-problem-3.29",
        ),
        pytest.param(ORIGINAL, 864, [98, 0, 97, 0, 121, 0, 0, 112, 0, 67, 135, 0], id="wagner-whitin-1958-table-1"),
        pytest.param(BOXES, 501.20, [84, 0, 0, 130, 283, 0, 140, 0, 124, 160, 279, 0], id="silver-pyke-thomas-2017-chapter-5"),
        pytest.param({"demand": [3, 2, 3, 2], "order_cost": 2, "holding_cost": 0.2}, 4.8, None, id="hillier-lieberman-2001-jets"),
    ],
)
def test_wagner_whitin(terms: dict[str, object], cost: float, orders: list[float] | None) -> None:
    plan = plan_known_demand(**terms)
    assert float(plan.cost) == pytest.approx(cost)
    if orders is not None:
        assert plan.orders.tolist() == orders
    assert every_plan_cost(terms) == pytest.approx(cost)


def every_plan_cost(terms: dict[str, object]) -> float:
    """Return the least cost over every set of order periods."""
    demand = np.array(terms["demand"], dtype=float)
    order = np.broadcast_to(np.array(terms["order_cost"], dtype=float), demand.shape)
    holding = float(terms["holding_cost"])
    best = math.inf
    for later in itertools.product((False, True), repeat=len(demand) - 1):
        cost, age = 0.0, 0
        for period, (units, starts) in enumerate(zip(demand, (True, *later), strict=True)):
            age = 0 if starts else age + 1
            cost += holding * age * units + (order[period] if starts else 0.0)
        best = min(best, cost)
    return best


@pytest.mark.parametrize(
    ("terms", "method", "orders", "cost"),
    [
        pytest.param(CASINGS, "silver_meal", [48, 0, 47, 0, 20], 310, id="nahmias-2009-machine-shop-silver-meal"),
        pytest.param(CASINGS, "least_unit_cost", [48, 0, 42, 25, 0], 340, id="nahmias-2009-machine-shop-least-unit-cost"),
        pytest.param(
            BOXES,
            "silver_meal",
            [84, 0, 0, 130, 283, 0, 140, 0, 124, 160, 279, 0],
            501.2,
            id="silver-pyke-thomas-2017-silver-meal",
        ),
    ],
)
def test_lot_sizing_heuristics(terms: dict[str, object], method: str, orders: list[float], cost: float) -> None:
    plan = plan_known_demand(**terms, method=method)
    assert plan.method == method
    assert plan.orders.tolist() == orders
    assert float(plan.cost) == pytest.approx(cost)


def test_least_unit_cost_on_the_boxes_of_silver_pyke_and_thomas_2017_costs_558_80() -> None:
    assert float(plan_known_demand(**BOXES, method="least_unit_cost").cost) == pytest.approx(558.80)


@pytest.mark.parametrize("method", ["silver", "exact"])
def test_joint_replenishment_of_silver_1976_in_the_stockpyl_manual(method: str) -> None:
    terms = {"order_cost": 600, "item_cost": [120, 840, 300], "holding_cost": [160, 20, 50]}
    order = fit_joint_replenishment([1, 1, 1], **terms, method=method)
    assert order.base_cycle == pytest.approx(3.103164454)
    assert order.multiples.tolist() == [1, 3, 1]
    assert order.order_quantities == pytest.approx([3.103164, 9.309493, 3.103164], rel=1e-6)
    assert order.yearly_cost == pytest.approx(837.8544026)
    by_hand = min(
        math.sqrt(2 * (600 + 120 / a + 840 / b + 300 / c) * (160 * a + 20 * b + 50 * c))
        for a, b, c in itertools.product(range(1, 9), repeat=3)
    )
    assert by_hand == pytest.approx(837.8544026)


@pytest.mark.parametrize(
    ("mean", "sd", "holding", "shortage", "level", "cost"),
    [
        pytest.param(50, 8, 0.18, 0.70, 56.603956, 1.99760519, id="snyder-shen-2019-example-4.3"),
        pytest.param(900, 60, 43, 79, 922.72140, 2718.19678, id="snyder-shen-2019-problem-4.1"),
        pytest.param(5 * 50, 8 * math.sqrt(5), 0.18, 0.70, 264.766894, 4.466781, id="snyder-shen-2019-example-4.4-lead-time-4"),
        pytest.param(120, 10, 2, 18, 132.8155157, 35.0996664, id="stockpyl-manual-2023-newsvendor"),
    ],
)
def test_newsvendor_of_normal_demand(mean: float, sd: float, holding: float, shortage: float, level: float, cost: float) -> None:
    row = fit_newsvendor(mean, sd=sd, holding_cost=holding, shortage_cost=shortage).iloc[0]
    assert (row["level"], row["cost"]) == pytest.approx((level, cost), rel=1e-6)
    around = newsvendor_outcome(level + np.array([-1.0, 1.0]), mean=mean, sd=sd, holding_cost=holding, shortage_cost=shortage)
    assert (around["cost"] > cost).all()


@pytest.mark.parametrize(
    ("stock", "mean", "sd", "holding", "shortage", "cost"),
    [
        pytest.param(40, 50, 8, 0.18, 0.70, 7.35613155, id="snyder-shen-2019-example-4.3-at-40"),
        pytest.param(1040, 900, 60, 43, 79, 6044.298415, id="snyder-shen-2019-problem-4.1-at-1040"),
        pytest.param(180, 250, 8 * math.sqrt(5), 0.18, 0.70, 49.00016475, id="snyder-shen-2019-example-4.4-at-180"),
    ],
)
def test_newsvendor_cost_of_another_level(
    stock: float, mean: float, sd: float, holding: float, shortage: float, cost: float
) -> None:
    row = newsvendor_outcome(stock, mean=mean, sd=sd, holding_cost=holding, shortage_cost=shortage).iloc[0]
    assert row["cost"] == pytest.approx(cost, rel=1e-6)


@pytest.mark.parametrize(
    ("mean", "holding", "shortage", "level", "cost", "other", "other_cost"),
    [
        pytest.param(6, 1, 4, 8, 3.57010695, 5, 6.59029602, id="snyder-shen-2019-example-4.7"),
        pytest.param(18, 200, 270, 19, 786.088441, 13, 1445.75106, id="snyder-shen-2019-problem-4.8a"),
    ],
)
def test_newsvendor_of_poisson_demand(
    mean: float, holding: float, shortage: float, level: int, cost: float, other: int, other_cost: float
) -> None:
    terms = {"mean": mean, "holding_cost": holding, "shortage_cost": shortage, "distribution": "poisson"}
    row = fit_newsvendor(**terms).iloc[0]
    assert row["level"] == level
    assert row["cost"] == pytest.approx(cost, rel=1e-6)
    assert newsvendor_outcome(other, **terms)["cost"].iloc[0] == pytest.approx(other_cost, rel=1e-6)
    chances = stats.poisson(mean).pmf(np.arange(200))
    sums = newsvendor_cost_discrete(np.arange(60), probabilities=chances, holding_cost=holding, shortage_cost=shortage)
    assert (int(sums.argmin()), sums.min()) == (level, pytest.approx(cost, rel=1e-6))


def test_newsvendor_of_any_chances_of_snyder_and_shen_2019_problem_4_7b() -> None:
    chances = [0, 0.25, 0.05, 0.1, 0.2, 0.15, 0.10, 0.10, 0.05]
    terms = {"holding_cost": 500_000, "shortage_cost": 1_000_000}
    assert newsvendor_discrete(chances, **terms) == 5
    cost = newsvendor_cost_discrete(np.arange(9), probabilities=chances, **terms)
    assert cost[[5, 3]] == pytest.approx([1_225_000, 1_725_000])
    assert cost.argmin() == 5


def test_newsvendor_of_lognormal_demand_of_snyder_and_shen_2019_problem_4_8b() -> None:
    demand = stats.lognorm(0.3, 0, math.exp(6))
    terms = {"mean": demand.mean(), "sd": demand.std(), "holding_cost": 1, "shortage_cost": 0.1765, "distribution": "lognormal"}
    row = fit_newsvendor(**terms).iloc[0]
    assert (row["level"], row["cost"]) == pytest.approx((295.6266448, 29.44254), rel=1e-6)
    assert newsvendor_outcome(350, **terms)["cost"].iloc[0] == pytest.approx(34.588837, rel=1e-6)


COLA = {
    "demand_rate": 1300,
    "order_cost": 8,
    "holding_cost": 0.225,
    "shortage_cost": 5,
    "disruption_rate": 1.5,
    "recovery_rate": 14,
}
OTHER = {"demand_rate": 30, "order_cost": 35, "holding_cost": 4, "shortage_cost": 22, "disruption_rate": 1, "recovery_rate": 12}


@pytest.mark.parametrize(
    ("terms", "approximate", "quantity", "cost"),
    [
        pytest.param(COLA, False, 772.8110739, 173.9500026, id="snyder-shen-2019-example-9.1-exact"),
        pytest.param(OTHER, False, 24.0662840, 96.2665909, id="snyder-shen-2019-problem-9.8-exact"),
        pytest.param(COLA, True, 773.1432417, 173.9572294, id="snyder-2014-approximation-of-example-9.1"),
        pytest.param(OTHER, True, 24.0666808, 96.2667230, id="snyder-2014-approximation-of-problem-9.8"),
    ],
)
def test_order_quantity_under_disruption(terms: dict[str, float], approximate: bool, quantity: float, cost: float) -> None:
    row = fit_disrupted_order(**terms, approximate=approximate).iloc[0]
    assert row["order_quantity"] == pytest.approx(quantity, rel=1e-6)
    assert row["yearly_cost"] == pytest.approx(cost, rel=1e-8)
    tried = disrupted_order_cost(np.linspace(1, 5 * quantity, 20001), **terms, approximate=approximate)
    assert tried.min() == pytest.approx(cost, rel=1e-6)


@pytest.mark.parametrize(
    ("terms", "quantity", "exact", "approximate"),
    [
        pytest.param(COLA, 800, 174.0524722, 174.0575335, id="snyder-shen-2019-example-9.1-at-800"),
        pytest.param(COLA, 400, 211.0841893, 212.2569014, id="snyder-shen-2019-example-9.1-at-400"),
        pytest.param(COLA, 1100, 184.7949312, 184.7950343, id="snyder-shen-2019-example-9.1-at-1100"),
        pytest.param(OTHER, 20, 97.9038399, 97.9047619, id="snyder-shen-2019-problem-9.8-at-20"),
        pytest.param(OTHER, 30, 98.5987180, 98.5987261, id="snyder-shen-2019-problem-9.8-at-30"),
    ],
)
def test_cost_of_an_order_quantity_under_disruption(
    terms: dict[str, float], quantity: float, exact: float, approximate: float
) -> None:
    assert float(disrupted_order_cost(quantity, **terms)) == pytest.approx(exact, rel=1e-8)
    assert float(disrupted_order_cost(quantity, **terms, approximate=True)) == pytest.approx(approximate, rel=1e-8)


@pytest.mark.parametrize(
    ("level", "cost"),
    [(8000, 2737.06897), (2000, 3310.344828), (12000, 3075.161638), (1200, 5710.344791)],
)
def test_base_stock_under_disruption_of_snyder_and_shen_2019_example_9_3(level: float, cost: float) -> None:
    terms = {"demand": 2000, "holding_cost": 0.25, "shortage_cost": 3, "disruption_chance": 0.04, "recovery_chance": 0.25}
    assert float(disrupted_base_stock_cost(level, **terms)) == pytest.approx(cost, rel=2e-8)
    assert fit_disrupted_base_stock(**terms)[["level", "cost"]].to_numpy() == pytest.approx(np.array([[8000, 2737.06897]]))
    assert disrupted_base_stock_cost(np.arange(0, 20001, 50), **terms).min() == pytest.approx(2737.06897)
