"""What promotions brought: the lift, the dip after it and what is left of both, from one regression a group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.grid import Grid, panel_grid
from cmi_analysis.forecasting.seasons import season_of

# periods after a promotion in which what was bought in is missing
AFTER_PERIODS = 2
# calm periods that tell how much a series varies of itself; a category with fewer series shares its months with the others
LEAST_CALM, LEAST_SERIES, MOST_CATEGORIES = 13, 5, 12
# mean gap between demands [periods] from which demand counts as intermittent (Syntetos and Boylan, 2005)
RARE = 1.32
Z95 = 1.959964
_NEAR = 3
_ROUNDS = 40


@dataclass(frozen=True)
class _Fit:
    """Coefficients, expected demand, and how much each observation moves promotion and after-promotion coefficients."""

    beta: np.ndarray
    mean: np.ndarray
    pull: np.ndarray


def score_promotions(
    panel: pd.DataFrame, *, frequency: str, periods_per_year: int, categories: pd.Series | None = None
) -> pd.DataFrame:
    """Return the lift of the promotions of a panel, the change after them, and the net of both.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``customer_id, product_id, period, demand`` [sales units], ``promotion`` (bool).
    frequency : {"week", "month"}
        Length of a period.
    periods_per_year : int
        52 or 12; month effects and the trend need two years.
    categories : pandas.Series, optional
        Category by product_id (index); categories of five series or more have month effects of their own.

    Returns
    -------
    pandas.DataFrame
        ``driver``: promotion (demand in promotion periods against what it would have been), after_promotion (the same for the
        two periods after), promotion_net (units gained in both, as a share of what the promotion periods would have been);
        ``effect, low, high`` (95 % interval) [ratio], ``n`` [series promoted]. Empty without promotions; bounds are missing
        with fewer than 13 calm periods a series.

    Notes
    -----
    Poisson regression, E(demand) = level of the series · exp(month of its category + β·trend + γ·promotion + δ·after); gain
    e^γ − 1, net gain e^γ − 1 + (e^δ − 1)·R with R the usual demand of the periods after over that of the promotion periods. It
    is the gain of these promotions, whatever each of them did: how they differ from each other is no error.

    Few series are promoted, so what they did then says little of the error (clustered errors cover 80 % where 95 % is promised).
    How much a series varies is told by its calm periods instead: the variance of a promoted period grows with the square of its
    mean, or, where demand comes in fewer than three of four periods, with its power 1.5 (between 1, more demands, and 2, larger
    ones); neighbouring periods have the correlation pooled over the series; the part of the error that comes from the usual
    demand is clustered by series. The interval of effect e with standard error s is symmetric in the fourth root of 1 + e, which
    takes the tie of variance and mean away (power 1.5): (1 + e)·(1 ± 1.96·s/4(1 + e))⁴ − 1.
    Sources: Gourieroux, Monfort and Trognon (1984), Econometrica 52, 701–720 (Poisson regression of demand that is not Poisson);
    Conley and Taber (2011), Inference with difference in differences with a small number of policy changes, Review of Economics
    and Statistics 93, 113–125 (errors from the untreated); Dunn and Smyth (2005), Statistics and Computing 15, 267–280 (powers of
    the variance between 1 and 2); van Heerde, Leeflang and Wittink (2000), The estimation of pre- and
    postpromotion dips, Journal of Marketing Research 37, 383–395 (net of the dip).
    """
    nothing = pd.DataFrame({name: pd.Series(dtype="object") for name in ("driver", "effect", "low", "high", "n")})
    if "promotion" not in panel or not panel["promotion"].any():
        return nothing
    grid = panel_grid(panel)
    demand = grid.matrix(panel, "demand")
    promoted = grid.matrix(panel.assign(mark=panel["promotion"].astype(float)), "mark") > 0
    after = _after(promoted)
    own = _month_groups(grid, categories)
    columns = [promoted, after, *_months(grid, own, frequency, whole=demand.shape[1] >= 2 * periods_per_year)]
    if demand.shape[1] >= 2 * periods_per_year:
        columns.append(np.broadcast_to((np.arange(demand.shape[1]) / periods_per_year)[None, :], demand.shape))
    fit = _regress(demand, columns)
    known = np.isfinite(demand) & (fit.mean > 0)
    if not (promoted & known).any():
        return nothing
    usual = [float((fit.mean * (mark & known)).sum() / np.exp(fit.beta[k])) for k, mark in enumerate((promoted, after))]
    ratio = usual[1] / usual[0]
    lifts = np.exp(fit.beta[:2])
    slopes = {"promotion": (lifts[0], 0.0), "after_promotion": (0.0, lifts[1]), "promotion_net": (lifts[0], lifts[1] * ratio)}
    effects = dict(zip(slopes, (lifts[0] - 1, lifts[1] - 1, lifts[0] - 1 + (lifts[1] - 1) * ratio), strict=True))
    count = int((promoted & known).any(axis=1).sum())
    rows = []
    for driver, slope in slopes.items():
        if driver == "promotion" or usual[1] > 0:
            error = _error(demand, fit, fit.pull @ np.array(slope), touched=(promoted | after) & known, known=known)
            rows.append({"driver": driver, "effect": effects[driver], "n": count} | _bounds(effects[driver], error))
    return pd.DataFrame(rows)[["driver", "effect", "low", "high", "n"]]


def _bounds(effect: float, error: float) -> dict[str, float]:
    """95 % interval of an effect, symmetric in the fourth root of 1 + effect (plain where that is near 0)."""
    if effect <= -0.9:
        return {"low": effect - Z95 * error, "high": effect + Z95 * error}
    low, high = (max(1 + sign * Z95 * error / (4 * (1 + effect)), 0.0) ** 4 for sign in (-1, 1))
    return {"low": (1 + effect) * low - 1, "high": (1 + effect) * high - 1}


def _after(promoted: np.ndarray) -> np.ndarray:
    after = np.zeros_like(promoted)
    for step in range(1, AFTER_PERIODS + 1):
        after[:, step:] |= promoted[:, :-step]
    return after & ~promoted


def _month_groups(grid: Grid, categories: pd.Series | None) -> np.ndarray:
    """Number of the months' group of each series: that of its category if this has series enough, else 0."""
    if categories is None or categories.empty:
        return np.zeros(len(grid.series), dtype=int)
    name = grid.series["product_id"].map(categories[~categories.index.duplicated()]).astype("object").fillna("").astype(str)
    counts = name[name != ""].value_counts()
    kept = sorted(counts[counts >= LEAST_SERIES].index, key=lambda one: (-counts[one], one))[:MOST_CATEGORIES]
    return name.map({one: number + 1 for number, one in enumerate(kept)}).fillna(0).to_numpy(dtype=int)


