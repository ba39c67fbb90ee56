from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.measures.lead_time import collect_lead_times, fit_lead_times, score_lead_times
from cmi_analysis.measures.lead_time_parts import (
    collect_parts,
    combine_parts,
    count_date_flaws,
    fit_parts,
    mix_suppliers,
    replace_waiting,
    score_supplier_shares,
)

AS_OF = dt.date(2024, 6, 30)
DAY = pd.Timedelta(days=1)
BY = [["customer_id"], ["customer_id", "product_id"]]


def orders(count: int = 1, **changes: object) -> pd.DataFrame:
    start = pd.Timestamp("2024-03-01")
    frame = pd.DataFrame(
        {
            "order_id": [str(n) for n in range(count)],
            "line": "1",
            "customer_id": "c",
            "product_id": "p",
            "ordered_on": start,
            "quantity_ordered": 1.0,
            "picked_on": start + 4 * DAY,
            "shipped_on": start + 5 * DAY,
            "delivered_on": start + 8 * DAY,
        }
    )
    return frame.assign(**changes)


def days_of(table: pd.DataFrame) -> dict[str, tuple[float, str]]:
    return {row.part: (row.days, row.source) for row in table.itertuples()}


def test_each_part_has_its_own_dates() -> None:
    assert days_of(collect_parts(orders(), as_of=AS_OF)) == {
        "waiting": (4.0, "dates"),
        "handling": (1.0, "dates"),
        "transport": (3.0, "dates"),
    }


def test_the_clock_starts_at_a_later_release() -> None:
    table = collect_parts(orders(released_on=pd.Timestamp("2024-03-03")), as_of=AS_OF)
    assert days_of(table)["waiting"] == (2.0, "dates")


def test_without_picking_the_time_to_shipping_is_split_and_says_so() -> None:
    table = collect_parts(orders().drop(columns="picked_on"), as_of=AS_OF, handling_days=2)
    assert days_of(table) == {"waiting": (3.0, "split"), "handling": (2.0, "split"), "transport": (3.0, "dates")}


def test_without_picking_or_a_parameter_handling_is_the_lower_quartile() -> None:
    start = pd.Timestamp("2024-03-01")
    shipped = [start + days * DAY for days in (1, 1, 2, 9)]
    table = collect_parts(orders(4, picked_on=pd.NaT, shipped_on=shipped), as_of=AS_OF)
    assert table.loc[table["part"] == "handling", "days"].tolist() == [1.0] * 4
    assert table.loc[table["part"] == "waiting", "days"].tolist() == [0.0, 0.0, 1.0, 8.0]


def test_a_line_with_nothing_but_its_arrival_is_whole() -> None:
    table = collect_parts(orders(picked_on=pd.NaT, shipped_on=pd.NaT), as_of=AS_OF)
    assert days_of(table) == {"transport": (8.0, "whole")}


def test_open_lines_are_open_in_the_part_they_are_in() -> None:
    blank = {"picked_on": pd.NaT, "shipped_on": pd.NaT, "delivered_on": pd.NaT}
    waiting = collect_parts(orders(**blank), as_of=dt.date(2024, 3, 10))
    assert waiting[["part", "days", "arrived", "source"]].values.tolist() == [["waiting", 9.0, False, "open"]]
    under_way = collect_parts(orders(delivered_on=pd.NaT), as_of=dt.date(2024, 3, 10))
    assert under_way[["part", "days", "arrived"]].values.tolist() == [
        ["handling", 1.0, True],
        ["transport", 4.0, False],
        ["waiting", 4.0, True],
    ]


def test_a_part_that_ends_before_it_began_is_counted_out_and_labelled() -> None:
    table = collect_parts(orders(delivered_on=pd.Timestamp("2024-03-02")), as_of=AS_OF)
    row = table[table["part"] == "transport"].iloc[0]
    assert (row["source"], row["arrived"]) == ("negative", False)
    assert np.isnan(row["days"])
    assert set(fit_parts(table, by=[["customer_id"]])["part"]) == {"waiting", "handling"}


def test_negative_zero_and_undated_lines_are_counted() -> None:
    start = pd.Timestamp("2024-03-01")
    frame = orders(
        5, ordered_on=[start, start, start, pd.NaT, start], delivered_on=[start - DAY, start, start + DAY, start, pd.NaT]
    )
    flaws = count_date_flaws(frame).set_index("flaw")
    assert flaws["lines"].to_dict() == {"negative": 1, "zero": 1, "no_start": 1}
    assert flaws.loc["negative", "share"] == pytest.approx(0.2)


def test_parts_add_up_to_the_lead_time_of_independent_parts() -> None:
    random = np.random.default_rng(3)
    start = pd.Timestamp("2024-03-01")
    waiting, handling, transport = (random.integers(0, top, 600) for top in (7, 3, 5))
    frame = orders(
        600,
        picked_on=start + pd.to_timedelta(waiting, unit="D"),
        shipped_on=start + pd.to_timedelta(waiting + handling, unit="D"),
        delivered_on=start + pd.to_timedelta(waiting + handling + transport, unit="D"),
    )
    combined = combine_parts(fit_parts(collect_parts(frame, as_of=AS_OF), by=BY), by=BY[-1])
    whole = fit_lead_times(collect_lead_times(frame, as_of=AS_OF), by=BY)
    mean, direct = ((table["days"] * table["probability"]).sum() for table in (combined, whole))
    assert mean == pytest.approx(direct, abs=0.02)
    both = combined.merge(whole, on="days", how="outer", suffixes=("", "_direct")).fillna(0.0)
    assert (both["probability"] - both["probability_direct"]).abs().max() < 0.03
    assert combined["missing"].unique().tolist() == [""]


