"""Checks between tables: every customer, product, order, supplier and warehouse that a row names exists."""

from __future__ import annotations

import difflib

import numpy as np
import pandas as pd

from cmi_analysis.tables.issues import Finding, find_rows
from cmi_analysis.tables.row_checks import Checked, split
from cmi_analysis.tables.schemas import SCHEMAS

_MANY = 5_000  # ids; nearest names are not looked for in longer lists


def _nearest(value: str, known: list[str]) -> str:
    close = difflib.get_close_matches(value.casefold(), [item.casefold() for item in known], n=1, cutoff=0.7)
    return next((item for item in known if close and item.casefold() == close[0]), "")


def check_references(frame: pd.DataFrame, *, table: str, tables: dict[str, pd.DataFrame]) -> Checked:
    """Check the ids of one table against the tables that hold them.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `table`.
    table : str
        Name of the table.
    tables : dict of str to pandas.DataFrame
        The other tables, already checked; one that is absent is not held against.

    Returns
    -------
    Checked
        A row whose required id is unknown is set aside; an optional unknown id is reported and kept.
    """
    schema = SCHEMAS[table]
    reason = np.full(len(frame), "", dtype=object)
    findings: list[Finding] = []
    for column, other in schema.references.items():
        if column not in frame or other not in tables:
            continue
        known = tables[other][column].dropna().unique()
        broken = ~frame[column].isin(known).to_numpy() & frame[column].notna().to_numpy()
        if not broken.any():
            continue
        drops = schema.columns[column].required and other in ("customers", "products", "orders")
        first = str(frame[column].to_numpy()[np.flatnonzero(broken)[0]])
        close = _nearest(first, [str(item) for item in known]) if len(known) <= _MANY else ""
        rows = find_rows(frame, broken, column=column)
        rule = f"unknown_{column.removesuffix('_id')}"
        fields = {"column": column, "other": other, "value": first, "nearest": f" (nearest: {close})" if close else ""}
        findings.append(Finding(table, column, rule, "set aside" if drops else "kept", rows, fields))
        if drops:
            reason[broken & (reason == "")] = rule
    return split(frame, reason, findings)
