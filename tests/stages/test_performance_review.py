from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from cmi_analysis.messages.performance_review import tell_performance_review
from cmi_analysis.params.models import PerformanceReviewParams
from cmi_analysis.stages.performance_review import ReviewResult, review, review_book
from cmi_analysis.tables import DataSet, Settings, Slice
from cmi_analysis.tables.slicing import slice_as_of

PARAMS = PerformanceReviewParams()
AS_OF = dt.date(2024, 12, 29)
WEEKS = pd.date_range("2023-01-02", "2024-12-23", freq="W-MON")
ITEM = {"customer_id": "c", "product_id": "p"}


def book_of_orders(late_from: int = 80) -> pd.DataFrame:
    """One line of 10 units a week, due after a week; from week `late_from` on delivered three days late."""
    due = WEEKS + pd.Timedelta(days=7)
    late = pd.to_timedelta([3 if number >= late_from else 0 for number in range(len(WEEKS))], unit="D")
    arrived = pd.Series(due + late)
    frame = pd.DataFrame({**ITEM, "order_id": [f"o{n:03}" for n in range(len(WEEKS))], "line": "1", "ordered_on": WEEKS,
                          "promised_on": due, "quantity_ordered": 10.0, "quantity_delivered": 10.0})  # fmt: skip
    return frame.assign(delivered_on=arrived.where(arrived <= pd.Timestamp(AS_OF)))


def part(ledger: dict | None = None, **frames: pd.DataFrame) -> Slice:
    customers = pd.DataFrame({"customer_id": ["c"], "customer_name": ["Site C"], "customer_group": ["g"]})
    products = pd.DataFrame({"product_id": ["p"], "product_name": ["Pump"]})
    tables = DataSet({"customers": customers, "products": products, **frames}, Settings(currency="EUR"))
    return Slice("g", AS_OF, tables, ledger=ledger or {})


def value(result: ReviewResult, kpi: str, column: str = "value") -> Any:
    return result.scorecard.set_index("kpi").loc[kpi, column]


def test_the_scorecard_compares_with_what_a_review_a_year_ago_would_have_shown() -> None:
    result = review(part(orders=book_of_orders()), PARAMS)
    # 52 lines fall due in the window, from 1 January; those of weeks 80 to 102 were late, the one due on 30 December is not due
    due = book_of_orders()
    due = due[(due["promised_on"] >= "2023-12-30") & (due["promised_on"] <= "2024-12-29")]
    on_time = (due["delivered_on"] <= due["promised_on"]).mean()
    assert value(result, "otif") == pytest.approx(on_time)
    assert value(result, "otif", "last_year") == 1.0
    assert value(result, "otif", "status") == "bad"
    assert value(result, "otif", "target") == 0.9 and value(result, "otif", "source") == "params"


def test_the_gap_sums_to_what_was_ordered() -> None:
    gap = review(part(orders=book_of_orders()), PARAMS).fill_gap.set_index("cause")["units"]
    assert gap.drop("ordered").sum() == gap["ordered"]
    assert gap["late"] > 0 and gap["open"] == 0


def test_sections_without_their_tables_say_so() -> None:
    result = review(part(orders=book_of_orders()), PARAMS)
    assert result.missing == {
        "turns": "performance.missing.stock",
        "excess": "performance.missing.stock_excess",
        "collaboration": "performance.missing.shared",
        "ledger": "performance.missing.ledger",
    }


def test_an_order_book_without_deliveries_is_reviewed_without_inventing_service() -> None:
    orders = book_of_orders().drop(columns=["promised_on", "delivered_on", "quantity_delivered"])
    returns = pd.DataFrame({**ITEM, "return_id": ["r"], "returned_on": pd.Timestamp("2024-06-03"), "quantity": [26.0]})
    slice_ = part(orders=orders, returns=returns)
    result = review(slice_, PARAMS)
    assert set(result.scorecard["kpi"]) == {"return_rate"}
    page = tell_performance_review(result, slice_, PARAMS)
    assert page.headline.startswith("Only returns can be measured, 5.0%")
    assert page.cards[0].value is None and page.cards[0].note == "no delivery dates in the data"


def test_sites_that_report_stock_and_receipts_only_get_what_can_be_said() -> None:
    months = pd.date_range("2023-01-01", "2024-12-01", freq="MS")
    stock = pd.DataFrame({**ITEM, "date": months + pd.offsets.MonthEnd(0), "on_hand": 5.0, "received": 8.0})
    sales = pd.DataFrame({**ITEM, "date": months, "quantity": 8.0})
    ends = months + pd.offsets.MonthEnd(0)
    orders = pd.DataFrame(
        {**ITEM, "order_id": [str(n) for n in range(24)], "line": "1", "ordered_on": ends, "quantity_ordered": 10.0}
    )
    slice_ = part(stock=stock, sales=sales, orders=orders)
    slice_ = dataclasses.replace(slice_, tables=dataclasses.replace(slice_.tables, settings=Settings(frequency="month")))
    result = review(slice_, PARAMS)
    assert value(result, "delivered_share") == pytest.approx(0.8)
    page = tell_performance_review(result, slice_, PARAMS)
    assert page.headline.startswith("Sites received 80.0% of what they ordered")
    assert page.cards[-1].key == "stockout_days" and page.cards[-1].value == 0.0
    assert page.sections["otif"].missing


