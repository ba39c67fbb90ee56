"""The frames of the performance review, each from a slice and the settings of its KPIs."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.measures.intervals import bootstrap_ratio
from cmi_analysis.params.models import PerformanceReviewParams
from cmi_analysis.performance.ageing import score_ageing
from cmi_analysis.performance.builders import Sources
from cmi_analysis.performance.order_parts import STAGES, cycle_time_parts
from cmi_analysis.performance.registry import find_kpi
from cmi_analysis.performance.scoring import score_kpis
from cmi_analysis.performance.stock_parts import unit_values
from cmi_analysis.performance.targets import find_targets, judge_value
from cmi_analysis.tables import DataSet, Slice

SCORED = (
    "order_fill", "otif", "on_time", "in_full", "delivered_share", "perfect_order", "order_accuracy", "return_rate",
    "order_cycle_time", "lead_time", "in_stock_rate", "shelf_fill", "cycle_service", "dio", "turns", "excess_value", "gmroi",
    "carrying_cost", "cost_to_serve", "stock_accuracy", "wape", "fva", "bias", "forecast_conversion", "bullwhip", "sharing",
    "csat", "nps",
)  # fmt: skip
MONTHLY = ("order_fill", "otif", "in_stock_rate", "dio", "wape", "fva", "delivered_share", "return_rate")
LEVELS = {"order_fill": "units", "otif": "lines", "on_time": "lines", "in_full": "lines"}
COLLABORATION = ("sharing", "forecast_conversion", "wape", "wape_naive", "bias", "bullwhip")
DAYS_OF_ALERT = 28


def no_rows(*columns: str) -> pd.DataFrame:
    """Return a frame with these columns and no row."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})


def shown_level(scored: pd.DataFrame) -> pd.DataFrame:
    """Keep the level at which a report shows each KPI."""
    if scored.empty:
        return scored
    return scored[scored["level"] == scored["kpi"].map(LEVELS).fillna("")].reset_index(drop=True)


def _data_since(tables: DataSet) -> pd.Timestamp | None:
    days = [tables[table][column].min() for table, column in (("sales", "date"), ("orders", "ordered_on")) if tables.has(table)]
    return max(days) if days else None


def review_scorecard(part: Slice, sources: Sources, params: PerformanceReviewParams) -> pd.DataFrame:
    """Actual, last year as it looked a year ago, target and verdict of each KPI that can be computed."""
    now = shown_level(score_kpis(sources, kpis=SCORED, settings={**sources.settings, "intervals": True}))
    columns = ["kpi", "echelon", "unit", "direction", "value", "last_year", "target", "source", "status", "n", "low", "high",
               "numerator", "denominator", "level", "basis", "provisional"]  # fmt: skip
    if now.empty:
        return no_rows(*columns)
    before = {"as_of": _year_before(sources.settings["as_of"]), "window_start": _year_before(sources.settings["window_start"])}
    since = _data_since(part.tables)
    now["last_year"] = np.nan
    if since is not None and since <= pd.Timestamp(before["window_start"]) + pd.Timedelta(days=31):
        old = shown_level(score_kpis(sources, kpis=list(now["kpi"]), settings={**sources.settings, **before}))
        if len(old):
            enough = old["n"] >= old["kpi"].map(lambda kpi: find_kpi(kpi).minimum_n)
            now["last_year"] = now["kpi"].map(old[enough].set_index("kpi")["value"])
    goals = _targets(part, sources, params).set_index("kpi")
    now["target"], now["source"] = now["kpi"].map(goals["target"]), now["kpi"].map(goals["source"]).fillna("")
    now["direction"] = [find_kpi(kpi).direction for kpi in now["kpi"]]
    now["status"] = [
        judge_value(r.value, r.target, direction=r.direction, kind=r.unit, n=r.n, minimum_n=find_kpi(r.kpi).minimum_n)
        for r in now.itertuples()
    ]
    order = {kpi: place for place, kpi in enumerate(SCORED)}
    return now.sort_values("kpi", key=lambda kpis: kpis.map(order), kind="stable").reset_index(drop=True)[columns]


def _year_before(day: dt.date) -> dt.date:
    return (pd.Timestamp(day) - pd.DateOffset(years=1)).date()


def _targets(part: Slice, sources: Sources, params: PerformanceReviewParams) -> pd.DataFrame:
    tables = part.tables
    contracted = ["order_fill", "otif", "on_time", "shelf_fill", "in_stock_rate"]
    weights = shown_level(score_kpis(sources, kpis=contracted, by=["customer_id"], settings=sources.settings))
    groups: Any = tables["customers"]["customer_group"].dropna().unique() if tables.has("customers", "customer_group") else []
    return find_targets(
        tables.get("contracts"),
        tables.get("targets"),
        weights=weights if len(weights) else no_rows("kpi", "customer_id", "denominator"),
        customer_groups=[str(name) for name in groups],
        as_of=part.as_of,
        defaults={"order_fill": params.order_fill_target, "otif": params.otif_target},
    )