def test_convolution_equals_a_plain_loop() -> None:
    parts = pd.DataFrame(
        {
            "customer_id": "c",
            "part": ["waiting"] * 2 + ["handling"] * 2 + ["transport"] * 2,
            "days": [0.0, 4.0, 1.0, 2.0, 3.0, 5.0],
            "probability": [0.7, 0.3, 0.5, 0.5, 0.9, 0.1],
        }
    )
    truth: dict[float, float] = {}
    for a, p in ((0, 0.7), (4, 0.3)):
        for b, q in ((1, 0.5), (2, 0.5)):
            for c, r in ((3, 0.9), (5, 0.1)):
                truth[a + b + c] = truth.get(a + b + c, 0.0) + p * q * r
    combined = combine_parts(parts, by=["customer_id"])
    assert combined["days"].tolist() == sorted(truth)
    assert combined["probability"].tolist() == pytest.approx([truth[day] for day in sorted(truth)])


def test_another_delay_of_our_warehouse_moves_only_the_waiting() -> None:
    parts = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b"],
            "part": ["waiting", "transport"] * 2,
            "days": [6.0, 2.0, 8.0, 3.0],
            "probability": 1.0,
        }
    )
    plan = pd.DataFrame({"customer_id": ["a", "a"], "days": [0.0, 1.0], "probability": [0.9, 0.1]})
    before = parts.copy()
    combined = combine_parts(replace_waiting(parts, waiting=plan, by=["customer_id"]), by=["customer_id"])
    assert combined[["customer_id", "days", "probability"]].values.tolist() == [
        ["a", 2.0, 0.9],
        ["a", 3.0, 0.1],
        ["b", 11.0, 1.0],
    ]
    pd.testing.assert_frame_equal(parts, before)


def test_missing_parts_are_named() -> None:
    parts = pd.DataFrame({"customer_id": ["c"], "part": ["transport"], "days": [2.0], "probability": [1.0]})
    assert combine_parts(parts, by=["customer_id"])["missing"].tolist() == ["waiting+handling"]


def test_negative_parts_or_half_distributions_are_errors() -> None:
    parts = pd.DataFrame({"customer_id": ["c"], "part": ["transport"], "days": [-2.0], "probability": [1.0]})
    with pytest.raises(InputError, match="zero or more days"):
        combine_parts(parts, by=["customer_id"])
    with pytest.raises(InputError, match="sum to 1"):
        replace_waiting(parts.assign(days=1.0), waiting=pd.DataFrame({"days": [1.0], "probability": [0.4]}), by=["customer_id"])
    with pytest.raises(InputError, match="shares and lead times"):
        mix_suppliers(
            pd.DataFrame({"supplier_id": ["s"], "days": [-1.0], "probability": [1.0]}),
            shares=pd.DataFrame({"product_id": ["p"], "supplier_id": ["s"], "share": [1.0]}),
        )


def test_several_suppliers_are_mixed_by_their_share_of_orders() -> None:
    purchases = pd.DataFrame(
        {"product_id": ["p", "p", "p", "q"], "supplier_id": ["s", "s", "t", "u"], "quantity": [10.0, 20.0, 10.0, 0.0]}
    )
    shares = score_supplier_shares(purchases)
    assert shares.values.tolist() == [["p", "s", 0.75], ["p", "t", 0.25], ["q", "u", 1.0]]
    times = pd.DataFrame(
        {"supplier_id": ["s", "s", "t"], "product_id": "p", "days": [10.0, 20.0, 20.0], "probability": [0.5, 0.5, 1.0]}
    )
    mixed = mix_suppliers(times, shares=shares)
    assert mixed.values.tolist() == [["p", 10.0, 0.375, 1.0], ["p", 20.0, 0.625, 1.0]]


def test_a_supplier_without_lead_times_is_left_out_and_told() -> None:
    shares = pd.DataFrame({"product_id": "p", "supplier_id": ["s", "t"], "share": [0.6, 0.4]})
    mixed = mix_suppliers(pd.DataFrame({"supplier_id": ["s"], "days": [5.0], "probability": [1.0]}), shares=shares)
    assert mixed.values.tolist() == [["p", 5.0, 1.0, 0.6]]


def test_received_orders_alone_understate_the_late_tail() -> None:
    # orders of the last 100 days, lead times of 10 to 90 days: at as_of the long ones are still open
    random = np.random.default_rng(9)
    as_of = pd.Timestamp("2024-06-30")
    ordered = as_of - pd.to_timedelta(random.integers(0, 100, 4000), unit="D")
    took = random.choice([10, 30, 60, 78, 90], 4000, p=[0.3, 0.35, 0.2, 0.11, 0.04])
    arrived = ordered + pd.to_timedelta(took, unit="D")
    frame = orders(4000, ordered_on=ordered, delivered_on=arrived.where(arrived <= as_of))
    rows = collect_lead_times(frame, as_of=as_of.date())
    received = np.quantile(rows.loc[rows["arrived"], "days"], 0.95, method="inverted_cdf")
    pmf = fit_lead_times(rows, by=[["customer_id"]])
    p95 = score_lead_times(rows, pmf, by=["customer_id"], as_of=as_of.date())["p95_days"].iloc[0]
    assert np.quantile(took, 0.95, method="inverted_cdf") == 78
    assert received == 60.0
    assert p95 == 78.0
