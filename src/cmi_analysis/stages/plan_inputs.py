"""What the plan of a group's sites starts from: items with their terms, lead times, position, costs and targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.inventory.costs import find_costs
from cmi_analysis.inventory.position import KEY, find_active_items, find_open_supply, find_stock_now
from cmi_analysis.inventory.targets import score_targets
from cmi_analysis.measures.lead_time import (
    collect_lead_times,
    collect_supplier_lead_times,
    fit_lead_times,
    score_lead_times,
)
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.tables import Slice

TERMS = ("minimum_order_quantity", "order_multiple", "maximum_stock", "review_period_days", "lead_time_days")


@dataclass(frozen=True)
class PlanInputs:
    """Items of the sites and what is known of each.

    Attributes
    ----------
    items : pandas.DataFrame
        One row per customer × product: terms, prices, costs, targets, stock; every number's source in a column of its own.
    lead_times : pandas.DataFrame
        customer_id, product_id, days, probability: of every item that has a lead time.
    open_supply : pandas.DataFrame
        customer_id, product_id, expected_on, quantity, forgotten.
    supply_source : str
        Table behind `open_supply`: ``orders``, ``in_transit``, ``stock`` or ``none``.
    """

    items: pd.DataFrame
    lead_times: pd.DataFrame
    open_supply: pd.DataFrame
    supply_source: str


def gather_inputs(part: Slice, params: InventoryPolicyParams) -> PlanInputs:
    """Return the active items of the group's sites with lead times, terms, targets, costs, stock and open supply."""
    tables = part.tables
    assortment = tables.get("assortment")
    items = find_active_items(as_of=part.as_of, assortment=assortment, sales=tables.get("sales"), stock=tables.get("stock"))
    items = _with_masters(items, part)
    items, lead_times = _with_lead_times(items, part, params)
    agreed = items["review_period_days"].notna()
    review = items["review_period_days"].fillna(params.review_period_days).clip(lower=1).round()
    items = items.assign(echelon="site", review_period_days=review, review_agreed=agreed)
    targets = score_targets(items, tables.get("contracts"), as_of=part.as_of, service_target=params.service_target)
    items = pd.concat([items, targets], axis=1)
    items = _with_costs(items, part, params)
    items = pd.concat([items, find_stock_now(items, tables.get("stock"))], axis=1)
    open_supply, source = find_open_supply(
        items,
        as_of=part.as_of,
        orders=tables.get("orders"),
        deliveries=tables.get("deliveries"),
        in_transit=tables.get("in_transit"),
    )
    if source == "none" and items["stock_on_order"].notna().any():
        open_supply, source = _supply_from_stock(items, part), "stock"
    return PlanInputs(_with_position(items, open_supply, part), lead_times, open_supply, source)


def _with_masters(items: pd.DataFrame, part: Slice) -> pd.DataFrame:
    """Return the items with names, prices and terms; the assortment's own price comes before the product's."""
    tables = part.tables
    items = items.drop(columns=[name for name in ("valid_from_on", "valid_to_on") if name in items])
    agreed = items.pop("unit_price") if "unit_price" in items else pd.Series(np.nan, index=items.index)
    for table, key, columns in (
        ("customers", "customer_id", ["customer_name", "customer_group", "priority"]),
        (
            "products",
            "product_id",
            ["product_name", "category", "unit_cost", "unit_price", "ends_on", "shelf_life_days", "volume"],
        ),
    ):
        frame = tables.get(table)
        if frame is not None:
            known = [name for name in columns if name in frame]
            items = items.merge(frame[[key, *known]].drop_duplicates(key), on=key, how="left")
    for name in ("customer_name", "product_name"):
        key = name.replace("_name", "_id")
        items[name] = items[name].fillna(items[key]) if name in items else items[key]
    for name in (*TERMS, "unit_cost", "unit_price", "priority", "shelf_life_days", "volume"):
        items[name] = items[name].astype("float64") if name in items else np.nan
    items["unit_price"] = agreed.to_numpy(dtype="float64", na_value=np.nan)
    products = tables.get("products")
    if products is not None and "unit_price" in products:
        listed = items[["product_id"]].merge(products[["product_id", "unit_price"]].drop_duplicates("product_id"), how="left")
        items["unit_price"] = items["unit_price"].fillna(listed["unit_price"])
    for name in ("order_weekdays", "decides", "owner", "category"):
        items[name] = items.get(name)
    items["ends_on"] = items["ends_on"] if "ends_on" in items else pd.Series(pd.NaT, index=items.index, dtype="datetime64[ns]")
    items["owner"] = items["owner"].where(items["owner"].notna(), part.tables.settings.stock_owner)
    return items


