"""The recommended policy on the sites' own history: levels from what was known at each origin, held against what happened."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.backtest import backtest_policy
from cmi_analysis.inventory.policy_rules import PolicyRules, make_rules
from cmi_analysis.inventory.position import KEY
from cmi_analysis.inventory.replay import fit_spread, impute_use
from cmi_analysis.inventory.stock_history import StockHistory, lay_out_history
from cmi_analysis.measures.calendar import days_per_period, offset
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.plan_inputs import gather_inputs
from cmi_analysis.stages.plan_levels import Levels, fit_levels
from cmi_analysis.tables import DataSet, Slice
from cmi_analysis.tables.slicing import slice_as_of

PATHS = 3
"""Imputed demand paths: what was not seen while the shelf was empty is drawn anew in each."""
_MOVES = ("received", "issued")
_LEAST_PERIODS = 26
# tables that a plan starts from (`gather_inputs`)
_USED = (
    *("customers", "products", "assortment", "sales", "stock"),
    *("orders", "deliveries", "in_transit", "contracts", "costs"),
)
_NAMES = {
    "actual": "was",
    "policy": "would_be",
    "policy_low": "would_be_low",
    "policy_high": "would_be_high",
    "interval_low": "change_low",
    "interval_high": "change_high",
}


def backtest_plan(
    levels: Levels, part: Slice, params: InventoryPolicyParams, *, errors: pd.DataFrame
) -> tuple[pd.DataFrame, str]:
    """Return service, stock and cost that this plan's rules would have had, against what happened; or why that cannot be said.

    At each origin of the forecast's back-test the plan is made again from the tables as they were known then and the forecast of
    that origin; its levels hold until the next origin. The first block runs but does not count. Segments of that day are not
    known, so contracts and parameters alone set the targets. Lead times are brought to whole periods at random, so that their
    mean is kept.

    Parameters
    ----------
    levels : Levels
        Today's plan: its lead times.
    part : Slice
        Needs ``stock`` with received and issued.
    params : InventoryPolicyParams
        Targets and seed.
    errors : pandas.DataFrame
        customer_id, product_id, origin_on, horizon [periods], period, actual, mean, optional q05, q95 [units].

    Returns
    -------
    tuple of (pandas.DataFrame, str)
        supply (unlimited, limited: no more than was received in fact), measure (shelf_fill, stockout_share, mean_stock, cost; the
        last two a mean of an item and period), was, would_be, would_be_low, would_be_high (over the imputed paths), difference,
        change_low, change_high (95 % of the difference), items [count]; and the key of the sentence that says why there is none,
        empty where there is.
    """
    if not all(part.tables.has("stock", name) for name in _MOVES):
        return pd.DataFrame(), "inventory.missing.backtest_moves"
    history = _history(part, levels)
    origins = _origins(history, errors) if history is not None else []
    if history is None or len(origins) < 3:
        return pd.DataFrame(), "inventory.missing.backtest_history"
    made = {place: _plan_then(part, params, errors=errors, origin=origin) for place, origin in origins}
    kept = _planned_always(history, made)
    if not kept.any():
        return pd.DataFrame(), "inventory.missing.backtest_history"
    history = history.keep(kept)
    first = origins[0][0]
    spread = fit_spread(history, first=max(first - 12, 1), last=len(history.periods), length=1)
    today = levels.items.set_index(KEY).loc[pd.MultiIndex.from_frame(history.items[KEY])]
    step = days_per_period(part.tables.settings.frequency)
    try:
        found = backtest_policy(
            history,
            policy_at=lambda origin, _: _rules(made[origin], history, step),
            origins=[place for place, _ in origins],
            demand_paths=impute_use(history, spread=spread, paths=PATHS, seed=params.seed),
            lead_time=_whole_lead_times(levels, history, step=step, seed=params.seed),
            **_costs(today, step),
            draws=400,
            seed=params.seed,
        )
    except InputError:
        return pd.DataFrame(), "inventory.missing.backtest_history"
    return found.summary.rename(columns=_NAMES).assign(echelon="site"), ""


def _planned_always(history: StockHistory, made: dict[int, Levels | None]) -> np.ndarray:
    """Return which items of the history have a policy at every origin; none where an origin could not be planned."""
    index = pd.MultiIndex.from_frame(history.items[KEY])
    kept = np.ones(len(index), dtype=bool)
    for plan in made.values():
        kept &= plan is not None and index.isin(pd.MultiIndex.from_frame(plan.items[KEY]))
    return kept


def _history(part: Slice, levels: Levels) -> StockHistory | None:
    """Return the reports of the planned items by period, without what is blocked; None where they are too short."""
    stock = part.tables["stock"]
    stock = stock.merge(levels.items[KEY], on=KEY)
    stock = stock[stock["on_hand"].notna() & stock["issued"].notna() & stock["received"].notna()]
    adjusted = stock["adjusted"].fillna(0.0) if "adjusted" in stock else 0.0
    stock = stock.assign(adjusted=adjusted, on_hand=stock["on_hand"].clip(lower=0), issued=stock["issued"].clip(lower=0))
    stock = stock.assign(received=stock["received"].clip(lower=0))
    frequency = _period_name(part)
    stock = stock.sort_values([*KEY, "date"], kind="stable")
    stock = stock.assign(at=stock["date"].dt.to_period(frequency)).drop_duplicates([*KEY, "at"], keep="last")
    if stock.empty or stock["at"].nunique() < _LEAST_PERIODS:
        return None
    return lay_out_history(stock.drop(columns="at"), frequency=frequency)


def _period_name(part: Slice) -> str:
    """Return pandas' name of the period: of a week by its last day."""
    settings = part.tables.settings
    if settings.frequency == "month":
        return "M"
    if settings.frequency == "day":
        return "D"
    days = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
    return f"W-{days[days.index(offset('week', settings.week_start).removeprefix('W-')) - 1]}"


