"""The steps of `propose_orders`: demand, levels, quantities, limits, money and notes of each item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.cost_levels import fit_cost_policies
from cmi_analysis.inventory.demand_path import KEY, DemandPath, fit_demand_path
from cmi_analysis.inventory.eoq import economic_order_quantity
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand, fit_lead_time_demand, spread_lead_times
from cmi_analysis.inventory.levels import fit_policies
from cmi_analysis.inventory.lost_sales_promise import lower_to_lost_sales
from cmi_analysis.inventory.order_choice import compare_choices
from cmi_analysis.inventory.order_limits import limit_by_shelf_life, limit_jointly
from cmi_analysis.inventory.orders import next_order_day, propose_quantity
from cmi_analysis.measures.calendar import days_per_period

Numbers = Mapping[str, "np.ndarray | None"]
_NO_ERRORS = (*KEY, "origin_on", "horizon", "actual", "mean")
_OUTLIER = 100.0
_CHOICE_DAYS = 1095
_SHOWN = (
    *("policy", "reorder_point", "order_quantity", "order_up_to_level", "safety_stock", "promised", "cycle_service"),
    *("mean_demand", "mean_stock"),
)


@dataclass(frozen=True)
class Plan:
    """What proposals are made from, rows of every array in the order of `rows`.

    Attributes
    ----------
    rows : pandas.DataFrame
        customer_id, product_id, on_hand, on_order, backordered, position, and what `position` had more.
    numbers : mapping of str to numpy.ndarray or None
        Terms, costs and aims of each item.
    path, protection, lead : DemandPath, LeadTimeDemand
        Demand by day, over L + R and over L.
    days, chances : numpy.ndarray
        Lead times and their chances.
    known : numpy.ndarray of bool
        Items with a forecast.
    horizon : int
        Days that the forecasts cover.
    """

    rows: pd.DataFrame
    numbers: Numbers
    path: DemandPath
    protection: LeadTimeDemand
    lead: LeadTimeDemand
    days: np.ndarray
    chances: np.ndarray
    known: np.ndarray
    horizon: int

    def number(self, name: str, default: float = np.nan) -> np.ndarray:
        """Return a term or cost of each item, the default where it was not given."""
        values = self.numbers.get(name)
        return np.full(len(self.rows), default) if values is None else np.where(np.isnan(values), default, values)

    @property
    def lead_days(self) -> np.ndarray:
        """Return the mean lead time of each item [days]."""
        return (self.days * self.chances).sum(axis=1) / self.chances.sum(axis=1)


def fit_demand(
    rows: pd.DataFrame,
    forecasts: pd.DataFrame,
    errors: pd.DataFrame | None,
    *,
    numbers: Numbers,
    lead_times: pd.DataFrame,
    as_of: dt.date,
    frequency: Any,
) -> Plan:
    """Return the demand of each item by day, over L + R and over L; a period without forecast takes the item's mean."""
    days, chances = spread_lead_times(lead_times, items=rows)
    review = numbers["review_period"]
    assert review is not None
    complete, known = _complete(forecasts, rows)
    horizon = round(complete["period"].nunique() * days_per_period(frequency))
    life = numbers.get("shelf_life_days")
    longest = [days.max() + review.max() + 30, horizon]
    longest += [days.max() + np.nanmax(life)] if life is not None and np.isfinite(life).any() else []
    longest += [_CHOICE_DAYS] if numbers.get("holding_cost") is not None else []
    used = clean_errors(errors) if errors is not None else pd.DataFrame({name: [] for name in _NO_ERRORS})
    path = fit_demand_path(complete, used, items=rows, as_of=as_of, frequency=frequency, days=int(max(longest)) + 1)
    protection, lead = fit_lead_time_demand(path, days=days, chances=chances, review_days=review)
    return Plan(rows, numbers, path, protection, lead, days, chances, known, horizon)


