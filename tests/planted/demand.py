"""What the reports say of demand: seasons, promotions, lost sales, pattern, dead series."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.drivers import score_drivers
from cmi_analysis.forecasting.grid import panel_grid
from cmi_analysis.forecasting.life_cycle import classify_life_cycle as classify_series_life
from cmi_analysis.forecasting.seasons import empty_indices
from cmi_analysis.params.models import MODELS
from cmi_analysis.stages.forecasting import forecast_book
from cmi_analysis.stages.segment_inputs import pattern_frame
from planted.case import KEY, YEAR, Case, Figures


def find_seasons(case: Case) -> Figures:
    """The forecast's seasonal indices and the segmentation's category seasons, by category."""
    truth = case.demo.truth["seasons"].assign(month=lambda f: (f["date"] + pd.Timedelta(days=3)).dt.month)
    planted = truth.pivot_table(index="category", columns="month", values="factor")
    flat = set(planted.index[planted.std(axis=1) < 0.01])
    indices = forecast_book(case.tables, as_of=case.as_of, params=MODELS["forecasting"]())["seasonal_indices"]
    newest = indices[(indices["origin"] == indices["origin"].max()) & (indices["category"] != "")]
    used = newest.groupby("category")["used"].any()
    table = newest.pivot_table(index="category", columns="season", values="index")
    seasonal = sorted(set(planted.index) - flat)
    apart = (table.loc[seasonal].to_numpy().argmax(axis=1) - planted.loc[seasonal].to_numpy().argmax(axis=1)) % 12
    called = case.book["category_seasons"].set_index("category")["seasonal"]
    return {
        "seasons_planted": len(seasonal),
        "seasons_used": int(used[seasonal].sum()),
        "seasons_peak": int((np.minimum(apart, 12 - apart) <= 1).sum()),
        "seasons_error": float((table.loc[seasonal] - planted.loc[seasonal]).abs().mean().mean()),
        "seasons_flat_used": int(used[sorted(flat)].sum()),
        "seasons_flat": len(flat),
        "seasons_called": int(called[seasonal].sum()),
        "seasons_flat_called": int(called[sorted(flat)].sum()),
    }


def find_promotions(case: Case) -> Figures:
    """The net promotion effect of each group's report, held against the planted one, and on weeks without any promotion."""
    panel = case.panel.assign(customer_group=case.panel["customer_id"].map(case.group_of))
    demand = case.demo.truth["demand"].rename(columns={"date": "period"})[[*KEY, "period", "expected"]]
    rows = panel.merge(demand, on=[*KEY, "period"], how="left")
    rows["lift"], rows["dip"] = _factors(rows, case.demo.truth["promotions"])
    categories = case.tables["products"].set_index("product_id")["category"]
    found = [_promotion_effect(part, categories) for _, part in rows.groupby("customer_group", sort=True)]
    whole = _promotion_effect(rows, categories)
    shown = pd.DataFrame(found)
    return {
        "promo_groups": len(shown),
        "promo_found": int((shown["low"] > 0).sum()),
        "promo_inside": int(((shown["low"] <= shown["planted"]) & (shown["planted"] <= shown["high"])).sum()),
        "promo_all_found": bool(whole["low"] > 0),
        "promo_all_effect": float(whole["effect"]),
        "promo_all_planted": float(whole["planted"]),
        "promo_false": int(((shown["none_low"] > 0) | (shown["none_high"] < 0)).sum()),
        "promo_dip_found": int((shown["dip_high"] < 0).sum()),
    }


