"""Frames of the forecast's result: names, what is next, effects by regression, and what moved since the run before."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.demand import OTHERS, panel_frequency
from cmi_analysis.forecasting.global_model import price_matrix
from cmi_analysis.forecasting.grid import SERIES, panel_grid
from cmi_analysis.forecasting.holidays import holiday_calendar
from cmi_analysis.forecasting.movement import explain_moves, sum_moves
from cmi_analysis.forecasting.regression import regress_drivers
from cmi_analysis.labels import Language, text
from cmi_analysis.stages.forecast_inputs import holidays_of, site_prices
from cmi_analysis.tables import DataSet, Slice


def with_moves(result: Any, part: Slice, *, lang: Language) -> Any:
    """Return a forecast with what moved since the newest earlier run that the ledger holds.

    Parameters
    ----------
    result : ForecastResult
        As the stage returns it; it is kept without this part, because the ledger may grow while the forecast stays the same.
    part : Slice
        Its ledger's ``forecasts`` are what earlier runs said.
    lang : {"en", "zh"}
        Language of the name of pooled customers.
    """
    said = part.ledger.get("forecasts")
    if said is None or said.empty:
        return result
    said = said[(said["echelon"] == result.echelon) & (said["of"] == "demand")]
    said = said[said["as_of"] == said["as_of"].max()].astype({"period": result.forecasts["period"].dtype})
    moves, periods = explain_moves(result.forecasts, said, panel=result.panel, monitoring=result.monitoring)
    if moves.empty:
        return result
    return dataclasses.replace(
        result,
        moves=named(moves, part.tables, lang),
        move_causes=sum_moves(moves),
        move_periods=periods,
        compared_on=said["as_of"].iloc[0].date().isoformat(),
        missing={key: value for key, value in result.missing.items() if key != "movement"},
    )


def with_regression(moved: pd.DataFrame, panel: pd.DataFrame, tables: DataSet, frequency: str) -> pd.DataFrame:
    """Add the effects that a regression tells apart to those that are plain comparisons."""
    length = panel_frequency(frequency)
    settings = Settings(length, tables.settings.week_start, 1)
    prices = site_prices(tables)
    matrix = None if prices is None else price_matrix(prices, panel_grid(panel), settings)
    grid, told = panel_grid(panel), holidays_of(tables)
    closed = holiday_calendar(told["holidays"], grid, periods=grid.periods, customers=told["customers"])
    shares = None if closed is None else closed.shares(len(grid.periods))
    alone = regress_drivers(panel, frequency=length, periods_per_year=settings.periods_per_year, prices=matrix, holidays=shares)
    return moved if alone.empty else pd.concat([moved, alone], ignore_index=True).astype({"effect": "float64"})


def with_next(items: pd.DataFrame, sums: pd.DataFrame, *, lag: int, low: str, high: str) -> pd.DataFrame:
    """Add the demand of the next periods up to `lag`, with its interval."""
    near = sums.loc[sums["periods"] == lag, [*SERIES, "mean", low, high]]
    return items.merge(near.rename(columns={"mean": "next", low: "next_low", high: "next_high"}), on=SERIES, how="left")


def named(frame: pd.DataFrame, tables: DataSet, lang: Language) -> pd.DataFrame:
    """Add the names of customers and products, their ids where there is no name."""
    result = frame.copy()
    for table, key, name in (("customers", "customer_id", "customer_name"), ("products", "product_id", "product_name")):
        if key in result:
            known = tables.has(table, name)
            names = tables[table].drop_duplicates(key, keep="last").set_index(key)[name] if known else pd.Series(dtype="object")
            result[name] = result[key].map(names).astype("object").fillna(result[key])
    if "customer_id" in result:
        result["customer_name"] = result["customer_name"].mask(result["customer_id"] == OTHERS, text("forecasting.others", lang))
    return result
