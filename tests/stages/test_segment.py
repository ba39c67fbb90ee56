"""The segmentation of a group: what it takes from the book, what it says is missing, what a client may see."""

from __future__ import annotations

import dataclasses
import datetime as dt
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.demo import Demo, make_demo
from cmi_analysis.errors import ParameterError
from cmi_analysis.messages.segmentation import tell_segmentation
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.stages.forecasting import season_book
from cmi_analysis.stages.segment_book import priorities_of
from cmi_analysis.stages.segmentation import SegmentationResult, segment, segment_book
from cmi_analysis.tables import DataSet, Slice
from cmi_analysis.tables.dataset import Settings

AS_OF = dt.date(2026, 6, 28)
PARAMS = SegmentationParams()


@cache
def demo() -> Demo:
    return make_demo(size="small", seed=1)


@cache
def book() -> dict[str, pd.DataFrame]:
    return segment_book(demo().tables, as_of=AS_OF, params=PARAMS)


def cut(frames: dict[str, pd.DataFrame], members: list[str]) -> dict[str, pd.DataFrame]:
    kept = {}
    for name, frame in frames.items():
        own = "customer_id" in frame and name != "costs"
        kept[name] = frame.loc[frame["customer_id"].isin(members)].reset_index(drop=True) if own else frame
    return kept


def part(group: str = "North", *, with_book: bool = True, without: tuple[str, ...] = ()) -> Slice:
    tables = demo().tables
    customers = tables["customers"]
    members = customers.loc[customers["customer_group"] == group, "customer_id"].tolist()
    frames = {name: frame for name, frame in cut(dict(tables.frames), members).items() if name not in without}
    return Slice(group, AS_OF, dataclasses.replace(tables, frames=frames), book=cut(book(), members) if with_book else {})


@cache
def north() -> SegmentationResult:
    return segment(part(), PARAMS)


def small(orders: pd.DataFrame | None = None, **frames: pd.DataFrame) -> Slice:
    customers = pd.DataFrame({"customer_id": ["C1", "C2"], "customer_name": ["One", "Two"], "customer_group": "G"})
    products = pd.DataFrame({"product_id": ["P1"], "product_name": ["First"]})
    tables = {"customers": customers, "products": products, **frames}
    if orders is not None:
        tables["orders"] = orders
    return Slice("G", AS_OF, DataSet(tables, Settings(frequency="week")))


def weekly(customer: str, count: int, *, until: str = "2026-06-25") -> pd.DataFrame:
    days = pd.date_range(end=until, periods=count, freq="7D")
    names = [f"{customer}-{number}" for number in range(count)]
    return pd.DataFrame(
        {"order_id": names, "line": "1", "customer_id": customer, "product_id": "P1", "ordered_on": days, "quantity_ordered": 5.0}
    )


def test_a_group_keeps_the_scores_that_its_customers_have_in_the_whole_book() -> None:
    expected = book()["customer_scores"].set_index("customer_id")
    result = north().customers.set_index("customer_id")
    assert len(result) == 6
    for name in ("segment", "r_score", "f_score", "m_score", "value_class", "value"):
        assert result[name].sort_index().tolist() == expected.loc[sorted(result.index), name].tolist(), name


def test_without_a_book_the_group_alone_is_scored_and_the_result_says_so() -> None:
    result = segment(part(with_book=False), PARAMS)
    assert (result.facts["pooled"], result.facts["pool_customers"]) == (False, 6)
    assert (north().facts["pooled"], north().facts["pool_customers"]) == (True, 42)


def test_another_groups_rows_change_nothing_but_the_pool() -> None:
    """What is judged by a customer's own rows is the same with and without the others."""
    alone, pooled = segment(part(with_book=False), PARAMS).customers, north().customers
    own = [
        "customer_id",
        "days_since_last_order",
        "orders",
        "behaviour",
        "leaving_status",
        "regularity",
        "distance_km",
        "contract_level",
    ]
    pd.testing.assert_frame_equal(alone[own], pooled[own])


def test_frames_add_up_to_the_group() -> None:
    result = north()
    assert result.segments["customers"].sum() == result.behaviours["customers"].sum() == result.regions["customers"].sum() == 6
    assert result.moves["customers"].sum() == 6
    assert result.segments["value"].sum() == pytest.approx(result.customers["value"].sum())
    assert result.patterns["series"].sum() == len(result.series)
    assert result.months["customers_active"].iloc[-1] == (result.customers["orders"] > 0).sum()
    assert result.kpis.set_index("kpi")["value"]["value_at_risk"] == pytest.approx(result.leaving["value_at_risk"].sum())


