"""A report holds only its own group: nothing of another group's customers stands in any of its files, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.tables.hashing import safe_name
from security.artefacts import pieces

GROUPS = ("Gulf Trading", "Nordic Hospitals")
NOTEBOOKS = ("segmentation", "forecasting", "inventory_policy", "performance_review")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("security")]


@pytest.fixture(scope="module")
def customers(marked_project: Path) -> Mapping[str, list[str]]:
    """Return the marked customer ids by group."""
    frame = pd.read_csv(marked_project / "data" / "demo" / "customers.csv", dtype=str, keep_default_na=False)
    frame = frame[frame["customer_id"].str.fullmatch(r"Zq\d{4}Wx7k")]
    return {name: sorted(set(part["customer_id"])) for name, part in frame.groupby("customer_group")}


@pytest.fixture(scope="module")
def folders(render: Callable[..., Path]) -> Mapping[str, Path]:
    """Return the folder of each rendered group, internal edition, which holds the most."""
    latest = render(*GROUPS, out="leaks", audience="internal")
    return {group: latest / safe_name(group) for group in GROUPS}


@pytest.mark.parametrize("group", GROUPS)
def test_no_artefact_of_a_group_holds_a_customer_of_another(
    group: str, folders: Mapping[str, Path], customers: Mapping[str, list[str]]
) -> None:
    foreign = [mark.encode() for name, marks in customers.items() if name != group for mark in marks]
    foreign += [name.encode() for name in GROUPS if name != group]
    found = [(name, mark) for name, content in pieces(folders[group]) for mark in foreign if mark in content]
    assert len(foreign) >= 19
    assert found == []


@pytest.mark.parametrize("group", GROUPS)
def test_the_scan_sees_the_groups_own_customers_in_every_kind_of_artefact(
    group: str, folders: Mapping[str, Path], customers: Mapping[str, list[str]]
) -> None:
    own = [mark.encode() for mark in customers[group]]
    seen = {name for name, content in pieces(folders[group]) if any(mark in content for mark in own)}
    assert {f"{name}.html" for name in NOTEBOOKS} <= seen
    assert {f"{name}.ipynb" for name in NOTEBOOKS} <= seen
    assert any(name.startswith("workbook.xlsx/") for name in seen)
    assert any(name.endswith(".parquet read back") for name in seen)
