"""`cmi demo`: write the demo book."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class SizeChoice(StrEnum):
    """Sizes of the demo book."""

    small = "small"
    medium = "medium"
    large = "large"


class FormatChoice(StrEnum):
    """Formats of its tables."""

    csv = "csv"
    parquet = "parquet"


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the data set; made if absent.")],
    size: Annotated[
        SizeChoice, typer.Option(help="7, 20 or 200 customer groups; large is written as Parquet parts.")
    ] = SizeChoice.small,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.", min=0)] = 1,
    dirty: Annotated[bool, typer.Option(help="Add a few bad rows, listed in truth/dirty.csv.")] = True,
    formats: Annotated[FormatChoice, typer.Option("--format", help="Kind of the table files.")] = FormatChoice.csv,
) -> None:
    """Write a demo book with known truth: a data folder that every other command can read."""
    from cmi_analysis.demo import write_demo

    write_demo(out, size=size.value, seed=seed, dirty=dirty, formats=formats.value)
    typer.echo(f"{out}: demo book, size {size.value}, seed {seed}; the planted truth is in {out / 'truth'}")