def test_the_leaving_customer_of_the_demo_is_in_the_list() -> None:
    roles = demo().truth["roles"]
    who = roles.loc[roles["role"] == "leaving", "id"].iloc[0]
    assert north().leaving["customer_id"].tolist() == [who]


def test_the_order_of_rows_changes_nothing() -> None:
    first = part()
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in first.tables.frames.items()}
    books = {name: frame.sample(frac=1, random_state=2) for name, frame in first.book.items()}
    other = segment(dataclasses.replace(first, tables=dataclasses.replace(first.tables, frames=shuffled), book=books), PARAMS)
    for name in ("customers", "segments", "products", "patterns", "moves", "leaving", "regions", "months", "kpis"):
        pd.testing.assert_frame_equal(getattr(other, name), getattr(north(), name), obj=name)


def test_the_book_does_not_depend_on_the_order_of_rows_either() -> None:
    tables = demo().tables
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in tables.frames.items()}
    again = segment_book(dataclasses.replace(tables, frames=shuffled), as_of=AS_OF, params=PARAMS)
    for name, frame in book().items():
        pd.testing.assert_frame_equal(again[name], frame, obj=name)


def test_frozen_cut_points_are_taken_at_their_own_date() -> None:
    earlier = segment_book(demo().tables, as_of=AS_OF, params=SegmentationParams(cuts_on="2026-03-29"))
    assert set(earlier["rfm_cuts"]["cuts_on"]) == {pd.Timestamp("2026-03-29")}
    assert not earlier["rfm_cuts"]["cut_value"].equals(book()["rfm_cuts"]["cut_value"])


def test_an_aggregate_of_the_book_holds_no_customer() -> None:
    assert not {"customer_id", "customer_group", "account_id"} & {*book()["rfm_cuts"], *book()["category_seasons"]}
    assert (book()["category_seasons"]["customers"] >= 5).all()


def test_a_category_is_seasonal_in_the_segmentation_where_the_forecast_uses_a_season() -> None:
    seasons = book()["category_seasons"].set_index("category")["seasonal"]
    indices = season_book(demo().tables, as_of=AS_OF)
    used = indices[indices["category"] != ""].groupby("category")["used"].any()
    assert seasons.to_dict() == used.to_dict()
    assert seasons.any()
    turned = indices.assign(used=~indices["used"])
    other = segment_book(demo().tables, as_of=AS_OF, params=PARAMS, indices=turned)["category_seasons"]
    assert other.set_index("category")["seasonal"].to_dict() == (~used).to_dict()
    assert not set(book()["rfm_cuts"]["cut_value"]) & set(book()["customer_scores"]["value"])


def test_the_chinese_classes_are_used_when_asked_for() -> None:
    result = segment(part(with_book=False), SegmentationParams(segment_names="chinese"))
    assert result.segments["segment"].str.match("important|general").all()


def test_a_client_sees_no_cost_no_priority_and_no_worry() -> None:
    result = segment(part(), SegmentationParams(audience="client"))
    hidden = {"contribution", "margin", "handling_cost", "value_at_risk", "shortage_priority", "service_target", "leaving_status"}
    for name in ("customers", "segments", "leaving", "treatment", "months"):
        assert not hidden & set(getattr(result, name)), name
    assert result.missing["leaving"] == result.missing["treatment"] == "segmentation.missing.internal"
    assert not set(result.kpis["kpi"]) & {"value_at_risk", "value_at_risk_share", "customers_overdue"}


def test_without_orders_sales_stand_for_purchases() -> None:
    result = segment(part(with_book=False, without=("orders", "contracts", "warehouses")), PARAMS)
    assert (result.facts["basis"], result.facts["priced"]) == ("sales", True)
    assert result.customers["contract_level"].isna().all()
    assert set(result.customers["distance_band"]) == {""}


def test_without_prices_value_is_in_units() -> None:
    result = segment(small(weekly("C1", 30)), PARAMS)
    assert not result.facts["priced"]
    assert result.customers.set_index("customer_id").loc["C1", "value"] == 150.0
    assert result.customers["contribution"].isna().all()


def test_receipts_stand_in_where_there_is_nothing_else() -> None:
    days = pd.date_range("2026-01-04", periods=20, freq="7D")
    stock = pd.DataFrame({"customer_id": "C1", "product_id": "P1", "date": days, "on_hand": 1.0, "received": 2.0})
    assert segment(small(stock=stock), PARAMS).facts["basis"] == "received"


def test_short_history_says_why_nothing_moved_and_keeps_the_rest() -> None:
    result = segment(small(weekly("C1", 30)), PARAMS)
    assert result.missing["movement"] == "segmentation.missing.history"
    assert "value" not in result.missing
    assert result.months["value"].isna().all()


