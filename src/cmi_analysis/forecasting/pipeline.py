"""The whole way: origins, back-test, choice, forecasts with quantiles, for single periods and for their sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import BACKTEST_COLUMNS, Fold, Settings, View, backtest_models, backtest_origins, open_fold
from cmi_analysis.forecasting.cluster import HERE, Workers, views_at
from cmi_analysis.forecasting.demand import panel_frequency
from cmi_analysis.forecasting.distribution import (
    QUANTILES,
    Spread,
    cumulate,
    fit_spread,
    forecast_quantiles,
    series_in_whole_units,
)
from cmi_analysis.forecasting.empirical import NO_TRIALS, fit_at, try_both
from cmi_analysis.forecasting.fallbacks import OWN_POOL, PATTERNED
from cmi_analysis.forecasting.global_model import boosting_matrix
from cmi_analysis.forecasting.grid import SERIES, Grid, Wide, widen
from cmi_analysis.forecasting.kin import forecast_from_kin
from cmi_analysis.forecasting.levels import Levels, reconcile_views
from cmi_analysis.forecasting.models import MODELS, Model
from cmi_analysis.forecasting.paths import SamplePaths, sample_paths
from cmi_analysis.forecasting.returning import revive_series
from cmi_analysis.forecasting.seasons import seasonal_indices
from cmi_analysis.forecasting.selection import choose_for_view

FORECAST_COLUMNS = [*SERIES, "period", "lead", "model", "mean", "sd", *QUANTILES, "shape"]
SUM_COLUMNS = [*SERIES, "periods", "mean", "sd", *QUANTILES, "shape"]
ERROR_COLUMNS = [*SERIES, "pattern", "fallback", "origin", "period", "lead", "actual", "sold", "in_stock", "mean", "scale"]
AHEAD_COLUMNS = [*SERIES, "period", "lead", "mean", "scale", "pattern", "model", "fallback", "whole"]
_Choice = tuple[View, pd.DataFrame, dict[str, np.ndarray]]
_STEPS = ("statistical", "combined", "chosen")


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of a panel and how they were come by; every frame is sorted by its key.

    Attributes
    ----------
    forecasts : pandas.DataFrame
        ``customer_id, product_id, period, lead, model, mean, sd, q05 … q95, shape``: one row per series and period ahead.
    sums : pandas.DataFrame
        ``customer_id, product_id, periods, mean, sd, q05 … q95, shape``: demand added up over the next 1 … horizon periods; its
        quantiles come from back-test errors of sums, never from quantiles of single periods added up. Sums read from `paths`
        (`sum_quantiles`) agree with them as nearly as two estimates of one thing do; only those paths are joint.
    choice : pandas.DataFrame
        ``customer_id, product_id, origin, state, pattern, periods, statistical, model, reason, kin_series``: one row per series.
    backtest : pandas.DataFrame
        As `backtest_models` returns it, with the models ``statistical``, ``combined`` and ``chosen`` beside the single ones, and
        ``naive_mean, naive_rms``. The choice at each origin knew only errors of periods up to that origin.
    errors : pandas.DataFrame
        The model ``chosen`` alone: ``customer_id, product_id, pattern, fallback, origin, period, lead, actual, sold, in_stock,
        mean, scale, q05 … q95, shape``: what the method would have said at each origin and what came of it. Whole paths
        (``origin`` × ``lead``) of ``actual - mean`` may be drawn to simulate the demand of a protection interval.
    sum_errors : pandas.DataFrame
        The same for sums over the leads 1 … ``lead``.
    ahead : pandas.DataFrame
        What the quantiles of ``forecasts`` were made of: ``customer_id, product_id, period, lead, mean, scale, pattern, model,
        fallback, whole``.
    view : View
        What is known at the last period, with every model's forecast.
    spread, sum_spread : Spread
        Widths and calibration that gave the quantiles of ``forecasts`` and of ``sums``.
    levels : Levels
        Forecasts of customers, categories, products and all, before and after reconciliation, where this was asked for.
    """

    forecasts: pd.DataFrame
    sums: pd.DataFrame
    choice: pd.DataFrame
    backtest: pd.DataFrame
    errors: pd.DataFrame
    sum_errors: pd.DataFrame
    ahead: pd.DataFrame
    view: View | None = None
    spread: Spread | None = None
    sum_spread: Spread | None = None
    levels: Levels | None = None

    def paths(self, *, count: int = 1000, seed: int = 1) -> SamplePaths:
        """Return `count` joint demand paths over the horizon for each series, drawn in blocks (`sample_paths`)."""
        spread = fit_spread(self.errors.assign(whole=False)) if self.spread is None else self.spread
        return sample_paths(self.ahead, self.errors, spread=spread, paths=count, seed=seed)


