"""Groups beside one another: one scale, totals that are ratios of sums, changes since the last run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

# what a plan sets out to keep is no result
PROMISES = ("shelf_fill_promised",)
# what comes first where no profit effect tells
_NOTEBOOKS = ("inventory_policy", "performance_review", "forecasting", "segmentation")
STATUS_RANK = {"none": 0, "good": 1, "warn": 2, "bad": 3}


def score_groups(groups: pd.DataFrame, cards: pd.DataFrame) -> pd.DataFrame:
    """Return all groups, worst first, on one scale.

    The scale is the mean relative miss over a group's cards that have a target and a verdict: a card that meets its target counts
    0, one that is a quarter of the target away counts 25, and no card more than 100; what a plan promises is no result and does
    not count. Equal groups are ordered by the verdict and badness of their worst report. Groups without such a card come last
    and are not rated.

    Parameters
    ----------
    groups : DataFrame
        One row per published report: group, title, notebook, status, badness, headline, as_of.
    cards : DataFrame
        Columns group, key, value, target, direction, status.

    Returns
    -------
    DataFrame
        Columns group, title, status (the worst of its reports), score [percent of the target], misses, rated, notebook and
        headline (of the worst report), reports, as_of.
    """
    columns = ["group", "title", "status", "score", "misses", "rated", "notebook", "headline", "reports", "as_of"]
    if groups.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    rank = groups["status"].map(STATUS_RANK).fillna(0)
    ordered = groups.assign(rank=rank).sort_values(
        ["group", "rank", "badness", "notebook"], ascending=[True, False, False, True], kind="stable"
    )
    worst = ordered.groupby("group", sort=True).head(1).set_index("group")
    worst["reports"] = groups.groupby("group").size()
    cards = cards[~cards["key"].isin(PROMISES)]
    rated = cards[cards["status"].isin(["good", "warn", "bad"]) & cards["value"].notna() & (cards["target"].abs() > 0)]
    missed = rated.assign(miss=_miss(rated), off=(rated["status"] != "good").astype(int))
    score = missed.groupby("group").agg(score=("miss", "mean"), misses=("off", "sum"), rated=("off", "size"))
    out = worst.join(score).reset_index().fillna({"misses": 0, "rated": 0}).astype({"misses": int, "rated": int})
    out["score"] = out["score"] * 100
    order = ["score", "misses", "rank", "badness", "group"]
    out = out.sort_values(order, ascending=[False, False, False, False, True], na_position="last", kind="stable")
    return out[columns].reset_index(drop=True)


def _miss(cards: pd.DataFrame) -> pd.Series:
    """Return by how much of its target each card misses it; 0 where its verdict is good."""
    off = (cards["value"] - cards["target"]) / cards["target"].abs()
    miss = pd.Series(
        np.select([cards["direction"] == "higher", cards["direction"] == "lower"], [-off, off], off.abs()), cards.index
    )
    return miss.clip(0, 1).where(cards["status"] != "good", 0.0)


def choose_disjoint_groups(groups: list[str], members: pd.DataFrame | None) -> list[str]:
    """Return the groups that totals add up, so that no customer counts twice: largest first, each only if it shares nobody.

    Parameters
    ----------
    groups : list of str
        Groups with a report.
    members : DataFrame or None
        Columns group, customer_id; None: the groups are taken as disjoint, as they are when they follow customers.customer_group.

    Examples
    --------
    >>> members = pd.DataFrame({"group": ["all", "all", "a", "b"], "customer_id": ["1", "2", "1", "3"]})
    >>> choose_disjoint_groups(["a", "all", "b"], members)
    ['all', 'b']
    """
    if members is None or members.empty:
        return sorted(groups)
    own = {name: set(members.loc[members["group"] == name, "customer_id"]) for name in groups}
    taken: set[str] = set()
    chosen = []
    for name in sorted(groups, key=lambda group: (-len(own[group]), group)):
        if not own[name] & taken:
            chosen.append(name)
            taken |= own[name]
    return sorted(chosen)


def sum_cards(cards: pd.DataFrame) -> pd.DataFrame:
    """Return each card over all groups: Σ numerator / Σ denominator, or Σ numerator where a card is a total.

    Parameters
    ----------
    cards : DataFrame
        Columns group, key, kind, direction, value, n, numerator, denominator, target of one notebook, no customer in two groups.

    Returns
    -------
    DataFrame
        Columns key, kind, direction, value, numerator, denominator, n, target, groups: groups with a value. The target is the
        groups' targets weighted by their denominators, missing unless every group with a value has one.
    """
    columns = ["key", "kind", "direction", "value", "numerator", "denominator", "n", "target", "groups"]
    known = cards[cards["value"].notna() & cards["numerator"].notna()]
    if known.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    weighted = known.assign(goal=known["target"] * known["denominator"], untold=known["target"].isna())
    total = weighted.groupby("key", sort=True).agg(
        kind=("kind", "first"),
        direction=("direction", "first"),
        numerator=("numerator", "sum"),
        denominator=("denominator", lambda parts: parts.sum(min_count=1)),
        n=("n", "sum"),
        goal=("goal", "sum"),
        untold=("untold", "any"),
        groups=("group", "nunique"),
    )
    ratio = total["denominator"].notna()
    total["value"] = (total["numerator"] / total["denominator"]).where(ratio, total["numerator"])
    total["target"] = (total["goal"] / total["denominator"]).where(~total["untold"] & ratio)
    return total.reset_index()[columns]


def compare_runs(cards: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """Return the cards that changed since the run before, largest relative change first.

    Parameters
    ----------
    cards, previous : DataFrame
        Columns group, notebook, key, kind, direction, value.

    Returns
    -------
    DataFrame
        Columns group, notebook, key, kind, before, value, change, verdict (``good``, ``bad``, ``none``).
    """
    columns = ["group", "notebook", "key", "kind", "before", "value", "change", "verdict"]
    if cards.empty or previous.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    where = ["group", "notebook", "key"]
    both = cards.merge(previous[[*where, "value"]].rename(columns={"value": "before"}), on=where)
    both = both[both["value"].notna() & both["before"].notna()]
    both = both.assign(change=both["value"] - both["before"])
    both = both[both["change"].abs() > 1e-9 * both["before"].abs().clip(lower=1e-9)]
    better = np.where(both["direction"] == "higher", both["change"] > 0, both["change"] < 0)
    both["verdict"] = np.where(both["direction"] == "band", "none", np.where(better, "good", "bad"))
    both["size"] = -(both["change"].abs() / both["before"].abs().clip(lower=1e-9))
    return both.sort_values(["size", *where], kind="stable")[columns].reset_index(drop=True)


def rank_actions(actions: pd.DataFrame, *, most: int, groups: Sequence[str] = ()) -> pd.DataFrame:
    """Return the first `most` actions of all groups: by our expected profit effect, then by one-off cash, never their sum.

    Where neither is known each group's first action comes before any second one, those with a date before the others, orders
    of stock before talks, and the groups in the order of `groups`. The rows of one report are in its page's order.
    """
    place = {name: number for number, name in enumerate(groups)}
    late = len(_NOTEBOOKS)
    rows = actions.assign(
        place=actions["group"].map(place).fillna(len(place)),
        kind=actions["notebook"].map({name: number for number, name in enumerate(_NOTEBOOKS)}).fillna(late),
        number=actions.groupby(["group", "notebook"], sort=True).cumcount(),
    )
    due = rows["due_on"].fillna("").astype(str) if "due_on" in rows else pd.Series("", index=rows.index)
    rows = rows.assign(undated=due == "")
    rows = rows.sort_values(["place", "group", "undated", "kind", "notebook", "number"], kind="stable")
    rows = rows.assign(turn=rows.groupby("group", sort=True).cumcount())
    rows = rows.assign(
        first=-rows["effect"].astype(float).fillna(-np.inf),
        second=-rows["cash_ours"].astype(float).abs().fillna(-1.0),
        third=-rows["cash_customer"].astype(float).abs().fillna(-1.0),
    )
    order = ["first", "second", "third", "turn", "place", "group", "text"]
    chosen = rows.sort_values(order, kind="stable").head(most)
    return chosen.drop(columns=[*order[:5], "kind", "number", "undated"]).reset_index(drop=True)
