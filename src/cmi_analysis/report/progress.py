"""What a run says while it goes on: a bar on a terminal, plain lines anywhere else; all of it in the run's log."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

from cmi_analysis.report.jobs import Outcome


class Progress:
    """Counts reports and prints one line for each that failed; on a terminal a bar shows the rest."""

    def __init__(self, *, total: int, log: Path, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._stream = stream or sys.stdout
        self._console = Console(file=self._stream, highlight=False, soft_wrap=True)
        self._log = log.open("a", encoding="utf-8")
        self._total, self._done = total, 0
        self._bar = None
        if self._console.is_terminal and total:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=self._console)
            self._task = self._bar.add_task("reports", total=total)

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        self._log.close()

    def say(self, text: str) -> None:
        """Print one line and keep it in the log with the time."""
        self._console.print(text, markup=False)
        self._log.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")
        self._log.flush()

    def report(self, outcome: Outcome) -> None:
        """Count one finished report."""
        self._done += 1
        seconds = sum(outcome.seconds.values())
        line = f"[{self._done}/{self._total}] {outcome.group} · {outcome.notebook}: {outcome.state}"
        line += f" ({seconds:.1f} s)" if seconds else ""
        if outcome.state == "failed":
            line += f"\n    {outcome.cause}"
        if self._bar:
            self._bar.update(self._task, completed=self._done)
        if self._bar and outcome.state != "failed":
            self._log.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}\n")
        else:
            self.say(line)


def timing_line(outcomes: Sequence[Outcome], seconds: Mapping[str, float]) -> str:
    """Return the mean seconds of a report by step, and those of the run's steps."""
    made = [outcome.seconds for outcome in outcomes if outcome.state == "new" and outcome.seconds]
    steps = {
        step: sum(item.get(step, 0.0) for item in made) / max(1, len(made)) for step in ("setup", "kernel", "compute", "render")
    }
    per_report = " · ".join(f"{step} {value:.2f}" for step, value in steps.items())
    around = " · ".join(f"{step} {value:.1f}" for step, value in seconds.items())
    return f"Seconds a report ({len(made)} made): {per_report}. Run: {around}"
