"""The plan as files for other programs: proposals, alerts and policies of the group's report as Parquet, CSV and a workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.labels import has_text, text
from cmi_analysis.report.group_files import GroupFiles, write_groups
from cmi_analysis.report.options import RunOptions
from cmi_analysis.stages.forecasting import forecast
from cmi_analysis.stages.inventory_policy import PlanResult, plan
from cmi_analysis.tables import Slice

NOTEBOOK = "inventory_policy"
FOLDER = "plans"
_FRAMES = ("proposals", "alerts", "policies")


def plan_tables(result: PlanResult) -> dict[str, pd.DataFrame]:
    """Return a group's proposals, alerts and policies, with names beside the ids.

    Parameters
    ----------
    result : PlanResult
        The stage's result.

    Raises
    ------
    InputError
        The group's sites cannot be planned; says which data are missing.
    """
    reason = result.missing.get("service", "")
    if reason and result.policies.empty:
        raise InputError(
            expected="a group whose sites can be planned",
            found=text(reason, "en") if has_text(reason) else reason,
            fix="Add what customers sold and how long orders take, or set assumed_lead_time_days.",
        )
    return {name: getattr(result, name) for name in _FRAMES}


def write_plans(options: RunOptions) -> Iterator[GroupFiles]:
    """Write the plans of the groups that are asked for and yield what became of each, as `write_groups` does.

    Parameters
    ----------
    options : RunOptions
        As for the reports; ``out`` holds a folder per group, ``reports/plans`` if absent.
    """
    return write_groups(options, notebook=NOTEBOOK, folder=FOLDER, make=_make)


def _make(part: Slice, params: Mapping[str, Any]) -> tuple[dict[str, pd.DataFrame], str]:
    # the forecast is never shown, so it is the internal one, as in the report
    forecasts = forecast(part, params["forecasting"].model_copy(update={"audience": "internal"}))
    result = plan(part, params[NOTEBOOK], forecast=forecasts)
    return plan_tables(result), f"as of {part.as_of.isoformat()}"
