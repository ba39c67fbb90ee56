"""From a foreign table to the contract's column names, with what the contract says to do where a column is silent."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cmi_analysis.tables.aliases import match_headers
from cmi_analysis.tables.issues import FILE, LINE, Finding, find_rows, note
from cmi_analysis.tables.raw import RawTable
from cmi_analysis.tables.schemas import SCHEMAS

REQUIRED_TABLES = ("customers", "products")
DEMAND_TABLES = ("sales", "orders")


@dataclass(frozen=True)
class Canonical:
    """A foreign table under the contract's names.

    Attributes
    ----------
    table : str
        Name of the table.
    frame : pandas.DataFrame
        Canonical column names, foreign values, ``__file__`` and ``__line__``.
    factors : dict of str to float
        Factor of the unit that a header names.
    aside : pandas.DataFrame
        Rows that could not be split into fields.
    findings : list of Finding
        What was found.
    """

    table: str
    frame: pd.DataFrame
    factors: dict[str, float] = field(default_factory=dict)
    aside: pd.DataFrame = field(default_factory=pd.DataFrame)
    findings: list[Finding] = field(default_factory=list)


def blank(values: pd.Series) -> pd.Series:
    """Tell where nothing stands."""
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values.isna()
    return values.isna() | (values.astype("object") == "")


def with_places(raw: RawTable, frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with the file and line of each row."""
    return frame.assign(**{FILE: raw.file if raw.files is None else raw.files, LINE: raw.lines})


def split_bad_rows(raw: RawTable, *, table: str) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the rows with too many or too few fields as rows set aside, and the finding about them."""
    if raw.bad.empty:
        return pd.DataFrame(), []
    bad = raw.bad.assign(**{FILE: raw.file, LINE: raw.bad["line"]})
    rows = find_rows(bad, np.ones(len(bad), dtype=bool), column="value")
    finding = Finding(table, "", "wrong_field_count", "set aside", rows, {"fields": str(len(raw.header))})
    return bad[[FILE, LINE, "value"]].assign(rule="wrong_field_count"), [finding]


def _drop_blank_rows(frame: pd.DataFrame, *, table: str) -> tuple[pd.DataFrame, list[Finding]]:
    columns = [column for column in frame if column not in (FILE, LINE)]
    key = next((column for column in SCHEMAS[table].key if column in frame), None)
    if key is None or not (suspect := blank(frame[key])).any():
        return frame, []
    part = frame.loc[suspect, columns]
    empty = pd.concat([blank(part[column]) for column in columns], axis=1).all(axis=1)
    if not empty.any():
        return frame, []
    broken = frame.index.isin(empty.index[empty])
    return frame[~broken].reset_index(drop=True), [
        Finding(table, "", "blank_row", "set aside", find_rows(frame, broken, column=key))
    ]


def to_canonical(raw: RawTable, *, table: str) -> Canonical:
    """Return a table whose headers are the contract's or their aliases under canonical names."""
    match = match_headers(raw.header, table, file=raw.file)
    named = pd.DataFrame({column: raw.frame[place] for column, place in match.columns.items()}, index=raw.frame.index)
    frame, blanks = _drop_blank_rows(with_places(raw, named), table=table)
    aside, bad = split_bad_rows(raw, table=table)
    return Canonical(table, frame, match.factors, aside, [*match.findings, *blanks, *bad])


def missing_columns(part: Canonical) -> list[str]:
    """Return the required columns that a table lacks."""
    return [column for column in SCHEMAS[part.table].required if column not in part.frame]


def note_missing(part: Canonical) -> list[Finding]:
    """Return a finding for each required column that a table lacks; without it the table cannot be used."""
    stops = part.table in (*REQUIRED_TABLES, *DEMAND_TABLES)
    file = ", ".join(sorted({str(name) for name in part.frame[FILE].unique()}))
    return [
        note(part.table, column, "missing_column", "stop" if stops else "set aside", file=file, table=part.table, column=column)
        for column in missing_columns(part)
    ]


def _fill_line(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Number the lines of an order where the source has none; equal rows are then reported and kept."""
    if "line" in frame or "order_id" not in frame:
        return frame, []
    columns = [column for column in frame if column not in (FILE, LINE)]
    again = frame.duplicated(columns).to_numpy()
    number = (frame.groupby("order_id", sort=False, dropna=False).cumcount() + 1).astype("str").astype("object")
    found = (
        [Finding("orders", "order_id", "exact_duplicate", "kept", find_rows(frame, again, column="order_id"))]
        if again.any()
        else []
    )
    return frame.assign(line=number), found


def _fill_group(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    given = (
        frame["customer_group"].astype("object")
        if "customer_group" in frame
        else pd.Series(None, index=frame.index, dtype="object")
    )
    empty = blank(given)
    if not empty.any():
        return frame, []
    second = frame["region"].astype("object") if "region" in frame else pd.Series(None, index=frame.index, dtype="object")
    filled = given.mask(empty, second)
    filled = filled.mask(blank(filled), "ungrouped")
    rows = find_rows(frame, empty.to_numpy(dtype=bool), column="customer_group", values=filled)
    return frame.assign(customer_group=filled), [Finding("customers", "customer_group", "no_group", "repaired", rows)]


def _fill_name(frame: pd.DataFrame, table: str, name: str, key: str) -> tuple[pd.DataFrame, list[Finding]]:
    if key not in frame:
        return frame, []
    if name not in frame:
        return frame.assign(**{name: frame[key]}), []
    empty = blank(frame[name])
    if not empty.any():
        return frame, []
    rows = find_rows(frame, empty.to_numpy(dtype=bool), column=key)
    filled = frame[name].astype("object").mask(empty, frame[key].astype("object"))
    return frame.assign(**{name: filled}), [Finding(table, name, "no_name", "repaired", rows, {"id": key})]


def fill_silent(part: Canonical) -> Canonical:
    """Fill what the contract derives: the line of an order, a customer's group (region, else ``ungrouped``), names (the id)."""
    frame, found = part.frame, list(part.findings)
    if part.table == "orders":
        frame, more = _fill_line(frame)
        found += more
    for table, name, key in (("customers", "customer_name", "customer_id"), ("products", "product_name", "product_id")):
        if part.table == table:
            frame, more = _fill_name(frame, table, name, key)
            found += more
    if part.table == "customers":
        frame, more = _fill_group(frame)
        found += more
    return Canonical(part.table, frame, part.factors, part.aside, found)