def forecast_panel(
    panel: pd.DataFrame,
    *,
    horizon: int,
    frequency: str,
    week_start: str = "Monday",
    folds: int = 4,
    categories: pd.Series | None = None,
    indices: pd.DataFrame | None = None,
    customer_forecasts: pd.DataFrame | None = None,
    ends: pd.DataFrame | None = None,
    boosting: pd.DataFrame | None = None,
    kin: pd.DataFrame | None = None,
    attributes: pd.DataFrame | None = None,
    models: Mapping[str, Model] = MODELS,
    workers: Workers = HERE,
    compared: Sequence[str] | None = None,
    reconciliation: str | None = None,
    top: pd.DataFrame | None = None,
    detail: bool = True,
    shapes: bool = True,
) -> Forecasts:
    """Return forecasts of each series, the model chosen by rolling origins, with quantiles from the errors of those origins.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it; at least one row.
    horizon, folds : int
        Periods ahead [periods], origins of the back-test [count].
    frequency : {"week", "month"}
        Length of a period.
    categories : pandas.Series, optional
        Category by product_id (index).
    indices : pandas.DataFrame, optional
        As `seasonal_indices` returns them; without them they are computed from the panel.
    customer_forecasts, ends : pandas.DataFrame, optional
        As in `view_at`.
    boosting : pandas.DataFrame, optional
        As `forecast_globally` returns it, made where all groups are seen; without it no global model takes part.
    kin, attributes : pandas.DataFrame, optional
        As `forecast_from_kin` returns and takes them; without `kin` the kin are those of the panel alone.
    models : mapping
        Models by name.
    workers : Workers
        Where the models of single series are run.
    compared : sequence of str, optional
        Models kept in ``backtest``; all of them without it.
    reconciliation : {"none", "bottom_up", "proportions", "mint"}, optional
        How the forecasts of items and totals are made to add up (`reconcile_views`); without it totals are not forecast.
    top : pandas.DataFrame, optional
        As in `reconcile_views`.
    detail : bool
        Without it sums and back-test stay empty, which halves the work; forecasts and choice are the same.
    shapes : bool
        Whether the errors' own quantiles are tried beside the distributions (`empirical`).
    """
    settings = Settings(calendar_of(frequency), week_start, horizon)
    panel = panel.sort_values([*SERIES, "period"], kind="stable", ignore_index=True)
    wide = widen(panel)
    grid = wide.grid
    origins = backtest_origins(grid.periods, folds=folds, horizon=horizon, periods_per_year=settings.periods_per_year)
    ends_of = [*origins, grid.periods[-1]]
    named = pd.Series(dtype="object") if categories is None else categories
    if indices is None:
        marked = panel.assign(category=panel["product_id"].map(named).astype("object").fillna(""))
        indices = seasonal_indices(marked, origins=ends_of, frequency=settings.frequency)
    plain = {"settings": settings, "indices": indices, "categories": named, "models": models}
    if kin is None:
        about = {"categories": named, "attributes": attributes}
        kin = forecast_from_kin(panel, settings=settings, folds=folds, indices=indices, **about)
    shared = plain | {"customer_forecasts": customer_forecasts, "ends": ends, "kin": kin}
    said = [boosting_matrix(boosting, grid, day, settings) for day in ends_of]
    views = views_at(wide, ends_of, boosting=said, workers=workers, **shared)
    tested = [open_fold(wide, view) for view in views[:-1]]
    choices = [revive_series(tested, view, *choose_for_view(tested, view)) for view in views]
    levels = None
    if reconciliation is not None:
        choices, levels = _reconciled(panel, tested, choices, method=reconciliation, top=top, **plain)
    tested = [_with_steps(replace(fold, view=view), made) for fold, (view, _, made) in zip(tested, choices[:-1], strict=True)]
    told = _told(tested, *choices[-1], whole=series_in_whole_units(panel), shapes=shapes, detail=detail)
    if not detail:
        return told
    wanted = None if compared is None else [name for name in compared if name in views[-1].forecasts or name in _STEPS]
    return replace(told, backtest=_with_naive_change(backtest_models(tested, models=wanted), wide), levels=levels)


