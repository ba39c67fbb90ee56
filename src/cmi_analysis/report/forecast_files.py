"""Forecasts as files for other programs: the numbers of the group's report as Parquet, CSV and a workbook, names beside ids."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.errors import CmiError
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.report.lock import run_lock
from cmi_analysis.report.options import RunOptions, check_parameters, choose_groups, ingest_data, refuse_stale
from cmi_analysis.report.publish import write_atomic
from cmi_analysis.report.workbook import write_csv, write_workbook
from cmi_analysis.stages.edition import client_frames
from cmi_analysis.stages.forecasting import ForecastResult, forecast
from cmi_analysis.stages.opening import Prepared, group_params, prepare
from cmi_analysis.stages.project import Project, find_project
from cmi_analysis.tables.hashing import safe_name

NOTEBOOK = "forecasting"
FOLDER = "forecasts"
WORKBOOK = "forecasts.xlsx"


@dataclass(frozen=True)
class ForecastFiles:
    """What became of one group's forecasts.

    Attributes
    ----------
    group : str
        Which group.
    paths : tuple of Path
        The files written; empty where it failed.
    rows : mapping of str to int
        Rows by frame [count].
    last_period : str
        First day of the newest complete period, ISO.
    cause : str
        Plain cause of a failure.
    """

    group: str
    paths: tuple[Path, ...] = ()
    rows: Mapping[str, int] | None = None
    last_period: str = ""
    cause: str = ""


def forecast_tables(result: ForecastResult) -> dict[str, pd.DataFrame]:
    """Return a group's forecasts of single periods and of sums over 1 … horizon periods, with names beside the ids.

    Parameters
    ----------
    result : ForecastResult
        The stage's result.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``forecasts`` and ``sums``: the result's own columns and rows, ``customer_name`` and ``product_name`` after the ids.
    """
    names = result.items[[*SERIES, "customer_name", "product_name"]]
    return {
        name: _with_names(frame, names) for name, frame in {"forecasts": result.forecasts, "sums": result.forecast_sums}.items()
    }


def _with_names(frame: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    named = frame.merge(names, on=SERIES, how="left", validate="many_to_one")
    for key, name in (("customer_id", "customer_name"), ("product_id", "product_name")):
        named.insert(int(named.columns.get_loc(key)) + 1, name, named.pop(name))  # type: ignore[arg-type]
    return named


def write_forecasts(options: RunOptions) -> Iterator[ForecastFiles]:
    """Write the forecasts of the groups that are asked for, one group after another, and yield what became of each.

    Parameters
    ----------
    options : RunOptions
        As for the reports; ``out`` holds a folder per group, ``reports/forecasts`` if absent.

    Raises
    ------
    CmiError
        Before any group: bad parameters or data (exit code 2), stale data (3), another run (75).

    Notes
    -----
    Book, slice and parameters are those of the group's report, so its numbers are too. A group that cannot be forecast does not
    stop the others; its earlier files stay.
    """
    project = find_project(params=options.params, state=options.state)
    check_parameters(project, options)
    out = options.out or project.reports / FOLDER
    with run_lock(project.state):
        ingest_data(project, options)
        shared = prepare(project, as_of=options.as_of, rebook=options.rebook)
        refuse_stale(shared, options)
        for group in choose_groups(shared, options.groups):
            try:
                yield _write_group(project, shared, group, folder=out / safe_name(group), overrides=options.overrides)
            except CmiError as error:
                yield ForecastFiles(group, cause=str(error))
            except Exception as error:  # noqa: BLE001  one group must never stop the others
                yield ForecastFiles(group, cause=f"{type(error).__name__}: {error}")


def _write_group(project: Project, shared: Prepared, group: str, *, folder: Path, overrides: Mapping[str, Any]) -> ForecastFiles:
    part, _ = shared.cut(group)
    params: Any = group_params(project, group, as_of=shared.as_of, overrides=overrides)[NOTEBOOK]
    result = forecast(part, params)
    tables = forecast_tables(result)
    if params.audience == "client":
        tables = client_frames(NOTEBOOK, tables)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for table, frame in tables.items():
            frame.to_parquet(scratch / f"{table}.parquet", index=False)
            write_csv(frame, scratch / f"{table}.csv", lang=params.lang)
        write_workbook(tables, scratch / WORKBOOK, lang=params.lang, currency=shared.store.settings.currency)
        paths = [folder / path.name for path in sorted(scratch.iterdir())]
        for path in paths:
            write_atomic(path, (scratch / path.name).read_bytes())
    return ForecastFiles(group, tuple(paths), {table: len(frame) for table, frame in tables.items()}, result.last_period)