def _factors(rows: pd.DataFrame, promotions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Planted factor of the promotion weeks and of the two after them, missing elsewhere."""
    lift, dip = np.full((2, len(rows)), np.nan)
    for promo in promotions.itertuples():
        hit = rows["product_id"] == promo.product_id
        if isinstance(promo.customer_group, str) and promo.customer_group:
            hit &= rows["customer_group"] == promo.customer_group
        lift[(hit & rows["period"].between(promo.starts_on, promo.ends_on)).to_numpy()] = promo.lift
        after = promo.ends_on + pd.Timedelta(weeks=promo.dip_weeks)
        dip[(hit & (rows["period"] > promo.ends_on) & (rows["period"] <= after)).to_numpy()] = promo.dip
    return lift, dip


def _promotion_effect(part: pd.DataFrame, categories: pd.Series) -> Figures:
    def effects(panel: pd.DataFrame) -> pd.DataFrame:
        kinds = {"categories": categories, "periods_per_year": YEAR, "seed": 1}
        return score_drivers(panel, empty_indices(), **kinds).set_index("driver")

    drivers = effects(part)
    base = part["expected"] / part["lift"].fillna(1.0) / part["dip"].fillna(1.0)
    usual = base[part["lift"].notna()].sum()
    # no promotion at all ten weeks later: real promotions and the two weeks after them are unknown
    marked = part.set_index([*KEY, "period"])["promotion"]
    later = marked[marked].reset_index()
    after = [later.assign(period=later["period"] + pd.Timedelta(weeks=n)) for n in (0, 1, 2)]
    touched = pd.MultiIndex.from_frame(pd.concat(after)[[*KEY, "period"]])
    fake = pd.MultiIndex.from_frame(later.assign(period=later["period"] + pd.Timedelta(weeks=10))[[*KEY, "period"]])
    index = pd.MultiIndex.from_frame(part[[*KEY, "period"]])
    none = effects(part.assign(promotion=index.isin(fake), demand=part["demand"].where(~index.isin(touched))))
    return {
        "effect": drivers.loc["promotion_net", "effect"],
        "low": drivers.loc["promotion_net", "low"],
        "high": drivers.loc["promotion_net", "high"],
        "planted": (part["expected"] - base).sum() / usual,
        "none_low": none.loc["promotion_net", "low"],
        "none_high": none.loc["promotion_net", "high"],
        "dip_high": drivers.loc["after_promotion", "high"],
    }


def find_lost_demand(case: Case) -> Figures:
    """Totals of imputed demand and of sales against what was wanted."""
    truth = case.demo.truth["demand"].rename(columns={"date": "period", "demand": "wanted"})
    rows = case.panel.merge(truth, on=[*KEY, "period"], how="inner", validate="1:1")
    under = rows[rows["customer_id"] == case.planted("understocked")["id"]]
    added = rows["demand"] - rows["quantity"]
    calm = rows["wanted"] <= rows["sold"]
    figures: Figures = {"lost_share": float((rows["wanted"] - rows["sold"]).sum() / rows["wanted"].sum())}
    for name, part in (("all", rows), ("under", under)):
        figures[f"sales_error_{name}"] = float(part["sold"].sum() / part["wanted"].sum() - 1)
        figures[f"demand_error_{name}"] = float(part["demand"].sum() / part["wanted"].sum() - 1)
    by_series = rows.groupby(KEY)[["wanted", "sold", "demand"]].sum()
    for name, column in (("sales", "sold"), ("demand", "demand")):
        figures[f"{name}_error_series"] = float((by_series[column] - by_series["wanted"]).abs().sum() / by_series["wanted"].sum())
    return figures | {"added_in_vain": float(added[calm].sum() / rows["wanted"].sum())}


def find_dead_series(case: Case) -> Figures:
    """Series that the forecast calls dead: those of what ended, and those that were to sell again."""
    ended = case.panel[
        (case.panel["customer_id"] == case.planted("leaving")["id"]) | (case.panel["product_id"] == case.planted("ending")["id"])
    ]
    now = _dead(ended, case)
    then = dt.date(2025, 6, 29)
    early = _dead(case.panel_of(then), case)
    wanted = case.demo.truth["demand"]
    again = wanted[(wanted["date"] > pd.Timestamp(then)) & (wanted["demand"] > 0)].groupby(KEY).size()
    lives = early.index.isin(again.index)
    return {
        "dead_planted": len(now),
        "dead_found": int(now.sum()),
        "dead_false": int(early[lives].sum()),
        "dead_lives": int(lives.sum()),
    }


def _dead(panel: pd.DataFrame, case: Case) -> pd.Series:
    """Which series are dead, those of one product in one group and those of one customer being kin, as in a group's report."""
    grid = panel_grid(panel)
    customer = grid.series["customer_id"]
    kin = ((customer.map(case.group_of) + "\x1f" + grid.series["product_id"]).to_numpy(), customer.to_numpy())
    values = {"quantity": grid.matrix(panel, "quantity"), "in_stock": grid.matrix(panel, "in_stock")}
    states = classify_series_life(values["quantity"], in_stock=values["in_stock"], periods_per_year=YEAR, kin=kin)
    return pd.Series(np.asarray(states) == "dead", index=pd.MultiIndex.from_frame(grid.series))


def find_patterns(case: Case) -> Figures:
    """Demand pattern of each series against the class it was drawn from."""
    found = pattern_frame(case.inputs, case.tables, as_of=case.as_of, params=MODELS["segmentation"]())
    rows = case.demo.truth["series"].merge(found[[*KEY, "pattern"]], on=KEY)
    lasting = rows[
        (rows["customer_id"] != case.planted("leaving")["id"])
        & ~rows["product_id"].isin([case.planted("new")["id"], case.planted("ending")["id"]])
    ]
    often = lasting["planted_class"].isin(["smooth", "erratic"]) == lasting["pattern"].isin(["smooth", "erratic"])
    return {"pattern_same": float((lasting["pattern"] == lasting["planted_class"]).mean()), "pattern_often": float(often.mean())}
