"""`forecast_demand`: a whole panel in, a forecast with quantiles for every series out."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.demand import demand_panel, panel_frequency
from cmi_analysis.forecasting.global_model import forecast_globally
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.forecasting.pipeline import FORECAST_COLUMNS, Forecasts, forecast_panel
from cmi_analysis.measures.calendar import period_end

PROFILES = ("standard", "quick")


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
    folds: int = 4,
    profile: str = "standard",
    seed: int = 1,
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
        ``product_id, category``: products whose season is estimated together.
    customer_forecasts : pandas.DataFrame, optional
        ``customer_id, product_id, issued_on, period, quantity`` [sales units].
    folds : int
        Rolling origins of the back-test [count].
    profile : {"standard", "quick"}
        ``quick`` leaves the global boosting model out.
    seed : int
        Of everything random.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, period, lead, model, mean, sd, q05 … q99, shape``, sorted by series and period. ``model`` is
        the one used, ``zero`` or ``none`` where a rule or nothing stands in its place.

    Raises
    ------
    InputError
        A column is missing, a date or an id cannot be used, the horizon is below one, or a name is not known.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=60, freq="W-MON")
    >>> sales = pd.DataFrame({"customer_id": "C1", "product_id": "P1", "date": days, "quantity": 5.0})
    >>> forecast_demand(sales, horizon=2, frequency="week")["mean"].tolist()
    [5.0, 5.0]
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
        folds=folds,
        profile=profile,
        seed=seed,
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
    folds: int = 4,
    profile: str = "standard",
    seed: int = 1,
) -> Forecasts:
    """Return what `forecast_demand` does, with sums, choice and back-test beside it (`Forecasts`); same parameters."""
    _check_settings(horizon=horizon, folds=folds, profile=profile, frequency=frequency)
    clean = _check_sales(sales)
    length = panel_frequency(frequency)
    if as_of is None and not clean.empty:
        as_of = period_end(clean["date"], frequency=length, week_start=week_start).max().date()
    if as_of is None:
        return _nothing()
    panel = demand_panel(clean, as_of=as_of, frequency=frequency, week_start=week_start, stock=stock)
    if panel.empty:
        return _nothing()
    categories = None if attributes is None else attributes.drop_duplicates("product_id").set_index("product_id")["category"]
    settings = Settings(length, week_start, horizon)
    boosting = None
    if profile == "standard":
        told = {"prices": _prices(clean, prices, as_of), "promotions": promotions, "categories": categories, "seed": seed}
        boosting = forecast_globally(panel, settings=settings, folds=folds, **told)
    return forecast_panel(
        panel,
        horizon=horizon,
        frequency=length,
        week_start=week_start,
        folds=folds,
        categories=categories,
        customer_forecasts=customer_forecasts,
        boosting=boosting,
        compared=("naive", "seasonal_naive", "chosen"),
    )


def _check_settings(*, horizon: int, folds: int, profile: str, frequency: str) -> None:
    for name, value in (("horizon", horizon), ("folds", folds)):
        if value < 1:
            raise InputError(expected=f"'{name}' of at least 1", found=str(value), fix="Give a whole number of periods.")
    if profile not in PROFILES:
        raise InputError(expected=f"a profile out of {', '.join(PROFILES)}", found=f"'{profile}'", fix="Choose one of them.")
    if frequency not in ("day", "week", "month"):
        raise InputError(expected="a frequency out of day, week, month", found=f"'{frequency}'", fix="Choose one of them.")


def _check_sales(sales: pd.DataFrame) -> pd.DataFrame:
    """Return the sales with ids as text and dates as dates; rows are never dropped silently."""
    missing = [name for name in (*SERIES, "date", "quantity") if name not in sales]
    if missing:
        raise InputError(
            expected="columns customer_id, product_id, date, quantity",
            found=f"no column {', '.join(missing)}; there are {', '.join(map(str, sales.columns))}",
            fix="Rename the columns.",
        )
    clean = sales.assign(date=pd.to_datetime(sales["date"]), quantity=pd.to_numeric(sales["quantity"], errors="coerce"))
    for name in (*SERIES, "date"):
        empty = clean[name].isna()
        if empty.any():
            row = int(empty.to_numpy().argmax())
            raise InputError(
                expected=f"a value of '{name}' in every row",
                found=f"{int(empty.sum())} rows without one, the first in row {row}",
                fix="Fill it in or leave these rows out.",
            )
    return clean.assign(**{name: clean[name].astype(str) for name in SERIES})


def _prices(sales: pd.DataFrame, prices: pd.DataFrame | None, as_of: dt.date) -> pd.DataFrame | None:
    if prices is None and "unit_price" in sales:
        prices = sales.rename(columns={"unit_price": "price"})[[*SERIES, "date", "price"]]
    if prices is None:
        return None
    known = prices.assign(date=pd.to_datetime(prices["date"]))
    known = known.assign(**{name: known[name].astype(str) for name in SERIES})
    return known[known["date"] <= pd.Timestamp(as_of)]


def _nothing() -> Forecasts:
    empty = pd.DataFrame(columns=FORECAST_COLUMNS)
    return Forecasts(empty, empty, empty, empty, empty, empty)
