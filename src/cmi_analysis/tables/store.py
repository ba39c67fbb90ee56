"""Reading back what `ingest` wrote: whole tables, or one report group's slice from its own files only."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.tables.catalogue import Catalogue, read_catalogue, read_settings
from cmi_analysis.tables.cutting import cut_book, cut_issues, cut_own, cut_shared
from cmi_analysis.tables.dataset import DataSet, Settings, Slice, no_issues
from cmi_analysis.tables.groups import customer_groups
from cmi_analysis.tables.hashing import hash_frames
from cmi_analysis.tables.parquet import read_folder, read_frame, read_parts, write_folder, write_text
from cmi_analysis.tables.schemas import SCHEMAS
from cmi_analysis.tables.slicing import slice_as_of

__all__ = ["Store", "cut_book", "open_store", "read_slice_folder", "write_slice"]
ISSUES_FILE = "issues.parquet"


@dataclass(frozen=True)
class Store:
    """The ingested tables.

    Attributes
    ----------
    folder : Path
        ``state/tables``.
    catalogue : Catalogue
        What it holds.
    """

    folder: Path
    catalogue: Catalogue

    @property
    def settings(self) -> Settings:
        """What the data set says of itself."""
        return self.catalogue.settings

    @cached_property
    def issues(self) -> pd.DataFrame:
        """The whole issue list."""
        path = self.folder / self.catalogue.folder / ISSUES_FILE
        return read_frame(path) if path.exists() else no_issues()

    def groups(self) -> list[str]:
        """Return the customer groups, ordered."""
        return self.catalogue.groups()

    def default_as_of(self) -> dt.date:
        """Return the newest date on which every required table has rows (`slicing.default_as_of` at the time of ingesting)."""
        if not self.catalogue.newest_on:
            raise InputError(
                expected="rows with dates in `sales` or `orders`",
                found="none",
                fix="Add one of the two tables and ingest the data again.",
            )
        return dt.date.fromisoformat(self.catalogue.newest_on)

    def read(self, tables: Sequence[str] | None = None, customer_groups: Sequence[str] | None = None) -> DataSet:
        """Return tables of all groups or of some; only their files are opened.

        Parameters
        ----------
        tables : sequence of str, optional
            Which tables; all that there are if absent.
        customer_groups : sequence of str, optional
            Which customer groups of the tables kept by group; all if absent.
        """
        names = self.catalogue.tables() if tables is None else [name for name in self.catalogue.tables() if name in tables]
        frames = {}
        for name in names:
            parts = self.catalogue.parts_of(name, customer_groups)
            if parts:
                frames[name] = read_parts([self.folder / part.path for part in parts])
        return DataSet(frames, self.settings, self.issues)

    def read_slice(
        self,
        group: str,
        customer_ids: Collection[str],
        *,
        as_of: dt.date,
        book: Mapping[str, pd.DataFrame] | None = None,
    ) -> Slice:
        """Return one report group's slice: its customers' rows known at `as_of`, and what it may see of the rest.

        Parameters
        ----------
        group : str
            Id of the report group.
        customer_ids : collection of str
            Its customers.
        as_of : datetime.date
            Nothing later is in the slice.
        book : mapping of str to pandas.DataFrame, optional
            Frames of the book pass over all groups; the slice gets its part of them.

        Raises
        ------
        InputError
            None of the customers is in the data.
        """
        ids = set(customer_ids)
        homes = self._homes[self._homes.index.isin(ids)]
        if homes.empty:
            raise InputError(
                expected=f"customers of group '{group}' in the data", found="none of them", fix="Check the group's members."
            )
        names = sorted(homes.unique())
        own_tables = [name for name in self.catalogue.tables() if SCHEMAS[name].partitioned]
        kept = self.read(own_tables, names).frames
        own = dict(slice_as_of(DataSet(cut_own(kept, customer_ids=ids), self.settings), as_of).frames)
        shared = cut_shared(
            {**self._shared, "customers": self._customers}, own, customer_groups=names, everyone=len(homes) == len(self._homes)
        )
        whole = int(self._homes.isin(names).sum()) == len(homes)
        issues = cut_issues(self.issues, customer_groups=names, whole=whole)
        frames = {**own, **slice_as_of(DataSet(shared, self.settings), as_of).frames}
        part = Slice(
            group=group,
            as_of=as_of,
            tables=DataSet({name: frames[name] for name in sorted(frames)}, self.settings, issues),
            book=cut_book(book or {}, customer_ids=ids, customer_groups=names, group=group),
            rows_in=sum(len(frame) for frame in own.values()),
            rows_set_aside=sum(by_group.get(name, 0) for by_group in self.catalogue.rows_set_aside.values() for name in names),
        )
        return dataclasses.replace(part, key=slice_key(part))

    @cached_property
    def _customers(self) -> pd.DataFrame:
        return self.read(["customers"])["customers"]

    @cached_property
    def _homes(self) -> pd.Series:
        """Customer group by customer_id."""
        return pd.Series(customer_groups(self._customers).to_numpy(), index=self._customers["customer_id"].to_numpy())

    @cached_property
    def _shared(self) -> dict[str, pd.DataFrame]:
        return dict(self.read([name for name in self.catalogue.tables() if not SCHEMAS[name].partitioned]).frames)


def slice_key(part: Slice) -> str:
    """Return the hash of everything a slice holds but the ledger, 64 hex digits; the order of rows makes no difference."""
    frames = {f"tables/{name}": frame for name, frame in part.tables.frames.items()}
    frames |= {f"book/{name}": frame for name, frame in part.book.items()}
    settings = json.dumps(dataclasses.asdict(part.tables.settings), sort_keys=True)
    return hash_frames({**frames, "issues": part.tables.issues}, extra=(part.group, part.as_of.isoformat(), settings))


def open_store(state: Path) -> Store:
    """Return the ingested tables below a state folder.

    Raises
    ------
    InputError
        Nothing was ingested there.
    """
    catalogue = read_catalogue(state / "tables")
    if catalogue is None:
        raise InputError(
            expected="ingested tables in the state folder",
            found=f"no {state.name}/tables/catalogue.json",
            fix="Run 'cmi ingest' first.",
        )
    return Store(state / "tables", catalogue)


def write_slice(part: Slice, folder: Path) -> None:
    """Write a slice as a folder of Parquet files and ``slice.json``: all that a report's kernel gets to see.

    Parameters
    ----------
    part : Slice
        The slice.
    folder : Path
        A new or empty folder.
    """
    write_folder(part.tables.frames, folder / "tables")
    write_folder(part.book, folder / "book")
    write_folder(part.ledger, folder / "ledger")
    write_folder({"issues": part.tables.issues}, folder)
    about = {
        "group": part.group,
        "as_of": part.as_of.isoformat(),
        "key": part.key,
        "rows_in": part.rows_in,
        "rows_set_aside": part.rows_set_aside,
        "settings": dataclasses.asdict(part.tables.settings),
    }
    write_text(json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True) + "\n", folder / "slice.json")


def read_slice_folder(folder: Path) -> Slice:
    """Return the slice that `write_slice` wrote.

    Raises
    ------
    InputError
        The folder holds no slice.
    """
    path = folder / "slice.json"
    if not path.exists():
        raise InputError(expected="slice.json in the slice's folder", found="none", fix="Start the report with 'cmi report'.")
    about = json.loads(path.read_text("utf-8"))
    issues = read_folder(folder).get("issues", no_issues())
    return Slice(
        group=about["group"],
        as_of=dt.date.fromisoformat(about["as_of"]),
        tables=DataSet(read_folder(folder / "tables"), read_settings(about["settings"]), issues),
        book=read_folder(folder / "book"),
        ledger=read_folder(folder / "ledger"),
        key=about["key"],
        rows_in=about["rows_in"],
        rows_set_aside=about["rows_set_aside"],
    )
