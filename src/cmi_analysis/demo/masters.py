"""Master data and agreements: who and what there is, on which terms, at which cost, with which service."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo.demand import Products, Series
from cmi_analysis.demo.layout import Layout, day, stream
from cmi_analysis.demo.orderbook import agreed_price, take
from cmi_analysis.demo.stocks import SHELF_LIFE_DAYS, supplier_ids
from cmi_analysis.demo.terms import Suppliers, Terms

FIRST = pd.Timestamp(lay.START)
CHAIN_NUMBERS = (2, 3, 4)
CHAIN_ACCOUNT = "A-CHAIN"
CHANNELS = ("retail", "wholesale", "industry", "hospital")


def _place(group: int) -> tuple[str, float, float]:
    return lay.PLACES[group % len(lay.PLACES)]


def customers_table(layout: Layout, groups: list[int]) -> pd.DataFrame:
    """Return the contract's `customers` of some groups; three sites of the first group belong to one account."""
    rows = []
    for group in groups:
        country, latitude, longitude = _place(group)
        name = layout.group_names[group]
        for number, cust in enumerate(layout.customer_ids(group)):
            rng = stream(layout.seed, "customer", cust)
            chain = group == 0 and number in CHAIN_NUMBERS
            rows.append(
                {
                    "customer_id": cust,
                    "customer_name": f"{name} {'分店' if country == 'CN' else 'Site'} {number + 1}",
                    "customer_group": name,
                    "account_id": CHAIN_ACCOUNT if chain else f"A{cust[1:]}",
                    "region": name,
                    "country": country,
                    "latitude": round(latitude + float(rng.normal(0, 0.7)), 4),
                    "longitude": round(longitude + float(rng.normal(0, 0.7)), 4),
                    "channel": CHANNELS[group % len(CHANNELS)],
                    "site_type": ("hub", "store", "store", "store", "kiosk", "kiosk")[number % 6],
                    "industry": CHANNELS[group % len(CHANNELS)],
                    "warehouse_id": layout.warehouse_ids[layout.warehouse_of_group[group]],
                    "priority": 1 + min(number % 6, 2),
                    "deferrable_days": (0, 3, 7, 7, 14, 14)[number % 6],
                    "calendar_id": "CN" if country == "CN" else "EU",
                    "account_manager": f"Manager {group % 5 + 1}",
                    "since_on": FIRST - pd.Timedelta(days=int(rng.integers(60, 2500))),
                }
            )
    return pd.DataFrame(rows)


def products_table(layout: Layout, products: Products, suppliers: Suppliers) -> pd.DataFrame:
    """Return the contract's `products`; the new one replaces the ending one."""
    count = layout.size.products
    category = np.array([layout.category(n) for n in range(count)], dtype=object)
    launched = np.full(count, FIRST - pd.Timedelta(days=700), dtype="datetime64[ns]")
    launched[layout.new_product] = day(lay.LAUNCH_WEEK * 7)
    ends = np.full(count, np.datetime64("NaT"), dtype="datetime64[ns]")
    ends[layout.ending_product] = day(lay.FADE_WEEKS[1] * 7 + 6)
    replaces = np.full(count, None, dtype=object)
    replaces[layout.new_product] = layout.product_ids[layout.ending_product]
    supplier = suppliers.of_product
    return pd.DataFrame(
        {
            "product_id": np.array(layout.product_ids, dtype=object),
            "product_name": [f"{c} {n // len(lay.CATEGORIES) + 1}" for n, c in enumerate(category)],
            "category": category,
            "unit_cost": products.cost,
            "unit_price": products.price,
            "supplier_id": take(supplier_ids(), supplier),
            "launched_on": launched,
            "ends_on": ends,
            "replaces_product_id": replaces,
            "base_unit": "piece",
            "shelf_life_days": [float(SHELF_LIFE_DAYS.get(c, np.nan)) for c in category],
            "supply_lead_time_days": suppliers.promised[supplier],
            "volume": np.round(0.002 + products.price / 4000, 4),
            "criticality": np.where(
                np.arange(count) % 5 == 0, "vital", np.where(np.arange(count) % 5 < 3, "essential", "desirable")
            ),
        }
    )


