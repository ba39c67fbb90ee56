from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.backtest import backtest_policy
from cmi_analysis.inventory.policy_rules import PolicyRules, set_rules
from cmi_analysis.inventory.stock_history import StockHistory, lay_out_history

ITEMS, PERIODS, ORIGINS = 30, 40, [16, 22, 28, 34]


def run_site(demand: list[int], *, level: int, start: int, review: int = 4, lead: int = 1) -> list[dict[str, float]]:
    """Return the reports of a site that orders up to a level every few periods and loses what it has not got."""
    stock, due, rows = start, {}, []
    for t, wanted in enumerate(demand):
        received = due.pop(t, 0)
        issued = min(wanted, stock + received)
        stock += received - issued
        rows.append({"on_hand": stock, "received": received, "issued": issued, "adjusted": 0})
        if t % review == 0:
            order = max(level - stock - sum(due.values()), 0)
            due[t + 1 + lead] = due.get(t + 1 + lead, 0) + order
    return rows


def as_history(sites: list[list[dict[str, float]]]) -> StockHistory:
    days = pd.date_range("2023-01-31", periods=len(sites[0]), freq="ME")
    frames = [pd.DataFrame(rows).assign(customer_id=f"c{n:02d}", product_id="p", date=days) for n, rows in enumerate(sites)]
    return lay_out_history(pd.concat(frames, ignore_index=True))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.random.default_rng(2).poisson(5, (ITEMS, PERIODS))


@pytest.fixture(scope="module")
def history(truth: np.ndarray) -> StockHistory:
    return as_history([run_site(list(row), level=26, start=20) for row in truth])


def same_policy(level: int = 26, review: int = 4):  # type: ignore[no-untyped-def]
    def policy_at(origin: int, known: StockHistory) -> PolicyRules:
        return set_rules("R_S", order_up_to_level=np.full(len(known.items), level), review_period=review)

    return policy_at


def run(history: StockHistory, truth: np.ndarray, policy_at, **settings):  # type: ignore[no-untyped-def]
    settings = {"origins": ORIGINS, "lead_time": 1, "draws": 200} | settings
    return backtest_policy(
        history, policy_at=policy_at, demand_paths=np.atleast_3d(truth).reshape(-1, *history.closing.shape), **settings
    )


def pick(summary: pd.DataFrame, measure: str, supply: str = "unlimited") -> pd.Series:
    return summary[(summary["measure"] == measure) & (summary["supply"] == supply)].iloc[0]


def test_the_policy_that_was_in_use_gives_what_happened(history: StockHistory, truth: np.ndarray) -> None:
    # the first origin is no review period and nothing is under way beyond one period, so the run can follow history exactly
    result = run(
        history, truth, same_policy(), origins=[18, 24, 30], warm_up=0, holding_cost=1.0, shortage_cost=9.0, unit_cost=3.0
    )
    for supply in ("unlimited", "limited"):
        for measure in ("shelf_fill", "stockout_share", "mean_stock", "cost"):
            row = pick(result.summary, measure, supply)
            assert row["policy"] == pytest.approx(row["actual"], abs=1e-9), (supply, measure)
            assert row["interval_low"] == pytest.approx(0, abs=1e-9)


def test_the_figures_of_what_happened_are_those_of_the_reports(history: StockHistory, truth: np.ndarray) -> None:
    result = run(history, truth, same_policy(40), warm_up=1)
    judged = slice(ORIGINS[1], None)
    assert pick(result.summary, "shelf_fill")["actual"] == pytest.approx(history.issued[:, judged].sum() / truth[:, judged].sum())
    assert pick(result.summary, "stockout_share")["actual"] == pytest.approx((history.closing[:, judged] == 0).mean())
    assert pick(result.summary, "mean_stock")["actual"] == pytest.approx(history.closing[:, judged].mean())


def test_more_stock_gives_more_service_where_supply_allows_it(history: StockHistory, truth: np.ndarray) -> None:
    result = run(history, truth, same_policy(45))
    free, limited = (pick(result.summary, "shelf_fill", supply) for supply in ("unlimited", "limited"))
    assert free["difference"] > 0.01
    assert free["interval_low"] > 0
    assert free["interval_low"] <= free["difference"] <= free["interval_high"]
    # no more can be received than was, so it cannot serve more than by better timing
    assert limited["policy"] < free["policy"]
    assert limited["policy"] <= limited["actual"] + 0.02


