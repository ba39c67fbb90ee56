"""Parts of the KPIs of the sites' stock: in stock, fill of the shelf, cycles, turns, excess, costs, counts."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.performance.parts import kpi_parts, no_parts

ITEM = ["customer_id", "product_id"]
_ACTIVE_DAYS = 365


def active_snapshots(stock: pd.DataFrame, *, sales: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the snapshots of active items: those with stock, receipt or use in the 365 days up to the snapshot.

    Parameters
    ----------
    stock : DataFrame
        Columns customer_id, product_id, date, on_hand; optional received.
    sales : DataFrame, optional
        Columns customer_id, product_id, date, quantity.

    Returns
    -------
    DataFrame
        Rows of `stock`, sorted by item and date, with a clean index.
    """
    rows = stock.dropna(subset=["on_hand"]).sort_values([*ITEM, "date"], kind="stable").reset_index(drop=True)
    moves = rows["on_hand"] > 0
    if "received" in rows:
        moves = moves | (rows["received"] > 0)
    seen = [rows.loc[moves, [*ITEM, "date"]]]
    if sales is not None and not sales.empty:
        seen.append(sales.loc[sales["quantity"] > 0, [*ITEM, "date"]])
    activity = pd.concat(seen).drop_duplicates().rename(columns={"date": "active_on"})
    left = rows[[*ITEM, "date"]].reset_index().sort_values(["date", "index"], kind="stable")
    right = activity.sort_values(["active_on", *ITEM], kind="stable")
    found = pd.merge_asof(left, right, left_on="date", right_on="active_on", by=ITEM).set_index("index")["active_on"]
    recent = (rows["date"] - found.reindex(rows.index)) <= pd.Timedelta(days=_ACTIVE_DAYS)
    return rows[recent].reset_index(drop=True)


def in_stock_parts(active: pd.DataFrame) -> pd.DataFrame:
    """Return parts of in_stock_rate: each snapshot of an active item stands for its day or period."""
    return kpi_parts(active, numerator=(active["on_hand"] > 0).astype(float), denominator=1.0, cluster=active["customer_id"])


def shelf_fill_parts(sales: pd.DataFrame, active: pd.DataFrame) -> pd.DataFrame:
    """Return parts of shelf_fill as an estimate: units sold over units that would have been demanded.

    In the share of a period without stock the item is taken to have been demanded at its mean rate in the periods fully in
    stock. The share in stock is `sales.in_stock` where given, else half the snapshot before and half the one of the period.

    Parameters
    ----------
    sales : DataFrame
        Columns customer_id, product_id, date, quantity; optional in_stock (bool or fraction).
    active : DataFrame
        Result of `active_snapshots`, on the same dates' grid or finer.
    """
    rows = sales.groupby([*ITEM, "date"], as_index=False, sort=True)["quantity"].sum()
    if "in_stock" in sales and sales["in_stock"].notna().any():
        given = sales.assign(share=sales["in_stock"].astype("Float64").astype(float))
        rows["share"] = given.groupby([*ITEM, "date"], sort=True)["share"].mean().to_numpy()
    else:
        rows["share"] = _share_in_stock(rows, active)
    rows = rows.dropna(subset=["share"])
    full = rows[rows["share"] >= 1 - 1e-9].groupby(ITEM)["quantity"].mean().rename("rate")
    rows = rows.join(full, on=ITEM)
    rows = rows[rows["rate"].notna() & (rows["quantity"] >= 0)]
    demanded = rows["quantity"] + rows["rate"] * (1 - rows["share"].clip(0, 1))
    return kpi_parts(rows, numerator=rows["quantity"], denominator=demanded, cluster=rows["customer_id"], basis="estimate")


def _share_in_stock(rows: pd.DataFrame, active: pd.DataFrame) -> np.ndarray:
    """Return for each item-period half the stock state at its start and half the one of the last snapshot before the next."""
    there = active.assign(state=(active["on_hand"] > 0).astype(float))[[*ITEM, "date", "state"]].rename(columns={"date": "at"})
    there = there.sort_values(["at", *ITEM], kind="stable")
    left = rows[[*ITEM, "date"]].reset_index().sort_values(["date", "index"], kind="stable")
    before = pd.merge_asof(left, there, left_on="date", right_on="at", by=ITEM, allow_exact_matches=False).set_index("index")[
        "state"
    ]
    following = rows.groupby(ITEM)["date"].shift(-1)
    step = (following - rows["date"]).median() if following.notna().any() else pd.Timedelta(days=31)
    ends = left.assign(end=left["date"] + step).sort_values(["end", "index"], kind="stable")
    close = pd.merge_asof(ends, there, left_on="end", right_on="at", by=ITEM, allow_exact_matches=False).set_index("index")
    state = close["state"].where(close["at"] >= close["date"]).reindex(rows.index)
    opened = before.reindex(rows.index)
    return ((opened.fillna(state) + state.fillna(opened)) / 2).to_numpy()


