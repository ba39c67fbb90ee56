"""What a demo book consists of: its size, its names, its calendar, and who plays which planted part."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

SizeName = Literal["small", "medium", "large"]

START: Final = np.datetime64("2023-07-03", "D")
"""First Monday of the history."""
WEEKS: Final = 156
END: Final = START + np.timedelta64(WEEKS * 7 - 1, "D")
"""Last day of the history, Sunday 2026-06-28: nothing later is known."""

GROUPS: Final = (
    "North", "华东", "Iberia Retail", "Müller & Co. <Süd>", "华南连锁", "Nordic Hospitals", "Gulf Trading",
    "Benelux", "西南", "Baltic Pharmacies", "Andes Mining", "Danube Foods", "华北", "Alpine Hotels",
    "Atlantic Ports", "Cape Stores", "Ganges Clinics", "Kanto Schools", "Lakeside DIY", "Pacific Islands",
)  # fmt: skip
PLACES: Final = (
    ("DE", 53.5, 10.0), ("CN", 31.2, 121.5), ("ES", 40.4, -3.7), ("DE", 48.1, 11.6), ("CN", 23.1, 113.3), ("SE", 59.3, 18.1),
    ("AE", 25.2, 55.3), ("NL", 52.4, 4.9), ("CN", 30.6, 104.1), ("LV", 56.9, 24.1), ("CL", -33.4, -70.7), ("HU", 47.5, 19.0),
    ("CN", 39.9, 116.4), ("AT", 47.3, 11.4), ("FR", 49.5, 0.1), ("ZA", -33.9, 18.4), ("IN", 25.6, 85.1), ("JP", 35.7, 139.7),
    ("US", 41.9, -87.6), ("NZ", -36.8, 174.8),
)  # fmt: skip
CATEGORIES: Final = ("Beverages", "Heating", "Gifts", "Hygiene")
SEASON: Final[Mapping[str, tuple[float, float]]] = {
    "Beverages": (0.45, 28.0),
    "Heating": (0.45, 2.0),
    "Gifts": (0.35, 49.0),
    "Hygiene": (0.0, 0.0),
}
"""Amplitude [share of the mean] and week of the year of the peak, by category; Hygiene is flat."""

SHORT_WEEKS: Final = (90, 108)
LEAVING_WEEK: Final = WEEKS - 22
LAUNCH_WEEK: Final = WEEKS - 34
LISTED_WEEK: Final = LAUNCH_WEEK - 2
FADE_WEEKS: Final = (WEEKS - 52, WEEKS - 30)
GONE_WEEKS: Final = 8
FORECAST_BIAS: Final = 1.30
FORECAST_INSIGHT: Final = (0.35, 0.75)
SHORT_SHARE: Final = 0.05


@dataclass(frozen=True)
class Size:
    """Counts that make up a book.

    Attributes
    ----------
    groups, customers, products, warehouses : int
        Customer groups; customers in each of them; products; own warehouses (each serves whole groups).
    breadth : int
        Multiplies the number of products a customer carries.
    sharing : int, optional
        Customers of each group, from the first, that send us sell-out, stock and forecasts (all if absent); of the others we
        have orders, deliveries, returns and answers only.
    """

    groups: int
    customers: int
    products: int
    warehouses: int
    breadth: int
    sharing: int | None = None


SIZES: Final[Mapping[str, Size]] = {
    "small": Size(groups=7, customers=6, products=25, warehouses=2, breadth=1),
    "medium": Size(groups=20, customers=8, products=40, warehouses=4, breadth=1),
    "large": Size(groups=200, customers=90, products=200, warehouses=200, breadth=3, sharing=12),
}

TIER_BREADTH: Final = (14, 10, 8, 7, 6, 5)
TIER_VALUE: Final = (1.0, 0.34, 0.19, 0.14, 0.11, 0.09)
"""A customer's tier is its number in the group modulo six: products carried, and money for each series relative to tier 0."""
TIER_CLASSES: Final = (
    (0.31, 0.16, 0.36, 0.17),
    (0.12, 0.08, 0.49, 0.31),
    (0.02, 0.02, 0.57, 0.39),
    (0.02, 0.02, 0.57, 0.39),
    (0.02, 0.02, 0.57, 0.39),
    (0.02, 0.02, 0.57, 0.39),
)
CLASSES: Final = ("smooth", "erratic", "intermittent", "lumpy")

