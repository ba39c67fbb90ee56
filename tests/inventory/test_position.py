from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.inventory.alerts import find_alerts
from cmi_analysis.inventory.allocation import allocate_by_need
from cmi_analysis.inventory.costs import find_costs
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.position import find_active_items, find_open_supply, find_stock_now, spread_supply
from cmi_analysis.inventory.projection import project_stock, score_expiring, score_shortage
from cmi_analysis.inventory.targets import classify_abc_xyz, score_targets

AS_OF = dt.date(2024, 6, 30)
DAY = pd.Timestamp(AS_OF)
ITEMS = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"], "lead_time_days": [5.0]})


def after(days: int) -> pd.Timestamp:
    return DAY + pd.Timedelta(days=days)


def lines(**changes: object) -> pd.DataFrame:
    row = {"order_id": "1", "line": "1", "customer_id": "c", "product_id": "p", "ordered_on": after(-3), "quantity_ordered": 10.0}
    return pd.DataFrame([{**row, "quantity_delivered": 4.0, "promised_on": after(2)}]).assign(**changes)


def open_supply(orders: pd.DataFrame | None, **more: pd.DataFrame | None):  # type: ignore[no-untyped-def]
    tables = {"deliveries": None, "in_transit": None} | more
    return find_open_supply(ITEMS, as_of=AS_OF, orders=orders, **tables)


def test_the_rest_of_a_line_is_open_until_its_promised_day() -> None:
    rows, source = open_supply(lines())
    assert source == "orders"
    assert rows[["expected_on", "quantity"]].to_numpy().tolist() == [[after(2), 6.0]]


def test_without_promise_a_mean_lead_time_counts() -> None:
    rows, _ = open_supply(lines(promised_on=pd.NaT))
    assert rows["expected_on"].tolist() == [after(2)]


def test_overdue_supply_is_expected_tomorrow_and_old_supply_forgotten() -> None:
    rows, _ = open_supply(pd.concat([lines(promised_on=after(-5)), lines(order_id="2", promised_on=after(-200))]))
    assert rows["expected_on"].tolist() == [after(1), after(1)]
    assert rows["forgotten"].tolist() == [False, True]


def test_cancelled_line_is_not_under_way() -> None:
    assert open_supply(lines(cancelled_on=after(-1)))[0].empty


def test_orders_that_do_not_tell_deliveries_are_not_taken_for_open() -> None:
    bare = lines().drop(columns="quantity_delivered")
    transit = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"], "expected_on": [after(4)], "quantity": [3.0]})
    rows, source = open_supply(bare, in_transit=transit)
    assert source == "in_transit"
    assert rows["quantity"].tolist() == [3.0]


def test_arrival_is_on_the_shelf_the_day_after() -> None:
    rows, _ = open_supply(lines())
    assert spread_supply(ITEMS, rows, as_of=AS_OF, days=4).tolist() == [[0.0, 0.0, 0.0, 6.0, 6.0]]


def test_newest_stock_counts_and_blocked_stock_does_not() -> None:
    stock = pd.DataFrame(
        {"customer_id": "c", "product_id": "p", "date": [after(-7), after(0)], "on_hand": [9.0, 5.0], "blocked": [0.0, 2.0]}
    )
    assert find_stock_now(ITEMS, stock)["on_hand"].tolist() == [3.0]
    assert find_stock_now(ITEMS, None)["on_hand"].isna().all()


def test_without_assortment_an_item_is_active_for_a_year_after_use_or_stock() -> None:
    sales = pd.DataFrame({"customer_id": "c", "product_id": ["p", "old"], "date": [after(-10), after(-400)], "quantity": 1.0})
    items = find_active_items(as_of=AS_OF, assortment=None, sales=sales, stock=None)
    assert items["product_id"].tolist() == ["p"]


def test_ended_agreement_is_not_carried() -> None:
    agreed = pd.DataFrame(
        {"customer_id": "c", "product_id": ["p", "q"], "valid_from_on": after(-99), "valid_to_on": [pd.NaT, after(-1)]}
    )
    items = find_active_items(as_of=AS_OF, assortment=agreed, sales=None, stock=None)
    assert items["product_id"].tolist() == ["p"]


