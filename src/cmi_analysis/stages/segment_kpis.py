"""The figures of the segmentation's six cards, with those of a year before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.segmentation.value import top_share


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
    active = customers["orders"] > 0
    top = customers["value_class"] == "A"
    series = int(patterns["series"].sum())
    uneven = patterns["pattern"].isin(["intermittent", "lumpy"])
    judged = int(patterns.loc[patterns["pattern"] != "too_few", "series"].sum())
    value = float(customers["value"].sum())
    before = customers.loc[top, "value_previous"]
    bought = value + float(customers["returned_value"].sum())
    whole = float(customers["value_before_silence"].clip(lower=0.0).sum())
    at_risk = float(customers["value_at_risk"].sum())
    rows: list[tuple[str, float, float, int]] = [
        ("customers_active", float(active.sum()), _get(first, "customers_active"), len(customers)),
        ("a_customers_value", float(customers.loc[top, "value"].sum()), _sum_known(before), int(top.sum())),
        (
            "top20_value_share",
            top_share(customers["value"]),
            _get(first, "top20_value_share"),
            int((customers["value"] > 0).sum()),
        ),
        (
            "customers_overdue",
            float((customers["leaving_status"] == "overdue").sum()),
            _get(first, "customers_overdue"),
            len(customers),
        ),
        ("value_at_risk", at_risk, _get(first, "value_at_risk"), int((customers["value_at_risk"] > 0).sum())),
        ("value_at_risk_share", _ratio(at_risk, whole), np.nan, len(customers)),
        ("intermittent_share", _ratio(float(patterns.loc[uneven, "series"].sum()), judged), np.nan, judged),
        (
            "everyday_share",
            _ratio(float((customers["behaviour"] == "everyday").sum()), int(active.sum())),
            np.nan,
            int(active.sum()),
        ),
        ("returned_share", _ratio(float(customers["returned_value"].sum()), bought), np.nan, int(active.sum())),
        ("group_value", value, _get(first, "value"), int(active.sum())),
        ("demand_series", float(series), np.nan, series),
    ]
    return pd.DataFrame(rows, columns=["kpi", "value", "last_year", "n"])


def _get(row: pd.Series, name: str) -> float:
    return float(row.get(name, np.nan))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _sum_known(values: pd.Series) -> float:
    return float(values.sum()) if len(values) and bool(values.notna().all()) else float("nan")
