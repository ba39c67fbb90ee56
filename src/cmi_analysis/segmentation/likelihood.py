"""Maximum likelihood of positive parameters, with a verdict on whether the data tell them at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

BOUNDS = (1e-4, 1e4)
LARGEST_ERROR = 2.0  # standard error of a logarithm: a factor of about 50 from end to end of the 95 % interval


@dataclass(frozen=True)
class Fit:
    """Parameters, the weighted log-likelihood there, and whether it is degenerate."""

    parameters: tuple[float, ...]
    log_likelihood: float
    degenerate: bool


def maximise(
    log_likelihood: Callable[[np.ndarray], np.ndarray], *, weights: np.ndarray, starts: Sequence[Sequence[float]]
) -> Fit:
    """Return the positive parameters with the largest weighted log-likelihood.

    Parameters
    ----------
    log_likelihood : callable
        Parameters [positive] to the log-likelihood of each row, shape (rows,).
    weights : numpy.ndarray
        Weight of each row, shape (rows,).
    starts : sequence of sequences of float
        Parameters to begin from; the best end counts.

    Notes
    -----
    L-BFGS-B on the logarithms, between 1e-4 and 1e4. A fit is degenerate where a parameter ends at a bound, or where the
    curvature there gives a logarithm a standard error above 2 or none at all: then the data do not tell the parameter.
    """
    from scipy.optimize import minimize

    total = float(weights.sum())

    def cost(logs: np.ndarray) -> float:
        value = float(weights @ log_likelihood(np.exp(logs))) / total
        return -value if np.isfinite(value) else 1e10

    low, high = np.log(BOUNDS)
    tries = [
        minimize(
            cost, np.clip(np.log(start), low, high), method="L-BFGS-B", bounds=[(low, high)] * len(start), options={"ftol": 1e-13}
        )
        for start in starts
    ]
    best = min(tries, key=lambda found: float(found.fun))
    at_bound = bool(((best.x < low + 1e-3) | (best.x > high - 1e-3)).any())
    degenerate = at_bound or not _told(cost, best.x, total=total)
    return Fit(tuple(float(value) for value in np.exp(best.x)), -float(best.fun) * total, degenerate)


def _told(cost: Callable[[np.ndarray], float], place: np.ndarray, *, total: float, step: float = 1e-3) -> bool:
    """Tell whether every logarithm has a standard error of at most `LARGEST_ERROR`."""
    count = len(place)
    shift = np.eye(count) * step
    curvature = np.empty((count, count))
    for i in range(count):
        for j in range(i, count):
            corners = [cost(place + p * shift[i] + q * shift[j]) * p * q for p in (1, -1) for q in (1, -1)]
            curvature[i, j] = curvature[j, i] = sum(corners) / (4 * step**2) * total
    values, vectors = np.linalg.eigh(curvature)
    if values[0] <= 0:
        return False
    variance = np.diag((vectors / values) @ vectors.T)
    return bool((variance <= LARGEST_ERROR**2).all())
