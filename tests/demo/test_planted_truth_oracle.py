"""Each planted thing is really in the data: plain pandas on the tables, nothing of the package but the generator."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.demo import Demo

END = pd.Timestamp("2026-06-28")
KEY = ["customer_id", "product_id"]


def planted(book: Demo, role: str) -> str:
    """Return the id that plays a part."""
    return book.truth["roles"].set_index("role").loc[role, "id"]


def apart(values: pd.Series, who: str) -> tuple[float, pd.Series]:
    """Return the value of one and those of all others."""
    return float(values[who]), values.drop(who)


def regular_sales(book: Demo) -> pd.DataFrame:
    """Return sales of planted smooth series that live all the time, relative to their mean, with their factors."""
    sales = book.tables["sales"].merge(book.truth["series"][[*KEY, "planted_class"]], on=KEY)
    sales = sales[sales["planted_class"] == "smooth"]
    sales = sales[~sales["product_id"].isin([planted(book, "new"), planted(book, "ending")])]
    sales = sales[~sales["product_id"].isin(book.truth["short_supply"]["product_id"])]
    sales = sales[~sales["customer_id"].isin([planted(book, "leaving"), planted(book, "understocked")])]
    sales = sales.merge(book.tables["products"][["product_id", "category"]], on="product_id")
    sales = sales.merge(book.truth["seasons"], on=["category", "date"])
    sales = sales.merge(book.truth["market"].rename(columns={"factor": "market"}), on="date")
    return sales.assign(relative=sales["quantity"] / sales.groupby(KEY)["quantity"].transform("mean"))


def test_the_seasons_are_there_and_one_category_is_flat(book: Demo) -> None:
    sales = regular_sales(book)
    sales = sales.assign(level=sales["relative"] / sales["market"], month=(sales["date"] - sales["date"].min()).dt.days // 28)
    months = sales.groupby(["category", "month"])[["level", "factor"]].mean()
    for category, frame in months.groupby(level="category"):
        if category == "Hygiene":
            assert frame["level"].groupby(np.arange(len(frame)) % 13).mean().std() < 0.12
        else:
            assert np.corrcoef(frame["level"], frame["factor"])[0, 1] > 0.7
            assert abs(np.polyfit(frame["factor"], frame["level"], 1)[0] - 1) < 0.35


def test_promotions_lift_sales_by_what_was_planted(book: Demo) -> None:
    demand = book.truth["demand"].merge(book.truth["series"][[*KEY, "planted_class"]], on=KEY)
    sales = book.tables["sales"].merge(demand[[*KEY, "date", "planted_class"]], on=[*KEY, "date"])
    sales = sales[sales["planted_class"].isin(["smooth", "erratic"])]
    sales = sales.merge(book.tables["products"][["product_id", "category"]], on="product_id")
    sales = sales.merge(book.truth["seasons"], on=["category", "date"])
    sales = sales.merge(book.tables["customers"][["customer_id", "customer_group"]], on="customer_id")
    found, expected = 0.0, 0.0
    for promo in book.truth["promotions"].itertuples():
        own = sales[sales["product_id"] == promo.product_id]
        if isinstance(promo.customer_group, str):
            own = own[own["customer_group"] == promo.customer_group]
        during = own[own["date"].between(promo.starts_on, promo.ends_on)]
        before = own[own["date"].between(promo.starts_on - pd.Timedelta(weeks=6), promo.starts_on - pd.Timedelta(days=1))]
        after = own[own["date"].between(promo.ends_on + pd.Timedelta(weeks=2, days=1), promo.ends_on + pd.Timedelta(weeks=8))]
        around = pd.concat([before, after])
        around = around[~around["promotion"].astype(bool)]
        level = (around["quantity"] / around["factor"]).groupby([around[name] for name in KEY]).mean().rename("level")
        level = level[level > 0]
        during = during.merge(level.reset_index(), on=KEY)
        assert during["promotion"].astype(bool).all()
        found += (during["quantity"] / during["level"]).sum()
        expected += during["factor"].sum() * promo.lift
    assert 0.8 < found / expected < 1.15  # censoring takes some of the lift


def test_one_supplier_is_late_and_all_together_are_late_in_about_eleven_percent(book: Demo) -> None:
    due = book.tables["receipts"].query("promised_on <= @END")
    late = ~(due["received_on"] <= due["promised_on"])
    his, others = apart(late.groupby(due["supplier_id"]).mean(), planted(book, "late"))
    assert his > 0.28
    assert others.max() < 0.12
    assert abs(late.mean() - 0.115) < 0.025


def test_lead_times_vary_as_planted(book: Demo) -> None:
    came = book.tables["receipts"].dropna(subset=["received_on"])
    days = (came["received_on"] - came["ordered_on"]).dt.days.groupby(came["supplier_id"])
    cv = days.std() / days.mean()
    truth = book.truth["suppliers"].set_index("supplier_id")["lead_time_cv"]
    assert cv.between(0.38, 1.30).all()
    assert (cv / truth - 1).abs().max() < 0.25


def test_one_customer_leaves_and_nobody_else_falls_silent(book: Demo) -> None:
    orders = book.tables["orders"]
    others = orders.groupby("customer_id")["ordered_on"].max().drop(planted(book, "leaving"))
    who = orders[orders["customer_id"] == planted(book, "leaving")]
    start = book.truth["roles"].set_index("role").loc["leaving", "starts_on"]
    days = who["ordered_on"].drop_duplicates()
    assert (days < start).sum() > 100
    assert (days >= start).sum() <= 6
    assert (days >= start + pd.Timedelta(weeks=8)).sum() == 0
    assert others.min() > END - pd.Timedelta(weeks=10)
    sales = book.tables["sales"][book.tables["sales"]["customer_id"] == planted(book, "leaving")]
    assert sales.loc[sales["date"] >= start + pd.Timedelta(weeks=8), "quantity"].sum() == 0


def test_one_customers_forecast_is_thirty_percent_too_high(book: Demo) -> None:
    joined = book.tables["customer_forecasts"].merge(
        book.truth["demand"], left_on=[*KEY, "period"], right_on=[*KEY, "date"], suffixes=("", "_true")
    )
    totals = joined.groupby("customer_id")[["quantity", "demand"]].sum()
    his, others = apart(totals["quantity"] / totals["demand"], planted(book, "biased_forecast"))
    assert abs(his - 1.30) < 0.08
    assert abs(others.median() - 1) < 0.05
    assert others.between(0.75, 1.25).all()


def test_the_customers_forecasts_have_a_wape_of_about_three_quarters(book: Demo) -> None:
    actual = book.tables["sales"].rename(columns={"date": "period", "quantity": "actual"})[[*KEY, "period", "actual"]]
    joined = book.tables["customer_forecasts"].merge(actual, on=[*KEY, "period"])
    wape = (joined["quantity"] - joined["actual"]).abs().sum() / joined["actual"].sum()
    assert abs(wape - 0.76) < 0.08


def test_one_customer_orders_in_batches(book: Demo) -> None:
    days = book.tables["orders"].drop_duplicates(["customer_id", "ordered_on"]).sort_values(["customer_id", "ordered_on"])
    gaps = days.groupby("customer_id")["ordered_on"].apply(lambda dates: dates.diff().dt.days.median())
    his, others = apart(gaps, planted(book, "batching"))
    assert his == 56
    assert others.max() <= 28


def test_empty_shelves_cut_sales_below_demand(book: Demo) -> None:
    truth, sales = book.truth["demand"], book.tables["sales"]
    pd.testing.assert_series_equal(truth["sold"], sales["quantity"], check_names=False)
    lost = truth["demand"] - truth["sold"]
    assert lost.min() == 0
    assert 0.02 < lost.sum() / truth["demand"].sum() < 0.09
    dry = sales.loc[(lost > 0) & sales["in_stock"].notna(), "in_stock"]
    assert dry.max() < 1
    assert sales.loc[(lost == 0) & (sales["quantity"] > 0), "in_stock"].dropna().eq(1).all()
    by = truth.groupby("customer_id")[["demand", "sold"]].sum()
    his, others = apart(1 - by["sold"] / by["demand"], planted(book, "understocked"))
    assert his > 0.15
    assert his > others.max()


def test_one_customer_has_far_too_much_stock_and_one_sends_its_data_late(book: Demo) -> None:
    stock, feeds = book.tables["stock"], book.tables["feeds"]
    totals = stock.groupby("customer_id")[["on_hand", "issued"]].sum()
    his, others = apart(totals["on_hand"] / totals["issued"], planted(book, "overstocked"))
    assert his > 1.5 * others.median()
    in_time = (feeds["received_on"] <= feeds["due_on"]).groupby(feeds["customer_id"]).mean()
    his, others = apart(in_time, planted(book, "poor_sharing"))
    assert his < 0.6 < 0.85 < others.min()


def test_our_warehouse_is_short_of_the_planted_products(book: Demo) -> None:
    short = book.truth["short_supply"]
    orders = book.tables["orders"][book.tables["orders"]["product_id"].isin(short["product_id"])]
    good = (orders["delivered_on"] <= orders["promised_on"]) & (orders["quantity_delivered"] >= orders["quantity_ordered"])
    first, last = short["starts_on"].iloc[0], short["ends_on"].iloc[0]
    during = orders["ordered_on"].between(first + pd.Timedelta(weeks=6), last)
    assert good[orders["ordered_on"] < first].mean() > 0.6
    assert good[during].mean() < 0.42
    cut = book.tables["receipts"].query("quantity_received < quantity_ordered")
    assert set(cut["product_id"]) <= set(short["product_id"])
    assert cut["received_on"].between(first, last).all()
    assert (orders["cancelled_by"] == "supplier").sum() >= 3


def test_about_seven_percent_of_value_comes_back(book: Demo) -> None:
    orders = book.tables["orders"]
    price = book.tables["assortment"][[*KEY, "unit_price"]]
    back = book.tables["returns"].merge(price, on=KEY)
    share = (back["quantity"] * back["unit_price"]).sum() / (orders["quantity_delivered"] * orders["unit_price"]).sum()
    assert abs(share - 0.07) < 0.015


def test_one_product_is_new_and_one_has_ended(book: Demo) -> None:
    sales, roles = book.tables["sales"], book.truth["roles"].set_index("role")
    new = sales[sales["product_id"] == planted(book, "new")]
    assert new["date"].min() == roles.loc["new", "starts_on"]
    assert new["customer_id"].nunique() >= 10
    assert new.loc[new["date"] > "2026-02-01", "quantity"].sum() > 0
    ending = sales[sales["product_id"] == planted(book, "ending")]
    assert ending.loc[ending["date"] < "2024-07-01", "quantity"].sum() > 0
    assert ending.loc[ending["date"] >= roles.loc["ending", "ends_on"], "quantity"].sum() == 0
    products = book.tables["products"].set_index("product_id")
    assert products.loc[planted(book, "new"), "replaces_product_id"] == planted(book, "ending")


def test_the_ledger_differs_in_one_month_only(book: Demo) -> None:
    tables, ledger = book.tables, book.tables["control_totals"].set_index(["table", "period"])["quantity"]
    columns = {
        "sales": ("date", "quantity"),
        "orders": ("ordered_on", "quantity_ordered"),
        "deliveries": ("shipped_on", "quantity"),
    }
    columns |= {"returns": ("returned_on", "quantity"), "receipts": ("received_on", "quantity_received")}
    differences = {}
    for name, (date, quantity) in columns.items():
        frame = tables[name].dropna(subset=[date])
        ours = frame.groupby(frame[date].dt.to_period("M").dt.to_timestamp())[quantity].sum()
        gap = ledger[name] - ours
        differences |= {(name, month): value for month, value in gap[gap.abs() > 1e-6].items()}
    assert differences == {("deliveries", pd.Timestamp("2026-04-01")): 120.0}
    truth = book.truth["control_differences"]
    assert truth["quantity_difference"].tolist() == [120.0]
