"""What `forecast_demand` is given, checked and brought to one form: ids as text, days without a zone, numbers as numbers.

A value that cannot be read is refused with its row; a quantity that is missing or infinite stays and counts as unknown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.measures.calendar import WEEKDAYS


def check_settings(*, horizon: int, folds: int, profile: str, profiles: Sequence[str], frequency: str, week_start: str) -> None:
    """Refuse a setting that is not one of those allowed."""
    for name, value in (("horizon", horizon), ("folds", folds)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise InputError(expected=f"'{name}' of at least 1", found=repr(value), fix="Give a whole number of periods.")
    choices = {"profile": (profile, profiles), "frequency": (frequency, ("day", "week", "month"))}
    for name, (chosen, allowed) in (choices | {"week_start": (week_start, WEEKDAYS)}).items():
        if chosen not in allowed:
            raise InputError(expected=f"a {name} out of {', '.join(allowed)}", found=repr(chosen), fix="Choose one of them.")


def read_day(day: object) -> dt.date | None:
    """Return a day given as date, datetime or ISO text; None stays None."""
    if day is None:
        return None
    try:
        return pd.Timestamp(day).date()  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise InputError(expected="'as_of' as a date", found=repr(day), fix="Write it as 2024-01-31.") from None


def read_rows(
    frame: pd.DataFrame | None,
    table: str,
    *,
    ids: Sequence[str] = SERIES,
    dates: Sequence[str] = (),
    numbers: Sequence[str] = (),
    maybe_dates: Sequence[str] = (),
    maybe_ids: Sequence[str] = (),
    maybe_numbers: Sequence[str] = (),
) -> pd.DataFrame | None:
    """Return a frame with its columns in one form, None where there is none or it has neither rows nor columns.

    Parameters
    ----------
    frame : pandas.DataFrame, optional
        As it was given; it stays as it is.
    table : str
        What it is called, for messages.
    ids, dates, numbers : sequence of str
        Columns that must be there; ids and dates in every row, numbers may be missing.
    maybe_dates, maybe_ids, maybe_numbers : sequence of str
        Columns that may be there, with or without a value.

    Raises
    ------
    InputError
        A column is missing, an id or a date is missing or cannot be read, a number is text; names column and row.
    """
    if frame is None or (frame.empty and not len(frame.columns)):
        return None
    missing = [name for name in (*ids, *dates, *numbers) if name not in frame]
    if missing:
        raise InputError(
            expected=f"columns {', '.join((*ids, *dates, *numbers))} in '{table}'",
            found=f"no column {', '.join(missing)}; there are {', '.join(map(str, frame.columns)) or 'none'}",
            fix="Rename the columns.",
        )
    rows = frame.reset_index(drop=True)
    for name in (*ids, *dates):
        _refuse(rows[name].isna(), rows[name], f"a value of '{name}' in every row of '{table}'", "Fill it in or leave them out.")
    there = [name for name in (*maybe_dates, *maybe_ids, *maybe_numbers) if name in rows]
    columns = {name: _dates(rows[name], table) for name in (*dates, *maybe_dates) if name in dates or name in there}
    columns |= {name: _texts(rows[name]) for name in (*ids, *maybe_ids) if name in ids or name in there}
    columns |= {name: _numbers(rows[name], table) for name in (*numbers, *maybe_numbers) if name in numbers or name in there}
    for name in ids:  # pandas takes two texts that differ only from such a sign on for the same
        nul = columns[name].str.contains("\x00", regex=False).astype(bool)
        _refuse(nul, columns[name], f"ids in '{name}' of '{table}' that hold no NUL sign", "Take the sign out.")
    return rows.assign(**columns)


def read_flags(rows: pd.DataFrame, name: str, table: str) -> pd.DataFrame:
    """Return the frame with `name`, where there is such a column, as true, false or missing."""
    if name not in rows:
        return rows
    return rows.assign(**{name: _numbers(rows[name], table).gt(0).astype("boolean").mask(rows[name].isna())})


def _refuse(wrong: pd.Series, values: pd.Series, expected: str, fix: str) -> None:
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            expected=expected, found=f"{int(wrong.sum())} rows without, the first is row {row} with {values.iloc[row]!r}", fix=fix
        )


def _texts(values: pd.Series) -> pd.Series:
    """Ids as text; a missing one stays missing."""
    return values.astype("object").map(str, na_action="ignore").astype("object")


def _dates(values: pd.Series, table: str) -> pd.Series:
    """Days without a time zone: the day as it was called there."""
    expected, fix = f"dates in '{values.name}' of '{table}'", "Give dates, or ISO texts such as 2024-01-31."
    if types.is_numeric_dtype(values) and values.notna().any():
        raise InputError(expected=expected, found=f"numbers, the first is {values.dropna().iloc[0]!r}", fix=fix)
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.start_time
    text = not types.is_datetime64_any_dtype(values)
    try:
        read = pd.to_datetime(values.astype("object"), format="ISO8601", errors="coerce") if text else values
    except (ValueError, TypeError) as error:
        raise InputError(expected=expected, found=str(error), fix=fix) from None
    _refuse(read.isna() & values.notna(), values, expected, fix)
    if not types.is_datetime64_any_dtype(read):
        raise InputError(expected=expected, found="several time zones", fix="Give all dates in one time zone.")
    _refuse(~read.dt.year.between(1678, 2261) & values.notna(), values, expected, fix)  # what nanoseconds can hold
    return read.dt.tz_localize(None).astype("datetime64[ns]")


def _numbers(values: pd.Series, table: str) -> pd.Series:
    """Numbers, also those written as text; a missing one stays missing."""
    read = pd.to_numeric(values.astype("object") if values.dtype == "category" else values, errors="coerce").astype("Float64")
    _refuse(
        read.isna().fillna(True) & values.notna(), values, f"numbers in '{values.name}' of '{table}'", "Write 1234.5, no words."
    )
    return read.astype("float64")
