from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.displays import table_sharing
from cmi_analysis.figures import plot_pooling
from cmi_analysis.messages import tell_inventory_policy
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.inventory_policy import PlanResult, plan
from cmi_analysis.stages.plan_columns import COLUMNS, CONFIDENTIAL
from cmi_analysis.stages.plan_sharing import _receiver_curve
from cmi_analysis.tables import Slice
from plan_samples import AS_OF, DAY, errors, forecasts, tables, weekly

MONEY = {"benefit", "transfer_cost", "transfer_gain", "holding_saved", "pooling_cost"}


def a_slice(*, stock: dict[str, float] | None = None, accounts: list[Any] | None = None, **changes: pd.DataFrame | None) -> Slice:
    """Return the sample group with p1 at both sites: c1 far above its level and c2 out of stock; no order is open."""
    now = {"c1": 1000.0, "c2": 0.0} if stock is None else stock
    rows = [{"customer_id": c, "product_id": "p1", "date": DAY, "on_hand": held} for c, held in now.items()]
    orders = tables()["orders"]
    customers = tables()["customers"]
    if accounts is not None:
        customers = customers.assign(account_id=accounts)
    frames = {"stock": pd.DataFrame(rows), "orders": orders[orders["order_id"] != "open"], "customers": customers}
    return Slice("g", AS_OF, tables(**{**frames, **changes}))


def run(part: Slice, *, history: pd.DataFrame | None = None, **params: object) -> PlanResult:
    forecast = SimpleNamespace(forecasts=forecasts(), errors=errors() if history is None else history)
    return plan(part, InventoryPolicyParams.model_validate(params), forecast=forecast)


@pytest.fixture(scope="module")
def spare() -> PlanResult:
    level = run(a_slice()).policies.set_index(["customer_id", "product_id"]).loc[("c1", "p1"), "order_up_to_level"]
    return run(a_slice(stock={"c1": level + 100.0, "c2": 0.0}))


def linked_errors(share: float) -> pd.DataFrame:
    """Return errors of p1 at both sites whose parts in common make up `share` of the variance."""
    random = np.random.default_rng(11)
    keys = [(origin, h) for origin in weekly("2022-01-03", 20) for h in range(1, 14)]
    common = random.normal(size=len(keys)) * np.sqrt(share)
    frames = []
    for customer, mean in (("c1", 70.0), ("c2", 35.0)):
        frame = pd.DataFrame(keys, columns=["origin_on", "horizon"]).assign(customer_id=customer, product_id="p1", mean=mean)
        frames.append(frame.assign(actual=mean + 8 * (common + random.normal(size=len(keys)) * np.sqrt(1 - share))))
    return pd.concat(frames, ignore_index=True)


def test_a_site_with_a_hundred_to_spare_helps_the_one_that_is_out(spare: PlanResult) -> None:
    row = spare.site_transfers.iloc[0]
    assert len(spare.site_transfers) == 1
    assert (row["from_customer_id"], row["to_customer_id"], row["product_id"]) == ("c1", "c2", "p1")
    assert row["spare"] == 100.0
    assert 0 < row["quantity"] <= 100.0
    assert 0 < row["saved_units"] <= row["quantity"]
    assert row["arrives_on"] == DAY + pd.Timedelta(days=2)
    assert row["arrives_on"] < row["next_delivery_on"]


def test_a_transfer_saves_about_the_demand_between_its_arrival_and_the_next_delivery(spare: PlanResult) -> None:
    row = spare.site_transfers.iloc[0]
    days = (row["next_delivery_on"] - row["arrives_on"]).days
    assert row["saved_units"] == pytest.approx(35.0 / 7 * days, rel=0.02)
    assert row["benefit"] == pytest.approx(2.0 * row["saved_units"], rel=0.02)


def test_no_transfer_costs_more_than_it_brings(spare: PlanResult) -> None:
    assert (spare.site_transfers["transfer_gain"] > 0).all()
    brings = float(spare.site_transfers["benefit"].iloc[0])
    held = float(spare.policies.set_index(["customer_id", "product_id"]).loc[("c1", "p1"), "on_hand"])
    dear = run(a_slice(stock={"c1": held, "c2": 0.0}), assumed_transfer_cost=brings + 1)
    assert dear.site_transfers.empty


