"""Demand pattern per series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.measures.demand_pattern import classify_demand, classify_matrix


def series(quantities: list[float], *, customer: str = "C1", product: str = "P1", **columns: list[object]) -> pd.DataFrame:
    periods = pd.date_range("2025-01-06", periods=len(quantities), freq="W-MON")
    frame = pd.DataFrame({"customer_id": customer, "product_id": product, "period": periods, "quantity": quantities})
    return frame.assign(**columns)


def pattern_of(quantities: list[float], **settings: float) -> str:
    return str(classify_demand(series(quantities), **settings)["pattern"].iloc[0])


def test_each_of_the_four_patterns_and_too_few_is_found() -> None:
    assert pattern_of([5, 6, 5, 6]) == "smooth"
    assert pattern_of([1, 20, 1, 1]) == "erratic"
    assert pattern_of([5, 0, 0, 5, 0, 5]) == "intermittent"
    assert pattern_of([1, 0, 0, 20, 0, 1]) == "lumpy"
    assert pattern_of([5, 0, 5, 0, 0, 0]) == "too_few"


def test_leading_zeros_do_not_count_and_trailing_zeros_do() -> None:
    result = classify_demand(series([0, 0, 3, 3, 3, 0])).iloc[0]
    assert (result["periods"], result["demands"], result["adi"]) == (4, 3, pytest.approx(4 / 3))


def test_a_series_on_the_cutoffs_is_smooth() -> None:
    # sizes 2 and 4 twice: mean 3, sample variance 4/3, CV² 4/27; four demands in six periods: ADI 1.5
    frame = [2, 4, 2, 4, 0, 0]
    assert pattern_of(frame, adi_cutoff=1.5, cv2_cutoff=4 / 27) == "smooth"
    assert pattern_of(frame, adi_cutoff=1.499, cv2_cutoff=4 / 27) == "intermittent"
    assert pattern_of(frame, adi_cutoff=1.5, cv2_cutoff=0.148) == "erratic"


def test_a_zero_without_stock_is_masked_but_a_sale_without_closing_stock_counts() -> None:
    frame = series([4, 0, 4, 0, 4, 0], in_stock=[True, False, False, True, True, False])
    result = classify_demand(frame).iloc[0]
    assert (result["periods"], result["masked_periods"], result["demands"], result["adi"]) == (4, 2, 3, pytest.approx(4 / 3))


def test_stock_given_as_a_fraction_masks_only_whole_periods_without_stock() -> None:
    result = classify_demand(series([4, 0, 0, 4, 4], in_stock=[1.0, 0.0, 0.4, np.nan, 1.0])).iloc[0]
    assert (result["periods"], result["masked_periods"]) == (4, 1)


def test_unknown_quantities_are_masked_and_returns_are_no_demand() -> None:
    result = classify_demand(series([4, np.nan, -2, 4, 4])).iloc[0]
    assert (result["periods"], result["masked_periods"], result["demands"]) == (4, 1, 3)


def test_a_series_without_any_demand_has_no_interval() -> None:
    result = classify_demand(series([0, 0, 0])).iloc[0]
    assert (result["periods"], result["demands"], result["pattern"]) == (0, 0, "too_few")
    assert np.isnan(result["adi"])
    assert np.isnan(result["cv2"])


def test_an_empty_frame_gives_an_empty_result() -> None:
    assert classify_demand(series([])).empty


def test_many_series_equal_a_plain_loop_whatever_the_row_order() -> None:
    rng = np.random.default_rng(3)
    parts = [series(list(rng.poisson(0.9, 30) * rng.integers(1, 9, 30)), product=f"P{i:02d}") for i in range(25)]
    frame = pd.concat(parts)
    before = frame.copy()
    result = classify_demand(frame.sample(frac=1, random_state=1)).set_index("product_id")
    pd.testing.assert_frame_equal(frame, before)
    for part in parts:
        values = part["quantity"].to_numpy()[np.flatnonzero(part["quantity"])[0] :]
        sizes = values[values > 0]
        row = result.loc[part["product_id"].iloc[0]]
        assert row["adi"] == pytest.approx(len(values) / len(sizes))
        assert row["cv2"] == pytest.approx(np.var(sizes, ddof=1) / np.mean(sizes) ** 2)


def test_other_keys_name_a_series() -> None:
    frame = (
        pd.concat([series([1, 1, 1]), series([2, 2, 2], customer="C2")]).groupby(["product_id", "period"]).sum(numeric_only=True)
    )
    assert classify_demand(frame.reset_index(), keys=["product_id"])["mean_size"].tolist() == [3.0]


def test_with_a_calendar_zeros_need_not_be_written_out() -> None:
    rng = np.random.default_rng(4)
    full = pd.concat([series(list(rng.poisson(0.5, 20) * 1.0), product=f"P{i}") for i in range(9)], ignore_index=True)
    full = full.assign(in_stock=(full["quantity"] > 0) | (rng.random(len(full)) > 0.3))
    calendar = pd.DatetimeIndex(sorted(set(full["period"])))
    told = full.loc[(full["quantity"] > 0) | ~full["in_stock"]]
    expected = classify_demand(full)
    pd.testing.assert_frame_equal(
        classify_demand(told, calendar=calendar), expected.loc[expected["product_id"].isin(told["product_id"])]
    )
    short = classify_demand(full, calendar=calendar[:-1])
    pd.testing.assert_frame_equal(short, classify_demand(full.loc[full["period"] < calendar[-1]]))


def test_matrices_give_the_patterns_of_rows():
    random = np.random.default_rng(4)
    weeks, count = pd.date_range("2024-01-01", periods=60, freq="W-MON"), 300
    chance, mean = random.uniform(0.02, 1, (count, 1)), random.uniform(1, 20, (count, 1))
    quantity = np.where(random.random((count, 60)) < chance, random.poisson(mean * random.gamma(1, 1, (count, 60))), 0.0)
    quantity[random.random((count, 60)) < 0.05] = np.nan
    quantity[random.random((count, 60)) < 0.02] = -1.0
    stock = np.where(random.random((count, 60)) < 0.1, 0.0, np.where(random.random((count, 60)) < 0.1, np.nan, 1.0))
    rows = pd.DataFrame(
        {
            "customer_id": "C",
            "product_id": np.repeat([f"P{k:03d}" for k in range(count)], 60),
            "period": np.tile(weeks, count),
            "quantity": quantity.ravel(),
            "in_stock": stock.ravel(),
        }
    )
    found = classify_matrix(quantity, in_stock=stock)
    assert found.tolist() == classify_demand(rows)["pattern"].tolist()
    assert set(found) == {"smooth", "erratic", "intermittent", "lumpy", "too_few"}
