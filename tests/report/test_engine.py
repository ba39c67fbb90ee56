"""The run's engine: warm where its canary lives, plain with the reason where not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmi_analysis.errors import ParameterError
from cmi_analysis.report import engine as engines
from cmi_analysis.report import warm
from cmi_analysis.report.engine import Engine

pytestmark = pytest.mark.skipif(not warm.can_fork(), reason="warm kernels need a process that can be forked (Linux)")
LIGHT = "from cmi_analysis.report import template as t; import sys; t.MODULES = (); "


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Any]:
    """Return a function that makes an engine whose canary is this piece of code."""

    def make(wanted: str, canary: str) -> Any:
        code = f"{LIGHT}\ndef _canary():\n    import os, time\n    {canary}\nt._canary = _canary\nt.main(sys.argv[1:])"
        monkeypatch.setattr(warm, "COMMAND", ("-c", code))
        return Engine(wanted)

    return make


@pytest.mark.parametrize(
    ("canary", "reason"),
    [("raise SystemExit(3)", "canary ended with 3"), ("time.sleep(60)", "did not end within"), ("os.abort()", "ended with -6")],
)
def test_a_canary_that_fails_makes_the_engine_plain_and_the_run_says_why(
    canary: str, reason: str, engine: Callable[[str, str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "CANARY_SECONDS", 0.5 if "sleep" in canary else 20.0)
    with engine("", canary) as made:
        assert (made.name, made.socket) == ("plain", "")
        assert made.describe().startswith("engine plain (")
        assert reason in made.describe()


def test_the_engine_is_the_kernel_where_its_canary_lives(engine: Callable[[str, str], Any]) -> None:
    with engine("kernel", "pass") as made:
        assert made.describe() == "engine kernel"
        assert Path(made.socket).exists()
    assert not Path(made.socket).exists()


def test_a_template_that_cannot_import_makes_the_engine_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "COMMAND", ("-c", "raise SystemExit(1)"))
    with Engine() as made:
        assert made.describe() == "engine plain (the template process is gone)"


def test_without_fork_the_engine_is_plain_and_an_unknown_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "can_fork", lambda: False)
    assert Engine().describe() == "engine plain"
    assert Engine(start=False).describe() == "engine plain"
    assert Engine("kernel").describe() == "engine plain (processes cannot be forked on this system)"
    with pytest.raises(ParameterError, match="Allowed: kernel, plain"):
        Engine("warm")
