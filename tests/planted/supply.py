"""What the reports say of supply and products, and what reading says of the data."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd

from cmi_analysis.demo import dirt
from cmi_analysis.performance.intervals import wilson_interval
from cmi_analysis.performance.registry import find_kpi
from cmi_analysis.performance.scoring import score_kpis
from cmi_analysis.performance.tie_out import check_totals
from cmi_analysis.segmentation.life_cycle import classify_life_cycle
from cmi_analysis.stages.plan_inputs import score_supplier_lead_times
from cmi_analysis.tables.reading import read_tables
from planted.case import Case, Figures


def find_late_supplier(case: Case) -> Figures:
    """The share late of each supplier in the policy report's table."""
    table = score_supplier_lead_times(case.part).set_index("supplier_id")
    who = case.planted("late")["id"]
    share, lines = table["late_share"], table["lines"] - table["open_lines"]
    whole = float((share * lines).sum() / lines.sum())
    above = [name for name in table.index if wilson_interval(share[name] * lines[name], lines[name])[0] > whole]
    return {
        "supplier_worst": share.idxmax() == who,
        "supplier_above": who in above,
        "supplier_false": len(set(above) - {who}),
        "supplier_others": len(table) - 1,
        "supplier_share": float(share[who]),
        "supplier_next": float(share.drop(who).max()),
    }


def find_short_supply(case: Case) -> Figures:
    """The three products of the lowest order fill (units) in June and July 2025, the whole months once our stock is used up."""
    short = case.demo.truth["short_supply"]
    settings = {**case.settings, "window_start": dt.date(2024, 6, 1)}
    scored = score_kpis(case.tables.frames, kpis=["order_fill"], by=["product_id", "month"], settings=settings)
    scored = scored[scored["level"] == "units"]
    within = _fill(scored, "2025-06-01", "2025-07-01")
    before = _fill(scored, "2024-06-01", "2024-07-01")
    planted = sorted(set(short["product_id"]))
    worst = set(within.nsmallest(len(planted)).index)
    return {
        "short_planted": len(planted),
        "short_found": len(worst & set(planted)),
        "short_false": len(worst - set(planted)),
        "short_fill": float(within.reindex(planted).mean()),
        "short_fill_before": float(before.reindex(planted).mean()),
        "short_next": float(within.drop(planted, errors="ignore").min()),
    }


def _fill(scored: pd.DataFrame, first: str, last: str) -> pd.Series:
    """Order fill by product over some months, of products with the least number of lines."""
    rows = scored[scored["period"].between(first, last)]
    sums = rows.groupby("product_id")[["numerator", "denominator", "n"]].sum()
    sums = sums[sums["n"] >= find_kpi("order_fill").minimum_n]
    return sums["numerator"] / sums["denominator"]


def find_returns(case: Case) -> Figures:
    """The return rate of the review, in units by cohort of shipment, and what was returned by value."""
    settings = {**case.settings, "window_start": None}
    rate = float(score_kpis(case.tables.frames, kpis=["return_rate"], settings=settings)["value"].iloc[0])
    orders, back = case.tables["orders"], case.tables["returns"]
    return {"return_rate": rate, "return_units": float(back["quantity"].sum() / orders["quantity_delivered"].sum())}


def find_product_life(case: Case) -> Figures:
    """Life-cycle stages at eighteen month ends, from use alone (no launch and end dates)."""
    looks = pd.date_range("2025-01-31", "2026-06-30", freq="ME")
    frames = [classify_life_cycle(case.inputs.use, as_of=min(d.date(), case.as_of)).assign(look=d) for d in looks]
    stages = pd.concat(frames).pivot_table(index="product_id", columns="look", values="life_stage", aggfunc="first")
    new, ending = stages.loc[case.planted("new")["id"]], stages.loc[case.planted("ending")["id"]]
    others = stages.drop([case.planted("new")["id"], case.planted("ending")["id"]])
    launched, ended = case.planted("new")["starts_on"], case.planted("ending")["ends_on"]
    fresh = looks[(looks > launched) & (looks <= launched + pd.Timedelta(days=182))]
    gone = looks[looks > ended + pd.Timedelta(days=91)]
    fading = looks[(looks > ended - pd.Timedelta(days=7)) & (looks <= ended + pd.Timedelta(days=91))]
    return {
        "life_new": bool((new[fresh] == "launch").all()),
        "life_ending": bool((ending[gone] == "ending").all()),
        "life_fading": bool(ending[fading].isin(["decline", "ending"]).all()),
        "life_false": int(others.isin(["launch", "ending"]).to_numpy().sum()),
        "life_changing": int(others.isin(["growth", "decline"]).to_numpy().sum()),
        "life_looks": int(others.size),
    }


def find_difference(case: Case) -> Figures:
    """Comparisons of the ledger with the tables that differ."""
    checked = check_totals(case.tables.frames, as_of=case.as_of)
    off = checked[checked["difference"] != 0]
    truth = case.demo.truth["control_differences"].iloc[0]
    right = (off["table"] == truth["table"]) & (off["period"] == truth["period"]) & (off["measure"] == "quantity")
    right &= (off["difference"] - truth["quantity_difference"]).abs() < 1e-6
    return {"tie_found": bool(right.any()), "tie_false": int((~right).sum()), "tie_compared": len(checked)}


def find_dirty_rows(case: Case) -> Figures:
    """Soil two groups' tables as `write_demo` does, read the folder, and hold what was set aside against the list of bad rows."""
    two, lists = sorted(case.group_of.unique())[:2], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in ("customers", "products", *dirt.TABLES):
            frame = case.demo.tables[table]
            if "customer_id" in frame:
                frame = frame[frame["customer_id"].map(case.group_of).isin(two)].reset_index(drop=True)
            if table in dirt.TABLES:
                frame, bad = dirt.soil(table, frame, file=f"{table}.csv", seed=case.seed, typed=False)
                lists.append(bad)
            frame.to_csv(folder / f"{table}.csv", index=False, date_format="%Y-%m-%d", lineterminator="\n", encoding="utf-8")
        reading = read_tables(folder)
    bad = pd.concat(lists)
    planted = set(zip(bad["file"], bad["line"].astype(int), bad["rule"], strict=True))
    aside = pd.concat(reading.set_aside.values())
    words = {
        "negative": "negative_quantity",
        "not_a_date": "bad_date",
        "not_a_number": "text_in_number",
        "repeated_row": "duplicate",
    }
    found = set(zip(aside["file"], aside["line"].astype(int), aside["rule"].replace(words), strict=True))
    issues = reading.dataset.issues
    listed = {
        (row.file, int(line), words.get(row.rule, row.rule)) for row in issues.itertuples() for line in str(row.line).split(",")
    }
    return {
        "dirty_planted": len(planted),
        "dirty_found": len(planted & found & listed),
        "dirty_false": len((found | listed) - planted),
        "dirty_clean": sum(reading.rows_read.values()) - len(planted),
    }
