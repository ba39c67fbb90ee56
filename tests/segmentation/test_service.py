"""Promised service and regions."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from cmi_analysis.segmentation.service import table_regions, table_service_need


def test_the_strictest_valid_promise_counts() -> None:
    contracts = pd.DataFrame(
        {
            "customer_id": ["C1", "C1", "C1", "C2"],
            "measure": ["otif", "order_fill", "shelf_fill", "otif"],
            "level": [0.9, 0.97, 0.999, 0.95],
            "window": ["month", "quarter", "month", "month"],
            "valid_from_on": pd.to_datetime(["2024-01-01", "2024-01-01", "2026-01-01", "2024-01-01"]),
            "valid_to_on": pd.to_datetime([None, None, None, "2024-12-31"]),
            "penalty": [None, 5.0, None, None],
        }
    )
    result = table_service_need(contracts, as_of=dt.date(2025, 6, 1))
    assert result.values.tolist() == [["C1", "order_fill", 0.97, "quarter", 2, True]]
    assert table_service_need(contracts.iloc[:0], as_of=dt.date(2025, 6, 1)).empty


def test_regions_sum_to_the_whole() -> None:
    customers = pd.DataFrame(
        {
            "customer_id": ["C1", "C2", "C3"],
            "region": ["north", "north", None],
            "distance_band": ["0–50", "0–50", ""],
            "value": [10.0, 20.0, 70.0],
            "distance_km": [10.0, 30.0, None],
            "contract_level": [0.95, None, 0.9],
        }
    )
    result = table_regions(customers)
    assert result["region"].tolist() == ["", "north"]
    assert result["customers"].tolist() == [1, 2]
    assert result["customers_under_contract"].tolist() == [1, 1]
    assert result["distance_km"].tolist()[1] == 20.0
    assert result["value_share"].sum() == pytest.approx(1.0)
