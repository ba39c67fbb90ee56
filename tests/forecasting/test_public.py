"""Bad input of `forecast_demand`: a labelled answer for its own series or an error to act on; the others unharmed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.distribution import QUANTILES
from cmi_analysis.forecasting.pipeline import FORECAST_COLUMNS
from cmi_analysis.forecasting.public import forecast_all, forecast_demand

WEEKS = pd.date_range("2022-01-03", periods=110, freq="W-MON")
AS_OF = (WEEKS[-1] + pd.Timedelta(days=6)).date()
SERIES = ["customer_id", "product_id"]
NUMBERS = ["mean", "sd", *QUANTILES]
HORIZON = 6
RANDOM = np.random.default_rng(9)
ZEROS, POISSON = np.zeros(110), RANDOM.poisson(4, 110).astype(float)
DAYS = pd.date_range(WEEKS[0], AS_OF)


def healthy() -> pd.DataFrame:
    """Return two dozen series of four customers, weekly."""
    random = np.random.default_rng(3)
    frames = [
        pd.DataFrame(
            {
                "customer_id": f"C{k % 4}",
                "product_id": f"P{k // 4}",
                "date": WEEKS,
                "quantity": random.poisson(3.0 + k if k % 3 else 0.5, len(WEEKS)).astype(float),
            }
        )
        for k in range(24)
    ]
    return pd.concat(frames, ignore_index=True)


def bad(dates: Any, quantity: Any) -> pd.DataFrame:
    """Return one series of a customer of its own."""
    return pd.DataFrame(
        {"customer_id": "BAD", "product_id": "X", "date": pd.DatetimeIndex(dates), "quantity": np.asarray(quantity, dtype=float)}
    )


def with_one(place: int, value: float) -> np.ndarray:
    """Return an ordinary history with one value changed."""
    changed = POISSON.copy()
    changed[place] = value
    return changed


def forecast(sales: pd.DataFrame, **more: Any) -> pd.DataFrame:
    """Return the forecast of the panel, quick unless said otherwise."""
    told = {"horizon": HORIZON, "frequency": "week", "as_of": AS_OF, "profile": "quick"}
    return forecast_demand(sales, **(told | more))


def check_sane(made: pd.DataFrame) -> None:
    """Check what holds of every forecast: means but for 'none', no negative number, quantiles that never fall."""
    assert (made["mean"].isna() == (made["model"] == "none")).all()
    told = made[made["model"] != "none"]
    assert np.isfinite(told[NUMBERS]).all(axis=None)
    assert (told[NUMBERS] >= 0).all(axis=None)
    assert (np.diff(told[list(QUANTILES)], axis=1) >= 0).all()
    assert made.loc[made["model"].isin(["none", "zero"]), "shape"].eq("none").all()
    assert made[[*SERIES, "lead"]].duplicated().sum() == 0


# bad series, the model and the mean expected of it (None: any that is sane)
NOTHING = {
    "one point": (bad(WEEKS[-5:-4], [3]), "kin", None),
    "all zeros": (bad(WEEKS, ZEROS), "zero", 0.0),
    "all missing": (bad(WEEKS, ZEROS * np.nan), "none", None),
    "all infinite": (bad(WEEKS, ZEROS + np.inf), "none", None),
    "all absurd": (bad(WEEKS, ZEROS + 1e300), "none", None),
    "only returns": (bad(WEEKS, ZEROS - 1), "zero", 0.0),
}
SOMETHING = {
    "returns among sales": (bad(WEEKS, np.where(np.arange(110) % 5, 4, -2)), None, None),
    "infinite among sales": (bad(WEEKS, np.where(np.arange(110) % 7, 4, np.inf)), "combination", 4.0),
    "negative infinite among sales": (bad(WEEKS, np.where(np.arange(110) % 7, 4, -np.inf)), "combination", 4.0),
    "1e300 among sales": (bad(WEEKS, np.where(np.arange(110) == 95, 1e300, 4)), "combination", 4.0),
    "rows three times": (pd.concat([bad(WEEKS, ZEROS + 2)] * 3), "combination", 6.0),
    "daily rows": (bad(DAYS, np.ones(len(DAYS))), "combination", 7.0),
    "a gap of a year and a half": (bad(WEEKS[:5].append(WEEKS[-10:]), ZEROS[:15] + 6), None, None),
    "a gap of eleven years": (bad(["2012-01-02", "2023-12-04"], [5, 5]), None, None),
    "one row of 1970": (bad(["1970-01-05"], [4]), "zero", 0.0),
    "1e9 a week": (bad(WEEKS, 1e9 + 1e7 * RANDOM.standard_normal(110)), None, 1e9),
    "1e9 once": (bad(WEEKS, with_one(95, 1e9)), None, None),
    "1e9 at the end": (bad(WEEKS, with_one(-1, 1e9)), None, None),
    "1e15 once": (bad(WEEKS, with_one(95, 1e15)), None, None),
    "next to nothing": (bad(WEEKS, ZEROS + 1e-9), None, 1e-9),
    "known, then unknown for a year": (bad(WEEKS, np.where(np.arange(110) < 6, 5, np.nan)), "kin", None),
}


@pytest.fixture(scope="module")
def alone() -> Mapping[str, pd.DataFrame]:
    """Return the forecasts of the healthy panel by profile."""
    return {profile: forecast(healthy(), profile=profile) for profile in ("quick", "standard")}


def check_answer(made: pd.DataFrame, model: str | None, mean: float | None) -> None:
    own = made[made["customer_id"] == "BAD"]
    assert len(own) == HORIZON
    assert model is None or set(own["model"]) == {model}
    assert mean is None or own["mean"].tolist() == pytest.approx([mean] * HORIZON, rel=0.05)


@pytest.mark.parametrize("name", NOTHING)
def test_a_series_that_says_nothing_gets_a_label_and_changes_no_other(name: str, alone: Mapping[str, pd.DataFrame]) -> None:
    rows, model, mean = NOTHING[name]
    made = forecast(pd.concat([healthy(), rows], ignore_index=True))
    check_sane(made)
    check_answer(made, model, mean)
    others = made[made["customer_id"] != "BAD"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, alone["quick"], check_exact=True)


@pytest.mark.parametrize("name", SOMETHING)
def test_a_strange_series_moves_no_other_mean_and_hardly_the_pooled_widths(name: str, alone: Mapping[str, pd.DataFrame]) -> None:
    rows, model, mean = SOMETHING[name]
    made = forecast(pd.concat([healthy(), rows], ignore_index=True))
    check_sane(made)
    check_answer(made, model, mean)
    others, before = made[made["customer_id"] != "BAD"].reset_index(drop=True), alone["quick"]
    pd.testing.assert_frame_equal(others[[*SERIES, "model"]], before[[*SERIES, "model"]])
    np.testing.assert_allclose(others["mean"], before["mean"], rtol=1e-12)
    assert ((others["sd"] / before["sd"]).between(0.8, 2.5)).all()


@pytest.mark.parametrize(
    "name", ["all missing", "one point", "1e9 a week", "1e9 once", "1e9 at the end", "1e15 once", "one row of 1970"]
)
def test_the_global_model_stays_sane_beside_a_bad_series(name: str, alone: Mapping[str, pd.DataFrame]) -> None:
    rows, model, mean = (NOTHING | SOMETHING)[name]
    made = forecast(pd.concat([healthy(), rows], ignore_index=True), profile="standard")
    check_sane(made)
    check_answer(made, model, mean)
    others, before = (part[part["customer_id"] != "BAD"].groupby(SERIES)["mean"].sum() for part in (made, alone["standard"]))
    assert ((others / before).between(0.5, 2.0)).all()
    assert others.sum() == pytest.approx(before.sum(), rel=0.15)


def test_rows_of_one_week_are_added_up_and_returns_are_not_taken_off() -> None:
    weeks = WEEKS[:30]
    once = bad(weeks, np.full(30, 9.0))
    parts = pd.concat([bad(weeks, np.full(30, 4.0)), bad(weeks, np.full(30, 5.0)), bad(weeks, np.full(30, -2.0))])
    pd.testing.assert_frame_equal(forecast(parts, as_of=None), forecast(once, as_of=None))


@pytest.mark.parametrize("frequency", ["day", "week", "month"])
@pytest.mark.parametrize("profile", ["quick", "standard"])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_horizon_longer_than_the_history_is_forecast(frequency: str, profile: str, rows: int) -> None:
    dates = pd.date_range("2024-01-01", periods=rows, freq={"day": "D", "week": "W-MON", "month": "MS"}[frequency])
    made = forecast_demand(bad(dates, [3] * rows), horizon=60, frequency=frequency, profile=profile)
    check_sane(made)
    assert len(made) == 60
    assert set(made["model"]) == {"mean"}


def test_weekly_and_daily_series_are_forecast_in_one_panel() -> None:
    weekly = bad(WEEKS, ZEROS + 14).assign(customer_id="W")
    made = forecast(pd.concat([weekly, bad(DAYS, np.full(len(DAYS), 2.0))], ignore_index=True), frequency="day")
    assert made.groupby("customer_id")["mean"].mean().to_dict() == pytest.approx({"BAD": 14.0, "W": 14.0})


IDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=8) | st.sampled_from(
    ["", "NA", "nan", "None", "'", '"', "\x1f", "(others)", "007", "1e5", "客户"]
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(IDS, IDS), min_size=2, max_size=5, unique=True))
def test_any_text_is_an_id_and_names_its_own_series(pairs: list[tuple[str, str]]) -> None:
    weeks = WEEKS[-12:]
    frames = [bad(weeks, np.full(12, 2.0 + k)).assign(customer_id=c, product_id=p) for k, (c, p) in enumerate(pairs)]
    made = forecast(pd.concat(frames, ignore_index=True), horizon=2)
    check_sane(made)
    found = made[made["lead"] == 1].set_index(SERIES)["mean"].to_dict()
    assert found == pytest.approx({pair: 2.0 + k for k, pair in enumerate(pairs)})


def test_the_separator_inside_ids_mixes_no_two_series() -> None:
    one, two = (bad(WEEKS, ZEROS + k).assign(customer_id=c, product_id=p) for k, c, p in ((3, "a\x1fb", "c"), (8, "a", "b\x1fc")))
    made = forecast(pd.concat([one, two], ignore_index=True), profile="standard")
    assert made.groupby("customer_id")["mean"].first().to_dict() == pytest.approx({"a": 8.0, "a\x1fb": 3.0})


def small() -> pd.DataFrame:
    """Return two ordinary series with number-like ids."""
    frames = [bad(WEEKS, with_one(k, 7.0)).assign(customer_id="1", product_id=str(k)) for k in (3, 4)]
    return pd.concat(frames, ignore_index=True)


FORMS = {
    "numbers as ids": lambda rows: rows.assign(customer_id=1, product_id=rows["product_id"].astype(int)),
    "categories as ids": lambda rows: rows.astype(
        {"customer_id": "category", "product_id": pd.CategoricalDtype(["9", "4", "3"])}
    ),
    "string dtype": lambda rows: rows.astype({"customer_id": "string", "product_id": "string", "quantity": "Float64"}),
    "dates as text": lambda rows: rows.assign(date=rows["date"].dt.strftime("%Y-%m-%d")),
    "dates of Python": lambda rows: rows.assign(date=rows["date"].dt.date),
    "dates with a zone": lambda rows: rows.assign(date=rows["date"].dt.tz_localize("Asia/Shanghai")),
    "dates with an hour": lambda rows: rows.assign(date=rows["date"] + pd.Timedelta(hours=23)),
    "seconds": lambda rows: rows.astype({"date": "datetime64[s]"}),
    "periods": lambda rows: rows.assign(date=rows["date"].dt.to_period("W-SUN")),
    "quantity as text": lambda rows: rows.assign(quantity=rows["quantity"].astype(str)),
    "quantity as category": lambda rows: rows.astype({"quantity": "category"}),
    "rows in another order": lambda rows: rows.sample(frac=1, random_state=1),
    "an index that repeats": lambda rows: rows.set_index(np.zeros(len(rows), dtype=int)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_column_changes_no_number(form: str) -> None:
    rows = FORMS[form](small())
    before = rows.copy()
    pd.testing.assert_frame_equal(forecast(rows), forecast(small()))
    pd.testing.assert_frame_equal(rows, before)


def first(column: str, value: Any) -> pd.DataFrame:
    """Return the two series with one value changed in their second row."""
    rows = small().astype({column: "object"})
    rows.loc[1, column] = value
    return rows


ZONES = [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-01", tz="Asia/Shanghai")]
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no quantity": ({"sales": small().drop(columns="quantity")}, "no column quantity"),
    "no columns": ({"sales": pd.DataFrame()}, "columns customer_id"),
    "an id is missing": ({"sales": first("customer_id", None)}, "row 1"),
    "an id holds NUL": ({"sales": first("product_id", "\x00")}, "NUL"),
    "a date is missing": ({"sales": first("date", pd.NaT)}, "row 1"),
    "a date is no date": ({"sales": first("date", "soon")}, "'soon'"),
    "a date that may be two": ({"sales": first("date", "01/02/2024")}, "2024-01-31"),
    "a date in the year 9999": ({"sales": first("date", "9999-12-31")}, "9999"),
    "dates are numbers": ({"sales": small().assign(date=20240101)}, "numbers"),
    "two time zones": ({"sales": small().head(2).assign(date=pd.Series(ZONES, dtype="object"))}, "Asia/Shanghai"),
    "a quantity is a word": ({"sales": first("quantity", "many")}, "'many'"),
    "stock has no on_hand": ({"stock": small()}, "'stock'"),
    "prices have no price": ({"prices": small()}, "'prices'"),
    "promotions have no end": ({"promotions": pd.DataFrame({"starts_on": [WEEKS[0]]})}, "ends_on"),
    "a promotion's start is a word": ({"promotions": pd.DataFrame({"starts_on": ["x"], "ends_on": [WEEKS[0]]})}, "'x'"),
    "attributes name no product": ({"attributes": pd.DataFrame({"category": ["A"]})}, "product_id"),
    "forecasts without a date": ({"customer_forecasts": small()}, "issued_on"),
    "in_stock is a word": ({"sales": first("quantity", 1.0).assign(in_stock="full")}, "in_stock"),
    "no horizon": ({"horizon": 0}, "horizon"),
    "half a period": ({"horizon": 2.5}, "horizon"),
    "no folds": ({"folds": 0}, "folds"),
    "a profile that is not there": ({"profile": "fast"}, "profile"),
    "hours": ({"frequency": "hour"}, "frequency"),
    "a weekday that is not there": ({"week_start": "Funday"}, "week_start"),
    "as_of is a word": ({"as_of": "today-ish"}, "as_of"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_its_place(name: str) -> None:
    told, words = REFUSED[name]
    with pytest.raises(InputError) as caught:
        forecast(**({"sales": small()} | told))
    assert words in str(caught.value)


EMPTY = {
    "stock": ["customer_id", "product_id", "date", "on_hand"],
    "prices": ["customer_id", "product_id", "date", "price"],
    "promotions": ["starts_on", "ends_on"],
    "attributes": ["product_id", "category"],
    "holidays": ["date", "name"],
    "customers": ["customer_id", "country"],
    "customer_forecasts": ["customer_id", "product_id", "issued_on", "period", "quantity"],
}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("columns", [True, False], ids=["columns", "nothing"])
def test_an_empty_table_beside_the_sales_says_nothing(name: str, columns: bool) -> None:
    empty = pd.DataFrame(columns=EMPTY[name] if columns else [])
    made = forecast(small(), profile="standard", **{name: empty})
    pd.testing.assert_frame_equal(made, forecast(small(), profile="standard"))


def test_only_future_promotions_leave_a_forecast_that_is_sane() -> None:
    ahead = WEEKS[-1] + pd.Timedelta(weeks=2)
    promotions = pd.DataFrame({"starts_on": [ahead.strftime("%Y-%m-%d")], "ends_on": [ahead], "product_id": ["P1"]})
    made = forecast(healthy(), profile="standard", promotions=promotions)
    check_sane(made)
    assert made["mean"].sum() == pytest.approx(forecast(healthy(), profile="standard")["mean"].sum(), rel=0.1)


def test_ids_of_the_other_tables_meet_those_of_the_sales_whatever_their_type() -> None:
    rows = small()
    stock = (
        rows[SERIES]
        .drop_duplicates()
        .merge(pd.DataFrame({"date": WEEKS, "on_hand": 5.0 * (np.arange(110) % 7 > 1)}), how="cross")
    )
    theirs = pd.DataFrame({"customer_id": "1", "product_id": "3", "issued_on": WEEKS, "period": WEEKS + pd.Timedelta(weeks=1)})
    theirs["quantity"] = 30.0
    promotions = pd.DataFrame({"starts_on": WEEKS[::5], "ends_on": WEEKS[::5], "product_id": "3"})
    told = {"stock": stock, "customer_forecasts": theirs, "promotions": promotions}
    numbers = {
        name: frame.assign(**{key: frame[key].astype(int) for key in SERIES if key in frame}) for name, frame in told.items()
    }
    as_text = forecast_all(rows, horizon=6, frequency="week", as_of=AS_OF, **told)
    as_number = forecast_all(rows, horizon=6, frequency="week", as_of=AS_OF, **numbers)
    pd.testing.assert_frame_equal(as_number.forecasts, as_text.forecasts)
    assert not as_text.forecasts["mean"].equals(forecast(rows)["mean"])


def test_flags_and_prices_may_have_gaps_and_other_columns_may_hold_anything() -> None:
    rows = healthy()
    rows = rows.assign(
        in_stock=np.where(rows.index % 3, 1.0, np.nan),
        promotion=pd.Series(np.where(rows.index % 5, None, True), dtype="object"),
        unit_price=np.where(rows.index % 2, 2.0, np.nan),
        note=[["anything"]] * len(rows),
    )
    check_sane(forecast(rows, profile="standard"))


def frames(made: Any) -> dict[str, pd.DataFrame]:
    """Return the frames of a result by name."""
    return {name: value for name, value in vars(made).items() if isinstance(value, pd.DataFrame)}


@pytest.mark.parametrize(
    "sales",
    [
        small().head(0),
        small().head(0).astype("object"),
        small().head(3),
        small()[["customer_id"]].head(0).assign(product_id="", date="", quantity=""),
    ],
    ids=["no rows", "no kinds", "a short history", "texts"],
)
def test_columns_and_their_kinds_are_the_same_whatever_comes_in(sales: pd.DataFrame) -> None:
    full, found = (frames(forecast_all(rows, horizon=3, frequency="week", profile="quick")) for rows in (healthy(), sales))
    assert found["forecasts"].columns.tolist() == FORECAST_COLUMNS
    for name, frame in full.items():
        assert found[name].dtypes.to_dict() == frame.dtypes.to_dict(), name


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_an_as_of_before_the_first_sale_gives_an_empty_frame(profile: str) -> None:
    made = forecast(small(), as_of=dt.date(2021, 6, 1), profile=profile)
    assert made.empty
    assert made.dtypes.to_dict() == forecast(small()).dtypes.to_dict()


@pytest.mark.parametrize("as_of", [AS_OF, AS_OF.isoformat(), pd.Timestamp(AS_OF), dt.datetime.combine(AS_OF, dt.time(12))])
def test_as_of_may_be_written_in_several_ways(as_of: Any) -> None:
    pd.testing.assert_frame_equal(forecast(small(), as_of=as_of), forecast(small()))
