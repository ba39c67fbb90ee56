"""The group's workbook: the tables of all its published reports in one XLSX file."""

from __future__ import annotations

import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pandas as pd

from cmi_analysis.labels import Language, text
from cmi_analysis.report.publish import write_atomic
from cmi_analysis.report.workbook import write_workbook
from cmi_analysis.tables import Settings

WORKBOOK = "workbook.xlsx"
RAW = ("forecasting.backtest", "forecasting.errors", "forecasting.sum_errors")
"""Every single error of the back-test, two thirds of all cells: for programs, which read them as Parquet, not for a sheet."""


def write_group_workbook(folder: Path, *, settings: Settings, lang: Language) -> None:
    """Write ``workbook.xlsx`` beside a group's reports from the tables published there; it says which stand as Parquet alone."""
    paths = sorted((folder / "tables").glob("*.parquet"))
    frames = {path.stem: pd.read_parquet(path) for path in paths}
    raw = {name: text("shell.book.raw", lang, file=f"tables/{name}.parquet") for name in RAW if name in frames}
    frames = {name: frame for name, frame in frames.items() if len(frame.columns) and name not in RAW}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / WORKBOOK
        write_workbook(frames, path, lang=lang, currency=settings.currency, definitions=raw)
        write_atomic(folder / WORKBOOK, path.read_bytes())


class WorkbookWriter:
    """Writes one group's workbook after another beside the run, so that no worker waits for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._begun: list[Future[None]] = []

    def __enter__(self) -> WorkbookWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._thread.shutdown(cancel_futures=True)

    def add(self, folder: Path, *, settings: Settings, lang: Language) -> None:
        """Have the workbook of one group written; its reports must be published."""
        self._begun.append(self._thread.submit(write_group_workbook, folder, settings=settings, lang=lang))

    def finish(self) -> None:
        """Wait for all workbooks; what went wrong with one of them is raised here."""
        for workbook in self._begun:
            workbook.result()
