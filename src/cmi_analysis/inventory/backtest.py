"""A policy on the customer's own history: the service and cost it would have had, against what happened.

Order of events in a period: what is due arrives; demand is met from stock; at the end of a review period an order is placed. At
each origin the levels are set anew by what was known then, and hold until the next origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.policy_rules import PolicyRules, make_rules
from cmi_analysis.inventory.simulation import simulate_policies
from cmi_analysis.inventory.simulation_engine import SimulationState
from cmi_analysis.inventory.stock_history import StockHistory

SUPPLIES = ("unlimited", "limited")
"""What could be received: anything ordered, or no more than was received in fact (what is not taken stays available)."""
STATES = ("judged", "no_history", "gaps", "no_demand")
"""Why an item counts or does not."""
_SUMS = ("demand", "filled", "on_hand", "empty", "orders", "received", "change", "periods")


@dataclass(frozen=True)
class BacktestResult:
    """What the policy would have done, and what happened.

    Attributes
    ----------
    summary : pandas.DataFrame
        supply, measure, actual, policy, difference (policy less actual), policy_low, policy_high, difference_low,
        difference_high (lowest and highest demand path), interval_low, interval_high (95 % of the paired bootstrap of the
        difference), items, blocks, paths.
        Stock and cost are means of an item and period [units, money].
    items : pandas.DataFrame
        supply, customer_id, product_id, demand, and shelf_fill, stockout_share, mean_stock with the endings _actual and _policy
        (means over the paths); one row a judged item and supply.
    states : pandas.DataFrame
        customer_id, product_id, state (`STATES`): ``no_history`` before the first origin, ``gaps`` in the reports after it,
        ``no_demand`` after it; only ``judged`` items count.
    """

    summary: pd.DataFrame
    items: pd.DataFrame
    states: pd.DataFrame


def backtest_policy(
    history: StockHistory,
    *,
    policy_at: Callable[[int, StockHistory], PolicyRules],
    origins: Sequence[int],
    demand_paths: np.ndarray,
    lead_time: ArrayLike,
    warm_up: int = 1,
    lost_sales: bool = True,
    holding_cost: ArrayLike | None = None,
    shortage_cost: ArrayLike = 0.0,
    order_cost: ArrayLike = 0.0,
    unit_cost: ArrayLike = 0.0,
    draws: int = 1000,
    seed: int = 1,
) -> BacktestResult:
    """Return service, stock and cost that a policy would have had on its history, against what happened.

    The run starts from the actual stock at the first origin; what was received in the first lead time was under way already.
    The first `warm_up` blocks (from one origin to the next) run but do not count on either side. Cost = holding + shortage +
    ordering + purchases − value of the rise in stock, so that neither side gains by living off its stock.

    Parameters
    ----------
    history : StockHistory
        Reports, items × periods.
    policy_at : callable
        Takes an origin and the reports before it, and returns the rules of all items (one policy): only what was known then.
    origins : sequence of int
        Rising numbers of periods; the last block ends with the history.
    demand_paths : numpy.ndarray
        Paths × items × periods: demand with what was missed while out of stock imputed, such as from `impute_use` [units].
    lead_time : array_like
        One number, items, or items × periods of the history [periods].
    warm_up : int
        First blocks that do not count.
    lost_sales : bool
        What is not met is lost; else it waits.
    holding_cost, shortage_cost, order_cost, unit_cost : array_like, optional
        One number or items [money/unit/period, money/unit, money, money/unit]; no cost is shown without a holding cost.
    draws, seed : int
        Bootstrap draws (items, blocks and demand path together), and their seed.

    Raises
    ------
    InputError
        Origins or shapes do not fit, demand is below what was issued, a cost is negative or missing, or no item can be judged.
    """
    _check(history, origins=origins, demand_paths=demand_paths, warm_up=warm_up)
    state = _states(history, demand_paths, first=origins[0])
    kept = np.flatnonzero(state == "judged")
    if len(kept) == 0:
        raise InputError(
            expected="at least one item with a history, demand and reports of every period",
            found=", ".join(f"{(state == name).sum()} {name}" for name in STATES[1:]),
            fix="Give more history or earlier origins.",
        )
    costs = (
        None if holding_cost is None else _costs(holding_cost, shortage_cost, order_cost, unit_cost, count=len(state))[:, kept]
    )
    rules = [_levels(policy_at, origin, history) for origin in origins]
    lead = np.broadcast_to(np.asarray(lead_time), (history.closing.shape if np.ndim(lead_time) == 2 else (len(state),)))
    actual = _what_happened(history, demand_paths, origins=origins)[:, :, kept, warm_up:]
    tables, items = [], []
    for supply in SUPPLIES:
        ran = _run(history, rules, demand_paths, origins, lead, lost_sales=lost_sales, limited=supply == "limited")
        ran = ran[:, :, kept, warm_up:]
        tables.append(_summarise(actual, ran, costs, draws=draws, seed=seed).assign(supply=supply))
        items.append(_by_item(history.items.iloc[kept], actual, ran).assign(supply=supply))
    summary = pd.concat(tables, ignore_index=True)
    by_item = pd.concat(items, ignore_index=True)
    summary, by_item = (table[["supply", *table.columns.drop("supply")]] for table in (summary, by_item))
    return BacktestResult(summary, by_item, history.items.assign(state=state))


def _check(history: StockHistory, *, origins: Sequence[int], demand_paths: np.ndarray, warm_up: int) -> None:
    periods = len(history.periods)
    rising = len(origins) > 0 and all(a < b for a, b in zip(origins, [*origins[1:], periods], strict=True))
    if not rising or origins[0] < 1 or not 0 <= warm_up < len(origins):
        raise InputError(
            expected=f"rising origins from 1 to {periods - 1} and a warm-up of fewer blocks than there are",
            found=f"{list(origins)} with a warm-up of {warm_up}",
            fix="Choose origins inside the history.",
        )
    if demand_paths.ndim != 3 or demand_paths.shape[1:] != history.closing.shape:
        raise InputError(
            expected=f"demand paths × {history.closing.shape}", found=str(demand_paths.shape), fix="Impute on the same history."
        )
    if not np.all(demand_paths >= history.issued - 1e-9):
        raise InputError(
            expected="demand of at least what was issued", found="less or missing", fix="Impute demand above censored sales."
        )


def _states(history: StockHistory, demand_paths: np.ndarray, *, first: int) -> np.ndarray:
    before, judged = history.reported[:, :first].any(axis=1), history.reported[:, first:].all(axis=1)
    wanted = demand_paths[:, :, first:].sum(axis=(0, 2)) > 0
    return np.select([~before, ~judged, ~wanted], ["no_history", "gaps", "no_demand"], "judged")


def _levels(policy_at: Callable[[int, StockHistory], PolicyRules], origin: int, history: StockHistory) -> PolicyRules:
    rules = policy_at(origin, history.until(origin))
    if rules.shape != (len(history.items), 1):
        raise InputError(
            expected=f"rules of {len(history.items)} items and one policy at origin {origin}",
            found=f"{rules.shape[0]} items and {rules.shape[1]} policies",
            fix="Label items without a level 'none'.",
        )
    return make_rules(
        rules.trigger,
        target=rules.target,
        multiple=rules.multiple,
        review_period=rules.review_period,
        review_phase=rules.review_phase,
    )


def _what_happened(history: StockHistory, demand_paths: np.ndarray, *, origins: Sequence[int]) -> np.ndarray:
    """Return the sums of what happened: sums × paths × items × blocks."""
    ones = np.ones_like(history.closing)
    rows = [history.issued, history.closing, history.closing <= 0, history.received > 0, history.received]
    tables = [demand_paths, *rows, history.closing - history.opening, ones]
    full = [np.broadcast_to(table, demand_paths.shape)[:, :, origins[0] :] for table in tables]
    starts = np.asarray(origins) - origins[0]
    sums = np.stack([np.add.reduceat(table.astype("float64"), starts, axis=2) for table in full])
    edge = [*origins[1:], len(history.periods)]
    sums[_SUMS.index("change")] = history.closing[:, np.asarray(edge) - 1] - history.opening[:, origins]
    return sums


def _run(
    history: StockHistory,
    rules: list[PolicyRules],
    demand_paths: np.ndarray,
    origins: Sequence[int],
    lead: np.ndarray,
    *,
    lost_sales: bool,
    limited: bool,
) -> np.ndarray:
    """Return the sums of the policy: sums × paths × items × blocks."""
    paths, items, periods = demand_paths.shape
    state = _start(history, lead, first=origins[0], paths=paths)
    sums = np.zeros((len(_SUMS), paths, items, len(origins)))
    for block, (origin, end) in enumerate(zip(origins, [*origins[1:], periods], strict=True)):
        result = simulate_policies(
            demand_paths[:, :, origin:end].transpose(1, 2, 0),
            rules=rules[block],
            lead_time=lead[:, origin:end] if lead.ndim == 2 else lead,
            supply=history.received[:, origin:end] if limited else None,
            lost_sales=lost_sales,
            start=state,
            start_period=origin,
        )
        before, after = (held.net.reshape(items, paths) for held in (state, result.state))
        demand, filled = result.demand[:, 0], result.filled[:, 0]
        received = after - before + (filled if lost_sales else demand)
        change = np.maximum(after, 0) - np.maximum(before, 0)
        length = np.full(demand.shape, float(end - origin))
        rows = [demand, filled, result.on_hand[:, 0], length - result.ready[:, 0], result.orders[:, 0], received, change, length]
        sums[:, :, :, block] = np.stack(rows).transpose(0, 2, 1)
        state = result.state
    return sums


def _start(history: StockHistory, lead: np.ndarray, *, first: int, paths: int) -> SimulationState:
    """Return the actual stock at the first origin, with what was received in the first lead time under way."""
    now = lead[:, first] if lead.ndim == 2 else lead
    longest = int(lead.max(initial=0)) + 1
    due = np.zeros((longest, len(now)))
    for period in range(min(longest, len(history.periods) - first)):
        due[period] = np.where(period < now, history.received[:, first + period], 0.0)
    net = np.repeat(history.opening[:, first], paths)[:, None]
    pipeline = np.repeat(due, paths, axis=1)[:, :, None]
    nothing = np.zeros_like(net)
    return SimulationState(net, pipeline, np.zeros_like(pipeline), nothing, nothing.copy(), nothing.copy())


def _costs(*given: ArrayLike, count: int) -> np.ndarray:
    rates = np.stack([np.broadcast_to(np.asarray(value, dtype="float64"), (count,)) for value in given])
    if not np.all(np.isfinite(rates) & (rates >= 0)):
        raise InputError(
            expected="costs of zero or more", found="a negative or missing one", fix="Correct it or leave the item out."
        )
    return rates


def _measures(sums: np.ndarray, money: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the measures of summed sums (first axis), and the money if it is known."""
    demand, filled, on_hand, empty, *_, periods = sums
    measures = {
        "shelf_fill": np.divide(filled, demand, out=np.ones_like(filled), where=demand > 0),
        "stockout_share": empty / periods,
        "mean_stock": on_hand / periods,
    }
    return measures if money is None else measures | {"cost": money / periods}


