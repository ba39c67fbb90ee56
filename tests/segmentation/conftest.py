"""Purchases written by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import pytest


@pytest.fixture
def bought() -> Callable[[Mapping[str, Sequence[tuple[str, float]]]], pd.DataFrame]:
    """Return a function: customer -> (date, value) of its orders, to a purchases frame of one product at price 1."""

    def make(orders: Mapping[str, Sequence[tuple[str, float]]]) -> pd.DataFrame:
        rows = [(customer, pd.Timestamp(date), value) for customer, made in orders.items() for date, value in made]
        frame = pd.DataFrame(rows, columns=["customer_id", "date", "quantity"]).astype(
            {"date": "datetime64[ns]", "quantity": "float64"}
        )
        number = pd.Series(range(len(frame)), dtype="object").astype(str)
        return frame.assign(
            order_id="O" + number, product_id="P1", known_on=frame["date"], unit_price=1.0, value=frame["quantity"]
        )

    return make
