"""Alerts: what needs a look today, with the money at stake."""

from __future__ import annotations

import numpy as np
import pandas as pd

ALERTS = (
    "stocked_out",
    "will_stock_out",
    "dead_stock",
    "excess",
    "surplus_order",
    "expiring",
    "stale",
)
"""Kinds of alert, most urgent first."""
_KEY = ["echelon", "customer_id", "product_id"]


def find_alerts(items: pd.DataFrame, *, alert_chance: float = 0.25, stale_days: int = 14) -> pd.DataFrame:
    """Return every alert of every item.

    ``stocked_out``: nothing on the shelf and demand is forecast. ``will_stock_out``: the chance that stock and open supply
    do not last until an order placed today can arrive is above `alert_chance`. ``dead_stock``: stock, but no use in the last
    182 days and less than half a unit forecast for the next 182. ``excess``: stock on the shelf above the policy's highest
    position that has no expected use within the protection interval and 90 days more (of an item that is not dead).
    ``surplus_order``: on order beyond the highest position. ``expiring``: units that expire before they are expected to be
    used. ``stale``: the newest stock count is older than `stale_days`.

    Parameters
    ----------
    items : pandas.DataFrame
        echelon, customer_id, product_id, on_hand, demand_until_arrival, shortage_chance, short, stockout_value,
        used_half_year, forecast_half_year, excess_on_shelf, excess_on_order, without_use, expiring [units], owner_cost [money],
        stock_age_days [days].
    alert_chance : float
        Least chance of a coming stock-out that is told [fraction].
    stale_days : int
        Most days since the newest stock count [days].

    Returns
    -------
    pandas.DataFrame
        echelon, customer_id, product_id, alert, chance [fraction], quantity [units], money (stock-outs: our margin and penalty;
        others: at the owner's cost; missing where no cost is known); most urgent kind first, then by money, quantity and item.
    """
    held, wanted = items["on_hand"], items["demand_until_arrival"] > 0
    out = (held <= 0) & wanted
    dead = (held > 0) & (items["used_half_year"] <= 0) & (items["forecast_half_year"] < 0.5)
    surplus = np.minimum(items["excess_on_shelf"], items["without_use"])
    short = ("short", "stockout_value")
    parts = [
        _rows(items, out, "stocked_out", *short),
        _rows(items, ~out & (held > 0) & (items["shortage_chance"] > alert_chance) & wanted, "will_stock_out", *short),
        _rows(items.assign(of=held), dead, "dead_stock", "of"),
        _rows(items.assign(of=surplus), (surplus >= 1) & ~dead, "excess", "of"),
        _rows(items, items["excess_on_order"] >= 1, "surplus_order", "excess_on_order"),
        _rows(items, items["expiring"] >= 1, "expiring", "expiring"),
        _rows(items.assign(of=held), items["stock_age_days"] > stale_days, "stale", "of"),
    ]
    alerts = pd.concat(parts, ignore_index=True)
    order = alerts["alert"].map({kind: place for place, kind in enumerate(ALERTS)})
    ranked = alerts.assign(place=order, least=-alerts["money"].fillna(0.0), fewest=-alerts["quantity"].fillna(0.0))
    ranked = ranked.sort_values(["place", "least", "fewest", *_KEY], kind="stable")
    return ranked.drop(columns=["place", "least", "fewest"]).reset_index(drop=True)


def _rows(items: pd.DataFrame, chosen: pd.Series, alert: str, quantity: str, money: str = "") -> pd.DataFrame:
    rows = items[chosen.fillna(False).astype(bool)]
    chance = rows["shortage_chance"].astype("float64") if alert in ("stocked_out", "will_stock_out") else np.nan
    value = rows[money] if money else rows[quantity] * rows["owner_cost"]
    return pd.DataFrame(
        {
            **{name: rows[name] for name in _KEY},
            "alert": pd.Series(alert, index=rows.index, dtype="object"),
            "chance": chance,
            "quantity": rows[quantity].astype("float64"),
            "money": value.astype("float64"),
        }
    )
