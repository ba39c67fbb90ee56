"""Arithmetic of probabilities on whole steps 0, 1, 2, …, one row for each item: sums, powers, compound sums, mixtures.

Every function takes and returns arrays items × points whose column k is the chance of k steps. Sums are taken by the fast
Fourier transform; its rounding error is at most about 1e-15 of the whole mass per point (absolute), so chances below `NOISE` are
noise there: they are set to zero and the row is scaled to its mass again. Where the far tail itself matters, ``exact=True``
sums directly and keeps its relative accuracy.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError

NOISE = 1e-15
"""Chances below this are rounding errors of the Fourier transform."""


def check_pmf(pmf: ArrayLike, *, name: str = "probabilities") -> np.ndarray:
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
            expected=f"{name} of zero or more that sum to 1 in each row (items × points)",
            found=f"shape {rows.shape}, a least value of {least:g}, {int(np.isnan(rows).sum())} missing",
            fix="Give the chance of 0, 1, 2, … grid steps for each item.",
        )
    if np.any(np.abs(total - 1) > 1e-4):
        worst = int(np.argmax(np.abs(total - 1)))
        raise InputError(
            expected=f"{name} that sum to 1 in each row",
            found=f"{total[worst]:.6g} for item {worst}",
            fix="Widen the grid, or divide by the sum.",
        )
    if least < 0:
        rows = np.maximum(rows, 0.0)
        total = rows.sum(axis=1)
    return rows / total[:, None]


def sum_pmfs(first: np.ndarray, second: np.ndarray, *, points: int | None = None, exact: bool = False) -> np.ndarray:
    """Return the distribution of the sum of two independent numbers, row by row.

    P(X + Y = k) = Σ_j P(X = j)·P(Y = k − j).

    Parameters
    ----------
    first, second : numpy.ndarray
        Items × points [fraction]; one row counts for all.
    points : int, optional
        Points of the result; mass beyond the last one is put on it. Without it every sum has its point.
    exact : bool
        Sum directly, in rising order of points: slower, but without the Fourier transform's absolute error in the tail.

    Examples
    --------
    Two fair coins:

    >>> sum_pmfs(np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])).round(12).tolist()
    [[0.25, 0.5, 0.25]]
    """
    one, two = _same_rows(first, second)
    length = one.shape[1] + two.shape[1] - 1
    if exact:
        rows = max(len(one), len(two))
        total = np.zeros((rows, length))
        for place in range(two.shape[1]):
            total[:, place : place + one.shape[1]] += one * two[:, place, None]
    else:
        size = scipy.fft.next_fast_len(length, real=True)
        product = np.fft.rfft(one, size, axis=1) * np.fft.rfft(two, size, axis=1)
        total = clean_pmf(np.fft.irfft(product, size, axis=1)[:, :length])
    return total if points is None else cut_pmf(total, points=points)[0]


def _same_rows(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one, two = np.atleast_2d(np.asarray(first, dtype="float64")), np.atleast_2d(np.asarray(second, dtype="float64"))
    rows = max(len(one), len(two))
    return np.broadcast_to(one, (rows, one.shape[1])), np.broadcast_to(two, (rows, two.shape[1]))


def clean_pmf(values: np.ndarray) -> np.ndarray:
    """Return the chances without the transform's noise, each row summing to 1."""
    kept = np.where(values > NOISE, values, 0.0)
    return kept / kept.sum(axis=1, keepdims=True)


