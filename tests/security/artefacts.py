"""Every place of a published folder in which a word or a number could stand."""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

_PICTURE = re.compile(rb"iVBORw0KGgo[A-Za-z0-9+/=\\n]*")


def pieces(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of every file, and of what is packed in it: tables read back, workbook sheets, PNG text."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name, content = str(path.relative_to(folder)), path.read_bytes()
            yield name, content
            yield from _inside(name, content)


def _inside(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name.endswith(".parquet"):
        yield f"{name} read back", pd.read_parquet(io.BytesIO(content)).to_csv(index=False).encode()
        yield f"{name} schema", str(pq.read_schema(io.BytesIO(content)).metadata).encode()
    elif name.endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            for part in book.namelist():
                yield f"{name}/{part}", book.read(part)
    else:
        for number, found in enumerate(_PICTURE.findall(content)):
            yield f"{name} picture {number}", b"\n".join(_png_text(base64.b64decode(found.replace(b"\\n", b""))))


def _png_text(picture: bytes) -> Iterator[bytes]:
    """Yield the chunks of a PNG that are no pixels, unpacked where they are packed."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    place = 8
    while place < len(picture):
        length = int.from_bytes(picture[place : place + 4], "big")
        kind, body = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"IDAT":
            continue
        yield kind + body
        if kind in (b"zTXt", b"iTXt"):
            start = body.find(b"\x78")
            if start >= 0:
                yield zlib.decompressobj().decompress(body[start:])


def numbers(folder: Path) -> Iterator[tuple[str, pd.Series]]:
    """Yield every numeric column of every table and workbook sheet of a folder."""
    for path in sorted(folder.rglob("*.parquet")):
        frame = pd.read_parquet(path)
        for column in frame.select_dtypes("number"):
            yield f"{path.name} {column}", frame[column].astype("float64")
    for path in sorted(folder.rglob("*.xlsx")):
        for sheet, frame in pd.read_excel(path, sheet_name=None).items():
            for column in frame.select_dtypes("number"):
                yield f"{path.name} {sheet} {column}", frame[column].astype("float64")
