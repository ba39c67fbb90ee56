from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import ParameterError
from cmi_analysis.performance.builders import Sources
from cmi_analysis.performance.intervals import cluster_bootstrap, wilson_interval
from cmi_analysis.performance.scoring import DEFAULTS, score_kpis

AS_OF = {"as_of": "2024-02-15"}


def orders() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": list("1234"), "line": "1", "customer_id": ["a", "a", "b", "b"], "product_id": ["p", "q", "p", "q"],
            "ordered_on": pd.Timestamp("2024-01-01"), "promised_on": pd.to_datetime(["2024-01-10", "2024-02-10"] * 2),
            "delivered_on": pd.to_datetime(["2024-01-10", "2024-02-12", "2024-01-09", "2024-02-10"]),
            "quantity_ordered": [10.0, 30.0, 50.0, 10.0], "quantity_delivered": [10.0, 30.0, 50.0, 10.0],
        }
    )  # fmt: skip


def test_a_total_is_a_ratio_of_sums_not_a_mean_of_ratios() -> None:
    whole = score_kpis({"orders": orders()}, kpis=["order_fill"], settings=AS_OF)
    by = score_kpis({"orders": orders()}, kpis=["order_fill"], by=["customer_id"], settings=AS_OF)
    units = by[by["level"] == "units"]
    assert units["value"].tolist() == [0.25, 1.0]
    assert whole.loc[whole["level"] == "units", "value"].tolist() == [0.7]  # 70 of 100, not 62.5 %


def test_scopes_come_from_customers_and_products() -> None:
    tables = {
        "orders": orders(),
        "customers": pd.DataFrame({"customer_id": ["a", "b"], "customer_group": ["g", "g"]}),
        "products": pd.DataFrame({"product_id": ["p", "q"], "category": ["x", "y"]}),
    }
    found = score_kpis(tables, kpis=["otif"], by=["customer_group", "category"], settings=AS_OF)
    assert found[["customer_group", "category", "level", "value"]].values.tolist() == [
        ["g", "x", "lines", 1.0],
        ["g", "y", "lines", 0.5],
    ]


def test_a_period_that_is_not_over_is_marked() -> None:
    found = score_kpis({"orders": orders()}, kpis=["otif"], by=["month"], settings=AS_OF)
    lines = found[found["level"] == "lines"]
    assert lines["period"].dt.month.tolist() == [1, 2]
    assert lines["partial"].tolist() == [False, True]


def test_the_window_counts_by_due_date() -> None:
    found = score_kpis({"orders": orders()}, kpis=["otif"], settings={**AS_OF, "window_start": "2024-02-01"})
    assert found.loc[found["level"] == "lines", "n"].tolist() == [2.0]


@pytest.mark.parametrize(
    "change",
    [
        {"window_start": "2024-02-01"},
        {"as_of": "2024-02-11"},
        {"late_tolerance_days": 3},
        {"quantity_tolerance": 0.1},
        {"intervals": True},
    ],
)
def test_what_sources_keep_from_one_call_does_not_tell_in_the_next(change: dict[str, object]) -> None:
    kpis = ["otif", "order_fill", "delivered_share", "order_cycle_time_median", "turns"]
    tables = {
        "orders": orders(),
        "stock": pd.DataFrame(
            {"customer_id": "a", "product_id": "p", "date": pd.to_datetime(["2024-01-14", "2024-02-04"]), "on_hand": [4.0, 8.0]}
        ),
        "sales": pd.DataFrame(
            {"customer_id": "a", "product_id": "p", "date": pd.to_datetime(["2024-01-08", "2024-02-05"]), "quantity": [3.0, 5.0]}
        ),
    }
    shared = Sources(tables, DEFAULTS)
    score_kpis(shared, kpis=kpis, settings=AS_OF)
    score_kpis(shared, kpis=kpis, by=["month"], settings=AS_OF)
    fresh = score_kpis(tables, kpis=kpis, settings={**AS_OF, **change})
    pd.testing.assert_frame_equal(score_kpis(shared, kpis=kpis, settings={**AS_OF, **change}), fresh)


