from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.eoq import economic_order_quantity
from cmi_analysis.inventory.joint_replenishment import JointOrder, fit_joint_replenishment


def draw(seed: int, items: int) -> dict[str, np.ndarray | float]:
    rng = np.random.default_rng(seed)
    return {
        "demand_rate": rng.uniform(5, 3000, items),
        "order_cost": float(rng.uniform(1, 300)),
        "item_cost": rng.uniform(0, 200, items),
        "holding_cost": rng.uniform(0.05, 8, items),
    }


def fit(terms: dict[str, np.ndarray | float], **more: object) -> JointOrder:
    return fit_joint_replenishment(terms["demand_rate"], **{k: v for k, v in terms.items() if k != "demand_rate"}, **more)


def cost_of(multiples: tuple[int, ...], terms: dict[str, np.ndarray | float], cycle: float | None = None) -> float:
    """Return the yearly cost of a set of multiples, at its best cycle or at a given one."""
    rows = zip(multiples, terms["item_cost"], terms["holding_cost"], terms["demand_rate"], strict=True)
    setup, load = float(terms["order_cost"]), 0.0
    for m, k, h, d in rows:
        setup, load = setup + k / m, load + h * d * m
    return math.sqrt(2 * setup * load) if cycle is None else setup / cycle + load * cycle / 2


@pytest.mark.parametrize("seed", range(15))
def test_exact_is_the_best_of_all_multiples_up_to_fourteen(seed: int) -> None:
    terms = draw(seed, 3)
    order = fit(terms)
    best = min(cost_of(m, terms) for m in itertools.product(range(1, 15), repeat=3))
    assert order.yearly_cost <= best + 1e-9
    assert cost_of(tuple(order.multiples), terms) == pytest.approx(order.yearly_cost)


@pytest.mark.parametrize("seed", range(8))
def test_powers_of_two_are_the_best_among_powers_of_two(seed: int) -> None:
    terms = draw(seed, 4)
    order = fit(terms, method="power_of_two")
    best = min(cost_of(m, terms) for m in itertools.product((1, 2, 4, 8, 16, 32, 64, 128), repeat=4))
    assert order.yearly_cost == pytest.approx(best)
    assert set(order.multiples) <= {2**power for power in range(8)}


@pytest.mark.parametrize("seed", range(10))
def test_the_methods_stand_in_their_order(seed: int) -> None:
    terms = draw(seed, 30)
    exact, doubling, silver = (fit(terms, method=method) for method in ("exact", "power_of_two", "silver"))
    least = np.sqrt(2 * terms["item_cost"] * terms["holding_cost"] * terms["demand_rate"]).sum()
    assert least < exact.yearly_cost <= min(doubling.yearly_cost, silver.yearly_cost) + 1e-9
    assert doubling.yearly_cost <= exact.yearly_cost * 1.061
    assert [o.method for o in (exact, doubling, silver)] == ["exact", "power_of_two", "silver"]


@pytest.mark.parametrize("seed", range(6))
def test_cycles_of_whole_weeks_are_the_best_of_whole_weeks(seed: int) -> None:
    terms = draw(seed, 3)
    order = fit(terms, base_step=1 / 52)
    weeks = range(1, 120)
    best = min(cost_of(m, terms, week / 52) for m in itertools.product(range(1, 9), repeat=3) for week in weeks)
    assert order.yearly_cost == pytest.approx(best)
    assert order.base_cycle * 52 == pytest.approx(round(order.base_cycle * 52))
    silver = fit(terms, method="silver", base_step=1 / 52)
    assert silver.yearly_cost >= order.yearly_cost - 1e-9
    assert silver.base_cycle * 52 == pytest.approx(round(silver.base_cycle * 52))


def test_quantities_are_the_demand_of_each_items_own_cycle() -> None:
    terms = draw(3, 5)
    order = fit(terms)
    assert order.order_quantities == pytest.approx(order.multiples * order.base_cycle * terms["demand_rate"])


def test_one_item_is_its_economic_order_quantity_with_both_costs() -> None:
    order = fit_joint_replenishment([1300], order_cost=5, item_cost=[3], holding_cost=[0.225])
    assert order.multiples.tolist() == [1]
    assert order.order_quantities == pytest.approx([float(economic_order_quantity(1300, order_cost=8, holding_cost=0.225))])


def test_items_without_a_cost_of_their_own_are_in_every_order() -> None:
    order = fit_joint_replenishment([10, 5000], order_cost=50, item_cost=0, holding_cost=[0.1, 9])
    assert order.multiples.tolist() == [1, 1]


def test_an_order_without_a_cost_of_its_own_leaves_each_item_alone() -> None:
    order = fit_joint_replenishment([100, 900, 0], order_cost=0, item_cost=[4, 9, 1], holding_cost=2)
    assert (order.method, order.base_cycle, order.multiples.tolist()) == ("independent", 0.0, [0, 0, 0])
    assert order.order_quantities == pytest.approx(economic_order_quantity([100, 900, 0], order_cost=[4, 9, 1], holding_cost=2))
    assert order.yearly_cost == pytest.approx(40 + 180)


def test_an_item_without_demand_is_never_in_the_order() -> None:
    whole = fit_joint_replenishment([100, 0, 900], order_cost=20, item_cost=[4, 5, 9], holding_cost=2)
    without = fit_joint_replenishment([100, 900], order_cost=20, item_cost=[4, 9], holding_cost=2)
    assert whole.multiples[1] == whole.order_quantities[1] == 0
    assert whole.yearly_cost == pytest.approx(without.yearly_cost)
    nothing = fit_joint_replenishment([0, 0], order_cost=20, item_cost=4, holding_cost=2)
    assert (nothing.base_cycle, nothing.yearly_cost) == (0.0, 0.0)


@pytest.mark.parametrize("method", ["exact", "power_of_two"])
def test_a_small_cost_of_the_order_nears_independent_items(method: str) -> None:
    terms = {"item_cost": [4.0, 9.0, 30.0], "holding_cost": 2.0}
    apart = fit_joint_replenishment([100, 900, 40], order_cost=0, **terms).yearly_cost
    order = fit_joint_replenishment([100, 900, 40], order_cost=1e-5, method=method, **terms)
    assert apart < order.yearly_cost < apart * (1.001 if method == "exact" else 1.061)


def test_bad_input_is_an_error() -> None:
    with pytest.raises(InputError, match="method out of exact"):
        fit_joint_replenishment([1], order_cost=1, item_cost=1, holding_cost=1, method="best")
    with pytest.raises(InputError, match="holding_cost above zero"):
        fit_joint_replenishment([1, 2], order_cost=1, item_cost=1, holding_cost=[1, 0])
    with pytest.raises(InputError, match="order_cost of zero or more"):
        fit_joint_replenishment([1], order_cost=-1, item_cost=1, holding_cost=1)
    with pytest.raises(InputError, match="base_step above zero"):
        fit_joint_replenishment([1], order_cost=1, item_cost=1, holding_cost=1, base_step=0)
    with pytest.raises(InputError, match="costs and demands of like size"):
        fit_joint_replenishment([1, 1e9], order_cost=1, item_cost=[1e9, 1], holding_cost=1, base_step=1e-9)
