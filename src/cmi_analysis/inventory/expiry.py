"""Stock that may never be used: lots that expire first, and what is left at the end of an item's life, as chances."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.loss import expected_shortage, shortage_chance


def score_lots_unused(lots: pd.DataFrame, *, path: DemandPath) -> pd.DataFrame:
    """Return the units of each lot expected to be unused at its expiry, and the chance of any; the first to expire is used first.

    The last day of use is the day of expiry. Lots k = 1, 2, … in order of expiry t_k hold q_k. What is lost of lot k is
    E(Q_k − D(t_k))⁺ with Q_k = q_1 + … + q_k less the units expected to be lost before: exact for the first lot and wherever the
    earlier ones are used up or lost for sure, else close (see the test against simulation for its error).

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
    mean, variance = path.mean[row, at], path.variance[row, at]
    quantity = known["quantity"].to_numpy(dtype="float64")
    through = known.groupby("row")["quantity"].cumsum().to_numpy()
    unused, gone = np.zeros(len(known)), np.zeros(len(path.mean))
    place = known.groupby("row").cumcount().to_numpy()
    for turn in range(int(place.max(initial=-1)) + 1):
        rows = np.flatnonzero((place == turn) & ~beyond)
        item = row[rows]
        left = through[rows] - gone[item]
        lost = left - mean[rows] + expected_shortage(left, mean=mean[rows], variance=variance[rows])
        unused[rows] = np.clip(lost, 0.0, quantity[rows])
        gone[item] += unused[rows]
    before = np.maximum(through - quantity, 0.0)
    chance = 1 - shortage_chance(np.ceil(through) - 1, mean=mean, variance=variance)
    chance = np.where((quantity > 0) & ~beyond, chance, 0.0)
    unused = np.where(mean > 0, unused, np.where(beyond, 0.0, through - before))
    return known.assign(unused=unused, chance=np.clip(chance, 0.0, 1.0), beyond=beyond)


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
