"""A result read back is the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.stages.keys import digest, report_key, stage_key
from cmi_analysis.stages.results import read_result, write_result


@dataclass(frozen=True)
class Result:
    """A stage's result with every kind of field."""

    rows: pd.DataFrame
    parts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    assumptions: tuple[str, ...] = ()


def test_frames_mappings_and_scalars_come_back(tmp_path: Path) -> None:
    rows = pd.DataFrame({"customer_id": ["007", "NA"], "quantity": [1.5, None], "period": pd.to_datetime(["2026-01-05", None])})
    write_result(Result(rows, {"a": rows.iloc[:1]}, {"stock": "no stock"}, 3, ("one month",)), tmp_path)
    found = read_result(Result, tmp_path)
    pd.testing.assert_frame_equal(found.rows, rows, check_dtype=False)
    pd.testing.assert_frame_equal(found.parts["a"], rows.iloc[:1], check_dtype=False)
    assert (found.missing, found.count, found.assumptions) == ({"stock": "no stock"}, 3, ("one month",))


def test_a_folder_that_lacks_a_part_says_which(tmp_path: Path) -> None:
    write_result(Result(pd.DataFrame({"a": [1]})), tmp_path)
    (tmp_path / "rows.parquet").unlink()
    with pytest.raises(InputError, match="none for rows"):
        read_result(Result, tmp_path)


def test_every_ingredient_changes_the_key_of_a_report_and_the_order_of_names_does_not() -> None:
    same = {"notebook": "n", "lock": "l", "params": {"a": 1, "b": 2}, "slice_key": "s", "ledger_key": "g"}
    keys = {report_key(**same)} | {report_key(**{**same, name: "other"}) for name in same}  # type: ignore[arg-type]
    assert len(keys) == 1 + len(same)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_a_stage_is_used_again_whatever_the_language_of_the_report() -> None:
    english = stage_key(stage="forecast", params={"horizon": 8, "lang": "en"}, slice_key="s")
    assert english == stage_key(stage="forecast", params={"horizon": 8, "lang": "zh"}, slice_key="s")
    assert english != stage_key(stage="forecast", params={"horizon": 9, "lang": "en"}, slice_key="s")