def review_months(part: Slice, sources: Sources) -> pd.DataFrame:
    """Return KPIs by month, up to 13 months, the last one possibly partial; excess as it stood at each month's end."""
    first = pd.Timestamp(part.as_of).replace(day=1) - pd.DateOffset(months=12)
    chosen = {**sources.settings, "window_start": first.date()}
    scored = shown_level(score_kpis(sources, kpis=MONTHLY, by=["month"], settings=chosen))
    columns = ["kpi", "period", "value", "numerator", "denominator", "n", "partial"]
    found = [scored[columns]] if len(scored) else []
    if part.tables.has("stock") and part.tables.has("sales"):
        for month in pd.date_range(first, periods=13, freq="MS"):
            end = min(month + pd.DateOffset(months=1) - pd.Timedelta(days=1), pd.Timestamp(part.as_of))
            row = score_kpis(
                sources, kpis=["excess_value"], settings={**sources.settings, "as_of": end.date(), "window_start": None}
            )
            if len(row):
                ends = end + pd.Timedelta(days=1)
                found.append(row.assign(period=month, partial=ends.day != 1)[columns])
    if not found:
        return no_rows(*columns)
    return pd.concat(found, ignore_index=True).sort_values(["kpi", "period"], kind="stable").reset_index(drop=True)


def window_lines(sources: Sources) -> pd.DataFrame:
    """Return the order lines due in the window."""
    start = pd.Timestamp(sources.settings["window_start"])
    return sources.lines[sources.lines["due_on"] >= start]


def otif_weeks(sources: Sources) -> pd.DataFrame:
    """Return OTIF by lines by the week due."""
    scored = shown_level(score_kpis(sources, kpis=["otif"], by=["week"], settings=sources.settings))
    columns = ["period", "value", "numerator", "denominator", "n", "partial"]
    return scored[columns].tail(27).reset_index(drop=True) if len(scored) else no_rows(*columns)


def _named(frame: pd.DataFrame, part: Slice) -> pd.DataFrame:
    customers = part.tables.get("customers")
    names = None
    if customers is not None and "customer_name" in customers:
        names = customers.drop_duplicates("customer_id").set_index("customer_id")["customer_name"]
    shown = frame["customer_id"].map(names).fillna(frame["customer_id"]) if names is not None else frame["customer_id"]
    return frame.assign(customer_name=shown)


def otif_sites(part: Slice, sources: Sources) -> pd.DataFrame:
    """Return OTIF by customer with its interval and the lines overdue and open, most failed lines first."""
    columns = ["customer_id", "customer_name", "value", "low", "high", "n", "failed", "open_lines", "open_units"]
    scored = shown_level(score_kpis(sources, kpis=["otif"], by=["customer_id"], settings={**sources.settings, "intervals": True}))
    if scored.empty:
        return no_rows(*columns)
    lines = window_lines(sources)
    late = lines[lines["is_due"] & (lines["delivered"] < lines["ordered"] - lines["cancelled_by_us"] - 1e-9)]
    left = (late["ordered"] - late["cancelled_by_us"] - late["delivered"]).groupby(late["customer_id"])
    scored["failed"] = scored["denominator"] - scored["numerator"]
    scored["open_lines"] = scored["customer_id"].map(left.size()).fillna(0).astype(int)
    scored["open_units"] = scored["customer_id"].map(left.sum()).fillna(0.0)
    named = _named(scored, part)
    return named.sort_values(["failed", "customer_id"], ascending=[False, True], kind="stable")[columns].reset_index(drop=True)


def turns_by_customer(part: Slice, sources: Sources) -> pd.DataFrame:
    """Return turns, days of stock and mean stock by customer, slowest first."""
    columns = ["customer_id", "customer_name", "turns", "dio", "stock_worth", "n"]
    scored = score_kpis(sources, kpis=["turns"], by=["customer_id"], settings=sources.settings)
    if scored.empty:
        return no_rows(*columns)
    days = (pd.Timestamp(sources.settings["as_of"]) - pd.Timestamp(sources.settings["window_start"])).days + 1
    turns = scored["value"].where(scored["value"] > 0)
    frame = _named(scored.assign(turns=turns, dio=365 / turns, stock_worth=scored["denominator"] * 365 / days), part)
    return frame.sort_values(["dio", "customer_id"], ascending=[False, True], kind="stable")[columns].reset_index(drop=True)


def ageing_by_item(part: Slice, sources: Sources) -> pd.DataFrame:
    """Return `score_ageing` of the slice with the names of customers and products."""
    columns = ("customer_id", "product_id", "on_hand", "worth", "excess", "days_since_use", "bucket")
    if not (part.tables.has("stock") and part.tables.has("sales")):
        return no_rows(*columns)
    column = "unit_cost" if part.tables.settings.stock_owner == "supplier" else "unit_price"
    values = unit_values(part.tables.get("products"), column=column)
    excess = sources.parts("excess_value")
    items = score_ageing(part.tables["stock"], sources.use, values=values, excess=excess, as_of=part.as_of)
    products = part.tables.get("products")
    if products is not None and "product_name" in products:
        names = products.drop_duplicates("product_id").set_index("product_id")["product_name"]
        items["product_name"] = items["product_id"].map(names).fillna(items["product_id"])
    return _named(items, part)


