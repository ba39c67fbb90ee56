from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.policy import split_safety_stock
from cmi_analysis.inventory.safety_stock import SOURCES, forecast_bias, parameter_variance, split_variance


def test_shares_sum_to_one_exactly_and_name_every_source() -> None:
    random = np.random.default_rng(1)
    mean = random.random((200, 4)) * 50
    chances = np.full((200, 4), 0.25)
    shares = split_variance(
        mean=mean,
        variance=mean * 3,
        chances=chances,
        bias=random.normal(0, 9, 200),
        parameter_variance=random.random(200) * 30,
        multiple=random.integers(1, 24, 200).astype(float),
    )
    assert list(shares.columns) == [*SOURCES, "variance"]
    assert shares[list(SOURCES)].sum(axis=1).to_numpy() == pytest.approx(np.ones(200), abs=1e-15)
    assert (shares >= 0).all().all()


def test_the_variance_is_that_of_simulated_demand_error_and_rounding() -> None:
    random = np.random.default_rng(5)
    runs = 400_000
    lead = random.choice([2, 8], runs)
    estimated = random.normal(0, 3, runs)  # error of the mean over the protection interval
    need = random.normal(10 * lead, np.sqrt(9 * lead)) + estimated
    rounding = random.integers(0, 12, runs)
    seen = need - (10 * 5 + 7) + rounding - 5.5  # a forecast 7 too high
    shares = split_variance(
        mean=np.array([[20.0, 80.0]]),
        variance=np.array([[18.0, 72.0]]),
        chances=np.array([[0.5, 0.5]]),
        bias=7.0,
        parameter_variance=9.0,
        multiple=12.0,
    )
    assert shares["variance"].iloc[0] == pytest.approx((seen**2).mean(), rel=0.01)
    assert shares["lead_time"].iloc[0] == pytest.approx(900 / (45 + 49 + 900 + 9 + 143 / 12))


def test_without_other_sources_the_shares_are_the_two_of_the_older_function() -> None:
    days, chances = np.array([[1, 3]]), np.array([[0.5, 0.5]])
    mean, variance = np.array([[10.0, 30.0]]), np.array([[5.0, 15.0]])
    noise, lead = split_safety_stock(days=days, chances=chances, mean=mean, variance=variance)
    shares = split_variance(mean=mean, variance=variance, chances=chances)
    assert shares["demand_noise"].to_numpy() == pytest.approx(noise)
    assert shares["lead_time"].to_numpy() == pytest.approx(lead)


def test_an_item_where_nothing_varies_has_no_shares() -> None:
    shares = split_variance(mean=np.array([[0.0]]), variance=np.array([[0.0]]), chances=np.array([[1.0]]))
    assert shares.iloc[0].tolist() == [0.0] * 6


def test_a_missing_or_negative_part_is_an_error() -> None:
    one = np.array([[1.0]])
    with pytest.raises(InputError, match="variances of zero or more"):
        split_variance(mean=one, variance=-one, chances=one)
    with pytest.raises(InputError, match="1 missing"):
        split_variance(mean=one, variance=one, chances=one, bias=np.nan)
    with pytest.raises(InputError, match="periods of history"):
        parameter_variance(variance=one, periods=np.array([0]), horizon=one)


def test_the_estimated_means_variance_is_that_of_repeated_samples() -> None:
    samples = np.random.default_rng(8).normal(50, 6, (100_000, 20)).mean(axis=1) * 4
    found = parameter_variance(variance=np.array([36.0]), periods=np.array([20]), horizon=np.array([4]))
    assert found[0] == pytest.approx(samples.var(), rel=0.02)


def test_bias_is_forecast_less_actual_over_whole_intervals_and_shrunk() -> None:
    errors = np.array([[[1.0, 2.0, 99.0], [3.0, np.nan, 99.0], [1.0, 0.0, 99.0]]])
    assert forecast_bias(errors, periods=2, prior_origins=2.0) == pytest.approx([-(3 + 1) / 4])
    with pytest.raises(InputError, match="further ahead"):
        forecast_bias(errors, periods=4)
