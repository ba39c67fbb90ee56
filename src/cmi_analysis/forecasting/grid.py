"""Series by period as matrices: the panel's inner form, in which a step over time serves every series at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

SERIES = ["customer_id", "product_id"]


@dataclass(frozen=True)
class Grid:
    """The rows (series) and columns (periods) of a panel's matrices.

    Attributes
    ----------
    series : pandas.DataFrame
        ``customer_id``, ``product_id``, one row a series, sorted.
    periods : pandas.DatetimeIndex
        First days of all periods, without a gap.
    """

    series: pd.DataFrame
    periods: pd.DatetimeIndex

    @property
    def shape(self) -> tuple[int, int]:
        """Number of series and of periods."""
        return len(self.series), len(self.periods)

    def rows(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the row number of each row's series, -1 where the grid does not have it."""
        known = pd.MultiIndex.from_frame(self.series)
        return np.asarray(known.get_indexer(pd.MultiIndex.from_frame(frame[SERIES])), dtype=np.int64)

    def columns(self, dates: pd.Series) -> np.ndarray:
        """Return the column number of each first day of a period, -1 where the grid does not have it."""
        return np.asarray(self.periods.get_indexer(pd.DatetimeIndex(dates)), dtype=np.int64)

    def matrix(self, frame: pd.DataFrame, column: str, *, period: str = "period") -> np.ndarray:
        """Return `column` of `frame` (one row per series and period) as series × periods, NaN where there is no row."""
        values = np.full(self.shape, np.nan)
        row, col = self.rows(frame), self.columns(frame[period])
        inside = (row >= 0) & (col >= 0)
        values[row[inside], col[inside]] = frame[column].to_numpy(dtype="float64", na_value=np.nan)[inside]
        return values

    def sums(self, frame: pd.DataFrame, column: str, *, period: str = "period") -> np.ndarray:
        """Return the sums of `column` by series and period, 0 where there is no row."""
        values = np.zeros(self.shape)
        row, col = self.rows(frame), self.columns(frame[period])
        inside = (row >= 0) & (col >= 0)
        np.add.at(values, (row[inside], col[inside]), frame[column].to_numpy(dtype="float64", na_value=np.nan)[inside])
        return values

    def long(self, matrices: dict[str, np.ndarray], *, keep: np.ndarray | None = None) -> pd.DataFrame:
        """Return matrices as one row per series and period, sorted by both; only where `keep` is true."""
        chosen = np.ones(self.shape, dtype=bool) if keep is None else keep
        row, col = np.nonzero(chosen)
        frame = self.series.iloc[row].reset_index(drop=True)
        frame["period"] = self.periods[col]
        for name, values in matrices.items():
            frame[name] = values[row, col]
        return frame


@dataclass(frozen=True)
class Wide:
    """A panel as matrices, series × periods: looked up once, read by every origin.

    Attributes
    ----------
    grid : Grid
        Series and periods.
    demand, quantity, in_stock : numpy.ndarray
        Columns of the panel, NaN where unknown or without a row [sales units, sales units, fraction].
    first : numpy.ndarray
        Column of each series' first row; the number of columns without any.
    """

    grid: Grid
    demand: np.ndarray
    quantity: np.ndarray
    in_stock: np.ndarray
    first: np.ndarray

    def part(self, first: int, last: int) -> Wide:
        """Return the series with the numbers first … last − 1."""
        rows = slice(first, last)
        grid = Grid(self.grid.series.iloc[rows].reset_index(drop=True), self.grid.periods)
        return Wide(grid, self.demand[rows], self.quantity[rows], self.in_stock[rows], self.first[rows])


def widen(panel: pd.DataFrame | Wide) -> Wide:
    """Return the matrices of a panel as `demand_panel` returns it; what is wide already stays as it is."""
    if isinstance(panel, Wide):
        return panel
    grid = panel_grid(panel)
    row, col = grid.rows(panel), grid.columns(panel["period"])
    found = {}
    for name in ("demand", "quantity", "in_stock"):
        found[name] = np.full(grid.shape, np.nan)
        found[name][row, col] = panel[name].to_numpy(dtype="float64", na_value=np.nan)
    first = np.full(len(grid.series), len(grid.periods))
    np.minimum.at(first, row, col)
    return Wide(grid, first=first, **found)


def panel_grid(panel: pd.DataFrame, *, period: str = "period") -> Grid:
    """Return the grid of a panel whose periods, taken over all its series, have no gap."""
    return Grid(series=unique_series([panel]), periods=pd.DatetimeIndex(sorted(panel[period].unique()), name="period"))


def unique_series(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the distinct customer × product pairs of the frames, sorted."""
    pairs = [frame[SERIES].drop_duplicates() for frame in frames if not frame.empty]
    if not pairs:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in SERIES})
    return pd.concat(pairs).drop_duplicates().sort_values(SERIES, kind="stable").reset_index(drop=True)
