"""Report groups: who is in them, and what an error says."""

from __future__ import annotations

import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.tables.groups import ReportGroup, customer_groups, overlaps, resolve_groups


@pytest.fixture
def customers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["4", "1", "2", "3"],
            "customer_group": ["B", "A", None, "A"],
            "region": ["N", "N", "S", None],
            "priority": [1.0, 2.0, 1.0, None],
        }
    )


def test_without_definitions_each_customer_group_is_one(customers: pd.DataFrame):
    before = customers.copy()
    assert resolve_groups(customers) == [
        ReportGroup("A", "A", ("1", "3")),
        ReportGroup("B", "B", ("4",)),
        ReportGroup("S", "S", ("2",)),
    ]
    pd.testing.assert_frame_equal(customers, before)


def test_customers_without_group_and_region_are_ungrouped():
    assert customer_groups(pd.DataFrame({"customer_id": ["1"]})).tolist() == ["ungrouped"]
    assert customer_groups(pd.DataFrame({"customer_id": []}, dtype="object")).tolist() == []


def test_members_and_filters_choose_customers(customers: pd.DataFrame):
    book = {"values": pd.DataFrame({"customer_id": ["1", "2", "4"], "value_class": ["A", "A", "B"]})}
    named = {
        "both": {"members": ["4", "1"], "title": "Two of them"},
        "first": {"filter": {"priority": 1}},
        "valuable": {"filter": {"value_class": ["A"], "region": ["N", "S"]}},
    }
    got = resolve_groups(customers, named, book=book, defaults=False)
    # priority is a number: 1 means 1.0
    assert [(group.id, group.title, group.members) for group in got] == [
        ("both", "Two of them", ("1", "4")),
        ("first", "first", ("2", "4")),
        ("valuable", "valuable", ("1", "2")),
    ]
    assert [group.id for group in resolve_groups(customers, named, book=book)] == ["A", "B", "S", "both", "first", "valuable"]


def test_a_definition_replaces_the_customer_group_of_its_name(customers: pd.DataFrame):
    got = {group.id: group.members for group in resolve_groups(customers, {"A": {"members": ["1"]}})}
    assert got == {"A": ("1",), "B": ("4",), "S": ("2",)}


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({"filter": {"regoin": "N"}}, "found 'regoin'. Did you mean 'region'"),
        ({"members": ["1", "44"]}, "found '44'. Did you mean '4'"),
        ({"filter": {"region": "X"}}, "at least one customer in group 'g'; found none"),
        ({"members": []}, "at least one customer in group 'g'; found none"),
        ({"members": ["1"], "filter": {"region": "N"}}, "either `members` or `filter` for group 'g'; found both"),
        ({"title": "x"}, "either `members` or `filter` for group 'g'; found neither"),
        ({"member": ["1"]}, "found 'member'. Did you mean 'members'"),
    ],
)
def test_a_wrong_definition_says_what_was_meant(customers: pd.DataFrame, definition: dict, message: str):
    with pytest.raises(InputError, match=message.replace(".", r"\.").replace("?", r"\?")):
        resolve_groups(customers, {"g": definition})


def test_overlaps_are_listed_once_per_pair():
    groups = [ReportGroup("b", "b", ("1", "2")), ReportGroup("a", "a", ("2", "3")), ReportGroup("c", "c", ("9",))]
    assert overlaps(groups).to_dict("records") == [{"group": "a", "other": "b", "customers": 1}]
    assert overlaps(groups[2:]).empty
