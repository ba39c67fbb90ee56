"""Finding the tables of a data set: a folder, a file, a workbook, a database."""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cmi_analysis.errors import InputError
from cmi_analysis.tables.databases import read_database, read_duckdb, read_sqlite
from cmi_analysis.tables.issues import Finding, note
from cmi_analysis.tables.raw import LARGEST_HEADER, RawTable, from_frame
from cmi_analysis.tables.text_files import read_csv_table
from cmi_analysis.tables.workbooks import read_workbook

_LARGEST_FOOTER = 64 << 20
DATABASES = {".duckdb": read_duckdb, ".ddb": read_duckdb, ".sqlite": read_sqlite, ".sqlite3": read_sqlite, ".db": read_sqlite}
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet", *DATABASES)


def read_parquet_table(path: Path, *, name: str, file: str) -> RawTable:
    """Return a Parquet file; columns that tell the folder's hive partition (``year=2024``) are added.

    Raises
    ------
    InputError
        Not a Parquet file, or one with too many columns.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(-8, 2)
            footer = struct.unpack("<I4s", stream.read(8))
        if footer[1] != b"PAR1" or footer[0] > _LARGEST_FOOTER:
            raise InputError(
                expected=f"a Parquet file in {file}", found="another or a damaged file", fix="Export the table again."
            )
        if pq.read_metadata(path).num_columns > LARGEST_HEADER:
            raise InputError(
                expected=f"at most {LARGEST_HEADER:,} columns in {file}", found="more", fix="Check that the file is one table."
            )
        table = pq.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            expected=f"a Parquet file in {file}", found=str(error).splitlines()[0][:200], fix="Export the table again."
        ) from None
    frame = table.to_pandas(ignore_metadata=True, strings_to_categorical=False)
    for part in Path(file).parent.parts:
        column, sign, value = part.partition("=")
        if sign and column not in frame:
            frame[column] = None if value == "__HIVE_DEFAULT_PARTITION__" else value
    return from_frame(frame, name=name, file=file)


def _read_parts(folder: Path, *, file: str) -> RawTable:
    parts = sorted(folder.rglob("*.parquet"))
    tables = [read_parquet_table(part, name=folder.name, file=f"{file}/{part.relative_to(folder).as_posix()}") for part in parts]
    return _joined(tables, name=folder.name, file=file)


def _joined(tables: list[RawTable], *, name: str, file: str) -> RawTable:
    if len(tables) == 1:
        return tables[0]
    frames = [table.frame.set_axis(list(table.header), axis=1) for table in tables if not table.frame.empty] or [
        tables[0].frame.set_axis(list(tables[0].header), axis=1)
    ]
    frame = pd.concat(frames, ignore_index=True)
    lines = np.concatenate([table.lines for table in tables])
    whole = from_frame(frame, name=name, file=file)
    files = np.repeat(np.array([table.file for table in tables], dtype=object), [len(table.lines) for table in tables])
    return RawTable(name, file, whole.header, whole.frame, lines, files=files)


def _read_file(path: Path, *, wanted: Collection[str]) -> list[RawTable]:
    ending = path.suffix.lower()
    if ending in DATABASES:
        return DATABASES[ending](path)
    if ending in (".xlsx", ".xlsm"):
        sheets = read_workbook(path)
        # a workbook named after a table holds that table on its first sheet
        if path.stem in wanted and not any(sheet.name in wanted for sheet in sheets) and sheets:
            first = sheets[0]
            return [RawTable(path.stem, first.file, first.header, first.frame, first.lines)]
        return sheets
    if ending == ".parquet":
        return [read_parquet_table(path, name=path.stem, file=path.name)]
    return [read_csv_table(path, name=path.stem)]


def find_sources(data: Path | str) -> list[Path | str]:
    """Return the files and part folders that `data` names, sorted by name; a database address is returned as it is.

    Raises
    ------
    InputError
        Nothing is there.
    """
    if isinstance(data, str) and "://" in data:
        return [data]
    root = Path(data)
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(expected=f"a data folder or file at {root}", found="nothing", fix="Check the path given with --data.")
    found: list[Path | str] = [
        entry
        for entry in sorted(root.iterdir())
        if not entry.name.startswith((".", "~$", "_"))
        and ((entry.is_file() and entry.suffix.lower() in ENDINGS) or (entry.is_dir() and any(entry.rglob("*.parquet"))))
    ]
    if not found:
        raise InputError(
            expected=f"tables in {root}", found="no CSV, Excel, Parquet or database file", fix="Check the path given with --data."
        )
    return found


def read_source(source: Path | str, *, wanted: Collection[str]) -> tuple[list[RawTable], list[Finding]]:
    """Return the tables of one source; a file that cannot be read becomes a finding that stops the run.

    Parameters
    ----------
    source : pathlib.Path or str
        File, folder of Parquet parts, or database address.
    wanted : collection of str
        Names of the tables looked for.
    """
    try:
        if isinstance(source, str):
            return read_database(source), []
        if source.is_dir():
            return [_read_parts(source, file=source.name)], []
        return _read_file(source, wanted=wanted), []
    except InputError as error:
        name = source.name if isinstance(source, Path) else "database"
        table = source.stem if isinstance(source, Path) and source.stem in wanted else ""
        return [], [note(table, "", "unreadable_file", "stop", file=name, value=error.found, file_name=name, cause=str(error))]
