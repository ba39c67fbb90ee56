"""Overdue and silent customers."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.segmentation.leaving import RHYTHM, classify_leaving

AS_OF = dt.date(2025, 12, 31)


def every(days: int, *, until: str, count: int = 12, value: float = 10.0) -> list[tuple[str, float]]:
    return [(str(day.date()), value) for day in pd.date_range(end=until, periods=count, freq=f"{days}D")]


def status(bought, orders, **settings) -> str:
    return str(classify_leaving(bought({"C1": orders}), as_of=AS_OF, **settings)["leaving_status"].iloc[0])


def test_a_weekly_customer_is_overdue_after_two_weeks_of_silence_and_not_before(bought) -> None:
    assert status(bought, every(7, until="2025-12-17")) == "on_time"
    assert status(bought, every(7, until="2025-12-16")) == "overdue"


def test_the_same_silence_is_usual_for_a_customer_that_orders_once_a_month(bought) -> None:
    assert status(bought, every(30, until="2025-12-10")) == "on_time"


def test_a_silence_no_longer_than_the_longest_interval_is_usual(bought) -> None:
    orders = [*every(7, until="2025-05-31"), *every(7, until="2025-11-10")]
    result = classify_leaving(bought({"C1": orders}), as_of=AS_OF).iloc[0]
    assert result["longest_interval_days"] == 86
    assert result["leaving_status"] == "on_time"


def test_few_intervals_give_no_rhythm_and_long_silence_is_silent(bought) -> None:
    assert status(bought, every(7, until="2025-12-01", count=5)) == "too_few"
    assert status(bought, every(7, until="2025-06-01", count=2)) == "silent"
    assert status(bought, [("2025-12-01", 5.0)]) == "too_few"


def test_a_rhythm_broken_long_ago_is_overdue_rather_than_silent(bought) -> None:
    assert status(bought, every(7, until="2025-01-31")) == "overdue"


def test_the_shape_of_intervals_is_shrunk_as_in_the_docstring(bought) -> None:
    # intervals 10, 20, 30, 20, 20: mean 20, s² 50, CV² .125; (4 · .125 + 1)/6 = .25, so k = 4
    days = np.cumsum([0, 10, 20, 30, 20, 20])
    orders = [(str((pd.Timestamp("2025-09-01") + pd.Timedelta(days=int(day))).date()), 1.0) for day in days]
    result = classify_leaving(bought({"C1": orders}), as_of=AS_OF).iloc[0]
    assert result["intervals"] == 5
    assert result["regularity"] == pytest.approx(4.0)
    # P(Gamma(4, mean 20) > 21) = e^-4.2 (1 + 4.2 + 4.2²/2 + 4.2³/6)
    silence = result["days_since_last_order"]
    assert silence == 21
    assert result["overdue_tail"] == pytest.approx(np.exp(-4.2) * (1 + 4.2 + 4.2**2 / 2 + 4.2**3 / 6))


def test_what_is_at_stake_is_the_year_up_to_the_last_order(bought) -> None:
    orders = [("2022-06-01", 100.0), *every(7, until="2024-12-01", value=3.0)]
    assert classify_leaving(bought({"C1": orders}), as_of=AS_OF)["value_before_silence"].iloc[0] == pytest.approx(36.0)


def test_goods_that_came_back_are_not_at_stake(bought) -> None:
    frame = bought({"C1": [("2024-12-01", 100.0), ("2025-01-18", 5.0)]})
    back = pd.DataFrame({"customer_id": "C1", "date": pd.to_datetime(["2023-12-01", "2025-01-20"]), "value": [7.0, 98.0]})
    assert classify_leaving(frame, as_of=AS_OF, returns=back)["value_before_silence"].tolist() == [7.0]


@pytest.mark.parametrize(("shape", "false_alarms_a_year"), [(1.0, 0.6), (4.0, 0.2), (16.0, 0.1)])
def test_customers_that_stay_are_seldom_called(shape: float, false_alarms_a_year: float) -> None:
    """Alarms that begin, a customer-year, for customers that never leave: 60 of them, watched weekly for a year."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(60):
        days = np.cumsum(np.maximum(rng.gamma(shape, 14 / shape, 90), 1)).astype(int)
        dates = pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D")
        rows.append(pd.DataFrame({"customer_id": f"C{number:02d}", "date": dates}))
    frame = pd.concat(rows, ignore_index=True)
    frame = frame.assign(order_id=frame.index.astype(str), product_id="P", known_on=frame["date"], quantity=1.0, value=1.0)
    overdue = []
    for week in range(52):
        result = classify_leaving(frame, as_of=dt.date(2024, 6, 3) + dt.timedelta(weeks=week)).set_index("customer_id")
        overdue.append(result["leaving_status"].isin(["overdue", "silent"]))
    table = pd.concat(overdue, axis=1).to_numpy()
    begins = (table[:, 1:] & ~table[:, :-1]).sum() + table[:, 0].sum()
    assert begins / len(table) <= false_alarms_a_year


def test_empty_input_unchanged_input_and_row_order(bought) -> None:
    empty = classify_leaving(bought({}), as_of=AS_OF)
    assert empty.empty
    assert tuple(empty) == RHYTHM
    frame = bought({"C2": every(9, until="2025-12-20"), "C1": every(7, until="2025-10-01")})
    before = frame.copy()
    result = classify_leaving(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(result, classify_leaving(frame.iloc[::-1], as_of=AS_OF))
