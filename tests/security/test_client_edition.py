"""The client edition: no cost, margin, priority, allocation rule or supplier in any published file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import html5lib
import numpy as np
import pandas as pd
import pytest

from cmi_analysis.labels import has_text, text
from cmi_analysis.names import (
    CONFIDENTIAL_KPIS,
    NAMES,
    RESULT_NAMES,
    is_confidential,
    is_confidential_param,
    is_internal_frame,
    shown_columns,
)
from cmi_analysis.tables.hashing import safe_name
from security.artefacts import numbers, pieces
from security.conftest import FRACTION, SECRET_NUMBER

GROUP = "Iberia Retail"
NOTEBOOKS = ("segmentation", "forecasting", "inventory_policy", "performance_review")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("security")]


@pytest.fixture(scope="module")
def folder(render: Callable[..., Path]) -> Path:
    """Return the folder of one group's client edition."""
    return render(GROUP, out="client", audience="client") / safe_name(GROUP)


@pytest.fixture(scope="module")
def pages(folder: Path) -> dict[str, Any]:
    """Return the published record of each report."""
    return {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in NOTEBOOKS}


def visible(path: Path, *kinds: str, scope: str | None = None) -> list[str]:
    """Return the texts of a page's elements of these kinds; with `scope` only of table headers of that scope."""
    document = html5lib.parse(path.read_text("utf-8"), namespaceHTMLElements=False)
    chosen = [element for element in document.iter() if element.tag in kinds and scope in (None, element.get("scope"))]
    return [" ".join("".join(element.itertext()).split()) for element in chosen]


def test_no_file_holds_a_planted_confidential_text(folder: Path) -> None:
    found = [name for name, content in pieces(folder) if b"SecretQx" in content]
    assert found == []


def test_no_table_holds_a_planted_confidential_amount(folder: Path, marked_project: Path) -> None:
    secrets = []
    for table, columns in SECRET_NUMBER.items():
        frame = pd.read_csv(marked_project / "data" / "demo" / f"{table}.csv")
        secrets += [frame[column].dropna().astype("float64").to_numpy() for column in columns]
    secret = np.unique(np.concatenate(secrets))
    assert len(secret) > 50
    assert np.allclose((secret * 100) % 1, FRACTION * 100 % 1, atol=1e-6)
    found = [name for name, values in numbers(folder) if np.isclose(values.to_numpy()[:, None], secret, rtol=0, atol=1e-9).any()]
    assert found == []


def test_no_text_holds_a_planted_confidential_amount(folder: Path) -> None:
    amount = re.compile(rb"(?<![\d.])\d{1,7}\.\d\d713(?!\d)")
    found = [(name, amount.findall(content)) for name, content in pieces(folder) if not name.endswith((".parquet", ".xlsx"))]
    assert [(name, hits) for name, hits in found if hits and not name.startswith("workbook.xlsx/xl/worksheets")] == []


def test_no_table_has_a_confidential_column_or_is_an_internal_frame(folder: Path) -> None:
    frames = {path.stem: pd.read_parquet(path) for path in (folder / "tables").glob("*.parquet")}
    assert len(frames) > 30
    assert [name for name in frames if is_internal_frame(name)] == []
    assert {name: set(frame) - set(shown_columns(name, frame)) for name, frame in frames.items() if len(frame.columns)} == {
        name: set() for name, frame in frames.items() if len(frame.columns)
    }
    kpis = {kpi for frame in frames.values() if "kpi" in frame for kpi in frame["kpi"]}
    assert "otif" in kpis
    assert kpis & CONFIDENTIAL_KPIS == set()


def test_no_sheet_and_no_table_of_a_page_has_a_confidential_header(folder: Path) -> None:
    hidden = {text(f"column.{name}") for name in (*NAMES, *RESULT_NAMES) if is_confidential(name)}
    hidden -= {text(f"column.{name}") for name in (*NAMES, *RESULT_NAMES) if not is_confidential(name)}
    hidden -= {text("column.effect")}  # also the effect of a promotion on demand
    sheets = pd.read_excel(folder / "workbook.xlsx", sheet_name=None)
    headers = {str(column) for frame in sheets.values() for column in frame.columns}
    for name in NOTEBOOKS:
        headers |= set(visible(folder / f"{name}.html", "th", scope="col"))
    assert {"Margin", "Supplier", "Unit cost"} & hidden
    assert headers & hidden == set()


def test_a_page_and_its_parameters_keep_what_is_ours(pages: dict[str, Any]) -> None:
    for record in pages.values():
        page = record["page"]
        assert record["audience"] == page["audience"] == "client"
        assert [name for name in {**record["params"], **page["params"]} if is_confidential_param(name)] == []
        assert all(action["effect"] is None and action["cash_ours"] is None for action in page["actions"])
        assert [card["key"] for card in page["cards"] if card["key"] in CONFIDENTIAL_KPIS] == []
        assert [card["key"] for card in page["cards"] if card["key"] in ("dio", "turns") and card["numerator"]] == []
        assert page["tie_out"] == ""


def test_the_executed_notebook_holds_no_confidential_parameter_and_no_output_but_pages_and_pictures(folder: Path) -> None:
    for name in NOTEBOOKS:
        book = json.loads((folder / f"{name}.ipynb").read_text("utf-8"))
        source = "\n".join("".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code")
        assert "assumed_holding_rate" not in source
        assert "assumed_order_cost" not in source
        kinds = {kind for cell in book["cells"] for output in cell.get("outputs", []) for kind in output.get("data", {})}
        assert kinds <= {"text/html", "text/plain", "image/png", "application/vnd.cmi.complete+json"}
        plain = [
            "".join(output["data"]["text/plain"])
            for cell in book["cells"]
            for output in cell.get("outputs", [])
            if "text/plain" in output.get("data", {})
        ]
        assert all(line.startswith("<") or not line for line in plain), plain[:3]


def test_the_pages_name_no_confidential_kpi(folder: Path) -> None:
    words = {text(f"kpi.{kpi}.name") for kpi in CONFIDENTIAL_KPIS if has_text(f"kpi.{kpi}.name")}
    assert len(words) > 5
    for name in NOTEBOOKS:
        shown = set(visible(folder / f"{name}.html", "th", "td", "p", "h3", "span", "div"))
        assert shown & words == set()


def test_the_sections_that_are_ours_alone_are_gone_with_their_rules(folder: Path) -> None:
    for name, words in (("inventory_policy", "First by priority"), ("segmentation", "Who is leaving")):
        assert words in text({"inventory_policy": "inventory_policy.allocation.question"}.get(name, f"{name}.leaving.question"))
        for suffix in ("html", "ipynb"):
            assert words not in (folder / f"{name}.{suffix}").read_text("utf-8")


def test_the_ledger_keeps_the_whole_plan(folder: Path, marked_project: Path) -> None:
    entries = marked_project / "state" / "ledger" / safe_name(GROUP) / "plan"
    policies = [pd.read_parquet(path) for path in entries.rglob("policies.parquet")]
    assert all("owner_cost" in frame for frame in policies)
    assert policies


def test_the_other_edition_is_refused_in_the_same_folder(folder: Path, render: Callable[..., Path]) -> None:
    with pytest.raises(AssertionError, match="one edition in the folder of a group"):
        render(GROUP, out="client", audience="internal")
