from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.inventory_policy import PlanResult, ledger_frames, plan
from cmi_analysis.stages.plan_columns import COLUMNS
from cmi_analysis.tables import DataSet, Settings, Slice

AS_OF = dt.date(2024, 6, 30)
DAY = pd.Timestamp(AS_OF)
ITEMS = [("c1", "p1"), ("c1", "p2"), ("c2", "p1"), ("c2", "p3")]
LEVEL = {("c1", "p1"): 70.0, ("c1", "p2"): 7.0, ("c2", "p1"): 35.0, ("c2", "p3"): 0.0}


def weekly(first: str, weeks: int) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=weeks, freq="W-MON").astype("datetime64[ns]")


def forecasts() -> pd.DataFrame:
    rows = [
        {
            "echelon": "site",
            "customer_id": c,
            "product_id": p,
            "period": period,
            "of": "demand",
            "model": "ses",
            "mean": LEVEL[c, p],
        }
        for c, p in ITEMS
        for period in weekly("2024-07-01", 13)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(q05=frame["mean"] * 0.6, q95=frame["mean"] * 1.5)


def errors() -> pd.DataFrame:
    random = np.random.default_rng(5)
    rows = [
        {"customer_id": c, "product_id": p, "origin_on": origin, "horizon": h, "mean": LEVEL[c, p]}
        for c, p in ITEMS
        for origin in weekly("2024-01-01", 4)
        for h in range(1, 14)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(
        actual=np.maximum(np.round(frame["mean"] + random.normal(0, 1, len(frame)) * np.sqrt(frame["mean"] * 2)), 0)
    )


def tables(**changes: pd.DataFrame | None) -> DataSet:
    weeks = weekly("2023-07-03", 52)
    sales = pd.DataFrame(
        [{"customer_id": c, "product_id": p, "date": week, "quantity": LEVEL[c, p]} for c, p in ITEMS for week in weeks]
    )
    now = {("c1", "p1"): 20.0, ("c1", "p2"): 400.0, ("c2", "p1"): 0.0, ("c2", "p3"): 12.0}
    stock = pd.DataFrame(
        [
            {"customer_id": c, "product_id": p, "date": date, "on_hand": now[c, p]}
            for c, p in ITEMS
            for date in (DAY - pd.Timedelta(days=7), DAY)
        ]
    )
    ordered = pd.date_range("2024-01-02", periods=24, freq="7D").astype("datetime64[ns]")
    orders = pd.DataFrame(
        [
            {"order_id": f"{c}{n}", "line": "1", "customer_id": c, "product_id": "p1", "ordered_on": day,
             "quantity_ordered": 70.0, "promised_on": day + pd.Timedelta(days=6),
             "delivered_on": day + pd.Timedelta(days=4 + 3 * (n % 2)), "quantity_delivered": 70.0}
            for c in ("c1", "c2")
            for n, day in enumerate(ordered)
        ]
    )  # fmt: skip
    open_line = orders.tail(1).assign(
        order_id="open", ordered_on=DAY - pd.Timedelta(days=2), promised_on=DAY + pd.Timedelta(days=3)
    )
    open_line = open_line.assign(delivered_on=pd.NaT, quantity_delivered=0.0, customer_id="c1")
    frames = {
        "customers": pd.DataFrame({"customer_id": ["c1", "c2"], "customer_name": ["One", "Two"], "priority": [1, 2]}),
        "products": pd.DataFrame(
            {
                "product_id": ["p1", "p2", "p3"],
                "product_name": ["Bolt", "Nut", "Cap"],
                "unit_cost": [4.0, 2.0, 1.0],
                "unit_price": [6.0, 3.0, 2.0],
            }
        ),
        "sales": sales,
        "stock": stock,
        "orders": pd.concat([orders, open_line.astype(orders.dtypes.to_dict())], ignore_index=True),
        "contracts": pd.DataFrame(
            {
                "contract_id": ["k"],
                "customer_id": ["c1"],
                "measure": ["shelf_fill"],
                "level": [0.98],
                "valid_from_on": [pd.Timestamp("2024-01-01")],
            }
        ),
    }
    frames |= changes
    return DataSet(
        {name: frame for name, frame in frames.items() if frame is not None}, Settings(frequency="week", currency="EUR")
    )


def run(params: dict[str, object] | None = None, **changes: pd.DataFrame | None) -> PlanResult:
    part = Slice("g", AS_OF, tables(**changes))
    forecast = SimpleNamespace(forecasts=forecasts(), errors=errors())
    return plan(part, InventoryPolicyParams.model_validate(params or {}), forecast=forecast)


@pytest.fixture(scope="module")
def result() -> PlanResult:
    return run()


def test_every_frame_has_its_columns(result: PlanResult) -> None:
    for name, columns in COLUMNS.items():
        assert list(getattr(result, name).columns) == list(columns), name


def test_no_number_is_missing_where_all_tables_are_there(result: PlanResult) -> None:
    numbers = result.policies[
        ["reorder_point", "order_up_to_level", "safety_stock", "promised", "mean_stock", "expected", "cover_days"]
    ]
    assert numbers.notna().all().all()
    assert result.missing == {"allocation": "inventory.missing.warehouse_stock"}


def test_the_promise_reaches_the_contract_and_the_target_of_the_rest(result: PlanResult) -> None:
    table = result.policies.set_index(["customer_id", "product_id"])
    assert table.loc["c1", "target"].tolist() == [0.98, 0.98]
    assert table.loc["c2", "target"].tolist() == [0.95, 0.95]
    assert (table["promised"] >= table["target"] - 1e-9).all()


def test_an_item_without_forecast_demand_has_no_policy_and_full_service(result: PlanResult) -> None:
    row = result.policies.set_index(["customer_id", "product_id"]).loc[("c2", "p3")]
    assert (row["policy"], row["order_up_to_level"], row["promised"]) == ("none", 0.0, 1.0)


def test_open_orders_count_in_the_position(result: PlanResult) -> None:
    row = result.policies.set_index(["customer_id", "product_id"]).loc[("c1", "p1")]
    assert (row["on_hand"], row["on_order"], row["position"]) == (20.0, 70.0, 90.0)


def test_proposals_bring_the_position_to_the_level(result: PlanResult) -> None:
    rows = result.proposals.set_index(["customer_id", "product_id"])
    assert ("c1", "p2") not in rows.index
    assert (rows["position"] + rows["quantity"] >= rows["trigger"] - 1e-9).all()
    assert (rows["order_on"] == DAY + pd.Timedelta(days=1)).all()


def test_alerts_name_the_empty_shelf_the_excess_and_nothing_else_there(result: PlanResult) -> None:
    kinds = set(zip(result.alerts["customer_id"], result.alerts["product_id"], result.alerts["alert"], strict=True))
    assert ("c2", "p1", "stocked_out") in kinds
    assert ("c1", "p2", "excess") in kinds
    assert ("c2", "p3", "dead_stock") in kinds


def test_lead_times_come_from_orders_and_the_open_line_is_counted_as_open(result: PlanResult) -> None:
    row = result.lead_times.set_index("customer_id").loc["c1"]
    assert (row["lines"], row["open_lines"]) == (25, 1)
    assert 5 < row["mean_days"] < 6


def test_result_does_not_depend_on_the_order_of_rows() -> None:
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in tables().frames.items()}
    again = run(**shuffled)
    first = run()
    for name in COLUMNS:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(first, name))


