"""The arithmetic of the plan on the demo's items: promised against simulated service on one and the same distribution.

Demand of a day is negative binomial with a seventh of the week's mean and variance; lead times are the agreed days, fixed or with
the delays that the demo plants; review periods and packs are the demo's own. Orders up to a level go in packs; batches are two
and a half times the demand of a review period.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.demo import layout as lay
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.lead_time_demand import fit_lead_time_demand
from cmi_analysis.inventory.levels import fit_policies
from cmi_analysis.inventory.lost_sales import score_lost_sales
from cmi_analysis.inventory.lost_sales_promise import lower_to_lost_sales
from cmi_analysis.inventory.policy_rules import make_rules
from cmi_analysis.inventory.simulation import simulate_policies

DELAYS = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
DELAY_CHANCES = np.array([0.04, 0.86, 0.04, 0.025, 0.02, 0.01, 0.005])
"""As `demo.terms` plants them [days]."""
RUNS, WARM_UP, LOST_WARM_UP = 4, 91, 364
CHAIN_ITEMS, CHAIN_LEVEL = 5, 90
"""Items of a class whose lost sales are held against the exact chain, and their highest level [units]."""


@dataclass(frozen=True)
class Days:
    """Items day by day: class, mean and variance of a day's demand, lead times and chances, review period, pack."""

    kind: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    days: np.ndarray
    chances: np.ndarray
    review: np.ndarray
    pack: np.ndarray

    def of(self, rows: np.ndarray) -> Days:
        """Return some of the items."""
        return Days(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def set_days(table: pd.DataFrame, mean: np.ndarray, variance: np.ndarray, *, agreed: np.ndarray, fixed: bool) -> Days:
    """Return the items by day from a week's mean and variance and the agreed lead time [days]."""
    late, chance = (np.zeros(1), np.ones(1)) if fixed else (DELAYS, DELAY_CHANCES)
    days = agreed[:, None] + late
    review, pack = table["review_days"].to_numpy(), table["pack"].to_numpy()
    spread = np.maximum(variance, mean) / 7
    return Days(table["kind"].to_numpy(), mean / 7, spread, days, np.tile(chance, (len(days), 1)), review, pack)


def fit_days(items: Days, *, targets: Sequence[float], batched: bool) -> list[pd.DataFrame]:
    """Return the plan's policies for each target: order up to a level in packs, or batches at a reorder point."""
    time = np.arange(items.days.max() + items.review.max() + 2)
    path = DemandPath(items.mean[:, None] * time, items.variance[:, None] * time, np.full(len(items.mean), "errors"))
    protection, lead = fit_lead_time_demand(path, days=items.days, chances=items.chances, review_days=items.review)
    wanted = 2.5 * items.mean * items.review if batched else np.full(len(items.mean), np.nan)
    terms = pd.DataFrame({"measure": "shelf_fill", "economic_order_quantity": wanted, "order_multiple": items.pack})
    terms = terms.assign(minimum_order_quantity=np.nan, maximum_stock=np.nan, horizon_demand=items.mean * 1e6)
    each = len(terms)
    return [fit_policies(terms, target=np.full(each, target), protection=protection, lead=lead) for target in targets]


def draw_demand(items: Days, *, periods: int, random: np.random.Generator) -> np.ndarray:
    """Draw negative binomial (Poisson where the variance is the mean) demand, items × periods × runs [units]."""
    shape = (len(items.mean), periods, RUNS)
    spread = items.variance > items.mean * (1 + 1e-9)
    more = np.where(spread, items.variance - items.mean, 1.0)
    rate = random.standard_gamma(np.where(spread, items.mean**2 / more, 1.0)[:, None, None], size=shape)
    rate *= (more / items.mean)[:, None, None]
    return random.poisson(np.where(spread[:, None, None], rate, items.mean[:, None, None])).astype("int32")


@dataclass(frozen=True)
class Run:
    """What one simulation did: demand, demand met, and the noise that is known without the policy, items × policies × runs."""

    demand: np.ndarray
    filled: np.ndarray
    noise: np.ndarray


def simulate_days(
    items: Days, trigger: np.ndarray, size: np.ndarray, *, periods: int, seed: int, lost_sales: bool = False
) -> Run:
    """Simulate policies by day; reviews start anywhere in their cycle, positions anywhere in theirs."""
    random, wait = np.random.default_rng(seed), LOST_WARM_UP if lost_sales else WARM_UP
    length = -(-periods // (len(items.mean) * RUNS))
    demand = draw_demand(items, periods=wait + length, random=random)
    place = (random.random(demand.shape)[..., None] > items.chances.cumsum(axis=1)[:, None, None, :-1]).sum(axis=3)
    lead = items.days[np.arange(len(items.mean))[:, None, None], place].astype("int64")
    review = items.review.astype("int64")[:, None]
    phase = random.integers(0, 10**6, size=(len(review), 1, RUNS)) % review[:, :, None]
    start = trigger[:, :, None] + np.floor(random.random((*trigger.shape, RUNS)) * size[:, :, None])
    rules = make_rules(trigger, target=trigger, multiple=size, review_period=review, review_phase=phase)
    at = np.maximum(start, 0.0) if lost_sales else start
    result = simulate_policies(demand, rules=rules, lead_time=lead, lost_sales=lost_sales, start=at, warm_up=wait)
    noise = _known_noise(items, demand, trigger, size, start, phase[:, 0], wait=wait)
    return Run(np.asarray(result.demand), np.asarray(result.filled), noise)


def _known_noise(
    items: Days, demand: np.ndarray, trigger: np.ndarray, size: np.ndarray, start: np.ndarray, phase: np.ndarray, *, wait: int
) -> np.ndarray:
    """Return a control variate: by how much the demand of each protected window, had every order the usual lead time, was short.

    Less what is expected of it, from scipy's negative binomial, given the position that backorders would leave at its review:
    its mean is zero whatever the policy does.
    """
    usual = items.days[np.arange(len(items.mean)), items.chances.argmax(axis=1)].astype("int64")[:, None, None]
    every, periods = items.review.astype("int64")[:, None, None], demand.shape[1]
    sums = np.concatenate([np.zeros((len(demand), 1, RUNS)), demand.cumsum(axis=1, dtype="float64")], axis=1)
    day = phase[:, None, :] + every * np.arange(periods // int(every.min()) + 1)[:, None]
    used = (day + usual + 1 >= wait) & (day + usual + every + 1 <= periods)

    def total(end: np.ndarray) -> np.ndarray:
        return np.take_along_axis(sums, np.minimum(end, periods), axis=1)

    noise = np.zeros(start.shape)
    for days, sign in ((usual + every, 1.0), (usual, -1.0)):
        mean = items.mean * days[:, 0, 0]
        window, before = total(day + days + 1) - total(day + 1), total(day + 1)
        for policy in range(trigger.shape[1]):
            first, batch = trigger[:, policy, None, None], size[:, policy, None, None]
            position = first + (start[:, policy, None, :] - first - before) % batch
            expected = _shortage(items, days[:, 0, 0], position)
            beyond = np.maximum(-position, 0.0) + np.where(position < 0, mean[:, None, None], expected)
            noise[:, policy] += sign * (used * (np.maximum(window - position, 0.0) - beyond)).sum(axis=1)
    return noise


def _shortage(items: Days, days: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return E(D − y)⁺ of negative binomial demand over some days, y the first axis by item; that at zero below it."""
    found = np.zeros(level.shape)
    for row, (mean, variance) in enumerate(zip(items.mean * days, items.variance * days, strict=True)):
        demand = counted(mean, variance)
        rare = demand.sf(np.arange(max(level[row].max(), demand.isf(1e-11)) + 2))
        found[row] = rare[::-1].cumsum()[::-1][np.maximum(level[row], 0).astype("int64")]
    return found


def counted(mean: float, variance: float) -> Any:
    """Return scipy's negative binomial distribution, Poisson where the variance is the mean."""
    more = variance - mean
    return scipy.stats.poisson(mean) if more <= 1e-9 * mean else scipy.stats.nbinom(mean**2 / more, mean / variance)


def compare(items: Days, policies: list[pd.DataFrame], targets: Sequence[float], **run: int | bool) -> pd.DataFrame:
    """Return promised, simulated, gap and the gap's standard error by class and target; promises weighted by expected demand."""
    rows = []
    for kind in np.unique(items.kind):
        chosen = np.flatnonzero(items.kind == kind)
        trigger, size, promised = (
            np.stack([policy[name].to_numpy()[chosen] for policy in policies], axis=1)
            for name in ("trigger", "order_quantity", "promised")
        )
        few = items.of(chosen)
        done = simulate_days(few, trigger, np.maximum(size, 1.0), **run)  # type: ignore[arg-type]
        rows += _by_target(few, done, promised, targets, periods=int(run["periods"]), kind=lay.CLASSES[kind])
    return pd.DataFrame(rows)


def _by_target(
    items: Days, done: Run, promised: np.ndarray, targets: Sequence[float], *, periods: int, kind: str
) -> list[dict[str, object]]:
    expected = (items.mean * -(-periods // (len(items.mean) * RUNS)))[:, None, None]
    short = done.demand - done.filled - done.noise
    rest = (1 - promised[:, :, None]) * expected - short
    total = expected.sum() * RUNS
    gap = rest.sum(axis=(0, 2)) / total
    error = np.sqrt((rest.var(axis=2, ddof=1) * RUNS).sum(axis=0)) / total
    promise = (promised * expected[:, :, 0]).sum(axis=0) / expected.sum()
    return [
        {"kind": kind, "target": target, "promised": promise[p], "simulated": promise[p] + gap[p], "gap": gap[p]}
        | {"error": error[p]}
        for p, target in enumerate(targets)
    ]


def compare_chain(
    items: Days, policies: list[pd.DataFrame], targets: Sequence[float], *, periods: int, seed: int
) -> pd.DataFrame:
    """Return the same with lost sales: `score_lost_sales` of the classes' smaller items against the simulator.

    Items whose chain is exact: one lead time, or all lead times below the review period; `exact` counts those solved.
    """
    highest = np.max([policy["trigger"] + policy["order_quantity"] for policy in policies], axis=0)
    parts = []
    for kind in np.unique(items.kind):
        exact = (items.days.max(axis=1) < items.review) | (items.days.shape[1] == 1)
        rows = np.flatnonzero((items.kind == kind) & (highest <= CHAIN_LEVEL) & exact)
        rows = rows[np.argsort(items.review[rows], kind="stable")]
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, CHAIN_ITEMS).astype(int))] if len(rows) else rows
        if not len(rows):
            continue
        few, scored = items.of(rows), []
        for policy in policies:
            own = policy.iloc[rows].reset_index(drop=True)
            own["trigger"] = np.maximum(own["trigger"], 1.0)
            found = pd.concat([_score_row(few, own, row) for row in range(len(rows))], ignore_index=True)
            scored.append(own.assign(promised=found["shelf_fill"], exact=found["method"] == "exact"))
        solved = [int(one["exact"].sum()) for one in scored]
        table = compare(few, scored, targets, periods=periods, seed=seed, lost_sales=True)
        parts.append(table.assign(exact=solved, items=len(rows)))
    return pd.concat(parts, ignore_index=True)


def _score_row(items: Days, policy: pd.DataFrame, row: int) -> pd.DataFrame:
    lead = np.zeros(int(items.days[row].max()) + 1)
    np.add.at(lead, items.days[row].astype("int64"), items.chances[row])
    terms = pd.DataFrame({"reorder_point": policy["trigger"] - 1, "order_quantity": policy["order_quantity"]}).iloc[[row]]
    demand = counted(items.mean[row], items.variance[row])
    daily = demand.pmf(np.arange(demand.isf(1e-11) + 2))
    daily /= daily.sum()
    return score_lost_sales(
        terms, daily_pmf=daily[None], lead_time_pmf=lead[None], review_days=int(items.review[row]), most_states=20_000
    )


def lower_days(items: Days, policies: list[pd.DataFrame], targets: Sequence[float], *, seed: int) -> list[pd.DataFrame]:
    """Return the plan's policies for lost sales, with the promise that the plan simulates."""
    known = {"daily_mean": items.mean, "daily_variance": items.variance, "days": items.days, "chances": items.chances}
    mean_lead = items.mean * (items.days * items.chances).sum(axis=1)
    return [
        lower_to_lost_sales(
            policy, target=np.full(len(policy), target), lead_mean=mean_lead, review_days=items.review, seed=seed, **known
        )
        for policy, target in zip(policies, targets, strict=True)
    ]
