"""Service seen at the sites' shelves: share of days or snapshots with stock, and days that the stock lasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def score_in_stock_rate(stock: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Return the share of stock snapshots that show stock.

    in_stock_rate = snapshots with on_hand > 0 / snapshots, a ratio of sums over all items of the key.

    Parameters
    ----------
    stock : pandas.DataFrame
        customer_id, product_id, date, on_hand [units]; rows without on_hand do not count.
    by : sequence of str
        Columns of the key.

    Returns
    -------
    pandas.DataFrame
        The key, in_stock_rate [fraction], snapshots [count]; sorted.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["a"] * 4, "on_hand": [3.0, 0.0, 1.0, None]})
    >>> score_in_stock_rate(rows, by=["customer_id"])["in_stock_rate"].round(3).tolist()
    [0.667]
    """
    known = stock[stock["on_hand"].notna()]
    counted = known.assign(with_stock=(known["on_hand"] > 0).astype("float64")).groupby(list(by), sort=True)["with_stock"]
    return pd.DataFrame({"in_stock_rate": counted.mean(), "snapshots": counted.size()}).reset_index()


def score_cover(on_hand: np.ndarray, *, cumulative_demand: np.ndarray) -> np.ndarray:
    """Return the number of days for which the stock lasts under the forecast.

    The largest h with F(1) + … + F(h) ≤ on_hand, interpolated within the day; infinite where the stock outlasts the forecast.

    Parameters
    ----------
    on_hand : numpy.ndarray
        Stock of each item [units]; below zero counts as zero.
    cumulative_demand : numpy.ndarray
        Items × (days + 1): forecast demand up to each day, starting with 0 [units].

    Returns
    -------
    numpy.ndarray
        Days of cover of each item; missing where the stock is unknown.

    Examples
    --------
    Two a day: 5 units last two and a half days.

    >>> score_cover(np.array([5.0]), cumulative_demand=np.array([[0.0, 2.0, 4.0, 6.0]])).tolist()
    [2.5]
    """
    held = np.maximum(np.asarray(on_hand, dtype="float64"), 0.0)
    demand = np.asarray(cumulative_demand, dtype="float64")
    longest = demand.shape[1] - 1
    whole = (demand <= held[:, None]).sum(axis=1) - 1
    lasting = whole >= longest
    low = np.clip(whole, 0, longest - 1)
    rows = np.arange(len(held))
    at_low, step = demand[rows, low], demand[rows, low + 1] - demand[rows, low]
    days = low + np.divide(held - at_low, step, out=np.zeros_like(held), where=step > 0)
    return np.where(np.isnan(held), np.nan, np.where(lasting, np.inf, days))
