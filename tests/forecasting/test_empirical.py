"""The errors' own quantiles: as a plain sort says, and used only where earlier origins show them to be better."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.distribution import chances_of, fit_spread, forecast_quantiles, score_calibration
from cmi_analysis.forecasting.empirical import NO_TRIALS, better_patterns, fit_at, fit_scaled, try_both


def errors(n: int, *, seed: int, skewed: bool, origin: str = "2024-01-01") -> pd.DataFrame:
    """Demand of many series around means of very different size against their scale; `skewed`: mostly on it, rarely far off."""
    random = np.random.default_rng(seed)
    scale = random.uniform(5, 100, n)
    mean = 100.0
    if skewed:
        noise = np.where(random.random(n) < 0.1, 3.0, -0.1) * random.uniform(0.5, 1.5, n)
        actual = np.maximum(mean + scale * noise, 0)
    else:
        actual = random.gamma(mean**2 / scale**2, scale**2 / mean)
    frame = pd.DataFrame({"customer_id": "C", "product_id": [f"P{k}" for k in range(n)], "mean": mean, "scale": scale})
    fixed = {"pattern": "smooth", "lead": 1, "whole": False, "fallback": "", "origin": pd.Timestamp(origin)}
    return frame.assign(actual=actual, period=pd.Timestamp(origin) + pd.DateOffset(months=1), **fixed)


def test_quantiles_are_the_mean_plus_scaled_order_statistics():
    known = errors(999, seed=1, skewed=True)
    plain = fit_scaled(known)
    ratio = sorted((known["actual"] - known["mean"]) / known["scale"])
    row = known.iloc[:1].assign(mean=50.0, scale=10.0)
    # of 999 errors the one with the rank .9 · 1000 (Lei et al. 2018: k = (n + 1) p)
    expected = 50 + 10 * ratio[899]
    assert plain.quantiles(row, [0.9])[0, 0] == pytest.approx(expected, rel=0.02)
    assert plain.pools.keys() == {("smooth", 0), ("smooth", -1)}


def test_chances_and_quantiles_are_each_others_inverse_and_never_negative():
    known = errors(2000, seed=1, skewed=True)
    made = fit_scaled(known)
    rows = known.iloc[:50]
    at = made.quantiles(rows, [0.8])[:, 0]
    low, high = made.chances(rows.assign(actual=at))
    assert np.median(low) == pytest.approx(0.8, abs=0.01)
    assert np.median(high) == pytest.approx(0.8, abs=0.01)
    assert (made.quantiles(rows.assign(mean=0.1), [0.05, 0.5]) >= 0).all()


def trials(*, skewed: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    known = errors(1500, seed=1, skewed=skewed)
    later = [errors(1500, seed=seed, skewed=skewed, origin=f"2024-0{seed}-01") for seed in (2, 3, 4)]
    return known, pd.concat([try_both(part, known) for part in later], ignore_index=True)


def test_they_are_used_where_the_back_test_shows_them_to_be_better_and_then_hold_what_they_promise():
    known, tried = trials(skewed=True)
    assert better_patterns(tried) == {"smooth"}
    spread = fit_at(known, tried)
    new = errors(4000, seed=9, skewed=True)
    found = forecast_quantiles(new, spread=spread)
    assert found["shape"].unique().tolist() == ["empirical"]
    for level in (0.8, 0.95):
        assert score_calibration(*chances_of(new, spread=spread), level=level) == pytest.approx(level, abs=0.02)
        assert (new["actual"] <= found[f"q{round(100 * level)}"]).mean() == pytest.approx(level, abs=0.02)


def test_where_demand_is_gamma_or_nothing_was_tried_the_distribution_stays():
    known, tried = trials(skewed=False)
    assert better_patterns(tried) == set()
    assert fit_at(known, tried).scaled is None
    assert fit_at(known, NO_TRIALS).scaled is None


def test_few_errors_give_no_quantiles_of_their_own():
    known = errors(60, seed=1, skewed=True)
    assert fit_scaled(known).patterns == ()
    assert try_both(errors(60, seed=2, skewed=True), known).empty
    assert fit_spread(known).scaled is None
