"""What is under way, by week, and the days on which a site is closed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.inventory.alerts import count_closed_days
from cmi_analysis.inventory.pipeline import project_pipeline
from cmi_analysis.stages.plan_inputs import PlanInputs
from cmi_analysis.stages.plan_levels import Levels
from cmi_analysis.tables import Slice


def count_closed(levels: Levels, part: Slice) -> pd.DataFrame | None:
    """Return on how many days each item's site is closed since its count and until an order arrives; None without a calendar."""
    tables = part.tables
    if not tables.has("calendars", "open") or not tables.has("customers", "calendar_id"):
        return None
    customers = tables["customers"].drop_duplicates("customer_id").set_index("customer_id")["calendar_id"]
    return count_closed_days(levels.items, tables["calendars"], as_of=part.as_of, site_of=customers)


def pipeline_by_week(levels: Levels, inputs: PlanInputs, part: Slice) -> pd.DataFrame:
    """Return the pipeline of the items with known stock by week, with their names."""
    items = levels.items
    known = np.flatnonzero((items["on_hand"] >= 0).to_numpy())
    if len(known) == 0:
        return pd.DataFrame()
    some = items.iloc[known].reset_index(drop=True)
    until = np.maximum(np.ceil(some["lead_time_days"].to_numpy(dtype="float64")), 1.0)
    table = project_pipeline(some, path=levels.path.of_rows(known), open_supply=inputs.open_supply, as_of=part.as_of, until=until)
    names = some[["echelon", "customer_id", "product_id", "customer_name", "product_name"]]
    named = table.merge(names, on=["customer_id", "product_id"], how="left")
    return named.rename(columns={"short": "expected_short"})
