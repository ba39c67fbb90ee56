"""Which service each item is promised, and in which class it falls."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

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
