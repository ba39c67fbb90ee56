"""A run: ingest, book, one slice after another to the workers, publishing, ledger, summary, index, manifest."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cmi_analysis.errors import CmiError, InputError
from cmi_analysis.params.merge import merge_params
from cmi_analysis.params.models import CommonParams
from cmi_analysis.report.editions import refuse_mixed_editions
from cmi_analysis.report.engine import Engine
from cmi_analysis.report.index import write_index
from cmi_analysis.report.jobs import GroupJob, Outcome, Task
from cmi_analysis.report.lock import run_lock
from cmi_analysis.report.manifest import new_run_folder, write_manifest
from cmi_analysis.report.options import RunOptions, check_parameters, choose_groups, ingest_data, refuse_stale
from cmi_analysis.report.pool import WorkerPool
from cmi_analysis.report.progress import Progress, timing_line
from cmi_analysis.report.publish import publish_report, published_record
from cmi_analysis.report.run_folder import write_run_folder
from cmi_analysis.report.summary import SUMMARY, summary_job
from cmi_analysis.report.workbook_file import WorkbookWriter
from cmi_analysis.stages.ledger import CARDS, STAGES, write_entry
from cmi_analysis.stages.opening import REUSED, Prepared, content_key, group_params, prepare
from cmi_analysis.stages.project import Project, find_project
from cmi_analysis.stages.published import page_cards, report_folder
from cmi_analysis.stages.results import read_frames
from cmi_analysis.tables import Slice
from cmi_analysis.tables.hashing import safe_name


@dataclass
class RunState:
    """What a run has done so far."""

    shared: Prepared
    folder: Path
    options: RunOptions
    notebooks: tuple[str, ...]
    workbooks: WorkbookWriter
    engine: Engine
    tasks: dict[tuple[str, str], Task] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    setup: dict[str, float] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        """The project of the run."""
        return self.shared.project


@dataclass(frozen=True)
class RunSummary:
    """How a run ended."""

    exit_code: int
    outcomes: tuple[Outcome, ...]
    index: Path | None
    folder: Path | None


def _refuse_older(shared: Prepared, groups: tuple[str, ...], notebooks: tuple[str, ...]) -> None:
    newer = {}
    for group in groups:
        folder = report_folder(shared.project.reports, group)
        for notebook in notebooks:
            record = published_record(folder, notebook=notebook)
            if record and record["as_of"] > shared.as_of.isoformat():
                newer[group] = record["as_of"]
    if newer:
        group, day = next(iter(newer.items()))
        raise InputError(
            expected=f"no published report newer than {shared.as_of.isoformat()}",
            found=f"{len(newer)} groups with newer ones ({group}: {day})",
            fix="Render older states into a folder of their own with --out.",
        )


def plan_group(run: RunState, group: str) -> tuple[Slice | None, list[Task], list[Outcome]]:
    """Return a group's slice, the reports to make and the outcomes that are already known (unchanged, or no slice)."""
    started = time.monotonic()
    project, options = run.project, run.options
    try:
        part, ledger_key = run.shared.cut(group)
        params = group_params(project, group, as_of=run.shared.as_of, overrides=options.overrides)
    except CmiError as error:
        return None, [], [Outcome(group, notebook, "", "failed", str(error)) for notebook in run.notebooks]
    run.params[group] = {name: model.model_dump(mode="json") for name, model in params.items()}
    tasks, known = [], []
    for notebook in run.notebooks:
        key = content_key(project, notebook, params=params[notebook], part=part, ledger_key=ledger_key)
        record = published_record(report_folder(project.reports, group), notebook=notebook)
        if record and record["key"] == key and not options.force:
            known.append(Outcome(group, notebook, key, "unchanged"))
            continue
        path = str(project.notebooks / f"{notebook}.ipynb")
        tasks.append(Task(notebook, path, key, run.params[group][notebook]))
    run.setup[group] = time.monotonic() - started
    return part, tasks, known


def _jobs(run: RunState, groups: tuple[str, ...], progress: Progress) -> Iterator[GroupJob]:
    """Yield one job per group with something to make; its slice is written when a worker is free for it."""
    settings = run.project.settings()
    for group in groups:
        part, tasks, known = plan_group(run, group)
        for outcome in known:
            _settle(run, outcome, progress)
        if part is None or not tasks:
            continue
        folder = run.folder / "slices" / safe_name(group)
        started = time.monotonic()
        write_run_folder(folder, part=part, tasks=tasks, params=run.params[group])
        run.setup[group] += time.monotonic() - started
        run.waiting[group] = len(tasks)
        for task in tasks:
            run.tasks[group, task.notebook] = task
        yield GroupJob(
            group, str(folder), tuple(tasks), settings.cell_seconds, settings.report_seconds, template=run.engine.socket
        )


