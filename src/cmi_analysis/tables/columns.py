"""What a table and a column of the data contract are, and the pandas dtype of each kind of column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cmi_analysis.names import Kind

Belongs = Literal["customer", "order", "node", "scope", "shared"]
TEXT_KINDS = ("id", "text")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name, kind : str
        Canonical name and kind (see `names.Name`).
    required : bool
        The table cannot be used without the column.
    nullable : bool
        A row may leave it blank. Optional columns always may.
    signed : bool
        Negative values are allowed.
    blank_until : tuple of str
        Date columns of the event that makes the value known; the first one that has a value counts.
    """

    name: str
    kind: Kind
    required: bool = False
    nullable: bool = True
    signed: bool = False
    blank_until: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSchema:
    """One table of the contract.

    Attributes
    ----------
    key : tuple of str
        Columns that name a row; every one is in `columns`.
    columns : mapping of str to Column
        In the order of the contract; ``known_on`` is last in every table.
    date : str
        Column that places the row in time; empty where there is none.
    known_on : tuple of str
        The row is known on the first of these that has a value; empty: always. A value in the column ``known_on`` comes first.
    belongs : {"customer", "order", "node", "scope", "shared"}
        How a row finds its customer: by ``customer_id``; through ``order_id`` of `orders`; by ``node_id`` or ``from_id`` and
        ``to_id``, which may be a customer or a warehouse; "scope": by ``customer_id`` or ``customer_group``, blank = everyone;
        "shared": not at all.
    references : mapping of str to str
        Column -> table that must hold its value where that table is there.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    date: str
    known_on: tuple[str, ...]
    belongs: Belongs
    references: Mapping[str, str]

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that the table cannot be used without."""
        return tuple(name for name, column in self.columns.items() if column.required)

    @property
    def partitioned(self) -> bool:
        """Whether every row belongs to one customer, so that the table can be kept by customer group."""
        return self.belongs in ("customer", "order")

    @property
    def blanked(self) -> dict[str, tuple[str, ...]]:
        """Column -> date columns of the later event that makes its value known."""
        return {name: column.blank_until for name, column in self.columns.items() if column.blank_until}


def dtype_of(kind: str) -> str:
    """Return the pandas dtype of a clean column of `kind` (``flag_or_rate``: its dtype where it holds only yes and no)."""
    if kind in TEXT_KINDS:
        return "object"
    return {"date": "datetime64[ns]", "flag": "boolean", "flag_or_rate": "boolean"}.get(kind, "float64")


def _as_text(values: pd.Series) -> pd.Series:
    if values.dtype.kind in "iu":  # few distinct numbers, such as those of order lines
        codes, numbers = pd.factorize(values.to_numpy())
        words = np.array([str(number) for number in numbers.tolist()], dtype=object)
        return pd.Series(words[codes], index=values.index, dtype="object", name=values.name)
    text = values.astype("object")
    missing = text.isna().to_numpy()
    if pd.api.types.infer_dtype(text, skipna=True) in ("string", "empty"):  # nothing to turn into text
        return text.where(~missing, None) if missing.any() else text
    as_text = np.where(missing, None, text.map(lambda value: value if isinstance(value, str) else _plain(value)))
    return pd.Series(as_text, index=values.index, dtype="object", name=values.name)


def _plain(value: object) -> str:
    """Return `value` as text; a whole float loses its ``.0`` (an id that a tool turned into a number)."""
    return str(int(value)) if isinstance(value, float | np.floating) and value == value and value.is_integer() else str(value)


def _as_flag_or_rate(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values.astype("object"), errors="raise").astype("float64")
    return numbers.astype("boolean") if bool(numbers.dropna().isin((0.0, 1.0)).all()) else numbers


def conform_column(values: pd.Series, kind: str) -> pd.Series:
    """Return clean `values` in the dtype of `kind`.

    Parameters
    ----------
    values : pandas.Series
        Values that already are of the kind: strings or numbers for ids, dates or ISO strings for dates, numbers, booleans.
    kind : str
        Kind of `names.Name`.
    """
    if kind in TEXT_KINDS:
        return _as_text(values)
    if kind == "date":
        dates = values if values.dtype.kind == "M" else pd.to_datetime(values)
        return dates.astype("datetime64[ns]").dt.normalize()
    if kind == "flag":
        return values.astype("boolean")
    if kind == "flag_or_rate":
        return _as_flag_or_rate(values)
    return pd.to_numeric(values).astype("float64")
