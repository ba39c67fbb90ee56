"""Orders that can be placed: need, terms, shelf life, what all orders together may cost, and whether to order now at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.order_choice import compare_choices
from cmi_analysis.inventory.order_limits import JointLimits, limit_by_shelf_life, limit_jointly
from cmi_analysis.inventory.orders import next_order_day, propose_quantity
from cmi_analysis.inventory.position import KEY
from cmi_analysis.measures.service import score_cover
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.plan_levels import Levels
from cmi_analysis.tables import Slice

_TERMS = {"minimum": "minimum_order_quantity", "multiple": "order_multiple", "maximum": "maximum_stock"}
# an order that the terms make this many times the need is compared with waiting and with not ordering
_LARGE = 2.0
HELD = ("ending", "maximum", "shelf_life", "budget", "storage", "no_benefit", "wait", "never")
"""Why an order that is needed is held back."""


def propose_orders(
    levels: Levels, *, part: Slice, params: InventoryPolicyParams | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return one proposed order per item that needs one, the orders held back and why, and the status of the shared limits.

    Need = trigger − position at the order day (today's position less the expected demand until then), in batches where the item
    is ordered in batches; then minimum, multiple, maximum, shelf life; an order at least twice the need is compared with waiting
    for a later review and with not ordering; last what all orders together may cost and take up.

    Parameters
    ----------
    levels : Levels
        Items with policies and positions.
    part : Slice
        The group's tables.
    params : InventoryPolicyParams, optional
        order_budget, storage_volume.

    Returns
    -------
    tuple of (pandas.DataFrame, pandas.DataFrame, str)
        Proposals; orders held back (customer_id, product_id, names, need, quantity held back [units], why (`HELD`), held_value
        [money at the owner's cost], wait_days [days], choice_saving [money]); and ``none``, ``not_binding``, ``optimal`` or
        ``time_limit``.
    """
    rows, wanted, ending = _real_orders(levels, part)
    choice = _choose(rows, levels, wanted=wanted & ~ending & (rows["quantity"] > 0).to_numpy())
    rows = pd.concat([rows, choice], axis=1)
    now = wanted & ~ending & (rows["quantity"] > 0).to_numpy() & rows["choice"].isin(["now", "unknown_costs"]).to_numpy()
    rows, limits, status = _within_limits(rows, levels, now=now, params=params)
    held = _held(rows, wanted=wanted, ending=ending, limits=limits)
    chosen = rows[now & (rows["quantity"] > 0).to_numpy()]
    chosen = _with_effects(chosen, levels)
    return chosen.sort_values(KEY, kind="stable").reset_index(drop=True), held, status


