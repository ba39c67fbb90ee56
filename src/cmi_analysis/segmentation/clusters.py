"""Groups that nobody named: k-means on what customers do, with how far to trust it; and sites close to each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.measures.geography import haversine_km

FEATURES = ("days_since_last_order", "orders", "value")
LEAST_CUSTOMERS = 30


def cluster_customers(
    profile: pd.DataFrame,
    *,
    features: Sequence[str] = FEATURES,
    clusters: int = 4,
    resamples: int = 30,
    least_customers: int = LEAST_CUSTOMERS,
    seed: int = 1,
) -> tuple[pd.DataFrame, float]:
    """Return the cluster of each customer that ordered, numbered by value, and how well the clusters come back.

    Parameters
    ----------
    profile : pandas.DataFrame
        ``customer_id``, ``orders``, ``value`` and `features` of the *pooled* population; rows without an order are left out.
    features : sequence of str
        Columns clustered on; each becomes ln(1 + x / median), cut at 0 below, then z-scores: the unit makes no difference.
    clusters : int
        Number of clusters [count].
    resamples, seed : int
        Populations drawn anew, and the seed.
    least_customers : int
        With fewer there are no clusters [count].

    Returns
    -------
    tuple of pandas.DataFrame and float
        ``customer_id``, ``cluster`` (1 has the largest median value), ``cluster_keep_share`` [fraction of the draws in which the
        customer stays with the plurality of its cluster], sorted by ``customer_id``; and the mean adjusted Rand index between the
        clusters and those of the resampled populations (1: the same every time, 0: chance).

    Raises
    ------
    InputError
        Fewer than `least_customers` customers with an order.

    Notes
    -----
    k-means with k-means++ and ten starts. Hubert and Arabie (1985), Comparing partitions, Journal of Classification 2, for the
    index; Hennig (2007), Cluster-wise assessment of cluster stability, for the bootstrap. Below an index of about 0.8 the borders
    are drawn differently each time: the clusters are a second opinion beside the segments and decide nothing.
    """
    people = profile.loc[profile["orders"] > 0].sort_values("customer_id", kind="stable", ignore_index=True)
    if len(people) < max(least_customers, clusters):
        raise InputError(
            expected=f"at least {max(least_customers, clusters)} customers with an order",
            found=f"{len(people)}",
            fix="Cluster the whole population, or none.",
        )
    points = _scaled(people, features)
    found = _k_means(points, clusters=clusters, seed=seed).predict(points)
    order = pd.Series(people["value"].to_numpy()).groupby(found).median().sort_values(ascending=False, kind="stable").index
    number = pd.Series(np.arange(1, len(order) + 1), index=order)
    label = number.reindex(found).to_numpy()
    alike, kept = _bootstrap(points, label, clusters=clusters, resamples=resamples, seed=seed)
    columns = {"customer_id": people["customer_id"], "cluster": label.astype("int64"), "cluster_keep_share": kept}
    return pd.DataFrame(columns), alike


def _scaled(people: pd.DataFrame, features: Sequence[str]) -> np.ndarray:
    columns = []
    for name in features:
        values = people[name].to_numpy(dtype="float64").clip(min=0.0)
        known = values[~np.isnan(values)]
        values = np.where(np.isnan(values), np.median(known) if len(known) else 0.0, values)
        middle = float(np.median(values[values > 0])) if (values > 0).any() else 1.0
        logs = np.log1p(values / middle)
        columns.append((logs - logs.mean()) / (logs.std() or 1.0))
    return np.stack(columns, axis=1)


def _k_means(points: np.ndarray, *, clusters: int, seed: int, starts: int = 10):  # type: ignore[no-untyped-def]
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=clusters, n_init=starts, random_state=seed).fit(points)


def _bootstrap(points: np.ndarray, label: np.ndarray, *, clusters: int, resamples: int, seed: int) -> tuple[float, np.ndarray]:
    """Return the mean adjusted Rand index and each point's share of draws in which it goes with most of its cluster."""
    from sklearn.metrics import adjusted_rand_score

    generator = np.random.default_rng(seed)
    alike, kept = [], np.zeros(len(points))
    for number in range(resamples):
        drawn = points[generator.integers(0, len(points), len(points))]
        other = _k_means(drawn, clusters=clusters, seed=seed + number, starts=3).predict(points)
        alike.append(adjusted_rand_score(label, other))
        most = pd.crosstab(label, other).idxmax(axis=1)
        kept += most.reindex(label).to_numpy() == other
    return float(np.mean(alike)) if alike else float("nan"), kept / max(resamples, 1)


def cluster_sites(customers: pd.DataFrame, *, within_km: float = 100.0) -> pd.DataFrame:
    """Return groups of sites in which no two are farther apart than `within_km`.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``customer_id``, ``latitude``, ``longitude`` [degrees].
    within_km : float
        Largest distance as the crow flies between two sites of one group [km].

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``site_cluster`` (1 has the most sites; missing where a coordinate is), ``site_cluster_sites`` [count],
        sorted by ``customer_id``.

    Notes
    -----
    Complete-linkage clustering of great-circle distances, cut at `within_km`.

    Examples
    --------
    Two sites about 11 km apart, one 111 km north of them.

    >>> sites = pd.DataFrame({"customer_id": list("abc"), "latitude": [50.0, 50.1, 51.1], "longitude": 8.0})
    >>> cluster_sites(sites, within_km=50)["site_cluster"].tolist()
    [1, 1, 2]
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    ordered = customers.sort_values("customer_id", kind="stable", ignore_index=True)
    known = ordered[["latitude", "longitude"]].notna().all(axis=1).to_numpy()
    here = ordered.loc[known, ["latitude", "longitude"]].to_numpy(dtype="float64")
    found = np.ones(len(here), dtype="int64")
    if len(here) > 1:
        above = np.triu_indices(len(here), k=1)
        apart = haversine_km(here[above[0], 0], here[above[0], 1], here[above[1], 0], here[above[1], 1])
        found = fcluster(linkage(apart, method="complete"), t=within_km, criterion="distance")
    sizes = pd.Series(found).value_counts()
    firsts = pd.Series(np.arange(len(found))).groupby(found).first()
    order = sorted(sizes.index, key=lambda name: (-int(sizes[name]), int(firsts[name])))
    number = {name: place + 1 for place, name in enumerate(order)}
    result = ordered[["customer_id"]].assign(site_cluster=pd.array([pd.NA] * len(ordered), dtype="Int64"))
    result.loc[known, "site_cluster"] = [number[name] for name in found]
    result["site_cluster_sites"] = 0
    result.loc[known, "site_cluster_sites"] = sizes.reindex(found).to_numpy()
    return result
