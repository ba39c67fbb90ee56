"""The (s,S) search compiled with numba (optional extra ``fast``): the same policies as the NumPy search, item by item."""

from __future__ import annotations

import numba
import numpy as np

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
    last = review.shape[1] - 1 - np.argmax(review[:, ::-1] > 0, axis=1)
    low, top = np.empty((2, len(review)), dtype="int64")
    cost, orders = np.empty((2, len(review)))
    _solve_all(review, last, protection, order, holding, shortage, top, low, cost, orders)
    return low, top, cost, orders


@numba.njit(cache=True)
def _expected_shortage(pmf):  # type: ignore[no-untyped-def]
    curve, above = np.zeros(len(pmf)), 0.0
    for place in range(len(pmf) - 1, 0, -1):
        above += pmf[place]
        curve[place - 1] = curve[place] + above
    return curve


@numba.njit(cache=True)
def _least_level(pmf, critical):  # type: ignore[no-untyped-def]
    below = 0.0
    for place in range(len(pmf)):
        below += pmf[place]
        if below >= critical - 1e-12:
            return place
    return len(pmf) - 1


@numba.njit(cache=True)
def _period_cost(level, curve, mean, holding, both):  # type: ignore[no-untyped-def]
    if level < 0:
        short = curve[0] - level
    elif level < curve.shape[0]:
        short = curve[level]
    else:
        short = 0.0
    return holding * (level - mean) + both * short


@numba.njit(cache=True, fastmath={"reassoc", "contract"})
def _dot(first, second, start, other, count):  # type: ignore[no-untyped-def]
    value = 0.0
    for place in range(count):
        value += first[start + place] * second[other + place]
    return value


@numba.njit(cache=True)
def _extend(density, total, known, count, backward, some):  # type: ignore[no-untyped-def]
    if count > density.shape[0]:
        length = max(count, 2 * density.shape[0])
        more, sums = np.zeros(length), np.zeros(length + 1)
        more[:known] = density[:known]
        sums[: known + 1] = total[: known + 1]
        density, total = more, sums
    last = backward.shape[0]
    for place in range(known, count):
        size = min(place, last)
        density[place] = _dot(backward, density, last - size, place - size, size) / some
        total[place + 1] = total[place] + density[place]
    return density, total, max(known, count)


@numba.njit(cache=True)
def _solve_one(backward, curve, mean, order, holding, shortage, start):  # type: ignore[no-untyped-def]
    both, some = holding + shortage, backward.sum()
    density, total = np.zeros(64), np.zeros(65)
    density[0] = 1.0 / some
    total[1] = density[0]
    known, top, low, summed = 1, start, start, 0.0
    best, going = np.inf, True
    while going:
        low -= 1
        density, total, known = _extend(density, total, known, top - low, backward, some)
        summed += density[top - low - 1] * _period_cost(low + 1, curve, mean, holding, both)
        best = (order + summed) / total[top - low]
        going = best > _period_cost(low, curve, mean, holding, both) + _TOLERANCE * (holding + abs(best))
    high = max(int(np.floor(best / holding + mean)) + 1, top)
    costs = np.empty(high - low + 1)  # G from the highest level downwards
    for place in range(len(costs)):
        costs[place] = _period_cost(high - place, curve, mean, holding, both)
    tried = top + 1
    while tried <= high and costs[high - tried] <= best + _TOLERANCE * (holding + abs(best)):
        density, total, known = _extend(density, total, known, tried - low, backward, some)
        value = _dot(density, costs, 0, high - tried, tried - low)
        cost = (order + value) / total[tried - low]
        if cost < best - _TOLERANCE * (holding + abs(cost)):
            top, best, summed = tried, cost, value
            while top - low > 1:
                above = costs[high - low - 1]
                if best > above + _TOLERANCE * (holding + abs(above)):
                    break
                summed -= density[top - low - 1] * above
                low += 1
                best = (order + summed) / total[top - low]
        tried += 1
    value = _dot(density, costs, 0, high - top, top - low)
    return low, top, (order + value) / total[top - low], 1.0 / total[top - low]


@numba.njit(cache=True)
def _solve_all(review, last, protection, order, holding, shortage, top, low, cost, orders):  # type: ignore[no-untyped-def]
    for item in range(len(order)):
        backward = review[item, 1 : last[item] + 1][::-1].copy()
        curve = _expected_shortage(protection[item])
        start = _least_level(protection[item], shortage[item] / (holding[item] + shortage[item]))
        low[item], top[item], cost[item], orders[item] = _solve_one(
            backward, curve, curve[0], order[item], holding[item], shortage[item], start
        )
