"""Slices of the demo: together they hold every row once, and the future changes none of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cmi_analysis.tables import DataSet
from cmi_analysis.tables.ingest import write_dataset
from cmi_analysis.tables.schemas import SCHEMAS
from cmi_analysis.tables.slicing import slice_as_of
from cmi_analysis.tables.store import Store, open_store

MIDDLE = dt.date(2025, 9, 17)


def _members(store: Store) -> dict[str, list[str]]:
    customers = store.read(["customers"])["customers"]
    return {str(name): rows.tolist() for name, rows in customers.groupby("customer_group")["customer_id"]}


def test_the_newest_date_is_the_last_day_of_the_book(demo_store: Any, demo_as_of: dt.date):
    assert demo_store.default_as_of() == demo_as_of == dt.date(2026, 6, 28)


def test_all_slices_together_hold_every_row_known_once(demo_store: Store):
    known = slice_as_of(demo_store.read(), MIDDLE).frames
    parts = [demo_store.read_slice(name, ids, as_of=MIDDLE) for name, ids in _members(demo_store).items()]
    for table in [name for name in known if SCHEMAS[name].partitioned]:
        assert sum(len(part.tables[table]) for part in parts) == len(known[table]), table
        assert len(known[table]) > 0 or table == "in_transit"


@pytest.mark.parametrize("keep_future_rows", [True, False])
def test_the_future_changes_no_slice(demo_store: Store, tmp_path: Path, keep_future_rows: bool):
    """Rows after as_of lose their numbers, or are gone; dates of later events move; keys of all slices stay."""
    frames = dict(demo_store.read().frames)
    day = pd.Timestamp(MIDDLE)
    for name, frame in frames.items():
        rules = [column for column in SCHEMAS[name].known_on if column in frame and name != "promotions"]
        if not rules:
            continue
        later = ~(frame[rules].min(axis=1) <= day)
        numbers = [column for column in frame if pd.api.types.is_float_dtype(frame[column])]
        changed = frame.assign(**{column: frame[column].mask(later, 12345.0) for column in numbers})
        for column, events in SCHEMAS[name].blanked.items():
            if column in events and column in frame:
                changed[column] = changed[column].where(~(frame[column] > day))
        frames[name] = changed if keep_future_rows else changed[~later]
    frames["in_transit"] = demo_store.read(["in_transit"])["in_transit"]  # already dated on the newest day of the whole book
    write_dataset(DataSet(frames, demo_store.settings), state=tmp_path)
    other = open_store(tmp_path)
    # the last Monday's row of sales stands for its week
    assert other.default_as_of() == (demo_store.default_as_of() if keep_future_rows else dt.date(2025, 9, 21))
    for name, ids in list(_members(demo_store).items())[:2]:
        one, two = (store.read_slice(name, ids, as_of=MIDDLE) for store in (demo_store, other))
        for table, frame in one.tables.frames.items():
            pd.testing.assert_frame_equal(frame, two.tables[table], check_exact=True)
        assert one.key == two.key
