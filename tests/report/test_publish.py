"""Readers see the old report or the new one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from cmi_analysis.report.jobs import Outcome, Task
from cmi_analysis.report.publish import publish_report, published_record, write_atomic


def staged(folder: Path, *, html: str, tables: dict[str, bytes]) -> tuple[Outcome, Task]:
    """Stage a finished report and return its outcome and task."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "n.html").write_text(html)
    (folder / "n.ipynb").write_text("{}")
    (folder / "page.json").write_text(json.dumps({"headline": html}))
    for name, content in tables.items():
        (folder / "tables" / f"{name}.parquet").write_bytes(content)
    return Outcome("g", "n", "key", "new", staged=str(folder)), Task(
        "n", "", "key", {"as_of": "2026-06-28", "audience": "internal"}
    )


def test_a_report_is_published_with_the_hash_of_each_file(tmp_path: Path) -> None:
    outcome, task = staged(tmp_path / "s", html="one", tables={"a": b"1"})
    record = publish_report(tmp_path / "g", outcome=outcome, task=task)
    assert record["files"]["n.html"] == hashlib.sha256(b"one").hexdigest()
    assert (tmp_path / "g" / "tables" / "n.a.parquet").read_bytes() == b"1"
    found = published_record(tmp_path / "g", notebook="n")
    assert found is not None
    assert (found["key"], found["as_of"], found["page"]) == ("key", "2026-06-28", {"headline": "one"})


def test_tables_that_a_new_report_lacks_go_away(tmp_path: Path) -> None:
    for number, tables in enumerate(({"a": b"1", "b": b"2"}, {"a": b"3"})):
        outcome, task = staged(tmp_path / f"s{number}", html="x", tables=tables)
        publish_report(tmp_path / "g", outcome=outcome, task=task)
    assert [path.name for path in (tmp_path / "g" / "tables").iterdir()] == ["n.a.parquet"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_fault_while_writing_leaves_the_old_file_and_nothing_else(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    write_atomic(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync" if call == "fsync" else "pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]
    assert path.read_bytes() == b"old"


def test_a_report_whose_file_is_gone_does_not_count_as_published(tmp_path: Path) -> None:
    outcome, task = staged(tmp_path / "s", html="x", tables={})
    publish_report(tmp_path / "g", outcome=outcome, task=task)
    (tmp_path / "g" / "n.html").unlink()
    assert published_record(tmp_path / "g", notebook="n") is None
    assert published_record(tmp_path / "nowhere", notebook="n") is None
