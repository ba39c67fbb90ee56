"""Every series' move has one cause, and the causes add up to the move of the total."""

from __future__ import annotations

import pandas as pd
import pytest

from cmi_analysis.forecasting.movement import CAUSES, explain_moves, sum_moves

NEXT = pd.to_datetime(["2024-06-03", "2024-06-10"])
OVER = pd.Timestamp("2024-05-27")


def said(values: dict[str, tuple[float, str]], periods: list[pd.Timestamp]) -> pd.DataFrame:
    rows = [("c", item, period, mean, model) for item, (mean, model) in values.items() for period in periods]
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "period", "mean", "model"])


def sold(values: dict[str, float]) -> pd.DataFrame:
    rows = [("c", item, OVER, demand) for item, demand in values.items()]
    return pd.DataFrame(rows, columns=["customer_id", "product_id", "period", "demand"])


def watched(reasons: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [("c", item, reason) for item, reason in reasons.items()], columns=["customer_id", "product_id", "reason"]
    )


def explain(then, now, demand=None, reasons=None):
    earlier = said(then, [OVER, *NEXT])
    return explain_moves(said(now, list(NEXT)), earlier, panel=sold(demand or {}), monitoring=watched(reasons or {}))


def cause(then, now, demand=None, reasons=None) -> str:
    item = {"p": then} if then else {"other": (1.0, "mean")}
    current = {"p": now} if now else {"other": (1.0, "mean")}
    moves, _ = explain(item, current, {"p": demand} if demand is not None else None, {"p": reasons} if reasons else None)
    return str(moves.set_index("product_id").loc["p", "cause"])


@pytest.mark.parametrize(
    ("then", "now", "demand", "reason", "expected"),
    [
        (None, (5.0, "mean"), None, None, "new"),
        ((5.0, "mean"), None, None, None, "gone"),
        ((5.0, "mean"), (0.0, "zero"), 0.0, None, "ended"),
        ((0.0, "zero"), (4.0, "mean"), 4.0, None, "returned"),
        ((5.0, "mean"), (9.0, "mean"), 20.0, "level_up", "level_up"),
        ((5.0, "mean"), (9.0, "mean"), 20.0, None, "sold_above"),
        ((5.0, "mean"), (9.0, "mean"), 20.0, "level_down", "sold_above"),
        ((5.0, "mean"), (9.0, "theta"), 20.0, None, "sold_above"),
        ((5.0, "mean"), (9.0, "theta"), 5.5, None, "model"),
        ((5.0, "mean"), (9.0, "mean"), 5.5, None, "sold_above"),
        ((5.0, "mean"), (3.0, "mean"), 1.0, None, "sold_below"),
        ((5.0, "mean"), (3.0, "mean"), 9.0, None, "same_model"),
        ((5.0, "mean"), (3.0, "mean"), 4.9, None, "same_model"),
        ((5.0, "mean"), (5.0, "theta"), 9.0, None, "unmoved"),
    ],
)
def test_the_first_cause_that_fits_is_told(then, now, demand, reason, expected):
    assert cause(then, now, demand, reason) == expected
    assert expected in CAUSES


def test_moves_and_causes_add_up_to_the_total():
    then = {"a": (5.0, "mean"), "b": (7.0, "mean"), "c": (2.0, "theta")}
    now = {"a": (9.0, "mean"), "b": (6.0, "theta"), "d": (1.0, "kin")}
    moves, periods = explain(then, now, {"a": 11.0, "b": 7.0})
    total = 2 * (9 + 6 + 1) - 2 * (5 + 7 + 2)
    assert moves["moved"].sum() == total == sum_moves(moves)["moved"].sum()
    assert (periods["expected_now"] - periods["expected_then"]).sum() == total
    assert periods["period"].tolist() == list(NEXT)
    assert sum_moves(moves)["items"].sum() == len(moves) == 4


def test_news_is_what_was_sold_of_the_periods_that_were_forecast_and_are_over():
    moves, _ = explain({"a": (5.0, "mean")}, {"a": (9.0, "mean")}, {"a": 11.0})
    assert moves[["said_since", "sold_since"]].iloc[0].tolist() == [5.0, 11.0]


def test_a_stock_out_that_hides_demand_is_no_news():
    moves, _ = explain({"a": (5.0, "mean")}, {"a": (4.0, "mean")}, {"a": float("nan")})
    assert moves["cause"].tolist() == ["same_model"]


def test_runs_without_a_period_in_common_cannot_be_compared():
    earlier = said({"a": (5.0, "mean")}, [OVER])
    moves, periods = explain_moves(said({"a": (9.0, "mean")}, list(NEXT)), earlier, panel=sold({}), monitoring=watched({}))
    assert moves.empty
    assert periods.empty


def test_input_stays_as_it_was():
    now, then = said({"a": (9.0, "mean")}, list(NEXT)), said({"a": (5.0, "mean")}, [OVER, *NEXT])
    kept = now.copy(), then.copy()
    explain_moves(now, then, panel=sold({}), monitoring=watched({}))
    pd.testing.assert_frame_equal(now, kept[0])
    pd.testing.assert_frame_equal(then, kept[1])
