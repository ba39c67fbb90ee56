"""New items are forecast from their kin: level, launch profile, width, and nothing that was not known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.forecasting.backtest import Settings
from cmi_analysis.forecasting.credibility import fit_levels
from cmi_analysis.forecasting.demand import demand_panel
from cmi_analysis.forecasting.kin import forecast_from_kin
from cmi_analysis.forecasting.launches import launch_profile
from cmi_analysis.forecasting.public import forecast_all
from cmi_analysis.forecasting.seasons import empty_indices, seasonal_indices

WEEKS = pd.date_range("2022-01-03", periods=104, freq="W-MON")
AS_OF = (WEEKS[-1] + pd.Timedelta(days=6)).date()
SETTINGS = Settings("week", "Monday", 8)
KEY = ["customer_id", "product_id"]


def book(
    seed: int = 1, *, new: dict[tuple[int, int], int], customers: int = 8, products: int = 10
) -> tuple[pd.DataFrame, np.ndarray]:
    """Sales of customers × products, true levels customer size × product size; pairs in `new` are so many weeks old."""
    random = np.random.default_rng(seed)
    level = np.exp(random.normal(0, 0.7, (customers, 1)) + random.normal(2.5, 0.7, (1, products)))
    frames = []
    for c in range(customers):
        for p in range(products):
            weeks = WEEKS[-new.get((c, p), len(WEEKS)) :]
            quantity = random.poisson(level[c, p], len(weeks)).astype(float)
            one = {"customer_id": f"C{c}", "product_id": f"P{p}", "date": weeks, "quantity": quantity}
            frames.append(pd.DataFrame(one))
    return pd.concat(frames, ignore_index=True), level


def kin_of(sales: pd.DataFrame, **more) -> pd.DataFrame:
    return forecast_from_kin(demand_panel(sales, as_of=AS_OF), settings=SETTINGS, folds=2, indices=empty_indices(), **more)


def test_levels_are_the_products_of_factors_they_were_made_of():
    random = np.random.default_rng(2)
    customer, product = np.divmod(np.arange(400), 20)
    true = np.exp(random.normal(0, 1, 20))[customer] * np.exp(random.normal(3, 1, 20))[product]
    demand = random.poisson(true[:, None], (400, 30)).astype(float)
    left_out = random.random(400) < 0.2
    ways = {"customer": customer, "product": product}
    found = fit_levels(demand, np.ones(demand.shape), ways=ways, least_exposure=8, left_out=left_out)
    error = np.abs(found.expected - true)[left_out].sum() / true[left_out].sum()
    assert error < 0.15
    assert found.between < 0.1


def test_a_new_pair_of_a_known_product_is_forecast_at_its_true_level_and_better_than_by_its_mean():
    new = {(c, c): 2 for c in range(8)}
    missed, mean_missed = 0.0, 0.0
    for seed in range(4):
        sales, level = book(seed, new=new)
        made = kin_of(sales)
        now = made[(made["origin"] == WEEKS[-1]) & (made["lead"] == 1)].set_index(KEY)
        assert set(now["kin"]) == {"kin_product"}
        assert set(now["kin_series"]) == {7}
        for c in range(8):
            own = sales[(sales["customer_id"] == f"C{c}") & (sales["product_id"] == f"P{c}")]["quantity"].mean()
            missed += abs(now.loc[(f"C{c}", f"P{c}"), "mean"] - level[c, c])
            mean_missed += abs(own - level[c, c])
    assert missed < 0.9 * mean_missed


def test_the_choice_says_which_kin_and_how_many_and_later_origins_do_not_move_earlier_ones():
    sales, _ = book(new={(0, 0): 3})
    made = forecast_all(sales, horizon=8, frequency="week", folds=2, profile="quick")
    row = made.choice.set_index(KEY).loc[("C0", "P0")]
    assert (row["model"], row["reason"], row["kin_series"]) == ("kin", "kin_product", 7)
    assert set(made.forecasts.set_index(KEY).loc[("C0", "P0"), "model"]) == {"kin"}
    origin = kin_of(book(new={(0, 0): 12})[0])
    later = book(new={(0, 0): 12})[0]
    later["quantity"] = later["quantity"].where(later["date"] < WEEKS[-1], 500.0)
    changed = kin_of(later)
    first = origin["origin"] == origin["origin"].min()
    assert first.any()
    pd.testing.assert_frame_equal(origin[first], changed[changed["origin"] == origin["origin"].min()])


def test_a_product_new_everywhere_takes_the_level_of_products_alike():
    random = np.random.default_rng(3)
    frames = []
    for c in range(6):
        for p in range(12):
            level = (40.0 if p % 2 else 4.0) * (1 + c)
            weeks = WEEKS[-2:] if p == 11 else WEEKS
            quantity = random.poisson(level * (0.3 if p == 11 else 1.0), len(weeks)).astype(float)
            frames.append(pd.DataFrame({"customer_id": f"C{c}", "product_id": f"P{p:02d}", "date": weeks, "quantity": quantity}))
    sales = pd.concat(frames, ignore_index=True)
    attributes = pd.DataFrame({"product_id": [f"P{p:02d}" for p in range(12)], "brand": ["small", "large"] * 6})
    found = {}
    for name, told in (("plain", None), ("told", attributes)):
        made = kin_of(sales, attributes=told)
        found[name] = made[(made["origin"] == WEEKS[-1]) & (made["lead"] == 1)]["mean"].sum()
    true = 40.0 * 21
    assert abs(found["told"] - true) < 0.35 * true  # its own two weeks say 0.3 of it
    assert abs(found["told"] - true) < abs(found["plain"] - true)


def test_a_product_sold_by_too_few_customers_tells_nothing_of_them():
    sales, _ = book(new={(0, 0): 3})
    few = sales[(sales["product_id"] != "P0") | sales["customer_id"].isin(["C0", "C1", "C2"])]
    now = kin_of(few, least_customers=5)
    assert "kin_product" not in set(now["kin"])
    assert not now.empty
    loud = few.assign(quantity=few["quantity"].where((few["product_id"] != "P0") | (few["customer_id"] == "C0"), 900.0))
    again = kin_of(loud, least_customers=5)
    quiet, heard = (part.loc[part["origin"] == WEEKS[-1], "mean"].sum() for part in (now, again))
    assert heard < 3 * quiet  # 900 a week elsewhere, about 10 here


def test_the_profile_of_launches_is_the_planted_ramp():
    random = np.random.default_rng(4)
    ramp = np.minimum(0.25 + np.arange(104) / 20, 1.0)
    start = random.integers(5, 45, 300)
    demand = np.full((300, 104), np.nan)
    for row, first in enumerate(start):
        demand[row, first:] = random.poisson(20 * ramp[: 104 - first])
    found = launch_profile(demand, start=start, category=np.full(300, -1), year=52)
    np.testing.assert_allclose(found[-1, :26:5], ramp[:26:5], atol=0.15)
    assert found[-1, -1] == 1


def test_quantiles_of_new_items_hold_what_came():
    new = {(c, p): 1 + (c + p) % 6 for c in range(8) for p in range(10) if (c + 3 * p) % 7 == 0}
    below = []
    for seed in range(3):
        sales, level = book(seed, new=new)
        made = forecast_all(sales, horizon=8, frequency="week", folds=2, profile="quick")
        rows = made.forecasts[made.forecasts["model"] == "kin"]
        assert len(rows) == 8 * len(new)
        true = [level[int(c[1:]), int(p[1:])] for c, p in zip(rows["customer_id"], rows["product_id"], strict=True)]
        below.append(np.random.default_rng(seed).poisson(true) <= rows["q95"].to_numpy())
        total = made.sums[(made.sums["periods"] == 8)].merge(rows[KEY].drop_duplicates())
        eight = 8 * np.array(
            [level[int(c[1:]), int(p[1:])] for c, p in zip(total["customer_id"], total["product_id"], strict=True)]
        )
        assert (eight <= total["q95"]).mean() >= 0.8
    assert 0.9 <= np.mean(below) <= 1.0


@pytest.mark.slow
def test_the_new_product_of_the_demo_is_forecast_near_its_planted_demand_where_its_mean_is_far_below():
    from cmi_analysis.demo import make_demo

    kin = own = wanted = 0.0
    for seed in (101, 102, 103):
        demo = make_demo(size="small", seed=seed)
        tables, truth = demo.tables, demo.truth["demand"]
        product = demo.truth["roles"].set_index("role").loc["new", "id"]
        truth = truth[truth["product_id"] == product]
        first = truth.loc[truth["demand"] > 0, "date"].min()
        as_of: dt.date = (first + pd.Timedelta(days=20)).date()
        parts = {name: tables[name][tables[name]["date"] <= pd.Timestamp(as_of)] for name in ("sales", "stock")}
        panel = demand_panel(parts["sales"], as_of=as_of, stock=parts["stock"], assortment=tables["assortment"])
        last = panel["period"].max()
        products = tables["products"].set_index("product_id")
        indices = seasonal_indices(
            panel.assign(category=panel["product_id"].map(products["category"])), origins=[last], frequency="week"
        )
        made = forecast_from_kin(
            panel,
            settings=Settings("week", tables.settings.week_start, 13),
            folds=1,
            indices=indices,
            categories=products["category"],
            attributes=tables["products"][["product_id", "supplier_id", "unit_price"]],
        )
        now = made[(made["origin"] == last) & (made["product_id"] == product)]
        ahead = now.assign(date=last + pd.to_timedelta(7 * now["lead"], unit="D"))
        both = ahead.merge(truth[["customer_id", "date", "demand"]], on=["customer_id", "date"])
        mean = panel[panel["product_id"] == product].groupby("customer_id")["demand"].mean()
        kin, own, wanted = kin + both["mean"].sum(), own + both["customer_id"].map(mean).sum(), wanted + both["demand"].sum()
    assert abs(kin - wanted) < 0.35 * wanted
    assert abs(kin - wanted) < 0.6 * abs(own - wanted)
