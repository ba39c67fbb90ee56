"""`score_kpis`: the KPI catalogue over tables, by any scope, as one long frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.errors import ParameterError
from cmi_analysis.measures.lead_time import collect_lead_times, fit_survival
from cmi_analysis.performance import forecast_parts as forecasts
from cmi_analysis.performance.builders import Sources
from cmi_analysis.performance.intervals import cluster_bootstrap, wilson_interval
from cmi_analysis.performance.parts import start_of_period
from cmi_analysis.performance.registry import find_kpi

PERIODS = ("week", "month", "quarter")
SCOPES = (
    "customer_id", "product_id", "warehouse_id", "customer_group", "region",
    "country", "channel", "site_type", "account_id", "category",
)  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "as_of": None,
    "window_start": None,
    "late_tolerance_days": 0,
    "early_tolerance_days": 7,
    "quantity_tolerance": 0.0,
    "return_window_days": 90,
    "forecast_lag": 1,
    "frequency": "week",
    "week_start": "Monday",
    "protection_days": 14,
    "excess_days": 90,
    "use_days": 91,
    "stock_owner": "customer",
    "holding_rate": None,
    "feed_cutoff_days": 0,
    "intervals": False,
    "seed": 1,
}
VALUE_COLUMNS = ("value", "numerator", "denominator", "n", "unit", "level", "basis", "provisional", "partial", "low", "high")
_TOTALS = ("excess_value", "carrying_cost")
_CUSTOMER_SCOPES = ("customer_group", "region", "country", "channel", "site_type", "account_id")


def score_kpis(
    tables: Mapping[str, pd.DataFrame] | Sources, *, kpis: Sequence[str], by: Sequence[str] = (), settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Return KPIs as ratios of sums, one row per KPI, scope and period.

    Parameters
    ----------
    tables : mapping of str to DataFrame, or Sources
        Frames of the data contract by name. A KPI whose tables or columns are missing has no rows in the result. `Sources` keep
        what they have computed for the next call; only their tables count here, the settings are those given.
    kpis : sequence of str
        Ids of the catalogue (`registry.KPIS`).
    by : sequence of str
        Scope columns (customer_id, product_id, warehouse_id, customer_group, region, country, channel, site_type, account_id,
        category) and at most one period (``week``, ``month``, ``quarter``). Order-level values have no product.
    settings : mapping
        ``as_of`` (a date, required), ``window_start`` (first date counted; None: all), late_tolerance_days, early_tolerance_days,
        quantity_tolerance, return_window_days, forecast_lag [periods], frequency, week_start, protection_days, excess_days,
        use_days, stock_owner, holding_rate, feed_cutoff_days, intervals (bool), seed. The rest takes `DEFAULTS`.

    Returns
    -------
    DataFrame
        Columns kpi, echelon, the scope columns, period, value, numerator, denominator, n, unit, level (units, lines, orders,
        value; empty where there is one), basis, provisional, partial (the period ends after as_of), low and high (95 % interval,
        where asked for). Money totals have no denominator. Sorted by kpi, level, scope and period.

    Raises
    ------
    ParameterError
        An unknown KPI, setting or scope, or no as_of.

    Examples
    --------
    >>> feeds = pd.DataFrame({"customer_id": "c", "table": "sales", "due_on": pd.to_datetime(["2024-01-01", "2024-01-08"]),
    ...     "received_on": pd.to_datetime(["2024-01-01", None])})
    >>> score_kpis({"feeds": feeds}, kpis=["sharing"], settings={"as_of": "2024-01-31"})[["kpi", "value", "n"]].values.tolist()
    [['sharing', 0.5, 2.0]]
    """
    chosen, scopes, period = _checked(kpis, by, settings)
    sources = (tables if isinstance(tables, Sources) else Sources(dict(tables), chosen)).under(chosen, period)
    found = [_score_one(sources, kpi=kpi, scopes=scopes, period=period) for kpi in kpis]
    columns = ["kpi", "echelon", *scopes, "period", *VALUE_COLUMNS]
    found = [frame for frame in found if not frame.empty]
    if not found:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    order = ["kpi", "level", *scopes, "period"]
    return pd.concat(found, ignore_index=True)[columns].sort_values(order, kind="stable").reset_index(drop=True)


