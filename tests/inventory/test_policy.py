from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.eoq import economic_order_quantity, newsvendor_normal
from cmi_analysis.inventory.lead_time_demand import fit_lead_time_demand
from cmi_analysis.inventory.levels import fit_policies
from cmi_analysis.inventory.policy import fit_level, fit_reorder_point, mean_stock, shelf_fill_at, split_safety_stock
from cmi_analysis.inventory.simulation import simulate_policy

MEAN = np.array([0.1, 0.5, 3.0, 20.0, 0.05, 300.0])
VARIANCE = np.array([0.1, 2.0, 9.0, 100.0, 0.4, 60000.0])
COUNT = len(MEAN)
TIME = np.arange(61.0)
PATH = DemandPath(MEAN[:, None] * TIME, VARIANCE[:, None] * TIME, np.array(["errors"] * COUNT))
DAYS, CHANCES = np.tile([2.0, 4.0, 5.0], (COUNT, 1)), np.tile([0.3, 0.5, 0.2], (COUNT, 1))
REVIEW = np.full(COUNT, 7.0)
PROTECTION, LEAD = fit_lead_time_demand(PATH, days=DAYS, chances=CHANCES, review_days=REVIEW)
ONE = np.ones(COUNT)


def simulate(trigger: np.ndarray, batch: np.ndarray) -> pd.DataFrame:
    return simulate_policy(
        daily_mean=MEAN,
        daily_variance=VARIANCE,
        days=DAYS,
        chances=CHANCES,
        review_days=REVIEW,
        trigger=trigger,
        batch=batch,
        seed=7,
        replications=200,
        length=1500,
    )


@pytest.mark.parametrize("target", [0.80, 0.95, 0.99])
def test_promised_fill_is_within_half_a_point_of_the_simulation(target: float) -> None:
    level = fit_level(np.full(COUNT, target), protection=PROTECTION, lead=LEAD)
    promised = shelf_fill_at(level, protection=PROTECTION, lead=LEAD)
    assert (promised >= target - 1e-9).all()
    assert simulate(level, ONE)["simulated"].to_numpy() == pytest.approx(promised, abs=0.005)


@pytest.mark.parametrize("target", [0.85, 0.97])
def test_promise_of_batches_is_within_half_a_point_of_the_simulation(target: float) -> None:
    batch = np.array([12.0, 5.0, 40.0, 300.0, 6.0, 2000.0])
    reorder = fit_reorder_point(np.full(COUNT, target), batch=batch, protection=PROTECTION, lead=LEAD)
    promised = shelf_fill_at(reorder, protection=PROTECTION, lead=LEAD, batch=batch)
    result = simulate(reorder + 1, batch)
    assert result["simulated"].to_numpy() == pytest.approx(promised, abs=0.005)


def test_mean_stock_is_near_the_simulation() -> None:
    level = fit_level(np.full(COUNT, 0.95), protection=PROTECTION, lead=LEAD)
    formula = mean_stock(level - 1, protection=PROTECTION, lead=LEAD, batch=ONE)
    assert simulate(level, ONE)["mean_stock"].to_numpy() == pytest.approx(formula, rel=0.1)


def test_level_is_the_smallest_that_keeps_the_target() -> None:
    level = fit_level(np.full(COUNT, 0.9), protection=PROTECTION, lead=LEAD)
    assert (shelf_fill_at(level, protection=PROTECTION, lead=LEAD) >= 0.9 - 1e-9).all()
    assert (shelf_fill_at(level - 1, protection=PROTECTION, lead=LEAD) < 0.9).all()


def test_batch_of_one_is_the_order_up_to_level() -> None:
    target = np.full(COUNT, 0.95)
    level = fit_level(target, protection=PROTECTION, lead=LEAD)
    reorder = fit_reorder_point(target, batch=ONE, protection=PROTECTION, lead=LEAD)
    assert (np.abs(reorder + 1 - level)[:5] == 0).all()


def test_cycle_service_level_is_the_quantile() -> None:
    level = fit_level(np.full(COUNT, 0.95), protection=PROTECTION, lead=LEAD, measure="cycle_service")
    assert (PROTECTION.chance_above(level) <= 0.05 + 1e-9).all()


def test_high_fill_can_be_a_low_cycle_service() -> None:
    level = fit_level(np.full(COUNT, 0.95), protection=PROTECTION, lead=LEAD)
    assert (PROTECTION.chance_above(level)[3]) > 0.1


