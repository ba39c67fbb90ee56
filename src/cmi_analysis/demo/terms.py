"""What is agreed with each customer and each supplier: rhythm, packs, lead times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo.demand import Products, Series
from cmi_analysis.demo.layout import Layout, stream

PACKS = np.array([1, 2, 5, 6, 10, 12, 20, 24, 48, 60, 96])


@dataclass(frozen=True)
class Terms:
    """Terms of each series of a pool, and the random events that the simulation uses.

    Attributes
    ----------
    pack, minimum : numpy.ndarray of float
        Order multiple and least order [units].
    review, phase, weekday, lead : numpy.ndarray of int
        Weeks between a customer's orders, first such week, day of the week (0 = Monday), agreed lead time [days].
    safety : numpy.ndarray of float
        The customer's own safety factor [standard deviations].
    noise : numpy.ndarray of float, series × weeks
        Human factor on the order-up-to level.
    delay : numpy.ndarray of int, series × weeks
        Days that a truck is late (+) or early (−); one truck for each customer and week.
    cancelled : numpy.ndarray of bool, series × weeks
        Order lines that the customer cancels on the next day.
    refused : numpy.ndarray of bool, series × weeks
        Order lines of which we cancel half on the next day if the product is in short supply.
    return_share : numpy.ndarray of float, series × weeks
        Share of what arrives in a week that goes back a week later.
    miscount : numpy.ndarray of float, series × weeks
        What a count finds less (−) or more (+) than the book [units].
    """

    pack: np.ndarray
    minimum: np.ndarray
    review: np.ndarray
    phase: np.ndarray
    weekday: np.ndarray
    lead: np.ndarray
    safety: np.ndarray
    noise: np.ndarray
    delay: np.ndarray
    cancelled: np.ndarray
    refused: np.ndarray
    return_share: np.ndarray
    miscount: np.ndarray


@dataclass(frozen=True)
class Suppliers:
    """Arrays over suppliers: mean lead time [days], its cv, share late, promised lead time [days]; and who supplies what."""

    mean: np.ndarray
    cv: np.ndarray
    late: np.ndarray
    promised: np.ndarray
    of_product: np.ndarray


def draw_suppliers(layout: Layout) -> Suppliers:
    """Draw the suppliers; the promise is the lead time's quantile at which the planted share is late."""
    from scipy.special import gammaincinv

    rng = stream(layout.seed, "suppliers")
    cv = rng.permutation(np.array([0.45, 0.55, 0.65, 0.8, 0.95, 1.1]))
    mean = rng.permutation(np.array([16.0, 20.0, 23.0, 26.0, 30.0, 36.0]))
    late = np.full(lay.SUPPLIERS, 0.065)
    late[layout.late_supplier] = 0.36
    promised = np.rint(gammaincinv(1 / cv**2, 1 - late) * mean * cv**2)
    return Suppliers(mean, cv, late, promised, rng.permutation(layout.size.products) % lay.SUPPLIERS)


def _safety(layout: Layout, cust: str, rng: np.random.Generator) -> float:
    drawn = float(rng.uniform(1.7, 3.2))
    planted = {"understocked": 0.2, "overstocked": 8.0, "biased_forecast": 3.2}
    return {layout.roles[role]: level for role, level in planted.items()}.get(cust, drawn)


def draw_terms(layout: Layout, products: Products, series: Series) -> Terms:
    """Draw the terms of every series and its random events, each customer from its own stream."""
    parts = []
    for number, cust in enumerate(series.customer_ids):
        rows = np.flatnonzero(series.customer == number)
        rng, count = stream(layout.seed, "terms", cust), len(rows)
        batching = cust == layout.roles["batching"]
        review = int(rng.choice([1, 2, 4], p=[0.4, 0.4, 0.2]))
        review = {layout.roles["batching"]: 8, layout.roles["leaving"]: 1}.get(cust, review)
        weekly = series.chance[rows] * series.demand_size[rows]
        pack = PACKS[np.abs(np.log(PACKS[None, :] / np.maximum(weekly * 0.7, 1.0)[:, None])).argmin(axis=1)].astype(float)
        late = rng.choice([-1, 0, 1, 2, 3, 5, 8], p=[0.04, 0.86, 0.04, 0.025, 0.02, 0.01, 0.005], size=lay.WEEKS)
        returned = (rng.random((count, lay.WEEKS)) < 0.108) * rng.uniform(0.4, 1.0, (count, lay.WEEKS))
        counted = (np.arange(lay.WEEKS) % 13 == 12) & (rng.random((count, lay.WEEKS)) < 0.15)
        part = {
            "pack": pack,
            "minimum": pack * (4.0 if batching else rng.choice([1.0, 2.0], size=count, p=[0.8, 0.2])),
            "review": np.full(count, review),
            "phase": np.full(count, int(rng.integers(review))),
            "weekday": np.full(count, int(rng.integers(4))),
            "lead": np.full(count, int(rng.integers(3, 11))),
            "safety": np.full(count, _safety(layout, cust, rng)),
            "noise": np.exp(rng.normal(0, 0.12, (count, lay.WEEKS))),
            "delay": np.tile(late, (count, 1)),
            "cancelled": rng.random((count, lay.WEEKS)) < 0.01,
            "refused": rng.random((count, lay.WEEKS)) < 0.2,
            "return_share": returned,
            "miscount": counted * rng.choice([-2.0, -1.0, 1.0], size=(count, lay.WEEKS)),
        }
        parts.append(part)
    return Terms(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
