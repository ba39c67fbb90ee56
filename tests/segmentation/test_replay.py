"""Who would have been served when stock was short."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.segmentation.replay import replay_shortages, sum_replay

PRIORITIES = {"champions": 1, "loyal": 1, "promising": 2, "lost": 3}


def history(seed: int = 1, lines: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ordered = rng.integers(0, 50, lines).astype(float)
    return pd.DataFrame(
        {
            "customer_id": [f"C{n:03d}" for n in range(lines)],
            "segment": rng.choice(list(PRIORITIES), lines),
            "product_id": rng.choice(["P1", "P2"], lines),
            "warehouse_id": rng.choice(["W1", "W2"], lines),
            "period": rng.integers(0, 30, lines),
            "ordered": ordered,
            "delivered": np.floor(ordered * np.minimum(rng.random(lines) * 1.6, 1.2)),
        }
    )


def by_a_loop(lines: pd.DataFrame) -> dict[str, float]:
    served: dict[str, float] = {}
    for _, rows in lines.groupby(["warehouse_id", "product_id", "period"]):
        left = float(np.minimum(rows["delivered"], rows["ordered"]).sum())
        if left >= rows["ordered"].sum():
            continue
        for rank in sorted(set(PRIORITIES.values())):
            same = rows[rows["segment"].map(PRIORITIES) == rank]
            wanted = float(same["ordered"].sum())
            share = min(left / wanted, 1.0) if wanted else 0.0
            served |= {row.customer_id: row.ordered * share for row in same.itertuples()}
            left -= wanted * share
    return served


def test_the_shares_are_those_of_a_plain_loop() -> None:
    lines = history()
    result = replay_shortages(lines, priorities=PRIORITIES)
    expected = by_a_loop(lines)
    assert dict(zip(result["customer_id"], result["by_priority"], strict=True)) == pytest.approx(expected)


def test_what_came_is_shared_otherwise_and_nobody_gets_more_than_ordered() -> None:
    lines = history(2)
    result = replay_shortages(lines, priorities=PRIORITIES)
    keys = ["warehouse_id", "product_id", "period"]
    came = result.assign(came=np.minimum(result["delivered"], result["ordered"])).groupby(keys)[["came", "by_priority"]].sum()
    assert came["by_priority"].tolist() == pytest.approx(came["came"].tolist())
    assert (result["by_priority"] <= result["ordered"] + 1e-9).all()
    sums = sum_replay(result).set_index("segment")
    assert sums.loc[["champions", "loyal"], "served_by_priority"].min() > sums.loc["lost", "served_by_priority"]


def test_one_rank_for_all_is_a_fair_share_of_each_order() -> None:
    lines = history(3)
    result = replay_shortages(lines, priorities=dict.fromkeys(PRIORITIES, 1))
    keys = ["warehouse_id", "product_id", "period"]
    shares = (result["by_priority"] / result["ordered"].where(result["ordered"] > 0)).groupby([result[k] for k in keys])
    assert (shares.max() - shares.min()).max() == pytest.approx(0.0, abs=1e-9)


def test_row_order_and_input_stay_and_a_full_period_is_left_out() -> None:
    lines = history(4)
    before = lines.copy()
    result = replay_shortages(lines, priorities=PRIORITIES)
    pd.testing.assert_frame_equal(lines, before)
    pd.testing.assert_frame_equal(replay_shortages(lines.sample(frac=1, random_state=1), priorities=PRIORITIES), result)
    assert replay_shortages(lines.assign(delivered=lines["ordered"] + 1), priorities=PRIORITIES).empty


def test_a_segment_without_a_rank_and_a_negative_quantity_are_refused() -> None:
    with pytest.raises(InputError, match="no rank for lost"):
        replay_shortages(history(), priorities={"champions": 1, "loyal": 1, "promising": 2})
    with pytest.raises(InputError, match="a negative quantity"):
        replay_shortages(history().assign(ordered=-1.0), priorities=PRIORITIES)
