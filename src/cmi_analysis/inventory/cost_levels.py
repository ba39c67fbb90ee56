"""Levels with the least expected holding and shortage cost, for order-up-to levels and for reorder points with a given batch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.levels import fit_policies
from cmi_analysis.inventory.policy import mean_stock, shelf_fill_at


def cost_rate(
    level: np.ndarray, *, protection: LeadTimeDemand, holding_cost: np.ndarray, shortage_cost: np.ndarray
) -> np.ndarray:
    """Return G(y) = h·E(y − D)⁺ + p·E(D − y)⁺ of each item, D the demand over L + R [money a review period].

    Parameters
    ----------
    level : numpy.ndarray
        Position after a review y [units].
    protection : LeadTimeDemand
        Demand over L + R.
    holding_cost, shortage_cost : numpy.ndarray
        Of a unit over one review period, and of a unit short [money/unit].
    """
    short = protection.shortage(level)
    return holding_cost * (np.asarray(level) - protection.mean() + short) + shortage_cost * short


def fit_cost_reorder_point(
    *, batch: np.ndarray, protection: LeadTimeDemand, holding_cost: np.ndarray, shortage_cost: np.ndarray
) -> np.ndarray:
    """Return the reorder point with the least mean of G over the positions r + 1 … r + Q, Q the batch.

    The position after a review is uniform on (r, r + Q] (Hadley and Whitin 1963), G is convex, so the best r is the smallest with
    G(r + Q + 1) ≥ G(r + 1) (Federgruen and Zheng 1992, for a given Q). With Q = 1 it is the newsvendor's level less 1: the
    smallest S with P(D ≤ S) ≥ p/(p + h). Found by bisection on whole units, at least −1.

    Parameters
    ----------
    batch : numpy.ndarray
        Batch of each item [units].
    protection, holding_cost, shortage_cost
        As in `cost_rate`.

    Returns
    -------
    numpy.ndarray
        Reorder point r [units].
    """
    size = np.maximum(np.asarray(batch, dtype="float64"), 1.0)

    def rises(reorder: np.ndarray) -> np.ndarray:
        costs = {"protection": protection, "holding_cost": holding_cost, "shortage_cost": shortage_cost}
        high, low = cost_rate(reorder + size + 1, **costs), cost_rate(reorder + 1, **costs)
        return high >= low - 1e-9 * np.maximum(shortage_cost, holding_cost)

    low, high = np.full(len(size), -1.0), np.ceil(protection.values[:, -1])
    for _ in range(64):
        if np.all(high <= low):
            break
        middle = np.floor((low + high) / 2)
        enough = rises(middle)
        high, low = np.where(enough, middle, high), np.where(enough, low, np.minimum(middle + 1, high))
    return high


def fit_cost_policies(
    terms: pd.DataFrame,
    *,
    holding_cost: np.ndarray,
    shortage_cost: np.ndarray,
    protection: LeadTimeDemand,
    lead: LeadTimeDemand,
    review_days: np.ndarray,
) -> pd.DataFrame:
    """Return each item's policy with the least expected cost, with the columns of `levels.fit_policies`.

    Batches are those of `fit_policies` (economic quantity, minimum, multiple); given the batch the reorder point is exact under
    periodic review with backorders, each unit short costing once and stock counted at the end of the review period.

    Parameters
    ----------
    terms : pandas.DataFrame
        As in `fit_policies`.
    holding_cost : numpy.ndarray
        Of a unit held for a year [money/unit/year].
    shortage_cost : numpy.ndarray
        Of a unit short [money/unit].
    protection, lead
        As in `fit_policies`.
    review_days : numpy.ndarray
        R of each item [days].
    """
    held = holding_cost * review_days / 365
    terms = terms.assign(measure="shelf_fill")
    half = np.full(len(terms), 0.5)
    fitted = fit_policies(terms, target=half, protection=protection, lead=lead)
    batch, batched = fitted["order_quantity"].to_numpy(), (fitted["policy"] == "reorder_point").to_numpy()
    active = (fitted["policy"] != "none").to_numpy()
    size = np.where(batched, batch, 1.0)
    pack = np.maximum(batch, 1.0)
    reorder = fit_cost_reorder_point(batch=pack, protection=protection, holding_cost=held, shortage_cost=shortage_cost)
    room = np.maximum(terms["maximum_stock"].to_numpy(dtype="float64") - size, -1.0)
    capped = active & (reorder > room)
    reorder = np.where(active, np.where(capped, room, reorder), -1.0)
    demand = protection.mean() - lead.mean()
    return fitted.assign(
        reorder_point=reorder,
        order_up_to_level=np.where(active, reorder + size, 0.0),
        safety_stock=np.where(active, reorder + 1 - protection.mean(), 0.0),
        trigger=reorder + 1,
        lowest=np.maximum(reorder + 1 - demand, 0.0),
        mean_stock=np.where(active, mean_stock(reorder, protection=protection, lead=lead, batch=pack), 0.0),
        promised=shelf_fill_at(reorder, protection=protection, lead=lead, batch=pack),
        cycle_service=np.where(active, 1 - protection.chance_above(reorder + 1), 1.0),
        at_maximum=capped,
    )
