"""Orders made real in the plan: the rule that binds, what is held back, alerts with advice, the pipeline by week."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from cmi_analysis.inventory.alerts import ADVICE
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.inventory_policy import PlanResult, for_client, plan
from cmi_analysis.tables import Slice
from plan_samples import AS_OF, DAY, ITEMS, errors, forecasts, tables

KEY = ["customer_id", "product_id"]


def run(params: dict[str, object] | None = None, **changes: pd.DataFrame | None) -> PlanResult:
    forecast = SimpleNamespace(forecasts=forecasts(), errors=errors())
    part = Slice("g", AS_OF, tables(**changes))
    return plan(part, InventoryPolicyParams.model_validate(params or {}), forecast=forecast)


def agreed(**terms: object) -> pd.DataFrame:
    rows = [{"customer_id": c, "product_id": p, "valid_from_on": DAY - pd.Timedelta(days=400)} for c, p in ITEMS]
    return pd.DataFrame(rows).assign(**terms)


@pytest.fixture(scope="module")
def usual() -> PlanResult:
    return run()


def test_without_limits_nothing_is_held_back(usual: PlanResult) -> None:
    assert usual.held_orders.empty
    assert len(usual.proposals) > 0


def test_a_budget_cuts_orders_and_says_what_it_cut(usual: PlanResult) -> None:
    full = usual.proposals["order_value"].sum()
    result = run({"order_budget": full / 2})
    assert result.proposals["order_value"].sum() <= full / 2
    held = result.held_orders
    assert set(held["why"]) <= {"budget", "no_benefit"}
    cut = usual.proposals["quantity"].sum() - result.proposals["quantity"].sum()
    assert held["quantity"].sum() == pytest.approx(cut)
    assert result.totals["held_budget"] + result.totals["held_no_benefit"] == len(held) > 0


def test_a_budget_that_is_large_enough_changes_nothing(usual: PlanResult) -> None:
    pd.testing.assert_frame_equal(run({"order_budget": 1e9}).proposals, usual.proposals)


def test_storage_cuts_orders_of_the_products_whose_volume_is_known(usual: PlanResult) -> None:
    products = tables()["products"].assign(volume=[2.0, 2.0, 2.0])
    result = run({"storage_volume": 10.0}, products=products)
    assert (result.proposals["quantity"] * 2.0).sum() <= 10.0
    assert set(result.held_orders["why"]) == {"storage"}


def test_a_pack_that_expires_before_it_is_used_is_held_back() -> None:
    products = tables()["products"].assign(shelf_life_days=[5.0, 5.0, 5.0])
    result = run(assortment=agreed(order_multiple=500.0), products=products)
    assert result.proposals.empty
    assert set(result.held_orders["why"]) == {"shelf_life"}


def test_a_minimum_of_years_is_compared_with_waiting_and_with_not_ordering() -> None:
    # c1/p2 uses 7 a week and is 3 short; a minimum of 4,000 is eleven years of it, and holding costs nine tenths of it a year
    stock = tables()["stock"].assign(backordered=0.0)
    row = (stock["customer_id"] == "c1") & (stock["product_id"] == "p2")
    stock.loc[row, ["on_hand", "backordered"]] = [0.0, 3.0]
    costs = pd.DataFrame(
        {"cost": ["holding_rate", "order_cost"], "value": [0.9, 1.0], "customer_id": [None] * 2, "product_id": [None] * 2}
    )
    terms = {"minimum_order_quantity": [7.0, 4000.0, 7.0, 7.0]}
    result = run(assortment=agreed(**terms), costs=costs, stock=stock)
    held = result.held_orders.set_index(KEY)
    assert held.loc[("c1", "p2"), "why"] in ("wait", "never")
    assert held.loc[("c1", "p2"), "quantity"] == 4000
    assert held.loc[("c1", "p2"), "choice_saving"] > 0
    assert ("c1", "p2") not in result.proposals.set_index(KEY).index
    cheap = run(assortment=agreed(minimum_order_quantity=[7.0, 8.0, 7.0, 7.0]), costs=costs, stock=stock)
    assert ("c1", "p2") in cheap.proposals.set_index(KEY).index


def test_every_alert_says_what_to_do(usual: PlanResult) -> None:
    assert set(usual.alerts["advice"]) <= set(ADVICE)
    assert usual.alerts["advice"].notna().all()
    assert not usual.alerts["muted"].any()


def test_a_site_that_is_closed_until_an_order_arrives_is_not_alarmed() -> None:
    days = pd.date_range(DAY - pd.Timedelta(days=30), DAY + pd.Timedelta(days=60)).astype("datetime64[ns]")
    calendar = pd.DataFrame({"calendar_id": "x", "date": days, "open": days <= DAY})
    customers = tables()["customers"].assign(calendar_id="x")
    result = run(calendars=calendar, customers=customers)
    out = result.alerts[result.alerts["alert"].isin(["stocked_out", "will_stock_out"])]
    assert len(out) > 0
    assert out["muted"].all()


def test_the_pipeline_ends_when_an_order_placed_now_could_arrive(usual: PlanResult) -> None:
    rows = usual.pipeline
    assert set(map(tuple, rows[KEY].drop_duplicates().to_numpy())) == set(ITEMS)
    assert (rows["stock"] >= 0).all()
    assert rows["stock_out_chance"].between(0, 1).all()
    lead = usual.policies.set_index(KEY)["lead_time_days"]
    weeks = rows.groupby(KEY)["week"].max() + 1
    assert all(weeks[item] == -(-int(-(-lead[item] // 1)) // 7) for item in ITEMS)


def test_a_client_sees_no_saving_of_ours() -> None:
    result = for_client(run({"order_budget": 50.0}))
    assert "choice_saving" not in result.held_orders
    assert len(result.held_orders) > 0
