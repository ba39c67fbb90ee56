"""Which forecast is used: an equal mean of different families, unless the back-test beats it by more than chance.

By demand pattern over all series, and by customer for those that send forecasts of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import Fold, View
from cmi_analysis.forecasting.customer import blend_forecasts, choose_customers, customer_pairs
from cmi_analysis.forecasting.grid import SERIES

# what is used unless the back-test beats it
A_PRIORI = {"too_few": "mean"}
STANDARD = "combination"
REFERENCES = ("customer", "naive", "seasonal_naive")
# share of bootstrap draws in which another model must be better, and of the origins, of which so many are needed
SURE, ORIGINS, LEAST_ORIGINS = 0.975, 0.5, 3
# and by how much: the origins are few and near each other, so that draws of series alone make chance look small [fraction]
MARGIN = 0.1
# fewer errors than this choose nothing
LEAST_ERRORS = 20
DRAWS = 400
CHOICE_COLUMNS = [*SERIES, "origin", "state", "pattern", "periods", "statistical", "model", "reason", "kin_series"]


@dataclass(frozen=True)
class Board:
    """Errors of each model added up over the periods known at one day, by origin and series.

    Attributes
    ----------
    names : tuple of str
        Models.
    absolute, error : numpy.ndarray
        Σ|F − A| and Σ(F − A), rows × models [sales units].
    actual, count : numpy.ndarray
        ΣA [sales units] and number of errors, one a row.
    pattern : numpy.ndarray
        Demand pattern at the origin, one a row.
    series, origin : numpy.ndarray
        Number of the series and of the origin, one a row.
    """

    names: tuple[str, ...]
    absolute: np.ndarray
    error: np.ndarray
    actual: np.ndarray
    count: np.ndarray
    pattern: np.ndarray
    series: np.ndarray
    origin: np.ndarray


def score_board(folds: Sequence[Fold], *, until: pd.Timestamp) -> Board:
    """Return each model's sums of errors in periods known at `until`, of series that a model forecasts."""
    used = [fold for fold in folds if fold.view.origin < until]
    names = tuple(name for name in used[0].view.forecasts if name not in REFERENCES) if used else ()
    parts = []
    for number, fold in enumerate(used):
        plain = (fold.view.series["fallback"] == "").to_numpy()
        known = np.isfinite(fold.actual) & (fold.view.ahead <= until)[None, :] & plain[:, None]
        rows = np.flatnonzero(known.any(axis=1))
        here, actual = known[rows], np.nan_to_num(fold.actual[rows])
        error = np.stack([np.where(here, fold.view.forecasts[name][rows] - actual, 0.0) for name in names], axis=2)
        pattern = fold.view.series["pattern"].to_numpy()[rows]
        sums = (np.abs(error).sum(axis=1), error.sum(axis=1), np.where(here, actual, 0).sum(axis=1), here.sum(axis=1))
        parts.append((*sums, pattern, rows, np.full(len(rows), number)))
    if not parts:
        empty = np.zeros(0)
        return Board(names, np.zeros((0, 0)), np.zeros((0, 0)), empty, empty, empty.astype(object), empty, empty)
    return Board(names, *(np.concatenate(column) for column in zip(*parts, strict=True)))


def choose_models(board: Board, *, patterns: Sequence[str], available: Collection[str], seed: int = 1) -> pd.DataFrame:
    """Return the model of each demand pattern: the standard one, or one that the back-test shows to be better.

    Parameters
    ----------
    board : Board
        What is known at the origin.
    patterns : sequence of str
        Patterns to choose for.
    available : collection of str
        Models that have a forecast to give; without a global model the combination of the others is the standard.
    seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        ``pattern, model, score, score_a_priori`` [ratio], ``errors`` [count], ``reason`` (a_priori: too few errors, or no
        standard model; a_priori_holds; best_by_pattern), one row a pattern.

    Notes
    -----
    Score = (Σ|F − A| + |Σ(F − A)|) / ΣA over all series, origins and leads of the pattern: bias counts beside the error, because
    the median of intermittent demand has the least absolute error and is zero. The standard model is the equal mean of last
    year's mean, Theta, Croston's method (SBA) and the global boosting model. Another one replaces it only if its score is lower
    by a tenth, in 97.5 % of 400 bootstrap draws of whole series, and at more than half of at least three origins. Pooled by
    pattern, not by series: a handful of errors of one series chooses noise. Source of the mean of families: Bates and Granger
    (1969), The combination of forecasts, Operational Research Quarterly 20, 451–468; Petropoulos and Svetunkov (2020), A simple
    combination of univariate models, International Journal of Forecasting 36, 110–115.
    """
    rows = []
    for pattern in patterns:
        standard = A_PRIORI.get(pattern, STANDARD)
        standard = standard if standard in available else STANDARD
        rows.append({"pattern": pattern} | _choose(board, board.pattern == pattern, standard, seed))
    return pd.DataFrame(rows, columns=["pattern", "model", "score", "score_a_priori", "errors", "reason"])


