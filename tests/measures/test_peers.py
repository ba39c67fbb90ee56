from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.measures.peers import round_peer_value, score_peer_bands

COLUMNS = ["peer_group", "kpi", "q25", "q50", "q75", "peers"]


def frame(values: dict[str, tuple[float, float]], kpi: str = "otif") -> pd.DataFrame:
    rows = [{"group": name, "kpi": kpi, "numerator": top, "denominator": bottom} for name, (top, bottom) in values.items()]
    return pd.DataFrame(rows, columns=["group", "kpi", "numerator", "denominator"])


def test_six_equal_groups_give_each_reader_the_rounded_quartiles_of_the_other_five() -> None:
    groups = frame({name: (number, 100.0) for name, number in zip("abcdef", (61, 72, 78, 83, 90, 97), strict=True)})
    bands = score_peer_bands(groups, rates={"otif"}).set_index("peer_group")
    assert bands.loc["a", ["q25", "q50", "q75"]].tolist() == [0.78, 0.84, 0.90]  # 72 78 83 90 97: 0.83 is shown as 0.84
    assert bands["peers"].tolist() == [5] * 6


def test_five_groups_show_nobody_anything() -> None:
    assert score_peer_bands(frame(dict.fromkeys("abcde", (50.0, 100.0))), rates=set()).empty


def test_two_giants_among_the_peers_hide_the_band() -> None:
    sizes = {"a": 30.0, "b": 400.0, "c": 400.0, "d": 40.0, "e": 40.0, "f": 40.0, "g": 30.0}
    bands = score_peer_bands(frame({name: (size / 2, size) for name, size in sizes.items()}), rates=set())
    # seen from a: 800 of 950, 84 %; from d: 800 of 940, 85.1 %; from b: 440 of 580
    assert bands["peer_group"].tolist() == ["a", "b", "c", "g"]


def test_no_groups_give_no_bands() -> None:
    assert score_peer_bands(frame({}), rates=set()).columns.tolist() == COLUMNS


@pytest.mark.parametrize(("value", "shown"), [(61.12, 61.0), (0.04567, 0.046), (123456.0, 120000.0), (-3.46, -3.5)])
def test_other_values_keep_two_significant_digits(value: float, shown: float) -> None:
    assert round_peer_value(value, rate=False) == pytest.approx(shown)


def loop(groups: pd.DataFrame, *, rates: set[str]) -> list[tuple]:
    found = []
    for kpi in sorted(set(groups["kpi"])):
        own = groups[groups["kpi"] == kpi]
        for reader in sorted(set(own["group"])):
            others = [(row.numerator, row.denominator) for row in own.itertuples() if row.group != reader and row.denominator > 0]
            sizes = sorted((size for _, size in others), reverse=True)
            if len(others) < 5 or sizes[0] + sizes[1] >= 0.85 * sum(sizes):
                continue
            values = sorted(top / size for top, size in others)
            quartiles = []
            for share in (0.25, 0.5, 0.75):
                at = share * (len(values) - 1)
                low = math.floor(at)
                high = min(low + 1, len(values) - 1)
                quartiles.append(round_peer_value(values[low] + (at - low) * (values[high] - values[low]), rate=kpi in rates))
            found.append((reader, kpi, *quartiles, len(others)))
    return found


@pytest.mark.parametrize("seed", range(100))
def test_bands_agree_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 15))
    sizes = rng.lognormal(0, 2, count)
    sizes[rng.random(count) < 0.1] = 0.0
    rows = [
        frame({f"g{n:02}": (float(rng.random() * size), float(size)) for n, size in enumerate(sizes)}, kpi)
        for kpi in ("otif", "dio")
    ]
    groups = pd.concat(rows, ignore_index=True)
    before = groups.copy()
    found = score_peer_bands(groups.sample(frac=1, random_state=seed), rates={"otif"})
    expected = pd.DataFrame(loop(groups, rates={"otif"}), columns=COLUMNS)
    assert len(found) == len(expected)
    if len(found):
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    pd.testing.assert_frame_equal(groups, before)
