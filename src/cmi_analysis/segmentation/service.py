"""What service each customer was promised, and where the customers are."""

from __future__ import annotations

import datetime as dt

import pandas as pd

NO_CONTRACT = "none"


def table_service_need(contracts: pd.DataFrame, *, as_of: dt.date) -> pd.DataFrame:
    """Return the strictest promise to each customer that is valid at `as_of`.

    Parameters
    ----------
    contracts : pandas.DataFrame
        Table ``contracts``: ``customer_id``, ``measure``, ``level`` [fraction], ``window``, ``valid_from_on``; optional
        ``valid_to_on``, ``penalty``.
    as_of : datetime.date
        Reference date.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``contract_measure``, ``contract_level`` [fraction, the highest of the customer's], ``contract_window``,
        ``contracts`` [count valid], ``penalty_agreed`` [bool], sorted by ``customer_id``.
    """
    day = pd.Timestamp(as_of)
    valid = contracts["valid_from_on"].isna() | (contracts["valid_from_on"] <= day)
    if "valid_to_on" in contracts:
        valid &= contracts["valid_to_on"].isna() | (contracts["valid_to_on"] >= day)
    rows = contracts.loc[valid].sort_values(["customer_id", "level", "measure"], ascending=[True, False, True], kind="stable")
    penalty = rows["penalty"].fillna(0.0) > 0 if "penalty" in rows else pd.Series(False, index=rows.index)
    counts = rows.assign(has_penalty=penalty).groupby("customer_id", observed=True, sort=True)
    summary = counts.agg(contracts=("measure", "size"), penalty_agreed=("has_penalty", "any")).reset_index()
    first = rows.drop_duplicates("customer_id")[["customer_id", "measure", "level", "window"]]
    first = first.rename(columns={"measure": "contract_measure", "level": "contract_level", "window": "contract_window"})
    names = ["customer_id", "contract_measure", "contract_level", "contract_window", "contracts", "penalty_agreed"]
    return first.merge(summary, on="customer_id", how="left").sort_values("customer_id", ignore_index=True)[names]


def table_regions(customers: pd.DataFrame) -> pd.DataFrame:
    """Return customers, value and promised service by region and distance band.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``customer_id``, ``region``, ``distance_band``, ``value`` [money], ``distance_km`` [km], ``contract_level`` [fraction
        or missing].

    Returns
    -------
    pandas.DataFrame
        ``region``, ``distance_band``, ``customers`` [count], ``value`` [money], ``value_share`` [fraction], ``distance_km``
        [median], ``customers_under_contract`` [count], ``contract_level`` [highest], largest value first.
    """
    rows = customers.assign(
        region=customers["region"].astype(object).where(customers["region"].notna(), ""),
        under=customers["contract_level"].notna(),
    )
    grouped = rows.groupby(["region", "distance_band"], observed=True, sort=True)
    result = grouped.agg(
        customers=("customer_id", "size"),
        value=("value", "sum"),
        distance_km=("distance_km", "median"),
        customers_under_contract=("under", "sum"),
        contract_level=("contract_level", "max"),
    ).reset_index()
    total = float(result["value"].sum())
    result["value_share"] = result["value"] / total if total > 0 else 0.0
    names = ["region", "distance_band", "customers", "value", "value_share", "distance_km", "customers_under_contract"]
    result = result.sort_values(["value", "region", "distance_band"], ascending=[False, True, True], kind="stable")
    return result[[*names, "contract_level"]].reset_index(drop=True)
