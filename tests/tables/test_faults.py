"""Each kind of fault in the data is found, with its table, column, rule and line; clean data raise no alarm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.tables.reading import read_tables

SEEDS = range(2)
Tables = dict[str, pd.DataFrame]


def clean_tables(seed: int) -> Tables:
    """Return a small clean data set as text: 8 customers, 4 products, 40 weeks."""
    rng = np.random.default_rng(seed)
    customers = [f"C{number:02d}" for number in range(1, 9)]
    products = [f"{number:03d}" for number in range(1, 5)]
    weeks = pd.date_range("2024-01-01", periods=40, freq="W-MON")
    grid = pd.MultiIndex.from_product([customers, products, weeks], names=["customer_id", "product_id", "date"]).to_frame(
        index=False
    )
    sold = rng.integers(1, 30, len(grid))
    sales = grid.assign(quantity=sold, unit_price=9.5, in_stock=True)
    stock = grid.assign(date=grid["date"] + pd.Timedelta(days=6), received=30, issued=sold, adjusted=0)
    stock["on_hand"] = 500 + (stock["received"] - stock["issued"]).groupby([stock["customer_id"], stock["product_id"]]).cumsum()
    orders = grid[grid["date"].dt.day <= 7].reset_index(drop=True)
    orders = orders.rename(columns={"date": "ordered_on"}).assign(
        order_id=[f"SO{number:04d}" for number in range(len(orders))],
        line="1",
        quantity_ordered=rng.integers(20, 60, len(orders)),
        promised_on=lambda frame: frame["ordered_on"] + pd.Timedelta(days=7),
        delivered_on=lambda frame: frame["ordered_on"] + pd.to_timedelta(rng.integers(3, 12, len(frame)), unit="D"),
    )
    orders["quantity_delivered"] = orders["quantity_ordered"]
    tables = {
        "customers": pd.DataFrame(
            {
                "customer_id": customers,
                "customer_name": [f"Site {name}" for name in customers],
                "customer_group": ["North"] * 4 + ["华南"] * 4,
                "latitude": 31.2,
                "longitude": 121.5,
            }
        ),
        "products": pd.DataFrame(
            {
                "product_id": products,
                "product_name": [f"Item {name}" for name in products],
                "unit_cost": 4.25,
                "supplier_id": "S1",
            }
        ),
        "suppliers": pd.DataFrame({"supplier_id": ["S1"], "supplier_name": ["NA"]}),
        "sales": sales,
        "stock": stock,
        "orders": orders,
        "deliveries": pd.DataFrame(
            {
                "delivery_id": [f"D{number}" for number in range(len(orders))],
                "order_id": orders["order_id"],
                "line": "1",
                "quantity": orders["quantity_delivered"],
                "shipped_on": orders["ordered_on"] + pd.Timedelta(days=2),
            }
        ),
        "assortment": pd.DataFrame(
            {"customer_id": customers, "product_id": "001", "valid_from_on": "2024-01-01", "decides": "customer"}
        ),
        "promotions": pd.DataFrame(
            {
                "promotion_id": ["P1"],
                "starts_on": ["2024-03-04"],
                "ends_on": ["2024-03-17"],
                "product_id": ["001"],
                "discount": ["0.2"],
            }
        ),
        "control_totals": pd.DataFrame(
            {"table": ["sales"], "period": ["2024-01-01"], "rows": [len(sales[sales["date"] < "2024-02-01"])]}
        ).assign(quantity=sales.loc[sales["date"] < "2024-02-01", "quantity"].sum(), value=""),
    }
    return {name: _as_text(frame) for name, frame in tables.items()}


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    text = frame.copy()
    for column in text:
        days = pd.api.types.is_datetime64_any_dtype(text[column].dtype)
        text[column] = (text[column].dt.strftime("%Y-%m-%d") if days else text[column].astype(str)).astype(object)
    return text


def write(tables: Tables, folder: Path) -> Path:
    """Write a data set as CSV."""
    folder.mkdir(exist_ok=True)
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


@dataclass(frozen=True)
class Fault:
    """One kind of fault: what is changed, and the issue that must be found."""

    name: str
    table: str
    column: str
    rule: str
    done: str
    spoil: Callable[[Tables, int], None] | None = None
    spoil_files: Callable[[Path], None] | None = None
    whole: bool = False


def put(table: str, column: str, value: str) -> Callable[[Tables, int], None]:
    """Return a change of one cell."""

    def spoil(tables: Tables, row: int) -> None:
        tables[table].loc[row, column] = value

    return spoil


def add(table: str, column: str | None = None, value: str = "") -> Callable[[Tables, int], None]:
    """Return a change that repeats one row at the end of its table, with another value in `column`."""

    def spoil(tables: Tables, row: int) -> None:
        extra = tables[table].iloc[[row]].copy()
        if column:
            extra[column] = value
        tables[table] = pd.concat([tables[table], extra], ignore_index=True)

    return spoil


def rename(table: str, old: str, new: str) -> Callable[[Tables, int], None]:
    """Return a change of one header."""

    def spoil(tables: Tables, row: int) -> None:
        tables[table] = tables[table].rename(columns={old: new})

    return spoil


def _mixed_dates(tables: Tables, row: int) -> None:
    days = pd.to_datetime(tables["sales"]["date"])
    tables["sales"]["date"] = days.dt.strftime("%d/%m/%Y").astype(object)
    tables["sales"].loc[7, "date"] = "02/19/2024"
    tables["sales"].loc[row, "date"] = "03/04/2024"


def _mixed_commas(tables: Tables, row: int) -> None:
    tables["sales"].loc[[5, 6], "quantity"] = ["1.234,5", "1,234.5"]
    tables["sales"].loc[row, "quantity"] = "1,234"


def _twice_named(tables: Tables, row: int) -> None:
    tables["sales"]["SKU"] = tables["sales"]["product_id"]


def _no_line(tables: Tables, row: int) -> None:
    add("orders")(tables, row)
    tables["orders"] = tables["orders"].drop(columns="line")
    del tables["deliveries"]


def _ambiguous(tables: Tables, row: int) -> None:
    tables["receipts"] = pd.DataFrame(
        {"receipt_id": ["1"], "supplier_id": ["S1"], "product_id": ["001"], "ordered_on": ["2024-01-02"], "Qty": ["5"]}
    )


def _many_bad(tables: Tables, row: int) -> None:
    north = tables["sales"]["customer_id"].isin(["C01", "C02"])
    tables["sales"].loc[north & (tables["sales"].index % 5 == 0), "quantity"] = "-3"


def _latin(folder: Path) -> None:
    (folder / "customers.csv").write_bytes("customer_id,customer_name,customer_group\nC01,Zürich Süd,é\n".encode("latin-1"))


def _extra_field(folder: Path) -> None:
    path = folder / "sales.csv"
    lines = path.read_text("utf-8").splitlines()
    lines[11] += ",oops"
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _blank_row(folder: Path) -> None:
    path = folder / "sales.csv"
    lines = path.read_text("utf-8").splitlines()
    lines.insert(11, "," * lines[0].count(","))
    path.write_text("\n".join(lines) + "\n", "utf-8")


ROW = 10
SHORT = ("promotions", "products", "customers", "assortment", "control_totals")
FAULTS = [
    Fault("unknown customer", "sales", "customer_id", "unknown_customer", "set aside", add("sales", "customer_id", "C99")),
    Fault(
        "customer in another case", "sales", "customer_id", "unknown_customer", "set aside", add("sales", "customer_id", "c01")
    ),
    Fault("unknown product", "orders", "product_id", "unknown_product", "set aside", put("orders", "product_id", "1")),
    Fault("unknown order", "deliveries", "order_id", "unknown_order", "set aside", put("deliveries", "order_id", "SO9")),
    Fault("unknown supplier", "products", "supplier_id", "unknown_supplier", "kept", put("products", "supplier_id", "S7")),
    Fault("negative quantity", "sales", "quantity", "negative", "set aside", put("sales", "quantity", "-4")),
    Fault("accounting negative", "stock", "on_hand", "negative", "set aside", put("stock", "on_hand", "(1,204)")),
    Fault("negative optional value", "sales", "unit_price", "negative", "repaired", put("sales", "unit_price", "-1")),
    Fault("text in a number", "sales", "quantity", "not_a_number", "set aside", put("sales", "quantity", "zwölf")),
    Fault("infinite number", "sales", "quantity", "not_a_number", "set aside", put("sales", "quantity", "1e999")),
    Fault(
        "text in an optional number", "sales", "unit_price", "not_a_number", "repaired", put("sales", "unit_price", "see note")
    ),
    Fault("separators of two kinds", "sales", "quantity", "unclear_number", "set aside", _mixed_commas),
    Fault("word for nothing", "sales", "unit_price", "unusual_notation", "repaired", put("sales", "unit_price", "N/A")),
    Fault("full-width digits", "sales", "quantity", "unusual_notation", "repaired", put("sales", "quantity", "１２")),
    Fault("unit in the value", "sales", "quantity", "unusual_notation", "repaired", put("sales", "quantity", "0.002万")),
    Fault("impossible date", "sales", "date", "not_a_date", "set aside", put("sales", "date", "2024-02-30")),
    Fault("date of two meanings", "sales", "date", "unclear_date", "set aside", _mixed_dates),
    Fault("serial date", "sales", "date", "unusual_notation", "repaired", put("sales", "date", "45352")),
    Fault("year 1900", "orders", "ordered_on", "absurd_date", "set aside", put("orders", "ordered_on", "1900-01-01")),
    Fault("far future", "orders", "promised_on", "absurd_date", "repaired", put("orders", "promised_on", "2042-01-01")),
    Fault("year 0024", "sales", "date", "absurd_date", "set aside", put("sales", "date", "0024-03-04")),
    Fault(
        "delivered before ordered",
        "orders",
        "delivered_on",
        "dates_out_of_order",
        "set aside",
        put("orders", "delivered_on", "2023-12-01"),
    ),
    Fault(
        "promised before ordered",
        "orders",
        "promised_on",
        "dates_out_of_order",
        "kept",
        put("orders", "promised_on", "2023-12-01"),
    ),
    Fault(
        "promotion ends first",
        "promotions",
        "ends_on",
        "dates_out_of_order",
        "set aside",
        put("promotions", "ends_on", "2024-02-01"),
    ),
    Fault("row twice", "stock", "customer_id", "repeated_row", "set aside", add("stock")),
    Fault("key twice", "sales", "customer_id", "repeated_key", "set aside", add("sales", "quantity", "77")),
    Fault("line twice without a key", "orders", "order_id", "exact_duplicate", "kept", _no_line),
    Fault("value missing", "sales", "product_id", "missing_value", "set aside", put("sales", "product_id", "")),
    Fault("spreadsheet error", "sales", "product_id", "sheet_error", "set aside", put("sales", "product_id", "#REF!")),
    Fault("untidy id", "sales", "product_id", "untidy_text", "repaired", put("sales", "product_id", " 001\u00a0")),
    Fault("share in percent", "promotions", "discount", "rate_range", "repaired", put("promotions", "discount", "20")),
    Fault(
        "latitude off the globe", "customers", "latitude", "coordinate_range", "repaired", put("customers", "latitude", "121.5")
    ),
    Fault("unknown word", "assortment", "decides", "unknown_word", "kept", put("assortment", "decides", "them")),
    Fault("flag in words", "sales", "in_stock", "not_a_number", "repaired", put("sales", "in_stock", "mostly")),
    Fault("no group", "customers", "customer_group", "no_group", "repaired", put("customers", "customer_group", "")),
    Fault("thousandfold", "sales", "quantity", "thousandfold", "kept", put("sales", "quantity", "25000")),
    Fault("stock does not balance", "stock", "on_hand", "balance", "kept", put("stock", "received", "31")),
    Fault(
        "ledger differs", "control_totals", "quantity", "tie_out", "kept", put("control_totals", "quantity", "99999"), whole=True
    ),
    Fault("column missing", "sales", "quantity", "missing_column", "stop", rename("sales", "quantity", "xyz"), whole=True),
    Fault(
        "column misspelt",
        "sales",
        "unit_prize",
        "unknown_column_near",
        "set aside",
        rename("sales", "unit_price", "unit_prize"),
        whole=True,
    ),
    Fault("column twice", "sales", "product_id", "header_twice", "set aside", _twice_named, whole=True),
    Fault("column of two meanings", "receipts", "Qty", "ambiguous_header", "set aside", _ambiguous, whole=True),
    Fault("too much set aside", "sales", "", "too_much_set_aside", "stop", _many_bad, whole=True),
    Fault("foreign encoding", "customers", "", "unreadable_file", "stop", spoil_files=_latin, whole=True),
    Fault(
        "empty file",
        "customers",
        "",
        "unreadable_file",
        "stop",
        spoil_files=lambda f: (f / "customers.csv").write_bytes(b""),
        whole=True,
    ),
    Fault(
        "binary file",
        "sales",
        "",
        "unreadable_file",
        "stop",
        spoil_files=lambda f: (f / "sales.csv").write_bytes(b"PK\x03\x04\x00\x00"),
        whole=True,
    ),
    Fault(
        "file missing", "customers", "", "missing_table", "stop", spoil_files=lambda f: (f / "customers.csv").unlink(), whole=True
    ),
    Fault(
        "file misnamed",
        "",
        "",
        "unknown_table",
        "set aside",
        spoil_files=lambda f: (f / "stocks.csv").write_text("a,b\n1,2\n"),
        whole=True,
    ),
    Fault(
        "table twice",
        "sales",
        "",
        "table_twice",
        "stop",
        spoil_files=lambda f: (f / "sales.tsv").write_text((f / "sales.csv").read_text()),
        whole=True,
    ),
    Fault("field too many", "sales", "", "wrong_field_count", "set aside", spoil_files=_extra_field),
    Fault("blank row", "sales", "", "blank_row", "set aside", spoil_files=_blank_row),
]


@pytest.mark.parametrize("seed", SEEDS)
def test_clean_data_raise_no_alarm(seed: int, tmp_path: Path) -> None:
    reading = read_tables(write(clean_tables(seed), tmp_path / "data"))
    assert reading.dataset.issues.to_dict("records") == []
    assert reading.set_aside == {}
    assert reading.rows_read["sales"] == 8 * 4 * 40


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_found_with_its_place(fault: Fault, seed: int, tmp_path: Path) -> None:
    tables = clean_tables(seed)
    row = 0 if fault.table in SHORT else ROW
    if fault.spoil:
        fault.spoil(tables, row)
    folder = write(tables, tmp_path / "data")
    if fault.spoil_files:
        fault.spoil_files(folder)
    issues = read_tables(folder).dataset.issues
    found = issues[(issues["table"] == fault.table) & (issues["column"] == fault.column) & (issues["rule"] == fault.rule)]
    assert len(found) >= 1, issues[["table", "column", "rule", "line"]].to_string()
    assert (found["done"] == fault.done).all()
    assert (found["fix"].str.len() > 20).all()
    if not fault.whole:
        at_end = fault.name in ("unknown customer", "customer in another case", "row twice", "line twice without a key")
        line = str(len(tables[fault.table]) + 1 if at_end else row + 2)
        lines = {place for places in found["line"] for place in places.split(", ")}
        assert line in lines
        assert found["file"].iloc[0] == f"{fault.table}.csv"


def test_a_fault_in_one_group_stops_that_group_only(tmp_path: Path) -> None:
    from cmi_analysis.tables.issues import stopped_groups

    tables = clean_tables(0)
    _many_bad(tables, 0)
    issues = read_tables(write(tables, tmp_path / "data"), max_rejected_share=0.06).dataset.issues
    assert list(stopped_groups(issues)) == ["North"]
    assert "10.0% of the rows of sales of group North were set aside; the limit is 6%" in stopped_groups(issues)["North"]


def test_rows_set_aside_are_returned_as_they_stood(tmp_path: Path) -> None:
    tables = clean_tables(0)
    put("sales", "quantity", "zwölf")(tables, ROW)
    aside = read_tables(write(tables, tmp_path / "data")).set_aside["sales"]
    assert aside[["file", "line", "rule", "quantity"]].to_dict("records") == [
        {"file": "sales.csv", "line": 12, "rule": "not_a_number", "quantity": "zwölf"}
    ]


def test_a_customer_in_another_case_is_told_the_nearest_name(tmp_path: Path) -> None:
    tables = clean_tables(0)
    add("sales", "customer_id", "c01")(tables, ROW)
    issues = read_tables(write(tables, tmp_path / "data")).dataset.issues
    assert "customer_id 'c01' is not in customers (nearest: C01)" in issues["fix"].iloc[0]
