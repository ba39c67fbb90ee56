"""Reports of stock by period as arrays: opening, received, issued, adjusted, closing, and what was not reported."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError

KEY = ["customer_id", "product_id"]
_COLUMNS = [*KEY, "date", "on_hand", "received", "issued", "adjusted"]


@dataclass(frozen=True)
class StockHistory:
    """Reports of stock, items × periods.

    Attributes
    ----------
    items : pandas.DataFrame
        customer_id, product_id; one row an item.
    periods : pandas.PeriodIndex
        Without gaps.
    opening, received, issued, adjusted, closing : numpy.ndarray
        As reported; zero where nothing was reported [units].
    reported : numpy.ndarray of bool
        The item reported in the period.
    """

    items: pd.DataFrame
    periods: pd.PeriodIndex
    opening: np.ndarray
    received: np.ndarray
    issued: np.ndarray
    adjusted: np.ndarray
    closing: np.ndarray
    reported: np.ndarray

    @property
    def in_stock(self) -> np.ndarray:
        """Reported and not empty at the end of the period: what was issued was the demand."""
        return self.reported & (self.closing > 0)

    def until(self, period: int) -> StockHistory:
        """Return the periods before one: what is known when it begins."""
        names = ("opening", "received", "issued", "adjusted", "closing", "reported")
        cut = {name: getattr(self, name)[:, :period] for name in names}
        return replace(self, periods=self.periods[:period], **cut)

    def keep(self, items: np.ndarray) -> StockHistory:
        """Return some items."""
        names = ("opening", "received", "issued", "adjusted", "closing", "reported")
        return replace(
            self, items=self.items[items].reset_index(drop=True), **{name: getattr(self, name)[items] for name in names}
        )


def lay_out_history(stock: pd.DataFrame, *, frequency: str = "M") -> StockHistory:
    """Return reports of stock as arrays of items × periods.

    Parameters
    ----------
    stock : pandas.DataFrame
        customer_id, product_id, date, on_hand (at the end of the period), received, issued, adjusted [units].
    frequency : str
        pandas' name of the period.

    Raises
    ------
    InputError
        A column is missing, there are no rows, or an item reports twice in a period.
    """
    missing = [name for name in _COLUMNS if name not in stock]
    if missing or stock.empty:
        raise InputError(expected=f"stock reports with {', '.join(_COLUMNS)}", found=f"no {missing or 'rows'}", fix="Map them.")
    period = stock["date"].dt.to_period(frequency)
    items = stock[KEY].drop_duplicates().sort_values(KEY, kind="stable").reset_index(drop=True)
    periods = pd.period_range(period.min(), period.max(), freq=frequency)
    rows = pd.MultiIndex.from_frame(items).get_indexer(pd.MultiIndex.from_frame(stock[KEY]))
    columns = periods.get_indexer(pd.PeriodIndex(period))
    if pd.Series(rows * len(periods) + columns).duplicated().any():
        raise InputError(expected="one report an item and period", found="two", fix="Sum or drop the repeated rows.")
    tables = {name: np.zeros((len(items), len(periods))) for name in _COLUMNS[3:]}
    for name, table in tables.items():
        table[rows, columns] = stock[name].to_numpy(dtype="float64")
    reported = np.zeros((len(items), len(periods)), dtype=bool)
    reported[rows, columns] = True
    opening = tables["on_hand"] - tables["received"] + tables["issued"] - tables["adjusted"]
    moves = (tables["received"], tables["issued"], tables["adjusted"], tables["on_hand"])
    return StockHistory(items, periods, opening, *moves, reported)


def live_items(history: StockHistory, *, first: int) -> np.ndarray:
    """Return which items had stock, a receipt or use in the periods from `first` on; the others are not carried."""
    moves = (history.opening, history.received, history.issued, history.closing)
    seen: np.ndarray = np.any([(move[:, first:] > 0).any(axis=1) for move in moves], axis=0)
    return seen
