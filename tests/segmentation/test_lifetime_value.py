"""Lifetime values by model and by rhythm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.buy_till_you_die import PurchaseModel, expect_orders, fit_purchases
from cmi_analysis.segmentation.lifetime_value import LIFETIME, choose_model, choose_spending, value_by_model, value_by_rhythm
from cmi_analysis.segmentation.order_rate import fit_rates, value_by_rate
from cmi_analysis.segmentation.spending import SpendingModel, fit_spending

MODEL = PurchaseModel("mbg_nbd", 0.8, 6.0, 0.9, 2.5, 0.0, 300, False)
SPENDING = SpendingModel(4.0, 4.0, 60.0, 0.0, 300, False)


@pytest.fixture(scope="module")
def population() -> pd.DataFrame:
    """Return 300 customers whose orders follow `MODEL` and whose values follow `SPENDING`."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(300):
        rate, stop, age = rng.gamma(0.8) / 6.0, rng.beta(0.9, 2.5), rng.uniform(40, 80)
        time, seen, there = 0.0, [], rng.random() >= stop
        while there:
            time += rng.exponential(1 / rate)
            if time > age:
                break
            seen.append(time)
            there = rng.random() >= stop
        mean = rng.gamma(4.0 * (len(seen) + 1)) / (rng.gamma(4.0) / 60.0) / (len(seen) + 1)
        rows.append((f"C{number:03d}", len(seen), seen[-1] if seen else 0.0, age, len(seen) + 1, mean))
    names = ["customer_id", "repeat_orders", "last_age", "age", "valued_orders", "mean_order_value"]
    return pd.DataFrame(rows, columns=names)


def value(population: pd.DataFrame, **settings: float) -> pd.DataFrame:
    chosen = {"resamples": 3, "futures": 10, **settings}
    margin = np.full(len(population), 0.25)
    return value_by_model(population, purchases=MODEL, spending=SPENDING, margin_rate=margin, **chosen)  # type: ignore[arg-type]


def test_without_discount_it_is_orders_times_value_times_margin(population: pd.DataFrame) -> None:
    found = value(population, months=12, discount_rate=0.0)
    orders = expect_orders(population, model=MODEL, horizon=365.25 / 7)
    each = 4.0 * (60.0 + population["valued_orders"] * population["mean_order_value"]) / (4.0 * population["valued_orders"] + 3.0)
    assert found["expected_orders"].tolist() == pytest.approx(orders.tolist())
    assert found["lifetime_value"].tolist() == pytest.approx((orders * each * 0.25).tolist())


def test_later_money_counts_less_by_the_yearly_rate(population: pd.DataFrame) -> None:
    plain, less = value(population, discount_rate=0.0), value(population, discount_rate=0.10)
    ratio = less["lifetime_value"] / plain["lifetime_value"]
    assert ratio.between(1.1**-2, 1.0).all()
    assert ratio.mean() > 1.1**-1, "most of the orders come in the first year"


def test_the_mean_of_the_simulated_futures_is_the_expected_value(population: pd.DataFrame) -> None:
    from cmi_analysis.segmentation.lifetime_value import _future

    generator = np.random.default_rng(1)
    drawn = [_future(population, MODEL, SPENDING, horizon=52.0, generator=generator).sum() for _ in range(400)]
    found = value(population, months=12, discount_rate=0.0)["lifetime_value"].sum() / 0.25
    assert np.mean(drawn) == pytest.approx(found, rel=0.03)


def test_the_same_seed_gives_the_same_interval_and_the_input_stays(population: pd.DataFrame) -> None:
    before = population.copy()
    pd.testing.assert_frame_equal(value(population, seed=4), value(population, seed=4))
    pd.testing.assert_frame_equal(population, before)
    assert list(value(population)) == list(LIFETIME)


