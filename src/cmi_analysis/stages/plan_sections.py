"""The frames of the plan's sections: sums over customers, classes and owners, and the simulation beside the promise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.allocation import allocate_by_need
from cmi_analysis.inventory.levels import fit_policies
from cmi_analysis.inventory.projection import project_stock
from cmi_analysis.inventory.simulation import simulate_policy
from cmi_analysis.measures.service import score_in_stock_rate
from cmi_analysis.stages.plan_levels import Levels, pool_stock
from cmi_analysis.tables import Slice

CURVE_TARGETS = (0.80, 0.85, 0.90, 0.93, 0.95, 0.97, 0.98, 0.99)


def score_service(levels: Levels, part: Slice) -> pd.DataFrame:
    """Return target, promise, expectation and past in-stock rate of each customer, worst first."""
    items = levels.items.assign(
        demand=levels.items["daily_demand"],
        under=(levels.items["expected"] < levels.items["target"] - 1e-9) & (levels.items["policy"] != "none"),
        active=levels.items["policy"] != "none",
    )
    items = items.assign(
        target_demand=items["target"] * items["demand"],
        promised_demand=items["promised"] * items["demand"],
        met_until_arrival=items["demand_until_arrival"] - items["short"],
        known_until_arrival=items["demand_until_arrival"].where(items["short"].notna()),
        stock_value=items["on_hand"] * items["owner_cost"],
        excess_value=items["excess_on_shelf"] * items["owner_cost"],
    )
    by = items.groupby(["echelon", "customer_id", "customer_name"], sort=True, dropna=False)
    sums = by[["demand", "target_demand", "promised_demand", "met_until_arrival", "known_until_arrival"]].sum(min_count=1)
    table = pd.DataFrame(
        {
            "items": by["active"].sum(),
            "items_under": by["under"].sum(),
            "target": sums["target_demand"] / sums["demand"].where(sums["demand"] > 0),
            "promised": sums["promised_demand"] / sums["demand"].where(sums["demand"] > 0),
            "expected": sums["met_until_arrival"] / sums["known_until_arrival"].where(sums["known_until_arrival"] > 0),
            "contract": by["target_source"].agg(lambda source: bool((source == "contract").any())),
            "daily_demand": sums["demand"],
            "stock_value": by["stock_value"].sum(min_count=1),
            "excess_value": by["excess_value"].sum(min_count=1),
            "stockout_value": by["stockout_value"].sum(min_count=1),
        }
    ).reset_index()
    stock = part.tables.get("stock")
    if stock is not None and not stock.empty:
        recent = stock[stock["date"] > pd.Timestamp(part.as_of) - pd.Timedelta(days=365)]
        recent = recent.merge(levels.items[["customer_id", "product_id"]], on=["customer_id", "product_id"])
        table = table.merge(score_in_stock_rate(recent, by=["customer_id"]), on="customer_id", how="left")
    else:
        table = table.assign(in_stock_rate=np.nan, snapshots=0)
    table["gap"] = table["expected"].fillna(table["promised"]) - table["target"]
    return table.sort_values(["gap", "customer_id"], kind="stable").reset_index(drop=True)


def score_money(levels: Levels) -> pd.DataFrame:
    """Return stock now, model stock, what is above and what is missing, for each owner, in units and money."""
    items = levels.items
    known = items["on_hand"].notna()
    parts = {
        "stock_now": items["on_hand"].clip(lower=0),
        "model_stock": items["mean_stock"].where(known),
        "releasable": items["excess_on_shelf"],
        "on_order_excess": items["excess_on_order"],
        "missing": items["missing_units"],
    }
    columns = parts | {f"{name}_value": values * items["owner_cost"] for name, values in parts.items()}
    table = pd.DataFrame(columns).assign(
        owner=items["owner"].to_numpy(), items=known.astype("int64"), costed=items["owner_cost"].notna() & known
    )
    summed = table.groupby("owner", sort=True).sum(min_count=1).reset_index()
    summed["costed_share"] = summed.pop("costed").astype("float64") / summed["items"].where(summed["items"] > 0)
    return summed


def score_classes(levels: Levels) -> pd.DataFrame:
    """Return each ABC-XYZ class with its policies, levels, stock and service."""
    items = levels.items.assign(
        demand=levels.items["daily_demand"],
        promised_demand=levels.items["promised"] * levels.items["daily_demand"],
        model_value=levels.items["mean_stock"] * levels.items["owner_cost"],
        in_batches=(levels.items["policy"] == "reorder_point").astype("float64"),
        up_to_level=(levels.items["policy"] == "order_up_to").astype("float64"),
    )
    by = items.groupby(["abc", "xyz"], sort=True, observed=True)
    table = by.agg(
        items=("product_id", "size"),
        in_batches=("in_batches", "sum"),
        up_to_level=("up_to_level", "sum"),
        demand=("demand", "sum"),
        promised_demand=("promised_demand", "sum"),
        safety_stock=("safety_stock", "sum"),
        model_stock=("mean_stock", "sum"),
    ).reset_index()
    table["model_value"] = by["model_value"].sum(min_count=1).to_numpy()
    table["promised"] = table.pop("promised_demand") / table["demand"].where(table["demand"] > 0)
    total = table["demand"].sum()
    table["demand_share"] = table.pop("demand") / total if total > 0 else np.nan
    return table.assign(echelon="site")


def simulate_promise(levels: Levels, *, seed: int) -> pd.DataFrame:
    """Return promised and simulated shelf fill by ABC class and in all, with an interval of the simulation."""
    items, over = levels.items, levels.items["lead_time_days"].to_numpy(dtype="float64") + levels.review_days
    whole = np.maximum(np.round(over), 1.0)
    simulated = simulate_policy(
        daily_mean=levels.path.mean_at(whole) / whole,
        daily_variance=levels.path.variance_at(whole) / whole,
        days=levels.days,
        chances=levels.chances,
        review_days=levels.review_days,
        trigger=items["trigger"].to_numpy(dtype="float64"),
        batch=np.maximum(items["order_quantity"].to_numpy(dtype="float64"), 1.0),
        seed=seed,
    )
    rows = pd.concat([items[["abc", "promised", "daily_demand", "target"]], simulated], axis=1)
    rows = pd.concat([rows, rows.assign(abc="all")], ignore_index=True)
    for name in ("promised", "target"):
        rows[name] = rows[name] * rows["daily_demand"]
    rows["spread"] = (rows["simulated_error"] * rows["demand"]) ** 2
    rows["items"] = 1
    summed = rows.groupby("abc", sort=True)[["items", "promised", "target", "daily_demand", "demand", "filled", "spread"]].sum()
    weight, demand = summed["daily_demand"].where(summed["daily_demand"] > 0), summed["demand"].where(summed["demand"] > 0)
    table = pd.DataFrame(
        {
            "items": summed["items"],
            "target": summed["target"] / weight,
            "promised": summed["promised"] / weight,
            "simulated": summed["filled"] / demand,
        }
    )
    margin = 1.96 * np.sqrt(summed["spread"]) / demand
    table["simulated_low"], table["simulated_high"] = table["simulated"] - margin, (table["simulated"] + margin).clip(upper=1)
    return table.reset_index()


def draw_service_curve(levels: Levels) -> pd.DataFrame:
    """Return stock against service for one target on all items, the plan with its own targets, and today."""
    items = levels.items
    rows = []
    for target in CURVE_TARGETS:
        fitted = fit_policies(
            items,
            target=np.full(len(items), target),
            protection=levels.protection,
            lead=levels.lead,
        )
        rows.append({"point": "curve", "target": target, **pool_stock(items, fitted)})
    plan = {"point": "plan", "target": np.nan, **pool_stock(items, items)}
    known = items["on_hand"].notna()
    demand = items["demand_until_arrival"].where(known)
    held = items["on_hand"].clip(lower=0)
    if known.any():
        met = 1 - items["short"].sum() / demand.sum() if demand.sum() > 0 else np.nan
        value = float((held * items["owner_cost"]).sum()) if items["owner_cost"].notna().any() else np.nan
        rows.append({"point": "today", "target": np.nan, "stock_units": float(held.sum()), "stock_value": value, "promised": met})
    return pd.DataFrame([*rows, plan])


def project_items(levels: Levels, proposals: pd.DataFrame, *, part: Slice, days: int, most: int = 6) -> pd.DataFrame:
    """Return the projected stock of the A items with the most at stake, without and with the proposed order."""
    items = levels.items
    a_items = items[(items["abc"] == "A") & items["on_hand"].notna() & (items["policy"] != "none")]
    value = a_items["stockout_value"].fillna(0.0) if a_items["stockout_value"].notna().any() else a_items["short"]
    ranked = a_items.assign(value=value).sort_values(
        ["value", "yearly_demand", "customer_id", "product_id"], ascending=[False, False, True, True]
    )
    rows = np.sort(ranked.head(most).index.to_numpy())
    every = 7 if part.tables.settings.frequency != "month" else 10
    last = min(days, levels.path.days)
    supply = levels.supply[:, : last + 1]
    added = np.zeros_like(supply)
    place = pd.MultiIndex.from_frame(items[["customer_id", "product_id"]])
    at = place.get_indexer(pd.MultiIndex.from_frame(proposals[["customer_id", "product_id"]]))
    arrival = (proposals["arrives_on"] - pd.Timestamp(part.as_of)).dt.days.to_numpy()
    for row, day, quantity in zip(at, arrival, proposals["quantity"], strict=True):
        added[row, min(int(day) + 1, last + 1) :] += quantity
    bare = project_stock(levels.path, supply=supply, rows=rows, every=every)
    helped = project_stock(levels.path, supply=supply + added, rows=rows, every=every)
    table = bare.assign(stock_with_order=helped["stock"], date=pd.Timestamp(part.as_of) + pd.to_timedelta(bare["day"], unit="D"))
    names = items.loc[table["row"], ["customer_id", "product_id", "customer_name", "product_name", "lowest"]].reset_index(
        drop=True
    )
    columns = [*names.columns, "date", "stock", "stock_low", "stock_high", "stock_with_order", "shortage_chance"]
    return pd.concat([names, table.reset_index(drop=True)], axis=1).assign(echelon="site")[["echelon", *columns]]


def allocate_stock(levels: Levels, part: Slice) -> pd.DataFrame:
    """Return who gets what of the products of which not even all of our stock covers this group's need."""
    items = levels.items
    need = (items["mean_demand"] - items["position"]).clip(lower=0)
    stock = part.tables["warehouse_stock"]
    newest = stock.sort_values(["warehouse_id", "product_id", "date"], kind="stable").drop_duplicates(
        ["warehouse_id", "product_id"], keep="last"
    )
    reserved = newest["reserved"].fillna(0.0) if "reserved" in newest else 0.0
    supply = (
        newest.assign(available=(newest["on_hand"] - reserved).clip(lower=0)).groupby("product_id", sort=True)["available"].sum()
    )
    table = allocate_by_need(items[["customer_id", "product_id", "priority"]].assign(need=need), supply.reset_index())
    names = items[["customer_id", "product_id", "customer_name", "product_name", "unit_margin"]]
    table = table.merge(names, on=["customer_id", "product_id"], how="left")
    table["short_value"] = table["short"] * table.pop("unit_margin").clip(lower=0)
    return table.assign(echelon="site")
