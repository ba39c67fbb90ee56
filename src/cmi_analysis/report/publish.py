"""Publishing: readers see the old report or the new one, never half of either.

Every file is written beside its place, synced, and renamed over it; the report's JSON comes last and is the commit point.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cmi_analysis.report.jobs import Outcome, Task
from cmi_analysis.stages.edition import client_params


def write_atomic(path: Path, content: bytes) -> str:
    """Write `content` to `path` whole or not at all; return its sha256.

    The file is written beside its place, synced to disk and renamed over the old one; its folder is synced too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with staging.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        staging.replace(path)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return hashlib.sha256(content).hexdigest()


def publish_report(target: Path, *, outcome: Outcome, task: Task) -> dict[str, Any]:
    """Put one finished report in the folder `target` and return what the manifest keeps of it.

    Tables that the new report no longer has are removed after the commit point.
    """
    staged = Path(outcome.staged)
    name = outcome.notebook
    files: dict[str, str] = {}
    for path in sorted((staged / "tables").glob("*.parquet")):
        files[f"tables/{name}.{path.name}"] = write_atomic(target / "tables" / f"{name}.{path.name}", path.read_bytes())
    for suffix in ("ipynb", "html"):
        files[f"{name}.{suffix}"] = write_atomic(target / f"{name}.{suffix}", (staged / f"{name}.{suffix}").read_bytes())
    record = {
        "group": outcome.group,
        "notebook": name,
        "key": outcome.key,
        "as_of": task.params["as_of"],
        "audience": task.params["audience"],
        "params": client_params(task.params) if task.params["audience"] == "client" else dict(task.params),
        "files": files,
        "page": json.loads((staged / "page.json").read_text("utf-8")),
    }
    write_atomic(target / f"{name}.json", json.dumps(record, ensure_ascii=False, indent=1).encode())
    for path in (target / "tables").glob(f"{name}.*.parquet"):
        if f"tables/{path.name}" not in files:
            path.unlink()
    return {key: record[key] for key in ("group", "notebook", "key", "as_of", "audience", "files")}


def published_record(folder: Path, *, notebook: str) -> Mapping[str, Any] | None:
    """Return the record of the last good report in a folder, or None where there is none whose files are all in place."""
    try:
        record: dict[str, Any] = json.loads((folder / f"{notebook}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not all((folder / name).exists() for name in record.get("files", {"": ""})):
        return None
    return record
