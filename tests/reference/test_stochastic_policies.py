"""Published optima of stochastic inventory models: (s,S), (r,Q), lost sales, approximations; each with its source."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from cmi_analysis.inventory.demand_pmf import demand_over
from cmi_analysis.inventory.heuristics import power_approximation, rq_heuristic, rq_iterated, rq_loss_function
from cmi_analysis.inventory.lost_sales import score_lost_sales
from cmi_analysis.inventory.lost_sales_levels import fit_lost_sales
from cmi_analysis.inventory.periodic_policy import fit_base_stock
from cmi_analysis.inventory.rq_policy import fit_rq, fit_rq_service, score_rq_continuous
from cmi_analysis.inventory.ss_policy import fit_ss, has_numba, score_ss

ENGINES = [
    "numpy",
    pytest.param("numba", marks=pytest.mark.skipif(not has_numba(), reason="numba is not installed (extra fast)")),
]


def poisson(mean: float, points: int = 220) -> np.ndarray:
    chances = scipy.stats.poisson.pmf(np.arange(points), mean)
    return (chances / chances.sum())[None, :]


def lead_time(days: int) -> np.ndarray:
    return np.eye(days + 1)[[days]]


# Zheng and Federgruen (1991), table 1, the instances of Veinott and Wagner (1965): Poisson demand, no lead time, K 64, h 1, p 9.
# Their policy orders when the position is s or less, as ours does.
ZHENG_FEDERGRUEN = [
    (10, 6, 40, 35.022),
    (15, 10, 49, 42.698),
    (20, 14, 62, 49.173),
    (21, 15, 65, 50.406),
    (22, 16, 68, 51.632),
    (23, 17, 52, 52.757),
    (24, 18, 54, 53.518),
    (25, 19, 56, 54.262),
    (30, 23, 66, 57.819),
    (35, 28, 77, 61.215),
    (40, 33, 87, 64.512),
    (45, 37, 97, 67.776),
    (50, 42, 108, 70.975),
    (51, 43, 110, 71.611),
    (52, 44, 112, 72.246),
    (55, 47, 118, 74.149),
    (59, 51, 126, 76.679),
    (60, 52, 129, 77.306),
    (61, 52, 131, 77.929),
    (63, 54, 73, 78.287),
    (64, 55, 74, 78.402),
    (65, 56, 75, 78.518),
    (70, 62, 81, 79.037),
    (75, 67, 86, 79.554),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("mean", "low", "top", "cost"), ZHENG_FEDERGRUEN, ids=lambda value: str(value))
def test_ss_of_zheng_and_federgruen_1991_table_1(mean: float, low: int, top: int, cost: float, engine: str) -> None:
    demand = poisson(mean)
    found = fit_ss(demand, protection_pmf=demand, order_cost=64, holding_cost=1, shortage_cost=9, engine=engine).iloc[0]
    assert (found["reorder_point"], found["order_up_to_level"]) == (low, top)
    assert found["cost"] == pytest.approx(cost, abs=6e-4)


def test_all_24_at_once_are_the_same_as_one_by_one() -> None:
    demand = np.concatenate([poisson(mean) for mean, *_ in ZHENG_FEDERGRUEN])
    found = fit_ss(demand, protection_pmf=demand, order_cost=64, holding_cost=1, shortage_cost=9, engine="numpy")
    assert found["reorder_point"].tolist() == [low for _, low, _, _ in ZHENG_FEDERGRUEN]
    assert found["order_up_to_level"].tolist() == [top for _, _, top, _ in ZHENG_FEDERGRUEN]


@pytest.mark.parametrize(
    ("mean", "order", "holding", "shortage", "low", "top", "cost"),
    [(6, 5, 1, 4, 4, 10, 8.03411), (4, 150, 40, 125, 2, 7, 223.57483)],
    ids=["snyder-shen-2019-example-4.7", "snyder-shen-2019-problem-4.31"],
)
def test_ss_of_snyder_and_shen_2019(
    mean: float, order: float, holding: float, shortage: float, low: int, top: int, cost: float
) -> None:
    demand = poisson(mean)
    found = fit_ss(demand, protection_pmf=demand, order_cost=order, holding_cost=holding, shortage_cost=shortage).iloc[0]
    assert (found["reorder_point"], found["order_up_to_level"]) == (low, top)
    assert found["cost"] == pytest.approx(cost, abs=1e-4)


@pytest.mark.parametrize(
    ("mean", "order", "holding", "shortage", "low", "top", "cost"),
    [(6, 5, 1, 4, 6, 18, 10.193799), (4, 150, 40, 125, 4, 10, 262.27556)],
    ids=["snyder-shen-2019-example-4.7-of-6-18", "snyder-shen-2019-problem-4.31-of-4-10"],
)
def test_cost_of_a_given_ss_policy_of_snyder_and_shen_2019(
    mean: float, order: float, holding: float, shortage: float, low: int, top: int, cost: float
) -> None:
    policy = pd.DataFrame({"reorder_point": [low], "order_up_to_level": [top]})
    costs = {"order_cost": order, "holding_cost": holding, "shortage_cost": shortage}
    assert score_ss(policy, review_pmf=poisson(mean), lead_pmf=[[1.0]], **costs)["cost"].iloc[0] == pytest.approx(cost, abs=1e-4)


@pytest.mark.parametrize(
    ("rate", "lead", "order", "holding", "shortage", "low", "size", "cost"),
    [(1.5, 2, 100, 20, 150, 3, 5, 107.92358), (12, 0.5, 4, 4, 28, 6, 7, 28.241313)],
    ids=["snyder-shen-2019-example-5.8", "snyder-shen-2019-problem-5.2"],
)
def test_poisson_rq_of_snyder_and_shen_2019(
    rate: float, lead: float, order: float, holding: float, shortage: float, low: int, size: int, cost: float
) -> None:
    costs = {"order_cost": order, "holding_cost": holding, "shortage_cost": shortage}
    found = fit_rq(poisson(rate * lead), demand_rate=rate, **costs).iloc[0]
    assert (found["reorder_point"], found["order_quantity"]) == (low, size)
    assert found["cost"] == pytest.approx(cost, abs=1e-5)


@pytest.mark.parametrize(
    ("rate", "lead", "order", "holding", "shortage", "low", "size", "cost"),
    [(1.5, 2, 100, 20, 150, 8, 12, 242.528164), (12, 0.5, 4, 4, 28, 3, 9, 34.264154)],
    ids=["snyder-shen-2019-example-5.8-of-8-12", "snyder-shen-2019-problem-5.2-of-3-9"],
)
def test_cost_of_a_given_poisson_rq_policy_of_snyder_and_shen_2019(
    rate: float, lead: float, order: float, holding: float, shortage: float, low: int, size: int, cost: float
) -> None:
    policy = pd.DataFrame({"reorder_point": [low], "order_quantity": [size]})
    costs = {"order_cost": order, "holding_cost": holding, "shortage_cost": shortage}
    found = score_rq_continuous(policy, lead_pmf=poisson(rate * lead), customer_rate=rate, **costs)
    assert found["cost"].iloc[0] == pytest.approx(cost, abs=1e-5)


@pytest.mark.parametrize(
    ("mean", "sd", "order", "holding", "shortage", "low", "top"),
    [(50, 8, 2.5, 0.18, 0.7, 40.194617, 74.290170), (190, 48, 60, 2, 36, 226.613793, 324.379787)],
    ids=["snyder-shen-2019-example-4.8", "snyder-shen-2019-problem-4.32"],
)
def test_power_approximation_of_ehrhardt_and_mosier_1984(
    mean: float, sd: float, order: float, holding: float, shortage: float, low: float, top: float
) -> None:
    costs = {"order_cost": order, "holding_cost": holding, "shortage_cost": shortage}
    found = power_approximation(review_mean=mean, protection_mean=mean, protection_sd=sd, **costs).iloc[0]
    assert (found["reorder_point"], found["order_up_to_level"]) == (pytest.approx(low, abs=1e-5), pytest.approx(top, abs=1e-5))


def normal_terms(rate: float, sd: float, lead: float, order: float, holding: float, shortage: float) -> dict[str, float]:
    costs = {"order_cost": order, "holding_cost": holding, "shortage_cost": shortage}
    return {"demand_rate": rate, "lead_mean": rate * lead, "lead_sd": sd * lead**0.5, **costs}


EXAMPLE_5_1 = normal_terms(1300, 150, 1 / 12, 8, 0.225, 7.5)
PROBLEM_5_1 = normal_terms(800, 40, 4 / 365, 50, 3.1, 45)
PROBLEM_5_3 = normal_terms(192, 17.4, 3, 85, 1.5 / 7, 40)


@pytest.mark.parametrize(
    ("terms", "low", "size"),
    [(EXAMPLE_5_1, 213.970442, 318.590181), (PROBLEM_5_1, 17.972649, 162.123162), (PROBLEM_5_3, 644.838530, 400.755979)],
    ids=["snyder-shen-2019-example-5.2", "snyder-shen-2019-problem-5.1a", "snyder-shen-2019-problem-5.3a"],
)
def test_rq_by_turns_of_snyder_and_shen_2019(terms: dict[str, float], low: float, size: float) -> None:
    found = rq_iterated(**terms).iloc[0]
    assert (found["reorder_point"], found["order_quantity"]) == (pytest.approx(low, abs=1e-3), pytest.approx(size, abs=1e-3))


@pytest.mark.parametrize(
    ("terms", "low", "size"),
    [(EXAMPLE_5_1, 128.637814, 308.573780), (PROBLEM_5_1, -1.929822, 166.085007), (PROBLEM_5_3, 609.025206, 391.325951)],
    ids=["snyder-shen-2019-example-5.4", "snyder-shen-2019-problem-5.1b", "snyder-shen-2019-problem-5.3b"],
)
def test_rq_with_the_order_quantity_with_backorders_of_snyder_and_shen_2019(
    terms: dict[str, float], low: float, size: float
) -> None:
    found = rq_heuristic(**terms, with_backorders=True).iloc[0]
    assert (found["reorder_point"], found["order_quantity"]) == (pytest.approx(low, abs=1e-3), pytest.approx(size, abs=1e-5))


@pytest.mark.parametrize(
    ("terms", "low", "size"),
    [(EXAMPLE_5_1, 190.336997, 304.046780), (PROBLEM_5_1, 15.125515, 160.643866), (PROBLEM_5_3, 652.963895, 390.281949)],
    ids=["snyder-shen-2019-example-5.5", "snyder-shen-2019-problem-5.1c", "snyder-shen-2019-problem-5.3c"],
)
def test_eoq_and_safety_stock_of_snyder_and_shen_2019(terms: dict[str, float], low: float, size: float) -> None:
    found = rq_heuristic(**terms).iloc[0]
    assert (found["reorder_point"], found["order_quantity"]) == (pytest.approx(low, abs=1e-5), pytest.approx(size, abs=1e-5))


@pytest.mark.parametrize(
    ("terms", "low", "size"),
    [(EXAMPLE_5_1, 126.867064, 328.449141), (PROBLEM_5_1, -1.985869, 166.950102), (PROBLEM_5_3, 608.544512, 403.806002)],
    ids=["snyder-shen-2019-example-5.6", "snyder-shen-2019-problem-5.1d", "snyder-shen-2019-problem-5.3d"],
)
def test_rq_by_loss_functions_of_snyder_and_shen_2019(terms: dict[str, float], low: float, size: float) -> None:
    found = rq_loss_function(**terms).iloc[0]
    assert (found["reorder_point"], found["order_quantity"]) == (pytest.approx(low, abs=1e-3), pytest.approx(size, abs=1e-3))


# Zipkin (2008), table 3: best base-stock policy with lost sales, Poisson demand of mean 5, h 1, lead time 1 … 4.
ZIPKIN_BASE_STOCK = {
    4: (4.16, 4.64, 4.98, 5.20),
    9: (5.55, 6.32, 6.86, 7.27),
    19: (6.73, 7.84, 8.60, 9.23),
    39: (7.86, 9.19, 10.22, 11.06),
}


@pytest.mark.parametrize("shortage", ZIPKIN_BASE_STOCK)
@pytest.mark.parametrize("lead", [1, 2, 3])
def test_lost_sales_base_stock_of_zipkin_2008_table_3(shortage: float, lead: int) -> None:
    found = fit_lost_sales(poisson(5, 40), lead_time_pmf=lead_time(lead), shortage_cost=shortage).iloc[0]
    assert found["cost"] == pytest.approx(ZIPKIN_BASE_STOCK[shortage][lead - 1], abs=0.006)
    assert found["method"] == "exact"


@pytest.mark.parametrize(("shortage", "level"), [(4, 25), (9, 28), (19, 31), (39, 33)])
def test_lost_sales_base_stock_of_zipkin_2008_table_3_at_the_longest_lead_time(shortage: float, level: int) -> None:
    policy = pd.DataFrame({"reorder_point": [level - 1.0], "order_up_to_level": [float(level)]})
    found = score_lost_sales(policy, daily_pmf=poisson(5, 40), lead_time_pmf=lead_time(4), shortage_cost=shortage).iloc[0]
    assert found["cost"] == pytest.approx(ZIPKIN_BASE_STOCK[shortage][3], abs=0.006)


@pytest.mark.parametrize(
    ("policy", "cost"),
    [({"reorder_point": [17], "order_up_to_level": [23]}, 11.62), ({"reorder_point": [17], "order_quantity": [7]}, 11.56)],
    ids=["bijvank-bhulai-huh-2015-table-1-ss", "bijvank-bhulai-huh-2015-table-1-snq"],
)
def test_lost_sales_with_an_order_cost_of_bijvank_bhulai_and_huh_2015(policy: dict[str, list[float]], cost: float) -> None:
    costs = {"order_cost": 5, "holding_cost": 1, "shortage_cost": 14}
    found = score_lost_sales(pd.DataFrame(policy), daily_pmf=poisson(5, 40), lead_time_pmf=lead_time(2), **costs).iloc[0]
    assert found["cost"] == pytest.approx(cost, abs=0.005)


@pytest.mark.parametrize(("stock", "fill"), [(1, 0.368), (2, 0.736), (3, 0.920), (4, 0.981)])
def test_one_for_one_fill_of_a_pipeline_of_one_is_the_poisson_table(stock: int, fill: float) -> None:
    # (S − 1, S), unit demand: what comes finds a unit if fewer than S are on their way (Sherbrooke 2004; Palm's theorem)
    found = fit_rq_service([[0.0, 1.0]], lead_pmf=poisson(1.0, 40), order_quantity=1, target=fill - 1e-3).iloc[0]
    assert found["reorder_point"] == stock - 1
    assert found["shelf_fill"] == pytest.approx(fill, abs=5e-4)


def test_base_stock_of_snyder_and_shen_2019_example_4_3_with_poisson_demand() -> None:
    assert fit_base_stock(poisson(50.0), holding_cost=0.18, shortage_cost=0.70)["order_up_to_level"].iloc[0] == 56


def test_a_mixed_lead_time_has_the_variance_of_silver_pyke_and_thomas_2017() -> None:
    # Var D = E(L)·Var(d) + E(d)²·Var(L): Poisson 10 a day, lead time 2 or 8 days
    lead = np.array([[0, 0, 0.5, 0, 0, 0, 0, 0, 0.5]])
    pmf = demand_over(poisson(10, 60), lead_time_pmf=lead)[0]
    place = np.arange(len(pmf))
    assert (pmf @ place, pmf @ place**2 - (pmf @ place) ** 2) == (pytest.approx(50), pytest.approx(5 * 10 + 100 * 9))
