from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.inventory.alerts import ADVICE, ALERTS, count_closed_days, find_alerts

AS_OF = dt.date(2024, 2, 14)


def make(customer: str = "c", **changes: object) -> pd.DataFrame:
    row = {
        "echelon": "site", "customer_id": customer, "product_id": "p", "on_hand": 10.0, "demand_until_arrival": 5.0,
        "shortage_chance": 0.1, "short": 0.0, "stockout_value": 1.0, "used_half_year": 9.0, "forecast_half_year": 9.0,
        "excess_on_shelf": 0.0, "excess_on_order": 0.0, "without_use": 0.0, "expiring": 0.0, "owner_cost": 2.0,
        "stock_age_days": 0.0, "lead_time_days": 4.0, "on_order": 0.0,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


OUT = {"on_hand": 0.0, "short": 4.0, "stockout_value": 40.0}
SPARE = {"excess_on_shelf": 8.0, "without_use": 6.0}
DEAD = {"used_half_year": 0.0, "forecast_half_year": 0.0}


@pytest.mark.parametrize(
    ("own", "other", "alert", "advice"),
    [
        (OUT, {}, "stocked_out", "order_now"),
        (OUT | {"on_order": 4.0}, {}, "stocked_out", "expedite"),
        (OUT | {"on_order": 1.0}, {}, "stocked_out", "order_now"),
        (OUT, SPARE, "stocked_out", "transfer_in"),
        (OUT, SPARE | {"without_use": 3.0}, "stocked_out", "order_now"),
        ({"shortage_chance": 0.6, "short": 2.0}, {}, "will_stock_out", "order_now"),
        ({"shortage_chance": 0.6, "short": 2.0, "on_order": 9.0}, {}, "will_stock_out", "expedite"),
        (SPARE, {}, "excess", "run_down"),
        (SPARE, {"short": 5.0}, "excess", "transfer"),
        (DEAD, {}, "dead_stock", "transfer"),
        (DEAD, {"forecast_half_year": 0.0}, "dead_stock", "return"),
        ({"excess_on_order": 3.0}, {}, "surplus_order", "cancel"),
        ({"expiring": 3.0}, {}, "expiring", "use_first"),
        ({"expiring": 3.0}, {"short": 5.0}, "expiring", "transfer"),
        ({"stock_age_days": 30.0}, {}, "stale", "count"),
    ],
)
def test_each_alert_says_what_to_do(own: dict[str, float], other: dict[str, float], alert: str, advice: str) -> None:
    items = pd.concat([make(**own), make("d", **other)], ignore_index=True)
    found = find_alerts(items)
    mine = found[found["customer_id"] == "c"]
    assert mine[["alert", "advice"]].to_numpy().tolist() == [[alert, advice]]
    assert not found["muted"].any()


def test_every_alert_has_an_advice_of_the_list_and_its_money() -> None:
    items = pd.concat(
        [make(str(n), **change) for n, change in enumerate((OUT, SPARE, DEAD, {"expiring": 3.0}))], ignore_index=True
    )
    found = find_alerts(items).set_index("alert")
    assert set(found["advice"]) <= set(ADVICE)
    assert found["money"].to_dict() == {"stocked_out": 40.0, "dead_stock": 20.0, "excess": 12.0, "expiring": 6.0}
    assert set(found.index) <= set(ALERTS)


def holiday(first: str, days: int, calendar_id: str = "cn") -> pd.DataFrame:
    return pd.DataFrame({"calendar_id": calendar_id, "date": pd.date_range(first, periods=days), "open": False})


def test_a_site_that_nobody_counts_in_its_holiday_is_not_stale() -> None:
    items = make(stock_age_days=16.0)
    closed = count_closed_days(items, holiday("2024-02-10", 5), as_of=AS_OF)
    assert closed["closed_since_count"].tolist() == [5]
    assert find_alerts(items)["muted"].tolist() == [False]
    assert find_alerts(items, closed=closed)["muted"].tolist() == [True]
    long_ago = make(stock_age_days=40.0)
    closed = count_closed_days(long_ago, holiday("2024-02-10", 5), as_of=AS_OF)
    assert find_alerts(long_ago, closed=closed)["muted"].tolist() == [False]


def test_a_stock_out_of_a_closed_site_is_muted_and_comes_last() -> None:
    items = pd.concat([make(**OUT), make("d", **OUT)], ignore_index=True)
    days = pd.concat([holiday("2024-02-15", 4), holiday("2024-02-15", 1, "de")])
    closed = count_closed_days(items, days, as_of=AS_OF, site_of=pd.Series({"c": "cn", "d": "de"}))
    assert closed["closed_until_arrival"].tolist() == [4, 1]
    found = find_alerts(items, closed=closed)
    assert found[["customer_id", "muted"]].to_numpy().tolist() == [["d", False], ["c", True]]


def test_open_days_and_customers_without_a_calendar_mute_nothing() -> None:
    items = make(**OUT)
    closed = count_closed_days(items, holiday("2024-02-15", 4).assign(open=True), as_of=AS_OF)
    assert find_alerts(items, closed=closed)["muted"].tolist() == [False]
    nobody = count_closed_days(items, holiday("2024-02-15", 4), as_of=AS_OF, site_of=pd.Series({"x": "cn"}))
    assert nobody["closed_until_arrival"].tolist() == [0]


def test_without_alerts_the_columns_are_there_all_the_same() -> None:
    found = find_alerts(make())
    assert found.empty
    assert {"money", "advice", "muted"} <= set(found)


def test_the_input_is_unchanged_and_on_order_may_be_missing() -> None:
    items = make(**OUT).drop(columns="on_order")
    before = items.copy()
    assert find_alerts(items)["advice"].tolist() == ["order_now"]
    pd.testing.assert_frame_equal(items, before)
    assert np.isfinite(find_alerts(items)["money"]).all()
