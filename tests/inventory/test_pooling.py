from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.pooling import pool_safety_stock, shrink_correlation, value_pooling

RNG = np.random.default_rng(3)
COMMON = RNG.normal(size=(24, 1))
SERIES = 0.8 * COMMON + RNG.normal(size=(24, 4)) * np.array([1.0, 2.0, 3.0, 4.0])


def frame(values: np.ndarray) -> pd.DataFrame:
    periods, sites = values.shape
    return pd.DataFrame(
        {
            "site": np.tile([f"s{number}" for number in range(sites)], periods),
            "period": np.repeat(np.arange(periods), sites),
            "error": values.ravel(),
        }
    )


def weight_by_loop(values: np.ndarray, *, towards: str) -> float:
    """Return the weight of Schäfer and Strimmer (2005) written as their sums."""
    count, sites = values.shape
    scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    pairs = [(i, j) for i in range(sites) for j in range(sites) if i != j]
    r = {(i, j): sum(scaled[k, i] * scaled[k, j] for k in range(count)) / (count - 1) for i, j in pairs}
    target = sum(r.values()) / len(r) if towards == "constant" else 0.0
    noise = 0.0
    for i, j in pairs:
        products = [scaled[k, i] * scaled[k, j] for k in range(count)]
        mean = sum(products) / count
        noise += count / (count - 1) ** 3 * sum((product - mean) ** 2 for product in products)
    return float(np.clip(noise / sum((value - target) ** 2 for value in r.values()), 0, 1))


@pytest.mark.parametrize("towards", ["constant", "zero"])
def test_the_weight_of_the_target_is_that_of_its_sums(towards: str) -> None:
    _, weight = shrink_correlation(SERIES, towards=towards)
    assert weight == pytest.approx(weight_by_loop(SERIES, towards=towards))


def test_pure_noise_is_drawn_far_and_a_common_shock_is_left_alone() -> None:
    noise = np.random.default_rng(5).normal(size=(20, 6))
    shock = np.random.default_rng(6).normal(size=(200, 1)) + 0.2 * np.random.default_rng(7).normal(size=(200, 6))
    assert shrink_correlation(noise, towards="zero")[1] > 0.7
    assert shrink_correlation(shock, towards="zero")[1] < 0.02


def test_a_stated_weight_lies_between_measured_and_target() -> None:
    measured, _ = shrink_correlation(SERIES, weight=0.0)
    drawn, weight = shrink_correlation(SERIES, weight=0.4)
    mean = measured[~np.eye(4, dtype=bool)].mean()
    assert weight == 0.4
    assert measured == pytest.approx(np.corrcoef(SERIES.T))
    assert drawn[0, 1] == pytest.approx(0.6 * measured[0, 1] + 0.4 * mean)
    assert np.linalg.eigvalsh(drawn).min() >= -1e-12


def test_the_shrunk_correlation_is_nearer_the_truth_on_average() -> None:
    truth = np.full((5, 5), 0.4) + 0.6 * np.eye(5)
    root = np.linalg.cholesky(truth)
    rng, gap = np.random.default_rng(11), np.zeros(2)
    for _ in range(200):
        values = rng.normal(size=(12, 5)) @ root.T
        for place, weight in enumerate((0.0, None)):
            gap[place] += ((shrink_correlation(values, weight=weight)[0] - truth) ** 2).sum()
    assert gap[1] < 0.8 * gap[0]


def test_pooled_stock_lies_between_nothing_and_apart_and_its_shares_sum_to_one() -> None:
    total, sites = pool_safety_stock(frame(SERIES), factor=1.645)
    row = total.iloc[0]
    assert 0 < row["pooled"] < row["apart"]
    assert row["basis"] == "measured"
    assert (row["sites"], row["periods"]) == (4, 24)
    assert sites["share"].sum() == pytest.approx(1.0)
    assert sites["apart"].sum() == pytest.approx(row["apart"])


def test_correlation_is_measured_over_the_periods_that_all_sites_have() -> None:
    gaps = frame(SERIES).drop(index=[0, 5])
    total, _ = pool_safety_stock(gaps, factor=1.0, weight=0.0)
    assert total["periods"].iloc[0] == 22
    kept = np.corrcoef(SERIES[2:].T)[~np.eye(4, dtype=bool)].mean()
    assert total["correlation"].iloc[0] == pytest.approx(kept)


