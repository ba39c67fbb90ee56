"""Forecasts of series too short for a model, from their kin: the same product elsewhere, like products, the same customer.

Made where all groups are seen (the book pass, or a whole panel) and cut to a group like the global model's forecasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import LEAST_DEMANDS, SHORT, Settings, backtest_origins
from cmi_analysis.forecasting.credibility import Levels, fit_levels, pair_credibility
from cmi_analysis.forecasting.grid import SERIES, Grid, panel_grid
from cmi_analysis.forecasting.launches import SEEN_AFTER, Trial, launch_profile, try_kin
from cmi_analysis.forecasting.seasons import index_matrix, season_of

KIN_KINDS = dict.fromkeys([*SERIES, "kin"], "object") | {"origin": "datetime64[ns]", "lead": "int64", "kin_series": "int64"}
KIN_KINDS |= dict.fromkeys(["mean", "scale", "shared"], "float64")
# columns of kin from the nearest to the widest: code of the reason, and what must be the same
TIERS = ("kin_product", "kin_category", "kin_customer", "kin_all")
# variance of the first period of a product new everywhere around what comes later, relative to its square: half the level; it
# falls to nothing within twice the length of a short history [ratio]
LAUNCH_VARIANCE = 0.25
# fewer kin than this are none [series]
LEAST_KIN = 3
_PRICE_BANDS = 4


@dataclass(frozen=True)
class _Known:
    """What is known at one origin: deseasonalised demand [sales units], first column of each series, ways to be alike."""

    demand: np.ndarray
    start: np.ndarray
    demands: np.ndarray
    ways: Mapping[str, np.ndarray]
    year: int

    @property
    def begun(self) -> np.ndarray:
        return self.start < self.demand.shape[1]

    @property
    def young(self) -> np.ndarray:
        known, age = np.isfinite(self.demand).sum(axis=1), self.demand.shape[1] - self.start
        short = (known < SHORT[self.year]) | (self.demands < LEAST_DEMANDS)
        return self.begun & short & ((known > 0) | (age < SHORT[self.year]))


def forecast_from_kin(
    panel: pd.DataFrame,
    *,
    settings: Settings,
    folds: int,
    indices: pd.DataFrame,
    categories: pd.Series | None = None,
    attributes: pd.DataFrame | None = None,
    least_customers: int = 1,
) -> pd.DataFrame:
    """Return forecasts from kin of the series too short for a model, at each origin of the back-test and the last period.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it.
    settings : Settings
        Period, horizon, week start.
    folds : int
        Origins of the back-test [count].
    indices : pandas.DataFrame
        As `seasonal_indices` returns them.
    categories : pandas.Series, optional
        Category by product_id (index).
    attributes : pandas.DataFrame, optional
        ``product_id`` and any columns that products may have in common (brand, family; numbers such as a price are cut into four
        bands).
    least_customers : int
        A product, or any other kin, with fewer customers besides the series' own tells nothing [count]: five where the customers
        of other groups must not be recognised.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, origin, lead`` [periods], ``mean, scale`` (standard deviation of one period's error) [sales
        units], ``shared`` (part of that variance that all leads have in common) [fraction], ``kin`` (kin_product: the same
        product at other customers; kin_category: products alike; kin_customer: the customer's other products; kin_all),
        ``kin_series`` [count], sorted. No row where a model can be used or there are no kin.

    Notes
    -----
    Mean of a series in its n-th period = base · (a factor for each attribute, the customer, the customer in its category, the
    product) · launch profile(n) · pair · season. The factors come from all series (`fit_levels`). The profile is demand n periods
    after launch, relative to the level a half to a whole year after it, over kin whose launch was seen (ratio of sums, shrunk to
    the general profile and this one to a flat line). The pair's own few periods count with weight Z (`pair_credibility`).
    Sources: profiles of comparable products scaled by an expected level: van Steenbergen and Mes (2020), Forecasting demand
    profiles of new products, Decision Support Systems 139, 113401; the factors and weights: Ohlsson (2008), Combining
    generalized linear models and credibility models in practice, Scandinavian Actuarial Journal 2008, 301–314.
    """
    panel = panel.sort_values([*SERIES, "period"], kind="stable", ignore_index=True)
    grid = panel_grid(panel)
    year = settings.periods_per_year
    days = backtest_origins(grid.periods, folds=folds, horizon=settings.horizon, periods_per_year=year)
    category = _category(grid, categories)
    ways = kin_ways(grid, category, attributes)
    demand, quantity = grid.matrix(panel, "demand"), grid.matrix(panel, "quantity")
    there = np.isfinite(grid.matrix(panel.assign(row=1.0), "row"))
    start = np.where(there.any(axis=1), there.argmax(axis=1), grid.shape[1])
    frames = []
    for day in [*days, grid.periods[-1]]:
        end = int(grid.periods.get_loc(day)) + 1
        ahead = settings.ahead(day)
        past, following = (
            index_matrix(indices, categories=category, seasons=season_of(part, frequency=settings.frequency), origin=day)
            for part in (grid.periods[:end], ahead)
        )
        known = _Known(demand[:, :end] / past, start, (quantity[:, :end] > 0).sum(axis=1), ways, year)
        frames.append(_at_origin(known, grid, following, least_customers=least_customers).assign(origin=day))
    made = pd.concat(frames, ignore_index=True)[list(KIN_KINDS)].astype(KIN_KINDS)
    return made.sort_values([*SERIES, "origin", "lead"], kind="stable", ignore_index=True)


def kin_ways(grid: Grid, category: pd.Series, attributes: pd.DataFrame | None) -> dict[str, np.ndarray]:
    """Return the number of the group of each series for each way to be alike, the widest first; −1 where it is not known."""
    ways = {"category": pd.factorize(category.mask(category == ""), sort=True)[0]}
    for name in [] if attributes is None else [name for name in attributes if name not in ("product_id", "category")]:
        known = attributes.drop_duplicates("product_id").set_index("product_id")[name]
        if pd.api.types.is_numeric_dtype(known) and known.nunique() > _PRICE_BANDS:
            known = pd.qcut(known, _PRICE_BANDS, labels=False, duplicates="drop")
        values = grid.series["product_id"].map(known).astype("object")
        ways[f"attribute_{name}"] = pd.factorize(values.map(str, na_action="ignore"), sort=True)[0]
    ways["customer"] = pd.factorize(grid.series["customer_id"], sort=True)[0]
    if ways["category"].max() > 0:
        both = ways["customer"] * (ways["category"].max() + 2) + ways["category"] + 1
        ways["customer_category"] = pd.factorize(both, sort=True)[0]
    ways["product"] = pd.factorize(grid.series["product_id"], sort=True)[0]
    return ways


def _category(grid: Grid, categories: pd.Series | None) -> pd.Series:
    known = pd.Series(dtype="object") if categories is None else categories
    return grid.series["product_id"].map(known).astype("object").fillna("")


def _at_origin(known: _Known, grid: Grid, following: np.ndarray, *, least_customers: int) -> pd.DataFrame:
    nothing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in KIN_KINDS.items()})
    young = np.flatnonzero(known.young)
    if not len(young):
        return nothing
    profile = launch_profile(known.demand, start=known.start, category=known.ways["category"], year=known.year)
    kin, count, usable = _tiers(known, young, least_customers)
    exposure, recent = _exposure(known, profile), slice(-known.year, None)
    about = {"ways": usable, "year": known.year, "start": known.start}
    size = {"ways": usable, "least_exposure": SHORT[known.year], "launch": _launch_variance(known)}
    levels, with_silent = (
        fit_levels(known.demand[:, recent], exposure[:, recent], silent=silent, **size) for silent in (False, True)
    )
    told = (kin != "") & np.isfinite(levels.expected[young])
    if levels.between is None or with_silent.between is None or not told.any():
        return nothing
    grown = known.begun & (known.demand.shape[1] - known.start >= SHORT[known.year])
    trial = try_kin(known.demand, exposure, grown=grown, shortest=SHORT[known.year], horizon=following.shape[1], **about)
    rows = young[told]
    level, scale, shared = _levels(known, levels, with_silent, trial, rows)
    mean = _profiled(known, level, profile, rows, following)
    lead = np.tile(np.arange(1, following.shape[1] + 1), len(rows))
    frame = grid.series.iloc[np.repeat(rows, following.shape[1])].reset_index(drop=True)
    text = {"kin": np.repeat(kin[told], following.shape[1]), "kin_series": np.repeat(count[told], following.shape[1])}
    numbers = {"scale": np.repeat(scale, following.shape[1]), "shared": np.repeat(shared, following.shape[1])}
    return frame.assign(lead=lead, mean=mean.ravel(), **numbers, **text)


def _levels(
    known: _Known, levels: Levels, with_silent: Levels, trial: Trial, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Level of some series, standard deviation of a period's error, and what all leads share of its square."""
    sold = pair_credibility(levels, rows, trust=trial.trust)
    never = pair_credibility(with_silent, rows)
    silent = levels.own[rows] <= 0
    level, of_level, of_period = (np.where(silent, without, own) for without, own in zip(never, sold, strict=True))
    place = trial.at(np.isfinite(known.demand[rows]).sum(axis=1))
    variance = of_level + of_period
    shared = np.divide(of_level, variance, out=np.zeros(len(rows)), where=variance > 0)
    return level, np.sqrt(np.where(silent, trial.silent[place], trial.width[place]) * variance), shared


def _profiled(known: _Known, level: np.ndarray, profile: np.ndarray, rows: np.ndarray, following: np.ndarray) -> np.ndarray:
    """Level times launch profile times season, series × horizon."""
    age = (known.demand.shape[1] - known.start[rows])[:, None] + np.arange(following.shape[1])[None, :]
    seen = (known.start[rows] > SEEN_AFTER)[:, None]
    shape = profile[known.ways["category"][rows][:, None], np.minimum(age, profile.shape[1] - 1)]
    return level[:, None] * np.where(seen, shape, 1.0) * following[rows]


def _launch_variance(known: _Known) -> np.ndarray:
    """Variance of a launch's first periods around what comes later, of products that began nowhere before the last periods."""
    product, least = known.ways["product"], SHORT[known.year]
    first = np.full(int(product.max(initial=-1)) + 1, known.demand.shape[1])
    np.minimum.at(first, product, known.start)
    age = known.demand.shape[1] - first[product]
    fresh = (age < 2 * least) & (first[product] > SEEN_AFTER)
    return np.where(fresh, LAUNCH_VARIANCE * (1 - age / (2 * least)), 0.0)


def _exposure(known: _Known, profile: np.ndarray) -> np.ndarray:
    """Launch profile of each series and period, NaN where its demand is not known."""
    age = np.arange(known.demand.shape[1])[None, :] - known.start[:, None]
    seen = (known.start > SEEN_AFTER)[:, None]
    shape = np.where(seen, profile[known.ways["category"][:, None], np.clip(age, 0, profile.shape[1] - 1)], 1.0)
    return np.where(np.isfinite(known.demand) & (age >= 0), shape, np.nan)


def _tiers(known: _Known, young: np.ndarray, least_customers: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Nearest kin of each young series, how many they are, and the ways with groups of too few left out."""
    told = known.begun & np.isfinite(known.demand).any(axis=1)
    grown, usable, count = told & ~known.young, {}, {}
    for name, number in known.ways.items():
        own = name.startswith("customer")
        told_by = np.bincount(number[told & (number >= 0)], minlength=number.max(initial=-1) + 2)
        others = _customers(number, known.ways["customer"], told)
        enough = (told_by >= 2) if own else (others > least_customers)
        usable[name] = np.where((number >= 0) & enough[number], number, -1)
        here = told if name == "product" else grown
        size = np.bincount(number[here & (number >= 0)], minlength=number.max(initial=-1) + 2)
        count[name] = np.where(usable[name] >= 0, size[number] - here, 0)[young]
    like = np.max([count[name] for name in count if name == "category" or name.startswith("attribute")], axis=0)
    everybody = np.full(len(young), int(grown.sum()) if len(np.unique(known.ways["customer"][grown])) > least_customers else 0)
    tiers = [count["product"], np.where(like >= LEAST_KIN, like, 0), count["customer"], everybody]
    tiers = [tiers[0], *(np.where(part >= LEAST_KIN, part, 0) for part in tiers[1:])]
    found = np.argmax([part > 0 for part in tiers], axis=0)
    number = np.choose(found, tiers)
    return np.where(number > 0, np.asarray(TIERS, dtype=object)[found], ""), number, usable


def _customers(number: np.ndarray, customer: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Number of customers in each group."""
    pairs = np.unique(np.column_stack([number[told], customer[told]]), axis=0)
    return np.bincount(pairs[pairs[:, 0] >= 0, 0], minlength=int(number.max(initial=-1)) + 2)
