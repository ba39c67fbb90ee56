"""The part of the segmentation that needs all groups: cut points, scores, value classes, stability."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cmi_analysis.measures.abc import classify_abc
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.segmentation.behaviour import score_season
from cmi_analysis.segmentation.movement import score_stability
from cmi_analysis.segmentation.profile import profile_customers
from cmi_analysis.segmentation.rfm import fit_rfm_cuts, score_rfm
from cmi_analysis.segmentation.rules import classify_segments, segment_rules
from cmi_analysis.segmentation.value import classify_accounts, score_contribution
from cmi_analysis.stages.forecasting import season_book
from cmi_analysis.stages.segment_inputs import Inputs, gather_inputs
from cmi_analysis.tables import DataSet

MONTH_DAYS = 30
LEAST_CUSTOMERS = 5  # an aggregate over fewer is not given to another group


def pool_scores(
    tables: DataSet, *, as_of: dt.date, params: SegmentationParams, indices: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Return the book frames of the segmentation, computed over all customers with one reference date.

    Parameters
    ----------
    tables : DataSet
        All groups' tables, cut at `as_of`.
    as_of : datetime.date
        Reference date.
    params : SegmentationParams
        Window, rule table, class boundaries, date of the cut points.
    indices : pandas.DataFrame, optional
        The book's ``seasonal_indices`` (`forecast_book`); computed here without it. A category is seasonal where the forecast
        uses a season: one rule for both reports.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``rfm_cuts`` (measure, cut, cut_value, rule, customers, cuts_on, window_days, history_from_on, basis, priced: an
        aggregate), ``customer_scores`` (one row a customer that ever ordered: its profile, scores, ``segment``,
        ``value_class``, ``contribution``, ``contribution_class``, ``account_class``, ``stay_share``, ``segment_month_ago``),
        ``segment_history`` (customer_id, ``segment_then``, ``then_on``, ``first_order_known_then``; scored with the same cut
        points, so that every move is a change of the customer and not of a threshold; empty where the data do not reach back),
        ``category_seasons`` (an aggregate).
    """
    inputs = gather_inputs(tables)
    history = inputs.history_from()
    cuts_on = dt.date.fromisoformat(params.cuts_on) if params.cuts_on else as_of
    rules = segment_rules(params.segment_names)
    profile = _profile(inputs, as_of=as_of, params=params)
    cuts = fit_rfm_cuts(profile if cuts_on == as_of else _profile(inputs, as_of=cuts_on, params=params))
    scores = score_rfm(profile, cuts=cuts)
    result = profile.merge(scores, on="customer_id", how="left")
    result["segment"] = classify_segments(result, rules=rules)
    result = result.merge(_classes(result, params=params, key="value", name="value_class"), on="customer_id", how="left")
    result = _with_contribution(result, inputs, tables, as_of=as_of, params=params)
    result = _with_accounts(result, tables, params=params)
    stay = score_stability(profile, scores=scores, rules=rules, seed=params.seed)
    result = result.merge(stay, on="customer_id", how="left")
    then = {
        days: _segments_then(inputs, days=days, as_of=as_of, params=params, cuts=cuts)
        for days in (MONTH_DAYS, params.movement_days)
    }
    month = then[MONTH_DAYS][["customer_id", "segment_then"]].rename(columns={"segment_then": "segment_month_ago"})
    result = result.merge(month, on="customer_id", how="left")
    about = {"cuts_on": pd.Timestamp(cuts_on), "window_days": params.window_days, "history_from_on": pd.Timestamp(history)}
    return {
        "rfm_cuts": cuts.assign(**about, basis=inputs.basis, priced=inputs.priced),
        "customer_scores": result.sort_values("customer_id", kind="stable", ignore_index=True),
        "segment_history": then[params.movement_days],
        "category_seasons": _category_seasons(inputs, tables, as_of=as_of, indices=indices),
    }


def _profile(inputs: Inputs, *, as_of: dt.date, params: SegmentationParams) -> pd.DataFrame:
    return profile_customers(
        inputs.purchases, as_of=as_of, window_days=params.window_days, returns=inputs.returns, history_from=inputs.history_from()
    )


