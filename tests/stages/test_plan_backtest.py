"""The plan's rules on history: only what was known then, a range over what was not seen, a sentence where there is none."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.inventory_policy import PlanResult, for_client, plan
from cmi_analysis.tables import Slice
from plan_samples import AS_OF, DAY, ITEMS, LEVEL, forecasts, tables

WEEKS = pd.date_range(end=DAY, periods=104, freq="7D").astype("datetime64[ns]")
ORIGINS = [WEEKS[-1] - pd.Timedelta(days=7 * back + 6) for back in (52, 39, 26, 13)]


def reports(*, extra: float = 2.0, seed: int = 3) -> pd.DataFrame:
    """Weekly reports of sites that hold `extra` weeks of stock more than they use and are refilled each week."""
    random = np.random.default_rng(seed)
    rows = []
    for customer, product in ITEMS:
        level = LEVEL[customer, product]
        stock = level * extra + 5
        for week in WEEKS:
            received = max(level * extra + 5 - stock, 0.0)
            issued = min(float(random.poisson(level)), stock + received)
            stock = stock + received - issued
            rows.append((customer, product, week, stock, received, issued))
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "date", "on_hand", "received", "issued"])


def held_out(stock: pd.DataFrame) -> pd.DataFrame:
    used = stock.assign(period=stock["date"] - pd.Timedelta(days=6)).set_index(["customer_id", "product_id", "period"])["issued"]
    rows = [
        {"customer_id": c, "product_id": p, "origin": origin, "lead": lead, "mean": LEVEL[c, p],
         "period": origin + pd.Timedelta(days=7 * lead)}
        for c, p in ITEMS for origin in ORIGINS for lead in range(1, 14)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    key = pd.MultiIndex.from_frame(frame[["customer_id", "product_id", "period"]])
    return frame.assign(actual=used.reindex(key).to_numpy())


def run(stock: pd.DataFrame, errors: pd.DataFrame | None = None) -> PlanResult:
    used = reports()
    sales = used.rename(columns={"issued": "quantity"})[["customer_id", "product_id", "date", "quantity"]]
    sales = sales.assign(date=sales["date"] - pd.Timedelta(days=6))
    agreed = pd.DataFrame(ITEMS, columns=["customer_id", "product_id"])
    agreed = agreed.assign(valid_from_on=WEEKS[0] - pd.Timedelta(days=30), lead_time_days=5.0)
    part = Slice("g", AS_OF, tables(stock=stock, sales=sales, assortment=agreed))
    tested = held_out(stock) if errors is None else errors
    forecast = SimpleNamespace(forecasts=forecasts(), errors=tested)
    return plan(part, InventoryPolicyParams(), forecast=forecast)


@pytest.fixture(scope="module")
def result() -> PlanResult:
    return run(reports())


def test_each_measure_is_shown_with_unlimited_and_with_limited_supply(result: PlanResult) -> None:
    table = result.backtest
    assert set(table["supply"]) == {"unlimited", "limited"}
    assert {"shelf_fill", "stockout_share", "mean_stock"} <= set(table["measure"])
    assert (table["would_be_low"] <= table["would_be"] + 1e-9).all()
    assert (table["would_be"] <= table["would_be_high"] + 1e-9).all()
    assert (table["change_low"] <= table["difference"] + 1e-9).all()
    assert table.notna().all(axis=None)


def test_a_site_that_holds_far_more_than_the_policy_could_have_held_less(result: PlanResult) -> None:
    heavy = run(reports(extra=8.0)).backtest
    stock = heavy[(heavy["measure"] == "mean_stock") & (heavy["supply"] == "unlimited")].iloc[0]
    assert stock["would_be"] < stock["was"] / 2
    assert stock["change_high"] < 0


def test_limited_supply_serves_no_more_than_unlimited(result: PlanResult) -> None:
    fill = result.backtest[result.backtest["measure"] == "shelf_fill"].set_index("supply")["would_be"]
    assert fill["limited"] <= fill["unlimited"] + 1e-9


def test_what_came_after_the_last_origin_changes_no_level_before_it() -> None:
    stock = reports()
    later = stock.copy()
    last = later["date"] > ORIGINS[-1] + pd.Timedelta(days=6)
    later.loc[last, ["on_hand", "received"]] += 1000.0
    before, after = run(stock).backtest, run(later, held_out(stock)).backtest
    fill = ["supply", "measure", "would_be"]
    some = before["measure"] == "shelf_fill"
    unlimited = some & (before["supply"] == "unlimited")
    pd.testing.assert_frame_equal(before.loc[unlimited, fill], after.loc[unlimited, fill])


def test_reports_without_receipts_say_that_they_cannot_be_tried() -> None:
    bare = run(reports().drop(columns=["received", "issued"]), held_out(reports()))
    assert bare.backtest.empty
    assert bare.missing["backtest"] == "inventory.missing.backtest_moves"


def test_a_short_history_says_so() -> None:
    stock = reports()
    short = run(stock[stock["date"] > DAY - pd.Timedelta(days=70)], held_out(stock))
    assert short.backtest.empty
    assert short.missing["backtest"] == "inventory.missing.backtest_history"


def test_a_client_sees_no_cost_of_the_back_test(result: PlanResult) -> None:
    assert "cost" in set(result.backtest["measure"])
    assert "cost" not in set(for_client(result).backtest["measure"])