def _complete(forecasts: pd.DataFrame, rows: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return every item with every period, and which items have a forecast at all."""
    every = rows[KEY].merge(forecasts[["period"]].drop_duplicates(), how="cross")
    complete = every.merge(forecasts, on=[*KEY, "period"], how="left")
    for name in ("mean", "q05", "q95"):
        if name in complete:
            own = complete.groupby(KEY, sort=False)[name].transform("mean")
            complete[name] = complete[name].astype("float64").fillna(own)
    known = complete.groupby(KEY, sort=False)["mean"].first().notna().to_numpy()
    complete["mean"] = complete["mean"].fillna(0.0)
    return complete, known


def clean_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the errors whose actual demand is known and no outlier; ids as text.

    An outlier is more than 100 times the median of the item's positive demands, where that holds of at most a fifth of them.
    """
    missing = [name for name in _NO_ERRORS if name not in errors.columns]
    if missing:
        raise InputError(
            expected=f"the columns {', '.join(_NO_ERRORS)} in errors", found=f"no {', '.join(missing)}", fix="Rename them."
        )
    texts = {name: errors[name].astype("object").astype(str) for name in KEY}
    known = errors.assign(**texts)[(errors["actual"].notna() & errors["mean"].notna()).to_numpy()]
    return known[~_far(known, "actual")]


def _far(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return which rows are more than 100 times the median of the item's positive values, where at most a fifth of them are."""
    values = frame[name].astype("float64").where(frame[name] > 0)
    keys = [frame[key] for key in KEY]
    far = values > _OUTLIER * values.groupby(keys).transform("median")
    share = far.groupby(keys).transform("sum") / values.groupby(keys).transform("count").clip(lower=1)
    return (far & (share <= 0.2)).to_numpy()


def fit_levels(plan: Plan, *, aim: str, lost_sales: bool, seed: int) -> tuple[pd.DataFrame, str]:
    """Return each item's policy for the aim, and whether formula or simulation promises its fill."""
    review, target = plan.number("review_period"), plan.number(aim)
    terms = pd.DataFrame(
        {
            "measure": aim,
            "economic_order_quantity": _economic_quantity(plan),
            "minimum_order_quantity": plan.number("minimum"),
            "order_multiple": plan.number("multiple"),
            "maximum_stock": plan.number("maximum"),
            "horizon_demand": plan.path.mean[:, min(plan.horizon, plan.path.days)],
        }
    )
    over = {"protection": plan.protection, "lead": plan.lead}
    if aim == "shortage_cost":
        held = plan.number("holding_cost")
        fitted = fit_cost_policies(terms, holding_cost=held, shortage_cost=target, review_days=review, **over)
    else:
        fitted = fit_policies(terms, target=target, **over)
    fitted["economic"] = np.nan_to_num(terms["economic_order_quantity"]) > np.nan_to_num(terms["minimum_order_quantity"])
    if not lost_sales:
        return fitted, "formula"
    whole = np.maximum(np.round(plan.lead_days + review), 1.0)
    lowered = lower_to_lost_sales(
        fitted,
        target=target if aim == "shelf_fill" else None,
        lead_mean=plan.lead.mean(),
        daily_mean=plan.path.mean_at(whole) / whole,
        daily_variance=plan.path.variance_at(whole) / whole,
        days=plan.days,
        chances=plan.chances,
        review_days=review,
        seed=seed,
    )
    return lowered, "simulation"


def _economic_quantity(plan: Plan) -> np.ndarray:
    holding, order = plan.number("holding_cost"), plan.number("order_cost", 0.0)
    known = (holding > 0) & (order > 0)
    yearly = plan.path.mean[:, min(365, plan.path.days)] * 365 / min(365, plan.path.days)
    quantity = economic_order_quantity(
        np.where(known, yearly, 0.0), order_cost=np.where(known, order, 0.0), holding_cost=np.where(known, holding, 1.0)
    )
    return np.where(known, quantity, np.nan)


def propose(plan: Plan, policies: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Return one row an item: what is needed, what the agreement and the shelf life make of it, and why."""
    rows = plan.rows
    weekdays = rows["order_weekdays"] if "order_weekdays" in rows else pd.Series(None, index=rows.index, dtype="object")
    order_on = next_order_day(pd.Timestamp(as_of), weekdays)
    wait = (order_on - pd.Timestamp(as_of)).dt.days.to_numpy() - 1
    position = rows["position"].to_numpy(dtype="float64") - plan.path.mean_at(wait)
    idle = (policies["policy"] == "none").to_numpy() | ~plan.known
    blocked, by_what = find_blocked(plan)
    blocked &= ~idle
    raw, quantity, bound = _quantities(plan, policies, position=position, idle=idle)
    bound, quantity = np.where(blocked, by_what, bound), np.where(blocked, 0.0, quantity) + 0.0
    status = np.select(
        [~plan.known, idle, blocked, raw <= 0, quantity <= 0],
        ["no_forecast", "no_demand", "not_possible", "no_order", "not_possible"],
        "order",
    )
    empty = (rows["on_hand"] - rows["backordered"] <= 0).to_numpy()
    reason = np.select([raw <= 0, empty, position < policies["lowest"]], ["", "stocked_out", "below_lowest"], "below_trigger")
    return pd.DataFrame(
        {
            **{name: rows[name] for name in KEY},
            "status": status.astype(object),
            "order_on": order_on,
            "arrives_on": order_on + pd.to_timedelta(np.ceil(plan.lead_days - 1e-9), unit="D"),
            "quantity": quantity,
            "need": raw,
            "reason": reason.astype(object),
            "bound_by": bound.astype(object),
            **{name: rows[name].astype("float64") for name in ("on_hand", "on_order")},
            "position": position + 0.0,
            **{name: policies[name].to_numpy() for name in _SHOWN},
            **{name: np.where(blocked, 0.0, policies[name]) for name in ("promised", "cycle_service")},
            "chance_short": np.where(idle, 0.0, plan.lead.chance_above(position)),
        }
    )


def _quantities(
    plan: Plan, policies: pd.DataFrame, *, position: np.ndarray, idle: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what each item lacks, what can be ordered for it, and the rule that set that."""
    raw = np.where(idle, 0.0, np.ceil(np.maximum(policies["trigger"].to_numpy() - position, 0.0) - 1e-9))
    batched = (policies["policy"] == "reorder_point").to_numpy()
    batch = np.maximum(policies["order_quantity"].to_numpy(dtype="float64"), 1.0)
    need = np.where(batched, np.ceil(raw / batch - 1e-9) * batch, raw)
    terms = {name: plan.number(name) for name in ("minimum", "multiple", "maximum")}
    quantity, bound = propose_quantity(need, position=position, shelf_life=_shelf_life(plan, position), **terms)
    by_batch = batched & (bound == "need") & (quantity > raw)
    bound = np.where(by_batch, np.where(policies["economic"], "economic_quantity", "minimum"), bound)
    bound = np.where((bound == "need") & policies["at_maximum"].to_numpy(dtype=bool), "maximum", bound)
    return raw, quantity, bound


def find_blocked(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Return the items of which even the least order can never be placed, and whether maximum or shelf life is in the way."""
    multiple = plan.number("multiple", 0.0)
    pack = np.where(multiple > 0, multiple, 1.0)
    least = np.ceil(np.maximum(plan.number("minimum", 0.0), 1.0) / pack - 1e-9) * pack
    life = _shelf_life(plan, np.zeros(len(least)))
    too_old = np.zeros(len(least), dtype=bool) if life is None else least > np.where(np.isnan(life), np.inf, life)
    too_much = least > np.where(np.isnan(plan.number("maximum")), np.inf, plan.number("maximum"))
    return too_old | too_much, np.where(too_much, "maximum", "shelf_life")


def _shelf_life(plan: Plan, position: np.ndarray) -> np.ndarray | None:
    if plan.numbers.get("shelf_life_days") is None:
        return None
    life = plan.number("shelf_life_days")
    until = np.round(plan.lead_days + np.nan_to_num(life))
    mean, variance = plan.path.mean_at(until), plan.path.variance_at(until)
    return np.where(np.isnan(life), np.nan, limit_by_shelf_life(position, mean=mean, variance=variance))


def limit(table: pd.DataFrame, plan: Plan, *, budget: float | None, storage: float | None) -> pd.DataFrame:
    """Return the proposals cut to the budget and the storage that all share, with the money of what was cut."""
    if budget is None and storage is None:
        return table
    orders = pd.DataFrame(
        {
            "quantity": table["quantity"],
            "position": table["position"],
            "minimum": plan.number("minimum"),
            "multiple": plan.number("multiple"),
            "value": value_of_unit(plan, default=1.0),
            "unit_cost": plan.number("unit_cost"),
            "unit_volume": plan.number("unit_volume"),
        }
    )
    found = limit_jointly(orders, protection=plan.protection, budget=budget, storage=storage).orders
    cut = (found["cut"] > 1e-9).to_numpy()
    status = table["status"].mask(cut & (found["quantity"] <= 0), "cut")
    bound = table["bound_by"].mask(cut, found["bound_by"])
    limited = table.assign(quantity=found["quantity"], status=status, bound_by=bound)
    return limited.assign(cut_money=found["cut_money"]) if plan.numbers.get("unit_cost") is not None else limited


def value_of_unit(plan: Plan, *, default: float) -> np.ndarray:
    """Return what a unit short costs: its margin, else its shortage cost, else the default [money/unit]."""
    return np.where(np.isnan(plan.number("unit_margin")), plan.number("shortage_cost", default), plan.number("unit_margin"))


def add_money(table: pd.DataFrame, plan: Plan, *, acts: bool) -> pd.DataFrame:
    """Return the proposals with what they save and cost; with `acts` an order not worth its minimum is put off or left."""
    valued = any(plan.numbers.get(name) is not None for name in ("unit_margin", "shortage_cost"))
    table = table.copy()
    if valued and plan.numbers.get("holding_cost") is not None:
        table = _with_choice(table, plan, acts=acts)
    position, quantity = table["position"].to_numpy(), table["quantity"].to_numpy()
    with_it = plan.protection.shortage(position + quantity) - plan.lead.shortage(position + quantity)
    without = plan.protection.shortage(position) - plan.lead.shortage(position)
    table["saved_units"] = np.where(quantity > 0, np.maximum(without - with_it, 0.0), 0.0)
    covered = plan.path.mean >= np.maximum(position + quantity, 0.0)[:, None] - 1e-9
    table["cover_days"] = np.where(covered.any(axis=1), covered.argmax(axis=1), plan.path.days).astype("float64")
    if valued:
        table["money_at_stake"] = table["saved_units"] * value_of_unit(plan, default=0.0)
    if plan.numbers.get("unit_cost") is not None:
        table["order_value"] = table["quantity"] * plan.number("unit_cost", 0.0)
    return table


def _with_choice(table: pd.DataFrame, plan: Plan, *, acts: bool) -> pd.DataFrame:
    """Return the proposals with the cheapest of ordering now, waiting and never, where minimum or pack raise the order."""
    orders = pd.DataFrame(
        {
            **{name: table[name] for name in ("quantity", "position")},
            "lead_time_days": plan.lead_days,
            "review_period_days": plan.number("review_period"),
            "holding_cost": plan.number("holding_cost"),
            "shortage_cost": value_of_unit(plan, default=0.0),
            "order_cost": plan.number("order_cost", 0.0),
            "unit_cost": plan.number("unit_cost", 0.0),
            "shelf_life_days": plan.number("shelf_life_days"),
        }
    )
    found = compare_choices(orders, path=plan.path)
    raised = table["bound_by"].isin(["minimum", "multiple"]) & (table["quantity"] > table["need"]) & (table["status"] == "order")
    table = table.assign(
        choice=found["choice"].where(raised, np.where(table["quantity"] > 0, "now", "")).astype(object),
        choice_saving=found["saving"].where(raised, 0.0),
    )
    left = raised & table["choice"].isin(["wait", "never"]) & acts
    status = (
        table["status"].mask(left & (table["choice"] == "wait"), "wait").mask(left & (table["choice"] == "never"), "not_worth_it")
    )
    return table.assign(status=status, quantity=table["quantity"].mask(left, 0.0))


def find_notes(plan: Plan, forecasts: pd.DataFrame, errors: pd.DataFrame | None, policies: pd.DataFrame) -> list[str]:
    """Return what a reader should know of each item's input, keys joined by a comma."""
    index = pd.MultiIndex.from_frame(plan.rows[KEY])

    def items_of(frame: pd.DataFrame) -> np.ndarray:
        return index.isin(pd.MultiIndex.from_frame(frame[KEY])) if len(frame) else np.zeros(len(index), dtype=bool)

    outlier = items_of(forecasts[_far(forecasts, "mean")])
    one, partial = np.zeros((2, len(index)), dtype=bool)
    if errors is not None and len(errors):
        texts = {name: errors[name].astype("object").astype(str) for name in KEY}
        known = errors.assign(**texts)[errors["actual"].notna().to_numpy()]
        outlier |= items_of(known[_far(known, "actual")])
        demands = known[known["actual"] > 0].groupby(KEY).size()
        one = items_of(demands[demands == 1].reset_index())
    counts = forecasts[forecasts["mean"].notna()].groupby(KEY).size().reindex(index).fillna(0).to_numpy()
    partial = (counts > 0) & (counts < forecasts["period"].nunique())
    told = {
        "zero_lead_time": plan.lead_days <= 0,
        "one_demand": one,
        "outlier": outlier,
        "partial_forecast": partial,
        "at_maximum": policies["at_maximum"].to_numpy(dtype=bool),
    }
    return [",".join(name for name, shown in told.items() if shown[row]) for row in range(len(index))]
