"""Scores 1 to 5 for recency, frequency and money, by cut points taken once on the whole population."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

MEASURES = {"days_since_last_order": "r_score", "orders": "f_score", "value": "m_score"}
CutRule = Literal["halfway", "rfm_r"]
SCORES = 5


def fit_rfm_cuts(profile: pd.DataFrame, *, rule: CutRule = "halfway") -> pd.DataFrame:
    """Return the four cut points of each measure, taken on all customers with an order in the window.

    Parameters
    ----------
    profile : pandas.DataFrame
        Frame of `profile_customers` of the *pooled* population: ``days_since_last_order`` [days], ``orders`` [count], ``value``
        [money].
    rule : {"halfway", "rfm_r"}
        "halfway": the k-th cut lies half-way between the value that the k-th fifth of the customers reaches and the next larger
        value that occurs. Nobody stands on a cut, so customers of equal value always get the same score, whatever the order of
        rows; where one value fills more than a fifth, two cuts coincide and the scores between them cannot occur
        (`unreachable_scores`). "rfm_r": the R package rfm: interpolated quantile (type 7) plus 1, a value on the cut gets the
        higher score; it depends on the unit of money and is here for comparison.

    Returns
    -------
    pandas.DataFrame
        ``measure``, ``cut`` (1 to 4), ``cut_value``, ``rule``, ``customers`` [count that the cuts were taken on]; without
        customers no row.

    Notes
    -----
    Cut values are midpoints, so no single customer's money can be read off them.
    """
    people = profile.loc[profile["orders"] > 0]
    parts = []
    for measure in MEASURES:
        values = np.sort(people[measure].to_numpy(dtype="float64"))
        if not len(values):
            continue
        cuts = _cut(values, rule)
        parts.append(pd.DataFrame({"measure": measure, "cut": np.arange(1, SCORES), "cut_value": cuts}))
    names = ["measure", "cut", "cut_value"]
    result = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({n: pd.Series(dtype="float64") for n in names})
    return result.assign(rule=rule, customers=len(people))


def score_rfm(profile: pd.DataFrame, *, cuts: pd.DataFrame) -> pd.DataFrame:
    """Return each customer's scores, 5 the best: few days since the last order, many orders, much money.

    Parameters
    ----------
    profile : pandas.DataFrame
        ``customer_id``, ``days_since_last_order`` [days], ``orders`` [count], ``value`` [money].
    cuts : pandas.DataFrame
        Frame of `fit_rfm_cuts`, of this or an earlier date.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``r_score``, ``f_score``, ``m_score`` [1 to 5, missing where there are no cuts or no order ever], sorted.

    Notes
    -----
    The score of orders and money is 1 + the number of cuts that the value exceeds; of days it is 5 − the number of cuts exceeded.

    Examples
    --------
    Ten customers with 1 to 10 orders: two in each fifth.

    >>> people = pd.DataFrame({"customer_id": list("abcdefghij"), "orders": range(1, 11)})
    >>> people = people.assign(days_since_last_order=people["orders"] * 10.0, value=people["orders"] * 7.0)
    >>> score_rfm(people, cuts=fit_rfm_cuts(people))["f_score"].tolist()
    [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    """
    result = profile[["customer_id"]].copy()
    for measure, score in MEASURES.items():
        rows = cuts.loc[cuts["measure"] == measure].sort_values("cut")
        side: Literal["left", "right"] = "right" if (rows["rule"] == "rfm_r").any() else "left"
        values = profile[measure].to_numpy(dtype="float64")
        steps = np.searchsorted(rows["cut_value"].to_numpy(dtype="float64"), values, side=side)
        points = SCORES - steps if score == "r_score" else 1 + steps
        known = ~np.isnan(values) & (len(rows) > 0)
        result[score] = pd.Series(points, index=result.index).astype("Int64").where(pd.Series(known, index=result.index))
    return result.sort_values("customer_id", kind="stable", ignore_index=True)


def unreachable_scores(cuts: pd.DataFrame) -> pd.DataFrame:
    """Return the scores that cannot occur because cut points coincide: ``score_name``, ``score``; sorted.

    Examples
    --------
    Half the customers have one order: the first two cuts both lie between 1 and 2, and nobody can score 2.

    >>> people = pd.DataFrame({"customer_id": list("abcdefgh"), "orders": [1, 1, 1, 1, 2, 3, 4, 5]})
    >>> people = people.assign(days_since_last_order=range(8), value=range(8))
    >>> unreachable_scores(fit_rfm_cuts(people)).values.tolist()
    [['f_score', 2]]
    """
    found: list[tuple[str, int]] = []
    for measure, score in MEASURES.items():
        values = cuts.loc[cuts["measure"] == measure].sort_values("cut")["cut_value"].to_numpy(dtype="float64")
        places = np.flatnonzero(np.diff(values) <= 0)
        found += [(score, int(SCORES - 1 - place if score == "r_score" else place + 2)) for place in places]
    return pd.DataFrame(sorted(found), columns=["score_name", "score"])


def bootstrap_scores(
    profile: pd.DataFrame, *, rule: CutRule = "halfway", resamples: int = 100, seed: int = 1
) -> Iterator[np.ndarray]:
    """Yield the scores of every row of `profile` under the cut points of one resampled population after another.

    Parameters
    ----------
    profile : pandas.DataFrame
        As in `fit_rfm_cuts`.
    rule : {"halfway", "rfm_r"}
        As in `fit_rfm_cuts`.
    resamples : int
        Number of resampled populations, each as large as the real one [count].
    seed : int
        Seed of the resampling.

    Yields
    ------
    numpy.ndarray
        Shape (rows, 3): scores of recency, frequency and money; nothing is yielded without customers.
    """
    people = profile.loc[profile["orders"] > 0].sort_values("customer_id", kind="stable")
    generator = np.random.default_rng(seed)
    for _ in range(resamples if len(people) else 0):
        drawn = generator.integers(0, len(people), size=len(people))
        scores = np.empty((len(profile), len(MEASURES)), dtype="int64")
        for place, (measure, score) in enumerate(MEASURES.items()):
            cuts = _cut(np.sort(people[measure].to_numpy(dtype="float64")[drawn]), rule)
            side: Literal["left", "right"] = "right" if rule == "rfm_r" else "left"
            steps = np.searchsorted(cuts, profile[measure].to_numpy(dtype="float64"), side=side)
            scores[:, place] = SCORES - steps if score == "r_score" else 1 + steps
        yield scores


def _cut(values: np.ndarray, rule: CutRule) -> np.ndarray:
    """Return the four cuts of sorted values by a rule."""
    return _halfway(values) if rule == "halfway" else np.asarray(np.quantile(values, np.arange(1, SCORES) / SCORES) + 1)


def _halfway(values: np.ndarray) -> np.ndarray:
    """Return the four cuts of sorted values."""
    count = len(values)
    places = -(-np.arange(1, SCORES) * count // SCORES) - 1  # the smallest number of customers that is at least k fifths
    at = values[np.maximum(places, 0)]
    larger = values[np.minimum(np.searchsorted(values, at, side="right"), count - 1)]
    return np.asarray((at + larger) / 2)
