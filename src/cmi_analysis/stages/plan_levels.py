"""The plan itself: demand paths, lead-time demand, policies, orders and alerts of the items of a group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cmi_analysis.inventory.demand_path import DemandPath, fit_demand_path
from cmi_analysis.inventory.eoq import economic_order_quantity
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand, fit_lead_time_demand, spread_lead_times
from cmi_analysis.inventory.levels import fit_policies
from cmi_analysis.inventory.position import KEY, spread_supply
from cmi_analysis.inventory.projection import score_excess, score_expiring, score_shortage
from cmi_analysis.inventory.targets import HIGHEST_TARGET, classify_abc_xyz
from cmi_analysis.measures.calendar import Frequency, days_per_period
from cmi_analysis.measures.service import score_cover
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.plan_inputs import PlanInputs
from cmi_analysis.stages.plan_strategy import levels_by_rule, with_strategy
from cmi_analysis.tables import Slice

FREE_DAYS = 90
HALF_YEAR = 182
# the demand path reaches at least so far beyond the lead time, for review periods that the strategy sets [days]
LONGEST_REVIEW = 28
MOST_DAYS = 800


@dataclass(frozen=True)
class Levels:
    """Items with their policies, and the distributions behind them (rows in the order of `items`)."""

    items: pd.DataFrame
    path: DemandPath
    days: np.ndarray
    chances: np.ndarray
    protection: LeadTimeDemand
    lead: LeadTimeDemand
    supply: np.ndarray

    @property
    def review_days(self) -> np.ndarray:
        """Review period of each item [days]."""
        return self.items["review_period_days"].to_numpy(dtype="float64")


def fit_levels(
    inputs: PlanInputs,
    *,
    forecasts: pd.DataFrame,
    errors: pd.DataFrame,
    part: Slice,
    params: InventoryPolicyParams,
    frequency: Frequency,
    forecast_items: pd.DataFrame | None = None,
) -> Levels:
    """Return the policy of every item that has a lead time; the others are left out.

    Classes come first: they depend on demand and its error alone, and the strategy looks at them for target and review period.
    """
    items = inputs.items[inputs.items["lead_time_source"] != "missing"].reset_index(drop=True)
    days, chances = spread_lead_times(inputs.lead_times, items=items)
    review = items["review_period_days"].to_numpy(dtype="float64")
    horizon = round(params.horizon * days_per_period(frequency))
    longest = int(days.max() + max(review.max(), LONGEST_REVIEW)) + FREE_DAYS
    path = fit_demand_path(
        forecasts,
        errors,
        items=items,
        as_of=part.as_of,
        frequency=frequency,
        days=min(max(longest, horizon, HALF_YEAR, _longest_life(items, days)), MOST_DAYS),
    )
    supply = spread_supply(items, inputs.open_supply, as_of=part.as_of, days=path.days)
    supply = supply + (items["on_hand"] - items["backordered"]).to_numpy(dtype="float64")[:, None]
    yearly = path.mean[:, min(365, path.days)] * (365 / min(365, path.days))
    items = items.assign(
        variance_source=path.source,
        daily_demand=path.mean[:, min(horizon, path.days)] / min(horizon, path.days),
        yearly_demand=yearly,
        horizon_demand=path.mean[:, min(horizon, path.days)],
    )
    items = items.assign(economic_order_quantity=_order_quantities(items))
    protection, lead = fit_lead_time_demand(path, days=days, chances=chances, review_days=review)
    items = with_strategy(_with_classes(items, protection), part=part, forecast_items=forecast_items)
    changed = items["review_period_days"].to_numpy(dtype="float64")
    if not np.array_equal(changed, review):
        protection, lead = fit_lead_time_demand(path, days=days, chances=chances, review_days=changed)
        items = items.assign(error_cv=_error_cv(protection))
    levels = Levels(items, path, days, chances, protection, lead, supply)
    target = items["target"].to_numpy(dtype="float64")
    by_rule = levels_by_rule(items, protection=protection, lead=lead)
    fitted = fit_policies(items, target=target, protection=protection, lead=lead, by_rule=by_rule)
    return replace(levels, items=pd.concat([items, fitted], axis=1))


def _longest_life(items: pd.DataFrame, days: np.ndarray) -> int:
    """Return how far the demand must be known to say whether what is ordered now is used within its shelf life [days]."""
    life = items["shelf_life_days"].to_numpy(dtype="float64")
    last = np.where(life > 0, life, 0.0) + days.max(axis=1) + 7
    return int(last[last <= MOST_DAYS].max(initial=0))


def _with_classes(items: pd.DataFrame, protection: LeadTimeDemand) -> pd.DataFrame:
    """Return the items with yearly value, variation of the error and ABC-XYZ class."""
    value = items["yearly_demand"] * items["owner_cost"].fillna(items["unit_price"])
    items = items.assign(error_cv=_error_cv(protection), yearly_value=value)
    by = "yearly_value" if value.notna().any() else "yearly_demand"
    return pd.concat([items, classify_abc_xyz(items, value=by, cv="error_cv")], axis=1)


def _error_cv(protection: LeadTimeDemand) -> np.ndarray:
    mean = protection.mean()
    return np.where(mean > 0, protection.sd() / np.where(mean > 0, mean, 1.0), np.nan)


def _order_quantities(items: pd.DataFrame) -> np.ndarray:
    """Return each item's economic order quantity; missing where the order or the holding cost is not known or is zero."""
    holding = (items["holding_rate"] * items["owner_cost"]).to_numpy(dtype="float64")
    cost = items["order_cost"].to_numpy(dtype="float64")
    known = (holding > 0) & (cost >= 0)
    quantity = economic_order_quantity(
        np.where(known, items["yearly_demand"], 0.0),
        order_cost=np.where(known, cost, 0.0),
        holding_cost=np.where(known, holding, 1.0),
    )
    return np.where(known, quantity, np.nan)


