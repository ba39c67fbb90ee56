"""Demand over a random lead time as one object: a distribution on a grid, of which service and shortage are functionals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.demand_pmf import count_pmf, smooth_pmf

GRID = 512
"""Points of the grid of each item."""
_TAIL = 1e-7


@dataclass(frozen=True)
class LeadTimeDemand:
    """Distribution of demand over a time, one row for each item.

    Attributes
    ----------
    values : numpy.ndarray
        Items × points, rising [units]. Samples are the case of equal probabilities.
    probabilities : numpy.ndarray
        Items × points, each row sums to 1 [fraction].
    """

    values: np.ndarray
    probabilities: np.ndarray

    def of_rows(self, rows: np.ndarray) -> LeadTimeDemand:
        """Return the distributions of some items, `rows` their places."""
        return LeadTimeDemand(self.values[rows], self.probabilities[rows])

    def mean(self) -> np.ndarray:
        """Return the mean demand of each item [units]."""
        return (self.values * self.probabilities).sum(axis=1)

    def sd(self) -> np.ndarray:
        """Return the standard deviation of each item's demand [units]."""
        second = (self.values**2 * self.probabilities).sum(axis=1)
        return np.sqrt(np.maximum(second - self.mean() ** 2, 0.0))

    def quantile(self, level: float | np.ndarray) -> np.ndarray:
        """Return the smallest demand that is not exceeded with a chance of at least `level` [units]."""
        reached = self.probabilities.cumsum(axis=1) >= np.reshape(level, (-1, 1)) - 1e-9
        place = np.where(reached.any(axis=1), reached.argmax(axis=1), self.values.shape[1] - 1)
        return self.values[np.arange(len(self.values)), place]

    def chance_above(self, stock: np.ndarray) -> np.ndarray:
        """Return P(demand > stock) of each item [fraction]."""
        return (self.probabilities * (self.values > np.reshape(stock, (-1, 1)) + 1e-9)).sum(axis=1)

    def shortage(self, stock: np.ndarray) -> np.ndarray:
        """Return n(S) = E(demand − stock)⁺ of each item [units]."""
        return (self.probabilities * np.maximum(self.values - np.reshape(stock, (-1, 1)), 0.0)).sum(axis=1)

    def shortage_on_grid(self) -> np.ndarray:
        """Return n(S) at each of the grid's own points [units]."""
        above = self.probabilities[:, ::-1].cumsum(axis=1)[:, ::-1] - self.probabilities
        steps = np.diff(self.values, axis=1)
        falls = np.concatenate([above[:, :-1] * steps, np.zeros((len(self.values), 1))], axis=1)
        return falls[:, ::-1].cumsum(axis=1)[:, ::-1]


def sample_lead_time_demand(samples: np.ndarray) -> LeadTimeDemand:
    """Return the distribution of equally likely samples, items × samples [units].

    Examples
    --------
    Of the samples 0, 2 and 4, one unit is short on average with a stock of 1: (0 + 1 + 3)/3.

    >>> round(float(sample_lead_time_demand(np.array([[4.0, 0.0, 2.0]])).shortage(np.array([1.0]))[0]), 4)
    1.3333
    """
    values = np.sort(np.asarray(samples, dtype="float64"), axis=1)
    return LeadTimeDemand(values=values, probabilities=np.full(values.shape, 1.0 / values.shape[1]))


