"""Tables into files: one for each customer group, rows sorted by key; frames at once or batch by batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cmi_analysis.tables.catalogue import Part
from cmi_analysis.tables.dataset import DataSet
from cmi_analysis.tables.groups import customer_groups
from cmi_analysis.tables.hashing import hash_file, safe_name, sort_rows
from cmi_analysis.tables.parquet import arrow_schema, plain_frame, write_arrow, write_frame
from cmi_analysis.tables.schemas import SCHEMAS

NOBODY = "customer_group=__none__"
_SORTED_ROWS = 100_000


def part_path(table: str, group: str) -> str:
    """Return the path of one file within the data folder; the group's true name stands in the catalogue only."""
    if not SCHEMAS[table].partitioned:
        return f"{table}/part-0.parquet"
    return f"{table}/{f'customer_group={safe_name(group)}' if group else NOBODY}/part-0.parquet"


def stored_columns(table: str, frame: pd.DataFrame) -> list[str]:
    """Return the columns of `frame` that the contract knows, in its order."""
    return [name for name in SCHEMAS[table].columns if name in frame]


def _rates(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name, values in frame.items() if pd.api.types.is_float_dtype(values)]


def write_parts(table: str, frame: pd.DataFrame, *, homes: pd.Series | None, folder: Path) -> list[Part]:
    """Write one whole table.

    Parameters
    ----------
    table : str
        Name of the table.
    frame : pandas.DataFrame
        Clean rows.
    homes : pandas.Series of str or None
        Customer group of each row, "" where it has no known customer; None for a table of no single customer.
    folder : Path
        The data folder.

    Returns
    -------
    list of Part
        Ordered by group.
    """
    columns = stored_columns(table, frame)
    schema = arrow_schema(table, columns, rates=_rates(frame[columns]))
    if homes is None:
        return [_write_part(table, "", frame[columns], schema, folder)]
    groups = frame[columns].groupby(homes.to_numpy(dtype=object), sort=True)
    return [_write_part(table, str(name), rows, schema, folder) for name, rows in groups]


# from pandas 3 on the metadata of a frame of texts depend on how it was made: there every group is written from a frame, without
_PLAIN = int(pd.__version__.split(".", 1)[0]) < 3


def _frame_metadata(rows: pa.Table) -> dict[bytes, bytes]:
    """Return the metadata that the same rows would have if they came from a frame, so that both ways write the same bytes."""
    empty = plain_frame(rows.slice(0, 0).to_pandas())
    with_blanks = [name for name in empty if pa.types.is_boolean(rows.schema.field(name).type) and rows[name].null_count]
    empty = empty.astype(dict.fromkeys(with_blanks, "object"))
    return dict(pa.Table.from_pandas(empty, schema=rows.schema, preserve_index=False).schema.metadata)


def _write_part(table: str, group: str, rows: pd.DataFrame | pa.Table, schema: pa.Schema, folder: Path) -> Part:
    """Write one file; an Arrow table has its rows in order already."""
    relative = part_path(table, group)
    path = folder / relative
    if isinstance(rows, pa.Table):
        write_arrow(rows, path)
    elif _PLAIN:
        write_frame(sort_rows(rows, table=table), path, schema=schema)
    else:
        ordered = pa.Table.from_pandas(plain_frame(sort_rows(rows, table=table)), schema=schema, preserve_index=False)
        write_arrow(ordered.replace_schema_metadata(None), path)
    return Part(f"{folder.name}/{relative}", table, group, len(rows), path.stat().st_size, hash_file(path))


