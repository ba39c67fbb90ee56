"""Forecasts of totals beside those of the items, at every origin, and both made to add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import sparse

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.backtest import Fold, Settings, View, backtest_origins, open_fold, view_at
from cmi_analysis.forecasting.fallbacks import ZERO
from cmi_analysis.forecasting.grid import Grid, panel_grid, widen
from cmi_analysis.forecasting.hierarchy import Hierarchy, Method, build_hierarchy, reconcile_forecasts
from cmi_analysis.forecasting.models import MODELS, Model
from cmi_analysis.forecasting.selection import choose_for_view

Reconciliation = Literal["none", "bottom_up", "proportions", "mint"]
RECONCILIATIONS: tuple[str, ...] = get_args(Reconciliation)
LEVEL_COLUMNS = ["level", "node", "period", "lead", "base", "mean", "scale"]
LEVEL_ERROR_COLUMNS = ["level", "node", "origin", "period", "lead", "actual", "base", "mean", "scale"]
# a total is known where the customers and products known make up so much of its usual size
LEAST_KNOWN = 0.5
_SMOOTHING = 0.2


@dataclass(frozen=True)
class Levels:
    """Forecasts of every level and their back-test.

    Attributes
    ----------
    forecasts : pandas.DataFrame
        ``level`` (all, customer, category, product, bottom), ``node``, ``period, lead`` [periods], ``base`` (the level forecast
        by itself), ``mean`` (reconciled), ``scale`` [sales units].
    errors : pandas.DataFrame
        The same with ``origin`` and ``actual`` of the back-test, only where it is known.
    """

    forecasts: pd.DataFrame
    errors: pd.DataFrame


def panel_hierarchy(series: pd.DataFrame, categories: pd.Series) -> Hierarchy:
    """Return the levels of a panel: customer × product → customer → all, and → product → category where there are any.

    Parameters
    ----------
    series : pandas.DataFrame
        ``customer_id, product_id``, each pair once.
    categories : pandas.Series
        Category by product_id (index).
    """
    known = {} if categories.empty else {str(key): str(value) for key, value in categories.dropna().items() if str(value)}
    return build_hierarchy(series, categories=known or None)


def total_panel(panel: pd.DataFrame, hierarchy: Hierarchy) -> pd.DataFrame:
    """Return the demand of each upper node as a panel: ``customer_id`` its level, ``product_id`` level and node.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it.
    hierarchy : Hierarchy
        Over the panel's series, sorted.

    Notes
    -----
    A child counts as zero before it starts, and at its exponentially smoothed level (weight .2, of earlier periods only) where it
    is unknown later. A total is unknown where the known children make up less than half of it.
    """
    grid = panel_grid(panel)
    demand = grid.matrix(panel, "demand")
    filled, known = filled_forward(demand), np.isfinite(demand)
    upper = hierarchy.upper
    total, told = upper @ filled, upper @ np.where(known, filled, 0.0)
    begun = (upper @ known.astype(float)).cumsum(axis=1) > 0
    begun[(hierarchy.nodes["level"] == "all").to_numpy()[: len(begun)]] = True  # so that no period is missing
    values = np.where((told >= LEAST_KNOWN * total) & (upper @ known.astype(float) > 0), total, np.nan)
    frame = Grid(total_series(hierarchy), grid.periods).long({"demand": values}, keep=begun)
    return frame.assign(quantity=frame["demand"], in_stock=np.nan)


def total_series(hierarchy: Hierarchy) -> pd.DataFrame:
    """Return the upper nodes as series of `total_panel`, in the order of the hierarchy."""
    nodes = hierarchy.nodes.iloc[: hierarchy.upper.shape[0]]
    return pd.DataFrame({"customer_id": nodes["level"], "product_id": nodes["level"] + "|" + nodes["node"].astype(str)})


def filled_forward(demand: np.ndarray) -> np.ndarray:
    """Return demand (series × periods) with unknown periods at the level smoothed up to then, zero before the first one."""
    level, begun = np.zeros(len(demand)), np.zeros(len(demand), dtype=bool)
    filled = np.zeros(demand.shape)
    for now in range(demand.shape[1]):
        value = demand[:, now]
        known = np.isfinite(value)
        filled[:, now] = np.where(known, np.nan_to_num(value), level)
        moved = np.where(begun, level + _SMOOTHING * (filled[:, now] - level), filled[:, now])
        level, begun = np.where(known, moved, level), begun | known
    return filled


def one_step_errors(demand: np.ndarray, periods_per_year: int) -> np.ndarray:
    """Return the errors of a level smoothed up to the period before, of the last two years; NaN where unknown [sales units]."""
    level = np.full(len(demand), np.nan)
    errors = np.full(demand.shape, np.nan)
    for now in range(demand.shape[1]):
        errors[:, now] = demand[:, now] - level
        value = np.where(np.isnan(level), demand[:, now], level + _SMOOTHING * errors[:, now])
        level = np.where(np.isfinite(demand[:, now]), value, level)
    return errors[:, -2 * periods_per_year :]


def reconcile_views(
    panel: pd.DataFrame,
    tested: Sequence[Fold],
    views: Sequence[View],
    chosen: Sequence[np.ndarray],
    *,
    settings: Settings,
    indices: pd.DataFrame,
    categories: pd.Series,
    method: str = "bottom_up",
    top: pd.DataFrame | None = None,
    models: Mapping[str, Model] = MODELS,
) -> tuple[list[np.ndarray], Levels]:
    """Return the items' forecasts at each origin after reconciliation, and all levels before and after.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it, sorted.
    tested : sequence of Fold
        The back-test.
    views : sequence of View
        One an origin, the last one at the last period.
    chosen : sequence of numpy.ndarray
        The items' own forecasts at each of them, series × horizon [sales units].
    settings : Settings
        Period, horizon, week start.
    indices : pandas.DataFrame
        As `seasonal_indices` returns them.
    categories : pandas.Series
        Category by product_id (index).
    method : {"none", "bottom_up", "proportions", "mint"}
        As in `reconcile_forecasts`; none leaves every level as it was forecast by itself.
    top : pandas.DataFrame, optional
        ``origin, lead, mean``: a forecast of the total handed down from above, in place of its own.
    models : mapping
        Models by name.

    Raises
    ------
    InputError
        The method is not known.

    Notes
    -----
    Totals are forecast as items are: the same models without the global one, chosen by the same back-test. Items forecast at zero
    by rule or not at all are not changed. MinT's covariance is that of the one-step errors of a smoothed level, of the last two
    years before each origin.
    """
    if method not in RECONCILIATIONS:
        raise InputError(
            expected=f"reconciliation one of {', '.join(RECONCILIATIONS)}", found=repr(method), fix="Take one of them."
        )
    grid = panel_grid(panel)
    hierarchy = panel_hierarchy(grid.series, categories)
    totals = total_panel(panel, hierarchy)
    known = {"settings": settings, "indices": indices, "categories": _node_categories(hierarchy, categories), "models": models}
    wide = widen(totals)
    above = [view_at(wide, origin=view.origin, **known) for view in views]  # type: ignore[arg-type]
    above_tested = [open_fold(wide, view) for view in above[:-1]]
    order = wide.grid.rows(total_series(hierarchy))
    demand = np.vstack([wide.demand[order], grid.matrix(panel, "demand")])
    made, frames = [], []
    for view, head, items in zip(views, above, chosen, strict=True):
        base = _with_top(choose_for_view(above_tested, head)[1]["chosen"][order], hierarchy, top, view.origin)
        errors = one_step_errors(demand[:, grid.periods <= view.origin], settings.periods_per_year)
        bottom, upper = _reconcile(base, items, view, hierarchy, method, errors)
        made.append(bottom)
        scale = np.vstack([_scale(head)[order], _scale(view)])
        values = {"base": np.vstack([base, items]), "mean": np.vstack([upper, bottom]), "scale": scale}
        frames.append(_long(hierarchy, view, values))
    came = [np.vstack([head.actual[order], fold.actual]) for head, fold in zip(above_tested, tested, strict=True)]
    return made, Levels(frames[-1][LEVEL_COLUMNS], _scored(frames[:-1], came))


def _scored(frames: Sequence[pd.DataFrame], came: Sequence[np.ndarray]) -> pd.DataFrame:
    """Forecasts of all levels beside what came, where both are known."""
    found = [frame.assign(actual=actual.ravel()) for frame, actual in zip(frames, came, strict=True)]
    if not found:
        kinds = {"level": "object", "node": "object", "lead": "int64"} | dict.fromkeys(("origin", "period"), "datetime64[ns]")
        return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in LEVEL_ERROR_COLUMNS})
    rows = pd.concat(found, ignore_index=True)
    known = np.isfinite(rows[["actual", "base", "mean"]]).all(axis=1)
    return rows.loc[known, LEVEL_ERROR_COLUMNS].reset_index(drop=True)


def _reconcile(
    base: np.ndarray, items: np.ndarray, view: View, hierarchy: Hierarchy, method: str, errors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts of items and of upper nodes; series without a forecast or at zero by rule stay out of it."""
    ruled = view.series["fallback"].isin(ZERO).to_numpy()
    open_ = np.isfinite(items).all(axis=1) & ~ruled
    bottom = items.copy()
    if method in ("proportions", "mint") and open_.any():
        part, nodes = restrict_hierarchy(hierarchy, open_)
        heads = base[nodes]
        sums = part.upper @ items[open_]
        stacked = np.vstack([np.where(np.isfinite(heads), heads, sums), items[open_]])
        rows = np.r_[nodes, hierarchy.upper.shape[0] + np.flatnonzero(open_)]
        way: Method = "mint" if method == "mint" else "proportions"
        bottom[open_] = reconcile_forecasts(stacked, hierarchy=part, method=way, errors=errors[rows])[-part.bottoms :]
    upper = hierarchy.upper @ np.nan_to_num(bottom)
    return bottom, np.where(np.isfinite(base), base, upper) if method == "none" else np.asarray(upper)


