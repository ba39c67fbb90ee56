"""What moves demand, told apart: one regression over a group's items, with season, trend, promotion, the dip after it, price."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.drivers import DRIVER_COLUMNS
from cmi_analysis.forecasting.grid import Grid, panel_grid
from cmi_analysis.forecasting.seasons import season_of

# fewer items or rows than this tell no effect
LEAST_SERIES, LEAST_ROWS = 5, 200
# the price effect is told for a price lower by this share
PRICE_CUT = 0.10
AFTER_PERIODS = 2
# holidays told: those that came so often, and at most so many
LEAST_TIMES, MOST_HOLIDAYS = 2, 12


def regress_drivers(
    panel: pd.DataFrame,
    *,
    frequency: str,
    periods_per_year: int,
    prices: np.ndarray | None = None,
    holidays: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Return the effects of promotion, the periods after it, price and time on demand, each with the others held constant.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it.
    frequency : {"week", "month"}
        Length of a period.
    periods_per_year : int
        52 or 12; month effects and the trend need two years.
    prices : numpy.ndarray, optional
        Price of each series and period, NaN where unknown [money a unit]; series and periods as in `panel_grid`.
    holidays : mapping of str to numpy.ndarray, optional
        Share of each holiday's days that lie in a period, series × periods (`HolidayCalendar.shares`) [fraction].

    Returns
    -------
    pandas.DataFrame
        ``driver``: promotion_alone, after_alone (the two periods after a promotion), price_cut (a price 10 % lower), trend (a
        year), holiday (a period that holds all its days; ``category`` is its name), holiday_before, holiday_after (the period
        before and after any); else ``category`` and ``season`` empty, ``effect, low, high`` (95 % interval) [ratio], ``n``
        [series]. Empty where nothing varies, or with fewer than five items or 200 known periods.

    Notes
    -----
    Poisson regression, log E(demand) = log(mean of the item) + month + β·trend + γ·promotion + δ·after + ε·log(price / the item's
    mean price); the effect is exp(coefficient) − 1. Only the mean need be right, not the Poisson variance: standard errors are
    clustered by item. A holiday comes to all items at once, so the shocks that all items share count too: its variance is
    increased by σ² / Σ x², x its mean share by period and σ² the variance of log(Σ demand / Σ expected) over periods without a
    holiday, less what the items' own noise explains. Engine: `statsmodels.GLM`. Sources: Gourieroux, Monfort and Trognon (1984),
    Pseudo maximum likelihood methods, Econometrica 52, 701–720; Cameron and Trivedi (2013), Regression Analysis of Count Data,
    section 3.2.3; common shocks: Donald and Lang (2007), Inference with difference-in-differences and other panel data, Review
    of Economics and Statistics 89, 221–233.
    """
    nothing = pd.DataFrame({name: pd.Series(dtype="object") for name in DRIVER_COLUMNS})
    grid = panel_grid(panel)
    demand = grid.matrix(panel, "demand")
    columns = _columns(panel, grid, demand, prices, years=demand.shape[1] / periods_per_year)
    columns |= {} if holidays is None else _holiday_columns(holidays)
    known = np.isfinite(demand) & np.all([np.isfinite(values) for values in columns.values()], axis=0)
    mean = np.where(known, demand, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    known &= (mean > 0)[:, None]
    columns = {name: values for name, values in columns.items() if np.ptp(values[known]) > 0} if known.any() else {}
    row, col = np.nonzero(known)
    if not columns or len(np.unique(row)) < LEAST_SERIES or len(row) < LEAST_ROWS:
        return nothing
    season = season_of(grid.periods, frequency=frequency)[col] if demand.shape[1] >= 2 * periods_per_year else np.ones(len(col))
    dummies = [(season == month).astype(float) for month in np.unique(season)]
    design = np.column_stack([*dummies, *(values[known] for values in columns.values())])
    fitted = _fit(demand[known], design, offset=np.log(mean[row]), series=row)
    if fitted is None:
        return nothing
    values, errors, expected = fitted
    first, items = len(dummies), len(np.unique(row))
    shared = _common_variance(columns, known, demand[known] - expected, expected)
    errors = np.sqrt(errors[first:] ** 2 + [shared.get(name, 0.0) for name in columns])
    rows = [_row(name, values[first + k], errors[k], items) for k, name in enumerate(columns)]
    return pd.DataFrame(rows, columns=DRIVER_COLUMNS)


def _columns(
    panel: pd.DataFrame, grid: Grid, demand: np.ndarray, prices: np.ndarray | None, *, years: float
) -> dict[str, np.ndarray]:
    """Explaining variables, series × periods."""
    promoted = grid.matrix(panel.assign(mark=panel["promotion"].astype(float)), "mark") > 0
    after = np.zeros_like(promoted)
    for step in range(1, AFTER_PERIODS + 1):
        after[:, step:] |= promoted[:, :-step]
    columns = {"promotion_alone": promoted.astype(float), "after_alone": (after & ~promoted).astype(float)}
    if prices is not None and np.isfinite(prices).any():
        usual = np.nanmean(np.where(np.isfinite(prices).any(axis=1, keepdims=True), prices, 1.0), axis=1, keepdims=True)
        columns["price_cut"] = np.log(np.where(prices > 0, prices, np.nan) / usual)
    if years >= 2:
        place = np.arange(demand.shape[1]) / (demand.shape[1] / years)
        columns["trend"] = np.broadcast_to(place - place.mean(), demand.shape).copy()
    return columns


def _holiday_columns(holidays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Holidays that came at least twice, the most frequent ones, and the periods before and after any of all."""
    times = {
        name: int((np.diff((share > 0).any(axis=0), prepend=False) & (share > 0).any(axis=0)).sum())
        for name, share in holidays.items()
    }
    kept = sorted((name for name in holidays if times[name] >= LEAST_TIMES), key=lambda name: (-times[name], name))[
        :MOST_HOLIDAYS
    ]
    columns = {f"holiday:{name}": holidays[name] for name in sorted(kept)}
    if not columns:
        return {}
    any_day = np.any([share > 0 for share in holidays.values()], axis=0)
    before, after = np.zeros_like(any_day), np.zeros_like(any_day)
    before[:, :-1], after[:, 1:] = any_day[:, 1:], any_day[:, :-1]
    return columns | {"holiday_before": (before & ~any_day).astype(float), "holiday_after": (after & ~any_day).astype(float)}


def _common_variance(
    columns: Mapping[str, np.ndarray], known: np.ndarray, error: np.ndarray, expected: np.ndarray
) -> dict[str, float]:
    """Variance that shocks common to all items add to the coefficient of each holiday column."""
    marked = {name: np.where(known, part, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1) for name, part in columns.items()}
    marked = {name: part for name, part in marked.items() if name.startswith("holiday")}
    if not marked:
        return {}
    col = np.nonzero(known)[1]
    size, gap, square = (np.bincount(col, part, minlength=known.shape[1]) for part in (expected, error, error**2))
    plain = (np.sum(list(marked.values()), axis=0) == 0) & (size > 0) & (size + gap > 0)
    if plain.sum() < 10:
        return {}
    shock = np.log((size + gap)[plain] / size[plain])
    common = max(float(shock.var(ddof=1) - (square[plain] / size[plain] ** 2).mean()), 0.0)
    return {name: common / max(float((part**2).sum()), 1e-12) for name, part in marked.items()}


def _fit(
    demand: np.ndarray, design: np.ndarray, *, offset: np.ndarray, series: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Coefficients, their standard errors and the fitted means, None where the fit fails."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = GLM(demand, design, family=Poisson(), offset=offset)
            result = model.fit(cov_type="cluster", cov_kwds={"groups": series})
        except (np.linalg.LinAlgError, ValueError):
            return None
    if not (result.converged and np.isfinite(result.bse).all()):
        return None
    return np.asarray(result.params), np.asarray(result.bse), np.asarray(result.fittedvalues)


def _row(name: str, value: float, error: float, n: int) -> dict[str, object]:
    scale = np.log(1 - PRICE_CUT) if name == "price_cut" else 1.0
    low, high = sorted((scale * (value - 1.96 * error), scale * (value + 1.96 * error)))
    effects = {key: float(np.expm1(part)) for key, part in (("effect", scale * value), ("low", low), ("high", high))}
    driver, _, category = name.partition(":")
    return {"driver": driver, "category": category, "season": np.nan, **effects, "n": n}
