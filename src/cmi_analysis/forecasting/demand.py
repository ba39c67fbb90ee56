"""From what was sold to what was wanted: a complete panel of demand, zeros and unknowns told apart, stock-outs imputed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.grid import SERIES, Grid, unique_series
from cmi_analysis.measures import calendar

PANEL_COLUMNS = [*SERIES, "period", "quantity", "returned", "in_stock", "promotion", "demand", "imputed"]
# customer_id of the items that are forecast by product over all their customers
OTHERS = "(others)"
# a larger quantity is no quantity: it counts as unknown [sales units]
MOST_QUANTITY = 1e15
# share of periods a customer must be heard of in before its silence means "unknown" and not "nothing sold"
REGULAR_REPORTER = 0.8
# periods of silence after which a customer that reported regularly is taken to have stopped
_STOPPED_AFTER = {"week": 8, "month": 3}
_SMOOTHING = {"week": 0.15, "month": 0.3}


def panel_frequency(frequency: str) -> calendar.Frequency:
    """Return the length of a forecast's period: daily sales are forecast by the week."""
    return "month" if frequency == "month" else "week"


def demand_panel(
    sales: pd.DataFrame,
    *,
    as_of: dt.date,
    frequency: str = "week",
    week_start: str = "Monday",
    stock: pd.DataFrame | None = None,
    returns: pd.DataFrame | None = None,
    assortment: pd.DataFrame | None = None,
    order_book: bool = False,
) -> pd.DataFrame:
    """Return demand by customer, product and complete period, with no gap in the calendar.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``customer_id``, ``product_id``, ``date``, ``quantity`` [sales units]; optional ``in_stock`` (bool or fraction of the
        period), ``promotion`` (bool).
    as_of : datetime.date
        Periods that end later are left out.
    frequency, week_start : str
        Length of a period; days are added up to weeks.
    stock : pandas.DataFrame, optional
        ``customer_id``, ``product_id``, ``date``, ``on_hand``: where `sales` says nothing of ``in_stock``, the share of the
        snapshots with stock among the last one before the period and those in it.
    returns : pandas.DataFrame, optional
        ``customer_id``, ``product_id``, ``returned_on``, ``quantity`` [sales units].
    assortment : pandas.DataFrame, optional
        ``customer_id``, ``product_id``, ``valid_from_on``: an agreed item counts from that day, sold or not.
    order_book : bool
        `sales` are orders: every item counts from its customer's first order on. From its own first order on, rare items would
        look as if they were wanted far more often than they are.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, period, quantity`` [sales units, missing = unknown], ``returned`` [sales units],
        ``in_stock`` [fraction, missing = unknown], ``promotion`` (bool), ``demand`` [sales units], ``imputed`` (bool), sorted.

    Notes
    -----
    Zero or unknown: a product without a row in a period sold nothing if its customer reported anything in that period. If the
    customer, heard of in at least 80 % of its periods, reported nothing at all, the period is unknown, but for a silence that
    lasts to the end and longer than 8 weeks (3 months): then it stopped. A customer heard of more rarely sold nothing. Rows that
    report neither use nor stock before an item's first use, first stock or agreed day say that it was not carried yet: its
    series begins after them.

    Negative quantities are returns, infinite ones and those beyond 1e15 unknown. A period with stock for the fraction f of it
    that sold q had a demand of q + (1 − f) · (level/2 + q) / (1/2 + f): what sold, and for the rest of the period a rate
    between the usual level and the period's own (the posterior mean of a Poisson rate whose gamma prior is worth half a
    period). The level is the exponentially smoothed demand of the earlier periods with stock (its start: the mean of the first
    eight of them), so that no later period changes it; it knows no season.
    """
    length = panel_frequency(frequency)
    when = {"frequency": length, "week_start": week_start}
    last = calendar.last_complete_period(as_of, **when)
    rows = _with_period(sales, "date", last, when)
    snapshots = _with_period(_or_empty(stock, "date", "on_hand"), "date", last, when)
    agreed = _with_period(_or_empty(assortment, "valid_from_on"), "valid_from_on", last, when)
    if rows.empty and snapshots.empty:
        return _empty_panel()
    first = min(frame["period"].min() for frame in (rows, snapshots) if not frame.empty)
    grid = Grid(unique_series([rows, snapshots, agreed]), calendar.period_range(first, last, **when))
    quantity, returned = _quantities(rows, grid)
    heard = _heard(rows, snapshots, grid)
    in_stock = _in_stock(rows, snapshots, grid)
    carried = ~((in_stock <= 0) & ~(quantity > 0))
    live = np.cumsum(heard, axis=1) > 0 if order_book else _live(rows, snapshots, agreed, grid, carried=carried)
    unknown = _unknown(heard, grid, stopped_after=_STOPPED_AFTER[length])
    quantity = np.where(np.isnan(quantity) & ~_has_row(rows, grid), np.where(unknown, np.nan, 0.0), quantity)
    demand, imputed = impute_demand(np.where(live, quantity, np.nan), in_stock=in_stock, smoothing=_SMOOTHING[length])
    returned = returned + _returned(returns, grid, when)
    promotion = _flag(rows, "promotion", grid)
    columns = {"quantity": quantity, "returned": returned, "in_stock": in_stock, "promotion": promotion}
    return grid.long(columns | {"demand": demand, "imputed": imputed}, keep=live)[PANEL_COLUMNS]


