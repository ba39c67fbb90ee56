"""Workers that die or hang cost one report at most."""

from __future__ import annotations

import dataclasses
import multiprocessing
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmi_analysis.report.jobs import GroupJob, Outcome, Task
from cmi_analysis.report.pool import WorkerPool

WORKER = """
import os, signal, time
from pathlib import Path
from cmi_analysis.report.jobs import Outcome

def work(pipe):
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        for task in job.tasks:
            mark = Path(job.folder) / f"{job.group}-{task.notebook}"
            if task.params.get("die") == "always" or (task.params.get("die") == "once" and not mark.exists()):
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if task.params.get("hang"):
                time.sleep(60)
            pipe.send(Outcome(job.group, task.notebook, task.key, "new", engine="kernel" if job.template else "plain"))
        pipe.send(None)
"""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a worker function that dies, hangs or answers as a task's parameters say."""
    (tmp_path / "played_worker.py").write_text(textwrap.dedent(WORKER))
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib

    return importlib.import_module("played_worker").work


def job(folder: Path, group: str, *params: dict[str, str], seconds: int = 30) -> GroupJob:
    """Return a job with one task per mapping of parameters."""
    tasks = tuple(Task(f"n{number}", "", "k", values) for number, values in enumerate(params))
    return GroupJob(group, str(folder), tasks, report_seconds=seconds)


def run(jobs: list[GroupJob], worker: Any) -> list[Outcome]:
    """Return all outcomes."""
    with WorkerPool(2, worker) as pool:
        return list(pool.run(iter(jobs)))


def test_every_task_ends_in_exactly_one_outcome(tmp_path: Path, worker: Any) -> None:
    outcomes = run([job(tmp_path, f"g{number}", {}, {}) for number in range(5)], worker)
    assert Counter((outcome.group, outcome.notebook) for outcome in outcomes) == Counter(
        {(f"g{number}", f"n{task}"): 1 for number in range(5) for task in range(2)}
    )


def test_a_killed_worker_is_replaced_and_its_report_tried_once_more(tmp_path: Path, worker: Any) -> None:
    outcomes = run([job(tmp_path, "a", {}, {"die": "once"}, {}), job(tmp_path, "b", {})], worker)
    assert sorted((outcome.group, outcome.notebook, outcome.state) for outcome in outcomes) == [
        ("a", "n0", "new"),
        ("a", "n1", "new"),
        ("a", "n2", "new"),
        ("b", "n0", "new"),
    ]


def test_what_a_killed_worker_left_is_made_by_the_plain_engine(tmp_path: Path, worker: Any) -> None:
    lost = dataclasses.replace(job(tmp_path, "a", {}, {"die": "once"}), template="socket")
    assert {outcome.notebook: outcome.engine for outcome in run([lost], worker)} == {"n0": "kernel", "n1": "plain"}


def test_a_report_that_kills_its_worker_twice_fails_and_the_rest_of_its_group_goes_on(tmp_path: Path, worker: Any) -> None:
    outcomes = run([job(tmp_path, "a", {"die": "always"}, {}), job(tmp_path, "b", {})], worker)
    states = {(outcome.group, outcome.notebook): outcome for outcome in outcomes}
    assert states["a", "n0"].state == "failed"
    assert "ended from outside, twice" in states["a", "n0"].cause
    assert states["a", "n1"].state == states["b", "n0"].state == "new"


def test_a_report_that_hangs_is_ended_at_its_limit_and_others_are_not_touched(tmp_path: Path, worker: Any) -> None:
    outcomes = run([job(tmp_path, "a", {"hang": "yes"}, {}, seconds=2), job(tmp_path, "b", {})], worker)
    states = {(outcome.group, outcome.notebook): outcome for outcome in outcomes}
    assert "did not end in the time allowed (2 s" in states["a", "n0"].cause
    assert states["a", "n1"].state == states["b", "n0"].state == "new"


def test_a_job_is_prepared_only_when_a_worker_is_free_for_it(tmp_path: Path, worker: Any) -> None:
    asked: list[int] = []

    def jobs() -> Iterator[GroupJob]:
        for number in range(6):
            asked.append(number)
            yield job(tmp_path, f"g{number}", {})

    with WorkerPool(2, worker) as pool:
        first = next(iter(pool.run(jobs())))
    assert first.state == "new"
    assert len(asked) <= 3


def test_the_next_jobs_meet_the_same_processes(tmp_path: Path, worker: Any) -> None:
    with WorkerPool(1, worker) as pool:
        list(pool.run(iter([job(tmp_path, "a", {})])))
        before = [process.pid for process in multiprocessing.active_children()]
        list(pool.run(iter([job(tmp_path, "b", {})])))
        assert [process.pid for process in multiprocessing.active_children()] == before
