"""Rolling origins see nothing later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.backtest import Settings, backtest_models, backtest_origins, error_scale, open_fold, view_at
from cmi_analysis.forecasting.models import Window
from cmi_analysis.forecasting.seasons import empty_indices

WEEKS = pd.date_range("2022-01-03", periods=110, freq="W-MON")
SETTINGS = Settings("week", "Monday", 8)


def panel(seed: int = 1, series: int = 5) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frames = [
        pd.DataFrame(
            {"customer_id": f"C{i % 2}", "product_id": f"P{i}", "period": WEEKS, "quantity": random.poisson(3 + i, 110) * 1.0}
        )
        for i in range(series)
    ]
    rows = pd.concat(frames, ignore_index=True)
    return rows.assign(demand=rows["quantity"], in_stock=1.0, promotion=False, imputed=False, returned=0.0)


def view(rows: pd.DataFrame, origin: pd.Timestamp, **more: object):
    return view_at(rows, origin=origin, settings=SETTINGS, indices=empty_indices(), categories=pd.Series(dtype="object"), **more)


def issued(weeks: list[int], period: pd.Timestamp) -> pd.DataFrame:
    days = [WEEKS[number] for number in weeks]
    return pd.DataFrame(
        {"customer_id": "C0", "product_id": "P0", "issued_on": days, "period": period, "quantity": [10.0 + n for n in weeks]}
    )


def shuffled_after(rows: pd.DataFrame, origin: pd.Timestamp) -> pd.DataFrame:
    after = rows["period"] > origin
    changed = rows.copy()
    changed.loc[after, ["quantity", "demand"]] = (
        rows.loc[after, ["quantity", "demand"]].sample(frac=1, random_state=1).to_numpy() * 7
    )
    return changed


def test_shuffling_everything_after_the_origin_changes_no_forecast():
    rows = panel()
    first, second = view(rows, WEEKS[80]), view(shuffled_after(rows, WEEKS[80]), WEEKS[80])
    pd.testing.assert_frame_equal(first.series, second.series)
    for name, values in first.forecasts.items():
        np.testing.assert_array_equal(values, second.forecasts[name])


def test_a_planted_leak_is_caught_by_that_shuffle():
    def leaking(rows: pd.DataFrame):
        later = rows.loc[rows["period"] > WEEKS[80], "demand"].mean()
        return {"mean": lambda window, *, horizon: np.full((len(window.demand), horizon), later)}

    rows = panel()
    changed = shuffled_after(rows, WEEKS[80])
    first, second = (view(data, WEEKS[80], models=leaking(data)) for data in (rows, changed))
    assert not np.array_equal(first.forecasts["mean"], second.forecasts["mean"])


def test_a_customers_forecast_counts_from_its_issue_and_the_newest_wins():
    target = WEEKS[83]
    found = view(panel(), WEEKS[80], customer_forecasts=issued([70, 80, 82], target)).forecasts["customer"]
    assert found[0, 2] == 90.0
    assert np.isnan(found[0, [0, 1, 3]]).all()
    assert np.isnan(found[1:]).all()


def test_back_test_rows_hold_the_actual_of_their_period():
    rows = panel()
    errors = backtest_models([open_fold(rows, view(rows, WEEKS[80]))])
    one = errors[(errors["product_id"] == "P3") & (errors["lead"] == 5) & (errors["model"] == "naive")].iloc[0]
    truth = rows[rows["product_id"] == "P3"].set_index("period")["demand"]
    assert one["actual"] == truth[WEEKS[85]]
    assert one["mean"] == truth[WEEKS[80]]


def test_a_series_that_had_not_begun_is_not_scored():
    rows = panel()
    rows = rows[(rows["product_id"] != "P2") | (rows["period"] > WEEKS[82])]
    assert "P2" not in set(backtest_models([open_fold(rows, view(rows, WEEKS[80]))])["product_id"])


def test_unknown_periods_are_not_scored():
    rows = panel()
    rows.loc[(rows["product_id"] == "P1") & (rows["period"] == WEEKS[84]), ["quantity", "demand"]] = np.nan
    errors = backtest_models([open_fold(rows, view(rows, WEEKS[80]))])
    assert 4 not in set(errors.loc[errors["product_id"] == "P1", "lead"])


def test_after_an_agreed_end_the_forecast_is_zero():
    ends = pd.DataFrame({"customer_id": ["C0"], "product_id": ["P0"], "ends_on": [WEEKS[83]]})
    found = view(panel(), WEEKS[80], ends=ends)
    assert (found.forecasts["mean"][0, :3] > 0).all()
    assert (found.forecasts["mean"][0, 3:] == 0).all()
    assert found.series["state"].iloc[0] == "ending"


def test_no_back_test_without_origins():
    assert backtest_models([]).empty
    assert backtest_origins(WEEKS[:20], folds=4, horizon=13, periods_per_year=52) == []


def test_the_error_scale_is_the_spread_of_a_flat_series():
    values = np.random.default_rng(2).normal(100, 10, (1, 400))
    scale = error_scale(Window(values, np.ones_like(values), np.ones((1, 4)), 52))
    # the smoothed level adds a ninth to the variance: weight 0.2, 0.2 / (2 − 0.2)
    assert scale[0] == pytest.approx(10 * np.sqrt(1 + 1 / 9), rel=0.2)
