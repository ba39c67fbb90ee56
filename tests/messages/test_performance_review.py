from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.labels import LANGUAGES, format_value
from cmi_analysis.messages.performance_review import tell_performance_review
from cmi_analysis.pages import Page
from cmi_analysis.params.models import PerformanceReviewParams
from cmi_analysis.stages.performance_review import ReviewResult, review
from cmi_analysis.tables import DataSet, Settings, Slice

AS_OF = dt.date(2024, 6, 30)
SECTIONS = ["scorecard", "fill_gap", "otif", "turns", "excess", "orders", "collaboration", "ledger", "data"]


def random_slice(seed: int) -> Slice:
    """A few customers with random orders; some runs have ties, one line, nothing due, nothing delivered."""
    rng = np.random.default_rng(seed)
    lines = int(rng.choice([0, 1, 5, 60]))
    ordered = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 175, lines), unit="D")
    promised = ordered + pd.Timedelta(days=7)
    arrived = pd.Series(promised + pd.to_timedelta(rng.integers(-10, 12, lines), unit="D"))
    arrived = arrived.where((arrived <= pd.Timestamp(AS_OF)) & (rng.random(lines) < rng.choice([0.0, 0.8, 1.0])))
    quantity = rng.integers(1, 4, lines).astype(float)
    orders = pd.DataFrame(
        {
            "order_id": np.arange(lines).astype(str), "line": "1", "customer_id": rng.choice(["c1", "c2"], lines),
            "product_id": "p", "ordered_on": ordered, "promised_on": promised, "delivered_on": arrived,
            "quantity_ordered": quantity,
            "quantity_delivered": np.where(arrived.notna(), np.minimum(quantity, rng.integers(1, 4, lines)), np.nan),
        }
    )  # fmt: skip
    customers = pd.DataFrame({"customer_id": ["c1", "c2"], "customer_name": ["One", "Two"], "customer_group": "g"})
    frames = {"customers": customers, "orders": orders}
    if rng.random() < 0.5:
        weeks = pd.date_range("2023-10-02", "2024-06-24", freq="W-MON")
        item = {"customer_id": "c1", "product_id": "p"}
        frames["sales"] = pd.DataFrame({**item, "date": weeks, "quantity": rng.integers(0, 3, len(weeks)).astype(float)})
        frames["stock"] = pd.DataFrame(
            {**item, "date": weeks + pd.Timedelta(days=6), "on_hand": rng.integers(0, 50, len(weeks)) * 1.0}
        )
    return Slice("g", AS_OF, DataSet(frames, Settings(currency="EUR")))


def told(seed: int, lang: str = "en") -> tuple[ReviewResult, Page]:
    part, params = random_slice(seed), PerformanceReviewParams(lang=lang)
    result = review(part, params)
    return result, tell_performance_review(result, part, params)


@pytest.mark.parametrize("seed", range(25))
def test_the_headline_says_what_the_scorecard_holds(seed: int) -> None:
    result, page = told(seed)
    rows = result.scorecard.set_index("kpi") if len(result.scorecard) else pd.DataFrame()
    if "otif" not in rows.index:
        assert "OTIF" not in page.headline
        return
    otif = rows.loc["otif"]
    if otif["n"] < 20:
        assert page.status == "none" and re.match(rf"Only {int(otif['n'])} cases of OTIF", page.headline)
        return
    assert format_value(float(otif["value"]), "rate") in page.headline
    assert ("against a target" in page.headline) == (otif["value"] < otif["target"] - 1e-12)
    lost = result.fill_gap.set_index("cause")["units"].drop(["ordered", "in_time"])
    words = {"late": "came late", "short": "left out", "open": "have not come", "cancelled_by_us": "cancelled"}
    assert (words[lost.idxmax()] if lost.max() > 0 else "no unit due was lost") in page.headline


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("seed", range(5))
def test_every_section_speaks_or_says_why_not(seed: int, lang: str) -> None:
    _, page = told(seed, lang)
    assert list(page.sections) == SECTIONS
    for key, section in page.sections.items():
        assert bool(section.title) != bool(section.missing), key
        assert section.missing or section.alt or key == "data"
    assert len(page.cards) == 6 and 1 <= len(page.findings) <= 3 and len(page.actions) <= 5
    whole = " ".join([page.headline, *(f.text for f in page.findings), *(s.title + s.so_what for s in page.sections.values())])
    assert "{" not in whole and "nan" not in whole.lower().split()


def test_too_few_cases_are_never_coloured() -> None:
    for seed in range(12):
        _, page = told(seed)
        for card in page.cards:
            if card.key in ("order_fill", "otif") and card.n is not None and card.n < 20:
                assert card.status == "none"
