"""A workbook is written beside the run, and a failure is not lost."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from cmi_analysis.report.workbook_file import WORKBOOK, WorkbookWriter, write_group_workbook
from cmi_analysis.tables import Settings


def test_every_group_has_its_workbook_when_the_writer_has_finished(tmp_path: Path) -> None:
    for group in ("a", "b"):
        (tmp_path / group / "tables").mkdir(parents=True)
        pd.DataFrame({"customer_id": [group], "quantity": [2.0]}).to_parquet(tmp_path / group / "tables" / "plan.items.parquet")
    with WorkbookWriter() as books:
        for group in ("a", "b"):
            books.add(tmp_path / group, settings=Settings(), lang="en")
        books.finish()
        found = [load_workbook(tmp_path / group / WORKBOOK)["plan.items"]["A2"].value for group in ("a", "b")]
    assert found == ["a", "b"]


def test_raw_errors_stand_as_parquet_alone_and_the_first_sheet_says_so(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name in ("forecasting.backtest", "forecasting.items"):
        pd.DataFrame({"customer_id": ["C"], "quantity": [2.0]}).to_parquet(tmp_path / "tables" / f"{name}.parquet")
    write_group_workbook(tmp_path, settings=Settings(), lang="en")
    book = load_workbook(tmp_path / WORKBOOK)
    assert book.sheetnames[1:] == ["forecasting.items"]
    said = [row[2].value for row in book.worksheets[0].iter_rows()]
    assert any("tables/forecasting.backtest.parquet" in str(words) for words in said)


def test_a_workbook_that_cannot_be_written_is_told_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "plan.items.parquet").write_bytes(b"no table")
    with WorkbookWriter() as books:
        books.add(tmp_path, settings=Settings(), lang="en")
        with pytest.raises(ValueError, match="arquet"):
            books.finish()
