"""Online Retail, a wholesaler's order book: what is known of the data, and reports of four countries by the command line."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.real_data
AS_OF = "2011-12-09"
COUNTRIES = ("Japan", "Iceland", "Lebanon", "Singapore")
Pages = dict[tuple[str, str], Path]


@pytest.fixture(scope="module")
def invoices(shared_data: Path) -> pd.DataFrame:
    """Return the invoice lines as they are found, with their value."""
    rows = pd.read_parquet(shared_data / "online_retail" / "online_retail.parquet")
    return rows.assign(value=rows["Quantity"] * rows["UnitPrice"], cancelled=rows["InvoiceNo"].str.startswith("C"))


@pytest.fixture(scope="module")
def clean(invoices: pd.DataFrame) -> pd.DataFrame:
    """Return the lines that count: customer known, no cancellation, quantity and price above zero."""
    kept = invoices["CustomerID"].notna() & ~invoices["cancelled"] & (invoices["Quantity"] > 0) & (invoices["UnitPrice"] > 0)
    return invoices[kept]


def test_lines_by_what_becomes_of_them(invoices: pd.DataFrame, clean: pd.DataFrame) -> None:
    assert len(invoices) == 541_909
    assert int(invoices["cancelled"].sum()) == 9_288
    assert int(invoices["CustomerID"].isna().sum()) == 135_080
    assert int((invoices["cancelled"] & invoices["CustomerID"].isna()).sum()) == 383
    assert int(invoices.drop(columns=["value", "cancelled"]).duplicated().sum()) == 5_268
    assert (len(clean), clean["CustomerID"].nunique(), clean["InvoiceNo"].nunique()) == (397_884, 4_338, 18_532)
    assert clean["value"].sum() == pytest.approx(8_911_407.90, abs=0.005)


def test_top_fifth_of_the_customers_brings_74_6_percent(clean: pd.DataFrame) -> None:
    by = clean.groupby("CustomerID")["value"].sum().sort_values(ascending=False)
    top = math.ceil(0.2 * len(by))
    assert top == 868
    assert by.head(top).sum() / by.sum() == pytest.approx(0.746, abs=5e-4)


def test_returns_are_6_9_percent_of_value_where_the_customer_is_known_and_10_1_over_all(
    invoices: pd.DataFrame, clean: pd.DataFrame
) -> None:
    back = invoices[invoices["cancelled"]]
    assert -back.loc[back["CustomerID"].notna(), "value"].sum() / clean["value"].sum() == pytest.approx(0.0686, abs=5e-5)
    assert -back["value"].sum() / clean["value"].sum() == pytest.approx(0.1006, abs=5e-5)


@pytest.fixture(scope="module")
def out(cmi: Any, tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Return where four countries were rendered in English, and one of them in Chinese (``zh``)."""
    folder = tmp_path_factory.mktemp("retail")
    common = ("report", "--params", "params/online_retail", "--as-of", AS_OF, "--state", str(folder / "state"), "--jobs", "2")
    named = [word for country in COUNTRIES for word in ("--group", country)]
    done = cmi(*common, "--out", str(folder / "en"), *named)
    assert done.returncode == 0, done.stdout + done.stderr
    done = cmi(*common, "--out", str(folder / "zh"), "--group", COUNTRIES[0], "--lang", "zh")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(out: Path, pages_of: Callable[..., Pages]) -> Pages:
    """Return the English pages."""
    return pages_of(out / "en", COUNTRIES)


@pytest.mark.slow
def test_every_page_is_in_words_and_numbers(pages: Pages, visible_text: Callable[[Path], str]) -> None:
    for path in pages.values():
        text = visible_text(path)
        assert not re.search(r"\b(nan|None|inf|NaT)\b|\{\w+\}|\b0 of 0\b", text), path
        assert len(text) > 2_000


@pytest.mark.slow
def test_what_an_order_book_does_not_hold_is_said(pages: Pages, visible_text: Callable[[Path], str]) -> None:
    for country in COUNTRIES:
        forecast, plan, review = (
            visible_text(pages[country, name]) for name in ("forecasting", "inventory_policy", "performance_review")
        )
        assert "There is no sell-out: demand is what customers first asked us for" in forecast
        assert "No customer sent a forecast of its own" in forecast
        assert "demand with stock-outs filled in" not in forecast
        assert "The customers share no sell-out here, so demand at their sites is not known and no site plan is made." in plan
        assert "Turns need the tables sales and stock; at least one of them is missing." in review
        assert "stock are not recorded" in review
        assert "Nothing has to be done now." not in plan + review


@pytest.mark.slow
def test_chinese_pages_are_chinese(out: Path, pages_of: Callable[..., Pages], visible_text: Callable[[Path], str]) -> None:
    for (_, name), path in pages_of(out / "zh", COUNTRIES[:1]).items():
        text = visible_text(path)
        assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 800, name
        assert not re.search(r"\b(nan|None|inf|NaT)\b", text), name
