"""Titles, consequences and alternative texts of the segmentation's sections."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from cmi_analysis.messages.segmentation_values import tell_clusters, tell_contribution, tell_lifetime
from cmi_analysis.messages.segmentation_words import SegmentWords
from cmi_analysis.pages import Section


def tell_segmentation_sections(words: SegmentWords) -> dict[str, Section]:
    """Return the sections of the report by key, in the order of the notebook."""
    tellers: dict[str, Callable[[SegmentWords], Section]] = {
        "value": _value,
        "contribution": tell_contribution,
        "segments": _segments,
        "behaviour": _behaviour,
        "service_geography": _service_geography,
        "life_cycle": _life_cycle,
        "movement": _movement,
        "stability": _stability,
        "clusters": tell_clusters,
        "leaving": _leaving,
        "lifetime": tell_lifetime,
        "treatment": _treatment,
        "data": _data,
    }
    missing = words.result.missing
    sections = {}
    for key, tell in tellers.items():
        if key in missing:
            sections[key] = Section(key, missing=words.say(missing[key].removeprefix("segmentation.")))
        else:
            sections[key] = tell(words)
    return sections


def _value(words: SegmentWords) -> Section:
    customers = words.result.customers
    value, before = words.kpi("group_value"), words.kpi("group_value", "last_year")
    fields = {"name": str(customers["customer_name"].iloc[0]), "own": words.rate(customers["value_share"].iloc[0])}
    if value and before:
        title = words.say("value.title_change", value=words.value(value), change=words.change(value / before - 1), **fields)
    elif words.few_customers:
        title = words.say("value.title_few", value=words.value(value), **fields)
    else:
        title = words.say("value.title", share=words.rate(words.kpi("top20_value_share")), **fields)
    most = int((customers["cumulative_share"] < 0.8).sum()) + 1
    most = min(most, len(customers))
    so_what = words.say(
        "value.so_what",
        n=words.count(most),
        all=words.count(len(customers)),
        share=words.rate(customers["cumulative_share"].iloc[most - 1]),
    )
    if "relation_stage" in customers:
        so_what = words.follow(so_what, words.say("value.so_what_relations", counts=words.counted("relation_stage")))
    tiers = words.result.tiers.set_index("tier")["tier_from"]
    if len(tiers):
        bounds = {name: words.value(tiers[name]) for name in ("high", "mid")}
        so_what = words.follow(so_what, words.say("value.so_what_tiers", counts=words.counted("value_tier", least=0), **bounds))
    names = [
        f"{row.customer_name} {words.value(row.value)}" for row in customers.head(4)[["customer_name", "value"]].itertuples()
    ]
    return Section("value", title, so_what, words.say("value.alt", names=words.join(names)))


def _segments(words: SegmentWords) -> Section:
    segments = words.result.segments
    top = segments.sort_values(["value", "segment"], ascending=[False, True], kind="stable").iloc[0]
    title = words.say(
        "segments.title",
        segment=words.word("segment", top["segment"]),
        n=words.count(top["customers"]),
        all=words.count(segments["customers"].sum()),
        share=words.rate(top["value_share"]),
    )
    names = words.shares(segments, kind="segment", name="segment", share="value_share")
    return Section("segments", title, words.say("segments.so_what"), words.say("segments.alt", names=names))


def _behaviour(words: SegmentWords) -> Section:
    frame, patterns = words.result.behaviours, words.result.patterns
    top = frame.sort_values(["customers", "behaviour"], ascending=[False, True], kind="stable").iloc[0]
    fields = {
        "n": words.count(top["customers"]),
        "all": words.count(frame["customers"].sum()),
        "behaviour": words.word("behaviour", top["behaviour"]).lower(),
    }
    share = words.kpi("intermittent_share")
    title = (
        words.say("behaviour.title_few", **fields)
        if share is None
        else words.say("behaviour.title", share=words.rate(share), **fields)
    )
    seasons = words.result.seasons
    strong = seasons.loc[seasons["seasonal"].astype(bool)] if len(seasons) else seasons
    so_what = words.say("behaviour.so_what")
    if len(strong):
        told = [
            words.say("behaviour.season", category=str(row.category), month=words.month(row.peak_month))
            for row in strong.itertuples()
        ]
        so_what = words.say("behaviour.so_what_season", seasons=words.join(told))
    styles = words.counted("order_style")
    if styles:
        so_what = words.follow(so_what, words.say("behaviour.so_what_styles", counts=styles))
    totals = words.counted("demand_pattern")
    if totals:
        so_what = words.follow(so_what, words.say("behaviour.so_what_totals", counts=totals))
    names = words.shares(patterns, kind="pattern", name="pattern", share="share", most=5)
    alt = words.say("behaviour.alt", series=words.count(words.kpi("demand_series")), names=names)
    return Section("behaviour", title, so_what, alt)


def _place(words: SegmentWords, row: pd.Series) -> str:
    where = str(row["region"]) if row["region"] else words.say("region.none")
    return f"{where}, {row['distance_band']} km" if row["distance_band"] else where


def _service_geography(words: SegmentWords) -> Section:
    regions, customers = words.result.regions, words.result.customers
    top = regions.iloc[0]
    contracts = bool(words.facts["contracts_known"])
    title = words.say(
        "service_geography.title" if contracts else "service_geography.title_no_contracts",
        place=_place(words, top),
        share=words.rate(top["value_share"]),
        under=words.count(regions["customers_under_contract"].sum()),
        all=words.count(len(customers)),
    )
    level = regions["contract_level"].max()
    told = [] if pd.isna(level) else [words.say("service_geography.so_what", level=words.rate(level))]
    told.append(words.say("service_geography.so_what_need", counts=words.counted("service_need")))
    if words.facts["counts"]["market"].get("unknown", 0) < len(customers):
        told.append(words.say("service_geography.so_what_market", counts=words.counted("market")))
    sites = words.facts["counts"]["site_cluster"]
    if sites["clusters"]:
        fields = {"clusters": words.count(sites["clusters"]), "largest": words.count(sites["largest"])}
        told.append(words.say("service_geography.so_what_sites", km=words.count(words.facts["site_cluster_km"]), **fields))
    so_what = words.follow(*told)
    names = words.join([f"{_place(words, row)} {words.rate(row['value_share'])}" for _, row in regions.head(4).iterrows()])
    return Section("service_geography", title, so_what, words.say("service_geography.alt", names=names))


def _life_cycle(words: SegmentWords) -> Section:
    stages = words.result.life_stages.set_index("life_stage")["products"]
    fields = {name: words.count(stages[name]) for name in ("ending", "launch")}
    every = words.count(stages.sum())
    if stages["not_judged"] > 0 and stages[["growth", "mature", "decline"]].sum() == 0:
        title = words.say("life_cycle.title_not", all=every, **fields)
    else:
        more = {name: words.count(stages[name]) for name in ("decline", "growth")}
        title = words.say("life_cycle.title", all=every, **fields, **more)
    names = words.join([f"{words.word('stage', name)} {words.count(count)}" for name, count in stages.items()])
    return Section("life_cycle", title, words.say("life_cycle.so_what"), words.say("life_cycle.alt", names=names))


def _movement(words: SegmentWords) -> Section:
    moves = words.result.moves
    other = moves.loc[moves["segment_from"] != moves["segment_to"]]
    other = other.sort_values(["value", "segment_from", "segment_to"], ascending=[False, True, True], kind="stable")
    days, every = words.count(words.facts["movement_days"]), words.count(moves["customers"].sum())
    if other.empty:
        title = words.say("movement.title_none", days=days)
    else:
        origin, target = (words.word("segment", other[name].iloc[0]) for name in ("segment_from", "segment_to"))
        moved = words.count(other["customers"].sum())
        title = words.say("movement.title", moved=moved, all=every, days=days, origin=origin, target=target)
    pairs = [
        words.say(
            "movement.pair",
            origin=words.word("segment", row["segment_from"]),
            target=words.word("segment", row["segment_to"]),
            n=words.count(row["customers"]),
        )
        for _, row in (other if len(other) else moves).head(4).iterrows()
    ]
    alt = words.say("movement.alt", all=every, names=words.join(pairs))
    so_what = words.say("movement.so_what")
    causes = words.result.causes.set_index("move_cause")["customers"]
    if len(causes):
        fields = {name: words.count(causes[name]) for name in ("customer", "threshold", "both")}
        so_what = words.follow(words.say("movement.so_what_causes", **fields), so_what)
    return Section("movement", title, so_what, alt, rows=len(other) > 0)


def _stability(words: SegmentWords) -> Section:
    segments = words.result.segments
    known = segments.loc[segments["stay_share"].notna()]
    least = known.sort_values(["stay_share", "segment"], kind="stable").iloc[0]
    title = words.say(
        "stability.title",
        share=words.rate(words.result.customers["stay_share"].mean()),
        segment=words.word("segment", least["segment"]),
        least=words.rate(least["stay_share"]),
    )
    names = words.shares(known, kind="segment", name="segment", share="stay_share", most=12)
    return Section("stability", title, words.say("stability.so_what"), words.say("stability.alt", names=names))


def _leaving(words: SegmentWords) -> Section:
    leaving = words.result.leaving
    few = int((words.result.customers["leaving_status"] == "too_few").sum())
    so_what = words.say("leaving.so_what", few=words.count(few))
    doubtful = words.facts["counts"]["doubtful"]["customers"]
    if doubtful:
        so_what = words.follow(so_what, words.say("leaving.so_what_doubtful", n=words.count(doubtful)))
    if leaving.empty:
        title = words.say("leaving.title_none")
        return Section("leaving", title, so_what, title, chart=False, rows=False)
    title = words.say(
        "leaving.title",
        n=words.count(len(leaving)),
        every=words.count(len(words.result.customers)),
        value=words.value(words.kpi("value_at_risk")),
        share=words.rate(words.kpi("value_at_risk_share")),
    )
    rows = leaving.head(4)[["customer_name", "value_at_risk"]].itertuples()
    names = words.join([f"{row.customer_name} {words.value(row.value_at_risk)}" for row in rows])
    return Section("leaving", title, so_what, words.say("leaving.alt", names=names))


def _treatment(words: SegmentWords) -> Section:
    treatment = words.result.treatment
    first = treatment.loc[treatment["shortage_priority"] == 1, "customers"].sum()
    every = words.count(treatment["customers"].sum())
    most = treatment.sort_values(["customers", "shortage_priority", "segment"], ascending=[False, True, True], kind="stable")
    if first or most.empty:
        title = words.say("treatment.title", first=words.count(first), all=every)
    else:
        row = most.iloc[0]
        fields = {"segment": words.word("segment", row["segment"]), "n": words.count(row["customers"])}
        title = words.say("treatment.title_none_first", all=every, step=words.word("step", row["next_step"]), **fields)
    return Section("treatment", title, words.follow(_replayed(words), words.say("treatment.so_what")), words.say("treatment.alt"))


def _replayed(words: SegmentWords) -> str:
    """Return what the priorities would have changed for the group's customers of the first rank, empty without a shortage."""
    treatment = words.result.treatment
    short = treatment.loc[treatment["short_ordered"] > 0]
    if short.empty:
        return words.say("treatment.no_shortage")
    best = short.loc[short["shortage_priority"] == short["shortage_priority"].min()]
    ordered = float(best["short_ordered"].sum())
    got, would = (
        words.rate(float((best[name] * best["short_ordered"]).sum()) / ordered) for name in ("served_share", "served_by_priority")
    )
    return words.say("treatment.replay", rank=words.count(best["shortage_priority"].iloc[0]), got=got, would=would)


def _data(words: SegmentWords) -> Section:
    title = words.say(
        "data.title",
        orders=words.count(words.result.customers["orders"].sum()),
        active=words.count(words.kpi("customers_active")),
        history=words.facts["history_from"] or "–",
        as_of=words.facts["as_of"],
    )
    return Section("data", title)
