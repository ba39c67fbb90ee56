"""`cmi forecast`: files with the numbers of the group's report, for one group or for all of them."""

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
from cmi_analysis.report import forecast_files, group_files

FILES = ["forecasts.csv", "forecasts.parquet", "forecasts.xlsx", "sums.csv", "sums.parquet"]
FORMULA = '=HYPERLINK("http://example.org")'


def run(*arguments: object) -> Result:
    """Run `cmi forecast` with the arguments."""
    return CliRunner().invoke(app, ["forecast", *map(str, arguments)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small data set: two groups that sell, one that does not; a product whose name is a formula."""
    folder = tmp_path_factory.mktemp("small") / "data"
    folder.mkdir()
    customers = {"customer_id": ["C1", "C2", "C3"], "customer_name": ["One", "-Two", "Three"], "customer_group": ["A", "B", "C"]}
    pd.DataFrame(customers).to_csv(folder / "customers.csv", index=False)
    pd.DataFrame({"product_id": ["007", "8"], "product_name": [FORMULA, "茶"]}).to_csv(folder / "products.csv", index=False)
    weeks = pd.date_range("2024-01-01", periods=60, freq="W-MON")
    rows = [(c, p, day, 5 + k % 3) for c in ("C1", "C2") for p in ("007", "8") for k, day in enumerate(weeks)]
    pd.DataFrame(rows, columns=["customer_id", "product_id", "date", "quantity"]).to_csv(folder / "sales.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def small(data: Path, root: Path) -> Callable[..., Result]:
    """Return a function that runs the command on the small data set."""

    def run_small(out: Path, *arguments: object) -> Result:
        fixed = ("--data", data, "--params", root / "params", "--state", data.parent / "state", "--as-of", "2025-02-23")
        return run(*fixed, "--out", out, *arguments)

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
    result = run("--group", "North", "--as-of", demo_as_of, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    folder = only_folder(tmp_path, "north")
    monkeypatch.setenv("CMI_STATE", str(demo_project / "state"))
    report = open_run("forecasting", {"group": "North", "as_of": demo_as_of.isoformat()}).stage("forecast")
    for name, frame in {"forecasts": report.forecasts, "sums": report.forecast_sums}.items():
        written = pd.read_parquet(folder / f"{name}.parquet")
        pd.testing.assert_frame_equal(written.drop(columns=["customer_name", "product_name"]), frame)
    customers = pd.read_csv(demo_project / "data" / "demo" / "customers.csv", dtype=str)
    own = set(customers.loc[customers["customer_group"] == "North", "customer_id"])
    assert set(pd.read_parquet(folder / "sums.parquet")["customer_id"]) <= own
    assert f"newest period {report.last_period}: {folder}" in result.output


def test_each_group_has_its_files_and_its_line_and_one_that_cannot_be_forecast_stops_no_other(
    small: Callable[..., Result], tmp_path: Path
) -> None:
    result = small(tmp_path)
    assert result.exit_code == 1
    lines = sorted(result.output.splitlines())
    assert [line.partition(":")[0] for line in lines] == ["A", "B", "FAILED C"]
    assert "Add what customers sold" in lines[2]
    for line, name in zip(lines, "ab", strict=False):
        folder = only_folder(tmp_path, name)
        assert sorted(path.name for path in folder.iterdir()) == FILES
        assert line.split("newest period ")[1].split() == ["2025-02-17:", *(str(folder / file) for file in FILES)]
        assert f"{len(pd.read_parquet(folder / 'forecasts.parquet')):,} forecasts" in line
    assert list(tmp_path.glob("c-*")) == []


def test_names_stand_beside_the_ids_and_ids_keep_their_zeros(small: Callable[..., Result], tmp_path: Path) -> None:
    assert small(tmp_path, "--group", "B", "-p", "horizon=4").exit_code == 0
    folder = only_folder(tmp_path, "b")
    sums = pd.read_parquet(folder / "sums.parquet")
    assert sums.columns.tolist()[1:5] == ["customer_id", "customer_name", "product_id", "product_name"]
    assert sums[["product_id", "product_name", "periods"]].to_numpy().tolist() == [
        [product, name, periods] for product, name in (("007", FORMULA), ("8", "茶")) for periods in (1, 2, 3, 4)
    ]
    csv = pd.read_csv(folder / "sums.csv", dtype=str)
    assert csv.iloc[0, 3] == "007"
    assert csv.iloc[:, -2].astype(float).tolist() == sums["q99"].tolist()


def test_no_spreadsheet_finds_a_formula(small: Callable[..., Result], tmp_path: Path) -> None:
    assert small(tmp_path, "--group", "B").exit_code == 0
    folder = only_folder(tmp_path, "b")
    assert (folder / "forecasts.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    csv = pd.read_csv(folder / "forecasts.csv", dtype=str)
    assert set(csv.iloc[:, 4]) == {f"'{FORMULA}", "茶"}
    assert set(csv.iloc[:, 2]) == {"'-Two"}
    book = openpyxl.load_workbook(folder / "forecasts.xlsx")
    assert book.sheetnames[1:] == ["forecasts", "sums"]
    cells = [cell for row in book["sums"].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert FORMULA in {cell.value for cell in cells}


def test_headers_are_in_the_language_asked_for(small: Callable[..., Result], tmp_path: Path) -> None:
    assert small(tmp_path, "--group", "A", "--lang", "zh").exit_code == 0
    header = (only_folder(tmp_path, "a") / "sums.csv").read_text("utf-8-sig").splitlines()[0]
    assert "客户" in header


def test_a_client_sees_no_confidential_column(
    small: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = forecast_files.forecast_tables

    def with_cost(result: Any) -> dict[str, pd.DataFrame]:
        return {name: frame.assign(unit_cost=1.0) for name, frame in whole(result).items()}

    monkeypatch.setattr(forecast_files, "forecast_tables", with_cost)
    for audience in ("internal", "client"):
        assert small(tmp_path / audience, "--group", "A", "--audience", audience).exit_code == 0
        folder = only_folder(tmp_path / audience, "a")
        headers = [openpyxl.load_workbook(folder / "forecasts.xlsx")["sums"].max_column, len(pd.read_csv(folder / "sums.csv").T)]
        columns = pd.read_parquet(folder / "sums.parquet").columns
        assert ("unit_cost" in columns) == (audience == "internal")
        assert headers == [len(columns)] * 2


def test_a_failure_leaves_the_earlier_files_as_they_are(
    small: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert small(tmp_path, "--group", "A").exit_code == 0
    folder = only_folder(tmp_path, "a")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    small(tmp_path, "--group", "A")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(group_files, "write_workbook", fail)
    result = small(tmp_path, "--group", "A", "-p", "horizon=3")
    assert result.exit_code == 1
    assert "FAILED A: OSError: no space left" in result.output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [(("--group", "Nowhere"), ParameterError), (("-p", "horizonn=3"), ParameterError), (("--data", "no/such"), InputError)],
)
def test_bad_input_ends_with_exit_code_2_and_writes_nothing(
    arguments: tuple[str, ...], error: type[InputError], small: Callable[..., Result], tmp_path: Path
) -> None:
    result = small(tmp_path, *arguments)
    assert isinstance(result.exception, error)
    assert result.exception.exit_code == 2
    assert list(tmp_path.iterdir()) == []
