"""What customers bought: one long frame from whichever table says it, priced where a price is known."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

Basis = Literal["orders", "sales", "received"]
PURCHASES = ("order_id", "customer_id", "product_id", "date", "known_on", "quantity", "unit_price", "value")
RETURNS = ("customer_id", "product_id", "date", "quantity", "value")
_SORT = ["customer_id", "date", "order_id", "product_id", "known_on", "quantity"]


def table_purchases(
    source: pd.DataFrame,
    *,
    basis: Basis,
    products: pd.DataFrame | None = None,
    assortment: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return purchases in one shape, whatever table they come from.

    Parameters
    ----------
    source : pandas.DataFrame
        ``orders`` (basis "orders": ``order_id``, ``ordered_on``, ``quantity_ordered``), ``sales`` (basis "sales": ``date``,
        ``quantity``) or ``stock`` (basis "received": ``date``, ``received``), each with ``customer_id`` and ``product_id``.
    basis : {"orders", "sales", "received"}
        What counts as a purchase. Without an order number every customer and date is one order.
    products, assortment : pandas.DataFrame, optional
        Tables with ``unit_price`` for rows whose own is missing.

    Returns
    -------
    pandas.DataFrame
        ``order_id``, ``customer_id``, ``product_id``, ``date``, ``known_on``, ``quantity`` [sales units], ``unit_price``
        [money per unit], ``value`` [money; sales units where no row has any price], sorted by its key.

    Notes
    -----
    An order counts with the quantity first requested, never with what was delivered: a customer that was let down must not look
    smaller for it. What the customer itself cancelled is taken off by a row of its own, known from ``cancelled_on`` on; what we
    cancelled still was demand. Samples are no purchases. The price is the row's own, else the assortment's agreed price valid at
    that date, else the product's list price, else the product's median price in these rows; a row that still has none counts 0.
    """
    rows = (
        _order_rows(source) if basis == "orders" else _flow_rows(source, quantity="quantity" if basis == "sales" else "received")
    )
    rows["unit_price"] = _priced(rows, products=products, assortment=assortment)
    if rows["unit_price"].notna().any():
        rows["value"] = rows["quantity"] * rows["unit_price"].fillna(0.0)
    else:
        rows["value"] = rows["quantity"]
    return rows.sort_values(_SORT, kind="stable", ignore_index=True)[list(PURCHASES)]


def table_returns(returns: pd.DataFrame, *, purchases: pd.DataFrame) -> pd.DataFrame:
    """Return returned lines valued at what the customer paid for the product on average, else at the product's average price.

    Parameters
    ----------
    returns : pandas.DataFrame
        ``customer_id``, ``product_id``, ``returned_on``, ``quantity`` [sales units, positive].
    purchases : pandas.DataFrame
        Frame of `table_purchases`.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``product_id``, ``date``, ``quantity`` [sales units], ``value`` [as in `purchases`], sorted.
    """
    rows = returns[["customer_id", "product_id", "returned_on", "quantity"]].rename(columns={"returned_on": "date"})
    rows = rows.assign(quantity=rows["quantity"].abs().astype("float64"))
    own = _mean_price(purchases, ["customer_id", "product_id"]).rename("own")
    any_customer = _mean_price(purchases, ["product_id"]).rename("any_customer")
    rows = rows.merge(own.reset_index(), how="left", on=["customer_id", "product_id"])
    rows = rows.merge(any_customer.reset_index(), how="left", on="product_id")
    rows["value"] = rows["quantity"] * rows["own"].fillna(rows["any_customer"]).fillna(0.0)
    return rows.sort_values(["customer_id", "date", "product_id", "quantity"], kind="stable", ignore_index=True)[list(RETURNS)]


def _mean_price(purchases: pd.DataFrame, keys: list[str]) -> pd.Series:
    sums = purchases.groupby(keys, observed=True)[["value", "quantity"]].sum()
    return sums["value"] / sums["quantity"].where(sums["quantity"] > 0)


