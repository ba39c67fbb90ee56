"""What `propose_orders` is given, checked and brought to one row an item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import KEY

Value = float | int | str | None
"""A number for all items, the name of a column of `position`, or None."""
_LONGEST = 1100
_FORECAST = ("customer_id", "product_id", "period", "mean")


def check_forecasts(forecasts: pd.DataFrame, *, frequency: str) -> pd.DataFrame:
    """Return the forecasts with dates; raise an InputError that names what is wrong with them."""
    if frequency not in ("day", "week", "month"):
        raise InputError(expected="the frequency day, week or month", found=repr(frequency), fix="Name the length of a period.")
    check_columns(forecasts, _FORECAST, what="forecasts")
    if forecasts.empty:
        raise InputError(expected="forecasts of at least one item", found="none", fix="Forecast first: forecast_demand.")
    if forecasts["period"].isna().any() or forecasts[KEY].isna().any().any():
        raise InputError(expected="ids and a period in each forecast", found="rows without", fix="Leave these rows out.")
    rows = _with_text_ids(forecasts).assign(period=pd.to_datetime(forecasts["period"]))
    twice = rows.duplicated([*KEY, "period"])
    if twice.any():
        raise InputError(
            expected="each customer, product and period once in the forecasts",
            found=f"{int(twice.sum())} more, the first {_item(rows[twice])}",
            fix="Add them up, or choose one model.",
        )
    for name in ("mean", "q05", "q95"):
        if name in rows:
            values = _numbers(rows, name, what="forecasts")
            rows[name] = values
            wrong = np.isinf(values) | ((values < 0) if name == "mean" else False)
            if wrong.any():
                raise InputError(
                    expected=f"a forecast {name} that is a number{' of zero or more' if name == 'mean' else ''}",
                    found=f"{values[wrong][0]} of {_item(rows[wrong])}",
                    fix="Take returns out before forecasting, and clip at zero.",
                )
    days = np.diff(np.sort(rows["period"].unique())) / np.timedelta64(1, "D")
    least = {"day": 1.0, "week": 7.0, "month": 28.0}[frequency]
    if len(days) and days.min() < least - 0.1:
        raise InputError(
            expected=f"first days of periods of a {frequency}",
            found=f"two that are {days.min():.3g} days apart",
            fix="Name frequency.",
        )
    return rows


def check_position(position: pd.DataFrame, *, items: pd.DataFrame) -> pd.DataFrame:
    """Return on_hand, on_order, backordered and position of each item; raise an InputError where the stock is not known."""
    check_columns(position, (*KEY, "on_hand"), what="position")
    position = _with_text_ids(position)
    twice = position.duplicated(KEY)
    if twice.any():
        raise InputError(
            expected="each customer and product once in position",
            found=f"{int(twice.sum())} more, the first {_item(position[twice])}",
            fix="Take the newest stock of each.",
        )
    rows = items.merge(position, on=KEY, how="left", validate="one_to_one")
    rows["on_hand"] = _numbers(rows, "on_hand", what="position")
    for name in ("on_order", "backordered"):
        rows[name] = np.nan_to_num(_numbers(rows, name, what="position"), posinf=np.inf) if name in rows else 0.0
    unknown = rows["on_hand"].isna()
    if unknown.any():
        raise InputError(
            expected="the stock on hand of each forecast item",
            found=f"{int(unknown.sum())} items without, the first {_item(rows[unknown])}",
            fix="Count them (0 where the shelf is empty), or leave them out of the forecasts.",
        )
    for name in ("on_hand", "on_order", "backordered"):
        wrong = ~(rows[name].astype("float64") >= 0) | np.isinf(rows[name].astype("float64"))
        if wrong.any():
            raise InputError(
                expected=f"{name} of zero or more",
                found=f"{rows.loc[wrong, name].iloc[0]} of {_item(rows[wrong])}",
                fix="Give a backlog as backordered, not as negative stock.",
            )
    return rows.assign(position=rows["on_hand"] + rows["on_order"] - rows["backordered"])


def spread_value(value: Value, *, name: str, rows: pd.DataFrame) -> np.ndarray | None:
    """Return a number for each item: the one given for all, or that of the column named; None where None is given."""
    if value is None:
        return None
    if isinstance(value, str):
        check_columns(rows, (value,), what=f"position ({name}={value!r})")
        return _numbers(rows, value, what="position")
    return np.full(len(rows), float(value))


def check_range(
    values: np.ndarray | None, *, name: str, rows: pd.DataFrame, above: float | None = None, least: float | None = None,
    below: float | None = None, missing: bool = False, fix: str,
) -> None:  # fmt: skip
    """Raise an InputError that names the first item whose value lies outside ``(above or [least, below)``, or is missing."""
    if values is None:
        return
    wrong = np.isnan(values) if not missing else np.zeros(len(values), dtype=bool)
    wrong |= np.isinf(values)
    wrong |= (values <= above) if above is not None else False
    wrong |= (values < least) if least is not None else False
    wrong |= (values >= below) if below is not None else False
    if wrong.any():
        low = f"above {above:g}" if above is not None else f"of {least:g} or more" if least is not None else ""
        high = f" and below {below:g}" if below is not None else ""
        raise InputError(
            expected=f"a {name} {low}{high} for each item", found=f"{values[wrong][0]} of {_item(rows[wrong])}", fix=fix
        )


_RANGES: Mapping[str, tuple[dict[str, float], bool, str]] = {
    "review_period": (
        {"least": 1.0, "below": _LONGEST + 1.0},
        False,
        "Give the days between two chances to order; 1 for every day.",
    ),
    "holding_cost": ({"least": 0.0}, False, "Give the cost of a unit held for a year."),
    "order_cost": ({"least": 0.0}, False, "Give the cost of an order, 0 where there is none."),
    "unit_cost": ({"least": 0.0}, False, "Give what a unit costs, or leave unit_cost out."),
    "unit_margin": ({"least": 0.0}, False, "Give what is lost with a unit short."),
    "unit_volume": ({"least": 0.0}, False, "Give the space of a unit."),
    "minimum": ({"least": 0.0}, True, "Give the least order of the agreement; leave it empty where there is none."),
    "multiple": ({"least": 0.0}, True, "Give the units of a pack; leave it empty where there is none."),
    "maximum": ({"least": 0.0}, True, "Give the highest stock allowed; leave it empty where there is none."),
    "shelf_life_days": ({"above": 0.0}, True, "Give the days from arrival to expiry; leave it empty where nothing expires."),
}


def read_items(
    forecasts: pd.DataFrame, *, position: pd.DataFrame, numbers: Mapping[str, Value]
) -> tuple[pd.DataFrame, dict[str, np.ndarray | None], str]:
    """Return the forecasts' items with their stock, every number spread over them and checked, and the aim."""
    items = forecasts[KEY].drop_duplicates().sort_values(KEY, kind="stable").reset_index(drop=True)
    rows = check_position(position, items=items)
    values = {name: spread_value(value, name=name, rows=rows) for name, value in numbers.items()}
    if values["review_period"] is None:
        raise InputError(expected="a review_period", found="none", fix="Give the days between two chances to order.")
    aims = {name: values[name] for name in ("shortage_cost", "cycle_service", "shelf_fill")}
    aim, _ = choose_objective(aims, holding_cost=values["holding_cost"], rows=rows)
    for name, (limits, missing, fix) in _RANGES.items():
        check_range(values[name], name=name, rows=rows, missing=missing, fix=fix, **limits)
    return rows, values, aim


def choose_objective(
    given: Mapping[str, np.ndarray | None], *, holding_cost: np.ndarray | None, rows: pd.DataFrame
) -> tuple[str, np.ndarray]:
    """Return the aim, just one of shortage_cost, cycle_service and shelf_fill, and its values; else raise an InputError."""
    named = [name for name, values in given.items() if values is not None]
    if len(named) != 1:
        raise InputError(
            expected="just one aim: shortage_cost, cycle_service or shelf_fill",
            found=" and ".join(named) or "none",
            fix="Give the one that was agreed; with shortage_cost also holding_cost.",
        )
    (name,) = named
    values = given[name]
    assert values is not None
    if name == "shortage_cost":
        check_range(values, name=name, rows=rows, least=0.0, fix="Give the true cost of a unit short, or aim at a service.")
        if holding_cost is None:
            raise InputError(
                expected="a holding_cost beside shortage_cost", found="none", fix="Give the cost of a unit held for a year."
            )
        check_range(holding_cost, name="holding_cost", rows=rows, above=0.0, fix="Give the cost of a unit held for a year.")
    else:
        fix = "Give a fraction such as 0.95: no finite stock keeps 1, and 0 asks for nothing."
        check_range(values, name=name, rows=rows, above=0.0, below=1.0, fix=fix)
    return name, values


def spread_lead_time(lead_time: Value | pd.DataFrame, *, rows: pd.DataFrame) -> pd.DataFrame:
    """Return customer_id, product_id, days, probability of each item from a number, a column of `position`, or a frame."""
    if isinstance(lead_time, pd.DataFrame):
        check_columns(lead_time, ("days",), what="lead_time")
        lead_time = _with_text_ids(lead_time)
        frame = lead_time if "probability" in lead_time else lead_time.assign(probability=1.0)
        keyed = set(KEY) <= set(frame.columns)
        chances = frame if keyed else rows[KEY].merge(frame[["days", "probability"]], how="cross")
        if not (chances["probability"] >= 0).all() or not chances["probability"].sum() > 0:
            raise InputError(expected="chances of zero or more of each lead time", found="others", fix="Give shares.")
        chances = rows[KEY].merge(chances[[*KEY, "days", "probability"]], on=KEY, how="left")
    else:
        days = spread_value(lead_time, name="lead_time", rows=rows)
        if days is None:
            raise InputError(expected="a lead_time", found="none", fix="Give its days, or a frame of days and probability.")
        chances = rows[KEY].assign(days=days, probability=1.0)
    bad = ~chances["days"].astype("float64").between(0, _LONGEST)
    if bad.any():
        raise InputError(
            expected=f"a lead time of zero to {_LONGEST} days for each item",
            found=f"{chances.loc[bad, 'days'].iloc[0]} of {_item(chances[bad])}",
            fix="Correct the dates it comes from, or leave these lines out.",
        )
    return chances


def default_as_of(forecasts: pd.DataFrame, as_of: dt.date | None) -> dt.date:
    """Return as_of, by default the day before the first forecast period; an InputError where every forecast is over by then."""
    day = as_of if as_of is not None else (forecasts["period"].min() - pd.Timedelta(days=1)).date()
    last = forecasts["period"].max()
    if last < pd.Timestamp(day) - pd.Timedelta(days=31):
        raise InputError(
            expected=f"forecasts of days after {day.isoformat()}",
            found=f"none after the period of {last.date().isoformat()}",
            fix="Forecast again, or correct as_of.",
        )
    return day


def _with_text_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its ids as text, by which they are told apart."""
    return frame.assign(**{name: frame[name].astype("object").astype(str) for name in KEY if name in frame})


def _numbers(frame: pd.DataFrame, name: str, *, what: str) -> np.ndarray:
    try:
        return frame[name].to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(expected=f"numbers in {name} of {what}", found=str(error), fix="Convert the column.") from None


def check_columns(frame: pd.DataFrame, names: tuple[str, ...], *, what: str) -> None:
    """Raise an InputError that names the columns that are missing."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InputError(
            expected=f"the columns {', '.join(names)} in {what}", found=f"no {', '.join(missing)}", fix="Add or rename them."
        )


def _item(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    return f"customer {first['customer_id']}, product {first['product_id']}"
