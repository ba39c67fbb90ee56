"""The report factory against plain `papermill` + `jupyter nbconvert` commands, one after another, on the same notebooks.

Both sides render the demo's notebooks for the same groups with the same parameters in one run on one machine; ingest and book are
done before either starts. The commands get each group's slice ready-made, so the factory pays for cutting it and they do not.

    python benchmarks/report_factory.py            # 4 groups x 4 notebooks by the factory, 2 groups by commands
    python benchmarks/report_factory.py --quick    # 2 groups x 2 notebooks each way
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AS_OF = "2026-06-28"
NOTEBOOKS = ("segmentation", "forecasting", "inventory_policy", "performance_review")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def run(command: list[str], *, cwd: Path, **env: str) -> None:
    """Run a command; stop with its output where it fails."""
    done = subprocess.run(command, cwd=cwd, env=os.environ | ONE_THREAD | env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def make_project(folder: Path) -> Path:
    """Return a copy of the project with the small demo, ingested, its book made."""
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.lock", folder)
    cmi = [sys.executable, "-m", "cmi_analysis.cli"]
    run([*cmi, "demo", "--out", "data/demo", "--size", "small", "--seed", "1"], cwd=folder)
    run([*cmi, "ingest", "data/demo"], cwd=folder)
    run([*cmi, "report", "--as-of", AS_OF, "--dry-run"], cwd=folder)
    return folder


def by_factory(project: Path, groups: list[str], notebooks: tuple[str, ...]) -> float:
    """Return the wall time of the factory [s]."""
    arguments = [part for name in groups for part in ("--group", name)] + [
        part for name in notebooks for part in ("--notebook", name)
    ]
    started = time.perf_counter()
    run([sys.executable, "-m", "cmi_analysis.cli", "report", "--as-of", AS_OF, "--jobs", "2", "--force", *arguments], cwd=project)
    return time.perf_counter() - started


def by_commands(project: Path, groups: list[str], notebooks: tuple[str, ...]) -> float:
    """Return the wall time of the commands, one after another [s]; the slices are written before the clock starts."""
    from cmi_analysis.report.batch import write_run_folder
    from cmi_analysis.report.jobs import Task
    from cmi_analysis.stages.opening import group_params, prepare
    from cmi_analysis.stages.project import find_project

    shared = prepare(find_project(start=project), as_of=AS_OF)
    work = []
    for group in groups:
        part, _ = shared.cut(group)
        params = group_params(shared.project, group, as_of=shared.as_of, overrides={})
        values = {name: model.model_dump(mode="json") for name, model in params.items()}
        folder = project / "commands" / str(len(work))
        tasks = [Task(name, "", "0" * 64, values[name]) for name in notebooks]
        write_run_folder(folder, part=part, tasks=tasks, params=values)
        for name in notebooks:
            (folder / f"{name}.yml").write_text(json.dumps(values[name]), "utf-8")
        work.append(folder)
    started = time.perf_counter()
    for folder in work:
        for name in notebooks:
            source, out = str(project / "notebooks" / f"{name}.ipynb"), str(folder / f"{name}.ipynb")
            papermill = [sys.executable, "-m", "papermill", "-f", str(folder / f"{name}.yml"), "--no-progress-bar", source, out]
            run(papermill, cwd=folder, CMI_SLICE=str(folder))
            run([sys.executable, "-m", "nbconvert", "--to", "html", out], cwd=folder)
    return time.perf_counter() - started


def main() -> None:
    """Print the table and the lines `name: value`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="2 groups x 2 notebooks each way")
    quick = parser.parse_args().quick
    notebooks = NOTEBOOKS[:2] if quick else NOTEBOOKS
    with tempfile.TemporaryDirectory() as scratch:
        project = make_project(Path(scratch))
        catalogue = json.loads((project / "state" / "tables" / "catalogue.json").read_text("utf-8"))
        groups = sorted({part["group"] for part in catalogue["parts"] if part["group"]})[: 2 if quick else 4]
        plain_groups = groups[:2]
        factory = by_factory(project, groups, notebooks) / (len(groups) * len(notebooks))
        commands = by_commands(project, plain_groups, notebooks) / (len(plain_groups) * len(notebooks))
    print(f"factory: {len(groups) * len(notebooks)} reports and the summary, two at a time, {factory:.2f} s a report")
    print(f"commands: {len(plain_groups) * len(notebooks)} reports, one after another, {commands:.2f} s a report")
    print(f"seconds_per_report_factory: {factory:.3f}")
    print(f"seconds_per_report_commands: {commands:.3f}")
    print(f"ratio_to_sequential_cli: {commands / factory:.2f}")


if __name__ == "__main__":
    main()
