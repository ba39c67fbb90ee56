"""A small group with everything a plan needs: two customers, three products, one contract, one open order."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.tables import DataSet, Settings

AS_OF = dt.date(2024, 6, 30)
DAY = pd.Timestamp(AS_OF)
ITEMS = [("c1", "p1"), ("c1", "p2"), ("c2", "p1"), ("c2", "p3")]
LEVEL = {("c1", "p1"): 70.0, ("c1", "p2"): 7.0, ("c2", "p1"): 35.0, ("c2", "p3"): 0.0}


def weekly(first: str, weeks: int) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=weeks, freq="W-MON").astype("datetime64[ns]")


def forecasts() -> pd.DataFrame:
    rows = [
        {
            "echelon": "site",
            "customer_id": c,
            "product_id": p,
            "period": period,
            "of": "demand",
            "model": "ses",
            "mean": LEVEL[c, p],
        }
        for c, p in ITEMS
        for period in weekly("2024-07-01", 13)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(q05=frame["mean"] * 0.6, q95=frame["mean"] * 1.5)


def errors() -> pd.DataFrame:
    random = np.random.default_rng(5)
    rows = [
        {"customer_id": c, "product_id": p, "origin_on": origin, "horizon": h, "mean": LEVEL[c, p]}
        for c, p in ITEMS
        for origin in weekly("2024-01-01", 4)
        for h in range(1, 14)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(
        actual=np.maximum(np.round(frame["mean"] + random.normal(0, 1, len(frame)) * np.sqrt(frame["mean"] * 2)), 0)
    )


def tables(**changes: pd.DataFrame | None) -> DataSet:
    weeks = weekly("2023-07-03", 52)
    sales = pd.DataFrame(
        [{"customer_id": c, "product_id": p, "date": week, "quantity": LEVEL[c, p]} for c, p in ITEMS for week in weeks]
    )
    now = {("c1", "p1"): 20.0, ("c1", "p2"): 400.0, ("c2", "p1"): 0.0, ("c2", "p3"): 12.0}
    stock = pd.DataFrame(
        [
            {"customer_id": c, "product_id": p, "date": date, "on_hand": now[c, p]}
            for c, p in ITEMS
            for date in (DAY - pd.Timedelta(days=7), DAY)
        ]
    )
    ordered = pd.date_range("2024-01-02", periods=24, freq="7D").astype("datetime64[ns]")
    orders = pd.DataFrame(
        [
            {"order_id": f"{c}{n}", "line": "1", "customer_id": c, "product_id": "p1", "ordered_on": day,
             "quantity_ordered": 70.0, "promised_on": day + pd.Timedelta(days=6),
             "delivered_on": day + pd.Timedelta(days=4 + 3 * (n % 2)), "quantity_delivered": 70.0}
            for c in ("c1", "c2")
            for n, day in enumerate(ordered)
        ]
    )  # fmt: skip
    open_line = orders.tail(1).assign(
        order_id="open", ordered_on=DAY - pd.Timedelta(days=2), promised_on=DAY + pd.Timedelta(days=3)
    )
    open_line = open_line.assign(delivered_on=pd.NaT, quantity_delivered=0.0, customer_id="c1")
    frames = {
        "customers": pd.DataFrame({"customer_id": ["c1", "c2"], "customer_name": ["One", "Two"], "priority": [1, 2]}),
        "products": pd.DataFrame(
            {
                "product_id": ["p1", "p2", "p3"],
                "product_name": ["Bolt", "Nut", "Cap"],
                "unit_cost": [4.0, 2.0, 1.0],
                "unit_price": [6.0, 3.0, 2.0],
            }
        ),
        "sales": sales,
        "stock": stock,
        "orders": pd.concat([orders, open_line.astype(orders.dtypes.to_dict())], ignore_index=True),
        "contracts": pd.DataFrame(
            {
                "contract_id": ["k"],
                "customer_id": ["c1"],
                "measure": ["shelf_fill"],
                "level": [0.98],
                "valid_from_on": [pd.Timestamp("2024-01-01")],
            }
        ),
    }
    frames |= changes
    return DataSet(
        {name: frame for name, frame in frames.items() if frame is not None}, Settings(frequency="week", currency="EUR")
    )