def restrict_hierarchy(hierarchy: Hierarchy, keep: np.ndarray) -> tuple[Hierarchy, np.ndarray]:
    """Return the hierarchy of some bottom series, and the numbers of the upper nodes that hold any of them.

    Parameters
    ----------
    hierarchy : Hierarchy
        As `build_hierarchy` returns it.
    keep : numpy.ndarray
        Which bottom series are kept (bool).
    """
    upper = sparse.csr_matrix(hierarchy.upper[:, np.flatnonzero(keep)])
    nodes = np.flatnonzero(np.asarray(upper.sum(axis=1)).ravel() > 0)
    rows = np.r_[nodes, hierarchy.upper.shape[0] + np.flatnonzero(keep)]
    summing = sparse.vstack([upper[nodes], sparse.identity(int(keep.sum()))])
    return Hierarchy(hierarchy.nodes.iloc[rows].reset_index(drop=True), sparse.csr_matrix(summing)), nodes


def _with_top(base: np.ndarray, hierarchy: Hierarchy, top: pd.DataFrame | None, origin: pd.Timestamp) -> np.ndarray:
    if top is None or top.empty:
        return base
    part = top[(top["origin"] == origin) & (top["lead"] <= base.shape[1])]
    values = np.full(base.shape[1], np.nan)
    values[part["lead"].to_numpy() - 1] = part["mean"].to_numpy()
    all_ = (hierarchy.nodes["level"].to_numpy()[: len(base)] == "all")[:, None]
    return np.where(all_ & np.isfinite(values)[None, :], values[None, :], base)


