"""What other targets would do with the same money: fixed by class, one for all, or chosen together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from cmi_analysis.inventory.levels import fit_policies
from cmi_analysis.inventory.target_comparison import compare_targets
from cmi_analysis.inventory.target_optimiser import ServiceCurves, fit_service_curves, optimise_targets
from cmi_analysis.inventory.targets import HIGHEST_TARGET
from cmi_analysis.stages.plan_levels import Levels

_NAMES = {"service": "promised", "items_under": "items_share_under", "customers_under": "customers_share_under"}


def compare_ways(levels: Levels, *, aim: float) -> pd.DataFrame:
    """Return stock and shelf fill of fixed ABC-XYZ targets, of one target for all, and of targets chosen together.

    Contracts on the shelf are kept by every way. The items' service is weighted by the value of their demand at their owner's
    cost; without any cost by units, and stock is in units then. Items without demand, or without a cost where others have one,
    are left out.

    Parameters
    ----------
    levels : Levels
        With classes (`with_positions`).
    aim : float
        The one target for all [fraction].

    Returns
    -------
    pandas.DataFrame
        way, stock_units, stock_value (missing without costs), promised, items_share_under, customers_share_under, saving (in the
        unit of the stock), status; empty where no item can be compared.
    """
    found = _curves(levels)
    if found is None:
        return pd.DataFrame()
    rows, curves, contract, priced = found
    items = levels.items.iloc[rows]
    classes = (items["abc"].astype(str) + items["xyz"].astype(str)).to_numpy()
    customers = items["customer_id"].to_numpy(dtype=object)
    table = compare_targets(curves, classes=classes, aim=aim, floor=contract, customers=customers)
    money, stock = ("stock_value", "stock_units") if priced else ("stock_units", "stock_value")
    return table.rename(columns=_NAMES | {"money": money}).assign(**{stock: np.nan})


def _curves(levels: Levels) -> tuple[np.ndarray, ServiceCurves, np.ndarray, bool] | None:
    """Return the rows of the items that can be compared, their curves, their contracts, and whether stock is in money."""
    items = levels.items
    priced = bool((items["owner_cost"] > 0).any())
    cost = items["owner_cost"].to_numpy(dtype="float64") if priced else np.ones(len(items))
    demand = items["daily_demand"].to_numpy(dtype="float64") * 365
    used = (demand > 1e-9) & (np.nan_to_num(cost) > 0)
    if not used.any():
        return None
    rows = np.flatnonzero(used)
    contract = np.where((items["target_source"] == "contract") & (items["measure"] == "shelf_fill"), items["target"], 0.0)[rows]
    curves = fit_service_curves(
        protection=levels.protection.of_rows(rows),
        lead=levels.lead.of_rows(rows),
        batch=np.maximum(items["order_quantity"].to_numpy(dtype="float64")[rows], 1.0),
        unit_cost=cost[rows],
        weight=(demand * cost)[rows],
        floor=contract,
    )
    return rows, curves, contract, priced


def hold_budget(levels: Levels, *, budget: float) -> Levels:
    """Return the plan with targets chosen together so that the mean stock costs no more than a budget; contracts are kept.

    Parameters
    ----------
    levels : Levels
        The plan with targets of their own.
    budget : float
        What the mean stock of all items with a cost may tie up [money].

    Returns
    -------
    Levels
        target and target_source (``budget``; ``contract`` where the contract decides; ``budget_exceeded`` everywhere else where
        the contracts alone cost more than the budget: then nothing beyond them is promised) and the policies that follow.
    """
    found = _curves(levels)
    if found is None or not found[3]:
        return levels
    rows, curves, contract, _ = found
    plan = optimise_targets(curves, budget=budget, floor=contract)
    items = levels.items.copy()
    target, source = items["target"].to_numpy(dtype="float64").copy(), items["target_source"].to_numpy(dtype=object).copy()
    target[rows] = np.minimum(plan.items["target"].to_numpy(dtype="float64"), HIGHEST_TARGET)
    exceeded = plan.status == "floors_exceed_budget"
    kept = (contract > 0) & (exceeded | (target[rows] <= contract + 0.005))  # whole levels lie a little above a contract
    source[rows] = np.where(kept, source[rows], "budget_exceeded" if exceeded else "budget")
    items = items.assign(target=target, target_source=source, measure="shelf_fill")
    fitted = fit_policies(items, target=target, protection=levels.protection, lead=levels.lead)
    return replace(levels, items=items.assign(**{name: fitted[name] for name in fitted}))
