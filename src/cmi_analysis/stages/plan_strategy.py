"""The reviewed strategy in the plan: from segments and classes to target, review period, priority and safety-stock rule."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.position import KEY
from cmi_analysis.inventory.targets import combine_targets, score_cost_targets
from cmi_analysis.params.strategy import CONDITIONS, DEFAULT_STRATEGY, Strategy, StrategyRule, assign_strategy
from cmi_analysis.tables import Slice

_STAGES = {"new": "launch", "ending": "ending", "dead": "ending"}


def table_strategy(strategy: Strategy) -> pd.DataFrame:
    """Return the rules as a frame of the book: place [count], rule (its fields as JSON); a report's kernel reads no file."""
    rules = [json.dumps(rule.model_dump(mode="json"), ensure_ascii=False, sort_keys=True) for rule in strategy.rules]
    return pd.DataFrame({"place": range(len(rules)), "rule": rules})


def strategy_of(part: Slice) -> Strategy:
    """Return the rules that the book holds, else the one default rule."""
    frame = part.book.get("strategy")
    if frame is None or frame.empty:
        return DEFAULT_STRATEGY
    rules = [StrategyRule.model_validate(json.loads(rule)) for rule in frame.sort_values("place")["rule"]]
    return Strategy(rules=tuple(rules))


def told_strategy(part: Slice) -> Strategy | None:
    """Return the rules that the book holds, None where it holds none."""
    return strategy_of(part) if "strategy" in part.book else None


USUAL_ITEM = {"value_class": "B", "abc": "B", "xyz": "Y", "pattern": "smooth", "life_stage": "mature", "service_need": "standard"}
"""The item for which the strategy of a segment is told: of middling value and error, without a contract."""


def strategy_by_segment(strategy: Strategy, segments: Sequence[str]) -> pd.DataFrame:
    """Return what the strategy gives each segment's usual item.

    Parameters
    ----------
    strategy : Strategy
        The rules.
    segments : sequence of str
        Names of segments; one that no rule can know (a user's own) gets what a segment that is not known gets.

    Returns
    -------
    pandas.DataFrame
        segment, strategy_rule, shortage_priority, service_target [fraction], review_period_days, contact_days [days]; target and
        review period missing where the rule leaves them to the parameters.
    """
    known = [segment if segment in CONDITIONS["segment"] else "" for segment in segments]
    items = pd.DataFrame({"segment": known}).assign(**USUAL_ITEM)
    given = assign_strategy(items, strategy=strategy).rename(columns={"rule": "strategy_rule"})
    columns = ["strategy_rule", "shortage_priority", "service_target", "review_period_days", "contact_days"]
    return given[columns].assign(segment=list(segments))[["segment", *columns]]


def with_strategy(items: pd.DataFrame, *, part: Slice, forecast_items: pd.DataFrame | None) -> pd.DataFrame:
    """Return the items with what the strategy gives them; a contract goes before it, a parameter after it.

    Parameters
    ----------
    items : pandas.DataFrame
        customer_id, product_id, abc, xyz, target, measure, target_source, capped, review_period_days, review_agreed (bool),
        priority, and the costs that a cost target needs.
    part : Slice
        Its book holds the rules and the customers' segments.
    forecast_items : pandas.DataFrame or None
        customer_id, product_id, pattern, state.

    Returns
    -------
    pandas.DataFrame
        `items` with target, measure, target_source, capped, review_period_days (agreed ones stay), priority (the customer's own
        first) and strategy_rule, safety_stock_rule, fixed_days.
    """
    seen = _what_rules_look_at(items, part, forecast_items)
    given = assign_strategy(seen, strategy=strategy_of(part))
    contract = items[["target", "measure", "target_source", "capped"]]
    targets = combine_targets(contract, strategy=given)
    by_cost = (given["service_measure"] == "cost") & (targets["target_source"] != "contract")
    if by_cost.any():
        targets = targets.where(~by_cost, score_cost_targets(items, fallback=targets))
    kept = items["review_agreed"] | given["review_period_days"].isna()
    review = items["review_period_days"].where(kept, given["review_period_days"])
    return items.assign(
        **{name: targets[name] for name in contract},
        review_period_days=review.astype("float64"),
        priority=items["priority"].fillna(given["shortage_priority"].astype("float64")),
        strategy_rule=given["rule"],
        safety_stock_rule=given["safety_stock_rule"],
        fixed_days=given["fixed_days"].astype("float64"),
    )


def _what_rules_look_at(items: pd.DataFrame, part: Slice, forecast_items: pd.DataFrame | None) -> pd.DataFrame:
    seen = items[[*KEY, "abc", "xyz"]].copy()
    scores = part.book.get("customer_scores")
    if scores is not None and len(scores):
        scored = scores.drop_duplicates("customer_id").set_index("customer_id")
        for name in ("segment", "value_class"):
            seen[name] = seen["customer_id"].map(scored[name]) if name in scored else None
    if forecast_items is not None and {"pattern", "state"} <= set(forecast_items.columns):
        known = forecast_items[[*KEY, "pattern", "state"]].drop_duplicates(KEY)
        found = seen[KEY].merge(known, on=KEY, how="left").set_axis(seen.index)
        seen["pattern"], seen["life_stage"] = found["pattern"], found["state"].map(_STAGES)
    seen["service_need"] = np.where(items["target_source"] == "contract", "contract", "standard")
    return seen.drop(columns=KEY)


def levels_by_rule(items: pd.DataFrame, *, protection: LeadTimeDemand, lead: LeadTimeDemand) -> np.ndarray:
    """Return the reorder point of the items whose strategy does not ask for the whole distribution; missing for the others.

    ``none``: mean demand over lead time and review, no safety stock. ``fixed_days``: so many days of demand above it. ``normal``:
    the level that keeps the target if the demand were normal with the same mean and variance (Silver, Pyke and Thomas 2017,
    section 6.7; shelf fill by the normal loss function). What they promise is still read off the whole distribution.

    Parameters
    ----------
    items : pandas.DataFrame
        safety_stock_rule, fixed_days [days], daily_demand [units/day], target, measure.
    protection, lead : LeadTimeDemand
        Demand over L + R and over L.
    """
    rule = items["safety_stock_rule"].to_numpy(dtype=object)
    mean, sd = protection.mean(), protection.sd()
    target = np.clip(items["target"].to_numpy(dtype="float64"), 1e-6, 1 - 1e-6)
    z = scipy.special.ndtri(target)
    fill = (items["measure"] == "shelf_fill").to_numpy()
    allowed = (1 - target) * (mean - lead.mean()) / np.where(sd > 0, sd, 1.0)
    factor = np.where(fill, _loss_inverse(allowed), z)
    days = items["fixed_days"].to_numpy(dtype="float64") * items["daily_demand"].to_numpy(dtype="float64")
    level = np.select([rule == "none", rule == "fixed_days", rule == "normal"], [mean, mean + days, mean + factor * sd], np.nan)
    return np.ceil(level - 1e-9) - 1


def _loss_inverse(wanted: np.ndarray) -> np.ndarray:
    """Return z with G(z) = φ(z) − z(1 − Φ(z)) = wanted, by bisection; wanted above G(−8) ≈ 8 gives −8."""
    low, high = np.full(wanted.shape, -8.0), np.full(wanted.shape, 8.0)
    for _ in range(60):
        middle = (low + high) / 2
        loss = np.exp(-(middle**2) / 2) / np.sqrt(2 * np.pi) - middle * scipy.special.ndtr(-middle)
        low, high = np.where(loss > wanted, middle, low), np.where(loss > wanted, high, middle)
    return (low + high) / 2
