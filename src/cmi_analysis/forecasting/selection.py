"""Which model forecasts which series: chosen by pooled errors of earlier origins, by demand pattern and by customer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import View
from cmi_analysis.forecasting.customer import correction_factors
from cmi_analysis.forecasting.grid import SERIES

# what is used where no error is known yet
A_PRIORI = {
    "smooth": "exponential_smoothing",
    "erratic": "exponential_smoothing",
    "intermittent": "croston_sba",
    "lumpy": "croston_sba",
    "too_few": "mean",
}
REFERENCES = ("customer",)
# another model must be better by this share of the score than the one chosen a priori
MARGIN = 0.02
CUSTOMER_MARGIN = 0.05
# fewer errors than this choose nothing
LEAST_ERRORS = 20
CHOICE_COLUMNS = [*SERIES, "origin", "state", "pattern", "periods", "statistical", "model", "reason"]


def choose_models(backtest: pd.DataFrame, *, patterns: list[str], until: pd.Timestamp) -> pd.DataFrame:
    """Return the model of each demand pattern by the pooled score of what was known at `until`.

    Parameters
    ----------
    backtest : pandas.DataFrame
        As `backtest_models` returns it.
    patterns : list of str
        Patterns to choose for.
    until : pandas.Timestamp
        Errors of later periods are not looked at.

    Returns
    -------
    pandas.DataFrame
        ``pattern, model, score, score_a_priori`` [ratio], ``errors`` [count], ``reason`` (a_priori, best_by_pattern), by pattern.

    Notes
    -----
    Score = (Σ|F − A| + |Σ(F − A)|) / ΣA over all series, origins and leads of the pattern: bias counts beside the error, because
    the median of intermittent demand has the least absolute error and is zero. Pooled by pattern, not by series: a handful of
    errors of one series chooses noise.
    """
    known = _known(backtest, until)
    known = known[(known["fallback"] == "") & ~known["model"].isin(REFERENCES)]
    scores = _scores(known, ["pattern", "model"])
    rows = []
    for pattern in patterns:
        default = A_PRIORI.get(pattern, "mean")
        part = scores[scores["pattern"] == pattern].sort_values(["score", "model"], kind="stable")
        start = part[part["model"] == default]
        enough = not start.empty and int(start["errors"].iloc[0]) >= LEAST_ERRORS and np.isfinite(part["score"].iloc[0])
        better = enough and part["score"].iloc[0] < start["score"].iloc[0] * (1 - MARGIN)
        model = part["model"].iloc[0] if better else default
        score = part.loc[part["model"] == model, "score"]
        rows.append(
            {
                "pattern": pattern,
                "model": model,
                "score": float(score.iloc[0]) if len(score) else np.nan,
                "score_a_priori": float(start["score"].iloc[0]) if len(start) else np.nan,
                "errors": int(start["errors"].iloc[0]) if len(start) else 0,
                "reason": "best_by_pattern" if better else ("a_priori_holds" if enough else "a_priori"),
            }
        )
    return pd.DataFrame(rows, columns=["pattern", "model", "score", "score_a_priori", "errors", "reason"])


def choose_for_view(backtest: pd.DataFrame, view: View) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the choice for each series at the view's origin, and the forecasts chosen, statistical and combined.

    Parameters
    ----------
    backtest : pandas.DataFrame
        As `backtest_models` returns it; only errors known at the view's origin choose.
    view : View
        What is known at the origin.

    Returns
    -------
    choice : pandas.DataFrame
        ``customer_id, product_id, origin, state, pattern, periods, statistical`` (model of the pattern), ``model`` (the one
        used), ``reason``.
    forecasts : dict of str to numpy.ndarray
        ``chosen``, ``statistical``, ``combined`` (mean of the statistical one and the customer's, its bias taken out; the
        statistical one where the customer sent none), series × horizon.
    """
    series = view.series
    by_pattern = choose_models(backtest, patterns=sorted(series["pattern"].unique()), until=view.origin).set_index("pattern")
    statistical_model = np.where(series["fallback"] == "", series["pattern"].map(by_pattern["model"]), "mean")
    statistical = np.full_like(view.forecasts["mean"], np.nan)
    for name in np.unique(statistical_model.astype(str)):
        statistical = np.where((statistical_model == name)[:, None], view.forecasts[name], statistical)
    known = _known(backtest, view.origin)
    combined = _combined(statistical, view, correction_factors(known[known["model"] == "customer"]))
    use = choose_customers(known, statistical=by_pattern["model"], factors=True)
    way = series["customer_id"].map(use).astype("object").fillna("statistical").to_numpy()
    plain = (series["fallback"] == "").to_numpy()
    there = np.isfinite(view.forecasts["customer"])
    chosen = np.where((plain & (way == "combined"))[:, None], combined, statistical)
    chosen = np.where((plain & (way == "customer"))[:, None] & there, view.forecasts["customer"], chosen)
    used = np.where(plain & there.any(axis=1) & (way != "statistical"), way, statistical_model)
    choice = series[[*SERIES, "state", "pattern", "periods"]].assign(origin=view.origin, statistical=statistical_model)
    fallback_model = (
        series["fallback"].map({"short": "mean", "few": "mean", "nothing_known": "none", "not_started": "none"}).fillna("zero")
    )
    choice["model"] = np.where(plain, used, fallback_model)
    reason = np.where(used == statistical_model, series["pattern"].map(by_pattern["reason"]), "best_for_customer")
    choice["reason"] = np.where(plain, reason, series["fallback"])
    return choice[CHOICE_COLUMNS], {"chosen": chosen, "statistical": statistical, "combined": combined}


