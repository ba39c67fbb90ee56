"""Arithmetic of distributions against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import count_pmf, demand_over, fit_pmf, trim
from cmi_analysis.inventory.loss import expected_shortage
from cmi_analysis.inventory.pmf import check_pmf, sum_pmfs
from cmi_analysis.inventory.pmf_shortage import chance_up_to, mean_of, shortage_at, shortage_curve
from cmi_analysis.inventory.value_checks import check_rows


def test_expected_shortage_is_the_plain_sum_at_any_level() -> None:
    pmf = check_pmf([[0.2, 0.0, 0.3, 0.5], [1.0, 0.0, 0.0, 0.0]], name="demand")
    level = np.array([[-3, 0, 1, 2, 3, 9]] * 2)
    found = shortage_at(level, curve=shortage_curve(pmf))
    for item in range(2):
        for place, stock in enumerate(level[item]):
            assert found[item, place] == pytest.approx(sum(c * max(d - stock, 0) for d, c in enumerate(pmf[item])))


def test_chances_are_the_plain_sums_at_any_level() -> None:
    pmf = np.array([[0.2, 0.0, 0.3, 0.5]])
    assert chance_up_to(np.array([[-1, 0, 1, 2, 3, 9]]), pmf=pmf)[0] == pytest.approx([0, 0.2, 0.2, 0.5, 1, 1])


def test_sums_of_demands_are_numpys_convolution() -> None:
    random = np.random.default_rng(1)
    first, second = random.dirichlet(np.ones(7), 3), random.dirichlet(np.ones(4), 3)
    for item, row in enumerate(sum_pmfs(first, second)):
        assert row == pytest.approx(np.convolve(first[item], second[item]), abs=1e-14)


def test_demand_over_a_random_lead_time_is_the_mixture_of_its_sums() -> None:
    daily, lead = np.array([[0.5, 0.3, 0.2]]), np.array([[0.25, 0.0, 0.5, 0.25]])
    found = demand_over(daily, lead_time_pmf=lead, days=2)[0]
    total = np.zeros(11)
    for days, chance in enumerate(lead[0]):
        one = np.array([1.0])
        for _ in range(days + 2):
            one = np.convolve(one, daily[0])
        total[: len(one)] += chance * one
    assert found == pytest.approx(total, abs=1e-12)


def test_no_days_have_no_demand() -> None:
    assert demand_over(np.array([[0.5, 0.5]]), lead_time_pmf=np.array([[1.0]])).tolist() == [[1.0]]


@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.3), (4.0, 11.0), (60.0, 75.0)])
def test_fitted_chances_have_the_moments_and_the_shortage_asked_for(mean: float, variance: float) -> None:
    pmf, step = fit_pmf([mean], variance=[variance])
    place = np.arange(pmf.shape[1])
    assert step[0] == 1
    assert mean_of(pmf)[0] == pytest.approx(mean, rel=1e-6)
    assert pmf[0] @ place**2 - mean_of(pmf)[0] ** 2 == pytest.approx(variance, rel=1e-5)
    for level in (0, 3, 70):
        short = shortage_curve(pmf)[0, level]
        assert short == pytest.approx(float(expected_shortage(level, mean=mean, variance=variance)), abs=1e-7)


def test_demand_too_large_for_whole_units_is_put_on_larger_steps() -> None:
    pmf, step = fit_pmf([20_000.0], variance=[9e6], points=512)
    place = np.arange(512) * step[0]
    assert step[0] > 1
    assert pmf[0] @ place == pytest.approx(20_000, rel=1e-3)
    assert np.sqrt(pmf[0] @ place**2 - (pmf[0] @ place) ** 2) == pytest.approx(3000, rel=1e-2)


def test_steps_that_do_not_reach_far_enough_are_told() -> None:
    with pytest.raises(InputError, match="steps large enough"):
        fit_pmf([20_000.0], points=512, step=1.0)


def test_no_demand_is_zero_for_sure() -> None:
    pmf, _ = fit_pmf([0.0, 2.0])
    assert pmf[0, 0] == 1.0
    assert not np.isnan(pmf).any()


def test_trimming_leaves_out_only_what_never_happens() -> None:
    assert trim(np.array([[0.5, 0.5, 0.0, 0.0], [0.5, 0.25, 0.25, 0.0]])).shape == (2, 3)


@pytest.mark.parametrize("pmf", [[[0.5, 0.6]], [[np.nan, 1.0]], [[1.2, -0.2]], [[]]])
def test_chances_that_are_none_are_told(pmf: list) -> None:
    with pytest.raises(InputError):
        check_pmf(pmf, name="demand")


@pytest.mark.parametrize(("mean", "variance"), [(-1.0, 1.0), (np.nan, 1.0), (1.0, -1.0)])
def test_moments_that_are_none_are_told(mean: float, variance: float) -> None:
    with pytest.raises(InputError):
        fit_pmf([mean], variance=[variance])


def test_rows_of_other_items_are_told() -> None:
    with pytest.raises(InputError, match="2 rows in review_pmf, 3 rows in lead_pmf"):
        check_rows(review_pmf=2, lead_pmf=3)


def test_no_demand_with_an_uncertain_forecast_is_no_demand() -> None:
    chances = count_pmf(mean=np.array([0.0, 1e-200]), variance=np.array([2000.0, 5.0]), points=50)
    assert chances[:, 0] == pytest.approx([1.0, 1.0], abs=1e-12)
