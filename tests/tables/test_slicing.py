"""What was known when, table by table; and nothing of the future in any output."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.tables import DataSet, Settings
from cmi_analysis.tables.columns import dtype_of
from cmi_analysis.tables.schemas import SCHEMAS, conform
from cmi_analysis.tables.slicing import default_as_of, slice_as_of, stamp_snapshots

AS_OF = dt.date(2024, 4, 15)
DAY = pd.Timestamp(AS_OF)
BEFORE, AFTER = "2024-04-15", "2024-04-16"


def _one(table: str, /, **columns: object) -> DataSet:
    """Return a data set with one table; every column is a list, ids are filled in."""
    rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
    ids = {name: [f"{name}{i}" for i in range(rows)] for name in SCHEMAS[table].key if name not in columns}
    ids = {name: values for name, values in ids.items() if SCHEMAS[table].columns[name].kind in ("id", "text")}
    return DataSet({table: conform(table, pd.DataFrame({**ids, **columns}))})


def _seen(dataset: DataSet, as_of: dt.date = AS_OF) -> pd.DataFrame:
    ((_, frame),) = slice_as_of(dataset, as_of).frames.items()
    return frame


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("sales", "date"),
        ("stock", "date"),
        ("warehouse_stock", "date"),
        ("lots", "date"),
        ("feedback", "date"),
        ("returns", "returned_on"),
        ("customer_forecasts", "issued_on"),
        ("adjustments", "issued_on"),
        ("orders", "ordered_on"),
        ("purchase_orders", "ordered_on"),
        ("receipts", "ordered_on"),
        ("deliveries", "shipped_on"),
        ("transfers", "shipped_on"),
        ("promotions", "announced_on"),
        ("drivers", "period"),
        ("feeds", "due_on"),
    ],
)
def test_a_row_is_known_from_its_date_on(table: str, column: str):
    assert _seen(_one(table, **{column: ["2024-01-01", BEFORE, AFTER]}))[column].max() == DAY


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("assortment", "valid_from_on"),
        ("contracts", "valid_from_on"),
        ("costs", "valid_from_on"),
        ("targets", "valid_from_on"),
        ("products", "launched_on"),
        ("customers", "since_on"),
        ("calendars", "date"),
    ],
)
def test_agreements_and_master_data_are_always_known(table: str, column: str):
    assert len(_seen(_one(table, **{column: [BEFORE, AFTER]}))) == 2


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_a_column_known_on_wins_on_every_table(table: str):
    dates = {name: [AFTER] * 3 for name in SCHEMAS[table].known_on}
    dates |= {name: [BEFORE] * 3 for name in ("ordered_on",) if table == "orders"}
    key = {name: ["a", "b", "c"] for name in SCHEMAS[table].key if SCHEMAS[table].columns[name].kind in ("id", "text")}
    seen = _seen(_one(table, **{**key, **dates, "known_on": [BEFORE, AFTER, BEFORE]}))
    assert len(seen) == 2
    assert (seen["known_on"] == DAY).all()


def test_a_march_order_delivered_in_may_is_open_in_april():
    orders = _one(
        "orders",
        order_id=["1", "2"],
        line=["1", "1"],
        ordered_on=["2024-03-10", "2024-03-11"],
        promised_on=["2024-05-01", "2024-03-20"],
        quantity_ordered=[10, 5],
        shipped_on=["2024-04-10", "2024-03-18"],
        delivered_on=["2024-05-03", "2024-03-19"],
        quantity_delivered=[10, 4],
        damaged=[True, False],
        status=["delivered", "delivered"],
        paid_on=["2024-06-01", "2024-04-16"],
    )
    seen = _seen(orders)
    assert seen["delivered_on"].tolist() == [pd.NaT, pd.Timestamp("2024-03-19")]
    assert seen["shipped_on"].notna().all()
    assert seen["promised_on"].notna().all()
    assert np.array_equal(seen["quantity_delivered"], [np.nan, 4], equal_nan=True)
    assert seen["damaged"].tolist() == [pd.NA, False]
    assert seen["status"].tolist() == [None, "delivered"]
    assert seen["paid_on"].isna().all()
    assert _seen(orders, dt.date(2024, 5, 3))["status"].tolist() == ["delivered", "delivered"]
    assert orders["orders"]["status"].notna().all()


def test_a_cancelled_line_is_closed_only_when_nothing_is_left_of_it():
    seen = _seen(
        _one(
            "orders",
            ordered_on=["2024-03-01"] * 4,
            quantity_ordered=[10] * 4,
            cancelled_on=["2024-04-01", "2024-04-01", AFTER, None],
            quantity_cancelled=[10, 4, 10, None],
            delivered_on=[None, AFTER, None, None],
            status=["cancelled", "delivered", "cancelled", "open"],
        )
    )
    assert seen["status"].tolist() == ["cancelled", None, None, None]
    assert np.array_equal(seen["quantity_cancelled"], [10, 4, np.nan, np.nan], equal_nan=True)


def test_quantities_that_the_source_does_not_date_stay_blank():
    columns = {"ordered_on": [BEFORE], "quantity_ordered": [2], "quantity_delivered": [2]}
    assert _seen(_one("orders", **columns))["quantity_delivered"].isna().all()
    assert _seen(_one("orders", **columns, shipped_on=[BEFORE]))["quantity_delivered"].tolist() == [2.0]
    assert _seen(_one("orders", **columns, shipped_on=[BEFORE], delivered_on=[None]))["quantity_delivered"].isna().all()


def test_supply_that_has_not_come_is_open():
    receipts = _one(
        "receipts", ordered_on=["2024-03-01"] * 2, received_on=[AFTER, BEFORE], quantity_ordered=[5, 5], quantity_received=[5, 4]
    )
    assert np.array_equal(_seen(receipts)["quantity_received"], [np.nan, 4], equal_nan=True)
    transfers = _one("transfers", shipped_on=[BEFORE], received_on=[AFTER])
    assert _seen(transfers)["received_on"].isna().all()
    assert _seen(_one("deliveries", shipped_on=[BEFORE], delivered_on=[AFTER]))["delivered_on"].isna().all()
    assert _seen(_one("feeds", table=["sales"], due_on=[BEFORE], received_on=[AFTER]))["received_on"].isna().all()
    assert _seen(_one("purchase_orders", ordered_on=[BEFORE], cancelled_on=[AFTER]))["cancelled_on"].isna().all()


def test_a_delivery_without_any_date_is_not_known():
    assert len(_seen(_one("deliveries", shipped_on=[None, None], delivered_on=[None, BEFORE]))) == 1


def test_promotions_without_announcement_are_plans_and_known():
    assert len(_seen(_one("promotions", starts_on=[AFTER] * 2, announced_on=[None, AFTER]))) == 1
    assert len(_seen(_one("promotions", starts_on=[AFTER]))) == 1


def test_totals_of_a_month_are_known_when_the_month_is_over():
    totals = _one("control_totals", table=["sales", "sales"], period=["2024-03-01", "2024-04-01"])
    assert len(_seen(totals)) == 1
    assert len(_seen(totals, dt.date(2024, 4, 29))) == 1
    assert len(_seen(totals, dt.date(2024, 4, 30))) == 2
    weekly = _one("control_totals", table=["sales"], period=["2024-04-15"])
    assert _seen(weekly, dt.date(2024, 4, 20)).empty
    assert len(_seen(weekly, dt.date(2024, 4, 21))) == 1


def test_an_undated_snapshot_counts_as_taken_on_the_newest_date():
    dataset = DataSet(
        _one("in_transit", expected_on=["2024-05-01"]).frames | _one("sales", date=["2024-04-01", "2024-04-17"]).frames,
    )
    assert slice_as_of(dataset, AS_OF)["in_transit"].empty
    assert len(slice_as_of(dataset, dt.date(2024, 4, 17))["in_transit"]) == 1
    stamped = stamp_snapshots(dataset)["in_transit"]["known_on"]
    assert stamped.tolist() == [pd.Timestamp("2024-04-17")]


def test_default_as_of_is_the_newest_date_that_every_required_table_reaches():
    sales, orders = _one("sales", date=["2024-04-01", "2024-04-17"]), _one("orders", ordered_on=["2024-04-02"])
    assert default_as_of(DataSet(sales.frames)) == dt.date(2024, 4, 17)
    assert default_as_of(DataSet(orders.frames)) == dt.date(2024, 4, 2)
    assert default_as_of(DataSet(sales.frames | orders.frames)) == dt.date(2024, 4, 2)


def test_weekly_rows_stand_for_their_whole_week():
    sales = _one("sales", date=["2024-04-08", "2024-04-15"])  # Mondays
    orders = _one("orders", ordered_on=["2024-04-19"])
    assert default_as_of(DataSet(sales.frames)) == dt.date(2024, 4, 21)
    assert default_as_of(DataSet(sales.frames | orders.frames)) == dt.date(2024, 4, 21)
    assert default_as_of(DataSet(sales.frames, Settings(week_start="Sunday"))) == dt.date(2024, 4, 15)
    months = _one("sales", date=["2024-01-01", "2024-02-01"])
    assert default_as_of(DataSet(months.frames, Settings(frequency="month"))) == dt.date(2024, 2, 29)


def test_without_sales_and_orders_there_is_no_date():
    with pytest.raises(InputError, match="rows with dates in `sales` or `orders`; found tables stock without any"):
        default_as_of(_one("stock", date=[BEFORE]))


# the property: nothing after as_of changes any output


def _random_table(table: str, draw: np.random.Generator, rows: int) -> pd.DataFrame:
    columns = {}
    for name, column in SCHEMAS[table].columns.items():
        dtype = dtype_of(column.kind)
        if dtype == "datetime64[ns]":
            values = pd.Series(DAY + pd.to_timedelta(draw.integers(-20, 20, rows), unit="D"))
            blank = 0.0 if name == SCHEMAS[table].date else 0.8 if name == "known_on" else 0.2
        elif dtype == "object":
            values, blank = pd.Series(draw.integers(0, 10**9, rows).astype(str), dtype="object"), 0.0
        elif dtype == "boolean":
            values, blank = pd.Series(draw.integers(0, 2, rows) == 1), 0.1
        else:
            values, blank = pd.Series(draw.integers(0, 50, rows).astype(float)), 0.1
        columns[name] = values.mask(draw.random(rows) < blank)
    return conform(table, pd.DataFrame(columns))


def _known_row(table: str, row: pd.Series) -> bool:
    """The rule of the contract again, one row at a time."""
    if pd.notna(row["known_on"]):
        return row["known_on"] <= DAY
    if table == "in_transit":
        return True  # the newest date of these sets is as_of or later; see below
    if table == "promotions":
        return not row["announced_on"] > DAY
    if table == "control_totals":
        length = {True: pd.offsets.MonthEnd(1), False: pd.Timedelta(days=6)}[row["period"].day == 1]
        return row["period"] + length <= DAY
    rules = SCHEMAS[table].known_on
    return not rules or any(row[name] <= DAY for name in rules)


def _altered(table: str, frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Return `frame` with every later row and every later cell replaced, removed or added to, and the rows shuffled."""
    known = frame.apply(lambda row: _known_row(table, row), axis=1).to_numpy(dtype=bool)
    kept = frame[known].copy()
    for column, events in SCHEMAS[table].blanked.items():
        later = ~(kept[events[0]] <= DAY).to_numpy(dtype=bool)
        if column == "status":
            gone = (kept["cancelled_on"] <= DAY) & ~(kept["quantity_cancelled"] < kept["quantity_ordered"])
            later &= ~gone.to_numpy(dtype=bool)
        if column in events:
            other = pd.Series(DAY + pd.to_timedelta(draw.integers(1, 400, len(kept)), unit="D"), index=kept.index)
            other = other.mask(draw.random(len(kept)) < 0.5)
        else:
            other = kept[column].sample(frac=1, random_state=int(draw.integers(1 << 30))).set_axis(kept.index)
        kept[column] = kept[column].mask(later, other)
    future = _random_table(table, draw, 30)
    future = future[~future.apply(lambda row: _known_row(table, row), axis=1).to_numpy(dtype=bool)]
    whole = pd.concat([part for part in (kept, future) if len(part)] or [kept], ignore_index=True)
    return whole.sample(frac=1, random_state=int(draw.integers(1 << 30)))


