"""Forecast mean and measured error variance of each item's demand from as_of up to any later day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.measures.calendar import Frequency, days_per_period

KEY = ["customer_id", "product_id"]


@dataclass(frozen=True)
class DemandPath:
    """Mean and variance of the demand from the day after as_of up to day t.

    Attributes
    ----------
    mean, variance : numpy.ndarray
        Items × (days + 1), starting with 0 at as_of [units, units²].
    source : numpy.ndarray of str
        For each item: ``errors`` (measured in the back-test), ``interval`` (the forecast's own interval) or ``poisson``.
    """

    mean: np.ndarray
    variance: np.ndarray
    source: np.ndarray

    @property
    def days(self) -> int:
        """Number of days covered."""
        return self.mean.shape[1] - 1

    def of_rows(self, rows: np.ndarray) -> DemandPath:
        """Return the paths of some items, `rows` their places."""
        return DemandPath(self.mean[rows], self.variance[rows], self.source[rows])

    def mean_at(self, day: np.ndarray) -> np.ndarray:
        """Return the mean demand of each item up to its own day(s); `day` has items as its first axis [days]."""
        return _pick(self.mean, day)

    def variance_at(self, day: np.ndarray) -> np.ndarray:
        """Return the variance of each item's demand up to its own day(s) [units²]."""
        return _pick(self.variance, day)


def _pick(values: np.ndarray, day: np.ndarray) -> np.ndarray:
    whole = np.clip(np.round(np.asarray(day)).astype("int64"), 0, values.shape[1] - 1)
    rows = np.arange(len(values)).reshape((-1,) + (1,) * (whole.ndim - 1))
    return values[rows, whole]


def fit_demand_path(
    forecasts: pd.DataFrame,
    errors: pd.DataFrame,
    *,
    items: pd.DataFrame,
    as_of: dt.date,
    frequency: Frequency,
    days: int,
    prior_blocks: float = 4.0,
) -> DemandPath:
    """Return the cumulative mean and variance of each item's demand by day.

    The mean follows the forecast, spread evenly over the days of its period; after the last forecast period the mean rate of
    all forecast periods goes on. The variance over k periods is the mean square of the back-test's error sums over blocks of
    k consecutive periods of one origin (bias included), shrunk to the variance of the forecast's own interval as if that were
    `prior_blocks` blocks; beyond the longest block it grows in proportion to time. It is never below the mean (Poisson).

    Parameters
    ----------
    forecasts : pandas.DataFrame
        customer_id, product_id, period, mean; optional q05, q95 [units].
    errors : pandas.DataFrame
        customer_id, product_id, origin_on, horizon [periods], actual, mean [units]; may be empty.
    items : pandas.DataFrame
        customer_id, product_id; the order of the result's rows. An item without forecast has no demand.
    as_of : datetime.date
        Day 0.
    frequency : {"day", "week", "month"}
        Length of a period.
    days : int
        Days covered.
    prior_blocks : float
        Blocks that the forecast's own interval counts for [count].
    """
    wide = _wide(forecasts, items=items, value="mean")
    rate_by_day = _daily_columns(wide.columns, as_of=as_of, frequency=frequency, days=days)
    values = np.clip(np.nan_to_num(wide.to_numpy(dtype="float64")), 0.0, None)
    mean = np.concatenate([np.zeros((len(items), 1)), (values @ rate_by_day).cumsum(axis=1)], axis=1)
    variance, source = _variance_by_period(forecasts, errors, items=items, values=values, prior_blocks=prior_blocks)
    periods = np.arange(days + 1) / days_per_period(frequency)
    daily = _interpolate(variance, periods)
    return DemandPath(mean=mean, variance=np.maximum(daily, mean), source=source)


def _wide(frame: pd.DataFrame, *, items: pd.DataFrame, value: str) -> pd.DataFrame:
    table = frame.pivot_table(index=KEY, columns="period", values=value, aggfunc="sum", sort=True, observed=True)
    return table.reindex(pd.MultiIndex.from_frame(items[KEY]))


def _daily_columns(periods: pd.Index, *, as_of: dt.date, frequency: str, days: int) -> np.ndarray:
    """Return periods × days: which share of a period's forecast falls on each day after as_of."""
    table = np.zeros((len(periods), days))
    if len(periods) == 0:
        return table
    starts = pd.DatetimeIndex(periods)
    step = {"day": pd.DateOffset(days=1), "week": pd.DateOffset(days=7), "month": pd.DateOffset(months=1)}[frequency]
    ends = starts + step
    lengths = (ends - starts).days.to_numpy(dtype="float64")
    dates = pd.Timestamp(as_of) + pd.to_timedelta(np.arange(1, days + 1), unit="D")
    place = np.clip(starts.searchsorted(dates, side="right") - 1, 0, len(starts) - 1)
    table[place, np.arange(days)] = 1.0 / lengths[place]
    after = dates >= ends[-1]
    table[:, after] = (1.0 / lengths.sum()) if after.any() else 0.0
    return table


def _variance_by_period(
    forecasts: pd.DataFrame, errors: pd.DataFrame, *, items: pd.DataFrame, values: np.ndarray, prior_blocks: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return items × (0 … H periods) of variance and where each item's came from."""
    blocks, counts = _block_squares(errors, items=items)
    longest = max(blocks.shape[1], 1)
    lengths = np.arange(1, longest + 1)
    per_period, has_interval = _interval_variance(forecasts, items=items, values=values)
    prior = per_period[:, None] * lengths
    if blocks.shape[1] == 0:
        blocks, counts = np.zeros((len(items), 1)), np.zeros((len(items), 1))
    mixed = (counts * blocks + prior_blocks * prior) / (counts + prior_blocks)
    source = np.where(counts[:, 0] > 0, "errors", np.where(has_interval, "interval", "poisson"))
    return np.concatenate([np.zeros((len(items), 1)), mixed], axis=1), source


def _interval_variance(forecasts: pd.DataFrame, *, items: pd.DataFrame, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean one-period variance that the 5 % and 95 % quantiles imply, the mean itself where there are none."""
    level = values.mean(axis=1) if values.shape[1] else np.zeros(len(items))
    if not {"q05", "q95"} <= set(forecasts.columns) or forecasts.empty:
        return level, np.zeros(len(items), dtype=bool)
    width = (forecasts["q95"] - forecasts["q05"]).clip(lower=0) / (2 * 1.6448536)
    squares = forecasts[KEY].assign(square=width**2).groupby(KEY, sort=True)["square"].mean()
    found = squares.reindex(pd.MultiIndex.from_frame(items[KEY])).to_numpy(dtype="float64")
    known = ~np.isnan(found)
    return np.maximum(np.where(known, found, level), level), known


def _block_squares(errors: pd.DataFrame, *, items: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return mean squared error sum over blocks of 1 … H periods, and the number of separate blocks behind each."""
    index = pd.MultiIndex.from_frame(items[KEY])
    rows = index.get_indexer(pd.MultiIndex.from_frame(errors[KEY])) if len(errors) else np.array([], dtype="int64")
    known = rows >= 0
    used = errors[known]
    if used.empty:
        return np.zeros((len(items), 0)), np.zeros((len(items), 0))
    origins, origin = np.unique(used["origin_on"].to_numpy(), return_inverse=True)
    horizon = used["horizon"].to_numpy(dtype="int64")
    table = np.full((len(items), len(origins), int(horizon.max())), np.nan)
    table[rows[known], origin, horizon - 1] = (used["actual"] - used["mean"]).to_numpy(dtype="float64")
    missing = np.isnan(table)
    total = np.concatenate([np.zeros((*table.shape[:2], 1)), np.nan_to_num(table).cumsum(axis=2)], axis=2)
    holes = np.concatenate([np.zeros((*table.shape[:2], 1)), missing.cumsum(axis=2)], axis=2)
    squares, counts = np.zeros((2, len(items), table.shape[2]))
    for length in range(1, table.shape[2] + 1):
        whole = (holes[:, :, length:] - holes[:, :, :-length]) == 0
        block = np.where(whole, (total[:, :, length:] - total[:, :, :-length]) ** 2, 0.0)
        number = whole.sum(axis=(1, 2))
        squares[:, length - 1] = block.sum(axis=(1, 2)) / np.maximum(number, 1)
        counts[:, length - 1] = number / length
    return squares, counts


def _interpolate(variance: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the variance at each number of periods, linear between whole ones and in proportion beyond the longest."""
    longest = variance.shape[1] - 1
    low = np.clip(np.floor(periods).astype("int64"), 0, longest - 1)
    share = periods - low
    inside = variance[:, low] * (1 - share) + variance[:, low + 1] * share
    return np.where(periods > longest, variance[:, [longest]] * (periods / longest), inside)
