"""What a customer will still leave us: expected orders × value × margin, discounted, with an interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.buy_till_you_die import PurchaseModel, expect_orders, fit_purchases, score_alive
from cmi_analysis.segmentation.spending import SpendingModel, expect_spending, fit_spending

LIFETIME = ("customer_id", "alive_chance", "expected_orders", "lifetime_value", "lifetime_value_low", "lifetime_value_high")
TAILS = (0.05, 0.95)
MONTHS_A_YEAR = 12


def value_by_model(
    summary: pd.DataFrame,
    *,
    purchases: PurchaseModel,
    spending: SpendingModel | None,
    margin_rate: np.ndarray,
    months: int = 24,
    discount_rate: float = 0.10,
    unit_days: float = 7.0,
    resamples: int = 30,
    futures: int = 10,
    seed: int = 1,
) -> pd.DataFrame:
    """Return each customer's lifetime value by a purchase model and a spending model.

    Parameters
    ----------
    summary : pandas.DataFrame
        Frame of `summarise_orders` of the *pooled* population.
    purchases : PurchaseModel
        Fitted on `summary`.
    spending : SpendingModel or None
        Fitted on `summary`; None: every order is worth the customer's own mean.
    margin_rate : numpy.ndarray
        What is left of one unit of order value after goods and handling, shape (rows,) [fraction].
    months, discount_rate : int, float
        Horizon [months] and yearly rate at which later money counts less [1/year].
    unit_days : float
        Unit of the ages in `summary` [days].
    resamples, futures, seed : int
        Populations drawn anew, on each of which both models are fitted again, and simulated futures of every customer on each.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``alive_chance`` [fraction], ``expected_orders`` [orders in the horizon], ``lifetime_value``,
        ``lifetime_value_low``, ``lifetime_value_high`` [money; 5 and 95 % of the simulated futures], in the order of `summary`.

    Notes
    -----
    Σ over the months m of (E Y(m) − E Y(m − 1)) · E value · margin / (1 + d)^((m − ½)/12): Fader, Hardie and Lee (2005), RFM and
    CLV: Using iso-value curves, Journal of Marketing Research 42(4), p. 419, for a bounded horizon. The interval is that of what
    will *happen* (orders, their values, and how well the models are known), so it is wide for a single customer.
    """
    _check_horizon(months=months, discount_rate=discount_rate)
    month = 365.25 / MONTHS_A_YEAR / unit_days
    steps = [expect_orders(summary, model=purchases, horizon=month * number) for number in range(months + 1)]
    weights = (1 + discount_rate) ** (-(np.arange(months) + 0.5) / MONTHS_A_YEAR)
    discounted = np.diff(np.stack(steps), axis=0).T @ weights
    worth = order_value(summary, spending)
    later = np.divide(discounted, steps[-1], out=np.ones_like(discounted), where=steps[-1] > 0)
    drawn = []
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        count = generator.multinomial(len(summary), np.full(len(summary), 1 / len(summary)))
        models = _refit(summary, count, purchases=purchases, spending=spending)
        futures_of = [_future(summary, *models, horizon=month * months, generator=generator) for _ in range(futures)]
        drawn += [value * later * margin_rate for value in futures_of]
    low, high = np.quantile(np.stack(drawn), TAILS, axis=0) if drawn else (np.full(len(summary), np.nan),) * 2
    values = (score_alive(summary, model=purchases), steps[-1], discounted * worth * margin_rate, low, high)
    return pd.DataFrame({"customer_id": summary["customer_id"], **dict(zip(LIFETIME[1:], values, strict=True))})


def _refit(
    summary: pd.DataFrame, count: np.ndarray, *, purchases: PurchaseModel, spending: SpendingModel | None
) -> tuple[PurchaseModel, SpendingModel | None]:
    """Return both models fitted on a resampled population; a degenerate fit is replaced by the one on the real population."""
    again = fit_purchases(summary, kind=purchases.kind, weights=count, least_customers=1, start=purchases)
    spent = None if spending is None else fit_spending(summary, weights=count, least_customers=1, start=spending)
    return (purchases if again.degenerate else again), (spending if spent is None or spent.degenerate else spent)


def _future(
    summary: pd.DataFrame,
    purchases: PurchaseModel,
    spending: SpendingModel | None,
    *,
    horizon: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return the order value of one simulated future of every customer [money]."""
    x, age = summary["repeat_orders"].to_numpy(dtype="float64"), summary["age"].to_numpy(dtype="float64")
    first = 1 if purchases.kind == "mbg_nbd" else 0
    alive = generator.random(len(x)) < score_alive(summary, model=purchases)
    rate = generator.gamma(purchases.r + x) / (purchases.alpha + age)
    stop = np.clip(generator.beta(purchases.a, purchases.b + x + first), 1e-12, 1.0)
    orders = np.minimum(generator.poisson(rate * horizon), generator.geometric(stop)) * alive
    if spending is None:
        return np.asarray(orders * summary["mean_order_value"].to_numpy(dtype="float64"))
    known, mean = (summary[name].to_numpy(dtype="float64") for name in ("valued_orders", "mean_order_value"))
    own = generator.gamma(spending.q + spending.p * known) / (spending.v + known * mean)
    return np.asarray(np.where(orders > 0, generator.gamma(np.maximum(spending.p * orders, 1e-9)) / own, 0.0))


