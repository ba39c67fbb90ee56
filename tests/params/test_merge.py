"""Parameters: three sources, one model, errors before any kernel."""

from __future__ import annotations

from pathlib import Path

import papermill
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmi_analysis.errors import ParameterError
from cmi_analysis.params.cell import parameter_cell, write_parameter_cell
from cmi_analysis.params.merge import ParamFile, merge_params, read_param_file, validate_params
from cmi_analysis.params.models import MODELS


def param_file(folder: Path, text: str, name: str = "base.yml") -> ParamFile:
    """Write and read a parameter file."""
    path = folder / name
    path.write_text(text, "utf-8")
    return read_param_file(path)


def test_the_command_line_wins_over_the_group_file_and_that_over_base(tmp_path: Path) -> None:
    base = param_file(tmp_path, "common: {lang: zh, seed: 3}\nforecasting: {horizon: 8, folds: 2}\n")
    group = param_file(tmp_path, "common: {seed: 4}\nforecasting: {folds: 3}\n", "north.yml")
    merged = merge_params("forecasting", base=base, group=group, overrides={"seed": "5", "window_days": "90"})
    assert (merged.lang, merged.seed, merged.horizon, merged.folds) == ("zh", 5, 8, 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("forecasting: {horizn: 8}\n", r"'horizn' in section 'forecasting' of base.yml.*Did you mean 'horizon'\?"),
        ("forcasting: {horizon: 8}\n", r"'forcasting' in base.yml.*Did you mean 'forecasting'\?"),
        ("run: {dta: x}\n", r"'dta' in section 'run' of base.yml.*Did you mean 'data'\?"),
        ("forecasting: 8\n", "Indent them below the section"),
    ],
)
def test_a_wrong_name_is_an_error_with_the_nearest_one(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        param_file(tmp_path, text)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"horizon": "many"}, r"horizon: input should be a valid integer.*'many'.*periods ahead \[periods\]"),
        ({"horizon": 0}, "horizon: input should be greater than or equal to 1"),
        ({"lang": "de"}, "lang: input should be 'en' or 'zh'"),
        ({"as_of": "2026-02-30"}, "as_of: .*day is out of range"),
        ({"horizn": 1}, r"'horizn' in here.*Did you mean 'horizon'\?"),
    ],
)
def test_a_wrong_value_is_an_error_with_what_is_allowed(values: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        validate_params("forecasting", values, where="here")


def test_an_override_that_no_notebook_has_is_an_error() -> None:
    with pytest.raises(ParameterError, match=r"'windw_days' in the command line.*Did you mean 'window_days'\?"):
        merge_params("forecasting", base=ParamFile("base.yml"), group=None, overrides={"windw_days": 1})


@pytest.mark.parametrize("group", ["007", "NA", "no", "1e3", "'; import os", "华东", "{group}"])
def test_an_id_stays_the_text_it_was(group: str) -> None:
    merged = merge_params("forecasting", base=ParamFile("base.yml"), group=None, overrides={"group": group})
    assert merged.model_dump(mode="json")["group"] == group


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60))
def test_no_text_reaches_papermill_as_code(text: str) -> None:
    merged = merge_params("segmentation", base=ParamFile("base.yml"), group=None, overrides={"group": text})
    source = papermill.translators.PythonTranslator.codify({"group": merged.group})
    space: dict[str, object] = {}
    exec(source, {}, space)
    assert space == {"group": text}


@pytest.mark.parametrize("notebook", list(MODELS))
def test_papermill_sees_every_parameter_of_the_generated_cell_with_its_default(notebook: str, tmp_path: Path) -> None:
    import nbformat

    cell = nbformat.v4.new_code_cell(parameter_cell(notebook), metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "n.ipynb")
    seen = papermill.inspect_notebook(str(tmp_path / "n.ipynb"))
    fields = MODELS[notebook].model_fields
    assert list(seen) == list(fields)
    space: dict[str, object] = {}
    exec("from typing import Optional\n" + cell.source, {}, space)
    assert {name: space[name] for name in fields} == {name: field.default for name, field in fields.items()}
    assert [seen[name]["help"] for name in fields] == [field.description for field in fields.values()]


def test_every_description_ends_with_its_unit_and_has_no_sign_that_breaks_the_cell() -> None:
    for model in MODELS.values():
        for name, field in model.model_fields.items():
            assert field.description, name
            assert field.description.endswith("]"), name
            assert "=" not in field.description, name


def test_the_cell_is_written_into_a_notebook_once(tmp_path: Path) -> None:
    import nbformat

    path = tmp_path / "forecasting.ipynb"
    cell = nbformat.v4.new_code_cell("horizon = 1", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    assert write_parameter_cell(path)
    assert not write_parameter_cell(path)
    assert nbformat.read(path, 4).cells[0].source == parameter_cell("forecasting")
