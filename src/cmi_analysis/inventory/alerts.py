"""Alerts: what needs a look today, with the money at stake."""

from __future__ import annotations

import datetime as dt

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
ADVICE = ("order_now", "expedite", "transfer_in", "transfer", "return", "cancel", "use_first", "run_down", "count")
"""What to do about an alert, as keys of texts."""
_KEY = ["echelon", "customer_id", "product_id"]
_COVERED = 0.5  # share of the shortage that open supply must be able to meet to be worth hurrying


def find_alerts(
    items: pd.DataFrame, *, alert_chance: float = 0.25, stale_days: int = 14, closed: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return every alert of every item, with the money at stake and what to do.

    ``stocked_out``: nothing on the shelf and demand is forecast. ``will_stock_out``: the chance that stock and open supply
    do not last until an order placed today can arrive is above `alert_chance`. ``dead_stock``: stock, but no use in the last
    182 days and less than half a unit forecast for the next 182. ``excess``: stock on the shelf above the policy's highest
    position that has no expected use within the protection interval and 90 days more (of an item that is not dead).
    ``surplus_order``: on order beyond the highest position. ``expiring``: units that expire before they are expected to be
    used. ``stale``: the newest stock count is older than `stale_days`.

    What to do: stock-outs: ``expedite`` where open supply could meet half of what is short, ``transfer_in`` where another site of
    the list has that much stock above its own policy, else ``order_now``. Dead stock: ``transfer`` where another site uses the
    product, else ``return``. Excess: ``transfer`` where another site is short of the product, else ``run_down``.
    ``surplus_order``: ``cancel``. ``expiring``: ``use_first``, or ``transfer`` where another site is short of it. ``stale``:
    ``count``.

    Near holidays, when who ships or who receives is closed, an alert can be muted: a site that nobody counts during its own
    holiday is not stale, and a coming stock-out that lies wholly in the days on which the site itself is closed hurts nobody.

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
    closed : pandas.DataFrame, optional
        Closed days by item as from `count_closed_days`: customer_id, product_id, closed_since_count, closed_until_arrival,
        days_until_arrival [days].

    Returns
    -------
    pandas.DataFrame
        echelon, customer_id, product_id, alert, chance [fraction], quantity [units], money (stock-outs: our margin and penalty;
        others: at the owner's cost; missing where no cost is known), advice (`ADVICE`), muted (bool: told, but not counted as
        something to act on); most urgent kind first, muted ones last, then by money, quantity and item.

    Notes
    -----
    Optional columns of `items`: on_order [units]: without it nothing is said to be on order.
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
    alerts = alerts.assign(advice=_advise(alerts, items), muted=_mute(alerts, items, closed, stale_days=stale_days))
    order = alerts["alert"].map({kind: place for place, kind in enumerate(ALERTS)})
    ranked = alerts.assign(place=order, least=-alerts["money"].fillna(0.0), fewest=-alerts["quantity"].fillna(0.0))
    ranked = ranked.sort_values(["muted", "place", "least", "fewest", *_KEY], kind="stable")
    return ranked.drop(columns=["place", "least", "fewest"]).reset_index(drop=True)


def count_closed_days(
    items: pd.DataFrame, calendar: pd.DataFrame, *, as_of: dt.date, site_of: pd.Series | None = None
) -> pd.DataFrame:
    """Return how many of the days since an item's last count, and until an order placed today arrives, its site is closed.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id, stock_age_days, lead_time_days [days].
    calendar : pandas.DataFrame
        calendar_id, date, open (bool); days that it does not name are open.
    as_of : datetime.date
        Today.
    site_of : pandas.Series, optional
        Calendar of each customer, by customer_id; by default one calendar for all.

    Returns
    -------
    pandas.DataFrame
        customer_id, product_id, closed_since_count, closed_until_arrival, days_until_arrival [days]; rows as `items`.

    Examples
    --------
    >>> items = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"], "stock_age_days": [3.0], "lead_time_days": [2.0]})
    >>> days = pd.DataFrame({"calendar_id": "x", "date": pd.to_datetime(["2024-02-09", "2024-02-10"]), "open": False})
    >>> count_closed_days(items, days, as_of=dt.date(2024, 2, 9)).iloc[0, 2:].astype(int).tolist()
    [1, 1, 2]
    """
    shut = calendar[~calendar["open"].astype(bool)]
    only = shut["calendar_id"].iloc[0] if len(shut) else ""
    own = items["customer_id"].map(site_of) if site_of is not None else pd.Series(only, index=items.index)
    today = pd.Timestamp(as_of)
    since = items["stock_age_days"].fillna(0.0).to_numpy(dtype="float64")
    until = np.maximum(np.ceil(items["lead_time_days"].fillna(0.0).to_numpy(dtype="float64")), 1.0)
    counts = np.zeros((2, len(items)))
    for calendar_id, days in shut.groupby("calendar_id", sort=True)["date"]:
        rows = (own == calendar_id).to_numpy()
        offset = (days.drop_duplicates() - today).dt.days.to_numpy()
        counts[0, rows] = ((offset <= 0) & (offset > -since[rows, None])).sum(axis=1)
        counts[1, rows] = ((offset >= 1) & (offset <= until[rows, None])).sum(axis=1)
    names = {name: items[name] for name in ("customer_id", "product_id")}
    return pd.DataFrame(
        {**names, "closed_since_count": counts[0], "closed_until_arrival": counts[1], "days_until_arrival": until}
    )


def _mute(alerts: pd.DataFrame, items: pd.DataFrame, closed: pd.DataFrame | None, *, stale_days: int) -> np.ndarray:
    """Return which alerts a holiday explains."""
    if closed is None or alerts.empty:
        return np.zeros(len(alerts), dtype=bool)
    key = ["customer_id", "product_id"]
    age = items[[*key, "stock_age_days"]]
    rows = alerts[key].merge(closed, on=key, how="left").merge(age, on=key, how="left")
    counted = rows["stock_age_days"] - rows["closed_since_count"].fillna(0.0)
    stale = (alerts["alert"] == "stale").to_numpy() & (counted <= stale_days).to_numpy()
    whole = (rows["closed_until_arrival"] >= rows["days_until_arrival"]).to_numpy()
    return stale | (alerts["alert"].isin(["stocked_out", "will_stock_out"]).to_numpy() & whole)


def _advise(alerts: pd.DataFrame, items: pd.DataFrame) -> pd.Series:
    """Return what to do about each alert: a key of `ADVICE`."""
    key = ["customer_id", "product_id"]
    spare = np.minimum(items["excess_on_shelf"], items["without_use"]).fillna(0.0).clip(lower=0)
    facts = items[key].assign(
        spare=spare,
        lacks=items["short"].fillna(0.0),
        uses=items["forecast_half_year"].fillna(0.0),
        coming=items["on_order"].fillna(0.0) if "on_order" in items else 0.0,
    )
    total = facts.groupby("product_id")[["spare", "lacks", "uses"]].transform("sum")
    for name in ("spare", "lacks", "uses"):
        facts[f"others_{name}"] = total[name] - facts[name]
    rows = alerts[[*key, "alert", "quantity"]].merge(facts, on=key, how="left")
    short = rows["quantity"].fillna(0.0)
    out = rows["alert"].isin(["stocked_out", "will_stock_out"])
    moves = rows["others_lacks"] >= 1
    rules = {
        "expedite": out & (rows["coming"] > 0) & (rows["coming"] >= _COVERED * short),
        "transfer_in": out & (rows["others_spare"] >= np.maximum(short, 1.0)),
        "order_now": out,
        "transfer": (rows["alert"] == "dead_stock") & (rows["others_uses"] >= 1)
        | rows["alert"].isin(["excess", "expiring"]) & moves,
        "return": rows["alert"] == "dead_stock",
        "run_down": rows["alert"] == "excess",
        "cancel": rows["alert"] == "surplus_order",
        "use_first": rows["alert"] == "expiring",
    }
    return pd.Series(np.select(list(rules.values()), list(rules), default="count"), index=alerts.index, dtype="object")


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
