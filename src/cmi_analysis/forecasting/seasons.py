"""Seasonal indices pooled over many series, and used only where the pooled demand shows a season."""

from __future__ import annotations

import numpy as np
import pandas as pd

SEASONS = 12
# a season is used where a flat demand would look as seasonal less often than this
SIGNIFICANCE = 0.01
INDEX_COLUMNS = ["origin", "category", "season", "index", "n", "used"]


def season_of(periods: pd.DatetimeIndex | pd.Series, *, frequency: str) -> np.ndarray:
    """Return the month, 1 to 12, in which most days of each period lie (a week's fourth day).

    Examples
    --------
    >>> season_of(pd.to_datetime(["2024-01-29", "2024-02-26"]), frequency="week").tolist()
    [2, 2]
    """
    middle = pd.DatetimeIndex(periods) + pd.Timedelta(days=3 if frequency == "week" else 0)
    return middle.month.to_numpy()


def seasonal_indices(
    panel: pd.DataFrame, *, origins: list[pd.Timestamp], frequency: str, least_customers: int = 1
) -> pd.DataFrame:
    """Return the seasonal index of each month by category, as known at each origin.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``customer_id``, ``category`` (may be empty), ``period``, ``demand`` [sales units].
    origins : list of pandas.Timestamp
        Last period known; the indices of an origin use no later one.
    frequency : {"week", "month"}
        Length of a period.
    least_customers : int
        Categories with fewer customers get no index of their own (the one over all categories is used) [count].

    Returns
    -------
    pandas.DataFrame
        ``origin, category`` ("" = all together), ``season`` (month 1–12), ``index`` (mean 1), ``n`` [months of data], ``used``
        (bool: false where there is no evidence of a season; the index is 1 then), sorted.

    Notes
    -----
    The mean demand per period of each calendar month, added up over the series, in logs, is regressed on a straight line and
    twelve month effects. The season is used where the F test of equal effects is below 1 % and there are two years of data; the
    effects are then shrunk by the James–Stein factor 1 − 1/F and scaled to a mean of 1.
    Sources: Hyndman and Athanasopoulos (2021), Forecasting: Principles and Practice, section 7.4 (seasonal dummies); shrinkage of
    seasonal factors: Miller and Williams (2003), International Journal of Forecasting 19, 669–684.
    """
    frames = []
    for origin in origins:
        known = panel[panel["period"] <= origin]
        groups = [("", known)]
        groups += [(name, part) for name, part in known.groupby("category", sort=True, observed=True) if name != ""]
        for name, part in groups:
            if name == "" or part["customer_id"].nunique() >= least_customers:
                frames.append(_one(part, frequency=frequency).assign(origin=origin, category=name))
    if not frames:
        return empty_indices()
    return pd.concat(frames, ignore_index=True)[INDEX_COLUMNS].sort_values(["origin", "category", "season"], ignore_index=True)


def empty_indices() -> pd.DataFrame:
    """Return seasonal indices without rows."""
    kinds = {"origin": "datetime64[ns]", "category": "object", "season": "int64", "n": "int64", "used": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in INDEX_COLUMNS})


def index_matrix(indices: pd.DataFrame, *, categories: pd.Series, seasons: np.ndarray, origin: pd.Timestamp) -> np.ndarray:
    """Return the index of each series (by its category) in each period (by its month), as known at `origin`; 1 without any."""
    known = indices[indices["origin"] <= origin]
    if known.empty:
        return np.ones((len(categories), len(seasons)))
    newest = known[known["origin"] == known["origin"].max()]
    table = newest.set_index(["category", "season"])["index"].unstack("season")  # noqa: PD010
    table = table.reindex(columns=range(1, SEASONS + 1), fill_value=1.0)
    names = categories.where(categories.isin(table.index), "")
    rows = table.reindex(names).fillna(1.0).to_numpy()
    return rows[:, np.asarray(seasons) - 1]


def _one(part: pd.DataFrame, *, frequency: str) -> pd.DataFrame:
    totals = part.groupby("period", sort=True)["demand"].sum(min_count=1).dropna()
    months = pd.DataFrame({"total": totals.to_numpy(), "season": season_of(totals.index, frequency=frequency)})
    middle = pd.DatetimeIndex(totals.index) + pd.Timedelta(days=3 if frequency == "week" else 0)
    months["month"] = (middle.year * 12 + middle.month).to_numpy()
    means = months.groupby("month", sort=True).agg(total=("total", "mean"), season=("season", "first")).reset_index()
    means = means[means["total"] > 0]
    index, used = np.ones(SEASONS), False
    if len(means) >= 2 * SEASONS and means["season"].nunique() == SEASONS:
        index, used = _fit(np.log(means["total"].to_numpy()), means["month"].to_numpy(float), means["season"].to_numpy())
    return pd.DataFrame({"season": np.arange(1, SEASONS + 1), "index": index, "n": len(means), "used": used})


def _fit(logs: np.ndarray, month: np.ndarray, season: np.ndarray) -> tuple[np.ndarray, bool]:
    from scipy.stats import f as f_distribution

    line = np.column_stack([np.ones(len(logs)), (month - month.mean()) / 12])
    dummies = (season[:, None] == np.arange(1, SEASONS + 1)).astype(float)
    full = np.column_stack([dummies, line[:, 1]])
    effects = np.linalg.lstsq(full, logs, rcond=None)[0]
    within = float(((logs - full @ effects) ** 2).sum())
    flat = float(((logs - line @ np.linalg.lstsq(line, logs, rcond=None)[0]) ** 2).sum())
    rest = len(logs) - SEASONS - 1
    if within <= 1e-12 * max(flat, 1e-12) or rest < 1:
        ratio = np.inf if flat > 1e-9 else 0.0
    else:
        ratio = (flat - within) / (SEASONS - 1) / (within / rest)
    if f_distribution.sf(ratio, SEASONS - 1, max(rest, 1)) >= SIGNIFICANCE:
        return np.ones(SEASONS), False
    shrunk = (effects[:SEASONS] - effects[:SEASONS].mean()) * (1 - 1 / ratio)
    index = np.exp(shrunk)
    return index / index.mean(), True
