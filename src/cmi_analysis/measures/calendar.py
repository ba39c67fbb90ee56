"""Days, weeks and months: where a period starts and ends, and which ones are complete."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
import pandas as pd

Frequency = Literal["day", "week", "month"]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PER_YEAR = {"day": 365, "week": 52, "month": 12}
_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}


def offset(frequency: Frequency, week_start: str = "Monday") -> str:
    """Return the pandas offset alias whose dates are the first days of the periods.

    Parameters
    ----------
    frequency : {"day", "week", "month"}
        Length of a period.
    week_start : str
        English weekday on which a week starts; used for weeks only.

    Raises
    ------
    ValueError
        An unknown frequency or weekday.

    Examples
    --------
    >>> offset("day"), offset("week"), offset("week", "Sunday"), offset("month")
    ('D', 'W-MON', 'W-SUN', 'MS')
    """
    _check(frequency, week_start)
    return {"day": "D", "week": f"W-{week_start[:3].upper()}", "month": "MS"}[frequency]


def periods_per_year(frequency: Frequency) -> int:
    """Return the length of a yearly season in whole periods [periods]: 365, 52 or 12.

    Examples
    --------
    >>> periods_per_year("week")
    52
    """
    _check(frequency)
    return _PER_YEAR[frequency]


def days_per_period(frequency: Frequency) -> float:
    """Return the mean length of a period [days]; a month has 365.25 / 12.

    Examples
    --------
    >>> days_per_period("month")
    30.4375
    """
    _check(frequency)
    return _DAYS[frequency]


def period_start(dates: pd.Series, *, frequency: Frequency, week_start: str = "Monday") -> pd.Series:
    """Return the first day of the period that holds each date.

    Parameters
    ----------
    dates : pandas.Series of datetime64
        Any dates; a time of day is dropped; missing ones stay missing.
    frequency : {"day", "week", "month"}
        Length of a period.
    week_start : str
        English weekday on which a week starts.

    Returns
    -------
    pandas.Series of datetime64[ns]
        With the index and the name of `dates`.

    Examples
    --------
    >>> dates = pd.Series(pd.to_datetime(["2024-02-29", "2024-03-03"]))
    >>> period_start(dates, frequency="week").dt.strftime("%Y-%m-%d").tolist()
    ['2024-02-26', '2024-02-26']
    >>> period_start(dates, frequency="month").dt.strftime("%Y-%m-%d").tolist()
    ['2024-02-01', '2024-03-01']
    """
    _check(frequency, week_start)
    return pd.Series(_starts(_days(dates), frequency, week_start).astype("datetime64[ns]"), index=dates.index, name=dates.name)


def period_end(dates: pd.Series, *, frequency: Frequency, week_start: str = "Monday") -> pd.Series:
    """Return the last day of the period that holds each date.

    Parameters and shape as in `period_start`.

    Examples
    --------
    >>> dates = pd.Series(pd.to_datetime(["2024-02-10"]))
    >>> period_end(dates, frequency="month").dt.strftime("%Y-%m-%d").tolist()
    ['2024-02-29']
    """
    _check(frequency, week_start)
    ends = _shift(_starts(_days(dates), frequency, week_start), 1, frequency) - np.timedelta64(1, "D")
    return pd.Series(ends.astype("datetime64[ns]"), index=dates.index, name=dates.name)


def shift_periods(dates: pd.Series, periods: int, *, frequency: Frequency, week_start: str = "Monday") -> pd.Series:
    """Return the first day of the period that lies `periods` after (or before) that of each date.

    Parameters and shape as in `period_start`; `periods` may be negative [periods].

    Examples
    --------
    >>> dates = pd.Series(pd.to_datetime(["2024-01-31"]))
    >>> shift_periods(dates, 1, frequency="month").dt.strftime("%Y-%m-%d").tolist()
    ['2024-02-01']
    """
    _check(frequency, week_start)
    moved = _shift(_starts(_days(dates), frequency, week_start), periods, frequency)
    return pd.Series(moved.astype("datetime64[ns]"), index=dates.index, name=dates.name)


def last_complete_period(as_of: dt.date, *, frequency: Frequency, week_start: str = "Monday") -> pd.Timestamp:
    """Return the first day of the newest period whose last day is on or before `as_of`.

    Parameters
    ----------
    as_of : datetime.date
        The date up to which everything is known; its own day counts as over.
    frequency, week_start
        As in `period_start`.

    Examples
    --------
    >>> last_complete_period(dt.date(2024, 3, 3), frequency="week")  # a Sunday: its week is complete
    Timestamp('2024-02-26 00:00:00')
    >>> last_complete_period(dt.date(2024, 3, 2), frequency="week")
    Timestamp('2024-02-19 00:00:00')
    """
    day = pd.Series([pd.Timestamp(as_of).normalize() + pd.Timedelta(days=1)])
    return pd.Timestamp(shift_periods(day, -1, frequency=frequency, week_start=week_start).iloc[0])


def is_complete(periods: pd.Series, *, as_of: dt.date, frequency: Frequency, week_start: str = "Monday") -> pd.Series:
    """Tell for each period (any date in it) whether its last day is on or before `as_of`.

    Returns
    -------
    pandas.Series of bool
        False where the date is missing.

    Examples
    --------
    >>> weeks = pd.Series(pd.to_datetime(["2024-02-19", "2024-02-26"]))
    >>> is_complete(weeks, as_of=dt.date(2024, 3, 1), frequency="week").tolist()
    [True, False]
    """
    return period_end(periods, frequency=frequency, week_start=week_start) <= pd.Timestamp(as_of)


def period_range(first: dt.date, last: dt.date, *, frequency: Frequency, week_start: str = "Monday") -> pd.DatetimeIndex:
    """Return the first days of all periods from the one that holds `first` to the one that holds `last`.

    Returns
    -------
    pandas.DatetimeIndex
        Named ``period``; empty where `last` lies before the period of `first`.

    Examples
    --------
    >>> period_range(dt.date(2024, 1, 31), dt.date(2024, 3, 1), frequency="month").strftime("%Y-%m-%d").tolist()
    ['2024-01-01', '2024-02-01', '2024-03-01']
    """
    ends = pd.Series(pd.to_datetime([pd.Timestamp(first), pd.Timestamp(last)]))
    starts = period_start(ends, frequency=frequency, week_start=week_start)
    return pd.date_range(starts.iloc[0], starts.iloc[1], freq=offset(frequency, week_start), name="period").as_unit("ns")


def count_periods(first: pd.Series, last: pd.Series, *, frequency: Frequency, week_start: str = "Monday") -> pd.Series:
    """Return how many periods lie between the period of `first` and that of `last` [periods].

    Returns
    -------
    pandas.Series of float64
        0 for the same period, negative where `last` is the earlier one, missing where a date is missing.

    Examples
    --------
    >>> one, two = pd.Series(pd.to_datetime(["2024-01-31"])), pd.Series(pd.to_datetime(["2024-03-01"]))
    >>> count_periods(one, two, frequency="month").tolist()
    [2.0]
    """
    _check(frequency, week_start)
    starts, ends = (_starts(_days(dates), frequency, week_start) for dates in (first, last))
    if frequency == "month":
        starts, ends = starts.astype("datetime64[M]"), ends.astype("datetime64[M]")
    length = {"day": 1, "week": 7, "month": 1}[frequency]
    gap = np.where(np.isnat(starts) | np.isnat(ends), np.nan, (ends - starts).astype(np.int64) / length)
    return pd.Series(gap, index=first.index, dtype="float64")


def _days(dates: pd.Series) -> np.ndarray:
    return np.asarray(pd.Series(dates).to_numpy(dtype="datetime64[ns]")).astype("datetime64[D]")


def _starts(days: np.ndarray, frequency: str, week_start: str) -> np.ndarray:
    if frequency == "week":
        # 1970-01-01 was a Thursday, weekday 3
        since = (days.astype(np.int64) + 3 - WEEKDAYS.index(week_start)) % 7
        return np.where(np.isnat(days), days, days - np.where(np.isnat(days), 0, since).astype("timedelta64[D]"))
    return days.astype("datetime64[M]").astype("datetime64[D]") if frequency == "month" else days


def _shift(starts: np.ndarray, periods: int, frequency: str) -> np.ndarray:
    if frequency == "month":
        return (starts.astype("datetime64[M]") + np.timedelta64(periods, "M")).astype("datetime64[D]")
    return starts + np.timedelta64(periods * (7 if frequency == "week" else 1), "D")


def _check(frequency: str, week_start: str = "Monday") -> None:
    if frequency not in _PER_YEAR:
        raise ValueError(f"frequency is one of {', '.join(_PER_YEAR)}; found {frequency!r}.")
    if week_start not in WEEKDAYS:
        raise ValueError(f"week_start is one of {', '.join(WEEKDAYS)}; found {week_start!r}.")
