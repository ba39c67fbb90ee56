from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from cmi_analysis.performance.ledger_scores import count_outcomes, score_past_alerts, score_past_forecasts, score_past_proposals

ITEM = {"customer_id": "c", "product_id": "p"}
SAID = pd.Timestamp("2024-01-07")  # a Sunday: the week of 1 January is complete
AS_OF = dt.date(2024, 1, 24)  # the week of 15 January is complete, that of 22 January is not


def test_earlier_forecasts_are_scored_by_horizon_beside_naive() -> None:
    weeks = pd.date_range("2024-01-01", periods=4, freq="W-MON")
    actual = pd.DataFrame({**ITEM, "period": weeks[:3], "quantity": [10.0, 20.0, 40.0]})
    said = pd.DataFrame({**ITEM, "as_of": SAID, "period": weeks[1:], "mean": [25.0, 30.0, 99.0]})
    found = score_past_forecasts(said, actual, frequency="week", week_start="Monday", as_of=AS_OF).set_index("horizon")
    assert found["wape"].tolist() == [pytest.approx(15 / 60), pytest.approx(5 / 20), pytest.approx(10 / 40)]
    assert found["wape_naive"].tolist() == [pytest.approx(40 / 60), pytest.approx(10 / 20), pytest.approx(30 / 40)]
    assert found.loc[0, "bias"] == pytest.approx((5 - 10) / 60)
    assert found.index.tolist() == [0, 1, 2]


def test_nothing_said_gives_nothing() -> None:
    none = pd.DataFrame({"as_of": [], "customer_id": [], "product_id": [], "period": [], "mean": []})
    assert score_past_forecasts(none, none, frequency="week", week_start="Monday", as_of=AS_OF).empty


def test_forecasts_of_periods_that_are_not_over_nothing_due_is_scored() -> None:
    actual = pd.DataFrame({**ITEM, "period": pd.to_datetime(["2024-01-01"]), "quantity": [10.0]})
    said = pd.DataFrame({**ITEM, "as_of": SAID, "period": pd.to_datetime(["2024-01-22"]), "mean": [1.0]})
    assert score_past_forecasts(said, actual, frequency="week", week_start="Monday", as_of=AS_OF).empty


def proposals(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({**ITEM, "as_of": [SAID], "order_on": pd.Timestamp("2024-01-10"), "quantity": 50.0, **columns})


def outcome(said: pd.DataFrame, *ordered: tuple[str, float], pack: float = 0.0, as_of: dt.date = AS_OF) -> str:
    orders = pd.DataFrame(
        {**ITEM, "ordered_on": pd.to_datetime([day for day, _ in ordered]), "quantity_ordered": [q for _, q in ordered]}
    )
    key = pd.MultiIndex.from_tuples([("c", "p")], names=["customer_id", "product_id"])
    found = score_past_proposals(
        said, orders, packs=pd.Series([pack], key), review_days=pd.Series([7.0], key), as_of=as_of, default_review=7
    )
    return found["outcome"].iloc[0]


@pytest.mark.parametrize(
    ("ordered", "pack", "expected"),
    [
        ([("2024-01-12", 54.0)], 0.0, "followed"),  # within 10 %
        ([("2024-01-12", 60.0)], 0.0, "other_quantity"),
        ([("2024-01-12", 60.0)], 12.0, "followed"),  # within a pack
        ([("2024-01-09", 30.0), ("2024-01-12", 20.0)], 0.0, "followed"),
        ([("2024-01-05", 50.0)], 0.0, "not_ordered"),  # before it was said
        ([("2024-01-18", 50.0)], 0.0, "not_ordered"),  # after a review period
        ([], 0.0, "not_ordered"),
    ],
)
def test_a_proposal_is_followed_within_a_pack_and_a_review(ordered: list[tuple[str, float]], pack: float, expected: str) -> None:
    assert outcome(proposals(), *ordered, pack=pack) == expected


def test_a_proposal_whose_days_are_not_over_is_open_unless_followed() -> None:
    assert outcome(proposals(), as_of=dt.date(2024, 1, 15)) == "open"
    assert outcome(proposals(), ("2024-01-12", 50.0), as_of=dt.date(2024, 1, 15)) == "followed"


@pytest.mark.parametrize(
    ("snapshots", "ordered", "expected"),
    [
        ([("2024-01-14", 0.0)], [], "came_true"),
        ([("2024-01-14", 5.0)], ["2024-01-08"], "ordered_in_time"),
        ([("2024-01-14", 5.0)], [], "did_not_come"),
        ([("2024-01-07", 0.0)], [], "unknown"),  # known when it was said
        ([], [], "unknown"),
    ],
)
def test_an_alert_that_worked_is_not_a_false_one(snapshots: list[tuple[str, float]], ordered: list[str], expected: str) -> None:
    said = pd.DataFrame({**ITEM, "as_of": [SAID], "alert": "will_stock_out", "echelon": "site"})
    stock = pd.DataFrame(
        {**ITEM, "date": pd.to_datetime([day for day, _ in snapshots]), "on_hand": [units for _, units in snapshots]}
    )
    orders = pd.DataFrame({**ITEM, "ordered_on": pd.to_datetime(ordered)})
    assert score_past_alerts(said, stock, orders, horizon_days=14, as_of=AS_OF)["outcome"].tolist() == [expected]
    expected = expected if expected == "came_true" else "open"
    assert score_past_alerts(said, stock, orders, horizon_days=28, as_of=AS_OF)["outcome"].tolist() == [expected]


def test_outcomes_are_counted_with_their_share() -> None:
    frame = pd.DataFrame({"outcome": ["followed", "followed", "open", "not_ordered"]})
    found = count_outcomes({"proposals": frame, "alerts": frame.iloc[:0]})
    assert found[["outcome", "cases", "share"]].values.tolist() == [
        ["followed", 2, 0.5], ["other_quantity", 0, 0.0], ["not_ordered", 1, 0.25], ["open", 1, 0.25],
    ]  # fmt: skip
