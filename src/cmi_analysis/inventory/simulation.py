"""Service and stock of a policy by simulation, in arrays over items × replications."""

from __future__ import annotations

import numpy as np
import pandas as pd


def simulate_policy(
    *,
    daily_mean: np.ndarray,
    daily_variance: np.ndarray,
    days: np.ndarray,
    chances: np.ndarray,
    review_days: np.ndarray,
    trigger: np.ndarray,
    batch: np.ndarray,
    seed: int,
    replications: int = 8,
    length: int = 364,
    warm_up: int = 91,
) -> pd.DataFrame:
    """Return the shelf fill and the mean stock that each item's policy keeps under stationary demand with backorders.

    Order of events on a day: orders due arrive; demand is met from stock, the rest waits; at the end of a review day, if the
    position (on hand + on order − backordered) is below the trigger T, the fewest batches Q are ordered that bring it to T or
    above. What is ordered on day t with lead time L arrives before the demand of day t + L + 1. An order-up-to level S is T = S,
    Q = pack; a reorder point r is T = r + 1. Daily demand is independent: negative binomial (Poisson where the variance is not
    above the mean), so that sums over days keep the distribution. Reviews start at a random day of the cycle.

    Parameters
    ----------
    daily_mean, daily_variance : numpy.ndarray
        Of each item's demand on one day [units, units²].
    days, chances : numpy.ndarray
        Lead times and their chances, items × points [days, fraction].
    review_days, trigger, batch : numpy.ndarray
        Policy of each item [days, units, units].
    seed : int
        Seed of the random numbers.
    replications, length, warm_up : int
        Runs of each item; days counted; days before that are not [count, days, days].

    Returns
    -------
    pandas.DataFrame
        One row an item: demand, filled [units], simulated [fraction; 1 without demand], mean_stock [units], and the standard
        error of `simulated` over the replications as simulated_error. The stock is the mean of each day's start and end.
    """
    random = np.random.default_rng(seed)
    shape = (len(daily_mean), replications)
    review = np.maximum(np.round(review_days), 1).astype("int64")[:, None]
    phase = random.integers(0, 10**6, size=shape) % review
    longest = int(days.max(initial=0)) + 2
    target, size = np.asarray(trigger, dtype="float64")[:, None], np.maximum(np.asarray(batch, dtype="float64"), 1.0)[:, None]
    due = np.zeros((longest, *shape))
    net, position = np.broadcast_to(np.maximum(target, 0.0), shape).copy(), np.broadcast_to(np.maximum(target, 0.0), shape).copy()
    demanded, filled, held = np.zeros((3, *shape))
    limits = chances.cumsum(axis=1)
    item, run = np.indices(shape)
    for day in range(warm_up + length):
        slot = day % longest
        net += due[slot]
        due[slot] = 0.0
        demand = _draw(random, daily_mean, daily_variance, shape)
        if day >= warm_up:
            demanded += demand
            filled += np.minimum(demand, np.maximum(net, 0.0))
        held += (np.maximum(net, 0.0) + np.maximum(net - demand, 0.0)) / 2 if day >= warm_up else 0.0
        net -= demand
        position -= demand
        order = np.where((day + phase) % review == 0, np.ceil(np.maximum(target - position, 0.0) / size - 1e-9) * size, 0.0)
        place = (random.random(shape)[:, :, None] > limits[:, None, :-1]).sum(axis=2)
        arrives = (day + 1 + days[item, place].astype("int64")) % longest
        due[arrives, item, run] += order
        position += order
    return _summary(demanded, filled, held / max(length, 1))


def _draw(random: np.random.Generator, mean: np.ndarray, variance: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    spread = variance > mean * (1 + 1e-9)
    shape_of_rate = np.where(spread, mean**2 / np.where(spread, variance - mean, 1.0), 1.0)
    scale = np.where(spread, (variance - mean) / np.where(mean > 0, mean, 1.0), 1.0)
    rate = random.gamma(shape_of_rate[:, None], scale[:, None], size=shape)
    return random.poisson(np.where(spread[:, None], rate, mean[:, None])).astype("float64")


def _summary(demanded: np.ndarray, filled: np.ndarray, held: np.ndarray) -> pd.DataFrame:
    demand, met = demanded.sum(axis=1), filled.sum(axis=1)
    simulated = np.where(demand > 0, met / np.where(demand > 0, demand, 1.0), 1.0)
    residual = filled - simulated[:, None] * demanded
    runs = demanded.shape[1]
    error = np.sqrt((residual**2).sum(axis=1) / max(runs - 1, 1) * runs) / np.where(demand > 0, demand, 1.0)
    return pd.DataFrame(
        {"demand": demand, "filled": met, "simulated": simulated, "mean_stock": held.mean(axis=1), "simulated_error": error}
    )
