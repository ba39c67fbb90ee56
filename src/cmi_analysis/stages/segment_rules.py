"""Files of the segmentation: the user's own segments, and cut points of an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cmi_analysis.errors import ParameterError
from cmi_analysis.params.models import SegmentationParams
from cmi_analysis.params.yaml_files import read_yaml
from cmi_analysis.segmentation.own_rules import OwnRule, table_own_rules
from cmi_analysis.segmentation.rfm import MEASURES
from cmi_analysis.segmentation.rules import segment_rules
from cmi_analysis.stages.keys import digest
from cmi_analysis.stages.project import find_project

CUT_COLUMNS = ["measure", "cut", "cut_value", "rule", "customers"]


def rules_of(params: SegmentationParams) -> pd.DataFrame:
    """Return the rule table that the parameters ask for: the user's own file, else the western or Chinese names."""
    if not params.segment_rules_file:
        return segment_rules(params.segment_names)
    return read_own_rules(_place(params.segment_rules_file))


def order_of(rules: pd.DataFrame) -> tuple[str, ...]:
    """Return the segments of a rule table, that of the best cells first: by the mean of the scores, then by name."""
    means = rules.assign(points=rules[["r_score", "f_score", "m_score"]].sum(axis=1)).groupby("segment")["points"].mean()
    return tuple(means.reset_index().sort_values(["points", "segment"], ascending=[False, True], kind="stable")["segment"])


def read_own_rules(path: Path) -> pd.DataFrame:
    """Return the rule table of a YAML file: ``segments:``, then lines ``name: scores`` or ``name: [scores, scores]``.

    Raises
    ------
    ParameterError
        The file cannot be read, has another form, or its lines leave a cell out or claim one twice; file and line are named.
    """
    content = read_yaml(path)
    if set(content) != {"segments"} or not isinstance(content["segments"], dict):
        raise ParameterError(
            expected=f"the one name 'segments' with lines 'name: scores' in {path}",
            found=", ".join(map(str, content)) or "nothing",
            fix="Write for example 'segments:' and below it '  Key accounts: R4-5 M5'.",
        )
    return table_own_rules(_lines(path), file=str(path))


def _lines(path: Path) -> list[OwnRule]:
    """Return the file's rules with their lines."""
    whole: Any = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.SafeLoader)
    rules = []
    for key, value in whole.value[0][1].value:
        cells = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for cell in cells:
            if not isinstance(cell, yaml.ScalarNode):
                raise ParameterError(
                    expected=f"scores like 'R4-5 F3 M*' in {path}, line {cell.start_mark.line + 1}",
                    found="something nested",
                    fix="Write the scores as one text, or as a list of texts.",
                )
            rules.append(OwnRule(str(key.value), str(cell.value), cell.start_mark.line + 1))
    return rules


def read_cuts(params: SegmentationParams) -> pd.DataFrame | None:
    """Return the cut points that `cuts_file` holds, None where the parameter is empty.

    Raises
    ------
    ParameterError
        The file is not a table of cut points: four rising ones for each of the three measures.
    """
    if not params.cuts_file:
        return None
    path = _place(params.cuts_file)
    try:
        cuts = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        values = {name: rows["cut_value"] for name, rows in cuts.sort_values(["measure", "cut"]).groupby("measure")}
        whole = set(values) == set(MEASURES) and all(len(v) == 4 and v.is_monotonic_increasing for v in values.values())
        found = "other rows"
    except (OSError, ValueError, KeyError) as error:
        whole, found, cuts = False, str(error), pd.DataFrame()
    if not whole or not set(CUT_COLUMNS) <= set(cuts):
        raise ParameterError(
            expected=f"the table 'cuts' of an earlier run in {path}: four rising cut points for each of three measures",
            found=found,
            fix="Name the file tables/segmentation.cuts.parquet of the run whose cut points shall hold on.",
        )
    return cuts


def version_of(cuts: pd.DataFrame) -> str:
    """Return the version of a set of cut points: 12 hex digits of their measures and values."""
    rows = cuts.sort_values(["measure", "cut"])[["measure", "cut", "cut_value", "rule"]]
    return digest([[m, int(c), f"{v:.9g}", r] for m, c, v, r in rows.itertuples(index=False)])[:12]


def _place(name: str) -> Path:
    """Return the path of a file named in the parameters: as it is, else from the project's root."""
    path = Path(name)
    return path if path.is_absolute() else find_project().root / path
