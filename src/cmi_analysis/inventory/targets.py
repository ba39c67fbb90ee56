"""Which service each item is promised, and in which class it falls."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.measures.abc import classify_abc

HIGHEST_TARGET = 0.999
"""A contract of 100 % is planned at this level: no finite stock keeps 100 %."""
_SITE_MEASURES = ("shelf_fill", "in_stock", "cycle_service")


def score_targets(items: pd.DataFrame, contracts: pd.DataFrame | None, *, as_of: dt.date, service_target: float) -> pd.DataFrame:
    """Return each item's service target, its measure and where it comes from.

    Of the contracts valid at `as_of` whose measure is one of the shelf (``shelf_fill``, ``in_stock``, ``cycle_service``) the one
    for the product counts before the one for its category before the one for the customer; of several, the highest. An
    ``in_stock`` contract is planned as shelf fill. Without one, `service_target` counts.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id; optional category.
    contracts : pandas.DataFrame or None
        customer_id, measure, level [fraction], valid_from_on; optional valid_to_on, product_id, category, contract_id, penalty.
    as_of : datetime.date
        Day at which they must be valid.
    service_target : float
        Target of items without a contract [fraction].

    Returns
    -------
    pandas.DataFrame
        Rows as `items`: target [fraction], measure, target_source (``contract`` or ``parameter``), capped (bool).
    """
    level, measure = pd.Series(np.nan, index=items.index), pd.Series("shelf_fill", index=items.index)
    if contracts is not None and not contracts.empty:
        valid = _valid(contracts, as_of=as_of)
        valid = valid[valid["measure"].isin(_SITE_MEASURES)]
        for scope in (["customer_id"], ["customer_id", "category"], ["customer_id", "product_id"]):
            if set(scope) <= set(valid.columns) and set(scope) <= set(items.columns):
                found = items[scope].merge(_of_scope(valid, scope), on=scope, how="left").set_axis(items.index)
                level, measure = found["level"].fillna(level), found["measure"].fillna(measure)
    source = np.where(level.notna(), "contract", "parameter")
    target = level.fillna(service_target)
    capped = target > HIGHEST_TARGET
    return pd.DataFrame(
        {
            "target": target.clip(0, HIGHEST_TARGET),
            "measure": measure.replace({"in_stock": "shelf_fill"}),
            "target_source": source,
            "capped": capped,
        },
        index=items.index,
    )


def critical_ratio(*, shortage_cost: ArrayLike, holding_cost: ArrayLike) -> np.ndarray:
    """Return the newsvendor ratio p/(p + h): the cycle service with the least expected holding and shortage cost.

    G(S) = h·E(S − D)⁺ + p·E(D − S)⁺ is least at the smallest S with P(D ≤ S) ≥ p/(p + h) (Arrow, Harris and Marschak 1951; Snyder
    and Shen 2019, section 4.3). Under periodic review h is the cost of a unit held for one review period and D the demand over
    L + R.

    Parameters
    ----------
    shortage_cost : array_like
        Cost p of one unit short [money/unit]; 0: the ratio is 0.
    holding_cost : array_like
        Cost h of one unit left over, or held for a cycle [money/unit]; above 0.

    Raises
    ------
    InputError
        A cost is missing, a shortage cost is below zero, or a holding cost is not above zero.

    Examples
    --------
    >>> round(float(critical_ratio(shortage_cost=0.70, holding_cost=0.18)), 4)
    0.7955
    """
    short, held = np.asarray(shortage_cost, dtype="float64"), np.asarray(holding_cost, dtype="float64")
    for name, values, allowed, wanted in (
        ("shortage_cost", short, short >= 0, "of zero or more"),
        ("holding_cost", held, held > 0, "above zero"),
    ):
        wrong = ~(allowed & np.isfinite(values))
        if np.any(wrong):
            raise InputError(
                expected=f"a {name} {wanted} for each item",
                found=f"{np.count_nonzero(wrong)} items with another, the first {np.atleast_1d(values)[np.atleast_1d(wrong)][0]}",
                fix="Give the true cost, or plan these items on a service target.",
            )
    return short / (short + held)


def score_cost_targets(items: pd.DataFrame, *, fallback: pd.DataFrame) -> pd.DataFrame:
    """Return the cycle service that costs least for each item whose costs are known, else the fallback.

    The target is the newsvendor ratio of the shortage cost and the holding cost of one review period,
    h = holding_rate · owner_cost · review_period_days/365.

    Parameters
    ----------
    items : pandas.DataFrame
        shortage_cost [money/unit], holding_rate [1/year], owner_cost [money/unit], review_period_days [days]; missing where
        unknown.
    fallback : pandas.DataFrame
        Rows as `items`, as from `score_targets`. A contract there goes before the costs.

    Returns
    -------
    pandas.DataFrame
        target [fraction], measure, target_source (``cost`` or the fallback's), capped (bool: the ratio is above
        `HIGHEST_TARGET`).

    Raises
    ------
    InputError
        A known cost is below zero.
    """
    short = items["shortage_cost"].to_numpy(dtype="float64")
    rate, value = items["holding_rate"].to_numpy(dtype="float64"), items["owner_cost"].to_numpy(dtype="float64")
    for name in ("shortage_cost", "holding_rate", "owner_cost"):
        if (items[name] < 0).any():
            raise InputError(
                expected=f"a {name} of zero or more", found=f"{items[name].min()}", fix="Correct the sign in the table of costs."
            )
    held = rate * value * items["review_period_days"].to_numpy(dtype="float64") / 365
    known = (held > 0) & (short >= 0) & (fallback["target_source"] != "contract").to_numpy()
    ratio = critical_ratio(shortage_cost=np.where(known, short, 0.0), holding_cost=np.where(known, held, 1.0))
    found = fallback.copy()
    found["target"] = np.where(known, np.minimum(ratio, HIGHEST_TARGET), fallback["target"])
    found["measure"] = np.where(known, "cycle_service", fallback["measure"])
    found["target_source"] = np.where(known, "cost", fallback["target_source"])
    found["capped"] = np.where(known, ratio > HIGHEST_TARGET, fallback["capped"]).astype(bool)
    return found


def combine_targets(contract: pd.DataFrame, *, strategy: pd.DataFrame) -> pd.DataFrame:
    """Return each item's target: its contract's, else the strategy's for its segment, else the parameter's.

    Parameters
    ----------
    contract : pandas.DataFrame
        As from `score_targets`.
    strategy : pandas.DataFrame
        Rows as `contract`, as from `params.strategy.assign_strategy`: service_target, service_measure, rule, by_default (bool).

    Returns
    -------
    pandas.DataFrame
        As `contract`, target_source one of ``contract``, ``strategy``, ``parameter``. The strategy counts where the item has at
        least one of the columns that the rules look at and its measure is a service (``cost`` is left to `score_cost_targets`).

    Examples
    --------
    >>> contract = pd.DataFrame({"target": [0.99, 0.95], "measure": "shelf_fill", "target_source": ["contract", "parameter"],
    ...     "capped": False})
    >>> strategy = pd.DataFrame({"service_target": 0.9, "service_measure": "cycle_service", "by_default": False}, index=[0, 1])
    >>> combine_targets(contract, strategy=strategy)["target"].tolist()
    [0.99, 0.9]
    """
    counts = (contract["target_source"] != "contract") & ~strategy["by_default"].astype(bool)
    counts &= strategy["service_measure"].isin(["shelf_fill", "cycle_service"]) & strategy["service_target"].notna()
    return contract.assign(
        target=contract["target"].where(~counts, strategy["service_target"].clip(0, HIGHEST_TARGET)),
        measure=contract["measure"].where(~counts, strategy["service_measure"]),
        target_source=contract["target_source"].where(~counts, "strategy"),
        capped=contract["capped"].where(~counts, strategy["service_target"] > HIGHEST_TARGET).astype(bool),
    )


def _valid(contracts: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    day = pd.Timestamp(as_of)
    valid = contracts["valid_from_on"].isna() | (contracts["valid_from_on"] <= day)
    if "valid_to_on" in contracts:
        valid &= contracts["valid_to_on"].isna() | (contracts["valid_to_on"] >= day)
    return contracts[valid]


def _of_scope(contracts: pd.DataFrame, scope: list[str]) -> pd.DataFrame:
    """Return one contract for each key of the scope: those that name exactly the scope's columns, the highest level."""
    rows = contracts
    for column in ("product_id", "category"):
        if column in rows:
            named = rows[column].notna() & (rows[column].astype(str) != "")
            rows = rows[named if column in scope else ~named]
    rows = rows.sort_values([*scope, "level", "measure"], kind="stable").drop_duplicates(scope, keep="last")
    return rows[[*scope, "level", "measure"]]


