"""Where customers are: distance to the warehouse that serves them, in bands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

EARTH_RADIUS_KM = 6371.0088
BANDS_KM = (50.0, 150.0, 500.0)


def classify_distances(
    customers: pd.DataFrame, warehouses: pd.DataFrame, *, bands_km: Sequence[float] = BANDS_KM
) -> pd.DataFrame:
    """Return for each customer the warehouse that serves it, the distance as the crow flies, and its band.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``customer_id``, ``latitude``, ``longitude`` [degrees]; optional ``warehouse_id``.
    warehouses : pandas.DataFrame
        ``warehouse_id``, ``latitude``, ``longitude`` [degrees].
    bands_km : sequence of float
        Upper ends of the bands, rising; a distance on the end belongs to the nearer band [km].

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``warehouse_id`` (the one that serves it; where none is named, the nearest), ``warehouse_assumed``
        [bool], ``distance_km`` [km], ``distance_band`` ("0–50", …, "500+", empty where a coordinate is missing), sorted by
        ``customer_id``.

    Notes
    -----
    Great-circle distance by the haversine formula on a sphere of 6371.0088 km (mean radius, IUGG). Roads are longer.
    """
    places = warehouses.dropna(subset=["latitude", "longitude"]).sort_values("warehouse_id", kind="stable")
    ordered = customers.sort_values("customer_id", kind="stable", ignore_index=True)
    grid = _grid(ordered, places)
    names = places["warehouse_id"].to_numpy(dtype=object)
    named = (ordered["warehouse_id"] if "warehouse_id" in ordered else pd.Series(None, index=ordered.index)).astype(object)
    position = pd.Index(names).get_indexer(named)
    assumed = (named.isna() & ordered[["latitude", "longitude"]].notna().all(axis=1)).to_numpy() & (len(names) > 0)
    served_by = named.where(named.notna(), None).to_numpy(dtype=object, copy=True)
    if len(names):
        position = np.where(assumed, np.where(np.isnan(grid), np.inf, grid).argmin(axis=1), position)
        served_by[assumed] = names[position[assumed]]
    known = np.flatnonzero(position >= 0)
    distance = np.full(len(ordered), np.nan)
    distance[known] = grid[known, position[known]]
    return pd.DataFrame(
        {
            "customer_id": ordered["customer_id"],
            "warehouse_id": served_by,
            "warehouse_assumed": assumed,
            "distance_km": distance,
            "distance_band": _band(distance, bands_km),
        }
    )


def _grid(customers: pd.DataFrame, places: pd.DataFrame) -> np.ndarray:
    """Return the distance from each customer (row) to each warehouse (column)."""
    return haversine_km(
        customers["latitude"].to_numpy(dtype="float64")[:, None],
        customers["longitude"].to_numpy(dtype="float64")[:, None],
        places["latitude"].to_numpy(dtype="float64")[None, :],
        places["longitude"].to_numpy(dtype="float64")[None, :],
    )


def haversine_km(
    from_latitude: np.ndarray | float,
    from_longitude: np.ndarray | float,
    to_latitude: np.ndarray | float,
    to_longitude: np.ndarray | float,
) -> np.ndarray:
    """Return the great-circle distance between points [km].

    Parameters
    ----------
    from_latitude, from_longitude, to_latitude, to_longitude : float or array
        Coordinates [degrees]; arrays are broadcast.

    Notes
    -----
    d = 2 r asin √(sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2)); Sinnott (1984), Virtues of the haversine, Sky & Telescope 68, p. 159.

    Examples
    --------
    A quarter of the equator:

    >>> round(float(haversine_km(0, 0, 0, 90)), 1) == round(6371.0088 * 3.141592653589793 / 2, 1)
    True
    """
    phi_1, lambda_1, phi_2, lambda_2 = (np.radians(x) for x in (from_latitude, from_longitude, to_latitude, to_longitude))
    inner = np.sin((phi_2 - phi_1) / 2) ** 2 + np.cos(phi_1) * np.cos(phi_2) * np.sin((lambda_2 - lambda_1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(inner, 0.0, 1.0))))


def _band(distance: np.ndarray, bands_km: Sequence[float]) -> np.ndarray:
    ends = [0.0, *bands_km]
    labels = [f"{low:g}–{high:g}" for low, high in pairwise(ends)] + [f"{ends[-1]:g}+"]
    position = np.searchsorted(np.asarray(bands_km, dtype="float64"), np.nan_to_num(distance), side="left")
    return np.where(np.isnan(distance), "", np.asarray(labels, dtype=object)[position]).astype(object)