def test_a_population_that_tells_nothing_of_leaving_gives_no_model(population: pd.DataFrame) -> None:
    assert choose_model(population.head(100), least_customers=200) is None
    steady = population.assign(repeat_orders=40, last_age=population["age"] * 0.99)  # nobody ever stops
    assert choose_model(steady, least_customers=200) is None
    assert choose_spending(population.head(50), least_customers=100) is None


def test_bad_summaries_and_horizons_are_refused(population: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="row 0: repeat_orders 2, last_age 9, age 3"):
        fit_purchases(pd.DataFrame({"repeat_orders": [2], "last_age": [9.0], "age": [3.0]}), least_customers=1)
    with pytest.raises(InputError, match="found 0 months"):
        value(population, months=0)
    with pytest.raises(InputError, match="order value above 0"):
        fit_spending(population.assign(mean_order_value=0.0))


def by_rhythm(**settings: float) -> pd.DataFrame:
    summary = pd.DataFrame({"customer_id": ["a", "b"], "age": [104.0, 104.0]})
    orders = pd.DataFrame({"customer_id": ["a"] * 10 + ["b"] * 2, "value": [100.0] * 10 + [50.0] * 2})
    chosen = {"losses": 0.5, "customer_years": 100.0, "months": 12, "discount_rate": 0.10, **settings}
    return value_by_rhythm(summary, orders, alive=np.array([1.0, 0.5]), margin_rate=np.array([0.2, 0.2]), **chosen)  # type: ignore[arg-type]


def test_by_rhythm_it_is_the_yearly_value_until_the_customer_leaves() -> None:
    found = by_rhythm()
    rate = np.log(1.1) + 0.01  # one loss in a hundred customer-years
    span = (1 - np.exp(-rate)) / rate
    assert found["lifetime_value"].tolist() == pytest.approx([1000 * 0.2 * span, 100 * 0.2 * 0.5 * span])
    assert (found["lifetime_value_low"] < found["lifetime_value"]).all()
    assert (found["lifetime_value_high"] > found["lifetime_value"]).all()
    assert found.loc[1, "lifetime_value_low"] == 0.0, "half the futures of a customer that may be gone bring nothing"


def test_by_rhythm_a_book_that_loses_many_is_worth_less() -> None:
    assert (by_rhythm(losses=60.0)["lifetime_value"] < 0.8 * by_rhythm()["lifetime_value"]).all()


def test_by_rate_the_simulated_futures_surround_the_expected_value_and_no_customer_is_surely_alive() -> None:
    """Customers that never leave, judged with a loss rate of one in a hundred customer-years."""
    rng = np.random.default_rng(8)
    rate, age = rng.gamma(1.2, size=400) / 9.0, rng.uniform(60, 110, 400)
    seen = [np.sort(rng.uniform(0, a, rng.poisson(r * a))) for r, a in zip(rate, age, strict=True)]
    summary = pd.DataFrame(
        {
            "customer_id": [f"C{n:03d}" for n in range(400)],
            "repeat_orders": [len(times) for times in seen],
            "last_age": [float(times[-1]) if len(times) else 0.0 for times in seen],
            "age": age,
            "valued_orders": [len(times) + 1 for times in seen],
            "mean_order_value": 100.0,
        }
    )
    model = fit_rates(summary, least_customers=200)
    assert model is not None
    assert (model.r, model.alpha) == pytest.approx((1.2, 9.0), rel=0.2)
    settings = {"losses": 4.0, "customer_years": 450.0, "months": 12}
    found = value_by_rate(summary, model=model, spending=None, margin_rate=np.full(400, 0.5), **settings)  # type: ignore[arg-type]
    assert found["alive_chance"].between(0.0, 0.9999).all()
    assert found["alive_chance"].mean() > 0.85
    yearly = rate.sum() * 365 / 7 * 50.0
    assert found["lifetime_value"].sum() == pytest.approx(yearly * 0.95, rel=0.12), "some years end early and all are discounted"
    assert (found["lifetime_value_low"] <= found["lifetime_value"]).all()
    assert fit_rates(summary.head(100), least_customers=200) is None
