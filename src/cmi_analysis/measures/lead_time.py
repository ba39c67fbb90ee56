"""Lead times from order to delivery, with the orders that are still open counted as open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

MOST_DAYS = 400
"""Longest lead time kept apart; longer ones count as this long [days]."""


def collect_lead_times(orders: pd.DataFrame, *, as_of: dt.date, deliveries: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return how long each order line of a customer took, or has been open until `as_of`.

    The clock starts at ``ordered_on``, or at ``released_on`` where that is later (a line wanted for a later date). It stops
    when the line is complete: ``delivered_on``, else the last delivery once the delivered quantity reaches the ordered one.
    A cancelled line is open until its cancellation.

    Parameters
    ----------
    orders : pandas.DataFrame
        order_id, line, customer_id, product_id, ordered_on, quantity_ordered; optional released_on, promised_on, delivered_on,
        quantity_delivered, cancelled_on.
    as_of : datetime.date
        Day up to which the orders are known.
    deliveries : pandas.DataFrame, optional
        order_id, line, quantity, delivered_on.

    Returns
    -------
    pandas.DataFrame
        customer_id, product_id, ordered_on, arrived_on, promised_on, days [days], arrived (bool); sorted.
    """
    lines = orders[orders["ordered_on"].notna()].copy()
    arrived_on = _blank_dates(lines, "delivered_on")
    if deliveries is not None and not deliveries.empty and "delivered_on" in deliveries:
        arrived_on = arrived_on.fillna(_last_delivery(lines, deliveries))
    start = lines["ordered_on"]
    released = _blank_dates(lines, "released_on")
    start = start.where(~(released > start), released)
    end_of_open = _blank_dates(lines, "cancelled_on").fillna(pd.Timestamp(as_of))
    lines["arrived_on"] = arrived_on
    lines["promised_on"] = _blank_dates(lines, "promised_on")
    lines["arrived"] = arrived_on.notna()
    lines["days"] = (arrived_on.fillna(end_of_open) - start).dt.days.clip(lower=0).astype("float64")
    columns = ["customer_id", "product_id", "ordered_on", "arrived_on", "promised_on", "days", "arrived"]
    return lines[columns].sort_values(columns, kind="stable").reset_index(drop=True)


def _blank_dates(frame: pd.DataFrame, column: str) -> pd.Series:
    blank = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    return frame[column].astype("datetime64[ns]") if column in frame else blank


def _last_delivery(lines: pd.DataFrame, deliveries: pd.DataFrame) -> pd.Series:
    """Return the day on which each line was complete by its deliveries, blank where it is not."""
    key = ["order_id", "line"]
    done = (
        deliveries[deliveries["delivered_on"].notna()]
        .groupby(key, sort=True)
        .agg(delivered=("quantity", "sum"), last=("delivered_on", "max"))
    )
    joined = lines[[*key, "quantity_ordered"]].merge(done, how="left", left_on=key, right_index=True)
    complete = joined["delivered"] >= joined["quantity_ordered"] * (1 - 1e-9)
    return joined["last"].where(complete).set_axis(lines.index).astype("datetime64[ns]")