def _months(grid: Grid, own: np.ndarray, frequency: str, *, whole: bool) -> list[np.ndarray]:
    """Month effects of each group, the first month being the base; none without two years."""
    month = season_of(grid.periods, frequency=frequency)
    if not whole:
        return []
    return [(own == one)[:, None] & (month == number)[None, :] for one in np.unique(own) for number in np.unique(month)[1:]]


def _regress(demand: np.ndarray, columns: list[np.ndarray]) -> _Fit:
    """Poisson regression with a level of its own for each series, the levels concentrated out, by Newton's steps."""
    known = np.isfinite(demand)
    seen = np.where(known, demand, 0.0)
    design = np.stack([np.asarray(column, dtype=float) for column in columns], axis=2)
    beta = np.zeros(design.shape[2])
    total = seen.sum(axis=1, keepdims=True)
    for _ in range(_ROUNDS):
        shape = np.exp(np.clip(design @ beta, -30, 30)) * known
        sums = shape.sum(axis=1, keepdims=True)
        mean = shape * np.divide(total, sums, out=np.zeros_like(total), where=sums > 0)
        centre = (mean[:, None, :] @ design)[:, 0, :] / np.maximum(total, 1e-300)
        inner = np.zeros((len(beta), len(beta)))
        slope = np.zeros(len(beta))
        for one in np.flatnonzero(total[:, 0] > 0):
            apart = design[one] - centre[one]
            inner += apart.T @ (apart * mean[one][:, None])
            slope += apart.T @ (seen[one] - mean[one])
        step = np.clip(np.linalg.pinv(inner, hermitian=True) @ slope, -2, 2)
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    near = np.linalg.pinv(inner, hermitian=True)[:, :2]
    return _Fit(beta, mean, (design @ near - (centre @ near)[:, None, :]) * known[:, :, None])


def _error(demand: np.ndarray, fit: _Fit, pull: np.ndarray, *, touched: np.ndarray, known: np.ndarray) -> float:
    """Standard error of an effect on which each observation has a pull: promoted periods by the variation of calm ones."""
    calm = known & ~touched
    count = calm.sum(axis=1)
    concerned = touched.any(axis=1)
    if not concerned.any() or count[concerned].min() < LEAST_CALM:
        return float("nan")
    rest = np.where(known, demand - fit.mean, 0.0)
    rare = (known & (demand > 0)).sum(axis=1) * RARE < known.sum(axis=1)
    size = np.where(known, fit.mean, 0.0) ** np.where(rare, 0.75, 1.0)[:, None]  # half the power of the variance
    share = np.divide(rest, size, out=np.zeros_like(rest), where=calm)
    spread = np.sqrt((share**2).sum(axis=1) / np.maximum(count - 1, 1))
    parts = np.where(touched, pull * size, 0.0) * spread[:, None]
    variance = (parts**2).sum()
    unit = np.divide(share, spread[:, None], out=np.zeros_like(share), where=spread[:, None] > 0)
    for lag in range(1, _NEAR + 1):
        pairs = (calm[:, lag:] & calm[:, :-lag]).sum()
        alike = (unit[:, lag:] * unit[:, :-lag]).sum() / pairs if pairs else 0.0
        variance += 2 * max(alike, 0.0) * max((parts[:, lag:] * parts[:, :-lag]).sum(), 0.0)
    usual = np.where(calm, pull * rest, 0.0).sum(axis=1)
    return float(np.sqrt(variance + (usual**2).sum()))
