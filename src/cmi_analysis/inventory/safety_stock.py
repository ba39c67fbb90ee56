"""What the safety stock is made of: shares of the variance of demand over the protection interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError

SOURCES = ("demand_noise", "bias", "lead_time", "parameter_error", "rounding")
"""What makes stock necessary beyond the mean demand, in the order in which it is shown."""


def split_variance(
    *,
    mean: np.ndarray,
    variance: np.ndarray,
    chances: np.ndarray,
    bias: np.ndarray | float = 0.0,
    parameter_variance: np.ndarray | float = 0.0,
    multiple: np.ndarray | float = 1.0,
) -> pd.DataFrame:
    """Return how much of the variance behind each item's safety stock comes from which source, as shares that sum to 1.

    Var = E Var(D | L) + Var E(D | L) + bias² + Var(parameters) + (q² − 1)/12. The first is the demand's noise around an unbiased
    forecast over lead time + review; the second the lead time's (Silver, Pyke and Thomas 2017, section 6.10); the mean error of
    the forecast over that time squared; what a short history leaves open about the mean; and the variance of a uniform
    remainder of whole packs q (Hadley and Whitin 1963: the position is uniform over a pack). Safety stock itself is not
    additive, variance is: a share says how much smaller the variance would be without that source.

    Parameters
    ----------
    mean, variance : numpy.ndarray
        Of the demand over each lead time + review period, items × lead times [units, units²]; without bias and parameter error.
    chances : numpy.ndarray
        Chances of the lead times [fraction].
    bias : numpy.ndarray or float
        Mean error of the forecast over the protection interval [units].
    parameter_variance : numpy.ndarray or float
        Variance of the estimated mean over the protection interval, as from `parameter_variance` [units²].
    multiple : numpy.ndarray or float
        Pack q in which orders are made; 1 or less: none [units].

    Returns
    -------
    pandas.DataFrame
        demand_noise, bias, lead_time, parameter_error, rounding [fraction], variance [units²]; shares all 0 where nothing varies.

    Raises
    ------
    InputError
        A variance is below zero or missing.

    Examples
    --------
    Lead time 1 or 3 days with 10 a day and variance 5 a day, bias 6, packs of 7: 10 + 100 + 36 + 4 = 150.

    >>> shares = split_variance(mean=np.array([[10.0, 30.0]]), variance=np.array([[5.0, 15.0]]), chances=np.array([[0.5, 0.5]]),
    ...     bias=6.0, multiple=7.0)
    >>> shares.round(3).iloc[0].tolist()
    [0.067, 0.24, 0.667, 0.0, 0.027, 150.0]
    """
    centre, square = np.atleast_2d(np.asarray(mean, dtype="float64")), np.atleast_2d(np.asarray(variance, dtype="float64"))
    share = np.broadcast_to(np.atleast_2d(np.asarray(chances, dtype="float64")), centre.shape)
    middle = (share * centre).sum(axis=1, keepdims=True)
    pack = np.maximum(np.nan_to_num(np.asarray(multiple, dtype="float64"), nan=1.0), 1.0)
    parts = [
        (share * square).sum(axis=1),
        np.asarray(bias, dtype="float64") ** 2,
        (share * (centre - middle) ** 2).sum(axis=1),
        np.asarray(parameter_variance, dtype="float64"),
        (pack**2 - 1) / 12,
    ]
    table = np.stack([np.broadcast_to(part, (len(centre),)) for part in parts], axis=1)
    if not (table >= 0).all():
        raise InputError(
            expected="variances of zero or more and a known bias",
            found=f"a least part of {np.nanmin(table)}, {int(np.isnan(table).sum())} missing",
            fix="Give 0 for what is not known, and say so.",
        )
    total = table.sum(axis=1)
    shares = np.divide(table, total[:, None], out=np.zeros_like(table), where=total[:, None] > 0)
    shares[:, 0] = np.where(total > 0, 1 - shares[:, 1:].sum(axis=1), 0.0)
    return pd.DataFrame({**{name: shares[:, place] for place, name in enumerate(SOURCES)}, "variance": total})


def parameter_variance(*, variance: np.ndarray, periods: np.ndarray, horizon: np.ndarray) -> np.ndarray:
    """Return the variance of the estimated mean demand over a horizon: (h/n)·h·σ² for n independent periods.

    The mean of n periods has variance σ²/n; over h periods its error is multiplied by h.

    Parameters
    ----------
    variance : numpy.ndarray
        Of one period's demand [units²].
    periods, horizon : numpy.ndarray
        Periods behind the mean, and periods ahead [periods].

    Examples
    --------
    Variance 9 a period, 4 of 36 periods: 4·9·4/36 = 4.

    >>> float(parameter_variance(variance=np.array([9.0]), periods=np.array([36]), horizon=np.array([4]))[0])
    4.0
    """
    number = np.asarray(periods, dtype="float64")
    if not (number > 0).all():
        raise InputError(expected="one or more periods of history", found=f"{number.min()}", fix="Leave the item to the panel.")
    return np.asarray(variance, dtype="float64") * np.asarray(horizon, dtype="float64") ** 2 / number


def forecast_bias(errors: np.ndarray, *, periods: int, prior_origins: float = 4.0) -> np.ndarray:
    """Return the mean error of each item's forecast over the protection interval, shrunk towards none.

    Mean over the origins of the sum of the first `periods` errors (forecast − actual), times n/(n + k), n origins and
    k = `prior_origins`: few origins show noise, not bias.

    Parameters
    ----------
    errors : numpy.ndarray
        Items × origins × horizons: actual − forecast [units]; missing where not known.
    periods : int
        Periods of the protection interval.
    prior_origins : float
        Origins that no bias counts for [count].

    Examples
    --------
    Four origins, each 1 too low in both periods: a bias of −2, half of it believed.

    >>> forecast_bias(np.ones((1, 4, 2)), periods=2).tolist()
    [-1.0]
    """
    table = np.asarray(errors, dtype="float64")[:, :, :periods]
    if table.shape[2] < periods:
        raise InputError(expected=f"errors {periods} periods ahead", found=f"{table.shape[2]}", fix="Back-test further ahead.")
    sums = -table.sum(axis=2)
    known = np.isfinite(sums)
    number = known.sum(axis=1)
    return np.where(known, sums, 0.0).sum(axis=1) / (number + prior_origins)
