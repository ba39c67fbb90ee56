"""Tracking signals and changed levels: what stable demand may raise in false alarms, and what must be found."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.monitoring import (
    CHANGE_LIMIT,
    DRIFT_LIMIT,
    LEAST_DRIFT,
    doubt_monitored,
    find_changes,
    level_changes,
    monitor_series,
    shift_scores,
    tracking_signals,
)
from cmi_analysis.forecasting.pipeline import forecast_panel
from cmi_analysis.forecasting.seasons import empty_indices

LENGTH = {"week": 52, "month": 12}


def draw(kind: str, mean: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw demand with the given means: Poisson, variance three times the mean, or packs of twelve."""
    if kind == "poisson":
        return random.poisson(mean).astype(float)
    if kind == "negative_binomial":
        return random.negative_binomial(mean / 2, 1 / 3).astype(float)
    return 12.0 * random.poisson(mean / 12)


def season(periods: int, year: int, swing: float) -> np.ndarray:
    index = np.exp(swing * np.sin(2 * np.pi * np.arange(periods) / year))
    return index / index.mean()


def panel_of(demand: np.ndarray, **columns: object) -> pd.DataFrame:
    series, periods = demand.shape
    weeks = pd.date_range("2022-01-03", periods=periods, freq="W-MON")
    frame = pd.DataFrame({"customer_id": "C", "product_id": np.repeat([f"P{i:03d}" for i in range(series)], periods)})
    frame = frame.assign(period=np.tile(weeks, series), quantity=demand.ravel(), returned=0.0, in_stock=1.0, promotion=False)
    return frame.assign(demand=frame["quantity"], imputed=False).assign(**columns)


def changes_of(panel: pd.DataFrame) -> pd.DataFrame:
    return find_changes(panel, frequency="week", indices=empty_indices(), categories=pd.Series(dtype="object"))


@pytest.mark.parametrize("frequency", ["week", "month"])
@pytest.mark.parametrize("kind", ["poisson", "negative_binomial", "packs"])
@pytest.mark.parametrize("swing", [0.0, 0.5])
def test_at_most_one_stable_series_in_a_hundred_is_called_changed_in_a_year_of_reports(frequency, kind, swing):
    random, year = np.random.default_rng(7), LENGTH[frequency]
    index = np.tile(season(4 * year if frequency == "month" else 3 * year, year, swing), (600, 1))
    mean = np.repeat([0.2, 1.0, 5.0, 20.0], 150)[:, None] * index
    demand, flagged = draw(kind, mean, random), np.zeros(600, dtype=bool)
    for end in range(index.shape[1] - year + 1, index.shape[1] + 1):
        flagged |= level_changes(demand[:, :end], index[:, :end], frequency=frequency)[0] != 0
    assert flagged.mean() <= 0.01


@pytest.mark.parametrize(("frequency", "factor", "least"), [("week", 2.0, 0.85), ("week", 0.5, 0.6), ("month", 2.0, 0.75)])
def test_a_level_moved_eight_periods_ago_is_found_in_most_series_with_means_from_five_on(frequency, factor, least):
    random, year = np.random.default_rng(8), LENGTH[frequency]
    mean = np.tile(np.exp(random.uniform(math.log(5), math.log(50), 400))[:, None], (1, 3 * year))
    mean[:, -8:] *= factor
    score, width, before, after = level_changes(random.poisson(mean).astype(float), np.ones_like(mean), frequency=frequency)
    right = np.sign(score) == np.sign(factor - 1)
    assert right.mean() >= least
    assert (np.abs(width[right] - 8) <= 2).mean() >= 0.9
    assert np.median(after[right] / before[right]) == pytest.approx(factor, rel=0.1)


def test_the_score_is_that_of_all_ways_to_choose_the_recent_periods():
    random = np.random.default_rng(3)
    values = random.gamma(1.0, size=14)
    values[-4:] += 1.5
    sums = np.array([values[list(chosen)].sum() for chosen in combinations(range(14), 4)])
    chance = (sums >= values[-4:].sum() - 1e-9).mean()
    score = shift_scores(values[None, :], recent=np.arange(14) >= 10)[0]
    assert 0.5 * math.erfc(score / math.sqrt(2)) == pytest.approx(chance, rel=0.35)


def test_one_huge_week_is_not_a_change():
    demand = np.random.default_rng(1).poisson(5.0, (50, 120)).astype(float)
    demand[:, -3] = 100.0
    assert not level_changes(demand, np.ones_like(demand), frequency="week")[0].any()


def test_unknown_periods_count_on_neither_side():
    demand = np.tile([4.0, 6.0], (1, 50))
    demand[:, -8:] *= 3
    gaps = np.insert(demand, [20, 40, 96], np.nan, axis=1)
    score, width, before, after = level_changes(gaps, np.ones_like(gaps), frequency="week")
    assert score[0] > CHANGE_LIMIT["week"]
    assert (before[0], after[0], width[0]) == (pytest.approx(5.0, abs=0.1), 15.0, 9)


def test_a_change_is_dated_and_promotions_and_empty_shelves_are_left_out():
    demand = np.tile([4.0, 6.0], (1, 60))
    demand[:, -8:] *= 3
    panel = panel_of(demand)
    found = changes_of(panel).iloc[0]
    assert (found["change"], found["changed_on"]) == ("up", panel["period"].iloc[-8])
    late = panel["period"] >= panel["period"].iloc[-8]
    assert changes_of(panel.assign(promotion=late))["change"].tolist() == [""]
    assert changes_of(panel.assign(in_stock=np.where(late, 0.0, 1.0)))["change"].tolist() == [""]


