"""The compiled (s,S) search finds what the NumPy search finds."""

from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.inventory.demand_pmf import fit_pmf
from cmi_analysis.inventory.ss_policy import fit_ss, has_numba

pytestmark = pytest.mark.skipif(not has_numba(), reason="numba is not installed (extra fast)")


def test_both_engines_find_the_same_levels_and_costs() -> None:
    random = np.random.default_rng(3)
    mean = np.exp(random.uniform(np.log(0.05), np.log(75), 400))
    review, _ = fit_pmf(mean, variance=mean * random.uniform(1, 3, 400), points=240)
    protection, _ = fit_pmf(2 * mean, variance=2 * mean * random.uniform(1, 3, 400), points=400)
    costs = {"order_cost": random.uniform(0, 300, 400), "holding_cost": 1.0, "shortage_cost": np.exp(random.uniform(-1, 9, 400))}
    plain = fit_ss(review, protection_pmf=protection, **costs, engine="numpy")
    fast = fit_ss(review, protection_pmf=protection, **costs, engine="numba")
    assert fast[["reorder_point", "order_up_to_level", "method"]].equals(plain[["reorder_point", "order_up_to_level", "method"]])
    assert np.abs(fast["cost"] - plain["cost"]).max() < 1e-9 * plain["cost"].max()


def test_ties_and_gaps_are_broken_alike() -> None:
    review = np.zeros((4, 9))
    review[0, 8], review[1, [0, 4]], review[2, [2, 8]], review[3, [0, 1]] = 1.0, 0.5, 0.5, 0.5
    costs = {"order_cost": [0.0, 8.0, 8.0, 64.0], "holding_cost": 1.0, "shortage_cost": 1.0}
    plain = fit_ss(review, protection_pmf=review, **costs, engine="numpy")
    fast = fit_ss(review, protection_pmf=review, **costs, engine="numba")
    assert fast[["reorder_point", "order_up_to_level"]].equals(plain[["reorder_point", "order_up_to_level"]])