def path(daily: float, variance: float | None = None) -> DemandPath:
    time = np.arange(41.0)
    spread = daily if variance is None else variance
    return DemandPath(daily * time[None, :], spread * time[None, :], np.array(["errors"]))


def test_expected_shortage_is_there_where_a_mean_projection_shows_none() -> None:
    supply = np.full((1, 41), 20.0)
    row = score_shortage(path(2.0), supply=supply, until=np.array([10.0])).iloc[0]
    # Poisson(20) against 20: n = 1.78
    assert row["short"] == pytest.approx(1.777, abs=0.01)
    assert row["chance"] == pytest.approx(0.441, abs=0.005)


def test_shortage_is_added_up_along_supply_and_arrivals_do_not_undo_it() -> None:
    supply = np.concatenate([np.zeros((1, 6)), np.full((1, 35), 1000.0)], axis=1)
    row = score_shortage(path(2.0), supply=supply, until=np.array([10.0])).iloc[0]
    assert row["short"] == pytest.approx(10.0, abs=0.01)


def test_projection_never_goes_below_nothing() -> None:
    table = project_stock(path(2.0), supply=np.full((1, 41), 20.0), rows=np.array([0]), every=10)
    assert table["stock"].tolist()[0] == 20.0
    assert (table[["stock", "stock_low"]] >= 0).all().all()
    assert (table["stock_low"] <= table["stock_high"]).all()


def test_expiring_lots_are_used_oldest_first() -> None:
    lots = pd.DataFrame(
        {
            "node_id": "c",
            "product_id": "p",
            "lot": ["a", "b"],
            "date": DAY,
            "quantity": [30.0, 10.0],
            "expires_on": [after(10), after(30)],
        }
    )
    # 20 used by day 10 leave 10 of lot a on average; some 40 used from then to day 30 cover lot b
    random = np.random.default_rng(1)
    first, second = random.poisson(20, 400_000), random.poisson(40, 400_000)
    left = np.maximum(30 - first, 0)
    rest = np.maximum(np.where(first < 30, 10, 40 - first) - second, 0)
    found = score_expiring(lots, items=ITEMS, path=path(2.0), as_of=DAY)
    assert found == pytest.approx([float((left + rest).mean())], abs=0.03)
    assert found[0] > 10.0  # a lot that is just used up on average still loses some


def alert_items(**changes: object) -> pd.DataFrame:
    row = {
        "echelon": "site", "customer_id": "c", "product_id": "p", "on_hand": 10.0, "demand_until_arrival": 5.0,
        "shortage_chance": 0.1, "short": 0.2, "stockout_value": 1.0, "used_half_year": 9.0, "forecast_half_year": 9.0,
        "excess_on_shelf": 0.0, "excess_on_order": 0.0, "without_use": 0.0, "expiring": 0.0, "owner_cost": 2.0,
        "stock_age_days": 0.0,
    }  # fmt: skip
    return pd.DataFrame([row]).assign(**changes)


@pytest.mark.parametrize(
    ("changes", "alerts"),
    [
        ({}, []),
        ({"on_hand": 0.0}, ["stocked_out"]),
        ({"shortage_chance": 0.6}, ["will_stock_out"]),
        ({"used_half_year": 0.0, "forecast_half_year": 0.0}, ["dead_stock"]),
        ({"excess_on_shelf": 8.0, "without_use": 5.0}, ["excess"]),
        ({"excess_on_shelf": 8.0}, []),
        ({"excess_on_order": 3.0}, ["surplus_order"]),
        ({"expiring": 2.0}, ["expiring"]),
        ({"stock_age_days": 30.0}, ["stale"]),
        ({"on_hand": np.nan, "shortage_chance": np.nan}, []),
    ],
)
def test_each_alert_has_its_own_cause(changes: dict[str, object], alerts: list[str]) -> None:
    assert find_alerts(alert_items(**changes))["alert"].tolist() == alerts


