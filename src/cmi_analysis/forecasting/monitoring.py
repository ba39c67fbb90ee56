"""Watching forecasts and demand: tracking signals of held-out errors, and levels of demand that changed of late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.demand import panel_frequency
from cmi_analysis.forecasting.grid import SERIES, panel_grid
from cmi_analysis.forecasting.seasons import index_matrix, season_of
from cmi_analysis.measures import calendar

MONITORING_COLUMNS = [*SERIES, "tracking_signal", "change", "changed_on", "level_before", "level_after", "reason"]
# a tracking signal beyond it means drift [mean absolute deviations]; at most 1 % of stable series reach it in a report
DRIFT_LIMIT = 4.0
# mean absolute deviation of a normal variable by its median absolute deviation: √(2/π) / 0.6745
_MEAN_BY_MEDIAN = 1.183
# a drift below this share of demand is true, maybe, but no reason to distrust a forecast
LEAST_DRIFT = 0.25
# shift score from which on a level has changed; at most 1 % of stable series reach it in a year, a report each week or month
CHANGE_LIMIT = {"week": 4.0, "month": 3.5}
# a change by less than this factor is none
LEAST_CHANGE = 1.5
# running sums of fewer like items say nothing of their deviation: then those of all items do
_LEAST_SUMS = 20
# a series with fewer known periods before the change, as a share of the whole window before, is not judged
_LEAST_BEFORE = 0.5


@dataclass(frozen=True)
class _Windows:
    """Lengths of the two windows [periods]: what may be new, the steps in which it is tested, and what it is held against."""

    least: int
    tested: tuple[int, ...]
    before: int


_WINDOWS = {"week": _Windows(4, (6, 8, 10, 13), 52), "month": _Windows(2, (3, 4, 6, 9), 24)}


def monitor_series(
    panel: pd.DataFrame, sum_errors: pd.DataFrame, *, frequency: str, indices: pd.DataFrame, categories: pd.Series
) -> pd.DataFrame:
    """Return for each series whether its forecast drifts off and whether its level of demand has changed.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it.
    sum_errors : pandas.DataFrame
        As in `Forecasts`: errors of sums over the leads 1 … ``lead`` of each origin.
    frequency : {"week", "month"}
        Length of a period.
    indices : pandas.DataFrame
        As `seasonal_indices` returns them.
    categories : pandas.Series
        Category by ``product_id`` (index).

    Returns
    -------
    pandas.DataFrame
        One row per series: ``customer_id, product_id, tracking_signal`` [mean absolute deviations; above 0: demand is above the
        forecast], ``change`` (up, down, empty: none), ``changed_on``, ``level_before, level_after`` [sales units per period, the
        season taken out], ``reason`` (level_up, level_down, drift_up, drift_down, empty: nothing happened). A change comes before
        a drift, which may be what the change has left behind.
    """
    changes = find_changes(panel, frequency=frequency, indices=indices, categories=categories)
    found = changes.merge(tracking_signals(sum_errors), on=SERIES, how="left")
    drifting = (found["tracking_signal"].abs() > DRIFT_LIMIT) & (found["drift"].abs() >= LEAST_DRIFT)
    up = found["tracking_signal"] > 0
    found["reason"] = np.select(
        [found["change"] == "up", found["change"] == "down", drifting & up, drifting & ~up],
        ["level_up", "level_down", "drift_up", "drift_down"],
        default="",
    ).astype(object)
    return found[MONITORING_COLUMNS].sort_values(SERIES, kind="stable", ignore_index=True)


def doubt_monitored(items: pd.DataFrame, monitoring: pd.DataFrame) -> pd.DataFrame:
    """Return `items` with the doubt ``change`` or ``drift`` where monitoring found one and there was no other doubt.

    Parameters
    ----------
    items : pandas.DataFrame
        As `score_items` returns them: ``customer_id, product_id, state, doubt``; dead items, forecast by rule, stay as they are.
    monitoring : pandas.DataFrame
        As `monitor_series` returns it.
    """
    found = items[SERIES].merge(monitoring[[*SERIES, "reason"]], on=SERIES, how="left")["reason"].fillna("").astype(str)
    kinds = {"level_up": "change", "level_down": "change", "drift_up": "drift", "drift_down": "drift"}
    doubt = found.map(kinds).fillna("").to_numpy(dtype=object)
    open_ = ((items["doubt"] == "") & (items["state"] != "dead")).to_numpy()
    return items.assign(doubt=np.where(open_, doubt, items["doubt"].to_numpy(dtype=object)))


def tracking_signals(sum_errors: pd.DataFrame) -> pd.DataFrame:
    """Return the tracking signal of each series over the origins of its back-test.

    Parameters
    ----------
    sum_errors : pandas.DataFrame
        ``customer_id, product_id, pattern, fallback, origin, lead`` [periods], ``actual, mean, scale`` [sales units]: sums over
        the leads 1 … ``lead``.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, tracking_signal`` [mean absolute deviations], ``drift``: sum of the errors over demand [ratio];
        series with at least two origins that a model forecast.

    Notes
    -----
    T = Σₒ Eₒ / (s · MAD), Eₒ = Σ (actual − forecast) over the periods from origin o to the next, each period once. The
    classic signal divides the running sum by a mean absolute deviation smoothed over many one-step errors. A back-test has a
    few origins, and the errors of one origin's leads go together, as may those of successive origins: no factor √n makes a
    deviation of the sum out of one of single errors. So like items take the place of time: s = (Σ scale²)^½ is the item's own
    scale, MAD 1.183 times the median of |Σₒ Eₒ| / s over the items of its demand pattern (their mean absolute deviation, were
    they normal; those that drift do not move it). Were T normal, stable series would pass ±4 one time in 700; demand has
    longer tails, so `DRIFT_LIMIT` is measured: with a drift of a quarter of demand at most 1 % in a report
    (tests/forecasting/test_monitoring.py).
    Sources: Brown (1962), Smoothing, Forecasting and Prediction of Discrete Time Series, chapter 19; Trigg (1964), Monitoring a
    forecasting system, Operational Research Quarterly 15, 271–274.

    Examples
    --------
    Nineteen items with errors of 1, 1, 1 and −1, and one whose four sums are off by 3 each: s = √(4 · 1²) = 2, the median of
    |Σ E| / s is 2/2 = 1, so T = 12 / (2 · 1.183) = 5.07.

    >>> days = pd.to_datetime(["2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01"])
    >>> rows = [("C", f"P{i:02d}", day, 13, 10 + (3 if i == 0 else 1 - 2 * (k == 3)), 10, 1)
    ...         for i in range(20) for k, day in enumerate(days)]
    >>> sums = pd.DataFrame(rows, columns=[*SERIES, "origin", "lead", "actual", "mean", "scale"])
    >>> found = tracking_signals(sums.assign(pattern="smooth", fallback=""))
    >>> found["tracking_signal"].round(2).tolist()[:2]
    [5.07, 0.85]
    """
    sums = _running_sums(sum_errors)
    ratio = (sums["error"] / sums["scale"]).abs()
    like = ratio.groupby(sums["pattern"], observed=True)
    deviation = _MEAN_BY_MEDIAN * like.transform("median").where(like.transform("size") >= _LEAST_SUMS, ratio.median())
    usual = sums["scale"] * deviation
    signal = sums["error"] / usual.where(usual > 0)
    drift = sums["error"] / sums["actual"].where(sums["actual"] > 0)
    return sums[SERIES].assign(tracking_signal=signal, drift=drift.fillna(np.sign(sums["error"])))


def _running_sums(sum_errors: pd.DataFrame) -> pd.DataFrame:
    """Sum of all errors by series, each period once, with the scale of that sum; series with two origins at least."""
    kept = sum_errors[sum_errors["fallback"].isin(["", "few"]) & np.isfinite(sum_errors["actual"]) & (sum_errors["scale"] > 0)]
    kept = kept[kept["lead"] <= _periods_apart(kept)]
    last = kept.sort_values([*SERIES, "origin", "lead"], kind="stable").drop_duplicates([*SERIES, "origin"], keep="last")
    last = last.assign(error=last["actual"] - last["mean"], square=last["scale"] ** 2, origins=1)
    sums = last.groupby(SERIES, sort=True).agg(
        {"pattern": "last", "error": "sum", "actual": "sum", "square": "sum", "origins": "sum"}
    )
    sums = sums[sums["origins"] >= 2].reset_index()
    return sums.assign(scale=np.sqrt(sums["square"].astype("float64")))


def _periods_apart(sums: pd.DataFrame) -> float:
    """Periods from one origin to the next, by the lead at which the first one's forecast reaches the second."""
    origins = sorted(sums["origin"].unique())
    if len(origins) < 2 or "period" not in sums:
        return float("inf")
    reached = sums.loc[(sums["origin"] == origins[0]) & (sums["period"] <= origins[1]), "lead"]
    return float(reached.max()) if len(reached) else float("inf")


