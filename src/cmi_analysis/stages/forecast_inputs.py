"""What the forecast takes from the tables: demand, categories, prices, agreed ends, holidays, customers' forecasts, kin."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.demand import OTHERS, demand_panel, first_requests, panel_frequency, pool_rare_items
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.forecasting.holidays import closed_days, has_unnamed_calendars
from cmi_analysis.forecasting.kin import KIN_KINDS, forecast_from_kin
from cmi_analysis.params.models import ForecastingParams
from cmi_analysis.tables import DataSet, Slice


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


def product_attributes(tables: DataSet) -> pd.DataFrame | None:
    """Return what products may have in common beside their category: ``product_id`` and supplier and price where known."""
    names = [name for name in ("supplier_id", "unit_price") if tables.has("products", name)]
    return tables["products"][["product_id", *names]].drop_duplicates("product_id", keep="last") if names else None


def holidays_of(tables: DataSet) -> dict[str, pd.DataFrame | None]:
    """Return ``holidays``, the closed days of the working calendars, and ``customers``, which of them goes by which calendar."""
    if not tables.has("calendars", "open"):
        return {"holidays": None, "customers": None}
    # whose holidays they are cannot be told; the report says so
    if has_unnamed_calendars(tables.get("calendars"), customers=tables.get("customers")):
        return {"holidays": None, "customers": None}
    known = tables.has("customers", "calendar_id")
    customers = tables["customers"][["customer_id", "calendar_id"]] if known else None
    return {"holidays": closed_days(tables["calendars"]), "customers": customers}


def told_by_all(part: Slice, panel: pd.DataFrame) -> dict[str, pd.DataFrame | None]:
    """Return the group's part of what was learnt from all groups, and what its products have in common where it was not."""
    book = part.book
    frames = {"boosting": book.get("global_forecasts"), "kin": book.get("kin_forecasts")}
    return frames | {"top": _top(book.get("top_forecasts"), panel), "attributes": product_attributes(part.tables)}


def _top(handed: pd.DataFrame | None, panel: pd.DataFrame) -> pd.DataFrame | None:
    """The share of this group in the total handed down, None unless all its customers have one."""
    if handed is None or not set(panel["customer_id"]) - {OTHERS} <= set(handed["customer_id"]):
        return None
    return handed.groupby(["origin", "lead"], sort=True)["mean"].sum().reset_index()


def kin_forecasts(
    tables: DataSet,
    panel: pd.DataFrame,
    params: ForecastingParams,
    indices: pd.DataFrame,
    *,
    categories: pd.Series,
    least: int,
) -> pd.DataFrame:
    """Return all groups' forecasts of new series from their kin.

    Parameters
    ----------
    tables : DataSet
        All groups' tables.
    panel, indices : pandas.DataFrame
        All groups' demand, seasonal indices.
    params : ForecastingParams
        Horizon and folds.
    categories : pandas.Series
        Category by product_id (index).
    least : int
        Customers besides a series' own that kin must have to tell anything, so that nobody is recognised [count].
    """
    if panel.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in KIN_KINDS.items()})
    return forecast_from_kin(
        panel,
        settings=Settings(panel_frequency(tables.settings.frequency), tables.settings.week_start, params.horizon),
        folds=params.folds,
        indices=indices,
        categories=categories,
        attributes=product_attributes(tables),
        least_customers=least,
    )


def customer_segments(part: Slice) -> pd.Series | None:
    """Return the segment by customer_id, None where the book has none."""
    scores = part.book.get("customer_scores")
    return None if scores is None or scores.empty else scores.set_index("customer_id")["segment"]


def agreed_ends(tables: DataSet) -> pd.DataFrame | None:
    """Return the agreed last day by series: the end of the product or of its agreement with the customer, the earlier of both."""
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
