"""What a global model looks at: the recent past of a series, of its customer and product, last year's season, calendar, plans.

All features are known at the origin. Quantities are divided by the series' own level, so that one model serves all sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.holidays import HolidayCalendar
from cmi_analysis.forecasting.smoothing import line_slope, smooth_level

LAGS = 6
# a series without any level is not forecast by the global model
LEAST_LEVEL = 1e-6


@dataclass(frozen=True)
class PanelArrays:
    """A panel as arrays, series × periods.

    Attributes
    ----------
    demand : numpy.ndarray
        NaN before a series begins and where unknown [sales units].
    periods : pandas.DatetimeIndex
        First days of the panel's periods and, behind them, of as many periods ahead as will be forecast.
    periods_per_year : int
        52 or 12.
    groups : mapping of str to numpy.ndarray
        Number of the group of each series, for each way of grouping (customer, product, category, all).
    past : mapping of str to numpy.ndarray
        More that is known of each series and past period: ``in_stock`` [fraction], ``price`` [money a unit], NaN = unknown.
    planned : numpy.ndarray, optional
        Whether a promotion is planned, series × all periods, future ones too (bool).
    holidays : HolidayCalendar, optional
        Holidays of all periods, future ones too.
    """

    demand: np.ndarray
    periods: pd.DatetimeIndex
    periods_per_year: int
    groups: Mapping[str, np.ndarray]
    past: Mapping[str, np.ndarray] = field(default_factory=dict)
    planned: np.ndarray | None = None
    holidays: HolidayCalendar | None = None

    def part(self, rows: np.ndarray) -> PanelArrays:
        """Return the arrays of some series."""
        groups, past = ({name: values[rows] for name, values in part.items()} for part in (self.groups, self.past))
        planned = None if self.planned is None else self.planned[rows]
        holidays = None if self.holidays is None else replace(self.holidays, scope=self.holidays.scope[rows])
        return replace(self, demand=self.demand[rows], groups=groups, past=past, planned=planned, holidays=holidays)

    @property
    def totals(self) -> dict[str, np.ndarray]:
        """Demand added up by group and period, for each way of grouping."""
        filled, sums = np.nan_to_num(self.demand), {}
        for name, number in self.groups.items():
            total = np.zeros((int(number.max()) + 1, filled.shape[1]))
            np.add.at(total, number, filled)
            sums[name] = total
        return sums


def origin_features(
    panel: PanelArrays, *, end: int, horizon: int, rows: np.ndarray, totals: Mapping[str, np.ndarray]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the features of some series at one origin for each lead.

    Parameters
    ----------
    panel : PanelArrays
        Only columns before `end` are looked at, but for calendar and plans.
    end : int
        Number of known periods.
    horizon : int
        Leads 1 … horizon [periods].
    rows : numpy.ndarray
        Numbers of the series.
    totals : mapping of str to numpy.ndarray
        As `PanelArrays.totals` returns them.

    Returns
    -------
    names : list of str
        Names of the features.
    values : numpy.ndarray
        Series × leads × features.
    level : numpy.ndarray
        What quantities were divided by, one value a series [sales units]; 0 for a series without demand in the last year.
    """
    year = panel.periods_per_year
    past = panel.demand[rows, :end]
    level = _level(past, year)
    fixed = _own_past(past, level, year) | _more_past(panel, rows, end, year)
    moving = _last_year(past, level, year, horizon) | _calendar(panel, end, horizon, len(rows))
    for name, total in totals.items():
        number = panel.groups[name][rows]
        known = total[:, :end]
        fixed |= {f"{name}_{key}": value[number] for key, value in _group_past(known, year).items()}
        moving |= {f"{name}_{key}": value[number] for key, value in _group_last_year(known, year, horizon).items()}
    if panel.planned is not None:
        moving["promotion"] = panel.planned[rows, end : end + horizon].astype(float)
    if panel.holidays is not None:
        moving |= _holidays(panel, panel.holidays, past, level, rows=rows, horizon=horizon, totals=totals)
    shape = (len(rows), horizon)
    columns = [np.broadcast_to(value[:, None], shape) for value in fixed.values()]
    columns += [np.broadcast_to(value, shape) for value in moving.values()]
    return [*fixed, *moving], np.stack(columns, axis=2).astype(np.float32), level


