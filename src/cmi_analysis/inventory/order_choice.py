"""Order now, wait, or not at all: a minimum of 60 for a need of 5 is a two-year order, so the three are compared in money."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.loss import expected_shortage
from cmi_analysis.inventory.order_limits import expected_waste

CHOICES = ("now", "wait", "never")
"""What can be done with an order that the agreement makes larger than the need."""
_STEP = 7


def compare_choices(
    orders: pd.DataFrame, *, path: DemandPath, reviews: int = 8, horizon_days: int | None = None, waste_value: float = 1.0
) -> pd.DataFrame:
    """Return for each order the expected cost of placing it now, at a later review, and never, and which is least.

    Cost over a horizon H that is the same for the three = holding h·∫E(stock)dt + shortage p·E(units short) + order cost
    [if ordered] + expiry c·E(waste). With an order Q that is on the shelf from day a on, and stock P (on hand + on order −
    backordered) until then, units short = n_a(P) + n_H(P + Q) − n_a(P + Q), n_t(y) = E(D(t) − y)⁺: each unit that has to wait or
    is lost counts once. The stock is taken at steps of a week. Order of events: what is ordered on day t is on the shelf before
    the demand of day t + L + 1.

    Parameters
    ----------
    orders : pandas.DataFrame
        quantity [units, what the agreement makes of the need], position [units], lead_time_days, review_period_days [days],
        holding_cost [money/unit/year], shortage_cost [money/unit], order_cost [money]; optional unit_cost [money/unit] and
        shelf_life_days [days] (both needed for expiry). Costs may be missing.
    path : DemandPath
        Demand by day, rows as `orders`.
    reviews : int
        Later reviews looked at [count].
    horizon_days : int, optional
        H; by default the days until the last of these orders is expected to be used up, at most the path's [days].
    waste_value : float
        Share of the unit cost that is lost with a unit that expires [fraction].

    Returns
    -------
    pandas.DataFrame
        Rows as `orders`: choice (``now``, ``wait``, ``never``; ``unknown_costs`` where a cost is missing), wait_days [days, 0
        where not to wait], cost_now, cost_wait (of the best later review), cost_never [money], saving (cost of ordering now less
        that of the choice) [money], cover_days (days of demand that the order holds, at most the path's) [days], waste [units
        expected to expire if ordered now]. Costs are 0 where they are unknown.

    Raises
    ------
    InputError
        A known cost, a lead time or a review period is below zero.
    """
    _check_orders(orders)
    costs = orders[["holding_cost", "shortage_cost", "order_cost"]].astype("float64")
    known = costs.notna().all(axis=1).to_numpy()
    h, p, k = (costs[name].fillna(0.0).to_numpy() for name in ("holding_cost", "shortage_cost", "order_cost"))
    position, quantity = (orders[name].to_numpy(dtype="float64") for name in ("position", "quantity"))
    lead, review = (np.round(orders[name].to_numpy(dtype="float64")) for name in ("lead_time_days", "review_period_days"))
    last = _horizon(path, position + quantity, lead + review * (reviews + 1), horizon_days)
    bare, full, zero = _weekly_stock(path, position), _weekly_stock(path, position + quantity), np.zeros(len(orders))
    never = h / 365 * _stock_days(bare, start=zero, end=last) + p * _short(path, position, last)
    at_end = _short(path, position + quantity, last)
    waits = []
    for review_number in range(reviews + 1):
        arrival = np.minimum(lead + review * review_number, last)
        stock_days = _stock_days(bare, start=zero, end=arrival) + _stock_days(full, start=arrival, end=last)
        short = _short(path, position, arrival) + at_end - _short(path, position + quantity, arrival)
        waste = _waste(orders, path, quantity=quantity, position=position, day=arrival)
        waits.append(h / 365 * stock_days + p * np.maximum(short, 0.0) + k + waste * _column(orders, "unit_cost") * waste_value)
    table = np.stack(waits, axis=1)
    now, later = table[:, 0], table[:, 1:]
    best = later.argmin(axis=1) if reviews else np.zeros(len(orders), dtype="int64")
    wait = later.min(axis=1) if reviews else np.full(len(orders), np.inf)
    place = np.stack([now, wait, never], axis=1).argmin(axis=1)
    choice = np.where(known, np.array(CHOICES, dtype=object)[place], "unknown_costs")
    least = np.stack([now, wait, never], axis=1).min(axis=1)
    return pd.DataFrame(
        {
            "choice": choice,
            "wait_days": np.where(choice == "wait", review * (best + 1), 0.0),
            "cost_now": np.where(known, now, 0.0),
            "cost_wait": np.where(known & np.isfinite(wait), wait, 0.0),
            "cost_never": np.where(known, never, 0.0),
            "saving": np.where(known, now - least, 0.0),
            "cover_days": _days_of(path, position + quantity) - _days_of(path, position),
            "waste": _waste(orders, path, quantity=quantity, position=position, day=lead),
        },
        index=orders.index,
    )


def _horizon(path: DemandPath, stock: np.ndarray, latest: np.ndarray, days: int | None) -> np.ndarray:
    """Return the horizon of each item [days]: until its stock with the order is used up, and at least the latest arrival."""
    if days is not None:
        return np.full(len(stock), float(min(days, path.days)))
    return np.minimum(np.maximum(_days_of(path, stock), latest), path.days)


def _days_of(path: DemandPath, stock: np.ndarray) -> np.ndarray:
    """Return the first day on which the mean demand reaches the stock, the path's last where it never does [days]."""
    reached = path.mean >= np.maximum(stock, 0.0)[:, None] - 1e-9
    return np.where(reached.any(axis=1), reached.argmax(axis=1), path.days).astype("float64")


