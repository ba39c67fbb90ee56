"""One run at a time: a second one is refused with the owner's name and start."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from cmi_analysis.errors import LockedError


@contextmanager
def run_lock(state: Path, *, seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock of a state folder; the operating system frees it with its owner.

    Parameters
    ----------
    state : Path
        State folder.
    seconds : float
        How long to wait for another run to end [s].

    Raises
    ------
    LockedError
        Another run holds it; exit code 75.
    """
    state.mkdir(parents=True, exist_ok=True)
    owner = state / "lock.owner.json"
    lock = FileLock(state / "lock")
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        try:
            held = json.loads(owner.read_text("utf-8"))
            found = f"process {held['process']} on {held['machine']}, started {held['started']}"
        except (OSError, ValueError, KeyError):
            found = "another process"
        raise LockedError(
            expected="no other run on this state folder",
            found=found,
            fix="Wait until it has ended, or use another --state and --out.",
        ) from None
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        owner.write_text(json.dumps({"process": os.getpid(), "machine": socket.gethostname(), "started": started}), "utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()
