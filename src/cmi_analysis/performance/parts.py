"""The common shape of KPI parts: rows whose numerators and denominators add up to a ratio of sums."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cmi_analysis.measures.calendar import period_start

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
    given: dict[str, Any] = {name: frame[name] for name in PART_COLUMNS if name in frame} | columns
    given = {name: _bare(value) for name, value in ({"n": 1, "provisional": False, "date": pd.NaT} | given).items()}
    rows = pd.RangeIndex(len(frame))
    parts = {name: pd.Series(given.get(name, ""), index=rows) for name in PART_COLUMNS}
    for name in _TEXTS:
        parts[name] = parts[name].fillna("").astype(str)
    parts |= {name: parts[name].astype(float) for name in ("numerator", "denominator", "n")}
    parts["provisional"] = parts["provisional"].astype(bool)
    parts["date"] = pd.to_datetime(parts["date"])
    return pd.DataFrame(parts)


def no_parts() -> pd.DataFrame:
    """Return parts without rows."""
    return kpi_parts(pd.DataFrame({"numerator": pd.Series(dtype=float), "denominator": pd.Series(dtype=float)}))


def start_of_period(dates: pd.Series, *, period: str, week_start: str = "Monday") -> pd.Series:
    """Return the first day of the ``week``, ``month`` or ``quarter`` of each date."""
    if period == "quarter":
        return dates.dt.to_period("Q").dt.start_time.astype("datetime64[ns]")
    return period_start(dates, frequency="week" if period == "week" else "month", week_start=week_start)


def _bare(value: Any) -> Any:
    return value.to_numpy() if isinstance(value, pd.Series) else value
