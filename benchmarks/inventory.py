"""Speed of the exact (s,S) optimum and of the simulator, with ratios in one run on this machine, one thread.

(s,S): 1,000 items of mean 0.5–75 a review period (Poisson to twice as variable), lead times of 0–3 periods, K 1–200, h 1, p 2–50.

An item-period is one period of one item under one policy in one replication: daily review, random lead times of 2 to 5 days, a
reorder point with batches, backorders; every sum and the standard errors' parts are kept.

    python benchmarks/inventory.py                        # some two minutes
    python benchmarks/inventory.py --quick                # less rounds; at most 4 minutes on any machine
    python benchmarks/inventory.py --stockpyl PYTHON      # also against stockpyl's simulator in that interpreter's environment

Prints lines `name: value`; those that need what is not installed say `missing`.

- `ss_us_per_item`, `ss_us_per_item_numpy`: CPU microseconds an item, median of the runs, with the checks of the input and the
  frame around them; the first with numba where the extra `fast` is installed, else in NumPy. `ss_same_policies`: 1 where both
  find the same.
- `sim_item_periods_per_cpu_second`: NumPy.
- `sim_item_periods_per_cpu_second_fast`: numba (extra `fast`), 1,000 items × 1,000 periods × 64 policies.
- `sim_item_periods_per_cpu_second_alone_fast`: the same with one policy an item, where policies cannot share the reading.
- `grid_seconds_fast`: CPU seconds of that whole call, best of the rounds.
- `grid_limit_seconds`: what reading the demand and the lead times once and writing all results once takes by the memory bandwidth
  measured in the same run.
- `ratio_to_stockpyl`: item-periods a CPU second, NumPy over stockpyl.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import time

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ITEMS, PERIODS, POLICIES = 1000, 1000, 64
RESULTS = 9
STOCKPYL_PERIODS = 2000
STOCKPYL = f"""
import time
from stockpyl.supply_chain_network import single_stage_system
from stockpyl.sim import simulation
network = single_stage_system(holding_cost=1, stockout_cost=10, demand_type="P", mean=3, policy_type="rQ", reorder_point=20,
                              order_quantity=12, shipment_lead_time=3)
simulation(network, 50, rand_seed=1, progress_bar=False)
started = time.process_time()
simulation(network, {STOCKPYL_PERIODS}, rand_seed=1, progress_bar=False)
print({STOCKPYL_PERIODS} / (time.process_time() - started))
"""


def ss_instances(items: int) -> dict:
    """Arguments of `fit_ss` for mixed items."""
    import numpy as np

    from cmi_analysis.inventory.demand_pmf import fit_pmf

    random = np.random.default_rng(1)
    mean = np.exp(random.uniform(np.log(0.5), np.log(75), items))
    ratio, lead = random.uniform(1, 2, items), random.integers(0, 4, items)
    review, _ = fit_pmf(mean, variance=ratio * mean, points=200)
    protection, _ = fit_pmf((lead + 1) * mean, variance=(lead + 1) * ratio * mean, points=512)
    return {
        "review_pmf": review,
        "protection_pmf": protection,
        "order_cost": np.exp(random.uniform(0, np.log(200), items)),
        "holding_cost": 1.0,
        "shortage_cost": random.uniform(2, 50, items),
    }


def ss_microseconds(arguments: dict, *, engine: str, runs: int) -> tuple[float, object]:
    """Median CPU microseconds an item, and the policies."""
    from cmi_analysis.inventory.ss_policy import fit_ss

    found = fit_ss(**arguments, engine=engine)
    items, taken = len(found), []
    for _ in range(runs):
        started = time.process_time()
        fit_ss(**arguments, engine=engine)
        taken.append((time.process_time() - started) / items * 1e6)
    return statistics.median(taken), found


def bench_ss(runs: int) -> None:
    """Print the lines of the exact (s,S) optimum."""
    from cmi_analysis.inventory.ss_policy import has_numba

    arguments = ss_instances(1000)
    plain, found = ss_microseconds(arguments, engine="numpy", runs=runs)
    print(f"ss_us_per_item_numpy: {plain:.1f}")
    if not has_numba():
        print(f"ss_us_per_item: {plain:.1f}")
        return
    fast, same = ss_microseconds(arguments, engine="auto", runs=runs)
    levels = ["reorder_point", "order_up_to_level"]
    print(f"ss_us_per_item: {fast:.1f}")
    print(f"ss_same_policies: {int(found[levels].equals(same[levels]))}")


def grid(items: int, policies: int):
    """Demand, lead times and rules of a grid of reorder points."""
    import numpy as np

    from cmi_analysis.inventory.demand_draws import draw_lead_times
    from cmi_analysis.inventory.policy_rules import set_rules

    random = np.random.default_rng(1)
    demand = random.poisson(random.gamma(1.0, 3.0, items)[:, None], (items, PERIODS)).astype("int32")
    table = np.tile([[2, 3, 4, 5]], (items, 1)), np.full((items, 4), 0.25)
    lead = draw_lead_times(table[0], chances=table[1], periods=PERIODS, seed=2)[:, :, 0]
    level = demand.mean(axis=1)[:, None] * np.linspace(2.0, 8.0, policies)
    return demand, lead, set_rules("r_nQ", reorder_point=np.round(level), order_quantity=12)


def seconds_of(engine: str, *, items: int, policies: int, rounds: int) -> float:
    """CPU seconds of one call, the best of some rounds; the first call compiles and does not count."""
    from cmi_analysis.inventory.simulation import simulate_policies

    demand, lead, rules = grid(items, policies)
    spent = []
    for _ in range(rounds + 1):
        started = time.process_time()
        simulate_policies(demand, rules=rules, lead_time=lead, warm_up=100, engine=engine)
        spent.append(time.process_time() - started)
    return min(spent[1:])


def limit_seconds(rounds: int) -> float:
    """Seconds that memory takes for the grid's arrays: inputs read once, results written once, from the rate of a large copy."""
    import numpy as np

    block = np.ones(16_000_000)
    target = np.empty_like(block)
    spent = []
    for _ in range(rounds):
        started = time.process_time()
        np.copyto(target, block)
        spent.append(time.process_time() - started)
    rate = 2 * block.nbytes / min(spent)
    return (ITEMS * PERIODS * (4 + 4) + ITEMS * POLICIES * 8 * RESULTS) / rate


