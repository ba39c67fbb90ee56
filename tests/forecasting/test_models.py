"""Models against plain loops and the libraries' own results."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cmi_analysis.forecasting.intermittent import smooth_croston_sba
from cmi_analysis.forecasting.models import CROSTON_START, MODELS, OPTIONAL, Window, combine_models, forecast_models
from cmi_analysis.forecasting.smoothing import LEVEL_WEIGHTS, TREND_WEIGHTS


def window(values: np.ndarray, horizon: int = 4, year: int = 52, index: float = 1.0) -> Window:
    return Window(values, np.ones_like(values), np.full((len(values), horizon), index), year)


@pytest.fixture
def counts() -> np.ndarray:
    random = np.random.default_rng(8)
    return np.vstack([random.poisson(12, 80), random.poisson(0.4, 80)]).astype(float)


def sba(values: np.ndarray, weight: float = 0.1, start: int = 1) -> float:
    """Croston's recursions with the Syntetos–Boylan factor, written out, from the means of the first demands."""
    at = np.flatnonzero(values)
    first = at[:start]
    size, gap = values[first].mean(), (first[-1] + 1) / len(first)
    for before, now in pairwise(at[len(first) - 1 :]):
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
    assert found == pytest.approx(run(best)[1], rel=0.02)


def test_the_damped_trend_equals_statsmodels_at_its_best_weights_on_the_grid(counts):
    from statsmodels.tsa.holtwinters import Holt

    start = {"initialization_method": "known", "initial_level": counts[0, :8].mean(), "initial_trend": 0.0}
    fits = []
    for level in LEVEL_WEIGHTS:
        for trend in TREND_WEIGHTS:
            # statsmodels gives the trend's own weight, we the share of the level's correction
            fixed = {"smoothing_level": level, "smoothing_trend": trend * level, "damping_trend": 0.9, "optimized": False}
            fits.append(Holt(counts[0], damped_trend=True, **start).fit(**fixed))
    best = min(fits, key=lambda fit: fit.sse)
    np.testing.assert_allclose(MODELS["damped_trend"](window(counts), horizon=4)[0], best.forecast(4), rtol=1e-6)


def test_theta_is_near_the_one_of_statsforecast():
    from statsforecast.models import Theta

    random = np.random.default_rng(4)
    values = np.cumsum(random.normal(0.3, 2, (40, 120)), axis=1) + 100
    found = MODELS["theta"](window(values, horizon=8), horizon=8)
    expected = np.stack([Theta(season_length=1).forecast(series, h=8)["mean"] for series in values])
    assert np.abs(found - expected).sum() / expected.sum() < 0.01


def test_imapa_is_near_the_one_of_statsforecast():
    from statsforecast.models import IMAPA

    random = np.random.default_rng(6)
    rates = np.linspace(0.05, 3, 40)[:, None]
    values = random.poisson(rates, (40, 120)) * random.integers(1, 6, (40, 120)) * 1.0
    values = values[(values > 0).sum(axis=1) >= 3]
    found = MODELS["imapa"](window(values, horizon=1), horizon=1)[:, 0]
    expected = np.array([IMAPA().forecast(series, h=1)["mean"][0] for series in values])
    assert np.abs(found - expected).sum() / expected.sum() < 0.03


def test_unknown_periods_count_as_if_they_had_not_been_written(counts):
    gaps = np.hstack([np.full((2, 7), np.nan), counts[:, :40], np.full((2, 5), np.nan), counts[:, 40:]])
    for name in ("croston_sba", "tsb", "imapa"):
        found, expected = (MODELS[name](window(values), horizon=4) for values in (gaps, counts))
        np.testing.assert_allclose(found, expected)


def test_slow_models_may_be_named(counts):
    for name in ("ets", "dotheta", "croston", "adida"):
        found = OPTIONAL[name](window(counts), horizon=4)
        assert np.isfinite(found).all()
        assert found[0].mean() == pytest.approx(counts[0].mean(), rel=0.2)


def test_a_combination_is_the_mean_of_the_members_that_speak():
    says = {"mean": [2.0, 2.0], "theta": [4.0, 4.0], "croston_sba": [3.0, 3.0], "tsb": [9.0, 9.0], "boosting": [15.0, np.nan]}
    found = combine_models({name: np.array([values]).T for name, values in says.items()})
    assert found["combination"].ravel().tolist() == [6.0, 3.0]
    assert found["combination_plain"].ravel().tolist() == [3.0, 3.0]


def test_without_a_global_model_the_combination_is_that_of_the_others():
    parts = {name: np.array([[value]]) for name, value in (("mean", 2.0), ("theta", 4.0), ("croston_sba", 9.0))}
    assert combine_models(parts)["combination"].tolist() == [[5.0]]
    assert "combination_plain" not in combine_models({"mean": parts["mean"]})


def test_croston_sba_equals_the_plain_recursion_from_the_mean_of_the_first_demands(counts):
    assert MODELS["croston_sba"](window(counts), horizon=4)[1, 0] == pytest.approx(sba(counts[1], start=CROSTON_START))


def test_croston_sba_from_its_first_demand_equals_the_one_of_statsforecast(counts):
    from statsforecast.models import CrostonSBA

    expected = [CrostonSBA().forecast(series, h=1)["mean"][0] for series in counts]
    np.testing.assert_allclose(smooth_croston_sba(counts), expected)
    assert smooth_croston_sba(counts)[1] == pytest.approx(sba(counts[1]))


def test_a_first_demand_that_came_late_and_was_small_is_soon_forgotten():
    late = np.concatenate([np.zeros(9), [1.0], np.tile([0.0, 6.0], 5)])[None, :]
    slow, quick = smooth_croston_sba(late)[0], smooth_croston_sba(late, start=6)[0]
    # six demands after a gap of ten and five of two: mean gap 20/6, mean size 31/6; then no further change
    assert quick == pytest.approx(0.95 * (31 / 6) / (20 / 6))
    assert slow < quick / 2


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