def _checked(kpis: Sequence[str], by: Sequence[str], settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[str], str]:
    for kpi in kpis:
        if not find_kpi(kpi).computed:
            raise ParameterError(expected="a KPI that is computed here", found=f"'{kpi}', defined only", fix="Leave it out.")
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise ParameterError(expected=f"settings among {', '.join(DEFAULTS)}", found=f"'{unknown[0]}'", fix="Correct the name.")
    wrong = [name for name in by if name not in SCOPES + PERIODS]
    periods = [name for name in by if name in PERIODS]
    if wrong or len(periods) > 1:
        fix = "Correct the name, or give one period."
        raise ParameterError(
            expected=f"scopes among {', '.join(SCOPES)} and one of {', '.join(PERIODS)}", found=str(list(by)), fix=fix
        )
    if settings.get("as_of") is None:
        raise ParameterError(expected="a date as_of among the settings", found="none", fix="Pass settings={'as_of': …}.")
    chosen = {**DEFAULTS, **settings, "as_of": pd.Timestamp(settings["as_of"]).date()}
    start = chosen["window_start"]
    chosen["window_start"] = pd.Timestamp(start) if start is not None else None
    return chosen, [name for name in by if name in SCOPES], periods[0] if periods else ""


def _score_one(sources: Sources, *, kpi: str, scopes: list[str], period: str) -> pd.DataFrame:
    special = {
        "bullwhip": _bullwhip,
        "source_hhi": _source_hhi,
        "lead_time": _lead_time,
        "lead_time_p95": _lead_time,
        "order_cycle_time_median": _cycle_quantile,
        "order_cycle_time_p90": _cycle_quantile,
    }.get(kpi)
    if special is not None:
        scored = special(sources, kpi, scopes, period)
    else:
        parts = sources.window(_dated(sources.parts(kpi), sources))
        scored = _ratios(_scoped(parts, sources, scopes, period), sources, kpi=kpi, keys=[*scopes, "period"])
    if scored.empty:
        return scored
    known = find_kpi(kpi)
    ends = _period_ends(scored["period"], period, sources.settings["week_start"])
    partial = ends > pd.Timestamp(sources.settings["as_of"])
    kind = "quantity" if known.kind == "money" and (scored["basis"] == "units").all() else known.kind
    scored = scored.assign(kpi=kpi, echelon=known.echelon, unit=kind, partial=partial)
    return scored.assign(**{name: np.nan for name in ("low", "high") if name not in scored})