def test_a_customer_that_never_ordered_is_listed_without_a_segment() -> None:
    result = segment(small(weekly("C1", 30)), PARAMS).customers.set_index("customer_id")
    assert result.loc["C2", ["segment", "orders", "leaving_status"]].tolist() == ["no_orders", 0, "no_orders"]


def test_a_group_that_ordered_nothing_in_the_window_misses_its_sections() -> None:
    result = segment(small(weekly("C1", 3, until="2024-01-01")), PARAMS)
    assert {"value", "segments", "leaving", "stability"} <= set(result.missing)


OWN = """\
segments:
  Strategic: M5
  Core: M3-4
  Tail: M1-2
"""


def test_own_segments_are_used_in_book_and_report_under_their_own_names(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text(OWN, "utf-8")
    params = SegmentationParams(segment_rules_file=str(path))
    result = segment(part(with_book=False), params)
    assert set(result.segments["segment"]) <= {"Strategic", "Core", "Tail"}
    assert result.treatment["segment"].tolist() == ["Strategic", "Core", "Tail", "no_orders"]
    page = tell_segmentation(result, part(with_book=False), params)
    assert "Strategic" in page.sections["segments"].title


def test_cut_points_of_an_earlier_run_hold_on_with_their_version(tmp_path: Path) -> None:
    earlier = segment_book(demo().tables, as_of=AS_OF, params=SegmentationParams(cuts_on="2026-03-29"))["rfm_cuts"]
    earlier.to_parquet(tmp_path / "cuts.parquet")
    earlier.to_csv(tmp_path / "cuts.csv", index=False)
    for name in ("cuts.parquet", "cuts.csv"):
        kept = segment_book(demo().tables, as_of=AS_OF, params=SegmentationParams(cuts_file=str(tmp_path / name)))["rfm_cuts"]
        assert kept["cut_value"].tolist() == pytest.approx(earlier["cut_value"].tolist())
        assert set(kept["cuts_version"]) == set(earlier["cuts_version"]) != set(book()["rfm_cuts"]["cuts_version"])
        assert set(kept["cuts_on"]) == {pd.Timestamp("2026-03-29")}


def test_a_file_that_holds_no_cut_points_is_refused(tmp_path: Path) -> None:
    book()["rfm_cuts"].head(11).to_csv(tmp_path / "cuts.csv", index=False)
    with pytest.raises(ParameterError, match="four rising cut points"):
        segment_book(demo().tables, as_of=AS_OF, params=SegmentationParams(cuts_file=str(tmp_path / "cuts.csv")))
    with pytest.raises(ParameterError, match=r"gone\.parquet"):
        segment_book(demo().tables, as_of=AS_OF, params=SegmentationParams(cuts_file=str(tmp_path / "gone.parquet")))


def test_models_tiers_clusters_and_rules_of_the_book_are_aggregates() -> None:
    for name in ("segment_rules", "value_tiers", "customer_clusters", "purchase_models"):
        assert not {"customer_id", "customer_group", "account_id"} & set(book()[name]), name
    assert (book()["customer_clusters"]["customers"] >= 5).all()
    assert not set(book()["customer_clusters"]["value"]) & set(book()["customer_scores"]["value"])
    assert not set(book()["value_tiers"]["tier_from"]) & set(book()["customer_scores"]["value"])


def test_a_small_book_refuses_a_purchase_model_and_values_customers_by_their_rhythm() -> None:
    assert set(book()["purchase_models"]["model"]) == {"retention"}
    found = north().lifetimes
    assert set(found["lifetime_method"]) == {"rhythm"}
    leaving = found.set_index("customer_id").loc[north().leaving["customer_id"].iloc[0]]
    others = found.loc[found["customer_id"] != leaving.name]
    assert leaving["alive_chance"] < 0.5 < others["alive_chance"].min()
    assert (found["lifetime_value_low"] <= found["lifetime_value"] + 100).all()


def test_contribution_and_cost_to_serve_add_up() -> None:
    whale, customers = north().whale, north().customers
    assert whale["contribution"].sum() == pytest.approx(customers["contribution"].sum())
    assert whale["whale_share"].iloc[-1] == pytest.approx(1.0)
    assert (whale["margin"] - whale["handling_cost"]).tolist() == pytest.approx(whale["contribution"].tolist())
    served = customers["cost_to_serve"] * customers["orders"]
    assert served.tolist() == pytest.approx(customers["handling_cost"].tolist())


def test_a_client_sees_no_contribution_lifetime_value_or_relation() -> None:
    result = segment(part(), SegmentationParams(audience="client"))
    hidden = {"cost_to_serve", "whale_share", "lifetime_value", "alive_chance", "expected_orders", "relation_stage"}
    for field in dataclasses.fields(result):
        frame = getattr(result, field.name)
        assert not (isinstance(frame, pd.DataFrame) and hidden & set(frame)), field.name
    assert result.missing["contribution"] == result.missing["lifetime"] == "segmentation.missing.internal"


def test_a_big_book_of_random_buyers_is_fitted_and_a_small_group_takes_its_figures() -> None:
    """400 customers that order at random and stop: the purchase model is chosen, and a group of three shows its part."""
    rng = np.random.default_rng(6)
    rows = []
    for number in range(400):
        day, rate, stop = float(rng.integers(0, 500)), rng.gamma(1.0) / 40, rng.beta(1.0, 3.0)
        while day < 900:
            rows.append((f"C{number:03d}", pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(day)), float(rng.gamma(5, 20))))
            if rng.random() < stop:
                break
            day += rng.exponential(1 / rate)
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "unit_price"])
    orders = orders.assign(order_id=orders.index.astype(str), line="1", product_id="P1", quantity_ordered=1.0)
    names = sorted(set(orders["customer_id"]))
    customers = pd.DataFrame({"customer_id": names, "customer_name": names, "customer_group": "G"})
    tables = DataSet({"customers": customers, "products": demo().tables["products"].head(1), "orders": orders}, Settings())
    frames = segment_book(tables, as_of=AS_OF, params=PARAMS)
    assert (
        {"retention", "gamma_gamma"}
        < set(frames["purchase_models"]["model"])
        <= {"retention", "gamma_gamma", "bg_nbd", "mbg_nbd"}
    )
    members = names[:3]
    small_tables = dataclasses.replace(
        tables,
        frames={
            "customers": customers.head(3),
            "products": tables["products"],
            "orders": orders[orders["customer_id"].isin(members)].reset_index(drop=True),
        },
    )
    result = segment(Slice("G", AS_OF, small_tables, book=cut(frames, members)), PARAMS)
    whole = frames["customer_scores"].set_index("customer_id")["lifetime_value"]
    assert result.lifetimes.set_index("customer_id")["lifetime_value"].to_dict() == pytest.approx(whole[members].to_dict())


