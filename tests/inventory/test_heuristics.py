"""Rules of thumb: labelled, and how much more than the optimum they cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.heuristics import power_approximation, rq_heuristic, rq_iterated, rq_loss_function
from cmi_analysis.inventory.rq_policy import fit_rq, score_rq_continuous
from cmi_analysis.inventory.ss_policy import fit_ss, score_ss

MEANS = np.array([10.0, 20, 30, 40, 50, 60, 75])
DEMAND = scipy.stats.poisson.pmf(np.arange(240), MEANS[:, None])
COSTS = {"order_cost": 64.0, "holding_cost": 1.0, "shortage_cost": 9.0}
NORMAL = {"demand_rate": 1300, "lead_mean": 1300 / 12, "lead_sd": 150 / 12**0.5}
TERMS = {**NORMAL, "order_cost": 8, "holding_cost": 0.225, "shortage_cost": 7.5}


def test_the_power_approximation_costs_up_to_an_eighth_more_on_the_published_instances() -> None:
    levels = power_approximation(review_mean=MEANS, protection_mean=MEANS, protection_sd=np.sqrt(MEANS), **COSTS)
    rounded = levels.assign(reorder_point=levels["reorder_point"].round(), order_up_to_level=levels["order_up_to_level"].round())
    cost = score_ss(rounded, review_pmf=DEMAND, lead_pmf=np.ones((len(MEANS), 1)), **COSTS)["cost"]
    best = fit_ss(DEMAND, protection_pmf=DEMAND, **COSTS)["cost"]
    gap = cost / best - 1
    assert np.all(gap >= -1e-9)
    assert 0.10 < gap.max() < 0.125
    assert gap.mean() < 0.05
    assert (levels["method"] == "heuristic").all()


def continuous_gaps(rule, count: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return the extra cost of a rule over exact (r,Q), Poisson demand of 2 … 50 over the lead time."""
    mean = np.geomspace(2, 50, count)
    costs = {"order_cost": 20.0, "holding_cost": 1.0, "shortage_cost": 9.0}
    levels = rule(demand_rate=mean, lead_mean=mean, lead_sd=np.sqrt(mean), **costs)
    whole = pd.DataFrame(
        {"reorder_point": levels["reorder_point"].round(), "order_quantity": levels["order_quantity"].round().clip(lower=1)}
    )
    lead = scipy.stats.poisson.pmf(np.arange(200), mean[:, None])
    best = fit_rq(lead, demand_rate=mean, **costs)["cost"].to_numpy()
    return score_rq_continuous(whole, lead_pmf=lead, customer_rate=mean, **costs)["cost"].to_numpy() / best - 1


def test_eoq_and_safety_stock_cost_much_more_than_the_optimum_and_those_with_backorders_little() -> None:
    plain, allowing = (
        continuous_gaps(rq_heuristic, 8),
        continuous_gaps(lambda **terms: rq_heuristic(**terms, with_backorders=True), 8),
    )
    by_loss = continuous_gaps(rq_loss_function, 8)
    assert plain.min() > 0.02
    assert 0 <= allowing.max() < 0.02
    assert 0 <= by_loss.max() < 0.03


def test_eoq_and_safety_stock_cost_eleven_percent_more_in_the_textbook_case() -> None:
    # Snyder and Shen (2019), example 5.1: normal lead-time demand 108.3 ± 43.3, on a grid of whole units
    grid = np.arange(500)
    edges = np.append(grid - 0.5, 499.5)
    lead = np.diff(scipy.stats.norm.cdf(edges, 1300 / 12, 150 / 12**0.5))[None, :]
    lead /= lead.sum()
    costs = {"order_cost": 8, "holding_cost": 0.225, "shortage_cost": 7.5}
    best = fit_rq(lead, demand_rate=1300, **costs).iloc[0]
    levels = rq_heuristic(**TERMS)[["reorder_point", "order_quantity"]].round()
    cost = score_rq_continuous(levels, lead_pmf=lead, customer_rate=1300, **costs)["cost"].iloc[0]
    assert best["cost"] == pytest.approx(78.07, abs=0.35)
    assert cost / best["cost"] - 1 == pytest.approx(0.115, abs=0.01)


def test_the_cap_at_the_base_stock_holds_for_small_orders() -> None:
    terms = {
        "review_mean": 50,
        "protection_mean": 50,
        "protection_sd": 8,
        "order_cost": 0.5,
        "holding_cost": 1,
        "shortage_cost": 9,
    }
    free, capped = (power_approximation(**terms, at_most_base_stock=cap).iloc[0] for cap in (False, True))
    level = 50 + 8 * scipy.stats.norm.ppf(0.9)
    assert capped["order_up_to_level"] == pytest.approx(min(free["order_up_to_level"], level))
    assert capped["reorder_point"] <= level


@pytest.mark.parametrize("rule", [rq_heuristic, rq_iterated, rq_loss_function])
@pytest.mark.parametrize("name", ["demand_rate", "lead_sd", "order_cost", "holding_cost", "shortage_cost"])
def test_terms_that_are_not_above_zero_are_told(rule, name: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=f"{name} above zero"):
        rule(**{**TERMS, name: 0.0})


def test_a_shortage_cheaper_than_stock_is_told() -> None:
    with pytest.raises(InputError, match="a shortage that costs more"):
        rq_iterated(**{**TERMS, "shortage_cost": 0.01})
