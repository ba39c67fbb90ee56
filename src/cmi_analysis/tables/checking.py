"""All checks over all tables: what is kept, what is set aside, and whether too much was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cmi_analysis.tables.balance import check_stock
from cmi_analysis.tables.control import tie_out
from cmi_analysis.tables.dataset import DataSet
from cmi_analysis.tables.issues import FILE, LINE, Finding, issue_list, note
from cmi_analysis.tables.references import check_references
from cmi_analysis.tables.row_checks import check_rows
from cmi_analysis.tables.schemas import SCHEMAS, conform

_LEAST_ROWS = 200  # a smaller table counts as this large: else a single bad row would stop a run
_ASIDE = "__aside__"


@dataclass(frozen=True)
class CheckedTables:
    """Every table after every check.

    Attributes
    ----------
    frames : dict of str to pandas.DataFrame
        Rows kept, with ``__file__`` and ``__line__`` where they came with them.
    aside : dict of str to pandas.DataFrame
        Rows set aside, with ``rule``.
    findings : list of Finding
        What was found.
    """

    frames: dict[str, pd.DataFrame]
    aside: dict[str, pd.DataFrame]
    findings: list[Finding]


def customer_groups(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return customer_id -> customer_group."""
    customers = tables.get("customers")
    if customers is None or "customer_group" not in customers:
        return {}
    known = customers.dropna(subset=["customer_id"])
    return dict(zip(known["customer_id"], known["customer_group"].fillna(""), strict=True))


def _name_customers(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give the rows of `deliveries` the customer of their order, so that their issues can be attributed."""
    deliveries, orders = frames.get("deliveries"), frames.get("orders")
    if deliveries is None or orders is None or "customer_id" in deliveries:
        return frames
    owner = orders.drop_duplicates("order_id").set_index("order_id")["customer_id"]
    return {**frames, "deliveries": deliveries.assign(customer_id=deliveries["order_id"].map(owner))}


def check_frames(frames: Mapping[str, pd.DataFrame]) -> CheckedTables:
    """Return the tables without the rows that cannot be used.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Typed tables of the contract by name, with or without ``__file__`` and ``__line__``.
    """
    kept = _name_customers({table: frames[table].reset_index(drop=True) for table in SCHEMAS if table in frames})
    aside: dict[str, list[pd.DataFrame]] = {table: [] for table in kept}
    findings: list[Finding] = []
    for table in kept:
        for result in check_rows(kept[table], table=table):
            kept[table] = result.frame
            aside[table].append(result.aside)
            findings += result.findings
    for table in kept:
        result = check_references(kept[table], table=table, tables=kept)
        kept[table] = result.frame
        aside[table].append(result.aside)
        findings += result.findings
    if "stock" in kept:
        findings += check_stock(kept["stock"])
    findings += tie_out(kept)
    together = {table: pd.concat(parts, ignore_index=True) for table, parts in aside.items() if any(map(len, parts))}
    return CheckedTables(kept, together, findings)


def _tally(frames: Mapping[str, pd.DataFrame], aside: Mapping[str, pd.DataFrame], groups: Mapping[str, str]) -> pd.DataFrame:
    """Return ``table, group, rows, aside`` for every table and customer group ("" = no known customer)."""
    parts = []
    for table in {**frames, **aside}:
        for source, is_aside in ((frames.get(table), False), (aside.get(table), True)):
            if source is None or source.empty:
                continue
            owner = (
                source["customer_id"].map(groups) if "customer_id" in source else pd.Series(index=source.index, dtype="object")
            )
            counts = owner.astype("object").where(owner.notna(), "").value_counts(sort=False)
            parts.append(pd.DataFrame({"table": table, "group": counts.index, "rows": counts.to_numpy(), _ASIDE: is_aside}))
    if not parts:
        return pd.DataFrame({"table": [], "group": [], "rows": [], "aside": []})
    rows = pd.concat(parts, ignore_index=True)
    rows["aside"] = np.where(rows[_ASIDE], rows["rows"], 0)
    return rows.groupby(["table", "group"], sort=True, as_index=False)[["rows", "aside"]].sum()


def _too_much(counts: pd.DataFrame, limit: float) -> pd.DataFrame:
    """Return the rows of `counts` where the share set aside is above `limit`, and tables of which nothing is left."""
    many = counts["aside"] > limit * counts["rows"].clip(lower=_LEAST_ROWS)
    nothing_left = (counts["aside"] == counts["rows"]) & (counts["group"] == "")
    return counts[many | nothing_left]


def check_shares(
    frames: Mapping[str, pd.DataFrame], aside: Mapping[str, pd.DataFrame], *, max_rejected_share: float
) -> list[Finding]:
    """Return a finding that stops the run for each group, and for the whole, of which too much was set aside.

    Parameters
    ----------
    frames, aside : mapping of str to pandas.DataFrame
        Rows kept and rows set aside, by table. Rows of no known customer count for the whole only.
    max_rejected_share : float
        Largest share of a table's rows that may be set aside [fraction]; a table with fewer than 200 rows is judged as if it
        had 200, unless nothing of it is left.
    """
    groups = customer_groups(frames)
    tally = _tally(frames, aside, groups)
    if tally.empty:
        return []
    known = tally[tally["group"] != ""]
    by_group = pd.concat([known, known.groupby("group", as_index=False)[["rows", "aside"]].sum().assign(table="all tables")])
    whole = tally.groupby("table", as_index=False)[["rows", "aside"]].sum().assign(group="")
    total = tally[["rows", "aside"]].sum().to_frame().T.assign(group="", table="all tables")
    stops = _too_much(pd.concat([whole, total, by_group], ignore_index=True), max_rejected_share)
    findings = []
    for row in stops.itertuples(index=False):
        fields = {"table": str(row.table), "share": f"{row.aside / row.rows:.1%}", "limit": f"{max_rejected_share:.0%}"}
        fields["who"] = "group " + str(row.group) if row.group else "the whole data set"
        finding = note(str(row.table), "", "too_much_set_aside", "stop", value=f"{row.aside} of {row.rows}", **fields)
        # `issue_list` finds the group of a finding through a customer; any customer of the group will do
        member = next((customer for customer, group in sorted(groups.items()) if row.group and group == row.group), "")
        findings.append(replace(finding, rows=finding.rows.assign(customer_id=member)))
    return findings


def check_tables(dataset: DataSet, *, max_rejected_share: float = 0.02) -> DataSet:
    """Return the data set without the rows that cannot be used, with everything that was found in its issue list.

    Parameters
    ----------
    dataset : DataSet
        Tables in the contract's columns; its own issues stay.
    max_rejected_share : float
        Above this share of rows set aside a group, or the whole, must stop (`issues.stopped_groups`, `issues.stop_reasons`).
    """
    frames = {table: conform(table, frame) for table, frame in dataset.frames.items() if table in SCHEMAS}
    checked = check_frames(frames)
    findings = checked.findings + check_shares(checked.frames, checked.aside, max_rejected_share=max_rejected_share)
    issues = issue_list(findings, groups=customer_groups(checked.frames))
    parts = [part for part in (dataset.issues, issues) if not part.empty]
    together = pd.concat(parts, ignore_index=True) if parts else issues
    return DataSet(plain_frames(checked.frames), dataset.settings, together)


def plain_frames(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables in the contract's form, without the columns that say where a row stood."""
    return {table: conform(table, frame.drop(columns=[FILE, LINE], errors="ignore")) for table, frame in frames.items()}
