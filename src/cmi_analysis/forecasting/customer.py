"""A customer's own forecast as one model among others, known from the day it was issued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.grid import SERIES, Grid
from cmi_analysis.measures import calendar

if TYPE_CHECKING:
    from cmi_analysis.forecasting.backtest import Fold, Settings, View

# a customer's past weighs as much as this many forecasts that needed no correction
CORRECTION_PRIOR = 20.0
# theirs or the mean of both must be better than ours by this share of the score
CUSTOMER_MARGIN = 0.05
# fewer paired errors than this choose nothing
LEAST_PAIRS = 20
# the weight of the customer's forecast starts at one half, which is worth so many paired errors
WEIGHT_PRIOR = 60.0
PAIR_COLUMNS = ["customer_id", "actual", "ours", "theirs"]


def customer_matrix(forecasts: pd.DataFrame | None, *, grid: Grid, ahead: pd.DatetimeIndex, settings: Settings) -> np.ndarray:
    """Return the customer's newest forecast of each series for each period ahead, of those issued by the end of the last period.

    NaN where there is none. Several rows issued on one day for one period (days of a week, say) are added up.
    """
    empty = np.full((len(grid.series), len(ahead)), np.nan)
    if forecasts is None or forecasts.empty:
        return empty
    when = {"frequency": settings.frequency, "week_start": settings.week_start}
    known_until = ahead[0] - pd.Timedelta(days=1)
    rows = forecasts[(forecasts["issued_on"] <= known_until) & np.isfinite(forecasts["quantity"].astype("float64"))]
    rows = rows.assign(period=calendar.period_start(rows["period"], **when))
    rows = rows[rows["period"].isin(ahead)]
    if rows.empty:
        return empty
    summed = rows.groupby([*SERIES, "period", "issued_on"], sort=True, observed=True)["quantity"].sum().reset_index()
    newest = summed.drop_duplicates([*SERIES, "period"], keep="last")
    return np.clip(Grid(grid.series, ahead).matrix(newest, "quantity"), 0, None)


def correction_factors(known: pd.DataFrame) -> pd.Series:
    """Return by customer what its forecasts are multiplied by to take their past bias out.

    Parameters
    ----------
    known : pandas.DataFrame
        Back-test rows of the model ``customer``: ``customer_id, actual, mean``.

    Returns
    -------
    pandas.Series
        By ``customer_id``: (ΣA + a)/(ΣF + a) with a = 20 times the mean forecast, so that little evidence means little
        correction; between 0.5 and 1.5.

    Examples
    --------
    80 forecasts of 13 for a demand of 10: (800 + 260)/(1040 + 260).

    >>> rows = pd.DataFrame({"customer_id": ["C"] * 80, "actual": 10.0, "mean": 13.0})
    >>> correction_factors(rows).round(3).to_dict()
    {'C': 0.815}
    """
    sums = known.groupby("customer_id", sort=True, observed=True).agg(
        actual=("actual", "sum"), forecast=("mean", "sum"), size=("mean", "mean")
    )
    prior = CORRECTION_PRIOR * sums["size"]
    factor = (sums["actual"] + prior) / (sums["forecast"] + prior)
    return factor.where(sums["forecast"] > 0, 1.0).clip(0.5, 1.5)


def customer_pairs(folds: Sequence[Fold], *, until: pd.Timestamp, models: pd.Series) -> pd.DataFrame:
    """Return the customers' forecasts beside ours, on the same items and periods known at `until`.

    Parameters
    ----------
    folds : sequence of Fold
        The back-test.
    until : pandas.Timestamp
        Later periods are not looked at.
    models : pandas.Series
        Our model by demand pattern (index).

    Returns
    -------
    pandas.DataFrame
        ``customer_id, actual, ours, theirs`` [sales units].
    """
    frames = [pd.DataFrame({name: pd.Series(dtype="object" if name == "customer_id" else "float64") for name in PAIR_COLUMNS})]
    for fold in folds:
        view, theirs = fold.view, fold.view.forecasts["customer"]
        if view.origin >= until:
            continue
        plain = (view.series["fallback"] == "").to_numpy()
        known = np.isfinite(fold.actual) & np.isfinite(theirs) & (view.ahead <= until)[None, :] & plain[:, None]
        name = view.series["pattern"].map(models).fillna("mean").astype(str).to_numpy()
        ours = np.full_like(theirs, np.nan)
        for model in np.unique(name):
            ours = np.where((name == model)[:, None], view.forecasts[model], ours)
        customer = np.broadcast_to(view.series["customer_id"].to_numpy()[:, None], theirs.shape)
        found = {"customer_id": customer, "actual": fold.actual, "ours": ours, "theirs": theirs}
        frames.append(pd.DataFrame({column: values[known] for column, values in found.items()}))
    filled = [frame for frame in frames if not frame.empty]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def choose_customers(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return by customer what to use: statistical, customer, or combined, by the score on the same items and periods.

    Parameters
    ----------
    pairs : pandas.DataFrame
        As `customer_pairs` returns them.

    Returns
    -------
    pandas.DataFrame
        By ``customer_id`` (index): ``use``; the customer's own forecast or the combination only where it is better by 5 % of the
        score over at least 20 errors. ``factor`` that takes the customer's bias out (`correction_factors`), ``weight`` of the
        customer's forecast in the combination [fraction].

    Notes
    -----
    Weight: the w in 0, 0.05, … 1 with the least Σ|w·theirs + (1 − w)·ours − A|, shrunk to one half as (n·w + 60·½)/(n + 60).
    Source: Bates and Granger (1969), The combination of forecasts, Operational Research Quarterly 20, 451–468.
    """
    corrected = correction_factors(pairs.rename(columns={"theirs": "mean"}))
    rows = {}
    for customer, part in pairs.groupby("customer_id", sort=True):
        factor = float(corrected[customer])
        actual, ours, theirs = (part[name].to_numpy() for name in ("actual", "ours", "theirs"))
        weight = _weight(actual, ours, factor * theirs)
        both = weight * factor * theirs + (1 - weight) * ours
        score = {"statistical": _score(ours, actual), "combined": _score(both, actual), "customer": _score(theirs, actual)}
        best = min(("combined", "customer"), key=lambda name: score[name])
        better = len(part) >= LEAST_PAIRS and score[best] < score["statistical"] * (1 - CUSTOMER_MARGIN)
        rows[customer] = {"use": best if better else "statistical", "factor": factor, "weight": weight}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["use", "factor", "weight"]).rename_axis("customer_id")


def blend_forecasts(ours: np.ndarray, view: View, use: pd.DataFrame) -> np.ndarray:
    """Return the weighted mean of ours and the customer's forecast, ours where there is none or no model is used."""
    factor, weight = (
        view.series["customer_id"].map(use[name]).astype("float64").fillna(start).to_numpy()[:, None]
        for name, start in (("factor", 1.0), ("weight", 0.5))
    )
    theirs = view.forecasts["customer"] * factor
    plain = (view.series["fallback"] == "").to_numpy()[:, None]
    return np.where(plain & np.isfinite(theirs), weight * theirs + (1 - weight) * ours, ours)


def _weight(actual: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> float:
    grid = np.linspace(0, 1, 21)
    missed = [float(np.abs(weight * theirs + (1 - weight) * ours - actual).sum()) for weight in grid]
    best = float(grid[int(np.argmin(missed))])
    return (len(actual) * best + WEIGHT_PRIOR / 2) / (len(actual) + WEIGHT_PRIOR)


def _score(forecast: np.ndarray, actual: np.ndarray) -> float:
    total = actual.sum()
    return float((np.abs(forecast - actual).sum() + abs((forecast - actual).sum())) / total) if total > 0 else np.inf
