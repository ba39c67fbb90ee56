"""Everyday, seasonal, sporadic, new, silent."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.segmentation.behaviour import BEHAVIOUR, classify_behaviour, score_promotion_share, score_season

AS_OF = dt.date(2025, 12, 31)


def monthly(values: list[float], *, until: str = "2025-12-15") -> list[tuple[str, float]]:
    months = pd.date_range(end=until, periods=len(values), freq="MS")
    return [(str(month.date()), value) for month, value in zip(months, values, strict=True) if value > 0]


def behaviour(bought, orders, **settings) -> str:
    frame = bought({"C1": orders, "old": [("2022-01-01", 1.0)]})
    return str(classify_behaviour(frame, as_of=AS_OF, **settings).set_index("customer_id").loc["C1", "behaviour"])


def test_an_order_in_three_of_four_months_is_everyday_and_fewer_is_sporadic(bought) -> None:
    assert behaviour(bought, monthly([5, 5, 5, 5, 0] * 7)) == "everyday"
    assert behaviour(bought, monthly([5, 0, 0, 0, 5, 0, 5, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5])) == "sporadic"


def test_the_same_peak_in_every_year_is_seasonal(bought) -> None:
    year = [1, 1, 1, 1, 1, 4, 9, 4, 1, 1, 1, 1]
    assert behaviour(bought, monthly(year * 3)) == "seasonal"


def test_one_cycle_is_not_enough_for_a_season(bought) -> None:
    year = [1, 1, 1, 1, 1, 4, 9, 4, 1, 1, 1, 1]
    assert behaviour(bought, monthly(year + year[:8])) == "everyday"


def test_peaks_in_other_months_each_year_are_no_season(bought) -> None:
    year = np.array([1, 1, 1, 1, 1, 4, 9, 4, 1, 1, 1, 1])
    assert behaviour(bought, monthly([*year, *np.roll(year, 5), *np.roll(year, 2)])) == "everyday"


def test_use_speaks_before_purchases_when_it_is_known(bought) -> None:
    months = pd.date_range("2023-01-01", periods=36, freq="MS")
    use = pd.DataFrame({"customer_id": "C1", "date": months, "quantity": [1, 1, 1, 1, 1, 4, 9, 4, 1, 1, 1, 1] * 3})
    assert behaviour(bought, monthly([5] * 36), use=use) == "seasonal"


def test_a_young_customer_is_new_and_one_without_an_order_in_the_window_is_silent(bought) -> None:
    assert behaviour(bought, monthly([5, 5, 5])) == "new"
    assert behaviour(bought, [("2024-01-01", 5.0)]) == "silent"


def test_a_customer_that_is_there_since_the_data_begin_is_not_new(bought) -> None:
    frame = bought({"C1": [("2025-10-01", 5.0), ("2025-11-01", 5.0), ("2025-12-01", 5.0)]})
    assert classify_behaviour(frame, as_of=AS_OF)["behaviour"].tolist() == ["everyday"]


def test_season_strength_is_the_correlation_of_successive_years() -> None:
    rng = np.random.default_rng(2)
    quantity = rng.gamma(2, 5, 36)
    use = pd.DataFrame({"customer_id": "C1", "date": pd.date_range("2023-01-01", periods=36, freq="MS"), "quantity": quantity})
    row = score_season(use, as_of=AS_OF).iloc[0]
    years = quantity.reshape(3, 12)
    expected = np.mean([np.corrcoef(years[0], years[1])[0, 1], np.corrcoef(years[1], years[2])[0, 1]])
    assert row["season_strength"] == pytest.approx(expected)
    total = years.sum(axis=0)
    best = max(range(12), key=lambda m: total[m - 1] + total[m] + total[(m + 1) % 12])
    assert row["peak_month"] == best + 1
    assert row["peak_quarter_share"] == pytest.approx((total[best - 1] + total[best] + total[(best + 1) % 12]) / total.sum())


def test_the_month_that_is_not_over_is_left_out() -> None:
    use = pd.DataFrame({"customer_id": "C1", "date": pd.date_range("2024-01-01", periods=25, freq="MS"), "quantity": 1.0})
    assert score_season(use, as_of=dt.date(2026, 1, 30))["season_years"].tolist() == [2]
    assert score_season(use, as_of=dt.date(2025, 12, 30))["season_years"].tolist() == [1]


def test_empty_input_unchanged_input_and_row_order(bought) -> None:
    empty = classify_behaviour(bought({}), as_of=AS_OF)
    assert empty.empty
    assert tuple(empty) == BEHAVIOUR
    frame = bought({"C1": monthly([5, 0, 3] * 9), "C2": monthly([2] * 30)})
    before = frame.copy()
    result = classify_behaviour(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(result, classify_behaviour(frame.iloc[::-1], as_of=AS_OF))


def test_the_share_on_promotion_is_of_the_units_whose_flag_is_known() -> None:
    days = pd.to_datetime(["2025-03-01", "2025-04-01", "2025-05-01", "2024-01-01", "2025-06-01"])
    use = pd.DataFrame({"customer_id": ["C1"] * 4 + ["C2"], "date": days, "quantity": [30.0, 10.0, 60.0, 500.0, 5.0]})
    use["promotion"] = pd.array([True, False, None, True, None], dtype="boolean")
    result = score_promotion_share(use, as_of=AS_OF).set_index("customer_id")["promotion_share"]
    assert result["C1"] == pytest.approx(0.75)
    assert pd.isna(result["C2"])
