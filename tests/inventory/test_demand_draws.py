from __future__ import annotations

import numpy as np
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_draws import draw_demand, draw_lead_times


def test_draws_have_the_shares_of_their_probabilities() -> None:
    chances = np.array([[0.5, 0.2, 0.3], [0.0, 1.0, 0.0]])
    drawn = draw_demand(chances, periods=400, replications=100, seed=1)
    assert drawn.shape == (2, 400, 100)
    assert np.bincount(drawn[0].ravel()) / 40_000 == pytest.approx([0.5, 0.2, 0.3], abs=0.01)
    assert (drawn[1] == 1).all()
    assert np.array_equal(draw_demand(chances, periods=4, seed=1, unit=2.5), 2.5 * draw_demand(chances, periods=4, seed=1))


def test_lead_times_have_their_shares_and_items_draws_do_not_hang_together() -> None:
    drawn = draw_lead_times([[2, 8], [2, 8]], chances=[[0.5, 0.5], [0.5, 0.5]], periods=300, replications=100, seed=2)
    assert (drawn == 8).mean(axis=(1, 2)) == pytest.approx([0.5, 0.5], abs=0.01)
    assert abs(np.corrcoef(drawn[0].ravel(), drawn[1].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("chances", [[[0.5, 0.4]], [[1.5, -0.5]], [[np.nan, 1.0]], [0.5, 0.5]])
def test_probabilities_that_are_none_are_refused(chances: list) -> None:
    with pytest.raises(InputError, match="sum to 1"):
        draw_demand(np.array(chances), periods=3, seed=1)
