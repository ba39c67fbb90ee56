"""The stage on the demo: the planted truth is found, a section without its table says so."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.params.models import ForecastingParams
from cmi_analysis.stages.forecast_frames import with_moves
from cmi_analysis.stages.forecasting import ForecastResult, forecast, forecast_book, ledger_frames
from cmi_analysis.stages.results import read_result, write_result
from cmi_analysis.tables import DataSet, Slice


@pytest.fixture(scope="module")
def as_of(demo: Any) -> Any:
    return (demo.tables["sales"]["date"].max() + pd.Timedelta(days=6)).date()


@pytest.fixture(scope="module")
def book(demo: Any, as_of: Any) -> dict[str, pd.DataFrame]:
    return forecast_book(demo.tables, as_of=as_of, params=ForecastingParams())


def planted(demo: Any, role: str) -> pd.Series:
    return demo.truth["roles"].set_index("role").loc[role]


def group_of(demo: Any, customer: str) -> str:
    return demo.tables["customers"].set_index("customer_id").loc[customer, "customer_group"]


def cut(demo: Any, group: str, as_of: Any, book: dict | None = None, without: tuple[str, ...] = ()) -> Slice:
    customers = demo.tables["customers"]
    members = set(customers.loc[customers["customer_group"] == group, "customer_id"])
    frames = {
        name: frame[frame["customer_id"].isin(members)] if "customer_id" in frame else frame
        for name, frame in demo.tables.frames.items()
        if name not in without
    }
    return Slice(group, as_of, DataSet(frames, demo.tables.settings), book=book or {})


@pytest.fixture(scope="module")
def biased(demo: Any, as_of: Any, book: dict) -> ForecastResult:
    return forecast(cut(demo, group_of(demo, planted(demo, "biased_forecast")["id"]), as_of, book), ForecastingParams())


def test_the_planted_bias_of_a_customers_forecast_is_found(demo, biased):
    truth = planted(demo, "biased_forecast")
    rows = biased.customers.set_index("customer_id")
    assert rows.loc[truth["id"], "bias_customer"] == pytest.approx(truth["value"] - 1, abs=0.10)


def test_every_item_of_the_group_has_one_row_per_period_ahead(biased):
    key = ["echelon", "customer_id", "product_id", "period", "of"]
    assert not biased.forecasts.duplicated(key).any()
    assert len(biased.forecasts) == len(biased.items) * 13
    assert (biased.forecasts[["mean", "q05", "q95"]] >= 0).all(axis=None)
    assert biased.forecasts["echelon"].unique().tolist() == ["site"]


def test_every_item_is_watched_and_what_is_found_is_its_doubt_unless_there_is_another(biased):
    watched = biased.items.merge(
        biased.monitoring[["customer_id", "product_id", "reason"]],
        on=["customer_id", "product_id"],
        how="left",
        suffixes=("", "_found"),
    )
    assert len(biased.monitoring) == len(biased.items) == len(watched)
    doubted = watched[watched["doubt"].isin(["change", "drift"])]
    assert (doubted["reason_found"].str.split("_").str[0].map({"level": "change", "drift": "drift"}) == doubted["doubt"]).all()
    assert not (watched["reason_found"].ne("") & watched["doubt"].eq("") & watched["state"].ne("dead")).any()


def test_an_even_item_that_triples_is_reported_with_its_levels_and_the_week_it_began(demo, as_of, book, biased):
    part = cut(demo, group_of(demo, planted(demo, "biased_forecast")["id"]), as_of, book)
    sales = part.tables["sales"]
    demand = biased.panel.groupby(["customer_id", "product_id"])["demand"].agg(["mean", "std", "size"]).query("size >= 104")
    even = (demand["mean"] / demand["std"]).idxmax()
    late = (sales["customer_id"] == even[0]) & (sales["product_id"] == even[1])
    late &= sales["date"] > pd.Timestamp(as_of) - pd.Timedelta(weeks=8)
    moved = sales.assign(quantity=sales["quantity"].where(~late, 3 * sales["quantity"]))
    tables = DataSet({**part.tables.frames, "sales": moved}, part.tables.settings)
    result = forecast(dataclasses.replace(part, tables=tables), ForecastingParams(horizon=4, folds=2))
    row = result.monitoring.set_index(["customer_id", "product_id"]).loc[even]
    assert row["reason"] == "level_up"
    assert abs((row["changed_on"] - (pd.Timestamp(as_of) - pd.Timedelta(weeks=8))).days) <= 14
    assert 2 <= row["level_after"] / row["level_before"] <= 4.5


def test_the_dying_product_is_forecast_at_zero(demo, as_of, book, biased):
    product = planted(demo, "ending")["id"]
    rows = biased.items[biased.items["product_id"] == product]
    group = demo.tables["assortment"].loc[demo.tables["assortment"]["product_id"] == product, "customer_id"].iloc[0]
    result = biased if len(rows) else forecast(cut(demo, group_of(demo, group), as_of, book), ForecastingParams())
    near = result.forecasts[result.forecasts["product_id"] == product]
    usual = result.panel[(result.panel["product_id"] == product)]["demand"].head(52).mean()
    assert len(near)
    assert near["mean"].mean() <= 0.05 * usual


def test_seasons_are_found_where_they_were_planted_and_nowhere_else(demo, book):
    newest = book["seasonal_indices"].loc[lambda frame: frame["origin"] == frame["origin"].max()]
    truth = demo.truth["seasons"]
    for category, part in truth.groupby("category"):
        found = newest[newest["category"] == category].set_index("season")["index"]
        months = part.groupby(part["date"].dt.month)["factor"].mean()
        if months.max() - months.min() > 0.2:
            assert np.corrcoef(found.loc[months.index], months)[0, 1] > 0.9
        else:
            assert (found == 1).all()


def test_what_is_forecast_adds_value_over_naive(biased):
    rows = biased.accuracy[(biased.accuracy["scope"] == "all") & (biased.accuracy["measure"] == "sum")].set_index("step")
    assert rows.loc["chosen", "wape"] < rows.loc["naive", "wape"]


def test_nine_of_ten_actuals_lie_inside_the_ninety_per_cent_interval(biased):
    row = biased.coverage[(biased.coverage["measure"] == "period") & (biased.coverage["pattern"] == "")].iloc[0]
    assert 0.85 <= row["coverage"] <= 0.96


def test_without_customer_forecasts_that_section_says_so(demo, as_of, book):
    part = cut(
        demo, demo.tables["customers"]["customer_group"].iloc[0], as_of, book, without=("customer_forecasts", "returns", "stock")
    )
    result = forecast(part, ForecastingParams(folds=2, horizon=4))
    assert result.missing["customer_forecast"] == "forecasting.missing.customer_forecasts"
    assert set(result.missing) == {"customer_forecast", "movement"}
    assert result.customers.empty


def test_an_order_book_alone_is_forecast_for_the_warehouse(demo, as_of):
    part = cut(demo, demo.tables["customers"]["customer_group"].iloc[0], as_of, without=("sales", "stock", "customer_forecasts"))
    result = forecast(part, ForecastingParams(folds=2, horizon=4))
    assert result.echelon == "warehouse"
    assert result.forecasts["echelon"].unique().tolist() == ["warehouse"]
    assert result.season_source == "slice"


def test_a_group_without_any_demand_is_refused_in_words(as_of):
    empty = DataSet({"sales": pd.DataFrame({"customer_id": [], "product_id": [], "date": [], "quantity": []})})
    with pytest.raises(InputError, match="a table 'sales' or 'orders' with quantities"):
        forecast(Slice("none", as_of, empty), ForecastingParams())


def test_a_week_of_history_gives_forecasts_and_says_that_accuracy_is_unknown(demo, as_of):
    part = cut(
        demo, demo.tables["customers"]["customer_group"].iloc[0], as_of, without=("stock", "assortment", "customer_forecasts")
    )
    sales = part.tables["sales"]
    short = DataSet({**part.tables.frames, "sales": sales[sales["date"] == sales["date"].max()]}, part.tables.settings)
    result = forecast(dataclasses.replace(part, tables=short), ForecastingParams())
    assert set(result.missing) == {"customer_forecast", "accuracy", "bias", "movement"}
    assert (result.items["reason"].isin(["short", "all_zeros"])).all()
    assert result.folds == 0


def test_the_result_is_written_and_read_back_the_same(biased, tmp_path):
    write_result(biased, tmp_path)
    again = read_result(ForecastResult, tmp_path)
    pd.testing.assert_frame_equal(again.forecasts, biased.forecasts, check_dtype=False)
    assert again.frequency == "week"
    assert again.missing == biased.missing


def test_the_ledger_keeps_the_forecasts(biased):
    assert list(ledger_frames(biased)) == ["forecasts"]


def test_the_tables_are_left_as_they_were_and_nothing_warns(demo, as_of, book):
    part = cut(demo, demo.tables["customers"]["customer_group"].iloc[-1], as_of, book)
    before = {name: frame.copy() for name, frame in part.tables.frames.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecast(part, ForecastingParams(folds=1, horizon=3))
    for name, frame in before.items():
        pd.testing.assert_frame_equal(part.tables[name], frame)


def test_the_book_names_no_customer(book):
    assert list(book["seasonal_indices"]) == ["origin", "category", "season", "index", "n", "used"]


def test_the_forecast_says_what_moved_since_the_run_that_the_ledger_holds(demo, as_of, book, biased):
    part = cut(demo, group_of(demo, planted(demo, "biased_forecast")["id"]), as_of, book)
    said = biased.forecasts.assign(mean=biased.forecasts["mean"] * 0.5, as_of=pd.Timestamp("2024-01-01"), published_rank=1)
    part = dataclasses.replace(part, ledger={"forecasts": said})
    moved = with_moves(biased, part, lang="en")
    assert moved.compared_on == "2024-01-01"
    assert "movement" not in moved.missing
    total = biased.forecasts["mean"].sum()
    assert moved.moves["moved"].sum() == pytest.approx(total / 2)
    assert moved.move_causes["moved"].sum() == pytest.approx(total / 2)
    assert biased.missing["movement"] == "forecasting.missing.earlier_run"


def test_without_an_earlier_run_nothing_has_moved(demo, as_of, book, biased):
    part = cut(demo, group_of(demo, planted(demo, "biased_forecast")["id"]), as_of, book)
    assert with_moves(biased, part, lang="en") is biased


def test_items_have_a_scaled_error(biased):
    assert biased.items["mase"].notna().mean() > 0.5