def find_changes(panel: pd.DataFrame, *, frequency: str, indices: pd.DataFrame, categories: pd.Series) -> pd.DataFrame:
    """Return whether the level of each series changed within the last quarter (by the month: the last half year).

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, change`` (up, down, empty), ``changed_on`` (first period of the new level), ``level_before,
        level_after`` [sales units per period, the season taken out]; without a change the levels of the whole windows.

    Notes
    -----
    The last w periods (w = 6, 8, 10, 13 weeks or 3, 4, 6, 9 months) are held against the year before them (months: two years) by
    `shift_scores` of (demand − level · index) / √index. Changed: a score beyond `CHANGE_LIMIT`, and a level at least half as high
    again or at most two thirds, also of that of the same periods a year before where these are known. Left out as unknown:
    periods in promotion or without any stock. The first period of the new level is that of the w with the largest score.

    The limit is measured, not derived (tests/forecasting/test_monitoring.py): of stable series (Poisson, negative binomial, in
    packs, with and without a season that the indices hold, means of 0.2 to 20) at most 1 % are called changed in a year of weekly
    reports. At that rate a level doubled 8 weeks ago is found in half to two thirds of Poisson series with a mean of 5 and in
    all with a mean of 20, a halved one in one of ten and in nearly all: at 5, eight weeks at half the demand are three standard
    deviations, which a year of looks passes by chance. Demand whose variance is three times its mean needs about three times the
    mean. A season that the indices do not hold raises the false alarms of large items to 3 to 10 % a year.
    """
    grid, length = panel_grid(panel), panel_frequency(frequency)
    season = _season(grid.series, grid.periods, frequency=length, indices=indices, categories=categories)
    score, width, before, after = level_changes(_usable_demand(panel), season, frequency=length)
    start = pd.Series(grid.periods[len(grid.periods) - np.maximum(width, 1)])
    return grid.series.assign(
        change=np.select([score > 0, score < 0], ["up", "down"], default="").astype(object),
        changed_on=start.where(score != 0).to_numpy(),
        level_before=before,
        level_after=after,
    )


