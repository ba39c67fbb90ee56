"""What the forecasting finds of the demo's planted truth: promotions, seasons, stock-outs, the dying product, living items.

    python benchmarks/planted_forecast.py            # seeds 1 to 50
    python benchmarks/planted_forecast.py --quick    # seeds 1 to 8, at most 4 minutes on two cores

Only demand and stock of the small book are drawn, no file is written and nothing rendered. The methods were developed on seeds
101 to 120; seeds 1 to 50 only judge. The last lines are `name: value`:

promotion_coverage       share of the groups' reports whose 95 % interval of the net lift holds the planted one (bar .90 to .98)
promotion_width_ratio    mean width of these intervals over the oracle's, which knows the true demand, its usual mean in the
                         promoted and the two following weeks, and its variance: ± 1.96 standard deviations (bar 1.5)
season_found             share of the seasonal categories in which a season is used (every one is planted)
season_false             share of the flat categories in which one is used (bar .05)
censoring_change         mean over seeds of |forecast with stock-outs / forecast of the same demand without − 1|, the total
                         of the book over 13 weeks (bar .02)
dying_periods_median     weeks without demand after which a series of the dying product is dead, so its forecast zero (bar 8)
living_called_dead       share of the living intermittent and lumpy series called dead at any weekly look in a year (bar .01)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.demo import layout as lay
from cmi_analysis.demo import masters, stocks
from cmi_analysis.demo.book import Frame, set_frame
from cmi_analysis.demo.demand import Series, draw_series
from cmi_analysis.demo.simulation import simulate
from cmi_analysis.demo.terms import draw_terms
from cmi_analysis.forecasting.demand import demand_panel
from cmi_analysis.forecasting.grid import panel_grid
from cmi_analysis.forecasting.life_cycle import classify_life_cycle
from cmi_analysis.forecasting.pipeline import forecast_panel
from cmi_analysis.forecasting.promotion_lift import score_promotions
from cmi_analysis.forecasting.seasons import index_matrix, season_of, seasonal_indices

SEEDS, QUICK_SEEDS = range(1, 51), range(1, 9)
YEAR, HORIZON, FOLDS = 52, 13, 2
AS_OF = pd.Timestamp(lay.END).date()
Figures = dict[str, Any]


@dataclass(frozen=True)
class Book:
    """The demand of one small book as reported (`panel`) and without any stock-out (`free`), beside its truth by series.

    `truth` has one row a series in the order of `panel_grid`: group, category, kind, chance, size, cv2; `rate`, `factor`
    (promotion and dip) and `promoted` are series × weeks.
    """

    frame: Frame
    panel: pd.DataFrame
    free: pd.DataFrame
    truth: pd.DataFrame
    rate: np.ndarray
    factor: np.ndarray
    promoted: np.ndarray

    @property
    def categories(self) -> pd.Series:
        """Category by product."""
        layout = self.frame.layout
        return pd.Series({name: layout.category(number) for number, name in enumerate(layout.product_ids)})

    def group(self, panel: pd.DataFrame, number: int) -> pd.DataFrame:
        """Return the rows of one customer group."""
        return panel[panel["customer_id"].isin(self.frame.layout.customer_ids(number))]


def draw_book(seed: int) -> Book:
    """Draw demand and stock of the small book and the panels that follow from them."""
    frame = set_frame(size="small", seed=seed)
    layout, tables, truths = frame.layout, [], []
    for pool in range(layout.size.warehouses):
        groups = [group for group, house in enumerate(layout.warehouse_of_group) if house == pool]
        series = draw_series(layout, frame.products, frame.promotions, groups)
        terms = draw_terms(layout, frame.products, series)
        record = simulate(layout=layout, pool=pool, series=series, terms=terms, suppliers=frame.suppliers)
        sales = stocks.sales_table(layout, frame.products, series, record, frame.promotions)
        wanted = stocks.demand_truth(layout, series, record)["demand"].to_numpy()
        agreed = masters.assortment_table(layout, frame.products, series, terms)
        tables.append((sales, sales.assign(quantity=wanted, in_stock=1.0), stocks.stock_table(layout, series, record), agreed))
        truths.append(series)
    sales, free, stock, agreed = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    panel = demand_panel(sales, as_of=AS_OF, stock=stock, assortment=agreed)
    return Book(frame, panel, demand_panel(free, as_of=AS_OF, assortment=agreed), *_truth(frame, truths, panel))


def _truth(frame: Frame, parts: list[Series], panel: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    layout = frame.layout
    rows = [
        pd.DataFrame(
            {
                "customer_id": np.array(part.customer_ids, dtype=object)[part.customer],
                "product_id": np.array(layout.product_ids, dtype=object)[part.product],
                "category": [layout.category(product) for product in part.product],
            }
            | {name: getattr(part, name) for name in ("group", "product", "kind", "chance", "demand_size", "size_cv2")}
        )
        for part in parts
    ]
    truth = pd.concat(rows, ignore_index=True)
    order = pd.MultiIndex.from_frame(truth[["customer_id", "product_id"]])
    place = order.get_indexer(pd.MultiIndex.from_frame(panel_grid(panel).series))
    truth = truth.iloc[place].reset_index(drop=True)
    rate, promoted = (np.concatenate([getattr(part, name) for part in parts])[place] for name in ("rate", "promoted"))
    factor = np.ones(rate.shape)
    for row in frame.promotions.itertuples():
        hit = (truth["product"] == row.product) & ((row.group < 0) | (truth["group"] == row.group))
        last = row.week + row.weeks
        factor[hit, row.week : last] *= row.lift
        factor[hit, last : last + 2] *= row.dip
    return truth, rate, factor, promoted


def find_promotions(book: Book) -> Figures:
    """Each group's net lift, its interval, the planted one and the oracle's width."""
    rows = []
    for number in range(book.frame.layout.size.groups):
        own = (book.truth["group"] == number).to_numpy()
        part = book.group(book.panel, number)
        found = score_promotions(part, frequency="week", periods_per_year=YEAR, categories=book.categories)
        net = found.set_index("driver").loc["promotion_net"]
        usual = book.rate[own] / book.factor[own]
        promoted = (usual * book.promoted[own]).sum()
        planted = (usual * (book.factor[own] - 1)).sum() / promoted
        touched = np.where(book.factor[own] == 1, 0.0, _variance(book)[own]).sum()
        rows.append((net["low"], net["high"], planted, 2 * 1.96 * np.sqrt(touched) / promoted))
    low, high, planted, width = np.array(rows, dtype=float).T
    inside = (low <= planted) & (planted <= high)
    return {"net_inside": inside, "net_width": high - low, "oracle_width": width}


def _variance(book: Book) -> np.ndarray:
    """Planted variance of each series and week's demand: a size with a chance, both of which the factors move (demo.demand)."""
    chance, size, cv2 = (book.truth[name].to_numpy()[:, None] for name in ("chance", "demand_size", "size_cv2"))
    regular = (book.truth["kind"] <= 1).to_numpy()[:, None]
    moved = book.rate / (chance * size)
    often = np.where(regular, chance, np.clip(chance * np.sqrt(moved), 1e-12, 1.0))
    return np.asarray(book.rate**2 / often * (1 + cv2) - book.rate**2)