def assortment_table(layout: Layout, products: Products, series: Series, terms: Terms) -> pd.DataFrame:
    """Return the contract's `assortment` of a pool: what each customer carries and on which terms."""
    count = len(series.product)
    starts = np.full(count, FIRST, dtype="datetime64[ns]")
    starts[series.product == layout.new_product] = day(lay.LISTED_WEEK * 7)
    ends = np.full(count, np.datetime64("NaT"), dtype="datetime64[ns]")
    ends[series.product == layout.ending_product] = day(lay.FADE_WEEKS[1] * 7 + 6)
    weekdays = ("Mon", "Tue", "Wed", "Thu", "Fri")
    return pd.DataFrame(
        {
            "customer_id": take(series.customer_ids, series.customer),
            "product_id": take(layout.product_ids, series.product),
            "valid_from_on": starts,
            "valid_to_on": ends,
            "customer_product_code": [f"K{c:03d}-{p:03d}" for c, p in zip(series.customer, series.product, strict=True)],
            "units_per_order_unit": np.ones(count),
            "minimum_order_quantity": terms.minimum,
            "order_multiple": terms.pack,
            "maximum_stock": np.ceil(series.chance * series.demand_size * 26 / terms.pack + 8) * terms.pack,
            "review_period_days": terms.review * 7.0,
            "order_weekdays": take(weekdays, terms.weekday),
            "lead_time_days": terms.lead.astype(float),
            "unit_price": agreed_price(layout, products, series),
            "decides": np.where(series.number % 6 == 5, "shared", "customer"),
            "owner": "customer",
        }
    )


def supplier_tables(layout: Layout, products: Products, suppliers: Suppliers) -> dict[str, pd.DataFrame]:
    """Return the contract's `suppliers` and `supplier_products` (one source for each product)."""
    ids = np.array(supplier_ids(), dtype=object)
    countries = np.array(["DE", "CN", "PL", "VN", "TR", "IT"], dtype=object)
    head = pd.DataFrame(
        {"supplier_id": ids, "supplier_name": [f"Supplier {i[1:]}" for i in ids], "country": countries, "capacity": np.nan}
    )
    offered = pd.DataFrame(
        {
            "supplier_id": take(supplier_ids(), suppliers.of_product),
            "product_id": np.array(layout.product_ids, dtype=object),
            "unit_cost": products.cost,
            "minimum_order_quantity": 1.0,
            "lead_time_days": suppliers.promised[suppliers.of_product],
            "share": 1.0,
        }
    )
    head["capacity"] = 50000.0
    return {"suppliers": head, "supplier_products": offered.sort_values(["supplier_id", "product_id"], ignore_index=True)}


def warehouses_table(layout: Layout) -> pd.DataFrame:
    """Return the contract's `warehouses`."""
    rows = []
    for number, name in enumerate(layout.warehouse_ids):
        _, latitude, longitude = _place(layout.warehouse_of_group.index(number))
        rows.append((name, latitude, longitude, f"Warehouse {number + 1}", 120000.0, 500000.0))
    return pd.DataFrame(rows, columns=["warehouse_id", "latitude", "longitude", "warehouse_name", "fixed_cost", "capacity"])


def promotions_table(layout: Layout, promotions: pd.DataFrame) -> pd.DataFrame:
    """Return the contract's `promotions`: two weeks, Monday to Sunday, announced six weeks before."""
    start = day(promotions["week"].to_numpy() * 7)
    names = [layout.group_names[g] if g >= 0 else None for g in promotions["group"]]
    return pd.DataFrame(
        {
            "promotion_id": promotions["promotion_id"],
            "starts_on": start,
            "ends_on": day((promotions["week"] + promotions["weeks"]).to_numpy() * 7 - 1),
            "product_id": take(layout.product_ids, promotions["product"].to_numpy()),
            "customer_group": np.array(names, dtype=object),
            "discount": promotions["discount"],
            "kind": "price",
            "announced_on": start - np.timedelta64(42, "D"),
        }
    )


