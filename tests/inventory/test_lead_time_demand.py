from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import DemandPath, fit_demand_path
from cmi_analysis.inventory.lead_time_demand import fit_lead_time_demand, sample_lead_time_demand, spread_lead_times
from cmi_analysis.inventory.loss import expected_shortage, gamma_shortage, negative_binomial_shortage

AS_OF = dt.date(2024, 6, 30)
ITEMS = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"]})
NO_ERRORS = pd.DataFrame({name: [] for name in ("customer_id", "product_id", "origin_on", "horizon", "actual", "mean")})


def path(mean: float, variance: float, days: int = 60) -> DemandPath:
    time = np.arange(days + 1.0)
    return DemandPath(mean * time[None, :], variance * time[None, :], np.array(["errors"]))


def weeks(values: list[float], **quantiles: float) -> pd.DataFrame:
    periods = pd.date_range("2024-07-01", periods=len(values), freq="W-MON")
    return pd.DataFrame({"customer_id": "c", "product_id": "p", "period": periods, "mean": values}).assign(**quantiles)


def test_mean_follows_the_forecast_day_by_day_and_goes_on_at_its_mean_rate() -> None:
    fitted = fit_demand_path(weeks([7.0, 14.0]), NO_ERRORS, items=ITEMS, as_of=AS_OF, frequency="week", days=21)
    assert fitted.mean[0, [0, 1, 7, 8, 14]] == pytest.approx([0, 1, 7, 9, 21])
    assert fitted.mean[0, 21] == pytest.approx(21 + 7 * 1.5)


def test_item_without_forecast_has_no_demand() -> None:
    items = pd.DataFrame({"customer_id": ["c", "x"], "product_id": ["p", "p"]})
    fitted = fit_demand_path(weeks([7.0]), NO_ERRORS, items=items, as_of=AS_OF, frequency="week", days=7)
    assert fitted.mean[1].tolist() == [0.0] * 8


def test_variance_is_the_mean_square_of_block_sums() -> None:
    rows = [("2024-01-01", h, 10.0 + e, 10.0) for h, e in enumerate((3.0, -1.0, 2.0), start=1)]
    errors = pd.DataFrame(rows, columns=["origin_on", "horizon", "actual", "mean"]).assign(customer_id="c", product_id="p")
    fitted = fit_demand_path(weeks([0.0]), errors, items=ITEMS, as_of=AS_OF, frequency="week", days=21, prior_blocks=0.0)
    one, two, three = (9 + 1 + 4) / 3, ((3 - 1) ** 2 + (-1 + 2) ** 2) / 2, (3 - 1 + 2) ** 2
    assert fitted.variance[0, [7, 14, 21]] == pytest.approx([one, two, three])


def test_blocks_never_cross_origins_or_gaps() -> None:
    rows = [("2024-01-01", 1, 5.0), ("2024-01-01", 3, 5.0), ("2024-02-05", 1, 5.0)]
    errors = pd.DataFrame(rows, columns=["origin_on", "horizon", "actual"]).assign(mean=0.0, customer_id="c", product_id="p")
    fitted = fit_demand_path(weeks([0.0]), errors, items=ITEMS, as_of=AS_OF, frequency="week", days=14, prior_blocks=1.0)
    # no block of two periods exists: only the prior, zero here, stands behind two weeks
    assert fitted.variance[0, 7] > 0
    assert fitted.variance[0, 14] == 0.0


def test_without_errors_the_forecasts_own_interval_gives_the_variance() -> None:
    width = 2 * 1.6448536 * 5
    fitted = fit_demand_path(weeks([7.0], q05=0.0, q95=width), NO_ERRORS, items=ITEMS, as_of=AS_OF, frequency="week", days=14)
    assert fitted.variance[0, [7, 14]] == pytest.approx([25.0, 50.0])
    assert fitted.source.tolist() == ["interval"]


