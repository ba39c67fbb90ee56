"""Applying a mapping file: read its sources, set rows apart by its rules, build the contract's tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.tables.aliases import nearest
from cmi_analysis.tables.balance import check_balance
from cmi_analysis.tables.canonical import Canonical, blank, split_bad_rows, with_places
from cmi_analysis.tables.conversion import read_words
from cmi_analysis.tables.dates_in_text import read_dates
from cmi_analysis.tables.issues import FILE, LINE, Finding, find_rows
from cmi_analysis.tables.mapping import Mapping, Rule, Source, TableRule
from cmi_analysis.tables.mapping_columns import make_column, meet_conditions
from cmi_analysis.tables.raw import RawTable
from cmi_analysis.tables.schemas import SCHEMAS
from cmi_analysis.tables.sources import read_source

_PLACES = (FILE, LINE)


@dataclass(frozen=True)
class _Rows:
    """A source's rows: all of them, those kept by its exclude rules, those of each route, and the rest."""

    parts: dict[str, pd.DataFrame]
    findings: list[Finding]


def _open(data: Path | str, source: Source, *, name: str) -> tuple[RawTable | None, list[Finding]]:
    """Return the table that a source names; ``book.xlsx:Sheet 1`` names a sheet, ``shop.db:orders`` a table."""
    file, _, inner = source.file.partition(":")
    if isinstance(data, str) and "://" in data:
        found, problems = read_source(data, wanted=[source.file])
        inner = source.file
    else:
        root = Path(data).parent if Path(data).is_file() else Path(data)
        path = root / file
        if root.resolve() not in path.resolve().parents:
            raise InputError(expected=f"source '{name}' inside the data folder", found=source.file, fix="Name it without '..'.")
        if not path.exists():
            present = [entry.name for entry in root.iterdir()] if root.is_dir() else []
            close = nearest(file, present)
            fix = f"Did you mean '{close}'?" if close else "Check --data and the mapping file."
            raise InputError(expected=f"the file {file} of source '{name}'", found="no such file", fix=fix)
        found, problems = read_source(path, wanted=[inner or path.stem])
    if problems:
        return None, problems
    fitting = [table for table in found if not inner or table.name == inner]
    if not fitting:
        raise InputError(
            expected=f"'{inner}' in {file}", found=", ".join(table.name for table in found), fix="Correct the mapping."
        )
    return fitting[0], []


def _named(raw: RawTable) -> pd.DataFrame:
    if len(set(raw.header)) < len(raw.header):
        twice = sorted({header for header in raw.header if raw.header.count(header) > 1})
        raise InputError(expected=f"each header of {raw.file} once", found=f"{', '.join(twice)} twice", fix="Rename one of them.")
    return with_places(raw, raw.frame.set_axis(list(raw.header), axis=1))


def _need(frame: pd.DataFrame, columns: Collection[str], *, source: str) -> None:
    present = [str(column) for column in frame.columns if column not in _PLACES]
    for column in columns:
        if column not in present:
            close = nearest(column, present)
            fix = f"Did you mean '{close}'?" if close else f"It has: {', '.join(present[:40])}."
            raise InputError(expected=f"a column '{column}' in source '{source}'", found="none of that name", fix=fix)


