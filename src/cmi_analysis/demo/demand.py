"""The hidden truth: what customers' own customers want, week by week, before any shelf is empty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo.layout import Layout, stream


@dataclass(frozen=True)
class Products:
    """Arrays over products: list price and cost [money/unit], popularity [weight], yearly growth [fraction]."""

    price: np.ndarray
    cost: np.ndarray
    popularity: np.ndarray
    growth: np.ndarray


@dataclass(frozen=True)
class Series:
    """Arrays over customer × product series of one pool (the groups that one warehouse serves).

    Attributes
    ----------
    customer, product, number, group : numpy.ndarray of int
        Index of the customer in `customer_ids`, of the product, the customer's number in its group, its group.
    customer_ids : list of str
    kind : numpy.ndarray of int
        Demand class as planted, index into `layout.CLASSES`.
    chance, demand_size, size_cv2 : numpy.ndarray of float
        Chance of demand in a week, mean size [units] where there is demand, its squared coefficient of variation.
    rate : numpy.ndarray of float, series × weeks
        Expected demand [units/week] including season, growth, promotion and life cycle.
    quantity : numpy.ndarray of float, series × weeks
        True demand [units].
    promoted : numpy.ndarray of bool, series × weeks
    """

    customer: np.ndarray
    product: np.ndarray
    number: np.ndarray
    group: np.ndarray
    customer_ids: list[str]
    kind: np.ndarray
    chance: np.ndarray
    demand_size: np.ndarray
    size_cv2: np.ndarray
    rate: np.ndarray
    quantity: np.ndarray
    promoted: np.ndarray


def draw_products(layout: Layout) -> Products:
    """Draw price, cost, popularity and growth of each product from its own stream."""
    rows = []
    for product_id in layout.product_ids:
        rng = stream(layout.seed, "product", product_id)
        price = round(float(np.exp(rng.normal(2.7, 0.5))), 2)
        rows.append((price, round(price * rng.uniform(0.55, 0.75), 2), np.exp(rng.normal(0, 0.5)), rng.normal(0, 0.05)))
    table = np.array(rows)
    return Products(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def season(category: str) -> np.ndarray:
    """Return the planted seasonal factor of each week of the history (mean about 1 over a year)."""
    amplitude, peak = lay.SEASON[category]
    weeks = pd.DatetimeIndex(lay.day(np.arange(lay.WEEKS) * 7 + 3)).day_of_year.to_numpy() / 7.0
    return 1.0 + amplitude * np.cos(2 * np.pi * (weeks - peak) / 52.18)


def market(layout: Layout) -> np.ndarray:
    """Return the market index by week, a slow common shock on all demand (first-order autoregression, sd about 0.08)."""
    rng = stream(layout.seed, "market")
    shocks = rng.normal(0, 0.03, lay.WEEKS)
    level, out = 0.0, np.empty(lay.WEEKS)
    for week in range(lay.WEEKS):
        level = 0.92 * level + shocks[week]
        out[week] = np.exp(level)
    return out


def draw_promotions(layout: Layout) -> pd.DataFrame:
    """Draw two-week promotions with their true lift.

    Returns
    -------
    pandas.DataFrame
        promotion_id, product (index), group (index or -1 = all), week (first), weeks, lift [factor], dip [factor of the two
        weeks after], discount [fraction].
    """
    rng = stream(layout.seed, "promotions")
    shape = layout.size
    free = [p for p in range(shape.products) if p not in (layout.new_product, layout.ending_product, *layout.short_products)]
    chosen = sorted(rng.choice(free, size=max(8, shape.products // 3), replace=False).tolist())
    rows = []
    for product in chosen:
        for year in range(3):
            group = int(rng.integers(min(shape.groups, 7))) if rng.random() < 0.25 else -1
            week = int(rng.integers(6, 46)) + 52 * year
            rows.append(
                (product, group, week, 2, round(float(rng.uniform(1.5, 2.2)), 2), 0.85, float(rng.choice([0.1, 0.15, 0.2])))
            )
    frame = pd.DataFrame(rows, columns=["product", "group", "week", "weeks", "lift", "dip", "discount"])
    frame.insert(0, "promotion_id", [f"PR{n + 1:03d}" for n in range(len(frame))])
    return frame


def _carried(layout: Layout, products: Products, cust: str, number: int) -> np.ndarray:
    """Choose the products that a customer carries; the larger ones always carry the planted products."""
    rng = stream(layout.seed, "assortment", cust)
    count = min(lay.TIER_BREADTH[number % 6] * layout.size.breadth, layout.size.products)
    keys = np.log(rng.random(layout.size.products)) / products.popularity
    if number % 6 <= 2:
        keys[[layout.new_product, layout.ending_product]] = 1.0
    if number % 6 <= 1:
        keys[list(layout.short_products)] = 0.5
    return np.sort(np.argsort(-keys, kind="stable")[:count])


def _kinds(rng: np.random.Generator, number: int, count: int) -> np.ndarray:
    """Give each series of a customer a demand class, by systematic sampling of its tier's shares."""
    points = (rng.permutation(count) + rng.random()) / count
    return np.minimum(np.searchsorted(np.cumsum(lay.TIER_CLASSES[number % 6]), points, side="right"), 3)


