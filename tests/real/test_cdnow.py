"""CDNOW, an order book of one-time and repeat buyers: fitted on 39 weeks, held against the 39 weeks after them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.buy_till_you_die import expect_orders, fit_purchases, score_alive
from cmi_analysis.segmentation.lifetime_value import choose_model, choose_spending, value_by_model
from cmi_analysis.segmentation.order_summary import summarise_orders

pytestmark = pytest.mark.real_data
CALIBRATED = dt.date(1997, 9, 30)
WEEKS = 39


@pytest.fixture(scope="module")
def orders(shared_data: Path) -> pd.DataFrame:
    rows = pd.read_parquet(shared_data / "cdnow" / "cdnow_sample.parquet")
    return rows.rename(columns={"dollars": "value"}).astype({"date": "datetime64[ns]"})[["customer_id", "date", "value"]]


@pytest.fixture(scope="module")
def summary(orders: pd.DataFrame) -> pd.DataFrame:
    return summarise_orders(orders, as_of=CALIBRATED)


@pytest.fixture(scope="module")
def later(orders: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Return order days and value of each customer in the 39 weeks after the calibration."""
    end = pd.Timestamp(CALIBRATED) + pd.Timedelta(weeks=WEEKS)
    after = orders[(orders["date"] > pd.Timestamp(CALIBRATED)) & (orders["date"] <= end)]
    found = after.groupby("customer_id").agg(orders=("date", "nunique"), value=("value", "sum"))
    return found.reindex(summary["customer_id"]).fillna(0.0).reset_index()


def test_the_summary_made_from_the_order_lines_gives_the_published_fit(summary: pd.DataFrame) -> None:
    assert len(summary) == 2357
    model = fit_purchases(summary)
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.2426, 4.4135, 0.7929, 2.4258), rel=0.02)


def test_the_orders_of_the_next_39_weeks_are_foretold_in_sum_and_by_group(summary: pd.DataFrame, later: pd.DataFrame) -> None:
    """1,882 order days came; the model is known to fall short of them here by about an eighth."""
    assert later["orders"].sum() == 1882
    model = fit_purchases(summary)
    expected = expect_orders(summary, model=model, horizon=float(WEEKS))
    assert expected.sum() == pytest.approx(later["orders"].sum(), rel=0.15)
    for low, high in ((0, 0), (1, 2), (3, 99)):
        group = summary["repeat_orders"].between(low, high).to_numpy()
        assert expected[group].mean() == pytest.approx(later["orders"].to_numpy()[group].mean(), rel=0.3)


def test_who_is_called_gone_orders_less(summary: pd.DataFrame, later: pd.DataFrame) -> None:
    repeat = (summary["repeat_orders"] > 0).to_numpy()
    chance = score_alive(summary, model=fit_purchases(summary))[repeat]
    came = (later["orders"] > 0).to_numpy()[repeat]
    assert came[chance >= 0.8].mean() > 2 * came[chance < 0.4].mean()


def test_small_samples_are_refused_and_a_small_group_is_drawn_to_the_population(summary: pd.DataFrame) -> None:
    """Of 60 samples of 30 customers more than half give degenerate fits; with the population's weight hardly any."""
    rng = np.random.default_rng(1)
    samples = [summary.iloc[rng.choice(len(summary), 30, replace=False)] for _ in range(60)]
    alone = [_degenerate(sample) for sample in samples]
    assert sum(alone) >= 30
    with pytest.raises(InputError, match="at least 200 customers"):
        fit_purchases(samples[0])
    whole = fit_purchases(summary)
    drawn = [fit_purchases(sample, pool=summary, start=whole) for sample in samples]
    assert sum(fit.degenerate for fit in drawn) <= 3
    ahead = [expect_orders(s, model=fit, horizon=39.0).sum() for s, fit in zip(samples, drawn, strict=True)]
    truth = [expect_orders(s, model=whole, horizon=39.0).sum() for s in samples]
    assert np.quantile(np.array(ahead) / truth, [0.05, 0.95]) == pytest.approx([1.0, 1.0], abs=0.3)


def _degenerate(sample: pd.DataFrame) -> bool:
    try:
        return fit_purchases(sample, least_customers=1).degenerate
    except InputError:
        return True


def test_the_interval_of_the_lifetime_value_holds_what_came(summary: pd.DataFrame, later: pd.DataFrame) -> None:
    """90 % intervals over nine months without discount; the sum falls short as the orders do, and orders became dearer."""
    model, spending = choose_model(summary, least_customers=200), choose_spending(summary, least_customers=100)
    assert model is not None
    assert spending is not None
    settings = {"months": 9, "discount_rate": 0.0, "resamples": 20, "futures": 20}
    found = value_by_model(summary, purchases=model, spending=spending, margin_rate=np.ones(len(summary)), **settings)
    inside = later["value"].between(found["lifetime_value_low"], found["lifetime_value_high"])
    assert 0.88 <= inside.mean() <= 0.97
    assert found["lifetime_value"].sum() == pytest.approx(later["value"].sum(), rel=0.25)
