"""From scores to segments: rule tables that cover each of the 125 score cells exactly once."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError

RuleName = Literal["western", "chinese"]
CELL = ["r_score", "f_score", "m_score"]
SILENT = "no_orders"

# rows: recency score 1 to 5; columns: level 1 to 5 of frequency and money together, half their sum rounded up
_WESTERN = (
    ("lost", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    ("promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"),
    ("new_customers", "potential_loyalists", "potential_loyalists", "champions", "champions"),
)
# (recency high, frequency high, money high) -> class; high is a score of 4 or 5
_CHINESE = {
    (True, True, True): "important_value",
    (True, False, True): "important_development",
    (False, True, True): "important_retention",
    (False, False, True): "important_winback",
    (True, True, False): "general_value",
    (True, False, False): "general_development",
    (False, True, False): "general_retention",
    (False, False, False): "general_winback",
}
ORDER: dict[str, tuple[str, ...]] = {
    "western": (
        "champions",
        "loyal",
        "potential_loyalists",
        "new_customers",
        "promising",
        "need_attention",
        "about_to_sleep",
        "cannot_lose",
        "at_risk",
        "hibernating",
        "lost",
    ),
    "chinese": tuple(_CHINESE.values()),
}


def segment_rules(names: RuleName = "western") -> pd.DataFrame:
    """Return a rule table: one row per score cell, ``r_score``, ``f_score``, ``m_score``, ``segment``; 125 rows, sorted.

    Parameters
    ----------
    names : {"western", "chinese"}
        "western": eleven names by the recency score and the level of frequency and money, which is half the sum of their scores,
        rounded up. "chinese": the eight classes by high (4, 5) or low (1 to 3) in each score; "important" is high money.

    Notes
    -----
    The western grid is the common map of R against FM (e.g. Putler's chart of RFM segments) made free of overlaps.

    Examples
    --------
    >>> rules = segment_rules("western").set_index(["r_score", "f_score", "m_score"])["segment"]
    >>> rules[5, 5, 4], rules[1, 5, 5], rules[5, 1, 1]
    ('champions', 'cannot_lose', 'new_customers')
    """
    if names not in ORDER:
        raise InputError(expected="western or chinese segment names", found=repr(names), fix="Choose one of the two.")
    cells = [(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    if names == "western":
        segments = [_WESTERN[r - 1][(f + m + 1) // 2 - 1] for r, f, m in cells]
    else:
        segments = [_CHINESE[(r >= 4, f >= 4, m >= 4)] for r, f, m in cells]
    return pd.DataFrame(cells, columns=CELL).assign(segment=segments)


def check_rules(rules: pd.DataFrame) -> pd.DataFrame:
    """Return `rules` sorted by cell if they cover each of the 125 score cells exactly once.

    Parameters
    ----------
    rules : pandas.DataFrame
        ``r_score``, ``f_score``, ``m_score``, ``segment``.

    Raises
    ------
    InputError
        A cell has no segment or more than one; the first such cell is named.
    """
    cells = pd.MultiIndex.from_frame(segment_rules("western")[CELL])
    given = pd.MultiIndex.from_frame(rules[CELL])
    twice = given[given.duplicated()]
    if len(twice):
        raise InputError(
            expected="one segment for each score cell",
            found=f"{len(twice.unique())} cells with several, the first R{twice[0][0]} F{twice[0][1]} M{twice[0][2]}",
            fix="Let the rules not overlap.",
        )
    gaps, strange = cells.difference(given), given.difference(cells)
    if len(gaps) or len(strange):
        first = (gaps if len(gaps) else strange)[0]
        raise InputError(
            expected="a segment for each of the 125 score cells and no other",
            found=f"{len(gaps)} without and {len(strange)} outside 1 to 5, the first R{first[0]} F{first[1]} M{first[2]}",
            fix="Add the cells to a rule, or mend the scores.",
        )
    return rules.sort_values(CELL, kind="stable", ignore_index=True)


def classify_segments(scores: pd.DataFrame, *, rules: pd.DataFrame) -> pd.Series:
    """Return the segment of each row of `scores`, "no_orders" where a score is missing; index as in `scores`.

    Parameters
    ----------
    scores : pandas.DataFrame
        ``r_score``, ``f_score``, ``m_score`` [1 to 5 or missing].
    rules : pandas.DataFrame
        Frame of `segment_rules` or the user's own; checked by `check_rules`.
    """
    grid = rule_grid(rules)
    known = scores[CELL].notna().all(axis=1)
    points = scores[CELL].astype("Int64").fillna(0).to_numpy(dtype="int64")
    names = grid[points[:, 0], points[:, 1], points[:, 2]]
    return pd.Series(np.where(known, names, SILENT).astype(object), index=scores.index, name="segment")


def rule_grid(rules: pd.DataFrame) -> np.ndarray:
    """Return the segments as an array indexed by the three scores; index 0 holds "no_orders"."""
    checked = check_rules(rules)
    grid = np.full((6, 6, 6), SILENT, dtype=object)
    cells = checked[CELL].to_numpy(dtype="int64")
    grid[cells[:, 0], cells[:, 1], cells[:, 2]] = checked["segment"].to_numpy(dtype=object)
    return grid
