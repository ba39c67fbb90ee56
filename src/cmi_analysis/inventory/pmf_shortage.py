"""Expected shortage, mean and chances read off distributions on whole steps, one row for each item."""

from __future__ import annotations

import numpy as np


def mean_of(pmf: np.ndarray) -> np.ndarray:
    """Return the mean of each item's distribution [grid steps]."""
    return pmf @ np.arange(pmf.shape[1], dtype="float64")


def shortage_curve(pmf: np.ndarray) -> np.ndarray:
    """Return n(y) = E(X − y)⁺ at y = 0, 1, … m for each item [grid steps].

    n(y) = Σ_{x ≥ y} P(X > x) (Zipkin 2000, section C.2.3).

    Examples
    --------
    >>> shortage_curve(np.array([[0.5, 0.25, 0.25]])).tolist()
    [[0.75, 0.25, 0.0]]
    """
    above = pmf[:, ::-1].cumsum(axis=1)[:, ::-1]
    steps = np.concatenate([above[:, 1:], np.zeros((len(pmf), 1))], axis=1)
    return steps[:, ::-1].cumsum(axis=1)[:, ::-1]


def shortage_at(level: np.ndarray, *, curve: np.ndarray) -> np.ndarray:
    """Return n at whole levels of any size, items × levels; below zero n(y) = n(0) − y.

    Examples
    --------
    >>> shortage_at(np.array([[-1, 1, 9]]), curve=np.array([[0.75, 0.25, 0.0]])).tolist()
    [[1.75, 0.25, 0.0]]
    """
    place = np.clip(level, 0, curve.shape[1] - 1).astype("int64")
    return np.take_along_axis(curve, place, axis=1) - np.minimum(level, 0)


def chance_up_to(level: np.ndarray, *, pmf: np.ndarray) -> np.ndarray:
    """Return P(X ≤ y) at whole levels of any size, items × levels [fraction]."""
    below = np.minimum(pmf.cumsum(axis=1), 1.0)
    place = np.clip(level, 0, pmf.shape[1] - 1).astype("int64")
    return np.where(level < 0, 0.0, np.where(level >= pmf.shape[1] - 1, 1.0, np.take_along_axis(below, place, axis=1)))
