"""Promised service against simulated service on the same distribution: formulas of the literature, exact chains, known traps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand
from cmi_analysis.inventory.policy import fit_level, fit_reorder_point, shelf_fill_at
from cmi_analysis.inventory.policy_rules import PolicyRules, set_rules
from cmi_analysis.inventory.simulation import simulate_policies
from cmi_analysis.inventory.simulation_results import SimulationResult

POINTS = 900
"""Points of the test's own probability tables."""
RUNS, PERIODS, WARM_UP = 500, 2200, 200
"""A million counted periods."""


def poisson(mean: float) -> np.ndarray:
    """Return Poisson chances by the recursion p(k) = p(k − 1)·m/k."""
    chances = np.zeros(POINTS)
    chances[0] = np.exp(-mean)
    for k in range(1, POINTS):
        chances[k] = chances[k - 1] * mean / k
    return chances


def compound_poisson(customers: float, sizes: dict[int, float]) -> np.ndarray:
    """Return the chances of a sum of a Poisson number of batches by Panjer's recursion."""
    chances = np.zeros(POINTS)
    chances[0] = np.exp(-customers * (1 - sizes.get(0, 0.0)))
    for k in range(1, POINTS):
        chances[k] = customers / k * sum(j * share * chances[k - j] for j, share in sizes.items() if 0 < j <= k)
    return chances


def negative_binomial(mean: float, variance: float) -> np.ndarray:
    """Return negative binomial chances by the recursion p(k) = p(k − 1)·(r + k − 1)/k·(1 − q)."""
    q, r = mean / variance, mean**2 / (variance - mean)
    chances = np.zeros(POINTS)
    chances[0] = q**r
    for k in range(1, POINTS):
        chances[k] = chances[k - 1] * (r + k - 1) / k * (1 - q)
    return chances


def total(chances: np.ndarray, periods: int) -> np.ndarray:
    """Return the chances of the sum of independent periods."""
    summed = np.eye(1, POINTS)[0]
    for _ in range(periods):
        summed = np.convolve(summed, chances)[:POINTS]
    return summed


def shortage(chances: np.ndarray, level: float) -> float:
    """Return E(X − y)⁺."""
    return float((chances * np.maximum(np.arange(POINTS) - level, 0.0)).sum())


DEMANDS = {
    "smooth": poisson(8.0),
    "erratic": negative_binomial(6.0, 40.0),
    "intermittent": compound_poisson(0.25, {1: 1.0}),
    "lumpy": compound_poisson(0.2, {1: 0.3, 4: 0.3, 12: 0.4}),
}
LEADS = {"fixed": {3: 1.0}, "random": {1: 0.3, 3: 0.4, 6: 0.3}}


