"""Is the promised service kept? Items of the demo, planned from a sample of its generator, held against the generator itself.

    python benchmarks/planted_service.py            # seeds 1 to 6, 4·10⁶ days a class
    python benchmarks/planted_service.py --quick    # seed 1, 10⁶ days a class, at most 4 minutes on two cores

Truth: all customer × product series of the small book. A week has demand with the planted chance, of a gamma size in whole
units of at least one; lead times are the customer's own, from order to delivery, in weeks. Each item is planned from 52 or 104
weeks drawn from that, for every target of the demo (contracts, strategy, default), and what its level keeps is computed exactly
on the truth.
Season: levels that follow the generator's own index, planned from weeks 1 to 104, simulated on weeks 105 to 156 drawn anew.
Arithmetic: the same items day by day, lead times in days, the plan's policies, promised against simulated on one distribution.
The last lines are `name: value`, fractions:

truth_gap_largest          largest |kept − promised| over measures, targets and weeks of history, pooled over the items (bar .01)
truth_gap_each_seed        the same, the largest of any single seed
truth_inside_least         smallest share of items inside their stated interval over measures, targets and weeks (bar .90)
season_gap_largest         as the first, with season, growth and promotions known (no bar: the reports' forecast must find these)
arithmetic_gap_backorders  largest |simulated − promised| over demand classes, targets, lead times and policies (bar .002)
arithmetic_gap_lost        the same with lost sales, exact chain against simulation (bar .002)
arithmetic_gap_lost_plan   the same for the level and the promise that the plan simulates (bar .002)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import planted_policies
import scipy

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo import make_demo
from cmi_analysis.demo.book import set_frame
from cmi_analysis.demo.demand import _sizes, draw_series
from cmi_analysis.inventory.demand_posterior import fit_demand_posterior
from cmi_analysis.inventory.lead_time_demand import spread_lead_times
from cmi_analysis.inventory.parameter_uncertainty import predict_lead_time_demand, score_promise
from cmi_analysis.inventory.policy import fit_level

SEEDS, QUICK_SEEDS = range(1, 7), range(1, 2)
WEEKS = (52, 104)
SHELF = (0.85, 0.88, 0.90, 0.92, 0.93, 0.95, 0.96, 0.97, 0.98)
"""Contracts of the shelf and of order fill, the strategy's rules, and the parameter's default."""
CYCLE = (0.90, 0.95, 0.98)
YEAR = 52
DAYS = 4_000_000
"""Simulated days of each demand class."""


@dataclass(frozen=True)
class Items:
    """The truth of every series of one small book.

    `table` has customer_id, product_id, kind (place in `layout.CLASSES`), chance, size, square (cv² of the size), pack,
    review_days; `times` and `chances` are lead times in weeks, `days` and `day_chances` in days, items × points; `rate` and
    `quantity` are expected and true demand, items × weeks.
    """

    table: pd.DataFrame
    times: np.ndarray
    chances: np.ndarray
    days: np.ndarray
    day_chances: np.ndarray
    rate: np.ndarray
    quantity: np.ndarray

    def weekly(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of an item's demand in a week, without the rounding of sizes [units, units²]."""
        chance, size, square = (self.table[name].to_numpy() for name in ("chance", "size", "square"))
        return chance * size, chance * size**2 * (1 + square) - (chance * size) ** 2


def draw_items(seed: int) -> Items:
    """Draw one small book and read its truth, and its lead times from its own orders."""
    frame = set_frame(size="small", seed=seed)
    layout, house = frame.layout, frame.layout.warehouse_of_group
    tables = make_demo(size="small", seed=seed).tables
    parts, rates, quantities = [], [], []
    for pool in range(layout.size.warehouses):
        groups = [group for group, where in enumerate(house) if where == pool]
        series = draw_series(layout, frame.products, frame.promotions, groups)
        of = {"customer_id": np.array(series.customer_ids)[series.customer], "kind": series.kind, "chance": series.chance}
        of |= {"product_id": np.array(layout.product_ids)[series.product], "size": series.demand_size, "square": series.size_cv2}
        parts.append(pd.DataFrame(of))
        rates.append(series.rate)
        quantities.append(series.quantity)
    table = pd.concat(parts, ignore_index=True)
    agreed = tables["assortment"].drop_duplicates(["customer_id", "product_id"], keep="last")
    agreed = table.merge(agreed, on=["customer_id", "product_id"], how="left", validate="one_to_one")
    table["pack"], table["review_days"] = agreed["order_multiple"].to_numpy(), agreed["review_period_days"].to_numpy()
    seen = _lead_times(tables["orders"])
    rows = table[["customer_id", "product_id"]].merge(seen, on="customer_id")
    by_week = rows.assign(days=np.ceil(rows["days"] / 7.0)).groupby(["customer_id", "product_id", "days"], sort=True)
    times, chances = spread_lead_times(by_week["probability"].sum().reset_index(), items=table)
    days, day_chances = spread_lead_times(rows, items=table)
    return Items(table, times, chances, days, day_chances, np.concatenate(rates), np.concatenate(quantities))


