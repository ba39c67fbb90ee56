"""Holidays by period: how many days, how far away, and where the same holiday, found by its name, lay the year before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.grid import Grid

# what a holiday may be restricted to
SCOPES = ("customer_id", "calendar_id", "country", "region")
# periods around a holiday that belong to it [periods]
REACH = 2
# days that part two holidays of one name; a year between them, for holidays of a lunar calendar too [days]
_APART, _YEAR = 15, (300, 430)
_UNNAMED = "closed"


@dataclass(frozen=True)
class HolidayCalendar:
    """Holidays of each scope (a set of customers with the same ones) by period.

    Attributes
    ----------
    names : tuple of str
        Holidays, sorted.
    scope : numpy.ndarray
        Number of the scope of each series.
    days : numpy.ndarray
        Scopes × names × periods [days].
    nearest : numpy.ndarray
        Scopes × periods: number of the holiday at most two periods away, the nearest first, −1 = none.
    offset : numpy.ndarray
        Periods since that holiday's longest period, negative before it; 0 where there is none [periods].
    year_ago : numpy.ndarray
        Scopes × periods: the period with the same offset to the same holiday one year before, −1 = none.
    """

    names: tuple[str, ...]
    scope: np.ndarray
    days: np.ndarray
    nearest: np.ndarray
    offset: np.ndarray
    year_ago: np.ndarray

    def shares(self, periods: int) -> dict[str, np.ndarray]:
        """Return each holiday's days in the first `periods` periods over its most days in one, series × periods [fraction]."""
        most = np.maximum(self.days.max(axis=(0, 2)), 1)
        return {name: (self.days[:, k, :periods] / most[k])[self.scope] for k, name in enumerate(self.names)}


def holiday_calendar(
    holidays: pd.DataFrame | None, grid: Grid, *, periods: pd.DatetimeIndex, customers: pd.DataFrame | None = None
) -> HolidayCalendar | None:
    """Return the holidays of each series by period, None without any.

    Parameters
    ----------
    holidays : pandas.DataFrame, optional
        ``date, name``, one row a day; optional ``customer_id, calendar_id, country, region``: only for those (empty = everyone).
    grid : Grid
        Series.
    periods : pandas.DatetimeIndex
        First days of the periods, rising and without a gap, future ones too.
    customers : pandas.DataFrame, optional
        ``customer_id`` and those of ``calendar_id, country, region`` that holidays are restricted to.

    Raises
    ------
    InputError
        Holidays differ by calendar, country or region, and nothing says where the customers belong.
    """
    if holidays is None or holidays.empty or len(periods) < 2:
        return None
    scope, masks = _scopes(holidays, grid, customers)
    following = periods[1:].append(pd.DatetimeIndex([periods[-1] + (periods[-1] - periods[-2])]))
    within = (holidays["date"] >= periods[0]) & (holidays["date"] < following[-1])
    named = holidays["name"].astype("object").where(holidays["name"].notna(), _UNNAMED).astype(str)
    names = tuple(sorted(named[within].unique()))
    if not names:
        return None
    shape = (len(masks), len(periods))
    days = np.zeros((shape[0], len(names), shape[1]))
    nearest, offset, year_ago = np.full(shape, -1), np.zeros(shape), np.full(shape, -1)
    for number, mask in enumerate(masks):
        found = {name: pd.DatetimeIndex(holidays.loc[mask & within & (named == name), "date"]).unique() for name in names}
        for place, name in enumerate(names):
            column = np.searchsorted(periods, found[name], side="right") - 1
            np.add.at(days[number, place], column, 1.0)
        nearest[number], offset[number], year_ago[number] = _positions(days[number], list(found.values()), periods)
    return HolidayCalendar(names, scope, days, nearest, offset, year_ago)


def has_unnamed_calendars(calendars: pd.DataFrame | None, *, customers: pd.DataFrame | None) -> bool:
    """Return whether there are several working calendars and no customer says which is his: no holiday can be told then.

    Parameters
    ----------
    calendars, customers : pandas.DataFrame or None
        ``calendar_id``; of customers optional.
    """
    if calendars is None or (customers is not None and "calendar_id" in customers and customers["calendar_id"].notna().any()):
        return False
    return len(calendars["calendar_id"].unique()) > 1


