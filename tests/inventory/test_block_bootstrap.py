from __future__ import annotations

import math

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.block_bootstrap import bootstrap_lead_time_demand, collect_error_sums

ONE = np.array([[1.0]])


def ses_errors(demand: np.ndarray, *, alpha: float, horizon: int) -> np.ndarray:
    """Return 1 × origins × horizon of actual − forecast of simple exponential smoothing."""
    level, rows = demand[0], []
    for t in range(len(demand) - horizon):
        level += alpha * (demand[t] - level)
        if t >= 200:
            rows.append(demand[t + 1 : t + 1 + horizon] - level)
    return np.array(rows)[None]


def test_runs_stay_inside_one_origin_and_over_no_gap() -> None:
    errors = np.array([[[1.0, 2.0, 3.0], [10.0, np.nan, 30.0]]])
    sums, start = collect_error_sums(errors, periods=2)
    assert sums[0, :2].tolist() == [3.0, 5.0]
    assert np.isnan(sums[0, 2:]).all()
    assert start.tolist() == [0, 1, 0, 1]
    # 3 + 10, the end of one origin glued to the start of the next, is in none
    assert 13.0 not in sums


def test_a_protection_interval_longer_than_the_back_test_is_an_error() -> None:
    with pytest.raises(InputError, match="cannot be glued"):
        collect_error_sums(np.zeros((1, 5, 4)), periods=5)


@pytest.mark.parametrize(("noise_of_level", "understated"), [(True, 1.76), (False, 1.30)])
def test_root_of_l_times_one_step_errors_understates_what_the_bootstrap_finds(noise_of_level: bool, understated: float) -> None:
    # SES with α = 0.2 over 8 periods: √(Σ(1 + 0.2k)²/8) = 1.76 on a local level, √((8 + 64/9)/(8·10/9)) = 1.30 on stationary
    random = np.random.default_rng(11)
    noise = random.normal(0, 10, 60_000)
    level = 1000 + (np.concatenate([[0.0], 0.2 * noise.cumsum()[:-1]]) if noise_of_level else 0.0)
    errors = ses_errors(level + noise, alpha=0.2, horizon=8)
    _, lead = bootstrap_lead_time_demand(
        errors, forecast=np.full((1, 8), 1e5), times=np.array([[8]]), chances=ONE, pooled_weight=0.0
    )
    one_step = math.sqrt(8) * errors[0, :, 0].std()
    assert lead.sd()[0] / one_step == pytest.approx(understated, rel=0.03)


def test_demand_is_forecast_plus_error_sum_mixed_over_the_lead_time_as_a_loop_does() -> None:
    random = np.random.default_rng(2)
    errors, forecast = random.normal(1.0, 2.0, (2, 6, 5)), np.array([[20.0] * 5, [30.0] * 5])
    over, lead = bootstrap_lead_time_demand(
        errors, forecast=forecast, times=np.array([[1, 3]]), chances=np.array([[0.4, 0.6]]), review=2, pooled_weight=0.0
    )
    for item in range(2):
        for demand, extra in ((over, 2), (lead, 0)):
            mean = 0.0
            for time, chance in ((1, 0.4), (3, 0.6)):
                length = time + extra
                runs = [errors[item, o, s : s + length].sum() for o in range(6) for s in range(5 - length + 1)]
                mean += chance * (forecast[item, :length].sum() + float(np.mean(runs)))
            assert demand.mean()[item] == pytest.approx(mean)
    assert over.probabilities.sum(axis=1) == pytest.approx(1.0)


def test_an_item_without_errors_of_its_own_takes_the_others_scaled() -> None:
    errors = np.full((2, 30, 2), np.nan)
    errors[0] = np.random.default_rng(3).normal(0, 1.0, (30, 2))
    _, lead = bootstrap_lead_time_demand(
        errors, forecast=np.full((2, 2), 100.0), times=np.array([[2]]), chances=ONE, scale=np.array([1.0, 5.0])
    )
    assert lead.sd()[1] == pytest.approx(5 * errors[0].sum(axis=1).std(), rel=0.05)
    with pytest.raises(InputError, match="whole run"):
        bootstrap_lead_time_demand(errors, forecast=np.full((2, 2), 100.0), times=np.array([[2]]), chances=ONE, pooled_weight=0.0)


def test_no_errors_or_a_short_forecast_are_told() -> None:
    with pytest.raises(InputError, match="at least one known"):
        bootstrap_lead_time_demand(np.full((1, 1, 1), np.nan), forecast=ONE, times=np.array([[1]]), chances=ONE)
    with pytest.raises(InputError, match="Forecast further"):
        bootstrap_lead_time_demand(np.ones((1, 1, 4)), forecast=ONE, times=np.array([[2]]), chances=ONE)


def test_zero_lead_time_and_negative_sums_give_no_negative_demand() -> None:
    over, lead = bootstrap_lead_time_demand(
        np.full((1, 2, 1), -50.0), forecast=np.full((1, 1), 5.0), times=np.array([[0]]), chances=ONE, review=1, pooled_weight=0.0
    )
    assert lead.mean().tolist() == [0.0]
    assert over.mean().tolist() == [0.0]
