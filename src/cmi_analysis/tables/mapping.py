"""A mapping file: how a foreign source becomes tables of the contract, declared and never programmed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cmi_analysis.errors import ParameterError
from cmi_analysis.params.yaml_files import read_yaml
from cmi_analysis.tables.aliases import nearest
from cmi_analysis.tables.schemas import SCHEMAS

Scalar = str | int | float | bool


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Strict):
    """What one column of a row must be like; exactly one of the tests."""

    column: str
    equals: Scalar | None = None
    not_equals: Scalar | None = None
    startswith: str | None = None
    endswith: str | None = None
    contains: str | None = None
    missing: bool | None = None
    less: float | None = None
    at_most: float | None = None
    more: float | None = None
    at_least: float | None = None
    isin: list[Scalar] | None = None
    not_in: list[Scalar] | None = None

    @property
    def test(self) -> tuple[str, Any]:
        """Name and value of the test."""
        return next((name, value) for name, value in self if name != "column" and value is not None)

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if sum(1 for name, value in self if name != "column" and value is not None) != 1:
            raise ValueError("a condition needs exactly one test (equals, startswith, missing, less, isin …)")
        return self


class Rule(_Strict):
    """A named rule: rows for which every condition holds."""

    name: str = Field(min_length=1)
    where: list[Condition] = Field(min_length=1)


class YearMonth(_Strict):
    """A date from a column with the year and one with the month."""

    year: str
    month: str
    day: Literal["first", "last"] = "first"


class ColumnRule(_Strict):
    """Where the values of one column come from: exactly one of `source`, `constant`, `date_from`, `concat`, `row_number`."""

    source: str | None = Field(None, alias="from")
    constant: Scalar | None = None
    date_from: YearMonth | None = None
    concat: list[str] | None = None
    row_number: bool | None = None
    row_number_in: str | None = None
    prefix_from: str | None = None
    separator: str = "-"
    factor: float = 1.0
    date_format: str | None = None
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    shift_months: int = 0
    values: dict[str, Scalar] = Field(default_factory=dict)
    missing: list[str] = Field(default_factory=list)
    default_from: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = (self.source, self.constant, self.date_from, self.concat, self.row_number, self.row_number_in)
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("a column needs exactly one of from, constant, date_from, concat, row_number, row_number_in")
        return self

    @property
    def reads(self) -> list[str]:
        """Source columns that the rule reads."""
        dates = [self.date_from.year, self.date_from.month] if self.date_from else []
        single = [name for name in (self.source, self.default_from, self.row_number_in, self.prefix_from) if name]
        return [*single, *dates, *(self.concat or [])]


class Join(_Strict):
    """Columns of a second source, found through equal values (one row each; of several the last)."""

    source: str
    match: dict[str, str]
    columns: list[str] = Field(min_length=1)


class Melt(_Strict):
    """Wide to long: every column that is not kept becomes rows of a name and a value."""

    keep: list[str] = Field(min_length=1)
    name: str = "name"
    value: str = "value"


class Balance(_Strict):
    """A stock balance in the source's own columns, checked on every row."""

    opening: str
    plus: list[str]
    minus: list[str]
    closing: str
    by: list[str]
    order: list[str]


class Source(_Strict):
    """One file, sheet or database table."""

    file: str
    key: list[str] = Field(default_factory=list)
    melt: Melt | None = None
    join: list[Join] = Field(default_factory=list)
    exclude: list[Rule] = Field(default_factory=list)
    route: list[Rule] = Field(default_factory=list)
    balance: Balance | None = None


class TableRule(_Strict):
    """One table of the contract from one source."""

    table: str
    source: str
    rows: str = "rest"
    exclude: list[Rule] = Field(default_factory=list)
    distinct: list[str] = Field(default_factory=list)
    latest: list[str] = Field(default_factory=list)
    add_up: bool = False
    columns: dict[str, ColumnRule | str]

    def rule(self, column: str) -> ColumnRule:
        """Return the rule of `column`; a bare name means `from` that column."""
        found = self.columns[column]
        return ColumnRule(**{"from": found}) if isinstance(found, str) else found


class BothLanguages(_Strict):
    """A sentence in English and in Chinese."""

    en: str
    zh: str


class Mapping(_Strict):
    """A mapping file.

    Attributes
    ----------
    name, note : str
        What it is for.
    settings : dict
        Values of `dataset.Settings`.
    assumptions : list
        Sentences that reports show, each ``{en: …, zh: …}`` or one text for both languages.
    partial : bool
        The source is a part of a data set: no required table is missed.
    sources : dict of str to Source
        Files by a short name.
    tables : list of TableRule
        What becomes of them; several entries for one table are put below each other.
    """

    name: str
    note: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    assumptions: list[str | BothLanguages] = Field(default_factory=list)
    partial: bool = False
    sources: dict[str, Source]
    tables: list[TableRule] = Field(min_length=1)

    @model_validator(mode="after")
    def _names(self) -> Self:
        for entry in self.tables:
            if entry.table not in SCHEMAS:
                raise ValueError(f"no table '{entry.table}' in the data contract{_hint(entry.table, list(SCHEMAS))}")
            known = SCHEMAS[entry.table].columns
            for column in entry.columns:
                if column not in known:
                    raise ValueError(f"no column '{column}' in table {entry.table}{_hint(column, list(known))}")
            source = self.sources.get(entry.source)
            if source is None:
                raise ValueError(f"no source '{entry.source}'{_hint(entry.source, list(self.sources))}")
            routes = ["rest", "kept", "all", *(rule.name for rule in source.route)]
            if entry.rows not in routes:
                raise ValueError(f"rows '{entry.rows}' of table {entry.table} is none of {', '.join(routes)}")
        for name, source in self.sources.items():
            for join in source.join:
                if join.source not in self.sources or join.source == name:
                    raise ValueError(f"join of '{name}' with unknown source '{join.source}'")
        return self


def _hint(word: str, choices: list[str]) -> str:
    close = nearest(word, choices)
    return f" (nearest: {close})" if close else ""


def read_mapping(path: Path | str) -> Mapping:
    """Return a mapping file, every name in it checked.

    Parameters
    ----------
    path : pathlib.Path or str
        YAML file, as in ``params/mappings``.

    Raises
    ------
    ParameterError
        Not YAML, an unknown key, table or column; the message names the place and the nearest name.
    """
    content = read_yaml(path)
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(str(step) for step in fault['loc']) or 'the file'}: {fault['msg']}" for fault in error.errors()]
        raise ParameterError(
            expected=f"a mapping file in {Path(path).name}", found="; ".join(faults[:5]), fix="Correct these places of the file."
        ) from None
