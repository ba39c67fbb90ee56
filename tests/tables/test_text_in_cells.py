"""Numbers, dates, flags and ids as people write them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.tables.conversion import read_flags, read_words
from cmi_analysis.tables.dates_in_text import read_dates
from cmi_analysis.tables.numbers_in_text import read_numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12.0),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1,234,567.8", 1234567.8),
        ("1,234", 1234.0),
        ("12,5", 12.5),
        ("1.234.567,8", 1234567.8),
        ("１２３", 123.0),
        ("1 234", 1234.0),
        ("1'234.50", 1234.5),
        ("3.5万", 35000.0),
        ("2万元", 20000.0),
        ("1.2亿", 120000000.0),
        ("(1,200)", -1200.0),
        ("120-", -120.0),
        ("\u2212\u200912", -12.0),
        ("¥ 12.50", 12.5),
        ("12.50 EUR", 12.5),
        ("95%", 0.95),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, number: float) -> None:
    found = read_numbers(pd.Series([text], dtype="object"))
    assert found.values.iloc[0] == pytest.approx(number, rel=1e-12)
    assert not found.bad.any()


@pytest.mark.parametrize("text", ["x", "1.2.3", "1,23,4", "12 pieces", "inf", "1e999", "0x10", "1_000", "--5", "()", "%"])
def test_what_is_no_number_is_bad_and_never_guessed(text: str) -> None:
    found = read_numbers(pd.Series([text], dtype="object"))
    assert found.bad.tolist() == [True]
    assert np.isnan(found.values.iloc[0])


def test_words_for_nothing_are_missing_and_reported() -> None:
    found = read_numbers(pd.Series(["NA", "-", "无", "", None], dtype="object"))
    assert found.values.isna().all()
    assert not found.bad.any()
    assert found.repaired.tolist() == [True, True, True, False, False]


def test_a_comma_is_decimal_where_the_column_proves_it() -> None:
    found = read_numbers(pd.Series(["1,234", "12,5"], dtype="object"))
    assert found.values.tolist() == [1.234, 12.5]


def test_plain_numbers_of_any_dtype_pass_through() -> None:
    for values in (
        pd.Series([1, 2]),
        pd.Series([1.0, np.nan]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series([], dtype="object"),
    ):
        found = read_numbers(values)
        assert found.values.dtype == "float64"
        assert not found.bad.any()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-01", "2024-03-01"),
        ("2024/3/1", "2024-03-01"),
        ("20240301", "2024-03-01"),
        ("2024年3月1日", "2024-03-01"),
        ("２０２４-０３-０１", "2024-03-01"),
        ("2024-03-01T12:30:00Z", "2024-03-01"),
        ("2024-03-01 23:59", "2024-03-01"),
        ("1-Sept-24", "2024-09-01"),
        ("02-Jun-06", "2006-06-02"),
        ("3 September 2024", "2024-09-03"),
        ("Sep 3, 2024", "2024-09-03"),
        ("28/02/2024", "2024-02-28"),
        ("2/28/24", "2024-02-28"),
        ("03.04.2024", "2024-04-03"),
        ("2024-03", "2024-03-01"),
        ("Mar 2024", "2024-03-01"),
        ("2024-W05", "2024-01-29"),
        ("2020-W53", "2020-12-28"),
        ("45352", "2024-03-01"),
        ("7/7/2024", "2024-07-07"),
    ],
)
def test_a_date_is_read_however_it_is_written(text: str, day: str) -> None:
    found = read_dates(pd.Series([text], dtype="object"))
    assert found.values.iloc[0] == pd.Timestamp(day)
    assert not found.bad.any()


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2023-13-01", "32/01/2024", "yesterday", "2021-W53", "12", "3-Foo-2024", "00/00/2024"]
)
def test_what_is_no_date_is_bad(text: str) -> None:
    found = read_dates(pd.Series([text], dtype="object"))
    assert found.bad.tolist() == [True]
    assert found.values.isna().all()


def test_a_date_of_two_meanings_is_unclear_unless_the_column_proves_its_order() -> None:
    alone = read_dates(pd.Series(["03/04/2024"], dtype="object"))
    assert alone.unclear is not None
    assert alone.unclear.tolist() == [True]
    proved = read_dates(pd.Series(["03/04/2024", "04/25/2024"], dtype="object"))
    assert proved.values.dt.strftime("%m-%d").tolist() == ["03-04", "04-25"]
    told = read_dates(pd.Series(["03/04/2024"], dtype="object"), order="dmy")
    assert told.values.iloc[0] == pd.Timestamp("2024-04-03")


def test_typed_dates_lose_their_time() -> None:
    values = pd.Series(pd.to_datetime(["2024-03-01 13:00"]).astype("datetime64[us]"))
    assert read_dates(values).values.tolist() == [pd.Timestamp("2024-03-01")]
    assert str(read_dates(values).values.dtype) == "datetime64[ns]"
    mixed = pd.Series([dt.datetime(2024, 3, 1), dt.date(2024, 3, 2), "2024-03-03", None], dtype="object")
    assert read_dates(mixed).values.dt.day.tolist()[:3] == [1, 2, 3]


def test_ids_keep_zeros_and_the_words_na_and_null() -> None:
    found = read_words(pd.Series(["007", "NA", "NULL", "1e5", " x ", "a\nb", 12.0, 3, True, None], dtype="object"))
    assert found.values.tolist() == ["007", "NA", "NULL", "1e5", "x", "a b", "12", "3", "True", None]
    assert found.repaired.tolist() == [False] * 4 + [True, True] + [False] * 4


def test_flags_are_read_in_both_languages() -> None:
    found = read_flags(pd.Series(["Yes", "n", "是", "否", 1, 0.0, True, "", "perhaps"], dtype="object"))
    assert found.values.tolist()[:7] == [True, False, True, False, True, False, True]
    assert found.values.isna().tolist()[7:] == [True, True]
    assert found.bad.tolist() == [False] * 8 + [True]


@pytest.mark.parametrize(
    ("text", "word", "bad", "repaired"),
    [
        ("SO-7", "SO-7", False, False),
        ("A 7", "A 7", False, False),
        (" SO-7", "SO-7", False, True),
        ("SO-7 ", "SO-7", False, True),
        ("SO\t7", "SO 7", False, True),
        ("S\x00O", "SO", False, True),
        ("Süd", "Süd", False, False),
        ("Su\u0308d", "Süd", False, True),
        ("", None, False, False),
        ("#REF!", None, True, False),
        ("#7", "#7", False, False),
    ],
)
def test_a_text_is_read_alike_in_a_column_of_plain_texts_and_alone(text: str, word: str | None, bad: bool, repaired: bool):
    for others in ([], ["P-1", None, "P-2", float("nan")]):
        found = read_words(pd.Series([*others, text], dtype="object"))
        assert found.values.tolist() == [*(other if isinstance(other, str) else None for other in others), word]
        assert (found.bad.tolist(), found.repaired.tolist()) == (
            [False] * len(others) + [bad],
            [False] * len(others) + [repaired],
        )
