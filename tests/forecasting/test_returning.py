"""Items at zero by rule get a forecast only where the back-test shows that such items come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.backtest import Fold, View
from cmi_analysis.forecasting.public import forecast_all
from cmi_analysis.forecasting.returning import return_rates, revive_series

DAYS = pd.date_range("2024-01-01", periods=60, freq="W-MON")
SERIES, HORIZON = 100, 4
SIZE = 20.0


def fold(origin: int, back: int, *, rule: str = "dead", ended: bool = False) -> Fold:
    """Silent series with a usual demand of 20; the first `back` of them sell 10 in the first period after all."""
    frame = pd.DataFrame({"customer_id": "C", "product_id": [f"P{k:03d}" for k in range(SERIES)], "pattern": "lumpy"})
    frame = frame.assign(state="dead", periods=50, fallback=rule, scale=1.0, size=SIZE, ended=ended)
    zero = np.zeros((SERIES, HORIZON))
    view = View(DAYS[origin], DAYS[origin + 1 : origin + 1 + HORIZON], frame, {"mean": zero}, np.ones((SERIES, HORIZON)))
    actual = zero.copy()
    actual[:back, 0] = 10.0
    return Fold(view, actual, actual, np.ones((SERIES, HORIZON)))


def revived(folds: list[Fold], view: View) -> tuple[View, pd.DataFrame, np.ndarray]:
    choice = view.series[["product_id"]].assign(model="zero", reason=view.series["fallback"])
    view, choice, made = revive_series(folds, view, choice, {"chosen": np.zeros((SERIES, HORIZON))})
    return view, choice, made["chosen"]


def test_the_rate_is_what_came_over_the_usual_demand():
    # 40 of 400 periods came back with half the usual demand: 0.05; the two folds have the same
    assert return_rates([fold(10, 40), fold(20, 40)], until=DAYS[50]) == {"dead": pytest.approx(40 * 10 / (400 * SIZE))}


def test_periods_after_the_origin_tell_nothing():
    assert return_rates([fold(10, 40)], until=DAYS[10]) == {}


@pytest.mark.parametrize("back", [0, 15, 19])
def test_rules_that_were_wrong_less_than_once_in_twenty_periods_keep_their_zeros(back: int):
    folds = [fold(10, back)]
    view, choice, chosen = revived(folds, fold(30, 0).view)
    assert not chosen.any()
    assert set(choice["model"]) == {"zero"}
    assert set(view.series["fallback"]) == {"dead"}


def test_a_series_that_comes_back_has_a_mean_a_label_and_a_scale():
    view, choice, chosen = revived([fold(10, 40)], fold(30, 0).view)
    assert np.allclose(chosen, 0.05 * SIZE)
    assert set(choice["model"]) == set(choice["reason"]) == set(view.series["fallback"]) == {"returning"}
    assert set(view.series["scale"]) == {SIZE}


def test_an_agreed_end_is_an_end():
    assert not revived([fold(10, 40)], fold(30, 0, ended=True).view)[2].any()
    assert return_rates([fold(10, 40, ended=True)], until=DAYS[50]) == {}


def test_one_giant_return_counts_as_ten_usual_demands():
    huge = fold(10, 40)
    huge.actual[0, 0] = 1e9
    assert return_rates([huge], until=DAYS[50])["dead"] == pytest.approx((39 * 10 + 10 * SIZE) / (400 * SIZE))


def test_each_rule_has_a_rate_of_its_own():
    folds = [fold(10, 40), replace(fold(20, 0), view=fold(20, 0, rule="all_zeros").view)]
    assert set(return_rates(folds, until=DAYS[50])) == {"dead"}


def book(chance: float) -> pd.DataFrame:
    """120 items of 30 months without known stock: demand in most months, then silent for a year or more, then back by chance."""
    random = np.random.default_rng(5)
    months = pd.date_range("2021-01-01", periods=30, freq="MS")
    sales = np.where(np.arange(30)[None, :] < 10, random.poisson(6, (120, 30)), 0.0)
    late = (np.arange(30)[None, :] >= 17) & (random.random((120, 30)) < chance)
    sales = np.where(late, 6.0, sales)
    frames = [pd.DataFrame({"customer_id": "C", "product_id": f"P{k}", "date": months, "quantity": sales[k]}) for k in range(120)]
    return pd.concat(frames, ignore_index=True)


def test_in_a_whole_panel_silent_items_that_come_back_have_an_upper_quantile_above_zero():
    kept = forecast_all(book(0.0), horizon=3, frequency="month", profile="quick").forecasts
    back = forecast_all(book(0.12), horizon=3, frequency="month", profile="quick").forecasts
    assert set(kept["model"]) == {"zero"}
    assert (kept["q99"] == 0).all()
    revived = back[back["model"] == "returning"]
    assert len(revived) > 30
    assert (revived["q95"] > 0).all()
    assert revived["mean"].mean() == pytest.approx(0.12 * 6, rel=0.5)
