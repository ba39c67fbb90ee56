"""`propose_orders`: what it proposes and promises; bad input is an error or a labelled row, never a missing value."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.cost_levels import fit_cost_reorder_point
from cmi_analysis.inventory.lead_time_demand import sample_lead_time_demand
from cmi_analysis.inventory.public import STATUS, propose_orders

WEEKS = pd.date_range("2024-07-01", periods=13, freq="W-MON")


def make_forecasts(means: dict[str, float], **columns: float) -> pd.DataFrame:
    rows = [("c", product, week, mean) for product, mean in means.items() for week in WEEKS]
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "period", "mean"]).assign(**columns)


def make_stock(**on_hand: float) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": "c", "product_id": list(on_hand), "on_hand": list(on_hand.values())})


def run(forecasts: pd.DataFrame | None = None, position: pd.DataFrame | None = None, **changes: Any) -> pd.DataFrame:
    given: dict[str, Any] = {"lead_time": 7, "review_period": 7, "cycle_service": 0.95} | changes
    return propose_orders(
        make_forecasts({"p": 7.0}) if forecasts is None else forecasts,
        position=make_stock(p=0.0) if position is None else position,
        **given,
    )


def poisson_quantile(mean: float, level: float) -> int:
    chance = total = float(np.exp(-mean))
    k = 0
    while total < level - 1e-12:
        k += 1
        chance *= mean / k
        total += chance
    return k


@pytest.mark.parametrize("aim", [0.8, 0.95, 0.99])
def test_the_level_of_a_cycle_service_is_the_quantile_of_the_demand_over_lead_time_and_review(aim: float) -> None:
    # 7 a week without known errors is Poisson; lead time 7 and review 7 days
    found = run(cycle_service=aim).iloc[0]
    assert found["order_up_to_level"] == poisson_quantile(14.0, aim)
    assert found["quantity"] == found["order_up_to_level"]
    assert (found["order_on"], found["arrives_on"]) == (pd.Timestamp("2024-07-01"), pd.Timestamp("2024-07-08"))
    assert (found["status"], found["reason"], found["bound_by"]) == ("order", "stocked_out", "need")


def test_the_level_of_costs_is_the_newsvendors() -> None:
    # h of a week = 52·7/365, p = 9: ratio 9/(9 + 0.997)
    found = run(cycle_service=None, holding_cost=52.0, shortage_cost=9.0).iloc[0]
    ratio = 9 / (9 + 52 * 7 / 365)
    assert found["target"] == pytest.approx(ratio)
    assert found["order_up_to_level"] == poisson_quantile(14.0, ratio)


@pytest.mark.parametrize("batch", [1.0, 4.0, 25.0])
def test_the_reorder_point_of_costs_is_the_cheapest_of_all(batch: float) -> None:
    samples = np.random.default_rng(5).poisson(12, size=(1, 400)).astype("float64")
    demand = sample_lead_time_demand(samples)
    held, short = np.array([0.7]), np.array([4.0])
    found = fit_cost_reorder_point(batch=np.array([batch]), protection=demand, holding_cost=held, shortage_cost=short)[0]

    def cost(reorder: int) -> float:
        levels = np.arange(reorder + 1, reorder + int(batch) + 1)[:, None]
        return float((0.7 * np.maximum(levels - samples, 0) + 4 * np.maximum(samples - levels, 0)).mean())

    costs = {reorder: cost(reorder) for reorder in range(-1, 40)}
    assert costs[int(found)] == pytest.approx(min(costs.values()))


def simulate(level: float, *, mean: float, lost: bool, days: int = 200_000) -> float:
    """Return the fill of an order-up-to level under daily Poisson demand, lead time 7, review 7: a plain loop over days."""
    random = np.random.default_rng(11)
    demand = random.poisson(mean / 7, days)
    stock, position, due, met = level, level, [0.0] * 9, 0.0
    for day in range(days):
        stock += due[day % 9]
        due[day % 9] = 0.0
        filled = min(demand[day], max(stock, 0.0))
        met += filled
        gone = filled if lost else demand[day]
        stock -= gone
        position -= gone
        if day % 7 == 0 and position < level:
            due[(day + 1 + 7) % 9] += level - position
            position = level
    return met / demand.sum()


def test_the_fill_promised_is_that_of_a_simulation() -> None:
    found = run(cycle_service=None, shelf_fill=0.95).iloc[0]
    assert found["promised"] >= 0.95
    assert simulate(found["order_up_to_level"], mean=7.0, lost=False) == pytest.approx(found["promised"], abs=0.004)


def test_with_lost_sales_the_level_is_the_smallest_that_keeps_the_fill_and_the_promise_is_simulated() -> None:
    backorders = run(cycle_service=None, shelf_fill=0.9).iloc[0]
    found = run(cycle_service=None, shelf_fill=0.9, lost_sales=True).iloc[0]
    assert found["promised_by"] == "simulation"
    assert found["order_up_to_level"] <= backorders["order_up_to_level"]
    assert simulate(found["order_up_to_level"], mean=7.0, lost=True) == pytest.approx(found["promised"], abs=0.004)
    assert found["promised"] >= 0.9
    assert simulate(found["order_up_to_level"] - 1, mean=7.0, lost=True) < 0.904


@pytest.mark.parametrize(
    ("terms", "answer"),
    [
        ({"minimum": 50, "multiple": 12}, ("order", 60.0, "minimum")),
        ({"multiple": 12}, ("order", 24.0, "multiple")),
        ({"maximum": 10}, ("order", 10.0, "maximum")),
        ({"maximum": 10, "multiple": 12}, ("not_possible", 0.0, "maximum")),
        ({"multiple": 100, "shelf_life_days": 14}, ("not_possible", 0.0, "shelf_life")),
        ({"minimum": 100, "shelf_life_days": 14}, ("not_possible", 0.0, "shelf_life")),
        ({"minimum": 100, "shelf_life_days": 365}, ("order", 100.0, "minimum")),
    ],
)
def test_the_agreement_makes_the_order_and_the_rule_is_named(terms: dict[str, float], answer: tuple[str, float, str]) -> None:
    found = run(**terms).iloc[0]
    assert (found["status"], found["quantity"], found["bound_by"]) == answer


def test_a_batch_of_the_minimum_is_ordered_at_a_reorder_point() -> None:
    found = run(cycle_service=None, shelf_fill=0.95, minimum=50, multiple=12).iloc[0]
    assert (found["policy"], found["quantity"], found["bound_by"]) == ("reorder_point", 60.0, "minimum")
    economic = run(cycle_service=None, shelf_fill=0.95, order_cost=20.0, holding_cost=2.0).iloc[0]
    assert economic["bound_by"] == "economic_quantity"
    # √(2·20·365/2) = 85.4, in whole units and no more than the 91 forecast
    assert economic["order_quantity"] == 86.0


def test_a_minimum_that_costs_more_than_being_short_is_not_ordered_when_costs_are_the_aim() -> None:
    forecasts = make_forecasts({"p": 0.6})
    costs = {"cycle_service": None, "holding_cost": 5.0, "shortage_cost": 2.0, "order_cost": 10.0}
    found = run(forecasts, minimum=60, **costs).iloc[0]
    assert found["status"] in ("not_worth_it", "no_order")
    assert found["quantity"] == 0.0
    dear = run(forecasts, minimum=60, **(costs | {"shortage_cost": 500.0})).iloc[0]
    assert (dear["status"], dear["quantity"]) == ("order", 60.0)


def test_enough_stock_needs_no_order() -> None:
    found = run(position=make_stock(p=500.0)).iloc[0]
    assert (found["status"], found["quantity"], found["reason"]) == ("no_order", 0.0, "")


def test_on_order_counts_and_a_backlog_is_owed() -> None:
    level = run().iloc[0]["order_up_to_level"]
    found = run(position=make_stock(p=3.0).assign(on_order=4.0, backordered=2.0)).iloc[0]
    assert found["position"] == 5.0
    assert found["quantity"] == level - 5.0


def test_terms_may_be_columns_of_the_position() -> None:
    both = make_forecasts({"p": 7.0, "q": 7.0})
    position = make_stock(p=0.0, q=0.0).assign(pack=[12.0, np.nan], days=[7.0, 21.0])
    found = run(both, position, multiple="pack", lead_time="days").set_index("product_id")
    assert found.loc["p", "quantity"] % 12 == 0
    assert found.loc["q", "quantity"] == poisson_quantile(28.0, 0.95)


def test_a_lead_time_of_two_or_eight_days_is_not_taken_for_five() -> None:
    mixed = pd.DataFrame({"days": [2.0, 8.0], "probability": [0.5, 0.5]})
    forecasts = make_forecasts({"p": 70.0})
    level = run(forecasts, lead_time=mixed, cycle_service=0.95).iloc[0]["order_up_to_level"]
    random = np.random.default_rng(2)
    lead = random.choice([2, 8], 400_000)
    demand = random.poisson(10.0 * (lead + 7))
    assert level == pytest.approx(np.quantile(demand, 0.95), abs=1.5)


def test_order_weekdays_wait_for_their_day() -> None:
    found = run(position=make_stock(p=0.0).assign(order_weekdays="Thu")).iloc[0]
    assert found["order_on"] == pd.Timestamp("2024-07-04")


def test_a_budget_is_spent_where_it_saves_most_and_the_cut_is_told_in_money() -> None:
    both = make_forecasts({"p": 7.0, "q": 7.0})
    position = make_stock(p=0.0, q=0.0).assign(cost=[1.0, 10.0])
    free = run(both, position, unit_cost="cost")
    found = run(both, position, unit_cost="cost", budget=60.0).set_index("product_id")
    assert (found["quantity"] * [1.0, 10.0]).sum() <= 60.0
    assert found.loc["p", "quantity"] == free["quantity"].iloc[0]
    assert found.loc["q", "bound_by"] == "budget"
    assert found.loc["q", "cut_money"] == pytest.approx(10 * (free["quantity"].iloc[1] - found.loc["q", "quantity"]))
    nothing = run(both, position, unit_cost="cost", budget=0.0)
    assert nothing["status"].tolist() == ["cut", "cut"]
    assert nothing["quantity"].tolist() == [0.0, 0.0]


def test_storage_is_shared_too() -> None:
    found = run(unit_volume=2.0, storage=10.0).iloc[0]
    assert (found["quantity"], found["bound_by"]) == (5.0, "storage")


def test_items_without_demand_and_without_forecast_are_labelled() -> None:
    forecasts = make_forecasts({"p": 7.0, "q": 0.0, "r": np.nan})
    found = run(forecasts, make_stock(p=0.0, q=0.0, r=0.0)).set_index("product_id")
    assert found["status"].to_dict() == {"p": "order", "q": "no_demand", "r": "no_forecast"}
    assert found.loc[["q", "r"], "quantity"].tolist() == [0.0, 0.0]


def make_errors(actuals: list[float], product: str = "p") -> pd.DataFrame:
    frame = pd.DataFrame({"actual": actuals, "mean": 0.0, "customer_id": "c", "product_id": product})
    return frame.assign(origin_on=pd.Timestamp("2024-01-01"), horizon=np.arange(1, len(actuals) + 1))


def test_one_demand_is_labelled_and_has_finite_numbers() -> None:
    found = run(make_forecasts({"p": 0.1}), errors=make_errors([0.0, 0.0, 3.0, 0.0])).iloc[0]
    assert found["notes"] == "one_demand"
    assert np.isfinite(found["order_up_to_level"])


def test_a_thousandfold_outlier_is_labelled_and_does_not_make_the_variance() -> None:
    usual = [6.0, 8.0, 7.0, 5.0, 9.0, 7.0]
    errors = make_errors(usual).assign(mean=7.0)
    typed = make_errors([*usual, 7000.0]).assign(mean=7.0)
    clean, dirty = run(errors=errors).iloc[0], run(errors=typed).iloc[0]
    assert dirty["notes"] == "outlier"
    assert clean["notes"] == ""
    assert dirty["order_up_to_level"] == pytest.approx(clean["order_up_to_level"], abs=2)
    forecasts = make_forecasts({"p": 7.0})
    forecasts.loc[5, "mean"] = 7000.0
    assert run(forecasts).iloc[0]["notes"] == "outlier"


def test_measured_errors_make_the_variance() -> None:
    steady, wild = (
        run(errors=make_errors(list(values)).assign(mean=7.0))
        for values in (np.full(12, 7.0), [0.0, 0.0, 0.0, 14.0, 14.0, 14.0] * 2)
    )
    assert wild.iloc[0]["safety_stock"] > steady.iloc[0]["safety_stock"]


def test_a_zero_lead_time_is_labelled_and_protects_the_review_period() -> None:
    found = run(lead_time=0).iloc[0]
    assert found["notes"] == "zero_lead_time"
    assert found["order_up_to_level"] == poisson_quantile(7.0, 0.95)


def test_a_period_that_one_item_lacks_is_not_taken_for_zero() -> None:
    forecasts = pd.concat([make_forecasts({"p": 7.0}), make_forecasts({"q": 7.0}).iloc[:1]])
    found = run(forecasts, make_stock(p=0.0, q=0.0))
    assert found["order_up_to_level"].tolist() == [found["order_up_to_level"].iloc[0]] * 2
    assert found["notes"].tolist() == ["", "partial_forecast"]


def test_no_value_is_missing_and_every_status_is_known() -> None:
    forecasts = make_forecasts({"p": 7.0, "q": 0.0, "r": np.nan, "s": 0.01, "t": 5000.0})
    position = make_stock(p=0.0, q=0.0, r=5.0, s=0.0, t=10.0)
    every = {"holding_cost": 2.0, "shortage_cost": 5.0, "order_cost": 3.0, "unit_cost": 4.0, "budget": 900.0, "minimum": 10}
    found = run(forecasts, position, cycle_service=None, shelf_life_days=90, **every)
    assert not found.isna().any().any()
    assert np.isfinite(found.select_dtypes("number").to_numpy()).all()
    assert set(found["status"]) <= set(STATUS)
    assert {"money_at_stake", "order_value", "cut_money", "choice", "choice_saving"} <= set(found)


def test_the_input_is_left_as_it_was() -> None:
    forecasts, position = make_forecasts({"p": 7.0}, q05=1.0, q95=14.0), make_stock(p=0.0)
    before = forecasts.copy(), position.copy()
    run(forecasts, position)
    pd.testing.assert_frame_equal(forecasts, before[0])
    pd.testing.assert_frame_equal(position, before[1])


COSTS = {"cycle_service": None, "holding_cost": 1.0, "shortage_cost": 5.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (COSTS | {"holding_cost": -1.0}, "holding_cost above 0"),
        (COSTS | {"holding_cost": 0.0}, "holding_cost above 0"),
        (COSTS | {"holding_cost": np.nan}, "holding_cost above 0"),
        (COSTS | {"holding_cost": None}, "a holding_cost beside shortage_cost"),
        (COSTS | {"shortage_cost": -5.0}, "shortage_cost of 0 or more"),
        (COSTS | {"shortage_cost": np.nan}, "shortage_cost of 0 or more"),
        (COSTS | {"order_cost": -1.0}, "order_cost of 0 or more"),
        ({"cycle_service": None}, "just one aim.*found none"),
        ({"shelf_fill": 0.9}, "just one aim.*found cycle_service and shelf_fill"),
        ({"cycle_service": 0.0}, "cycle_service above 0 and below 1"),
        ({"cycle_service": 1.0}, "cycle_service above 0 and below 1.*found 1.0 of customer c, product p.*no finite stock"),
        ({"cycle_service": np.nan}, "cycle_service above 0"),
        ({"cycle_service": None, "shelf_fill": 1.0}, "shelf_fill above 0 and below 1"),
        ({"lead_time": -1}, "lead time of zero to"),
        ({"lead_time": np.nan}, "lead time of zero to"),
        ({"lead_time": 1e9}, "lead time of zero to"),
        ({"lead_time": None}, "a lead_time"),
        ({"lead_time": pd.DataFrame({"days": [3.0], "probability": [-1.0]})}, "chances of zero or more"),
        ({"review_period": 0}, "review_period of 1 or more"),
        ({"review_period": None}, "a review_period"),
        ({"minimum": -5}, "minimum of 0 or more"),
        ({"multiple": -5}, "multiple of 0 or more"),
        ({"shelf_life_days": 0}, "shelf_life_days above 0"),
        ({"shelf_life_days": -5}, "shelf_life_days above 0"),
        ({"review_period": 1e6}, "review_period of 1 or more and below"),
        ({"fill": 0.9, "shelf_fill": 0.9, "cycle_service": None}, "shelf_fill or fill"),
        ({"as_of": dt.date(2026, 1, 1)}, "forecasts of days after 2026-01-01"),
        (
            {"lead_time": pd.DataFrame({"customer_id": ["c"], "product_id": ["q"], "days": [3.0]})},
            "found nan of customer c, product p",
        ),
        ({"budget": -1.0, "unit_cost": 1.0}, "budget of zero or more"),
        ({"budget": 10.0}, "unit_cost of zero or more"),
        ({"storage": 10.0}, "unit_volume of zero or more"),
        ({"frequency": "year"}, "day, week or month"),
        ({"multiple": "pack"}, "no pack"),
        ({"errors": pd.DataFrame({"actual": [1.0]})}, "the columns .* in errors"),
    ],
)
def test_terms_that_make_no_sense_are_errors_that_say_what_to_do(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(**changes)


@pytest.mark.parametrize(
    ("forecasts", "message"),
    [
        (make_forecasts({"p": 7.0}).drop(columns="mean"), "no mean"),
        (make_forecasts({"p": 7.0}).iloc[:0], "forecasts of at least one item"),
        (make_forecasts({"p": -7.0}), "mean that is a number of zero or more.*-7.0 of customer c, product p"),
        (make_forecasts({"p": np.inf}), "mean that is a number"),
        (pd.concat([make_forecasts({"p": 7.0})] * 2), "once in the forecasts"),
        (make_forecasts({"p": 7.0}).assign(period=pd.NaT), "a period in each forecast"),
        (make_forecasts({"p": 7.0}).assign(period=range(13)), "first days of periods of a week"),
        (make_forecasts({"p": 7.0}).assign(mean="seven"), "numbers in mean of forecasts"),
    ],
)
def test_forecasts_that_make_no_sense_are_errors(forecasts: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(forecasts)


@pytest.mark.parametrize(
    ("position", "message"),
    [
        (make_stock(q=1.0), "stock on hand of each forecast item.*1 items without, the first customer c, product p"),
        (make_stock(p=np.nan), "stock on hand of each forecast item"),
        (make_stock(p=-1.0), "on_hand of zero or more"),
        (make_stock(p=np.inf), "on_hand of zero or more"),
        (pd.concat([make_stock(p=1.0)] * 2), "once in position"),
        (make_stock(p=1.0).drop(columns="on_hand"), "no on_hand"),
        (make_stock(p=1.0).assign(on_order=-2.0), "on_order of zero or more"),
    ],
)
def test_stock_that_makes_no_sense_is_an_error(position: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(position=position)


@pytest.mark.parametrize("on_hand", [0.0, 5.0, 500.0])
@pytest.mark.parametrize(
    ("terms", "bound"),
    [({"multiple": 1e6, "shelf_life_days": 30}, "shelf_life"), ({"minimum": 100, "maximum": 50}, "maximum")],
)
def test_an_item_that_can_never_be_ordered_says_so_and_promises_nothing(
    terms: dict[str, float], bound: str, on_hand: float
) -> None:
    found = run(position=make_stock(p=on_hand), cycle_service=None, shelf_fill=0.95, **terms).iloc[0]
    assert (found["status"], found["quantity"], found["bound_by"], found["promised"]) == ("not_possible", 0.0, bound, 0.0)


def test_ids_are_told_apart_by_their_text() -> None:
    forecasts = make_forecasts({"p": 7.0}).assign(product_id=7)
    stock = make_stock(p=0.0).assign(product_id="7").astype({"product_id": "category"})
    assert run(forecasts, stock)["product_id"].tolist() == ["7"]


def test_fill_is_shelf_fill() -> None:
    pd.testing.assert_frame_equal(run(cycle_service=None, fill=0.9), run(cycle_service=None, shelf_fill=0.9))


def test_as_of_moves_the_start() -> None:
    assert run(as_of=dt.date(2024, 7, 7)).iloc[0]["order_on"] == pd.Timestamp("2024-07-08")


def test_forecasts_of_forecast_demand_go_straight_in() -> None:
    from cmi_analysis.forecasting.public import forecast_demand

    weeks = pd.date_range("2023-01-02", periods=78, freq="W-MON")
    sold = np.random.default_rng(1).poisson(6, (2, 78))
    sales = pd.concat(
        [pd.DataFrame({"customer_id": "c", "product_id": p, "date": weeks, "quantity": sold[k]}) for k, p in enumerate("pq")]
    )
    forecasts = forecast_demand(sales, horizon=6, frequency="week", profile="quick")
    found = run(forecasts, make_stock(p=0.0, q=100.0), shelf_fill=0.95, cycle_service=None)
    assert found["status"].tolist() == ["order", "no_order"]
    assert found["order_on"].tolist() == [forecasts["period"].min()] * 2
    assert 8 < found["order_up_to_level"].iloc[0] < 30
