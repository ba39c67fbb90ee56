"""The simulator against one of plain Python objects, and what it refuses."""

from __future__ import annotations

import importlib.util
import itertools
import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.policy_rules import PolicyRules, make_rules, set_rules, stack_rules
from cmi_analysis.inventory.simulation import simulate_policies
from cmi_analysis.inventory.simulation_results import score_simulation

HAS_NUMBA = importlib.util.find_spec("numba") is not None
ENGINES = [
    "numpy",
    pytest.param("numba", marks=pytest.mark.skipif(not HAS_NUMBA, reason="numba is not installed (extra 'fast')")),
]


@dataclass
class Order:
    quantity: float
    arrives: int


@dataclass
class Site:
    """One item at one site, told in plain words."""

    on_hand: float
    waiting_demand: float = 0.0
    open_orders: list[Order] = field(default_factory=list)
    late: float = 0.0
    """Due but not supplied yet."""
    left_supply: float = 0.0
    last_arrival: int = -1
    cycle_ends: set[int] = field(default_factory=set)
    missed_in_cycle: bool = False

    def position(self) -> float:
        return self.on_hand - self.waiting_demand + sum(order.quantity for order in self.open_orders) + self.late


def batches_needed(position: float, rule: dict) -> int:
    """Return the fewest packs that the policy orders at this position, counted one by one."""
    policy, packs = rule["policy"], 0
    if policy == "none" or (policy in ("s_S", "R_s_S", "r_nQ") and position > rule["reorder_point"]):
        return 0
    while True:
        reached = position + packs * rule["pack"]
        if policy == "r_nQ" and reached > rule["reorder_point"]:
            return packs
        if policy != "r_nQ" and reached >= rule["order_up_to_level"]:
            return packs
        packs += 1


def by_hand(demand, lead, rule, *, start, lost_sales, crossing, supply=None, keep=True, warm_up=0) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """Simulate one item and policy with objects, day by day."""
    site = Site(on_hand=start)
    sums = dict.fromkeys(
        ("demand", "filled", "on_hand", "backordered", "ready", "orders", "units", "cycles", "short_cycles"), 0.0
    )
    for day, wanted in enumerate(demand):
        if day == warm_up:
            sums = dict.fromkeys(sums, 0.0)
        if day in site.cycle_ends:
            sums["cycles"] += 1
            sums["short_cycles"] += site.missed_in_cycle
            site.missed_in_cycle = False
        arrived = sum(order.quantity for order in site.open_orders if order.arrives == day)
        site.open_orders = [order for order in site.open_orders if order.arrives != day]
        if supply is not None:
            site.late += arrived
            site.left_supply += supply[day]
            arrived = min(site.late, site.left_supply)
            site.late -= arrived
            site.left_supply = site.left_supply - arrived if keep else 0.0
        settled = min(arrived, site.waiting_demand)
        site.waiting_demand -= settled
        site.on_hand += arrived - settled
        met = min(wanted, site.on_hand)
        site.on_hand -= met
        site.waiting_demand += 0 if lost_sales else wanted - met
        site.missed_in_cycle |= met < wanted or site.waiting_demand > 0
        sums["demand"] += wanted
        sums["filled"] += met
        sums["on_hand"] += site.on_hand
        sums["backordered"] += site.waiting_demand
        sums["ready"] += site.on_hand > 0
        if (day - rule["phase"]) % rule["review"] == 0:
            quantity = batches_needed(site.position(), rule) * rule["pack"]
            arrives = day + 1 + lead[day]
            if not crossing:
                arrives = max(arrives, site.last_arrival)
            if quantity > 0:
                site.last_arrival = arrives
                site.open_orders.append(Order(quantity, arrives))
                sums["orders"] += 1
                sums["units"] += quantity
            site.cycle_ends.add(arrives)
    return sums | {"terminal": site.on_hand - site.waiting_demand, "position": site.position()}


RULES = [
    {"policy": "base_stock", "order_up_to_level": 9.0, "pack": 1.0, "review": 1, "phase": 0},
    {"policy": "base_stock", "order_up_to_level": 14.0, "pack": 4.0, "review": 1, "phase": 0},
    {"policy": "R_S", "order_up_to_level": 20.0, "pack": 1.0, "review": 5, "phase": 2},
    {"policy": "R_S", "order_up_to_level": 23.0, "pack": 6.0, "review": 7, "phase": 3},
    {"policy": "s_S", "reorder_point": 8.0, "order_up_to_level": 17.0, "pack": 1.0, "review": 1, "phase": 0},
    {"policy": "R_s_S", "reorder_point": 9.0, "order_up_to_level": 22.0, "pack": 3.0, "review": 4, "phase": 1},
    {"policy": "r_nQ", "reorder_point": 7.0, "pack": 5.0, "review": 1, "phase": 0},
    {"policy": "r_nQ", "reorder_point": 12.0, "pack": 10.0, "review": 3, "phase": 2},
    {"policy": "r_nQ", "reorder_point": -2.0, "pack": 8.0, "review": 2, "phase": 0},
    {"policy": "none", "order_up_to_level": 30.0, "pack": 1.0, "review": 1, "phase": 0},
]


