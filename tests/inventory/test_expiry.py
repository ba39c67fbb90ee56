from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.expiry import score_left_over, score_lots_unused


def path(mean: list[float], days: int = 60) -> DemandPath:
    time = np.arange(days + 1.0)
    rate = np.array(mean)[:, None] * time
    return DemandPath(rate, rate.copy(), np.array(["errors"] * len(mean)))


def by_simulation(rate: float, lots: list[tuple[int, float]], runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean units and chance unused of each lot (day, quantity), the first to expire used first, day by day."""
    random = np.random.default_rng(13)
    left = np.tile([quantity for _, quantity in lots], (runs, 1)).astype(float)
    lost = np.zeros_like(left)
    for day in range(1, max(day for day, _ in lots) + 1):
        need = random.poisson(rate, runs).astype(float)
        for place in range(len(lots)):
            used = np.minimum(left[:, place], need)
            left[:, place] -= used
            need -= used
        for place, (expires, _) in enumerate(lots):
            if expires == day:
                lost[:, place] = left[:, place]
                left[:, place] = 0.0
    return lost.mean(axis=0), (lost > 0).mean(axis=0)


def frame(lots: list[tuple[int, float]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": 0,
            "lot": [str(n) for n in range(len(lots))],
            "day": [d for d, _ in lots],
            "quantity": [q for _, q in lots],
        }
    )


def test_one_lot_is_exact() -> None:
    found = score_lots_unused(frame([(10, 22.0)]), path=path([2.0]))
    mean, chance = by_simulation(2.0, [(10, 22.0)], 200_000)
    assert found["unused"].iloc[0] == pytest.approx(mean[0], abs=0.02)
    assert found["chance"].iloc[0] == pytest.approx(chance[0], abs=0.004)


def test_the_mean_alone_would_say_that_nothing_is_lost() -> None:
    found = score_lots_unused(frame([(10, 20.0)]), path=path([2.0]))
    assert found["unused"].iloc[0] == pytest.approx(1.78, abs=0.01)  # E(20 − X)⁺ of Poisson 20
    assert found["chance"].iloc[0] == pytest.approx(0.47, abs=0.01)


@pytest.mark.parametrize(
    "lots", [[(5, 12.0), (20, 25.0)], [(5, 8.0), (10, 10.0), (30, 40.0)], [(3, 30.0), (20, 20.0)], [(10, 15.0), (12, 10.0)]]
)
def test_several_lots_used_first_to_expire_are_as_simulated(lots: list[tuple[int, float]]) -> None:
    found = score_lots_unused(frame(lots), path=path([2.0]))
    mean, chance = by_simulation(2.0, lots, 60_000)
    assert found["unused"].to_numpy() == pytest.approx(mean, abs=0.05)
    assert found["chance"].to_numpy() == pytest.approx(chance, abs=0.01)


def test_large_lots_are_measured_in_steps_and_stay_close() -> None:
    lots = [(10, 2500.0), (30, 4000.0)]
    found = score_lots_unused(frame(lots), path=path([200.0]))
    mean, chance = by_simulation(200.0, lots, 40_000)
    assert found["unused"].to_numpy() == pytest.approx(mean, rel=0.01, abs=3.0)
    assert found["chance"].to_numpy() == pytest.approx(chance, abs=0.03)


def test_items_do_not_mix_and_lots_beyond_the_path_are_labelled() -> None:
    lots = pd.DataFrame({"row": [1, 0, 1], "lot": list("abc"), "day": [10, 10, 99], "quantity": [22.0, 5.0, 7.0]})
    found = score_lots_unused(lots, path=path([0.0, 2.0]))
    assert found["row"].tolist() == [0, 1, 1]
    assert found["unused"].iloc[0] == 5.0
    assert found["chance"].iloc[0] == 1.0
    assert found["beyond"].tolist() == [False, False, True]
    assert found["unused"].iloc[2] == 0.0
    assert lots["row"].tolist() == [1, 0, 1]


def test_left_over_at_the_end_of_life_is_that_of_simulated_demand() -> None:
    random = np.random.default_rng(17)
    demand = random.poisson(60.0, 300_000)
    found = score_left_over(np.array([60.0, 0.0]), path=path([2.0, 2.0]), end=np.array([30, 30]))
    assert found["left_over"].iloc[0] == pytest.approx(np.maximum(60 - demand, 0).mean(), abs=0.03)
    assert found["chance"].iloc[0] == pytest.approx((demand < 60).mean(), abs=0.004)
    assert found.iloc[1][["left_over", "chance"]].tolist() == [0.0, 0.0]


def test_stock_without_demand_is_all_left_and_a_far_end_is_labelled() -> None:
    found = score_left_over(np.array([7.0]), path=path([0.0]), end=np.array([500]))
    assert found.iloc[0].tolist() == [7.0, 1.0, True]


def test_bad_lots_and_stock_are_told() -> None:
    with pytest.raises(InputError, match="lots of zero or more"):
        score_lots_unused(frame([(1, -2.0)]), path=path([1.0]))
    with pytest.raises(InputError, match="backlog"):
        score_left_over(np.array([-1.0]), path=path([1.0]), end=np.array([1]))
    assert score_lots_unused(frame([]).astype({"row": "int64", "day": "int64", "quantity": "float64"}), path=path([1.0])).empty
