"""`cmi check` lists what is wrong with the data and says by its exit code whether a report can stand on them."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cmi_analysis.cli.check import check

CUSTOMERS = "customer_id,customer_name,customer_group\nC1,[red]One,North\nC2,Two,South\n"
PRODUCTS = "product_id,product_name\n001,Tea\n"


@pytest.fixture
def runner() -> CliRunner:
    """Return a runner of command lines."""
    return CliRunner()


@pytest.fixture
def app() -> typer.Typer:
    """Return an application with the one command."""
    app = typer.Typer()
    app.command()(check)
    return app


def _data(folder: Path, sales: str) -> Path:
    for name, text in (
        ("customers", CUSTOMERS),
        ("products", PRODUCTS),
        ("sales", f"customer_id,product_id,date,quantity\n{sales}"),
    ):
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return folder


def test_clean_data_exit_0(runner: CliRunner, app: typer.Typer, tmp_path: Path) -> None:
    result = runner.invoke(app, [str(_data(tmp_path, "C1,001,2024-01-01,5\n"))])
    assert result.exit_code == 0
    assert result.output.splitlines() == ["customers: 2 rows", "products: 1 rows", "sales: 1 rows", "No issues."]


def test_a_fault_is_one_plain_line_and_still_exits_0(runner: CliRunner, app: typer.Typer, tmp_path: Path) -> None:
    result = runner.invoke(app, [str(_data(tmp_path, "C1,001,2024-01-01,5\n[bold]C9,001,2024-01-01,5\n"))])
    assert result.exit_code == 0
    first = result.output.splitlines()[0]
    assert first.startswith("set aside  sales  customer_id  unknown_customer  1  sales.csv:3  [bold]C9  ")


def test_what_stops_a_run_exits_2_and_says_why(runner: CliRunner, app: typer.Typer, tmp_path: Path) -> None:
    folder = _data(tmp_path, "C1,001,2024-01-01,5\n")
    (folder / "customers.csv").unlink()
    result = runner.invoke(app, [str(folder)])
    assert result.exit_code == 2
    assert "Stops the run: The data hold no table customers." in result.output


def test_rows_set_aside_are_written_on_request_only(runner: CliRunner, app: typer.Typer, tmp_path: Path) -> None:
    folder = _data(tmp_path, "C1,001,2024-01-01,5\nC1,001,2024-01-02,many\n")
    runner.invoke(app, [str(folder)])
    assert not (folder / "set_aside").exists()
    runner.invoke(app, [str(folder), "--write"])
    assert "sales.csv,3,not_a_number,C1,001,2024-01-02,many" in (folder / "set_aside" / "sales.csv").read_text("utf-8-sig")
    again = runner.invoke(app, [str(folder)])
    assert "set_aside" not in again.output


def test_a_terminal_shows_a_table_and_each_advice_once(runner: CliRunner, app: typer.Typer, tmp_path: Path) -> None:
    folder = _data(tmp_path, "C1,001,2024-01-01,x\nC2,001,2024-01-01,x\nC2,001,2024-01-08,1\n")
    result = runner.invoke(app, [str(folder)], env={"TTY_COMPATIBLE": "1", "COLUMNS": "150", "NO_COLOR": "1"})
    assert result.output.count("not_a_number") == 3
    assert result.output.count("Write a number into quantity without words.") == 1
    assert "│ North" in result.output
