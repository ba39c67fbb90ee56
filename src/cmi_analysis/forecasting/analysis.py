"""What the back-test says: value-added stairs, the customers' forecasts beside ours, bias, coverage, items in doubt."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.distribution import QUANTILES, cumulate
from cmi_analysis.forecasting.fallbacks import RETURNING, ZERO
from cmi_analysis.forecasting.grid import SERIES
from cmi_analysis.measures.accuracy import coverage, score_accuracy
from cmi_analysis.measures.intervals import bootstrap_ratio

STEPS = ("naive", "seasonal_naive", "statistical", "customer", "combined", "chosen")
_KEYS = [*SERIES, "origin", "period", "lead"]
ACCURACY_COLUMNS = ["scope", "measure", "step", "n", "series", "wape", "bias", "mase", "value_added", "low", "high"]
CUSTOMER_COLUMNS = ["customer_id", "n", "demand", "wape_customer", "bias_customer", "wape_statistical", "wape_combined"]


def decision_errors(backtest: pd.DataFrame, *, lag: int) -> pd.DataFrame:
    """Return the errors that count for a decision `lag` periods ahead: in that period, and in the sum up to it.

    Returns
    -------
    pandas.DataFrame
        The back-test's columns and ``measure``: ``lag`` (the period t + lag alone) or ``sum`` (t + 1 … t + lag added up, which is
        what sets stock; only where every period of it is known).
    """
    near = backtest[backtest["lead"] <= lag]
    alone = near[near["lead"] == lag].assign(measure="lag")
    added = cumulate(near, by=[*SERIES, "origin", "model"], columns=["actual", "mean"])
    added = added[added["lead"] == lag].assign(measure="sum")
    # the naive's change over one period is the scale of one period's error; for sums it grows with the root of their length
    added[["naive_mean", "naive_rms"]] = added[["naive_mean", "naive_rms"]] * np.sqrt(lag)
    return pd.concat([alone, added], ignore_index=True)


def score_steps(errors: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the value-added stairs: each step's accuracy and what it adds over naive, on the same items and periods.

    Parameters
    ----------
    errors : pandas.DataFrame
        As `decision_errors` returns them.
    seed : int
        Seed of the bootstrap over series.

    Returns
    -------
    pandas.DataFrame
        ``scope`` (all; shared: items and periods for which the customer sent a forecast), ``measure, step`` (naive,
        seasonal_naive, statistical, customer, combined, chosen), ``n, series`` [count], ``wape, bias, mase`` [ratio],
        ``value_added`` (WAPE of naive − WAPE of the step), ``low, high`` (its 95 % interval).
    """
    rows = []
    shared = errors.loc[errors["model"] == "customer", [*_KEYS, "measure"]]
    scopes = {"all": errors, "shared": errors.merge(shared, on=[*_KEYS, "measure"])}
    for scope, part in scopes.items():
        steps = [step for step in STEPS if scope == "shared" or step not in ("customer", "combined")]
        for measure, measured in part.groupby("measure", sort=True):
            wide = _wide(measured, steps)
            if wide.empty:
                continue
            named = {"scope": scope, "measure": measure}
            rows += [named | {"step": step} | _step(wide, step, seed) for step in steps]
    table = pd.DataFrame(rows, columns=ACCURACY_COLUMNS)
    return table if _has_year(errors) else table[table["step"] != "seasonal_naive"].reset_index(drop=True)


def _has_year(errors: pd.DataFrame) -> bool:
    """Whether the seasonal naive forecast ever differed from the naive one: without a year of history it stands in for it."""
    both = errors[errors["model"].isin(["naive", "seasonal_naive"])]
    told = both.groupby([*_KEYS, "measure"], sort=True)["mean"].nunique()
    return errors.empty or bool((told > 1).any())


