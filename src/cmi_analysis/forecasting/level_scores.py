"""What the levels of a forecast come to over the horizon, and how good each was, by itself and reconciled."""

from __future__ import annotations

import pandas as pd

from cmi_analysis.forecasting.distribution import cumulate, fit_spread, forecast_quantiles
from cmi_analysis.forecasting.levels import Levels
from cmi_analysis.measures.accuracy import score_accuracy

ORDER = {"all": 0, "customer": 1, "category": 2, "product": 3, "bottom": 4}
_KEYS = ["total_level", "node"]
_SCORES = ["wape_base", "bias_base", "wape", "bias"]
NODE_COLUMNS = [*_KEYS, "base", "mean", "low", "high", *_SCORES]
LEVEL_COLUMNS = ["total_level", "nodes", "base", "mean", "low", "high", "n", *_SCORES]


def score_levels(levels: Levels, *, low: str, high: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row a level, and one row a node above the items.

    Parameters
    ----------
    levels : Levels
        As `reconcile_views` returns it.
    low, high : str
        Quantile columns of the interval.

    Returns
    -------
    levels : pandas.DataFrame
        ``total_level`` (all, customer, category, product, bottom), ``nodes`` [count], ``base, mean``: forecasts over the horizon
        added up, each level by itself and reconciled [sales units], ``low, high``: interval of the total [sales units],
        ``n`` [forecasts scored], ``wape_base, bias_base, wape, bias``: over all origins and leads [ratio].
    nodes : pandas.DataFrame
        The same by ``total_level, node``, each with the interval of its own sum.

    Notes
    -----
    Intervals: as those of the items' sums (`fit_spread`), from errors of sums of reconciled forecasts of the same level.
    """
    ahead, errors = (frame.rename(columns={"level": "total_level"}) for frame in (levels.forecasts, levels.errors))
    ahead["mean"] = ahead["mean"].fillna(0.0)
    sums = _with_interval(ahead[ahead["total_level"] != "bottom"], errors[errors["total_level"] != "bottom"], low, high)
    nodes = sums.merge(_scored(errors, _KEYS), on=_KEYS, how="left")
    nodes = nodes.assign(order=nodes["total_level"].map(ORDER)).sort_values(["order", "node"], ignore_index=True)
    added = ahead.groupby("total_level", sort=True).agg(nodes=("node", "nunique"), base=("base", "sum"), mean=("mean", "sum"))
    total = nodes[nodes["total_level"] == "all"].iloc[0]
    rows = added.reset_index().assign(low=total["low"], high=total["high"])
    rows = rows.merge(_scored(errors, ["total_level"]), on="total_level", how="left")
    rows = rows.assign(order=rows["total_level"].map(ORDER)).sort_values("order", ignore_index=True)
    return rows[LEVEL_COLUMNS].astype({"n": "float64"}), nodes[NODE_COLUMNS]


def _scored(errors: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    own = score_accuracy(errors, by=by)[[*by, "n", "wape", "bias"]]
    base = score_accuracy(errors.assign(mean=errors["base"]), by=by)[[*by, "wape", "bias"]]
    return own.merge(base.rename(columns={"wape": "wape_base", "bias": "bias_base"}), on=by, how="left")


def _with_interval(ahead: pd.DataFrame, errors: pd.DataFrame, low: str, high: str) -> pd.DataFrame:
    """Forecasts added up over the horizon, with the interval of the reconciled sum."""
    fixed = {"whole": False, "fallback": ""}
    came = cumulate(errors, by=[*_KEYS, "origin"], columns=["actual", "mean"])
    came = came.assign(periods=came["lead"], pattern=came["total_level"], **fixed)
    sums = cumulate(ahead, by=_KEYS, columns=["base", "mean"])
    sums = sums[sums["lead"] == ahead["lead"].max()]
    sums = sums.assign(periods=sums["lead"], pattern=sums["total_level"], **fixed).reset_index(drop=True)
    made = forecast_quantiles(sums, spread=fit_spread(came))
    return made.assign(low=made[low], high=made[high])[[*_KEYS, "base", "mean", "low", "high"]]
