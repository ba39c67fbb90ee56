"""The look of the charts: font, size, repeatable pictures, texts that are taken as they are."""

from __future__ import annotations

import struct
import warnings
import zlib
from importlib import resources
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from cmi_analysis.figures import style
from cmi_analysis.figures.fonts import FAMILY, FILE, register_font
from hostile import PAYLOADS
from report_samples import EN, ZH, sample_axes

FONT = resources.files("cmi_analysis.figures") / "typeface" / FILE


def chunks(png: bytes) -> list[bytes]:
    """Return the names of a PNG's chunks."""
    names, place = [], 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        names.append(png[place + 4 : place + 8])
        place += 12 + length
    return names


def test_font_holds_every_sign_of_gb2312_and_is_small() -> None:
    from fontTools.ttLib import TTFont

    with resources.as_file(FONT) as path:
        held = set(TTFont(path).getBestCmap())
        assert path.stat().st_size <= 1_700_000
    signs = {bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF)} - {""}
    wanted = {ord(sign) for sign in signs | set("▲▼●–−≤≥∞€£¥ÄÖÜéßñ")}
    assert len(signs) > 7_000
    assert wanted - held == set()


def test_font_comes_with_its_licence() -> None:
    licence = (resources.files("cmi_analysis.figures") / "typeface" / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "Adobe" in licence


def test_chart_uses_the_font_of_the_package_and_not_one_of_the_machine() -> None:
    register_font()
    found = Path(mpl.font_manager.findfont(FAMILY, fallback_to_default=False))
    assert found.name == FILE


def test_chinese_chart_misses_no_glyph() -> None:
    ax = sample_axes(ZH)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        figure = style.figure_of(ax)
        style._dress(figure)
        figure.canvas.draw()
    assert [str(item.message) for item in said if "Glyph" in str(item.message)] == []


def test_same_chart_gives_the_same_bytes() -> None:
    first, second = sample_axes(EN), sample_axes(EN)
    picture = style.png_of(first)
    assert style.png_of(second) == picture
    assert style.png_of(first) == picture


def test_picture_is_as_wide_as_the_page_small_and_without_metadata() -> None:
    picture = style.png_of(sample_axes(EN))
    assert style.page_width(picture) == 816
    assert style.page_width(style.png_of(style.new_axes("half"))) == 442
    assert len(picture) <= style.LARGEST_PNG
    assert set(chunks(picture)) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
    assert zlib.crc32(b"IEND") == struct.unpack(">I", picture[-4:])[0]


def test_foreign_style_set_after_the_axes_does_not_change_the_texts() -> None:
    plain = style.png_of(sample_axes(ZH))
    ax = sample_axes(ZH)
    with mpl.rc_context({"font.family": ["DejaVu Sans"], "text.color": "red"}):
        assert style.png_of(ax) == plain


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_name_is_drawn_as_text(payload: str) -> None:
    ax = style.new_axes("wide", height=3)
    style.subtitle(ax, payload[:60])
    ax.set_xticks([0], [payload[:40]])
    style.direct_label(ax, 0.5, 0.5, payload[:40])
    assert style.png_of(ax)


def test_logarithmic_axis_keeps_its_powers() -> None:
    ax = style.new_axes("half")
    ax.semilogy([1, 2, 3], [1, 1_000, 1_000_000])
    style._dress(style.figure_of(ax))
    labels = [label for label in ax.get_yticklabels() if label.get_text()]
    assert labels
    assert all(label.get_parse_math() for label in labels)


def test_empty_note_leaves_words_and_no_scales() -> None:
    ax = style.empty_note(style.new_axes(), "No returns.")
    assert [words.get_text() for words in ax.texts] == ["No returns."]
    assert not ax.axison


def test_small_multiples_come_row_by_row_in_one_figure() -> None:
    panels = style.new_grid(2, 3)
    assert len(panels) == 6
    assert len({id(style.figure_of(panel)) for panel in panels}) == 1
    tops = [panel.get_position().y1 for panel in panels]
    assert np.all(np.diff(tops) <= 1e-9)


def test_colours_stand_out_from_white_enough_for_text() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    for colour in (style.ACTUAL, style.BETTER, style.WORSE, style.GREY, style.PLAN, style.FORECAST, *style.SERIES):
        assert 1.05 / (light(colour) + 0.05) >= 4.5, colour


def test_lollipops_and_a_single_bar_keep_off_the_edges_of_the_chart() -> None:
    from cmi_analysis.figures.segmentation import plot_leaving, plot_segment_stability

    stable = plot_segment_stability(pd.DataFrame({"segment": ["loyal", "at_risk"], "stay_share": [0.5, 0.9]}))
    low, high = stable.get_ylim()
    assert low <= -0.5
    assert high >= 1.5
    leaving = pd.DataFrame({"customer_name": ["One"], "value_at_risk": [5.0], "days_since_last_order": [9]})
    low, high = plot_leaving(leaving).get_ylim()
    assert high - low <= 1.4  # no empty rows below the only bar


def test_label_on_a_line_has_a_rim_that_covers_the_line() -> None:
    from cmi_analysis.figures.segmentation import plot_value_growth

    rows = pd.DataFrame({"customer_name": ["One", "Two"], "value": [10.0, 1000.0], "value_growth": [0.3, -0.01]})
    labels = plot_value_growth(rows).texts
    assert len(labels) == 2
    assert all(label.get_path_effects() for label in labels)
