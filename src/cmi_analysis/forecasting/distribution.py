"""From a mean to quantiles: errors of like series at like distance, or a negative binomial where demand is intermittent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.grid import SERIES

LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
QUANTILES = tuple(f"q{round(level * 100):02d}" for level in LEVELS)
RARE = ("intermittent", "lumpy", "too_few")
# fewer scaled errors than this are pooled with other patterns; with fewer in all, a normal shape is taken
LEAST_ERRORS = 40
_BANDS = (1, 2, 4, 8, 16)


def lead_band(lead: pd.Series | np.ndarray) -> np.ndarray:
    """Return the band of each lead: 1, 2, 3–4, 5–8, 9–16, 17 and more, numbered from 0."""
    return np.searchsorted(_BANDS, np.asarray(lead), side="left")


@dataclass(frozen=True)
class Spread:
    """Quantiles of scaled errors, and their mean square, by pattern ("" = all) and lead band (-1 = all).

    Attributes
    ----------
    table : pandas.DataFrame
        ``pattern, band, errors`` [count], ``square`` [ratio], ``q05`` … ``q95`` of (A − F) / scale.
    """

    table: pd.DataFrame

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the row of `table` for each row of `frame` (``pattern``, ``lead``), the nearest pool that has enough errors."""
        enough = self.table[self.table["errors"] >= LEAST_ERRORS].set_index(["pattern", "band"])
        band, pattern = lead_band(frame["lead"]), frame["pattern"].to_numpy()
        everything, nobody = np.full(len(frame), -1), np.full(len(frame), "", dtype=object)
        found = pd.DataFrame(np.nan, index=range(len(frame)), columns=["errors", "square", *QUANTILES])
        for keys in ((pattern, band), (pattern, everything), (nobody, band), (nobody, everything)):
            part = enough.reindex(pd.MultiIndex.from_arrays(list(keys))).reset_index(drop=True)
            found = found.fillna(part[found.columns])
        return found


def fit_spread(errors: pd.DataFrame) -> Spread:
    """Return how wide the errors of earlier origins were, scaled to their series, by pattern and lead band.

    Parameters
    ----------
    errors : pandas.DataFrame
        ``pattern, lead`` [periods], ``actual, mean, scale`` [sales units]; rows without scale are left out.
    """
    usable = errors[errors["scale"] > 0]
    rows = pd.DataFrame({"pattern": usable["pattern"].to_numpy(), "band": lead_band(usable["lead"])})
    rows["ratio"] = ((usable["actual"] - usable["mean"]) / usable["scale"]).to_numpy()
    paths = usable[[name for name in (*SERIES, "origin") if name in usable]]
    rows["path"] = paths.groupby(list(paths), sort=False).ngroup().to_numpy() if len(paths.columns) else np.arange(len(rows))
    pools = [rows, rows.assign(band=-1), rows.assign(pattern=""), rows.assign(pattern="", band=-1)]
    stacked = pd.concat(pools, ignore_index=True)
    found = [
        {"pattern": pattern, "band": band, "errors": len(part), "square": (part["ratio"] ** 2).mean()}
        | dict(zip(QUANTILES, _sample_quantiles(part["ratio"].to_numpy(), paths=part["path"].nunique()), strict=True))
        for (pattern, band), part in stacked.groupby(["pattern", "band"], sort=True, observed=True)
    ]
    table = pd.DataFrame(found, columns=["pattern", "band", "errors", "square", *QUANTILES])
    return Spread(table.astype(dict.fromkeys(["errors", "square", *QUANTILES], "float64")))


def _sample_quantiles(ratios: np.ndarray, *, paths: int) -> np.ndarray:
    """Quantiles of a sample as bounds for one more value: the level moves outward by 1/n, n being the number of whole paths.

    Errors of one series from one origin go together, so that paths count and not errors. Source: Vovk, Gammerman and Shafer
    (2005), Algorithmic Learning in a Random World, section 2.2 (the (n + 1)/n correction).
    """
    levels = np.asarray(LEVELS)
    outward = np.where(levels > 0.5, levels * (1 + 1 / paths), np.where(levels < 0.5, 1 - (1 - levels) * (1 + 1 / paths), levels))
    return np.quantile(ratios, np.clip(outward, 0, 1))


