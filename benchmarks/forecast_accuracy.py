"""Forecast accuracy on real data, defaults only, nothing tuned per data set: ours, each single model, and simple references.

`usaid_lmis`: what sites distribute a month; ten origins (2017-12 to 2018-09), three months ahead; reference: the sites' own
average monthly consumption. `favorita_21`: units a week; the last 13 weeks and three earlier origins, 13 weeks ahead.
Score = (Σ|F − A| + |Σ(F − A)|) / ΣA over all series, origins and periods. The data lie in the folder beside the project.

    python benchmarks/forecast_accuracy.py            # everything, with AutoETS
    python benchmarks/forecast_accuracy.py --quick    # every 12th item of favorita_21, 4 origins of usaid_lmis, no AutoETS

Prints a table and ends with lines `name: value`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
KEYS = ["customer_id", "product_id"]
LEVELS = (0.8, 0.95, 0.99)
BANDS = ("below 0.5", "0.5 to 2", "2 to 5", "above 5")
REFERENCES = ("seasonal_naive", "mean", "naive", "auto_ets", "amc")
DRAWS = 1000


@dataclass
class Case:
    """One data set: sales as a frame, its calendar, the origins, and references that only it has."""

    name: str
    sales: pd.DataFrame
    frequency: str
    week_start: str
    horizon: int
    origins: list[pd.Timestamp]
    season: int
    own: pd.DataFrame | None = None


def favorita(*, quick: bool) -> Case:
    """Weekly units; negative values are returns and left out of demand."""
    sales = pd.read_parquet(DATA / "favorita_21" / "weekly_sales.parquet")
    days = pd.to_datetime(pd.read_parquet(DATA / "favorita_21" / "dates_with_info.parquet")["date"])
    if quick:
        sales = sales[(sales["item"].astype(int) + sales["store"].astype(int)) % 12 == 0]
    frame = pd.DataFrame(
        {
            "customer_id": sales["store"].astype(str),
            "product_id": sales["item"].astype(str),
            "date": days.to_numpy()[sales["week"].to_numpy()],
            "quantity": sales["units"].astype(float).clip(lower=0),
        }
    )
    last = int(sales["week"].max())
    origins = [pd.Timestamp(days[last - 13 * back]) + pd.Timedelta(days=6) for back in (4, 3, 2, 1)]
    return Case("favorita", frame, "week", days.iloc[0].day_name(), 13, origins, 52)


def lmis(*, quick: bool) -> Case:
    """Monthly distribution of every site and product that reported it, and the site's own average monthly consumption."""
    rows = pd.read_parquet(DATA / "usaid_lmis" / "logistics.parquet")
    month = pd.to_datetime({"year": rows["year"], "month": rows["month"], "day": 1})
    frame = pd.DataFrame(
        {
            "customer_id": rows["site_code"],
            "product_id": rows["product_code"],
            "date": month,
            "quantity": rows["stock_distributed"].astype(float),
        }
    )
    own = frame.assign(mean=rows["average_monthly_consumption"].astype(float))[[*KEYS, "date", "mean"]]
    ends = list(pd.date_range("2017-12-31", "2018-09-30", freq="ME"))
    return Case("lmis", frame, "month", "Monday", 3, ends[::3] if quick else ends, 12, own)


def run(case: Case, *, ets: bool) -> Iterator[pd.DataFrame]:
    """Yield for each origin one row per series and period: ours, every model, what came, and the forecast's chances of it."""
    from cmi_analysis.forecasting.distribution import chances_of, series_in_whole_units
    from cmi_analysis.forecasting.public import forecast_all

    actual = case.sales.rename(columns={"date": "period", "quantity": "actual"})
    for origin in case.origins:
        known = case.sales[case.sales["date"] <= origin]
        made = forecast_all(
            known, horizon=case.horizon, frequency=case.frequency, week_start=case.week_start, as_of=origin.date()
        )
        found = made.forecasts.merge(actual, on=[*KEYS, "period"], how="inner").rename(columns={"mean": "ours"})
        view = made.view
        for name, values in view.forecasts.items():
            if name != "customer":
                found = found.merge(_long(view, values, name), on=[*KEYS, "lead"], how="left")
        if ets:
            found = found.merge(_auto_ets(case, known), on=[*KEYS, "lead"], how="left")
        if case.own is not None:
            newest = case.own[case.own["date"] == case.own.loc[case.own["date"] <= origin, "date"].max()]
            found = found.merge(newest.rename(columns={"mean": "amc"})[[*KEYS, "amc"]], on=KEYS, how="left")
        marked = (
            found[[*KEYS, "lead", "actual"]]
            .assign(mean=found["ours"])
            .merge(view.series[[*KEYS, "pattern", "fallback"]], on=KEYS, how="left")
        )
        marked["pattern"] = marked["pattern"].mask(marked["fallback"].isin(["kin", "returning"]), marked["fallback"])
        scale = _long(view, view.series["scale"].to_numpy()[:, None] * view.index_next, "scale")
        marked = marked.merge(scale, on=[*KEYS, "lead"], how="left").merge(series_in_whole_units(known), on=KEYS, how="left")
        found["less"], found["most"] = chances_of(marked, spread=made.spread)
        found[["pattern", "fallback", "scale", "whole"]] = marked[["pattern", "fallback", "scale", "whole"]]
        yield found.assign(origin=origin)


