from __future__ import annotations

import datetime as dt
import functools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.displays.inventory_policy import table_proposals, table_service
from cmi_analysis.figures.inventory_policy import plot_alerts, plot_projection, plot_service
from cmi_analysis.labels import text
from cmi_analysis.messages.inventory_policy import tell_inventory_policy
from cmi_analysis.pages import Page
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.stages.inventory_policy import PlanResult, plan
from cmi_analysis.stages.plan_columns import COLUMNS, SECTIONS
from cmi_analysis.tables import DataSet, Settings, Slice

AS_OF = dt.date(2024, 6, 30)
DAY = pd.Timestamp(AS_OF)


def make_slice(**changes: pd.DataFrame | None) -> Slice:
    weeks = pd.date_range("2023-07-03", periods=52, freq="W-MON").astype("datetime64[ns]")
    base = {"customer_id": "c1", "product_id": "p1"}
    frames: dict[str, pd.DataFrame | None] = {
        "customers": pd.DataFrame({"customer_id": ["c1"], "customer_name": ["One & <b>Co"]}),
        "products": pd.DataFrame({"product_id": ["p1"], "product_name": ["Bolt"], "unit_cost": [4.0], "unit_price": [6.0]}),
        "sales": pd.DataFrame({"date": weeks, "quantity": 70.0}).assign(**base),
        "stock": pd.DataFrame({"date": [DAY], "on_hand": [20.0]}).assign(**base),
    }
    kept = {name: frame for name, frame in (frames | changes).items() if frame is not None}
    return Slice("g", AS_OF, DataSet(kept, Settings(frequency="week", currency="EUR")))


@functools.cache
def usual_plan(**params: object) -> tuple[PlanResult, InventoryPolicyParams]:
    return make_plan(make_slice(), **params)


def make_plan(part: Slice, **params: object) -> tuple[PlanResult, InventoryPolicyParams]:
    periods = pd.date_range("2024-07-01", periods=13, freq="W-MON").astype("datetime64[ns]")
    forecasts = pd.DataFrame({"echelon": "site", "customer_id": "c1", "product_id": "p1", "period": periods, "mean": 70.0})
    forecasts = forecasts.assign(of="demand", q05=40.0, q95=100.0)
    errors = pd.DataFrame({name: [] for name in ("customer_id", "product_id", "origin", "lead", "actual", "mean")})
    chosen = InventoryPolicyParams.model_validate({"assumed_lead_time_days": 7.0, **params})
    return plan(part, chosen, forecast=SimpleNamespace(forecasts=forecasts, errors=errors)), chosen


def tell(part: Slice | None = None, **params: object) -> Page:
    result, chosen = make_plan(part, **params) if part else usual_plan(**params)
    part = part or make_slice()
    return tell_inventory_policy(result, part, chosen)


def test_headline_opens_with_service_against_target() -> None:
    page = tell()
    result, _ = usual_plan()
    assert page.headline.startswith(f"Until a new order can arrive {result.totals['expected']:.1%} of demand")
    assert "target of 95.0%" in page.headline
    assert page.status == "bad"
    assert page.badness == pytest.approx(0.95 - result.totals["expected"])


def test_numbers_of_the_cards_are_those_of_the_result() -> None:
    result, _ = usual_plan()
    cards = {card.key: card.value for card in tell().cards}
    assert len(cards) == 6
    assert cards["shelf_fill_promised"] == result.totals["promised"]
    assert cards["site_stock"] == 120.0
    assert cards["stockout_at_risk"] == pytest.approx(result.policies["stockout_value"].sum())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_section_has_words_and_an_alternative_text(lang: str) -> None:
    page = tell(lang=lang)
    assert tuple(page.sections) == SECTIONS
    for section in page.sections.values():
        assert section.missing or (section.title and section.alt)
        assert "{" not in section.title + section.so_what + section.alt + section.missing
        assert "nan" not in (section.title + section.so_what + section.alt).lower()


def test_chinese_page_has_no_english_sentence() -> None:
    page = tell(lang="zh")
    words = [page.headline, *(finding.text for finding in page.findings), *page.assumptions]
    assert all(re.search("[一-鿿]", sentence) for sentence in words)


def test_assumptions_are_named_with_their_numbers() -> None:
    joined = " ".join(tell().assumptions)
    assert "A lead time of 7.0 days is assumed" in joined
    assert "A holding cost of 20.0% a year is assumed" in joined
    assert "not replayed on history" in joined


def test_actions_say_who_when_and_what_otherwise() -> None:
    action = tell().actions[0]
    assert action.text.startswith("Order now for One & <b>Co: ")
    assert action.due_on == "2024-07-01"
    assert action.effect is not None
    assert action.cash_customer == -(action.cash_ours or 0)
    assert "units of demand will not be met" in action.otherwise


def test_without_sell_out_the_page_says_so_and_claims_nothing() -> None:
    page = tell(make_slice(sales=None, stock=None))
    assert page.headline == text("inventory.missing.sales")
    assert page.status == "none"
    assert [action.text for action in page.actions] == [text("inventory.action.share")]
    assert all(card.value is None and card.note for card in page.cards)


def test_without_stock_only_the_promise_is_told() -> None:
    page = tell(make_slice(stock=None))
    assert page.headline.startswith("The recommended levels promise")
    assert page.sections["money"].missing == text("inventory.missing.stock")
    assert page.sections["service"].title


def test_client_sees_neither_margin_nor_allocation() -> None:
    part = make_slice()
    result, chosen = usual_plan(audience="client")
    page = tell_inventory_policy(result, part, chosen)
    assert page.sections["allocation"].missing == text("inventory.missing.internal")
    assert all(action.effect is None for action in page.actions)
    names = {column for name in COLUMNS for column in getattr(result, name).columns}
    assert not names & {"unit_cost", "owner_cost", "stockout_value", "effect", "priority", "supplier_id", "supplier_name"}
    assert "Margin" not in table_service(result.customers, audience="client").html


def test_names_are_escaped_in_tables() -> None:
    result, _ = usual_plan()
    assert "One &amp; &lt;b&gt;Co" in table_proposals(result.proposals, currency="EUR").html


def test_charts_of_empty_frames_say_so() -> None:
    for plot, name in ((plot_service, "customers"), (plot_alerts, "alerts"), (plot_projection, "projection")):
        ax = plot(pd.DataFrame({column: [] for column in COLUMNS[name]}))
        assert ax.texts[0].get_text() == "Nothing to draw."  # type: ignore[union-attr]


def test_one_demand_and_an_outlier_give_numbers_not_gaps() -> None:
    sales = make_slice().tables["sales"].assign(quantity=[0.0] * 51 + [70000.0])
    result, _ = make_plan(make_slice(sales=sales))
    assert result.policies[["reorder_point", "promised", "mean_stock", "safety_stock"]].notna().all().all()
    assert np.isfinite(result.policies["order_up_to_level"]).all()


def test_notebook_cells_are_the_catalogues_words(root: Path) -> None:
    book = json.loads((root / "notebooks" / "inventory_policy.ipynb").read_text("utf-8"))
    for cell in book["cells"]:
        if cell["cell_type"] == "markdown":
            assert "".join(cell["source"]) == text(cell["metadata"]["cmi"]["text"])
