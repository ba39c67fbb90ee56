"""The cheapest (s,S) policy under a service target, against all pairs of levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_pmf import fit_pmf
from cmi_analysis.inventory.ss_policy import score_ss
from cmi_analysis.inventory.ss_service import fit_ss_constrained

REVIEW, LEAD = fit_pmf([3.0, 0.7], variance=[6.0, 1.2], points=60)[0], fit_pmf([6.0, 2.1], variance=[12.0, 4.0], points=90)[0]
ORDER, HOLDING = np.array([20.0, 0.0]), np.array([1.0, 0.5])


@pytest.mark.parametrize("measure", ["shelf_fill", "cycle_service", "ready_rate"])
@pytest.mark.parametrize("target", [0.6, 0.95])
def test_no_pair_that_keeps_the_target_is_cheaper(measure: str, target: float) -> None:
    found = fit_ss_constrained(REVIEW, lead_pmf=LEAD, order_cost=ORDER, holding_cost=HOLDING, target=target, measure=measure)
    pairs = np.array([(low, top) for low in range(-25, 30) for top in range(low + 1, min(low + 40, 50))])
    policy = pd.DataFrame(pairs, columns=["reorder_point", "order_up_to_level"], dtype="float64")
    for item in range(2):
        same = {"review_pmf": np.repeat(REVIEW[[item]], len(pairs), 0), "lead_pmf": np.repeat(LEAD[[item]], len(pairs), 0)}
        scores = score_ss(policy, **same, order_cost=ORDER[item], holding_cost=HOLDING[item], shortage_cost=1.0)
        cost = scores["cost"] - scores["mean_backlog"]
        assert found["cost"][item] == pytest.approx(cost[scores[measure] >= target - 1e-9].min())


def test_what_it_says_is_what_the_score_says() -> None:
    found = fit_ss_constrained(REVIEW, lead_pmf=LEAD, order_cost=ORDER, holding_cost=HOLDING, target=0.97)
    scores = score_ss(found, review_pmf=REVIEW, lead_pmf=LEAD, order_cost=ORDER, holding_cost=HOLDING, shortage_cost=1.0)
    assert scores["shelf_fill"].to_numpy() == pytest.approx(found["service"].to_numpy())
    assert np.all(found["service"] >= 0.97)
    assert found["method"].tolist() == ["constrained", "constrained"]


def test_the_implied_shortage_cost_rises_with_the_target() -> None:
    implied = [
        fit_ss_constrained(REVIEW, lead_pmf=LEAD, order_cost=ORDER, holding_cost=HOLDING, target=target)["implied_shortage_cost"][
            0
        ]
        for target in (0.8, 0.95, 0.999)
    ]
    assert implied == sorted(implied)
    assert np.all(np.isfinite(implied))


def test_no_demand_is_labelled() -> None:
    found = fit_ss_constrained([[1.0, 0.0]], lead_pmf=[[1.0]], order_cost=5, holding_cost=1, target=0.95).iloc[0]
    assert found.tolist() == [-1, 0, 0, 1, 0, "no_demand"]


@pytest.mark.parametrize("target", [0.0, 1.0, -0.1, np.nan])
def test_targets_that_no_stock_keeps_are_told(target: float) -> None:
    with pytest.raises(InputError, match="above 0 and below 1"):
        fit_ss_constrained(REVIEW, lead_pmf=LEAD, order_cost=5, holding_cost=1, target=target)
