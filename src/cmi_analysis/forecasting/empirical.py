"""From a mean to quantiles by earlier errors themselves: the mean plus quantiles of scaled errors of the same demand pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.distribution import (
    GRID,
    LEVELS,
    MOST_SCALED,
    Spread,
    calibrate,
    calibration_cell,
    chances_of,
    fit_spread,
    lead_band,
    quantiles_at,
    share_inside,
)
from cmi_analysis.forecasting.fallbacks import PATTERNED
from cmi_analysis.forecasting.grid import SERIES

# fewer errors than this of a pattern and lead band: those of the pattern at all leads; of a pattern: none
LEAST_POOL = 100
# share of bootstrap draws of the series, and of the origins, in which the errors' own quantiles must be better
SURE, ORIGINS = 0.975, 0.5
DRAWS = 400
# forecasts of an origin that are tried both ways [count]
MOST_TRIED = 4_000
# levels at which the calibration of both is compared
_HELD = (0.8, 0.95)
_SCORES = ["known", "tried", *(f"{way}_{level}" for way in ("known", "tried") for level in _HELD)]
_TRIALS = [*SERIES, "origin", "period", "pattern", *_SCORES]
NO_TRIALS = pd.DataFrame({name: pd.Series(dtype="float64" if name in _SCORES else "object") for name in _TRIALS})


@dataclass(frozen=True)
class ScaledErrors:
    """Errors of earlier origins, (A − F) / scale, whose quantiles are laid around a mean.

    Attributes
    ----------
    pools : mapping of (str, int) to numpy.ndarray
        Sorted errors by demand pattern and lead band (-1 = all leads), each of at least `LEAST_POOL` [ratio].
    shares : numpy.ndarray
        Calibration, as in `Spread`.
    patterns : tuple of str
        Demand patterns that they are used for.
    """

    pools: Mapping[tuple[str, int], np.ndarray]
    shares: np.ndarray
    patterns: tuple[str, ...]

    def quantiles(self, rows: pd.DataFrame, levels: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return quantiles, rows × levels [sales units]; the rows as in `forecast_quantiles`, all of the patterns used."""
        levels_of = np.asarray([np.interp(levels, share, GRID) for share in self.shares])
        cell = calibration_cell(rows)
        values = np.full((len(rows), len(levels)), np.nan)
        mean, scale = (rows[name].to_numpy(dtype=float)[:, None] for name in ("mean", "scale"))
        for places, pool in self._parts(rows):
            for number in np.unique(cell[places]):
                here = places[cell[places] == number]
                values[here] = mean[here] + scale[here] * np.quantile(pool, levels_of[number], method="weibull")
        values = np.clip(values, 0.0, None)
        return np.where(rows["whole"].to_numpy(dtype=bool)[:, None], np.round(values), values)

    def chances(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the chance of less than, and of at most, ``actual`` in each row [fraction]."""
        low, high = self.plain_chances(rows)
        cell = calibration_cell(rows)
        for number, share in enumerate(self.shares):
            here = cell == number
            low[here], high[here] = np.interp(low[here], GRID, share), np.interp(high[here], GRID, share)
        return low, high

    def plain_chances(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the same before calibration."""
        low, high = np.zeros(len(rows)), np.ones(len(rows))
        mean, scale, actual = (rows[name].to_numpy(dtype=float) for name in ("mean", "scale", "actual"))
        half = np.where(rows["whole"].to_numpy(dtype=bool), 0.5, 0.0)
        for places, pool in self._parts(rows):
            below, most = ((actual + side * half - mean)[places] / scale[places] for side in (-1, 1))
            low[places] = np.searchsorted(pool, below, side="left") / (len(pool) + 1)
            high[places] = np.searchsorted(pool, most, side="right") / (len(pool) + 1)
        return np.where(actual > 0, low, 0.0), high

    def _parts(self, rows: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        keys = pd.DataFrame({"pattern": rows["pattern"].to_numpy(), "band": lead_band(rows["lead"])})
        for key, places in keys.groupby(["pattern", "band"], sort=False).indices.items():
            pool = (str(key[0]), int(key[1]))  # type: ignore[index]
            yield places, self.pools.get(pool, self.pools.get((pool[0], -1), np.zeros(0)))


def fit_scaled(errors: pd.DataFrame) -> ScaledErrors:
    """Return the scaled errors of earlier origins, pooled by demand pattern and lead band, and their calibration.

    Parameters
    ----------
    errors : pandas.DataFrame
        As in `fit_spread`; rows without scale or with a mean of zero are left out.

    Notes
    -----
    Quantile of level p: max(0, F + scale · e₍ₖ₎), e₍ₖ₎ the k = (n + 1) p-th smallest of n scaled errors of the same pattern and
    lead band (between two of them: in proportion): the split conformal interval with locally weighted errors. In each
    cell the level asked for is calibrated as in `fit_spread`. Whole units are rounded. Source: Lei, G'Sell, Rinaldo, Tibshirani
    and Wasserman (2018), Distribution-free predictive inference for regression, Journal of the American Statistical Association
    113, 1094–1111, section 5.2.

    Examples
    --------
    Errors of −1, …, 1 in 199 equal steps, in units of a scale of 1: the 90 % quantile around 10 with a scale of 2 is 11.6.

    >>> errors = pd.DataFrame({"pattern": "smooth", "lead": 1, "actual": 10 + np.linspace(-1, 1, 199), "mean": 10.0})
    >>> made = fit_scaled(errors.assign(scale=1.0, whole=False))
    >>> row = errors.iloc[:1].assign(scale=2.0, whole=False)
    >>> round(float(made.quantiles(row, [0.9])[0, 0]), 2)
    11.6
    """
    usable = errors[(errors["scale"] > 0) & np.isfinite(errors["actual"]) & (errors["mean"] > 0)].reset_index(drop=True)
    scaled = ((usable["actual"] - usable["mean"]) / usable["scale"]).clip(-MOST_SCALED, MOST_SCALED)
    band = pd.Series(lead_band(usable["lead"]), index=usable.index, dtype="int64")
    pools: dict[tuple[str, int], np.ndarray] = {}
    for bands in (band, pd.Series(-1, index=band.index)):
        for (pattern, number), values in scaled.groupby([usable["pattern"], bands], sort=True):
            if len(values) >= LEAST_POOL:
                pools[str(pattern), int(number)] = np.sort(values.to_numpy())
    patterns = tuple(sorted(pattern for pattern, number in pools if number == -1))
    plain = ScaledErrors(pools, GRID[None, :], patterns)
    rows = usable[usable["pattern"].isin(patterns)]
    return replace(plain, shares=calibrate(*plain.plain_chances(rows), cell=calibration_cell(rows)))


def fit_at(known: pd.DataFrame, trials: pd.DataFrame) -> Spread:
    """Return the distributions by the errors known at an origin: errors' own quantiles for the patterns that they serve better.

    Parameters
    ----------
    known : pandas.DataFrame
        Errors known at the origin, as in `fit_spread`.
    trials : pandas.DataFrame
        What both kinds of quantiles were worth in periods known at the origin, as `try_both` returns it.
    """
    spread = fit_spread(known)
    better = better_patterns(trials)
    if not better:
        return spread
    scaled = fit_scaled(known)
    return replace(spread, scaled=replace(scaled, patterns=tuple(name for name in scaled.patterns if name in better)))


def try_both(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the pinball loss of both kinds of quantiles, mean over the levels, for the forecasts of one origin.

    Parameters
    ----------
    rows : pandas.DataFrame
        Forecasts of the origin and ``actual``, as in `fit_spread`, with keys, ``origin, period`` and ``fallback``.
    known : pandas.DataFrame
        Errors known at the origin.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, origin, period, pattern, known`` (loss of negative binomial and gamma), ``tried`` (loss of the
        errors' own quantiles) [sales units], and how far each demand lay in the lower .8 and .95 of either distribution
        (randomised PIT) [fraction]; of the patterns with errors enough.
    """
    scaled = fit_scaled(known)
    used = rows["pattern"].isin(scaled.patterns) & (rows["mean"] > 0) & (rows["scale"] > 0)
    used &= rows["fallback"].isin(PATTERNED)
    rows = _some_series(rows[used & np.isfinite(rows["actual"])].reset_index(drop=True))
    plain = fit_spread(known)
    losses = {}
    for name, spread in (("known", plain), ("tried", replace(plain, scaled=scaled))):
        gap = rows["actual"].to_numpy()[:, None] - quantiles_at(rows, spread=spread)
        losses[name] = np.maximum(np.asarray(LEVELS) * gap, (np.asarray(LEVELS) - 1) * gap).mean(axis=1)
        low, high = chances_of(rows, spread=spread)
        losses |= {f"{name}_{level}": share_inside(low, high, level=level) for level in _HELD}
    return rows.assign(**losses)[_TRIALS]


def _some_series(rows: pd.DataFrame) -> pd.DataFrame:
    """At most some thousand rows, of every k-th series: more tell no more of which kind is better."""
    every = -(-len(rows) // MOST_TRIED)
    if every <= 1:
        return rows
    return rows[rows.groupby(SERIES, sort=True).ngroup() % every == 0].reset_index(drop=True)


def better_patterns(trials: pd.DataFrame, *, seed: int = 1) -> set[str]:
    """Return the demand patterns for which the errors' own quantiles were better beyond chance.

    Parameters
    ----------
    trials : pandas.DataFrame
        As `try_both` returns it, of several origins.
    seed : int
        Of the bootstrap.

    Notes
    -----
    Better: less pinball loss in 97.5 % of 400 bootstrap draws of whole series, and at more than half of the origins; or no more
    of it, and in 97.5 % of the draws nearer to holding .8 and .95 of the demands in their lower .8 and .95.
    """
    found = set()
    for pattern, part in trials.groupby("pattern", sort=True):
        part = part.assign(gain=part["known"] - part["tried"], one=1.0)
        by_series = part.groupby(SERIES, sort=True)[["gain", "one", *_SCORES]].sum()
        by_origin = part.groupby("origin", sort=True)["gain"].sum().to_numpy()
        count = len(by_series)
        drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=DRAWS) @ by_series.to_numpy()
        draws = dict(zip(by_series.columns, drawn.T, strict=True))
        known, tried = (
            sum(np.abs(draws[f"{way}_{level}"] / draws["one"] - level) for level in _HELD) for way in ("known", "tried")
        )
        sharper = (draws["gain"] > 0).mean() >= SURE and (by_origin > 0).mean() > ORIGINS
        truer = by_origin.sum() >= 0 and np.mean(tried < known) >= SURE
        if sharper or truer:
            found.add(str(pattern))
    return found
