"""From a mean to quantiles: a distribution with the variance of earlier errors, calibrated on where demand fell in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.fallbacks import KIN, RETURNING, SCARCE, ZERO
from cmi_analysis.forecasting.grid import SERIES

if TYPE_CHECKING:
    from cmi_analysis.forecasting.empirical import ScaledErrors

LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.80, 0.90, 0.95, 0.99)
QUANTILES = tuple(f"q{round(level * 100):02d}" for level in LEVELS)
# fewer scaled errors than this are pooled with other patterns
LEAST_ERRORS = 40
# an error counts as at most so many times its series' scale: one slip of the pen must not widen a whole pool [ratio]
MOST_SCALED = 20.0
_BANDS = (1, 2, 4, 8, 16)
# bands of the mean forecast [sales units a period] within which demand is judged together
MEAN_BANDS = (0.5, 2.0, 5.0)
_BANDS_OF_MEAN = len(MEAN_BANDS) + 1
# and apart: forecasts of a model, of series with hardly any demand, of those that come back
_CELLS = 3 * _BANDS_OF_MEAN
# with more levels than this the quantiles of counts are read from a table
_FEW_LEVELS = 50
# above this mean a count is as good as continuous
_LARGE = 50.0
# what a band's own calibration is shrunk to: all bands together, and these to none, each worth so many errors
_BAND_PRIOR, _POOL_PRIOR = 200.0, 100.0
# where the calibration is tabulated: finer towards the upper end, where stock is set
GRID = np.unique(np.r_[np.linspace(0, 0.9, 91), np.linspace(0.9, 0.99, 46), np.linspace(0.99, 0.999, 19), 1.0])


def lead_band(lead: pd.Series | np.ndarray) -> np.ndarray:
    """Return the band of each lead: 1, 2, 3–4, 5–8, 9–16, 17 and more, numbered from 0."""
    return np.searchsorted(_BANDS, np.asarray(lead), side="left")


def mean_band(mean: pd.Series | np.ndarray) -> np.ndarray:
    """Return the band of each mean: below 0.5, 0.5–2, 2–5, above 5 units a period, numbered from 0."""
    return np.searchsorted(MEAN_BANDS, np.asarray(mean, dtype=float), side="right")


def calibration_cell(rows: pd.DataFrame) -> np.ndarray:
    """Return the number of the cell in which each row's calibration is estimated: its band of the mean, within a model's
    forecasts, those of series with hardly any demand, and those that come back after a zero by rule."""
    kind = np.zeros(len(rows), dtype=np.int64)
    if "fallback" in rows:
        kind = np.select([rows["fallback"].isin([*SCARCE, KIN]), rows["fallback"] == RETURNING], [1, 2], default=0)
    return kind * _BANDS_OF_MEAN + mean_band(np.nan_to_num(mean_per_period(rows)))


@dataclass(frozen=True)
class Spread:
    """How wide earlier errors were, and where demand fell in the distributions that this width gives.

    Attributes
    ----------
    table : pandas.DataFrame
        ``pattern`` ("" = all), ``band`` of the lead (-1 = all), ``errors`` [count], ``square``: mean squared (A − F) / scale
        [ratio].
    shares : numpy.ndarray
        Share of earlier demands in the lower p of their distribution, by cell (`calibration_cell`) and level p of `GRID`.
    scaled : ScaledErrors, optional
        The errors' own quantiles, for the demand patterns that they serve better (`empirical.fit_at`).
    """

    table: pd.DataFrame
    shares: np.ndarray
    scaled: ScaledErrors | None = None

    def levels_at(self, levels: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return the level to ask the distribution for, by cell and level wanted."""
        return np.asarray([np.interp(levels, share, GRID) for share in self.shares])

    def square(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the mean squared scaled error of each row (``pattern``, ``lead``), from the nearest pool with enough errors."""
        enough = self.table[self.table["errors"] >= LEAST_ERRORS].set_index(["pattern", "band"])["square"]
        band, pattern = lead_band(frame["lead"]), frame["pattern"].to_numpy()
        everything, nobody = np.full(len(frame), -1), np.full(len(frame), "", dtype=object)
        found = np.full(len(frame), np.nan)
        for keys in ((pattern, band), (pattern, everything), (nobody, band), (nobody, everything)):
            part = enough.reindex(pd.MultiIndex.from_arrays(list(keys))).to_numpy(dtype=float)
            found = np.where(np.isnan(found), part, found)
        return found


def fit_spread(errors: pd.DataFrame) -> Spread:
    """Return how wide the errors of earlier origins were, by pattern and lead band, and the calibration by cell.

    Parameters
    ----------
    errors : pandas.DataFrame
        ``pattern, lead`` [periods], ``actual, mean, scale`` [sales units], ``whole`` (bool); rows without scale are left out.
        Sums over several leads: ``periods`` [count] says how many, so that a mean is one per period.

    Notes
    -----
    Calibration: G(p) = share of earlier demands in the lower p of their distribution (a count's chance is spread over its step:
    the expected randomised PIT); a quantile of level p is the distribution's at G⁻¹(p). G of a cell (`calibration_cell`) is
    shrunk to that of all cells, and this one to the identity. Sources: Kuleshov, Fenner and Ermon (2018), Accurate uncertainties
    for deep learning using calibrated regression, ICML 35; Czado, Gneiting and Held (2009), Predictive model assessment for count
    data, Biometrics 65, p. 1256 (PIT of counts).
    """
    usable = errors[(errors["scale"] > 0) & np.isfinite(errors["actual"])].reset_index(drop=True)
    rows = pd.DataFrame({"pattern": usable["pattern"].to_numpy(), "band": lead_band(usable["lead"])})
    scaled = ((usable["actual"] - usable["mean"]) / usable["scale"]).clip(-MOST_SCALED, MOST_SCALED)
    rows["square"] = (scaled**2).to_numpy()
    pools = [rows, rows.assign(band=-1), rows.assign(pattern=""), rows.assign(pattern="", band=-1)]
    stacked = pd.concat(pools, ignore_index=True).groupby(["pattern", "band"], sort=True, observed=True)["square"]
    table = stacked.agg(errors="size", square="mean").reset_index().astype({"errors": "float64", "square": "float64"})
    plain = Spread(table, np.tile(GRID, (_CELLS, 1)))
    if len(usable) < LEAST_ERRORS:
        return plain
    return Spread(table, _calibration(usable, variance=_variance(usable, plain)))


def _calibration(rows: pd.DataFrame, *, variance: np.ndarray) -> np.ndarray:
    """Share below each level, by cell; only rows with a positive mean tell."""
    told = rows["mean"].to_numpy() > 0
    rows, variance = rows[told], variance[told]
    low, high = _chances(rows["actual"].to_numpy(), rows["mean"].to_numpy(), variance, rows["whole"].to_numpy(dtype=bool))
    return calibrate(low, high, cell=calibration_cell(rows))


def calibrate(low: np.ndarray, high: np.ndarray, *, cell: np.ndarray) -> np.ndarray:
    """Return the share of demands in the lower p of their distribution, by cell and level p of `GRID`.

    Parameters
    ----------
    low, high : numpy.ndarray
        Chance of less than, and of at most, what came [fraction].
    cell : numpy.ndarray
        Cell of each (`calibration_cell`).
    """
    pooled = _share_below(low, high)
    pooled = (len(low) * pooled + _POOL_PRIOR * GRID) / (len(low) + _POOL_PRIOR)
    shares = []
    for number in range(_CELLS):
        here = cell == number
        count = int(here.sum())
        own = _share_below(low[here], high[here]) if count else pooled
        shares.append(np.maximum.accumulate((count * own + _BAND_PRIOR * pooled) / (count + _BAND_PRIOR)))
    return np.asarray(shares)


def chances_of(rows: pd.DataFrame, *, spread: Spread) -> tuple[np.ndarray, np.ndarray]:
    """Return the forecast's chance of less than, and of at most, what came, for each row (its randomised PIT lies between).

    Parameters
    ----------
    rows : pandas.DataFrame
        As in `forecast_quantiles`, with ``actual`` [sales units].
    spread : Spread
        That gave the quantiles.
    """
    mean, actual = rows["mean"].to_numpy(dtype=float), rows["actual"].to_numpy(dtype=float)
    told = mean > 0
    low, high = np.where(actual > 0, 1.0, 0.0), np.ones(len(rows))
    whole = rows["whole"].to_numpy(dtype=bool)
    low[told], high[told] = _chances(actual[told], mean[told], _variance(rows, spread)[told], whole[told])
    cell = calibration_cell(rows)
    for number, share in enumerate(spread.shares):
        here = told & (cell == number)
        low[here], high[here] = np.interp(low[here], GRID, share), np.interp(high[here], GRID, share)
    own = told & _by_errors(rows, spread)
    if spread.scaled is not None and own.any():
        low[own], high[own] = spread.scaled.chances(rows[own])
    return low, high


def score_calibration(low: np.ndarray, high: np.ndarray, *, level: float) -> float:
    """Return the share of demands in the lower `level` of their forecast distribution (expected randomised PIT) [fraction].

    Source: Czado, Gneiting and Held (2009), Predictive model assessment for count data, Biometrics 65, p. 1256.

    Examples
    --------
    One demand at the median of a continuous forecast, one whose step covers the upper half.

    >>> score_calibration(np.array([0.5, 0.5]), np.array([0.5, 1.0]), level=0.75)
    0.75
    """
    return float(share_inside(low, high, level=level).mean())


def share_inside(low: np.ndarray, high: np.ndarray, *, level: float) -> np.ndarray:
    """Return how much of each step [low, high] lies below `level`: 0, 1 or in between [fraction]."""
    step = high - low
    inside = np.divide(level - low, step, out=(low <= level).astype(float), where=step > 1e-12)
    return np.asarray(np.clip(inside, 0, 1))


def _share_below(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Mean over rows of the share of [low, high] that lies below each level of `GRID`: 0, 1 or in between.

    The share is [(g − low)⁺ − (g − high)⁺] / (high − low): sums over sorted ends give it at all levels at once.
    """
    step = high - low
    wide = step > 1e-6
    ends = np.sort(high[~wide])
    sums = np.searchsorted(ends, GRID, side="right").astype(float)
    for side, sign in ((low[wide], 1.0), (high[wide], -1.0)):
        order = np.argsort(side, kind="stable")
        slope = 1.0 / step[wide][order]
        before = np.searchsorted(side[order], GRID, side="right")
        sums += sign * (GRID * np.r_[0.0, np.cumsum(slope)][before] - np.r_[0.0, np.cumsum(slope * side[order])][before])
    return np.asarray(np.clip(sums / max(len(low), 1), 0.0, 1.0))


def _chances(actual: np.ndarray, mean: np.ndarray, variance: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chance of less than, and of at most, what came."""
    from scipy.stats import gamma, nbinom

    low, high = np.zeros(len(actual)), np.zeros(len(actual))
    count = whole & (mean <= _LARGE)
    size, chance = _negative_binomial(mean[count], variance[count])
    high[count] = nbinom.cdf(np.floor(actual[count]), size, chance)
    low[count] = nbinom.cdf(np.floor(actual[count]) - 1, size, chance)
    rest = ~count
    shape, scale = _gamma(mean[rest], variance[rest])
    low[rest] = high[rest] = gamma.cdf(actual[rest], shape, scale=scale)
    return low, high


def forecast_quantiles(forecasts: pd.DataFrame, *, spread: Spread) -> pd.DataFrame:
    """Return quantiles beside each mean.

    Parameters
    ----------
    forecasts : pandas.DataFrame
        ``pattern, lead`` [periods], ``mean, scale`` [sales units], ``whole`` (bool: the series is counted in whole units),
        ``fallback``; optional ``periods`` as in `fit_spread`.
    spread : Spread
        Of the errors known at the forecast's origin.

    Returns
    -------
    pandas.DataFrame
        `forecasts` with ``sd`` and ``q05`` … ``q99`` [sales units], never negative, never falling from one level to the next, and
        ``shape`` (negative_binomial, gamma, empirical, none).

    Notes
    -----
    Variance: scale² × (mean squared scaled error of the pool). Demand counted in whole units: negative binomial, with at least
    the variance of a Poisson distribution; else gamma; both at the calibrated levels of `fit_spread`; for the patterns of
    ``spread.scaled`` the errors' own quantiles (`empirical`). A forecast of zero by rule has all quantiles zero. Source:
    Syntetos, Lengu and Babai (2013), A note on the demand distributions of spare parts, Int. Journal of Production Research 51,
    6356–6358.
    """
    mean = forecasts["mean"].to_numpy(dtype=float)
    variance = _variance(forecasts, spread)
    ruled = forecasts["fallback"].isin(ZERO).to_numpy()
    whole = forecasts["whole"].to_numpy(dtype=bool)
    told = np.isfinite(mean) & (mean > 0) & ~ruled
    values = quantiles_at(forecasts, spread=spread)
    counted = whole & (mean <= _LARGE)
    deviation = np.where(ruled | (mean <= 0), 0.0, np.sqrt(np.where(counted, np.maximum(variance, mean), variance)))
    result = forecasts.assign(sd=np.where(np.isfinite(mean), deviation, np.nan))
    for position, name in enumerate(QUANTILES):
        result[name] = values[:, position]
    shapes = ["none", "empirical", "negative_binomial"]
    result["shape"] = np.select([~told, _by_errors(forecasts, spread), counted], shapes, default="gamma")
    return result


def quantiles_at(forecasts: pd.DataFrame, *, spread: Spread, levels: Sequence[float] | np.ndarray = LEVELS) -> np.ndarray:
    """Return the quantiles of the calibrated distributions of `forecast_quantiles` at any levels, rows × levels [sales units].

    Parameters
    ----------
    forecasts : pandas.DataFrame
        As in `forecast_quantiles`.
    spread : Spread
        Of the errors known at the forecast's origin.
    levels : sequence of float
        Rising, between 0 and 1 [fraction].

    Returns
    -------
    numpy.ndarray
        Never negative and never falling along a row; NaN where the mean is unknown, 0 where a rule says zero.
    """
    mean = forecasts["mean"].to_numpy(dtype=float)
    told = np.isfinite(mean) & (mean > 0) & ~forecasts["fallback"].isin(ZERO).to_numpy()
    whole = forecasts["whole"].to_numpy(dtype=bool)
    asked = spread.levels_at(levels)[calibration_cell(forecasts)]
    values = np.full((len(forecasts), len(levels)), np.nan)
    values[told] = _quantile(asked[told], mean[told], _variance(forecasts, spread)[told], whole[told])
    own = told & _by_errors(forecasts, spread)
    if spread.scaled is not None and own.any():
        values[own] = spread.scaled.quantiles(forecasts[own], levels)
    values[np.isfinite(mean) & ~told] = 0.0
    return np.maximum.accumulate(np.clip(values, 0, None), axis=1)


def _by_errors(rows: pd.DataFrame, spread: Spread) -> np.ndarray:
    """Rows whose quantiles are those of the errors themselves."""
    if spread.scaled is None:
        return np.zeros(len(rows), dtype=bool)
    return np.asarray(rows["pattern"].isin(spread.scaled.patterns) & (rows["scale"] > 0))


def mean_per_period(rows: pd.DataFrame) -> np.ndarray:
    """Return the mean of each row; of sums (``periods``) the mean of one period [sales units]."""
    mean = rows["mean"].to_numpy(dtype=float)
    return mean / rows["periods"].to_numpy(dtype=float) if "periods" in rows else mean


def _variance(rows: pd.DataFrame, spread: Spread) -> np.ndarray:
    square = spread.square(rows)
    scale = rows["scale"].to_numpy(dtype=float)
    return scale**2 * np.where(np.isfinite(square), square, 1.0)


def _quantile(levels: np.ndarray, mean: np.ndarray, variance: np.ndarray, whole: np.ndarray) -> np.ndarray:
    from scipy.stats import gamma, nbinom

    values = np.zeros(levels.shape)
    count = whole & (mean <= _LARGE)
    size, chance = _negative_binomial(mean[count], variance[count])
    asked = np.clip(levels, 0.0, 0.9999)
    wanted = np.maximum(asked[count], 1e-9)
    few = asked.shape[1] <= _FEW_LEVELS
    values[count] = nbinom.ppf(wanted, size[:, None], chance[:, None]) if few else _tabulated(wanted, size, chance)
    rest = ~count
    shape, scale = _gamma(mean[rest], variance[rest])
    values[rest] = gamma.ppf(asked[rest], shape[:, None], scale=scale[:, None])
    return np.where(whole[:, None], np.round(values), values)


def _tabulated(levels: np.ndarray, size: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Quantiles of negative binomials at many rising levels a row, read from the table of each row's chances."""
    from scipy.stats import nbinom

    most = nbinom.ppf(levels[:, -1], size, chance).astype(np.int64) if levels.size else np.zeros(0, dtype=np.int64)
    values = np.zeros(levels.shape)
    for row in range(len(levels)):
        counts = np.arange(most[row])
        ratio = (size[row] + counts) / (counts + 1) * (1 - chance[row])
        below = np.cumsum(np.r_[1.0, np.cumprod(ratio)]) * chance[row] ** size[row]
        values[row] = np.searchsorted(below, levels[row] - 1e-12)
    return np.minimum(values, most[:, None])


def _negative_binomial(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Size and chance by mean and variance: n = m²/(v − m), p = m/v; the variance at least that of a Poisson distribution."""
    wide = np.maximum(variance, mean * (1 + 1e-6))
    return mean**2 / np.maximum(wide - mean, 1e-12), mean / wide


def _gamma(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shape and scale by mean and variance."""
    wide = np.maximum(variance, 1e-12 * mean**2 + 1e-300)
    return np.maximum(mean**2 / wide, 1e-6), wide / np.maximum(mean, 1e-300)


def cumulate(rows: pd.DataFrame, *, by: list[str], columns: list[str]) -> pd.DataFrame:
    """Return `rows` with `columns` added up over the leads 1 … h, only as far as no lead is missing; ``scale`` grows with √h.

    Parameters
    ----------
    rows : pandas.DataFrame
        `by`, ``lead`` [periods], ``scale`` [sales units] and `columns`.
    by : list of str
        What names one forecast (series, origin, model).
    columns : list of str
        Columns to add up.
    """
    ordered = rows.sort_values([*by, "lead"], kind="stable", ignore_index=True)
    grouped = ordered.groupby(by, sort=False, observed=True)
    gapless = grouped.cumcount() + 1 == ordered["lead"]
    result = ordered.assign(**{name: grouped[name].cumsum() for name in columns})
    result["scale"] = np.sqrt(ordered["scale"].pow(2).groupby([ordered[name] for name in by], sort=False, observed=True).cumsum())
    return result[gapless].reset_index(drop=True)


def series_in_whole_units(panel: pd.DataFrame) -> pd.DataFrame:
    """Return ``customer_id, product_id, whole``: whether at least nine tenths of a series' sales are whole numbers."""
    known = panel[panel["quantity"].notna()]
    share = (known["quantity"] % 1 == 0).groupby([known[name] for name in SERIES], sort=True, observed=True).mean()
    return share.ge(0.9).rename("whole").reset_index()
