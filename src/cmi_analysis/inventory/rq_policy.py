"""Exact (r,Q) and (r,nQ) policies with backorders, for any stationary demand over the protection interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.pmf import check_pmf, sum_pmfs
from cmi_analysis.inventory.pmf_shortage import mean_of, shortage_at, shortage_curve
from cmi_analysis.inventory.position_service import score_positions
from cmi_analysis.inventory.value_checks import check_costs, check_rows

_CHUNK = 4096
_LONGEST = 1_000_000


def fit_rq(
    protection_pmf: ArrayLike,
    *,
    order_cost: ArrayLike,
    holding_cost: ArrayLike,
    shortage_cost: ArrayLike,
    demand_rate: ArrayLike | None = None,
    review_pmf: ArrayLike | None = None,
    order_quantity: ArrayLike | None = None,
    order_multiple: ArrayLike = 1,
) -> pd.DataFrame:
    """Return the (r,Q) policy of least long-run cost of each item.

    Continuous review, one unit at a time: give `demand_rate` λ and the demand over the lead time as `protection_pmf`. With the
    position uniform on r + 1 … r + Q (Hadley and Whitin 1963, section 4.7) and G(y) = h·E(y − D)⁺ + p·E(D − y)⁺,

    c(r, Q) = [K·λ + Σ_{y=r+1..r+Q} G(y)]/Q

    is least for the Q lowest values of G, which stand side by side because G is convex; Q grows while the next value is below the
    mean (Federgruen and Zheng 1992). Periodic review in whole batches, (r,nQ): give `review_pmf` and the demand over
    L + R; at a review with the position at or below r the fewest batches that bring it above r are ordered, K is paid once an
    order: K·E min(D, Q)/Q a period in place of K·λ/Q.

    Parameters
    ----------
    protection_pmf : array_like
        Items × points: demand over L (continuous review) or L + R [fraction by unit].
    order_cost, holding_cost, shortage_cost : array_like
        K of an order, h and p of one unit on the shelf and one waiting, for the unit of time of the demand rate or for a review
        period [money].
    demand_rate : array_like, optional
        λ [units/time]; without `review_pmf`.
    review_pmf : array_like, optional
        Items × points: demand of one review period.
    order_quantity : array_like, optional
        Q where it is agreed [units]: then only r is found.
    order_multiple : array_like
        Q is a whole multiple of this [units].

    Returns
    -------
    pandas.DataFrame
        reorder_point r (order at r or below), order_quantity Q [units], cost [money/time], orders_per_period [count], method
        (``exact``, or ``no_demand``).

    Raises
    ------
    InputError
        Neither or both of `demand_rate` and `review_pmf`; costs or quantities not allowed.

    Examples
    --------
    Snyder and Shen (2019), example 5.8: Poisson demand of 1.5, lead time 2, K = 100, h = 20, p = 150: r = 3, Q = 5, cost 107.92.

    >>> from cmi_analysis.inventory.demand_pmf import fit_pmf
    >>> lead, _ = fit_pmf([3.0], points=40)
    >>> policy = fit_rq(lead, order_cost=100, holding_cost=20, shortage_cost=150, demand_rate=1.5)
    >>> policy[["reorder_point", "order_quantity", "cost"]].round(2).iloc[0].tolist()
    [3.0, 5.0, 107.92]
    """
    protection = check_pmf(protection_pmf, name="protection_pmf")
    count = len(protection)
    holding, shortage, order = check_costs(
        count,
        positive={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost},
    )
    least, rate = _ordering(demand_rate, review_pmf, count)
    multiple = _check_quantity(order_multiple, count, name="order_multiple")
    fixed = None if order_quantity is None else _check_quantity(order_quantity, count, name="order_quantity")
    found = np.zeros((4, count))
    for start in range(0, count, _CHUNK):
        rows = slice(start, start + _CHUNK)
        found[:, rows] = _best_window(
            protection[rows],
            order[rows],
            holding[rows],
            shortage[rows],
            least[rows],
            multiple[rows],
            fixed if fixed is None else fixed[rows],
        )
    active = rate > 1e-12
    return pd.DataFrame(
        {
            "reorder_point": np.where(active, found[0], -1.0),
            "order_quantity": np.where(active, found[1], 0.0),
            "cost": np.where(active, found[2], 0.0),
            "orders_per_period": np.where(active, found[3], 0.0),
            "method": np.where(active, "exact", "no_demand"),
        }
    )


def _ordering(demand_rate: ArrayLike | None, review_pmf: ArrayLike | None, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Σ_{d<Q} P(D > d) at Q = 1, 2, … (orders a period times Q; one column: λ for every Q), and the mean demand."""
    if (demand_rate is None) == (review_pmf is None):
        raise InputError(
            expected="either demand_rate (continuous review) or review_pmf (periodic review)",
            found="neither" if demand_rate is None else "both",
            fix="Give the one that fits how the stock is reviewed.",
        )
    if review_pmf is None:
        (rate,) = check_costs(count, positive={}, not_negative={"demand_rate": demand_rate if demand_rate is not None else 0.0})
        return rate[:, None], rate
    review = check_pmf(review_pmf, name="review_pmf")
    above = review[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    if above.shape[1] == 0:
        above = np.zeros((count, 1))
    return above.cumsum(axis=1), mean_of(review)


def _check_quantity(value: ArrayLike, count: int, *, name: str) -> np.ndarray:
    quantity = np.broadcast_to(np.asarray(value, dtype="float64"), (count,))
    if not np.all((quantity >= 1) & (quantity == np.round(quantity)) & (quantity <= _LONGEST)):
        raise InputError(
            expected=f"a whole {name} from 1 to {_LONGEST:,} grid steps",
            found=f"{quantity.min()} to {quantity.max()}",
            fix="Take larger grid steps, or correct the quantity.",
        )
    return quantity.astype("int64")


def _best_window(
    protection: np.ndarray,
    order: np.ndarray,
    holding: np.ndarray,
    shortage: np.ndarray,
    least: np.ndarray,
    multiple: np.ndarray,
    fixed: np.ndarray | None,
) -> np.ndarray:
    """Return r, Q, cost and orders: windows that grow by the lower neighbour, until no longer one can be cheaper."""
    rows, last = np.arange(len(protection)), least.shape[1] - 1
    curve, mean = shortage_curve(protection), mean_of(protection)

    def period_cost(level: np.ndarray) -> np.ndarray:
        return holding * (level - mean) + (holding + shortage) * shortage_at(level[:, None], curve=curve)[:, 0]

    reached = protection.cumsum(axis=1) >= (shortage / (holding + shortage))[:, None] - 1e-12
    best_level = np.where(reached.any(axis=1), reached.argmax(axis=1), protection.shape[1] - 1).astype("int64")
    low, high, total = best_level - 1, best_level, period_cost(best_level)
    best = np.array([low, np.ones(len(rows)), np.full(len(rows), np.inf), np.zeros(len(rows))])
    below, above = period_cost(low), period_cost(high + 1)
    size, going = 1, np.ones(len(rows), dtype=bool)
    while going.any():
        orders = least[:, min(size - 1, last)] / size
        cost = order * orders + total / size
        wanted = size % multiple == 0 if fixed is None else size == fixed
        better = wanted & (cost < best[2] - 1e-11 * (holding + np.abs(cost)))
        best = np.where(better, np.array([low, np.full(len(rows), size), cost, orders]), best)
        going = (total / size < best[2]) if fixed is None else size < fixed
        if size >= _LONGEST:
            raise InputError(
                expected=f"batches up to {_LONGEST:,} grid steps", found="a longer one", fix="Take larger grid steps."
            )
        down = below <= above
        total = total + np.where(down, below, above)
        low, high, size = np.where(down, low - 1, low), np.where(down, high, high + 1), size + 1
        below, above = np.where(down, period_cost(low), below), np.where(down, above, period_cost(high + 1))
    return best


def score_rq(
    policy: pd.DataFrame,
    *,
    review_pmf: ArrayLike,
    lead_pmf: ArrayLike,
    protection_pmf: ArrayLike | None = None,
    order_cost: ArrayLike = 0.0,
    holding_cost: ArrayLike = 1.0,
    shortage_cost: ArrayLike = 1.0,
) -> pd.DataFrame:
    """Return what (r,nQ) policies under periodic review cost and which service they keep, exactly.

    The position just after a review is uniform on r + 1 … r + Q, where batch and demand have no common divisor; then
    shelf fill = 1 − Σ_y [n_{D(L+R)}(y) − n_{D(L)}(y)]/(Q·R·μ). For continuous review see `score_rq_continuous`.

    Parameters
    ----------
    policy : pandas.DataFrame
        reorder_point, order_quantity [units], whole.
    review_pmf, lead_pmf, protection_pmf
        Demand of one review period, over L, and over L + R (without it the sum of the two), items × points.
    order_cost, holding_cost, shortage_cost
        As in `fit_rq`.

    Returns
    -------
    pandas.DataFrame
        cost [money/period], shelf_fill, cycle_service, ready_rate [fraction], mean_stock, mean_backlog [units, at the end of a
        period], orders_per_period [count].

    Examples
    --------
    One unit a period, no lead time, batches of 2: with r = 0 the position is 1 or 2 and nothing is missed; with r = −1 it is 0
    or 1 and half of the demand waits.

    >>> policy = pd.DataFrame({"reorder_point": [0.0, -1.0], "order_quantity": [2.0, 2.0]})
    >>> score_rq(policy, review_pmf=[[0.0, 1.0]] * 2, lead_pmf=[[1.0]] * 2)["shelf_fill"].tolist()
    [1.0, 0.5]
    """
    review, lead = check_pmf(review_pmf, name="review_pmf"), check_pmf(lead_pmf, name="lead_pmf")
    check_rows(policy=len(policy), review_pmf=len(review), lead_pmf=len(lead))
    protection = sum_pmfs(review, lead) if protection_pmf is None else check_pmf(protection_pmf, name="protection_pmf")
    holding, shortage, order = check_costs(
        len(review),
        positive={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost},
    )
    size = _check_quantity(policy["order_quantity"].to_numpy(), len(review), name="order_quantity")
    low = np.round(policy["reorder_point"].to_numpy(dtype="float64")).astype("int64")
    weights = np.where(np.arange(size.max()) < size[:, None], 1.0 / size[:, None], 0.0)
    scores = score_positions(low + size, weights, trigger=low, review=review, lead=lead, protection=protection)
    least, _ = _ordering(None, review, len(review))
    orders = least[np.arange(len(review)), np.minimum(size - 1, least.shape[1] - 1)] / size
    cost = order * orders + holding * scores["mean_stock"] + shortage * scores["mean_backlog"]
    scores.insert(0, "cost", cost)
    return scores.assign(orders_per_period=orders)


def score_rq_continuous(
    policy: pd.DataFrame,
    *,
    lead_pmf: ArrayLike,
    customer_rate: ArrayLike,
    batch_pmf: ArrayLike | None = None,
    order_cost: ArrayLike = 0.0,
    holding_cost: ArrayLike = 1.0,
    shortage_cost: ArrayLike = 1.0,
) -> pd.DataFrame:
    """Return what (r,nQ) policies under continuous review cost and which service they keep, exactly.

    Customers come by a Poisson process and take J units each; the order is placed as soon as the position is at or below r. Cost:
    K·λ·E min(J, Q)/Q + (1/Q)·Σ_{y=r+1..r+Q} G(y), G over the lead time; shelf fill as in `fit_rq_service`.

    Parameters
    ----------
    policy : pandas.DataFrame
        reorder_point, order_quantity [units], whole.
    lead_pmf : array_like
        Items × points: demand over the lead time.
    customer_rate : array_like
        λ of the customers [count/time].
    batch_pmf : array_like, optional
        Items × points: J; without it one unit each.
    order_cost, holding_cost, shortage_cost
        As in `fit_rq`.

    Returns
    -------
    pandas.DataFrame
        cost [money/time], shelf_fill, cycle_service [fraction], ready_rate (share of time without backlog), mean_stock,
        mean_backlog [units], orders_per_period [count/time].

    Examples
    --------
    Snyder and Shen (2019), example 5.8: Poisson demand of 1.5, lead time 2, K = 100, h = 20, p = 150, r = 3, Q = 5.

    >>> from cmi_analysis.inventory.demand_pmf import fit_pmf
    >>> policy = pd.DataFrame({"reorder_point": [3.0], "order_quantity": [5.0]})
    >>> one = score_rq_continuous(policy, lead_pmf=fit_pmf([3.0], points=40)[0], customer_rate=1.5, order_cost=100,
    ...     holding_cost=20, shortage_cost=150)
    >>> one["cost"].round(2).tolist()
    [107.92]
    """
    lead = check_pmf(lead_pmf, name="lead_pmf")
    batch = check_pmf([[0.0, 1.0]] * len(lead) if batch_pmf is None else batch_pmf, name="batch_pmf")
    rate, holding, shortage, order = check_costs(
        len(lead),
        positive={"customer_rate": customer_rate, "holding_cost": holding_cost, "shortage_cost": shortage_cost},
        not_negative={"order_cost": order_cost},
    )
    seen = score_rq(policy, review_pmf=batch, lead_pmf=lead)
    over = score_rq(policy, review_pmf=batch, lead_pmf=lead, protection_pmf=lead)
    scores = over.assign(shelf_fill=seen["shelf_fill"], orders_per_period=rate * over["orders_per_period"])
    cost = order * scores["orders_per_period"] + holding * over["mean_stock"] + shortage * over["mean_backlog"]
    return scores.assign(cost=cost, cycle_service=seen["cycle_service"])


def fit_rq_service(
    batch_pmf: ArrayLike,
    *,
    lead_pmf: ArrayLike,
    order_quantity: ArrayLike,
    target: ArrayLike,
    protection_pmf: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return the least reorder point of each item that keeps a shelf fill with batches of Q.

    1 − Σ_{y=r+1..r+Q} [n_{D(L)+J}(y) − n_{D(L)}(y)]/(Q·E J): J is what one customer takes under continuous review, what a day
    takes under daily review. 1 − [n(r) − n(r + Q)]/Q is its case J = 1 only (Axsäter 2015, chapter 5, for compound Poisson).

    Parameters
    ----------
    batch_pmf, lead_pmf : array_like
        Items × points: J, and the demand over the lead time.
    order_quantity : array_like
        Q [units].
    target : array_like
        Shelf fill [fraction, 0 < target < 1].
    protection_pmf : array_like, optional
        D(L) + J; without it the sum of the two as independent.

    Returns
    -------
    pandas.DataFrame
        reorder_point, order_quantity [units], shelf_fill [fraction], method (``exact`` or ``no_demand``).

    Examples
    --------
    One customer takes one unit, lead-time demand is 0 or 1: a stock of r + 1 = 2 meets them all, 1 meets half.

    >>> policy = fit_rq_service([[0.0, 1.0]], lead_pmf=[[0.5, 0.5]], order_quantity=1, target=0.9)
    >>> policy[["reorder_point", "shelf_fill"]].iloc[0].tolist()
    [1.0, 1.0]
    """
    batch, lead = check_pmf(batch_pmf, name="batch_pmf"), check_pmf(lead_pmf, name="lead_pmf")
    check_rows(batch_pmf=len(batch), lead_pmf=len(lead))
    protection = sum_pmfs(batch, lead) if protection_pmf is None else check_pmf(protection_pmf, name="protection_pmf")
    size = _check_quantity(order_quantity, len(batch), name="order_quantity")
    goal = np.broadcast_to(np.asarray(target, dtype="float64"), (len(batch),))
    if not np.all((goal > 0) & (goal < 1)):
        raise InputError(expected="targets above 0 and below 1", found=f"{goal.min()} to {goal.max()}", fix="Take 0.999 at most.")
    demand = mean_of(protection) - mean_of(lead)
    active, safe = demand > 1e-12, np.where(demand > 1e-12, demand, 1.0)
    summed = _summed_misses(protection, lead)

    def fill_at(low: np.ndarray) -> np.ndarray:
        return 1 - (_up_to(low + size, summed, demand) - _up_to(low, summed, demand)) / (size * safe)

    under, above = -size - 1, np.full(len(batch), protection.shape[1], dtype="int64")
    while np.any(above - under > 1):
        middle = (under + above) // 2
        kept = fill_at(middle) >= goal - 1e-10
        under, above = np.where(kept, under, middle), np.where(kept, middle, above)
    return pd.DataFrame(
        {
            "reorder_point": np.where(active, above, -1).astype("float64"),
            "order_quantity": size.astype("float64"),
            "shelf_fill": np.where(active, np.clip(fill_at(above), 0, 1), 1.0),
            "method": np.where(active, "exact", "no_demand"),
        }
    )


def _summed_misses(protection: np.ndarray, lead: np.ndarray) -> np.ndarray:
    """Return Σ_{y=1..k} [n_{D(L+R)}(y) − n_{D(L)}(y)] at k = 0, 1, … items × levels."""
    level = np.broadcast_to(np.arange(protection.shape[1]), protection.shape)
    missed = shortage_at(level, curve=shortage_curve(protection)) - shortage_at(level, curve=shortage_curve(lead))
    missed[:, 0] = 0.0
    return missed.cumsum(axis=1)


def _up_to(level: np.ndarray, summed: np.ndarray, demand: np.ndarray) -> np.ndarray:
    """Return the sum up to whole levels of any size: at zero and below the whole demand is missed."""
    place = np.clip(level, 0, summed.shape[1] - 1)
    return summed[np.arange(len(level)), place] + np.minimum(level, 0) * demand
