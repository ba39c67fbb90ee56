"""`cmi check`: what is wrong with the data, where, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from cmi_analysis.tables.reading import Reading

_ORDER = ("stop", "set aside", "excluded by rule", "repaired", "kept")
_STYLES = {"stop": "bold red", "set aside": "yellow"}


def _place(issue: dict[str, object]) -> str:
    return ":".join(str(issue[name]) for name in ("file", "line") if issue[name])


def _cells(issue: dict[str, object]) -> list[str]:
    rows = f"{issue['rows']:,}" if issue["rows"] else ""
    names = [str(issue[name]) for name in ("done", "table", "customer_group", "column", "rule")]
    return [*names, rows, _place(issue), str(issue["value"]), str(issue["fix"])]


def _print_issues(console: Console, reading: Reading) -> None:
    """Print the issue list, worst first: a table on a terminal, one line for each issue elsewhere."""
    issues = reading.dataset.issues
    records = sorted(issues.to_dict("records"), key=lambda issue: _ORDER.index(str(issue["done"])))
    if not console.is_terminal:
        for issue in records:
            console.print("  ".join(cell for cell in _cells(issue) if cell), soft_wrap=True, markup=False, highlight=False)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("done", "table", "group", "column", "rule", "rows", "file:line", "value")
    for issue in records:
        table.add_row(*(Text(cell) for cell in _cells(issue)[:-1]), style=_STYLES.get(str(issue["done"])))
    if records:
        console.print(table, "What to do:")
    # the same advice serves many rows
    for fix in dict.fromkeys(f"{issue['table']}, {issue['rule']}: {issue['fix']}".removeprefix(", ") for issue in records):
        console.print(Text(f"  {fix}"))


def _print_summary(console: Console, reading: Reading) -> bool:
    """Print how many rows each table has and the verdict; return whether something stops the run."""
    from cmi_analysis.tables.issues import stop_reasons, stopped_groups

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False, highlight=False)

    for table, frame in reading.dataset.frames.items():
        aside = len(reading.set_aside.get(table, ()))
        say(f"{table}: {len(frame):,} rows" + (f", {aside:,} set aside" if aside else ""))
    issues = reading.dataset.issues
    reasons, groups = stop_reasons(issues), stopped_groups(issues)
    for group, reason in groups.items():
        say(f"Stops group {group}: {reason}")
    for reason in reasons:
        say(f"Stops the run: {reason}")
    if not reasons and not groups:
        say(f"{len(issues)} issues, nothing that stops a run." if len(issues) else "No issues.")
    return bool(reasons or groups)


def check(
    data: Annotated[str, typer.Argument(help="Data folder, file (CSV, Excel, Parquet, DuckDB, SQLite) or database address.")],
    mapping: Annotated[Optional[Path], typer.Option(help="Mapping file of a foreign source.")] = None,  # noqa: UP045
    max_rejected_share: Annotated[
        float, typer.Option(min=0, max=1, help="Largest share of rows that may be set aside [fraction].")
    ] = 0.02,
    write: Annotated[bool, typer.Option("--write", help="Write the rows set aside to set_aside/ next to the data.")] = False,
) -> None:
    """Read and check the data and list what was found; exit 2 where something stops a run."""
    from rich.console import Console

    from cmi_analysis.tables.reading import read_tables
    from cmi_analysis.tables.set_aside import write_set_aside

    console = Console(soft_wrap=False)
    reading = read_tables(data if "://" in data else Path(data), mapping=mapping, max_rejected_share=max_rejected_share)
    _print_issues(console, reading)
    stops = _print_summary(console, reading)
    if write and "://" not in data:
        for path in write_set_aside(reading.set_aside, data=Path(data)):
            console.print(f"Written: {path}", soft_wrap=True, markup=False, highlight=False)
    if stops:
        raise typer.Exit(2)