def _weekly_stock(path: DemandPath, stock: np.ndarray) -> np.ndarray:
    """Return the expected stock on the shelf in the middle of each week that a stock without further supply leaves [units]."""
    middle = np.minimum(np.arange(0, path.days, _STEP) + (_STEP + 1) // 2, path.days)
    mean, variance = path.mean[:, middle], path.variance[:, middle]
    short = expected_shortage(stock[:, None], mean=mean, variance=variance)
    return np.maximum(stock[:, None] - mean + short, 0.0)


def _stock_days(weekly: np.ndarray, *, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the unit-days held from day `start` to day `end` of each item."""
    edge = np.arange(weekly.shape[1]) * float(_STEP)
    overlap = np.minimum(edge + _STEP, end[:, None]) - np.maximum(edge, start[:, None])
    return (weekly * np.maximum(overlap, 0.0)).sum(axis=1)


def _short(path: DemandPath, stock: np.ndarray, day: np.ndarray) -> np.ndarray:
    return expected_shortage(stock, mean=path.mean_at(day), variance=path.variance_at(day))


def _waste(orders: pd.DataFrame, path: DemandPath, *, quantity: np.ndarray, position: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return the units of an order arriving on `day` that are expected to expire [units]; 0 where the shelf life is unknown."""
    life = _column(orders, "shelf_life_days") if "shelf_life_days" in orders else np.full(len(orders), np.nan)
    until = day + np.nan_to_num(life, nan=0.0)
    counts = np.isfinite(life) & (until <= path.days)
    wasted = expected_waste(quantity, position=position, mean=path.mean_at(until), variance=path.variance_at(until))
    return np.where(counts, wasted, 0.0)


def _column(orders: pd.DataFrame, name: str) -> np.ndarray:
    values = orders[name].to_numpy(dtype="float64") if name in orders else np.zeros(len(orders))
    return values if name == "shelf_life_days" else np.nan_to_num(values)


def _check_orders(orders: pd.DataFrame) -> None:
    for name in ("quantity", "lead_time_days", "review_period_days", "holding_cost", "shortage_cost", "order_cost", "unit_cost"):
        if name in orders and (orders[name] < 0).any():
            raise InputError(
                expected=f"a {name} of zero or more",
                found=f"{orders[name].min()}",
                fix="Correct the sign, or leave the order out.",
            )
