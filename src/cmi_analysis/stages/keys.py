"""Content keys: what a report or a stage was made from, as one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cmi_analysis import __version__


def digest(*parts: Any) -> str:
    """Return the sha256 of the parts' canonical JSON, 64 hex digits.

    Examples
    --------
    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def notebook_digest(path: Path) -> str:
    """Return the hash of a notebook's cells: kinds, sources and tags, not outputs nor the editor's metadata."""
    document = json.loads(path.read_text("utf-8"))
    cells = [
        (
            cell["cell_type"],
            "".join(cell["source"]),
            cell.get("metadata", {}).get("tags", []),
            cell.get("metadata", {}).get("cmi"),
        )
        for cell in document["cells"]
    ]
    return digest(cells)


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, or an empty string where there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def report_key(*, notebook: str, lock: str, params: Mapping[str, Any], slice_key: str, ledger_key: str) -> str:
    """Return the content key of a report.

    Parameters
    ----------
    notebook, lock : str
        Hashes of the notebook and of the lock file.
    params : mapping
        Merged parameters, as JSON values.
    slice_key, ledger_key : str
        Hashes of the slice's rows (tables and book) and of the ledger entries it reads.
    """
    return digest("report", __version__, notebook, lock, params, slice_key, ledger_key)


def stage_key(*, stage: str, params: Mapping[str, Any], slice_key: str) -> str:
    """Return the key under which a stage's result may be used again by a later notebook."""
    shown = {name: value for name, value in params.items() if name not in ("lang", "audience")}
    return digest("stage", __version__, stage, shown, slice_key)