def _real_orders(levels: Levels, part: Slice) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return all items with what their own terms make of the need, which are wanted, and which end before the order arrives."""
    items, path = levels.items, levels.path
    order_on = next_order_day(pd.Timestamp(part.as_of), items["order_weekdays"])
    wait = (order_on - pd.Timestamp(part.as_of)).dt.days.to_numpy() - 1
    position = items["position"].to_numpy(dtype="float64") - path.mean_at(wait)
    need = items["trigger"].to_numpy(dtype="float64") - position
    batched = (items["policy"] == "reorder_point").to_numpy()
    batch = items["order_quantity"].to_numpy(dtype="float64")
    in_batches = np.where(batched & (need > 0), np.ceil(need / np.maximum(batch, 1.0) - 1e-9) * batch, need)
    terms = {name: items[column].to_numpy(dtype="float64") for name, column in _TERMS.items()}
    fresh = _fresh(items, path, position=position, wait=wait)
    quantity, bound = propose_quantity(in_batches, position=position, shelf_life=fresh, **terms)
    arrives = order_on + pd.to_timedelta(np.ceil(items["lead_time_days"]), unit="D")
    wanted = (need > 0) & (items["policy"] != "none").to_numpy()
    ending = wanted & (items["ends_on"] <= arrives).to_numpy()
    reason = np.where(items["on_hand"] <= 0, "stocked_out", np.where(position < items["lowest"], "below_lowest", "below_trigger"))
    rows = items.assign(
        order_on=order_on,
        arrives_on=arrives,
        least_need=np.ceil(np.maximum(np.nan_to_num(need), 0.0) - 1e-9),
        need=np.ceil(np.maximum(np.nan_to_num(in_batches), 0.0) - 1e-9),
        position_then=position,
        quantity=quantity,
        asked=quantity,
        bound_by=bound,
        reason=reason,
    )
    return rows, wanted, ending


def _fresh(items: pd.DataFrame, path: DemandPath, *, position: np.ndarray, wait: np.ndarray) -> np.ndarray:
    """Return the largest order that is used within its shelf life; missing where none is told or the forecast is too short."""
    life = items["shelf_life_days"].to_numpy(dtype="float64")
    last = np.maximum(wait, 0) + np.ceil(items["lead_time_days"].to_numpy(dtype="float64")) + life
    told = (life > 0) & (last <= path.days) & ~np.isnan(position)
    most = np.full(len(items), np.nan)
    rows = np.flatnonzero(told)
    if len(rows):
        day = last[rows].astype("int64")
        mean, variance = path.mean[rows, day], path.variance[rows, day]
        most[rows] = limit_by_shelf_life(position[rows], mean=mean, variance=variance)
    return most


def _choose(rows: pd.DataFrame, levels: Levels, *, wanted: np.ndarray) -> pd.DataFrame:
    """Return for orders far above the need whether to place them now, wait, or not order; all others are placed."""
    # a batch of the economic quantity is larger than the need for a good reason
    usual = np.fmax(rows["least_need"].clip(lower=1.0).to_numpy(), rows["economic_order_quantity"].to_numpy(dtype="float64"))
    large = wanted & (rows["quantity"].to_numpy(dtype="float64") >= _LARGE * usual)
    choice = pd.DataFrame({"choice": "now", "wait_days": 0.0, "choice_saving": 0.0}, index=rows.index)
    place = np.flatnonzero(large)
    if len(place) == 0:
        return choice
    some = rows.iloc[place]
    orders = some.assign(
        position=some["position_then"],
        holding_cost=some["holding_rate"] * some["owner_cost"],
        shortage_cost=some["shortage_cost"].fillna(0.0) + some["unit_margin"].clip(lower=0),
    )
    found = compare_choices(orders, path=levels.path.of_rows(place))
    choice.iloc[place, 0] = found["choice"].to_numpy()
    choice.iloc[place, 1] = found["wait_days"].to_numpy()
    choice.iloc[place, 2] = found["saving"].to_numpy()
    return choice


def _within_limits(
    rows: pd.DataFrame, levels: Levels, *, now: np.ndarray, params: InventoryPolicyParams | None
) -> tuple[pd.DataFrame, JointLimits | None, str]:
    """Return the rows with the quantities that a shared budget and storage let through."""
    budget = None if params is None else params.order_budget
    storage = None if params is None else params.storage_volume
    priced, sized = rows["owner_cost"].notna().to_numpy(), rows["volume"].notna().to_numpy()
    counted = now & (priced if budget is not None else True) & (sized if storage is not None else True)
    if (budget is None and storage is None) or not counted.any():
        return rows, None, "none"
    place = np.flatnonzero(counted)
    some = rows.iloc[place]
    worth = (some["shortage_cost"].fillna(0.0) + some["unit_margin"].clip(lower=0)).fillna(1.0)
    orders = some.assign(
        position=some["position_then"],
        minimum=some["minimum_order_quantity"],
        multiple=some["order_multiple"],
        value=worth,
        unit_cost=some["owner_cost"].fillna(0.0),
        unit_volume=some["volume"].fillna(0.0),
    )[["quantity", "position", "minimum", "multiple", "value", "unit_cost", "unit_volume"]]
    limits = limit_jointly(orders, protection=levels.protection.of_rows(place), budget=budget, storage=storage)
    quantity, bound = rows["quantity"].to_numpy(dtype="float64").copy(), rows["bound_by"].to_numpy(dtype=object).copy()
    quantity[place] = limits.orders["quantity"].to_numpy()
    cut = limits.orders["cut"].to_numpy() > 1e-9
    bound[place[cut]] = limits.orders["bound_by"].to_numpy()[cut]
    return rows.assign(quantity=quantity, bound_by=bound), limits, limits.status


def _held(rows: pd.DataFrame, *, wanted: np.ndarray, ending: np.ndarray, limits: JointLimits | None) -> pd.DataFrame:
    """Return what is needed and not proposed, or proposed in part, and why."""
    asked, quantity = rows["asked"].to_numpy(), rows["quantity"].to_numpy()
    why = np.select(
        [
            wanted & ending,
            wanted & (asked <= 0),
            wanted & (rows["choice"].isin(["wait", "never"])).to_numpy(),
            wanted & (quantity < asked - 1e-9),
        ],
        ["ending", rows["bound_by"], rows["choice"], rows["bound_by"].replace("budget_and_storage", "budget")],
        "",
    )
    away = np.where(why == "", 0.0, np.where(np.isin(why, ["ending", "wait", "never"]), rows["asked"], asked - quantity))
    away = np.where((why != "") & (asked <= 0), rows["need"], away)
    table = rows.assign(why=why, quantity=away, held_value=away * rows["owner_cost"])
    shown = table[(why != "") & (away > 0)]
    return shown.sort_values(["why", *KEY], kind="stable").reset_index(drop=True)


def _with_effects(rows: pd.DataFrame, levels: Levels) -> pd.DataFrame:
    """Return the proposals with what they save, cost and how long they last."""
    quantity = rows["quantity"].to_numpy(dtype="float64")
    place = rows.index.to_numpy()
    protection, lead = levels.protection.of_rows(place), levels.lead.of_rows(place)
    position = rows["position"].to_numpy(dtype="float64")
    without = protection.shortage(position) - lead.shortage(position)
    with_it = protection.shortage(position + quantity) - lead.shortage(position + quantity)
    effect = np.where(np.isnan(position), 0.0, np.maximum(without - with_it, 0.0))
    then = rows["position_then"].to_numpy(dtype="float64") + quantity
    return rows.assign(
        saved_units=effect,
        effect=effect * rows["unit_margin"].clip(lower=0),
        order_value=quantity * rows["owner_cost"],
        cover_days=score_cover(then, cumulative_demand=levels.path.mean[place]),
    )