def order_value(summary: pd.DataFrame, spending: SpendingModel | None) -> np.ndarray:
    """Return the expected value of each customer's next order [money]: by the model, else its own mean."""
    own = summary["mean_order_value"].to_numpy(dtype="float64")
    if spending is None:
        return own
    expected = expect_spending(summary, model=spending)
    return np.where(np.isnan(expected), own, expected)


def score_alive_by_rhythm(rhythm: pd.DataFrame, *, losses: float, customer_years: float) -> np.ndarray:
    """Return the chance that each customer with a rhythm is still one, shape (rows,); missing where it has none.

    Parameters
    ----------
    rhythm : pandas.DataFrame
        ``overdue_tail`` S [chance of an interval longer than the present silence], ``mean_interval_days`` [days].
    losses, customer_years : float
        Customers that left, and the years all were customers, over the whole population.

    Notes
    -----
    Bayes' rule with the chance π = h · m/365 to stop after an order, of the yearly loss rate h = (losses + ½)/customer_years and
    the customer's mean interval m: (1 − π)·S/((1 − π)·S + π). It is MBG/NBD with the customer's own Gamma intervals in place of
    random ones: for a weekly customer three weeks of silence say much, for a random one nothing.
    Platzer and Reutterer (2016), Ticking away the moments, Marketing Science 35(5).

    Examples
    --------
    π = 0.1 · 73/365 = 0.02, S = 0.04: 0.98 · 0.04/(0.98 · 0.04 + 0.02).

    >>> one = pd.DataFrame({"overdue_tail": [0.04], "mean_interval_days": [73.0]})
    >>> score_alive_by_rhythm(one, losses=0.5, customer_years=10.0).round(3).tolist()
    [0.662]
    """
    yearly = (losses + 0.5) / max(customer_years, 1.0)
    stop = np.clip(yearly * rhythm["mean_interval_days"].to_numpy(dtype="float64") / 365, 1e-9, 0.5)
    still = (1 - stop) * rhythm["overdue_tail"].to_numpy(dtype="float64")
    return np.asarray(still / (still + stop))


