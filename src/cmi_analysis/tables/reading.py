"""Reading a data set: find the tables, name their columns, convert, check, and say what was found."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cmi_analysis import labels
from cmi_analysis.errors import InputError
from cmi_analysis.tables.aliases import nearest, normalise
from cmi_analysis.tables.canonical import (
    DEMAND_TABLES,
    REQUIRED_TABLES,
    Canonical,
    fill_silent,
    missing_columns,
    note_missing,
    to_canonical,
)
from cmi_analysis.tables.checking import check_frames, check_shares, customer_groups, plain_frames
from cmi_analysis.tables.conversion import convert_table
from cmi_analysis.tables.dataset import DataSet, Settings, read_sentence
from cmi_analysis.tables.issues import FILE, LINE, Finding, issue_list, note, stop_reasons
from cmi_analysis.tables.mapping import Mapping as MappingFile
from cmi_analysis.tables.mapping import read_mapping
from cmi_analysis.tables.mapping_steps import apply_mapping
from cmi_analysis.tables.schemas import SCHEMAS, empty_frame
from cmi_analysis.tables.settings_file import FILE_NAME, read_settings, settings_from
from cmi_analysis.tables.sources import find_sources, read_source

_NOT_DATA = ("set_aside", "truth")


@dataclass(frozen=True)
class Reading:
    """What reading a data set gives.

    Attributes
    ----------
    dataset : DataSet
        Clean tables, settings and the issue list.
    set_aside : mapping of str to pandas.DataFrame
        Rows that could not be used, by table, with ``file``, ``line`` and ``rule``.
    rows_read : mapping of str to int
        Rows of each table as the source holds them (after a mapping's rules).
    """

    dataset: DataSet
    set_aside: Mapping[str, pd.DataFrame]
    rows_read: Mapping[str, int]


def _table_of(name: str) -> str:
    """Return the contract's table that a file, sheet or database table is named after, or ""."""
    wanted = normalise(name)
    for table in SCHEMAS:
        shown = [labels.text(f"tables.name.{table}", lang) for lang in labels.LANGUAGES]
        if wanted in {normalise(word) for word in (table, *shown)}:
            return table
    return ""


def _direct(data: Path | str, tables: Collection[str] | None) -> tuple[list[Canonical], list[Finding]]:
    """Return the tables of a source in the contract's form, or under aliases of its names."""
    parts: list[Canonical] = []
    findings: list[Finding] = []
    for source in find_sources(data):
        single = isinstance(source, Path) and (source.is_dir() or source.suffix.lower() in (".csv", ".tsv", ".txt", ".parquet"))
        stem = source.stem if isinstance(source, Path) else ""
        if single and (stem in _NOT_DATA or (tables is not None and _table_of(stem) not in tables)):
            continue
        if single and not _table_of(stem):
            findings.append(_unknown_table(stem, str(getattr(source, "name", ""))))
            continue
        raws, problems = read_source(source, wanted=tuple(SCHEMAS))
        findings += problems
        for raw in raws:
            table = _table_of(raw.name)
            if not table:
                findings.append(_unknown_table(raw.name, raw.file))
            elif tables is None or table in tables:
                parts.append(to_canonical(raw, table=table))
    return parts, findings


def _unknown_table(name: str, file: str) -> Finding:
    close = nearest(name, list(SCHEMAS))
    hint = f" Did you mean '{close}'?" if close else ""
    return note("", "", "unknown_table", "set aside", file=file, value=name, name=name, hint=hint)


def _usable(parts: list[Canonical]) -> tuple[list[Canonical], list[Finding]]:
    """Return the tables that have what they need and stand once, and what is wrong with the others."""
    findings: list[Finding] = []
    usable: dict[str, Canonical] = {}
    for part in parts:
        filled = fill_silent(part)
        if part.table in usable:
            files = ", ".join(
                sorted({str(name) for frame in (part.frame, usable[part.table].frame) for name in frame[FILE].unique()})
            )
            findings.append(note(part.table, "", "table_twice", "stop", file=files, table=part.table, files=files))
            continue
        if missing_columns(filled):
            findings += filled.findings + note_missing(filled)
            continue
        usable[part.table] = filled
    return list(usable.values()), findings


def _missing_tables(names: Collection[str]) -> list[Finding]:
    findings = [
        note(table, "", "missing_table", "stop", table=table, tables=table) for table in REQUIRED_TABLES if table not in names
    ]
    if not any(table in names for table in DEMAND_TABLES):
        findings.append(note("sales", "", "missing_table", "stop", table="sales", tables="sales or orders"))
    return findings


def _aside_frame(parts: list[pd.DataFrame]) -> pd.DataFrame:
    together = pd.concat([part for part in parts if not part.empty], ignore_index=True)
    # the line of an order is not the line of the file
    named = together.rename(columns={FILE: "file", LINE: "line", "line": "order_line"})
    first = [column for column in ("file", "line", "rule") if column in named]
    return named[first + [column for column in named if column not in first]]


def _settings(data: Path | str, plan: MappingFile | None) -> Settings:
    settings = read_settings(data)
    if plan is None:
        return settings
    settings = settings_from(plan.settings, file=plan.name, base=settings)
    own = [read_sentence(item if isinstance(item, str) else item.model_dump()) for item in plan.assumptions]
    return dataclasses.replace(settings, assumptions=(*settings.assumptions, *own))


def read_tables(
    data: Path | str,
    *,
    mapping: Path | None = None,
    tables: Collection[str] | None = None,
    max_rejected_share: float = 0.02,
) -> Reading:
    """Read, convert and check a data set; faults in it become issues, never exceptions.

    Parameters
    ----------
    data : pathlib.Path or str
        Folder, file (CSV, Excel, Parquet, DuckDB, SQLite) or SQLAlchemy URL (user and password as ``${NAME}`` of environment
        variables).
    mapping : pathlib.Path, optional
        Mapping file of a source with foreign headers.
    tables : collection of str, optional
        Read only these tables; nothing is then said about missing ones.
    max_rejected_share : float
        Largest share of a table's rows that may be set aside, of a group and of the whole [fraction]; above it that group's run,
        or the whole run, must stop.

    Raises
    ------
    InputError
        Nothing is there, or `dataset.yml` or the mapping file is wrong.
    """
    plan = read_mapping(mapping) if mapping is not None else None
    settings = _settings(data, plan)
    parts, findings = _direct(data, tables) if plan is None else apply_mapping(plan, data, tables=tables)
    usable, problems = _usable(parts)
    findings += problems
    frames: dict[str, pd.DataFrame] = {}
    early: dict[str, pd.DataFrame] = {}
    for part in usable:
        kept = convert_table(part.frame, table=part.table, factors=part.factors)
        frames[part.table], early[part.table] = kept.frame, pd.concat([part.aside, kept.aside], ignore_index=True)
        findings += part.findings + kept.findings
    if tables is None and not (plan is not None and plan.partial):
        findings += _missing_tables(frames)
    checked = check_frames(frames)
    aside = {
        table: _aside_frame([early[table], checked.aside.get(table, pd.DataFrame())])
        for table in frames
        if len(early[table]) or table in checked.aside
    }
    findings += checked.findings + check_shares(checked.frames, aside, max_rejected_share=max_rejected_share)
    issues = issue_list(findings, groups=customer_groups(checked.frames))
    rows = {table: len(frame) + len(aside.get(table, ())) for table, frame in checked.frames.items()}
    clean = {
        table: frame if len(frame) else empty_frame(table)[list(frame)] for table, frame in plain_frames(checked.frames).items()
    }
    return Reading(DataSet(clean, settings, issues), aside, rows)


def read_dataset(
    data: Path | str,
    *,
    mapping: Path | None = None,
    tables: Collection[str] | None = None,
    max_rejected_share: float = 0.02,
) -> DataSet:
    """Return a data set that can be reported on.

    Parameters
    ----------
    data, mapping, tables, max_rejected_share
        As for `read_tables`. A group of which too much was set aside does not stop the others: see `issues.stopped_groups`.

    Raises
    ------
    InputError
        Something stops the whole run: a missing table or column, an unreadable file, too many rows set aside.
    """
    dataset = read_tables(data, mapping=mapping, tables=tables, max_rejected_share=max_rejected_share).dataset
    reasons = stop_reasons(dataset.issues)
    if reasons:
        raise InputError(
            expected="data that a report can stand on",
            found=f"{len(reasons)} fault(s) that stop the run: {' '.join(reasons)}",
            fix="`cmi check` lists everything that was found.",
        )
    return dataset


__all__ = ["FILE_NAME", "Reading", "read_dataset", "read_tables"]
