"""What the parent and its worker processes tell each other: plain values that survive a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["new", "unchanged", "failed"]


@dataclass(frozen=True)
class Task:
    """One report to make.

    Attributes
    ----------
    notebook : str
        Name of the notebook.
    path : str
        The notebook's file.
    key : str
        Content key, 64 hex digits.
    params : mapping
        Validated parameters as JSON values.
    """

    notebook: str
    path: str
    key: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class GroupJob:
    """The reports of one group, made one after another by one worker, which sees this folder and nothing else.

    Attributes
    ----------
    group, folder : str
        Report group, and the folder with its slice.
    tasks : tuple of Task
        The reports to make.
    cell_seconds, report_seconds : int
        Time one cell and one report may take [s].
    template : str
        Socket of the run's template process, from which kernels are forked; empty: the plain engine.
    """

    group: str
    folder: str
    tasks: tuple[Task, ...]
    cell_seconds: int = 300
    report_seconds: int = 600
    template: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one report.

    Attributes
    ----------
    group, notebook, key : str
        Which report.
    state : {"new", "unchanged", "failed"}
        Made, still up to date, or failed.
    cause : str
        Plain cause of a failure, with the cell.
    seconds : mapping of str to float
        Time in ``setup``, ``kernel``, ``compute`` and ``render`` [s].
    staged : str
        Folder with the finished files of a new report.
    engine : str
        Where the notebook ran: ``kernel`` or ``plain``; empty: nowhere.
    """

    group: str
    notebook: str
    key: str
    state: State
    cause: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    staged: str = ""
    engine: str = ""