def _settle(run: RunState, outcome: Outcome, progress: Progress) -> None:
    """Publish a new report or keep what a failed one left; then count it."""
    group = outcome.group
    if outcome.state == "new":
        outcome = _publish(run, outcome)
    if outcome.state == "failed":
        _keep_failure(run, outcome)
    if outcome.seconds:
        share = run.setup.get(group, 0.0) / max(1, sum(1 for name, _ in run.tasks if name == group))
        outcome = Outcome(**{**outcome.__dict__, "seconds": {"setup": share, **outcome.seconds}})
    run.outcomes.append(outcome)
    progress.report(outcome)
    if group in run.waiting:
        run.waiting[group] -= 1
        if run.waiting[group] == 0:
            _finish_group(run, group)
            shutil.rmtree(run.folder / "slices" / safe_name(group), ignore_errors=True)


def _publish(run: RunState, outcome: Outcome) -> Outcome:
    group, task = outcome.group, run.tasks[outcome.group, outcome.notebook]
    target = report_folder(run.project.reports, group)
    try:
        run.published.append(publish_report(target, outcome=outcome, task=task))
        stage = next((name for name in STAGES if REUSED[name] == outcome.notebook), None)
        if stage:
            frames = read_frames(Path(outcome.staged) / "ledger")
            write_entry(run.project.state, group=group, stage=stage, as_of=run.shared.as_of, key=outcome.key, frames=frames)
        cards = page_cards(Path(outcome.staged) / "page.json", group=group, notebook=outcome.notebook)
        kept = {"group": group, "stage": f"{CARDS}{outcome.notebook}", "as_of": run.shared.as_of, "key": outcome.key}
        write_entry(run.project.state, **kept, frames={"cards": cards})
    except OSError as error:
        return Outcome(
            group, outcome.notebook, outcome.key, "failed", f"The files could not be written: {error}", outcome.seconds
        )
    return outcome


def _finish_group(run: RunState, group: str) -> None:
    folder = report_folder(run.project.reports, group)
    if folder.exists():
        lang = run.params[group][run.notebooks[0]]["lang"]
        run.workbooks.add(folder, settings=run.shared.store.settings, lang=lang)


def _keep_failure(run: RunState, outcome: Outcome) -> None:
    target = run.folder / "failures" / safe_name(outcome.group)
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{outcome.notebook}.txt").write_text(f"{outcome.group}: {outcome.notebook}\n{outcome.cause}\n", "utf-8")
    staged = Path(outcome.staged) if outcome.staged else None
    if staged and staged.exists():
        for path in staged.glob("*.*"):
            if path.suffix in (".ipynb", ".txt"):
                shutil.copyfile(path, target / (f"{outcome.notebook}.traceback.txt" if path.suffix == ".txt" else path.name))


def run_reports(options: RunOptions) -> RunSummary:
    """Make all reports that are asked for and not up to date.

    Returns
    -------
    RunSummary
        Exit code 0 (all good) or 1 (some failed), outcomes, the index, the run's folder.

    Raises
    ------
    CmiError
        Before any report: bad parameters or data (exit code 2), stale data (3), another run (75).
    """
    project = find_project(params=options.params, state=options.state, reports=options.out)
    notebooks = check_parameters(project, options)
    with run_lock(project.state), Engine(options.engine, start=not options.dry_run) as engine:
        steps = {"start": time.monotonic()}
        ingest_data(project, options)
        steps["ingest"] = time.monotonic()
        shared = prepare(project, as_of=options.as_of, rebook=options.rebook)
        refuse_stale(shared, options)
        steps["book"] = time.monotonic()
        groups = choose_groups(shared, options.groups)
        reports = tuple(name for name in notebooks if name != SUMMARY)
        _refuse_older(shared, groups, reports)
        refuse_mixed_editions(shared, groups, reports, overrides=options.overrides)
        if options.dry_run:
            return _tell_plan(RunState(shared, project.reports, options, reports, WorkbookWriter(), engine), groups)
        folder, total = new_run_folder(project.reports), len(groups) * len(reports) + 1
        with WorkbookWriter() as books, WorkerPool(options.jobs) as pool, Progress(total=total, log=folder / "log") as progress:
            run = RunState(shared, folder, options, reports, books, engine)
            progress.say(_opening_line(run, groups))
            for outcome in pool.run(_jobs(run, groups, progress)):
                _settle(run, outcome, progress)
            steps["reports"] = time.monotonic()
            _summarise(run, pool, progress)
            books.finish()
            steps["summary"] = time.monotonic()
            return _close(run, steps, progress)


