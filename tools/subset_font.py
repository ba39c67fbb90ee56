"""Cut the package's chart font out of Debian's Noto Sans CJK (package fonts-noto-cjk, SIL Open Font License 1.1).

Usage: ``python tools/subset_font.py [NotoSansCJK-Regular.ttc]``. The result holds GB2312 and the Latin letters, signs and
arrows that charts use. The family gets a name of its own, so that a font of the same name on the machine cannot take its place
and the charts look the same everywhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

SOURCE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
TARGET = Path(__file__).resolve().parents[1] / "src" / "cmi_analysis" / "figures" / "typeface" / "CMINotoSansSC-Regular.otf"
FACE = "Noto Sans CJK SC"
FAMILY = "CMI Noto Sans SC"
LARGEST = 1_700_000  # bytes
RANGES = ((0x20, 0x7E), (0xA0, 0x17F), (0x2010, 0x2027), (0x2030, 0x203A), (0x20A0, 0x20BF), (0x2190, 0x2199), (0x3000, 0x3011))
SIGNS = "−×÷±≈≠≤≥∞√∑Σσμ·•…▲▼△▽●○■□◆◇★☆✓℃№Ωαβγδλπρφ‰©®™"


def wanted_characters() -> set[int]:
    """Return the code points of GB2312, Latin and the signs."""
    codes = {code for first, last in RANGES for code in range(first, last + 1)} | {ord(sign) for sign in SIGNS}
    for row in range(0xA1, 0xFF):
        for cell in range(0xA1, 0xFF):
            try:
                codes.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return codes


def rename(font: TTFont) -> None:
    """Give the font a family name of its own and keep copyright and licence."""
    names = font["name"]
    texts = {1: FAMILY, 2: "Regular", 3: f"{FAMILY} subset", 4: FAMILY, 6: FAMILY.replace(" ", "") + "-Regular"}
    kept = {number: names.getDebugName(number) for number in (0, 5, 7, 13, 14)}
    names.names = []
    for number, wording in sorted({**texts, **kept}.items()):
        if wording:
            names.setName(wording, number, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [texts[6]]
    top.topDictIndex[0].FamilyName = FAMILY
    top.topDictIndex[0].FullName = FAMILY


def main(source: Path) -> None:
    """Write the subset to the package's data."""
    faces = TTCollection(str(source)).fonts
    font = next(face for face in faces if face["name"].getDebugName(4) == FACE)
    options = subset.Options()
    options.hinting = False
    options.desubroutinize = False
    options.layout_features = ["kern"]
    options.drop_tables += ["VORG", "vhea", "vmtx", "BASE", "DSIG", "GSUB"]
    options.notdef_outline = True
    options.name_IDs = ["*"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted_characters())
    cutter.subset(font)
    rename(font)
    font["head"].modified = font["head"].created  # the same bytes on every run
    font.recalcTimestamp = False
    font.save(TARGET)
    size = TARGET.stat().st_size
    print(f"{TARGET.name}: {size:,} bytes, {len(font.getGlyphOrder()):,} glyphs")
    if size > LARGEST:
        sys.exit(f"larger than {LARGEST:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE)
