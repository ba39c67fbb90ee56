"""New, active, ending and dead series."""

from __future__ import annotations

import numpy as np

from cmi_analysis.forecasting.life_cycle import classify_life_cycle, silence_limit


def state(quantity: np.ndarray, in_stock: np.ndarray | None = None, **more: object) -> list[str]:
    stock = np.ones(quantity.shape) if in_stock is None else in_stock
    return classify_life_cycle(quantity, in_stock=stock, periods_per_year=52, **more).tolist()


def test_a_weekly_item_silent_for_six_weeks_is_dead_and_for_three_ending():
    steady = np.full((1, 40), 5.0)
    assert [state(np.hstack([steady, np.zeros((1, silent))]))[0] for silent in (2, 3, 6)] == ["active", "ending", "dead"]


def test_a_rare_item_may_be_silent_for_longer():
    rare = np.zeros((1, 80))
    rare[0, ::5] = 3
    assert state(np.hstack([rare, np.zeros((1, 6))])) == ["active"]
    assert state(np.hstack([rare, np.zeros((1, 40))])) == ["dead"]


def test_living_intermittent_items_are_hardly_ever_called_dead():
    random = np.random.default_rng(4)
    chance = random.uniform(0.15, 0.9, 400)[:, None]
    quantity = (random.random((400, 156)) < chance).astype(float)
    called = np.zeros(400, dtype=bool)
    for week in range(104, 156):
        called |= np.array(state(quantity[:, : week + 1])) == "dead"
    assert called.mean() <= 0.02


def test_an_item_without_stock_is_not_silent_until_a_year_has_passed():
    quantity, stock = np.full((1, 100), 5.0), np.ones((1, 100))
    quantity[0, 70:], stock[0, 70:] = 0, 0
    assert state(quantity, stock) == ["active"]
    quantity[0, 40:], stock[0, 40:] = 0, 0
    assert state(quantity, stock) == ["dead"]


def test_an_agreed_end_within_the_horizon_is_ending_and_behind_it_dead():
    quantity = np.full((3, 60), 5.0)
    assert state(quantity, ends_after=np.array([np.nan, 8, 0]), horizon=13) == ["active", "ending", "dead"]


def test_an_item_is_new_only_if_the_data_began_before_it():
    late = np.full((1, 60), np.nan)
    late[0, 50:] = 4
    assert state(late) == ["new"]
    assert state(np.full((1, 20), 4.0)) == ["active"]


def test_unknown_weeks_do_not_count_as_silence():
    quantity = np.hstack([np.full((1, 40), 5.0), np.full((1, 20), np.nan)])
    silent, _ = silence_limit(quantity, in_stock=np.ones((1, 60)), periods_per_year=52)
    assert silent.tolist() == [0]


def test_a_series_of_zeros_and_one_without_any_known_period_have_a_state():
    assert state(np.vstack([np.zeros(30), np.full(30, np.nan)])) == ["active", "active"]
