"""Holidays by period, by name, by customer; their planted effect is found and improves the forecast."""

from __future__ import annotations

import holidays as public_holidays
import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.demand import PANEL_COLUMNS
from cmi_analysis.forecasting.global_model import forecast_globally
from cmi_analysis.forecasting.grid import Grid, panel_grid
from cmi_analysis.forecasting.holidays import closed_days, has_unnamed_calendars, holiday_calendar
from cmi_analysis.forecasting.public import forecast_all
from cmi_analysis.forecasting.regression import regress_drivers

WEEKS = pd.date_range("2021-01-04", periods=182, freq="W-MON")
PAIRS = Grid(pd.DataFrame({"customer_id": ["C0", "C1"], "product_id": ["P", "P"]}), WEEKS)


def easter(first: int = 2020, last: int = 2025) -> pd.DataFrame:
    """Good Friday to Easter Monday, from another library."""
    found = public_holidays.country_holidays("DE", years=range(first, last), language="en_US")
    days = [day for day, name in found.items() if name in ("Good Friday", "Easter Monday")]
    return pd.DataFrame({"date": pd.to_datetime(sorted(days)), "name": "Easter"})


def panel(seed: int, *, series: int = 40, factor: float = 1.6, shock: float = 0.0) -> pd.DataFrame:
    """Demand that is `factor` times as high in the week of Good Friday, Poisson around levels of 5 to 40."""
    random = np.random.default_rng(seed)
    fridays = easter()["date"].iloc[::2]
    held = np.isin(WEEKS, fridays.dt.to_period("W").dt.start_time)
    level = random.uniform(5, 40, (series, 1)) * np.where(held, factor, 1.0) * np.exp(shock * random.standard_normal(len(WEEKS)))
    demand = random.poisson(level).astype(float)
    product = np.repeat([f"P{k:02d}" for k in range(series)], len(WEEKS))
    frame = pd.DataFrame({"customer_id": "C", "product_id": product, "period": np.tile(WEEKS, series), "promotion": False})
    frame = frame.assign(quantity=demand.ravel(), demand=demand.ravel(), returned=0.0, in_stock=np.nan, imputed=False)
    return frame[PANEL_COLUMNS]


def test_easter_is_looked_up_where_it_lay_the_year_before():
    found = holiday_calendar(easter(), PAIRS, periods=WEEKS)
    # Good Friday was on 2 April 2021 and 15 April 2022
    weeks = {day: int(np.searchsorted(WEEKS, pd.Timestamp(day), side="right")) - 1 for day in ("2021-04-02", "2022-04-15")}
    assert found.year_ago[0, weeks["2022-04-15"]] == weeks["2021-04-02"]
    assert found.year_ago[0, weeks["2022-04-15"] + 1] == weeks["2021-04-02"] + 1
    assert found.offset[0, weeks["2022-04-15"] - 2] == -2
    assert found.nearest[0, weeks["2022-04-15"] + 3] == -1
    assert found.year_ago[0, weeks["2021-04-02"]] == -1  # 2020 lies before the panel
    assert found.days[0, 0, weeks["2022-04-15"] :][:2].tolist() == [1, 1]  # Friday, and Monday in the next week


def test_a_holiday_of_one_country_touches_its_customers_alone():
    rows = easter().assign(country="DE")
    customers = pd.DataFrame({"customer_id": ["C0", "C1"], "country": ["DE", "CN"]})
    rows = pd.concat([rows, pd.DataFrame({"date": [pd.Timestamp("2022-02-01")], "name": ["Spring Festival"], "country": ["CN"]})])
    found = holiday_calendar(rows.reset_index(drop=True), PAIRS, periods=WEEKS, customers=customers)
    shares = found.shares(len(WEEKS))
    assert shares["Easter"][0].sum() > 0
    assert shares["Easter"][1].sum() == 0
    assert shares["Spring Festival"][:, 56].tolist() == [0, 1]
    with pytest.raises(InputError, match="country of each customer"):
        holiday_calendar(rows, PAIRS, periods=WEEKS)


def test_named_days_of_a_calendar_are_holidays_even_when_open_and_weekends_are_none():
    days = pd.date_range("2024-01-01", periods=28)
    calendar = pd.DataFrame({"calendar_id": "A", "date": days, "open": (days.day_of_week < 5) & (days != "2024-01-01")})
    calendar["holiday"] = pd.Series(None, index=calendar.index, dtype="object")
    calendar.loc[9, "holiday"] = "Fair"
    assert closed_days(calendar)["name"].tolist() == ["closed", "Fair"]


def test_the_planted_effect_lies_in_its_interval_in_most_panels_with_and_without_shocks_common_to_all_items():
    held = {0.0: 0, 0.15: 0}
    for shock in held:
        for seed in range(12):
            rows = panel(seed, series=12, shock=shock)
            grid = panel_grid(rows)
            fridays = easter().iloc[::2]
            shares = holiday_calendar(fridays, grid, periods=grid.periods).shares(len(grid.periods))
            found = regress_drivers(rows, frequency="week", periods_per_year=52, holidays=shares).set_index("driver")
            effect = found.loc["holiday"]
            assert effect["category"] == "Easter"
            held[shock] += effect["low"] <= 0.6 <= effect["high"]
    assert min(held.values()) >= 10


def test_the_global_model_foresees_a_moving_holiday_by_its_name():
    rows = panel(1)
    known = rows[rows["period"] <= pd.Timestamp("2024-03-11")]  # Good Friday comes 29 March 2024, one week earlier than in 2023
    settings = Settings("week", "Monday", 6)
    plain, told = (forecast_globally(known, settings=settings, folds=1, holidays=frame) for frame in (None, easter()))
    actual = rows[["customer_id", "product_id", "period", "demand"]]
    missed = {}
    for name, made in (("plain", plain), ("told", told)):
        made = made[made["origin"] == pd.Timestamp("2024-03-11")]
        made = made.assign(period=settings.ahead(pd.Timestamp("2024-03-11"))[made["lead"] - 1])
        both = made.merge(actual, on=["customer_id", "product_id", "period"])
        weeks = both.groupby("period")[["mean", "demand"]].sum()
        missed[name] = (weeks["mean"] - weeks["demand"]).abs().sum()
    assert missed["told"] < 0.5 * missed["plain"]


def test_forecasts_of_the_public_call_hold_the_holiday():
    rows = panel(1, series=12).rename(columns={"period": "date"})[["customer_id", "product_id", "date", "quantity"]]
    known = rows[rows["date"] <= "2024-03-11"]
    plain, told = (
        forecast_all(known, horizon=4, frequency="week", folds=1, holidays=frame).forecasts.set_index("period")["mean"]
        for frame in (None, easter())
    )
    week = pd.Timestamp("2024-03-25")
    assert told[week].sum() > 1.05 * plain[week].sum()


@pytest.mark.parametrize(
    ("calendars", "customers", "unnamed"),
    [(["A", "B"], None, True), (["A", "B"], ["A"], False), (["A", "B"], [None], True), (["A", "A"], None, False)],
)
def test_several_calendars_that_no_customer_names_cannot_be_used(calendars, customers, unnamed):
    frame = pd.DataFrame({"customer_id": ["c"]})
    named = frame if customers is None else frame.assign(calendar_id=customers)
    assert has_unnamed_calendars(pd.DataFrame({"calendar_id": calendars}), customers=named) is unnamed


def test_no_calendar_is_no_unnamed_one():
    assert not has_unnamed_calendars(None, customers=None)
