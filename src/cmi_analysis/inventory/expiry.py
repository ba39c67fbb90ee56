"""Stock that may never be used: lots that expire first, and what is left at the end of an item's life, as chances."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.demand_pmf import count_pmf, smooth_pmf
from cmi_analysis.inventory.lead_time_demand import GRID
from cmi_analysis.inventory.loss import expected_shortage, shortage_chance
from cmi_analysis.inventory.pmf import sum_pmfs


def score_lots_unused(lots: pd.DataFrame, *, path: DemandPath) -> pd.DataFrame:
    """Return the units of each lot expected to be unused at its expiry, and the chance of any; the first to expire is used first.

    The last day of use is the day of expiry. With W the units used or expired so far and c_k the sum of the first k lots in order
    of expiry: up to t_k W grows by the demand since t_{k−1}, lot k loses (c_k − W)⁺, then W is at least c_k. The distribution
    of W is carried from lot to lot; demand between two expiries is negative binomial (gamma where the grid's step is above one
    unit) with the path's mean and variance for that time, independent of the time before.

    Parameters
    ----------
    lots : pandas.DataFrame
        row (place of the item in `path`), lot, day of expiry [days after as_of], quantity [units].
    path : DemandPath
        Demand by day: mean and variance up to each day.

    Returns
    -------
    pandas.DataFrame
        Rows as `lots`, sorted by item and day: unused [units], chance (of any unit unused) [fraction], beyond (bool: the lot
        expires after the path's last day; its loss is not known and given as 0).

    Raises
    ------
    InputError
        A quantity is missing or below zero, or a row is not an item of the path.

    Examples
    --------
    Poisson use of one unit until the lot of two expires: E(2 − X)⁺ = 2·0.3679 + 0.3679 = 1.1036, and P(X < 2) = 0.7358.

    >>> path = DemandPath(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]), np.array(["errors"]))
    >>> lots = pd.DataFrame({"row": [0], "lot": ["a"], "day": [1], "quantity": [2.0]})
    >>> score_lots_unused(lots, path=path)[["unused", "chance"]].round(4).iloc[0].tolist()
    [1.1036, 0.7358]
    """
    if not (lots["quantity"] >= 0).all() or not lots["row"].between(0, len(path.mean) - 1).all():
        raise InputError(
            expected="lots of zero or more units of items that are planned",
            found=f"quantities from {lots['quantity'].min()}, rows {lots['row'].min()} to {lots['row'].max()}",
            fix="Correct the lots' quantities, or leave out lots of other items.",
        )
    known = lots.sort_values(["row", "day", "lot"], kind="stable").reset_index(drop=True)
    row, day = known["row"].to_numpy(dtype="int64"), np.clip(known["day"].to_numpy(dtype="float64"), 0, None)
    beyond = day > path.days
    at = np.minimum(day, path.days).astype("int64")
    unused, chance = np.zeros((2, len(known)))
    through = known.groupby("row")["quantity"].cumsum().to_numpy(dtype="float64")
    largest = np.zeros(len(path.mean))
    np.maximum.at(largest, row, through)
    step = np.maximum(np.ceil(largest / (GRID - 1)), 1.0)
    gone = np.zeros((len(path.mean), GRID))
    gone[:, 0] = 1.0
    last = np.zeros(len(path.mean), dtype="int64")
    place = known.groupby("row").cumcount().to_numpy()
    units = np.arange(GRID)
    for turn in range(int(place.max(initial=-1)) + 1):
        rows = np.flatnonzero((place == turn) & ~beyond)
        if len(rows) == 0:
            continue
        item, day_of = row[rows], at[rows]
        gone[item] = sum_pmfs(gone[item], _use_between(path, item, last[item], day_of, step[item]), points=GRID)
        last[item] = day_of
        reached = through[rows, None] - units * step[item, None]
        unused[rows] = (gone[item] * np.maximum(reached, 0.0)).sum(axis=1)
        chance[rows] = (gone[item] * (reached > 1e-9)).sum(axis=1)
        at_least = np.round(through[rows] / step[item]).astype("int64")
        below = np.where(units < at_least[:, None], gone[item], 0.0)
        gone[item] -= below
        gone[item, at_least] += below.sum(axis=1)
    return known.assign(unused=np.clip(unused, 0.0, known["quantity"]), chance=np.clip(chance, 0.0, 1.0), beyond=beyond)


def _use_between(path: DemandPath, item: np.ndarray, first: np.ndarray, last: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return the chances of 0, 1, … steps of use after day `first` up to day `last` of each item."""
    mean = np.maximum(path.mean[item, last] - path.mean[item, first], 0.0)
    variance = np.maximum(path.variance[item, last] - path.variance[item, first], mean)
    pmf = count_pmf(mean=mean, variance=variance, points=GRID)
    wide = step > 1
    if wide.any():
        pmf[wide] = smooth_pmf(mean=mean[wide], variance=variance[wide], step=step[wide], points=GRID, family="gamma")
    return pmf


def score_left_over(stock: np.ndarray, *, path: DemandPath, end: np.ndarray) -> pd.DataFrame:
    """Return the units of each item expected to be left at the end of its life, and the chance that any are.

    E(stock − D(T))⁺ = stock − E D(T) + n(stock) from the distribution of demand up to the end, not from its mean: with a mean
    demand equal to the stock the mean says nothing is left.

    Parameters
    ----------
    stock : numpy.ndarray
        On hand and on order [units].
    path : DemandPath
        Demand by day.
    end : numpy.ndarray
        Last day of use of each item [days after as_of]; a day beyond the path counts as the path's last one.

    Returns
    -------
    pandas.DataFrame
        left_over [units], chance [fraction], cut (bool: the end lies beyond the path, so both are too high).

    Examples
    --------
    >>> path = DemandPath(np.array([[0.0, 1.0]]), np.array([[0.0, 2.0]]), np.array(["errors"]))
    >>> score_left_over(np.array([1.0]), path=path, end=np.array([1]))[["left_over", "chance"]].iloc[0].tolist()
    [0.5, 0.5]
    """
    held = np.asarray(stock, dtype="float64")
    last = np.asarray(end, dtype="float64")
    if not (held >= 0).all() or not (last >= 0).all():
        raise InputError(
            expected="stock and last days of zero or more",
            found=f"stock from {held.min()}, days from {last.min()}",
            fix="An item whose life is over is dead stock; a backlog is not stock.",
        )
    day = np.minimum(last, path.days)
    mean, variance = path.mean_at(day), path.variance_at(day)
    left = np.where(mean > 0, held - mean + expected_shortage(held, mean=mean, variance=variance), held)
    chance = np.where(mean > 0, 1 - shortage_chance(np.ceil(held) - 1, mean=mean, variance=variance), 1.0)
    chance = np.where(held > 0, chance, 0.0)
    return pd.DataFrame({"left_over": np.clip(left, 0.0, held), "chance": np.clip(chance, 0.0, 1.0), "cut": last > path.days})
