"""Distances and bands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.measures.geography import classify_distances, haversine_km

WAREHOUSES = pd.DataFrame({"warehouse_id": ["W1", "W2"], "latitude": [0.0, 0.0], "longitude": [0.0, 10.0]})
DEGREE = 6371.0088 * np.pi / 180


def customers(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_beijing_shanghai_is_the_published_distance() -> None:
    # 1067 km between the city centres (39.9042 N 116.4074 E; 31.2304 N 121.4737 E)
    assert float(haversine_km(39.9042, 116.4074, 31.2304, 121.4737)) == pytest.approx(1067, abs=1)


def test_the_warehouse_named_counts_even_if_another_is_nearer() -> None:
    frame = customers(customer_id=["C1"], latitude=[0.0], longitude=[1.0], warehouse_id=["W2"])
    row = classify_distances(frame, WAREHOUSES).iloc[0]
    assert (row["warehouse_id"], row["warehouse_assumed"]) == ("W2", False)
    assert row["distance_km"] == pytest.approx(9 * DEGREE)
    assert row["distance_band"] == "500+"


def test_without_a_named_warehouse_the_nearest_is_assumed_and_marked() -> None:
    frame = customers(customer_id=["C2", "C1"], latitude=[0.0, 0.0], longitude=[9.0, 1.0])
    result = classify_distances(frame, WAREHOUSES)
    assert result["customer_id"].tolist() == ["C1", "C2"]
    assert result["warehouse_id"].tolist() == ["W1", "W2"]
    assert result["warehouse_assumed"].all()


def test_a_distance_on_the_end_of_a_band_belongs_to_the_nearer_band() -> None:
    frame = customers(customer_id=["C1"], latitude=[0.0], longitude=[1.0], warehouse_id=["W1"])
    assert (
        classify_distances(frame, WAREHOUSES, bands_km=[float(haversine_km(0, 1, 0, 0)), 500])["distance_band"].iloc[0]
        == "0–111.195"
    )


def test_missing_coordinates_give_no_distance() -> None:
    frame = customers(customer_id=["C1", "C2"], latitude=[np.nan, 0.0], longitude=[1.0, 0.0], warehouse_id=["W1", "W9"])
    result = classify_distances(frame, WAREHOUSES)
    assert result["distance_km"].isna().all()
    assert result["distance_band"].tolist() == ["", ""]
    assert result["warehouse_id"].tolist() == ["W1", "W9"]


def test_empty_frames_are_handled_and_inputs_stay() -> None:
    frame = customers(customer_id=["C1"], latitude=[0.0], longitude=[1.0])
    before = frame.copy()
    assert classify_distances(frame.iloc[:0], WAREHOUSES).empty
    assert classify_distances(frame, WAREHOUSES.iloc[:0])["distance_km"].isna().all()
    pd.testing.assert_frame_equal(frame, before)
