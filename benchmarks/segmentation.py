"""Segmentation of Online Retail: 4,338 customers profiled from 397,884 order lines and their returns, and what comes out.

Profiled: purchases, profile, cut points and scores, segments, classes and tiers, behaviour, rhythm and status, purchase and
spending models, lifetime values, clusters. `online_retail_cpu_seconds` is the CPU time of that, without reading the
file and without imports (it runs once on a tenth of the customers before). Exits 1 above 10 seconds.

    python benchmarks/segmentation.py            # three rounds, the median
    python benchmarks/segmentation.py --quick    # one round

Prints lines `name: value`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import sys
import time
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "online_retail" / "online_retail.parquet"
AS_OF = dt.date(2011, 12, 9)
LIMIT = 10.0


def tables():
    """Order lines and returns in the shape of the contract: customer known, no cancellation, quantity and price above zero."""
    import pandas as pd

    raw = pd.read_parquet(DATA)
    known = raw.loc[raw["CustomerID"].notna()]
    cancelled = known["InvoiceNo"].astype(str).str.startswith("C")
    clean = known.loc[~cancelled & (known["Quantity"] > 0) & (known["UnitPrice"] > 0)]
    back = known.loc[cancelled]

    def names(rows: pd.DataFrame) -> dict[str, pd.Series]:
        return {
            "customer_id": rows["CustomerID"].astype("int64").astype(str),
            "product_id": rows["StockCode"].astype(str),
            "day": rows["InvoiceDate"].astype("datetime64[ns]").dt.normalize(),
        }

    orders = pd.DataFrame(names(clean)).rename(columns={"day": "ordered_on"})
    orders = orders.assign(
        order_id=clean["InvoiceNo"].astype(str),
        quantity_ordered=clean["Quantity"].astype("float64"),
        unit_price=clean["UnitPrice"],
    )
    returned = pd.DataFrame(names(back)).rename(columns={"day": "returned_on"})
    value = float((-back["Quantity"] * back["UnitPrice"]).sum())
    return orders, returned.assign(quantity=-back["Quantity"].astype("float64")), value


def profile(orders, returned):
    """Everything that the book and the report say of a customer; returns the profile and the purchase model."""
    import numpy as np

    from cmi_analysis.measures.abc import classify_abc
    from cmi_analysis.segmentation.behaviour import classify_behaviour
    from cmi_analysis.segmentation.clusters import cluster_customers
    from cmi_analysis.segmentation.leaving import judge_silence
    from cmi_analysis.segmentation.lifetime_value import choose_model, choose_spending, value_by_model
    from cmi_analysis.segmentation.order_rate import fit_rates, value_by_rate
    from cmi_analysis.segmentation.order_summary import summarise_orders
    from cmi_analysis.segmentation.profile import profile_customers, table_order_days
    from cmi_analysis.segmentation.purchases import table_purchases, table_returns
    from cmi_analysis.segmentation.rfm import fit_rfm_cuts, score_rfm
    from cmi_analysis.segmentation.rules import classify_segments, segment_rules
    from cmi_analysis.segmentation.tiers import classify_tiers, fit_tiers

    purchases = table_purchases(orders, basis="orders")
    returns = table_returns(returned, purchases=purchases)
    people = profile_customers(purchases, as_of=AS_OF, window_days=400, returns=returns)
    scores = score_rfm(people, cuts=fit_rfm_cuts(people))
    people = people.merge(scores, on="customer_id")
    people["segment"] = classify_segments(people, rules=segment_rules("western"))
    people["value_tier"] = classify_tiers(people["value"], tiers=fit_tiers(people["value"]))
    classify_abc(people, key="customer_id")
    lines = purchases.groupby(["customer_id", "date", "order_id", "known_on"], observed=True)[["quantity", "value"]].sum()
    whole = lines.reset_index().assign(product_id="", unit_price=np.nan)
    classify_behaviour(whole, as_of=AS_OF)
    days = table_order_days(whole, as_of=AS_OF)
    judge_silence(days, as_of=AS_OF, returns=returns)
    summary = summarise_orders(days, as_of=AS_OF)
    model = choose_model(summary, least_customers=200)
    spending = choose_spending(summary, least_customers=100)
    margin = np.ones(len(summary))
    if model is not None:
        value_by_model(summary, purchases=model, spending=spending, margin_rate=margin)
    else:  # one year of this book does not tell how its customers leave
        rates = fit_rates(summary, least_customers=200)
        value_by_rate(summary, model=rates, spending=spending, margin_rate=margin, losses=100.0, customer_years=3000.0)
    cluster_customers(people)
    return people, model


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    if not DATA.exists():
        print(f"no file {DATA}", file=sys.stderr)
        return 2
    from cmi_analysis.segmentation.value import top_share

    orders, returned, returned_value = tables()
    tenth = orders["customer_id"].str[-1] == "7"
    profile(orders[tenth], returned[returned["customer_id"].str[-1] == "7"])
    spent = []
    for _ in range(1 if options.quick else 3):
        started = time.process_time()
        people, model = profile(orders, returned)
        spent.append(time.process_time() - started)
    gross = float((orders["quantity_ordered"] * orders["unit_price"]).sum())
    seconds = statistics.median(spent)
    print(f"customers: {len(people)}")
    print(f"top_20_value_share: {top_share(people['value'] + people['returned_value']):.3f}")
    print(f"returned_value_share: {returned_value / gross:.3f}")
    print(f"purchase_model: {model.kind if model else 'nbd'}")
    print(f"online_retail_cpu_seconds: {seconds:.2f}")
    return 0 if seconds <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
