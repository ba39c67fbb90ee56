"""Weekly sell-out, stock snapshots, lots, and the supply side of our own warehouses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo.demand import Products, Series
from cmi_analysis.demo.layout import Layout, day, stream
from cmi_analysis.demo.orderbook import LAST_DAY, dates_until_now, take
from cmi_analysis.demo.simulation import BUYER_WEEKDAY, Record
from cmi_analysis.demo.terms import Suppliers


def _grid(layout: Layout, series: Series, first_week: int = lay.LAUNCH_WEEK) -> tuple[np.ndarray, np.ndarray]:
    """Return series and week of each row of the sharing customers' weekly tables; the new product's begin in `first_week`."""
    rows = np.repeat(layout.shares(series.number)[:, None], lay.WEEKS, axis=1)
    rows[series.product == layout.new_product, :first_week] = False
    return np.nonzero(rows)


def reports_stock_share(layout: Layout, series: Series) -> np.ndarray:
    """Tell for each customer whether its sell-out file says which share of the week the item was in stock."""
    return np.array([stream(layout.seed, "sharing", cust).random() < 0.6 for cust in series.customer_ids])


def sales_table(layout: Layout, products: Products, series: Series, record: Record, promotions: pd.DataFrame) -> pd.DataFrame:
    """Return the contract's `sales` of a pool: sell-out by week, dated on the Monday, zero weeks included.

    `in_stock` is the share of the week's seven days with stock: about sold ÷ wanted (with an error) where the shelf ran dry,
    0 where it was empty all week, else 1; blank for customers who do not share it.
    """
    at, week = _grid(layout, series)
    sold, wanted = record.sold[at, week], series.quantity[at, week]
    opening = record.on_hand[at, week] - record.received[at, week] + sold + record.returned[at, week]
    opening = opening - record.miscounted[at, week] - record.moved[at, week]
    noise = np.exp(stream(layout.seed, "in_stock", str(int(series.group[0]))).normal(0, 0.3, len(at)))
    days = np.clip(np.rint(7 * noise * sold / np.maximum(wanted, 1.0)), np.minimum(sold, 1.0), 6.0)
    share = np.where(wanted > sold, days / 7, np.where(opening + record.received[at, week] > 0, 1.0, 0.0))
    cut = np.zeros(series.quantity.shape)
    for row in promotions.itertuples():
        hit = (series.product == row.product) & ((row.group < 0) | (series.group == row.group))
        cut[hit, row.week : row.week + row.weeks] = row.discount
    return pd.DataFrame(
        {
            "customer_id": take(series.customer_ids, series.customer[at]),
            "product_id": take(layout.product_ids, series.product[at]),
            "date": day(week * 7),
            "quantity": sold,
            "unit_price": np.round(products.price[series.product[at]] * 1.3 * (1 - cut[at, week]), 2),
            "promotion": pd.array(series.promoted[at, week], dtype="boolean"),
            "in_stock": np.where(reports_stock_share(layout, series)[series.customer[at]], np.round(share, 3), np.nan),
        }
    )


def stock_table(layout: Layout, series: Series, record: Record) -> pd.DataFrame:
    """Return the contract's `stock` of a pool: on Sunday at close; on_hand = last on_hand + received − issued + adjusted."""
    at, week = _grid(layout, series, lay.LISTED_WEEK)
    counted = np.where(record.miscounted[at, week] != 0, record.on_hand[at, week], np.nan)
    counted = np.where((week % 26 == 25) & (series.number[at] % 2 == 0), record.on_hand[at, week], counted)
    adjusted = record.miscounted[at, week] + record.moved[at, week] - record.returned[at, week]
    return pd.DataFrame(
        {
            "customer_id": take(series.customer_ids, series.customer[at]),
            "product_id": take(layout.product_ids, series.product[at]),
            "date": day(week * 7 + 6),
            "on_hand": record.on_hand[at, week],
            "on_order": record.on_order[at, week],
            "received": record.received[at, week],
            "issued": record.sold[at, week],
            "adjusted": adjusted,
            "counted": counted,
            "owner": np.full(len(at), "customer", dtype=object),
        }
    )


def demand_truth(layout: Layout, series: Series, record: Record) -> pd.DataFrame:
    """Return the truth behind `sales`: customer_id, product_id, date, demand, expected (mean of demand), sold [units]."""
    at, week = _grid(layout, series)
    return pd.DataFrame(
        {
            "customer_id": take(series.customer_ids, series.customer[at]),
            "product_id": take(layout.product_ids, series.product[at]),
            "date": day(week * 7),
            "demand": series.quantity[at, week],
            "expected": np.round(series.rate[at, week], 4),
            "sold": record.sold[at, week],
        }
    )