def first_requests(orders: pd.DataFrame, *, returns: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return demand as an order book shows it: the quantity first asked for, on the day it was wanted.

    Parameters
    ----------
    orders : pandas.DataFrame
        ``customer_id``, ``product_id``, ``ordered_on``, ``quantity_ordered``; optional ``requested_on``, ``kind``.
    returns : pandas.DataFrame, optional
        ``customer_id``, ``product_id``, ``returned_on``, ``quantity`` [sales units]: what is taken back on the day of the order
        was a slip of the pen and is not demand.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, date, quantity``: date is ``requested_on``, else ``ordered_on``. Samples are left out. Repeats
        of an unfilled order are not netted.
    """
    kept = orders if "kind" not in orders else orders[orders["kind"].fillna("stock") != "sample"]
    date = kept["ordered_on"] if "requested_on" not in kept else kept["requested_on"].fillna(kept["ordered_on"])
    asked = kept[SERIES].assign(date=date, quantity=kept["quantity_ordered"].astype("float64")).reset_index(drop=True)
    if returns is None or returns.empty:
        return asked
    taken_back = returns.rename(columns={"returned_on": "ordered_on"}).groupby([*SERIES, "ordered_on"])["quantity"].sum()
    keys = pd.MultiIndex.from_frame(kept[[*SERIES, "ordered_on"]])
    slip = taken_back.reindex(keys).fillna(0.0).to_numpy()
    before = asked.groupby([keys.get_level_values(level) for level in range(3)])["quantity"].cumsum() - asked["quantity"]
    netted = (slip - before.to_numpy()).clip(min=0.0)
    return asked.assign(quantity=(asked["quantity"] - netted).clip(lower=0.0))


def pool_rare_items(
    requests: pd.DataFrame, *, as_of: dt.date, most: int, frequency: str = "week", week_start: str = "Monday"
) -> pd.DataFrame:
    """Return an order book in which only the `most` regular items keep their customer; the others are pooled by product.

    Parameters
    ----------
    requests : pandas.DataFrame
        ``customer_id, product_id, date, quantity`` [sales units], as `first_requests` returns them.
    as_of : datetime.date
        Regular is what was wanted in most periods of the year up to this day; ties go to the larger quantity, then by id.
    most : int
        Customer × product pairs that keep their customer [count].
    frequency, week_start : str
        Length of a period.

    Returns
    -------
    pandas.DataFrame
        The same rows; ``customer_id`` is `OTHERS` for the pooled ones. Unchanged where there are no more pairs than `most`.

    Notes
    -----
    A warehouse is asked for a product, whoever asks: a pair with one order a year holds no pattern of its own, their sum does.
    """
    pairs = requests[SERIES].drop_duplicates()
    if len(pairs) <= most:
        return requests
    year = requests[(requests["date"] <= pd.Timestamp(as_of)) & (requests["date"] > pd.Timestamp(as_of) - pd.Timedelta(days=365))]
    length = panel_frequency(frequency)
    rows = year.assign(period=calendar.period_start(year["date"], frequency=length, week_start=week_start))
    busy = rows.groupby(SERIES, sort=True).agg(periods=("period", "nunique"), quantity=("quantity", "sum")).reset_index()
    kept = busy.sort_values(["periods", "quantity", *SERIES], ascending=[False, False, True, True], kind="stable").head(most)
    alone = pd.MultiIndex.from_frame(requests[SERIES]).isin(pd.MultiIndex.from_frame(kept[SERIES]))
    return requests.assign(customer_id=requests["customer_id"].where(alone, OTHERS))


def impute_demand(quantity: np.ndarray, *, in_stock: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """Return demand and where it was imputed, for matrices series × periods.

    Parameters
    ----------
    quantity : numpy.ndarray
        Sales [sales units], NaN = unknown.
    in_stock : numpy.ndarray
        Fraction of the period with stock, NaN = taken as 1.
    smoothing : float
        Weight of the newest period with stock in the level [fraction].

    Examples
    --------
    A level of 10, then a period half without stock: 5 sold, 5 + 0.5 · (5 + 5)/(0.5 + 0.5) wanted.

    >>> demand, imputed = impute_demand(np.array([[10.0, 10, 5]]), in_stock=np.array([[1, 1, 0.5]]), smoothing=0.2)
    >>> demand.tolist(), imputed.tolist()
    ([[10.0, 10.0, 10.0]], [[False, False, True]])
    """
    share = np.where(np.isnan(in_stock), 1.0, np.clip(in_stock, 0, 1))
    share = np.where((quantity > 0) & (share <= 0), 0.5, share)  # it sold: what came in went out within the period
    whole = ~np.isnan(quantity) & (share >= 1)
    level = _first_level(quantity, whole)
    demand = quantity.copy()
    for now in range(quantity.shape[1]):
        part = share[:, now]
        lost = (1 - part) * np.where(np.isnan(level), 0.0, (level / 2 + quantity[:, now]) / (0.5 + part))
        demand[:, now] = np.where(whole[:, now], quantity[:, now], quantity[:, now] + lost)
        step = level + smoothing * (quantity[:, now] - level)
        level = np.where(whole[:, now] & ~np.isnan(level), step, level)
    return demand, ~np.isnan(quantity) & (share < 1)


def _first_level(quantity: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Mean of the first eight periods with stock; NaN where there is none."""
    early = whole & (np.cumsum(whole, axis=1) <= 8)
    count = early.sum(axis=1)
    total = np.where(early, quantity, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _or_empty(frame: pd.DataFrame | None, date: str, *columns: str) -> pd.DataFrame:
    if frame is not None and not frame.empty and {*SERIES, date, *columns} <= set(frame):
        return frame
    return pd.DataFrame(
        {name: pd.Series(dtype="float64") for name in (*SERIES, *columns)} | {date: pd.Series(dtype="datetime64[ns]")}
    )


def _with_period(frame: pd.DataFrame, date: str, last: pd.Timestamp, when: dict) -> pd.DataFrame:
    rows = frame[frame[date].notna()]
    rows = rows.assign(period=calendar.period_start(rows[date], **when))
    return rows[rows["period"] <= last]


def _empty_panel() -> pd.DataFrame:
    kinds = {"customer_id": "object", "product_id": "object", "period": "datetime64[ns]", "promotion": "bool", "imputed": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in PANEL_COLUMNS})


def _has_row(rows: pd.DataFrame, grid: Grid) -> np.ndarray:
    return grid.sums(rows.assign(one=1.0), "one") > 0


def _quantities(rows: pd.DataFrame, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the positive and of the negative quantities; the first is NaN without a row or with an unusable quantity."""
    value = rows["quantity"].to_numpy(dtype="float64", na_value=np.nan)
    value = np.where(np.abs(value) <= MOST_QUANTITY, value, np.nan)
    split = rows.assign(
        sold=np.where(np.isnan(value), np.nan, np.clip(value, 0, None)), back=np.nan_to_num(np.clip(-value, 0, None))
    )
    sold = grid.sums(split, "sold")
    return np.where(_has_row(rows, grid), sold, np.nan), grid.sums(split, "back")


def _flag(rows: pd.DataFrame, column: str, grid: Grid) -> np.ndarray:
    if column not in rows:
        return np.zeros(grid.shape, dtype=bool)
    marked = rows.assign(mark=rows[column].astype("boolean").fillna(False).astype("float64"))
    return grid.sums(marked, "mark") > 0


def _heard(rows: pd.DataFrame, snapshots: pd.DataFrame, grid: Grid) -> np.ndarray:
    """Whether the customer of each series reported any product in each period."""
    seen = _has_row(rows, grid) | _has_row(snapshots, grid)
    customer = pd.factorize(grid.series["customer_id"])[0]
    by_customer = np.zeros((int(customer.max()) + 1, grid.shape[1]), dtype=bool)
    np.logical_or.at(by_customer, customer, seen)
    return by_customer[customer]


def _live(rows: pd.DataFrame, snapshots: pd.DataFrame, agreed: pd.DataFrame, grid: Grid, *, carried: np.ndarray) -> np.ndarray:
    """Periods from the first row of each series on in which it sold or had stock, as far as stock is known, or as agreed."""
    marks = (_has_row(rows, grid) | _has_row(snapshots, grid)) & carried
    if not agreed.empty:
        start = agreed.assign(period=agreed["period"].clip(lower=grid.periods[0]))
        marks = marks | _has_row(start, grid)
    return np.cumsum(marks, axis=1) > 0


def _unknown(heard: np.ndarray, grid: Grid, *, stopped_after: int) -> np.ndarray:
    """Silent periods of customers that report regularly, but for the silence of one that stopped."""
    columns = np.arange(grid.shape[1])
    any_report = heard.any(axis=1)
    first = np.where(any_report, heard.argmax(axis=1), 0)[:, None]
    last = np.where(any_report, grid.shape[1] - 1 - heard[:, ::-1].argmax(axis=1), -1)[:, None]
    span = (columns >= first) & (columns <= last)
    regular = heard.sum(axis=1) >= REGULAR_REPORTER * span.sum(axis=1)
    stopped = (grid.shape[1] - 1 - last) > stopped_after
    return ~heard & regular[:, None] & ((columns <= last) | ~stopped)


def _in_stock(rows: pd.DataFrame, snapshots: pd.DataFrame, grid: Grid) -> np.ndarray:
    share = np.full(grid.shape, np.nan)
    if "in_stock" in rows:
        said = rows[rows["in_stock"].notna()]
        said = said.assign(share=said["in_stock"].astype("float64"), one=1.0)
        count = grid.sums(said, "one")
        share = np.divide(grid.sums(said, "share"), count, out=share, where=count > 0)
    counted = snapshots[snapshots["on_hand"].notna()] if not snapshots.empty else snapshots
    if counted.empty:
        return share
    counted = counted.assign(full=(counted["on_hand"] > 0).astype("float64"), one=1.0)
    count, full = grid.sums(counted, "one"), grid.sums(counted, "full")
    newest = counted.sort_values([*SERIES, "date"], kind="stable").drop_duplicates([*SERIES, "period"], keep="last")
    opening = np.full(grid.shape, np.nan)
    opening[:, 1:] = grid.matrix(newest, "full")[:, :-1]
    known = ~np.isnan(opening)
    derived = np.divide(full + np.where(known, opening, 0), count + known, out=np.full(grid.shape, np.nan), where=count > 0)
    return np.where(np.isnan(share), derived, share)


def _returned(returns: pd.DataFrame | None, grid: Grid, when: dict) -> np.ndarray:
    if returns is None or returns.empty:
        return np.zeros(grid.shape)
    return grid.sums(
        _with_period(returns, "returned_on", grid.periods[-1], when).assign(back=lambda f: f["quantity"].abs()), "back"
    )