@dataclass
class Spool:
    """Collects one table batch by batch in unsorted files by group, then writes the sorted ones group by group.

    The memory needed is that of a batch, then that of the largest group.
    """

    table: str
    folder: Path
    schema: pa.Schema
    writers: dict[str, pa.RecordBatchStreamWriter] = field(default_factory=dict)

    def add(self, frame: pd.DataFrame, homes: pd.Series | None) -> None:
        """Append rows; `homes` as in `write_parts`."""
        whole = frame.reset_index(drop=True)
        names = np.full(len(whole), "", dtype=object) if homes is None else homes.to_numpy(dtype=object)
        one = len(names) > 0 and bool((names == names[0]).all())
        for group, rows in [(names[0], whole)] if one else whole.groupby(names, sort=True):
            if group not in self.writers:
                path = self._path(str(group))
                path.parent.mkdir(parents=True, exist_ok=True)
                options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
                self.writers[str(group)] = pa.ipc.new_stream(path, self.schema, options=options)
            self.writers[str(group)].write_table(pa.Table.from_pandas(rows, schema=self.schema, preserve_index=False))

    def finish(
        self, check: Callable[[pd.DataFrame], pd.DataFrame], folder: Path, *, memory: int, only_keys: bool = False
    ) -> list[Part]:
        """Write the sorted files into the data folder `folder`.

        Parameters
        ----------
        check : callable
            Sees the rows of a group, or the next sorted rows of a shared table, and returns those kept.
        folder : Path
            The data folder.
        memory : int
            What sorting a shared table may take before it goes to the disk [bytes].
        only_keys : bool
            Whether `check` keeps every row of a group in which each key names one row; it is then not called for such a group.
        """
        for writer in self.writers.values():
            writer.close()
        stored = [name for name in self.schema.names if name in SCHEMAS[self.table].columns]
        final = pa.schema([self.schema.field(name) for name in stored])
        if not SCHEMAS[self.table].partitioned:
            return [self._finish_shared(check, final, folder, memory=memory)]
        parts = []
        for group in sorted(self.writers):
            path = self._path(group)
            part = self._finish_plain(group, final, folder) if only_keys and _PLAIN else None
            if part is None:
                rows = check(plain_frame(self._read(group).to_pandas()))[stored]
                part = _write_part(self.table, group, rows, final, folder)
            parts.append(part)
            path.unlink()
        return parts

    def _finish_plain(self, group: str, final: pa.Schema, folder: Path) -> Part | None:
        """Write a group's rows without making a frame of them; None where a key names several rows."""
        key = [name for name in SCHEMAS[self.table].key if name in final.names]
        rows = self._read(group)
        keys = plain_frame(rows.select(key).to_pandas())
        if bool(keys.duplicated().any()):
            return None
        order = keys.sort_values(key, kind="stable", na_position="last").index.to_numpy()
        columns = rows.select(final.names).take(order).combine_chunks()
        return _write_part(self.table, group, columns.replace_schema_metadata(_frame_metadata(columns)), final, folder)

    def _finish_shared(
        self, check: Callable[[pd.DataFrame], pd.DataFrame], final: pa.Schema, folder: Path, *, memory: int
    ) -> Part:
        relative = part_path(self.table, "")
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = 0
        with pq.ParquetWriter(path, final, compression="zstd") as writer:
            for frame in self._sorted_batches(memory=memory):
                kept = pa.Table.from_pandas(check(frame)[final.names], schema=final, preserve_index=False)
                writer.write_table(kept)
                rows += len(kept)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        return Part(f"{folder.name}/{relative}", self.table, "", rows, path.stat().st_size, hash_file(path))

    def _sorted_batches(self, *, memory: int) -> Iterator[pd.DataFrame]:
        """Yield the rows of a shared table in the order of its key; rows of one key are never in two batches."""
        if not self.writers:
            return
        import duckdb

        key = [name for name in SCHEMAS[self.table].key if name in self.schema.names]
        rest = sorted(name for name in self.schema.names if name not in key)
        order = ", ".join(f'"{name}" NULLS LAST' for name in [*key, *rest])
        limits = {"memory_limit": f"{memory // (1 << 20)}MiB", "threads": 1, "temp_directory": str(self.folder / "sorting")}
        with (
            duckdb.connect(config=limits) as connection,
            pa.OSFile(str(self._path(""))) as file,
            pa.ipc.open_stream(file) as rows,
        ):
            held: list[pd.DataFrame] = []
            for batch in connection.from_arrow(rows).order(order).to_arrow_reader(_SORTED_ROWS):
                frame = pd.concat([*held, plain_frame(batch.to_pandas())], ignore_index=True)
                last = (frame[key] == frame[key].iloc[-1]).all(axis=1)
                held = [frame[last]]
                yield frame[~last].reset_index(drop=True)
            yield from (frame.reset_index(drop=True) for frame in held)

    def _path(self, group: str) -> Path:
        return self.folder / self.table / f"{safe_name(group)}.arrow"

    def _read(self, group: str) -> pa.Table:
        with pa.OSFile(str(self._path(group))) as file, pa.ipc.open_stream(file) as rows:
            return rows.read_all()


