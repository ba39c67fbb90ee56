"""The notebooks' parameter cell, generated from the models and checked against them."""

from __future__ import annotations

import json
import types
import typing
from pathlib import Path
from typing import Any

from cmi_analysis.errors import ParameterError
from cmi_analysis.params.models import MODELS

_PLAIN = {str: "str", int: "int", float: "float", bool: "bool"}


def _type_name(annotation: Any) -> str:
    """Return the type as Papermill's inspector reads it: a plain name, ``list[…]`` or a quoted Optional."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _type_name(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return "str"
    if origin in (typing.Union, types.UnionType):
        inner = [item for item in typing.get_args(annotation) if item is not type(None)]
        return f'"Optional[{_type_name(inner[0])}]"'
    if origin is list:
        return f"list[{_type_name(typing.get_args(annotation)[0])}]"
    return _PLAIN[annotation]


def parameter_cell(notebook: str) -> str:
    """Return the source of the parameter cell of `notebook`, one line a parameter: ``name: type = value  # what [unit]``.

    Raises
    ------
    ParameterError
        There is no notebook of that name.
    """
    if notebook not in MODELS:
        raise ParameterError(expected=f"one of the notebooks {', '.join(MODELS)}", found=f"'{notebook}'", fix="Correct the name.")
    lines = []
    for name, field in MODELS[notebook].model_fields.items():
        value = json.dumps(field.default, ensure_ascii=False) if isinstance(field.default, str) else repr(field.default)
        lines.append(f"{name}: {_type_name(field.annotation)} = {value}  # {field.description}")
    return "\n".join(lines)


def write_parameter_cell(path: Path) -> bool:
    """Write the generated cell into the notebook at `path`; return whether that changed it."""
    document = json.loads(path.read_text("utf-8"))
    cells = [cell for cell in document["cells"] if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(cells) != 1:
        raise ParameterError(
            expected=f"one cell tagged 'parameters' in {path.name}",
            found=f"{len(cells)}",
            fix="Tag the first code cell with 'parameters'.",
        )
    source = parameter_cell(path.stem).splitlines(keepends=True)
    if cells[0]["source"] == source:
        return False
    cells[0]["source"] = source
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return True


if __name__ == "__main__":
    import sys

    for argument in sys.argv[1:]:
        if argument.endswith(".ipynb"):
            write_parameter_cell(Path(argument))
        else:
            sys.stdout.write(parameter_cell(argument) + "\n")
