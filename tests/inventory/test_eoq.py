from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.eoq import (
    economic_order_quantity,
    economic_order_quantity_with_backorders,
    economic_production_quantity,
    economic_production_quantity_with_backorders,
    order_quantity_cost,
    power_of_two_quantity,
)

DEMAND = np.array([1300.0, 80.0, 5.0, 250000.0])
ORDER = np.array([8.0, 4.0, 40.0, 90.0])
HOLDING = np.array([0.225, 0.08, 3.0, 0.5])
SHORTAGE = np.array([5.0, 0.5, 9.0, 2.0])
RATE = np.array([2000.0, 110.0, 6.0, np.inf])
ITEMS = {"demand_rate": DEMAND, "order_cost": ORDER, "holding_cost": HOLDING, "shortage_cost": SHORTAGE, "production_rate": RATE}


def test_no_lot_and_no_share_nearby_costs_less() -> None:
    quantity, share = economic_production_quantity_with_backorders(
        DEMAND, production_rate=RATE, order_cost=ORDER, holding_cost=HOLDING, shortage_cost=SHORTAGE
    )
    best = order_quantity_cost(quantity, backordered=share, **ITEMS)
    for lot in (0.99, 1.0, 1.01):
        for wait in (0.99, 1.0, 1.01):
            assert (order_quantity_cost(lot * quantity, backordered=wait * share, **ITEMS) >= best - 1e-12).all()


def test_arrays_give_what_each_item_gives_alone() -> None:
    terms = {"order_cost": ORDER, "holding_cost": HOLDING}
    together = economic_production_quantity(DEMAND, production_rate=RATE, **terms)
    apart = [
        float(economic_production_quantity(DEMAND[i], production_rate=RATE[i], order_cost=ORDER[i], holding_cost=HOLDING[i]))
        for i in range(4)
    ]
    assert together.tolist() == apart
    quantity, share = economic_order_quantity_with_backorders(DEMAND, shortage_cost=SHORTAGE, **terms)
    assert quantity.shape == share.shape == (4,)


def test_an_endless_rate_and_dear_waiting_give_the_plain_quantity() -> None:
    plain = economic_order_quantity(DEMAND, order_cost=ORDER, holding_cost=HOLDING)
    quantity, share = economic_production_quantity_with_backorders(
        DEMAND, production_rate=1e15, order_cost=ORDER, holding_cost=HOLDING, shortage_cost=1e15
    )
    assert quantity == pytest.approx(plain)
    assert share == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("demand", "order"), [(0.0, 8.0), (1300.0, 0.0)])
def test_without_demand_or_order_cost_nothing_is_held(demand: float, order: float) -> None:
    terms = {"order_cost": order, "holding_cost": 0.225}
    assert float(economic_order_quantity(demand, **terms)) == 0.0
    assert float(order_quantity_cost(0.0, demand_rate=demand, **terms)) == 0.0
    assert [float(value) for value in power_of_two_quantity(demand, base_cycle=1.0, **terms)] == [0.0, 0.0]


def test_a_power_of_two_is_the_best_of_all_powers_of_two() -> None:
    for base in (0.013, 0.05, 0.7, 3.0):
        cycle, quantity = power_of_two_quantity(DEMAND, order_cost=ORDER, holding_cost=HOLDING, base_cycle=base)
        terms = {"demand_rate": DEMAND, "order_cost": ORDER, "holding_cost": HOLDING}
        every = np.array([order_quantity_cost(base * 2.0**k * DEMAND, **terms) for k in range(-20, 20)])
        assert order_quantity_cost(quantity, **terms) == pytest.approx(every.min(axis=0))
        assert np.log2(cycle / base) == pytest.approx(np.round(np.log2(cycle / base)))


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
@pytest.mark.parametrize("name", ["demand_rate", "order_cost", "holding_cost"])
def test_a_missing_negative_or_endless_value_is_named(name: str, bad: float) -> None:
    terms = {"demand_rate": 100.0, "order_cost": 5.0, "holding_cost": 1.0, name: np.array([1.0, bad])}
    with pytest.raises(InputError, match=name):
        economic_order_quantity(terms.pop("demand_rate"), **terms)


def test_production_that_is_too_slow_is_an_error() -> None:
    with pytest.raises(InputError, match=r"production_rate above the demand_rate; found 50.0 for a demand of 80.0"):
        economic_production_quantity([10.0, 80.0], production_rate=50.0, order_cost=1.0, holding_cost=1.0)


def test_a_cost_without_a_quantity_to_meet_demand_is_an_error() -> None:
    with pytest.raises(InputError, match="order_quantity above zero"):
        order_quantity_cost(0.0, demand_rate=100.0, order_cost=5.0, holding_cost=1.0)
    with pytest.raises(InputError, match="backordered from 0 to 1"):
        order_quantity_cost(10.0, demand_rate=100.0, order_cost=5.0, holding_cost=1.0, backordered=1.2)
    with pytest.raises(InputError, match="shortage_cost above zero"):
        economic_order_quantity_with_backorders(100.0, order_cost=5.0, holding_cost=1.0, shortage_cost=0.0)
