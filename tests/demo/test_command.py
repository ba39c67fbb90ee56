"""`cmi demo` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cmi_analysis import demo as package
from cmi_analysis.cli.demo import demo


def test_the_command_hands_its_options_on_and_says_where_the_book_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(package, "write_demo", lambda out, **options: asked.update(out=out, **options))
    app = typer.Typer()
    app.command()(demo)
    result = CliRunner().invoke(app, ["--out", str(tmp_path), "--size", "medium", "--seed", "7", "--no-dirty"])
    assert result.exit_code == 0, result.output
    assert asked == {"out": tmp_path, "size": "medium", "seed": 7, "dirty": False, "formats": "csv"}
    assert "seed 7" in result.output


def test_an_unknown_size_is_refused(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(demo)
    assert CliRunner().invoke(app, ["--out", str(tmp_path), "--size", "huge"]).exit_code == 2
