"""Writing the rows that could not be used next to the data, for the person who can correct them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.tables.numbers_in_text import read_numbers

FOLDER = "set_aside"
_STARTS = ("=", "+", "-", "@", "\t", "\r")


def _harmless(values: pd.Series) -> pd.Series:
    """Return texts that a spreadsheet would take for a formula with an apostrophe in front; numbers stay as they are."""
    text = values.astype("object")
    risky = text.map(lambda value: isinstance(value, str) and value.startswith(_STARTS)).to_numpy(dtype=bool)
    if not risky.any():
        return values
    numbers = read_numbers(text.where(risky)).values.notna().to_numpy()
    return text.mask(risky & ~numbers, "'" + text.where(risky, "").astype("str"))


def write_set_aside(rows: Mapping[str, pd.DataFrame], *, data: Path) -> list[Path]:
    """Write ``set_aside/<table>.csv`` (UTF-8 with BOM, so that Excel reads it) next to the data and return the files.

    Parameters
    ----------
    rows : mapping of str to pandas.DataFrame
        Rows set aside by table, with ``file``, ``line`` and ``rule``.
    data : pathlib.Path
        The data folder, or a file in it.

    Raises
    ------
    InputError
        The folder cannot be written to.
    """
    folder = (data if data.is_dir() else data.parent) / FOLDER
    written = []
    try:
        for table, frame in sorted(rows.items()):
            folder.mkdir(exist_ok=True)
            path = folder / f"{table}.csv"
            frame.apply(_harmless).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n", date_format="%Y-%m-%d")
            written.append(path)
    except OSError as error:
        raise InputError(
            expected=f"a folder {folder} that can be written", found=str(error.strerror), fix="Copy the data first."
        ) from None
    return written