def score_customers(errors: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return by customer how its own forecast did beside ours, on the same items and periods.

    Parameters
    ----------
    errors : pandas.DataFrame
        As `decision_errors` returns them; the sums count.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, n`` [count], ``demand`` [sales units], ``wape_customer, bias_customer, wape_statistical, wape_combined``
        [ratio], ``value_added`` (WAPE of ours − WAPE of the customer's; above 0: theirs is better), ``low, high``, ``trust``
        (theirs, ours, combined, unclear: the least WAPE, theirs or ours only where the interval leaves no doubt).
    """
    wide = _wide(errors[errors["measure"] == "sum"], ["statistical", "customer", "combined"])
    rows = []
    for customer, part in wide.groupby("customer_id", sort=True):
        actual = part["actual"]
        total = actual.sum()
        if total <= 0:
            continue
        wape = {step: (part[step] - actual).abs().sum() / total for step in ("customer", "statistical", "combined")}
        gain = (part["statistical"] - actual).abs() - (part["customer"] - actual).abs()
        value, low, high = bootstrap_ratio(gain, actual, clusters=part["product_id"], seed=seed)
        row = {
            "customer_id": customer,
            "n": len(part),
            "demand": total,
            "bias_customer": (part["customer"] - actual).sum() / total,
        }
        row |= {f"wape_{step}": error for step, error in wape.items()}
        rows.append(row | {"value_added": value, "low": low, "high": high, "trust": _trust(wape, low, high)})
    columns = [*CUSTOMER_COLUMNS, "value_added", "low", "high", "trust"]
    return pd.DataFrame(rows, columns=columns)


def score_coverage(errors: pd.DataFrame, sum_errors: pd.DataFrame, *, low: str, high: str, lag: int) -> pd.DataFrame:
    """Return how often demand lay where it was said to lie, on origins whose intervals came from earlier origins' errors.

    Parameters
    ----------
    errors, sum_errors : pandas.DataFrame
        As in `Forecasts`.
    low, high : str
        Quantile columns that bound the interval.
    lag : int
        Sums of so many periods are scored.

    Returns
    -------
    pandas.DataFrame
        ``measure`` (period, sum), ``pattern`` ("" = all), ``n`` [count], ``coverage`` [fraction], ``below_high`` [fraction of
        actuals at or below the upper bound]. The first origin (no earlier errors) and items at zero by rule are left out.
    """
    rows = []
    for measure, frame in (("period", errors), ("sum", sum_errors[sum_errors["lead"] == lag])):
        usable = frame[~frame["fallback"].isin(ZERO) & (frame["origin"] > frame["origin"].min())]
        parts = [("", usable), *usable.groupby("pattern", sort=True)]
        for pattern, part in parts:
            inside = coverage(part["actual"], part[low], part[high])
            below = coverage(part["actual"], np.full(len(part), -np.inf), part[high]) if len(part) else np.nan
            below = float((part["actual"] <= part[high]).mean()) if len(part) else below
            rows.append({"measure": measure, "pattern": pattern, "n": len(part), "coverage": inside, "below_high": below})
    return pd.DataFrame(rows, columns=["measure", "pattern", "n", "coverage", "below_high"])


def score_bias_views(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the bias three ways, because stock-outs hide demand.

    Returns
    -------
    pandas.DataFrame
        ``view`` (imputed: against demand, stock-outs imputed; sold: against what sold, stock-outs or not; kept: against what sold
        in periods that were in stock throughout, which leaves out the periods of high demand), ``n`` [count], ``bias`` [ratio].
    """
    whole = errors["in_stock"].isna() | (errors["in_stock"] >= 1)
    views = {
        "imputed": errors,
        "sold": errors.assign(actual=errors["sold"]),
        "kept": errors[whole].assign(actual=errors.loc[whole, "sold"]),
    }
    frames = [score_accuracy(frame)[["n", "bias"]].assign(view=name) for name, frame in views.items()]
    return pd.concat(frames, ignore_index=True)[["view", "n", "bias"]]


def find_outliers(errors: pd.DataFrame, *, limit: float = 4.0) -> pd.DataFrame:
    """Return single periods whose demand lay more than `limit` standard deviations from the forecast, largest first.

    Returns
    -------
    pandas.DataFrame
        ``customer_id, product_id, period, actual, mean, deviations`` [standard deviations, signed]; each period once, by its
        nearest origin.
    """
    rows = errors[errors["sd"] > 0].assign(deviations=lambda frame: (frame["actual"] - frame["mean"]) / frame["sd"])
    rows = rows[rows["deviations"].abs() > limit].sort_values([*SERIES, "period", "lead"], kind="stable")
    rows = rows.drop_duplicates([*SERIES, "period"], keep="first")
    rows = rows.assign(size=(rows["actual"] - rows["mean"]).abs())
    rows = rows.sort_values(["size", *SERIES, "period"], ascending=[False, True, True, True], kind="stable")
    return rows[[*SERIES, "period", "actual", "mean", "deviations"]].reset_index(drop=True)


def score_items(choice: pd.DataFrame, errors: pd.DataFrame, sum_errors: pd.DataFrame, *, lag: int) -> pd.DataFrame:
    """Return each series with its accuracy and whether its forecast should be trusted.

    Returns
    -------
    pandas.DataFrame
        `choice` and ``n`` [forecasts scored], ``wape`` (of sums over `lag`), ``bias, mase`` (of single periods), ``doubt``: short
        (no model yet), unscored (no back-test), error (WAPE of sums above 1), bias (more than half of demand), or empty.
    """
    alone = score_accuracy(errors, by=SERIES)[[*SERIES, "n", "bias", "mase"]]
    added = score_accuracy(sum_errors[sum_errors["lead"] == lag], by=SERIES)[[*SERIES, "wape"]]
    items = choice.merge(alone, on=SERIES, how="left").merge(added, on=SERIES, how="left")
    items["n"] = items["n"].fillna(0).astype("int64")
    ruled = items["reason"].isin([*ZERO, RETURNING])
    items["doubt"] = np.select(
        [
            ruled,
            items["reason"].isin(["short", "nothing_known", "not_started"]),
            items["n"] == 0,
            items["wape"] > 1,
            items["bias"].abs() > 0.5,
        ],
        ["", "short", "unscored", "error", "bias"],
        default="",
    )
    return items


def score_patterns(items: pd.DataFrame, errors: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy by demand pattern: ``pattern, items`` [count], ``n, demand, wape, bias, mase``, sorted by pattern."""
    now = items[[*SERIES, "pattern"]]
    scored = score_accuracy(errors.drop(columns="pattern").merge(now, on=SERIES), by=["pattern"])
    counts = items.groupby("pattern", sort=True, observed=True).size().rename("items").reset_index()
    merged = counts.merge(scored, on="pattern", how="left")
    return merged[["pattern", "items", "n", "demand", "wape", "bias", "mase"]]


def score_models(backtest: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Return each model's accuracy, over the series that models forecast, and how many items use it now.

    Returns
    -------
    pandas.DataFrame
        ``model, items`` [count], ``n`` [count], ``wape, bias`` [ratio], ``score`` (WAPE + |bias|), best score first; the
        customer's own forecast has fewer rows than the others.
    """
    scored = score_accuracy(backtest[backtest["fallback"] == ""], by=["model"])
    used = choice.groupby("model", observed=True).size().rename("items").reset_index()
    table = scored.merge(used, on="model", how="outer")
    table["items"], table["n"] = (table[name].fillna(0).astype("int64") for name in ("items", "n"))
    table["score"] = table["wape"] + table["bias"].abs()
    return table.sort_values(["score", "model"], kind="stable", ignore_index=True)[
        ["model", "items", "n", "wape", "bias", "score"]
    ]


def forecast_totals(
    panel: pd.DataFrame, forecasts: pd.DataFrame, errors: pd.DataFrame, *, share: float, year: int
) -> pd.DataFrame:
    """Return the group's total demand by period: what was, and what is to come with its interval.

    Parameters
    ----------
    panel, forecasts, errors : pandas.DataFrame
        As in `Forecasts`.
    share : float
        Share inside the interval [fraction].
    year : int
        Periods shown of the past, and between a period and the same one a year before.

    Returns
    -------
    pandas.DataFrame
        ``period, actual, last_year, mean, low, high`` [sales units]. The interval has a normal shape; its variance is that of the
        total's own back-test errors at this and nearer leads, so that it holds what items have in common; without a back-test the
        variances of the items are added up (which takes them as independent).
    """
    from scipy.special import ndtri

    past = panel.groupby("period", sort=True)["demand"].sum(min_count=1)
    ahead = forecasts.groupby(["period", "lead"], sort=True).agg(
        mean=("mean", "sum"), sd=("sd", lambda values: (values**2).sum() ** 0.5)
    )
    ahead = ahead.reset_index().set_index("period")
    missed = errors.assign(error=errors["actual"] - errors["mean"]).groupby(["origin", "lead"])["error"].sum()
    if len(missed):
        square = missed.pow(2).groupby("lead").agg(["sum", "size"]).cumsum()
        root = (square["sum"] / square["size"]).pow(0.5).reindex(ahead["lead"]).ffill()
        ahead["sd"] = np.maximum(root.to_numpy(), ahead["sd"].to_numpy())
    z = float(ndtri(0.5 + share / 2))
    frame = pd.DataFrame({"actual": past.tail(year), "mean": ahead["mean"]})
    frame["low"], frame["high"] = (ahead["mean"] - z * ahead["sd"]).clip(lower=0), ahead["mean"] + z * ahead["sd"]
    position = pd.Series(past.to_numpy(), index=range(len(past)))
    before = np.arange(len(past) - len(past.tail(year)), len(past) + len(ahead)) - year
    frame["last_year"] = position.reindex(before).to_numpy()
    return frame.rename_axis("period").reset_index()[["period", "actual", "last_year", "mean", "low", "high"]]


def interval_columns(share: float) -> tuple[str, str, float]:
    """Return the quantile columns that bound the central interval nearest to `share`, and the share they hold.

    Examples
    --------
    >>> interval_columns(0.9), interval_columns(0.75)
    (('q05', 'q95', 0.9), ('q10', 'q90', 0.8))
    """
    shares = {0.9: ("q05", "q95"), 0.8: ("q10", "q90"), 0.5: ("q25", "q75")}
    nearest = min(shares, key=lambda value: (abs(value - share), -value))
    low, high = shares[nearest]
    assert {low, high} <= set(QUANTILES)
    return low, high, nearest


def _wide(errors: pd.DataFrame, steps: list[str]) -> pd.DataFrame:
    """One row per item and period, one column per step; only rows that every step has."""
    keys = [*_KEYS, "actual", "naive_mean", "naive_rms"]
    kept = errors[errors["model"].isin(steps)]
    if kept.empty:
        return pd.DataFrame(columns=[*keys, *steps])
    wide = kept.set_index([*_KEYS, "model"])["mean"].unstack("model").reindex(columns=steps)  # noqa: PD010
    facts = kept.drop_duplicates(_KEYS)[keys]
    return facts.merge(wide.dropna().reset_index(), on=_KEYS).sort_values(_KEYS, kind="stable", ignore_index=True)


def _step(wide: pd.DataFrame, step: str, seed: int) -> dict[str, float]:
    scored = score_accuracy(wide.assign(mean=wide[step])).iloc[0]
    gain = (wide["naive"] - wide["actual"]).abs() - (wide[step] - wide["actual"]).abs()
    names = wide["customer_id"] + "\x1f" + wide["product_id"]
    value, low, high = bootstrap_ratio(gain, wide["actual"], clusters=names, seed=seed)
    return {
        "n": int(scored["n"]),
        "series": int(names.nunique()),
        "wape": scored["wape"],
        "bias": scored["bias"],
        "mase": scored["mase"],
        "value_added": value,
        "low": low,
        "high": high,
    }


def _trust(wape: dict[str, float], low: float, high: float) -> str:
    if wape["combined"] <= min(wape["customer"], wape["statistical"]):
        return "combined"
    if low > 0:
        return "theirs"
    return "ours" if high < 0 else "unclear"
