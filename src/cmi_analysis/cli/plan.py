"""`cmi plan`: the orders, alerts and policies of a group as files that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plan(
    name: Annotated[str, typer.Argument(metavar="[GROUP]", help="Report group; default: all.")] = "",
    data: Annotated[str, typer.Option(help="Data folder, file or database URL; default: run.data of base.yml.")] = "",
    params: Annotated[Path | None, typer.Option(help="Folder with base.yml and groups/.")] = None,
    mapping: Annotated[str, typer.Option(help="Mapping file for foreign headers.")] = "",
    group: Annotated[list[str] | None, typer.Option(help="Report group; repeat for several; default: all.")] = None,
    as_of: Annotated[str, typer.Option(help="Nothing later is used (ISO date); default: the newest complete date.")] = "",
    out: Annotated[Path | None, typer.Option(help="Holds a folder a group; default: reports/plans/.")] = None,
    state: Annotated[Path | None, typer.Option(help="Ingested tables and book; default: state/.")] = None,
    lang: Annotated[str, typer.Option(help="Language of headers, en or zh.")] = "",
    audience: Annotated[str, typer.Option(help="internal or client.")] = "",
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE of the notebook inventory_policy.")] = None,
) -> None:
    """Write plans as Parquet, CSV and XLSX. Exit codes: 0 all good, 1 some failed, 2 bad input, 3 stale data, 75 locked."""
    from cmi_analysis.cli.forecast import tell_files
    from cmi_analysis.cli.report import parse_overrides
    from cmi_analysis.report.options import RunOptions
    from cmi_analysis.report.plan_files import write_plans

    overrides = parse_overrides(param) | {key: value for key, value in (("lang", lang), ("audience", audience)) if value}
    groups = tuple(dict.fromkeys([*([name] if name else []), *(group or ())]))
    options = RunOptions(
        data=data, mapping=mapping, params=params, state=state, out=out, groups=groups, as_of=as_of, overrides=overrides
    )
    failed = False
    for made in write_plans(options):
        failed |= bool(made.cause)
        typer.echo(tell_files(made), err=bool(made.cause))
    if failed:
        raise typer.Exit(1)
