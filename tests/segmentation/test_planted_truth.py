"""What was planted in the demo is found, and little else."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pandas as pd
import pytest

from cmi_analysis.demo import Demo, make_demo
from cmi_analysis.segmentation.behaviour import classify_behaviour, is_seasonal, score_season
from cmi_analysis.segmentation.leaving import classify_leaving
from cmi_analysis.segmentation.life_cycle import classify_life_cycle
from cmi_analysis.segmentation.purchases import table_purchases

AS_OF = dt.date(2026, 6, 28)
SEEDS = (1, 2, 3)


@cache
def book(seed: int) -> Demo:
    return make_demo(size="small", seed=seed)


@cache
def purchases(seed: int) -> pd.DataFrame:
    tables = book(seed).tables
    return table_purchases(tables["orders"], basis="orders", products=tables["products"], assortment=tables["assortment"])


def planted(seed: int, role: str) -> pd.Series:
    roles = book(seed).truth["roles"]
    return roles.loc[roles["role"] == role].iloc[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_leaving_customer_is_called_and_hardly_anyone_else(seed: int) -> None:
    result = classify_leaving(purchases(seed), as_of=AS_OF)
    called = set(result.loc[result["leaving_status"].isin(["overdue", "silent"]), "customer_id"])
    assert planted(seed, "leaving")["id"] in called
    assert len(called) <= 3, "more than 2 false alarms among 41 customers"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_leaving_customer_is_called_within_three_of_its_intervals_of_silence(seed: int) -> None:
    who = planted(seed, "leaving")
    for week in range(24):
        day = who["starts_on"].date() + dt.timedelta(weeks=week)
        row = classify_leaving(purchases(seed), as_of=day).set_index("customer_id").loc[who["id"]]
        if row["leaving_status"] == "overdue":
            assert row["days_since_last_order"] <= 3 * row["median_interval_days"]
            return
    pytest.fail("the leaving customer is not called")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seasonal_categories_are_called_seasonal_with_their_peak_and_the_flat_one_is_not(seed: int) -> None:
    tables = book(seed).tables
    use = tables["sales"].merge(tables["products"][["product_id", "category"]], on="product_id")
    result = score_season(use, as_of=AS_OF, key="category").set_index("category")
    found = result.index[is_seasonal(result)]
    assert {"Beverages", "Heating"} <= set(found) <= {"Beverages", "Gifts", "Heating"}
    peaks = {"Beverages": 7, "Gifts": 12, "Heating": 1}
    assert all(abs((result.loc[name, "peak_month"] - peaks[name] + 6) % 12 - 6) <= 1 for name in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_few_customers_are_called_seasonal_where_no_customer_is(seed: int) -> None:
    result = classify_behaviour(purchases(seed), as_of=AS_OF, use=book(seed).tables["sales"])
    assert (result["behaviour"] == "seasonal").sum() <= 3


@pytest.mark.parametrize("seed", SEEDS)
def test_the_new_and_the_ending_product_are_found(seed: int) -> None:
    tables = book(seed).tables
    result = classify_life_cycle(tables["sales"], as_of=AS_OF, products=tables["products"]).set_index("product_id")["life_stage"]
    assert result[planted(seed, "ending")["id"]] == "ending"
    assert result[planted(seed, "new")["id"]] in ("launch", "growth")
    assert (result == "ending").sum() <= 2
