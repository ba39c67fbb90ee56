"""Shares of the variance behind the safety stock: they sum to one, and each source shows where it was put."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.inventory_policy import plan
from cmi_analysis.stages.plan_safety import SOURCES
from cmi_analysis.tables import Slice
from plan_samples import AS_OF, errors, forecasts, tables


def shares(wrong: pd.DataFrame, **changes: pd.DataFrame | None) -> pd.Series:
    items = changes.pop("items", None)
    forecast = SimpleNamespace(forecasts=forecasts(), errors=wrong, items=items)
    if items is None:
        del forecast.items
    result = plan(Slice("g", AS_OF, tables(**changes)), InventoryPolicyParams(), forecast=forecast)
    table = result.safety_stock.set_index("abc")
    assert table[list(SOURCES.values())].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(table)))
    return table.loc["all"]


def test_a_forecast_that_is_always_too_low_shows_as_bias() -> None:
    fair = shares(errors())
    low = errors()
    low["actual"] = low["actual"] + 30.0
    # four origins show half of a bias (shrunk), so a quarter of its square, beside what is left of it in the noise
    assert shares(low)["bias_share"] > 0.3
    assert shares(low)["bias_share"] > 3 * fair["bias_share"]


def test_lead_times_that_vary_show_as_lead_time() -> None:
    steady = tables()["orders"]
    steady = steady.assign(delivered_on=steady["ordered_on"] + pd.Timedelta(days=5)).iloc[:-1]
    assert shares(errors())["lead_time_share"] > shares(errors(), orders=steady)["lead_time_share"]


def test_a_short_history_shows_as_such() -> None:
    known = errors()[["customer_id", "product_id"]].drop_duplicates().assign(state="active", pattern="smooth")
    short, long = (shares(errors(), items=known.assign(periods=periods))["parameter_share"] for periods in (4, 150))
    assert short > 5 * long > 0
