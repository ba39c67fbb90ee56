"""Who moved between two dates, and how firmly a customer sits in its segment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.segmentation.rfm import bootstrap_scores
from cmi_analysis.segmentation.rules import CELL, rule_grid

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
    people = profile.sort_values("customer_id", kind="stable", ignore_index=True)
    own = people[["customer_id"]].merge(scores, on="customer_id", how="left")
    known = own[CELL].notna().all(axis=1).to_numpy()
    grid = rule_grid(rules)
    codes = np.unique(grid.astype(str), return_inverse=True)[1].reshape(grid.shape)
    points = own[CELL].astype("Int64").fillna(0).to_numpy(dtype="int64")
    segment = codes[points[:, 0], points[:, 1], points[:, 2]]
    kept, drawn = np.zeros(len(people)), 0
    for other in bootstrap_scores(people, resamples=resamples, seed=seed):
        kept += codes[other[:, 0], other[:, 1], other[:, 2]] == segment
        drawn += 1
    share = np.where(known, kept / max(drawn, 1), np.nan) if drawn else np.full(len(people), np.nan)
    return pd.DataFrame({"customer_id": people["customer_id"], "stay_share": share})
