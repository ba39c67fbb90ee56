"""The global model: no leak, no bias, season and plans learnt across series, the same without LightGBM."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.boosting import boosting_forecasts, fit_boosting, forecast_boosting
from cmi_analysis.forecasting.features import PanelArrays, last_known, mean_of_last, origin_features

WEEKS = pd.date_range("2022-01-03", periods=143, freq="W-MON")
END, HORIZON = 130, 8


SEASON = 1 + 0.5 * np.sin(2 * np.pi * np.arange(len(WEEKS)) / 52)


def levels(random: np.random.Generator, series: int) -> np.ndarray:
    return random.uniform(1, 40, series)[:, None]


def arrays(seed: int = 1, series: int = 60, lift: float = 1.0) -> PanelArrays:
    """Poisson demand with one season for all and a planned promotion in every seventh period of a third of the series."""
    random = np.random.default_rng(seed)
    level, season = levels(random, series), SEASON
    planned = (np.arange(len(WEEKS))[None, :] % 7 == 0) & (np.arange(series)[:, None] % 3 == 0)
    demand = random.poisson(level * season * np.where(planned, lift, 1.0)).astype(float)
    groups = {"customer": np.arange(series) % 6, "product": np.arange(series) // 6, "all": np.zeros(series, dtype=int)}
    return PanelArrays(demand[:, :-HORIZON], WEEKS, 52, groups, planned=planned)


def test_whatever_comes_after_the_end_changes_no_forecast():
    panel = arrays()
    changed = panel.demand.copy()
    changed[:, END:] = changed[:, END:] * 9 + 100
    found = [
        forecast_boosting(part, fit_boosting(part, end=END, horizon=HORIZON), end=END, horizon=HORIZON)
        for part in (panel, replace(panel, demand=changed))
    ]
    np.testing.assert_array_equal(found[0], found[1])


def test_a_planted_leak_is_caught_by_that_change():
    panel = arrays()
    changed = panel.demand.copy()
    changed[:, END:] = changed[:, END:] * 9 + 100
    found = [
        forecast_boosting(part, fit_boosting(part, end=END + 3, horizon=HORIZON), end=END, horizon=HORIZON)
        for part in (panel, replace(panel, demand=changed))
    ]
    assert not np.array_equal(found[0], found[1])


def test_a_season_shared_by_all_series_is_forecast_and_the_total_is_unbiased():
    panel = arrays(series=120)
    made = forecast_boosting(panel, fit_boosting(panel, end=END, horizon=5), end=END, horizon=5)
    truth = levels(np.random.default_rng(1), 120) * SEASON[END : END + 5]
    flat = panel.demand[:, END - 52 : END].mean(axis=1, keepdims=True)
    assert np.abs(made - truth).sum() < 0.5 * np.abs(flat - truth).sum()
    assert abs((made - truth).sum()) < 0.05 * truth.sum()


def test_a_planned_promotion_is_forecast_with_its_lift():
    panel = arrays(series=120, lift=2.0)
    made = forecast_boosting(panel, fit_boosting(panel, end=END, horizon=HORIZON), end=END, horizon=HORIZON)
    lead = int(np.flatnonzero(panel.planned[0, END : END + HORIZON])[0])
    others = [other for other in range(HORIZON) if other != lead]
    touched = np.arange(120) % 3 == 0
    ratio = made[touched][:, lead].sum() / made[touched][:, others].mean(axis=1).sum()
    assert 1.6 < ratio < 2.4
    assert 0.85 < made[~touched][:, lead].sum() / made[~touched][:, others].mean(axis=1).sum() < 1.15


def test_the_unit_of_measurement_changes_nothing():
    panel = arrays()
    scaled = replace(panel, demand=panel.demand * 1000)
    first, second = (
        forecast_boosting(part, fit_boosting(part, end=END, horizon=4), end=END, horizon=4) for part in (panel, scaled)
    )
    assert np.abs(second / 1000 - first).sum() / first.sum() < 0.02


def test_a_series_without_demand_has_no_forecast_and_harms_no_other():
    panel = arrays()
    empty = panel.demand.copy()
    empty[0], empty[1, :], empty[2, :END] = 0.0, np.nan, np.nan
    made = forecast_boosting(
        replace(panel, demand=empty), fit_boosting(replace(panel, demand=empty), end=END, horizon=4), end=END, horizon=4
    )
    assert np.isnan(made[:3]).all()
    assert np.isfinite(made[3:]).all()


def test_too_little_history_teaches_nothing():
    panel = arrays(series=2)
    assert fit_boosting(panel, end=30, horizon=4) is None
    assert np.isnan(forecast_boosting(panel, None, end=30, horizon=4)).all()


def test_an_earlier_origin_may_share_a_model_but_never_a_later_one(monkeypatch):
    fitted = []

    def record(panel: PanelArrays, *, end: int, horizon: int, seed: int = 1):
        fitted.append(end)

    monkeypatch.setattr("cmi_analysis.forecasting.boosting.fit_boosting", record)
    boosting_forecasts(arrays(), ends=[78, 91, 104, 117, 130], horizon=4)
    # without a model each origin tries again
    assert fitted == [78, 91, 104, 117, 130]


def test_origins_share_the_model_of_an_earlier_one():
    panel = arrays()
    shared = boosting_forecasts(panel, ends=[104, 117, 130], horizon=4)
    model = fit_boosting(panel, end=104, horizon=4)
    np.testing.assert_array_equal(shared[117], forecast_boosting(panel, model, end=117, horizon=4))


def test_scikit_learn_stands_in_where_lightgbm_cannot_be_loaded(monkeypatch):
    panel = arrays()
    ours = forecast_boosting(panel, fit_boosting(panel, end=END, horizon=4), end=END, horizon=4)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    model = fit_boosting(panel, end=END, horizon=4)
    assert type(model.engines[0]).__module__.startswith("sklearn")
    other = forecast_boosting(panel, model, end=END, horizon=4)
    assert np.abs(other - ours).sum() / ours.sum() < 0.1


def test_features_are_what_their_names_say():
    panel = arrays()
    totals = panel.totals
    names, values, level = origin_features(panel, end=100, horizon=4, rows=np.array([5]), totals=totals)
    found = dict(zip(names, values[0, 1], strict=True))
    past = panel.demand[5, :100]
    expected = (past[-52:].mean() + past[-13:].mean()) / 2
    assert level[0] == pytest.approx(expected)
    assert found["lag1"] == pytest.approx(past[-1] / expected)
    assert found["year_ago"] == pytest.approx(panel.demand[5, 100 + 1 - 52] / expected)
    own = panel.demand[panel.groups["customer"] == 5 % 6, :100].sum(axis=0)
    assert found["customer_lag1"] == pytest.approx(own[-1] / own[-52:].mean())
    assert found["lead"] == 2


def test_means_and_last_values_leave_unknown_periods_out():
    values = np.array([[1.0, np.nan, 3.0, np.nan], [np.nan] * 4])
    np.testing.assert_array_equal(mean_of_last(values, 3), [3.0, np.nan])
    np.testing.assert_array_equal(mean_of_last(values, 2, before=2), [1.0, np.nan])
    np.testing.assert_array_equal(last_known(values), [3.0, np.nan])


def test_a_large_panel_is_learnt_from_several_draws_whose_mean_is_the_model(monkeypatch):
    monkeypatch.setattr("cmi_analysis.forecasting.boosting.SERIES_PER_MEMBER", 50)
    model = fit_boosting(arrays(series=120), end=END, horizon=HORIZON)
    assert len(model.engines) == 3
    features = np.random.default_rng(3).normal(1, 0.1, (20, len(model.names)))
    alone = [engine.predict(features) for engine in model.engines]
    assert not np.allclose(alone[0], alone[1])
    assert np.allclose(model.factor(features), np.mean(alone, axis=0))
