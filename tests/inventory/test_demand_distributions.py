from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_distributions import (
    compound_lead_time_demand,
    distribution_lead_time_demand,
    path_lead_time_demand,
    period_lead_time_demand,
    quantile_lead_time_demand,
)
from cmi_analysis.inventory.demand_pmf import count_pmf

HALF = np.array([[0.5, 0.5]])
NB_MEAN, NB_RATIO = 30.0, 2.4


def test_counts_are_scipys_poisson_and_negative_binomial() -> None:
    pmf = count_pmf(mean=np.array([4.0, 4.0, 0.0]), variance=np.array([4.0, 11.0, 0.0]), points=300)
    k = np.arange(300)
    assert pmf[0] == pytest.approx(stats.poisson.pmf(k, 4.0), abs=1e-15)
    assert pmf[1] == pytest.approx(stats.nbinom.pmf(k, 16 / 7, 4 / 11), abs=1e-13)
    assert pmf[2, 0] == 1.0


@pytest.mark.parametrize("family", ["poisson", "negative_binomial", "gamma", "normal"])
def test_the_mixture_over_the_lead_time_keeps_mean_sd_and_shortage(family: str) -> None:
    mean, variance = np.array([[30.0, 80.0]]), np.array([[30.0, 80.0]]) * (1.0 if family == "poisson" else 3.0)
    demand = distribution_lead_time_demand(mean=mean, variance=variance, chances=HALF, family=family)
    assert demand.mean()[0] == pytest.approx(55.0, rel=1e-3)
    assert demand.sd()[0] == pytest.approx(math.sqrt(variance.mean() + 25**2), rel=2e-3)
    draw = {
        "poisson": stats.poisson(mean[0]),
        "negative_binomial": stats.nbinom(mean[0] / 2, 1 / 3),
        "gamma": stats.gamma(mean[0] / 3, scale=3.0),
        "normal": stats.norm(mean[0], np.sqrt(variance[0])),
    }[family]
    for stock in (20.0, 60.0, 100.0):
        fine = np.arange(0, 400, 1.0 if family in ("poisson", "negative_binomial") else 0.01)
        step = fine[1]
        short = sum((1 - draw.cdf(y)).mean() * step for y in fine[fine >= stock])
        assert demand.shortage(np.array([stock]))[0] == pytest.approx(short, abs=0.01)


def test_large_demand_keeps_its_shortage_within_a_thousandth_of_its_sd() -> None:
    mean, variance = np.array([[5e5]]), np.array([[4e9]])
    for family, law in (("gamma", stats.gamma(62.5, scale=8000.0)), ("normal", stats.norm(5e5, math.sqrt(4e9)))):
        demand = distribution_lead_time_demand(mean=mean, variance=variance, chances=np.array([[1.0]]), family=family)
        short = law.expect(lambda x: max(x - 6e5, 0.0), lb=6e5)
        assert abs(demand.shortage(np.array([6e5]))[0] - short) < 1e-3 * math.sqrt(4e9)
        assert abs(demand.mean()[0] - 5e5) < 1e-3 * math.sqrt(4e9)


def test_normal_demand_below_zero_counts_as_none() -> None:
    demand = distribution_lead_time_demand(
        mean=np.array([[1.0]]), variance=np.array([[1.0]]), chances=np.array([[1.0]]), family="normal"
    )
    assert demand.values.min() == 0.0
    assert demand.mean()[0] == pytest.approx(1 + 0.0833, abs=2e-3)


def test_a_lead_time_of_two_or_eight_days_taken_as_normal_misses_its_targets() -> None:
    # 10 a day, sd 3: mean 50, variance 5·9 + 30² = 945; methods.md: 60 % gets 50 %, 95 % gets 99.6 %
    demand = distribution_lead_time_demand(
        mean=np.array([[20.0, 80.0]]), variance=np.array([[18.0, 72.0]]), chances=HALF, family="normal"
    )
    for target, kept in ((0.60, 0.50), (0.95, 0.996)):
        level = 50 + stats.norm.ppf(target) * math.sqrt(945)
        assert 1 - demand.chance_above(np.array([level]))[0] == pytest.approx(kept, abs=0.003)
        own = demand.quantile(target)
        assert 1 - demand.chance_above(own)[0] == pytest.approx(target, abs=0.003)


def test_over_dispersed_demand_taken_as_poisson_keeps_93_of_99_percent() -> None:
    truth = distribution_lead_time_demand(
        mean=np.array([[NB_MEAN]]),
        variance=np.array([[NB_MEAN * NB_RATIO]]),
        chances=np.array([[1.0]]),
        family="negative_binomial",
    )
    level = stats.poisson.ppf(0.99, NB_MEAN)
    assert 1 - truth.chance_above(np.array([level]))[0] == pytest.approx(0.934, abs=0.001)
    assert 1 - truth.chance_above(truth.quantile(0.99))[0] >= 0.99


