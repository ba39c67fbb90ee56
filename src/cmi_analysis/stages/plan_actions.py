"""What to do first: the proposals and alerts of a group as a few actions per customer, with profit effect and cash."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.stages.plan_levels import Levels

ACTION_COLUMNS = (
    "action",
    "customer_id",
    "customer_name",
    "product_name",
    "items",
    "quantity",
    "due_on",
    "who",
    "effect",
    "cash_ours",
    "cash_customer",
    "otherwise_units",
    "otherwise_money",
)
_ORDER = {"order_now": 0, "order": 1, "cut": 2, "release": 3}


def rank_actions(levels: Levels, proposals: pd.DataFrame, alerts: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return candidate actions, one per kind and customer, by our expected profit effect over the next protection interval.

    ``order_now``: orders for items that are out of stock or at risk before an order can arrive; ``order``: the other proposed
    orders; ``cut``: open supply beyond the policy's highest position; ``release``: stock on the shelf without use in sight.
    Where no margin is known they rank by units. Cash is one-off: an order of stock that the customer owns is his outlay and our
    income at his price; a release is the opposite for us, as our next sales fall by it.

    Parameters
    ----------
    levels : Levels
        Items with policies and positions.
    proposals, alerts : pandas.DataFrame
        As in the plan's result.
    as_of : pandas.Timestamp
        Today.

    Returns
    -------
    pandas.DataFrame
        The columns of `ACTION_COLUMNS`; best first.
    """
    items = levels.items
    key = ["customer_id", "product_id"]
    urgent = alerts.loc[alerts["alert"].isin(["stocked_out", "will_stock_out"]), key]
    is_urgent = pd.MultiIndex.from_frame(proposals[key]).isin(pd.MultiIndex.from_frame(urgent))
    ordered = proposals.assign(action=np.where(is_urgent, "order_now", "order"), due_on=proposals["order_on"])
    ordered = ordered.assign(
        paid=np.where(ordered["owner"] == "customer", ordered["quantity"] * ordered["unit_price"], 0.0),
        otherwise=ordered["saved_units"],
    )
    names = items[
        [*key, "customer_name", "product_name", "owner", "unit_price", "unit_margin", "decides", "holding_rate", "owner_cost"]
    ]
    spare = alerts[alerts["alert"].isin(["surplus_order", "excess", "dead_stock"])].merge(names, on=key, how="left")
    held = (spare["quantity"] * spare["owner_cost"] * spare["holding_rate"] / 4).where(spare["owner"] == "supplier", 0.0)
    spare = spare.assign(
        action=np.where(spare["alert"] == "surplus_order", "cut", "release"),
        due_on=as_of + pd.Timedelta(days=7),
        paid=-np.where(spare["owner"] == "customer", spare["quantity"] * spare["unit_price"], 0.0),
        otherwise=spare["quantity"],
        effect=held.where(spare["owner_cost"].notna()),
    )
    columns = [
        *key,
        "customer_name",
        "product_name",
        "action",
        "due_on",
        "decides",
        "quantity",
        "paid",
        "effect",
        "otherwise",
        "owner",
    ]
    both = [frame[columns] for frame in (ordered, spare) if len(frame)]
    if not both:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in ACTION_COLUMNS})
    return _by_customer(pd.concat(both, ignore_index=True))


def _by_customer(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per action and customer, the largest item's name with it."""
    rank = np.where(rows["effect"].notna(), rows["effect"], 0.0)
    rows = rows.assign(rank=rank).sort_values(
        ["action", "customer_id", "rank", "quantity", "product_id"], ascending=[True, True, False, False, True], kind="stable"
    )
    by = rows.groupby(["action", "customer_id"], sort=True)
    table = by.agg(
        customer_name=("customer_name", "first"),
        product_name=("product_name", "first"),
        items=("product_id", "size"),
        quantity=("quantity", "sum"),
        due_on=("due_on", "min"),
        who=("decides", "first"),
        otherwise_units=("otherwise", "sum"),
    ).reset_index()
    table["effect"] = by["effect"].sum(min_count=1).to_numpy(dtype="float64")
    paid = by["paid"].sum(min_count=1).to_numpy(dtype="float64")
    table["cash_ours"], table["cash_customer"] = paid, -paid
    ordering = table["action"].isin(["order_now", "order"])
    table["otherwise_money"] = table["effect"].where(ordering)
    # no outlay of the customer where we own what is on his shelf
    place = table["action"].map(_ORDER)
    ranked = table.assign(place=place, best=-table["effect"].fillna(0.0), most=-table["otherwise_units"].fillna(0.0))
    ranked = ranked.sort_values(["best", "place", "most", "customer_id"], kind="stable")
    return ranked[list(ACTION_COLUMNS)].reset_index(drop=True)