def forecast_quantiles(forecasts: pd.DataFrame, *, spread: Spread) -> pd.DataFrame:
    """Return quantiles beside each mean.

    Parameters
    ----------
    forecasts : pandas.DataFrame
        ``pattern, lead`` [periods], ``mean, scale`` [sales units], ``whole`` (bool: the series is counted in whole units),
        ``fallback``.
    spread : Spread
        Of the errors known at the forecast's origin.

    Returns
    -------
    pandas.DataFrame
        `forecasts` with ``sd`` and ``q05`` … ``q95`` [sales units], never negative, never falling from one level to the next, and
        ``shape`` (empirical, negative_binomial, normal, none).

    Notes
    -----
    Intermittent, lumpy and rare demand counted in whole units: negative binomial with the forecast as mean and the variance
    scale² × (mean squared scaled error of the pool), at least that of a Poisson distribution. All else: mean + scale × the pool's
    quantile of scaled errors. Without 40 errors: a normal shape with the series' own scale. A forecast of zero by rule has all
    quantiles zero. Source: Syntetos, Lengu and Babai (2013), A note on the demand distributions of spare parts, International
    Journal of Production Research 51, 6356–6358 (negative binomial).
    """
    pool = spread.rows(forecasts)
    mean, scale = (forecasts[name].to_numpy(dtype=float) for name in ("mean", "scale"))
    ruled = forecasts["fallback"].isin(["dead", "all_zeros"]).to_numpy()
    pooled = np.isfinite(pool["square"].to_numpy())
    variance = scale**2 * np.where(pooled, pool["square"].to_numpy(), 1.0)
    rare = forecasts["pattern"].isin(RARE).to_numpy() & forecasts["whole"].to_numpy(dtype=bool) & (mean > 0) & ~ruled
    empirical = mean[:, None] + scale[:, None] * pool[list(QUANTILES)].to_numpy()
    values = np.where(pooled[:, None], empirical, _normal(mean, np.sqrt(variance)))
    values[rare] = _negative_binomial(mean[rare], variance[rare])
    values = np.maximum.accumulate(np.clip(values, 0, None), axis=1)
    values[ruled | (mean == 0) & (scale == 0)] = 0.0
    values[~np.isfinite(mean)] = np.nan
    result = forecasts.assign(sd=np.where(ruled, 0.0, np.sqrt(np.where(rare, np.maximum(variance, mean), variance))))
    result.loc[~np.isfinite(mean), "sd"] = np.nan
    for position, name in enumerate(QUANTILES):
        result[name] = values[:, position]
    result["shape"] = np.select(
        [ruled | ~np.isfinite(mean), rare, pooled], ["none", "negative_binomial", "empirical"], default="normal"
    )
    return result


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


def _normal(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return mean[:, None] + deviation[:, None] * ndtri(np.asarray(LEVELS))[None, :]


def _negative_binomial(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Quantiles by mean and variance: n = m²/(v − m), p = m/v."""
    from scipy.stats import nbinom

    wide = np.maximum(variance, mean * (1 + 1e-6))
    chance = mean / wide
    return nbinom.ppf(np.asarray(LEVELS)[None, :], (mean**2 / (wide - mean))[:, None], chance[:, None])


def series_in_whole_units(panel: pd.DataFrame) -> pd.DataFrame:
    """Return ``customer_id, product_id, whole``: whether at least nine tenths of a series' sales are whole numbers."""
    known = panel[panel["quantity"].notna()]
    share = (known["quantity"] % 1 == 0).groupby([known[name] for name in SERIES], sort=True, observed=True).mean()
    return share.ge(0.9).rename("whole").reset_index()