def test_without_sell_out_every_section_says_so() -> None:
    result = run(sales=None)
    assert result.missing["service"] == "inventory.missing.sales"
    assert result.missing["money"] == "inventory.missing.no_plan"
    assert result.missing["data"] == "inventory.missing.warehouse"
    assert "lead_time" not in result.missing
    assert len(result.lead_times) == 2


def test_without_site_stock_policies_stand_and_money_says_so() -> None:
    result = run(stock=None)
    assert result.missing["money"] == result.missing["actions"] == "inventory.missing.stock"
    assert (result.policies["promised"] >= 0.95).all()
    assert result.proposals.empty


def test_without_any_lead_time_the_report_says_so() -> None:
    result = run(orders=None)
    assert result.missing["service"] == "inventory.missing.lead_time"


def test_an_assumed_lead_time_is_labelled() -> None:
    result = run({"assumed_lead_time_days": 30.0}, orders=None)
    assert set(result.policies["lead_time_source"]) == {"assumed"}
    assert "inventory.assumes.lead_time" in result.assumptions
    assert result.missing["lead_time"] == "inventory.missing.deliveries"


def test_without_costs_units_remain_and_the_assumption_is_told() -> None:
    products = tables()["products"].drop(columns=["unit_cost", "unit_price"])
    result = run(products=products)
    assert result.policies["order_quantity"].notna().all()
    assert result.totals["excess_units"] > 0
    assert "excess_value" not in result.totals
    assert "inventory.assumes.no_costs" in result.assumptions


