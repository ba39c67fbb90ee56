"""What is there and what is under way: active items, stock on the shelf, open supply by day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

KEY = ["customer_id", "product_id"]


def find_active_items(
    *, as_of: dt.date, assortment: pd.DataFrame | None, sales: pd.DataFrame | None, stock: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the items that a site carries: agreed in the assortment, else with use or stock in the last 12 months.

    Parameters
    ----------
    as_of : datetime.date
        Today.
    assortment : pandas.DataFrame or None
        customer_id, product_id, valid_from_on; optional valid_to_on and the terms. Of several valid rows the newest counts.
    sales, stock : pandas.DataFrame or None
        customer_id, product_id, date, quantity / on_hand.

    Returns
    -------
    pandas.DataFrame
        customer_id, product_id and the assortment's other columns; sorted, each item once.
    """
    day = pd.Timestamp(as_of)
    if assortment is not None and not assortment.empty:
        valid = assortment["valid_from_on"].isna() | (assortment["valid_from_on"] <= day)
        if "valid_to_on" in assortment:
            valid &= assortment["valid_to_on"].isna() | (assortment["valid_to_on"] >= day)
        rows = assortment[valid].sort_values([*KEY, "valid_from_on"], kind="stable").drop_duplicates(KEY, keep="last")
        return rows.reset_index(drop=True)
    parts = [
        frame.loc[(frame["date"] > day - pd.Timedelta(days=365)) & (frame[column] > 0), KEY]
        for frame, column in ((sales, "quantity"), (stock, "on_hand"))
        if frame is not None and not frame.empty
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in KEY})
    return pd.concat(parts).drop_duplicates().sort_values(KEY, kind="stable").reset_index(drop=True)


def find_stock_now(items: pd.DataFrame, stock: pd.DataFrame | None) -> pd.DataFrame:
    """Return the newest stock of each item.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id.
    stock : pandas.DataFrame or None
        customer_id, product_id, date, on_hand; optional backordered, blocked, on_order.

    Returns
    -------
    pandas.DataFrame
        Rows as `items`: on_hand (less blocked stock), backordered, stock_on_order [units], stock_on; missing where there is none.
    """
    empty = pd.DataFrame(
        {"on_hand": np.nan, "backordered": np.nan, "stock_on_order": np.nan, "stock_on": pd.NaT}, index=items.index
    ).astype({"stock_on": "datetime64[ns]"})
    if stock is None or stock.empty:
        return empty
    newest = stock[stock["on_hand"].notna()].sort_values([*KEY, "date"], kind="stable").drop_duplicates(KEY, keep="last")
    blocked = newest["blocked"].fillna(0.0).astype("float64") if "blocked" in newest else 0.0
    found = pd.DataFrame(
        {
            **{name: newest[name] for name in KEY},
            "on_hand": newest["on_hand"].astype("float64") - blocked,
            "backordered": newest["backordered"].fillna(0.0) if "backordered" in newest else 0.0,
            "stock_on_order": newest["on_order"].astype("float64") if "on_order" in newest else np.nan,
            "stock_on": newest["date"],
        }
    )
    return items[KEY].merge(found, on=KEY, how="left").set_axis(items.index)[list(empty.columns)]


