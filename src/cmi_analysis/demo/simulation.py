"""The two stocks, week by week: arrays over series and products, a Python loop over time only.

Order of events in a week: (1) customers look at the stock of last Sunday and order on their weekday; (2) the warehouse ships from
its stock of last Sunday, old open quantities first, each in proportion where there is too little; (3) trucks arrive; (4) the site
sells what it has; (5) goods go back, counts are booked, goods move between the sites of one account; (6) suppliers' deliveries
are booked at our warehouse; (7) our buyer orders on Friday.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo.demand import Series
from cmi_analysis.demo.layout import Layout, stream
from cmi_analysis.demo.terms import PACKS, Suppliers, Terms

HORIZON = lay.WEEKS + 60
BUYER_WEEKDAY = 4


@dataclass
class Record:
    """What the simulation writes down: arrays series × weeks at the sites, products × weeks at the warehouse [units].

    `cancelled_by_us` and `cancelled_by_customer` are parts of `ordered`; `shipped_old` serves orders of earlier weeks,
    `shipped_new` the week's own; `bought`, `bought_days`, `bought_received` describe the buyer's orders of the week (lead time in
    days).
    """

    on_hand: np.ndarray
    received: np.ndarray
    sold: np.ndarray
    returned: np.ndarray
    moved: np.ndarray
    miscounted: np.ndarray
    on_order: np.ndarray
    ordered: np.ndarray
    cancelled_by_customer: np.ndarray
    cancelled_by_us: np.ndarray
    shipped_old: np.ndarray
    shipped_new: np.ndarray
    arrivals: np.ndarray
    house: np.ndarray
    house_on_order: np.ndarray
    house_reserved: np.ndarray
    bought: np.ndarray
    bought_days: np.ndarray
    bought_received: np.ndarray
    moves: list[tuple[int, int, int, float]] = field(default_factory=list)


def _blank(series: int, products: int) -> Record:
    house = ("house", "house_on_order", "house_reserved", "bought", "bought_days", "bought_received")
    arrays = {name: np.zeros((products, lay.WEEKS)) for name in house}
    sites = [name for name in Record.__dataclass_fields__ if name not in (*house, "moves", "arrivals")]
    arrays |= {name: np.zeros((series, lay.WEEKS)) for name in sites}
    return Record(**arrays, arrivals=np.zeros((series, HORIZON)), moves=[])


def new_arrival_day(terms: Terms, week: int) -> np.ndarray:
    """Day [since the first Monday] on which goods ordered and shipped in `week` arrive."""
    start = week * 7 + terms.weekday
    return np.maximum(start + terms.lead + terms.delay[:, week], start + 2)


def old_arrival_day(terms: Terms, week: int) -> np.ndarray:
    """Day on which goods shipped in `week` for an earlier order arrive: shipped on Wednesday, two days less than agreed."""
    return week * 7 + 2 + np.maximum(terms.lead - 2, 1) + np.maximum(terms.delay[:, week], 0)


class Pool:
    """The groups that one warehouse serves, their sites and the warehouse itself."""

    def __init__(self, *, layout: Layout, pool: int, series: Series, terms: Terms, suppliers: Suppliers) -> None:
        self.layout, self.pool, self.series, self.terms, self.suppliers = layout, pool, series, terms, suppliers
        products, count = layout.size.products, len(series.product)
        self.rate0 = series.chance * series.demand_size
        self.mean = np.where(series.product == layout.new_product, 0.0, self.rate0)
        self.square = self.mean * series.demand_size * (1 + series.size_cv2)
        self.leaving = np.array([c == layout.roles["leaving"] for c in series.customer_ids])[series.customer]
        self.batching = np.array([c == layout.roles["batching"] for c in series.customer_ids])[series.customer]
        self.house_mean = np.bincount(series.product, self.mean, products)
        self.house_square = self.house_mean**2 + np.bincount(series.product, self.square * terms.review * 1.5, products)
        rng = stream(layout.seed, "buyer", str(pool))
        self.buyer_phase = rng.integers(2, size=products)
        shape = 1 / suppliers.cv[suppliers.of_product] ** 2
        drawn = rng.standard_gamma(np.broadcast_to(shape[:, None], (products, lay.WEEKS)))
        self.lead_days = np.maximum(np.rint(drawn * (suppliers.mean[suppliers.of_product] / shape)[:, None]), 3.0)
        self.buyer_safety = rng.uniform(0.7, 1.3, products)
        self.order_chance = stream(layout.seed, "leaving").random(lay.WEEKS)
        self.on_hand = np.rint(self._site_level(np.ones(count)))
        self.open = np.zeros(count)
        self.transit = np.zeros(count)
        self.back = np.zeros(count)
        self.house = np.rint(self._house_level())
        self.house_open = np.zeros(products)
        self.house_arrivals = np.zeros((products, HORIZON))
        self.record = _blank(count, products)

    def _site_level(self, noise: np.ndarray) -> np.ndarray:
        span = self.terms.review + np.ceil(self.terms.lead / 7) + 0.5
        sd = np.sqrt(np.maximum(self.square - self.mean**2, 0.0) * span)
        return np.maximum((self.mean * span + self.terms.safety * sd) * noise, 0.3 * self.mean * span)

    def _house_level(self) -> np.ndarray:
        mean_days = self.suppliers.mean[self.suppliers.of_product]
        span = 2 + mean_days / 7
        spread = (mean_days / 7 * self.suppliers.cv[self.suppliers.of_product] * self.house_mean) ** 2
        sd = np.sqrt(np.maximum(self.house_square - self.house_mean**2, 0.0) * span + spread)
        return self.house_mean * span + self.buyer_safety * sd

    def run(self) -> Record:
        """Simulate the whole history."""
        for week in range(lay.WEEKS):
            self._launch(week)
            self._order(week)
            self._ship(week)
            self._sell(week)
            self._supply(week)
            self._learn(week)
        return self.record

    def _launch(self, week: int) -> None:
        new = self.layout.new_product
        if week == lay.LAUNCH_WEEK - 12:
            planned = self.rate0 * (self.series.product == new)
            self.house_mean[new] = planned.sum()
            self.house_square[new] = self.house_mean[new] ** 2 * 1.5
        if week == lay.LISTED_WEEK:
            rows = self.series.product == new
            self.mean[rows] = self.rate0[rows] * 0.6
            self.square[rows] = self.mean[rows] * self.series.demand_size[rows] * (1 + self.series.size_cv2[rows])

    def _order(self, week: int) -> None:
        terms, record = self.terms, self.record
        need = self._site_level(terms.noise[:, week]) - self.on_hand - self.transit - self.back
        due = ((week - terms.phase) % terms.review == 0) & (need > 0) & (self.mean > 0)
        due &= ~((self.series.product == self.layout.ending_product) & (week >= lay.FADE_WEEKS[1] - 4))
        due &= ~((self.series.product == self.layout.new_product) & (week < lay.LISTED_WEEK))
        gone = self.leaving & (week >= lay.LEAVING_WEEK)
        due &= ~gone | ((self.order_chance[week] < 0.3) & (week < lay.LEAVING_WEEK + lay.GONE_WEEKS))
        size = np.maximum(np.ceil(need / terms.pack) * terms.pack, terms.minimum)
        ordered = np.where(due, size, 0.0)
        by_customer = np.where(terms.cancelled[:, week], ordered, 0.0)
        short = np.isin(self.series.product, self.layout.short_products) & (lay.SHORT_WEEKS[0] + 5 <= week < lay.SHORT_WEEKS[1])
        by_us = np.where(short & terms.refused[:, week] & ~terms.cancelled[:, week], np.floor(ordered / 2), 0.0)
        record.ordered[:, week], record.cancelled_by_customer[:, week], record.cancelled_by_us[:, week] = (
            ordered,
            by_customer,
            by_us,
        )
        self.new = ordered - by_customer - by_us

    def _ship(self, week: int) -> None:
        product, terms, record = self.series.product, self.terms, self.record
        left = self.house.copy()
        old = self._share(self.back, left)
        left -= np.bincount(product, old, len(left))
        wanted = np.where(self.back - old > 0, 0.0, self.new)
        new = self._share(wanted, left)
        self.back += self.new - old - new
        self.transit += old + new
        self.shipped = np.bincount(product, old + new, len(left))
        rows = np.arange(len(product))
        for quantity, days in ((old, old_arrival_day(terms, week)), (new, new_arrival_day(terms, week))):
            np.add.at(record.arrivals, (rows, np.minimum(days // 7, HORIZON - 1)), quantity)
        record.shipped_old[:, week], record.shipped_new[:, week] = old, new

    def _share(self, wanted: np.ndarray, left: np.ndarray) -> np.ndarray:
        total = np.bincount(self.series.product, wanted, len(left))
        ratio = np.minimum(1.0, left / np.maximum(total, 1e-9))
        return np.floor(wanted * ratio[self.series.product] + 1e-9)

    def _sell(self, week: int) -> None:
        terms, record = self.terms, self.record
        received = record.arrivals[:, week]
        self.on_hand = self.on_hand + received
        self.transit -= received
        sold = np.minimum(self.series.quantity[:, week], self.on_hand)
        self.on_hand -= sold
        wanted = np.floor(terms.return_share[:, week - 1] * record.arrivals[:, week - 1] + 0.5) if week else np.zeros(len(sold))
        returned = np.minimum(wanted, self.on_hand)
        self.on_hand -= returned
        miscount = np.maximum(terms.miscount[:, week], -self.on_hand) * (self.mean > 0)
        self.on_hand += miscount
        record.received[:, week], record.sold[:, week], record.returned[:, week] = received, sold, returned
        record.miscounted[:, week] = miscount
        if week % 4 == 2:
            self._move(week)
        record.on_hand[:, week], record.on_order[:, week] = self.on_hand, self.transit + self.back

    def _move(self, week: int) -> None:
        """Move half of the fuller site's stock between two sites of the account with several sites (group 0, numbers 2 to 4)."""
        rows = np.flatnonzero((self.series.group == 0) & (self.series.number >= 2) & (self.series.number <= 4))
        cover = self.on_hand / np.maximum(self.mean, 1e-9)
        for product in np.unique(self.series.product[rows]):
            own = rows[self.series.product[rows] == product]
            giver, taker = own[np.argmax(cover[own])], own[np.argmin(cover[own])]
            quantity = float(np.floor(self.on_hand[giver] / 2))
            if cover[giver] > 5 and cover[taker] < 2 and quantity >= 1 and self.mean[giver] > 0 and self.mean[taker] > 0:
                self.on_hand[giver] -= quantity
                self.on_hand[taker] += quantity
                self.record.moved[giver, week] -= quantity
                self.record.moved[taker, week] += quantity
                self.record.moves.append((int(giver), int(taker), week, quantity))

    def _supply(self, week: int) -> None:
        record, layout = self.record, self.layout
        self.house = self.house - self.shipped + self.house_arrivals[:, week]
        self.house_open -= self.house_arrivals[:, week]
        back = np.bincount(self.series.product, self.back, len(self.house))
        need = self._house_level() - self.house - self._truly_open(week) + back
        due = ((week - self.buyer_phase) % 2 == 0) & (need > 0) & (self.house_mean > 0)
        due[layout.ending_product] &= week < lay.FADE_WEEKS[1] - 8
        pack = PACKS[np.clip(np.searchsorted(PACKS, self.house_mean), 0, len(PACKS) - 1)]
        quantity = np.where(due, np.ceil(need / pack) * pack, 0.0)
        arrival = (week * 7 + BUYER_WEEKDAY + self.lead_days[:, week]) // 7
        short = (
            np.isin(np.arange(len(need)), layout.short_products)
            & (arrival >= lay.SHORT_WEEKS[0])
            & (arrival < lay.SHORT_WEEKS[1])
        )
        received = np.where(short, np.floor(quantity * lay.SHORT_SHARE), quantity)
        np.add.at(self.house_arrivals, (np.arange(len(need)), np.minimum(arrival, HORIZON - 1).astype(int)), received)
        self.house_open += received
        record.bought[:, week], record.bought_days[:, week], record.bought_received[:, week] = (
            quantity,
            self.lead_days[:, week],
            received,
        )
        record.house[:, week], record.house_reserved[:, week] = self.house, np.minimum(back, self.house)

    def _truly_open(self, week: int) -> np.ndarray:
        """Quantity on order at the supplier as the buyer believes it: what he ordered and has not had a delivery for."""
        weeks = np.arange(week)
        arrival = (weeks * 7 + BUYER_WEEKDAY + self.record.bought_days[:, :week]) // 7
        believed = np.where(arrival > week, self.record.bought[:, :week], 0.0).sum(axis=1)
        self.record.house_on_order[:, week] = believed
        return believed

    def _learn(self, week: int) -> None:
        seen, weight = self.record.sold[:, week], 0.05
        update = ((self.on_hand > 0) | (seen > 0)) & (self.mean > 0)
        self.mean = np.where(update, np.maximum((1 - weight) * self.mean + weight * seen, 1e-3), self.mean)
        self.square = np.where(update, (1 - weight) * self.square + weight * seen**2, self.square)
        wanted = np.bincount(self.series.product, self.new, len(self.house))
        hold = self.house_mean > 0
        if week < lay.LAUNCH_WEEK + 4:
            hold[self.layout.new_product] = False
        self.house_mean = np.where(hold, 0.93 * self.house_mean + 0.07 * wanted, self.house_mean)
        self.house_square = np.where(hold, 0.93 * self.house_square + 0.07 * wanted**2, self.house_square)


def simulate(*, layout: Layout, pool: int, series: Series, terms: Terms, suppliers: Suppliers) -> Record:
    """Simulate one warehouse and the sites it serves over the whole history.

    Returns
    -------
    Record
        All flows and stocks by week [units].
    """
    return Pool(layout=layout, pool=pool, series=series, terms=terms, suppliers=suppliers).run()
