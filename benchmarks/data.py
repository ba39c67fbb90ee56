"""The large demo book (200 groups, some 20 million order lines) written and ingested in bounded memory.

Each step runs in a process of its own. Prints `groups:`, `rows:` (order lines and all rows), for each step `seconds:`,
`cpu_seconds:` (what other work on the machine does not change much) and `peak_mb:` (largest resident memory), and at last the
larger `peak_mb:`; exits 1 where it is above 2,048 MB.

    python benchmarks/data.py            # the whole book: some 86 million rows in all tables, 3 GB of disk
    python benchmarks/data.py --quick    # 8 of its groups with the same customers, products and weeks; at most 4 minutes
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MB = 2048
QUICK_GROUPS = 8


def write(folder: Path, *, quick: bool) -> None:
    """Write the book as Parquet parts."""
    from dataclasses import replace

    from cmi_analysis.demo import write_demo
    from cmi_analysis.demo.layout import SIZES

    size = replace(SIZES["large"], groups=QUICK_GROUPS, warehouses=QUICK_GROUPS) if quick else "large"
    write_demo(folder, size=size, seed=1, parts=True)


def read(folder: Path, state: Path, *, quick: bool) -> None:
    """Ingest the book; a quick one is small enough for memory, so its tables are made to go the way of the large one's."""
    from cmi_analysis.demo.layout import SIZES
    from cmi_analysis.tables.ingest import LARGE_ROWS, ingest

    large_rows = LARGE_ROWS * QUICK_GROUPS // SIZES["large"].groups if quick else LARGE_ROWS
    catalogue = ingest(folder, state=state, memory_limit="1GB", large_rows=large_rows)
    rows = {table: catalogue.rows(table) for table in catalogue.tables()}
    aside = sum(count for groups in catalogue.rows_set_aside.values() for count in groups.values())
    print(f"groups: {len(catalogue.groups())}")
    print(f"rows: orders {rows.get('orders', 0)}, all tables {sum(rows.values())}, set aside {aside}")


def main() -> int:
    """Run both steps and print their cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="8 groups instead of 200")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder if absent")
    parser.add_argument("--step", choices=("write", "read"), help="run one step in this process")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as space:
        folder = options.folder or Path(space)
        if options.step == "write":
            write(folder / "data", quick=options.quick)
        elif options.step == "read":
            read(folder / "data", folder / "state", quick=options.quick)
        else:
            return _both(folder, quick=options.quick)
    return 0


def _both(folder: Path, *, quick: bool) -> int:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    peak = 0.0
    for step in ("write", "read"):
        command = [sys.executable, __file__, "--step", step, "--folder", str(folder), *(["--quick"] if quick else [])]
        started = time.perf_counter()
        process = subprocess.Popen(command, env=os.environ | one_thread)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            return process.returncode
        print(f"seconds: {step} {time.perf_counter() - started:.1f}")
        print(f"cpu_seconds: {step} {usage.ru_utime + usage.ru_stime:.1f}")
        print(f"peak_mb: {step} {usage.ru_maxrss / 1024:.0f}", flush=True)
        peak = max(peak, usage.ru_maxrss / 1024)
    print(f"peak_mb: {peak:.0f}")
    return 0 if peak <= LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
