"""Base stock and the choice of the review period, against loops."""

from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.demand_pmf import fit_pmf
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand, fit_lead_time_demand, sample_lead_time_demand
from cmi_analysis.inventory.periodic_policy import fit_base_stock, grid_pmf, score_review_periods
from cmi_analysis.inventory.pmf_shortage import mean_of
from cmi_analysis.inventory.ss_policy import fit_ss, score_ss

DAILY = fit_pmf([0.8, 3.0], variance=[1.5, 3.0], points=40)[0]
LEAD = np.array([[0.0, 0.0, 0.5, 0.5], [0.0, 1.0, 0.0, 0.0]])
COSTS = {"order_cost": 12.0, "holding_cost": 0.5, "shortage_cost": 6.0}


def test_base_stock_is_the_cheapest_level_of_a_loop() -> None:
    pmf = np.array([[0.4, 0.0, 0.1, 0.3, 0.2]])
    found = fit_base_stock(pmf, holding_cost=1.0, shortage_cost=3.0).iloc[0]
    costs = [sum(c * (max(s - d, 0) + 3 * max(d - s, 0)) for d, c in enumerate(pmf[0])) for s in range(6)]
    assert found["order_up_to_level"] == int(np.argmin(costs))
    assert found["cost"] == pytest.approx(min(costs))


def simulated_cost(days: int, low: float, top: float, lead: int, count: int = 240_000) -> float:
    """Return the cost a day of (R,s,S) of the second item, holding and shortage charged each evening."""
    drawn = np.random.default_rng(11).choice(DAILY.shape[1], size=count, p=DAILY[1])
    stock = position = top
    coming, total = [0.0] * (lead + 1), 0.0
    for day, wanted in enumerate(drawn.tolist()):
        stock += coming.pop(0)
        stock, position = stock - wanted, position - wanted
        total += 0.5 * max(stock, 0) + 6 * max(-stock, 0)
        size = top - position if (day + 1) % days == 0 and position <= low else 0.0
        total += 12 * (size > 0)
        position += size
        coming.append(size)
    return total / count


@pytest.mark.parametrize("policy", ["base_stock", "ss"])
def test_the_cost_at_a_review_period_is_the_simulated_one(policy: str) -> None:
    table = score_review_periods(DAILY, lead_time_pmf=LEAD, review_days=[1, 4], policy=policy, **COSTS)
    for _, row in table[table["item"] == 1].iterrows():
        cost = simulated_cost(row["review_days"], row["reorder_point"], row["order_up_to_level"], lead=1)
        assert row["cost"] == pytest.approx(cost, rel=0.02)


def test_the_chosen_period_is_the_cheapest_of_each_item() -> None:
    table = score_review_periods(DAILY, lead_time_pmf=LEAD, review_days=[14, 1, 7, 2], **COSTS)
    assert table.groupby("item")["chosen"].sum().tolist() == [1, 1]
    assert table["review_days"].tolist() == [1, 2, 7, 14] * 2
    chosen = table[table["chosen"]].set_index("item")["cost"]
    assert chosen.tolist() == table.groupby("item")["cost"].min().tolist()


def test_cheap_orders_make_it_just_in_time() -> None:
    cheap = score_review_periods(
        DAILY, lead_time_pmf=LEAD, review_days=[1, 7], order_cost=0.0, holding_cost=0.5, shortage_cost=6.0
    )
    dear = score_review_periods(DAILY, lead_time_pmf=LEAD, review_days=[1, 7], review_cost=50.0, **COSTS)
    assert cheap[cheap["chosen"]]["review_days"].tolist() == [1, 1]
    assert dear[dear["chosen"]]["review_days"].tolist() == [7, 7]


def test_freedom_not_to_order_costs_no_more() -> None:
    cost = {
        policy: score_review_periods(DAILY, lead_time_pmf=LEAD, review_days=[1, 3], policy=policy, **COSTS)["cost"]
        for policy in ("base_stock", "ss", "rq")
    }
    assert np.all(cost["ss"] <= cost["base_stock"] + 1e-9)
    assert np.all(cost["ss"] <= cost["rq"] + 1e-9)


def test_no_demand_is_labelled_and_never_missing() -> None:
    table = score_review_periods([[1.0, 0.0], [0.5, 0.5]], lead_time_pmf=[[1.0]] * 2, review_days=[1, 2], policy="rq", **COSTS)
    assert table["method"].tolist() == ["no_demand", "no_demand", "exact", "exact"]
    assert not table.isna().any(axis=None)


@pytest.mark.parametrize("days", [[], [0], [1.5], [-7]])
def test_review_periods_that_are_none_are_told(days: list) -> None:
    with pytest.raises(InputError, match="one or more whole days"):
        score_review_periods(DAILY, lead_time_pmf=LEAD, review_days=days, **COSTS)


def test_a_lead_time_demand_on_an_even_grid_can_be_used() -> None:
    values = np.array([[0.0, 3.0, 6.0], [0.0, 1.0, 2.0]])
    pmf, step = grid_pmf(LeadTimeDemand(values, np.full((2, 3), 1 / 3)))
    assert step.tolist() == [3.0, 1.0]
    assert fit_base_stock(pmf, holding_cost=1.0, shortage_cost=1.9, step=step)["order_up_to_level"].tolist() == [3.0, 1.0]


@pytest.mark.parametrize("lead_days", [0.0, 10.0])
def test_the_exact_policy_of_a_demand_path(lead_days: float) -> None:
    # from the mean and variance by day to (s,S): small demand on whole units, large demand on larger steps
    time = np.arange(41.0)
    rate = np.array([[0.4], [900.0]])
    path = DemandPath(rate * time, rate * np.array([[1.0], [60.0]]) * time, np.array(["errors"] * 2))
    days, chances, week = np.full((2, 1), lead_days), np.ones((2, 1)), np.full(2, 7.0)
    over, before = fit_lead_time_demand(path, days=days, chances=chances, review_days=week)
    (protection, step), (lead, _) = grid_pmf(over), grid_pmf(before)
    review, same = fit_pmf(path.mean_at(week), variance=path.variance_at(week), points=protection.shape[1], step=step)
    found = fit_ss(review, protection_pmf=protection, order_cost=30.0, holding_cost=0.05, shortage_cost=1.0, step=step)
    scores = score_ss(found, review_pmf=review, lead_pmf=lead, protection_pmf=protection, step=step)
    assert same.tolist() == step.tolist()
    assert step[0] == 1 < step[1]
    assert mean_of(review) * step == pytest.approx([2.8, 6300], rel=0.01)
    assert np.all(found["reorder_point"] < found["order_up_to_level"])
    assert np.all(scores["ready_rate"].between(0.85, 1.0))


def test_samples_are_told() -> None:
    with pytest.raises(InputError, match="even grid"):
        grid_pmf(sample_lead_time_demand(np.array([[1.0, 2.0, 7.0]])))
