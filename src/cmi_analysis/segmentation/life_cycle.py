"""Where a product stands between launch and end, by what customers used of it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

STAGES = ("launch", "growth", "mature", "decline", "ending", "not_judged")
_ROUNDING = 1e-9
# fewer dates of use than this show no rhythm
_LEAST_USES = 3
# a silence of more than this times the mean interval has a chance below 1 of 100
_LOG_RARE = float(-np.log(0.01))


def classify_life_cycle(
    use: pd.DataFrame,
    *,
    as_of: dt.date,
    products: pd.DataFrame | None = None,
    history_from: dt.date | None = None,
    half_year_days: int = 182,
    change: float = 0.20,
    quiet_days: int = 91,
    frequency: str = "week",
) -> pd.DataFrame:
    """Return the life-cycle stage of each product that was ever used.

    Parameters
    ----------
    use : pandas.DataFrame
        ``product_id``, ``date``, ``quantity`` [sales units]: sales, else purchases.
    as_of : datetime.date
        Reference date.
    products : pandas.DataFrame, optional
        Table with ``launched_on``, ``ends_on``.
    history_from : datetime.date, optional
        First date of the data, default: the first use of any product. A product used in the first quarter after it is not new.
    half_year_days : int
        Length of the span compared with the same span a year before [days].
    change : float
        Growth or decline from this change on [fraction].
    quiet_days : int
        No use for longer than this, and for longer than the product's rhythm explains: ending [days].
    frequency : {"day", "week", "month"}
        Monthly rows are dated on the first of their month: then spans are six and twelve months instead of days.

    Returns
    -------
    pandas.DataFrame
        ``product_id``, ``first_use_on``, ``last_use_on``, ``quantity`` [last half year], ``quantity_year_ago`` [the same half
        year one year before, missing where the data do not reach back], ``change`` [fraction], ``life_stage``; sorted.

    Notes
    -----
    Rules, the first that holds: ending: ``ends_on`` within half a year, or no use for `quiet_days` and a silence that the
    product's rhythm explains in fewer than 1 of 100 cases; launch: launched within the last half year, or first used in it,
    after the first quarter of the data, where its rhythm since then explains the silence before in fewer than 1 of 100 cases;
    growth and decline: last half year against the same half year one year before (so a season does not count as growth);
    mature: in between; not_judged: no such half year in the data, or used on fewer than three dates and not in that half year.
    The rhythm is a Poisson process: a silence of s days at a mean interval of m days has the chance exp(−s/m).
    """
    end = pd.Timestamp(as_of)
    months = frequency == "month"
    half = pd.DateOffset(months=6) if months else pd.Timedelta(days=half_year_days)
    year = pd.DateOffset(years=1) if months else pd.Timedelta(days=364)  # 52 weeks: the same weekdays
    rows = use.loc[(use["date"] <= end) & (use["quantity"] > 0)]
    start = pd.Timestamp(history_from) if history_from is not None else rows["date"].min()
    result = rows.groupby("product_id", observed=True, sort=True)["date"].agg(first_use_on="min", last_use_on="max")
    ended, began, few = _judge_rhythm(rows, start=start, end=end)
    result["quantity"] = _sum(rows, end - half, end).reindex(result.index).fillna(0.0)
    before = _sum(rows, end - year - half, end - year).reindex(result.index).fillna(0.0)
    reaches = bool(len(rows)) and start <= end - year - half + pd.Timedelta(days=1)
    result["quantity_year_ago"] = before if reaches else np.nan
    result["change"] = result["quantity"] / result["quantity_year_ago"].where(result["quantity_year_ago"] > 0) - 1
    launched, ends = _plans(products, result.index)
    quiet = pd.Timedelta(days=quiet_days)
    first = launched.fillna(result["first_use_on"].where(began & (result["first_use_on"] > start + quiet)))
    rules = [
        (ends <= end + half) | (ended & (result["last_use_on"] < end - quiet)),
        first > end - half,
        (few & ~(result["quantity_year_ago"] > 0)) | (result["change"].isna() & (result["quantity_year_ago"] != 0)),
        (result["change"] >= change - _ROUNDING) | (result["quantity_year_ago"] == 0),
        result["change"] <= _ROUNDING - change,
    ]
    names = ["ending", "launch", "not_judged", "growth", "decline"]
    result["life_stage"] = np.select(rules, names, default="mature").astype(object)
    return result.reset_index()


def _judge_rhythm(rows: pd.DataFrame, *, start: pd.Timestamp, end: pd.Timestamp) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Tell by product whether the silence after its last, and before its first use is longer than its rhythm explains."""
    dates = rows[["product_id", "date"]].drop_duplicates().groupby("product_id", observed=True, sort=True)["date"]
    first, last, uses = dates.min(), dates.max(), dates.size()
    enough = uses >= _LEAST_USES
    interval = (last - first).dt.days / (uses - 1).clip(lower=1)
    since = (end - first).dt.days / uses  # with the silence up to the end: a product of a few busy weeks has not yet shown more
    ended = enough & ((end - last).dt.days > _LOG_RARE * interval)
    began = enough & ((first - start).dt.days > _LOG_RARE * since)
    return ended, began, ~enough


def _sum(rows: pd.DataFrame, after: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
    inside = rows.loc[(rows["date"] > after) & (rows["date"] <= until)]
    return inside.groupby("product_id", observed=True)["quantity"].sum()


def _plans(products: pd.DataFrame | None, index: pd.Index) -> tuple[pd.Series, pd.Series]:
    empty = pd.Series(pd.NaT, index=index, dtype="datetime64[ns]")
    if products is None:
        return empty, empty
    listed = products.drop_duplicates("product_id").set_index("product_id")
    plans = [
        listed[name].reindex(index).astype("datetime64[ns]") if name in listed else empty for name in ("launched_on", "ends_on")
    ]
    return plans[0], plans[1]
