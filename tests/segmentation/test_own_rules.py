"""A user's own segments: each score cell exactly once, errors with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmi_analysis.errors import ParameterError
from cmi_analysis.segmentation.rules import CELL, check_rules
from cmi_analysis.stages.segment_rules import order_of, read_own_rules

GOOD = """\
# ours
segments:
  Key accounts: M5
  Growing: [R4-5 M3-4, "r4-5, f4-5, m1-2"]
  Others:
    - R4-5 F1-3 M1-2
    - R1-3 M1-4
"""


def rules(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yml"
    path.write_text(text, "utf-8")
    return path


def test_own_segments_cover_the_125_cells_once(tmp_path: Path) -> None:
    table = check_rules(read_own_rules(rules(tmp_path, GOOD)))
    assert len(table) == 125
    cells = table.set_index(CELL)["segment"]
    assert (cells[1, 1, 5], cells[5, 5, 1], cells[5, 3, 1], cells[3, 3, 3]) == ("Key accounts", "Growing", "Others", "Others")
    assert order_of(table) == ("Key accounts", "Growing", "Others")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("M5\n", "R5 M4-5\n", r"R5 F1 M4 in line 3 \(Key accounts\) and line 4 \(Growing\)"),
        ("    - R1-3 M1-4\n", "", r"lines 1 to 6; found 60 cells in no line, the first R1 F1 M1"),
        ("R1-3 M1-4", "R1-3 M0-4", r"line 7; found 'R1-3 M0-4'"),
        ("R1-3 M1-4", "R3-1 M1-4", r"line 7; found 'R3-1 M1-4'"),
        ("R1-3 M1-4", "R1-3 R1 M1-4", "line 7"),
        ("R1-3 M1-4", '""', "line 7; found nothing"),
        ("R1-3 M1-4", "{r: 3}", "line 7; found something nested"),
        ("  Key accounts", "  no_orders", r"line 3; found 'no_orders'"),
        ("segments:", "groups:", "the one name 'segments'"),
        ("  Growing:", "  Key accounts:", "a second time"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in GOOD
    path = rules(tmp_path, GOOD.replace(before, after, 1))
    with pytest.raises(ParameterError, match=message) as caught:
        read_own_rules(path)
    assert "own.yml" in str(caught.value)
