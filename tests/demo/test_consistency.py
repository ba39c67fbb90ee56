"""The tables of the demo agree with each other and with the contract."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.demo import Demo, make_demo
from cmi_analysis.demo.layout import Size
from cmi_analysis.tables.schemas import SCHEMAS

LINE = ["order_id", "line"]
KEY = ["customer_id", "product_id"]
TINY = Size(groups=2, customers=6, products=25, warehouses=2, breadth=1)


def sunday(dates: pd.Series) -> pd.Series:
    """Return the Sunday that ends each date's week."""
    return dates + pd.to_timedelta(6 - dates.dt.day_of_week, unit="D")


def test_every_table_of_the_contract_is_there_with_unique_keys(book: Demo) -> None:
    assert set(book.tables.frames) == set(SCHEMAS)
    for name, frame in book.tables.frames.items():
        assert not frame.empty, name
        assert not frame.duplicated([key for key in SCHEMAS[name].key if key in frame]).any(), name


def test_deliveries_add_up_to_the_quantity_delivered_and_never_exceed_the_order(book: Demo) -> None:
    orders, deliveries = book.tables["orders"], book.tables["deliveries"]
    came = deliveries.dropna(subset=["delivered_on"]).groupby(LINE)["quantity"].sum()
    ours = orders.set_index(LINE)
    np.testing.assert_array_equal(came.reindex(ours.index).fillna(0.0), ours["quantity_delivered"])
    assert (ours["quantity_delivered"] <= ours["quantity_ordered"] - ours["quantity_cancelled"]).all()
    joined = deliveries.merge(orders[[*LINE, "ordered_on"]], on=LINE, how="left")
    assert (joined["shipped_on"] > joined["ordered_on"]).all()
    assert not (joined["delivered_on"] <= joined["shipped_on"]).any()


def test_site_stock_balances_and_receives_what_was_delivered(book: Demo) -> None:
    stock = book.tables["stock"].sort_values([*KEY, "date"])
    opening = stock.groupby(KEY)["on_hand"].shift()
    gap = opening + stock["received"] - stock["issued"] + stock["adjusted"] - stock["on_hand"]
    assert gap.abs().max() == 0
    came = book.tables["deliveries"].dropna(subset=["delivered_on"]).merge(book.tables["orders"][[*LINE, *KEY]], on=LINE)
    came = came.assign(date=sunday(came["delivered_on"])).groupby([*KEY, "date"])["quantity"].sum()
    received = stock.set_index([*KEY, "date"])["received"]
    np.testing.assert_array_equal(came.reindex(received.index).fillna(0.0), received)
    assert came.sum() == received.sum()


def test_own_stock_balances_with_receipts_and_shipments(book: Demo) -> None:
    house = book.tables["warehouse_stock"].sort_values(["warehouse_id", "product_id", "date"])
    key = ["warehouse_id", "product_id", "date"]
    sent = book.tables["deliveries"].merge(book.tables["orders"][[*LINE, "product_id"]], on=LINE)
    sent = sent.assign(date=sunday(sent["shipped_on"])).groupby(key)["quantity"].sum()
    came = book.tables["receipts"].dropna(subset=["received_on"])
    came = came.assign(date=sunday(came["received_on"])).groupby(key)["quantity_received"].sum()
    index = pd.MultiIndex.from_frame(house[key])
    opening = house.groupby(key[:2])["on_hand"].shift().to_numpy()
    gap = opening + came.reindex(index, fill_value=0.0).to_numpy() - sent.reindex(index, fill_value=0.0).to_numpy()
    assert np.nanmax(np.abs(gap - house["on_hand"].to_numpy())) == 0
    assert house["on_hand"].min() >= 0


def test_lots_add_up_to_own_stock_and_what_is_on_the_way_to_open_deliveries(book: Demo) -> None:
    lots = book.tables["lots"].groupby(["node_id", "product_id"])["quantity"].sum()
    house = book.tables["warehouse_stock"].query("date == date.max()").set_index(["warehouse_id", "product_id"])["on_hand"]
    np.testing.assert_array_equal(lots, house.reindex(lots.index))
    way = book.tables["deliveries"]["delivered_on"].isna()
    assert book.tables["in_transit"]["quantity"].sum() == book.tables["deliveries"].loc[way, "quantity"].sum()


def test_one_account_has_three_sites(book: Demo) -> None:
    sites = book.tables["customers"].groupby("account_id").size()
    assert sites.value_counts().to_dict() == {1: 39, 3: 1}


def test_the_same_seed_gives_the_same_book_and_another_seed_another() -> None:
    first, again, other = (make_demo(size=TINY, seed=seed) for seed in (3, 3, 4))
    for name, frame in first.tables.frames.items():
        pd.testing.assert_frame_equal(frame, again.tables[name])
    assert not first.tables["sales"]["quantity"].head(500).equals(other.tables["sales"]["quantity"].head(500))


def test_a_further_customer_changes_nobody_elses_demand_or_terms() -> None:
    more = Size(groups=2, customers=7, products=25, warehouses=2, breadth=1)
    few, many = make_demo(size=TINY, seed=3), make_demo(size=more, seed=3)
    for name, frame in (("demand", few.truth["demand"][[*KEY, "date", "demand"]]), ("series", few.truth["series"])):
        columns = [column for column in frame if column != "sold"]
        kept = many.truth[name][many.truth[name]["customer_id"].isin(frame["customer_id"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(kept[columns], frame[columns])
    terms = many.tables["assortment"]
    terms = terms[terms["customer_id"].isin(few.tables["customers"]["customer_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        terms.drop(columns="customer_product_code"), few.tables["assortment"].drop(columns="customer_product_code")
    )
