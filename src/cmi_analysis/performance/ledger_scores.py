"""What we said before and what came of it: earlier forecasts, proposals and alerts against what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from cmi_analysis.measures.calendar import Frequency, count_periods, last_complete_period

ITEM = ["customer_id", "product_id"]
PROPOSAL_OUTCOMES = ("followed", "other_quantity", "not_ordered", "open")
ALERT_OUTCOMES = ("came_true", "ordered_in_time", "did_not_come", "open", "unknown")
STOCK_ALERTS = ("stocked_out", "will_stock_out")


def score_past_forecasts(
    said: pd.DataFrame, actual: pd.DataFrame, *, frequency: Frequency, week_start: str, as_of: dt.date
) -> pd.DataFrame:
    """Return how earlier forecasts did, by their date and horizon, beside the naive forecast of the same day.

    The naive forecast is the last complete period's actual when the forecast was made, carried forward. Only periods complete
    at `as_of` count, only items with an actual in the period and before. WAPE = Σ|A - F| / ΣA, bias = Σ(F - A) / ΣA.

    Parameters
    ----------
    said : DataFrame
        Ledger frame ``forecasts``: as_of, customer_id, product_id, period, mean.
    actual : DataFrame
        Columns customer_id, product_id, period, quantity.
    frequency, week_start
        Calendar.
    as_of : date
        Last day known now.

    Returns
    -------
    DataFrame
        Columns said_on, horizon [periods], wape, wape_naive, value_added [points], bias, items, actual, error, error_naive,
        over; sorted by said_on and horizon; one row per date with horizon 0 = all horizons.
    """
    columns = [
        "said_on", "horizon", "wape", "wape_naive", "value_added", "bias", "items", "actual", "error", "error_naive", "over",
    ]  # fmt: skip
    if said.empty or actual.empty:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    rows = said.rename(columns={"as_of": "said_on"}).assign(said_on=lambda f: pd.to_datetime(f["said_on"]))
    bases = {
        day: last_complete_period(day.date(), frequency=frequency, week_start=week_start) for day in rows["said_on"].unique()
    }
    rows["base"] = rows["said_on"].map(bases).astype("datetime64[ns]")
    rows["horizon"] = count_periods(rows["base"], rows["period"], frequency=frequency, week_start=week_start)
    newest = last_complete_period(as_of, frequency=frequency, week_start=week_start)
    rows = rows[(rows["period"] <= newest) & (rows["horizon"] >= 1) & rows["mean"].notna()]
    met = rows.merge(actual.rename(columns={"quantity": "actual"}), on=[*ITEM, "period"])
    met = met.merge(actual.rename(columns={"quantity": "naive", "period": "base"}), on=[*ITEM, "base"])
    met = met.assign(
        error=(met["actual"] - met["mean"]).abs(),
        error_naive=(met["actual"] - met["naive"]).abs(),
        over=met["mean"] - met["actual"],
        items=1,
    )
    sums = ["items", "actual", "error", "error_naive", "over"]
    by = pd.concat([met, met.assign(horizon=0.0)]).groupby(["said_on", "horizon"], sort=True)[sums].sum().reset_index()
    whole = by["actual"].where(by["actual"] > 0)
    by = by.assign(wape=by["error"] / whole, wape_naive=by["error_naive"] / whole, bias=by["over"] / whole)
    return by.assign(value_added=by["wape_naive"] - by["wape"], horizon=by["horizon"].astype(int))[columns]


def score_past_proposals(
    said: pd.DataFrame, orders: pd.DataFrame, *, packs: pd.Series, review_days: pd.Series, as_of: dt.date, default_review: int
) -> pd.DataFrame:
    """Return each earlier proposal with what was ordered around its day.

    Followed: ordered within one review period of the proposed day, in a quantity within one pack or 10 % of the proposed one,
    whichever is wider. Open: the days in which it could be followed are not over.

    Parameters
    ----------
    said : DataFrame
        Ledger frame ``proposals``: as_of, customer_id, product_id, order_on, quantity (rows of nothing are left out).
    orders : DataFrame
        Columns customer_id, product_id, ordered_on, quantity_ordered.
    packs, review_days : Series
        Order multiple [units] and review period [days] by (customer_id, product_id); missing: 0 and `default_review`.
    as_of : date
        Last day known now.

    Returns
    -------
    DataFrame
        Columns said_on, customer_id, product_id, order_on, quantity, quantity_ordered, outcome (`PROPOSAL_OUTCOMES`).
    """
    columns = ["said_on", *ITEM, "order_on", "quantity", "quantity_ordered", "outcome"]
    rows = said[said["quantity"] > 0] if "quantity" in said else said.iloc[:0]
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    rows = rows.rename(columns={"as_of": "said_on"}).reset_index(drop=True)
    rows = rows.drop(columns=[name for name in ("quantity_ordered", "outcome") if name in rows])
    keys = pd.MultiIndex.from_frame(rows[ITEM])
    reach = pd.to_timedelta(review_days.reindex(keys).fillna(default_review).to_numpy(float), unit="D")
    width = np.maximum(packs.reindex(keys).fillna(0.0).to_numpy(float), 0.1 * rows["quantity"].to_numpy(float))
    rows = rows.assign(first=rows["order_on"] - reach, last=rows["order_on"] + reach, width=width, row=range(len(rows)))
    rows["first"] = rows[["first", "said_on"]].max(axis=1)
    near = rows[[*ITEM, "row", "first", "last"]].merge(orders[[*ITEM, "ordered_on", "quantity_ordered"]], on=ITEM)
    near = near[(near["ordered_on"] >= near["first"]) & (near["ordered_on"] <= near["last"])]
    rows["quantity_ordered"] = near.groupby("row")["quantity_ordered"].sum().reindex(rows["row"]).to_numpy()
    close = (rows["quantity_ordered"] - rows["quantity"]).abs() <= rows["width"] + 1e-9
    over = rows["last"] <= pd.Timestamp(as_of)
    choices = [close, rows["quantity_ordered"].notna() & over, over]
    rows["outcome"] = np.select(choices, ["followed", "other_quantity", "not_ordered"], default="open")
    return rows.sort_values(["said_on", *ITEM, "order_on"], kind="stable")[columns].reset_index(drop=True)


def score_past_alerts(
    said: pd.DataFrame, stock: pd.DataFrame, orders: pd.DataFrame, *, horizon_days: int, as_of: dt.date
) -> pd.DataFrame:
    """Return each earlier stock-out alert of a site with what happened in the days after it.

    Came true: a snapshot without stock within the horizon. Ordered in time: none, and an order was placed or received for: an
    alert that worked looks false. Did not come: neither. Open: the horizon is not over. Unknown: no snapshot since.

    Parameters
    ----------
    said : DataFrame
        Ledger frame ``alerts``: as_of, customer_id, product_id, alert; optional echelon.
    stock : DataFrame
        Columns customer_id, product_id, date, on_hand.
    orders : DataFrame
        Columns customer_id, product_id, ordered_on.
    horizon_days : int
        [days].
    as_of : date
        Last day known now.

    Returns
    -------
    DataFrame
        Columns said_on, customer_id, product_id, alert, outcome (`ALERT_OUTCOMES`).
    """
    columns = ["said_on", *ITEM, "alert", "outcome"]
    rows = said[said["alert"].isin(STOCK_ALERTS)] if "alert" in said else said.iloc[:0]
    if "echelon" in rows:
        rows = rows[rows["echelon"] == "site"]
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    rows = rows.rename(columns={"as_of": "said_on"}).reset_index(drop=True)
    rows = rows.assign(row=range(len(rows)), last=rows["said_on"] + pd.Timedelta(days=horizon_days))
    seen = rows[[*ITEM, "row", "said_on", "last"]].merge(stock[[*ITEM, "date", "on_hand"]].dropna(), on=ITEM)
    seen = seen[(seen["date"] > seen["said_on"]) & (seen["date"] <= seen["last"])]
    low = seen.groupby("row")["on_hand"].min().reindex(rows["row"]).to_numpy()
    placed = rows[[*ITEM, "row", "said_on", "last"]].merge(orders[[*ITEM, "ordered_on"]], on=ITEM)
    placed = placed[(placed["ordered_on"] > placed["said_on"]) & (placed["ordered_on"] <= placed["last"])]
    acted = rows["row"].isin(placed["row"]).to_numpy()
    over = (rows["last"] <= pd.Timestamp(as_of)).to_numpy()
    outcome = np.select(
        [low <= 0, ~over, np.isnan(low), acted], ["came_true", "open", "unknown", "ordered_in_time"], "did_not_come"
    )
    return rows.assign(outcome=outcome).sort_values(["said_on", *ITEM, "alert"], kind="stable")[columns].reset_index(drop=True)


def count_outcomes(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how many proposals and alerts came to which outcome: what, outcome, cases, share of the cases."""
    known = {"proposals": PROPOSAL_OUTCOMES, "alerts": ALERT_OUTCOMES}
    rows = []
    for what, frame in frames.items():
        counts: Mapping[str, int] = frame["outcome"].value_counts().to_dict() if len(frame) else {}
        total = len(frame)
        rows += [{"what": what, "outcome": name, "cases": int(counts.get(name, 0)), "share": counts.get(name, 0) / total}
                 for name in known[what] if total]  # fmt: skip
    return pd.DataFrame(rows, columns=["what", "outcome", "cases", "share"])
