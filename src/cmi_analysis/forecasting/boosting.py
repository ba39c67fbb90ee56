"""One gradient-boosting model for all series of a panel, direct for every lead: how demand moves against its own level.

Trained where all groups are seen (the book pass, or `forecast_demand` on a whole panel); a report's kernel gets its series'
forecasts and nothing of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from cmi_analysis.forecasting.features import LEAST_LEVEL, PanelArrays, origin_features

# fewer training rows than this teach nothing
LEAST_ROWS = 2_000
# rows drawn: 30 a series, within bounds; more rows of the same few origins teach their common accidents by heart
FEW_ROWS, MOST_ROWS = 10_000, 60_000
ROWS_PER_SERIES = 30
# weight of an observation one year older than another [ratio]
YEARLY_WEIGHT = 0.5
# a panel too large for one draw is learnt from several, each with trees of its own: one more for so many series, at most so many
SERIES_PER_MEMBER, MOST_MEMBERS = 2_000, 4
ROUNDS, LEARNING_RATE = 100, 0.05
# older observations than this, whose weight is next to nothing, are not drawn [years]
MOST_YEARS = 8
# an observation counts as at most so many times the highest demand before it: a slip of the pen teaches nothing [ratio]
MOST_RISE = 20.0
# a series weighs at most so many times the median one [ratio]
MOST_WEIGHT = 1_000.0
_BLOCK = 4_000
Run = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]


def run_here(function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
    """Return the function's results for each part, in this process."""
    return [function(part) for part in parts]


@dataclass(frozen=True)
class GlobalModel:
    """Fitted trees, whose mean is the model, and the names of what they look at, in order."""

    engines: tuple[Any, ...]
    names: list[str]

    def factor(self, features: np.ndarray) -> np.ndarray:
        """Return demand as a multiple of the level, for rows of features."""
        said = sum(np.asarray(engine.predict(features), dtype=float) for engine in self.engines)
        return np.clip(said / len(self.engines), 0, None)


