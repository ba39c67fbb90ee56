"""New, active, ending and dead series."""

from __future__ import annotations

import numpy as np

from cmi_analysis.forecasting.life_cycle import classify_life_cycle, silence_limit, silent_kin


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
    assert state(np.hstack([rare, np.zeros((1, 50))])) == ["dead"]


def test_living_intermittent_items_are_hardly_ever_called_dead():
    random = np.random.default_rng(4)
    chance = random.uniform(0.15, 0.9, 400)[:, None]
    quantity = (random.random((400, 156)) < chance).astype(float)
    called = np.zeros(400, dtype=bool)
    for week in range(104, 156):
        called |= np.array(state(quantity[:, : week + 1])) == "dead"
    assert called.mean() <= 0.01


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


def test_the_limit_is_the_least_silence_that_the_integral_over_the_chance_of_demand_makes_rare():
    from scipy.integrate import quad
    from scipy.stats import beta

    random = np.random.default_rng(2)
    quantity = (random.random((1, 90)) < 0.3).astype(float)
    _, limit = silence_limit(quantity, in_stock=np.ones((1, 90)), periods_per_year=52)
    first, last = np.flatnonzero(quantity[0])[[0, -1]]
    demands, life = quantity.sum(), last - first + 1
    share, life = demands / life, min(life, 26)  # a longer life counts as 26 periods
    chance = beta(share * life + 0.5, (1 - share) * life + 0.5)
    at, before = (52 * quad(lambda p, z=z: p * (1 - p) ** z * chance.pdf(p), 0, 1)[0] for z in (limit[0], limit[0] - 1))
    assert at <= 0.004 < before


def rare_items(seed: int, *, labels: int, each: int, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    chance = random.uniform(0.15, 0.5, labels * each)[:, None]
    return (random.random((labels * each, weeks)) < chance).astype(float), np.repeat(np.arange(labels), each)


def test_rare_items_of_a_product_that_all_fall_silent_are_dead_long_before_each_of_them_alone():
    quantity, product = rare_items(3, labels=30, each=5, weeks=112)
    quantity[:5, 100:] = 0
    alone = np.array(state(quantity)) == "dead"
    together = np.array(state(quantity, kin=(product,))) == "dead"
    assert not alone[:5].any()
    assert together[:5].all()
    assert not together[5:].any()


def test_one_item_still_wanted_keeps_its_kin_alive_and_items_without_known_stock_say_nothing():
    quantity, product = rare_items(3, labels=2, each=5, weeks=112)
    quantity[:5, 100:] = 0
    wanted = quantity.copy()
    wanted[2, 110] = 4
    kinds = {"periods_per_year": 52, "in_stock": np.ones(quantity.shape)}
    assert silent_kin(quantity, product, **kinds)[:5].all()
    assert not silent_kin(wanted, product, **kinds).any()
    assert not silent_kin(quantity, product, periods_per_year=52, in_stock=np.full(quantity.shape, np.nan)).any()


def test_an_item_dead_before_adds_nothing_to_the_silence_of_its_kin():
    quantity, product = rare_items(7, labels=1, each=6, weeks=130)
    quantity[1:, 60:] = 0  # five ended long ago; the sixth alone has been silent for a while
    quantity[0, 124:] = 0
    quantity[0, 123] = 1
    assert not silent_kin(quantity, product, in_stock=np.ones(quantity.shape), periods_per_year=52)[0]


def test_kin_of_living_items_are_hardly_ever_called_dead():
    quantity, product = rare_items(9, labels=300, each=3, weeks=156)
    called = np.zeros(len(quantity), dtype=bool)
    for week in range(104, 156, 2):
        called |= np.array(state(quantity[:, : week + 1], kin=(product,))) == "dead"
    assert called.mean() <= 0.01


def test_silence_in_low_season_says_less():
    quantity = np.hstack([np.full((1, 80), 5.0), np.zeros((1, 7))])
    season = np.ones((1, 87))
    season[0, 78:] = 0.4
    assert state(quantity) == ["dead"]
    assert state(quantity, season=season) == ["active"]
