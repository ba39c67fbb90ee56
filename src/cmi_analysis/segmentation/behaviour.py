"""How customers order: how often, how regularly, how much at a time, and in which season."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.segmentation.profile import table_order_days

BEHAVIOUR = (
    "customer_id",
    "active_months",
    "months_seen",
    "active_share",
    "order_size",
    "order_size_cv",
    "season_years",
    "season_strength",
    "peak_quarter_share",
    "peak_month",
    "behaviour",
    "order_style",
)


def classify_behaviour(
    purchases: pd.DataFrame,
    *,
    as_of: dt.date,
    use: pd.DataFrame | None = None,
    window_days: int = 365,
    everyday_share: float = 0.75,
    season_likeness: float = 0.7,
    season_peak: float = 0.32,
    new_days: int = 180,
    history_from: dt.date | None = None,
) -> pd.DataFrame:
    """Return how each customer behaves, with the class that the rules in words give it.

    Parameters
    ----------
    purchases : pandas.DataFrame
        Frame of `table_purchases`.
    as_of : datetime.date
        Reference date.
    use : pandas.DataFrame, optional
        ``customer_id``, ``date``, ``quantity``: what the customer used or sold, the better witness of a season; default: what it
        bought.
    window_days : int
        Days looked back on for months and sizes; the part of it in which the customer was one counts [days].
    everyday_share : float
        Share of months with an order from which a customer is "everyday" [fraction].
    season_likeness : float
        Least correlation between the month profiles of one year and the next [ratio].
    season_peak : float
        Least share of the best three months in a row; a flat year has 0.25 [fraction].
    new_days : int
        A customer younger than this, of known age, is "new" and not judged [days].
    history_from : datetime.date, optional
        First date of the data; default: the first purchase.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``active_months``, ``months_seen`` [count], ``active_share`` [fraction], ``order_size`` [money an order],
        ``order_size_cv`` [ratio], ``season_years`` [whole years], ``season_strength`` [correlation of the month profiles of
        successive years, missing below two years], ``peak_quarter_share`` [fraction], ``peak_month`` (1 to 12, middle of the best
        three months), ``behaviour`` (new, seasonal, everyday, sporadic, silent), ``order_style`` (frequent_small, frequent_large,
        rare_small, rare_large: against the medians of the frame), sorted by ``customer_id``.

    Notes
    -----
    Rules, the first that holds: new: known to be younger than `new_days`; silent: no order in the window; seasonal: at least two
    whole years, month profiles alike from year to year, and a peak quarter; everyday: an order in at least three of four
    months; else sporadic.
    """
    end = pd.Timestamp(as_of)
    orders = table_order_days(purchases, as_of=as_of)
    first = orders.groupby("customer_id", observed=True, sort=True)["date"].min()
    start = pd.Timestamp(history_from) if history_from is not None else orders["date"].min()
    inside = orders.loc[orders["date"] > end - pd.Timedelta(days=window_days)]
    inside = inside.assign(month=inside["date"].dt.year * 12 + inside["date"].dt.month)
    result = inside.groupby("customer_id", observed=True).agg(
        active_months=("month", "nunique"), order_size=("value", "mean"), spread=("value", "std"), orders=("value", "size")
    )
    result = result.reindex(first.index)
    tenure = (end - first).dt.days + 1
    result["months_seen"] = np.ceil(np.minimum(tenure, window_days) / (365.25 / 12)).astype("int64")
    result["active_months"] = result["active_months"].fillna(0).astype("int64")
    result["active_share"] = (result["active_months"] / result["months_seen"]).clip(upper=1.0)
    result["order_size_cv"] = result["spread"] / result["order_size"].where(result["order_size"] > 0)
    used = purchases.loc[purchases["known_on"] <= end] if use is None else use.loc[use["date"] <= end]
    result = result.join(score_season(used, as_of=as_of).set_index("customer_id"))
    result["season_years"] = result["season_years"].fillna(0).astype("int64")
    new = (first > start + pd.Timedelta(days=90)) & (tenure <= new_days)
    seasonal = is_seasonal(result, season_likeness=season_likeness, season_peak=season_peak)
    rules = [new, result["active_months"] == 0, seasonal, result["active_share"] >= everyday_share]
    result["behaviour"] = np.select(rules, ["new", "silent", "seasonal", "everyday"], default="sporadic").astype(object)
    result["order_style"] = _style(result)
    return result.reset_index()[list(BEHAVIOUR)]


def score_season(use: pd.DataFrame, *, as_of: dt.date, key: str = "customer_id") -> pd.DataFrame:
    """Return how alike the years of each customer (or category) are, month by month, and when its best quarter is.

    Parameters
    ----------
    use : pandas.DataFrame
        `key`, ``date``, ``quantity`` [sales units].
    as_of : datetime.date
        Reference date; the years are the last 12, 24, … complete months up to it.
    key : str
        Column whose values are judged, each by itself.

    Returns
    -------
    pandas.DataFrame
        `key`, ``season_years``, ``season_strength``, ``peak_quarter_share``, ``peak_month``, sorted by `key`.

    Notes
    -----
    Strength is the mean correlation of the profiles of successive years (12 monthly shares each). Only years in which the
    customer (or category) was there from the first month on count; below two whole years nothing is said of a season.
    """
    after = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    last = after.year * 12 + after.month - 2  # number of the last complete month
    rows = use.assign(month=use["date"].dt.year * 12 + use["date"].dt.month - 1)
    rows = rows.loc[rows["month"] <= last]
    first_month = rows.groupby(key, observed=True, sort=True)["month"].min()
    years = ((last - first_month + 1) // 12).clip(lower=0)
    rows = rows.assign(year=(last - rows["month"]) // 12, place=rows["month"] % 12)
    sums = rows.groupby([key, "year", "place"], observed=True)["quantity"].sum()
    span = max(int(years.max()) if len(years) else 0, 1)
    index = pd.MultiIndex.from_product(
        [first_month.index, range(span), range(12)],
        names=[key, "year", "place"],
    )
    cube = sums.reindex(index, fill_value=0.0).to_numpy(dtype="float64").reshape(len(first_month), span, 12)
    counted = np.arange(cube.shape[1])[None, :] < years.to_numpy()[:, None]
    best = _best_quarter(np.where(counted[:, :, None], cube, 0.0).sum(axis=1))
    enough = years.to_numpy() >= 2
    return pd.DataFrame(
        {
            key: first_month.index,
            "season_years": years.to_numpy(),
            "season_strength": np.where(enough, _likeness(cube, counted), np.nan),
            "peak_quarter_share": np.where(enough, best[0], np.nan),
            "peak_month": pd.Series(best[1] + 1, dtype="Int64").where(pd.Series(enough)).to_numpy(),
        }
    )


def is_seasonal(seasons: pd.DataFrame, *, season_likeness: float = 0.7, season_peak: float = 0.32) -> pd.Series:
    """Tell which rows of a frame with ``season_strength`` and ``peak_quarter_share`` are seasonal; missing values are not."""
    return (seasons["season_strength"] >= season_likeness) & (seasons["peak_quarter_share"] >= season_peak)


def score_promotion_share(use: pd.DataFrame, *, as_of: dt.date, window_days: int = 365) -> pd.DataFrame:
    """Return the share of each customer's use that fell into promotions.

    Parameters
    ----------
    use : pandas.DataFrame
        ``customer_id``, ``date``, ``quantity`` [sales units], ``promotion`` (yes, no or unknown).
    as_of, window_days
        Reference date, and days up to it [days].

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``promotion_share`` [fraction of the units whose flag is known], sorted by ``customer_id``.
    """
    end = pd.Timestamp(as_of)
    rows = use.loc[(use["date"] > end - pd.Timedelta(days=window_days)) & (use["date"] <= end) & (use["quantity"] > 0)]
    flag = rows["promotion"].astype("boolean")
    parts = pd.DataFrame({"customer_id": rows["customer_id"], "all": rows["quantity"].where(flag.notna(), 0.0)})
    parts["on"] = rows["quantity"].where(flag.fillna(False).astype(bool), 0.0)
    sums = parts.groupby("customer_id", observed=True, sort=True)[["on", "all"]].sum()
    return (sums["on"] / sums["all"].where(sums["all"] > 0)).rename("promotion_share").reset_index()


def _likeness(cube: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return the mean correlation of successive years; 0 for a year without variation, missing without two years."""
    centred = cube - cube.mean(axis=2, keepdims=True)
    size = np.sqrt((centred**2).sum(axis=2))
    product = (centred[:, 1:] * centred[:, :-1]).sum(axis=2)
    scale = size[:, 1:] * size[:, :-1]
    correlation = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
    pairs = counted[:, 1:] & counted[:, :-1]
    return np.divide(
        (correlation * pairs).sum(axis=1), pairs.sum(axis=1), out=np.full(len(cube), np.nan), where=pairs.sum(axis=1) > 0
    )


def _best_quarter(months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of the best three months in a row of the round year, and the number (0 to 11) of the middle one."""
    around = months + np.roll(months, 1, axis=1) + np.roll(months, -1, axis=1)
    total = months.sum(axis=1)
    share = np.divide(around.max(axis=1), total, out=np.full(len(months), np.nan), where=total > 0) if len(months) else total
    return share, around.argmax(axis=1) if len(months) else np.zeros(0, dtype="int64")


def _style(result: pd.DataFrame) -> np.ndarray:
    rate = result["orders"] / result["months_seen"]
    often = rate >= _middle(rate)
    large = result["order_size"] >= _middle(result["order_size"])
    silent = result["active_months"] == 0
    names = ["", "frequent_large", "frequent_small", "rare_large"]
    return np.select([silent, often & large, often, large], names, default="rare_small").astype(object)


def _middle(values: pd.Series) -> float:
    known = values.dropna().to_numpy(dtype="float64")
    return float(np.median(known)) if len(known) else float("nan")
