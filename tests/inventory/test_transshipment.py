from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory import transshipment
from cmi_analysis.inventory.loss import poisson_shortage
from cmi_analysis.inventory.transshipment import propose_transfers


def sites(stock: list[float], own: list[float] | None = None, days: list[float] | None = None) -> pd.DataFrame:
    count = len(stock)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(count)],
            "stock": stock,
            "own_level": own or [0.0] * count,
            "next_delivery_days": days or [10.0] * count,
        }
    )


def curves(means: list[float], top: int = 40) -> np.ndarray:
    return np.array([poisson_shortage(np.arange(top + 1), mean=mean) for mean in means])


def gain_of(
    moves: np.ndarray, frame: pd.DataFrame, shortage: np.ndarray, price: np.ndarray, unit: float, trip: float
) -> np.ndarray:
    """Return the gain of each matrix of quantities, plans × from × to; -inf where it breaks a rule."""
    before = frame["stock"].to_numpy(dtype=float)
    given, received = moves.sum(axis=2), moves.sum(axis=1)
    broken = ((before - given < frame["own_level"].to_numpy()) & (given > 0)).any(axis=1)
    grid = np.arange(shortage.shape[1])
    after = before - given + received
    saved = sum(
        price[site] * (curve[int(before[site])] - np.interp(after[:, site], grid, curve)) for site, curve in enumerate(shortage)
    )
    return np.where(broken, -np.inf, saved - unit * moves.sum(axis=(1, 2)) - trip * (moves > 0).sum(axis=(1, 2)))