def as_rules(rule: dict, items: int) -> PolicyRules:
    levels = {name: np.full(items, rule[name]) for name in ("reorder_point", "order_up_to_level") if name in rule}
    pack = {"order_quantity" if rule["policy"] == "r_nQ" else "order_multiple": rule["pack"]}
    return set_rules(rule["policy"], **levels, **pack, review_period=rule["review"], review_phase=rule["phase"])


def paths(items: int = 3, periods: int = 60, runs: int = 2) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    mean = np.array([0.6, 2.0, 4.0])[:items, None, None]
    demand = random.poisson(mean, (items, periods, runs)) * (random.random((items, periods, runs)) < 0.7)
    return demand, random.integers(0, 7, (items, periods, runs))


def totals_of(result, place: tuple[int, int, int]) -> dict[str, float]:  # type: ignore[no-untyped-def]
    names = ("demand", "filled", "on_hand", "backordered", "ready", "orders", "units", "cycles", "short_cycles")
    sums = {name: float(getattr(result, name)[place]) for name in names}
    return sums | {"terminal": float(result.terminal()[place]), "position": float(result.terminal("position")[place])}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("crossing", [True, False], ids=["crossing", "in order"])
@pytest.mark.parametrize("lost_sales", [False, True], ids=["backorders", "lost sales"])
@pytest.mark.parametrize("limited", ["", "kept", "gone"])
def test_every_policy_does_what_objects_do_day_by_day(lost_sales: bool, crossing: bool, limited: str, engine: str) -> None:
    demand, lead = paths()
    supply = np.random.default_rng(1).integers(0, 6, demand.shape) if limited else None
    rules = stack_rules(*(as_rules(rule, len(demand)) for rule in RULES))
    result = simulate_policies(
        demand,
        rules=rules,
        lead_time=lead,
        supply=supply,
        keep_supply=limited == "kept",
        lost_sales=lost_sales,
        crossing=crossing,
        start=np.array([4.0, 9.0, 12.0]),
        warm_up=10,
        engine=engine,
    )
    for item, policy, run in itertools.product(range(3), range(len(RULES)), range(2)):
        expected = by_hand(
            demand[item, :, run],
            lead[item, :, run],
            RULES[policy],
            start=[4.0, 9.0, 12.0][item],
            lost_sales=lost_sales,
            crossing=crossing,
            supply=None if supply is None else supply[item, :, run],
            keep=limited == "kept",
            warm_up=10,
        )
        assert totals_of(result, (item, policy, run)) == expected, (item, RULES[policy], run)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lead", [0, 3])
def test_many_policies_reviewed_together_do_what_objects_do(engine: str, lead: int) -> None:
    demand = paths(runs=1)[0][:, :, 0]
    levels = np.arange(4.0, 20.0)
    daily = set_rules("r_nQ", reorder_point=np.tile(levels, (3, 1)), order_quantity=6)
    weekly = set_rules("R_s_S", reorder_point=np.tile(levels, (3, 1)), order_up_to_level=24, review_period=7, review_phase=4)
    result = simulate_policies(demand, rules=stack_rules(daily, weekly), lead_time=lead, engine=engine)
    for item, policy in itertools.product(range(3), range(32)):
        level = levels[policy % 16]
        rule = (
            {"policy": "r_nQ", "reorder_point": level, "pack": 6.0, "review": 1, "phase": 0}
            if policy < 16
            else {"policy": "R_s_S", "reorder_point": level, "order_up_to_level": 24.0, "pack": 1.0, "review": 7, "phase": 4}
        )
        start = float(result_start(rule))
        expected = by_hand(demand[item], [lead] * 60, rule, start=start, lost_sales=False, crossing=True)
        found = totals_of(result, (item, policy, 0))
        assert found == expected


def result_start(rule: dict) -> float:
    """Return where a run without a start begins: the order-up-to level; just above r with batches."""
    return rule["order_up_to_level"] if "order_up_to_level" in rule else rule["reorder_point"]


