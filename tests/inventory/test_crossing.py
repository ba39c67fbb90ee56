"""Orders that overtake each other: the exact shortfall against a plain simulation, and against lead-time demand."""

from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.crossing import (
    fit_crossing_base_stock,
    fit_shortfall,
    number_outstanding_bound,
    outstanding_orders,
    score_crossing_base_stock,
)
from cmi_analysis.inventory.demand_pmf import demand_over, fit_pmf
from cmi_analysis.inventory.pmf_shortage import mean_of

DAILY = fit_pmf([3.0], variance=[5.0], points=50)[0]
LEAD = np.array([[0.2, 0.1, 0.0, 0.3, 0.2, 0.0, 0.2]])


@pytest.mark.parametrize("review_days", [1, 3])
def test_service_and_cost_are_the_simulated_ones(review_days: int) -> None:
    scores = score_crossing_base_stock([24], daily_pmf=DAILY, lead_time_pmf=LEAD, review_days=review_days).iloc[0]
    count, random = 300_000, np.random.default_rng(2)
    drawn, leads = random.choice(50, size=count, p=DAILY[0]), random.choice(7, size=count, p=LEAD[0])
    due = [0] * (count + 20)
    stock = position = 24
    missed = held = waited = ended = 0
    for day, wanted in enumerate(drawn.tolist()):
        stock += due[day]
        missed += min(wanted, max(wanted - max(stock, 0), 0))
        stock, position = stock - wanted, position - wanted
        held, waited = held + max(stock, 0), waited + max(-stock, 0)
        if (day + 1) % review_days == 0:
            ended += stock >= 0
            due[day + leads[day] + 1] += 24 - position
            position = 24
    assert scores["shelf_fill"] == pytest.approx(1 - missed / drawn.sum(), abs=0.003)
    assert scores["cycle_service"] == pytest.approx(ended / (count // review_days), abs=0.005)
    assert scores["mean_stock"] == pytest.approx(held / count, abs=0.06)
    assert scores["mean_backlog"] == pytest.approx(waited / count, abs=0.03)


def test_where_the_mixture_asks_for_150_the_shortfall_needs_111() -> None:
    # Poisson demand of 10 a day, lead time 0 … 14 days alike, 95 % of days without backlog
    daily, lead = fit_pmf([10.0], points=60)[0], np.full((1, 15), 1 / 15)
    found = fit_crossing_base_stock(daily, lead_time_pmf=lead, target=0.95).iloc[0]
    assert (found["order_up_to_level"], found["without_crossing"]) == (111, 150)


@pytest.mark.parametrize("measure", ["cycle_service", "shelf_fill"])
@pytest.mark.parametrize("review_days", [1, 2])
def test_the_level_keeps_the_target_and_one_less_does_not(measure: str, review_days: int) -> None:
    terms = {"daily_pmf": DAILY, "lead_time_pmf": LEAD, "review_days": review_days}
    level = fit_crossing_base_stock(DAILY, lead_time_pmf=LEAD, review_days=review_days, target=0.93, measure=measure)[
        "order_up_to_level"
    ]
    assert score_crossing_base_stock(level, **terms)[measure].iloc[0] >= 0.93
    assert score_crossing_base_stock(level - 1, **terms)[measure].iloc[0] < 0.93


def test_one_certain_lead_time_has_nothing_to_cross() -> None:
    lead = np.eye(5)[[4]]
    shortfall, demand = fit_shortfall(DAILY, lead_time_pmf=lead), demand_over(DAILY, lead_time_pmf=lead, days=1)
    points = min(shortfall.shape[1], demand.shape[1])
    assert shortfall[0, :points] == pytest.approx(demand[0, :points], abs=1e-10)


def test_the_shortfall_has_the_mean_of_lead_time_demand_and_less_spread() -> None:
    shortfall = fit_shortfall(DAILY, lead_time_pmf=LEAD)
    days = LEAD[0] @ np.arange(7)
    assert mean_of(shortfall)[0] == pytest.approx(3.0 * (days + 1), rel=1e-6)
    found = fit_crossing_base_stock(DAILY, lead_time_pmf=LEAD, target=0.95).iloc[0]
    assert found["shortfall_sd"] < found["lead_time_demand_sd"]


def test_the_number_outstanding_is_the_count_of_all_outcomes() -> None:
    # lead times 0, 1, 2: orders of the last two days are out with chances 0.7 and 0.3
    found = outstanding_orders([[0.3, 0.4, 0.3]])[0]
    assert found == pytest.approx([0.3 * 0.7, 0.7 * 0.7 + 0.3 * 0.3, 0.7 * 0.3])


@pytest.mark.parametrize("seed", range(5))
def test_the_variance_outstanding_is_within_the_bound_of_bradley_and_robinson_2005(seed: int) -> None:
    lead = np.random.default_rng(seed).dirichlet(np.full(12, 0.4), 6)
    count = outstanding_orders(lead)
    place = np.arange(count.shape[1])
    variance = count @ place**2 - (count @ place) ** 2
    assert np.all(variance <= number_outstanding_bound(lead) + 1e-12)


def test_no_demand_needs_no_stock() -> None:
    found = fit_crossing_base_stock([[1.0, 0.0]], lead_time_pmf=[[0.5, 0.5]], target=0.95).iloc[0]
    assert (found["order_up_to_level"], found["method"]) == (0, "no_demand")


@pytest.mark.parametrize("target", [0.0, 1.0, np.nan])
def test_targets_that_no_stock_keeps_are_told(target: float) -> None:
    with pytest.raises(InputError, match="above 0 and below 1"):
        fit_crossing_base_stock(DAILY, lead_time_pmf=LEAD, target=target)


def test_a_review_period_below_a_day_is_told() -> None:
    with pytest.raises(InputError, match="one or more whole days"):
        fit_shortfall(DAILY, lead_time_pmf=LEAD, review_days=0)
