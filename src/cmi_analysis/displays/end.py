"""The last cell of a report: it says that the notebook ran to its end."""

from __future__ import annotations

from cmi_analysis.displays.escaping import html_text
from cmi_analysis.labels import text
from cmi_analysis.pages import Page

COMPLETE_MIME = "application/vnd.cmi.complete+json"


def show_end(page: Page) -> None:
    """Say that the report is complete, to the reader in a line and to the exporter in a type of output of its own."""
    from IPython.display import display

    words = text("shell.end", page.lang, run=page.run_id or "–", as_of=page.as_of)
    said = {
        COMPLETE_MIME: {"notebook": page.notebook, "run_id": page.run_id},
        "text/html": f'<p class="cmi-end">{html_text(words)}</p>',
    }
    display(said, raw=True)
