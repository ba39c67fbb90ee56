"""A customer's own forecast as one model among others, known from the day it was issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.grid import SERIES, Grid
from cmi_analysis.measures import calendar

if TYPE_CHECKING:
    from cmi_analysis.forecasting.backtest import Settings

# a customer's past weighs as much as this many forecasts that needed no correction
CORRECTION_PRIOR = 20.0


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