def _bytes(dataset: DataSet) -> dict[str, bytes]:
    return {name: frame.to_csv().encode() + repr(frame.dtypes.to_dict()).encode() for name, frame in dataset.frames.items()}


@pytest.mark.parametrize("seed", range(20))
def test_nothing_after_as_of_changes_any_output(seed: int):
    draw = np.random.default_rng(seed)
    frames = {name: _random_table(name, draw, 60) for name in SCHEMAS}
    frames["sales"] = frames["sales"].assign(known_on=pd.NaT)
    frames["in_transit"]["known_on"] = frames["in_transit"]["known_on"].fillna(DAY)
    altered = {name: _altered(name, frame, draw) for name, frame in frames.items()}
    before = {name: frame.copy() for name, frame in frames.items()}
    one, two = slice_as_of(DataSet(frames), AS_OF), slice_as_of(DataSet(altered), AS_OF)
    assert _bytes(one) == _bytes(two)
    assert sum(map(len, one.frames.values())) > 500
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_slicing_twice_changes_nothing_and_an_empty_table_stays_empty(table: str):
    frame = _random_table(table, np.random.default_rng(7), 40)
    dataset = DataSet({table: frame.assign(known_on=DAY) if table == "in_transit" else frame})
    once = slice_as_of(dataset, AS_OF)
    assert _bytes(slice_as_of(once, AS_OF)) == _bytes(once)
    empty = slice_as_of(DataSet({table: frame.iloc[:0]}), AS_OF)[table]
    assert empty.empty
    assert list(empty.columns) == list(frame.columns)
