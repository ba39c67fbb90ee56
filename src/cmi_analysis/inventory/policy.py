"""Levels that keep a service target, and the service that levels keep, from lead-time demand."""

from __future__ import annotations

import numpy as np

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand


def shelf_fill_at(
    stock: np.ndarray, *, protection: LeadTimeDemand, lead: LeadTimeDemand, batch: np.ndarray | None = None
) -> np.ndarray:
    """Return the shelf fill of an order-up-to level, or of a reorder point with batches.

    With n_X(y) = E(X − y)⁺ and R·μ = mean over L + R less mean over L, the fill of level y is
    1 − [n_{D(L+R)}(y) − n_{D(L)}(y)]/(R·μ) (Silver, Pyke and Thomas 2017, section 6.11). With orders in multiples of Q the
    position after a review is uniform on (r, r + Q] (Hadley and Whitin 1963): the fill is the mean over that range.

    Parameters
    ----------
    stock : numpy.ndarray
        Level just after a review: the order-up-to level S, or the reorder point r where `batch` is given [units].
    protection, lead : LeadTimeDemand
        Demand over L + R and over L, on one grid.
    batch : numpy.ndarray, optional
        Batch Q of each item [units].

    Returns
    -------
    numpy.ndarray
        Shelf fill; 1 for an item without demand [fraction].
    """
    demand = protection.mean() - lead.mean()
    if batch is None:
        short = protection.shortage(stock) - lead.shortage(stock)
    else:
        short = _mean_short(_summed_short(protection, lead), protection, demand, start=stock, batch=batch)
    return np.where(demand > 1e-12, np.clip(1 - short / np.where(demand > 1e-12, demand, 1.0), 0.0, 1.0), 1.0)


def _summed_short(protection: LeadTimeDemand, lead: LeadTimeDemand) -> np.ndarray:
    """Return Σ f(y) over the whole levels 1 … y at each grid point, with f(y) = n_{D(L+R)}(y) − n_{D(L)}(y)."""
    short = protection.shortage_on_grid() - lead.shortage_on_grid()
    step = protection.values[:, 1:2] - protection.values[:, :1]
    cell = step * (short[:, :-1] + short[:, 1:]) / 2 + (short[:, 1:] - short[:, :-1]) / 2
    return np.concatenate([np.zeros((len(short), 1)), cell.cumsum(axis=1)], axis=1)


def _mean_short(
    summed: np.ndarray, protection: LeadTimeDemand, demand: np.ndarray, *, start: np.ndarray, batch: np.ndarray
) -> np.ndarray:
    """Return the mean of f(y) over the whole levels y in (start, start + batch]; below zero all demand is short."""
    step = protection.values[:, 1] - protection.values[:, 0]
    rows, last = np.arange(len(summed)), summed.shape[1] - 1

    def up_to(level: np.ndarray) -> np.ndarray:
        place = np.clip(level / step, 0.0, last)
        low = np.minimum(np.floor(place).astype("int64"), last - 1)
        inside = summed[rows, low] + (place - low) * (summed[rows, low + 1] - summed[rows, low])
        return inside + np.minimum(level, 0.0) * demand

    size = np.maximum(np.asarray(batch, dtype="float64"), 1.0)
    first = np.asarray(start, dtype="float64")
    return (up_to(first + size) - up_to(first)) / size


def fit_level(target: np.ndarray, *, protection: LeadTimeDemand, lead: LeadTimeDemand, measure: str = "shelf_fill") -> np.ndarray:
    """Return the smallest order-up-to level that keeps the target under periodic review.

    Order of events: review and order at the end of a day after its demand; what is ordered on day t is on the shelf before the
    demand of day t + L + 1. So an order covers the demand of L + R days.

    Parameters
    ----------
    target : numpy.ndarray
        Target of each item [fraction, 0 ≤ target < 1].
    protection, lead : LeadTimeDemand
        Demand over L + R and over L, on one grid.
    measure : {"shelf_fill", "cycle_service"}
        Share of demand met from the shelf, or chance of no stock-out in a cycle.

    Raises
    ------
    InputError
        A target is below 0 or not below 1: no finite stock keeps 100 %.

    Returns
    -------
    numpy.ndarray
        Level S [units]; 0 for an item without demand.
    """
    target = np.broadcast_to(np.asarray(target, dtype="float64"), protection.values.shape[:1])
    allowed_target = (target >= 0) & (target < 1)
    if not np.all(allowed_target):
        raise InputError(
            expected="service targets from 0 up to but not including 1",
            found=f"{target[~allowed_target][0]}",
            fix="Take 0.999 for 'as good as always': no finite stock keeps 1.",
        )
    if measure == "cycle_service":
        return protection.quantile(target)
    demand = protection.mean() - lead.mean()
    allowed = (1 - target) * demand
    short = protection.shortage_on_grid() - lead.shortage_on_grid()
    return np.where(demand > 1e-12, _first_below(protection.values, short, allowed), 0.0)