def level_changes(demand: np.ndarray, season: np.ndarray, *, frequency: str) -> tuple[np.ndarray, ...]:
    """Return the score of the change of each series (0: none), its periods since, and the levels before and after.

    Parameters
    ----------
    demand : numpy.ndarray
        Demand by series and period, NaN where unknown [sales units].
    season : numpy.ndarray
        Seasonal index of each of them, above 0 [ratio].
    frequency : {"week", "month"}
        Length of a period.

    Notes
    -----
    As in `find_changes`.

    Examples
    --------
    A year of 4 and 6 by turns, then eight weeks of 14 and 16.

    >>> weeks = np.array([[4.0, 6.0] * 30 + [14.0, 16.0] * 4])
    >>> score, width, before, after = level_changes(weeks, np.ones_like(weeks), frequency="week")
    >>> bool(score[0] > CHANGE_LIMIT["week"]), int(width[0]), float(before[0]), float(after[0])
    (True, 8, 5.0, 15.0)
    """
    windows, rows = _WINDOWS[frequency], np.arange(len(demand))
    year = calendar.periods_per_year(panel_frequency(frequency))
    widths = np.arange(windows.least, windows.tested[-1] + 1)
    widths = widths[widths < demand.shape[1]]
    if not len(widths) or not len(demand):
        return np.zeros(len(demand)), np.zeros(len(demand), dtype=int), *np.full((2, len(demand)), np.nan)
    weight = np.where(np.isfinite(demand), season, np.nan)
    compared = [_compare(demand, weight, width=int(width), before=windows.before, year=year) for width in widths]
    score, before, after = (np.stack(values) for values in zip(*compared, strict=True))
    found = (np.abs(score[np.isin(widths, windows.tested)]) >= CHANGE_LIMIT[frequency]).any(axis=0)
    best = np.where(found, np.abs(score).argmax(axis=0), len(widths) - 1)
    return np.where(found, score[best, rows], 0.0), widths[best], before[best, rows], after[best, rows]


