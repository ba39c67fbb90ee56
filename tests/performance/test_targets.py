from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from cmi_analysis.performance.targets import find_targets, judge_value

AS_OF = dt.date(2024, 3, 31)
WEIGHTS = pd.DataFrame({"kpi": "otif", "customer_id": ["a", "b"], "denominator": [300.0, 100.0]})


def find(contracts: pd.DataFrame | None = None, targets: pd.DataFrame | None = None) -> dict[str, tuple[float, str]]:
    found = find_targets(contracts, targets, weights=WEIGHTS, customer_groups=["g"], as_of=AS_OF, defaults={"otif": 0.9})
    return {row.kpi: (row.target, row.source) for row in found.itertuples()}


def test_without_anything_the_parameters_hold() -> None:
    assert find() == {"otif": (0.9, "params")}


def test_the_groups_own_target_beats_the_general_one_and_later_ones_wait() -> None:
    targets = pd.DataFrame({"kpi": "otif", "customer_group": [None, "g", "g", "other"], "value": [0.8, 0.85, 0.99, 0.1],
                            "valid_from_on":
                            pd.to_datetime(["2024-01-01", "2023-01-01", "2025-01-01", "2024-01-01"])})  # fmt: skip
    assert find(targets=targets) == {"otif": (0.85, "targets")}


def test_contracts_weigh_with_their_volume_and_customers_without_one_take_the_general_target() -> None:
    contracts = pd.DataFrame({"contract_id": ["1", "2"], "customer_id": ["a", "a"], "measure": "otif", "level": [0.7, 0.5],
                              "valid_from_on": pd.to_datetime(["2023-01-01", "2022-01-01"])})  # fmt: skip
    assert find(contracts) == {"otif": (pytest.approx((300 * 0.7 + 100 * 0.9) / 400), "contracts")}


@pytest.mark.parametrize(
    ("value", "target", "direction", "kind", "n", "expected"),
    [
        (0.95, 0.95, "higher", "rate", 50, "good"),
        (0.93, 0.95, "higher", "rate", 50, "warn"),
        (0.92, 0.95, "higher", "rate", 50, "bad"),
        (54.0, 50.0, "lower", "days", 50, "warn"),
        (60.0, 50.0, "lower", "days", 50, "bad"),
        (55.0, 50.0, "band", "days", 50, "good"),
        (60.0, 50.0, "band", "days", 50, "warn"),
        (30.0, 50.0, "band", "days", 50, "bad"),
        (0.10, 0.95, "higher", "rate", 19, "none"),
        (0.10, None, "higher", "rate", 50, "none"),
        (float("nan"), 0.9, "higher", "rate", 50, "none"),
    ],
)
def test_verdicts(value: float, target: float | None, direction: str, kind: str, n: int, expected: str) -> None:
    assert judge_value(value, target, direction=direction, kind=kind, n=n, minimum_n=20) == expected
