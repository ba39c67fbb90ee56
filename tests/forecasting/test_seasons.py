"""Pooled seasonal indices."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.seasons import index_matrix, season_of, seasonal_indices

MONTHS = pd.date_range("2021-01-01", periods=36, freq="MS")
FACTOR = 1 + 0.4 * np.cos(2 * np.pi * np.arange(36) / 12)


def panel(seed: int, factor: np.ndarray, series: int = 20) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frames = [
        pd.DataFrame(
            {"customer_id": f"C{i}", "category": "K", "period": MONTHS, "demand": random.poisson(10 * factor).astype(float)}
        )
        for i in range(series)
    ]
    return pd.concat(frames, ignore_index=True)


def own(frame: pd.DataFrame) -> pd.DataFrame:
    found = seasonal_indices(frame, origins=[MONTHS[-1]], frequency="month")
    return found[found["category"] == "K"]


def test_a_planted_season_is_found():
    found = own(panel(1, FACTOR))
    assert found["used"].all()
    np.testing.assert_allclose(found["index"], FACTOR[:12], atol=0.08)
    assert abs(found["index"].mean() - 1) < 1e-12


def test_flat_demand_shows_a_season_in_at_most_one_in_twenty_cases():
    used = [bool(own(panel(seed, np.ones(36)))["used"].any()) for seed in range(100)]
    assert np.mean(used) <= 0.05


def test_without_evidence_the_index_is_one():
    found = own(panel(3, np.ones(36)))
    assert not found["used"].any()
    assert (found["index"] == 1).all()


def test_less_than_two_years_show_no_season():
    short = panel(1, FACTOR)
    assert not own(short[short["period"] < "2022-12-01"])["used"].any()


def test_an_origin_knows_nothing_later():
    frame = panel(1, FACTOR)
    later = frame.assign(demand=frame["demand"].where(frame["period"] <= MONTHS[29], 999.0))
    first, second = (seasonal_indices(data, origins=[MONTHS[29]], frequency="month") for data in (frame, later))
    pd.testing.assert_frame_equal(first, second)


def test_categories_of_few_customers_take_the_index_of_all():
    frame = panel(1, FACTOR, series=4)
    found = seasonal_indices(frame, origins=[MONTHS[-1]], frequency="month", least_customers=5)
    assert set(found["category"]) == {""}
    matrix = index_matrix(found, categories=pd.Series(["K"]), seasons=np.array([1, 7]), origin=MONTHS[-1])
    np.testing.assert_array_equal(matrix[0], found.set_index("season")["index"].loc[[1, 7]])


def test_before_the_first_origin_the_index_is_one():
    found = seasonal_indices(panel(1, FACTOR), origins=[MONTHS[-1]], frequency="month")
    assert (index_matrix(found, categories=pd.Series(["K"]), seasons=np.array([1, 7]), origin=MONTHS[0]) == 1).all()


def test_a_week_belongs_to_the_month_of_its_fourth_day():
    assert season_of(pd.to_datetime(["2024-01-29", "2024-01-28"]), frequency="week").tolist() == [2, 1]


def test_empty_demand_gives_indices_of_one():
    assert (seasonal_indices(panel(1, FACTOR).head(0), origins=[MONTHS[-1]], frequency="month")["index"] == 1).all()
