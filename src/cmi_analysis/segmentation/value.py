"""What customers are worth: by money, by what is left of it, and as accounts of several sites."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.measures.abc import classify_abc

HANDLING = ("pick_cost", "freight_cost", "return_cost")


def score_contribution(
    purchases: pd.DataFrame,
    *,
    products: pd.DataFrame,
    as_of: dt.date,
    window_days: int = 365,
    returns: pd.DataFrame | None = None,
    costs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what is left of each customer's money after goods and handling.

    Parameters
    ----------
    purchases : pandas.DataFrame
        Frame of `table_purchases`, priced.
    products : pandas.DataFrame
        ``product_id``, ``unit_cost`` [money per unit].
    as_of, window_days
        Reference date, and days up to it [days].
    returns : pandas.DataFrame, optional
        Frame of `table_returns`; returned goods lose their margin and cost ``return_cost`` a line.
    costs : pandas.DataFrame, optional
        Table ``costs``: ``pick_cost`` [money an order line], ``freight_cost`` [money an order], ``return_cost`` [money a
        returned line]; a row with a ``customer_id`` goes before the general one, rows with a product or category scope are not
        used.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``margin`` [money], ``handling_cost`` [money], ``contribution`` [money: margin less handling],
        ``cost_known_share`` [share of the value whose product has a unit cost], sorted by ``customer_id``. Products without a
        unit cost are left out of margin and value alike. Holding cost is not in it.
    """
    end = pd.Timestamp(as_of)
    start = end - pd.Timedelta(days=window_days)
    unit_cost = products.drop_duplicates("product_id").set_index("product_id")["unit_cost"].astype("float64")
    bought = purchases.loc[(purchases["date"] > start) & (purchases["known_on"] <= end)]
    margin = _margin(bought, unit_cost)
    lines = bought.loc[bought["quantity"] > 0].groupby("customer_id", observed=True).size()
    orders = bought.loc[bought["quantity"] > 0].groupby("customer_id", observed=True)["order_id"].nunique()
    result = margin.groupby("customer_id", observed=True, sort=True)[["margin", "value", "known"]].sum()
    handling = lines * _cost(costs, "pick_cost", result.index) + orders * _cost(costs, "freight_cost", result.index)
    if returns is not None and len(returns):
        back = _margin(returns.loc[(returns["date"] > start) & (returns["date"] <= end)], unit_cost)
        lost = back.groupby("customer_id", observed=True)["margin"].agg(["sum", "size"]).reindex(result.index).fillna(0.0)
        result["margin"] = result["margin"] - lost["sum"]
        handling = handling + lost["size"] * _cost(costs, "return_cost", result.index)
    result["handling_cost"] = handling.reindex(result.index).fillna(0.0)
    result["contribution"] = result["margin"] - result["handling_cost"]
    result["cost_known_share"] = result["known"] / result["value"].where(result["value"] > 0)
    return result.reset_index()[["customer_id", "margin", "handling_cost", "contribution", "cost_known_share"]]


def _margin(rows: pd.DataFrame, unit_cost: pd.Series) -> pd.DataFrame:
    cost = rows["product_id"].map(unit_cost).astype("float64")
    known = rows["value"].where(cost.notna(), 0.0)
    margin = known - (rows["quantity"] * cost).fillna(0.0)
    return pd.DataFrame({"customer_id": rows["customer_id"], "margin": margin, "value": rows["value"], "known": known})


def _cost(costs: pd.DataFrame | None, name: str, customers: pd.Index) -> pd.Series:
    """Return one cost for each customer, 0 where the table is silent."""
    result = pd.Series(0.0, index=customers)
    if costs is None:
        return result
    rows = costs.loc[costs["cost"] == name]
    for scope in ("product_id", "category"):
        if scope in rows:
            rows = rows.loc[rows[scope].isna() | (rows[scope] == "")]
    if "valid_from_on" in rows:
        rows = rows.sort_values("valid_from_on", kind="stable", na_position="first")
    owner = rows["customer_id"] if "customer_id" in rows else pd.Series(None, index=rows.index, dtype="object")
    general = rows.loc[owner.isna() | (owner == ""), "value"]
    if len(general):
        result = result + float(general.iloc[-1])
    own = (
        rows.loc[owner.notna() & (owner != "")].drop_duplicates("customer_id", keep="last")
        if "customer_id" in rows
        else rows.iloc[:0]
    )
    if len(own):
        mine = own.set_index("customer_id")["value"].astype("float64").reindex(customers)
        result = mine.fillna(result)
    return result


def classify_accounts(customers: pd.DataFrame, *, a_share: float = 0.80, b_share: float = 0.95) -> pd.DataFrame:
    """Return each account's value over its sites and its class.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``customer_id``, ``account_id`` (missing: the site is its own account), ``value`` [money].
    a_share, b_share : float
        As in `measures.abc.classify_abc`.

    Returns
    -------
    pandas.DataFrame
        ``account_id``, ``sites`` [count], ``value`` [money], ``value_rank``, ``value_share``, ``cumulative_share``,
        ``abc_class``; largest first.
    """
    account = customers["account_id"].astype(object).where(customers["account_id"].notna(), customers["customer_id"])
    grouped = pd.DataFrame({"account_id": account, "value": customers["value"]}).groupby("account_id", observed=True, sort=True)
    sums = grouped["value"].agg(sites="size", value="sum").reset_index()
    classes = classify_abc(sums[["account_id", "value"]], key="account_id", a_share=a_share, b_share=b_share)
    return classes.merge(sums[["account_id", "sites"]], on="account_id", how="left")


def top_share(values: pd.Series, *, share: float = 0.20) -> float:
    """Return the share of all value that the top `share` of customers by value holds [fraction].

    The count is rounded up, so that 20 % of 6 customers are 2; only customers with a value above 0 count.

    Examples
    --------
    Five customers: the best one is 20 % of them.

    >>> top_share(pd.Series([60.0, 10.0, 10.0, 10.0, 10.0]))
    0.6
    """
    gain = np.sort(values.to_numpy(dtype="float64")[values.to_numpy(dtype="float64") > 0])[::-1]
    if not len(gain):
        return float("nan")
    return float(gain[: int(np.ceil(share * len(gain) - 1e-9))].sum() / gain.sum())
