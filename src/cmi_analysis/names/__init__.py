"""Canonical names: what each means, its unit, and which must not reach a client.

`NAMES` holds one entry for every column of the data contract, `RESULT_NAMES` one for every further column of a result.
"""

from __future__ import annotations

from cmi_analysis.names.confidential import (
    AT_COST_KPIS,
    CONFIDENTIAL_KPIS,
    INTERNAL_TABLES,
    is_confidential,
    is_confidential_param,
    is_internal_frame,
    shown_columns,
)
from cmi_analysis.names.contract import NAMES
from cmi_analysis.names.name import Kind, Name
from cmi_analysis.names.results import IN_RESULTS, RESULT_NAMES, find_name

__all__ = [
    "AT_COST_KPIS",
    "CONFIDENTIAL_KPIS",
    "INTERNAL_TABLES",
    "IN_RESULTS",
    "NAMES",
    "RESULT_NAMES",
    "Kind",
    "Name",
    "find_name",
    "is_confidential",
    "is_confidential_param",
    "is_internal_frame",
    "shown_columns",
]
