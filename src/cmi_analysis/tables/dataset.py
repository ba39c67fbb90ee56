"""What is handed around: a data set, and one report group's slice of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from cmi_analysis.errors import InputError

Frequency = Literal["day", "week", "month"]
ISSUE_COLUMNS = ("table", "customer_group", "file", "line", "column", "value", "rule", "rows", "example", "fix", "done")


@dataclass(frozen=True)
class Sentence:
    """One sentence in the two languages of the reports; where a source gives it once, both say the same."""

    en: str
    zh: str


@dataclass(frozen=True)
class Settings:
    """What `dataset.yml` says of a data set.

    Attributes
    ----------
    name : str
        Display name of the data set.
    currency : str
        ISO 4217 code; empty where the data have no money.
    frequency : {"day", "week", "month"}
        Length of a `period` of `sales` and of the forecasts.
    week_start : str
        English weekday on which a week starts.
    time_zone : str
        IANA name.
    quantity_unit : str
        Name of the sales unit.
    stock_owner : {"customer", "supplier"}
        Who owns the stock at the sites.
    assumptions : tuple of Sentence
        Sentences a report must show wherever it uses them (a constant lead time, say).
    """

    name: str = ""
    currency: str = ""
    frequency: Frequency = "week"
    week_start: str = "Monday"
    time_zone: str = "UTC"
    quantity_unit: str = "unit"
    stock_owner: Literal["customer", "supplier"] = "customer"
    assumptions: tuple[Sentence, ...] = ()

    def said(self, lang: Literal["en", "zh"]) -> tuple[str, ...]:
        """Return the assumptions in one language."""
        return tuple(getattr(sentence, lang) for sentence in self.assumptions)


def read_sentence(content: str | Mapping[str, str]) -> Sentence:
    """Return a sentence from ``{en: …, zh: …}``, or from one text for both languages.

    Examples
    --------
    >>> read_sentence({"en": "Costs are assumed.", "zh": "成本为假设值。"}).zh
    '成本为假设值。'
    """
    return Sentence(content, content) if isinstance(content, str) else Sentence(**content)


def no_issues() -> pd.DataFrame:
    """Return an empty issue list."""
    return pd.DataFrame({name: pd.Series(dtype="object") for name in ISSUE_COLUMNS})


@dataclass(frozen=True)
class DataSet:
    """Tables of the data contract by name, with their settings and the issue list of their reading.

    A table that the source does not have is absent from `frames`; an empty one is present without rows.
    """

    frames: Mapping[str, pd.DataFrame]
    settings: Settings = field(default_factory=Settings)
    issues: pd.DataFrame = field(default_factory=no_issues)

    def has(self, table: str, *columns: str) -> bool:
        """Tell whether `table` is there, has at least one row, and each of `columns` has at least one value."""
        frame = self.frames.get(table)
        if frame is None or frame.empty:
            return False
        return all(column in frame and bool(frame[column].notna().any()) for column in columns)

    def get(self, table: str) -> pd.DataFrame | None:
        """Return the frame of `table`, or None where the data set does not have it."""
        return self.frames.get(table)

    def __getitem__(self, table: str) -> pd.DataFrame:
        frame = self.frames.get(table)
        if frame is None:
            raise InputError(
                expected=f"a table '{table}' in the data set",
                found=f"only {', '.join(sorted(self.frames)) or 'no table at all'}",
                fix=f"Add {table}.csv, {table}.xlsx or {table}.parquet to the data folder, or map a source to it.",
            )
        return frame


@dataclass(frozen=True)
class Slice:
    """All that one report may see: its own rows of the tables and of the book, known at `as_of`.

    Attributes
    ----------
    group : str
        Id of the report group.
    as_of : datetime.date
        Nothing later is in `tables`.
    tables : DataSet
        Rows of the group's customers only; products and suppliers only those it trades; its own issues.
    book : mapping of str to pandas.DataFrame
        The book pass's frames, cut to the group; aggregates only where they passed the disclosure gate.
    ledger : mapping of str to pandas.DataFrame
        What earlier runs said of this group, by stage (``forecast``, ``plan``), with ``as_of`` (the earlier one) as a column.
    key : str
        Hash of the slice's rows, 64 hex digits.
    rows_in, rows_set_aside : int
        Counts of the data strip.
    """

    group: str
    as_of: dt.date
    tables: DataSet
    book: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    ledger: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    key: str = ""
    rows_in: int = 0
    rows_set_aside: int = 0
