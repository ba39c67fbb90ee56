from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.contract_windows import (
    find_long_run_target,
    normal_long_run_fill,
    normal_window_chance,
    score_windows,
    simulate_windows,
)
from cmi_analysis.inventory.costs import find_costs
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.lead_time_demand import fit_lead_time_demand
from cmi_analysis.inventory.policy import fit_level, shelf_fill_at
from cmi_analysis.inventory.targets import HIGHEST_TARGET, combine_targets, critical_ratio, score_cost_targets


def make_items(**changes: object) -> pd.DataFrame:
    row = {"shortage_cost": 9.0, "holding_rate": 0.2, "owner_cost": 50.0, "review_period_days": 36.5}
    return pd.DataFrame([row]).assign(**changes)


def fallback(**changes: object) -> pd.DataFrame:
    row = {"target": 0.95, "measure": "shelf_fill", "target_source": "parameter", "capped": False}
    return pd.DataFrame([row]).assign(**changes)


def test_the_ratio_is_where_the_expected_cost_is_least() -> None:
    demand = np.random.default_rng(1).poisson(20, 4000)
    held, short = 2.0, 11.0
    cost = {s: (held * np.maximum(s - demand, 0) + short * np.maximum(demand - s, 0)).mean() for s in range(60)}
    ratio = float(critical_ratio(shortage_cost=short, holding_cost=held))
    assert min(cost, key=lambda s: cost[s]) == np.sort(demand)[int(np.ceil(ratio * 4000)) - 1]


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({"shortage_cost": -1.0, "holding_cost": 1.0}, "shortage_cost of zero or more"),
        ({"shortage_cost": np.nan, "holding_cost": 1.0}, "shortage_cost of zero or more"),
        ({"shortage_cost": 1.0, "holding_cost": 0.0}, "holding_cost above zero"),
        ({"shortage_cost": 1.0, "holding_cost": [1.0, -2.0]}, "1 items with another, the first -2.0"),
        ({"shortage_cost": 1.0, "holding_cost": np.inf}, "holding_cost above zero"),
    ],
)
def test_costs_that_make_no_sense_are_errors(costs: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        critical_ratio(**costs)


def test_the_holding_cost_of_a_cycle_is_that_of_its_days() -> None:
    # 0.2 · 50 a year, a tenth of it in 36.5 days: 1; 9/(9 + 1)
    found = score_cost_targets(make_items(), fallback=fallback()).iloc[0]
    assert found["target"] == pytest.approx(0.9)
    assert (found["measure"], found["target_source"]) == ("cycle_service", "cost")


@pytest.mark.parametrize("name", ["shortage_cost", "holding_rate", "owner_cost"])
def test_an_item_without_a_cost_keeps_its_fallback_and_says_so(name: str) -> None:
    found = score_cost_targets(make_items(**{name: np.nan}), fallback=fallback()).iloc[0]
    assert found[["target", "measure", "target_source"]].tolist() == [0.95, "shelf_fill", "parameter"]


def test_a_contract_goes_before_costs_and_a_negative_cost_is_an_error() -> None:
    found = score_cost_targets(make_items(), fallback=fallback(target_source="contract", target=0.99)).iloc[0]
    assert found["target"] == 0.99
    with pytest.raises(InputError, match="holding_rate of zero or more"):
        score_cost_targets(make_items(holding_rate=-0.1), fallback=fallback())


def test_a_ratio_near_one_is_capped_and_labelled() -> None:
    found = score_cost_targets(make_items(shortage_cost=1e9), fallback=fallback()).iloc[0]
    assert found["target"] == HIGHEST_TARGET
    assert found["capped"]


def test_contract_beats_strategy_beats_parameter() -> None:
    contract = pd.concat([fallback(target_source="contract", target=0.99), fallback(), fallback(), fallback()], ignore_index=True)
    strategy = pd.DataFrame(
        {
            "service_target": [0.9, 0.9, 0.9, 0.9],
            "service_measure": ["cycle_service", "cycle_service", "cycle_service", "cost"],
            "by_default": [False, False, True, False],
        }
    )
    found = combine_targets(contract, strategy=strategy)
    assert found["target_source"].tolist() == ["contract", "strategy", "parameter", "parameter"]
    assert found["target"].tolist() == [0.99, 0.9, 0.95, 0.95]
    assert found["measure"].tolist() == ["shelf_fill", "cycle_service", "shelf_fill", "shelf_fill"]


@pytest.mark.parametrize("value", [-1.0, np.inf])
def test_a_cost_below_zero_is_an_error_and_a_missing_one_is_none(value: float) -> None:
    items = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"]})
    costs = pd.DataFrame({"cost": "holding_rate", "value": [value]})
    with pytest.raises(InputError, match="holding_rate of zero or more in the table costs"):
        find_costs(items, costs, cost="holding_rate", as_of=dt.date(2024, 6, 30))
    found = find_costs(items, costs.assign(value=np.nan), cost="holding_rate", as_of=dt.date(2024, 6, 30), assumed=0.2)
    assert found.iloc[0].tolist() == [0.2, "assumed"]


MEAN, VARIANCE = np.array([2.0, 0.5]), np.array([6.0, 1.0])
DAYS, CHANCES, REVIEW = np.full((2, 1), 4.0), np.ones((2, 1)), np.full(2, 7.0)
TIME = np.arange(40.0)
PATH = DemandPath(MEAN[:, None] * TIME, VARIANCE[:, None] * TIME, np.array(["errors"] * 2))
PROTECTION, LEAD = fit_lead_time_demand(PATH, days=DAYS, chances=CHANCES, review_days=REVIEW)
SIMULATION = {"daily_mean": MEAN, "daily_variance": VARIANCE, "days": DAYS, "chances": CHANCES, "review_days": REVIEW, "seed": 3}


def plain_loop(demand: np.ndarray, *, level: float, review: int, phase: int, lead: int, lost: bool) -> np.ndarray:
    """Return what is met on each day of one item under an order-up-to level."""
    stock, position, arrivals, met = level, level, {}, np.zeros(len(demand))
    for day, wanted in enumerate(demand):
        stock += arrivals.pop(day, 0.0)
        met[day] = min(wanted, max(stock, 0.0))
        gone = met[day] if lost else wanted
        stock, position = stock - gone, position - gone
        if (day + phase) % review == 0 and position < level:
            arrivals[day + lead + 1] = level - position
            position = level
    return met


@pytest.mark.parametrize("lost", [False, True])
def test_the_windows_are_those_of_a_plain_loop_over_days(lost: bool) -> None:
    # 40 windows of one item are 40 runs side by side, each from a full shelf
    demand, met = simulate_windows(
        daily_mean=np.array([3.0]), daily_variance=np.array([3.0]), days=np.array([[4.0]]), chances=np.ones((1, 1)),
        review_days=np.ones(1), trigger=np.array([13.0]), batch=np.ones(1), seed=5, windows=40, warm_up=0, lost_sales=lost,
    )  # fmt: skip
    random = np.random.default_rng(5)
    random.gamma(np.ones((1, 1)), np.ones((1, 1)), size=(40, 30))
    days = random.poisson(np.full((40, 30), 3.0)).astype("float64")
    by_loop = [plain_loop(run, level=13.0, review=1, phase=0, lead=4, lost=lost).sum() for run in days]
    assert demand[0].tolist() == days.sum(axis=1).tolist()
    assert met[0].tolist() == by_loop
    assert met.sum() < demand.sum()


def test_the_long_run_of_the_windows_is_the_fill_promised() -> None:
    level = fit_level(np.full(2, 0.95), protection=PROTECTION, lead=LEAD)
    demand, met = simulate_windows(trigger=level, batch=np.ones(2), windows=4000, **SIMULATION)
    promised = shelf_fill_at(level, protection=PROTECTION, lead=LEAD)
    assert met.sum(axis=1) / demand.sum(axis=1) == pytest.approx(promised, abs=0.004)


def test_a_long_run_fill_above_the_target_misses_it_in_many_months() -> None:
    level = fit_level(np.full(2, 0.958), protection=PROTECTION, lead=LEAD)
    demand, met = simulate_windows(trigger=level, batch=np.ones(2), windows=1000, **SIMULATION)
    found = score_windows(demand, met, group=np.array(["a", "a"]), target=0.95).iloc[0]
    assert found["long_run"] > 0.95
    assert 0.5 < found["chance"] < 0.9
    assert found["chance_low"] < found["chance"] < found["chance_high"]
    assert found["method"] == "simulation"


def test_the_long_run_target_keeps_the_month_as_often_as_wanted() -> None:
    found = find_long_run_target(0.95, chance=0.9, protection=PROTECTION, lead=LEAD, batch=np.ones(2), windows=600, **SIMULATION)
    assert found["status"] == "found"
    assert found["naive_chance"] < 0.9 <= found["chance"]
    assert 0.95 < found["long_run_target"] < 0.999
    other = find_long_run_target(
        0.95, chance=0.9, protection=PROTECTION, lead=LEAD, batch=np.ones(2), windows=600, **(SIMULATION | {"seed": 8})
    )
    assert other["long_run_target"] == pytest.approx(found["long_run_target"], abs=0.01)


def test_a_target_that_is_kept_anyway_or_never_is_labelled() -> None:
    same = {"protection": PROTECTION, "lead": LEAD, "batch": np.ones(2), "windows": 100}
    assert find_long_run_target(0.3, chance=0.3, **same, **SIMULATION)["status"] == "enough"
    assert find_long_run_target(0.97, chance=0.999, highest=0.975, **same, **SIMULATION)["status"] == "not_reachable"
    with pytest.raises(InputError, match="window target up to"):
        find_long_run_target(0.9995, chance=0.9, **same, **SIMULATION)


def test_windows_are_pooled_by_contract_and_tell_items_under_it() -> None:
    demand = np.array([[90.0, 90.0], [10.0, 10.0], [0.0, 0.0]])
    met = np.array([[90.0, 90.0], [8.0, 0.0], [0.0, 0.0]])
    found = score_windows(demand, met, group=np.array(["a", "a", "b"]), target=0.95).set_index("group")
    assert found.loc["a", "chance"] == 0.5
    assert found.loc["a", "items_under"] == 0.5
    assert found.loc["b", ["method", "chance"]].tolist() == ["no_demand", 1.0]


def test_the_normal_approximation_and_its_inverse_agree() -> None:
    needed = normal_long_run_fill(0.95, sd=0.02, chance=0.9)
    assert normal_window_chance(needed, target=0.95, sd=0.02) == pytest.approx(0.9)
    assert normal_window_chance(0.96, target=0.95, sd=0.0) == 1.0


@pytest.mark.parametrize("target", [0.0, 1.0, 1.2, np.nan])
def test_a_target_of_nothing_or_everything_is_an_error(target: float) -> None:
    with pytest.raises(InputError, match="a target between 0 and 1"):
        score_windows(np.ones((1, 1)), np.ones((1, 1)), group=np.array(["a"]), target=target)
    with pytest.raises(InputError, match="between 0 and 1"):
        normal_window_chance(0.9, target=target, sd=0.01)
