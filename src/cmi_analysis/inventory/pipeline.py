"""What is on order and in transit by week, projected through lost sales to the week in which an order placed now arrives."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.loss import expected_shortage, shortage_chance
from cmi_analysis.inventory.position import KEY

POINTS = 512
"""Points of the grid of stock on hand of each item."""
_COLUMNS = ("week", "starts_on", "open_supply", "arriving", "demand", "short", "stock", "stock_out_chance")


def project_pipeline(
    items: pd.DataFrame,
    *,
    path: DemandPath,
    open_supply: pd.DataFrame,
    as_of: dt.date,
    until: np.ndarray,
    lost_sales: bool = True,
) -> pd.DataFrame:
    """Return open supply, arrivals, expected demand, shortage and stock of each item by week until an order placed now arrives.

    Lost sales: the distribution of the stock is carried from day to day, X_t = max(0, X_{t−1} + arrivals_t − d_t), so the stock
    never goes below zero and what is lost in a week, Σ E(d_t − X_{t−1} − arrivals_t)⁺, is that of the distribution, not of means;
    demand that is lost leaves stock for later demand. Backorders: short is what was not met from the shelf, as in
    `projection.score_shortage`. The days' demands are taken for independent, with the path's mean and the growth of its variance.
    Order of events: what arrives on day t is on the shelf from day t + 1 on; then demand is met. Weeks are counted from as_of,
    the last may be shorter.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id, on_hand [units]; optional backordered [units]. An item whose stock is not known is left out.
    path : DemandPath
        Demand by day, rows as `items`.
    open_supply : pandas.DataFrame
        customer_id, product_id, expected_on, quantity [units]; optional forgotten (bool: left out).
    as_of : datetime.date
        Day 0.
    until : numpy.ndarray
        Last day before an order placed now is on the shelf: its lead time [days].
    lost_sales : bool
        Demand that is not met is lost; else it waits.

    Returns
    -------
    pandas.DataFrame
        customer_id, product_id, week (0 first), starts_on, open_supply (not yet arrived at the week's start), arriving, demand,
        short [units], stock (expected on the shelf at the week's end) [units], stock_out_chance (that demand is short in the
        week) [fraction].

    Raises
    ------
    InputError
        A stock on hand or a day is below zero.
    """
    last = np.round(np.asarray(until, dtype="float64"))
    if (items["on_hand"] < 0).any() or not np.all(last >= 0):
        raise InputError(
            expected="a stock on hand and a lead time of zero or more",
            found=f"stock from {items['on_hand'].min()}, lead time from {last.min()} days",
            fix="Give a backlog as backordered, not as negative stock.",
        )
    known = np.flatnonzero(items["on_hand"].notna().to_numpy())
    last = np.minimum(last, path.days).astype("int64")[known]
    days = int(last.max(initial=0))
    arriving = spread_arrivals(items, open_supply, as_of=as_of, days=days)[known]
    held = (items["on_hand"].to_numpy(dtype="float64") - _backlog(items))[known]
    mean, variance = path.mean[known, : days + 1], path.variance[known, : days + 1]
    daily = (_lose if lost_sales else _wait)(held, arriving, mean=mean, variance=variance)
    table = _by_week(daily | {"arriving": arriving, "demand": np.diff(mean, axis=1, prepend=0.0)}, last=last)
    names = items.iloc[known[table.pop("row").to_numpy()]][KEY].reset_index(drop=True)
    table["starts_on"] = pd.Timestamp(as_of) + pd.to_timedelta(table["week"] * 7 + 1, unit="D")
    return pd.concat([names, table[list(_COLUMNS)]], axis=1)


def spread_arrivals(items: pd.DataFrame, open_supply: pd.DataFrame, *, as_of: dt.date, days: int) -> np.ndarray:
    """Return what is on the shelf for the first time on each day: items × (days + 1) [units]; forgotten lines are left out."""
    table = np.zeros((len(items), days + 1))
    if len(open_supply):
        forgotten = open_supply["forgotten"].astype(bool) if "forgotten" in open_supply else False
        used = open_supply[~forgotten] if "forgotten" in open_supply else open_supply
        rows = pd.MultiIndex.from_frame(items[KEY]).get_indexer(pd.MultiIndex.from_frame(used[KEY]))
        day = np.maximum((used["expected_on"] - pd.Timestamp(as_of)).dt.days.to_numpy() + 1, 1)
        near = (rows >= 0) & (day <= days)
        np.add.at(table, (rows[near], day[near]), used["quantity"].to_numpy(dtype="float64")[near])
    return table


def _backlog(items: pd.DataFrame) -> np.ndarray:
    return items["backordered"].fillna(0.0).to_numpy(dtype="float64") if "backordered" in items else np.zeros(len(items))


def _wait(held: np.ndarray, arriving: np.ndarray, *, mean: np.ndarray, variance: np.ndarray) -> dict[str, np.ndarray]:
    """Return stock, shortage and its chance by day where demand that is not met waits."""
    supply = held[:, None] + arriving.cumsum(axis=1)
    after = expected_shortage(supply, mean=mean, variance=variance)
    before = expected_shortage(supply[:, 1:], mean=mean[:, :-1], variance=variance[:, :-1])
    short = np.concatenate([np.zeros((len(held), 1)), np.maximum(after[:, 1:] - before, 0.0)], axis=1)
    chance = np.where(mean > 0, shortage_chance(supply, mean=mean, variance=variance), 0.0)
    return {"short": short, "stock": np.maximum(supply - mean + after, 0.0), "stock_out_chance": chance}


def _lose(held: np.ndarray, arriving: np.ndarray, *, mean: np.ndarray, variance: np.ndarray) -> dict[str, np.ndarray]:
    """Return stock, shortage and its chance by day where demand that is not met is lost, from the stock's distribution."""
    count, days = arriving.shape[0], arriving.shape[1] - 1
    # a backlog that exists today takes the first arrivals
    owed = np.maximum(-held, 0.0)[:, None]
    arrived = np.maximum(arriving.cumsum(axis=1) - owed, 0.0)
    arriving = np.diff(arrived, axis=1, prepend=0.0)
    start = np.maximum(held, 0.0)
    step = np.maximum((start + arrived[:, -1]) / (POINTS - 2), 1.0)
    grid = step[:, None] * np.arange(POINTS)
    stock = _shift(_point(count), start / step)
    found = {name: np.zeros((count, days + 1)) for name in ("short", "stock", "stock_out_chance")}
    found["stock"][:, 0] = start
    known: tuple[np.ndarray, np.ndarray] | None = None
    for day in range(1, days + 1):
        moments = np.stack([mean[:, day] - mean[:, day - 1], np.maximum(variance[:, day] - variance[:, day - 1], 0.0)])
        if known is None or not np.allclose(known[0], moments, rtol=1e-9, atol=1e-12):
            known = (moments, *_demand_on_grid(grid, step, *moments))  # type: ignore[assignment]
        _, short, chances = known  # type: ignore[misc]
        stock = _shift(stock, arriving[:, day] / step)
        found["short"][:, day] = (stock * short).sum(axis=1)
        found["stock_out_chance"][:, day] = (stock * np.clip(1 - chances.cumsum(axis=1), 0.0, 1.0)).sum(axis=1)
        stock = _subtract(stock, chances)
        found["stock"][:, day] = (stock * grid).sum(axis=1)
    return found


def _point(count: int) -> np.ndarray:
    stock = np.zeros((count, POINTS))
    stock[:, 0] = 1.0
    return stock


def _demand_on_grid(grid: np.ndarray, step: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return E(d − x)⁺ at each point of the grid, and the chances on the grid that keep it: exact for steps of 1."""
    more = np.concatenate([grid, grid[:, -1:] + step[:, None]], axis=1)
    short = expected_shortage(more, mean=mean[:, None], variance=np.maximum(variance, mean)[:, None])
    fall = (short[:, :-1] - short[:, 1:]) / step[:, None]
    chances = np.concatenate([1 - fall[:, :1], fall[:, :-1] - fall[:, 1:]], axis=1)
    return short[:, :-1], np.maximum(chances, 0.0)


def _shift(stock: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the distribution moved up by a number of grid points; a part of a point is shared between its neighbours."""
    moved = stock.copy()
    for row in np.flatnonzero(points > 0):
        low = int(points[row])
        share = points[row] - low
        up = np.zeros((2, POINTS))
        up[0, low:], up[1, min(low + 1, POINTS - 1) :] = (
            stock[row, : POINTS - low],
            stock[row, : POINTS - min(low + 1, POINTS - 1)],
        )
        moved[row] = (1 - share) * up[0] + share * up[1]
    return moved


def _subtract(stock: np.ndarray, demand: np.ndarray) -> np.ndarray:
    """Return the distribution of max(0, stock − demand)."""
    size = 2 * POINTS
    product = scipy.fft.irfft(scipy.fft.rfft(stock, size) * np.conj(scipy.fft.rfft(demand, size)), size)
    left = np.maximum(product[:, :POINTS], 0.0)
    left[:, 0] = np.maximum(stock.sum(axis=1) - left[:, 1:].sum(axis=1), 0.0)
    return left


def _by_week(daily: dict[str, np.ndarray], *, last: np.ndarray) -> pd.DataFrame:
    """Return the sums and the last values of each item's weeks up to its last day."""
    count, days = daily["short"].shape
    row, day = np.repeat(np.arange(count), days - 1), np.tile(np.arange(1, days), count)
    used = day <= last[row]
    row, day = row[used], day[used]
    frame = pd.DataFrame({"row": row, "week": (day - 1) // 7} | {name: values[row, day] for name, values in daily.items()})
    by = frame.groupby(["row", "week"], sort=True)
    table = by.agg(
        arriving=("arriving", "sum"),
        demand=("demand", "sum"),
        short=("short", "sum"),
        stock=("stock", "last"),
        stock_out_chance=("stock_out_chance", "max"),
    ).reset_index()
    open_then = table.groupby("row")["arriving"].transform("sum") - table.groupby("row")["arriving"].cumsum() + table["arriving"]
    return table.assign(open_supply=open_then)