def _origins(history: StockHistory, errors: pd.DataFrame) -> list[tuple[int, pd.Timestamp]]:
    """Return the numbers of the periods that begin after each origin of the forecast's back-test, and the origin."""
    found = []
    for origin in sorted(pd.to_datetime(errors["origin_on"].unique())):
        place = int(history.periods.get_indexer([pd.Period(origin, freq=history.periods.freq)])[0]) + 1
        if 0 < place < len(history.periods):
            found.append((place, origin))
    return found


def _plan_then(part: Slice, params: InventoryPolicyParams, *, errors: pd.DataFrame, origin: pd.Timestamp) -> Levels | None:
    """Return the plan that would have been made at an origin, from what was known at the end of its period."""
    here = errors[errors["origin_on"] == origin]
    end = (here["period"].min() - pd.Timedelta(days=1)).date()
    used = {name: frame for name, frame in part.tables.frames.items() if name in _USED}
    tables = slice_as_of(DataSet(used, part.tables.settings), end)
    then = dataclasses.replace(part, as_of=end, tables=tables, book=_book_then(part))
    known = errors[(errors["origin_on"] < origin) & (errors["period"] <= pd.Timestamp(origin))]
    inputs = gather_inputs(then, params)
    if not (inputs.items["lead_time_source"] != "missing").any():
        return None
    frequency = part.tables.settings.frequency
    return fit_levels(inputs, forecasts=here, errors=known, part=then, params=params, frequency=frequency)


def _book_then(part: Slice) -> dict[str, Any]:
    """Return the book without the customers' segments, which are those of today."""
    return {name: frame for name, frame in part.book.items() if name != "customer_scores"}


def _rules(plan: Levels | None, history: StockHistory, step: float) -> PolicyRules:
    """Return the rules of a plan for the items of the history."""
    assert plan is not None
    items = plan.items.set_index(KEY).loc[pd.MultiIndex.from_frame(history.items[KEY])]
    trigger = items["trigger"].to_numpy(dtype="float64")
    review = np.maximum(np.round(items["review_period_days"].to_numpy(dtype="float64") / step), 1)
    batch = np.maximum(items["order_quantity"].to_numpy(dtype="float64"), 1.0)
    nothing = (items["policy"] == "none").to_numpy()
    level = np.where(nothing, -1e9, trigger)
    return make_rules(level, target=level, multiple=batch, review_period=review)


def _whole_lead_times(levels: Levels, history: StockHistory, *, step: float, seed: int) -> np.ndarray:
    """Return a lead time in whole periods for each item and period, drawn from its distribution, its mean kept."""
    random = np.random.default_rng(seed)
    place = pd.MultiIndex.from_frame(levels.items[KEY]).get_indexer(pd.MultiIndex.from_frame(history.items[KEY]))
    limits = levels.chances[place].cumsum(axis=1)
    shape = history.closing.shape
    point = (random.random(shape)[:, :, None] > limits[:, None, :-1] / limits[:, None, -1:]).sum(axis=2)
    days = np.take_along_axis(levels.days[place], point, axis=1) / step
    return np.floor(days + random.random(shape)).astype("int64")


def _costs(items: pd.DataFrame, step: float) -> dict[str, np.ndarray]:
    """Return the costs of each item where all of them are known, else none."""
    unit = items["owner_cost"].to_numpy(dtype="float64")
    holding = items["holding_rate"].to_numpy(dtype="float64") * unit * step / 365
    short = (items["shortage_cost"].fillna(0.0) + items["unit_margin"].clip(lower=0)).to_numpy(dtype="float64")
    order = items["order_cost"].to_numpy(dtype="float64")
    if not all(np.isfinite(values).all() for values in (unit, holding, short, order)):
        return {}
    return {"holding_cost": holding, "shortage_cost": short, "order_cost": order, "unit_cost": unit}
