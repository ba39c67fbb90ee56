"""base.yml ← group file ← command line: merged, checked against the model before any kernel starts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cmi_analysis.errors import ParameterError
from cmi_analysis.params.models import MODELS, CommonParams
from cmi_analysis.params.yaml_files import read_yaml

SECTIONS = ("common", *MODELS)


class RunSettings(BaseModel):
    """What a run of all reports takes from the section `run` of base.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field("", description="data folder, file or database, from the project's root")
    mapping: str = Field("", description="mapping file of foreign data, from the project's root")
    notebooks: list[str] = Field(default_factory=lambda: [name for name in MODELS if name != "management_summary"])
    stale_after_days: int = Field(14, ge=0, description="newest data older than this before the run's date are stale [days]")
    max_rejected_share: float = Field(
        0.02, ge=0, le=1, description="share of rows set aside above which a group stops [fraction]"
    )
    report_seconds: int = Field(600, ge=1, description="time a report may take [s]")
    cell_seconds: int = Field(300, ge=1, description="time a cell may take [s]")


@dataclass(frozen=True)
class ParamFile:
    """One YAML file of parameters: its name, for messages, and its sections."""

    name: str
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""


def nearest(name: str, allowed: list[str]) -> str:
    """Return the question "Did you mean …?" for the closest allowed name, or nothing."""
    close = difflib.get_close_matches(name, allowed, n=1, cutoff=0.5)
    return f"Did you mean '{close[0]}'? " if close else ""


def _refuse_unknown(names: Mapping[str, Any], allowed: list[str], *, what: str, where: str) -> None:
    for name in names:
        if name not in allowed:
            raise ParameterError(
                expected=f"a {what} that exists",
                found=f"'{name}' in {where}",
                fix=f"{nearest(str(name), allowed)}Allowed: {', '.join(allowed)}.",
            )


def read_param_file(path: Path) -> ParamFile:
    """Read base.yml or a group file.

    Raises
    ------
    ParameterError
        An unknown section, a section that is not a list of names and values, or a parameter no model has.
    """
    document = read_yaml(path) or {}
    if not isinstance(document, dict):
        raise ParameterError(expected=f"sections in {path.name}", found=type(document).__name__, fix="Write 'section:' lines.")
    allowed = [*SECTIONS, "run", "title", "members", "filter"]
    _refuse_unknown(document, allowed, what="section", where=path.name)
    sections: dict[str, Mapping[str, Any]] = {}
    for name in (*SECTIONS, "run"):
        values = document.get(name) or {}
        if not isinstance(values, dict):
            raise ParameterError(
                expected=f"'name: value' lines under '{name}' in {path.name}",
                found=repr(values),
                fix="Indent them below the section.",
            )
        sections[name] = values
        models = [MODELS[name]] if name in MODELS else [RunSettings] if name == "run" else list(MODELS.values())
        fields = list(dict.fromkeys(field for model in models for field in model.model_fields))
        _refuse_unknown(values, fields, what="parameter", where=f"section '{name}' of {path.name}")
    members = {key: document[key] for key in ("members", "filter") if key in document}
    return ParamFile(path.name, sections, members, str(document.get("title", "")))


def _explain(error: ValidationError, model: type[BaseModel], where: str) -> ParameterError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "parameters"
    if first["type"] == "extra_forbidden":
        allowed = list(model.model_fields)
        return ParameterError(
            expected="a parameter that exists",
            found=f"'{name}' in {where}",
            fix=f"{nearest(name, allowed)}Allowed: {', '.join(allowed)}.",
        )
    described = model.model_fields[name.split(".")[0]].description if name.split(".")[0] in model.model_fields else ""
    return ParameterError(
        expected=f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}",
        found=f"{first['input']!r} in {where}",
        fix=f"'{name}' is: {described}.",
    )


def validate_params(notebook: str, values: Mapping[str, Any], *, where: str) -> CommonParams:
    """Return the frozen parameters of `notebook`, or say which name, value and source are wrong.

    Parameters
    ----------
    notebook : str
        Name of the notebook.
    values : mapping
        Name to value.
    where : str
        Where the values come from, for the message.

    Raises
    ------
    ParameterError
        Unknown notebook or parameter (with the nearest name), wrong type, value not allowed.
    """
    if notebook not in MODELS:
        raise ParameterError(
            expected="a notebook that exists",
            found=f"'{notebook}' in {where}",
            fix=f"{nearest(notebook, list(MODELS))}Allowed: {', '.join(MODELS)}.",
        )
    try:
        return MODELS[notebook].model_validate(dict(values))
    except ValidationError as error:
        raise _explain(error, MODELS[notebook], where) from None


def validate_run(values: Mapping[str, Any], *, where: str) -> RunSettings:
    """Return the settings of a run, or say what is wrong with them."""
    try:
        return RunSettings.model_validate(dict(values))
    except ValidationError as error:
        raise _explain(error, RunSettings, where) from None


def merge_params(notebook: str, *, base: ParamFile, group: ParamFile | None, overrides: Mapping[str, Any]) -> CommonParams:
    """Return the parameters of one notebook: base.yml, then the group's file, then the command line.

    In each file the section `common` comes before the notebook's own. A name that only other notebooks have is dropped from
    `overrides`, since one command line serves all notebooks; a name that no notebook has is an error.
    """
    known = list(dict.fromkeys(name for model in MODELS.values() for name in model.model_fields))
    _refuse_unknown(overrides, known, what="parameter", where="the command line")
    if notebook not in MODELS:
        validate_params(notebook, {}, where="the list of notebooks")
    merged: dict[str, Any] = {}
    sources = [base.name]
    for file in (base, group):
        if file is None:
            continue
        for section in ("common", notebook):
            merged |= {k: v for k, v in file.sections.get(section, {}).items() if k in MODELS[notebook].model_fields}
        if file is not base:
            sources.append(file.name)
    merged |= {name: value for name, value in overrides.items() if name in MODELS[notebook].model_fields}
    return validate_params(notebook, merged, where=" ← ".join([*sources, "command line"]))
