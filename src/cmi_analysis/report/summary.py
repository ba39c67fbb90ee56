"""The management summary as a job: its slice is what has been published, over all groups."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cmi_analysis.params.models import CommonParams
from cmi_analysis.report.jobs import GroupJob, Outcome, Task
from cmi_analysis.stages.keys import digest
from cmi_analysis.stages.opening import Prepared, content_key
from cmi_analysis.stages.published import published_frames, read_records
from cmi_analysis.tables import DataSet, Slice
from cmi_analysis.tables.store import write_slice

SUMMARY = "management_summary"


def summary_slice(shared: Prepared, *, outcomes: Iterable[Outcome]) -> Slice:
    """Return the summary's slice: no table, only frames over the published pages and the present run."""
    records = read_records(shared.project.reports)
    titles = {name: group.title for name, group in shared.groups.items()}
    runs = [
        {
            "group": outcome.group,
            "notebook": outcome.notebook,
            "state": outcome.state,
            "cause": outcome.cause,
            "as_of": shared.as_of.isoformat(),
        }
        for outcome in sorted(outcomes, key=lambda item: (item.group, item.notebook))
    ]
    frames = published_frames(records, titles=titles, runs=runs)
    key = digest([(record["group"], record["notebook"], record["key"]) for record in records], runs)
    counts = sum(len(frame) for frame in frames.values())
    return Slice("", shared.as_of, DataSet({}, shared.store.settings), book=frames, key=key, rows_in=counts)


def summary_job(shared: Prepared, *, outcomes: Iterable[Outcome], params: CommonParams, folder: Path) -> tuple[GroupJob, Task]:
    """Write the summary's slice to `folder` and return the job and its only task."""
    project, settings = shared.project, shared.project.settings()
    part = summary_slice(shared, outcomes=outcomes)
    values = params.model_dump(mode="json")
    key = content_key(project, SUMMARY, params=params, part=part, ledger_key="")
    task = Task(SUMMARY, str(project.notebooks / f"{SUMMARY}.ipynb"), key, values)
    write_slice(part, folder)
    (folder / "run.json").write_text(
        json.dumps({"keys": {SUMMARY: key}, "params": {SUMMARY: values}}, ensure_ascii=False), "utf-8"
    )
    return GroupJob("", str(folder), (task,), settings.cell_seconds, settings.report_seconds), task
