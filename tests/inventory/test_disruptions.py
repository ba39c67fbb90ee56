from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.disruptions import (
    disrupted_base_stock_cost,
    disrupted_order_cost,
    fit_disrupted_base_stock,
    fit_disrupted_order,
)
from cmi_analysis.inventory.eoq import economic_order_quantity


def draw(seed: int, items: int = 40) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "demand_rate": rng.uniform(10, 3000, items),
        "order_cost": rng.uniform(0, 300, items),
        "holding_cost": rng.uniform(0.05, 5, items),
        "shortage_cost": rng.uniform(2, 60, items),
        "disruption_rate": rng.uniform(0, 6, items),
        "recovery_rate": rng.uniform(2, 60, items),
    }


def test_no_quantity_of_a_fine_grid_costs_less() -> None:
    terms = draw(0)
    found = fit_disrupted_order(**terms)
    start = economic_order_quantity(terms["demand_rate"], order_cost=terms["order_cost"] + 1, holding_cost=terms["holding_cost"])
    for factor in np.geomspace(1e-3, 1e3, 3000):
        assert (disrupted_order_cost(factor * start, **terms) >= found["yearly_cost"] * (1 - 1e-9)).all()


def test_the_cost_function_is_what_a_simulated_supplier_costs() -> None:
    rng = np.random.default_rng(1)
    quantity, demand, order, holding, shortage, down, up = 60.0, 100.0, 20.0, 2.0, 5.0, 1.5, 4.0
    cycles = 200_000
    cycle = quantity / demand
    # the state of a two-state Markov process one cycle after an order, which only an open supplier takes
    closed = rng.random(cycles) < down / (down + up) * (1 - np.exp(-(down + up) * cycle))
    wait = np.where(closed, rng.exponential(1 / up, cycles), 0.0)
    cost = order + holding * quantity * cycle / 2 + shortage * demand * wait
    rate = cost.sum() / (cycle + wait).sum()
    terms = {"demand_rate": demand, "order_cost": order, "holding_cost": holding, "shortage_cost": shortage}
    assert float(disrupted_order_cost(quantity, **terms, disruption_rate=down, recovery_rate=up)) == pytest.approx(rate, rel=5e-3)


def test_a_supplier_who_never_fails_is_the_economic_order_quantity() -> None:
    terms = draw(2) | {"disruption_rate": np.zeros(40)}
    plain = economic_order_quantity(terms["demand_rate"], order_cost=terms["order_cost"], holding_cost=terms["holding_cost"])
    for approximate in (False, True):
        found = fit_disrupted_order(**terms, approximate=approximate)
        ordered = found["order_quantity"] > 0
        assert found["order_quantity"][ordered].to_numpy() == pytest.approx(plain[ordered], rel=1e-6)
        assert found["yearly_cost"][ordered].to_numpy() == pytest.approx((plain * terms["holding_cost"])[ordered])


def test_the_approximation_is_labelled_and_costs_little_more() -> None:
    terms = draw(3)
    exact, near = fit_disrupted_order(**terms), fit_disrupted_order(**terms, approximate=True)
    assert set(exact["method"]) <= {"exact", "not worth ordering"}
    both = (exact["method"] == "exact") & (near["method"] == "approximate")
    assert both.sum() > 30
    paid = disrupted_order_cost(np.maximum(near["order_quantity"], 1e-9), **terms)
    assert (paid[both] <= exact["yearly_cost"][both] * 1.05).all()


def test_more_failures_raise_the_order_quantity() -> None:
    terms = {"order_cost": 20.0, "holding_cost": 1.0, "shortage_cost": 30.0, "recovery_rate": 10.0}
    quantity = fit_disrupted_order(np.full(5, 500.0), disruption_rate=[0, 0.5, 1, 2, 4], **terms)["order_quantity"]
    assert (np.diff(quantity) > 0).all()


def test_an_item_without_demand_and_one_not_worth_ordering_are_said() -> None:
    terms = {"order_cost": 500.0, "holding_cost": 5.0, "shortage_cost": 1.0, "disruption_rate": 1.0, "recovery_rate": 10.0}
    found = fit_disrupted_order([0.0, 10.0], **terms)
    assert found["order_quantity"].tolist() == [0.0, 0.0]
    assert found["yearly_cost"].tolist() == [0.0, 10.0]
    assert found["method"].tolist() == ["exact", "not worth ordering"]


