"""One notebook through Papermill, and the proof that it ran to its end."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode

from cmi_analysis.errors import ReportError

if TYPE_CHECKING:
    from traitlets.config import Config

COMPLETE = "application/vnd.cmi.complete+json"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class KernelDiedError(ReportError):
    """The kernel was lost; no cell is known to be at fault."""


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def execute_report(
    path: Path, output: Path, *, params: Mapping[str, Any], slice_folder: Path, cell_seconds: int, template: str = ""
) -> tuple[NotebookNode, dict[str, float]]:
    """Run the notebook at `path` and return it with its outputs, and the seconds of kernel start and cells.

    Parameters
    ----------
    path, output : Path
        The notebook, and where Papermill writes the executed one (also after a failure, with the traceback).
    params : mapping
        Validated JSON values; nothing else reaches Papermill.
    slice_folder : Path
        All that the kernel may read.
    cell_seconds : int
        Time one cell may take [s].
    template : str
        Socket of the template process that forks the kernel; empty: a fresh interpreter.

    Raises
    ------
    ReportError
        A cell failed, ran out of time, or the notebook ended before its last cell said so.
    KernelDiedError
        The kernel could not be started, or died.
    """
    import papermill

    started = time.monotonic()
    own = {"CMI_SLICE": str(slice_folder), "IPYTHONDIR": str(slice_folder / "ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with _environment(own), _in_plain_words(cell_seconds):
        book = papermill.execute_notebook(
            str(path),
            str(output),
            parameters=dict(params),
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=cell_seconds,
            shutdown_kernel="immediate",
            cwd=str(slice_folder),
            **_kernels(template),
        )
    check_complete(book)
    spent = time.monotonic() - started
    compute = sum(float(cell.metadata.get("papermill", {}).get("duration") or 0) for cell in book.cells)
    return book, {"kernel": max(spent - compute, 0.0), "compute": compute}


@contextmanager
def _in_plain_words(cell_seconds: int) -> Iterator[None]:
    """Turn what Papermill and its client raise into errors that speak to a person."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    from cmi_analysis.report.warm import KernelLostError

    try:
        yield
    except papermill.PapermillExecutionError as error:
        raise ReportError(
            expected="every cell to run",
            found=f"cell {error.cell_index}: {error.ename}: {_COLOUR.sub('', str(error.evalue))}",
            fix="The executed notebook with the traceback is kept beside the run's log.",
        ) from None
    except CellTimeoutError:
        raise ReportError(
            expected=f"every cell to end within {cell_seconds} s",
            found="one that did not",
            fix="Raise run.cell_seconds in base.yml, or look at the executed notebook.",
        ) from None
    except DeadKernelError:
        raise KernelDiedError(expected="the kernel to live", found="that it died", fix="Memory may have run out.") from None
    except (KernelLostError, RuntimeError) as error:  # the client's RuntimeError: the kernel did not answer at its start
        raise KernelDiedError(expected="a kernel", found=str(error), fix="The machine may be overloaded.") from None


def _kernels(template: str) -> dict[str, str | Config]:
    """Return Papermill's arguments for the kind of kernel."""
    from traitlets.config import Config

    kind = "WarmKernelManager" if template else "LocalKernelManager"
    config = Config({kind: {"template": template}}) if template else Config()
    return {"kernel_manager_class": f"cmi_analysis.report.kernels.{kind}", "config": config}


def check_complete(book: NotebookNode) -> None:
    """Raise unless every code cell ran and the last one said that the report is complete.

    Raises
    ------
    ReportError
        Names the first cell that did not run, or says that the last one was silent.
    """
    code = [(index, cell) for index, cell in enumerate(book.cells) if cell.cell_type == "code" and cell.source.strip()]
    for index, cell in code:
        if cell.execution_count is None:
            raise ReportError(
                expected="every cell to run",
                found=f"cell {index} did not",
                fix="A cell before it ended the notebook early (sys.exit, a stopped kernel).",
            )
    last = code[-1][1] if code else None
    if last is None or not any(COMPLETE in output.get("data", {}) for output in last.outputs):
        raise ReportError(
            expected="the last cell to say that the report is complete",
            found="that it did not",
            fix="The last code cell must be displays.show_end(page).",
        )


def strip_traces(book: NotebookNode) -> NotebookNode:
    """Remove times, durations and paths that Papermill left in the executed notebook; return it."""
    book.metadata.pop("papermill", None)
    for cell in book.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
    return book
