"""Demand less the returns that can be sold again: a difference of two distributions, not a smaller Poisson."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.pmf import check_pmf, sum_pmfs


def score_resellable(returns: pd.DataFrame, *, by: str = "product_id", prior_lines: float = 10.0) -> pd.DataFrame:
    """Return which share of the returned units can be sold again, for each product, shrunk to that of all.

    Share = (resellable units + k·u·share of all)/(units + k·u), k = `prior_lines` lines of the mean quantity u.

    Parameters
    ----------
    returns : pandas.DataFrame
        quantity [units], the column `by`; optional condition (``resellable``, ``repair``, ``scrap``). A line without a condition
        does not count; without any condition known nothing is taken as resellable.
    by : str
        Column of the key.
    prior_lines : float
        Lines that the share of all counts for [count].

    Returns
    -------
    pandas.DataFrame
        The key, returned, known [units], resellable_share [fraction], source (``condition``, ``pooled`` or ``unknown``).

    Examples
    --------
    >>> rows = pd.DataFrame({"product_id": ["p", "p", "q"], "quantity": [1.0, 1.0, 1.0],
    ...     "condition": ["resellable", "scrap", "resellable"]})
    >>> score_resellable(rows, prior_lines=0.0)["resellable_share"].tolist()
    [0.5, 1.0]
    """
    if returns.empty:
        kinds = {by: "object", "returned": "float64", "known": "float64", "resellable_share": "float64", "source": "object"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    if (returns["quantity"] < 0).any():
        raise InputError(
            expected="returned quantities of zero or more", found=f"{returns['quantity'].min()}", fix="Turn the sign of returns."
        )
    condition = returns["condition"] if "condition" in returns else pd.Series(None, index=returns.index, dtype="object")
    rows = returns.assign(
        known=returns["quantity"].where(condition.notna(), 0.0),
        good=returns["quantity"].where(condition == "resellable", 0.0),
    )
    table = rows.groupby(by, sort=True).agg(returned=("quantity", "sum"), known=("known", "sum"), good=("good", "sum"))
    known = float(table["known"].sum())
    pooled = float(table["good"].sum()) / known if known > 0 else 0.0
    prior = prior_lines * float(returns["quantity"].mean())
    weight = table["known"] + prior
    table["resellable_share"] = ((table["good"] + prior * pooled) / weight.where(weight > 0, 1.0)).where(weight > 0, pooled)
    table["source"] = np.where(known == 0, "unknown", np.where(table["known"] > 0, "condition", "pooled"))
    return table.drop(columns="good").reset_index()


def skellam_pmf(*, demand: np.ndarray, returned: np.ndarray, points: int, lowest: int) -> np.ndarray:
    """Return the chance that Poisson demand less Poisson returns is lowest, lowest + 1, … units.

    P(X − Y = k) = Σ_j P(X = k + j)·P(Y = j) (Skellam 1946); mean λ − μ, variance λ + μ. Mass outside stands on the ends.

    Parameters
    ----------
    demand, returned : numpy.ndarray
        Mean demand λ and mean resellable returns μ over the same time [units].
    points : int
        Points of the result.
    lowest : int
        First point, zero or below [units].

    Examples
    --------
    As much back as out, one unit each: no net demand with exp(−2)·I₀(2) = 0.3085.

    >>> float(skellam_pmf(demand=np.array([1.0]), returned=np.array([1.0]), points=21, lowest=-10)[0, 10].round(4))
    0.3085
    """
    out, back = (np.atleast_1d(np.asarray(value, dtype="float64")) for value in (demand, returned))
    if not ((out >= 0) & np.isfinite(out)).all() or not ((back >= 0) & np.isfinite(back)).all() or lowest > 0:
        raise InputError(
            expected="a demand and returns of zero or more, and a first point of zero or below",
            found=f"demand from {out.min()}, returns from {back.min()}, first point {lowest}",
            fix="Correct the signs.",
        )
    import scipy.stats

    units = lowest + np.arange(points)
    upper = (
        scipy.stats.poisson.ppf(1 - 1e-15, np.maximum(out.max(), 1e-9)),
        scipy.stats.poisson.ppf(1 - 1e-15, max(back.max(), 1e-9)),
    )
    first = scipy.stats.poisson.pmf(np.arange(int(upper[0]) + 2), out[:, None])
    second = scipy.stats.poisson.pmf(np.arange(int(upper[1]) + 2), back[:, None])
    return _place(*_difference(first, second), units)


def _difference(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the pmf of X − Y and its first point."""
    rows = max(len(first), len(second))
    one, two = (np.broadcast_to(pmf, (rows, pmf.shape[1])) for pmf in (first, second))
    return sum_pmfs(one / one.sum(axis=1, keepdims=True), (two / two.sum(axis=1, keepdims=True))[:, ::-1]), 1 - two.shape[1]


