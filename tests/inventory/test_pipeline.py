from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath
from cmi_analysis.inventory.pipeline import project_pipeline, spread_arrivals

AS_OF = dt.date(2024, 6, 30)
ITEMS = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"], "on_hand": [10.0]})
NONE = pd.DataFrame({"customer_id": [], "product_id": [], "expected_on": pd.to_datetime([]), "quantity": []})


def path(daily: list[float], spread: float = 1.0, days: int = 60) -> DemandPath:
    mean = np.array(daily)[:, None] * np.arange(days + 1.0)
    return DemandPath(mean, mean * spread, np.array(["errors"] * len(daily)))


def supply(day: int, quantity: float) -> pd.DataFrame:
    expected = pd.Timestamp(AS_OF) + pd.Timedelta(days=day)
    return pd.DataFrame({"customer_id": ["c"], "product_id": ["p"], "expected_on": [expected], "quantity": [quantity]})


def project(items: pd.DataFrame = ITEMS, *, open_supply: pd.DataFrame = NONE, until: float = 14, **more: object) -> pd.DataFrame:
    demand = more.pop("path", path([1.0]))
    return project_pipeline(
        items, path=demand, open_supply=open_supply, as_of=AS_OF, until=np.array([until] * len(items)), **more
    )  # type: ignore[arg-type]


def simulate(daily: float, spread: float, *, held: float, arrivals: dict[int, float], days: int, runs: int = 40000):  # type: ignore[no-untyped-def]
    """Return mean lost by day and mean stock by day of a plain simulation."""
    random = np.random.default_rng(3)
    stock, lost, left = np.full(runs, held), [], []
    for day in range(1, days + 1):
        stock = stock + arrivals.get(day, 0.0)
        rate = random.gamma(daily / (spread - 1), spread - 1, runs) if spread > 1 else np.full(runs, daily)
        demand = random.poisson(rate)
        lost.append(np.maximum(demand - stock, 0).mean())
        stock = np.maximum(stock - demand, 0)
        left.append(stock.mean())
    return np.array(lost), np.array(left)


@pytest.mark.parametrize(("daily", "spread", "held"), [(1.0, 1.0, 10.0), (2.0, 4.0, 20.0), (0.2, 3.0, 1.0), (90.0, 30.0, 1500.0)])
def test_lost_sales_by_week_are_those_of_a_simulation(daily: float, spread: float, held: float) -> None:
    quantity = 7 * daily
    items = ITEMS.assign(on_hand=held)
    found = project(items, path=path([daily], spread), open_supply=supply(9, quantity), until=28)
    lost, left = simulate(daily, spread, held=held, arrivals={10: quantity}, days=28)
    by_week = lost.reshape(4, 7).sum(axis=1)
    assert found["short"].to_numpy() == pytest.approx(by_week, abs=0.02 * 7 * daily)
    assert found["stock"].to_numpy() == pytest.approx(left[6::7], abs=0.02 * held)
    assert found["demand"].to_numpy() == pytest.approx([7 * daily] * 4)


def test_two_days_of_lost_sales_are_the_sum_over_all_demands() -> None:
    chances = {0: 0.5, 1: 0.25, 2: 0.125}
    chances |= {k: 0.5 ** (k + 1) for k in range(3, 40)}  # geometric with mean 1
    lost = 0.0
    for (first, p), (second, q) in itertools.product(chances.items(), chances.items()):
        left = max(2 - first, 0)
        lost += p * q * (max(first - 2, 0) + max(second - left, 0))
    found = project(ITEMS.assign(on_hand=2.0), path=path([1.0], 2.0), until=2)
    assert found["short"].tolist() == pytest.approx([lost], abs=1e-6)


def test_expected_loss_is_there_where_the_means_show_none() -> None:
    found = project(until=7)
    assert found["stock"].iloc[0] >= 10 - 7
    assert found["short"].iloc[0] > 0.05


def test_stock_never_goes_below_nothing_and_lost_demand_is_not_owed() -> None:
    empty = ITEMS.assign(on_hand=0.0)
    lost = project(empty, open_supply=supply(14, 20.0), until=21)
    waiting = project(empty, open_supply=supply(14, 20.0), until=21, lost_sales=False)
    assert (lost["stock"] >= 0).all()
    assert lost["short"].tolist()[:2] == pytest.approx([7.0, 7.0])
    # what was lost is not served later, so more is left than where it waits
    assert lost["stock"].iloc[2] == pytest.approx(20 - 7, abs=0.01)
    assert waiting["stock"].iloc[2] < 3


def test_open_supply_and_arrivals_are_told_by_week() -> None:
    found = project(open_supply=pd.concat([supply(2, 5.0), supply(9, 6.0), supply(90, 8.0)]), until=15)
    assert found["week"].tolist() == [0, 1, 2]
    assert found["arriving"].tolist() == [5.0, 6.0, 0.0]
    assert found["open_supply"].tolist() == [11.0, 6.0, 0.0]
    assert found["starts_on"].dt.day.tolist() == [1, 8, 15]


def test_what_arrives_on_a_day_is_on_the_shelf_the_next() -> None:
    assert spread_arrivals(ITEMS, supply(2, 5.0), as_of=AS_OF, days=4).tolist() == [[0, 0, 0, 5.0, 0]]


def test_a_backlog_takes_the_first_arrivals() -> None:
    found = project(ITEMS.assign(on_hand=0.0, backordered=5.0), path=path([0.0]), open_supply=supply(1, 8.0), until=7)
    assert found["stock"].tolist() == pytest.approx([3.0])


def test_forgotten_orders_and_items_without_known_stock_are_left_out() -> None:
    assert project(open_supply=supply(2, 5.0).assign(forgotten=True), until=7)["arriving"].tolist() == [0.0]
    both = pd.concat([ITEMS, ITEMS.assign(product_id="q", on_hand=np.nan)], ignore_index=True)
    found = project(both, path=path([1.0, 1.0]), until=7)
    assert found["product_id"].tolist() == ["p"]
    assert not found.isna().any().any()


def test_an_order_that_arrives_at_once_leaves_nothing_to_project() -> None:
    assert project(until=0).empty


@pytest.mark.parametrize(("stock", "until"), [(-1.0, 7.0), (1.0, -7.0), (1.0, np.nan)])
def test_negative_stock_or_lead_time_is_an_error(stock: float, until: float) -> None:
    with pytest.raises(InputError, match="stock on hand and a lead time of zero or more"):
        project(ITEMS.assign(on_hand=stock), until=until)
