"""`cmi plan`: files with the orders, alerts and policies of the group's report, for one group or for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cmi_analysis.cli.app import app
from cmi_analysis.errors import InputError, ParameterError
from cmi_analysis.report import group_files

TABLES = ("alerts", "policies", "proposals")
FILES = sorted([*(f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")), "plans.xlsx"])
FORMULA = '=HYPERLINK("http://example.org")'


def run(*arguments: object) -> Result:
    """Run `cmi plan` with the arguments."""
    return CliRunner().invoke(app, ["plan", *map(str, arguments)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small data set: two groups that sell and hold stock, one without anything; a product whose name is a formula."""
    folder = tmp_path_factory.mktemp("small") / "data"
    folder.mkdir()
    customers = {"customer_id": ["C1", "C2", "C3"], "customer_name": ["One", "-Two", "Three"], "customer_group": ["A", "B", "C"]}
    pd.DataFrame(customers).to_csv(folder / "customers.csv", index=False)
    products = {"product_id": ["007", "8"], "product_name": [FORMULA, "茶"], "unit_cost": [2.0, 3.0], "unit_price": [3.0, 5.0]}
    pd.DataFrame(products).to_csv(folder / "products.csv", index=False)
    weeks = pd.date_range("2024-01-01", periods=60, freq="W-MON")
    rows = [(c, p, day, 5 + k % 3) for c in ("C1", "C2") for p in ("007", "8") for k, day in enumerate(weeks)]
    pd.DataFrame(rows, columns=["customer_id", "product_id", "date", "quantity"]).to_csv(folder / "sales.csv", index=False)
    items = [(c, p) for c in ("C1", "C2") for p in ("007", "8")]
    keys = pd.DataFrame(items, columns=["customer_id", "product_id"])
    keys.assign(date="2025-02-23", on_hand=[0, 500, 2, 500]).to_csv(folder / "stock.csv", index=False)
    terms = {"lead_time_days": 7, "minimum_order_quantity": 50, "order_multiple": 12, "valid_from_on": "2024-01-01"}
    keys.assign(**terms).to_csv(folder / "assortment.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def small(data: Path, root: Path) -> Callable[..., Result]:
    """Return a function that runs the command on the small data set."""

    def run_small(out: Path, *arguments: object) -> Result:
        fixed = ("--data", data, "--params", root / "params", "--state", data.parent / "state", "--as-of", "2025-02-23")
        return run(*arguments, *fixed, "--out", out)

    return run_small


def only_folder(out: Path, name: str) -> Path:
    """Return the folder of the group whose slug is `name`."""
    (folder,) = out.glob(f"{name}-*")
    return folder


@pytest.mark.slow
def test_the_numbers_are_those_of_the_report_and_of_no_other_group(
    demo_project: Path, demo_as_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cmi_analysis.stages import open_run

    monkeypatch.setenv("CMI_PROJECT", str(demo_project))
    result = run("North", "--as-of", demo_as_of, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    folder = only_folder(tmp_path, "north")
    monkeypatch.setenv("CMI_STATE", str(demo_project / "state"))
    report = open_run("inventory_policy", {"group": "North", "as_of": demo_as_of.isoformat()}).stage("plan")
    for name in TABLES:
        pd.testing.assert_frame_equal(pd.read_parquet(folder / f"{name}.parquet"), getattr(report, name), check_dtype=False)
    customers = pd.read_csv(demo_project / "data" / "demo" / "customers.csv", dtype=str)
    own = set(customers.loc[customers["customer_group"] == "North", "customer_id"])
    proposals = pd.read_parquet(folder / "proposals.parquet")
    assert len(proposals)
    assert set(proposals["customer_id"]) <= own
    assert f"as of {demo_as_of.isoformat()}: {folder}" in result.output


def test_an_empty_shelf_gets_an_order_of_the_minimum_in_whole_packs_and_a_full_one_none(
    small: Callable[..., Result], tmp_path: Path
) -> None:
    result = small(tmp_path, "A", "-p", "assumed_order_cost=0")
    assert result.exit_code == 0, result.output
    folder = only_folder(tmp_path, "a")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    proposals = pd.read_parquet(folder / "proposals.parquet")
    assert proposals["product_id"].tolist() == ["007"]
    assert proposals["quantity"].tolist() == [60.0]
    assert proposals["order_on"].tolist() == [pd.Timestamp("2025-02-24")]
    alerts = pd.read_parquet(folder / "alerts.parquet")
    assert ("007", "stocked_out") in set(zip(alerts["product_id"], alerts["alert"], strict=True))
    assert "1 proposals" in result.output


def test_each_group_has_its_files_and_its_line_and_one_that_cannot_be_planned_stops_no_other(
    small: Callable[..., Result], tmp_path: Path
) -> None:
    result = small(tmp_path)
    assert result.exit_code == 1
    lines = sorted(result.output.splitlines())
    assert [line.partition(":")[0] for line in lines] == ["A", "B", "FAILED C"]
    assert "what customers sold" in lines[2]
    for line, name in zip(lines, "ab", strict=False):
        folder = only_folder(tmp_path, name)
        assert line.split("as of ")[1].split() == ["2025-02-23:", *(str(folder / file) for file in FILES)]
    assert list(tmp_path.glob("c-*")) == []


def test_names_stand_beside_the_ids_and_no_spreadsheet_finds_a_formula(small: Callable[..., Result], tmp_path: Path) -> None:
    assert small(tmp_path, "--group", "B").exit_code == 0
    folder = only_folder(tmp_path, "b")
    csv = pd.read_csv(folder / "policies.csv", dtype=str)
    assert csv.iloc[:, 1:5].to_numpy().tolist() == [["C2", "007", "'-Two", f"'{FORMULA}"], ["C2", "8", "'-Two", "茶"]]
    book = openpyxl.load_workbook(folder / "plans.xlsx")
    assert book.sheetnames[1:] == ["proposals", "alerts", "policies"]
    assert "f" not in {cell.data_type for row in book["policies"].iter_rows() for cell in row}


def test_headers_are_in_the_language_asked_for(small: Callable[..., Result], tmp_path: Path) -> None:
    assert small(tmp_path, "A", "--lang", "zh").exit_code == 0
    assert "客户" in (only_folder(tmp_path, "a") / "policies.csv").read_text("utf-8-sig").splitlines()[0]


def test_a_client_sees_no_cost_of_ours(small: Callable[..., Result], tmp_path: Path) -> None:
    for audience in ("internal", "client"):
        assert small(tmp_path / audience, "A", "--audience", audience).exit_code == 0
        columns = pd.read_parquet(only_folder(tmp_path / audience, "a") / "policies.parquet").columns
        assert ("owner_cost" in columns) == (audience == "internal")


def test_a_failure_leaves_the_earlier_files_as_they_are(
    small: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert small(tmp_path, "A").exit_code == 0
    folder = only_folder(tmp_path, "a")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    small(tmp_path, "A")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(group_files, "write_workbook", fail)
    result = small(tmp_path, "A", "-p", "service_target=0.8")
    assert result.exit_code == 1
    assert "FAILED A: OSError: no space left" in result.output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("Nowhere",), ParameterError), (("-p", "service=0.9"), ParameterError), (("--data", "no/such"), InputError)],
)
def test_bad_input_ends_with_exit_code_2_and_writes_nothing(
    arguments: tuple[str, ...], error: type[InputError], small: Callable[..., Result], tmp_path: Path
) -> None:
    result = small(tmp_path, *arguments) if "--data" not in arguments else run(*arguments, "--out", tmp_path)
    assert isinstance(result.exception, error)
    assert result.exception.exit_code == 2
    assert list(tmp_path.iterdir()) == []