def cut_pmf(pmf: np.ndarray, *, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distribution on its first points, and the chance that lay beyond and now stands on the last one.

    Examples
    --------
    >>> kept, beyond = cut_pmf(np.array([[0.5, 0.3, 0.2]]), points=2)
    >>> kept.tolist(), beyond.tolist()
    ([[0.5, 0.5]], [0.2])
    """
    rows = np.atleast_2d(np.asarray(pmf, dtype="float64"))
    if rows.shape[1] <= points:
        return np.pad(rows, ((0, 0), (0, points - rows.shape[1]))), np.zeros(len(rows))
    beyond = rows[:, points:].sum(axis=1)
    kept = rows[:, :points].copy()
    kept[:, -1] += beyond
    return kept, beyond


def add_times(pmf: np.ndarray, *, times: np.ndarray | int, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distribution of the sum of n independent draws, each row with its own n, and the mass beyond the grid.

    The n-th power of the Fourier transform on at least twice the points, so that what lies beyond the grid up to there is put on
    its last point; mass beyond that is wrapped around and bounded by the returned chance only where it is small: choose `points`
    above the mean plus ten standard deviations.

    Parameters
    ----------
    pmf : numpy.ndarray
        Items × points [fraction].
    times : numpy.ndarray or int
        How many draws each row sums, zero or more [count].
    points : int
        Points of the result.

    Raises
    ------
    InputError
        `times` is below zero or not whole.

    Examples
    --------
    Three coins show two heads with a chance of 3/8.

    >>> add_times(np.array([[0.5, 0.5]]), times=3, points=5)[0].round(12).tolist()
    [[0.125, 0.375, 0.375, 0.125, 0.0]]
    """
    number = np.broadcast_to(np.asarray(times), (len(np.atleast_2d(pmf)),))
    if (number < 0).any() or (number != np.round(number)).any():
        raise InputError(expected="a whole number of draws of zero or more", found=f"{number.min()}", fix="Round it first.")
    rows = cut_pmf(pmf, points=min(np.atleast_2d(pmf).shape[1], points))[0]
    size = scipy.fft.next_fast_len(2 * points, real=True)
    power = np.fft.rfft(rows, size, axis=1) ** number[:, None]
    return cut_pmf(clean_pmf(np.fft.irfft(power, size, axis=1)), points=points)


def compound_sum(counts: np.ndarray, sizes: np.ndarray, *, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distribution of a sum of N independent sizes with N itself random, and the mass beyond the grid.

    P(Σ X = k) = Σ_n P(N = n)·P(X₁ + … + X_n = k): the generating function of N at the Fourier transform of X (Klugman, Panjer and
    Willmot 2012, section 9.6). For a Poisson N see `compound_poisson`, which needs no cut of N.

    Parameters
    ----------
    counts : numpy.ndarray
        Items × points: chance of N = 0, 1, … [fraction].
    sizes : numpy.ndarray
        Items × points: chance of a size of 0, 1, … steps [fraction].
    points : int
        Points of the result.
    """
    number, size_of = _same_rows(counts, sizes)
    size = scipy.fft.next_fast_len(2 * points, real=True)
    wave = np.fft.rfft(cut_pmf(size_of, points=min(size_of.shape[1], points))[0], size, axis=1)
    total = np.zeros_like(wave)
    for place in range(number.shape[1] - 1, -1, -1):
        total = total * wave + number[:, place, None]
    return cut_pmf(clean_pmf(np.fft.irfft(total, size, axis=1)), points=points)


def compound_poisson(rate: np.ndarray, sizes: np.ndarray, *, points: int, exact: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the distribution of a Poisson number of independent sizes, and the mass beyond the grid.

    exp(λ·(φ(t) − 1)) by the Fourier transform, or with ``exact=True`` the recursion g(k) = (λ/k)·Σ_j j·f(j)·g(k − j),
    g(0) = exp(−λ·(1 − f(0))) (Panjer 1981, theorem; Adelson 1966), which keeps the relative accuracy of the tail.

    Parameters
    ----------
    rate : numpy.ndarray
        Mean number of sizes λ of each item, zero or more [count].
    sizes : numpy.ndarray
        Items × points [fraction].
    points : int
        Points of the result.

    Raises
    ------
    InputError
        A rate is below zero or missing, or above 700 with ``exact=True`` (exp(−λ) underflows).

    Examples
    --------
    One demand a period on average, of one or two units alike: no demand at all with exp(−1) = 0.3679, one unit with 0.5 of that.

    >>> compound_poisson(np.array([1.0]), np.array([[0.0, 0.5, 0.5]]), points=12)[0][0, :2].round(4).tolist()
    [0.3679, 0.1839]
    """
    number = np.atleast_1d(np.asarray(rate, dtype="float64"))
    if not (number >= 0).all() or (exact and (number > 700).any()):
        raise InputError(
            expected="a demand rate of zero or more" + (" up to 700" if exact else ""),
            found=f"{number.min():g} to {number.max():g}",
            fix="Give periods with demand per period; negative ones are returns and belong to supply.",
        )
    rows = check_pmf(sizes, name="sizes")
    number = np.broadcast_to(number, (max(len(number), len(rows)),))
    rows = np.broadcast_to(rows, (len(number), rows.shape[1]))
    if exact:
        kept = _panjer(number, rows, points)
        beyond = np.maximum(1 - kept.sum(axis=1), 0.0)
        kept[:, -1] += beyond
        return kept, beyond
    size = scipy.fft.next_fast_len(2 * points, real=True)
    wave = np.fft.rfft(cut_pmf(rows, points=min(rows.shape[1], points))[0], size, axis=1)
    return cut_pmf(clean_pmf(np.fft.irfft(np.exp(number[:, None] * (wave - 1)), size, axis=1)), points=points)


def _panjer(rate: np.ndarray, sizes: np.ndarray, points: int) -> np.ndarray:
    total = np.zeros((len(rate), points))
    total[:, 0] = np.exp(-rate * (1 - sizes[:, 0]))
    weighted = sizes * np.arange(sizes.shape[1])
    for place in range(1, points):
        reach = min(place, sizes.shape[1] - 1)
        earlier = total[:, place - reach : place][:, ::-1]
        total[:, place] = rate / place * (weighted[:, 1 : reach + 1] * earlier).sum(axis=1)
    return total


def mix_pmfs(pmfs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mixture of several distributions of each item.

    Parameters
    ----------
    pmfs : numpy.ndarray
        Items × parts × points [fraction].
    weights : numpy.ndarray
        Items × parts, summing to 1 [fraction].

    Examples
    --------
    >>> mix_pmfs(np.array([[[1.0, 0.0], [0.0, 1.0]]]), np.array([[0.25, 0.75]])).tolist()
    [[0.25, 0.75]]
    """
    return np.einsum("ipk,ip->ik", pmfs, check_pmf(weights, name="weights"))


def sum_over_times(
    pmf: np.ndarray, *, times: np.ndarray, chances: np.ndarray, points: int, extra: np.ndarray | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distribution of demand over a random whole number of periods, and the mass beyond the grid.

    Σ_l P(L = l)·P(X₁ + … + X_{l+R} = k), the mixture over the lead time taken on the side of the Fourier transform.

    Parameters
    ----------
    pmf : numpy.ndarray
        Demand of one period, items × points [fraction].
    times, chances : numpy.ndarray
        Items × lead times [periods] and their chances [fraction].
    points : int
        Points of the result.
    extra : numpy.ndarray or int
        Review period added to every lead time [periods].

    Examples
    --------
    One unit a period for 2 or 8 periods:

    >>> total, _ = sum_over_times(np.array([[0.0, 1.0]]), times=np.array([[2, 8]]), chances=np.array([[0.5, 0.5]]), points=10)
    >>> total.round(9).tolist()[0]
    [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0]
    """
    rows = cut_pmf(pmf, points=min(np.atleast_2d(pmf).shape[1], points))[0]
    over = np.atleast_2d(times) + np.reshape(np.asarray(extra), (-1, 1))
    if (over < 0).any() or (over != np.round(over)).any():
        raise InputError(expected="whole lead times of zero or more periods", found=f"{over.min()}", fix="Round them to periods.")
    size = scipy.fft.next_fast_len(2 * points, real=True)
    wave = np.fft.rfft(rows, size, axis=1)
    share = np.broadcast_to(np.atleast_2d(chances), np.broadcast_shapes(over.shape, np.atleast_2d(chances).shape))
    total = np.zeros((max(len(wave), len(over)), wave.shape[1]), dtype="complex128")
    for place in range(over.shape[1]):
        total += share[:, place, None] * wave ** over[:, place, None]
    return cut_pmf(clean_pmf(np.fft.irfft(total, size, axis=1)), points=points)


def score_pmf(pmf: np.ndarray, *, step: float | np.ndarray = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each row [units], with `step` units between two points.

    Examples
    --------
    >>> [value.tolist() for value in score_pmf(np.array([[0.5, 0.0, 0.5]]))]
    [[1.0], [1.0]]
    """
    rows = np.atleast_2d(np.asarray(pmf, dtype="float64"))
    place = np.arange(rows.shape[1])
    mean = rows @ place
    spread = np.sqrt(np.maximum((rows * (place - mean[:, None]) ** 2).sum(axis=1), 0.0))
    return mean * step, spread * step
