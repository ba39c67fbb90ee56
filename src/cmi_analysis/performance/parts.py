"""The common shape of KPI parts: rows whose numerators and denominators add up to a ratio of sums."""

from __future__ import annotations

from typing import Any

import pandas as pd

PART_COLUMNS = (
    "customer_id", "product_id", "warehouse_id", "date", "level",
    "numerator", "denominator", "n", "cluster", "provisional", "basis",
)  # fmt: skip
_TEXTS = ("customer_id", "product_id", "warehouse_id", "level", "cluster", "basis")


def kpi_parts(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Return `frame` in the common shape; columns that it lacks are empty text, n is 1, nothing is provisional.

    Parameters
    ----------
    frame : DataFrame
        Any rows; those columns of `PART_COLUMNS` that it has are kept.
    **columns
        Values or Series that replace columns.
    """
    parts = frame.reset_index(drop=True).assign(**{name: _bare(value) for name, value in columns.items()})
    for name in _TEXTS:
        parts[name] = parts[name].fillna("").astype(str) if name in parts else ""
    if "n" not in parts:
        parts["n"] = 1
    parts["provisional"] = parts["provisional"].astype(bool) if "provisional" in parts else False
    parts["date"] = pd.to_datetime(parts["date"]) if "date" in parts else pd.NaT
    return parts[list(PART_COLUMNS)].astype({"numerator": float, "denominator": float, "n": float})


def no_parts() -> pd.DataFrame:
    """Return parts without rows."""
    return kpi_parts(pd.DataFrame({"numerator": pd.Series(dtype=float), "denominator": pd.Series(dtype=float)}))


def _bare(value: Any) -> Any:
    return value.to_numpy() if isinstance(value, pd.Series) else value
