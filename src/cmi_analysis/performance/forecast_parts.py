"""Parts of the KPIs of forecasts and collaboration: WAPE, bias, conversion, value added, data sharing, bullwhip."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.measures.calendar import Frequency, is_complete, period_range, period_start, shift_periods
from cmi_analysis.performance.parts import kpi_parts

ITEM = ["customer_id", "product_id"]


def period_totals(
    frame: pd.DataFrame, *, frequency: Frequency, week_start: str, as_of: dt.date, date: str = "date"
) -> pd.DataFrame:
    """Return the quantity of each item and complete period, from a frame with a date and a quantity.

    Returns
    -------
    DataFrame
        Columns customer_id, product_id, period, quantity; only periods complete at `as_of`.
    """
    rows = frame.dropna(subset=[date])
    rows = rows.assign(period=period_start(rows[date], frequency=frequency, week_start=week_start))
    rows = rows[is_complete(rows["period"], as_of=as_of, frequency=frequency, week_start=week_start)]
    return rows.groupby([*ITEM, "period"], as_index=False, sort=True)["quantity"].sum()


def ordered_quantities(orders: pd.DataFrame) -> pd.DataFrame:
    """Return what was asked for, dated by requested_on, else ordered_on: columns customer_id, product_id, date, quantity."""
    date = orders["ordered_on"]
    if "requested_on" in orders:
        date = pd.to_datetime(orders["requested_on"]).fillna(date)
    return orders[ITEM].assign(date=date, quantity=orders["quantity_ordered"].astype(float))


def compare_forecasts(
    actual: pd.DataFrame,
    shared: pd.DataFrame,
    *,
    lag: int,
    frequency: Frequency,
    week_start: str = "Monday",
    silent_until: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Return actual, forecast and naive forecast of each item and period at a lag.

    The forecast of a period is the newest one issued by the first day of the period `lag - 1` earlier; the naive forecast is the
    actual of the period `lag` earlier. Only items and periods with all three are compared. Where the actuals never hold zero,
    an item counts as zero in periods in which its customer reported other items; else such a period is not known.

    Parameters
    ----------
    actual : DataFrame
        Columns customer_id, product_id, period, quantity.
    shared : DataFrame
        Columns customer_id, product_id, issued_on, period, quantity.
    lag : int
        [periods]; 1 = issued before the period began.
    silent_until : Timestamp, optional
        A period without any row is zero up to this one, for orders (nobody ordered); None: it is not known, for reported sales.

    Returns
    -------
    DataFrame
        Columns customer_id, product_id, period, actual, forecast, naive.
    """
    rows = shared.dropna(subset=["quantity", "period"])
    rows = rows.assign(period=period_start(rows["period"], frequency=frequency, week_start=week_start))
    latest = shift_periods(rows["period"], 1 - lag, frequency=frequency, week_start=week_start)
    rows = rows[rows["issued_on"] <= latest].sort_values([*ITEM, "period", "issued_on", "quantity"], kind="stable")
    rows = rows.groupby([*ITEM, "period"], sort=True).tail(1)
    rows = rows[[*ITEM, "period", "quantity"]].rename(columns={"quantity": "forecast"})
    rows = rows.assign(before=shift_periods(rows["period"], -lag, frequency=frequency, week_start=week_start))
    every = None
    if silent_until is not None and not actual.empty:
        every = period_range(actual["period"].min(), silent_until, frequency=frequency, week_start=week_start)
    grid = _reported(actual, every)
    joined = rows.merge(grid.rename(columns={"quantity": "actual"}), on=[*ITEM, "period"])
    joined = joined.merge(grid.rename(columns={"quantity": "naive", "period": "before"}), on=[*ITEM, "before"])
    out = joined[[*ITEM, "period", "actual", "forecast", "naive"]]
    return out.sort_values([*ITEM, "period"], kind="stable").reset_index(drop=True)


def _reported(actual: pd.DataFrame, every: pd.DatetimeIndex | None = None) -> pd.DataFrame:
    """Fill items with zero in periods in which their customer reported (or in `every`), from their first period on.

    A table that writes zeros itself is left as it is: there, a period without a row is not known.
    """
    if actual.empty or (every is None and (actual["quantity"] == 0).any()):
        return actual
    periods = actual[["customer_id", "period"]].drop_duplicates()
    if every is not None:
        periods = periods[["customer_id"]].drop_duplicates().merge(pd.DataFrame({"period": every}), how="cross")
    items = actual.groupby(ITEM, as_index=False, sort=True)["period"].min().rename(columns={"period": "first"})
    grid = items.merge(periods, on="customer_id")
    grid = grid[grid["period"] >= grid["first"]].merge(actual, on=[*ITEM, "period"], how="left")
    return grid[[*ITEM, "period", "quantity"]].assign(quantity=grid["quantity"].fillna(0.0))