def _opening_line(run: RunState, groups: tuple[str, ...]) -> str:
    shared = run.shared
    book = "made" if shared.book.made else "frozen, the data have moved on (--rebook)" if shared.book.data_moved else "frozen"
    about = f"as of {shared.as_of.isoformat()} · {len(groups)} groups · {run.options.jobs} at a time · book {book}"
    return f"{about} · {run.engine.describe()}"


def _summarise(run: RunState, pool: WorkerPool, progress: Progress) -> None:
    """Render the management summary over all published reports, in a worker like any other; a failure is an outcome."""
    try:
        for outcome in _summary_outcomes(run, pool):
            run.outcomes.append(outcome)
            progress.report(outcome)
    except (CmiError, OSError) as error:
        outcome = Outcome("", SUMMARY, "", "failed", str(error))
        run.outcomes.append(outcome)
        progress.report(outcome)


def _summary_outcomes(run: RunState, pool: WorkerPool) -> Iterator[Outcome]:
    """Yield the one outcome of the management summary, published or kept as a failure."""
    project, overrides = run.project, run.options.overrides
    params: CommonParams = merge_params(
        SUMMARY, base=project.base(), group=None, overrides={**overrides, "group": "", "as_of": run.shared.as_of.isoformat()}
    )
    job, task = summary_job(
        run.shared,
        outcomes=run.outcomes,
        params=params,
        folder=run.folder / "slices" / SUMMARY,
        template=run.engine.socket,
    )
    target = project.reports / "latest"
    record = published_record(target, notebook=SUMMARY)
    if record and record["key"] == task.key and not run.options.force:
        outcomes: Iterator[Outcome] = iter([Outcome("", SUMMARY, task.key, "unchanged")])
    else:
        outcomes = pool.run(iter([job]))
    for outcome in outcomes:
        if outcome.state == "new":
            run.published.append(publish_report(target, outcome=outcome, task=task))
        elif outcome.state == "failed":
            _keep_failure(run, outcome)
        yield outcome


def _close(run: RunState, steps: Mapping[str, float], progress: Progress) -> RunSummary:
    names = list(steps)
    seconds = {name: steps[name] - steps[before] for before, name in itertools.pairwise(names)}
    engine = {"name": run.engine.name, "fallback": run.engine.fallback}
    write_manifest(
        run.folder,
        shared=run.shared,
        outcomes=run.outcomes,
        published=run.published,
        params=run.params,
        seconds=seconds,
        engine=engine,
    )
    index = write_index(
        run.project.reports,
        shared=run.shared,
        outcomes=run.outcomes,
        run_folder=run.folder,
        seconds=seconds,
        lang=run.options.overrides.get("lang"),
    )
    shutil.rmtree(run.folder / "slices", ignore_errors=True)
    counts = {state: sum(outcome.state == state for outcome in run.outcomes) for state in ("new", "unchanged", "failed")}
    progress.say(f"{counts['new']} new · {counts['unchanged']} up to date · {counts['failed']} failed")
    progress.say(timing_line(run.outcomes, seconds))
    again = sum(outcome.engine not in ("", run.engine.name) for outcome in run.outcomes)
    progress.say(run.engine.describe() + (f" · {again} reports made again in a fresh interpreter" if again else ""))
    for outcome in run.outcomes:
        if outcome.state == "failed":
            progress.say(f"FAILED {outcome.group or 'all groups'} · {outcome.notebook}: {outcome.cause}")
    progress.say(f"Index: {index}")
    return RunSummary(1 if counts["failed"] else 0, tuple(run.outcomes), index, run.folder)


def _tell_plan(run: RunState, groups: tuple[str, ...]) -> RunSummary:
    """Return what a run would do: an outcome per report, `new` for those it would make."""
    outcomes: list[Outcome] = []
    for group in groups:
        _, tasks, known = plan_group(run, group)
        outcomes += known + [Outcome(group, task.notebook, task.key, "new") for task in tasks]
    return RunSummary(0, tuple(outcomes), None, None)
