"""Two editions of a report: what a client's files leave out, and why the two never share a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nbformat import NotebookNode

from cmi_analysis.errors import InputError
from cmi_analysis.labels import has_text, text
from cmi_analysis.names import is_confidential_param, is_internal_frame
from cmi_analysis.params.models import MODELS
from cmi_analysis.report.publish import published_record
from cmi_analysis.stages.opening import Prepared, group_params
from cmi_analysis.stages.published import report_folder

_ASSIGNED = re.compile(r"\s*(\w+)\s*(?::[^=]*)?=")
_PARAMETERS = {"parameters", "injected-parameters"}


def client_notebook(book: NotebookNode) -> NotebookNode:
    """Turn the executed notebook into the client's: no confidential parameters, no sections that are ours alone; return it.

    A section is its question (a Markdown cell whose text is ``<notebook>.<section>.question``) and the code cell below it. A
    Markdown cell whose text has a wording for clients (key with ``.client``) takes that.
    """
    kept, skipping = [], False
    for cell in book.cells:
        if cell.cell_type == "markdown":
            key = cell.metadata.get("cmi", {}).get("text", "")
            skipping = is_internal_frame(key.removesuffix(".question"))
            if has_text(f"{key}.client"):
                cell.metadata["cmi"]["text"], cell.source = f"{key}.client", text(f"{key}.client")
        elif _PARAMETERS & set(cell.metadata.get("tags", [])):
            cell.source = "\n".join(line for line in cell.source.splitlines() if not _is_confidential_line(line))
        if not skipping:
            kept.append(cell)
    book.cells = kept
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