def choose_customers(known: pd.DataFrame, *, statistical: pd.Series, factors: bool = True) -> pd.Series:
    """Return by customer what to use: statistical, customer, or combined, by the score on the same items and periods.

    Parameters
    ----------
    known : pandas.DataFrame
        Back-test rows known at the origin.
    statistical : pandas.Series
        Model by pattern (index).
    factors : bool
        Whether the customer's forecast enters the combination with its bias taken out.

    Returns
    -------
    pandas.Series
        By ``customer_id``; the customer's own forecast or the combination only where it is better by 5 % of the score over at
        least 20 errors.
    """
    theirs = known[(known["model"] == "customer") & (known["fallback"] == "")]
    if theirs.empty:
        return pd.Series(dtype="object")
    ours = known[known["model"] == known["pattern"].map(statistical)]
    keys = [*SERIES, "origin", "period"]
    pairs = theirs.merge(ours[[*keys, "mean"]], on=keys, suffixes=("", "_ours"))
    factor = pairs["customer_id"].map(correction_factors(theirs)) if factors else 1.0
    means = {
        "statistical": pairs["mean_ours"],
        "customer": pairs["mean"],
        "combined": (pairs["mean_ours"] + factor * pairs["mean"]) / 2,
    }
    scored = pd.concat([pairs[["customer_id", "actual"]].assign(model=name, mean=mean) for name, mean in means.items()])
    table = _scores(scored, ["customer_id", "model"]).set_index(["customer_id", "model"])
    score = table["score"].unstack("model")  # noqa: PD010
    enough = table["errors"].unstack("model")["statistical"] >= LEAST_ERRORS  # noqa: PD010
    best = score[["combined", "customer"]].fillna(np.inf)
    name = np.where(best["combined"] <= best["customer"], "combined", "customer")
    better = enough & (best.min(axis=1) < score["statistical"] * (1 - CUSTOMER_MARGIN))
    return pd.Series(np.where(better, name, "statistical"), index=score.index, dtype="object")


def _combined(statistical: np.ndarray, view: View, factors: pd.Series) -> np.ndarray:
    factor = view.series["customer_id"].map(factors).fillna(1.0).to_numpy(dtype=float)[:, None]
    theirs = view.forecasts["customer"] * factor
    plain = (view.series["fallback"] == "").to_numpy()[:, None]
    return np.where(plain & np.isfinite(theirs), (statistical + theirs) / 2, statistical)


def _known(backtest: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    return backtest[(backtest["origin"] < until) & (backtest["period"] <= until)]


def _scores(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    parts = rows[by].assign(actual=rows["actual"], error=rows["mean"] - rows["actual"])
    parts["absolute"] = parts["error"].abs()
    sums = parts.groupby(by, sort=True, observed=True).agg(
        actual=("actual", "sum"), error=("error", "sum"), absolute=("absolute", "sum"), errors=("actual", "size")
    )
    sums["score"] = (sums["absolute"] + sums["error"].abs()) / sums["actual"].where(sums["actual"] > 0)
    return sums.reset_index()