def with_positions(levels: Levels, *, part: Slice) -> Levels:
    """Return the levels with classes, expected service, cover, excess, expiry and use of each item."""
    items, path, tables = levels.items, levels.path, part.tables
    until = np.maximum(np.ceil(items["lead_time_days"].to_numpy(dtype="float64")), 1.0)
    short = score_shortage(path, supply=levels.supply, until=until)
    protection_days = np.round(items["lead_time_days"].to_numpy(dtype="float64") + levels.review_days)
    excess = score_excess(
        on_hand=items["on_hand"].to_numpy(dtype="float64"),
        backordered=items["backordered"].to_numpy(dtype="float64"),
        position=items["position"].to_numpy(dtype="float64"),
        level=items["order_up_to_level"].to_numpy(dtype="float64"),
        expected_use=path.mean_at(protection_days + FREE_DAYS),
    )
    known = items["on_hand"].notna()
    margin = (items["unit_margin"].clip(lower=0) + items["shortage_cost"].fillna(0.0)).astype("float64")
    items = pd.concat([items, excess], axis=1).assign(
        short=short["short"].where(known),
        shortage_chance=short["chance"].where(known),
        first_short_day=short["first_day"].where(known),
        demand_until_arrival=short["demand"],
        expected=(1 - short["short"] / short["demand"].where(short["demand"] > 0)).fillna(1.0).where(known),
        stockout_value=short["short"].where(known) * margin,
        cover_days=score_cover(items["on_hand"].to_numpy(dtype="float64"), cumulative_demand=path.mean),
        missing_units=(items["lowest"] - items["position"]).clip(lower=0),
        forecast_half_year=path.mean[:, min(HALF_YEAR, path.days)],
        used_half_year=_used(items, tables.get("sales"), part=part),
        expiring=_expiring(items, part=part, path=path),
    )
    return replace(levels, items=items)


def _used(items: pd.DataFrame, sales: pd.DataFrame | None, *, part: Slice) -> np.ndarray:
    if sales is None or sales.empty:
        return np.zeros(len(items))
    recent = sales[sales["date"] > pd.Timestamp(part.as_of) - pd.Timedelta(days=HALF_YEAR)]
    used = recent.groupby(KEY, sort=True)["quantity"].sum()
    return used.reindex(pd.MultiIndex.from_frame(items[KEY])).fillna(0.0).to_numpy(dtype="float64")


def _expiring(items: pd.DataFrame, *, part: Slice, path: DemandPath) -> np.ndarray:
    if not part.tables.has("lots", "expires_on"):
        return np.zeros(len(items))
    return score_expiring(part.tables["lots"], items=items, path=path, as_of=pd.Timestamp(part.as_of))


_TERMS = ("minimum_order_quantity", "order_multiple", "maximum_stock")


def score_sensitivity(levels: Levels) -> pd.DataFrame:
    """Return what the model stock and the promise become with other targets and other lead times.

    Returns
    -------
    pandas.DataFrame
        change (key of a text), stock_units, stock_value, promised; the first row is the plan.
    """
    target = levels.items["target"].to_numpy(dtype="float64")
    rows = [_sensitivity_row("plan", levels, target=target, stretch=1.0)]
    for change, shift in (("target_less", -0.02), ("target_more", 0.02)):
        rows.append(_sensitivity_row(change, levels, target=np.clip(target + shift, 0.0, HIGHEST_TARGET), stretch=1.0))
    for change, stretch in (("lead_less", 0.75), ("lead_more", 1.25)):
        rows.append(_sensitivity_row(change, levels, target=target, stretch=stretch))
    return pd.DataFrame(rows)


def _sensitivity_row(change: str, levels: Levels, *, target: np.ndarray, stretch: float) -> dict[str, object]:
    items, protection, lead = levels.items, levels.protection, levels.lead
    if stretch != 1.0:
        days = np.round(levels.days * stretch)
        protection, lead = fit_lead_time_demand(levels.path, days=days, chances=levels.chances, review_days=levels.review_days)
    terms = items[[*_TERMS, "measure", "economic_order_quantity", "horizon_demand"]]
    fitted = fit_policies(terms, target=target, protection=protection, lead=lead)
    return {"change": change, **pool_stock(items, fitted)}


def pool_stock(items: pd.DataFrame, fitted: pd.DataFrame) -> dict[str, float]:
    """Return stock_units, stock_value and the demand-weighted promise of a set of policies."""
    demand = items["daily_demand"].to_numpy(dtype="float64")
    total = float(demand.sum())
    cost = items["owner_cost"]
    value = float((fitted["mean_stock"] * cost).sum()) if cost.notna().any() else np.nan
    promised = float((fitted["promised"].to_numpy() * demand).sum() / total) if total > 0 else np.nan
    return {"stock_units": float(fitted["mean_stock"].sum()), "stock_value": value, "promised": promised}