def _money(sums: np.ndarray, costs: np.ndarray | None) -> np.ndarray | None:
    """Return the cost of each path, item and block."""
    if costs is None:
        return None
    demand, filled, on_hand, _, orders, received, change, _ = sums
    holding, shortage, ordering, unit = costs[:, None, :, None]
    return holding * on_hand + shortage * (demand - filled) + ordering * orders + unit * (received - change)


def _summarise(actual: np.ndarray, ran: np.ndarray, costs: np.ndarray | None, *, draws: int, seed: int) -> pd.DataFrame:
    """Return one row a measure, with the range over the paths and the paired bootstrap interval of the difference."""
    paths, items, blocks = actual.shape[1:]
    money = _money(actual, costs), _money(ran, costs)
    by_path = [
        _measures(sums.sum(axis=(2, 3)), None if part is None else part.sum(axis=(1, 2)))
        for sums, part in zip((actual, ran), money, strict=True)
    ]
    random = np.random.default_rng(seed)
    item_weights = random.multinomial(items, np.full(items, 1 / items), size=draws).astype("float64")
    block_weights = random.multinomial(blocks, np.full(blocks, 1 / blocks), size=draws).astype("float64")
    path = random.integers(0, paths, draws)

    def drawn(table: np.ndarray) -> np.ndarray:
        return np.array([item_weights[k] @ table[path[k]] @ block_weights[k] for k in range(draws)])

    sampled = [
        _measures(np.stack([drawn(table) for table in sums]), None if part is None else drawn(part))
        for sums, part in zip((actual, ran), money, strict=True)
    ]
    rows = []
    for measure, before in by_path[0].items():
        after = by_path[1][measure]
        difference = after - before
        low, high = np.quantile(sampled[1][measure] - sampled[0][measure], [0.025, 0.975])
        middle = {"actual": before.mean(), "policy": after.mean(), "difference": difference.mean()}
        ends = {"policy_low": after.min(), "policy_high": after.max()}
        ends |= {"difference_low": difference.min(), "difference_high": difference.max()}
        rows.append({"measure": measure} | middle | ends | {"interval_low": low, "interval_high": high})
    return pd.DataFrame(rows).assign(items=items, blocks=blocks, paths=paths)


def _by_item(items: pd.DataFrame, actual: np.ndarray, ran: np.ndarray) -> pd.DataFrame:
    """Return the measures of each item, means over the paths."""
    columns = {
        f"{measure}_{side}": values.mean(axis=0)
        for side, sums in (("actual", actual), ("policy", ran))
        for measure, values in _measures(sums.sum(axis=3), None).items()
    }
    return items.assign(demand=actual[0].sum(axis=2).mean(axis=0), **columns)
