from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand, fit_lead_time_demand
from cmi_analysis.inventory.target_comparison import FIXED_TARGETS, compare_targets
from cmi_analysis.inventory.target_optimiser import ServiceCurves, fit_service_curves, optimise_targets, score_service


def demand(mean: np.ndarray, variance: np.ndarray) -> tuple[LeadTimeDemand, LeadTimeDemand]:
    time_ = np.arange(41.0)
    path = DemandPath(mean[:, None] * time_, variance[:, None] * time_, np.array(["errors"] * len(mean)))
    count = len(mean)
    return fit_lead_time_demand(path, days=np.full((count, 1), 4.0), chances=np.ones((count, 1)), review_days=np.full(count, 7.0))


def random_items(count: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    mean = random.lognormal(-1.0, 1.0, count)
    return {
        "mean": mean,
        "variance": mean * random.uniform(1.0, 6.0, count),
        "unit_cost": random.lognormal(1.0, 1.0, count),
        "batch": np.ones(count),
    }


def curves_of(items: dict[str, np.ndarray], **more: object) -> ServiceCurves:
    protection, lead = demand(items["mean"], items["variance"])
    return fit_service_curves(
        protection=protection, lead=lead, batch=items["batch"], unit_cost=items["unit_cost"], weight=items["mean"] * 365, **more
    )  # type: ignore[arg-type]


def brute_force(curves: ServiceCurves, *, floor: np.ndarray) -> list[tuple[float, float]]:
    """Return (money, gain) of every choice of one level an item that keeps the floors."""
    options = [
        [(m, g) for m, g, s in zip(*row, strict=True) if s >= f - 1e-9]
        for row, f in zip(zip(curves.money, curves.gain, curves.service, strict=True), floor, strict=True)
    ]
    return [(sum(m for m, _ in choice), sum(g for _, g in choice)) for choice in itertools.product(*options)]


@pytest.mark.parametrize("measure", ["shelf_fill", "cycle_service"])
@pytest.mark.parametrize("seed", range(4))
def test_no_choice_of_levels_serves_more_for_the_money(seed: int, measure: str) -> None:
    curves = curves_of(random_items(4, seed), points=9, measure=measure)
    floor = np.array([0.0, 0.6, 0.0, 0.0])
    every = brute_force(curves, floor=floor)
    for share in (0.15, 0.3, 0.5, 0.8):
        budget = min(m for m, _ in every) + share * (max(m for m, _ in every) - min(m for m, _ in every))
        plan = optimise_targets(curves, budget=budget, floor=floor)
        best = max(g for m, g in every if m <= budget + 1e-9)
        gain, total = plan.items["gain"].sum(), curves.weight.sum()
        assert plan.items["money"].sum() <= budget + 1e-9
        # the optimum lies between the plan and its stated bound, and the gap is less than a segment of the hull
        assert gain <= best + 1e-9
        assert best / total <= plan.totals["bound"] + 1e-9
        assert plan.totals["bound"] * total - gain <= np.diff(curves.gain, axis=1).max() * 9 + 1e-9
        assert (plan.items["target"] >= floor - 1e-9).all()


@pytest.mark.parametrize("seed", range(4))
def test_no_choice_keeps_the_service_reached_for_less_money(seed: int) -> None:
    curves = curves_of(random_items(4, seed), points=9)
    every = brute_force(curves, floor=np.zeros(4))
    for service in (0.5, 0.8, 0.9, 0.97):
        plan = optimise_targets(curves, service=service)
        reached = plan.items["gain"].sum()
        assert reached >= service * curves.weight.sum() - 1e-6
        cheapest = min(m for m, g in every if g >= reached - 1e-9)
        assert plan.totals["money"] == pytest.approx(cheapest)


def test_the_marginal_cost_of_service_is_equal_over_the_items() -> None:
    curves = curves_of(random_items(200, 5), points=48)
    plan = optimise_targets(curves, service=0.95)
    price, at = plan.totals["shadow_price"], plan.items["level"].to_numpy()
    for row in range(200):
        place = int(np.flatnonzero(curves.level[row] == at[row])[-1])
        later = slice(place + 1, None)
        more = curves.gain[row, later] - curves.gain[row, place]
        cost = curves.money[row, later] - curves.money[row, place]
        # nobody's next money buys more than the price
        assert (more <= price * cost * (1 + 1e-9) + 1e-6).all()


def test_a_budget_below_the_floors_says_what_they_cost() -> None:
    curves = curves_of(random_items(5, 1))
    floor = np.full(5, 0.95)
    plan = optimise_targets(curves, budget=1.0, floor=floor)
    assert plan.status == "floors_exceed_budget"
    assert plan.totals["least_money"] == pytest.approx(plan.items["money"].sum())
    assert plan.totals["least_money"] > 1.0
    assert (plan.items["target"] >= 0.95 - 1e-9).all()
    enough = optimise_targets(curves, budget=plan.totals["least_money"], floor=floor)
    assert enough.status == "optimal"


def test_a_service_above_the_highest_levels_is_labelled() -> None:
    plan = optimise_targets(curves_of(random_items(5, 1)), service=0.99999)
    assert plan.status == "not_reachable"
    assert plan.totals["service"] < 0.99999


def test_a_floor_above_the_highest_level_is_labelled() -> None:
    floor = np.array([0.9999, 0.0, 0.0])
    plan = optimise_targets(curves_of(random_items(3, 1), floor=floor), service=0.5, floor=floor)
    assert plan.status == "floors_not_reachable"
    assert plan.items["target"].iloc[0] > 0.998


def test_more_money_never_serves_less() -> None:
    curves = curves_of(random_items(50, 2))
    served = [
        optimise_targets(curves, budget=budget).totals["service"] for budget in np.linspace(0, curves.money[:, -1].sum(), 20)
    ]
    assert (np.diff(served) >= -1e-9).all()
    assert served[-1] == pytest.approx(score_service(curves.service[:, -1], money=np.zeros(50), weight=curves.weight)["service"])


def test_an_average_of_98_percent_tells_the_third_of_the_items_at_80() -> None:
    found = score_service(np.array([1.0, 1.0, 0.8]), money=np.ones(3), weight=np.array([5.0, 4.0, 1.0]), aim=0.95)
    assert found["service"] == pytest.approx(0.98)
    assert found["items_under"] == pytest.approx(1 / 3)
    assert found["weight_under"] == pytest.approx(0.1)


def test_optimised_targets_are_never_dearer_than_fixed_ones_of_the_same_service() -> None:
    items = random_items(120, 3)
    curves = curves_of(items)
    classes = np.array([f"{a}{x}" for a, x in zip("ABC" * 40, "XXXYYYZZZZ" * 12, strict=True)])
    customers = np.repeat(["c1", "c2", "c3"], 40)
    table = compare_targets(curves, classes=classes, aim=0.95, customers=customers).set_index("way")
    assert table.loc["optimised_same_service", "service"] >= table.loc["fixed", "service"] - 1e-9
    assert table.loc["optimised_same_service", "money"] <= table.loc["fixed", "money"] + 1e-9
    assert table.loc["optimised_same_money", "money"] <= table.loc["fixed", "money"] + 1e-6
    assert table.loc["optimised_same_money", "service"] >= table.loc["fixed", "service"] - 1e-9
    assert table.loc["one_target", "items_under"] == 0.0
    assert table["saving"].loc["optimised_same_service"] == pytest.approx(
        table.loc["fixed", "money"] - table.loc["optimised_same_service", "money"]
    )
    assert not table.isna().any().any()


def test_the_fixed_targets_cover_every_class() -> None:
    assert set(FIXED_TARGETS) == {a + x for a in "ABC" for x in "XYZ"}


def test_a_class_without_a_target_is_an_error() -> None:
    with pytest.raises(InputError, match="found DX"):
        compare_targets(curves_of(random_items(1, 1)), classes=np.array(["DX"]), aim=0.9)


def test_batches_and_items_without_demand_have_curves_too() -> None:
    items = random_items(4, 4)
    items["batch"] = np.array([1.0, 12.0, 60.0, 5.0])
    items["mean"][3] = items["variance"][3] = 0.0
    plan = optimise_targets(curves_of(items), service=0.95)
    assert plan.items.loc[3, ["target", "money"]].tolist() == [1.0, 0.0]
    assert plan.totals["service"] >= 0.95
    assert not plan.items.isna().any().any()


@pytest.mark.parametrize(
    ("aim", "message"),
    [
        ({}, "found neither"),
        ({"budget": 5.0, "service": 0.9}, "found both"),
        ({"budget": -1.0}, "budget of zero or more"),
        ({"budget": float("nan")}, "budget of zero or more"),
        ({"service": 1.0}, "service between 0 and 1"),
        ({"service": 0.0}, "service between 0 and 1"),
    ],
)
def test_an_aim_that_makes_no_sense_is_an_error(aim: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        optimise_targets(curves_of(random_items(2, 1)), **aim)


@pytest.mark.parametrize("cost", [-1.0, np.nan])
def test_a_missing_or_negative_unit_cost_is_an_error(cost: float) -> None:
    items = random_items(2, 1)
    items["unit_cost"] = np.array([1.0, cost])
    with pytest.raises(InputError, match="unit_cost of zero or more"):
        curves_of(items)


def test_thousands_of_items_take_seconds() -> None:
    items = random_items(2000, 6)
    start = time.process_time()
    plan = optimise_targets(curves_of(items), service=0.95)
    assert time.process_time() - start < 60
    assert plan.status == "optimal"
