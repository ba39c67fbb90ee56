"""Demand as a distribution on whole steps: from its mean and variance, and over a random lead time."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.pmf import clean_pmf

TAIL = 1e-12
"""Chance at the far end of a distribution that is cut off."""


def count_pmf(*, mean: np.ndarray, variance: np.ndarray | None = None, points: int) -> np.ndarray:
    """Return Poisson chances, or negative binomial ones where the variance is above the mean, of 0, 1, 2, … units.

    Negative binomial with r = μ²/(σ² − μ), p = μ/σ². What lies beyond the last point stands on it.

    Examples
    --------
    >>> count_pmf(mean=np.array([1.0]), points=30)[0, :2].round(4).tolist()
    [0.3679, 0.3679]
    >>> count_pmf(mean=np.array([1.0]), variance=np.array([2.0]), points=30)[0, :3].round(4).tolist()
    [0.5, 0.25, 0.125]
    """
    centre = np.reshape(np.asarray(mean, dtype="float64"), (-1, 1))
    square = centre if variance is None else np.reshape(np.asarray(variance, dtype="float64"), (-1, 1))
    check_moments(centre, square)
    units, safe = np.arange(points), np.maximum(centre, 1e-12)
    spread = square > safe * (1 + 1e-9)
    shape = np.where(spread, safe**2 / np.where(spread, square - safe, 1.0), 1.0)
    chance = np.where(spread, safe / np.where(spread, square, 1.0), 0.5)
    ways = scipy.special.gammaln(units + shape) - scipy.special.gammaln(shape)
    log_spread = ways + shape * np.log(chance) + units * np.log1p(-chance)
    logs = np.where(spread, log_spread, scipy.special.xlogy(units, safe) - safe) - scipy.special.gammaln(units + 1)
    pmf = np.where(centre > 0, np.exp(logs), (units == 0).astype("float64"))
    pmf[:, -1] += np.maximum(1 - pmf.sum(axis=1), 0.0)
    return pmf / pmf.sum(axis=1, keepdims=True)


def smooth_pmf(*, mean: np.ndarray, variance: np.ndarray, step: np.ndarray | float, points: int, family: str) -> np.ndarray:
    """Return gamma or normal chances of 0, 1, 2, … steps, each with the mass of half a step on both sides.

    A normal demand below zero counts as none: the mass below stands on 0, so the mean is a little above the normal's own, by
    n(0) = E(−X)⁺ (0.04 % of σ at a coefficient of variation of 0.3, 8 % at 1).

    Examples
    --------
    >>> smooth_pmf(mean=np.array([2.0]), variance=np.array([4.0]), step=1.0, points=40, family="gamma")[0, 0].round(4)
    np.float64(0.2212)
    """
    centre, square = (np.reshape(np.asarray(value, dtype="float64"), (-1, 1)) for value in (mean, variance))
    check_moments(centre, square)
    edges = (np.arange(points) + 0.5) * np.reshape(np.asarray(step, dtype="float64"), (-1, 1))
    known = (centre > 0) & (square > 0)
    safe, spread = np.where(known, centre, 1.0), np.where(known, square, 1.0)
    if family == "normal":
        below = scipy.special.ndtr((edges - safe) / np.sqrt(spread))
    else:
        below = scipy.special.gammainc(safe**2 / spread, edges * safe / spread)
    below = np.where(known, below, edges > centre)
    pmf = np.diff(below, axis=1, prepend=0.0)
    pmf[:, -1] += 1 - below[:, -1]
    return pmf


def fit_pmf(
    mean: ArrayLike, *, variance: ArrayLike | None = None, points: int = 512, step: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return a distribution with a known mean and variance on whole steps, and the size of a step.

    Negative binomial (Poisson where the variance is not above the mean) where whole units reach far enough, else gamma rounded
    to the grid's points.

    Parameters
    ----------
    mean, variance : array_like
        Of each item [units, units²]; without variance Poisson.
    points : int
        Points of the grid.
    step : array_like, optional
        Units a step, such as those of another demand of the same items; without it 1, or what reaches far enough.

    Returns
    -------
    tuple of numpy.ndarray
        Items × points [fraction], and units a step of each item.

    Raises
    ------
    InputError
        A mean or variance is missing or negative, or the grid of the given steps does not reach far enough.

    Examples
    --------
    >>> pmf, step = fit_pmf([2.0])
    >>> round(float(pmf[0, 0]), 4), float(step[0])
    (0.1353, 1.0)
    """
    mean = np.atleast_1d(np.asarray(mean, dtype="float64"))
    spread = np.broadcast_to(mean if variance is None else np.asarray(variance, dtype="float64"), mean.shape)
    if not (np.all(np.isfinite(mean)) and np.all(np.isfinite(spread)) and np.all(mean >= 0) and np.all(spread >= 0)):
        raise InputError(
            expected="means and variances of zero or more", found="a missing or negative one", fix="Leave such items out."
        )
    safe, wide = np.where(mean > 0, mean, 1.0), np.maximum(np.where(mean > 0, spread, 1.0), np.where(mean > 0, mean, 1.0))
    reach = scipy.special.gammainccinv(safe**2 / wide, 1e-10 if step is None else 1e-7) * wide / safe + 5.0
    size = np.where(mean > 0, np.maximum(1.0, reach / (points - 1)), 1.0)
    if step is not None:
        given = np.broadcast_to(np.asarray(step, dtype="float64"), mean.shape)
        if np.any(given < size * (1 - 1e-6)):
            raise InputError(
                expected=f"steps large enough for {points} points", found=f"{given.min()}", fix=f"Take steps of {size.max():.4g}."
            )
        size = given
    gamma = smooth_pmf(mean=mean, variance=np.where(spread > 0, spread, wide), step=size, points=points, family="gamma")
    chances = np.where((size <= 1.0)[:, None], count_pmf(mean=mean, variance=np.maximum(spread, mean), points=points), gamma)
    return chances / chances.sum(axis=1, keepdims=True), size


