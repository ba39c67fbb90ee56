"""Performance review: how it went against last year and target, why, and what came of what we said before."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cmi_analysis.measures.peers import round_peer_value, score_peer_bands
from cmi_analysis.params.models import PerformanceReviewParams
from cmi_analysis.performance.ageing import sum_ageing
from cmi_analysis.performance.builders import Sources
from cmi_analysis.performance.forecast_parts import ordered_quantities, period_totals
from cmi_analysis.performance.ledger_scores import (
    count_outcomes,
    score_past_alerts,
    score_past_forecasts,
    score_past_proposals,
)
from cmi_analysis.performance.lines import score_fill_gap
from cmi_analysis.performance.order_parts import STAGES
from cmi_analysis.performance.registry import find_kpi
from cmi_analysis.performance.scoring import DEFAULTS, score_kpis
from cmi_analysis.performance.stock_parts import unit_values
from cmi_analysis.performance.tie_out import check_totals
from cmi_analysis.stages.edition import client_frames
from cmi_analysis.stages.performance_frames import (
    DAYS_OF_ALERT,
    ageing_by_item,
    collaboration_by_customer,
    count_stockout_days,
    no_rows,
    order_times,
    otif_sites,
    otif_weeks,
    returns_by_reason,
    review_months,
    review_scorecard,
    shown_level,
    turns_by_customer,
    window_lines,
)
from cmi_analysis.tables import DataSet, Slice

PEER_KPIS = ("order_fill", "otif", "in_stock_rate", "dio", "return_rate")


@dataclass(frozen=True)
class ReviewResult:
    """What the performance review found; every frame sorted by its key.

    Attributes
    ----------
    scorecard : DataFrame
        kpi, echelon, unit, direction, value, last_year, target, source, status, n, low, high, numerator, denominator, level,
        basis, provisional.
    months : DataFrame
        kpi, period, value, numerator, denominator, n, partial: up to 13 months, the last one possibly partial.
    fill_gap : DataFrame
        cause, units, share, lines: units ordered and due, split so that the parts sum exactly.
    otif_weeks, otif_sites : DataFrame
        OTIF by lines by week due, and by customer with its interval and open overdue lines.
    turns : DataFrame
        customer_id, customer_name, turns, dio, stock_worth.
    peers : DataFrame
        kpi, q25, q50, q75, peers: rounded bands of other groups, none where the disclosure rule forbids it.
    ageing, excess_items : DataFrame
        Stock by days since last use; items with excess.
    order_times, returns : DataFrame
        Days by stage of the order (mean, median, p90, n); returns by reason.
    collaboration : DataFrame
        customer_id, customer_name and the KPIs of `COLLABORATION` with the number of item-periods compared.
    past_forecasts, past_proposals, past_alerts, outcomes : DataFrame
        Earlier runs against what came.
    tie_out : DataFrame
        Differences between the ledger system's totals and the tables, empty where there is none; `tied` counts what was compared.
    settings : mapping
        Everything that changes a number.
    missing : mapping of str to str
        Section key to the text key of the sentence that says which table is missing.
    """

    scorecard: pd.DataFrame
    months: pd.DataFrame
    fill_gap: pd.DataFrame
    otif_weeks: pd.DataFrame
    otif_sites: pd.DataFrame
    turns: pd.DataFrame
    peers: pd.DataFrame
    ageing: pd.DataFrame
    excess_items: pd.DataFrame
    order_times: pd.DataFrame
    returns: pd.DataFrame
    collaboration: pd.DataFrame
    past_forecasts: pd.DataFrame
    past_proposals: pd.DataFrame
    past_alerts: pd.DataFrame
    outcomes: pd.DataFrame
    tie_out: pd.DataFrame
    tied: int
    risk_value: float | None
    stockout_days: float | None
    stockout_items: int
    money: bool
    otif_target: float | None
    settings: Mapping[str, Any]
    missing: Mapping[str, str]


def review(part: Slice, params: PerformanceReviewParams, *, forecast: Any = None, plan: Any = None) -> ReviewResult:
    """Return the performance review of one group.

    Parameters
    ----------
    part : Slice
        The group's tables, book and ledger.
    params : PerformanceReviewParams
        Window, tolerances, targets.
    forecast, plan : ForecastResult, PlanResult, optional
        This run's results; of the plan the money at risk by coming stock-outs is shown.
    """
    if params.audience == "internal":
        return _review(part, params, plan=plan)
    ours = part.tables.settings.stock_owner == "supplier"
    return for_client(_review(_without_cost(part) if ours else part, params, plan=plan))


def for_client(result: ReviewResult) -> ReviewResult:
    """Return the result without figures at our cost or margin and without the ledger system's totals."""
    names = [item.name for item in dataclasses.fields(result) if isinstance(getattr(result, item.name), pd.DataFrame)]
    shown = client_frames("performance_review", {name: getattr(result, name) for name in names})
    return dataclasses.replace(result, **shown, tie_out=result.tie_out.iloc[:0], tied=0, risk_value=None)