def costs_table() -> pd.DataFrame:
    """Return the contract's `costs`; an empty scope column means all."""
    rows = [
        ("holding_rate", 0.22, None),
        ("holding_rate", 0.28, "Beverages"),
        ("order_cost", 35.0, None),
        ("shortage_cost", 4.0, None),
        ("pick_cost", 1.1, None),
        ("freight_cost", 9.0, None),
        ("return_cost", 6.5, None),
        ("budget", 250000.0, None),
    ]
    frame = pd.DataFrame(rows, columns=["cost", "value", "category"])
    frame["customer_id"] = pd.Series([None] * len(frame), dtype=object)
    frame["product_id"] = pd.Series([None] * len(frame), dtype=object)
    frame["valid_from_on"] = FIRST
    return frame[["cost", "value", "customer_id", "product_id", "category", "valid_from_on"]]


def contracts_table(layout: Layout, groups: list[int]) -> pd.DataFrame:
    """Return the contract's `contracts`: order fill and OTIF for each customer's larger ones, in-stock for the hubs."""
    rows = []
    for group in groups:
        for number, cust in enumerate(layout.customer_ids(group)):
            tier = number % 6
            agreed = [
                ("order_fill", (0.95, 0.93, 0.90, 0.90, 0.88, 0.88)[tier]),
                ("otif", (0.85, 0.80, 0.75, 0.75, 0.70, 0.70)[tier]),
            ]
            if tier == 0:
                agreed.append(("in_stock", 0.96))
            for measure, level in agreed:
                rows.append(
                    (f"K-{cust}-{measure}", cust, measure, level, "month", FIRST, "units", 500.0 if tier == 0 else np.nan)
                )
    names = ["contract_id", "customer_id", "measure", "level", "window", "valid_from_on", "basis", "penalty"]
    return pd.DataFrame(rows, columns=names)


def targets_table() -> pd.DataFrame:
    """Return the contract's `targets`, the same for all."""
    rows = [("order_fill", 0.95), ("otif", 0.85), ("dio", 35.0), ("wape", 0.50), ("in_stock_rate", 0.95), ("return_rate", 0.05)]
    frame = pd.DataFrame(rows, columns=["kpi", "value"])
    frame["customer_group"] = pd.Series([None] * len(frame), dtype=object)
    frame["valid_from_on"] = FIRST
    return frame[["kpi", "customer_group", "valid_from_on", "value"]]


SPRING_FESTIVAL = (("2024-02-10", "2024-02-17"), ("2025-01-28", "2025-02-04"), ("2026-02-15", "2026-02-23"))
FIXED_EU = ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26))


def calendars_table() -> pd.DataFrame:
    """Return the contract's `calendars`: weekends and holidays of a European and a Chinese calendar, half a year ahead."""
    dates = pd.date_range(FIRST, pd.Timestamp(lay.END) + pd.Timedelta(days=184), freq="D")
    weekday = dates.day_of_week.to_numpy() < 5
    fixed = np.array([(d.month, d.day) in FIXED_EU for d in dates])
    golden = np.array([(d.month == 10 and d.day <= 7) or (d.month, d.day) in ((1, 1), (5, 1)) for d in dates])
    spring = np.zeros(len(dates), dtype=bool)
    for first, last in SPRING_FESTIVAL:
        spring |= (dates >= dt.datetime.fromisoformat(first)) & (dates <= dt.datetime.fromisoformat(last))
    frames = []
    for name, is_open in (("CN", weekday & ~golden & ~spring), ("EU", weekday & ~fixed)):
        flags = pd.array(is_open, dtype="boolean")
        frames.append(pd.DataFrame({"calendar_id": name, "date": dates, "open": flags, "receives": flags, "ships": flags}))
    return pd.concat(frames, ignore_index=True).astype({"date": "datetime64[ns]"})