def test_free_orders_still_hold_stock_against_failures() -> None:
    row = fit_disrupted_order(100.0, order_cost=0, holding_cost=1, shortage_cost=50, disruption_rate=2, recovery_rate=10).iloc[0]
    assert row["order_quantity"] > 0
    assert np.isfinite(row["yearly_cost"])


def cost_by_sum(level: float, demand: float, holding: float, shortage: float, fall: float, rise: float) -> float:
    """Return the expected cost of a period by summing over the periods that the supplier has been down."""
    cost, chance = 0.0, rise / (fall + rise)
    for n in range(4000):
        gap = level - (n + 1) * demand
        cost += chance * (holding * max(gap, 0.0) + shortage * max(-gap, 0.0))
        chance = fall * rise / (fall + rise) if n == 0 else chance * (1 - rise)
    return cost


@pytest.mark.parametrize("seed", range(6))
def test_the_base_stock_cost_is_its_sum_and_least_at_the_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    terms = {
        "demand": float(rng.uniform(1, 50)),
        "holding_cost": float(rng.uniform(0.1, 2)),
        "shortage_cost": float(rng.uniform(1, 60)),
        "disruption_chance": float(rng.uniform(0, 0.4)),
        "recovery_chance": float(rng.uniform(0.1, 1)),
    }
    for periods in (0.0, 0.4, 1.0, 1.7, 3.0, 9.5):
        level = periods * terms["demand"]
        assert float(disrupted_base_stock_cost(level, **terms)) == pytest.approx(cost_by_sum(level, *terms.values()), rel=1e-9)
    found = fit_disrupted_base_stock(**terms).iloc[0]
    every = disrupted_base_stock_cost(np.linspace(0, 80, 3201) * terms["demand"], **terms)
    assert found["cost"] == pytest.approx(every.min())


def test_the_base_stock_cost_is_what_a_simulated_supplier_costs() -> None:
    rng = np.random.default_rng(5)
    fall, rise, level, demand = 0.1, 0.4, 30.0, 10.0
    up, position, cost, periods = True, level, 0.0, 200_000
    for chance in rng.random(periods):
        up = chance >= fall if up else chance < rise
        position = level if up else position
        position -= demand
        cost += 1.0 * max(position, 0.0) + 6.0 * max(-position, 0.0)
    terms = {"demand": demand, "holding_cost": 1.0, "shortage_cost": 6.0, "disruption_chance": fall, "recovery_chance": rise}
    assert float(disrupted_base_stock_cost(level, **terms)) == pytest.approx(cost / periods, rel=0.03)


def test_a_supplier_who_never_fails_needs_one_period() -> None:
    found = fit_disrupted_base_stock(
        [10.0, 0.0], holding_cost=1.0, shortage_cost=9.0, disruption_chance=0.0, recovery_chance=[0.5, 1.0]
    )
    assert found["level"].tolist() == [10.0, 0.0]
    assert found["cost"].tolist() == [0.0, 0.0]
    at_once = fit_disrupted_base_stock(10.0, holding_cost=1.0, shortage_cost=9.0, disruption_chance=0.3, recovery_chance=1.0)
    assert at_once["periods_covered"].tolist() == [2]


def test_bad_input_is_an_error() -> None:
    terms = {"order_cost": 5, "holding_cost": 1, "shortage_cost": 9, "disruption_rate": 1, "recovery_rate": 10}
    for name, bad in (("recovery_rate", 0), ("shortage_cost", 0), ("disruption_rate", -1), ("order_cost", np.nan)):
        with pytest.raises(InputError, match=name):
            fit_disrupted_order(100, **{**terms, name: bad})
    with pytest.raises(InputError, match="order_quantity above zero"):
        disrupted_order_cost(0, demand_rate=100, **terms)
    for fall, rise in ((0.1, 0.0), (1.0, 0.5), (-0.1, 0.5), (0.1, np.nan)):
        with pytest.raises(InputError, match="recovery_chance above 0"):
            fit_disrupted_base_stock(5, holding_cost=1, shortage_cost=9, disruption_chance=fall, recovery_chance=rise)
