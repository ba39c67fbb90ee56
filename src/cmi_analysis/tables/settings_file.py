"""`dataset.yml`: what a data set says about itself."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cmi_analysis.errors import InputError
from cmi_analysis.params.yaml_files import read_yaml
from cmi_analysis.tables.aliases import nearest
from cmi_analysis.tables.dataset import Sentence, Settings, read_sentence

FILE_NAME = "dataset.yml"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _checked(name: str, value: Any, hint: Any, file: str) -> Any:
    allowed = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else _WEEKDAYS if name == "week_start" else ()
    if allowed and value not in allowed:
        raise InputError(expected=f"{name} as one of {', '.join(allowed)} in {file}", found=repr(value), fix="Correct the value.")
    if name == "assumptions":
        return _sentences(value, file)
    if not isinstance(value, str):
        raise InputError(expected=f"text for {name} in {file}", found=repr(value), fix="Put the value in quotes.")
    if name == "time_zone":
        from zoneinfo import available_timezones

        if value not in available_timezones():
            raise InputError(expected=f"an IANA time zone in {file}", found=value, fix="Write one such as Asia/Shanghai.")
    if name == "currency" and value and not (len(value) == 3 and value.isascii() and value.isupper()):
        raise InputError(expected=f"an ISO 4217 currency in {file}", found=value, fix="Write one such as CNY.")
    return value


def _sentences(value: Any, file: str) -> tuple[Sentence, ...]:
    def is_sentence(item: Any) -> bool:
        both = isinstance(item, Mapping) and set(item) == {"en", "zh"} and all(isinstance(text, str) for text in item.values())
        return isinstance(item, str) or both

    if not isinstance(value, list | tuple) or not all(map(is_sentence, value)):
        raise InputError(
            expected=f"assumptions as a list of sentences in {file}",
            found=repr(value),
            fix="Write '- sentence' lines, or '- {en: sentence, zh: 句子}' for both languages.",
        )
    return tuple(map(read_sentence, value))


def settings_from(content: Mapping[str, Any], *, file: str, base: Settings | None = None) -> Settings:
    """Return `base` with the values of `content`.

    Raises
    ------
    InputError
        An unknown name (the nearest one is named) or a value that is not allowed.
    """
    hints = typing.get_type_hints(Settings)
    values = {}
    for name, value in content.items():
        if name not in hints:
            close = nearest(name, list(hints))
            fix = f"Did you mean '{close}'?" if close else f"Known names: {', '.join(hints)}."
            raise InputError(expected=f"names of settings in {file}", found=f"'{name}'", fix=fix)
        values[name] = _checked(name, value, hints[name], file)
    return dataclasses.replace(base or Settings(), **values)


def read_settings(data: Path | str) -> Settings:
    """Return the settings in the `dataset.yml` next to the data, or the defaults where there is none."""
    if isinstance(data, str) and "://" in data:
        return Settings()
    folder = Path(data) if Path(data).is_dir() else Path(data).parent
    path = folder / FILE_NAME
    return settings_from(read_yaml(path), file=FILE_NAME) if path.is_file() else Settings()
