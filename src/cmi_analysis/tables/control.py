"""Tie-out: our tables held against what the ledger system says."""

from __future__ import annotations

import pandas as pd

from cmi_analysis.tables.issues import Finding, find_rows

# table -> (date, quantity, price of one unit, where the price stands: table, columns that find it); a snapshot counts on its
# last date in the period
_MEASURES: dict[str, tuple[str, str, str, tuple[str, list[str]]]] = {
    "sales": ("date", "quantity", "unit_price", ("", [])),
    "orders": ("ordered_on", "quantity_ordered", "unit_price", ("", [])),
    "deliveries": ("shipped_on", "quantity", "unit_price", ("orders", ["order_id", "line"])),
    "returns": ("returned_on", "quantity", "", ("", [])),
    "receipts": ("received_on", "quantity_received", "unit_cost", ("", [])),
    "purchase_orders": ("ordered_on", "quantity", "", ("", [])),
    "transfers": ("shipped_on", "quantity", "", ("", [])),
    "stock": ("date", "on_hand", "unit_cost", ("products", ["product_id"])),
    "warehouse_stock": ("date", "on_hand", "unit_cost", ("products", ["product_id"])),
}
_SNAPSHOTS = ("stock", "warehouse_stock")
_TOLERANCE = 0.001
COLUMNS = ("table", "period", "measure", "ledger", "data", "difference")


def _prices(table: str, frame: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.Series:
    """Return the price of one unit for each row: the row's own, its order's, or its product's; missing where there is none."""
    _, _, price, (other, keys) = _MEASURES[table]
    source = tables.get(other) if other else frame
    if not price or source is None or price not in source or not set(keys) <= set(source):
        return pd.Series(float("nan"), index=frame.index)
    if not other:
        return frame[price]
    found = frame[keys].merge(source.drop_duplicates(keys)[[*keys, price]], on=keys, how="left")[price]
    return pd.Series(found.to_numpy(dtype="float64"), index=frame.index)


def _totals(table: str, frame: pd.DataFrame, starts: pd.Series, prices: pd.Series) -> pd.DataFrame:
    """Return ``period, rows, quantity, value`` of one table, by the periods that begin at `starts`."""
    date, quantity, _, _ = _MEASURES[table]
    # sort_values(ignore_index=True) keeps the index of values that are sorted already
    starts = starts.drop_duplicates().sort_values().reset_index(drop=True)
    days = frame[date] if date in frame else pd.Series(pd.NaT, index=frame.index)
    period = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    known = days.notna()
    at = starts.searchsorted(days[known], side="right") - 1
    period[known] = starts.where(starts.index >= 0).reindex(at).to_numpy()
    longest = starts.diff().max() if len(starts) > 1 else pd.Timedelta(days=31)
    inside = (days - period) < longest
    rows = pd.DataFrame({"period": period.where(inside), "date": days, "quantity": frame[quantity]})
    rows["value"] = frame[quantity] * prices
    rows = rows.dropna(subset=["period"])
    if table in _SNAPSHOTS:
        rows = rows[rows["date"] == rows.groupby("period")["date"].transform("max")]
    found = rows.groupby("period", sort=True).agg(rows=("date", "size"), quantity=("quantity", "sum"), value=("value", "sum"))
    if rows["value"].isna().all():
        found["value"] = float("nan")
    return found.astype("float64").reset_index()


def check_control_totals(control_totals: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the difference between our tables and the ledger system's totals.

    Parameters
    ----------
    control_totals : pandas.DataFrame
        ``table, period, rows, quantity, value``; a period begins on its date and ends where the table's next one begins (the last
        one is as long as the longest).
    tables : dict of str to pandas.DataFrame
        Tables of the contract by name.

    Returns
    -------
    pandas.DataFrame
        ``table, period, measure`` (rows, quantity, value), ``ledger``, ``data``, ``difference`` (data − ledger); only what both
        sides know. Value is quantity × price [money]; a snapshot table counts on its last date in the period.

    Examples
    --------
    >>> totals = pd.DataFrame({"table": ["sales"], "period": [pd.Timestamp("2024-01-01")], "rows": [2.0], "quantity": [8.0],
    ...                        "value": [None]})
    >>> sales = pd.DataFrame({"date": pd.to_datetime(["2024-01-01", "2024-01-08"]), "quantity": [3.0, 4.0]})
    >>> check_control_totals(totals, {"sales": sales})[["measure", "difference"]].to_dict("records")
    [{'measure': 'rows', 'difference': 0.0}, {'measure': 'quantity', 'difference': -1.0}]
    """
    parts = []
    for table, ledger in control_totals.groupby("table", sort=True):
        frame = tables.get(str(table))
        if frame is None or str(table) not in _MEASURES:
            continue
        ours = ledger[["period"]].merge(
            _totals(str(table), frame, ledger["period"], _prices(str(table), frame, tables)), on="period", how="left"
        )
        for measure in ("rows", "quantity", "value"):
            data = ours[measure].fillna(0.0) if ours[measure].notna().any() or measure != "value" else ours[measure]
            if measure in ledger:
                part = {"table": table, "period": ledger["period"].to_numpy(), "measure": measure}
                parts.append(pd.DataFrame({**part, "ledger": ledger[measure].to_numpy(dtype="float64"), "data": data.to_numpy()}))
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    tied = pd.concat(parts, ignore_index=True).dropna(subset=["ledger", "data"])
    order = tied["measure"].map({"rows": 0, "quantity": 1, "value": 2})
    tied = tied.assign(difference=tied["data"] - tied["ledger"], order=order).sort_values(
        ["table", "period", "order"], kind="stable"
    )
    return tied[list(COLUMNS)].reset_index(drop=True)


def tie_out(tables: dict[str, pd.DataFrame]) -> list[Finding]:
    """Return the control totals that differ by more than 0.1 % from our tables."""
    totals = tables.get("control_totals")
    if totals is None or totals.empty:
        return []
    tied = check_control_totals(totals, tables)
    off = tied[tied["difference"].abs() > _TOLERANCE * tied["ledger"].abs().clip(lower=1.0)]
    findings = []
    for (table, measure), rows in off.groupby(["table", "measure"], sort=True):
        keys = totals["table"].eq(table) & totals["period"].isin(rows["period"])
        first = rows.iloc[0]
        shown = f"{first['period'].date()}: ledger {first['ledger']:,.0f}, data {first['data']:,.0f}"
        found = find_rows(totals, keys.to_numpy(dtype=bool), column=str(measure))
        fields = {"table": str(table), "measure": str(measure), "example": shown}
        findings.append(Finding("control_totals", str(measure), "tie_out", "kept", found, fields))
    return findings