def bench_numpy(rounds: int) -> float:
    """Item-periods a CPU second in NumPy."""
    return 125 * PERIODS * POLICIES / seconds_of("numpy", items=125, policies=POLICIES, rounds=rounds)


def bench_fast(rounds: int) -> None:
    """Print the lines that need numba."""
    if importlib.util.find_spec("numba") is None:
        for name in ("sim_item_periods_per_cpu_second_fast", "sim_item_periods_per_cpu_second_alone_fast", "grid_seconds_fast"):
            print(f"{name}: missing (install the extra fast)")
        return
    whole = seconds_of("numba", items=ITEMS, policies=POLICIES, rounds=rounds)
    alone = seconds_of("numba", items=ITEMS, policies=1, rounds=rounds)
    print(f"sim_item_periods_per_cpu_second_fast: {ITEMS * PERIODS * POLICIES / whole:.3g}")
    print(f"sim_item_periods_per_cpu_second_alone_fast: {ITEMS * PERIODS / alone:.3g}")
    print(f"grid_seconds_fast: {whole:.3f}")


def bench_stockpyl(python: str, ours: float) -> None:
    """Print how many times more item-periods a CPU second than stockpyl's simulator of one item with (r,Q)."""
    done = subprocess.run([python, "-c", STOCKPYL], capture_output=True, text=True, check=False)
    if done.returncode:
        print("ratio_to_stockpyl: missing (" + (done.stderr.strip().splitlines() or ["it failed"])[-1] + ")")
        return
    theirs = float(done.stdout.split()[-1])
    print(f"stockpyl_item_periods_per_cpu_second: {theirs:.3g}")
    print(f"ratio_to_stockpyl: {ours / theirs:.3g}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less rounds")
    parser.add_argument("--stockpyl", metavar="PYTHON", help="an interpreter that has stockpyl")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    rounds = 5 if options.quick else 20
    bench_ss(5 if options.quick else 9)
    ours = bench_numpy(3 if options.quick else 10)
    print(f"sim_item_periods_per_cpu_second: {ours:.3g}")
    bench_fast(rounds)
    print(f"grid_limit_seconds: {limit_seconds(rounds):.4f}")
    if options.stockpyl:
        bench_stockpyl(options.stockpyl, ours)


if __name__ == "__main__":
    main()
