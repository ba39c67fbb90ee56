"""The back-test taken apart: by periods ahead, by demand pattern, by customer segment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.fallbacks import ZERO
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.measures.accuracy import coverage, pinball, score_accuracy

SPLITS = ("horizon", "sum", "pattern", "segment")
BREAKDOWN_COLUMNS = ["split", "cell", "n", "demand", "wape", "bias", "mase", "rmsse", "pinball_80", "pinball_95", "coverage"]


def with_naive_change(errors: pd.DataFrame, backtest: pd.DataFrame) -> pd.DataFrame:
    """Return the errors with ``naive_mean`` and ``naive_rms``, the change of each series' history at the origin, as scales.

    Parameters
    ----------
    errors, backtest : pandas.DataFrame
        As in `Forecasts`.
    """
    scales = backtest.drop_duplicates([*SERIES, "origin"])[[*SERIES, "origin", "naive_mean", "naive_rms"]]
    return errors.merge(scales, on=[*SERIES, "origin"], how="left")


def score_breakdown(
    errors: pd.DataFrame, sum_errors: pd.DataFrame, *, segments: pd.Series | None, low: str, high: str
) -> pd.DataFrame:
    """Return the accuracy of the forecast used, pooled over each horizon, demand pattern and customer segment.

    Parameters
    ----------
    errors : pandas.DataFrame
        Single periods as in `Forecasts`, with the scales of `with_naive_change`.
    sum_errors : pandas.DataFrame
        The same for sums over the leads 1 … ``lead``.
    segments : pandas.Series or None
        Segment by ``customer_id`` (index); customers without one are left out of that split.
    low, high : str
        Quantile columns that bound the interval.

    Returns
    -------
    pandas.DataFrame
        ``split`` (horizon: by lead; sum: sums over 1 … lead; pattern; segment), ``cell`` (the lead as text, the pattern, the
        segment), ``n`` [count], ``demand`` [sales units], ``wape, bias, mase, rmsse`` [ratio], ``pinball_80, pinball_95`` (loss
        of the 80 % and 95 % quantile over demand [ratio]), ``coverage`` [fraction; of origins that did not set the interval].
        All pooled: sums over sums.
    """
    named = errors.assign(segment=errors["customer_id"].map(segments) if segments is not None else None)
    parts = [
        _cells(errors, "horizon", "lead", low=low, high=high),
        _cells(sum_errors, "sum", "lead", low=low, high=high),
        _cells(named, "pattern", "pattern", low=low, high=high),
        _cells(named[named["segment"].notna()], "segment", "segment", low=low, high=high),
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _cells(errors: pd.DataFrame, split: str, column: str, *, low: str, high: str) -> pd.DataFrame:
    rows = errors[errors["actual"].notna() & errors["mean"].notna()]
    if rows.empty:
        return pd.DataFrame(columns=BREAKDOWN_COLUMNS)
    scored = score_accuracy(rows, by=[column])
    told = [_quantiles(part, low=low, high=high) for _, part in rows.groupby(column, sort=True, observed=True)]
    table = pd.concat([scored, pd.DataFrame(told)], axis=1)
    return table.assign(split=split, cell=table[column].astype(str))[BREAKDOWN_COLUMNS]


def _quantiles(rows: pd.DataFrame, *, low: str, high: str) -> dict[str, float]:
    demand = rows["actual"].sum()
    loss = {f"pinball_{level}": pinball(rows["actual"], rows[f"q{level}"], level=level / 100) * len(rows) for level in (80, 95)}
    held = rows[~rows["fallback"].isin(ZERO) & (rows["origin"] > rows["origin"].min())]
    inside = coverage(held["actual"], held[low], held[high]) if len(held) else np.nan
    return {name: value / demand if demand > 0 else np.nan for name, value in loss.items()} | {"coverage": inside}