def test_a_season_that_came_a_year_ago_too_is_not_a_change():
    random = np.random.default_rng(5)
    demand = random.poisson(40 * season(156, 52, 0.6), (40, 156)).astype(float)
    assert (changes_of(panel_of(demand))["change"] != "").mean() <= 0.05
    once = demand.copy()
    once[:, :104] = random.poisson(40.0 * 0.6, (40, 104))
    once[:, 104:] = random.poisson(np.r_[np.full(44, 24.0), np.full(8, 60.0)], (40, 52))
    assert (changes_of(panel_of(once))["change"] == "up").mean() >= 0.95


def test_a_history_of_a_few_weeks_gives_no_verdict():
    found = changes_of(panel_of(np.array([[5.0, 0.0, 9.0]])))
    assert found["change"].tolist() == [""]
    assert found[["changed_on", "level_before", "level_after"]].isna().all(axis=None)


def sums_of(errors: np.ndarray) -> pd.DataFrame:
    """Errors by series and origin as sums over 13 leads of demand 100."""
    days = pd.to_datetime(["2024-01-01", "2024-04-01", "2024-07-01", "2024-09-30"])[: errors.shape[1]]
    rows = [
        ("C", f"P{i:03d}", day, 13, 100.0 + errors[i, k], 100.0, 10.0) for i in range(len(errors)) for k, day in enumerate(days)
    ]
    names = ["customer_id", "product_id", "origin", "lead", "actual", "mean", "scale"]
    return pd.DataFrame(rows, columns=names).assign(pattern="smooth", fallback="")


def test_the_signal_is_the_sum_of_errors_over_the_usual_deviation_of_like_items():
    errors = np.random.default_rng(2).normal(0, 10, (40, 4))
    found = tracking_signals(sums_of(errors))
    total = errors.sum(axis=1)
    np.testing.assert_allclose(
        found["tracking_signal"], total / (math.sqrt(2 / math.pi) / 0.6745 * np.median(np.abs(total))), rtol=1e-3
    )
    np.testing.assert_allclose(found["drift"], total / (400 + total))


def test_one_origin_says_nothing_of_drift():
    assert tracking_signals(sums_of(np.ones((30, 1)))).empty


def test_each_period_counts_once_where_origins_overlap():
    sums = sums_of(np.full((30, 2), 5.0))
    longer = sums.assign(lead=26, actual=sums["actual"] + 1000)
    both = pd.concat([sums, longer], ignore_index=True)
    both["period"] = both["origin"] + pd.to_timedelta(both["lead"] * 7, unit="D")
    np.testing.assert_allclose(tracking_signals(both)["drift"], 10 / 210)


@pytest.fixture(scope="module")
def back_tested() -> tuple[pd.DataFrame, pd.DataFrame]:
    """300 stable series of three kinds and 20 whose demand falls by a fifth of its start each quarter of the last year."""
    random = np.random.default_rng(11)
    mean = np.tile(np.exp(random.uniform(math.log(0.3), math.log(40), 320))[:, None], (1, 130))
    mean[300:] = 30.0
    for quarter in range(1, 5):
        mean[300:, 130 - 13 * quarter - 8 :] *= 0.7
    kinds = ["poisson", "negative_binomial"]
    demand = np.vstack([draw(kinds[i % 2], mean[[i]], random) for i in range(320)])
    panel = panel_of(demand)
    return panel, forecast_panel(panel, horizon=13, frequency="week", folds=4).sum_errors


def test_drift_is_found_where_demand_falls_all_year_and_in_at_most_one_stable_series_in_a_hundred(back_tested):
    _, sums = back_tested
    found = tracking_signals(sums).sort_values("product_id")
    drifting = (found["tracking_signal"].abs() > DRIFT_LIMIT) & (found["drift"].abs() >= LEAST_DRIFT)
    stable = found["product_id"] < "P300"
    assert drifting[stable].mean() <= 0.01
    assert (found.loc[~stable & drifting, "tracking_signal"] < 0).all()
    assert drifting[~stable].mean() >= 0.5


def test_each_series_has_one_row_with_its_reason(back_tested):
    panel, sums = back_tested
    found = monitor_series(panel, sums, frequency="week", indices=empty_indices(), categories=pd.Series(dtype="object"))
    assert found["product_id"].tolist() == sorted(panel["product_id"].unique())
    assert set(found.loc[found["product_id"] >= "P300", "reason"]) <= {"drift_down", "level_down", ""}
    changed = found[found["change"] != ""]
    assert len(changed)
    assert (changed["reason"] == "level_" + changed["change"]).all()


def test_a_doubt_is_added_only_where_there_was_none_and_demand_lives():
    key = {"customer_id": "C", "product_id": ["a", "b", "c", "d", "e"]}
    items = pd.DataFrame({**key, "state": ["active", "active", "active", "dead", "new"], "doubt": ["", "error", "", "", ""]})
    reasons = ["level_up", "level_down", "drift_down", "level_down", ""]
    found = doubt_monitored(items, pd.DataFrame({**key, "reason": reasons}))
    assert found["doubt"].tolist() == ["change", "error", "drift", "", ""]
    assert items["doubt"].tolist() == ["", "error", "", "", ""]
