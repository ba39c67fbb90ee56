"""Checks on tables in memory, the balance, the tie-out, settings, set-aside files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.tables.balance import check_balance, share_balanced
from cmi_analysis.tables.checking import check_tables
from cmi_analysis.tables.control import check_control_totals
from cmi_analysis.tables.dataset import DataSet
from cmi_analysis.tables.issues import stop_reasons, stopped_groups
from cmi_analysis.tables.reading import read_dataset, read_tables
from cmi_analysis.tables.set_aside import write_set_aside
from cmi_analysis.tables.settings_file import read_settings


def test_the_clean_demo_has_no_issue_but_its_planted_difference(demo: Any) -> None:
    checked = check_tables(demo.tables)
    issues = checked.issues
    assert issues[["table", "column", "rule", "value"]].to_dict("records") == [
        {"table": "control_totals", "column": "quantity", "rule": "tie_out", "value": issues["value"].iloc[0]}
    ]
    assert {table: len(frame) for table, frame in checked.frames.items()} == {
        table: len(frame) for table, frame in demo.tables.frames.items()
    }


def test_checking_leaves_its_input_alone(demo: Any) -> None:
    before = {table: frame.copy(deep=True) for table, frame in demo.tables.frames.items()}
    check_tables(demo.tables)
    for table, frame in before.items():
        pd.testing.assert_frame_equal(demo.tables[table], frame)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_every_planted_dirty_row_is_found_at_its_line(kind: str, tmp_path: Path) -> None:
    from cmi_analysis.demo import write_demo

    write_demo(tmp_path, size="small", seed=2, dirty=True, formats=kind)
    reading = read_tables(tmp_path)
    planted = next((tmp_path / "truth").glob("dirty.*"))
    truth = pd.read_csv(planted) if planted.suffix == ".csv" else pd.read_parquet(planted)
    found = pd.concat([frame.assign(table=table) for table, frame in reading.set_aside.items()])
    expected = {(row.table, int(row.line)) for row in truth.itertuples()}
    assert {(row.table, int(row.line)) for row in found.itertuples()} == expected
    rules = {"unknown_customer": "unknown_customer", "negative_quantity": "negative", "bad_date": "not_a_date"}
    rules |= {"text_in_number": "not_a_number", "duplicate": "repeated_row"}
    told = found.set_index(["table", "line"])["rule"].to_dict()
    assert all(told[row.table, row.line] == rules[row.rule] for row in truth.itertuples())
    assert stop_reasons(reading.dataset.issues) == []
    assert stopped_groups(reading.dataset.issues) == {}


def test_a_data_set_that_stops_is_refused_with_every_reason(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("product_id,product_name\n1,x\n", "utf-8")
    with pytest.raises(InputError, match=r"no table customers.*no table sales or orders"):
        read_dataset(tmp_path)


def test_the_order_of_rows_changes_no_count(demo: Any) -> None:
    frames = {table: demo.tables[table].head(300) for table in ("customers", "products", "sales")}
    frames["sales"] = frames["sales"].assign(quantity=np.where(np.arange(300) % 50 == 0, -1.0, frames["sales"]["quantity"]))
    turned = {table: frame.sample(frac=1, random_state=3) for table, frame in frames.items()}
    columns = ["table", "customer_group", "column", "rule", "rows", "done"]
    first, second = (check_tables(DataSet(given)).issues[columns] for given in (frames, turned))
    pd.testing.assert_frame_equal(first, second)


def test_the_balance_by_hand() -> None:
    rows = pd.DataFrame(
        {
            "customer_id": ["A", "A", "B", "A"],
            "product_id": ["P"] * 4,
            "date": pd.to_datetime(["2024-01-31", "2024-03-31", "2024-01-31", "2024-02-29"]),
            "on_hand": [10.0, 9.0, 5.0, 12.0],
            "received": [0.0, 4.0, 0.0, 8.0],
            "issued": [3.0, 6.0, 1.0, 5.0],
            "adjusted": [0.0, -1.0, 0.0, 0.0],
        }
    )
    before = rows.copy()
    found = check_balance(rows)
    # B and A's first row have no opening; February: 10 + 8 − 5 = 13, is 12; March: 12 + 4 − 6 − 1 = 9
    np.testing.assert_array_equal(found["difference"], [np.nan, 0.0, np.nan, -1.0])
    assert share_balanced(found) == 0.5
    pd.testing.assert_frame_equal(rows, before)


def test_the_balance_of_no_row_is_empty() -> None:
    rows = pd.DataFrame(
        {"customer_id": [], "product_id": [], "date": pd.to_datetime([]), "on_hand": pd.Series([], dtype="float64")}
    )
    assert check_balance(rows).empty
    assert np.isnan(share_balanced(check_balance(rows)))


def test_control_totals_by_hand() -> None:
    totals = pd.DataFrame(
        {
            "table": ["stock", "stock", "orders", "orders", "unheard_of"],
            "period": pd.to_datetime(["2024-01-01", "2024-02-01"] * 2 + ["2024-01-01"]),
            "rows": [1.0, 2.0, 2.0, 1.0, 9.0],
            "quantity": [7.0, 8.0, 30.0, np.nan, 9.0],
            "value": [14.0, np.nan, 95.0, np.nan, 9.0],
        }
    )
    tables = {
        "products": pd.DataFrame({"product_id": ["P"], "unit_cost": [2.0]}),
        "stock": pd.DataFrame(
            {
                "date": pd.to_datetime(["2024-01-15", "2024-01-31", "2024-02-29", "2024-02-29"]),
                "product_id": "P",
                "on_hand": [99.0, 7.0, 3.0, 4.0],
            }
        ),
        "orders": pd.DataFrame(
            {
                "ordered_on": pd.to_datetime(["2024-01-02", "2024-01-31", "2024-02-01"]),
                "quantity_ordered": [10.0, 20.0, 5.0],
                "unit_price": [3.0, 3.0, 1.0],
            }
        ),
    }
    found = check_control_totals(totals, tables).set_index(["table", "period", "measure"])["difference"].to_dict()
    january, february = pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")
    assert found == {
        ("orders", january, "rows"): 0.0,
        ("orders", january, "quantity"): 0.0,
        ("orders", january, "value"): -5.0,
        ("orders", february, "rows"): 0.0,
        ("stock", january, "rows"): 0.0,
        ("stock", january, "quantity"): 0.0,
        ("stock", january, "value"): 0.0,
        ("stock", february, "rows"): 0.0,
        ("stock", february, "quantity"): -1.0,
    }


def test_settings_are_read_from_the_file_beside_the_data(tmp_path: Path) -> None:
    (tmp_path / "dataset.yml").write_text("name: Test\ncurrency: CNY\nfrequency: month\ntime_zone: Asia/Shanghai\n", "utf-8")
    settings = read_settings(tmp_path)
    assert (settings.name, settings.currency, settings.frequency, settings.week_start) == ("Test", "CNY", "month", "Monday")
    assert read_settings(tmp_path / "sales.csv") == settings


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("curency: CNY", "Did you mean 'currency'"),
        ("frequency: hourly", "frequency as one of day, week, month"),
        ("currency: yuan", "ISO 4217"),
        ("week_start: Mon", "week_start as one of Monday"),
        ("time_zone: Mars/Base", "IANA time zone"),
        ("name: 3", "text for name"),
        ("assumptions: one", "list of sentences"),
        ("assumptions: [{en: one}]", "list of sentences"),
    ],
)
def test_a_wrong_setting_is_refused(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "dataset.yml").write_text(line + "\n", "utf-8")
    with pytest.raises(InputError, match=message):
        read_settings(tmp_path)


def test_a_text_that_a_spreadsheet_would_compute_is_written_with_an_apostrophe(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "file": "s.csv",
            "line": [2, 3, 4],
            "rule": "x",
            "customer_id": ["=1+1", "@SUM(A1)", "007"],
            "quantity": ["-5", "+x", "3"],
        }
    )
    path = write_set_aside({"sales": rows}, data=tmp_path)[0]
    assert path == tmp_path / "set_aside" / "sales.csv"
    assert path.read_text("utf-8-sig").splitlines() == [
        "file,line,rule,customer_id,quantity",
        "s.csv,2,x,'=1+1,-5",
        "s.csv,3,x,'@SUM(A1),'+x",
        "s.csv,4,x,007,3",
    ]


@pytest.mark.parametrize(("bad", "stops"), [(1, False), (4, False), (5, True), (12, True)])
def test_a_small_table_is_judged_as_if_it_had_200_rows(bad: int, stops: bool) -> None:
    frames = {
        "customers": pd.DataFrame({"customer_id": ["A"], "customer_name": ["A"], "customer_group": ["G"]}),
        "products": pd.DataFrame({"product_id": ["P"], "product_name": ["P"]}),
        "sales": pd.DataFrame(
            {"customer_id": "A", "product_id": "P", "date": pd.date_range("2024-01-01", periods=12), "quantity": 1.0}
        ),
    }
    frames["sales"].loc[: bad - 1, "quantity"] = -1.0
    issues = check_tables(DataSet(frames)).issues
    assert bool(stopped_groups(issues)) is stops
    assert bool(stop_reasons(issues)) is stops


def test_a_table_of_which_nothing_is_left_stops_the_run() -> None:
    frames = {
        "customers": pd.DataFrame({"customer_id": ["A"], "customer_name": ["A"], "customer_group": ["G"]}),
        "sales": pd.DataFrame({"customer_id": ["A"], "product_id": ["P"], "date": ["2024-01-01"], "quantity": [-1.0]}),
    }
    assert (
        "100.0% of the rows of sales of the whole data set were set aside"
        in stop_reasons(check_tables(DataSet(frames)).issues)[0]
    )
