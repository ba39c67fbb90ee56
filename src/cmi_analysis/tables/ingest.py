"""Data folder in, `state/tables` out: read once, kept by customer group, put in place whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from cmi_analysis import __version__
from cmi_analysis.errors import InputError
from cmi_analysis.tables.catalogue import Catalogue, Source, read_catalogue, write_catalogue
from cmi_analysis.tables.dataset import DataSet
from cmi_analysis.tables.hashing import hash_file, hash_frames
from cmi_analysis.tables.issues import stop_reasons, stopped_groups
from cmi_analysis.tables.parquet import sync_folder, write_frame
from cmi_analysis.tables.partitioning import LineHomes, count_homes, home_groups, homes_of, write_parts
from cmi_analysis.tables.reading import Reading, read_tables
from cmi_analysis.tables.schemas import SCHEMAS
from cmi_analysis.tables.set_aside import write_set_aside
from cmi_analysis.tables.slicing import default_as_of, stamp_snapshots
from cmi_analysis.tables.sources import ENDINGS, find_sources
from cmi_analysis.tables.store import ISSUES_FILE
from cmi_analysis.tables.streaming import Streamed, find_large, stream_tables

LARGE_ROWS = 400_000
_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def ingest(
    source: Path | str,
    *,
    state: Path,
    mapping: Path | None = None,
    memory_limit: str = "1GB",
    large_rows: int = LARGE_ROWS,
) -> Catalogue:
    """Read a data set and keep it below `state`; nothing is done where the same files were read before.

    Tables are written as Parquet by customer group (tables of no single customer: one file), rows sorted by key, with the issue
    list, the rows set aside (CSV) and a catalogue of hashes. The catalogue is replaced last and in one step: until then, and
    after any failure, the data are what they were.

    Parameters
    ----------
    source : Path or str
        Data folder, file, or database address.
    state : Path
        State folder; the tables go to ``state/tables``.
    mapping : Path, optional
        Mapping file for foreign names.
    memory_limit : str
        About how much memory reading a large table may take, such as "512MB" or "1GB".
    large_rows : int
        CSV and Parquet tables with more rows (a CSV file: about) are read in batches, unless there is a mapping file [rows].

    Returns
    -------
    Catalogue
        With ``unchanged`` true where nothing was done.

    Raises
    ------
    InputError
        The data cannot be used as a whole; the message gives the reasons.
    """
    sources = hash_sources(source, mapping=mapping)
    key = _source_key(sources) if sources else ""
    current = read_catalogue(state / "tables")
    if current is not None and key and current.key == key and _intact(current, state / "tables"):
        return dataclasses.replace(current, unchanged=True)
    large = find_large(source, above=large_rows) if mapping is None else {}
    reading = read_tables(source, mapping=mapping, tables=[name for name in SCHEMAS if name not in large] if large else None)
    key = key or hash_frames(reading.dataset.frames)
    with _staging(state / "tables", key) as folder:
        streamed = stream_tables(large, reading.dataset, folder=folder, memory=_bytes(memory_limit)) if large else None
        catalogue = _fill(folder, reading, streamed)
        return _publish(dataclasses.replace(catalogue, key=key, sources=sources), folder, state / "tables")


def write_dataset(dataset: DataSet, *, state: Path, set_aside: Mapping[str, pd.DataFrame] | None = None) -> Catalogue:
    """Keep tables that are already in memory below `state`, as `ingest` does with those it reads.

    Parameters
    ----------
    dataset : DataSet
        Clean tables.
    state : Path
        State folder.
    set_aside : mapping of str to pandas.DataFrame, optional
        Rows set aside, by table.
    """
    key = hash_frames({**dataset.frames, "issues": dataset.issues}, extra=(__version__,))
    with _staging(state / "tables", key) as folder:
        catalogue = _fill(folder, Reading(dataset, set_aside or {}, {}), None)
        return _publish(dataclasses.replace(catalogue, key=key), folder, state / "tables")


def hash_sources(source: Path | str, *, mapping: Path | None = None) -> tuple[Source, ...]:
    """Return name, size and sha256 of every file that is read; none for a database address, whose content cannot be known."""
    if isinstance(source, str) and "://" in source:
        return ()
    root = Path(source)
    base = root if root.is_dir() else root.parent
    # a mapping file may name files in folders below
    found = [Path(entry) for entry in find_sources(root)] if mapping is None or root.is_file() else [root]
    files = [file for entry in found for file in (sorted(entry.rglob("*")) if entry.is_dir() else [entry])]
    files = [file for file in files if file.is_file() and file.suffix.lower() in ENDINGS]
    files += [base / "dataset.yml"] if (base / "dataset.yml").is_file() else []
    listed = [Source(file.relative_to(base).as_posix(), file.stat().st_size, hash_file(file)) for file in files]
    if mapping is not None:
        listed.append(Source(f"mapping {mapping.name}", mapping.stat().st_size, hash_file(mapping)))
    return tuple(sorted(listed, key=lambda item: item.name))


def _source_key(sources: Sequence[Source]) -> str:
    lines = "\n".join(f"{item.name}\0{item.size}\0{item.sha256}" for item in sources)
    return hashlib.sha256(f"{__version__}\n{lines}".encode("utf-8", "surrogateescape")).hexdigest()


def _intact(catalogue: Catalogue, tables: Path) -> bool:
    """Tell whether every file of the catalogue is there in its size."""
    paths = ((tables / part.path, part.size) for part in catalogue.parts)
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def _bytes(limit: str) -> int:
    text = limit.strip().upper()
    number, unit = text[:-2], _UNITS.get(text[-2:])
    if unit is None or not number.strip().replace(".", "", 1).isdigit():
        raise InputError(
            expected="a memory limit such as 512MB or 1GB", found=f"'{limit}'", fix="Give a number and KB, MB or GB."
        )
    return int(float(number) * unit)


@contextmanager
def _staging(tables: Path, key: str) -> Iterator[Path]:
    """Give a new data folder beside the present one; it is removed again unless it was published."""
    tables.mkdir(parents=True, exist_ok=True)
    outer = Path(tempfile.mkdtemp(prefix=".writing-", dir=tables))
    names = [f"data-{key[:12]}", *(f"data-{key[:12]}-{number}" for number in range(2, 1000))]
    try:
        folder = outer / next(name for name in names if not (tables / name).exists())
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def _publish(catalogue: Catalogue, folder: Path, tables: Path) -> Catalogue:
    """Move the data folder into place, then the catalogue, then remove what is no longer named by it."""
    folder.rename(tables / folder.name)
    sync_folder(tables)
    write_catalogue(catalogue, tables)
    for entry in tables.iterdir():
        if entry.is_dir() and entry.name != catalogue.folder and entry != folder.parent:
            shutil.rmtree(entry, ignore_errors=True)
    return catalogue


def _fill(folder: Path, reading: Reading, streamed: Streamed | None) -> Catalogue:
    """Write all tables into `folder`; return their catalogue, still without key and sources."""
    dataset, newest_on = _dated(reading.dataset, streamed)
    issues = _all_issues(dataset, streamed)
    groups = home_groups(dataset)
    lines = streamed.lines if streamed else LineHomes()
    parts = list(streamed.parts) if streamed else []
    for name in [name for name in SCHEMAS if name in dataset.frames]:
        homes = homes_of(name, dataset[name], groups=groups, lines=lines)
        if name == "orders" and homes is not None:
            lines.add(dataset[name], homes)
        parts += write_parts(name, dataset[name], homes=homes, folder=folder)
    write_frame(issues, folder / ISSUES_FILE)
    write_set_aside(reading.set_aside, data=folder)
    aside = {name: count_homes(frame, groups=groups) for name, frame in reading.set_aside.items()}
    return Catalogue(
        key="",
        version=__version__,
        folder=folder.name,
        parts=tuple(sorted(parts, key=lambda part: (part.table, part.group))),
        sources=(),
        settings=dataset.settings,
        newest_on=newest_on,
        rows_set_aside=aside | (streamed.rows_set_aside if streamed else {}),
        stopped=stopped_groups(issues),
    )


def _all_issues(dataset: DataSet, streamed: Streamed | None) -> pd.DataFrame:
    """Return the whole issue list.

    Raises
    ------
    InputError
        Something in it stops every report.
    """
    lists = [issues for issues in (dataset.issues, streamed.issues if streamed else None) if issues is not None and len(issues)]
    issues = pd.concat(lists, ignore_index=True) if lists else dataset.issues
    stops = stop_reasons(issues)
    if stops:
        raise InputError(expected="data that a report can stand on", found=" ".join(stops), fix="`cmi check` lists everything.")
    return issues


def _dated(dataset: DataSet, streamed: Streamed | None) -> tuple[DataSet, str]:
    """Return the data set with its snapshots dated, and its newest date (empty: neither sales nor orders have rows)."""
    dates = {**dataset.frames, **(streamed.dates if streamed else {})}
    known = DataSet(dates, dataset.settings)
    if not known.has("sales", "date") and not known.has("orders", "ordered_on"):
        return dataset, ""
    newest = default_as_of(known)
    return stamp_snapshots(dataset, on=newest), newest.isoformat()
