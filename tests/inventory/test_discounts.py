from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.discounts import fit_all_units_discount, fit_incremental_discount
from cmi_analysis.inventory.eoq import economic_order_quantity

BREAKS, PRICES = [0.0, 50.0, 200.0, 700.0], [10.0, 9.7, 9.0, 8.8]
BOTH = pytest.mark.parametrize("fit", [fit_all_units_discount, fit_incremental_discount])
Fit = Callable[..., pd.DataFrame]


def cost_by_definition(quantity: float, *, incremental: bool, demand: float, order: float, rate: float, other: float) -> float:
    """Return the yearly cost of one quantity from the price list itself."""
    tops = [*BREAKS[1:], math.inf]
    if incremental:
        paid = sum(p * (min(quantity, top) - low) for p, low, top in zip(PRICES, BREAKS, tops, strict=True) if quantity > low)
    else:
        paid = quantity * next(p for p, low, top in zip(PRICES, BREAKS, tops, strict=True) if low <= quantity < top)
    return demand * paid / quantity + order * demand / quantity + (rate * paid / quantity + other) * quantity / 2


@pytest.mark.parametrize("maximum", [np.inf, 1000.0, 700.0, 450.0, 30.0])
@BOTH
def test_the_quantity_is_the_best_of_a_fine_grid(fit: Fit, maximum: float) -> None:
    rng = np.random.default_rng(2)
    demand, order = rng.uniform(10, 3000, 25), rng.uniform(0.5, 200, 25)
    rate, other = rng.uniform(0.05, 0.5, 25), rng.uniform(0, 2, 25)
    found = fit(
        demand, order_cost=order, holding_rate=rate, breaks=BREAKS, prices=PRICES, other_holding_cost=other, maximum=maximum
    )
    grid = np.unique(np.append(np.geomspace(0.5, 4000, 1500), BREAKS[1:]))
    grid = np.append(grid[grid <= maximum], [maximum] if np.isfinite(maximum) else [])
    for row in range(25):
        terms = {"demand": demand[row], "order": order[row], "rate": rate[row], "other": other[row]}
        terms["incremental"] = fit is fit_incremental_discount
        best = min(cost_by_definition(q, **terms) for q in grid)
        claimed = found["yearly_cost"].iloc[row]
        assert claimed == pytest.approx(cost_by_definition(found["order_quantity"].iloc[row], **terms))
        assert best * (1 - 1e-4) <= claimed <= best * (1 + 1e-12)


def test_an_incremental_discount_never_ends_at_a_break() -> None:
    demand = np.linspace(10, 5000, 400)
    found = fit_incremental_discount(demand, order_cost=40.0, holding_rate=0.2, breaks=BREAKS, prices=PRICES)
    assert np.abs(found["order_quantity"].to_numpy()[:, None] - np.array(BREAKS[1:])).min() > 1e-6


@BOTH
def test_one_tier_is_the_economic_order_quantity(fit: Fit) -> None:
    found = fit([100.0, 900.0], order_cost=12.0, holding_rate=0.25, breaks=[0.0], prices=[4.0])
    assert found["order_quantity"].to_numpy() == pytest.approx(
        economic_order_quantity([100.0, 900.0], order_cost=12.0, holding_cost=1.0)
    )
    assert found["unit_price"].tolist() == [4.0, 4.0]


@BOTH
def test_an_item_without_demand_is_not_ordered_and_costs_nothing(fit: Fit) -> None:
    found = fit([0.0, 500.0], order_cost=12.0, holding_rate=0.25, breaks=BREAKS, prices=PRICES)
    assert found.loc[0, ["order_quantity", "tier", "yearly_cost"]].tolist() == [0.0, 0, 0.0]
    assert found.notna().all().all()


@BOTH
def test_free_ordering_buys_as_needed_or_at_a_break(fit: Fit) -> None:
    found = fit([500.0], order_cost=0.0, holding_rate=0.25, breaks=BREAKS, prices=PRICES)
    assert np.isfinite(found["yearly_cost"]).all()
    assert (found["yearly_cost"] <= 5000.0).all()


@BOTH
def test_each_item_may_have_its_own_price_list_of_its_own_length(fit: Fit) -> None:
    terms = {"order_cost": 20.0, "holding_rate": 0.2}
    breaks, prices = np.array([[0, 100, 400], [0, 60, np.nan]]), np.array([[5, 4.5, 4.2], [7, 6.5, np.nan]])
    both = fit([300.0, 800.0], breaks=breaks, prices=prices, **terms)
    first = fit(300.0, breaks=breaks[0], prices=prices[0], **terms)
    second = fit(800.0, breaks=breaks[1, :2], prices=prices[1, :2], **terms)
    pd.testing.assert_frame_equal(both, pd.concat([first, second], ignore_index=True))


@pytest.mark.parametrize(
    ("breaks", "prices", "message"),
    [
        ([1, 50], [5, 4], "first break of 0"),
        ([0, 50, 50], [5, 4, 3], "breaks that rise"),
        ([0, 80, 50], [5, 4, 3], "breaks that rise"),
        ([0, 50], [5, 5], "prices that fall"),
        ([0, 50], [5, 6], "prices that fall"),
        ([0, 50], [5, 0], "prices above zero"),
        ([0, 50], [5, np.nan], "missing only at the end"),
        ([0, np.nan, 50], [5, np.nan, 4], "missing only at the end"),
        ([0, 50], [5], "one price for each break"),
        ([], [], "one price for each break"),
    ],
)
@BOTH
def test_a_wrong_price_list_is_an_error(fit: Fit, breaks: list[float], prices: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(100.0, order_cost=5.0, holding_rate=0.2, breaks=breaks, prices=prices)


@BOTH
def test_wrong_costs_are_errors(fit: Fit) -> None:
    with pytest.raises(InputError, match="holding_cost above zero"):
        fit(100.0, order_cost=5.0, holding_rate=0.0, breaks=[0], prices=[5])
    with pytest.raises(InputError, match="order_cost of zero or more"):
        fit(100.0, order_cost=-5.0, holding_rate=0.2, breaks=[0], prices=[5])
    with pytest.raises(InputError, match="maximum above zero"):
        fit(100.0, order_cost=5.0, holding_rate=0.2, breaks=[0], prices=[5], maximum=0.0)
    missing = fit(100.0, order_cost=5.0, holding_rate=0.2, breaks=[0], prices=[5], maximum=np.nan)
    assert missing["order_quantity"].iloc[0] == pytest.approx(math.sqrt(1000))
