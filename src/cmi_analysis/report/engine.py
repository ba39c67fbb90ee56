"""The run's engine: ``kernel`` (kernels forked from a warm template) or ``plain`` (a fresh interpreter for every report)."""

from __future__ import annotations

from types import TracebackType
from typing import Literal

from cmi_analysis.errors import ParameterError
from cmi_analysis.report.warm import KernelLostError, Template, can_fork
from cmi_analysis.report.worker import ONE_THREAD

ENGINES = ("kernel", "plain")


class Engine:
    """Starts the template at once, so that it imports while the run ingests; decides when the first kernel is wanted.

    Parameters
    ----------
    wanted : str
        ``kernel``, ``plain``, or empty: kernel where a process can be forked.
    start : bool
        Whether the run makes reports at all.

    Attributes
    ----------
    fallback : str
        Why a wanted kernel engine is none; empty where it is, or was not wanted.

    Raises
    ------
    ParameterError
        Neither of the two.
    """

    def __init__(self, wanted: str = "", *, start: bool = True) -> None:
        if wanted and wanted not in ENGINES:
            raise ParameterError(expected="an engine that exists", found=f"'{wanted}'", fix=f"Allowed: {', '.join(ENGINES)}.")
        self.fallback = ""
        self._template: Template | None = None
        if wanted == "kernel" and not can_fork():
            self.fallback = "processes cannot be forked on this system"
        elif start and wanted != "plain" and can_fork():
            try:
                self._template = Template(ONE_THREAD)
            except KernelLostError as error:
                self.fallback = str(error)
            except OSError as error:
                self.fallback = f"no template process: {error}"

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._template:
            self._template.close()

    @property
    def socket(self) -> str:
        """Socket of the template, its canary passed; empty: the engine is plain."""
        if self._template and not self.fallback:
            try:
                self._template.check()
                return self._template.socket
            except KernelLostError as error:
                self.fallback = str(error)
        return ""

    @property
    def name(self) -> Literal["kernel", "plain"]:
        """The engine that the run's kernels have."""
        return "kernel" if self.socket else "plain"

    def describe(self) -> str:
        """Return the engine in words, with the reason where it is not the one wanted."""
        return f"engine {self.name}" + (f" ({self.fallback})" if self.fallback else "")
