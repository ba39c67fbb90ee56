"""Mapping files: foreign sources become tables of the contract by declared rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from cmi_analysis.errors import InputError, ParameterError
from cmi_analysis.tables.mapping import Condition, read_mapping
from cmi_analysis.tables.mapping_columns import meet_conditions
from cmi_analysis.tables.reading import Reading, read_tables


def run(tmp_path: Path, files: dict[str, pd.DataFrame], mapping: dict[str, Any]) -> Reading:
    """Write files and a mapping, and read them."""
    for name, frame in files.items():
        frame.to_csv(tmp_path / name, index=False)
    path = tmp_path / "map.yml"
    path.write_text(yaml.safe_dump({"name": "test", "partial": True, **mapping}, allow_unicode=True), "utf-8")
    return read_tables(tmp_path, mapping=path)


SALES = pd.DataFrame(
    {
        "shop": ["1", "1", "2"],
        "art": ["a", "b", "a"],
        "j": ["2024", "2024", "2024"],
        "m": ["1", "2", "2"],
        "wert": ["1.5", "2", "x"],
    }
)
COLUMNS = {
    "customer_id": "shop",
    "product_id": "art",
    "date": {"date_from": {"year": "j", "month": "m"}},
    "quantity": {"from": "wert", "factor": 10000},
}


def test_columns_units_and_dates_are_mapped(tmp_path: Path) -> None:
    reading = run(
        tmp_path,
        {"s.csv": SALES},
        {"sources": {"s": {"file": "s.csv"}}, "tables": [{"table": "sales", "source": "s", "columns": COLUMNS}]},
    )
    assert reading.dataset["sales"].to_dict("list") == {
        "customer_id": ["1", "1"],
        "product_id": ["a", "b"],
        "date": [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")],
        "quantity": [15000.0, 20000.0],
    }
    issue = reading.dataset.issues.iloc[0]
    assert (issue["rule"], issue["line"], issue["value"], issue["done"]) == ("not_a_number", "4", "x", "set aside")


def test_the_last_day_of_a_month_and_a_shifted_period(tmp_path: Path) -> None:
    columns = {
        "customer_id": "shop",
        "product_id": "art",
        "issued_on": {"date_from": {"year": "j", "month": "m", "day": "last"}},
        "period": {"date_from": {"year": "j", "month": "m"}, "shift_months": 1},
        "quantity": {"constant": 7},
        "of": {"constant": "sell_out"},
    }
    reading = run(
        tmp_path,
        {"s.csv": SALES},
        {"sources": {"s": {"file": "s.csv"}}, "tables": [{"table": "customer_forecasts", "source": "s", "columns": columns}]},
    )
    frame = reading.dataset["customer_forecasts"]
    assert frame["issued_on"].dt.strftime("%m-%d").tolist() == ["01-31", "02-29", "02-29"]
    assert frame["period"].dt.strftime("%m-%d").tolist() == ["02-01", "03-01", "03-01"]


def test_rules_exclude_and_route_and_are_counted(tmp_path: Path) -> None:
    lines = pd.DataFrame(
        {"doc": ["A1", "C2", "A3", "A4"], "who": ["x", "x", "", "y"], "art": "p", "n": ["5", "-2", "1", "0"], "d": "2024-05-06"}
    )
    mapping = {
        "sources": {
            "l": {
                "file": "l.csv",
                "exclude": [{"name": "nobody", "where": [{"column": "who", "missing": True}]}],
                "route": [{"name": "back", "where": [{"column": "doc", "startswith": "C"}]}],
            }
        },
        "tables": [
            {
                "table": "orders",
                "source": "l",
                "exclude": [{"name": "nothing", "where": [{"column": "n", "at_most": 0}]}],
                "columns": {
                    "order_id": "doc",
                    "customer_id": "who",
                    "product_id": "art",
                    "ordered_on": "d",
                    "quantity_ordered": "n",
                },
            },
            {
                "table": "returns",
                "source": "l",
                "rows": "back",
                "columns": {
                    "return_id": "doc",
                    "customer_id": "who",
                    "product_id": "art",
                    "returned_on": "d",
                    "quantity": {"from": "n", "factor": -1},
                },
            },
        ],
    }
    reading = run(tmp_path, {"l.csv": lines}, mapping)
    assert reading.dataset["orders"]["order_id"].tolist() == ["A1"]
    assert reading.dataset["orders"]["line"].tolist() == ["1"]
    assert reading.dataset["returns"][["return_id", "quantity"]].to_dict("records") == [{"return_id": "C2", "quantity": 2.0}]
    rules = reading.dataset.issues.set_index("rule")
    assert rules.loc["exclude: nobody", ["line", "rows", "done"]].tolist() == ["4", 1, "excluded by rule"]
    assert rules.loc["exclude: nothing", ["line", "rows", "done"]].tolist() == ["5", 1, "excluded by rule"]
    assert rules.loc["route: back", "fix"] == "The mapping file sends these rows to returns: back."


def test_one_row_for_each_id_takes_the_latest_value_and_says_so(tmp_path: Path) -> None:
    lines = pd.DataFrame(
        {
            "who": ["x", "x", "y", "x"],
            "land": ["FR", "DE", "IT", ""],
            "d": ["2024-01-02", "2024-01-01", "2024-01-01", "2024-01-03"],
        }
    )
    table = {
        "table": "customers",
        "source": "l",
        "distinct": ["customer_id"],
        "latest": ["d"],
        "columns": {"customer_id": "who", "customer_group": {"from": "land", "missing": [""]}},
    }
    reading = run(tmp_path, {"l.csv": lines}, {"sources": {"l": {"file": "l.csv"}}, "tables": [table]})
    assert reading.dataset["customers"][["customer_id", "customer_group"]].to_dict("records") == [
        {"customer_id": "x", "customer_group": "FR"},
        {"customer_id": "y", "customer_group": "IT"},
    ]
    assert "several_values" in reading.dataset.issues["rule"].tolist()


def test_wide_months_become_rows(tmp_path: Path) -> None:
    wide = pd.DataFrame({"who": ["x"], "art": ["p"], "2024-01": ["3"], "2024-02": [""], "2024-03": ["5"]})
    mapping = {
        "sources": {"w": {"file": "w.csv", "melt": {"keep": ["who", "art"], "name": "month", "value": "n"}}},
        "tables": [
            {
                "table": "sales",
                "source": "w",
                "columns": {"customer_id": "who", "product_id": "art", "date": "month", "quantity": "n"},
            }
        ],
    }
    frame = run(tmp_path, {"w.csv": wide}, mapping).dataset["sales"]
    assert frame[["date", "quantity"]].to_numpy().tolist() == [
        [pd.Timestamp("2024-01-01"), 3.0],
        [pd.Timestamp("2024-03-01"), 5.0],
    ]


def test_a_second_file_gives_attributes_and_never_more_rows(tmp_path: Path) -> None:
    lines = pd.DataFrame({"who": ["1", "2"], "g": ["N", "S"]})
    places = pd.DataFrame({"id": ["1", "1"], "kind": ["old", "new"]})
    mapping = {
        "sources": {
            "l": {"file": "l.csv", "join": [{"source": "p", "match": {"who": "id"}, "columns": ["kind"]}]},
            "p": {"file": "p.csv"},
        },
        "tables": [
            {"table": "customers", "source": "l", "columns": {"customer_id": "who", "customer_group": "g", "site_type": "kind"}}
        ],
    }
    frame = run(tmp_path, {"l.csv": lines, "p.csv": places}, mapping).dataset["customers"]
    assert frame["site_type"].tolist() == ["new", None]


def test_transactions_are_added_up_where_the_mapping_says_so(tmp_path: Path) -> None:
    lines = pd.DataFrame({"who": "x", "art": "p", "d": ["2024-01-01", "2024-01-01", "2024-01-02"], "n": ["1", "2", "4"]})
    table = {
        "table": "sales",
        "source": "l",
        "add_up": True,
        "columns": {"customer_id": "who", "product_id": "art", "date": "d", "quantity": {"from": "n", "factor": 2}},
    }
    frame = run(tmp_path, {"l.csv": lines}, {"sources": {"l": {"file": "l.csv"}}, "tables": [table]}).dataset["sales"]
    assert frame["quantity"].tolist() == [6.0, 8.0]


def test_duplicates_are_kept_unless_the_source_declares_a_key(tmp_path: Path) -> None:
    lines = pd.DataFrame({"doc": ["1", "1"], "who": "x", "art": "p", "d": "2024-01-01", "n": "3"})
    columns = {
        "order_id": "doc",
        "line": {"row_number_in": "doc"},
        "customer_id": "who",
        "product_id": "art",
        "ordered_on": "d",
        "quantity_ordered": "n",
    }
    for key, kept, rule in (([], 2, "exact_duplicate"), (["doc"], 1, "exact_duplicate_of_key")):
        mapping = {
            "sources": {"l": {"file": "l.csv", "key": key}},
            "tables": [{"table": "orders", "source": "l", "columns": columns}],
        }
        reading = run(tmp_path, {"l.csv": lines}, mapping)
        assert len(reading.dataset["orders"]) == kept
        assert reading.dataset.issues["rule"].tolist() == [rule]


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ({"equals": "a"}, [True, False, False]),
        ({"not_equals": 2}, [True, False, True]),
        ({"isin": ["a", 2]}, [True, True, False]),
        ({"not_in": ["a"]}, [False, True, True]),
        ({"contains": "a"}, [True, False, False]),
        ({"missing": True}, [False, False, True]),
        ({"missing": False}, [True, True, False]),
        ({"more": 1}, [False, True, False]),
        ({"less": 2}, [False, False, False]),
        ({"endswith": "2"}, [False, True, False]),
    ],
)
def test_conditions(test: dict[str, Any], expected: list[bool]) -> None:
    frame = pd.DataFrame({"x": ["a", "2", ""]})
    assert meet_conditions(frame, [Condition(column="x", **test)]).tolist() == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tabels": []}, "tabels: Extra inputs are not permitted"),
        (
            {"tables": [{"table": "sale", "source": "s", "columns": {}}]},
            r"no table 'sale' in the data contract \(nearest: sales\)",
        ),
        (
            {"tables": [{"table": "sales", "source": "s", "columns": {"quantiy": "x"}}]},
            r"no column 'quantiy' in table sales \(nearest: quantity\)",
        ),
        ({"tables": [{"table": "sales", "source": "t", "columns": {}}]}, "no source 't'"),
        ({"tables": [{"table": "sales", "source": "s", "rows": "gone", "columns": {}}]}, "rows 'gone' of table sales is none of"),
        (
            {"tables": [{"table": "sales", "source": "s", "columns": {"date": {"constant": 1, "from": "x"}}}]},
            "exactly one of from, constant",
        ),
        (
            {
                "tables": [
                    {"table": "sales", "source": "s", "exclude": [{"name": "x", "where": [{"column": "a"}]}], "columns": {}}
                ]
            },
            "exactly one test",
        ),
    ],
)
def test_a_wrong_mapping_file_is_refused_with_the_place(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "map.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "name": "x",
                "sources": {"s": {"file": "s.csv"}},
                "tables": [{"table": "sales", "source": "s", "columns": COLUMNS}],
                **change,
            }
        )
    )
    with pytest.raises(ParameterError, match=message):
        read_mapping(path)


def test_a_source_column_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    table = {"table": "sales", "source": "s", "columns": {**COLUMNS, "customer_id": "shopp"}}
    with pytest.raises(InputError, match=r"column 'shopp' in source 's'.*Did you mean 'shop'"):
        run(tmp_path, {"s.csv": SALES}, {"sources": {"s": {"file": "s.csv"}}, "tables": [table]})


@pytest.mark.parametrize("file", ["../s.csv", "/etc/passwd", "sub/../../s.csv"])
def test_a_source_outside_the_data_folder_is_refused(file: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="inside the data folder"):
        run(
            tmp_path,
            {"s.csv": SALES},
            {"sources": {"s": {"file": file}}, "tables": [{"table": "sales", "source": "s", "columns": COLUMNS}]},
        )


def test_settings_and_assumptions_of_a_mapping_reach_the_data_set(tmp_path: Path) -> None:
    mapping = {
        "settings": {"currency": "CNY", "frequency": "month"},
        "assumptions": ["A sentence.", {"en": "Another.", "zh": "另一句。"}],
        "sources": {"s": {"file": "s.csv"}},
        "tables": [{"table": "sales", "source": "s", "columns": COLUMNS}],
    }
    settings = run(tmp_path, {"s.csv": SALES}, mapping).dataset.settings
    assert (settings.currency, settings.frequency) == ("CNY", "month")
    assert settings.said("en") == ("A sentence.", "Another.")
    assert settings.said("zh") == ("A sentence.", "另一句。")


def test_every_assumption_of_the_mappings_that_come_with_the_package_is_told_in_both_languages(root: Path) -> None:
    files = sorted((root / "params" / "mappings").glob("*.yml"))
    assert len(files) >= 3
    for file in files:
        for sentence in yaml.safe_load(file.read_text("utf-8"))["assumptions"]:
            assert set(sentence) == {"en", "zh"}, file.name
            assert re.search("[\u4e00-\u9fff]", sentence["zh"]), sentence