def _place(pmf: np.ndarray, start: int, units: np.ndarray) -> np.ndarray:
    """Return the chances at `units`; what lies outside stands on the nearest end."""
    at = np.clip(start + np.arange(pmf.shape[1]) - units[0], 0, len(units) - 1)
    placed = np.zeros((len(pmf), len(units)))
    np.add.at(placed, (slice(None), at), pmf)
    return placed


def net_lead_time_demand(demand: np.ndarray, returned: np.ndarray) -> LeadTimeDemand:
    """Return demand less resellable returns over the same time, from any two distributions.

    Both are pmfs of whole units. The difference may be below zero: stock then grows. Only returns that are back on the shelf in
    time may be taken off: see `returns_in_time`.

    Parameters
    ----------
    demand, returned : numpy.ndarray
        Items × points: chance of 0, 1, 2, … units over lead time + review [fraction].

    Examples
    --------
    One unit sold for sure, back with a chance of ½:

    >>> net = net_lead_time_demand(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]]))
    >>> net.values[0].tolist(), net.probabilities[0].round(9).tolist()
    ([-1.0, 0.0, 1.0], [0.0, 0.5, 0.5])
    """
    pmf, start = _difference(check_pmf(demand, name="demand"), check_pmf(returned, name="returns"))
    values = np.broadcast_to(start + np.arange(pmf.shape[1], dtype="float64"), pmf.shape)
    return LeadTimeDemand(values.copy(), pmf)


def returns_in_time(
    rate: np.ndarray, *, resellable: np.ndarray, times: np.ndarray, chances: np.ndarray, horizon: np.ndarray
) -> np.ndarray:
    """Return the mean resellable units that are on the shelf again within a horizon, from goods that come back from now on.

    Goods that come back on day t are on the shelf on day t + L (inspection, repacking): μ = rate·share·E(h − L)⁺. What is already
    being inspected is stock on its way and belongs to the position, not here. A Poisson stream thinned and delayed stays Poisson
    (Ross 2014, section 5.3), so `skellam_pmf` takes this as its mean.

    Parameters
    ----------
    rate : numpy.ndarray
        Units that come back each day [units/day].
    resellable : numpy.ndarray
        Share that can be sold again [fraction].
    times, chances : numpy.ndarray
        Lead time of returns from receipt to shelf, items × points [days], and the chances.
    horizon : numpy.ndarray
        Lead time + review of the item [days].

    Examples
    --------
    Two a day, half of them good, five days to inspect, ten days ahead: 2·0.5·5 = 5.

    >>> returns_in_time(np.array([2.0]), resellable=np.array([0.5]), times=np.array([[5.0]]), chances=np.array([[1.0]]),
    ...     horizon=np.array([10.0])).tolist()
    [5.0]
    """
    share, back = np.asarray(resellable, dtype="float64"), np.asarray(rate, dtype="float64")
    if not ((share >= 0) & (share <= 1)).all() or not (back >= 0).all() or not (np.asarray(times) >= 0).all():
        raise InputError(
            expected="a rate of returns and their lead times of zero or more, and a resellable share from 0 to 1",
            found=f"rate from {back.min()}, share {share.min()} to {share.max()}, lead time from {np.min(times)}",
            fix="Correct the returns' quantities and dates.",
        )
    left = np.maximum(np.reshape(np.asarray(horizon, dtype="float64"), (-1, 1)) - np.atleast_2d(times), 0.0)
    return back * share * (left * np.atleast_2d(chances)).sum(axis=1)