ROLES: Final[Mapping[str, int]] = {
    "leaving": 1, "biased_forecast": 0, "batching": 1, "understocked": 2, "overstocked": 1, "poor_sharing": 3,
}  # fmt: skip
"""Planted part -> number of the customer in its group; the group is drawn with the seed, a different one for each part."""


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random stream of one thing, which no other thing's draws can move.

    Parameters
    ----------
    seed : int
        Seed of the whole book.
    *names : str
        Table and ids; each word is hashed into the spawn key of a `numpy.random.SeedSequence`.

    Examples
    --------
    >>> float(stream(1, "sales", "C0101").random()) == float(stream(1, "sales", "C0101").random())
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(zlib.crc32(name.encode()) for name in names)))


@dataclass(frozen=True)
class Layout:
    """The book's skeleton: everything about it that is not a random draw of a single customer or product.

    Attributes
    ----------
    seed : int
    size : Size
    group_names, warehouse_ids, product_ids : tuple of str
    warehouse_of_group : tuple of int
    roles : mapping of str to str
        Planted part -> customer_id.
    late_supplier : int
        Number of the supplier that is late.
    new_product, ending_product, short_products : int, int, tuple of int
    """

    seed: int
    size: Size
    group_names: tuple[str, ...]
    warehouse_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    warehouse_of_group: tuple[int, ...]
    roles: Mapping[str, str]
    late_supplier: int
    new_product: int
    ending_product: int
    short_products: tuple[int, ...]

    def customer_ids(self, group: int) -> list[str]:
        """Return the ids of the customers of one group."""
        return [customer_id(group, number) for number in range(self.size.customers)]

    def shares(self, number: int | np.ndarray) -> bool | np.ndarray:
        """Tell whether the customers of these numbers in their group send us their data."""
        return number < (self.size.customers if self.size.sharing is None else self.size.sharing)

    def category(self, product: int) -> str:
        """Return the category of a product."""
        return CATEGORIES[product % len(CATEGORIES)]


def customer_id(group: int, number: int) -> str:
    """Return the id of a customer: ``C`` + group + number, both from 1."""
    return f"C{group + 1:02d}{number + 1:02d}"


SUPPLIERS: Final = 6


def lay_out(*, size: SizeName | Size, seed: int) -> Layout:
    """Draw who plays which part and name everything."""
    shape = SIZES[size] if isinstance(size, str) else size
    rng = stream(seed, "layout")
    names = GROUPS[: shape.groups] if shape.groups <= len(GROUPS) else tuple(f"R{n + 1:03d}" for n in range(shape.groups))
    groups = rng.permutation(min(shape.groups, len(GROUPS)))
    apart = len(groups) >= len(ROLES)  # in a book of fewer groups some share one, so each takes another number
    roles = {
        role: customer_id(int(groups[i % len(groups)]), number if apart else i) for i, (role, number) in enumerate(ROLES.items())
    }
    products = rng.permutation(shape.products)
    each = -(-shape.groups // shape.warehouses)
    return Layout(
        seed=seed,
        size=shape,
        group_names=names,
        warehouse_ids=tuple(f"W{n + 1:03d}" for n in range(shape.warehouses)),
        product_ids=tuple(f"0{n % 4 + 1}{n // 4 + 1:02d}" for n in range(shape.products)),
        warehouse_of_group=tuple(g // each for g in range(shape.groups)),
        roles=roles,
        late_supplier=int(rng.integers(SUPPLIERS)),
        new_product=int(products[0]),
        ending_product=int(products[1]),
        short_products=tuple(int(p) for p in sorted(products[2:5])),
    )


def day(number: int | np.ndarray) -> np.ndarray:
    """Turn days since the first Monday into dates ``datetime64[ns]``."""
    return (START + np.asarray(number).astype("timedelta64[D]")).astype("datetime64[ns]")
