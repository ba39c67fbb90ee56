"""Contribution, accounts, share of the best."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from cmi_analysis.segmentation.value import classify_accounts, score_contribution, top_share

AS_OF = dt.date(2025, 12, 31)


@pytest.fixture
def purchases() -> pd.DataFrame:
    day = pd.Timestamp("2025-06-01")
    rows = [("O1", "C1", "P1", 10.0, 5.0), ("O1", "C1", "P2", 2.0, 20.0), ("O2", "C2", "P1", 1.0, 5.0)]
    frame = pd.DataFrame(rows, columns=["order_id", "customer_id", "product_id", "quantity", "unit_price"])
    return frame.assign(date=day, known_on=day, value=frame["quantity"] * frame["unit_price"])


PRODUCTS = pd.DataFrame({"product_id": ["P1", "P2"], "unit_cost": [3.0, 15.0]})
COSTS = pd.DataFrame(
    {
        "cost": ["pick_cost", "freight_cost", "freight_cost", "return_cost"],
        "customer_id": [None, None, "C2", None],
        "value": [1.0, 4.0, 6.0, 2.5],
    }
)


def test_contribution_is_margin_less_picking_by_line_freight_by_order_and_returns(purchases) -> None:
    back = pd.DataFrame(
        {"customer_id": ["C1"], "product_id": ["P1"], "date": pd.Timestamp("2025-07-01"), "quantity": [2.0], "value": [10.0]}
    )
    result = score_contribution(purchases, products=PRODUCTS, as_of=AS_OF, returns=back, costs=COSTS).set_index("customer_id")
    # C1: 10·(5 − 3) + 2·(20 − 15) − 2·(5 − 3) = 26; two lines, one order, one returned line: 2 + 4 + 2.5
    assert result.loc["C1", ["margin", "handling_cost", "contribution"]].tolist() == [26.0, 8.5, 17.5]
    # C2 has its own freight: 1·2 − (1 + 6)
    assert result.loc["C2", ["margin", "handling_cost", "contribution"]].tolist() == [2.0, 7.0, -5.0]


def test_without_a_cost_table_contribution_is_margin(purchases) -> None:
    result = score_contribution(purchases, products=PRODUCTS, as_of=AS_OF)
    assert result["contribution"].tolist() == result["margin"].tolist() == [30.0, 2.0]


def test_products_without_cost_are_left_out_and_the_share_known_is_said(purchases) -> None:
    result = score_contribution(purchases, products=PRODUCTS.head(1), as_of=AS_OF).set_index("customer_id")
    assert result.loc["C1", "margin"] == 20.0
    assert result.loc["C1", "cost_known_share"] == pytest.approx(50 / 90)


def test_only_the_window_counts(purchases) -> None:
    assert score_contribution(purchases, products=PRODUCTS, as_of=dt.date(2026, 12, 31)).empty


def test_sites_of_one_account_are_one_customer_for_value() -> None:
    sites = pd.DataFrame({"customer_id": ["C1", "C2", "C3"], "account_id": ["A", "A", None], "value": [30.0, 40.0, 60.0]})
    result = classify_accounts(sites, a_share=0.5, b_share=0.9)
    assert result[["account_id", "sites", "value", "abc_class"]].values.tolist() == [["A", 2, 70.0, "A"], ["C3", 1, 60.0, "B"]]


def test_the_top_share_counts_whole_customers_and_ignores_losses() -> None:
    assert top_share(pd.Series([50.0, 30.0, 10.0, 5.0, 3.0, 2.0, -90.0])) == pytest.approx(0.8)
    assert pd.isna(top_share(pd.Series([], dtype="float64")))
