"""The figures of the segmentation's six cards, with those of a year before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.segmentation.value import top_share

Row = tuple[str, float, float, int]


def kpi_frame(customers: pd.DataFrame, *, patterns: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """Return ``kpi``, ``value``, ``last_year``, ``n`` of each card.

    Parameters
    ----------
    customers, patterns, months : pandas.DataFrame
        Frames of `SegmentationResult`.

    Notes
    -----
    ``a_customers_value`` is the value of the customers that are A *now*, in this window and the one before.
    ``value_at_risk_share`` is the value at risk over the value of all customers, each in the window up to its own last order.
    """
    first = months.iloc[0] if len(months) else pd.Series(dtype="float64")
    rows = [*_value_rows(customers, first), *_risk_rows(customers, first), *_behaviour_rows(customers, patterns)]
    return pd.DataFrame(rows, columns=["kpi", "value", "last_year", "n"])


def _value_rows(customers: pd.DataFrame, first: pd.Series) -> list[Row]:
    active = int((customers["orders"] > 0).sum())
    top = customers.loc[customers["value_class"] == "A"]
    worth = int((customers["value"] > 0).sum())
    return [
        ("customers_active", float(active), _get(first, "customers_active"), len(customers)),
        ("a_customers_value", float(top["value"].sum()), _sum_known(top["value_previous"]), len(top)),
        ("top20_value_share", top_share(customers["value"]), _get(first, "top20_value_share"), worth),
        ("group_value", float(customers["value"].sum()), _get(first, "value"), active),
    ]


def _risk_rows(customers: pd.DataFrame, first: pd.Series) -> list[Row]:
    whole = float(customers["value_before_silence"].clip(lower=0.0).sum())
    at_risk = float(customers["value_at_risk"].sum())
    overdue = float((customers["leaving_status"] == "overdue").sum())
    return [
        ("customers_overdue", overdue, _get(first, "customers_overdue"), len(customers)),
        ("value_at_risk", at_risk, _get(first, "value_at_risk"), int((customers["value_at_risk"] > 0).sum())),
        ("value_at_risk_share", _ratio(at_risk, whole), np.nan, len(customers)),
    ]


def _behaviour_rows(customers: pd.DataFrame, patterns: pd.DataFrame) -> list[Row]:
    active = int((customers["orders"] > 0).sum())
    series = int(patterns["series"].sum())
    judged = int(patterns.loc[patterns["pattern"] != "too_few", "series"].sum())
    uneven = float(patterns.loc[patterns["pattern"].isin(["intermittent", "lumpy"]), "series"].sum())
    everyday = float((customers["behaviour"] == "everyday").sum())
    returned = float(customers["returned_value"].sum())
    return [
        ("intermittent_share", _ratio(uneven, judged), np.nan, judged),
        ("everyday_share", _ratio(everyday, active), np.nan, active),
        ("returned_share", _ratio(returned, float(customers["value"].sum()) + returned), np.nan, active),
        ("demand_series", float(series), np.nan, series),
    ]


def _get(row: pd.Series, name: str) -> float:
    return float(row.get(name, np.nan))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _sum_known(values: pd.Series) -> float:
    return float(values.sum()) if len(values) and bool(values.notna().all()) else float("nan")
