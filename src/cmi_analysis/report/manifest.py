"""The manifest of a run: what was read, with which code and parameters, what came out, and how long it took."""

from __future__ import annotations

import dataclasses
import json
import platform
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cmi_analysis import __version__
from cmi_analysis.report.jobs import Outcome
from cmi_analysis.report.publish import write_atomic
from cmi_analysis.stages.keys import file_digest, notebook_digest
from cmi_analysis.stages.opening import Prepared


def new_run_folder(reports: Path) -> Path:
    """Make and return the folder of a new run, named by its start; the only place of clock values beside the index."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1000):
        folder = reports / "runs" / (stamp if number == 0 else f"{stamp}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("a thousand runs in one second")


def write_manifest(
    folder: Path,
    *,
    shared: Prepared,
    outcomes: Iterable[Outcome],
    published: Iterable[Mapping[str, Any]],
    params: Mapping[str, Any],
    seconds: Mapping[str, float],
    engine: Mapping[str, str],
) -> Path:
    """Write ``manifest.json`` of a run and return its path.

    Parameters
    ----------
    folder : Path
        The run's folder.
    shared : Prepared
        Store, book and groups of the run.
    outcomes : iterable of Outcome
        One a report.
    published : iterable of mapping
        What `publish.publish_report` returned: the output hashes.
    params : mapping
        Merged parameters by group and notebook.
    seconds : mapping
        Time of the run's steps [s].
    engine : mapping
        Its name, and why it is not the one wanted.
    """
    project = shared.project
    notebooks = {path.stem: notebook_digest(path) for path in sorted(project.notebooks.glob("*.ipynb"))}
    document = {
        "run": folder.name,
        "as_of": shared.as_of.isoformat(),
        "package": __version__,
        "python": sys.version.split()[0],
        "machine": platform.machine(),
        "engine": dict(engine),
        "lock_file": file_digest(project.lock_file),
        "notebooks": notebooks,
        "data": {
            "key": shared.store.catalogue.key,
            "sources": [dataclasses.asdict(source) for source in shared.store.catalogue.sources],
            "rows": {table: shared.store.catalogue.rows(table) for table in shared.store.catalogue.tables()},
            "rows_set_aside": shared.store.catalogue.rows_set_aside,
        },
        "book": {"folder": shared.book.folder.name, "made": shared.book.made, "data_moved": shared.book.data_moved},
        "groups": {name: list(group.members) for name, group in shared.groups.items()},
        "params": params,
        "reports": [
            {
                "group": outcome.group,
                "notebook": outcome.notebook,
                "key": outcome.key,
                "state": outcome.state,
                "cause": outcome.cause,
                "engine": outcome.engine,
                "seconds": {step: round(value, 3) for step, value in outcome.seconds.items()},
            }
            for outcome in outcomes
        ],
        "published": list(published),
        "seconds": {step: round(value, 3) for step, value in seconds.items()},
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = folder / "manifest.json"
    write_atomic(path, json.dumps(document, ensure_ascii=False, indent=1, default=str).encode())
    return path