def _scale(view: View) -> np.ndarray:
    return np.asarray(view.series["scale"].to_numpy()[:, None] * view.index_next)


def _long(hierarchy: Hierarchy, view: View, values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    frame = hierarchy.nodes.loc[hierarchy.nodes.index.repeat(len(view.ahead))].reset_index(drop=True)
    lead = np.tile(np.arange(1, len(view.ahead) + 1), len(hierarchy.nodes))
    columns = {name: matrix.ravel() for name, matrix in values.items()}
    return frame.assign(origin=view.origin, period=view.ahead[lead - 1], lead=lead, **columns)


def _node_categories(hierarchy: Hierarchy, categories: pd.Series) -> pd.Series:
    """Category of each upper node, for its season: a product's own, a category itself, of customers and all none."""
    nodes = hierarchy.nodes.iloc[: hierarchy.upper.shape[0]]
    own = nodes["node"].map(categories).astype("object").where(nodes["level"] == "product")
    named = own.where(nodes["level"] != "category", nodes["node"]).fillna("")
    return pd.Series(named.to_numpy(), index=total_series(hierarchy)["product_id"].to_numpy(), dtype="object")


def hand_down_total(
    panel: pd.DataFrame, *, groups: pd.Series | None, settings: Settings, folds: int, indices: pd.DataFrame
) -> pd.DataFrame:
    """Return what a forecast of all customers together hands down to each of them, from each origin of the back-test and the end.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it, of all groups, sorted.
    groups : pandas.Series, optional
        Customer group by customer_id (index).
    settings : Settings
        Period, horizon, week start.
    folds : int
        Origins of the back-test [count].
    indices : pandas.DataFrame
        As `seasonal_indices` returns them.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, origin, lead`` [periods], ``mean`` [sales units]: the total's forecast, shared among groups and then among
        their customers as these were forecast by themselves (`reconcile_forecasts`, proportions).
    """
    grid = panel_grid(panel)
    known = None if groups is None else groups[~groups.index.duplicated(keep="last")].fillna("").to_dict()
    totals = total_panel(panel, build_hierarchy(grid.series, groups=known))
    totals = totals[totals["customer_id"] != "product"]
    customers = pd.DataFrame({"customer_id": sorted(grid.series["customer_id"].unique()), "product_id": ""})
    way = build_hierarchy(customers, groups=known)
    way = Hierarchy(way.nodes[way.nodes["level"] != "product"], way.summing[(way.nodes["level"] != "product").to_numpy()])
    wide = widen(totals)
    order = wide.grid.rows(total_series(way))
    days = backtest_origins(grid.periods, folds=folds, horizon=settings.horizon, periods_per_year=settings.periods_per_year)
    plain = {"settings": settings, "indices": indices, "categories": pd.Series(dtype="object")}
    views = [view_at(wide, origin=day, **plain) for day in [*days, grid.periods[-1]]]  # type: ignore[arg-type]
    tested = [open_fold(wide, view) for view in views[:-1]]
    frames = []
    for view in views:
        base = np.nan_to_num(choose_for_view(tested, view)[1]["chosen"][order])
        stacked = np.vstack([base, base[-len(customers) :]])
        shared = reconcile_forecasts(stacked, hierarchy=way, method="proportions")[-way.bottoms :]
        one = pd.DataFrame({"origin": view.origin, "lead": np.arange(1, settings.horizon + 1)})
        frames.append(customers[["customer_id"]].merge(one, how="cross").assign(mean=shared.ravel()))
    return pd.concat(frames, ignore_index=True).sort_values(["customer_id", "origin", "lead"], ignore_index=True)
