from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.order_choice import compare_choices

DAYS = 730


def path(daily: float, spread: float = 1.0) -> DemandPath:
    mean = daily * np.arange(DAYS + 1.0)[None, :]
    return DemandPath(mean, mean * spread, np.array(["errors"]))


def order(**changes: object) -> pd.DataFrame:
    row = {
        "quantity": 60.0, "position": 5.0, "lead_time_days": 7.0, "review_period_days": 7.0,
        "holding_cost": 1.0, "shortage_cost": 5.0, "order_cost": 10.0,
    }  # fmt: skip
    return pd.DataFrame([row]).assign(**changes)


def choose(daily: float, **changes: object) -> pd.Series:
    return compare_choices(order(**changes), path=path(daily)).iloc[0]


def test_a_minimum_of_sixty_for_a_need_of_five_is_a_two_year_order_that_is_not_placed() -> None:
    # 30 a year: the order lasts two years and costs 60 · 1 of holding on average; a unit short costs little
    found = choose(30 / 365, shortage_cost=0.5)
    assert found["cover_days"] > 600
    assert found["choice"] == "never"
    assert found["saving"] > 0


def test_a_unit_that_is_dear_when_short_is_ordered_now() -> None:
    assert choose(1.0, position=0.0, shortage_cost=50.0)["choice"] == "now"


def test_enough_stock_waits_for_a_later_review() -> None:
    found = choose(1.0, position=40.0, shortage_cost=50.0)
    assert found["choice"] == "wait"
    assert found["wait_days"] in (7.0, 14.0, 21.0, 28.0)
    assert found["cost_wait"] < min(found["cost_now"], found["cost_never"])


@pytest.mark.parametrize(("daily", "position"), [(0.5, 3.0), (1.0, 20.0), (0.1, 1.0)])
def test_the_costs_are_those_of_a_simulation(daily: float, position: float) -> None:
    random, runs, horizon = np.random.default_rng(4), 4000, 120
    demand = random.poisson(daily, size=(runs, horizon)).cumsum(axis=1)
    costs = {}
    for name, arrival in (("cost_now", 7), ("cost_never", None)):
        held = np.zeros(runs)
        net_before, short = np.full(runs, position), np.zeros(runs)
        supply = np.full(horizon, position)
        if arrival is not None:
            supply[arrival:] += 60
        for day in range(horizon):
            net_before = supply[day] - (demand[:, day - 1] if day else 0)
            net = supply[day] - demand[:, day]
            short += np.maximum(-net, 0) - np.maximum(-net_before, 0)
            held += np.maximum(net, 0)
        costs[name] = (held / 365 + 5 * short).mean() + (10 if arrival is not None else 0)
    found = compare_choices(order(position=position), path=path(daily), horizon_days=horizon).iloc[0]
    for name, cost in costs.items():
        assert found[name] == pytest.approx(cost, rel=0.03, abs=0.3), name


def test_stock_that_would_expire_is_not_ordered() -> None:
    fresh = choose(0.1, position=0.0, shortage_cost=8.0, holding_cost=0.1, order_cost=0.0, unit_cost=10.0)
    old = choose(0.1, position=0.0, shortage_cost=8.0, holding_cost=0.1, order_cost=0.0, unit_cost=10.0, shelf_life_days=30.0)
    assert fresh["choice"] == "now"
    assert old["choice"] == "never"
    # 0.1 a day, 60 ordered, 7 + 30 days: 3.7 used
    assert old["waste"] == pytest.approx(60 - 3.7, abs=0.01)


def test_missing_costs_are_labelled_and_never_missing_numbers() -> None:
    found = compare_choices(order(shortage_cost=np.nan), path=path(1.0))
    assert found["choice"].tolist() == ["unknown_costs"]
    assert found.notna().all().all()


def test_an_item_without_demand_is_never_ordered() -> None:
    assert choose(0.0)["choice"] == "never"


@pytest.mark.parametrize("name", ["holding_cost", "shortage_cost", "order_cost", "lead_time_days", "quantity"])
def test_a_negative_number_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match=f"a {name} of zero or more"):
        choose(1.0, **{name: -1.0})


def test_the_input_is_left_as_it_was() -> None:
    frame = order()
    before = frame.copy()
    compare_choices(frame, path=path(1.0))
    pd.testing.assert_frame_equal(frame, before)
