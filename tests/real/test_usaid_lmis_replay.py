"""Replay of 2018 on real stock: what the reports say, and what sharing by need would have made of the same receipts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.inventory.replay import replay_lines
from cmi_analysis.inventory.stock_history import StockHistory, lay_out_history
from cmi_analysis.tables.reading import read_tables

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def history(root: Path, shared_data: Path) -> StockHistory:
    """Return the monthly reports by the mapping that ships with the project."""
    mapping = root / "params" / "mappings" / "usaid_lmis.yml"
    return lay_out_history(read_tables(shared_data / "usaid_lmis", mapping=mapping).dataset["stock"])


@pytest.fixture(scope="module")
def lines(history: StockHistory) -> pd.DataFrame:
    """Return the three lines of 2018 with two demand paths."""
    return replay_lines(history, first=24, paths=2).set_index("line")


def test_the_line_of_what_happened_is_the_reports_own(lines: pd.DataFrame, shared_data: Path) -> None:
    rows = pd.read_parquet(shared_data / "usaid_lmis" / "logistics.parquet").query("year == 2018")
    moves = rows.groupby(["site_code", "product_code"])[["stock_initial", "stock_received", "stock_distributed", "stock_end"]]
    carried = (moves.max() > 0).any(axis=1).rename("carried")
    rows = rows.join(carried, on=["site_code", "product_code"])
    live = rows[rows["carried"]]
    assert lines.loc["actual", "items"] == carried.sum()
    assert lines.loc["actual", "item_periods"] == len(live)
    assert lines.loc["actual", "stockout_share"] == pytest.approx((live["stock_end"] == 0).mean())
    assert lines.loc["actual", "stock_months"] == pytest.approx(live["stock_end"].sum() / live["stock_distributed"].sum())


def test_the_same_receipts_shared_by_need_leave_fewer_shelves_empty_with_no_more_stock(lines: pd.DataFrame) -> None:
    actual, shared = lines.loc["actual"], lines.loc["shared"]
    assert shared["stockout_high"] < actual["stockout_share"] - 0.03
    assert shared["stock_months"] <= actual["stock_months"]
    assert shared["issued"] > actual["issued"]


def test_full_supply_is_better_served_than_shared_supply(lines: pd.DataFrame) -> None:
    assert lines.loc["full", "stockout_share"] < lines.loc["shared", "stockout_share"]
    assert lines.loc["full", "fill"] > lines.loc["shared", "fill"]
    assert not lines.isna().to_numpy().any()
