"""Kernels over local sockets: no ports, no network, each with a short folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode, default

from cmi_analysis.report.provisioner import NAME, register
from cmi_analysis.report.warm import short_folder


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager on IPC sockets, in a folder of its own.

    Notes
    -----
    `jupyter_client` names the sockets ``kernel-ipc-1`` to ``-5`` in the working directory; two kernels in one directory then bind
    the same names, and one gets the other's messages ("Invalid Signature") or none.
    """

    _socket_folder: Path | None = None

    @default("transport")
    def _transport(self) -> str:
        return "ipc"

    def _ip_default(self) -> str:
        self._socket_folder = self._socket_folder or short_folder()
        return str(self._socket_folder / "k")

    def cleanup_ipc_files(self) -> None:
        """Remove the sockets; with the kernel's connection file gone, their folder too."""
        super().cleanup_ipc_files()
        if self._socket_folder is not None and not self._connection_file_written:
            shutil.rmtree(self._socket_folder, ignore_errors=True)


class WarmKernelManager(LocalKernelManager):
    """The same, with kernels forked by the run's template process."""

    template = Unicode(help="Socket of the template process.").tag(config=True)

    @property
    def kernel_spec(self) -> Any:
        """The spec of the notebook's kernel, launched by our provisioner."""
        spec = super().kernel_spec
        if spec is not None and "kernel_provisioner" not in spec.metadata:
            register()
            stanza = {"provisioner_name": NAME, "config": {"template": self.template}}
            spec.metadata = {**spec.metadata, "kernel_provisioner": stanza}
        return spec
