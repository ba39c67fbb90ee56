"""Quantiles from errors of like series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cmi_analysis.forecasting.distribution import (
    GRID,
    QUANTILES,
    Spread,
    chances_of,
    cumulate,
    fit_spread,
    forecast_quantiles,
    lead_band,
    score_calibration,
    series_in_whole_units,
)


def errors(n: int = 400, pattern: str = "smooth", seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"pattern": pattern, "lead": 1, "mean": 50.0, "scale": random.uniform(1, 20, n)})
    frame["whole"] = False
    return frame.assign(actual=frame["mean"] + frame["scale"] * random.gumbel(0, 1, n))


def ahead(**columns: object) -> pd.DataFrame:
    basic = {"pattern": "smooth", "lead": 1, "mean": 100.0, "scale": 10.0, "whole": False, "fallback": ""}
    return pd.DataFrame([basic | columns])


def test_demand_in_fractions_is_gamma_with_the_variance_of_scaled_errors():
    known = errors(4000)
    ratio = (known["actual"] - known["mean"]) / known["scale"]
    variance = 10.0**2 * (ratio**2).mean()
    plain = Spread(fit_spread(known).table, np.tile(GRID, (4, 1)))
    found = forecast_quantiles(ahead(), spread=plain)
    expected = stats.gamma.ppf([0.05, 0.5, 0.95], 100**2 / variance, scale=variance / 100)
    np.testing.assert_allclose(found[["q05", "q50", "q95"]].to_numpy()[0], expected, rtol=1e-6)
    assert found["shape"].tolist() == ["gamma"]


def test_counts_are_negative_binomial():
    plain = Spread(pd.DataFrame({"pattern": ["lumpy"], "band": [0], "errors": [400.0], "square": [4.0]}), np.tile(GRID, (4, 1)))
    found = forecast_quantiles(ahead(pattern="lumpy", whole=True, mean=3.0, scale=2.0), spread=plain)
    variance = 2.0**2 * 4
    expected = stats.nbinom.ppf([0.05, 0.5, 0.95], 9 / (variance - 3), 3 / variance)
    assert found[["q05", "q50", "q95"]].to_numpy()[0].tolist() == expected.tolist()
    assert found["sd"].tolist() == [4.0]


def test_less_spread_than_poisson_becomes_poisson():
    narrow = Spread(pd.DataFrame({"pattern": ["lumpy"], "band": [0], "errors": [400.0], "square": [0.01]}), np.tile(GRID, (4, 1)))
    found = forecast_quantiles(ahead(pattern="lumpy", whole=True, mean=4.0, scale=2.0), spread=narrow)
    assert found["q95"].tolist() == [stats.poisson.ppf(0.95, 4)]


def test_few_errors_of_a_pattern_are_pooled_with_the_others():
    known = pd.concat([errors(400), errors(10, pattern="erratic")])
    pooled = (((known["actual"] - known["mean"]) / known["scale"]) ** 2).mean()
    assert fit_spread(known).square(ahead(pattern="erratic")).tolist() == [pytest.approx(pooled)]


def test_without_errors_the_series_own_scale_is_taken():
    found = forecast_quantiles(ahead(), spread=fit_spread(errors(0)))
    assert found["sd"].tolist() == [10.0]
    assert found["q95"].iloc[0] == pytest.approx(stats.gamma.ppf(0.95, 100, scale=1))


def skewed(n: int, seed: int) -> pd.DataFrame:
    """Demand that is log-normal around its mean, which neither a gamma nor a normal distribution of its variance fits."""
    random = np.random.default_rng(seed)
    actual = 20 * random.lognormal(-0.72, 1.2, n)
    return pd.DataFrame(
        {"pattern": "lumpy", "lead": 1, "mean": 20.0, "scale": 30.0, "actual": actual, "whole": False, "fallback": ""}
    )


def test_calibrated_quantiles_hold_what_they_promise_on_new_demand_where_plain_ones_do_not():
    spread = fit_spread(skewed(4000, 1))
    new = skewed(4000, 2)
    found = forecast_quantiles(new, spread=spread)
    plain = forecast_quantiles(new, spread=Spread(spread.table, np.tile(GRID, (4, 1))))
    for name, level in (("q50", 0.5), ("q80", 0.8), ("q95", 0.95), ("q99", 0.99)):
        assert (new["actual"] <= found[name]).mean() == pytest.approx(level, abs=0.02)
    assert abs((new["actual"] <= plain["q50"]).mean() - 0.5) > 0.03


def test_the_randomised_pit_of_counts_is_uniform_for_the_true_distribution():
    random = np.random.default_rng(3)
    actual = random.poisson(0.7, 20_000)
    low, high = stats.poisson.cdf(actual - 1, 0.7), stats.poisson.cdf(actual, 0.7)
    for level in (0.3, 0.8, 0.95):
        assert score_calibration(low, high, level=level) == pytest.approx(level, abs=0.01)


def test_the_chances_of_a_demand_follow_the_calibration():
    spread = fit_spread(skewed(4000, 1))
    new = skewed(4000, 2)
    low, high = chances_of(new, spread=spread)
    assert score_calibration(low, high, level=0.8) == pytest.approx(0.8, abs=0.02)


def test_demand_after_a_forecast_of_zero_lies_outside_it():
    low, high = chances_of(ahead(mean=0.0, actual=3.0), spread=fit_spread(errors()))
    assert (low.tolist(), high.tolist()) == ([1.0], [1.0])


def test_zero_by_rule_has_no_spread():
    found = forecast_quantiles(ahead(mean=0.0, fallback="dead"), spread=fit_spread(errors()))
    assert found[[*QUANTILES, "sd"]].to_numpy().tolist() == [[0.0] * (len(QUANTILES) + 1)]


def test_an_unknown_mean_has_unknown_quantiles():
    found = forecast_quantiles(ahead(mean=np.nan, scale=0.0, fallback="nothing_known"), spread=fit_spread(errors()))
    assert found[[*QUANTILES, "sd"]].isna().all(axis=None)


def test_quantiles_are_never_negative_and_never_fall():
    found = forecast_quantiles(ahead(mean=2.0, scale=10.0), spread=fit_spread(errors()))
    values = found[list(QUANTILES)].to_numpy()[0]
    assert (values >= 0).all()
    assert (np.diff(values) >= 0).all()


def test_sums_stop_at_the_first_missing_lead():
    rows = pd.DataFrame({"item": ["a"] * 4, "lead": [3, 1, 2, 5], "mean": [3.0, 1.0, 2.0, 5.0], "scale": [2.0, 1.0, 2.0, 1.0]})
    found = cumulate(rows, by=["item"], columns=["mean"])
    assert found[["lead", "mean", "scale"]].to_numpy().tolist() == [[1, 1, 1], [2, 3, 5**0.5], [3, 6, 3]]


def test_leads_far_ahead_share_a_band():
    assert lead_band(np.array([1, 2, 3, 4, 5, 8, 9, 16, 17, 99])).tolist() == [0, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_series_in_fractions_are_not_counted_in_whole_units():
    panel = pd.DataFrame({"customer_id": "C", "product_id": ["A"] * 3 + ["B"] * 3, "quantity": [1, 2, np.nan, 0.5, 1, 1]})
    assert series_in_whole_units(panel)["whole"].tolist() == [True, False]
