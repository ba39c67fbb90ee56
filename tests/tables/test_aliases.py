"""Headers in English and Chinese find their column; what is unclear is said and not guessed."""

from __future__ import annotations

import pytest

from cmi_analysis.labels import LANGUAGES, text
from cmi_analysis.tables.aliases import match_headers, meanings, unit_factor
from cmi_analysis.tables.schemas import SCHEMAS


@pytest.mark.parametrize("table", list(SCHEMAS))
def test_each_column_is_found_by_its_name_and_both_display_names(table: str) -> None:
    for column in SCHEMAS[table].columns:
        assert meanings(column, table) == (column,)
        assert meanings(column.upper().replace("_", " "), table) == (column,)
        for lang in LANGUAGES:
            assert column in meanings(text(f"column.{column}", lang), table)


@pytest.mark.parametrize(
    ("header", "table", "column"),
    [
        ("SKU", "sales", "product_id"),
        ("物料编码", "stock", "product_id"),
        ("客户代码", "orders", "customer_id"),
        ("数量", "orders", "quantity_ordered"),
        ("数量", "sales", "quantity"),
        ("日期", "orders", "ordered_on"),
        ("Order Date", "orders", "ordered_on"),
        ("ｑｔｙ（箱）", "sales", "quantity"),
        ("Stock-On-Hand", "stock", "on_hand"),
        ("纬度", "customers", "latitude"),
        ("MOQ", "assortment", "minimum_order_quantity"),
    ],
)
def test_a_foreign_header_finds_its_column(header: str, table: str, column: str) -> None:
    assert meanings(header, table) == (column,)


def test_a_header_of_two_meanings_names_both_and_is_not_read() -> None:
    match = match_headers(["receipt_id", "Quantity"], "receipts", file="r.csv")
    assert match.columns == {"receipt_id": 0}
    assert match.findings[0].rule == "ambiguous_header"
    assert match.findings[0].fields["choices"] == "quantity_ordered or quantity_received"


def test_an_unknown_header_is_told_the_nearest_column() -> None:
    match = match_headers(["custmer_id", "Zebra"], "sales", file="s.csv")
    assert [finding.rule for finding in match.findings] == ["unknown_column_near", "unknown_column"]
    assert match.findings[0].fields["nearest"] == "customer_id"


def test_of_two_headers_for_a_column_its_own_name_wins_and_else_none_does() -> None:
    won = match_headers(["SKU", "product_id"], "sales", file="s.csv")
    assert won.columns == {"product_id": 1}
    assert won.findings[0].rule == "header_twice"
    tied = match_headers(["SKU", "Item"], "sales", file="s.csv")
    assert tied.columns == {}
    assert tied.findings[0].rule == "header_twice_unclear"


def test_a_unit_in_the_header_becomes_a_factor() -> None:
    match = match_headers(["单价(万元)", "qty (pcs)"], "sales", file="s.csv")
    assert match.factors == {"unit_price": 10000.0}
    assert unit_factor("share (%)") == 0.01
