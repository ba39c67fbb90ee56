"""A customer's forecast is called biased only where chance is ruled out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cmi_analysis.messages.performance_words import surely_biased
from cmi_analysis.params.models import PerformanceReviewParams
from cmi_analysis.stages.performance_review import review
from cmi_analysis.tables import DataSet, Slice

WEEKS = pd.date_range("2023-07-03", "2024-06-24", freq="W-MON")


def table(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "bias", "bias_low", "bias_high"])


def test_the_largest_of_the_sure_ones_is_named_and_not_the_largest_of_all() -> None:
    shown = table(("a", 0.60, -0.10, 1.4), ("b", 0.30, 0.20, 0.4), ("c", -0.35, -0.50, -0.2), ("d", 0.12, 0.05, 0.2))
    found = surely_biased(shown, least=0.10)
    assert found is not None and found["customer_id"] == "c"


def test_nobody_is_named_without_an_interval_or_without_rows() -> None:
    assert surely_biased(table(("a", 0.60, np.nan, np.nan)), least=0.10) is None
    assert surely_biased(table().astype(object), least=0.10) is None


def test_products_that_all_err_alike_are_sure_and_one_that_errs_alone_is_not() -> None:
    factors = {"alike": [1.3] * 6, "alone": [2.8, 1.0, 1.0, 1.0, 1.0, 1.0], "few": [1.3] * 4}
    items = pd.DataFrame([(c, f"p{n}", f) for c, fs in factors.items() for n, f in enumerate(fs)])
    items.columns = ["customer_id", "product_id", "factor"]
    rows = items.merge(pd.DataFrame({"date": WEEKS}), how="cross").assign(quantity=10.0)
    said = rows.assign(quantity=rows["quantity"] * rows["factor"], period=rows["date"], issued_on=rows["date"], of="sell_out")
    customers = pd.DataFrame({"customer_id": sorted(factors), "customer_group": "g"})
    frames = {"customers": customers, "sales": rows.drop(columns="factor"), "customer_forecasts": said.drop(columns="factor")}
    part = Slice("g", dt.date(2024, 6, 30), DataSet(frames))
    shown = review(part, PerformanceReviewParams()).collaboration.set_index("customer_id")
    assert shown["bias"].round(6).to_dict() == {"alike": 0.3, "alone": 0.3, "few": 0.3}
    assert shown.loc["alike", ["bias_low", "bias_high"]].astype(float).round(6).tolist() == [0.3, 0.3]
    assert shown.loc["alone", "bias_low"] == 0.0
    assert shown.loc["few", ["bias_low", "bias_high"]].isna().all()
    found = surely_biased(shown.reset_index(), least=0.10)
    assert found is not None and found["customer_id"] == "alike"
