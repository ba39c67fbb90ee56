"""The sections of the forecasting report: message titles, what follows, alternative texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cmi_analysis.labels import format_value, text
from cmi_analysis.messages.forecasting_words import Words
from cmi_analysis.pages import Section

_LEAST_BIAS = 0.15
# a total that moved by less than this share has hardly moved
_HARDLY = 0.005


def tell_forecast_sections(words: Words) -> dict[str, Section]:
    """Return the sections by key, in the notebook's order."""
    tellers: dict[str, Callable[[Words], Section]] = {
        "next_periods": _next_periods,
        "movement": _movement,
        "levels": _levels,
        "accuracy": _accuracy,
        "customer_forecast": _customer_forecast,
        "drivers": _drivers,
        "bias": _bias,
        "forecastability": _forecastability,
        "life_cycle": _life_cycle,
        "model_choice": _model_choice,
        "data": _data,
    }
    sections = {}
    for key, tell in tellers.items():
        missing = words.result.missing.get(key)
        sections[key] = Section(key, missing=text(missing, words.lang)) if missing else tell(words)
    return sections


def _say(
    words: Words,
    key: str,
    title: str = "title",
    *,
    so_what: dict | None = None,
    so_what_key: str = "so_what",
    alt: dict | None = None,
    **fields: str,
) -> Section:
    return Section(
        key,
        title=text(f"forecasting.{key}.{title}", words.lang, **fields),
        so_what=text(f"forecasting.{key}.{so_what_key}", words.lang, **(so_what or {})),
        alt=text(f"forecasting.{key}.alt", words.lang, **alt) if alt is not None else "",
    )


def _next_periods(words: Words) -> Section:
    low, high = words.last_bounds
    total = words.quantity(words.total)
    alt = {"each": words.each, "horizon": words.horizon, "total": total, "low": words.quantity(low), "high": words.quantity(high)}
    fields = {"horizon": words.horizon, "total": total}
    items = words.result.items
    rare = bool((items["next_high"] < items["next"]).any())
    told: dict = {"alt": alt, "so_what_key": "so_what_rare" if rare else "so_what"}
    change = words.change
    if change is None or abs(change) < 0.005:
        return _say(words, "next_periods", **told, **fields)
    return _say(
        words, "next_periods", "title_up" if change > 0 else "title_down", change=words.rate(abs(change)), **told, **fields
    )


def _movement(words: Words) -> Section:
    result, lang = words.result, words.lang
    causes, periods = result.move_causes, result.move_periods
    then, now = float(periods["expected_then"].sum()), float(periods["expected_now"].sum())
    fields = {
        "date": format_value(result.compared_on, "date", lang),
        "n": words.periods(len(periods)),
        "now": words.quantity(now),
    }
    nearest = periods.iloc[0]
    so_what = {"next": words.quantity(nearest["expected_now"]), "said": words.quantity(nearest["expected_then"])}
    sold, said = (result.moves[name].sum() for name in ("sold_since", "said_since"))
    news = bool(result.moves["sold_since"].notna().any())
    so_what |= {"sold": words.quantity(sold), "expected": words.quantity(said)} if news else {}
    names = [text(f"forecasting.cause.{name}", lang) for name in causes["cause"]]
    alt = {"rows": words.pairs(names, causes["moved"].tolist(), kind="signed_quantity")}
    told: dict = {"so_what": so_what, "so_what_key": "so_what" if news else "so_what_no_news", "alt": alt}
    if abs(now - then) < _HARDLY * max(then, now):
        return _say(words, "movement", "title_same", **told, **fields)
    same = causes[np.sign(causes["moved"]) == np.sign(now - then)]
    fields |= {"moved": words.quantity(abs(now - then)), "cause": text(f"forecasting.cause.{same['cause'].iloc[0]}", lang)}
    return _say(words, "movement", "title_up" if now > then else "title_down", **told, **fields)


