"""A kernel provisioner for `jupyter_client`: a kernel is forked by a template process instead of started cold.

Papermill and JupyterLab use it through the kernelspec ``cmi-warm``; `cmi report` names its own template. Where no template can
run (no fork, a canary that failed), the kernelspec's kernels start cold like any other.
"""

from __future__ import annotations

import asyncio
import threading
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Unicode

from cmi_analysis.report.warm import LAUNCHER, KernelLostError, Template, WarmProcess, can_fork

NAME = "cmi-warm"
_shared: list[Template] = []
_lock = threading.Lock()


def register() -> None:
    """Make the provisioner known in this process, also where the package's metadata are older than it."""
    entry = EntryPoint(NAME, f"{__name__}:WarmProvisioner", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.instance().provisioners.setdefault(NAME, entry)


def shared_template() -> Template:
    """Return this process's template; the first call starts it."""
    with _lock:
        if not _shared:
            _shared.append(Template())
        return _shared[0]


class WarmProvisioner(LocalProvisioner):
    """Launches a kernel as a fork of a template; all else is as for a local process."""

    template = Unicode(help="Socket of a template; empty: this process's own, cold where that fails.").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Launch the kernel and return its connection information.

        Raises
        ------
        KernelLostError
            The named template did not answer.
        """
        process = await asyncio.to_thread(self._fork, cmd, kwargs)
        if process is None:
            return await super().launch_kernel(cmd, **kwargs)
        # no pgid: signals then go through WarmProcess, which never sends one to a number that is somebody else's by now
        self.process, self.pid, self.pgid = process, process.pid, None
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    def _fork(self, cmd: list[str], kwargs: dict[str, Any]) -> WarmProcess | None:
        if LAUNCHER not in cmd or not (self.template or can_fork()):
            return None
        request = {"argv": cmd[cmd.index(LAUNCHER) :], "env": kwargs["env"], "cwd": str(kwargs.get("cwd") or Path.cwd())}
        if self.template:
            return WarmProcess(self.template, request)
        try:
            template = shared_template()
            template.check()
            return WarmProcess(template.socket, request)
        except (KernelLostError, OSError) as error:
            self.log.warning("A cold kernel instead of a warm one: %s", error)
            return None
