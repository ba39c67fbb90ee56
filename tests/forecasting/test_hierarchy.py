"""Reconciled forecasts against the closed formula, written out with dense matrices."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.hierarchy import Hierarchy, build_hierarchy, reconcile_forecasts, shrinkage

SERIES = pd.DataFrame({"customer_id": ["A", "A", "B", "C", "C"], "product_id": ["p", "q", "p", "q", "r"]})
GROUPS = {"A": "North", "B": "North", "C": "South"}
CATEGORIES = {"p": "x", "q": "x", "r": "y"}
# all; North, South; A, B, C; x, y; p, q, r; the five
SUMMING = np.array(
    [
        [1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0],
        [0, 0, 0, 1, 1],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 1, 1],
        [1, 1, 1, 1, 0],
        [0, 0, 0, 0, 1],
        [1, 0, 1, 0, 0],
        [0, 1, 0, 1, 0],
        [0, 0, 0, 0, 1],
        *np.eye(5).tolist(),
    ]
)


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return build_hierarchy(SERIES, groups=GROUPS, categories=CATEGORIES)


@pytest.fixture(scope="module")
def base() -> np.ndarray:
    return np.random.default_rng(1).uniform(20, 60, (16, 3)) * SUMMING.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def errors() -> np.ndarray:
    random = np.random.default_rng(2)
    return SUMMING @ random.normal(0, 3, (5, 30)) + random.normal(0, 2, (16, 30))


def closed(base: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """S (SᵀW⁻¹S)⁻¹ SᵀW⁻¹ ŷ (Wickramasuriya, Athanasopoulos and Hyndman 2019, equation 9)."""
    inverse = np.linalg.inv(covariance)
    return SUMMING @ np.linalg.solve(SUMMING.T @ inverse @ SUMMING, SUMMING.T @ inverse @ base)


def test_the_summing_matrix_is_the_one_written_out(hierarchy):
    np.testing.assert_array_equal(hierarchy.summing.toarray(), SUMMING)
    assert hierarchy.nodes["node"].tolist()[:8] == ["all", "North", "South", "A", "B", "C", "x", "y"]


def test_variances_alone_give_the_closed_formula(hierarchy, base, errors):
    found = reconcile_forecasts(base, hierarchy=hierarchy, method="mint", errors=errors, shrink=False)
    np.testing.assert_allclose(found, closed(base, np.diag((errors**2).mean(axis=1))), rtol=1e-9)


def test_a_shrunk_covariance_gives_the_closed_formula(hierarchy, base, errors):
    whole = errors @ errors.T / errors.shape[1]
    deviation = np.sqrt(np.diag(whole))
    standard = errors / deviation[:, None]
    top = bottom = 0.0
    for i in range(16):
        for j in range(16):
            if i != j:
                product = standard[i] * standard[j]
                top += ((product - product.mean()) ** 2).sum() / (30 * 29)
                bottom += product.mean() ** 2
    weight = top / bottom
    assert shrinkage(standard) == pytest.approx(weight)
    assert 0.01 < weight < 0.9
    found = reconcile_forecasts(base, hierarchy=hierarchy, method="mint", errors=errors)
    np.testing.assert_allclose(found, closed(base, weight * np.diag(np.diag(whole)) + (1 - weight) * whole), rtol=1e-8)


@pytest.mark.parametrize("method", ["bottom_up", "proportions", "mint"])
def test_every_level_adds_up_and_nothing_is_negative(hierarchy, base, errors, method):
    wild = base - 150 * np.random.default_rng(4).uniform(0, 1, base.shape) * (SUMMING.sum(axis=1, keepdims=True) == 1)
    assert (wild < 0).any()
    found = reconcile_forecasts(wild, hierarchy=hierarchy, method=method, errors=errors)
    assert np.abs(found - SUMMING @ found[-5:]).max() <= 1e-9
    assert (found >= 0).all()


def test_what_is_held_at_zero_is_taken_from_the_others_not_from_the_total(hierarchy, errors):
    truth = SUMMING @ np.array([[30.0], [5.0], [20.0], [40.0], [10.0]])
    truth[12] = -20.0
    held = reconcile_forecasts(truth, hierarchy=hierarchy, method="mint", errors=errors * 0.01 + 1, shrink=False)
    clipped = reconcile_forecasts(
        truth, hierarchy=hierarchy, method="mint", errors=errors * 0.01 + 1, shrink=False, nonnegative=False
    )
    if (clipped < 0).any():
        assert abs(held[0, 0] - truth[0, 0]) <= abs((SUMMING @ np.maximum(clipped[-5:], 0))[0, 0] - truth[0, 0])
    assert (held >= 0).all()


def test_forecasts_that_add_up_are_left_as_they_are_so_no_bias_comes_in(hierarchy, errors):
    truth = SUMMING @ np.random.default_rng(5).uniform(10, 50, (5, 4))
    for shrink in (True, False):
        found = reconcile_forecasts(truth, hierarchy=hierarchy, method="mint", errors=errors, shrink=shrink)
        np.testing.assert_allclose(found, truth, rtol=1e-10)
    noise = np.random.default_rng(6).normal(0, 1, (16, 4000))
    noisy = reconcile_forecasts(np.repeat(truth[:, :1], 4000, axis=1) + noise, hierarchy=hierarchy, method="mint", errors=errors)
    np.testing.assert_allclose(noisy.mean(axis=1), truth[:, 0], atol=0.1)


def test_bottom_up_leaves_the_bottom_untouched(hierarchy, base):
    found = reconcile_forecasts(base, hierarchy=hierarchy)
    np.testing.assert_array_equal(found[-5:], base[-5:])


def test_proportions_keep_the_total_and_share_it_as_the_forecasts_below(hierarchy, base):
    found = reconcile_forecasts(base, hierarchy=hierarchy, method="proportions")
    np.testing.assert_allclose(found[0], base[0])
    np.testing.assert_allclose(found[1], base[0] * base[1] / (base[1] + base[2]))
    np.testing.assert_allclose(found[3], found[1] * base[3] / (base[3] + base[4]))
    np.testing.assert_allclose(found[11], found[3] * base[11] / (base[11] + base[12]))


def test_where_all_below_is_zero_it_is_shared_equally(hierarchy, base):
    nothing = base.copy()
    nothing[[11, 12]] = 0.0
    found = reconcile_forecasts(nothing, hierarchy=hierarchy, method="proportions")
    np.testing.assert_allclose(found[11], found[3] / 2)


def test_products_without_a_category_share_one_node():
    made = build_hierarchy(SERIES, categories={"p": "x"})
    assert made.nodes.loc[made.nodes["level"] == "category", "node"].tolist() == ["", "x"]
    assert "group" not in set(made.nodes["level"])


def test_least_variance_without_errors_or_with_unknown_forecasts_is_refused_in_words(hierarchy, base):
    with pytest.raises(InputError, match="past errors of every node"):
        reconcile_forecasts(base, hierarchy=hierarchy, method="mint")
    with pytest.raises(InputError, match="a known forecast for each of 16 nodes"):
        reconcile_forecasts(base[:-1], hierarchy=hierarchy)


def test_four_thousand_series_need_no_matrix_of_all_nodes():
    random = np.random.default_rng(9)
    pairs = pd.MultiIndex.from_product([range(100), range(40)]).to_frame(index=False).astype(str)
    pairs.columns = ["customer_id", "product_id"]
    made = build_hierarchy(pairs, groups={str(i): str(i % 7) for i in range(100)})
    nodes = made.summing.shape[0]
    base = made.summing @ random.gamma(2.0, 5.0, (4000, 4)) + random.normal(0, 5, (nodes, 4))
    tracemalloc.start()
    found = reconcile_forecasts(base, hierarchy=made, method="mint", errors=random.normal(0, 5, (nodes, 40)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < nodes**2 * 8 / 3
    assert (found >= 0).all()
    np.testing.assert_allclose(found, made.summing @ found[-4000:], atol=1e-9)