def cycle_parts(active: pd.DataFrame) -> pd.DataFrame:
    """Return parts of cycle_service: whole cycles from one receipt to the next without a snapshot at zero."""
    if "received" not in active:
        return no_parts()
    rows = active.assign(cycle=(active["received"].fillna(0) > 0).groupby([active[name] for name in ITEM]).cumsum())
    cycles = (
        rows[rows["cycle"] > 0]
        .groupby([*ITEM, "cycle"], as_index=False, sort=True)
        .agg(date=("date", "min"), low=("on_hand", "min"))
    )
    whole = cycles[cycles["cycle"] < cycles.groupby(ITEM)["cycle"].transform("max")]
    return kpi_parts(whole, numerator=(whole["low"] > 0).astype(float), denominator=1.0, cluster=whole["customer_id"])


def stock_accuracy_parts(stock: pd.DataFrame) -> pd.DataFrame:
    """Return parts of stock_accuracy: 1 - Σ|count - book| / Σ count over the physical counts."""
    if "counted" not in stock:
        return no_parts()
    counts = stock.dropna(subset=["counted", "on_hand"])
    off = (counts["counted"].astype(float) - counts["on_hand"]).abs()
    return kpi_parts(counts, numerator=counts["counted"].astype(float) - off, denominator=counts["counted"].astype(float))


def unit_values(products: pd.DataFrame | None, *, column: str) -> pd.Series | None:
    """Return a money column by product_id, or None where the products hold none."""
    if products is None or column not in products or not products[column].notna().any():
        return None
    return products.drop_duplicates("product_id").set_index("product_id")[column].astype(float)


def mean_stock_parts(stock: pd.DataFrame, *, values: pd.Series | None, period: pd.Series) -> pd.DataFrame:
    """Return parts whose sum over a period is the mean stock over its snapshots (each customer's own snapshot dates).

    Parameters
    ----------
    stock : DataFrame
        Columns customer_id, product_id, date, on_hand.
    values : Series or None
        Money per unit by product_id; None: units.
    period : Series
        Period label of each row of `stock`; snapshots are averaged within it.

    Returns
    -------
    DataFrame
        Columns customer_id, product_id, date, worth.
    """
    rows = stock.assign(period=period)
    rate = 1.0 if values is None else rows["product_id"].map(values)
    snapshots = rows.groupby(["customer_id", "period"], dropna=False)["date"].transform("nunique")
    worth = rows["on_hand"].clip(lower=0) * rate / snapshots
    return rows.assign(worth=worth).dropna(subset=["worth"])[[*ITEM, "date", "worth"]]


def excess_parts(
    stock: pd.DataFrame,
    sales: pd.DataFrame,
    *,
    values: pd.Series | None,
    protection: pd.Series | float,
    excess_days: int,
    use_days: int,
    as_of: dt.date,
) -> pd.DataFrame:
    """Return parts of the policy-free excess: units on the shelf without expected use within protection interval + `excess_days`.

    Expected use is the item's mean daily use over the last `use_days`. On order is not looked at, and shortage is never netted.

    Parameters
    ----------
    stock, sales : DataFrame
        Stock snapshots (optional backordered) and sell-out up to `as_of`.
    values : Series or None
        The owner's money per unit by product_id; None: units.
    protection : Series or float
        Protection interval [days], by (customer_id, product_id) or for all.
    excess_days, use_days : int
        [days].
    as_of : date
        The newest snapshot of each item on or before it counts, if it is at most `use_days` old.

    Returns
    -------
    DataFrame
        Parts: numerator excess, denominator the stock in the same unit; n items.
    """
    stop = pd.Timestamp(as_of)
    known = stock[(stock["date"] <= stop) & (stock["date"] > stop - pd.Timedelta(days=use_days)) & stock["on_hand"].notna()]
    newest = known.sort_values([*ITEM, "date"], kind="stable").groupby(ITEM, sort=True).tail(1)
    recent = sales[(sales["date"] <= stop) & (sales["date"] > stop - pd.Timedelta(days=use_days))]
    daily = (recent.groupby(ITEM)["quantity"].sum().clip(lower=0) / use_days).rename("daily")
    rows = newest.join(daily, on=ITEM)
    keys = pd.MultiIndex.from_frame(rows[ITEM])
    days = protection.reindex(keys).to_numpy() if isinstance(protection, pd.Series) else np.full(len(rows), float(protection))
    owed = rows["backordered"].fillna(0.0) if "backordered" in rows else 0.0
    excess = (rows["on_hand"] - owed - rows["daily"].fillna(0.0) * (days + excess_days)).clip(lower=0)
    rate = 1.0 if values is None else rows["product_id"].map(values)
    rows = rows.assign(numerator=excess * rate, denominator=rows["on_hand"].clip(lower=0) * rate)
    return kpi_parts(rows.dropna(subset=["numerator"]), date=stop, basis="units" if values is None else "value")