def find_open_supply(
    items: pd.DataFrame,
    *,
    as_of: dt.date,
    orders: pd.DataFrame | None,
    deliveries: pd.DataFrame | None,
    in_transit: pd.DataFrame | None,
    overdue_days: int = 90,
) -> tuple[pd.DataFrame, str]:
    """Return what is ordered and not yet delivered, with the day it is expected, and which table said so.

    Open order lines where the data tell which lines were delivered, else `in_transit`. A line is expected on its promised day,
    else a mean lead time after its order; what is overdue is expected tomorrow, and what is overdue by more than
    `overdue_days` is taken for forgotten and does not count.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id, lead_time_days.
    as_of : datetime.date
        Today.
    orders : pandas.DataFrame or None
        order_id, line, customer_id, product_id, ordered_on, quantity_ordered; optional promised_on, delivered_on,
        quantity_delivered, quantity_cancelled, cancelled_on.
    deliveries : pandas.DataFrame or None
        order_id, line, quantity, delivered_on.
    in_transit : pandas.DataFrame or None
        customer_id, product_id, expected_on, quantity.
    overdue_days : int
        Age at which an overdue line is forgotten [days].

    Returns
    -------
    tuple of (pandas.DataFrame, str)
        customer_id, product_id, expected_on, quantity [units], forgotten (bool); and ``orders``, ``in_transit`` or ``none``.
    """
    tomorrow = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    source = "none"
    rows = pd.DataFrame({**{name: pd.Series(dtype="object") for name in KEY}, "due_on": pd.NaT, "quantity": 0.0}).iloc[:0]
    if orders is not None and not orders.empty and _tells_delivery(orders, deliveries):
        rows, source = _open_lines(orders, deliveries, items=items), "orders"
    elif in_transit is not None and not in_transit.empty:
        rows, source = in_transit.rename(columns={"expected_on": "due_on"})[[*KEY, "due_on", "quantity"]], "in_transit"
    rows = rows.merge(items[KEY], on=KEY).astype({"due_on": "datetime64[ns]", "quantity": "float64"})
    rows = rows[rows["quantity"] > 1e-9]
    rows["forgotten"] = rows["due_on"] < pd.Timestamp(as_of) - pd.Timedelta(days=overdue_days)
    rows["expected_on"] = rows["due_on"].fillna(tomorrow).clip(lower=tomorrow)
    open_supply = rows.groupby([*KEY, "expected_on", "forgotten"], sort=True)["quantity"].sum().reset_index()
    return open_supply[[*KEY, "expected_on", "quantity", "forgotten"]], source


def _tells_delivery(orders: pd.DataFrame, deliveries: pd.DataFrame | None) -> bool:
    told = any(name in orders and orders[name].notna().any() for name in ("delivered_on", "quantity_delivered"))
    return told or (deliveries is not None and not deliveries.empty)


def _open_lines(orders: pd.DataFrame, deliveries: pd.DataFrame | None, *, items: pd.DataFrame) -> pd.DataFrame:
    """Return the rest of every line that is neither delivered nor cancelled, with its due day."""
    lines = orders.merge(items[[*KEY, "lead_time_days"]], on=KEY)
    blank_day, zero = pd.Series(pd.NaT, index=lines.index), pd.Series(0.0, index=lines.index)
    delivered = lines["quantity_delivered"].fillna(0.0) if "quantity_delivered" in lines else zero
    if deliveries is not None and not deliveries.empty and "delivered_on" in deliveries:
        done = deliveries[deliveries["delivered_on"].notna()].groupby(["order_id", "line"], sort=True)["quantity"].sum()
        by_delivery = lines[["order_id", "line"]].merge(
            done.rename("done"), how="left", left_on=["order_id", "line"], right_index=True
        )
        delivered = np.maximum(delivered, by_delivery["done"].fillna(0.0).to_numpy())
    cancelled = lines["quantity_cancelled"].fillna(0.0) if "quantity_cancelled" in lines else zero
    left = (lines["quantity_ordered"] - delivered - cancelled).clip(lower=0)
    over = lines.get("cancelled_on", blank_day).notna()
    if "delivered_on" in lines and "quantity_delivered" not in lines:
        over |= lines["delivered_on"].notna()
    promised = lines.get("promised_on", blank_day)
    usual = lines["ordered_on"] + pd.to_timedelta(lines["lead_time_days"].fillna(0).round(), unit="D")
    due = promised.astype("datetime64[ns]").fillna(usual)
    return pd.DataFrame({**{name: lines[name] for name in KEY}, "due_on": due, "quantity": left.where(~over, 0.0)})


def spread_supply(items: pd.DataFrame, open_supply: pd.DataFrame, *, as_of: dt.date, days: int) -> np.ndarray:
    """Return the supply of each item that has arrived before the demand of day t: items × (days + 1), cumulative [units].

    What arrives on day t after as_of is on the shelf from day t + 1 on; forgotten lines are left out.
    """
    table = np.zeros((len(items), days + 1))
    used = open_supply[~open_supply["forgotten"].astype(bool)] if len(open_supply) else open_supply
    if len(used):
        rows = pd.MultiIndex.from_frame(items[KEY]).get_indexer(pd.MultiIndex.from_frame(used[KEY]))
        day = (used["expected_on"] - pd.Timestamp(as_of)).dt.days.to_numpy() + 1
        near = (rows >= 0) & (day <= days)
        np.add.at(table, (rows[near], np.maximum(day[near], 0)), used["quantity"].to_numpy(dtype="float64")[near])
    return table.cumsum(axis=1)
