"""The strategy file: every case meets a rule, every rule a case, and what is wrong is told with file and line."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.errors import InputError, ParameterError
from cmi_analysis.measures.demand_pattern import PATTERNS
from cmi_analysis.params.strategy import (
    ANY,
    CONDITIONS,
    DEFAULT_STRATEGY,
    STRATEGY_COLUMNS,
    Strategy,
    assign_strategy,
    check_strategy,
    read_strategy,
)
from cmi_analysis.segmentation.life_cycle import STAGES
from cmi_analysis.segmentation.rules import ORDER, SILENT

REST = """
    shortage_priority: 2
    service_measure: shelf_fill
    service_target: 0.95
    review_period_days: 7
    contact_days: 30
"""


def write(folder: Path, *rules: str) -> Path:
    path = folder / "strategy.yml"
    path.write_text("rules:\n" + "".join(f"  - {rule}{REST}" for rule in rules), "utf-8")
    return path


@pytest.fixture
def shipped(root: Path) -> Strategy:
    """Return the strategy that the project ships."""
    return read_strategy(root / "params" / "strategy.yml")


def test_the_shipped_strategy_covers_every_case_and_has_no_dead_rule(shipped: Strategy) -> None:
    assert check_strategy(shipped).empty
    assert len(shipped.rules) >= 8


def test_the_values_are_those_of_the_segmentation() -> None:
    assert set(CONDITIONS["segment"]) == {*ORDER["western"], *ORDER["chinese"], SILENT}
    assert set(CONDITIONS["pattern"]) == set(PATTERNS)
    assert set(CONDITIONS["life_stage"]) == set(STAGES)


def test_each_case_meets_the_first_rule_that_a_plain_loop_finds(shipped: Strategy) -> None:
    names = list(CONDITIONS)
    every = [(*CONDITIONS[name][:3], CONDITIONS[name][-1], None) for name in names]
    cases = pd.DataFrame(list(itertools.islice(itertools.product(*every), 0, None, 37)), columns=names)
    found = assign_strategy(cases, strategy=shipped)
    for case, rule in zip(cases.to_dict("records"), found["rule"], strict=True):
        first = next(r.name for r in shipped.rules if all(getattr(r, n) == (ANY,) or case[n] in getattr(r, n) for n in names))
        assert rule == first, case


def test_an_item_of_which_nothing_is_known_gets_the_default_and_is_labelled(shipped: Strategy) -> None:
    found = assign_strategy(pd.DataFrame({"customer_id": ["c"]}), strategy=shipped)
    assert list(found.columns) == list(STRATEGY_COLUMNS)
    assert found[["rule", "by_default"]].iloc[0].tolist() == ["default", True]
    assert found[["service_target", "review_period_days"]].isna().all(axis=None)  # left to the parameters
    assert found.drop(columns=["service_target", "review_period_days"]).notna().all(axis=None)
    known = assign_strategy(pd.DataFrame({"abc": ["A"], "xyz": ["X"]}), strategy=shipped)
    assert known[["rule", "by_default"]].iloc[0].tolist() == ["valuable_steady", False]


def test_rows_keep_their_index_and_the_input_is_unchanged(shipped: Strategy) -> None:
    items = pd.DataFrame({"segment": ["lost", None, "champions"], "xyz": ["X", "X", "Z"]}, index=[7, 3, 9])
    before = items.copy()
    found = assign_strategy(items, strategy=shipped)
    assert found["rule"].to_dict() == {7: "gone", 3: "default", 9: "best_erratic"}
    pd.testing.assert_frame_equal(items, before)


def test_high_mid_and_low_are_value_classes(tmp_path: Path) -> None:
    strategy = read_strategy(write(tmp_path, "name: dear\n    value_class: [high, mid]", "name: rest"))
    found = assign_strategy(pd.DataFrame({"value_class": ["A", "mid", "low", "C"]}), strategy=strategy)
    assert found["rule"].tolist() == ["dear", "dear", "rest", "rest"]


def test_a_value_that_no_rule_can_know_is_an_error(shipped: Strategy) -> None:
    with pytest.raises(InputError, match="found 'vip'"):
        assign_strategy(pd.DataFrame({"segment": ["vip"]}), strategy=shipped)


def test_a_gap_is_told_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"strategy\.yml .*3 of 4 cases meet no rule, such as abc B"):
        read_strategy(write(tmp_path, "name: a\n    abc: A"))


def test_a_rule_behind_a_wider_one_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "name: wide\n    abc: [A, B]", "name: narrow\n    abc: B\n    xyz: X", "name: rest")
    with pytest.raises(ParameterError, match=r"no case reaches rule 'narrow', .*'wide' first in line 9"):
        read_strategy(path)
    assert path.read_text("utf-8").splitlines()[8].strip() == "- name: narrow"


def test_a_rule_shadowed_by_two_others_together_is_found(tmp_path: Path) -> None:
    rules = ("name: a\n    abc: [A, B]", "name: b\n    abc: C", "name: known\n    abc: [A, B, C]", "name: rest")
    with pytest.raises(ParameterError, match="no case reaches rule 'known'"):
        read_strategy(write(tmp_path, *rules))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("name: a\n    abc: D", "line 2, rule 'a'.*abc: 'D' is none of A, B, C"),
        ("name: a\n    abc: ['*', A]", "means any"),
        ("name: a\n    abd: A", "abd: .*Known names: name, segment"),
        ("name: a\n    abc: 5", "line 2, rule 'a'"),
        ("name: a\n    abc: []", "line 2, rule 'a'"),
        ("name: a\n    safety_stock: fixed_days", "fixed_days: give it with"),
        ("name: a\n    fixed_days: 3", "fixed_days: give it with"),
        ("name: a\n    safety_stock: luck", "safety_stock"),
        ("abc: A", "name: Field required"),
        ("name: a\n    name: b", "the key 'name' a second time in line 3"),
        ("name: a\n    service_target: 0.9", "the key 'service_target' a second time in line 6"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_with_its_line(rule: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        read_strategy(write(tmp_path, rule, "name: rest"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("0.95", "1.0"), "service_target: .*less than 1"),
        (("0.95", "0"), "service_target: .*greater than 0"),
        (("shelf_fill", "fill"), "service_measure"),
        (("_days: 7", "_days: 0"), "review_period_days"),
        (("priority: 2", "priority: 0"), "shortage_priority"),
        (("contact_days: 30", ""), "contact_days: Field required"),
        (("rules:", "rule:"), "strategy.yml"),
    ],
)
def test_values_out_of_range_are_errors(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "name: rest")
    path.write_text(path.read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(ParameterError, match=message):
        read_strategy(path)


def test_two_rules_of_one_name_and_an_empty_or_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="'a' a second time in line 10"):
        read_strategy(write(tmp_path, "name: a\n    abc: A\n    xyz: X", "name: a"))
    (tmp_path / "empty.yml").write_text("", "utf-8")
    with pytest.raises(ParameterError, match="rules: Field required"):
        read_strategy(tmp_path / "empty.yml")
    with pytest.raises(ParameterError, match=r"the file .*none\.yml"):
        read_strategy(tmp_path / "none.yml")


def test_a_project_without_a_file_has_one_rule_for_everything() -> None:
    assert check_strategy(DEFAULT_STRATEGY).empty
    assert assign_strategy(pd.DataFrame({"abc": ["A", None]}), strategy=DEFAULT_STRATEGY)["rule"].tolist() == ["default"] * 2
