"""Kernels over local sockets: no ports, no network, each with a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from traitlets import default


class LocalKernelManager(AsyncKernelManager):
    """A kernel manager on IPC sockets in a private, short folder (socket paths hold about 100 bytes)."""

    @default("transport")
    def _transport(self) -> str:
        return "ipc"

    def pre_start_kernel(self, **kwargs: Any) -> Any:
        """Give the kernel its own socket folder before it starts."""
        self._socket_folder = Path(tempfile.mkdtemp(prefix="cmi-"))
        self.ip = str(self._socket_folder / "k")
        return super().pre_start_kernel(**kwargs)

    def cleanup_resources(self, restart: bool = False) -> Any:
        """Remove the socket folder with the kernel's other files."""
        folder = getattr(self, "_socket_folder", None)
        if folder is not None and not restart:
            shutil.rmtree(folder, ignore_errors=True)
        return super().cleanup_resources(restart)
