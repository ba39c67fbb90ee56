"""Who moved between two dates, and how firmly a customer sits in its segment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.segmentation.rfm import CutRule, bootstrap_scores
from cmi_analysis.segmentation.rules import CELL, classify_segments, rule_grid

NEW, RETURNED, LEFT = "new", "returned", "left"


def table_migration(customers: pd.DataFrame) -> pd.DataFrame:
    """Return how many customers went from which segment to which.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``customer_id``, ``segment_then``, ``segment`` (missing or "" where the customer had no order in that date's window),
        ``first_order_known_then`` [bool], ``value`` [money].

    Returns
    -------
    pandas.DataFrame
        ``segment_from``, ``segment_to``, ``customers`` [count], ``value`` [money], sorted by the two names. Who was not there
        comes from "new" (first order since) or "returned" (ordered before, not in that window); who is gone goes to "left".
    """
    then = customers["segment_then"].astype(object).where(customers["segment_then"].notna(), "")
    now = customers["segment"].astype(object).where(customers["segment"].notna(), "")
    there = (then != "") | (now != "")
    origin = np.where(then != "", then, np.where(customers["first_order_known_then"], RETURNED, NEW))
    moves = pd.DataFrame({"segment_from": origin, "segment_to": np.where(now != "", now, LEFT), "value": customers["value"]})
    moves = moves.loc[there.to_numpy()].astype({"segment_from": object, "segment_to": object})
    grouped = moves.groupby(["segment_from", "segment_to"], observed=True, sort=True)["value"]
    return grouped.agg(customers="size", value="sum").reset_index()


def score_stability(
    profile: pd.DataFrame, *, scores: pd.DataFrame, rules: pd.DataFrame, resamples: int = 100, seed: int = 1
) -> pd.DataFrame:
    """Return how often each customer keeps its segment when the cut points are taken on a resampled population.

    Parameters
    ----------
    profile, scores : pandas.DataFrame
        Frames of `profile_customers` and `score_rfm` of the pooled population, the same customers.
    rules : pandas.DataFrame
        Rule table.
    resamples, seed : int
        Number of resampled populations and their seed.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``stay_share`` [fraction, missing without scores], sorted by ``customer_id``.
    """
    people = profile[["customer_id"]].sort_values("customer_id", kind="stable", ignore_index=True)
    own = people.merge(scores, on="customer_id", how="left")
    own["segment"] = classify_segments(own, rules=rules)
    chances = score_chances(profile, rules=rules, resamples=resamples, seed=seed)
    if chances.empty:
        return people.assign(stay_share=np.nan)
    own = own.merge(chances, on=["customer_id", "segment"], how="left")
    known = own[CELL].notna().all(axis=1)
    return people.assign(stay_share=own["segment_chance"].fillna(0.0).where(known))


def score_chances(
    profile: pd.DataFrame, *, rules: pd.DataFrame, cut_rule: CutRule = "halfway", resamples: int = 100, seed: int = 1
) -> pd.DataFrame:
    """Return in which segments each customer lands, and how often, when the cut points are taken on a resampled population.

    Parameters
    ----------
    profile : pandas.DataFrame
        Frame of `profile_customers` of the pooled population.
    rules : pandas.DataFrame
        Rule table.
    cut_rule : {"halfway", "rfm_r"}
        As in `fit_rfm_cuts`.
    resamples, seed : int
        Number of resampled populations and their seed.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``segment``, ``segment_chance`` [fraction above 0; they add up to 1 for each customer], sorted.
    """
    people = profile.sort_values("customer_id", kind="stable", ignore_index=True)
    grid = rule_grid(rules)
    names, codes = np.unique(grid.astype(str), return_inverse=True)
    codes = codes.reshape(grid.shape)
    counts, drawn = np.zeros((len(people), len(names))), 0
    for other in bootstrap_scores(people, rule=cut_rule, resamples=resamples, seed=seed):
        counts[np.arange(len(people)), codes[other[:, 0], other[:, 1], other[:, 2]]] += 1
        drawn += 1
    row, column = np.nonzero(counts)
    customer = people["customer_id"].to_numpy(dtype=object)[row]
    chance = counts[row, column] / max(drawn, 1)
    return pd.DataFrame({"customer_id": customer, "segment": names[column].astype(object), "segment_chance": chance})


def split_moves(customers: pd.DataFrame) -> pd.Series:
    """Return why each customer would stand in another segment than before, had the cut points moved with the population.

    Parameters
    ----------
    customers : pandas.DataFrame
        ``segment_then_own_cuts`` (then, by the cut points of then), ``segment_then`` (then, by those of now), ``segment`` (now);
        missing or "" where the customer had no order in that date's window.

    Returns
    -------
    pandas.Series
        "none", "customer" (it did something else: another segment by the same cut points), "threshold" (it stayed, the cut points
        moved past it), "both"; index as in `customers`.

    Notes
    -----
    Reported by moving cut points a change is segment_then_own_cuts → segment. Its first leg, segment_then_own_cuts →
    segment_then, is the thresholds' doing, its second the customer's.
    """
    names = ("segment_then_own_cuts", "segment_then", "segment")
    first, then, now = (customers[name].astype(object).where(customers[name].notna(), "") for name in names)
    customer, threshold = then != now, (first != then) & (first != "") & (then != "")
    cause = np.select([customer & threshold, customer, threshold], ["both", "customer", "threshold"], default="none")
    return pd.Series(cause.astype(object), index=customers.index, name="move_cause")
