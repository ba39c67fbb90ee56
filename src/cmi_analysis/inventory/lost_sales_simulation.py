"""Simulation of lost sales for the systems whose chain is too large."""

from __future__ import annotations

import numpy as np


def simulate_lost_sales(
    daily_pmf: np.ndarray,
    *,
    lead_time_pmf: np.ndarray,
    review_days: int,
    terms: tuple[int, int, int],
    seed: int,
    replications: int = 400,
) -> tuple[float, float, float, float, float, int, str]:
    """Return simulated long-run figures of one item whose unmet demand is lost.

    The order of events of `score_lost_sales`; lead times are drawn for each order, so orders may cross. The same seed draws the
    same demand for every policy. Days counted: at least 500 and 20 review periods, after a warm-up of four protection intervals.

    Parameters
    ----------
    daily_pmf, lead_time_pmf : numpy.ndarray
        Chance of each demand of a day and of each lead time in days [fraction].
    review_days : int
        R [days].
    terms : tuple of int
        Reorder point, highest position, batch (0: order up to the highest) [units].
    seed, replications : int
        Seed and number of runs.

    Returns
    -------
    tuple
        shelf fill and its standard error, lost a day, mean stock at the end of a day, orders a day, 0, ``simulated``.

    Examples
    --------
    Demand 0 or 1 a day, back the next day: one unit loses nothing.

    >>> simulate_lost_sales(np.array([0.5, 0.5]), lead_time_pmf=np.array([1.0]), review_days=1, terms=(0, 1, 0), seed=1)[0]
    1.0
    """
    random = np.random.default_rng(seed)
    low, top, batch = terms
    longest, wait = len(lead_time_pmf) + 1, 4 * (len(lead_time_pmf) + review_days)
    days = wait + max(500, 20 * review_days)
    below, leads = np.cumsum(daily_pmf), np.cumsum(lead_time_pmf)
    stock, coming = np.full(replications, top), np.zeros(replications, dtype="int64")
    due = np.zeros((longest, replications), dtype="int64")
    wanted, lost, held, orders = np.zeros((4, replications))
    run = np.arange(replications)
    for day in range(days):
        slot = day % longest
        stock, coming = stock + due[slot], coming - due[slot]
        due[slot] = 0
        demand = np.minimum(np.searchsorted(below, random.random(replications) * below[-1], side="right"), len(daily_pmf) - 1)
        draw = np.minimum(np.searchsorted(leads, random.random(replications) * leads[-1], side="right"), len(lead_time_pmf) - 1)
        sold = np.minimum(demand, stock)
        stock = stock - sold
        counted = float(day >= wait)
        wanted, lost, held = wanted + counted * demand, lost + counted * (demand - sold), held + counted * stock
        if (day + 1) % review_days == 0:
            position = stock + coming
            size = top - position if batch == 0 else -(-(low + 1 - position) // batch) * batch
            size = np.where(position <= low, size, 0)
            due[(day + 1 + draw) % longest, run] += size
            coming = coming + size
            orders = orders + counted * (size > 0)
    fill = 1 - lost.sum() / max(wanted.sum(), 1e-300)
    spread = (lost - (1 - fill) * wanted).std(ddof=1) * np.sqrt(replications) / max(wanted.sum(), 1e-300)
    span = days - wait
    return float(fill), float(spread), lost.mean() / span, held.mean() / span, orders.mean() / span, 0, "simulated"
