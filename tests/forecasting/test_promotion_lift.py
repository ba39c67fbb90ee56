"""The net gain of promotions: the regression against another library, the interval against what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.promotion_lift import score_promotions

WEEKS = pd.date_range("2023-01-02", periods=120, freq="W-MON")


def panel_of(demand: np.ndarray, promoted: np.ndarray) -> pd.DataFrame:
    names = np.repeat([f"P{k:03d}" for k in range(len(demand))], demand.shape[1])
    weeks = np.tile(WEEKS[: demand.shape[1]], len(demand))
    frame = pd.DataFrame({"customer_id": "C", "product_id": names, "period": weeks})
    return frame.assign(demand=demand.ravel(), promotion=promoted.ravel())


def score(demand: np.ndarray, promoted: np.ndarray, **more: object) -> pd.DataFrame:
    found = score_promotions(panel_of(demand, promoted), frequency="week", periods_per_year=52, **more)
    return found.set_index("driver")


def marks(series: int, weeks: int, *, of: int, every: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two-week promotions of the first `of` series and the two weeks after them."""
    random = np.random.default_rng(seed)
    promoted, after = np.zeros((2, series, weeks), dtype=bool)
    for one in range(of):
        for start in range(int(random.integers(5, every)), weeks - 4, every):
            promoted[one, start : start + 2] = True
            after[one, start + 2 : start + 4] = True
    return promoted, after


def test_without_noise_gain_dip_and_net_are_what_was_planted():
    promoted, after = marks(6, 120, of=3, every=30, seed=1)
    level = np.array([2.0, 10, 50, 3, 8, 20])[:, None]
    base = np.broadcast_to(level, promoted.shape)
    demand = base * np.where(promoted, 1.8, 1.0) * np.where(after, 0.85, 1.0)
    found = score(demand, promoted)
    assert found.loc["promotion", "effect"] == pytest.approx(0.8)
    assert found.loc["after_promotion", "effect"] == pytest.approx(-0.15)
    gained = (demand - base)[promoted | after].sum() / base[promoted].sum()
    assert found.loc["promotion_net", "effect"] == pytest.approx(gained)
    assert found.loc["promotion_net", "n"] == 3


def test_the_regression_is_that_of_statsmodels_with_a_dummy_for_each_series_and_month_of_a_category():
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    random = np.random.default_rng(5)
    promoted, after = marks(12, 120, of=6, every=40, seed=5)
    season = 1 + 0.5 * np.cos(2 * np.pi * np.arange(120) / 52)
    level = random.uniform(2, 20, (12, 1)) * np.where(np.arange(12)[:, None] % 2, season, 1 / season)
    demand = random.poisson(level * np.where(promoted, 1.7, 1) * np.where(after, 0.8, 1)).astype(float)
    categories = pd.Series({f"P{k:03d}": "AB"[k % 2] for k in range(12)})
    found = score(demand, promoted, categories=categories)
    month = (WEEKS + pd.Timedelta(days=3)).month.to_numpy()
    columns = [promoted, after, np.broadcast_to(np.arange(120) / 52, demand.shape)]
    columns += [np.broadcast_to(np.arange(12)[:, None] == k, demand.shape) for k in range(12)]
    columns += [(np.arange(12)[:, None] % 2 == c) & (month == m)[None, :] for c in (0, 1) for m in range(2, 13)]
    design = np.stack([np.asarray(column, dtype=float).ravel() for column in columns], axis=1)
    other = GLM(demand.ravel(), design, family=Poisson()).fit()
    assert found.loc["promotion", "effect"] == pytest.approx(np.expm1(other.params[0]), abs=1e-6)
    assert found.loc["after_promotion", "effect"] == pytest.approx(np.expm1(other.params[1]), abs=1e-6)


def test_the_interval_holds_the_net_gain_where_few_uneven_series_were_promoted():
    """Five series of very unequal size and rare, uneven demand; errors clustered by series cover less than 85 % here."""
    inside, widths, ideal = 0, [], []
    for seed in range(100):
        random = np.random.default_rng(seed)
        promoted, after = marks(20, 120, of=5, every=50, seed=seed)
        factor = np.where(promoted, 1.8, 1.0) * np.where(after, 0.85, 1.0)
        mean = random.permutation(np.geomspace(4, 60, 20))[:, None]
        size = mean * np.sqrt(factor)
        chance = np.clip(0.4 * np.sqrt(factor), 0, 1)
        demand = random.standard_gamma(0.8, factor.shape) / 0.8 * size * (random.random(factor.shape) < chance)
        base = 0.4 * mean
        planted = (base * (factor - 1)).sum() / (base * promoted).sum()
        net = score(demand, promoted).loc["promotion_net"]
        inside += net["low"] <= planted <= net["high"]
        widths.append(net["high"] - net["low"])
        variance = size**2 * chance * (1 + 1 / 0.8) - (size * chance) ** 2
        ideal.append(2 * 1.96 * np.sqrt(variance[promoted | after].sum()) / (base * promoted).sum())
    assert 0.90 <= inside / 100 <= 0.99
    assert np.mean(widths) <= 1.5 * np.mean(ideal)


def test_neighbouring_weeks_alike_make_the_interval_wider():
    random = np.random.default_rng(8)
    promoted, _ = marks(10, 120, of=10, every=30, seed=8)
    swing = random.normal(0, 0.4, (10, 120))
    alike = np.repeat(swing[:, ::2], 2, axis=1)
    widths = []
    for one in (swing, alike):
        net = score(20 * np.exp(one) * np.where(promoted, 1.5, 1.0), promoted).loc["promotion"]
        widths.append(net["high"] - net["low"])
    assert widths[1] > 1.1 * widths[0]


def test_no_promotion_tells_nothing_and_a_short_history_no_interval():
    demand = np.full((3, 20), 5.0)
    none = np.zeros((3, 20), dtype=bool)
    assert score_promotions(panel_of(demand, none), frequency="week", periods_per_year=52).empty
    many = none.copy()
    many[0, 4:16] = True
    found = score(demand * np.where(many, 2, 1), many)
    assert found.loc["promotion", "effect"] == pytest.approx(1.0)
    assert np.isnan(found.loc["promotion", ["low", "high"]].astype(float)).all()


def test_unknown_weeks_and_series_without_demand_harm_nothing():
    promoted, _ = marks(6, 120, of=3, every=30, seed=1)
    demand = np.full((6, 120), 7.0) * np.where(promoted, 1.5, 1.0)
    demand[4], demand[5], demand[0, :40] = 0.0, np.nan, np.nan
    assert score(demand, promoted).loc["promotion", "effect"] == pytest.approx(0.5)