def _long(view, values: np.ndarray, name: str) -> pd.DataFrame:
    frame = view.series[KEYS].loc[view.series.index.repeat(values.shape[1])].reset_index(drop=True)
    return frame.assign(lead=np.tile(np.arange(1, values.shape[1] + 1), len(values)), **{name: values.ravel()})


def _auto_ets(case: Case, known: pd.DataFrame) -> pd.DataFrame:
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS, HistoricAverage

    frame = known.assign(unique_id=known["customer_id"] + "\x1f" + known["product_id"], ds=known["date"], y=known["quantity"])
    frame = frame.sort_values(["unique_id", "ds"])[["unique_id", "ds", "y"]]
    frame["ds"] = frame.groupby("unique_id").cumcount()
    season = case.season if case.season == 12 else 1
    models = [AutoETS(season_length=season, alias="auto_ets")]
    said = StatsForecast(models=models, freq=1, n_jobs=1, fallback_model=HistoricAverage()).forecast(df=frame, h=case.horizon)
    parts = said["unique_id"].str.split("\x1f", expand=True)
    lead = said.groupby("unique_id").cumcount() + 1
    return pd.DataFrame(
        {"customer_id": parts[0], "product_id": parts[1], "lead": lead, "auto_ets": said["auto_ets"].clip(lower=0)}
    )


def score(forecast: np.ndarray, actual: np.ndarray) -> tuple[float, float]:
    """Score and bias."""
    error = forecast - actual
    total = actual.sum()
    return float((np.abs(error).sum() + abs(error.sum())) / total), float(error.sum() / total)


