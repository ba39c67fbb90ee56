"""Which parts belong to which KPI: tables and settings in, rows that add up out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.measures.calendar import last_complete_period, period_end, shift_periods
from cmi_analysis.performance import forecast_parts as forecasts
from cmi_analysis.performance import order_parts as orders
from cmi_analysis.performance import stock_parts as stocks
from cmi_analysis.performance.parts import kpi_parts, no_parts, start_of_period

Parts = pd.DataFrame


@dataclass(frozen=True)
class Sources:
    """The tables and settings that KPIs are built from, with what several of them share computed once."""

    tables: Mapping[str, pd.DataFrame]
    settings: Mapping[str, Any]
    period: str = ""
    kept: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def under(self, settings: Mapping[str, Any], period: str = "") -> Sources:
        """Return the same tables under other settings; what does not depend on what has changed is not computed again."""
        return Sources(self.tables, settings, period, self.kept)

    def parts(self, kpi: str) -> Parts:
        """Return the parts of a KPI; they must not be changed."""
        return self._once(kpi, lambda: BUILDERS[kpi](self), window=kpi in WINDOWED)

    def _once(self, name: str, make: Callable[[], pd.DataFrame], *, window: bool = False) -> pd.DataFrame:
        """Return a frame that is computed once for all settings under which it is the same."""
        free = ("intervals", "seed", *(() if window else ("window_start",)))
        chosen = tuple(self.settings[key] for key in sorted(self.settings) if key not in free)
        key = (name, self.period if window else "", chosen)
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def has(self, table: str, *columns: str) -> bool:
        """Tell whether a table has rows and each column a value."""
        frame = self.tables.get(table)
        return frame is not None and not frame.empty and all(c in frame and bool(frame[c].notna().any()) for c in columns)

    @cached_property
    def lines(self) -> pd.DataFrame:
        """Order lines judged, or none where the orders name no delivery at all."""
        return self._once("lines", lambda: orders.judged_lines(self.tables, self.settings))

    @cached_property
    def can_judge(self) -> bool:
        """Whether orders or deliveries say when something arrived."""
        return self.has("orders", "quantity_ordered") and (
            self.has("orders", "delivered_on") or self.has("deliveries", "delivered_on")
        )

    @cached_property
    def use(self) -> pd.DataFrame:
        """Sell-out; a month's row, dated on its first day, stands on the last one, so that windows of days hold whole months."""
        sales = self.tables["sales"]
        if self.settings["frequency"] != "month":
            return sales
        ends = period_end(sales["date"], frequency="month")
        return sales.assign(date=ends.where(ends <= pd.Timestamp(self.settings["as_of"]), sales["date"]))

    @cached_property
    def active(self) -> pd.DataFrame:
        """Stock snapshots of active items up to as_of."""
        stop = pd.Timestamp(self.settings["as_of"])
        stock = self.tables["stock"]
        known = stock[stock["date"] <= stop]
        return self._once("active", lambda: stocks.active_snapshots(known, sales=self.tables.get("sales")))

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Actual, customer's forecast and naive forecast at the lag: of sell-out, or of orders where that is forecast."""
        return self._once("compared", self._compare)

    def _compare(self) -> pd.DataFrame:
        chosen = {key: self.settings[key] for key in ("frequency", "week_start")}
        shared = self.tables["customer_forecasts"]
        of = shared["of"].fillna("sell_out") if "of" in shared else pd.Series("sell_out", index=shared.index)
        found = []
        for kind, table in (("sell_out", "sales"), ("orders", "orders")):
            rows = shared[of == kind]
            if rows.empty or not self.has(table):
                continue
            frame = self.tables["sales"] if table == "sales" else forecasts.ordered_quantities(self.tables["orders"])
            actual = forecasts.period_totals(frame, as_of=self.settings["as_of"], **chosen)
            until = None if table == "sales" else self.last_period
            found.append(
                forecasts.compare_forecasts(actual, rows, lag=self.settings["forecast_lag"], silent_until=until, **chosen)
            )
        if not found:
            return pd.DataFrame(columns=["customer_id", "product_id", "period", "actual", "forecast", "naive"])
        return pd.concat(found, ignore_index=True)

    @cached_property
    def last_period(self) -> pd.Timestamp:
        """First day of the newest complete period."""
        chosen = {key: self.settings[key] for key in ("frequency", "week_start")}
        return last_complete_period(self.settings["as_of"], **chosen)

    def window(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the window, by their date."""
        start, stop = self.settings["window_start"], pd.Timestamp(self.settings["as_of"])
        return frame[(frame["date"] <= stop) & ((frame["date"] >= pd.Timestamp(start)) if start is not None else True)]

    def labels(self, dates: pd.Series) -> pd.Series:
        """Return the period of each date, or one label where no period is asked for."""
        if not self.period:
            return pd.Series(pd.Timestamp("1970-01-01"), index=dates.index)
        return start_of_period(dates, period=self.period, week_start=self.settings["week_start"])

    def days(self, dates: pd.Series) -> pd.Series:
        """Return the days of the window inside the period of each date [days]."""
        stop = pd.Timestamp(self.settings["as_of"]) + pd.Timedelta(days=1)
        begin = self.settings["window_start"]
        begin = pd.Timestamp(begin) if begin is not None else dates.min()
        if not self.period:
            return pd.Series(float((stop - begin).days), index=dates.index)
        starts = self.labels(dates)
        ends = (
            starts
            + {"week": pd.DateOffset(days=7), "month": pd.DateOffset(months=1), "quarter": pd.DateOffset(months=3)}[self.period]
        )
        return (ends.clip(upper=stop) - starts.clip(lower=begin)).dt.days.astype(float)


def _fill(s: Sources) -> Parts:
    return orders.order_fill_parts(s.lines) if s.can_judge else no_parts()


def _delivered(s: Sources) -> Parts:
    if s.can_judge:
        return orders.delivered_share_parts(s.lines, as_of=s.settings["as_of"])
    if not (s.has("orders", "quantity_ordered", "ordered_on") and s.has("stock", "received")):
        return no_parts()
    return _received_share(s)


def _received_share(s: Sources) -> Parts:
    """Where no delivery is recorded: what the site received in the period after the one of its order, over what it ordered."""
    chosen = {key: s.settings[key] for key in ("frequency", "week_start")}
    book = s.tables["orders"].dropna(subset=["quantity_ordered"])
    asked = book[stocks.ITEM].assign(date=book["ordered_on"], quantity=book["quantity_ordered"].astype(float))
    asked = forecasts.period_totals(asked[asked["quantity"] > 0], as_of=s.settings["as_of"], **chosen)
    stock = s.tables["stock"].dropna(subset=["received"])
    came = forecasts.period_totals(stock.assign(quantity=stock["received"].astype(float)), as_of=s.settings["as_of"], **chosen)
    came = came.assign(period=shift_periods(came["period"], -1, **chosen)).rename(columns={"quantity": "received"})
    both = asked.merge(came, on=[*stocks.ITEM, "period"])
    cluster = both["customer_id"]
    return kpi_parts(
        both, date=both["period"], numerator=both["received"], denominator=both["quantity"], cluster=cluster, basis="received"
    )


def _flag(flag: str) -> Callable[[Sources], Parts]:
    return lambda s: orders.flag_parts(s.lines, flag=flag) if s.can_judge else no_parts()


def _perfect(s: Sources) -> Parts:
    return orders.perfect_order_parts(s.lines, s.tables["orders"]) if s.can_judge else no_parts()


def _accuracy(s: Sources) -> Parts:
    known = s.can_judge and any(s.has("orders", flag) for flag in ("picking_error", "damaged", "documents_ok"))
    return orders.order_accuracy_parts(s.lines, s.tables["orders"]) if known else no_parts()


def _cycle_time(s: Sources) -> Parts:
    return (
        orders.cycle_time_parts(s.tables["orders"], as_of=s.settings["as_of"]) if s.has("orders", "delivered_on") else no_parts()
    )


def _returns(s: Sources) -> Parts:
    if not (s.has("orders") and s.has("returns")):
        return no_parts()
    window = s.settings["return_window_days"]
    return orders.return_parts(s.tables["orders"], s.tables["returns"], window_days=window, as_of=s.settings["as_of"])


def _in_stock(s: Sources) -> Parts:
    return stocks.in_stock_parts(s.active) if s.has("stock") else no_parts()


def _shelf(s: Sources) -> Parts:
    return stocks.shelf_fill_parts(s.window(s.tables["sales"]), s.active) if s.has("stock") and s.has("sales") else no_parts()


def _cycles(s: Sources) -> Parts:
    return stocks.cycle_parts(s.active) if s.has("stock", "received") else no_parts()


def _counts(s: Sources) -> Parts:
    return stocks.stock_accuracy_parts(s.tables["stock"]) if s.has("stock", "counted") else no_parts()


def _flow(s: Sources) -> tuple[Parts, Parts, str]:
    """Return use at cost per row, and mean stock at cost times T/365, both in money where costs exist, else in units."""
    values = stocks.unit_values(s.tables.get("products"), column="unit_cost")
    sales, stock = s.window(s.tables["sales"]), s.window(s.tables["stock"])
    rate = 1.0 if values is None else sales["product_id"].map(values)
    use = sales.assign(worth=sales["quantity"] * rate).dropna(subset=["worth"])
    held = stocks.mean_stock_parts(stock.dropna(subset=["on_hand"]), values=values, period=s.labels(stock["date"]))
    held["worth"] = held["worth"] * s.days(held["date"]) / 365
    return use, held, "cost" if values is not None else "units"


def _turns(s: Sources) -> Parts:
    if not (s.has("sales") and s.has("stock")):
        return no_parts()
    use, held, basis = _flow(s)
    top = kpi_parts(use, numerator=use["worth"], denominator=0.0, n=0, basis=basis)
    return pd.concat([top, kpi_parts(held, numerator=0.0, denominator=held["worth"], basis=basis)], ignore_index=True)


def _dio(s: Sources) -> Parts:
    parts = _turns(s)
    return parts.assign(numerator=parts["denominator"] * 365, denominator=parts["numerator"])


def _gmroi(s: Sources) -> Parts:
    products = s.tables.get("products")
    cost = stocks.unit_values(products, column="unit_cost")
    if cost is None or not (s.has("sales") and s.has("stock")):
        return no_parts()
    use, held, _ = _flow(s)
    price = use["unit_price"].astype(float) if "unit_price" in use else pd.Series(np.nan, index=use.index)
    listed = stocks.unit_values(products, column="unit_price")
    price = price if listed is None else price.fillna(use["product_id"].map(listed))
    margin = use["quantity"] * (price - use["product_id"].map(cost))
    known = margin.notna()
    top = kpi_parts(use[known], numerator=margin[known], denominator=0.0, n=0)
    return pd.concat([top, kpi_parts(held, numerator=0.0, denominator=held["worth"])], ignore_index=True)


def _carrying(s: Sources) -> Parts:
    rate = holding_rate(s)
    if rate is None or not s.has("stock") or stocks.unit_values(s.tables.get("products"), column="unit_cost") is None:
        return no_parts()
    values = stocks.unit_values(s.tables["products"], column="unit_cost")
    stock = s.window(s.tables["stock"]).dropna(subset=["on_hand"])
    held = stocks.mean_stock_parts(stock, values=values, period=s.labels(stock["date"]))
    return kpi_parts(held, numerator=held["worth"] * rate * s.days(held["date"]) / 365, denominator=np.nan)


def holding_rate(s: Sources) -> float | None:
    """Return the yearly holding rate: of the table costs without a scope, else the settings'."""
    return general_cost(s, "holding_rate", s.settings["holding_rate"])


def general_cost(s: Sources, cost: str, fallback: float | None = None) -> float | None:
    """Return the newest value of a cost that holds everywhere, else `fallback`."""
    if not s.has("costs", "value"):
        return fallback
    rows = s.tables["costs"]
    rows = rows[rows["cost"] == cost]
    for scope in ("customer_id", "product_id", "category"):
        if scope in rows:
            rows = rows[rows[scope].isna() | (rows[scope].astype(str) == "")]
    if "valid_from_on" in rows:
        rows = rows[~(rows["valid_from_on"] > pd.Timestamp(s.settings["as_of"]))].sort_values("valid_from_on", kind="stable")
    return float(rows["value"].iloc[-1]) if len(rows) else fallback


def _excess(s: Sources) -> Parts:
    if not (s.has("sales") and s.has("stock")):
        return no_parts()
    column = "unit_cost" if s.settings["stock_owner"] == "supplier" else "unit_price"
    return stocks.excess_parts(
        s.tables["stock"],
        s.use,
        values=stocks.unit_values(s.tables.get("products"), column=column),
        protection=protection_days(s),
        excess_days=s.settings["excess_days"],
        use_days=s.settings["use_days"],
        as_of=s.settings["as_of"],
    ).assign(denominator=np.nan)


def protection_days(s: Sources) -> pd.Series | float:
    """Return lead time + review period of each item [days], where the assortment names them, else the setting."""
    fallback = float(s.settings["protection_days"])
    if not s.has("assortment", "lead_time_days") or not s.has("stock"):
        return fallback
    agreed = s.tables["assortment"].sort_values(["customer_id", "product_id", "valid_from_on"], kind="stable")
    newest = agreed.groupby(stocks.ITEM, sort=True).tail(1).set_index(stocks.ITEM)
    review = newest["review_period_days"].astype(float).fillna(0.0) if "review_period_days" in newest else 0.0
    days = newest["lead_time_days"].astype(float) + review
    items = pd.MultiIndex.from_frame(s.tables["stock"][stocks.ITEM].drop_duplicates())
    return days.reindex(items).fillna(fallback)


def _compared(kpi: str) -> Callable[[Sources], Parts]:
    return lambda s: forecasts.accuracy_parts(s.compared, kpi=kpi) if s.has("customer_forecasts", "issued_on") else no_parts()


def _conversion(s: Sources) -> Parts:
    if not (s.has("customer_forecasts", "issued_on") and s.has("orders", "ordered_on")):
        return no_parts()
    chosen = {key: s.settings[key] for key in ("frequency", "week_start")}
    actual = forecasts.period_totals(forecasts.ordered_quantities(s.tables["orders"]), as_of=s.settings["as_of"], **chosen)
    lag, until = s.settings["forecast_lag"], s.last_period
    pairs = forecasts.compare_forecasts(actual, s.tables["customer_forecasts"], lag=lag, silent_until=until, **chosen)
    return forecasts.accuracy_parts(pairs, kpi="forecast_conversion")


def _sharing(s: Sources) -> Parts:
    if not s.has("feeds"):
        return no_parts()
    return forecasts.sharing_parts(s.tables["feeds"], as_of=s.settings["as_of"], cutoff_days=s.settings["feed_cutoff_days"])


def _feedback(kind: str) -> Callable[[Sources], Parts]:
    def build(s: Sources) -> Parts:
        if not s.has("feedback", "score") or "kind" not in s.tables["feedback"]:
            return no_parts()
        rows = s.tables["feedback"]
        rows = rows[(rows["kind"] == kind) & rows["score"].notna()]
        most = {"csat": 5.0, "nps": 10.0}[kind]
        # a scale is written as its highest value, 5, or as its ends, 1-5
        top = rows["scale"].astype(str).str.extract(r"(\d+(?:\.\d+)?)\s*\Z")[0] if "scale" in rows else None
        scale = top.astype(float).fillna(most) if top is not None else most
        score = rows["score"].astype(float) / scale * most
        good = (score >= 4).astype(float) if kind == "csat" else (score >= 9).astype(float) - (score <= 6).astype(float)
        return kpi_parts(rows, numerator=good, denominator=1.0)

    return build


def _cost_to_serve(s: Sources) -> Parts:
    if not (s.has("orders") and s.has("costs", "value")):
        return no_parts()
    book = s.tables["orders"]
    first = (
        book.groupby("order_id", sort=True).agg(customer_id=("customer_id", "first"), date=("ordered_on", "min")).reset_index()
    )
    parts = [kpi_parts(first, numerator=general_cost(s, "freight_cost", 0.0) or 0.0, denominator=1.0, cluster=first["order_id"])]
    if s.has("deliveries", "freight_cost"):
        paid = s.tables["deliveries"].groupby("order_id")["freight_cost"].sum()
        parts[0]["numerator"] = first["order_id"].map(paid).fillna(0.0).to_numpy()
    picked = book.assign(date=book["ordered_on"])
    parts.append(kpi_parts(picked, numerator=general_cost(s, "pick_cost", 0.0) or 0.0, denominator=0.0, n=0))
    if s.has("returns"):
        back = s.tables["returns"]
        parts.append(
            kpi_parts(back, date=back["returned_on"], numerator=general_cost(s, "return_cost", 0.0), denominator=0.0, n=0)
        )
    if s.settings["stock_owner"] == "supplier":
        parts.append(_carrying(s).assign(denominator=0.0, n=0))
    return pd.concat(parts, ignore_index=True)


WINDOWED = frozenset(
    {"shelf_fill", "turns", "dio", "gmroi", "carrying_cost", "cost_to_serve"}
)  # their parts depend on the window
BUILDERS: dict[str, Callable[[Sources], Parts]] = {
    "order_fill": _fill,
    "delivered_share": _delivered,
    "on_time": _flag("on_time"),
    "in_full": _flag("in_full"),
    "otif": _flag("otif"),
    "perfect_order": _perfect,
    "order_accuracy": _accuracy,
    "order_cycle_time": _cycle_time,
    "return_rate": _returns,
    "in_stock_rate": _in_stock,
    "shelf_fill": _shelf,
    "cycle_service": _cycles,
    "stock_accuracy": _counts,
    "turns": _turns,
    "dio": _dio,
    "gmroi": _gmroi,
    "carrying_cost": _carrying,
    "excess_value": _excess,
    "wape": _compared("wape"),
    "wape_naive": _compared("wape_naive"),
    "bias": _compared("bias"),
    "fva": _compared("fva"),
    "forecast_conversion": _conversion,
    "sharing": _sharing,
    "csat": _feedback("csat"),
    "nps": _feedback("nps"),
    "cost_to_serve": _cost_to_serve,
}
