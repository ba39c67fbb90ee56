"""Checks of one table by itself: ranges, words, dates that make sense, dates in order, keys, outliers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as compute

from cmi_analysis.tables.columns import TableSchema
from cmi_analysis.tables.issues import FILE, LINE, Finding, find_rows
from cmi_analysis.tables.schemas import SCHEMAS

_WORDS = {
    "decides": {"customer", "shared", "supplier"},
    "owner": {"customer", "supplier"},
    "of": {"sell_out", "orders"},
    "window": {"month", "quarter", "year", "week"},
    "condition": {"resellable", "repair", "scrap"},
}
_BOUNDS = {"rate": (0.0, 1.0), "flag_or_rate": (0.0, 1.0)}
_COORDINATES = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0)}
# later column, earlier column; True: the row cannot be used, False: it is only reported
_ORDER = {
    "orders": [
        ("delivered_on", "ordered_on", True),
        ("shipped_on", "ordered_on", True),
        ("cancelled_on", "ordered_on", True),
        ("delivered_on", "shipped_on", True),
        ("promised_on", "ordered_on", False),
        ("requested_on", "ordered_on", False),
        ("paid_on", "ordered_on", False),
    ],
    "deliveries": [("delivered_on", "shipped_on", True)],
    "receipts": [("received_on", "ordered_on", True), ("promised_on", "ordered_on", False)],
    "purchase_orders": [("promised_on", "ordered_on", False), ("cancelled_on", "ordered_on", True)],
    "transfers": [("received_on", "shipped_on", True)],
    "promotions": [("ends_on", "starts_on", True)],
    "assortment": [("valid_to_on", "valid_from_on", True)],
    "contracts": [("valid_to_on", "valid_from_on", True)],
    "products": [("ends_on", "launched_on", False)],
    "feedback": [("closed_on", "opened_on", False)],
    "lots": [("expires_on", "date", False)],
}
_LONGEST_ID = 200
_PLAIN_ID = re.compile(rf"[^\x00-\x1f\x7f]{{1,{_LONGEST_ID}}}\Z")
_OPEN_END = {"valid_to_on", "ends_on", "expires_on"}
_LONG_AGO = {"since_on", "launched_on", "valid_from_on"}
_EARLIEST, _EARLIEST_LONG_AGO, _LATEST = pd.Timestamp("1990-01-01"), pd.Timestamp("1901-01-01"), pd.Timestamp("2100-01-01")
_FUTURE = pd.DateOffset(years=5)


@dataclass(frozen=True)
class Checked:
    """One table after a check.

    Attributes
    ----------
    frame : pandas.DataFrame
        Rows kept, values blanked where they could not stand.
    aside : pandas.DataFrame
        Rows set aside, with ``rule``.
    findings : list of Finding
        What was found.
    """

    frame: pd.DataFrame
    aside: pd.DataFrame
    findings: list[Finding] = field(default_factory=list)


def split(frame: pd.DataFrame, reason: np.ndarray, findings: list[Finding]) -> Checked:
    """Return the rows without a reason, and those with one set aside."""
    good = reason == ""
    if good.all():
        return Checked(frame, frame.iloc[:0].assign(rule=""), findings)
    return Checked(frame[good].reset_index(drop=True), frame[~good].assign(rule=reason[~good]).reset_index(drop=True), findings)


def _plain_ids(ids: pd.Series) -> pd.Series:
    """Tell which ids have 1 to 200 characters, none of them a control character (each distinct id is looked at once)."""
    odd = [value for value in ids.dropna().unique() if not _PLAIN_ID.match(str(value))]
    return ~ids.isin(odd)


def _surely_plain(ids: pd.Series) -> bool:
    """Tell, faster than by patterns, whether every id is a printable ASCII text of 1 to 200 characters."""
    if pd.api.types.infer_dtype(ids, skipna=True) != "string":
        return False
    try:
        texts = arrow.array(ids.to_numpy(dtype=object), type=arrow.string(), from_pandas=True)
    except (arrow.ArrowException, UnicodeError):
        return False
    sizes = compute.min_max(compute.binary_length(texts))
    printable = compute.all(compute.ascii_is_printable(texts)).as_py()
    return bool(printable) and sizes["min"].as_py() >= 1 and sizes["max"].as_py() <= _LONGEST_ID


def _pandera_schema(schema: TableSchema, frame: pd.DataFrame) -> object:
    """Return the pandera schema of the ranges and words that some value in `frame` may break; it finds out which."""
    import pandera.pandas as pa

    columns = {}
    for name, column in schema.columns.items():
        if name not in frame:
            continue
        checks, values = [], frame[name]
        if column.kind in ("quantity", "money", "count") and not column.signed and bool((values < 0.0).any()):
            checks.append(pa.Check.ge(0.0, error="negative"))
        if name in _COORDINATES or column.kind in _BOUNDS:
            low, high = _COORDINATES.get(name, _BOUNDS.get(column.kind, (0.0, 1.0)))
            error = "coordinate_range" if name in _COORDINATES else "rate_range"
            if pd.api.types.is_float_dtype(values.dtype) and bool(((values < low) | (values > high)).any()):
                checks.append(pa.Check.in_range(low, high, error=error))
        if name in _WORDS and bool((~values.isin(_WORDS[name]) & values.notna()).any()):
            checks.append(pa.Check.isin(sorted(_WORDS[name]), error="unknown_word"))
        if column.kind == "id" and not _surely_plain(values):
            checks.append(pa.Check(_plain_ids, error="odd_id"))
        if checks:
            columns[name] = pa.Column(nullable=True, checks=checks, required=False)
    return pa.DataFrameSchema(columns)


def _range_failures(frame: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """Return ``column, check, index`` of every value out of range."""
    from pandera.errors import SchemaErrors

    try:
        _pandera_schema(schema, frame).validate(frame, lazy=True)  # type: ignore[attr-defined]
    except SchemaErrors as error:
        cases = error.failure_cases.dropna(subset=["index"])
        return cases[["column", "check", "index"]].drop_duplicates()
    return pd.DataFrame({"column": [], "check": [], "index": []})


def check_ranges(frame: pd.DataFrame, *, table: str) -> Checked:
    """Check ranges and words of each column with pandera (lazily: every failure is found, not the first)."""
    schema = SCHEMAS[table]
    failures = _range_failures(frame, schema)
    reason = np.full(len(frame), "", dtype=object)
    findings: list[Finding] = []
    changed = frame
    for (name, rule), cases in failures.groupby(["column", "check"], sort=True):
        broken = np.zeros(len(frame), dtype=bool)
        broken[cases["index"].astype("int64").to_numpy()] = True
        column = schema.columns[str(name)]
        drops = column.required and not column.nullable
        done = "kept" if rule == "unknown_word" else "set aside" if drops else "repaired"
        rows = find_rows(frame, broken, column=str(name))
        findings.append(
            Finding(
                table,
                str(name),
                str(rule),
                done,
                rows,
                {"column": str(name), "words": ", ".join(sorted(_WORDS.get(str(name), ())))},
            )
        )
        if done == "set aside":
            reason[broken & (reason == "")] = rule
        elif done == "repaired":
            changed = changed.assign(**{str(name): changed[str(name)].mask(broken)})
    return split(changed, reason, findings)


def _absurd(days: pd.Series, name: str, newest: pd.Timestamp | None) -> np.ndarray:
    low = _EARLIEST_LONG_AGO if name in _LONG_AGO else _EARLIEST
    broken = days < low
    if name not in _OPEN_END:
        high = min(_LATEST, newest + _FUTURE) if newest is not None else _LATEST
        broken = broken | (days > high)
    return broken.to_numpy(dtype=bool)


def check_dates(frame: pd.DataFrame, *, table: str) -> Checked:
    """Check that dates lie in this age and, where the table has many rows, within five years after nearly all of its rows."""
    schema = SCHEMAS[table]
    reason = np.full(len(frame), "", dtype=object)
    findings: list[Finding] = []
    changed = frame
    newest = None
    if schema.date and schema.date in frame and frame[schema.date].notna().sum() >= 20:
        newest = frame[schema.date].quantile(0.95, interpolation="lower")
    for name, column in schema.columns.items():
        if column.kind != "date" or name not in frame:
            continue
        broken = _absurd(frame[name], name, newest)
        if not broken.any():
            continue
        drops = column.required and not column.nullable
        rows = find_rows(frame, broken, column=name)
        findings.append(Finding(table, name, "absurd_date", "set aside" if drops else "repaired", rows, {"column": name}))
        if drops:
            reason[broken & (reason == "")] = "absurd_date"
        else:
            changed = changed.assign(**{name: changed[name].mask(broken)})
    return split(changed, reason, findings)


def check_date_order(frame: pd.DataFrame, *, table: str) -> Checked:
    """Check that later events have later dates; a delivery before its order cannot be used, a promise before it is reported."""
    reason = np.full(len(frame), "", dtype=object)
    findings: list[Finding] = []
    for later, earlier, drops in _ORDER.get(table, []):
        if later not in frame or earlier not in frame:
            continue
        broken = (frame[later] < frame[earlier]).to_numpy(dtype=bool) & (reason == "")
        if broken.any():
            shown = frame[later].astype("str") + " < " + frame[earlier].astype("str")
            rows = find_rows(frame, broken, column=later, values=shown)
            done = "set aside" if drops else "kept"
            findings.append(Finding(table, later, "dates_out_of_order", done, rows, {"later": later, "earlier": earlier}))
            if drops:
                reason[broken] = "dates_out_of_order"
    return split(frame, reason, findings)


def check_keys(frame: pd.DataFrame, *, table: str) -> Checked:
    """Check that a key names one row: of equal rows the first stays, of rows that differ the last; the others are set aside."""
    key = [column for column in SCHEMAS[table].key if column in frame]
    again = frame.duplicated(key, keep=False).to_numpy() if key else np.zeros(len(frame), dtype=bool)
    reason = np.full(len(frame), "", dtype=object)
    if not again.any():
        return split(frame, reason, [])
    at = np.flatnonzero(again)
    part = frame.iloc[at]
    values = [column for column in frame.columns if column not in (FILE, LINE)]
    equal = part.duplicated(values, keep="first").to_numpy()
    survivors = part[~equal]
    older = survivors.duplicated(key, keep="last").to_numpy()
    reason[at[equal]] = "repeated_row"
    reason[at[~equal][older]] = "repeated_key"
    shown = part[key].astype("str").agg(" / ".join, axis=1).reindex(frame.index)
    findings = [
        Finding(
            table,
            key[0],
            rule,
            "set aside",
            find_rows(frame, reason == rule, column=key[0], values=shown),
            {"keys": ", ".join(key)},
        )
        for rule in ("repeated_row", "repeated_key")
        if (reason == rule).any()
    ]
    return split(frame, reason, findings)


def check_outliers(frame: pd.DataFrame, *, table: str) -> Checked:
    """Report quantities and money about a thousand times as large as usual for the product: often another unit.

    A value is reported where it is more than 300 times the median and 100 times the 95th percentile of the positive values of its
    product, if there are 20 of them.
    """
    findings: list[Finding] = []
    if "product_id" in frame and len(frame):
        for name, column in SCHEMAS[table].columns.items():
            if name not in frame or not column.required or column.kind not in ("quantity", "money"):
                continue
            size = frame[name].abs()
            groups = size.where(size > 0).groupby(frame["product_id"], sort=True)
            median, high, count = groups.median(), groups.quantile(0.95), groups.count()
            limit = pd.Series(np.maximum(300 * median, 100 * high), index=median.index).where(count >= 20)
            broken = (size > frame["product_id"].map(limit)).to_numpy(dtype=bool)
            if broken.any():
                rows = find_rows(frame, broken, column=name)
                findings.append(Finding(table, name, "thousandfold", "kept", rows, {"column": name}))
    return split(frame, np.full(len(frame), "", dtype=object), findings)


def check_rows(frame: pd.DataFrame, *, table: str) -> Iterator[Checked]:
    """Yield the result of each check in turn; each sees the rows that the one before kept."""
    for check in (check_ranges, check_dates, check_date_order, check_keys, check_outliers):
        result = check(frame, table=table)
        frame = result.frame
        yield result
