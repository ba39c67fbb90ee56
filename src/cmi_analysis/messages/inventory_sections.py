"""Title, consequence and alternative text of each section of the inventory plan."""

from __future__ import annotations

from collections.abc import Callable

from cmi_analysis.labels import text
from cmi_analysis.messages.inventory_sharing import tell_sharing
from cmi_analysis.messages.inventory_words import PlanWords
from cmi_analysis.pages import Section

LEAD_SHARE_THAT_COUNTS = 0.25
HELD_ORDERS = ("ending", "maximum", "shelf_life", "budget", "storage", "no_benefit", "wait", "never")


def tell_plan_section(words: PlanWords, key: str) -> Section:
    """Return the words of one section, or the sentence that says which data it lacks."""
    if key in words.result.missing:
        missing = text(words.result.missing[key], words.params.lang)
        if key == "lead_time" and words.assumed_days:
            missing = words.say("lead_time.assumed", missing=missing, days=words.assumed_days)
        return Section(key, missing=missing)
    title, so_what, alt = PLAN_SECTIONS[key](words)
    something = key != "allocation" or bool(len(words.result.allocation))  # nothing short: the title says all
    if key == "sharing":
        drawn, listed = bool(len(words.result.pooling)), bool(len(words.result.site_transfers) + len(words.result.pooling))
        return Section(key, title=title, so_what=so_what, alt=alt, chart=drawn, rows=listed)
    return Section(key, title=title, so_what=so_what, alt=alt, chart=something, rows=something)


_Told = tuple[str, str, str]


def _tell_service(words: PlanWords) -> _Told:
    table = words.result.customers
    worst, count = table.iloc[0], words.show(len(table), "count")
    if table["expected"].isna().all():
        values = {"promised": words.show(words.total("promised"), "rate"), "m": count}
        title = words.say("service.title_policy", **values)
        return title, "", title
    values = {
        "customer": worst["customer_name"],
        "expected": words.show(worst["expected"], "rate"),
        "target": words.show(worst["target"], "rate"),
        "m": count,
    }
    below = int((table["gap"] < -1e-9).sum())
    key = "service.title_below" if below else "service.title_good"
    unknown_supply = "inventory.assumes.no_open_supply" in words.result.assumptions
    so_what = words.say("service.so_what_no_supply" if unknown_supply else "service.so_what") if below else ""
    return words.say(key, n=words.show(below, "count"), **values), so_what, words.say("service.alt", **values)


def _tell_money(words: PlanWords) -> _Told:
    rows = [
        (
            words.say(f"owner.{row['owner']}"),
            {name: words.stock(f"{name}_value", name, row) for name in ("stock_now", "model_stock", "releasable", "missing")},
        )
        for row in words.result.money.to_dict("records")
    ]
    title, alt = [], []
    for owner, shown in rows:
        values = {"now": shown["stock_now"], "model": shown["model_stock"]}
        values |= {"releasable": shown["releasable"], "missing": shown["missing"]}
        title.append(words.say("money.title", owner=owner, **values))
        alt.append(words.say("money.alt", **values))
    return "; ".join(title), words.say("money.so_what"), " ".join(alt)


def _tell_actions(words: PlanWords) -> _Told:
    proposals, alerts = words.result.proposals, words.result.alerts
    kinds = alerts["alert"].value_counts().sort_index()
    title = words.say(
        "actions.title",
        orders=words.show(len(proposals), "count"),
        units=words.show(proposals["quantity"].sum(), "quantity"),
        out=words.show(kinds.get("stocked_out", 0), "count"),
        excess=words.show(kinds.get("excess", 0), "count"),
    )
    held = {name: words.total(f"held_{name}") or 0 for name in HELD_ORDERS}
    so_what = " ".join(words.say(f"actions.so_what_{name}", n=words.show(n, "count")) for name, n in held.items() if n)
    listed = ", ".join(f"{words.say(f'alert.{kind}')} {words.show(count, 'count')}" for kind, count in kinds.items())
    return title, so_what, words.say("actions.alt", kinds=listed or words.show(0, "count"))


def _tell_projection(words: PlanWords) -> _Told:
    table = words.result.projection
    count = words.show(len(table[["customer_id", "product_id"]].drop_duplicates()), "count")
    empty = table[table["shortage_chance"] > 0.5].sort_values(["date", "customer_id", "product_id"], kind="stable")
    if len(empty):
        first = empty.iloc[0]
        values = {"product": first["product_name"], "customer": first["customer_name"], "day": words.show(first["date"], "date")}
        title = words.say("projection.title_out", **values)
    else:
        title = words.say("projection.title_good", n=count)
    return title, words.say("projection.so_what"), words.say("projection.alt", n=count, title=title)


