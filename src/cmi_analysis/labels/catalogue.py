"""The catalogue of texts: one key, one English and one Chinese wording."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from cmi_analysis.errors import ParameterError

Language = Literal["en", "zh"]
# the C parser reads the catalogue ten times as fast; it is missing where PyYAML was built without libyaml
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    folder = resources.files("cmi_analysis.labels") / "texts"
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".yml"):
            texts.update(_LOADER(file.read_text("utf-8")).get_single_data() or {})
    return texts


def catalogue_keys() -> list[str]:
    """Return every key of the catalogue, sorted."""
    return sorted(_catalogue())


def has_text(key: str) -> bool:
    """Tell whether the catalogue holds `key`."""
    return key in _catalogue()


def text(key: str, lang: Language = "en", **values: Any) -> str:
    """Return the wording of `key` in `lang`, its named fields filled with `values`.

    Parameters
    ----------
    key : str
        Dotted key of the catalogue.
    lang : {"en", "zh"}
        Language of the wording.
    **values
        Finished strings for the fields; numbers go through `format_value` first.

    Raises
    ------
    ParameterError
        The key is not in the catalogue, or a field has no value.

    Examples
    --------
    >>> text("column.on_hand", "zh")
    '现有库存'
    """
    try:
        wording = _catalogue()[key][lang]
    except KeyError:
        raise ParameterError(
            expected=f"a text with the key '{key}' in '{lang}'",
            found="none in the catalogue",
            fix="Add it to the YAML files of labels/texts, in English and Chinese.",
        ) from None
    if not values:
        return wording
    try:
        return wording.format(**values)
    except KeyError as missing:
        raise ParameterError(
            expected=f"a value for each field of the text '{key}'",
            found=f"no value for {missing}",
            fix="Pass the field by name.",
        ) from None
