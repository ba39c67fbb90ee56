"""Reports as a browser shows them: accessible, on one screen, on paper, silent."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.base import AXE_SCRIPT

from cmi_analysis.displays.table import table
from cmi_analysis.report.export import export_report
from cmi_analysis.report.index_page import render_index
from hostile import PAYLOADS
from report_samples import sample_notebook, sample_page

pytestmark = pytest.mark.browser
A4 = {"format": "A4", "print_background": False}


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the sample report in both languages and the index, as files."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {}
    for lang in ("en", "zh"):
        page = sample_page(lang)
        texts[lang] = export_report(sample_notebook(page), page=page)
    row = {
        "group": "east",
        "folder": "east",
        "cards": dataclasses.asdict(sample_page())["cards"],
        "currency": "CNY",
        "status": "bad",
    }
    report = {
        "notebook": "forecasting",
        "as_of": "2025-12-28",
        "published": True,
        "state": "failed",
        "cause": "Cell 3 did not run.",
    }
    texts["index"] = render_index(
        [{**row, "reports": [report]}], "en", {"name": "r1", "seconds": {"book": 1.0}, "counts": {"failed": 1}}
    )
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in texts}


def opened(browser: Any, path: Path, *, width: int = 1366, height: int = 768, scheme: str = "light", **options: Any) -> Any:
    """Return a page of the browser that shows `path`, with the lists of its requests and dialogs."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    page = context.new_page()
    page.asked, page.dialogs = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("name", ["en", "zh", "index"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
def test_axe_finds_no_violation(browser: Any, pages: dict[str, Path], name: str, scheme: str, width: int) -> None:
    page = opened(browser, pages[name], width=width, scheme=scheme, bypass_csp=True)
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    page.context.close()
    assert [(item["id"], item["help"], [node["html"][:120] for node in item["nodes"]]) for item in found] == []


@pytest.mark.parametrize("name", ["en", "zh", "index"])
@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1366, 1920])
def test_page_never_scrolls_sideways(browser: Any, pages: dict[str, Path], name: str, width: int) -> None:
    page = opened(browser, pages[name], width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize("name", ["en", "zh"])
def test_first_screen_lies_above_the_fold(browser: Any, pages: dict[str, Path], name: str) -> None:
    page = opened(browser, pages[name])
    assert page.locator(".cmi-first").bounding_box()["y"] >= 0
    assert page.evaluate("document.querySelector('.cmi-first').getBoundingClientRect().bottom") <= 768
    page.context.close()


@pytest.mark.parametrize("name", ["en", "zh"])
def test_words_on_a_phone_are_large_enough_to_read(browser: Any, pages: dict[str, Path], name: str) -> None:
    page = opened(browser, pages[name], width=390, height=844)
    sizes = page.evaluate(
        """[...document.querySelectorAll('p, td, th, li, dd, dt')].filter(x => x.offsetParent && x.innerText.trim())
        .map(x => parseFloat(getComputedStyle(x).fontSize))"""
    )
    assert min(sizes) >= 12
    page.context.close()


@pytest.mark.parametrize("name", ["en", "zh"])
def test_first_printed_page_holds_the_whole_first_screen_and_nothing_else(
    browser: Any, pages: dict[str, Path], name: str, tmp_path: Path
) -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not here: install poppler-utils")
    page = opened(browser, pages[name])
    page.pdf(path=tmp_path / "x.pdf", **A4)
    page.context.close()
    read = subprocess.run(["pdftotext", "-layout", tmp_path / "x.pdf", "-"], capture_output=True, check=True)
    sheets = ["".join(sheet.split()) for sheet in read.stdout.decode().split("\f")]
    sample = sample_page(name)  # type: ignore[arg-type]
    assert "".join(sample.strip.coverage.split()) in sheets[0]
    assert "".join(sample.period.split()) in sheets[0]
    assert "".join(sample["gap"].title.split())[:12] in sheets[1]


@pytest.mark.parametrize("columns", [4, 8, 14])
def test_printed_table_is_not_cut_at_the_side(browser: Any, pages: dict[str, Path], columns: int, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(columns)]
    frame = pd.DataFrame({name: ["Northern distribution centre", "supercalifragilistic"] for name in names})
    shown = table(frame, columns=names, headers=dict.fromkeys(names, "Expected shortage"))
    path = tmp_path / "wide.html"
    text = pages["en"].read_text("utf-8")
    path.write_text(text.replace('<p class="cmi-end">', shown.html + '<p class="cmi-end">'), "utf-8")
    page = opened(browser, path, width=694, height=1031)  # A4 less its margins
    page.emulate_media(media="print")
    widest = page.evaluate("Math.max(...[...document.querySelectorAll('table')].map(x => x.getBoundingClientRect().right))")
    page.context.close()
    assert widest <= 694


def test_finding_leads_to_its_section_and_formula_opens_without_script(browser: Any, pages: dict[str, Path]) -> None:
    page = opened(browser, pages["en"], java_script_enabled=False)
    page.locator(".cmi-findings a").first.click()
    assert page.url.endswith("#s-gap")
    page.locator(".cmi-info summary").first.click()
    assert page.locator(".cmi-info > div").first.is_visible()
    page.context.close()


def test_keyboard_reaches_the_skip_link_first(browser: Any, pages: dict[str, Path]) -> None:
    page = opened(browser, pages["en"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#report"
    page.context.close()


@pytest.mark.parametrize("name", ["en", "zh", "index"])
def test_page_asks_nobody_for_anything(browser: Any, pages: dict[str, Path], name: str) -> None:
    page = opened(browser, pages[name])
    page.wait_for_timeout(200)
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in page.asked if url.startswith("file:")]) == 1
    assert page.dialogs == []
    page.context.close()


def test_sixty_hostile_names_open_no_dialog_and_ask_for_nothing(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, tmp_path)
    page.asked.clear()
    for number, payload in enumerate(PAYLOADS):
        report = sample_page(
            group=payload, headline=payload, f1=payload, title=payload, so=payload, missing=payload, note=payload
        )
        words = {"group": payload, "caption": payload, "late": payload, "site": payload, "sub": "x", "actual": "x"}
        notebook = sample_notebook(dataclasses.replace(report, sections={**report.sections}), chart=False, **words)
        notebook.cells[0].source = "# Report on {group}"
        path = tmp_path / f"{number}.html"
        path.write_text(export_report(notebook, page=report), "utf-8")
        page.goto(path.as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 1366, payload
    page.wait_for_timeout(200)
    assert page.dialogs == []
    asked = [url for url in page.asked if not re.fullmatch(r"file://.*/\d+\.html|data:,?", url)]
    assert asked == []
    page.context.close()
