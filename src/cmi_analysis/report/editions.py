"""Two editions of a report: what a client's files leave out, and why the two never share a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nbformat import NotebookNode

from cmi_analysis.errors import InputError
from cmi_analysis.names import is_confidential_param
from cmi_analysis.params.models import MODELS
from cmi_analysis.report.publish import published_record
from cmi_analysis.stages.opening import Prepared, group_params
from cmi_analysis.stages.published import report_folder

_ASSIGNED = re.compile(r"\s*(\w+)\s*(?::[^=]*)?=")
_PARAMETERS = {"parameters", "injected-parameters"}


def client_notebook(book: NotebookNode) -> NotebookNode:
    """Remove the lines of confidential parameters from the executed notebook's parameter cells; return it."""
    for cell in book.cells:
        if cell.cell_type == "code" and _PARAMETERS & set(cell.metadata.get("tags", [])):
            cell.source = "\n".join(line for line in cell.source.splitlines() if not _is_confidential_line(line))
    return book


def _is_confidential_line(line: str) -> bool:
    found = _ASSIGNED.match(line)
    return found is not None and is_confidential_param(found[1])


def refuse_mixed_editions(
    shared: Prepared, groups: Iterable[str], notebooks: Iterable[str], *, overrides: Mapping[str, Any]
) -> None:
    """Raise where a group's folder would hold both editions: it is sent to a client as a whole.

    Parameters
    ----------
    shared : Prepared
        Project and as_of of the run.
    groups, notebooks : iterable of str
        What is about to be rendered.
    overrides : mapping
        Parameters of the command line.

    Raises
    ------
    InputError
        Names the group and what to do.
    """
    wanted = tuple(notebooks)
    for group in groups:
        params = group_params(shared.project, group, as_of=shared.as_of, overrides=overrides)
        folder = report_folder(shared.project.reports, group)
        records = {name: published_record(folder, notebook=name) for name in MODELS}
        editions = {name: record["audience"] for name, record in records.items() if record}
        audiences = {*editions.values(), *(params[name].audience for name in wanted)}
        if len(audiences) > 1:
            raise InputError(
                expected="one edition in the folder of a group, for internal readers or for the client",
                found=f"both for '{group}'",
                fix="Render the other edition into a folder of its own with --out, or remove the group's folder first.",
            )
