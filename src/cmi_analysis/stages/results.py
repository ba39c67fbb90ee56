"""Results of stages on disk: every frame a Parquet file, every other field one JSON file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from cmi_analysis.errors import InputError

Result = TypeVar("Result")


def result_frames(result: Any) -> dict[str, pd.DataFrame]:
    """Return the frames of a result by field name; a mapping of frames counts with ``field.key``."""
    frames: dict[str, pd.DataFrame] = {}
    for item in dataclasses.fields(result):
        value = getattr(result, item.name)
        if isinstance(value, pd.DataFrame):
            frames[item.name] = value
        elif isinstance(value, Mapping):
            frames |= {f"{item.name}.{key}": frame for key, frame in value.items() if isinstance(frame, pd.DataFrame)}
    return frames


def write_frames(frames: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write each frame to ``<folder>/<name>.parquet``, the index dropped."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.reset_index(drop=True).to_parquet(folder / f"{name}.parquet", index=False)


def read_frames(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the frames of a folder by name; none where the folder does not exist."""
    return {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def write_result(result: Any, folder: Path) -> None:
    """Write a stage's frozen result so that `read_result` gives it back."""
    frames = result_frames(result)
    write_frames(frames, folder)
    rest: dict[str, Any] = {}
    for item in dataclasses.fields(result):
        value = getattr(result, item.name)
        if isinstance(value, pd.DataFrame):
            continue
        rest[item.name] = (
            {k: v for k, v in value.items() if not isinstance(v, pd.DataFrame)} if isinstance(value, Mapping) else value
        )
    (folder / "result.json").write_text(json.dumps(rest, ensure_ascii=False, default=str), "utf-8")


def read_result(kind: type[Result], folder: Path) -> Result:
    """Return the result of class `kind` that `write_result` wrote to `folder`.

    Raises
    ------
    InputError
        A field of the class is neither in the JSON file nor a Parquet file.
    """
    stored: dict[str, Any] = json.loads((folder / "result.json").read_text("utf-8"))
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    for name, frame in read_frames(folder).items():
        field, _, key = name.partition(".")
        if key:
            values.setdefault(field, {})[key] = frame
        else:
            values[field] = frame
    fields = [item.name for item in dataclasses.fields(kind)]  # type: ignore[arg-type]
    missing = [name for name in fields if name not in values]
    if missing:
        raise InputError(
            expected=f"all parts of a stored {kind.__name__}",
            found=f"none for {', '.join(missing)}",
            fix="Delete the folder; the stage is computed again.",
        )
    return kind(**{name: values[name] for name in fields})
