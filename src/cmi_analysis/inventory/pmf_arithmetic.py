"""Exact arithmetic of demand distributions on whole grid steps: sums of days, random lead times, expected shortage."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError

TAIL = 1e-12
"""Chance at the far end of a distribution that is cut off."""


def check_pmf(pmf: ArrayLike, *, name: str) -> np.ndarray:
    """Return a distribution as items × points (0 … m), each row summing to 1.

    Parameters
    ----------
    pmf : array_like
        Items × points, or the points of one item: chance of 0, 1, 2, … grid steps [fraction].
    name : str
        How an error names it.

    Raises
    ------
    InputError
        Chances are missing or negative, or a row's sum is not 1 within 10⁻⁴.

    Examples
    --------
    >>> check_pmf([0.25, 0.75], name="demand").tolist()
    [[0.25, 0.75]]
    """
    rows = np.atleast_2d(np.asarray(pmf, dtype="float64"))
    least = rows.min(initial=np.inf)
    total = rows.sum(axis=1) if rows.ndim == 2 else np.zeros(1)
    if rows.ndim != 2 or rows.shape[1] == 0 or not least >= -1e-9 or not np.all(np.isfinite(total)):
        raise InputError(
            expected=f"chances of zero or more in {name}, items × points",
            found=f"shape {rows.shape}, least {least}, {int(np.isnan(rows).sum())} missing",
            fix="Give the chance of 0, 1, 2, … grid steps for each item.",
        )
    if np.any(np.abs(total - 1) > 1e-4):
        worst = int(np.argmax(np.abs(total - 1)))
        raise InputError(
            expected=f"chances in {name} that sum to 1",
            found=f"{total[worst]:.6g} for item {worst}",
            fix="Widen the grid or rescale.",
        )
    if least < 0:
        rows = np.maximum(rows, 0.0)
        total = rows.sum(axis=1)
    return rows / total[:, None]


def check_costs(
    count: int, *, positive: dict[str, ArrayLike], not_negative: dict[str, ArrayLike] | None = None
) -> list[np.ndarray]:
    """Return costs as one number an item, in the order given; those in `positive` must be above zero.

    Raises
    ------
    InputError
        A cost is missing, below zero, or zero where it must be above.

    Examples
    --------
    >>> [cost.tolist() for cost in check_costs(2, positive={"holding_cost": 1.0}, not_negative={"order_cost": [0, 5]})]
    [[1.0, 1.0], [0.0, 5.0]]
    """
    found = []
    for names, least in ((positive, "above zero"), (not_negative or {}, "of zero or more")):
        for name, value in names.items():
            cost = np.asarray(value, dtype="float64")
            good = np.isfinite(cost) & ((cost > 0) if least == "above zero" else (cost >= 0))
            if not np.all(good):
                raise InputError(
                    expected=f"{name} {least} for each item",
                    found=f"{np.atleast_1d(cost)[~np.atleast_1d(good)][0]}",
                    fix="Give the true cost, or leave the item out.",
                )
            found.append(np.broadcast_to(cost, (count,)).astype("float64"))
    return found


def check_rows(**rows: int) -> None:
    """Raise an `InputError` unless all have the same number of rows, one an item.

    Examples
    --------
    >>> check_rows(daily_pmf=2, lead_time_pmf=2)
    """
    if len(set(rows.values())) > 1:
        raise InputError(
            expected=f"one row an item in {' and '.join(rows)}",
            found=", ".join(f"{count} rows in {name}" for name, count in rows.items()),
            fix="Give all of them for the same items in the same order.",
        )


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


def mean_of(pmf: np.ndarray) -> np.ndarray:
    """Return the mean of each item's distribution [grid steps]."""
    return pmf @ np.arange(pmf.shape[1], dtype="float64")


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


def convolve(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the distribution of the sum of two independent demands, by fast Fourier transform.

    Examples
    --------
    >>> np.round(convolve(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])), 3).tolist()
    [[0.25, 0.5, 0.25]]
    """
    points = first.shape[1] + second.shape[1] - 1
    size = scipy.fft.next_fast_len(points, real=True)
    product = np.fft.rfft(first, size, axis=1) * np.fft.rfft(second, size, axis=1)
    return _clean(np.fft.irfft(product, size, axis=1)[:, :points])


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
    return trim(_clean(pmf))


def trim(pmf: np.ndarray) -> np.ndarray:
    """Return the distributions without the points that no item reaches with a chance above 10⁻¹²."""
    beyond = pmf[:, ::-1].cumsum(axis=1)[:, ::-1].max(axis=0)
    points = max(int((beyond > TAIL).sum()), 1)
    return pmf[:, :points] / pmf[:, :points].sum(axis=1, keepdims=True)


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
    values = np.arange(points)[None, :] * size[:, None]
    counted, smooth = _counted(values, safe, wide), _smooth(values, safe, np.where(spread > 0, spread, wide), size)
    chances = np.where((size <= 1.0)[:, None], counted, smooth)
    chances = np.where((mean > 0)[:, None], chances, values == 0)
    return chances / chances.sum(axis=1, keepdims=True), size


def _counted(values: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    m, v = mean[:, None], variance[:, None]
    over = v > m * (1 + 1e-9)
    shape = m**2 / np.where(over, v - m, 1.0)
    chance = np.where(over, m / v, 0.5)
    log_nb = scipy.special.gammaln(values + shape) - scipy.special.gammaln(shape) + shape * np.log(chance)
    log_nb = log_nb + values * np.log1p(-chance)
    return np.exp(np.where(over, log_nb, values * np.log(m) - m) - scipy.special.gammaln(values + 1))


def _smooth(values: np.ndarray, mean: np.ndarray, variance: np.ndarray, step: np.ndarray) -> np.ndarray:
    shape, scale = (mean**2 / variance)[:, None], (variance / mean)[:, None]
    edges = np.concatenate([values[:, :1] * 0.0, values + step[:, None] / 2], axis=1)
    return np.diff(scipy.special.gammainc(shape, edges / scale), axis=1)


def _clean(pmf: np.ndarray) -> np.ndarray:
    """Return the distribution without the transform's rounding noise."""
    kept = np.where(pmf > 1e-15, pmf, 0.0)
    return kept / kept.sum(axis=1, keepdims=True)