def _choose(board: Board, rows: np.ndarray, standard: str, seed: int) -> dict[str, object]:
    errors = int(board.count[rows].sum())
    nothing = {"model": standard, "score": np.nan, "score_a_priori": np.nan, "errors": errors, "reason": "a_priori"}
    if standard not in board.names or board.actual[rows].sum() <= 0:
        return nothing
    first = board.names.index(standard)
    scores = _scores(board.absolute[rows].sum(axis=0), board.error[rows].sum(axis=0), board.actual[rows].sum())
    found = nothing | {"score": scores[first], "score_a_priori": scores[first]}
    if errors < LEAST_ERRORS:
        return found
    if not (scores < (1 - MARGIN) * scores[first]).any():
        return found | {"reason": "a_priori_holds"}
    draws = _bootstrap(board, rows, seed)
    wins = (draws < draws[:, [first]]).mean(axis=0)
    origins = np.stack([_origin_scores(board, rows & (board.origin == origin)) for origin in np.unique(board.origin[rows])])
    better = (wins >= SURE) & ((origins < origins[:, [first]]).mean(axis=0) > ORIGINS)
    better &= (scores < (1 - MARGIN) * scores[first]) & (len(origins) >= LEAST_ORIGINS)
    if not better.any():
        return found | {"reason": "a_priori_holds"}
    best = int(np.where(better, scores, np.inf).argmin())
    return found | {"model": board.names[best], "score": scores[best], "reason": "best_by_pattern"}


def _origin_scores(board: Board, rows: np.ndarray) -> np.ndarray:
    return _scores(board.absolute[rows].sum(axis=0), board.error[rows].sum(axis=0), board.actual[rows].sum())


def _scores(absolute: np.ndarray, error: np.ndarray, actual: np.ndarray | float) -> np.ndarray:
    return (absolute + np.abs(error)) / np.maximum(actual, 1e-12)


def _bootstrap(board: Board, rows: np.ndarray, seed: int) -> np.ndarray:
    """Scores of all models when whole series are drawn with replacement, draws × models."""
    series, number = np.unique(board.series[rows], return_inverse=True)
    count, models = len(series), len(board.names)
    sums = np.zeros((count, 2 * models + 1))
    np.add.at(sums, number, np.column_stack([board.absolute[rows], board.error[rows], board.actual[rows]]))
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=DRAWS) @ sums
    return _scores(drawn[:, :models], drawn[:, models : 2 * models], drawn[:, [-1]])


def choose_for_view(folds: Sequence[Fold], view: View, *, seed: int = 1) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the choice for each series at the view's origin, and the forecasts chosen, statistical and combined.

    Parameters
    ----------
    folds : sequence of Fold
        The back-test; only errors known at the view's origin choose.
    view : View
        What is known at the origin.
    seed : int
        Of the bootstrap.

    Returns
    -------
    choice : pandas.DataFrame
        ``customer_id, product_id, origin, state, pattern, periods, statistical`` (model of the pattern), ``model`` (the one
        used), ``reason``, ``kin_series`` (kin that it was forecast from) [count].
    forecasts : dict of str to numpy.ndarray
        ``chosen``, ``statistical``, ``combined`` (weighted mean of the statistical one and the customer's, its bias taken out;
        the statistical one where the customer sent none), series × horizon.
    """
    series = view.series
    board = score_board(folds, until=view.origin)
    patterns = sorted(series["pattern"].unique())
    by_pattern = choose_models(board, patterns=patterns, available=view.forecasts, seed=seed).set_index("pattern")
    statistical_model = np.where(series["fallback"] == "", series["pattern"].map(by_pattern["model"]), "mean").astype(str)
    statistical = pick_models(view.forecasts, statistical_model)
    pairs = customer_pairs(folds, until=view.origin, models=by_pattern["model"])
    use = choose_customers(pairs)
    combined = blend_forecasts(statistical, view, use)
    way = series["customer_id"].map(use["use"]).astype("object").fillna("statistical").to_numpy()
    plain = (series["fallback"] == "").to_numpy()
    there = np.isfinite(view.forecasts["customer"])
    chosen = np.where((plain & (way == "combined"))[:, None], combined, statistical)
    chosen = np.where((plain & (way == "customer"))[:, None] & there, view.forecasts["customer"], chosen)
    used = np.where(plain & there.any(axis=1) & (way != "statistical"), way, statistical_model)
    reason = np.where(used == statistical_model, series["pattern"].map(by_pattern["reason"]), "best_for_customer")
    return _choice(view, statistical_model, used, reason), {"chosen": chosen, "statistical": statistical, "combined": combined}


def pick_models(forecasts: Mapping[str, np.ndarray], names: np.ndarray) -> np.ndarray:
    """Return for each series the forecast of the model named for it."""
    result = np.full_like(forecasts["mean"], np.nan)
    for name in np.unique(names):
        result = np.where((names == name)[:, None], forecasts[name], result)
    return result


def _choice(view: View, statistical: np.ndarray, used: np.ndarray, reason: np.ndarray) -> pd.DataFrame:
    series = view.series
    plain = (series["fallback"] == "").to_numpy()
    rules = {"short": "mean", "few": "mean", "kin": "kin", "nothing_known": "none", "not_started": "none"}
    choice = series[[*SERIES, "state", "pattern", "periods", "kin_series"]].assign(origin=view.origin, statistical=statistical)
    choice["model"] = np.where(plain, used, series["fallback"].map(rules).fillna("zero"))
    choice["reason"] = np.where(plain, reason, series["kin"].where(series["fallback"] == "kin", series["fallback"]))
    return choice[CHOICE_COLUMNS]
