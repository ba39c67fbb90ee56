"""The four reports of one demo group, the summary and the index, in both languages, as a browser shows them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AS_OF = "2026-06-28"
GROUP = "North"
NOTEBOOKS = ("segmentation", "forecasting", "inventory_policy", "performance_review")
PAGES = [f"{lang}/{name}" for lang in ("en", "zh") for name in (*NOTEBOOKS, "management_summary")]
EVERY = [*PAGES, "en/index", "zh/index"]
FIRST = (".cmi-headline", ".cmi-findings", ".cmi-cards", ".cmi-actions", ".cmi-strip")


@pytest.fixture(scope="session")
def real_pages(browser: Any, demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the pages by language and name; `browser` first, so that nothing is rendered where there is none."""
    folder = tmp_path_factory.mktemp("real") / "project"
    shutil.copytree(demo_project, folder, ignore=shutil.ignore_patterns("state", "reports"))
    pages = {}
    for lang in ("en", "zh"):
        data = ("--data", "data/demo") if lang == "en" else ()
        chosen = ("--as-of", AS_OF, "--group", GROUP, "--lang", lang, "--out", f"out/{lang}")
        command = [sys.executable, "-m", "cmi_analysis.cli", "report", *data, *chosen]
        done = subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found = {path.stem: path for path in (folder / "out" / lang / "latest").rglob("*.html")}
        pages |= {f"{lang}/{name}": path for name, path in found.items()}
    assert sorted(pages) == sorted(EVERY)
    return pages


def opened(browser: Any, path: Path, *, width: int = 1366, height: int = 768, scheme: str = "light", **options: Any) -> Any:
    """Return a page of the browser that shows `path`."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    page = context.new_page()
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("width", [390, 1366])
def test_page_never_scrolls_sideways(browser: Any, real_pages: dict[str, Path], name: str, width: int) -> None:
    page = opened(browser, real_pages[name], width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_part_of_the_first_screen_lies_above_the_fold(browser: Any, real_pages: dict[str, Path], name: str) -> None:
    page = opened(browser, real_pages[name])
    ends = {part: page.evaluate(f"document.querySelector('{part}')?.getBoundingClientRect().bottom ?? 1e9") for part in FIRST}
    counts = page.evaluate("[...document.querySelectorAll('.cmi-findings li, .cmi-card')].length")
    page.context.close()
    assert max(ends.values()) <= 768, ends
    assert counts == 3 + 6


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser: Any, real_pages: dict[str, Path], name: str, scheme: str) -> None:
    page = opened(browser, real_pages[name], scheme=scheme, bypass_csp=True)
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    page.context.close()
    assert [(item["id"], item["help"], [node["html"][:120] for node in item["nodes"]]) for item in found] == []


@pytest.mark.parametrize("name", PAGES)
def test_first_printed_page_holds_the_first_screen(browser: Any, real_pages: dict[str, Path], name: str, tmp_path: Path) -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not here: install poppler-utils")
    page = opened(browser, real_pages[name])
    wanted = page.evaluate("document.querySelector('.cmi-strip').innerText")
    after = page.evaluate("document.querySelector('.cmi-md h2')?.innerText ?? document.querySelectorAll('main h2')[1].innerText")
    page.pdf(path=tmp_path / "x.pdf", format="A4", print_background=False)
    page.context.close()
    read = subprocess.run(["pdftotext", "-layout", tmp_path / "x.pdf", "-"], capture_output=True, check=True)
    # without a Chinese font on the machine a sheet's text loses some of its Chinese signs: digits and Latin letters stand for all
    first, second, *_ = [re.sub(r"[^!-~]", "", sheet) for sheet in read.stdout.decode().split("\f")]
    assert all(re.sub(r"[^!-~]", "", line) in first for line in wanted.splitlines() if re.search(r"\d", line))
    assert re.sub(r"[^!-~]", "", after) in second


@pytest.mark.parametrize("name", PAGES)
def test_printed_tables_are_not_cut_and_break_no_word_of_their_head(browser: Any, real_pages: dict[str, Path], name: str) -> None:
    page = opened(browser, real_pages[name], width=694, height=1031)  # A4 less its margins
    page.emulate_media(media="print")
    widest = page.evaluate("Math.max(...[...document.querySelectorAll('table')].map(x => x.getBoundingClientRect().right))")
    cut = page.evaluate(
        "[...document.querySelectorAll('.cmi-table th, .cmi-table .num')]"
        ".filter(x => x.scrollWidth > x.clientWidth + 1).map(x => x.innerText)"
    )
    page.context.close()
    assert widest <= 694
    assert cut == []


@pytest.mark.parametrize("name", PAGES)
def test_no_row_of_a_table_is_stretched_on_a_phone(browser: Any, real_pages: dict[str, Path], name: str) -> None:
    page = opened(browser, real_pages[name], width=390, height=844)
    heights = page.evaluate("[...document.querySelectorAll('.cmi-table tbody tr')].map(x => x.getBoundingClientRect().height)")
    page.context.close()
    assert max(heights) <= 130  # six lines


@pytest.mark.parametrize("name", [name for name in EVERY if name.startswith("zh/")])
def test_chinese_page_holds_no_english_sentence(browser: Any, real_pages: dict[str, Path], name: str) -> None:
    page = opened(browser, real_pages[name])
    lang = page.evaluate("document.documentElement.lang")
    words = page.evaluate("document.body.innerText")
    page.context.close()
    assert lang.startswith("zh")
    assert re.findall(r"\b[a-z]{2,}(?: [a-z']{2,}){2,}", words) == []  # three small words in a row
