"""Cut points and scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.segmentation.rfm import fit_rfm_cuts, score_rfm, unreachable_scores
from cmi_analysis.segmentation.rules import classify_segments, segment_rules


def people(orders: list[float], value: list[float] | None = None, days: list[float] | None = None) -> pd.DataFrame:
    count = len(orders)
    return pd.DataFrame(
        {
            "customer_id": [f"C{i:04d}" for i in range(count)],
            "days_since_last_order": days or [float(i) for i in range(count)],
            "orders": orders,
            "value": value or [float(i) for i in range(count)],
        }
    )


@pytest.fixture(scope="module")
def crowd() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return people(
        list(rng.geometric(0.4, 500)), list(rng.lognormal(5, 1.3, 500).round(2)), list(rng.integers(0, 365, 500).astype(float))
    )


def scores_of(frame: pd.DataFrame) -> pd.DataFrame:
    return score_rfm(frame, cuts=fit_rfm_cuts(frame))


def test_ten_different_values_give_two_of_each_score() -> None:
    scores = scores_of(people(list(range(1, 11))))
    assert scores["f_score"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores["r_score"].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_equal_values_always_share_a_score(crowd) -> None:
    scores = crowd.merge(scores_of(crowd), on="customer_id")
    assert scores.groupby("orders")["f_score"].nunique().max() == 1
    assert scores.groupby("days_since_last_order")["r_score"].nunique().max() == 1


def test_half_the_customers_with_one_order_score_1_and_nobody_can_score_2() -> None:
    frame = people([1, 1, 1, 1, 1, 2, 2, 3, 4, 9])
    scores = scores_of(frame)["f_score"].tolist()
    assert scores == [1, 1, 1, 1, 1, 3, 3, 4, 5, 5]
    assert unreachable_scores(fit_rfm_cuts(frame)).values.tolist() == [["f_score", 2]]
    assert 2 not in scores


def test_the_same_recency_for_many_leaves_out_the_right_score() -> None:
    frame = people(list(range(1, 11)), days=[3.0] * 5 + [10.0, 20.0, 30.0, 40.0, 50.0])
    assert unreachable_scores(fit_rfm_cuts(frame)).values.tolist() == [["r_score", 4]]
    assert 4 not in scores_of(frame)["r_score"].tolist()


def test_a_cut_lies_half_way_to_the_next_value() -> None:
    cuts = fit_rfm_cuts(people([1, 2, 4, 8, 16])).query("measure == 'orders'")
    assert cuts["cut_value"].tolist() == [1.5, 3.0, 6.0, 12.0]
    assert cuts["customers"].tolist() == [5] * 4


@pytest.mark.parametrize("unit", [1e-3, 0.137, 1e4])
def test_the_unit_of_money_changes_no_score(crowd, unit: float) -> None:
    pd.testing.assert_frame_equal(scores_of(crowd.assign(value=crowd["value"] * unit)), scores_of(crowd))


def test_the_order_of_rows_changes_nothing_and_the_input_stays(crowd) -> None:
    before = crowd.copy()
    pd.testing.assert_frame_equal(scores_of(crowd.sample(frac=1, random_state=2)), scores_of(crowd))
    pd.testing.assert_frame_equal(crowd, before)


def test_an_idle_customer_moves_no_cut_and_scores_lowest(crowd) -> None:
    idle = people([0], [0.0], [900.0]).assign(customer_id="idle")
    more = pd.concat([crowd, idle], ignore_index=True)
    pd.testing.assert_frame_equal(fit_rfm_cuts(more), fit_rfm_cuts(crowd))
    last = scores_of(more).set_index("customer_id").loc["idle"]
    assert last.tolist() == [1, 1, 1]


def test_frozen_cuts_keep_the_score_of_a_customer_whatever_the_others_do(crowd) -> None:
    cuts = fit_rfm_cuts(crowd)
    half = crowd.iloc[:100]
    expected = score_rfm(crowd, cuts=cuts).head(100)
    pd.testing.assert_frame_equal(score_rfm(half, cuts=cuts), expected)


def test_no_population_gives_no_cuts_and_no_scores() -> None:
    cuts = fit_rfm_cuts(people([]))
    assert cuts.empty
    scores = score_rfm(people([3]), cuts=cuts)
    assert scores[["r_score", "f_score", "m_score"]].isna().all(axis=None)
    assert classify_segments(scores, rules=segment_rules()).tolist() == ["no_orders"]


def test_one_customer_alone_is_scored_without_failing() -> None:
    assert scores_of(people([3]))[["r_score", "f_score", "m_score"]].values.tolist() == [[5, 1, 1]]
