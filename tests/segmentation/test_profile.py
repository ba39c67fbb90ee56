"""One row per customer from one reference date."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from cmi_analysis.segmentation.profile import PROFILE, profile_customers, table_order_days, total_window

AS_OF = dt.date(2025, 12, 31)


def test_recency_frequency_and_money_are_those_of_a_hand_count(bought) -> None:
    frame = bought({"C1": [("2024-06-01", 5), ("2025-01-01", 10), ("2025-12-21", 20)], "C2": [("2024-12-31", 7)]})
    result = profile_customers(frame, as_of=AS_OF).set_index("customer_id")
    assert result.loc["C1", ["days_since_last_order", "orders", "value"]].tolist() == [10.0, 2, 30.0]
    assert result.loc["C2", ["days_since_last_order", "orders", "value"]].tolist() == [365.0, 0, 0.0]


def test_nothing_after_the_reference_date_counts(bought) -> None:
    orders = {"C1": [("2025-03-01", 5), ("2025-11-01", 10)]}
    later = {"C1": [*orders["C1"], ("2026-01-01", 99)], "C9": [("2026-02-01", 1)]}
    pd.testing.assert_frame_equal(profile_customers(bought(orders), as_of=AS_OF), profile_customers(bought(later), as_of=AS_OF))


def test_returns_lower_money_and_nothing_else(bought) -> None:
    frame = bought({"C1": [("2025-03-01", 50)]})
    back = pd.DataFrame({"customer_id": ["C1", "C1"], "date": pd.to_datetime(["2025-12-30", "2026-01-02"]), "value": [20.0, 9.0]})
    plain, less = profile_customers(frame, as_of=AS_OF), profile_customers(frame, as_of=AS_OF, returns=back)
    assert (less["value"].iloc[0], less["returned_value"].iloc[0]) == (30.0, 20.0)
    pd.testing.assert_frame_equal(plain.drop(columns=["value", "returned_value"]), less.drop(columns=["value", "returned_value"]))


def test_growth_needs_two_whole_windows_of_history(bought) -> None:
    orders = {"C1": [("2024-06-01", 50), ("2025-06-01", 75)]}
    assert profile_customers(bought(orders), as_of=AS_OF)["value_growth"].isna().all()
    known = profile_customers(bought(orders), as_of=AS_OF, history_from=dt.date(2024, 1, 2))
    assert known["value_growth"].tolist() == [pytest.approx(0.5)]


def test_a_customer_at_the_start_of_the_data_is_not_new(bought) -> None:
    frame = bought({"C1": [("2025-08-01", 1)], "C2": [("2025-11-15", 1)]})
    result = profile_customers(frame, as_of=AS_OF).set_index("customer_id")
    assert result["tenure_known"].to_dict() == {"C1": False, "C2": True}


def test_the_rate_of_a_young_customer_is_over_its_own_time(bought) -> None:
    frame = bought({"C1": [("2025-01-01", 1)], "C2": [("2025-12-22", 1), ("2025-12-30", 1)]})
    result = profile_customers(frame, as_of=AS_OF).set_index("customer_id")
    assert result["orders_per_year"].to_dict() == {"C1": pytest.approx(1.0), "C2": pytest.approx(73.0)}


def test_an_order_cancelled_whole_by_the_customer_is_no_order(bought) -> None:
    frame = bought({"C1": [("2025-03-01", 5), ("2025-06-01", 8)]})
    off = frame.iloc[[1]].assign(quantity=-8.0, value=-8.0, known_on=pd.Timestamp("2025-07-01"))
    both = pd.concat([frame, off], ignore_index=True)
    assert profile_customers(both, as_of=AS_OF)["orders"].tolist() == [1]
    assert profile_customers(both, as_of=dt.date(2025, 6, 30))["orders"].tolist() == [2]


def test_the_order_of_rows_does_not_matter_and_the_input_stays(bought) -> None:
    frame = bought({"C2": [("2025-03-01", 0.1), ("2025-04-01", 0.2), ("2025-05-01", 0.3)], "C1": [("2025-03-01", 1)]})
    before = frame.copy()
    result = profile_customers(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(result, profile_customers(frame.iloc[::-1], as_of=AS_OF))


def test_no_purchases_give_an_empty_profile(bought) -> None:
    result = profile_customers(bought({}), as_of=AS_OF)
    assert result.empty
    assert tuple(result) == PROFILE


def test_the_totals_of_a_window_are_those_of_the_profile(bought) -> None:
    frame = bought(
        {"C2": [("2024-01-05", 7)], "C1": [("2024-06-01", 5), ("2025-01-01", 10), ("2025-12-21", 20), ("2026-01-05", 9)]}
    )
    back = pd.DataFrame({"customer_id": ["C1", "C3"], "date": pd.to_datetime(["2025-12-30"] * 2), "value": [4.0, 9.0]})
    totals = total_window(table_order_days(frame, as_of=AS_OF), as_of=AS_OF, returns=back)
    assert totals.to_dict("index") == {"C1": {"orders": 2.0, "value": 26.0}, "C2": {"orders": 0.0, "value": 0.0}}
    whole = profile_customers(frame, as_of=AS_OF, returns=back).set_index("customer_id")[["orders", "value"]]
    pd.testing.assert_frame_equal(totals, whole, check_dtype=False)
