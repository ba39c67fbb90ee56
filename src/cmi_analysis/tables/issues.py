"""The issue list: what was found in the data, where, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from cmi_analysis import labels
from cmi_analysis.tables.dataset import ISSUE_COLUMNS, no_issues

Done = Literal["kept", "repaired", "set aside", "excluded by rule", "stop"]
FILE, LINE = "__file__", "__line__"
_LINES_SHOWN = 10
_TEXT_SHOWN = 80  # characters
_VALUES_KEPT = 5000  # rows whose value is kept as an example


@dataclass(frozen=True)
class Finding:
    """One rule broken in one column of one table, with the rows that break it.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row for each offending row: ``file``, ``line``, ``value`` (as text), ``customer_id`` ("" where unknown).
    fields : mapping of str to str
        Values for the sentence of the fix.
    """

    table: str
    column: str
    rule: str
    done: Done
    rows: pd.DataFrame
    fields: Mapping[str, str] = field(default_factory=dict)


def find_rows(frame: pd.DataFrame, broken: np.ndarray, *, column: str, values: pd.Series | None = None) -> pd.DataFrame:
    """Return file, line, value and customer of the rows of `frame` where `broken` is true.

    Parameters
    ----------
    frame : pandas.DataFrame
        Working frame; its ``__file__`` and ``__line__`` say where each row came from (absent: no file, row number).
    broken : numpy.ndarray
        Boolean, one for each row.
    column : str
        Column whose value is shown.
    values : pandas.Series, optional
        Values to show instead, aligned with `frame`.
    """
    at = np.flatnonzero(broken)
    shown = values if values is not None else frame[column] if column in frame else pd.Series("", index=frame.index)
    return pd.DataFrame(
        {
            "file": frame[FILE].to_numpy()[at] if FILE in frame else "",
            "line": frame[LINE].to_numpy()[at] if LINE in frame else at + 1,
            "value": [shorten(value) for value in shown.to_numpy()[at[:_VALUES_KEPT]]] + [""] * max(0, len(at) - _VALUES_KEPT),
            "customer_id": frame["customer_id"].to_numpy()[at] if "customer_id" in frame else "",
        }
    )


def shorten(value: object) -> str:
    """Return `value` as one short printable line."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    text = str(value.date()) if isinstance(value, pd.Timestamp) and value == value.normalize() else str(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= _TEXT_SHOWN else text[: _TEXT_SHOWN - 1] + "…"


def note(table: str, column: str, rule: str, done: Done, /, *, file: str = "", value: str = "", **fields: str) -> Finding:
    """Return a finding about a whole file or column rather than about rows."""
    rows = pd.DataFrame({"file": [file], "line": [0], "value": [shorten(value)], "customer_id": [""]})
    return Finding(table, column, rule, done, rows, fields)


def fix_sentence(rule: str, fields: Mapping[str, str]) -> str:
    """Return what to do about a broken rule, in English."""
    key = f"tables.fix.{rule.split(':')[0].strip().replace(' ', '_')}"
    return labels.text(key, "en", **fields) if labels.has_text(key) else labels.text("tables.fix.other", "en")


def _issue(finding: Finding, group: str, rows: pd.DataFrame) -> dict[str, object]:
    lines = np.sort(rows["line"].to_numpy())
    whole = len(rows) == 1 and lines[0] == 0
    shown = ", ".join(str(line) for line in lines[:_LINES_SHOWN]) + (" …" if len(lines) > _LINES_SHOWN else "")
    values = [value for value in rows["value"] if value]
    return {
        "table": finding.table,
        "customer_group": group,
        "file": ", ".join(sorted({str(name) for name in rows["file"].unique() if name})[:3]),
        "line": "" if whole else shown,
        "column": finding.column,
        "value": values[0] if values else "",
        "rule": finding.rule,
        "rows": 0 if whole else len(rows),
        "example": "; ".join(dict.fromkeys(values[:3])),
        "fix": fix_sentence(finding.rule, finding.fields),
        "done": finding.done,
    }


def issue_list(findings: Iterable[Finding], *, groups: Mapping[str, str]) -> pd.DataFrame:
    """Return the issue list, one row for each finding and customer group.

    Parameters
    ----------
    findings : iterable of Finding
        What was found.
    groups : mapping of str to str
        customer_id -> customer_group; a row of no known customer gets the group "".

    Returns
    -------
    pandas.DataFrame
        Columns `dataset.ISSUE_COLUMNS`; ``rows`` is 0 for an issue about a whole file or column. Sorted by table, rule, column
        and group.
    """
    records = []
    for finding in findings:
        owner = finding.rows["customer_id"].map(groups).astype("object").fillna("").to_numpy()
        records += [_issue(finding, str(group), finding.rows[owner == group]) for group in np.unique(owner.astype(str))]
    if not records:
        return no_issues()
    issues = pd.DataFrame(records, columns=list(ISSUE_COLUMNS))
    return issues.sort_values(["table", "rule", "column", "customer_group", "file", "line"], kind="stable").reset_index(drop=True)


def stopped_groups(issues: pd.DataFrame) -> dict[str, str]:
    """Return the customer groups whose run must stop, each with the reason.

    Parameters
    ----------
    issues : pandas.DataFrame
        Issue list of a data set.
    """
    stops = issues[(issues["done"] == "stop") & (issues["customer_group"] != "")]
    return {str(group): " ".join(rows["fix"]) for group, rows in stops.groupby("customer_group", sort=True)}


def stop_reasons(issues: pd.DataFrame) -> list[str]:
    """Return why no report at all may be made from the data set; empty where nothing speaks against it."""
    stops = issues[(issues["done"] == "stop") & (issues["customer_group"] == "")]
    return list(dict.fromkeys(stops["fix"]))
