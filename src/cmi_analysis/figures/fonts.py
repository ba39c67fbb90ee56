"""The chart font: Latin and Chinese from one file of the package, so that charts look the same on every machine."""

from __future__ import annotations

from functools import cache
from importlib import resources

FAMILY = "CMI Noto Sans SC"
FILE = "CMINotoSansSC-Regular.otf"
# a list in `font.family` falls back glyph by glyph; one in `font.sans-serif` does not
FAMILIES = (FAMILY, "DejaVu Sans")


@cache
def register_font() -> str:
    """Make the chart font known to matplotlib and return its family name."""
    from matplotlib import font_manager

    with resources.as_file(resources.files("cmi_analysis.figures") / "typeface" / FILE) as path:
        font_manager.fontManager.addfont(str(path))
    return FAMILY
