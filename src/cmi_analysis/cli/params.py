"""`cmi params`: the merged parameters of one notebook as a flat file for plain Papermill."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml


def params(
    group: Annotated[str, typer.Argument(help="Report group.")],
    notebook: Annotated[str, typer.Argument(help="Notebook, e.g. forecasting.")],
    params_folder: Annotated[Path | None, typer.Option("--params", help="Folder with base.yml and groups/.")] = None,
    as_of: Annotated[str, typer.Option(help="ISO date; default: as the files say.")] = "",
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
) -> None:
    """Write base.yml ← group file ← command line, merged and checked, for `papermill -f FILE`."""
    from cmi_analysis.cli.report import parse_overrides
    from cmi_analysis.params.merge import merge_params
    from cmi_analysis.stages.project import find_project

    project = find_project(params=params_folder)
    overrides = {**parse_overrides(param), "group": group, **({"as_of": as_of} if as_of else {})}
    merged = merge_params(notebook, base=project.base(), group=project.group_files().get(group), overrides=overrides)
    text = yaml.safe_dump(merged.model_dump(mode="json"), allow_unicode=True, sort_keys=False)
    if out:
        out.write_text(text, "utf-8")
    else:
        typer.echo(text, nl=False)
