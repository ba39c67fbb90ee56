"""Stages of a customer relation, service need and market."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from cmi_analysis.segmentation.market import classify_market
from cmi_analysis.segmentation.relations import classify_relations, classify_service_need, table_service_history

STEADY = {
    "tenure_days": 900.0,
    "tenure_known": True,
    "days_since_last_order": 5.0,
    "value_growth": 0.0,
    "orders": 20,
    "orders_previous": 20.0,
    "leaving_status": "on_time",
}


@pytest.mark.parametrize(
    ("stage", "change"),
    [
        ("stable", {}),
        ("growing", {"value_growth": 0.2}),
        ("shrinking", {"value_growth": -0.2}),
        ("stable", {"value_growth": 0.19}),
        ("unknown", {"value_growth": None, "orders_previous": None}),
        ("new", {"tenure_days": 180.0, "value_growth": None, "orders_previous": 0.0}),
        ("unknown", {"tenure_days": 170.0, "tenure_known": False, "value_growth": None, "orders_previous": None}),
        ("returned", {"orders_previous": 0.0, "value_growth": None}),
        ("dormant", {"leaving_status": "overdue", "value_growth": 0.9}),
        ("left", {"days_since_last_order": 366.0, "leaving_status": "silent"}),
        ("left", {"days_since_last_order": None}),
    ],
)
def test_the_first_rule_that_holds_names_the_stage(stage: str, change: dict[str, object]) -> None:
    assert classify_relations(pd.DataFrame([{**STEADY, **change}]).astype({"value_growth": "float64"})).tolist() == [stage]


def test_rush_and_delivery_are_those_of_a_hand_count() -> None:
    day = pd.Timestamp("2026-01-01")
    waits = [10, 10, 10, 4, 10]
    orders = pd.DataFrame({"customer_id": ["a", "a", "b", "b", "b"], "order_id": list("12345"), "ordered_on": day})
    orders = orders.assign(
        requested_on=[day + pd.Timedelta(days=wait) for wait in waits],
        quantity_ordered=10.0,
        quantity_delivered=[10.0, 5.0, 10.0, 10.0, None],
    )
    late = orders.tail(1).assign(customer_id="c", ordered_on=pd.Timestamp("2026-06-20"), requested_on=pd.NaT)
    result = table_service_history(pd.concat([orders, late]), as_of=dt.date(2026, 6, 28)).set_index("customer_id")
    assert result["rush_share"].tolist()[:2] == pytest.approx([0.0, 1 / 3])
    assert result["delivered_share"].tolist()[:2] == pytest.approx([0.75, 2 / 3])
    assert result.loc["c"].isna().all()
    bare = table_service_history(orders.drop(columns=["requested_on", "quantity_delivered"]), as_of=dt.date(2026, 6, 28))
    assert bare[["requested_days", "rush_share", "delivered_share"]].isna().all(axis=None)


def test_need_is_high_by_promise_penalty_or_rush() -> None:
    rows = [(0.97, False, 0.0), (0.9, True, 0.0), (None, None, 0.25), (0.9, False, 0.0), (None, None, 0.1), (None, None, None)]
    frame = pd.DataFrame(rows, columns=["contract_level", "penalty_agreed", "rush_share"])
    assert classify_service_need(frame).tolist() == ["high", "high", "high", "normal", "normal", "low"]


def test_a_named_home_country_goes_before_the_nearest_customers() -> None:
    sites = pd.DataFrame({"country": ["DE", "FR"], "warehouse_id": "W1", "distance_km": [10.0, 20.0]})
    assert classify_market(sites).tolist() == ["domestic", "international"]
    assert classify_market(sites, home_country="FR").tolist() == ["international", "domestic"]
    assert classify_market(sites.assign(distance_km=900.0)).tolist() == ["unknown", "unknown"]
