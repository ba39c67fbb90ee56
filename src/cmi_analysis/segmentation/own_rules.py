"""A user's own segments: lines like "R4-5 F3 M*", each score cell exactly once, errors that name the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cmi_analysis.errors import ParameterError
from cmi_analysis.segmentation.rules import CELL, SILENT

_PART = re.compile(r"^([RFM])(?:(\*)|([1-5])(?:-([1-5]))?)$")


@dataclass(frozen=True)
class OwnRule:
    """One line of a rule file.

    Attributes
    ----------
    segment : str
        Name of the segment, shown as it is written.
    cells : str
        Recency, frequency and money as scores or ranges, for example "R4-5 F3 M*"; what is left out is any score.
    line : int
        Line of the file, from 1.
    """

    segment: str
    cells: str
    line: int


def table_own_rules(rules: Sequence[OwnRule], *, file: str) -> pd.DataFrame:
    """Return the rule table that the lines describe.

    Parameters
    ----------
    rules : sequence of OwnRule
        Lines in the order of the file.
    file : str
        Name of the file, for messages.

    Returns
    -------
    pandas.DataFrame
        ``r_score``, ``f_score``, ``m_score``, ``segment``: 125 rows, sorted by cell.

    Raises
    ------
    ParameterError
        A line cannot be read, two lines claim one cell (both are named), or a cell is in no line (the first such cell and the
        number of them are named).

    Examples
    --------
    >>> lines = [OwnRule("Big", "M5", 2), OwnRule("Rest", "M1-4", 3)]
    >>> table_own_rules(lines, file="own.yml")["segment"].value_counts().to_dict()
    {'Rest': 100, 'Big': 25}
    """
    taken: dict[tuple[int, int, int], OwnRule] = {}
    for rule in rules:
        if not rule.segment.strip() or rule.segment == SILENT:
            raise ParameterError(
                expected=f"a name for the segment in {file}, line {rule.line}",
                found=repr(rule.segment),
                fix=f"Give it a name; '{SILENT}' is kept for customers without an order.",
            )
        for cell in _cells(rule, file=file):
            if cell in taken:
                other = taken[cell]
                raise ParameterError(
                    expected=f"each score cell in one line of {file}",
                    found=f"R{cell[0]} F{cell[1]} M{cell[2]} in line {other.line} ({other.segment}) "
                    f"and line {rule.line} ({rule.segment})",
                    fix="Let the two lines not overlap.",
                )
            taken[cell] = rule
    every = [(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    gaps = [cell for cell in every if cell not in taken]
    if gaps:
        last = max((rule.line for rule in rules), default=1)
        raise ParameterError(
            expected=f"a segment for each of the 125 score cells in {file}, lines 1 to {last}",
            found=f"{len(gaps)} cells in no line, the first R{gaps[0][0]} F{gaps[0][1]} M{gaps[0][2]}",
            fix="Add the cells to a line.",
        )
    return pd.DataFrame(every, columns=CELL).assign(segment=[taken[cell].segment for cell in every])


def _cells(rule: OwnRule, *, file: str) -> list[tuple[int, int, int]]:
    """Return the cells of one line."""
    spans: dict[str, range] = {}
    for word in rule.cells.replace(",", " ").split():
        match = _PART.match(word.upper())
        low, high = (int(match[3] or 1), int(match[4] or match[3] or 5)) if match else (5, 1)
        if match is None or low > high or match[1] in spans:
            raise ParameterError(
                expected=f"scores like 'R4-5 F3 M*' in {file}, line {rule.line}",
                found=repr(rule.cells),
                fix="Write R, F and M each once, with a score from 1 to 5, a range, or *.",
            )
        spans[match[1]] = range(low, high + 1)
    if not spans:
        raise ParameterError(
            expected=f"scores like 'R4-5 F3 M*' in {file}, line {rule.line}",
            found="nothing",
            fix="Say which scores the line is for.",
        )
    whole = range(1, 6)
    return [(r, f, m) for r in spans.get("R", whole) for f in spans.get("F", whole) for m in spans.get("M", whole)]
