"""What customers tell us beside sales and stock: forecasts, delivered data, answers to surveys; and our planners' changes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo.demand import Series
from cmi_analysis.demo.layout import Layout, day, stream
from cmi_analysis.demo.orderbook import LAST_DAY, take
from cmi_analysis.demo.simulation import Record

ISSUE_EVERY = 4
FIRST_ISSUE = 40
HORIZON_WEEKS = 8


def shares_forecast(layout: Layout, cust: str, number: int) -> bool:
    """Tell whether a customer shares its forecast: the two largest of each group always, seven of ten others that share data."""
    return bool(layout.shares(number)) and (number <= 1 or stream(layout.seed, "shares", cust).random() < 0.7)


def forecasts_table(layout: Layout, series: Series) -> pd.DataFrame:
    """Return the contract's `customer_forecasts` of a pool: issued on a Monday every four weeks for the next eight weeks.

    Value = expected demand, mixed with 35–75 % of the true one (customers know part of their projects), × the customer's bias × a
    lognormal error of mean 1; the planted customer's bias is 1.30. Demand is forecast, so it reads high against censored sales.
    """
    issues = np.arange(FIRST_ISSUE, lay.WEEKS, ISSUE_EVERY)
    padded = np.concatenate([series.rate, series.rate[:, lay.WEEKS - 52 : lay.WEEKS - 52 + HORIZON_WEEKS]], axis=1)
    true = np.concatenate([series.quantity, padded[:, lay.WEEKS :]], axis=1)
    target = issues[:, None] + np.arange(HORIZON_WEEKS)[None, :]
    parts = []
    for index, cust in enumerate(series.customer_ids):
        rows = np.flatnonzero(series.customer == index)
        if not len(rows) or not shares_forecast(layout, cust, int(series.number[rows[0]])):
            continue
        rng = stream(layout.seed, "customer_forecast", cust)
        biased = cust == layout.roles["biased_forecast"]
        spread = 0.4 if biased else float(rng.uniform(0.66, 0.86))
        insight = lay.FORECAST_INSIGHT[1] if biased else float(rng.uniform(*lay.FORECAST_INSIGHT))
        bias = lay.FORECAST_BIAS if biased else float(rng.uniform(0.97, 1.03))
        shape = (len(rows), len(issues), HORIZON_WEEKS)
        error = rng.normal(0, spread, shape)
        known = (1 - insight) * padded[rows][:, target] + insight * true[rows][:, target]
        value = known * bias * np.exp(error - spread**2 / 2)
        at, issue, step = np.nonzero(value > 0)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": np.full(len(at), cust, dtype=object),
                    "product_id": take(layout.product_ids, series.product[rows][at]),
                    "issued_on": day(issues[issue] * 7),
                    "period": day(target[issue, step] * 7),
                    "quantity": np.round(value[at, issue, step], 1),
                    "of": np.full(len(at), "sell_out", dtype=object),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def adjustments_table(layout: Layout, series: Series, promotions: pd.DataFrame) -> pd.DataFrame:
    """Return the contract's `adjustments` of a pool: what a planner added [units] to a week's forecast because of a promotion."""
    rows = []
    for promo in promotions.itertuples():
        hit = (series.product == promo.product) & ((promo.group < 0) | (series.group == promo.group)) & (series.kind <= 1)
        for at in np.flatnonzero(hit):
            for week in range(promo.week, promo.week + promo.weeks):
                cust = series.customer_ids[series.customer[at]]
                change = stream(layout.seed, "adjust", cust, promo.promotion_id, str(week)).uniform(0.2, 1.2)
                added = round(float(change * series.chance[at] * series.demand_size[at]), 0)
                rows.append((cust, layout.product_ids[promo.product], day(promo.week * 7 - 28), day(week * 7), added))
    frame = pd.DataFrame(rows, columns=["customer_id", "product_id", "issued_on", "period", "quantity"])
    frame = frame.astype({"issued_on": "datetime64[ns]", "period": "datetime64[ns]", "quantity": float})
    frame["author"] = "planner"
    frame["reason"] = "promotion"
    keys = ["customer_id", "product_id", "issued_on", "period"]
    return frame.drop_duplicates(keys).sort_values(keys, ignore_index=True)


def feeds_table(layout: Layout, series: Series) -> pd.DataFrame:
    """Return the contract's `feeds` of a pool: sales and stock of each customer and week, due on Tuesday of the next week."""
    due = np.arange(1, lay.WEEKS) * 7 + 1
    parts = []
    for index, cust in enumerate(series.customer_ids):
        if not layout.shares(index % layout.size.customers):
            continue
        rng = stream(layout.seed, "feeds", cust)
        poor = cust == layout.roles["poor_sharing"]
        for table in ("sales", "stock"):
            late = rng.choice([0, 1, 3, 8], size=len(due), p=[0.55, 0.15, 0.2, 0.1] if poor else [0.93, 0.04, 0.02, 0.01])
            missing = rng.random(len(due)) < (0.12 if poor else 0.01)
            came = due - (late == 0) + late
            received = pd.Series(day(came)).where(~missing & (came <= LAST_DAY))
            frame = {
                "customer_id": np.full(len(due), cust, dtype=object),
                "table": table,
                "due_on": day(due),
                "received_on": received,
            }
            parts.append(pd.DataFrame(frame))
    return pd.concat(parts, ignore_index=True)