def _duplicates(frame: pd.DataFrame, source: Source, *, table: str, name: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Report rows that repeat an earlier one; only where the source declares a key are they left out."""
    again = frame.duplicated([column for column in frame if column not in _PLACES]).to_numpy()
    if not again.any():
        return frame, []
    first = next(column for column in frame if column not in _PLACES)
    rows = find_rows(frame, again, column=str(first))
    if not source.key:
        return frame, [Finding(table, "", "exact_duplicate", "kept", rows)]
    _need(frame, source.key, source=name)
    return frame[~again].reset_index(drop=True), [Finding(table, "", "exact_duplicate_of_key", "set aside", rows)]


def _melt(frame: pd.DataFrame, source: Source, *, name: str) -> pd.DataFrame:
    if source.melt is None:
        return frame
    _need(frame, source.melt.keep, source=name)
    long = frame.melt(id_vars=[*source.melt.keep, *_PLACES], var_name=source.melt.name, value_name=source.melt.value)
    return long[~blank(long[source.melt.value])].reset_index(drop=True)


def _join(frame: pd.DataFrame, source: Source, others: dict[str, pd.DataFrame], *, name: str) -> pd.DataFrame:
    for join in source.join:
        other = others[join.source]
        _need(frame, list(join.match), source=name)
        _need(other, [*join.match.values(), *join.columns], source=join.source)
        right = other.drop_duplicates(list(join.match.values()), keep="last")
        keys = {theirs: f"__key_{place}" for place, theirs in enumerate(join.match.values())}
        right = right[[*keys, *(column for column in join.columns if column not in keys)]].rename(columns=keys)
        left = frame.assign(**{f"__key_{place}": read_words(frame[ours]).values for place, ours in enumerate(join.match)})
        right = right.assign(**{key: read_words(right[key]).values for key in keys.values()})
        frame = left.merge(right, on=list(keys.values()), how="left").drop(columns=list(keys.values()))
    return frame


def _balance(frame: pd.DataFrame, source: Source, *, table: str, name: str) -> list[Finding]:
    """Return the rows of a source that do not add up, and those whose opening is not the closing before."""
    plan = source.balance
    if plan is None:
        return []
    _need(frame, [plan.opening, *plan.plus, *plan.minus, plan.closing, *plan.by, *plan.order], source=name)
    ordered = frame.sort_values(plan.order, kind="stable").reset_index(drop=True)
    numbers = ordered.assign(
        **{column: pd.to_numeric(ordered[column]) for column in (plan.opening, *plan.plus, *plan.minus, plan.closing)}
    )
    found = check_balance(
        numbers, plus=plan.plus, minus=plan.minus, closing=plan.closing, opening=plan.opening, by=plan.by, date=plan.order[0]
    )
    findings = []
    off = (found["difference"].abs() > 1e-6).to_numpy()
    jump = ((found["previous_closing"] - found["opening"]).abs() > 1e-6).to_numpy()
    for rule, broken, known, column in (
        ("balance", off, found["difference"].notna(), plan.closing),
        ("opening_jump", jump, found["previous_closing"].notna(), plan.opening),
    ):
        if broken.any():
            share = {"share": f"{broken.sum() / max(int(known.sum()), 1):.1%}"}
            findings.append(Finding(table, column, rule, "kept", find_rows(ordered, broken, column=column), share))
    return findings


def _exclude(frame: pd.DataFrame, rules: list[Rule], *, table: str, source: str) -> tuple[pd.DataFrame, list[Finding]]:
    findings = []
    for rule in rules:
        _need(frame, [condition.column for condition in rule.where], source=source)
        out = meet_conditions(frame, rule.where)
        column = rule.where[0].column
        if out.any():
            findings.append(
                Finding(
                    table,
                    column,
                    f"exclude: {rule.name}",
                    "excluded by rule",
                    find_rows(frame, out, column=column),
                    {"name": rule.name},
                )
            )
            frame = frame[~out].reset_index(drop=True)
    return frame, findings


def _route(
    frame: pd.DataFrame, source: Source, plan: Mapping, *, table: str, name: str
) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    parts, findings = {}, []
    for rule in source.route:
        _need(frame, [condition.column for condition in rule.where], source=name)
        taken = meet_conditions(frame, rule.where)
        targets = (
            ", ".join(entry.table for entry in plan.tables if entry.source == name and entry.rows == rule.name) or "no table"
        )
        column = rule.where[0].column
        if taken.any():
            fields = {"name": rule.name, "tables": targets}
            findings.append(Finding(table, column, f"route: {rule.name}", "kept", find_rows(frame, taken, column=column), fields))
        parts[rule.name] = frame[taken].reset_index(drop=True)
        frame = frame[~taken].reset_index(drop=True)
    return {**parts, "rest": frame}, findings


def _prepare(name: str, plan: Mapping, frames: dict[str, pd.DataFrame]) -> _Rows:
    source = plan.sources[name]
    table = _first_table(plan, name)
    frame, findings = _duplicates(frames[name], source, table=table, name=name)
    frame = _join(_melt(frame, source, name=name), source, frames, name=name)
    listed = "stock" if any(entry.table == "stock" and entry.source == name for entry in plan.tables) else table
    findings += _balance(frame, source, table=listed, name=name)
    kept, excluded = _exclude(frame, source.exclude, table=table, source=name)
    parts, routed = _route(kept, source, plan, table=table, name=name)
    return _Rows({"all": frame, "kept": kept, **parts}, findings + excluded + routed)


def _order_of(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    return read_dates(values).values


def _distinct(frame: pd.DataFrame, origin: pd.DataFrame, entry: TableRule) -> tuple[pd.DataFrame, list[Finding]]:
    """Return one row for each id: every attribute has the value of its latest row that has one."""
    if entry.latest:
        keys = pd.DataFrame({name: _order_of(origin[name]) for name in entry.latest})
        frame = frame.loc[keys.sort_values(entry.latest, kind="stable").index].reset_index(drop=True)
    ids = list(entry.distinct)
    empty = {column: blank(frame[column]) for column in frame}
    # an empty text is no value, but `last` would take it for one
    frame = frame.assign(**{column: frame[column].astype("object").mask(none) for column, none in empty.items() if none.any()})
    frame = frame[~pd.concat([empty[column] for column in ids], axis=1).any(axis=1)].reset_index(drop=True)
    groups = frame.groupby(ids, sort=True)
    last = groups.last().reset_index()
    findings = []
    for column in frame:
        if column in ids or column in _PLACES:
            continue
        pairs = frame[[*ids, column]].dropna().drop_duplicates()
        several = pairs[ids].value_counts(sort=False)
        several = several[several > 1].reset_index()[ids]
        if len(several):
            broken = last.set_index(ids).index.isin(several.set_index(ids).index)
            findings.append(
                Finding(
                    entry.table,
                    str(column),
                    "several_values",
                    "kept",
                    find_rows(last, broken, column=str(column)),
                    {"column": str(column)},
                )
            )
    return last, findings


def _add_up(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    schema = SCHEMAS[table]
    key = [column for column in schema.key if column in frame]
    how = {
        column: "sum" if column in schema.columns and schema.columns[column].kind == "quantity" else "last" for column in frame
    }
    return frame.groupby(key, sort=True, as_index=False).agg({column: way for column, way in how.items() if column not in key})


def _build(entry: TableRule, rows: _Rows) -> tuple[pd.DataFrame, list[Finding]]:
    origin = rows.parts[entry.rows]
    rules = {column: entry.rule(column) for column in entry.columns}
    needed = [name for rule in rules.values() for name in rule.reads]
    _need(origin, [*needed, *entry.latest], source=entry.source)
    origin, findings = _exclude(origin, entry.exclude, table=entry.table, source=entry.source)
    columns = {column: make_column(origin, rule) for column, rule in rules.items()}
    frame = pd.DataFrame({**columns, **{place: origin[place] for place in _PLACES}}, index=origin.index)
    if entry.distinct:
        frame, several = _distinct(frame, origin, entry)
        findings += several
    return (_add_up(frame, entry.table) if entry.add_up else frame), findings


def _open_all(
    plan: Mapping, data: Path | str, wanted: list[TableRule]
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], list[Finding]]:
    """Return the frames of the sources that `wanted` needs, their unreadable rows, and what was found."""
    used = {entry.source for entry in wanted}
    used |= {join.source for name in used for join in plan.sources[name].join}
    frames: dict[str, pd.DataFrame] = {}
    aside: dict[str, pd.DataFrame] = {}
    findings: list[Finding] = []
    for name in (name for name in plan.sources if name in used):
        raw, problems = _open(data, plan.sources[name], name=name)
        findings += problems
        if raw is not None:
            frames[name] = _named(raw)
            aside[name], bad = split_bad_rows(raw, table=_first_table(plan, name))
            findings += bad
    return frames, aside, findings


def _first_table(plan: Mapping, source: str) -> str:
    """Return the table under which the issues of a source are listed."""
    return next((entry.table for entry in plan.tables if entry.source == source), "")


def apply_mapping(
    plan: Mapping, data: Path | str, *, tables: Collection[str] | None = None
) -> tuple[list[Canonical], list[Finding]]:
    """Return the contract's tables of a foreign source, still with foreign values, and what was found on the way.

    Parameters
    ----------
    plan : Mapping
        The mapping file.
    data : pathlib.Path or str
        Folder (or file, or database address) that holds its sources.
    tables : collection of str, optional
        Only these tables.

    Raises
    ------
    InputError
        A source, or a column of it, is not there; the nearest name is named.
    """
    wanted = [entry for entry in plan.tables if tables is None or entry.table in tables]
    frames, aside, findings = _open_all(plan, data, wanted)
    ready = {name: _prepare(name, plan, frames) for name in frames if any(entry.source == name for entry in wanted)}
    built: dict[str, list[pd.DataFrame]] = {}
    for rows in ready.values():
        findings += rows.findings
    for entry in wanted:
        if entry.source in ready:
            frame, more = _build(entry, ready[entry.source])
            findings += more
            built.setdefault(entry.table, []).append(frame)
    first = {entry.source: entry.table for entry in reversed(wanted)}
    parts = []
    for table, pieces in built.items():
        bad = [aside[name] for name, owner in first.items() if owner == table and name in aside and len(aside[name])]
        whole = pieces[0] if len(pieces) == 1 else pd.concat(pieces, ignore_index=True)
        parts.append(Canonical(table, whole, aside=pd.concat(bad, ignore_index=True) if bad else pd.DataFrame()))
    return parts, findings
