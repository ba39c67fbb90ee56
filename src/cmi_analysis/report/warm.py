"""The client's side of warm kernels: start the template process, ask it for a kernel, watch and end what it forked."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMAND = ("-m", "cmi_analysis.report.template")
LAUNCHER = "ipykernel_launcher"
IMPORT_SECONDS = 60.0  # the template's imports, on a busy machine
CANARY_SECONDS = 20.0
LONGEST = 70  # characters of a temporary folder; a socket's path holds about 100 bytes
ANSWER = struct.Struct("!i")  # the process id of a kernel; later its exit code


class KernelLostError(Exception):
    """A kernel that could not be started, or its template, is gone."""


def short_folder() -> Path:
    """Make and return a private folder (mode 0700) whose path is short enough for sockets."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="cmi-", dir=usual if len(usual) <= LONGEST else "/tmp"))  # noqa: S108


def can_fork() -> bool:
    """Say whether warm kernels are possible here: Linux; forked macOS processes fail in its frameworks, Windows has no fork."""
    return sys.platform == "linux"


class WarmProcess:
    """A forked kernel as `subprocess.Popen` would show it; the template is its parent and tells how it ended.

    Parameters
    ----------
    template : str
        Path of the template's socket.
    request : mapping
        ``argv``, ``env`` and ``cwd`` of the kernel, or ``canary``.
    wait : bool
        Wait until the kernel exists; else `started` does.

    Raises
    ------
    KernelLostError
        The template is gone or does not answer.
    """

    stdin = stdout = stderr = None

    def __init__(self, template: str, request: Mapping[str, Any], *, wait: bool = True) -> None:
        self.returncode: int | None = None
        self.pid = 0
        self._connection = socket.socket(socket.AF_UNIX)
        try:
            self._connection.connect(template)
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            self._connection.close()
            raise KernelLostError("the template process is gone") from None
        if wait:
            self.started(IMPORT_SECONDS)

    def started(self, seconds: float) -> None:
        """Wait until the kernel exists.

        Raises
        ------
        KernelLostError
            The template is gone or did not answer within `seconds`.
        """
        pid = self._answer(seconds)
        if pid is None:
            self._connection.close()
            raise KernelLostError(f"the template process was silent for {seconds:.0f} s")
        self.pid = pid

    def _answer(self, seconds: float) -> int | None:
        """Return what the template says next, None if it says nothing within `seconds`."""
        self._connection.settimeout(max(seconds, 1e-6))
        try:
            data = self._connection.recv(ANSWER.size)
        except TimeoutError:
            return None
        except OSError:
            data = b""
        if len(data) < ANSWER.size:
            self._connection.close()
            raise KernelLostError("the template process is gone")
        return int(ANSWER.unpack(data)[0])

    def poll(self) -> int | None:
        """Return the exit code (negative: the signal), None while the kernel runs."""
        return self._end(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises
        ------
        subprocess.TimeoutExpired
            The kernel runs on after `timeout` [s].
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self._end(1.0 if deadline is None else deadline - time.monotonic())) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired([LAUNCHER], timeout or 0.0)
        return code

    def _end(self, seconds: float) -> int | None:
        if self.returncode is None:
            try:
                self.returncode = self._answer(seconds)
            except KernelLostError:  # its kernels end with a template; this one may be on its way
                self.returncode = -signal.SIGKILL
                if self.pid:  # the group 0 would be this process's own
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(self.pid, signal.SIGKILL)
            if self.returncode is not None:
                self._connection.close()
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group, if the kernel still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signum)

    def kill(self) -> None:
        """End the kernel and what it started, at once."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Hang up: the template then ends a kernel that still runs."""
        self._connection.close()

    def terminate(self) -> None:
        """Ask the kernel and what it started to end."""
        self.send_signal(signal.SIGTERM)


class Template:
    """The template process of this process's kernels, and whether its canary lived.

    Parameters
    ----------
    env : mapping of str to str
        Set for the template on top of this process's environment (libraries read their number of threads at import).

    Raises
    ------
    OSError
        There is no room for its socket.

    Notes
    -----
    The socket listens before the template has imported anything: requests wait. It lies in a folder of mode 0700.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._why: str | None = None
        self._folder = short_folder()
        self.socket = str(self._folder / "template")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.socket)
            listener.listen(64)
            command = [sys.executable, *COMMAND, str(listener.fileno()), str(os.getpid())]
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1", **(env or {})},
                pass_fds=[listener.fileno()],
                start_new_session=True,  # a terminal's Ctrl-C is for the run, which then ends the template
            )
        self.pid = self._process.pid
        try:
            self._canary = WarmProcess(self.socket, {"canary": True}, wait=False)
        except KernelLostError:
            self._end()
            raise

    def check(self) -> None:
        """Wait for the canary: a child that clusters with scikit-learn and draws with matplotlib, within 20 s.

        Raises
        ------
        KernelLostError
            It failed, hung, or the template could not import its libraries.
        """
        if self._why is None:
            self._why = self._judge()
        if self._why:
            raise KernelLostError(self._why)

    def _judge(self) -> str:
        try:
            self._canary.started(IMPORT_SECONDS)
            code = self._canary.wait(CANARY_SECONDS)
        except KernelLostError as error:
            return str(error)
        except subprocess.TimeoutExpired:
            return f"the canary did not end within {CANARY_SECONDS:.0f} s"
        return f"the canary ended with {code}" if code else ""

    def close(self) -> None:
        """End the template and every kernel that it still has."""
        self._canary.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
