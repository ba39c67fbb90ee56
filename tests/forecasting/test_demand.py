"""From sales to a complete panel of demand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.demand import OTHERS, PANEL_COLUMNS, demand_panel, first_requests, impute_demand, pool_rare_items

MONDAY = pd.Timestamp("2024-01-01")


def week(number: int) -> pd.Timestamp:
    return MONDAY + pd.Timedelta(weeks=number)


def sales(rows: list[tuple[str, str, int, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "product_id", "date", "quantity"])
    return frame.assign(date=[week(number) for number in frame["date"]], quantity=frame["quantity"].astype(float))


def as_of(weeks: int) -> dt.date:
    """The Sunday that ends the week before week number `weeks`."""
    return (week(weeks) - pd.Timedelta(days=1)).date()


def column(panel: pd.DataFrame, name: str, product: str = "P") -> list[float]:
    return panel.loc[panel["product_id"] == product, name].tolist()


def test_a_product_without_a_row_sold_nothing_when_its_customer_reported_another():
    panel = demand_panel(
        sales([("C", "P", 0, 5), ("C", "P", 2, 7), ("C", "Q", 0, 1), ("C", "Q", 1, 1), ("C", "Q", 2, 1)]), as_of=as_of(3)
    )
    assert column(panel, "quantity") == [5, 0, 7]


def test_a_silent_week_of_a_regular_reporter_is_unknown():
    panel = demand_panel(sales([("C", "P", number, 4) for number in range(20) if number != 9]), as_of=as_of(20))
    quantity = column(panel, "quantity")
    assert np.isnan(quantity[9])
    assert np.nansum(quantity) == 19 * 4


def test_a_silent_week_of_a_customer_heard_of_rarely_is_a_week_without_sales():
    panel = demand_panel(sales([("C", "P", number, 4) for number in range(0, 20, 3)]), as_of=as_of(20))
    assert column(panel, "quantity") == [4 if number % 3 == 0 else 0 for number in range(20)]


def test_a_customer_silent_to_the_end_for_more_than_eight_weeks_has_stopped():
    long = demand_panel(sales([("C", "P", number, 4) for number in range(20)]), as_of=as_of(29))
    short = demand_panel(sales([("C", "P", number, 4) for number in range(20)]), as_of=as_of(28))
    assert column(long, "quantity")[20:] == [0] * 9
    assert np.isnan(column(short, "quantity")[20:]).all()


def test_the_week_that_is_not_over_is_left_out():
    panel = demand_panel(sales([("C", "P", 0, 5), ("C", "P", 1, 6), ("C", "P", 2, 1)]), as_of=dt.date(2024, 1, 17))
    assert column(panel, "quantity") == [5, 6]


def test_days_are_added_up_to_weeks_and_months_stay_months():
    daily = pd.DataFrame({"customer_id": "C", "product_id": "P", "date": pd.date_range(MONDAY, periods=14), "quantity": 1.0})
    assert column(demand_panel(daily, as_of=as_of(2), frequency="day"), "quantity") == [7, 7]
    monthly = daily.assign(date=pd.Timestamp("2024-03-01")).head(1)
    assert demand_panel(monthly, as_of=dt.date(2024, 3, 31), frequency="month")["period"].tolist() == [pd.Timestamp("2024-03-01")]


def test_negative_quantities_are_returns_and_not_demand():
    returns = pd.DataFrame({"customer_id": ["C"], "product_id": ["P"], "returned_on": [week(1)], "quantity": [2.0]})
    panel = demand_panel(sales([("C", "P", 0, 5), ("C", "P", 0, -3), ("C", "P", 1, 6)]), as_of=as_of(2), returns=returns)
    assert column(panel, "quantity") == [5, 6]
    assert column(panel, "returned") == [3, 2]


def test_an_unusable_quantity_is_unknown():
    panel = demand_panel(
        sales([("C", "P", 0, 5), ("C", "P", 1, np.inf), ("C", "P", 2, np.nan), ("C", "P", 3, 1)]), as_of=as_of(4)
    )
    assert np.isnan(column(panel, "quantity")).tolist() == [False, True, True, False]


def test_in_stock_comes_from_snapshots_before_and_in_the_week():
    stock = pd.DataFrame({"customer_id": "C", "product_id": "P", "date": [week(0), week(1), week(2)], "on_hand": [5.0, 0.0, 0.0]})
    panel = demand_panel(sales([("C", "P", number, 2) for number in range(3)]), as_of=as_of(3), stock=stock)
    assert column(panel, "in_stock") == [1.0, 0.5, 0.0]
    assert column(panel, "imputed") == [False, True, True]


def test_what_sales_say_of_stock_counts_before_the_snapshots():
    stock = pd.DataFrame({"customer_id": ["C"], "product_id": ["P"], "date": [week(0)], "on_hand": [0.0]})
    told = sales([("C", "P", 0, 2)]).assign(in_stock=0.75)
    assert column(demand_panel(told, as_of=as_of(1), stock=stock), "in_stock") == [0.75]


def test_imputing_uses_no_later_period():
    random = np.random.default_rng(5)
    quantity = random.poisson(5, (4, 40)).astype(float)
    in_stock = np.where(random.random((4, 40)) < 0.2, 0.3, 1.0)
    whole, _ = impute_demand(quantity, in_stock=in_stock, smoothing=0.15)
    part, _ = impute_demand(quantity[:, :30], in_stock=in_stock[:, :30], smoothing=0.15)
    np.testing.assert_array_equal(whole[:, :30], part)


def test_imputing_brings_back_most_of_the_demand_that_stock_outs_hid():
    random = np.random.default_rng(7)
    demand = random.poisson(20, (50, 120)).astype(float)
    share = np.where(random.random((50, 120)) < 0.25, random.random((50, 120)), 1.0)
    sold = random.binomial(demand.astype(int), share).astype(float)
    found, _ = impute_demand(sold, in_stock=share, smoothing=0.15)
    assert sold.sum() < 0.9 * demand.sum()
    assert found.sum() == pytest.approx(demand.sum(), rel=0.02)


def test_an_agreed_item_counts_from_its_first_day_even_before_it_sells():
    agreed = pd.DataFrame({"customer_id": ["C"], "product_id": ["New"], "valid_from_on": [week(1)]})
    panel = demand_panel(sales([("C", "P", number, 3) for number in range(4)]), as_of=as_of(4), assortment=agreed)
    assert column(panel, "quantity", "New") == [0, 0, 0]


def test_the_order_of_rows_and_the_input_do_not_change():
    rows = sales([("C", "P", number, number) for number in range(9)] + [("B", "P", number, 1) for number in range(9)])
    before = rows.copy()
    shuffled = rows.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(demand_panel(rows, as_of=as_of(9)), demand_panel(shuffled, as_of=as_of(9)))
    pd.testing.assert_frame_equal(rows, before)


def test_no_sales_give_an_empty_panel_and_one_row_gives_one():
    nothing = demand_panel(sales([]), as_of=as_of(3))
    assert nothing.empty
    assert list(nothing) == PANEL_COLUMNS
    assert len(demand_panel(sales([("C", "P", 0, 1)]), as_of=as_of(1))) == 1


def test_demand_of_an_order_book_is_the_first_request_on_the_day_it_was_wanted():
    orders = pd.DataFrame(
        {
            "customer_id": "C",
            "product_id": "P",
            "ordered_on": [week(0), week(1), week(1)],
            "requested_on": [week(3), pd.NaT, week(2)],
            "quantity_ordered": [4, 6, 1],
            "kind": ["stock", "promotion", "sample"],
        }
    )
    found = first_requests(orders)
    assert found["date"].tolist() == [week(3), week(1)]
    assert found["quantity"].tolist() == [4, 6]


def test_in_an_order_book_an_item_counts_from_its_customers_first_order():
    panel = demand_panel(sales([("C", "P", 0, 5), ("C", "Q", 3, 7), ("D", "Q", 2, 1)]), as_of=as_of(5), order_book=True)
    counts = panel.groupby(["customer_id", "product_id"]).size()
    assert counts.to_dict() == {("C", "P"): 5, ("C", "Q"): 5, ("D", "Q"): 3}


def test_months_before_an_item_was_carried_are_not_in_its_series() -> None:
    months = pd.date_range("2024-01-01", periods=6, freq="MS")
    item = {"customer_id": "C1", "product_id": "P1"}
    sales = pd.DataFrame({**item, "date": months, "quantity": [0.0, 0, 0, 0, 5, 6]})
    stock = pd.DataFrame({**item, "date": months + pd.offsets.MonthEnd(), "on_hand": [0.0, 0, 0, 9, 4, 0]})
    panel = demand_panel(sales, as_of=dt.date(2024, 6, 30), frequency="month", stock=stock)
    assert panel["period"].min() == pd.Timestamp("2024-04-01")
    without_stock = demand_panel(sales, as_of=dt.date(2024, 6, 30), frequency="month")
    assert without_stock["period"].min() == months[0]


def test_what_is_taken_back_on_the_day_of_the_order_is_no_demand() -> None:
    item = {"customer_id": "C1", "product_id": "P1"}
    days = pd.to_datetime(["2024-01-08", "2024-01-08", "2024-01-09"])
    orders = pd.DataFrame({**item, "ordered_on": days, "quantity_ordered": [74_215.0, 5.0, 7.0]})
    returns = pd.DataFrame({**item, "returned_on": days[[0, 2]], "quantity": [74_215.0, 2.0]})
    assert first_requests(orders, returns=returns)["quantity"].tolist() == [0.0, 5.0, 5.0]
    assert first_requests(orders)["quantity"].tolist() == [74_215.0, 5.0, 7.0]


def test_rare_items_of_an_order_book_are_pooled_by_product() -> None:
    rows = [("C1", "P1", f"2024-01-{day:02d}", 1.0) for day in (1, 8, 15, 22)]
    rows += [("C2", "P1", "2024-01-01", 50.0), ("C3", "P1", "2024-01-08", 2.0), ("C2", "P2", "2024-01-15", 3.0)]
    requests = pd.DataFrame(rows, columns=["customer_id", "product_id", "date", "quantity"]).astype({"date": "datetime64[ns]"})
    pooled = pool_rare_items(requests, as_of=dt.date(2024, 1, 31), most=1)
    assert pooled["customer_id"].tolist() == ["C1"] * 4 + [OTHERS] * 3
    assert pooled.groupby("product_id")["quantity"].sum().to_dict() == requests.groupby("product_id")["quantity"].sum().to_dict()
    shuffled = pool_rare_items(requests.sample(frac=1, random_state=3), as_of=dt.date(2024, 1, 31), most=1)
    pd.testing.assert_frame_equal(shuffled.sort_index(), pooled)
    pd.testing.assert_frame_equal(pool_rare_items(requests, as_of=dt.date(2024, 1, 31), most=4), requests)
