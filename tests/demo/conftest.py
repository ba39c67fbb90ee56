"""Demo books of several seeds, each made once."""

from __future__ import annotations

from functools import lru_cache

import pytest

from cmi_analysis.demo import Demo, make_demo


@lru_cache(maxsize=5)
def made(seed: int) -> Demo:
    """Return the small book of a seed."""
    return make_demo(size="small", seed=seed)


@pytest.fixture(scope="session", params=range(1, 6), ids=lambda seed: f"seed{seed}")
def book(request: pytest.FixtureRequest) -> Demo:
    """Return the small books of seeds 1 to 5, one after the other."""
    return made(request.param)
