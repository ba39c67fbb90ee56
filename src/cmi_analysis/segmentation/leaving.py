"""Who is late: each customer's silence held against its own rhythm."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.segmentation.profile import table_order_days

PRIOR_CV2 = 0.5
PRIOR_WEIGHT = 2.0
RHYTHM = (
    "customer_id",
    "intervals",
    "median_interval_days",
    "mean_interval_days",
    "longest_interval_days",
    "regularity",
    "days_since_last_order",
    "overdue_tail",
    "expected_by_on",
    "leaving_status",
    "value_before_silence",
)


def classify_leaving(
    purchases: pd.DataFrame,
    *,
    as_of: dt.date,
    tail: float = 0.01,
    least_intervals: int = 5,
    silent_days: int = 180,
    latest_intervals: int = 26,
    window_days: int = 365,
    returns: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return for each customer whether its silence is still usual for it.

    Parameters
    ----------
    purchases : pandas.DataFrame
        Frame of `table_purchases`.
    as_of : datetime.date
        Reference date.
    tail : float
        A silence that the customer's own distribution exceeds with at most this probability is unusual [fraction].
    least_intervals : int
        With fewer intervals between orders a rhythm cannot be judged [count].
    silent_days : int
        Whoever has not ordered for longer than this is silent, rhythm or not [days].
    latest_intervals : int
        Only so many of the newest intervals make up the rhythm [count].
    window_days : int
        Days up to the last order whose value is at stake [days].
    returns : pandas.DataFrame, optional
        Frame of `table_returns`: what came back since the start of those days lowers the value at stake.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``intervals`` [count], ``median_interval_days``, ``mean_interval_days``, ``longest_interval_days``
        [days], ``regularity`` (Gamma shape k: 1 random, above 4 regular), ``days_since_last_order`` [days], ``overdue_tail``
        [fraction], ``expected_by_on`` (after this date the customer is overdue), ``leaving_status``,
        ``value_before_silence`` [money], sorted by ``customer_id``.
        The status is "overdue", "silent", "too_few" (no rhythm yet) or "on_time".

    Notes
    -----
    Intervals between order days follow a Gamma distribution with the customer's own mean m and shape k = 1/CV². The CV² of n
    intervals is shrunk towards 0.5 with the weight of two intervals, so that a few equal ones do not make a clock:
    CV² = ((n − 1)·s²/m² + 2·0.5)/(n + 1). A customer is overdue when P(interval > silence) ≤ `tail` *and* the silence is longer
    than its longest interval and than twice its median interval. The last two conditions keep irregular and seasonal customers,
    whose tail the Gamma fits badly, from being called too early. A customer both overdue and silent is "overdue".
    Gamma intervals between purchases: Platzer and Reutterer (2016), Ticking away the moments, Marketing Science 35(5), p. 779.
    """
    orders = table_order_days(purchases, as_of=as_of)
    chosen = {"tail": tail, "least_intervals": least_intervals, "silent_days": silent_days, "window_days": window_days}
    return judge_silence(orders, as_of=as_of, latest_intervals=latest_intervals, returns=returns, **chosen)


def judge_silence(
    orders: pd.DataFrame,
    *,
    as_of: dt.date,
    tail: float = 0.01,
    least_intervals: int = 5,
    silent_days: int = 180,
    latest_intervals: int = 26,
    window_days: int = 365,
    returns: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the frame of `classify_leaving` from the orders known at `as_of` (frame of `table_order_days`)."""
    end = pd.Timestamp(as_of)
    days = orders.groupby(["customer_id", "date"], observed=True, sort=True)["value"].sum().reset_index()
    result = _rhythm(days, latest_intervals=latest_intervals)
    last = days.groupby("customer_id", observed=True)["date"].max()
    result["days_since_last_order"] = (end - last).dt.days.astype("float64")
    judged = result["intervals"] >= least_intervals
    result["overdue_tail"] = _gamma_tail(result, result["days_since_last_order"]).where(judged)
    limit = _overdue_after(result, tail=tail).where(judged)
    result["expected_by_on"] = last + pd.to_timedelta(limit.round(), unit="D")
    overdue = judged & (result["days_since_last_order"] > limit)
    silent = result["days_since_last_order"] > silent_days
    result["leaving_status"] = np.select([overdue, silent, ~judged], ["overdue", "silent", "too_few"], default="on_time").astype(
        object
    )
    result["value_before_silence"] = _since(days, last, days=window_days)
    if returns is not None and len(returns):
        back = _since(returns.loc[returns["date"] <= end], last, days=window_days)
        result["value_before_silence"] = result["value_before_silence"] - back.reindex(result.index).fillna(0.0)
    return result.reset_index()[list(RHYTHM)]


def _since(rows: pd.DataFrame, last: pd.Series, *, days: int) -> pd.Series:
    """Return each customer's value from `days` before its last order on."""
    recent = rows.loc[rows["date"].to_numpy() > last.reindex(rows["customer_id"]).to_numpy() - np.timedelta64(days, "D")]
    return recent.groupby("customer_id", observed=True)["value"].sum()


def _rhythm(days: pd.DataFrame, *, latest_intervals: int) -> pd.DataFrame:
    gaps = days.assign(gap=days.groupby("customer_id", observed=True)["date"].diff().dt.days)
    newest = gaps.groupby("customer_id", observed=True).cumcount(ascending=False) < latest_intervals
    grouped = gaps.loc[newest].groupby("customer_id", observed=True, sort=True)["gap"]
    result = grouped.agg(
        intervals="count", median_interval_days="median", mean_interval_days="mean", longest_interval_days="max", variance="var"
    )
    own = result["variance"] / result["mean_interval_days"] ** 2
    weight = (result["intervals"] - 1).clip(lower=0)
    shrunk = (weight * own.fillna(0.0) + PRIOR_WEIGHT * PRIOR_CV2) / (weight + PRIOR_WEIGHT)
    result["regularity"] = (1 / shrunk).where(result["intervals"] >= 2)
    return result


def _gamma_tail(rhythm: pd.DataFrame, silence: pd.Series) -> pd.Series:
    from scipy.special import gammaincc

    shape = rhythm["regularity"].to_numpy(dtype="float64")
    scaled = shape * silence.to_numpy(dtype="float64") / rhythm["mean_interval_days"].to_numpy(dtype="float64")
    return pd.Series(gammaincc(shape, scaled), index=rhythm.index)


def _overdue_after(rhythm: pd.DataFrame, *, tail: float) -> pd.Series:
    """Return the silence after which a customer is overdue [days]."""
    from scipy.special import gammainccinv

    shape = rhythm["regularity"].to_numpy(dtype="float64")
    unusual = pd.Series(gammainccinv(shape, tail) / shape, index=rhythm.index) * rhythm["mean_interval_days"]
    return pd.concat([unusual, rhythm["longest_interval_days"], 2 * rhythm["median_interval_days"]], axis=1).max(axis=1)
