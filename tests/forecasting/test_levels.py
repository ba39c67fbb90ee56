"""Totals forecast beside items: every level adds up, whatever the hierarchy and whatever is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.level_scores import score_levels
from cmi_analysis.forecasting.levels import (
    Levels,
    filled_forward,
    hand_down_total,
    one_step_errors,
    panel_hierarchy,
    total_panel,
)
from cmi_analysis.forecasting.pipeline import Forecasts, forecast_panel
from cmi_analysis.forecasting.public import forecast_all

PERIODS = pd.date_range("2022-01-01", periods=30, freq="MS")
CATEGORIES = pd.Series({"P0": "x", "P1": "x", "P2": "y"})


def panel(pairs: list[tuple[str, str]], *, seed: int = 1, silent: int | None = None) -> pd.DataFrame:
    """Monthly demand of each pair; of pair number `silent` nothing is known until the last two months."""
    random = np.random.default_rng(seed)
    frames = []
    for number, (customer, product) in enumerate(pairs):
        demand = random.poisson(4 + 3 * number, len(PERIODS)).astype(float)
        if number == silent:
            demand[:-2] = np.nan
        frames.append(pd.DataFrame({"customer_id": customer, "product_id": product, "period": PERIODS, "demand": demand}))
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(quantity=frame["demand"], returned=0.0, in_stock=np.nan, promotion=False, imputed=False)


def made(rows: pd.DataFrame, method: str, **more: object) -> Forecasts:
    return forecast_panel(rows, horizon=3, frequency="month", folds=2, categories=CATEGORIES, reconciliation=method, **more)  # type: ignore[arg-type]


def added_up(levels: pd.DataFrame, items: pd.DataFrame) -> None:
    """Hold every upper node against a plain loop over the items."""
    items = items.assign(mean=items["mean"].fillna(0.0))
    for row in levels[levels["level"] != "bottom"].itertuples():
        here = items[items["lead"] == row.lead]
        own = {
            "all": here,
            "customer": here[here["customer_id"] == row.node],
            "product": here[here["product_id"] == row.node],
            "category": here[here["product_id"].map(CATEGORIES).fillna("") == row.node],
        }[row.level]
        assert row.mean == pytest.approx(sum(own["mean"]), rel=1e-9, abs=1e-9)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(
    pairs=st.sets(st.tuples(st.sampled_from("ABC"), st.sampled_from(["P0", "P1", "P2", "P3"])), min_size=1, max_size=7),
    method=st.sampled_from(["bottom_up", "proportions", "mint"]),
    silent=st.integers(0, 7),
    seed=st.integers(0, 100),
)
def test_every_level_adds_up_in_any_hierarchy_with_a_child_without_history(pairs, method, silent, seed):
    found = made(panel(sorted(pairs), seed=seed, silent=silent), method)
    assert found.levels is not None
    added_up(found.levels.forecasts, found.forecasts)
    assert (found.forecasts["mean"].dropna() >= 0).all()
    errors = found.errors.rename(columns={"mean": "used"})
    held = found.levels.errors.query("level == 'bottom'").assign(
        customer_id=lambda rows: rows["node"].str.split("|").str[0], product_id=lambda rows: rows["node"].str.split("|").str[1]
    )
    both = held.merge(errors, on=["customer_id", "product_id", "origin", "lead"])
    assert len(both) == len(errors)
    np.testing.assert_allclose(both["mean"], both["used"])


PAIRS = [("A", "P0"), ("A", "P1"), ("A", "P2"), ("B", "P0"), ("B", "P2"), ("C", "P1")]


def test_bottom_up_changes_no_item_and_none_leaves_every_level_as_it_was():
    plain = forecast_panel(panel(PAIRS), horizon=3, frequency="month", folds=2, categories=CATEGORIES)
    pd.testing.assert_frame_equal(made(panel(PAIRS), "bottom_up").forecasts, plain.forecasts)
    none = made(panel(PAIRS), "none")
    pd.testing.assert_frame_equal(none.forecasts, plain.forecasts)
    levels = none.levels.forecasts
    assert (levels["mean"] == levels["base"]).all()
    assert plain.levels is None


def test_proportions_keep_the_total_and_mint_lies_between_the_items_and_the_totals():
    down = made(panel(PAIRS), "proportions").levels.forecasts
    top = down[down["level"] == "all"]
    np.testing.assert_allclose(top["mean"], top["base"])
    up, mint = (made(panel(PAIRS), way).levels.forecasts.query("level == 'all'") for way in ("bottom_up", "mint"))
    gap = (up["mean"] - up["base"]).to_numpy()
    share = (up["mean"].to_numpy() - mint["mean"].to_numpy()) / gap
    assert (np.abs(gap) > 0.01).all()
    assert ((share > 0) & (share < 1.5)).all()


def test_a_total_handed_down_from_above_takes_the_place_of_the_groups_own():
    rows = panel(PAIRS)
    top = pd.DataFrame({"origin": PERIODS[-1], "lead": [1, 2, 3], "mean": [100.0, 110.0, 120.0]})
    found = made(rows, "proportions", top=top)
    assert found.forecasts.groupby("lead")["mean"].sum().tolist() == pytest.approx([100.0, 110.0, 120.0])


def test_dead_items_stay_at_zero_when_totals_are_shared():
    rows = panel(PAIRS)
    dead = (rows["customer_id"] == "C") & (rows["period"] > PERIODS[8])
    rows.loc[dead, ["demand", "quantity"]] = 0.0
    found = made(rows, "mint").forecasts
    assert (found[found["customer_id"] == "C"]["mean"] == 0).all()


def test_a_total_is_known_where_its_known_children_make_up_half_of_it():
    rows = panel([("A", "P0"), ("A", "P1")])
    rows["demand"] = np.where(rows["product_id"] == "P0", 10.0, 30.0)
    rows.loc[(rows["product_id"] == "P0") & (rows["period"] == PERIODS[20]), "demand"] = np.nan
    rows.loc[(rows["product_id"] == "P1") & (rows["period"] == PERIODS[22]), "demand"] = np.nan
    rows.loc[(rows["product_id"] == "P1") & (rows["period"] <= PERIODS[3]), "demand"] = np.nan
    series = rows[["customer_id", "product_id"]].drop_duplicates(ignore_index=True)
    total = total_panel(rows, panel_hierarchy(series, pd.Series(dtype="object")))
    found = total[total["product_id"] == "all|all"].set_index("period")["demand"]
    assert found[PERIODS[19]] == 40.0
    assert found[PERIODS[20]] == pytest.approx(40.0)  # a small child unknown: at its usual level
    assert np.isnan(found[PERIODS[22]])  # the large one unknown: unknown
    assert found[PERIODS[2]] == 10.0  # not begun: zero


def test_unknown_periods_are_filled_from_the_past_alone():
    demand = np.array([[np.nan, 10.0, np.nan, 20.0, np.nan]])
    assert filled_forward(demand).tolist() == [[0.0, 10.0, 10.0, 20.0, 12.0]]
    errors = one_step_errors(demand, 52)
    assert np.isnan(errors[0, [0, 1, 2, 4]]).all()
    assert errors[0, 3] == 10.0


def test_the_table_of_levels_scores_each_level_like_a_plain_loop():
    found = made(panel(PAIRS), "bottom_up")
    levels, nodes = score_levels(found.levels, low="q05", high="q95")
    assert levels["total_level"].tolist() == ["all", "customer", "category", "product", "bottom"]
    assert levels["nodes"].tolist() == [1, 3, 2, 3, 6]
    assert levels["mean"].to_numpy() == pytest.approx(found.forecasts["mean"].sum())
    errors = found.levels.errors
    for level, part in errors.groupby("level"):
        row = levels.set_index("total_level").loc[level]
        loss = sum(abs(line.actual - line.base) for line in part.itertuples())
        assert row["wape_base"] == pytest.approx(loss / sum(part["actual"]))
        assert row["bias"] == pytest.approx(sum(part["mean"] - part["actual"]) / sum(part["actual"]))
    assert (nodes["low"] < nodes["mean"]).all()
    assert (nodes["mean"] < nodes["high"]).all()
    customer = nodes.set_index(["total_level", "node"]).loc[("customer", "A"), "mean"]
    assert customer == pytest.approx(found.forecasts.query("customer_id == 'A'")["mean"].sum())


def test_a_short_history_has_levels_without_scores():
    rows = panel(PAIRS)
    found = made(rows[rows["period"] >= PERIODS[-5]], "mint")
    levels, _ = score_levels(found.levels, low="q05", high="q95")
    assert levels["wape"].isna().all()
    added_up(found.levels.forecasts, found.forecasts)


def test_what_is_handed_down_adds_up_to_a_forecast_of_the_total():
    rows = panel(PAIRS)
    groups = pd.Series({"A": "North", "B": "North", "C": "South"})
    plan = Settings("month", "Monday", 3)
    indices = pd.DataFrame({"origin": pd.Series(dtype="datetime64[ns]"), "category": [], "season": [], "index": []})
    found = hand_down_total(rows, groups=groups, settings=plan, folds=2, indices=indices)
    # the same nodes, added up by hand and forecast as a panel of their own
    named = rows.assign(every="all", part=rows["customer_id"].map(groups))
    parts = [
        named.groupby([key, "period"])["demand"].sum().reset_index(name="demand") for key in ("every", "part", "customer_id")
    ]
    nodes = pd.concat([part.set_axis(["product_id", "period", "demand"], axis=1).assign(customer_id="C") for part in parts])
    nodes = nodes.assign(quantity=nodes["demand"], returned=0.0, in_stock=np.nan)
    alone = forecast_panel(nodes, horizon=3, frequency="month", folds=2, indices=indices).forecasts
    last = found[found["origin"] == PERIODS[-1]]
    own = alone.set_index(["product_id", "lead"])["mean"]
    assert last.groupby("lead")["mean"].sum().tolist() == pytest.approx(own["all"].tolist())
    south = own["all"] * own["South"] / (own["North"] + own["South"])
    assert last[last["customer_id"] == "C"]["mean"].tolist() == pytest.approx(south.tolist())
    assert found["origin"].nunique() == 3
    assert sorted(found["customer_id"].unique()) == ["A", "B", "C"]


def test_the_public_call_gives_levels_and_refuses_an_unknown_way():
    rows = panel(PAIRS).rename(columns={"period": "date"})[["customer_id", "product_id", "date", "quantity"]]
    plan = {"horizon": 3, "frequency": "month", "profile": "quick"}
    found = forecast_all(rows, reconciliation="mint", attributes=pd.DataFrame({"product_id": ["P0"], "category": ["x"]}), **plan)
    assert isinstance(found.levels, Levels)
    top = found.levels.forecasts.query("level == 'all'")["mean"].tolist()
    assert top == pytest.approx(found.forecasts.groupby("lead")["mean"].sum().tolist())
    with pytest.raises(InputError, match="none, bottom_up, proportions, mint"):
        forecast_all(rows, reconciliation="top_down", **plan)


def test_reconciled_sums_and_quantiles_follow_the_reconciled_means():
    found = made(panel(PAIRS), "proportions")
    for row in found.sums.query("periods == 3").itertuples():
        own = found.forecasts.query("customer_id == @row.customer_id and product_id == @row.product_id")
        assert row.mean == pytest.approx(own["mean"].sum())
