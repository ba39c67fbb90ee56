"""Runs the functions that the reports use over one demo book and notes what of the planted truth they found.

Nothing here decides by itself: each figure is a report's own verdict (status, class, flag, worst row of a table) or its number,
held against `Demo.truth`. `planted.claims` counts them over seeds.
"""

from __future__ import annotations

from cmi_analysis.demo import make_demo
from planted.case import Case, Figures
from planted.customers import find_batching, find_biased_forecast, find_chain, find_leaving, find_stock_levels
from planted.demand import find_dead_series, find_lost_demand, find_patterns, find_promotions, find_seasons
from planted.supply import (
    find_difference,
    find_dirty_rows,
    find_late_supplier,
    find_product_life,
    find_returns,
    find_short_supply,
)


def find_all(seed: int) -> Figures:
    """Return every figure of one seed."""
    case = Case(make_demo(size="small", seed=seed), seed)
    searches = (
        find_leaving, find_seasons, find_promotions, find_late_supplier, find_biased_forecast, find_batching, find_stock_levels,
        find_lost_demand, find_short_supply, find_returns, find_product_life, find_dead_series, find_patterns, find_difference,
        find_dirty_rows, find_chain,
    )  # fmt: skip
    figures: Figures = {"seed": seed}
    for search in searches:
        figures |= search(case)
    return figures
