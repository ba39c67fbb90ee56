"""The inventory policy of a group's sites: from forecasts and stock to service, orders, alerts and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cmi_analysis.inventory.alerts import find_alerts
from cmi_analysis.inventory.crossing import CROSSING_MATTERS
from cmi_analysis.measures.calendar import days_per_period
from cmi_analysis.params.models import ForecastingParams, InventoryPolicyParams
from cmi_analysis.stages.plan_actions import rank_actions
from cmi_analysis.stages.plan_backtest import backtest_plan
from cmi_analysis.stages.plan_columns import COLUMNS, CONFIDENTIAL, MIXED, SECTIONS
from cmi_analysis.stages.plan_inputs import PlanInputs, gather_inputs, score_customer_lead_times, score_supplier_lead_times
from cmi_analysis.stages.plan_levels import Levels, fit_levels, score_sensitivity, with_positions
from cmi_analysis.stages.plan_orders import HELD, propose_orders
from cmi_analysis.stages.plan_pipeline import count_closed, pipeline_by_week
from cmi_analysis.stages.plan_safety import score_safety_stock
from cmi_analysis.stages.plan_sections import (
    allocate_stock,
    draw_service_curve,
    project_items,
    score_classes,
    score_money,
    score_service,
    simulate_promise,
)
from cmi_analysis.stages.plan_sharing import share_stock, why_not_shared
from cmi_analysis.stages.plan_targets import compare_ways, hold_budget
from cmi_analysis.tables import Slice


@dataclass(frozen=True)
class PlanResult:
    """The plan of one group's sites; each frame has the columns that `COLUMNS` lists.

    Attributes
    ----------
    customers : pandas.DataFrame
        Service of each customer: target, promise of the policy, expected until a new order can arrive, past in-stock rate.
    money : pandas.DataFrame
        Stock now, model stock, above the policy, missing: by owner.
    proposals, alerts, actions : pandas.DataFrame
        Orders to place, items to look at, and both as ranked actions per customer.
    held_orders : pandas.DataFrame
        Orders that are needed and held back, and the rule that holds them.
    pipeline : pandas.DataFrame
        Open supply, arrivals, demand, shortage and stock of each item by week until an order placed now could arrive.
    projection, curve, targets, policies, classes, promised, backtest, safety_stock, allocation : pandas.DataFrame
        Frames of the sections.
    site_transfers, pooling, lead_times, suppliers, sensitivity, coverage : pandas.DataFrame
        Frames of the sections.
    totals : mapping of str to float
        Single numbers of the first screen.
    missing : mapping of str to str
        Section key → key of the sentence that says which data it lacks.
    assumptions : tuple of str
        Keys of sentences that every use of the numbers must show.
    """

    customers: pd.DataFrame
    money: pd.DataFrame
    proposals: pd.DataFrame
    held_orders: pd.DataFrame
    alerts: pd.DataFrame
    actions: pd.DataFrame
    projection: pd.DataFrame
    pipeline: pd.DataFrame
    curve: pd.DataFrame
    targets: pd.DataFrame
    policies: pd.DataFrame
    classes: pd.DataFrame
    promised: pd.DataFrame
    backtest: pd.DataFrame
    safety_stock: pd.DataFrame
    allocation: pd.DataFrame
    site_transfers: pd.DataFrame
    pooling: pd.DataFrame
    lead_times: pd.DataFrame
    suppliers: pd.DataFrame
    sensitivity: pd.DataFrame
    coverage: pd.DataFrame
    totals: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()


def plan(part: Slice, params: InventoryPolicyParams, *, forecast: Any = None) -> PlanResult:
    """Return the inventory policy of the group's sites.

    Parameters
    ----------
    part : Slice
        Tables of the group, known at as_of.
    params : InventoryPolicyParams
        Targets and assumptions.
    forecast : ForecastResult, optional
        Forecasts of the same slice; without it the forecasting stage is run with its defaults.
    """
    if reason := _no_site_plan(part):
        return _without_plan(part, reason)
    if forecast is None:
        from cmi_analysis.stages.forecasting import forecast as run_forecast

        own = {"group": params.group, "as_of": params.as_of, "seed": params.seed}
        forecast = run_forecast(part, ForecastingParams.model_validate(own))
    forecasts, errors = site_forecasts(forecast.forecasts, forecast.errors)
    if forecasts.empty:
        return _without_plan(part, "inventory.missing.forecast")
    inputs = gather_inputs(part, params)
    if not (inputs.items["lead_time_source"] != "missing").any():
        return _without_plan(part, "inventory.missing.lead_time")
    frequency = getattr(forecast, "frequency", part.tables.settings.frequency)
    levels = fit_levels(
        inputs,
        forecasts=forecasts,
        errors=errors,
        part=part,
        params=params,
        frequency=frequency,
        forecast_items=getattr(forecast, "items", None),
    )
    if params.stock_budget is not None:
        levels = hold_budget(levels, budget=params.stock_budget)
    known = getattr(forecast, "items", None)
    result = _assemble(with_positions(levels, part=part), inputs, part, params, errors=errors, forecast_items=known)
    return for_client(result) if params.audience == "client" else result


def for_client(result: PlanResult) -> PlanResult:
    """Return the result without our costs, margins, priorities, allocation and suppliers.

    Money stays only where the customer owns the stock; with stock of ours among it, sums over both are left out.
    """
    ours = bool((result.money["owner"] == "supplier").any())
    frames = {name: getattr(result, name) for name in COLUMNS}
    for name, columns in CONFIDENTIAL.items():
        frames[name] = frames[name].drop(columns=list(columns))
    for name, columns in MIXED.items():
        if ours:
            frames[name] = frames[name].assign(**dict.fromkeys(columns, float("nan")))
    stockouts = frames["alerts"]["alert"].isin(["stocked_out", "will_stock_out"])
    frames["alerts"] = frames["alerts"].assign(money=frames["alerts"]["money"].mask(stockouts))
    frames["backtest"] = frames["backtest"][frames["backtest"]["measure"] != "cost"].reset_index(drop=True)
    frames |= {name: pd.DataFrame() for name in ("allocation", "suppliers")}
    hidden = ("stockout_value", *(("stock_value", "model_value", "excess_value") if ours else ()))
    totals = {name: value for name, value in result.totals.items() if name not in hidden}
    missing = {**result.missing, "allocation": "inventory.missing.internal"}
    if frames["lead_times"].empty:
        missing.setdefault("lead_time", "inventory.missing.deliveries")
    return PlanResult(**frames, totals=totals, missing=missing, assumptions=result.assumptions)


def ledger_frames(result: PlanResult) -> dict[str, pd.DataFrame]:
    """Return what a later review holds against what happened: proposals, alerts and policies."""
    return {"proposals": result.proposals, "alerts": result.alerts, "policies": result.policies}


def site_forecasts(forecasts: pd.DataFrame, errors: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the site's forecasts of demand (of sales where demand was not forecast) and the errors that belong to them.

    Errors come back with origin_on and horizon [periods], named so whatever they were called, without unknown actuals.
    """
    rows = forecasts[forecasts["echelon"] == "site"] if "echelon" in forecasts else forecasts
    if "of" in rows:
        kind = "demand" if (rows["of"] == "demand").any() else "sales"
        rows = rows[rows["of"] == kind]
    errors = errors[errors["echelon"] == "site"] if "echelon" in errors else errors
    errors = errors.rename(columns={"origin": "origin_on", "lead": "horizon"})
    return rows, errors[errors["actual"].notna() & errors["mean"].notna()]


