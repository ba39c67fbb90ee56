"""Tables too large for memory: read in batches, checked batch by batch, spooled by customer group, sorted group by group.

Each batch goes through the same steps as a table that is read whole, with these limits: keys and stock balances are compared
within a customer group, thousandfold values within a batch; control totals are not held against such a table, and other tables'
references to it (a return's order) are not checked.
"""

from __future__ import annotations

import dataclasses
import io
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cmi_analysis.errors import InputError
from cmi_analysis.tables.aliases import match_headers
from cmi_analysis.tables.balance import check_stock
from cmi_analysis.tables.canonical import fill_silent, missing_columns, to_canonical
from cmi_analysis.tables.catalogue import Part
from cmi_analysis.tables.conversion import convert_table
from cmi_analysis.tables.dataset import DataSet
from cmi_analysis.tables.issues import FILE, LINE, Finding, issue_list, note
from cmi_analysis.tables.parquet import arrow_schema
from cmi_analysis.tables.partitioning import LineHomes, Spool, count_homes, home_groups, homes_of
from cmi_analysis.tables.raw import RawTable, from_frame
from cmi_analysis.tables.references import check_references
from cmi_analysis.tables.row_checks import check_keys, check_rows
from cmi_analysis.tables.schemas import SCHEMAS
from cmi_analysis.tables.set_aside import FOLDER, write_set_aside
from cmi_analysis.tables.sources import find_sources
from cmi_analysis.tables.text_files import read_csv_table

NEVER_LARGE = ("customers", "products", "in_transit", "control_totals", "suppliers", "warehouses")
_BYTES_PER_ROW = 4096  # of memory while a batch is converted and checked: twice what was measured on order lines
_CSV_BYTES_PER_ROW = 64
_LEAST_ROWS = 200
_LEAST_SORTING = 40 << 20  # bytes
_SHARE_LIMIT = 0.02


@dataclass
class Streamed:
    """What came of the large tables.

    Attributes
    ----------
    parts : list of Part
        Files written.
    lines : LineHomes
        Customer group of every order line.
    dates : dict of str to pandas.DataFrame
        The distinct dates of `sales` and `orders`.
    rows_set_aside : dict of str to dict of str to int
        Table -> customer group -> rows [rows].
    issues : pandas.DataFrame
        Issue list of these tables.
    """

    parts: list[Part] = field(default_factory=list)
    lines: LineHomes = field(default_factory=LineHomes)
    dates: dict[str, pd.DataFrame] = field(default_factory=dict)
    rows_set_aside: dict[str, dict[str, int]] = field(default_factory=dict)
    issues: pd.DataFrame | None = None


def find_large(source: Path | str, *, above: int) -> dict[str, list[Path]]:
    """Return the files of the tables in a folder, CSV or Parquet, that have more than `above` rows (a CSV file: about)."""
    if (isinstance(source, str) and "://" in source) or not Path(source).is_dir():
        return {}
    large = {}
    for entry in map(Path, find_sources(source)):
        files = sorted(entry.rglob("*.parquet")) if entry.is_dir() else [entry]
        known = entry.stem in SCHEMAS and entry.stem not in NEVER_LARGE and files[0].suffix.lower() in (".parquet", ".csv")
        if known and sum(map(_rows_about, files)) > above:
            large[entry.stem] = files
    return large


def _rows_about(file: Path) -> int:
    if file.suffix.lower() == ".csv":
        return file.stat().st_size // _CSV_BYTES_PER_ROW
    try:
        return int(pq.read_metadata(file).num_rows)
    except (pa.ArrowException, OSError):
        return 0  # reading it whole says what is wrong with it


