"""One demo book as the reports see it on its last day, with its truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from cmi_analysis.demo import Demo
from cmi_analysis.forecasting.demand import demand_panel
from cmi_analysis.params.models import MODELS
from cmi_analysis.stages.performance_review import kpi_settings
from cmi_analysis.stages.segment_inputs import Inputs, gather_inputs
from cmi_analysis.stages.segmentation import segment_book
from cmi_analysis.tables import DataSet, Slice
from cmi_analysis.tables.slicing import default_as_of, slice_as_of

KEY = ["customer_id", "product_id"]
Figures = dict[str, Any]
YEAR = 52


@dataclass(frozen=True)
class Case:
    """One demo book as the reports see it on its last day, with its truth."""

    demo: Demo
    seed: int

    @cached_property
    def as_of(self) -> dt.date:
        """Last day of the history."""
        return default_as_of(self.demo.tables)

    @cached_property
    def tables(self) -> DataSet:
        """All groups' tables, known at `as_of`."""
        return slice_as_of(self.demo.tables, self.as_of)

    @cached_property
    def part(self) -> Slice:
        """All groups as one slice."""
        return Slice(group="all", as_of=self.as_of, tables=self.tables)

    @cached_property
    def inputs(self) -> Inputs:
        """What the segmentation is computed from."""
        return gather_inputs(self.tables)

    @cached_property
    def panel(self) -> pd.DataFrame:
        """Demand by customer, product and week, stock-outs imputed."""
        return self.panel_of(self.as_of)

    def panel_of(self, as_of: dt.date) -> pd.DataFrame:
        """Return the same as an earlier day knew it."""
        optional = {name: self.tables[name] for name in ("stock", "returns", "assortment")}
        return demand_panel(self.tables["sales"], as_of=as_of, **optional)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the performance review on default parameters."""
        return kpi_settings(self.tables, as_of=self.as_of, params=MODELS["performance_review"]())

    @cached_property
    def book(self) -> dict[str, pd.DataFrame]:
        """The segmentation's frames over all groups."""
        return segment_book(self.tables, as_of=self.as_of, params=MODELS["segmentation"]())

    @cached_property
    def group_of(self) -> pd.Series:
        """Group by customer."""
        return self.tables["customers"].set_index("customer_id")["customer_group"]

    def planted(self, role: str) -> Any:
        """Return the row of `truth["roles"]` of a part."""
        return self.demo.truth["roles"].set_index("role").loc[role]
