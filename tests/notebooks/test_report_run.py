"""`cmi report` from data to pages: one bad client never stops the rest, nothing is made twice, nothing leaks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cmi_analysis.report.check_html import check_html
from cmi_analysis.report.warm import can_fork
from cmi_analysis.tables.hashing import safe_name

AS_OF = "2026-06-28"
NOTEBOOKS = ("segmentation", "forecasting", "inventory_policy", "performance_review")
pytestmark = pytest.mark.slow


def cmi(project: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Call the command line in a project."""
    command = [sys.executable, "-m", "cmi_analysis.cli", *arguments]
    return subprocess.run(command, cwd=project, env=os.environ | env, capture_output=True, text=True, check=False)


def groups_of(project: Path) -> list[str]:
    """Return the demo's customer groups."""
    catalogue = json.loads((project / "state" / "tables" / "catalogue.json").read_text())
    return sorted({part["group"] for part in catalogue["parts"] if part["group"]})


@pytest.fixture(scope="module")
def project(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which two groups have been rendered."""
    folder = tmp_path_factory.mktemp("run") / "project"
    shutil.copytree(demo_project, folder, ignore=shutil.ignore_patterns("state", "reports"))
    done = cmi(folder, "ingest", "data/demo")
    assert done.returncode == 0, done.stderr
    first, second = groups_of(folder)[:2]
    done = cmi(folder, "report", "--as-of", AS_OF, "--group", first, "--group", second)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_notebook_of_every_group_is_a_safe_page_with_tables_and_a_workbook(project: Path) -> None:
    for group in groups_of(project)[:2]:
        folder = project / "reports" / "latest" / safe_name(group)
        for notebook in NOTEBOOKS:
            html = (folder / f"{notebook}.html").read_text("utf-8")
            assert check_html(html) == []
            assert len(html.encode()) <= 1_500_000
            assert json.loads((folder / f"{notebook}.json").read_text())["key"][:12] in html
            assert list((folder / "tables").glob(f"{notebook}.*.parquet"))
        assert (folder / "workbook.xlsx").exists()
    latest = project / "reports" / "latest"
    assert check_html((latest / "management_summary.html").read_text("utf-8")) == []
    assert (latest / "index.html").exists()


def test_the_run_summary_has_a_timing_line_for_setup_kernel_compute_and_render(project: Path) -> None:
    log = max((project / "reports" / "runs").iterdir()).joinpath("log").read_text()
    assert "Seconds a report" in log
    for step in ("setup", "kernel", "compute", "render"):
        assert f"{step} " in log


def test_a_second_run_makes_nothing_and_a_dry_run_says_so(project: Path) -> None:
    first = groups_of(project)[0]
    dry = cmi(project, "report", "--as-of", AS_OF, "--group", first, "--dry-run")
    assert [line.split()[0] for line in dry.stdout.splitlines()] == ["unchanged"] * len(NOTEBOOKS)
    again = cmi(project, "report", "--as-of", AS_OF, "--group", first)
    assert again.returncode == 0
    assert "0 new" in again.stdout or "1 new" in again.stdout
    assert f"{len(NOTEBOOKS)} up to date" in again.stdout or f"{len(NOTEBOOKS) + 1} up to date" in again.stdout


def manifest(project: Path) -> dict:  # type: ignore[type-arg]
    """Return the newest run's manifest."""
    return json.loads((max((project / "reports" / "runs").iterdir()) / "manifest.json").read_text())


@pytest.mark.parametrize(
    "engine", [pytest.param("kernel", marks=pytest.mark.skipif(not can_fork(), reason="Linux only")), "plain"]
)
def test_forcing_a_report_gives_the_same_bytes_by_either_engine(engine: str, project: Path) -> None:
    group = groups_of(project)[0]
    folder = project / "reports" / "latest" / safe_name(group)
    before = {
        path.name: path.read_bytes() for path in [folder / "forecasting.html", *sorted((folder / "tables").glob("forecasting.*"))]
    }
    done = cmi(project, "report", "--as-of", AS_OF, "--group", group, "--notebook", "forecasting", "--force", "--engine", engine)
    assert done.returncode == 0, done.stdout
    assert manifest(project)["engine"] == {"name": engine, "fallback": ""}
    assert {row["engine"] for row in manifest(project)["reports"] if row["state"] == "new"} == {engine}
    assert f"engine {engine}" in done.stdout
    after = {
        path.name: path.read_bytes() for path in [folder / "forecasting.html", *sorted((folder / "tables").glob("forecasting.*"))]
    }
    assert before == after


def test_one_failing_group_is_named_keeps_its_last_good_report_and_stops_nobody(project: Path) -> None:
    first, second = groups_of(project)[:2]
    folder = project / "reports" / "latest" / safe_name(first)
    good = (folder / "segmentation.html").read_bytes()
    notebook = project / "notebooks" / "segmentation.ipynb"
    kept = notebook.read_text("utf-8")
    document = json.loads(kept)
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    code[2]["source"] = [f"assert run.part.group != {first!r}, 'poisoned'\n", *code[2]["source"]]
    notebook.write_text(json.dumps(document), "utf-8")
    try:
        done = cmi(project, "report", "--as-of", AS_OF, "--group", first, "--group", second, "--notebook", "segmentation")
    finally:
        notebook.write_text(kept, "utf-8")
    assert done.returncode == 1
    assert f"FAILED {first} · segmentation" in done.stdout
    assert "AssertionError: poisoned" in done.stdout
    assert (folder / "segmentation.html").read_bytes() == good
    run = max((project / "reports" / "runs").iterdir())
    assert "poisoned" in (run / "failures" / safe_name(first) / "segmentation.ipynb").read_text("utf-8")
    states = {(row["group"], row["notebook"]): row["state"] for row in json.loads((run / "manifest.json").read_text())["reports"]}
    assert (states[first, "segmentation"], states[second, "segmentation"]) == ("failed", "new")
    assert "poisoned" in (project / "reports" / "latest" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--notebook", "forcasting"], 2, "Did you mean 'forecasting'?"),
        (["--engine", "warm"], 2, "Allowed: kernel, plain"),
        (["-p", "horizn=3"], 2, "Did you mean 'horizon'?"),
        (["-p", "horizon=many"], 2, "horizon: input should be a valid integer"),
        (["--group", "no such group", "--as-of", AS_OF], 2, "a report group of this data set"),
        ([], 3, "Deliver newer data"),
    ],
)
def test_what_cannot_run_is_refused_before_any_kernel_with_its_exit_code(
    arguments: list[str], code: int, message: str, project: Path
) -> None:
    runs = len(list((project / "reports" / "runs").iterdir()))
    done = cmi(project, "report", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list((project / "reports" / "runs").iterdir())) == runs


