"""Parts of the KPIs of our service: fill, on time, in full, OTIF, perfect orders, accuracy, time, returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.performance.lines import score_lines
from cmi_analysis.performance.parts import kpi_parts, no_parts

Tables = Mapping[str, pd.DataFrame]
Settings = Mapping[str, Any]
_FLAGS = ("picking_error", "damaged", "documents_ok")
STAGES = ("ordered_on", "confirmed_on", "released_on", "picked_on", "shipped_on", "delivered_on")


def judged_lines(tables: Tables, settings: Settings) -> pd.DataFrame:
    """Return `score_lines` of the tables under the settings."""
    return score_lines(
        tables["orders"],
        deliveries=tables.get("deliveries"),
        assortment=tables.get("assortment"),
        as_of=settings["as_of"],
        late_tolerance_days=settings["late_tolerance_days"],
        early_tolerance_days=settings["early_tolerance_days"],
        quantity_tolerance=settings["quantity_tolerance"],
    )


def order_fill_parts(lines: pd.DataFrame) -> pd.DataFrame:
    """Return parts of order_fill by units, lines, orders and value; a line counts at most with what was ordered.

    Boylan and Syntetos (2021), ch. 3: the same deliveries give four different fill rates; the level is named with each.
    """
    due = lines[lines["is_due"]]
    filled = due["delivered_by_due"].clip(upper=due["ordered"])
    whole = (due["delivered_by_due"] >= due["ordered"] - 1e-9).astype(float)
    base = due.assign(date=due["due_on"], cluster=due["order_id"])
    value = base[due["unit_price"].notna()]
    return pd.concat(
        [
            kpi_parts(base, level="units", numerator=filled, denominator=due["ordered"]),
            kpi_parts(base, level="lines", numerator=whole, denominator=1.0),
            _by_order(base.assign(passed=whole)),
            kpi_parts(
                value,
                level="value",
                numerator=(filled * due["unit_price"]).dropna(),
                denominator=value["ordered"] * value["unit_price"],
            ),
        ],
        ignore_index=True,
    )


def delivered_share_parts(lines: pd.DataFrame, *, as_of: Any) -> pd.DataFrame:
    """Return parts of delivered_share: delivered up to `as_of`, whenever, over ordered; of all lines ordered by then."""
    known = lines[lines["ordered_on"] <= pd.Timestamp(as_of)]
    return kpi_parts(
        known, date=known["ordered_on"], cluster=known["order_id"], numerator=known["delivered"], denominator=known["ordered"]
    )


def flag_parts(lines: pd.DataFrame, *, flag: str) -> pd.DataFrame:
    """Return parts of ``on_time``, ``in_full`` or ``otif`` by lines and by orders (an order passes when all its lines do)."""
    due = lines[lines["is_due"]]
    base = due.assign(date=due["due_on"], cluster=due["order_id"], passed=due[flag].astype(float))
    return pd.concat(
        [kpi_parts(base, level="lines", numerator=base["passed"], denominator=1.0), _by_order(base)], ignore_index=True
    )


def _by_order(base: pd.DataFrame) -> pd.DataFrame:
    orders = base.groupby("order_id", sort=True).agg(
        customer_id=("customer_id", "first"),
        warehouse_id=("warehouse_id", "first"),
        date=("date", "max"),
        passed=("passed", "min"),
    )
    return kpi_parts(orders, level="orders", numerator=orders["passed"], denominator=1.0, cluster=orders.index.to_series())


def perfect_order_parts(lines: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Return parts of perfect_order: in full, on time, undamaged, documents right; an order with an unknown flag is left out."""
    if not {"damaged", "documents_ok"} <= set(orders.columns):
        return no_parts()
    flags = _flags(orders)
    due = lines[lines["is_due"]].merge(flags, on=["order_id", "line"], how="left")
    due["known"] = due["damaged"].notna() & due["documents_ok"].notna()
    fine = due["on_time"] & due["in_full"] & (due["damaged"] == 0) & (due["documents_ok"] == 1)
    base = due.assign(date=due["due_on"], passed=fine.astype(float))
    known = base[base.groupby("order_id")["known"].transform("all")]
    return _by_order(known).assign(level="")


