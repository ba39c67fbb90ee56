"""Forecasting speed, as ratios in one run on this machine: all of it, with back-test and quantiles, against one ETS fit.

500 series × 156 weeks of seasonal, partly intermittent demand; horizon 13, four folds, all models, one thread.
`ratio_to_statsmodels_ets`: CPU seconds a series of one `ETSModel` (A,A,N) fit and forecast (on 40 of the series) over ours.

    python benchmarks/forecast_speed.py            # and 15,000 series × 156 weeks, some 15 minutes
    python benchmarks/forecast_speed.py --quick    # without the 15,000; at most 4 minutes

Prints lines `name: value`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
import warnings

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
WEEKS, HORIZON, FOLDS = 156, 13, 4
ROUNDS = 5


def panel(series: int):
    """Sales of `series` items over 156 weeks: one yearly season, levels from 0.2 to 60 a week."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1)
    level = np.exp(random.uniform(np.log(0.2), np.log(60), series))[:, None]
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(WEEKS) / 52)
    quantity = random.poisson(level * season * random.gamma(4, 0.25, (series, WEEKS)))
    number = np.arange(series)
    return pd.DataFrame(
        {
            "customer_id": np.repeat([f"C{n % 50:03d}" for n in number], WEEKS),
            "product_id": np.repeat([f"P{n // 50:03d}" for n in number], WEEKS),
            "date": np.tile(pd.date_range("2023-01-02", periods=WEEKS, freq="W-MON"), series),
            "quantity": quantity.ravel().astype(float),
        }
    )


def ours(series: int, profile: str) -> float:
    """CPU seconds of the public call."""
    from cmi_analysis.forecasting.public import forecast_demand

    sales = panel(series)
    started = time.process_time()
    forecast_demand(sales, horizon=HORIZON, frequency="week", folds=FOLDS, profile=profile)
    return time.process_time() - started


def statsmodels_ets(series: int = 40) -> float:
    """CPU seconds a series of statsmodels' ETS (A,A,N)."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    values = panel(500)["quantity"].to_numpy().reshape(500, WEEKS)[:: 500 // series][:series]
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in values:
            ETSModel(row, error="add", trend="add").fit(disp=False).forecast(HORIZON)
    return (time.process_time() - started) / len(values)


def import_seconds() -> float:
    """CPU seconds of `import cmi_analysis` beyond an empty interpreter, median of five."""

    def spent(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    plain, ours = (statistics.median(spent(code) for _ in range(5)) for code in ("pass", "import cmi_analysis"))
    return max(ours - plain, 0.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the 15,000 series")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    ours(50, "standard")  # imports and caches are not the method's cost
    rounds = [(ours(500, "standard"), ours(500, "quick"), statsmodels_ets() * 500) for _ in range(ROUNDS)]
    if not options.quick:
        started = time.monotonic()
        cpu = ours(15_000, "standard")
        print(f"minutes_15000_series: {(time.monotonic() - started) / 60:.1f}")
        print(f"cpu_seconds_15000_series: {cpu:.0f}")
        print(f"peak_gib_15000_series: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f}")
    print(f"cpu_seconds_500_series: {statistics.median(standard for standard, _, _ in rounds):.1f}")
    print(f"ratio_to_statsmodels_ets: {statistics.median(ets / standard for standard, _, ets in rounds):.2f}")
    print(f"quick_ratio_to_statsmodels_ets: {statistics.median(ets / quick for _, quick, ets in rounds):.2f}")
    print(f"import_cpu_seconds: {import_seconds():.2f}")


if __name__ == "__main__":
    main()
