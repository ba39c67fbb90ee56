"""What is made of the back-test, against plain computations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting import analysis
from cmi_analysis.forecasting.drivers import score_drivers

ORIGINS = pd.to_datetime(["2024-01-01", "2024-03-04"])
WEEKS = pd.date_range("2023-01-02", periods=110, freq="W-MON")


@pytest.fixture
def backtest() -> pd.DataFrame:
    random = np.random.default_rng(6)
    rows = []
    for product in range(12):
        for origin in ORIGINS:
            for lead in (1, 2, 3):
                actual = float(random.poisson(10))
                for model, spread in (
                    ("naive", 5),
                    ("seasonal_naive", 6),
                    ("statistical", 2),
                    ("chosen", 2),
                    ("customer", 1),
                    ("combined", 1),
                ):
                    if model in ("customer", "combined") and product >= 8:
                        continue
                    mean = actual + random.normal(0, spread)
                    rows.append(("C1" if product < 6 else "C2", f"P{product:02d}", origin, lead, model, actual, mean))
    frame = pd.DataFrame(rows, columns=["customer_id", "product_id", "origin", "lead", "model", "actual", "mean"])
    frame["period"] = frame["origin"] + pd.to_timedelta(7 * frame["lead"], unit="D")
    return frame.assign(
        scale=3.0, naive_mean=4.0, naive_rms=5.0, sold=frame["actual"], in_stock=1.0, pattern="smooth", fallback=""
    )


def plain_wape(backtest: pd.DataFrame, model: str, products: list[str]) -> float:
    """WAPE of sums over leads 1 and 2."""
    missed = wanted = 0.0
    for product in products:
        for origin in ORIGINS:
            rows = backtest[(backtest["product_id"] == product) & (backtest["origin"] == origin) & (backtest["lead"] <= 2)]
            part = rows[rows["model"] == model]
            missed += abs(part["actual"].sum() - part["mean"].sum())
            wanted += part["actual"].sum()
    return missed / wanted


def test_the_stairs_equal_a_plain_loop_and_value_added_is_naive_less_step(backtest):
    found = analysis.score_steps(analysis.decision_errors(backtest, lag=2), seed=1)
    sums = found[(found["measure"] == "sum") & (found["scope"] == "all")].set_index("step")
    everyone = [f"P{i:02d}" for i in range(12)]
    for step in ("naive", "chosen"):
        assert sums.loc[step, "wape"] == pytest.approx(plain_wape(backtest, step, everyone))
    assert sums.loc["chosen", "value_added"] == pytest.approx(sums.loc["naive", "wape"] - sums.loc["chosen", "wape"])
    assert sums.loc["chosen", "low"] <= sums.loc["chosen", "value_added"] <= sums.loc["chosen", "high"]


def test_the_customers_step_is_held_against_the_same_items(backtest):
    found = analysis.score_steps(analysis.decision_errors(backtest, lag=2), seed=1)
    shared = found[(found["scope"] == "shared") & (found["measure"] == "sum")].set_index("step")
    assert shared["n"].unique().tolist() == [16]
    assert shared.loc["naive", "wape"] == pytest.approx(plain_wape(backtest, "naive", [f"P{i:02d}" for i in range(8)]))


def test_the_single_period_is_the_one_at_the_lag(backtest):
    errors = analysis.decision_errors(backtest, lag=2)
    alone = errors[errors["measure"] == "lag"]
    assert alone["lead"].unique().tolist() == [2]


def test_the_better_customer_is_trusted(backtest):
    found = analysis.score_customers(analysis.decision_errors(backtest, lag=2), seed=1).set_index("customer_id")
    assert found["trust"].isin(["theirs", "combined"]).all()
    assert found.loc["C1", "wape_customer"] == pytest.approx(plain_wape(backtest, "customer", [f"P{i:02d}" for i in range(6)]))


def test_without_a_customer_forecast_there_are_no_customers(backtest):
    rows = backtest[~backtest["model"].isin(["customer", "combined"])]
    errors = analysis.decision_errors(rows, lag=2)
    assert analysis.score_customers(errors, seed=1).empty
    assert set(analysis.score_steps(errors, seed=1)["scope"]) == {"all"}


def test_bias_is_shown_three_ways():
    errors = pd.DataFrame({"actual": [10.0, 20.0], "sold": [10.0, 5.0], "in_stock": [1.0, 0.2], "mean": [12.0, 15.0]})
    found = analysis.score_bias_views(errors).set_index("view")["bias"]
    assert found.to_dict() == pytest.approx({"imputed": -3 / 30, "sold": 12 / 15, "kept": 2 / 10})


def test_outliers_are_named_once_by_their_nearest_origin():
    errors = pd.DataFrame(
        {
            "customer_id": "C",
            "product_id": "P",
            "period": [WEEKS[5], WEEKS[5], WEEKS[6]],
            "lead": [5, 1, 2],
            "actual": [90.0, 90.0, 11.0],
            "mean": [10.0, 12.0, 10.0],
            "sd": 5.0,
        }
    )
    found = analysis.find_outliers(errors)
    assert found[["mean", "deviations"]].to_numpy().tolist() == [[12.0, 15.6]]


def test_totals_hold_a_year_of_the_past_and_the_year_before():
    panel = pd.DataFrame({"customer_id": "C", "product_id": "P", "period": WEEKS, "demand": np.arange(110.0)})
    ahead = pd.DataFrame({"period": [WEEKS[-1] + pd.Timedelta(weeks=1)], "lead": [1], "mean": [110.0], "sd": [2.0]})
    errors = pd.DataFrame({"origin": [], "lead": [], "actual": [], "mean": []})
    found = analysis.forecast_totals(panel, ahead, errors, share=0.9, year=52)
    assert len(found) == 53
    last = found.iloc[-1]
    assert (last["mean"], last["last_year"]) == (110.0, 58.0)
    assert last["high"] == pytest.approx(110 + 2 * 1.6448536)


def promoted(lift: float, seed: int = 3) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frames = []
    for product in range(30):
        marks = np.isin(np.arange(110) % 20, [7, 8])
        demand = random.poisson(20 * np.where(marks, 1 + lift, 1.0)).astype(float)
        frames.append(
            pd.DataFrame({"customer_id": "C", "product_id": f"P{product}", "period": WEEKS, "demand": demand, "promotion": marks})
        )
    return pd.concat(frames, ignore_index=True)


def test_a_planted_promotion_lift_lies_in_its_interval():
    none = pd.DataFrame({"category": [], "season": [], "index": [], "n": [], "used": []})
    found = score_drivers(promoted(0.5), none, categories=pd.Series(dtype="object"), periods_per_year=52, seed=1).set_index(
        "driver"
    )
    assert found.loc["promotion", "low"] <= 0.5 <= found.loc["promotion", "high"]
    assert abs(found.loc["after_promotion", "effect"]) < 0.05