def classify_abc_xyz(
    items: pd.DataFrame, *, value: str, cv: str, a_share: float = 0.8, b_share: float = 0.95, x_cv: float = 0.5, y_cv: float = 1.0
) -> pd.DataFrame:
    """Return each item's ABC class by value and XYZ class by the variation of its forecast error.

    ABC: items by falling value until the cumulative share reaches `a_share`, `b_share`; the item that crosses a boundary belongs
    to the higher class. XYZ: standard deviation of the error over the protection interval / mean demand over it, up to `x_cv` X,
    up to `y_cv` Y, else Z: the error, not the demand, so a seasonal item that is forecast well is X.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id and the columns named by `value` and `cv`; a missing value counts as 0, a missing cv as Z.
    value, cv : str
        Names of the columns.
    a_share, b_share : float
        Cumulative shares [fraction].
    x_cv, y_cv : float
        Bounds of the coefficient of variation [ratio].

    Returns
    -------
    pandas.DataFrame
        Rows as `items`: abc (A, B, C), xyz (X, Y, Z).

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": "c", "product_id": list("pqr"), "v": [85.0, 10.0, 5.0], "cv": [0.2, 0.7, None]})
    >>> classify_abc_xyz(rows, value="v", cv="cv").agg("".join, axis=1).tolist()
    ['AX', 'BY', 'CZ']
    """
    ranked = classify_abc(
        pd.DataFrame({"item": range(len(items)), "value": items[value].to_numpy()}),
        key="item",
        a_share=a_share,
        b_share=b_share,
    )
    abc = ranked.sort_values("item")["abc_class"].to_numpy()
    xyz = np.select([items[cv] <= x_cv, items[cv] <= y_cv], ["X", "Y"], "Z")
    return pd.DataFrame({"abc": abc, "xyz": xyz}, index=items.index)
