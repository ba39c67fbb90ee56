"""The written book: bytes, bad rows, parts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from cmi_analysis.demo import make_demo, write_demo
from cmi_analysis.demo.layout import SIZES, Size

TINY = Size(groups=2, customers=6, products=25, warehouses=2, breadth=1)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("formats", ["csv", "parquet"])
def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, formats: str) -> None:
    first, again = (write_demo(tmp_path / name, size=TINY, seed=2, formats=formats) for name in "ab")
    assert bytes_of(first) == bytes_of(again)


def test_each_bad_row_stands_where_the_list_says(tmp_path: Path) -> None:
    out = write_demo(tmp_path, size=TINY, seed=2)
    bad = pd.read_csv(out / "truth" / "dirty.csv", dtype=str, keep_default_na=False)
    assert bad["rule"].value_counts().to_dict() == dict.fromkeys(
        ["unknown_customer", "negative_quantity", "bad_date", "duplicate", "text_in_number"], 9
    )
    for row in bad.itertuples():
        lines = (out / row.file).read_text("utf-8").splitlines()
        cells = dict(zip(lines[0].split(","), lines[int(row.line) - 1].split(","), strict=True))
        if row.rule == "duplicate":
            assert lines.count(lines[int(row.line) - 1]) >= 2
        else:
            assert cells[row.column] == row.value
        assert len(bad[bad["file"] == row.file]) / len(lines) < 0.02


def test_without_the_bad_rows_the_files_are_the_clean_tables(tmp_path: Path) -> None:
    out, clean = write_demo(tmp_path / "d", size=TINY, seed=2), write_demo(tmp_path / "c", size=TINY, seed=2, dirty=False)
    bad = pd.read_csv(out / "truth" / "dirty.csv", dtype=str)
    for name, text in bytes_of(clean).items():
        if name.startswith("truth"):
            continue
        lines = (out / name).read_bytes().splitlines(keepends=True)
        wrong = set(bad.loc[bad["file"] == name, "line"].astype(int))
        assert b"".join(line for number, line in enumerate(lines, 1) if number not in wrong) == text


def test_the_settings_file_says_what_the_data_are(tmp_path: Path) -> None:
    out = write_demo(tmp_path, size=TINY, seed=2)
    settings = yaml.safe_load((out / "dataset.yml").read_text("utf-8"))
    assert (settings["currency"], settings["frequency"], settings["week_start"]) == ("EUR", "week", "Monday")


def test_a_book_in_parts_has_the_same_rows_as_one_in_memory(tmp_path: Path) -> None:
    out = write_demo(tmp_path, size=TINY, seed=2, parts=True)
    demo = make_demo(size=TINY, seed=2)
    for name, keys in {
        "orders": ["order_id", "line"],
        "receipts": ["receipt_id"],
        "sales": ["customer_id", "product_id", "date"],
    }.items():
        parts = pd.concat([pd.read_parquet(path, partitioning=None) for path in sorted((out / name).rglob("*.parquet"))])
        parts = parts.sort_values(keys, ignore_index=True)
        whole = demo.tables[name].sort_values(keys, ignore_index=True)
        pd.testing.assert_frame_equal(parts.convert_dtypes(), whole[parts.columns].convert_dtypes(), check_dtype=False)
    assert sorted(path.name for path in (out / "orders").iterdir()) == ["customer_group=North", "customer_group=华东"]
    pd.testing.assert_frame_equal(
        pd.read_parquet(out / "control_totals.parquet"), demo.tables["control_totals"], check_dtype=False
    )


def test_customers_that_share_nothing_order_the_same_and_send_no_data() -> None:
    everyone, some = (make_demo(size=Size(2, 6, 25, 2, 1, sharing=sharing), seed=2) for sharing in (None, 2))
    for name in ("customers", "orders", "deliveries", "returns", "receipts", "warehouse_stock"):
        pd.testing.assert_frame_equal(some.tables[name], everyone.tables[name])
    for name in ("sales", "stock", "customer_forecasts", "feeds"):
        assert set(some.tables[name]["customer_id"]) <= {"C0101", "C0102", "C0201", "C0202"}, name
    stock = everyone.tables["stock"]
    own = stock[stock["customer_id"].isin(["C0101", "C0102", "C0201", "C0202"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(some.tables["stock"], own)
    pd.testing.assert_frame_equal(some.truth["series"], everyone.truth["series"])


def test_the_sizes_have_7_20_and_200_groups() -> None:
    assert [SIZES[name].groups for name in ("small", "medium", "large")] == [7, 20, 200]