def test_mean_and_variance_survive_the_grid_for_small_and_large_demand() -> None:
    for mean, variance in ((0.1, 0.3), (2.0, 9.0), (40.0, 900.0), (3000.0, 4e6)):
        over, _ = fit_lead_time_demand(
            path(mean, variance), days=np.array([[3.0]]), chances=np.array([[1.0]]), review_days=np.array([7.0])
        )
        assert over.mean()[0] == pytest.approx(10 * mean, rel=2e-3)
        assert over.sd()[0] == pytest.approx(np.sqrt(10 * variance), rel=1e-2)


@pytest.mark.parametrize(("mean", "variance"), [(0.05, 0.2), (2.0, 9.0), (12.0, 60.0), (400.0, 9e3), (3000.0, 4e6), (2e5, 1e9)])
def test_the_grid_keeps_mean_sd_and_shortage_within_its_stated_error(mean: float, variance: float) -> None:
    over, _ = fit_lead_time_demand(
        path(mean, variance), days=np.array([[3.0]]), chances=np.array([[1.0]]), review_days=np.array([7.0])
    )
    sd = np.sqrt(10 * variance)
    whole = over.values[0, 1] == 1.0
    law = negative_binomial_shortage if whole else gamma_shortage
    truth = law(over.values[0], mean=10 * mean, variance=10 * variance)
    assert abs(over.mean()[0] - 10 * mean) < (1e-5 if whole else 1e-3) * sd
    assert abs(over.sd()[0] / sd - 1) < (1e-4 if whole else 2e-3)
    assert np.abs(over.shortage_on_grid()[0] - truth).max() < (1e-5 if whole else 2e-3) * sd


def test_shortage_on_the_grid_is_the_shortage_of_the_distribution() -> None:
    over, _ = fit_lead_time_demand(path(2.0, 9.0), days=np.array([[3.0]]), chances=np.array([[1.0]]), review_days=np.array([7.0]))
    at = over.shortage_on_grid()[0]
    for level in (0, 11, 40):
        assert at[level] == pytest.approx(over.shortage(np.array([float(level)]))[0])
        assert at[level] == pytest.approx(float(expected_shortage(level, mean=20.0, variance=90.0)), rel=1e-5)


def test_samples_have_the_quantile_of_their_order() -> None:
    demand = sample_lead_time_demand(np.array([[5.0, 1.0, 4.0, 2.0, 3.0]]))
    assert demand.quantile(0.6).tolist() == [3.0]
    assert demand.quantile(0.61).tolist() == [4.0]
    assert demand.chance_above(np.array([3.0])) == pytest.approx([0.4])


def test_many_lead_times_are_gathered_and_keep_their_mean() -> None:
    frame = pd.DataFrame({"customer_id": "c", "product_id": "p", "days": np.arange(1.0, 41.0), "probability": 1 / 40})
    days, chances = spread_lead_times(frame, items=ITEMS)
    assert chances.sum() == pytest.approx(1.0)
    assert (days * chances).sum() == pytest.approx(20.5, abs=0.5)


def test_few_lead_times_are_kept_as_they_are() -> None:
    frame = pd.DataFrame({"customer_id": "c", "product_id": "p", "days": [2.0, 8.0], "probability": [0.5, 0.5]})
    days, chances = spread_lead_times(frame, items=ITEMS)
    assert sorted(days[0, chances[0] > 0].tolist()) == [2.0, 8.0]


@pytest.mark.parametrize("days", [[-1.0], []])
def test_negative_or_no_lead_time_is_an_error(days: list[float]) -> None:
    frame = pd.DataFrame({"customer_id": "c", "product_id": "p", "days": days, "probability": 1.0})
    with pytest.raises(InputError, match="lead time of zero or more days"):
        spread_lead_times(frame, items=ITEMS)


def test_zero_lead_time_has_no_demand_before_arrival() -> None:
    over, lead = fit_lead_time_demand(
        path(2.0, 9.0), days=np.array([[0.0]]), chances=np.array([[1.0]]), review_days=np.array([7.0])
    )
    assert lead.mean().tolist() == [0.0]
    assert over.mean() == pytest.approx([14.0])
