"""ABC classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.measures.abc import classify_abc


def items(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"product_id": [f"P{i}" for i in range(len(values))], "value": values}, columns=["product_id", "value"])


def classes(*values: float, **settings: float) -> list[str]:
    return classify_abc(items(*values), **settings).sort_values("product_id")["abc_class"].tolist()


def test_the_item_that_crosses_a_boundary_belongs_to_the_higher_class() -> None:
    assert classes(85, 15) == ["A", "B"]
    assert classes(50, 29, 20, 1) == ["A", "A", "A", "C"]


def test_an_item_that_begins_exactly_on_a_boundary_belongs_to_the_lower_class() -> None:
    assert classes(80, 15, 5) == ["A", "B", "C"]
    assert classes(0.3, 0.3, 0.2, 0.15, 0.05) == ["A", "A", "A", "B", "C"]


def test_equal_values_share_a_class_whatever_their_order() -> None:
    assert classes(60, 10, 10, 10, 10) == ["A"] * 5
    assert classes(10, 10, 10, 10, 60) == ["A"] * 5


def test_shares_ranks_and_order_are_those_of_a_hand_computation() -> None:
    result = classify_abc(items(20, 70, 10))
    expected = pd.DataFrame(
        {
            "product_id": ["P1", "P0", "P2"],
            "value": [70.0, 20.0, 10.0],
            "value_rank": [1, 2, 3],
            "value_share": [0.7, 0.2, 0.1],
            "cumulative_share": [0.7, 0.9, 1.0],
            "abc_class": ["A", "A", "B"],
        }
    )
    pd.testing.assert_frame_equal(result, expected)


def test_losses_and_missing_values_are_class_c_and_carry_no_share() -> None:
    result = classify_abc(items(100, -30, np.nan)).set_index("product_id")
    assert result["abc_class"].to_dict() == {"P0": "A", "P1": "C", "P2": "C"}
    assert result["cumulative_share"].to_dict() == {"P0": 1.0, "P1": 1.0, "P2": 1.0}


def test_the_unit_of_money_changes_nothing_and_the_input_stays() -> None:
    frame = items(*np.random.default_rng(1).lognormal(0, 1, 50))
    before = frame.copy()
    small = classify_abc(frame.assign(value=frame["value"] / 1000))
    assert small["abc_class"].tolist() == classify_abc(frame)["abc_class"].tolist()
    pd.testing.assert_frame_equal(frame, before)


def test_nothing_and_only_zeros_are_handled() -> None:
    assert classify_abc(items()).empty
    assert classes(0, 0) == ["C", "C"]
    assert classes(5) == ["A"]


def test_an_item_that_stands_twice_is_refused() -> None:
    with pytest.raises(InputError, match="each product_id once; found P0 more than once"):
        classify_abc(pd.DataFrame({"product_id": ["P0", "P0"], "value": [1.0, 2.0]}))


def test_shares_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match=r"a_share 0\.9 and b_share 0\.8"):
        classify_abc(items(1, 2), a_share=0.9, b_share=0.8)
