"""The small book looks like real data; measured on the tables as written, tolerances said in each test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.demo import Demo

END = pd.Timestamp("2026-06-28")


def test_demand_classes_are_near_12_7_50_31_percent_within_4_points(book: Demo) -> None:
    sales = book.tables["sales"]
    by = [sales["customer_id"], sales["product_id"]]
    periods = sales["quantity"].groupby(by).size()
    demands = sales["quantity"].where(sales["quantity"] > 0).groupby(by)
    interval = periods / demands.count().clip(lower=1)
    variation = ((demands.std() / demands.mean()) ** 2).fillna(0.0)
    often, even = interval < 1.32, variation < 0.49
    shares = [(often & even).mean(), (often & ~even).mean(), (~often & even).mean(), (~often & ~even).mean()]
    assert np.abs(np.array(shares) - [0.12, 0.07, 0.50, 0.31]).max() < 0.04


def test_the_largest_fifth_of_customers_has_about_three_quarters_of_value(book: Demo) -> None:
    orders = book.tables["orders"]
    value = (
        (orders["quantity_delivered"] * orders["unit_price"]).groupby(orders["customer_id"]).sum().sort_values(ascending=False)
    )
    assert abs(value.head(round(len(value) / 5)).sum() / value.sum() - 0.75) < 0.05


def test_on_time_in_full_is_between_70_and_85_percent(book: Demo) -> None:
    due = book.tables["orders"].query("promised_on <= @END")
    due = due[due["cancelled_by"].fillna("") != "customer"]
    good = (due["delivered_on"] <= due["promised_on"]) & (due["quantity_delivered"] >= due["quantity_ordered"])
    assert 0.70 < good.mean() < 0.85


def test_the_small_book_is_small_and_complete(book: Demo) -> None:
    sales = book.tables["sales"].merge(book.tables["customers"], on="customer_id")
    series = sales.drop_duplicates(["customer_id", "product_id"]).groupby("customer_group").size()
    assert len(series) == 7
    assert series.max() <= 60
    assert 300 <= series.sum() <= 400
    dates = np.sort(sales["date"].unique())
    assert len(dates) == 156
    assert pd.Timestamp(dates[-1]) == END - pd.Timedelta(days=6)
    assert book.tables["stock"]["date"].max() == END