def _tell_curve(words: PlanWords) -> _Told:
    table = words.result.curve
    curve, plan = table[table["point"] == "curve"], table[table["point"] == "plan"].iloc[0]
    low, high = curve.iloc[0], curve.iloc[-1]
    money = bool(table["stock_value"].notna().all())
    more = high["stock_value"] - low["stock_value"] if money else high["stock_units"] - low["stock_units"]
    ends = {"low": words.show(low["target"], "rate"), "high": words.show(high["target"], "rate")}
    values = {"promised": words.show(plan["promised"], "rate"), "model": words.stock("stock_value", "stock_units", plan)}
    today = table[table["point"] == "today"]
    if len(today):
        values |= {
            "now": words.stock("stock_value", "stock_units", today.iloc[0]),
            "expected": words.show(today.iloc[0]["promised"], "rate"),
        }
    title = words.say("curve.title" if len(today) else "curve.title_policy", **values)
    so_what = words.say("curve.so_what", more=words.amount(more, money=money), **ends)
    return title, so_what, words.say("curve.alt", promised=values["promised"], **ends)


def _tell_targets(words: PlanWords) -> _Told:
    table = words.result.targets.set_index("way")
    money = bool(table["stock_value"].notna().any())
    column = "stock_value" if money else "stock_units"
    fixed, same = table.loc["fixed"], table.loc["optimised_same_money"]
    cheaper = table.loc["optimised_same_service"]
    known = bool(table[column].notna().any())
    shown = {"fixed": words.show(fixed["promised"], "rate"), "best": words.show(same["promised"], "rate")}
    shown |= {"saving": words.amount(max(cheaper["saving"], 0.0), money=money), "stock": words.amount(fixed[column], money=money)}
    alt = words.say("targets.alt", fixed=shown["fixed"], best=shown["best"])
    if not known:
        return words.say("targets.title_plain", **shown), words.say("targets.so_what"), alt
    under = {"under": words.show(same["items_share_under"], "rate"), "aim": words.show(words.params.service_target, "rate")}
    return words.say("targets.title", **shown), words.say("targets.so_what_under", **under), alt


def _tell_policies(words: PlanWords) -> _Told:
    table = words.result.classes
    a_items, z_items = table[table["abc"] == "A"], table[table["xyz"] == "Z"]
    shown = {
        "a": words.show(a_items["items"].sum(), "count"),
        "z": words.show(z_items["items"].sum(), "count"),
        "n": words.show(table["items"].sum(), "count"),
        "share": words.show(a_items["demand_share"].sum(), "rate"),
        "batch": words.show(table["in_batches"].sum(), "count"),
        "level": words.show(table["up_to_level"].sum(), "count"),
    }
    return tuple(words.say(f"policies.{part}", **shown) for part in ("title", "so_what", "alt"))  # type: ignore[return-value]


def _tell_promised(words: PlanWords) -> _Told:
    row = words.result.promised.set_index("abc").loc["all"]
    shown = {name: words.show(row[name], "rate") for name in ("promised", "simulated")}
    ends = {"low": words.show(row["simulated_low"], "rate"), "high": words.show(row["simulated_high"], "rate")}
    return words.say("promised.title", **shown, **ends), _tell_backtest(words), words.say("promised.alt", **shown)


def _tell_backtest(words: PlanWords) -> str:
    """Return what the back-test says beside the simulation, or why there is none."""
    table = words.result.backtest
    if table.empty:
        missing = words.result.missing.get("backtest")
        said = words.say("promised.so_what")
        gap = "" if words.params.lang == "zh" else " "
        return said + gap + text(missing, words.params.lang) if missing else said
    fill = table[table["measure"] == "shelf_fill"]
    stock = table[(table["measure"] == "mean_stock") & (table["supply"] == "unlimited")].iloc[0]
    values = {
        "low": words.show(fill["would_be_low"].min(), "rate"),
        "high": words.show(fill["would_be_high"].max(), "rate"),
        "was": words.show(fill["was"].iloc[0], "rate"),
        "stock": words.show(stock["would_be"] / stock["was"] if stock["was"] > 0 else float("nan"), "rate"),
        "items": words.show(fill["items"].iloc[0], "count"),
    }
    return words.say("promised.so_what_backtest", **values)