def test_compound_poisson_over_a_mixed_lead_time_equals_simulation_free_moments() -> None:
    # Var D = E(L)·λ·E(X²) + (λ·E X)²·Var L
    sizes = np.array([[0.0, 0.6, 0.0, 0.0, 0.4]])
    over, lead = compound_lead_time_demand(
        rate=np.array([0.5]), sizes=sizes, times=np.array([[2.0, 8.0]]), chances=HALF, review=np.array([7.0])
    )
    first, second = 0.6 + 1.6, 0.6 + 6.4
    assert lead.mean()[0] == pytest.approx(5 * 0.5 * first)
    assert lead.sd()[0] ** 2 == pytest.approx(5 * 0.5 * second + (0.5 * first) ** 2 * 9)
    assert over.mean()[0] == pytest.approx(12 * 0.5 * first)


def test_periods_of_any_distribution_add_up_to_the_compound_one() -> None:
    sizes = np.array([[0.0, 0.5, 0.5]])
    one, _ = compound_lead_time_demand(rate=np.array([1.3]), sizes=sizes, times=np.array([[1.0]]), chances=np.array([[1.0]]))
    over, lead = period_lead_time_demand(one.probabilities, times=np.array([[2, 8]]), chances=HALF, review=3)
    over2, lead2 = compound_lead_time_demand(
        rate=np.array([1.3]), sizes=sizes, times=np.array([[2.0, 8.0]]), chances=HALF, review=3.0
    )
    assert over.probabilities == pytest.approx(over2.probabilities, abs=1e-13)
    assert lead.probabilities == pytest.approx(lead2.probabilities, abs=1e-13)


def test_paths_are_summed_over_each_lead_time_as_a_loop_does() -> None:
    paths = np.random.default_rng(1).poisson(3.0, (2, 50, 9)).astype(float)
    over, lead = path_lead_time_demand(paths, times=np.array([[2, 5], [0, 7]]), chances=np.array([[0.25, 0.75]] * 2), review=2)
    for item, times in ((0, (2, 5)), (1, (0, 7))):
        mean = sum(c * paths[item, :, : t + 2].sum(axis=1).mean() for t, c in zip(times, (0.25, 0.75), strict=True))
        assert over.mean()[item] == pytest.approx(mean)
        short = sum(
            c * np.maximum(paths[item, :, :t].sum(axis=1) - 8, 0).mean() for t, c in zip(times, (0.25, 0.75), strict=True)
        )
        assert lead.shortage(np.array([8.0, 8.0]))[item] == pytest.approx(short)
    assert over.probabilities.sum(axis=1) == pytest.approx(1.0)


def test_a_part_of_a_period_counts_in_proportion() -> None:
    _, lead = path_lead_time_demand(np.array([[[7.0, 14.0]]]), times=np.array([[10]]), chances=np.array([[1.0]]), parts=7)
    assert lead.mean().tolist() == [7 + 6.0]


def test_quantiles_of_a_gamma_give_its_mean_and_far_quantile_back() -> None:
    law = stats.gamma(4.0, scale=5.0)
    levels = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
    demand = quantile_lead_time_demand(law.ppf(levels)[None, :], levels=levels)
    assert demand.mean()[0] == pytest.approx(20.0, rel=0.02)
    assert demand.quantile(0.75)[0] == pytest.approx(law.ppf(0.75), rel=0.01)
    assert demand.quantile(0.99)[0] == pytest.approx(law.ppf(0.99), rel=0.06)
    assert demand.probabilities.sum() == pytest.approx(1.0)


def test_the_tail_of_an_exponential_is_the_exponential_itself() -> None:
    levels = np.array([0.5, 0.9, 0.95])
    demand = quantile_lead_time_demand(-np.log(1 - levels)[None, :], levels=levels)
    assert demand.quantile(0.999)[0] == pytest.approx(-math.log(0.001), rel=0.02)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: distribution_lead_time_demand(mean=HALF, variance=HALF, chances=HALF, family="weibull"), "one of poisson"),
        (lambda: distribution_lead_time_demand(mean=-HALF, variance=HALF, chances=HALF, family="gamma"), "zero or more"),
        (
            lambda: distribution_lead_time_demand(
                mean=np.array([[1e9]]), variance=np.array([[1e9]]), chances=np.array([[1.0]]), family="poisson"
            ),
            "gamma",
        ),
        (lambda: path_lead_time_demand(np.ones((1, 2, 3)), times=np.array([[4]]), chances=np.array([[1.0]])), "Forecast further"),
        (lambda: quantile_lead_time_demand(np.array([[1.0, 2.0]]), levels=np.array([0.9, 0.5])), "rising levels"),
        (
            lambda: compound_lead_time_demand(
                rate=np.array([900.0]),
                sizes=np.array([[0.0, 1.0]]),
                times=np.array([[9.0]]),
                chances=np.array([[1.0]]),
                points=99,
            ),
            "more points",
        ),
        (
            lambda: compound_lead_time_demand(
                rate=np.array([1.0]), sizes=np.array([[0.0, 1.0]]), times=np.array([[-9.0]]), chances=np.array([[1.0]])
            ),
            "lead times of zero or more",
        ),
    ],
)
def test_bad_input_is_told(call: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        call()  # type: ignore[operator]
