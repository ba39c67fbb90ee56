"""`cmi ingest`: read the data once and keep them by customer group."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    import pandas as pd

    from cmi_analysis.tables.catalogue import Catalogue


def ingest(
    data: Annotated[str, typer.Argument(help="Data folder, file (CSV, Excel, Parquet, DuckDB, SQLite) or database address.")],
    mapping: Annotated[Optional[Path], typer.Option(help="Mapping file of a foreign source.")] = None,  # noqa: UP045
    state: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="State folder; CMI_STATE or 'state' in the project's folder if absent."),
    ] = None,
    memory_limit: Annotated[str, typer.Option(help="About how much memory reading a large table may take.")] = "1GB",
) -> None:
    """Read the data into the state folder; nothing is done where the same files were read before."""
    from cmi_analysis.report.lock import run_lock
    from cmi_analysis.tables import ingest as ingesting
    from cmi_analysis.tables.store import open_store

    folder = state or _default_state()
    with run_lock(folder):
        catalogue = ingesting.ingest(
            data if "://" in data else Path(data), state=folder, mapping=mapping, memory_limit=memory_limit
        )
    for line in tell_catalogue(catalogue, open_store(folder).issues):
        typer.echo(line)


def tell_catalogue(catalogue: Catalogue, issues: pd.DataFrame) -> list[str]:
    """Return what was ingested, line by line: tables, issues, groups that are stopped."""
    lines = ["Unchanged: the same files were read before; nothing was done."] if catalogue.unchanged else []
    for table in catalogue.tables():
        aside = sum(catalogue.rows_set_aside.get(table, {}).values())
        lines.append(f"{table}: {catalogue.rows(table):,} rows" + (f", {aside:,} set aside" if aside else ""))
    done = issues["done"].value_counts().sort_index()
    counts = ", ".join(f"{count} {name}" for name, count in done.items())
    lines.append(f"Issues: {counts} (`cmi check` lists them)." if counts else "No issues.")
    lines += [f"Stopped group {group}: {reason}" for group, reason in sorted(catalogue.stopped.items())]
    newest = f", newest date {catalogue.newest_on}" if catalogue.newest_on else ""
    lines.append(f"{len(catalogue.groups())} customer groups in {len(catalogue.parts)} files{newest}.")
    return lines


def _default_state() -> Path:
    from cmi_analysis.errors import InputError
    from cmi_analysis.stages.project import find_project

    try:
        return find_project().state
    except InputError:
        return Path(os.environ.get("CMI_STATE", "") or "state")