def _told(
    tested: Sequence[Fold],
    view: View,
    choice: pd.DataFrame,
    made: Mapping[str, np.ndarray],
    *,
    whole: pd.DataFrame,
    shapes: bool,
    detail: bool,
) -> Forecasts:
    """Put together what is told: forecasts with their quantiles and the choice; with `detail` also sums and held-out errors."""
    way: dict[str, Any] = {"whole": whole, "final": view.origin, "shapes": shapes, "detail": detail}
    ahead = _counted(_ahead(view, choice, made["chosen"]), whole)
    errors = backtest_models(tested, models=["chosen"])[ERROR_COLUMNS]
    held_out, spread = _held_out(errors, **way)
    told = Forecasts(
        forecasts=forecast_quantiles(ahead, spread=spread)[FORECAST_COLUMNS],
        sums=pd.DataFrame(columns=SUM_COLUMNS),
        choice=choice.sort_values(SERIES, kind="stable", ignore_index=True),
        backtest=pd.DataFrame(columns=BACKTEST_COLUMNS),
        errors=held_out,
        sum_errors=pd.DataFrame(columns=ERROR_COLUMNS),
        ahead=ahead[AHEAD_COLUMNS],
        view=view,
        spread=spread,
    )
    if not detail:
        return told
    views = [*(fold.view for fold in tested), view]
    sums = _added_up(ahead.assign(origin=view.origin), views, columns=["mean"])
    totals, spread = _held_out(_added_up(errors, views, columns=["actual", "sold", "mean"]), **way)
    return replace(told, sums=forecast_quantiles(sums, spread=spread)[SUM_COLUMNS], sum_errors=totals, sum_spread=spread)


def _reconciled(
    panel: pd.DataFrame, tested: Sequence[Fold], choices: Sequence[_Choice], **plain: Any
) -> tuple[list[_Choice], Levels]:
    """Put the reconciled forecasts in the place of those chosen."""
    views = [view for view, _, _ in choices]
    found, levels = reconcile_views(panel, tested, views, [made["chosen"] for _, _, made in choices], **plain)
    done = [(view, choice, made | {"chosen": new}) for (view, choice, made), new in zip(choices, found, strict=True)]
    return done, levels


def calendar_of(frequency: str) -> str:
    """Return the length of a period of the panel."""
    return panel_frequency(frequency)


def _with_steps(fold: Fold, made: Mapping[str, np.ndarray]) -> Fold:
    """Add the statistical, the combined and the chosen forecast to those of the single models."""
    return replace(fold, view=replace(fold.view, forecasts={**fold.view.forecasts, **made}))


def _with_naive_change(backtest: pd.DataFrame, wide: Wide) -> pd.DataFrame:
    """Add the mean absolute and root mean square one-step change of each series' history up to each origin."""
    grid, demand = wide.grid, wide.demand
    frames = []
    for origin in sorted(backtest["origin"].unique()):
        change = np.diff(demand[:, grid.periods <= origin], axis=1)
        known = np.isfinite(change)
        count = np.maximum(known.sum(axis=1), 1)
        sizes = {"naive_mean": np.abs(np.where(known, change, 0)).sum(axis=1) / count}
        sizes["naive_rms"] = np.sqrt((np.where(known, change, 0) ** 2).sum(axis=1) / count)
        frames.append(grid.series.assign(origin=origin, **sizes))
    if not frames:
        return backtest.assign(naive_mean=np.nan, naive_rms=np.nan)
    return backtest.merge(pd.concat(frames), on=[*SERIES, "origin"], how="left")


