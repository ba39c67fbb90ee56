"""Rule tables."""

from __future__ import annotations

import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.rules import CELL, ORDER, check_rules, classify_segments, segment_rules
from cmi_analysis.segmentation.treatment import propose_treatment


@pytest.mark.parametrize("names", ["western", "chinese"])
def test_each_of_the_125_cells_has_exactly_one_segment(names) -> None:
    rules = check_rules(segment_rules(names))
    assert len(rules) == 125
    assert not rules.duplicated(CELL).any()
    assert set(rules["segment"]) == set(ORDER[names])


def test_the_chinese_classes_follow_high_and_low() -> None:
    rules = segment_rules("chinese").set_index(CELL)["segment"]
    assert rules[5, 5, 5] == "important_value"
    assert rules[5, 1, 4] == "important_development"
    assert rules[3, 4, 4] == "important_retention"
    assert rules[1, 1, 5] == "important_winback"
    assert rules[4, 4, 3] == "general_value"
    assert rules[1, 1, 1] == "general_winback"


def test_a_gap_is_named() -> None:
    rules = segment_rules()
    with pytest.raises(InputError, match="1 without and 0 outside 1 to 5, the first R1 F1 M2"):
        check_rules(rules.drop(index=1))


def test_an_overlap_is_named() -> None:
    rules = segment_rules()
    with pytest.raises(InputError, match="1 cells with several, the first R1 F1 M1"):
        check_rules(pd.concat([rules, rules.head(1).assign(segment="other")]))


def test_a_cell_outside_the_scores_is_refused() -> None:
    rules = pd.concat([segment_rules(), pd.DataFrame([[6, 1, 1, "odd"]], columns=[*CELL, "segment"])])
    with pytest.raises(InputError, match="R6 F1 M1"):
        check_rules(rules)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="western or chinese"):
        segment_rules("french")  # type: ignore[arg-type]


def test_a_customer_without_scores_has_no_segment() -> None:
    scores = pd.DataFrame({"r_score": [5, None], "f_score": [5, None], "m_score": [5, None]}, dtype="Int64")
    assert classify_segments(scores, rules=segment_rules()).tolist() == ["champions", "no_orders"]


@pytest.mark.parametrize("names", ["western", "chinese"])
def test_every_segment_has_a_suggested_treatment(names) -> None:
    treatment = propose_treatment(names=names)
    assert treatment["segment"].tolist() == [*ORDER[names], "no_orders"]
    assert treatment["service_target"].between(0.5, 1, inclusive="left").all()
