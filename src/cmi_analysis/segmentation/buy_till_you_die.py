"""Is a customer still there, and how often will it order: BG/NBD and MBG/NBD, fitted by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.likelihood import Fit, maximise

Kind = Literal["bg_nbd", "mbg_nbd"]
PARAMETERS = ("r", "alpha", "a", "b")
LEAST_CUSTOMERS = 200
POOL_CUSTOMERS = 100.0
_TINY = 1e-5


@dataclass(frozen=True)
class PurchaseModel:
    """A fitted model of when customers order and when they stop.

    Attributes
    ----------
    kind : {"bg_nbd", "mbg_nbd"}
        Which model.
    r, alpha : float
        Order rates follow a Gamma distribution of shape `r` and rate `alpha` [unit of time].
    a, b : float
        Chances to stop after an order follow a Beta distribution with these parameters.
    log_likelihood : float
        Of the customers fitted on, at these parameters.
    customers : int
        Customers fitted on [count].
    degenerate : bool
        A parameter ran to its bound, or the data leave one of them open (`likelihood.maximise`).
    """

    kind: Kind
    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: int
    degenerate: bool


def fit_purchases(
    summary: pd.DataFrame,
    *,
    kind: Kind = "bg_nbd",
    weights: np.ndarray | None = None,
    pool: pd.DataFrame | None = None,
    pool_customers: float = POOL_CUSTOMERS,
    least_customers: int = LEAST_CUSTOMERS,
    start: PurchaseModel | None = None,
) -> PurchaseModel:
    """Return the model that makes the customers' orders most likely.

    Parameters
    ----------
    summary : pandas.DataFrame
        Frame of `summarise_orders`: ``repeat_orders`` x [count], ``last_age`` t_x, ``age`` T [one unit of time].
    kind : {"bg_nbd", "mbg_nbd"}
        "bg_nbd": a customer may stop after each repeat order; "mbg_nbd": after its first order already.
    weights : numpy.ndarray, optional
        How often each row counts; default: once.
    pool : pandas.DataFrame, optional
        The whole population, where `summary` is one small group of it: its likelihood is added with the total weight of
        `pool_customers` customers, so that a group of few is drawn towards the population and one of many speaks for itself.
    pool_customers : float
        Weight of the pool [customers].
    least_customers : int
        With fewer customers, the pool included, no model is fitted [count].
    start : PurchaseModel, optional
        Parameters to begin the search from.

    Raises
    ------
    InputError
        Too few customers, nobody who ordered twice, or a summary that cannot be (an age below the age at the last order).

    Notes
    -----
    Log-likelihood of one customer, BG/NBD: ln L = A1 + A2 + ln(exp(A3) + [x > 0] exp(A4)) with
    A1 = ln Γ(r + x) − ln Γ(r) + r ln α, A2 = ln Γ(a + b) + ln Γ(b + x) − ln Γ(b) − ln Γ(a + b + x),
    A3 = −(r + x) ln(α + T), A4 = ln a − ln(b + x − 1) − (r + x) ln(α + t_x); in MBG/NBD b + x is b + x + 1 everywhere and A4
    counts for x = 0 too.
    Fader, Hardie and Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2), eq. 6; Batislam, Denizel and
    Filiztekin (2007), International Journal of Research in Marketing 24(3), pp. 201–209.
    Small groups: of 60 samples of 30 CDNOW customers more than half give degenerate fits, hence `least_customers` and the pool.
    """
    rows = _checked(summary)
    weight = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype="float64")
    every = len(rows) if pool is None else len(pool)
    if every < least_customers or not (rows["repeat_orders"] > 0).any():
        raise InputError(
            expected=f"at least {least_customers} customers, some of them with a second order",
            found=f"{every} customers, {int((rows['repeat_orders'] > 0).sum())} with a second order",
            fix="Fit the model on the whole population, or judge each customer by its own rhythm.",
        )
    own, own_weight = _compressed(rows, weight)
    data, used = own, own_weight
    if pool is not None:
        more, more_weight = _compressed(_checked(pool), np.full(len(pool), pool_customers / len(pool)))
        data, used = np.concatenate([own, more], axis=1), np.concatenate([own_weight, more_weight])
    unit = float(np.average(data[2], weights=used)) or 1.0
    x, t_x, age = data[0], data[1] / unit, data[2] / unit
    starts = [(1.0, 0.3, 1.0, 3.0), (0.3, 0.1, 0.5, 5.0)] if start is None else [(start.r, start.alpha / unit, start.a, start.b)]
    fit: Fit = maximise(lambda p: _log_likelihood(p, x, t_x, age, kind=kind), weights=used, starts=starts)
    r, alpha, a, b = fit.parameters
    found = np.array([r, alpha * unit, a, b])
    likelihood = float(own_weight @ _log_likelihood(found, *own, kind=kind))
    return PurchaseModel(kind, r, alpha * unit, a, b, likelihood, round(float(own_weight.sum())), fit.degenerate)


def score_alive(summary: pd.DataFrame, *, model: PurchaseModel) -> np.ndarray:
    """Return the chance that each customer has not stopped ordering for good by the end of its age, shape (rows,).

    Notes
    -----
    BG/NBD: 1 / (1 + a/(b + x − 1) · ((α + T)/(α + t_x))^(r + x)) for x > 0. A customer with a single order gets exactly 1,
    because in this model one can only stop *after a repeat order*: that 1 is an assumption and says nothing of the customer.
    MBG/NBD lets one stop after the first order too: 1 / (1 + a/(b + x) · ((α + T)/(α + t_x))^(r + x)).
    Fader, Hardie and Lee (2008), Computing P(alive) using the BG/NBD model, note 021.

    Examples
    --------
    One order, silent for a year: "surely alive" in the one model, 1 / (1 + 1/1 · (1 + 3)¹) = 0.2 in the other.

    >>> one = pd.DataFrame({"repeat_orders": [0], "last_age": [0.0], "age": [3.0]})
    >>> [float(score_alive(one, model=PurchaseModel(kind, 1, 1, 1, 1, 0, 0, False))[0]) for kind in ("bg_nbd", "mbg_nbd")]
    [1.0, 0.2]
    """
    x, t_x, age = _columns(summary)
    first = 1 if model.kind == "mbg_nbd" else 0
    stops = np.maximum(model.b + x - 1 + first, _TINY)
    odds = np.log(model.a) - np.log(stops) + (model.r + x) * (np.log(model.alpha + age) - np.log(model.alpha + t_x))
    alive = 1 / (1 + np.exp(np.minimum(odds, 700.0)))
    return np.asarray(alive if first else np.where(x > 0, alive, 1.0))


def expect_orders(summary: pd.DataFrame, *, model: PurchaseModel, horizon: float | np.ndarray) -> np.ndarray:
    """Return the expected number of orders of each customer in the time `horizon` after its age, shape (rows,).

    Parameters
    ----------
    summary : pandas.DataFrame
        ``repeat_orders``, ``last_age``, ``age`` of each customer.
    model : PurchaseModel
        Fitted model.
    horizon : float or numpy.ndarray
        Time ahead, in the unit of the ages; an array of the rows' length gives each its own.

    Notes
    -----
    P(alive) · c/(a − 1) · [1 − ((α + T)/(α + T + t))^(r + x) ₂F₁(r + x, b'; c; t/(α + T + t))] with b' = b + x (MBG/NBD: + 1) and
    c = a + b' − 1. Computed by Euler's transformation (1 − z)^(a − 1) ₂F₁(a − 1, c − r − x; c; z), which does not overflow.
    Fader, Hardie and Lee (2005), eq. 10.
    """
    x, _, age = _columns(summary)
    first = 1 if model.kind == "mbg_nbd" else 0
    start = model.alpha + age
    many = _expected(model.a, model.b + x + first, model.r + x, start, np.asarray(horizon, dtype="float64"))
    return np.asarray(score_alive(summary, model=model) * many)


def expect_orders_of_new(horizons: np.ndarray, *, model: PurchaseModel) -> np.ndarray:
    """Return the expected repeat orders of a customer that just placed its first order, by each of `horizons`.

    Notes
    -----
    (a + b − 1)/(a − 1) · [1 − (α/(α + t))^r ₂F₁(r, b; a + b − 1; t/(α + t))]: Fader, Hardie and Lee (2005), eq. 9. In MBG/NBD the
    customer stops at once with probability a/(a + b).
    """
    time = np.asarray(horizons, dtype="float64")
    one = np.ones_like(time)
    if model.kind == "mbg_nbd":
        stays = model.b / (model.a + model.b)
        return stays * _expected(model.a, (model.b + 1) * one, model.r * one, model.alpha * one, time)
    return _expected(model.a, model.b * one, model.r * one, model.alpha * one, time)


def _expected(a: float, b: np.ndarray, r: np.ndarray, start: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return E[(1 − e^(−λpt))/p] for λ ~ Gamma(r, start), p ~ Beta(a, b)."""
    from scipy.special import hyp2f1

    shape = a + _TINY if abs(a - 1) < _TINY else a  # at a = 1 the formula is 0/0
    c = shape + b - 1
    z = time / (start + time)
    with np.errstate(invalid="ignore", over="ignore"):
        many = c / (shape - 1) * (1 - (1 - z) ** (shape - 1) * hyp2f1(shape - 1, c - r, c, z))
    lost = ~np.isfinite(many)
    if lost.any():
        b, r, start, time = (np.broadcast_to(value, many.shape)[lost] for value in (b, r, start, time))
        many = np.array(many)
        many[lost] = _by_quantiles(a, b, r, start, time)
    return np.asarray(many)


def _by_quantiles(a: float, b: np.ndarray, r: np.ndarray, start: np.ndarray, time: np.ndarray, nodes: int = 400) -> np.ndarray:
    """Return the same mean over equally likely values of p, where the series does not converge (`b` in the thousands)."""
    from scipy.special import betaincinv

    stop = np.maximum(betaincinv(a, b[:, None], (np.arange(nodes) + 0.5)[None, :] / nodes), 1e-12)
    many = -np.expm1(r[:, None] * -np.log1p(stop * time[:, None] / start[:, None])) / stop
    return np.asarray(many.mean(axis=1))


def _log_likelihood(p: np.ndarray, x: np.ndarray, t_x: np.ndarray, age: np.ndarray, *, kind: Kind) -> np.ndarray:
    from scipy.special import betaln, gammaln

    r, alpha, a, b = p
    first = 1 if kind == "mbg_nbd" else 0
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stay = betaln(a, b + x + first) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + age)
    with np.errstate(invalid="ignore"):
        stopped = np.log(a) - np.log(np.maximum(b + x - 1 + first, _TINY**2)) - (r + x) * np.log(alpha + t_x)
    return np.asarray(rate + stay + np.where((x > 0) | (first > 0), np.logaddexp(alive, stopped), alive))


def _columns(summary: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, t_x, age = (summary[name].to_numpy(dtype="float64") for name in ("repeat_orders", "last_age", "age"))
    return x, t_x, age


def _checked(summary: pd.DataFrame) -> pd.DataFrame:
    x, t_x, age = _columns(summary)
    wrong = ~((x >= 0) & (t_x >= 0) & (age >= t_x) & ((x > 0) == (t_x > 0)))
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise InputError(
            expected="0 ≤ last_age ≤ age, and last_age 0 exactly where there is no repeat order",
            found=f"row {place}: repeat_orders {x[place]:g}, last_age {t_x[place]:g}, age {age[place]:g}",
            fix="Make the summary with summarise_orders.",
        )
    return summary


def _compressed(summary: pd.DataFrame, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct (x, t_x, T), shape (3, rows), and their weights."""
    distinct, place = np.unique(np.stack(_columns(summary)), axis=1, return_inverse=True)
    return distinct, np.bincount(place.ravel(), weights=weights, minlength=distinct.shape[1])
