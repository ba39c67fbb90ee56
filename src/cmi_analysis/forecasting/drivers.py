"""What moves demand, read simply: season, year on year, promotions; described, not part of the forecast but for the season."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.grid import SERIES, panel_grid
from cmi_analysis.forecasting.promotion_lift import score_promotions
from cmi_analysis.measures.intervals import bootstrap_ratio

DRIVER_COLUMNS = ["driver", "category", "season", "effect", "low", "high", "n"]


def score_drivers(
    panel: pd.DataFrame, indices: pd.DataFrame, *, categories: pd.Series, periods_per_year: int, seed: int
) -> pd.DataFrame:
    """Return the effects of season, year and promotion on demand.

    Parameters
    ----------
    panel : pandas.DataFrame
        As `demand_panel` returns it.
    indices : pandas.DataFrame
        Seasonal indices of the newest origin: ``category, season, index, n, used``.
    categories : pandas.Series
        Category by product_id (index).
    periods_per_year, seed : int
        52 or 12; seed of the bootstrap over series.

    Returns
    -------
    pandas.DataFrame
        ``driver``: season (the strongest month of a category, its index − 1), year (demand of the last 12 months against the 12
        before, items known in both), promotion, after_promotion, promotion_net (`promotion_lift.score_promotions`);
        ``category, season`` (month), ``effect`` [ratio], ``low, high`` (95 % interval), ``n`` [series, or months].
    """
    rows = _season_rows(indices, set(panel["product_id"].map(categories).astype("object").fillna("")))
    grid = panel_grid(panel)
    demand = grid.matrix(panel, "demand")
    names = (grid.series["customer_id"] + "\x1f" + grid.series["product_id"]).to_numpy()
    year = periods_per_year
    if demand.shape[1] >= 2 * year:
        both = np.isfinite(demand[:, -2 * year])
        last, before = (np.nansum(part, axis=1) for part in (demand[:, -year:], demand[:, -2 * year : -year]))
        rows.append({"driver": "year"} | _effect((last - before)[both], before[both], names[both], seed))
    frequency = "month" if year == 12 else "week"
    rows += score_promotions(panel, frequency=frequency, periods_per_year=year, categories=categories).to_dict("records")
    frame = pd.DataFrame(rows, columns=DRIVER_COLUMNS)
    frame["category"] = frame["category"].astype("object").fillna("")
    return frame


def _season_rows(indices: pd.DataFrame, categories: set[str]) -> list[dict]:
    used = indices[indices["used"].astype(bool) & indices["category"].isin(categories | {""})]
    own = used[used["category"] != ""]
    rows = []
    for category, part in (own if not own.empty else used).groupby("category", sort=True):
        top = part.sort_values(["index", "season"], ascending=[False, True], kind="stable").iloc[0]
        row = {"driver": "season", "category": category, "season": int(top["season"]), "effect": top["index"] - 1}
        rows.append(row | {"low": np.nan, "high": np.nan, "n": int(top["n"])})
    return rows


def _effect(numerator: np.ndarray, denominator: np.ndarray, names: np.ndarray, seed: int) -> dict[str, float]:
    value, low, high = bootstrap_ratio(numerator, denominator, clusters=names, seed=seed)
    return {"effect": value, "low": low, "high": high, "n": len(names)}


def latest_indices(indices: pd.DataFrame) -> pd.DataFrame:
    """Return the seasonal indices of the newest origin."""
    return indices[indices["origin"] == indices["origin"].max()].reset_index(drop=True)


def describe_life(panel: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return new, ending and dead items with their first and last demand.

    Returns
    -------
    pandas.DataFrame
        `items` in the states new, ending, dead with ``first_on, last_on`` (periods with demand), ``recent`` (demand of the last
        13 periods) [sales units], largest ``recent`` first within new, ending, dead.
    """
    sold = panel[panel["demand"] > 0].groupby(SERIES, sort=True)["period"].agg(first_on="min", last_on="max").reset_index()
    newest = sorted(panel["period"].unique())[-13:]
    recent = panel[panel["period"].isin(newest)].groupby(SERIES, sort=True)["demand"].sum().rename("recent").reset_index()
    life = (
        items[items["state"].isin(["new", "ending", "dead"])]
        .merge(sold, on=SERIES, how="left")
        .merge(recent, on=SERIES, how="left")
    )
    order = life["state"].map({"new": 0, "ending": 1, "dead": 2})
    ordered = life.assign(order=order).sort_values(
        ["order", "recent", *SERIES], ascending=[True, False, True, True], kind="stable"
    )
    return ordered.drop(columns="order").reset_index(drop=True)
