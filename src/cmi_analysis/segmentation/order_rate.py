"""Where the orders do not tell how customers leave: rates drawn towards the population (NBD), and the loss rate from outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.lifetime_value import LIFETIME, TAILS, order_value
from cmi_analysis.segmentation.likelihood import maximise
from cmi_analysis.segmentation.spending import SpendingModel

UNITS_A_YEAR = 365 / 7


@dataclass(frozen=True)
class RateModel:
    """Order rates that follow a Gamma distribution of shape `r` and rate `alpha` [unit of time]; fitted on `customers`."""

    r: float
    alpha: float
    log_likelihood: float
    customers: int


def fit_rates(summary: pd.DataFrame, *, least_customers: int) -> RateModel | None:
    """Return the rates that make the customers' repeat orders most likely, None where there are too few or they tell nothing.

    Parameters
    ----------
    summary : pandas.DataFrame
        ``repeat_orders`` x [count], ``age`` T [unit of time].
    least_customers : int
        With fewer customers no rates are fitted [count].

    Notes
    -----
    ln L = ln Γ(r + x) − ln Γ(r) + r ln α − (r + x) ln(α + T). Ehrenberg (1959), The pattern of consumer purchases, Applied
    Statistics 8(1), pp. 26–41.
    """
    from scipy.special import gammaln

    x, age = (summary[name].to_numpy(dtype="float64") for name in ("repeat_orders", "age"))
    if len(summary) < least_customers or not x.any():
        return None
    unit = float(age.mean()) or 1.0

    def likelihood(found: np.ndarray) -> np.ndarray:
        r, alpha = found
        return np.asarray(gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + age / unit))

    fit = maximise(likelihood, weights=np.ones(len(x)), starts=[(1.0, 0.3)])
    r, alpha = fit.parameters
    return None if fit.degenerate else RateModel(r, alpha * unit, fit.log_likelihood - float(x.sum()) * np.log(unit), len(x))


def score_alive_by_rate(
    summary: pd.DataFrame, *, model: RateModel, losses: float, customer_years: float, units_a_year: float = UNITS_A_YEAR
) -> np.ndarray:
    """Return the chance that each customer is still one, shape (rows,).

    Parameters
    ----------
    summary : pandas.DataFrame
        ``repeat_orders``, ``last_age``, ``age``.
    model : RateModel
        Fitted rates.
    losses, customer_years : float
        Customers that left, and the years all were customers.
    units_a_year : float
        Units of the ages in a year [count].

    Notes
    -----
    As `score_alive_by_rhythm`, with the silence's chance S = ((α + t_x)/(α + T))^(r + x) and the mean interval (α + T)/(r + x).

    Examples
    --------
    S = (10/20)¹ = ½; one loss in two years at an interval of 20 of 40 units a year: π = ¼; ¾ · ½/(¾ · ½ + ¼).

    >>> one = pd.DataFrame({"repeat_orders": [0], "last_age": [0.0], "age": [10.0]})
    >>> score_alive_by_rate(
    ...     one, model=RateModel(1, 10, 0, 0), losses=0.5, customer_years=2.0, units_a_year=40
    ... ).round(3).tolist()
    [0.6]
    """
    x, t_x, age = (summary[name].to_numpy(dtype="float64") for name in ("repeat_orders", "last_age", "age"))
    yearly = (losses + 0.5) / max(customer_years, 1.0)
    stop = np.clip(yearly * (model.alpha + age) / (model.r + x) / units_a_year, 1e-9, 0.5)
    still = (1 - stop) * ((model.alpha + t_x) / (model.alpha + age)) ** (model.r + x)
    return np.asarray(still / (still + stop))


def value_by_rate(
    summary: pd.DataFrame,
    *,
    model: RateModel,
    spending: SpendingModel | None,
    margin_rate: np.ndarray,
    losses: float,
    customer_years: float,
    months: int = 24,
    discount_rate: float = 0.10,
    draws: int = 300,
    seed: int = 1,
) -> pd.DataFrame:
    """Return each customer's lifetime value from its rate, its order value and the loss rate of all: as `value_by_rhythm`.

    Parameters
    ----------
    summary : pandas.DataFrame
        Frame of `summarise_orders`, ages in weeks.
    model, spending : RateModel, SpendingModel or None
        Fitted on the population.
    margin_rate, losses, customer_years, months, discount_rate, draws, seed
        As in `value_by_rhythm`.

    Returns
    -------
    pandas.DataFrame
        As in `value_by_model`.
    """
    if months < 1 or discount_rate < 0:
        raise InputError(
            expected="at least one month and no negative discount", found=f"{months}, {discount_rate:g}", fix="Mend it."
        )
    x, age = (summary[name].to_numpy(dtype="float64") for name in ("repeat_orders", "age"))
    generator, years, force = np.random.default_rng(seed), months / 12, np.log1p(discount_rate)
    alive = score_alive_by_rate(summary, model=model, losses=losses, customer_years=customer_years)
    rate, worth = (model.r + x) / (model.alpha + age) * UNITS_A_YEAR, order_value(summary, spending)
    drawn = np.empty((draws, len(summary)))
    for number in range(draws):
        hazard = max(generator.gamma(losses + 0.5) / max(customer_years, 1.0), 1e-9)
        stays = np.minimum(generator.exponential(1 / hazard, len(summary)), years)
        many = generator.poisson(generator.gamma(model.r + x) / (model.alpha + age) * UNITS_A_YEAR * stays)
        drawn[number] = many * worth * np.exp(-force * stays / 2) * (generator.random(len(summary)) < alive)
    hazard = (losses + 0.5) / max(customer_years, 1.0)
    orders = rate * alive * -np.expm1(-hazard * years) / hazard
    span = -np.expm1(-(hazard + force) * years) / (hazard + force)
    low, high = np.quantile(drawn * margin_rate, TAILS, axis=0)
    found = (alive, orders, rate * alive * span * worth * margin_rate, low, high)
    return pd.DataFrame({"customer_id": summary["customer_id"], **dict(zip(LIFETIME[1:], found, strict=True))})