def closed_days(calendars: pd.DataFrame) -> pd.DataFrame:
    """Return the holidays of working calendars: days closed on a weekday that is mostly open.

    Parameters
    ----------
    calendars : pandas.DataFrame
        ``calendar_id, date, open`` (bool); optional ``holiday`` (its name).

    Returns
    -------
    pandas.DataFrame
        ``calendar_id, date, name`` ("closed" where there is none), sorted. A named day counts, closed or not.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=21)
    >>> week = pd.DataFrame({"calendar_id": "A", "date": days, "open": (days.day_of_week < 5) & (days != "2024-01-10")})
    >>> closed_days(week)["date"].dt.strftime("%d %b").tolist()
    ['10 Jan']
    """
    rows = calendars.assign(weekday=calendars["date"].dt.day_of_week, open=calendars["open"].astype("boolean"))
    usual = rows.groupby(["calendar_id", "weekday"])["open"].transform("mean").astype("float64")
    name = rows["holiday"].astype("object") if "holiday" in rows else pd.Series(None, index=rows.index, dtype="object")
    closed = ~rows["open"].fillna(True).astype(bool) & (usual > 0.5)
    found = rows.assign(name=name.fillna(_UNNAMED))[closed | name.notna()]
    return found[["calendar_id", "date", "name"]].sort_values(["calendar_id", "date", "name"], ignore_index=True)


def _scopes(holidays: pd.DataFrame, grid: Grid, customers: pd.DataFrame | None) -> tuple[np.ndarray, list[pd.Series]]:
    """Number of the scope of each series, and which holidays each scope has."""
    asked = [name for name in SCOPES if name in holidays and holidays[name].notna().any()]
    own = pd.DataFrame({"customer_id": grid.series["customer_id"]})
    known = None if customers is None else customers.drop_duplicates("customer_id", keep="last").set_index("customer_id")
    for name in [name for name in asked if name != "customer_id"]:
        if known is not None and name in known:
            own[name] = own["customer_id"].map(known[name]).astype("object")
        elif len(holidays[name].unique()) > 1:  # a missing one is another
            raise InputError(
                expected=f"the {name} of each customer, because holidays differ by it",
                found=f"holidays of {holidays[name].nunique()} and no column '{name}' in 'customers'",
                fix=f"Give customers with customer_id and {name}, or holidays of one alone.",
            )
        else:
            asked = [other for other in asked if other != name]
    if "customer_id" in asked:
        own["customer_id"] = own["customer_id"].where(own["customer_id"].isin(holidays["customer_id"].dropna()))
    keys = own[asked].astype("object").where(own[asked].notna(), None) if asked else pd.DataFrame({"all": np.zeros(len(own))})
    number, first = pd.factorize(pd.Series(list(map(tuple, keys.to_numpy()))))
    masks = []
    for key in first:
        mask = pd.Series(True, index=holidays.index)
        for name, value in zip(asked, key, strict=False):
            mask &= holidays[name].isna() | (holidays[name] == value)
        masks.append(mask)
    return number, masks


def _positions(
    days: np.ndarray, dates: list[pd.DatetimeIndex], periods: pd.DatetimeIndex
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest holiday, offset to it and its place one year before, by period, for one scope."""
    count = len(periods)
    nearest, offset, year_ago = np.full(count, -1), np.zeros(count), np.full(count, -1)
    distance, most = np.full(count, np.inf), np.zeros(count)
    for number, found in enumerate(dates):
        earlier: list[tuple[pd.Timestamp, int]] = []
        for start, end in _occurrences(found.sort_values()):
            first, last = (int(np.searchsorted(periods, day, side="right")) - 1 for day in (start, end))
            peak = first + int(days[number, first : last + 1].argmax())
            before = [
                (abs((start - day).days - 365), place) for day, place in earlier if _YEAR[0] <= (start - day).days <= _YEAR[1]
            ]
            earlier.append((start, peak))
            for column in range(max(peak - REACH, 0), min(peak + REACH + 1, count)):
                far, size = abs(column - peak), days[number, peak]
                if (far, -size) < (distance[column], -most[column]):
                    distance[column], most[column] = far, size
                    nearest[column], offset[column] = number, column - peak
                    year_ago[column] = min(before)[1] + column - peak if before else -1
    return nearest, offset, np.where(year_ago < 0, -1, year_ago)


def _occurrences(dates: pd.DatetimeIndex) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """First and last day of each time that a holiday came."""
    if not len(dates):
        return []
    new = np.r_[True, np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(int) > _APART]
    starts, ends = dates[new], dates[np.r_[new[1:], True]]
    return list(zip(starts, ends, strict=True))
