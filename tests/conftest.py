"""What all tests share: the demo once, real data where they are, a golden switch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that rewrites golden files."""
    parser.addoption("--golden-update", action="store_true", help="write the golden files instead of comparing with them")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real foreign data; without it the test is skipped, in CI it fails."""
    if not SHARED.exists():
        message = f"real data are not here: no folder {SHARED.parent.name}/{SHARED.name} beside the project"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    return SHARED


@pytest.fixture(scope="session")
def demo() -> Any:
    """Return the small demo with its planted truth, seed 1."""
    from cmi_analysis.demo import make_demo

    return make_demo(size="small", seed=1)


@pytest.fixture(scope="session")
def demo_as_of(demo: Any) -> Any:
    """Return the demo's default as_of."""
    from cmi_analysis.tables.slicing import default_as_of

    return default_as_of(demo.tables)


@pytest.fixture(scope="session")
def demo_slice(demo: Any, demo_as_of: Any) -> Callable[..., Any]:
    """Return a function that cuts the demo to one customer group, as a report's slice, with its book."""
    from tests_support import cut_slice, make_book

    book = make_book(demo.tables, demo_as_of)

    def cut(group: str = "") -> Any:
        return cut_slice(demo.tables, group, as_of=demo_as_of, book=book)

    return cut
