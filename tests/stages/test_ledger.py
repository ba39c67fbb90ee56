"""What was said stays as it was said."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from cmi_analysis.stages.ledger import read_ledger, write_entry

MAY, JUNE, JULY = dt.date(2026, 5, 31), dt.date(2026, 6, 30), dt.date(2026, 7, 31)


def said(mean: float) -> dict[str, pd.DataFrame]:
    """Return one forecast."""
    return {"forecasts": pd.DataFrame({"customer_id": ["c1"], "mean": [mean]})}


def write(state: Path, day: dt.date, key: str, mean: float, *, backfill: bool = False) -> bool:
    """Write a forecast entry of group g."""
    return write_entry(state, group="g", stage="forecast", as_of=day, key=key, frames=said(mean), backfill=backfill)


def test_an_entry_is_written_once_and_never_again(tmp_path: Path) -> None:
    assert write(tmp_path, MAY, "k1", 1.0)
    assert not write(tmp_path, MAY, "k1", 2.0)
    frames, _ = read_ledger(tmp_path, group="g", before=JUNE)
    assert frames["forecasts"]["mean"].tolist() == [1.0]


def test_the_review_reads_the_first_published_of_each_earlier_as_of(tmp_path: Path) -> None:
    for day, key, mean in ((MAY, "k1", 1.0), (MAY, "k2", 2.0), (JUNE, "k3", 3.0), (JULY, "k4", 4.0)):
        assert write(tmp_path, day, key, mean)
    frames, _ = read_ledger(tmp_path, group="g", before=JULY)
    assert frames["forecasts"][["mean", "as_of"]].values.tolist() == [[1.0, pd.Timestamp(MAY)], [3.0, pd.Timestamp(JUNE)]]


def test_a_run_older_than_the_newest_entry_does_not_write_unless_it_is_marked_and_then_never_counts(tmp_path: Path) -> None:
    assert write(tmp_path, JUNE, "k1", 1.0)
    assert not write(tmp_path, MAY, "k2", 2.0)
    assert write(tmp_path, MAY, "k3", 3.0, backfill=True)
    frames, _ = read_ledger(tmp_path, group="g", before=JULY)
    assert frames["forecasts"]["mean"].tolist() == [1.0]


def test_another_group_or_no_entry_gives_nothing_and_the_key_tells_entries_apart(tmp_path: Path) -> None:
    empty, none_key = read_ledger(tmp_path, group="g", before=JULY)
    write(tmp_path, MAY, "k1", 1.0)
    other, other_key = read_ledger(tmp_path, group="h", before=JULY)
    _, key = read_ledger(tmp_path, group="g", before=JULY)
    assert (empty, other) == ({}, {})
    assert none_key == other_key != key
