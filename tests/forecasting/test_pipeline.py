"""The whole way from sales to quantiles."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.demand import demand_panel
from cmi_analysis.forecasting.distribution import QUANTILES
from cmi_analysis.forecasting.pipeline import Forecasts, forecast_panel
from cmi_analysis.forecasting.public import forecast_demand
from cmi_analysis.measures.accuracy import coverage

WEEKS = pd.date_range("2022-01-03", periods=130, freq="W-MON")
AS_OF = (WEEKS[-1] + pd.Timedelta(days=6)).date()


def sales(seed: int = 1, series: int = 30) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frames = []
    for i in range(series):
        mean = 0.4 if i % 2 else 12.0 + i
        quantity = random.poisson(mean, len(WEEKS)).astype(float)
        frames.append(pd.DataFrame({"customer_id": f"C{i % 3}", "product_id": f"P{i:02d}", "date": WEEKS, "quantity": quantity}))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def made() -> Forecasts:
    return forecast_panel(demand_panel(sales(), as_of=AS_OF), horizon=8, frequency="week", folds=4)


def test_one_row_per_series_and_period_ahead(made):
    assert len(made.forecasts) == 30 * 8
    assert not made.forecasts.duplicated(["customer_id", "product_id", "period"]).any()
    assert made.forecasts["period"].min() == WEEKS[-1] + pd.Timedelta(weeks=1)


def test_forecasts_are_near_the_means_they_were_drawn_with(made):
    near = made.forecasts.groupby("product_id")["mean"].mean()
    assert near["P20"] == pytest.approx(32, rel=0.15)
    assert near[[f"P{i:02d}" for i in range(1, 30, 2)]].mean() == pytest.approx(0.4, rel=0.3)


def test_the_intervals_hold_what_they_promise_on_held_out_origins(made):
    held = made.errors[made.errors["origin"] > made.errors["origin"].min()]
    steady = held[held["pattern"] == "smooth"]
    # a little wide, because fifteen series at one to three origins are few paths
    assert 0.87 <= coverage(steady["actual"], steady["q05"], steady["q95"]) <= 0.97
    assert (held["actual"] <= held["q95"]).mean() >= 0.92


def test_sums_are_the_sums_of_the_means_and_narrower_than_the_sums_of_quantiles(made):
    sums = made.sums[made.sums["periods"] == 8].set_index("product_id")
    single = made.forecasts.groupby("product_id")[["mean", "q95"]].sum()
    np.testing.assert_allclose(sums["mean"], single.loc[sums.index, "mean"])
    assert sums["q95"].sum() < single["q95"].sum()


def test_the_error_of_each_origin_was_made_with_a_model_chosen_before(made):
    chosen = made.backtest[made.backtest["model"] == "chosen"]
    first = chosen[chosen["origin"] == chosen["origin"].min()]
    smooth = first[first["pattern"] == "smooth"]
    a_priori = made.backtest[made.backtest["model"] == "combination"]
    merged = smooth.merge(a_priori, on=["customer_id", "product_id", "origin", "period"])
    assert len(merged) == len(smooth)
    np.testing.assert_array_equal(merged["mean_x"], merged["mean_y"])


def test_the_order_of_rows_changes_nothing(made):
    panel = demand_panel(sales(), as_of=AS_OF)
    shuffled = panel.sample(frac=1, random_state=2)
    before = shuffled.copy()
    again = forecast_panel(shuffled, horizon=8, frequency="week", folds=4)
    pd.testing.assert_frame_equal(again.forecasts, made.forecasts)
    pd.testing.assert_frame_equal(shuffled, before)


def bad_series() -> pd.DataFrame:
    def one(name: str, values: list[float], first: int = 0) -> pd.DataFrame:
        dates = WEEKS[first : first + len(values)]
        return pd.DataFrame({"customer_id": "C0", "product_id": name, "date": dates, "quantity": values})

    year = len(WEEKS)
    return pd.concat(
        [
            one("all zeros", [0.0] * year),
            one("all missing", [np.nan] * year),
            one("dead", [5.0] * 90 + [0.0] * 40),
            one("negative", [-3.0] * year),
            one("one point", [4.0], first=year - 1),
            one("short", [3.0] * 5, first=year - 5),
            one("very large", [1e9, 2e9] * 65),
            one("=1+1 奇\u200b名 'x' \n", [2.0] * year),
        ]
    )


def test_every_bad_series_gets_a_labelled_result_and_the_others_are_unharmed(made):
    panel = demand_panel(pd.concat([sales(), bad_series()]), as_of=AS_OF)
    found = forecast_panel(panel, horizon=8, frequency="week", folds=4)
    reasons = found.choice.set_index("product_id")["reason"]
    expected = {"all zeros": "all_zeros", "all missing": "nothing_known", "dead": "dead"}
    expected |= dict.fromkeys(["one point", "short"], "kin_customer")
    assert {name: reasons[name] for name in expected} == expected
    assert reasons["negative"] == "all_zeros"
    assert len(found.forecasts) == 38 * 8
    means = found.forecasts.groupby("product_id")["mean"].mean()
    assert means["dead"] == 0
    assert 3 <= means["short"] <= 12  # between its own five periods and what the others of its customer sell
    known = found.forecasts[found.forecasts["product_id"] != "all missing"]
    assert (known[["mean", *QUANTILES]] >= 0).all(axis=None)
    assert np.isfinite(known[["mean", *QUANTILES]]).all(axis=None)


def test_one_series_with_one_point_is_forecast_by_itself():
    one = pd.DataFrame({"customer_id": ["C"], "product_id": ["P"], "date": [WEEKS[0]], "quantity": [4.0]})
    found = forecast_demand(one, horizon=3, frequency="week")
    assert found["mean"].tolist() == [4, 4, 4]
    assert found["model"].tolist() == ["mean"] * 3


def test_a_horizon_longer_than_the_history_works():
    assert len(forecast_demand(sales(series=1).head(30), horizon=60, frequency="week")) == 60


def test_monthly_sales_are_forecast_by_month():
    months = pd.date_range("2021-01-01", periods=40, freq="MS")
    monthly = pd.DataFrame({"customer_id": "C", "product_id": "P", "date": months, "quantity": np.arange(40.0) % 5 + 10})
    found = forecast_demand(monthly, horizon=3, frequency="month", as_of=dt.date(2024, 5, 10))
    assert found["period"].tolist() == pd.date_range("2024-05-01", periods=3, freq="MS").tolist()


def test_no_sales_give_no_forecasts():
    assert forecast_demand(sales().head(0), horizon=3, frequency="week", as_of=AS_OF).empty


def test_a_better_customer_forecast_is_taken_up():
    rows = sales()
    steps = [4, 8]
    told = [
        rows.assign(issued_on=rows["date"] - pd.Timedelta(weeks=step), period=rows["date"], quantity=rows["quantity"])
        for step in steps
    ]
    customer = pd.concat(told)[["customer_id", "product_id", "issued_on", "period", "quantity"]]
    found = forecast_panel(
        demand_panel(rows, as_of=AS_OF),
        horizon=8,
        frequency="week",
        folds=4,
        customer_forecasts=customer[customer["customer_id"] == "C1"],
    )
    last = found.errors[found.errors["origin"] == found.errors["origin"].max()]
    missed = (last["actual"] - last["mean"]).abs().groupby(last["customer_id"]).sum()
    assert missed["C1"] < 0.7 * missed["C0"]
