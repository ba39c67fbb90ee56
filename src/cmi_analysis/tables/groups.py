"""Report groups: which customers one report is about."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from cmi_analysis.errors import InputError

UNGROUPED = "ungrouped"
_WORDS = ("members", "filter", "title")


@dataclass(frozen=True)
class ReportGroup:
    """The customers of one report, fixed once per run.

    Attributes
    ----------
    id : str
        Name used in files, parameters and the ledger.
    title : str
        What a reader sees.
    members : tuple of str
        Customer ids, sorted.
    """

    id: str
    title: str
    members: tuple[str, ...]


def customer_groups(customers: pd.DataFrame) -> pd.Series:
    """Return the customer group of each customer: ``customer_group``, else ``region``, else "ungrouped".

    Parameters
    ----------
    customers : pandas.DataFrame
        Table `customers`; a blank text counts as missing.

    Returns
    -------
    pandas.Series of str
        Named ``customer_group``, with the index of `customers`.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["1", "2", "3"], "customer_group": ["A", None, " "], "region": ["N", "N", None]})
    >>> customer_groups(rows).tolist()
    ['A', 'N', 'ungrouped']
    """
    groups = pd.Series(None, index=customers.index, dtype="object")
    for column in ("customer_group", "region"):
        if column in customers:
            text = customers[column].astype("object")
            text = text.where(text.map(lambda value: isinstance(value, str) and bool(value.strip())), None)
            groups = groups.where(groups.notna(), text)
    return groups.where(groups.notna(), UNGROUPED).rename("customer_group")


def resolve_groups(
    customers: pd.DataFrame,
    definitions: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    book: Mapping[str, pd.DataFrame] | None = None,
    defaults: bool = True,
) -> list[ReportGroup]:
    """Return the report groups: one for each customer group, and those that `definitions` add or replace.

    Parameters
    ----------
    customers : pandas.DataFrame
        Table `customers`.
    definitions : mapping of str to mapping, optional
        By group id: ``members`` (a list of customer ids) or ``filter`` (column -> value or list of values, all of which must
        hold), and ``title``. A filter may use any column of `customers` and of the book's frames with a row per customer.
    book : mapping of str to pandas.DataFrame, optional
        Frames of the book pass; those with unique ``customer_id`` count.
    defaults : bool
        Whether customer groups that no definition names are groups too.

    Returns
    -------
    list of ReportGroup
        Ordered by id.

    Raises
    ------
    InputError
        An unknown column or customer (with the nearest name), a group without customers, an unknown word in a definition.
    """
    attributes = customers.assign(customer_group=customer_groups(customers))
    groups = {
        str(name): ReportGroup(str(name), str(name), tuple(sorted(rows["customer_id"])))
        for name, rows in attributes.groupby("customer_group", observed=True, sort=True)
        if defaults or not definitions
    }
    for name, definition in (definitions or {}).items():
        members = _members(name, definition, attributes, book or {})
        groups[name] = ReportGroup(name, str(definition.get("title", name)), members)
    return [groups[name] for name in sorted(groups)]


def overlaps(groups: Iterable[ReportGroup]) -> pd.DataFrame:
    """Return the pairs of groups that share customers.

    Returns
    -------
    pandas.DataFrame
        ``group``, ``other``, ``customers`` (how many both have) [count], ordered by the two ids.
    """
    ordered = sorted(groups, key=lambda group: group.id)
    rows = [(one.id, two.id, len(set(one.members) & set(two.members))) for one, two in combinations(ordered, 2)]
    return pd.DataFrame([row for row in rows if row[2]], columns=["group", "other", "customers"])


def _members(
    name: str, definition: Mapping[str, Any], customers: pd.DataFrame, book: Mapping[str, pd.DataFrame]
) -> tuple[str, ...]:
    where = f"group '{name}'"
    for word in definition:
        _known(word, _WORDS, where=f"a definition of {where}", what="word")
    if ("members" in definition) == ("filter" in definition):
        raise InputError(
            expected=f"either `members` or `filter` for {where}",
            found="both" if "members" in definition else "neither",
            fix="Name the customers, or the columns and values that choose them.",
        )
    ids = customers["customer_id"]
    if "members" in definition:
        found = {str(value) for value in definition["members"]}
        for value in sorted(found - set(ids)):
            _known(value, list(ids), where=where, what="customer")
    else:
        found = set(ids[_filter(definition["filter"], customers, book, where=where)])
    if not found:
        raise InputError(
            expected=f"at least one customer in {where}", found="none", fix="Widen the filter, or remove the group's file."
        )
    return tuple(sorted(found))


def _filter(wanted: Mapping[str, Any], customers: pd.DataFrame, book: Mapping[str, pd.DataFrame], *, where: str) -> pd.Series:
    columns = {str(name): customers[name] for name in customers}
    for frame_name in sorted(book):
        frame = book[frame_name]
        if "customer_id" in frame and not frame["customer_id"].duplicated().any():
            by_customer = frame.set_index("customer_id")
            for column in by_customer:
                columns.setdefault(str(column), customers["customer_id"].map(by_customer[column]))
    chosen = pd.Series(True, index=customers.index)
    for column, value in wanted.items():
        _known(column, list(columns), where=f"the filter of {where}", what="column")
        values = value if isinstance(value, list | tuple | set) else [value]
        chosen &= _equals_any(columns[column], list(values))
    return chosen


def _equals_any(column: pd.Series, values: list[Any]) -> pd.Series:
    if pd.api.types.is_bool_dtype(column):
        return column.isin([value for value in values if isinstance(value, bool)])
    if pd.api.types.is_numeric_dtype(column):
        return column.isin(pd.to_numeric(pd.Series(values, dtype="object"), errors="coerce").dropna().tolist())
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d").isin([str(value)[:10] for value in values])
    return column.map(str, na_action="ignore").isin([str(value) for value in values])


def _known(word: str, allowed: Collection[str], *, where: str, what: str) -> None:
    if word in allowed:
        return
    near = difflib.get_close_matches(word, list(allowed), n=1, cutoff=0.0)
    listed = ", ".join(sorted(allowed)[:30])
    raise InputError(
        expected=f"a {what} that exists in {where}",
        found=f"'{word}'",
        fix=f"Did you mean '{near[0]}'? There are: {listed}." if near else "There is none at all.",
    )
