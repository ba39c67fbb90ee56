"""A reader that sets bad rows aside gets the clean tables back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.demo import make_demo, write_demo
from cmi_analysis.demo.layout import Size
from cmi_analysis.tables.reading import read_dataset
from cmi_analysis.tables.schemas import SCHEMAS

TINY = Size(groups=2, customers=6, products=25, warehouses=2, breadth=1)


@pytest.mark.parametrize(("formats", "parts"), [("csv", False), ("parquet", False), ("parquet", True)])
def test_what_is_read_is_what_was_made(tmp_path: Path, formats: str, parts: bool) -> None:
    out = write_demo(tmp_path, size=TINY, seed=2, formats=formats, parts=parts)
    found, demo = read_dataset(out), make_demo(size=TINY, seed=2)
    assert set(found.frames) == set(demo.tables.frames)
    for name, frame in demo.tables.frames.items():
        keys = [key for key in SCHEMAS[name].key if key in frame]
        pair = [each.sort_values(keys, ignore_index=True) for each in (found[name][frame.columns], frame)]
        pd.testing.assert_frame_equal(*pair, check_dtype=False)
    assert found.settings == demo.tables.settings
