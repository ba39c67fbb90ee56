"""Models against plain loops and the libraries' own results."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cmi_analysis.forecasting.models import MODELS, Window, forecast_models


def window(values: np.ndarray, horizon: int = 4, year: int = 52, index: float = 1.0) -> Window:
    return Window(values, np.ones_like(values), np.full((len(values), horizon), index), year)


@pytest.fixture
def counts() -> np.ndarray:
    random = np.random.default_rng(8)
    return np.vstack([random.poisson(12, 80), random.poisson(0.4, 80)]).astype(float)


def sba(values: np.ndarray, weight: float = 0.1) -> float:
    """Croston's recursions with the Syntetos–Boylan factor, written out."""
    at = np.flatnonzero(values)
    size, gap = values[at[0]], at[0] + 1.0
    for before, now in pairwise(at):
        size += weight * (values[now] - size)
        gap += weight * (now - before - gap)
    return (1 - weight / 2) * size / gap


def tsb(values: np.ndarray, weight: float = 0.1) -> float:
    """Teunter, Syntetos and Babai's recursions, written out."""
    demand = values[values > 0]
    size = demand[0]
    for value in demand[1:]:
        size += weight * (value - size)
    chance = float(values[0] > 0)
    for value in values[1:]:
        chance += weight * (float(value > 0) - chance)
    return size * chance


def test_naive_repeats_the_last_known_value(counts):
    values = counts.copy()
    values[0, -3:] = np.nan
    found = MODELS["naive"](window(values), horizon=4)
    assert found[0].tolist() == [values[0, 76]] * 4


def test_seasonal_naive_takes_the_same_week_a_year_before_and_wraps():
    values = np.arange(60.0)[None, :]
    assert MODELS["seasonal_naive"](window(values, 54), horizon=54)[0, [0, 51, 52]].tolist() == [8, 59, 8]


def test_exponential_smoothing_equals_the_plain_recursion_at_its_best_weight(counts):
    values = counts[0]

    def run(weight: float) -> tuple[float, float]:
        level, squares = values[:8].mean(), 0.0
        for value in values:
            squares += (value - level) ** 2
            level += weight * (value - level)
        return squares, level

    best = min(np.linspace(0.001, 0.999, 999), key=lambda weight: run(weight)[0])
    found = MODELS["exponential_smoothing"](window(counts), horizon=4)[0, 0]
    assert found == pytest.approx(run(best)[1], rel=0.01)


def test_the_damped_trend_equals_statsmodels_with_the_same_weights(counts):
    from statsmodels.tsa.holtwinters import Holt

    start = {"initialization_method": "known", "initial_level": counts[0, :8].mean(), "initial_trend": 0.0}
    fixed = {"smoothing_level": 0.2, "smoothing_trend": 0.05, "damping_trend": 0.9, "optimized": False}
    expected = Holt(counts[0], damped_trend=True, **start).fit(**fixed).forecast(4)
    np.testing.assert_allclose(MODELS["damped_trend"](window(counts), horizon=4)[0], expected)


def test_of_many_series_the_small_ones_take_the_median_weight():
    random = np.random.default_rng(9)
    values = random.poisson(np.r_[np.full(200, 30.0), 2.0][:, None], (201, 40)).astype(float)
    found = MODELS["exponential_smoothing"](window(values), horizon=1)[:, 0]
    level = values[200, :8].mean()
    paths = []
    for weight in np.linspace(0, 1, 101):
        state = level
        for value in values[200]:
            state += weight * (value - state)
        paths.append(state)
    assert np.abs(np.array(paths) - found[200]).min() < 0.05


def test_croston_sba_equals_the_plain_recursion(counts):
    assert MODELS["croston_sba"](window(counts), horizon=4)[1, 0] == pytest.approx(sba(counts[1]))


def test_tsb_equals_the_plain_recursion(counts):
    assert MODELS["tsb"](window(counts), horizon=4)[1, 0] == pytest.approx(tsb(counts[1]))


def test_croston_forgets_no_dead_item_but_tsb_does():
    values = np.hstack([np.tile([0.0, 4.0], 30), np.zeros(40)])[None, :]
    assert MODELS["croston_sba"](window(values), horizon=1)[0, 0] > 1.5
    assert MODELS["tsb"](window(values), horizon=1)[0, 0] < 0.1


def test_the_season_ahead_multiplies_the_level(counts):
    flat, high = (MODELS["mean"](window(counts, index=index), horizon=4) for index in (1.0, 1.5))
    np.testing.assert_allclose(high, 1.5 * flat)


def test_one_bad_series_leaves_the_others_as_they_are(counts):
    bad = np.vstack([np.zeros(80), np.full(80, np.nan), np.r_[np.full(79, np.nan), 5], np.full(80, 1e9), np.tile([0.0, 1e9], 40)])
    alone = forecast_models(window(counts), horizon=4)
    together = forecast_models(window(np.vstack([counts, bad])), horizon=4)
    for name in MODELS:
        np.testing.assert_allclose(together[name][:2], alone[name], rtol=1e-6)


def test_forecasts_are_never_negative():
    falling = np.linspace(50, 1, 40)[None, :]
    assert all((values >= 0).all() for values in forecast_models(window(falling, 26), horizon=26).values())
