"""Bad rows on purpose: what real files have, a few of each kind, each with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.demo.layout import stream

ROWS_OF_A_KIND = 3
UNKNOWN = "C9999"
BAD_DATE = "2025-02-30"
BAD_NUMBER = "zwölf"
RULES = ("unknown_customer", "negative_quantity", "bad_date", "duplicate", "text_in_number")
TYPED_RULES = ("unknown_customer", "negative_quantity", "duplicate")
"""The kinds that a typed file (Parquet) can hold."""
COLUMNS = ["file", "line", "table", "rule", "column", "value"]


@dataclass(frozen=True)
class Place:
    """Columns of a table that can be wrong: date and number; `new_key` is set on a row that is not a plain duplicate."""

    date: str
    number: str
    new_key: str | None = None


TABLES: Mapping[str, Place] = {
    "sales": Place("date", "quantity"),
    "orders": Place("ordered_on", "quantity_ordered", "order_id"),
    "stock": Place("date", "on_hand"),
}


def soil(table: str, frame: pd.DataFrame, *, file: str, seed: int, typed: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add bad rows at the end of a table; every clean row stays, so that a good reader gets the clean table back.

    Parameters
    ----------
    table : str
        One of `TABLES`.
    frame : pandas.DataFrame
        The clean table.
    file : str
        File name that the list of bad rows gives.
    seed : int
        Chooses the rows that the bad ones are made from.
    typed : bool
        Whether the file has column types; then only `TYPED_RULES` are used.

    Returns
    -------
    tuple of pandas.DataFrame
        The soiled table (columns with a bad date or number as text where not `typed`), and the list of bad rows: file, line
        (of a text file, its header is line 1; in a typed file the row number from 1), table, rule, column, value.
    """
    place = TABLES[table]
    rng = stream(seed, "dirt", table)
    rules = [rule for rule in (TYPED_RULES if typed else RULES) for _ in range(ROWS_OF_A_KIND)]
    picked = rng.choice(len(frame), size=len(rules), replace=False)
    bad = frame.iloc[picked].reset_index(drop=True)
    if not typed:
        bad = bad.astype({place.number: object})
        bad[place.date] = bad[place.date].dt.strftime("%Y-%m-%d").astype(object)
    rows = []
    for at, rule in enumerate(rules):
        column, value = _wrong(rule, place, frame[place.number].iloc[picked[at]])
        if column:
            bad.loc[at, column] = value
        if place.new_key and rule != "duplicate":
            bad.loc[at, place.new_key] = f"SO-BAD-{at + 1:03d}"
        line = len(frame) + at + (1 if typed else 2)
        rows.append((file, line, table, rule, column, str(value)))
    clean = frame
    if not typed:
        clean = frame.astype({place.number: object})
        clean[place.date] = clean[place.date].dt.strftime("%Y-%m-%d").astype(object)
    return pd.concat([clean, bad], ignore_index=True), pd.DataFrame(rows, columns=COLUMNS)


def _wrong(rule: str, place: Place, quantity: float) -> tuple[str, object]:
    """Return the column that a rule spoils and the bad value in it."""
    if rule == "unknown_customer":
        return "customer_id", UNKNOWN
    if rule == "negative_quantity":
        return place.number, -float(np.abs(quantity)) - 5.0
    if rule == "bad_date":
        return place.date, BAD_DATE
    if rule == "text_in_number":
        return place.number, BAD_NUMBER
    return "", ""
