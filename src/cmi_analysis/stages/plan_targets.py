"""What other targets would do with the same money: fixed by class, one for all, or chosen together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.target_comparison import compare_targets
from cmi_analysis.inventory.target_optimiser import fit_service_curves
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
    items = levels.items
    priced = bool((items["owner_cost"] > 0).any())
    cost = items["owner_cost"].to_numpy(dtype="float64") if priced else np.ones(len(items))
    demand = items["daily_demand"].to_numpy(dtype="float64") * 365
    used = (demand > 1e-9) & (np.nan_to_num(cost) > 0)
    if not used.any():
        return pd.DataFrame()
    rows = np.flatnonzero(used)
    contract = np.where((items["target_source"] == "contract") & (items["measure"] == "shelf_fill"), items["target"], 0.0)[rows]
    protection, lead = levels.protection.of_rows(rows), levels.lead.of_rows(rows)
    batch = np.maximum(items["order_quantity"].to_numpy(dtype="float64")[rows], 1.0)
    curves = fit_service_curves(
        protection=protection, lead=lead, batch=batch, unit_cost=cost[rows], weight=(demand * cost)[rows], floor=contract
    )
    classes = (items["abc"].astype(str) + items["xyz"].astype(str)).to_numpy()[rows]
    table = compare_targets(
        curves, classes=classes, aim=aim, floor=contract, customers=items["customer_id"].to_numpy(dtype=object)[rows]
    )
    money, stock = ("stock_value", "stock_units") if priced else ("stock_units", "stock_value")
    return table.rename(columns=_NAMES | {"money": money}).assign(**{stock: np.nan})
