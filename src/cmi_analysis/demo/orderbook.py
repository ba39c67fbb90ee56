"""From the simulation's flows to order lines, deliveries, returns and transfers with dates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo.demand import Products, Series
from cmi_analysis.demo.layout import Layout, day, stream
from cmi_analysis.demo.simulation import Record, new_arrival_day, old_arrival_day
from cmi_analysis.demo.terms import Terms

LAST_DAY = lay.WEEKS * 7 - 1
BIG = 1e9


def take(values: list[str] | tuple[str, ...], index: np.ndarray) -> np.ndarray:
    """Return the strings at the positions `index`."""
    return np.array(values, dtype=object)[index]


def dates_until_now(days: np.ndarray) -> pd.Series:
    """Turn days since the first Monday into dates; a day after the end of history (or a missing one) is not known yet."""
    known = np.where(np.isfinite(days) & (days <= LAST_DAY), days, 0).astype(int)
    return pd.Series(day(known)).where(np.isfinite(days) & (days <= LAST_DAY))


def order_lines(record: Record, series: Series, terms: Terms) -> pd.DataFrame:
    """List the order lines of a pool, sorted by series and week: series, week, day, ordered, cancelled_c, cancelled_s [units]."""
    at, week = np.nonzero(record.ordered > 0)
    return pd.DataFrame(
        {
            "series": at,
            "week": week,
            "day": week * 7 + terms.weekday[at],
            "ordered": record.ordered[at, week],
            "cancelled_c": record.cancelled_by_customer[at, week],
            "cancelled_s": record.cancelled_by_us[at, week],
        }
    )


def _shipments(record: Record, terms: Terms) -> pd.DataFrame:
    """List what left the warehouse, sorted by series and day: series, shipped and delivered [day], quantity."""
    old_day = np.stack([old_arrival_day(terms, week) for week in range(lay.WEEKS)], axis=1)
    new_day = np.stack([new_arrival_day(terms, week) for week in range(lay.WEEKS)], axis=1)
    parts = []
    for late, (flow, arrival) in enumerate(((record.shipped_old, old_day), (record.shipped_new, new_day))):
        at, week = np.nonzero(flow > 0)
        shipped = week * 7 + (2 if late == 0 else terms.weekday[at] + 1)
        parts.append(
            pd.DataFrame(
                {"series": at, "event": week * 2 + late, "shipped": shipped, "arrival": arrival[at, week], "q": flow[at, week]}
            )
        )
    return pd.concat(parts).sort_values(["series", "event"], kind="stable", ignore_index=True)


def match_deliveries(record: Record, terms: Terms, lines: pd.DataFrame) -> pd.DataFrame:
    """Give every shipment to order lines, first ordered first served.

    Returns
    -------
    pandas.DataFrame
        row (of `lines`), shipped, arrival [day], planned (arrival without the truck's delay) [day], quantity [units].
    """
    ships = _shipments(record, terms)
    effective = (lines["ordered"] - lines["cancelled_c"] - lines["cancelled_s"]).to_numpy()
    order_ends = effective.cumsum() - _before(effective, lines["series"].to_numpy()) + lines["series"].to_numpy() * BIG
    sent = ships["q"].to_numpy()
    ship_ends = sent.cumsum() - _before(sent, ships["series"].to_numpy()) + ships["series"].to_numpy() * BIG
    total = np.zeros(len(record.ordered))
    np.add.at(total, ships["series"].to_numpy(), sent)
    owner = (order_ends // BIG).astype(int)
    reached = order_ends[(effective > 0) & (order_ends - owner * BIG <= total[owner])]
    ends = np.unique(np.concatenate([reached, ship_ends]))
    previous = np.concatenate([[0.0], ends[:-1]])
    at = (ends // BIG).astype(int)
    quantity = ends - np.maximum(previous, at * BIG)
    real = np.flatnonzero(effective > 0)
    row = real[np.searchsorted(order_ends[real], ends, side="left")]
    ship = np.searchsorted(ship_ends, ends, side="left")
    arrival = ships["arrival"].to_numpy()[ship]
    delay = terms.delay[at, ships["event"].to_numpy()[ship] // 2]
    planned = arrival - np.where(ships["event"].to_numpy()[ship] % 2 == 1, delay, np.maximum(delay, 0))
    return pd.DataFrame(
        {"row": row, "shipped": ships["shipped"].to_numpy()[ship], "arrival": arrival, "planned": planned, "quantity": quantity}
    )


def _before(values: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return for each row the sum of all rows of earlier owners (rows sorted by owner)."""
    if not len(values):
        return np.zeros(0)
    first = np.concatenate([[True], owner[1:] != owner[:-1]])
    sums = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    return np.maximum.accumulate(np.where(first, sums, 0.0))


def _numbers(series: Series, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return order id and line number: all lines of a customer on one day are one order."""
    customer = series.customer[lines["series"].to_numpy()]
    key = customer * lay.WEEKS + lines["week"].to_numpy()
    order = np.argsort(key, kind="stable")
    line = np.empty(len(lines), dtype=int)
    line[order] = pd.Series(key[order]).groupby(key[order]).cumcount().to_numpy() + 1
    unique, inverse = np.unique(key, return_inverse=True)
    names = [f"SO-{series.customer_ids[k // lay.WEEKS]}-{k % lay.WEEKS + 1:03d}" for k in unique]
    return take(names, inverse), line


def orders_table(
    layout: Layout, products: Products, series: Series, terms: Terms, lines: pd.DataFrame, sent: pd.DataFrame, pool: int
) -> pd.DataFrame:
    """Return the contract's `orders` of a pool: order lines with what has become of them by the end of history."""
    at, ordered_day = lines["series"].to_numpy(), lines["day"].to_numpy()
    ids, line = _numbers(series, lines)
    promised = ordered_day + terms.lead[at]
    rush = stream(layout.seed, "rush", str(pool)).random(len(lines)) < 0.1
    head = {
        "order_id": ids,
        "line": line,
        "customer_id": take(series.customer_ids, series.customer[at]),
        "product_id": take(layout.product_ids, series.product[at]),
        "ordered_on": day(ordered_day),
        "quantity_ordered": lines["ordered"].to_numpy(),
        "requested_on": day(promised - 2 * rush),
        "promised_on": day(promised),
        "unit_price": agreed_price(layout, products, series)[at],
        "warehouse_id": np.full(len(lines), layout.warehouse_ids[pool], dtype=object),
        "kind": np.where(series.promoted[at, lines["week"].to_numpy()], "promotion", "stock"),
    }
    rng = stream(layout.seed, "orders", str(pool))
    return pd.concat([pd.DataFrame(head), _fate(lines, sent, rng)], axis=1)


def _fate(lines: pd.DataFrame, sent: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return what has become of each order line: cancelled, shipped, delivered, paid, and with which faults."""
    every = range(len(lines))
    came = sent[sent["arrival"] <= LAST_DAY].groupby("row", sort=True)
    delivered = came["quantity"].sum().reindex(every).fillna(0.0).to_numpy()
    last = came["arrival"].max().reindex(every).to_numpy(dtype=float)
    shipped = came["shipped"].max().reindex(every).to_numpy(dtype=float)
    ordered, ordered_day = lines["ordered"].to_numpy(), lines["day"].to_numpy()
    cancelled = (lines["cancelled_c"] + lines["cancelled_s"]).to_numpy()
    gone = cancelled == ordered
    status = np.where(delivered + cancelled >= ordered, "delivered", np.where(delivered > 0, "partial", "open"))
    fate = pd.DataFrame(
        {
            "confirmed_on": dates_until_now(np.where(gone, np.nan, ordered_day)),
            "released_on": dates_until_now(shipped - 1),
            "picked_on": dates_until_now(shipped),
            "shipped_on": dates_until_now(shipped),
            "delivered_on": dates_until_now(last),
            "quantity_delivered": delivered,
            "status": np.where(gone, "cancelled", status),
            "cancelled_on": dates_until_now(np.where(cancelled > 0, ordered_day + 1, np.nan)),
            "quantity_cancelled": cancelled,
            "cancelled_by": pd.Series(np.where(lines["cancelled_c"] > 0, "customer", "supplier")).where(cancelled > 0),
            "paid_on": dates_until_now(last + rng.integers(20, 50, len(lines))),
        }
    )
    for name, chance, bad in (("picking_error", 0.015, True), ("damaged", 0.012, True), ("documents_ok", 0.02, False)):
        hit = rng.random(len(lines)) < chance
        fate[name] = pd.Series(hit if bad else ~hit).astype("boolean").where(fate["delivered_on"].notna())
    return fate


def agreed_price(layout: Layout, products: Products, series: Series) -> np.ndarray:
    """Return the price [money/unit] that each series' customer pays us: list price less the customer's own discount."""
    less = np.array([stream(layout.seed, "discount", cust).choice([0.0, 0.03, 0.05, 0.08]) for cust in series.customer_ids])
    return np.round(products.price[series.product] * (1 - less[series.customer]), 2)


def deliveries_table(layout: Layout, orders: pd.DataFrame, sent: pd.DataFrame, pool: int) -> pd.DataFrame:
    """Return the contract's `deliveries` of a pool: shipments by the end of history; arrival blank where it is still to come."""
    sent = sent[sent["shipped"] <= LAST_DAY].sort_values(["row", "shipped"], kind="stable", ignore_index=True)
    row = sent["row"].to_numpy()
    rng = stream(layout.seed, "freight", str(pool))
    part = sent.groupby("row", sort=True).cumcount().to_numpy() + 1
    order_id, line = orders["order_id"].to_numpy()[row], orders["line"].to_numpy()[row]
    ids = [f"DL{o[2:]}-{n}-{p}" for o, n, p in zip(order_id, line, part, strict=True)]
    return pd.DataFrame(
        {
            "delivery_id": np.array(ids, dtype=object),
            "order_id": order_id,
            "line": line,
            "quantity": sent["quantity"].to_numpy(),
            "shipped_on": day(sent["shipped"].to_numpy()),
            "expected_on": day(sent["planned"].to_numpy()),
            "delivered_on": dates_until_now(sent["arrival"].to_numpy().astype(float)),
            "warehouse_id": np.full(len(sent), layout.warehouse_ids[pool], dtype=object),
            "freight_cost": np.round(4.0 + 0.06 * sent["quantity"].to_numpy() + rng.exponential(2.0, len(sent)), 2),
            "transport_mode": rng.choice(np.array(["road", "parcel"], dtype=object), size=len(sent), p=[0.8, 0.2]),
        }
    )


def in_transit_table(orders: pd.DataFrame, deliveries: pd.DataFrame) -> pd.DataFrame:
    """Return the contract's `in_transit` at the end of history; `known_on` is that day."""
    way = deliveries[deliveries["delivered_on"].isna()]
    way = way.merge(orders[["order_id", "line", "customer_id", "product_id"]], on=["order_id", "line"], how="left")
    out = way.groupby(["customer_id", "product_id", "expected_on"], sort=True, as_index=False)["quantity"].sum()
    out["known_on"] = pd.Timestamp(lay.END)
    return out


def returns_table(layout: Layout, series: Series, record: Record) -> pd.DataFrame:
    """Return the contract's `returns` of a pool: goods that went back from the sites, on a day of the week of their issue."""
    at, week = np.nonzero(record.returned > 0)
    cust = series.customer[at]
    rng = stream(layout.seed, "returns", str(int(series.group[0]) if len(series.group) else 0))
    reason = rng.choice(
        np.array(["damaged", "wrong item", "not sold", "expired"], dtype=object), size=len(at), p=[0.3, 0.2, 0.4, 0.1]
    )
    kept = rng.random(len(at)) < 0.8
    condition = np.where(reason == "not sold", "resellable", np.where((reason == "wrong item") & kept, "resellable", "scrap"))
    frame = pd.DataFrame(
        {
            "customer_id": take(series.customer_ids, cust),
            "product_id": take(layout.product_ids, series.product[at]),
            "returned_on": day(week * 7 + 4),
            "quantity": record.returned[at, week],
            "reason": reason,
            "condition": np.where((reason == "damaged") & kept, "repair", condition),
        }
    ).sort_values(["customer_id", "returned_on", "product_id"], kind="stable", ignore_index=True)
    number = frame.groupby("customer_id", sort=True).cumcount() + 1
    frame.insert(0, "return_id", "RT-" + frame["customer_id"] + "-" + number.astype(str).str.zfill(4))
    return frame


def transfers_table(layout: Layout, series: Series, record: Record) -> pd.DataFrame:
    """Return the contract's `transfers` of a pool: moves between the sites of one account."""
    columns = ["transfer_id", "from_id", "to_id", "product_id", "shipped_on", "quantity", "received_on", "cost"]
    rows = []
    for number, (giver, taker, week, quantity) in enumerate(record.moves):
        ends = [series.customer_ids[series.customer[i]] for i in (giver, taker)]
        moved = pd.Timestamp(day(week * 7 + 5).item())
        product = layout.product_ids[series.product[giver]]
        rows.append((f"TR{number + 1:04d}", *ends, product, moved, quantity, moved, round(8 + 0.1 * quantity, 2)))
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"shipped_on": "datetime64[ns]", "received_on": "datetime64[ns]", "quantity": float, "cost": float})
