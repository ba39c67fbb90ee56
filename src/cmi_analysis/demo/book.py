"""Puts a whole demo book together, pool by pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo import masters, orderbook, sharing, stocks
from cmi_analysis.demo.controls import control_totals, month_totals
from cmi_analysis.demo.demand import Products, Series, draw_products, draw_promotions, draw_series, market, season
from cmi_analysis.demo.layout import Layout, Size, SizeName, day, lay_out
from cmi_analysis.demo.simulation import Record, simulate
from cmi_analysis.demo.terms import Suppliers, draw_suppliers, draw_terms
from cmi_analysis.tables.dataset import DataSet, Settings
from cmi_analysis.tables.schemas import conform

SORT_KEYS: Mapping[str, list[str]] = {
    "customers": ["customer_id"],
    "assortment": ["customer_id", "product_id", "valid_from_on"],
    "sales": ["customer_id", "product_id", "date"],
    "orders": ["order_id", "line"],
    "deliveries": ["delivery_id"],
    "stock": ["customer_id", "product_id", "date"],
    "lots": ["node_id", "product_id", "lot", "date"],
    "in_transit": ["customer_id", "product_id", "expected_on"],
    "warehouse_stock": ["warehouse_id", "product_id", "date"],
    "customer_forecasts": ["customer_id", "product_id", "issued_on", "period"],
    "adjustments": ["customer_id", "product_id", "issued_on", "period"],
    "returns": ["return_id"],
    "purchase_orders": ["po_id", "line"],
    "transfers": ["transfer_id"],
    "receipts": ["receipt_id"],
    "contracts": ["contract_id"],
    "feeds": ["customer_id", "table", "due_on"],
    "feedback": ["feedback_id"],
}
"""Tables made pool by pool, with the key by which they are sorted."""


@dataclass(frozen=True)
class Demo:
    """A demo book and what was planted in it.

    Attributes
    ----------
    tables : DataSet
        Every table of the data contract, clean.
    truth : mapping of str to pandas.DataFrame
        The planted truth, see the package's docstring.
    """

    tables: DataSet
    truth: Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Frame:
    """What is the same for all pools of a book."""

    layout: Layout
    products: Products
    promotions: pd.DataFrame
    suppliers: Suppliers


def settings(layout: Layout) -> Settings:
    """Return what `dataset.yml` says."""
    return Settings(name=f"Demo book, seed {layout.seed}", currency="EUR", frequency="week", week_start="Monday", time_zone="UTC")


def set_frame(*, size: SizeName | Size, seed: int) -> Frame:
    """Draw what all pools share."""
    layout = lay_out(size=size, seed=seed)
    return Frame(layout, draw_products(layout), draw_promotions(layout), draw_suppliers(layout))


def shared_tables(frame: Frame) -> dict[str, pd.DataFrame]:
    """Return the tables that do not belong to a pool."""
    layout = frame.layout
    return {
        "products": masters.products_table(layout, frame.products, frame.suppliers),
        **masters.supplier_tables(layout, frame.products, frame.suppliers),
        "warehouses": masters.warehouses_table(layout),
        "promotions": masters.promotions_table(layout, frame.promotions),
        "costs": masters.costs_table(),
        "targets": masters.targets_table(),
        "calendars": masters.calendars_table(),
        "drivers": sharing.drivers_table(layout, market(layout)),
    }


def make_pools(frame: Frame, *, with_demand: bool = True) -> Iterator[tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]]:
    """Yield the tables and the truth of one warehouse and the groups it serves after the other.

    Parameters
    ----------
    frame : Frame
    with_demand : bool
        Whether the truth has the uncensored demand of every week (``demand``) or only the sums of each series.
    """
    layout = frame.layout
    for pool in range(layout.size.warehouses):
        groups = [g for g, w in enumerate(layout.warehouse_of_group) if w == pool]
        if groups:
            yield _pool(frame, pool, groups, with_demand)


def _pool(
    frame: Frame, pool: int, groups: list[int], with_demand: bool
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    layout, products = frame.layout, frame.products
    series = draw_series(layout, products, frame.promotions, groups)
    terms = draw_terms(layout, products, series)
    record = simulate(layout=layout, pool=pool, series=series, terms=terms, suppliers=frame.suppliers)
    lines = orderbook.order_lines(record, series, terms)
    sent = orderbook.match_deliveries(record, terms, lines)
    orders = orderbook.orders_table(layout, products, series, terms, lines, sent, pool)
    deliveries = orderbook.deliveries_table(layout, orders, sent, pool)
    bought, receipts = stocks.purchase_tables(layout, products, frame.suppliers, record, pool)
    tables = {
        "customers": masters.customers_table(layout, groups),
        "assortment": masters.assortment_table(layout, products, series, terms),
        "sales": stocks.sales_table(layout, products, series, record, frame.promotions),
        "orders": orders,
        "deliveries": deliveries,
        "stock": stocks.stock_table(layout, series, record),
        "lots": stocks.lots_table(layout, record, receipts, pool),
        "in_transit": orderbook.in_transit_table(orders, deliveries),
        "warehouse_stock": stocks.warehouse_stock_table(layout, record, pool),
        "customer_forecasts": sharing.forecasts_table(layout, series),
        "adjustments": sharing.adjustments_table(layout, series, frame.promotions),
        "returns": orderbook.returns_table(layout, series, record),
        "purchase_orders": bought,
        "transfers": orderbook.transfers_table(layout, series, record),
        "receipts": receipts,
        "contracts": masters.contracts_table(layout, groups),
        "feeds": sharing.feeds_table(layout, series),
        "feedback": sharing.feedback_table(layout, series, record),
    }
    tables = {name: table.sort_values(SORT_KEYS[name], kind="stable", ignore_index=True) for name, table in tables.items()}
    truth = {"series": _series_truth(layout, series, record)}
    if with_demand:
        truth["demand"] = stocks.demand_truth(layout, series, record)
    return tables, truth


def _series_truth(layout: Layout, series: Series, record: Record) -> pd.DataFrame:
    """Return what was planted for each series, with the sums of demand and of sales [units]."""
    return pd.DataFrame(
        {
            "customer_id": orderbook.take(series.customer_ids, series.customer),
            "product_id": orderbook.take(layout.product_ids, series.product),
            "planted_class": orderbook.take(lay.CLASSES, series.kind),
            "demand_chance": np.round(series.chance, 4),
            "demand_size": np.round(series.demand_size, 3),
            "size_cv2": np.round(series.size_cv2, 4),
            "demand": series.quantity.sum(axis=1),
            "sold": record.sold.sum(axis=1),
        }
    )


def shared_truth(frame: Frame) -> dict[str, pd.DataFrame]:
    """Return the planted truth that does not belong to a pool."""
    layout, suppliers = frame.layout, frame.suppliers
    promos = frame.promotions
    table = masters.promotions_table(layout, promos)
    table = table[["promotion_id", "product_id", "customer_group", "starts_on", "ends_on"]]
    weeks = np.arange(lay.WEEKS)
    seasons = [pd.DataFrame({"category": c, "date": day(weeks * 7), "factor": np.round(season(c), 6)}) for c in lay.CATEGORIES]
    ids = np.array(stocks.supplier_ids(), dtype=object)
    first, last = (pd.Timestamp(day(w * 7).item()) for w in lay.SHORT_WEEKS)
    short = [layout.product_ids[p] for p in layout.short_products]
    return {
        "roles": _roles(layout),
        "seasons": pd.concat(seasons, ignore_index=True),
        "promotions": table.assign(lift=promos["lift"], dip=promos["dip"], dip_weeks=2),
        "suppliers": pd.DataFrame(
            {
                "supplier_id": ids,
                "lead_time_mean_days": suppliers.mean,
                "lead_time_cv": suppliers.cv,
                "late_share": suppliers.late,
                "promised_days": suppliers.promised,
                "planted_late": np.arange(lay.SUPPLIERS) == layout.late_supplier,
            }
        ),
        "short_supply": pd.DataFrame(
            {"product_id": short, "starts_on": first, "ends_on": last - pd.Timedelta(days=1), "share": lay.SHORT_SHARE}
        ),
        "market": pd.DataFrame({"date": day(weeks * 7), "factor": np.round(market(layout), 6)}),
    }


def _roles(layout: Layout) -> pd.DataFrame:
    """Return one row for each planted part: role, kind of id, id, starts_on, ends_on, value."""
    starts = {"leaving": lay.LEAVING_WEEK}
    ends = {"leaving": lay.LEAVING_WEEK + lay.GONE_WEEKS}
    value = {"biased_forecast": lay.FORECAST_BIAS, "batching": 8.0}
    rows = [(r, "customer", i, starts.get(r), ends.get(r), value.get(r)) for r, i in layout.roles.items()]
    rows.append(("late", "supplier", stocks.supplier_ids()[layout.late_supplier], None, None, 0.36))
    rows.append(("new", "product", layout.product_ids[layout.new_product], lay.LAUNCH_WEEK, None, None))
    rows.append(("ending", "product", layout.product_ids[layout.ending_product], *lay.FADE_WEEKS, None))
    frame = pd.DataFrame(rows, columns=["role", "kind", "id", "starts_on", "ends_on", "value"])
    for name in ("starts_on", "ends_on"):
        weeks = frame[name].astype(float).to_numpy()
        frame[name] = pd.Series(day(np.nan_to_num(weeks).astype(int) * 7)).where(np.isfinite(weeks))
    return frame.astype({"value": float})


def make_demo(*, size: SizeName | Size = "small", seed: int = 1) -> Demo:
    """Make a demo book in memory (for the large one use `write_demo`, which works pool by pool).

    Parameters
    ----------
    size : {"small", "medium", "large"} or Size
        7, 20 or 200 customer groups.
    seed : int
        The same seed gives the same book; a further customer changes no other customer's draws.

    Returns
    -------
    Demo
        Clean tables of the data contract and the planted truth.
    """
    frame = set_frame(size=size, seed=seed)
    tables = shared_tables(frame)
    pools, truths, totals = [], [], []
    for made, truth in make_pools(frame):
        pools.append(made)
        truths.append(truth)
        totals.append(month_totals(tables | made))
    for name, keys in SORT_KEYS.items():
        parts = [p[name] for p in pools if not p[name].empty] or [pools[0][name]]
        tables[name] = pd.concat(parts, ignore_index=True).sort_values(keys, kind="stable", ignore_index=True)
    truth = shared_truth(frame)
    for name in truths[0]:
        keys = [key for key in ("customer_id", "product_id", "date") if key in truths[0][name]]
        truth[name] = pd.concat([t[name] for t in truths]).sort_values(keys, ignore_index=True)
    tables["control_totals"], truth["control_differences"] = control_totals(totals)
    return Demo(DataSet(tidy(tables), settings(frame.layout)), {name: _plain_dates(truth[name]) for name in sorted(truth)})


def tidy(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return tables of the contract by name, in the contract's types and column order, as reading them gives them back."""
    return {name: conform(name, tables[name]) for name in sorted(tables)}


def _plain_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose dates have the unit of nanoseconds."""
    return frame.astype(dict.fromkeys(frame.select_dtypes("datetime").columns, "datetime64[ns]"))
