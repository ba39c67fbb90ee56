"""The group's workbook: the tables of all its published reports in one XLSX file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from cmi_analysis.labels import Language
from cmi_analysis.report.publish import write_atomic
from cmi_analysis.report.workbook import write_workbook
from cmi_analysis.tables import Settings

WORKBOOK = "workbook.xlsx"


def write_group_workbook(folder: Path, *, settings: Settings, lang: Language) -> None:
    """Write ``workbook.xlsx`` beside a group's reports from the tables published there."""
    paths = sorted((folder / "tables").glob("*.parquet"))
    frames = {path.stem: pd.read_parquet(path) for path in paths}
    frames = {name: frame for name, frame in frames.items() if len(frame.columns)}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / WORKBOOK
        write_workbook(frames, path, lang=lang, currency=settings.currency)
        write_atomic(folder / WORKBOOK, path.read_bytes())
