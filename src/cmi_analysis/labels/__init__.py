"""Display names, sentences, units and number formats in English and Chinese, from one catalogue.

The catalogue is the YAML files beside this module: ``key: {en: …, zh: …}``, keys are dotted and start with the file's name
(``inventory.card.cover``). A text may hold named fields, ``{value}``, filled by `text`.
"""

from cmi_analysis.labels.catalogue import LANGUAGES, Language, catalogue_keys, has_text, text
from cmi_analysis.labels.formats import NOT_AVAILABLE, format_value
from cmi_analysis.labels.known import kpi_name, returned_word, table_name

__all__ = [
    "LANGUAGES",
    "NOT_AVAILABLE",
    "Language",
    "catalogue_keys",
    "format_value",
    "has_text",
    "kpi_name",
    "returned_word",
    "table_name",
    "text",
]
