from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import count_pmf
from cmi_analysis.inventory.net_demand import net_lead_time_demand, returns_in_time, score_resellable, skellam_pmf


def test_skellam_is_scipys_skellam() -> None:
    pmf = skellam_pmf(demand=np.array([20.0, 3.0]), returned=np.array([6.0, 0.0]), points=120, lowest=-40)
    units = np.arange(-40, 80)
    assert pmf[0] == pytest.approx(stats.skellam.pmf(units, 20, 6), abs=1e-13)
    assert pmf[1] == pytest.approx(stats.poisson.pmf(units, 3.0), abs=1e-13)


def test_returns_netted_to_a_smaller_poisson_keep_93_of_95_percent() -> None:
    # demand 10, resellable returns 3 over the protection interval: a Poisson of 7 says 12 are enough
    level = stats.poisson.ppf(0.95, 7.0)
    net = net_lead_time_demand(count_pmf(mean=np.array([10.0]), points=80), count_pmf(mean=np.array([3.0]), points=40))
    assert 1 - net.chance_above(np.array([level]))[0] == pytest.approx(0.933, abs=0.0005)
    assert net.quantile(0.95)[0] > level
    assert 1 - net.chance_above(net.quantile(0.95))[0] >= 0.95


def test_any_two_distributions_are_netted_as_a_double_loop_does() -> None:
    random = np.random.default_rng(4)
    out, back = random.random(7), random.random(5)
    out, back = out / out.sum(), back / back.sum()
    truth = dict.fromkeys(range(-4, 7), 0.0)
    for i, p in enumerate(out):
        for j, q in enumerate(back):
            truth[i - j] += p * q
    net = net_lead_time_demand(out[None], back[None])
    assert net.values[0].tolist() == list(truth)
    assert net.probabilities[0] == pytest.approx(list(truth.values()), abs=1e-14)


def test_expected_shortage_counts_returns_that_raise_the_stock() -> None:
    net = net_lead_time_demand(count_pmf(mean=np.array([4.0]), points=60), count_pmf(mean=np.array([5.0]), points=60))
    random = np.random.default_rng(6)
    seen = random.poisson(4, 500_000) - random.poisson(5, 500_000)
    assert net.shortage(np.array([1.0]))[0] == pytest.approx(np.maximum(seen - 1, 0).mean(), abs=0.01)


def test_only_returns_back_on_the_shelf_in_time_count() -> None:
    random = np.random.default_rng(7)
    came = random.uniform(0, 10, 400_000)  # days on which goods come back, 0.8 a day
    ready = came + random.choice([2.0, 6.0], 400_000, p=[0.7, 0.3])
    good = random.random(400_000) < 0.6
    mean = 8.0 * np.mean(good & (ready <= 10))
    found = returns_in_time(
        np.array([0.8]),
        resellable=np.array([0.6]),
        times=np.array([[2.0, 6.0]]),
        chances=np.array([[0.7, 0.3]]),
        horizon=np.array([10.0]),
    )
    assert found[0] == pytest.approx(mean, rel=0.01)


def test_resellable_share_is_shrunk_to_that_of_all_and_says_where_it_comes_from() -> None:
    rows = pd.DataFrame(
        {
            "product_id": ["p", "p", "q", "r"],
            "quantity": [6.0, 2.0, 4.0, 5.0],
            "condition": ["resellable", "scrap", "repair", None],
        }
    )
    table = score_resellable(rows, prior_lines=2.0).set_index("product_id")
    prior, pooled = 2.0 * 17 / 4, 6 / 12
    assert table.loc["p", "resellable_share"] == pytest.approx((6 + prior * pooled) / (8 + prior))
    assert table.loc["q", "resellable_share"] == pytest.approx((0 + prior * pooled) / (4 + prior))
    assert table.loc["r", "resellable_share"] == pytest.approx(pooled)
    assert table["source"].tolist() == ["condition", "condition", "pooled"]


def test_without_any_condition_nothing_is_taken_as_resellable() -> None:
    table = score_resellable(pd.DataFrame({"product_id": ["p"], "quantity": [3.0]}))
    assert table["resellable_share"].tolist() == [0.0]
    assert table["source"].tolist() == ["unknown"]
    assert score_resellable(pd.DataFrame({"product_id": [], "quantity": []})).empty


def test_wrong_signs_are_told() -> None:
    with pytest.raises(InputError, match="sign"):
        skellam_pmf(demand=np.array([-1.0]), returned=np.array([1.0]), points=9, lowest=-3)
    with pytest.raises(InputError, match="Turn the sign"):
        score_resellable(pd.DataFrame({"product_id": ["p"], "quantity": [-3.0]}))
    with pytest.raises(InputError, match="resellable share"):
        returns_in_time(
            np.array([1.0]),
            resellable=np.array([1.2]),
            times=np.array([[1.0]]),
            chances=np.array([[1.0]]),
            horizon=np.array([2.0]),
        )
