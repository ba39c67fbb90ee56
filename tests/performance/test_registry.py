from __future__ import annotations

import re
from pathlib import Path

import pytest

from cmi_analysis.errors import ParameterError
from cmi_analysis.labels import LANGUAGES, text
from cmi_analysis.performance.builders import BUILDERS
from cmi_analysis.performance.registry import COMPANIONS, KPIS, find_kpi

CATALOGUE = Path(__file__).resolve().parents[2] / ".." / "shared" / "design" / "kpis.md"


@pytest.mark.parametrize("kpi", sorted(KPIS))
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kpi_has_a_name_and_a_formula(kpi: str, lang: str) -> None:
    assert text(f"kpi.{kpi}.name", lang) and text(f"kpi.{kpi}.formula", lang)


def test_the_catalogue_is_whole() -> None:
    if not CATALOGUE.exists():
        pytest.skip("the design notes are not beside the project")
    rows = re.findall(r"^\| ([a-z_, ()]+?) \|", CATALOGUE.read_text("utf-8"), flags=re.M)
    names = {name for row in rows if row not in ("id", "rows") for name in re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", row))}
    assert sorted(names - set(KPIS)) == []


def test_each_computed_kpi_has_a_builder_or_a_rule_of_its_own() -> None:
    special = {"bullwhip", "source_hhi", "lead_time"}
    assert {kpi.id for kpi in KPIS.values() if kpi.computed} <= set(BUILDERS) | special
    assert set(COMPANIONS.values()) <= set(KPIS)


def test_an_unknown_kpi_is_named() -> None:
    with pytest.raises(ParameterError, match="'otfi'"):
        find_kpi("otfi")
