"""What each function must find of the planted truth over the seeds, and how often it may be wrong.

`PYTHONPATH=tests python tests/planted/claims.py` measures seeds 1 to 20 anew and writes the table into `docs/planted_truth.md`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEEDS = range(1, 21)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "planted_truth.md"
MARKS = ("<!-- table: begin -->\n", "<!-- table: end -->\n")

Seed = dict[str, Any]
Count = Callable[[Seed], float]


@dataclass(frozen=True)
class Claim:
    """One planted thing, the function that finds it, and the bounds set before seeds 1 to 20 were looked at.

    Attributes
    ----------
    planted, function : str
        What is planted; the public function whose answer counts, and the report that shows it.
    found, chances : callable
        Number found in one seed, and how many there were to be found.
    least : float
        Least share of the chances to be found [fraction].
    false, cases : callable, optional
        Number of false alarms in one seed, and how many times there could have been one.
    most : float
        Largest number of false alarms per case [fraction].
    unit : str
        What a case is.
    """

    planted: str
    function: str
    found: Count
    chances: Count
    least: float
    false: Count | None = None
    cases: Count | None = None
    most: float = 0.0
    unit: str = ""

    def hits(self, seeds: Sequence[Seed]) -> tuple[int, int]:
        """Return how many were found and how many there were."""
        return round(sum(self.found(s) for s in seeds)), round(sum(self.chances(s) for s in seeds))

    def alarms(self, seeds: Sequence[Seed]) -> tuple[int, int]:
        """Return how many false alarms and how many cases there were."""
        if self.false is None or self.cases is None:
            return 0, 0
        return round(sum(self.false(s) for s in seeds)), round(sum(self.cases(s) for s in seeds))

    def missed_in(self, seeds: Sequence[Seed]) -> list[int]:
        """Return the seeds in which something was not found."""
        return [s["seed"] for s in seeds if self.found(s) < self.chances(s)]

    def row(self, seeds: Sequence[Seed]) -> str:
        """Return the line of the table."""
        (found, chances), (false, cases) = self.hits(seeds), self.alarms(seeds)
        rate = f"{false} of {cases:,} {self.unit} ({false / cases:.1%})" if cases else "–"
        return f"| {self.planted} | {self.function} | {found} of {chances} | ≥ {self.least:.0%} | {rate} | {self._most()} |"

    def _most(self) -> str:
        return f"≤ {self.most:.0%}" if self.cases else "–"


def of(name: str) -> Count:
    """Return the figure of that name, truth as 1."""
    return lambda seed: float(seed[name])


def once(_: Seed) -> float:
    """One chance a seed."""
    return 1.0


def holds(test: Callable[[Seed], bool]) -> Count:
    """Return 1 where `test` holds."""
    return lambda seed: float(test(seed))


CLAIMS: dict[str, Claim] = {
    "leaving": Claim(
        "leaving customer, overdue within three of its own intervals of silence",
        "`segmentation.leaving.classify_leaving` (segmentation: who is leaving)",
        holds(lambda s: s["leaving_silence"] <= 3.0), once, 0.95,
        of("leaving_false"), of("leaving_customer_years"), 0.26, "customer-years of others, looked at weekly",
    ),
    "left": Claim(
        "leaving customer, still called overdue on the last day",
        "`segmentation.leaving.classify_leaving`, one look",
        of("leaving_at_end"), once, 0.95,
        of("leaving_false_at_end"), lambda s: 41, 0.05, "other customers",
    ),
    "seasons": Claim(
        "seasonal categories (three)", "`forecasting.seasons.seasonal_indices` by `stages.forecast_book` (forecasting: season)",
        of("seasons_used"), of("seasons_planted"), 0.90, of("seasons_flat_used"), of("seasons_flat"), 0.05, "flat categories",
    ),
    "peaks": Claim(
        "their peak month, within one month", "the same",
        of("seasons_peak"), of("seasons_planted"), 0.85,
    ),
    "called seasonal": Claim(
        "seasonal categories (three), in the segmentation: the same rule",
        "`stages.forecasting.season_book` by `stages.segment_book` (segmentation: behaviour)",
        of("seasons_called"), of("seasons_planted"), 0.90, of("seasons_flat_called"), of("seasons_flat"), 0.05, "flat categories",
    ),
    "promotions": Claim(
        "net promotion lift, interval above 0, over all groups",
        "`forecasting.drivers.score_drivers` (forecasting: drivers)",
        of("promo_all_found"), once, 0.95,
        of("promo_false"), of("promo_groups"), 0.10, "groups, on weeks without promotion",
    ),
    "promotions of a group": Claim(
        "the same in one group's report; planted net lift inside its interval",
        "`forecasting.drivers.score_drivers`",
        of("promo_inside"), of("promo_groups"), 0.90,
    ),
    "late supplier": Claim(
        "late supplier: largest share late", "`stages.plan_inputs.score_supplier_lead_times` (inventory policy: lead times)",
        of("supplier_worst"), once, 0.95, of("supplier_false"), of("supplier_others"), 0.05, "others surely above the average",
    ),
    "biased forecast": Claim(
        "biased customer forecast, named", "`messages.performance_words.surely_biased` on `collaboration_by_customer` (review)",
        of("bias_named"), once, 0.95, of("bias_false"), lambda s: s["bias_groups"] - 1, 0.15, "groups without one",
    ),
    "late data": Claim(
        "customer whose data come late: lowest sharing", "`stages.performance_frames.collaboration_by_customer` (review)",
        of("sharing_worst"), once, 0.95,
    ),
    "batching": Claim(
        "batch-ordering customer: sporadic and rare, large orders", "`segmentation.behaviour.classify_behaviour` (segmentation)",
        holds(lambda s: s["batch_behaviour"] == "sporadic" and s["batch_style"] == "rare_large"), once, 0.90,
        of("batch_false_sporadic"), of("batch_others"), 0.02, "other customers",
    ),
    "overstocked": Claim(
        "overstocked customer: among the two with most days of stock", "`stages.performance_frames.turns_by_customer` (review)",
        holds(lambda s: s["over_rank"] <= 2), once, 0.85,
    ),
    "understocked": Claim(
        "understocked customer: lowest in-stock rate", "`performance.scoring.score_kpis` in_stock_rate",
        holds(lambda s: s["under_rank"] == 1), once, 0.95,
    ),
    "lost demand": Claim(
        "demand lost to stock-outs: total nearer to the truth than sales, all and for the understocked",
        "`forecasting.demand.demand_panel` (forecasting)",
        holds(lambda s: all(abs(s[f"demand_error_{w}"]) < abs(s[f"sales_error_{w}"]) for w in ("all", "under", "series"))),
        once, 0.95,
    ),
    "short supply": Claim(
        "short supply (three products): lowest order fill in June and July 2025", "`performance.scoring.score_kpis` by product",
        of("short_found"), of("short_planted"), 0.80, of("short_false"), lambda s: 22, 0.05, "other products",
    ),
    "returns": Claim(
        "about 7 % returned: rate between 5.5 % and 8.5 %", "`performance.scoring.score_kpis` return_rate (review)",
        holds(lambda s: 0.055 <= s["return_rate"] <= 0.085), once, 0.95,
    ),
    "new product": Claim(
        "new product: launch at each month end of its first half year, from use alone",
        "`segmentation.life_cycle.classify_life_cycle` (segmentation: life cycle)",
        of("life_new"), once, 0.95, of("life_false"), of("life_looks"), 0.01, "looks at other products",
    ),
    "ending product": Claim(
        "ending product: declining as it fades, ending 91 days after", "the same",
        holds(lambda s: s["life_ending"] and s["life_fading"]), once, 0.95,
    ),
    "dead series": Claim(
        "series of the ended product and the left customer, called dead", "`forecasting.life_cycle.classify_life_cycle`",
        of("dead_found"), of("dead_planted"), 0.80, of("dead_false"), of("dead_lives"), 0.02, "series that sold again",
    ),
    "patterns": Claim(
        "demand class, right for 97 % of the series or more",
        "`measures.demand_pattern.classify_demand` by `pattern_frame` (segmentation)",
        holds(lambda s: s["pattern_same"] >= 0.97), once, 0.95,
    ),
    "difference": Claim(
        "the ledger's difference", "`performance.tie_out.check_totals` (review: data)",
        of("tie_found"), once, 1.0, of("tie_false"), of("tie_compared"), 0.0, "other comparisons",
    ),
    "dirty rows": Claim(
        "dirty rows, with file, line and rule", "`tables.reading.read_tables`: rows set aside and issue list",
        of("dirty_found"), of("dirty_planted"), 1.0, of("dirty_false"), of("dirty_clean"), 0.0, "clean rows",
    ),
    "chain": Claim(
        "sites of one account counted once", "`segmentation.value.classify_accounts` by `stages.segment_book`",
        of("chain_right"), once, 1.0,
    ),
}  # fmt: skip


def table(seeds: Sequence[Seed]) -> str:
    """Return the table of the document."""
    head = "| planted | found by | found | set before | false alarms | set before |\n|---|---|---|---|---|---|\n"
    return head + "".join(claim.row(seeds) + "\n" for claim in CLAIMS.values())


def spread(seeds: Sequence[Seed], name: str) -> str:
    """Return lowest, middle and highest value of a figure."""
    values = sorted(float(s[name]) for s in seeds)
    return f"{values[0]:.3f} … {values[len(values) // 2]:.3f} … {values[-1]:.3f}"


def written_table() -> str:
    """Return the table as the document has it."""
    found = re.search("(?s)" + MARKS[0] + "(.*)" + MARKS[1], DOCUMENT.read_text("utf-8"))
    return found.group(1) if found else ""


def main() -> None:
    """Measure all seeds, write the table, print the spread of the other figures."""
    from planted.finding import find_all

    seeds = [find_all(seed) for seed in SEEDS]
    text = DOCUMENT.read_text("utf-8")
    before, rest = text.split(MARKS[0])
    DOCUMENT.write_text(before + MARKS[0] + table(seeds) + MARKS[1] + rest.split(MARKS[1])[1], "utf-8")
    for claim in CLAIMS.values():
        sys.stdout.write(f"{claim.row(seeds)} missed in {claim.missed_in(seeds)}\n")
    for name, value in seeds[0].items():
        if isinstance(value, float | int):
            sys.stdout.write(f"{name}: {spread(seeds, name)}\n")


if __name__ == "__main__":
    main()
