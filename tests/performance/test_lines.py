from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.performance.lines import LINE_COLUMNS, score_fill_gap, score_lines

AS_OF = dt.date(2024, 3, 31)


def book(**columns: object) -> pd.DataFrame:
    base = {"order_id": ["1"], "line": ["1"], "customer_id": "c", "product_id": "p", "ordered_on": pd.Timestamp("2024-03-01"),
            "quantity_ordered": 10.0}  # fmt: skip
    return pd.DataFrame({**base, **columns})


def test_the_promise_wins_over_the_wish_and_the_wish_over_the_agreed_lead_time() -> None:
    orders = book(order_id=list("1234"), line="1",
                  promised_on=pd.to_datetime(["2024-03-20", None, None, None]),
                  requested_on=pd.to_datetime(["2024-03-10", "2024-03-11", None, None]),
                  product_id=["p", "p", "p", "x"])  # fmt: skip
    agreed = pd.DataFrame({"customer_id": "c", "product_id": "p", "valid_from_on": pd.to_datetime(["2023-01-01", "2024-03-02"]),
                           "lead_time_days": [5.0, 9.0]})  # fmt: skip
    lines = score_lines(orders, assortment=agreed, as_of=AS_OF)
    assert lines["due_on"].dt.strftime("%m-%d").fillna("").tolist() == ["03-20", "03-11", "03-06", ""]
    assert lines["due_basis"].tolist() == ["promised", "requested", "agreed", ""]
    assert lines["is_due"].tolist() == [True, True, True, False]


def test_several_deliveries_complete_a_line_on_the_day_the_quantity_is_reached() -> None:
    orders = book(promised_on=pd.Timestamp("2024-03-10"), delivered_on=pd.Timestamp("2024-03-05"), quantity_delivered=10.0)
    parts = pd.DataFrame({"delivery_id": list("abc"), "order_id": "1", "line": "1", "quantity": [4.0, 6.0, 1.0],
                          "delivered_on": pd.to_datetime(["2024-03-08", "2024-03-12", None])})  # fmt: skip
    line = score_lines(orders, deliveries=parts, as_of=AS_OF).iloc[0]
    assert (line["delivered_by_due"], line["delivered"], line["complete_on"]) == (4.0, 10.0, pd.Timestamp("2024-03-12"))
    assert (bool(line["on_time"]), bool(line["in_full"]), bool(line["otif"])) == (False, True, False)


def test_two_short_deliveries_are_never_on_time_but_a_single_one_can_be() -> None:
    parts = pd.DataFrame({"delivery_id": list("ab"), "order_id": "1", "line": "1", "quantity": [4.0, 5.0],
                          "delivered_on": pd.to_datetime(["2024-03-08", "2024-03-09"])})  # fmt: skip
    orders = book(promised_on=pd.Timestamp("2024-03-10"))
    assert not score_lines(orders, deliveries=parts, as_of=AS_OF)["on_time"].any()
    assert score_lines(orders, deliveries=parts.head(1), as_of=AS_OF)["on_time"].all()


def test_what_we_cancel_fails_and_what_the_customer_cancels_is_left_out() -> None:
    orders = book(order_id=list("123"), line="1", promised_on=pd.Timestamp("2024-03-10"), cancelled_on=pd.Timestamp("2024-03-04"),
                  cancelled_by=["supplier", "customer", "customer"], quantity_cancelled=[None, None, 4.0],
                  delivered_on=pd.to_datetime([None, None, "2024-03-10"]), quantity_delivered=[None, None, 6.0])  # fmt: skip
    lines = score_lines(orders, as_of=AS_OF)
    assert lines[["order_id", "ordered", "otif"]].values.tolist() == [["1", 10.0, False], ["3", 6.0, True]]


def test_a_delivery_after_as_of_is_not_known() -> None:
    orders = book(promised_on=pd.Timestamp("2024-03-10"), delivered_on=pd.Timestamp("2024-04-10"), quantity_delivered=10.0)
    assert score_lines(orders, as_of=AS_OF)["delivered"].tolist() == [0.0]


def test_too_early_is_not_on_time() -> None:
    orders = book(promised_on=pd.Timestamp("2024-03-20"), delivered_on=pd.Timestamp("2024-03-12"), quantity_delivered=10.0)
    assert score_lines(orders, as_of=AS_OF, early_tolerance_days=7)["otif"].tolist() == [False]
    assert score_lines(orders, as_of=AS_OF, early_tolerance_days=8)["otif"].tolist() == [True]


