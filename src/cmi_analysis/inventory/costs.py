"""Costs and prices of each item: from the table `costs`, else assumed and labelled so, else missing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError

_SCOPES = ((), ("category",), ("product_id",), ("customer_id",), ("customer_id", "category"), ("customer_id", "product_id"))


def find_costs(
    items: pd.DataFrame, costs: pd.DataFrame | None, *, cost: str, as_of: dt.date, assumed: float | None = None
) -> pd.DataFrame:
    """Return each item's value of one cost and where it comes from.

    The row with the narrowest scope counts (all, category, product, customer, customer and category, customer and product); of
    several valid at `as_of` the newest.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id; optional category.
    costs : pandas.DataFrame or None
        cost, value; optional customer_id, product_id, category (empty = all), valid_from_on.
    cost : str
        Such as ``holding_rate`` [1/year] or ``order_cost`` [money].
    as_of : datetime.date
        Rows that start later do not count.
    assumed : float, optional
        Value where the table has none.

    Returns
    -------
    pandas.DataFrame
        Rows as `items`: value, source (``costs``, ``assumed`` or ``missing``).

    Raises
    ------
    InputError
        A cost of the table is below zero or not finite.
    """
    value = pd.Series(np.nan, index=items.index)
    if costs is not None and not costs.empty:
        rows = costs[(costs["cost"] == cost) & costs["value"].notna()].copy()
        wrong = rows.loc[~rows["value"].between(0, np.finfo("float64").max), "value"]
        if len(wrong):
            raise InputError(
                expected=f"{cost} of zero or more in the table costs",
                found=f"{len(wrong)} others, the first {wrong.iloc[0]}",
                fix="Correct the sign, or leave the row out: the cost is then assumed or missing, and shown so.",
            )
        rows["from"] = rows["valid_from_on"].fillna(pd.Timestamp.min) if "valid_from_on" in rows else pd.Timestamp.min
        rows = rows[rows["from"] <= pd.Timestamp(as_of)]
        for column in ("customer_id", "product_id", "category"):
            rows[column] = rows[column].fillna("").astype(str) if column in rows else ""
        for scope in _SCOPES:
            if set(scope) <= set(items.columns):
                value = _of_scope(items, rows, scope).fillna(value)
    source = np.where(value.notna(), "costs", "missing" if assumed is None else "assumed")
    return pd.DataFrame({"value": value if assumed is None else value.fillna(assumed), "source": source}, index=items.index)


def _of_scope(items: pd.DataFrame, rows: pd.DataFrame, scope: tuple[str, ...]) -> pd.Series:
    fits = pd.Series(True, index=rows.index)
    for column in ("customer_id", "product_id", "category"):
        fits &= (rows[column] != "") if column in scope else (rows[column] == "")
    newest = rows[fits].sort_values([*scope, "from", "value"], kind="stable")
    if newest.empty:
        return pd.Series(np.nan, index=items.index)
    if not scope:
        return pd.Series(float(newest["value"].iloc[-1]), index=items.index)
    newest = newest.drop_duplicates(list(scope), keep="last")
    return items[list(scope)].merge(newest[[*scope, "value"]], on=list(scope), how="left")["value"].set_axis(items.index)