def _first_below(values: np.ndarray, curve: np.ndarray, bar: np.ndarray) -> np.ndarray:
    """Return where each falling curve reaches the bar, between grid points by a straight line, up to whole units."""
    reached = curve <= bar[:, None] * (1 + 1e-9) + 1e-12
    place = np.where(reached.any(axis=1), reached.argmax(axis=1), values.shape[1] - 1)
    rows = np.arange(len(values))
    before = np.maximum(place - 1, 0)
    fall = curve[rows, before] - curve[rows, place]
    share = np.divide(curve[rows, before] - bar, fall, out=np.ones(len(values)), where=fall > 0)
    level = values[rows, before] + np.clip(share, 0.0, 1.0) * (values[rows, place] - values[rows, before])
    return np.maximum(np.ceil(np.where(place == 0, values[:, 0], level) - 1e-9), 0.0) + 0.0


def fit_reorder_point(target: np.ndarray, *, batch: np.ndarray, protection: LeadTimeDemand, lead: LeadTimeDemand) -> np.ndarray:
    """Return the smallest reorder point r that keeps the shelf fill with orders of whole batches Q.

    The position is reviewed every R days; where it is r or less, the fewest batches are ordered that bring it above r. Found by
    bisection on whole units between −Q and the level S that would keep the target without batches.

    Parameters
    ----------
    target : numpy.ndarray
        Shelf fill of each item [fraction].
    batch : numpy.ndarray
        Batch of each item [units].
    protection, lead : LeadTimeDemand
        Demand over L + R and over L, on one grid.

    Returns
    -------
    numpy.ndarray
        Reorder point [units], at least −1 (order when the position is below zero).
    """
    high = fit_level(target, protection=protection, lead=lead)
    low = np.full(len(high), -1.0)
    demand = protection.mean() - lead.mean()
    allowed = (1 - np.asarray(target, dtype="float64")) * demand
    summed = _summed_short(protection, lead)
    for _ in range(40):
        middle = np.floor((low + high) / 2)
        enough = _mean_short(summed, protection, demand, start=middle, batch=batch) <= allowed + 1e-9
        high, low = np.where(enough, middle, high), np.where(enough, low, np.minimum(middle + 1, high))
        if np.all(high <= low):
            break
    return high


def mean_stock(stock: np.ndarray, *, protection: LeadTimeDemand, lead: LeadTimeDemand, batch: np.ndarray) -> np.ndarray:
    """Return the mean stock on the shelf that a policy holds.

    Mean of the position after a review, r + (Q + 1)/2 (S where Q is 1), less the mean demand between the arrival of an order and
    the middle of its cycle, plus the mean backlog; taken at the middle of the review cycle with backorders.

    Parameters
    ----------
    stock, protection, lead, batch
        As in `shelf_fill_at`; `stock` is the reorder point.

    Returns
    -------
    numpy.ndarray
        Mean stock on hand [units].
    """
    level = np.asarray(stock, dtype="float64") + (np.maximum(batch, 1.0) + 1) / 2
    at_start = level - lead.mean() + lead.shortage(level)
    at_end = level - protection.mean() + protection.shortage(level)
    return np.maximum((at_start + at_end) / 2, 0.0)


def split_safety_stock(
    *, days: np.ndarray, chances: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of the variance of lead-time demand that demand noise and the lead time make up.

    Var D = E Var(D | L) + Var E(D | L).

    Parameters
    ----------
    days, chances : numpy.ndarray
        Lead times and their chances, items × points; `days` only gives the shape.
    mean, variance : numpy.ndarray
        Mean and variance of demand over each lead time + review period, items × points.

    Returns
    -------
    tuple of numpy.ndarray
        Share of demand noise and share of the lead time [fraction]; both 0 for an item without variance.

    Examples
    --------
    Lead time 1 or 3 with 10 a day and variance 5 a day: noise 2·5 = 10, lead time 10² = 100.

    >>> noise, lead = split_safety_stock(days=np.array([[1, 3]]), chances=np.array([[0.5, 0.5]]),
    ...     mean=np.array([[10.0, 30.0]]), variance=np.array([[5.0, 15.0]]))
    >>> round(float(lead[0]), 3)
    0.909
    """
    noise = (chances * variance).sum(axis=1)
    centre = (chances * mean).sum(axis=1, keepdims=True)
    from_lead_time = (chances * (mean - centre) ** 2).sum(axis=1)
    total = noise + from_lead_time
    safe = np.where(total > 0, total, 1.0)
    return noise / safe, from_lead_time / safe