def demand_over(daily_pmf: np.ndarray, *, lead_time_pmf: np.ndarray, days: int = 0) -> np.ndarray:
    """Return the demand over a random lead time and a number of days after it, of independent daily demand.

    The generating function is Σ_l P(L = l)·φ(z)^(l + days): a mixture, exact by fast Fourier transform.

    Parameters
    ----------
    daily_pmf : numpy.ndarray
        Items × points, demand of one day.
    lead_time_pmf : numpy.ndarray
        Items × (0 … longest lead time) [fraction].
    days : int
        Days after the lead time.

    Returns
    -------
    numpy.ndarray
        Items × points.

    Examples
    --------
    One unit a day, lead time 1 or 2 days, one day more: 2 or 3 units.

    >>> np.round(demand_over(np.array([[0.0, 1.0]]), lead_time_pmf=np.array([[0.0, 0.5, 0.5]]), days=1), 3).tolist()
    [[0.0, 0.0, 0.5, 0.5]]
    """
    longest = lead_time_pmf.shape[1] - 1 + days
    points = longest * (daily_pmf.shape[1] - 1) + 1
    size = scipy.fft.next_fast_len(max(points, 2), real=True)
    wave = np.fft.rfft(daily_pmf, size, axis=1)
    total = np.zeros_like(wave)
    for lead in range(lead_time_pmf.shape[1] - 1, -1, -1):
        total = total * wave + lead_time_pmf[:, lead, None]
    pmf = np.fft.irfft(total * wave**days, size, axis=1)[:, :points]
    return trim(clean_pmf(pmf))


def trim(pmf: np.ndarray) -> np.ndarray:
    """Return the distributions without the points that no item reaches with a chance above 10⁻¹²."""
    beyond = pmf[:, ::-1].cumsum(axis=1)[:, ::-1].max(axis=0)
    points = max(int((beyond > TAIL).sum()), 1)
    return pmf[:, :points] / pmf[:, :points].sum(axis=1, keepdims=True)


def check_moments(mean: np.ndarray, variance: np.ndarray) -> None:
    """Raise an `InputError` unless mean and variance are zero or more everywhere."""
    if not ((mean >= 0) & (variance >= 0)).all():
        raise InputError(
            expected="a mean and a variance of zero or more",
            found=f"means from {np.min(mean)}, variances from {np.min(variance)}",
            fix="Book returns as supply and leave out items without a forecast.",
        )
