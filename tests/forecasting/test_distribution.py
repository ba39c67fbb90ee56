"""Quantiles from errors of like series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cmi_analysis.forecasting.distribution import (
    QUANTILES,
    cumulate,
    fit_spread,
    forecast_quantiles,
    lead_band,
    series_in_whole_units,
)


def errors(n: int = 400, pattern: str = "smooth", seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"pattern": pattern, "lead": 1, "mean": 50.0, "scale": random.uniform(1, 20, n)})
    return frame.assign(actual=frame["mean"] + frame["scale"] * random.gumbel(0, 1, n))


def ahead(**columns: object) -> pd.DataFrame:
    basic = {"pattern": "smooth", "lead": 1, "mean": 100.0, "scale": 10.0, "whole": False, "fallback": ""}
    return pd.DataFrame([basic | columns])


def test_steady_demand_takes_the_quantiles_of_scaled_errors():
    known = errors()
    levels = [1 - 0.95 * 401 / 400, 0.5, 0.95 * 401 / 400]  # as bounds for one more value
    expected = 100 + 10 * np.quantile((known["actual"] - known["mean"]) / known["scale"], levels)
    found = forecast_quantiles(ahead(), spread=fit_spread(known))
    np.testing.assert_allclose(found[["q05", "q50", "q95"]].to_numpy()[0], expected)
    assert found["shape"].tolist() == ["empirical"]


def test_rare_demand_in_whole_units_is_negative_binomial():
    known = errors(pattern="lumpy").assign(actual=lambda frame: frame["mean"] + 2 * frame["scale"])
    found = forecast_quantiles(ahead(pattern="lumpy", whole=True, mean=3.0, scale=2.0), spread=fit_spread(known))
    variance = 2.0**2 * 4
    expected = stats.nbinom.ppf([0.05, 0.5, 0.95], 9 / (variance - 3), 3 / variance)
    assert found[["q05", "q50", "q95"]].to_numpy()[0].tolist() == expected.tolist()
    assert found["sd"].tolist() == [4.0]


def test_less_spread_than_poisson_becomes_poisson():
    known = errors(pattern="lumpy").assign(actual=lambda frame: frame["mean"] + 0.1 * frame["scale"])
    found = forecast_quantiles(ahead(pattern="lumpy", whole=True, mean=4.0, scale=2.0), spread=fit_spread(known))
    assert found["q95"].tolist() == [stats.poisson.ppf(0.95, 4)]


def test_few_errors_of_a_pattern_are_pooled_with_the_others():
    known = pd.concat([errors(400), errors(10, pattern="erratic")])
    found = forecast_quantiles(ahead(pattern="erratic"), spread=fit_spread(known))
    pooled = (known["actual"] - known["mean"]) / known["scale"]
    assert found["q95"].iloc[0] == pytest.approx(100 + 10 * np.quantile(pooled, 0.95 * 411 / 410))


def test_without_errors_the_shape_is_normal():
    found = forecast_quantiles(ahead(), spread=fit_spread(errors(0)))
    assert found["shape"].tolist() == ["normal"]
    assert found["q95"].iloc[0] == pytest.approx(100 + 10 * 1.6448536)


def test_zero_by_rule_has_no_spread():
    found = forecast_quantiles(ahead(mean=0.0, fallback="dead"), spread=fit_spread(errors()))
    assert found[[*QUANTILES, "sd"]].to_numpy().tolist() == [[0.0] * 8]


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


def test_few_paths_widen_the_interval_to_the_largest_error():
    known = errors(60).assign(customer_id="C", product_id="P", origin=[number % 4 for number in range(60)])
    found = forecast_quantiles(ahead(), spread=fit_spread(known))
    assert found["q95"].iloc[0] == pytest.approx(100 + 10 * ((known["actual"] - known["mean"]) / known["scale"]).max())
