"""A table as its source holds it: foreign names, foreign types, and where each row stood."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

LARGEST_HEADER = 2_000  # columns; the widest table of the contract has 30
LARGEST_UNPACKED = 1_000_000_000  # bytes of a packed file


def no_bad_rows() -> pd.DataFrame:
    """Return the empty list of rows that could not be split into fields."""
    return pd.DataFrame(
        {"line": pd.Series(dtype="int64"), "value": pd.Series(dtype="object"), "fields": pd.Series(dtype="int64")}
    )


@dataclass(frozen=True)
class RawTable:
    """One table of a source.

    Attributes
    ----------
    name : str
        Name of the file without its ending, of the sheet, or of the database table.
    file : str
        Where it came from, for the issue list.
    header : tuple of str
        Names as they stand in the source; may repeat.
    frame : pandas.DataFrame
        Columns numbered 0, 1, … in the order of `header`; texts, or the types of the source.
    lines : numpy.ndarray
        Line in the file, row of the sheet, or number of the row.
    bad : pandas.DataFrame
        ``line, value, fields`` of rows with too many or too few fields.
    files : numpy.ndarray or None
        File of each row where there are several.
    """

    name: str
    file: str
    header: tuple[str, ...]
    frame: pd.DataFrame
    lines: np.ndarray
    bad: pd.DataFrame = field(default_factory=no_bad_rows)
    files: np.ndarray | None = None


def from_frame(frame: pd.DataFrame, *, name: str, file: str) -> RawTable:
    """Return a typed frame of a source as a raw table; a categorical becomes plain values, so that no unused one stays behind."""
    header = tuple(str(column) for column in frame.columns)
    plain = frame.set_axis(range(frame.shape[1]), axis=1).reset_index(drop=True)
    for place in plain.columns:
        if isinstance(plain[place].dtype, pd.CategoricalDtype):
            plain[place] = plain[place].astype(plain[place].cat.categories.dtype)
    return RawTable(name, file, header, plain, np.arange(1, len(plain) + 1))