def test_a_kpi_without_its_tables_has_no_rows() -> None:
    found = score_kpis({"orders": orders()}, kpis=["turns", "sharing", "csat"], by=["month"], settings=AS_OF)
    assert found.empty and {"kpi", "period", "value"} <= set(found.columns)


@pytest.mark.parametrize(
    ("kpis", "by", "settings", "message"),
    [
        (["cover"], [], AS_OF, "'cover', defined only"),
        (["otfi"], [], AS_OF, "'otfi'"),
        (["otif"], ["colour"], AS_OF, "colour"),
        (["otif"], ["week", "month"], AS_OF, "one of week"),
        (["otif"], [], {**AS_OF, "tolerance": 1}, "'tolerance'"),
        (["otif"], [], {}, "as_of"),
    ],
)
def test_wrong_names_are_named(kpis: list[str], by: list[str], settings: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        score_kpis({"orders": orders()}, kpis=kpis, by=by, settings=settings)


def test_the_order_of_rows_does_not_matter_and_the_input_stays() -> None:
    frame = orders()
    settings = {**AS_OF, "intervals": True}
    one = score_kpis({"orders": frame}, kpis=["otif", "order_fill"], by=["customer_id"], settings=settings)
    two = score_kpis({"orders": frame.iloc[::-1]}, kpis=["otif", "order_fill"], by=["customer_id"], settings=settings)
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(frame, orders())


def test_what_happens_after_as_of_changes_nothing() -> None:
    later = orders().assign(order_id=list("5678"), ordered_on=pd.Timestamp("2024-03-01"), promised_on=pd.Timestamp("2024-03-02"))
    later["delivered_on"] = pd.Timestamp("2024-03-03")
    kpis = ["otif", "order_fill", "delivered_share", "order_cycle_time"]
    one = score_kpis({"orders": orders()}, kpis=kpis, settings=AS_OF)
    two = score_kpis({"orders": pd.concat([orders(), later])}, kpis=kpis, settings=AS_OF)
    pd.testing.assert_frame_equal(one, two)


def test_wilson_of_nothing_and_of_all() -> None:
    assert np.isnan(wilson_interval(0, 0)).all()
    assert wilson_interval(10, 10) == (pytest.approx(0.7225, abs=1e-4), pytest.approx(1.0))  # Brown, Cai, DasGupta: 1/(1 + z²/n)


def test_lines_of_one_order_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    passed = np.repeat(rng.random(40) < 0.7, 10).astype(float)
    parts = pd.DataFrame({"numerator": passed, "denominator": 1.0, "order": np.repeat(np.arange(40), 10), "line": np.arange(400)})
    whole = np.diff(cluster_bootstrap(parts, cluster="order"))
    alone = np.diff(cluster_bootstrap(parts, cluster="line"))
    assert whole > 2 * alone  # by the design effect of 10 equal lines: about 3.2 times
    assert cluster_bootstrap(parts, cluster="order") == cluster_bootstrap(parts, cluster="order")


def test_received_share_matches_the_order_of_the_period_before() -> None:
    months = pd.date_range("2023-10-01", periods=3, freq="MS")
    item = {"customer_id": "c", "product_id": "p"}
    orders_at_month_end = pd.DataFrame(
        {
            **item,
            "order_id": list("123"),
            "line": "1",
            "ordered_on": months + pd.offsets.MonthEnd(0),
            "quantity_ordered": [10.0, None, 20.0],
        }
    )
    stock = pd.DataFrame(
        {**item, "date": pd.date_range("2023-10-01", periods=4, freq="MS"), "on_hand": 1.0, "received": [7.0, 8.0, 9.0, 15.0]}
    )
    found = score_kpis(
        {"orders": orders_at_month_end, "stock": stock}, kpis=["delivered_share"], settings={**AS_OF, "frequency": "month"}
    )
    assert found[["numerator", "denominator", "basis"]].values.tolist() == [[23.0, 30.0, "received"]]