def test_the_rule_of_r_is_an_option_and_changes_the_cut_points() -> None:
    other = segment_book(demo().tables, as_of=AS_OF, params=SegmentationParams(cut_rule="rfm_r"))["rfm_cuts"]
    values = book()["customer_scores"]["orders"]
    cuts = other.loc[other["measure"] == "orders", "cut_value"]
    assert cuts.tolist() == pytest.approx((np.quantile(values, [0.2, 0.4, 0.6, 0.8]) + 1).tolist())
    assert set(other["rule"]) == {"rfm_r"}


def test_the_priorities_are_replayed_on_the_shortages_of_all_groups() -> None:
    """Shared otherwise, not more; and the lines are those of a hand count."""
    replay = book()["shortage_replay"]
    assert replay["short_by_priority"].sum() == pytest.approx(replay["short_delivered"].sum())
    assert (replay["short_by_priority"] <= replay["short_ordered"] + 1e-6).all()
    orders = demo().tables["orders"]
    end = pd.Timestamp(AS_OF)
    rows = orders[(orders["ordered_on"] > end - pd.Timedelta(days=365)) & (orders["ordered_on"] <= end - pd.Timedelta(days=30))]
    rows = rows[rows["quantity_delivered"].notna() & (rows["cancelled_by"].fillna("") != "customer")]
    week = rows["ordered_on"] - pd.to_timedelta(rows["ordered_on"].dt.day_of_week, unit="D")
    keys = [rows["warehouse_id"], rows["product_id"], week]
    came = rows[["quantity_ordered", "quantity_delivered"]].min(axis=1)
    short = came.groupby(keys).transform("sum") < rows["quantity_ordered"].groupby(keys).transform("sum") - 1e-9
    assert replay["short_ordered"].sum() == pytest.approx(rows.loc[short, "quantity_ordered"].sum())
    ranked = replay.merge(book()["customer_scores"][["customer_id", "segment"]], on="customer_id")
    ranked["rank"] = ranked["segment"].map(priorities_of(book()["segment_rules"]))
    sums = ranked.groupby("rank")[["short_ordered", "short_delivered", "short_by_priority"]].sum()
    assert sums.loc[1, "short_by_priority"] > sums.loc[1, "short_delivered"]


def test_a_group_sees_its_own_part_of_the_replay() -> None:
    treatment, replay = north().treatment, book()["shortage_replay"]
    own = replay[replay["customer_id"].isin(north().customers["customer_id"])]
    assert treatment["short_ordered"].sum() == pytest.approx(own["short_ordered"].sum())
    got = (treatment["served_by_priority"] * treatment["short_ordered"]).sum()
    assert got == pytest.approx(own["short_by_priority"].sum())