def test_few_periods_and_a_lone_site_are_said_and_not_pooled() -> None:
    few, _ = pool_safety_stock(frame(SERIES[:5]), factor=2.0)
    lone, parts = pool_safety_stock(frame(SERIES[:, :1]), factor=2.0)
    assert few["basis"].tolist() == ["too few periods"]
    assert lone["basis"].tolist() == ["one site"]
    assert few["pooled"].iloc[0] == pytest.approx(few["apart"].iloc[0])
    assert lone["pooled"].iloc[0] == pytest.approx(lone["apart"].iloc[0])
    assert parts["share"].tolist() == [1.0]


def test_a_site_with_one_error_counts_as_too_few_and_nothing_is_missing() -> None:
    rows = frame(SERIES)
    total, parts = pool_safety_stock(rows[(rows["site"] != "s3") | (rows["period"] == 0)], factor=2.0)
    assert total["basis"].tolist() == ["too few periods"]
    assert total.notna().all().all()
    assert parts.notna().all().all()


def test_constant_errors_add_nothing_and_are_said() -> None:
    values = np.column_stack([SERIES[:, 0], np.full(24, 3.0)])
    total, parts = pool_safety_stock(frame(values), factor=1.0)
    assert total["basis"].tolist() == ["constant"]
    assert total["pooled"].iloc[0] == pytest.approx(SERIES[:, 0].std(ddof=1))
    assert parts["share"].tolist() == pytest.approx([1.0, 0.0])
    nothing, shares = pool_safety_stock(frame(np.full((10, 2), 1.0)), factor=1.0)
    assert nothing[["apart", "pooled"]].to_numpy().tolist() == [[0.0, 0.0]]
    assert shares["share"].tolist() == [0.5, 0.5]


def test_products_are_pooled_apart() -> None:
    both = pd.concat([frame(SERIES).assign(product_id="p"), frame(10 * SERIES).assign(product_id="q")])
    total, parts = pool_safety_stock(both, factor=1.0)
    assert total["product_id"].tolist() == ["p", "q"]
    assert total["pooled"].iloc[1] == pytest.approx(10 * total["pooled"].iloc[0])
    assert len(parts) == 8


def test_a_transfer_that_takes_as_long_as_the_protection_needs_root_two_times_the_stock() -> None:
    now, _ = pool_safety_stock(frame(SERIES), factor=1.0)
    later, _ = pool_safety_stock(frame(SERIES), factor=1.0, protection_days=7, transfer_days=7)
    assert later["pooled"].iloc[0] == pytest.approx(np.sqrt(2) * now["pooled"].iloc[0])
    with pytest.raises(InputError, match="protection_days"):
        pool_safety_stock(frame(SERIES), factor=1.0, transfer_days=7)


def test_pooling_pays_only_above_what_it_costs() -> None:
    total, _ = pool_safety_stock(frame(SERIES), factor=2.0)
    saved = float(total["apart"].iloc[0] - total["pooled"].iloc[0])
    cheap, dear = (value_pooling(total, holding_cost=3.0, extra_cost=3 * saved + step).iloc[0] for step in (-1.0, 1.0))
    assert bool(cheap["pays"])
    assert cheap["gain"] == pytest.approx(1.0)
    assert (bool(dear["pays"]), dear["reason"]) == (False, "costs more than it saves")


def test_pooling_that_cannot_be_judged_never_pays() -> None:
    total, _ = pool_safety_stock(frame(SERIES[:5]), factor=2.0)
    row = value_pooling(total, holding_cost=3.0, extra_cost=0.0).iloc[0]
    assert (bool(row["pays"]), row["reason"]) == (False, "too few periods")


def test_errors_speak_to_a_person() -> None:
    twice = pd.concat([frame(SERIES), frame(SERIES[:1])])
    with pytest.raises(InputError, match="one error for each site and period"):
        pool_safety_stock(twice, factor=1.0)
    with pytest.raises(InputError, match="target"):
        shrink_correlation(SERIES, towards="mean")
    with pytest.raises(InputError, match="weight from 0 to 1"):
        shrink_correlation(SERIES, weight=1.5)
    with pytest.raises(InputError, match="factor"):
        pool_safety_stock(frame(SERIES), factor=-1.0)
    with pytest.raises(InputError, match="extra_cost"):
        value_pooling(pool_safety_stock(frame(SERIES), factor=1.0)[0], holding_cost=1.0, extra_cost=np.nan)


def test_no_errors_make_no_rows_and_the_input_is_not_changed() -> None:
    rows = frame(SERIES)
    before = rows.copy()
    pool_safety_stock(rows, factor=1.0)
    pd.testing.assert_frame_equal(rows, before)
    total, parts = pool_safety_stock(rows.iloc[:0], factor=1.0)
    assert (len(total), len(parts)) == (0, 0)