def fit_boosting(panel: PanelArrays, *, end: int, horizon: int, seed: int = 1) -> GlobalModel | None:
    """Fit the model to what was known after `end` periods.

    Parameters
    ----------
    panel : PanelArrays
        Columns from `end` on are not looked at, but for calendar and plans.
    end : int
        Number of known periods.
    horizon : int
        Leads 1 … horizon [periods].
    seed : int
        Of the rows drawn and of the trees.

    Returns
    -------
    GlobalModel or None
        None where there is too little to learn from (fewer than 2,000 rows, or half a year of history before the first origin).

    Notes
    -----
    y ~ Poisson(level · f(x)): Poisson deviance of y / level with weight level · 0.5^(age in years), so that every series counts
    by its size, sums are unbiased, and the lead is one feature among others (one model, not one a lead). Large panels: the mean
    of up to four fits, each to rows of its own. Trees by LightGBM, or by scikit-learn where LightGBM cannot be loaded. Sources:
    Friedman (2001), Greedy function approximation: a gradient boosting machine, Annals of Statistics 29, 1189–1232; Breiman
    (1996), Bagging predictors, Machine Learning 24, 123–140; Ke et al. (2017), LightGBM, NIPS 30; direct forecasts with the lead
    among the features: Hyndman and Athanasopoulos (2021), section 13.8, for the alternatives.
    """
    engines: list[Any] = []
    names: list[str] = []
    for member in range(min(1 + len(panel.demand) // SERIES_PER_MEMBER, MOST_MEMBERS)):
        random = np.random.default_rng([seed, end, member] if member else [seed, end])
        drawn = _training_rows(panel, end=end, horizon=horizon, random=random)
        if drawn is None:
            return None
        names, features, ratio, weight = drawn
        engines.append(_fit(features, ratio, weight, seed + member))
    return GlobalModel(tuple(engines), names)


def forecast_boosting(
    panel: PanelArrays, model: GlobalModel | None, *, end: int, horizon: int, run: Run = run_here
) -> np.ndarray:
    """Return the model's forecast from `end` known periods, series × horizon [sales units]; NaN where it has nothing to say.

    `run` takes a function and blocks of the panel and returns the results in order: here, or on other machines.
    """
    if model is None:
        return np.full((len(panel.demand), horizon), np.nan)
    starts = range(0, len(panel.demand), _BLOCK)
    parts = [panel.part(np.arange(start, min(start + _BLOCK, len(panel.demand)))) for start in starts]
    block = partial(_forecast_block, model=model, end=end, horizon=horizon, totals=panel.totals)
    return np.concatenate(run(block, parts))


def _forecast_block(
    part: PanelArrays, *, model: GlobalModel, end: int, horizon: int, totals: Mapping[str, np.ndarray]
) -> np.ndarray:
    rows = np.arange(len(part.demand))
    _, features, level = origin_features(part, end=end, horizon=horizon, rows=rows, totals=totals)
    factor = model.factor(features.reshape(-1, features.shape[2])).reshape(len(rows), horizon)
    return np.where((level > LEAST_LEVEL)[:, None], factor * level[:, None], np.nan)


def boosting_forecasts(
    panel: PanelArrays,
    *,
    ends: Sequence[int],
    horizon: int,
    seed: int = 1,
    refit_every: int = 2,
    planned: Mapping[int, np.ndarray | None] | None = None,
    run: Run = run_here,
) -> dict[int, np.ndarray]:
    """Return the forecasts from several origins; the model of an origin is fitted at it or at an earlier one.

    Parameters
    ----------
    panel : PanelArrays
        The whole panel.
    ends : sequence of int
        Numbers of known periods, oldest first; the last one (the forecast itself) always has a model of its own.
    horizon, seed : int
        As in `fit_boosting`.
    refit_every : int
        Earlier origins that share a model, fitted at the first of them [count]: half the cost, and an error that is a little
        larger than that of a model fitted afresh.
    planned : mapping, optional
        Promotions planned as known at each of `ends` (`PanelArrays.planned`).
    run : callable
        As in `forecast_boosting`.
    """
    forecasts, model = {}, None
    for number, end in enumerate(ends):
        panel = panel if planned is None else replace(panel, planned=planned[end])
        if number % refit_every == 0 or number == len(ends) - 1 or model is None:
            model = fit_boosting(panel, end=end, horizon=horizon, seed=seed)
        forecasts[end] = forecast_boosting(panel, model, end=end, horizon=horizon, run=run)
    return forecasts


def _training_rows(
    panel: PanelArrays, *, end: int, horizon: int, random: np.random.Generator
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray] | None:
    year, totals = panel.periods_per_year, panel.totals
    step = max(1, horizon // 4)
    origins = range(end - 1, max(year // 2 - 1, end - 1 - MOST_YEARS * year), -step)
    series = len(panel.demand)
    wanted = min(MOST_ROWS, max(FEW_ROWS, ROWS_PER_SERIES * series))
    each = -(-wanted // max(len(origins), 1))
    parts = []
    names: list[str] = []
    for origin in origins:
        leads = min(horizon, end - origin)
        take = min(series, max(1, -(-2 * each // leads)))
        rows = np.sort(random.choice(series, size=take, replace=False)) if take < series else np.arange(series)
        names, features, level = origin_features(panel, end=origin, horizon=leads, rows=rows, totals=totals)
        highest = np.nan_to_num(panel.demand[rows, :origin]).max(axis=1, keepdims=True)
        actual = np.minimum(panel.demand[rows, origin : origin + leads], MOST_RISE * highest)
        row, lead = np.nonzero(np.isfinite(actual) & (level > LEAST_LEVEL)[:, None])
        if len(row) > each:
            kept = random.choice(len(row), size=each, replace=False)
            row, lead = row[kept], lead[kept]
        weight = level[row] * YEARLY_WEIGHT ** ((end - origin) / year)
        parts.append((features[row, lead], actual[row, lead] / level[row], weight))
    if sum(len(part[1]) for part in parts) < LEAST_ROWS:
        return None
    features, ratio, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    weight = np.minimum(weight, MOST_WEIGHT * np.median(weight))
    return names, features, ratio, weight / weight.mean()


def _fit(features: np.ndarray, ratio: np.ndarray, weight: np.ndarray, seed: int) -> Any:
    leaf = int(np.clip(len(ratio) // 500, 20, 200))
    try:
        import lightgbm
    except (ImportError, OSError):  # OSError: the machine has no libgomp
        from sklearn.ensemble import HistGradientBoostingRegressor

        shape = {"learning_rate": LEARNING_RATE, "max_leaf_nodes": 31, "min_samples_leaf": leaf, "l2_regularization": 1.0}
        trees = HistGradientBoostingRegressor(
            loss="poisson", max_iter=ROUNDS, max_features=0.5, early_stopping=False, random_state=seed, **shape
        )
        return trees.fit(features, ratio, sample_weight=weight)
    settings = {
        "objective": "poisson",
        "learning_rate": LEARNING_RATE,
        "num_leaves": 31,
        "min_data_in_leaf": leaf,
        "min_sum_hessian_in_leaf": 0.1,
        "lambda_l2": 1.0,
        "feature_fraction_bynode": 0.5,
        "poisson_max_delta_step": 1e-6,  # the default of 0.7 halves every step, and what is not reached is bias
        "max_bin": 127,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed,
        "verbose": -1,
    }
    return lightgbm.train(settings, lightgbm.Dataset(features, ratio, weight=weight), ROUNDS)