def _without_cost(part: Slice) -> Slice:
    """Return the slice without unit cost: stock of ours is then shown to a client in units."""
    products = part.tables.get("products")
    if products is None:
        return part
    frames = {**part.tables.frames, "products": products.drop(columns="unit_cost", errors="ignore")}
    return dataclasses.replace(part, tables=dataclasses.replace(part.tables, frames=frames))


def _review(part: Slice, params: PerformanceReviewParams, *, plan: Any) -> ReviewResult:
    """Return the internal edition of the review."""
    value = "unit_cost" if part.tables.settings.stock_owner == "supplier" else "unit_price"
    settings = kpi_settings(part.tables, as_of=part.as_of, params=params)
    sources = Sources(dict(part.tables.frames), {**DEFAULTS, **settings})
    months = review_months(part, sources)
    ageing = ageing_by_item(part, sources)
    stock_days, stock_items = count_stockout_days(sources)
    past = _past(part, sources)
    tie_out, tied = _tie_out(part)
    scorecard = review_scorecard(part, sources, params)
    goal = scorecard.loc[scorecard["kpi"] == "otif", "target"].dropna()
    return ReviewResult(
        scorecard=scorecard,
        months=months,
        fill_gap=score_fill_gap(window_lines(sources)) if sources.can_judge else no_rows("cause", "units", "share", "lines"),
        otif_weeks=otif_weeks(sources),
        otif_sites=otif_sites(part, sources),
        turns=turns_by_customer(part, sources),
        peers=part.book.get("peer_bands", no_rows("peer_group", "kpi", "q25", "q50", "q75", "peers")).reset_index(drop=True),
        ageing=sum_ageing(ageing) if len(ageing) else no_rows("bucket", "worth", "items", "share"),
        excess_items=ageing[ageing["excess"] > 0].reset_index(drop=True),
        order_times=order_times(part, sources),
        returns=returns_by_reason(sources),
        collaboration=collaboration_by_customer(part, sources),
        **past,
        tie_out=tie_out,
        tied=tied,
        risk_value=_risk(plan),
        stockout_days=stock_days,
        stockout_items=stock_items,
        money=unit_values(part.tables.get("products"), column=value) is not None,
        otif_target=float(goal.iloc[0]) if len(goal) else None,
        settings={name: str(value) if isinstance(value, dt.date) else value for name, value in settings.items()},
        missing=_missing(part, sources),
    )


def review_book(tables: DataSet, *, as_of: dt.date, params: PerformanceReviewParams) -> dict[str, pd.DataFrame]:
    """Return the book's frames for reviews: bands of peers for each customer group, and the tie-out over everybody.

    The peer set is frozen for a year: groups that had sales or orders before the first day of `as_of`'s year. The tie-out holds
    only tables and months that differ, rounded to 2 significant digits.
    """
    settings = kpi_settings(tables, as_of=as_of, params=params)
    if not tables.has("customers", "customer_group"):
        return {"peer_bands": score_peer_bands(no_rows("group", "kpi", "numerator", "denominator"), rates=set())}
    scored = shown_level(score_kpis(tables.frames, kpis=PEER_KPIS, by=["customer_group"], settings=settings))
    scored = scored.rename(columns={"customer_group": "group"})
    scored = scored[scored["group"].isin(_old_groups(tables, as_of=as_of))]
    rates = {kpi for kpi in PEER_KPIS if find_kpi(kpi).kind == "rate"}
    frames = {"peer_bands": score_peer_bands(scored[["group", "kpi", "numerator", "denominator"]], rates=rates)}
    if tables.has("control_totals"):
        checked = check_totals(tables.frames, as_of=as_of)
        off = checked[checked["difference"] != 0]
        rounded = {name: [round_peer_value(float(value), rate=False) for value in off[name]] for name in ("difference", "share")}
        frames["tie_out"] = off[["table", "period", "measure"]].assign(**rounded, compared=len(checked)).reset_index(drop=True)
        frames["tie_out_counts"] = pd.DataFrame({"compared": [len(checked)], "different": [len(off)]})
    return frames


def kpi_settings(tables: DataSet, *, as_of: dt.date, params: PerformanceReviewParams) -> dict[str, Any]:
    """Return the settings of `score_kpis` for a review: the window is whole months up to `as_of`."""
    start = pd.Timestamp(as_of) + pd.Timedelta(days=1) - pd.DateOffset(months=params.window_months)
    names = ("late_tolerance_days", "early_tolerance_days", "quantity_tolerance", "return_window_days", "forecast_lag", "seed")
    chosen = {name: getattr(params, name) for name in names}
    about = {name: getattr(tables.settings, name) for name in ("frequency", "week_start", "stock_owner")}
    return {"as_of": as_of, "window_start": start.date(), **chosen, **about}


def _old_groups(tables: DataSet, *, as_of: dt.date) -> set[str]:
    first = pd.Timestamp(as_of.year, 1, 1)
    group = tables["customers"].drop_duplicates("customer_id").set_index("customer_id")["customer_group"]
    found: set[str] = set()
    for table, column in (("sales", "date"), ("orders", "ordered_on")):
        if tables.has(table):
            rows = tables[table]
            found |= set(rows.loc[rows[column] < first, "customer_id"].map(group).dropna())
    return found


