"""The (s,S) search compiled with numba (optional extra ``fast``): the same policies as the NumPy search, item by item."""

from __future__ import annotations

import numba
import numpy as np

from cmi_analysis.inventory.pmf_arithmetic import mean_of, shortage_curve

_TOLERANCE = 1e-11


def solve_ss(
    review: np.ndarray, protection: np.ndarray, order: np.ndarray, holding: np.ndarray, shortage: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return s, S, cost and orders a period of each item; every item must have demand.

    The algorithm of Zheng and Federgruen (1991), one item after the other; the compiled code is kept on disk.

    Parameters
    ----------
    review, protection : numpy.ndarray
        Items × points: demand of one review period and over L + R.
    order, holding, shortage : numpy.ndarray
        K, h and p of each item, h and p for a grid step [money].
    """
    curve = shortage_curve(protection)
    critical = shortage / (holding + shortage)
    reached = protection.cumsum(axis=1) >= critical[:, None] - 1e-12
    top = np.where(reached.any(axis=1), reached.argmax(axis=1), protection.shape[1] - 1).astype("int64")
    sizes = np.ascontiguousarray(review)
    last = review.shape[1] - 1 - np.argmax(review[:, ::-1] > 0, axis=1)
    low, cost, orders = np.empty(len(top), dtype="int64"), np.empty(len(top)), np.empty(len(top))
    _solve_all(sizes, last, curve, mean_of(protection), order, holding, shortage, top, low, cost, orders)
    return low, top, cost, orders


@numba.njit(cache=True)
def _period_cost(level, curve, mean, holding, both):  # type: ignore[no-untyped-def]
    if level < 0:
        short = curve[0] - level
    elif level < curve.shape[0]:
        short = curve[level]
    else:
        short = 0.0
    return holding * (level - mean) + both * short


@numba.njit(cache=True)
def _extend(density, total, known, count, sizes, last):  # type: ignore[no-untyped-def]
    if count > density.shape[0]:
        length = max(count, 2 * density.shape[0])
        more, sums = np.zeros(length), np.zeros(length + 1)
        more[:known] = density[:known]
        sums[: known + 1] = total[: known + 1]
        density, total = more, sums
    some = 1.0 - sizes[0]
    for place in range(known, count):
        value = 0.0
        for size in range(1, min(place, last) + 1):
            value += sizes[size] * density[place - size]
        density[place] = value / some
        total[place + 1] = total[place] + density[place]
    return density, total, max(known, count)


@numba.njit(cache=True)
def _weighted(top, length, density, curve, mean, holding, both):  # type: ignore[no-untyped-def]
    value = 0.0
    for back in range(length):
        value += density[back] * _period_cost(top - back, curve, mean, holding, both)
    return value


@numba.njit(cache=True)
def _solve_one(sizes, last, curve, mean, order, holding, shortage, start):  # type: ignore[no-untyped-def]
    both = holding + shortage
    density, total = np.zeros(64), np.zeros(65)
    density[0] = 1.0 / (1.0 - sizes[0])
    total[1] = density[0]
    known, top, low, summed = 1, start, start, 0.0
    best, going = np.inf, True
    while going:
        low -= 1
        density, total, known = _extend(density, total, known, top - low, sizes, last)
        summed += density[top - low - 1] * _period_cost(low + 1, curve, mean, holding, both)
        best = (order + summed) / total[top - low]
        going = best > _period_cost(low, curve, mean, holding, both) + _TOLERANCE * (1 + abs(best))
    tried = top + 1
    while _period_cost(tried, curve, mean, holding, both) <= best * (1 + _TOLERANCE):
        density, total, known = _extend(density, total, known, tried - low, sizes, last)
        value = _weighted(tried, tried - low, density, curve, mean, holding, both)
        cost = (order + value) / total[tried - low]
        if cost < best - _TOLERANCE * (1 + abs(cost)):
            top, best, summed = tried, cost, value
            while top - low > 1:
                above = _period_cost(low + 1, curve, mean, holding, both)
                if best > above + _TOLERANCE * (1 + abs(above)):
                    break
                summed -= density[top - low - 1] * above
                low += 1
                best = (order + summed) / total[top - low]
        tried += 1
    value = _weighted(top, top - low, density, curve, mean, holding, both)
    return low, top, (order + value) / total[top - low], 1.0 / total[top - low]


@numba.njit(cache=True)
def _solve_all(sizes, last, curve, mean, order, holding, shortage, top, low, cost, orders):  # type: ignore[no-untyped-def]
    for item in range(len(top)):
        low[item], top[item], cost[item], orders[item] = _solve_one(
            sizes[item], last[item], curve[item], mean[item], order[item], holding[item], shortage[item], top[item]
        )
