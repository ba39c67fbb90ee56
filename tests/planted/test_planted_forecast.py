"""The bars of `benchmarks/planted_forecast.py` on a few seeds, so that a broken method fails; the full run is in the document."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.demo import layout as lay
from cmi_analysis.forecasting.backtest import Settings, view_at
from cmi_analysis.forecasting.models import MODELS
from cmi_analysis.forecasting.seasons import empty_indices

SEEDS = (1, 2, 3, 4)


@cache
def benchmark() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "planted_forecast.py"
    spec = importlib.util.spec_from_file_location("planted_forecast", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["planted_forecast"] = module
    spec.loader.exec_module(module)
    return module


@cache
def book(seed: int) -> Any:
    return benchmark().draw_book(seed)


def pooled(find: str, name: str, seeds: tuple[int, ...] = SEEDS) -> np.ndarray:
    return np.concatenate([np.atleast_1d(getattr(benchmark(), find)(book(seed))[name]) for seed in seeds])


def test_the_drawn_book_is_the_demo_and_its_free_demand_the_true_one():
    from cmi_analysis.demo import make_demo

    made, drawn = make_demo(size="small", seed=1), book(1)
    sales, wanted = made.tables["sales"], made.truth["demand"]
    assert drawn.panel["quantity"].sum() == sales["quantity"].sum()
    assert drawn.free["demand"].sum() == pytest.approx(wanted["demand"].sum())
    planted = made.truth["series"].set_index(["customer_id", "product_id"])["demand_chance"]
    index = pd.MultiIndex.from_frame(drawn.truth[["customer_id", "product_id"]])
    assert np.allclose(planted.reindex(index), drawn.truth["chance"], atol=1e-4)


def test_the_planted_variance_is_that_of_simulated_demand():
    from cmi_analysis.demo.demand import _sizes

    module, drawn = benchmark(), book(1)
    row, week = next(iter(np.argwhere((drawn.factor > 1) & (drawn.truth["kind"] == 2).to_numpy()[:, None])))
    truth, rate = drawn.truth.iloc[row], drawn.rate[row, week]
    share = np.sqrt(rate / (truth["chance"] * truth["demand_size"]))
    random = np.random.default_rng(3)
    size = _sizes(random, np.full((1, 200_000), truth["demand_size"] * share), np.array([truth["size_cv2"]]))[0]
    demand = size * (random.random(200_000) < truth["chance"] * share)
    assert module._variance(drawn)[row, week] == pytest.approx(demand.var(), rel=0.05)


def test_a_groups_interval_holds_the_planted_net_lift_and_is_not_much_wider_than_the_oracles():
    inside = pooled("find_promotions", "net_inside")
    widths, oracles = (pooled("find_promotions", name) for name in ("net_width", "oracle_width"))
    assert inside.mean() >= 0.85
    assert widths.mean() <= 1.5 * oracles.mean()


def test_a_season_is_found_where_planted_and_not_in_flat_demand():
    assert pooled("find_seasons", "season_used").mean() >= 0.9
    assert not pooled("find_seasons", "season_flat_used").any()


def test_forecasts_are_nearly_those_of_demand_without_stock_outs():
    found = benchmark().find_censoring(book(1))
    assert abs(found["change"]) <= 0.02
    assert found["sales"] < -0.02


def test_the_dying_product_is_soon_dead_and_living_rare_items_hardly_ever_called_so():
    periods, called = (pooled("find_deaths", name, (1, 2)) for name in ("dying_periods", "called_dead"))
    assert np.median(periods) <= 8
    assert called.mean() <= 0.015


def test_the_forecast_itself_is_zero_eight_weeks_after_the_dying_products_demand_ended():
    drawn = book(1)
    layout = drawn.frame.layout
    panel = drawn.group(drawn.panel, 0)
    origin = pd.Timestamp(lay.day((lay.FADE_WEEKS[1] + 7) * 7).item())
    settings = Settings("week", "Monday", 4)
    view = view_at(panel, origin=origin, settings=settings, indices=empty_indices(), categories=drawn.categories, models=MODELS)
    dying = (view.series["product_id"] == layout.product_ids[layout.ending_product]).to_numpy()
    zero = (view.forecasts["combination"][dying] == 0).all(axis=1)
    assert dying.sum() >= 2
    assert zero.mean() >= 0.5
