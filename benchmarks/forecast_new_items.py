"""Items too short for a model: forecast from their kin against the mean of their own few periods, on real data.

`usaid_lmis`: sites' items with less than four known months or three demands, at origins before those that
`forecast_accuracy.py` judges (2016-07 to 2017-11, every second month), three months ahead. `favorita_21`: hardly an item
begins late there, so of every sixth product 8 % of the histories are cut to their last 1 to 7 weeks, at weeks 80, 93 and 106,
13 weeks ahead. Score = (Σ|F − A| + |Σ(F − A)|) / ΣA; `better in`: share of bootstrap draws of series. The data lie in the
folder beside the project.

    python benchmarks/forecast_new_items.py     # about a minute
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from forecast_accuracy import DATA, KEYS, favorita, lmis, score

from cmi_analysis.forecasting.backtest import MODELS, Settings, open_fold, view_at
from cmi_analysis.forecasting.demand import demand_panel
from cmi_analysis.forecasting.grid import panel_grid
from cmi_analysis.forecasting.kin import forecast_from_kin
from cmi_analysis.forecasting.seasons import seasonal_indices

DRAWS = 1000


def compare(panel: pd.DataFrame, origin: pd.Timestamp, settings: Settings) -> pd.DataFrame:
    """One row per new series and period: actual, forecast from kin, the fallback without kin."""
    known = panel[panel["period"] <= origin]
    indices = seasonal_indices(known.assign(category=""), origins=[origin], frequency=settings.frequency)
    kin = forecast_from_kin(known, settings=settings, folds=1, indices=indices)
    plain = {
        "settings": settings,
        "indices": indices,
        "categories": pd.Series(dtype="object"),
        "models": {"mean": MODELS["mean"]},
    }
    old, new = (view_at(panel, origin=origin, kin=frame, **plain) for frame in (None, kin[kin["origin"] == origin]))
    fold = open_fold(panel, new)
    row, lead = np.nonzero(np.isfinite(fold.actual) & (new.series["fallback"] == "kin").to_numpy()[:, None])
    frame = new.series.iloc[row][[*KEYS, "kin"]].assign(kind=old.series["fallback"].to_numpy()[row], origin=origin)
    values = {"actual": fold.actual, "from_kin": new.forecasts["mean"], "without": old.forecasts["mean"]}
    return frame.assign(**{name: part[row, lead] for name, part in values.items()})


def lmis_rows() -> Iterator[pd.DataFrame]:
    """Months before the judged origins."""
    case = lmis(quick=False)
    panel = demand_panel(case.sales, as_of=case.origins[-1].date(), frequency="month")
    for origin in panel_grid(panel).periods[6:23:2]:
        yield compare(panel, origin, Settings("month", "Monday", 3))


def favorita_rows() -> Iterator[pd.DataFrame]:
    """Weeks before the judged origins, some histories cut."""
    case = favorita(quick=False)
    sales = case.sales[case.sales["product_id"].isin(sorted(case.sales["product_id"].unique())[::6])]
    panel = demand_panel(sales, as_of=case.origins[-1].date(), week_start=case.week_start)
    grid, random = panel_grid(panel), np.random.default_rng(1)
    pairs = grid.series
    for end in (80, 93, 106):
        weeks = np.where(random.random(len(pairs)) < 0.08, random.integers(1, 8, len(pairs)), end)
        first = pd.Series(grid.periods[end - weeks], index=pd.MultiIndex.from_frame(pairs))
        begun = first.reindex(pd.MultiIndex.from_frame(panel[KEYS])).to_numpy()
        cut = panel[(panel["period"].to_numpy() >= begun) & (panel["period"] <= grid.periods[end + 12])]
        yield compare(cut, grid.periods[end - 1], Settings("week", case.week_start, 13)).assign(kind="cut to 1–7 weeks")


def line(name: str, rows: pd.DataFrame) -> dict[str, object]:
    """Scores and how often kin are better when series are drawn."""
    kin, without = (score(rows[column].to_numpy(), rows["actual"].to_numpy()) for column in ("from_kin", "without"))
    errors = np.column_stack([rows["from_kin"] - rows["actual"], rows["without"] - rows["actual"]])
    cells = pd.DataFrame(np.column_stack([np.abs(errors), errors, rows["actual"]])).groupby(
        pd.factorize(rows[KEYS].agg("|".join, axis=1))[0]
    )
    sums, random = cells.sum().to_numpy(), np.random.default_rng(1)
    drawn = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=DRAWS) @ sums
    better = (drawn[:, 0] + np.abs(drawn[:, 2]) < drawn[:, 1] + np.abs(drawn[:, 3])).mean()
    found = {"rows": name, "n": len(rows), "kin": kin[0], "kin_bias": kin[1], "without": without[0], "without_bias": without[1]}
    return found | {"better_in": better}


def main() -> None:
    """Print the table and one line a data set."""
    if not DATA.exists():
        raise SystemExit("The folder shared/data beside the project is needed: it holds usaid_lmis and favorita_21.")
    table = []
    for name, make in (("lmis", lmis_rows), ("favorita", favorita_rows)):
        rows = pd.concat(make(), ignore_index=True)
        table.append(line(name, rows))
        table += [line(f"{name}: {kind}", part) for kind, part in rows.groupby("kind")]
    print(pd.DataFrame(table).to_string(index=False, float_format="%.3f"))
    for row in table:
        if ":" not in str(row["rows"]):
            print(f"{row['rows']}_new_score: {row['kin']:.4f}\n{row['rows']}_new_score_without_kin: {row['without']:.4f}")


if __name__ == "__main__":
    main()
