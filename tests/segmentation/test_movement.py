"""Migration and stability."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.segmentation.movement import score_chances, score_stability, split_moves, table_migration
from cmi_analysis.segmentation.rfm import fit_rfm_cuts, score_rfm
from cmi_analysis.segmentation.rules import classify_segments, segment_rules


def test_moves_are_counted_with_new_returned_and_left() -> None:
    customers = pd.DataFrame(
        {
            "customer_id": list("abcdef"),
            "segment_then": ["loyal", "loyal", None, "", "lost", ""],
            "segment": ["loyal", "champions", "loyal", "loyal", "", None],
            "first_order_known_then": [True, True, False, True, True, True],
            "value": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
        }
    )
    expected = pd.DataFrame(
        {
            "segment_from": ["lost", "loyal", "loyal", "new", "returned"],
            "segment_to": ["left", "champions", "loyal", "loyal", "loyal"],
            "customers": [1, 1, 1, 1, 1],
            "value": [16.0, 2.0, 1.0, 4.0, 8.0],
        }
    )
    pd.testing.assert_frame_equal(table_migration(customers), expected)
    assert table_migration(customers.iloc[:0]).empty


@pytest.fixture(scope="module")
def crowd() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "customer_id": [f"C{i:03d}" for i in range(300)],
            "days_since_last_order": rng.integers(0, 300, 300).astype(float),
            "orders": rng.geometric(0.3, 300),
            "value": rng.lognormal(4, 1, 300),
        }
    )


def stability(frame: pd.DataFrame, **settings: int) -> pd.DataFrame:
    return score_stability(frame, scores=score_rfm(frame, cuts=fit_rfm_cuts(frame)), rules=segment_rules(), **settings)


def test_stay_shares_are_fractions_that_repeat_and_do_not_depend_on_row_order(crowd) -> None:
    first = stability(crowd, resamples=20)
    assert first["stay_share"].between(0, 1).all()
    assert 0.5 < first["stay_share"].mean() < 1
    pd.testing.assert_frame_equal(first, stability(crowd.sample(frac=1, random_state=3), resamples=20))


def test_a_small_population_is_less_stable_than_a_large_one(crowd) -> None:
    assert stability(crowd.head(20))["stay_share"].mean() < stability(crowd)["stay_share"].mean() - 0.05


def test_without_customers_nothing_is_said(crowd) -> None:
    idle = crowd.head(2).assign(orders=0)
    assert stability(idle)["stay_share"].isna().all()


def test_moves_are_split_into_what_customers_did_and_what_thresholds_did() -> None:
    rows = [
        ("loyal", "loyal", "loyal", "none"),
        ("loyal", "loyal", "champions", "customer"),
        ("loyal", "champions", "champions", "threshold"),
        ("loyal", "champions", "lost", "both"),
        ("", "", "loyal", "customer"),
        ("loyal", "loyal", None, "customer"),
        (None, None, None, "none"),
    ]
    frame = pd.DataFrame(rows, columns=["segment_then_own_cuts", "segment_then", "segment", "expected"])
    assert split_moves(frame).tolist() == frame["expected"].tolist()


def test_chances_add_up_to_one_and_the_own_segments_is_the_stability(crowd) -> None:
    chances = score_chances(crowd, rules=segment_rules(), resamples=40, seed=3)
    assert chances.groupby("customer_id")["segment_chance"].sum().tolist() == pytest.approx([1.0] * len(crowd))
    cuts = fit_rfm_cuts(crowd)
    own = score_rfm(crowd, cuts=cuts).assign(segment=lambda d: classify_segments(d, rules=segment_rules()))
    both = own.merge(chances, on=["customer_id", "segment"]).set_index("customer_id")["segment_chance"]
    stay = stability(crowd, resamples=40, seed=3).set_index("customer_id")["stay_share"]
    assert stay.to_dict() == pytest.approx(both.reindex(stay.index).fillna(0.0).to_dict())