def draws(chances: np.ndarray, shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.searchsorted(chances.cumsum() / chances.sum(), np.random.default_rng(seed).random(shape), side="right")


def draw_leads(lead: dict[int, float], shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(list(lead), p=list(lead.values()), size=shape)


def simulate(chances: np.ndarray, lead: dict[int, float], rules: PolicyRules, **settings) -> SimulationResult:  # type: ignore[no-untyped-def]
    shape = (1, PERIODS, RUNS)
    settings = {"warm_up": WARM_UP} | settings
    return simulate_policies(draws(chances, shape, 1), rules=rules, lead_time=draw_leads(lead, shape, 2), **settings)


def over(chances: np.ndarray, lead: dict[int, float], more: int) -> LeadTimeDemand:
    """Return the mixture over lead times as the package's object."""
    mixed = sum(share * total(chances, days + more) for days, share in lead.items())
    return LeadTimeDemand(np.arange(float(POINTS))[None, :], mixed[None, :] / mixed.sum())


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("demand", DEMANDS)
@pytest.mark.parametrize("target", [0.85, 0.97])
def test_promise_of_periodic_order_up_to_levels_holds_within_two_tenths_of_a_point(target: float, demand: str, lead: str) -> None:
    chances, review = DEMANDS[demand], 7
    protection, under_way = over(chances, LEADS[lead], review), over(chances, LEADS[lead], 0)
    level = fit_level(np.array([target]), protection=protection, lead=under_way)
    # Silver, Pyke and Thomas 2017, section 6.11: 1 − [n_{L+R}(S) − n_L(S)]/(Rμ)
    by_hand = 1 - (shortage(protection.probabilities[0], level[0]) - shortage(under_way.probabilities[0], level[0])) / (
        review * float((chances * np.arange(POINTS)).sum())
    )
    promised = float(shelf_fill_at(level - 1, protection=protection, lead=under_way, batch=np.ones(1))[0])
    assert promised == pytest.approx(by_hand, abs=1e-6)
    result = simulate(chances, LEADS[lead], set_rules("R_S", order_up_to_level=level, review_period=review))
    assert float(result.shelf_fill[0, 0]) == pytest.approx(promised, abs=0.002)
    within = float(1 - protection.chance_above(level)[0])
    assert float(result.cycle_service[0, 0]) == pytest.approx(within, abs=0.003)


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("demand", DEMANDS)
def test_promise_of_reorder_points_with_batches_holds_within_two_tenths_of_a_point(demand: str, lead: str) -> None:
    chances, review = DEMANDS[demand], 6
    batch = np.array([float(max(round(12 * (chances * np.arange(POINTS)).sum()), 3))])
    protection, under_way = over(chances, LEADS[lead], review), over(chances, LEADS[lead], 0)
    reorder = fit_reorder_point(np.array([0.93]), batch=batch, protection=protection, lead=under_way)
    promised = shelf_fill_at(reorder, protection=protection, lead=under_way, batch=batch)
    rules = set_rules("r_nQ", reorder_point=reorder, order_quantity=batch, review_period=review)
    assert float(simulate(chances, LEADS[lead], rules).shelf_fill[0, 0]) == pytest.approx(float(promised[0]), abs=0.002)


@pytest.mark.parametrize("level", [38, 45])
def test_fill_of_a_base_stock_with_poisson_demand_under_daily_review(level: int) -> None:
    mean, lead = 8.0, 3
    expected = 1 - (shortage(poisson(mean * (lead + 1)), level) - shortage(poisson(mean * lead), level)) / mean
    result = simulate(poisson(mean), {lead: 1.0}, set_rules("base_stock", order_up_to_level=[level]))
    assert float(result.shelf_fill[0, 0]) == pytest.approx(expected, abs=0.001)
    # at the end of a day: P(D(L + 1) ≤ S) is nothing missing, P(D(L + 1) < S) something left
    assert float(result.cycle_service[0, 0]) == pytest.approx(poisson(mean * 4)[: level + 1].sum(), abs=0.002)
    assert float(result.ready_rate[0, 0]) == pytest.approx(poisson(mean * 4)[:level].sum(), abs=0.002)
    backlog = float(result.backordered.mean() / result.periods)
    assert backlog == pytest.approx(shortage(poisson(mean * 4), level), rel=0.05)


@pytest.mark.parametrize("demand", ["smooth", "lumpy"])
def test_orders_that_cross_keep_the_service_of_the_shortfall_not_of_lead_time_demand(demand: str) -> None:
    chances, lead = DEMANDS[demand], {1: 0.5, 8: 0.5}
    mean = float((chances * np.arange(POINTS)).sum())
    # an order of j days ago is still out with P(L ≥ j): the shortfall is a sum of thinned days (Zipkin 2000, section 7.4)
    shortfall = np.eye(1, POINTS)[0]
    for days_ago in range(1, max(lead) + 1):
        out = sum(share for days, share in lead.items() if days >= days_ago)
        shortfall = np.convolve(shortfall, out * chances + (1 - out) * np.eye(1, POINTS)[0])[:POINTS]
    at_end = np.convolve(shortfall, chances)[:POINTS]
    level = int(np.searchsorted(at_end.cumsum(), 0.9))
    expected = 1 - (shortage(at_end, level) - shortage(shortfall, level)) / mean
    mixture = (
        1
        - (shortage(over(chances, lead, 1).probabilities[0], level) - shortage(over(chances, lead, 0).probabilities[0], level))
        / mean
    )
    rules = set_rules("base_stock", order_up_to_level=[level])
    crossing = float(simulate(chances, lead, rules).shelf_fill[0, 0])
    in_order = float(simulate(chances, lead, rules, crossing=False).shelf_fill[0, 0])
    assert crossing == pytest.approx(expected, abs=0.002)
    assert in_order < crossing - 0.01
    assert abs(crossing - mixture) > (0.01 if demand == "smooth" else 0.0)


def chain_fill(chances: np.ndarray, lead: int, rule: dict[str, int]) -> float:
    """Return the shelf fill with lost sales from the stationary chain of (on hand, pipeline)."""
    demand = [(k, float(p)) for k, p in enumerate(chances[:60]) if p > 1e-13]

    def after(state: tuple[int, ...], wanted: int) -> tuple[tuple[int, ...], int]:
        met = min(wanted, state[0])
        position = sum(state) - met
        short = rule["S"] - position
        order = -(-short // rule["pack"]) * rule["pack"] if position <= rule["s"] and short > 0 else 0
        pipeline = [*state[1:], order]
        return (state[0] - met + pipeline[0], *pipeline[1:]), met

    states, links = {(rule["S"], *[0] * lead): 0}, []
    queue = list(states)
    while queue:
        state = queue.pop()
        for wanted, chance in demand:
            following, met = after(state, wanted)
            if following not in states:
                states[following] = len(states)
                queue.append(following)
            links.append((states[state], states[following], chance, met))
    source, sink, weight, met = (np.array(column) for column in zip(*links, strict=True))
    share = np.full(len(states), 1.0 / len(states))
    for _ in range(4000):
        moved = np.bincount(sink, share[source] * weight, minlength=len(states))
        share, change = moved / moved.sum(), np.abs(moved / moved.sum() - share).max()
        if change < 1e-13:
            break
    return float((share[source] * weight * met).sum() / (chances * np.arange(len(chances))).sum())


CHAINS = [
    ("smooth 2", poisson(2.0), 2, {"s": 8, "S": 8, "pack": 1}),
    ("erratic", negative_binomial(1.5, 6.0), 1, {"s": 7, "S": 7, "pack": 1}),
    ("intermittent", DEMANDS["intermittent"], 3, {"s": 1, "S": 2, "pack": 1}),
    ("lumpy", DEMANDS["lumpy"], 1, {"s": 12, "S": 20, "pack": 1}),
    ("smooth, s S, packs", poisson(2.0), 2, {"s": 5, "S": 9, "pack": 3}),
]


@pytest.mark.parametrize(("chances", "lead", "rule"), [case[1:] for case in CHAINS], ids=[case[0] for case in CHAINS])
def test_lost_sales_are_those_of_the_exact_chain(chances: np.ndarray, lead: int, rule: dict[str, int]) -> None:
    rules = set_rules("s_S", reorder_point=[rule["s"]], order_up_to_level=rule["S"], order_multiple=rule["pack"])
    result = simulate(chances, {lead: 1.0}, rules, lost_sales=True)
    assert float(result.shelf_fill[0, 0]) == pytest.approx(chain_fill(chances, lead, rule), abs=0.002)


@pytest.mark.parametrize("random_leads", [False, True], ids=["M/D", "M/G"])
@pytest.mark.parametrize("level", [1, 3, 5])
def test_lost_sales_one_for_one_are_erlangs_loss_formula(level: int, random_leads: bool) -> None:
    # Erlang 1917; Sevastyanov 1957: the loss depends on the mean lead time alone. Rare demand makes periods near continuous.
    load, each = 2.0, 400
    loss = (load**level / np.prod(np.arange(1, level + 1))) / sum(
        load**k / np.prod(np.arange(1, k + 1)) for k in range(level + 1)
    )
    demand = np.random.default_rng(4).random((1, 12_000, 250)) < load / each
    lead = np.full(demand.shape, each - 1)
    if random_leads:
        lead = np.random.default_rng(5).choice([99, 699], size=demand.shape)
    rules = set_rules("base_stock", order_up_to_level=[level])
    result = simulate_policies(demand, rules=rules, lead_time=lead, lost_sales=True, warm_up=2000)
    assert 1 - float(result.shelf_fill[0, 0]) == pytest.approx(loss, abs=0.004)


def test_trap_of_the_unit_demand_formula_with_demand_in_batches_of_20() -> None:
    # continuous review made of short periods: a customer wants 20 at once, the formula for unit demand does not know it
    chances, lead, batch = compound_poisson(0.05, {20: 1.0}), 10, 33.0
    under_way = over(chances, {lead: 1.0}, 0)
    curve = [shortage(under_way.probabilities[0], y) for y in range(300)]
    reorder = next(r for r in range(250) if 1 - (curve[r] - curve[r + int(batch)]) / batch >= 0.95)
    naive = 1 - (curve[reorder] - curve[reorder + int(batch)]) / batch
    assert naive == pytest.approx(0.95, abs=0.006)
    rules = set_rules("r_nQ", reorder_point=[reorder], order_quantity=batch)
    simulated = float(simulate(chances, {lead: 1.0}, rules).shelf_fill[0, 0])
    # methods.md measured 87.6 % for 95.0 %: some seven points less
    assert simulated == pytest.approx(0.876, abs=0.01)
    exact = shelf_fill_at(
        np.array([float(reorder)]), protection=over(chances, {lead: 1.0}, 1), lead=under_way, batch=np.array([batch])
    )
    assert simulated == pytest.approx(float(exact[0]), abs=0.002)


def test_trap_of_a_continuous_reorder_point_under_daily_review() -> None:
    # 95 % over L = 4 days of Poisson 5; a day's review protects 5 days: P(D(5) ≤ 28) is about 75 %
    level = int(np.searchsorted(poisson(20.0).cumsum(), 0.95))
    result = simulate(poisson(5.0), {4: 1.0}, set_rules("base_stock", order_up_to_level=[level]))
    assert float(result.cycle_service[0, 0]) == pytest.approx(0.76, abs=0.02)
    assert float(result.cycle_service[0, 0]) == pytest.approx(poisson(25.0)[: level + 1].sum(), abs=0.003)


def test_trap_of_a_normal_lead_time_of_2_or_8_days() -> None:
    # mean 5 days, sd 3: with 20 a day the normal formula plans a 60 % target that only half of the cycles keep
    chances, lead, review = poisson(20.0), {2: 0.5, 8: 0.5}, 7
    mean, sd = 20.0 * (5 + review), np.sqrt(20.0 * (5 + review) + 400 * 9)
    for z, promised, kept in [(0.2533, 0.60, 0.50), (1.6449, 0.95, 0.996)]:
        level = float(np.ceil(mean + z * sd))
        exact = float(1 - over(chances, lead, review).chance_above(np.array([level]))[0])
        result = simulate(chances, lead, set_rules("R_S", order_up_to_level=[level], review_period=review))
        assert float(result.cycle_service[0, 0]) == pytest.approx(exact, abs=0.003)
        assert exact == pytest.approx(kept, abs=0.003), promised


def test_trap_of_over_dispersed_demand_taken_for_poisson() -> None:
    # methods.md: a 99 % target planned as Poisson gives some 93 %
    mean, lead = 5.0, 4
    level = int(np.searchsorted(poisson(mean * (lead + 1)).cumsum(), 0.99))
    result = simulate(negative_binomial(mean, 3.0 * mean), {lead: 1.0}, set_rules("base_stock", order_up_to_level=[level]))
    assert float(result.cycle_service[0, 0]) < 0.94


def test_batches_spread_the_position_evenly_over_r_to_r_plus_q() -> None:
    # Hadley and Whitin 1963, section 4-7: uniform on (r, r + Q] after a review, unit demand
    demand = draws(DEMANDS["intermittent"], (1, 400, 4000), 3)
    result = simulate_policies(demand, rules=set_rules("r_nQ", reorder_point=[4], order_quantity=5), lead_time=2)
    counts = np.bincount(np.round(result.terminal("position")).astype(int).ravel(), minlength=10)
    assert counts[:5].sum() == 0
    assert counts[5:] / 4000 == pytest.approx(np.full(5, 0.2), abs=0.03)


def test_stock_of_a_full_cycle_by_hand() -> None:
    # demand 2 a period, R = 3, L = 1, S = 10: stock at the end of periods repeats 4, 2, 6 from then on
    rules = set_rules("R_S", order_up_to_level=[10], review_period=3, review_phase=2)
    result = simulate_policies(np.full((1, 302), 2), rules=rules, lead_time=1, warm_up=2)
    ends = list(itertools.islice(itertools.cycle([4, 2, 6]), 300))
    assert result.on_hand[0, 0, 0] == sum(ends)
    assert result.shelf_fill[0, 0] == 1.0
    assert result.units[0, 0, 0] == 600