def value_by_rhythm(
    summary: pd.DataFrame,
    order_values: pd.DataFrame,
    *,
    alive: np.ndarray,
    margin_rate: np.ndarray,
    losses: float,
    customer_years: float,
    window_days: int = 365,
    months: int = 24,
    discount_rate: float = 0.10,
    draws: int = 300,
    seed: int = 1,
) -> pd.DataFrame:
    """Return each customer's lifetime value where there are too few customers for a model: its own orders go on until it leaves.

    Parameters
    ----------
    summary : pandas.DataFrame
        Frame of `summarise_orders`.
    order_values : pandas.DataFrame
        ``customer_id``, ``value`` [money] of each order in the window.
    alive, margin_rate : numpy.ndarray
        Chance to be still a customer, and margin of the order value, shape (rows,).
    losses, customer_years : float
        As in `score_alive_by_rhythm`.
    window_days, months, discount_rate
        Length of the window [days], horizon [months], yearly discount [1/year].
    draws, seed : int
        Bootstrap draws: the customer's orders are drawn anew, the loss rate from its Gamma posterior, the day of leaving from it.

    Returns
    -------
    pandas.DataFrame
        As in `value_by_model`.

    Notes
    -----
    Value a year V · P(alive) · E ∫₀ᴴ exp(−(h + δ)t) dt with δ = ln(1 + discount_rate) and h ~ Gamma(losses + ½, customer_years).
    """
    _check_horizon(months=months, discount_rate=discount_rate)
    generator, years = np.random.default_rng(seed), months / MONTHS_A_YEAR
    place = pd.Index(summary["customer_id"]).get_indexer(order_values["customer_id"])
    seen = np.minimum(summary["age"].to_numpy(dtype="float64") * 7 + 1, window_days) / 365
    values = order_values["value"].to_numpy(dtype="float64")[place >= 0]
    place = place[place >= 0]

    def yearly(weights: np.ndarray | None) -> np.ndarray:
        weighted = values if weights is None else values * weights
        return np.bincount(place, weights=weighted, minlength=len(summary)) / seen

    force = np.log1p(discount_rate)
    drawn = np.empty((draws, len(summary)))
    for number in range(draws):
        hazard = generator.gamma(losses + 0.5) / max(customer_years, 1.0)
        stays = np.minimum(generator.exponential(1 / max(hazard, 1e-9), len(summary)), years)
        lived = stays if force == 0 else -np.expm1(-force * stays) / force
        drawn[number] = yearly(generator.poisson(1.0, len(values))) * lived * (generator.random(len(summary)) < alive)
    total = force + (losses + 0.5) / max(customer_years, 1.0)
    span = -np.expm1(-total * years) / total
    orders = np.bincount(place, minlength=len(summary)) / seen * -np.expm1(-(total - force) * years) / (total - force)
    low, high = np.quantile(drawn * margin_rate, TAILS, axis=0)
    found = (alive, orders * alive, yearly(None) * span * alive * margin_rate, low, high)
    return pd.DataFrame({"customer_id": summary["customer_id"], **dict(zip(LIFETIME[1:], found, strict=True))})


def choose_model(summary: pd.DataFrame, *, least_customers: int) -> PurchaseModel | None:
    """Return the more likely of BG/NBD and MBG/NBD (both have four parameters), None where the population tells neither."""
    try:
        fits = [fit_purchases(summary, kind=kind, least_customers=least_customers) for kind in ("bg_nbd", "mbg_nbd")]
    except InputError:
        return None
    told = [fit for fit in fits if not fit.degenerate]
    return max(told, key=lambda fit: fit.log_likelihood) if told else None


def choose_spending(summary: pd.DataFrame, *, least_customers: int) -> SpendingModel | None:
    """Return the Gamma–Gamma model, None where there are too few customers or they do not tell it."""
    try:
        fit = fit_spending(summary, least_customers=least_customers)
    except InputError:
        return None
    return None if fit.degenerate or fit.q <= 1 else fit


def _check_horizon(*, months: int, discount_rate: float) -> None:
    if months < 1 or discount_rate < 0:
        raise InputError(
            expected="a horizon of at least one month and a discount rate of at least 0",
            found=f"{months} months and {discount_rate:g}",
            fix="Correct the two parameters.",
        )