def test_never_more_is_sent_than_lies_above_the_senders_own_level(spare: PlanResult) -> None:
    level = float(spare.policies.set_index(["customer_id", "product_id"]).loc[("c1", "p1"), "order_up_to_level"])
    little = run(a_slice(stock={"c1": level + 7.0, "c2": 0.0}))
    assert little.site_transfers["quantity"].tolist() == [7.0]
    assert run(a_slice(stock={"c1": level, "c2": 0.0})).site_transfers.empty


def test_a_transfer_that_would_come_after_the_next_delivery_is_not_proposed() -> None:
    assert run(a_slice(), transfer_days=60).site_transfers.empty


def test_products_without_safety_stock_are_not_pooled(spare: PlanResult) -> None:
    assert (spare.policies["safety_stock"] <= 0).all()
    assert spare.pooling.empty


def test_sites_of_different_accounts_do_not_share() -> None:
    result = run(a_slice(accounts=["a", "b"]))
    assert result.site_transfers.empty
    assert result.pooling.empty
    assert result.missing["sharing"] == "inventory.missing.accounts"
    unknown = run(a_slice(accounts=["a", None]))
    assert unknown.missing["sharing"] == "inventory.missing.accounts"


def test_sites_of_one_account_share() -> None:
    result = run(a_slice(accounts=["a", "a"]), assumed_order_cost=0)
    assert len(result.site_transfers) == 1
    assert result.pooling["account_id"].tolist() == ["a"]


def test_stock_of_different_owners_is_not_mixed() -> None:
    items = pd.DataFrame({"customer_id": ["c1", "c2"], "product_id": ["p1", "p1"], "owner": ["supplier", "customer"]})
    items = items.assign(valid_from_on=pd.Timestamp("2023-01-01"))
    result = run(a_slice(assortment=items))
    assert result.site_transfers.empty
    assert result.pooling.empty


def test_with_one_site_or_without_stock_the_section_says_so() -> None:
    only = tables()["sales"].query("customer_id == 'c1'")
    part = a_slice(stock={"c1": 1000.0}, sales=only)
    assert run(part).missing["sharing"] == "inventory.missing.one_site"
    assert "sharing" not in run(a_slice()).missing
    assert run(Slice("g", AS_OF, tables(stock=None))).missing["sharing"] == "inventory.missing.stock"


def test_without_margins_units_decide_and_no_money_is_claimed() -> None:
    products = tables()["products"].drop(columns=["unit_cost", "unit_price"])
    result = run(a_slice(products=products))
    assert len(result.site_transfers) == 1
    assert result.site_transfers["benefit"].isna().all()
    assert set(result.pooling["reason"]) <= {"no_costs"}
    no_cost = run(a_slice(), assumed_transfer_cost=None)
    assert no_cost.site_transfers["transfer_cost"].isna().all()
    assert no_cost.site_transfers["benefit"].notna().all()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.999])
def test_pooled_safety_stock_lies_between_the_reference_lines(share: float) -> None:
    row = (
        run(a_slice(), history=linked_errors(share), transfer_days=0, assumed_order_cost=0)
        .pooling.set_index("product_id")
        .loc["p1"]
    )
    assert row["correlation"] == pytest.approx(share, abs=0.12)
    least = row["safety_uncorrelated"] if row["correlation"] >= 0 else 0.0
    assert least - 1e-9 <= row["safety_pooled"] <= row["safety_apart"] + 1e-9


def test_the_stock_apart_is_the_plans_and_the_time_of_a_transfer_makes_the_pool_larger() -> None:
    near = run(a_slice(), history=linked_errors(0.3), transfer_days=0, assumed_order_cost=0)
    far = run(a_slice(), history=linked_errors(0.3), transfer_days=5, assumed_order_cost=0)
    plans = near.policies[near.policies["product_id"] == "p1"]["safety_stock"].clip(lower=0).sum()
    assert near.pooling["safety_apart"].tolist() == pytest.approx([plans])
    assert far.pooling["safety_pooled"].iloc[0] > near.pooling["safety_pooled"].iloc[0]


