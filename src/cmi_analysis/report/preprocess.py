"""An executed notebook made ready for a reader: his language, allowed outputs only, no trace of how it was run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, from_dict

from cmi_analysis.errors import ReportError
from cmi_analysis.labels import Language, has_text, text
from cmi_analysis.report.fragments import fragment_problems
from cmi_analysis.report.markdown import escape_markdown, render_markdown

COMPLETE = "application/vnd.cmi.complete+json"
_HIDDEN_TAGS = {"parameters", "injected-parameters", "remove-cell"}


class ReportPreprocessor(Preprocessor):
    """Turns the notebook's cells into what the template `cmi` prints.

    Markdown takes the wording of ``metadata.cmi.text`` in the report's language; a chart without alternative text, an error and
    a notebook that did not come to its end fail the report; HTML that is not of the report's own kind is printed as text.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook and the resources for the template."""
        about = resources["cmi"]
        cells = [_plain_cell(cell, about["lang"], about["fields"]) for cell in nb.cells if cell.cell_type in ("markdown", "code")]
        about["complete"] = _completion(cells)
        for cell in cells:
            if cell.cell_type == "code":
                cell.outputs = [clean for output in cell.outputs for clean in _clean_output(output)]
                if _HIDDEN_TAGS & set(cell.metadata.get("tags", [])):
                    cell.source = ""
        cells = _with_intro(cells)
        about["headings"] = _with_headings(cells)
        cells = [cell for cell in cells if cell.cell_type == "markdown" or cell.outputs or (about["show_code"] and cell.source)]
        for number, cell in enumerate(cells):
            cell.id = f"cell-{number}"
        nb.cells = cells
        nb.metadata = NotebookNode()
        return nb, resources


def plain_source(cell: NotebookNode, lang: Language, values: Mapping[str, Any]) -> str:
    """Return a Markdown cell's wording in `lang` with group, period and date filled in, escaped."""
    key = cell.metadata.get("cmi", {}).get("text", "")
    wording = text(key, lang) if key and has_text(key) else cell.source
    for name, value in values.items():
        wording = wording.replace("{" + name + "}", escape_markdown(value))
    return wording


def _cell(kind: str, source: str, **more: Any) -> NotebookNode:
    """Return a cell; nbformat's own makers check each one against the schema, which takes longer than all the rest."""
    return NotebookNode(cell_type=kind, source=source, id="x", **more)


def _display(data: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> NotebookNode:
    about = from_dict(dict(metadata or {}))
    return NotebookNode(output_type="display_data", data=NotebookNode(data), metadata=about)


def _plain_cell(cell: NotebookNode, lang: Language, values: Mapping[str, Any]) -> NotebookNode:
    """Return `cell` with the metadata that count, Markdown in `lang`."""
    about = NotebookNode(tags=list(cell.metadata.get("tags", [])), cmi=NotebookNode(part=""))
    if cell.cell_type == "markdown":
        return _cell("markdown", plain_source(cell, lang, values), metadata=about)
    return _cell("code", cell.source, metadata=about, outputs=list(cell.outputs), execution_count=None)


def _completion(cells: list[NotebookNode]) -> dict[str, str]:
    """Return what the last cell said.

    Raises
    ------
    ReportError
        It did not say that the report is complete.
    """
    code = [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]
    for output in code[-1].outputs if code else []:
        said = output.get("data", {}).get(COMPLETE)
        if said:
            return dict(said)
    raise ReportError(
        expected="the last cell to say that the report is complete",
        found="that it did not",
        fix="The last code cell must be displays.show_end(page).",
    )


def _clean_output(output: NotebookNode) -> list[NotebookNode]:
    """Return the output as the one kind that is printed, or nothing."""
    if output.output_type == "error":
        raise ReportError(
            expected="every cell to run", found=f"{output.ename}: {output.evalue}", fix="Look at the executed notebook."
        )
    if output.output_type == "stream":
        words = "".join(output.text).strip()
        return [NotebookNode(output_type="stream", name="stdout", text=words)] if output.name == "stdout" and words else []
    data, metadata = output.get("data", {}), output.get("metadata", {})
    if metadata.get("cmi", {}).get("part") == "style":
        return []
    if "image/png" in data:
        return [_picture(data["image/png"], metadata.get("image/png", {}))]
    html = "".join(data.get("text/html", ""))
    if html and not fragment_problems(html):
        return [_display({"text/html": html})]
    words = "".join(data.get("text/plain", "")) or html
    return [_display({"text/plain": words})] if words.strip() else []


def _picture(coded: str | list[str], about: Mapping[str, Any]) -> NotebookNode:
    alt = str(about.get("alt", "")).strip()
    if not alt:
        raise ReportError(
            expected="an alternative text for every chart",
            found="a chart without one",
            fix="Show charts through displays.show_section; it takes the text from Section.alt.",
        )
    picture = {"image/png": "".join("".join(coded).split())}
    return _display(picture, {"image/png": {"alt": alt, "width": int(about.get("width", 0))}})


def _with_intro(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Join the Markdown above the first screen: the title stays, the rest opens on a click, so that all fits on one screen."""
    first = next((number for number, cell in enumerate(cells) if cell.cell_type == "code" and cell.outputs), 0)
    words = [cell.source for cell in cells[:first] if cell.cell_type == "markdown"]
    if not words:
        return cells
    title, _, rest = "\n\n".join(words).partition("\n")
    if not title.startswith("# "):
        return cells
    cmi = NotebookNode(part="intro", title_html=render_markdown(title).strip(), html=render_markdown(rest))
    intro = _cell("markdown", "", metadata=NotebookNode(cmi=cmi))
    cells[first].metadata.cmi.nav = True
    return [intro, *(cell for cell in cells[:first] if cell.cell_type == "code"), *cells[first:]]


def _with_headings(cells: list[NotebookNode]) -> list[dict[str, str]]:
    """Render the Markdown of the sections and return their headings with ids ``h-1``, ``h-2`` …"""
    headings: list[dict[str, str]] = []
    for cell in cells:
        if cell.cell_type != "markdown" or cell.metadata.cmi.part == "intro":
            continue
        ids = {}
        for line in cell.source.splitlines():
            if line.startswith("## "):
                name = f"h-{len(headings) + 1}"
                headings.append({"id": name, "text": line[3:].strip()})
                ids[_heading_html(line)] = name
        cell.metadata.cmi.html = render_markdown(cell.source, ids=ids)
    return headings


def _heading_html(line: str) -> str:
    return render_markdown(line).strip().removeprefix("<h2>").removesuffix("</h2>")
