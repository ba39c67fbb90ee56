"""Joint paths: each period is as its quantiles say, the leads hang together as earlier errors did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.distribution import QUANTILES, fit_spread, forecast_quantiles
from cmi_analysis.forecasting.empirical import fit_scaled
from cmi_analysis.forecasting.paths import CORRELATION, sample_paths, sum_quantiles
from cmi_analysis.forecasting.public import forecast_all

HORIZON = 6


def sales(series: int = 6, weeks: int = 130, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    dates = pd.date_range("2022-01-03", periods=weeks, freq="W-MON")
    names = [("C", f"P{number}") for number in range(series)]
    frames = [
        pd.DataFrame({"customer_id": c, "product_id": p, "date": dates, "quantity": random.poisson(3 + 8 * place, weeks)})
        for place, (c, p) in enumerate(names)
    ]
    return pd.concat(frames, ignore_index=True)


def history(series: int, *, persistent: float, seed: int = 3) -> pd.DataFrame:
    """Errors of two earlier origins whose standard normal parts share `persistent` of their variance over the leads."""
    random = np.random.default_rng(seed)
    shared, own = random.standard_normal((2 * series, 1)), random.standard_normal((2 * series, HORIZON))
    normal = np.sqrt(persistent) * shared + np.sqrt(1 - persistent) * own
    row = np.repeat(np.arange(2 * series), HORIZON)
    frame = pd.DataFrame({"customer_id": "C", "product_id": [f"P{number // 2}" for number in row]})
    origins = pd.to_datetime(["2024-01-01", "2024-03-01"])
    frame["origin"] = origins[row % 2]
    frame["lead"] = np.tile(np.arange(1, HORIZON + 1), 2 * series)
    frame["period"] = frame["origin"] + pd.to_timedelta(7 * frame["lead"], unit="D")
    fixed = {"pattern": "smooth", "fallback": "", "mean": 100.0, "scale": 20.0, "whole": False}
    return frame.assign(**fixed, actual=100 + 20 * normal.ravel())


def ahead(series: int, *, mean: float = 100.0, scale: float = 20.0, whole: bool = False) -> pd.DataFrame:
    frame = history(series, persistent=0.0).drop_duplicates(["product_id", "lead"], ignore_index=True)
    return frame.assign(mean=mean, scale=scale, whole=whole).drop(columns=["origin", "actual"])


def test_a_single_period_has_the_quantiles_of_the_forecast():
    made = forecast_all(sales(), horizon=HORIZON, frequency="week", profile="quick")
    paths = made.paths(count=1000, seed=2)
    values = np.sort(paths.draw(), axis=1)
    for level in (0.05, 0.5, 0.8, 0.95, 0.99):
        name = f"q{round(level * 100):02d}"
        told = made.forecasts[name].to_numpy().reshape(-1, HORIZON)
        np.testing.assert_allclose(values[:, round(level * 1000) - 1], told, atol=0.11)
    assert made.forecasts[["customer_id", "product_id"]].drop_duplicates().to_numpy().tolist() == paths.series.to_numpy().tolist()


@pytest.mark.parametrize("whole", [False, True])
def test_sorted_paths_are_the_quantile_function_itself(whole):
    spread = fit_spread(history(150, persistent=0.5))
    row = ahead(4, mean=3.0, scale=3.0, whole=whole)
    drawn = np.sort(sample_paths(row, history(150, persistent=0.5), spread=spread, paths=20).draw(), axis=1)
    plain = forecast_quantiles(row, spread=spread)
    # of 20 paths the 10th stands for the level .475, the 11th for .525
    middle = plain["q50"].to_numpy().reshape(-1, HORIZON)
    assert ((drawn[:, 9] <= middle) & (middle <= drawn[:, 10])).all()


@pytest.mark.parametrize("persistent", [0.0, 0.5, 0.9])
def test_leads_are_as_dependent_as_past_errors(persistent):
    errors = history(400, persistent=persistent)
    drawn = sample_paths(ahead(3), errors, spread=fit_spread(errors), paths=4000).draw()
    ranks = drawn[0].argsort(axis=0).argsort(axis=0)
    found = np.corrcoef(ranks.T)[np.triu_indices(HORIZON, 1)].mean()
    # of two normal variables with correlation r the rank correlation is 6/π · asin(r/2) (Pearson 1907)
    assert found == pytest.approx(6 / np.pi * np.arcsin(persistent / 2), abs=0.04)


@pytest.mark.parametrize("persistent", [0.0, 0.8])
def test_sums_hold_what_they_promise_on_new_demand(persistent):
    errors, new = history(600, persistent=persistent), history(600, persistent=persistent, seed=8)
    paths = sample_paths(ahead(20), errors, spread=fit_spread(errors), paths=2000)
    quantiles = sum_quantiles(paths, [HORIZON]).iloc[0]
    came = new.groupby(["product_id", "origin"])["actual"].sum()
    for level in (0.5, 0.8, 0.95):
        assert (came <= quantiles[f"q{round(level * 100)}"]).mean() == pytest.approx(level, abs=0.045)
    # the variance of a sum of six: 6 (1 + 5 ρ) σ²
    assert quantiles["sd"] == pytest.approx(20 * np.sqrt(6 * (1 + 5 * persistent)), rel=0.08)


def test_few_error_paths_leave_the_dependence_measured_on_real_data():
    errors = history(20, persistent=0.0)
    drawn = sample_paths(ahead(1), errors, spread=fit_spread(errors), paths=8000).draw()[0]
    ranks = drawn.argsort(axis=0).argsort(axis=0)
    found = np.corrcoef(ranks.T)[np.triu_indices(HORIZON, 1)].mean()
    assert found == pytest.approx(6 / np.pi * np.arcsin(CORRELATION / 2), abs=0.03)


def test_the_order_of_a_path_is_that_of_an_earlier_forecast_drawn_with_all_its_leads():
    errors = history(400, persistent=0.9)
    shuffled = errors.assign(actual=np.random.default_rng(1).permutation(errors["actual"].to_numpy()))
    width = {}
    for name, known in (("whole", errors), ("shuffled", shuffled)):
        paths = sample_paths(ahead(1), known, spread=fit_spread(errors), paths=2000)
        width[name] = sum_quantiles(paths, [HORIZON])["sd"].iloc[0]
    assert width["whole"] > 1.9 * width["shuffled"]


def test_paths_of_a_series_do_not_depend_on_the_block_they_are_drawn_in():
    errors = history(150, persistent=0.5)
    paths = sample_paths(ahead(7), errors, spread=fit_spread(errors), paths=50, seed=4)
    whole = paths.draw()
    np.testing.assert_array_equal(np.concatenate([values for _, values in paths.blocks(3)]), whole)
    assert not np.array_equal(whole, sample_paths(ahead(7), errors, spread=fit_spread(errors), paths=50, seed=5).draw())
    tidy = paths.frame()
    assert tidy.columns.tolist() == ["customer_id", "product_id", "path", "period", "lead", "demand"]
    np.testing.assert_array_equal(tidy["demand"].to_numpy().reshape(whole.shape), whole)
    assert len(tidy[["lead", "period"]].drop_duplicates()) == HORIZON


def test_sums_are_those_of_the_tidy_paths():
    errors = history(150, persistent=0.5)
    paths = sample_paths(ahead(3), errors, spread=fit_spread(errors), paths=200)
    tidy = paths.frame()
    two = tidy[tidy["lead"] <= 2].groupby(["product_id", "path"])["demand"].sum()
    found = sum_quantiles(paths, [2]).set_index("product_id")
    for product, values in two.groupby("product_id"):
        assert found.loc[product, "q95"] == sorted(values)[189]
        assert found.loc[product, "mean"] == pytest.approx(values.mean())


def test_dead_and_unknown_series_have_paths_of_zero_and_of_nothing():
    errors = history(150, persistent=0.5)
    rows = ahead(3)
    rows.loc[rows["product_id"] == "P0", ["mean", "fallback"]] = [0.0, "dead"]
    rows.loc[rows["product_id"] == "P1", ["mean", "fallback"]] = [np.nan, "nothing_known"]
    paths = sample_paths(rows, errors, spread=fit_spread(errors), paths=30)
    drawn = paths.draw()
    assert (drawn[0] == 0).all()
    assert np.isnan(drawn[1]).all()
    assert np.isfinite(drawn[2]).all()
    sums = sum_quantiles(paths, [3])
    assert sums[list(QUANTILES)].isna().all(axis=1).tolist() == [False, True, False]


def test_nothing_to_forecast_gives_no_paths():
    paths = forecast_all(sales().head(0), horizon=3, frequency="week", profile="quick").paths(count=10)
    assert paths.draw().shape == (0, 10, 0)
    assert paths.frame().empty
    assert sum_quantiles(paths).empty


def test_what_cannot_be_drawn_is_refused_in_words():
    errors = history(150, persistent=0.5)
    with pytest.raises(InputError, match="at least two paths"):
        sample_paths(ahead(1), errors, spread=fit_spread(errors), paths=1)
    paths = sample_paths(ahead(1), errors, spread=fit_spread(errors), paths=10)
    with pytest.raises(InputError, match="between 1 and the horizon of 6"):
        sum_quantiles(paths, [7])


def test_paths_follow_the_errors_own_quantiles_where_these_are_used():
    errors = history(300, persistent=0.5)
    errors["actual"] = 100 + 20 * np.random.default_rng(2).choice([-1.0, 1.0], len(errors)) + 0.01 * errors["actual"]
    spread = replace(fit_spread(errors), scaled=fit_scaled(errors))
    drawn = sample_paths(ahead(1), errors, spread=spread, paths=100).draw()
    # demand was 80 or 120 and never near 100, which neither a gamma nor a normal distribution can say
    assert ((np.abs(drawn - 81) < 2) | (np.abs(drawn - 121) < 2)).mean() > 0.97
