"""Forecasts of one group: demand, models chosen by back-test, quantiles, and what the back-test says of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting import analysis, drivers
from cmi_analysis.forecasting.backtest import Settings, backtest_origins
from cmi_analysis.forecasting.breakdown import score_breakdown, with_naive_change
from cmi_analysis.forecasting.demand import OTHERS, panel_frequency
from cmi_analysis.forecasting.global_model import GLOBAL_KINDS, forecast_globally
from cmi_analysis.forecasting.grid import SERIES, panel_grid
from cmi_analysis.forecasting.level_scores import score_levels
from cmi_analysis.forecasting.levels import Levels, hand_down_total
from cmi_analysis.forecasting.monitoring import doubt_monitored, monitor_series
from cmi_analysis.forecasting.pipeline import Forecasts, forecast_panel
from cmi_analysis.forecasting.seasons import empty_indices, seasonal_indices
from cmi_analysis.measures import calendar
from cmi_analysis.measures.accuracy import score_accuracy
from cmi_analysis.params.models import ForecastingParams
from cmi_analysis.stages.forecast_frames import named, with_next, with_regression
from cmi_analysis.stages.forecast_inputs import (
    agreed_ends,
    customer_segments,
    holidays_of,
    kin_forecasts,
    product_categories,
    sent_forecasts,
    site_prices,
    slice_panel,
    told_by_all,
)
from cmi_analysis.tables import DataSet, Slice

# a category's season is estimated from at least so many customers, so that no one's pattern can be read from it
LEAST_CUSTOMERS = 5
# in an order book the global model learns from so many regular items
MOST_GLOBAL = 15_000
_BIAS_COLUMNS = ["customer_id", "n", "demand", "wape", "bias"]


@dataclass(frozen=True)
class ForecastResult:
    """What the notebook `forecasting` shows and what plan and review take on; frames are sorted by their key.

    Attributes
    ----------
    echelon : {"site", "warehouse"}
        Whose demand: the customer's sell-out, or, where there is none, what customers order from us.
    frequency : {"week", "month"}
        Length of a period.
    horizon, decision_lag, folds : int
        Periods ahead, periods to the decision, origins that could be used.
    last_period : str
        First day of the last complete period, ISO.
    low_column, high_column : str
        Quantile columns of the interval shown.
    interval : float
        Share inside it [fraction].
    season_source : {"book", "slice"}
        Whether the seasonal indices come from all groups or from this one alone.
    panel : pandas.DataFrame
        ``customer_id, product_id, period, quantity, returned, in_stock, promotion, demand, imputed``.
    forecasts : pandas.DataFrame
        ``echelon, customer_id, product_id, period, of, lead, model, mean, sd, q05 … q95, shape`` [sales units].
    forecast_sums : pandas.DataFrame
        ``echelon, customer_id, product_id, periods, mean, sd, q05 … q95, shape``: demand added up over 1 … horizon periods.
    errors, sum_errors : pandas.DataFrame
        Back-test of the method as used: ``customer_id, product_id, pattern, fallback, origin, period, lead, actual, sold,
        in_stock, mean, scale, sd, q05 … q95, shape``, for single periods and for sums over the leads 1 … ``lead``. Paths of
        ``actual - mean`` (one ``origin``, all leads) may be drawn to simulate a protection interval.
    backtest : pandas.DataFrame
        All models at all origins, with ``naive_mean, naive_rms``.
    items : pandas.DataFrame
        One row per series: ``state, pattern, periods, statistical, model, reason, n, wape, bias, mase, doubt, next, next_low,
        next_high`` (demand added up to the decision lag and its interval) and names.
    customer_bias : pandas.DataFrame
        ``customer_id, n, demand, wape, bias`` of our forecast, and names.
    totals, accuracy, customers, coverage, bias_views, outliers, patterns, models, seasons, drivers, life : pandas.DataFrame
        As the functions of `forecasting.analysis` and `forecasting.drivers` return them.
    monitoring : pandas.DataFrame
        ``customer_id, product_id, tracking_signal, change, changed_on, level_before, level_after, reason`` and names: forecasts
        that drift off and levels of demand that changed of late (`forecasting.monitoring`).
    reconciliation : {"none", "bottom_up", "proportions", "mint"}
        How items and totals are made to add up.
    levels, nodes : pandas.DataFrame
        Forecast over the horizon and back-test by level, and by customer, category and product (`score_levels`).
    breakdown : pandas.DataFrame
        Accuracy by horizon, demand pattern and customer segment (`score_breakdown`).
    missing : mapping of str to str
        Section → key of the sentence that says which table is missing.
    moves, move_causes, move_periods : pandas.DataFrame
        What moved since the run of `compared_on`, by item, cause and period (`explain_moves`); empty without an earlier run.
    compared_on : str
        as_of of that run, ISO; empty without one.
    """

    echelon: str
    frequency: str
    horizon: int
    decision_lag: int
    folds: int
    last_period: str
    low_column: str
    high_column: str
    interval: float
    season_source: str
    panel: pd.DataFrame
    forecasts: pd.DataFrame
    forecast_sums: pd.DataFrame
    errors: pd.DataFrame
    sum_errors: pd.DataFrame
    backtest: pd.DataFrame
    items: pd.DataFrame
    totals: pd.DataFrame
    accuracy: pd.DataFrame
    customers: pd.DataFrame
    coverage: pd.DataFrame
    bias_views: pd.DataFrame
    customer_bias: pd.DataFrame
    outliers: pd.DataFrame
    patterns: pd.DataFrame
    models: pd.DataFrame
    seasons: pd.DataFrame
    drivers: pd.DataFrame
    life: pd.DataFrame
    monitoring: pd.DataFrame
    reconciliation: str
    levels: pd.DataFrame
    nodes: pd.DataFrame
    breakdown: pd.DataFrame
    missing: Mapping[str, str]
    moves: pd.DataFrame = field(default_factory=pd.DataFrame)
    move_causes: pd.DataFrame = field(default_factory=pd.DataFrame)
    move_periods: pd.DataFrame = field(default_factory=pd.DataFrame)
    compared_on: str = ""


def forecast(part: Slice, params: ForecastingParams) -> ForecastResult:
    """Return forecasts with intervals for each customer and product of the slice, and their back-test.

    Parameters
    ----------
    part : Slice
        Needs ``sales``, or ``orders`` where there is no sell-out (then demand is what was first asked for, echelon warehouse).
    params : ForecastingParams
        Horizon, folds, decision lag, interval, seed.

    Raises
    ------
    InputError
        No demand in any complete period.
    """
    tables = part.tables
    panel, echelon = slice_panel(tables, part.as_of, most_items=params.most_items)
    _check_panel(panel, part)
    frequency = panel_frequency(tables.settings.frequency)
    indices, source = _indices(part, panel, frequency, params)
    lag = min(params.decision_lag, params.horizon)
    made = forecast_panel(
        panel,
        horizon=params.horizon,
        frequency=frequency,
        week_start=tables.settings.week_start,
        folds=params.folds,
        categories=product_categories(tables),
        indices=indices,
        customer_forecasts=sent_forecasts(tables, echelon),
        ends=agreed_ends(tables),
        reconciliation=params.reconciliation,
        **told_by_all(part, panel),
    )
    low, high, share = analysis.interval_columns(params.interval)
    return ForecastResult(
        echelon=echelon,
        frequency=frequency,
        horizon=params.horizon,
        folds=int(made.backtest["origin"].nunique()),
        last_period=panel["period"].max().date().isoformat(),
        low_column=low,
        high_column=high,
        interval=share,
        season_source=source,
        panel=panel,
        forecasts=_labelled(made.forecasts, echelon).assign(of="demand"),
        forecast_sums=_labelled(made.sums, echelon),
        errors=made.errors,
        sum_errors=made.sum_errors,
        backtest=made.backtest,
        **_analysed(part, made, panel, indices, lag=lag, interval=(low, high, share), params=params, frequency=frequency),
    )


def _check_panel(panel: pd.DataFrame, part: Slice) -> None:
    if panel.empty:
        raise InputError(
            expected="demand in at least one complete period",
            found=f"none up to {part.as_of.isoformat()} in group '{part.group}'",
            fix="Give sales or orders of this group, or a later as_of.",
        )


def forecast_book(tables: DataSet, *, as_of: dt.date, params: ForecastingParams) -> dict[str, pd.DataFrame]:
    """Return the book's frames: the season of each category over all groups, and the global model's forecasts, by origin.

    Parameters
    ----------
    tables : DataSet
        All groups' tables as of `as_of`.
    as_of : datetime.date
        Later periods are left out.
    params : ForecastingParams
        Horizon and folds, which set the origins.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``global_forecasts``: what one boosting model over all groups says of each customer and product from each origin
        (`forecast_globally`); a group gets its own customers' rows.
        ``kin_forecasts``: forecasts of series too short for a model, from their kin (`forecast_from_kin`); a group gets its own.
        ``top_forecasts``: what the forecast of all groups together hands down to each customer (`hand_down_total`), likewise.
        ``seasonal_indices``: ``origin, category`` ("" = all), ``season`` (month), ``index, n, used``. Sums over at least five
        customers: nothing of a single one can be read from it.
    """
    panel, echelon = slice_panel(tables, as_of)
    regular = panel if echelon == "site" else slice_panel(tables, as_of, most_items=MOST_GLOBAL)[0]
    regular = regular[regular["customer_id"] != OTHERS]
    indices, named = _book_seasons(tables, panel, params), product_categories(tables)
    return {
        "seasonal_indices": indices,
        "global_forecasts": _global_forecasts(tables, regular, params),
        "kin_forecasts": kin_forecasts(tables, regular, params, indices, categories=named, least=LEAST_CUSTOMERS),
        "top_forecasts": _top_forecasts(tables, panel, params, indices),
    }


def season_book(tables: DataSet, *, as_of: dt.date) -> pd.DataFrame:
    """Return the seasonal indices of each category over all groups on the last period, as `forecast_book` does.

    Without demand up to `as_of`, or where fewer than five customers have any, the frame has no rows.
    """
    if not (tables.has("sales", "quantity") or tables.has("orders", "quantity_ordered")):
        return empty_indices()
    return _book_seasons(tables, slice_panel(tables, as_of)[0], None)


def _book_seasons(tables: DataSet, panel: pd.DataFrame, params: ForecastingParams | None) -> pd.DataFrame:
    """Seasons at the origins that `params` set, without them at the last period; of at least five customers."""
    if panel["customer_id"].nunique() < LEAST_CUSTOMERS:
        return empty_indices()
    frequency = panel_frequency(tables.settings.frequency)
    marked = panel.assign(category=panel["product_id"].map(product_categories(tables)).fillna(""))
    origins = _origins(panel, frequency, params) if params else [panel["period"].max()]
    return seasonal_indices(marked, origins=origins, frequency=frequency, least_customers=LEAST_CUSTOMERS)


def _top_forecasts(tables: DataSet, panel: pd.DataFrame, params: ForecastingParams, indices: pd.DataFrame) -> pd.DataFrame:
    """What a forecast of all groups together hands down to each customer."""
    if panel["customer_id"].nunique() < LEAST_CUSTOMERS:
        kinds = {"customer_id": "object", "origin": "datetime64[ns]", "lead": "int64", "mean": "float64"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    settings = Settings(panel_frequency(tables.settings.frequency), tables.settings.week_start, params.horizon)
    customers = tables["customers"].drop_duplicates("customer_id", keep="last").set_index("customer_id")
    panel = panel.sort_values([*SERIES, "period"], kind="stable", ignore_index=True)
    groups = customers.get("customer_group")
    return hand_down_total(panel, groups=groups, settings=settings, folds=params.folds, indices=indices)


def _global_forecasts(tables: DataSet, panel: pd.DataFrame, params: ForecastingParams) -> pd.DataFrame:
    """Forecasts of the model over all groups; in an order book of its regular items alone."""
    nothing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in GLOBAL_KINDS.items()})
    if not params.global_model or panel.empty:
        return nothing
    settings = Settings(panel_frequency(tables.settings.frequency), tables.settings.week_start, params.horizon)
    customers = tables["customers"].drop_duplicates("customer_id", keep="last").set_index("customer_id")
    return forecast_globally(
        panel,
        settings=settings,
        folds=params.folds,
        categories=product_categories(tables),
        prices=site_prices(tables),
        promotions=tables.get("promotions"),
        groups=customers.get("customer_group"),
        **holidays_of(tables),
        seed=params.seed,
    )


def ledger_frames(result: ForecastResult) -> dict[str, pd.DataFrame]:
    """Return what the ledger keeps of a forecast, to be held against what comes of it."""
    return {"forecasts": result.forecasts}


def _origins(panel: pd.DataFrame, frequency: str, params: ForecastingParams) -> list[pd.Timestamp]:
    periods = panel_grid(panel).periods
    year = calendar.periods_per_year(panel_frequency(frequency))
    return [*backtest_origins(periods, folds=params.folds, horizon=params.horizon, periods_per_year=year), periods[-1]]


def _indices(part: Slice, panel: pd.DataFrame, frequency: str, params: ForecastingParams) -> tuple[pd.DataFrame, str]:
    book = part.book.get("seasonal_indices")
    if book is not None and not book.empty:
        return book, "book"
    category = panel["product_id"].map(product_categories(part.tables)).astype("object").fillna("")
    marked = panel.assign(category=category)
    return seasonal_indices(marked, origins=_origins(panel, frequency, params), frequency=frequency), "slice"


def _labelled(frame: pd.DataFrame, echelon: str) -> pd.DataFrame:
    result = frame.copy()
    result.insert(0, "echelon", echelon)
    return result


def _analysed(
    part: Slice,
    made: Forecasts,
    panel: pd.DataFrame,
    indices: pd.DataFrame,
    *,
    lag: int,
    interval: tuple[str, str, float],
    params: ForecastingParams,
    frequency: str,
) -> dict[str, object]:
    """Return the frames of the sections."""
    year = calendar.periods_per_year(panel_frequency(frequency))
    low, high, share = interval
    categories = product_categories(part.tables)
    decided = analysis.decision_errors(made.backtest, lag=lag)
    errors = with_naive_change(made.errors, made.backtest)
    watched = monitor_series(panel, made.sum_errors, frequency=frequency, indices=indices, categories=categories)
    scored = doubt_monitored(analysis.score_items(made.choice, errors, made.sum_errors, lag=lag), watched)
    items = named(with_next(scored, made.sums, lag=lag, low=low, high=high), part.tables, params.lang)
    newest = drivers.latest_indices(indices)
    moved = drivers.score_drivers(panel, newest, categories=categories, periods_per_year=year, seed=params.seed)
    moved = with_regression(moved, panel, part.tables, frequency)
    customers = analysis.score_customers(decided, seed=params.seed)
    own = set(panel["product_id"].map(categories).astype("object").fillna("")) | {""}
    return {
        "items": items,
        "totals": analysis.forecast_totals(panel, made.forecasts, made.errors, share=share, year=year),
        "accuracy": analysis.score_steps(decided, seed=params.seed),
        "customers": named(customers, part.tables, params.lang),
        "coverage": analysis.score_coverage(made.errors, made.sum_errors, low=low, high=high, lag=lag),
        "bias_views": analysis.score_bias_views(made.errors),
        "customer_bias": named(score_accuracy(made.errors, by=["customer_id"])[_BIAS_COLUMNS], part.tables, params.lang),
        "outliers": named(analysis.find_outliers(made.errors), part.tables, params.lang),
        "patterns": analysis.score_patterns(items, errors),
        "models": analysis.score_models(made.backtest, made.choice),
        "seasons": newest[newest["category"].isin(own)].reset_index(drop=True),
        "drivers": moved,
        "life": drivers.describe_life(panel, items),
        "monitoring": named(watched, part.tables, params.lang),
        "decision_lag": lag,
        "reconciliation": params.reconciliation,
        **dict(zip(("levels", "nodes"), score_levels(_levels_of(made), low=low, high=high), strict=True)),
        "breakdown": score_breakdown(errors, made.sum_errors, segments=customer_segments(part), low=low, high=high),
        "missing": _missing(part, made, customers),
    }


def _missing(part: Slice, made: Forecasts, customers: pd.DataFrame) -> dict[str, str]:
    """Return the sections that lack their data; what moved is added where the ledger holds an earlier run (`with_moves`)."""
    missing = {"movement": "forecasting.missing.earlier_run"}
    if made.backtest.empty:
        missing |= dict.fromkeys(("accuracy", "bias", "customer_forecast"), "forecasting.missing.history")
    elif customers.empty:
        missing["customer_forecast"] = "forecasting.missing.customer_overlap"
    if not part.tables.has("customer_forecasts"):
        missing["customer_forecast"] = "forecasting.missing.customer_forecasts"
    return missing


def _levels_of(made: Forecasts) -> Levels:
    if made.levels is None:
        raise InputError(expected="forecasts of all levels", found="none", fix="Forecast with a reconciliation.")
    return made.levels