def _no_site_plan(part: Slice) -> str:
    """Return the key of the sentence that says why the sites cannot be planned, empty where they can."""
    if not part.tables.has("sales"):
        return "inventory.missing.sales"
    return ""


def _without_plan(part: Slice, reason: str) -> PlanResult:
    """Return an empty result that says why; lead times are shown where there are some."""
    frames = {name: pd.DataFrame({column: pd.Series(dtype="object") for column in columns}) for name, columns in COLUMNS.items()}
    frames |= _lead_time_frames(part)
    missing = dict.fromkeys(SECTIONS, "inventory.missing.no_plan") | {"service": reason}
    ours = part.tables.has("warehouse_stock")
    missing["data"] = "inventory.missing.warehouse_shared" if ours else "inventory.missing.warehouse"
    if len(frames["lead_times"]) or len(frames["suppliers"]):
        del missing["lead_time"]
    return PlanResult(**frames, totals={}, missing=missing, assumptions=())


def _lead_time_frames(part: Slice) -> dict[str, pd.DataFrame]:
    return {
        "lead_times": _shaped(score_customer_lead_times(part), "lead_times", ["customer_id"]),
        "suppliers": _shaped(score_supplier_lead_times(part), "suppliers", ["supplier_id"]),
    }


def _shaped(frame: pd.DataFrame, name: str, order: list[str]) -> pd.DataFrame:
    """Return the frame with exactly the columns of its kind, sorted; an empty `order` keeps the rows as they are."""
    shaped = frame.reindex(columns=list(COLUMNS[name]))
    return (shaped.sort_values(order, kind="stable") if order else shaped).reset_index(drop=True)


