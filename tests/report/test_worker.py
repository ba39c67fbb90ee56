"""A report whose forked kernel is lost is made once more in a fresh interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cmi_analysis.errors import ReportError
from cmi_analysis.report import worker
from cmi_analysis.report.execute import KernelDiedError
from cmi_analysis.report.jobs import GroupJob, Task

LOST = KernelDiedError(expected="the kernel to live", found="that it died", fix="Memory may have run out.")
FAULT = ReportError(expected="every cell to run", found="cell 1: ValueError: no stock", fix="Look.")


@pytest.mark.parametrize(
    ("template", "ends", "asked", "state", "engine"),
    [
        ("socket", [None], ["socket"], "new", "kernel"),
        ("", [None], [""], "new", "plain"),
        ("socket", [LOST, None], ["socket", ""], "new", "plain"),
        ("socket", [LOST, LOST], ["socket", ""], "failed", "plain"),
        ("", [LOST], [""], "failed", "plain"),
        ("socket", [FAULT], ["socket"], "failed", "kernel"),
    ],
)
def test_a_lost_forked_kernel_is_tried_once_more_and_plain(
    template: str,
    ends: list[Exception | None],
    asked: list[str],
    state: str,
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    seen: list[str] = []

    def execute(*_: Any, template: str, **__: Any) -> tuple[None, dict[str, float]]:
        seen.append(template)
        end = ends[len(seen) - 1]
        if end:
            raise end
        return None, {}

    monkeypatch.setattr(worker, "execute_report", execute)
    monkeypatch.setattr(worker, "_stage", lambda *_, **__: None)
    task = Task("n", "", "key", {})
    outcome = worker.make_report(task, job=GroupJob("g", str(tmp_path), (task,), template=template))
    assert (seen, outcome.state, outcome.engine) == (asked, state, engine)
    assert (outcome.group, outcome.notebook, outcome.key) == ("g", "n", "key")
    if state == "failed":
        assert outcome.cause == str(ends[-1])
        assert Path(outcome.staged) == tmp_path / "staged" / "n"