def feedback_table(layout: Layout, series: Series, record: Record) -> pd.DataFrame:
    """Return the contract's `feedback` of a pool: satisfaction each quarter, recommendation each year, a few complaints."""
    filled = np.bincount(series.customer, record.shipped_new.sum(axis=1), len(series.customer_ids))
    wanted = np.bincount(series.customer, record.ordered.sum(axis=1), len(series.customer_ids))
    service = filled / np.maximum(wanted, 1.0)
    rows = []
    for index, cust in enumerate(series.customer_ids):
        rng = stream(layout.seed, "feedback", cust)
        lean = float(np.clip((service[index] - 0.6) / 0.4, 0.1, 0.95))
        for kind, first, every, least, top in (("csat", 12, 13, 1, 5), ("nps", 40, 52, 0, 10)):
            scores = least + rng.binomial(top - least, lean, size=len(range(first, lay.WEEKS, every)))
            weeks = range(first, lay.WEEKS, every)
            rows += [
                (cust, w * 7 + 2, kind, float(s), f"{least}-{top}", None, np.nan, np.nan)
                for w, s in zip(weeks, scores, strict=True)
            ]
        for week in np.flatnonzero(rng.random(lay.WEEKS) < 0.02):
            opened, lasts = int(week) * 7 + 1, int(rng.integers(1, 15))
            closed = float(opened + lasts) if opened + lasts <= LAST_DAY else np.nan
            rows.append((cust, opened, "complaint", np.nan, None, "late or short delivery", float(opened), closed))
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "kind", "score", "scale", "text", "opened_on", "closed_on"])
    frame["date"] = day(frame["date"].to_numpy())
    for name in ("opened_on", "closed_on"):
        values = frame[name].to_numpy()
        frame[name] = pd.Series(day(np.nan_to_num(values).astype(int))).where(np.isfinite(values))
    frame["text"] = frame["text"].astype(object)
    number = frame.groupby("customer_id", sort=True).cumcount() + 1
    frame.insert(0, "feedback_id", "F-" + frame["customer_id"] + "-" + number.astype(str).str.zfill(3))
    return frame


def drivers_table(layout: Layout, index: np.ndarray) -> pd.DataFrame:
    """Return the contract's `drivers`: the market index that moves all demand, and a seasonal temperature [°C]."""
    weeks = np.arange(lay.WEEKS)
    rng = stream(layout.seed, "drivers")
    warm = pd.DatetimeIndex(day(weeks * 7 + 3)).day_of_year.to_numpy() / 7.0
    temperature = 10 + 9 * np.cos(2 * np.pi * (warm - 28) / 52.18) + rng.normal(0, 2, lay.WEEKS)
    frames = [
        pd.DataFrame({"name": name, "period": day(weeks * 7), "value": np.round(values, 4)})
        for name, values in (("market_index", index), ("temperature", temperature))
    ]
    return pd.concat(frames, ignore_index=True)