def _order_rows(orders: pd.DataFrame) -> pd.DataFrame:
    kept = orders.loc[orders["quantity_ordered"] > 0]
    if "kind" in kept:
        kept = kept.loc[kept["kind"].astype(object).where(kept["kind"].notna(), "") != "sample"]
    price = kept["unit_price"] if "unit_price" in kept else pd.Series(np.nan, index=kept.index)
    rows = pd.DataFrame(
        {
            "order_id": kept["order_id"],
            "customer_id": kept["customer_id"],
            "product_id": kept["product_id"],
            "date": kept["ordered_on"],
            "known_on": kept["ordered_on"],
            "quantity": kept["quantity_ordered"].astype("float64"),
            "unit_price": price.astype("float64"),
        }
    )
    taken_off = _cancelled_by_customer(kept)
    if taken_off is None:
        return rows
    less = rows.assign(quantity=-taken_off, known_on=kept["cancelled_on"]).loc[taken_off > 0]
    return pd.concat([rows, less], ignore_index=True)


def _cancelled_by_customer(orders: pd.DataFrame) -> pd.Series | None:
    if "cancelled_on" not in orders or not orders["cancelled_on"].notna().any():
        return None
    theirs = orders["cancelled_on"].notna()
    if "cancelled_by" in orders:
        theirs &= orders["cancelled_by"].astype(object).where(orders["cancelled_by"].notna(), "customer") == "customer"
    ordered = orders["quantity_ordered"].astype("float64")
    quantity = orders["quantity_cancelled"].astype("float64").fillna(ordered) if "quantity_cancelled" in orders else ordered
    return np.minimum(quantity, ordered).where(theirs, 0.0)


def _flow_rows(flow: pd.DataFrame, *, quantity: str) -> pd.DataFrame:
    kept = flow.loc[flow[quantity] > 0]
    own = quantity == "quantity" and "unit_price" in kept
    return pd.DataFrame(
        {
            "order_id": kept["customer_id"].astype(str) + "|" + kept["date"].dt.strftime("%Y-%m-%d"),
            "customer_id": kept["customer_id"],
            "product_id": kept["product_id"],
            "date": kept["date"],
            "known_on": kept["date"],
            "quantity": kept[quantity].astype("float64"),
            "unit_price": kept["unit_price"].astype("float64") if own else np.nan,
        }
    ).reset_index(drop=True)


def _priced(rows: pd.DataFrame, *, products: pd.DataFrame | None, assortment: pd.DataFrame | None) -> pd.Series:
    price = rows["unit_price"].copy()
    if assortment is not None and "unit_price" in assortment and price.isna().any():
        price = price.fillna(_agreed_price(rows, assortment))
    if products is not None and "unit_price" in products and price.isna().any():
        listed = products.drop_duplicates("product_id").set_index("product_id")["unit_price"]
        price = price.fillna(rows["product_id"].map(listed).astype("float64"))
    if price.isna().any() and price.notna().any():
        price = price.fillna(rows.assign(price=price).groupby("product_id", observed=True)["price"].transform("median"))
    return price


def _agreed_price(rows: pd.DataFrame, assortment: pd.DataFrame) -> pd.Series:
    """Return the price of the newest agreement that began on or before each row's date."""
    keys = ["customer_id", "product_id"]
    agreed = assortment.dropna(subset=["unit_price"])
    starts = agreed["valid_from_on"].fillna(pd.Timestamp("1900-01-01")).astype("datetime64[ns]")
    agreed = pd.DataFrame({**{key: agreed[key].astype(object) for key in keys}, "start": starts, "price": agreed["unit_price"]})
    agreed = agreed.sort_values(["start", *keys, "price"], kind="stable")
    asked = pd.DataFrame({**{key: rows[key].astype(object) for key in keys}, "start": rows["date"].astype("datetime64[ns]")})
    asked = asked.assign(row=np.arange(len(rows))).sort_values(["start", "row"], kind="stable")
    found = pd.merge_asof(asked, agreed, on="start", by=keys).sort_values("row")
    return pd.Series(found["price"].to_numpy(dtype="float64"), index=rows.index)
