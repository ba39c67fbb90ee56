from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from cmi_analysis.errors import InputError
from cmi_analysis.inventory import eoq
from cmi_analysis.inventory.newsvendor import (
    DISTRIBUTIONS,
    fit_newsvendor,
    fit_short_life,
    newsvendor_cost_discrete,
    newsvendor_discrete,
    newsvendor_normal,
    newsvendor_outcome,
)

MEAN, SD = np.array([3.0, 40.0, 700.0]), np.array([2.0, 9.0, 800.0])


def scipy_of(distribution: str, mean: float, sd: float) -> stats.rv_frozen:
    """Return the same demand from another library."""
    width = np.sqrt(np.log1p((sd / mean) ** 2))
    return {
        "normal": lambda: stats.norm(mean, sd),
        "poisson": lambda: stats.poisson(mean),
        "gamma": lambda: stats.gamma((mean / sd) ** 2, scale=sd**2 / mean),
        "lognormal": lambda: stats.lognorm(width, scale=mean * np.exp(-(width**2) / 2)),
        "uniform": lambda: stats.uniform(mean - np.sqrt(3) * sd, 2 * np.sqrt(3) * sd),
    }[distribution]()


@pytest.mark.parametrize("ratio", [0.05, 0.5, 0.9, 0.995])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_level_is_the_quantile_of_another_library(distribution: str, ratio: float) -> None:
    found = fit_newsvendor(MEAN, sd=SD, holding_cost=1 - ratio, shortage_cost=ratio, distribution=distribution)
    expected = [scipy_of(distribution, mean, sd).ppf(ratio) for mean, sd in zip(MEAN, SD, strict=True)]
    assert found["level"].to_numpy() == pytest.approx(expected, rel=1e-7)
    assert found["critical_ratio"].to_numpy() == pytest.approx([ratio] * 3)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_leftover_and_short_are_the_means_of_a_large_sample(distribution: str) -> None:
    found = fit_newsvendor(MEAN, sd=SD, holding_cost=1.0, shortage_cost=4.0, distribution=distribution)
    for row, (mean, sd) in enumerate(zip(MEAN, SD, strict=True)):
        demand = scipy_of(distribution, mean, sd).ppf((np.arange(400_000) + 0.5) / 400_000)
        gap = found["level"].iloc[row] - demand
        over, under = np.maximum(gap, 0).mean(), np.maximum(-gap, 0).mean()
        assert found["leftover"].iloc[row] == pytest.approx(over, rel=2e-3)
        assert found["short"].iloc[row] == pytest.approx(under, rel=5e-3)
        assert found["cost"].iloc[row] == pytest.approx(over + 4 * under, rel=3e-3)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_no_other_level_costs_less(distribution: str) -> None:
    terms = {"mean": 40.0, "sd": 9.0, "holding_cost": 1.0, "shortage_cost": 7.0, "distribution": distribution}
    best = fit_newsvendor(**terms)["cost"].iloc[0]
    step = 1.0 if distribution == "poisson" else 0.25
    assert newsvendor_outcome(np.arange(0.0, 120.0, step), **terms)["cost"].min() >= best - 1e-9


def test_the_poisson_level_is_right_where_the_ratio_is_exactly_a_chance() -> None:
    for mean in (0.3, 1.0, 6.0, 55.0):
        for stock in (0, 1, 5, 60):
            ratio = float(stats.poisson(mean).cdf(stock))
            if ratio < 1 - 1e-12:
                found = fit_newsvendor(mean, holding_cost=1 - ratio, shortage_cost=ratio, distribution="poisson")
                assert found["level"].iloc[0] == stock


def test_discrete_and_poisson_agree() -> None:
    for shortage in (0.2, 1.0, 9.0, 300.0):
        chances = stats.poisson(12.0).pmf(np.arange(120))
        level = newsvendor_discrete(chances, holding_cost=1.0, shortage_cost=shortage)
        assert level == fit_newsvendor(12.0, holding_cost=1.0, shortage_cost=shortage, distribution="poisson")["level"].iloc[0]
        costs = newsvendor_cost_discrete(np.arange(60), probabilities=chances, holding_cost=1.0, shortage_cost=shortage)
        assert level == int(costs.argmin())