@pytest.mark.skipif(not HAS_NUMBA, reason="numba is not installed (extra 'fast')")
@pytest.mark.parametrize("whole", [True, False], ids=["whole units", "broken units"])
@pytest.mark.parametrize("lost_sales", [False, True])
@pytest.mark.parametrize("crossing", [False, True])
def test_both_engines_give_the_same_results_to_the_last_bit(whole: bool, lost_sales: bool, crossing: bool) -> None:
    random = np.random.default_rng(3)
    demand = random.negative_binomial(1, 0.2, (40, 150, 3)) * (1.0 if whole else 0.37)
    lead = random.integers(0, 9, (40, 150, 3))
    level = random.integers(5, 60, (40, 12)).astype(float)
    rules = stack_rules(
        set_rules("r_nQ", reorder_point=level, order_quantity=7, review_period=2),
        set_rules("s_S", reorder_point=level - 4, order_up_to_level=level + 9, order_multiple=3),
        set_rules("R_S", order_up_to_level=level[:, :3], review_period=np.arange(1, 41), review_phase=np.arange(40)),
    )
    runs = [
        simulate_policies(
            demand, rules=rules, lead_time=lead, lost_sales=lost_sales, crossing=crossing, warm_up=20, engine=engine
        )
        for engine in ("numpy", "numba")
    ]
    for name in ("demand", "filled", "on_hand", "backordered", "ready", "orders", "units", "cycles", "short_cycles"):
        assert np.array_equal(getattr(runs[0], name), getattr(runs[1], name)), name
    for name in ("net", "due", "closes", "short", "waiting", "available"):
        assert np.array_equal(getattr(runs[0].state, name), getattr(runs[1].state, name)), name


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("crossing", [True, False])
@pytest.mark.parametrize("cut", [1, 17, 59])
def test_two_runs_in_a_row_are_one_run(engine: str, crossing: bool, cut: int) -> None:
    demand, lead = paths()
    rules = stack_rules(*(as_rules(rule, 3) for rule in RULES))
    supply = np.random.default_rng(1).integers(0, 6, demand.shape)
    common = {"rules": rules, "crossing": crossing, "engine": engine}
    whole = simulate_policies(demand, lead_time=lead, supply=supply, **common)
    first = simulate_policies(demand[:, :cut], lead_time=lead[:, :cut], supply=supply[:, :cut], **common)
    second = simulate_policies(
        demand[:, cut:], lead_time=lead[:, cut:], supply=supply[:, cut:], start=first.state, start_period=cut, **common
    )
    for name in ("filled", "on_hand", "backordered", "units", "cycles", "short_cycles"):
        assert np.allclose(getattr(first, name) + getattr(second, name), getattr(whole, name), rtol=0, atol=1e-4), name
    assert np.allclose(second.state.net, whole.state.net, rtol=0, atol=1e-4)


def test_a_policy_meets_the_same_paths_whatever_stands_beside_it() -> None:
    demand, lead = paths()
    alone = simulate_policies(demand, rules=as_rules(RULES[2], 3), lead_time=lead)
    among = simulate_policies(demand, rules=stack_rules(*(as_rules(rule, 3) for rule in RULES)), lead_time=lead)
    assert np.array_equal(alone.filled[:, 0], among.filled[:, 2])


def test_no_items_give_an_empty_table() -> None:
    rules = set_rules("base_stock", order_up_to_level=np.zeros(0))
    result = simulate_policies(np.zeros((0, 5)), rules=rules, lead_time=np.zeros(0, dtype=int))
    assert score_simulation(result).empty
    assert result.shelf_fill.shape == (0, 1)


def test_the_inputs_are_not_changed() -> None:
    demand, lead = paths()
    first = simulate_policies(demand, rules=as_rules(RULES[0], 3), lead_time=lead)
    before = [demand.copy(), lead.copy(), first.state.net.copy(), first.state.due.copy()]
    simulate_policies(demand, rules=as_rules(RULES[0], 3), lead_time=lead, start=first.state)
    for kept, now in zip(before, [demand, lead, first.state.net, first.state.due], strict=True):
        assert np.array_equal(kept, now)


def test_an_outlier_of_a_thousandfold_and_an_item_without_demand_give_numbers() -> None:
    demand = np.array([[2, 3, 2000, 1, 2, 3], [0, 0, 0, 0, 0, 0]])
    table = score_simulation(simulate_policies(demand, rules=set_rules("base_stock", order_up_to_level=[9, 0]), lead_time=1))
    assert not table.isna().to_numpy().any()
    # by hand: stock before demand 9, 7, 6, −1991, 8, 7
    assert table["shelf_fill"].tolist() == [pytest.approx((2 + 3 + 6 + 0 + 2 + 3) / 2011), 1.0]
    assert table["demand"].tolist() == [2011.0, 0.0]
    assert table["backordered"].iloc[0] == pytest.approx((1994 + 1992) / 6)