def _profile(layout: Layout, products: Products, cust: str, number: int, carried: np.ndarray) -> dict[str, np.ndarray]:
    """Draw class, chance, size and its variation for each series of one customer."""
    rng = stream(layout.seed, "profile", cust)
    count = len(carried)
    kind = _kinds(rng, number, count)
    regular = kind <= 1
    chance = np.where(regular, np.where(kind == 0, 1.0, rng.uniform(0.9, 1.0, count)), rng.uniform(0.14, 0.52, count))
    quiet = np.where(kind == 0, rng.uniform(0.03, 0.12, count), rng.uniform(0.05, 0.20, count))
    cv2 = np.where(
        (kind == 0) | (kind == 2), quiet, np.where(kind == 1, rng.uniform(0.8, 1.3, count), rng.uniform(1.1, 2.0, count))
    )
    money = 650.0 * lay.TIER_VALUE[number % 6] * np.exp(rng.normal(0, 0.35, count)) * np.where(regular, 1.6, 0.8)
    size = np.clip(money / products.price[carried] / chance, 2.5, None)
    size = np.where(kind == 0, np.maximum(size, 6.0), np.where((kind == 1) | (kind == 3), np.maximum(size, 6.0), size))
    growth = rng.normal(0, 0.06)
    return {"kind": kind, "chance": chance, "demand_size": size, "size_cv2": cv2, "growth": np.full(count, growth)}


def _factors(
    layout: Layout, products: Products, promotions: pd.DataFrame, index: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the factor on the base rate (season, growth, market, promotion, life cycle) and the promotion flag by week."""
    product, group = index["product"], index["group"]
    years = (np.arange(lay.WEEKS) - lay.WEEKS / 2) / 52.0
    seasons = {category: season(category) for category in lay.CATEGORIES}
    by_product = np.stack([seasons[layout.category(p)] for p in range(layout.size.products)])
    growth = np.exp((products.growth[product] + index["growth"])[:, None] * years)
    factor = by_product[product] * growth * market(layout)
    promoted = np.zeros(factor.shape, dtype=bool)
    for row in promotions.itertuples():
        hit = (product == row.product) & ((row.group < 0) | (group == row.group))
        last = row.week + row.weeks
        factor[hit, row.week : last] *= row.lift
        factor[hit, last : last + 2] *= row.dip
        promoted[hit, row.week : last] = True
    factor[product == layout.new_product, : lay.LAUNCH_WEEK] = 0.0
    ramp = np.clip((np.arange(lay.WEEKS) - lay.LAUNCH_WEEK + 3) / 12.0, 0.0, 1.0)
    fade = np.clip((lay.FADE_WEEKS[1] - np.arange(lay.WEEKS)) / (lay.FADE_WEEKS[1] - lay.FADE_WEEKS[0]), 0.0, 1.0)
    factor[product == layout.new_product] *= ramp
    factor[product == layout.ending_product] *= fade
    leaving = index["leaving"].astype(bool)
    gone = np.clip((lay.LEAVING_WEEK + lay.GONE_WEEKS - np.arange(lay.WEEKS)) / lay.GONE_WEEKS, 0.0, 1.0)
    factor[leaving] *= gone
    return factor, promoted


def _sizes(rng: np.random.Generator, mean: np.ndarray, cv2: np.ndarray) -> np.ndarray:
    """Draw gamma demand sizes [whole units, at least 1] with the given mean and squared coefficient of variation."""
    shape = 1.0 / cv2[:, None]
    return np.maximum(np.rint(rng.standard_gamma(np.broadcast_to(shape, mean.shape)) * mean / shape), 1.0)


def draw_series(layout: Layout, products: Products, promotions: pd.DataFrame, groups: list[int]) -> Series:
    """Draw the true demand of all series of some groups, each customer from its own streams."""
    parts: list[dict[str, np.ndarray]] = []
    ids: list[str] = []
    for group in groups:
        for number, cust in enumerate(layout.customer_ids(group)):
            carried = _carried(layout, products, cust, number)
            part = _profile(layout, products, cust, number, carried)
            part |= {"product": carried, "customer": np.full(len(carried), len(ids)), "number": np.full(len(carried), number)}
            part |= {"group": np.full(len(carried), group), "leaving": np.full(len(carried), cust == layout.roles["leaving"])}
            parts.append(part)
            ids.append(cust)
    index = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    factor, promoted = _factors(layout, products, promotions, index)
    regular = index["kind"] <= 1
    share = np.where(regular[:, None], 1.0, np.sqrt(factor))
    chance = np.clip(
        np.where(regular[:, None], (factor > 0) * index["chance"][:, None], index["chance"][:, None] * share), 0.0, 1.0
    )
    mean = index["demand_size"][:, None] * np.where(regular[:, None], factor, share)
    quantity = np.zeros(factor.shape)
    for number, cust in enumerate(ids):
        rows = np.flatnonzero(index["customer"] == number)
        rng = stream(layout.seed, "demand", cust)
        quantity[rows] = _sizes(rng, mean[rows], index["size_cv2"][rows]) * (rng.random((len(rows), lay.WEEKS)) < chance[rows])
    names = ("customer", "product", "number", "group", "kind", "chance", "demand_size", "size_cv2")
    return Series(customer_ids=ids, rate=chance * mean, quantity=quantity, promoted=promoted, **{n: index[n] for n in names})