def _with_lead_times(items: pd.DataFrame, part: Slice, params: InventoryPolicyParams) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the items with the mean and the source of their lead time, and the chance of each lead time of each item.

    Own orders of the customer first, then the agreed lead time, then the orders of the whole group, then the assumed one.
    """
    observed = observe_lead_times(part)
    by_item = fit_lead_times(observed, by=[["customer_id"], ["customer_id", "product_id"]])
    by_customer = fit_lead_times(observed, by=[["customer_id"]])
    pooled = fit_lead_times(observed.assign(everyone="all"), by=[["everyone"]])
    arrived = observed[observed["arrived"].astype(bool)]
    own = items["customer_id"].isin(set(arrived["customer_id"]))
    own_item = pd.MultiIndex.from_frame(items[KEY]).isin(pd.MultiIndex.from_frame(by_item[KEY]))
    fixed = items["lead_time_days"].where(items["lead_time_days"] >= 0)
    assumed = np.nan if params.assumed_lead_time_days is None else float(params.assumed_lead_time_days)
    source = np.select(
        [own, fixed.notna(), np.full(len(items), len(pooled) > 0), np.full(len(items), not np.isnan(assumed))],
        ["orders", "assortment", "group", "assumed"],
        "missing",
    )
    keyed = items[KEY].assign(source=source, fixed=fixed.fillna(assumed).to_numpy(), own_item=own_item)
    orders = keyed["source"] == "orders"
    constant = keyed[keyed["source"].isin(["assortment", "assumed"])]
    parts = [
        keyed.loc[orders & keyed["own_item"], KEY].merge(by_item, on=KEY),
        keyed.loc[orders & ~keyed["own_item"], KEY].merge(by_customer, on="customer_id"),
        constant[KEY].assign(days=constant["fixed"].round(), probability=1.0),
        keyed.loc[keyed["source"] == "group", KEY].merge(pooled[["days", "probability"]], how="cross"),
    ]
    chances = pd.concat([frame for frame in parts if len(frame)] or parts[2:3], ignore_index=True)
    chances = chances.sort_values([*KEY, "days"], kind="stable").reset_index(drop=True)
    means = chances.assign(mean=chances["days"] * chances["probability"]).groupby(KEY, sort=True)["mean"].sum()
    found = means.reindex(pd.MultiIndex.from_frame(items[KEY])).to_numpy(dtype="float64")
    return items.assign(lead_time_days=found, lead_time_source=source), chances


def observe_lead_times(part: Slice) -> pd.DataFrame:
    """Return the lead time of each order line of the slice; no row where the data do not tell when lines arrived."""
    tables = part.tables
    blank = {"orders": pd.DataFrame({name: [] for name in ("customer_id", "product_id", "ordered_on")})}
    dated = tables.has("orders", "delivered_on") or tables.has("deliveries", "delivered_on")
    orders = tables["orders"] if dated and tables.has("orders") else blank["orders"].astype({"ordered_on": "datetime64[ns]"})
    return collect_lead_times(orders, as_of=part.as_of, deliveries=tables.get("deliveries") if dated else None)


def _with_costs(items: pd.DataFrame, part: Slice, params: InventoryPolicyParams) -> pd.DataFrame:
    """Return the items with holding, order and shortage cost, and the unit cost of whoever owns the stock."""
    costs = part.tables.get("costs")
    for cost, assumed in (
        ("holding_rate", params.assumed_holding_rate),
        ("order_cost", params.assumed_order_cost),
        ("shortage_cost", None),
    ):
        found = find_costs(items, costs, cost=cost, as_of=part.as_of, assumed=assumed)
        items = items.assign(**{cost: found["value"], f"{cost}_source": found["source"]})
    ours = items["owner"] == "supplier"
    # what a unit on the shelf cost its owner: us our cost, the customer our price
    own_cost = items["unit_cost"].where(ours, items["unit_price"].fillna(items["unit_cost"]))
    return items.assign(owner_cost=own_cost, unit_margin=items["unit_price"] - items["unit_cost"])


def _supply_from_stock(items: pd.DataFrame, part: Slice) -> pd.DataFrame:
    """Return what the sites themselves report as on order, expected a mean lead time from now."""
    rows = items[(items["stock_on_order"] > 0) & items["lead_time_days"].notna()]
    expected = pd.Timestamp(part.as_of) + pd.to_timedelta(rows["lead_time_days"].clip(lower=1).round(), unit="D")
    return rows[KEY].assign(expected_on=expected, quantity=rows["stock_on_order"], forgotten=False).reset_index(drop=True)


def _with_position(items: pd.DataFrame, open_supply: pd.DataFrame, part: Slice) -> pd.DataFrame:
    counted = open_supply[~open_supply["forgotten"].astype(bool)]
    on_order = counted.groupby(KEY, sort=True)["quantity"].sum().reindex(pd.MultiIndex.from_frame(items[KEY])).fillna(0.0)
    age = (pd.Timestamp(part.as_of) - items["stock_on"]).dt.days.astype("float64")
    items = items.assign(on_order=on_order.to_numpy(dtype="float64"), stock_age_days=age)
    return items.assign(position=items["on_hand"] + items["on_order"] - items["backordered"])


def score_customer_lead_times(part: Slice) -> pd.DataFrame:
    """Return lines, mean, variation, P95, late and crossing share of each customer's lead time."""
    observed = observe_lead_times(part)
    chances = fit_lead_times(observed, by=[["customer_id"]])
    table = score_lead_times(observed, chances, by=["customer_id"], as_of=part.as_of)
    names = part.tables.get("customers")
    if names is not None and "customer_name" in names:
        table = table.merge(names[["customer_id", "customer_name"]].drop_duplicates("customer_id"), on="customer_id", how="left")
    else:
        table["customer_name"] = table["customer_id"]
    return table.assign(echelon="site")


def score_supplier_lead_times(part: Slice) -> pd.DataFrame:
    """Return the same of each supplier's lead time to our warehouse, with its name and the number of products."""
    tables = part.tables
    observed = collect_supplier_lead_times(
        tables.get("receipts"), as_of=part.as_of, purchase_orders=tables.get("purchase_orders")
    )
    chances = fit_lead_times(observed, by=[["supplier_id"]])
    table = score_lead_times(observed, chances, by=["supplier_id"], as_of=part.as_of)
    count = observed.groupby("supplier_id", sort=True)["product_id"].nunique().rename("products")
    table = table.merge(count.reset_index(), on="supplier_id", how="left")
    names = tables.get("suppliers")
    table["supplier_name"] = table["supplier_id"]
    if names is not None and "supplier_name" in names and len(names):
        known = table["supplier_id"].map(names.drop_duplicates("supplier_id").set_index("supplier_id")["supplier_name"])
        table["supplier_name"] = known.fillna(table["supplier_id"])
    return table.assign(echelon="warehouse")
