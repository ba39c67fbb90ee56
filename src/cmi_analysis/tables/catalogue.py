"""What `state/tables` holds: every file with its hash, and what it was made from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cmi_analysis.errors import InputError
from cmi_analysis.tables.dataset import Settings, read_sentence
from cmi_analysis.tables.parquet import write_text
from cmi_analysis.tables.schemas import SCHEMAS

FILE_NAME = "catalogue.json"


@dataclass(frozen=True)
class Part:
    """One Parquet file: rows of one table for one customer group.

    The group is "" for the tables of no single customer, and for rows of customers that `customers` does not have.
    """

    path: str
    table: str
    group: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """One source file as it was read: name without its folders, size [bytes] and sha256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Catalogue:
    """What was ingested.

    Attributes
    ----------
    key : str
        Hash of the sources, the mapping and the package version, 64 hex digits.
    version : str
        Version of the package that wrote the files.
    folder : str
        Folder of the files within ``state/tables``.
    parts : tuple of Part
        Every file, ordered by table and group.
    sources : tuple of Source
        Files read, ordered by name.
    settings : Settings
        What the data set says of itself.
    newest_on : str
        Default as_of of the data [ISO date]; empty where neither sales nor orders have rows.
    rows_set_aside : mapping of str to mapping of str to int
        Table -> customer group -> rows set aside [rows]; the group "" holds rows of no customer.
    stopped : mapping of str to str
        Customer groups above the share limit, with the reason.
    stop_reasons : tuple of str
        Why no report at all may be made; empty where nothing speaks against it.
    unchanged : bool
        True where `ingest` found nothing to do; not stored.
    """

    key: str
    version: str
    folder: str
    parts: tuple[Part, ...]
    sources: tuple[Source, ...]
    settings: Settings
    newest_on: str = ""
    rows_set_aside: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    stopped: Mapping[str, str] = field(default_factory=dict)
    stop_reasons: tuple[str, ...] = ()
    unchanged: bool = False

    def tables(self) -> list[str]:
        """Return the names of the tables, ordered."""
        return sorted({part.table for part in self.parts})

    def groups(self) -> list[str]:
        """Return the names of the customer groups, ordered."""
        return sorted({part.group for part in self.parts if part.group})

    def parts_of(self, table: str, groups: Sequence[str] | None = None) -> list[Part]:
        """Return the files of `table`: all, or those of some customer groups; a table of no single customer has one for all."""
        wanted = None if groups is None else set(groups) if SCHEMAS[table].partitioned else {""}
        return [part for part in self.parts if part.table == table and (wanted is None or part.group in wanted)]

    def rows(self, table: str) -> int:
        """Return the number of rows of `table` [rows]."""
        return sum(part.rows for part in self.parts if part.table == table)


def write_catalogue(catalogue: Catalogue, folder: Path) -> None:
    """Put the catalogue in place in one step; from then on its files are the data."""
    content = dataclasses.asdict(catalogue)
    content.pop("unchanged")
    write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n", folder / FILE_NAME)


def read_catalogue(folder: Path) -> Catalogue | None:
    """Return the catalogue in `folder`, or None where there is none.

    Raises
    ------
    InputError
        The file cannot be read as a catalogue.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        content["parts"] = tuple(Part(**part) for part in content["parts"])
        content["sources"] = tuple(Source(**source) for source in content["sources"])
        content["stop_reasons"] = tuple(content["stop_reasons"])
        content["settings"] = read_settings(content["settings"])
        return Catalogue(**content)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            expected=f"a catalogue of ingested tables in {path.name}",
            found=str(error),
            fix="Delete it and ingest the data again.",
        ) from error


def read_settings(content: Mapping[str, Any]) -> Settings:
    """Return settings from their JSON form."""
    return Settings(**{**content, "assumptions": tuple(map(read_sentence, content["assumptions"]))})
