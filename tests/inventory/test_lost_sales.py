"""Lost sales: the chain against a plain simulation, against the queue it is, and the label where it is too large."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import fit_pmf
from cmi_analysis.inventory.lost_sales import score_lost_sales
from cmi_analysis.inventory.lost_sales_levels import fit_lost_sales

DAILY = fit_pmf([2.0], variance=[3.5], points=40)[0]
COSTS = {"order_cost": 8.0, "holding_cost": 1.0, "shortage_cost": 15.0}


def certain(days: int) -> np.ndarray:
    return np.eye(days + 1)[[days]]


def simulate(terms: tuple[int, int, int], lead: np.ndarray, review_days: int, count: int = 200_000) -> dict[str, float]:
    """Return the figures of one long run, day by day."""
    low, top, batch = terms
    random = np.random.default_rng(9)
    drawn = random.choice(DAILY.shape[1], size=count, p=DAILY[0]).tolist()
    leads = random.choice(len(lead), size=count, p=lead).tolist()
    due = [0] * (count + len(lead) + 2)
    stock, coming, lost, held, orders = top, 0, 0, 0, 0
    for day, wanted in enumerate(drawn):
        stock, coming = stock + due[day], coming - due[day]
        lost, stock = lost + max(wanted - stock, 0), max(stock - wanted, 0)
        held += stock
        if (day + 1) % review_days == 0 and stock + coming <= low:
            size = top - stock - coming if batch == 0 else -(-(low + 1 - stock - coming) // batch) * batch
            due[day + leads[day] + 1] += size
            coming, orders = coming + size, orders + 1
    return {"shelf_fill": 1 - lost / sum(drawn), "mean_stock": held / count, "orders_per_day": orders / count}


CASES = {
    "base stock, lead time 0": ((4, 5, 0), [1.0], 1),
    "base stock, lead time 3": ((9, 10, 0), [0, 0, 0, 1.0], 1),
    "order up to, lead time 2": ((6, 14, 0), [0, 0, 1.0], 1),
    "batches, lead time 3": ((8, 14, 6), [0, 0, 0, 1.0], 1),
    "weekly, lead time within the week": ((15, 16, 0), [0, 0, 0, 1.0], 5),
    "weekly, random lead time within the week": ((15, 16, 0), [0, 0.5, 0, 0.5], 5),
    "weekly, lead time of the week": ((21, 22, 0), [0, 0, 0, 0, 0, 1.0], 5),
    "weekly, lead time of seven days": ((24, 25, 0), [0, 0, 0, 0, 0, 0, 0, 1.0], 5),
    "weekly in batches, lead time of seven days": ((18, 26, 8), [0, 0, 0, 0, 0, 0, 0, 1.0], 5),
}


@pytest.mark.parametrize("case", CASES)
def test_the_chain_says_what_a_long_run_shows(case: str) -> None:
    terms, lead, days = CASES[case]
    levels = {"reorder_point": [terms[0]]}
    levels |= {"order_quantity": [terms[2]]} if terms[2] else {"order_up_to_level": [terms[1]]}
    found = score_lost_sales(pd.DataFrame(levels), daily_pmf=DAILY, lead_time_pmf=[lead], review_days=days).iloc[0]
    shown = simulate(terms, np.array(lead), days)
    assert found["method"] == "exact"
    assert found["shelf_fill"] == pytest.approx(shown["shelf_fill"], abs=0.003)
    assert found["mean_stock"] == pytest.approx(shown["mean_stock"], rel=0.02, abs=0.02)
    assert found["orders_per_day"] == pytest.approx(shown["orders_per_day"], rel=0.02)


def test_what_is_simulated_is_labelled_and_within_its_error_of_the_chain() -> None:
    policy = pd.DataFrame({"reorder_point": [24.0], "order_up_to_level": [25.0]})
    terms = {"daily_pmf": DAILY, "lead_time_pmf": certain(7), "review_days": 5}
    exact = score_lost_sales(policy, **terms).iloc[0]
    run = score_lost_sales(policy, **terms, most_states=10).iloc[0]
    assert (exact["method"], run["method"]) == ("exact", "simulated")
    assert 0 < run["shelf_fill_error"] < 0.002
    assert abs(run["shelf_fill"] - exact["shelf_fill"]) < 4 * run["shelf_fill_error"]
    assert run["mean_stock"] == pytest.approx(exact["mean_stock"], rel=0.02)


def test_long_random_lead_times_are_simulated() -> None:
    policy = pd.DataFrame({"reorder_point": [9.0], "order_up_to_level": [10.0]})
    found = score_lost_sales(policy, daily_pmf=DAILY, lead_time_pmf=[[0.0, 0.5, 0.0, 0.5]]).iloc[0]
    assert found["method"] == "simulated"
    assert found["shelf_fill"] == pytest.approx(simulate((9, 10, 0), np.array([0, 0.5, 0, 0.5]), 1)["shelf_fill"], abs=0.003)


def test_certain_demand_in_step_with_its_orders_loses_nothing() -> None:
    # the chain runs in a circle of five days
    policy = pd.DataFrame({"reorder_point": [2.0], "order_quantity": [5.0]})
    found = score_lost_sales(policy, daily_pmf=[[0.0, 1.0]], lead_time_pmf=certain(2)).iloc[0]
    assert found["shelf_fill"] == pytest.approx(1.0)
    assert found["orders_per_day"] == pytest.approx(0.2)
    assert found["mean_stock"] == pytest.approx(2.0)


def test_the_least_level_keeps_the_target_and_one_less_does_not() -> None:
    for batch in (None, 6):
        found = fit_lost_sales(DAILY, lead_time_pmf=certain(2), target=0.95, order_quantity=batch)
        columns = ["reorder_point", "order_up_to_level" if batch is None else "order_quantity"]
        less = found[columns] - ([1, 1] if batch is None else [1, 0])
        missed = score_lost_sales(less, daily_pmf=DAILY, lead_time_pmf=certain(2))["shelf_fill"].iloc[0]
        assert missed < 0.95 <= found["shelf_fill"].iloc[0]


def test_the_cheapest_level_is_the_least_of_a_loop() -> None:
    found = fit_lost_sales(DAILY, lead_time_pmf=certain(2), **COSTS).iloc[0]
    levels = pd.DataFrame({"reorder_point": np.arange(0.0, 25.0), "order_up_to_level": np.arange(1.0, 26.0)})
    same = {"daily_pmf": np.repeat(DAILY, 25, 0), "lead_time_pmf": np.repeat(certain(2), 25, 0)}
    assert found["cost"] == pytest.approx(score_lost_sales(levels, **same, **COSTS)["cost"].min())


def test_no_demand_loses_nothing() -> None:
    policy = pd.DataFrame({"reorder_point": [0.0], "order_up_to_level": [1.0]})
    found = score_lost_sales(policy, daily_pmf=[[1.0, 0.0]], lead_time_pmf=certain(2)).iloc[0]
    assert (found["shelf_fill"], found["method"]) == (1.0, "no_demand")


@pytest.mark.parametrize(("low", "top"), [(5, 5), (-2, 4), (-3, -2)])
def test_levels_that_cannot_be_are_told(low: float, top: float) -> None:
    with pytest.raises(InputError, match="a reorder point of −1 or more"):
        score_lost_sales(
            pd.DataFrame({"reorder_point": [low], "order_up_to_level": [top]}), daily_pmf=DAILY, lead_time_pmf=certain(1)
        )


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({}, "either a target or a shortage_cost"),
        ({"target": 0.9, "shortage_cost": 3.0}, "either a target or a shortage_cost"),
        ({"target": 1.0}, "above 0 and below 1"),
        ({"target": 0.9, "holding_cost": 0.0}, "holding_cost above zero"),
        ({"shortage_cost": -2.0}, "shortage_cost above zero"),
    ],
)
def test_bad_input_is_told(terms: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit_lost_sales(DAILY, lead_time_pmf=certain(1), **terms)
