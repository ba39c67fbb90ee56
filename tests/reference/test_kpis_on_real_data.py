"""Figures of real data that are known from elsewhere, reproduced by the KPI catalogue."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.performance.scoring import score_kpis

pytestmark = pytest.mark.real_data


def test_supplygraph_delivers_98_7_per_cent_of_what_is_ordered(shared_data: Path) -> None:
    flows = pd.read_parquet(shared_data / "supplygraph" / "temporal_unit.parquet")
    ordered = flows[flows["flow"] == "sales_order"].groupby("product")["qty"].sum().rename("quantity_ordered").reset_index()
    orders = ordered.assign(order_id=ordered["product"], line="1", customer_id="all", ordered_on=flows["date"].min())
    came = flows[(flows["flow"] == "delivery_to_distributor") & (flows["qty"] > 0)]
    deliveries = came.assign(order_id=came["product"], line="1", delivered_on=came["date"], quantity=came["qty"])
    tables = {"orders": orders.rename(columns={"product": "product_id"}), "deliveries": deliveries}
    share = score_kpis(tables, kpis=["delivered_share"], settings={"as_of": "2023-12-31"})["value"].iloc[0]
    assert round(100 * share, 1) == 98.7


def test_the_sites_own_average_consumption_forecasts_the_next_month_with_a_wape_near_0_76(shared_data: Path) -> None:
    rows = pd.read_parquet(shared_data / "usaid_lmis" / "logistics.parquet")
    month = pd.to_datetime({"year": rows["year"], "month": rows["month"], "day": 1})
    item = {"customer_id": rows["site_code"].astype(str), "product_id": rows["product_code"].astype(str)}
    sales = pd.DataFrame({**item, "date": month, "quantity": rows["stock_distributed"].astype(float)})
    ahead = month + pd.DateOffset(months=1)
    shared = pd.DataFrame({**item, "issued_on": ahead - pd.Timedelta(days=1), "period": ahead,
                           "quantity": rows["average_monthly_consumption"].astype(float)})  # fmt: skip
    found = score_kpis(
        {"sales": sales, "customer_forecasts": shared},
        kpis=["wape", "wape_naive"],
        settings={"as_of": "2018-12-31", "frequency": "month"},
    )
    # told as "about 0.76" and 0.84 without a definition; a plain merge of each month with the one before gives 0.7785 and 0.8514
    assert found["value"].tolist() == [pytest.approx(0.7785, abs=2e-3), pytest.approx(0.8514, abs=2e-3)]
