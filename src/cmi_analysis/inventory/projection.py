"""Stock in the days to come, and what will be short until a new order can arrive."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.expiry import score_lots_unused
from cmi_analysis.inventory.loss import expected_shortage, shortage_chance


def project_stock(path: DemandPath, *, supply: np.ndarray, rows: np.ndarray, every: int, level: float = 0.9) -> pd.DataFrame:
    """Return the expected stock on the shelf of some items at every few days, with an interval.

    Mean = supply − mean demand + E(demand − supply)⁺; the interval comes from the quantiles of demand (gamma with the path's mean
    and variance). No order is placed beyond what `supply` holds.

    Parameters
    ----------
    path : DemandPath
        Demand by day.
    supply : numpy.ndarray
        Items × (days + 1): stock now less backorders plus all that has arrived up to day t [units].
    rows : numpy.ndarray
        Which items.
    every : int
        Distance of the days shown [days].
    level : float
        Chance that the stock is inside the interval [fraction].

    Returns
    -------
    pandas.DataFrame
        row, day [days], stock, stock_low, stock_high [units], shortage_chance [fraction].
    """
    shown = np.arange(0, min(path.days, supply.shape[1] - 1) + 1, every)
    mean, variance = path.mean[np.ix_(rows, shown)], path.variance[np.ix_(rows, shown)]
    held = supply[np.ix_(rows, shown)]
    short = expected_shortage(held, mean=mean, variance=variance)
    known = (mean > 0) & (variance > 0)
    shape = np.where(known, mean**2 / np.where(known, variance, 1.0), 1.0)
    scale = np.where(known, np.where(known, variance, 1.0) / np.where(known, mean, 1.0), 0.0)
    tail = (1 - level) / 2
    frame = pd.DataFrame(
        {
            "row": np.repeat(rows, len(shown)),
            "day": np.tile(shown, len(rows)),
            "stock": np.maximum(held - mean + short, 0.0).ravel(),
            "stock_low": np.maximum(held - scipy.special.gammaincinv(shape, 1 - tail) * scale, 0.0).ravel(),
            "stock_high": np.maximum(held - scipy.special.gammaincinv(shape, tail) * scale, 0.0).ravel(),
            "shortage_chance": shortage_chance(held, mean=mean, variance=variance).ravel(),
        }
    )
    return frame.sort_values(["row", "day"], kind="stable").reset_index(drop=True)


def score_shortage(path: DemandPath, *, supply: np.ndarray, until: np.ndarray) -> pd.DataFrame:
    """Return what is expected to be short of each item until a day, and the chance that anything is.

    Short = Σ_t [n_t − n_{t−1}]⁺ with n_t = E(D(t) − supply(t))⁺ after, n_{t−1} = E(D(t−1) − supply(t))⁺ before day t's demand,
    over the days up to `until`: arrivals end a shortage, they do not undo it. A backlog that exists today is not counted again.
    The chance is the largest of the days' P(D(t) > supply(t)).

    Parameters
    ----------
    path : DemandPath
        Demand by day.
    supply : numpy.ndarray
        Items × (days + 1), as in `project_stock`.
    until : numpy.ndarray
        Last day of each item [days].

    Returns
    -------
    pandas.DataFrame
        One row an item: short [units], chance [fraction], demand [units] over the same days, first_day [days] on which the chance
        passes one half (missing where it does not).
    """
    last = np.clip(np.round(until), 0, min(path.days, supply.shape[1] - 1)).astype("int64")
    short, chance = np.zeros((2, len(last)))
    first = np.full(len(last), np.nan)
    for day in range(1, int(last.max(initial=0)) + 1):
        rows = np.flatnonzero(last >= day)
        held = supply[rows, day]
        after = expected_shortage(held, mean=path.mean[rows, day], variance=path.variance[rows, day])
        before = expected_shortage(held, mean=path.mean[rows, day - 1], variance=path.variance[rows, day - 1])
        short[rows] += np.maximum(after - before, 0.0)
        here = shortage_chance(held, mean=path.mean[rows, day], variance=path.variance[rows, day])
        here = np.where(path.mean[rows, day] > 0, here, 0.0)
        first[rows] = np.where(np.isnan(first[rows]) & (here > 0.5), float(day), first[rows])
        chance[rows] = np.maximum(chance[rows], here)
    demand = path.mean_at(last)
    return pd.DataFrame({"short": np.minimum(short, demand), "chance": chance, "demand": demand, "first_day": first})


def score_excess(
    *, on_hand: np.ndarray, backordered: np.ndarray, position: np.ndarray, level: np.ndarray, expected_use: np.ndarray
) -> pd.DataFrame:
    """Return the stock above the policy's highest position, on the shelf and on order, and the stock without use in sight.

    On the shelf max(0, on_hand − backordered − P); on order the rest of max(0, position − P), P = S or r + Q. Without use: stock
    beyond the expected use within the protection interval and the next 90 days, whatever the policy.

    Parameters
    ----------
    on_hand, backordered, position, level, expected_use : numpy.ndarray
        Of each item [units]; `level` is P.

    Returns
    -------
    pandas.DataFrame
        excess_on_shelf, excess_on_order, without_use [units]; missing where the stock is unknown.

    Examples
    --------
    >>> one = [np.array([value]) for value in (30.0, 0.0, 50.0, 20.0, 12.0)]
    >>> score_excess(on_hand=one[0], backordered=one[1], position=one[2], level=one[3], expected_use=one[4]).iloc[0].tolist()
    [10.0, 20.0, 18.0]
    """
    shelf = np.maximum(on_hand - backordered - level, 0.0)
    all_of_it = np.maximum(position - level, 0.0)
    return pd.DataFrame(
        {
            "excess_on_shelf": shelf,
            "excess_on_order": np.maximum(all_of_it - shelf, 0.0),
            "without_use": np.maximum(on_hand - backordered - expected_use, 0.0),
        }
    )


def score_expiring(lots: pd.DataFrame, *, items: pd.DataFrame, path: DemandPath, as_of: pd.Timestamp) -> np.ndarray:
    """Return the units of each item that are expected to expire unused if the lot that expires first is always used first.

    Read off the distribution of demand (`expiry.score_lots_unused`), not its mean: a lot that the mean would just use up still
    loses some units on average.

    Parameters
    ----------
    lots : pandas.DataFrame
        node_id, product_id, date, quantity [units], expires_on; the newest date of each item counts.
    items : pandas.DataFrame
        customer_id, product_id.
    path : DemandPath
        Demand by day; lots that expire after its last day are left out.
    as_of : pandas.Timestamp
        Day 0.
    """
    lost = np.zeros(len(items))
    known = lots[lots["expires_on"].notna()]
    known = known[known["date"] == known.groupby(["node_id", "product_id"])["date"].transform("max")]
    index = pd.MultiIndex.from_frame(items[["customer_id", "product_id"]])
    known = known.assign(row=index.get_indexer(pd.MultiIndex.from_frame(known[["node_id", "product_id"]])))
    known["day"] = (known["expires_on"] - as_of).dt.days.clip(lower=0)
    known = known[(known["row"] >= 0) & (known["day"] <= path.days)].sort_values(["row", "day", "lot"], kind="stable")
    if known.empty:
        return lost
    known["quantity"] = known["quantity"].clip(lower=0)
    found = score_lots_unused(known[["row", "lot", "day", "quantity"]], path=path)
    sums = found.groupby("row")["unused"].sum()
    lost[sums.index.to_numpy()] = sums.to_numpy()
    return lost