def stream_tables(large: Mapping[str, list[Path]], dataset: DataSet, *, folder: Path, memory: int) -> Streamed:
    """Read, check and write large tables into the data folder `folder`.

    Parameters
    ----------
    large : mapping of str to list of Path
        Files by table (`find_large`).
    dataset : DataSet
        The other tables, already checked: customers, products, …
    folder : Path
        The data folder.
    memory : int
        About how much memory a batch may take [bytes].

    Raises
    ------
    InputError
        A table lacks a required column.
    """
    result = Streamed()
    groups = home_groups(dataset)
    orders = dataset.get("orders")
    if orders is not None:
        homes = homes_of("orders", orders, groups=groups, lines=result.lines)
        assert homes is not None
        result.lines.add(orders, homes)
    findings: list[Finding] = []
    for table in [name for name in SCHEMAS if name in large]:
        with tempfile.TemporaryDirectory(prefix=".spool-", dir=folder.parent) as spool:
            stream = _Stream(table, dataset, groups, result, folder, _new_spool(table, large[table], Path(spool)))
            for raw in _batches(table, large[table], rows=max(1000, memory // _BYTES_PER_ROW)):
                stream.add(raw)
            findings += stream.finish(memory=memory)
    result.issues = issue_list(_merged(findings), groups=groups)
    return result


@dataclass
class _Stream:
    """One table on its way."""

    table: str
    dataset: DataSet
    groups: Mapping[str, str]
    result: Streamed
    folder: Path
    spool: Spool
    findings: list[Finding] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    aside: Counter[str] = field(default_factory=Counter)

    def add(self, raw: RawTable) -> None:
        """Convert, check and spool one batch."""
        part = fill_silent(to_canonical(raw, table=self.table))
        lacking = missing_columns(part)
        if lacking:
            raise InputError(
                expected=f"the columns {', '.join(lacking)} in {raw.file}",
                found="none such",
                fix="Add them, or use a mapping file.",
            )
        kept = convert_table(part.frame, table=self.table, factors=part.factors)
        self.findings += part.findings + kept.findings
        self._set_aside(part.aside)
        self._set_aside(kept.aside)
        frame = kept.frame
        for result in check_rows(frame, table=self.table):
            frame = result.frame
            self._set_aside(result.aside)
            self.findings += result.findings
        result = check_references(frame, table=self.table, tables=dict(self.dataset.frames))
        self._set_aside(result.aside)
        self.findings += result.findings
        self._keep(result.frame)

    def _keep(self, frame: pd.DataFrame) -> None:
        homes = homes_of(self.table, frame, groups=self.groups, lines=self.result.lines)
        if self.table == "orders" and homes is not None:
            self.result.lines.add(frame, homes)
        date = {"orders": "ordered_on", "sales": "date"}.get(self.table)
        if date:
            seen = self.result.dates.get(self.table)
            dates = frame[[date]].drop_duplicates()
            self.result.dates[self.table] = dates if seen is None else pd.concat([seen, dates]).drop_duplicates(ignore_index=True)
        self.rows.update(homes.value_counts().to_dict() if homes is not None else {"": len(frame)})
        self.spool.add(_as_stored(frame, self.spool.schema), homes)

    def _set_aside(self, frame: pd.DataFrame) -> None:
        if frame.empty:
            return
        counts = count_homes(frame, groups=self.groups)
        self.aside.update(counts)
        self.rows.update(counts)
        names = {FILE: "file", LINE: "line", "line": "order_line"}  # the line of an order is not the line of the file
        columns = [FILE, LINE, "rule", *SCHEMAS[self.table].columns, "value"]
        shown = frame.reindex(columns=columns).rename(columns=names)
        _append_set_aside(shown, table=self.table, folder=self.folder)

    def _check_group(self, frame: pd.DataFrame) -> pd.DataFrame:
        result = check_keys(frame, table=self.table)
        self.findings += result.findings
        if len(result.aside):
            self.rows.subtract(count_homes(result.aside, groups=self.groups))
            self._set_aside(result.aside)
        if self.table == "stock":
            self.findings += check_stock(result.frame)
        return result.frame

    def finish(self, *, memory: int) -> list[Finding]:
        """Write the sorted files; return all findings, with those that stop a group or the run."""
        only_keys = self.table != "stock"  # whose balance is looked at too
        half = max(memory // 2, _LEAST_SORTING)  # the group of every order line is in memory besides
        self.result.parts += self.spool.finish(self._check_group, self.folder, memory=half, only_keys=only_keys)
        self.result.rows_set_aside[self.table] = {name: count for name, count in sorted(self.aside.items()) if count}
        return self.findings + self._stops()

    def _stops(self) -> list[Finding]:
        """Return a finding for each group, and for the whole table, of which more than 2 % was set aside."""
        by_group = {name: (count, self.aside[name]) for name, count in self.rows.items() if name}
        whole = {"": (sum(self.rows.values()), sum(self.aside.values()))}
        member = {group: customer for customer, group in sorted(self.groups.items(), reverse=True)}
        findings = []
        for name, (rows, aside) in sorted({**by_group, **whole}.items()):
            if rows < _LEAST_ROWS or aside <= _SHARE_LIMIT * rows:
                continue
            who = f"group {name}" if name else "the whole data set"
            fields = {"table": self.table, "share": f"{aside / rows:.1%}", "limit": f"{_SHARE_LIMIT:.0%}", "who": who}
            found = note(self.table, "", "too_much_set_aside", "stop", value=f"{aside} of {rows}", **fields)
            findings.append(dataclasses.replace(found, rows=found.rows.assign(customer_id=member.get(name, ""))))
        return findings


def _append_set_aside(frame: pd.DataFrame, *, table: str, folder: Path) -> None:
    """Add rows to the file of a table's rows set aside; every batch has the same columns."""
    (folder / FOLDER).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as space:
        (written,) = write_set_aside({table: frame}, data=Path(space))
        content = written.read_bytes()
    target = folder / FOLDER / f"{table}.csv"
    with target.open("ab") as file:
        file.write(content.split(b"\n", 1)[1] if file.tell() else content)


def _merged(findings: list[Finding]) -> list[Finding]:
    """Return one finding for each rule and column instead of one for each batch."""
    together: dict[tuple[str, ...], list[Finding]] = {}
    for number, found in enumerate(findings):
        own = str(number) if found.done == "stop" else ""
        together.setdefault((found.table, found.column, found.rule, found.done, own), []).append(found)
    return [
        dataclasses.replace(same[0], rows=pd.concat([found.rows for found in same], ignore_index=True))
        for same in together.values()
    ]


def _new_spool(table: str, files: list[Path], folder: Path) -> Spool:
    """Return an empty spool with every column that any of the files has."""
    found: set[str] = {"line"} if table == "orders" else set()
    flags: set[str] = set()
    for file in files:
        if file.suffix.lower() == ".parquet":
            schema = pq.read_schema(file)
            columns = match_headers(tuple(schema.names), table, file=file.name).columns
            flags |= {name for name, place in columns.items() if pa.types.is_boolean(schema.types[place])}
        else:
            columns = match_headers(_csv_header(file), table, file=file.name).columns
        found |= set(columns)
    stored = [name for name in SCHEMAS[table].columns if name in found]
    schema = arrow_schema(table, stored, rates=[name for name in stored if name not in flags])
    return Spool(table, folder, schema.append(pa.field(FILE, pa.string())).append(pa.field(LINE, pa.int64())))


def _as_stored(frame: pd.DataFrame, schema: pa.Schema) -> pd.DataFrame:
    columns = {}
    for name in schema.names:
        if name not in frame:
            columns[name] = pd.Series([None] * len(frame), dtype="object")
        elif pa.types.is_floating(schema.field(name).type) and pd.api.types.is_bool_dtype(frame[name]):
            columns[name] = pd.Series(frame[name].astype("Float64").to_numpy(dtype="float64", na_value=np.nan))
        else:
            columns[name] = frame[name].reset_index(drop=True)
    return pd.DataFrame(columns)


def _batches(table: str, files: list[Path], *, rows: int) -> Iterator[RawTable]:
    for file in files:
        yield from (
            _parquet_batches(table, file, rows=rows)
            if file.suffix.lower() == ".parquet"
            else _csv_batches(table, file, rows=rows)
        )


def _parquet_batches(table: str, file: Path, *, rows: int) -> Iterator[RawTable]:
    before = 0
    for batch in pq.ParquetFile(file).iter_batches(batch_size=rows, use_threads=False):
        frame = batch.to_pandas(ignore_metadata=True, strings_to_categorical=False)
        raw = from_frame(frame, name=table, file=file.name)
        yield dataclasses.replace(raw, lines=raw.lines + before)
        before += len(frame)


def _csv_header(file: Path) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / file.name
        with file.open("rb") as stream:
            small.write_bytes(stream.readline())
        return read_csv_table(small, name=file.stem).header


def _csv_batches(table: str, file: Path, *, rows: int) -> Iterator[RawTable]:
    """Yield a CSV file piece by piece, cut where a line ends outside quotes; every piece gets the header line."""
    with file.open("rb") as stream, tempfile.TemporaryDirectory() as folder:
        header, before = stream.readline(), 1
        piece = io.BytesIO()
        lines, open_quote = 0, False
        for line in stream:
            piece.write(line)
            lines += 1
            open_quote ^= line.count(b'"') % 2 == 1
            if lines >= rows and not open_quote:
                yield _csv_piece(table, file, Path(folder), header + piece.getvalue(), before=before)
                before, lines, piece = before + lines, 0, io.BytesIO()
        if lines:
            yield _csv_piece(table, file, Path(folder), header + piece.getvalue(), before=before)


def _csv_piece(table: str, file: Path, folder: Path, content: bytes, *, before: int) -> RawTable:
    small = folder / file.name
    small.write_bytes(content)
    raw = read_csv_table(small, name=table)
    bad = raw.bad.assign(line=raw.bad["line"] + before - 1)
    return dataclasses.replace(raw, lines=raw.lines + before - 1, bad=bad)
