"""Demand added up over several periods, on real data: quantiles from errors of sums, from sample paths, from independent periods.

The cases are those of `forecast_accuracy.py`, every 12th series of `favorita_21` and all of `usaid_lmis`; what came after each
origin was not known to the forecast. Coverage: share of sums in the lower p of their distribution (expected randomised PIT).
Pinball: loss at .8, .95 and .99 over all sums, as a share of demand. The first table is of single periods: with the quantiles
that the back-test chose, and with negative binomial and gamma alone.

    python benchmarks/forecast_paths.py
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator

import numpy as np
import pandas as pd
from forecast_accuracy import DATA, KEYS, Case, favorita, lmis

LEVELS = (0.8, 0.95, 0.99)
QUANTILES = ("q80", "q95", "q99")
PATHS = 500


def run(case: Case) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield for each origin the single periods and the sums, with what came and each way's chances and quantiles of it."""
    from cmi_analysis.forecasting.distribution import chances_of, cumulate, forecast_quantiles
    from cmi_analysis.forecasting.public import forecast_all

    actual = case.sales.rename(columns={"date": "period", "quantity": "actual"})
    actual = actual.groupby([*KEYS, "period"], as_index=False)["actual"].sum()
    for origin in case.origins:
        known = case.sales[case.sales["date"] <= origin]
        settings = {"horizon": case.horizon, "frequency": case.frequency, "week_start": case.week_start}
        made = forecast_all(known, as_of=origin.date(), **settings)
        ahead = made.ahead.merge(actual, on=[*KEYS, "period"], how="left")
        ahead["actual"] = ahead["actual"].clip(lower=0)
        alone = ahead[np.isfinite(ahead["actual"]) & (ahead["mean"] > 0)].reset_index(drop=True)
        for way, spread in (("chosen", made.spread), ("plain", dataclasses.replace(made.spread, scaled=None))):
            alone = _add(alone, way, chances_of(alone, spread=spread), forecast_quantiles(alone, spread=spread)[list(QUANTILES)])
        sums = cumulate(ahead, by=KEYS, columns=["mean", "actual"]).assign(periods=lambda rows: rows["lead"])
        sums = sums[np.isfinite(sums["actual"]) & (sums["mean"] > 0)].reset_index(drop=True)
        said = forecast_quantiles(sums, spread=made.sum_spread)[list(QUANTILES)]
        sums = _add(sums, "sums", chances_of(sums, spread=made.sum_spread), said)
        sums = _add_paths(sums, made.paths(count=PATHS))
        yield alone.assign(origin=origin), sums.assign(origin=origin)


def _add(rows: pd.DataFrame, way: str, chances: tuple[np.ndarray, np.ndarray], quantiles: pd.DataFrame) -> pd.DataFrame:
    named = {f"{way}_{name}": quantiles[name].to_numpy() for name in QUANTILES}
    return rows.assign(**named, **{f"{way}_less": chances[0], f"{way}_most": chances[1]})


def _add_paths(sums: pd.DataFrame, paths) -> pd.DataFrame:
    """Add the sums of the paths, and of the same values put together at random."""
    random = np.random.default_rng(1)
    place = pd.MultiIndex.from_frame(paths.series).get_indexer(pd.MultiIndex.from_frame(sums[KEYS]))
    lead, actual = sums["lead"].to_numpy() - 1, sums["actual"].to_numpy()
    found = {way: np.zeros((len(sums), 2 + len(LEVELS))) for way in ("paths", "independent")}
    start = 0
    for series, drawn in paths.blocks():
        here = np.flatnonzero((place >= start) & (place < start + len(series)))
        for way, values in (("paths", drawn), ("independent", random.permuted(drawn, axis=1))):
            added = values.cumsum(axis=2)[place[here] - start, :, lead[here]]
            found[way][here, 0] = (added < actual[here, None] - 1e-9).mean(axis=1)
            found[way][here, 1] = (added <= actual[here, None] + 1e-9).mean(axis=1)
            found[way][here, 2:] = np.quantile(added, LEVELS, axis=1, method="inverted_cdf").T
        start += len(series)
    for way, values in found.items():
        sums = _add(sums, way, (values[:, 0], values[:, 1]), pd.DataFrame(values[:, 2:], columns=list(QUANTILES)))
    return sums


def table(rows: pd.DataFrame, ways: tuple[str, ...], by: str | None) -> pd.DataFrame:
    """Coverage and pinball of each way."""
    from cmi_analysis.forecasting.distribution import score_calibration

    parts = [("all", rows)] if by is None else list(rows.groupby(by, sort=True))
    found = []
    for name, part in parts:
        for way in ways:
            less, most = part[f"{way}_less"].to_numpy(), part[f"{way}_most"].to_numpy()
            line = {by or "rows": name, "n": len(part), "way": way}
            line |= {f"pit_{level}": score_calibration(less, most, level=level) for level in LEVELS}
            for level, quantile in zip(LEVELS, QUANTILES, strict=True):
                gap = part["actual"] - part[f"{way}_{quantile}"]
                line[f"pinball_{level}"] = np.maximum(level * gap, (level - 1) * gap).sum() / part["actual"].sum()
            found.append(line)
    return pd.DataFrame(found)


def main() -> None:
    """Run both data sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("lmis", "favorita"), help="one data set")
    options = parser.parse_args()
    if not DATA.exists():
        raise SystemExit("The folder shared/data beside the project is needed: it holds usaid_lmis and favorita_21.")
    for case in (make() for name, make in _CASES.items() if options.only in (None, name)):
        parts = list(run(case))
        alone, sums = (pd.concat([part[number] for part in parts], ignore_index=True) for number in (0, 1))
        shown = {"index": False, "float_format": "%.4f"}
        print(f"\n{case.name}, single periods, horizon {case.horizon}, {len(case.origins)} origins")
        print(pd.concat([table(alone, ("plain", "chosen"), by) for by in (None, "pattern")]).to_string(**shown))
        print(f"\n{case.name}, sums over 1 to {case.horizon} periods")
        ways = ("sums", "paths", "independent")
        print(pd.concat([table(sums, ways, by) for by in (None, "periods", "pattern")]).to_string(**shown))


_CASES = {"lmis": lambda: lmis(quick=False), "favorita": lambda: favorita(quick=True)}

if __name__ == "__main__":
    main()
