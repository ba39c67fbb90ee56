"""The management summary as a job: its slice is what has been published, over all groups."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.params.models import CommonParams
from cmi_analysis.report.jobs import GroupJob, Outcome, Task
from cmi_analysis.report.run_folder import write_run_folder
from cmi_analysis.stages.keys import digest
from cmi_analysis.stages.ledger import read_cards
from cmi_analysis.stages.opening import Prepared, content_key
from cmi_analysis.stages.published import published_frames, read_records
from cmi_analysis.tables import DataSet, Slice

SUMMARY = "management_summary"


def summary_slice(shared: Prepared, *, outcomes: Iterable[Outcome]) -> Slice:
    """Return the summary's slice: no table, only frames over the published pages and the present run."""
    outcomes = list(outcomes)
    records = read_records(shared.project.reports)
    titles = {name: group.title for name, group in shared.groups.items()}
    runs = _run_rows(records, outcomes, as_of=shared.as_of.isoformat())
    frames = published_frames(records, titles=titles, runs=runs)
    groups = sorted({record["group"] for record in records})
    pairs = [(name, customer) for name in groups if name in shared.groups for customer in shared.groups[name].members]
    frames["members"] = pd.DataFrame(pairs, columns=["group", "customer_id"])
    frames["previous_cards"], before = read_cards(shared.project.state, groups=groups, before=shared.as_of)
    key = digest([(record["group"], record["notebook"], record["key"]) for record in records], runs, pairs, before)
    counts = sum(len(frame) for frame in frames.values())
    return Slice("", shared.as_of, DataSet({}, shared.store.settings), book=frames, key=key, rows_in=counts)


def _run_rows(records: list[dict[str, Any]], outcomes: list[Outcome], *, as_of: str) -> list[dict[str, str]]:
    """Return one row per report: failed in this run, or up to date; made new and kept are the same to a manager."""
    failed = {(outcome.group, outcome.notebook): outcome.cause for outcome in outcomes if outcome.state == "failed"}
    dates = {(record["group"], record["notebook"]): record["as_of"] for record in records}
    return [
        {
            "group": group,
            "notebook": notebook,
            "state": "failed" if (group, notebook) in failed else "unchanged",
            "cause": failed.get((group, notebook), ""),
            "as_of": dates.get((group, notebook), as_of),
        }
        for group, notebook in sorted({*failed, *dates})
    ]


def summary_job(
    shared: Prepared, *, outcomes: Iterable[Outcome], params: CommonParams, folder: Path, template: str = ""
) -> tuple[GroupJob, Task]:
    """Write the summary's slice to `folder` and return the job and its only task."""
    project, settings = shared.project, shared.project.settings()
    part = summary_slice(shared, outcomes=outcomes)
    values = params.model_dump(mode="json")
    key = content_key(project, SUMMARY, params=params, part=part, ledger_key="")
    task = Task(SUMMARY, str(project.notebooks / f"{SUMMARY}.ipynb"), key, values)
    write_run_folder(folder, part=part, tasks=[task], params={SUMMARY: values})
    return GroupJob("", str(folder), (task,), settings.cell_seconds, settings.report_seconds, template), task
