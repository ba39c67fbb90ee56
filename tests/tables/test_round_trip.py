"""Every table of the contract comes back equal from every format."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from cmi_analysis.tables.reading import read_tables
from cmi_analysis.tables.schemas import SCHEMAS, conform, empty_frame

ROWS = 30


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        **{
            name: frame[name].dt.strftime("%Y-%m-%d").astype(object)
            for name in frame
            if pd.api.types.is_datetime64_any_dtype(frame[name].dtype)
        }
    )


def _write(table: str, frame: pd.DataFrame, folder: Path, kind: str) -> None:
    if kind == "csv":
        frame.to_csv(folder / f"{table}.csv", index=False)
    elif kind == "gb18030":
        frame.to_csv(folder / f"{table}.csv", index=False, encoding="gb18030")
    elif kind == "xlsx":
        frame.to_excel(folder / f"{table}.xlsx", index=False, engine="xlsxwriter")
    elif kind == "parquet":
        frame.to_parquet(folder / f"{table}.parquet", index=False)
    elif kind == "duckdb":
        with duckdb.connect(str(folder / "book.duckdb")) as link:
            link.register("given", frame)
            link.execute(f'CREATE TABLE "{table}" AS SELECT * FROM given')
    else:
        with sqlite3.connect(folder / "book.sqlite") as lite:
            _text(frame).to_sql(table, lite, index=False)
        lite.close()


def _sample(demo: Any, table: str) -> pd.DataFrame:
    """Return rows of the demo, or where it lacks the table two made-up ones."""
    frame = demo.tables.get(table)
    assert frame is not None and len(frame), table
    return conform(table, frame.head(ROWS))


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "duckdb", "sqlite"])
@pytest.mark.parametrize("table", list(SCHEMAS))
def test_a_table_comes_back_equal(table: str, kind: str, demo: Any, tmp_path: Path) -> None:
    frame = _sample(demo, table)
    _write(table, frame, tmp_path, kind)
    reading = read_tables(tmp_path, tables=[table])
    back = reading.dataset[table]
    assert reading.dataset.issues["rule"].isin(["tie_out"]).all(), reading.dataset.issues.to_string()
    pd.testing.assert_frame_equal(back, frame, check_like=False)


def test_chinese_names_survive_gb18030(demo: Any, tmp_path: Path) -> None:
    frame = conform("customers", demo.tables["customers"])
    frame = frame[frame["customer_group"].map(lambda name: name.isascii() or "华" in name)].reset_index(drop=True)
    _write("customers", frame, tmp_path, "gb18030")
    pd.testing.assert_frame_equal(read_tables(tmp_path, tables=["customers"]).dataset["customers"], frame)


@pytest.mark.parametrize("table", list(SCHEMAS))
def test_an_empty_table_is_no_fault(table: str, tmp_path: Path) -> None:
    empty_frame(table).to_csv(tmp_path / f"{table}.csv", index=False)
    reading = read_tables(tmp_path, tables=[table])
    assert reading.dataset.issues.empty
    pd.testing.assert_frame_equal(reading.dataset[table], empty_frame(table))


def test_conform_leaves_its_input_alone() -> None:
    frame = pd.DataFrame({"customer_id": ["1"], "product_id": ["2"], "date": ["2024-01-01"], "on_hand": [3], "extra": [1]})
    before = frame.copy(deep=True)
    result = conform("stock", frame)
    pd.testing.assert_frame_equal(frame, before)
    assert list(result) == ["customer_id", "product_id", "date", "on_hand"]
