"""Purchases from orders, sales or receipts."""

from __future__ import annotations

import pandas as pd
import pytest

from cmi_analysis.segmentation.purchases import table_purchases, table_returns


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def order_lines(**columns: list[object]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    base = {
        "order_id": [f"O{i}" for i in range(count)],
        "customer_id": ["C1"] * count,
        "product_id": ["P1"] * count,
        "ordered_on": [day("2025-03-01")] * count,
        "quantity_ordered": [10.0] * count,
    }
    return pd.DataFrame({**base, **columns})


def test_an_order_counts_with_the_quantity_asked_for_not_with_the_one_delivered() -> None:
    result = table_purchases(order_lines(quantity_ordered=[10.0], quantity_delivered=[4.0], unit_price=[3.0]), basis="orders")
    assert result["value"].tolist() == [30.0]


def test_price_is_the_orders_else_the_agreed_else_the_list_price_else_the_products_median() -> None:
    orders = order_lines(
        product_id=["P1", "P2", "P3", "P4", "P4"], unit_price=[1.0, None, None, None, 7.0], ordered_on=[day("2025-03-01")] * 5
    )
    assortment = pd.DataFrame(
        {
            "customer_id": "C1",
            "product_id": "P2",
            "valid_from_on": [day("2024-01-01"), day("2025-01-01"), day("2025-06-01")],
            "unit_price": [8.0, 9.0, 99.0],
        }
    )
    products = pd.DataFrame({"product_id": ["P1", "P2", "P3", "P4"], "unit_price": [50.0, 50.0, 5.0, None]})
    result = table_purchases(orders, basis="orders", products=products, assortment=assortment)
    assert result["unit_price"].tolist() == [1.0, 9.0, 5.0, 7.0, 7.0]


def test_without_any_price_the_value_is_in_units() -> None:
    result = table_purchases(order_lines(quantity_ordered=[10.0, 5.0]), basis="orders")
    assert result["value"].tolist() == [10.0, 5.0]
    assert result["unit_price"].isna().all()


def test_what_the_customer_cancelled_is_taken_off_from_that_day_on_and_what_we_cancelled_is_not() -> None:
    orders = order_lines(
        order_id=["O1", "O2"],
        cancelled_on=[day("2025-03-09")] * 2,
        quantity_cancelled=[4.0, 4.0],
        cancelled_by=["customer", "supplier"],
    )
    result = table_purchases(orders, basis="orders")
    assert result[["order_id", "known_on", "quantity"]].values.tolist() == [
        ["O1", day("2025-03-01"), 10.0],
        ["O1", day("2025-03-09"), -4.0],
        ["O2", day("2025-03-01"), 10.0],
    ]


def test_samples_and_empty_lines_are_no_purchases() -> None:
    result = table_purchases(order_lines(quantity_ordered=[0.0, 5.0, 6.0], kind=["stock", "sample", None]), basis="orders")
    assert result["quantity"].tolist() == [6.0]


def test_sales_and_receipts_count_one_order_for_each_customer_and_date() -> None:
    flow = pd.DataFrame(
        {
            "customer_id": "C1",
            "product_id": ["P1", "P2"],
            "date": day("2025-03-01"),
            "quantity": [1.0, 2.0],
            "received": [0.0, 9.0],
        }
    )
    sold = table_purchases(flow, basis="sales")
    assert len(set(sold["order_id"])) == 1
    assert sold["quantity"].tolist() == [1.0, 2.0]
    assert table_purchases(flow, basis="received")["quantity"].tolist() == [9.0]


def test_empty_tables_give_an_empty_frame_and_the_input_stays() -> None:
    orders = order_lines(quantity_ordered=[1.0], unit_price=[2.0], cancelled_on=[pd.NaT])
    before = orders.copy()
    assert table_purchases(orders.iloc[:0], basis="orders").empty
    table_purchases(orders, basis="orders")
    pd.testing.assert_frame_equal(orders, before)


def test_returns_are_valued_at_what_the_customer_paid_else_at_the_usual_price() -> None:
    purchases = table_purchases(
        order_lines(customer_id=["C1", "C2"], quantity_ordered=[10.0, 10.0], unit_price=[2.0, 4.0]), basis="orders"
    )
    returned = pd.DataFrame(
        {
            "customer_id": ["C1", "C3", "C1"],
            "product_id": ["P1", "P1", "P9"],
            "returned_on": day("2025-04-01"),
            "quantity": [1.0, 1.0, 1.0],
        }
    )
    result = table_returns(returned, purchases=purchases)
    assert dict(zip(result["customer_id"] + result["product_id"], result["value"], strict=True)) == {
        "C1P1": pytest.approx(2.0),
        "C3P1": pytest.approx(3.0),
        "C1P9": 0.0,
    }