def _levels(words: Words) -> Section:
    total = words.result.levels.set_index("total_level").loc["all"]
    key = "so_what_none" if words.result.reconciliation == "none" else "so_what"
    fields = {"horizon": words.horizon, "total": words.quantity(total["mean"])}
    if not total["wape"] >= 0:
        return _say(words, "levels", "title_plain", so_what_key=key, **fields)
    fields |= {"low": words.quantity(total["low"]), "high": words.quantity(total["high"])}
    return _say(words, "levels", so_what_key=key, wape=words.rate(total["wape"]), base=words.rate(total["wape_base"]), **fields)


def _accuracy(words: Words) -> Section:
    step = words.step("sum", "chosen")
    table = words.result.accuracy
    rows = table[(table["scope"] == "all") & (table["measure"] == "sum")]
    names = [text(f"forecasting.model.{name}", words.lang) for name in rows["step"]]
    alt = {"lag": words.lag, "steps": words.pairs(names, rows["wape"].tolist())}
    if step is None:
        return Section("accuracy", missing=text("forecasting.missing.history", words.lang))
    title = "title_good" if step["low"] > 0 else "title_bad" if step["high"] < 0 else "title_unclear"
    fields = {"gain": words.points(step["value_added"]), "low": words.points(step["low"]), "high": words.points(step["high"])}
    so_what = {"n": words.count(step["n"]), "series": words.count(step["series"])}
    return _say(words, "accuracy", title, so_what=so_what, alt=alt, lag=words.lag, **fields)


def _customer_forecast(words: Words) -> Section:
    rows = words.result.customers
    better = int((rows["trust"] == "theirs").sum())
    counts = {"better": words.count(better), "customers": words.count(len(rows))}
    shown = rows.sort_values(["demand", "customer_id"], ascending=[False, True], kind="stable").head(6)
    both = [
        f"{row.customer_name} {words.rate(row.wape_customer)} / {words.rate(row.wape_statistical)}"
        for row in shown[["customer_name", "wape_customer", "wape_statistical"]].itertuples()
    ]
    alt = {"rows": ("、" if words.lang == "zh" else ", ").join(both)}
    biased = words.biased_customer(_LEAST_BIAS)
    if biased is not None:
        title = f"title_bias_{words.side(biased)}"
        return _say(words, "customer_forecast", title, alt=alt, **words.bias_fields(biased), **counts)
    theirs, ours = (words.step("sum", step, scope="shared") for step in ("customer", "statistical"))
    fields = {
        "theirs": words.rate(None if theirs is None else theirs["wape"]),
        "ours": words.rate(None if ours is None else ours["wape"]),
    }
    return _say(words, "customer_forecast", alt=alt, lag=words.lag, **fields, **counts)


def _drivers(words: Words) -> Section:
    table = words.result.drivers
    seasons = table[table["driver"] == "season"].sort_values(["effect", "category"], ascending=[False, True], kind="stable")
    learnt = "boosting" in set(words.result.models["model"])
    so_what = text("forecasting.drivers.so_what_global" if learnt else "forecasting.drivers.so_what", words.lang)
    if not seasons.empty:
        top = seasons.iloc[0]
        month = text(f"forecasting.month.{int(top['season'])}", words.lang)
        fields = {"category": words.category(top["category"]), "month": month, "effect": words.rate(top["effect"])}
        names = [
            f"{words.category(row.category)} {text(f'forecasting.month.{int(row.season)}', words.lang)}"
            for row in seasons.itertuples()
        ]
        alt = text(
            "forecasting.drivers.alt", words.lang, peaks=words.pairs(names, seasons["effect"].tolist(), kind="signed_rate")
        )
        return Section("drivers", text("forecasting.drivers.title_season", words.lang, **fields), so_what, alt)
    alt = text("forecasting.drivers.alt_flat", words.lang)
    promotion = table[(table["driver"] == "promotion") & (table["low"] > 0)]
    if promotion.empty:
        return Section(
            "drivers", text("forecasting.drivers.title_flat", words.lang), so_what, alt, chart=False, rows=not table.empty
        )
    effect = words.rate(promotion.iloc[0]["effect"])
    return Section("drivers", text("forecasting.drivers.title_promotion", words.lang, effect=effect), so_what, alt)


