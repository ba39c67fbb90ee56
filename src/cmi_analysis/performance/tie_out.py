"""What the ledger system says of the tables, held against the tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

TIE_COLUMNS = ("table", "period", "measure", "ledger", "tables", "difference", "share")
_DATED = {
    "sales": ("date", "quantity"),
    "orders": ("ordered_on", "quantity_ordered"),
    "deliveries": ("shipped_on", "quantity"),
    "receipts": ("received_on", "quantity_received"),
    "returns": ("returned_on", "quantity"),
    "stock": ("date", "on_hand"),
}
_TOLERANCE = 1e-6


def check_totals(tables: Mapping[str, pd.DataFrame], *, as_of: dt.date) -> pd.DataFrame:
    """Return rows and quantity of each table and month beside what `control_totals` say.

    Stock is that of the month's last snapshot date; the other tables are summed over the month. Months that end after `as_of`
    are left out. Values are not compared here: their price basis is the ledger system's own.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        With control_totals (table, period, rows, quantity).
    as_of : date
        Last day known.

    Returns
    -------
    DataFrame
        Columns `TIE_COLUMNS`: measure ``rows`` or ``quantity``, difference = ledger - tables, share of the ledger; every
        comparison, sorted by table, period and measure.
    """
    totals = tables.get("control_totals")
    if totals is None or totals.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in TIE_COLUMNS})
    ends = totals["period"] + pd.DateOffset(months=1) - pd.Timedelta(days=1)
    totals = totals[ends <= pd.Timestamp(as_of)]
    found = []
    for table, rows in totals.groupby("table", sort=True):
        if table not in _DATED or table not in tables or tables[str(table)].empty:
            continue
        ours = _month_sums(tables[str(table)], *_DATED[str(table)], last_only=table == "stock")
        for measure in ("rows", "quantity"):
            if measure not in rows or rows[measure].isna().all():
                continue
            said = rows[["period", measure]].rename(columns={measure: "ledger"}).dropna()
            joined = said.merge(ours[["period", measure]].rename(columns={measure: "tables"}), on="period", how="left")
            found.append(joined.assign(table=table, measure=measure))
    if not found:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in TIE_COLUMNS})
    out = pd.concat(found, ignore_index=True).fillna({"tables": 0.0})
    out["difference"] = out["ledger"].astype(float) - out["tables"].astype(float)
    out["difference"] = out["difference"].where(out["difference"].abs() > _TOLERANCE * out["ledger"].abs().clip(lower=1), 0.0)
    out["share"] = out["difference"] / out["ledger"].astype(float).replace(0, np.nan)
    return out[list(TIE_COLUMNS)].sort_values(["table", "period", "measure"], kind="stable").reset_index(drop=True)


def _month_sums(frame: pd.DataFrame, date: str, quantity: str, *, last_only: bool) -> pd.DataFrame:
    rows = frame.dropna(subset=[date])
    month = rows[date].dt.to_period("M").dt.start_time.astype("datetime64[ns]")
    rows = rows.assign(period=month)
    if last_only:
        rows = rows[rows[date] == rows.groupby("period")[date].transform("max")]
    return rows.groupby("period", as_index=False).agg(rows=(quantity, "size"), quantity=(quantity, "sum"))
