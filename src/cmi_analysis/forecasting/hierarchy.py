"""Forecasts at several levels made to add up: from the bottom, by proportions from the top, or by least variance (MinT).

A building block for callers that hold forecasts at several levels (a customer's own total plan, a budget of the group, a model
fitted to a category); the stage `forecast` shows bottom-up totals and does not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from scipy import sparse

from cmi_analysis.errors import InputError

Method = Literal["bottom_up", "proportions", "mint"]
LEVELS = ("all", "group", "customer", "category", "product", "bottom")
# the levels that lie above each other, for forecasts handed down by proportions
_WAY_DOWN = ("all", "group", "customer", "bottom")
# the least weight of the diagonal in a shrunk covariance: with fewer errors than nodes it could not be inverted
_LEAST_SHRINKAGE = 0.01
# a standard deviation below this share of the largest one counts as this much
_LEAST_DEVIATION = 1e-6
_BELOW_ZERO = -1e-9


@dataclass(frozen=True)
class Hierarchy:
    """Which bottom series each node adds up.

    Attributes
    ----------
    nodes : pandas.DataFrame
        ``level`` (all, group, customer, category, product, bottom), ``node`` (its id; of the bottom ``customer_id|product_id``),
        one row per node, the upper levels first and the bottom last.
    summing : scipy.sparse.csr_matrix
        Nodes × bottom series, 1 where the node holds the series.
    """

    nodes: pd.DataFrame
    summing: sparse.csr_matrix

    @property
    def bottoms(self) -> int:
        """Number of bottom series."""
        return int(self.summing.shape[1])

    @property
    def upper(self) -> sparse.csr_matrix:
        """The summing matrix without its identity block."""
        return self.summing[: self.summing.shape[0] - self.bottoms]


def build_hierarchy(
    series: pd.DataFrame, *, groups: Mapping[str, str] | None = None, categories: Mapping[str, str] | None = None
) -> Hierarchy:
    """Return the hierarchy customer × product → customer → group → all, and product → category.

    Parameters
    ----------
    series : pandas.DataFrame
        ``customer_id``, ``product_id``: the bottom series, each once.
    groups, categories : mapping, optional
        Group by customer, category by product; without them there is no such level; ids that they do not hold share the node "".

    Examples
    --------
    Two customers of one group with two series and one: all, one group, two customers, two products, three bottom series.

    >>> series = pd.DataFrame({"customer_id": ["A", "A", "B"], "product_id": ["p", "q", "p"]})
    >>> made = build_hierarchy(series, groups={"A": "North", "B": "North"})
    >>> made.nodes["level"].tolist()
    ['all', 'group', 'customer', 'customer', 'product', 'product', 'bottom', 'bottom', 'bottom']
    >>> made.summing.toarray()[2].tolist()
    [1.0, 1.0, 0.0]
    """
    if series.duplicated(["customer_id", "product_id"]).any():
        raise InputError(
            expected="each customer and product once",
            found="a pair that stands twice",
            fix="Hand over one row per bottom series.",
        )
    customer, product = (series[name].astype("object").reset_index(drop=True) for name in ("customer_id", "product_id"))
    keys = {
        "all": pd.Series("all", index=customer.index, dtype="object"),
        "group": None if groups is None else customer.map(dict(groups)).fillna(""),
        "customer": customer,
        "category": None if categories is None else product.map(dict(categories)).fillna(""),
        "product": product,
        "bottom": customer.astype(str) + "|" + product.astype(str),
    }
    blocks, names = [], []
    for level in LEVELS:
        key = keys[level]
        if key is None:
            continue
        codes, found = pd.factorize(key, sort=level != "bottom")
        places = (codes, np.arange(len(series)))
        blocks.append(sparse.csr_matrix((np.ones(len(series)), places), shape=(len(found), len(series))))
        names.append(pd.DataFrame({"level": level, "node": pd.Series(found, dtype="object")}))
    return Hierarchy(pd.concat(names, ignore_index=True), sparse.csr_matrix(sparse.vstack(blocks)))


def reconcile_forecasts(
    base: np.ndarray,
    *,
    hierarchy: Hierarchy,
    method: Method = "bottom_up",
    errors: np.ndarray | None = None,
    shrink: bool = True,
    nonnegative: bool = True,
) -> np.ndarray:
    """Return forecasts of all nodes that add up, none of them below zero.

    Parameters
    ----------
    base : numpy.ndarray
        Forecasts by node (in the order of ``hierarchy.nodes``) and period, made each by itself [sales units].
    hierarchy : Hierarchy
        As `build_hierarchy` returns it.
    method : {"bottom_up", "proportions", "mint"}
        Bottom-up: the bottom forecasts added up. Proportions: the forecast of all handed down by level (all, group, customer,
        bottom), shared as the forecasts below. MinT: the unbiased combination of all levels of least variance.
    errors : numpy.ndarray, optional
        Past one-step errors by node and time; MinT needs them, NaN is left out.
    shrink : bool
        MinT with correlations, shrunk towards none; else with variances alone (WLS).
    nonnegative : bool
        Clip the bottom at zero and reconcile again.

    Notes
    -----
    MinT: ỹ = S (SᵀW⁻¹S)⁻¹ SᵀW⁻¹ ŷ, W the covariance of the base errors: its diagonal (WLS, `shrink` false), or
    λ diag(W) + (1 − λ) W with λ = Σᵢ≠ⱼ Var(rᵢⱼ) / Σᵢ≠ⱼ rᵢⱼ². Computed in the equivalent form ỹ = ŷ − W Cᵀ (C W Cᵀ)⁻¹ C ŷ, where
    C = [I, −A] says that upper nodes are sums of the bottom: a sparse system of the upper nodes, the correlations a term of low
    rank (Woodbury), so that m nodes with T errors take m · T numbers and never m². What falls below zero is held at zero and the
    rest reconciled again, until nothing does: near, not at, the least-variance forecasts that are not negative.
    Sources: Wickramasuriya, Athanasopoulos and Hyndman (2019), Optimal forecast reconciliation for hierarchical and grouped time
    series through trace minimization, Journal of the American Statistical Association 114, 804–819; Athanasopoulos, Ahmed and
    Hyndman (2009), Hierarchical forecasts for Australian domestic tourism, International Journal of Forecasting 25, 146–166
    (forecast proportions); Schäfer and Strimmer (2005), Statistical Applications in Genetics and Molecular Biology 4, 32.

    Examples
    --------
    Equal variances, 10 forecast for the sum of 4 and 3: the gap of 3 is shared by the three forecasts, 1 each.

    >>> two = build_hierarchy(pd.DataFrame({"customer_id": ["A", "A"], "product_id": ["p", "q"]}))
    >>> top = Hierarchy(two.nodes.iloc[[0, 4, 5]], two.summing[[0, 4, 5]])
    >>> base, errors = np.array([[10.0], [4.0], [3.0]]), np.array([[1.0, -1.0]] * 3)
    >>> reconcile_forecasts(base, hierarchy=top, method="mint", errors=errors, shrink=False).round(9).ravel().tolist()
    [9.0, 5.0, 4.0]
    """
    if base.shape[0] != hierarchy.summing.shape[0] or not np.isfinite(base).all():
        raise InputError(
            expected=f"a known forecast for each of {hierarchy.summing.shape[0]} nodes",
            found=f"{base.shape[0]} rows, {int((~np.isfinite(base)).sum())} unknown values",
            fix="Hand over one row per node of the hierarchy, in its order.",
        )
    if method == "mint":
        bottom = _combine(base, hierarchy, _weights(base, errors, shrink=shrink), nonnegative=nonnegative)
    else:
        bottom = base[-hierarchy.bottoms :] if method == "bottom_up" else _hand_down(base, hierarchy)
    return np.asarray(hierarchy.summing @ (np.maximum(bottom, 0.0) if nonnegative else bottom))


@dataclass(frozen=True)
class _Covariance:
    """W = diag(`diagonal`) + `factor` `factor`ᵀ."""

    diagonal: np.ndarray
    factor: np.ndarray

    def times(self, values: np.ndarray) -> np.ndarray:
        return self.diagonal[:, None] * values + self.factor @ (self.factor.T @ values)


def shrinkage(standard: np.ndarray) -> float:
    """Return the weight of the diagonal in a shrunk correlation matrix, between 0.01 and 1.

    Parameters
    ----------
    standard : numpy.ndarray
        Errors by node and time, each divided by the root of its mean square.

    Notes
    -----
    λ = Σᵢ≠ⱼ Var(rᵢⱼ) / Σᵢ≠ⱼ rᵢⱼ², Var(rᵢⱼ) = (Σₜ (xᵢₜxⱼₜ)² − T rᵢⱼ²) / (T (T − 1)): sums over pairs by sums over times, without a
    matrix of nodes. Source: Schäfer and Strimmer (2005), Statistical Applications in Genetics and Molecular Biology 4, 32.

    Examples
    --------
    Two nodes, r = (1 + 1 + 1 − 1)/4 = 1/2, both pairs: Var = (4 − 4/4)/12 = 1/4, so λ = (1/4) / (1/4) = 1.

    >>> shrinkage(np.array([[1.0, -1.0, 1.0, -1.0], [1.0, -1.0, 1.0, 1.0]]))
    1.0
    """
    nodes, times = standard.shape
    if times < 2 or nodes < 2:
        return 1.0
    own = (standard**2).sum(axis=1) / times
    squares = ((standard.T @ standard) ** 2).sum() / times**2 - (own**2).sum()
    products = (((standard**2).sum(axis=0)) ** 2).sum() - (standard**4).sum()
    variance = (products - times * squares) / (times * (times - 1))
    return float(np.clip(variance / squares, _LEAST_SHRINKAGE, 1.0)) if squares > 0 else 1.0


def _weights(base: np.ndarray, errors: np.ndarray | None, *, shrink: bool) -> _Covariance:
    if errors is None or errors.shape[0] != base.shape[0]:
        raise InputError(
            expected="past errors of every node for MinT",
            found="none" if errors is None else f"errors of {errors.shape[0]} nodes for forecasts of {base.shape[0]}",
            fix="Hand over `errors` (nodes × times), or reconcile bottom-up.",
        )
    known = np.isfinite(errors)
    filled = np.where(known, errors, 0.0)
    deviation = np.sqrt((filled**2).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
    deviation = np.maximum(deviation, _LEAST_DEVIATION * deviation.max()) if deviation.max() > 0 else np.ones(len(deviation))
    if not shrink:
        return _Covariance(deviation**2, np.zeros((len(deviation), 0)))
    standard = filled / deviation[:, None]
    weight, times = shrinkage(standard), errors.shape[1]
    own = np.minimum((standard**2).sum(axis=1) / times, 1.0)
    factor = deviation[:, None] * standard * np.sqrt((1 - weight) / times)
    return _Covariance(deviation**2 * (1 - (1 - weight) * own), factor)


def _combine(base: np.ndarray, hierarchy: Hierarchy, covariance: _Covariance, *, nonnegative: bool) -> np.ndarray:
    """Bottom of the MinT forecasts; periods with the same series held at zero are solved together."""
    bottom = _solve(base, hierarchy, covariance, np.zeros(hierarchy.bottoms, dtype=bool))
    held = np.zeros(bottom.shape, dtype=bool)
    while nonnegative and (bottom < _BELOW_ZERO).any():
        again = (bottom < _BELOW_ZERO).any(axis=0)
        held |= bottom < _BELOW_ZERO
        for period in np.flatnonzero(again):
            bottom[:, [period]] = _solve(base[:, [period]], hierarchy, covariance, held[:, period])
    return bottom


def _solve(base: np.ndarray, hierarchy: Hierarchy, covariance: _Covariance, held: np.ndarray) -> np.ndarray:
    """ŷ − W Cᵀ (C W Cᵀ)⁻¹ C ŷ, its bottom; C holds the sums, and zero for the series of `held`."""
    from scipy.sparse.linalg import splu

    upper = hierarchy.upper
    fixed = sparse.identity(hierarchy.bottoms, format="csr")[np.flatnonzero(held)]
    sums = sparse.hstack([sparse.identity(upper.shape[0]), -upper])
    zeros = sparse.hstack([sparse.csr_matrix((fixed.shape[0], upper.shape[0])), fixed])
    rule = sparse.csr_matrix(sparse.vstack([sums, zeros]))
    system = splu(sparse.csc_matrix(rule @ sparse.diags(covariance.diagonal) @ rule.T))
    gap, factor = rule @ base, rule @ covariance.factor
    solved = system.solve(np.ascontiguousarray(gap))
    if factor.shape[1]:
        low = system.solve(np.ascontiguousarray(factor))
        solved = solved - low @ np.linalg.solve(np.eye(factor.shape[1]) + factor.T @ low, factor.T @ solved)
    found = (base - covariance.times(rule.T @ solved))[-hierarchy.bottoms :]
    return np.where(held[:, None], 0.0, found)


def _hand_down(base: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """The forecast of all, shared level by level as the forecasts below; equally where these are all zero."""
    level = hierarchy.nodes["level"].to_numpy()
    way = [name for name in _WAY_DOWN if (level == name).any()]
    holder = {name: np.asarray(hierarchy.summing[level == name].argmax(axis=0)).ravel() for name in way}
    values = np.maximum(base[level == "all"], 0.0)
    for above, below in pairwise(way):
        parent = np.zeros(int((level == below).sum()), dtype=int)
        parent[holder[below]] = holder[above]
        own = np.maximum(base[level == below], 0.0)
        total, children = np.zeros_like(values), np.zeros((len(values), 1))
        np.add.at(total, parent, own)
        np.add.at(children, parent, 1.0)
        share = np.divide(own, total[parent], out=1.0 / children[parent] + np.zeros_like(own), where=total[parent] > 0)
        values = values[parent] * share
    return values
