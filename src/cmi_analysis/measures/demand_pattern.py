"""Demand pattern of a series: how often it is asked for, and how much the sizes vary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

SERIES = ("customer_id", "product_id")
PATTERNS = ("smooth", "erratic", "intermittent", "lumpy", "too_few")


def classify_demand(
    series: pd.DataFrame,
    *,
    adi_cutoff: float = 1.32,
    cv2_cutoff: float = 0.49,
    least_demands: int = 3,
    keys: Sequence[str] = SERIES,
    calendar: pd.DatetimeIndex | None = None,
) -> pd.DataFrame:
    """Return the demand pattern of each series by its average demand interval and its squared variation of sizes.

    Parameters
    ----------
    series : pandas.DataFrame
        One row per series and complete period, zeros written out: `keys`, ``period``, ``quantity`` [sales units]; optional
        ``in_stock`` [bool, or fraction of the period].
    adi_cutoff : float
        Above it demand is intermittent; the cut-off itself still counts as frequent [periods].
    cv2_cutoff : float
        Above it sizes vary much; the cut-off itself still counts as steady [ratio].
    least_demands : int
        Fewer demands than this are "too_few" [count].
    keys : sequence of str
        Columns that name a series.
    calendar : pandas.DatetimeIndex, optional
        First days of all complete periods, rising. With it zeros need not be written out: a period of the calendar from a series'
        first demand on without a row had no demand. Rows outside the calendar are not used.

    Returns
    -------
    pandas.DataFrame
        `keys`, ``periods`` [count], ``masked_periods`` [count], ``demands`` [count], ``adi`` [periods], ``mean_size``
        [sales units], ``cv2`` [ratio], ``pattern`` (smooth, erratic, intermittent, lumpy, too_few), sorted by `keys`.

    Notes
    -----
    ADI is periods per demand: the periods from the series' first demand to its last row, trailing zeros with them, divided by the
    periods with demand. (The mean gap between demands is another number: it forgets the trailing zeros.) A period without
    demand that had no stock (``in_stock`` false or 0), and one of unknown quantity, say nothing about demand: they are masked,
    that is left out of the periods and counted in ``masked_periods``. A negative quantity (net return) is no demand. CV² is the
    sample variance (n − 1) of the sizes of demand over their squared mean.

    Source: Syntetos, Boylan and Croston (2005), On the categorization of demand patterns, JORS 56, p. 500 (1.32 and 0.49).

    Examples
    --------
    Six periods from the first demand on, three demands: ADI 2; sizes 4, 4, 4: CV² 0.

    >>> weeks = pd.date_range("2025-01-06", periods=7, freq="W-MON")
    >>> frame = pd.DataFrame({"customer_id": "C", "product_id": "P", "period": weeks, "quantity": [0.0, 4, 0, 4, 4, 0, 0]})
    >>> classify_demand(frame)[["periods", "demands", "adi", "cv2", "pattern"]].values.tolist()
    [[6, 3, 2.0, 0.0, 'intermittent']]
    """
    names = list(keys)
    rows = series[[*names, "period", "quantity"]].copy()
    rows["masked"] = _masked(series)
    if calendar is not None:
        rows = rows.loc[rows["period"].isin(calendar)]
    rows["size"] = rows["quantity"].astype("float64").where(rows["quantity"] > 0)
    first = rows.loc[rows["size"].notna()].groupby(names, observed=True)["period"].min().rename("first_demand")
    rows = rows.merge(first.reset_index(), on=names, how="left")
    live = rows["period"] >= rows["first_demand"]
    rows["counted"] = live & ~rows["masked"]
    rows["left_out"] = live & rows["masked"]
    rows = rows.sort_values([*names, "period"], kind="stable")
    grouped = rows.groupby(names, observed=True, sort=True)
    result = grouped.agg(
        periods=("counted", "sum"),
        masked_periods=("left_out", "sum"),
        demands=("size", "count"),
        mean_size=("size", "mean"),
        variance=("size", "var"),
    ).reset_index()
    if calendar is not None:
        starts = result[names].merge(first.reset_index(), on=names, how="left")["first_demand"]
        span = (len(calendar) - calendar.get_indexer(starts)).astype("int64")
        result["periods"] = np.where(starts.notna(), span - result["masked_periods"], 0)
    demands = result["demands"].astype("float64")
    result["adi"] = result["periods"] / demands.where(demands > 0)
    result["cv2"] = result["variance"] / result["mean_size"] ** 2
    result["pattern"] = _pattern(result, adi_cutoff=adi_cutoff, cv2_cutoff=cv2_cutoff, least_demands=least_demands)
    return result[[*names, "periods", "masked_periods", "demands", "adi", "mean_size", "cv2", "pattern"]]


def classify_matrix(
    quantity: np.ndarray, *, in_stock: np.ndarray, adi_cutoff: float = 1.32, cv2_cutoff: float = 0.49, least_demands: int = 3
) -> np.ndarray:
    """Return the pattern of each series as `classify_demand` finds it, from matrices of series × periods.

    Parameters
    ----------
    quantity : numpy.ndarray
        NaN where unknown or without a row [sales units].
    in_stock : numpy.ndarray
        Fraction of the period with stock, NaN = not known.
    adi_cutoff, cv2_cutoff, least_demands
        As in `classify_demand`.
    """
    sold = quantity > 0
    masked = np.isnan(quantity) | ((in_stock <= 0) & ~sold)
    demands = sold.sum(axis=1)
    size = np.where(sold, quantity, 0.0)
    mean = size.sum(axis=1) / np.maximum(demands, 1)
    square = np.where(sold, (size - mean[:, None]) ** 2, 0.0).sum(axis=1)
    begun = np.cumsum(sold, axis=1) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "adi": np.where(demands > 0, (begun & ~masked).sum(axis=1) / demands, np.nan),
            "cv2": np.where(demands > 1, square / (demands - 1) / mean**2, np.nan),
        }
    frame = pd.DataFrame(found | {"demands": demands})
    return _pattern(frame, adi_cutoff=adi_cutoff, cv2_cutoff=cv2_cutoff, least_demands=least_demands)


def _masked(series: pd.DataFrame) -> pd.Series:
    """Tell which rows say nothing about demand: unknown quantity, or none sold while nothing was there."""
    unknown = series["quantity"].isna()
    if "in_stock" not in series:
        return unknown
    empty = series["in_stock"].astype("Float64").fillna(1.0).le(0).astype(bool)
    return unknown | (empty & ~(series["quantity"] > 0))


def _pattern(result: pd.DataFrame, *, adi_cutoff: float, cv2_cutoff: float, least_demands: int) -> np.ndarray:
    rare = result["adi"] > adi_cutoff
    varied = result["cv2"] > cv2_cutoff
    few = result["demands"] < least_demands
    return np.select(
        [few, rare & varied, rare, varied], ["too_few", "lumpy", "intermittent", "erratic"], default="smooth"
    ).astype(object)
