"""The part of the segmentation that needs all groups: cut points, scores, value classes, stability."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.measures.abc import classify_abc
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.params.strategy import Strategy
from cmi_analysis.segmentation.behaviour import score_season
from cmi_analysis.segmentation.clusters import cluster_customers
from cmi_analysis.segmentation.movement import score_chances
from cmi_analysis.segmentation.profile import profile_customers
from cmi_analysis.segmentation.rfm import fit_rfm_cuts, score_rfm
from cmi_analysis.segmentation.rules import classify_segments
from cmi_analysis.segmentation.tiers import classify_tiers, fit_tiers
from cmi_analysis.segmentation.treatment import propose_treatment
from cmi_analysis.segmentation.value import classify_accounts, score_contribution
from cmi_analysis.stages.forecasting import season_book
from cmi_analysis.stages.plan_strategy import strategy_by_segment
from cmi_analysis.stages.segment_inputs import Inputs, gather_inputs
from cmi_analysis.stages.segment_market import market_of
from cmi_analysis.stages.segment_replay import replay_frame
from cmi_analysis.stages.segment_rules import read_cuts, rules_of, version_of
from cmi_analysis.stages.segment_values import lifetime_frames
from cmi_analysis.tables import DataSet

MONTH_DAYS = 30
LEAST_CUSTOMERS = 5  # an aggregate over fewer is not given to another group


def pool_scores(
    tables: DataSet,
    *,
    as_of: dt.date,
    params: SegmentationParams,
    indices: pd.DataFrame | None = None,
    strategy: Strategy | None = None,
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
    strategy : Strategy, optional
        Whose priorities the replay of shortages takes; suggested ones without it.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``rfm_cuts`` (measure, cut, cut_value, rule, customers, cuts_on, cuts_version, window_days, history_from_on, basis,
        priced: an aggregate), ``customer_scores`` (one row a customer that ever ordered: its profile, scores, ``segment``,
        classes and tier, ``contribution``, lifetime value, cluster, ``market``, ``stay_share``, ``segment_month_ago``),
        ``segment_chances`` (customer_id, ``segment``, ``segment_chance``), ``shortage_replay`` (`replay_frame`),
        ``segment_history`` (customer_id,
        ``segment_then``, ``segment_then_own_cuts``, ``then_on``, ``first_order_known_then``; ``segment_then`` is scored with the
        same cut points, so that every move is a change of the customer and not of a threshold; empty where the data do not
        reach back), and the aggregates ``segment_rules``, ``value_tiers``, ``customer_clusters``, ``purchase_models``,
        ``category_seasons``.
    """
    inputs = gather_inputs(tables)
    rules = rules_of(params)
    profile = _profile(inputs, as_of=as_of, params=params)
    cuts = _cuts(inputs, profile, as_of=as_of, params=params)
    result = profile.merge(score_rfm(profile, cuts=cuts), on="customer_id", how="left")
    result["segment"] = classify_segments(result, rules=rules)
    result = result.merge(_classes(result, params=params, key="value", name="value_class"), on="customer_id", how="left")
    tiers = fit_tiers(result["value"], high_share=params.tier_high_share, mid_share=params.tier_mid_share)
    result["value_tier"] = classify_tiers(result["value"], tiers=tiers)
    result = _with_contribution(result, inputs, tables, as_of=as_of, params=params)
    result = _with_accounts(result, tables, params=params)
    lifetimes, models = lifetime_frames(inputs, result, as_of=as_of, params=params)
    result = result.merge(lifetimes, on="customer_id", how="left")
    clusters, summary = _clusters(result, params=params)
    result = result.merge(clusters, on="customer_id", how="left").merge(market_of(tables, params), on="customer_id", how="left")
    result["market"] = result["market"].astype(object).where(result["market"].notna(), "unknown")
    chances = score_chances(profile, rules=rules, cut_rule=params.cut_rule, seed=params.seed)
    stay = chances.rename(columns={"segment_chance": "stay_share"})
    result = result.merge(stay, on=["customer_id", "segment"], how="left")
    month, then = (
        _segments_then(inputs, days=days, as_of=as_of, params=params, cuts=cuts, rules=rules)
        for days in (MONTH_DAYS, params.movement_days)
    )
    month = month[["customer_id", "segment_then"]].rename(columns={"segment_then": "segment_month_ago"})
    result = result.merge(month, on="customer_id", how="left")
    return {
        "rfm_cuts": cuts,
        "customer_scores": result.sort_values("customer_id", kind="stable", ignore_index=True),
        "segment_chances": chances,
        "segment_history": then,
        "segment_rules": rules,
        "value_tiers": tiers,
        "customer_clusters": summary,
        "purchase_models": models,
        "shortage_replay": replay_frame(
            tables, result, priorities=priorities_of(rules, strategy), as_of=as_of, window_days=params.window_days
        ),
        "category_seasons": _category_seasons(inputs, tables, as_of=as_of, indices=indices),
    }


