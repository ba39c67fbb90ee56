"""Where a product stands between launch and end, by what customers used of it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

STAGES = ("launch", "growth", "mature", "decline", "ending", "not_judged")
_ROUNDING = 1e-9


def classify_life_cycle(
    use: pd.DataFrame,
    *,
    as_of: dt.date,
    products: pd.DataFrame | None = None,
    history_from: dt.date | None = None,
    half_year_days: int = 182,
    change: float = 0.20,
    quiet_days: int = 91,
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
        No use for longer than this: ending [days].

    Returns
    -------
    pandas.DataFrame
        ``product_id``, ``first_use_on``, ``last_use_on``, ``quantity`` [last half year], ``quantity_year_ago`` [the same half
        year one year before, missing where the data do not reach back], ``change`` [fraction], ``life_stage``; sorted.

    Notes
    -----
    Rules, the first that holds: ending: ``ends_on`` within half a year, or no use for `quiet_days`; launch: launched, or first
    used after the first quarter of the data, within the last half year; growth and decline: last half year against the same
    half year one year before (so a season does not count as growth); mature: in between; not_judged: no such half year in the
    data.
    """
    end, half = pd.Timestamp(as_of), pd.Timedelta(days=half_year_days)
    year = pd.Timedelta(days=364)  # 52 weeks: the same weekdays
    rows = use.loc[(use["date"] <= end) & (use["quantity"] > 0)]
    start = pd.Timestamp(history_from) if history_from is not None else rows["date"].min()
    result = rows.groupby("product_id", observed=True, sort=True)["date"].agg(first_use_on="min", last_use_on="max")
    result["quantity"] = _sum(rows, end - half, end).reindex(result.index).fillna(0.0)
    before = _sum(rows, end - year - half, end - year).reindex(result.index).fillna(0.0)
    reaches = bool(len(rows)) and start <= end - year - half + pd.Timedelta(days=1)
    result["quantity_year_ago"] = before if reaches else np.nan
    result["change"] = result["quantity"] / result["quantity_year_ago"].where(result["quantity_year_ago"] > 0) - 1
    launched, ends = _plans(products, result.index)
    first = launched.fillna(result["first_use_on"].where(result["first_use_on"] > start + pd.Timedelta(days=quiet_days)))
    rules = [
        (ends <= end + half) | (result["last_use_on"] < end - pd.Timedelta(days=quiet_days)),
        first > end - half,
        result["change"].isna() & (result["quantity_year_ago"] != 0),
        (result["change"] >= change - _ROUNDING) | (result["quantity_year_ago"] == 0),
        result["change"] <= _ROUNDING - change,
    ]
    names = ["ending", "launch", "not_judged", "growth", "decline"]
    result["life_stage"] = np.select(rules, names, default="mature").astype(object)
    return result.reset_index()


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