def test_only_what_was_known_reaches_the_policy(history: StockHistory, truth: np.ndarray) -> None:
    seen: dict[int, np.ndarray] = {}

    def policy_at(origin: int, known: StockHistory) -> PolicyRules:
        assert known.issued.shape[1] == len(known.periods) == origin
        seen[origin] = np.ceil(5 * known.issued[:, -12:].mean(axis=1))
        return set_rules("R_S", order_up_to_level=seen[origin], review_period=4)

    run(history, truth, policy_at)
    first = dict(seen)
    random = np.random.default_rng(0)
    order = random.permutation(np.arange(ORIGINS[1], PERIODS))
    mixed = {}
    for name in ("opening", "received", "issued", "adjusted", "closing"):
        table = getattr(history, name).copy()
        table[:, ORIGINS[1] :] = random.permutation(table[:, order])
        mixed[name] = table
    later = replace(history, **mixed)
    run(later, np.maximum(truth, later.issued), policy_at)
    for origin in ORIGINS[:2]:
        assert np.array_equal(first[origin], seen[origin])
    assert not np.array_equal(first[ORIGINS[2]], seen[ORIGINS[2]])


def test_a_policy_that_lives_off_its_stock_is_charged_for_it(history: StockHistory, truth: np.ndarray) -> None:
    def never(origin: int, known: StockHistory) -> PolicyRules:
        return set_rules("none", order_up_to_level=np.zeros(len(known.items)))

    result = run(history, truth, never, origins=[18, 24, 30], warm_up=0, holding_cost=0.0, unit_cost=3.0)
    row, filled = pick(result.summary, "cost"), pick(result.summary, "shelf_fill")
    # nothing is bought, yet each unit handed out costs its value
    demand = truth[:, 18:].mean()
    assert row["policy"] == pytest.approx(3.0 * filled["policy"] * demand)
    assert row["policy"] > 0


def test_imputed_paths_give_a_range_and_one_path_none(history: StockHistory, truth: np.ndarray) -> None:
    empty = history.closing == 0
    paths = np.stack([np.where(empty, history.issued + more, history.issued) for more in (0, 3, 6)])
    result = backtest_policy(history, policy_at=same_policy(30), origins=ORIGINS, demand_paths=paths, lead_time=1, draws=200)
    row = pick(result.summary, "shelf_fill")
    assert row["policy_low"] < row["policy"] < row["policy_high"]
    assert row["paths"] == 3
    one = run(history, truth, same_policy(30))
    assert (one.summary["policy_low"] == one.summary["policy_high"]).all()


def test_items_that_cannot_be_judged_are_named_and_left_out(truth: np.ndarray) -> None:
    sites = [run_site(list(row), level=26, start=20) for row in truth[:5]]
    history = as_history(sites)
    reported = history.reported.copy()
    reported[0, : ORIGINS[0]] = False
    reported[1, 30] = False
    demand = truth[:5].copy()
    demand[2, ORIGINS[0] :] = 0
    issued = history.issued.copy()
    issued[2, ORIGINS[0] :] = 0
    history = replace(history, reported=reported, issued=issued)
    result = run(history, demand, same_policy())
    assert result.states["state"].tolist() == ["no_history", "gaps", "no_demand", "judged", "judged"]
    assert sorted(set(result.items["customer_id"])) == ["c03", "c04"]
    assert (result.summary["items"] == 2).all()
    assert not result.items.isna().to_numpy().any()
    assert not result.summary.isna().to_numpy().any()


def test_the_interval_is_narrow_where_items_agree_and_covers_zero_for_no_change() -> None:
    random = np.random.default_rng(8)
    covered = 0
    for _ in range(40):
        truth = random.poisson(5, (20, PERIODS))
        history = as_history([run_site(list(row), level=24, start=20, review=4) for row in truth])

        # another phase of the review is another order of the same events: no true difference
        def policy_at(origin: int, known: StockHistory) -> PolicyRules:
            return set_rules("R_S", order_up_to_level=np.full(20, 24), review_period=4, review_phase=2)

        row = pick(run(history, truth, policy_at, warm_up=1).summary, "shelf_fill")
        covered += row["interval_low"] <= 0 <= row["interval_high"]
    assert covered / 40 >= 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"origins": [0, 5]}, "rising origins"),
        ({"origins": [20, 18]}, "rising origins"),
        ({"origins": [20, 45]}, "rising origins"),
        ({"origins": []}, "rising origins"),
        ({"warm_up": 4}, "warm-up of fewer blocks"),
        ({"lead_time": -1}, "lead times of zero or more"),
        ({"holding_cost": -1.0}, "costs of zero or more"),
        ({"holding_cost": 1.0, "shortage_cost": np.nan}, "costs of zero or more"),
    ],
)
def test_a_back_test_that_cannot_be_is_refused_in_words(
    history: StockHistory, truth: np.ndarray, change: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(history, truth, same_policy(), **change)


def test_demand_below_what_was_issued_and_rules_of_other_items_are_refused(history: StockHistory, truth: np.ndarray) -> None:
    with pytest.raises(InputError, match="at least what was issued"):
        run(history, truth * 0, same_policy())
    with pytest.raises(InputError, match="one policy at origin 16"):
        run(history, truth, lambda origin, known: set_rules("R_S", order_up_to_level=[1, 2]))
