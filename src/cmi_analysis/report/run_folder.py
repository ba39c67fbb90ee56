"""The folder that the kernels of one job see: the slice, the parameters, the keys, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cmi_analysis.report.jobs import Task
from cmi_analysis.tables import Slice
from cmi_analysis.tables.store import write_slice


def write_run_folder(folder: Path, *, part: Slice, tasks: Iterable[Task], params: Mapping[str, Any]) -> None:
    """Write all that the kernels of one group may see: the slice, the parameters, the keys."""
    write_slice(part, folder)
    about = {"keys": {task.notebook: task.key for task in tasks}, "params": params}
    (folder / "run.json").write_text(json.dumps(about, ensure_ascii=False), "utf-8")
