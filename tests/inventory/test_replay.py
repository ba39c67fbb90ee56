from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.replay import (
    fit_spread,
    impute_use,
    mean_use,
    replay_lines,
    replay_supply,
    score_replay,
    share_by_shortage,
)
from cmi_analysis.inventory.stock_history import StockHistory, lay_out_history, live_items


def reports(rows: list[tuple]) -> pd.DataFrame:
    """Return reports from (site, product, month, on_hand, received, issued, adjusted)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "product_id", "month", "on_hand", "received", "issued", "adjusted"])
    frame["date"] = pd.date_range("2016-01-31", periods=60, freq="ME")[frame.pop("month")]
    return frame


def world(sites: int, periods: int, *, seed: int, unequal: bool = True) -> StockHistory:
    """Return sites of which half get too much of what comes and half too little."""
    random, rows = np.random.default_rng(seed), []
    for product in ("p", "q"):
        stock = np.full(sites, 12)
        for month in range(periods):
            given = np.where(np.arange(sites) % 2 == 0, 9, 2) if unequal else np.full(sites, 5)
            wanted = random.poisson(5, sites)
            used = np.minimum(stock + given, wanted)
            stock = stock + given - used
            rows += [(f"s{n:02d}", product, month, stock[n], given[n], used[n], 0) for n in range(sites)]
    return lay_out_history(reports(rows))


def shortage(stock: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> float:
    """Return the expected units short by summing over demand."""
    units = np.arange(4000)
    parts = [
        (scipy.stats.nbinom.pmf(units, 1 / s, 1 / (1 + m * s)) * np.maximum(units - y, 0)).sum()
        for y, m, s in zip(stock, mean, spread, strict=True)
    ]
    return float(sum(parts))


@pytest.mark.parametrize("available", [0, 1, 7, 30, 200])
def test_shares_leave_the_least_expected_shortage_that_unit_by_unit_search_finds(available: int) -> None:
    random = np.random.default_rng(available)
    stock = random.integers(0, 12, 6).astype(float)
    mean, spread = random.uniform(0.5, 20, 6), random.uniform(0.1, 2, 6)
    shares = share_by_shortage(
        stock, mean=mean, spread=spread, product=np.zeros(6, dtype=int), available=np.array([float(available)])
    )
    greedy = np.zeros(6)
    for _ in range(available):
        gain = scipy.stats.nbinom.sf(stock + greedy, 1 / spread, 1 / (1 + mean * spread))
        greedy[gain.argmax()] += 1
    assert shares.sum() == available
    assert (shares >= 0).all()
    assert shortage(stock + shares, mean, spread) == pytest.approx(shortage(stock + greedy, mean, spread), abs=1e-6)


def test_products_share_their_own_supply_and_any_surplus_goes_out_too() -> None:
    product = np.array([0, 1, 0, 1])
    shares = share_by_shortage(
        np.array([3.0, 0.0, 1.0, 0.0]),
        mean=np.array([2.0, 1.0, 2.0, 3.0]),
        spread=np.full(4, 0.3),
        product=product,
        available=np.array([4.0, 100_000.0]),
    )
    assert np.bincount(product, shares).tolist() == [4.0, 100_000.0]
    assert shares[3] == pytest.approx(3 * shares[1], rel=0.01)


def test_each_replayed_period_hands_on_exactly_what_was_received_and_stock_balances() -> None:
    history = world(10, 30, seed=1)
    spread = fit_spread(history.until(18), first=3, last=18, length=2)
    demand = impute_use(history, spread=spread, paths=3, seed=1)
    closing, issued = replay_supply(history, demand, first=18, spread=spread)
    product = (history.items["product_id"] == "q").to_numpy()
    for which in (product, ~product):
        start = history.closing[which, 17].sum()
        received = history.received[which, 18:].sum(axis=0).cumsum()
        left = closing[:, which].sum(axis=1)
        assert left == pytest.approx(start + received - issued[:, which].sum(axis=1).cumsum(axis=1))


def test_sharing_by_need_mends_what_fixed_shares_spoil_and_leaves_good_shares_alone() -> None:
    lines = replay_lines(world(20, 36, seed=2), first=24).set_index("line")
    assert lines.loc["actual", "stockout_share"] > 0.4
    assert lines.loc["shared", "stockout_share"] < lines.loc["actual", "stockout_share"] - 0.1
    assert lines.loc["full", "stockout_share"] < 0.12  # a starved site waits for its first order
    good = replay_lines(world(20, 36, seed=3, unequal=False), first=24).set_index("line")
    assert good.loc["shared", "stockout_share"] < good.loc["actual", "stockout_share"] + 0.02


def test_the_replay_knows_nothing_of_later_reports() -> None:
    history = world(10, 30, seed=4)
    spread = {"": 0.3}
    demand = np.broadcast_to(history.issued, (1, *history.issued.shape)).copy()
    closing, _ = replay_supply(history, demand, first=20, spread=spread)
    later = {name: getattr(history, name).copy() for name in ("opening", "received", "issued", "adjusted", "closing")}
    random = np.random.default_rng(0)
    for table in later.values():
        table[:, 25:] = random.permutation(table[:, 25:])
    mixed = StockHistory(history.items, history.periods, **later, reported=history.reported)
    again, _ = replay_supply(mixed, demand, first=20, spread=spread)
    assert np.array_equal(closing[:, :, :5], again[:, :, :5])
    full = [replay_supply(h, demand, first=20, spread=spread, full=True)[0] for h in (history, mixed)]
    assert np.array_equal(full[0][:, :, :5], full[1][:, :, :5])


def test_full_supply_orders_up_to_the_level_by_hand() -> None:
    # forecast 4, spread nearly none: 95 % of Poisson 8 is 13. Stock 5 and 4 under way; 6 are wanted in each of three months:
    # order 4, left 5 + 4 − 6 = 3; order 13 − 3 − 4 = 6, left 3 + 4 − 6 = 1; order 6, left 1 + 6 − 6 = 1
    history = lay_out_history(reports([("s", "p", month, 5, 4, 4, 0) for month in range(15)]))
    demand = np.full((1, 1, 15), 6.0)
    closing, issued = replay_supply(history, demand, first=12, spread={"": 1e-6}, full=True)
    assert closing[0, 0].tolist() == [3.0, 1.0, 1.0]
    assert issued[0, 0].tolist() == [6.0, 6.0, 6.0]


def test_imputed_demand_is_what_was_issued_except_where_the_shelf_was_empty() -> None:
    history = world(20, 24, seed=5)
    demand = impute_use(history, spread={"": 0.05}, paths=40, seed=3)
    stocked = history.in_stock
    assert (demand[:, stocked] == history.issued[stocked]).all()
    assert (demand >= history.issued).all()
    # the sites' true demand is Poisson 5; conditioned on running out it is higher, and far above what was issued
    empty = ~stocked
    assert demand[:, empty].mean() > history.issued[empty].mean() + 1
    assert np.array_equal(demand, impute_use(history, spread={"": 0.05}, paths=40, seed=3))


def test_an_item_without_history_takes_its_products_mean_and_no_figure_is_missing() -> None:
    rows = [("a", "p", month, 9, 4, 4, 0) for month in range(12)] + [("b", "p", 11, 0, 0, 0, 0), ("c", "q", 11, 0, 0, 0, 0)]
    mean = mean_use(lay_out_history(reports(rows)))
    assert mean[0] == pytest.approx(4.0)
    assert mean[1] == pytest.approx(4.0)
    assert 0 < mean[2] < 0.01


def test_the_spread_of_known_demand_is_found_again() -> None:
    random, rows = np.random.default_rng(6), []
    for n in range(150):
        for month, used in enumerate(random.negative_binomial(2, 2 / (2 + 10), 24)):
            rows.append((f"s{n:03d}", "p", month, 1000, used, used, 0))
    spread = fit_spread(lay_out_history(reports(rows)), first=12, last=24, length=1)
    # θ = 1/2 of the demand itself, and a little for the forecast from 12 months
    assert 0.45 <= spread["p"] <= 0.75


def test_items_that_nobody_keeps_are_not_carried() -> None:
    rows = [("a", "p", month, 5, 1, 1, 0) for month in range(4)]
    rows += [("b", "p", 0, 0, 3, 3, 0), *[("b", "p", month, 0, 0, 0, 0) for month in (1, 2, 3)]]
    history = lay_out_history(reports(rows))
    assert live_items(history, first=0).tolist() == [True, True]
    assert live_items(history, first=1).tolist() == [True, False]


def test_scores_are_shares_and_means_of_what_was_reported() -> None:
    history = lay_out_history(reports([("a", "p", 0, 0, 2, 2, 0), ("a", "p", 1, 6, 8, 2, 0), ("b", "p", 1, 4, 4, 0, 0)]))
    demand = np.array([[[4.0, 2.0], [0.0, 0.0]]])
    score = score_replay(history, demand, history.closing[None], history.issued[None], first=0)
    assert score["stockout_share"] == pytest.approx(1 / 3)
    assert score["stock_months"] == pytest.approx(10 / 4)
    assert score["fill"] == pytest.approx(4 / 6)
    assert score["item_periods"] == 3


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (reports([("a", "p", 0, 1, 1, 1, 0)]).drop(columns="received"), "received"),
        (reports([("a", "p", 0, 1, 1, 1, 0)]).iloc[:0], "no rows"),
        (reports([("a", "p", 0, 1, 1, 1, 0)] * 2), "one report an item and period"),
    ],
)
def test_reports_that_cannot_be_laid_out_are_refused_in_words(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        lay_out_history(frame)


def test_a_replay_without_a_history_before_it_is_refused() -> None:
    with pytest.raises(InputError, match="six periods or more before the replay"):
        replay_lines(world(2, 10, seed=1), first=4)
