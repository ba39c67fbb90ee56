from __future__ import annotations

import pandas as pd
import pytest

from cmi_analysis.performance.summary import choose_disjoint_groups, compare_runs, rank_actions, score_groups, sum_cards


def cards(**columns: object) -> pd.DataFrame:
    base = {"group": ["a", "b"], "notebook": "performance_review", "key": "otif", "kind": "rate", "direction": "higher",
            "value": [0.5, 0.9], "target": [0.8, 0.9], "status": ["bad", "good"], "n": [100.0, 10.0], "numerator": [50.0, 9.0],
            "denominator": [100.0, 10.0]}  # fmt: skip
    return pd.DataFrame({**base, **columns})


GROUPS = pd.DataFrame({"group": ["a", "b", "c"], "title": ["A", "B", "C"], "notebook": "performance_review",
                       "status": ["bad", "good", "none"], "badness": [30.0, 0.0, 0.0], "headline": ["low", "fine", "nothing"],
                       "as_of": "2024-01-31"})  # fmt: skip


def test_groups_stand_worst_first_on_one_scale_and_unrated_ones_last() -> None:
    found = score_groups(GROUPS, cards())
    assert found[["group", "misses", "rated"]].values.tolist() == [["a", 1, 1], ["b", 0, 1], ["c", 0, 0]]
    assert found["score"].tolist()[:2] == [pytest.approx(37.5), 0.0]
    assert found["score"].isna().tolist() == [False, False, True]


def test_totals_are_ratios_of_sums_and_money_adds_up() -> None:
    money = cards(key="excess_value", kind="money", numerator=[7.0, 5.0], denominator=float("nan"), target=float("nan"))
    found = sum_cards(pd.concat([cards(), money], ignore_index=True)).set_index("key")
    assert found.loc["otif", "value"] == pytest.approx(59 / 110)  # not 0.7
    assert found.loc["otif", "target"] == pytest.approx((80 + 9) / 110)
    assert found.loc["excess_value", "value"] == 12.0
    assert pd.isna(found.loc["excess_value", "target"])


def test_a_target_over_all_needs_the_target_of_each() -> None:
    assert sum_cards(cards(target=[0.8, float("nan")]))["target"].isna().all()


def test_no_customer_counts_twice() -> None:
    members = pd.DataFrame({"group": ["big", "big", "small", "other"], "customer_id": ["1", "2", "2", "3"]})
    assert choose_disjoint_groups(["big", "other", "small"], members) == ["big", "other"]
    assert choose_disjoint_groups(["b", "a"], None) == ["a", "b"]


def test_changes_know_better_from_worse() -> None:
    found = compare_runs(cards(), cards(value=[0.4, 0.9]))
    assert found[["group", "before", "value", "verdict"]].values.tolist() == [["a", 0.4, 0.5, "good"]]


def test_actions_rank_by_profit_and_never_by_the_sum_with_cash() -> None:
    actions = pd.DataFrame({"group": "a", "notebook": "n", "text": ["cash", "profit", "nothing"], "effect": [None, 5.0, None],
                            "cash_ours": [1000.0, None, None], "cash_customer": [None, None, None]})  # fmt: skip
    assert rank_actions(actions, most=2)["text"].tolist() == ["profit", "cash"]


def test_without_money_each_group_speaks_once_before_any_speaks_twice_and_orders_come_before_talks() -> None:
    actions = pd.DataFrame(
        [("a", "forecasting", "talk a", ""), ("a", "inventory_policy", "order a1", "2024-02-01"),
         ("a", "inventory_policy", "order a2", "2024-02-01"), ("b", "inventory_policy", "ask b", ""),
         ("b", "segmentation", "call b", "2024-02-05")],
        columns=["group", "notebook", "text", "due_on"],
    ).assign(effect=None, cash_ours=None, cash_customer=None)  # fmt: skip
    found = rank_actions(actions, most=5, groups=["b", "a"])
    assert found["text"].tolist() == ["call b", "order a1", "ask b", "order a2", "talk a"]
    assert list(found.columns) == list(actions.columns)


def test_a_promise_of_a_plan_is_no_result() -> None:
    promise = cards(key="shelf_fill_promised", value=[0.951, 0.951], target=[0.95, 0.95], status="good")
    found = score_groups(GROUPS, promise)
    assert found["rated"].tolist() == [0, 0, 0]
    assert found["group"].tolist() == ["a", "b", "c"]  # by verdict


def test_nothing_published_gives_empty_frames() -> None:
    none = cards().iloc[:0]
    assert score_groups(GROUPS.iloc[:0], none).empty and sum_cards(none).empty and compare_runs(none, none).empty