def _past(part: Slice, sources: Sources) -> dict[str, pd.DataFrame]:
    """Score what earlier runs said."""
    tables, about = part.tables, part.tables.settings
    book = ordered_quantities(tables["orders"]) if tables.has("orders", "ordered_on") else no_rows("customer_id", "product_id")
    use = tables["sales"] if tables.has("sales") else book
    said = _first_published(part.ledger.get("forecasts"))
    actual = no_rows("customer_id", "product_id", "period", "quantity")
    if len(said) and "quantity" in use:
        actual = period_totals(use, frequency=about.frequency, week_start=about.week_start, as_of=part.as_of)
        said = said[said["echelon"] == ("site" if tables.has("sales") else "warehouse")] if "echelon" in said else said
        said = said[said["customer_id"].notna() & (said["customer_id"] != "")]
    forecasts = score_past_forecasts(said, actual, frequency=about.frequency, week_start=about.week_start, as_of=part.as_of)
    orders = tables["orders"] if tables.has("orders") else no_rows("customer_id", "product_id", "ordered_on", "quantity_ordered")
    packs, review_days = _agreed(tables)
    days = {"day": 1, "week": 7, "month": 31}[about.frequency]
    proposals = _first_published(part.ledger.get("proposals"))
    if "echelon" in proposals:
        proposals = proposals[proposals["echelon"] == "site"]
    followed = score_past_proposals(
        proposals, orders, packs=packs, review_days=review_days, as_of=part.as_of, default_review=days
    )
    stock = tables["stock"] if tables.has("stock") else no_rows("customer_id", "product_id", "date", "on_hand")
    alerts = score_past_alerts(
        _first_published(part.ledger.get("alerts")), stock, orders, horizon_days=max(days, DAYS_OF_ALERT), as_of=part.as_of
    )
    outcomes = count_outcomes({"proposals": followed, "alerts": alerts})
    return {"past_forecasts": forecasts, "past_proposals": followed, "past_alerts": alerts, "outcomes": outcomes}


def _first_published(frame: pd.DataFrame | None) -> pd.DataFrame:
    if frame is None or frame.empty:
        return no_rows("as_of", "customer_id", "product_id", "period", "mean", "quantity", "alert", "order_on")
    chosen = frame[frame["published_rank"] == 1] if "published_rank" in frame else frame
    return chosen.assign(as_of=pd.to_datetime(chosen["as_of"]))


def _agreed(tables: DataSet) -> tuple[pd.Series, pd.Series]:
    item = ["customer_id", "product_id"]
    empty = pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], []], names=item))
    if not tables.has("assortment"):
        return empty, empty
    newest = (
        tables["assortment"].sort_values([*item, "valid_from_on"], kind="stable").groupby(item, sort=True).tail(1).set_index(item)
    )
    return tuple(newest[name].astype(float) if name in newest else empty for name in ("order_multiple", "review_period_days"))  # type: ignore[return-value]


def _tie_out(part: Slice) -> tuple[pd.DataFrame, int]:
    """Return what differs from the ledger system's totals, and how many totals were compared: own, else the book's."""
    if part.tables.has("control_totals"):
        checked = check_totals(part.tables.frames, as_of=part.as_of)
        off = checked[checked["difference"] != 0]
        return off[["table", "period", "measure", "difference", "share"]].reset_index(drop=True), len(checked)
    counts = part.book.get("tie_out_counts")
    empty = no_rows("table", "period", "measure", "difference", "share")
    if counts is None or counts.empty:
        return empty, 0
    return part.book.get("tie_out", empty)[list(empty.columns)].reset_index(drop=True), int(counts["compared"].iloc[0])


def _risk(plan: Any) -> float | None:
    """Return the money at risk by coming stock-outs in the plan's alerts, None where no plan or no money is known."""
    alerts = getattr(plan, "alerts", None)
    if not isinstance(alerts, pd.DataFrame) or "money" not in alerts or "alert" not in alerts:
        return None
    rows = alerts[alerts["alert"].isin(["stocked_out", "will_stock_out"]) & alerts["money"].notna()]
    return float(rows["money"].sum()) if len(rows) or alerts["money"].notna().any() else None


def _missing(part: Slice, sources: Sources) -> dict[str, str]:
    tables = part.tables
    flow = tables.has("stock") and tables.has("sales")
    shared = tables.has("customer_forecasts") or tables.has("feeds") or (tables.has("orders") and tables.has("sales"))
    timed = any(tables.has("orders", name) for name in STAGES[1:])
    said = any(len(frame) for frame in part.ledger.values())
    there = {
        "fill_gap": (sources.can_judge, "performance.missing.deliveries"),
        "otif": (sources.can_judge, "performance.missing.due"),
        "turns": (flow, "performance.missing.stock"),
        "excess": (flow, "performance.missing.stock_excess"),
        "orders": (timed or tables.has("returns"), "performance.missing.stages"),
        "collaboration": (shared, "performance.missing.shared"),
        "ledger": (said, "performance.missing.ledger"),
    }
    return {section: key for section, (present, key) in there.items() if not present}