def test_no_orders_give_no_lines() -> None:
    lines = score_lines(book().iloc[:0], as_of=AS_OF)
    assert lines.empty and tuple(lines.columns) == LINE_COLUMNS


def random_book(rng: np.random.Generator, lines: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    start = pd.Timestamp("2024-01-01")
    ordered = start + pd.to_timedelta(rng.integers(0, 90, lines), unit="D")
    orders = pd.DataFrame(
        {
            "order_id": rng.integers(0, lines // 2, lines).astype(str), "customer_id": "c", "product_id": "p",
            "ordered_on": ordered,
            "promised_on": ordered + pd.to_timedelta(rng.integers(1, 20, lines), unit="D"),
            "quantity_ordered": rng.integers(1, 12, lines).astype(float),
        }
    )  # fmt: skip
    orders["line"] = (orders.groupby("order_id").cumcount() + 1).astype(str)
    some = orders.sample(frac=1.6, replace=True, random_state=int(rng.integers(1e6)))
    deliveries = pd.DataFrame(
        {
            "order_id": some["order_id"].to_numpy(), "line": some["line"].to_numpy(),
            "quantity": rng.integers(1, 10, len(some)).astype(float),
            "delivered_on": (some["ordered_on"] + pd.to_timedelta(rng.integers(0, 40, len(some)), unit="D")).to_numpy(),
        }
    )  # fmt: skip
    return orders, deliveries


@pytest.mark.parametrize("seed", range(5))
def test_lines_agree_with_a_plain_loop(seed: int) -> None:
    orders, deliveries = random_book(np.random.default_rng(seed), 60)
    late, early, tol = pd.Timedelta(days=1), pd.Timedelta(days=5), 0.1
    found = score_lines(
        orders, deliveries=deliveries, as_of=AS_OF, late_tolerance_days=1, early_tolerance_days=5, quantity_tolerance=tol
    )
    for row in found.itertuples():
        own = deliveries[(deliveries["order_id"] == row.order_id) & (deliveries["line"] == row.line)]
        own = own[own["delivered_on"] <= pd.Timestamp(AS_OF)].sort_values("delivered_on")
        total, complete = 0.0, pd.NaT
        for delivery in own.itertuples():
            total += delivery.quantity
            if pd.isna(complete) and total >= (1 - tol) * row.ordered - 1e-9:
                complete = delivery.delivered_on
        moment = own["delivered_on"].iloc[0] if pd.isna(complete) and len(set(own["delivered_on"])) == 1 else complete
        by_due = own.loc[own["delivered_on"] <= row.due_on + late, "quantity"].sum()
        is_early = not pd.isna(moment) and moment < row.due_on - early
        expected = (
            row.due_on <= pd.Timestamp(AS_OF), by_due, total,
            not pd.isna(moment) and not is_early and moment <= row.due_on + late,
            (1 - tol) * row.ordered - 1e-9 <= total <= (1 + tol) * row.ordered + 1e-9,
            by_due >= (1 - tol) * row.ordered - 1e-9 and not is_early,
        )  # fmt: skip
        assert (row.is_due, row.delivered_by_due, row.delivered, row.on_time, row.in_full, row.otif) == expected


@pytest.mark.parametrize("seed", range(5))
def test_the_gap_sums_exactly_and_order_of_rows_and_input_do_not_matter(seed: int) -> None:
    orders, deliveries = random_book(np.random.default_rng(seed), 60)
    before = orders.copy()
    lines = score_lines(orders, deliveries=deliveries, as_of=AS_OF)
    gap = score_fill_gap(lines).set_index("cause")["units"]
    assert gap.drop("ordered").sum() == pytest.approx(gap["ordered"])
    shuffled = score_lines(
        orders.sample(frac=1, random_state=seed), deliveries=deliveries.sample(frac=1, random_state=1), as_of=AS_OF
    )
    pd.testing.assert_frame_equal(lines, shuffled)
    pd.testing.assert_frame_equal(orders, before)


def test_the_gap_of_an_empty_book_is_nothing() -> None:
    gap = score_fill_gap(score_lines(book().iloc[:0], as_of=AS_OF))
    assert gap["units"].tolist() == [0.0] * 6 and gap["share"].isna().all()