def test_costs_are_those_of_the_sums() -> None:
    demand, lead = paths()
    result = simulate_policies(demand, rules=as_rules(RULES[4], 3), lead_time=lead)
    table = score_simulation(result, holding_cost=[1, 2, 3], backorder_cost=5.0, shortage_cost=7.0, order_cost=11.0)
    run = [by_hand(demand[2, :, k], lead[2, :, k], RULES[4], start=17.0, lost_sales=False, crossing=True) for k in range(2)]
    cost = [3 * s["on_hand"] + 5 * s["backordered"] + 7 * (s["demand"] - s["filled"]) + 11 * s["orders"] for s in run]
    assert table["cost"].iloc[2] == pytest.approx(sum(cost) / 2 / 60)
    assert table["cost_error"].iloc[2] == pytest.approx(abs(cost[0] - cost[1]) / 2 / 60)


def test_the_standard_error_covers_the_truth_about_as_often_as_it_says() -> None:
    # Poisson 4, base stock 6, no lead time beyond the day: fill = E min(D, 6)/4
    chances = [math.exp(-4) * 4**k / math.factorial(k) for k in range(60)]
    truth = sum(min(k, 6) * chance for k, chance in enumerate(chances)) / 4
    demand = np.random.default_rng(11).poisson(4, (400, 100, 12))
    result = simulate_policies(demand, rules=set_rules("base_stock", order_up_to_level=np.full(400, 6)), lead_time=0)
    table = score_simulation(result)
    inside = (table["shelf_fill"] - truth).abs() <= 2.2 * table["shelf_fill_error"]  # t quantile, 11 degrees of freedom
    assert inside.mean() == pytest.approx(0.95, abs=0.035)


BAD = [
    ({"demand": np.array([[1.0, -2.0]])}, "zero or more"),
    ({"demand": np.array([[1.0, np.nan]])}, "missing or infinite"),
    ({"demand": np.array([1.0, 2.0])}, "1 axes"),
    ({"lead_time": -1}, "lead times of zero or more"),
    ({"lead_time": 1.5}, "whole periods"),
    ({"lead_time": [[1, 2, 3]]}, "shape"),
    ({"lead_time": np.nan}, "lead times"),
    ({"warm_up": 2}, "after the warm-up"),
    ({"engine": "fortran"}, "engine"),
    ({"start": np.nan}, "start stock"),
    ({"supply": np.array([[1.0, -1.0]])}, "supply of zero or more"),
    ({"rules": set_rules("base_stock", order_up_to_level=[1, 2])}, "rules of 1 items"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message for _, message in BAD])
def test_a_run_that_cannot_be_is_refused_in_words(change: dict, message: str) -> None:
    given = {"demand": np.array([[1.0, 2.0]]), "rules": set_rules("base_stock", order_up_to_level=[3]), "lead_time": 1} | change
    with pytest.raises(InputError, match=message):
        simulate_policies(given.pop("demand"), **given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: set_rules("r_Q", reorder_point=1), "one of the policies"),
        (lambda: set_rules("s_S", reorder_point=1), "no order_up_to_level"),
        (lambda: set_rules("s_S", reorder_point=5, order_up_to_level=3), "at or above the reorder points"),
        (lambda: set_rules("r_nQ", reorder_point=5, order_quantity=0), "above zero"),
        (lambda: set_rules("R_S", order_up_to_level=5, review_period=0), "review periods"),
        (lambda: set_rules("R_S", order_up_to_level=np.nan), "missing or infinite level"),
        (lambda: make_rules(1.0, target=np.inf), "missing or infinite level"),
    ],
)
def test_rules_that_cannot_be_are_refused_in_words(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("cost", ["holding_cost", "backorder_cost", "shortage_cost", "order_cost"])
@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_negative_and_missing_costs_are_refused(cost: str, value: float) -> None:
    result = simulate_policies(np.ones((1, 4)), rules=set_rules("base_stock", order_up_to_level=[3]), lead_time=1)
    with pytest.raises(InputError, match=cost):
        score_simulation(result, **({"holding_cost": 1.0} | {cost: value}))


@pytest.mark.skipif(HAS_NUMBA, reason="numba is installed")
def test_without_numba_its_engine_is_refused_and_auto_takes_numpy() -> None:
    rules = set_rules("base_stock", order_up_to_level=[3])
    assert simulate_policies(np.ones((1, 4)), rules=rules, lead_time=1).engine == "numpy"
    with pytest.raises(InputError, match="extra 'fast'"):
        simulate_policies(np.ones((1, 4)), rules=rules, lead_time=1, engine="numba")
