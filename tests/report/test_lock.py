"""One run at a time on a state folder."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cmi_analysis.errors import LockedError
from cmi_analysis.report.lock import run_lock

HOLD = """
import sys, time
from pathlib import Path
from cmi_analysis.report.lock import run_lock

with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(state: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock; return when it does."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(state)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_refused_with_owner_and_start(tmp_path: Path) -> None:
    with hold(tmp_path) as owner:
        with pytest.raises(LockedError, match=rf"process {owner.pid} on .* started 20") as refused, run_lock(tmp_path):
            pass
        owner.kill()
    assert refused.value.exit_code == 75


def test_the_lock_of_a_killed_owner_is_free_at_once(tmp_path: Path) -> None:
    with hold(tmp_path) as owner:
        owner.kill()
    started = time.monotonic()
    with run_lock(tmp_path, seconds=5):
        pass
    assert time.monotonic() - started < 4


def test_the_lock_is_free_after_a_run(tmp_path: Path) -> None:
    for _ in range(2):
        with run_lock(tmp_path):
            assert (tmp_path / "lock.owner.json").exists()
    assert not (tmp_path / "lock.owner.json").exists()
