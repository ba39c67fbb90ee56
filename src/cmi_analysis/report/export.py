"""Executed notebook to one HTML file, by nbconvert and the template `cmi`, in this process and with one exporter for all."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from functools import cache
from html import unescape
from importlib import resources
from pathlib import Path
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode

from cmi_analysis.displays.escaping import plain_text
from cmi_analysis.displays.first_screen import style_sheet
from cmi_analysis.labels import Language, text
from cmi_analysis.pages import Page
from cmi_analysis.report.markdown import render_markdown
from cmi_analysis.report.preprocess import ReportPreprocessor, plain_source

HTML_LANG = {"en": "en", "zh": "zh-CN"}
_WORDS = ("skip", "about", "code", "chart", "nav")


class CmiExporter(TemplateExporter):
    """nbconvert's exporter with the project's template; it loads no style and no script of anyone else."""

    export_from_notebook = "CMI report"
    output_mimetype = "text/html"

    def _file_extension_default(self) -> str:
        return ".html"

    def _template_name_default(self) -> str:
        return "cmi"

    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(Path(str(resources.files("cmi_analysis.report") / "templates")))]

    def _init_preprocessors(self) -> None:
        self._preprocessors = []
        self.register_preprocessor(ReportPreprocessor(), enabled=True)


@cache
def _exporter() -> CmiExporter:
    return CmiExporter()


def export_report(
    notebook: NotebookNode, *, page: Page | Mapping[str, Any], lang: Language | None = None, show_code: bool = False
) -> str:
    """Return an executed notebook as one HTML page that needs nothing else.

    Parameters
    ----------
    notebook : NotebookNode
        The executed notebook; it stays as it is.
    page : Page or mapping
        What the report says; its notebook, group, run id and date stand in the title and at the end of the file.
    lang : {"en", "zh"}, optional
        Language of the Markdown and of the shell; None: that of the page.
    show_code : bool
        The analyst's edition: the code of each cell, folded.

    Returns
    -------
    str
        The HTML; the same notebook gives the same bytes.

    Raises
    ------
    ReportError
        A cell failed, a chart has no alternative text, or the last cell did not say that the report is complete.
    """
    facts = dataclasses.asdict(page) if dataclasses.is_dataclass(page) and not isinstance(page, type) else dict(page)
    language: Language = lang or facts.get("lang", "en")
    cmi: dict[str, Any] = {
        "lang": language,
        "html_lang": HTML_LANG[language],
        "notebook": _name(facts.get("notebook", "")),
        "run_id": _name(facts.get("run_id", "")),
        "fields": {name: facts.get(name, "") for name in ("group", "period", "as_of")},
        "show_code": show_code,
        "style": style_sheet(),
        "words": {name: text(f"shell.page.{name}", language) for name in _WORDS},
        "title": "",
    }
    cmi["title"] = _title(notebook, cmi, plain_text(facts.get("group", "")))
    body, _ = _exporter().from_notebook_node(notebook, resources={"cmi": cmi})
    return str(body).rstrip() + "\n"


def _name(value: Any) -> str:
    """Return `value` with the signs that a comment may hold."""
    return re.sub(r"[^\w.]", "", str(value)) or "none"


def _title(notebook: NotebookNode, cmi: dict[str, Any], group: str) -> str:
    """Return what the browser shows in its tab: report and group."""
    first = next((cell for cell in notebook.cells if cell.cell_type == "markdown"), None)
    line = plain_source(first, cmi["lang"], cmi["fields"]).partition("\n")[0].removeprefix("# ") if first else ""
    heading = unescape(re.sub(r"<[^>]+>", "", render_markdown(line))).strip()
    return heading if not group or group in heading else f"{heading} · {group}"
