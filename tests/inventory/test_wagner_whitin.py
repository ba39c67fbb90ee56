from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.wagner_whitin import plan_known_demand, plan_known_demand_within

HEURISTICS = pytest.mark.parametrize("method", ["silver_meal", "least_unit_cost"])
ALL = pytest.mark.parametrize("method", ["wagner_whitin", "silver_meal", "least_unit_cost"])


def draw(seed: int, items: int = 6, periods: int = 7) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "demand": np.where(rng.random((items, periods)) < 0.3, 0.0, rng.integers(1, 60, (items, periods)).astype(float)),
        "order_cost": rng.uniform(0, 120, (items, periods)),
        "holding_cost": rng.uniform(0, 3, (items, periods)),
        "unit_cost": rng.uniform(1, 6, (items, periods)),
    }


def every_schedule(
    demand: np.ndarray, order: np.ndarray, holding: np.ndarray, unit: np.ndarray, start: float, orders: list[int]
) -> float:
    """Return the cost of ordering in the given periods only, each time up to the next; infinite where that is too late."""
    stock, cost = start, 0.0
    for period, units in enumerate(demand):
        if period in orders:
            following = min([later for later in orders if later > period], default=len(demand))
            quantity = max(demand[period:following].sum() - stock, 0.0)
            stock, cost = stock + quantity, cost + (order[period] if quantity > 0 else 0.0) + unit[period] * quantity
        stock -= units
        if stock < -1e-9:
            return math.inf
        cost += holding[period] * stock
    return cost