@pytest.mark.parametrize("seed", range(12))
def test_the_gain_is_the_greatest_of_all_transfers_between_three_sites(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = sites(list(rng.integers(0, 7, 3).astype(float)), own=list(rng.integers(0, 3, 3).astype(float)))
    shortage, price = curves(list(rng.uniform(0.5, 5, 3))), rng.uniform(1, 6, 3)
    unit, trip = float(rng.uniform(0, 0.6)), float(rng.uniform(0, 3))
    proposed = propose_transfers(
        frame, shortage=shortage, shortage_cost=price, transfer_days=1, unit_cost=unit, transfer_cost=trip
    )
    cells = [(i, j) for i in range(3) for j in range(3) if i != j]
    amounts = np.array(list(itertools.product(range(6), repeat=6)), dtype=float)
    every = np.zeros((len(amounts), 3, 3))
    for place, (i, j) in enumerate(cells):
        every[:, i, j] = amounts[:, place]
    terms = (frame, shortage, price, unit, trip)
    assert proposed["gain"].sum() >= gain_of(every, *terms).max() - 1e-7
    moves = np.zeros((1, 3, 3))
    for row in proposed.itertuples():
        moves[0, int(row.from_customer_id[1:]), int(row.to_customer_id[1:])] = row.quantity
    assert gain_of(moves, *terms)[0] == pytest.approx(proposed["gain"].sum())


def random_sites(seed: int, count: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    stock, own = rng.integers(0, 30, count).astype(float), rng.integers(0, 8, count).astype(float)
    return sites(list(stock), own=list(own)), curves(list(rng.uniform(0.5, 12, count)), top=60)


def test_the_greedy_choice_is_near_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = {"shortage_cost": 4, "transfer_days": 1, "unit_cost": 0.3, "transfer_cost": 2}
    exact, greedy = [], []
    for seed in range(25):
        frame, shortage = random_sites(seed, 5)
        with monkeypatch.context() as patch:
            exact.append(propose_transfers(frame, shortage=shortage, **terms))
            patch.setattr(transshipment, "_EXACT_PAIRS", 0)
            greedy.append(propose_transfers(frame, shortage=shortage, **terms))
    gains = np.array([[plan["gain"].sum() for plan in plans] for plans in (exact, greedy)])
    assert {name for plan in exact for name in plan["method"]} == {"exact"}
    assert {name for plan in greedy for name in plan["method"]} == {"greedy"}
    assert (gains[1] <= gains[0] + 1e-7).all()
    assert gains[1].sum() >= 0.98 * gains[0].sum()


def test_many_sites_are_planned_greedily_within_every_rule() -> None:
    frame, shortage = random_sites(1, 60)
    result = propose_transfers(frame, shortage=shortage, shortage_cost=4, transfer_days=1, unit_cost=0.3, transfer_cost=2)
    assert set(result["method"]) == {"greedy"}
    assert (result["gain"] > 0).all()
    sent = result.groupby("from_customer_id")["quantity"].sum().reindex(frame["customer_id"], fill_value=0.0).to_numpy()
    assert (frame["stock"] - sent >= frame["own_level"])[sent > 0].all()
    moves = np.zeros((1, 60, 60))
    for row in result.itertuples():
        moves[0, int(row.from_customer_id[1:]), int(row.to_customer_id[1:])] = row.quantity
    assert gain_of(moves, frame, shortage, np.full(60, 4.0), 0.3, 2.0)[0] == pytest.approx(result["gain"].sum())


def test_every_transfer_gains_more_than_it_costs() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        frame = sites(list(rng.integers(0, 20, 6).astype(float)), own=list(rng.integers(0, 5, 6).astype(float)))
        shortage = curves(list(rng.uniform(0.5, 12, 6)))
        result = propose_transfers(frame, shortage=shortage, shortage_cost=4, transfer_days=1, unit_cost=0.5, transfer_cost=2)
        assert (result["benefit"] > result["cost"]).all()
        assert result["gain"].to_numpy() == pytest.approx(result["benefit"] - result["cost"])


def test_a_sender_keeps_its_own_level_and_sends_whole_packs() -> None:
    result = propose_transfers(
        sites([20.0, 0.0], own=[5.0, 0.0]), shortage=curves([0.1, 18.0]), shortage_cost=10, transfer_days=1, pack=4
    )
    assert result["quantity"].tolist() == [12.0]


def test_a_transfer_arrives_before_the_next_delivery_or_is_not_made() -> None:
    terms = {"shortage": curves([0.1, 8.0]), "shortage_cost": 10}
    assert propose_transfers(sites([20, 0], days=[10, 3]), transfer_days=3, **terms).empty
    assert len(propose_transfers(sites([20, 0], days=[10, 3]), transfer_days=2.9, **terms)) == 1


def test_a_fixed_cost_above_the_benefit_stops_the_transfer() -> None:
    terms = {"shortage": curves([0.1, 3.0]), "shortage_cost": 1.0, "transfer_days": 1}
    free = propose_transfers(sites([20, 0]), **terms)
    assert 2.9 < free["benefit"].iloc[0] <= 3.0
    assert propose_transfers(sites([20, 0]), transfer_cost=3.01, **terms).empty


def test_the_nearer_of_two_senders_sends() -> None:
    cost = np.array([[0, 0, 2.0], [0, 0, 0.5], [0, 0, 0]])
    result = propose_transfers(
        sites([9, 9, 0]), shortage=curves([0.5, 0.5, 4.0]), shortage_cost=5, transfer_days=1, unit_cost=cost, transfer_cost=1
    )
    assert result["from_customer_id"].tolist() == ["c1"]


def test_stock_goes_where_a_unit_short_costs_most() -> None:
    result = propose_transfers(
        sites([3, 0, 0]), shortage=curves([0.01, 5.0, 5.0]), shortage_cost=[1, 2, 9], transfer_days=1, transfer_cost=0.5
    )
    assert result[["to_customer_id", "quantity"]].to_numpy().tolist() == [["c2", 3.0]]


def test_a_backlog_is_short_for_certain() -> None:
    result = propose_transfers(sites([6, -4]), shortage=curves([0.01, 0.01]), shortage_cost=2, transfer_days=1)
    assert result["quantity"].iloc[0] >= 4
    assert result["avoided_shortage"].iloc[0] == pytest.approx(4.0, abs=0.02)


@pytest.mark.parametrize("stock", [[5.0], [0.0, 0.0], [5.0, 5.0]])
def test_nothing_is_proposed_where_nothing_is_gained(stock: list[float]) -> None:
    shortage = curves([0.0] * len(stock)) if stock[0] > 0 else curves([3.0] * len(stock))
    result = propose_transfers(sites(stock), shortage=shortage, shortage_cost=5, transfer_days=1)
    assert result.empty
    assert list(result.columns)[:3] == ["from_customer_id", "to_customer_id", "quantity"]


def test_the_same_input_gives_the_same_transfers_and_is_not_changed() -> None:
    frame = sites([12, 0, 3, 9, 1])
    before = frame.copy()
    shortage = curves([1.0, 6.0, 5.0, 2.0, 8.0])
    first, second = (
        propose_transfers(frame, shortage=shortage, shortage_cost=5, transfer_days=1, transfer_cost=1) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(frame, before)


def test_bad_input_is_an_error() -> None:
    good = {"shortage": curves([1.0, 1.0]), "shortage_cost": 1, "transfer_days": 1}
    with pytest.raises(InputError, match="stock, own_level, next_delivery_days of each site; found a missing one at c1"):
        propose_transfers(sites([1, np.nan]), **good)
    with pytest.raises(InputError, match="falling by less and less"):
        propose_transfers(sites([1, 1]), **{**good, "shortage": np.array([[1.0, 2.0], [1.0, 0.0]])})
    with pytest.raises(InputError, match="falling by less and less"):
        propose_transfers(sites([1, 1]), **{**good, "shortage": curves([1.0])})
    with pytest.raises(InputError, match="transfer_cost of zero or more"):
        propose_transfers(sites([1, 1]), **good, transfer_cost=-1)
    with pytest.raises(InputError, match="pack above zero"):
        propose_transfers(sites([1, 1]), **good, pack=0)
    with pytest.raises(InputError, match="each site once"):
        propose_transfers(sites([1, 1]).assign(customer_id="c"), **good)
