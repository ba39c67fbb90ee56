from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.inventory_policy import PlanResult, ledger_frames, plan
from cmi_analysis.stages.plan_columns import COLUMNS
from cmi_analysis.tables import Slice
from plan_samples import AS_OF, DAY, ITEMS, errors, forecasts, tables


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
    assert result.missing == {
        "allocation": "inventory.missing.warehouse_stock",
        "backtest": "inventory.missing.backtest_moves",
    }


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