def _dated(parts: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    return parts.assign(date=parts["date"].fillna(pd.Timestamp(sources.settings["as_of"])))


def _scoped(parts: pd.DataFrame, sources: Sources, scopes: list[str], period: str) -> pd.DataFrame:
    """Add the scope columns and the period; rows without a value in a scope are left out."""
    frame = parts.copy()
    customers, products = sources.tables.get("customers"), sources.tables.get("products")
    for name in scopes:
        if name in _CUSTOMER_SCOPES:
            frame[name] = frame["customer_id"].map(_attribute(customers, "customer_id", name)).fillna("").astype(str)
        elif name == "category":
            frame[name] = frame["product_id"].map(_attribute(products, "product_id", name)).fillna("").astype(str)
    for name in scopes:
        frame = frame[frame[name] != ""]
    label = start_of_period(frame["date"], period=period, week_start=sources.settings["week_start"]) if period else pd.NaT
    return frame.assign(period=label)


def _attribute(frame: pd.DataFrame | None, key: str, name: str) -> pd.Series:
    if frame is None or name not in frame:
        return pd.Series(dtype=object)
    return frame.drop_duplicates(key).set_index(key)[name]


def _ratios(frame: pd.DataFrame, sources: Sources, *, kpi: str, keys: list[str]) -> pd.DataFrame:
    if frame.empty:
        return frame
    grouped = frame.groupby([*keys, "level"], dropna=False, sort=True, observed=True)
    total = grouped[["numerator", "denominator", "n"]].sum(min_count=1)
    total["n"] = total["n"].fillna(0.0)
    total["provisional"] = grouped["provisional"].any()
    total["basis"] = grouped["basis"].first()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = total["numerator"] / total["denominator"].where(total["denominator"] > 0)
    total["value"] = total["numerator"] if kpi in _TOTALS else ratio
    if sources.settings["intervals"]:
        total = _with_intervals(total, grouped, sources, kpi=kpi)
    out = total.reset_index()
    # a period without a case has nothing to say
    return out[out["value"].notna()].reset_index(drop=True)


def _with_intervals(total: pd.DataFrame, grouped: Any, sources: Sources, *, kpi: str) -> pd.DataFrame:
    """Add low and high: Wilson for shares of independent things, else the bootstrap of whole orders or customers."""
    total = total.assign(low=np.nan, high=np.nan)
    known = find_kpi(kpi)
    if not known.share and kpi != "nps":
        return total
    for at, rows in grouped:
        level = at[-1]
        alone = (rows["denominator"] == 1).all() and (level == "orders" or rows["cluster"].eq("").all())
        if alone and known.share:
            ends = wilson_interval(rows["numerator"].sum(), rows["denominator"].sum())
        else:
            own = rows["cluster"].where(rows["cluster"] != "", rows.index.astype(str))
            ends = cluster_bootstrap(rows.assign(cluster=own), cluster="cluster", seed=sources.settings["seed"])
        total.loc[[at], ["low", "high"]] = ends
    return total


def _period_ends(periods: pd.Series, period: str, week_start: str) -> pd.Series:
    if not period:
        return pd.Series(pd.NaT, index=periods.index, dtype="datetime64[ns]")
    step = {"week": pd.DateOffset(days=7), "month": pd.DateOffset(months=1), "quarter": pd.DateOffset(months=3)}[period]
    return periods + step - pd.Timedelta(days=1)


def _plain(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows).assign(level="", provisional=False) if rows else pd.DataFrame()


def _groups(frame: pd.DataFrame, keys: list[str]) -> Any:
    return frame.groupby(keys, dropna=False, sort=True, observed=True)


def _cycle_quantile(sources: Sources, kpi: str, scopes: list[str], period: str) -> pd.DataFrame:
    parts = sources.window(_dated(sources.parts("order_cycle_time"), sources))
    frame = _scoped(parts, sources, scopes, period)
    if frame.empty:
        return pd.DataFrame()
    keys = [*scopes, "period"]
    level = 0.5 if kpi.endswith("median") else 0.9
    grouped = _groups(frame, keys)
    out = pd.DataFrame({"value": grouped["numerator"].quantile(level), "n": grouped["n"].sum()}).reset_index()
    return out.assign(numerator=np.nan, denominator=np.nan, level="", provisional=False, basis="")


def _lead_time(sources: Sources, kpi: str, scopes: list[str], period: str) -> pd.DataFrame:
    """Mean or P95 of the product-limit estimate; orders still open count up to their age."""
    if not sources.has("orders", "delivered_on"):
        return pd.DataFrame()
    times = collect_lead_times(
        sources.tables["orders"], as_of=sources.settings["as_of"], deliveries=sources.tables.get("deliveries")
    )
    times = times.assign(date=times["ordered_on"], warehouse_id="")
    frame = _scoped(sources.window(times), sources, scopes, period)
    rows = []
    for at, part in _groups(frame, [*scopes, "period"]):
        curve = fit_survival(part)
        days, still = curve["days"].to_numpy(float), curve["still_open"].to_numpy(float)
        mean = float((np.diff(np.append(0.0, days)) * np.append(1.0, still[:-1])).sum()) if len(days) else np.nan
        late = days[still <= 0.05 + 1e-12]
        value = mean if kpi == "lead_time" else (float(late[0]) if len(late) else np.inf)
        found = dict(zip([*scopes, "period"], at, strict=True))
        rows.append({**found, "value": value, "numerator": np.nan, "denominator": np.nan, "n": float(len(part)), "basis": ""})
    return _plain(rows)


def _source_hhi(sources: Sources, kpi: str, scopes: list[str], period: str) -> pd.DataFrame:
    """Σ share² of the suppliers' quantities received."""
    if not sources.has("receipts", "supplier_id"):
        return pd.DataFrame()
    receipts = sources.tables["receipts"].assign(customer_id="", cluster="")
    receipts = receipts.assign(date=receipts["received_on"]).dropna(subset=["date", "quantity_received"])
    if "warehouse_id" not in receipts:
        receipts["warehouse_id"] = ""
    frame = _scoped(sources.window(receipts), sources, scopes, period)
    rows = []
    for at, part in _groups(frame, [*scopes, "period"]):
        got = part.groupby("supplier_id")["quantity_received"].sum()
        found = dict(zip([*scopes, "period"], at, strict=True))
        top, bottom = float((got**2).sum()), float(got.sum() ** 2)
        rows.append(
            {
                **found,
                "value": top / bottom if bottom else np.nan,
                "numerator": top,
                "denominator": bottom,
                "n": float(len(part)),
                "basis": "",
            }
        )
    return _plain(rows)


def _bullwhip(sources: Sources, kpi: str, scopes: list[str], period: str) -> pd.DataFrame:
    """Bullwhip of each scope's summed series over the whole window's complete periods, promotions left out."""
    if period or not (sources.has("orders") and sources.has("sales")):
        return pd.DataFrame()
    chosen = {key: sources.settings[key] for key in ("frequency", "week_start", "as_of")}
    demand = forecasts.period_totals(_without_promotion(sources.window(sources.tables["sales"])), **chosen)
    asked = forecasts.period_totals(sources.window(forecasts.ordered_quantities(sources.tables["orders"])), **chosen)
    both = [frame.assign(date=frame["period"], warehouse_id="") for frame in (asked, demand)]
    asked, demand = (
        _scoped(frame, sources, scopes, "").drop(columns="period").rename(columns={"date": "period"}) for frame in both
    )
    keys = scopes or ["_all"]
    asked, demand = (frame.assign(_all="all") for frame in (asked, demand))
    orders_by = dict(list(_groups(asked, keys)))
    rows = []
    for at, part in _groups(demand, keys):
        used = part.groupby("period", as_index=False)["quantity"].sum()
        own = orders_by.get(at, part.iloc[:0]).groupby("period", as_index=False)["quantity"].sum()
        own = used[["period"]].merge(own, on="period", how="left").fillna({"quantity": 0.0})
        draws = {"seed": sources.settings["seed"], "draws": 400 if sources.settings["intervals"] else 0}
        ratio, top, bottom, low, high = forecasts.score_bullwhip(own, used, season=forecasts.seasonal_index(used), **draws)
        found = {**dict(zip(keys, at, strict=True)), "period": pd.NaT, "low": low, "high": high, "basis": "all"}
        rows.append({**found, "value": ratio, "numerator": top, "denominator": bottom, "n": float(len(used))})
    return _plain(rows)


def _without_promotion(sales: pd.DataFrame) -> pd.DataFrame:
    """Leave out the periods of a customer in which more than half the units were sold on promotion."""
    if "promotion" not in sales or not sales["promotion"].notna().any():
        return sales
    sold = sales.assign(on=sales["promotion"].astype("boolean").fillna(False).astype(float) * sales["quantity"])
    total = sold.groupby(["customer_id", "date"])[["on", "quantity"]].transform("sum")
    return sales[~(total["on"] > total["quantity"] / 2)]