def test_pooling_does_not_pay_where_transfers_cost_more_than_the_stock_saves() -> None:
    dear = run(
        a_slice(), history=linked_errors(0.0), transfer_days=0, assumed_order_cost=0, assumed_transfer_cost=1000.0
    ).pooling.iloc[0]
    free = run(
        a_slice(), history=linked_errors(0.0), transfer_days=0, assumed_order_cost=0, assumed_transfer_cost=0.0
    ).pooling.iloc[0]
    assert dear["reason"] == "costs_more"
    assert dear["pooling_cost"] > dear["holding_saved"] > 0
    assert free["reason"] == "saves_more"


def test_too_few_common_periods_claim_no_saving() -> None:
    few = linked_errors(0.3).groupby("customer_id").head(4)
    row = run(a_slice(), history=few, assumed_order_cost=0).pooling.iloc[0]
    assert row["reason"] == "few_periods"
    assert row["safety_pooled"] == row["safety_apart"]
    assert np.isnan(row["correlation"])


@pytest.mark.parametrize("stock", [-6.0, 0.0, 3.0, 40.0])
def test_a_receivers_shortage_is_that_of_simulated_demand(stock: float) -> None:
    mean = np.array([[0.0, 5.0, 12.0]])
    path: Any = SimpleNamespace(mean=mean, variance=mean)
    grid = np.arange(0.0, 21.0)
    curve = _receiver_curve(path, 0, stock=stock, days=1, window=(7.0, 7.0), grid=grid)
    random = np.random.default_rng(3)
    first, later = random.poisson(5.0, 200_000), random.poisson(7.0, 200_000)
    left = np.maximum(max(stock, 0.0) - first, 0.0)
    for quantity in (0, 4, 9, 20):
        beyond = max(quantity - max(-stock, 0.0), 0.0)
        waiting = max(max(-stock, 0.0) - quantity, 0.0)
        assert curve[quantity] == pytest.approx(np.maximum(later - left - beyond, 0.0).mean() + waiting, abs=0.03)


def test_columns_are_complete_and_rows_do_not_depend_on_their_order(spare: PlanResult) -> None:
    for name in ("site_transfers", "pooling"):
        assert list(getattr(spare, name).columns) == list(COLUMNS[name])
    part = a_slice()
    turned = {name: frame.sample(frac=1, random_state=3) for name, frame in part.tables.frames.items()}
    again = run(Slice("g", AS_OF, tables(**turned)))
    for name in ("site_transfers", "pooling"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(run(part), name))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("stock", [{"c1": 1000.0, "c2": 0.0}, {"c1": 0.0, "c2": 0.0}])
def test_the_section_speaks_both_languages(lang: str, stock: dict[str, float]) -> None:
    part = a_slice(stock=stock)
    params = InventoryPolicyParams.model_validate({"lang": lang})
    result = run(part, lang=lang, assumed_order_cost=0)
    section = tell_inventory_policy(result, part, params).sections["sharing"]
    assert section.title
    assert section.alt
    assert "{" not in section.title + section.so_what + section.alt
    assert section.so_what.count("10") >= 1
    html = table_sharing(result.site_transfers, pooling=result.pooling, lang=params.lang).html
    assert html.count("<table") == (2 if len(result.site_transfers) else 1)
    assert plot_pooling(result.pooling, lang=params.lang).get_xlim()[0] == 0


def test_a_client_sees_transfers_and_no_money() -> None:
    part, params = a_slice(), InventoryPolicyParams.model_validate({"audience": "client"})
    result = run(part, audience="client", assumed_order_cost=0)
    assert len(result.site_transfers) == 1
    assert len(result.pooling) == 1
    assert {*CONFIDENTIAL["site_transfers"], *CONFIDENTIAL["pooling"]} == MONEY
    assert not MONEY & {*result.site_transfers.columns, *result.pooling.columns}
    told = tell_inventory_policy(result, part, params).sections["sharing"]
    assert "cost €" not in told.so_what
    assert "to cost" not in told.so_what
    html = table_sharing(result.site_transfers, pooling=result.pooling, audience="client").html
    assert "Margin" not in html
    assert "Transfer cost" not in html


def test_the_section_says_who_may_share_and_what_is_assumed() -> None:
    params = InventoryPolicyParams()
    for accounts, words in ((["a", "a"], "sites of one account only"), (None, "all sites of the group")):
        part = a_slice(accounts=accounts)
        told = tell_inventory_policy(run(part), part, params).sections["sharing"].so_what
        assert words in told
        assert "assumed to take 2 days and to cost €10" in told
