"""Frames to Parquet and back: plain values only, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cmi_analysis.tables.columns import TEXT_KINDS
from cmi_analysis.tables.schemas import SCHEMAS


def plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` indexed from 0 in the dtypes that a Parquet file gives back.

    Categoricals become plain values: their categories would carry values of rows that were cut away. Yes/no columns become
    ``boolean``, dates ``datetime64[ns]``; a missing text is None.
    """
    changed = {str(name): plain for name, values in frame.items() if (plain := _plain_values(values)) is not values}
    return frame.assign(**changed).reset_index(drop=True)


def _plain_values(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(values):
        return values if values.dtype == "boolean" else values.astype("boolean")
    if pd.api.types.is_datetime64_any_dtype(values):
        return values if values.dtype == "datetime64[ns]" else values.astype("datetime64[ns]")
    if pd.api.types.is_object_dtype(values):
        missing = values.isna()
        return values.where(~missing, None) if missing.any() else values
    return values


def arrow_schema(table: str, columns: Sequence[str], *, rates: Sequence[str] = ()) -> pa.Schema:
    """Return the Arrow schema in which every part of `table` is stored.

    Parameters
    ----------
    table : str
        Name of a table of the contract.
    columns : sequence of str
        Its columns, in order.
    rates : sequence of str
        Columns of the kind ``flag_or_rate`` that hold fractions; the others hold yes and no.
    """
    kinds = {name: SCHEMAS[table].columns[name].kind for name in columns}
    return pa.schema([(name, _arrow_type(kind, rate=name in rates)) for name, kind in kinds.items()])


def _arrow_type(kind: str, *, rate: bool) -> pa.DataType:
    if kind in TEXT_KINDS:
        return pa.string()
    if kind == "date":
        return pa.timestamp("ns")
    return pa.bool_() if kind == "flag" or (kind == "flag_or_rate" and not rate) else pa.float64()


def write_arrow(table: pa.Table, path: Path) -> None:
    """Write an Arrow table to a new file and flush it to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", use_dictionary=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_frame(frame: pd.DataFrame, path: Path, *, schema: pa.Schema | None = None) -> None:
    """Write one frame to a new Parquet file; categoricals become plain values.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame with string column names; the index is not kept.
    path : Path
        The new file; its folders are made.
    schema : pyarrow.Schema, optional
        Types of the columns, where they are fixed.
    """
    write_arrow(pa.Table.from_pandas(plain_frame(frame), schema=schema, preserve_index=False), path)


def read_frame(path: Path) -> pd.DataFrame:
    """Return the frame of one Parquet file; yes/no columns are ``boolean``, dates ``datetime64[ns]``."""
    return plain_frame(pq.ParquetFile(path).read(use_threads=False).to_pandas())


def read_parts(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the rows of several parts of one table below one another; a column may be missing in some parts."""
    frames = [read_frame(path) for path in paths]
    if len(frames) == 1:
        return frames[0]
    filled = [frame for frame in frames if not frame.empty] or frames[:1]
    columns = list(dict.fromkeys(name for frame in frames for name in frame))
    return pd.concat(filled, ignore_index=True).reindex(columns=columns)


def write_folder(frames: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write frames as ``<name>.parquet`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(frames):
        write_frame(frames[name], folder / f"{name}.parquet")


def read_folder(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the frames that `write_folder` wrote; none where the folder is missing."""
    return {path.stem: read_frame(path) for path in sorted(folder.glob("*.parquet"))}


def write_text(text: str, path: Path) -> None:
    """Replace a text file as a whole: written beside, flushed to the disk, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}-{os.getpid()}")
    with staging.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
