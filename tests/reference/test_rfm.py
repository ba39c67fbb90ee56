"""RFM against published results."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.segmentation.profile import profile_customers
from cmi_analysis.segmentation.purchases import table_purchases
from cmi_analysis.segmentation.rfm import fit_rfm_cuts, score_rfm
from cmi_analysis.segmentation.value import top_share


@pytest.mark.real_data
def test_the_vignette_of_the_r_package_rfm_is_reproduced(shared_data: Path) -> None:
    """Cut points and counts by score at 2006-12-31 as printed in the vignette of rfm (Hebbali)."""
    orders = pd.read_csv(shared_data / "rfm_r" / "rfm_data_orders.csv", parse_dates=["order_date"])
    orders = orders.rename(columns={"order_date": "ordered_on"}).assign(
        order_id=lambda d: d.index.astype(str),
        product_id="all",
        quantity_ordered=1.0,
        unit_price=lambda d: d["revenue"].astype(float),
    )
    purchases = table_purchases(orders, basis="orders")
    profile = profile_customers(purchases, as_of=dt.date(2006, 12, 31), window_days=3650)
    assert len(profile) == 995
    cuts = fit_rfm_cuts(profile, rule="rfm_r")
    values = cuts.groupby("measure")["cut_value"].agg(list)
    assert values["days_since_last_order"] == pytest.approx([115, 181, 297.4, 482])
    assert values["orders"] == pytest.approx([4, 5, 6, 8])
    assert values["value"] == pytest.approx([255.8, 382, 506.4, 666])
    scores = score_rfm(profile, cuts=cuts)
    assert scores["r_score"].value_counts().sort_index().tolist() == [197, 200, 199, 199, 200]
    assert scores["f_score"].value_counts().sort_index().tolist() == [268, 187, 176, 244, 120]
    assert scores["m_score"].value_counts().sort_index().tolist() == [200, 200, 198, 202, 195]


@pytest.fixture(scope="module")
def online_retail(shared_data: Path) -> pd.DataFrame:
    raw = pd.read_parquet(shared_data / "online_retail" / "online_retail.parquet")
    cancelled = raw["InvoiceNo"].astype(str).str.startswith("C")
    clean = raw.loc[raw["CustomerID"].notna() & ~cancelled & (raw["Quantity"] > 0) & (raw["UnitPrice"] > 0)]
    orders = pd.DataFrame(
        {
            "order_id": clean["InvoiceNo"].astype(str),
            "customer_id": clean["CustomerID"].astype("int64").astype(str),
            "product_id": clean["StockCode"].astype(str),
            "ordered_on": clean["InvoiceDate"].astype("datetime64[ns]").dt.normalize(),
            "quantity_ordered": clean["Quantity"].astype("float64"),
            "unit_price": clean["UnitPrice"],
        }
    )
    return table_purchases(orders, basis="orders")


@pytest.mark.real_data
def test_the_known_totals_of_online_retail_come_out(online_retail: pd.DataFrame) -> None:
    profile = profile_customers(online_retail, as_of=dt.date(2011, 12, 9), window_days=400)
    assert len(online_retail) == 397_884
    assert len(profile) == 4_338
    assert profile["value"].sum() == pytest.approx(8_911_407.90, abs=0.01)
    assert top_share(profile["value"]) == pytest.approx(0.746, abs=0.0005)


@pytest.mark.real_data
def test_an_idle_customer_another_currency_and_another_row_order_change_no_score(online_retail: pd.DataFrame) -> None:
    as_of = dt.date(2011, 12, 9)

    def scores(frame: pd.DataFrame) -> pd.DataFrame:
        profile = profile_customers(frame, as_of=as_of, history_from=dt.date(2010, 12, 1))
        return score_rfm(profile, cuts=fit_rfm_cuts(profile))

    plain = scores(online_retail)
    pd.testing.assert_frame_equal(scores(online_retail.assign(value=online_retail["value"] * 7.3)), plain)
    pd.testing.assert_frame_equal(scores(online_retail.sample(frac=1, random_state=1)), plain)
    day = pd.Timestamp("2010-12-01")
    idle = online_retail.iloc[[0]].assign(customer_id="idle", order_id="idle", date=day, known_on=day)
    more = scores(pd.concat([online_retail, idle], ignore_index=True))
    pd.testing.assert_frame_equal(more.loc[more["customer_id"] != "idle"].reset_index(drop=True), plain)
