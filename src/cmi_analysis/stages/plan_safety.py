"""What makes up the safety stock: shares of the variance over lead time and review period, by class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.position import KEY
from cmi_analysis.inventory.safety_stock import forecast_bias, parameter_variance, split_variance
from cmi_analysis.stages.plan_levels import Levels

SOURCES = {
    "demand_noise": "demand_noise_share",
    "bias": "bias_share",
    "lead_time": "lead_time_share",
    "parameter_error": "parameter_share",
    "rounding": "rounding_share",
}
"""Sources of the variance and the columns of their shares."""


def score_safety_stock(
    levels: Levels, errors: pd.DataFrame, *, step: float, forecast_items: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return by ABC class and in all what the variance behind the safety stock comes from.

    The variance that the back-test measured over the protection interval holds noise, bias and the error of the estimated level
    together: the square of the shrunk bias and the variance of a mean of so many periods are taken out of it, the rest is noise.
    Items are weighted by their standard deviation, as their safety stocks are.

    Parameters
    ----------
    levels : Levels
        The plan.
    errors : pandas.DataFrame
        customer_id, product_id, origin_on, horizon [periods], actual, mean [units].
    step : float
        Days of a period.
    forecast_items : pandas.DataFrame, optional
        customer_id, product_id, periods [count]: history behind each forecast; without it a year.

    Returns
    -------
    pandas.DataFrame
        abc, items, safety_stock, safety_value, demand_noise_share, bias_share, lead_time_share, parameter_share, rounding_share.
    """
    items, over = levels.items, levels.days + levels.review_days[:, None]
    mean, variance = levels.path.mean_at(over), levels.path.variance_at(over)
    whole = (levels.chances * variance).sum(axis=1)
    periods = np.maximum(np.round((levels.chances * over).sum(axis=1) / step), 1).astype("int64")
    bias = _bias(items, errors, periods=periods)
    known = _history(items, forecast_items, step=step)
    level = parameter_variance(variance=whole / periods, periods=known, horizon=periods)
    squares, level = np.minimum(bias**2, whole), np.minimum(level, np.maximum(whole - bias**2, 0.0))
    left = np.divide(whole - squares - level, whole, out=np.ones_like(whole), where=whole > 0)
    pack = np.maximum(np.nan_to_num(items["order_multiple"].to_numpy(dtype="float64"), nan=1.0), 1.0)
    split = split_variance(
        mean=mean,
        variance=variance * np.clip(left, 0.0, 1.0)[:, None],
        chances=levels.chances,
        bias=np.sqrt(squares),
        parameter_variance=level,
        multiple=np.where(items["policy"] == "order_up_to", pack, 1.0),
    )
    weight = np.sqrt(split["variance"].to_numpy())
    rows = items[["abc", "safety_stock"]].assign(items=1, safety_value=items["safety_stock"] * items["owner_cost"], weight=weight)
    rows = rows.assign(**{column: split[name].to_numpy() * weight for name, column in SOURCES.items()})
    rows = pd.concat([rows, rows.assign(abc="all")], ignore_index=True)
    table = rows.groupby("abc", sort=True).sum(min_count=1)
    total = table.pop("weight")
    for column in SOURCES.values():
        table[column] = table[column] / total.where(total > 0)
    return table.reset_index()


def _bias(items: pd.DataFrame, errors: pd.DataFrame, *, periods: np.ndarray) -> np.ndarray:
    """Return the shrunk mean error of each item's forecast over its protection interval, 0 where none was measured [units]."""
    bias = np.zeros(len(items))
    rows = (
        pd.MultiIndex.from_frame(items[KEY]).get_indexer(pd.MultiIndex.from_frame(errors[KEY])) if len(errors) else np.array([])
    )
    used = errors[rows >= 0] if len(errors) else errors
    if used.empty:
        return bias
    origins, origin = np.unique(used["origin_on"].to_numpy(), return_inverse=True)
    horizon = used["horizon"].to_numpy(dtype="int64")
    table = np.full((len(items), len(origins), int(horizon.max())), np.nan)
    table[rows[rows >= 0], origin, horizon - 1] = (used["actual"] - used["mean"]).to_numpy(dtype="float64")
    for length in np.unique(periods):
        here = periods == length
        if length <= table.shape[2]:
            bias[here] = forecast_bias(table[here], periods=int(length))
    return bias


def _history(items: pd.DataFrame, forecast_items: pd.DataFrame | None, *, step: float) -> np.ndarray:
    """Return the periods behind each item's forecast, a year where they are not told."""
    year = max(365 / step, 1.0)
    if forecast_items is None or "periods" not in forecast_items:
        return np.full(len(items), year)
    found = items[KEY].merge(forecast_items[[*KEY, "periods"]].drop_duplicates(KEY), on=KEY, how="left")["periods"]
    return found.fillna(year).clip(lower=1).to_numpy(dtype="float64")
