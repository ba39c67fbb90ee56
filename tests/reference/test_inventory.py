"""Published numbers of inventory theory; each source names book or paper, and each number is also what the formula gives."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.eoq import (
    economic_order_quantity,
    economic_order_quantity_with_backorders,
    newsvendor_discrete,
    newsvendor_normal,
)
from cmi_analysis.inventory.lead_time_demand import fit_lead_time_demand
from cmi_analysis.inventory.loss import (
    gamma_shortage,
    negative_binomial_shortage,
    normal_shortage,
    poisson_shortage,
    shortage_chance,
)
from cmi_analysis.inventory.orders import propose_quantity
from cmi_analysis.measures.lead_time import fit_survival


def poisson(mean: float, count: int = 200) -> np.ndarray:
    return np.array([math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count)])


def test_eoq_of_snyder_and_shen_2019_example_3_1() -> None:
    assert float(economic_order_quantity(1300, order_cost=8, holding_cost=0.225)) == pytest.approx(304.1, abs=0.1)


def test_eoq_of_nahmias_2009_example_4_1_pencils() -> None:
    assert float(economic_order_quantity(60 * 52, order_cost=12, holding_cost=0.25 * 0.02)) == pytest.approx(3870, abs=1)


def test_eoq_with_backorders_of_snyder_and_shen_2019_example_3_8() -> None:
    quantity, share = economic_order_quantity_with_backorders(1300, order_cost=8, holding_cost=0.225, shortage_cost=5)
    assert quantity == pytest.approx(310.81, abs=0.01)
    assert share == pytest.approx(0.043, abs=0.0005)
    # the cost function itself is least there
    cost = {q: 8 * 1300 / q + 0.225 * q * (1 - share) ** 2 / 2 + 5 * q * share**2 / 2 for q in (300.0, quantity, 320.0)}
    assert min(cost, key=lambda q: cost[q]) == quantity


def test_newsvendor_of_snyder_and_shen_2019_example_4_3() -> None:
    assert newsvendor_normal(holding_cost=0.18, shortage_cost=0.70, mean=50, sd=8) == pytest.approx(56.6, abs=0.05)


def test_newsvendor_of_nahmias_2009_example_5_1_newsstand() -> None:
    assert newsvendor_normal(holding_cost=0.15, shortage_cost=0.50, mean=11.73, sd=4.74) == pytest.approx(15.24, abs=0.05)


def test_poisson_newsvendor_is_the_cost_minimum_found_by_summation() -> None:
    chances = poisson(50.0)
    level = newsvendor_discrete(chances, holding_cost=0.18, shortage_cost=0.70)
    demand = np.arange(len(chances))
    cost = [
        float((chances * (0.18 * np.maximum(s - demand, 0) + 0.70 * np.maximum(demand - s, 0))).sum())
        for s in range(len(chances))
    ]
    assert level == int(np.argmin(cost)) == 56


@pytest.mark.parametrize(("z", "loss"), [(0.0, 0.3989), (0.5, 0.1978), (1.0, 0.0833), (1.5, 0.0293), (2.0, 0.0085)])
def test_normal_loss_of_nahmias_2009_table_a_4(z: float, loss: float) -> None:
    assert float(normal_shortage(z, mean=0, sd=1)) == pytest.approx(loss, abs=5e-5)


def test_type_two_service_of_nahmias_2009_harveys_shop() -> None:
    # lead-time demand 100 ± 25, Q = 100, 98 % of demand from stock: n(R) = 2 at z = 1.02, R = 126 in whole units
    assert float(normal_shortage(100 + 1.02 * 25, mean=100, sd=25)) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(("stock", "short"), [(0, 1.0), (1, 0.368), (2, 0.104), (3, 0.023)])
def test_expected_backorders_of_sherbrooke_2004_for_a_pipeline_of_one(stock: int, short: float) -> None:
    assert float(poisson_shortage(stock, mean=1.0)) == pytest.approx(short, abs=5e-4)


@pytest.mark.parametrize(("mean", "stock", "below"), [(1.0, 2, 0.9197), (3.0, 5, 0.9161), (5.0, 8, 0.9319)])
def test_poisson_table(mean: float, stock: int, below: float) -> None:
    assert 1 - float(shortage_chance(stock, mean=mean, variance=mean)) == pytest.approx(below, abs=5e-5)


def test_geometric_demand_halves_its_shortage_with_each_unit() -> None:
    short = negative_binomial_shortage(np.arange(5), mean=1.0, variance=2.0)
    assert short == pytest.approx([1, 1 / 2, 1 / 4, 1 / 8, 1 / 16])


def test_negative_binomial_shortage_equals_its_sum() -> None:
    mean, variance = 7.3, 40.0
    r, p = mean**2 / (variance - mean), mean / variance
    chances = [
        math.exp(math.lgamma(k + r) - math.lgamma(r) - math.lgamma(k + 1) + r * math.log(p) + k * math.log(1 - p))
        for k in range(800)
    ]
    for level in (0, 3, 10, 30):
        by_sum = sum(c * max(k - level, 0) for k, c in enumerate(chances))
        assert float(negative_binomial_shortage(level, mean=mean, variance=variance)) == pytest.approx(by_sum, rel=1e-9)


def test_exponential_demand_of_burgin_1975_is_the_gamma_with_shape_one() -> None:
    assert float(gamma_shortage(3.0, mean=2.0, variance=4.0)) == pytest.approx(2 * math.exp(-1.5))


def test_kaplan_meier_of_freireich_1963_six_mercaptopurine() -> None:
    seen = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    still_open = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    rows = pd.DataFrame({"days": seen + still_open, "arrived": [True] * len(seen) + [False] * len(still_open)})
    survival = fit_survival(rows).set_index("days")["still_open"]
    assert survival.to_numpy() == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)


def test_base_stock_with_poisson_demand_has_the_fill_rate_of_the_poisson_table() -> None:
    # continuous review, unit demand: fill = P(demand over L < S), Sherbrooke (2004): the demand seen just before is D(L)
    time = np.arange(61.0)
    path = DemandPath(0.5 * time[None, :], 0.5 * time[None, :], np.array(["errors"]))
    _, lead = fit_lead_time_demand(path, days=np.array([[10.0]]), chances=np.array([[1.0]]), review_days=np.array([1.0]))
    assert 1 - float(lead.chance_above(np.array([7.0]))[0]) == pytest.approx(poisson(5.0)[:8].sum(), abs=1e-6)


def test_variance_over_a_random_lead_time_is_that_of_silver_pyke_and_thomas_2017() -> None:
    # Var D = E(L)·Var(d) + E(d)²·Var(L): 10 a day ± 2, lead time 2 or 8 days
    time = np.arange(61.0)
    path = DemandPath(10 * time[None, :], 4 * time[None, :] + 6 * time[None, :], np.array(["errors"]))
    days, chances = np.array([[2.0, 8.0]]), np.array([[0.5, 0.5]])
    _, lead = fit_lead_time_demand(path, days=days, chances=chances, review_days=np.array([1.0]))
    assert float(lead.mean()[0]) == pytest.approx(50.0, rel=1e-6)
    assert float(lead.sd()[0]) == pytest.approx(math.sqrt(5 * 10 + 100 * 9), rel=1e-6)


def test_a_lead_time_of_two_or_eight_days_is_not_normal() -> None:
    # the normal approximation puts its 60 % quantile where the mixture has 50 %
    time = np.arange(61.0)
    path = DemandPath(10 * time[None, :], 10 * time[None, :], np.array(["errors"]))
    days, chances = np.array([[2.0, 8.0]]), np.array([[0.5, 0.5]])
    _, lead = fit_lead_time_demand(path, days=days, chances=chances, review_days=np.array([1.0]))
    normal = 50 + 0.2533 * math.sqrt(950)
    assert 1 - float(lead.chance_above(np.array([normal]))[0]) == pytest.approx(0.51, abs=0.02)


def test_minimum_fifty_in_packs_of_twelve_makes_sixty() -> None:
    quantity, _ = propose_quantity(
        np.array([5.0]), position=np.array([0.0]), minimum=np.array([50.0]), multiple=np.array([12.0]), maximum=np.array([np.nan])
    )
    assert quantity.tolist() == [60.0]
