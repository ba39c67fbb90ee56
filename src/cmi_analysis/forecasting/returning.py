"""Items that a rule sets to zero and that come back all the same: how often and with how much, as the back-test found it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import Fold, View
from cmi_analysis.forecasting.fallbacks import RETURNING, ZERO

# a rule that was wrong in fewer periods than this keeps its zeros [fraction]
LEAST_SHARE = 0.05
# fewer periods, and fewer returned series, than this prove nothing
LEAST_PERIODS, LEAST_SERIES = 60, 10
# one period counts as at most so many mean demand sizes [ratio]
MOST_SIZES = 10.0


def return_rates(folds: Sequence[Fold], *, until: pd.Timestamp) -> dict[str, float]:
    """Return what a series set to zero by each rule sold in a period after all, over its mean demand size [ratio].

    Parameters
    ----------
    folds : sequence of Fold
        The back-test; only periods known at `until` count.
    until : pandas.Timestamp
        First day of the last known period.

    Returns
    -------
    dict of str to float
        By rule: Σ demand / Σ mean demand size (``size`` of the series), over all series and periods; only rules that were
        wrong in at least one period in twenty, out of at least 60, and for at least 10 series.

    Notes
    -----
    Where nothing tells stock-outs from a lack of demand, a long silence ends more often than a rule on silences can know. With
    good stock data the rate is below one in twenty, and zero stays zero. The ratio is that of the method of moments in
    Syntetos, Babai and Gardner (2015), Forecasting intermittent inventory demands, Journal of Business Research 68, 1746–1752:
    chance of a demand × its size, pooled over the items.
    """
    rates = {}
    for rule in ZERO:
        demand = size = 0.0
        periods = returned = 0
        series: set[int] = set()
        for fold in folds:
            if fold.view.origin >= until:
                continue
            usual = demand_sizes(fold.view.series)
            rows = (
                (fold.view.series["fallback"] == rule).to_numpy() & (usual > 0) & ~fold.view.series["ended"].to_numpy(dtype=bool)
            )
            known = np.isfinite(fold.actual) & (fold.view.ahead <= until)[None, :] & rows[:, None]
            actual = np.where(known, np.nan_to_num(fold.actual), 0.0)
            demand += float(np.minimum(actual, MOST_SIZES * np.nan_to_num(usual)[:, None]).sum())
            size += float((known * np.nan_to_num(usual)[:, None]).sum())
            periods += int(known.sum())
            returned += int((actual > 0).sum())
            series.update(np.flatnonzero((actual > 0).any(axis=1)).tolist())
        if periods >= LEAST_PERIODS and len(series) >= LEAST_SERIES and returned >= LEAST_SHARE * periods:
            rates[rule] = demand / size
    return rates


def demand_sizes(series: pd.DataFrame) -> np.ndarray:
    """Return each series' mean demand size; without any demand the mean of the product's others, else of all [sales units]."""
    own = series["size"].astype("float64").reset_index(drop=True)
    product = series["product_id"].reset_index(drop=True)
    return own.fillna(own.groupby(product).transform("mean")).fillna(own.mean()).to_numpy()


def revive_series(
    folds: Sequence[Fold], view: View, choice: pd.DataFrame, made: Mapping[str, np.ndarray]
) -> tuple[View, pd.DataFrame, dict[str, np.ndarray]]:
    """Return view, choice and forecasts with a small forecast where a rule says zero and the back-test says that it is not.

    Parameters
    ----------
    folds : sequence of Fold
        The back-test.
    view : View
        What is known at the origin.
    choice : pandas.DataFrame
        As `choose_for_view` returns it, rows as in ``view.series``.
    made : mapping of str to numpy.ndarray
        ``chosen``, ``statistical``, ``combined``, series × horizon [sales units].

    Returns
    -------
    view : View
        ``series`` with the fallback ``returning`` and, as their scale, the mean demand size of the series that got a forecast.
    choice : pandas.DataFrame
        With the model and the reason ``returning`` for them.
    forecasts : dict of str to numpy.ndarray
        As `made`, with the rate of `return_rates` times mean demand size times season for them.
    """
    rates, series = return_rates(folds, until=view.origin), view.series
    size = demand_sizes(series)
    rate = series["fallback"].map(rates).astype("float64").fillna(0.0).to_numpy()
    back = (rate > 0) & (size > 0) & ~series["ended"].to_numpy(dtype=bool)
    if not back.any():
        return view, choice, dict(made)
    mean = (rate * np.where(back, size, 0.0))[:, None] * view.index_next
    forecasts = {name: np.where(back[:, None], mean, values) for name, values in made.items()}
    marked = series.assign(fallback=np.where(back, RETURNING, series["fallback"]), scale=np.where(back, size, series["scale"]))
    named = {name: np.where(back, RETURNING, choice[name]) for name in ("model", "reason")}
    return replace(view, series=marked), choice.assign(**named), forecasts