@pytest.mark.parametrize("start", [0.0, 45.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_plan_is_the_best_of_all_sets_of_order_periods(seed: int, start: float) -> None:
    terms = draw(seed)
    plan = plan_known_demand(**terms, start_stock=start)
    periods = terms["demand"].shape[1]
    for row in range(len(terms["demand"])):
        one = [terms[name][row] for name in ("demand", "order_cost", "holding_cost", "unit_cost")]
        sets = itertools.chain.from_iterable(itertools.combinations(range(periods), size) for size in range(periods + 1))
        best = min(every_schedule(*one, start, list(chosen)) for chosen in sets)
        assert plan.cost[row] == pytest.approx(best)


@ALL
def test_the_plan_keeps_its_own_account_and_is_never_short(method: str) -> None:
    terms = draw(9, items=20)
    plan = plan_known_demand(**terms, start_stock=10.0, method=method)
    stock, cost = np.full(20, 10.0), np.zeros(20)
    for period in range(7):
        quantity = plan.orders[:, period]
        stock = stock + quantity - terms["demand"][:, period]
        cost += np.where(quantity > 0, terms["order_cost"][:, period], 0) + terms["unit_cost"][:, period] * quantity
        cost += terms["holding_cost"][:, period] * stock
        assert (stock >= -1e-9).all()
        assert plan.stock[:, period] == pytest.approx(stock, abs=1e-9)
    assert plan.cost == pytest.approx(cost)


@HEURISTICS
def test_a_heuristic_costs_at_least_the_exact_plan(method: str) -> None:
    demand = np.random.default_rng(1).integers(0, 90, (200, 12)).astype(float)
    exact = plan_known_demand(demand, order_cost=120, holding_cost=1)
    other = plan_known_demand(demand, order_cost=120, holding_cost=1, method=method)
    assert (other.cost >= exact.cost - 1e-9).all()
    assert (other.cost > exact.cost + 1e-9).any()
    assert other.method == method


def test_items_together_are_the_items_apart() -> None:
    terms = draw(4)
    together = plan_known_demand(**terms)
    for row in range(6):
        alone = plan_known_demand(**{name: value[row] for name, value in terms.items()})
        assert alone.orders.tolist() == together.orders[row].tolist()
        assert float(alone.cost) == pytest.approx(together.cost[row])


@ALL
def test_no_demand_makes_no_orders(method: str) -> None:
    plan = plan_known_demand([0, 0, 0], order_cost=50, holding_cost=1, method=method)
    assert (plan.orders.tolist(), float(plan.cost)) == ([0, 0, 0], 0.0)


@ALL
def test_one_period_is_one_order(method: str) -> None:
    plan = plan_known_demand([7.0], order_cost=50, holding_cost=1, unit_cost=2, method=method)
    assert (plan.orders.tolist(), float(plan.cost)) == ([7.0], 64.0)


@ALL
def test_free_orders_are_lot_for_lot_and_free_holding_is_one_order(method: str) -> None:
    assert plan_known_demand([5, 6, 7], order_cost=0, holding_cost=1, method=method).orders.tolist() == [5, 6, 7]
    assert plan_known_demand([5, 6, 7], order_cost=9, holding_cost=0, method=method).orders.tolist() == [18, 0, 0]


@ALL
def test_stock_at_the_start_is_used_first_and_its_holding_is_counted(method: str) -> None:
    plan = plan_known_demand([5, 6, 7], order_cost=9, holding_cost=1, start_stock=20, method=method)
    assert (plan.orders.tolist(), plan.stock.tolist(), float(plan.cost)) == ([0, 0, 0], [15, 9, 2], 26.0)


@ALL
def test_a_backlog_is_ordered_at_once(method: str) -> None:
    plan = plan_known_demand([0, 6], order_cost=1, holding_cost=5, start_stock=-4, method=method)
    assert plan.orders.tolist() == [4, 6]
    assert plan.stock.tolist() == [0, 0]


def test_leading_periods_without_demand_are_not_ordered_for_early() -> None:
    for method in ("wagner_whitin", "silver_meal", "least_unit_cost"):
        plan = plan_known_demand([0, 0, 8, 8], order_cost=100, holding_cost=1, method=method)
        assert plan.orders.tolist() == [0, 0, 16, 0]


def test_a_price_rise_is_bought_ahead_of_where_it_pays() -> None:
    plan = plan_known_demand([10, 10, 10], order_cost=1, holding_cost=1, unit_cost=[5, 5, 9])
    assert plan.orders.tolist() == [10, 20, 0]


@pytest.mark.parametrize("seed", range(6))
def test_within_a_maximum_the_plan_is_the_best_of_all_whole_orders(seed: int) -> None:
    rng = np.random.default_rng(seed)
    demand = rng.integers(0, 4, 5).astype(float)
    demand[0] = min(demand[0], 4)
    terms = {"order_cost": rng.uniform(0, 8, 5), "holding_cost": rng.uniform(0, 2, 5), "unit_cost": rng.uniform(1, 3, 5)}
    plan = plan_known_demand_within(demand, maximum=4, **terms)
    best = math.inf
    for orders in itertools.product(range(5), repeat=5):
        quantity = np.array(orders)
        stock = np.cumsum(quantity - demand)
        if (stock >= 0).all():
            cost = (quantity > 0) @ terms["order_cost"] + quantity @ terms["unit_cost"] + stock @ terms["holding_cost"]
            best = min(best, float(cost))
    assert float(plan.cost) == pytest.approx(best)
    assert (plan.orders <= 4 + 1e-9).all()
    assert plan.method == "milp"


def test_a_maximum_that_does_not_bind_gives_the_exact_plan() -> None:
    terms = {"order_cost": 54, "holding_cost": 0.4}
    demand = [10, 62, 12, 130, 154, 129, 88, 52, 124, 160, 238, 41]
    free = plan_known_demand(demand, **terms)
    for maximum in (np.inf, 1e6):
        assert float(plan_known_demand_within(demand, maximum=maximum, **terms).cost) == pytest.approx(float(free.cost))


def test_bad_input_is_an_error() -> None:
    good = {"order_cost": 5, "holding_cost": 1}
    with pytest.raises(InputError, match="demand of at least one period"):
        plan_known_demand([], **good)
    with pytest.raises(InputError, match="demand of zero or more; found nan"):
        plan_known_demand([1, np.nan], **good)
    with pytest.raises(InputError, match="holding_cost of zero or more; found -1"):
        plan_known_demand([1, 2], order_cost=5, holding_cost=-1)
    with pytest.raises(InputError, match="method out of"):
        plan_known_demand([1, 2], method="best", **good)
    with pytest.raises(InputError, match="start_stock"):
        plan_known_demand([1, 2], start_stock=np.nan, **good)
    with pytest.raises(InputError, match="2 units short by period 2"):
        plan_known_demand_within([3, 7], maximum=4, **good)
    with pytest.raises(InputError, match="one item"):
        plan_known_demand_within([[3, 7], [1, 1]], maximum=9, **good)
    with pytest.raises(InputError, match=r"a holding_cost for 1 items × 2 periods; found shape \(3,\)"):
        plan_known_demand([1, 2], order_cost=5, holding_cost=[1, 1, 1])
    with pytest.raises(InputError, match="a start_stock for 2 items"):
        plan_known_demand([[1, 2], [3, 4]], start_stock=[1, 2, 3], **good)
