"""Words of the section on stock that sites share: transfers and pooled safety stock."""

from __future__ import annotations

from cmi_analysis.messages.inventory_words import PlanWords


def tell_sharing(words: PlanWords) -> tuple[str, str, str]:
    """Return title, consequence and alternative text; no money stands in the client's edition."""
    transfers, pooling = words.result.site_transfers, words.result.pooling
    title = words.say("sharing.title_none")
    if len(transfers):
        title = words.say(
            "sharing.title",
            n=words.show(len(transfers), "count"),
            units=words.show(transfers["quantity"].sum(), "quantity"),
            saved=words.show(transfers["saved_units"].sum(), "quantity"),
        )
    alt = words.say("sharing.alt_none")
    if len(pooling):
        shown = {name: words.show(pooling[f"safety_{name}"].sum(), "quantity") for name in ("apart", "pooled")}
        alt = words.say("sharing.alt", m=words.show(len(pooling), "count"), **shown)
        title = words.say("sharing.title_pooling", title=title, **shown)
    return title, _so_what(words), alt


def _so_what(words: PlanWords) -> str:
    """Return who may share, what was assumed, whether pooling pays, and what the transfers are not counted in."""
    params, pooling = words.params, words.result.pooling
    told = [words.say("sharing.by_account" if words.part.tables.has("customers", "account_id") else "sharing.by_group")]
    days = words.say("sharing.days", value=words.show(params.transfer_days, "count"))
    if params.audience == "client" or params.assumed_transfer_cost is None:
        told.append(words.say("sharing.assumed_days", days=days))
    else:
        told.append(words.say("sharing.assumed", days=days, cost=words.show(params.assumed_transfer_cost, "money")))
    valued = pooling[pooling["reason"].isin(["saves_more", "costs_more", "saves_nothing"])]
    if len(valued):
        paying = int((valued["reason"] == "saves_more").sum())
        told.append(words.say("sharing.pays", n=words.show(paying, "count"), m=words.show(len(valued), "count")))
    transfers = words.result.site_transfers
    if "transfer_gain" in transfers and transfers["transfer_gain"].isna().any():
        told.append(words.say("sharing.in_units"))
    if len(transfers):
        told.append(words.say("sharing.orders"))
    return " ".join(told)