def spread_lead_times(lead_times: pd.DataFrame, *, items: pd.DataFrame, points: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return each item's lead times and their chances as two arrays, items × at most `points`.

    More than `points` distinct lead times are gathered into groups of about equal chance, each at its mean, in whole days.

    Parameters
    ----------
    lead_times : pandas.DataFrame
        customer_id, product_id, days [days], probability [fraction].
    items : pandas.DataFrame
        customer_id, product_id: order of the rows.
    points : int
        Most lead times kept apart.

    Raises
    ------
    InputError
        An item has no lead time, or one below zero.
    """
    rows = pd.MultiIndex.from_frame(items[["customer_id", "product_id"]]).get_indexer(
        pd.MultiIndex.from_frame(lead_times[["customer_id", "product_id"]])
    )
    used = lead_times.assign(row=rows)[rows >= 0].sort_values(["row", "days"], kind="stable")
    if (used["days"] < 0).any() or used["row"].nunique() < len(items):
        raise InputError(
            expected="a lead time of zero or more days for each item",
            found=f"{len(items) - used['row'].nunique()} items without one, shortest {used['days'].min()} days",
            fix="Give orders with deliveries, assortment.lead_time_days or assumed_lead_time_days.",
        )
    used["probability"] = used["probability"] / used.groupby("row")["probability"].transform("sum")
    many = used.groupby("row")["days"].transform("size") > points
    middle = used.groupby("row")["probability"].cumsum() - used["probability"] / 2
    gathered = np.minimum((middle * points).astype("int64"), points - 1)
    used["slot"] = np.where(many, gathered, used.groupby("row").cumcount())
    used["weighted"] = used["days"] * used["probability"]
    groups = used.groupby(["row", "slot"], sort=True)[["weighted", "probability"]].sum()
    days, chances = np.zeros((2, len(items), points))
    place = tuple(groups.index.to_frame()[name].to_numpy(dtype="int64") for name in ("row", "slot"))
    days[place] = np.round(groups["weighted"] / groups["probability"])
    chances[place] = groups["probability"]
    return days, chances


def fit_lead_time_demand(
    path: DemandPath, *, days: np.ndarray, chances: np.ndarray, review_days: np.ndarray
) -> tuple[LeadTimeDemand, LeadTimeDemand]:
    """Return the demand over lead time + review period, and over the lead time alone, on one grid.

    Given the lead time, demand is negative binomial (Poisson where the variance is not above the mean) with the path's mean and
    variance where the grid can hold every whole unit, else gamma; over the lead times it is a mixture, so a lead time of 2 or 8
    days is not taken for 5.

    The grid has `GRID` points, one unit apart where that reaches all but 1e-7 of the demand; there the mean and n(S) are within
    1e-5 of the standard deviation and that within 0.01 %. Above about 300 units it is coarser: the mean is then within 0.1 % of
    the standard deviation, that within 0.2 %, and n(S) within 0.2 % of it at every grid point (held by a test);
    `distribution_lead_time_demand` takes finer grids.

    Parameters
    ----------
    path : DemandPath
        Mean and variance by day.
    days, chances : numpy.ndarray
        Lead times and their chances, items × points, as from `spread_lead_times` [days, fraction].
    review_days : numpy.ndarray
        Review period of each item [days]; 0 for continuous review.

    Returns
    -------
    tuple of LeadTimeDemand
        Over L + R, and over L.
    """
    over = days + np.reshape(review_days, (-1, 1))
    long_mean, long_variance = path.mean_at(over), path.variance_at(over)
    step = _grid_step(long_mean, long_variance, chances)
    values = step[:, None] * np.arange(GRID)
    protection = _mixture(values, step, long_mean, long_variance, chances)
    lead = _mixture(values, step, path.mean_at(days), path.variance_at(days), chances)
    return LeadTimeDemand(values, protection), LeadTimeDemand(values, lead)


def _grid_step(mean: np.ndarray, variance: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return the distance of the grid's points: 1 where that reaches far enough, else what does [units]."""
    used = (chances > 0) & (mean > 0)
    safe_mean, safe_variance = np.where(used, mean, 1.0), np.where(used, np.maximum(variance, mean), 1.0)
    far = scipy.special.gammainccinv(safe_mean**2 / safe_variance, _TAIL) * safe_variance / safe_mean + 5.0
    reach = np.where(used, far, 1.0).max(axis=1)
    return np.maximum(1.0, reach / (GRID - 1))


def _mixture(values: np.ndarray, step: np.ndarray, mean: np.ndarray, variance: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Return the mixed probabilities on the grid, each row summing to 1."""
    total = np.zeros_like(values)
    whole = step <= 1.0
    for point in range(mean.shape[1]):
        for rows in (whole, ~whole):
            used = rows & (chances[:, point] > 0)
            if not used.any():
                continue
            moments: dict = {"mean": mean[used, point], "variance": variance[used, point], "points": values.shape[1]}
            part = count_pmf(**moments) if rows is whole else smooth_pmf(**moments, step=step[used], family="gamma")
            total[used] += chances[used, point, None] * part
    return total / total.sum(axis=1, keepdims=True)
