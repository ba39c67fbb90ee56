"""The global model's frame: keyed by series and origin, plans and prices as they were known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.demand import demand_panel
from cmi_analysis.forecasting.global_model import boosting_matrix, forecast_globally, plan_matrix, price_matrix
from cmi_analysis.forecasting.grid import Grid, panel_grid

WEEKS = pd.date_range("2022-01-03", periods=110, freq="W-MON")
SETTINGS = Settings("week", "Monday", 6)


def panel(series: int = 24) -> pd.DataFrame:
    random = np.random.default_rng(2)
    frames = []
    for k in range(series):
        quantity = random.poisson(5 + k, len(WEEKS)) * 1.0
        frames.append(pd.DataFrame({"customer_id": f"C{k % 4}", "product_id": f"P{k // 4}", "date": WEEKS, "quantity": quantity}))
    sales = pd.concat(frames, ignore_index=True)
    return demand_panel(sales, as_of=(WEEKS[-1] + pd.Timedelta(days=6)).date())


def test_every_origin_has_its_own_rows_and_the_matrix_gives_them_back():
    rows = panel()
    made = forecast_globally(rows, settings=SETTINGS, folds=3)
    grid = panel_grid(rows)
    assert made["origin"].nunique() == 4
    assert made["origin"].max() == grid.periods[-1]
    matrix = boosting_matrix(made, grid, grid.periods[-1], SETTINGS)
    one = made[(made["origin"] == grid.periods[-1]) & (made["customer_id"] == "C1") & (made["product_id"] == "P2")]
    number = int(np.flatnonzero((grid.series["customer_id"] == "C1") & (grid.series["product_id"] == "P2"))[0])
    np.testing.assert_array_equal(matrix[number], one.sort_values("lead")["mean"])


def test_a_later_period_changes_no_earlier_origin():
    rows = panel()
    last = rows["period"].max()
    changed = rows.assign(demand=rows["demand"].where(rows["period"] < last, rows["demand"] * 50))
    first, second = (forecast_globally(part, settings=SETTINGS, folds=3) for part in (rows, changed))
    before = first["origin"] < last
    pd.testing.assert_frame_equal(first[before], second[second["origin"] < last])
    assert not first[~before]["mean"].equals(second[second["origin"] == last]["mean"])


def test_without_forecasts_there_is_no_matrix():
    grid = panel_grid(panel())
    assert boosting_matrix(None, grid, grid.periods[-1], SETTINGS) is None


def test_a_promotion_touches_its_product_and_weeks_once_it_is_announced():
    grid = Grid(pd.DataFrame({"customer_id": ["C0", "C1"], "product_id": ["P0", "P1"]}), WEEKS[:4])
    window = {"starts_on": WEEKS[1] + pd.Timedelta(days=5), "ends_on": WEEKS[2], "product_id": "P1", "announced_on": WEEKS[1]}
    promotions = pd.DataFrame([window])
    early, late = (plan_matrix(promotions, grid, periods=WEEKS[:5], known_on=day) for day in (WEEKS[0], WEEKS[1]))
    assert not early.any()
    assert late.tolist() == [[False] * 5, [False, True, True, False, False]]


def test_a_promotion_of_a_group_touches_its_customers():
    grid = Grid(pd.DataFrame({"customer_id": ["C0", "C1"], "product_id": ["P0", "P0"]}), WEEKS[:3])
    promotions = pd.DataFrame([{"starts_on": WEEKS[0], "ends_on": WEEKS[0], "customer_group": "North"}])
    groups = pd.Series({"C0": "North", "C1": "South"})
    found = plan_matrix(promotions, grid, periods=WEEKS[:3], known_on=WEEKS[2], groups=groups)
    assert found.tolist() == [[True, False, False], [False] * 3]


def test_prices_are_means_of_their_week_and_unknown_elsewhere():
    grid = Grid(pd.DataFrame({"customer_id": ["C0"], "product_id": ["P0"]}), WEEKS[:3])
    days = [WEEKS[1], WEEKS[1] + pd.Timedelta(days=3)]
    prices = pd.DataFrame({"customer_id": "C0", "product_id": "P0", "date": days, "price": [2.0, 4.0]})
    np.testing.assert_array_equal(price_matrix(prices, grid, SETTINGS), [[np.nan, 3.0, np.nan]])
