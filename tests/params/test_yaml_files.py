"""YAML files are plain data, and their errors name file and line."""

from __future__ import annotations

import pytest

from cmi_analysis.errors import ParameterError
from cmi_analysis.params.yaml_files import read_yaml


def _write(folder, text):
    path = folder / "settings.yml"
    path.write_text(text, "utf-8")
    return path


def test_a_mapping_is_returned_as_it_stands(tmp_path):
    assert read_yaml(_write(tmp_path, "a: 1\nb: [x, 'y']\n")) == {"a": 1, "b": ["x", "y"]}


def test_an_empty_file_is_an_empty_mapping(tmp_path):
    assert read_yaml(_write(tmp_path, "")) == {}


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    with pytest.raises(ParameterError, match=r"settings\.yml; found the key 'a' a second time in line 3"):
        read_yaml(_write(tmp_path, "a: 1\nb: 2\na: 3\n"))


def test_a_key_that_stands_twice_deeper_down_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="'x' a second time in line 3"):
        read_yaml(_write(tmp_path, "a:\n  x: 1\n  x: 2\n"))


@pytest.mark.parametrize(
    "text", ["a: !!python/object/apply:os.system ['true']\n", "a: [1\n", "- 1\n- 2\n", "x: &a [1]\ny: *a\n", "1: 2\n"]
)
def test_anything_but_plain_data_is_refused(tmp_path, text):
    with pytest.raises(ParameterError, match=r"settings\.yml"):
        read_yaml(_write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ParameterError, match=r"none\.yml"):
        read_yaml(tmp_path / "none.yml")