def count_stockout_days(sources: Sources) -> tuple[float | None, int]:
    """Return the days that active items stood empty in the last 28 days, each snapshot standing for its period, and the items."""
    if not sources.has("stock"):
        return None, 0
    stop = pd.Timestamp(sources.settings["as_of"])
    length = {"day": 1.0, "week": 7.0, "month": 30.4375}[sources.settings["frequency"]]
    newest = sources.active["date"].max() if len(sources.active) else stop
    reach = max(DAYS_OF_ALERT, length)
    recent = sources.active[sources.active["date"] > newest - pd.Timedelta(days=reach)]
    empty = recent[recent["on_hand"] <= 0]
    return float(len(empty) * length), int(empty[["customer_id", "product_id"]].drop_duplicates().shape[0])


def order_times(part: Slice, sources: Sources) -> pd.DataFrame:
    """Return days from stage to stage of the order lines that reached it in the window, and over all stages."""
    columns = ["stage", "mean", "median", "p90", "n"]
    orders = part.tables.get("orders")
    if orders is None:
        return no_rows(*columns)
    known = [name for name in STAGES if name in orders and orders[name].notna().any()]
    steps = [*itertools.pairwise(known), *([(known[0], known[-1])] if len(known) > 2 else [])]
    rows = []
    for first, last in steps:
        days = sources.window(cycle_time_parts(orders, as_of=part.as_of, first=first, last=last))["numerator"]
        if len(days):
            name = f"{first.removesuffix('_on')}_to_{last.removesuffix('_on')}"
            rows.append((name, days.mean(), days.median(), days.quantile(0.9), len(days)))
    return pd.DataFrame(rows, columns=columns)


def returns_by_reason(sources: Sources) -> pd.DataFrame:
    """Return units returned in the window by reason."""
    columns = ["reason", "units", "share", "lines"]
    if not sources.has("returns"):
        return no_rows(*columns)
    rows = sources.tables["returns"]
    rows = sources.window(rows.assign(date=rows["returned_on"]))
    reason = rows["reason"].fillna("") if "reason" in rows else pd.Series("", index=rows.index)
    total = rows.assign(reason=reason.astype(str)).groupby("reason", sort=True)["quantity"].agg(["sum", "size"]).reset_index()
    total.columns = ["reason", "units", "lines"]
    whole = total["units"].sum()
    total["share"] = total["units"] / whole if whole else np.nan
    return total.sort_values(["units", "reason"], ascending=[False, True], kind="stable")[columns].reset_index(drop=True)


def collaboration_by_customer(part: Slice, sources: Sources) -> pd.DataFrame:
    """Return the KPIs of collaboration by customer; those with fewer cases than their minimum are blank.

    ``bias_low``, ``bias_high`` are the 95 % interval of the bias, whole products drawn; blank with fewer than five products.
    """
    columns = ["customer_id", "customer_name", *COLLABORATION, "n", "bias_low", "bias_high"]
    scored = score_kpis(sources, kpis=COLLABORATION, by=["customer_id"], settings=sources.settings)
    if scored.empty:
        return no_rows(*columns)
    cases = {kpi: find_kpi(kpi).minimum_n for kpi in COLLABORATION}
    enough = scored[scored["n"] >= scored["kpi"].map(cases)]
    wide = enough.pivot_table(index="customer_id", columns="kpi", values="value").reindex(columns=list(COLLABORATION))
    wide.columns.name = None
    n = scored[scored["kpi"] == "wape"].set_index("customer_id")["n"]
    ends = _bias_ends(sources)
    frame = _named(wide.reset_index().assign(n=lambda f: f["customer_id"].map(n)), part).merge(ends, on="customer_id", how="left")
    blank = frame["bias"].isna()
    frame = frame.assign(**{name: frame[name].mask(blank) for name in ("bias_low", "bias_high")})
    return frame[columns].sort_values("customer_id", kind="stable").reset_index(drop=True)


def _bias_ends(sources: Sources) -> pd.DataFrame:
    """Return the interval of each customer's bias: its products, not its item-weeks, are what differs by chance."""
    parts = sources.window(sources.parts("bias"))
    rows = []
    for customer, own in parts.groupby("customer_id", sort=True):
        ends = bootstrap_ratio(own["numerator"], own["denominator"], clusters=own["product_id"], seed=sources.settings["seed"])
        rows.append((customer, *ends[1:]))
    return pd.DataFrame(rows, columns=["customer_id", "bias_low", "bias_high"]).astype({"bias_low": float, "bias_high": float})