def order_accuracy_parts(lines: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Return parts of order_accuracy: lines shipped without any known picking error, damage or wrong document."""
    flags = _flags(orders)
    shipped = lines[lines["delivered"] > 0].merge(flags, on=["order_id", "line"], how="left")
    known = shipped[shipped[list(_FLAGS)].notna().any(axis=1)]
    wrong = (known["picking_error"] == 1) | (known["damaged"] == 1) | (known["documents_ok"] == 0)
    moment = known["complete_on"].fillna(known["due_on"]).fillna(known["ordered_on"])
    return kpi_parts(known, date=moment, cluster=known["order_id"], numerator=1.0 - wrong.astype(float), denominator=1.0)


def _flags(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the quality flags of each line as 1.0, 0.0 or missing."""
    line = orders["line"].astype(str) if "line" in orders else (orders.groupby("order_id").cumcount() + 1).astype(str)
    flags = orders[["order_id"]].assign(line=line)
    for name in _FLAGS:
        flags[name] = orders[name].astype("boolean").astype("Float64").astype(float) if name in orders else np.nan
    return flags


def cycle_time_parts(orders: pd.DataFrame, *, as_of: Any, first: str = "ordered_on", last: str = "delivered_on") -> pd.DataFrame:
    """Return parts of the days from one stage of an order line to another: numerator days, denominator 1."""
    if first not in orders or last not in orders:
        return no_parts()
    known = orders[orders[first].notna() & (orders[last] <= pd.Timestamp(as_of))]
    days = (known[last] - known[first]).dt.total_seconds() / 86400
    return kpi_parts(known, date=known[last], cluster=known["order_id"], numerator=days, denominator=1.0)


def return_parts(orders: pd.DataFrame, returns: pd.DataFrame, *, window_days: int, as_of: Any) -> pd.DataFrame:
    """Return parts of return_rate by shipment cohort: units of a shipment returned within `window_days` over units shipped.

    A return is tied to its shipment by order_id and product_id. Where the returns name no order the cohort cannot be followed:
    the units returned are then set against the units shipped by their own dates (basis ``dates``). A cohort is provisional until
    the window has passed.
    """
    stop = pd.Timestamp(as_of)
    shipped = _shipments(orders, stop=stop)
    back = returns[returns["returned_on"] <= stop]
    named = "order_id" in back and back["order_id"].notna().any()
    if not named:
        out = kpi_parts(shipped, numerator=0.0, denominator=shipped["quantity"], basis="dates")
        came = kpi_parts(back, date=back["returned_on"], numerator=back["quantity"], denominator=0.0, n=0, basis="dates")
        return pd.concat([out, came], ignore_index=True)
    key = ["order_id", "product_id"]
    cohort = shipped.groupby(key, sort=True).agg(
        customer_id=("customer_id", "first"),
        warehouse_id=("warehouse_id", "first"),
        date=("date", "min"),
        quantity=("quantity", "sum"),
    )
    cohort = cohort.reset_index()
    met = back[[*key, "returned_on", "quantity"]].merge(cohort[[*key, "date"]], on=key)
    wait = (met["returned_on"] - met["date"]).dt.days
    came_back = met[(wait >= 0) & (wait <= window_days)].groupby(key)["quantity"].sum()
    units = came_back.reindex(pd.MultiIndex.from_frame(cohort[key])).fillna(0.0).to_numpy()
    running = cohort["date"] + pd.Timedelta(days=window_days) > stop
    return kpi_parts(
        cohort, numerator=units, denominator=cohort["quantity"], provisional=running, basis="cohort", cluster=cohort["order_id"]
    )


def _shipments(orders: pd.DataFrame, *, stop: pd.Timestamp) -> pd.DataFrame:
    """Return lines that left us with their date; an order book without deliveries counts as shipped when ordered."""
    moment = pd.Series(pd.NaT, index=orders.index, dtype="datetime64[ns]")
    dated = [name for name in ("shipped_on", "delivered_on") if name in orders]
    for name in dated:
        moment = moment.fillna(orders[name])
    units = orders["quantity_delivered"] if "quantity_delivered" in orders else orders["quantity_ordered"]
    if not dated or not moment.notna().any():
        moment, units = orders["ordered_on"], orders["quantity_ordered"]
    shipped = orders.assign(date=moment, quantity=units.astype(float).fillna(orders["quantity_ordered"].astype(float)))
    if "warehouse_id" not in shipped:
        shipped["warehouse_id"] = ""
    return shipped[(shipped["date"] <= stop) & (shipped["quantity"] > 0)]