def collect_supplier_lead_times(
    receipts: pd.DataFrame | None, *, as_of: dt.date, purchase_orders: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return how long each receipt of a supplier took, and how long open purchase orders have been open.

    Parameters
    ----------
    receipts : pandas.DataFrame or None
        supplier_id, product_id, ordered_on, received_on; optional promised_on.
    as_of : datetime.date
        Day up to which both are known.
    purchase_orders : pandas.DataFrame, optional
        supplier_id, product_id, ordered_on, quantity; optional promised_on. A line without a receipt of the same supplier,
        product and order day is open.

    Returns
    -------
    pandas.DataFrame
        supplier_id, product_id, ordered_on, arrived_on, promised_on, days [days], arrived (bool); sorted.
    """
    columns = ["supplier_id", "product_id", "ordered_on", "arrived_on", "promised_on", "days", "arrived"]
    key = columns[:3]
    parts = []
    if receipts is not None and not receipts.empty:
        rows = receipts[receipts["ordered_on"].notna()]
        parts.append(
            rows[key].assign(arrived_on=_blank_dates(rows, "received_on"), promised_on=_blank_dates(rows, "promised_on"))
        )
    if purchase_orders is not None and not purchase_orders.empty:
        rows = purchase_orders[purchase_orders["ordered_on"].notna()]
        rows = rows[~_blank_dates(rows, "cancelled_on").notna()]
        rows = rows[key].assign(promised_on=_blank_dates(rows, "promised_on"), arrived_on=_blank_dates(rows, "none"))
        known = pd.MultiIndex.from_frame(parts[0][key]) if parts else pd.MultiIndex.from_arrays([[], [], []])
        parts.append(rows[~pd.MultiIndex.from_frame(rows[key]).isin(known)])
    if not parts:
        kinds = {"ordered_on": "datetime64[ns]", "arrived_on": "datetime64[ns]", "promised_on": "datetime64[ns]"}
        kinds |= {"days": "float64", "arrived": "bool"}
        return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "object")) for name in columns})
    rows = pd.concat(parts, ignore_index=True)
    rows["arrived"] = rows["arrived_on"].notna()
    rows["days"] = (rows["arrived_on"].fillna(pd.Timestamp(as_of)) - rows["ordered_on"]).dt.days.clip(lower=0).astype("float64")
    return rows[columns].sort_values(columns, kind="stable").reset_index(drop=True)


def fit_survival(lead_times: pd.DataFrame) -> pd.DataFrame:
    """Return the share of orders still open after each day, by the product-limit estimate.

    Kaplan and Meier (1958), equation 2b: S(t) = Π (1 − d_i/n_i) over the days up to t, with d_i orders that arrive on day i
    of the n_i that are still open just before. An order that is open at as_of counts as open up to its age.

    Parameters
    ----------
    lead_times : pandas.DataFrame
        days [days], arrived (bool).

    Returns
    -------
    pandas.DataFrame
        days, open_before [count], arrivals [count], still_open [fraction]; one row for each day with an arrival.

    Examples
    --------
    Four orders: two arrive after 2 and 4 days, one is open for 3 days, one arrives after 5.

    >>> rows = pd.DataFrame({"days": [2, 3, 4, 5], "arrived": [True, False, True, True]})
    >>> fit_survival(rows)["still_open"].tolist()
    [0.75, 0.375, 0.0]
    """
    counted = lead_times.assign(lines=1, arrivals=lead_times["arrived"].astype("int64"))
    by_day = counted.groupby("days", sort=True)[["lines", "arrivals"]].sum()
    by_day["open_before"] = by_day["lines"][::-1].cumsum()[::-1]
    by_day["still_open"] = (1 - by_day["arrivals"] / by_day["open_before"]).cumprod()
    shown = by_day[by_day["arrivals"] > 0].reset_index()
    return shown[["days", "open_before", "arrivals", "still_open"]]


def fit_lead_times(lead_times: pd.DataFrame, *, by: Sequence[Sequence[str]], prior_lines: float = 10.0) -> pd.DataFrame:
    """Return the chance of each lead time for each key, shrunk to the coarser key where lines are few.

    For each level p = (n·p_own + k·p_coarser)/(n + k), with n arrived lines and k = `prior_lines`; the coarsest level is the
    product-limit estimate over all lines. Mass after the last arrival of a key (its open lines) goes where the coarser level
    has its mass beyond that day.

    Parameters
    ----------
    lead_times : pandas.DataFrame
        days [days], arrived (bool), and the columns named in `by`.
    by : sequence of sequences of str
        Keys from coarse to fine, such as ``[["customer_id"], ["customer_id", "product_id"]]``; the finest is returned.
    prior_lines : float
        Lines that the coarser level counts for [count].

    Returns
    -------
    pandas.DataFrame
        The finest key, days [days], probability [fraction]; sorted. Empty where no line has arrived.
    """
    finest = list(by[-1])
    if lead_times.empty or not lead_times["arrived"].any():
        return pd.DataFrame({**{name: pd.Series(dtype="object") for name in finest}, "days": [], "probability": []})
    coarse = _pmf_by_key(lead_times, keys=[], prior=None, prior_lines=0.0)
    prior_keys: list[str] = []
    for keys in by:
        coarse = _pmf_by_key(lead_times, keys=list(keys), prior=(coarse, prior_keys), prior_lines=prior_lines)
        prior_keys = list(keys)
    long = coarse.reset_index().melt(id_vars=finest, var_name="days", value_name="probability")
    long = long[long["probability"] > 1e-12].astype({"days": "float64"})
    return long.sort_values([*finest, "days"], kind="stable").reset_index(drop=True)


def _pmf_by_key(
    lead_times: pd.DataFrame, *, keys: list[str], prior: tuple[pd.DataFrame, list[str]] | None, prior_lines: float
) -> pd.DataFrame:
    """Return one row of probabilities per key over days 0 … longest, shrunk to `prior`."""
    days = lead_times["days"].clip(upper=MOST_DAYS).round().astype("int64")
    longest = int(days.max())
    frame = lead_times.assign(day=days, all_lines="")
    keys_used = keys or ["all_lines"]
    index = frame[keys_used].drop_duplicates().sort_values(keys_used)
    rows = pd.MultiIndex.from_frame(index).get_indexer(pd.MultiIndex.from_frame(frame[keys_used]))
    lines, arrivals = np.zeros((2, len(index), longest + 1))
    np.add.at(lines, (rows, days.to_numpy()), 1.0)
    np.add.at(arrivals, (rows, days.to_numpy()), frame["arrived"].to_numpy(dtype="float64"))
    pmf, left = _product_limit(lines, arrivals)
    base = np.zeros((len(index), longest + 1))
    if prior is None:
        base[:, longest] = 1.0
    elif not prior[1]:
        base[:] = prior[0].to_numpy()
    else:
        base[:] = prior[0].reindex(pd.MultiIndex.from_frame(index[prior[1]])).to_numpy()
    pmf += left[:, None] * _beyond(base, arrivals)
    count = arrivals.sum(axis=1, keepdims=True)
    shrunk = pmf if prior is None else (count * pmf + prior_lines * base) / (count + prior_lines)
    return pd.DataFrame(shrunk, index=pd.MultiIndex.from_frame(index), columns=range(longest + 1))


def _product_limit(lines: np.ndarray, arrivals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the product-limit probabilities of each row and the mass left after its last arrival."""
    open_before = lines[:, ::-1].cumsum(axis=1)[:, ::-1]
    still = np.cumprod(1 - np.divide(arrivals, open_before, out=np.zeros_like(arrivals), where=open_before > 0), axis=1)
    before = np.concatenate([np.ones((len(lines), 1)), still[:, :-1]], axis=1)
    return before - still, still[:, -1]


def _beyond(base: np.ndarray, arrivals: np.ndarray) -> np.ndarray:
    """Return the coarser distribution restricted to days after each row's last arrival; the longest day where it has none."""
    days = np.arange(base.shape[1])
    last = np.where(arrivals.sum(axis=1) > 0, _last_positive(arrivals), -1)
    tail = np.where(days[None, :] > last[:, None], base, 0.0)
    total = tail.sum(axis=1, keepdims=True)
    end = np.zeros_like(base)
    end[:, -1] = 1.0
    return np.where(total > 0, tail / np.where(total > 0, total, 1.0), end)


def _last_positive(counts: np.ndarray) -> np.ndarray:
    return counts.shape[1] - 1 - np.argmax(counts[:, ::-1] > 0, axis=1)


def score_lead_times(lead_times: pd.DataFrame, probabilities: pd.DataFrame, *, by: Sequence[str], as_of: dt.date) -> pd.DataFrame:
    """Return mean, variation, P95, share late and share crossing of the lead times of each key.

    Parameters
    ----------
    lead_times : pandas.DataFrame
        As from `collect_lead_times`.
    probabilities : pandas.DataFrame
        As from `fit_lead_times` with the same finest key.
    by : sequence of str
        The key.
    as_of : datetime.date
        Lines promised up to this day are due; a due line that is open is late.

    Returns
    -------
    pandas.DataFrame
        The key, lines [count], open_lines [count], mean_days, cv [ratio], p95_days, late_share [fraction; missing without
        promised_on], crossing_share [fraction of arrivals that overtook an earlier order].
    """
    keys = list(by)
    spread = probabilities.assign(
        first=probabilities["days"] * probabilities["probability"],
        second=probabilities["days"] ** 2 * probabilities["probability"],
    )
    grouped = spread.groupby(keys, sort=True)
    shape = grouped[["first", "second"]].sum()
    reached = spread.assign(reached=grouped["probability"].cumsum())
    p95 = reached[reached["reached"] >= 0.95 - 1e-12].groupby(keys, sort=True)["days"].min()
    due = lead_times[lead_times["promised_on"].notna() & (lead_times["promised_on"] <= pd.Timestamp(as_of))]
    late = due.assign(late=(~due["arrived"]) | (due["arrived_on"] > due["promised_on"]))
    counts = lead_times.assign(open_line=~lead_times["arrived"].astype(bool)).groupby(keys, sort=True)["open_line"]
    table = pd.DataFrame({"lines": counts.size(), "open_lines": counts.sum()})
    table["mean_days"] = shape["first"]
    sd = np.sqrt((shape["second"] - shape["first"] ** 2).clip(lower=0))
    table["cv"] = sd / shape["first"].where(shape["first"] > 0)
    table["p95_days"] = p95
    table["late_share"] = late.groupby(keys, sort=True)["late"].mean().astype("float64")
    table["crossing_share"] = _crossing(lead_times, keys=keys)
    return table.reset_index()


def _crossing(lead_times: pd.DataFrame, *, keys: list[str]) -> pd.Series:
    """Return the share of arrivals that came before the arrival of an order placed on an earlier day."""
    arrived = lead_times[lead_times["arrived"].astype(bool)]
    items = [name for name in ("customer_id", "supplier_id", "product_id") if name in arrived]
    by_day = arrived.groupby([*items, "ordered_on"], sort=True)["arrived_on"].max().groupby(level=items).cummax()
    earlier = by_day.groupby(level=items).shift(1).rename("earlier")
    joined = arrived.merge(earlier.reset_index(), on=[*items, "ordered_on"], how="left")
    joined["crossed"] = joined["arrived_on"] < joined["earlier"]
    return joined.groupby(keys, sort=True)["crossed"].mean()
