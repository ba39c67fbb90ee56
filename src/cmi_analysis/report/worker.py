"""A worker process: makes the reports of one group after another and tells the parent what became of each."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import nbformat

from cmi_analysis.errors import CmiError, ReportError
from cmi_analysis.report.execute import KernelDiedError, execute_report, strip_traces
from cmi_analysis.report.jobs import GroupJob, Outcome, Task

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


def make_report(task: Task, *, job: GroupJob) -> Outcome:
    """Run one notebook and turn it into its files, staged below the job's folder; a failure is an outcome, not an exception.

    A report whose forked kernel was lost is tried once more in a fresh interpreter.
    """
    if job.template:
        with contextlib.suppress(KernelDiedError):
            return _try_report(task, job=job)
        job = replace(job, template="")
    try:
        return _try_report(task, job=job)
    except KernelDiedError as error:
        staged = Path(job.folder) / "staged" / task.notebook
        return Outcome(job.group, task.notebook, task.key, "failed", str(error), staged=str(staged), engine="plain")


def _try_report(task: Task, *, job: GroupJob) -> Outcome:
    """Make the report; a failure is an outcome, a lost kernel an exception."""
    folder = Path(job.folder)
    staged = folder / "staged" / task.notebook
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    seconds: dict[str, float] = {}
    made = partial(Outcome, job.group, task.notebook, task.key, staged=str(staged), engine="kernel" if job.template else "plain")
    try:
        book, seconds = execute_report(
            Path(task.path),
            staged / f"{task.notebook}.ipynb",
            params=task.params,
            slice_folder=folder,
            cell_seconds=job.cell_seconds,
            template=job.template,
        )
        started = time.monotonic()
        _stage(book, out=folder / "out" / task.notebook, staged=staged)
        seconds["render"] = time.monotonic() - started
    except KernelDiedError:
        raise
    except CmiError as error:
        return made("failed", str(error), seconds)
    except Exception as error:  # noqa: BLE001  one report must never stop the others
        (staged / "traceback.txt").write_text(traceback.format_exc(), "utf-8")
        cause = f"{type(error).__name__}: {error}"
        return made("failed", cause, seconds)
    return made("new", "", seconds)


def _stage(book: nbformat.NotebookNode, *, out: Path, staged: Path) -> None:
    """Turn an executed notebook and what it left in `out` into the report's files."""
    from cmi_analysis.report.check_html import check_html
    from cmi_analysis.report.editions import client_notebook
    from cmi_analysis.report.export import export_report

    page = json.loads((out / "page.json").read_text("utf-8"))
    if page["audience"] == "client":
        book = client_notebook(book)
    nbformat.write(strip_traces(book), staged / f"{staged.name}.ipynb")
    html = export_report(book, page=page, lang=page["lang"])
    problems = check_html(html)
    if problems:
        raise ReportError(
            expected="a page that is safe to send", found="; ".join(problems[:3]), fix="Look at the executed notebook."
        )
    (staged / f"{staged.name}.html").write_text(html, "utf-8")
    (out / "tables").rename(staged / "tables")
    if (out / "ledger").exists():
        (out / "ledger").rename(staged / "ledger")
    shutil.copyfile(out / "page.json", staged / "page.json")


def make_reports(job: GroupJob) -> Iterator[Outcome]:
    """Yield the outcome of each of the job's reports, in order."""
    for task in job.tasks:
        yield make_report(task, job=job)


def work(pipe: Connection) -> None:
    """Take jobs from the parent until it closes the pipe."""
    os.environ.update(ONE_THREAD)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        for outcome in make_reports(job):
            pipe.send(outcome)
        pipe.send(None)