def test_a_contract_of_one_hundred_percent_is_planned_just_below_and_told() -> None:
    contracts = tables()["contracts"].assign(level=1.0)
    result = run(contracts=contracts)
    assert result.policies["target"].max() == 0.999
    assert "inventory.assumes.capped_target" in result.assumptions


def test_minimum_and_pack_of_the_assortment_make_the_order_real() -> None:
    assortment = pd.DataFrame(ITEMS, columns=["customer_id", "product_id"]).assign(
        valid_from_on=pd.Timestamp("2023-01-01"), minimum_order_quantity=50.0, order_multiple=12.0, order_weekdays="Thu"
    )
    result = run(assortment=assortment)
    assert (result.proposals["quantity"] % 12 == 0).all()
    assert (result.proposals["quantity"] >= 60).all()
    assert (result.proposals["order_on"].dt.day_name() == "Thursday").all()


def test_short_supply_is_shared_by_need_within_priority() -> None:
    stock = pd.DataFrame({"warehouse_id": ["w"], "product_id": ["p1"], "date": [DAY], "on_hand": [40.0]})
    result = run(warehouse_stock=stock)
    assert "allocation" not in result.missing
    assert result.allocation["allocated"].sum() == pytest.approx(40.0)
    assert result.allocation["customer_id"].tolist() == ["c1", "c2"]


def test_ledger_keeps_what_was_said(result: PlanResult) -> None:
    assert set(ledger_frames(result)) == {"proposals", "alerts", "policies"}
    assert (result.policies["echelon"] == "site").all()


def test_doubling_the_lead_time_raises_the_model_stock(result: PlanResult) -> None:
    by = result.sensitivity.set_index("change")["stock_value"]
    assert by["lead_less"] < by["plan"] < by["lead_more"]
    assert by["target_less"] < by["plan"] < by["target_more"]


def test_promise_and_simulation_agree(result: PlanResult) -> None:
    row = result.promised.set_index("abc").loc["all"]
    assert row["simulated"] == pytest.approx(row["promised"], abs=0.015)


def test_targets_chosen_together_need_no_more_stock_and_serve_no_less_than_fixed_ones(result: PlanResult) -> None:
    table = result.targets.set_index("way")
    fixed, money, service = (table.loc[way] for way in ("fixed", "optimised_same_money", "optimised_same_service"))
    assert money["stock_value"] <= fixed["stock_value"] * (1 + 1e-9)
    assert money["promised"] >= fixed["promised"] - 1e-9
    assert service["saving"] >= -1e-9
    assert service["promised"] >= fixed["promised"] - 1e-9


def test_without_costs_targets_are_compared_in_units() -> None:
    result = run(products=tables()["products"].drop(columns=["unit_cost", "unit_price"]))
    assert result.targets["stock_units"].notna().all()
    assert result.targets["stock_value"].isna().all()
