"""A report has one name: on its page, in the index and in the summary."""

from __future__ import annotations

import pytest

from cmi_analysis.labels import LANGUAGES, Language, has_text, text
from cmi_analysis.params.models import MODELS


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("notebook", sorted(MODELS))
def test_a_report_is_called_the_same_everywhere(notebook: str, lang: Language) -> None:
    title = next(key for key in (f"{notebook}.title", f"{notebook}.notebook.title") if has_text(key))
    name = text(title, lang).removeprefix("# ")
    assert text(f"shell.notebook.{notebook}", lang) == name
    assert text(f"management_summary.notebook.{notebook}", lang) == name
