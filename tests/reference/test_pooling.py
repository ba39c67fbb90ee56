"""Published numbers of pooling safety stock."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.inventory.newsvendor import fit_newsvendor
from cmi_analysis.inventory.pooling import pool_safety_stock, value_pooling

WEEKS = range(1, 9)
ACME = {
    "a": {"massachusetts": [33, 45, 37, 38, 55, 30, 18, 58], "new jersey": [46, 35, 41, 40, 26, 48, 18, 55]},
    "b": {"massachusetts": [0, 2, 3, 0, 0, 1, 3, 0], "new jersey": [2, 4, 0, 0, 3, 1, 0, 0]},
}


def long(sites: dict[str, list[float]]) -> pd.DataFrame:
    rows = [(site, week, float(value)) for site, values in sites.items() for week, value in enumerate(values, start=1)]
    return pd.DataFrame(rows, columns=["site", "period", "error"])


def with_correlation(sd: list[float], correlation: float, periods: int = 64) -> pd.DataFrame:
    """Return errors whose measured standard deviations and correlations are exactly those asked for."""
    sites = len(sd)
    noise = np.random.default_rng(1).normal(size=(periods, sites))
    basis, _ = np.linalg.qr(noise - noise.mean(axis=0))
    target = np.full((sites, sites), correlation) + (1 - correlation) * np.eye(sites)
    root = np.linalg.cholesky(target + 1e-14 * np.eye(sites))
    values = math.sqrt(periods - 1) * (basis @ root.T) * np.array(sd)
    return long({f"site {number}": list(values[:, number]) for number in range(sites)})


@pytest.mark.parametrize(
    ("product", "sd", "apart", "pooled"),
    [
        pytest.param("a", [13.2, 12.0], 25.08 + 22.8, 39.35, id="simchi-levi-kaminsky-2008-acme-product-a"),
        pytest.param("b", [1.36, 1.58], 2.58 + 3.0, 3.61, id="simchi-levi-kaminsky-2008-acme-product-b"),
    ],
)
def test_acme_pools_two_warehouses(product: str, sd: list[float], apart: float, pooled: float) -> None:
    total, sites = pool_safety_stock(long(ACME[product]), factor=1.9, weight=0.0)
    assert sites["sd"].to_numpy() == pytest.approx(sd, abs=0.06)
    assert total["apart"].iloc[0] == pytest.approx(apart, abs=0.1)
    assert total["pooled"].iloc[0] == pytest.approx(pooled, abs=0.06)
    # the measured correlation is what the standard deviation of the total week by week contains
    summed = np.sum(list(ACME[product].values()), axis=0).std(ddof=1)
    assert total["pooled"].iloc[0] == pytest.approx(1.9 * summed)


@pytest.mark.parametrize(
    ("correlation", "pooled"), [(0.0, 18.12), (0.2, 22.92), (0.4, 26.88), (0.6, 30.32), (0.8, 33.41), (1.0, 36.24)]
)
def test_four_dealers_of_chopra_and_meindl_2013_by_correlation(correlation: float, pooled: float) -> None:
    # 25 ± 5 a week at each of four dealers, lead time two weeks, cycle service 90 %
    errors = with_correlation([5 * math.sqrt(2)] * 4, correlation)
    total, sites = pool_safety_stock(errors, factor=1.2816, weight=0.0)
    assert total["apart"].iloc[0] == pytest.approx(36.24, abs=0.02)
    assert total["pooled"].iloc[0] == pytest.approx(pooled, abs=0.02)
    assert total["uncorrelated"].iloc[0] == pytest.approx(18.12, abs=0.02)
    assert sites["share"].to_numpy() == pytest.approx([0.25] * 4)


@pytest.mark.parametrize("sites", [2, 4, 9])
def test_central_cost_of_eppen_1979_is_the_root_of_n_smaller_without_correlation(sites: int) -> None:
    errors = with_correlation([10.0] * sites, 0.0)
    total, _ = pool_safety_stock(errors, factor=1.0, weight=0.0)
    costs = {"holding_cost": 1.0, "shortage_cost": 9.0}
    apart = sites * fit_newsvendor(100.0, sd=10.0, **costs)["cost"].iloc[0]
    central = fit_newsvendor(100.0 * sites, sd=total["pooled"].iloc[0], **costs)["cost"].iloc[0]
    assert central == pytest.approx(apart / math.sqrt(sites))


@pytest.mark.parametrize("correlation", [-0.3, 0.25, 0.7])
def test_pooled_deviation_of_eppen_1979_grows_with_the_correlation(correlation: float) -> None:
    sd = [3.0, 5.0, 8.0]
    total, _ = pool_safety_stock(with_correlation(sd, correlation), factor=1.0)
    by_loop = sum(sd[i] * sd[j] * (1.0 if i == j else correlation) for i in range(3) for j in range(3))
    assert total["pooled"].iloc[0] == pytest.approx(math.sqrt(by_loop))


def test_pooling_sites_that_move_as_one_saves_nothing_as_eppen_1979_shows() -> None:
    total, _ = pool_safety_stock(with_correlation([5.0, 7.0], 1.0), factor=2.0)
    value = value_pooling(total, holding_cost=10.0, extra_cost=1.0).iloc[0]
    assert total["pooled"].iloc[0] == pytest.approx(24.0, abs=1e-5)
    assert not value["pays"]
