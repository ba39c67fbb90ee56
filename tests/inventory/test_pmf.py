from __future__ import annotations

import math

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.pmf import (
    add_times,
    check_pmf,
    compound_poisson,
    compound_sum,
    cut_pmf,
    mix_pmfs,
    score_pmf,
    sum_over_times,
    sum_pmfs,
)

RANDOM = np.random.default_rng(3)


def some_pmfs(items: int, points: int) -> np.ndarray:
    values = RANDOM.random((items, points))
    return values / values.sum(axis=1, keepdims=True)


def by_loop(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    total = np.zeros(len(first) + len(second) - 1)
    for i, p in enumerate(first):
        for j, q in enumerate(second):
            total[i + j] += p * q
    return total


@pytest.mark.parametrize("exact", [True, False])
def test_a_sum_of_two_equals_the_plain_double_loop(exact: bool) -> None:
    one, two = some_pmfs(4, 9), some_pmfs(4, 6)
    total = sum_pmfs(one, two, exact=exact)
    for row in range(4):
        assert total[row] == pytest.approx(by_loop(one[row], two[row]), abs=1e-14)


def test_the_transform_is_never_negative_sums_to_one_and_keeps_its_stated_error() -> None:
    k = np.arange(400)
    poisson = np.exp(-20 + k * math.log(20) - np.array([math.lgamma(x + 1) for x in k]))[None, :]
    fast, exact = sum_pmfs(poisson, poisson), sum_pmfs(poisson, poisson, exact=True)
    assert (fast >= 0).all()
    assert fast.sum() == pytest.approx(1.0, abs=1e-14)
    assert np.abs(fast - exact).max() < 1e-15
    # far out only the direct sum keeps the true tail
    truth = np.array([math.exp(-40 + x * math.log(40) - math.lgamma(x + 1)) for x in range(200, 220)])
    assert exact[0, 200:220] == pytest.approx(truth, rel=1e-9, abs=0)


def test_a_power_equals_repeated_sums_with_each_items_own_number() -> None:
    pmfs, times = some_pmfs(3, 5), np.array([0, 1, 4])
    total, beyond = add_times(pmfs, times=times, points=30)
    assert total[0].tolist() == [1.0, *[0.0] * 29]
    assert total[1, :5] == pytest.approx(pmfs[1])
    four = by_loop(by_loop(pmfs[2], pmfs[2]), by_loop(pmfs[2], pmfs[2]))
    assert total[2, :17] == pytest.approx(four, abs=1e-14)
    assert beyond == pytest.approx([0, 0, 0], abs=1e-14)


def test_mass_beyond_the_grid_is_told_and_stands_on_the_last_point() -> None:
    total, beyond = add_times(np.array([[0.0, 1.0]]), times=7, points=5)
    assert total[0].round(12).tolist() == [0, 0, 0, 0, 1]
    assert beyond == pytest.approx([1.0])
    kept, lost = cut_pmf(np.array([[0.1, 0.2, 0.3, 0.4]]), points=2)
    assert kept.tolist() == [[0.1, pytest.approx(0.9)]]
    assert lost == pytest.approx([0.7])


def test_compound_sums_by_transform_and_by_recursion_equal_a_sum_over_the_number() -> None:
    sizes, rate = np.array([[0.0, 0.2, 0.5, 0.3]]), 3.5
    by_sum = np.zeros(120)
    power = np.zeros(120)
    power[0] = 1.0
    for number in range(60):
        by_sum += math.exp(-rate + number * math.log(rate) - math.lgamma(number + 1)) * power
        power = by_loop(power, sizes[0])[:120]
    fast, _ = compound_poisson(np.array([rate]), sizes, points=120)
    exact, _ = compound_poisson(np.array([rate]), sizes, points=120, exact=True)
    assert fast[0] == pytest.approx(by_sum, abs=2e-15)
    assert exact[0, :100] == pytest.approx(by_sum[:100], rel=1e-9, abs=1e-300)
    number = np.array([math.exp(-rate + n * math.log(rate) - math.lgamma(n + 1)) for n in range(60)])
    assert compound_sum(number[None, :], sizes, points=120)[0][0] == pytest.approx(by_sum, abs=1e-14)


def test_demand_over_a_random_time_is_the_mixture_of_the_powers() -> None:
    pmfs, times, chances = some_pmfs(2, 4), np.array([[1, 3], [0, 2]]), np.array([[0.3, 0.7], [0.5, 0.5]])
    total, _ = sum_over_times(pmfs, times=times, chances=chances, points=40, extra=np.array([1, 2]))
    for row, extra in ((0, 1), (1, 2)):
        parts = np.stack([add_times(pmfs[[row]], times=int(t) + extra, points=40)[0][0] for t in times[row]])
        assert total[row] == pytest.approx(mix_pmfs(parts[None], chances[[row]])[0], abs=1e-14)


def test_mean_and_sd_of_a_sum_add_up() -> None:
    one, two = some_pmfs(5, 8), some_pmfs(5, 8)
    mean, sd = score_pmf(sum_pmfs(one, two), step=2.0)
    parts = [score_pmf(one, step=2.0), score_pmf(two, step=2.0)]
    assert mean == pytest.approx(parts[0][0] + parts[1][0])
    assert sd**2 == pytest.approx(parts[0][1] ** 2 + parts[1][1] ** 2)


@pytest.mark.parametrize("wrong", [[[0.5, 0.6]], [[-0.1, 1.1]], [[np.nan, 1.0]], [[]]])
def test_what_is_not_a_distribution_is_an_error(wrong: list[list[float]]) -> None:
    with pytest.raises(InputError, match="sum to 1"):
        check_pmf(np.array(wrong))


def test_negative_rates_draws_and_times_are_errors() -> None:
    one = np.array([[0.5, 0.5]])
    with pytest.raises(InputError, match="demand rate"):
        compound_poisson(np.array([-1.0]), one, points=9)
    with pytest.raises(InputError, match="whole number of draws"):
        add_times(one, times=-1, points=9)
    with pytest.raises(InputError, match="whole lead times"):
        sum_over_times(one, times=np.array([[1.5]]), chances=np.array([[1.0]]), points=9)


def test_inputs_stay_as_they_were() -> None:
    pmfs = some_pmfs(2, 6)
    before = pmfs.copy()
    cut_pmf(pmfs, points=3)
    add_times(pmfs, times=2, points=4)
    sum_pmfs(pmfs, pmfs, points=3)
    assert (pmfs == before).all()
