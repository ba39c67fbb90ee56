"""YAML as plain data: the safe loader, a key only once, and errors that name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cmi_analysis.errors import ParameterError

_LARGEST_FILE = 4_000_000  # bytes; a settings file is a thousandth of this


class _OnceLoader(yaml.SafeLoader):
    """The safe loader, which refuses a key that stands twice and every alias (a YAML bomb is made of them)."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="an alias (*name), which is not allowed here", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool) or key in seen:
                problem = f"the key '{key}' a second time" if isinstance(key, str | int) else f"the key {key!r}"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path | str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; an empty file gives an empty one.

    Parameters
    ----------
    path : pathlib.Path or str
        The file, UTF-8.

    Raises
    ------
    ParameterError
        The file is missing, too large, not UTF-8, not YAML, repeats a key, or holds something else than a mapping with names as
        keys. The message names file and line.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ParameterError(
                expected="a settings file of a few kilobytes",
                found=f"{path} is larger than 4 MB",
                fix="Check the name of the file.",
            )
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ParameterError(expected=f"the file {path}", found=f"{error.strerror}", fix="Check its name and place.") from None
    except UnicodeDecodeError as error:
        raise ParameterError(
            expected=f"UTF-8 text in {path}", found=f"another encoding at byte {error.start}", fix="Save it as UTF-8."
        ) from None
    try:
        content = _OnceLoader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "an unknown line"
        raise ParameterError(
            expected=f"valid YAML in {path}", found=f"{error.problem} in {line}", fix="Correct that line of the file."
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ParameterError(expected=f"valid YAML in {path}", found=str(error), fix="Correct the file.") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ParameterError(
            expected=f"names with values in {path}", found="something else", fix="Write it as 'name: value' lines."
        )
    return content
