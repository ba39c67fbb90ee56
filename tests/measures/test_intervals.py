"""Intervals of shares and ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cmi_analysis.measures.intervals import bootstrap_ratio, wilson_interval


def test_wilson_equals_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    for successes, n in ((0, 5), (3, 7), (50, 50), (120, 400)):
        assert wilson_interval(successes, n) == pytest.approx(proportion_confint(successes, n, method="wilson"))


def test_no_case_gives_a_missing_interval():
    assert all(math.isnan(bound) for bound in wilson_interval(0, 0))
    assert all(math.isnan(bound) for bound in bootstrap_ratio([], [], clusters=[], seed=1))


def test_the_bootstrap_value_is_the_ratio_of_sums():
    assert bootstrap_ratio([1, 2, 3], [10, 10, 40], clusters=["a", "b", "b"], seed=1)[0] == 0.1


def test_the_bootstrap_covers_the_truth_as_often_as_it_says():
    random, hits = np.random.default_rng(11), 0
    for seed in range(300):
        sizes = random.gamma(4, 10, 40)
        errors = sizes * random.normal(0.1, 0.3, 40)
        _, low, high = bootstrap_ratio(errors, sizes, clusters=np.arange(40), seed=seed, draws=299)
        hits += low <= 0.1 <= high
    assert 0.90 <= hits / 300 <= 0.98


def test_the_order_of_rows_does_not_move_the_interval():
    random = np.random.default_rng(2)
    top, bottom, name = random.random(50), random.random(50) + 1, random.choice(list("abcdefgh"), 50)
    order = random.permutation(50)
    first = bootstrap_ratio(top, bottom, clusters=name, seed=4)
    assert bootstrap_ratio(top[order], bottom[order], clusters=name[order], seed=4) == pytest.approx(first)


def test_fewer_than_five_clusters_have_no_interval():
    value, low, _ = bootstrap_ratio([1, 1, 1, 1], [2, 2, 2, 2], clusters=list("abcd"), seed=1)
    assert value == 0.5
    assert math.isnan(low)
