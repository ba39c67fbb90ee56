"""`cmi ingest` on the command line: what it prints, once and again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cmi_analysis.cli.app import app
from cmi_analysis.errors import InputError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    pd.DataFrame({"customer_id": ["1", "2"], "customer_group": ["A", "B"]}).to_csv(folder / "customers.csv", index=False)
    pd.DataFrame({"product_id": ["p"]}).to_csv(folder / "products.csv", index=False)
    sales = pd.DataFrame({"customer_id": ["1", "2", "3"], "product_id": "p", "date": "2024-05-02", "quantity": [1, 2, 3]})
    sales.to_csv(folder / "sales.csv", index=False)
    return folder


def test_it_says_what_was_kept_and_set_aside_and_the_second_time_that_nothing_was_done(data: Path, tmp_path: Path):
    arguments = ["ingest", str(data), "--state", str(tmp_path / "state")]
    first = CliRunner().invoke(app, arguments)
    assert first.exit_code == 0, first.output
    lines = first.output.splitlines()
    assert lines[:3] == ["customers: 2 rows", "products: 1 rows", "sales: 2 rows, 1 set aside"]
    assert lines[-1] == "2 customer groups in 5 files, newest date 2024-05-02."
    assert "1 set aside (`cmi check` lists them)." in first.output
    second = CliRunner().invoke(app, arguments)
    assert second.output.startswith("Unchanged: the same files were read before; nothing was done.\ncustomers: 2 rows\n")


def test_data_without_a_required_table_end_with_the_reason(data: Path, tmp_path: Path):
    (data / "sales.csv").unlink()
    result = CliRunner().invoke(app, ["ingest", str(data), "--state", str(tmp_path / "state")])
    assert isinstance(result.exception, InputError)
    assert "sales or orders" in str(result.exception)
    assert result.exception.exit_code == 2