def find_seasons(book: Book) -> Figures:
    """In which categories a season is used, over all customers."""
    marked = book.panel.assign(category=book.panel["product_id"].map(book.categories))
    indices = seasonal_indices(marked, origins=[marked["period"].max()], frequency="week", least_customers=5)
    used = indices[indices["category"] != ""].groupby("category")["used"].any()
    planted = [name for name, (amplitude, _) in lay.SEASON.items() if amplitude > 0]
    flat = [name for name in lay.SEASON if name not in planted]
    return {"season_used": used[planted].to_numpy(), "season_flat_used": used[flat].to_numpy()}


def find_censoring(book: Book) -> Figures:
    """The book's total forecast from sales cut by stock-outs against that from the same demand without any."""
    more = {"horizon": HORIZON, "frequency": "week", "folds": FOLDS, "categories": book.categories}
    cut, free = (forecast_panel(panel, **more).forecasts["mean"].sum() for panel in (book.panel, book.free))
    truth = book.free["demand"].sum()
    return {
        "change": cut / free - 1,
        "sales": book.panel["quantity"].sum() / truth - 1,
        "imputed": book.panel["demand"].sum() / truth - 1,
    }


def find_deaths(book: Book) -> Figures:
    """Weekly looks at each group over the last two years: when the dying series are dead, and which living ones are called so."""
    layout, grid = book.frame.layout, panel_grid(book.panel)
    quantity, in_stock = grid.matrix(book.panel, "quantity"), grid.matrix(book.panel, "in_stock")
    seasons = _known_seasons(book, grid.periods)
    customer, product = (book.truth[name].to_numpy() for name in ("customer_id", "product"))
    ended, first_year = lay.FADE_WEEKS[1], lay.WEEKS - 2 * YEAR
    dead = np.zeros((len(quantity), lay.WEEKS), dtype=bool)
    for number in range(layout.size.groups):
        own = np.flatnonzero(book.truth["group"] == number)
        kin = (product[own], customer[own])
        for now in range(first_year, lay.WEEKS):
            known = (quantity[own, : now + 1], in_stock[own, : now + 1], seasons[now >= first_year + YEAR][own, : now + 1])
            state = classify_life_cycle(known[0], in_stock=known[1], periods_per_year=YEAR, season=known[2], kin=kin)
            dead[own, now] = state == "dead"
    left = customer == layout.roles["leaving"]
    dying = (product == layout.ending_product) & ~left
    after = dead[dying, ended:]
    periods = np.where(after.any(axis=1), after.argmax(axis=1) + 1, after.shape[1] + 1)
    living = ~left & ~np.isin(product, [layout.ending_product, layout.new_product]) & (book.truth["kind"] >= 2).to_numpy()
    years = dead[living][:, first_year:].reshape(living.sum(), 2, YEAR).any(axis=2)
    return {"dying_periods": periods, "called_dead": years.ravel()}


