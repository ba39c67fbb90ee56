"""Published numbers about lead-time demand; each names its source and is also found by plain summation or simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cmi_analysis.inventory.demand_distributions import compound_lead_time_demand, distribution_lead_time_demand
from cmi_analysis.inventory.demand_pmf import count_pmf
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.loss import (
    gamma_shortage,
    negative_binomial_shortage,
    normal_shortage,
    poisson_shortage,
)
from cmi_analysis.inventory.net_demand import skellam_pmf
from cmi_analysis.inventory.parameter_uncertainty import inflate_variance
from cmi_analysis.inventory.pmf import compound_poisson, compound_sum, sum_pmfs
from cmi_analysis.measures.lead_time import fit_survival

ONE = np.array([[1.0]])


def loss_by_sum(pmf: list[float] | np.ndarray, level: float) -> float:
    return sum(p * max(k - level, 0.0) for k, p in enumerate(pmf))


def on_grid(pmf: np.ndarray) -> LeadTimeDemand:
    rows = np.atleast_2d(pmf)
    return LeadTimeDemand(np.broadcast_to(np.arange(rows.shape[1], dtype="float64"), rows.shape), rows)


@pytest.mark.parametrize(
    ("mean", "level", "short"), [(200.0, 220, 0.536005857158494), (7.0, 5, 2.292599516747219), (7.0, 11, 0.102799704109245)]
)
def test_poisson_loss_of_stockpyl_after_snyder_and_shen_2019_section_c_3(mean: float, level: int, short: float) -> None:
    found = float(poisson_shortage(level, mean=mean))
    assert found == pytest.approx(short, abs=5e-5)  # the source's own four places
    pmf = count_pmf(mean=np.array([mean]), points=600)
    assert on_grid(pmf).shortage(np.array([level]))[0] == pytest.approx(found, rel=1e-9)
    by_hand = [math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(600)]
    assert loss_by_sum(by_hand, level) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize(
    ("mean", "sd", "level", "short"),
    [
        (23.333333333333336, 8.819171036881968, 14, 9.740089476453932),
        (23.333333333333336, 8.819171036881968, 28, 1.805485505752903),
        (15.0, 6.123724356957944, 10, 5.533809274622726),
    ],
)
def test_negative_binomial_loss_of_stockpyl_after_zipkin_2000_section_c_2_3(
    mean: float, sd: float, level: int, short: float
) -> None:
    found = float(negative_binomial_shortage(level, mean=mean, variance=sd**2))
    assert found == pytest.approx(short, abs=5e-5)  # the source's own four places
    pmf = count_pmf(mean=np.array([mean]), variance=np.array([sd**2]), points=600)
    assert on_grid(pmf).shortage(np.array([level]))[0] == pytest.approx(found, abs=1e-9)
    chance = mean / sd**2
    by_hand = stats.nbinom.pmf(np.arange(600), mean * chance / (1 - chance), chance)
    assert loss_by_sum(by_hand, level) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize(
    ("mean", "sd", "level", "short"), [(8.0, 3.0, 11.0, 0.249946411763059), (15.0, 5.0, 10.5, 5.002155685433356)]
)
def test_normal_loss_of_stockpyl_after_zipkin_2000_section_c_2_2(mean: float, sd: float, level: float, short: float) -> None:
    assert float(normal_shortage(level, mean=mean, sd=sd)) == pytest.approx(short, abs=1e-12)
    assert stats.norm(mean, sd).expect(lambda x: x - level, lb=level) == pytest.approx(short, abs=1e-7)


def test_geometric_loss_of_stockpyl_discrete_loss_p_one_fifth() -> None:
    # number of failures before the first success, p = 0.2: mean 4, variance 20, n(5) = 4·0.8⁵
    assert float(negative_binomial_shortage(5, mean=4.0, variance=20.0)) == pytest.approx(1.310646440214040, abs=5e-4)
    assert float(negative_binomial_shortage(5, mean=4.0, variance=20.0)) == pytest.approx(4 * 0.8**5, abs=1e-9)


def test_discrete_loss_of_stockpyl_for_ten_listed_chances() -> None:
    chances = np.array([[0, 0.13, 0.15, 0.02, 0.15, 0.10, 0.02, 0.04, 0.09, 0.15, 0.15]])
    assert on_grid(chances).shortage(np.array([6.0]))[0] == pytest.approx(1.27)
    assert loss_by_sum(chances[0], 6) == pytest.approx(1.27)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("units", "times_none"), [(0, 1.0), (1, 1.0), (2, 5 / 2), (3, 19 / 6)])
def test_compound_poisson_of_kaas_et_al_2008_section_3_5(units: int, times_none: float, exact: bool) -> None:
    # λ = 4, claims of 1, 2, 3 with ¼, ½, ¼: f(s) = [f(s−1) + 4·f(s−2) + 3·f(s−3)]/s, f(0) = exp(−4) = 0.0183
    pmf, beyond = compound_poisson(np.array([4.0]), np.array([[0, 0.25, 0.5, 0.25]]), points=80, exact=exact)
    assert pmf[0, 0] == pytest.approx(0.0183, abs=5e-5)
    assert pmf[0, units] == pytest.approx(times_none * math.exp(-4))
    assert beyond[0] == pytest.approx(0.0, abs=1e-9)


def test_the_convolution_of_three_of_kaas_et_al_2008_section_2_4() -> None:
    # (1, 2, 1)/4 with (1, 0, 1)/2 with (1, 0, 2, 0, 1)/4 is (1, 2, 4, 6, 6, 6, 4, 2, 1)/32
    one, two, three = np.array([[0.25, 0.5, 0.25]]), np.array([[0.5, 0, 0.5]]), np.array([[0.25, 0, 0.5, 0, 0.25]])
    total = sum_pmfs(sum_pmfs(one, two), three)[0]
    assert (total * 32).round(9).tolist() == [1, 2, 4, 6, 6, 6, 4, 2, 1]


def test_geometric_number_of_geometric_sizes_is_geometric_feller_1968_chapter_12() -> None:
    # N geometric on 1, 2, …, p = 0.3; sizes geometric on 1, 2, …, q = 0.4: the sum is geometric with p·q
    counts = np.concatenate([[0.0], 0.3 * 0.7 ** np.arange(199)])[None]
    sizes = np.concatenate([[0.0], 0.4 * 0.6 ** np.arange(199)])[None]
    total, _ = compound_sum(counts / counts.sum(), sizes / sizes.sum(), points=512)
    assert total[0, 1:60] == pytest.approx(0.12 * 0.88 ** np.arange(59), abs=1e-9)


def test_stuttering_poisson_is_negative_binomial_for_logarithmic_sizes_quenouille_1949() -> None:
    share, rate = 0.6, 3.0
    sizes = np.concatenate([[0.0], -(share ** np.arange(1, 250)) / (np.arange(1, 250) * math.log(1 - share))])[None]
    _, lead = compound_lead_time_demand(rate=np.array([rate]), sizes=sizes, times=np.array([[1.0]]), chances=ONE, points=512)
    truth = stats.nbinom.pmf(np.arange(512), -rate / math.log(1 - share), 1 - share)
    assert lead.probabilities[0] == pytest.approx(truth, abs=1e-13)


def test_poisson_over_a_gamma_lead_time_is_negative_binomial_hadley_and_whitin_1963_chapter_3() -> None:
    # lead time exponential with mean 5 days at 2 a day: geometric with mean 10, here on a fine grid of lead times
    times = (np.arange(4000) + 0.5) / 4000
    lead = -5 * np.log(1 - times)
    demand = distribution_lead_time_demand(
        mean=2 * lead[None], variance=2 * lead[None], chances=np.full((1, 4000), 1 / 4000), family="poisson", points=200
    )
    truth = (1 / 11) * (10 / 11) ** np.arange(60)
    assert demand.probabilities[0, :60] == pytest.approx(truth, abs=2e-4)


@pytest.mark.parametrize(
    ("mean_time", "sd_time", "sd_day", "sd"),
    [(4.0, 0.0, 3.0, 6.0), (5.0, 3.0, 3.0, math.sqrt(5 * 9 + 100 * 9)), (10.0, 2.0, 5.0, math.sqrt(250 + 400))],
)
def test_sd_over_a_random_lead_time_is_that_of_silver_pyke_and_thomas_2017_section_6_10(
    mean_time: float, sd_time: float, sd_day: float, sd: float
) -> None:
    times = np.array([mean_time - sd_time, mean_time + sd_time])
    demand = distribution_lead_time_demand(
        mean=10 * times[None], variance=sd_day**2 * times[None], chances=np.array([[0.5, 0.5]]), family="gamma", points=4096
    )
    assert demand.sd()[0] == pytest.approx(sd, rel=1e-3)
    random = np.random.default_rng(1)
    drawn = random.choice(times, 200_000)
    assert random.normal(10 * drawn, sd_day * np.sqrt(drawn)).std() == pytest.approx(sd, rel=0.01)


@pytest.mark.parametrize(("demand", "returned"), [(1.0, 1.0), (10.0, 3.0), (50.0, 20.0)])
def test_moments_of_skellam_1946(demand: float, returned: float) -> None:
    pmf = skellam_pmf(demand=np.array([demand]), returned=np.array([returned]), points=401, lowest=-150)[0]
    units = np.arange(-150, 251)
    mean = (pmf * units).sum()
    central = [(pmf * (units - mean) ** power).sum() for power in (2, 3, 4)]
    assert mean == pytest.approx(demand - returned)
    assert central[0] == pytest.approx(demand + returned)
    assert central[1] / central[0] ** 1.5 == pytest.approx((demand - returned) / (demand + returned) ** 1.5)
    assert central[2] / central[0] ** 2 - 3 == pytest.approx(1 / (demand + returned), abs=1e-9)


def test_chance_of_a_draw_at_skellam_one_one_is_the_bessel_number_of_abramowitz_and_stegun_table_9_8() -> None:
    # exp(−2)·I₀(2) = 0.30850 83225
    pmf = skellam_pmf(demand=np.array([1.0]), returned=np.array([1.0]), points=61, lowest=-30)[0]
    assert pmf[30] == pytest.approx(0.3085083225, abs=1e-10)


def test_kaplan_meier_of_kaplan_and_meier_1958_first_example() -> None:
    # deaths at 0.8, 3.1, 5.4, 9.2; losses at 1.0, 2.7, 7.0, 12.1: P(1.0) = 7/8, then ×4/5, ×3/4, ×1/2
    rows = pd.DataFrame(
        {
            "days": [0.8, 1.0, 2.7, 3.1, 5.4, 7.0, 9.2, 12.1],
            "arrived": [True, False, False, True, True, False, True, False],
        }
    )
    still = fit_survival(rows)["still_open"].to_numpy()
    assert still == pytest.approx([7 / 8, 7 / 10, 21 / 40, 21 / 80])


def test_erlang_loss_of_burgin_1975_is_the_sum_of_poisson_terms() -> None:
    # gamma with shape 3 and scale 2: n(y) = Σ over Poisson terms of y/2
    y, shape, scale = 5.0, 3, 2.0
    terms = [math.exp(-y / scale) * (y / scale) ** k / math.factorial(k) for k in range(shape + 1)]
    short = shape * scale * sum(terms) - y * sum(terms[:shape])
    assert float(gamma_shortage(y, mean=6.0, variance=12.0)) == pytest.approx(short)
    assert stats.gamma(3, scale=2).expect(lambda x: x - y, lb=y) == pytest.approx(short, abs=1e-8)


def test_predictive_variance_of_the_normal_model_is_students_geisser_1993() -> None:
    # one period ahead of n = 10: t with 9 degrees of freedom, scale² = s²·(1 + 1/10), variance × 9/7
    found = inflate_variance(np.array([1.0]), periods=np.array([10]), horizon=1)
    assert found[0] == pytest.approx(stats.t(9, scale=math.sqrt(1.1)).var())
