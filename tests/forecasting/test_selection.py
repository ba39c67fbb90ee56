"""Models are chosen by errors known at the origin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.customer import correction_factors
from cmi_analysis.forecasting.selection import choose_customers, choose_models

DAYS = pd.date_range("2024-01-01", periods=60, freq="W-MON")


def rows(model: str, error: float, *, origin: int = 10, pattern: str = "smooth", n: int = 40) -> pd.DataFrame:
    sign = np.where(np.arange(n) % 2 == 0, 1, -1)
    return pd.DataFrame(
        {
            "customer_id": "C",
            "product_id": "P",
            "origin": DAYS[origin],
            "period": [DAYS[origin + 1 + k % 8] for k in range(n)],
            "lead": [1 + k % 8 for k in range(n)],
            "model": model,
            "pattern": pattern,
            "fallback": "",
            "actual": 10.0,
            "mean": 10.0 + error * sign,
        }
    )


def choose(frame: pd.DataFrame, until: int = 40) -> tuple[str, str]:
    found = choose_models(frame, patterns=["smooth"], until=DAYS[until]).iloc[0]
    return found["model"], found["reason"]


def test_the_model_with_the_least_pooled_score_is_chosen():
    assert choose(pd.concat([rows("exponential_smoothing", 3), rows("tsb", 2)])) == ("tsb", "best_by_pattern")


def test_a_small_gain_does_not_replace_the_standard_model():
    assert choose(pd.concat([rows("exponential_smoothing", 3), rows("tsb", 2.97)])) == ("exponential_smoothing", "a_priori_holds")


def test_bias_counts_beside_the_error():
    biased = rows("tsb", 0).assign(mean=8.0)
    assert choose(pd.concat([rows("exponential_smoothing", 3), biased]))[0] == "exponential_smoothing"


def test_errors_of_later_periods_choose_nothing():
    late = pd.concat([rows("exponential_smoothing", 3, origin=30), rows("tsb", 1, origin=30)])
    assert choose(late, until=30) == ("exponential_smoothing", "a_priori")


def test_few_errors_choose_nothing():
    assert choose(pd.concat([rows("exponential_smoothing", 3, n=8), rows("tsb", 1, n=8)])) == (
        "exponential_smoothing",
        "a_priori",
    )


def test_the_customers_forecast_is_never_the_model_of_a_pattern():
    assert choose(pd.concat([rows("exponential_smoothing", 3), rows("customer", 0)]))[0] == "exponential_smoothing"


def test_a_better_customer_is_believed_and_a_worse_one_is_not():
    def pair(theirs: float) -> str:
        ours, own = rows("exponential_smoothing", 3, n=8), rows("customer", theirs, n=8)
        frames = [
            part.assign(origin=DAYS[o], period=part["period"] + pd.Timedelta(weeks=o)) for o in range(4) for part in (ours, own)
        ]
        known = pd.concat(frames, ignore_index=True)
        return choose_customers(known, statistical=pd.Series({"smooth": "exponential_smoothing"}))["C"]

    assert pair(9.0) == "statistical"
    assert pair(1.0) in ("customer", "combined")


def test_a_third_too_much_is_corrected_but_never_by_more_than_half():
    over = pd.DataFrame({"customer_id": "C", "actual": 10.0, "mean": [13.0] * 2000})
    assert abs(correction_factors(over)["C"] - 10 / 13) < 0.01
    wild = pd.DataFrame({"customer_id": "C", "actual": 10.0, "mean": [500.0] * 2000})
    assert correction_factors(wild)["C"] == 0.5


def test_no_known_error_leaves_the_standard_models():
    empty = rows("tsb", 1).head(0)
    assert choose(empty) == ("exponential_smoothing", "a_priori")
    assert choose_customers(empty, statistical=pd.Series({"smooth": "tsb"})).empty
