"""Tables of the reports: what would mislead or stay in a foreign language is written otherwise."""

from __future__ import annotations

import pandas as pd
import pytest

from cmi_analysis.displays.forecasting import table_outliers, table_value_added
from cmi_analysis.displays.performance_review import table_collaboration, table_returns, table_scorecard


def test_naive_forecast_adds_nothing_to_itself_and_shows_a_dash() -> None:
    rows = {"step": ["naive", "chosen"], "measure": "sum", "scope": "all", "n": 10, "wape": [0.8, 0.5], "bias": [0.1, 0.0]}
    accuracy = pd.DataFrame({**rows, "mase": 1.0, "value_added": [0.0, 0.3], "low": [0.0, 0.1], "high": [0.0, 0.5]})
    html = table_value_added(accuracy).html
    assert "+0.0 pts" not in html
    assert html.count("–</td>") == 3
    assert "+30.0 pts" in html
    assert accuracy["value_added"].tolist() == [0.0, 0.3]


def test_distance_of_a_hundred_standard_deviations_is_called_over_twenty() -> None:
    item = {"customer_name": "c", "product_name": "p", "period": pd.Timestamp("2026-01-05")}
    rows = pd.DataFrame([{**item, "actual": 90, "mean": 0.25, "deviations": d} for d in (110.09, -8.69)])
    html = table_outliers(rows).html
    assert "110.09" not in html
    assert "over 20" in html
    assert "-8.69" in html


@pytest.mark.parametrize(("reason", "shown"), [("wrong item", "发错货"), ("damaged", "损坏"), ("Farbe", "Farbe"), ("", "未记录")])
def test_usual_reason_of_a_return_is_told_in_the_language_of_the_page(reason: str, shown: str) -> None:
    returns = pd.DataFrame({"reason": [reason], "units": [5.0], "share": [1.0], "lines": [1]})
    assert f">{shown}<" in table_returns(returns, lang="zh").html


def test_figures_on_customers_forecasts_name_their_lag_and_the_table_its_window() -> None:
    blank = {"echelon": "site", "last_year": None, "target": None, "source": "", "status": "none", "n": 30}
    row = {"kpi": "wape", "unit": "rate", "value": 0.7, "low": None, "high": None, "basis": "", **blank}
    card = pd.DataFrame([row]).astype({"last_year": float, "target": float, "low": float, "high": float})
    assert "at lag 3" in table_scorecard(card, lag=3).html
    names = ["sharing", "forecast_conversion", "wape", "wape_naive", "bias", "n", "bullwhip"]
    table = pd.DataFrame([{"customer_name": "c", "customer_id": "c", **dict.fromkeys(names, 1.0)}])
    about = {"forecast_lag": 3, "window_start": "2025-06-29", "as_of": "2026-06-28"}
    assert "at lag 3, 2025-06-29 to 2026-06-28" in table_collaboration(table, settings=about).html
