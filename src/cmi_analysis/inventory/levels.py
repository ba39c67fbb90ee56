"""From lead-time demand, targets and order terms to the policy of each item and what it promises."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.policy import fit_level, fit_reorder_point, mean_stock, shelf_fill_at


def fit_policies(
    terms: pd.DataFrame,
    *,
    target: np.ndarray,
    protection: LeadTimeDemand,
    lead: LeadTimeDemand,
    by_rule: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return each item's policy, levels and what they promise under periodic review with backorders.

    An item whose economic order quantity (or agreed minimum) is above the demand of a review period is ordered in batches at a
    reorder point; every other item is ordered up to a level at each review, in whole packs; an item without forecast demand is
    not ordered. Where the agreement caps the stock, the levels are lowered to the cap and the promise is what is left.

    Parameters
    ----------
    terms : pandas.DataFrame
        measure (``shelf_fill`` or ``cycle_service``), economic_order_quantity, minimum_order_quantity, order_multiple,
        maximum_stock, horizon_demand [units]; missing terms do not bind. No batch is larger than the horizon's demand.
    target : numpy.ndarray
        Service target of each item [fraction].
    protection, lead : LeadTimeDemand
        Demand over L + R and over L, on one grid.
    by_rule : numpy.ndarray, optional
        Reorder point that a rule sets instead of the target (order-up-to level less 1 without batches) [units]; missing where the
        target counts.

    Returns
    -------
    pandas.DataFrame
        Rows as `terms`: policy (``order_up_to``, ``reorder_point``, ``none``), reorder_point, order_quantity (batch or pack),
        order_up_to_level (S, or r + Q), safety_stock (trigger level less mean demand over L + R; below zero where batches alone
        keep the target), trigger (order when the position is below), lowest (position below which stock is missing), mean_stock,
        mean_demand [units over L + R], promised [fraction], cycle_service [fraction], at_maximum (bool).
    """
    demand = protection.mean() - lead.mean()
    batch, batched = _batches(terms, demand)
    active = demand > 1e-9
    reorder = fit_reorder_point(target, batch=batch, protection=protection, lead=lead)
    by_cycle = (terms["measure"] == "cycle_service").to_numpy() & active
    if by_cycle.any():
        level = fit_level(np.where(by_cycle, target, 0.5), protection=protection, lead=lead, measure="cycle_service")
        reorder = np.where(by_cycle, level - 1, reorder)
    if by_rule is not None:
        reorder = np.where(np.isnan(by_rule), reorder, by_rule)
    cap = terms["maximum_stock"].to_numpy(dtype="float64")
    room = np.maximum(cap - np.where(batched, batch, 1.0), -1.0)
    capped = active & (reorder > room)
    reorder = np.where(capped, room, reorder)
    reorder = np.where(active, reorder, -1.0)
    top = np.where(batched, reorder + batch, reorder + 1)
    promised = shelf_fill_at(reorder, protection=protection, lead=lead, batch=batch)
    return pd.DataFrame(
        {
            "policy": np.where(~active, "none", np.where(batched, "reorder_point", "order_up_to")),
            "reorder_point": reorder,
            "order_quantity": np.where(active, batch, 0.0),
            "order_up_to_level": np.where(active, top, 0.0),
            "safety_stock": np.where(active, reorder + 1 - protection.mean(), 0.0),
            "trigger": reorder + 1,
            "lowest": np.maximum(reorder + 1 - demand, 0.0),
            "mean_stock": np.where(active, mean_stock(reorder, protection=protection, lead=lead, batch=batch), 0.0),
            "mean_demand": protection.mean(),
            "promised": promised,
            "cycle_service": np.where(active, 1 - protection.chance_above(reorder + 1), 1.0),
            "at_maximum": capped,
        },
        index=terms.index,
    )


def _batches(terms: pd.DataFrame, demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each item's batch or pack, and whether it is ordered in batches at a reorder point."""
    pack = np.maximum(np.nan_to_num(terms["order_multiple"].to_numpy(dtype="float64")), 1.0)
    least = np.nan_to_num(terms["minimum_order_quantity"].to_numpy(dtype="float64"))
    horizon = terms["horizon_demand"].to_numpy(dtype="float64")
    wanted = np.minimum(np.nan_to_num(terms["economic_order_quantity"].to_numpy(dtype="float64")), horizon)
    quantity = np.ceil(np.maximum(np.maximum(wanted, least), 1.0) / pack - 1e-9) * pack
    batched = (quantity > demand * (1 + 1e-9)) & (np.maximum(wanted, least) > demand) & (demand > 1e-9)
    batched &= (terms["measure"] != "cycle_service").to_numpy()
    return np.where(batched, quantity, pack), batched
