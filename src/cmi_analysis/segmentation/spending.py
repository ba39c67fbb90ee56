"""How much a customer spends an order: the Gamma–Gamma model, which draws a mean of few orders towards that of all customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.likelihood import maximise

LEAST_BUYERS = 100


@dataclass(frozen=True)
class SpendingModel:
    """A fitted Gamma–Gamma model.

    Attributes
    ----------
    p : float
        Shape of one customer's order values.
    q, v : float
        Shape and rate [money] of the Gamma distribution of the customers' own rates.
    log_likelihood : float
        Of the customers fitted on.
    customers : int
        Customers fitted on [count].
    degenerate : bool
        The data do not tell a parameter (`likelihood.maximise`).
    """

    p: float
    q: float
    v: float
    log_likelihood: float
    customers: int
    degenerate: bool


def fit_spending(
    summary: pd.DataFrame,
    *,
    weights: np.ndarray | None = None,
    least_customers: int = LEAST_BUYERS,
    start: SpendingModel | None = None,
) -> SpendingModel:
    """Return the model that makes the customers' mean order values most likely.

    Parameters
    ----------
    summary : pandas.DataFrame
        ``valued_orders`` [count], ``mean_order_value`` [money]; rows without any are left out.
    weights : numpy.ndarray, optional
        How often each row of `summary` counts; default: once.
    least_customers : int
        With fewer customers that have a value no model is fitted [count].
    start : SpendingModel, optional
        Parameters to begin the search from.

    Raises
    ------
    InputError
        Too few customers with a value.

    Notes
    -----
    With x orders of mean z: ln L = ln Γ(px + q) − ln Γ(px) − ln Γ(q) + q ln v + (px − 1) ln z + px ln x − (px + q) ln(v + xz).
    It takes for granted that what a customer spends an order does not depend on how often it orders.
    Fader and Hardie (2013), The Gamma-Gamma model of monetary value, note 025, eq. 1a.
    """
    weight = np.ones(len(summary)) if weights is None else np.asarray(weights, dtype="float64")
    x, z = (summary[name].to_numpy(dtype="float64") for name in ("valued_orders", "mean_order_value"))
    kept = (x > 0) & (z > 0)
    if kept.sum() < least_customers:
        raise InputError(
            expected=f"at least {least_customers} customers with an order value above 0",
            found=f"{int(kept.sum())}",
            fix="Fit the model on the whole population, or use each customer's own mean.",
        )
    x, z, weight = x[kept], z[kept], weight[kept]
    unit = float(np.average(z, weights=weight))
    starts = [(4.0, 4.0, 2.0), (1.0, 2.0, 1.0)] if start is None else [(start.p, start.q, start.v / unit)]
    fit = maximise(lambda found: _log_likelihood(found, x, z / unit), weights=weight, starts=starts)
    p, q, v = fit.parameters
    likelihood = float(weight @ _log_likelihood(np.array([p, q, v * unit]), x, z))
    return SpendingModel(p, q, v * unit, likelihood, round(float(weight.sum())), fit.degenerate)


def expect_spending(summary: pd.DataFrame, *, model: SpendingModel) -> np.ndarray:
    """Return the expected value of each customer's next order [money], shape (rows,).

    Notes
    -----
    p (v + xz)/(px + q − 1): a weighted mean of the customer's own z and the population's pv/(q − 1); missing where px + q ≤ 1.
    Fader and Hardie (2013), note 025, eq. 5.

    Examples
    --------
    No order of its own: the population's mean, 2 · 30/(4 − 1); two orders of 50: 2 · (30 + 100)/(4 + 4 − 1).

    >>> people = pd.DataFrame({"valued_orders": [0, 2], "mean_order_value": [0.0, 50.0]})
    >>> expect_spending(people, model=SpendingModel(2.0, 4.0, 30.0, 0.0, 0, False)).round(2).tolist()
    [20.0, 37.14]
    """
    x, z = (summary[name].to_numpy(dtype="float64") for name in ("valued_orders", "mean_order_value"))
    shape = model.p * x + model.q - 1
    return np.asarray(np.where(shape > 0, model.p * (model.v + x * z) / np.where(shape > 0, shape, 1.0), np.nan))


def _log_likelihood(found: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln

    p, q, v = found
    scale = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    return np.asarray(scale + (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(v + x * z))