def mean_of_last(values: np.ndarray, periods: int, *, before: int = 0) -> np.ndarray:
    """Return the mean of the known values among the last `periods` columns, `before` columns back from the end."""
    stop = values.shape[1] - before
    part = values[:, max(0, stop - periods) : max(0, stop)]
    known = np.isfinite(part)
    count = known.sum(axis=1)
    return np.divide(np.where(known, part, 0).sum(axis=1), count, out=np.full(len(values), np.nan), where=count > 0)


def _level(past: np.ndarray, year: int) -> np.ndarray:
    """Mean of last year's and last quarter's mean."""
    long, near = mean_of_last(past, year), mean_of_last(past, max(year // 4, 3))
    return np.nan_to_num((long + np.where(np.isnan(near), long, near)) / 2)


def _own_past(past: np.ndarray, level: np.ndarray, year: int) -> dict[str, np.ndarray]:
    unit = np.maximum(level, LEAST_LEVEL)
    nothing = np.full(len(past), np.nan)
    recent = past[:, -year:]
    known = np.isfinite(recent)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, recent, 0).sum(axis=1) / count
    spread = np.sqrt(np.where(known, (np.nan_to_num(recent) - mean[:, None]) ** 2, 0).sum(axis=1) / count)
    sold = past > 0
    since = np.where(sold.any(axis=1), sold[:, ::-1].argmax(axis=1), past.shape[1])
    smoothed, weight = smooth_level(past[:, -2 * year :])
    values = {f"lag{k + 1}": past[:, -1 - k] / unit if past.shape[1] > k else nothing for k in range(LAGS)}
    values |= {f"mean{w}": mean_of_last(past, w) / unit for w in (max(year // 12, 2), max(year // 4, 3), year // 2, year)}
    values |= {"spread": spread / unit, "zeros": np.where(known, recent == 0, False).sum(axis=1) / count}
    values |= {"since_demand": since.astype(float), "log_level": np.log(unit), "age": np.isfinite(past).sum(axis=1)}
    return values | {"smoothed": smoothed / unit, "weight": weight, "slope": line_slope(recent) / unit}


def _more_past(panel: PanelArrays, rows: np.ndarray, end: int, year: int) -> dict[str, np.ndarray]:
    """Share in stock of the last quarter; the last known price against its mean of the last year."""
    values = {}
    if "in_stock" in panel.past:
        values["in_stock"] = mean_of_last(panel.past["in_stock"][rows, :end], max(year // 4, 3))
    if "price" in panel.past:
        price = panel.past["price"][rows, :end]
        mean = mean_of_last(price, year)
        values["price"] = np.divide(last_known(price), mean, out=np.full(len(rows), np.nan), where=mean > 0)
    return values


def last_known(values: np.ndarray) -> np.ndarray:
    """Return the last known value of each row, NaN where there is none."""
    known = np.isfinite(values)
    if values.shape[1] == 0:
        return np.full(len(values), np.nan)
    last = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), values[np.arange(len(values)), last], np.nan)


def _last_year(past: np.ndarray, level: np.ndarray, year: int, horizon: int) -> dict[str, np.ndarray]:
    unit = np.maximum(level, LEAST_LEVEL)[:, None]
    before = mean_of_last(past, max(year // 4, 3), before=year)[:, None]
    around = _year_before(past, year, horizon, width=1)
    season = np.divide(around, before, out=np.full(around.shape, np.nan), where=before > 0)
    return {
        "year_ago": _year_before(past, year, horizon, width=0) / unit,
        "year_ago_wide": _year_before(past, year, horizon, width=2) / unit,
        "season": np.clip(season, 0, 20),
    }


def _year_before(values: np.ndarray, year: int, horizon: int, *, width: int) -> np.ndarray:
    """Mean of the known values up to `width` periods around the period one year before each lead."""
    end = values.shape[1]
    result = np.full((len(values), horizon), np.nan)
    for lead in range(horizon):
        centre = end + lead - year * (1 + lead // year)
        if centre >= 0:
            part = values[:, max(centre - width, 0) : min(centre + width + 1, end)]
            result[:, lead] = mean_of_last(part, part.shape[1])
    return result


def _group_past(total: np.ndarray, year: int) -> dict[str, np.ndarray]:
    usual = np.maximum(mean_of_last(total, year), LEAST_LEVEL)
    values = {
        "lately": mean_of_last(total, max(year // 12, 2)) / usual,
        "quarter": mean_of_last(total, max(year // 4, 3)) / usual,
    }
    return values | {f"lag{k + 1}": total[:, -1 - k] / usual for k in range(min(3, total.shape[1]))}


def _group_last_year(total: np.ndarray, year: int, horizon: int) -> dict[str, np.ndarray]:
    before = mean_of_last(total, max(year // 4, 3), before=year)[:, None]
    found = {}
    for name, width in (("season", 1), ("season_exact", 0)):
        around = _year_before(total, year, horizon, width=width)
        found[name] = np.divide(around, before, out=np.full(around.shape, np.nan), where=before > 0)
    return found


def _calendar(panel: PanelArrays, end: int, horizon: int, series: int) -> dict[str, np.ndarray]:
    """Lead, place in the year and, of weeks, place in the month (pay days)."""
    days = panel.periods[end : end + horizon]
    middle = days + pd.Timedelta(days=3 if panel.periods_per_year == 52 else 14)
    values = {"lead": np.arange(1, horizon + 1), "day_of_year": middle.day_of_year.to_numpy()}
    if panel.periods_per_year == 52:
        values["day_of_month"] = middle.day.to_numpy()
    return {name: np.broadcast_to(np.asarray(value, dtype=float), (series, horizon)) for name, value in values.items()}


def _holidays(
    panel: PanelArrays,
    holidays: HolidayCalendar,
    past: np.ndarray,
    level: np.ndarray,
    *,
    rows: np.ndarray,
    horizon: int,
    totals: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Days of holiday in, before and after each period; which holiday is near; demand where it lay the year before."""
    end, year, scope = past.shape[1], panel.periods_per_year, holidays.scope[rows]
    days = np.pad(holidays.days.sum(axis=1), ((0, 0), (1, 1)))
    values = {f"holiday_{name}": days[scope, end + k : end + k + horizon] for k, name in enumerate(("before", "days", "after"))}
    near = holidays.nearest[scope, end : end + horizon]
    values["holiday_name"] = np.where(near < 0, np.nan, near)
    values["holiday_offset"] = np.where(near < 0, np.nan, holidays.offset[scope, end : end + horizon])
    source = holidays.year_ago[scope, end : end + horizon]
    known = (source >= 0) & (source < end)
    at = np.where(known, source, 0)
    own = np.take_along_axis(past, at, axis=1) / np.maximum(level, LEAST_LEVEL)[:, None]
    values["holiday_year_ago"] = np.where(known, own, np.nan)
    for name, total in totals.items():
        usual = _mean_around(total[:, :end], max(year // 6, 3))
        ratio = np.divide(total[:, :end], usual, out=np.full(usual.shape, np.nan), where=usual > 0)
        values[f"{name}_holiday"] = np.where(known, ratio[panel.groups[name][rows][:, None], at], np.nan)
    return values


def _mean_around(values: np.ndarray, width: int) -> np.ndarray:
    """Mean of the columns up to `width` before and after each."""
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    column = np.arange(values.shape[1])
    low, high = np.maximum(column - width, 0), np.minimum(column + width + 1, values.shape[1])
    return (sums[:, high] - sums[:, low]) / (high - low)
