"""Effects that were planted are found, each with the others held constant."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.demand import PANEL_COLUMNS
from cmi_analysis.forecasting.regression import regress_drivers

WEEKS = pd.date_range("2022-01-03", periods=130, freq="W-MON")


def planted(seed: int, *, lift: float = 1.5, dip: float = 0.8, elasticity: float = -2.0, series: int = 30):
    """Panel and prices: promotions fall in summer and come with a lower price, so that a plain comparison mixes the three."""
    random = np.random.default_rng(seed)
    season = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(130) - 13) / 52)
    promoted = random.random((series, 130)) < np.where(season > 1.2, 0.15, 0.02)
    after = np.zeros_like(promoted)
    after[:, 1:] |= promoted[:, :-1]
    after[:, 2:] |= promoted[:, :-2]
    price = np.where(promoted, 0.9, 1.0) * random.choice([0.95, 1.0, 1.05], (series, 130)) * random.uniform(2, 9, (series, 1))
    usual = price.mean(axis=1, keepdims=True)
    level = random.uniform(3, 30, (series, 1)) * season * (price / usual) ** elasticity
    level = level * np.where(promoted, lift, 1) * np.where(after & ~promoted, dip, 1)
    demand = random.poisson(level * random.gamma(5, 0.2, level.shape)).astype(float)
    names = np.repeat([f"P{k:02d}" for k in range(series)], 130)
    frame = pd.DataFrame(
        {"customer_id": "C", "product_id": names, "period": np.tile(WEEKS, series), "promotion": promoted.ravel()}
    )
    frame = frame.assign(quantity=demand.ravel(), demand=demand.ravel(), returned=0.0, in_stock=1.0, imputed=False)
    return frame[PANEL_COLUMNS], price


def effects(panel: pd.DataFrame, prices: np.ndarray | None) -> pd.DataFrame:
    return regress_drivers(panel, frequency="week", periods_per_year=52, prices=prices).set_index("driver")


def test_planted_effects_lie_in_their_intervals_in_most_of_twenty_panels():
    truth = {"promotion_alone": 0.5, "after_alone": -0.2, "price_cut": 0.9**-2 - 1, "trend": 0.0}
    held = dict.fromkeys(truth, 0)
    for seed in range(20):
        found = effects(*planted(seed))
        for name, value in truth.items():
            held[name] += found.loc[name, "low"] <= value <= found.loc[name, "high"]
    assert min(held.values()) >= 17


def test_without_prices_the_lift_holds_the_effect_of_the_lower_price_too():
    panel, prices = planted(1)
    alone, mixed = effects(panel, prices), effects(panel, None)
    assert mixed.loc["promotion_alone", "effect"] == pytest.approx(1.5 * 0.9**-2 - 1, abs=0.12)
    assert mixed.loc["promotion_alone", "effect"] > alone.loc["promotion_alone", "effect"] + 0.15


def test_effects_equal_the_poisson_likelihood_maximised_by_another_optimiser():
    from scipy.optimize import minimize

    panel, _ = planted(2, series=8)
    found = effects(panel, None)
    demand = panel["demand"].to_numpy().reshape(8, 130)
    promoted = panel["promotion"].to_numpy().reshape(8, 130)
    after = np.zeros_like(promoted)
    after[:, 1:] |= promoted[:, :-1]
    after[:, 2:] |= promoted[:, :-2]
    month = (WEEKS + pd.Timedelta(days=3)).month.to_numpy()
    place = (np.arange(130) - 64.5) / 52
    columns = [np.broadcast_to(month == number, demand.shape) for number in range(1, 13)]
    design = np.stack([*columns, promoted, after & ~promoted, np.broadcast_to(place, demand.shape)], axis=2).reshape(-1, 15) * 1.0
    offset = np.repeat(np.log(demand.mean(axis=1)), 130)

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        rate = np.exp(offset + design @ beta)
        return float((rate - demand.ravel() * np.log(rate)).sum()), design.T @ (rate - demand.ravel())

    best = minimize(loss, np.zeros(15), jac=True, method="BFGS").x
    for name, position in (("promotion_alone", 12), ("after_alone", 13), ("trend", 14)):
        assert found.loc[name, "effect"] == pytest.approx(np.expm1(best[position]), abs=1e-4)


def test_what_never_varies_and_too_little_data_tell_nothing():
    panel, _ = planted(3)
    assert "promotion_alone" not in effects(panel.assign(promotion=False), None).index
    assert effects(panel[panel["product_id"].isin(["P00", "P01"])], None).empty
    assert effects(panel[panel["period"] < WEEKS[6]], None).empty


def test_a_short_history_has_no_trend_and_no_month_effects():
    panel, prices = planted(4)
    short = panel[panel["period"] < WEEKS[60]]
    assert list(effects(short, prices[:, :60]).index) == ["promotion_alone", "after_alone", "price_cut"]


def test_an_item_without_demand_or_price_harms_no_other():
    panel, prices = planted(5)
    empty = panel["product_id"] == "P03"
    changed = panel.assign(demand=panel["demand"].mask(empty, 0.0))
    gone = prices.copy()
    gone[4] = np.nan
    assert np.isfinite(effects(changed, gone)["effect"]).all()
