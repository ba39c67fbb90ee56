"""High, middle and low: tiers by boundaries that are stated, and the whale curve of what customers leave."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError

TIERS = ("high", "mid", "low")


def fit_tiers(values: pd.Series, *, high_share: float = 0.20, mid_share: float = 0.50) -> pd.DataFrame:
    """Return the money from which a customer is high and from which it is mid.

    Parameters
    ----------
    values : pandas.Series
        Value of each customer of the *pooled* population [money]; only those above 0 count.
    high_share, mid_share : float
        Share of the customers that are high, and that are high or mid [fraction].

    Returns
    -------
    pandas.DataFrame
        ``tier`` ("high", "mid", "low"), ``tier_from`` [money: at least this much; 0 for "low"], ``customers`` [count]; empty
        without a value above 0.

    Raises
    ------
    InputError
        Not 0 < high_share ≤ mid_share < 1.

    Notes
    -----
    A boundary lies half-way between two values that occur, so that equal customers share a tier and no customer's own value can
    be read off it; where several have the value at the boundary they all belong to the higher tier.

    Examples
    --------
    Ten customers of 10 to 100: two are high, three more mid.

    >>> fit_tiers(pd.Series(range(10, 110, 10)))["tier_from"].tolist()
    [85.0, 55.0, 0.0]
    """
    if not 0 < high_share <= mid_share < 1:
        raise InputError(
            expected="shares with 0 < high_share ≤ mid_share < 1",
            found=f"{high_share:g} and {mid_share:g}",
            fix="Give for example 0.2 and 0.5.",
        )
    gain = np.sort(values.to_numpy(dtype="float64")[values.to_numpy(dtype="float64") > 0])[::-1]
    if not len(gain):
        return pd.DataFrame(
            {"tier": pd.Series(dtype=object), "tier_from": pd.Series(dtype=float), "customers": pd.Series(dtype=int)}
        )
    bounds = []
    for share in (high_share, mid_share):
        last = gain[max(int(np.ceil(share * len(gain) - 1e-9)), 1) - 1]
        smaller = gain[gain < last]
        bounds.append(float((last + smaller[0]) / 2) if len(smaller) else float(last / 2))
    tier = classify_tiers(values, tiers=pd.DataFrame({"tier": TIERS, "tier_from": [*bounds, 0.0]}))
    counts = tier.value_counts().reindex(list(TIERS)).fillna(0).astype("int64")
    return pd.DataFrame({"tier": TIERS, "tier_from": [*bounds, 0.0], "customers": counts.to_numpy()})


def classify_tiers(values: pd.Series, *, tiers: pd.DataFrame) -> pd.Series:
    """Return the tier of each value by the boundaries of `fit_tiers`; who brought nothing is "low". Index as in `values`."""
    start = tiers.set_index("tier")["tier_from"]
    names = np.select([values >= start.get("high", np.inf), values >= start.get("mid", np.inf)], ["high", "mid"], default="low")
    return pd.Series(names.astype(object), index=values.index, name="value_tier")


def table_whale_curve(customers: pd.DataFrame, *, value: str = "contribution") -> pd.DataFrame:
    """Return the customers by what they leave, most first, with the running total: the whale curve.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``customer_id``, `value` [money, may be negative]; missing values are left out.
    value : str
        Column added up.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, `value`, ``customers_share`` [fraction of the customers so far], ``whale_share`` [fraction of the final
        total so far: above 1 where the customers that follow cost more than they bring; missing where the total is not above 0].

    Notes
    -----
    Kaplan and Narayanan (2001), Measuring and managing customer profitability, Journal of Cost Management 15(5).

    Examples
    --------
    The two best leave 120, the last one costs 20: the hump is at 120 % of the total.

    >>> table_whale_curve(pd.DataFrame({"customer_id": list("abc"), "contribution": [80.0, -20.0, 40.0]}))["whale_share"].tolist()
    [0.8, 1.2, 1.0]
    """
    rows = customers.loc[customers[value].notna(), ["customer_id", value]]
    rows = rows.sort_values([value, "customer_id"], ascending=[False, True], kind="stable", ignore_index=True)
    total = float(rows[value].sum())
    return rows.assign(
        customers_share=np.arange(1, len(rows) + 1) / max(len(rows), 1),
        whale_share=rows[value].cumsum() / total if total > 0 else np.nan,
    )
