"""The tables of one demo group, number by number: a change of any of them is seen in review.

Keys are exact; arithmetic holds to 1e-6, fitted models to 1e-3. `make golden-update` writes the files anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cmi_analysis.params.models import MODELS

FOLDER = Path(__file__).parent / "demo"
GROUP = "North"
FRAMES = {
    "segmentation": ("customers", "segments", "seasons", "leaving", "treatment", "cuts"),
    "forecasting": ("accuracy", "items", "customers", "coverage", "models", "life"),
    "inventory_policy": ("policies", "proposals", "money", "promised", "lead_times"),
    "performance_review": ("scorecard", "fill_gap", "otif_sites", "turns", "peers", "collaboration", "tie_out"),
}
CASES = [(notebook, frame) for notebook, frames in FRAMES.items() for frame in frames]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(demo_slice: Callable[..., Any]) -> Mapping[str, Any]:
    """Return every stage's result for one group."""
    from cmi_analysis import stages

    part = demo_slice(GROUP)
    params: dict[str, Any] = {name: MODELS[name](group=GROUP, as_of=part.as_of.isoformat()) for name in FRAMES}
    forecast = stages.forecast(part, params["forecasting"])
    plan = stages.plan(part, params["inventory_policy"], forecast=forecast)
    return {
        "segmentation": stages.segment(part, params["segmentation"]),
        "forecasting": forecast,
        "inventory_policy": plan,
        "performance_review": stages.review(part, params["performance_review"], plan=plan),
    }


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame as it would come back from a CSV file: numbers as floats, all else as text, empty text as missing."""
    numbers = [
        name for name in frame if pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
    ]
    columns = {
        str(name): frame[name].astype("float64") if name in numbers else frame[name].astype("string").replace("", pd.NA)
        for name in frame
    }
    return pd.DataFrame(columns).reset_index(drop=True)


@pytest.mark.parametrize(("notebook", "name"), CASES, ids=lambda value: value)
def test_a_table_of_the_demo_is_the_golden_one(
    notebook: str, name: str, results: Mapping[str, Any], request: pytest.FixtureRequest
) -> None:
    found = as_text(getattr(results[notebook], name))
    path = FOLDER / f"{notebook}.{name}.csv"
    if request.config.getoption("--golden-update"):
        path.parent.mkdir(exist_ok=True)
        found.to_csv(path, index=False, float_format="%.10g", lineterminator="\n")
    golden = pd.read_csv(path, dtype="string", keep_default_na=False, na_values=[""])
    assert golden.columns.tolist() == found.columns.tolist()
    for column in found:
        if found[column].dtype == "float64":
            golden[column] = golden[column].astype("float64")
    rtol = 1e-6 if notebook in ("segmentation", "performance_review") else 1e-3
    pd.testing.assert_frame_equal(found, golden, rtol=rtol, atol=1e-9, check_dtype=False)
