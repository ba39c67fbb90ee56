"""Tiers by stated boundaries and the whale curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.tiers import classify_tiers, fit_tiers, table_whale_curve


def tier_counts(values: list[float]) -> list[int]:
    series = pd.Series(values)
    return classify_tiers(series, tiers=fit_tiers(series)).value_counts().reindex(["high", "mid", "low"]).fillna(0).tolist()


def test_two_of_ten_are_high_and_three_more_are_mid() -> None:
    assert tier_counts([float(v) for v in range(1, 11)]) == [2, 3, 5]


def test_equal_customers_share_a_tier_the_higher_one() -> None:
    assert tier_counts([9.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0]) == [5, 0, 5]
    assert tier_counts([7.0] * 5) == [5, 0, 0]


def test_who_brought_nothing_is_low_and_moves_no_boundary() -> None:
    values = pd.Series([100.0, 50.0, 40.0, 10.0, 5.0])
    tiers = fit_tiers(values)
    pd.testing.assert_frame_equal(fit_tiers(pd.concat([values, pd.Series([0.0, -20.0])])).iloc[:, :2], tiers.iloc[:, :2])
    assert classify_tiers(pd.Series([0.0, -20.0]), tiers=tiers).tolist() == ["low", "low"]


def test_no_boundary_is_a_customers_own_value() -> None:
    values = pd.Series(np.random.default_rng(1).lognormal(5, 1, 60))
    assert not set(fit_tiers(values)["tier_from"]) & set(values)


@pytest.mark.parametrize("unit", [0.01, 7.3])
def test_the_currency_changes_no_tier(unit: float) -> None:
    values = pd.Series(np.random.default_rng(2).lognormal(5, 1, 60))
    plain, other = (classify_tiers(v, tiers=fit_tiers(v)) for v in (values, values * unit))
    pd.testing.assert_series_equal(plain, other)


def test_shares_the_wrong_way_round_are_refused_and_nobody_gives_no_tiers() -> None:
    with pytest.raises(InputError, match=r"0.5 and 0.2"):
        fit_tiers(pd.Series([1.0]), high_share=0.5, mid_share=0.2)
    empty = fit_tiers(pd.Series([], dtype="float64"))
    assert empty.empty
    assert classify_tiers(pd.Series([5.0]), tiers=empty).tolist() == ["low"]


def test_the_whale_curve_rises_above_all_and_ends_at_all() -> None:
    frame = pd.DataFrame({"customer_id": list("abcd"), "contribution": [-30.0, 100.0, 50.0, None]})
    curve = table_whale_curve(frame)
    assert curve["customer_id"].tolist() == ["b", "c", "a"]
    assert curve["whale_share"].tolist() == pytest.approx([100 / 120, 150 / 120, 1.0])
    assert curve["customers_share"].tolist() == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert table_whale_curve(frame.assign(contribution=-1.0))["whale_share"].isna().all()
    assert table_whale_curve(frame.iloc[:0]).empty