def _assemble(
    levels: Levels,
    inputs: PlanInputs,
    part: Slice,
    params: InventoryPolicyParams,
    *,
    errors: pd.DataFrame,
    forecast_items: pd.DataFrame | None,
) -> PlanResult:
    has_stock = bool(levels.items["on_hand"].notna().any())
    item = ["customer_id", "product_id"]
    proposals, held, _ = propose_orders(levels, part=part, params=params)
    proposals, held = (frame if has_stock else frame.iloc[:0] for frame in (proposals, held))
    period = days_per_period(part.tables.settings.frequency)
    alerts = find_alerts(levels.items, stale_days=round(max(14, 1.5 * period)), closed=count_closed(levels, part))
    named = alerts.merge(levels.items[[*item, "customer_name", "product_name"]], on=item, how="left")
    days = round(params.horizon * period)
    actions = rank_actions(levels, proposals, alerts[~alerts["muted"]], as_of=pd.Timestamp(part.as_of))
    safety = score_safety_stock(levels, errors, step=period, forecast_items=forecast_items)
    transfers, pooled = share_stock(levels, errors, part=part, params=params)
    tested, untested = backtest_plan(levels, part, params, errors=errors)
    allocation = allocate_stock(levels, part) if part.tables.has("warehouse_stock") and has_stock else pd.DataFrame()
    frames = {
        "customers": _shaped(score_service(levels, part), "customers", []),
        "money": _shaped(score_money(levels), "money", ["owner"]),
        "proposals": _shaped(proposals, "proposals", item),
        "held_orders": _shaped(held, "held_orders", []),
        "alerts": _shaped(named, "alerts", []),
        "actions": _shaped(actions, "actions", []),
        "projection": _shaped(project_items(levels, proposals, part=part, days=days), "projection", [*item, "date"]),
        "pipeline": _shaped(pipeline_by_week(levels, inputs, part), "pipeline", []),
        "backtest": _shaped(tested, "backtest", []),
        "safety_stock": _shaped(safety, "safety_stock", ["abc"]),
        "allocation": _shaped(allocation, "allocation", []),
        "coverage": _shaped(_coverage(levels, inputs), "coverage", []),
        "site_transfers": _shaped(transfers, "site_transfers", []),
        "pooling": _shaped(pooled, "pooling", []),
        **_policy_frames(levels, params),
        **_lead_time_frames(part),
    }
    missing = _missing_sections(frames, part=part, has_stock=has_stock) | ({"backtest": untested} if untested else {})
    if reason := why_not_shared(levels, part):
        missing["sharing"] = reason
    totals = _totals(levels, frames, inputs) | {f"held_{name}": float((held["why"] == name).sum()) for name in HELD}
    return PlanResult(**frames, totals=totals, missing=missing, assumptions=_assumptions(levels, inputs, frames["lead_times"]))


def _policy_frames(levels: Levels, params: InventoryPolicyParams) -> dict[str, pd.DataFrame]:
    """Return the frames that depend on levels alone."""
    return {
        "curve": _shaped(draw_service_curve(levels), "curve", []),
        "targets": _shaped(compare_ways(levels, aim=params.service_target), "targets", []),
        "policies": _shaped(levels.items, "policies", ["customer_id", "product_id"]),
        "classes": _shaped(score_classes(levels), "classes", ["abc", "xyz"]),
        "promised": _shaped(simulate_promise(levels, seed=params.seed), "promised", ["abc"]),
        "sensitivity": _shaped(score_sensitivity(levels), "sensitivity", []),
    }


def _missing_sections(frames: Mapping[str, pd.DataFrame], *, part: Slice, has_stock: bool) -> dict[str, str]:
    missing: dict[str, str] = {}
    if not has_stock:
        missing |= dict.fromkeys(("money", "actions", "projection", "allocation"), "inventory.missing.stock")
    elif not part.tables.has("warehouse_stock"):
        missing["allocation"] = "inventory.missing.warehouse_stock"
    if frames["targets"].empty:
        missing["targets"] = "inventory.missing.targets"
    if has_stock and frames["projection"].empty:
        missing["projection"] = "inventory.missing.projection"
    if frames["lead_times"].empty and frames["suppliers"].empty:
        missing["lead_time"] = "inventory.missing.deliveries"
    return missing


