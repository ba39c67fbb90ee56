"""Levels by order date: the stationary optimum where nothing changes, near the optimum of a season, labelled approximate."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import fit_pmf
from cmi_analysis.inventory.order_date_levels import fit_order_date_levels
from cmi_analysis.inventory.ss_policy import fit_ss

ORDER, HOLDING, SHORTAGE = 20.0, 1.0, 9.0
SEASON = np.array([4.0, 6, 9, 12, 14, 12, 9, 6, 4, 3, 2, 3])
"""Mean demand of each period; the lead time is 0, so an order protects one period."""


def test_without_a_season_each_date_has_the_stationary_policy() -> None:
    mean = np.full((3, 2), 6.0)
    found = fit_order_date_levels(
        mean,
        protection_variance=mean,
        review_mean=mean,
        review_variance=mean,
        order_cost=ORDER,
        holding_cost=HOLDING,
        shortage_cost=SHORTAGE,
    )
    demand, _ = fit_pmf([6.0])
    best = fit_ss(demand, protection_pmf=demand, order_cost=ORDER, holding_cost=HOLDING, shortage_cost=SHORTAGE).iloc[0]
    assert found["date"].tolist() == [0, 0, 1, 1, 2, 2]
    assert set(found["reorder_point"]) == {best["reorder_point"]}
    assert set(found["order_up_to_level"]) == {best["order_up_to_level"]}
    assert set(found["method"]) == {"approximate"}


LEVELS = np.arange(-60, 81)


def period_costs(mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the chances of a period's demand and G at each level."""
    chances = scipy.stats.poisson.pmf(np.arange(60), mean)
    ends = LEVELS[:, None] - np.arange(60)
    return chances, (chances * (HOLDING * np.maximum(ends, 0) + SHORTAGE * np.maximum(-ends, 0))).sum(axis=1)


def after_demand(value: np.ndarray, chances: np.ndarray) -> np.ndarray:
    place = np.maximum(np.arange(len(LEVELS))[:, None] - np.arange(60), 0)
    return (chances * value[place]).sum(axis=1)


def optimal_cost(cycles: int = 60) -> float:
    """Return the least cost a period of the season repeated for ever, by value iteration over whole cycles."""
    value = np.zeros(len(LEVELS))
    for _ in range(cycles):
        before = value
        for mean in SEASON[::-1]:
            chances, cost = period_costs(mean)
            kept = cost + after_demand(value, chances)
            cheapest = np.minimum.accumulate(kept[::-1])[::-1]
            value = np.minimum(kept, ORDER + cheapest)
    return float((value - before)[70]) / len(SEASON)


def policy_cost(levels: np.ndarray) -> float:
    """Return the long-run cost a period of (s,S) pairs by date, by the distribution of the position."""
    share, total = (LEVELS == 10).astype(float), 0.0
    for _ in range(30):
        total = 0.0
        for mean, (low, top) in zip(SEASON, levels, strict=True):
            chances, cost = period_costs(mean)
            ordering = low >= LEVELS
            total += ORDER * share[ordering].sum()
            share = np.where(ordering, 0.0, share) + share[ordering].sum() * (top == LEVELS)
            total += share @ cost
            moved = np.zeros(len(LEVELS))
            for demand, chance in enumerate(chances):
                moved[: len(LEVELS) - demand] += chance * share[demand:]
            share = moved / moved.sum()
    return total / len(SEASON)


def test_a_seasons_levels_cost_little_more_than_the_optimal_policy() -> None:
    mean = SEASON[:, None]
    found = fit_order_date_levels(
        mean,
        protection_variance=mean,
        review_mean=mean,
        review_variance=mean,
        order_cost=ORDER,
        holding_cost=HOLDING,
        shortage_cost=SHORTAGE,
    )
    best = optimal_cost()
    own = policy_cost(found[["reorder_point", "order_up_to_level"]].to_numpy())
    average = fit_order_date_levels(
        [[SEASON.mean()]],
        protection_variance=[[SEASON.mean()]],
        review_mean=[[SEASON.mean()]],
        review_variance=[[SEASON.mean()]],
        order_cost=ORDER,
        holding_cost=HOLDING,
        shortage_cost=SHORTAGE,
    )
    same = policy_cost(np.repeat(average[["reorder_point", "order_up_to_level"]].to_numpy(), len(SEASON), axis=0))
    assert best <= own < 1.05 * best
    assert same > 1.10 * best


@pytest.mark.parametrize("measure", ["shelf_fill", "cycle_service"])
def test_a_target_is_kept_at_each_date(measure: str) -> None:
    mean = SEASON[:, None]
    found = fit_order_date_levels(
        2 * mean, protection_variance=3 * mean, review_mean=mean, review_variance=1.5 * mean, target=0.95, measure=measure
    )
    for row, average in zip(found.itertuples(), SEASON, strict=True):
        chances = scipy.stats.nbinom.pmf(np.arange(300), (2 * average) ** 2 / average, 2 / 3)
        short = sum(c * max(d - row.order_up_to_level, 0) for d, c in enumerate(chances))
        kept = 1 - short / average if measure == "shelf_fill" else chances[: int(row.order_up_to_level) + 1].sum()
        assert kept >= 0.95 - 1e-6


def test_demand_of_thousands_is_solved_on_larger_steps() -> None:
    mean = np.array([[8000.0], [12_000.0]])
    found = fit_order_date_levels(
        mean,
        protection_variance=40 * mean,
        review_mean=mean / 2,
        review_variance=20 * mean,
        order_cost=500.0,
        holding_cost=1.0,
        shortage_cost=9.0,
    )
    assert found["order_up_to_level"].iloc[0] == pytest.approx(8000 + 1.28 * np.sqrt(320_000), rel=0.05)
    assert np.all(found["reorder_point"] < found["order_up_to_level"])


def test_dates_without_demand_are_labelled() -> None:
    none, some = np.zeros((2, 1)), np.array([[0.0], [3.0]])
    found = fit_order_date_levels(some, protection_variance=some, review_mean=some, review_variance=some, target=0.9)
    assert found["method"].tolist() == ["no_demand", "approximate"]
    assert found.iloc[0][["reorder_point", "order_up_to_level"]].tolist() == [-1, 0]
    assert (
        not fit_order_date_levels(none, protection_variance=none, review_mean=none, review_variance=none, target=0.9)
        .isna()
        .any(axis=None)
    )


def test_bad_input_is_told() -> None:
    one = np.array([[3.0]])
    terms = {"protection_variance": one, "review_mean": one, "review_variance": one}
    with pytest.raises(InputError, match="either a target"):
        fit_order_date_levels(one, **terms)
    with pytest.raises(InputError, match="above 0 and below 1"):
        fit_order_date_levels(one, **terms, target=1.0)
    with pytest.raises(InputError, match="dates × items"):
        fit_order_date_levels(np.ones((2, 2)), **terms, target=0.9)
    with pytest.raises(InputError, match="zero or more"):
        fit_order_date_levels(-one, **terms, target=0.9)
