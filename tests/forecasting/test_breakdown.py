"""The back-test by horizon, pattern and segment, against plain sums."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.breakdown import BREAKDOWN_COLUMNS, score_breakdown, with_naive_change


@pytest.fixture
def errors() -> pd.DataFrame:
    random = np.random.default_rng(4)
    rows = [
        (customer, product, pattern, "", origin, lead)
        for customer, product, pattern in (("a", "p", "smooth"), ("a", "q", "lumpy"), ("b", "p", "smooth"))
        for origin in pd.to_datetime(["2024-01-01", "2024-02-05"])
        for lead in (1, 2)
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "product_id", "pattern", "fallback", "origin", "lead"])
    frame["actual"], frame["mean"] = (
        random.integers(1, 20, len(frame)).astype(float),
        random.integers(1, 20, len(frame)).astype(float),
    )
    frame["naive_mean"], frame["naive_rms"] = 2.0, 3.0
    return frame.assign(q05=0.0, q80=frame["mean"] + 2, q95=frame["mean"] + 6)


def score(errors: pd.DataFrame, segments: pd.Series | None = None) -> pd.DataFrame:
    return score_breakdown(errors, errors, segments=segments, low="q05", high="q95")


@pytest.mark.parametrize(("split", "column"), [("horizon", "lead"), ("pattern", "pattern"), ("segment", "customer_id")])
def test_each_cell_is_the_ratio_of_its_sums(errors, split, column):
    table = score(errors, pd.Series({"a": "a", "b": "b"}))
    for cell, part in errors.groupby(column):
        row = table[(table["split"] == split) & (table["cell"] == str(cell))].iloc[0]
        miss = (part["mean"] - part["actual"]).to_numpy()
        assert row["wape"] == pytest.approx(np.abs(miss).sum() / part["actual"].sum())
        assert row["bias"] == pytest.approx(miss.sum() / part["actual"].sum())
        assert row["mase"] == pytest.approx(np.abs(miss).mean() / 2)
        assert row["rmsse"] == pytest.approx(np.sqrt((miss**2).mean()) / 3)
        loss = sum(0.8 * (a - q) if a >= q else 0.2 * (q - a) for a, q in zip(part["actual"], part["q80"], strict=True))
        assert row["pinball_80"] == pytest.approx(loss / part["actual"].sum())
        later = part[part["origin"] == part["origin"].max()]
        assert row["coverage"] == pytest.approx(((later["actual"] >= 0) & (later["actual"] <= later["q95"])).mean())


def test_without_segments_there_is_no_such_split(errors):
    table = score(errors)
    assert list(table.columns) == BREAKDOWN_COLUMNS
    assert set(table["split"]) == {"horizon", "sum", "pattern"}


def test_a_customer_without_a_segment_is_left_out_of_that_split_alone(errors):
    table = score(errors, pd.Series({"a": "loyal"}))
    assert table.loc[table["split"] == "segment", ["cell", "n"]].to_numpy().tolist() == [["loyal", 8]]
    assert table.loc[table["split"] == "pattern", "n"].sum() == len(errors)


def test_without_a_back_test_the_table_is_empty(errors):
    table = score(errors.iloc[:0])
    assert table.empty
    assert list(table.columns) == BREAKDOWN_COLUMNS


def test_scales_are_those_of_the_history_at_the_origin(errors):
    bare = errors.drop(columns=["naive_mean", "naive_rms"])
    backtest = bare[["customer_id", "product_id", "origin"]].drop_duplicates().assign(naive_rms=1.0)
    backtest["naive_mean"] = np.arange(len(backtest), dtype=float)
    scaled = with_naive_change(bare, backtest)
    assert len(scaled) == len(bare)
    both = scaled.merge(backtest, on=["customer_id", "product_id", "origin"], suffixes=("", "_told"))
    assert (both["naive_mean"] == both["naive_mean_told"]).all()
