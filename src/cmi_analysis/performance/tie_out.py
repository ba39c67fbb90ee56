"""What the ledger system says of the tables, held against the tables, for the months that are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from cmi_analysis.tables.control import check_control_totals

TIE_COLUMNS = ("table", "period", "measure", "difference", "share")
_TOLERANCE = 0.001


def check_totals(tables: Mapping[str, pd.DataFrame], *, as_of: dt.date) -> pd.DataFrame:
    """Return every comparison of `control_totals` with the tables, for periods that end by `as_of`.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        With control_totals (table, period, rows, quantity, value).
    as_of : date
        Last day known; a month that ends later is left out.

    Returns
    -------
    DataFrame
        Columns table, period, measure (rows, quantity, value), difference (ledger - tables; 0 within 0.1 %), share of the ledger,
        sorted by table, period and measure.
    """
    totals = tables.get("control_totals")
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in TIE_COLUMNS})
    if totals is None or totals.empty:
        return empty
    ends = totals["period"] + pd.DateOffset(months=1) - pd.Timedelta(days=1)
    tied = check_control_totals(totals, dict(tables))
    tied = tied[tied["period"].isin(totals.loc[ends <= pd.Timestamp(as_of), "period"])]
    if tied.empty:
        return empty
    off = tied["ledger"] - tied["data"]
    off = off.where(off.abs() > _TOLERANCE * tied["ledger"].abs().clip(lower=1.0), 0.0)
    tied = tied.assign(difference=off, share=off / tied["ledger"].replace(0, np.nan))
    return tied[list(TIE_COLUMNS)].sort_values(["table", "period", "measure"], kind="stable").reset_index(drop=True)
