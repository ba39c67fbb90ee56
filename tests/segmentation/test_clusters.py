"""Clusters of customers with their stability, and clusters of sites."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.measures.geography import haversine_km
from cmi_analysis.segmentation.clusters import cluster_customers, cluster_sites


def people(seed: int = 1, *, apart: float = 1.0) -> pd.DataFrame:
    """Return three kinds of forty customers each, `apart` times as different as real ones."""
    rng = np.random.default_rng(seed)
    parts = []
    for kind, (days, orders, value) in enumerate([(3, 60, 9000), (30, 12, 900), (200, 2, 60)]):
        noise = rng.normal(0, 0.25 / apart, (40, 3))
        columns = np.array([days, orders, value]) * np.exp(noise)
        parts.append(pd.DataFrame(columns, columns=["days_since_last_order", "orders", "value"]).assign(kind=kind))
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(customer_id=[f"C{i:03d}" for i in range(len(frame))])


def test_planted_kinds_are_found_numbered_by_value_and_come_back() -> None:
    frame = people(apart=2.0)
    labels, alike = cluster_customers(frame, clusters=3)
    found = frame.merge(labels, on="customer_id")
    assert (found["cluster"] == found["kind"] + 1).all()
    assert alike > 0.98
    assert (labels["cluster_keep_share"] > 0.95).all()


def test_customers_without_kinds_give_clusters_that_do_not_come_back() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(np.exp(rng.normal(0, 1, (200, 3))), columns=["days_since_last_order", "orders", "value"])
    frame = frame.assign(customer_id=[f"C{i:03d}" for i in range(200)])
    assert cluster_customers(frame, clusters=6)[1] < 0.8


def test_unit_row_order_and_an_idle_customer_change_nothing() -> None:
    frame = people()
    plain = cluster_customers(frame, clusters=3, resamples=3)[0]
    pd.testing.assert_frame_equal(cluster_customers(frame.assign(value=frame["value"] * 7.3), clusters=3, resamples=3)[0], plain)
    pd.testing.assert_frame_equal(cluster_customers(frame.sample(frac=1, random_state=1), clusters=3, resamples=3)[0], plain)
    idle = pd.concat([frame, frame.head(1).assign(customer_id="idle", orders=0.0, value=0.0)], ignore_index=True)
    pd.testing.assert_frame_equal(cluster_customers(idle, clusters=3, resamples=3)[0], plain)


def test_too_few_customers_are_refused() -> None:
    with pytest.raises(InputError, match="at least 30 customers with an order; found 12"):
        cluster_customers(people().head(12))


def test_no_two_sites_of_a_cluster_are_farther_apart_than_allowed_and_merged_clusters_would_be() -> None:
    rng = np.random.default_rng(4)
    sites = pd.DataFrame({"latitude": rng.uniform(48, 52, 40), "longitude": rng.uniform(6, 12, 40)})
    sites = sites.assign(customer_id=[f"C{i:02d}" for i in range(40)])
    sites.loc[3, "latitude"] = np.nan
    result = cluster_sites(sites, within_km=120.0)
    assert result.loc[result["customer_id"] == "C03", "site_cluster"].isna().all()
    known = sites.merge(result.dropna(subset=["site_cluster"]), on="customer_id")
    groups = dict(iter(known.groupby("site_cluster")))

    def width(one: pd.DataFrame, other: pd.DataFrame) -> float:
        return max(
            float(haversine_km(a.latitude, a.longitude, b.latitude, b.longitude))
            for a in one.itertuples()
            for b in other.itertuples()
        )

    assert all(width(group, group) <= 120.0 for group in groups.values())
    assert all(width(one, other) > 120.0 for i, one in groups.items() for j, other in groups.items() if i < j)
    sizes = known.groupby("site_cluster").size()
    assert sizes.is_monotonic_decreasing
    assert (known["site_cluster_sites"] == known["site_cluster"].map(sizes)).all()


def test_one_site_and_none() -> None:
    site = pd.DataFrame({"customer_id": ["a"], "latitude": [50.0], "longitude": [8.0]})
    assert cluster_sites(site)["site_cluster"].tolist() == [1]
    assert cluster_sites(site.iloc[:0]).empty
