"""What a run is asked for, and what is settled before anything is made: parameters, data, groups, age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cmi_analysis.errors import ParameterError, StaleDataError
from cmi_analysis.params.merge import merge_params, nearest
from cmi_analysis.params.models import MODELS
from cmi_analysis.stages.opening import Prepared
from cmi_analysis.stages.project import Project
from cmi_analysis.tables.ingest import ingest


@dataclass(frozen=True)
class RunOptions:
    """What the command line asks for; an empty value means: as the parameter files say."""

    data: str = ""
    mapping: str = ""
    params: Path | None = None
    state: Path | None = None
    out: Path | None = None
    groups: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    as_of: str = ""
    jobs: int = 2
    engine: str = ""
    dry_run: bool = False
    force: bool = False
    rebook: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)


def check_parameters(project: Project, options: RunOptions) -> tuple[str, ...]:
    """Check every parameter of every file before anything runs; return the notebooks to render.

    Raises
    ------
    ParameterError
        Names the file, the wrong name or value, the nearest right one.
    """
    base, settings = project.base(), project.settings()
    notebooks = tuple(options.notebooks or settings.notebooks)
    for name in notebooks:
        if name not in MODELS:
            raise ParameterError(
                expected="a notebook that exists",
                found=f"'{name}'",
                fix=f"{nearest(name, list(MODELS))}Allowed: {', '.join(MODELS)}.",
            )
    for file in (None, *project.group_files().values()):
        for notebook in MODELS:
            merge_params(notebook, base=base, group=file, overrides=options.overrides)
    return notebooks


def ingest_data(project: Project, options: RunOptions) -> None:
    """Ingest the data that the options or base.yml name; nothing where neither does."""
    settings = project.settings()
    source, mapping = options.data or settings.data, options.mapping or settings.mapping
    if not source:
        return
    place = source if "://" in source else _from_root(project, source)
    ingest(place, state=project.state, mapping=_from_root(project, mapping) if mapping else None)


def _from_root(project: Project, name: str) -> Path:
    """Return a path given on the command line (from the working directory) or in base.yml (from the project's root)."""
    return Path(name) if Path(name).exists() else project.root / name


def refuse_stale(shared: Prepared, options: RunOptions) -> None:
    """Raise where the newest data are older than allowed; whoever names an as_of knows what is asked for."""
    days = shared.project.settings().stale_after_days
    age = (dt.datetime.now(dt.UTC).date() - shared.as_of).days
    if not options.as_of and age > days:
        raise StaleDataError(
            expected=f"data not older than {days} days",
            found=f"that the newest date with all required tables is {shared.as_of.isoformat()}, {age} days ago",
            fix=f"Deliver newer data, or ask for this state with --as-of {shared.as_of.isoformat()}.",
        )


def choose_groups(shared: Prepared, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the report groups to render: those wanted, else all.

    Raises
    ------
    ParameterError
        A wanted group does not exist.
    """
    for name in wanted:
        if name not in shared.groups:
            known = list(shared.groups)
            raise ParameterError(
                expected="a report group of this data set",
                found=f"'{name}'",
                fix=f"{nearest(name, known)}Groups: {', '.join(known[:20])}{' …' if len(known) > 20 else ''}.",
            )
    return tuple(dict.fromkeys(wanted)) or tuple(shared.groups)
