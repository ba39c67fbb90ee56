"""Levels and promise where demand that is not met is lost, by simulation: the formulas for backorders do not apply."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from cmi_analysis.inventory.contract_windows import simulate_windows

_SEARCH, _JUDGE = 20_000, 100_000  # windows of 30 days over all items, while a level is looked for and for its promise
_LEAST = 50  # windows of an item
_TOLERANCE = 5e-4


def simulate_lost_fill(
    trigger: np.ndarray,
    *,
    daily_mean: np.ndarray,
    daily_variance: np.ndarray,
    days: np.ndarray,
    chances: np.ndarray,
    review_days: np.ndarray,
    batch: np.ndarray,
    seed: int,
    windows: int = _JUDGE,
) -> np.ndarray:
    """Return the shelf fill of each item's policy with lost sales, 1 without demand; as `contract_windows.simulate_windows`.

    `windows` of 30 days are shared by the items, at least 50 for each: 1,500 days of each of many, 3,000,000 of one.
    """
    demand, met = simulate_windows(
        daily_mean=daily_mean,
        daily_variance=daily_variance,
        days=days,
        chances=chances,
        review_days=review_days,
        trigger=trigger,
        batch=batch,
        seed=seed,
        windows=max(windows // max(len(trigger), 1), _LEAST),
        lost_sales=True,
    )
    wanted, filled = demand.sum(axis=1), met.sum(axis=1)
    return np.where(wanted > 0, filled / np.where(wanted > 0, wanted, 1.0), 1.0)


def lower_to_lost_sales(
    policies: pd.DataFrame,
    *,
    target: np.ndarray | None,
    lead_mean: np.ndarray,
    daily_mean: np.ndarray,
    daily_variance: np.ndarray,
    days: np.ndarray,
    chances: np.ndarray,
    review_days: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    """Return the policies with the levels that keep the shelf fill with lost sales, and the fill that they keep.

    Demand that is lost leaves the stock to later demand, so the smallest level mostly lies below that for backorders; it is found
    by bisection on the simulated fill, the same demand for every level, to a hundredth of the level. The promise comes from
    another, longer simulation: a level that was picked by its luck is raised until it keeps the target there. Where nothing is
    ever owed, a trigger below 1 never orders, so it is at least 1. Without a shelf fill as target, and where the agreement caps
    the stock, the levels stay (for a service aim on the safe side) and only the promise is simulated.

    Parameters
    ----------
    policies : pandas.DataFrame
        As from `levels.fit_policies`.
    target : numpy.ndarray or None
        Shelf fill wanted [fraction].
    lead_mean : numpy.ndarray
        Mean demand over L of each item [units].
    daily_mean, daily_variance, days, chances, review_days, seed
        As in `simulate_lost_fill`.

    Returns
    -------
    pandas.DataFrame
        As `policies`.
    """
    batched, active = (policies["policy"] == "reorder_point").to_numpy(), (policies["policy"] != "none").to_numpy()
    batch = np.maximum(policies["order_quantity"].to_numpy(dtype="float64"), 1.0)
    fill = partial(
        simulate_lost_fill,
        daily_mean=daily_mean,
        daily_variance=daily_variance,
        days=days,
        chances=chances,
        review_days=review_days,
        batch=batch,
    )
    before = policies["trigger"].to_numpy(dtype="float64")
    high = np.where(active, np.maximum(before, 1.0), before)
    free = active & ~policies["at_maximum"].to_numpy(dtype=bool)
    if target is not None:
        high = _search(high, target, free=free, fill=partial(fill, seed=seed, windows=_SEARCH))
    best = fill(high, seed=seed + 1)
    for _ in range(6 if target is not None else 0):
        missed = free & (best < target - _TOLERANCE)
        if not missed.any():
            break
        high = np.where(missed, high + np.maximum(np.ceil(0.01 * high), 1.0), high)
        best = fill(high, seed=seed + 1)
    change = high - before
    moved = {
        name: np.where(active, policies[name] + change, policies[name]) for name in ("reorder_point", "safety_stock", "trigger")
    }
    short = policies["mean_demand"].to_numpy(dtype="float64") - lead_mean
    size = np.where(batched, batch, 1.0)
    return policies.assign(
        **moved,
        lowest=np.maximum(moved["trigger"] - short, 0.0),
        mean_stock=np.maximum(policies["mean_stock"] + np.where(active, change, 0.0), 0.0),
        promised=best,
        order_up_to_level=np.where(active, moved["reorder_point"] + size, 0.0),
    )


def _search(high: np.ndarray, target: np.ndarray, *, free: np.ndarray, fill: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the smallest triggers that keep the target, to a hundredth; those that are not free stay."""
    for _ in range(20):
        missed = free & (fill(high) < target)
        if not missed.any():
            break
        high = np.where(missed, np.ceil(1.25 * high) + 1, high)
    low = np.where(free, 0.0, high)
    while np.any(high - low > np.maximum(0.01 * high, 0.5)):
        middle = np.floor((low + high) / 2)
        enough = (fill(middle) >= target) & (low < high)
        high, low = np.where(enough, middle, high), np.where(enough | (low >= high), low, np.minimum(middle + 1, high))
    return high