def _ahead(view: View, choice: pd.DataFrame, mean: np.ndarray) -> pd.DataFrame:
    shape = mean.shape
    lead = np.broadcast_to(np.arange(1, shape[1] + 1), shape)
    text = {name: choice[name].to_numpy() for name in ("pattern", "model")} | {"fallback": view.series["fallback"].to_numpy()}
    spread = {name: np.broadcast_to(values[:, None], shape) for name, values in text.items()}
    scale = view.series["scale"].to_numpy()[:, None] * view.index_next
    return Grid(view.series[SERIES], view.ahead).long({"lead": lead, "mean": mean, "scale": scale} | spread)


def _added_up(rows: pd.DataFrame, views: Sequence[View], *, columns: list[str]) -> pd.DataFrame:
    """Sums over the leads 1 … ``periods``; where all leads share an error, their scale grows faster than with √h."""
    sums = cumulate(rows, by=[*SERIES, "origin"], columns=columns)
    shared = pd.concat(
        [view.series.loc[view.series["shared"] > 0, [*SERIES, "shared"]].assign(origin=view.origin) for view in views]
    )
    part = sums[[*SERIES, "origin"]].merge(shared, on=[*SERIES, "origin"], how="left")["shared"].fillna(0.0).to_numpy()
    return sums.assign(periods=sums["lead"], scale=sums["scale"] * np.sqrt(1 + (sums["lead"] - 1) * part))


def _known(rows: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Errors known at `until`, of series that were forecast and not set to zero by a rule."""
    return rows[(rows["origin"] < until) & (rows["period"] <= until) & rows["fallback"].isin([*PATTERNED, *OWN_POOL])]


def _counted(rows: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Add whether a series is counted in whole units, and the pool of errors in place of the pattern, where it has its own."""
    marked = rows.merge(whole, on=SERIES, how="left")
    marked["pattern"] = marked["pattern"].mask(marked["fallback"].isin(OWN_POOL), marked["fallback"])
    marked["whole"] = marked["whole"].astype("boolean").fillna(False).astype(bool)
    return marked


def _held_out(
    rows: pd.DataFrame, *, whole: pd.DataFrame, final: pd.Timestamp, shapes: bool, detail: bool
) -> tuple[pd.DataFrame, Spread]:
    """Give each origin's rows the quantiles that the errors known then would have given; and what all errors give at the end.

    Without `detail` no rows, without `shapes` the errors' own quantiles are not tried.
    """
    patterns = rows[[*SERIES, "origin", "lead", "pattern"]]
    rows = _counted(rows, whole)
    frames: list[pd.DataFrame] = []
    trials: list[pd.DataFrame] = []
    for origin, part in rows.groupby("origin", sort=True):
        known = _known(rows, origin)
        if detail:
            frames.append(forecast_quantiles(part.reset_index(drop=True), spread=fit_at(known, _until(trials, origin))))
        if shapes:
            trials.append(try_both(part, known))
    spread = fit_at(_known(rows, final), _until(trials, final))
    columns = [name for name in (*rows.columns, "sd", *QUANTILES, "shape") if name != "whole"]
    if not frames:
        empty = {name: rows[name].head(0) if name in rows else pd.Series(dtype="float64") for name in columns}
        return pd.DataFrame(empty).astype({"shape": "object"}), spread
    told = pd.concat(frames, ignore_index=True).drop(columns="pattern")
    ordered = told.merge(patterns, on=[*SERIES, "origin", "lead"], how="left")[columns]
    return ordered.sort_values([*SERIES, "origin", "lead"], kind="stable", ignore_index=True), spread


def _until(trials: Sequence[pd.DataFrame], day: pd.Timestamp) -> pd.DataFrame:
    known = [part[part["period"] <= day] for part in trials]
    return pd.concat(known, ignore_index=True) if known else NO_TRIALS