def test_money_of_an_alert_is_missing_without_cost_never_zero() -> None:
    alerts = find_alerts(alert_items(expiring=2.0, owner_cost=np.nan))
    assert alerts["quantity"].tolist() == [2.0]
    assert alerts["money"].isna().all()


def test_doubling_an_order_earns_no_share() -> None:
    needs = pd.DataFrame({"customer_id": ["a", "b"], "product_id": "p", "need": [10.0, 10.0], "ordered": [10.0, 20.0]})
    supply = pd.DataFrame({"product_id": ["p"], "available": [10.0]})
    assert allocate_by_need(needs, supply)["allocated"].tolist() == [5.0, 5.0]


def test_enough_supply_needs_no_allocation() -> None:
    needs = pd.DataFrame({"customer_id": ["a"], "product_id": "p", "need": [10.0]})
    assert allocate_by_need(needs, pd.DataFrame({"product_id": ["p"], "available": [10.0]})).empty


def test_first_priority_is_served_before_the_second() -> None:
    needs = pd.DataFrame(
        {"customer_id": ["a", "b", "c"], "product_id": "p", "need": [6.0, 6.0, 6.0], "priority": [2.0, 1.0, np.nan]}
    )
    shared = allocate_by_need(needs, pd.DataFrame({"product_id": ["p"], "available": [9.0]}))
    assert dict(zip(shared["customer_id"], shared["allocated"], strict=True)) == {"b": 6.0, "a": 3.0, "c": 0.0}


def test_narrowest_cost_counts_and_a_missing_one_is_assumed_or_missing() -> None:
    items = pd.DataFrame({"customer_id": ["c", "d", "d"], "product_id": ["p", "p", "q"]})
    costs = pd.DataFrame(
        {
            "cost": "order_cost",
            "customer_id": ["", "c"],
            "product_id": [None, None],
            "value": [20.0, 30.0],
            "valid_from_on": pd.NaT,
        }
    )
    assert find_costs(items, costs, cost="order_cost", as_of=AS_OF)["value"].tolist() == [30.0, 20.0, 20.0]
    assumed = find_costs(items, None, cost="order_cost", as_of=AS_OF, assumed=25.0)
    assert assumed["source"].tolist() == ["assumed"] * 3
    assert find_costs(items, None, cost="order_cost", as_of=AS_OF)["source"].tolist() == ["missing"] * 3


def test_contract_for_the_product_comes_before_the_customers() -> None:
    items = pd.DataFrame({"customer_id": ["c", "c", "d"], "product_id": ["p", "q", "p"]})
    contracts = pd.DataFrame(
        {
            "contract_id": ["1", "2", "3"],
            "customer_id": ["c", "c", "d"],
            "product_id": [None, "q", None],
            "measure": ["shelf_fill", "shelf_fill", "otif"],
            "level": [0.95, 0.99, 0.5],
            "valid_from_on": after(-10),
        }
    )
    targets = score_targets(items, contracts, as_of=AS_OF, service_target=0.9)
    assert targets["target"].tolist() == [0.95, 0.99, 0.9]
    assert targets["target_source"].tolist() == ["contract", "contract", "parameter"]


def test_contract_not_yet_valid_does_not_count() -> None:
    contracts = pd.DataFrame({"customer_id": ["c"], "measure": ["shelf_fill"], "level": [0.99], "valid_from_on": [after(1)]})
    targets = score_targets(ITEMS, contracts, as_of=AS_OF, service_target=0.9)
    assert targets["target"].tolist() == [0.9]


def test_item_that_crosses_the_boundary_belongs_to_the_higher_class() -> None:
    items = pd.DataFrame({"customer_id": "c", "product_id": ["p", "q"], "value": [85.0, 15.0], "cv": [0.5, np.nan]})
    classes = classify_abc_xyz(items, value="value", cv="cv")
    assert classes.to_numpy().tolist() == [["A", "X"], ["B", "Z"]]
