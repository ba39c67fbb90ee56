"""Calendar arithmetic held against the standard library's, day by day."""

from __future__ import annotations

import calendar as std
import datetime as dt

import pandas as pd
import pytest

from cmi_analysis.measures import calendar

DAYS = [dt.date(2019, 12, 20) + dt.timedelta(days=i) for i in range(800)] + [dt.date(1969, 12, 31), dt.date(1960, 2, 29)]


def _plain_start(day: dt.date, frequency: str, week_start: str) -> dt.date:
    if frequency == "month":
        return day.replace(day=1)
    while frequency == "week" and std.day_name[day.weekday()] != week_start:
        day -= dt.timedelta(days=1)
    return day


@pytest.mark.parametrize(
    ("frequency", "week_start"),
    [("day", "Monday"), ("month", "Monday"), ("week", "Monday"), ("week", "Sunday"), ("week", "Saturday")],
)
class TestEveryDay:
    def test_starts_equal_a_plain_loop(self, frequency, week_start):
        dates = pd.Series(pd.to_datetime(DAYS), name="date", index=range(5, 5 + len(DAYS)))
        got = calendar.period_start(dates, frequency=frequency, week_start=week_start)
        assert got.name == "date"
        assert got.index.equals(dates.index)
        assert got.dtype == "datetime64[ns]"
        assert got.dt.date.tolist() == [_plain_start(day, frequency, week_start) for day in DAYS]

    def test_a_period_ends_the_day_before_the_next_starts(self, frequency, week_start):
        dates = pd.Series(pd.to_datetime(DAYS))
        ends = calendar.period_end(dates, frequency=frequency, week_start=week_start)
        following = calendar.shift_periods(dates, 1, frequency=frequency, week_start=week_start)
        assert ((ends + pd.Timedelta(days=1)) == following).all()
        assert (ends >= dates).all()

    def test_a_period_is_complete_when_its_last_day_is_over(self, frequency, week_start):
        for day in DAYS[:70]:
            newest = calendar.last_complete_period(day, frequency=frequency, week_start=week_start)
            pair = pd.Series([newest, pd.Timestamp(day) + pd.Timedelta(days=1)])
            done = calendar.is_complete(pair, as_of=day, frequency=frequency, week_start=week_start)
            assert done.tolist() == [True, False]

    def test_range_holds_each_start_once_and_counts_agree(self, frequency, week_start):
        periods = calendar.period_range(DAYS[0], DAYS[120], frequency=frequency, week_start=week_start)
        assert periods.date.tolist() == sorted({_plain_start(day, frequency, week_start) for day in DAYS[:121]})
        first, last = pd.Series(pd.to_datetime([DAYS[0]])), pd.Series(pd.to_datetime([DAYS[120]]))
        gap = calendar.count_periods(first, last, frequency=frequency, week_start=week_start)
        assert gap.tolist() == [len(periods) - 1]

    def test_missing_dates_stay_missing(self, frequency, week_start):
        dates = pd.Series([pd.NaT, pd.Timestamp("2024-02-29 13:00")], dtype="datetime64[ns]")
        got = calendar.period_start(dates, frequency=frequency, week_start=week_start)
        assert got.isna().tolist() == [True, False]
        assert calendar.period_end(dates, frequency=frequency, week_start=week_start).isna().tolist() == [True, False]
        gap = calendar.count_periods(dates, dates, frequency=frequency, week_start=week_start)
        assert gap.isna().tolist() == [True, False]
        assert dates.iloc[1] == pd.Timestamp("2024-02-29 13:00")

    def test_an_empty_series_gives_an_empty_one(self, frequency, week_start):
        none = pd.Series([], dtype="datetime64[ns]")
        assert calendar.period_start(none, frequency=frequency, week_start=week_start).empty


def test_a_range_that_ends_before_it_starts_is_empty():
    assert calendar.period_range(dt.date(2024, 3, 1), dt.date(2024, 1, 1), frequency="month").empty


def test_unknown_words_name_the_allowed_ones():
    with pytest.raises(ValueError, match="frequency is one of day, week, month; found 'quarter'"):
        calendar.offset("quarter")
    with pytest.raises(ValueError, match=r"week_start is one of Monday, .*; found 'Mon'"):
        calendar.offset("week", "Mon")
