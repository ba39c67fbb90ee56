"""The strategy in the plan: a contract goes before it, a parameter after it, and it can be seen in levels and allocation."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.inventory.lead_time_demand import sample_lead_time_demand
from cmi_analysis.inventory.loss import normal_shortage
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.params.strategy import Strategy, StrategyRule
from cmi_analysis.stages.inventory_policy import PlanResult, plan
from cmi_analysis.stages.plan_strategy import levels_by_rule, strategy_by_segment, strategy_of, table_strategy
from cmi_analysis.tables import Slice
from plan_samples import AS_OF, errors, forecasts, tables

KEY = ["customer_id", "product_id"]


def rule(name: str, **fields: object) -> StrategyRule:
    given = {"shortage_priority": 3, "service_measure": "shelf_fill", "contact_days": 30} | fields
    return StrategyRule.model_validate({"name": name, **given})


def run(*rules: StrategyRule, segments: dict[str, str] | None = None, **changes: pd.DataFrame | None) -> PlanResult:
    book = {"strategy": table_strategy(Strategy(rules=(*rules, rule("default"))))}
    if segments:
        book["customer_scores"] = pd.DataFrame({"customer_id": list(segments), "segment": list(segments.values())})
    part = Slice("g", AS_OF, tables(**changes), book=book)
    forecast = SimpleNamespace(forecasts=forecasts(), errors=errors())
    return plan(part, InventoryPolicyParams(), forecast=forecast)


def policy(result: PlanResult, customer: str, product: str) -> pd.Series:
    return result.policies.set_index(KEY).loc[(customer, product)]


def test_the_rules_survive_the_book() -> None:
    strategy = Strategy(rules=(rule("a", segment="champions", service_target=0.97, review_period_days=14), rule("default")))
    part = Slice("g", AS_OF, tables(), book={"strategy": table_strategy(strategy)})
    assert strategy_of(part) == strategy


def test_a_segments_target_counts_for_its_customers_alone() -> None:
    best = rule("best", segment="champions", service_target=0.995)
    result = run(best, segments={"c1": "at_risk", "c2": "champions"})
    assert policy(result, "c2", "p1")[["target", "target_source"]].tolist() == [0.995, "strategy"]
    usual = run(segments={"c1": "at_risk", "c2": "champions"})
    assert policy(result, "c2", "p1")["order_up_to_level"] > policy(usual, "c2", "p1")["order_up_to_level"]
    assert policy(result, "c1", "p1")["order_up_to_level"] == policy(usual, "c1", "p1")["order_up_to_level"]


def test_a_contract_goes_before_the_strategy_and_the_parameter_after_it() -> None:
    result = run(rule("best", segment="champions", service_target=0.8), segments={"c1": "champions", "c2": "at_risk"})
    assert policy(result, "c1", "p1")["target_source"] == "contract"
    assert policy(result, "c1", "p1")["target"] == 0.98
    assert policy(result, "c2", "p1")[["target", "target_source"]].tolist() == [0.95, "parameter"]


def test_a_longer_review_of_the_strategy_raises_the_level_where_the_assortment_agrees_none() -> None:
    slow = rule("slow", segment="lost", review_period_days=28)
    both = {"c1": "lost", "c2": "champions"}
    result, usual = run(slow, segments=both), run(segments=both)
    agreed = tables().get("assortment")
    silent = agreed is None or "review_period_days" not in agreed
    assert silent
    assert policy(result, "c1", "p1")["review_period_days"] == 28
    assert policy(result, "c1", "p1")["order_up_to_level"] > policy(usual, "c1", "p1")["order_up_to_level"]
    assert policy(result, "c2", "p1")["review_period_days"] == 7


def test_cost_against_cost_sets_the_target_where_both_are_known() -> None:
    costs = pd.DataFrame(
        {"cost": ["shortage_cost", "holding_rate"], "value": [5.0, 0.2], "customer_id": [None, None], "product_id": [None, None]}
    )
    result = run(rule("money", segment="champions", service_measure="cost"), segments={"c2": "champions"}, costs=costs)
    row = policy(result, "c2", "p1")
    held = 0.2 * row["owner_cost"] * 7 / 365
    assert row["target"] == pytest.approx(min(5 / (5 + held), 0.999))
    assert row["target_source"] == "cost"
    assert row["measure"] == "cycle_service"


def test_priority_of_the_strategy_decides_where_the_customer_has_none() -> None:
    first = rule("first", segment="champions", shortage_priority=1)
    warehouse = pd.DataFrame(
        {"warehouse_id": "w", "product_id": ["p1"], "date": [pd.Timestamp(AS_OF)], "on_hand": [10.0], "reserved": [0.0]}
    )
    ranked = tables()["customers"].assign(priority=np.nan)
    segments = {"c1": "at_risk", "c2": "champions"}
    shares = run(first, segments=segments, warehouse_stock=warehouse, customers=ranked).allocation.set_index(KEY)
    assert shares.loc[("c2", "p1"), "priority"] == 1
    assert shares.loc[("c1", "p1"), "allocated"] == 0
    own = run(first, segments=segments, warehouse_stock=warehouse).allocation.set_index(KEY)
    assert own.loc[("c1", "p1"), "priority"] == 1  # what the customer's own row says goes first


def items(**columns: object) -> pd.DataFrame:
    base = {"safety_stock_rule": "none", "fixed_days": 0.0, "daily_demand": 2.0, "target": 0.9, "measure": "cycle_service"}
    return pd.DataFrame({name: [value] for name, value in (base | columns).items()})


def test_rules_of_safety_stock_set_the_level() -> None:
    random = np.random.default_rng(2)
    lead = sample_lead_time_demand(random.normal(50, 5, (1, 4000)))
    protection = sample_lead_time_demand(random.normal(100, 10, (1, 4000)))
    mean, sd = float(protection.mean()[0]), float(protection.sd()[0])
    level = {
        name: float(levels_by_rule(items(safety_stock_rule=name, fixed_days=5.0), protection=protection, lead=lead)[0])
        for name in ("none", "fixed_days", "normal", "distribution")
    }
    assert level["none"] == np.ceil(mean) - 1
    assert level["fixed_days"] == np.ceil(mean + 10) - 1
    assert level["normal"] == np.ceil(mean + 1.2815516 * sd) - 1
    assert np.isnan(level["distribution"])
    fill = items(safety_stock_rule="normal", measure="shelf_fill", target=0.98)
    reached = float(levels_by_rule(fill, protection=protection, lead=lead)[0]) + 1
    allowed = 0.02 * (mean - float(lead.mean()[0]))
    assert float(normal_shortage(reached, mean=mean, sd=sd)) <= allowed
    assert float(normal_shortage(reached - 1.01, mean=mean, sd=sd)) > allowed


def test_a_segments_usual_item_is_told_what_the_first_fitting_rule_gives() -> None:
    rules = (
        rule("steady_best", segment="champions", xyz=["X", "Y"], shortage_priority=1, service_target=0.98, review_period_days=7),
        rule("default", shortage_priority=4),
    )
    table = strategy_by_segment(Strategy(rules=rules), ["champions", "lost", "my own segment"]).set_index("segment")
    assert table["strategy_rule"].to_dict() == {"champions": "steady_best", "lost": "default", "my own segment": "default"}
    assert table.loc["champions", "shortage_priority"] == 1
    assert np.isnan(table.loc["lost", "service_target"])


def stock(result: PlanResult) -> float:
    return float((result.policies["mean_stock"] * result.policies["owner_cost"]).sum())


def budgeted(budget: float | None, level: float = 0.98) -> PlanResult:
    part = Slice("g", AS_OF, tables(contracts=tables()["contracts"].assign(level=level)))
    forecast = SimpleNamespace(forecasts=forecasts(), errors=errors())
    return plan(part, InventoryPolicyParams(stock_budget=budget), forecast=forecast)


def test_a_stock_budget_sets_the_targets_and_keeps_the_contract() -> None:
    free = budgeted(None, level=0.85)
    tight, wide = (budgeted(share * stock(free), level=0.85) for share in (0.9, 1.3))
    assert stock(tight) <= 0.9 * stock(free) + 1e-6
    assert stock(free) < stock(wide) <= 1.3 * stock(free) + 1e-6
    assert policy(tight, "c1", "p1")["promised"] >= 0.85 - 1e-9
    assert "budget" in set(tight.policies["target_source"])
    assert "inventory.assumes.budget" in tight.assumptions


def test_a_budget_below_the_contracts_promises_nothing_beyond_them_and_says_so() -> None:
    poor = budgeted(1.0)
    assert policy(poor, "c1", "p1")["promised"] >= 0.98 - 1e-9
    assert policy(poor, "c2", "p1")["target_source"] == "budget_exceeded"
    assert "inventory.assumes.budget_exceeded" in poor.assumptions
