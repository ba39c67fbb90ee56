"""Where customers are: distances, domestic or international, clusters of sites; wired from the tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.measures.geography import classify_distances
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.segmentation.clusters import cluster_sites
from cmi_analysis.segmentation.market import classify_market
from cmi_analysis.tables import DataSet


def distances(tables: DataSet) -> pd.DataFrame:
    """Return the serving warehouse, distance and band of the customers listed, as `classify_distances` does."""
    if tables.get("customers") is None:
        return pd.DataFrame(columns=["customer_id", "warehouse_id", "warehouse_assumed", "distance_km", "distance_band"])
    listed = tables["customers"].drop_duplicates("customer_id")
    if tables.has("customers", "latitude", "longitude") and tables.has("warehouses", "latitude", "longitude"):
        return classify_distances(listed, tables["warehouses"])
    none = {"warehouse_id": None, "warehouse_assumed": False, "distance_km": np.nan, "distance_band": ""}
    return listed[["customer_id"]].assign(**none)


def market_of(tables: DataSet, params: SegmentationParams) -> pd.DataFrame:
    """Return ``customer_id``, ``market`` (domestic, international, unknown) of the customers listed."""
    places = distances(tables)
    if places.empty or not tables.has("customers", "country"):
        return places[["customer_id"]].astype(object).assign(market="unknown")
    country = tables["customers"].drop_duplicates("customer_id").set_index("customer_id")["country"]
    rows = places.assign(country=places["customer_id"].map(country))
    return rows[["customer_id"]].assign(market=classify_market(rows, home_country=params.home_country))


def site_clusters(tables: DataSet, params: SegmentationParams) -> pd.DataFrame:
    """Return the clusters of the sites listed; none where there are no coordinates."""
    if tables.get("customers") is None or not tables.has("customers", "latitude", "longitude"):
        names = {"customer_id": "object", "site_cluster": "Int64", "site_cluster_sites": "int64"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in names.items()})
    return cluster_sites(tables["customers"].drop_duplicates("customer_id"), within_km=params.site_cluster_km)
