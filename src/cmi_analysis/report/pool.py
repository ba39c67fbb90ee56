"""Worker processes that may die or hang without taking another group's reports with them.

`concurrent.futures` gives up all waiting work when one worker is killed; here a lost job is tried once more in a fresh process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType

from cmi_analysis.report.jobs import GroupJob, Outcome
from cmi_analysis.report.worker import work

_SPAWN = multiprocessing.get_context("spawn")


@dataclass
class _Worker:
    """One process, its pipe and what it is doing."""

    process: BaseProcess
    pipe: Connection
    job: GroupJob | None = None
    done: set[str] = field(default_factory=set)
    deadline: float = float("inf")

    def give(self, job: GroupJob) -> None:
        self.job, self.done = job, set()
        self.deadline = time.monotonic() + job.report_seconds
        self.pipe.send(job)

    def end(self) -> None:
        self.pipe.close()
        if self.process.is_alive() and self.process.pid:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()


def _start(target: Callable[[Connection], None]) -> _Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=target, args=(theirs,))
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _rest(worker: _Worker) -> GroupJob:
    assert worker.job is not None
    return replace(worker.job, tasks=tuple(task for task in worker.job.tasks if task.notebook not in worker.done))


def _lost(worker: _Worker, *, cause: str, tried: set[str], queue: deque[GroupJob]) -> list[Outcome]:
    """Queue what a lost worker left undone once more, or report its current task as failed and queue the rest."""
    rest = _rest(worker)
    if not rest.tasks:
        return []
    current = rest.tasks[0]
    mark = f"{rest.group}/{current.notebook}"
    if mark not in tried and "time" not in cause:
        tried.add(mark)
        queue.append(replace(rest, template=""))
        return []
    if len(rest.tasks) > 1:
        queue.append(replace(rest, tasks=rest.tasks[1:]))
    return [Outcome(rest.group, current.notebook, current.key, "failed", cause)]


class WorkerPool:
    """Up to `workers` processes that stay for the next jobs until the pool is left.

    Parameters
    ----------
    workers : int
        Number of processes; each starts when there is a job for it.
    target : callable
        What a worker process runs: takes jobs from a pipe, sends outcomes, then None.
    """

    def __init__(self, workers: int, target: Callable[[Connection], None] = work) -> None:
        self._most, self._target = workers, target
        self._workers: list[_Worker] = []

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def run(self, jobs: Iterator[GroupJob]) -> Iterator[Outcome]:
        """Yield outcomes as they come; every task of every job ends in exactly one.

        Parameters
        ----------
        jobs : iterator of GroupJob
            Taken one at a time, as workers become free: a job may be prepared when it is asked for.
        """
        pool, queue, tried = self._workers, deque[GroupJob](), set[str]()
        waiting: Iterator[GroupJob] | None = jobs
        while True:
            while len([w for w in pool if w.job]) < self._most:
                job = queue.popleft() if queue else next(waiting, None) if waiting else None
                if job is None:
                    waiting = None
                    break
                worker = next((w for w in pool if not w.job), None)
                if worker is None:
                    worker = _start(self._target)
                    pool.append(worker)
                worker.give(job)
            busy = [w for w in pool if w.job]
            if not busy:
                return
            yield from _collect(pool, busy, tried=tried, queue=queue)


def _collect(pool: list[_Worker], busy: list[_Worker], *, tried: set[str], queue: deque[GroupJob]) -> Iterator[Outcome]:
    """Read what the busy workers have to say; end those that are out of time or gone."""
    wait([w.pipe for w in busy], timeout=max(0.0, min(w.deadline for w in busy) - time.monotonic()))
    for worker in busy:
        cause = ""
        try:
            while worker.job and worker.pipe.poll():
                outcome = worker.pipe.recv()
                if outcome is None:
                    worker.job, worker.deadline = None, float("inf")
                    break
                worker.done.add(outcome.notebook)
                worker.deadline = time.monotonic() + worker.job.report_seconds
                yield outcome
        except (EOFError, OSError):
            cause = "the process that made it was ended from outside, twice (memory may have run out)"
        if worker.job and not cause and time.monotonic() >= worker.deadline:
            cause = f"it did not end in the time allowed ({worker.job.report_seconds} s, run.report_seconds in base.yml)"
        if cause:
            yield from _lost(worker, cause=cause, tried=tried, queue=queue)
            worker.end()
            pool.remove(worker)
