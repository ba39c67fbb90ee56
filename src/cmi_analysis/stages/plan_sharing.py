"""What the sites of a group can share: transfers before the next delivery, and one safety stock for all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.loss import expected_shortage
from cmi_analysis.inventory.orders import next_order_day
from cmi_analysis.inventory.pooling import pool_safety_stock, value_pooling
from cmi_analysis.inventory.position import KEY
from cmi_analysis.inventory.transshipment import propose_transfers
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.plan_levels import Levels
from cmi_analysis.tables import Slice

_GRID = 200  # steps of a transfer's quantity
_LEAST_CHANCE = 0.05  # a unit moves only if it is needed with at least this chance [fraction]
_POINTS = 50  # points of the stock that is left when a transfer arrives
_REASONS = {
    "saves more than it costs": "saves_more",
    "costs more than it saves": "costs_more",
    "saves no stock": "saves_nothing",
    "one site": "one_site",
    "too few periods": "few_periods",
}


def name_pools(customers: pd.Series, part: Slice) -> pd.Series:
    """Return for each customer what it shares with: its account; itself where others have one; all where nobody has one."""
    table = part.tables.get("customers")
    if table is None or "account_id" not in table or not table["account_id"].notna().any():
        return pd.Series("", index=customers.index, dtype="object")
    account = customers.map(table.drop_duplicates("customer_id").set_index("customer_id")["account_id"]).astype(object)
    return account.where(account.notna(), "site " + customers.astype(str))


def why_not_shared(levels: Levels, part: Slice) -> str:
    """Return the key of the sentence that says why nothing can be shared, empty where it can."""
    sites = levels.items[["customer_id"]].drop_duplicates()
    if len(sites) < 2:
        return "inventory.missing.one_site"
    if not levels.items["on_hand"].notna().any():
        return "inventory.missing.stock"
    return "" if name_pools(sites["customer_id"], part).duplicated().any() else "inventory.missing.accounts"


def propose_sharing(levels: Levels, *, part: Slice, transfer_cost: float | None, transfer_days: int) -> pd.DataFrame:
    """Return the transfers between sites of one account that keep more from being short than they cost.

    A site gives only what lies above its own highest position; one that has something to give does not receive. A receiver's
    shortage counts from the day on which the transfer arrives until its next delivery, of an open order or of one placed on the
    next order day: E(W − X − q)⁺ with W its demand in between and X = (stock − demand until the transfer)⁺; a backlog counts
    until it is met. A unit moves only if it is needed with a chance of 5 % or more. Stock of different owners is not mixed.
    Where a margin or the cost of a transfer is unknown, a transfer must keep more than one unit from being short.

    Returns
    -------
    pandas.DataFrame
        echelon, product_id, product_name, from_ and to_ customer_id and _name, quantity, spare (of the sender before),
        saved_units (less what the sender will miss), arrives_on, next_delivery_on, benefit, transfer_cost, transfer_gain (money;
        missing where unknown); the greatest gain first.
    """
    items = _sites(levels, part, days=transfer_days)
    names = items.set_index(KEY)
    found = []
    for _, group in items[items["sends"] | items["wants"]].groupby(["pool", "owner", "product_id"], sort=True, dropna=False):
        if group["sends"].any() and group["wants"].any():
            rows = _transfers_of(group, levels.path, transfer_cost=transfer_cost, days=transfer_days)
            found.append(rows.assign(product_id=group["product_id"].iloc[0]))
    rows = pd.concat([frame for frame in found if len(frame)] or [pd.DataFrame()], ignore_index=True)
    if rows.empty:
        return rows
    cost = np.nan if transfer_cost is None else float(transfer_cost)
    sender, receiver = (pd.MultiIndex.from_frame(rows[[f"{end}_customer_id", "product_id"]]) for end in ("from", "to"))
    price = {end: names["price"].reindex(place).to_numpy() for end, place in (("from", sender), ("to", receiver))}
    rows = rows.assign(
        echelon="site",
        from_customer_name=names["customer_name"].reindex(sender).to_numpy(),
        to_customer_name=names["customer_name"].reindex(receiver).to_numpy(),
        product_name=names["product_name"].reindex(sender).to_numpy(),
        spare=names["spare"].reindex(sender).to_numpy(),
        saved_units=rows["avoided_shortage"] - rows["caused_shortage"],
        benefit=price["to"] * rows["avoided_shortage"] - price["from"] * rows["caused_shortage"],
        transfer_cost=cost,
        arrives_on=pd.Timestamp(part.as_of) + pd.Timedelta(days=transfer_days),
        next_delivery_on=names["next_delivery_on"].reindex(receiver).to_numpy(),
    )
    rows = rows.assign(transfer_gain=rows["benefit"] - rows["transfer_cost"])
    rows = rows[~(rows["transfer_gain"] <= 0)]
    by = ["transfer_gain", "saved_units", "product_id", "from_customer_id", "to_customer_id"]
    return rows.sort_values(by, ascending=[False, False, True, True, True], kind="stable").reset_index(drop=True)


def _sites(levels: Levels, part: Slice, *, days: int) -> pd.DataFrame:
    """Return the items whose stock is known with pool, price of a unit short, spare stock, next delivery and what they want."""
    items, as_of = levels.items, pd.Timestamp(part.as_of)
    stock = (items["on_hand"] - items["backordered"]).astype("float64")
    order_day = (next_order_day(as_of, items["order_weekdays"]) - as_of).dt.days.to_numpy()
    new = order_day + np.ceil(items["lead_time_days"].to_numpy(dtype="float64"))
    comes = levels.supply > stock.to_numpy()[:, None] + 1e-9
    open_order = np.where(comes.any(axis=1), comes.argmax(axis=1) - 1.0, np.inf)
    until = np.clip(np.minimum(new, open_order), 0, levels.path.days).astype("int64")
    spare = (stock - items["order_up_to_level"]).clip(lower=0)
    end, start = (
        expected_shortage(stock.fillna(0.0), mean=levels.path.mean_at(at), variance=levels.path.variance_at(at))
        for at in (until, np.full(len(items), days))
    )
    pack = items["order_multiple"].fillna(1.0).clip(lower=1.0).round()
    sites = items.assign(
        row=np.arange(len(items)),
        pool=name_pools(items["customer_id"], part),
        own_stock=stock,
        spare=spare,
        pack=pack,
        price=(items["unit_margin"].clip(lower=0) + items["shortage_cost"].fillna(0.0)).astype("float64"),
        until=until,
        next_delivery_on=as_of + pd.to_timedelta(until, unit="D"),
        sends=(spare >= pack) & (stock > 0),
        wants=(until > days) & ((end - start > 0.01) | (stock < 0)),
    )
    sites["wants"] = sites["wants"] & ~sites["sends"] & (sites["policy"] != "none")
    return sites[stock.notna()]


def _transfers_of(group: pd.DataFrame, path: DemandPath, *, transfer_cost: float | None, days: int) -> pd.DataFrame:
    """Return the transfers of one product; its curves and stocks count in steps of so many packs that the grid holds them."""
    sends, rows = group["sends"].to_numpy(), group["row"].to_numpy()
    until, stock = group["until"].to_numpy(), group["own_stock"].to_numpy()
    window = path.mean[rows, until] - path.mean[rows, days]
    spread = np.maximum(path.variance[rows, until] - path.variance[rows, days], np.maximum(window, 0.0))
    useful = float(np.where(sends, 0.0, np.maximum(-stock, 0.0) + window + 5 * np.sqrt(spread) + 1).sum())
    pack = float(group["pack"].min())
    step = pack * max(np.ceil(useful / pack / _GRID), 1.0)
    grid = step * np.arange(int(np.ceil(useful / step)) + 2)
    given = np.minimum(group["spare"].to_numpy(), grid[-1])
    curves = np.zeros((len(group), len(grid)))
    for place, row in enumerate(rows):
        if sends[place]:
            held = stock[place] - given[place] + grid
            at = until[place]
            curve = expected_shortage(held, mean=path.mean[row, at], variance=path.variance[row, at])
        else:
            curve = _receiver_curve(path, row, stock=stock[place], days=days, window=(window[place], spread[place]), grid=grid)
        slopes = np.minimum(np.maximum.accumulate(np.diff(curve)), 0.0)  # rounding errors of the closed forms
        curves[place] = np.concatenate([curve[:1], curve[0] + slopes.cumsum()])
    curves = np.maximum(curves - np.minimum(curves[:, -1:], 0.0), 0.0)
    price = group["price"].to_numpy(dtype="float64")
    priced = transfer_cost is not None and bool(np.isfinite(price).all())
    sites = pd.DataFrame({"customer_id": group["customer_id"].to_numpy(), "stock": np.where(sends, given, 0.0) / step})
    worth = price if priced else np.ones(len(group))
    proposed = propose_transfers(
        sites.assign(own_level=0.0, next_delivery_days=until),
        shortage=curves / step,
        shortage_cost=worth * step,
        transfer_days=float(days),
        unit_cost=np.tile(_LEAST_CHANCE * worth * step, (len(group), 1)),
        transfer_cost=float(transfer_cost or 0.0) if priced else 1.0,
    )
    units = ["quantity", "avoided_shortage", "caused_shortage"]
    return proposed.assign(**{name: proposed[name] * step for name in units})


def _receiver_curve(
    path: DemandPath, row: int, *, stock: float, days: int, window: tuple[float, float], grid: np.ndarray
) -> np.ndarray:
    """Return what is short at a receiver from the arrival until its next delivery, by the quantity that it gets [units].

    The stock left at the arrival is put on grid points with weights (n(k − h) − 2n(k) + n(k + h))/h, which keep its mean.
    """
    held, backlog = max(stock, 0.0), max(-stock, 0.0)
    count = int(min(max(np.ceil(held), 1), _POINTS))
    width = held / count if held > 0 else 1.0
    used = width * np.arange(count) if held > 0 else np.zeros(0)
    before, here, after = (
        expected_shortage(used + shift, mean=path.mean[row, days], variance=path.variance[row, days])
        for shift in (-width, 0.0, width)
    )
    weight = np.clip((before - 2 * here + after) / width, 0.0, 1.0)
    left = np.concatenate([held - used, [0.0]])
    weight = np.concatenate([weight, [max(1.0 - weight.sum(), 0.0)]])
    beyond = np.maximum(grid - backlog, 0.0)
    short = expected_shortage(left[:, None] + beyond, mean=window[0], variance=window[1])
    return np.asarray(weight @ short + np.maximum(backlog - grid, 0.0))


def score_pooling(
    levels: Levels, errors: pd.DataFrame, *, part: Slice, transfer_cost: float | None, transfer_days: int
) -> pd.DataFrame:
    """Return the safety stock of each product that several sites of one account hold, apart and pooled, and whether pooling pays.

    σ of a site is the plan's over lead time and review period; the correlation is that of the back-test's errors of the same
    origin and horizon, shrunk. Safety factor: the plan's safety stock over Σσ, so ``apart`` is the plan's. Pooling costs a
    transfer whenever a site's demand until its next order exceeds the forecast, at all sites but the one that keeps the stock.
    Products of which the plan holds no safety stock (the batches alone keep the target) are left out.

    Returns
    -------
    pandas.DataFrame
        echelon, product_id, product_name, account_id, sites, periods, correlation, safety_apart, safety_pooled,
        safety_uncorrelated, saved_stock [units], holding_saved, pooling_cost [money a year], reason; the most saved first.
    """
    items = levels.items.assign(
        row=np.arange(len(levels.items)), sd=levels.protection.sd(), pool=name_pools(levels.items["customer_id"], part)
    )
    items = items[items["policy"] != "none"]
    keys = [*KEY, "origin_on", "horizon"]
    rows = errors[keys].assign(error=errors["actual"] - errors["mean"]).drop_duplicates(keys, keep="last")
    rows = rows.merge(items[[*KEY, "pool", "owner", "sd"]], on=KEY)
    rows["period"] = rows.groupby(["origin_on", "horizon"], sort=True).ngroup()
    spread = rows.groupby(KEY)["error"].transform("std")
    rows["error"] = rows["error"] * (rows["sd"] / spread.where(spread > 1e-12)).fillna(1.0)
    rows = rows.rename(columns={"customer_id": "site"})
    found = []
    for (pool, owner, product), part_rows in rows.groupby(["pool", "owner", "product_id"], sort=True, dropna=False):
        same = items[(items["pool"] == pool) & (items["product_id"] == product) & items["customer_id"].isin(part_rows["site"])]
        same = same[same["owner"] == owner] if pd.notna(owner) else same[same["owner"].isna()]
        if len(same) > 1 and same["safety_stock"].clip(lower=0).sum() >= 0.5:
            found.append(_pool_product(same, part_rows, levels, transfer_cost=transfer_cost, days=transfer_days))
    if not found:
        return pd.DataFrame()
    table = pd.DataFrame(found)
    return table.sort_values(["saved_stock", "product_id", "account_id"], ascending=[False, True, True], kind="stable")


def _pool_product(
    items: pd.DataFrame, errors: pd.DataFrame, levels: Levels, *, transfer_cost: float | None, days: int
) -> dict[str, object]:
    """Return one product's row."""
    protected = float((items["lead_time_days"] + items["review_period_days"]).mean())
    spread, stock = float(items["sd"].sum()), float(items["safety_stock"].clip(lower=0).sum())
    total, _ = pool_safety_stock(
        errors[["site", "period", "error"]],
        factor=stock / spread if spread > 0 else 0.0,
        protection_days=max(protected, 1.0),
        transfer_days=float(days),
    )
    holding = float((items["holding_rate"] * items["owner_cost"]).mean(skipna=False))
    cost = np.nan if transfer_cost is None else float(transfer_cost) * _draws(items, levels)
    known = bool(np.isfinite(holding) and np.isfinite(cost) and holding >= 0)
    value = value_pooling(total, holding_cost=holding if known else 0.0, extra_cost=cost if known else 0.0).iloc[0]
    reason = _REASONS[str(value["reason"])]
    first, row = items.iloc[0], total.iloc[0]
    return {
        "echelon": "site",
        "product_id": first["product_id"],
        "product_name": first["product_name"],
        "account_id": first["pool"],
        "sites": row["sites"],
        "periods": row["periods"],
        "correlation": row["correlation"] if reason not in ("one_site", "few_periods") else np.nan,
        "safety_apart": row["apart"],
        "safety_pooled": row["pooled"],
        "safety_uncorrelated": row["uncorrelated"],
        "saved_stock": value["saved_stock"],
        "holding_saved": value["saved_cost"] if known else np.nan,
        "pooling_cost": cost,
        "reason": reason if known or reason not in ("saves_more", "costs_more") else "no_costs",
    }


def _draws(items: pd.DataFrame, levels: Levels) -> float:
    """Return how often in a year sites take from the shared stock: once in each cycle whose demand exceeds the forecast."""
    lasts = items["order_quantity"] / items["daily_demand"].where(items["daily_demand"] > 0)
    cycle = np.maximum(items["review_period_days"], lasts.fillna(0.0)).clip(lower=1.0)
    over = levels.protection.of_rows(items["row"].to_numpy())
    yearly = (365 / cycle).to_numpy() * over.chance_above(over.mean())
    return float(yearly.sum() * (len(items) - 1) / len(items))


def share_stock(
    levels: Levels, errors: pd.DataFrame, *, part: Slice, params: InventoryPolicyParams
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return transfers between sites and their pooled safety stock; both empty where nothing can be shared."""
    if why_not_shared(levels, part):
        return pd.DataFrame(), pd.DataFrame()
    terms = {"transfer_cost": params.assumed_transfer_cost, "transfer_days": params.transfer_days}
    return propose_sharing(levels, part=part, **terms), score_pooling(levels, errors, part=part, **terms)