def priorities_of(rules: pd.DataFrame, strategy: Strategy | None = None) -> dict[str, int]:
    """Return the rank of each segment of a rule table when stock is short: the strategy's, else the suggested one."""
    ranks = propose_treatment(segments=sorted(rules["segment"].unique()))
    if strategy is not None:
        ranks = strategy_by_segment(strategy, ranks["segment"].tolist())
    return dict(zip(ranks["segment"], ranks["shortage_priority"].astype(int), strict=True))


def _cuts(inputs: Inputs, profile: pd.DataFrame, *, as_of: dt.date, params: SegmentationParams) -> pd.DataFrame:
    """Return the cut points in force with their date and version: those of a file, else taken at `cuts_on`."""
    kept = read_cuts(params)
    cuts_on = pd.Timestamp(params.cuts_on or as_of)
    if kept is None:
        there = profile if cuts_on == pd.Timestamp(as_of) else _profile(inputs, as_of=cuts_on.date(), params=params)
        cuts = fit_rfm_cuts(there, rule=params.cut_rule)
    else:
        cuts = kept[["measure", "cut", "cut_value", "rule", "customers"]]
        cuts_on = pd.Timestamp(kept["cuts_on"].iloc[0]) if "cuts_on" in kept else cuts_on
    return cuts.assign(
        cuts_on=cuts_on,
        cuts_version=version_of(cuts),
        window_days=params.window_days,
        history_from_on=pd.Timestamp(inputs.history_from()),
        basis=inputs.basis,
        priced=inputs.priced,
    )


def _clusters(result: pd.DataFrame, *, params: SegmentationParams) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cluster of each customer, and medians of the clusters with at least five customers (an aggregate).

    Medians are rounded to two significant digits: the middle one of an odd number of customers is a customer's own figure.
    """
    names = {"customers": "size", "days_since_last_order": "median", "orders": "median", "value": "median"}
    try:
        labels, alike = cluster_customers(result, clusters=params.clusters, seed=params.seed)
    except InputError:
        none = {"cluster": pd.Series(dtype="Int64"), "cluster_likeness": pd.Series(dtype="float64")}
        summary = pd.DataFrame({**none, **{name: pd.Series(dtype="float64") for name in names}})
        return result[["customer_id"]].assign(cluster=pd.NA, cluster_keep_share=float("nan")).astype(
            {"cluster": "Int64"}
        ), summary
    rows = labels.merge(result[["customer_id", *list(names)[1:]]], on="customer_id", how="left")
    grouped = rows.assign(customers=1).groupby("cluster", observed=True, sort=True)
    summary = grouped.agg(**{name: (name, how) for name, how in names.items()}).reset_index()
    summary = summary.loc[summary["customers"] >= LEAST_CUSTOMERS].reset_index(drop=True)
    for name in list(names)[1:]:
        summary[name] = [float(f"{value:.1e}") for value in summary[name]]
    return labels.astype({"cluster": "Int64"}), summary.assign(cluster_likeness=alike)


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


def _segments_then(
    inputs: Inputs, *, days: int, as_of: dt.date, params: SegmentationParams, cuts: pd.DataFrame, rules: pd.DataFrame
) -> pd.DataFrame:
    """Return the segments of an earlier date by today's cut points and by its own; no row where its window is cut on the left."""
    then = as_of - dt.timedelta(days=days)
    history = inputs.history_from()
    if history is None or history > then - dt.timedelta(days=params.window_days - 1):
        names = ["customer_id", "segment_then", "segment_then_own_cuts", "then_on", "first_order_known_then"]
        return pd.DataFrame({name: pd.Series(dtype="object") for name in names}).astype({"then_on": "datetime64[ns]"})
    profile = _profile(inputs, as_of=then, params=params)

    def segments(by: pd.DataFrame) -> pd.Series:
        scored = profile.merge(score_rfm(profile, cuts=by), on="customer_id", how="left")
        return classify_segments(scored, rules=rules).where(scored["orders"] > 0, "")

    return pd.DataFrame(
        {
            "customer_id": profile["customer_id"],
            "segment_then": segments(cuts),
            "segment_then_own_cuts": segments(fit_rfm_cuts(profile, rule=params.cut_rule)),
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