@pytest.mark.parametrize("target", [1.0, 1.5, -0.1, np.nan])
def test_target_of_one_hundred_percent_or_none_is_an_error(target: float) -> None:
    with pytest.raises(InputError, match="no finite stock keeps 1"):
        fit_level(np.full(COUNT, target), protection=PROTECTION, lead=LEAD)


def test_target_of_zero_needs_no_stock() -> None:
    assert fit_level(np.zeros(COUNT), protection=PROTECTION, lead=LEAD).tolist() == [0.0] * COUNT


def test_item_without_demand_has_level_zero_and_full_service() -> None:
    nothing = DemandPath(np.zeros((1, 61)), np.zeros((1, 61)), np.array(["poisson"]))
    over, lead = fit_lead_time_demand(nothing, days=DAYS[:1], chances=CHANCES[:1], review_days=REVIEW[:1])
    level = fit_level(np.array([0.95]), protection=over, lead=lead)
    assert level.tolist() == [0.0]
    assert shelf_fill_at(level, protection=over, lead=lead).tolist() == [1.0]


def terms(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "measure": "shelf_fill",
            "economic_order_quantity": np.nan,
            "minimum_order_quantity": np.nan,
            "order_multiple": np.nan,
            "maximum_stock": np.nan,
            "horizon_demand": MEAN * 91,
        }
    )
    return frame.assign(**changes)


def fit(frame: pd.DataFrame) -> pd.DataFrame:
    return fit_policies(frame, target=np.full(COUNT, 0.95), protection=PROTECTION, lead=LEAD)


def test_large_economic_quantity_makes_a_reorder_point_and_a_small_one_a_level() -> None:
    large = fit(terms(economic_order_quantity=MEAN * 30))
    small = fit(terms(economic_order_quantity=MEAN * 2))
    assert set(large["policy"]) == {"reorder_point"}
    assert set(small["policy"]) == {"order_up_to"}
    assert (large["promised"] >= 0.95 - 1e-9).all()
    assert (small["promised"] >= 0.95 - 1e-9).all()


def test_batch_is_never_more_than_the_horizon_needs() -> None:
    huge = fit(terms(economic_order_quantity=1e9))
    assert (huge["order_quantity"] <= np.ceil(MEAN * 91)).all()


def test_maximum_stock_lowers_the_promise_and_says_so() -> None:
    capped = fit(terms(maximum_stock=5.0))
    assert capped["at_maximum"].tolist()[2:4] == [True, True]
    assert (capped["order_up_to_level"] <= 5.0).all()
    assert (capped.loc[capped["at_maximum"], "promised"] < 0.95).all()


def test_no_number_of_a_policy_is_missing() -> None:
    assert fit(terms()).notna().all().all()


def test_safety_stock_is_the_level_less_the_mean() -> None:
    row = fit(terms())
    assert row["safety_stock"].to_numpy() == pytest.approx(row["order_up_to_level"] - PROTECTION.mean())


def test_shares_of_variance_sum_to_one_and_vanish_without_variance() -> None:
    mean, variance = np.array([[10.0, 30.0], [0.0, 0.0]]), np.array([[5.0, 15.0], [0.0, 0.0]])
    noise, lead = split_safety_stock(days=mean, chances=np.full((2, 2), 0.5), mean=mean, variance=variance)
    assert (noise + lead).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("holding", [0.0, -1.0, np.nan])
def test_missing_or_negative_holding_cost_is_an_error(holding: float) -> None:
    with pytest.raises(InputError, match="holding_cost above zero"):
        economic_order_quantity(100.0, order_cost=5.0, holding_cost=holding)
    with pytest.raises(InputError, match="holding_cost above zero"):
        newsvendor_normal(holding_cost=holding, shortage_cost=1.0, mean=5.0, sd=1.0)


def test_simulation_is_repeatable_and_without_demand_fully_served() -> None:
    again = [simulate(np.full(COUNT, 10.0), ONE)["filled"].tolist() for _ in range(2)]
    assert again[0] == again[1]
    none = simulate_policy(
        daily_mean=np.zeros(1),
        daily_variance=np.zeros(1),
        days=DAYS[:1],
        chances=CHANCES[:1],
        review_days=REVIEW[:1],
        trigger=np.zeros(1),
        batch=np.ones(1),
        seed=1,
    )
    assert none["simulated"].tolist() == [1.0]