def shift_scores(residual: np.ndarray, *, recent: np.ndarray) -> np.ndarray:
    """Return how far the recent values of each row lie above the others, as a standard normal score.

    Parameters
    ----------
    residual : numpy.ndarray
        Values by row, NaN where unknown.
    recent : numpy.ndarray
        Whether a column is recent.

    Notes
    -----
    With n known values, w of them recent, centred on their mean, the sum S of the recent ones has, over all ways to draw w of n,
    the variance w(n − w)/(n − 1) · m₂ and the third moment w(n − w)(n − 2w)/((n − 1)(n − 2)) · m₃ (mₖ: mean of xᵏ): a
    permutation test, which needs no distribution of demand and which one high period cannot pass. z = S / sd; its short tails
    (z² ≤ n − 1) are those of the two-sample t, made normal by u = ± (8ν + 1)/(8ν + 3) · √(−ν ln(1 − z²/(n − 1))), ν = n − 2; its
    skewness goes as that of a Pearson III variable, by the cube root: 3√k((1 + u/√k)^⅓ − 1 + 1/(9k)), k = 4/skewness².
    Sources: Mielke and Berry (2007), Permutation Methods, 2nd ed., chapter 2 (Pearson III approximation); Wilson and Hilferty
    (1931), Proceedings of the National Academy of Sciences 17, 684–688; Wallace (1959), Annals of Mathematical Statistics 30,
    1121–1130 (normal score of t).

    Examples
    --------
    Symmetric values: n = 8, w = 4, m₂ = 1, skewness 0; variance 4 · 4 / 7, S = 2, z² / 7 = 4 / (16/7) / 7 = 1/4, so
    u = 49/51 · √(−6 ln(3/4)) = 1.2623.

    >>> values = np.array([[-1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 1.0, -1.0]])
    >>> shift_scores(values, recent=np.arange(8) >= 4).round(4).tolist()
    [1.2623]
    """
    known = np.isfinite(residual)
    count, part = known.sum(axis=1).astype(float), (known & recent).sum(axis=1).astype(float)
    values = np.where(known, residual, 0.0)
    values = np.where(known, values - (values.sum(axis=1) / np.maximum(count, 1))[:, None], 0.0)
    second, third = ((values**power).sum(axis=1) / np.maximum(count, 1) for power in (2, 3))
    drawn = part * (count - part)
    variance = drawn / np.maximum(count - 1, 1) * second
    moment = drawn * (count - 2 * part) / np.maximum((count - 1) * (count - 2), 1) * third
    told = variance > 1e-12
    root = np.sqrt(np.where(told, variance, 1.0))
    z = np.where(told, (values * recent).sum(axis=1) / root, 0.0)
    return _normal_score(z, count=count, skewness=np.where(told, moment / root**3, 0.0))


def _normal_score(z: np.ndarray, *, count: np.ndarray, skewness: np.ndarray) -> np.ndarray:
    """Normal score of a standardised sum: tails by Wallace, skewness by Wilson and Hilferty, mirrored where it is to the left."""
    free = np.maximum(count - 2, 1)
    inside = np.clip(1 - z**2 / np.maximum(count - 1, 1), 1e-12, 1)
    score = np.sign(z) * (8 * free + 1) / (8 * free + 3) * np.sqrt(-free * np.log(inside))
    sign = np.where(skewness < 0, -1.0, 1.0)
    root = 2 / np.maximum(np.abs(skewness), 1e-3)
    curved = 3 * root * (np.cbrt(np.maximum(1 + sign * score / root, 0.0)) - 1 + 1 / (9 * root**2))
    return np.where(np.abs(skewness) < 1e-3, score, sign * curved)


def _compare(
    demand: np.ndarray, weight: np.ndarray, *, width: int, before: int, year: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shift score of the last `width` periods (0 where it is too small a change), level before and level after."""
    end = demand.shape[1]
    start, cut = max(0, end - width - before), end - width
    values, index = demand[:, start:], weight[:, start:]
    residual = (values - _level(values, index)[:, None] * index) / np.sqrt(index)
    score = shift_scores(residual, recent=np.arange(start, end) >= cut)
    after, earlier = _level(demand[:, cut:], weight[:, cut:]), _level(demand[:, start:cut], weight[:, start:cut])
    same = slice(max(0, cut - year), max(0, end - year))
    whole = np.isfinite(demand[:, same]).sum(axis=1) == width
    ago = np.where(whole, _level(demand[:, same], weight[:, same]), np.nan)
    known = np.isfinite(values)
    judged = known[:, : cut - start].sum(axis=1) >= _LEAST_BEFORE * before
    judged &= known[:, cut - start :].sum(axis=1) >= width / 2
    up = (after >= LEAST_CHANGE * earlier) & ~(after < LEAST_CHANGE * ago)
    down = (after * LEAST_CHANGE <= earlier) & ~(after * LEAST_CHANGE > ago)
    return np.where(judged & (up | down), score, 0.0), earlier, after


def _level(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Demand per period of an average season: Σ demand / Σ index, NaN where nothing is known."""
    total = np.nansum(weight, axis=1)
    return np.divide(np.nansum(values, axis=1), total, out=np.full(len(values), np.nan), where=total > 0)


def _usable_demand(panel: pd.DataFrame) -> np.ndarray:
    """Demand by series and period, NaN in promotion and where there was no stock at all."""
    usable = ~panel["promotion"].to_numpy(dtype=bool) & ~(panel["in_stock"] <= 0).to_numpy()
    return panel_grid(panel).matrix(panel.assign(demand=panel["demand"].where(usable)), "demand")


def _season(
    series: pd.DataFrame, periods: pd.DatetimeIndex, *, frequency: str, indices: pd.DataFrame, categories: pd.Series
) -> np.ndarray:
    """Seasonal index of each series and period, as known at the last period."""
    category = series["product_id"].map(categories).astype("object").fillna("")
    seasons = season_of(periods, frequency=frequency)
    return np.maximum(index_matrix(indices, categories=category, seasons=seasons, origin=periods[-1]), 1e-6)