def test_a_newer_report_is_not_overwritten_by_an_older_state(project: Path) -> None:
    done = cmi(project, "report", "--as-of", "2026-03-29", "--group", groups_of(project)[0])
    assert done.returncode == 2
    assert "no published report newer than 2026-03-29" in done.stderr


def test_plain_papermill_gives_the_numbers_of_the_factory(project: Path, tmp_path: Path) -> None:
    group = groups_of(project)[0]
    done = cmi(project, "params", group, "forecasting", "--as-of", AS_OF, "--out", str(tmp_path / "p.yml"))
    assert done.returncode == 0, done.stderr
    papermill = [sys.executable, "-m", "papermill", "-f", str(tmp_path / "p.yml"), "--no-progress-bar"]
    command = [*papermill, str(project / "notebooks" / "forecasting.ipynb"), str(tmp_path / "out.ipynb")]
    done = subprocess.run(command, cwd=project / "notebooks", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plain = json.loads((tmp_path / "out.ipynb").read_text("utf-8"))
    made = json.loads((project / "reports" / "latest" / safe_name(group) / "forecasting.ipynb").read_text("utf-8"))

    def outputs(document: dict) -> list[object]:  # type: ignore[type-arg]
        cells = [
            cell
            for cell in document["cells"]
            if cell["cell_type"] == "code" and "injected" not in str(cell["metadata"].get("tags"))
        ]
        return [[output.get("data") for output in cell["outputs"]] for cell in cells]

    assert outputs(plain) == outputs(made)