def _coverage(levels: Levels, inputs: PlanInputs) -> pd.DataFrame:
    """Return for how many items each kind of information was there."""
    items = levels.items
    total = len(inputs.items)
    counts = {
        "items": total,
        "planned": len(items),
        "demand": int((items["policy"] != "none").sum()),
        "stock": int(items["on_hand"].notna().sum()),
        "errors": int((items["variance_source"] == "errors").sum()),
        **{
            f"lead_{name}": int((inputs.items["lead_time_source"] == name).sum())
            for name in ("orders", "assortment", "group", "assumed", "missing")
        },
        "contract": int((items["target_source"] == "contract").sum()),
        "costed": int(items["owner_cost"].notna().sum()),
        "holding_costs": int((items["holding_rate_source"] == "costs").sum()),
        "order_costs": int((items["order_cost_source"] == "costs").sum()),
    }
    return pd.DataFrame({"what": list(counts), "items": list(counts.values())}).assign(
        share=lambda frame: frame["items"] / max(total, 1)
    )


def _assumptions(levels: Levels, inputs: PlanInputs, lead_times: pd.DataFrame) -> tuple[str, ...]:
    """Return the keys of the sentences on what was assumed, in a fixed order."""
    items = levels.items
    told = {
        "inventory.assumes.delivery": True,
        "inventory.assumes.backorders": True,
        "inventory.assumes.lead_time": (items["lead_time_source"] == "assumed").any(),
        "inventory.assumes.lead_time_group": (items["lead_time_source"] == "group").any(),
        "inventory.assumes.holding_rate": ((items["holding_rate_source"] == "assumed") & items["owner_cost"].notna()).any(),
        "inventory.assumes.order_cost": ((items["order_cost_source"] == "assumed") & items["owner_cost"].notna()).any(),
        "inventory.assumes.no_costs": not items["owner_cost"].notna().any(),
        "inventory.assumes.capped_target": items["capped"].any(),
        "inventory.assumes.maximum_stock": items["at_maximum"].any(),
        "inventory.assumes.no_open_supply": inputs.supply_source == "none" and items["on_hand"].notna().any(),
        "inventory.assumes.forgotten": bool(len(inputs.open_supply)) and inputs.open_supply["forgotten"].astype(bool).any(),
        "inventory.assumes.crossing": _orders_cross(lead_times),
        "inventory.assumes.strategy": (items["target_source"] == "strategy").any(),
        "inventory.assumes.budget": (items["target_source"] == "budget").any(),
        "inventory.assumes.budget_exceeded": (items["target_source"] == "budget_exceeded").any(),
        "inventory.assumes.simulation": True,
    }
    return tuple(key for key, shown in told.items() if bool(shown))


def _orders_cross(lead_times: pd.DataFrame) -> bool:
    """Return whether so many orders overtake earlier ones that the shortfall, not lead-time demand, is the right object."""
    known = lead_times[lead_times["crossing_share"].notna()] if len(lead_times) else lead_times
    if known.empty:
        return False
    weight = known["lines"].astype("float64")
    return float((known["crossing_share"] * weight).sum() / max(weight.sum(), 1.0)) > CROSSING_MATTERS


def _totals(levels: Levels, frames: Mapping[str, pd.DataFrame], inputs: PlanInputs) -> dict[str, float]:
    """Return the single numbers of the first screen; missing ones are left out."""
    items = levels.items
    demand = items["daily_demand"]
    known = items["on_hand"].notna()
    total = float(demand.sum())
    numbers: dict[str, Any] = {
        "items": float((items["policy"] != "none").sum()),
        "target": float((items["target"] * demand).sum() / total) if total > 0 else None,
        "promised": float((items["promised"] * demand).sum() / total) if total > 0 else None,
        "contract_items": float((items["target_source"] == "contract").sum()),
        "proposals": float(len(frames["proposals"])),
    }
    if known.any():
        exposed = float(items.loc[known, "demand_until_arrival"].sum())
        per_day = float(demand[known].sum())
        held = items["on_hand"].clip(lower=0)
        numbers |= {
            "expected": 1 - float(items["short"].sum()) / exposed if exposed > 0 else None,
            "items_under": float(frames["customers"]["items_under"].sum()),
            "short": float(items["short"].sum()),
            "stockout_value": _sum(items["stockout_value"]),
            "stock_units": float(held.sum()),
            "model_units": float(items.loc[known, "mean_stock"].sum()),
            "stock_value": _sum(held * items["owner_cost"]),
            "model_value": _sum(items["mean_stock"].where(known) * items["owner_cost"]),
            "excess_value": _sum((items["excess_on_shelf"] + items["excess_on_order"]) * items["owner_cost"]),
            "excess_units": float((items["excess_on_shelf"] + items["excess_on_order"]).sum()),
            "cover_days": float(held.sum()) / per_day if per_day > 0 else None,
            "forgotten": float(inputs.open_supply.loc[inputs.open_supply["forgotten"].astype(bool), "quantity"].sum()),
        }
    return {name: value for name, value in numbers.items() if value is not None and not pd.isna(value)}


def _sum(values: pd.Series) -> float | None:
    return float(values.sum()) if values.notna().any() else None
