"""The long-run position under an (s,S) policy, against a loop over its chain."""

from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.inventory.position_service import Renewal, orders_per_period, position_weights

REVIEW = np.array([[0.3, 0.0, 0.5, 0.2], [0.0, 0.0, 0.0, 1.0]])


def test_the_renewal_density_is_the_plain_recursion() -> None:
    renewal = Renewal(REVIEW)
    renewal.extend(5)
    renewal.extend(90)
    for item, chances in enumerate(REVIEW):
        density = [1 / (1 - chances[0])]
        for place in range(1, 90):
            sizes = range(1, min(place, 3) + 1)
            density.append(sum(chances[size] * density[place - size] for size in sizes) / (1 - chances[0]))
        assert renewal.density[item, :90] == pytest.approx(density)
        assert renewal.total[item, :91] == pytest.approx(np.concatenate([[0], np.cumsum(density)]))


def test_the_share_of_time_at_each_position_is_the_chains() -> None:
    weights = position_weights(REVIEW[:1], length=np.array([5]))[0]
    share = np.full(5, 0.2)
    for _ in range(5000):
        moved = np.zeros(5)
        for place in range(5):
            for demand, chance in enumerate(REVIEW[0]):
                moved[place + demand if place + demand < 5 else 0] += share[place] * chance
        share = moved
    assert weights == pytest.approx(share)


def test_orders_come_once_a_renewal() -> None:
    assert orders_per_period(REVIEW[1:], length=np.array([7]))[0] == pytest.approx(1 / 3)


def test_an_item_without_demand_stays_at_the_top() -> None:
    still = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert position_weights(still, length=np.array([2, 2]))[0].tolist() == [1.0, 0.0]
    assert orders_per_period(still, length=np.array([2, 2])).tolist() == [0.0, 0.25]
