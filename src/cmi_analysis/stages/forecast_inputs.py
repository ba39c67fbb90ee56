"""What the forecasting stage reads: demand, categories, prices, agreed ends and the customers' own forecasts, from the tables."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.demand import demand_panel, first_requests, pool_rare_items
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.tables import DataSet


def site_prices(tables: DataSet) -> pd.DataFrame | None:
    """Prices that the site took, where it tells them."""
    if not tables.has("sales", "unit_price"):
        return None
    return tables["sales"][[*SERIES, "date", "unit_price"]].rename(columns={"unit_price": "price"})


def slice_panel(tables: DataSet, as_of: dt.date, *, most_items: int | None = None) -> tuple[pd.DataFrame, str]:
    """Return the demand of the tables as a panel, and whose it is (site or warehouse)."""
    site = tables.has("sales", "quantity")
    if not site and not tables.has("orders", "quantity_ordered"):
        raise InputError(
            expected="a table 'sales' or 'orders' with quantities",
            found="neither",
            fix="Add what customers sold (sales) or ordered from us (orders).",
        )
    sales = tables["sales"] if site else first_requests(tables["orders"], returns=tables.get("returns"))
    optional = {name: tables.get(name) if site else None for name in ("stock", "returns", "assortment")}
    settings = tables.settings
    when = {"as_of": as_of, "frequency": settings.frequency, "week_start": settings.week_start}
    if most_items is not None and not site:
        sales = pool_rare_items(sales, most=most_items, **when)
    panel = demand_panel(sales, order_book=not site, **when, **optional)
    return panel, "site" if site else "warehouse"


def product_categories(tables: DataSet) -> pd.Series:
    """Return the category by product_id, empty where none is told."""
    if not tables.has("products", "category"):
        return pd.Series(dtype="object")
    products = tables["products"].drop_duplicates("product_id", keep="last")
    return products.set_index("product_id")["category"].fillna("").astype(str)


def sent_forecasts(tables: DataSet, echelon: str) -> pd.DataFrame | None:
    """Return the customers' own forecasts of what is forecast here."""
    frame = tables.get("customer_forecasts")
    if frame is None or frame.empty or "of" not in frame:
        return frame
    wanted = "sell_out" if echelon == "site" else "orders"
    return frame[frame["of"].isna() | (frame["of"] == wanted)]


def agreed_ends(tables: DataSet) -> pd.DataFrame | None:
    """Agreed last day by series: the end of the product or of its agreement with the customer, whichever comes first."""
    if not tables.has("assortment"):
        return None
    agreed = tables["assortment"][SERIES].assign(ends_on=tables["assortment"].get("valid_to_on", pd.NaT))
    agreed["ends_on"] = pd.to_datetime(agreed["ends_on"])
    still = agreed[agreed["ends_on"].isna()][SERIES].drop_duplicates().assign(still=True)
    last = agreed.groupby(SERIES, sort=True)["ends_on"].max().reset_index().merge(still, on=SERIES, how="left")
    last["ends_on"] = last["ends_on"].where(last["still"].isna())
    if tables.has("products", "ends_on"):
        ends = tables["products"].drop_duplicates("product_id", keep="last").set_index("product_id")["ends_on"]
        product = pd.to_datetime(last["product_id"].map(ends))
        last["ends_on"] = pd.concat([last["ends_on"], product], axis=1).min(axis=1)
    return last[last["ends_on"].notna()][[*SERIES, "ends_on"]].reset_index(drop=True)
