"""The position after a review in the long run, and the service that follows from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.pmf_shortage import chance_up_to, mean_of, shortage_at, shortage_curve


class Renewal:
    """Renewal density m(j) and its sum M(n) of each item's demand in a period, as far as asked for.

    Parameters
    ----------
    review : numpy.ndarray
        Items × points, each with a chance of demand above zero.

    Examples
    --------
    Demand 0 or 1 with equal chance: two periods at each level on average.

    >>> renewal = Renewal(np.array([[0.5, 0.5]]))
    >>> renewal.extend(3)
    >>> renewal.density[0, :3].tolist(), renewal.total[0, :4].tolist()
    ([2.0, 2.0, 2.0], [0.0, 2.0, 4.0, 6.0])
    """

    def __init__(self, review: np.ndarray) -> None:
        some = review[:, 1:].sum(axis=1, keepdims=True)
        self._sizes = review[:, 1:] / some
        self._known = 1
        self.density = np.zeros((len(review), 64))
        self.density[:, 0] = 1.0 / some[:, 0]
        self.total = np.zeros((len(review), 65))
        self.total[:, 1] = self.density[:, 0]

    def extend(self, count: int) -> None:
        """Compute m(0) … m(count − 1) and M(0) … M(count)."""
        if count > self.density.shape[1]:
            more = np.zeros((len(self.density), max(count, 2 * self.density.shape[1])))
            more[:, : self._known] = self.density[:, : self._known]
            sums = np.zeros((len(more), more.shape[1] + 1))
            sums[:, : self._known + 1] = self.total[:, : self._known + 1]
            self.density, self.total = more, sums
        for place in range(self._known, count):
            size = min(place, self._sizes.shape[1])
            before = self.density[:, place - size : place][:, ::-1]
            self.density[:, place] = np.einsum("ij,ij->i", self._sizes[:, :size], before)
            self.total[:, place + 1] = self.total[:, place] + self.density[:, place]
        self._known = max(self._known, count)


def position_weights(review: np.ndarray, *, length: np.ndarray) -> np.ndarray:
    """Return the long-run chance that the position after a review is S, S − 1, … s + 1 under an (s,S) policy.

    m(j)/M(S − s) (Veinott and Wagner 1965; Zheng and Federgruen 1991).

    Parameters
    ----------
    review : numpy.ndarray
        Items × points, demand of one review period; an item without demand stays at S.
    length : numpy.ndarray
        S − s of each item, at least 1 [grid steps].

    Returns
    -------
    numpy.ndarray
        Items × the longest length, 0 beyond an item's own.
    """
    still = 1.0 - review[:, 0] <= 1e-12
    moving = np.where(still[:, None], np.eye(1, review.shape[1], min(1, review.shape[1] - 1)), review)
    longest = int(length.max(initial=1))
    if review.shape[1] == 1:
        return np.eye(1, longest).repeat(len(review), axis=0)
    renewal = Renewal(moving)
    renewal.extend(longest)
    weights = np.where(np.arange(longest) < length[:, None], renewal.density[:, :longest], 0.0)
    weights = weights / weights.sum(axis=1, keepdims=True)
    return np.where(still[:, None], np.arange(longest) == 0, weights)


def orders_per_period(review: np.ndarray, *, length: np.ndarray) -> np.ndarray:
    """Return 1/M(S − s), the orders a period of an (s,S) policy; 0 without demand."""
    moving = 1.0 - review[:, 0] > 1e-12
    orders = np.zeros(len(review))
    if moving.any():
        renewal = Renewal(review[moving])
        renewal.extend(int(length[moving].max()))
        orders[moving] = 1.0 / renewal.total[np.arange(int(moving.sum())), length[moving]]
    return orders


def score_positions(
    top: np.ndarray, weights: np.ndarray, *, trigger: np.ndarray, review: np.ndarray, lead: np.ndarray, protection: np.ndarray
) -> pd.DataFrame:
    """Return the service of each item whose position after a review is top − j with chance weights[:, j].

    Parameters
    ----------
    top, trigger : numpy.ndarray
        Highest position, and the position at or below which is ordered, of each item [grid steps].
    weights : numpy.ndarray
        Items × positions, from the highest downwards [fraction].
    review, lead, protection : numpy.ndarray
        Items × points: demand of one review period, over L and over L + R.

    Returns
    -------
    pandas.DataFrame
        shelf_fill, cycle_service, ready_rate [fraction; 1 without demand], mean_stock, mean_backlog [grid steps].
    """
    level = top[:, None] - np.arange(weights.shape[1])
    after = shortage_at(level, curve=shortage_curve(protection))
    before = shortage_at(level, curve=shortage_curve(lead))
    demand = mean_of(protection) - mean_of(lead)
    backlog = (weights * after).sum(axis=1)
    missed = backlog - (weights * before).sum(axis=1)
    used = mean_of(review) > 1e-12
    fill = np.where(demand > 1e-12, 1 - missed / np.where(demand > 1e-12, demand, 1.0), 1.0)
    cycle = _cycle_service(level, weights, trigger=trigger, review=review, lead=lead)
    return pd.DataFrame(
        {
            "shelf_fill": np.clip(fill, 0.0, 1.0),
            "cycle_service": np.where(used, cycle, 1.0),
            "ready_rate": np.where(used, (weights * chance_up_to(level, pmf=protection)).sum(axis=1), 1.0),
            "mean_stock": np.maximum((weights * level).sum(axis=1) - mean_of(protection) + backlog, 0.0),
            "mean_backlog": backlog,
        }
    )


def _cycle_service(
    level: np.ndarray, weights: np.ndarray, *, trigger: np.ndarray, review: np.ndarray, lead: np.ndarray
) -> np.ndarray:
    """Return P(D(L) ≤ position just before an order), the position being where demand took it from above the trigger."""
    longest = int(np.maximum(trigger.max(initial=0), 0))
    place = np.broadcast_to(np.arange(longest + 1), (len(level), longest + 1))
    served = np.where(place <= trigger[:, None], chance_up_to(place, pmf=lead), 0.0)
    points = longest + review.shape[1]
    size = 2 * points
    reached = np.fft.irfft(np.fft.rfft(served, size, axis=1) * np.fft.rfft(review, size, axis=1), size, axis=1)[:, :points]
    inside = np.clip(level, 0, points - 1)
    good = np.where((level >= 0) & (level < points), np.take_along_axis(reached, inside, axis=1), 0.0)
    orders = 1.0 - chance_up_to(level - trigger[:, None] - 1, pmf=review)
    total = (weights * orders).sum(axis=1)
    return np.clip((weights * good).sum(axis=1) / np.where(total > 0, total, 1.0), 0.0, 1.0)
