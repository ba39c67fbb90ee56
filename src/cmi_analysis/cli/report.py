"""`cmi report`: render the reports of all groups, or of those that are named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cmi_analysis.errors import ParameterError


def parse_overrides(pairs: list[str] | None) -> dict[str, Any]:
    """Return ``NAME=VALUE`` texts as a mapping; values stay texts, the model turns them into its types.

    Raises
    ------
    ParameterError
        A text without ``=``.
    """
    values: dict[str, Any] = {}
    for pair in pairs or []:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise ParameterError(expected="--param NAME=VALUE", found=f"'{pair}'", fix="Write for example --param horizon=8.")
        values[name] = value
    return values


def report(
    data: Annotated[str, typer.Option(help="Data folder, file or database URL; default: run.data of base.yml.")] = "",
    params: Annotated[Path | None, typer.Option(help="Folder with base.yml and groups/.")] = None,
    mapping: Annotated[str, typer.Option(help="Mapping file for foreign headers.")] = "",
    group: Annotated[list[str] | None, typer.Option(help="Report group; repeat for several; default: all.")] = None,
    notebook: Annotated[list[str] | None, typer.Option(help="Notebook; repeat for several; default: run.notebooks.")] = None,
    as_of: Annotated[str, typer.Option(help="Nothing later is used (ISO date); default: the newest complete date.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Groups at a time; default: the number of cores.")] = os.cpu_count() or 1,
    engine: Annotated[
        str, typer.Option(help="kernel (forked from a warm one) or plain (fresh interpreters); default: kernel on Linux.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Where reports are published; default: reports/.")] = None,
    state: Annotated[Path | None, typer.Option(help="Ingested tables, book and ledger; default: state/.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "",
    audience: Annotated[str, typer.Option(help="internal or client.")] = "",
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE for any notebook that has it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made; make nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Make reports that are up to date again.")] = False,
    rebook: Annotated[bool, typer.Option("--rebook", help="Compute the frozen book of this as_of again.")] = False,
) -> None:
    """Render the reports. Exit codes: 0 all good, 1 some failed, 2 bad input, 3 stale data, 75 another run holds the lock."""
    from cmi_analysis.report.batch import run_reports
    from cmi_analysis.report.options import RunOptions

    overrides = parse_overrides(param) | {name: value for name, value in (("lang", lang), ("audience", audience)) if value}
    options = RunOptions(
        data=data,
        mapping=mapping,
        params=params,
        state=state,
        out=out,
        groups=tuple(group or ()),
        notebooks=tuple(notebook or ()),
        as_of=as_of,
        jobs=jobs,
        engine=engine,
        dry_run=dry_run,
        force=force,
        rebook=rebook,
        overrides=overrides,
    )
    summary = run_reports(options)
    if dry_run:
        for outcome in summary.outcomes:
            typer.echo(f"{outcome.state:9} {outcome.group} · {outcome.notebook}{' · ' + outcome.cause if outcome.cause else ''}")
    raise typer.Exit(summary.exit_code)
