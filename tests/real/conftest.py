"""Real data end to end: the command line into a folder of its own, and what a reader sees of a page."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import html5lib
import pytest

from cmi_analysis.report.check_html import check_html
from cmi_analysis.tables.hashing import safe_name

NOTEBOOKS = ("segmentation", "forecasting", "inventory_policy", "performance_review")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _text_of(html: str) -> str:
    tree = html5lib.parse(html, treebuilder="etree", namespaceHTMLElements=False)
    for parent in list(tree.iter()):
        for child in list(parent):
            if child.tag in ("style", "title"):
                parent.remove(child)
    return "\n".join(part.strip() for part in tree.find("body").itertext() if part.strip())


@pytest.fixture(scope="session")
def visible_text() -> Callable[[Path], str]:
    """Return a function that gives the words of a page as a reader sees them, one piece a line."""
    return lambda path: _text_of(path.read_text("utf-8"))


@pytest.fixture(scope="session")
def cmi(root: Path) -> Run:
    """Return a function that calls the command line in the project's folder."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cmi_analysis.cli", *arguments]
        return subprocess.run(command, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=False)

    return call


@pytest.fixture(scope="session")
def pages_of() -> Callable[..., dict[tuple[str, str], Path]]:
    """Return a function that finds the pages of some groups and holds each against the rules of a report."""

    def find(out: Path, groups: tuple[str, ...]) -> dict[tuple[str, str], Path]:
        latest = out / "latest"
        pages = {(group, name): latest / safe_name(group) / f"{name}.html" for group in groups for name in NOTEBOOKS}
        pages["", "management_summary"] = latest / "management_summary.html"
        for path in pages.values():
            assert check_html(path) == [], path
        return pages

    return find