def bootstrap(rows: pd.DataFrame, lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and biases of all lines over draws of whole series and whole origins, draws × lines."""
    random = np.random.default_rng(1)
    series = pd.factorize(rows["customer_id"] + "\x1f" + rows["product_id"])[0]
    origin, count = pd.factorize(rows["origin"])[0], rows["origin"].nunique()
    error = rows[lines].to_numpy() - rows[["actual"]].to_numpy()
    cells = pd.DataFrame(np.column_stack([np.abs(error), error, rows["actual"]])).groupby([origin, series]).sum()
    number = cells.index.to_frame(index=False)
    values, width = cells.to_numpy(), len(lines)
    scores, biases = [], []
    for _ in range(DRAWS):
        by_origin = random.multinomial(count, np.full(count, 1 / count))[number[0]]
        by_series = random.multinomial(series.max() + 1, np.full(series.max() + 1, 1 / (series.max() + 1)))[number[1]]
        drawn = (by_origin * by_series) @ values
        scores.append((drawn[:width] + np.abs(drawn[width : 2 * width])) / drawn[-1])
        biases.append(drawn[width : 2 * width] / drawn[-1])
    return np.asarray(scores), np.asarray(biases)


def report(case: Case, rows: pd.DataFrame) -> list[str]:
    """Print the table of a data set; return its closing lines."""
    lines = ["ours", *(name for name in rows if name in (*REFERENCES, *_models(rows)))]
    lines = list(dict.fromkeys(lines))
    shared = rows.dropna(subset=lines)
    series = len(shared[KEYS].drop_duplicates())
    print(f"\n{case.name}: {len(shared)} forecasts of {series} series from {len(case.origins)} origins")
    scores, biases = bootstrap(shared, lines)
    table = pd.DataFrame([(name, *score(shared[name].to_numpy(), shared["actual"].to_numpy())) for name in lines])
    table.columns = ["line", "score", "bias"]
    table["ours_better_in"] = [(scores[:, 0] < scores[:, k]).mean() if k else np.nan for k in range(len(lines))]
    table["bias_low"], table["bias_high"] = np.quantile(biases, [0.025, 0.975], axis=0)
    print(table.sort_values("score").to_string(index=False, float_format="%.4f"))
    low, high = rows["less"].to_numpy(), rows["most"].to_numpy()
    print(_calibration_table(rows, low, high).to_string(index=False, float_format="%.3f"))
    print(_cost_table(rows.dropna(subset=lines), lines).to_string(index=False, float_format="%.4f"))
    from cmi_analysis.forecasting.distribution import score_calibration

    ours = table.set_index("line")
    others = ours.drop(index="ours")["score"]
    return [
        f"{case.name}_score: {ours.loc['ours', 'score']:.4f}",
        f"{case.name}_bias: {ours.loc['ours', 'bias']:.4f}",
        f"{case.name}_pit_95: {score_calibration(low, high, level=0.95):.4f}",
        f"{case.name}_best_apriori: {others[[n for n in others.index if not n.startswith('combination')]].min():.4f}",
        f"{case.name}_best_hindsight: {others.min():.4f}",
    ]


def _cost_table(rows: pd.DataFrame, lines: list[str]) -> pd.DataFrame:
    """Newsvendor cost of stocking each line's quantiles .8 and .95, over demand; origins from the second on.

    A line's distribution has the width and calibration of its own errors at the earlier origins, as far as known by then.
    """
    from cmi_analysis.forecasting.distribution import fit_spread, forecast_quantiles

    total, costs = 0.0, {}
    for origin in sorted(rows["origin"].unique())[1:]:
        now = rows[rows["origin"] == origin].reset_index(drop=True)
        known = rows[(rows["origin"] < origin) & (rows["period"] <= origin)]
        total += now["actual"].sum()
        for line in lines:
            said = now
            if line != "ours":
                spread = fit_spread(known.assign(mean=known[line]))
                said = forecast_quantiles(now.drop(columns=["q80", "q95"]).assign(mean=now[line]), spread=spread)
            for level, name in ((0.8, "q80"), (0.95, "q95")):
                gap = now["actual"] - said[name]
                cost = np.where(gap > 0, level * gap, (level - 1) * gap).sum()
                costs[line, name] = costs.get((line, name), 0.0) + cost
    table = pd.DataFrame({name: [costs[line, name] / total for line in lines] for name in ("q80", "q95")})
    return (
        table.assign(line=lines).sort_values("q95")[["line", "q80", "q95"]].rename(columns={"q80": "cost_80", "q95": "cost_95"})
    )


def _models(rows: pd.DataFrame) -> list[str]:
    from cmi_analysis.forecasting.models import COMBINATIONS, MODELS

    return [name for name in (*MODELS, "boosting", *COMBINATIONS) if name in rows]


def _calibration_table(rows: pd.DataFrame, low: np.ndarray, high: np.ndarray) -> pd.DataFrame:
    from cmi_analysis.forecasting.distribution import mean_band, score_calibration

    band = mean_band(rows["ours"])
    found = []
    for number, name in enumerate(("all", *BANDS)):
        here = np.ones(len(rows), dtype=bool) if number == 0 else band == number - 1
        if here.any():
            found.append(
                {"mean": name, "n": int(here.sum())}
                | {f"pit_{p}": score_calibration(low[here], high[here], level=p) for p in LEVELS}
            )
    return pd.DataFrame(found)


def main() -> None:
    """Run both data sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smaller case, at most 4 minutes on two cores")
    parser.add_argument("--only", choices=("lmis", "favorita"), help="one data set")
    parser.add_argument("--no-ets", action="store_true", help="without AutoETS, which takes most of the time")
    options = parser.parse_args()
    if not DATA.exists():
        raise SystemExit("The folder shared/data beside the project is needed: it holds usaid_lmis and favorita_21.")
    closing: list[str] = []
    for name, make in (("lmis", lmis), ("favorita", favorita)):
        if options.only in (None, name):
            case = make(quick=options.quick)
            closing += report(case, pd.concat(run(case, ets=not (options.quick or options.no_ets)), ignore_index=True))
    print()
    print("\n".join(closing))


if __name__ == "__main__":
    main()
