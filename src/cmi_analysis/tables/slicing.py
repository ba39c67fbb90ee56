"""What was known when: the only place that applies the contract's known-on rules.

A row is known on its ``known_on`` where it has one, else on the date that the table's schema names, else always. A value that
belongs to a later event is blank until that event. Where the contract is silent, the stricter reading counts:

- *deliveries* are known on the earlier of ``shipped_on`` and ``delivered_on``; a delivery without any date is not known.
- *orders*: delivered quantity and errors are known on ``delivered_on`` (on ``shipped_on`` only where the table has no column
  ``delivered_on``). Where the source dates neither, they cannot be placed in time and stay blank: give the mapping a date.
  ``status`` is known once the line is delivered or wholly cancelled; until then it is blank, the line is open.
- *promised_on*, *expected_on* count as plans made with the row: only the first promise belongs there.
- *in_transit* is a snapshot without a date. It counts as taken on the data set's newest date (`default_as_of`): an earlier slice
  has no such rows. `stamp_snapshots` writes that date into ``known_on``.
- *control_totals* are known when their period is over: a period that starts on the first of a month counts as a month.
- *feeds* are known on ``due_on``; *assortment*, *contracts*, *costs* and *targets* always, also those valid from a later date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.tables.dataset import DataSet
from cmi_analysis.tables.hashing import sort_rows
from cmi_analysis.tables.schemas import SCHEMAS

_SNAPSHOTS = ("in_transit",)


def slice_as_of(dataset: DataSet, as_of: dt.date) -> DataSet:
    """Return what of `dataset` was known at the end of the day `as_of`.

    Parameters
    ----------
    dataset : DataSet
        Clean tables of the contract.
    as_of : datetime.date
        Nothing that happened later is in the result.

    Returns
    -------
    DataSet
        The same tables with the rows known then, later events blank; each table sorted by its key and indexed from 0, so that
        the result depends neither on anything later nor on the order of the input's rows. Tables outside the contract are
        left out. Settings and issues are those of `dataset`.
    """
    day = pd.Timestamp(as_of).normalize()
    undated = [name for name in _SNAPSHOTS if _lacks_date(dataset.get(name))]
    source = stamp_snapshots(dataset) if undated else dataset
    frames = {
        name: _known(name, frame, day, dataset.settings.frequency) for name, frame in source.frames.items() if name in SCHEMAS
    }
    return replace(dataset, frames=frames)


def default_as_of(dataset: DataSet) -> dt.date:
    """Return the newest date on which every required table has rows; never the clock.

    Required and dated are `sales` and `orders` (one of them must be there). Where all rows of `sales` stand on first days of
    weeks or months, each stands for its whole period, and the newest date of `sales` is that period's last day; `orders` with
    a row in that period reach it too.

    Raises
    ------
    InputError
        Neither `sales` nor `orders` has a row.
    """
    newest, start = None, None
    if dataset.has("sales", "date"):
        start = pd.Timestamp(dataset["sales"]["date"].max()).normalize()
        newest = _end_of_rows(dataset["sales"]["date"], dataset.settings.frequency, dataset.settings.week_start)
    if dataset.has("orders", "ordered_on"):
        ordered = pd.Timestamp(dataset["orders"]["ordered_on"].max()).normalize()
        newest = ordered if newest is None or ordered < start else newest
    if newest is None:
        raise InputError(
            expected="rows with dates in `sales` or `orders`",
            found=f"tables {', '.join(sorted(dataset.frames)) or '(none)'} without any",
            fix="Add one of the two tables, or map a source to it.",
        )
    return newest.date()


def stamp_snapshots(dataset: DataSet, *, on: dt.date | None = None) -> DataSet:
    """Return `dataset` with undated snapshots (`in_transit`) marked as known on a date.

    Parameters
    ----------
    dataset : DataSet
        Clean tables.
    on : datetime.date, optional
        When the snapshots were taken; the data set's newest date (`default_as_of`) if absent.
    """
    frames = dict(dataset.frames)
    for name in _SNAPSHOTS:
        frame = frames.get(name)
        if frame is None or not _lacks_date(frame):
            continue
        newest = pd.Timestamp(on or default_as_of(dataset))
        given = _dates(frame, "known_on") if "known_on" in frame else pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
        frames[name] = frame.assign(known_on=given.fillna(newest).astype("datetime64[ns]"))
    return replace(dataset, frames=frames)


def _lacks_date(frame: pd.DataFrame | None) -> bool:
    if frame is None or frame.empty:
        return False
    return "known_on" not in frame or bool(frame["known_on"].isna().any())


def _end_of_rows(dates: pd.Series, frequency: str, week_start: str) -> pd.Timestamp:
    """Return the newest date, or the last day of its period where all rows stand on first days of periods."""
    newest = pd.Timestamp(dates.max()).normalize()
    if frequency == "month" and bool((dates.dropna().dt.day == 1).all()):
        return newest + pd.offsets.MonthEnd(1)
    if frequency == "week" and bool((dates.dropna().dt.day_name() == week_start).all()):
        return newest + pd.Timedelta(days=6)
    return newest


def _dates(frame: pd.DataFrame, column: str) -> pd.Series:
    values = frame[column]
    known = pd.api.types.is_datetime64_any_dtype(values)
    return (values if known else pd.to_datetime(values)).astype("datetime64[ns]")


def _known(table: str, frame: pd.DataFrame, day: pd.Timestamp, frequency: str) -> pd.DataFrame:
    schema = SCHEMAS[table]
    known = frame[_row_known(table, frame, day, frequency)]
    # an event's own date first: values are judged by the dates that are known
    blanked = dict.fromkeys(schema.known_on, ()) if len(schema.known_on) > 1 else {}
    blanked = {name: (name,) for name in blanked} | schema.blanked
    events = {name: _dates(known, name) for names in blanked.values() for name in names if name in known}
    changes = {}
    for column in [name for name in blanked if name in known]:
        if column == "status":
            open_ = ~_closed(known, events, day)
        else:
            first = next((name for name in blanked[column] if name in events), None)
            open_ = ~(events[first] <= day) if first else pd.Series(True, index=known.index)
        changes[column] = _blank(known[column], open_)
    return sort_rows(known.assign(**changes), table=table)


def _row_known(table: str, frame: pd.DataFrame, day: pd.Timestamp, frequency: str) -> np.ndarray:
    rules = [name for name in SCHEMAS[table].known_on if name in frame]
    if table == "promotions" and rules:
        known = ~(_dates(frame, "announced_on") > day)  # without an announcement: a plan, always known
    elif table == "control_totals":
        known = _period_end(_dates(frame, "period"), frequency) <= day
    elif rules:
        known = pd.concat([_dates(frame, name) for name in rules], axis=1).min(axis=1) <= day
    else:
        known = pd.Series(table not in _DATED, index=frame.index)
    if "known_on" in frame:
        given = _dates(frame, "known_on")
        known = known.where(given.isna(), given <= day)
    return known.to_numpy(dtype=bool)


def _period_end(period: pd.Series, frequency: str) -> pd.Series:
    days = {"day": 0, "week": 6, "month": 30}[frequency]
    month = period + pd.offsets.MonthEnd(1)
    return (period + pd.Timedelta(days=days)).where(period.dt.day != 1, month)


def _closed(orders: pd.DataFrame, events: dict[str, pd.Series], day: pd.Timestamp) -> pd.Series:
    """Tell which order lines have come to their end: delivered, or cancelled as a whole."""
    last = "delivered_on" if "delivered_on" in events else "shipped_on"
    done = events[last] <= day if last in events else pd.Series(False, index=orders.index)
    if "cancelled_on" not in events:
        return done
    gone = events["cancelled_on"] <= day
    if "quantity_cancelled" in orders:
        gone &= ~(orders["quantity_cancelled"] < orders["quantity_ordered"])
    return done | gone


def _blank(values: pd.Series, open_: pd.Series) -> pd.Series:
    """Return `values`, missing where `open_`; the dtype does not depend on what is blank."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("boolean").mask(open_, pd.NA)
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.astype("datetime64[ns]").dt.normalize().mask(open_, pd.NaT)
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("float64").mask(open_, np.nan)
    text = values.astype("object")
    return text.where(~(open_ | text.isna()), None)


_DATED = frozenset(name for name, schema in SCHEMAS.items() if schema.known_on and name != "promotions")
