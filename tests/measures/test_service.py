from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.measures.service import score_cover, score_in_stock_rate


def test_rate_is_a_ratio_of_sums_over_items() -> None:
    rows = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "product_id": list("ppqp"), "on_hand": [1.0, 0.0, 2.0, 0.0]})
    table = score_in_stock_rate(rows, by=["customer_id"])
    assert table["in_stock_rate"].tolist() == pytest.approx([2 / 3, 0.0])
    assert table["snapshots"].tolist() == [3, 1]


def test_unknown_stock_does_not_count() -> None:
    rows = pd.DataFrame({"customer_id": ["a", "a"], "on_hand": [np.nan, 1.0]})
    assert score_in_stock_rate(rows, by=["customer_id"])["snapshots"].tolist() == [1]


def test_no_snapshot_gives_no_row() -> None:
    rows = pd.DataFrame({"customer_id": pd.Series(dtype=object), "on_hand": pd.Series(dtype=float)})
    assert score_in_stock_rate(rows, by=["customer_id"]).empty


def test_cover_against_a_plain_loop() -> None:
    daily = np.array([1.0, 0.0, 4.0, 2.0])
    cumulative = np.concatenate([[0.0], daily.cumsum()])[None, :]
    assert score_cover(np.array([3.0]), cumulative_demand=cumulative).tolist() == [2.5]


@pytest.mark.parametrize(("stock", "days"), [(0.0, 0.0), (-4.0, 0.0), (99.0, np.inf)])
def test_cover_of_empty_and_endless_stock(stock: float, days: float) -> None:
    assert score_cover(np.array([stock]), cumulative_demand=np.array([[0.0, 2.0, 4.0]])).tolist() == [days]


def test_cover_without_demand_is_endless_and_without_stock_count_missing() -> None:
    days = score_cover(np.array([1.0, np.nan]), cumulative_demand=np.zeros((2, 4)))
    assert days[0] == np.inf
    assert np.isnan(days[1])
