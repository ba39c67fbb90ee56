"""What the reports say of the customers that play a part."""

from __future__ import annotations

import pandas as pd

from cmi_analysis.messages.performance_words import surely_biased
from cmi_analysis.performance.builders import Sources
from cmi_analysis.performance.scoring import DEFAULTS, score_kpis
from cmi_analysis.segmentation.behaviour import classify_behaviour
from cmi_analysis.segmentation.leaving import classify_leaving
from cmi_analysis.segmentation.value import classify_accounts
from cmi_analysis.stages.performance_frames import collaboration_by_customer, turns_by_customer
from planted.case import YEAR, Case, Figures


def find_leaving(case: Case) -> Figures:
    """Weekly looks over the last year: after how much silence the leaving customer is called overdue, and who else ever is."""
    orders = case.inputs.orders_only()
    looks = pd.date_range(end=case.as_of, periods=YEAR, freq="7D")
    seen = pd.concat([classify_leaving(orders, as_of=day.date()).assign(look=day) for day in looks], ignore_index=True)
    who, start = case.planted("leaving")["id"], case.planted("leaving")["starts_on"]
    days = orders.loc[orders["customer_id"] == who, "date"].drop_duplicates().sort_values()
    interval = float(days[days < start].diff().dt.days.tail(26).median())
    his = seen[(seen["customer_id"] == who) & (seen["look"] >= start)].set_index("look")
    called = his[his["leaving_status"] == "overdue"]
    # the rule does not depend on the look: it holds from the day after `expected_by_on`
    first = called["expected_by_on"].iloc[0] + pd.Timedelta(days=1) if len(called) else pd.NaT
    others = seen[seen["customer_id"] != who].sort_values(["customer_id", "look"])
    alarm = others["leaving_status"].isin(["overdue", "silent"])
    begins = alarm & ~alarm.groupby(others["customer_id"]).shift(1, fill_value=False)
    return {
        "leaving_silence": (first - days[days < first].max()).days / interval,
        "leaving_weeks_from_start": (first - start).days / 7,
        "leaving_at_end": his["leaving_status"].iloc[-1] == "overdue",
        "leaving_false": int(begins.sum()),
        "leaving_false_at_end": int(alarm[others["look"] == looks[-1]].sum()),
        "leaving_customer_years": len(others) / YEAR,
    }


def find_biased_forecast(case: Case) -> Figures:
    """Whom each group's review names for a biased forecast; bullwhip and data sharing stand in the same table."""
    table = collaboration_by_customer(case.part, Sources(case.tables.frames, {**DEFAULTS, **case.settings}))
    who, cut_short = case.planted("biased_forecast")["id"], case.planted("understocked")["id"]
    parts = [part for _, part in table.groupby(table["customer_id"].map(case.group_of), sort=True)]
    said = [surely_biased(part, least=0.10) for part in parts]
    named = {row["customer_id"] for row in said if row is not None}
    by_size = {part.loc[part["bias"].abs().idxmax(), "customer_id"] for part in parts if part["bias"].abs().max() > 0.10}
    table = table.set_index("customer_id")
    bullwhip = table["bullwhip"]
    return {
        "bias_named": who in named,
        "bias_shown": float(table.loc[who, "bias"]),
        "bias_false": len(named - {who, cut_short}),
        "bias_cut_short": cut_short in named,
        "bias_false_without_interval": len(by_size - {who, cut_short}),
        "bias_groups": len(parts),
        "sharing_worst": table["sharing"].idxmin() == case.planted("poor_sharing")["id"],
        "bullwhip_rank": int((bullwhip > bullwhip[case.planted("batching")["id"]]).sum()) + 1,
    }


def find_batching(case: Case) -> Figures:
    """Behaviour and order style of the segmentation."""
    behaviour = classify_behaviour(case.inputs.purchases, as_of=case.as_of, use=case.inputs.use).set_index("customer_id")
    rhythm = classify_leaving(case.inputs.orders_only(), as_of=case.as_of).set_index("customer_id")
    who, leaver = case.planted("batching")["id"], case.planted("leaving")["id"]
    others = behaviour.drop([who, leaver])
    return {
        "batch_behaviour": str(behaviour.loc[who, "behaviour"]),
        "batch_style": str(behaviour.loc[who, "order_style"]),
        "batch_interval": float(rhythm.loc[who, "median_interval_days"]),
        "batch_longest": rhythm.drop(leaver)["median_interval_days"].idxmax() == who,
        "batch_false_style": int((others["order_style"] == "rare_large").sum()),
        "batch_false_sporadic": int((others["behaviour"] == "sporadic").sum()),
        "batch_others": len(others),
    }


def find_stock_levels(case: Case) -> Figures:
    """Days of stock and shelves with stock by customer."""
    turns = (
        turns_by_customer(case.part, Sources(case.tables.frames, {**DEFAULTS, **case.settings}))
        .set_index("customer_id")
        .drop(case.planted("leaving")["id"])
    )
    shelves = score_kpis(case.tables.frames, kpis=["in_stock_rate"], by=["customer_id"], settings=case.settings)
    shelves = shelves.set_index("customer_id")["value"]
    over, under = case.planted("overstocked")["id"], case.planted("understocked")["id"]
    return {
        "over_rank": int((turns["dio"] > turns.loc[over, "dio"]).sum()) + 1,
        "under_rank": int((shelves < shelves[under]).sum()) + 1,
        "customers": len(shelves),
    }


def find_chain(case: Case) -> Figures:
    """Sites of one account: counted once as an account, with one class."""
    scores = case.book["customer_scores"]
    accounts = classify_accounts(scores)
    customers = case.tables["customers"]
    sites = customers.groupby("account_id")["customer_id"].nunique()
    chains = sites.index[sites > 1]
    shown = accounts.set_index("account_id")["sites"]
    one_class = scores.groupby("account_id")["account_class"].nunique().max() == 1
    whole = abs(accounts["value"].sum() - scores["value"].sum()) < 1e-6 * scores["value"].sum()
    return {
        "chain_right": bool(
            accounts["account_id"].is_unique and shown.reindex(sites.index).equals(sites) and one_class and whole
        ),
        "chain_count": len(chains),
    }
