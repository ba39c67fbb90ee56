"""Smoothing of all series at once against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.forecasting.smoothing import LEVEL_WEIGHTS, line_slope, smooth_level, smooth_theta, smooth_trend


@pytest.fixture
def values() -> np.ndarray:
    random = np.random.default_rng(5)
    values = random.poisson(np.linspace(2, 20, 12)[:, None], (12, 60)).astype(float)
    values[3, 10:20] = np.nan
    values[4, :30] = np.nan
    return values


def loop(series: np.ndarray, weight: float) -> tuple[float, float]:
    known = series[np.isfinite(series)]
    level, squares = known[:8].mean(), 0.0
    for value in known:
        squares += (value - level) ** 2
        level += weight * (value - level)
    return squares, level


def test_levels_equal_a_loop_over_the_known_values_at_the_best_weight(values):
    level, weight = smooth_level(values)
    for row, series in enumerate(values):
        best = min(LEVEL_WEIGHTS, key=lambda candidate: loop(series, candidate)[0])
        assert (weight[row], level[row]) == (best, pytest.approx(loop(series, best)[1]))


def test_the_slope_is_that_of_the_line_through_the_known_values(values):
    for row, series in enumerate(values):
        known = np.flatnonzero(np.isfinite(series))
        assert line_slope(values)[row] == pytest.approx(np.polyfit(known, series[known], 1)[0])


def test_theta_has_half_the_slope_of_a_straight_line_as_drift():
    line = np.arange(100.0)[None, :]
    steps = np.diff(smooth_theta(line, horizon=5)[0])
    np.testing.assert_allclose(steps, 0.5)


def test_series_in_blocks_are_what_they_are_alone(values, monkeypatch):
    whole = smooth_trend(values)
    monkeypatch.setattr("cmi_analysis.forecasting.smoothing._BLOCK", 100)
    for found, expected in zip(smooth_trend(values), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_nothing_known_has_no_level(values):
    level, _ = smooth_level(np.full((1, 10), np.nan))
    assert np.isnan(level).all()


def test_the_input_is_left_as_it_was(values):
    before = values.copy()
    smooth_theta(values, horizon=3)
    np.testing.assert_array_equal(values, before)
