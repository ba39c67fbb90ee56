"""A group's numbers as files for other programs: Parquet, CSV and a workbook of each group, one group after another."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.errors import CmiError
from cmi_analysis.report.lock import run_lock
from cmi_analysis.report.options import RunOptions, check_parameters, choose_groups, ingest_data, refuse_stale
from cmi_analysis.report.publish import write_atomic
from cmi_analysis.report.workbook import write_csv, write_workbook
from cmi_analysis.stages.edition import client_frames
from cmi_analysis.stages.opening import Prepared, group_params, prepare
from cmi_analysis.stages.project import find_project
from cmi_analysis.tables import Slice
from cmi_analysis.tables.hashing import safe_name

Make = Callable[[Slice, Mapping[str, Any]], tuple[dict[str, pd.DataFrame], str]]
"""From a group's slice and the parameters of every notebook to its tables and a word on their age."""


@dataclass(frozen=True)
class GroupFiles:
    """What became of one group's files.

    Attributes
    ----------
    group : str
        Which group.
    paths : tuple of Path
        The files written; empty where it failed.
    rows : mapping of str to int
        Rows by frame [count].
    newest : str
        How new the numbers are, as `Make` says it.
    cause : str
        Plain cause of a failure.
    """

    group: str
    paths: tuple[Path, ...] = ()
    rows: Mapping[str, int] | None = None
    newest: str = ""
    cause: str = ""


def write_groups(options: RunOptions, *, notebook: str, folder: str, make: Make) -> Iterator[GroupFiles]:
    """Write the files of the groups that are asked for, one group after another, and yield what became of each.

    Parameters
    ----------
    options : RunOptions
        As for the reports; ``out`` holds a folder per group, ``reports/<folder>`` if absent.
    notebook : str
        Notebook whose parameters and whose client edition count.
    folder : str
        Name of the folder under ``reports``; the workbook is ``<folder>.xlsx``.
    make : callable
        Makes a group's tables.

    Raises
    ------
    CmiError
        Before any group: bad parameters or data (exit code 2), stale data (3), another run (75).

    Notes
    -----
    Book, slice and parameters are those of the group's report, so its numbers are too. A group that fails does not stop the
    others; its earlier files stay.
    """
    project = find_project(params=options.params, state=options.state)
    check_parameters(project, options)
    out = options.out or project.reports / folder
    with run_lock(project.state):
        ingest_data(project, options)
        shared = prepare(project, as_of=options.as_of, rebook=options.rebook)
        refuse_stale(shared, options)
        for group in choose_groups(shared, options.groups):
            place = out / safe_name(group)
            try:
                params = group_params(project, group, as_of=shared.as_of, overrides=options.overrides)
                yield _write_group(shared, group, params=params, notebook=notebook, place=place, book=f"{folder}.xlsx", make=make)
            except CmiError as error:
                yield GroupFiles(group, cause=str(error))
            except Exception as error:  # noqa: BLE001  one group must never stop the others
                yield GroupFiles(group, cause=f"{type(error).__name__}: {error}")


def _write_group(
    shared: Prepared, group: str, *, params: Mapping[str, Any], notebook: str, place: Path, book: str, make: Make
) -> GroupFiles:
    part, _ = shared.cut(group)
    own = params[notebook]
    tables, newest = make(part, params)
    if own.audience == "client":
        tables = client_frames(notebook, tables)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for table, frame in tables.items():
            frame.to_parquet(scratch / f"{table}.parquet", index=False)
            write_csv(frame, scratch / f"{table}.csv", lang=own.lang)
        write_workbook(tables, scratch / book, lang=own.lang, currency=shared.store.settings.currency)
        paths = [place / path.name for path in sorted(scratch.iterdir())]
        for path in paths:
            write_atomic(path, (scratch / path.name).read_bytes())
    return GroupFiles(group, tuple(paths), {table: len(frame) for table, frame in tables.items()}, newest)
