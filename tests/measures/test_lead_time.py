from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.measures.lead_time import (
    collect_lead_times,
    collect_supplier_lead_times,
    fit_lead_times,
    fit_survival,
    score_lead_times,
)

AS_OF = dt.date(2024, 3, 31)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(f"2024-{text}")


def orders(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "order_id": ["1", "2", "3"],
            "line": ["1", "1", "1"],
            "customer_id": "c",
            "product_id": "p",
            "ordered_on": [day("03-01"), day("03-02"), day("03-20")],
            "quantity_ordered": 10.0,
            "promised_on": [day("03-05"), day("03-05"), day("04-05")],
            "delivered_on": [day("03-05"), day("03-09"), pd.NaT],
        }
    )
    return frame.assign(**changes)


def test_open_order_counts_with_its_age() -> None:
    rows = collect_lead_times(orders(), as_of=AS_OF)
    assert rows["days"].tolist() == [4.0, 7.0, 11.0]
    assert rows["arrived"].tolist() == [True, True, False]


def test_clock_starts_at_a_later_release() -> None:
    rows = collect_lead_times(orders(released_on=[day("03-03"), pd.NaT, pd.NaT]), as_of=AS_OF)
    assert rows["days"].tolist() == [2.0, 7.0, 11.0]


def test_line_is_complete_with_the_delivery_that_fills_it() -> None:
    deliveries = pd.DataFrame(
        {
            "order_id": ["1", "1", "2"],
            "line": "1",
            "quantity": [4.0, 6.0, 5.0],
            "delivered_on": [day("03-04"), day("03-08"), day("03-06")],
        }
    )
    rows = collect_lead_times(orders().drop(columns="delivered_on"), as_of=AS_OF, deliveries=deliveries)
    assert rows["arrived"].tolist() == [True, False, False]
    assert rows["days"].iloc[0] == 7.0


def test_cancelled_line_is_open_until_its_cancellation() -> None:
    rows = collect_lead_times(orders(cancelled_on=[pd.NaT, pd.NaT, day("03-22")]), as_of=AS_OF)
    assert rows["days"].iloc[2] == 2.0
    assert not rows["arrived"].iloc[2]


def test_orders_are_not_changed() -> None:
    before = orders()
    frame = before.copy()
    collect_lead_times(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, before)


def test_probabilities_sum_to_one_and_keep_the_open_tail() -> None:
    rows = collect_lead_times(orders(), as_of=AS_OF)
    fitted = fit_lead_times(rows, by=[["customer_id"]], prior_lines=0.0)
    assert fitted["probability"].sum() == pytest.approx(1.0)
    assert fitted.set_index("days")["probability"].to_dict() == pytest.approx({4.0: 1 / 3, 7.0: 1 / 3, 11.0: 1 / 3})


def test_received_orders_only_would_be_shorter() -> None:
    rows = collect_lead_times(orders(), as_of=AS_OF)
    all_lines = fit_lead_times(rows, by=[["customer_id"]])
    received = fit_lead_times(rows[rows["arrived"]], by=[["customer_id"]])

    def mean(frame: pd.DataFrame) -> float:
        return float((frame["days"] * frame["probability"]).sum())

    assert mean(all_lines) > mean(received)


def test_a_key_with_few_lines_leans_on_the_rest() -> None:
    rows = pd.DataFrame({"customer_id": ["a"] + ["b"] * 40, "product_id": "p", "days": [20.0] + [5.0] * 40, "arrived": True})
    fitted = fit_lead_times(rows, by=[["customer_id"]]).set_index(["customer_id", "days"])["probability"]
    pooled = np.array([40 / 41, 1 / 41])
    assert fitted["a"].to_numpy() == pytest.approx((np.array([0.0, 1.0]) + 10 * pooled) / 11)


def test_no_arrival_gives_no_probabilities() -> None:
    rows = collect_lead_times(orders(delivered_on=pd.NaT), as_of=AS_OF)
    assert fit_lead_times(rows, by=[["customer_id"]]).empty
    assert fit_survival(rows).empty


def test_score_counts_late_and_overtaking_lines() -> None:
    crossed = orders(delivered_on=[day("03-12"), day("03-09"), pd.NaT])
    rows = collect_lead_times(crossed, as_of=AS_OF)
    table = score_lead_times(rows, fit_lead_times(rows, by=[["customer_id"]]), by=["customer_id"], as_of=AS_OF)
    row = table.iloc[0]
    assert (row["lines"], row["open_lines"]) == (3, 1)
    assert row["late_share"] == 1.0
    assert row["crossing_share"] == 0.5


def test_supplier_orders_without_receipt_are_open() -> None:
    receipts = pd.DataFrame(
        {"supplier_id": ["s"], "product_id": ["p"], "ordered_on": [day("03-01")], "received_on": [day("03-11")]}
    )
    purchases = pd.DataFrame({"supplier_id": "s", "product_id": "p", "ordered_on": [day("03-01"), day("03-21")], "quantity": 5.0})
    rows = collect_supplier_lead_times(receipts, as_of=AS_OF, purchase_orders=purchases)
    assert rows["days"].tolist() == [10.0, 10.0]
    assert rows["arrived"].tolist() == [True, False]


def test_nothing_from_suppliers_is_an_empty_frame() -> None:
    rows = collect_supplier_lead_times(None, as_of=AS_OF)
    assert rows.empty
    assert score_lead_times(rows, fit_lead_times(rows, by=[["supplier_id"]]), by=["supplier_id"], as_of=AS_OF).empty


def test_order_of_rows_does_not_matter() -> None:
    rows = collect_lead_times(orders(), as_of=AS_OF)
    again = collect_lead_times(orders().iloc[::-1], as_of=AS_OF)
    pd.testing.assert_frame_equal(rows, again)
