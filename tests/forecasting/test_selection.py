"""The standard combination is used unless the back-test beats it by more than chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.backtest import Fold, View
from cmi_analysis.forecasting.customer import choose_customers, correction_factors, customer_pairs
from cmi_analysis.forecasting.selection import choose_models, score_board

DAYS = pd.date_range("2024-01-01", periods=60, freq="W-MON")
SERIES = 40


def fold(origin: int, errors: dict[str, float], *, pattern: str = "smooth", series: int = SERIES, seed: int = 0) -> Fold:
    """An origin at which each model misses a demand of 10 by a normal error of the given size, the same draws for all."""
    draws = np.random.default_rng([seed, origin]).normal(0, 1, (series, 4))
    names = [f"P{k:02d}" for k in range(series)]
    frame = pd.DataFrame({"customer_id": [f"C{k % 2}" for k in range(series)], "product_id": names, "pattern": pattern})
    frame = frame.assign(state="active", periods=50, fallback="", scale=1.0)
    forecasts = {name: 10.0 + size * draws for name, size in errors.items()}
    forecasts.setdefault("customer", np.full((series, 4), np.nan))
    view = View(DAYS[origin], DAYS[origin + 1 : origin + 5], frame, forecasts, np.ones((series, 4)))
    return Fold(view, np.full((series, 4), 10.0), np.full((series, 4), 10.0), np.ones((series, 4)))


def choose(folds: list[Fold], until: int = 50, available: tuple[str, ...] = ("combination", "tsb", "mean")) -> tuple[str, str]:
    board = score_board(folds, until=DAYS[until])
    found = choose_models(board, patterns=["smooth"], available=available).iloc[0]
    return found["model"], found["reason"]


def test_a_model_that_is_better_everywhere_is_chosen():
    folds = [fold(origin, {"combination": 3, "tsb": 2}) for origin in (10, 20, 30)]
    assert choose(folds) == ("tsb", "best_by_pattern")


def test_a_gain_at_one_origin_of_three_does_not_replace_the_standard():
    sizes = {10: (3, 0.5), 20: (3, 3.3), 30: (3, 3.3)}
    folds = [fold(origin, {"combination": ours, "tsb": other}) for origin, (ours, other) in sizes.items()]
    assert choose(folds) == ("combination", "a_priori_holds")


def test_a_gain_of_less_than_a_tenth_does_not_replace_the_standard():
    folds = [fold(origin, {"combination": 3, "tsb": 2.8}) for origin in (10, 20, 30)]
    assert choose(folds) == ("combination", "a_priori_holds")


def test_two_origins_are_too_few_to_replace_the_standard():
    assert choose([fold(origin, {"combination": 3, "tsb": 1}) for origin in (10, 20)]) == ("combination", "a_priori_holds")


def test_a_gain_in_a_handful_of_series_does_not_replace_the_standard():
    folds = [fold(origin, {"combination": 3, "tsb": 3}) for origin in (10, 20, 30)]
    for one in folds:
        one.view.forecasts["tsb"][0] = 10.0
    assert choose(folds) == ("combination", "a_priori_holds")


def test_bias_counts_beside_the_error():
    folds = [fold(origin, {"combination": 3, "tsb": 0}) for origin in (10, 20, 30)]
    for one in folds:
        one.view.forecasts["tsb"][:] = 8.0  # an absolute error of 2 against 2.4, and as much bias
    assert choose(folds)[0] == "combination"


def test_errors_of_later_periods_choose_nothing():
    assert choose([fold(30, {"combination": 3, "tsb": 1})], until=30) == ("combination", "a_priori")


def test_only_periods_known_by_then_count():
    board = score_board([fold(30, {"combination": 3, "tsb": 1})], until=DAYS[32])
    assert set(board.count) == {2}


def test_few_errors_choose_nothing():
    assert choose([fold(10, {"combination": 3, "tsb": 1}, series=4)]) == ("combination", "a_priori")


def test_the_customers_forecast_is_never_the_model_of_a_pattern():
    folds = [fold(origin, {"combination": 3, "customer": 0}) for origin in (10, 20, 30)]
    assert choose(folds)[0] == "combination"


def test_without_a_global_model_the_combination_of_the_others_is_the_standard():
    assert choose([], available=("combination", "theta"))[0] == "combination"


def use(theirs: float) -> pd.DataFrame:
    folds = [fold(origin, {"combination": 3, "customer": theirs}, seed=origin) for origin in (10, 20, 30)]
    for one in folds:  # errors of their own, not ours made larger or smaller
        one.view.forecasts["customer"] = one.view.forecasts["customer"][::-1]
    pairs = customer_pairs(folds, until=DAYS[50], models=pd.Series({"smooth": "combination"}))
    return choose_customers(pairs)


def test_a_better_customer_is_believed_and_a_worse_one_is_not():
    assert set(use(40.0)["use"]) == {"statistical"}
    assert set(use(1.0)["use"]) <= {"customer", "combined"}


def test_the_weight_follows_the_customers_past_and_is_shrunk_to_one_half():
    better, worse = use(1.0)["weight"], use(9.0)["weight"]
    assert (better > 0.7).all()
    assert (worse < 0.3).all()
    assert (worse > 0).all()


def test_the_weight_is_the_shrunk_minimum_of_the_absolute_error():
    pairs = pd.DataFrame({"customer_id": "C", "actual": 10.0, "ours": [14.0, 6.0] * 30, "theirs": [8.0, 12.0] * 30})
    # the error cancels where w·2 = (1 − w)·4, so w = 2/3; on a grid of 0.05 that is 0.65; 60 errors against a prior of 60
    assert choose_customers(pairs)["weight"]["C"] == (60 * 0.65 + 30) / 120


def test_a_third_too_much_is_corrected_but_never_by_more_than_half():
    over = pd.DataFrame({"customer_id": "C", "actual": 10.0, "mean": [13.0] * 2000})
    assert abs(correction_factors(over)["C"] - 10 / 13) < 0.01
    wild = pd.DataFrame({"customer_id": "C", "actual": 10.0, "mean": [500.0] * 2000})
    assert correction_factors(wild)["C"] == 0.5


def test_no_known_error_leaves_the_standard_models():
    assert choose([]) == ("combination", "a_priori")
    pairs = customer_pairs([], until=DAYS[50], models=pd.Series({"smooth": "tsb"}))
    assert choose_customers(pairs).empty
