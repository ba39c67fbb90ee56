"""What the segmentation is computed from: purchases, returns, use, whichever tables say it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.measures.calendar import last_complete_period, period_range, period_start
from cmi_analysis.measures.demand_pattern import classify_demand
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.segmentation.purchases import Basis, table_purchases, table_returns
from cmi_analysis.tables import DataSet

USE = ["customer_id", "product_id", "date", "quantity"]


@dataclass(frozen=True)
class Inputs:
    """Purchases and what goes with them.

    Attributes
    ----------
    purchases : pandas.DataFrame
        Frame of `table_purchases`.
    returns : pandas.DataFrame or None
        Frame of `table_returns`.
    use : pandas.DataFrame
        ``customer_id, product_id, date, quantity`` and, where known, ``in_stock``, ``promotion``: sell-out where there is
        some, else purchases.
    basis, use_basis : str
        Which table speaks: "orders", "sales" or "received"; "sales" or "purchases".
    priced : bool
        Whether ``value`` is money; else it is sales units.
    unpriced_share : float
        Share of the purchased units that have no price [fraction].
    """

    purchases: pd.DataFrame
    returns: pd.DataFrame | None
    use: pd.DataFrame
    basis: Basis
    use_basis: str
    priced: bool
    unpriced_share: float

    def history_from(self) -> dt.date | None:
        """Return the first date of the purchases, None without any."""
        return None if self.purchases.empty else self.purchases["date"].min().date()

    def orders_only(self) -> pd.DataFrame:
        """Return the purchases with one row an order and date of knowledge: the same orders, days and values, far fewer rows."""
        keys = ["customer_id", "date", "order_id", "known_on"]
        sums = self.purchases.groupby(keys, observed=True, sort=True)[["quantity", "value"]].sum().reset_index()
        return sums.assign(product_id="", unit_price=float("nan"))


def gather_inputs(tables: DataSet) -> Inputs:
    """Return the inputs of a segmentation: orders, else sales, else stock received.

    Raises
    ------
    InputError
        None of the three tables has a row.
    """
    basis = _basis(tables)
    source = tables["orders"] if basis == "orders" else tables["sales"] if basis == "sales" else tables["stock"]
    assortment = tables.get("assortment") if basis == "orders" and tables.has("assortment", "unit_price") else None
    purchases = table_purchases(source, basis=basis, products=tables.get("products"), assortment=assortment)
    returns = table_returns(tables["returns"], purchases=purchases) if tables.has("returns") else None
    sold = tables.has("sales")
    use = tables["sales"] if sold else purchases
    kept = [*USE, *(name for name in ("in_stock", "promotion") if sold and name in use)]
    bought = purchases["quantity"].clip(lower=0).sum()
    without = purchases.loc[purchases["unit_price"].isna(), "quantity"].clip(lower=0).sum()
    return Inputs(
        purchases=purchases,
        returns=returns,
        use=use[kept],
        basis=basis,
        use_basis="sales" if sold else "purchases",
        priced=bool(purchases["unit_price"].notna().any()),
        unpriced_share=float(without / bought) if bought > 0 else 0.0,
    )


def _basis(tables: DataSet) -> Basis:
    if tables.has("orders"):
        return "orders"
    if tables.has("sales"):
        return "sales"
    if tables.has("stock", "received"):
        return "received"
    raise InputError(
        expected="orders, sales or stock with a column 'received'", found="none of them with a row", fix="Add one of the tables."
    )


def pattern_frame(inputs: Inputs, tables: DataSet, *, as_of: dt.date, params: SegmentationParams) -> pd.DataFrame:
    """Return the demand pattern of each customer × product over the last two years, at the data set's frequency.

    Sell-out is judged where there is some; orders are judged as orders and the report says so.
    """
    frequency, week_start = tables.settings.frequency, tables.settings.week_start
    last = last_complete_period(as_of, frequency=frequency, week_start=week_start)
    start = last if inputs.use.empty else max(inputs.use["date"].min(), last - pd.Timedelta(days=729))
    calendar = period_range(start, last, frequency=frequency, week_start=week_start)
    rows = inputs.use.assign(period=period_start(inputs.use["date"], frequency=frequency, week_start=week_start))
    keys = ["customer_id", "product_id", "period"]
    summed = rows.groupby(keys, observed=True, sort=True)["quantity"].sum(min_count=1)
    frame = summed.reset_index()
    if "in_stock" in rows:
        stock = rows.assign(in_stock=rows["in_stock"].astype("Float64").astype("float64"))
        frame["in_stock"] = stock.groupby(keys, observed=True, sort=True)["in_stock"].max().to_numpy()
    return classify_demand(
        frame,
        adi_cutoff=params.adi_cutoff,
        cv2_cutoff=params.cv2_cutoff,
        least_demands=params.least_demands,
        calendar=calendar,
    )


def customer_pattern(inputs: Inputs, tables: DataSet, *, as_of: dt.date, params: SegmentationParams) -> pd.DataFrame:
    """Return the demand pattern of each customer over all its products: ``customer_id``, ``demand_pattern``, ``adi``, ``cv2``."""
    whole = dataclasses.replace(inputs, use=inputs.use[USE].assign(product_id="all"))
    found = pattern_frame(whole, tables, as_of=as_of, params=params)
    return found[["customer_id", "pattern", "adi", "cv2"]].rename(columns={"pattern": "demand_pattern"})
