"""The three foreign data sets give the numbers that are known of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.tables.balance import check_balance, share_balanced
from cmi_analysis.tables.issues import stop_reasons, stopped_groups
from cmi_analysis.tables.reading import Reading, read_tables

pytestmark = pytest.mark.real_data


def _read(name: str, root: Path, shared_data: Path) -> Reading:
    return read_tables(shared_data / name, mapping=root / "params" / "mappings" / f"{name}.yml")


@pytest.fixture(scope="module")
def retail(root: Path, shared_data: Path) -> Reading:
    """Return Online Retail."""
    return _read("online_retail", root, shared_data)


@pytest.fixture(scope="module")
def lmis(root: Path, shared_data: Path) -> Reading:
    """Return the contraceptive logistics data."""
    return _read("usaid_lmis", root, shared_data)


@pytest.fixture(scope="module")
def scms(root: Path, shared_data: Path) -> Reading:
    """Return the SCMS deliveries."""
    return _read("scms", root, shared_data)


def test_online_retail_has_its_known_clean_part(retail: Reading) -> None:
    orders = retail.dataset["orders"]
    assert len(orders) == 397_884
    assert orders["customer_id"].nunique() == 4_338
    assert orders["order_id"].nunique() == 18_532
    assert (orders["quantity_ordered"] * orders["unit_price"]).sum() == pytest.approx(8_911_407.90, abs=0.005)
    assert retail.dataset.settings.currency == "GBP"


def test_online_retail_counts_what_it_leaves_out(retail: Reading) -> None:
    rows = retail.dataset.issues.set_index(["rule", "table"])["rows"].to_dict()
    assert rows["exclude: no customer", "orders"] == 135_080
    assert rows["exact_duplicate", "orders"] == 5_268
    assert rows["exclude: price not above zero", "orders"] == 40
    # 9,288 cancellation lines, 383 of them without a customer
    assert rows["route: cancellations", "orders"] == len(retail.dataset["returns"]) == 8_905
    assert retail.set_aside == {}
    assert stop_reasons(retail.dataset.issues) == []


def test_online_retail_returns_are_positive_and_6_9_percent_of_value(retail: Reading, shared_data: Path) -> None:
    returns = retail.dataset["returns"]
    assert (returns["quantity"] > 0).all()
    raw = pd.read_parquet(shared_data / "online_retail" / "online_retail.parquet")
    back = raw[raw["InvoiceNo"].str.startswith("C") & raw["CustomerID"].notna()]
    assert -back["Quantity"].sum() == returns["quantity"].sum()
    assert -(back["Quantity"] * back["UnitPrice"]).sum() / 8_911_407.90 == pytest.approx(0.069, abs=0.0005)


def test_online_retail_customers_have_text_ids_and_one_group_each(retail: Reading) -> None:
    customers = retail.dataset["customers"]
    assert customers["customer_id"].is_unique
    assert customers["customer_id"].str.fullmatch(r"\d{5}").all()
    assert customers["customer_group"].nunique() == 37
    several = retail.dataset.issues.query("rule == 'several_values' and column == 'customer_group'")
    assert several["rows"].sum() == 8


def test_lmis_has_its_known_shape(lmis: Reading) -> None:
    frames = lmis.dataset.frames
    assert {table: len(frames[table]) for table in ("sales", "stock", "customer_forecasts", "products")} == {
        "sales": 29_579,
        "stock": 29_579,
        "customer_forecasts": 29_579,
        "products": 11,
    }
    # the site list names 156 sites; 154 of them report
    assert frames["customers"]["customer_id"].nunique() == frames["sales"]["customer_id"].nunique() == 154
    assert frames["customers"]["customer_group"].nunique() == 20
    assert frames["sales"]["date"].min() == pd.Timestamp("2016-01-01")
    assert frames["stock"]["date"].max() == pd.Timestamp("2018-12-31")
    assert lmis.dataset.settings.frequency == "month"
    assert "assumed to be one month" in lmis.dataset.settings.said("en")[0]


def test_lmis_balances_on_every_row_and_opens_where_it_closed_on_99_percent(shared_data: Path) -> None:
    raw = pd.read_parquet(shared_data / "usaid_lmis" / "logistics.parquet").assign(
        date=lambda frame: pd.to_datetime(frame[["year", "month"]].assign(day=1))
    )
    found = check_balance(
        raw,
        plus=["stock_received", "stock_adjustment"],
        minus=["stock_distributed"],
        closing="stock_end",
        opening="stock_initial",
        by=["site_code", "product_code"],
    )
    assert share_balanced(found) == 1.0
    known = found.dropna(subset=["previous_closing"])
    assert np.mean(known["previous_closing"] == known["opening"]) == pytest.approx(0.994, abs=0.002)


def test_lmis_reports_openings_that_are_not_the_closing_before_and_no_unbalanced_row(lmis: Reading) -> None:
    issues = lmis.dataset.issues
    assert "opening_jump" in issues["rule"].tolist()
    assert not ((issues["rule"] == "balance") & (issues["column"] == "stock_end")).any()
    assert issues.loc[issues["rule"] == "exclude: no order reported", "rows"].sum() == 731
    assert stopped_groups(issues) == {}


def test_scms_has_its_known_lateness_and_lead_times(scms: Reading) -> None:
    kept, aside = scms.dataset["receipts"], scms.set_aside["receipts"]
    # five lines were delivered before they were ordered
    assert (len(kept), len(aside)) == (10_319, 5)
    receipts = pd.concat([kept, aside], ignore_index=True)
    late = receipts["received_on"] > receipts["promised_on"]
    assert late.mean() == pytest.approx(0.1149, abs=0.00005)
    assert (receipts["received_on"] - receipts["promised_on"]).dt.days[late].mean() == pytest.approx(21.4, abs=0.05)
    days = (receipts["received_on"] - receipts["ordered_on"]).dt.days.dropna()
    assert (len(days), days.median()) == (4_592, 92)
    assert scms.dataset["suppliers"]["supplier_id"].nunique() == 73


def test_scms_dates_equal_those_parsed_by_hand(scms: Reading, shared_data: Path) -> None:
    parsed = pd.read_parquet(shared_data / "scms" / "scms_parsed_dates.parquet").assign(
        receipt_id=lambda frame: frame["ID"].astype(str)
    )
    both = scms.dataset["receipts"].merge(parsed, on="receipt_id", validate="1:1")
    for ours, theirs in (
        ("received_on", "delivered_to_client_date"),
        ("promised_on", "scheduled_delivery_date"),
        ("ordered_on", "po_sent_to_vendor_date"),
    ):
        pd.testing.assert_series_equal(both[ours], both[theirs].astype("datetime64[ns]"), check_names=False)
