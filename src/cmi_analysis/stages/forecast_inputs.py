"""What the forecast takes from the tables beside demand: what products have in common, holidays; and new items' kin."""

from __future__ import annotations

import pandas as pd

from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.demand import panel_frequency
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.forecasting.holidays import closed_days
from cmi_analysis.forecasting.kin import KIN_KINDS, forecast_from_kin
from cmi_analysis.params.models import ForecastingParams
from cmi_analysis.tables import DataSet, Slice


def product_attributes(tables: DataSet) -> pd.DataFrame | None:
    """Return what products may have in common beside their category: ``product_id`` and supplier and price where known."""
    names = [name for name in ("supplier_id", "unit_price") if tables.has("products", name)]
    return tables["products"][["product_id", *names]].drop_duplicates("product_id", keep="last") if names else None


def holidays_of(tables: DataSet) -> dict[str, pd.DataFrame | None]:
    """Return ``holidays``, the closed days of the working calendars, and ``customers``, which of them goes by which calendar."""
    if not tables.has("calendars", "open"):
        return {"holidays": None, "customers": None}
    found = closed_days(tables["calendars"])
    known = tables.has("customers", "calendar_id")
    if not known and len(found["calendar_id"].unique()) > 1:
        return {"holidays": None, "customers": None}
    return {"holidays": found, "customers": tables["customers"][["customer_id", "calendar_id"]] if known else None}


def told_by_all(part: Slice) -> dict[str, pd.DataFrame | None]:
    """Return the group's part of what was learnt from all groups, and what its products have in common where it was not."""
    book = part.book
    frames = {"boosting": book.get("global_forecasts"), "kin": book.get("kin_forecasts")}
    return frames | {"attributes": product_attributes(part.tables)}


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
