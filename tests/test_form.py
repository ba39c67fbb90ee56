"""The house rules that a machine can hold: sizes, names, texts, notebooks, imports."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest

from cmi_analysis.labels import LANGUAGES, catalogue_keys, text
from cmi_analysis.params.cell import parameter_cell
from cmi_analysis.params.models import MODELS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src" / "cmi_analysis").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEXTS = sorted((ROOT / "src" / "cmi_analysis" / "labels" / "texts").glob("*.yml"))


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function below its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_keeps_its_size_and_says_what_it_is(path: Path) -> None:
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    assert len(source.splitlines()) < 400
    assert path.stem not in ("utils", "helpers", "common", "manager")
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert body_lines(node) < 40, f"{node.name} has {body_lines(node)} lines"


def test_nothing_loads_pickles_or_runs_text_as_code() -> None:
    banned = {"eval", "exec", "pickle", "joblib", "shelve", "marshal"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = {node.id} if isinstance(node, ast.Name) else {node.attr} if isinstance(node, ast.Attribute) else set()
            modules = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            source = {node.module} if isinstance(node, ast.ImportFrom) else set()
            called = isinstance(node, ast.Name)
            assert not (modules | source) & banned, path
            assert not (called and names & {"eval", "exec"}), path
            if isinstance(node, ast.Attribute) and node.attr == "load" and isinstance(node.value, ast.Name):
                assert node.value.id not in ("yaml", "pickle", "joblib"), path


def test_every_public_function_of_the_package_has_a_docstring() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert bare == []


def fields(wording: str) -> set[str]:
    """Return the named fields of a text."""
    return {name for _, name, _, _ in Formatter().parse(wording) if name}


def test_every_text_has_both_languages_with_the_same_fields() -> None:
    for key in catalogue_keys():
        wordings = [text(key, lang) for lang in LANGUAGES]
        assert all(wording.strip() for wording in wordings), key
        assert fields(wordings[0]) == fields(wordings[1]), key


def test_no_key_of_the_catalogue_stands_twice() -> None:
    seen: dict[str, str] = {}
    for path in TEXTS:
        for line in path.read_text("utf-8").splitlines():
            match = re.match(r"^([A-Za-z0-9_.]+):", line)
            if match:
                assert match[1] not in seen, f"{match[1]} in {path.name} and {seen[match[1]]}"
                seen[match[1]] = path.name


def test_importing_the_package_is_quick() -> None:
    code = "import time; s = time.process_time(); import cmi_analysis; print(time.process_time() - s)"
    assert float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) < 1.0


def test_the_notebooks_are_those_that_have_parameters() -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(MODELS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_keeps_its_form(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    lines = [[line for line in "".join(cell["source"]).splitlines() if line.strip()] for cell in code]
    tagged = ["parameters" in cell["metadata"].get("tags", []) for cell in code]
    assert len(code) <= 18
    assert tagged == [True] + [False] * (len(code) - 1)
    assert sum(len(source) for source, is_parameters in zip(lines, tagged, strict=True) if not is_parameters) <= 110
    assert len(lines[1]) <= 15
    assert all(len(source) <= 10 for source in lines[2:])
    for cell, source in zip(code, lines, strict=True):
        joined = "\n".join(source)
        assert cell["execution_count"] is None
        assert cell["outputs"] == []
        assert len(re.findall(r"\bplot_", joined)) <= 1
        assert len(re.findall(r"\btable_", joined)) <= 1
    assert lines[-1] == ["displays.show_end(page)"]
    assert document["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_parameter_cell_is_the_generated_one(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    cell = next(cell for cell in document["cells"] if "parameters" in cell["metadata"].get("tags", []))
    assert "".join(cell["source"]) == parameter_cell(path.stem)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_words_of_a_notebook_are_the_catalogues(path: Path) -> None:
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            key = cell["metadata"]["cmi"]["text"]
            assert "".join(cell["source"]).strip() == text(key, "en").strip(), key
