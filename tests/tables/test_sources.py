"""Files and databases are read as they are, with the place of every row; oversized and locked ones are refused."""

from __future__ import annotations

import sqlite3
import time
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cmi_analysis.errors import InputError, ParameterError
from cmi_analysis.tables.databases import fill_from_environment, read_database
from cmi_analysis.tables.sources import find_sources, read_parquet_table, read_source
from cmi_analysis.tables.text_files import read_csv_table
from cmi_analysis.tables.workbooks import read_workbook

CHINESE = "客户编号,客户名称,客户组\n007,上海仓,华东\nNA,北京仓,华北\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_csv_is_read_in_its_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(CHINESE.encode(encoding))
    raw = read_csv_table(path, name="customers")
    assert raw.header == ("客户编号", "客户名称", "客户组")
    assert raw.frame.to_numpy().tolist() == [["007", "上海仓", "华东"], ["NA", "北京仓", "华北"]]


def test_western_bytes_are_not_taken_for_chinese(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes("id,name\n1,Côte d'Ivoire\n2,Zürich\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"customers\.csv in UTF-8 or GB18030; found bytes in line 2"):
        read_csv_table(path, name="customers")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f'a{delimiter}b\n1{delimiter}"x{delimiter}y"\n', "utf-8")
    assert read_csv_table(path, name="x").frame.to_numpy().tolist() == [["1", f"x{delimiter}y"]]


def test_lines_are_those_of_the_file_in_spite_of_line_breaks_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'\r\na,b\r\n1,"two\r\nlines"\r\n2,x\r\n3,y\r\n')
    raw = read_csv_table(path, name="x")
    assert raw.lines.tolist() == [3, 5, 6]


def test_rows_with_another_number_of_fields_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,2\n\n3\n4,5,6\n"7\n",8\n9,10\n', "utf-8")
    raw = read_csv_table(path, name="x")
    assert raw.bad[["line", "fields"]].to_numpy().tolist() == [[4, 1], [5, 3]]
    assert raw.lines.tolist() == [2, 6, 8]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n", "utf-8")
    assert read_csv_table(path, name="x").frame.shape == (0, 2)


def test_a_million_columns_are_refused_quickly(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b",".join(b"c%d" % number for number in range(1_000_000)) + b"\n")
    start = time.process_time()
    with pytest.raises(InputError, match=r"at most 2,000 columns in x\.csv"):
        read_csv_table(path, name="x")
    assert time.process_time() - start < 5


def test_a_workbook_that_unpacks_to_more_than_a_gigabyte_is_refused_quickly(tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry,
    ):
        block = b" " * (1 << 24)
        for _ in range(64):
            entry.write(block)
    start = time.process_time()
    with pytest.raises(InputError, match=r"at most 1 GB unpacked in customers\.xlsx; found 1\.1 GB"):
        read_workbook(path)
    assert time.process_time() - start < 5


def test_a_workbook_keeps_text_and_the_row_of_the_sheet(tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    frame = pd.DataFrame({"customer_id": ["007", "NA"], "since_on": [pd.Timestamp("2024-03-01"), None]})
    frame.to_excel(path, index=False, startrow=2, sheet_name="customers", engine="xlsxwriter")
    sheet = read_workbook(path)[0]
    assert (sheet.name, sheet.lines.tolist()) == ("customers", [4, 5])
    assert sheet.frame[0].tolist() == ["007", "NA"]


def test_a_workbook_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "sales.xlsx").write_bytes(b"not a zip")
    tables, findings = read_source(tmp_path / "sales.xlsx", wanted=["sales"])
    assert tables == []
    assert (findings[0].table, findings[0].rule, findings[0].done) == ("sales", "unreadable_file", "stop")


def test_a_folder_of_parts_is_one_table_and_its_partitions_are_columns(tmp_path: Path) -> None:
    for group in ("North", "华南"):
        folder = tmp_path / "sales" / f"customer_group={group}"
        folder.mkdir(parents=True)
        pd.DataFrame({"customer_id": [f"{group}1"], "quantity": pd.Categorical(["x"], ["x", "other group's value"])}).to_parquet(
            folder / "a.parquet"
        )
    tables, _ = read_source(tmp_path / "sales", wanted=["sales"])
    assert tables[0].header == ("customer_id", "quantity", "customer_group")
    assert tables[0].frame[2].tolist() == ["North", "华南"]
    assert tables[0].files is not None
    assert tables[0].files.tolist() == ["sales/customer_group=North/a.parquet", "sales/customer_group=华南/a.parquet"]
    assert not isinstance(tables[0].frame[1].dtype, pd.CategoricalDtype)


def test_a_parquet_file_with_too_many_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({f"c{number}": np.zeros(1) for number in range(2001)}), path)
    with pytest.raises(InputError, match="at most 2,000 columns"):
        read_parquet_table(path, name="x", file="x.parquet")


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": range(100)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a Parquet file in x\.parquet"):
        read_parquet_table(path, name="x", file="x.parquet")


def test_database_files_are_opened_read_only(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.duckdb")) as link:
        link.execute("CREATE TABLE customers AS SELECT '007' AS customer_id, 'x' AS \"odd \"\"name\"")
    with sqlite3.connect(tmp_path / "b.sqlite") as lite:
        lite.execute("CREATE TABLE products (product_id TEXT)")
        lite.execute("INSERT INTO products VALUES ('001')")
    lite.close()
    first = read_source(tmp_path / "a.duckdb", wanted=[])[0][0]
    second = read_source(tmp_path / "b.sqlite", wanted=[])[0][0]
    assert (first.name, first.header, first.frame[0].tolist()) == ("customers", ("customer_id", 'odd "name'), ["007"])
    assert (second.name, second.frame[0].tolist(), second.file) == ("products", ["001"], "b.sqlite:products")


def test_a_database_address_takes_its_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    assert fill_from_environment("postgresql://me:${SHOP_PASSWORD}@host/db") == "postgresql://me:s3cret@host/db"
    with pytest.raises(ParameterError, match="the environment variable NO_SUCH_NAME"):
        fill_from_environment("postgresql://me:${NO_SUCH_NAME}@host/db")


@pytest.mark.parametrize("url", ["postgresql://me:s3cret@host/db", "mysql://u:p@h/d", "mssql://h/d?user=me&password=s3cret"])
def test_a_written_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ParameterError, match="without a written password") as caught:
        fill_from_environment(url)
    assert "s3cret" not in str(caught.value)


def test_tables_behind_an_address_are_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as link:
        link.execute("CREATE TABLE customers (customer_id TEXT, customer_group TEXT)")
        link.execute("INSERT INTO customers VALUES ('007', 'North')")
    link.close()
    tables = read_database(f"sqlite:///{tmp_path / 'shop.db'}")
    assert [(table.name, table.header) for table in tables] == [("customers", ("customer_id", "customer_group"))]


def test_a_database_that_does_not_answer_is_named_without_its_address(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a database that answers") as caught:
        read_database(f"sqlite:///{tmp_path}/nowhere/secret_name.db")
    assert "secret_name" not in str(caught.value)


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no CSV, Excel, Parquet or database file"):
        find_sources(tmp_path)
    with pytest.raises(InputError, match="a data folder or file"):
        find_sources(tmp_path / "nowhere")
