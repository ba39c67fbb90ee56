"""Every canonical name has a display name in both languages, and every rule its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cmi_analysis.tables
from cmi_analysis.labels import LANGUAGES, has_text, text
from cmi_analysis.names import NAMES, is_confidential
from cmi_analysis.tables.schemas import SCHEMAS

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("name", list(NAMES))
def test_a_column_has_a_display_name_in_both_languages(name: str) -> None:
    assert all(text(f"column.{name}", lang).strip() for lang in LANGUAGES)
    assert CHINESE.search(text(f"column.{name}", "zh")) or name == "kpi"
    assert NAMES[name].meaning[0].islower() or NAMES[name].meaning[0].isalpha()


def test_no_two_columns_of_a_table_are_shown_under_one_name() -> None:
    for schema in SCHEMAS.values():
        for lang in LANGUAGES:
            shown = [text(f"column.{column}", lang) for column in schema.columns]
            assert len(set(shown)) == len(shown), (schema.name, lang)


def test_every_name_belongs_to_a_table_and_every_table_has_a_name() -> None:
    assert {column for schema in SCHEMAS.values() for column in schema.columns} == set(NAMES)
    assert all(has_text(f"tables.name.{table}") for table in SCHEMAS)


def test_every_rule_in_the_code_has_its_words_and_its_fix() -> None:
    source = "\n".join(path.read_text("utf-8") for path in Path(cmi_analysis.tables.__file__).parent.glob("*.py"))
    rules = set(
        re.findall(
            r'(?:Finding|note)\([^()]*?"([a-z]+(?:_[a-z]+)+)", "(?:kept|repaired|set aside|stop|excluded by rule)"', source
        )
    )
    assert len(rules) > 10
    assert {rule for rule in rules if not has_text(f"tables.fix.{rule}") or not has_text(f"tables.rule.{rule}")} == set()


def test_cost_and_supplier_are_confidential_and_price_is_not() -> None:
    hidden = [
        "unit_cost",
        "supplier_id",
        "supplier_name",
        "priority",
        "penalty",
        "margin",
        "holding_rate",
        "fixed_cost",
        "freight_cost",
    ]
    assert all(is_confidential(column) for column in hidden)
    assert not any(is_confidential(column) for column in ["unit_price", "on_hand", "customer_id", "quantity", "anything"])
