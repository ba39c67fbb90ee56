"""Targets of KPIs and the verdict on a value: contracts first, then targets, then a default."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import pandas as pd

CONTRACT_MEASURES = {"in_stock": "in_stock_rate"}
_NEAR_RATE = 0.02
_NEAR_OTHER = 0.10
_FAR_BAND = 0.25


def find_targets(
    contracts: pd.DataFrame | None,
    targets: pd.DataFrame | None,
    *,
    weights: pd.DataFrame,
    customer_groups: Collection[str],
    as_of: dt.date,
    defaults: Mapping[str, float],
) -> pd.DataFrame:
    """Return the target of each KPI for a group of customers.

    A contract's level counts with its customer's share of the KPI's denominator; customers without a contract count with the
    KPI's general target. General targets: the newest row of `targets` for one of the groups, else for everyone, else `defaults`.

    Parameters
    ----------
    contracts : DataFrame or None
        Columns customer_id, measure, level; optional valid_from_on, valid_to_on, product_id, category (rows of a product or
        category are left out: they say nothing of the whole).
    targets : DataFrame or None
        Columns kpi, value; optional customer_group, valid_from_on and other scopes.
    weights : DataFrame
        Columns kpi, customer_id, denominator.
    customer_groups : collection of str
        Groups of the customers.
    as_of : date
        Rows valid on it count.
    defaults : mapping of str to float
        Target by KPI.

    Returns
    -------
    DataFrame
        Columns kpi, target, source (``contracts``, ``targets``, ``params``), sorted by kpi.
    """
    general = _general(targets, customer_groups=customer_groups, as_of=as_of)
    known = {**{kpi: (value, "params") for kpi, value in defaults.items()}, **general}
    levels = _levels(contracts, as_of=as_of)
    for kpi, rows in weights.dropna(subset=["denominator"]).groupby("kpi", sort=True):
        level = rows["customer_id"].map(levels[levels["kpi"] == kpi].set_index("customer_id")["level"])
        if not level.notna().any():
            continue
        fallback = known.get(str(kpi), (float(level.mean()), ""))[0]
        weight = rows["denominator"].clip(lower=0)
        if weight.sum() > 0:
            known[str(kpi)] = (float((level.fillna(fallback) * weight).sum() / weight.sum()), "contracts")
    rows = [{"kpi": kpi, "target": value, "source": source} for kpi, (value, source) in sorted(known.items())]
    return pd.DataFrame(rows, columns=["kpi", "target", "source"])


def _valid(frame: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    day = pd.Timestamp(as_of)
    if "valid_from_on" in frame:
        frame = frame[~(frame["valid_from_on"] > day)]
    return frame[~(frame["valid_to_on"] < day)] if "valid_to_on" in frame else frame


def _general(targets: pd.DataFrame | None, *, customer_groups: Collection[str], as_of: dt.date) -> dict[str, tuple[float, str]]:
    if targets is None or targets.empty:
        return {}
    rows = _valid(targets, as_of)
    for scope in ("customer_id", "product_id", "category"):
        if scope in rows:
            rows = rows[rows[scope].isna() | (rows[scope].astype(str) == "")]
    group = rows["customer_group"].fillna("").astype(str) if "customer_group" in rows else pd.Series("", index=rows.index)
    rows = rows.assign(own=group.isin(set(customer_groups)))[group.isin({"", *customer_groups})]
    order = ["own", *(["valid_from_on"] if "valid_from_on" in rows else []), "value"]
    rows = rows.sort_values(order, kind="stable").groupby("kpi", sort=True).tail(1)
    return {str(row.kpi): (float(row.value), "targets") for row in rows.itertuples()}


def _levels(contracts: pd.DataFrame | None, *, as_of: dt.date) -> pd.DataFrame:
    if contracts is None or contracts.empty:
        return pd.DataFrame({"kpi": [], "customer_id": [], "level": []})
    rows = _valid(contracts, as_of)
    for scope in ("product_id", "category"):
        if scope in rows:
            rows = rows[rows[scope].isna() | (rows[scope].astype(str) == "")]
    rows = rows.assign(kpi=rows["measure"].replace(CONTRACT_MEASURES))
    order = ["kpi", "customer_id", *(["valid_from_on"] if "valid_from_on" in rows else []), "level"]
    return (
        rows.sort_values(order, kind="stable").groupby(["kpi", "customer_id"], sort=True).tail(1)[["kpi", "customer_id", "level"]]
    )


def judge_value(value: float | None, target: float | None, *, direction: str, kind: str, n: float, minimum_n: int) -> str:
    """Return ``good``, ``warn`` (misses by at most 2 points, or 10 %), ``bad`` or ``none`` (no target, too few cases).

    A band KPI is good within 10 % of its target and bad beyond 25 %.

    Examples
    --------
    >>> judge_value(0.94, 0.95, direction="higher", kind="rate", n=50, minimum_n=20)
    'warn'
    >>> judge_value(0.94, 0.95, direction="higher", kind="rate", n=5, minimum_n=20)
    'none'
    """
    if value is None or target is None or value != value or target != target or n < minimum_n:
        return "none"
    if direction == "band":
        off = abs(value - target) / abs(target) if target else 0.0
        return "good" if off <= _NEAR_OTHER else "warn" if off <= _FAR_BAND else "bad"
    short = target - value if direction == "higher" else value - target
    near = _NEAR_RATE if kind in ("rate", "points") else _NEAR_OTHER * abs(target)
    return "good" if short <= 1e-12 else "warn" if short <= near + 1e-12 else "bad"