class LineHomes:
    """Customer group of order lines, kept as sorted 64-bit hashes: 10 bytes a line, so that deliveries find theirs."""

    def __init__(self) -> None:
        self._hashes: list[np.ndarray] = []
        self._codes: list[np.ndarray] = []
        self._names: dict[str, int] = {}
        self._sorted = False

    def add(self, orders: pd.DataFrame, homes: pd.Series) -> None:
        """Remember the lines of some orders; `homes` is the customer group of each."""
        codes, names = pd.factorize(homes.to_numpy(dtype=object))
        numbers = np.array([self._names.setdefault(str(name), len(self._names)) for name in names], dtype="int32")
        self._sorted = False
        self._hashes.append(_line_hash(orders))
        self._codes.append(numbers[codes] if len(numbers) else np.zeros(0, dtype="int32"))

    def find(self, deliveries: pd.DataFrame) -> pd.Series:
        """Return the customer group of each delivery, "" where no order line is known."""
        self._sort()
        if not self._hashes or not len(self._hashes[0]):
            return pd.Series("", index=deliveries.index, dtype="object")
        known, codes = self._hashes[0], self._codes[0]
        wanted = _line_hash(deliveries)
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        names = np.array([*self._names, ""], dtype=object)
        return pd.Series(names[np.where(known[at] == wanted, codes[at], len(self._names))], index=deliveries.index)

    def _sort(self) -> None:
        if not self._sorted and self._hashes:
            hashes, codes = np.concatenate(self._hashes), np.concatenate(self._codes)
            self._hashes, self._codes = [], []  # memory first: there may be 20 million
            order = np.argsort(hashes, kind="stable")
            self._hashes, self._codes = [hashes[order]], [codes[order]]
        self._sorted = True


def _line_hash(frame: pd.DataFrame) -> np.ndarray:
    keys = frame[["order_id", "line"]].astype("object").reset_index(drop=True)
    return pd.util.hash_pandas_object(keys, index=False, categorize=False).to_numpy()


def home_groups(dataset: DataSet) -> dict[str, str]:
    """Return the customer group of every customer in `customers`."""
    customers = dataset.get("customers")
    if customers is None:
        return {}
    return dict(zip(customers["customer_id"], customer_groups(customers), strict=True))


def homes_of(table: str, frame: pd.DataFrame, *, groups: Mapping[str, str], lines: LineHomes) -> pd.Series | None:
    """Return the customer group of each row, "" where its customer is not known; None for a table of no single customer."""
    belongs = SCHEMAS[table].belongs
    if belongs == "order":
        return lines.find(frame)
    if belongs == "customer":
        return frame["customer_id"].map(groups).astype("object").fillna("")
    return None


def count_homes(frame: pd.DataFrame, *, groups: Mapping[str, str]) -> dict[str, int]:
    """Return the number of rows by customer group, "" for rows of no known customer [rows]."""
    if "customer_id" not in frame:
        return {"": len(frame)} if len(frame) else {}
    homes = frame["customer_id"].astype("object").map(groups).astype("object").fillna("")
    return {str(name): int(count) for name, count in homes.value_counts().sort_index().items()}
