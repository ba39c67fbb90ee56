"""Where things are: the project's folders, found from the environment or from the working directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cmi_analysis.errors import InputError
from cmi_analysis.params.merge import ParamFile, RunSettings, read_param_file, validate_run


@dataclass(frozen=True)
class Project:
    """The folders of one project.

    Attributes
    ----------
    root : Path
        Holds ``notebooks/`` and ``requirements.lock``.
    params : Path
        Folder with ``base.yml`` and ``groups/``.
    state : Path
        Ingested tables, book, ledger, lock.
    reports : Path
        Where reports are published.
    """

    root: Path
    params: Path
    state: Path
    reports: Path

    @property
    def notebooks(self) -> Path:
        """Folder of the notebooks."""
        return self.root / "notebooks"

    @property
    def lock_file(self) -> Path:
        """The file that pins every dependency."""
        return self.root / "requirements.lock"

    def base(self) -> ParamFile:
        """Return the checked base.yml."""
        return read_param_file(self.params / "base.yml")

    def settings(self) -> RunSettings:
        """Return the checked section `run` of base.yml."""
        return validate_run(self.base().sections["run"], where="section 'run' of base.yml")

    def group_files(self) -> Mapping[str, ParamFile]:
        """Return the checked group files by group id (the file's name)."""
        folder = self.params / "groups"
        return {path.stem: read_param_file(path) for path in sorted(folder.glob("*.yml"))}


def find_project(
    *, params: Path | None = None, state: Path | None = None, reports: Path | None = None, start: Path | None = None
) -> Project:
    """Return the project: ``CMI_PROJECT``, else the nearest parent of `start` that has ``params/base.yml``.

    Parameters
    ----------
    params, state, reports : Path, optional
        Folders to use instead of the project's own; ``CMI_STATE`` and ``CMI_PARAMS`` give the first two by environment.
    start : Path, optional
        Where to begin looking; the working directory if absent.

    Raises
    ------
    InputError
        There is no such folder.
    """
    named = os.environ.get("CMI_PROJECT", "")
    here = Path(start) if start else Path.cwd()
    candidates = [Path(named)] if named else [here, *here.parents]
    root = next((folder for folder in candidates if (folder / "params" / "base.yml").exists()), None)
    if root is None and params is not None:
        root = here
    if root is None:
        raise InputError(
            expected="a project folder with params/base.yml",
            found=f"none at {named}" if named else f"none in {here.name or here} or above it",
            fix="Start in the project's folder, or name it in the environment variable CMI_PROJECT.",
        )
    root = root.resolve()
    from_environment = {name: os.environ.get(f"CMI_{name}", "") for name in ("PARAMS", "STATE", "REPORTS")}
    return Project(
        root=root,
        params=Path(params or from_environment["PARAMS"] or root / "params").resolve(),
        state=Path(state or from_environment["STATE"] or root / "state").resolve(),
        reports=Path(reports or from_environment["REPORTS"] or root / "reports").resolve(),
    )
