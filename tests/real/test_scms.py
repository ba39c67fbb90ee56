"""SCMS deliveries: receipts from vendors alone. They can be checked and measured; no customer report can be made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cmi_analysis.tables.reading import read_tables

pytestmark = pytest.mark.real_data
MAPPING = "params/mappings/scms.yml"


def test_check_says_what_is_set_aside_and_passes(cmi: Any, shared_data: Path) -> None:
    done = cmi("check", str(shared_data / "scms"), "--mapping", MAPPING)
    assert done.returncode == 0, done.stderr
    assert "receipts: 10,319 rows, 5 set aside" in done.stdout
    assert "received_on lies before ordered_on" in done.stdout


def test_no_report_is_made_of_receipts_alone(cmi: Any, shared_data: Path, tmp_path: Path) -> None:
    folders = ("--state", str(tmp_path / "state"), "--out", str(tmp_path / "out"))
    done = cmi("report", "--data", str(shared_data / "scms"), "--mapping", MAPPING, "--as-of", "2015-09-14", *folders)
    assert done.returncode == 2
    assert "To do:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "latest" / "index.html").exists()


def test_lateness_and_lead_time_by_mode_add_up_to_those_known(root: Path, shared_data: Path) -> None:
    reading = read_tables(shared_data / "scms", mapping=root / MAPPING)
    receipts = reading.dataset["receipts"]
    late = receipts["received_on"] > receipts["promised_on"]
    days = (receipts["received_on"] - receipts["ordered_on"]).dt.days
    known = receipts.assign(late=late, days=days)
    # of all 10,324 lines 4,592 say when they were ordered; five of those were received before and are set aside
    assert int(days.notna().sum()) == 4_587
    by = known.groupby(known["transport_mode"].fillna("unknown")).agg(lines=("late", "size"), late=("late", "sum"))
    assert by["lines"].sum() == 10_319
    assert int(by["late"].sum()) == int(late.sum()) == 1_186
    assert (days.dropna() >= 0).all()
