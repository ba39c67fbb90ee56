from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand, sample_lead_time_demand
from cmi_analysis.inventory.order_limits import expected_waste, limit_by_shelf_life, limit_jointly
from cmi_analysis.inventory.orders import propose_quantity


def propose(need: float, **terms: float) -> tuple[float, str]:
    names = ("position", "minimum", "multiple", "maximum", "shelf_life")
    values = {name: np.array([terms.get(name, 0.0 if name == "position" else np.nan)]) for name in names}
    quantity, bound = propose_quantity(np.array([need]), **values)
    return float(quantity[0]), str(bound[0])


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"need": 30, "shelf_life": 40}, (30.0, "need")),
        ({"need": 30, "shelf_life": 20, "multiple": 12}, (12.0, "shelf_life")),
        ({"need": 5, "shelf_life": 11, "multiple": 12}, (0.0, "shelf_life")),
        ({"need": 5, "shelf_life": 40, "minimum": 50, "multiple": 12}, (0.0, "shelf_life")),
        ({"need": 90, "shelf_life": 60, "maximum": 40, "multiple": 12}, (36.0, "maximum")),
        ({"need": 5, "shelf_life": 0}, (0.0, "shelf_life")),
        ({"need": 0, "shelf_life": 0}, (0.0, "")),
    ],
)
def test_a_pack_that_its_shelf_life_does_not_allow_is_not_ordered_and_says_so(
    asked: dict[str, float], answer: tuple[float, str]
) -> None:
    assert propose(**asked) == answer


def poisson(mean: float, count: int = 200) -> np.ndarray:
    chances = np.empty(count)
    chances[0] = np.exp(-mean)
    for k in range(1, count):
        chances[k] = chances[k - 1] * mean / k
    return chances


@pytest.mark.parametrize("position", [0.0, 7.0, 30.0])
@pytest.mark.parametrize("quantity", [1.0, 12.0, 48.0])
def test_expected_waste_is_the_sum_over_the_demand(position: float, quantity: float) -> None:
    chances = poisson(20.0)
    by_loop = sum(p * (max(position + quantity - d, 0) - max(position - d, 0)) for d, p in enumerate(chances))
    found = expected_waste(np.array([quantity]), position=np.array([position]), mean=np.array([20.0]), variance=np.array([20.0]))
    assert found[0] == pytest.approx(by_loop, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3])
def test_the_limit_of_the_shelf_life_is_the_largest_order_that_keeps_the_share(share: float) -> None:
    chances = poisson(20.0)
    for position in (0, 5, 15, 60):
        kept = [
            q
            for q in range(400)
            if sum(p * (max(position + q - d, 0) - max(position - d, 0)) for d, p in enumerate(chances)) <= share * q + 1e-9
        ]
        found = limit_by_shelf_life(np.array([position]), mean=np.array([20.0]), variance=np.array([20.0]), most_wasted=share)
        assert found.tolist() == [max(kept)]


def test_without_demand_nothing_is_used() -> None:
    assert limit_by_shelf_life(np.zeros(1), mean=np.zeros(1), variance=np.zeros(1)).tolist() == [0.0]


@pytest.mark.parametrize("share", [-0.1, 1.0, np.nan])
def test_a_share_of_waste_that_makes_no_sense_is_an_error(share: float) -> None:
    with pytest.raises(InputError, match="share of waste"):
        limit_by_shelf_life(np.zeros(1), mean=np.ones(1), variance=np.ones(1), most_wasted=share)


def make_orders(seed: int, count: int = 4) -> tuple[pd.DataFrame, LeadTimeDemand]:
    random = np.random.default_rng(seed)
    samples = random.poisson(random.uniform(3, 20, count)[:, None], size=(count, 60)).astype("float64")
    pack = random.integers(1, 5, count).astype("float64")
    orders = pd.DataFrame(
        {
            "quantity": pack * random.integers(1, 6, count),
            "position": random.integers(0, 8, count).astype("float64"),
            "minimum": np.where(random.random(count) < 0.5, 2 * pack, np.nan),
            "multiple": pack,
            "value": random.uniform(1, 9, count),
            "unit_cost": random.uniform(1, 9, count),
            "unit_volume": random.uniform(0.1, 2, count),
            "order_cost": random.uniform(0, 3, count),
        }
    )
    return orders, sample_lead_time_demand(samples)


def best_by_hand(orders: pd.DataFrame, demand: LeadTimeDemand, *, budget: float, storage: float) -> float:
    """Return the largest benefit of all combinations of whole packs."""
    options = []
    for row in orders.itertuples():
        packs = np.arange(0, round(row.quantity / row.multiple) + 1) * row.multiple
        least = 0.0 if np.isnan(row.minimum) else row.minimum
        options.append([q for q in packs if q == 0 or q >= min(least, row.quantity)])

    def benefit(choice: tuple[float, ...]) -> float:
        total = 0.0
        for row, q, values in zip(orders.itertuples(), choice, demand.values, strict=True):
            saved = np.maximum(values - row.position, 0).mean() - np.maximum(values - row.position - q, 0).mean()
            total += row.value * saved - (row.order_cost if q > 0 else 0.0)
        return total

    allowed = [
        choice
        for choice in itertools.product(*options)
        if np.dot(choice, orders["unit_cost"]) <= budget + 1e-9 and np.dot(choice, orders["unit_volume"]) <= storage + 1e-9
    ]
    return max(benefit(choice) for choice in allowed)


