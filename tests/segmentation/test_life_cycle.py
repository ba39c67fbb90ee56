"""Life-cycle stages of products."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cmi_analysis.segmentation.life_cycle import classify_life_cycle

AS_OF = dt.date(2025, 12, 31)


def use(**products: dict[str, float]) -> pd.DataFrame:
    rows = [(product, pd.Timestamp(date), quantity) for product, made in products.items() for date, quantity in made.items()]
    return pd.DataFrame(rows, columns=["product_id", "date", "quantity"])


OLD = {"2023-01-02": 1.0}


MONTHLY = {f"2025-{month:02d}-01": 5.0 for month in range(1, 9)}


def stage(made: dict[str, float], **plans: object) -> str:
    products = pd.DataFrame({"product_id": ["P1"], **{name: [value] for name, value in plans.items()}}) if plans else None
    result = classify_life_cycle(use(P0=OLD, P1=made), as_of=AS_OF, products=products)
    return str(result.set_index("product_id").loc["P1", "life_stage"])


def test_half_a_year_is_held_against_the_same_half_year_before() -> None:
    assert stage({**OLD, "2024-10-01": 100.0, "2025-10-01": 119.0}) == "mature"
    assert stage({**OLD, "2024-10-01": 100.0, "2025-10-01": 120.0}) == "growth"
    assert stage({**OLD, "2024-10-01": 100.0, "2025-10-01": 80.0}) == "decline"


def test_a_season_is_not_growth() -> None:
    assert stage({**OLD, "2024-03-01": 5.0, "2024-11-01": 100.0, "2025-03-01": 5.0, "2025-11-01": 100.0}) == "mature"


def test_first_used_or_launched_within_half_a_year_is_a_launch() -> None:
    assert stage({"2025-08-15": 5.0, "2025-09-01": 5.0, "2025-12-01": 9.0}) == "launch"
    assert stage({**OLD, "2025-12-01": 9.0}, launched_on=pd.Timestamp("2025-08-01")) == "launch"


def test_quiet_or_announced_to_end_is_ending() -> None:
    assert stage({**MONTHLY, "2025-10-01": 5.0}) != "ending"
    assert stage(MONTHLY) == "ending"
    assert stage({**OLD, "2025-12-01": 5.0}, ends_on=pd.Timestamp("2026-05-01")) == "ending"


def test_silence_within_a_rare_product_s_rhythm_is_no_end_and_its_first_use_no_beginning() -> None:
    # used every 100 days: 122 silent days are nothing; two uses show no rhythm at all
    assert stage({"2025-02-12": 5.0, "2025-05-23": 5.0, "2025-08-31": 5.0}) != "ending"
    assert stage({"2025-03-01": 5.0, "2025-09-01": 5.0}) == "not_judged"
    assert stage({"2025-11-01": 5.0}) == "not_judged"


def test_monthly_rows_are_compared_over_the_same_six_months() -> None:
    # the same use every month of two years: with windows of days one year would hold one month more than the other
    months = pd.date_range("2023-01-01", "2025-12-01", freq="MS")
    frame = pd.DataFrame({"product_id": "P1", "date": months, "quantity": 10.0})
    result = classify_life_cycle(frame, as_of=AS_OF, frequency="month").iloc[0]
    assert (result["quantity"], result["quantity_year_ago"], result["life_stage"]) == (60.0, 60.0, "mature")


def test_a_product_at_the_start_of_short_data_is_neither_new_nor_judged() -> None:
    result = classify_life_cycle(use(P1={"2025-10-05": 3.0, "2025-12-01": 3.0}), as_of=AS_OF)
    assert result["life_stage"].tolist() == ["not_judged"]


def test_empty_input_and_unchanged_input() -> None:
    frame = use(P1=OLD)
    before = frame.copy()
    assert classify_life_cycle(frame.iloc[:0], as_of=AS_OF).empty
    classify_life_cycle(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, before)
