"""What all tests share: the demo once, real data where they are, a golden switch."""

from __future__ import annotations

import os
import shutil
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
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the small demo, seed 1, written clean and ingested."""
    from cmi_analysis.demo import write_demo
    from cmi_analysis.tables.ingest import ingest
    from cmi_analysis.tables.store import open_store

    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "data", size="small", seed=1, dirty=False, formats="parquet")
    ingest(folder / "data", state=folder / "state")
    return open_store(folder / "state")


@pytest.fixture(scope="session")
def demo_book(demo_store: Any, demo_as_of: Any) -> Any:
    """Return the book pass over the demo, on default parameters."""
    from cmi_analysis.params.models import MODELS
    from cmi_analysis.stages.book import BOOK_NOTEBOOKS, compute_book
    from cmi_analysis.tables.slicing import slice_as_of

    params = {name: MODELS[name]() for name in BOOK_NOTEBOOKS}
    return compute_book(slice_as_of(demo_store.read(), demo_as_of), as_of=demo_as_of, params=params)


@pytest.fixture(scope="session")
def demo_slice(demo_store: Any, demo_as_of: Any, demo_book: Any) -> Callable[..., Any]:
    """Return a function that cuts the demo to one customer group (the first if none is named), with its book."""

    def cut(group: str = "") -> Any:
        customers = demo_store.read(["customers"])["customers"]
        name = group or sorted(customers["customer_group"].unique())[0]
        members = customers.loc[customers["customer_group"] == name, "customer_id"].tolist()
        return demo_store.read_slice(name, members, as_of=demo_as_of, book=demo_book)

    return cut


@pytest.fixture(scope="session")
def demo_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project's notebooks, parameters and lock file, with the small demo as its data."""
    from cmi_analysis.demo import write_demo

    folder = tmp_path_factory.mktemp("project")
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "requirements.lock", folder)
    write_demo(folder / "data" / "demo", size="small", seed=1, dirty=True, formats="csv")
    return folder
