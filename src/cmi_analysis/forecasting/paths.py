"""Sample paths: demand of several periods drawn together; each is as its quantiles say, their dependence that of past errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.distribution import LEVELS, QUANTILES, Spread, chances_of, quantiles_at
from cmi_analysis.forecasting.fallbacks import PATTERNED
from cmi_analysis.forecasting.grid import SERIES

# fewer whole paths of errors than this of a demand pattern: those of all patterns; fewer of all: a normal copula
LEAST_PATHS = 100
# rank correlation of two leads in that copula: the mean over all pairs of leads was .28 on weekly, .30 on monthly real data
CORRELATION = 0.3
# series drawn at a time
BLOCK = 256
_ALL = ""


@dataclass(frozen=True)
class SamplePaths:
    """Paths of demand over the horizon, drawn when asked for, a block of series at a time.

    Attributes
    ----------
    series : pandas.DataFrame
        ``customer_id, product_id``, one row a series, sorted.
    periods : pandas.DatetimeIndex
        First days of the periods ahead.
    count, seed : int
        Paths of each series [count]; seed of everything random.
    ahead : pandas.DataFrame
        Forecasts as `quantiles_at` takes them, one row per series and lead, sorted.
    spread : Spread
        Widths and calibration that gave their quantiles.
    templates : mapping of str to tuple of numpy.ndarray
        By demand pattern ("" = all): chances of less than, and of at most, what came, earlier forecasts × leads [fraction].
    """

    series: pd.DataFrame
    periods: pd.DatetimeIndex
    count: int
    seed: int
    ahead: pd.DataFrame
    spread: Spread
    templates: Mapping[str, tuple[np.ndarray, np.ndarray]]

    def draw(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return the paths of the series `start` … `stop` − 1, series × paths × periods [sales units].

        A series' paths do not depend on which others are drawn with it. NaN where nothing is known of a series.
        """
        horizon = len(self.periods)
        rows = self.ahead.iloc[start * horizon : None if stop is None else stop * horizon]
        if rows.empty:
            return np.zeros((0, self.count, horizon))
        levels = (np.arange(self.count) + 0.5) / self.count
        rising = quantiles_at(rows, spread=self.spread, levels=levels).reshape(-1, horizon, self.count)
        patterns = rows["pattern"].to_numpy()[::horizon]
        ranks = np.stack([self._ranks(start + place, pattern) for place, pattern in enumerate(patterns)])
        return np.take_along_axis(rising.swapaxes(1, 2), ranks, axis=1)

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        """Yield rows of ``series`` and their paths, at most `size` series at a time."""
        for start in range(0, len(self.series), size):
            yield self.series.iloc[start : start + size], self.draw(start, start + size)

    def frame(self) -> pd.DataFrame:
        """Return all paths as ``customer_id, product_id, path, period, lead, demand`` [sales units]: for a few series."""
        path, lead = np.divmod(np.arange(self.count * len(self.periods)), max(len(self.periods), 1))
        one = pd.DataFrame({"path": path + 1, "period": self.periods[lead], "lead": lead + 1})
        frame = self.series.merge(one, how="cross")
        return frame.assign(demand=np.concatenate([values.ravel() for _, values in self.blocks()] or [np.zeros(0)]))

    def _ranks(self, number: int, pattern: str) -> np.ndarray:
        """Rank of each path among all of its lead, paths × leads: those of earlier forecasts drawn with replacement."""
        random = np.random.default_rng([self.seed, number])
        low, high = self.templates.get(pattern, self.templates[_ALL])
        if len(low) >= LEAST_PATHS:
            drawn = random.integers(len(low), size=self.count)
            place = low[drawn] + random.random((self.count, len(self.periods))) * (high - low)[drawn]
        else:
            shared, own = random.standard_normal((self.count, 1)), random.standard_normal((self.count, len(self.periods)))
            place = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
        return place.argsort(axis=0, kind="stable").argsort(axis=0)


