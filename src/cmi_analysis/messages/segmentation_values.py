"""Titles, consequences and alternative texts of the sections on contribution, lifetime value and clusters."""

from __future__ import annotations

from cmi_analysis.messages.segmentation_words import SegmentWords
from cmi_analysis.pages import Section

FIRM = 0.8  # adjusted Rand index from which clusters come back almost the same


def tell_contribution(words: SegmentWords) -> Section:
    """Return the section on what is left of the value."""
    whale = words.result.whale
    total, costly = float(whale["contribution"].sum()), whale.loc[whale["contribution"] < 0]
    value, cost = float(whale["value"].sum()), float(whale["handling_cost"].sum())
    fields = {
        "left": words.value(total),
        "share": words.rate(total / value) if value > 0 else "–",
        "cost": words.rate(cost / value) if value > 0 else "–",
    }
    if len(costly):
        lost = words.value(-float(costly["contribution"].sum()))
        title = words.say("contribution.title_costly", n=words.count(len(costly)), lost=lost, **fields)
    else:
        title = words.say("contribution.title", **fields)
    dear = whale.sort_values(["cost_to_serve", "customer_id"], ascending=[False, True], kind="stable").iloc[0]
    so_what = words.say("contribution.so_what", name=str(dear["customer_name"]), cost=words.value(dear["cost_to_serve"]))
    rows = whale.head(4)[["customer_name", "contribution"]].itertuples()
    names = words.join([f"{row.customer_name} {words.value(row.contribution)}" for row in rows])
    return Section("contribution", title, so_what, words.say("contribution.alt", names=names))


def tell_lifetime(words: SegmentWords) -> Section:
    """Return the section on what customers will still bring."""
    lifetimes = words.result.lifetimes
    known = lifetimes.loc[lifetimes["lifetime_value"].notna()]
    first = known.iloc[0]
    title = words.say(
        "lifetime.title",
        value=words.value(known["lifetime_value"].sum()),
        months=words.count(words.facts["lifetime_months"]),
        name=str(first["customer_name"]),
        low=words.value(first["lifetime_value_low"]),
        high=words.value(first["lifetime_value_high"]),
    )
    models = set(words.result.models["model"])
    least = words.count(words.facts["least_model_customers"])
    key = "lifetime.so_what_rate" if "nbd" in models else "lifetime.so_what_rhythm"
    key = "lifetime.so_what_model" if models & {"bg_nbd", "mbg_nbd"} else key
    so_what = words.say(key, pool=words.count(words.facts["pool_customers"]), least=least)
    if not words.result.customers["contribution"].notna().any():
        so_what = words.follow(so_what, words.say("lifetime.so_what_value"))
    names = words.join([f"{row.customer_name} {words.value(row.lifetime_value)}" for row in known.head(4).itertuples()])
    return Section("lifetime", title, so_what, words.say("lifetime.alt", names=names))


def tell_clusters(words: SegmentWords) -> Section:
    """Return the section on the clusters, a second opinion."""
    clusters = words.result.clusters
    likeness = float(clusters["cluster_likeness"].iloc[0])
    agree, every = int(clusters["most_customers"].sum()), int(clusters["customers"].sum())
    title = words.say(
        "clusters.title" if likeness >= FIRM else "clusters.title_loose",
        index=words.number(likeness),
        agree=words.count(agree),
        all=words.count(every),
    )
    names = words.join([f"{words.count(row.cluster)}: {words.count(row.customers)}" for row in clusters.itertuples()])
    return Section("clusters", title, words.say("clusters.so_what"), words.say("clusters.alt", names=names))