def accuracy_parts(compared: pd.DataFrame, *, kpi: str) -> pd.DataFrame:
    """Return parts of ``wape`` Σ|A - F|/ΣA, ``wape_naive``, ``bias`` Σ(F - A)/ΣA, ``fva`` or ``forecast_conversion`` ΣA/ΣF."""
    actual, forecast, naive = compared["actual"], compared["forecast"], compared["naive"]
    top = {
        "wape": (actual - forecast).abs(),
        "wape_naive": (actual - naive).abs(),
        "bias": forecast - actual,
        "fva": (actual - naive).abs() - (actual - forecast).abs(),
        "forecast_conversion": actual,
    }[kpi]
    bottom = forecast if kpi == "forecast_conversion" else actual
    return kpi_parts(compared, date=compared["period"], numerator=top, denominator=bottom, cluster=compared["customer_id"])


def sharing_parts(feeds: pd.DataFrame, *, as_of: dt.date, cutoff_days: int = 0) -> pd.DataFrame:
    """Return parts of sharing: deliveries of data received by due date + `cutoff_days` over those due by `as_of`."""
    due = feeds[feeds["due_on"] + pd.Timedelta(days=cutoff_days) <= pd.Timestamp(as_of)]
    timely = due["received_on"] <= due["due_on"] + pd.Timedelta(days=cutoff_days)
    return kpi_parts(due, date=due["due_on"], numerator=timely.astype(float), denominator=1.0)


def score_bullwhip(
    orders: pd.DataFrame, demand: pd.DataFrame, *, season: pd.Series | None = None, draws: int = 400, seed: int = 1
) -> tuple[float, float, float, float, float]:
    """Return the bullwhip ratio of one pair of series with its interval.

    (Var q / q̄²) / (Var d / d̄²), both series divided by the demand's seasonal index (Fransoo and Wouters, 2000, on the
    aggregation; the squared coefficients of variation make it free of the unit).

    Parameters
    ----------
    orders, demand : DataFrame
        Columns period, quantity: one row per period in the same unit; only periods that both hold count.
    season : Series, optional
        Index of the demand by period; None: no season.
    draws, seed : int
        Moving-block bootstrap over the periods (block of 4).

    Returns
    -------
    tuple of float
        Ratio, CV² of orders, CV² of demand, low and high end of the 95 % interval.

    Examples
    --------
    >>> periods = pd.date_range("2024-01-01", periods=4, freq="W-MON")
    >>> q = pd.DataFrame({"period": periods, "quantity": [0.0, 20.0, 0.0, 20.0]})
    >>> d = pd.DataFrame({"period": periods, "quantity": [9.0, 11.0, 9.0, 11.0]})
    >>> round(score_bullwhip(q, d)[0], 6)  # CV² 1.3333 / 0.013333
    100.0
    """
    pair = orders.merge(demand, on="period", suffixes=("_q", "_d")).sort_values("period", kind="stable")
    index = 1.0 if season is None else pair["period"].map(season).fillna(1.0).to_numpy()
    both = np.column_stack([pair["quantity_q"] / index, pair["quantity_d"] / index]).astype(float)
    if len(both) < 2 or (both.mean(axis=0) <= 0).any():
        return (np.nan,) * 5
    top, bottom = both.var(axis=0, ddof=1) / both.mean(axis=0) ** 2
    ratio = top / bottom if bottom > 0 else np.nan
    low, high = _block_bootstrap(both, draws=draws, seed=seed)
    return float(ratio), float(top), float(bottom), low, high


def _block_bootstrap(both: np.ndarray, *, draws: int, seed: int, block: int = 4) -> tuple[float, float]:
    count = len(both)
    if count < 2 * block or draws < 1:
        return np.nan, np.nan
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, count - block + 1, size=(draws, -(-count // block)))
    rows = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :count]
    drawn = both[rows]
    means = drawn.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = drawn.var(axis=1, ddof=1) / means**2
        ratios = squared[:, 0] / squared[:, 1]
    ratios = ratios[np.isfinite(ratios)]
    return tuple(float(end) for end in np.percentile(ratios, [2.5, 97.5])) if len(ratios) else (np.nan, np.nan)


def seasonal_index(demand: pd.DataFrame) -> pd.Series | None:
    """Return the demand's index by period from its calendar months, or None with fewer than two years.

    Parameters
    ----------
    demand : DataFrame
        Columns period, quantity.
    """
    if demand.empty or (demand["period"].max() - demand["period"].min()).days < 2 * 365 - 31:
        return None
    month = demand["period"].dt.month
    index = demand.groupby(month)["quantity"].mean() / demand["quantity"].mean()
    return pd.Series(month.map(index).to_numpy(), index=demand["period"].to_numpy()).clip(lower=0.1)
