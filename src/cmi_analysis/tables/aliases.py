"""Which column a header means: its own name, its English and Chinese names, however they are spaced and cased."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

from cmi_analysis import labels
from cmi_analysis.names import NAMES
from cmi_analysis.tables.issues import Finding, note
from cmi_analysis.tables.schemas import SCHEMAS

_IN_BRACKETS = re.compile(r"[(\[（【]([^)\]）】]*)[)\]）】]")
_SIGNS = re.compile(r"[\s_\-./:#'’\"]+")
_FACTORS = (("百万", 1e6), ("千万", 1e7), ("万", 1e4), ("亿", 1e8), ("千", 1e3), ("%", 0.01))


@dataclass(frozen=True)
class Match:
    """What the headers of one table mean.

    Attributes
    ----------
    columns : dict of str to int
        Canonical column -> place of its header.
    factors : dict of str to float
        Canonical column -> factor of the unit that its header names (``金额(万元)``).
    findings : list of Finding
        Unknown and ambiguous headers.
    """

    columns: dict[str, int]
    factors: dict[str, float]
    findings: list[Finding]


def normalise(header: str) -> str:
    """Return `header` without case, spaces, signs, full width and bracketed units.

    Examples
    --------
    >>> normalise("Customer_ID"), normalise("ＳＫＵ (pcs)"), normalise("数量（箱）")
    ('customerid', 'sku', '数量')
    """
    text = unicodedata.normalize("NFKC", header)
    return _SIGNS.sub("", _IN_BRACKETS.sub("", text)).casefold()


def unit_factor(header: str) -> float:
    """Return the factor of the unit in a header's brackets, 1 where there is none.

    Examples
    --------
    >>> unit_factor("金额(万元)"), unit_factor("quantity (pcs)")
    (10000.0, 1.0)
    """
    for unit in _IN_BRACKETS.findall(unicodedata.normalize("NFKC", header)):
        for sign, factor in _FACTORS:
            if sign in unit:
                return factor
    return 1.0


@cache
def _aliases() -> dict[str, tuple[str, ...]]:
    """Return normalised alias -> columns that it may mean."""
    text = (resources.files("cmi_analysis.tables") / "aliases.yml").read_text("utf-8")
    listed: dict[str, list[str]] = yaml.safe_load(text)
    found: dict[str, list[str]] = defaultdict(list)
    for column in NAMES:
        shown = [labels.text(f"column.{column}", lang) for lang in labels.LANGUAGES]
        for name in dict.fromkeys(normalise(name) for name in [column, *shown, *listed.get(column, [])]):
            found[name].append(column)
    return {name: tuple(columns) for name, columns in found.items()}


def meanings(header: str, table: str) -> tuple[str, ...]:
    """Return the columns of `table` that `header` may mean; its own name always wins.

    Examples
    --------
    >>> meanings("订单数量", "orders"), meanings("SKU", "sales"), meanings("quantity", "receipts")
    (('quantity_ordered',), ('product_id',), ('quantity_ordered', 'quantity_received'))
    """
    columns = SCHEMAS[table].columns
    name = normalise(header)
    own = [column for column in columns if normalise(column) == name]
    return tuple(own[:1]) or tuple(column for column in _aliases().get(name, ()) if column in columns)


def nearest(word: str, choices: Sequence[str]) -> str:
    """Return the choice that is most like `word`, or "" where none is."""
    close = difflib.get_close_matches(word.casefold(), [choice.casefold() for choice in choices], n=1, cutoff=0.6)
    return next((choice for choice in choices if close and choice.casefold() == close[0]), "")


def _unknown(header: str, table: str, file: str) -> Finding:
    choices = {name: column for name, columns in _aliases().items() for column in columns if column in SCHEMAS[table].columns}
    close = nearest(normalise(header), list(choices))
    rule = "unknown_column" if not close else "unknown_column_near"
    return note(
        table, header, rule, "set aside", file=file, value=header, header=header, nearest=choices.get(close, ""), table=table
    )


def match_headers(header: Sequence[str], table: str, *, file: str) -> Match:
    """Return which column of `table` each header means.

    Parameters
    ----------
    header : sequence of str
        Names as they stand in the source.
    table : str
        Name of the table.
    file : str
        For the issue list.
    """
    claims: dict[str, list[int]] = defaultdict(list)
    findings: list[Finding] = []
    for place, name in enumerate(header):
        means = meanings(name, table) if name else ()
        if len(means) == 1:
            claims[means[0]].append(place)
        elif means:
            findings.append(
                note(table, name, "ambiguous_header", "set aside", file=file, value=name, header=name, choices=" or ".join(means))
            )
        else:
            findings.append(_unknown(name or f"column {place + 1}", table, file))
    columns: dict[str, int] = {}
    for column, places in claims.items():
        exact = [place for place in places if normalise(header[place]) == normalise(column)]
        best = exact if len(exact) == 1 else places
        if len(best) == 1:
            columns[column] = best[0]
        if len(places) > 1:
            both = " and ".join(f"'{header[place]}'" for place in places)
            rule = "header_twice" if len(best) == 1 else "header_twice_unclear"
            findings.append(note(table, column, rule, "set aside", file=file, value=both, headers=both, column=column))
    factors = {column: unit_factor(header[place]) for column, place in columns.items()}
    return Match(columns, {column: factor for column, factor in factors.items() if factor != 1.0}, findings)