def test_chances_that_end_early_give_their_largest_demand() -> None:
    assert newsvendor_discrete([0.5, 0.4999999], holding_cost=1e-9, shortage_cost=1e3) == 1


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_an_item_without_demand_needs_nothing(distribution: str) -> None:
    found = fit_newsvendor([0.0, 10.0], sd=0.0, holding_cost=1.0, shortage_cost=4.0, distribution=distribution)
    assert found.loc[0, ["level", "leftover", "short", "cost"]].tolist() == [0.0] * 4
    assert found.notna().all().all()
    if distribution != "poisson":
        assert found.loc[1, ["level", "cost"]].tolist() == [10.0, 0.0]


def test_the_old_names_are_the_same_functions() -> None:
    assert eoq.newsvendor_normal is newsvendor_normal
    assert eoq.newsvendor_discrete is newsvendor_discrete
    one = newsvendor_normal(holding_cost=0.18, shortage_cost=0.70, mean=50, sd=8)
    assert one == pytest.approx(fit_newsvendor(50, sd=8, holding_cost=0.18, shortage_cost=0.70)["level"].iloc[0])


def test_a_short_life_item_earns_most_at_its_quantity() -> None:
    terms = {"price": 190.0, "unit_cost": 110.0, "salvage_value": 90.0}
    order = fit_short_life(3192, sd=1181, **terms).iloc[0]
    assert order["critical_ratio"] == pytest.approx(0.8)
    demand = np.random.default_rng(0).normal(3192, 1181, 400_000)
    profit = {}
    for quantity in (order["level"] - 200, order["level"], order["level"] + 200):
        sold = np.minimum(demand, quantity)
        profit[quantity] = float((190 * sold + 90 * (quantity - sold) - 110 * quantity).mean())
    assert max(profit, key=lambda quantity: profit[quantity]) == order["level"]
    assert order["profit"] == pytest.approx(profit[order["level"]], rel=3e-3)
    assert order["sales"] == pytest.approx(np.minimum(demand, order["level"]).mean(), rel=3e-3)
    assert order["sales"] + order["leftover"] == pytest.approx(order["level"])


def test_goodwill_raises_the_order_and_disposal_lowers_it() -> None:
    terms = {"sd": 20.0, "price": 10.0, "unit_cost": 6.0}
    plain = fit_short_life(100.0, **terms)["level"].iloc[0]
    assert fit_short_life(100.0, goodwill_cost=5.0, **terms)["level"].iloc[0] > plain
    assert fit_short_life(100.0, salvage_value=-3.0, **terms)["level"].iloc[0] < plain


def test_bad_input_is_an_error() -> None:
    with pytest.raises(InputError, match="distribution out of normal"):
        fit_newsvendor(5, sd=1, holding_cost=1, shortage_cost=1, distribution="beta")
    with pytest.raises(InputError, match="shortage_cost above zero"):
        fit_newsvendor(5, sd=1, holding_cost=1, shortage_cost=[1, 0])
    with pytest.raises(InputError, match="mean of zero or more; found nan"):
        fit_newsvendor(np.nan, sd=1, holding_cost=1, shortage_cost=1)
    with pytest.raises(InputError, match="sd of zero or more"):
        newsvendor_normal(holding_cost=1, shortage_cost=1, mean=5, sd=-1)
    for chances in ([], [0.5, 0.4], [1.5, -0.5], [0.5, np.nan]):
        with pytest.raises(InputError, match="sum to 1"):
            newsvendor_discrete(chances, holding_cost=1, shortage_cost=1)
    for price, cost, salvage in ((5, 5, 1), (5, 4, 4), (5, 6, 1), (np.nan, 4, 1)):
        with pytest.raises(InputError, match="price above unit_cost above salvage_value"):
            fit_short_life(10, sd=2, price=price, unit_cost=cost, salvage_value=salvage)