def _bias(words: Words) -> Section:
    rows = words.result.customer_bias.dropna(subset=["bias"])
    rows = rows.assign(units=(rows["bias"] * rows["demand"]).abs())
    rows = rows.sort_values(["units", "customer_id"], ascending=[False, True], kind="stable")
    if rows.empty:
        return Section("bias", missing=text("forecasting.missing.history", words.lang))
    worst = rows.iloc[0]
    alt = {"rows": words.pairs(rows["customer_name"].tolist(), rows["bias"].tolist(), kind="signed_rate")}
    so_what = {name: words.view(name) for name in ("imputed", "sold", "kept")} if words.stock_known else {}
    so_what_key = "so_what" if words.stock_known else "so_what_plain"
    fields = {"bias": words.signed(words.bias), "customer": worst["customer_name"], "worst": words.signed(worst["bias"])}
    said = _say(words, "bias", so_what=so_what, so_what_key=so_what_key, alt=alt, **fields)
    return replace(said, so_what=said.so_what + _monitored(words))


def _monitored(words: Words) -> str:
    """How many items changed level or drift off; nothing where none does."""
    happened = words.result.monitoring["reason"].str.split("_").str[0].value_counts()
    counts = {name: int(happened.get(kind, 0)) for name, kind in (("changed", "level"), ("drifting", "drift"))}
    if not sum(counts.values()):
        return ""
    fields = {name: words.count(value) for name, value in counts.items()} | {"items": words.count(len(words.result.items))}
    return ("" if words.lang == "zh" else " ") + text("forecasting.bias.monitored", words.lang, **fields)


def _forecastability(words: Words) -> Section:
    rows = words.result.patterns
    names = [text(f"forecasting.pattern.{name}", words.lang) for name in rows["pattern"]]
    alt = {"rows": words.pairs(names, rows["wape"].tolist())}
    counts = {"n": words.count(len(words.doubtful)), "items": words.count(len(words.result.items))}
    scored = rows.dropna(subset=["wape"])
    if scored.empty:
        return _say(words, "forecastability", "title_plain", alt=alt, **counts)
    worst = scored.sort_values(["wape", "pattern"], ascending=[False, True], kind="stable").iloc[0]
    fields = {"pattern": text(f"forecasting.pattern.{worst['pattern']}", words.lang), "wape": words.rate(worst["wape"])}
    return _say(words, "forecastability", alt=alt, **counts, **fields)


def _life_cycle(words: Words) -> Section:
    counts = words.result.items["state"].value_counts()
    return _say(words, "life_cycle", **{name: words.count(int(counts.get(name, 0))) for name in ("new", "ending", "dead")})


def _model_choice(words: Words) -> Section:
    counts = words.result.items["model"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    fields = {"model": text(f"forecasting.model.{counts.index[0]}", words.lang), "n": words.count(int(counts.iloc[0]))}
    fields["items"] = words.count(len(words.result.items))
    scored = words.result.models[words.result.models["model"] != "customer"].dropna(subset=["score"])
    names = [text(f"forecasting.model.{name}", words.lang) for name in scored["model"]]
    alt = {"rows": words.pairs(names, scored["score"].tolist(), limit=12)}
    cover = words.coverage_row("period")
    if cover is None:
        return _say(words, "model_choice", "title_plain", alt=alt, **fields)
    shares = {"share": words.rate(words.result.interval), "coverage": words.rate(cover["coverage"])}
    return _say(words, "model_choice", alt=alt, **fields, **shares)


def _data(words: Words) -> Section:
    so_what = text("forecasting.data.warehouse", words.lang) if words.result.echelon == "warehouse" else ""
    return Section("data", title=words.coverage_words(), so_what=so_what)
