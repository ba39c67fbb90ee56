"""Replay of 2018 on `usaid_lmis`: the receipts that there were, shared by need, against what happened; and full supply.

Each month of 2018 each product's receipts of all sites together are shared anew by what was known when the month began: the mean
use of the last twelve months, and the spread of its errors measured on 2016 and 2017. Fixed beforehand: cover of two months
(L + R), 95 % for the line of full supply, five demand paths. They were chosen on a replay of 2017; 2018 was run once with them.
Only site × products with stock, receipt or use in 2018 are carried.

    python benchmarks/lmis_replay.py            # about a minute
    python benchmarks/lmis_replay.py --quick    # two demand paths

Then a back-test of the same order-up-to levels (95 % over two months, set each quarter of 2018 by reports before it, one month of
lead time) on each site's own history: supply unlimited, and no more than was received.

Prints lines `name: value`. `stockout_share`: share of the reported item-months that ended empty; `stock_months`: mean stock at
the end of a month over mean monthly use; `issued`: units handed out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "usaid_lmis"
NAMES = {"actual": "actual", "shared": "reallocated", "full": "full_supply"}


def backtest(history, *, first: int, paths: int) -> None:
    """Print what the levels would have had on each site's own history, as a range over the demand paths and an interval."""
    import numpy as np

    from cmi_analysis.inventory.backtest import backtest_policy
    from cmi_analysis.inventory.policy_rules import set_rules
    from cmi_analysis.inventory.replay import cover_level, fit_spread, impute_use, mean_use, spread_of
    from cmi_analysis.inventory.stock_history import live_items

    one, two = (fit_spread(history.until(first), first=3, last=first, length=length) for length in (1, 2))
    carried = history.keep(live_items(history, first=first))

    def policy_at(origin: int, known):
        level = cover_level(2 * mean_use(known), spread=spread_of(known, two), service=0.95)
        return set_rules("R_S", order_up_to_level=level)

    demand = impute_use(carried, spread=one, paths=paths, seed=1)
    origins = [int(origin) for origin in np.arange(first - 3, first + 12, 3)]
    result = backtest_policy(carried, policy_at=policy_at, origins=origins, demand_paths=demand, lead_time=1)
    for row in result.summary.to_dict("records"):
        name = f"lmis_backtest_{row['measure']}_{row['supply']}"
        print(f"{name}_actual: {row['actual']:.4f}")
        print(f"{name}_policy: {row['policy']:.4f}")
        print(f"{name}_policy_range: {row['policy_low']:.4f} to {row['policy_high']:.4f}")
        print(f"{name}_difference_interval: {row['interval_low']:+.4f} to {row['interval_high']:+.4f}")
    print("lmis_backtest_items: " + ", ".join(f"{name} {count}" for name, count in result.states["state"].value_counts().items()))


def main() -> None:
    """Replay and print."""
    from cmi_analysis.inventory.replay import replay_lines
    from cmi_analysis.inventory.stock_history import lay_out_history
    from cmi_analysis.tables.reading import read_tables

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two demand paths instead of five")
    parser.add_argument("--year", type=int, default=2018, help="another year: later reports are then left out")
    options = parser.parse_args()
    if not DATA.exists():
        print("missing: no folder shared/data/usaid_lmis beside the project")
        return
    stock = read_tables(DATA, mapping=ROOT / "params" / "mappings" / "usaid_lmis.yml").dataset["stock"]
    history = lay_out_history(stock[stock["date"].dt.year <= options.year])
    first = int((history.periods.year < options.year).sum())
    lines = replay_lines(history, first=first, paths=2 if options.quick else 5)
    for row in lines.to_dict("records"):
        name = NAMES[row["line"]]
        print(f"lmis_stockout_share_{name}: {row['stockout_share']:.4f}")
        if row["line"] != "actual":
            print(f"lmis_stockout_share_{name}_range: {row['stockout_low']:.4f} to {row['stockout_high']:.4f}")
        print(f"lmis_stock_months_{name}: {row['stock_months']:.2f}")
        print(f"lmis_issued_{name}: {row['issued']:.0f}")
        print(f"lmis_fill_of_imputed_demand_{name}: {row['fill']:.3f}")
    backtest(history, first=first, paths=2 if options.quick else 5)
    print(f"lmis_items: {lines['items'].iloc[0]:.0f}")
    print(f"lmis_item_months: {lines['item_periods'].iloc[0]:.0f}")


if __name__ == "__main__":
    main()
