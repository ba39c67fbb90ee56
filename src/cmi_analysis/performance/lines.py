"""Order lines judged against their due date: the ground of order fill, on time, in full and OTIF."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

LINE_COLUMNS = (
    "order_id", "line", "customer_id", "product_id", "warehouse_id", "ordered_on", "due_on", "due_basis", "unit_price",
    "ordered", "delivered_by_due", "delivered", "cancelled_by_us", "complete_on", "is_due", "early", "on_time", "in_full", "otif",
)  # fmt: skip
_KEY = ["order_id", "line"]
_TINY = 1e-9


def score_lines(
    orders: pd.DataFrame,
    *,
    deliveries: pd.DataFrame | None = None,
    assortment: pd.DataFrame | None = None,
    as_of: dt.date,
    late_tolerance_days: int = 0,
    early_tolerance_days: int = 7,
    quantity_tolerance: float = 0.0,
) -> pd.DataFrame:
    """Return one row per order line with what was due, what came by then, and whether it was on time and in full.

    Due = promised, else requested, else ordered + agreed lead time. A line without any of them cannot be judged and is not due.
    On time: the moment at which the line is complete (or its only delivery) lies within the tolerances of the due date. In full:
    (1 - tol) o <= delivered so far <= (1 + tol) o. OTIF: delivered by due + late tolerance >= (1 - tol) o and not early. A line
    that the customer cancelled is left out (a part: taken off the ordered quantity); one that we, or nobody named, cancelled
    stays and fails.

    Parameters
    ----------
    orders : DataFrame
        Columns order_id, line, customer_id, product_id, ordered_on, quantity_ordered; optional promised_on, requested_on,
        delivered_on, quantity_delivered (missing beside a delivery date: taken as the whole quantity), warehouse_id, unit_price,
        cancelled_on, cancelled_by, quantity_cancelled.
    deliveries : DataFrame, optional
        Columns order_id, line, quantity, delivered_on; a line that has rows here is judged by them alone.
    assortment : DataFrame, optional
        Columns customer_id, product_id, lead_time_days [days]; optional valid_from_on.
    as_of : date
        A line is due when its due date is on or before it.
    late_tolerance_days, early_tolerance_days : int
        [days].
    quantity_tolerance : float
        [fraction].

    Returns
    -------
    DataFrame
        Columns `LINE_COLUMNS`, sorted by order_id and line. Quantities in sales units; `delivered_by_due` is d_T, uncapped.

    Examples
    --------
    >>> orders = pd.DataFrame({"order_id": ["1", "2"], "line": ["1", "1"], "customer_id": "c", "product_id": "p",
    ...     "ordered_on": pd.to_datetime(["2024-01-01"] * 2), "quantity_ordered": [10.0, 10.0],
    ...     "promised_on": pd.to_datetime(["2024-01-08"] * 2), "delivered_on": pd.to_datetime(["2024-01-08", None]),
    ...     "quantity_delivered": [10.0, None]})
    >>> score_lines(orders, as_of=dt.date(2024, 1, 31))[["is_due", "otif"]].values.tolist()
    [[True, True], [True, False]]
    """
    stop = pd.Timestamp(as_of)
    lines = _lines_to_judge(orders, stop=stop)
    lines = _with_due(lines, assortment=assortment)
    events = _events(lines, deliveries, stop=stop)
    need = lines["ordered"] * (1 - quantity_tolerance) - _TINY
    events = events.assign(need=events["row"].map(need), due_on=lines["due_on"].reindex(events["row"]).to_numpy())
    events["total"] = events.groupby("row", sort=False)["quantity"].cumsum()
    in_time = events["delivered_on"] <= events["due_on"] + pd.Timedelta(days=late_tolerance_days)
    grouped = events.groupby("row")
    lines["delivered_by_due"] = events[in_time].groupby("row")["quantity"].sum().reindex(lines.index).fillna(0.0)
    lines["delivered"] = grouped["quantity"].sum().reindex(lines.index).fillna(0.0)
    lines["complete_on"] = events[events["total"] >= events["need"]].groupby("row")["delivered_on"].min().reindex(lines.index)
    only = grouped["delivered_on"].first().where(grouped.size() == 1).reindex(lines.index)
    moment = lines["complete_on"].fillna(only)
    lines["is_due"] = (lines["due_on"] <= stop) & (lines["ordered"] > _TINY)
    lines["early"] = moment < lines["due_on"] - pd.Timedelta(days=early_tolerance_days)
    lines["on_time"] = (moment <= lines["due_on"] + pd.Timedelta(days=late_tolerance_days)) & ~lines["early"]
    most = lines["ordered"] * (1 + quantity_tolerance) + _TINY
    lines["in_full"] = (lines["delivered"] >= need) & (lines["delivered"] <= most)
    lines["otif"] = (lines["delivered_by_due"] >= need) & ~lines["early"]
    return lines[list(LINE_COLUMNS)].sort_values(_KEY, kind="stable").reset_index(drop=True)


def _lines_to_judge(orders: pd.DataFrame, *, stop: pd.Timestamp) -> pd.DataFrame:
    """Keep what can be judged: a positive quantity after what the customer cancelled."""
    lines = orders.reset_index(drop=True).copy()
    for name in ("promised_on", "requested_on", "delivered_on", "cancelled_on"):
        lines[name] = pd.to_datetime(lines[name]) if name in lines else pd.NaT
    for name in ("quantity_delivered", "quantity_cancelled", "unit_price"):
        lines[name] = pd.to_numeric(lines[name]).astype(float) if name in lines else np.nan
    for name in ("warehouse_id", "cancelled_by"):
        lines[name] = lines[name].astype("string").fillna("").astype(str) if name in lines else ""
    lines["line"] = lines["line"].astype(str) if "line" in lines else (lines.groupby("order_id").cumcount() + 1).astype(str)
    ordered = lines["quantity_ordered"].astype(float)
    cancelled = lines["cancelled_on"] <= stop
    amount = lines["quantity_cancelled"].fillna(ordered).clip(upper=ordered).where(cancelled, 0.0)
    theirs = lines["cancelled_by"].str.strip().str.lower() == "customer"
    lines["cancelled_by_us"] = amount.where(~theirs, 0.0)
    lines["ordered"] = ordered - amount.where(theirs, 0.0)
    return lines[lines["ordered"] > _TINY].reset_index(drop=True)


def _with_due(lines: pd.DataFrame, *, assortment: pd.DataFrame | None) -> pd.DataFrame:
    agreed = lines["ordered_on"] + pd.to_timedelta(_agreed_days(lines, assortment), unit="D")
    lines["due_on"] = lines["promised_on"].fillna(lines["requested_on"]).fillna(agreed)
    basis = np.select(
        [lines["promised_on"].notna(), lines["requested_on"].notna(), agreed.notna()],
        ["promised", "requested", "agreed"],
        default="",
    )
    return lines.assign(due_basis=basis)


def _agreed_days(lines: pd.DataFrame, assortment: pd.DataFrame | None) -> pd.Series:
    """Return the lead time agreed for each line on its order date, missing where none is."""
    if assortment is None or assortment.empty or "lead_time_days" not in assortment:
        return pd.Series(np.nan, index=lines.index)
    agreed = assortment.dropna(subset=["lead_time_days"])
    since = pd.to_datetime(agreed["valid_from_on"]) if "valid_from_on" in agreed else pd.Series(pd.NaT, index=agreed.index)
    agreed = agreed[["customer_id", "product_id", "lead_time_days"]].assign(since=since.fillna(pd.Timestamp("1900-01-01")))
    agreed = agreed.sort_values(["since", "customer_id", "product_id", "lead_time_days"], kind="stable")
    asked = lines[["customer_id", "product_id", "ordered_on"]].reset_index().dropna(subset=["ordered_on"])
    asked = asked.sort_values(["ordered_on", "index"], kind="stable")
    agreed = agreed.assign(since=agreed["since"].astype("datetime64[ns]"))
    asked = asked.assign(ordered_on=asked["ordered_on"].astype("datetime64[ns]"))
    found = pd.merge_asof(asked, agreed, left_on="ordered_on", right_on="since", by=["customer_id", "product_id"])
    return found.set_index("index")["lead_time_days"].astype(float).reindex(lines.index)


def _events(lines: pd.DataFrame, deliveries: pd.DataFrame | None, *, stop: pd.Timestamp) -> pd.DataFrame:
    """Return deliveries up to `stop` with the row of their line, by row and date."""
    own = lines.loc[lines["delivered_on"].notna(), ["delivered_on", "quantity_delivered", "ordered"]]
    own = own.assign(quantity=own["quantity_delivered"].fillna(own["ordered"]), row=own.index)
    events = own[["row", "delivered_on", "quantity"]]
    if deliveries is not None and not deliveries.empty:
        keys = lines[_KEY].assign(row=lines.index)
        several = deliveries[[*_KEY, "delivered_on", "quantity"]].assign(line=deliveries["line"].astype(str)).merge(keys, on=_KEY)
        rest = events[~events["row"].isin(several["row"])]
        several = several[["row", "delivered_on", "quantity"]]
        events = pd.concat([rest, several]) if len(rest) else several
    events = events[events["delivered_on"] <= stop].astype({"row": int, "quantity": float})
    # two deliveries of one day are one moment
    return (
        events.groupby(["row", "delivered_on"], as_index=False)["quantity"]
        .sum()
        .sort_values(["row", "delivered_on"], kind="stable")
    )


def score_fill_gap(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the units ordered and due, split by what can be seen of each line; the parts sum exactly to the units ordered.

    For each line due: in time (at most what was ordered), late (came after the due date), cancelled by us, short (some came, the
    rest did not), open (nothing came). Causes behind these, such as a late supplier or a low forecast, are not looked for here.

    Parameters
    ----------
    lines : DataFrame
        Result of `score_lines`.

    Returns
    -------
    DataFrame
        Columns cause (ordered, late, short, open, cancelled_by_us, in_time), units, share [fraction of ordered], lines.
    """
    due = lines[lines["is_due"]]
    ordered = due["ordered"]
    in_time = due["delivered_by_due"].clip(upper=ordered)
    late = due["delivered"].clip(upper=ordered) - in_time
    rest = ordered - in_time - late
    cancelled = np.minimum(rest, due["cancelled_by_us"])
    rest = rest - cancelled
    some = due["delivered"] > 0
    parts = {"ordered": ordered, "late": late, "short": rest.where(some, 0.0), "open": rest.where(~some, 0.0),
             "cancelled_by_us": cancelled, "in_time": in_time}  # fmt: skip
    units = [float(part.sum()) for part in parts.values()]
    total = units[0]
    return pd.DataFrame(
        {
            "cause": list(parts),
            "units": units,
            "share": [unit / total if total else np.nan for unit in units],
            "lines": [int((part > _TINY).sum()) for part in parts.values()],
        }
    )