@pytest.mark.parametrize("seed", range(8))
def test_no_combination_of_packs_saves_more_within_budget_and_storage(seed: int) -> None:
    orders, demand = make_orders(seed)
    asked = orders["quantity"].to_numpy()
    for share in (0.3, 0.6, 0.9):
        budget, storage = share * (asked @ orders["unit_cost"]), 0.7 * (asked @ orders["unit_volume"])
        found = limit_jointly(orders, protection=demand, budget=budget, storage=storage)
        quantity = found.orders["quantity"].to_numpy()
        assert found.status == "optimal"
        assert quantity @ orders["unit_cost"] <= budget + 1e-6
        assert quantity @ orders["unit_volume"] <= storage + 1e-6
        assert np.allclose(quantity % orders["multiple"], 0)
        position = orders["position"].to_numpy()
        saved = (demand.shortage(position) - demand.shortage(position + quantity)) @ orders["value"]
        saved -= orders["order_cost"].to_numpy() @ (quantity > 0)
        assert saved == pytest.approx(best_by_hand(orders, demand, budget=budget, storage=storage), abs=1e-6)


def test_limits_that_do_not_bind_cut_nothing() -> None:
    orders, demand = make_orders(1)
    found = limit_jointly(orders, protection=demand, budget=1e9, storage=1e9)
    assert found.status == "not_binding"
    assert found.orders["quantity"].tolist() == orders["quantity"].tolist()
    assert found.orders["bound_by"].tolist() == [""] * 4
    assert found.orders["cut_money"].tolist() == [0.0] * 4


def test_a_budget_of_nothing_cuts_all_and_says_what_that_costs() -> None:
    orders, demand = make_orders(2)
    found = limit_jointly(orders, protection=demand, budget=0.0)
    assert found.orders["quantity"].tolist() == [0.0] * 4
    assert set(found.orders["bound_by"]) == {"budget"}
    assert found.orders["cut_money"].tolist() == pytest.approx((orders["quantity"] * orders["unit_cost"]).tolist())
    position, asked = orders["position"].to_numpy(), orders["quantity"].to_numpy()
    lost = (demand.shortage(position) - demand.shortage(position + asked)) * orders["value"]
    assert found.orders["lost_benefit"].tolist() == pytest.approx(lost.tolist())


def test_the_limit_that_binds_is_named() -> None:
    orders, demand = make_orders(3)
    asked = orders["quantity"].to_numpy()
    by_room = limit_jointly(orders, protection=demand, budget=1e9, storage=0.5 * (asked @ orders["unit_volume"])).orders
    assert set(by_room.loc[by_room["cut"] > 0, "bound_by"]) <= {"storage", "no_benefit"}
    assert "storage" in set(by_room["bound_by"])


def test_many_packs_are_gathered_and_still_keep_the_budget() -> None:
    orders, demand = make_orders(4)
    orders = orders.assign(quantity=orders["multiple"] * 500.0)
    budget = 0.1 * float(orders["quantity"] @ orders["unit_cost"])
    found = limit_jointly(orders, protection=demand, budget=budget)
    assert float(found.orders["quantity"] @ orders["unit_cost"]) <= budget + 1e-6
    assert found.orders["quantity"].sum() > 0


@pytest.mark.parametrize(
    ("changes", "limits", "message"),
    [
        ({}, {"budget": -1.0}, "budget of zero or more"),
        ({}, {"storage": float("nan")}, "storage of zero or more"),
        ({"unit_cost": np.nan}, {"budget": 5.0}, "unit_cost of zero or more"),
        ({"unit_volume": -1.0}, {"storage": 5.0}, "unit_volume of zero or more"),
        ({"value": np.nan}, {"budget": 5.0}, "value of zero or more"),
    ],
)
def test_limits_or_costs_that_make_no_sense_are_errors(changes: dict[str, float], limits: dict[str, float], message: str) -> None:
    orders, demand = make_orders(5)
    with pytest.raises(InputError, match=message):
        limit_jointly(orders.assign(**changes), protection=demand, **limits)


def test_hundreds_of_orders_are_solved_to_a_ten_thousandth_and_leave_no_step_that_pays_and_fits() -> None:
    orders, demand = make_orders(7, count=150)
    asked = orders["quantity"].to_numpy()
    budget, storage = 0.5 * (asked @ orders["unit_cost"]), 0.6 * (asked @ orders["unit_volume"])
    found = limit_jointly(orders, protection=demand, budget=budget, storage=storage)
    chosen = found.orders["quantity"].to_numpy()
    assert found.gap <= 1e-4
    money, room = budget - chosen @ orders["unit_cost"], storage - chosen @ orders["unit_volume"]
    assert min(money, room) >= -1e-6
    for row, kind in enumerate(found.orders["bound_by"]):
        least = max(orders["minimum"].fillna(0).iloc[row], orders["multiple"].iloc[row])
        step = orders["multiple"].iloc[row] if chosen[row] > 0 else min(least, asked[row])
        fits = step * orders["unit_cost"].iloc[row] <= money and step * orders["unit_volume"].iloc[row] <= room
        if kind == "no_benefit":
            now = orders["position"].iloc[row] + chosen[row]
            values = demand.values[row]
            saved = (np.maximum(values - now, 0) - np.maximum(values - now - step, 0)).mean() * orders["value"].iloc[row]
            assert saved - (orders["order_cost"].iloc[row] if chosen[row] == 0 else 0) <= 1e-6
        elif kind:
            assert not fits