def _tell_safety_stock(words: PlanWords) -> _Told:
    row = words.result.safety_stock.set_index("abc").loc["all"]
    shares = {"noise": "demand_noise_share", "bias": "bias_share", "lead": "lead_time_share"}
    shown = {name: words.show(row[column], "rate") for name, column in shares.items()}
    if words.all_assumed:
        title = words.say("safety_stock.title_assumed", days=words.assumed_days)
        return title, words.say("safety_stock.so_what_assumed"), words.say("safety_stock.alt", **shown)
    cause = "lead" if row["lead_time_share"] > LEAD_SHARE_THAT_COUNTS else "demand"
    so_what = words.say(f"safety_stock.so_what_{cause}")
    return words.say("safety_stock.title", **shown), so_what, words.say("safety_stock.alt", **shown)


def _tell_allocation(words: PlanWords) -> _Told:
    table = words.result.allocation
    if table.empty:
        title = words.say("allocation.title_good")
        return title, "", title
    need = table["need"].sum()
    shown = {
        "n": words.show(table["product_id"].nunique(), "count"),
        "units": words.show(table["short"].sum(), "quantity"),
        "share": words.show(table["allocated"].sum() / need, "rate"),
    }
    return words.say("allocation.title_short", **shown), words.say("allocation.so_what"), words.say("allocation.alt", **shown)


def _tell_lead_time(words: PlanWords) -> _Told:
    customers, suppliers = words.result.lead_times, words.result.suppliers
    slowest = {}
    for name, table, key in (("customer", customers, "customer_id"), ("supplier", suppliers, "supplier_id")):
        known = table[table["p95_days"].notna()] if len(table) else table
        if len(known):
            slowest[name] = known.sort_values(["p95_days", "mean_days", key], ascending=[False, False, True]).iloc[0]

    def shown(name: str) -> dict[str, str]:
        row = slowest[name]
        values = {"mean": words.show(row["mean_days"], "days"), "p95": words.show(row["p95_days"], "days")}
        return values | {"late": words.show(row["late_share"], "rate"), name: row[f"{name}_name"]}

    if not slowest:
        title = text("inventory.missing.deliveries", words.params.lang)
        return title, "", title
    first = "customer" if "customer" in slowest else "supplier"
    title = words.say("lead_time.title" if first == "customer" else "lead_time.title_supplier", **shown(first))
    so_what = words.say("lead_time.so_what", **shown("supplier")) if "supplier" in slowest else ""
    table = customers if first == "customer" else suppliers
    alt = words.say("lead_time.alt", n=words.show(len(table), "count"), p95=words.show(slowest[first]["p95_days"], "days"))
    return title, so_what, alt


def _tell_sensitivity(words: PlanWords) -> _Told:
    table = words.result.sensitivity.set_index("change")
    column, kind = ("stock_value", "money") if table["stock_value"].notna().all() else ("stock_units", "quantity")
    more = {
        name: table.loc[row, column] - table.loc["plan", column]
        for name, row in (("target", "target_more"), ("lead", "lead_more"))
    }
    money = kind == "money"
    shown = {name: words.amount(value, money=money) for name, value in more.items()}
    alt = words.say("sensitivity.alt", plan=words.amount(table.loc["plan", column], money=money), target=shown["target"])
    return words.say("sensitivity.title", **shown), words.say("sensitivity.so_what"), alt


def _tell_data(words: PlanWords) -> _Told:
    counts = dict(zip(words.result.coverage["what"], words.result.coverage["items"], strict=True))
    shown = {name: words.show(counts[name], "count") for name in ("items", "planned", "stock", "errors")}
    sources = {name: words.show(counts[f"lead_{name}"], "count") for name in ("orders", "assortment", "group", "assumed")}
    title = words.say("data.title", **shown)
    return title, words.say("data.so_what", **sources), title


PLAN_SECTIONS: dict[str, Callable[[PlanWords], _Told]] = {
    "service": _tell_service,
    "money": _tell_money,
    "actions": _tell_actions,
    "projection": _tell_projection,
    "curve": _tell_curve,
    "targets": _tell_targets,
    "policies": _tell_policies,
    "promised": _tell_promised,
    "safety_stock": _tell_safety_stock,
    "allocation": _tell_allocation,
    "sharing": tell_sharing,
    "lead_time": _tell_lead_time,
    "sensitivity": _tell_sensitivity,
    "data": _tell_data,
}
