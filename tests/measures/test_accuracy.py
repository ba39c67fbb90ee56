"""Pooled accuracy measures against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.measures import accuracy


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(3)
    frame = pd.DataFrame({"item": random.choice(["a", "b", "c"], 60), "actual": random.poisson(4, 60).astype(float)})
    frame["mean"] = random.gamma(2, 2, 60)
    frame["naive_mean"] = frame["item"].map({"a": 2.0, "b": 3.0, "c": 0.0})
    frame["naive_rms"] = frame["naive_mean"] * 1.5
    frame.loc[5, "actual"] = np.nan
    return frame


def loop(rows: pd.DataFrame) -> dict[str, float]:
    wanted = missed = over = scaled = squared = 0.0
    used = 0
    for row in rows.itertuples():
        if math.isnan(row.actual) or math.isnan(row.mean):
            continue
        wanted += row.actual
        missed += abs(row.actual - row.mean)
        over += row.mean - row.actual
        if row.naive_mean > 0:
            used += 1
            scaled += abs(row.actual - row.mean) / row.naive_mean
            squared += (row.actual - row.mean) ** 2 / row.naive_rms**2
    mase, rmsse = (scaled / used, math.sqrt(squared / used)) if used else (math.nan, math.nan)
    return {"wape": missed / wanted, "bias": over / wanted, "mase": mase, "rmsse": rmsse}


def test_pooled_measures_equal_a_plain_loop(rows):
    expected = pd.DataFrame([loop(part) for _, part in rows.groupby("item")])
    found = accuracy.score_accuracy(rows, by=["item"])
    pd.testing.assert_frame_equal(found[["wape", "bias", "mase", "rmsse"]], expected)


def test_single_measures_equal_the_plain_loop(rows):
    expected = loop(rows)
    a, f = rows["actual"], rows["mean"]
    assert accuracy.wape(a, f) == pytest.approx(expected["wape"])
    assert accuracy.bias(a, f) == pytest.approx(expected["bias"])
    assert accuracy.mase(a, f, rows["naive_mean"]) == pytest.approx(expected["mase"])
    assert accuracy.rmsse(a, f, rows["naive_rms"]) == pytest.approx(expected["rmsse"])


def test_a_history_of_zeros_is_left_out_and_counted(rows):
    found = accuracy.score_accuracy(rows, by=["item"]).set_index("item")
    assert math.isnan(found.loc["c", "mase"])
    assert found["unscaled"].to_dict() == {"a": 0, "b": 0, "c": int(rows.loc[rows["item"] == "c", "actual"].notna().sum())}


def test_no_demand_at_all_gives_missing_and_not_infinity():
    assert math.isnan(accuracy.wape([0, 0], [1, 2]))
    assert math.isnan(accuracy.bias([0, 0], [1, 2]))
    assert math.isnan(accuracy.mase([], [], []))


def test_empty_forecasts_give_no_rows_by_group_and_one_missing_row_in_all(rows):
    assert accuracy.score_accuracy(rows.head(0), by=["item"]).empty
    assert accuracy.score_accuracy(rows.head(0))[["n", "unscaled"]].to_numpy().tolist() == [[0, 0]]


def test_scoring_leaves_its_input_as_it_was(rows):
    before = rows.copy()
    accuracy.score_accuracy(rows, by=["item"])
    pd.testing.assert_frame_equal(rows, before)


def test_the_quantile_itself_has_the_least_pinball_loss():
    actual = np.random.default_rng(1).exponential(10, 4000)
    best = np.quantile(actual, 0.9)
    losses = [accuracy.pinball(actual, np.full(4000, best + move), level=0.9) for move in (-5, 0, 5)]
    assert losses[1] == min(losses)
