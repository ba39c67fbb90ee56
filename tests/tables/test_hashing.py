"""Names that cannot escape or collide; hashes that see content and nothing else."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.tables.hashing import hash_file, hash_frame, hash_frames, safe_name, sort_rows

HOSTILE = ["..", "../x", "/etc/passwd", "C:\\x", "CON", "nul", "a\0b", "https://x.y/z", "s3://b/k", "", " ", ".", "-", "{0}", "~"]
RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}
LETTERS = 'aAbBéÉßİıſ.-_/\\:*?"<>| \0\n\t%{}$华东客户北京ñōΩ😀\u202e\ufeff0123'


def _names() -> list[str]:
    draw = random.Random(1)
    names = {"".join(draw.choices(LETTERS, k=draw.choice([1, 2, 3, 8, 40, 300]))) for _ in range(14_000)}
    names |= {unicodedata.normalize("NFD", name) for name in list(names)[:500]} | {name.swapcase() for name in list(names)[:500]}
    return sorted(names)[:9_985] + HOSTILE


def test_ten_thousand_names_neither_escape_nor_collide(tmp_path: Path):
    names = _names()
    assert len(names) == 10_000
    files = [safe_name(name) for name in names]
    assert len({file.lower() for file in files}) == len(set(names))
    assert all((tmp_path / file).resolve().parent == tmp_path.resolve() for file in files)
    assert all(set(file) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(file) < 60 for file in files)
    assert not RESERVED & set(files)


def test_names_that_differ_in_case_or_unicode_form_only_differ_as_files():
    assert safe_name("North").lower() != safe_name("north").lower()
    assert safe_name("é") != safe_name(unicodedata.normalize("NFD", "é"))


def test_a_lone_surrogate_is_a_name_too():
    assert safe_name("a\ud800b").startswith("ab-")


@pytest.fixture
def stock() -> pd.DataFrame:
    dates = pd.to_datetime(["2024-03-01", "2024-03-01", "2024-03-02", "2024-03-02"])
    return pd.DataFrame(
        {
            "customer_id": ["1", "2", "1", "2"],
            "product_id": ["007"] * 4,
            "date": dates,
            "on_hand": [1.0, np.nan, 0.0, 4.0],
            "owner": ["us", None, "", "NA"],
            "blocked": pd.array([True, False, None, True], dtype="boolean"),
        }
    )


def test_the_order_of_rows_and_columns_makes_no_difference(stock: pd.DataFrame):
    shuffled = stock.sample(frac=1, random_state=3)[sorted(stock.columns, reverse=True)]
    assert hash_frame(shuffled, table="stock") == hash_frame(stock, table="stock")
    assert hash_frame(shuffled) == hash_frame(stock)


def test_storage_makes_no_difference(stock: pd.DataFrame):
    stored = stock.assign(
        on_hand=stock["on_hand"].astype("Float64"),
        owner=stock["owner"].astype("string"),
        date=stock["date"].astype("datetime64[us]"),
    )
    assert hash_frame(stored, table="stock") == hash_frame(stock, table="stock")
    assert hash_frame(stock.assign(on_hand=stock["on_hand"].replace(0.0, -0.0))) == hash_frame(stock)


@pytest.mark.parametrize("row", range(4))
@pytest.mark.parametrize("column", ["customer_id", "product_id", "date", "on_hand", "owner", "blocked"])
def test_every_single_cell_counts(stock: pd.DataFrame, row: int, column: str):
    other = {
        "date": pd.Timestamp("2025-01-01"),
        "on_hand": 7.5,
        "blocked": True if pd.isna(stock["blocked"].iloc[row]) else pd.NA,
    }
    changed = stock.copy()
    changed.loc[row, column] = other.get(column, "None")
    assert hash_frame(changed, table="stock") != hash_frame(stock, table="stock")


def test_text_that_moves_from_one_cell_to_the_next_counts():
    one, two = pd.DataFrame({"a": ["ab", "c"]}), pd.DataFrame({"a": ["a", "bc"]})
    assert hash_frame(one) != hash_frame(two)
    assert hash_frame(pd.DataFrame({"a": [None]}, dtype="object")) != hash_frame(pd.DataFrame({"a": ["None"]}))
    assert hash_frame(pd.DataFrame({"a": [None]}, dtype="object")) != hash_frame(pd.DataFrame({"a": [""]}))


def test_rows_with_the_same_key_are_ordered_by_the_rest(stock: pd.DataFrame):
    twice = pd.concat([stock, stock.assign(on_hand=9.0)], ignore_index=True)
    pd.testing.assert_frame_equal(
        sort_rows(twice, table="stock"), sort_rows(twice.iloc[::-1], table="stock"), check_dtype=True, check_exact=True
    )


def test_an_empty_frame_has_a_hash_of_its_own(stock: pd.DataFrame):
    assert hash_frame(stock.iloc[:0]) != hash_frame(stock.iloc[:1])
    assert hash_frames({}) == hash_frames({})
    assert hash_frames({"a": stock}) != hash_frames({"b": stock})
    assert hash_frames({"a": stock}, extra=("x",)) != hash_frames({"a": stock})


def test_a_file_is_hashed_by_its_bytes(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert hash_file(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
