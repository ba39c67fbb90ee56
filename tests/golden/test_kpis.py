"""Every computed KPI against a table small enough to work out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from cmi_analysis.performance.registry import COMPANIONS, KPIS
from cmi_analysis.performance.scoring import score_kpis

AS_OF = "2024-03-31"


def day(*texts: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(texts)))


def score(tables: dict[str, pd.DataFrame], kpi: str, *, level: str = "", **settings: object) -> pd.Series:
    found = score_kpis(tables, kpis=[kpi], settings={"as_of": AS_OF, **settings})
    found = found[found["level"] == level]
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture
def one_order() -> pd.DataFrame:
    """One order of five lines, as in Boylan and Syntetos (2021), table 3.1: 18 of 25 units, 2 of 5 lines, 85 % of the value.

    The lines themselves are ours: 5 ordered of each; 5, 5, 4, 2, 2 delivered at once. Value delivered
    31.25 + 31.25 + 15 + 3.75 + 3.75 = 85 of 31.25 + 31.25 + 18.75 + 9.375 + 9.375 = 100.
    """
    return pd.DataFrame(
        {
            "order_id": "7",
            "line": list("12345"),
            "customer_id": "c",
            "product_id": list("abcde"),
            "ordered_on": pd.Timestamp("2024-03-01"),
            "promised_on": pd.Timestamp("2024-03-01"),
            "delivered_on": pd.Timestamp("2024-03-01"),
            "quantity_ordered": 5.0,
            "quantity_delivered": [5.0, 5.0, 4.0, 2.0, 2.0],
            "unit_price": [6.25, 6.25, 3.75, 1.875, 1.875],
        }
    )


@pytest.mark.parametrize(("level", "expected"), [("units", 0.72), ("lines", 0.40), ("orders", 0.0), ("value", 0.85)])
def test_order_fill_has_four_answers_for_the_same_deliveries(one_order: pd.DataFrame, level: str, expected: float) -> None:
    assert score({"orders": one_order}, "order_fill", level=level)["value"] == pytest.approx(expected)


@pytest.fixture
def six_lines() -> pd.DataFrame:
    """Due 03-10 each, 10 units: in time, late by 2 days, short by 4, open, eight days early, cancelled by the customer."""
    return pd.DataFrame(
        {
            "order_id": ["1", "1", "2", "3", "4", "5"],
            "line": ["1", "2", "1", "1", "1", "1"],
            "customer_id": "c",
            "product_id": list("abcdef"),
            "ordered_on": pd.Timestamp("2024-03-01"),
            "promised_on": pd.Timestamp("2024-03-10"),
            "delivered_on": day("2024-03-09", "2024-03-12", "2024-03-10", None, "2024-03-02", None),
            "quantity_ordered": 10.0,
            "quantity_delivered": [10.0, 10.0, 6.0, None, 10.0, None],
            "cancelled_on": day(None, None, None, None, None, "2024-03-05"),
            "cancelled_by": [None, None, None, None, None, "customer"],
        }
    )


@pytest.mark.parametrize(
    ("kpi", "level", "settings", "numerator", "denominator"),
    [
        ("order_fill", "units", {}, 26, 50),
        ("order_fill", "units", {"late_tolerance_days": 2}, 36, 50),
        ("delivered_share", "", {}, 36, 50),
        ("on_time", "lines", {}, 2, 5),  # the first, and the short one whose only delivery was in time
        ("on_time", "lines", {"late_tolerance_days": 2}, 3, 5),
        ("on_time", "lines", {"early_tolerance_days": 8}, 3, 5),
        ("on_time", "orders", {}, 1, 4),
        ("in_full", "lines", {}, 3, 5),
        ("in_full", "lines", {"quantity_tolerance": 0.4}, 4, 5),
        ("otif", "lines", {}, 1, 5),
        ("otif", "orders", {"late_tolerance_days": 2}, 1, 4),
        ("otif", "lines", {"quantity_tolerance": 0.4}, 2, 5),
    ],
)
def test_service_of_six_lines(
    six_lines: pd.DataFrame, kpi: str, level: str, settings: dict[str, float], numerator: float, denominator: float
) -> None:
    found = score({"orders": six_lines}, kpi, level=level, **settings)
    assert (found["numerator"], found["denominator"]) == (pytest.approx(numerator), pytest.approx(denominator))
    assert found["value"] == pytest.approx(numerator / denominator)


def test_a_line_not_yet_due_is_not_counted(six_lines: pd.DataFrame) -> None:
    assert score_kpis({"orders": six_lines}, kpis=["otif"], settings={"as_of": "2024-03-09"}).empty


def test_perfect_orders_leave_out_unknown_flags_and_fail_damaged_ones(six_lines: pd.DataFrame) -> None:
    orders = six_lines.assign(
        delivered_on=pd.Timestamp("2024-03-10"), quantity_delivered=10.0, cancelled_on=pd.NaT,
        damaged=pd.array([False, False, True, False, None, False], dtype="boolean"),
        documents_ok=pd.array([True] * 6, dtype="boolean"),
    )  # fmt: skip
    found = score({"orders": orders}, "perfect_order")  # orders 1, 3, 5 perfect, 2 damaged, 4 unknown
    assert (found["numerator"], found["denominator"]) == (3, 4)


def test_order_accuracy_is_error_free_lines_of_lines_shipped(six_lines: pd.DataFrame) -> None:
    orders = six_lines.assign(picking_error=pd.array([True, False, False, False, None, False], dtype="boolean"))
    found = score({"orders": orders}, "order_accuracy")  # shipped 4, one unknown, one wrong
    assert (found["numerator"], found["denominator"]) == (2, 3)


@pytest.mark.parametrize(
    ("kpi", "expected"), [("order_cycle_time", 7.25), ("order_cycle_time_median", 8.5), ("order_cycle_time_p90", 10.4)]
)
def test_order_cycle_time_of_8_11_9_and_1_days(six_lines: pd.DataFrame, kpi: str, expected: float) -> None:
    # sorted 1, 8, 9, 11: mean 29/4, median 8.5, P90 at position 2.7: 9 + 0.7 * 2
    assert score({"orders": six_lines}, kpi)["value"] == pytest.approx(expected)


@pytest.mark.parametrize(("kpi", "expected"), [("lead_time", 3.875), ("lead_time_p95", 5.0)])
def test_lead_time_counts_open_orders_up_to_their_age(kpi: str, expected: float) -> None:
    # arrived after 2, 4, 5 days, open for 3: S = .75, .375, 0; mean = 2·1 + 2·.75 + 1·.375
    orders = pd.DataFrame(
        {
            "order_id": list("1234"), "line": "1", "customer_id": "c", "product_id": "p", "quantity_ordered": 1.0,
            "ordered_on": day("2024-03-01", "2024-03-28", "2024-03-01", "2024-03-01"),
            "delivered_on": day("2024-03-03", None, "2024-03-05", "2024-03-06"),
        }
    )  # fmt: skip
    assert score({"orders": orders}, kpi)["value"] == pytest.approx(expected)


def test_return_rate_follows_the_shipment_and_stays_provisional_until_its_window_has_passed() -> None:
    orders = pd.DataFrame(
        {
            "order_id": ["1", "2"], "line": "1", "customer_id": "c", "product_id": "p", "quantity_ordered": [60.0, 40.0],
            "quantity_delivered": [60.0, 40.0], "ordered_on": day("2023-10-01", "2024-03-01"),
            "shipped_on": day("2023-10-02", "2024-03-02"), "delivered_on": day("2023-10-03", "2024-03-03"),
        }
    )  # fmt: skip
    returns = pd.DataFrame(
        {
            "return_id": list("123"), "customer_id": "c", "product_id": "p", "order_id": ["1", "1", "2"],
            "returned_on": day("2023-10-20", "2024-03-20", "2024-03-20"), "quantity": [6.0, 5.0, 2.0],
        }
    )  # fmt: skip
    found = score({"orders": orders, "returns": returns}, "return_rate")  # 6 and 2 in time, 5 after the window
    assert (found["numerator"], found["denominator"], found["provisional"]) == (8, 100, True)
    months = score_kpis({"orders": orders, "returns": returns}, kpis=["return_rate"], by=["month"], settings={"as_of": AS_OF})
    assert months[["value", "provisional"]].values.tolist() == [[0.1, False], [0.05, True]]


@pytest.fixture
def site() -> dict[str, pd.DataFrame]:
    """Four weekly snapshots of one item at cost 2 and price 3; 4 units sold a week, none while empty."""
    weeks = pd.date_range("2024-03-04", periods=4, freq="W-MON")
    item = {"customer_id": "c", "product_id": "p"}
    return {
        "stock": pd.DataFrame({**item, "date": weeks, "on_hand": [8.0, 4.0, 0.0, 8.0], "received": [0.0, 0.0, 0.0, 8.0]}),
        "sales": pd.DataFrame({**item, "date": weeks, "quantity": [4.0, 4.0, 2.0, 0.0], "in_stock": [1.0, 1.0, 0.5, 0.0]}),
        "products": pd.DataFrame({"product_id": ["p"], "unit_cost": [2.0], "unit_price": [3.0]}),
    }


@pytest.mark.parametrize(
    ("kpi", "expected"),
    [
        ("in_stock_rate", 3 / 4),
        ("shelf_fill", 10 / 16),  # demanded 4, 4, 2 + 4·½, 0 + 4
        ("turns", (20 * 365 / 28) / 10),  # cost of use 20 in 28 days on a mean stock of 5 units at 2
        ("dio", 365 / ((20 * 365 / 28) / 10)),
        ("gmroi", 10 * 365 / 28 / 10),  # margin 1 on 10 units, a year's worth of it, on a mean stock of 10
        ("carrying_cost", 10 * 0.2 * 28 / 365),
    ],
)
def test_stock_kpis_of_four_weeks(site: dict[str, pd.DataFrame], kpi: str, expected: float) -> None:
    found = score(site, kpi, window_start="2024-03-04", holding_rate=0.2)
    assert found["value"] == pytest.approx(expected)


def test_turns_without_costs_are_in_units_and_say_so(site: dict[str, pd.DataFrame]) -> None:
    found = score({"stock": site["stock"], "sales": site["sales"]}, "turns", window_start="2024-03-04")
    assert (found["value"], found["basis"]) == (pytest.approx((10 * 365 / 28) / 5), "units")


def test_excess_is_what_has_no_expected_use_at_the_owners_cost(site: dict[str, pd.DataFrame]) -> None:
    # use 10 in 91 days; protection 1 + excess 90 days: 10 expected; 50 on hand, 5 owed, 35 too many at the customer's price 3
    stock = site["stock"].assign(on_hand=50.0, backordered=5.0)
    assert score({**site, "stock": stock}, "excess_value", protection_days=1)["value"] == pytest.approx(105)
    assert score({**site, "stock": stock}, "excess_value", protection_days=1, stock_owner="supplier")["value"] == pytest.approx(
        70
    )


def test_cycle_service_counts_whole_cycles_without_an_empty_shelf() -> None:
    stock = pd.DataFrame(
        {
            "customer_id": "c", "product_id": "p", "date": pd.date_range("2024-01-01", periods=7, freq="W-MON"),
            "on_hand": [3.0, 9.0, 5.0, 9.0, 0.0, 9.0, 4.0], "received": [0.0, 9.0, 0.0, 9.0, 0.0, 9.0, 0.0],
        }
    )  # fmt: skip
    found = score({"stock": stock}, "cycle_service")  # cycles: fine, empty; the running one is not whole
    assert (found["numerator"], found["denominator"]) == (1, 2)


def test_stock_accuracy_is_one_less_the_share_miscounted() -> None:
    stock = pd.DataFrame({"customer_id": "c", "product_id": list("ab"), "date": day("2024-03-01", "2024-03-01"),
                          "on_hand": [10.0, 8.0], "counted": [8.0, 12.0]})  # fmt: skip
    assert score({"stock": stock}, "stock_accuracy")["value"] == pytest.approx(1 - 6 / 20)


@pytest.mark.parametrize(
    ("kpi", "expected"),
    [("wape", 9 / 30), ("bias", -1 / 30), ("wape_naive", 15 / 30), ("fva", 6 / 30), ("forecast_conversion", 18 / 29)],
)
def test_forecasts_of_a_customer_at_lag_one(kpi: str, expected: float) -> None:
    weeks = pd.date_range("2024-03-04", periods=3, freq="W-MON")
    item = {"customer_id": "c", "product_id": "p"}
    sales = pd.DataFrame({**item, "date": weeks, "quantity": [15.0, 10.0, 20.0]})  # naive: |10-15| + |20-10| = 15
    shared = pd.DataFrame(
        {**item, "issued_on": [weeks[1], weeks[1], weeks[2], weeks[2] + pd.Timedelta(days=1)],
         "period": [weeks[1], weeks[2], weeks[2], weeks[2]], "quantity": [14.0, 99.0, 15.0, 20.0]}
    )  # fmt: skip
    # week 2: |10-14| = 4; week 3: the newest issued by its first day is 15, |20-15| = 5; sum 9; bias 29 - 30
    orders = pd.DataFrame(
        {**item, "order_id": list("123"), "line": "1", "ordered_on": weeks, "quantity_ordered": [7.0, 10.0, 8.0]}
    )
    assert score({"sales": sales, "customer_forecasts": shared, "orders": orders}, kpi)["value"] == pytest.approx(expected)


def test_bullwhip_is_the_ratio_of_squared_coefficients_of_variation() -> None:
    weeks = pd.date_range("2023-01-02", periods=40, freq="W-MON")
    item = {"customer_id": "c", "product_id": "p"}
    sales = pd.DataFrame({**item, "date": weeks, "quantity": [9.0, 11.0] * 20})
    orders = pd.DataFrame({**item, "order_id": [str(n) for n in range(20)], "line": "1", "ordered_on": weeks[1::2],
                           "quantity_ordered": 20.0})  # fmt: skip
    found = score({"sales": sales, "orders": orders}, "bullwhip")
    assert found["value"] == pytest.approx(100.0)  # cv² 1 against 0.01, both with n - 1
    assert found["n"] == 40
    boxes = orders.assign(quantity_ordered=2.0)
    assert score({"sales": sales, "orders": boxes}, "bullwhip")["value"] == pytest.approx(100.0)  # free of the unit


def test_sharing_counts_what_is_due_and_came_in_time() -> None:
    feeds = pd.DataFrame({"customer_id": "c", "table": "sales",
                          "due_on": day("2024-03-01", "2024-03-08", "2024-03-15", "2024-04-05"),
                          "received_on": day("2024-03-01", "2024-03-10", None, None)})  # fmt: skip
    assert score({"feeds": feeds}, "sharing")["value"] == pytest.approx(1 / 3)
    assert score({"feeds": feeds}, "sharing", feed_cutoff_days=2)["value"] == pytest.approx(2 / 3)


def test_csat_and_nps() -> None:
    feedback = pd.DataFrame({"feedback_id": list("12345678"), "customer_id": "c", "date": pd.Timestamp("2024-03-01"),
                             "kind": ["csat"] * 4 + ["nps"] * 4, "score": [5, 4, 3, 2, 10, 9, 7, 0]})  # fmt: skip
    assert score({"feedback": feedback}, "csat")["value"] == pytest.approx(0.5)
    assert score({"feedback": feedback}, "nps")["value"] == pytest.approx(0.25)


def test_source_hhi_is_the_sum_of_squared_shares() -> None:
    receipts = pd.DataFrame({"receipt_id": list("123"), "supplier_id": ["x", "x", "y"], "product_id": "p",
                             "received_on": pd.Timestamp("2024-03-01"), "quantity_received": [3.0, 3.0, 4.0]})  # fmt: skip
    assert score({"receipts": receipts}, "source_hhi")["value"] == pytest.approx(0.36 + 0.16)


def test_cost_to_serve_is_picking_freight_and_returns_for_each_order() -> None:
    orders = pd.DataFrame({"order_id": ["1", "1", "2"], "line": ["1", "2", "1"], "customer_id": "c", "product_id": list("abc"),
                           "ordered_on": pd.Timestamp("2024-03-01"), "quantity_ordered": 1.0})  # fmt: skip
    costs = pd.DataFrame({"cost": ["pick_cost", "freight_cost", "return_cost"], "value": [2.0, 10.0, 6.0]})
    returns = pd.DataFrame({"return_id": ["1"], "customer_id": "c", "product_id": "a", "returned_on": pd.Timestamp("2024-03-09"),
                            "quantity": [1.0]})  # fmt: skip
    found = score({"orders": orders, "costs": costs, "returns": returns}, "cost_to_serve")
    assert found["value"] == pytest.approx((3 * 2 + 2 * 10 + 6) / 2)


def test_every_computed_kpi_has_a_golden_test() -> None:
    text = __import__("pathlib").Path(__file__).read_text("utf-8")
    computed = [kpi.id for kpi in KPIS.values() if kpi.computed] + list(COMPANIONS)
    assert [name for name in computed if f'"{name}"' not in text] == []