def _classes(frame: pd.DataFrame, *, params: SegmentationParams, key: str, name: str) -> pd.DataFrame:
    classes = classify_abc(
        frame.dropna(subset=[key]), key="customer_id", value=key, a_share=params.value_a_share, b_share=params.value_b_share
    )
    return classes[["customer_id", "abc_class"]].rename(columns={"abc_class": name})


def _with_contribution(
    result: pd.DataFrame, inputs: Inputs, tables: DataSet, *, as_of: dt.date, params: SegmentationParams
) -> pd.DataFrame:
    if not (inputs.priced and tables.has("products", "unit_cost")):
        return result.assign(margin=float("nan"), handling_cost=float("nan"), contribution=float("nan"), contribution_class=None)
    left = score_contribution(
        inputs.purchases,
        products=tables["products"],
        as_of=as_of,
        window_days=params.window_days,
        returns=inputs.returns,
        costs=tables.get("costs"),
    )
    result = result.merge(left.drop(columns="cost_known_share"), on="customer_id", how="left")
    classes = _classes(result, params=params, key="contribution", name="contribution_class")
    return result.merge(classes, on="customer_id", how="left")


def _with_accounts(result: pd.DataFrame, tables: DataSet, *, params: SegmentationParams) -> pd.DataFrame:
    if not tables.has("customers", "account_id"):
        return result.assign(account_id=None, account_class=None)
    owner = tables["customers"].drop_duplicates("customer_id").set_index("customer_id")["account_id"]
    result = result.assign(account_id=result["customer_id"].map(owner).astype(object))
    accounts = classify_accounts(result, a_share=params.value_a_share, b_share=params.value_b_share)
    by_account = accounts.set_index("account_id")["abc_class"]
    account = result["account_id"].where(result["account_id"].notna(), result["customer_id"])
    return result.assign(account_class=account.map(by_account))


def _segments_then(inputs: Inputs, *, days: int, as_of: dt.date, params: SegmentationParams, cuts: pd.DataFrame) -> pd.DataFrame:
    """Return the segments of an earlier date by today's cut points; no row where that date's window is cut on the left."""
    then = as_of - dt.timedelta(days=days)
    history = inputs.history_from()
    if history is None or history > then - dt.timedelta(days=params.window_days - 1):
        names = ["customer_id", "segment_then", "then_on", "first_order_known_then"]
        return pd.DataFrame({name: pd.Series(dtype="object") for name in names}).astype({"then_on": "datetime64[ns]"})
    profile = _profile(inputs, as_of=then, params=params)
    scored = profile.merge(score_rfm(profile, cuts=cuts), on="customer_id", how="left")
    segment = classify_segments(scored, rules=segment_rules(params.segment_names)).where(scored["orders"] > 0, "")
    return pd.DataFrame(
        {
            "customer_id": scored["customer_id"],
            "segment_then": segment,
            "then_on": pd.Timestamp(then),
            "first_order_known_then": True,
        }
    )


def _category_seasons(inputs: Inputs, tables: DataSet, *, as_of: dt.date, indices: pd.DataFrame | None) -> pd.DataFrame:
    if not tables.has("products", "category"):
        names = ["category", "season_years", "season_strength", "peak_quarter_share", "peak_month", "seasonal", "customers"]
        return pd.DataFrame({name: pd.Series(dtype="object") for name in names})
    category = tables["products"].drop_duplicates("product_id").set_index("product_id")["category"]
    use = inputs.use.assign(category=inputs.use["product_id"].map(category)).dropna(subset=["category", "quantity"])
    seasons = score_season(use, as_of=as_of, key="category")
    customers = use.groupby("category", observed=True)["customer_id"].nunique()
    known = season_book(tables, as_of=as_of) if indices is None else indices
    used = known.loc[known["used"].astype(bool) & (known["origin"] == known["origin"].max()), "category"]
    seasons = seasons.assign(
        seasonal=seasons["category"].isin(used), customers=seasons["category"].map(customers).astype("int64")
    )
    return seasons.loc[seasons["customers"] >= LEAST_CUSTOMERS].reset_index(drop=True)
