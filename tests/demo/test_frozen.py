"""The generator is frozen: the detectors are tested on it, so it does not move with them.

A change on purpose changes these numbers, and the detectors' tests are run again over seeds 1 to 20.
"""

from __future__ import annotations

import pytest

from cmi_analysis.demo import Demo

ROWS = {
    "sales": 51794,
    "orders": 15373,
    "deliveries": 17113,
    "stock": 51840,
    "customer_forecasts": 59172,
    "receipts": 2508,
    "returns": 1605,
}
UNITS = {
    ("sales", "quantity"): 1262494.0,
    ("orders", "quantity_ordered"): 1375745.0,
    ("deliveries", "quantity"): 1359344.0,
    ("stock", "on_hand"): 11181742.0,
    ("customer_forecasts", "quantity"): 1886184.0,
    ("receipts", "quantity_received"): 1336002.0,
    ("returns", "quantity"): 92197.0,
}


def test_the_book_of_seed_1_has_the_rows_and_units_it_always_had(demo: Demo) -> None:
    assert {name: len(demo.tables[name]) for name in ROWS} == ROWS
    for (table, column), units in UNITS.items():
        assert demo.tables[table][column].sum() == pytest.approx(units, rel=1e-6), table
