"""`forecast_demand`: a whole panel in, a forecast with quantiles for every series out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.backtest import BACKTEST_COLUMNS, Settings
from cmi_analysis.forecasting.cluster import cluster_workers
from cmi_analysis.forecasting.demand import demand_panel, panel_frequency
from cmi_analysis.forecasting.distribution import QUANTILES
from cmi_analysis.forecasting.global_model import forecast_globally
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.forecasting.holidays import SCOPES
from cmi_analysis.forecasting.inputs import check_settings, read_day, read_flags, read_rows
from cmi_analysis.forecasting.models import MODELS
from cmi_analysis.forecasting.pipeline import (
    AHEAD_COLUMNS,
    ERROR_COLUMNS,
    FORECAST_COLUMNS,
    SUM_COLUMNS,
    Forecasts,
    forecast_panel,
)
from cmi_analysis.forecasting.selection import CHOICE_COLUMNS
from cmi_analysis.measures.calendar import period_end

PROFILES = ("standard", "quick")
# models of the quick profile: the references and the members of the combination that need no training
_QUICK = ("naive", "seasonal_naive", "mean", "theta")
_TEXTS = (*SERIES, "model", "shape", "state", "pattern", "statistical", "reason", "fallback")
_KINDS = dict.fromkeys(_TEXTS, "object") | dict.fromkeys(("period", "origin"), "datetime64[ns]")
_KINDS |= dict.fromkeys(("lead", "periods", "kin_series"), "int64") | {"whole": "bool"}


def forecast_demand(
    sales: pd.DataFrame,
    *,
    horizon: int,
    frequency: str,
    as_of: dt.date | None = None,
    week_start: str = "Monday",
    stock: pd.DataFrame | None = None,
    prices: pd.DataFrame | None = None,
    promotions: pd.DataFrame | None = None,
    attributes: pd.DataFrame | None = None,
    customer_forecasts: pd.DataFrame | None = None,
    holidays: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    folds: int = 4,
    profile: str = "standard",
    seed: int = 1,
    client: Any = None,
) -> pd.DataFrame:
    """Return a forecast with quantiles for each customer, product and period ahead.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``customer_id, product_id, date, quantity`` [sales units]; optional ``in_stock`` (bool or fraction of the period),
        ``promotion`` (bool), ``unit_price`` [money] (taken for `prices` where these are not given).
    horizon : int
        Periods ahead [periods].
    frequency : {"day", "week", "month"}
        Of the sales; days are forecast by the week.
    as_of : datetime.date, optional
        The last day known; default the end of the period of the last sale.
    week_start : str
        First day of a week.
    stock : pandas.DataFrame, optional
        ``customer_id, product_id, date, on_hand`` [sales units].
    prices : pandas.DataFrame, optional
        ``customer_id, product_id, date, price`` [money a unit]; past prices only are looked at.
    promotions : pandas.DataFrame, optional
        ``starts_on, ends_on``; optional ``product_id, customer_id, announced_on``: planned windows, future ones too.
    attributes : pandas.DataFrame, optional
        ``product_id``; ``category``: products whose season is estimated together; any more columns (brand, family, price; text or
        number) say which products are alike, for those that are new.
    customer_forecasts : pandas.DataFrame, optional
        ``customer_id, product_id, issued_on, period, quantity`` [sales units].
    holidays : pandas.DataFrame, optional
        ``date, name``, one row a day, past and future: a holiday is looked up by its name where it lay the year before. Optional
        ``customer_id, calendar_id, country, region``: only for those.
    customers : pandas.DataFrame, optional
        ``customer_id`` and those of ``calendar_id, country, region`` by which holidays differ.
    folds : int
        Rolling origins of the back-test [count].
    profile : {"standard", "quick"}
        ``quick``: the mean of last year's mean and Theta, without the global boosting model and other single models, quantiles by
        negative binomial or gamma distribution alone.
    seed : int
        Of everything random.
    client : dask.distributed.Client, optional
        Does the work on single series on a cluster, with the same numbers to the last bit; what needs all series (the season, the
        global model's training, the choice of models) stays here. Needs the extra ``cluster``.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, period, lead, model, mean, sd, q05 … q99, shape``, sorted by series and period. ``model`` is
        the one used, ``zero`` or ``none`` where a rule or nothing stands in its place.

    Raises
    ------
    InputError
        A column is missing, a date, an id or a number cannot be read, the horizon is below one, or a name is not known; names
        table, column and row.

    Notes
    -----
    Bad rows harm their own series at most. Rows of one series and period are added up. Negative quantities are returns and no
    demand. A missing, infinite or absurd quantity (beyond 1e15) makes its period unknown. A series of which nothing is known gets
    model ``none`` and no mean, one that sold nothing ``zero``. One with less than 8 weeks (4 months) or three demands is forecast
    from its kin (``kin``: the same product at other customers, products alike; `forecast_from_kin`), without any ``mean``.
    Ids are told apart by their text. Dates with a time zone count as the day they name. Without sales up to `as_of`, or with an
    `as_of` before the first of them, the frame is empty.

    Examples
    --------
    Five units every week: last year's mean and Theta say 5, Croston's method less its correction 0.95 · 5; their mean.

    >>> days = pd.date_range("2024-01-01", periods=60, freq="W-MON")
    >>> sales = pd.DataFrame({"customer_id": "C1", "product_id": "P1", "date": days, "quantity": 5.0})
    >>> forecast_demand(sales, horizon=2, frequency="week")["mean"].round(4).tolist()
    [4.9167, 4.9167]
    """
    return forecast_all(
        sales,
        horizon=horizon,
        frequency=frequency,
        as_of=as_of,
        week_start=week_start,
        stock=stock,
        prices=prices,
        promotions=promotions,
        attributes=attributes,
        customer_forecasts=customer_forecasts,
        holidays=holidays,
        customers=customers,
        folds=folds,
        profile=profile,
        seed=seed,
        client=client,
        detail=False,
    ).forecasts


def forecast_all(
    sales: pd.DataFrame,
    *,
    horizon: int,
    frequency: str,
    as_of: dt.date | None = None,
    week_start: str = "Monday",
    stock: pd.DataFrame | None = None,
    prices: pd.DataFrame | None = None,
    promotions: pd.DataFrame | None = None,
    attributes: pd.DataFrame | None = None,
    customer_forecasts: pd.DataFrame | None = None,
    holidays: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    folds: int = 4,
    profile: str = "standard",
    seed: int = 1,
    client: Any = None,
    reconciliation: str | None = None,
    detail: bool = True,
) -> Forecasts:
    """Return what `forecast_demand` does, with sums, choice and back-test beside it (`Forecasts`); same parameters and two more.

    ``reconciliation`` (none, bottom_up, proportions, mint): customers, categories, products and the total are forecast too and
    made to add up with the items (``Forecasts.levels``, `reconcile_views`); without it items alone are forecast, and their sums
    are the bottom-up forecasts of every level. ``detail``: without it only forecasts and choice are told, with half the work.
    """
    names = {"profile": profile, "profiles": PROFILES, "frequency": frequency, "week_start": week_start}
    check_settings(horizon=horizon, folds=folds, **names)
    clean = _read_sales(sales)
    length, as_of = panel_frequency(frequency), read_day(as_of)
    told = _read_others(stock, prices, promotions, attributes, customer_forecasts, holidays, customers)
    if as_of is None and not clean.empty:
        as_of = period_end(clean["date"], frequency=length, week_start=week_start).max().date()
    if as_of is None:
        return _nothing()
    panel = demand_panel(clean, as_of=as_of, frequency=frequency, week_start=week_start, stock=told["stock"])
    if panel.empty:
        return _nothing()
    categories, workers = _categories(told["attributes"]), cluster_workers(client)
    boosting = None
    if profile == "standard":
        more = {"prices": _prices(clean, told["prices"], as_of), "promotions": told["promotions"], "categories": categories}
        more |= {name: told[name] for name in ("holidays", "customers")}
        settings = Settings(length, week_start, horizon)
        boosting = forecast_globally(panel, settings=settings, folds=folds, seed=seed, run=workers.run, **more)
    made = forecast_panel(
        panel,
        horizon=horizon,
        frequency=length,
        week_start=week_start,
        folds=folds,
        categories=categories,
        customer_forecasts=told["customer_forecasts"],
        boosting=boosting,
        attributes=told["attributes"],
        workers=workers,
        models=MODELS if profile == "standard" else {name: MODELS[name] for name in _QUICK},
        compared=("naive", "seasonal_naive", "chosen"),
        reconciliation=reconciliation,
        detail=detail,
        shapes=profile == "standard",
    )
    parts = ("forecasts", "sums", "choice", "backtest", "errors", "sum_errors", "ahead")
    return dataclasses.replace(made, **{name: _settle(getattr(made, name)) for name in parts})


def _read_sales(sales: pd.DataFrame) -> pd.DataFrame:
    """Return the sales with ids as text and dates as dates; rows are never dropped silently."""
    optional = ("in_stock", "unit_price")
    clean = read_rows(sales, "sales", dates=["date"], numbers=["quantity"], maybe_numbers=optional)
    if clean is None:
        raise InputError(
            expected="columns customer_id, product_id, date, quantity in 'sales'", found="none", fix="Give at least the columns."
        )
    return read_flags(clean, "promotion", "sales")


def _read_others(
    stock: pd.DataFrame | None,
    prices: pd.DataFrame | None,
    promotions: pd.DataFrame | None,
    attributes: pd.DataFrame | None,
    customer_forecasts: pd.DataFrame | None,
    holidays: pd.DataFrame | None,
    customers: pd.DataFrame | None,
) -> dict[str, pd.DataFrame | None]:
    """Return what is told beside the sales, checked, by name."""
    scopes = [name for name in SCOPES if name != "customer_id"]
    windows = {"dates": ["starts_on", "ends_on"], "maybe_dates": ["announced_on"], "maybe_ids": SERIES}
    issued = {"dates": ["issued_on", "period"], "numbers": ["quantity"]}
    return {
        "stock": read_rows(stock, "stock", dates=["date"], numbers=["on_hand"]),
        "prices": read_rows(prices, "prices", dates=["date"], numbers=["price"]),
        "promotions": read_rows(promotions, "promotions", ids=(), **windows),
        "attributes": read_rows(attributes, "attributes", ids=["product_id"], maybe_ids=["category"]),
        "customer_forecasts": read_rows(customer_forecasts, "customer_forecasts", **issued),
        "holidays": read_rows(holidays, "holidays", ids=["name"], dates=["date"], maybe_ids=SCOPES),
        "customers": read_rows(customers, "customers", ids=["customer_id"], maybe_ids=scopes),
    }


def _categories(attributes: pd.DataFrame | None) -> pd.Series | None:
    if attributes is None or "category" not in attributes:
        return None
    return attributes.drop_duplicates("product_id").set_index("product_id")["category"]


def _prices(sales: pd.DataFrame, prices: pd.DataFrame | None, as_of: dt.date) -> pd.DataFrame | None:
    if prices is None and "unit_price" in sales:
        prices = sales.rename(columns={"unit_price": "price"})[[*SERIES, "date", "price"]]
    return None if prices is None else prices[prices["date"] <= pd.Timestamp(as_of)]


def _settle(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its texts as objects: pandas 3 makes another kind of them where it builds a column itself."""
    return frame.astype({name: "object" for name in _TEXTS if name in frame})


def _nothing() -> Forecasts:
    """Return forecasts without rows, their columns of the same kinds as ever."""
    scored = [*BACKTEST_COLUMNS, "naive_mean", "naive_rms"]
    held = [*ERROR_COLUMNS, "sd", *QUANTILES, "shape"]
    summed = [*ERROR_COLUMNS, "periods", "sd", *QUANTILES, "shape"]
    columns = (FORECAST_COLUMNS, SUM_COLUMNS, CHOICE_COLUMNS, scored, held, summed, AHEAD_COLUMNS)
    return Forecasts(*(pd.DataFrame({name: pd.Series(dtype=_KINDS.get(name, "float64")) for name in part}) for part in columns))
