"""File names that cannot escape or collide, the one order of rows, and hashes of content."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from cmi_analysis.tables.schemas import SCHEMAS

_SLUG_LENGTH = 40
_BLOCK = 1 << 20


def safe_name(group_id: str) -> str:
    """Return a file name for any id: a lower-case ASCII slug and 8 hex digits of the id's sha256.

    Neither ``..``, ``/``, NUL, a reserved word, 300 characters nor a URL gets out of its folder; ids that differ only in case
    or in Unicode form have different names on every file system.

    Parameters
    ----------
    group_id : str
        The true name; it may hold anything.

    Examples
    --------
    >>> safe_name("North/../Süd")
    'north-sud-894a85f5'
    >>> safe_name("华东")
    'group-142461b1'
    """
    plain = unicodedata.normalize("NFKD", group_id).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_LENGTH].strip("-") or "group"
    return f"{slug}-{hashlib.sha256(group_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's bytes [64 hex digits]."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sort_rows(frame: pd.DataFrame, *, table: str = "") -> pd.DataFrame:
    """Return `frame` in the one order that its content defines, indexed from 0.

    Rows are ordered by the table's key; rows of the same key, and rows of frames outside the contract, by all columns from left
    to right. The result does not depend on the order of the input.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame of the contract's dtypes.
    table : str
        Name of the table, where it is one of the contract.
    """
    schema = SCHEMAS.get(table)
    key = [column for column in schema.key if column in frame] if schema else []
    rest = sorted(column for column in frame.columns if column not in key)
    if not key or bool(frame.duplicated(key).any()):
        key = key + rest
    if not key or len(frame) < 2:
        return frame.reset_index(drop=True)
    return frame.sort_values(key, kind="stable", na_position="last", ignore_index=True)


def hash_frame(frame: pd.DataFrame, *, table: str = "") -> str:
    """Return the sha256 of a frame's content, whatever the order of its rows and columns [64 hex digits].

    Strings, dates, numbers and flags are hashed by value, so that the storage (object or string dtype, 32 or 64 bit) makes
    no difference; missing values are told apart from every value.
    """
    digest = hashlib.sha256(str(len(frame)).encode())
    ordered = sort_rows(frame, table=table)
    for name in sorted(map(str, ordered.columns)):
        kind, parts = _column_bytes(ordered[name])
        digest.update(f"\0{name}\0{kind}\0".encode())
        for part in parts:
            digest.update(part)
    return digest.hexdigest()


def hash_frames(frames: Mapping[str, pd.DataFrame], *, extra: Sequence[str] = ()) -> str:
    """Return one sha256 over named frames and further strings [64 hex digits].

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Frames by name; the name before the last ``/`` is dropped when the table's key is looked up.
    extra : sequence of str
        What else distinguishes the content, in order.
    """
    digest = hashlib.sha256()
    for name in sorted(frames):
        digest.update(f"{name}\0{hash_frame(frames[name], table=name.rsplit('/', 1)[-1])}\n".encode())
    for text in extra:
        digest.update(f"{len(text.encode())}:{text}\n".encode())
    return digest.hexdigest()


def _column_bytes(values: pd.Series) -> tuple[str, tuple[bytes, ...]]:
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date", (np.ascontiguousarray(values.to_numpy(dtype="datetime64[ns]").astype("int64")).tobytes(),)
    if pd.api.types.is_bool_dtype(values):
        return "flag", (values.astype("boolean").astype("Int8").fillna(2).to_numpy(dtype="int8").tobytes(),)
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan) + 0.0  # one zero
        numbers[np.isnan(numbers)] = np.nan  # one not-a-number
        return "number", (numbers.tobytes(),)
    missing = values.isna().to_numpy()
    texts = np.where(missing, "", values.astype("object").map(str, na_action="ignore").to_numpy())
    array = pa.array(texts, type=pa.large_string())
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype="int64", count=len(array) + 1)
    text = data.to_pybytes()[: int(ends[-1])] if data is not None and len(array) else b""
    return "text", (missing.tobytes(), ends.tobytes(), text)
