"""Purchase and spending models against published fits, against quadrature and against simulated customers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cmi_analysis.segmentation.buy_till_you_die import (
    PurchaseModel,
    expect_orders,
    expect_orders_of_new,
    fit_purchases,
    score_alive,
)
from cmi_analysis.segmentation.order_rate import fit_rates
from cmi_analysis.segmentation.spending import expect_spending, fit_spending

FHL_TIMES = np.array([0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0])


@pytest.fixture(scope="module")
def cdnow(shared_data: Path) -> pd.DataFrame:
    """Return the 2,357 CDNOW customers, calibration period of 39 weeks."""
    rows = pd.read_parquet(shared_data / "cdnow" / "summary_rfm.parquet")
    names = {"x": "repeat_orders", "t_x": "last_age", "T": "age", "zbar": "mean_order_value"}
    return rows.rename(columns=names).assign(valued_orders=rows["x"])


@pytest.mark.real_data
def test_bg_nbd_on_cdnow_is_the_fit_of_fader_hardie_and_lee_2005_table_2(cdnow: pd.DataFrame) -> None:
    model = fit_purchases(cdnow)
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.2426, 4.4135, 0.7929, 2.4258), abs=2e-4)
    assert model.log_likelihood == pytest.approx(-9582.43, abs=0.005)
    assert (model.customers, model.degenerate) == (2357, False)


@pytest.mark.real_data
def test_mbg_nbd_on_cdnow_is_the_fit_of_btydplus(cdnow: pd.DataFrame) -> None:
    """r .525, alpha 6.183, a .891, b 1.614: tests of the package lifetimes, from BTYDplus (Platzer)."""
    model = fit_purchases(cdnow, kind="mbg_nbd")
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.525, 6.183, 0.891, 1.614), abs=6e-4)


@pytest.mark.real_data
def test_gamma_gamma_on_cdnow_is_the_fit_of_fader_and_hardie_2013_note_025(cdnow: pd.DataFrame) -> None:
    model = fit_spending(cdnow)
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    assert model.customers == 946


@pytest.mark.real_data
def test_expected_spending_of_the_first_ten_customers_is_that_of_note_025(cdnow: pd.DataFrame) -> None:
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert expect_spending(cdnow.head(10), model=fit_spending(cdnow)) == pytest.approx(published, abs=0.011)


FHL = PurchaseModel("bg_nbd", 0.2426, 4.4135, 0.7929, 2.4258, 0.0, 2357, False)


def customer(x: int, t_x: float, age: float) -> pd.DataFrame:
    return pd.DataFrame({"repeat_orders": [x], "last_age": [t_x], "age": [age]})


def test_expected_orders_of_customer_1_in_39_weeks_are_those_of_the_spreadsheet_of_fader_hardie_and_lee() -> None:
    assert expect_orders(customer(2, 30.43, 38.86), model=FHL, horizon=39.0) == pytest.approx([1.226], abs=5e-4)


def test_expected_orders_of_a_new_customer_are_those_of_the_spreadsheet_of_fader_hardie_and_lee() -> None:
    published = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576]
    assert expect_orders_of_new(FHL_TIMES, model=FHL) == pytest.approx(published, abs=5e-4)


def by_quadrature(model: PurchaseModel, x: int, t_x: float, age: float, horizon: float) -> tuple[float, float, float]:
    """Return likelihood, P(alive) and expected orders by integrating over the rate and the chance to stop."""
    first = 1 if model.kind == "mbg_nbd" else 0
    nodes, weights = np.polynomial.legendre.leggauss(200)
    p, rate = ((nodes + 1) / 2)[:, None], (8 * (nodes + 1))[None, :]
    weight = weights[:, None] / 2 * weights[None, :] * 8
    prior = weight * stats.gamma.pdf(rate, model.r, scale=1 / model.alpha) * stats.beta.pdf(p, model.a, model.b)
    still = prior * (1 - p) ** (x + first) * rate**x * np.exp(-rate * age)
    gone = prior * p * (1 - p) ** (x - 1 + first) * rate**x * np.exp(-rate * t_x) * (x > 0 or first > 0)
    whole = (still + gone).sum()
    return whole, still.sum() / whole, (still * -np.expm1(-rate * p * horizon) / p).sum() / whole


@pytest.mark.parametrize("kind", ["bg_nbd", "mbg_nbd"])
@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 5.0), (1, 2.0, 6.0), (4, 5.0, 6.0), (3, 1.0, 9.0)])
def test_likelihood_chance_and_expectation_are_the_integrals_they_stand_for(kind: str, x: int, t_x: float, age: float) -> None:
    from cmi_analysis.segmentation.buy_till_you_die import _log_likelihood

    model = PurchaseModel(kind, 1.7, 2.1, 1.4, 2.6, 0.0, 0, False)  # type: ignore[arg-type]
    whole, alive, ahead = by_quadrature(model, x, t_x, age, 8.0)
    found = _log_likelihood(np.array([1.7, 2.1, 1.4, 2.6]), *(np.array([v]) for v in (float(x), t_x, age)), kind=model.kind)
    assert np.exp(found[0]) == pytest.approx(whole, rel=1e-3)
    assert score_alive(customer(x, t_x, age), model=model)[0] == pytest.approx(alive, rel=1e-3)
    assert expect_orders(customer(x, t_x, age), model=model, horizon=8.0)[0] == pytest.approx(ahead, rel=1e-3)


def test_the_expectation_is_smooth_where_its_formula_is_nought_over_nought_and_holds_where_the_series_does_not_converge() -> None:
    one = customer(3, 10.0, 12.0)
    near = [PurchaseModel("bg_nbd", 0.5, 3.0, a, 2.0, 0.0, 0, False) for a in (0.999, 1.0, 1.001)]
    values = [expect_orders(one, model=model, horizon=20.0)[0] for model in near]
    assert values[1] == pytest.approx((values[0] + values[2]) / 2, rel=1e-4)
    loyal = PurchaseModel("bg_nbd", 5.0, 5.0, 1e-3, 1e4, 0.0, 0, False)  # nobody stops: rate (5 + 3)/(5 + 12) for 20 weeks
    assert expect_orders(one, model=loyal, horizon=20.0)[0] == pytest.approx(8 / 17 * 20, rel=1e-3)


def simulate(kind: str, *, customers: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return summaries at age 40, whether each customer is still alive then, and its orders in the 20 units after it."""
    rng = np.random.default_rng(seed)
    rows, alive, later = [], [], []
    for _ in range(customers):
        rate, stop = rng.gamma(0.8) / 5.0, rng.beta(1.0, 3.0)
        time, orders, there = 0.0, [], not (kind == "mbg_nbd" and rng.random() < stop)
        while there and time < 60:
            time += rng.exponential(1 / rate)
            if time < 60:
                orders.append(time)
                died = rng.random() < stop
                there = not died
                if died and time > 40:
                    break
        seen = [moment for moment in orders if moment <= 40]
        rows.append((len(seen), seen[-1] if seen else 0.0, 40.0))
        alive.append(there or bool(orders and orders[-1] > 40))
        later.append(sum(moment > 40 for moment in orders))
    return pd.DataFrame(rows, columns=["repeat_orders", "last_age", "age"]), np.array(alive), np.array(later)


@pytest.mark.parametrize("kind", ["bg_nbd", "mbg_nbd"])
def test_simulated_customers_give_their_parameters_back_and_are_alive_as_often_as_said(kind: str) -> None:
    summary, alive, later = simulate(kind, customers=6000, seed=3)
    model = fit_purchases(summary, kind=kind)  # type: ignore[arg-type]
    assert (model.r, model.alpha) == pytest.approx((0.8, 5.0), rel=0.15)
    assert model.a / (model.a + model.b) == pytest.approx(0.25, abs=0.03)
    chance = score_alive(summary, model=model)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        inside = (chance >= low) & (chance < high)
        assert alive[inside].mean() == pytest.approx(chance[inside].mean(), abs=0.05)
    assert expect_orders(summary, model=model, horizon=20.0).sum() == pytest.approx(later.sum(), rel=0.05)


@pytest.mark.real_data
def test_nbd_on_cdnow_has_the_log_likelihood_of_fader_hardie_and_lee_2005_table_2(cdnow: pd.DataFrame) -> None:
    model = fit_rates(cdnow, least_customers=200)
    assert model is not None
    assert model.log_likelihood == pytest.approx(-9763.7, abs=0.05)