def _lead_times(orders: pd.DataFrame) -> pd.DataFrame:
    """Return customer_id, days, probability of the delivered order lines."""
    done = orders[orders["delivered_on"].notna()]
    days = (done["delivered_on"] - done["ordered_on"]).dt.days.clip(lower=1)
    counts = days.groupby([done["customer_id"], days.rename("days")], sort=True).size()
    return (counts / counts.groupby(level=0).transform("sum")).rename("probability").reset_index()


def draw_history(items: Items, *, weeks: int, seed: int) -> np.ndarray:
    """Draw weeks of stationary demand of every item by the demo's own function, from a stream of its own [units]."""
    random = np.random.default_rng([seed, weeks, 4])
    chance, size, square = (items.table[name].to_numpy() for name in ("chance", "size", "square"))
    drawn = _sizes(random, np.repeat(size[:, None], weeks, axis=1), square)
    return drawn * (random.random(drawn.shape) < chance[:, None])


def true_demand(items: Items, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact distribution of one item's demand over L + R and over L, R of one week."""
    chance, size, square = items.table.loc[row, ["chance", "size", "square"]].astype("float64")
    longest = items.times[row].max() + 1
    mean, variance = chance * size * longest, chance * size**2 * (1 + square) * longest
    far = max(scipy.special.gammainccinv(mean**2 / variance, 1e-10) * variance / mean, mean + 9 * np.sqrt(variance))
    far = max(far, scipy.special.gammainccinv(1 / square, 1e-11) * size * square * 1.2)
    points = int(2 ** np.ceil(np.log2(far + 64)))
    below = scipy.special.gammainc(1 / square, (np.arange(points) + 0.5) / (size * square))
    pmf = np.diff(below, prepend=0.0) * chance
    pmf[1], pmf[0] = pmf[1] + pmf[0], 0.0
    pmf[0] = 1 - pmf.sum()
    wave = np.fft.rfft(pmf, 2 * points)
    over, lead = (
        sum(share * wave ** (time + more) for time, share in zip(items.times[row], items.chances[row], strict=True) if share > 0)
        for more in (1, 0)
    )
    return tuple(np.maximum(np.fft.irfft(part, 2 * points), 0.0)[:points] for part in (over, lead))  # type: ignore[return-value]


def kept_service(items: Items, stocks: np.ndarray, measures: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the true service of items × levels, exactly, and the true weekly demand of each item."""
    service, demand = np.zeros(stocks.shape), np.zeros(len(stocks))
    for row in range(len(stocks)):
        over, lead = true_demand(items, row)
        units = np.arange(len(over))
        demand[row] = (over - lead) @ units
        for place, measure in enumerate(measures):
            level = stocks[row, place]
            if measure == "cycle_service":
                service[row, place] = over[: int(level) + 1].sum()
            else:
                service[row, place] = 1 - (over - lead) @ np.maximum(units - level, 0.0) / demand[row]
    return service, demand


def score_truth(items: Items, *, weeks: int, seed: int, aims: list[tuple[str, float]]) -> pd.DataFrame:
    """Return what was promised and what is kept, one row an item and aim (measure, target)."""
    posterior = fit_demand_posterior(draw_history(items, weeks=weeks, seed=seed))
    terms = {"times": items.times, "chances": items.chances, "review": 1}
    over, lead = predict_lead_time_demand(posterior, **terms)
    each = len(items.table)
    stocks = [fit_level(np.full(each, target), protection=over, lead=lead, measure=measure) for measure, target in aims]
    service, demand = kept_service(items, np.stack(stocks, axis=1), [measure for measure, _ in aims])
    parts = []
    for place, (measure, target) in enumerate(aims):
        row = score_promise(posterior, stock=stocks[place], measure=measure, **terms).rename(columns={"demand": "planned"})
        row = row.assign(kind=items.table["kind"], kept=service[:, place], demand=demand, measure=measure, target=target)
        parts.append(row)
    rows = pd.concat(parts, ignore_index=True).assign(weeks=weeks, seed=seed)
    return rows.assign(inside=rows["kept"].between(rows["low"] - 1e-9, rows["high"] + 1e-9))


def pool(rows: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """Return promised, kept, gap and the share inside by group; shelf fill weighted by demand, cycle service by item."""
    cycle = rows["measure"] == "cycle_service"
    planned, demand = rows["planned"].where(~cycle, 1.0), rows["demand"].where(~cycle, 1.0)
    sums = rows[by].assign(a=rows["promised"] * planned, b=planned, c=rows["kept"] * demand, d=demand, inside=rows["inside"])
    found = sums.groupby(by, sort=True).agg({"a": "sum", "b": "sum", "c": "sum", "d": "sum", "inside": "mean"})
    table = pd.DataFrame({"promised": found["a"] / found["b"], "kept": found["c"] / found["d"], "inside": found["inside"]})
    return table.assign(gap=table["kept"] - table["promised"]).reset_index()


def score_season(items: Items, *, seed: int, targets: Iterable[float], runs: int = 100) -> pd.DataFrame:
    """Return the same with the generator's season, growth, market and promotions as a known index; items always in use."""
    history, future = slice(0, lay.WEEKS - YEAR), slice(lay.WEEKS - YEAR, lay.WEEKS)
    used = np.flatnonzero((items.rate > 0).all(axis=1))
    rate, table = items.rate[used], items.table.iloc[used].reset_index(drop=True)
    index = rate / rate[:, history].mean(axis=1, keepdims=True)
    posterior = fit_demand_posterior(items.quantity[used][:, history] / index[:, history])
    terms = {"times": items.times[used], "chances": items.chances[used], "review": 1}
    over, lead = predict_lead_time_demand(posterior, **terms)
    random, base = np.random.default_rng([seed, 9]), (table["chance"] * table["size"]).to_numpy()[:, None]
    factor, regular = rate[:, future] / base, (table["kind"] <= 1).to_numpy()[:, None]
    share = np.where(regular, 1.0, np.sqrt(factor))
    draw = partial(_draw_future, random, table, mean=np.where(regular, factor, share), share=share)
    demand = np.stack([draw() for _ in range(runs)], axis=2)
    parts = []
    for target in targets:
        stock = fit_level(np.full(len(used), target), protection=over, lead=lead)
        row = score_promise(posterior, stock=stock, **terms).rename(columns={"demand": "planned"})
        filled = _follow(demand, stock, index[:, future], terms["times"], terms["chances"], np.random.default_rng([seed, 10]))
        wanted = demand.sum(axis=(1, 2))
        row = row.assign(kind=table["kind"], kept=filled / wanted, demand=wanted, measure="shelf_fill", target=target, seed=seed)
        parts.append(row.assign(planned=row["planned"] * index[:, future].mean(axis=1)))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(inside=rows["kept"].between(rows["low"], rows["high"]))


def _draw_future(random: np.random.Generator, table: pd.DataFrame, *, mean: np.ndarray, share: np.ndarray) -> np.ndarray:
    size = _sizes(random, table["size"].to_numpy()[:, None] * mean, table["square"].to_numpy())
    return size * (random.random(size.shape) < np.clip(table["chance"].to_numpy()[:, None] * share, 0.0, 1.0))


def _follow(
    demand: np.ndarray, stock: np.ndarray, index: np.ndarray, times: np.ndarray, chances: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Return what is met from the shelf in the weeks, by item: each week up to the level × the index of the weeks it protects.

    The year is lived twice, the first time as warm-up. A run keeps its lead time, so that no order overtakes another.
    """
    items, weeks, runs = demand.shape
    mean_time = (times * chances).sum(axis=1) + 1
    ahead = np.concatenate([np.zeros((items, 1)), np.tile(index, (1, 3)).cumsum(axis=1)], axis=1)
    net = np.repeat(stock[:, None], runs, axis=1)
    position, due, met = net.copy(), np.zeros((int(times.max()) + 2, items, runs)), np.zeros(items)
    limits = chances.cumsum(axis=1)
    at, run = np.meshgrid(np.arange(items), np.arange(runs), indexing="ij")
    lead = times[at, (random.random((items, runs))[:, :, None] > limits[:, None, :-1]).sum(axis=2)].astype("int64")
    for week in range(2 * weeks):
        slot = week % len(due)
        net, wanted = net + due[slot], demand[:, week % weeks]
        due[slot] = 0.0
        met += np.minimum(wanted, np.maximum(net, 0.0)).sum(axis=1) * (week >= weeks)
        net, position = net - wanted, position - wanted
        end = week + 1 + mean_time
        low = np.floor(end).astype("int64")
        rows = np.arange(items)
        upto = ahead[rows, low] + (end - low) * (ahead[rows, low + 1] - ahead[rows, low])
        level = np.ceil(stock * (upto - ahead[:, week + 1]) / mean_time - 1e-9)[:, None]
        order = np.maximum(level - position, 0.0)
        due[(week + 1 + lead) % len(due), at, run] += order
        position = position + order
    return met


def score_seed(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the truth and those with season, of one seed."""
    items = draw_items(seed)
    aims = [("shelf_fill", target) for target in SHELF] + [("cycle_service", target) for target in CYCLE]
    truth = pd.concat([score_truth(items, weeks=weeks, seed=seed, aims=aims) for weeks in WEEKS], ignore_index=True)
    return truth, score_season(items, seed=seed, targets=(0.85, 0.95, 0.98))


def set_days(items: Items, *, fixed: bool) -> planted_policies.Days:
    """Return the items day by day, with the customer's most frequent lead time as the agreed one."""
    agreed = items.days[np.arange(len(items.table)), items.day_chances.argmax(axis=1)]
    return planted_policies.set_days(items.table, *items.weekly(), agreed=agreed, fixed=fixed)


def score_arithmetic(case: tuple[bool, bool, int]) -> pd.DataFrame:
    """Return promised against simulated of the first seed's items: lead times fixed or not, batches or not, days a class."""
    fixed, batched, periods = case
    items, few = set_days(draw_items(1), fixed=fixed), (0.85, 0.95, 0.98)
    policies = planted_policies.fit_days(items, targets=SHELF, batched=batched)
    plain = planted_policies.compare(items, policies, SHELF, periods=periods, seed=3)
    some = [policies[SHELF.index(target)] for target in few]
    chain = planted_policies.compare_chain(items, some, few, periods=periods, seed=5)
    lowered = planted_policies.lower_days(items, some[1:2], few[1:2], seed=6)
    plan = planted_policies.compare(items, lowered, few[1:2], periods=periods, seed=7, lost_sales=True)
    tables = {"backorders": plain, "lost": chain, "lost_plan": plan}
    rows = pd.concat([table.assign(stock_outs=name) for name, table in tables.items()], ignore_index=True)
    return rows.assign(lead="fixed" if fixed else "random", policy="batches" if batched else "levels")


def summarise(truth: pd.DataFrame, season: pd.DataFrame, arithmetic: pd.DataFrame) -> dict[str, float]:
    """Return the figures with a bar."""
    by = ["measure", "target", "weeks"]
    pooled, seeds = pool(truth, by=by), pool(truth, by=[*by, "seed"])
    widest = arithmetic["gap"].abs().groupby(arithmetic["stock_outs"]).max()
    return {
        "truth_gap_largest": float(pooled["gap"].abs().max()),
        "truth_gap_each_seed": float(seeds["gap"].abs().max()),
        "truth_inside_least": float(pooled["inside"].min()),
        "season_gap_largest": float(pool(season, by=["target"])["gap"].abs().max()),
        **{f"arithmetic_gap_{name}": float(widest[name]) for name in ("backorders", "lost", "lost_plan")},
    }


def describe(truth: pd.DataFrame, season: pd.DataFrame, arithmetic: pd.DataFrame) -> list[str]:
    """Return the tables behind the figures as text."""
    by = ["measure", "weeks", "target"]
    classes = pool(truth, by=["measure", "weeks", "kind", "target"])
    classes = classes.pivot_table(index=["measure", "weeks", "target"], columns="kind", values=["gap", "inside"])
    shown = arithmetic.pivot_table(index=["stock_outs", "lead", "policy", "target"], columns="kind", values=["gap", "error"])
    tables = {
        "pooled over the items": pool(truth, by=by),
        f"by class ({', '.join(lay.CLASSES)})": classes,
        "with season, growth and promotions known": pool(season, by=["target"]),
        "the same by class": pool(season, by=["target", "kind"]),
        "arithmetic: simulated less promised, and its standard error": shown,
    }
    return [f"{name}\n{table.to_string(float_format=lambda value: f'{value:.4f}')}\n" for name, table in tables.items()]


def main() -> int:
    """Measure in two processes and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{len(QUICK_SEEDS)} seed and a quarter of the days")
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FIRST", "LAST"), help="other seeds for the truth")
    options = parser.parse_args()
    seeds = QUICK_SEEDS if options.quick else SEEDS
    seeds = range(options.seeds[0], options.seeds[1] + 1) if options.seeds else seeds
    cases = [(fixed, batched, DAYS // 4 if options.quick else DAYS) for fixed in (True, False) for batched in (False, True)]
    with ProcessPoolExecutor(max_workers=2) as workers:
        asked = workers.map(score_seed, seeds), workers.map(score_arithmetic, cases)
        truths, seasons = zip(*asked[0], strict=True)
        arithmetic = pd.concat(list(asked[1]), ignore_index=True)
    found = pd.concat(truths, ignore_index=True), pd.concat(seasons, ignore_index=True), arithmetic
    for line in describe(*found):
        print(line)
    for name, value in summarise(*found).items():
        print(f"{name}: {value:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
