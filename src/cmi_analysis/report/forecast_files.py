"""Forecasts as files for other programs: the numbers of the group's report as Parquet, CSV and a workbook, names beside ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.report.group_files import GroupFiles, write_groups
from cmi_analysis.report.options import RunOptions
from cmi_analysis.stages.forecasting import ForecastResult, forecast
from cmi_analysis.tables import Slice

NOTEBOOK = "forecasting"
FOLDER = "forecasts"


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


def write_forecasts(options: RunOptions) -> Iterator[GroupFiles]:
    """Write the forecasts of the groups that are asked for and yield what became of each, as `write_groups` does.

    Parameters
    ----------
    options : RunOptions
        As for the reports; ``out`` holds a folder per group, ``reports/forecasts`` if absent.
    """
    return write_groups(options, notebook=NOTEBOOK, folder=FOLDER, make=_make)


def _make(part: Slice, params: Mapping[str, Any]) -> tuple[dict[str, pd.DataFrame], str]:
    result = forecast(part, params[NOTEBOOK])
    return forecast_tables(result), f"newest period {result.last_period}"
