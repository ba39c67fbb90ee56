from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.inventory.orders import next_order_day, propose_quantity


def propose(need: float, position: float = 0.0, minimum: float = np.nan, multiple: float = np.nan, maximum: float = np.nan):  # type: ignore[no-untyped-def]
    arrays = [np.array([value]) for value in (need, position, minimum, multiple, maximum)]
    quantity, bound = propose_quantity(arrays[0], position=arrays[1], minimum=arrays[2], multiple=arrays[3], maximum=arrays[4])
    return float(quantity[0]), str(bound[0])


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"need": 7.2}, (8.0, "need")),
        ({"need": 0.0}, (0.0, "")),
        ({"need": -5.0, "minimum": 50}, (0.0, "")),
        ({"need": np.nan}, (0.0, "")),
        ({"need": 5, "minimum": 50}, (50.0, "minimum")),
        ({"need": 5, "minimum": 50, "multiple": 12}, (60.0, "minimum")),
        ({"need": 55, "minimum": 50, "multiple": 12}, (60.0, "multiple")),
        ({"need": 60, "minimum": 50, "multiple": 12}, (60.0, "need")),
        ({"need": 60, "position": 40, "maximum": 80, "multiple": 12}, (36.0, "maximum")),
        ({"need": 60, "position": 40, "maximum": 80, "minimum": 50}, (0.0, "maximum")),
        ({"need": 5, "position": 100, "maximum": 80}, (0.0, "maximum")),
        ({"need": 5, "multiple": 0}, (5.0, "need")),
    ],
)
def test_quantity_and_the_rule_that_bound(asked: dict[str, float], answer: tuple[float, str]) -> None:
    assert propose(**asked) == answer


@pytest.mark.parametrize(
    ("days", "expected"),
    [("Mon", "07-01"), ("Tue,Fri", "07-02"), ("3", "07-03"), ("Sunday", "07-07"), ("", "07-01"), (None, "07-01")],
)
def test_next_order_day_after_a_sunday(days: str | None, expected: str) -> None:
    found = next_order_day(pd.Timestamp("2024-06-30"), pd.Series([days], dtype=object))
    assert found.iloc[0] == pd.Timestamp(f"2024-{expected}")
