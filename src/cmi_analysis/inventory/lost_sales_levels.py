"""Levels and promise where demand that is not met is lost, by simulation: the formulas for backorders do not apply."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.contract_windows import simulate_windows

_WINDOWS = 20_000  # of 30 days, over all items; at least 50 each


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
) -> np.ndarray:
    """Return the shelf fill of each item's policy with lost sales, 1 without demand; as `contract_windows.simulate_windows`.

    Few items are simulated longer: 1,500 days of each of many, up to 600,000 of one.
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
        windows=int(np.clip(_WINDOWS // max(len(trigger), 1), 50, _WINDOWS)),
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

    Where nothing is backordered, a level serves at least as much as with backorders: demand that is lost leaves the stock to
    later demand. So the smallest level lies at or below that for backorders; it is found by bisection on the simulated fill, the
    same demand for every level, to a hundredth of the level. Without a shelf fill as target the levels stay as they are (on the
    safe side) and only the promise is simulated.

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
    batched = (policies["policy"] == "reorder_point").to_numpy()
    batch = np.maximum(policies["order_quantity"].to_numpy(dtype="float64"), 1.0)
    simulation = {"daily_mean": daily_mean, "daily_variance": daily_variance, "days": days, "chances": chances}
    more = {"review_days": review_days, "batch": batch, "seed": seed}
    high = policies["trigger"].to_numpy(dtype="float64")
    best = simulate_lost_fill(high, **simulation, **more)  # type: ignore[arg-type]
    if target is not None:
        # where the formula's own level does not do, by chance or by a cap, it stays
        low = np.where((best >= target) & (policies["policy"] != "none").to_numpy(), 0.0, high)
        while np.any(high - low > np.maximum(0.01 * high, 0.5)):
            middle = np.floor((low + high) / 2)
            found = simulate_lost_fill(middle, **simulation, **more)  # type: ignore[arg-type]
            enough = (found >= target) & (low < high)
            best = np.where(enough, found, best)
            high, low = np.where(enough, middle, high), np.where(enough | (low >= high), low, np.minimum(middle + 1, high))
    change = high - policies["trigger"].to_numpy(dtype="float64")
    active = (policies["policy"] != "none").to_numpy()
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
