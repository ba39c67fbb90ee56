"""Success means that every cell ran and the last one said so."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from cmi_analysis.errors import ReportError
from cmi_analysis.report.execute import execute_report, strip_traces

END = "from IPython.display import display\ndisplay({'application/vnd.cmi.complete+json': {}, 'text/plain': 'end'}, raw=True)"
STOPS = {
    "sys.exit": ("import sys; sys.exit(0)", "SystemExit|did not"),
    "exception": ("raise ValueError('no stock')", "cell 1: ValueError: no stock"),
    "assertion": ("assert 1 == 2, 'sums differ'", "cell 1: AssertionError: sums differ"),
    "syntax": ("for", "cell 1: SyntaxError"),
    "kill": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "kernel to live"),
    "os._exit": ("import os; os._exit(0)", "kernel to live"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "hang": ("import time; time.sleep(60)", "every cell to end within 4 s"),
}


def notebook(folder: Path, *sources: str) -> Path:
    """Write a notebook with a parameter cell and these cells."""
    cells = [nbformat.v4.new_code_cell("group: str = ''", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    metadata = {
        "kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    path = folder / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def execute(path: Path, **params: str) -> tuple[nbformat.NotebookNode, dict[str, float]]:
    """Run the notebook in its folder."""
    return execute_report(path, path.with_name("done.ipynb"), params=params, slice_folder=path.parent, cell_seconds=4)


def test_a_notebook_that_says_it_is_complete_is_a_success_and_sees_its_parameters(tmp_path: Path) -> None:
    book, seconds = execute(notebook(tmp_path, "print(repr(group), end='')", END), group="007")
    assert book.cells[2].outputs[0]["text"] == "'007'"
    assert set(seconds) == {"kernel", "compute"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(STOPS))
def test_a_notebook_that_stops_early_is_a_failure_with_its_cause(kind: str, tmp_path: Path) -> None:
    source, message = STOPS[kind]
    with pytest.raises(ReportError, match=message):
        execute(notebook(tmp_path, source, END))
    if kind not in ("kill", "os._exit", "hang"):
        assert tmp_path.joinpath("done.ipynb").exists()


def test_a_notebook_whose_last_cell_is_silent_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="last cell to say that the report is complete"):
        execute(notebook(tmp_path, END, "1 + 1"))


def test_no_time_and_no_path_stay_in_the_executed_notebook(tmp_path: Path) -> None:
    book, _ = execute(notebook(tmp_path, END))
    text = nbformat.writes(strip_traces(book))
    assert str(tmp_path) not in text
    assert "duration" not in text
    assert "iopub" not in text
