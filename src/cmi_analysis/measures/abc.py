"""ABC classes: the few that carry most of a value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError

_ROUNDING = 1e-12


def classify_abc(
    items: pd.DataFrame, *, key: str = "product_id", value: str = "value", a_share: float = 0.80, b_share: float = 0.95
) -> pd.DataFrame:
    """Return each item's share of the value, the cumulative share, and its class A, B or C.

    Parameters
    ----------
    items : pandas.DataFrame
        One row per item: `key` and `value` [money or sales units]; missing counts as 0.
    key : str
        Column that names an item, each once.
    value : str
        Column to rank by.
    a_share, b_share : float
        Cumulative shares at which class A and class B end [fraction].

    Returns
    -------
    pandas.DataFrame
        `key`, `value`, ``value_rank`` [count, equal values share the better rank], ``value_share`` [fraction],
        ``cumulative_share`` [fraction], ``abc_class``; largest value first, then by `key`.

    Raises
    ------
    InputError
        An item stands twice in `items`, or the shares do not satisfy 0 ≤ a_share ≤ b_share ≤ 1.

    Notes
    -----
    The item that crosses a boundary belongs to the higher class: an item is A as long as the items of *larger* value hold less
    than `a_share` together. Items of equal value therefore always share a class. Shares are shares of the sum of positive
    values; an item that brings nothing, or a loss, is C with share 0.

    Examples
    --------
    One item of 85 %: it crosses the line at 80 % and is A.

    >>> classify_abc(pd.DataFrame({"product_id": ["x", "y", "z"], "value": [85.0, 11.0, 4.0]}))["abc_class"].tolist()
    ['A', 'B', 'C']
    """
    _check_abc(items, key=key, a_share=a_share, b_share=b_share)
    result = items[[key, value]].copy()
    result[value] = result[value].astype("float64").fillna(0.0)
    result = result.sort_values([value, key], ascending=[False, True], kind="stable", ignore_index=True)
    gain = result[value].clip(lower=0.0)
    total = float(gain.sum())
    result["value_rank"] = result[value].rank(method="min", ascending=False).astype("int64")
    result["value_share"] = gain / total if total > 0 else 0.0
    result["cumulative_share"] = result["value_share"].cumsum().clip(upper=1.0)
    first_of_rank = ~result.duplicated(value)
    before = (result["cumulative_share"] - result["value_share"]).where(first_of_rank).ffill() + _ROUNDING
    result["abc_class"] = np.select(
        [(gain > 0) & (before < a_share), (gain > 0) & (before < b_share)], ["A", "B"], default="C"
    ).astype(object)
    return result


def _check_abc(items: pd.DataFrame, *, key: str, a_share: float, b_share: float) -> None:
    if not 0 <= a_share <= b_share <= 1:
        raise InputError(
            expected="shares with 0 ≤ a_share ≤ b_share ≤ 1",
            found=f"a_share {a_share:g} and b_share {b_share:g}",
            fix="Give cumulative shares, for example 0.80 and 0.95.",
        )
    twice = items.loc[items[key].duplicated(), key]
    if len(twice):
        raise InputError(
            expected=f"each {key} once",
            found=f"{twice.iloc[0]} more than once",
            fix=f"Sum the values per {key} before classifying.",
        )