def test_earlier_forecasts_are_looked_back_on() -> None:
    sales = pd.DataFrame({**ITEM, "date": WEEKS, "quantity": 10.0})
    entry = {**ITEM, "as_of": pd.Timestamp("2024-12-01"), "published_rank": 1, "echelon": "site"}
    said = pd.DataFrame({**entry, "period": WEEKS[-4:], "mean": [12.0, 9.0, 10.0, 10.0]})
    slice_ = part({"forecasts": said}, sales=sales)
    result = review(slice_, PARAMS)
    whole = result.past_forecasts.set_index("horizon").loc[0]
    assert (whole["wape"], whole["bias"], whole["wape_naive"]) == (pytest.approx(3 / 40), pytest.approx(1 / 40), 0.0)
    page = tell_performance_review(result, slice_, PARAMS)
    assert "7.5 pts worse than naive" in page.sections["ledger"].title
    assert page.cards[4].value == pytest.approx(0.075) and "2024-12-01" in page.cards[4].label


def test_nothing_at_all_still_gives_a_page() -> None:
    slice_ = part()
    page = tell_performance_review(review(slice_, PARAMS), slice_, PARAMS)
    assert page.headline.startswith("Service and stock cannot be measured")
    assert [card.value for card in page.cards] == [None] * 6


def test_the_input_stays_and_the_order_of_rows_does_not_matter() -> None:
    orders = book_of_orders()
    one = review(part(orders=orders), PARAMS)
    two = review(part(orders=orders.sample(frac=1, random_state=1)), PARAMS)
    for name in ("scorecard", "months", "fill_gap", "otif_weeks", "otif_sites"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    pd.testing.assert_frame_equal(orders, book_of_orders())


@pytest.fixture(scope="module")
def demo_book(demo: Any, demo_as_of: dt.date) -> dict[str, pd.DataFrame]:
    return review_book(slice_as_of(demo.tables, demo_as_of), as_of=demo_as_of, params=PARAMS)


def test_the_planted_difference_with_the_ledger_system_is_the_only_one_found(
    demo: Any, demo_book: dict[str, pd.DataFrame]
) -> None:
    truth = demo.truth["control_differences"].iloc[0]
    found = demo_book["tie_out"]
    assert found[["table", "period", "difference"]].values.tolist() == [
        [truth["table"], truth["period"], truth["quantity_difference"]]
    ]


def test_peer_bands_name_nobody_but_their_reader(demo: Any, demo_book: dict[str, pd.DataFrame]) -> None:
    bands = demo_book["peer_bands"]
    assert bands.columns.tolist() == ["peer_group", "kpi", "q25", "q50", "q75", "peers"]
    assert (bands["peers"] >= 5).all()


@pytest.fixture(scope="module")
def demo_review(
    demo: Any, demo_as_of: dt.date, demo_book: dict[str, pd.DataFrame]
) -> Callable[[str], tuple[Slice, ReviewResult]]:
    from cmi_analysis.tables.cutting import cut_book, cut_own, cut_shared

    tables = slice_as_of(demo.tables, demo_as_of)
    groups = tables["customers"].set_index("customer_id")["customer_group"]

    def make(customer: str) -> tuple[Slice, ReviewResult]:
        group = groups[customer]
        ids = set(groups.index[groups == group])
        own = cut_own(tables.frames, customer_ids=ids)
        frames = {**own, **cut_shared(tables.frames, own, customer_groups=[group])}
        book = cut_book(demo_book, customer_ids=ids, customer_groups=[group], group=group)
        slice_ = Slice(group, demo_as_of, DataSet(frames, tables.settings), book=book)
        return slice_, review(slice_, PARAMS)

    return make


def test_the_demo_has_the_planted_bias_poor_sharing_and_failing_service(
    demo: Any, demo_review: Callable[[str], tuple[Slice, ReviewResult]]
) -> None:
    roles = demo.truth["roles"].set_index("role")
    slice_, result = demo_review(roles.loc["biased_forecast", "id"])
    biased = result.collaboration.set_index("customer_id").loc[roles.loc["biased_forecast", "id"], "bias"]
    assert biased == pytest.approx(roles.loc["biased_forecast", "value"] - 1, abs=0.10)
    assert value(result, "otif") < 0.9
    page = tell_performance_review(result, slice_, PARAMS)
    assert "Deliveries, 04/2026" in page.tie_out and "120 more units" in page.tie_out
    _, other = demo_review(roles.loc["poor_sharing", "id"])
    shared = other.collaboration.set_index("customer_id")["sharing"]
    assert shared.idxmin() == roles.loc["poor_sharing", "id"] and shared.min() < 0.75


def test_a_client_reads_no_cost_and_no_tie_out(demo: Any, demo_review: Callable[[str], tuple[Slice, ReviewResult]]) -> None:
    from cmi_analysis.displays.performance_review import table_scorecard, table_turns

    slice_, result = demo_review("C0101")
    page = tell_performance_review(result, slice_, PARAMS.model_copy(update={"audience": "client"}))
    assert page.tie_out == "" and all(action.cash_ours is None for action in page.actions)
    shown = table_scorecard(result.scorecard, audience="client", currency="EUR").html
    assert "GMROI" not in shown and "Cost to serve" not in shown
    assert "stock_worth" not in table_turns(result.turns, audience="client", currency="EUR").frame