def sample_paths(ahead: pd.DataFrame, errors: pd.DataFrame, *, spread: Spread, paths: int = 1000, seed: int = 1) -> SamplePaths:
    """Return joint demand paths over the horizon for each series.

    Parameters
    ----------
    ahead : pandas.DataFrame
        ``customer_id, product_id, period, lead`` [periods], ``mean, scale`` [sales units], ``pattern, fallback, whole`` (bool):
        what the forecast's quantiles were made of (``Forecasts.ahead``), every series with the same leads 1 … horizon.
    errors : pandas.DataFrame
        Back-test of the same method (``Forecasts.errors``): ``customer_id, product_id, pattern, fallback, origin, lead, actual,
        mean, scale``.
    spread : Spread
        Widths and calibration of the forecast (``Forecasts.spread``).
    paths, seed : int
        Paths of each series [count]; seed of everything random.

    Raises
    ------
    InputError
        Less than two paths are asked for.

    Notes
    -----
    Marginals: the values of a lead are the quantiles of the forecast's calibrated distribution at (i − ½)/paths, each once; so a
    quantile of a single period read from the paths is that of the forecast. Dependence: for each path one earlier forecast of a
    series of the same demand pattern is drawn with all its leads, and the values are put into the order of the (randomised)
    probability integral transforms of what came then: the empirical copula of whole error paths. A level that was misjudged stays
    misjudged over all leads, as it did in the back-test. Paths of different series are independent of each other. With less than
    100 whole error paths: a normal copula with the correlation .3 between any two leads, as measured on real data.
    Source: Clark, Gangopadhyay, Hay, Rajagopalan and Wilby (2004), The Schaake shuffle: a method for reconstructing space–time
    variability in forecasted precipitation and temperature fields, Journal of Hydrometeorology 5, 243–262.
    """
    if paths < 2:
        raise InputError(expected="at least two paths", found=f"{paths}", fix="Ask for some hundred paths.")
    ahead = ahead.sort_values([*SERIES, "lead"], kind="stable", ignore_index=True)
    series = ahead[SERIES].drop_duplicates().reset_index(drop=True)
    periods = pd.DatetimeIndex(sorted(ahead["period"].unique()))
    plain = errors.drop(columns="whole", errors="ignore")
    marked = plain.merge(ahead.drop_duplicates(SERIES)[[*SERIES, "whole"]], on=SERIES, how="left")
    marked["whole"] = marked["whole"].astype("boolean").fillna(False).astype(bool)
    return SamplePaths(series, periods, paths, seed, ahead, spread, _templates(marked, spread, len(periods)))


def _templates(errors: pd.DataFrame, spread: Spread, horizon: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Chances of what came, by pattern, of the earlier forecasts of which every lead is known."""
    usable = errors[errors["fallback"].isin(PATTERNED) & (errors["mean"] > 0) & (errors["scale"] > 0)]
    usable = usable[np.isfinite(usable["actual"]) & (usable["lead"] <= horizon)]
    usable = usable.sort_values([*SERIES, "origin", "lead"], kind="stable", ignore_index=True)
    known = usable.groupby([*SERIES, "origin"], sort=False)["lead"].transform("size")
    usable = usable[known == horizon].reset_index(drop=True)
    low, high = (chance.reshape(-1, max(horizon, 1)) for chance in chances_of(usable, spread=spread))
    pattern = usable["pattern"].to_numpy()[:: max(horizon, 1)]
    by_pattern = {str(name): pattern == name for name in np.unique(pattern.astype(str))}
    own = {name: (low[rows], high[rows]) for name, rows in by_pattern.items() if rows.sum() >= LEAST_PATHS}
    return {_ALL: (low, high)} | own


def sum_quantiles(paths: SamplePaths, periods: Sequence[int] | None = None) -> pd.DataFrame:
    """Return mean, spread and quantiles of demand added up over the next periods, read from the paths.

    Parameters
    ----------
    paths : SamplePaths
        As `sample_paths` returns it.
    periods : sequence of int, optional
        How many periods are added up (lead time + review) [periods]; default each of 1 … horizon.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, periods, mean, sd, q05 … q99`` [sales units], sorted by series.

    Raises
    ------
    InputError
        A number of periods is below one or above the horizon.
    """
    horizon = len(paths.periods)
    wanted = np.asarray(range(1, horizon + 1) if periods is None else periods, dtype=np.int64)
    if ((wanted < 1) | (wanted > horizon)).any():
        fix = "Ask for fewer periods, or forecast with a longer horizon."
        raise InputError(expected=f"periods between 1 and the horizon of {horizon}", found=f"{sorted(wanted.tolist())}", fix=fix)
    values = np.zeros((len(paths.series), len(wanted), 2 + len(LEVELS)))
    for number, (series, drawn) in enumerate(paths.blocks()):
        sums = drawn.cumsum(axis=2)[:, :, wanted - 1]
        sums.sort(axis=1)
        place = np.ceil(np.asarray(LEVELS) * paths.count - 1e-9).astype(np.int64) - 1
        part = values[number * BLOCK : number * BLOCK + len(series)]
        part[:, :, 0], part[:, :, 1] = sums.mean(axis=1), sums.std(axis=1)
        part[:, :, 2:] = sums[:, place].swapaxes(1, 2)
    found = paths.series.merge(pd.DataFrame({"periods": wanted}), how="cross")
    columns = ["mean", "sd", *QUANTILES]
    return pd.concat([found, pd.DataFrame(values.reshape(-1, len(columns)), columns=columns)], axis=1)