def _known_seasons(book: Book, periods: pd.DatetimeIndex) -> list[np.ndarray]:
    """Seasonal index of each series and week as known before the first and before the second year of looks."""
    marked = book.panel.assign(category=book.panel["product_id"].map(book.categories))
    months = season_of(periods, frequency="week")
    known = []
    for origin in (periods[lay.WEEKS - 2 * YEAR], periods[lay.WEEKS - YEAR]):
        indices = seasonal_indices(marked, origins=[origin], frequency="week", least_customers=5)
        known.append(index_matrix(indices, categories=book.truth["category"], seasons=months, origin=origin))
    return known


def find_all(seed: int) -> Figures:
    """Return the figures of one seed."""
    book = draw_book(seed)
    return {"seed": seed} | find_promotions(book) | find_seasons(book) | find_censoring(book) | find_deaths(book)


def summarise(seeds: Iterable[Figures]) -> dict[str, float]:
    """Return the figures with a bar over all seeds."""
    every = list(seeds)
    pooled = {name: np.concatenate([np.atleast_1d(seed[name]) for seed in every]) for name in every[0]}
    return {
        "promotion_coverage": float(pooled["net_inside"].mean()),
        "promotion_width_ratio": float(pooled["net_width"].mean() / pooled["oracle_width"].mean()),
        "season_found": float(pooled["season_used"].mean()),
        "season_false": float(pooled["season_flat_used"].mean()),
        "censoring_change": float(np.abs(pooled["change"]).mean()),
        "dying_periods_median": float(np.median(pooled["dying_periods"])),
        "living_called_dead": float(pooled["called_dead"].mean()),
    }


def describe(seeds: Iterable[Figures]) -> list[str]:
    """Return what stands behind the figures, one line each."""
    every = list(seeds)
    pooled = {name: np.concatenate([np.atleast_1d(seed[name]) for seed in every]) for name in every[0]}
    change, periods, called = pooled["change"], pooled["dying_periods"], pooled["called_dead"]
    return [
        f"seeds: {len(every)}; groups: {len(pooled['net_inside'])}; series-years of living rare items: {len(called)}",
        f"median of the intervals' widths over the oracle's: {np.median(pooled['net_width'] / pooled['oracle_width']):.2f}",
        f"forecast with against without stock-outs, by seed: mean {change.mean():+.4f}, largest {np.abs(change).max():.4f}, "
        f"beyond 2 % in {(np.abs(change) > 0.02).sum()} seeds",
        f"past totals against true demand: sales {pooled['sales'].mean():+.4f}, imputed {pooled['imputed'].mean():+.4f}",
        f"dying series at zero within 8 weeks: {(periods <= 8).mean():.3f} of {len(periods)}; not at the end of the data: "
        f"{(periods > lay.WEEKS - lay.FADE_WEEKS[1]).sum()}",
        f"living series called dead: {called.sum()}",
    ]


def main() -> int:
    """Measure the seeds in two processes and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{len(QUICK_SEEDS)} seeds instead of {len(SEEDS)}")
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FIRST", "LAST"), help="other seeds, to develop on")
    options = parser.parse_args()
    seeds = QUICK_SEEDS if options.quick else SEEDS
    seeds = range(options.seeds[0], options.seeds[1] + 1) if options.seeds else seeds
    with ProcessPoolExecutor(max_workers=2) as pool:
        figures = list(pool.map(find_all, seeds))
    for line in describe(figures):
        print(line)
    for name, value in summarise(figures).items():
        print(f"{name}: {value:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
