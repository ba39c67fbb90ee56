"""The template of warm kernels: imports what notebooks need, then forks a kernel for each request.

A process of its own (``python -m cmi_analysis.report.template``). It computes nothing and reads no client's data: a library that
has started threads does not survive a fork, and what the template holds, every kernel would hold. Only a child, which has left
the template for good, works on a slice.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from cmi_analysis.report.warm import ANSWER

MODULES = (
    "cmi_analysis.stages",
    "cmi_analysis.messages",
    "cmi_analysis.displays",
    "cmi_analysis.figures",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "babel.dates",
    "jinja2",
    "pdb",
    "pyarrow.dataset",
    "sqlite3",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "seaborn",
    "statsmodels.api",
    "statsforecast",
    "lightgbm",
    "sklearn.cluster",
)
_PR_SET_PDEATHSIG = 1  # prctl(2): the signal a process gets when its parent ends


class Template:
    """Listens for requests, forks, reaps, and ends with its parent.

    Parameters
    ----------
    listener : socket.socket
        Where requests come in: one connection a kernel, open as long as the kernel lives.
    parent : int
        Process id of the parent.
    """

    def __init__(self, listener: socket.socket, parent: int) -> None:
        self._listener, self._parent, self._stopped = listener, parent, False
        self._kernels: dict[int, socket.socket | None] = {}
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: Any) -> None:
        self._stopped = True

    def serve(self) -> dict[str, Any] | None:
        """Return the request in each child; in the template return None when it is time to end."""
        while not self._stopped and os.getppid() == self._parent:
            clients = {connection: pid for pid, connection in self._kernels.items() if connection}
            ready = select.select([self._listener, self._woken, *clients], [], [], 0.5)[0]
            if self._woken in ready:
                self._woken.recv(4096)
            self._reap()
            for connection, pid in clients.items():
                if connection in ready and pid in self._kernels:  # it never writes again: its process is gone
                    connection.close()
                    self._kernels[pid] = None
                    _end_group(pid)
            if self._listener in ready:
                request = self._fork()
                if request is not None:
                    return request
        return None

    def _reap(self) -> None:
        """Collect ended kernels: end what they left running, tell their clients."""
        for pid in list(self._kernels):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            _end_group(pid)  # before the process id can be given to another
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            connection = self._kernels.pop(pid)
            if connection:
                _say(connection, code)
                connection.close()

    def _fork(self) -> dict[str, Any] | None:
        """Take one request; return it in the child, None in the template."""
        connection, _ = self._listener.accept()
        connection.settimeout(5)
        template = os.getpid()
        try:
            with connection.makefile("rb") as lines:
                request = json.loads(lines.readline())
            pid = os.fork()
        except (OSError, ValueError):
            connection.close()
            return None
        if pid == 0:
            connection.close()
            self._leave(template)
            return dict(request)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # here too: a signal may come before the child has done it
        self._kernels[pid] = connection
        _say(connection, pid)
        return None

    def _leave(self, template: int) -> None:
        """Close in a child what belongs to the template and take back its signals; end with the template."""
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for each in (self._listener, self._woken, self._waker, *self._kernels.values()):
            if each:
                each.close()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != template:  # it ended before this child could ask for the signal
            os._exit(1)

    def end(self) -> None:
        """End every kernel and remove the socket's folder."""
        for pid in self._kernels:
            _end_group(pid)
        for pid in self._kernels:
            os.waitpid(pid, 0)
        shutil.rmtree(Path(self._listener.getsockname()).parent, ignore_errors=True)


def _say(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(ANSWER.pack(number))


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def become_kernel(request: dict[str, Any]) -> NoReturn:
    """Do in a child what was asked for and end the process, without the interpreter's exit handlers."""
    code = 1
    try:
        if request.get("canary"):
            _canary()
        else:
            _settle(request)
            _run_kernel(request["argv"])
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001  nothing may return into the template's frames
        traceback.print_exc(file=sys.__stderr__)
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _settle(request: dict[str, Any]) -> None:
    """Take the request's place: working directory, environment, arguments; and random states of its own."""
    import numpy as np

    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv = list(request["argv"])
    random.seed()
    np.random.seed()  # noqa: NPY002  the state that notebooks without a generator of their own use


def _run_kernel(argv: Sequence[str]) -> None:
    import matplotlib as mpl
    from ipykernel.kernelapp import IPKernelApp

    # JPY_PARENT_PID, read at import, would be another process: the parent of a forked kernel is the template
    app = IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(list(argv[1:]))
    # matplotlib read this variable before there was a shell that could show figures
    mpl.rcParams["backend"] = os.environ["MPLBACKEND"]
    app.start()
    if app.shell:
        app.shell.atexit_operations()  # writes the history


def _canary() -> None:
    """Do what hangs or dies in children of a template that computed: cluster and draw."""
    import io

    import numpy as np
    from matplotlib.figure import Figure
    from sklearn.cluster import KMeans

    points = np.arange(200.0).reshape(-1, 2)
    labels = KMeans(3, n_init=1, random_state=1).fit_predict(points)
    figure = Figure()
    figure.add_subplot().scatter(points[:, 0], points[:, 1], c=labels)
    figure.savefig(io.BytesIO(), format="png")


def _import() -> None:
    """Import what notebooks need, and read the package's own texts; warnings of the imports are nobody's concern."""
    from cmi_analysis.labels import catalogue_keys

    show, warnings.showwarning = warnings.showwarning, lambda *_, **__: None
    for name in MODULES:
        importlib.import_module(name)
    warnings.showwarning = show
    catalogue_keys()


def main(arguments: Sequence[str]) -> None:
    """Import, listen, fork; returns in the template only."""
    if sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]  # put there by -m; a kernel has its own working directory
    listener = socket.socket(fileno=int(arguments[0]))
    os.chdir(Path(listener.getsockname()).parent)  # libraries read settings from the working directory (matplotlibrc)
    _import()
    gc.collect()
    gc.freeze()  # children then share the imported objects' memory instead of copying it
    own = os.getpid()
    template = Template(listener, int(arguments[1]))
    request = None
    try:
        request = template.serve()
    finally:
        if os.getpid() == own:
            template.end()
    if request is not None:
        become_kernel(request)


if __name__ == "__main__":
    main(sys.argv[1:])
