"""Domestic or international: the customer's country against that of the warehouse that serves it."""

from __future__ import annotations

import numpy as np
import pandas as pd

MARKETS = ("domestic", "international", "unknown")


def classify_market(customers: pd.DataFrame, *, home_country: str = "", near_km: float = 500.0) -> pd.Series:
    """Return "domestic", "international" or "unknown" for each customer; index as in `customers`.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``country``; without `home_country` also ``warehouse_id`` (the one that serves it) and ``distance_km`` to it [km].
    home_country : str
        Our country, in the writing of ``country``. Empty: each warehouse is taken to stand in the country of the customer
        nearest to it, if that is within `near_km`.
    near_km : float
        A nearest customer farther away says nothing of the warehouse's country [km].

    Examples
    --------
    >>> sites = pd.DataFrame({"country": ["DE", "FR", None], "warehouse_id": "W1", "distance_km": [40.0, 300.0, 90.0]})
    >>> classify_market(sites).tolist()
    ['domestic', 'international', 'unknown']
    """
    country = customers["country"].astype(object).where(customers["country"].notna() & (customers["country"] != ""), None)
    if home_country:
        home = pd.Series(home_country, index=customers.index, dtype=object)
    else:
        near = customers.assign(country=country).dropna(subset=["country", "warehouse_id", "distance_km"])
        near = near.loc[near["distance_km"] <= near_km].sort_values(["distance_km", "country"], kind="stable")
        at = near.drop_duplicates("warehouse_id").set_index("warehouse_id")["country"]
        home = customers["warehouse_id"].map(at).astype(object)
    unknown = country.isna() | home.isna()
    names = np.where(unknown, "unknown", np.where(country == home, "domestic", "international"))
    return pd.Series(names.astype(object), index=customers.index, name="market")
