"""The ledger's totals by month, added up from the tables themselves, with one planted difference."""

from __future__ import annotations

import pandas as pd

PLANTED = ("deliveries", pd.Timestamp("2026-04-01"))
PLANTED_UNITS = 120.0
KEYS = ["table", "period"]


def _monthly(table: str, dates: pd.Series, quantity: pd.Series, value: pd.Series) -> pd.DataFrame:
    frame = pd.DataFrame({"period": dates.dt.to_period("M").dt.to_timestamp(), "rows": 1, "quantity": quantity, "value": value})
    out = frame.groupby("period", sort=True, as_index=False)[["rows", "quantity", "value"]].sum()
    out.insert(0, "table", table)
    return out


def month_totals(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Add up one pool's tables by month: rows, quantity [units], value [money].

    `sales` by date at the shop's price; `orders` by ordered_on and `deliveries` by shipped_on at the agreed price; `receipts` by
    received_on at unit cost; `stock` is the last snapshot of each month at our list cost; `returns` by returned_on at list price.
    """
    sales, orders, sent, products = tables["sales"], tables["orders"], tables["deliveries"], tables["products"]
    price = sent.merge(orders[["order_id", "line", "unit_price"]], on=["order_id", "line"], how="left", validate="m:1")[
        "unit_price"
    ]
    receipts = tables["receipts"].dropna(subset=["received_on"])
    stock, returns = tables["stock"], tables["returns"]
    month = stock["date"].dt.to_period("M")
    last = stock[stock["date"] == stock["date"].groupby(month).transform("max")]
    cost = products.set_index("product_id")["unit_cost"]
    listed = products.set_index("product_id")["unit_price"]
    parts = [
        _monthly("sales", sales["date"], sales["quantity"], sales["quantity"] * sales["unit_price"]),
        _monthly("orders", orders["ordered_on"], orders["quantity_ordered"], orders["quantity_ordered"] * orders["unit_price"]),
        _monthly("deliveries", sent["shipped_on"], sent["quantity"], sent["quantity"] * price.to_numpy()),
        _monthly(
            "receipts",
            receipts["received_on"],
            receipts["quantity_received"],
            receipts["quantity_received"] * receipts["unit_cost"],
        ),
        _monthly("stock", last["date"], last["on_hand"], last["on_hand"] * last["product_id"].map(cost)),
        _monthly("returns", returns["returned_on"], returns["quantity"], returns["quantity"] * returns["product_id"].map(listed)),
    ]
    return pd.concat(parts, ignore_index=True)


def control_totals(parts: list[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the pools' totals up and plant the difference.

    Returns
    -------
    tuple of pandas.DataFrame
        The contract's `control_totals`, and the truth: table, period, quantity_difference [units, ledger − tables].
    """
    total = pd.concat(parts).groupby(KEYS, sort=True, as_index=False)[["rows", "quantity", "value"]].sum()
    hit = (total["table"] == PLANTED[0]) & (total["period"] == PLANTED[1])
    total["quantity"] = total["quantity"] + PLANTED_UNITS * hit
    total["value"] = total["value"].round(2)
    truth = pd.DataFrame({"table": [PLANTED[0]], "period": [PLANTED[1]], "quantity_difference": [PLANTED_UNITS]})
    return total, truth
