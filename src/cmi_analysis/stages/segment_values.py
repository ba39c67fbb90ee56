"""What customers will still bring, over all groups: models where the population tells them, else each customer's own rhythm."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.segmentation.leaving import judge_silence
from cmi_analysis.segmentation.lifetime_value import (
    LIFETIME,
    choose_model,
    choose_spending,
    score_alive_by_rhythm,
    value_by_model,
    value_by_rhythm,
)
from cmi_analysis.segmentation.order_rate import fit_rates, value_by_rate
from cmi_analysis.segmentation.order_summary import summarise_orders
from cmi_analysis.segmentation.profile import table_order_days
from cmi_analysis.stages.segment_inputs import Inputs

REGULAR = 2.0  # Gamma shape from which a customer's own rhythm speaks, with `least_intervals` of them
LEAST_INTERVALS = 5
LEAST_SPENDERS = 100
MOST_DRAWN = 30_000_000  # orders drawn anew in all, so that a book of millions of orders is not drawn 300 times


def lifetime_frames(
    inputs: Inputs, scored: pd.DataFrame, *, as_of: dt.date, params: SegmentationParams
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the lifetime value of each customer of the population, and the models it came from.

    Parameters
    ----------
    inputs : Inputs
        Purchases of all groups.
    scored : pandas.DataFrame
        ``customer_id``, ``contribution`` [money or missing] of the window.
    as_of, params
        Reference date; window, horizon, discount, least number of customers for a model.

    Returns
    -------
    tuple of pandas.DataFrame
        By customer: the columns of `value_by_model` and ``lifetime_method`` ("rhythm" for customers with a regular rhythm of
        their own; for the others "bg_nbd" or "mbg_nbd" where there is a model, "nbd" where the orders do not tell how customers
        leave, else "rhythm" or "none"). The models (an aggregate): ``model``, ``parameter``, ``parameter_value``, ``customers``.
    """
    orders = table_order_days(inputs.orders_only(), as_of=as_of)
    summary = summarise_orders(orders, as_of=as_of)
    window = {"tail": params.overdue_tail, "silent_days": params.silent_days, "window_days": params.window_days}
    rhythm = judge_silence(orders, as_of=as_of, **window).set_index("customer_id").reindex(summary["customer_id"]).reset_index()
    losses, years = _losses(rhythm, orders, as_of=as_of)
    alive = score_alive_by_rhythm(rhythm, losses=losses, customer_years=years)
    margin = _margin_rate(summary, orders, scored, as_of=as_of, days=params.window_days)
    settings = {"months": params.lifetime_months, "discount_rate": params.discount_rate, "seed": params.seed}
    inside = orders.loc[orders["date"] > pd.Timestamp(as_of) - pd.Timedelta(days=params.window_days)]
    own = value_by_rhythm(
        summary,
        inside,
        alive=np.nan_to_num(alive),
        margin_rate=margin,
        losses=losses,
        customer_years=years,
        window_days=params.window_days,
        draws=int(np.clip(MOST_DRAWN // max(len(inside), 1), 50, 300)),
        **settings,
    ).assign(lifetime_method="rhythm")
    judged = rhythm["overdue_tail"].notna().to_numpy()
    rates = {"losses": losses, "customer_years": years}
    other, rows = _by_population(summary, margin=margin, least=params.least_model_customers, rates=rates, settings=settings)
    rows = [("retention", name, figure, len(summary)) for name, figure in rates.items()] + rows
    if other is None:
        own.loc[~judged, [*LIFETIME[1:], "lifetime_method"]] = [np.nan] * (len(LIFETIME) - 1) + ["none"]
        return own, _model_frame(rows)
    regular = judged & (rhythm["regularity"] >= REGULAR).to_numpy()
    return other.where(~pd.Series(regular), own), _model_frame(rows)


def _by_population(
    summary: pd.DataFrame, *, margin: np.ndarray, least: int, rates: dict[str, float], settings: dict[str, Any]
) -> tuple[pd.DataFrame | None, list[tuple[str, str, float, int]]]:
    """Return lifetime values by a model of the whole population, None where it is too small, and the models' parameters."""
    purchases, spending = choose_model(summary, least_customers=least), choose_spending(summary, least_customers=LEAST_SPENDERS)
    told = []
    if purchases is not None:
        found = value_by_model(summary, purchases=purchases, spending=spending, margin_rate=margin, **settings)
        kind, names, model = str(purchases.kind), ("r", "alpha", "a", "b", "log_likelihood"), purchases
    else:
        model = fit_rates(summary, least_customers=least)  # type: ignore[assignment]
        if model is None:
            return None, []
        found = value_by_rate(summary, model=model, spending=spending, margin_rate=margin, **rates, **settings)  # type: ignore[arg-type]
        kind, names = "nbd", ("r", "alpha", "log_likelihood")
    told += [(kind, name, float(getattr(model, name)), model.customers) for name in names]
    if spending is not None:
        told += [("gamma_gamma", name, getattr(spending, name), spending.customers) for name in ("p", "q", "v", "log_likelihood")]
    return found.assign(lifetime_method=kind), told


def _model_frame(rows: list[tuple[str, str, float, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["model", "parameter", "parameter_value", "customers"])


def _losses(rhythm: pd.DataFrame, orders: pd.DataFrame, *, as_of: dt.date) -> tuple[float, float]:
    """Return how many customers left, and the years in which they all were customers."""
    gone = rhythm["leaving_status"].isin(["overdue", "silent"])
    span = orders.groupby("customer_id", observed=True)["date"].agg(["min", "max"]).reindex(rhythm["customer_id"])
    until = span["max"].where(gone.to_numpy(), pd.Timestamp(as_of))
    return float(gone.sum()), float((until - span["min"]).dt.days.sum() / 365)


def _margin_rate(summary: pd.DataFrame, orders: pd.DataFrame, scored: pd.DataFrame, *, as_of: dt.date, days: int) -> np.ndarray:
    """Return contribution over order value of the window, else the population's; 1 where costs are unknown."""
    inside = orders.loc[orders["date"] > pd.Timestamp(as_of) - pd.Timedelta(days=days)]
    gross = inside.groupby("customer_id", observed=True)["value"].sum().reindex(summary["customer_id"])
    left = scored.set_index("customer_id")["contribution"].astype("float64").reindex(summary["customer_id"])
    known = left.notna() & (gross > 0)
    if not known.any():
        return np.ones(len(summary))
    whole = float(left[known].sum() / gross[known].sum())
    return np.asarray((left / gross.where(gross > 0)).where(known, whole).clip(-1.0, 1.0), dtype="float64")
