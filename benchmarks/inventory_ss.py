"""Speed of the exact (s,S) optimum, in CPU time an item, one thread.

1,000 items of mean 0.5–75 a review period (Poisson to twice as variable), lead times of 0–3 periods, K 1–200, h 1, p 2–50.

    python benchmarks/inventory_ss.py            # medians of 9 runs
    python benchmarks/inventory_ss.py --quick    # medians of 5 runs

Prints lines `name: value`: `ss_us_per_item_numpy` and `ss_us_per_item` (numba where the extra `fast` is installed, else NumPy),
both with the checks of the input and the frame around them; `ss_engine`; `ss_same_policies` (1 where both find the same).
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def instances(items: int) -> dict:
    """Arguments of `fit_ss` for mixed items."""
    import numpy as np

    from cmi_analysis.inventory.pmf_arithmetic import fit_pmf

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


def microseconds(arguments: dict, *, engine: str, runs: int) -> tuple[float, object]:
    """Median CPU microseconds an item, and the policies."""
    from cmi_analysis.inventory.ss_policy import fit_ss

    found = fit_ss(**arguments, engine=engine)
    items, taken = len(found), []
    for _ in range(runs):
        started = time.process_time()
        fit_ss(**arguments, engine=engine)
        taken.append((time.process_time() - started) / items * 1e6)
    return statistics.median(taken), found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    runs = 5 if parser.parse_args().quick else 9
    from cmi_analysis.inventory.ss_policy import has_numba

    arguments = instances(1000)
    plain, found = microseconds(arguments, engine="numpy", runs=runs)
    print(f"ss_us_per_item_numpy: {plain:.1f}")
    if not has_numba():
        print(f"ss_us_per_item: {plain:.1f}\nss_engine: numpy")
        return
    fast, same = microseconds(arguments, engine="auto", runs=runs)
    levels = ["reorder_point", "order_up_to_level"]
    print(f"ss_us_per_item: {fast:.1f}\nss_engine: numba")
    print(f"ss_same_policies: {int(found[levels].equals(same[levels]))}")


if __name__ == "__main__":
    main()
