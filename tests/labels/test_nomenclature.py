"""Every column that anybody can meet has a name, a unit, a meaning, and a display name in both languages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cmi_analysis.labels import LANGUAGES, text
from cmi_analysis.names import IN_RESULTS, NAMES, RESULT_NAMES, find_name, is_confidential
from cmi_analysis.params.models import MODELS
from cmi_analysis.stages.management_summary import summarise
from cmi_analysis.stages.published import ACTION_COLUMNS, CARD_COLUMNS, GROUP_COLUMNS, RUN_COLUMNS
from cmi_analysis.stages.results import result_frames
from cmi_analysis.tables.schemas import SCHEMAS


def unnamed(frames: dict[str, pd.DataFrame]) -> list[str]:
    """Return the columns that no name is known for, as frame.column."""
    return [f"{name}.{column}" for name, frame in frames.items() for column in frame.columns if find_name(str(column)) is None]


@pytest.mark.parametrize("name", list(RESULT_NAMES))
def test_a_result_column_has_a_meaning_and_a_display_name_in_both_languages(name: str) -> None:
    assert len(RESULT_NAMES[name].meaning) > 4
    assert name.endswith("_on") <= (RESULT_NAMES[name].kind == "date")
    assert all(text(f"column.{name}", lang).strip() for lang in LANGUAGES)


def test_a_name_stands_in_one_list_only() -> None:
    assert set(NAMES) & set(RESULT_NAMES) == set()
    assert set(IN_RESULTS) <= set(NAMES)


def test_every_column_of_the_contract_and_of_the_published_pages_has_a_name() -> None:
    columns = [column for schema in SCHEMAS.values() for column in schema.columns]
    columns += [*GROUP_COLUMNS, *CARD_COLUMNS, *ACTION_COLUMNS, *RUN_COLUMNS]
    assert [column for column in columns if find_name(column) is None] == []


@pytest.mark.slow
@pytest.mark.xdist_group("golden")
def test_every_column_of_book_stages_and_ledger_has_a_name(demo_slice: Callable[..., Any], demo_book: Any) -> None:
    from cmi_analysis import stages
    from cmi_analysis.stages.opening import ledger_part

    part = demo_slice("North")
    params: dict[str, Any] = {name: model(group="North", as_of=part.as_of.isoformat()) for name, model in MODELS.items()}
    forecast = stages.forecast(part, params["forecasting"])
    plan = stages.plan(part, params["inventory_policy"], forecast=forecast)
    results = {
        "segmentation": stages.segment(part, params["segmentation"]),
        "forecasting": forecast,
        "inventory_policy": plan,
        "performance_review": stages.review(part, params["performance_review"], plan=plan),
        "management_summary": summarise(part, params["management_summary"]),
    }
    frames = {f"book {name}": frame for name, frame in demo_book.items()}
    for notebook, result in results.items():
        frames |= {f"{notebook}.{name}": frame for name, frame in result_frames(result).items()}
    frames |= {f"ledger {name}": frame for said in (forecast, plan) for name, frame in ledger_part(said).items()}
    assert len(frames) > 60
    assert unnamed(frames) == []


def test_what_is_made_of_cost_margin_or_supplier_is_confidential() -> None:
    ours = ["owner_cost", "stockout_value", "economic_order_quantity", "short_value", "unit_margin", "otherwise_money"]
    ours += ["cash_ours", "contribution", "margin", "effect", "value_at_risk", "stock_worth", "handling_cost", "allocated"]
    assert [name for name in ours if not is_confidential(name)] == []
    theirs = ["stock_value", "cash_customer", "order_value", "safety_stock", "wape", "share", "value"]
    assert [name for name in theirs if is_confidential(name)] == []


def test_the_document_is_what_the_package_says(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(root / "tools" / "nomenclature.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