def warehouse_stock_table(layout: Layout, record: Record, pool: int) -> pd.DataFrame:
    """Return the contract's `warehouse_stock` of one warehouse, on Sunday at close."""
    product, week = np.nonzero(np.ones(record.house.shape, dtype=bool))
    return pd.DataFrame(
        {
            "warehouse_id": np.full(len(product), layout.warehouse_ids[pool], dtype=object),
            "product_id": take(layout.product_ids, product),
            "date": day(week * 7 + 6),
            "on_hand": record.house[product, week],
            "on_order": record.house_on_order[product, week],
            "reserved": record.house_reserved[product, week],
        }
    )


def purchase_tables(
    layout: Layout, products: Products, suppliers: Suppliers, record: Record, pool: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the contract's `purchase_orders` and `receipts` of one warehouse.

    A receipt is named after its order line (`<po_id>-<line>`); one that is still to come stands there with `received_on` blank.
    """
    product, week = np.nonzero(record.bought > 0)
    order = np.lexsort((product, suppliers.of_product[product], week))
    product, week = product[order], week[order]
    supplier, days, house = suppliers.of_product[product], week * 7 + BUYER_WEEKDAY, layout.warehouse_ids[pool]
    key = week * lay.SUPPLIERS + supplier
    line = pd.Series(key).groupby(key).cumcount().to_numpy() + 1
    po_id = np.array([f"PO-{house}-{w + 1:03d}-{s + 1}" for w, s in zip(week, supplier, strict=True)], dtype=object)
    promised = day(days + suppliers.promised[supplier].astype(int))
    head = pd.DataFrame(
        {
            "supplier_id": take(supplier_ids(), supplier),
            "product_id": take(layout.product_ids, product),
            "warehouse_id": np.full(len(week), house, dtype=object),
            "ordered_on": day(days),
            "promised_on": promised,
        }
    )
    quantity, arrival = record.bought[product, week], days + record.bought_days[product, week]
    bought = head.assign(po_id=po_id, line=line, quantity=quantity, requested_on=promised, expected_on=promised)
    receipts = head.assign(
        receipt_id=np.array([f"{p}-{n}" for p, n in zip(po_id, line, strict=True)], dtype=object),
        received_on=dates_until_now(arrival).to_numpy(),
        quantity_ordered=quantity,
        quantity_received=np.where(arrival <= LAST_DAY, record.bought_received[product, week], np.nan),
        transport_mode=np.array(["sea", "road", "air"], dtype=object)[supplier % 3],
        unit_cost=products.cost[product],
    )
    return bought, receipts


def supplier_ids() -> tuple[str, ...]:
    """Return the ids of the suppliers."""
    return tuple(f"S{n + 1:02d}" for n in range(lay.SUPPLIERS))


SHELF_LIFE_DAYS = {"Beverages": 270, "Hygiene": 540}


def lots_table(layout: Layout, record: Record, receipts: pd.DataFrame, pool: int) -> pd.DataFrame:
    """Return the contract's `lots` of one warehouse at the end of history: first in, first out, so the newest receipts are left.

    Only products with a shelf life have lots; their quantities add up to `warehouse_stock.on_hand`. Nothing has expired;
    what would have, does so in 14 days.
    """
    life = {pid: SHELF_LIFE_DAYS.get(layout.category(n)) for n, pid in enumerate(layout.product_ids)}
    rows = []
    came = receipts[receipts["received_on"].notna() & (receipts["quantity_received"] > 0)]
    came = came.sort_values(["received_on", "receipt_id"], ascending=False)
    by_product = dict(iter(came.groupby("product_id", sort=False)))
    for number, product_id in enumerate(layout.product_ids):
        left = float(record.house[number, -1])
        if life[product_id] is None or left <= 0:
            continue
        own = by_product.get(product_id, came.iloc[:0])
        for lot, received, quantity in zip(own["receipt_id"], own["received_on"], own["quantity_received"], strict=True):
            part = min(left, float(quantity))
            rows.append((product_id, lot, part, received + pd.Timedelta(days=life[product_id])))
            left -= part
            if left <= 0:
                break
        if left > 0:
            rows.append((product_id, "OPENING", left, pd.Timestamp(lay.START) + pd.Timedelta(days=life[product_id])))
    frame = pd.DataFrame(rows, columns=["product_id", "lot", "quantity", "expires_on"])
    frame.insert(0, "node_id", layout.warehouse_ids[pool])
    frame.insert(3, "date", pd.Timestamp(lay.END))
    frame["expires_on"] = frame["expires_on"].clip(lower=pd.Timestamp(lay.END) + pd.Timedelta(days=14))
    return frame.astype({"date": "datetime64[ns]", "expires_on": "datetime64[ns]", "quantity": float})
