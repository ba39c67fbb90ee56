"""Random demand and lead times for the simulator, drawn per item, period and replication, whatever the policy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError


def draw_demand(chances: np.ndarray, *, periods: int, seed: int, replications: int = 1, unit: float = 1.0) -> np.ndarray:
    """Return demand of independent periods drawn from each item's probabilities of 0, 1, 2, … units.

    Parameters
    ----------
    chances : numpy.ndarray
        Items × points: probability of a period's demand of 0, 1, 2, … times `unit` [fraction].
    periods, replications : int
        How many to draw of each item.
    seed : int
        Seed of the random numbers; the same seed gives the same paths.
    unit : float
        Distance of the points [units].

    Raises
    ------
    InputError
        A probability is negative or missing, or an item's do not sum to 1.

    Returns
    -------
    numpy.ndarray
        Items × periods × replications [units]; int32 where `unit` is 1.

    Examples
    --------
    >>> draw_demand(np.array([[0.0, 0.0, 1.0]]), periods=3, seed=1)[0, :, 0].tolist()
    [2, 2, 2]
    """
    table = _checked(chances, name="demand")
    random = np.random.default_rng(seed)
    drawn = np.empty((len(table), replications, periods), dtype="int32")
    for item, row in enumerate(table.cumsum(axis=1)):
        drawn[item] = np.searchsorted(row[:-1], random.random((replications, periods)), side="right")
    return drawn.transpose(0, 2, 1) if unit == 1.0 else drawn.transpose(0, 2, 1) * unit


def draw_lead_times(days: ArrayLike, *, chances: ArrayLike, periods: int, seed: int, replications: int = 1) -> np.ndarray:
    """Return lead times drawn from each item's distribution, one for an order of each period and replication.

    Parameters
    ----------
    days, chances : array_like
        Items × points, as from `spread_lead_times` [periods, fraction].
    periods, replications : int
        How many to draw of each item.
    seed : int
        Seed of the random numbers.

    Raises
    ------
    InputError
        A probability is negative or missing, or an item's do not sum to 1.

    Returns
    -------
    numpy.ndarray
        Items × periods × replications, whole [periods].

    Examples
    --------
    >>> draw_lead_times([[4, 9]], chances=[[1.0, 0.0]], periods=2, seed=1)[0, :, 0].tolist()
    [4, 4]
    """
    table = _checked(chances, name="lead time")
    values = np.round(np.asarray(days)).astype("int32")
    random = np.random.default_rng(seed)
    drawn = np.empty((len(table), replications, periods), dtype="int32")
    for item, row in enumerate(table.cumsum(axis=1)):
        drawn[item] = values[item, np.searchsorted(row[:-1], random.random((replications, periods)), side="right")]
    return drawn.transpose(0, 2, 1)


def _checked(chances: ArrayLike, *, name: str) -> np.ndarray:
    table = np.asarray(chances, dtype="float64")
    if table.ndim != 2 or not np.all(table >= 0) or not np.allclose(table.sum(axis=1), 1.0, atol=1e-6):
        raise InputError(
            expected=f"probabilities of {name}, items × points, that sum to 1",
            found=f"sums from {table.sum(axis=-1).min():g} to {table.sum(axis=-1).max():g}",
            fix="Divide each row by its sum.",
        )
    return table / table.sum(axis=1, keepdims=True)
